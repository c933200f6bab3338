# syntax=docker/dockerfile:1
# Two stages: the first installs the locked packages, the second holds only what runs, under a user without rights.
# DVC is among them and keeps every version of every data file: data takes its size twice, and once more for each change,
# unless the file system shares blocks (XFS with reflinks, Btrfs). FAIRFOLDER_DVC=off, record or folder chooses otherwise.

FROM python:3.13-slim AS packages
WORKDIR /build
COPY requirements-dvc.lock .
RUN python -m venv /opt/fairfolder \
    && /opt/fairfolder/bin/python -m pip install --no-cache-dir --no-input --disable-pip-version-check \
        --no-deps --require-hashes --only-binary :all: -r requirements-dvc.lock

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Fairfolder" \
      org.opencontainers.image.description="Watches research folders, describes every file, and publishes the result as linked data" \
      org.opencontainers.image.licenses="Apache-2.0"

# The history is kept by the program git.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 1000 fairfolder \
    && useradd --uid 1000 --gid 1000 --no-create-home --home-dir /state --shell /usr/sbin/nologin fairfolder \
    && install --directory --owner=fairfolder --group=fairfolder --mode=0750 /state /data

COPY --from=packages /opt/fairfolder /opt/fairfolder
WORKDIR /app
COPY . .
RUN /opt/fairfolder/bin/python -m compileall -q schemas contexts ingest catalog manage.py

ENV PATH=/opt/fairfolder/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MONITOR_PATH=/data \
    FAIRFOLDER_STATE_DIR=/state \
    FAIRFOLDER_BIND=0.0.0.0:8000

USER 1000:1000
VOLUME ["/data", "/state"]
EXPOSE 8000
STOPSIGNAL SIGTERM

# 127.0.0.1 is always an allowed host; the secret key and the public names come from the environment.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]

ENTRYPOINT ["python", "manage.py"]
CMD ["serve"]

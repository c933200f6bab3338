"""FA-23 over `serve`: no call of the web workers, the watcher or whoever they start touches research data."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from tests.catalog.service import Service, Serving, eventually
from tests.catalog.test_form_concurrency import Session, inputs
from tests.faults.oracle import everything
from tests.faults.test_untouched import forbidden, strace

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        subprocess.run(["which", "strace"], capture_output=True).returncode != 0, reason="strace is not installed"
    ),
]


def test_no_call_of_the_whole_service_touches_research_data(tmp_path: Path) -> None:
    """Files come, change and go while it runs; somebody looks at pages and previews, and saves a form."""
    service = Service(tmp_path, {"FAIRFOLDER_GIT": "on"})
    folder = service.root / "p_Rye" / "leaves"
    folder.mkdir(parents=True)
    for number in range(5):
        (folder / f"f{number}.csv").write_text(f"a,b\n{number},1\n")
    Image.new("RGB", (40, 30), "green").save(folder / "leaf.png")
    assert service.run("reconcile").code == 0
    log = tmp_path / "strace.log"
    with service.serving(prefix=strace(log)) as serving:
        try:
            session = Session(serving)
            (folder / "late.csv").write_text("a,b\n9,9\n")
            (folder / "f0.csv").write_text("a,b\n0,changed\n")
            (folder / "f1.csv").rename(folder / "moved.csv")
            (folder / "f2.csv").unlink()
            before = everything(service.root)
            document = folder / ".metadata" / "dataset_structural.json"
            eventually(lambda: all(word in document.read_text() for word in ("late.csv", "moved.csv")))
            _look_and_save(session, folder)
        finally:
            _end(serving)
    said = log.read_text(errors="surrogateescape")
    assert "p_Rye/leaves/.metadata" in said
    errors = f"<{serving.errors}>"  # where its standard error goes to
    assert [each for each in forbidden(said, service.root, service.state) if errors not in each] == []
    assert everything(service.root) == before


def _look_and_save(session: Session, folder: Path) -> None:
    manifest = json.loads((folder / ".metadata" / "dataset_structural.json").read_text())
    dataset, files = manifest["dataset_identifier"], manifest["file_descriptions"]
    pages = [f"datasets/{dataset}/", f"datasets/{dataset}/files/", f"history/dataset/{dataset}/", "status/"]
    pages += [f"files/{each['file_identifier']}/" for each in files]
    pages += [f"files/{each['file_identifier']}/preview" for each in files if each["file_name"] == "leaf.png"]
    for page in pages:
        eventually(partial(_is_there, session, page))
    address = f"edit/dataset/{dataset}/"
    form = inputs(session.get(address)[1])
    assert session.post(address, {**form, "/dataset_title": "Leaves of rye", "do": "save"})[0] == 302


def _is_there(session: Session, page: str) -> bool:
    return session.get(page)[0] == 200


def _end(serving: Serving) -> None:
    """What is traced is ended, not strace: that would only let go of it."""
    tracer = serving.process.pid
    (service,) = map(int, Path(f"/proc/{tracer}/task/{tracer}/children").read_text().split())
    os.kill(service, signal.SIGTERM)
    deadline = time.monotonic() + 180
    while serving.process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert serving.process.poll() is not None

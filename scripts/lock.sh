#!/bin/sh
# Resolves the dependencies of pyproject.toml for Python 3.11 and newer on every platform: with hashes, without an index.
# What is locked stays as it is where pyproject.toml still allows it; lock.sh --upgrade takes the newest.
set -eu
cd "$(dirname "$0")/.."

resolve() {
    .venv/bin/python -m uv pip compile --quiet --no-config --universal --python-version 3.11 --fork-strategy fewest \
        --overrides scripts/lock-overrides.txt --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links \
        --custom-compile-command "make lock" "$@" pyproject.toml
}

resolve "$@" --extra formats --extra demo --output-file requirements.lock
resolve "$@" --extra formats --extra demo --extra dvc --constraint requirements.lock --output-file requirements-dvc.lock
resolve "$@" --extra formats --extra demo --extra dvc --extra dev --constraint requirements-dvc.lock --output-file requirements-dev.lock
if grep -nE '(https?|file)://|find-links|index-url' requirements.lock requirements-dvc.lock requirements-dev.lock; then
    echo "lock.sh: the lock files name a place to download from (above); they must not." >&2
    exit 1
fi

#!/bin/sh
# Prepares .venv in the checkout: setup.sh run (what the service needs), setup.sh dvc (that and DVC, for versions of the
# data files) or setup.sh dev (all that and the tools of the tests).
# A stamp in .venv holds what was installed, so that a second call takes a moment.
set -eu
cd "$(dirname "$0")/.."

kind=${1:-run}
case $kind in
    run)
        lock=requirements.lock
        # Who asked for DVC once keeps it: `make serve` asks only for what the service needs.
        case $(cat .venv/.installed 2>/dev/null) in "dvc "*) kind=dvc lock=requirements-dvc.lock ;; esac
        ;;
    dvc) lock=requirements-dvc.lock ;;
    dev) lock=requirements-dev.lock ;;
    *) echo "setup.sh: '$kind' is neither run, dvc nor dev." >&2; exit 2 ;;
esac

fail() { echo "Fairfolder set-up: $*" >&2; exit 2; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        command -v "$PYTHON" >/dev/null 2>&1 || fail "PYTHON is '$PYTHON', which is no command here; name a Python 3.11 or newer."
        new_enough "$PYTHON" || fail "PYTHON is '$PYTHON', which is not Python 3.11 or newer ($("$PYTHON" --version 2>&1)); name a newer one."
        echo "$PYTHON"
        return
    fi
    for candidate in python3 python3.13 python3.12 python3.11 python3.14 python; do
        if new_enough "$candidate"; then echo "$candidate"; return; fi
    done
    found=$(python3 --version 2>&1) || found="no python3"
    fail "Python 3.11 or newer is needed and this machine has ${found}; install one, or name it: make setup PYTHON=/path/to/python3.12"
}

has_venv() { "$1" -c 'import venv, ensurepip' >/dev/null 2>&1; }

# A checkout whose Python was removed or upgraded away has a .venv that no longer starts: it is made anew.
make_venv() {
    if .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
        && .venv/bin/python -c 'import pip' >/dev/null 2>&1; then
        return
    fi
    python=$(find_python) || exit 2
    has_venv "$python" || fail "$python has no working venv module; install it (Debian and Ubuntu: apt-get install python3-venv) and call this again."
    "$python" -m venv --clear .venv || fail "$python could not make the virtual environment .venv in $(pwd); see the message above."
}

content() { cat pyproject.toml "$1" | cksum; }

stamp=.venv/.installed
wanted="$kind $(content "$lock")"
# What the tests need includes what the service needs: a dev environment serves both.
also="dev $(content requirements-dev.lock)"
make_venv
if [ -f "$stamp" ] && { [ "$(cat "$stamp")" = "$wanted" ] || [ "$(cat "$stamp")" = "$also" ]; }; then exit 0; fi

echo "Installing what Fairfolder needs into .venv (once) ..." >&2
# --no-deps: the lock file is the whole list, and each entry's hash is checked.
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps --require-hashes \
    -r "$lock" </dev/null || fail "the packages of $lock could not be installed; see the message above. Nothing is lost: call it again."
# The checkout itself is found by a relative path, so that it may be moved or renamed.
purelib=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "../../../.." >"$purelib/fairfolder-checkout.pth"
echo "$wanted" >"$stamp"
if [ "$kind" = dvc ]; then
    cat >&2 <<'ROOM'
DVC keeps every version of every data file: your data takes its size twice, and once more for each change, unless the
watched folder and the cache are on one file system that shares blocks (XFS with reflinks, Btrfs). FAIRFOLDER_DVC has the
other choices (folder, record, off): see docs/history.md.
ROOM
fi

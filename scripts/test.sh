#!/bin/sh
# Everything that is checked before a change lands: ruff, mypy --strict, pytest. All three run, even if one of them fails.
set -u
cd "$(dirname "$0")/.."

# Programs some tests need, as "command package". Installed where that is possible without asking anyone.
needed='chromium chromium
strace strace
git git
openssl openssl
rsync rsync
faketime faketime'

missing=''
while read -r program package; do
    command -v "$program" >/dev/null 2>&1 || missing="$missing $package"
done <<LIST
$needed
LIST
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing for the tests:$missing" >&2
        log=$(mktemp)
        # $missing is a list of words on purpose.
        # shellcheck disable=SC2086
        if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } \
            >"$log" 2>&1 </dev/null; then
            tail -n 5 "$log" >&2
            echo "These could not be installed:$missing. The tests that need them are skipped by name." >&2
        fi
        rm -f "$log"
    else
        echo "Not installed here:$missing (only root can, with apt-get). The tests that need them are skipped by name." >&2
    fi
fi

./scripts/setup.sh dev || exit 2

failed=''
.venv/bin/python -m ruff check . || failed="$failed ruff-check"
.venv/bin/python -m ruff format --check --quiet . || failed="$failed ruff-format"
.venv/bin/python -m mypy || failed="$failed mypy"
[ -z "$failed" ] || echo "Failed so far:$failed" >&2

# Several tests at once, unless the plugin that does so is shut out; -n 0 among the arguments says so as well.
together=''
case " $* " in
    *' -p no:xdist '* | *' -pno:xdist '*) ;;
    *) set -- -n auto --dist loadscope "$@"; together=yes ;;
esac
# Seed and name of each test that failed, written by tests/again.py; of this run alone, beside however many others.
list=$(mktemp)
trap 'rm -f "$list"' EXIT
TESTS_FAILED_LIST=$list .venv/bin/python -m pytest "$@" </dev/null
status=$?

# A few that failed beside others are asked once more, alone, on a machine that is quiet by now; never those of a
# campaign, whose failures are looked for. Why: docs/why/tests.md.
case " $* " in *' --campaign '*) together='' ;; esac
number=0
while read -r _; do number=$((number + 1)); done <"$list"
if [ "$status" = 1 ] && [ -n "$together" ] && [ "$number" -ge 1 ] && [ "$number" -le 3 ]; then
    unsteady=''
    status=0
    while IFS='	' read -r seed name <&3; do
        echo "Once more, alone: $name" >&2
        set -- "$name"
        [ "$seed" = - ] || set -- --seed "$seed" "$name"
        if .venv/bin/python -m pytest -p no:xdist -p no:cacheprovider "$@" </dev/null; then
            unsteady="$unsteady${unsteady:+, }$name"
        else
            status=1
        fi
    done 3<"$list"
    if [ -n "$unsteady" ]; then
        echo >&2
        echo "Unsteady, passed only alone: $unsteady. Each is a defect of the test or of the code: mend it." >&2
    fi
fi
if [ -n "$failed" ]; then
    echo "Failed besides the tests:$failed" >&2
    [ "$status" -ne 0 ] || status=1
fi
exit "$status"

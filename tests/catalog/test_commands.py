"""Commands as a person and as a program use them: one JSON object, exit codes, one sentence for whatever is wrong."""

from __future__ import annotations

import io
import json
import os
import pty
import sqlite3
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from catalog.commanding import EngineCommand
from tests.catalog.service import MANAGE, Service, eventually

EVERY = (("status",), ("reconcile",), ("check",), ("reindex",), ("user", "list"), ("watch",), ("serve",), ("demo",))


def fill(service: Service, files: int = 3) -> None:
    folder = service.root / "p_Alpha" / "plate"
    folder.mkdir(parents=True)
    for number in range(files):
        (folder / f"f{number}.csv").write_text("x,y\n1,2\n")


def test_a_fresh_state_folder_is_set_up_by_the_first_reconcile(service: Service) -> None:
    fill(service)
    answer = service.run("reconcile", "--json")
    assert (answer.code, answer.err) == (0, "")
    (report,) = answer.value["roots"]
    assert (report["described"], report["failed"], answer.value["not_indexed"]) == (3, 0, 0)
    assert (service.state.stat().st_mode & 0o777, (service.state / "secret_key").stat().st_mode & 0o777) == (
        0o700,
        0o600,
    )
    again = service.run("reconcile", "--json").value["roots"][0]
    assert (again["described"], again["unchanged"]) == (0, 3)


def test_each_command_answers_in_words_and_in_one_object(service: Service) -> None:
    fill(service)
    words = service.run("reconcile")
    assert "3 described" in words.out
    assert service.run("check", "--json").value["roots"][0]["documents"] == 5
    assert service.run("reindex", "--json").value["documents"] == 5
    status = service.run("status", "--json")
    assert (status.code, status.value["roots"][0]["counts"]["described"]) == (0, 3)
    assert "3 described" in service.run("status").out
    scoped = service.run("reconcile", "--json", "p_Alpha/plate")
    assert scoped.value["roots"][0]["unchanged"] == 3
    absolute = service.run("check", "--json", str(service.root / "p_Alpha"))
    assert absolute.value["roots"][0]["documents"] == 3


def test_findings_are_exit_code_one(service: Service) -> None:
    fill(service)
    service.run("reconcile")
    document = service.root / "p_Alpha" / "plate" / ".metadata" / "dataset_administrative.json"
    document.write_text("{ broken")
    checked = service.run("check", "--json")
    assert checked.code == 1
    assert [finding["rule"] for finding in checked.value["roots"][0]["findings"]] == ["readable"]
    assert service.run("reindex").code == 0
    told = service.run("status", "--json")
    assert told.code == 1
    assert [each["path"] for each in told.value["documents"]] == [str(document.relative_to(service.root))]
    assert document.read_text() == "{ broken"


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_a_wrong_setting_is_one_sentence_and_exit_code_two(service: Service, command: tuple[str, ...]) -> None:
    answer = service.run(*command, "--json", MONITOR_PATH="/does/not/exist")
    assert answer.code == 2
    assert (list(answer.value), answer.err) == (["error"], "")
    assert "MONITOR_PATH" in answer.value["error"]
    assert "'/does/not/exist'" in answer.value["error"]
    assert service.run(*command, MONITOR_PATH="/does/not/exist").err.splitlines() == [answer.value["error"]]
    assert not service.state.exists() or not (service.state / "fairfolder.sqlite3").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FAIRFOLDER_SETTLE_SECONDS", "soon"),
        ("FAIRFOLDER_WATCH_MODE", "magic"),
        ("FAIRFOLDER_HTTPS", "perhaps"),
        ("FAIRFOLDER_ALLOWED_HOSTS", "http://x"),
        ("FAIRFOLDER_URL_PREFIX", "no slash"),
        ("FAIRFOLDER_SECRET_KEY", "short"),
        ("FAIRFOLDER_STATE_DIR", "/proc/fairfolder"),
        ("FAIRFOLDER_READ_RATE", "-3"),
        ("FAIRFOLDER_BIND", "nonsense"),
        ("FAIRFOLDER_PUBLISHER", '{"name": "University", "ror": "https://ror.org/000000000"}'),
    ],
)
def test_each_setting_is_named_with_its_mend(service: Service, name: str, value: str) -> None:
    answer = service.run("reconcile", **{name: value})
    assert (answer.code, answer.out) == (2, "")
    assert name in answer.err
    assert "Traceback" not in answer.err


def test_a_wrong_setting_makes_no_other_look_wrong(service: Service) -> None:
    answer = service.run("status", FAIRFOLDER_SETTLE_SECONDS="abc")
    assert answer.code == 2
    assert [name in answer.err for name in ("FAIRFOLDER_SETTLE_SECONDS", "MONITOR_PATH")] == [True, False]


def test_several_wrong_settings_are_told_at_once(service: Service) -> None:
    answer = service.run("status", FAIRFOLDER_HTTPS="perhaps", FAIRFOLDER_URL_PREFIX="x", MONITOR_PATH="/nowhere")
    assert [name in answer.err for name in ("FAIRFOLDER_HTTPS", "FAIRFOLDER_URL_PREFIX", "MONITOR_PATH")] == [True] * 3


@pytest.mark.parametrize(
    "arguments",
    [
        ("reconcile", "/etc"),
        ("reconcile", "no/such/folder"),
        ("reconcile", "../.."),
        ("check", "/etc"),
        ("demo", "/etc"),
        ("user", "password", "nobody"),
        ("user", "add", "bad name!"),
        ("user", "add", ""),
        ("user", "disable", "nobody"),
        ("serve", "--port", "99999"),
        ("serve", "--port", "http"),
        ("serve", "--host", "0.0.0.0", "--port", "8765"),
        ("serve", "--workers", "0"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_sentence_and_exit_code_two(service: Service, arguments: tuple[str, ...]) -> None:
    answer = service.run(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert len(answer.err.strip().splitlines()) == 1
    assert "Traceback" not in answer.err
    assert arguments[-1].split("=")[-1] in answer.err or "FAIRFOLDER_SECRET_KEY" in answer.err


def test_a_mistyped_setting_is_warned_of_with_the_nearest_one(service: Service) -> None:
    wrong = {"FAIRFOLDER_SETLE_SECONDS": "3"}
    answer = service.run("status", "--json", **wrong)
    assert (answer.code, len(answer.value["roots"])) == (0, 1)
    assert "FAIRFOLDER_SETLE_SECONDS" in answer.err
    assert "did you mean FAIRFOLDER_SETTLE_SECONDS?" in answer.err
    checked = service.run("check", "--json", **wrong)
    assert (checked.code, checked.err, len(checked.value["settings"])) == (1, "", 1)


def test_a_publisher_that_fits_the_records_is_taken(service: Service) -> None:
    publisher = '{"name": "Example University", "ror": "https://ror.org/05gq02987"}'
    assert service.run("check", FAIRFOLDER_PUBLISHER=publisher).code == 0


def test_a_path_without_anything_to_check_is_wrong_usage(service: Service) -> None:
    fill(service)
    (service.root / "p_Alpha" / "stray.txt").write_text("x")
    service.run("reconcile")
    for path, why in (("p_Alpha/gone", "does not exist"), ("p_Alpha/stray.txt", "holds no metadata document")):
        answer = service.run("check", str(service.root / path))
        assert (answer.code, answer.out, why in answer.err) == (2, "", True)
        assert len(answer.err.splitlines()) == 1
    assert service.run("check", "p_Alpha/plate/.metadata/dataset_structural.json").code == 0


def test_an_unknown_command_is_exit_code_two(service: Service) -> None:
    answer = service.run("nosuch")
    assert (answer.code, answer.out, "'nosuch'" in answer.err) == (2, "", True)


def test_a_damaged_memory_of_the_engine_is_one_sentence(service: Service) -> None:
    fill(service)
    service.run("reconcile")
    (seen,) = service.state.glob("roots/*/seen.sqlite")
    seen.write_bytes(b"not a database" * 1_000)
    answer = service.run("status")
    assert (answer.code, answer.out, len(answer.err.splitlines())) == (2, "", 1)
    assert "cannot be used" in answer.err


def test_status_tells_the_last_full_scan_and_what_is_held(service: Service) -> None:
    fill(service)
    assert "last full scan: none yet" in service.run("status").out
    service.run("reconcile")
    service.run("reconcile", "--pause")
    told = service.run("status").out
    assert ", 3 described" in told.split("last full scan: ")[1].splitlines()[0]
    assert "is held" in told


def test_unknown_options_are_exit_code_two(service: Service) -> None:
    answer = service.run("reconcile", "--nonsense")
    assert (answer.code, answer.out) == (2, "")
    assert "--nonsense" in answer.err


def test_a_damaged_index_database_is_one_sentence(service: Service) -> None:
    service.run("reconcile")
    database = service.state / "fairfolder.sqlite3"
    for path in service.state.glob("fairfolder.sqlite3*"):
        path.unlink()
    database.write_bytes(b"not a database at all" * 1_000)
    answer = service.run("status")
    assert answer.code == 2
    assert "The index database cannot be used" in answer.err
    assert len(answer.err.strip().splitlines()) == 1
    fill(service)
    assert (service.run("reconcile").code, (service.root / "p_Alpha" / ".metadata").exists()) == (2, False)


def test_a_state_folder_that_is_a_file_is_named(service: Service) -> None:
    service.state.write_text("")
    answer = service.run("reconcile", "--json")
    assert (answer.code, "FAIRFOLDER_STATE_DIR" in answer.value["error"]) == (2, True)


def test_several_roots_are_worked_on_together(service: Service) -> None:
    other = service.base / "other"
    (other / "p_Beta" / "d").mkdir(parents=True)
    (other / "p_Beta" / "d" / "x.txt").write_text("x")
    fill(service)
    roots = os.pathsep.join((str(service.root), str(other)))
    answer = service.run("reconcile", "--json", MONITOR_PATH=roots)
    assert [report["described"] for report in answer.value["roots"]] == [3, 1]
    nested = service.run("status", MONITOR_PATH=os.pathsep.join((str(service.root), str(service.root / "p_Alpha"))))
    assert (nested.code, "MONITOR_PATH" in nested.err) == (2, True)


def test_accounts_are_made_renewed_listed_and_switched_off(service: Service) -> None:
    made = service.run("user", "add", "ada", "--staff", "--json").value
    assert made["name"] == "ada"
    assert len(made["password"]) >= 16
    taken = service.run("user", "add", "ada")
    assert (taken.code, "is taken" in taken.err) == (2, True)
    renewed = service.run("user", "password", "ada", "--json").value
    assert renewed["password"] != made["password"]
    assert "ada may no longer sign in" in service.run("user", "disable", "ada").out
    listed = service.run("user", "list", "--json").value
    ada = {"name": "ada", "role": "curator", "may_sign_in": False, "projects": [], "has_second_factor": False}
    assert listed == {"users": [ada]}
    assert made["password"] not in json.dumps(listed)


def test_what_an_account_may_is_said_and_listed(service: Service) -> None:
    fill(service)
    service.run("reconcile")
    assert service.run("user", "add", "ada", "--role", "member", "--json").value["role"] == "member"
    joined = service.run("user", "join", "ada", "p_Alpha", "--json").value
    assert (joined["name"], joined["role"]) == ("ada", "researcher")
    assert "ada is viewer of p_Alpha now." in service.run("user", "join", "ada", "p_Alpha", "--as", "viewer").out
    part = {"identifier": joined["project"], "role": "viewer", "folder": "p_Alpha", "title": ""}
    assert service.run("user", "list", "--json").value["users"][0]["projects"] == [part]
    assert service.run("user", "list").out.strip() == "ada: member, viewer of p_Alpha"
    assert service.run("user", "leave", "ada", joined["project"]).code == 0
    assert "ada is curator now." in service.run("user", "role", "ada", "curator").out
    assert service.run("user", "list").out.strip() == "ada: curator"
    assert "had no second factor" in service.run("user", "second-factor", "ada", "--off").out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("user", "add", "grace", "--role", "king"), "'king'"),
        (("user", "role", "ada", "king"), "'king'"),
        (("user", "role", "nobody", "viewer"), "'nobody'"),
        (("user", "role", "ada", "viewer"), "last administrator"),
        (("user", "join", "ada", "p_Nowhere"), "'p_Nowhere'"),
        (("user", "join", "ada", "p_Alpha", "--as", "king"), "'king'"),
        (("user", "leave", "ada", "p_Alpha"), "has no part"),
        (("user", "second-factor", "nobody", "--off"), "'nobody'"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)
def test_a_role_that_cannot_be_given_is_one_sentence(service: Service, arguments: tuple[str, ...], told: str) -> None:
    fill(service, files=1)
    service.run("reconcile")
    service.run("user", "add", "ada", "--admin")
    answer = service.run(*arguments)
    assert (answer.code, answer.out, told in answer.err) == (2, "", True)
    assert len(answer.err.strip().splitlines()) == 1


def test_the_last_administrator_cannot_be_disabled(service: Service) -> None:
    service.run("user", "add", "ada", "--admin")
    refused = service.run("user", "disable", "ada")
    assert (refused.code, "last administrator" in refused.err) == (2, True)
    service.run("user", "add", "grace", "--admin")
    assert service.run("user", "disable", "ada").code == 0


def test_watching_describes_what_comes_and_stops_when_told(service: Service) -> None:
    watcher = subprocess.Popen(
        [*MANAGE, "watch", "--json"],
        env=service.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        eventually(lambda: service.run("status", "--json").value["roots"][0]["running"])
        fill(service)
        eventually(lambda: service.run("status", "--json").value["roots"][0]["counts"]["described"] == 3)
        second = service.run("watch")
        assert (second.code, "is being watched already" in second.err) == (2, True)
    finally:
        watcher.terminate()
        out, err = watcher.communicate(timeout=120)
    assert (watcher.returncode, json.loads(out)) == (0, {"watched": [str(service.root)]})
    assert "Traceback" not in err


def test_progress_is_drawn_on_a_terminal_only_and_never_on_standard_output(service: Service) -> None:
    folder = service.root / "p_Alpha" / "plate"
    folder.mkdir(parents=True)
    for number in range(40):
        (folder / f"f{number}.bin").write_bytes(os.urandom(100_000))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*MANAGE, "reconcile", "--json"],
        env=service.environment(FAIRFOLDER_READ_RATE="1M", TERM="xterm"),
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    drawn = bytearray()
    try:
        while chunk := os.read(ours, 4_096):
            drawn += chunk
    except OSError:
        pass  # the terminal's other end is closed
    out, _ = process.communicate(timeout=120)
    os.close(ours)
    assert json.loads(out)["roots"][0]["described"] == 40
    assert b"Describing" in drawn
    assert b"files" in drawn


def test_an_ordinary_line_is_not_drawn_as_an_error() -> None:
    said = io.StringIO()
    EngineCommand(stderr=said, force_color=True).tell("Watching.")
    assert said.getvalue() == "Watching.\n"


def test_reading_can_be_held_and_resumed(service: Service) -> None:
    assert service.run("reconcile", "--pause", "--json").value["paused"] is True
    assert service.run("status", "--json").value["roots"][0]["paused"] is True
    assert service.run("reconcile", "--resume", "--json").value["paused"] is False
    assert service.run("status", "--json").value["roots"][0]["paused"] is False


def test_names_of_any_kind_are_told_on_any_terminal(service: Service) -> None:
    folder = service.root / "p_Alpha"
    folder.mkdir()
    (folder / os.fsdecode(b"caf\xe9")).mkdir()
    (Path(folder) / os.fsdecode(b"caf\xe9") / "x\ny.txt").write_text("x")
    answer = service.run("reconcile", LC_ALL="C", PYTHONIOENCODING="ascii:strict")
    assert (answer.code, answer.err) == (0, "")


def test_processes_that_start_at_once_set_the_state_folder_up_together(service: Service) -> None:
    fill(service)
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda words: service.run(*words), [("reconcile",), ("user", "list"), ("reindex",), ("reconcile",)]
            )
        )
    assert [(answer.code, answer.err) for answer in answers] == [(0, "")] * 4


def test_a_locked_index_is_waited_for_while_the_files_are_described(service: Service) -> None:
    service.run("reconcile")
    fill(service)
    holder = sqlite3.connect(service.state / "fairfolder.sqlite3", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(service.run, "reconcile", "--json")
        manifest = service.root / "p_Alpha" / "plate" / ".metadata" / "dataset_structural.json"
        eventually(manifest.exists)
        holder.execute("COMMIT")
        holder.close()
        answer = running.result()
    assert (answer.code, answer.value["not_indexed"], answer.value["roots"][0]["described"]) == (0, 0, 3)
    assert service.run("reindex", "--json").value["documents"] == 5

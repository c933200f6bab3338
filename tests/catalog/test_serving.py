"""`serve` as a process: ready, supervised, stopped; safe by default."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django import Settings

from catalog.management.commands.serve import Command
from catalog.serving import Address, children
from ingest.catching_up import VERSIONS
from ingest.errors import SettingError
from ingest.locking import lock_file
from ingest.provenance.data.settings import DataSettings, Mode
from ingest.seen import Seen, state_folder
from ingest.sources import file_system_of
from ingest.status import is_watched
from tests.catalog.service import MANAGE, Service, eventually, free_port, is_running
from tests.catalog.tree import Tree


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_serving_shows_a_password_once_and_stops_all_its_children(service: Service) -> None:
    with service.serving() as serving:
        assert serving.value["user"] == "admin"
        assert len(serving.value["password"]) >= 16
        assert serving.value["roots"] == [str(service.root)]
        assert serving.get("healthz") == (200, '{"status": "ok"}')
        status, page = serving.get()
        assert (status, "Sign in" in page) == (200, True)
        assert serving.get("static/catalog/fairfolder.css")[0] == 200
        tree = descendants(serving.process.pid)
        assert len(tree) >= 3
        serving.process.send_signal(signal.SIGINT)
        assert serving.process.wait(120) == 0
    assert not [pid for pid in tree if alive(pid)]
    assert "Traceback" not in serving.errors.read_text()
    with service.serving() as again:
        assert "password" not in again.value


def descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def test_a_watcher_that_dies_is_started_again_and_noted(service: Service) -> None:
    with service.serving() as serving:
        first = eventually(lambda: serving.children().get("watch"))
        os.kill(first, signal.SIGKILL)
        second = eventually(lambda: (pid := serving.children().get("watch", first)) != first and pid)
        folder = service.root / "p_Alpha" / "d"
        folder.mkdir(parents=True)
        (folder / "x.txt").write_text("x")
        eventually(lambda: (folder / ".metadata" / "dataset_structural.json").exists())
        assert second != first
    assert "The watcher process stopped (signal SIGKILL)" in serving.errors.read_text()


def test_children_end_when_their_parent_is_killed(service: Service) -> None:
    with service.serving() as serving:
        tree = descendants(serving.process.pid)
        serving.process.kill()
        serving.process.wait(120)
        eventually(lambda: not [pid for pid in tree if alive(pid)])


@pytest.mark.parametrize("command", ["serve", "watch"])
def test_a_second_service_of_the_same_folder_is_refused_and_told_who_watches(service: Service, command: str) -> None:
    with service.serving() as serving:
        eventually(lambda: is_watched(service.root, service.state))
        answer = service.run(command)
        assert serving.process.poll() is None
        pid = serving.process.pid
        assert (answer.code, answer.out) == (2, "")
        mend = f"let it go on, or stop it first (kill {pid})."
        assert answer.err == f"{service.root} is being watched already, by process {pid}; {mend}\n"
        serving.process.kill()  # which leaves no lock behind
        serving.process.wait(120)
        with service.serving() as after:
            eventually(lambda: is_watched(service.root, service.state))
            assert after.get("healthz")[0] == 200


def test_a_watcher_is_not_started_while_another_process_watches(tree: Tree, settings: Settings) -> None:
    said: list[str] = []
    watcher, *_ = children(Address("127.0.0.1", 1), 1, said.append)
    watcher.command = ["true"]
    folder = state_folder(settings.ENGINE.state_dir, tree.root)
    folder.mkdir(parents=True)
    with lock_file(folder / "watch.lock", 0.0):
        watcher.told("restarting", 2)
        watcher.look_after()
        assert watcher.process is None
        assert said == [
            "Another process watches; the pages go on, and this service watches by itself once that one has ended."
        ]
    watcher.due = 0.0
    watcher.look_after()
    assert watcher.process is not None
    assert watcher.process.wait(120) == 0


def test_the_last_line_at_start_is_the_address_and_nothing_is_said_in_between(service: Service) -> None:
    other = service.base / "other"
    other.mkdir()
    said = service.base / "said"
    with said.open("w") as both:
        process = subprocess.Popen(
            [*MANAGE, "serve", "--port", str(free_port()), "--workers", "1"],
            env=service.environment(MONITOR_PATH=f"{service.root}:{other}", FAIRFOLDER_DVC="off"),
            cwd=service.base,
            stdout=both,
            stderr=both,
        )
        try:
            eventually(lambda: "Ctrl-C" in said.read_text())
            time.sleep(1)
            lines = said.read_text().splitlines()
        finally:
            process.terminate()
            process.wait(120)
    assert sorted(lines[:2]) == [
        f"Watching {root} by change events of the file system ({file_system_of(root)})."
        for root in (service.root, other)
    ]
    words = [line.split() for line in lines[2:]]
    assert words[:4] == [[], ["It", "watches", str(service.root)], [str(other)], ["Sign", "in", "as", "admin"]]
    assert words[4][:2] == ["with", "password"]
    assert re.fullmatch(r"  Fairfolder is at  http://127\.0\.0\.1:\d+/   \(Ctrl-C stops it\)", lines[-1])
    assert len(lines) == 8


def test_that_data_takes_its_size_twice_is_said_at_the_start_until_it_is_found_not_to(
    tree: Tree, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.ENGINE = replace(settings.ENGINE, data=DataSettings(Mode.FILE))

    def welcome() -> list[str]:
        Command()._welcome(Address("127.0.0.1", 1), None, as_json=False)
        return capsys.readouterr().out.splitlines()

    said = welcome()
    assert said[2].startswith("  Versions          DVC keeps every version")
    assert "data takes its size twice" in " ".join(" ".join(said).split())
    assert said[-1].startswith("  Fairfolder is at  ")
    assert max(map(len, said[2:])) <= 120
    with closing(Seen(state_folder(settings.ENGINE.state_dir, tree.root))) as seen:
        seen.put(VERSIONS, {"clones": True})
    assert "Versions" not in " ".join(welcome())


def test_standard_output_holds_one_object_and_nothing_of_the_children(service: Service) -> None:
    with service.serving() as serving:
        eventually(lambda: is_watched(service.root, service.state))
        serving.process.terminate()
        rest, _ = serving.process.communicate(timeout=120)
    assert rest == ""
    assert "Watching has ended." in serving.errors.read_text()


def test_a_port_in_use_is_one_sentence(service: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = service.run("serve", "--port", str(taken.getsockname()[1]))
    assert (answer.code, answer.out) == (2, "")
    assert "cannot be used (Address already in use)" in answer.err
    assert len(answer.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("given", "wanting"),
    [
        ({}, "FAIRFOLDER_SECRET_KEY and FAIRFOLDER_ALLOWED_HOSTS"),
        ({"FAIRFOLDER_SECRET_KEY": "k" * 50}, "FAIRFOLDER_ALLOWED_HOSTS"),
        ({"FAIRFOLDER_ALLOWED_HOSTS": "data.example.org"}, "FAIRFOLDER_SECRET_KEY"),
    ],
)
def test_an_address_others_reach_needs_a_key_and_names(service: Service, given: dict[str, str], wanting: str) -> None:
    answer = service.run("serve", FAIRFOLDER_BIND="0.0.0.0:8765", **given)
    assert answer.code == 2
    assert f"needs {wanting};" in answer.err


def test_a_prefix_is_in_every_link_and_both_kinds_of_proxy_work(service: Service) -> None:
    with service.serving(FAIRFOLDER_URL_PREFIX="/fair") as serving:
        assert serving.url.endswith("/fair/")
        status, page = serving.get("login/")
        assert status == 200
        assert 'href="/fair/static/catalog/fairfolder.css"' in page
        assert serving.get("static/catalog/fairfolder.css")[0] == 200
        serving.value["url"] = serving.url.removesuffix("fair/")
        assert serving.get("login/")[0] == 200
        assert serving.get("static/catalog/fairfolder.css")[0] == 200
        assert serving.get("fairness")[0] == 404


def test_public_addresses_begin_with_the_one_it_listens_on_unless_the_site_says_another(service: Service) -> None:
    with service.serving() as serving:
        assert f"<{serving.url}sparql>" in serving.get("sparql")[1]
    with service.serving(FAIRFOLDER_BASE_URL="https://data.example.org") as serving:
        assert "<https://data.example.org/sparql>" in serving.get("sparql")[1]


def test_an_unknown_host_is_refused(service: Service) -> None:
    with service.serving() as serving:
        host = serving.url.split("/")[2]
        with socket.create_connection(tuple(host.split(":")), timeout=120) as connection:  # type: ignore[arg-type]
            connection.sendall(b"GET /login/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
            answer = b""
            while chunk := connection.recv(65_536):
                answer += chunk
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"This request cannot be read" in answer


@pytest.mark.parametrize("text", ["127.0.0.1", ":8000", "127.0.0.1:0", "127.0.0.1:70000", "x:y", "", "1:２"])
def test_a_wrong_address_is_named(text: str) -> None:
    with pytest.raises(SettingError, match="FAIRFOLDER_BIND is"):
        Address.parse(text, "FAIRFOLDER_BIND")


def test_addresses_know_who_can_reach_them(settings: Settings) -> None:
    settings.FAIRFOLDER_URL_PREFIX = ""
    assert [Address.parse(t, "x").is_loopback for t in ("127.0.0.1:1", "[::1]:1", "localhost:1", "0.0.0.0:1")] == [
        True, True, True, False,
    ]  # fmt: skip
    assert Address.parse("[::1]:80", "x").url == "http://[::1]:80/"


def test_serving_stops_when_told(service: Service) -> None:
    with service.serving() as serving:
        children = serving.children()
        assert children
        serving.process.terminate()
        serving.process.wait(120)
        assert not [name for name, pid in children.items() if is_running(pid)]


def test_a_first_password_that_could_not_be_said_is_made_again(service: Service) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*MANAGE, "serve", "--port", str(free_port()), "--workers", "1"],
            env=service.environment(),
            cwd=service.base,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode != 0
    assert service.run("user", "list", "--json").value["users"] == []
    with service.serving() as serving:
        assert len(serving.value["password"]) >= 16


def test_serving_goes_on_where_nothing_can_be_noted(service: Service) -> None:
    (service.state / "watcher.json").mkdir(parents=True)
    with service.serving() as serving:
        first = eventually(lambda: serving.children().get("watch"))
        os.kill(first, signal.SIGKILL)
        eventually(lambda: serving.children().get("watch", first) != first)
        assert serving.get("healthz")[0] == 200
    assert "watcher.json cannot be written: Is a directory" in serving.errors.read_text()

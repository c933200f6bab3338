"""A copy elsewhere, the site's signature, the proof that nothing was rewritten, and clearing up: all by choice."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from ingest.provenance import git
from ingest.provenance.git import GitError
from ingest.provenance.notes import Notes
from ingest.provenance.pushing import is_folder
from tests.ingest.provenance.kept import Kept
from tests.ingest.provenance.test_hostile import HOOKS, Traps

pytestmark = pytest.mark.timeout(120)


def remote(kept: Kept, address: str = "") -> Path:
    """A remote in a folder, which the repository calls ``copy``."""
    folder = kept.folder / "copy.git"
    kept.git("init", "-q", "--bare", "-b", "main", str(folder), cwd=kept.folder)
    kept.git("remote", "add", "copy", address or str(folder))
    return folder


def forget_the_pause(kept: Kept) -> None:
    Notes(kept.state / "provenance" / "notes.json").write(push_after="")


@pytest.mark.parametrize("address", ["", "../copy.git", "file"])
def test_every_commit_is_pushed(kept: Kept, address: str) -> None:
    recorder = kept.another(remote="copy")
    kept.save(1, recorder=recorder)
    folder = remote(kept, f"file://{kept.folder}/copy.git" if address == "file" else address)
    assert recorder.push()
    kept.save(2, recorder=recorder)
    assert recorder.push()
    assert kept.git("rev-parse", "main", cwd=folder) == kept.git("rev-parse", "HEAD")
    assert recorder.state().push.startswith("Pushed to copy at ")
    kept.git("clone", "-q", str(folder), str(kept.folder / "clone"), cwd=kept.folder)
    assert (kept.folder / "clone" / kept.document()).read_bytes() == kept.path(kept.document()).read_bytes()
    assert kept.git("for-each-ref", "--format=%(refname)", cwd=folder).split() == ["refs/heads/main"]


def test_a_remote_that_is_not_there_is_tried_again_later_and_told(kept: Kept) -> None:
    recorder = kept.another(remote="copy")
    kept.save(1, recorder=recorder)
    assert not recorder.push()
    assert "git remote add copy" in recorder.state().push
    folder = remote(kept, str(kept.folder / "not there yet"))
    assert not recorder.push()  # too early
    assert "git remote add copy" in recorder.state().push
    forget_the_pause(kept)
    assert not recorder.push()
    assert "tried again in 60 s" in recorder.state().push
    os.rename(folder, kept.folder / "not there yet")
    forget_the_pause(kept)
    assert recorder.push()
    assert recorder.state().push.startswith("Pushed to copy")


def test_a_remote_that_went_another_way_is_never_overwritten(kept: Kept) -> None:
    recorder = kept.another(remote="copy")
    kept.save(1, recorder=recorder)
    folder = remote(kept)
    other = kept.folder / "other"
    kept.git("clone", "-q", str(folder), str(other), cwd=kept.folder)
    kept.git("commit", "-q", "--allow-empty", "-m", "Theirs", cwd=other)
    kept.git("push", "-q", "origin", "HEAD:main", cwd=other)
    theirs = kept.git("rev-parse", "main", cwd=folder)
    assert not recorder.push()
    assert kept.git("rev-parse", "main", cwd=folder) == theirs
    assert "rejected" in recorder.state().push


def test_pushing_runs_nothing_the_repository_names(kept: Kept, tmp_path: Path) -> None:
    traps = Traps(tmp_path)
    recorder = kept.another(remote="copy")
    kept.save(1, recorder=recorder)
    folder = remote(kept)
    for place in (folder, kept.path(".git")):
        (place / "hooks").mkdir(exist_ok=True)
        for hook in HOOKS:
            (place / "hooks" / hook).unlink(missing_ok=True)
            os.symlink(traps.trap(hook), place / "hooks" / hook)
    for name in ("core.sshCommand", "credential.helper", "core.askPass", "remote.copy.receivepack", "core.gitProxy",
                 "gpg.program", "core.hooksPath"):  # fmt: skip
        kept.git("config", name, str(traps.folder) if name == "core.hooksPath" else traps.trap(name))
    kept.git("config", "push.gpgSign", "if-asked")
    assert recorder.push()
    for hostile in (f"ext::{traps.trap('ext')} %S", f"trap::{folder}", "ssh://localhost:1/x", "git://localhost:1/x"):
        kept.git("config", "remote.copy.url", hostile)
        kept.save(hostile, recorder=recorder)
        forget_the_pause(kept)
        assert not recorder.push()
    assert traps.sprung() == []


class Host(BaseHTTPRequestHandler):
    """A host that wants a password, and answers nobody who has it."""

    given: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        given = self.headers.get("Authorization")
        self.given.append(given)
        self.send_response(403 if given else 401)
        self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_password_stands_in_no_command(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = kept.another(remote="copy")
    kept.save(1, recorder=recorder)
    Host.given.clear()
    host = HTTPServer(("127.0.0.1", 0), Host)
    threading.Thread(target=host.serve_forever, daemon=True).start()
    # Every program git starts, with its words.
    trace = kept.folder / "trace"
    monkeypatch.setattr(git, "_ENVIRONMENT", {**git._ENVIRONMENT, "GIT_TRACE": str(trace)})
    remote(kept, f"http://ann:TOKEN%40CANARY@127.0.0.1:{host.server_port}/x.git")
    assert not recorder.push()
    host.shutdown()
    assert Host.given == [None, "Basic " + base64.b64encode(b"ann:TOKEN@CANARY").decode()]
    assert "git-remote-http" in trace.read_text()
    assert "CANARY" not in trace.read_text()
    assert "CANARY" not in recorder.state().push
    own = kept.state / "provenance" / "pushing.git"
    assert [(own / name).stat().st_mode & 0o777 for name in ("config", "key")] == [0o600, 0o600]
    assert "CANARY" not in (own / "config").read_text()
    kept.git("config", "remote.copy.url", str(kept.folder / "copy.git"))
    forget_the_pause(kept)
    assert recorder.push()
    assert not (own / "key").exists()
    assert "CANARY" not in trace.read_text()


@pytest.mark.parametrize(("address", "folder"), [
    ("/x", True), ("../x", True), ("x/y:z", True), ("host:x", False), ("ssh://h/x", False), ("file:///x", False),
    ("ext::x", False),
])  # fmt: skip
def test_which_addresses_are_folders(address: str, folder: bool) -> None:
    assert is_folder(address) is folder


# --- signatures and proof -----------------------------------------------------------------------------------


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "site key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "site", "-f", file], check=True)
    return file


def test_commits_are_signed_with_the_sites_key(kept: Kept, key: Path, tmp_path: Path) -> None:
    kept.adopt()
    recorder = kept.another(signing_key=key)
    kept.save(1, recorder=recorder, subject="Save 1", moment="2026-03-01T10:00:00Z")
    kept.git("checkout", "-q", "--detach")
    kept.save(2, recorder=recorder, by="zoë", subject="Save 2")
    kept.save(3, recorder=recorder, subject="Save 3")
    kept.git("checkout", "-q", "trunk")
    recorder.catch_up()
    signers = tmp_path / "signers"
    signers.write_text(f"* {key.with_name('site key.pub').read_text()}")
    kept.git("config", "gpg.ssh.allowedSignersFile", str(signers))
    assert kept.log("%G? %s %an") == ["G Save 3 alice", "G Save 2 zoë", "G Save 1 alice", "N Notes Rosa"]
    assert kept.log("%aI")[2] == "2026-03-01T10:00:00+00:00"
    assert kept.status() == []
    assert recorder.prove().problems == ()
    kept.save(4)
    (problem,) = recorder.prove().problems
    assert kept.git("rev-parse", "HEAD").strip() in problem
    kept.assert_sound()


def test_a_key_that_cannot_sign_is_told_and_stops_no_action(kept: Kept, tmp_path: Path) -> None:
    broken = tmp_path / "key"
    broken.write_text("no key")
    recorder = kept.another(signing_key=broken)
    assert kept.save(1, recorder=recorder) == ""
    assert "commit-tree" in recorder.state().trouble


def test_a_history_that_was_only_added_to_is_proven(kept: Kept) -> None:
    kept.save(1)
    kept.save(2)
    kept.git("commit", "-q", "--allow-empty", "-m", "Mine")
    proof = kept.another().prove()
    assert proof.problems == ()
    assert proof.commits == 3
    assert proof.head == kept.git("rev-parse", "HEAD").strip()


def test_a_history_that_was_rewritten_is_told(kept: Kept) -> None:
    kept.save(1)
    commit = kept.save(2)
    kept.git("reset", "-q", "--soft", "HEAD~1")
    kept.git("commit", "-q", "-m", "Forged")
    (problem,) = kept.another().prove().problems
    assert commit in problem
    kept.git("reflog", "expire", "--expire=now", "--all")
    kept.git("update-ref", "-d", "refs/fairfolder/next")
    kept.git("gc", "-q", "--prune=now")
    assert len(kept.another().prove().problems) == 1


def test_what_was_rewritten_stays_told_until_it_is_accepted(kept: Kept) -> None:
    kept.save(1)
    commit = kept.save(2)
    kept.git("reset", "-q", "--soft", "HEAD~1")
    kept.git("commit", "-q", "-m", "Forged")
    kept.save(3)
    kept.save(4)
    (problem,) = kept.another().prove().problems
    assert commit in problem
    kept.recorder.accept_rewriting()
    assert kept.another().prove().problems == ()


def test_a_bit_that_turned_is_told(kept: Kept) -> None:
    kept.save(1)
    name = kept.git("rev-parse", f"HEAD:{kept.document()}").strip()
    file = kept.path(f".git/objects/{name[:2]}/{name[2:]}")
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    (problem,) = kept.another().prove().problems
    assert name in problem


def test_without_a_history_there_is_no_proof(kept: Kept) -> None:
    with pytest.raises(GitError, match="no history yet"):
        kept.recorder.prove()


# --- clearing up --------------------------------------------------------------------------------------------


def test_what_single_commits_leave_is_packed_and_nothing_is_lost(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingest.provenance import tidying

    for number in range(5):
        kept.save(number, subject=f"Save {number}")
    assert not kept.recorder.tidy()
    monkeypatch.setattr(tidying, "_LOOSE", 0)
    assert kept.recorder.tidy()
    assert kept.git("count-objects").startswith("0 objects")
    kept.save(5, subject="Save 5")
    assert kept.recorder.tidy()
    assert kept.subjects() == [f"Save {n}" for n in range(6)]
    assert kept.path(".git/objects/info/commit-graph").exists() or kept.path(".git/objects/info/commit-graphs").exists()
    kept.assert_sound()

"""`history`, `restore` and `verify` as people and programs use them, and their answers to paths that mean harm."""

from __future__ import annotations

import os
import time

import orjson
import pytest
from django.core.management import call_command
from django.test import Client

from catalog import index
from ingest import documents
from ingest.provenance.data import program
from tests.catalog.recorded import Past
from tests.catalog.service import Service
from tests.catalog.tree import Tree, entry, identifier

DATASET = "p_Alpha/plate"
DOCUMENT = f"{DATASET}/.metadata/dataset_administrative.json"
MANIFEST = f"{DATASET}/.metadata/dataset_structural.json"


@pytest.fixture
def recorded(service: Service) -> Service:
    """A dataset of two files that was described, and its first version recorded."""
    service.settings["FAIRFOLDER_GIT"] = "on"
    folder = service.root / DATASET
    folder.mkdir(parents=True)
    for number in range(2):
        (folder / f"f{number}.csv").write_text(f"x,y\n1,{number}\n")
    assert service.run("reconcile").code == 0
    return service


def edit(service: Service, **fields: object) -> None:
    """What somebody does with an editor, and the pass that takes it over."""
    path = service.root / DOCUMENT
    draft = path.with_name("draft~")
    draft.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), **fields}))
    draft.replace(path)
    assert service.run("reconcile").code == 0


def value(service: Service) -> dict[str, object]:
    found: dict[str, object] = orjson.loads((service.root / DOCUMENT).read_bytes())
    return found


def test_a_record_is_told_and_set_back(recorded: Service) -> None:
    edit(recorded, dataset_title="One")
    first = recorded.run("history", DOCUMENT, "--json").value["versions"]
    assert [each["by"] for each in first] == ["filesystem", "system"]
    edit(recorded, dataset_title="Two")
    told = recorded.run("history", DOCUMENT)
    assert told.out.splitlines()[0].endswith(first[0]["subject"])
    assert "    Dataset title: One → Two" in told.out
    assert len(recorded.run("history", DOCUMENT, "--limit", "1", "--json").value["versions"]) == 1
    done = recorded.run("restore", DOCUMENT, "--at", first[0]["commit"][:10], "--reason", "It was right", "--json")
    assert (done.code, done.err) == (0, "")
    assert done.value["changes"] == [{"place": "Dataset title", "before": "Two", "after": "One"}]
    assert (value(recorded)["dataset_title"], value(recorded)["last_modified_by"]) == ("One", "system:restore")
    newest = recorded.run("history", str(recorded.root / DOCUMENT), "--json").value["versions"][0]
    assert (newest["trigger"], newest["reason"]) == ("restore", "It was right")
    again = recorded.run("restore", DOCUMENT, "--at", first[0]["commit"])
    assert (again.code, len(again.err.splitlines())) == (2, 1)
    assert "already" in again.err
    folder = recorded.run("history", DATASET, "--json").value["versions"]
    assert len(folder) >= 4


HOSTILE = (
    "../../etc/passwd", "/etc/passwd", "p_Alpha/../../x", "p_Alpha/plate_1/../../../x", "", "a\nb", "p_\x01/x\ny", "-x",
    "\0", "p_Alpha/plate_1/.metadata/../../../x.json", "p_Alpha/stray.txt", "\udcff", "--upload-pack=x",
)  # fmt: skip


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object]]:
    """Exit code and answer of a command in this process."""
    code = 0
    try:
        call_command(*arguments)
    except SystemExit as ended:
        code = int(ended.code or 0)
    answer: dict[str, object] = orjson.loads(capsys.readouterr().out)
    return code, answer


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("command", [("history",), ("restore", "--at", "0" * 40), ("verify",)], ids=lambda c: c[0])
def test_a_path_that_means_harm_is_answered_in_one_sentence(
    tree: Tree, past: Past, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    (tree.root / "p_Alpha" / "stray.txt").touch()
    for path in HOSTILE:
        code, answer = asked(capsys, *command, "--json", "--", path)
        assert (code, list(answer)) == (2, ["error"]), path


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("revision", ["-x", "HEAD", "--all", "HEAD:x", "0" * 40, "main\n", "zz", "@{1}", "\0"])
def test_what_is_no_version_is_refused(
    tree: Tree, past: Past, capsys: pytest.CaptureFixture[str], revision: str
) -> None:
    document = "p_Alpha/plate_1/.metadata/dataset_administrative.json"
    for more in ((document,), ("p_Alpha/plate_1/a.csv", "--to", str(tree.root.parent))):
        code, answer = asked(capsys, "restore", "--json", f"--at={revision}", *more)
        assert (code, list(answer)) == (2, ["error"]), more
        assert "version" in str(answer["error"])


@pytest.mark.django_db(transaction=True)
def test_a_folder_or_what_people_do_not_change_is_not_set_back(
    tree: Tree, past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    at = past.git("rev-parse", "HEAD")
    entry = (
        documents.registry_document(tree.root, identifier("dataset", "p_Alpha/plate_1"))
        .relative_to(tree.root)
        .as_posix()
    )
    for path in ("p_Alpha/plate_1", entry):
        code, answer = asked(capsys, "restore", "--json", "--at", at, path)
        assert (code, list(answer)) == (2, ["error"]), path
    assert asked(capsys, "history", "--json", entry)[0] == 0
    assert asked(capsys, "history", "--json", "--limit", "0", entry)[0] == 2


def test_fixity_finds_every_changed_byte_and_mends_nothing(recorded: Service) -> None:
    assert recorded.run("verify", "--json").code == 0
    damaged, file = recorded.root / DATASET / "f0.csv", recorded.root / MANIFEST
    before, times = file.read_bytes(), damaged.stat()
    damaged.write_text("x,y\n1,9\n")
    os.utime(damaged, ns=(times.st_atime_ns, times.st_mtime_ns))
    found = recorded.run("verify", "--json", "--rate", "50M")
    assert found.code == 1
    (mismatch,) = found.value["roots"][0]["mismatches"]
    assert mismatch["path"] == f"{DATASET}/f0.csv"
    status = recorded.run("status")
    assert status.code == 1
    assert "f0.csv has other bytes than were described" in status.out
    assert file.read_bytes() == before
    assert recorded.run("verify", f"{DATASET}/f1.csv").code == 0
    assert recorded.run("status").code == 1  # of the other it says nothing
    damaged.write_text("x,y\n1,0\n")
    os.utime(damaged, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert recorded.run("verify", DATASET).code == 0
    assert "f0.csv" not in recorded.run("status").out
    assert recorded.run("verify", "--rate", "fast").code == 2
    assert recorded.run("verify", DOCUMENT).code == 2


def test_a_change_that_no_time_tells_is_told_until_it_is_accepted(recorded: Service) -> None:
    file = recorded.root / DATASET / "f0.csv"
    times = file.stat()
    file.write_text("x,y\n7,0\n")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    time.sleep(0.4)
    assert recorded.run("reconcile").code == 0
    told = f"The bytes of {DATASET}/f0.csv changed while its size and modification time stayed the same"
    assert recorded.run("verify").code == 0
    status = recorded.run("status")
    assert (status.code, told in status.out) == (1, True)
    assert "nothing to accept" in recorded.run("verify", "--accept", f"{DATASET}/f1.csv").out
    assert f"`verify --accept {DATASET}/f0.csv`" in status.out
    assert "1 alarm accepted" in recorded.run("verify", "--accept", f"{DATASET}/f0.csv").out
    assert told not in recorded.run("status").out


def test_a_rewritten_history_is_noticed(recorded: Service) -> None:
    edit(recorded, dataset_title="One")
    whole = recorded.run("verify", "--history", "--json")
    assert (whole.code, whole.value["roots"][0]["problems"]) == (0, [])
    head = whole.value["roots"][0]["head"]
    assert recorded.run("verify", "--history", "--since", head).code == 0
    past = Past(recorded.root)
    past.git("-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "--amend", "-m", "Nothing to see here")
    found = recorded.run("verify", "--history", "--since", head, "--json")
    assert found.code == 1
    assert len(found.value["roots"][0]["problems"]) == 2
    assert recorded.run("verify", "--history", "--since", "-x").code == 2
    (recorded.root / ".git").rename(recorded.base / "taken away")
    gone = recorded.run("verify", "--history")
    assert (gone.code, "has no repository any more" in gone.out) == (1, True)


def test_describing_once_pushes_what_it_recorded(recorded: Service) -> None:
    past, copy = Past(recorded.root), recorded.base / "copy.git"
    past.git("init", "-q", "--bare", str(copy))
    past.git("remote", "add", "copy", str(copy))
    recorded.settings["FAIRFOLDER_GIT_REMOTE"] = "copy"
    edit(recorded, dataset_title="One")
    assert past.git("--git-dir", str(copy), "rev-parse", "refs/heads/main") == past.git("rev-parse", "HEAD")
    past.git("remote", "set-url", "copy", str(recorded.base / "nowhere"))
    (recorded.root / DATASET / "late.csv").write_text("x\n1\n")
    told = recorded.run("reconcile", "--json")
    assert (told.code, told.value["roots"][0]["described"]) == (0, 1)
    assert "could not be pushed to copy" in recorded.run("status", "--json").value["roots"][0]["history"]["push"]


@pytest.mark.skipif(program.find() is None, reason="needs DVC")
def test_a_data_file_is_had_back_beside_and_never_over(recorded: Service) -> None:
    recorded.settings["FAIRFOLDER_DVC"] = "file"
    assert recorded.run("reconcile").code == 0
    data = recorded.root / DATASET / "f0.csv"
    first = data.read_bytes()
    data.write_text("x,y\n2,2\n2,3\n")
    assert recorded.run("reconcile").code == 0
    told = recorded.run("history", f"{DATASET}/f0.csv", "--json").value["versions"]
    assert [each["size"] for each in told] == [data.stat().st_size, len(first)]
    assert [each["is_cached"] for each in told] == [True, True]
    place = recorded.base / "place"
    place.mkdir()
    asked = ("restore", f"{DATASET}/f0.csv", "--at", told[1]["commit"][:12], "--json")
    assert recorded.run(*asked).code == 2
    done = recorded.run(*asked, "--to", str(place))
    assert (done.code, (place / "f0.csv").read_bytes()) == (0, first)
    (place / "f0.csv").write_text("mine")
    refused = recorded.run(*asked, "--to", str(place))
    assert (refused.code, (place / "f0.csv").read_text()) == (2, "mine")
    assert recorded.run(*asked, "--to", str(place / "f0.csv"), "--overwrite").code == 0
    assert (place / "f0.csv").read_bytes() == first
    assert data.read_bytes() != first
    record = recorded.root / DATASET / ".metadata" / "dataset_structural.json"
    for ours in (record, data.with_name("f0.csv.dvc")):
        text = ours.read_bytes()
        among = recorded.run(*asked, "--to", str(ours), "--overwrite")
        assert (among.code, "is among the records" in among.out + among.err, ours.read_bytes()) == (2, True, text)


@pytest.mark.django_db(transaction=True)
def test_names_that_are_no_text_are_told_all_the_same(
    tree: Tree, past: Past, reader: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = "p_Alpha/odd\udcff"
    number = tree.dataset(folder, [entry("x\udcfe.csv")], sequence=3)
    index.refresh(tree.documents())
    past.commit("Describe \udcff", by="ad\udcffa")
    for path in (folder, f"{folder}/.metadata/dataset_administrative.json", f"{folder}/x\udcfe.csv"):
        code, answer = asked(capsys, "history", "--json", path)
        assert code == 0, answer
        assert len(answer["versions"]) == 1, path  # type: ignore[arg-type]
    for address in (f"/history/dataset/{number}/", f"/history/files/{number}/version/"):
        assert reader.get(address).status_code == 200, address
    assert reader.get(f"/history/dataset/{number}/prov.jsonld").status_code == 200

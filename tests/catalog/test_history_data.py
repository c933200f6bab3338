"""Versions of data files: the right bytes or none, wherever their dataset stood."""

from __future__ import annotations

import pytest

from ingest.provenance.data import program
from tests.catalog.service import Service

DATASET = "p_Alpha/plate"

pytestmark = pytest.mark.skipif(program.find() is None, reason="needs DVC")


@pytest.fixture
def recorded(service: Service) -> Service:
    """A dataset of two files whose descriptions are recorded, and no versions of its data."""
    service.settings |= {"FAIRFOLDER_GIT": "on", "FAIRFOLDER_DVC": "off"}
    folder = service.root / DATASET
    folder.mkdir(parents=True)
    for number in range(2):
        (folder / f"f{number}.csv").write_text(f"x,y\n1,{number}\n")
    assert service.run("reconcile").code == 0
    return service


def change(service: Service, text: str, path: str = f"{DATASET}/f0.csv") -> None:
    (service.root / path).write_text(text)
    assert service.run("reconcile").code == 0


def test_bytes_that_were_never_kept_are_not_made_up_of_others(recorded: Service) -> None:
    recorded.settings["FAIRFOLDER_DVC"] = "folder"
    change(recorded, "x,y\n7,7\n")  # of the same size: only their checksums differ
    change(recorded, "x,y\n8,8,8\n")
    told = recorded.run("history", f"{DATASET}/f0.csv", "--json").value["versions"]
    assert [(each["is_cached"], each["may_be_had"]) for each in told] == [(True, True), (True, True), (False, False)]
    place = recorded.base / "place"
    place.mkdir()
    never = recorded.run("restore", f"{DATASET}/f0.csv", "--at", told[2]["commit"], "--to", str(place))
    assert (never.code, list(place.iterdir())) == (2, [])
    assert "were not kept" in never.err
    done = recorded.run("restore", f"{DATASET}/f0.csv", "--at", told[1]["commit"], "--to", str(place), "--json")
    assert (done.code, (place / "f0.csv").read_text()) == (0, "x,y\n7,7\n")


def test_no_remote_is_hoped_for_where_none_is_set(recorded: Service) -> None:
    recorded.settings["FAIRFOLDER_DVC"] = "record"
    assert recorded.run("reconcile").code == 0
    change(recorded, "x,y\n7,7\n")
    asked = ("history", f"{DATASET}/f0.csv", "--json")
    for each in recorded.run(*asked).value["versions"]:
        assert (each["is_cached"], each["may_be_had"], "remote may" in each["kept"]) == (False, False, False)
        assert each["kept"] == "its bytes are not kept: the DVC cache does not have them, and no remote is set"
    recorded.settings["FAIRFOLDER_DVC_REMOTE"] = "shelf"
    assert [each["may_be_had"] for each in recorded.run(*asked).value["versions"]] == [True, True]


@pytest.mark.parametrize("mode", ["file", "folder"])
def test_what_was_kept_before_a_dataset_was_renamed_is_found(recorded: Service, mode: str) -> None:
    recorded.settings["FAIRFOLDER_DVC"] = mode
    assert recorded.run("reconcile").code == 0
    change(recorded, "x,y\n7,7\n")
    renamed = "p_Alpha/plate again"
    (recorded.root / DATASET).rename(recorded.root / renamed)
    assert recorded.run("reconcile").code == 0
    change(recorded, "x,y\n8,8,8\n", f"{renamed}/f0.csv")
    told = recorded.run("history", f"{renamed}/f0.csv", "--json").value["versions"]
    assert [each["is_cached"] for each in told] == [True, True, True]
    place = recorded.base / "place"
    for each, text in zip(told, ("x,y\n8,8,8\n", "x,y\n7,7\n", "x,y\n1,0\n"), strict=True):
        asked = ("restore", f"{renamed}/f0.csv", "--at", each["commit"], "--to", str(place), "--overwrite")
        assert recorded.run(*asked).code == 0
        assert place.read_text() == text


def test_what_only_a_remote_has_is_fetched_from_where_it_stood(recorded: Service) -> None:
    recorded.settings["FAIRFOLDER_DVC"] = "file"
    assert recorded.run("reconcile").code == 0
    change(recorded, "x,y\n7,7\n")
    renamed = "p_Alpha/plate again"
    (recorded.root / DATASET).rename(recorded.root / renamed)
    assert recorded.run("reconcile").code == 0
    first = recorded.run("history", f"{renamed}/f0.csv", "--json").value["versions"][-1]
    (recorded.root / ".dvc/config").write_text(
        f"[core]\n    remote = shelf\n['remote \"shelf\"']\n    url = {recorded.base}/shelf\n"
    )
    (recorded.root / ".dvc/cache").rename(recorded.base / "shelf")
    place = recorded.base / "place"
    done = recorded.run("restore", f"{renamed}/f0.csv", "--at", first["commit"], "--to", str(place))
    assert (done.code, done.err) == (0, "")
    assert place.read_text() == "x,y\n1,0\n"

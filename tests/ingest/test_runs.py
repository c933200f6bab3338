"""Trigger 3: a run is started, with its own label and files, and what the files' headers tell."""

from __future__ import annotations

import os
import threading
import unicodedata
from collections.abc import Mapping
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest

from ingest import documents, finding
from ingest.documents import EXPERIMENT
from ingest.errors import DocumentError, LayoutError
from ingest.instruments import new
from ingest.labels import free, label_of
from ingest.run_templates import RunTemplate, templates
from ingest.runs import RunStart, Started, claimed, experiments, free_label, prefilled, run_labels, start
from tests.ingest.watched import Value, Watched

D = "p_Barley/leaves"
PLAIN = RunTemplate("plain", "Plain", "", {})
ANNA = {"name": "Anna Ek", "orcid": "https://orcid.org/0000-0002-1825-0097"}


@pytest.fixture
def described(watched: Watched) -> Watched:
    watched.put(f"{D}/a.txt", "a\n")
    watched.put(f"{D}/plate/b.txt", "b\n")
    watched.reconcile()
    return watched


def begin(watched: Watched, name: str, template: RunTemplate = PLAIN, **more: Any) -> Started:
    dataset = watched.administrative(D)["dataset_identifier"]
    with watched.workspace() as ws:
        return start(ws.store, ws.root, D, dataset, RunStart(name, template, **more), "anna")


def record(watched: Watched, run: Started) -> Value:
    return watched.json(str(run.path.relative_to(watched.root)))


# --- starting ----------------------------------------------------------------------------------------------------


def test_a_run_that_starts_is_a_valid_draft_of_the_person_who_asked(described: Watched) -> None:
    run = begin(described, "Heat shock, replicate 1", experimenters=(ANNA,), files=("plate/b.txt",))
    value = record(described, run)
    moment = value["created_date"]
    assert value == {
        "$schema": documents.schema_iri(EXPERIMENT),
        "@context": documents.context_iri(EXPERIMENT),
        "@id": f"urn:uuid:{run.run_id}",
        "@type": "Run",
        "run_id": run.run_id,
        "run_label": "Heat-shock,-replicate-1",
        "dataset_identifier": described.administrative(D)["dataset_identifier"],
        "status": "draft",
        "metadata_language": "en",
        "experiment_name": "Heat shock, replicate 1",
        "experimenters": [{"@id": ANNA["orcid"], "@type": "Person", **ANNA}],
        "data_files": ["plate/b.txt"],
        "created_by": "anna",
        "created_date": moment,
        "last_modified_by": "anna",
        "last_modified_date": moment,
    }
    assert described.reconcile().findings == []
    assert described.problems() == {}
    assert described.check() == []


@pytest.mark.parametrize("number", range(4))
def test_every_packaged_template_starts_a_run(described: Watched, number: int) -> None:
    template = templates(described.root)[number]
    value = record(described, begin(described, "Run", template))
    assert {key: value[key] for key in template.value} == dict(template.value)
    assert described.check() == []


def test_runs_of_one_name_get_labels_of_their_own(described: Watched) -> None:
    labels = [begin(described, name).run_label for name in ("Heat shock", "heat SHOCK", "Heat/shock")]
    assert labels == ["Heat-shock", "heat-SHOCK-2", "Heat-shock-3"]


def test_runs_that_start_at_once_do_not_take_each_others_label(described: Watched) -> None:
    started: list[Started] = []
    threads = [threading.Thread(target=lambda: started.append(begin(described, "Run"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({run.run_label for run in started}) == len({run.run_id for run in started}) == 4
    assert described.check() == []


def test_the_files_of_another_run_cannot_be_taken(described: Watched) -> None:
    begin(described, "First", files=("a.txt",))
    with pytest.raises(LayoutError, match=r"'a.txt' belongs to the run 'First' already"):
        begin(described, "Second", files=("a.txt", "plate/b.txt"))


def test_of_runs_that_start_at_once_only_one_gets_a_file(described: Watched) -> None:
    together, refused = threading.Barrier(4), []

    def one(number: int) -> None:
        together.wait()
        try:
            begin(described, f"Run {number}", files=("a.txt",))
        except LayoutError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [run["data_files"] for run in experiments(described.root, D).values()] == [["a.txt"]]
    assert len(refused) == 3
    assert len(run_labels(described.root, D)) == 1


@pytest.mark.parametrize("already", [False, True], ids=["the first run", "beside another"])
def test_a_start_that_is_refused_leaves_no_folder(described: Watched, already: bool) -> None:
    if already:
        begin(described, "First", files=("a.txt",))
    runs = described.root / D / ".metadata" / "runs"
    before = sorted(runs.iterdir()) if already else None
    with pytest.raises(DocumentError, match="experiment_name"):
        begin(described, "", RunTemplate("odd", "Odd", "", {"experiment_name": 5}), label="Odd")
    assert (sorted(runs.iterdir()) if runs.exists() else None) == before
    assert begin(described, "", label="Odd").run_label == "Odd"


def test_a_linked_folder_of_runs_is_not_followed(described: Watched) -> None:
    begin(described, "Heat shock")
    described.put("p_Barley/stems/x.txt")
    described.reconcile()
    (described.root / "p_Barley/stems/.metadata/runs").symlink_to(described.root / D / ".metadata/runs")
    assert run_labels(described.root, "p_Barley/stems") == []
    assert list(finding.run_documents(described.root / "p_Barley/stems")) == []


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "", "a//b", "./a", "a\0b"])
def test_a_path_that_is_none_of_the_dataset_is_refused(described: Watched, path: str) -> None:
    before = described.metadata()
    with pytest.raises(LayoutError, match="is no path of a file in this dataset"):
        begin(described, "Run", files=(path,))
    assert described.metadata() == before


def test_claims_tell_which_run_has_a_file(described: Watched) -> None:
    odd = os.fsdecode(b"caf\xe9.txt")
    (described.root / D / odd).write_text("x")
    described.reconcile()
    begin(described, "First", files=("a.txt", odd))
    begin(described, "Rest")
    assert claimed(described.root, D) == {"a.txt": "First", odd: "First"}


# --- labels -----------------------------------------------------------------------------------------------------------


LABELS = {
    "Heat shock": "Heat-shock",
    "  ..hidden~ ": "hidden",
    "a/b\\c:d*e": "a-b-c-d-e",
    "Wärme\n Versuch": "Wärme-Versuch",
    "温度実験 1": "温度実験-1",
    "e\u0301te\u0301": "été",
    "CON": "CON-run",
    "nul.txt": "nul.txt-run",
    "...": "run",
    "": "run",
    "\u202eevil\u200b": "evil",
    "../../etc/passwd": "etc-passwd",
    "😀": "😀",
}


@pytest.mark.parametrize("text", LABELS)
def test_a_label_says_what_the_name_says(text: str) -> None:
    assert label_of(text, "run") == LABELS[text]


@hypothesis.given(st.text(max_size=300), st.lists(st.text(max_size=100), max_size=5))
def test_a_label_is_a_name_that_every_file_system_takes_and_nobody_has(text: str, others: list[str]) -> None:
    taken = [label_of(other, "run") for other in others]
    label = free(label_of(text, "run"), taken)
    assert 0 < len(label.encode()) <= 150
    assert len(label) <= 80
    assert not label.startswith((".", " ", "-", "~"))
    assert not label.endswith((".", " ", "~"))
    assert not set(label) & set('/\\<>:"|?*\0')
    assert unicodedata.normalize("NFC", label) == label
    assert label.isprintable() or all(unicodedata.category(c)[0] not in "CZ" for c in label)
    folded = {unicodedata.normalize("NFC", each.casefold()) for each in taken}
    assert unicodedata.normalize("NFC", label.casefold()) not in folded
    assert documents.kind_of(documents.run_document(documents.Path("/r"), "p_a/b", label)) == EXPERIMENT


def test_a_free_label_looks_at_the_folders_that_are_there(described: Watched) -> None:
    described.folder(f"{D}/.metadata/runs/Run")
    assert free_label(described.root, D, "run") == "run-2"


# --- prefilling -------------------------------------------------------------------------------------------------------


def entry(*rows: tuple[Any, ...], path: str = "a.fits") -> Mapping[str, Any]:
    names = ("name", "value", "source", "unit")
    return {"path": path, "instrument_metadata": [dict(zip(names, row, strict=False)) for row in rows]}


def fits(start: str, seconds: float = 60.0, **more: Any) -> Mapping[str, Any]:
    rows = [("DATE-OBS", start, "FITS header"), ("EXPTIME", seconds, "FITS header", "s")]
    return entry(*rows, *((name, value, "FITS header") for name, value in more.items()))


def filled(*entries: Mapping[str, Any], instruments: Any = (), template: RunTemplate = PLAIN) -> Value:
    return prefilled(RunStart("", template), entries, instruments)  # type: ignore[arg-type]


def test_dates_come_from_headers() -> None:
    told = filled(fits("2026-01-12T23:59:30"), fits("2026-01-11T08:30:00.5"), {"path": "notes.txt"})
    assert told == {
        "experiment_dates": {"start": "2026-01-11", "end": "2026-01-13"},
        "started_at": "2026-01-11T08:30:00.500Z",
        "ended_at": "2026-01-13T00:00:30Z",
        "instrument_settings": [{"name": "EXPTIME", "value": 60.0, "unit": "s"}],
    }


def test_a_day_without_a_time_is_a_day() -> None:
    assert filled(entry(("DATE-OBS", "2026-01-12", "FITS header"))) == {
        "experiment_dates": {"start": "2026-01-12", "end": "2026-01-12"}
    }


@pytest.mark.parametrize("text", ["12/01/98", "2026-13-45", "yesterday", "", "2026-01-12T99:00:00", 20260112, None])
def test_what_is_no_date_is_no_date(text: Any) -> None:
    assert filled(entry(("DATE-OBS", text, "FITS header"))) == {}


def test_a_file_without_headers_tells_nothing() -> None:
    assert filled({"path": "a.txt", "modified_utc": "2026-01-12T08:30:00Z"}) == {}


def test_programs_come_with_their_versions() -> None:
    told = filled(
        entry(("program", "bwa 0.7.17-r1188", "SAM @PG"), ("program", "samtools 1.19", "SAM @PG")),
        entry(("program", "bwa 0.7.17-r1188", "SAM @PG"), ("source", "GATK HaplotypeCaller", "VCF ##source")),
        entry(("SoftwareVersions", "syngo MR E11", "DICOM (0018,1020)")),
    )
    assert told == {
        "software_used": [
            {"version": "syngo MR E11", "purpose": "acquisition"},
            {"name": "GATK HaplotypeCaller", "purpose": "analysis"},
            {"name": "bwa", "version": "0.7.17-r1188", "purpose": "analysis"},
            {"name": "samtools", "version": "1.19", "purpose": "analysis"},
        ]
    }


def test_settings_are_those_that_all_files_share() -> None:
    told = filled(
        entry(("FILTER", "R", "FITS header"), ("GAIN", 2, "FITS header")),
        entry(("FILTER", "R", "FITS header"), ("GAIN", 4, "FITS header")),
    )
    assert told == {"instrument_settings": [{"name": "FILTER", "value": "R"}]}


def instrument(name: str, identifier: str, **more: Any) -> Value:
    return {"instrument_name": name, "instrument_identifier": identifier, **more}


def test_an_instrument_is_found_by_its_serial_number_or_its_model() -> None:
    one = instrument("Scanner 1", "one", serial_number="4711", model={"name": "Prisma"})
    two = instrument("Scanner 2", "two", serial_number="4712", model={"name": "Prisma"})
    numbered = entry(("ManufacturerModelName", "Prisma", "DICOM"), ("DeviceSerialNumber", "4712", "DICOM"))
    modelled = entry(("ManufacturerModelName", "prisma", "DICOM"), ("Manufacturer", "SIEMENS", "DICOM"))
    assert filled(numbered, instruments=(one, two)) == {"instruments_used": ["two"]}
    assert filled(modelled, instruments=(one,)) == {"instruments_used": ["one"]}
    assert filled(modelled, instruments=(one, two)) == {}, "two fit, and nothing says which"
    assert filled(modelled, instruments=(one | {"manufacturers": [{"name": "Philips"}]},)) == {}
    named = entry(("INSTRUME", "HARPS", "FITS header"))
    assert filled(named, instruments=(instrument("Harps", "three"),)) == {"instruments_used": ["three"]}


def test_what_headers_tell_fills_the_rows_a_template_offers() -> None:
    template = RunTemplate(
        "own", "Own", "", {"instrument_settings": [{"name": "Filter"}, {"name": "Slit"}], "software_used": [
            {"purpose": "analysis"}]})  # fmt: skip
    told = filled(entry(("FILTER", "R", "FITS header"), ("program", "bwa 1", "SAM @PG")), template=template)
    assert told == {
        "instrument_settings": [{"name": "FILTER", "value": "R"}, {"name": "Slit"}],
        "software_used": [{"name": "bwa", "version": "1", "purpose": "analysis"}],
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
NAMES = st.sampled_from(["DATE-OBS", "EXPTIME", "program", "INSTRUME", "Manufacturer", "SoftwareVersions", "GAIN"])
ROWS = st.lists(st.fixed_dictionaries({"name": NAMES | JSON, "value": JSON, "source": st.just("FITS header") | JSON}))


TOLD = ("instrument_name", "model", "serial_number", "manufacturers", "instrument_identifier")
REGISTERED = st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(TOLD, JSON)), max_size=2)


@hypothesis.given(st.lists(st.fixed_dictionaries({"instrument_metadata": ROWS | JSON}), max_size=3), REGISTERED)
def test_whatever_a_header_holds_it_does_no_harm(entries: Any, instruments: Any) -> None:
    filled(*entries, instruments=instruments)


def test_a_name_that_is_no_text_and_a_time_at_the_end_of_all_calendars_do_no_harm() -> None:
    odd = {"name": [], "value": 1, "source": "FITS header"}
    start = {"name": "DATE-OBS", "value": "9999-12-31T23:59:59", "source": "FITS header"}
    lasts = {"name": "EXPTIME", "value": 30.0, "unit": "s", "source": "FITS header"}
    value = filled({"instrument_metadata": [odd, start, lasts]})
    assert value["experiment_dates"] == {"start": "9999-12-31", "end": "9999-12-31"}
    assert value["started_at"] == "9999-12-31T23:59:59Z"
    assert "ended_at" not in value
    early = filled({"instrument_metadata": [{**start, "value": "0999-01-01"}]})
    assert early["experiment_dates"]["start"] == "0999-01-01", "four digits, as the schema wants them"


def test_what_a_real_file_tells_is_in_the_run_that_starts(watched: Watched) -> None:
    cards = [
        "SIMPLE  =                    T", "BITPIX  =                    8", "NAXIS   =                    0",
        "DATE-OBS= '2026-01-12T08:30:00'", "EXPTIME =                 30.0 / [s] exposure",
        "INSTRUME= 'HARPS   '", "FILTER  = 'R       '", "END",
    ]  # fmt: skip
    watched.put(f"{D}/night/one.fits", "".join(card.ljust(80) for card in cards).ljust(2880).encode())
    watched.reconcile()
    with watched.workspace() as ws:
        path = new(ws.store, ws.root, {"instrument_name": "HARPS"}, "anna")
    harps = watched.json(str(path.relative_to(watched.root)))["instrument_identifier"]
    value = record(watched, begin(watched, "First night"))
    assert value["experiment_dates"] == {"start": "2026-01-12", "end": "2026-01-12"}
    assert (value["started_at"], value["ended_at"]) == ("2026-01-12T08:30:00Z", "2026-01-12T08:30:30Z")
    assert value["instruments_used"] == [harps]
    assert {"name": "FILTER", "value": "R"} in value["instrument_settings"]
    assert "data_files" not in value
    assert watched.check() == []


def test_an_instrument_gets_a_folder_and_an_identifier_of_its_own(watched: Watched) -> None:
    watched.folder("p_Barley")
    watched.reconcile()
    with watched.workspace() as ws:
        paths = [new(ws.store, ws.root, {"instrument_name": "LSM 880"}, "anna") for _ in range(2)]
        paths.append(new(ws.store, ws.root, {}, "anna"))
    assert [p.parent.name for p in paths] == ["LSM-880", "LSM-880-2", "instrument"]
    value = watched.json(str(paths[0].relative_to(watched.root)))
    assert value["status"] == "draft"
    assert value["landing_page"] == value["@id"] == f"urn:uuid:{value['instrument_identifier']}"
    assert watched.reconcile().findings == []
    assert watched.check() == []

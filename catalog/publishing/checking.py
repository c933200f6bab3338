"""What stands between a dataset and the public, in words, each with the page where it is mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.urls import reverse

from catalog import engine
from catalog.models import Dataset, File, Run
from catalog.publishing import record, standing
from catalog.publishing.access import CONFIDENTIAL, EMBARGOED, RESTRICTED, Access, embargo_end, stated, strictest
from catalog.publishing.site import site
from catalog.publishing.standing import Standing
from ingest import documents
from ingest.documents import ADMINISTRATIVE, INSTRUMENT, PROJECT
from ingest.errors import DocumentError
from ingest.parts import some
from ingest.publication import PUBLISHED, publish, state_of, versions
from ingest.revisions import Revision, read_revision

SHORTEST_ABSTRACT = 50
_LONG_EMBARGO = timedelta(days=5 * 366)
_AT_ONCE = 5_000

_NOT_SAID = Access(CONFIDENTIAL)

Check = Callable[[Mapping[str, Any]], Sequence[str]]
_FILES_HELD_AGAINST_SHAPES = 100


def shapes_met(value: Mapping[str, Any]) -> Sequence[str]:
    """Where the document is not as our own SHACL shapes ask; of very many files the first are looked at.

    A file's facts are the engine's and were validated as they were written; `check --shacl` looks at all of them.
    """
    from catalog.graph import quads, shacl, violations  # here: only this page pays for them

    drawn = quads.dcat(_with_few_files(value), site())
    return violations.sentences(shacl.validate(drawn, shacl.own()), drawn)


def _with_few_files(value: Mapping[str, Any]) -> Mapping[str, Any]:
    files = value.get("file_descriptions", ())[:_FILES_HELD_AGAINST_SHAPES]
    if len(files) == len(value.get("file_descriptions", ())):
        return value
    known = {each["file_identifier"] for each in files}
    objects = [
        {**each, "file_identifiers": [name for name in each.get("file_identifiers", ()) if name in known]}
        for each in value["data_objects"]
    ]
    return {**value, "file_descriptions": files, "data_objects": objects}


CHECKS: list[Check] = [shapes_met]
"""Further checks of the document that would be public; each answers sentences that refuse it."""


@dataclass(frozen=True)
class Finding:
    """One sentence, whether it keeps the dataset from being published, and the address where it is mended."""

    sentence: str
    refuses: bool = True
    address: str = ""


@dataclass(frozen=True)
class Preflight:
    """What publishing now would do; ``objects`` are the complete metadata files it would name.

    ``entry`` is the registry entry that was looked at.
    """

    findings: tuple[Finding, ...]
    entry: Mapping[str, Any] = field(default_factory=dict)
    objects: tuple[Mapping[str, Any], ...] = ()
    cited: Mapping[str, Any] | None = None
    label: str = ""
    version: int = 1
    is_new: bool = True
    access: Access = _NOT_SAID
    preview: record.Published | None = None

    @property
    def refusals(self) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.refuses)

    @property
    def advice(self) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if not each.refuses)

    @property
    def passes(self) -> bool:
        """Whether it may be published now."""
        return not self.refusals and bool(self.objects)


def preflight(dataset: Dataset, now: datetime) -> Preflight:
    """Looks at everything that matters; reads the complete metadata files, and changes nothing."""
    stand = standing.of(dataset)
    if stand.root is None or stand.entry.get("state") != "present":
        gone = Finding("Its folder is not there, so there is nothing to publish. Put it back first.")
        return Preflight((gone,), stand.entry)
    found, wrong = _revisions(stand)
    if not found:
        begin = reverse("dataset-runs", args=[dataset.identifier])
        nothing = Finding("No run of it is complete, so it has no complete metadata file to publish.", address=begin)
        return Preflight((*wrong, *(() if wrong else (nothing,))), stand.entry)
    found.sort(key=lambda each: (str(each.value.get("generated_date")), each.iri), reverse=True)
    newest = found[0].value
    access = strictest([newest["dataset"], stand.live], now)
    findings = [
        *wrong,
        *_complete(dataset, stand.root, newest, stand.live),
        *_access(dataset, newest["dataset"], stand.live, access, now),
        *_persons(dataset, newest["dataset"]),
        *_files(dataset, found),
        *_runs(dataset, {str(each.value["experiment"]["run_id"]) for each in found}),
    ]
    return _concluded(stand, found, findings, access, now)


def _concluded(
    stand: Standing, found: Sequence[Revision], findings: Sequence[Finding], access: Access, now: datetime
) -> Preflight:
    """The preview of what would be public, and what the further checks say of it."""
    newest = found[0].value
    objects = tuple(_pin(each) for each in found)
    cited, label = record.cited(newest["dataset"]), str(newest["dataset"].get("dataset_version", ""))
    act = publish(objects, cited, label=label)
    would = {**stand.entry, "publication": act(stand.entry, now.strftime("%Y-%m-%dT%H:%M:%SZ"))}
    history = versions(would)
    limit = settings.FAIRFOLDER_FILES_IN_RECORD
    preview = record.compose(would, stand.live, [each.value for each in found], now, files_in_record=limit)
    is_new = len(history) > len(versions(stand.entry)) or state_of(stand.entry) != PUBLISHED
    more = list(_same_label(stand, label, len(history)))
    if preview is not None and not any(each.refuses for each in findings):  # else the same would be told twice
        here = _form("dataset", stand.entry["identifier"])
        more += [Finding(sentence, True, here) for check in CHECKS for sentence in check(preview.value)]
    return Preflight((*findings, *more), stand.entry, objects, cited, label, len(history), is_new, access, preview)


def _pin(found: Revision) -> Mapping[str, Any]:
    value = found.value
    return {
        "run_id": value["experiment"]["run_id"],
        "data_object_identifier": value["data_object_identifier"],
        "revision": value["revision"],
        "sha256": found.sha256,
    }


def _same_label(stand: Standing, label: str, number: int) -> Iterator[Finding]:
    history = versions(stand.entry)
    if label and number > len(history) and history and history[-1].get("label") == label:
        words = f"Version {number} would be called {label!r} like the one before; give the dataset another version."
        yield Finding(words, False, _form("dataset", stand.entry["identifier"], "dataset_version"))


# --- the complete metadata files ----------------------------------------------------------------------------------


def _revisions(stand: Standing) -> tuple[list[Revision], list[Finding]]:
    """The current complete metadata file of every run, as the manifest names it, and what is wrong with some."""
    found: list[Revision] = []
    wrong: list[Finding] = []
    for named in stand.runs:
        label = str(named.get("run_label"))
        address = reverse("run", args=[named["run_id"]]) if named.get("run_id") else ""
        path = stand.folder / documents.decode_path(str(named.get("complete_metadata", "")))
        try:
            revision = read_revision(path)
        except (FileNotFoundError, DocumentError) as error:
            wrong.append(
                Finding(f"The complete metadata file of the run {label!r} cannot be read: {error}", True, address)
            )
            continue
        if revision.sha256 != named.get("sha256"):
            words = "was changed after it was written, so it is not published; write a new revision of the run."
            wrong.append(Finding(f"The complete metadata file of the run {label!r} {words}", True, address))
            continue
        found.append(revision)
    return found, wrong


def _complete(dataset: Dataset, root: Path, newest: Mapping[str, Any], live: Mapping[str, Any]) -> Iterator[Finding]:
    """What the newest complete metadata file lacks; of what was filled in since, only that a revision has to say it."""
    filled: list[str] = []
    yield from _incomplete(dataset, root, newest, filled)
    yield from _described(dataset, newest, live, filled)
    if filled:
        run, label = newest["experiment"]["run_id"], newest["experiment"].get("run_label")
        words = f"Only what the complete metadata says is public, and since it was written {' and '.join(filled)}"
        yield Finding(f"{words}; write a new revision of the run {label!r}.", True, reverse("run", args=[run]))


def _incomplete(dataset: Dataset, root: Path, newest: Mapping[str, Any], filled: list[str]) -> Iterator[Finding]:
    """Parts that are not complete, in the words of today's records."""
    again = f"; when that is done, write a new revision of the run {newest['experiment'].get('run_label')!r}"
    project, own = newest["project"], newest["dataset"]
    parts = [
        ("the project", PROJECT, project, "project", project["project_identifier"]),
        ("the dataset", ADMINISTRATIVE, own, "dataset", dataset.identifier),
        *((f"the instrument {each.get('instrument_name') or each['instrument_identifier']!r}", INSTRUMENT, each,
           "instrument", each["instrument_identifier"]) for each in newest.get("instruments", ())),
    ]  # fmt: skip
    for title, kind, value, word, identifier in parts:
        # A part of a complete metadata file carries no context of its own.
        lacks = engine.lacking(root, kind, {**value, "@context": documents.context_iri(kind)})
        if not lacks and value.get("status") == "complete":
            continue
        now = standing.target(word, identifier)
        lacks = lacks if now is None else engine.lacking(root, kind, now)
        if now is not None and not lacks and now.get("status") == "complete":
            filled.append(f"{title} was completed")
            continue
        words = f"is not complete: {lacks[0].message.rstrip('.')}" if lacks else "is still a draft: mark it complete"
        more = f" (and {len(lacks) - 1} more)" if len(lacks) > 1 else ""
        yield Finding(f"{title[0].upper()}{title[1:]} {words}{more}{again}.", True, _form(word, identifier))


def _described(
    dataset: Dataset, newest: Mapping[str, Any], live: Mapping[str, Any], filled: list[str]
) -> Iterator[Finding]:
    """What every catalogue and search engine asks, said by name."""
    own = newest["dataset"]
    wanted: tuple[tuple[str, Callable[[Any], object], str, str], ...] = (
        ("license", bool, "a licence", "It has no licence: nobody would know what may be done with the data."),
        ("publisher", bool, "a publisher", "It has no publisher."),
        ("keywords", bool, "a keyword", "It has no keyword; give at least one."),
        ("creators", bool, "people who made it", "It names nobody who made it."),
        ("dataset_abstract", _is_long_enough, "an abstract", f"Its abstract has {_length(live)} characters; "
         f"dataset search engines ask for {SHORTEST_ABSTRACT}."),
        ("data_steward", _is_contact, "a contact", "It has no contact: give the data steward with an e-mail address, "
         "the only one that becomes public."),
    )  # fmt: skip
    for key, is_there, noun, words in wanted:
        if is_there(own.get(key)):
            continue
        if not is_there(live.get(key)):
            yield Finding(words, True, _form("dataset", dataset.identifier, key))
        elif "the dataset was completed" not in filled:
            filled.append(f"its record was given {noun}")


def _length(record_: Mapping[str, Any]) -> int:
    return len(str(record_.get("dataset_abstract", "")).strip())


def _is_long_enough(abstract: Any) -> bool:
    return len(str(abstract or "").strip()) >= SHORTEST_ABSTRACT


def _is_contact(steward: Any) -> bool:
    return isinstance(steward, Mapping) and bool(steward.get("email"))


# --- access -----------------------------------------------------------------------------------------------------------


def _access(
    dataset: Dataset, fixed: Mapping[str, Any], live: Mapping[str, Any], access: Access, now: datetime
) -> Iterator[Finding]:
    here = _form("dataset", dataset.identifier, "access_level")
    if access.level == CONFIDENTIAL:
        runs = reverse("dataset-runs", args=[dataset.identifier])
        is_open_now = stated(live, now).level != CONFIDENTIAL
        words = f" Its record says {live.get('access_level')!r} by now: write a new revision of a run."
        told = _why_confidential(fixed, live, now)
        yield Finding(told + words if is_open_now else told, True, runs if is_open_now else here)
        return
    if stated(live, now) != stated(fixed, now):
        words = f"The complete metadata says {fixed['access_level']!r}, the dataset's record {live['access_level']!r}"
        yield Finding(f"{words} by now; the stricter holds: {access.level!r}.", False, here)
    if access.level == EMBARGOED:
        yield from _embargo(dataset, access.embargo_end, now.date())
    elif EMBARGOED in (fixed.get("access_level"), live.get("access_level")) and access.gives_data:
        yield Finding(
            f"Its embargo ended on {embargo_end(live) or embargo_end(fixed)}: the data are public at once.", False
        )
    if access.level == RESTRICTED:
        yield from _restricted(dataset, fixed, live)


def _restricted(dataset: Dataset, fixed: Mapping[str, Any], live: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether whoever reads it is told how to get the data: only what the complete metadata says becomes public."""
    runs = reverse("dataset-runs", args=[dataset.identifier])
    if not fixed.get("access_conditions"):
        words = "It is restricted, and does not say under which conditions access is given."
        if not live.get("access_conditions"):
            yield Finding(words, True, _form("dataset", dataset.identifier, "access_conditions"))
        else:
            more = "Its record does, but only what the complete metadata says is public; write a new revision of a run."
            yield Finding(f"{words} {more}", True, runs)
    if live.get("access_contact") and live.get("access_contact") != fixed.get("access_contact"):
        words = "Whom to ask for access is not public as its record names them by now; write a new revision of a run."
        yield Finding(words, False, runs)


def _why_confidential(fixed: Mapping[str, Any], live: Mapping[str, Any], now: datetime) -> str:
    for where, value in (("the dataset's record", live), ("the newest complete metadata", fixed)):
        if stated(value, now).level != CONFIDENTIAL:
            continue
        if value.get("access_level") is None:
            return f"Its access level is not chosen in {where}; what is not said to be open is never published."
        return (
            f"It is {value['access_level']} in {where}; confidential records are never published, not even their title."
        )
    return "It is confidential; confidential records are never published."


def _embargo(dataset: Dataset, end: date | None, today: date) -> Iterator[Finding]:
    address = _form("dataset", dataset.identifier, "embargo_end_date")
    if end is None:
        yield Finding("It is embargoed without a date on which the embargo ends.", True, address)
    elif end - today > _LONG_EMBARGO:
        yield Finding(f"Its embargo ends only on {end}, in more than five years; is that meant?", False, address)


# --- people, files, runs ------------------------------------------------------------------------------------------


def _persons(dataset: Dataset, own: Mapping[str, Any]) -> Iterator[Finding]:
    creators = own.get("creators")
    people = [each for each in creators if isinstance(each, Mapping)] if isinstance(creators, list) else []
    unknown = [
        str(each.get("name")) for each in people if each.get("@type") != "Organization" and not each.get("orcid")
    ]
    if unknown:
        words = f"No ORCID is given for {some(unknown)}; with it their work is found under their name."
        yield Finding(words, False, _form("dataset", dataset.identifier, "creators"))


def _files(dataset: Dataset, found: Sequence[Revision]) -> Iterator[Finding]:
    """Files that are not as their complete metadata says, and those that no run has."""
    rows = File.objects.filter(dataset=dataset)
    missing, changed = [], []
    for each in found:
        entries = each.value["structure"].get("file_descriptions", ())
        for start in range(0, len(entries), _AT_ONCE):
            some_of_it = entries[start : start + _AT_ONCE]
            asked = rows.filter(identifier__in=[entry["file_identifier"] for entry in some_of_it])
            now = {own: rest for own, *rest in asked.values_list("identifier", "state", "checksum")}
            for entry in some_of_it:
                state, checksum = now.get(entry["file_identifier"], ("missing", ""))
                if state == "missing":
                    missing.append(str(entry["path"]))
                elif checksum != entry["checksum"]["value"]:
                    changed.append(str(entry["path"]))
    address = reverse("files", args=[dataset.identifier])
    if missing:
        words = "missing since the metadata was completed; put back what is gone, or write a new revision of the run"
        yield Finding(f"{_count(missing, 'file is', 'files are')} {words}: {some(missing)}.", True, address)
    if changed:
        words = "other bytes than the complete metadata says; write a new revision of the run"
        yield Finding(f"{_count(changed, 'file has', 'files have')} {words}: {some(changed)}.", True, address)
    left = list(rows.filter(version="V1").values_list("path", flat=True))
    if left:
        words = "to no complete run and would not be public"
        yield Finding(f"{_count(left, 'file belongs', 'files belong')} {words}: {some(left)}.", False, address)


def _count(paths: Sequence[str], one: str, several: str) -> str:
    return f"One {one}" if len(paths) == 1 else f"{len(paths):,} {several}"


def _runs(dataset: Dataset, complete: set[str]) -> Iterator[Finding]:
    for run in Run.objects.filter(dataset_identifier=dataset.identifier).order_by("label"):
        address = reverse("run", args=[run.identifier])
        if run.identifier not in complete:
            yield Finding(f"The run {str(run)!r} is not complete and would not be public.", False, address)
        elif run.outdated:
            words = f"The complete metadata of the run {str(run)!r} is outdated: {run.outdated[0]}"
            yield Finding(f"{words} Write a new revision first if the change should be public.", False, address)


def _form(word: str, identifier: str, key: str = "") -> str:
    here = reverse("edit", args=[word, identifier])
    return f"{here}#f-{key}" if key else here

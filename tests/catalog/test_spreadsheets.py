"""Spreadsheets: what goes out comes back the same, nothing in them runs, and what cannot be read is told."""

from __future__ import annotations

import csv
import io
import zipfile
from contextlib import suppress
from typing import Any

import openpyxl
import orjson
import pytest
from django.contrib.auth.models import User
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import index
from catalog.editing import bulk, cells, columns, sheets, spreadsheets, targets
from catalog.editing.columns import ABSENT
from catalog.editing.sheets import SheetError, Table
from catalog.models import PlannedChange
from tests.catalog.hostile import CORPUS
from tests.catalog.tree import Tree, identifier

HOSTILE = (
    *CORPUS,
    "=1+1",
    "+1",
    "-1",
    "-",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "a\n=1",
    "a\r\n=1",
    "a\t=1",
    "a;=1",
    '"=1',
    "'=1",
    "'",
    "''",
    " =1",
    "\u00a0=1",
    "\ufeff=1",
    "\u200b=1",
    "＝1",
    "＠x",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://evil.example","x")',
    'DDE ("cmd";"/C calc";"x")',
    '","=1',
    '";"=1',
    "\x00",
    "=\x00",
    "a\x0bb\x0c\x1f\x7f",
    "\ufffe\uffff",
    "_x000D_",
    "_x0041_",
    "\\u0000",
    "\\\\u0000",
    "\\u005c",
    "007",
    "1.0",
    "12345678901234567890",
    "1E5",
    "-3.5",
    "2026-11-23",
    "23.11.2026",
    "MARCH1",
    "SEPT2",
    "true",
    "TRUE",
    "null",
    "[]",
    "{}",
    "#N/A",
    "#REF!",
    "",
    " ",
    " x ",
    "a,b;c",
    "x" * 40_000,
    "=a\n" * 15_000,
    "🦠" * 20_000,
)
STARTS = tuple("=+-@\t\r\n＝＋－＠")
texts = st.one_of(st.sampled_from([text for text in HOSTILE if len(text) < 500]), st.text(max_size=40)).filter(
    lambda text: not any("\ud800" <= character <= "\udfff" for character in text)
)
scalars = st.one_of(
    texts,
    st.booleans(),
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def as_csv(rows: list[list[Any]]) -> Table:
    return sheets.read("t.csv", sheets.to_csv(Table(tuple(rows[0]), tuple(map(tuple, rows[1:])))))


def as_xlsx(rows: list[list[Any]]) -> Table:
    return sheets.read("t.xlsx", sheets.to_xlsx(Table(tuple(rows[0]), tuple(map(tuple, rows[1:])))))


# --- cells ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("guarded", [True, False])
def test_a_hostile_text_is_harmless_in_its_cell_and_the_same_afterwards(text: str, guarded: bool) -> None:
    parts = cells.to_cell(text, keep_from_converting=guarded)
    for part in parts:
        assert part.lstrip(' \u00a0\ufeff\u200b"')[:1] not in STARTS or part == ""
        assert len(part.encode("utf-16-le")) // 2 <= 32_767
        for line in part.replace(";", "\n").replace("\t", "\n").split("\n"):
            assert line.lstrip(' \u00a0\ufeff\u200b"')[:1] not in STARTS or not line
    assert cells.text_of(parts) == text
    for reader in (as_csv, as_xlsx):
        back = reader([["identifier", *[f"c{n}" for n in range(len(parts))]], ["x", *parts]])
        assert cells.text_of([str(cell) for cell in back.rows[0][1:]]) == text


@given(texts)
def test_any_text_survives_its_cell(text: str) -> None:
    for guarded in (True, False):
        parts = cells.to_cell(text, keep_from_converting=guarded)
        assert cells.text_of(parts) == text
        assert not parts[0].startswith(STARTS)


@given(st.lists(texts.filter(str.strip), min_size=1, max_size=5))
def test_any_list_of_texts_survives_its_cell(lines: list[str]) -> None:
    parts = cells.to_cell(lines)
    assert cells.lines_of(parts) == lines
    assert not any(line.lstrip("\t").startswith(STARTS) for line in parts[0].split("\n"))


def test_a_spreadsheet_program_finds_no_formula_in_an_exported_file() -> None:
    parts = [cells.to_cell(text)[0] for text in HOSTILE]
    table = Table(tuple(f"c{n}" for n in range(len(parts))), (tuple(parts),))
    book = openpyxl.load_workbook(io.BytesIO(sheets.to_xlsx(table)))
    assert {cell.data_type for cell in book.worksheets[0][2] if cell.value is not None} == {"s"}
    raw = zipfile.ZipFile(io.BytesIO(sheets.to_xlsx(table))).read("xl/worksheets/sheet1.xml")
    assert (b"<f>" in raw, b"<f " in raw) == (False, False)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_file_holds_no_formula_whichever_delimiter_a_program_takes(delimiter: str) -> None:
    parts = [part for text in HOSTILE for part in cells.to_cell(text, keep_from_converting=True)]
    data = sheets.to_csv(Table(tuple(f"c{n}" for n in range(len(parts))), (tuple(parts),))).decode("utf-8-sig")
    found = [cell for row in csv.reader(io.StringIO(data, newline=""), delimiter=delimiter) for cell in row]
    assert [cell for cell in found if cell.lstrip(' "').startswith(STARTS)] == []


# --- columns --------------------------------------------------------------------------------------------------


@given(st.lists(st.one_of(texts, st.integers(0, 99)), min_size=1, max_size=4), st.integers(1, 9))
def test_any_path_survives_its_header(path: list[Any], part: int) -> None:
    if path[0] == "" or "" in path:
        return
    assert columns.parsed(columns.header(tuple(path), part)) == (tuple(path), part)


@settings(max_examples=300)
@given(st.dictionaries(texts.filter(bool), values, min_size=1, max_size=4))
def test_leaves_put_back_are_the_value(value: dict[str, Any]) -> None:
    found = dict(columns.leaves(value))
    assert columns.changed({}, found) == value
    assert columns.changed(value, {}) == value


PEOPLE = {"creators": [{"@id": "a", "name": "Ada"}, {"@id": "b", "name": "Bob"}], "keywords": ["x"], "title": "T"}


@pytest.mark.parametrize(
    ("cells_", "after"),
    [
        ({("title",): ABSENT}, {k: v for k, v in PEOPLE.items() if k != "title"}),
        ({("creators", 0, "name"): ABSENT}, {**PEOPLE, "creators": [{"@id": "b", "name": "Bob"}]}),
        (
            {("creators", 1, "name"): "Eve"},
            {**PEOPLE, "creators": [PEOPLE["creators"][0], {"@id": "b", "name": "Eve"}]},
        ),
        ({("creators", 7, "name"): "Eve"}, {**PEOPLE, "creators": [*PEOPLE["creators"], {"name": "Eve"}]}),
        (
            {("creators", 0, "name"): ABSENT, ("creators", 1, "name"): ABSENT},
            {k: v for k, v in PEOPLE.items() if k != "creators"},
        ),
        ({("dates", "start"): "2026"}, {**PEOPLE, "dates": {"start": "2026"}}),
    ],
)
def test_changed_cells_change_their_places_alone(cells_: dict[Any, Any], after: dict[str, Any]) -> None:
    assert columns.changed(PEOPLE, cells_) == after


@pytest.mark.parametrize("name", ["creators.0.name", "creators.99999.name", "", "a." * 60])
def test_a_header_that_is_no_path_is_refused(name: str) -> None:
    with pytest.raises(columns.ColumnError):
        columns.parsed(name)


def test_a_cell_cannot_break_a_value_of_another_form() -> None:
    with pytest.raises(columns.ColumnError, match="no list"):
        columns.changed({"creators": "text"}, {("creators", 0, "name"): "Ada"})


# --- files that cannot be read --------------------------------------------------------------------------------


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * 210_000_000)
    return out.getvalue()


def with_sheet(xml: str) -> bytes:
    """A workbook whose sheet is replaced."""
    book = openpyxl.Workbook()
    out = io.BytesIO()
    book.save(out)
    new = io.BytesIO()
    with zipfile.ZipFile(out) as old, zipfile.ZipFile(new, "w") as archive:
        for each in old.namelist():
            archive.writestr(each, xml if each == "xl/worksheets/sheet1.xml" else old.read(each))
    return new.getvalue()


_SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)
_FAR = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>identifier</t></is></c></row><row r="999999999999"><c><v>1</v></c></row>'
)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"a\x00b", "null bytes"),
        (b"PK\x03\x04 broken", "cannot be read as .xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old or a protected"),
        (b"x" * 20_000_001, "bytes; at most"),
        (b"a\r\n" + b"1\r\n" * 5_001, "more than 5,000 rows"),
        (b",".join(b"c%d" % n for n in range(4_001)) + b"\r\n1\r\n", "more than 4,000 columns"),
        (with_sheet(_SHEET.format('<row r="1"><c r="A1"><f>1+1</f><v>2</v></c></row>')), "A1 holds a formula"),
        (with_sheet("<!DOCTYPE x [<!ENTITY a 'b'>]>" + _SHEET.format("")), "document type"),
        (with_sheet("<worksheet"), "cannot be read as .xlsx"),
        (with_sheet(_SHEET.format(_FAR)), "beyond the end"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_one_sentence(data: bytes, words: str) -> None:
    with pytest.raises(SheetError, match=words):
        sheets.read("t", data)


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(SheetError, match="unpacks to 210,000,000 bytes"):
        sheets.read("t", bomb())


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_a_sentence(data: bytes) -> None:
    for begin in (b"", b"PK\x03\x04"):
        with suppress(SheetError):  # anything else fails
            assert sheets.read("t", begin + data).header


# --- records --------------------------------------------------------------------------------------------------


@pytest.fixture
def user(django_user_model: Any) -> User:
    made: User = django_user_model.objects.create_superuser("curator")
    return made


ADA = {"@id": "https://orcid.org/0000-0002-1825-0097", "@type": "Person", "name": "Ada"}
BOB = {"@id": "urn:uuid:0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10", "@type": "Person", "name": "=Bob"}


def two(tree: Tree) -> list[str]:
    tree.project("p_Alpha", 1, project_title="Alpha")
    numbers = [
        tree.dataset(
            "p_Alpha/one", (), 2, dataset_title="=1+1", creators=[ADA, BOB], keywords=["heat", "-80 °C"], lab_code="007"
        ),
        tree.dataset("p_Alpha/two", (), 3, dataset_title="Two", spatial_coverage=[{"west": -3.5, "east": 4}]),
    ]
    index.refresh(tree.documents())
    return numbers


def exported(numbers: list[str], kind: str) -> list[list[Any]]:
    found = [target for number in numbers if (target := targets.find("dataset", number)) is not None]
    table = spreadsheets.table(found, typed=kind == "xlsx")
    return [list(table.header), *map(list, table.rows)]


def planned(user: User, rows: list[list[Any]], kind: str = "csv") -> tuple[PlannedChange, list[bulk.Planned]]:
    table = Table(tuple(rows[0]), tuple(map(tuple, rows[1:])))
    data = sheets.to_xlsx(table) if kind == "xlsx" else sheets.to_csv(table)
    change = spreadsheets.plan(user, "dataset", f"mine.{kind}", sheets.read("mine", data))
    return change, list(bulk.rows_of(change.rows))


def put(rows: list[list[Any]], row: int, column: str, value: Any) -> None:
    if column not in rows[0]:
        rows[0].append(column)
        for each in rows[1:]:
            each.append(None)
    rows[row][rows[0].index(column)] = value


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
class TestRecords:
    def test_an_export_has_a_row_for_each_record_and_a_column_for_each_field(self, tree: Tree, kind: str) -> None:
        rows = exported(two(tree), kind)
        first = dict(zip(rows[0], rows[1], strict=True))
        assert rows[0][:3] == ["identifier", "folder", "etag"]
        assert first["folder"] == "p_Alpha/one"
        assert (first["dataset_title"], first["creators.2.name"], first["keywords"]) == (
            "'=1+1",
            "'=Bob",
            "heat\n'-80 °C",
        )
        assert "license" in first
        second = dict(zip(rows[0], rows[2], strict=True))
        assert second["spatial_coverage.1.west"] == (-3.5 if kind == "xlsx" else "-3.5")
        assert not {"@id", "status", "dataset_identifier", "last_modified_by"} & set(rows[0])

    def test_nothing_changes_when_nothing_was_changed(self, tree: Tree, user: User, kind: str) -> None:
        _, found = planned(user, exported(two(tree), kind), kind)
        assert [(row.keys, row.problem) for row in found] == [((), ""), ((), "")]

    def test_changed_cells_become_one_change_that_can_be_taken_back(self, tree: Tree, user: User, kind: str) -> None:
        numbers = two(tree)
        rows = exported(numbers, kind)
        put(rows, 1, "dataset_title", "Better")
        put(rows, 1, "keywords", "heat\ncold\n")
        put(rows, 1, "creators.1.name", None)
        put(rows, 1, "dataset_version", "'1.0")
        put(rows, 2, "license", "MIT")
        put(rows, 2, "spatial_coverage.1.west", -4 if kind == "xlsx" else "-4")
        put(rows, 2, "creators.1.name", "'@Eve")
        put(rows, 2, "creators.1.@type", "Person")
        change, found = planned(user, rows, kind)
        assert [row.problem for row in found] == ["", ""]
        before = [target.read().value for n in numbers if (target := targets.find("dataset", n))]
        done = bulk.apply(change, user)
        one, second = (target.read().value for n in numbers if (target := targets.find("dataset", n)))
        assert (one["dataset_title"], one["keywords"], one["creators"], one["dataset_version"]) == (
            "Better",
            ["heat", "cold"],
            [BOB],
            "1.0",
        )
        assert (second["license"], second["spatial_coverage"]) == ("MIT", [{"west": -4, "east": 4}])
        assert {k: v for k, v in second["creators"][0].items() if k != "@id"} == {"@type": "Person", "name": "@Eve"}
        assert bulk.undo(done, user).not_undone == []
        after = [target.read().value for n in numbers if (target := targets.find("dataset", n))]
        own = [{k: v for k, v in each.items() if not k.startswith("last_modified")} for each in (*before, *after)]
        assert own[:2] == own[2:]

    def test_what_is_typed_into_cells_is_kept_as_a_form_keeps_it(self, tree: Tree, user: User, kind: str) -> None:
        numbers = two(tree)
        rows = exported(numbers, kind)
        put(rows, 2, "license", "cc-by-4.0")
        put(rows, 2, "access_level", "EMBARGOED")
        put(rows, 2, "languages", "German\nen")
        put(rows, 2, "embargo_end_date", "23.11.2026")
        put(rows, 2, "creators.1.name", "Eve")
        put(rows, 2, "creators.1.@type", "person")
        put(rows, 2, "creators.1.orcid", "0000-0002-1825-0097")
        put(rows, 2, "dataset_title", " as typed ")
        change, found = planned(user, rows, kind)
        assert [row.problem for row in found] == ["", ""]
        bulk.apply(change, user)
        target = targets.find("dataset", numbers[1])
        assert target is not None
        value = target.read().value
        assert (value["license"], value["access_level"]) == ("CC-BY-4.0", "embargoed")
        creator = value["creators"][0]
        assert (creator["@type"], creator["orcid"]) == ("Person", "https://orcid.org/0000-0002-1825-0097")
        assert (value["languages"], value["dataset_title"]) == (["de", "en"], " as typed ")
        assert value["embargo_end_date"] == "2026-11-23"

    def test_what_a_form_could_not_read_either_is_told_not_guessed(self, tree: Tree, user: User, kind: str) -> None:
        rows = exported(two(tree), kind)
        put(rows, 1, "license", "free for all")
        put(rows, 2, "access_level", "Sometimes")
        _, found = planned(user, rows, kind)
        assert ["License" in found[0].problem or "Licence" in found[0].problem, "Sometimes" in found[1].problem] == [
            True,
            True,
        ]

    def test_what_cannot_be_used_is_named(self, tree: Tree, user: User, kind: str) -> None:
        numbers = two(tree)
        rows = exported(numbers, kind)
        put(rows, 1, "creators.1.nmae", "slip")
        put(rows, 1, "colour", "blue")
        put(rows, 1, "last_modified_by", "me")
        put(rows, 1, "status", "complete")
        rows.append([identifier("nobody"), *rows[1][1:]])
        rows.append([None, *rows[2][1:]])
        change, found = planned(user, rows, kind)
        assert change.remarks == [
            "Only the system writes “last_modified_by”, “status”: left out.",
            "No field has the name “creators.1.nmae”, “colour”: left out. Look for a slip.",
        ]
        assert [row.problem for row in found] == ["", "", *["There is no such record that you can change."] * 2]

    def test_an_older_version_conflicts_only_where_something_was_changed(
        self, tree: Tree, user: User, kind: str
    ) -> None:
        rows = exported(two(tree), kind)
        put(rows, 2, "dataset_title", "Other")
        for folder in ("one", "two"):
            tree.edit(tree.document(f"p_Alpha/{folder}", "dataset_administrative"), {"methods": "New."})
        put(rows, 1, "methods", "New.")
        _, found = planned(user, rows, kind)
        assert [("since the spreadsheet" in row.problem) for row in found] == [False, True]

    def test_a_record_named_twice_or_without_version_is_left_out(self, tree: Tree, user: User, kind: str) -> None:
        rows = exported(two(tree), kind)
        put(rows, 2, "etag", None)
        rows.append(list(rows[1]))
        _, found = planned(user, rows, kind)
        assert ["2 rows" in found[0].problem, "no etag" in found[1].problem] == [True, True]

    def test_what_would_be_invalid_is_told_in_words(self, tree: Tree, user: User, kind: str) -> None:
        rows = exported(two(tree), kind)
        put(rows, 1, "access_level", "nobody")
        put(rows, 2, "spatial_coverage.1.west", "far out")
        _, found = planned(user, rows, kind)
        assert ["Access level" in found[0].problem, "number" in found[1].problem] == [True, True]

    @pytest.mark.parametrize("name", ["identifier", "etag"])
    def test_a_table_without_its_first_columns_is_refused(self, tree: Tree, user: User, kind: str, name: str) -> None:
        rows = exported(two(tree), kind)
        rows[0][rows[0].index(name)] = "something"
        with pytest.raises(SheetError, match=f"column '{name}' is missing"):
            planned(user, rows, kind)

    def test_a_column_given_twice_is_refused(self, tree: Tree, user: User, kind: str) -> None:
        rows = exported(two(tree), kind)
        rows[0][rows[0].index("license")] = "dataset_title"
        with pytest.raises(SheetError, match="dataset_title"):
            planned(user, rows, kind)

    def test_every_hostile_text_in_a_record_survives_the_way_out_and_back(
        self, tree: Tree, user: User, kind: str
    ) -> None:
        tree.project("p_Alpha", 1)
        unknown = {f"note {n}": text for n, text in enumerate(HOSTILE)}
        number = tree.dataset("p_Alpha/one", (), 2, remarks=unknown, more=[list(HOSTILE), {"=x": None, "": 1, "1": []}])
        index.refresh(tree.documents())
        rows = exported([number], kind)
        put(rows, 1, "license", "MIT")
        change, found = planned(user, rows, kind)
        assert (found[0].before, found[0].after, found[0].problem) == ({}, {"license": "MIT"}, "")
        before = targets.find("dataset", number)
        assert before is not None
        kept = before.read().value
        bulk.apply(change, user)
        after = before.read().value
        assert orjson.dumps((after["remarks"], after["more"])) == orjson.dumps((kept["remarks"], kept["more"]))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_hundreds_of_records_go_out_and_come_back(tree: Tree, user: User, kind: str) -> None:
    tree.project("p_Alpha", 1)
    numbers = [
        tree.dataset(f"p_Alpha/d{n:03}", (), n + 2, dataset_title=f"Set {n}", creators=[ADA, BOB], keywords=["heat"])
        for n in range(500)
    ]
    index.refresh(tree.documents())
    rows = exported(numbers, kind)
    for row in range(1, len(rows)):
        put(rows, row, "license", "MIT")
    _, found = planned(user, rows, kind)
    assert {(tuple(row.after.items()), row.problem) for row in found} == {((("license", "MIT"),), "")}

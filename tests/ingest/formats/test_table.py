"""CSV and TSV: rows against Python's csv module, types against what float() and datetime read."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ingest.formats.engine import axes, describe, describe_bytes, variables, warnings

PENGUINS = """species,bill_length_mm,year,seen,weighed_at,island
Adelie,39.1,2007,true,2007-11-11,Torgersen
Adelie,39.5,2007,false,2007-11-12,Torgersen
Gentoo,NA,2008,true,2008-11-06,Biscoe
"""


def test_columns_have_names_and_types() -> None:
    facts = describe_bytes("penguins.csv", PENGUINS.encode())
    assert facts["mime_type"] == "text/csv"
    assert (facts["number_of_records"], axes(facts)) == (3, {"rows": 3, "columns": 6})
    assert variables(facts) == {
        "species": "string",
        "bill_length_mm": "number",
        "year": "integer",
        "seen": "boolean",
        "weighed_at": "date",
        "island": "string",
    }
    assert warnings(facts) == []


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2", "-3"], "integer"),
        (["1", "2.5", "3"], "number"),
        (["1e5", "-2E-3", ".5"], "number"),
        (["1", "nan", "3"], "number"),
        (["1", "", "NA"], "integer"),
        (["0", "10", "20"], "integer"),
        (["0.5", "0", "0.25"], "number"),
        (["007", "010", "011"], "string"),
        (["1_000", "2_000", "3"], "string"),
        (["١", "٢", "٣"], "string"),
        (["1.2.3", "1.2.4", "1.2.5"], "string"),
        (["10.0.0.1", "1", "2"], "string"),
        (["TRUE", "FALSE", "TRUE"], "boolean"),
        (["2026-01-05", "2026-01-06", ""], "date"),
        (["2026-01-05T09:00:00Z", "2026-01-06 10:30", "2026-01-06T10:30:00.5+01:00"], "date-time"),
        (["2026-01-05", "n/a", "later"], "string"),
        (["", "", ""], "string"),
        (["1", "2", "three"], "string"),
    ],
)
def test_the_type_holds_every_value(values: list[str], kind: str) -> None:
    content = "id,value\n" + "".join(f"row{number},{value}\n" for number, value in enumerate(values))
    assert variables(describe_bytes("t.csv", content.encode()))["value"] == kind


def test_a_late_value_of_another_type_is_seen() -> None:
    rows = [f"{number},{number}" for number in range(300)]
    rows[250] = "250,unknown"
    facts = describe_bytes("t.csv", ("id,value\n" + "\n".join(rows) + "\n").encode())
    assert variables(facts) == {"id": "integer", "value": "string"}


def test_a_first_row_of_data_names_nothing() -> None:
    facts = describe_bytes("t.csv", b"1,Doe\n2,Roe\n3,Poe\n")
    assert variables(facts) == {"column 1": "integer", "column 2": "string"}
    assert facts["number_of_records"] == 3


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["data.csv", "data.tsv", "data.txt", "data"])
def test_the_delimiter_is_found_from_the_content(delimiter: str, end: str, name: str) -> None:
    lines = [f"a{delimiter}b{delimiter}c", *(f"{n}{delimiter}x{n}{delimiter}{n / 4}" for n in range(5))]
    facts = describe_bytes(name, (end.join(lines) + end).encode())
    assert facts["mime_type"] == ("text/tab-separated-values" if delimiter == "\t" else "text/csv")
    assert variables(facts) == {"a": "integer", "b": "string", "c": "number"}
    assert facts["number_of_records"] == 5


@pytest.mark.parametrize(
    "prose",
    [
        "Dear all, we met today.\nIt was, as always, long.\nNothing else.\n",
        "int main(void) {\n  int a = 1;\n  return a;\n}\n",
        "a;\nb;\nc;\nd;\n",
        "one line, two parts\n",
    ],
)
def test_prose_and_code_are_no_tables(prose: str) -> None:
    assert describe_bytes("letter", prose.encode())["mime_type"] == "text/plain"


def test_comments_before_the_table_are_no_rows() -> None:
    facts = describe_bytes("run.csv", b"# made by spectrometer\n# 2026\nwavelength,counts\n400,1\n401,2\n402,3\n")
    assert variables(facts) == {"wavelength": "integer", "counts": "integer"}
    assert facts["number_of_records"] == 3


def test_ragged_rows_are_noted() -> None:
    facts = describe_bytes("t.csv", b"a,b\n1,2\n1,2,3\n4,5\n1\n6,7\n")
    assert warnings(facts) == ["2 of the first 6 rows do not have 2 fields"]


@given(
    st.lists(
        st.lists(
            st.text(st.characters(codec="ascii", exclude_categories=["Cc"])) | st.text('a"\n,'), min_size=2, max_size=2
        ),
        min_size=2,
        max_size=30,
    )
)
def test_rows_are_those_of_the_csv_module(rows: list[list[str]]) -> None:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([["name", "note"], *rows])
    facts = describe_bytes("t.csv", written.getvalue().encode())
    named = "name" in variables(facts)
    assert facts["number_of_records"] == len(rows) + 1 - named


@pytest.mark.parametrize("chunk", [1 << 20, 65_536, 1_009])
def test_quoted_line_ends_in_a_large_table_are_no_rows(tmp_path: Path, chunk: int) -> None:
    path = tmp_path / "large.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "note"])
        writer.writerows([number, 'two\nlines and a "quote"' if number % 3 else "one"] for number in range(9_000))
    with path.open(newline="") as file:
        expected = sum(1 for _ in csv.reader(file)) - 1
    facts = describe(path, chunk)
    assert facts["number_of_records"] == expected == 9_000
    assert variables(facts) == {"id": "integer", "note": "string"}


def test_a_quote_that_is_never_closed_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "large.tsv"
    path.write_text("a\tb\n" + "1\t2\n" * 20_000 + '1\t5" pipe\n' + "1\t2\n" * 20_000)
    facts = describe(path)
    assert facts["number_of_records"] == 40_001
    assert warnings(facts) == ["a quote is never closed: lines were counted as rows"]


def test_many_columns_are_bounded() -> None:
    wide = ",".join(f"c{number}" for number in range(3_000)) + "\n" + ",".join("1" * 3_000) + "\n"
    facts = describe_bytes("wide.csv", wide.encode())
    assert len(facts["variables"]) == 200
    assert axes(facts) == {"rows": 1, "columns": 3_000}
    assert warnings(facts) == ["only the first 200 variables are recorded"]


def test_a_table_in_utf16_is_read() -> None:
    facts = describe_bytes("export.csv", b"\xff\xfe" + PENGUINS.encode("utf-16-le"))
    assert (facts["encoding"], facts["number_of_records"]) == ("utf-16le", 3)
    assert variables(facts)["year"] == "integer"

"""JSON, JSON Lines, XML, HTML: against json and a second XML parser."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ingest import formats
from tests.ingest.formats.engine import axes, describe, describe_bytes, header, variables, warnings

RECORDS = [{"id": 1, "name": "a", "value": 1.5}, {"id": 2, "name": "b", "value": 2}, {"id": 3, "extra": None}]


def test_an_array_of_objects_has_records_and_fields() -> None:
    facts = describe_bytes("data.json", json.dumps(RECORDS).encode())
    assert (facts["mime_type"], facts["number_of_records"]) == ("application/json", 3)
    assert axes(facts) == {"array elements": 3}
    assert variables(facts) == {"id": "integer", "name": "string", "value": "number", "extra": "null"}


def test_an_object_has_members_and_no_names_of_them() -> None:
    facts = describe_bytes("no extension", json.dumps({"Jane Doe": 1, "John Roe": 2}).encode())
    assert axes(facts) == {"object members": 2}
    assert "Jane" not in json.dumps(facts)


def test_json_lines_are_counted() -> None:
    content = "".join(json.dumps(record) + "\n" for record in RECORDS)
    facts = describe_bytes("data.jsonl", content.encode())
    assert (facts["mime_type"], facts["number_of_records"]) == ("application/x-ndjson", 3)
    assert variables(facts)["id"] == "integer"


@pytest.mark.parametrize(
    "text", ["[section]\nkey=value\n", "[2026-01-01 10:00] started\n[2026-01-01 10:01] ended\n", "{not json}\n"]
)
def test_what_only_starts_like_json_is_text(text: str) -> None:
    assert describe_bytes("settings.ini", text.encode())["mime_type"] == "text/plain"


@pytest.mark.parametrize("text", ['{"a": 1,}', "[1, 2", '{"a": NaN}', "{'a': 1}"])
def test_invalid_json_is_named_with_its_place(text: str) -> None:
    facts = describe_bytes("data.json", text.encode())
    assert facts["mime_type"] == "application/json"
    assert warnings(facts)[0].startswith("this is not valid JSON: ")
    assert " at line 1 column " in warnings(facts)[0]


@pytest.mark.parametrize("records", [5_000, 60_000])
def test_a_larger_array_is_counted_to_its_end(tmp_path: Path, records: int) -> None:
    path = tmp_path / "large.json"
    path.write_text(json.dumps([{"id": number, "name": f"sample {number}"} for number in range(records)]))
    assert path.stat().st_size > formats.HEAD_BYTES
    facts = describe(path)
    assert (facts["number_of_records"], variables(facts)) == (records, {"id": "integer", "name": "string"})


def test_large_json_lines_are_counted_while_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    path.write_text("".join(json.dumps({"id": number}) + "\n" for number in range(20_000)))
    facts = describe(path)
    assert (facts["mime_type"], facts["number_of_records"]) == ("application/x-ndjson", 20_000)


@pytest.mark.parametrize("deep", ["[" * 30_000 + "]" * 30_000, '{"a":' * 10_000 + "1" + "}" * 10_000])
def test_deep_json_is_refused_quietly(deep: str) -> None:
    assert warnings(describe_bytes("deep.json", deep.encode()))


XML = """<?xml version="1.0" encoding="UTF-8"?>
<!-- a comment with <tags> -->
<?xml-stylesheet href="a.xsl"?>
<!DOCTYPE m:run [ <!ENTITY a "b"> <!ELEMENT run (#PCDATA)> ]>
<m:run xmlns:m="urn:example:ms" xmlns="urn:other" version="2.1"><m:scan/></m:run>
"""


def test_the_root_element_and_its_namespace_are_found() -> None:
    root = ElementTree.fromstring(XML)
    facts = describe_bytes("run.xml", XML.encode())
    found = header(facts)
    assert root.tag == "{" + found["namespace"] + "}" + found["root element"].partition(":")[2]
    assert (facts["mime_type"], facts["encoding"]) == ("application/xml", "us-ascii")


@pytest.mark.parametrize(
    ("text", "media_type", "name"),
    [
        ('<svg xmlns="http://www.w3.org/2000/svg" version="1.1"/>', "image/svg+xml", "SVG"),
        ("<!DOCTYPE html>\n<html><body/></html>", "text/html", "HTML"),
        ("<mzML xmlns='http://psi.hupo.org/ms/mzml' version='1.1.0'>", "application/xml", "mzML"),
        (
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>',
            "application/rdf+xml",
            "RDF/XML",
        ),
    ],
)
def test_known_vocabularies_are_named(text: str, media_type: str, name: str) -> None:
    facts = describe_bytes("file", text.encode())
    assert (facts["mime_type"], facts["format"]["name"]) == (media_type, name)


def test_a_declared_encoding_stands_where_the_bytes_do_not_tell() -> None:
    facts = describe_bytes("a.xml", '<?xml version="1.0" encoding="ISO-8859-15"?><preis>5 é</preis>'.encode("latin-1"))
    assert facts["encoding"] == "iso-8859-15"
    assert warnings(facts) == []


BOMBS = [
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(12))
    + "]><l>&m;</l>",
    '<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "<a " + "b='c' " * 10_000 + "/>",
    "<a" + " " * 60_000 + "b",
    "<!--" + "-" * 60_000,
    "<!DOCTYPE a [" + "[" * 60_000,
    "<" + "a" * 60_000,
    "<?xml " * 10_000,
]


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.timeout(5)
def test_xml_bombs_are_only_looked_at(bomb: str) -> None:
    facts = describe_bytes("bomb.xml", bomb.encode())
    assert "root:" not in json.dumps(facts)

"""Guided values: any pasted form becomes the one the schemas ask for, and what cannot be read stays as it was typed."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.editing import guided
from catalog.editing.guided import Choice, identifiers, units
from catalog.editing.guided.unit_tables import ALIASES, QUDT
from ingest.check_digits import is_orcid, is_ror
from ingest.schema_compile import PACKAGED, validator

DEFINITIONS = PACKAGED["definitions"]["$id"]
KINDS = sorted(guided.KINDS)
PASTED = st.text() | st.sampled_from(
    ["https://", "www.", "10.", "%", "%2", "#", "http://[", "doi:", "orcid:", "ror.org/", "@", "<@>", "0000-", "-", "_",
     "CC-", "mailto:?", "urn:uuid:", "⁻", "10*", "//", "m/", "{", "\x00", "\ud800"]
)  # fmt: skip
PILE = st.lists(PASTED, max_size=6).map("".join)


def is_valid(definition: str, value: Any) -> bool:
    """Whether the schema's pattern and format hold."""
    return validator({"$ref": f"{DEFINITIONS}#/$defs/{definition}"}).is_valid(value)


# --- every kind ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@given(text=PILE)
def test_any_text_is_taken_and_a_second_time_changes_nothing(kind: str, text: str) -> None:
    once = guided.normalised(kind, text)
    assert guided.normalised(kind, once) == once
    assert isinstance(guided.label(kind, once), str)


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "unit"])
@given(text=PILE)
def test_any_text_gets_at_most_one_short_advice(kind: str, text: str) -> None:
    assert len(guided.advice(kind, text)) < 400


@pytest.mark.parametrize("kind", ["orcid", "ror", "doi", "iri", "web_address", "license", "language", "email", "date"])
@given(text=PILE)
def test_what_is_changed_into_a_canonical_form_is_valid(kind: str, text: str) -> None:
    found = guided.normalised(kind, text)
    if found != text and kind not in ("email", "iri", "web_address"):  # their hosts are for the schema to judge
        assert is_valid(kind, found)


@pytest.mark.parametrize(
    ("kind", "value"),
    [(name, value) for name in ("orcid", "ror", "doi", "iri", "web_address", "email", "date", "license", "language")
     for value in PACKAGED["definitions"]["$defs"][name]["examples"]],
)  # fmt: skip
def test_the_schemas_own_examples_stay_as_they_are_without_advice(kind: str, value: str) -> None:
    assert (guided.normalised(kind, value), guided.advice(kind, value)) == (value, "")


def test_an_unknown_kind_leaves_everything_alone() -> None:
    assert (guided.normalised("colour", " red "), guided.advice("colour", "red")) == (" red ", "")
    assert (guided.choices("colour"), guided.common("colour"), guided.label("colour", "red")) == ((), (), "")


# --- ORCID, ROR, DOI: any decoration --------------------------------------------------------------------------------


@st.composite
def orcids(draw: st.DrawFn) -> str:
    digits = f"{draw(st.integers(0, 10**15 - 1)):015}"
    start = f"https://orcid.org/{digits[:4]}-{digits[4:8]}-{digits[8:12]}-{digits[12:]}"
    return next(start + check for check in "0123456789X" if is_orcid(start + check))


@st.composite
def rors(draw: st.DrawFn) -> str:
    symbols = draw(st.text("0123456789abcdefghjkmnpqrstvwxyz", min_size=6, max_size=6))
    start = f"https://ror.org/0{symbols}"
    return next(f"{start}{n:02}" for n in range(100) if is_ror(f"{start}{n:02}"))


AROUND = st.sampled_from(
    ["{}", " {} ", "<{}>", "({})", '"{}"', "“{}”", "\u00a0{}\u202f", "\u200b{}\ufeff", "{},", "{};"]
)
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
SPELLED = st.sampled_from(["as it is", "full width", "capitals"])
STARTS = ["", "https://", "http://", "www.", "https://www.", "HTTPS://"]


def decorated(draw: st.DrawFn, value: str, words: list[str]) -> str:
    """A canonical IRI as somebody may paste it: ``words`` may stand before its bare form."""
    host, _, bare = value.removeprefix("https://").partition("/")
    forms = [f"{start}{host}/{bare}{end}" for start in STARTS for end in ("", "/")]
    forms += [f"{word}{bare}" for word in words] + [f"{word}{value}" for word in words if not word.endswith("/")]
    text = draw(AROUND).format(draw(st.sampled_from(forms)))
    spelled = draw(SPELLED)
    return text.translate(WIDE) if spelled == "full width" else text.upper() if spelled == "capitals" else text


@given(st.data())
def test_any_decoration_of_an_orcid_gives_its_iri(data: st.DataObject) -> None:
    value = data.draw(orcids())
    words = ["", "orcid:", "ORCID: ", "ORCID iD: ", "orcid ", "orcid.org/"]
    text = decorated(data.draw, value, words)
    grouping = data.draw(st.sampled_from(["-", "", " ", "–", "\u2011", "\u00a0"]))
    head, slash, bare = text.rpartition("/") if "://" in text else ("", "", text)
    assert guided.normalised("orcid", text) == value
    assert guided.normalised("orcid", head + slash + bare.replace("-", grouping)) == value
    assert is_valid("orcid", value)


@given(st.data())
def test_any_decoration_of_a_ror_gives_its_iri(data: st.DataObject) -> None:
    value = data.draw(rors())
    assert guided.normalised("ror", decorated(data.draw, value, ["", "ror:", "ROR: ", "ror.org/"])) == value
    assert is_valid("ror", value)


SUFFIX = st.from_regex(r"[a-z0-9][a-z0-9._;()/:-]{0,20}[a-z0-9]", fullmatch=True)


@given(st.data(), st.integers(1000, 999_999_999), SUFFIX)
def test_any_decoration_of_a_doi_gives_its_iri(data: st.DataObject, prefix: int, suffix: str) -> None:
    value = f"https://doi.org/10.{prefix}/{suffix}"
    words = ["", "doi:", "DOI: ", "doi ", "info:doi/", "dx.doi.org/", "https://dx.doi.org/"]
    text = decorated(data.draw, value, words)
    assert guided.normalised("doi", text).casefold() == value
    assert is_valid("doi", guided.normalised("doi", text))
    assert guided.normalised("iri", f"doi:10.{prefix}/{suffix}") == value


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10.1002/(SICI)1096-8644(199601)99:1<1::AID-AJPA1>3.0.CO;2-1",
         "https://doi.org/10.1002/(SICI)1096-8644(199601)99:1%3C1::AID-AJPA1%3E3.0.CO;2-1"),
        ("See 10.5438/0012", "See 10.5438/0012"),
        ("10.5438%2F0012.", "https://doi.org/10.5438/0012"),
        ("10.5438/", "10.5438/"),
    ],
)  # fmt: skip
def test_dois_as_they_are_copied(text: str, found: str) -> None:
    assert guided.normalised("doi", text) == found


# --- a wrong check digit ------------------------------------------------------------------------------------------


@given(orcids(), st.sampled_from("0123456789X"))
def test_a_wrong_check_digit_stays_as_typed_and_is_told_with_the_right_one(value: str, digit: str) -> None:
    typed = f" {value[18:-1]}{digit}"
    if digit == value[-1]:
        assert guided.advice("orcid", typed) == ""
        return
    assert guided.normalised("orcid", typed) == typed
    assert f"it should end in {value[-1]}, not in {digit}." in guided.advice("orcid", typed)


@pytest.mark.parametrize(
    ("kind", "text", "sentence"),
    [
        ("ror", "05gq02986",
         "The ROR “05gq02986” cannot be right: after its first 7 characters it should end in 87, not in 86. "
         "One character is mistyped; copy it from the organization's page at ror.org."),
        ("orcid", "0000-0002-1825",
         "“0000-0002-1825” is no ORCID: an ORCID has 16 digits, like 0000-0002-1825-0097, and this has 12."),
        ("orcid", "Josiah", "“Josiah” is no ORCID: an ORCID has 16 digits, like 0000-0002-1825-0097."),
        ("ror", "Brown", "“Brown” is no ROR: a ROR has nine letters and digits and begins with 0, like 05gq02987."),
        ("doi", "0012", "“0012” is no DOI: a DOI begins with 10. and has a slash, like 10.5438/0012."),
        ("email", "jo",
         "“jo” is no e-mail address: it needs one @ with something on both sides, like name@example.org."),
        ("date", "03/04/2026", "“03/04/2026” may be 2026-03-04 or 2026-04-03: write year, month, day."),
        ("date", "2026-02-30", "“2026-02-30” is no date: write year, month, day, like 2026-11-23."),
        ("license", "GPL-3.0",
         "“GPL-3.0” is an identifier that SPDX has given up; write GPL-3.0-only or GPL-3.0-or-later."),
        ("license", "CC BY",
         "“CC BY” is no whole SPDX identifier; did you mean CC-BY-4.0 or CC-BY-SA-4.0 or CC-BY-NC-4.0?"),
        ("unit", "furlongs per fortnight",
         "“furlongs per fortnight” is no UCUM code; it is kept as it is, but machines will not understand it as a "
         "unit."),
    ],
)  # fmt: skip
def test_advice_names_the_text_and_the_mend(kind: str, text: str, sentence: str) -> None:
    assert guided.advice(kind, text) == sentence
    assert guided.normalised(kind, text) == text


# --- addresses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("web_address", "www.Example.org/a b", "https://www.Example.org/a%20b".replace("Example", "example")),
        ("web_address", "HTTP://Example.ORG/Path?q=[1]#x#y", "http://example.org/Path?q=%5B1%5D#x%23y"),
        ("web_address", "example.org", "https://example.org"),
        ("web_address", "protocols.io/view/x", "https://protocols.io/view/x"),
        ("web_address", "<https://example.org/100%>", "https://example.org/100%25"),
        ("web_address", "https://example.org/%20a", "https://example.org/%20a"),
        ("web_address", "dx.doi.org/10.5438/0012", "https://doi.org/10.5438/0012"),
        ("iri", "0B6A3F0E-6f4c-4b8e-9d53-2a1c7e5f9b10", "urn:uuid:0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10"),
        ("iri", "0000-0002-1825-0097", "https://orcid.org/0000-0002-1825-0097"),
        ("iri", "ror.org/05gq02987", "https://ror.org/05gq02987"),
        ("iri", "10.5438/0012", "https://doi.org/10.5438/0012"),
        ("iri", "readme.md", "readme.md"),
        ("iri", "mailto:a@b.org", "mailto:a@b.org"),
        ("iri", "C:\\data\\x", "C:\\data\\x"),
        ("email", "Josiah Carberry <J.Carberry@Brown.EDU>;", "J.Carberry@brown.edu"),
        ("email", "mailto:jo@example.org?subject=x", "jo@example.org"),
        ("date", "23.11.2026", "2026-11-23"),
        ("date", "Nov 3, 2026", "2026-11-03"),
        ("date", "23rd of November 2026", "2026-11-23"),
        ("date", "11/23/2026", "2026-11-23"),
        ("date", "2026-11-23T05:24:05Z", "2026-11-23"),
        ("license", "cc by 4.0", "CC-BY-4.0"),
        ("license", "https://creativecommons.org/licenses/by-nc/4.0/deed.en", "CC-BY-NC-4.0"),
        ("license", "https://creativecommons.org/licenses/by/3.0/de/", "CC-BY-3.0-DE"),
        ("license", "http://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("license", "Apache License, Version 2.0", "Apache-2.0"),
        ("license", "The MIT License", "MIT"),
        ("license", "https://example.org/our-licence", "https://example.org/our-licence"),
        ("language", "English", "en"),
        ("language", "deutsch", "de"),
        ("language", "deu", "de"),
        ("language", "DE_ch", "de-CH"),
        ("language", "zh-hans", "zh-Hans"),
        ("unit", "µm", "um"),
        ("unit", "micrometres", "um"),
        ("unit", "degrees Celsius", "Cel"),
        ("unit", "m/s²", "m/s2"),
        ("unit", "kg m^-3", "kg.m-3"),
        ("unit", "mM", "mmol/L"),
        ("unit", "mg / mL", "mg/mL"),
    ],
)  # fmt: skip
def test_values_as_they_are_pasted(kind: str, text: str, found: str) -> None:
    assert guided.normalised(kind, text) == found


@pytest.mark.parametrize("text", ["example.org/ü?x=y z", "www.a.org/<b>|{c}", "http://x.org/[a]#b#c", "https://h/%zz"])
def test_an_address_that_a_browser_would_open_is_an_iri(text: str) -> None:
    found = guided.normalised("web_address", text)
    assert is_valid("web_address", found)
    assert guided.advice("web_address", text) == ""


# --- lists --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["license", "language"])
def test_every_choice_is_valid_stays_as_it_is_and_has_a_name(kind: str) -> None:
    known = guided.choices(kind)
    assert [c.value for c in known if guided.normalised(kind, c.value) != c.value] == []
    assert [c.value for c in known if not is_valid(kind, c.value) or not c.label] == []
    assert len({c.value for c in known}) == len(known) > 500


def test_the_licences_of_research_data_come_first_and_the_deprecated_last() -> None:
    known = guided.choices("license")
    assert tuple(known[: len(guided.common("license"))]) == tuple(guided.common("license"))
    assert known[0] == Choice(
        "CC-BY-4.0",
        "CC BY 4.0 – Creative Commons Attribution 4.0 International",
        "Anyone may use, change and share the data for any purpose, if they name you.",
        "license licence",
    )
    assert {"CC0-1.0", "CC-BY-SA-4.0", "ODbL-1.0", "PDDL-1.0", "ODC-By-1.0", "MIT", "Apache-2.0"} <= {
        c.value for c in guided.common("license")
    }
    assert all(c.words for c in guided.common("license"))
    assert known[-1].label.endswith("(deprecated identifier)")


def test_the_common_units_are_ucum_and_found_by_code_and_by_name() -> None:
    common = guided.common("unit")
    assert len(common) >= 150
    assert [c.value for c in common if not units._is_ucum(c.value) or not c.label] == []
    assert [c.value for c in common if guided.search("unit", c.value, 1)[0].value != c.value] == []
    assert [c.value for c in common if c not in guided.search("unit", c.label, 10)] == []


def test_every_sign_for_a_unit_leads_to_a_code_of_ucum() -> None:
    assert [sign for sign, code in ALIASES.items() if not units._is_ucum(code)] == []
    assert [sign for sign, code in ALIASES.items() if guided.normalised("unit", sign) not in (code, sign)] == []


def test_qudt_is_named_for_known_units_only() -> None:
    assert guided.unit_iri("mm") == "http://qudt.org/vocab/unit/MilliM"
    assert (guided.unit_iri("[CFU]/mL"), guided.unit_iri("foo")) == (None, None)
    assert set(QUDT) <= {c.value for c in guided.common("unit")}
    assert [c for c in QUDT if not is_valid("iri", guided.unit_iri(c))] == []


def test_a_search_finds_what_begins_with_the_words_first() -> None:
    assert [c.value for c in guided.search("language", "german", 2)] == ["de", "de-AT"]
    assert guided.search("license", "attribution 4.0", 1)[0].value == "CC-BY-4.0"
    assert guided.search("unit", "metre", 1)[0].value == "m"
    assert len(guided.search("unit", "", 7)) == 7


def test_names_of_values() -> None:
    assert guided.label("language", "de-CH") == "Swiss High German"
    assert guided.label("language", "zh-Hant-TW") == "Chinese (Traditional, Taiwan)"
    assert guided.label("unit", "kg/m3") == "kilogram per cubic meter"
    assert guided.label("access_level", "embargoed") == "Embargoed"
    assert guided.label("license", "nothing") == ""


def test_lists_are_there_without_the_heavy_libraries() -> None:
    code = (
        "import sys; from catalog.editing import guided\n"
        "[guided.choices(k) for k in guided.KINDS]\n"
        "guided.normalised('unit', 'kg m^-3'); guided.advice('unit', 'kg.m-3')\n"
        "print([m for m in ('pint', 'ucumvert', 'lark', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- which field is of which kind -----------------------------------------------------------------------------------


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"{DEFINITIONS}#/$defs/{name}"}


@pytest.mark.parametrize(
    ("nodes", "key", "kind"),
    [
        ([ref("orcid")], "orcid", "orcid"),
        ([ref("license")], "license", "license"),
        ([{"title": "Funder"}, ref("organization_complete")], "funder", "organization"),
        ([ref("text")], "unit", "unit"),
        ([ref("uuid")], "instruments_used", "instrument"),
        ([{"type": "string", "format": "ror"}], "partner_ror", "ror"),
        ([{"type": "string", "format": ["odd"]}, {"$ref": 7}], "odd", None),
        ([ref("text")], "notes", None),
        ([], "", None),
    ],
)
def test_the_kind_of_a_field_is_told_by_its_schema(nodes: list[Any], key: str, kind: str | None) -> None:
    assert guided.kind_of(nodes, key) == kind


def test_identifiers_are_told_apart_in_the_schemas_in_use() -> None:
    person = PACKAGED["definitions"]["$defs"]["person"]["properties"]
    assert {key: guided.kind_of([node], key) for key, node in person.items() if guided.kind_of([node], key)} == {
        "@id": "iri",
        "orcid": "orcid",
        "email": "email",
    }
    assert identifiers.orcid("0000-0002-1825-0097") == "https://orcid.org/0000-0002-1825-0097"

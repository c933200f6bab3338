"""What people see: complete, safe with any name, closed to strangers, quick with many files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

import schemas
from catalog import index
from catalog.models import File
from ingest import documents
from ingest import schema as engine_schema
from ingest.layout import TEMPLATE_SCHEMAS
from ingest.reconcile import reconcile
from ingest.workspace import open_workspace
from tests.catalog.hostile import CORPUS, Page, see
from tests.catalog.tree import Tree, entry, identifier

pytestmark = pytest.mark.django_db(transaction=True)

POLICY = "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"
ZERO = "00000000-0000-0000-0000-000000000000"


def addresses(patterns: Any = None, before: str = "/") -> Iterator[str]:
    """Every address of the service, with something in place of each part that varies."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            route = re.sub(r"<uuid:\w+>", ZERO, route)
            route = re.sub(r"<(?:(?:path|int|slug):)?\w+>", "1", route)
            yield re.sub(r"\(\?P<\w+>[^)]*\)\$?|\^|\$", "x", route)


# --- who may see -----------------------------------------------------------------------------------------------


def test_before_anything_is_published_every_page_with_a_record_asks_who_you_are(client: Client) -> None:
    found = list(addresses())
    assert {"/", f"/datasets/{ZERO}/files/", "/status/", "/admin/auth/user/", "/healthz"} <= set(found)
    shown, refused = set(), set()
    for address in found:
        for response in (client.get(address), client.post(address)):
            if response.status_code == 401 or (response.status_code == 302 and "login" in response["Location"]):
                continue
            (shown if response.status_code < 400 else refused).add((address, response.status_code))
    # Those that say what words mean, and a question to a graph without anything in it.
    words = {"/terms", "/shapes", "/robots.txt", "/sparql", "/sparql/picture"}
    assert {address for address, _ in shown} == {"/healthz", "/login/", *words}
    assert {status for _, status in refused} <= {404, 405, 415}


def test_a_stranger_cannot_tell_a_record_that_is_there_from_one_that_is_not(client: Client, tree: Tree) -> None:
    number = tree.dataset(entries=[entry("a.csv")])
    index.refresh(tree.documents())
    there, absent = client.get(f"/datasets/{number}/"), client.get(f"/datasets/{ZERO}/")
    assert (there.status_code, there["Location"].replace(number, "")) == (
        absent.status_code,
        absent["Location"].replace(ZERO, ""),
    )


def test_signing_in_leads_to_no_foreign_site(client: Client, django_user_model: Any) -> None:
    django_user_model.objects.create_user("reader", password="a long enough password")
    for target in ("//evil.example/", "https://evil.example/", "javascript:alert(1)", "\\\\evil.example"):
        answer = client.post("/login/", {"username": "reader", "password": "a long enough password", "next": target})
        assert answer["Location"] == "/"
        client.logout()
    answer = client.post("/login/", {"username": "reader", "password": "a long enough password", "next": "/status/"})
    assert answer["Location"] == "/status/"


def test_a_wrong_password_is_told_without_saying_which_part_was_wrong(client: Client, django_user_model: Any) -> None:
    django_user_model.objects.create_user("reader", password="a long enough password")
    known, unknown = (
        Page(client.post("/login/", {"username": name, "password": "wrong"}).content.decode()).words
        for name in ("reader", "nobody")
    )
    assert known == unknown
    assert "do not belong together" in known


def test_signing_out_needs_a_form(reader: Client) -> None:
    assert reader.get("/logout/").status_code == 405
    assert reader.post("/logout/").status_code == 302
    assert reader.get("/").status_code == 302


def test_forms_without_their_token_are_refused_in_our_style() -> None:
    strict = Client(enforce_csrf_checks=True)
    response = strict.post("/login/", {"username": "a", "password": "b"})
    assert response.status_code == 403
    assert "The form has expired" in Page(response.content.decode()).words


@pytest.mark.parametrize(
    "address", ["/", "/login/", "/healthz", "/nope", "/static/catalog/fairfolder.css", "/admin/", "/status/"]
)
def test_every_answer_carries_the_policies(reader: Client, address: str) -> None:
    response = reader.get(address)
    response.close()
    assert response["Content-Security-Policy"] == POLICY
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    if not address.startswith("/static/"):
        assert response["X-Frame-Options"] == "DENY"


def test_cookies_are_closed_to_scripts_and_other_sites(client: Client, django_user_model: Any) -> None:
    django_user_model.objects.create_user("reader", password="a long enough password")
    client.get("/login/")
    client.post("/login/", {"username": "reader", "password": "a long enough password"})
    assert client.cookies
    for cookie in client.cookies.values():
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"


# --- what they see ---------------------------------------------------------------------------------------------


def test_a_new_user_is_told_what_to_do(reader: Client, tree: Tree, settings: Settings) -> None:
    assert f'mkdir -p "{tree.root}/p_MyProject/dataset_1"' in see(reader, "/").words
    settings.ENGINE = replace(settings.ENGINE, project_prefix="lab-", dataset_prefix="ds-")
    assert f'mkdir -p "{tree.root}/lab-MyProject/ds-dataset_1"' in see(reader, "/").words


def test_projects_show_what_they_add_up_to(reader: Client, tree: Tree) -> None:
    tree.project("p_Alpha", 1, project_title="Alpha particles")
    tree.project("p_Beta", 2)
    tree.dataset("p_Alpha/one", [entry("a.csv", 1_000_000), entry("b.csv", 500_000)], 3)
    tree.dataset("p_Alpha/two", [entry("c.csv", 1_000)], 4)
    index.refresh(tree.documents())
    words = see(reader, "/").words
    assert "Alpha particles p_Alpha present draft 2 3 1.50 MB present draft" in words
    assert "p_Beta present draft 0 0 0 B present draft" in words
    assert "Alpha" not in see(reader, "/?name=beta").words
    assert "No project fits" in see(reader, "/?state=missing").words


def test_a_project_shows_its_record_its_datasets_and_strays(reader: Client, tree: Tree, settings: Settings) -> None:
    project = tree.root / "p_Alpha"
    (project / "plate").mkdir(parents=True)
    (project / "plate" / "a.csv").write_text("x,y\n1,2\n")
    (project / "lost.txt").write_text("lost")
    with open_workspace(tree.root, settings.ENGINE) as workspace:
        reconcile(workspace, on_recorded=index.refresh)
    (number,) = [orjson.loads(p.read_bytes())["project_identifier"] for p in project.glob(".metadata/*.json")]
    words = see(reader, f"/projects/{number}/").words
    assert "Files that belong to no dataset" in words
    assert "lost.txt" in words
    assert "Last change plate present draft 1" in words
    assert "Still missing before this record is complete" in words


def test_a_project_shows_what_people_wrote_in_words(reader: Client, tree: Tree) -> None:
    number = tree.project(
        "p_Alpha",
        project_title="Alpha",
        project_description="First line.\n\nSecond paragraph.",
        principal_investigator={
            "@type": "Person",
            "name": "Ada Lovelace",
            "orcid": "https://orcid.org/0000-0002-1825-0097",
        },
        keywords=["physics", "helium"],
        funding=[{"funder": {"name": "ERC"}, "award_number": "101"}, {"funder": {"name": "FWO"}, "award_number": "7"}],
        made_up_by_the_lab={"deep": [{"odd": True}]},
    )
    index.refresh(tree.documents())
    page = see(reader, f"/projects/{number}/")
    for text in ("Second paragraph.", "Ada Lovelace", "physics helium", "ERC", "Made up by the lab", "yes"):
        assert text in page.words
    assert 'href="https://orcid.org/0000-0002-1825-0097"' in reader.get(f"/projects/{number}/").content.decode()


def test_a_file_page_shows_every_recorded_fact(reader: Client, tree: Tree) -> None:
    one = entry(
        "sub/scan.tif",
        123_456,
        "image/tiff",
        bit_depth=16,
        channels=3,
        duration_seconds=2.5,
        compression="application/gzip",
        encoding="utf-8",
        variables=[{"name": "mass", "data_type": "float64", "unit": "kg"}, {"name": "label", "data_type": "string"}],
        instrument_metadata=[
            {"name": "Gain", "value": 40, "unit": "dB", "source": "EXIF"},
            {"name": "Lens", "value": "50 mm", "source": "EXIF"},
        ],
        extraction={"extractor": "tiff", "version": "2", "warnings": ["The second page could not be read."]},
        state="changed",
        previous_checksums=[{"algorithm": "sha256", "value": "ab" * 32, "replaced_date": "2026-11-22T01:02:03Z"}],
        local_note="kept as it is",
    )  # fmt: skip
    tree.dataset(entries=[one])
    index.refresh(tree.documents())
    words = see(reader, f"/files/{one['file_identifier']}/").words
    for text in (
        "123 kB (123,456 bytes)", "image/tiff", "TIFF", "rows 120 × columns 4", "16", "2.5", "application/gzip",
        "mass float64 kg", "label string", "Gain 40 dB EXIF", "50 mm", "The second page could not be read.", "changed",
        "ab" * 32, one["checksum"]["value"], "kept as it is", "-rw-r--r--", "20 Nov 2026 12:00", "V1", "utf-8",
        one["file_identifier"],
    ):  # fmt: skip
        assert text in words, text


def test_numbers_and_names_of_any_kind_do_not_break_a_page(reader: Client, tree: Tree) -> None:
    odd = [
        None,
        True,
        1e308,
        -1.5,
        2**60,
        [],
        {},
        [[[]]],
        {"a": {"b": [{"c": {"d": [1, {"e": 2}]}}]}},
        "x" * 5_000,
        [None],
    ]
    keys = (
        "dimensions",
        "format",
        "variables",
        "checksum",
        "extraction",
        "instrument_metadata",
        "modified_utc",
    )
    entries = [entry(f"f{n}", **dict.fromkeys(keys, value)) for n, value in enumerate(odd)]
    number = tree.dataset(entries=entries, dataset_title="t", creators=odd, keywords=odd, funding={"a": odd})
    index.refresh(tree.documents())
    see(reader, f"/datasets/{number}/")
    for each in entries:
        see(reader, f"/files/{each['file_identifier']}/")


@pytest.mark.parametrize("text", CORPUS)
def test_hostile_texts_stay_text(curator: Client, tree: Tree, text: str) -> None:
    name = text.replace("/", "∕").replace("\x00", "")[:80] or "x"
    fields = {
        "description": text,
        "local": {text[:50]: text, "url": text, "name": text},
        "format": {"name": text, "iri": text},
    }
    warned = {"extractor": text, "version": text, "warnings": [text]}
    one = entry(name, mime_type=text, extraction=warned, variables=[{"name": text, "unit": text}], **fields)
    curated = {
        "keywords": [text],
        "creators": [{"name": text, "orcid": text}],
        "documentation": [{"label": text, "url": text}],
    }
    project = tree.project("p_Alpha", project_title=text, project_description=text, **curated)
    number = tree.dataset("p_Alpha/plate", [one], dataset_title=text, dataset_abstract=text, license=text, **curated)
    tree.edit(
        documents.registry_document(tree.root, number), {"state": text, "state_reason": text, "derived_from": text}
    )
    broken = tree.document("p_Alpha/broken", documents.ADMINISTRATIVE)
    broken.parent.mkdir(parents=True)
    broken.write_bytes(orjson.dumps({"dataset_identifier": text}))
    index.refresh([*tree.documents(), broken])
    pages = [
        "/",
        "/?name=" + text[:9].replace("&", "").replace("#", ""),
        f"/projects/{project}/",
        f"/datasets/{number}/",
        "/status/",
    ]
    pages += [f"/datasets/{number}/files/", f"/files/{one['file_identifier']}/"]
    for address in pages:
        see(curator, address)
    for response in (
        curator.get("/why/", {"path": text}),
        curator.get(f"/datasets/{number}/files/", {"name": text, "sort": text}),
    ):
        assert response.status_code in (200, 400)
        assert Page(response.content.decode()).wrong == []
    for model in ("project", "dataset", "file", "document", "changelog"):
        html = curator.get(f"/admin/catalog/{model}/").content.decode()
        assert "alert(1)</script>" not in html
        assert "onerror=alert" not in html.replace("&quot;", "") or "<img src=x" not in html


def test_odd_characters_in_names_are_shown_not_obeyed(reader: Client, tree: Tree) -> None:
    number = tree.dataset(
        entries=[entry("evil\u202egnp.exe"), entry("two\nlines"), entry("caf\udce9.csv"), entry("👩‍🔬.txt")]
    )
    index.refresh(tree.documents())
    words = see(reader, f"/datasets/{number}/files/").words
    for text in ("⟨U+202E⟩", "⏎", "caf%E9.csv", "👩‍🔬.txt"):
        assert text in words


def test_a_broken_document_is_told_where_people_look(reader: Client, tree: Tree) -> None:
    number = tree.dataset("p_Alpha/plate", [entry("a.csv")])
    broken = tree.document("p_Alpha/plate", documents.STRUCTURAL)
    broken.write_text("{ nothing")
    index.refresh(tree.documents())
    for address in (f"/datasets/{number}/", "/status/"):
        assert "is not valid JSON" in see(reader, address).words
    assert "No file yet" in see(reader, f"/datasets/{number}/").words


def test_a_missing_dataset_keeps_its_page(reader: Client, tree: Tree) -> None:
    number = identifier("gone")
    tree.register("dataset", number, "p_Alpha/gone", 4, state="missing", missing_since="2026-11-20T01:02:03Z")
    index.refresh(tree.documents())
    assert "gone from its place since 20 Nov 2026 01:02" in see(reader, f"/datasets/{number}/").words


def test_a_record_without_title_and_place_is_called_by_its_identifier(reader: Client, tree: Tree) -> None:
    number = tree.project("p_Alpha", project_title="  ")
    other = identifier("placeless")
    tree.edit(tree.register("project", other, "p_Gone", 3), {"path": None})
    index.refresh(tree.documents())
    words = see(reader, "/").words
    assert "p_Alpha" in words
    assert other in words
    for address in (number, other):
        see(reader, f"/projects/{address}/")


def test_the_status_page_tells_of_a_rebuild(reader: Client, tree: Tree) -> None:
    tree.project()

    def look(done: int) -> None:
        assert "The index is being rebuilt" in see(reader, "/").words

    index.rebuild(look)
    assert "rebuilt" not in see(reader, "/").words


def test_why_answers_for_any_path(reader: Client, tree: Tree) -> None:
    (tree.root / "p_Alpha").mkdir()
    (tree.root / "p_Alpha" / "stray.txt").write_text("x")
    assert "belongs to no dataset" in see(reader, "/why/?path=p_Alpha/stray.txt").words
    assert "belongs to no dataset" in see(reader, f"/why/?path={tree.root}/p_Alpha/stray.txt").words
    (tree.root / "p_Alpha" / ".secret").touch()
    assert "hidden" in see(reader, "/why/?path=p_Alpha/.secret").words
    assert f"the nearest folder that exists is '{tree.root}/p_Alpha'" in see(reader, "/why/?path=p_Alpha/d/x").words
    see(reader, "/why/")
    assert "not inside the watched folder" in see(reader, "/why/?path=/etc/passwd", 400).words
    assert "NUL" in see(reader, "/why/?path=a%00b", 400).words
    see(reader, "/why/?path=" + "x/" * 3_000)


@pytest.mark.parametrize(
    "path", ["data/p_Alpha/stray.txt", "'{root}/p_Alpha/stray.txt'", "file://{root}/p_Alpha/stray.txt"]
)
def test_why_finds_the_one_root_in_which_a_path_is(
    reader: Client, tree: Tree, tmp_path: Path, settings: Settings, path: str
) -> None:
    settings.MONITOR_PATHS = (tmp_path / "other", tree.root)
    for root in settings.MONITOR_PATHS:
        (root / "p_Alpha").mkdir(parents=True)
    (tree.root / "p_Alpha" / "stray.txt").write_text("x")
    answer = see(reader, f"/why/?path={path.replace('{root}', str(tree.root))}").words
    assert "belongs to no dataset" in answer
    assert "There is no such file" not in answer
    assert "is an address and no path" in see(reader, "/why/?path=https://example.org/x", 400).words


def test_unknown_addresses_are_answered_in_our_style(reader: Client) -> None:
    for address in ("/nope", f"/datasets/{ZERO}/", f"/projects/{ZERO}/", f"/files/{ZERO}/", "/datasets/x/"):
        assert "There is nothing here" in see(reader, address, 404).words


def test_a_busy_database_is_503_with_a_page(reader: Client, tree: Tree) -> None:
    def locked(*arguments: object) -> object:
        raise OperationalError("database is locked")

    reader.raise_request_exception = False
    with connection.execute_wrapper(locked):
        for address in ("/", "/status/", "/login/", "/healthz", "/admin/"):
            response = reader.get(address)
            assert response.status_code == 503, address
            assert response["Retry-After"]
            assert "The index is busy" in Page(response.content.decode()).words


def test_a_fault_of_ours_shows_no_traceback(reader: Client, tree: Tree) -> None:
    tree.dataset(entries=[entry("a.csv")])
    index.refresh(tree.documents())
    number = File.objects.get().identifier
    connection.cursor().execute("UPDATE catalog_filedocument SET text = '{'")
    reader.raise_request_exception = False
    response = reader.get(f"/files/{number}/")
    assert response.status_code == 500
    words = Page(response.content.decode()).words
    assert "The fault is ours" in words
    assert "Traceback" not in words


def test_the_status_page_judges_local_schemas_once(tree: Tree, reader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree.root / TEMPLATE_SCHEMAS
    folder.mkdir()
    (folder / "project_descriptive.json").write_bytes(orjson.dumps(schemas.load("project_descriptive")))
    judged: list[str] = []
    true_judge = engine_schema.judge

    def judge(*given: Any) -> Any:
        judged.append("once more")
        return true_judge(*given)

    monkeypatch.setattr(engine_schema, "judge", judge)
    for _ in range(3):
        page = reader.get("/status/").content.decode()
        assert "project_descriptive" in page
    assert len(judged) == 1

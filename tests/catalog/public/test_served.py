"""The service as strangers' programs meet it: curl, and the library that reads Signposting."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import signposting

from catalog.formats.table import FORMATS
from tests.catalog.public.served import ORCID
from tests.catalog.public.test_negotiating import ACCEPTS, NONE
from tests.catalog.service import CHECKOUT, Service, Serving

BASE = "http://catalog.test"


@dataclass
class Live:
    serving: Serving
    base: str
    identifier: str

    @property
    def page(self) -> str:
        return f"{self.base}/datasets/{self.identifier}"

    @property
    def file(self) -> str:
        """The address of counts.csv, from the record."""
        entries = json.loads(curl(f"{self.page}.json")[2])["file_descriptions"]
        [iri] = [each["@id"] for each in entries if each["path"] == "counts.csv"]
        return self.base + str(iri).removeprefix(BASE)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    service = Service(tmp_path_factory.mktemp("public"))
    service.root.mkdir()
    environment = service.environment(DJANGO_SETTINGS_MODULE="catalog.settings")
    command = [sys.executable, "-m", "tests.catalog.public.served"]
    made = subprocess.run(command, env=environment, cwd=CHECKOUT, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    with service.serving(FAIRFOLDER_BASE_URL=BASE) as serving:
        yield Live(serving, serving.url.rstrip("/"), made.stdout)


def curl(*arguments: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body, as curl has them."""
    done = subprocess.run(["curl", "-s", "-S", "-i", *arguments], capture_output=True, check=True, timeout=120)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}, body


def test_curl_with_every_accept(live: Live) -> None:
    assert len(ACCEPTS) >= 30
    for accept, suffix in ACCEPTS:
        name = f"{live.base}/id/dataset/{live.identifier}"
        header = ["-H", "Accept:"] if accept is None else ["-H", f"Accept: {accept}" if accept else "Accept;"]
        status, headers, body = curl(*header, name)
        assert status == (406 if suffix == NONE else 303), accept
        if suffix == NONE:
            assert b"text/turtle" in body
            continue
        location = headers["location"]
        assert location == f"/datasets/{live.identifier}" + (f".{suffix}" if suffix else ""), accept
        status, headers, body = curl(live.base + location)
        assert status == 200
        assert int(headers["content-length"]) == len(body)


@pytest.mark.parametrize("suffix", ["", "/linkset", *(f".{each.suffix}" for each in FORMATS)])
def test_head_is_get_without_the_body(live: Live, suffix: str) -> None:
    got, asked = curl(live.page + suffix), curl("-I", live.page + suffix)
    ours = (
        "content-length",
        "content-type",
        "etag",
        "last-modified",
        "link",
        "cache-control",
        "access-control-allow-origin",
    )
    assert {name: asked[1].get(name) for name in ours} == {name: got[1].get(name) for name in ours}
    assert got[0] == asked[0] == 200
    assert asked[2] == b""


def test_a_download_in_pieces_is_the_whole(live: Live) -> None:
    address = live.file
    status, headers, whole = curl(address)
    assert (status, len(whole)) == (200, int(headers["content-length"]))
    parts = [curl("-r", span, address) for span in ("0-99", "100-", "-1")]
    assert [each[0] for each in parts] == [206, 206, 206]
    assert parts[0][2] + parts[1][2] == whole
    assert parts[2][2] == whole[-1:]
    assert curl("-H", f"If-None-Match: {headers['etag']}", address)[0] == 304
    status, asked, body = curl("-I", address)
    assert (status, asked["content-length"], body) == (200, headers["content-length"], b"")


def test_the_library_of_signposting_finds_everything(live: Live) -> None:
    found = signposting.find_signposting_http(live.page)
    assert found.citeAs is not None
    assert found.citeAs.target == f"{BASE}/id/dataset/{live.identifier}"
    assert {each.target for each in found.authors} == {ORCID}
    assert {each.target for each in found.types} == {"https://schema.org/AboutPage", "https://schema.org/Dataset"}
    assert found.license is not None
    assert found.license.target == "https://spdx.org/licenses/CC-BY-4.0"
    assert len(found.describedBy) == len(FORMATS)
    assert len(found.items) == 2
    assert {each.type for each in found.items} >= {"text/csv", "text/plain"}
    assert found.collection is not None
    assert {each.type for each in found.linksets} == {"application/linkset", "application/linkset+json"}


@pytest.mark.parametrize("media_type", ["application/linkset", "application/linkset+json"])
def test_both_link_sets_hold_the_same_links(live: Live, media_type: str) -> None:
    found = signposting.find_signposting_linkset(f"{live.page}/linkset", acceptType=media_type)
    page = found.for_context(f"{BASE}/datasets/{live.identifier}")
    assert len(page.items) == 2
    assert len(page.describedBy) == len(FORMATS)
    file = found.for_context(live.file.replace(live.base, BASE))
    assert file.collection is not None
    assert file.collection.target == f"{BASE}/datasets/{live.identifier}"


def test_a_path_that_climbs_leads_nowhere(live: Live) -> None:
    file = live.file.removeprefix(live.base)
    for path in (
        f"{file}/../../../etc/passwd", f"{file}%2f..%2f..", "/id/file/..%2f..%2fetc%2fpasswd",
        f"{file}%00", f"/datasets/{live.identifier}.../../x", f"/datasets/{live.identifier}.ttl%00.json",
        "/contexts/..%2f..%2fcatalog%2fsettings/1.0.0.jsonld", "/schemas/..%5c..%5cx/1.0.0", "/id/file/" + "a" * 5000,
    ):  # fmt: skip
        status, _, body = curl("--path-as-is", live.base + path)
        assert status in (400, 404), path
        assert b"root:" not in body


def test_contexts_schemas_and_terms_are_open(live: Live) -> None:
    for path, media_type in (
        ("/contexts/dcat/1.0.0.jsonld", "application/ld+json"),
        ("/schemas/dataset_administrative/1.0.0", "application/schema+json"),
        ("/terms", "text/turtle; charset=utf-8"),
    ):
        status, headers, body = curl(live.base + path)
        assert (status, headers["content-type"], headers["access-control-allow-origin"]) == (200, media_type, "*")
        assert body
        assert curl("-H", f"If-None-Match: {headers['etag']}", live.base + path)[0] == 304
    assert b"<!doctype html>" in curl("-H", "Accept: text/html", f"{live.base}/terms")[2]
    assert curl(f"{live.base}/contexts/nothing/1.0.0.jsonld")[0] == 404

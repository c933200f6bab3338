"""Records packed for whoever takes gzip: the same bytes, told apart from those that are not packed."""

from __future__ import annotations

import gzip

import pytest
from django.test import Client

from catalog.formats import rendered
from tests.catalog.public.shown import Shown

pytestmark = pytest.mark.django_db
TAKEN = ("gzip", "gzip, deflate, br", "br;q=1.0, GZIP;q=0.5", "*", "deflate;q=no, gzip")
NOT_TAKEN = (None, "", "identity", "br", "gzip;q=0", "*;q=0", "gzip;q=0, *", "gzip;q=none")


def addresses(shown: Shown) -> list[str]:
    page = f"/datasets/{shown.identifier}"
    return [page, f"{page}.ttl", f"{page}.schemaorg.jsonld", f"{page}/linkset", "/dcat/catalog"]


def test_who_takes_gzip_gets_the_same_bytes_packed(shown: Shown) -> None:
    for address in addresses(shown):
        plain = Client().get(address)
        assert (plain.status_code, plain.get("Content-Encoding")) == (200, None), address
        packed = Client().get(address, headers={"Accept-Encoding": "gzip"})
        assert (packed.status_code, packed["Content-Encoding"]) == (200, "gzip"), address
        assert gzip.decompress(packed.content) == plain.content
        assert int(packed["Content-Length"]) == len(packed.content) < len(plain.content)
        assert packed["ETag"] != plain["ETag"]
        for answer in (plain, packed):
            assert "Accept-Encoding" in answer["Vary"], address
        assert {n: v for n, v in plain.items() if n not in ("ETag", "Content-Length")} == {
            n: v for n, v in packed.items() if n not in ("ETag", "Content-Length", "Content-Encoding")
        }


@pytest.mark.parametrize("accepted", [*TAKEN, *NOT_TAKEN])
def test_only_who_says_so_gets_it(shown: Shown, accepted: str | None) -> None:
    headers = {} if accepted is None else {"Accept-Encoding": accepted}
    answer = Client().get(f"/datasets/{shown.identifier}.ttl", headers=headers)
    assert answer.get("Content-Encoding") == ("gzip" if accepted in TAKEN else None)


def test_each_is_known_by_its_own_etag(shown: Shown) -> None:
    address = f"/datasets/{shown.identifier}.ttl"
    plain, packed = Client().get(address), Client().get(address, headers={"Accept-Encoding": "gzip"})
    for accepted, tag, status in (
        ("gzip", packed["ETag"], 304),
        ("gzip", plain["ETag"], 200),
        ("", plain["ETag"], 304),
        ("", packed["ETag"], 200),
    ):
        answer = Client().get(address, headers={"Accept-Encoding": accepted, "If-None-Match": tag})
        assert answer.status_code == status, (accepted, tag)
        assert status == 200 or (answer["ETag"], answer.content) == (tag, b"")
    head = Client().head(address, headers={"Accept-Encoding": "gzip"})
    assert (head["Content-Encoding"], head["Content-Length"], head.content) == ("gzip", packed["Content-Length"], b"")


def test_it_is_packed_once(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    packed: list[int] = []
    pack = gzip.compress

    def counted(data: bytes, *rest: int, mtime: int) -> bytes:
        packed.append(len(data))
        return pack(data, *rest, mtime=mtime)

    monkeypatch.setattr("catalog.formats.rendered.gzip.compress", counted)
    for _ in range(3):
        Client().get(f"/datasets/{shown.identifier}.nt", headers={"Accept-Encoding": "gzip"})
        rendered.forget()
    assert len(packed) == 1


def test_a_refusal_is_not_packed(shown: Shown) -> None:
    answer = Client().get("/datasets/00000000-0000-4000-8000-000000000000.ttl", headers={"Accept-Encoding": "gzip"})
    assert (answer.status_code, answer.get("Content-Encoding")) == (404, None)

"""Every address of ours that stands in a public output can be followed, and names lead to RDF that speaks of them."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator

import pyoxigraph
import pytest
from django.test import Client

from catalog.formats import dumping
from catalog.formats.table import FORMATS
from catalog.publishing.site import site
from tests.catalog.public.shown import Shown
from tests.catalog.publishing import example

BASE = "http://127.0.0.1:8000"
_IRI = re.compile(rf"{BASE}[^\s\"'<>\\{{}}|^`]*")
CATALOG = ("/dcat/catalog?format=nq", "/.well-known/void", "/id/catalog", "/sitemap.xml", "/robots.txt")
TURTLE = {"accept": "text/turtle"}


def outputs(shown: Shown, client: Client) -> Iterator[str]:
    """The text of every way out, headers included."""
    addresses = [f"{shown.page}.{each.suffix}" for each in FORMATS]
    addresses += [shown.page, *CATALOG, "/sparql", *(shown.file(path) for path in shown.ids)]
    for address in addresses:
        answer = client.head(address) if address.startswith("/id/file/") else client.get(address, headers=TURTLE)
        yield f"{answer.content.decode()} {answer.get('Link', '')} {answer.get('Location', '')}"
    for kind in ("application/linkset+json", "application/linkset"):
        yield client.get(f"{shown.page}/linkset", headers={"accept": kind}).content.decode()


def named(shown: Shown, client: Client) -> dict[str, set[str]]:
    """Address without its fragment → the IRIs that begin with it."""
    found: dict[str, set[str]] = {}
    for text in outputs(shown, client):
        text = text.replace(f'void:uriSpace "{BASE}/id/"', "")  # what names begin with is none
        for iri in _IRI.findall(text.replace("\\/", "/").replace("&amp;", "&")):
            found.setdefault(iri.rstrip(".,;)").partition("#")[0], set()).add(iri.rstrip(".,;)"))
    return found


def nodes(content: bytes) -> set[str]:
    """The IRIs of a Turtle document."""
    triples = pyoxigraph.parse(content, format=pyoxigraph.RdfFormat.TURTLE)
    terms = [term for each in triples for term in (each.subject, each.predicate, each.object)]
    return {term.value for term in terms if isinstance(term, pyoxigraph.NamedNode)}


@pytest.fixture
def wide(shown: Shown) -> Shown:
    """Its data objects name the files that are there, as publishing has it."""
    value = copy.deepcopy(example.published().value)
    there = set(shown.ids.values())
    for each in value["data_objects"]:
        for holder, key in ((each, "file_identifiers"), (each["experiment"], "outputs")):
            holder[key] = [name for name in holder[key] if name in there]
    shown.publish(data_objects=value["data_objects"])
    return shown


def test_no_address_of_ours_leads_to_nothing(wide: Shown, client: Client) -> None:
    found = named(wide, client)
    kinds = {each.removeprefix(f"{BASE}/id/").partition("/")[0] for each in found if each.startswith(f"{BASE}/id/")}
    assert kinds >= {"agent", "catalog", "dataobject", "dataset", "file", "instrument", "project", "record", "run"}
    assert "variable" in kinds
    dumping.build(site())
    wrong = {}
    for address in sorted(found):
        path = address.removeprefix(BASE) or "/"
        ask = client.head if path.startswith("/id/file/") else client.get
        answer = ask(path, headers={"accept": "text/turtle, text/html;q=0.5, */*;q=0.1"})
        if answer.status_code not in (200, 302, 303):
            wrong[path] = answer.status_code
    assert wrong == {}


def test_the_name_of_each_thing_leads_to_turtle_that_speaks_of_it(wide: Shown, client: Client) -> None:
    """A part of a thing (a fragment) is told in the vocabulary that names it."""
    silent = {}
    either = nodes(client.get(f"{wide.page}.ttl").content) | nodes(client.get(f"{wide.page}.prov.ttl").content)
    for address, iris in sorted(named(wide, client).items()):
        path = address.removeprefix(BASE)
        if not path.startswith("/id/") or path.startswith("/id/file/"):
            continue
        answer = client.get(client.get(path, headers=TURTLE)["Location"], headers=TURTLE)
        assert answer.status_code == 200, path
        assert answer["Content-Type"].startswith("text/turtle"), path
        whole = nodes(answer.content)
        if left := {each for each in iris if each not in (either if "#" in each else whole) | whole}:
            silent[path] = left
    assert silent == {}

"""The page to ask in SPARQL: accessible, quiet, no wider than the screen, light and dark; usable without a script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect
from pyoxigraph import Literal, NamedNode, Quad

from tests.catalog.hostile import CORPUS
from tests.catalog.sparql.endpoint import BASE, Endpoint, endpoint
from tests.journeys.browsing import CHROMIUM, FEW, barriers, open_page, says

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

NODE = "http://example.org/middle"
_EVERY = quote("SELECT ?s ?p ?o WHERE { ?s ?p ?o }")
_TRIPLES = quote("CONSTRUCT WHERE { ?s ?p ?o }")
ADDRESSES = (
    "/sparql",
    f"/sparql?query={_EVERY}",
    f"/sparql?query={_TRIPLES}",
    f"/sparql?query={quote('ASK {}')}",
    f"/sparql?query={quote('SELECT * WHERE { ?s ?p ')}",
    f"/sparql?query={quote('SELECT * WHERE { <urn:none> ?p ?o }')}",
    "/sparql/picture",
    f"/sparql/picture?node={quote(NODE)}",
    "/sparql/picture?node=urn:none",
    "/sparql/picture?node=no+iri",
)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with endpoint(tmp_path_factory.mktemp("page")) as found:
        graph, middle = NamedNode(f"{BASE}/id/record/1"), NamedNode(NODE)
        title, near = NamedNode("http://purl.org/dc/terms/title"), NamedNode("http://example.org/near")
        quads = [
            Quad(
                middle, title, Literal("The middle of a title that is much too long for its box", language="en"), graph
            )
        ]
        for number in range(14):
            other = NamedNode(f"http://example.org/other/{number}")
            quads.append(Quad(middle, near, other, graph) if number % 2 else Quad(other, near, middle, graph))
            quads.append(Quad(other, title, Literal(CORPUS[number % len(CORPUS)].replace("\0", "")), graph))
        quads += [
            Quad(middle, NamedNode("http://example.org/says"), Literal(text.replace("\0", "")), graph)
            for text in CORPUS
        ]
        found.put(*quads)
        yield found


@pytest.mark.timeout(300)
def test_the_page_to_ask_is_accessible_quiet_and_fits_the_screen(asked: Endpoint, browser: Browser) -> None:
    base = f"http://127.0.0.1:{asked.port}"
    wrong = []
    watched = open_page(browser, base)
    for address in ADDRESSES:
        watched.page.goto(base + address)
        for scheme, size in FEW:
            watched.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            watched.page.set_viewport_size(size)  # type: ignore[arg-type]
            over = watched.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if over > 0:
                wrong.append(f"{address} is wider than {size['width']} px by {over}")
            if found := barriers(watched.page):
                wrong.append(f"{address}, {scheme}: {found}")
    wrong += watched.wrong
    watched.page.context.close()
    assert wrong == []


def test_somebody_asks_without_a_script(asked: Endpoint, browser: Browser) -> None:
    base = f"http://127.0.0.1:{asked.port}"
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{base}/sparql")
    page.get_by_label("Query").fill(f"SELECT ?o WHERE {{ <{NODE}> <http://example.org/near> ?o }} ORDER BY ?o")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("columnheader")).to_have_text(["o"])
    expect(page.get_by_role("row")).to_have_count(8)
    assert page.get_by_label("Query").input_value().startswith("SELECT ?o WHERE")
    page.get_by_role("link", name="around it").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"^\s*Around "))
    page.goto(f"{base}/sparql")
    page.get_by_role("link", name="Datasets by instrument").click()
    says(page, "Nothing in the graph fits this query.", "body")
    with page.expect_download() as saved:
        page.goto(f"{base}/sparql?query={_EVERY}")
        page.get_by_role("link", name="CSV").click()
    assert saved.value.path().read_text().startswith("s,p,o")
    context.close()

"""FA-67: hostile text in every field of every record, and no page, form or admin page runs any of it."""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from ingest.documents import ADMINISTRATIVE, EXPERIMENT, INSTRUMENT, PROJECT, STRUCTURAL
from tests.catalog.service import Service, eventually
from tests.journeys import hostile_records
from tests.journeys.browsing import CHROMIUM, Watched, chromium, sign_in
from tests.journeys.hostile_records import EVERYTHING, VARIANTS

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

NAME = "<img src=x onerror=__hit(40)>'\".csv"
MOST_ALIKE, MOST_ALIKE_IN_ADMIN = 3, 2  # so many pages of one kind are looked at
# What would run on a click or as the pointer passes, besides what runs by itself.
LATENT = """() => [...document.querySelectorAll('*')].flatMap((e) => [...e.attributes].filter((a) =>
    /^on|^hx-on|^data-hx/i.test(a.name) || a.name === 'srcdoc' || (a.name === 'style' && !e.closest('svg, .leaflet'))
    || (/^(href|src|action|formaction|xlink:href|hx-(get|post|put|delete|patch))$/i.test(a.name)
        && /^[\\s\\u0000-\\u001f]*(javascript|data|vbscript):/i.test(a.value)))
    .map((a) => `${e.tagName} ${a.name}=${a.value.slice(0, 80)}`))
  .concat([...document.querySelectorAll('script:not([src])')].filter((e) => !/json$/.test(e.type))
    .map((e) => e.outerHTML))"""


def test_hostile_text_in_every_field_runs_nowhere(tmp_path: Path) -> None:
    service = Service(tmp_path)
    service.root.mkdir()
    for number in range(len(VARIANTS)):
        folder = service.root / f"p_{number}" / "heat"
        folder.mkdir(parents=True)
        (folder / NAME).write_text(f'{NAME},"<script>__hit(41)</script>"\n"{{{{7*7}}}}",2\n')
        (folder / "notes.txt").write_text(EVERYTHING, errors="replace")
        (folder / "data.json").write_text(json.dumps({EVERYTHING: EVERYTHING}))
    service.run("reconcile")
    with service.serving() as serving, chromium() as browser:
        watched = sign_in(browser, serving.url, "admin", serving.value["password"])
        watched.may_be_asked_to_stay = True
        for number, texts in enumerate(VARIANTS):
            _poison(service, watched, f"p_{number}", texts)
        _type_what_is_refused(watched, service)
        seen = _visit(watched, serving.url)
        _go_on_after_a_conflict(browser, watched, service)
    assert watched.wrong == []
    kinds = {re.sub(r"[0-9a-f-]{36}|\d+", "#", urlsplit(each).path) for each in seen}
    assert {"/projects/#/", "/datasets/#/", "/files/#/", "/runs/#/", "/instruments/#/", "/edit/dataset/#/"} <= kinds
    assert {"/runs/#/revisions/#/", "/review/dataset/#/", "/admin/catalog/dataset/"} <= kinds, sorted(kinds)


def _poison(service: Service, watched: Watched, project: str, texts: Any) -> None:
    """Every record of a project, its run and an instrument of its own: made by the pages, filled with an editor."""
    page = watched.page
    dataset = _read(service, f"{project}/heat/.metadata/{ADMINISTRATIVE}.json")["dataset_identifier"]
    watched.go("instruments/new/").get_by_label("Name").fill(f"{texts[0][:150]} {project}".replace("\n", " "))
    page.locator("#name").evaluate(
        "e => { e.value = [...e.value].filter((c) => c > '\\u001f' && c !== '\\u007f').join('') }"
    )
    page.get_by_role("button", name="Add it").click()
    page.wait_for_url(re.compile("/edit/instrument/"))
    instrument = page.url.rstrip("/").rpartition("/")[2]
    (path,) = (p for p in service.root.glob(".metadata/instruments/*/*.json") if instrument in p.read_text())
    _write(path, hostile_records.record(INSTRUMENT, json.loads(path.read_bytes()), texts))
    watched.go(f"datasets/{dataset}/runs/new/").get_by_label("What is it called?").fill(f"</script>{project}")
    page.get_by_label("Plain run").check()
    page.get_by_label("Every file that no other run has").check()
    page.get_by_role("button", name="Start the run").click()
    page.wait_for_url(re.compile("/edit/run/"))
    for kind, place in (
        (PROJECT, f"{project}/.metadata"),
        (ADMINISTRATIVE, f"{project}/heat/.metadata"),
        (STRUCTURAL, f"{project}/heat/.metadata"),
        (EXPERIMENT, f"{project}/heat/.metadata/runs/*"),
    ):
        (path,) = service.root.glob(f"{place}/{kind}.json")
        fixed = {"instruments_used": [instrument]} if kind == EXPERIMENT else {}
        _write(path, hostile_records.record(kind, json.loads(path.read_bytes()), texts, **fixed))
    eventually(lambda: list(service.root.glob(f"{project}/heat/.metadata/runs/*/data_object_*.json")))
    page.goto(f"{watched.base}review/dataset/{dataset}/")
    page.locator("textarea").fill(texts[0])
    with page.expect_navigation():
        page.get_by_role("button", name=re.compile("Send for review")).click()


def _type_what_is_refused(watched: Watched, service: Service) -> None:
    """What no schema lets in comes back in the form with its reason, checked as it is typed and again when saved."""
    record = _read(service, f"p_2/heat/.metadata/{ADMINISTRATIVE}.json")
    page = watched.go(f"edit/dataset/{record['dataset_identifier']}/")
    page.locator("[name='/access_contact/orcid'], [name='/data_steward/email']").first.evaluate(
        "e => { e.closest('details') && (e.closest('details').open = true) }"
    )
    text = '"><img src=x onerror=__hit(50)><script>__hit(51)</script>'
    with page.expect_response(re.compile("/check$")):
        page.locator("[name='/data_steward/email']").fill(text)
        page.locator("[name='/dataset_title']").focus()
    page.evaluate("(t) => document.querySelectorAll('#form input[type=text]').forEach((e) => { e.value = t })", text)
    with page.expect_navigation():
        page.get_by_role("button", name="Save", exact=True).locator("visible=true").click()
    _look(watched)


def _visit(watched: Watched, base: str) -> set[str]:
    """Every page that links lead to from the first pages, a few of each kind."""
    starts = ["", "admin/", "instruments/", "status/", "profile/", "nothing/" + quote(EVERYTHING[:300], safe="")]
    starts += [f"why/?path={quote(text)}" for text in ("p_0/heat/" + NAME, EVERYTHING[:500])]
    starts += [f"instruments/?name={quote(EVERYTHING[:300])}", f"?name={quote(EVERYTHING[:300])}"]
    queue, seen, alike = deque(base + each for each in starts), set(), Counter[str]()
    while queue:
        address = queue.popleft()
        parts = urlsplit(address)
        queries = set() if "/admin/" in parts.path else set(re.findall(r"(?:^|&)([a-z_]+)=", parts.query))
        shape = re.sub(r"[0-9a-f-]{36}|\d+", "#", parts.path) + "?" + "&".join(sorted(queries - {"name", "path"}))
        most = MOST_ALIKE_IN_ADMIN if "/admin/" in parts.path else MOST_ALIKE
        if address in seen or not address.startswith(base) or alike[shape] >= most:
            continue
        if re.search(r"\.json$|/preview$|/logout/|jsi18n", parts.path):
            continue
        seen.add(address)
        alike[shape] += 1
        watched.page.goto(address, wait_until="domcontentloaded")
        _look(watched)
        links = watched.page.eval_on_selector_all("a[href]", "all => all.map((e) => e.getAttribute('href'))")
        queue.extend(urljoin(address, link).partition("#")[0] for link in links)
    return seen


def _look(watched: Watched) -> None:
    """Nothing on the page ran, and nothing waits to run."""
    found = watched.page.evaluate(LATENT)
    assert found == [], f"{watched.page.url}: {found}"
    assert watched.wrong == []


def _go_on_after_a_conflict(browser: Browser, watched: Watched, service: Service) -> None:
    record = _read(service, f"p_0/.metadata/{PROJECT}.json")
    page: Page = watched.go(f"edit/project/{record['project_identifier']}/")
    page.locator("[name='/project_description']").fill(EVERYTHING)
    path = service.root / f"p_0/.metadata/{PROJECT}.json"
    _write(path, {**record, "project_description": f"</textarea>{hostile_records.PLAIN}"})
    with page.expect_response(lambda answer: answer.status == 412), page.expect_navigation():
        page.get_by_role("button", name="Save", exact=True).locator("visible=true").click()
    _look(watched)


def _read(service: Service, path: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((service.root / path).read_bytes())
    return value


def _write(path: Path, value: dict[str, Any]) -> None:
    draft = path.with_name(f"{path.name}.tmp~")
    draft.write_text(json.dumps(value))
    draft.replace(path)

"""A walk past every page of a small, furnished service, for whoever looks at each: the check of access, the camera."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.catalog.service import Service, Serving, eventually
from tests.journeys import story
from tests.journeys.browsing import Watched, open_page, sign_in
from tests.journeys.hands import Mouse
from tests.journeys.story import DATASET, PROJECT, Researcher

MANIFEST = f"{DATASET}/.metadata/dataset_structural.json"


@dataclass
class Furnished:
    """A served folder in which a whole run was described, then a data file changed and a revision was written."""

    service: Service
    serving: Serving
    password: str
    addresses: dict[str, str]

    @property
    def url(self) -> str:
        return self.serving.url


@contextmanager
def furnished(base: Path, browser: Browser) -> Iterator[Furnished]:
    """The demo's data beside a project of one's own."""
    (base / "data").mkdir()
    service = Service(base)
    assert service.run("demo", "--unpublished").code == 0
    with service.serving() as serving:
        folder = service.root / DATASET
        folder.mkdir(parents=True)
        for number in range(2):
            (folder / f"plate_{number}.csv").write_text("well,absorbance\nA1,0.12\nA2,0.48\n")
        password = service.run("user", "add", "rosa", "--role", "member", "--json").value["password"]
        for project in (PROJECT, "p_demo"):
            eventually(lambda project=project: service.run("user", "join", "rosa", project).code == 0)
        manifest = service.root / MANIFEST
        eventually(lambda: manifest.is_file() and "plate_1.csv" in manifest.read_text())
        house = Furnished(service, serving, password, {})
        _live_in(house, browser)
        yield house


def _live_in(house: Furnished, browser: Browser) -> None:
    who = Researcher(open_page(browser, house.url), Mouse())
    story.sign_in(who, "rosa", house.password)
    story.say_who_one_is(who)
    story.describe_the_project(who)
    story.describe_the_dataset(who)
    instrument = story.describe_an_instrument(who)
    story.start_a_run(who)
    house.addresses["edit-run"] = who.page.url
    story.complete_the_run(who)
    run = eventually(lambda: house.addresses["edit-run"].rstrip("/").rpartition("/")[2])
    plate = house.service.root / DATASET / "plate_0.csv"
    plate.write_text("well,absorbance\nA1,0.13\nA2,0.51\n")
    eventually(lambda: "outdated" in who.watched.go(f"runs/{run}/").inner_text("main"))
    house.addresses["run-outdated"] = f"runs/{run}/"
    dataset = story.read(house.service, MANIFEST)["dataset_identifier"]
    project = story.read(house.service, MANIFEST)["associated_project_identifier"]
    file = story.read(house.service, MANIFEST)["file_descriptions"][0]["file_identifier"]
    demo = {path.parent.parent.name: story.read(house.service, str(path.relative_to(house.service.root)))
            for path in house.service.root.glob("p_demo/*/.metadata/dataset_structural.json")}  # fmt: skip
    picture = [each["file_identifier"] for value in demo.values() for each in value["file_descriptions"]
               if each["path"] == "penguins.csv"]  # fmt: skip
    house.addresses |= {
        "projects": "",
        "project": f"projects/{project}/",
        "members": f"projects/{project}/members/",
        "dataset": f"datasets/{dataset}/",
        "dataset-demo": f"datasets/{demo['air_temperature_mpi_esm']['dataset_identifier']}/",
        "files": f"datasets/{dataset}/files/",
        "file": f"files/{picture[0] if picture else file}/",
        "start-run": f"datasets/{dataset}/runs/new/",
        "run-files": f"runs/{run}/files/",
        "revision": f"runs/{run}/revisions/1/",
        "instruments": "instruments/",
        "instrument": f"instruments/{instrument}/",
        "new-instrument": "instruments/new/",
        "edit-project": f"edit/project/{project}/",
        "edit-dataset": f"edit/dataset/{dataset}/",
        "edit-files": f"edit/files/{dataset}/",
        "edit-run": f"edit/run/{run}/",
        "review": f"review/dataset/{dataset}/",
        "publish": f"datasets/{dataset}/publish/",
        "history": f"history/dataset/{dataset}/",
        "history-version": f"history/dataset/{dataset}/version/",
        "file-history": f"files/{file}/history/",
        "profile": "profile/",
        "password": "profile/password/",
        "second-factor": "profile/second-factor/",
        "why": "why/?path=p_Alpha/heat_shock/plate_0.csv",
        "not-found": "nothing/",
    }
    who.watched.close()


def pages(house: Furnished, browser: Browser, only: Collection[str] = ()) -> Iterator[tuple[str, Watched]]:
    """Every page, each in the state in which it has most to show."""
    who = sign_in(browser, house.url, "rosa", house.password)
    who.may_be_asked_to_stay = True
    for name, address in house.addresses.items():
        if not only or name in only:
            who.go(address)
            yield name, who
    yield from _states(house, browser, who)
    who.close()
    yield from _doors(house, browser)
    yield from _curating(house, browser)


def _states(house: Furnished, browser: Browser, who: Watched) -> Iterator[tuple[str, Watched]]:
    """Pages that come only as the answer to something."""
    page = who.go(house.addresses["run-outdated"])
    page.get_by_role("button", name="Write a new revision").click()
    page.get_by_role("link", name="Revision 2", exact=True).wait_for()
    yield "run", who
    with page.expect_navigation():
        page.get_by_role("link", name="Revision 2", exact=True).click()
    yield "revision-2", who
    page = who.go(house.addresses["start-run"])
    page.get_by_role("button", name="Start the run").evaluate("e => { e.form.noValidate = true; e.click() }")
    page.get_by_text("The run has not begun yet.").wait_for()
    yield "start-run-refused", who
    page.get_by_label("What is it called?").fill("Second replicate")
    page.get_by_label("Microscopy").check()
    page.get_by_label("Every file that no other run has").check()
    page.get_by_role("button", name="Start the run").click()
    page.wait_for_url(re.compile("/edit/run/"))
    page.locator("button[value='add:/experimenters']").click()
    page.locator("[name='/experimenters/1/orcid']").fill("0000-0002-1825-0098")
    page.locator("[name='/experimenters/1/name']").fill("Josiah Carberry")
    page.locator(".field-error p").first.wait_for()
    yield "edit-run-draft", who
    run = page.url.rstrip("/").rpartition("/")[2]
    page.get_by_role("button", name="Mark complete").click()
    page.locator(".notice.bad, .notice.wait").first.wait_for()
    yield "edit-run-not-complete", who
    page = who.go(f"runs/{run}/")
    page.get_by_role("button", name="Mark complete").click()
    page.get_by_role("heading", name="Not complete yet").wait_for()
    yield "not-complete", who
    yield from _conflict(house, browser, who)


def _conflict(house: Furnished, browser: Browser, who: Watched) -> Iterator[tuple[str, Watched]]:
    page = who.go(house.addresses["edit-project"])
    page.locator("[name='/project_title']").fill("Heat shock response in Arabidopsis seedlings")
    page.locator("[name='/data_storage_strategy']").fill("On the group's share, mirrored nightly.")
    other = sign_in(browser, house.url, "admin", house.serving.value["password"])
    theirs = other.go(house.addresses["edit-project"])
    theirs.locator("[name='/project_title']").fill("Heat shock response, first year")
    theirs.locator("[name='/data_collection_method']").fill("Absorbance, read every ten minutes.")
    theirs.get_by_role("button", name="Save", exact=True).locator("visible=true").click()
    theirs.get_by_text("Saved.").wait_for()
    other.close()
    page.get_by_role("button", name="Save", exact=True).locator("visible=true").click()
    page.get_by_role("heading", name=re.compile("Someone else changed")).wait_for()
    yield "merge", who


def _doors(house: Furnished, browser: Browser) -> Iterator[tuple[str, Watched]]:
    stranger = open_page(browser, house.url)
    stranger.go("login/")
    yield "login", stranger
    for _ in range(12):
        page = stranger.go("login/")
        page.get_by_label("User name").fill("nobody")
        page.get_by_label("Password").fill("wrong")
        with page.expect_navigation():
            page.get_by_role("button", name="Sign in").click()
        if page.get_by_text(re.compile("too many|locked|Too many")).count():
            break
    yield "locked-out", stranger
    stranger.close()


def _curating(house: Furnished, browser: Browser) -> Iterator[tuple[str, Watched]]:
    """What curators and administrators see."""
    dataset = house.addresses["review"]
    rosa = sign_in(browser, house.url, "rosa", house.password)
    rosa.go(dataset).locator("textarea").fill("The abstract is new.")
    with rosa.page.expect_navigation():
        rosa.page.get_by_role("button", name=re.compile("Send for review")).click()
    rosa.close()
    admin = sign_in(browser, house.url, "admin", house.serving.value["password"])
    admin.may_be_asked_to_stay = True
    for name, address in {
        "status": "status/",
        "tokens": "profile/tokens/",
        "admin": "admin/",
        "admin-projects": "admin/catalog/project/",
        "admin-datasets": "admin/catalog/dataset/",
        "admin-files": "admin/catalog/file/",
        "admin-runs": "admin/catalog/run/",
        "admin-instruments": "admin/catalog/instrument/",
        "admin-accounts": "admin/auth/user/",
        "review-queue": "admin/catalog/review/",
    }.items():
        admin.go(address)
        yield name, admin
    with admin.page.expect_navigation():
        admin.page.locator("#result_list tbody a").first.click()
    yield "admin-review", admin
    page = admin.go("admin/catalog/dataset/")
    with page.expect_navigation():
        page.locator("#result_list tbody th a").first.click()
    yield "admin-form", admin
    page = admin.go("admin/catalog/dataset/")
    page.locator("#action-toggle").check()
    yield from _bulk(admin, page)
    admin.close()


def _bulk(admin: Watched, page: Page) -> Iterator[tuple[str, Watched]]:
    options = page.locator("select[name=action] option").all_inner_texts()
    wanted = next(each for each in options if re.search("change|edit", each, re.I))
    page.locator("select[name=action]").select_option(label=wanted)
    page.locator("button[name=index]").click()
    page.get_by_label("Keywords").check()
    page.get_by_role("button", name="Next").click()
    page.get_by_label("What to do").select_option(index=1)
    page.get_by_label("Values, one on each line").fill("climate\nheat shock")
    yield "bulk", admin
    with page.expect_navigation():
        page.get_by_role("button", name="Preview").click()
    yield "bulk-preview", admin


def look(page: Page, scheme: str, size: dict[str, int]) -> None:
    """The same page in another light, on another screen."""
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.evaluate("() => Promise.allSettled(document.getAnimations().map((each) => each.finished)).then(() => 0)")

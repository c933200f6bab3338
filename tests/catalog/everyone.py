"""Everyone who may ask, and two projects with everything in them: what tests of rights are asked of."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from PIL import Image

from catalog import accounts, index
from catalog.models import ChangeLog, Dataset, Document, File, Instrument, Project, Run
from catalog.models.work import BulkChange, PlannedChange, Review
from ingest import blanks, documents, revisions
from tests.catalog.recorded import Past
from tests.catalog.tree import AUDIT, Tree, entry, identifier, put

# The outsider is a member who is a researcher of p_Beta, the researcher a member who is one of p_Alpha.
PEOPLE = ("stranger", "outsider", "viewer", "researcher", "curator", "administrator")


@dataclass(frozen=True)
class World:
    """Two projects with everything in them, and everyone who may ask; `ids` by kind: absent, p_Alpha's, p_Beta's."""

    tree: Tree
    people: Mapping[str, Client]
    users: Mapping[str, User]
    ids: Mapping[str, tuple[str, str, str]]


def populated(tree: Tree) -> World:
    for number, letter in enumerate(("Alpha", "Beta")):
        folder = f"p_{letter}"
        tree.project(folder, 1 + 10 * number, project_title=f"{letter}-secret")
        picture = tree.root / folder / "plate" / f"{letter}.png"
        picture.parent.mkdir()
        Image.new("RGB", (40, 30), "teal").save(picture)
        written = datetime.fromisoformat(entry("x")["modified_utc"]).timestamp()
        os.utime(picture, (written, written))
        entries = [entry(f"{letter}.csv"), entry(picture.name, picture.stat().st_size, "image/png")]
        dataset = tree.dataset(f"{folder}/plate", entries, 2 + 10 * number)
        run = identifier("run", letter)
        value = {**blanks.experiment_template(run, "run_1", dataset, "en"), **AUDIT}
        document = put(documents.run_document(tree.root, f"{folder}/plate", "run_1"), value)
        revision = {"data_object_identifier": revisions.data_object(run), "revision": 1}
        put(document.with_name(revisions.revision_name("run_1", 1)), revision)
        instrument = identifier("instrument", letter)
        slug = f"scope-{letter.lower()}"
        put(documents.instrument_document(tree.root, slug), {**blanks.instrument_template(instrument, "en"), **AUDIT})
    index.refresh(tree.documents())
    Past(tree.root).begin().commit("Describe everything", by="")
    users = _people()
    for name in ("curator", "administrator"):
        PlannedChange.objects.create(
            made_by=users[name], word="project", identifiers=[identifier("project", "p_Alpha")]
        )
        BulkChange.objects.create(made_by=users[name], words="nothing", changes=[])
    for folder in ("p_Alpha", "p_Beta"):
        number = identifier("project", folder)
        Review.objects.create(kind=documents.PROJECT, identifier=number, project_identifier=number, etag="x")
    clients = {"stranger": Client()}
    for name, user in users.items():
        clients[name] = Client()
        clients[name].handler = clients["stranger"].handler  # the middleware is loaded once for all of them
        clients[name].force_login(user)
    return World(tree, clients, users, _ids(users))


def _people() -> dict[str, User]:
    roles = ("member", "viewer", "member", "curator", "admin")
    users = {}
    for name, role in zip(PEOPLE[1:], roles, strict=True):
        accounts.add(name, role)
        users[name] = accounts.named(name)
    accounts.join(users["outsider"], identifier("project", "p_Beta"), "researcher")
    accounts.join(users["researcher"], identifier("project", "p_Alpha"), "researcher")
    return {name: accounts.named(name) for name in users}


def _ids(users: Mapping[str, User]) -> dict[str, tuple[str, str, str]]:
    absent = identifier("absent")
    alpha, beta = "p_Alpha", "p_Beta"
    ids = {
        "project": (absent, identifier("project", alpha), identifier("project", beta)),
        "dataset": (absent, identifier("dataset", f"{alpha}/plate"), identifier("dataset", f"{beta}/plate")),
        "file": (absent, identifier("file", "Alpha.csv"), identifier("file", "Beta.csv")),
        "picture": (absent, identifier("file", "Alpha.png"), identifier("file", "Beta.png")),
        "run": (absent, identifier("run", "Alpha"), identifier("run", "Beta")),
        "instrument": (absent, identifier("instrument", "Alpha"), identifier("instrument", "Beta")),
        "user_row": ("987654", str(users["researcher"].pk), str(users["outsider"].pk)),
    }
    ids["plan"] = ("987654", *map(str, PlannedChange.objects.order_by("pk").values_list("pk", flat=True)))  # type: ignore[assignment]
    for model in (Project, Dataset, File, Document, Instrument, Run, ChangeLog, Review, BulkChange):
        first, second = model._default_manager.order_by("pk").values_list("pk", flat=True)[:2]
        ids[f"{model._meta.model_name}_row"] = ("987654", str(first), str(second))
    return ids


def everything(tree: Tree) -> dict[str, Any]:
    """Every file below the root and every row of the service, sessions left out."""
    found: dict[str, Any] = {str(p): p.read_bytes() for p in sorted(tree.root.rglob("*")) if p.is_file()}
    for model in apps.get_models():
        if model is not Session and model._meta.managed:
            found[model._meta.label] = list(model._default_manager.order_by("pk").values())
    return found

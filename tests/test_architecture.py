"""The house rules, asserted over the source, and each assertion proven by a planted defect."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.architecture import Module, broad_catches, index_writes, writes

CHECKOUT = Path(__file__).resolve().parent.parent
ROOMS = ("schemas", "contexts", "ingest", "catalog")
SURFACES = ("admin", "forms", "pages", "api", "sparql", "harvest")

MAY_IMPORT = {
    "schemas": {"schemas"},
    "contexts": {"contexts"},
    "ingest": {"schemas", "contexts", "ingest"},
    "catalog": {"schemas", "contexts", "ingest", "catalog"},
    "manage": {"schemas", "contexts", "ingest", "catalog", "manage"},
}
# The engine is plain Python without a framework; and nothing below the surfaces talks to a network.
NO_FRAMEWORK = {"django", "granian", "whitenoise"}
NO_NETWORK = {"urllib.request", "http.client", "requests", "httpx", "ftplib", "xmlrpc"}

# Whoever else may touch the disk, and what it touches. Research data is in none of these but the demonstration's.
WRITERS = {
    "ingest/texts.py": "the store's temporary files, and their taking a document's place",
    "ingest/folders.py": "the store's folders and temporary files, and the two one-byte files of clock and canary",
    "ingest/locking.py": "lock files",
    "ingest/seen_database.py": "what was last seen, in the state folder",
    "ingest/workspace.py": "the flag that holds reading, in the state folder",
    "ingest/acts.py": "which publications the store wrote, in the state folder",
    "ingest/watch.py": "what the watcher says of itself, in the state folder",
    "ingest/upkeep.py": "what the upkeep says of itself, in the state folder",
    "ingest/provenance/data/cache.py": "objects of DVC's cache, from its scratch folder to their names",
    "ingest/provenance/data/placing.py": "our own .dvc files and generated ignore files",
    "ingest/provenance/data/project.py": "the root's .dvc folder, where there is none",
    "ingest/provenance/data/scratch.py": "scratch folders in .dvc/tmp and in DVC's cache",
    "ingest/provenance/data/versions.py": "a version restored to the place a person chose",
    "ingest/provenance/data/whole.py": "what is remembered of a folder's listing, beside DVC's cache",
    "ingest/provenance/locks.py": "our lock in .git/fairfolder, and git's own locks there",
    "ingest/provenance/building.py": "the crash report of a git fast-import that failed",
    "ingest/provenance/landing.py": "the user's index, under git's own lock on it",
    "ingest/provenance/marking.py": "our lines in .git/info/exclude and .git/info/attributes",
    "ingest/provenance/intents.py": "the action under way, in the state folder",
    "ingest/provenance/signing.py": "whose signature counts, in a temporary folder",
    "ingest/provenance/notes.py": "what the recorder remembers, in the state folder",
    "ingest/provenance/pushing.py": "where to push, in a repository of our own in the state folder",
    "catalog/state.py": "the state folder, and what the service says of itself in it",
    "catalog/environment.py": "the generated secret key, in the state folder",
    "catalog/formats/rendered.py": "rendered answers, in the state folder",
    "catalog/formats/dumping.py": "the dump of what is public, in the state folder",
    "catalog/graph/broker.py": "its socket and the folder of answers, in the state folder",
    "catalog/graph/external.py": "an answer on its way, in a temporary file without a name",
    "catalog/graph/followed.py": "what the quad store holds, in the state folder",
    "catalog/graph/outside.py": "the folder of what another SPARQL server holds, in the state folder",
    "catalog/graph/snapshots.py": "snapshots of the quad store, in the state folder",
    "catalog/graph/store.py": "the quad store, in the state folder",
    "catalog/graph/worker.py": "an answer on its way, in a file without a name in the state folder",
    "catalog/demo/copying.py": "the demonstration's own new project folder",
}
# The store's tools for writing; nobody else may take them.
STORE_TOOLS = {
    "ingest.folders.metadata_folder",
    "ingest.folders.new_file",
    "ingest.folders.sweep",
    "ingest.texts.prepare",
    "ingest.texts.all_durable",
}
STORE_ROOMS = {"ingest.store", "ingest.folders", "ingest.texts"}

# An outermost loop may catch everything if it tells it and goes on: "file::function" → why.
_ANY_CONTENT = "whatever a file holds, it keeps its plain facts and a warning in words"
BROAD_CATCHES: dict[str, str] = {
    "ingest/store.py::Store._prepare": "one record's content is told and set aside",
    "ingest/reconcile.py::_scan_apart": "one dataset's trouble is told and set aside",
    "ingest/readers.py::_read_one": "one file's trouble is told and set aside",
    "catalog/following.py::Follower._has_caught_up": "catching up is logged and tried again, the files go on",
    "ingest/formats/extraction.py::begin": _ANY_CONTENT,
    "ingest/formats/extraction.py::Extraction.feed": _ANY_CONTENT,
    "ingest/formats/extraction.py::WrappedExtraction.feed": _ANY_CONTENT,
    "ingest/formats/extraction.py::describe_content": _ANY_CONTENT,
    "ingest/watch.py::_loop": "the watcher's outermost loop: told, logged, tried again",
    "catalog/following.py::Follower._bring_up_to_date": "the index's outermost loop: logged, the files go on",
    "catalog/following.py::Follower._one_by_one": "sets aside the one document the index cannot take, logged",
    "catalog/indexing.py::Graph._change": "one record's trouble is told and set aside",
    "catalog/formats/dumping.py::_member": "one record that cannot be drawn is logged and left out of the dump",
    "catalog/formats/ahead.py::Ahead._render": "one record that cannot be rendered is logged and left to who asks",
    "ingest/formats/worker.py::_answer": "the worker process, where a reader may fail in any way",
}

# Modules outside catalog/index that call .save() or .delete(): on what, if not on the index.
ROW_WRITERS: dict[str, str] = {
    "catalog/editing/reviews.py": "documents that are accepted as complete, by the store",
    "catalog/editing/sheets.py": "a workbook, in memory",
    "catalog/editing/runs.py": "documents, by the store",
    "catalog/editing/saving.py": "documents, by the store",
    "catalog/history/restoring.py": "documents, by the store",
    "catalog/graph/followed.py": "its own table of what the quad store holds, beside it",
}

EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "base_classes"}


@cache
def modules() -> tuple[Module, ...]:
    """Every source file of ours that runs in the service, migrations left out."""
    paths = [p for room in ROOMS for p in sorted((CHECKOUT / room).rglob("*.py")) if "migrations" not in p.parts]
    paths.append(CHECKOUT / "manage.py")
    return tuple(Module.parse(p.relative_to(CHECKOUT).as_posix(), p.read_text()) for p in paths)


@cache
def index_models() -> frozenset[str]:
    """The class names of catalog/models/index.py: the tables that `reindex` drops."""
    tree = ast.parse((CHECKOUT / "catalog" / "models" / "index.py").read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.ClassDef))


def plant(path: str, source: str) -> Module:
    return Module.parse(path, source)


# --- imports run one way ----------------------------------------------------------------------------------------


def wrong_way(module: Module) -> list[str]:
    room = module.name.partition(".")[0]
    return [
        f"{module.path}:{line}: imports {name}"
        for line, name in module.imports()
        if (top := name.partition(".")[0]) in MAY_IMPORT and top not in MAY_IMPORT[room]
    ]


def forbidden(module: Module, names: set[str]) -> list[str]:
    return [
        f"{module.path}:{line}: imports {name}"
        for line, name in module.imports()
        if any(name == n or name.startswith(f"{n}.") for n in names)
    ]


def between_surfaces(module: Module) -> list[str]:
    parts = module.name.split(".")
    if parts[0] != "catalog" or len(parts) < 2 or parts[1] not in SURFACES:
        return []
    others = {f"catalog.{s}" for s in SURFACES if s != parts[1]}
    return forbidden(module, others)


def test_imports_run_one_way() -> None:
    assert [f for m in modules() for f in wrong_way(m)] == []


def test_the_engine_knows_no_framework_and_no_network() -> None:
    below = [m for m in modules() if m.name.partition(".")[0] in {"schemas", "contexts", "ingest"}]
    assert [f for m in below for f in forbidden(m, NO_FRAMEWORK | NO_NETWORK)] == []


def test_surfaces_never_import_each_other() -> None:
    assert [f for m in modules() for f in between_surfaces(m)] == []


def test_no_signals_as_hidden_wires() -> None:
    hidden = {"django.dispatch", "django.db.models.signals", "django.core.signals"}
    assert [f for m in modules() for f in forbidden(m, hidden)] == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("ingest/scan.py", "from catalog.models import File\n"),
        ("ingest/scan.py", "def late():\n    import catalog.index\n"),
        ("ingest/formats/fits.py", "import importlib\nimportlib.import_module('catalog.settings')\n"),
        ("schemas/__init__.py", "from ingest import errors\n"),
        ("catalog/index.py", "import manage\n"),
    ],
)
def test_a_planted_import_the_wrong_way_is_found(path: str, source: str) -> None:
    assert len(wrong_way(plant(path, source))) == 1


def test_planted_frameworks_networks_and_surfaces_are_found() -> None:
    assert forbidden(plant("ingest/x.py", "def f():\n    from django.db import models\n"), NO_FRAMEWORK)
    assert forbidden(plant("ingest/x.py", "from urllib import request\n"), NO_NETWORK)
    assert between_surfaces(plant("catalog/pages/views.py", "from catalog.admin import apps\n"))
    assert between_surfaces(plant("catalog/pages/views.py", "from ..api import views\n"))
    assert not between_surfaces(plant("catalog/pages/views.py", "from catalog import queries\nfrom . import urls\n"))


# --- who may write ----------------------------------------------------------------------------------------------


def unlisted_writes(module: Module) -> list[str]:
    return [] if module.path in WRITERS else writes(module)


def takes_store_tools(module: Module) -> list[str]:
    return [] if module.name in STORE_ROOMS else forbidden(module, STORE_TOOLS)


def test_only_the_store_and_a_few_named_modules_touch_the_disk() -> None:
    assert [f for m in modules() for f in unlisted_writes(m)] == []


def test_the_list_of_writers_holds_nobody_who_does_not_write() -> None:
    assert {m.path for m in modules() if writes(m)} >= set(WRITERS)


def test_only_the_store_takes_the_tools_for_writing_metadata() -> None:
    assert [f for m in modules() for f in takes_store_tools(m)] == []
    assert takes_store_tools(plant("ingest/watch.py", "from ingest.folders import new_file\n"))


@pytest.mark.parametrize(
    "source",
    [
        "open('x', 'w')",
        "open('x', mode='r+')",
        "open('x', how)",
        "import io\nio.open('x', 'ab')",
        "from pathlib import Path\nPath('x').open('x')",
        "from pathlib import Path\nPath('x').write_text('y')",
        "from pathlib import Path\nPath('x').replace(Path('y'))",
        "from pathlib import Path\nPath('x').unlink()",
        "import os\nos.open('x', os.O_RDONLY | os.O_CREAT)",
        "import os\n_FLAGS = os.O_RDWR\nos.open('x', _FLAGS)",
        "import os\n_A = os.O_CREAT\n_B = _A | os.O_NOFOLLOW\nos.open('x', _B)",
        "import os\ndef f(flags):\n    os.open('x', flags)",
        "import os as o\no.replace('x', 'y')",
        "from os import rename as move\nmove('x', 'y')",
        "import shutil\nshutil.copyfile('x', 'y')",
        "import tempfile\ntempfile.mkstemp()",
        "def f():\n    import os\n    os.ftruncate(3, 0)",
    ],
)
def test_a_planted_write_is_found(source: str) -> None:
    assert len(writes(plant("ingest/planted.py", source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "open('x')",
        "open('x', 'rb')",
        "import os\n_READ = os.O_RDONLY | os.O_NOFOLLOW\nos.open('x', _READ)",
        "'a'.replace('a', 'b')",
        "from dataclasses import replace\nreplace(thing, a=1)",
        "from datetime import UTC, datetime\ndatetime.now(UTC).replace(microsecond=0)",
        "import shutil\nshutil.which('git')",
    ],
)
def test_reading_is_not_taken_for_writing(source: str) -> None:
    assert writes(plant("ingest/planted.py", source)) == []


# --- who may write rows -----------------------------------------------------------------------------------------


def unlisted_row_writes(module: Module) -> list[str]:
    inside = module.path.startswith("catalog/index")
    if not module.path.startswith("catalog/") or inside or module.path in ROW_WRITERS:
        return []
    return index_writes(module, index_models())


def test_only_the_index_writes_its_rows() -> None:
    assert [f for m in modules() for f in unlisted_row_writes(m)] == []


@pytest.mark.parametrize(
    "source",
    [
        "from catalog.models import Project\nProject.objects.create(title='x')",
        "from catalog.models import File\nFile.objects.filter(pk=1).order_by('path').update(path='x')",
        "from catalog import models\nmodels.Dataset.objects.all().delete()",
        "def f(row):\n    row.save()",
        "def f(cursor):\n    cursor.execute('DELETE FROM catalog_file')",
        "def f(cursor, table):\n    cursor.execute(f'INSERT INTO {table} VALUES (1)')",
    ],
)
def test_a_planted_row_write_is_found(source: str) -> None:
    assert len(unlisted_row_writes(plant("catalog/pages/views.py", source))) == 1


def test_reading_rows_is_not_taken_for_writing() -> None:
    source = "from catalog.models import File\nseen = {}\nseen.update(a=1)\nFile.objects.filter(pk=1).exists()\n"
    assert unlisted_row_writes(plant("catalog/pages/views.py", source)) == []


# --- names and catches ------------------------------------------------------------------------------------------


def test_no_file_is_named_after_nothing() -> None:
    names = [m.path for m in modules() if {part.removesuffix(".py") for part in m.path.split("/")} & EMPTY_NAMES]
    assert names == []


def test_broad_catches_stand_only_where_a_loop_must_go_on() -> None:
    found = {place for m in modules() for place in broad_catches(m)}
    assert found == set(BROAD_CATCHES)


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    try:\n        g()\n    except:\n        pass\n",
        "def f():\n    try:\n        g()\n    except Exception:\n        pass\n",
        "def f():\n    try:\n        g()\n    except (OSError, BaseException) as e:\n        pass\n",
        "from contextlib import suppress\ndef f():\n    with suppress(Exception):\n        g()\n",
    ],
)
def test_a_planted_broad_catch_is_found(source: str) -> None:
    assert broad_catches(plant("ingest/planted.py", source)) == ["ingest/planted.py::f"]


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    try:\n        g()\n    except (OSError, ValueError):\n        pass\n",
        "def f():\n    try:\n        g()\n    except BaseException:\n        undo()\n        raise\n",
    ],
    ids=["narrow", "raised again"],
)
def test_a_catch_that_hides_nothing_is_none(source: str) -> None:
    assert broad_catches(plant("ingest/planted.py", source)) == []

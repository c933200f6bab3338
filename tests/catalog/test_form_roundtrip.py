"""Every field of every schema goes form → JSON → form unharmed; what no form knows is kept."""

from __future__ import annotations

import copy
import itertools
import random
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from catalog.editing import drawing, fields, markup, opened, reading, settling
from catalog.editing.drawing import Pen
from catalog.editing.fields import Field, Kind, Tree
from ingest.documents import SYSTEM_KEYS
from ingest.schema import SchemaSet
from tests.catalog.forms import _Inputs
from tests.schemas.records import full, template

KINDS = (
    "project_descriptive",
    "dataset_administrative",
    "dataset_structural",
    "instrument_technical",
    "experiment_contextual",
)
SCHEMAS = SchemaSet(None)
TREES = {kind: fields.tree(SCHEMAS, kind) for kind in KINDS}

# --- documents of any content -----------------------------------------------------------------------------------

TEXTS = (
    "a text", "yes", "12", "1.0", "-0", '"', '""', '"12"', "a\nb", "a\r\nb", "\n", "\n\nx", " a ",
    "\x00", "\x0b", "1e5", "1,5",
    "<b>&amp;", "</textarea>",
    "{{ x }}", "caf\u00e9 \U0001f9a0", "\u202e", "\u2028", "\u23ce", "\x85", "no", "Person", "#list",
)  # fmt: skip
NUMBERS = (0, 1, -1, 1.0, 0.1, 1e300, 5e-324, -0.0, 2**64 - 1, -(2**63), 12.50)


class Writer:
    """Writes documents of any content: mostly such as the fields take, now and then such as they do not."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def any(self, depth: int = 2) -> Any:
        kind = self.rng.randrange(6 if depth else 4)
        if kind == 4:
            return [self.any(depth - 1) for _ in range(self.rng.randrange(3))]
        if kind == 5:
            return {self.rng.choice(TEXTS): self.any(depth - 1) for _ in range(self.rng.randrange(3))}
        return (None, self.rng.random() < 0.5, self.rng.choice(NUMBERS), self.rng.choice(TEXTS))[kind]

    def of(self, field: Field) -> Any:
        return self.any() if self.rng.random() < 0.08 else self.fitting(field)

    def group(self, field: Field, share: float = 0.6) -> dict[str, Any]:
        more = {key: self.any() for key in ("@id", "site:own", "x/y", "x~y") if self.rng.random() < 0.15}
        known = {each.key: self.of(each) for each in field.fields if self.rng.random() < share}
        pairs = list({**more, **known}.items())
        self.rng.shuffle(pairs)
        return dict(pairs)

    def fitting(self, field: Field) -> Any:
        if field.kind in (Kind.GROUP, Kind.AGENT):
            return self.group(field)
        if field.kind in (Kind.ROWS, Kind.LINES):
            assert field.item is not None
            return [self.fitting(field.item) for _ in range(self.rng.randrange(4))]
        if field.kind is Kind.CHOICE:
            return self.rng.choice(field.choices)
        if field.kind is Kind.YES_NO:
            return self.rng.random() < 0.5
        if field.kind in (Kind.NUMBER, Kind.INTEGER):
            return self.rng.choice([each for each in NUMBERS if field.kind is Kind.NUMBER or isinstance(each, int)])
        if field.kind is Kind.SCALAR:
            return self.rng.choice((*TEXTS, *NUMBERS, True, False))
        return self.rng.choice(TEXTS)


def sent(tree: Tree, value: dict[str, Any]) -> dict[str, str]:
    """What a browser sends back of the form a document fills."""
    filled = reading.fill(tree, value)
    read = reading.read(tree, filled, value)
    drawn = drawing.sections(tree, Pen(filled, value, read.shape))
    parts = (part for section in drawn for part in section.parts)
    page = _Inputs()
    page.feed("<form id='form'>" + "".join(markup.field(p) for p in parts))
    page.close()
    assert len(page.ids) == len(set(page.ids))
    return reading.posted(page.sent)


def text(value: Any) -> bytes:
    return orjson.dumps(value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_form_sent_back_untouched_changes_nothing(
    kind: str, rng: random.Random, count: Callable[[int, int], int]
) -> None:
    for _ in range(count(5, 300)):
        check_a_form_sent_back_untouched_changes_nothing(kind, rng)


def check_a_form_sent_back_untouched_changes_nothing(kind: str, rng: random.Random) -> None:
    tree = TREES[kind]
    value = Writer(rng).group(tree.root)
    before = text(value)
    read = reading.read(tree, sent(tree, value), value)
    assert text(read.value) == before
    assert read.wrong == {}


@pytest.mark.parametrize("kind", KINDS)
def test_one_changed_input_changes_that_one_value(
    kind: str, rng: random.Random, count: Callable[[int, int], int]
) -> None:
    for _ in range(count(5, 300)):
        check_one_changed_input_changes_that_one_value(kind, rng)


def check_one_changed_input_changes_that_one_value(kind: str, rng: random.Random) -> None:
    tree = TREES[kind]
    value = Writer(rng).group(tree.root)
    posted = sent(tree, value)
    texts = [
        name
        for name in posted
        if (found := settling.field_at(tree.root, name)) is not None
        and found.kind in (Kind.TEXT, Kind.LONG)
        and not found.guided
    ]
    name = rng.choice(texts)
    read = reading.read(tree, {**posted, name: "a new text"}, value)
    wanted = copy.deepcopy(value)
    put(wanted, name, "a new text")
    tell_kinds(tree, wanted, name)
    assert text(sorted_keys(read.value)) == text(sorted_keys(wanted))


def put(value: Any, name: str, new: str) -> None:
    """Set what stands at a pointer, making the groups on the way."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in name.split("/")[1:]]
    for step, following in itertools.pairwise(steps):
        if isinstance(value, list):
            value = value[int(step)]
            continue
        # A group replaces what is none; a list of rows is there.
        if not isinstance(value.get(step), list if following.isdigit() else dict):
            value[step] = {}
        value = value[step]
    value[steps[-1]] = new


def tell_kinds(tree: Tree, value: Any, name: str) -> None:
    """An agent in which something changed is a person or an organization from then on, if what it has tells which."""
    steps = name.split("/")[1:-1]
    for depth, step in enumerate(steps, 1):
        value = value[int(step)] if isinstance(value, list) else value[step]
        field = settling.field_at(tree.root, "/" + "/".join(steps[:depth]))
        if field is None or field.kind is not Kind.AGENT or "@type" in value:
            continue
        told = {each.only_for for each in field.fields if each.only_for and each.key in value}
        if len(told) == 1:
            value["@type"] = told.pop()


def sorted_keys(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))


@pytest.mark.parametrize("kind", KINDS)
def test_rows_keep_what_no_form_knows_when_they_move_or_others_go(
    kind: str, rng: random.Random, count: Callable[[int, int], int]
) -> None:
    for _ in range(count(5, 300)):
        check_rows_keep_what_no_form_knows_when_they_move_or_others_go(kind, rng)


def check_rows_keep_what_no_form_knows_when_they_move_or_others_go(kind: str, rng: random.Random) -> None:
    tree = TREES[kind]
    lists = [each for each in tree.root.fields if each.kind is Kind.ROWS]
    field = rng.choice(lists)
    assert field.item is not None
    rows = [Writer(rng).group(field.item) for _ in range(rng.randint(2, 4))]
    value = {field.key: [{**row, "site:number": place} for place, row in enumerate(rows)]}
    posted = sent(tree, value)
    name = f"/{field.key}"
    gone = rng.randrange(len(rows))
    posted, _ = reading.moved_row(reading.without_row(posted, name, gone), name, 0, 1)
    wanted = [row for place, row in enumerate(value[field.key]) if place != gone]
    if len(wanted) > 1:
        wanted[0], wanted[1] = wanted[1], wanted[0]
    assert text(reading.read(tree, posted, value).value) == text({field.key: wanted})


# --- the fields of the model --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_the_model_can_be_entered_in_an_empty_form(kind: str) -> None:
    tree, value = TREES[kind], own(kind, full(kind))
    filled = {name: "" if name.endswith(reading.ROW) else each for name, each in reading.fill(tree, value).items()}
    base = own(kind, template(kind))
    read = reading.read(tree, filled, base)
    assert read.wrong == {}
    kept = {key: base[key] for key in ("status", *NOT_ASKED) if key in base}
    assert read.value == {**without_system(value), **kept}
    assert settling.draft_problems(SCHEMAS, kind, read.value, template(kind)) == []


def own(kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return opened.people(kind, value)


def without_system(value: Any, key: str = "") -> Any:
    """A value without what the system mints inside of it."""
    if isinstance(value, list):
        return [without_system(each, key) for each in value]
    if not isinstance(value, dict):
        return value
    agent = value.get("@type") if value.get("@type") in ("Person", "Organization") and key in AGENTS else None
    kept = {k: without_system(each, k) for k, each in value.items() if k[:1] != "@" and k not in NOT_ASKED}
    return {**({"@type": agent} if agent else {}), **kept}


AGENTS = ("agent", "creators", "data_steward", "rights_holder", "access_contact")
NOT_ASKED = ("run_label", "data_files", "outputs")


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_the_schema_is_in_the_form_or_the_systems(kind: str) -> None:
    asked = {field.key for field in TREES[kind].root.fields}
    shown = {field.key for section in TREES[kind].sections for field in section.fields}
    system = SYSTEM_KEYS[kind] | {"status", *NOT_ASKED}
    assert asked == shown
    assert asked == set(SCHEMAS.in_force(kind)["properties"]) - system

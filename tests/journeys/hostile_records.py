"""Records in which every field that people fill holds as much hostile text as its schema lets through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from catalog.editing import fields
from catalog.editing.fields import Field, Kind
from catalog.editing.layout import NOT_SHOWN
from ingest.schema import SchemaSet
from tests.catalog.hostile import CORPUS

# Each calls what the browser of the journey listens to, should it ever run.
PAYLOADS = (
    *(text.replace("alert(1)", "__hit(1)") for text in CORPUS if len(text) < 200),
    "</textarea><script>__hit(2)</script>",
    "</option></select></datalist><img src=x onerror=__hit(3)>",
    "<svg><script>__hit(4)</script></svg>",
    "<svg><a xlink:href='javascript:__hit(5)'><text>x</text></a></svg>",
    "<details open ontoggle=__hit(6)>",
    "[x](javascript:__hit(7)) ![x](x'onerror='__hit(8))",
    '<div hx-get="/admin/" hx-trigger="load" hx-on:load="__hit(9)">',
    '" hx-on::load="__hit(10)" data-x="',
    "</script><!--<script>__hit(11)//--></script>",
    "\\u003cscript\\u003e__hit(12)\\u003c/script\\u003e",
    "${__hit(13)} #{__hit(14)} `__hit(15)`",
)
EVERYTHING = " ".join(PAYLOADS)
PLAIN = "".join(char for char in EVERYTHING if char.isprintable())
ADDRESSES = (
    "javascript:__hit(20)",
    "data:text/html,<script>__hit(21)</script>",
    "https://evil.example/\"onclick='__hit(22)'<script>__hit(23)</script>",
    "https://evil.example/?%22onclick=%27__hit(24)%27",
)
VARIANTS = ((EVERYTHING, PLAIN, *ADDRESSES), (*ADDRESSES, PLAIN), ('"><script>__hit(30)</script>', *ADDRESSES, PLAIN))

Path = tuple[str | int, ...]


def record(kind: str, before: dict[str, Any], texts: Sequence[str], **fixed: Any) -> dict[str, Any]:
    """`before` with every field filled: by the first of `texts` that is accepted there, else by the schema's example.

    The answer is valid, and complete where a record can be. `fixed` stands as it is.
    """
    schemas = SchemaSet()
    answers = dict(_answers(fields.tree(schemas, kind).root, (), texts))
    answers = {path: each for path, each in answers.items() if path[0] not in fixed}
    system = {key: each for key, each in before.items() if key in NOT_SHOWN[kind]}
    start = {**system, **fixed, **({"status": "complete"} if "status" in before else {})}
    while True:
        value = _built(start, answers)
        wrong = {_path(problem.pointer) for problem in schemas.problems(kind, value, 1000)}
        if not wrong:
            return {**value, f"odd {texts[0]}": {texts[0]: [texts[0], {"@id": texts[0]}]}}
        tried = [path for path in answers if any(_touch(path, each) for each in wrong)]
        assert tried, (kind, wrong)
        for path in tried:
            answers[path] = answers[path][1:]
            if not answers[path]:
                del answers[path]


def _touch(one: Path, other: Path) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter] and shorter > 0


def _answers(field: Field, path: Path, texts: Sequence[str]) -> Iterator[tuple[Path, tuple[Any, ...]]]:
    """Place → what may stand there, the worst first."""
    for each in field.fields:
        yield from _answers(each, (*path, each.key), texts)
    if field.kind is Kind.ROWS and field.item is not None:
        yield from _answers(field.item, (*path, 0), texts)
    elif field.kind is Kind.LINES:
        yield path, (*([text] for text in texts), *field.examples)
    elif field.choices:
        yield path, tuple(field.choices)
    elif field.is_leaf:
        yield path, (*texts, *field.examples, True, 1)


def _built(start: dict[str, Any], answers: dict[Path, tuple[Any, ...]]) -> dict[str, Any]:
    value: dict[str, Any] = {**start}
    for path, candidates in answers.items():
        here: Any = value
        for step, following in zip(path, (*path[1:], None), strict=True):
            if following is None:
                here[step] = candidates[0]
            elif isinstance(step, int):
                here = here[step]
            else:
                made: Any = [{}] if isinstance(following, int) else {}
                here = here.setdefault(step, made)
    return value


def _path(pointer: str) -> Path:
    steps = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    return tuple(int(step) if step.isdigit() else step for step in steps)

"""Records as a spreadsheet and back: identifier, folder, ETag, then one column for each field people own.

What is read back becomes a bulk change with a preview, as any other. A cell that holds what the export would write
for the present value changes nothing, whatever its type; an empty one takes the value away; a column that is left out
leaves its field alone. What is typed into a cell is kept as a form would keep it: ``cc-by-4.0`` is CC-BY-4.0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from catalog import engine, rights
from catalog.editing import bulk, cells, columns, fields, given, owned, targets
from catalog.editing.bulk import BulkError, Function
from catalog.editing.columns import ABSENT, ColumnError, Path
from catalog.editing.fields import Tree
from catalog.editing.owned import Shape
from catalog.editing.sheets import Cell, Row, SheetError, Table, bounded
from catalog.editing.targets import Target
from catalog.models import PlannedChange
from ingest import documents
from ingest.errors import DocumentError
from ingest.records import Value
from ingest.schema_words import Words

IDENTIFIER, FOLDER, ETAG = "identifier", "folder", "etag"
HEAD = (IDENTIFIER, FOLDER, ETAG)
_ALWAYS = (Shape.TEXT, Shape.CHOICE, Shape.NUMBER, Shape.YES_NO, Shape.TEXTS, Shape.CHOICES)
_MOST_NAMED = 8
_LARGEST_EXACT = 10**15  # above it, spreadsheet programs round whole numbers


# --- out ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Exported:
    head: Row
    value: Value


def table(chosen: Sequence[Target], *, typed: bool) -> Table:
    """The table of some records of one kind; ``typed``: numbers and yes/no as such (XLSX), else as text (CSV).

    Raises:
        SheetError: when it would be too large to be read back.
    """
    if not chosen:
        raise SheetError("No record was chosen; tick some first.")
    records = [_exported(target) for target in chosen]
    known = owned.common(list(dict.fromkeys(target.root for target in chosen)), chosen[0].kind)
    every = [dict(_leaves(record.value)) for record in records]
    paths: list[Path] = [(field.key,) for field in known if field.shape in _ALWAYS]
    paths += [path for one in every for path in one]
    written = [{path: _cells(leaf, typed=typed) for path, leaf in one.items()} for one in every]
    longest = Counter[Path]()
    for one in written:
        longest |= Counter({path: len(parts) for path, parts in one.items()})
    ordered = columns.in_order(paths, [field.key for field in known])
    places = [(path, part) for path in ordered for part in range(1, max(longest[path], 1) + 1)]
    names = [cells.harmless(cells.escaped(columns.header(path, part))) for path, part in places]
    bounded(names, len(records))
    return Table(
        (*HEAD, *names),
        tuple(
            (*record.head, *(_part(one.get(path), part) for path, part in places))
            for record, one in zip(records, written, strict=True)
        ),
    )


def _exported(target: Target) -> _Exported:
    """A document that cannot be read has a row too, without ETag, so that nothing is missed in silence."""
    try:
        head = target.read_head()
        tag, value = head.etag, owned.owned(target.kind, head.value)
    except (FileNotFoundError, DocumentError):
        tag, value = "", {}
    folder = documents.readable(target.relative).rpartition("/")[0].removesuffix("/.metadata")
    return _Exported((target.identifier, cells.harmless(cells.escaped(folder)), _guarded(tag)), value)


def _guarded(tag: str) -> str:
    """16 hex digits may look like a number (``1234567890123e45``), so each has its apostrophe."""
    return f"'{tag}" if tag else ""


def _leaves(value: Value) -> Iterable[tuple[Path, Any]]:
    return ((path, leaf) for path, leaf in columns.leaves(value) if path and path[0] != "")


def _cells(leaf: Any, *, typed: bool) -> list[Cell]:
    if typed and isinstance(leaf, bool):
        return [leaf]
    if typed and isinstance(leaf, int | float) and abs(leaf) < _LARGEST_EXACT:
        return [leaf]
    return list(cells.to_cell(leaf, keep_from_converting=not typed))


def _part(parts: Sequence[Cell] | None, part: int) -> Cell:
    return parts[part - 1] if parts is not None and part <= len(parts) else None


# --- in -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Columns:
    """Where the columns of a table are: those of the head, and path → positions of its cells, in order."""

    head: Mapping[str, int]
    fields: Mapping[Path, tuple[int, ...]]
    remarks: tuple[str, ...] = ()


def plan(user: User, word: str, name: str, given: Table) -> PlannedChange:
    """What a table would change, as a plan with its preview.

    Raises:
        SheetError: when the table as a whole cannot be used.
        BulkError: when it names no record.
    """
    kind = targets.KINDS[word]
    found = _located(given.header)
    rows = _by_identifier(given.rows, found)
    by = rights.of(user)
    known = {
        identifier: target for identifier in rows if (target := targets.changeable(word, identifier, by)) is not None
    }
    roots = list(dict.fromkeys(target.root for target in known.values())) or list(engine.roots())
    words = {root: engine.schemas(root).words(kind) for root in roots}
    trees = {root: fields.tree(engine.schemas(root), kind) for root in roots}
    accepted, unknown = _accepted(found, kind, list(words.values()), known.values())
    remarks = [*found.remarks, *unknown]
    change = bulk.begin(user, word, list(rows))
    functions: dict[str, Function] = {}
    for identifier, same in rows.items():
        target = known.get(identifier)
        root = target.root if target is not None else roots[0]
        functions[identifier] = _function(same, accepted, _Asked(words[root], trees[root]), found)
    seen = {identifier: _tag(same[0], found) for identifier, same in rows.items()}
    return bulk.plan(change, f"From the spreadsheet {name[:80]}", functions, remarks=remarks, seen=seen)


def _located(header: Sequence[str]) -> _Columns:
    names = [cells.text_of([name]).strip() for name in header]
    twice = [name for name, n in Counter(name for name in names if name).items() if n > 1]
    if twice:
        raise SheetError(f"The columns {_listed(twice)} stand there twice; keep one of each.")
    head = {name: names.index(name) for name in HEAD if name in names}
    for needed in (IDENTIFIER, ETAG):
        if needed not in head:
            raise SheetError(
                f"The column {needed!r} is missing; keep the first three columns of the export as they are."
            )
    fields: dict[Path, dict[int, int]] = {}
    wrong = []
    for at, name in enumerate(names):
        if name in HEAD or not name:
            continue
        try:
            path, part = columns.parsed(name)
        except ColumnError as error:
            wrong.append(f"{error} It was left out.")
            continue
        fields.setdefault(path, {})[part] = at
    places = {path: tuple(parts[part] for part in sorted(parts)) for path, parts in fields.items()}
    return _Columns(head, places, tuple(wrong))


def _by_identifier(rows: Iterable[Row], found: _Columns) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        value = row[found.head[IDENTIFIER]]
        grouped.setdefault(_plain(value).lower(), []).append(row)
    return grouped


def _tag(row: Row, found: _Columns) -> str:
    return _plain(row[found.head[ETAG]])


def _plain(cell: Cell) -> str:
    return "" if cell is None else cells.text_of([str(cell)]).strip()


def _accepted(
    found: _Columns, kind: str, words: Sequence[Words], known: Iterable[Target]
) -> tuple[dict[Path, tuple[int, ...]], list[str]]:
    """The columns that lead to a field, and sentences on the others."""
    systems = [path for path in found.fields if not owned.is_owned(kind, str(path[0]))]
    doubtful = [
        path for path in found.fields if path not in systems and not all(owned.is_known(each, path) for each in words)
    ]
    present = _values(known) if doubtful else []
    unknown = [path for path in doubtful if all(columns.at(value, path) is ABSENT for value in present)]
    remarks = []
    if systems:
        remarks.append(f"Only the system writes {_listed(map(columns.header, systems))}: left out.")
    if unknown:
        remarks.append(f"No field has the name {_listed(map(columns.header, unknown))}: left out. Look for a slip.")
    left_out = {*systems, *unknown}
    return {path: at for path, at in found.fields.items() if path not in left_out}, remarks


def _values(known: Iterable[Target]) -> list[Value]:
    values = []
    for target in known:
        try:
            values.append(target.read_head().value)
        except (FileNotFoundError, DocumentError):
            continue
    return values


def _listed(names: Iterable[str]) -> str:
    every = [f"“{name[:60]}”" for name in names]
    more = f" and {len(every) - _MOST_NAMED} more" if len(every) > _MOST_NAMED else ""
    return ", ".join(every[:_MOST_NAMED]) + more


@dataclass(frozen=True)
class _Asked:
    """What the schemas of a root say of a kind of document, and the form they make of it."""

    words: Words
    tree: Tree


def _function(same: Sequence[Row], places: Mapping[Path, tuple[int, ...]], asked: _Asked, found: _Columns) -> Function:
    row = same[0]

    def function(value: Value) -> Value:
        if len(same) > 1:
            raise BulkError(f"The identifier stands in {len(same)} rows; keep one of them.")
        if not _tag(row, found):
            raise BulkError("The row has no etag; export the record again and make the change there.")
        wanted = {}
        for path, positions in places.items():
            there = columns.at(value, path)
            typed = [row[at] for at in positions]
            read = _read(typed, there, lambda path=path: owned.types_at(asked.words, path))  # type: ignore[misc]
            if read is not _UNCHANGED:
                wanted[path] = given.as_in_a_form(asked.tree, path, read)
        try:
            return columns.changed(value, wanted)
        except ColumnError as error:
            raise BulkError(str(error)) from None

    return function


_UNCHANGED = object()


def _read(typed_in: Sequence[Cell], present: Any, types: Callable[[], frozenset[str]]) -> Any:
    """The value the cells of a place ask for; :data:`_UNCHANGED` when they hold what stands there."""
    filled = [cell for cell in typed_in if cell is not None and (not isinstance(cell, str) or cell.strip())]
    is_leaf = present is not ABSENT and _is_leaf(present)
    if not filled:
        return ABSENT if is_leaf else _UNCHANGED
    if (
        is_leaf
        and any(filled == _cells(present, typed=typed) for typed in (True, False))
        and _same_type(filled, present)
    ):
        return _UNCHANGED
    if len(filled) == 1 and not isinstance(filled[0], str):
        return _from_number(filled[0], types())
    return _from_text([_as_text(cell) for cell in filled], present, types())


def _is_leaf(value: Any) -> bool:
    return not isinstance(value, list | dict) or not value or cells.is_lines(value)


def _same_type(filled: Sequence[Cell], present: Any) -> bool:
    """1 and true are equal to Python, but not the same value."""
    return isinstance(filled[0], bool) == isinstance(present, bool) or isinstance(filled[0], str)


def _as_text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else str(cell).lower() if isinstance(cell, bool) else str(cell)


def _from_number(cell: Cell, types: frozenset[str]) -> Any:
    if types and not types & {"number", "integer", "boolean"}:
        text = _as_text(cell)
        return [text] if "array" in types else text
    return cell


def _from_text(parts: list[str], present: Any, types: frozenset[str]) -> Any:
    first = parts[0]
    is_list = types == {"array"} or (not types and isinstance(present, list))
    if is_list and first not in ("[]", "{}"):
        return cells.lines_of(parts)
    is_text = types == {"string"} or (not types and isinstance(present, str)) or first[:1] == "'"
    if is_text:
        return cells.text_of(parts)
    is_json, value = cells.literal_of(first) if len(parts) == 1 else (False, None)
    return value if is_json else cells.text_of(parts)


def targets_of(word: str, identifiers: Iterable[str], by: rights.Rights) -> list[Target]:
    """The records among these that this person may see, in their order."""
    found = (targets.find(word, identifier) for identifier in identifiers)
    return [target for target in found if target is not None and target.may_be_seen(by)]

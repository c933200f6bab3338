"""What a comparison comes to: rows and events for the cut, files that were read, what waits, and what is gone."""

from __future__ import annotations

import os
import time

from ingest.comparison import Comparison, Orphan
from ingest.cut import Box
from ingest.documents import readable
from ingest.events import Arrived, Described, Left, Moved, Renewed
from ingest.passing import Pass, give_way, tell
from ingest.readers import Read
from ingest.reading import Facts, NotRead
from ingest.report import Finding
from ingest.rows import NO_STAMP, Condition, FileRow, PlaceRow, Stamp
from ingest.scan import undescribed_row
from ingest.survey import stray_files
from ingest.walk import is_there

_NO_DATA = frozenset({Condition.LINK, Condition.SPECIAL, Condition.IGNORED})


def record_unread(run: Pass, result: Comparison) -> None:
    """Everything of a comparison that needs no reading."""
    place = result.place
    _one_claim_each(run, result)
    run.report.unchanged += result.unchanged
    run.progress.files_found += result.unchanged + len(result.read) + len(result.pending)
    run.progress.files_done += result.unchanged
    _note_gone(run, result)
    for other, row in result.recalled:
        if other.gone:
            run.cut.box(place).moved_from.append(row)
        else:
            run.cut.box(other).events.append(Left(row.path, row.identifier))
    if not (result.pending or result.others or result.moves or result.renewed):
        return
    box = run.cut.box(place)
    for path, identifier in result.renewed.items():
        result.identities[path] = identifier
        box.events.append(Renewed(os.fsdecode(path), identifier))
    _record_pending(run, box, result)
    _record_others(run, box, result)
    for event, moved in result.moves:
        _move(run, box, event, moved, unread=os.fsencode(event.path) in result.unread)
    for other, left in result.left:
        run.cut.box(other).events.append(left)
    run.cut.count(len(result.moves), 0)


def _note_gone(run: Pass, result: Comparison) -> None:
    """What is not there any more: told last, after everything that may have come from there."""
    place, seen = result.place.id, run.ws.seen
    gone = run.gone[place]
    gone.update(dict.fromkeys(result.gone))
    if result.vanished or result.removed:
        had = {p for p, row in seen.files(place, result.vanished).items() if row.identifier}
        gone.update(dict.fromkeys(had))
        with seen.transaction():
            seen.drop_files(place, [*result.removed, *(p for p in result.vanished if p not in had)])


def _record_pending(run: Pass, box: Box, result: Comparison) -> None:
    """Files that are not at rest, or that wait for another dataset to come to rest."""
    settle = run.ws.settings.settle_seconds
    for unsettled in result.unsettled:
        run.report.waiting.setdefault(unsettled, settle)
    before = run.ws.seen.files(box.place.id, result.pending)
    for path, stamp in result.pending.items():
        box.rows.append(_undescribed(run, box, path, Condition.PENDING, "still changing", stamp, before.get(path)))
        _wait_for(run, box.place, settle if path in result.held else run.gate.rests_in(stamp))


def _record_others(run: Pass, box: Box, result: Comparison) -> None:
    """Links, special files and what cannot be read."""
    gone, before = run.gone[box.place.id], run.ws.seen.files(box.place.id, result.others)
    for path, (condition, reason, stamp) in result.others.items():
        row = _undescribed(run, box, path, condition, reason, stamp, before.get(path))
        if path in gone:  # what stands here now is remembered when the loss of the file is recorded
            gone[path] = row
        elif row != before.get(path):
            box.rows.append(row)
        if condition is Condition.PENDING:
            _wait_for(run, box.place, run.ws.settings.settle_seconds)
        elif condition is Condition.UNREADABLE:
            run.report.retry.add(box.place.path)


def _undescribed(
    run: Pass, box: Box, path: bytes, condition: Condition, reason: str, stamp: Stamp, before: FileRow | None
) -> FileRow:
    """The row of a path that cannot be described now: it is who the comparison, or else its former row, says."""
    place, result = box.place.id, run.compared[box.place.id]
    identifier = result.identities.get(path) or (before.identifier if before is not None else "")
    if run.taken.get(identifier, place) != place:  # it is elsewhere by now: what stands here is something new
        identifier = ""
    _leave_behind(box, result, path)
    return undescribed_row(place, path, condition, reason, stamp, identifier, before)


def _leave_behind(box: Box, result: Comparison, path: bytes) -> None:
    """The row of a file that came from a dataset which cannot let it go goes with the cut that says where it is."""
    stale = result.stale.pop(path, None)
    if stale is not None:
        box.moved_from.append(stale)


def _one_claim_each(run: Pass, result: Comparison) -> None:
    """An identity moves once in a pass: a file that moved on meanwhile waits for the next one."""
    place = result.place.id
    late: set[str] = set()
    claims = [(os.fsencode(event.path), row) for event, row in result.moves] + list(result.stale.items())
    for path, row in claims:
        if run.taken.setdefault(row.identifier, place) != place:
            late.add(row.identifier)
            result.pending[path] = row.stamp
            result.held.add(path)
            result.read.pop(path, None)
            result.identities.pop(path, None)
            result.stale.pop(path, None)
    if late:
        result.moves = [(event, row) for event, row in result.moves if row.identifier not in late]
        result.left = [(other, left) for other, left in result.left if left.identifier not in late]


def _wait_for(run: Pass, place: PlaceRow, seconds: float) -> None:
    waiting = run.report.waiting
    run.report.pending += 1
    waiting[place.path] = max(waiting.get(place.path, 0.0), seconds)


def _move(run: Pass, box: Box, event: Moved | Arrived, row: FileRow, *, unread: bool) -> None:
    """An identity goes to another path; ``unread``: the file itself is still to be read, and gets its row then."""
    box.events.append(event)
    if not unread:
        there = row._replace(place=box.place.id, path=event.path, stamp=event.stamp)
        box.rows.append(there._replace(condition=Condition.DESCRIBED, reason="", since=time.time()))
    if row.place == box.place.id and row.path != event.path:
        box.moved_from.append(row)
    run.report.moved += 1


def take(run: Pass, read: Read) -> None:
    """One file that was read, or could not be."""
    run.progress.files_done += 1
    box = run.cut.box(read.place)
    if isinstance(read.result, Facts):
        _described(run, box, read, read.result)
    else:
        _not_read(run, box, read, read.result)
    run.cut.count(1, read.stamp.size)
    if run.cut.files == 0:  # a cut was made just now
        give_way(run, within=read.place)
    tell(run)


def _described(run: Pass, box: Box, read: Read, facts: Facts) -> None:
    path, place = os.fsdecode(read.path), read.place
    result = run.compared[place.id]
    identifier = result.identities.get(read.path) or next(run.identifiers)
    if run.taken.get(identifier, place.id) != place.id:
        identifier = next(run.identifiers)
    orphan = _claim_orphan(run, place, read.path, facts, result) if result.orphans else None
    _leave_behind(box, result, read.path)
    if orphan is not None:
        identifier = orphan.identifier
        box.events.append(Moved(orphan.path, path, read.stamp, facts.technical))
        box.moved_from.extend(run.ws.seen.files(place.id, [os.fsencode(orphan.path)]).values())
    new = orphan is None and read.path not in result.identities
    known = None if new else run.ws.seen.files(place.id, [read.path]).get(read.path)
    if known is None or not known.sha256 or known.identifier != identifier:
        box.events.append(Described(path, facts, identifier, new))
    else:
        box.events.append(Described(path, facts, identifier, new, known.stamp, known.sha256))
    box.rows.append(FileRow(place.id, path, read.stamp, facts.sha256, identifier, Condition.DESCRIBED, "", time.time()))
    run.report.described += 1
    run.report.bytes_read += read.stamp.size
    run.progress.bytes_done += read.stamp.size


def _not_read(run: Pass, box: Box, read: Read, why: NotRead) -> None:
    before = run.ws.seen.files(read.place.id, [read.path]).get(read.path)
    box.rows.append(_undescribed(run, box, read.path, why.condition, why.reason, read.stamp, before))
    if why.condition is Condition.PENDING:
        if why.again:
            _wait_for(run, read.place, run.ws.settings.settle_seconds)
        else:
            run.report.pending += 1
        return
    run.report.failed += 1
    run.report.retry.add(read.place.path)
    where = readable(f"{read.place.path}/{os.fsdecode(read.path)}")
    run.report.findings.append(Finding(where, why.condition.word, why.reason))


def _claim_orphan(run: Pass, place: PlaceRow, path: bytes, facts: Facts, result: Comparison) -> Orphan | None:
    """The entry without a file that has these bytes: the same file under another name (seen was lost)."""
    waiting = result.orphans.get((facts.sha256, facts.stamp.size), [])
    if path in result.identities:
        return None
    here = (o for o in waiting if run.taken.get(o.identifier, place.id) == place.id)
    gone = next((o for o in here if not is_there(run.ws.root, f"{place.path}/{o.path}")), None)
    if gone is not None:
        waiting.remove(gone)
        run.taken[gone.identifier] = place.id
    return gone


def remember_orphans(run: Pass, result: Comparison) -> None:
    """Entries without a file get rows before anything is cut: the next pass knows them even if this one is killed.

    Those that have one keep it: it has the inode, by which the file may be found in another dataset.
    """
    place, wall = result.place, time.time()
    rows = [
        FileRow(place.id, o.path, Stamp(0, 0, size, 0, 0), sha256, o.identifier, Condition.DESCRIBED, "", wall)
        for (sha256, size), some in result.orphans.items()
        for o in some
        if not (o.missing or o.seen) and not _may_stand(run, result, o.path)
    ]
    rows += result.learnt
    rows += [
        FileRow(place.id, os.fsdecode(p), NO_STAMP, "", i, Condition.DESCRIBED, "", wall)
        for p, i in result.doubled.items()
        if p not in result.renewed
    ]
    if rows:
        with run.ws.seen.transaction():
            run.ws.seen.put_files(rows)


def orphans_gone(run: Pass, result: Comparison) -> None:
    """Entries that found no file: their loss is told like any other."""
    left = (o.path for some in result.orphans.values() for o in some if not o.missing)
    gone = (os.fsencode(path) for path in left if not _may_stand(run, result, path))
    run.gone[result.place.id].update(dict.fromkeys(gone))


def _may_stand(run: Pass, result: Comparison, path: str) -> bool:
    """Whether the file of an entry may be at its path, only unseen."""
    steps = os.fsencode(path).split(b"/")
    on_the_way = (result.others.get(b"/".join(steps[:depth])) for depth in range(1, len(steps) + 1))
    other = next((other[0] for other in on_the_way if other is not None), None)
    if other is not None:  # a folder that cannot be listed hides it; a link, say, is none
        return other not in _NO_DATA
    return is_there(run.ws.root, f"{result.place.path}/{path}")


def record_strays(run: Pass, project: PlaceRow) -> None:
    seen, wall = run.ws.seen, time.time()
    known = seen.stamps(project.id)
    now = stray_files(run.ws, project)
    reason = "it lies directly in a project folder and belongs to no dataset; move it into a dataset folder"
    rows = [
        FileRow(project.id, os.fsdecode(path), stamp, "", "", Condition.STRAY, reason, wall)
        for path, stamp in now.items()
        if path not in known
    ]
    if rows or set(known) - set(now):
        with seen.transaction():
            seen.put_files(rows)
            seen.drop_files(project.id, set(known) - set(now))

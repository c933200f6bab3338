"""BAM: the header in the first BGZF blocks. Source: SAM specification 1.3 and 4.2.

Taken are the version, sort order, reference count, programs and sequencing platform; sample names are not.
"""

from __future__ import annotations

from ingest.formats.facts import Facts
from ingest.formats.source import Source

_MAX_PROGRAMS = 20


def describe(source: Source, facts: Facts) -> None:
    """Version and sort order, number of reference sequences, programs, platforms."""
    length = int.from_bytes(source.head[4:8], "little")
    text = source.head[8 : 8 + length]
    if len(text) < length:
        facts.warn("the BAM header is longer than 64 kB: only its beginning was read")
        text = text[: text.rfind(b"\n") + 1]
    elif len(counted := source.head[8 + length : 12 + length]) == 4:
        facts.dimension("references", int.from_bytes(counted, "little"))
    else:
        facts.warn("the BAM header is cut off: the references were not counted")
    programs = 0
    platforms: set[tuple[str, str, str]] = set()
    for line in text.decode("utf-8", "replace").split("\n"):
        tags = {part[:2]: part[3:] for part in line.split("\t")[1:] if part[2:3] == ":"}
        if line.startswith("@HD"):
            facts.version = tags.get("VN")
            facts.instrument("sort order", tags.get("SO", ""), "SAM @HD SO")
        elif line.startswith("@PG") and programs < _MAX_PROGRAMS:
            programs += 1
            name = tags.get("PN") or tags.get("ID", "")
            facts.instrument("program", f"{name} {tags.get('VN', '')}".strip(), "SAM @PG")
        elif line.startswith("@RG"):
            platforms.update(("platform", tags[tag], f"SAM @RG {tag}") for tag in ("PL", "PM") if tag in tags)
    for name, value, where in sorted(platforms):
        facts.instrument(name, value, where)

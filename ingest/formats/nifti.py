"""NIfTI-1 and NIfTI-2: the fixed header. Source: nifti1.h and nifti2.h of the NIfTI Data Format Working Group.

``descrip``, ``aux_file``, ``db_name`` and ``intent_name`` are free text that may name a person; they are not read.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ingest.formats.facts import Facts, MalformedError
from ingest.formats.source import Source

_AXES = ("x", "y", "z", "t", "dim5", "dim6", "dim7")
_SPACE = {1: "m", 2: "mm", 3: "um"}
_TIME = {8: "s", 16: "ms", 24: "us", 32: "Hz", 40: "[ppm]", 48: "rad/s"}
_DATA_TYPES = {
    2: "uint8",
    4: "int16",
    8: "int32",
    16: "float32",
    32: "complex64",
    64: "float64",
    128: "RGB24",
    256: "int8",
    512: "uint16",
    768: "uint32",
    1024: "int64",
    1280: "uint64",
    1536: "float128",
    1792: "complex128",
    2048: "complex256",
    2304: "RGBA32",
}


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the fields stand, and how they are written."""

    version: str
    size: int
    dim: tuple[int, str]
    datatype: int
    pixdim: tuple[int, str]
    units: tuple[int, str]


_ONE = _Layout("1", 348, (40, "8h"), 70, (76, "8f"), (123, "B"))
_TWO = _Layout("2", 540, (16, "8q"), 12, (104, "8d"), (500, "i"))


def is_nifti(head: bytes) -> bool:
    """NIfTI-1 with its magic at 344, or NIfTI-2 with its magic at 4."""
    return head[344:348] in (b"n+1\0", b"ni1\0") or head[4:12] in (b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n")


def describe(source: Source, facts: Facts) -> None:
    """Axes with their sizes and units of spacing, data type, bits per value, spacing along each axis."""
    layout = _TWO if source.head[4:7] in (b"n+2", b"ni2") else _ONE
    facts.version = layout.version
    if len(source.head) < layout.size:
        raise MalformedError("the NIfTI image ends inside its header")
    order = "<" if source.head[0] else ">"
    sizes = struct.unpack_from(order + layout.dim[1], source.head, layout.dim[0])
    spacing = struct.unpack_from(order + layout.pixdim[1], source.head, layout.pixdim[0])
    (units,) = struct.unpack_from(order + layout.units[1], source.head, layout.units[0])
    if not 1 <= sizes[0] <= 7 or min(sizes[1 : sizes[0] + 1]) < 1:
        raise MalformedError("the NIfTI header gives no valid dimensions")
    for axis in range(1, sizes[0] + 1):
        unit = _SPACE.get(units & 7) if axis < 4 else _TIME.get(units & 56) if axis == 4 else None
        facts.dimension(_AXES[axis - 1], sizes[axis], unit)
        facts.instrument(f"spacing {_AXES[axis - 1]}", spacing[axis], f"NIfTI pixdim[{axis}]", unit)
    code, depth = struct.unpack_from(order + "2h", source.head, layout.datatype)
    _describe_type(code, depth, facts)


def _describe_type(code: int, depth: int, facts: Facts) -> None:
    name = _DATA_TYPES.get(code)
    if name is None:
        facts.warn(f"the NIfTI data type {code} is not known")
        return
    facts.variable("intensity", name)
    facts.bit_depth = depth if depth > 0 else None
    facts.channels = {128: 3, 2304: 4}.get(code)

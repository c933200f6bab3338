"""DICOM: technical tags of an allow-list, nothing else. Read in the worker. Source: DICOM PS3.6; PS3.15 Annex E.

A list of what may be recorded, not of what may not: names, dates, identifiers, UIDs, institutions, persons,
descriptions, serial numbers and private tags cannot slip through by being new. Values are checked by kind too:
a code must look like a code.
"""

from __future__ import annotations

import os
import re
import struct
from typing import Any

from ingest.formats.facts import Facts

# Keyword → unit (UCUM). Only numbers, codes (CS) and the maker's own names.
NUMBERS: dict[str, str | None] = {
    "SamplesPerPixel": None,
    "Rows": "px",
    "Columns": "px",
    "NumberOfFrames": None,
    "BitsAllocated": "bit",
    "BitsStored": "bit",
    "PixelSpacing": "mm",
    "ImagerPixelSpacing": "mm",
    "SliceThickness": "mm",
    "SpacingBetweenSlices": "mm",
    "KVP": "kV",
    "XRayTubeCurrent": "mA",
    "ExposureTime": "ms",
    "Exposure": "mA.s",
    "MagneticFieldStrength": "T",
    "ImagingFrequency": "MHz",
    "RepetitionTime": "ms",
    "EchoTime": "ms",
    "InversionTime": "ms",
    "FlipAngle": "deg",
    "EchoTrainLength": None,
    "NumberOfAverages": None,
    "PixelBandwidth": "Hz/px",
    "GantryDetectorTilt": "deg",
    "ReconstructionDiameter": "mm",
    "SpiralPitchFactor": None,
    "FrameTime": "ms",
}
CODES = (
    "Modality",
    "PhotometricInterpretation",
    "ScanningSequence",
    "SequenceVariant",
    "MRAcquisitionType",
    "TransducerType",
)
MAKERS = ("Manufacturer", "ManufacturerModelName", "SoftwareVersions", "ConvolutionKernel")
ALLOWED = (*NUMBERS, *CODES, *MAKERS)

_CODE = re.compile(r"[A-Z0-9_ \-]{1,16}")
_SHAPE = {"Columns": "columns", "Rows": "rows", "NumberOfFrames": "frames"}
_MAX_VALUES = 8
# What may come first in a file without preamble (PS3.5, 7.1: elements stand in ascending order).
_FIRST_ELEMENTS = frozenset((0x00, 0x01, 0x05, 0x08, 0x12, 0x16, 0x18))
_FIRST_KINDS = frozenset((b"UL", b"CS", b"UI", b"DA", b"SH"))
_MAX_MAKER = 64


def is_bare(head: bytes) -> bool:
    """Whether the content starts with an element of group 0008, as files without the DICM preamble do."""
    order = "<" if head[:2] == b"\x08\x00" else ">" if head[:2] == b"\x00\x08" else ""
    if not order or len(head) < 132:
        return False
    element, _, length = struct.unpack_from(order + "H2sH", head, 2)
    if element not in _FIRST_ELEMENTS:
        return False
    if head[4:6] in _FIRST_KINDS:
        return bool(length <= 64)
    (length,) = struct.unpack_from(order + "I", head, 4)
    return bool(order == "<" and length <= 64 and length % 2 == 0)


def extract(fd: int, size: int, facts: Facts) -> None:
    """Rows, columns and frames, bits per sample, samples per pixel, and the allowed tags as header values."""
    from pydicom import dcmread  # of the formats extra

    with os.fdopen(os.dup(fd), "rb") as file:
        file.seek(0)
        # Tags that are not on the list are not even decoded.
        header = dcmread(file, stop_before_pixels=True, specific_tags=list(ALLOWED), force=True)
    for keyword, axis in _SHAPE.items():
        size_of_axis = _number(header, keyword)
        if isinstance(size_of_axis, int):
            facts.dimension(axis, size_of_axis)
    depth = _number(header, "BitsStored") or _number(header, "BitsAllocated")
    facts.bit_depth = depth if isinstance(depth, int) else None
    samples = _number(header, "SamplesPerPixel")
    facts.channels = samples if isinstance(samples, int) else None
    for keyword in ALLOWED:
        _record(header, keyword, facts)


def _record(header: Any, keyword: str, facts: Facts) -> None:
    element = _element(header, keyword)
    if element is None:
        return
    where = f"DICOM ({element.tag.group:04X},{element.tag.element:04X})"
    values = [value for value in map(_accepted(keyword), _values(element)) if value is not None]
    if len(values) == 1:
        facts.instrument(keyword, values[0], where, NUMBERS.get(keyword))
    elif values:
        facts.instrument(keyword, " \\ ".join(map(str, values)), where, NUMBERS.get(keyword))


def _element(header: Any, keyword: str) -> Any:
    try:
        return header.data_element(keyword)
    except (ValueError, TypeError, KeyError, AttributeError, NotImplementedError, OverflowError):
        return None  # a value that does not fit its own kind; its text may hold anything and is not quoted


def _values(element: Any) -> list[Any]:
    value = element.value
    several = isinstance(value, list | tuple) or type(value).__name__ == "MultiValue"
    return list(value)[:_MAX_VALUES] if several else [value]


def _accepted(keyword: str) -> Any:
    return _as_number if keyword in NUMBERS else _as_code if keyword in CODES else _as_maker


def _as_number(value: Any) -> int | float | None:
    if isinstance(value, int):
        return int(value)
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _as_code(value: Any) -> str | None:
    return value if isinstance(value, str) and _CODE.fullmatch(value) else None


def _as_maker(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_MAKER else None


def _number(header: Any, keyword: str) -> int | float | None:
    element = _element(header, keyword)
    return _as_number(_values(element)[0]) if element is not None and _values(element) else None

"""NetCDF-4: dimensions by name, from the dimension scales of an HDF5 file. Used by the HDF5 reader, in the worker.

Source: The NetCDF-4 Format (Unidata, file format specifications); HDF5 Dimension Scale Specification. A reference only
tells where its object lies; a place that is none of a dimension scale met on the walk means nothing.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ingest.formats.facts import Facts

# What h5py raises when a file is damaged.
DAMAGED = (KeyError, OSError, RuntimeError, ValueError, TypeError)

Place = tuple[int, int]  # file number and address: what HDF5 tells objects apart by
_NOWHERE: Place = (-1, -1)

_NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable"
_MAX_ATTRIBUTE = 1_024
_MAX_REFERENCES = 100_000


def is_declared(root: Any) -> bool:
    """Whether the root group names the NetCDF library or NetCDF's classic model."""
    return "_NCProperties" in root.attrs or "_nc3_strict" in root.attrs


def is_marked(h5py: Any, dataset: Any) -> bool:
    """Whether a dataset is a dimension scale as only NetCDF writes them; one question for a dataset that is none."""
    has = h5py.h5a.exists
    try:
        if not has(dataset.id, b"CLASS"):
            return False
        numbered = has(dataset.id, b"_Netcdf4Dimid") or has(dataset.id, b"_Netcdf4Coordinates")
        return (numbered or _has_no_variable(dataset)) and _is_scale(dataset)
    except DAMAGED:
        return False


def text(dataset: Any, name: str) -> str | None:
    """A short text attribute; None when it is absent, long or no single text."""
    if name not in dataset.attrs:
        return None
    attribute = dataset.attrs.get_id(name)
    if attribute.get_storage_size() > _MAX_ATTRIBUTE or attribute.shape not in ((), (1,)):
        return None
    value = dataset.attrs[name]
    value = value[0] if getattr(value, "shape", ()) == (1,) else value
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value if isinstance(value, str) else None


def path(dataset: Any) -> str:
    """Where a dataset stands in the file; h5py gives a name that is not UTF-8 as bytes."""
    name = dataset.name or ""
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)


def _is_scale(dataset: Any) -> bool:
    return text(dataset, "CLASS") == "DIMENSION_SCALE"


def _has_no_variable(dataset: Any) -> bool:
    return (text(dataset, "NAME") or "").startswith(_NO_VARIABLE)


@dataclass
class _Dimension:
    name: str
    length: int
    unlimited: bool
    number: int | None


class _Axis(NamedTuple):
    """An axis of a variable; ``dimension`` says which: by number, by the place of its scale, or not at all."""

    name: str | None  # None: of a variable that is not described
    length: int
    unlimited: bool
    dimension: int | Place | None


class Dimensions:
    """The dimensions of one file, gathered while its datasets are walked, recorded when all were seen."""

    def __init__(self, h5py: Any, facts: Facts) -> None:
        self._h5py, self._facts = h5py, facts
        self._found: dict[Place, _Dimension] = {}
        self._axes: list[_Axis] = []
        self._references = 0

    def take(self, dataset: Any, place: Place, described: bool) -> bool:
        """Note what a dataset says of dimensions; False when it is a dimension and no variable."""
        shape: tuple[int, ...] = dataset.shape or ()
        most: tuple[int | None, ...] = dataset.maxshape or ()
        which: Sequence[int | Place | None] = [None] * len(shape)
        if not shape:
            return True
        try:
            scale = _is_scale(dataset)
            if scale:
                self._found[place] = _Dimension(_name(dataset), int(shape[0]), most[0] is None, _number(dataset))
                if _has_no_variable(dataset):
                    return False
            if not described and None not in most:  # neither recorded nor able to make a dimension longer
                return True
            which = self._which(dataset, len(shape), place if scale else None)
        except DAMAGED:
            self._warn_lost()
        for at, length in enumerate(shape):
            name = f"{path(dataset)}[{at}]" if described else None
            self._axes.append(_Axis(name, int(length), most[at] is None, which[at]))
        return True

    def record(self) -> None:
        """Every dimension in the order of its number; then the axes that belong to none, as in plain HDF5."""
        found = list(self._found.values())
        if all(dimension.number is None for dimension in found):  # the numbers are then the order in the file
            for number, dimension in enumerate(found):
                dimension.number = number
        numbered = {dimension.number: dimension for dimension in reversed(found) if dimension.number is not None}
        unnamed = [axis for axis in self._axes if not self._belongs(axis, numbered)]
        for dimension in sorted(found, key=lambda each: math.inf if each.number is None else each.number):
            self._facts.dimension(dimension.name, dimension.length)
        for axis in unnamed:
            if axis.name:
                self._facts.dimension(axis.name, axis.length)

    def _belongs(self, axis: _Axis, numbered: dict[int, _Dimension]) -> bool:
        """Whether the axis is one of a dimension; an unlimited one is as long as its longest variable."""
        key = axis.dimension
        if key is None:
            return False
        dimension = numbered.get(key) if isinstance(key, int) else self._found.get(key)
        if dimension is None or (dimension.length != axis.length and not dimension.unlimited):
            self._warn_lost()
            return False
        if dimension.unlimited and axis.unlimited:
            dimension.length = max(dimension.length, axis.length)
        return True

    def _which(self, dataset: Any, rank: int, own: Place | None) -> Sequence[int | Place | None]:
        """For each axis its dimension, in the order in which the NetCDF library asks."""
        if own and rank == 1:
            return [own]
        if "_Netcdf4Coordinates" in dataset.attrs:
            return _integers(dataset, "_Netcdf4Coordinates", (rank,)) or [_NOWHERE] * rank
        if own:
            return [own, *[None] * (rank - 1)]
        if "DIMENSION_LIST" in dataset.attrs:
            return self._referred(dataset, rank)
        return [None] * rank

    def _referred(self, dataset: Any, rank: int) -> list[Place | None]:
        """Where the first scale of each axis lies. Raises ValueError when the list is none of references."""
        attribute = dataset.attrs.get_id("DIMENSION_LIST")
        element = self._h5py.check_vlen_dtype(attribute.dtype)
        if not element or self._h5py.check_ref_dtype(element) is not self._h5py.Reference or attribute.shape != (rank,):
            raise ValueError("not a list of references for each axis")
        if self._references > _MAX_REFERENCES:
            self._facts.warn(f"only the first {_MAX_REFERENCES:,} references to dimensions were looked at")
            return [None] * rank
        lists = dataset.attrs["DIMENSION_LIST"]
        self._references += sum(map(len, lists))
        return [self._place(dataset, each[0]) if len(each) else None for each in lists]

    def _place(self, dataset: Any, reference: Any) -> Place:
        """Where a reference leads; nowhere when that is no dataset of this file."""
        h5r = self._h5py.h5r
        try:
            if reference and h5r.get_obj_type(reference, dataset.id) == self._h5py.h5g.DATASET:
                found = self._h5py.h5o.get_info(h5r.dereference(reference, dataset.id))
                return (found.fileno, found.addr)
        except DAMAGED:
            pass  # the same answer as for a reference that was never set
        return _NOWHERE

    def _warn_lost(self) -> None:
        self._facts.warn("the dimensions of a variable are damaged: its axes are numbered instead")


def _name(dataset: Any) -> str:
    """The path in the file; in the root group the name alone, as NetCDF-3 has it."""
    full = path(dataset)
    return full[1:] if full.count("/") == 1 else full


def _number(dataset: Any) -> int | None:
    """The number the NetCDF library gave a dimension when it was defined."""
    numbers = None
    with contextlib.suppress(*DAMAGED):  # the name and the length are worth having without it
        numbers = _integers(dataset, "_Netcdf4Dimid", ()) if "_Netcdf4Dimid" in dataset.attrs else None
    return numbers[0] if numbers else None


def _integers(dataset: Any, name: str, shape: tuple[int, ...]) -> list[int] | None:
    """An attribute of so many integers; None when it is another."""
    attribute = dataset.attrs.get_id(name)
    if attribute.shape != shape or attribute.dtype.kind not in "iu":
        return None
    return [int(each) for each in dataset.attrs[name].flat]

"""HDF5 and NetCDF-4: names, shapes and data types of the datasets. Runs in the worker. Source: HDF5 File Format 4.0.

No value of a dataset is read; soft and external links are not followed; of the attributes only ``units`` is read.
"""

from __future__ import annotations

import os
from typing import Any

from ingest.formats.facts import MAX_VARIABLES, Facts, MalformedError

_MAX_OBJECTS = 20_000
_MAX_DEPTH = 50
_MAX_ATTRIBUTE = 1_024


def extract(fd: int, size: int, facts: Facts) -> None:
    """Every dataset's shape and data type, with its unit where it states one; NetCDF-4 is noted."""
    import h5py  # type: ignore[import-untyped,import-not-found,unused-ignore]  # heavy, and of the formats extra

    with os.fdopen(os.dup(fd), "rb", buffering=0) as file:
        try:
            with h5py.File(file, "r") as root:
                _describe(h5py, root, facts)
        except (OSError, RuntimeError, KeyError, OverflowError) as error:
            raise MalformedError("extract failed: the HDF5 file is damaged or cut off") from error


def _describe(h5py: Any, root: Any, facts: Facts) -> None:
    if _is_netcdf4(root):
        facts.format_name, facts.media_type = "NetCDF-4", "application/x-netcdf"
        facts.edam_iri = "http://edamontology.org/format_3650"
    walk = _Walk(h5py, facts)
    walk.group(root, 0)
    facts.records = walk.datasets
    if walk.datasets > MAX_VARIABLES:
        facts.warn(f"only the first {MAX_VARIABLES} of {walk.datasets} datasets are described")


def _is_netcdf4(root: Any) -> bool:
    return "_NCProperties" in root.attrs or any(
        "_Netcdf4Dimid" in root[name].attrs
        for name in list(root)[:50]
        if root.get(name, getlink=True).__class__.__name__ == "HardLink"
    )


class _Walk:
    """Depth first over hard links, each object once, bounded."""

    def __init__(self, h5py: Any, facts: Facts) -> None:
        self._h5py, self._facts = h5py, facts
        self._seen: set[Any] = set()
        self.datasets = 0

    def group(self, group: Any, depth: int) -> None:
        if depth > _MAX_DEPTH:
            self._facts.warn(f"groups more than {_MAX_DEPTH} deep were left out")
            return
        for name in group:
            if len(self._seen) >= _MAX_OBJECTS:
                self._facts.warn(f"only the first {_MAX_OBJECTS:,} objects were looked at")
                return
            if not isinstance(group.get(name, getlink=True), self._h5py.HardLink):
                continue
            try:
                self._object(group[name], depth)
            except (KeyError, OSError, RuntimeError, ValueError, TypeError) as error:
                self._facts.warn(f"an object of the HDF5 file is damaged ({type(error).__name__}) and was left out")

    def _object(self, found: Any, depth: int) -> None:
        place = self._h5py.h5o.get_info(found.id)
        if (place.fileno, place.addr) in self._seen:
            return
        self._seen.add((place.fileno, place.addr))
        if isinstance(found, self._h5py.Group):
            self.group(found, depth + 1)
        elif isinstance(found, self._h5py.Dataset):
            self.datasets += 1
            if self.datasets <= MAX_VARIABLES:
                self._dataset(found)

    def _dataset(self, dataset: Any) -> None:
        shape = dataset.shape or ()
        self._facts.variable(dataset.name, _type_name(self._h5py, dataset.dtype), _unit(dataset))
        for axis, size in enumerate(shape):
            self._facts.dimension(f"{dataset.name}[{axis}]", int(size))


def _type_name(h5py: Any, dtype: Any) -> str:
    if h5py.check_string_dtype(dtype):
        return "string"
    if dtype.names:
        return "compound(" + ", ".join(dtype.names) + ")"
    return str(dtype.newbyteorder("="))


def _unit(dataset: Any) -> str | None:
    if "units" not in dataset.attrs:
        return None
    attribute = dataset.attrs.get_id("units")
    if attribute.get_storage_size() > _MAX_ATTRIBUTE or attribute.shape not in ((), (1,)):
        return None
    value = dataset.attrs["units"]
    value = value[0] if getattr(value, "shape", ()) == (1,) else value
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value if isinstance(value, str) else None

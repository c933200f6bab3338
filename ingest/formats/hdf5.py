"""HDF5 and NetCDF-4: names, shapes and data types of the datasets. Runs in the worker. Source: HDF5 File Format 4.0.

No value of a dataset is read; soft and external links are not followed; of the attributes only ``units`` is read, and
those that tell a NetCDF-4 file's dimensions.
"""

from __future__ import annotations

import os
from typing import Any

from ingest.formats import netcdf4
from ingest.formats.facts import MAX_VARIABLES, Facts, MalformedError

_MAX_OBJECTS = 20_000
_MAX_DEPTH = 50


def extract(fd: int, size: int, facts: Facts) -> None:
    """Every dataset's shape and data type, with its unit where it states one; NetCDF-4 has its dimensions by name."""
    import h5py  # type: ignore[import-untyped,import-not-found,unused-ignore]  # heavy, and of the formats extra

    with os.fdopen(os.dup(fd), "rb", buffering=0) as file:
        try:
            with h5py.File(file, "r") as root:
                _describe(h5py, root, facts)
        except (OSError, RuntimeError, KeyError, OverflowError) as error:
            raise MalformedError("extract failed: the HDF5 file is damaged or cut off") from error


def _describe(h5py: Any, root: Any, facts: Facts) -> None:
    walk = _Walk(h5py, facts, netcdf4.Dimensions(h5py, facts) if netcdf4.is_declared(root) else None)
    walk.group(root, 0)
    if walk.is_netcdf4 and walk.dimensions is None:  # noticed on the way: what came before is read again, as NetCDF-4
        facts.variables, facts.dimensions, facts.warnings = [], [], []
        walk = _Walk(h5py, facts, netcdf4.Dimensions(h5py, facts))
        walk.group(root, 0)
    if walk.dimensions is not None:
        facts.format_name, facts.media_type = "NetCDF-4", "application/x-netcdf"
        facts.edam_iri = "http://edamontology.org/format_3650"
        walk.dimensions.record()
    facts.records = walk.datasets
    if walk.datasets > MAX_VARIABLES:
        facts.warn(f"only the first {MAX_VARIABLES} of {walk.datasets} datasets are described")


class _Walk:
    """Depth first over hard links, each object once, bounded."""

    def __init__(self, h5py: Any, facts: Facts, dimensions: netcdf4.Dimensions | None) -> None:
        self._h5py, self._facts = h5py, facts
        self._seen: set[netcdf4.Place] = set()
        self.dimensions = dimensions
        self.is_netcdf4 = dimensions is not None
        self.datasets = 0

    def group(self, group: Any, depth: int) -> None:
        if depth > _MAX_DEPTH:
            self._facts.warn(f"groups more than {_MAX_DEPTH} deep were left out")
            return
        for name in group.id:  # as bytes: not every name is UTF-8
            if len(self._seen) >= _MAX_OBJECTS:
                self._facts.warn(f"only the first {_MAX_OBJECTS:,} objects were looked at")
                return
            try:
                if group.id.links.get_info(name).type == self._h5py.h5l.TYPE_HARD:
                    self._object(group[name], depth)
            except netcdf4.DAMAGED as error:
                self._facts.warn(f"an object of the HDF5 file is damaged ({type(error).__name__}) and was left out")
            if self.is_netcdf4 and self.dimensions is None:
                return

    def _object(self, found: Any, depth: int) -> None:
        info = self._h5py.h5o.get_info(found.id)
        place = (info.fileno, info.addr)
        if place in self._seen:
            return
        self._seen.add(place)
        if isinstance(found, self._h5py.Group):
            self.group(found, depth + 1)
        elif isinstance(found, self._h5py.Dataset):
            self._dataset(found, place)

    def _dataset(self, dataset: Any, place: netcdf4.Place) -> None:
        described = self.datasets < MAX_VARIABLES
        if self.dimensions is None:
            self.is_netcdf4 = netcdf4.is_marked(self._h5py, dataset)
        elif not self.dimensions.take(dataset, place, described):
            return
        self.datasets += 1
        if not described:
            return
        path = netcdf4.path(dataset)
        self._facts.variable(path, _type_name(self._h5py, dataset.dtype), netcdf4.text(dataset, "units"))
        if self.dimensions is None:
            for axis, size in enumerate(dataset.shape or ()):
                self._facts.dimension(f"{path}[{axis}]", int(size))


def _type_name(h5py: Any, dtype: Any) -> str:
    if h5py.check_string_dtype(dtype):
        return "string"
    if dtype.names:
        return "compound(" + ", ".join(dtype.names) + ")"
    return str(dtype.newbyteorder("="))

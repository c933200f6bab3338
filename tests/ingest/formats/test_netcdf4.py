"""NetCDF-4: dimensions by name. The files are made with h5py as the specification says and netcdf-c writes them."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy
import pytest

from ingest.formats import hdf5, netcdf4
from ingest.formats.facts import Facts
from tests.ingest.formats.engine import axes, describe, variables, warnings
from tests.ingest.formats.test_hostile import mutate

_NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable.{:10d}"
_DAMAGED = "the dimensions of a variable are damaged: its axes are numbered instead"


def _file(path: Path, declared: bool = True) -> Any:
    file = h5py.File(path, "w", track_order=True)
    if declared:
        file.attrs["_NCProperties"] = numpy.bytes_("version=2,netcdf=4.9.2,hdf5=1.14.3")
    return file


def _dimension(group: Any, name: str, length: int, number: int | None, unlimited: bool = False) -> Any:
    """A dimension without a variable."""
    more = {"maxshape": (None,), "chunks": (64,)} if unlimited else {}
    scale = group.create_dataset(name, (length,), ">f4", **more)
    return _as_scale(scale, _NO_VARIABLE.format(length), number)


def _coordinate(group: Any, name: str, length: int, number: int | None, unlimited: bool = False) -> Any:
    """A dimension with the variable of its name."""
    more = {"maxshape": (None,), "chunks": (64,)} if unlimited else {}
    return _as_scale(group.create_dataset(name, (length,), "f8", **more), name, number)


def _as_scale(scale: Any, name: str, number: int | None) -> Any:
    scale.make_scale(name)
    if number is not None:
        scale.attrs["_Netcdf4Dimid"] = numpy.int32(number)
    return scale


def _variable(group: Any, name: str, *scales: Any, shape: tuple[int, ...] | None = None) -> Any:
    """A variable whose axes are ``scales``."""
    most = tuple(scale.maxshape[0] for scale in scales)
    more = {"maxshape": most, "chunks": True} if None in most else {}
    variable = group.create_dataset(name, shape or tuple(scale.shape[0] for scale in scales), "f4", **more)
    for axis, scale in enumerate(scales):
        variable.dims[axis].attach_scale(scale)
    return variable


def _named(facts: dict[str, Any]) -> list[tuple[str, int]]:
    return [(row["axis"], row["size"]) for row in facts["dimensions"]]


def test_dimensions_have_names_and_lengths_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.nc"
    with _file(path) as file:
        latitude = _coordinate(file, "lat", 4, 1)
        longitude = _coordinate(file, "lon", 5, 2)
        moment = _coordinate(file, "time", 3, 0, unlimited=True)
        _variable(file, "tas", moment, latitude, longitude).attrs["units"] = "K"
    facts = describe(path)
    assert (facts["mime_type"], facts["format"]["name"]) == ("application/x-netcdf", "NetCDF-4")
    assert _named(facts) == [("time", 3), ("lat", 4), ("lon", 5)]
    assert variables(facts) == {"/lat": "float64", "/lon": "float64", "/time": "float64", "/tas": "float32"}
    assert [row["unit"] for row in facts["variables"] if "unit" in row] == ["K"]
    assert warnings(facts) == []


def test_a_dimension_without_a_variable_is_no_variable(tmp_path: Path) -> None:
    path = tmp_path / "a.nc"
    with _file(path) as file:
        latitude, bounds = _coordinate(file, "lat", 4, 0), _dimension(file, "bnds", 2, 1)
        _variable(file, "lat_bnds", latitude, bounds)
    facts = describe(path)
    assert _named(facts) == [("lat", 4), ("bnds", 2)]
    assert list(variables(facts)) == ["/lat", "/lat_bnds"]
    assert facts["number_of_records"] == 2


@pytest.mark.parametrize("others", [0, 250])
def test_an_unlimited_dimension_is_as_long_as_its_longest_variable(tmp_path: Path, others: int) -> None:
    """The library does not make the scale longer with the variables; the longest may be one that is not described."""
    path = tmp_path / "a.nc"
    with _file(path) as file:
        moment, station = _dimension(file, "time", 0, 0, unlimited=True), _dimension(file, "station", 3, 1)
        _variable(file, "short", moment, station, shape=(7, 3))
        for number in range(others):
            file[f"scalar{number}"] = number
        _variable(file, "wind", moment, station, shape=(9, 3))
    facts = describe(path)
    assert _named(facts) == [("time", 9), ("station", 3)]
    assert facts["number_of_records"] == 2 + others


def test_a_groups_dimensions_keep_their_path(tmp_path: Path) -> None:
    path = tmp_path / "a.nc"
    with _file(path) as file:
        moment = _coordinate(file, "time", 3, 0)
        forecast = file.create_group("model/forecast", track_order=True)
        _variable(forecast, "ta", moment, _coordinate(forecast, "time", 6, 1), _dimension(forecast, "level", 2, 2))
    facts = describe(path)
    assert _named(facts) == [("time", 3), ("/model/forecast/time", 6), ("/model/forecast/level", 2)]
    assert list(variables(facts)) == ["/time", "/model/forecast/time", "/model/forecast/ta"]
    assert warnings(facts) == []


@pytest.mark.parametrize("numbered", [True, False])
def test_a_coordinate_of_two_dimensions_names_them_by_number(tmp_path: Path, numbered: bool) -> None:
    """A scale cannot have scales; where dimensions carry no number, theirs is the order in the file."""
    path = tmp_path / "a.nc"
    with _file(path) as file:
        _as_scale(file.create_dataset("y", (4, 5), "f4"), "y", 0 if numbered else None)
        file["y"].attrs["_Netcdf4Coordinates"] = numpy.array([0, 1], "i4")
        _dimension(file, "x", 5, 1 if numbered else None)
    facts = describe(path)
    assert (_named(facts), list(variables(facts)), warnings(facts)) == ([("y", 4), ("x", 5)], ["/y"], [])


def _marked_by_the_classic_model(file: Any) -> None:
    file.attrs["_nc3_strict"] = numpy.int32(1)
    _variable(file, "a", _coordinate(file, "x", 3, None))


def _marked_by_a_number(file: Any) -> None:
    _variable(file, "a", _coordinate(file, "x", 3, 0))


def _marked_by_coordinates(file: Any) -> None:
    scale = _coordinate(file, "x", 3, None)
    scale.attrs["_Netcdf4Coordinates"] = numpy.array([0], "i4")
    _variable(file, "a", scale)


def _marked_by_a_dimension_without_a_variable(file: Any) -> None:
    _variable(file, "a", _dimension(file, "x", 3, None))


@pytest.mark.parametrize(
    "write",
    [
        _marked_by_the_classic_model,
        _marked_by_a_number,
        _marked_by_coordinates,
        _marked_by_a_dimension_without_a_variable,
    ],
)
def test_a_file_of_an_old_library_is_known_by_its_other_traces(tmp_path: Path, write: Callable[[Any], None]) -> None:
    path = tmp_path / "a.nc"
    with h5py.File(path, "w") as file:  # without the order of creation, the variable comes before the scale
        write(file)
    facts = describe(path)
    assert (facts["format"]["name"], _named(facts), warnings(facts)) == ("NetCDF-4", [("x", 3)], [])


def test_traces_below_the_root_and_after_other_datasets_count(tmp_path: Path) -> None:
    path = tmp_path / "a.nc"
    with _file(path, declared=False) as file:
        group = file.create_group("g", track_order=True)
        for number in range(300):
            group[f"scalar{number}"] = number
        _variable(group, "a", _dimension(group, "x", 3, 0), shape=(3,))
    facts = describe(path)
    assert (facts["mime_type"], _named(facts)) == ("application/x-netcdf", [("/g/x", 3)])
    assert facts["number_of_records"] == 301
    assert warnings(facts) == ["only the first 200 of 301 datasets are described"]


def test_dimension_scales_alone_make_no_netcdf4(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", track_order=True) as file:
        file["x"] = [1.0, 2.0, 3.0]
        file["x"].make_scale("x")
        file["a"] = numpy.zeros((3, 2))
        file["a"].dims[0].attach_scale(file["x"])
        file["table"] = [1]
        file["table"].attrs["CLASS"] = numpy.bytes_("CARRAY")
        file["table"].attrs["_Netcdf4Dimid"] = 0
    facts = describe(path)
    assert (facts["mime_type"], facts["format"]["name"]) == ("application/x-hdf5", "HDF5")
    assert axes(facts) == {"/x[0]": 3, "/a[0]": 3, "/a[1]": 2, "/table[0]": 1}
    assert facts["number_of_records"] == 3


def _references(file: Any, *targets: Any) -> None:
    kind = h5py.vlen_dtype(h5py.ref_dtype)
    lists = numpy.empty(len(targets), object)
    for axis, target in enumerate(targets):
        lists[axis] = numpy.array([target], h5py.ref_dtype)
    file["ta"].attrs.create("DIMENSION_LIST", lists, dtype=kind)


def _dangling(file: Any) -> None:
    file["gone"] = [1.0]
    target = file["gone"].ref
    del file["gone"]
    _references(file, file["lat"].ref, target)


def _unset(file: Any) -> None:
    _references(file, file["lat"].ref, h5py.Reference())


def _to_a_group(file: Any) -> None:
    _references(file, file["lat"].ref, file.create_group("g").ref)


def _to_no_scale(file: Any) -> None:
    _references(file, file["lat"].ref, file["ta"].ref)


def _to_another_length(file: Any) -> None:
    _references(file, file["lat"].ref, file["lat"].ref)


BROKEN = [_dangling, _unset, _to_a_group, _to_no_scale, _to_another_length]


@pytest.mark.parametrize("damage", BROKEN)
def test_a_reference_that_leads_nowhere_leaves_the_axis_without_a_name(
    tmp_path: Path, damage: Callable[[Any], None]
) -> None:
    path = tmp_path / "a.nc"
    with _file(path) as file:
        _coordinate(file, "lat", 4, 0)
        file.create_dataset("ta", (4, 5), "f4")
        damage(file)
    facts = describe(path)
    assert _named(facts) == [("lat", 4), ("/ta[1]", 5)]
    assert list(variables(facts)) == ["/lat", "/ta"]
    assert warnings(facts) == [_DAMAGED]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("DIMENSION_LIST", numpy.arange(2)),
        ("DIMENSION_LIST", numpy.float64(1)),
        ("_Netcdf4Coordinates", numpy.arange(7, dtype="i4")),
        ("_Netcdf4Coordinates", numpy.array([1.5, 2.5])),
        ("_Netcdf4Coordinates", numpy.array([-1, 2**31 - 1], "i4")),
        ("_Netcdf4Coordinates", h5py.Empty("i4")),
    ],
)
def test_a_list_of_another_kind_leaves_the_axes_without_a_name(tmp_path: Path, attribute: str, value: Any) -> None:
    path = tmp_path / "a.nc"
    with _file(path) as file:
        _coordinate(file, "lat", 4, 0)
        file.create_dataset("ta", (4, 5), "f4").attrs[attribute] = value
    facts = describe(path)
    assert (_named(facts), warnings(facts)) == ([("lat", 4), ("/ta[0]", 4), ("/ta[1]", 5)], [_DAMAGED])


@pytest.mark.parametrize("number", ["zero", numpy.array([1, 2]), 1.5, h5py.Empty("i4")])
def test_a_dimension_whose_number_is_damaged_keeps_its_name(tmp_path: Path, number: Any) -> None:
    path = tmp_path / "a.nc"
    with _file(path) as file:
        bounds, moment = _dimension(file, "bnds", 2, None), _coordinate(file, "time", 3, 0)
        bounds.attrs["_Netcdf4Dimid"] = number
        _variable(file, "ta", moment, bounds)
    facts = describe(path)
    assert (_named(facts), list(variables(facts))) == ([("time", 3), ("bnds", 2)], ["/time", "/ta"])


def test_a_scale_without_a_length_is_no_dimension(tmp_path: Path) -> None:
    path = tmp_path / "a.nc"
    with _file(path) as file:
        for name, value in (("scalar", 1), ("empty", h5py.Empty("f4"))):
            file[name] = value
            file[name].attrs["CLASS"], file[name].attrs["NAME"] = numpy.bytes_("DIMENSION_SCALE"), _NO_VARIABLE
        _dimension(file, "x", 3, 0)
    facts = describe(path)
    assert (_named(facts), list(variables(facts)), warnings(facts)) == ([("x", 3)], ["/scalar", "/empty"], [])


def test_many_references_are_not_followed_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netcdf4, "_MAX_REFERENCES", 10)
    path = tmp_path / "a.nc"
    with _file(path) as file:
        scale = _coordinate(file, "x", 3, 0)
        for number in range(20):
            _variable(file, f"v{number}", scale)
    facts = Facts()
    with path.open("rb") as opened:
        hdf5.extract(opened.fileno(), path.stat().st_size, facts)
    assert [row["axis"] for row in facts.dimensions] == ["x", *(f"/v{number}[0]" for number in range(11, 20))]
    assert facts.warnings == ["only the first 10 references to dimensions were looked at"]


def test_a_dimension_of_thousands_of_variables_takes_little_time(tmp_path: Path) -> None:
    path = tmp_path / "a.nc"
    with _file(path) as file:
        moment = _dimension(file, "time", 0, 0, unlimited=True)
        model = _variable(file, "v", moment, shape=(8,))
        for number in range(3_000):
            copy = file.create_dataset(f"v{number}", (number,), "f4", maxshape=(None,), chunks=(8,))
            copy.attrs.create("DIMENSION_LIST", model.attrs["DIMENSION_LIST"], dtype=h5py.vlen_dtype(h5py.ref_dtype))
    facts = describe(path)  # taking too long would be a warning
    assert not [words for words in warnings(facts) if "longer" in words]
    assert _named(facts) == [("time", 2_999)]


def test_more_dimensions_than_are_recorded_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.nc"
    with _file(path) as file:
        for number in range(230):
            _dimension(file, f"x{number}", 1, number)
    facts = describe(path)
    assert _named(facts) == [(f"x{number}", 1) for number in range(200)]
    assert warnings(facts) == ["only the first 200 dimensions are recorded"]


def test_a_name_that_is_not_utf8_costs_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.nc"
    with _file(path) as file:
        _dimension(file, "caf\xe9".encode("latin-1"), 3, 0)  # type: ignore[arg-type]
        _variable(file, "v", _dimension(file, "x", 2, 1))
    facts = describe(path)
    assert (_named(facts), list(variables(facts)), warnings(facts)) == ([("caf\ufffd", 3), ("x", 2)], ["/v"], [])


def _sound(path: Path) -> bytes:
    with _file(path) as file:
        moment, level = _dimension(file, "time", 2, 0, unlimited=True), _coordinate(file, "lev", 3, 1)
        _variable(file, "ta", moment, level).attrs["_Netcdf4Coordinates"] = numpy.array([0, 1], "i4")
        group = file.create_group("g", track_order=True)
        _variable(group, "tas", moment, level, _dimension(group, "x", 4, 2))
    return path.read_bytes()


@pytest.mark.timeout(0)
def test_mutated_netcdf4_keeps_its_plain_facts(
    tmp_path: Path, rng: random.Random, count: Callable[[int, int], int]
) -> None:
    path = tmp_path / "a.nc"
    sound = _sound(path)
    assert axes(describe(path)) == {"time": 2, "lev": 3, "/g/x": 4}
    for _ in range(count(60, 3_000)):
        path.write_bytes(mutate(sound, rng))
        assert describe(path)["mime_type"]


@pytest.mark.timeout(0)
def test_references_with_any_bytes_keep_the_plain_facts(
    tmp_path: Path, rng: random.Random, count: Callable[[int, int], int]
) -> None:
    """The references lie in the global heap: each is pointed at random places of the file and beyond."""
    path = tmp_path / "a.nc"
    with _file(path) as file:
        _variable(file, "ta", _coordinate(file, "lev", 3, 0))
        target = h5py.h5o.get_info(file["lev"].id).addr
    sound = path.read_bytes()
    at = sound.index(target.to_bytes(8, "little"), sound.index(b"GCOL"))
    for _ in range(count(60, 3_000)):
        wrong = rng.choice((rng.randrange(len(sound)), rng.randrange(len(sound)) & ~7, rng.getrandbits(64)))
        path.write_bytes(sound[:at] + wrong.to_bytes(8, "little") + sound[at + 8 :])
        facts = describe(path)
        assert axes(facts)["lev"] == 3
        assert (warnings(facts) == []) == (wrong == target)


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    path = tmp_path / "a.nc"
    _sound(path)
    with path.open("rb") as opened:
        facts = Facts()
        hdf5.extract(opened.fileno(), path.stat().st_size, facts)
        assert [row["axis"] for row in facts.dimensions] == ["time", "lev", "/g/x"]
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            hdf5.extract(opened.fileno(), path.stat().st_size, Facts())
        assert len(os.listdir("/proc/self/fd")) <= before

"""NumPy, WAV, NIfTI, FITS and NetCDF-3: against numpy, wave and scipy, nibabel, astropy, scipy."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import wave
from pathlib import Path
from typing import Any

import nibabel
import numpy
import pytest
import scipy
from astropy.io import fits
from scipy.io import netcdf_file, wavfile

from tests.ingest.formats.engine import axes, describe, describe_bytes, header, variables, warnings

SCIPY = Path(scipy.__file__).parent / "io"


def _npy(array: numpy.ndarray[Any, Any], version: tuple[int, int] | None = None) -> bytes:
    out = io.BytesIO()
    numpy.lib.format.write_array(out, array, version=version, allow_pickle=True)
    return out.getvalue()


@pytest.mark.parametrize("dtype", ["f2", "f8", ">f4", "i1", ">i8", "u2", "?", "c16", "S5", "U7", "M8[s]"])
@pytest.mark.parametrize("shape", [(), (0,), (7,), (3, 4, 5)])
def test_npy_shape_and_type(dtype: str, shape: tuple[int, ...]) -> None:
    array = numpy.zeros(shape, dtype)
    facts = describe_bytes("a.npy", _npy(array))
    assert tuple(axes(facts).values()) == shape
    kind = array.dtype.newbyteorder("=").name
    expected = {"S": "bytes", "U": "string", "M": "datetime64"}.get(array.dtype.kind, kind)
    assert variables(facts) == {"values": expected}
    assert warnings(facts) == []


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_npy_fields(version: tuple[int, int]) -> None:
    array = numpy.zeros(4, [("time", "<f8"), ("flux µ" if version == (3, 0) else "flux", "<i4", (2, 3)), ("id", "S4")])
    facts = describe_bytes("a.npy", _npy(array, version))
    assert list(variables(facts).values()) == ["float64", "int32", "bytes"]
    assert facts["format"]["version"] == f"{version[0]}.0"


class _Planted:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("/tmp/fairfolder-pwned"),))


def test_pickled_objects_are_never_opened(tmp_path: Path) -> None:
    Path("/tmp/fairfolder-pwned").unlink(missing_ok=True)
    facts = describe_bytes("a.npy", _npy(numpy.array([_Planted()], dtype=object)))
    assert variables(facts) == {"values": "object"}
    assert warnings(facts) == ["the array holds pickled Python objects, which are never opened"]
    describe_bytes("a.pkl", pickle.dumps(_Planted()))
    assert not Path("/tmp/fairfolder-pwned").exists()


@pytest.mark.parametrize("text", ["{'descr': __import__('os'), 'shape': (1,)}", "{" * 5000, "", "{'shape': (9,)}"])
def test_a_npy_header_is_matched_not_evaluated(text: str) -> None:
    facts = describe_bytes("a.npy", b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode())
    assert facts["mime_type"] == "application/x-npy"
    assert warnings(facts)


@pytest.mark.parametrize(("channels", "width", "rate"), [(1, 1, 8_000), (2, 2, 44_100), (6, 3, 96_000)])
def test_wav_is_as_wave_wrote_it(tmp_path: Path, channels: int, width: int, rate: int) -> None:
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(b"\0" * channels * width * 12_345)
    facts = describe(path)
    assert (facts["channels"], facts["bit_depth"], header(facts)["sampling rate"]) == (channels, width * 8, rate)
    assert facts["duration_seconds"] == pytest.approx(12_345 / rate, abs=1e-6)


WAVS = sorted((SCIPY / "tests" / "data").glob("*.wav"))


@pytest.mark.parametrize("path", WAVS, ids=lambda path: path.name)
@pytest.mark.filterwarnings("ignore::scipy.io.wavfile.WavFileWarning")
def test_shipped_wavs_are_as_scipy_reads_them(path: Path) -> None:
    facts = describe(path)
    assert facts["mime_type"] == "audio/wav"
    try:
        rate, data = wavfile.read(path)
    except ValueError:
        return  # scipy refuses this coding; that it is described is enough
    assert header(facts)["sampling rate"] == rate
    assert facts["channels"] == (data.shape[1] if data.ndim > 1 else 1)
    if "incomplete" not in path.name and "early-eof" not in path.name:
        assert facts["duration_seconds"] == pytest.approx(len(data) / rate, abs=1e-6)


NIFTIS = sorted(
    path
    for path in (Path(nibabel.__file__).parent).rglob("*.nii*")
    if path.name.endswith((".nii", ".nii.gz")) and path.stat().st_size > 500
)


@pytest.mark.parametrize("path", NIFTIS, ids=lambda path: path.name)
def test_niftis_are_as_nibabel_reads_them(path: Path) -> None:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    kind = nibabel.Nifti2Header if raw[4:7] == b"n+2" else nibabel.Nifti1Header
    oracle = kind.from_fileobj(io.BytesIO(raw), check=False)
    facts = describe(path)
    assert facts["mime_type"] == "application/x-nifti"
    assert tuple(axes(facts).values()) == oracle.get_data_shape()
    assert variables(facts)["intensity"] == oracle.get_data_dtype().newbyteorder("=").name or oracle["datatype"] == 128
    assert facts["bit_depth"] == oracle["bitpix"]
    assert header(facts)["spacing x"] == pytest.approx(float(oracle["pixdim"][1]))


def test_free_text_of_a_nifti_is_not_recorded(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(numpy.zeros((4, 5, 6), "int16"), numpy.eye(4))
    image.header["descrip"] = b"Jane Doe 1970-01-01"
    image.header["db_name"] = b"Jane Doe"
    path = tmp_path / "a.nii"
    nibabel.save(image, path)
    assert "Jane" not in str(describe(path))


def test_fits_images_and_tables(tmp_path: Path) -> None:
    image = fits.PrimaryHDU(numpy.zeros((5, 7, 9), "float32"))
    image.header.update({"TELESCOP": "VLT O'Brien", "EXPTIME": (2.5, "[min] exposure"), "OBSERVER": "Jane Doe"})
    columns = [
        fits.Column("flux", "D", "Jy", array=numpy.zeros(6)),
        fits.Column("name", "8A", array=numpy.array(["a"] * 6)),
    ]
    path = tmp_path / "a.fits"
    fits.HDUList([image, fits.BinTableHDU.from_columns(columns)]).writeto(path)
    facts = describe(path)
    found = axes(facts)
    assert (found["NAXIS1"], found["NAXIS2"], found["NAXIS3"], found["rows"]) == (9, 7, 5, 6)
    assert variables(facts) == {"image": "float32", "flux": "float64", "name": "string"}
    assert header(facts) == {"TELESCOP": "VLT O'Brien", "EXPTIME": 2.5}
    assert [row.get("unit") for row in facts["instrument_metadata"]] == [None, "min"]
    assert "Jane" not in str(facts)
    assert warnings(facts) == []


ASTROPY = sorted(Path(fits.__file__).parent.rglob("tests/data/*.fits"))


@pytest.mark.parametrize("path", ASTROPY, ids=lambda path: path.name)
def test_shipped_fits_are_as_astropy_reads_them(path: Path) -> None:
    facts = describe(path)
    assert facts["mime_type"] == "application/fits"
    try:
        with fits.open(path) as units:
            assert axes(facts).get("header-data units", 1) == len(units)
            image = next((unit for unit in units if unit.is_image and unit.header.get("NAXIS")), None)
            if image is not None:
                sizes = [image.header[f"NAXIS{axis + 1}"] for axis in range(image.header["NAXIS"])]
                assert [size for axis, size in axes(facts).items() if axis.startswith("NAXIS")] == sizes
            table = next(
                (
                    unit
                    for unit in units
                    if isinstance(unit, fits.BinTableHDU | fits.TableHDU) and not isinstance(unit, fits.CompImageHDU)
                ),
                None,
            )
            if table is not None:
                assert facts["number_of_records"] == table.header["NAXIS2"]
                assert set(table.columns.names) <= set(variables(facts)) | {""}
    except OSError:
        assert warnings(facts)


def test_netcdf3_is_as_scipy_wrote_it(tmp_path: Path) -> None:
    for version in (1, 2):
        path = tmp_path / f"v{version}.nc"
        with netcdf_file(path, "w", version=version) as file:
            file.history = "made by Jane Doe"
            file.createDimension("time", None)
            file.createDimension("lat", 4)
            time = file.createVariable("time", "d", ("time",))
            time.units, time.long_name = "days since 2000-01-01", "time of day"
            time[:] = numpy.arange(3)
            file.createVariable("tas", "f", ("time", "lat")).units = "K"
        facts = describe(path)
        assert axes(facts) == {"time": 3, "lat": 4}
        assert variables(facts) == {"time": "float64", "tas": "float32"}
        assert [row.get("unit") for row in facts["variables"]] == ["days since 2000-01-01", "K"]
        assert "Jane" not in str(facts)


NETCDFS = sorted((SCIPY / "tests" / "data").glob("*.nc"))


@pytest.mark.parametrize("path", NETCDFS, ids=lambda path: path.name)
def test_shipped_netcdfs_are_as_scipy_reads_them(path: Path) -> None:
    facts = describe(path)
    with netcdf_file(path, mmap=False) as oracle:
        assert axes(facts) == {name: size or oracle._recs for name, size in oracle.dimensions.items()}
        assert list(variables(facts)) == list(oracle.variables)

"""Every format by its signature: a new format is one file beside this one and one line here.

PRONOM identifiers are The National Archives' (nationalarchives.gov.uk/PRONOM), EDAM's are edamontology.org's;
a line has one only where that registry has an entry for exactly this format.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ingest.formats import (
    bam,
    bmp,
    fits,
    gif,
    jpeg,
    jsontext,
    netcdf3,
    nifti,
    npy,
    png,
    sandbox,
    sequences,
    table,
    tararchive,
    text,
    tiff,
    vcf,
    wav,
    webp,
    xmltext,
    ziparchive,
)
from ingest.formats.compressed import Wrapper
from ingest.formats.source import Format, Source

_P = "https://www.nationalarchives.gov.uk/PRONOM/"
_E = "http://edamontology.org/"

PNG = Format("png", "PNG image", "image/png", None, _E + "format_3603", png.describe)
JPEG = Format("jpeg", "JPEG image", "image/jpeg", None, _E + "format_3579", jpeg.describe)
GIF = Format("gif", "GIF image", "image/gif", None, _E + "format_3467", gif.describe)
WEBP = Format("webp", "WebP image", "image/webp", None, None, webp.describe)
BMP = Format("bmp", "BMP image", "image/bmp", None, _E + "format_3592", bmp.describe)
TIFF = Format("tiff", "TIFF image", "image/tiff", _P + "fmt/353", _E + "format_3591", tiff.describe)
WAV = Format("wav", "WAV sound", "audio/wav", _P + "fmt/6", None, wav.describe)
NPY = Format("npy", "NumPy array", "application/x-npy", None, _E + "format_4003", npy.describe)
FITS = Format("fits", "FITS", "application/fits", _P + "x-fmt/383", None, fits.describe)
NETCDF3 = Format("netcdf3", "NetCDF-3", "application/x-netcdf", None, _E + "format_3650", netcdf3.describe)
NIFTI = Format("nifti", "NIfTI", "application/x-nifti", None, _E + "format_4001", nifti.describe)
BAM = Format("bam", "BAM", "application/x-bam", None, _E + "format_2572", bam.describe)
TAR = Format(
    "tar",
    "tar archive",
    "application/x-tar",
    _P + "x-fmt/265",
    _E + "format_3981",
    tararchive.describe,
    tararchive.counter,
)
ZIP = Format("zip", "ZIP archive", "application/zip", _P + "x-fmt/263", _E + "format_3987", ziparchive.describe)
HDF5 = Format("hdf5", "HDF5", "application/x-hdf5", None, _E + "format_3590", partial(sandbox.describe, "hdf5"))
DICOM = Format(
    "dicom", "DICOM", "application/dicom", _P + "fmt/574", _E + "format_3548", partial(sandbox.describe, "dicom")
)
PDF = Format("pdf", "PDF", "application/pdf", None, _E + "format_3508", partial(sandbox.describe, "pdf"))

VCF = Format("vcf", "VCF", "text/x-vcf", None, _E + "format_3016", vcf.describe, vcf.counter, text=True)
FASTA = Format(
    "fasta",
    "FASTA",
    "text/x-fasta",
    None,
    _E + "format_1929",
    sequences.describe_fasta,
    sequences.fasta_counter,
    text=True,
)
FASTQ = Format(
    "fastq",
    "FASTQ",
    "text/x-fastq",
    None,
    _E + "format_1930",
    sequences.describe_fastq,
    sequences.fastq_counter,
    text=True,
)
HTML = Format("html", "HTML", "text/html", None, _E + "format_2331", counter=text.encoding_check, text=True)
XML = Format(
    "xml",
    "XML",
    "application/xml",
    _P + "fmt/101",
    _E + "format_2332",
    xmltext.describe,
    text.encoding_check,
    text=True,
)
JSON = Format(
    "json",
    "JSON",
    "application/json",
    _P + "fmt/817",
    _E + "format_3464",
    jsontext.describe,
    text.encoding_check,
    text=True,
)
JSON_LINES = Format(
    "jsonlines",
    "JSON Lines",
    "application/x-ndjson",
    None,
    None,
    jsontext.describe_lines,
    jsontext.lines_counter,
    text=True,
)
TSV = Format(
    "tsv",
    "Tab-separated values",
    "text/tab-separated-values",
    _P + "x-fmt/13",
    _E + "format_3475",
    table.describe,
    table.counter,
    text=True,
)
CSV = Format("csv", "CSV", "text/csv", _P + "x-fmt/18", _E + "format_3752", table.describe, table.counter, text=True)
TEXT = Format(
    "text", "Plain text", "text/plain", _P + "x-fmt/111", _E + "format_2330", text.describe, text.counter, text=True
)

BINARY = Format("binary", "", "application/octet-stream")
EMPTY = Format("empty", "", "application/x-empty")


@dataclass(frozen=True, slots=True)
class Signature:
    """Bytes a content starts with; ``check`` looks further where the bytes alone do not decide."""

    start: bytes
    format: Format
    check: Callable[[bytes], bool] | None = None


SIGNATURES = (
    Signature(png.SIGNATURE, PNG),
    Signature(b"\xff\xd8\xff", JPEG),
    Signature(b"GIF87a", GIF),
    Signature(b"GIF89a", GIF),
    Signature(b"II", TIFF, tiff.is_tiff),
    Signature(b"MM", TIFF, tiff.is_tiff),
    Signature(b"BM", BMP, bmp.is_bmp),
    Signature(b"RIFF", WEBP, webp.is_webp),
    Signature(b"RIFF", WAV, lambda head: head[8:12] == b"WAVE"),
    Signature(b"RIFX", WAV, lambda head: head[8:12] == b"WAVE"),
    Signature(b"RF64", WAV, lambda head: head[8:12] == b"WAVE"),
    Signature(b"BW64", WAV, lambda head: head[8:12] == b"WAVE"),
    Signature(npy.SIGNATURE, NPY),
    Signature(b"SIMPLE  =", FITS),
    Signature(b"CDF\x01", NETCDF3),
    Signature(b"CDF\x02", NETCDF3),
    Signature(b"CDF\x05", NETCDF3),
    Signature(b"\x5c\x01\x00\x00", NIFTI, nifti.is_nifti),
    Signature(b"\x00\x00\x01\x5c", NIFTI, nifti.is_nifti),
    Signature(b"\x1c\x02\x00\x00", NIFTI, nifti.is_nifti),
    Signature(b"\x00\x00\x02\x1c", NIFTI, nifti.is_nifti),
    Signature(b"BAM\x01", BAM),
    Signature(b"PK\x03\x04", ZIP),
    Signature(b"PK\x05\x06", ZIP),
    Signature(b"\x89HDF\r\n\x1a\n", HDF5),
    Signature(b"%PDF-", PDF),
)
SIGNATURES_BY_START: dict[bytes, tuple[Signature, ...]] = {
    start: tuple(one for one in SIGNATURES if one.start[:2] == start) for start in {one.start[:2] for one in SIGNATURES}
}

# HDF5 may stand behind a user block whose size is a power of two from 512 (HDF5 format, II.A); MATLAB 7.3 uses it.
HDF5_OFFSETS = (512, 1024, 2048)

Recogniser = Callable[[Source], bool]

# In this order; the first that recognises the text describes it.
TEXT_RECOGNISERS: dict[bytes, tuple[tuple[Recogniser, Format], ...]] = {
    b"#": ((lambda source: source.body.startswith(vcf.SIGNATURE), VCF),),
    b">": ((sequences.is_fasta, FASTA),),
    b"@": ((sequences.is_fastq, FASTQ),),
    b"<": ((xmltext.is_html, HTML), (xmltext.is_xml, XML)),
    b"{": ((jsontext.is_json, JSON), (jsontext.is_json_lines, JSON_LINES)),
    b"[": ((jsontext.is_json, JSON), (jsontext.is_json_lines, JSON_LINES)),
}

# Where the content is text and nothing more, the extension may say which kind.
TEXT_EXTENSIONS: dict[str, Format] = {
    extension: Format(key, name, media_type, None, None, text.describe, text.counter, text=True)
    for extension, key, name, media_type in (
        ("md", "markdown", "Markdown", "text/markdown"),
        ("py", "python", "Python source", "text/x-python"),
        ("r", "r", "R source", "text/x-r-source"),
        ("c", "c", "C source", "text/x-c"),
        ("h", "c", "C source", "text/x-c"),
        ("cpp", "c++", "C++ source", "text/x-c++"),
        ("java", "java", "Java source", "text/x-java"),
        ("js", "javascript", "JavaScript", "text/javascript"),
        ("css", "css", "CSS", "text/css"),
        ("sh", "shell", "Shell script", "text/x-shellscript"),
        ("sql", "sql", "SQL", "application/sql"),
        ("tex", "latex", "LaTeX", "application/x-tex"),
        ("yaml", "yaml", "YAML", "application/yaml"),
        ("yml", "yaml", "YAML", "application/yaml"),
        ("toml", "toml", "TOML", "application/toml"),
        ("ttl", "turtle", "Turtle", "text/turtle"),
        ("nt", "n-triples", "N-Triples", "application/n-triples"),
    )
}
TABLE_EXTENSIONS = frozenset(("csv", "tsv", "tab"))

WRAPPERS: dict[bytes, Wrapper] = {
    b"\x1f\x8b": Wrapper("gzip", "gzip", "application/gzip", _P + "x-fmt/266", _E + "format_3989", ("gz", "bgz")),
    b"BZ": Wrapper("bzip2", "bzip2", "application/x-bzip2", _P + "x-fmt/268", None, ("bz2",)),
    b"\xfd7": Wrapper("xz", "xz", "application/x-xz", _P + "fmt/1098", None, ("xz",)),
    b"\x28\xb5": Wrapper("zstd", "Zstandard", "application/zstd", None, None, ("zst", "zstd")),
}
WRAPPER_STARTS = {
    "gzip": b"\x1f\x8b\x08",
    "bzip2": b"BZh",
    "xz": b"\xfd7zXZ\x00",
    "zstd": b"\x28\xb5\x2f\xfd",
}

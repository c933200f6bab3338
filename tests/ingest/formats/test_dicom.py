"""DICOM: technical tags as pydicom reads them, and never a tag that could identify a patient."""

from __future__ import annotations

import json
import re
import string
import warnings as python_warnings
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.datadict import DicomDictionary, dictionary_VR, keyword_for_tag
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from ingest.formats.dicom import ALLOWED, CODES, MAKERS, NUMBERS
from tests.ingest.formats.engine import axes, describe, header, warnings

SHIPPED = sorted((Path(pydicom.__file__).parent / "data" / "test_files").glob("*.dcm"))

# The Basic Application Level Confidentiality Profile of PS3.15, Table E.1-1, lists among others these for removal.
IDENTIFYING = re.compile(
    r"Patient|Person|Physician|Operator|Institution|Name$|ID$|UID|Date|Time$|Description|Comment|Address|Telephone"
    r"|Serial|Station|Accession|Protocol|Birth|Sex|Age|Ethnic|Occupation|History|Diagnos|Request|Schedul|Private"
)
TECHNICAL = {"ManufacturerModelName", "ExposureTime", "RepetitionTime", "EchoTime", "InversionTime", "FrameTime"}


def test_the_list_allows_no_identifying_tag() -> None:
    assert [keyword for keyword in ALLOWED if IDENTIFYING.search(keyword) and keyword not in TECHNICAL] == []
    for keyword in NUMBERS:
        assert dictionary_VR(keyword) in {"DS", "IS", "US", "FD", "FL", "UL", "SS"}, keyword
    for keyword in CODES:
        assert dictionary_VR(keyword) == "CS", keyword
    for keyword in MAKERS:
        assert dictionary_VR(keyword) in {"LO", "SH"}, keyword


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_files_are_described_without_a_word_of_the_patient(path: Path) -> None:
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")
        oracle = pydicom.dcmread(path, force=True, stop_before_pixels=True)
        texts = _identifying_texts(oracle)
        facts = describe(path)
        if facts["mime_type"] != "application/dicom":
            # Without preamble and file meta nothing but the first element tells; those few may stay octets.
            assert path.read_bytes()[128:132] != b"DICM"
            return
        found = json.dumps(facts, ensure_ascii=False)
        assert [text for text in texts if text in found] == []
        for keyword, axis in (("Columns", "columns"), ("Rows", "rows")):
            if oracle.get(keyword) is not None:
                assert axes(facts)[axis] == oracle.get(keyword)
        if oracle.get("Modality"):
            assert header(facts)["Modality"] == oracle.Modality


def _identifying_texts(dataset: Any) -> set[str]:
    """Every text of a tag that is not on the list, long enough not to occur by chance."""
    texts: set[str] = set()
    allowed = {str(dataset.get(keyword)) for keyword in ALLOWED}
    for element in dataset.iterall():
        value = str(element.value)
        if element.keyword not in ALLOWED and element.VR in {"PN", "LO", "SH", "DA", "UI", "LT", "ST", "DT", "AS"}:
            texts.add(value)
    return {text for text in texts if len(text) >= 6 and not any(text in other for other in allowed)}


def _planted(syntax: Any) -> tuple[FileDataset, str]:
    """A dataset in which every text tag of the dictionary that is not allowed holds the canary."""
    canary = "ZQXJKV"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.3", "1.2.3.4"
    meta.TransferSyntaxUID = syntax
    dataset = FileDataset("x", {}, file_meta=meta, preamble=b"\0" * 128)
    for tag, entry in DicomDictionary.items():
        text = entry[0] in {"LO", "SH", "PN", "LT", "ST", "CS", "UT", "UC"} and entry[4] and tag > 0x00080000
        if text and keyword_for_tag(tag) not in ALLOWED:
            dataset.add_new(tag, entry[0], canary)
    block = dataset.private_block(0x000B, canary, create=True)
    block.add_new(0x01, "LO", canary)
    dataset.Manufacturer, dataset.Modality, dataset.Rows, dataset.Columns = "ACME", "MR", 4, 5
    dataset.MagneticFieldStrength = "2.89"
    dataset.PixelSpacing = ["0.5", "0.75"]
    dataset.SoftwareVersions = ["A1", "B2"]
    return dataset, canary


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_no_text_of_any_other_tag_gets_through(tmp_path: Path, syntax: Any) -> None:
    dataset, canary = _planted(syntax)
    path = tmp_path / "a.dcm"
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")
        dataset.save_as(path, enforce_file_format=True)
    assert path.read_bytes().count(canary.encode()) > 1_000
    facts = describe(path)
    assert canary not in json.dumps(facts)
    assert axes(facts) == {"columns": 5, "rows": 4}
    assert header(facts) == {
        "Rows": 4,
        "Columns": 5,
        "PixelSpacing": "0.5 \\ 0.75",
        "MagneticFieldStrength": 2.89,
        "Modality": "MR",
        "Manufacturer": "ACME",
        "SoftwareVersions": "A1 \\ B2",
    }
    assert [row["unit"] for row in facts["instrument_metadata"] if row["name"] == "MagneticFieldStrength"] == ["T"]


def test_a_value_that_is_not_of_its_kind_is_not_recorded(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    dataset = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    content = bytearray()
    dataset.save_as(path)
    content += path.read_bytes()
    at = content.index(b"CS\x02\x00MR")
    content[at + 4 : at + 6] = b"m\n"
    path.write_bytes(content)
    facts = describe(path)
    assert "Modality" not in header(facts)
    assert set("".join(map(str, header(facts)))) <= set(string.printable)
    assert warnings(facts) == []

"""FASTA, FASTQ and VCF: records against Biopython and plain counting; BAM written block by block."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import pytest
from Bio import SeqIO

from tests.ingest.formats.engine import axes, describe, describe_bytes, header, warnings

FASTQ = "".join(f"@read{n} extra\n{'ACGTN' * 10}\n+\n{'I@5#!' * 10}\n" for n in range(12))
FASTA = "".join(f">seq{n} a > b\n{'ACGT' * 15}\n{'ACGT' * 15}\n" for n in range(9))
VCF = (
    "##fileformat=VCFv4.3\n##source=caller 1.2\n##contig=<ID=1>\n"
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tJane_Doe\tJohn_Roe\n"
    + "".join(f"1\t{n}\t.\tA\tG\t50\tPASS\tDP=9\tGT\t0/1\t1/1\n" for n in range(1, 8))
)


def _oracle(path: Path, kind: str) -> int:
    with path.open() as file:
        return sum(1 for _ in SeqIO.parse(file, kind))


@pytest.mark.parametrize(("kind", "text"), [("fasta", FASTA), ("fastq", FASTQ)])
@pytest.mark.parametrize("times", [1, 300])
@pytest.mark.parametrize("chunk", [1 << 20, 65_536, 997])
@pytest.mark.parametrize("tail", ["", "\n", "\n\n\n"])
def test_records_are_those_biopython_reads(
    tmp_path: Path, kind: str, text: str, times: int, chunk: int, tail: str
) -> None:
    path = tmp_path / "reads.txt"
    path.write_text((text * times).rstrip("\n") + tail)
    facts = describe(path, chunk)
    assert facts["mime_type"] == f"text/x-{kind}"
    assert facts["number_of_records"] == _oracle(path, kind)


def test_a_fastq_that_is_cut_off_is_not_counted() -> None:
    facts = describe_bytes("cut.fastq", FASTQ[: FASTQ.rindex("\n+\n")].encode())
    assert "number_of_records" not in facts
    assert warnings(facts) == ["the reads were not counted: the number of lines is not a multiple of four"]


@pytest.mark.parametrize("text", ["> quoted mail\n> more of it\n", "@handle said\nsomething\n", ">\n", "@\n"])
def test_mail_is_no_sequence(text: str) -> None:
    assert describe_bytes("mail", text.encode())["mime_type"] == "text/plain"


@pytest.mark.parametrize("chunk", [1 << 20, 65_536, 997])
@pytest.mark.parametrize("contigs", [0, 4_000])
@pytest.mark.parametrize("times", [1, 700])
def test_vcf_records_samples_and_version(tmp_path: Path, chunk: int, contigs: int, times: int) -> None:
    head, _, records = VCF.partition("#CHROM")
    columns, _, records = records.partition("\n")
    text = head + "".join(f"##contig=<ID=c{n},length=1000>\n" for n in range(contigs)) + f"#CHROM{columns}\n"
    path = tmp_path / "calls.vcf"
    path.write_text(text + records * times)
    facts = describe(path, chunk)
    assert facts["format"]["version"] == "4.3"
    assert (facts["number_of_records"], axes(facts)) == (7 * times, {"samples": 2})
    assert header(facts) == {"source": "caller 1.2"}
    assert "Doe" not in str(facts)


def test_gzipped_reads_are_counted_and_named_by_what_is_inside(tmp_path: Path) -> None:
    path = tmp_path / "sample_A_read1.fastq.gz"
    path.write_bytes(gzip.compress(FASTQ.encode() * 2_000))
    facts = describe(path)
    assert (facts["mime_type"], facts["compression"]) == ("text/x-fastq", "application/gzip")
    assert facts["number_of_records"] == 24_000
    assert facts["extraction"]["extractor"] == "gzip/fastq"


def bgzf(content: bytes) -> bytes:
    """Blocks of BGZF as the SAM specification, 4.1, writes them, with the empty block at the end."""
    blocks = b""
    for start in [*range(0, len(content), 60_000), len(content)]:
        piece = content[start : start + 60_000]
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = packer.compress(piece) + packer.flush()
        blocks += b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0" + struct.pack("<H", len(packed) + 25)
        blocks += packed + struct.pack("<II", zlib.crc32(piece), len(piece))
    return blocks


def test_bgzf_is_counted_across_its_blocks(tmp_path: Path) -> None:
    path = tmp_path / "calls.vcf.gz"
    head, _, records = VCF.rpartition("Roe\n")
    path.write_bytes(bgzf(f"{head}Roe\n{records * 3_000}".encode()))
    assert gzip.decompress(path.read_bytes()).count(b"PASS") == 21_000
    facts = describe(path)
    assert (facts["mime_type"], facts["number_of_records"]) == ("text/x-vcf", 21_000)
    assert facts["extraction"]["extractor"] == "bgzf/vcf"


def _bam(text: str, references: int) -> bytes:
    raw = text.encode()
    content = b"BAM\1" + struct.pack("<I", len(raw)) + raw + struct.pack("<I", references)
    for number in range(references):
        name = f"chr{number}".encode() + b"\0"
        content += struct.pack("<I", len(name)) + name + struct.pack("<I", 1_000)
    return bgzf(content + b"\0" * 5_000)


def test_bam_header(tmp_path: Path) -> None:
    text = (
        "@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:chr0\tLN:1000\n"
        "@RG\tID:1\tSM:Jane_Doe\tPL:ILLUMINA\tPM:NovaSeq\n@PG\tID:bwa\tPN:bwa\tVN:0.7.17\tCL:bwa mem /home/jane\n"
    )
    path = tmp_path / "a.bam"
    path.write_bytes(_bam(text, 25))
    facts = describe(path)
    assert (facts["mime_type"], facts["format"]["version"]) == ("application/x-bam", "1.6")
    assert axes(facts) == {"references": 25}
    assert header(facts) == {
        "sort order": "coordinate",
        "program": "bwa 0.7.17",
        "platform": "NovaSeq",
    } or header(facts)["platform"] in {"NovaSeq", "ILLUMINA"}
    assert "jane" not in str(facts).lower()


def test_a_bam_header_longer_than_the_peek_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.bam"
    path.write_bytes(_bam("@HD\tVN:1.6\n" + "".join(f"@SQ\tSN:c{n}\tLN:1\n" for n in range(9_000)), 9_000))
    facts = describe(path)
    assert facts["format"]["version"] == "1.6"
    assert warnings(facts) == ["the BAM header is longer than 64 kB: only its beginning was read"]

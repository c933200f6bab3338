"""One file on its way through the engine: begin with the head, count while it is read, finish with the facts.

No content makes any of the three raise: what a file breaks costs it its details, never its plain facts.
"""

from __future__ import annotations

import base64
import logging
from typing import Any

from ingest.formats import compressed, identify, registry, sandbox
from ingest.formats.compressed import BrokenError, Unpacker, Wrapper
from ingest.formats.facts import Facts, MalformedError
from ingest.formats.source import Counter, Format, Source

VERSION = "1.0.0"

log = logging.getLogger(__name__)


class Extraction:
    """What is found out about one file. See :func:`ingest.formats.begin`."""

    __slots__ = ("_counter", "_format", "_source", "_trouble", "wants_chunks")

    def __init__(self, source: Source) -> None:
        self._source = source
        self._trouble = ""
        self._format: Format = identify.identify(source)
        self._counter = _counter(self._format, source)
        self.wants_chunks = self._counter is not None

    def feed(self, chunk: bytes | memoryview) -> None:
        """Every byte in order, the head included. Called only when ``wants_chunks`` is true."""
        if self._counter is not None:
            try:
                self._counter.feed(chunk if isinstance(chunk, bytes) else bytes(chunk))
            except Exception as error:  # noqa: BLE001 - the outermost guard: no content may stop the engine
                self._counter, self._trouble = None, _reason(error)

    def finish(self, fd: int | None) -> dict[str, Any]:
        """The facts, as keys of "file technical". ``fd`` is open for reading on the same file, or None."""
        self._source.fd = fd
        facts = Facts()
        self._describe(facts)
        if self._trouble:
            facts.warn(f"extract failed: {self._trouble}")
        return facts.as_dict(VERSION)

    def _describe(self, facts: Facts) -> None:
        describe_content(self._format, self._source, self._counter, facts)


def describe_content(form: Format, source: Source, counter: Counter | None, facts: Facts) -> None:
    """Fill in what the format's extractor and counter know; a failure becomes a warning."""
    facts.media_type, facts.format_name = form.media_type, form.name
    facts.iri, facts.edam_iri, facts.extractor = form.iri, form.edam_iri, form.key
    if form.text:
        facts.encoding = source.encoding
    try:
        if form.describe:
            form.describe(source, facts)
        if counter:
            counter.finish(facts)
    except MalformedError as error:
        facts.warn(str(error))
    except Exception as error:  # noqa: BLE001 - the outermost guard: no content may stop the engine
        log.info("extract failed", extra={"format": form.key, "reason": _reason(error)})
        facts.warn(f"extract failed: the content could not be read ({_reason(error)})")
    if form.text and source.encoding_guessed:
        facts.warn("the encoding is a guess: the bytes are neither ASCII nor UTF-8")


def _counter(form: Format, source: Source) -> Counter | None:
    return form.counter(source) if form.counter and not source.whole else None


def _reason(error: BaseException) -> str:
    """The kind of the failure; never its message, which may quote the content."""
    return type(error).__name__


class WrappedExtraction(Extraction):
    """A compressed file: its media type is that of what is inside, ``compression`` that of the wrapper."""

    __slots__ = ("_opened_late", "_outer", "_unpacker", "_wrapper")

    def __init__(self, outer: Source, wrapper: Wrapper) -> None:
        self._outer, self._wrapper = outer, wrapper
        # Zstandard needs a library, which runs in the worker, when the file is open.
        self._opened_late = wrapper.key == "zstd"
        self._unpacker: Unpacker | None = None
        head, whole, trouble = b"", False, ""
        if not self._opened_late:
            head, whole, trouble = compressed.peek(wrapper.key, outer.head, complete=outer.whole)
        # One block of bzip2 may take more than the head holds.
        self._opened_late |= wrapper.key == "bzip2" and not head and not trouble and not outer.whole
        super().__init__(_inner_source(outer, wrapper, head, whole))
        self._trouble = trouble
        if self._counter is not None and (outer.size or 0) <= compressed.MAX_PACKED and not trouble:
            self._unpacker = Unpacker(wrapper.key)
        self.wants_chunks = self._unpacker is not None and not outer.whole

    def feed(self, chunk: bytes | memoryview) -> None:
        if self._unpacker is None or self._counter is None:
            return
        try:
            for piece in self._unpacker.feed(bytes(chunk)):
                self._counter.feed(piece)
        except BrokenError as error:
            self._unpacker, self._counter = None, None
            self._trouble = f"the compressed data is damaged: {error}"
        except Exception as error:  # noqa: BLE001 - the outermost guard: no content may stop the engine
            self._unpacker, self._counter, self._trouble = None, None, _reason(error)

    def finish(self, fd: int | None) -> dict[str, Any]:
        self._outer.fd = fd
        facts = Facts()
        if self._opened_late:
            self._open_late(facts)
        elif self._unpacker is not None and self._outer.whole:
            self.feed(self._outer.head)
        self._finish_counting(facts)
        self._describe(facts)
        facts.compression = self._wrapper.media_type
        self._name_wrapper(facts)
        if self._trouble:
            facts.warn(f"extract failed: {self._trouble}")
        return facts.as_dict(VERSION)

    def _finish_counting(self, facts: Facts) -> None:
        if self._counter is None or self._trouble:
            self._counter = None
            return
        if self._unpacker is None or self._unpacker.exhausted:
            limit = f"{compressed.MAX_PACKED >> 20} MB compressed or {compressed.MAX_UNPACKED >> 20} MB unpacked"
            facts.warn(f"the number of records was left out: the file is larger than {limit}")
            self._counter = None
        elif not self._unpacker.ended:
            self._trouble = "the compressed data ends too early: the file is cut off"
            self._counter = None

    def _name_wrapper(self, facts: Facts) -> None:
        key = "bgzf" if compressed.is_bgzf(self._outer.head) else self._wrapper.key
        facts.extractor = f"{key}/{facts.extractor}"
        if not facts.format_name:
            facts.format_name = "BGZF" if key == "bgzf" else self._wrapper.name
            facts.iri, facts.edam_iri = self._wrapper.iri, self._wrapper.edam_iri

    def _open_late(self, facts: Facts) -> None:
        head, whole = self._peek_by_worker(facts) if self._wrapper.key == "zstd" else self._peek_further()
        if not head:
            return
        self._source = _inner_source(self._outer, self._wrapper, head, whole)
        self._format = identify.identify(self._source)
        self._counter = _counter(self._format, self._source)
        if (
            self._counter is not None
            and self._wrapper.key != "zstd"
            and (self._outer.size or 0) <= compressed.MAX_PACKED
        ):
            self._unpacker = Unpacker(self._wrapper.key)
            self.feed(self._outer.read(0, compressed.MAX_PACKED))

    def _peek_by_worker(self, facts: Facts) -> tuple[bytes, bool]:
        answer = sandbox.run(self._wrapper.key, self._outer, facts) or {}
        peek = answer.get("peek")
        return (base64.b64decode(peek), answer.get("whole") is True) if isinstance(peek, str) else (b"", False)

    def _peek_further(self) -> tuple[bytes, bool]:
        packed = self._outer.read(0, compressed.MAX_BLOCK)
        complete = self._outer.size == len(packed)
        head, whole, self._trouble = compressed.peek(self._wrapper.key, packed, complete=complete)
        return head, whole


def _inner_source(outer: Source, wrapper: Wrapper, head: bytes, whole: bool) -> Source:
    name = outer.name
    stem, _, extension = name.rpartition(".")
    if extension.lower() in wrapper.suffixes:
        name = stem
    return Source(name, len(head) if whole else None, head, extension=extension_of(name))


def extension_of(name: str) -> str:
    """The lower-case extension of a file name, without the dot."""
    return name.rpartition(".")[2].lower() if "." in name else ""


class PlainExtraction(Extraction):
    """What is left when even recognising a content failed: its size and checksum still stand."""

    __slots__ = ()

    def __init__(self, trouble: str) -> None:
        self._source = Source("", 0, b"")
        self._format, self._counter, self.wants_chunks = registry.BINARY, None, False
        self._trouble = trouble


def begin(name: str, size: int, head: bytes) -> Extraction:
    """Recognise one file by its first ``min(size, HEAD_BYTES)`` bytes; ``name`` only decides among text formats."""
    try:
        source = Source(name, size, head, extension=extension_of(name))
        wrapper = identify.find_wrapper(head)
        return Extraction(source) if wrapper is None else WrappedExtraction(source, wrapper)
    except Exception as error:  # noqa: BLE001 - the outermost guard: no content may stop the engine
        log.info("recognise failed", extra={"reason": _reason(error)})
        return PlainExtraction(_reason(error))

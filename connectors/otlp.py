"""Files of OTLP traces: one JSON document, JSON lines of documents (the collector's file exporter), or protobuf."""

from __future__ import annotations

import json
from bisect import bisect, bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from io import BufferedReader
from itertools import accumulate, chain, count, groupby, islice
from pathlib import Path
from typing import IO

import msgspec

from aether_tui.records.tables import SPAN_PAYLOADS, SPANS
from connectors import otlp_json, otlp_proto
from connectors.base import Access, Malformed, Page, Reject, Row, Run, Sample, Small
from connectors.files import name_of, open_binary, sample
from connectors.otlp_attributes import Resource
from connectors.otlp_scan import Line, Scan, worth
from connectors.otlp_span import Span, payload_row, span_row
from connectors.sniff import json_keys

MAX_DOCUMENT = 256 << 20
"""Bytes of one JSON document, one line or one protobuf message."""
PAGE_ROWS = 10_000
SCAN_BYTES = 192 << 20
"""Bytes of lines that are scanned at a time."""
JOINED_BYTES = 64 << 20
"""Bytes of the pieces of one document that are scanned at a time, beside which it stays in memory."""
DIVIDED_FROM = 4 << 20
"""Bytes from which a document is read in pieces."""
SCANNED_FROM = 8 << 20
"""Bytes from which scanning is quicker than reading span by span."""
ALONE_FROM = 32 << 20
"""Bytes from which a file of lines is scanned by itself."""
_LOOKED_AT, _SAMPLED, _FEWEST_SAMPLED = 64 << 10, 1 << 20, 8 << 10
"""Bytes of a small file that are looked at for what is in it; and for names: of all that are scanned together, and of each at least."""
_BLOCK = 256 << 10
PAGE_CHARACTERS = 32 << 20
"""Characters of prompts and completions after which a page ends early."""

Decoded = tuple[Span, Resource, str] | Reject
"""A span with its resource and its place in the input, or what could not be read."""


class OtlpFiles:
    """Traces written by OpenTelemetry exporters and collectors."""

    kind = "otlp"
    title = "OpenTelemetry traces (OTLP JSON or protobuf)"
    tables = (SPANS, SPAN_PAYLOADS)
    access = Access(
        "files of traces as an exporter or the collector writes them: OTLP JSON or protobuf, packed or not",
        ("none: whoever runs the collector copies the files",),
        ("spans: times, model, token counts, errors, names, attributes", "users, kept as a keyed hash"),
        ("logs", "metrics"),
        (
            "prompts and completions: what was asked becomes a category and a hash, its words are kept only where keeping them "
            "is switched on in aether.toml, redacted",
        ),
    )

    def recognises(self, sample: Sample) -> bool:
        """OTLP of any signal: files of logs and metrics are ours to refuse by name."""
        return bool(set(json_keys(sample.head)) & set(otlp_json.SIGNALS)) or _signal(sample.head) is not None

    def pages(self, paths: Sequence[Path], now: datetime) -> Iterator[Page]:
        """Spans of every file. Raises Malformed for a file of another signal or one that does not decode."""
        for path in paths:
            yield from _whole_pages(path)

    def scans(self, paths: Sequence[Path], now: datetime, *, said: bool, texts: bool) -> Iterator[Page]:
        """As `pages`, for who can `scan`: large files of lines are scanned first, and what that leaves comes as rows. With `said`, so
        does every span that has a payload."""
        for path in paths:
            yield from _scans(path, said=said, texts=texts)


def rows_and_rejects(decoded: Iterable[Decoded], *, payloads: bool) -> Iterator[tuple[Row, Row | None] | Reject]:
    """Each decoded span as a raw row of `spans`, with one of `span_payloads` where it has and should have one, or as a reject
    with its reason."""
    for item in decoded:
        if isinstance(item, Reject):
            yield item
            continue
        span, resource, where = item
        try:
            yield span_row(span, resource), payload_row(span) if payloads else None
        except ValueError as error:
            # What was said never leaves the span: a reject names it by its ids.
            yield Reject(SPANS.name, str(error), f"{span.trace_id} {span.span_id} {span.name}", where)


def page_of(decoded: Iterable[Decoded]) -> Page:
    """All of some decoded spans."""
    return _page(list(rows_and_rejects(decoded, payloads=True)))


def _page(found: Sequence[tuple[Row, Row | None] | Reject]) -> Page:
    rows = [item for item in found if not isinstance(item, Reject)]
    payloads = [payload for _, payload in rows if payload is not None]
    rejects = [item for item in found if isinstance(item, Reject)]
    return Page({SPANS.name: [row for row, _ in rows], SPAN_PAYLOADS.name: payloads}, rejects=rejects)


def _pages(decoded: Iterable[Decoded]) -> Iterator[Page]:
    found: list[tuple[Row, Row | None] | Reject] = []
    characters = 0
    for item in rows_and_rejects(decoded, payloads=True):
        found.append(item)
        if not isinstance(item, Reject) and item[1] is not None:
            characters += sum(len(text) for text in item[1] if isinstance(text, str))
        if len(found) >= PAGE_ROWS or characters >= PAGE_CHARACTERS:
            yield _page(found)
            found, characters = [], 0
    yield _page(found)


def _whole_pages(path: Path) -> Iterator[Page]:
    left: list[str] = []
    yield from _pages(_decode(path, left))
    if left:
        yield Page({}, problems=left, path=path)


def _scans(path: Path, *, said: bool, texts: bool) -> Iterator[Page]:
    with open_binary(path) as stream:
        head, lines = stream.read(ALONE_FROM), _Lines(path)
        if len(head) < ALONE_FROM and not said and worth(head[:_LOOKED_AT], said=True) and _are_lines(head):
            join = partial(_Several, texts=texts)
            yield Page(small=Small(path, head, SCANNED_FROM, lambda: _whole_pages(path), join), path=path)
            return
        batches = None if len(head) < SCANNED_FROM else _batches(path, stream, head, said=not said)
        if batches is None:
            yield from _whole_pages(path)
            return
        take, lines.numbered = batches
        first = 1
        while (scan := Scan(take(), partial(lines.page, first), said=not said, texts=texts)).head:
            yield Page(scan=scan)
            lines.traces += scan.taken
            first += scan.lines
        if left := lines.end():
            yield Page({}, problems=left, path=path)


class _Several:
    """Small files of lines, scanned as one."""

    table, nulls = Scan.table, Scan.nulls

    def __init__(self, files: Sequence[tuple[Path, bytes]], *, texts: bool) -> None:
        whole = [data if data.endswith(b"\n") else data + b"\n" for _, data in files]
        some = max(_SAMPLED // len(files), _FEWEST_SAMPLED)
        sample = b"".join(data[:some] for data in whole)
        self._lines = [_Lines(path) for path, _ in files]
        self._begins = [0, *accumulate(data.count(b"\n") for data in whole)]
        ends = zip(self._begins[1:], files, strict=True)
        self._unended = {end - 1 for end, (_, data) in ends if not data.endswith(b"\n")}
        blocks = (whole.pop(0) for _ in range(len(files)))  # each is gone once it is written
        self._scan = Scan(blocks, self._patient, said=True, texts=texts, sample=sample)
        self._pages: dict[int, Page] = {}
        self.head, self.rest = self._scan.head, Page()
        self.firsts: Sequence[int] = ()
        self.rests: Sequence[Page | Malformed] = ()

    def write(self, file: IO[bytes]) -> None:
        """Put all lines into `file`."""
        self.head = b""
        self._scan.write(file)

    def read(self, lines: IO[bytes], file: str, run: Run) -> str:
        """As `Scan.read`, each line for its file."""
        rows = self._scan.read(lines, file, run)
        numbers, left = self._scan.numbers, sorted(self._scan.left)
        self.firsts = [bisect_left(numbers, begin) + 1 for begin in self._begins[:-1]]
        self.rests = [self._rest(number, numbers, left) for number in range(len(self._lines))]
        return rows

    def _patient(self, lines: Iterable[Line]) -> Page:
        own = ((number, line[:-1] if number in self._unended else line, some) for number, line, some in lines)
        for number, theirs in groupby(own, lambda line: bisect(self._begins, line[0]) - 1):
            self._pages[number] = self._lines[number].page(1 - self._begins[number], theirs)
        return Page()

    def _rest(self, number: int, numbers: Sequence[int], left: Sequence[int]) -> Page | Malformed:
        """What is left of a file besides its simple spans."""
        lines, ends = self._lines[number], self._begins[number : number + 2]
        all_, theirs = ([bisect_left(some, end) for end in ends] for some in (numbers, left))
        lines.traces += (all_[1] - all_[0]) - (theirs[1] - theirs[0])
        try:
            return replace(self._pages.pop(number, Page()), problems=lines.end())
        except Malformed as error:
            return error


def _batches(
    path: Path, stream: BufferedReader, head: bytes, *, said: bool
) -> tuple[Callable[[], Iterator[bytes]], bool] | None:
    """What gives the lines that are scanned next, block by block, in the end none, and whether they are those of the file, not pieces of
    one document; None where a scan does not help."""
    if not worth(head, said=said):
        return None
    if _are_lines(head):
        held = [head]
        return lambda: _whole_lines(path, stream, held.pop() if held else b""), True
    body = _rest(bytearray(head), stream)
    pieces = otlp_json.divided(body) if len(body) <= MAX_DOCUMENT else None
    return None if pieces is None else (partial(_joined, pieces), False)


def _are_lines(head: bytes) -> bool:
    return any(map(parsed, head[:SCANNED_FROM].split(b"\n", 2)[:2]))


def _joined(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The next pieces of a document, each on a line."""
    size = 0
    while size < JOINED_BYTES and (piece := next(pieces, None)) is not None:
        yield piece
        yield b"\n"
        size += len(piece)


def _whole_lines(path: Path, stream: BufferedReader, block: bytes) -> Iterator[bytes]:
    """The next lines of a file that are scanned at a time, `block` before them. Blocks are small, so that they lie in the same place of
    memory one after the other: new pages take longer than reading."""
    size = 0
    while block := block or stream.read(_BLOCK):
        yield block
        size += len(block)
        if size >= SCAN_BYTES:
            if not block.endswith(b"\n"):
                yield _limited(path, stream.readline(MAX_DOCUMENT + 1))
            return
        block = b""


def _decode(path: Path, left: list[str]) -> Iterator[Decoded]:
    """Spans; what is left out of the file is told in `left`."""
    signal = _signal(sample(path).head)
    if signal in ("logs", "metrics"):
        raise _other_signal(path, signal)
    return _protobuf(path) if signal else _json(path, left)


def _signal(head: bytes) -> str | None:
    return otlp_proto.signal_of(head) or (otlp_proto.signal_of(head[4:]) if head[:1] == b"\x00" else None)


def _other_signal(path: Path, signal: str) -> Malformed:
    return Malformed(f"{name_of(path)}: holds OTLP {signal}, not traces; only traces are loaded")


def _protobuf(path: Path) -> Iterator[Decoded]:
    with open_binary(path) as stream:
        try:
            for number, message in enumerate(_messages(path, stream), 1):
                for part in otlp_proto.divided(message) if len(message) >= DIVIDED_FROM else (message,):
                    for span, resource in otlp_proto.spans(part):
                        yield span, resource, f"{name_of(path)}: message {number}"
        except ValueError as error:
            raise Malformed(f"{name_of(path)}: {error}") from error


def _messages(path: Path, stream: BufferedReader) -> Iterator[bytes]:
    """One bare message, or several, each after its length in four bytes (the collector's file exporter)."""
    if stream.peek(1)[:1] != b"\x00":
        yield _limited(path, stream.read(MAX_DOCUMENT + 1))
        return
    at = 0
    while head := stream.read(4):
        length = int.from_bytes(head, "big")
        if length > MAX_DOCUMENT:
            raise ValueError(f"message at byte {at} says that it is larger than {MAX_DOCUMENT >> 20} MiB")
        message = stream.read(length)
        if len(head) < 4 or len(message) < length:
            raise ValueError(f"message at byte {at} is cut short")
        yield message
        at += 4 + length


def _json(path: Path, left: list[str]) -> Iterator[Decoded]:
    """Documents of a JSON file: lines when one of the first two is a document by itself, else one document."""
    with open_binary(path) as stream:
        lines = (_limited(path, line) for line in iter(lambda: stream.readline(MAX_DOCUMENT + 1), b""))
        start = list(islice(lines, 2))
        if any(parsed(next(_parts(line), b"")) is not None for line in start):
            found = _Lines(path)
            yield from found.decode((number, line, None) for number, line in enumerate(chain(start, lines), 1))
            left += found.end()
        else:
            body = _rest(bytearray().join(start), stream)
            del start
            _limit(path, body)
            for piece in _parts(body):
                yield from _document(path, _whole(path, piece), name_of(path))


class _Lines:
    """Lines of a file, each a document; `traces` counts those that hold some. Where they are not `numbered` they are its pieces."""

    def __init__(self, path: Path) -> None:
        self.traces = 0
        self.numbered = True
        self._path = path
        self._others = Counter[str]()

    def page(self, first: int, lines: Iterable[Line]) -> Page:
        """The spans of lines that are numbered from a `first` one on."""
        return page_of(self.decode((first + number, line, some) for number, line, some in lines))

    def decode(self, lines: Iterable[Line]) -> Iterator[Decoded]:
        """The spans of numbered lines: those at some places, from nought, or all."""
        for number, line, some in lines:
            where = f"{name_of(self._path)}:{number}" if self.numbered else name_of(self._path)
            places = count()
            for document in map(parsed, _parts(line)):
                if document is None:
                    if line.strip():
                        # Where it is, and no piece of it: the line may hold a prompt.
                        yield Reject(SPANS.name, "not a JSON document", f"{len(line)} bytes", where)
                elif other := _others(document):
                    self._others.update(other)
                else:
                    self.traces += 1
                    for one in _document(self._path, document, where):
                        if some is None or next(places) in some:
                            yield one

    def end(self) -> list[str]:
        """What was left out, in words. Raises Malformed when the whole file was of other signals."""
        if self._others and not self.traces:
            raise _other_signal(self._path, " and ".join(sorted(self._others)))
        told = " and ".join(f"{count:,} of {signal}" for signal, count in sorted(self._others.items()))
        return [f"{name_of(self._path)}: lines that are no traces were left out: {told}"] * bool(told)


def _rest(body: bytearray, stream: BufferedReader) -> bytearray:
    """Put behind `body` what is left of a stream, or so much that it is longer than a document may be."""
    while len(body) <= MAX_DOCUMENT and (block := stream.read(1 << 20)):
        body += block
    return body


def _limited(path: Path, line: bytes) -> bytes:
    _limit(path, line)
    return line


def _limit(path: Path, document: bytes | bytearray) -> None:
    if len(document) > MAX_DOCUMENT:
        raise Malformed(
            f"{name_of(path)}: a document larger than {MAX_DOCUMENT >> 20} MiB",
            hint="write JSON lines, as the collector's file exporter does: they may be as many as there are",
        )


def _parts(document: bytes | bytearray) -> Iterator[bytes | bytearray]:
    """A document, in pieces where it is large."""
    pieces = otlp_json.divided(document) if len(document) >= DIVIDED_FROM else None
    return iter((document,)) if pieces is None else pieces


def parsed(line: bytes | bytearray) -> Mapping[str, object] | None:
    """The JSON document of a line, if it is one."""
    try:
        document = _decoded(line)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, Mapping) else None


def _decoded(body: bytes | bytearray) -> object:
    """JSON, read by the faster parser; what it refuses (NaN, UTF-16) by the patient one. Raises ValueError."""
    try:
        return msgspec.json.decode(body)
    except msgspec.MsgspecError:
        return json.loads(body)


def _whole(path: Path, body: bytes | bytearray) -> Mapping[str, object]:
    try:
        document = _decoded(body)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{name_of(path)}: not JSON ({error})") from error
    if not isinstance(document, Mapping):
        raise Malformed(f"{name_of(path)}: not an OTLP document")
    return document


def _others(document: Mapping[str, object]) -> set[str]:
    return {signal for key, signal in otlp_json.SIGNALS.items() if key in document and signal != "traces"}


def _document(path: Path, document: Mapping[str, object], where: str) -> Iterator[Decoded]:
    if others := _others(document):
        raise _other_signal(path, " and ".join(sorted(others)))
    if "resourceSpans" not in document:
        yield Reject(SPANS.name, "not an OTLP document: no resourceSpans", ", ".join(document)[:200], where)
    for span, resource in otlp_json.spans(document):
        yield span, resource, where

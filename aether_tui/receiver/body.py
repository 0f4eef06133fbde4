"""A request's body off the wire: with a length or in chunks, plain or gzip, never more of it than the cap."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final, Protocol

MAX_BODY: Final = 16 << 20
"""Bytes of a body, on the wire and inflated."""
_PIECE: Final = 1 << 16
_GZIP: Final = 31


class Stream(Protocol):
    """Bytes off a connection."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes."""
        ...

    def readline(self, size: int, /) -> bytes:
        """Up to the end of the line, at most `size` bytes."""
        ...


class Headers(Protocol):
    """Headers by name, whatever their case."""

    def get(self, name: str, /) -> str | None:
        """The first of that name."""
        ...


class Refusal(Exception):
    """Why a request is refused: the HTTP status and a sentence. `unread` says that body may still be on the wire."""

    def __init__(self, status: int, what: str, *, unread: bool = False) -> None:
        super().__init__(what)
        self.status, self.what, self.unread = status, what, unread


def read_body(stream: Stream, headers: Headers, limit: int = MAX_BODY) -> bytes:
    """The whole body, inflated. Raises Refusal; 413 as soon as `limit` is passed."""
    encoding = (headers.get("Content-Encoding") or "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip", ""):
        raise Refusal(415, f"cannot read the encoding {encoding[:40]!r}; send gzip or none", unread=True)
    pieces = _pieces(stream, headers, limit)
    if "gzip" in encoding:
        pieces = _inflated(pieces, limit)
    whole = bytearray()
    for piece in pieces:
        whole += piece
    return bytes(whole)


def _too_large(limit: int) -> Refusal:
    return Refusal(413, f"larger than {limit >> 20} MiB; send smaller batches", unread=True)


def _pieces(stream: Stream, headers: Headers, limit: int) -> Iterator[bytes]:
    transfer, length = headers.get("Transfer-Encoding"), headers.get("Content-Length")
    if transfer is not None:
        if length is not None or transfer.strip().lower() != "chunked":
            raise Refusal(400, "a body has a length or chunks, not both", unread=True)
        return _chunks(stream, limit)
    if length is None:
        raise Refusal(411, "the body has no length and is not chunked", unread=True)
    if not (length.isascii() and length.isdigit()):
        raise Refusal(400, "Content-Length is not a number", unread=True)
    if len(length) > 15 or int(length) > limit:
        raise _too_large(limit)
    return _exactly(stream, int(length))


def _exactly(stream: Stream, length: int) -> Iterator[bytes]:
    while length:
        piece = stream.read(min(length, _PIECE))
        if not piece:
            raise Refusal(400, "the body is cut short", unread=True)
        length -= len(piece)
        yield piece


def _chunks(stream: Stream, limit: int) -> Iterator[bytes]:
    left = limit
    while size := _chunk_size(stream):
        left -= size
        if left < 0:
            raise _too_large(limit)
        yield from _exactly(stream, size)
        if stream.readline(3) != b"\r\n":
            raise Refusal(400, "a chunk does not end where it says", unread=True)
    for _ in range(64):  # trailers
        if stream.readline(_PIECE) in (b"\r\n", b"\n", b""):
            return
    raise Refusal(400, "too many trailers", unread=True)


def _chunk_size(stream: Stream) -> int:
    line = stream.readline(256)
    digits = line.split(b";", 1)[0].strip()
    if not line.endswith(b"\n") or not digits or len(digits) > 15 or digits.strip(b"0123456789abcdefABCDEF"):
        raise Refusal(400, "not a chunked body", unread=True)
    return int(digits, 16)


def _inflated(pieces: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """Members of a gzip body, never more than `limit` bytes in all."""
    inflate, left = zlib.decompressobj(_GZIP), limit
    for piece in pieces:
        while piece:
            if inflate.eof:
                inflate = zlib.decompressobj(_GZIP)
            try:
                part = inflate.decompress(piece, left + 1)
            except zlib.error as error:
                raise Refusal(400, "not gzip", unread=True) from error
            left -= len(part)
            if left < 0:
                raise _too_large(limit)
            yield part
            piece = inflate.unconsumed_tail or inflate.unused_data
    if not inflate.eof:
        raise Refusal(400, "the gzip body is cut short", unread=True)

"""Files that the cache reads by itself, looked at without the library that reads them."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Literal

from connectors.files import blocks


def parquet_columns(path: Path, known: Collection[str]) -> tuple[str, ...]:
    """Known columns in the footer: the schema keeps each name behind its length, so a look suffices to recognise it.

    None for a file packed by something else: Parquet is compressed inside, and read from where it lies.
    """
    if not path.is_file():
        return ()
    with path.open("rb") as stream:
        stream.seek(0, 2)
        size = stream.tell()
        stream.seek(max(0, size - 8))
        tail = stream.read(8)
        length = int.from_bytes(tail[:4], "little")
        if tail[4:] != b"PAR1" or length > size:
            return ()
        stream.seek(size - 8 - length)
        footer = stream.read(length).lower()  # lengths of names are no letters: none has 65 characters
    return tuple(name for name in sorted(known) if bytes([len(name)]) + name.lower().encode() in footer)


def why_not_plain(path: Path, form: Literal["csv", "parquet", "ndjson"]) -> str:
    """Why the cache cannot read a file of this form by itself, as it is or as gzip or zstd; empty where it can. Raises Malformed."""
    if not path.is_file():
        return "packed"
    with path.open("rb") as stream:
        if stream.read(6).startswith((b"BZh", b"\xfd7zXZ", b"PK\x03\x04")):
            return "packed"
    return why_odd(path) if form == "csv" else ""


UTF_16 = "is UTF-16"
SLASHES = "has backslashes before its quotes"
ENDS = "has more than one kind of line ends"
_SLASHED = re.compile(rb'\\"[^",;\t|\r\n]')
"""Where quotes within a cell are doubled, one behind a backslash is doubled, or ends the cell."""


_SLASH = re.compile(r'\\(["\\\r\n])?')


class Slashed(csv.excel):
    """How such a table is read, once it is `unslashed`."""

    doublequote = False
    escapechar = "\\"


def is_slashed(data: bytes) -> bool:
    """Whether there are backslashes before the quotes within cells, as Spark and MySQL write them."""
    return b'\\"' in data and _SLASHED.search(data) is not None


def unslashed(lines: Iterable[str]) -> Iterator[str]:
    """The lines of such a table without backslashes that escape nothing: those of JSON and of `\\N` are told apart by being two."""
    return (
        _SLASH.sub(lambda match: match[0] if match[1] else "\\\\", line) if "\\" in line else line for line in lines
    )


def why_odd(path: Path) -> str:
    """What the cache would read wrong in a CSV file, or lose without a word; empty where there is nothing. Raises Malformed."""
    ends: set[bytes] = set()
    quotes, held = 0, b""
    for number, block in enumerate(blocks(path)):
        if not number and block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return UTF_16
        if is_slashed(block):
            return SLASHES
        data, held = held + block, b""
        if data.endswith(b"\r"):
            data, held = data[:-1], b"\r"
        pieces = data.split(b'"')
        outside = b"".join(pieces[quotes % 2 :: 2])  # cells may hold any ends
        quotes += len(pieces) - 1
        pairs = outside.count(b"\r\n")
        found = {b"\r\n": pairs, b"\n": outside.count(b"\n") - pairs, b"\r": outside.count(b"\r") - pairs}
        ends |= {end for end, count in found.items() if count}
        if len(ends) > 1:
            return ENDS
    return ""

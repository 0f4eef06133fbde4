"""CSV that is not as most of it is: what is odd about a table, and how one with backslashes before its quotes is read."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from connectors.files import blocks

UTF_16 = "is UTF-16"
SLASHES = "has backslashes before its quotes"
ENDS = "has more than one kind of line ends"
_SLASHED = re.compile(rb'\\"[^",;\t|\r\n]')
"""Where quotes within a cell are doubled, one behind a backslash is doubled, or ends the cell."""
_SLASH = re.compile(r'\\(["\\\r\n])?')


class _Slashed(csv.excel):
    """How such a table is read, once it is `_unslashed`."""

    doublequote = False
    escapechar = "\\"


def is_slashed(data: bytes) -> bool:
    """Whether there are backslashes before the quotes within cells, as Spark and MySQL write them."""
    return b'\\"' in data and _SLASHED.search(data) is not None


def _unslashed(lines: Iterable[str]) -> Iterator[str]:
    """The lines of such a table without backslashes that escape nothing: those of JSON and of `\\N` are told apart by being two."""
    return (
        _SLASH.sub(lambda match: match[0] if match[1] else "\\\\", line) if "\\" in line else line for line in lines
    )


def readable(lines: Iterable[str], *, slashed: bool) -> tuple[Iterable[str], type[csv.Dialect]]:
    """The lines and the dialect that a `csv` reader takes for a table that is `slashed`, or for any other."""
    return (_unslashed(lines), _Slashed) if slashed else (lines, csv.excel)


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

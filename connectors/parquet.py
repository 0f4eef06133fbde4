"""Files that the cache reads by itself, looked at without the library that reads them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal

from connectors.odd_csv import why_odd


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

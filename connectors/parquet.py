"""Files that the cache reads by itself, looked at without the library that reads them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal

from connectors.base import Malformed, Sample
from connectors.files import name_of
from connectors.odd_csv import why_odd
from connectors.sniff import is_parquet, json_keys

Form = Literal["csv", "parquet", "ndjson"]


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


def why_not_plain(path: Path, form: Form) -> str:
    """Why the cache cannot read a file of this form by itself, as it is or as gzip or zstd; empty where it can. Raises Malformed."""
    if not path.is_file():
        return "packed"
    with path.open("rb") as stream:
        if stream.read(6).startswith((b"BZh", b"\xfd7zXZ", b"PK\x03\x04")):
            return "packed"
    return why_odd(path) if form == "csv" else ""


def plain_form(head: Sample) -> Form:
    """The form of a file of rows that the cache reads by itself. Raises Malformed where it cannot."""
    form: Form = "parquet" if is_parquet(head.head) else "ndjson" if json_keys(head.head) else "csv"
    if why := why_not_plain(head.path, form):
        packed = "unpack it, or pack it with gzip or zstd"
        again = "write it again as CSV in UTF-8, or as JSON lines or Parquet"
        raise Malformed(f"{name_of(head.path)}: {why}", hint=packed if why == "packed" else again)
    return form

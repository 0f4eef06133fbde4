"""Files that the cache reads by itself, looked at without the library that reads them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path


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
        footer = stream.read(length)
    return tuple(name for name in sorted(known) if bytes([len(name)]) + name.encode() in footer)


def is_plain(path: Path) -> bool:
    """Whether the cache can read the file by itself: as it is, or as gzip or zstd."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return not stream.read(6).startswith((b"BZh", b"\xfd7zXZ", b"PK\x03\x04"))

"""Files as bytes: compression and archives are read through by content, never by name, under caps.

A member of a zip is addressed as if the archive were a folder: `reports.zip/unit/junit.xml`.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import importlib
import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, Protocol, cast

from aether_tui.text import one_line
from connectors.base import Malformed, Sample

HEAD_BYTES = 65_536
MAX_RATIO = 250
"""Inflated bytes allowed per byte on disk; honest reports stay below 100, deflate's limit is 1032."""
FREE_BYTES = 64 << 20
"""Inflated size below which the ratio does not matter."""
MAX_BYTES = 8 << 30
"""Inflated size allowed for one file or member."""
MAX_MEMBERS = 20_000
MAX_LAYERS = 3

_MAGIC = {b"\x1f\x8b": "gzip", b"\xfd7zXZ\x00": "xz", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd"}
_WORKBOOKS = {
    "xl/workbook.xml": "an Excel workbook",
    "xl/workbook.bin": "an Excel workbook",
    "META-INF/manifest.xml": "an OpenDocument file",
}
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_BROKEN = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError)


def name_of(path: Path) -> str:
    """The path as it may be shown: a member's name comes from strangers."""
    return one_line(str(path), 300)


def expand(paths: Sequence[Path]) -> Iterator[Path]:
    """All files of folders and members of zips among `paths`, sorted; hidden files and files of other systems left out.

    Raises Malformed for a damaged or hostile archive and for a path that does not exist.
    """
    for path in paths:
        if path.is_dir():
            yield from expand(inside(path, _refuse))
        elif path.is_file() and _starts(path, _ZIP):
            yield from _members(path)
        elif path.exists() or _archive_of(path):
            yield path
        else:
            raise Malformed(f"{name_of(path)}: no such file")


def inside(path: Path, unread: Callable[[OSError], None]) -> list[Path]:
    """All files of a folder, sorted, without hidden ones; of anything else itself. `unread` is told which folders cannot be read."""
    if not path.is_dir():
        return [path]
    found: list[Path] = []
    for folder, folders, names in os.walk(path, onerror=unread):
        folders[:] = [name for name in folders if name[0] != "."]
        # Not Path.is_file: it raises for a link into a folder that cannot be read.
        found += [Path(folder, name) for name in names if name[0] != "." and os.path.isfile(f"{folder}/{name}")]  # noqa: PTH113
    return sorted(found)


def _refuse(error: OSError) -> None:
    raise Malformed(f"{name_of(Path(error.filename))}: cannot be read ({error.strerror})") from error


def sample(path: Path) -> Sample:
    """The first 64 KiB of a file or zip member, decompressed, text as UTF-8. Raises Malformed when not even those can be read."""
    with _open(path) as stream:
        return Sample(path, _utf8(stream.read(HEAD_BYTES)))


def _utf8(data: bytes) -> bytes:
    """Text that is marked, as shells of Windows write it, as UTF-8 without a mark; anything else as it is."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace").encode()
    return data.removeprefix(codecs.BOM_UTF8)


def open_binary(path: Path) -> io.BufferedReader:
    """A buffered stream of the decompressed bytes of a file or zip member.

    Compressed input is read through once before, so that a cut or damaged file is refused before its first row.
    Raises Malformed naming file and cap for truncated, damaged and over-large input.
    """
    if is_packed(path):
        with _open(path) as probe:
            while probe.read(1 << 20):
                pass
    return _open(path)


def blocks(path: Path) -> Iterator[bytes]:
    """The decompressed bytes, a megabyte at a time. Raises Malformed."""
    with _open(path) as stream:
        while data := stream.read(1 << 20):
            yield data


def encoding_of(path: Path) -> tuple[str, int]:
    """How a text is encoded, by its mark, else UTF-8, else Windows-1252; and its bytes."""
    decoder, marked, size = codecs.getincrementaldecoder("utf-8")(), False, 0
    coding = "utf-8-sig"
    for data in blocks(path):
        marked = marked or (size == 0 and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)))
        size += len(data)
        try:
            decoder.decode(b"" if marked or coding == "cp1252" else data)
        except UnicodeDecodeError:
            coding = "cp1252"
    try:
        decoder.decode(b"", final=coding != "cp1252")
    except UnicodeDecodeError:
        coding = "cp1252"
    return ("utf-16" if marked else coding), size


def is_packed(path: Path) -> bool:
    """Whether the file is compressed, or a member of an archive."""
    return not path.is_file() or _starts(path, tuple(_MAGIC))


def read_all(path: Path, limit: int) -> bytes:
    """The whole decompressed content, text as UTF-8. Raises Malformed when it is longer than `limit` bytes."""
    with _open(path) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise Malformed(f"{name_of(path)}: larger than {limit >> 20} MiB, too large for one document of this kind")
    return _utf8(data)


def written_at(path: Path, now: datetime) -> datetime:
    """When the file, or the archive around it, was last written, as naive UTC; not later than `now`."""
    now = now.astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now
    on_disk = path if path.is_file() else _archive_of(path)
    return min(now, datetime.fromtimestamp(on_disk.stat().st_mtime, UTC).replace(tzinfo=None)) if on_disk else now


def _starts(path: Path, magics: tuple[bytes, ...]) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(8).startswith(magics)
    except OSError as error:
        raise Malformed(f"{name_of(path)}: cannot be read ({error.strerror})") from error


def _archive_of(path: Path) -> Path | None:
    """The file on disk that holds the member `path`; None when there is none."""
    return next((parent for parent in path.parents if parent.is_file()), None)


def _members(archive: Path) -> Iterator[Path]:
    try:
        with zipfile.ZipFile(archive) as zipped:
            names = sorted(info.filename for info in zipped.infolist() if not info.is_dir())
    except _BROKEN as error:
        raise Malformed(f"{name_of(archive)}: a damaged zip archive ({error})") from error
    if workbook := next((what for member, what in _WORKBOOKS.items() if member in names), ""):
        raise Malformed(f"{name_of(archive)}: is {workbook}", hint="save the sheet as CSV (UTF-8) and load that")
    if len(names) > MAX_MEMBERS:
        raise Malformed(f"{name_of(archive)}: {len(names)} members, the cap is {MAX_MEMBERS}")
    for name in names:
        inside = PurePosixPath(name)
        if inside.is_absolute() or ".." in inside.parts or "\\" in name or ":" in name:
            raise Malformed(f"{name_of(archive)}: a member names a place outside the archive ({one_line(name)})")
        if not any(part[0] == "." or part == "__MACOSX" for part in inside.parts):
            yield archive / name


def _open(path: Path) -> io.BufferedReader:
    """The stream without the reading through."""
    if path.is_file() and _starts(path, _ZIP):
        path = _only_member(path)
    archive = None if path.is_file() else _archive_of(path)
    try:
        if archive is None:
            size = path.stat().st_size
            layers: list[_Closes] = [path.open("rb")]
        else:
            zipped = zipfile.ZipFile(archive)
            info = zipped.getinfo(path.relative_to(archive).as_posix())
            size = info.compress_size
            layers = [zipped, zipped.open(info)]
    except KeyError as error:
        raise Malformed(f"{name_of(path)}: no such member in the archive") from error
    except _BROKEN as error:
        raise Malformed(f"{name_of(path)}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    stream = _Guarded(path, layers, None if archive is None else _cap(size))
    for _ in range(MAX_LAYERS):
        buffered: io.BufferedReader = io.BufferedReader(stream, 1 << 16)
        head = buffered.peek(8)[:8]
        layer = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)
        if layer is None:
            if archive is not None and head.startswith(_ZIP):
                buffered.close()
                raise Malformed(f"{name_of(path)}: an archive inside an archive; unpack the outer one first")
            return buffered
        stream = _Guarded(path, [buffered, _inflate(layer, path, buffered)], _cap(size))
    stream.close()
    raise Malformed(f"{name_of(path)}: compressed more than {MAX_LAYERS} times over")


def _only_member(archive: Path) -> Path:
    members = list(_members(archive))
    if len(members) != 1:
        raise Malformed(f"{name_of(archive)}: an archive of {len(members)} files; name its members")
    return members[0]


def _cap(size_on_disk: int) -> int:
    return min(MAX_BYTES, max(FREE_BYTES, MAX_RATIO * size_on_disk))


def _inflate(layer: str, path: Path, stream: BinaryIO) -> IO[bytes]:
    if layer == "gzip":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=stream, mode="rb"))
    if layer == "xz":
        return lzma.LZMAFile(stream)
    if layer == "bzip2":
        return bz2.BZ2File(stream)
    for module in ("compression.zstd", "backports.zstd"):
        try:
            opener = cast("Callable[[BinaryIO], IO[bytes]]", importlib.import_module(module).ZstdFile)
        except ImportError:
            continue
        return opener(stream)
    raise Malformed(
        f"{name_of(path)}: zstd needs Python 3.14 or the package backports.zstd; or unpack it with `zstd -d`"
    )


class _Closes(Protocol):
    def close(self) -> None: ...


class _Guarded(io.RawIOBase):
    """The topmost of some layers: names the file in every error, stops at the cap, closes all layers with itself."""

    def __init__(self, path: Path, layers: Sequence[_Closes], cap: int | None) -> None:
        self._path, self._layers, self._cap, self._seen = path, layers, cap, 0
        self._top = cast("io.BufferedIOBase", layers[-1])

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed wants the unnameable Buffer
        try:
            count = self._top.readinto(buffer)
        except _BROKEN as error:
            raise Malformed(f"{name_of(self._path)}: cut short or damaged ({error}); fetch the file again") from error
        self._seen += count
        if self._cap is not None and self._seen > self._cap:
            cap = f"{self._cap >> 20} MiB ({MAX_RATIO} times its size on disk, at least {FREE_BYTES >> 20} MiB)"
            raise Malformed(f"{name_of(self._path)}: inflates past the cap of {cap}; refused as a decompression bomb")
        return count

    def close(self) -> None:
        if not self.closed:
            for layer in reversed(self._layers):
                layer.close()
        super().close()

"""What is on its way into DuckDB, as a file it can open: in memory, or where the system cannot, in a private folder of the cache.

What is downloaded lies there, too, since it may be larger than memory.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

OPEN_FILES = "/proc/self/fd"
"""Where the system shows what this process has open, if it does. macOS does not."""

_home: Path | None = None


def at_home(folder: Path) -> None:
    """Files that cannot be in memory lie in this private folder from now on; those of killed processes go."""
    global _home  # noqa: PLW0603  # a process works on one cache, and rows arrive at a cursor that does not know it
    if _home == folder:
        return
    _home = folder
    if folder.is_dir():
        for path in folder.iterdir():
            with contextlib.suppress(OSError):
                _remove_left(path)


@contextmanager
def aside() -> Iterator[tuple[IO[bytes], str]]:
    """A file to write, and its path for the inside of an SQL text; it is gone at the end."""
    if _in_memory():
        with os.fdopen(os.memfd_create("aside"), "w+b") as file:
            yield file, f"{OPEN_FILES}/{file.fileno()}"
        return
    descriptor, path = _held(lambda: tempfile.mkstemp(dir=_home))
    with os.fdopen(descriptor, "w+b") as file:
        try:
            yield file, quoted(path)
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def folder_aside() -> Iterator[Path]:
    """A private folder for what is downloaded; it is gone at the end."""
    descriptor, path = _held(_new_folder)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(descriptor)


def quoted(path: Path) -> str:
    """A path for the inside of an SQL text, standing for itself alone."""
    # Brackets and stars in a file's name are not patterns.
    return "".join(f"[{character}]" if character in "*?[" else character for character in str(path)).replace("'", "''")


def _in_memory() -> bool:
    return Path(OPEN_FILES).is_dir()


def _held(make: Callable[[], tuple[int, str]]) -> tuple[int, Path]:
    """A new file or folder that nobody takes for one of a killed process."""
    if _home is not None:
        _home.mkdir(mode=0o700, exist_ok=True)
    while True:
        descriptor, name = make()
        if _ours(descriptor) and (path := Path(name)).exists():
            return descriptor, path
        os.close(descriptor)


def _new_folder() -> tuple[int, str]:
    while True:
        name = tempfile.mkdtemp(dir=_home)
        with contextlib.suppress(FileNotFoundError):  # taken for one of a killed process already
            # Windows opens no folders: there one of a killed process stays.
            return os.open(os.devnull if sys.platform == "win32" else name, os.O_RDONLY), name


def _remove_left(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if not _ours(descriptor):
            return
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
    finally:
        os.close(descriptor)


def _ours(descriptor: int) -> bool:
    """Lock a file or folder, which the kernel undoes with the process; whether nobody else holds it."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

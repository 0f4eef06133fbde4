"""What is on its way into DuckDB, as a file it can open: in memory, or where the system cannot, in a private folder of the cache."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

OPEN_FILES = "/proc/self/fd"
"""Where the system shows what this process has open, if it does. macOS does not."""

_home: Path | None = None


def at_home(folder: Path) -> None:
    """Files that cannot be in memory lie in this private folder from now on; those of killed processes go."""
    global _home  # noqa: PLW0603  # a process works on one cache, and rows arrive at a cursor that does not know it
    if _home == folder or _in_memory():
        return
    _home = folder
    if folder.is_dir():
        for path in folder.iterdir():
            with contextlib.suppress(OSError), path.open("rb") as file:
                if _ours(file.fileno()):
                    path.unlink()


@contextmanager
def aside() -> Iterator[tuple[IO[bytes], str]]:
    """A file to write, and its path for the inside of an SQL text; it is gone at the end."""
    if _in_memory():
        with os.fdopen(os.memfd_create("aside"), "wb") as file:
            yield file, f"{OPEN_FILES}/{file.fileno()}"
        return
    if _home is not None:
        _home.mkdir(mode=0o700, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=_home)
    while not (_ours(descriptor) and Path(name).exists()):  # somebody has just taken it for one of a killed process
        os.close(descriptor)
        descriptor, name = tempfile.mkstemp(dir=_home)
    with os.fdopen(descriptor, "wb") as file:
        try:
            yield file, quoted(Path(name))
        finally:
            Path(name).unlink(missing_ok=True)


def quoted(path: Path) -> str:
    """A path for the inside of an SQL text, standing for itself alone."""
    # Brackets and stars in a file's name are not patterns.
    return "".join(f"[{character}]" if character in "*?[" else character for character in str(path)).replace("'", "''")


def _in_memory() -> bool:
    return Path(OPEN_FILES).is_dir()


def _ours(descriptor: int) -> bool:
    """Lock a file, which the kernel undoes with the process; whether nobody else holds it."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

"""What one stroke wrote, so that it can be taken back: files by their bytes before and their revision after."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


def revision_of(data: bytes) -> str:
    """What identifies these bytes."""
    return hashlib.sha256(data).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Wrote:
    """One file: its bytes before and its revision after; None where it was not there."""

    path: Path
    before: bytes | None
    after: str | None


NOTED: list[Wrote] | None = None
"""Where what is written is noted down, while a command runs whose edits can be taken back."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What one stroke wrote, so that it can be taken back: its files, what was done, and the document it is about, if any."""

    files: tuple[Wrote, ...]
    what: str
    identity: str = ""

    @property
    def done(self) -> str:
        """What was done, without what could have been done with it."""
        return self.what.partition("; ")[0]


def together(edits: Sequence[Edit], what: str, identity: str) -> Edit:
    """Edits made in one stroke, to be taken back as one; a file that was written twice is as it was before the first."""
    files: dict[Path, Wrote] = {}
    for one in (file for edit in edits for file in edit.files):
        first = files.get(one.path, one)
        files[one.path] = Wrote(one.path, first.before, one.after)
    return Edit(tuple(files.values()), what, identity)


def bytes_of(places: Sequence[Path]) -> dict[Path, bytes]:
    """Every file of these files and folders, hidden ones left out, as it is now."""
    found: dict[Path, bytes] = {}
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and not path.name.startswith("."):
                found[path] = path.read_bytes()
    return found


def written_since(before: Mapping[Path, bytes], places: Sequence[Path], what: str) -> Edit | None:
    """What was written in these places since `bytes_of` them was `before`; None when nothing was."""
    after = bytes_of(places)
    paths = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    files = (Wrote(path, before.get(path), revision_of(after[path]) if path in after else None) for path in paths)
    return Edit(tuple(files), what) if paths else None

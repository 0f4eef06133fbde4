"""The store of authored documents: whole or not at all, and never over somebody else's change.

A save writes a temporary file in the same folder, syncs it, renames it and syncs the folder, under a lock. It carries
the revision it was read at; if the file changed since, both versions are kept and Conflict says where.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Generic, NoReturn, TypeVar, cast

from pydantic import ValidationError

from aether_tui.errors import CheckFailed, ConfigurationError, NoData
from aether_tui.problems import Problem, explain
from aether_tui.workspace import written
from aether_tui.workspace.document import LETTERS, NUMBER, Document, number_of
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.git import merge_by_field, repository
from aether_tui.workspace.lock import Busy, exclusive
from aether_tui.workspace.written import Wrote, revision_of
from aether_tui.workspace.yaml_file import MAX_BYTES, BadYaml, read_yaml, write_yaml

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Stored(Generic[D]):
    """A document as it is on disk; `revision` identifies its bytes, `data`."""

    document: D
    path: Path
    revision: str
    data: bytes


RACY_NS = 100_000_000
KEPT_MOST = 20_000
Stamp = tuple[int, int, int]
"""A file's time, size and inode."""
_KEPT: dict[tuple[type[Document], str], tuple[Stamp, Stored[Document]]] = {}
"""Documents by kind and file as this process read them last, with the file's time, size and inode."""


class Conflict(CheckFailed):
    """The file changed since it was read: `theirs` is untouched, `ours` holds what was to be saved."""

    def __init__(self, theirs: Path, ours: Path) -> None:
        super().__init__(
            "changed on disk since it was read; nothing was overwritten",
            where=str(theirs),
            next_step=f"compare it with {ours.name}, keep one, remove the other",
        )
        self.theirs = theirs
        self.ours = ours


class Store:
    """Documents under `engagement/`. Safe between threads and processes."""

    def __init__(self, workspace: Workspace, wait_s: float = 10.0) -> None:
        self.workspace = workspace
        self._wait_s = wait_s

    def folder(self, kind: type[Document]) -> Path:
        """Where documents of this kind are."""
        return self.workspace.engagement if kind.SINGLE else self.workspace.engagement / kind.PLURAL

    def path(self, kind: type[Document], identity: str) -> Path:
        """The file of one document; raises ConfigurationError when the id is not one of this kind."""
        number = "" if kind.SINGLE else NUMBER
        if not re.fullmatch(rf"{re.escape(kind.PREFIX)}{number}", identity):
            example = "" if kind.SINGLE else "1"
            raise ConfigurationError(f"{identity!r} is not an id such as {kind.PREFIX}{example}")
        return self.folder(kind) / f"{identity}.yaml"

    def all(self, kind: type[D]) -> tuple[list[Stored[D]], list[Problem]]:
        """Every readable document of a kind, by number, and what is wrong with the others."""
        documents: list[Stored[D]] = []
        problems: list[Problem] = []
        folder = self.folder(kind)
        place = f"{folder}{os.sep}"
        for name, stamp in self._stamped(folder, kind):
            if not name.endswith(".yaml"):
                fix = f"rename it to {name.rpartition('.')[0]}.yaml"
                problems.append(
                    Problem(self._shown(folder / name), "is not read: its name does not end in .yaml", fix=fix)
                )
                continue
            if ".conflict-" in name:
                keep = name.partition(".conflict-")[0] + ".yaml"
                problems.append(
                    Problem(
                        self._shown(folder / name),
                        "a second version, saved when the first had changed",
                        fix=f"compare it with {keep} and remove one",
                    )
                )
                continue
            stored, found = self._kept(kind, place + name, stamp)
            problems.extend(found)
            if stored:
                documents.append(stored)
        return sorted(documents, key=lambda item: (number_of(item.document.id), item.document.id)), problems

    def get(self, kind: type[D], identity: str) -> Stored[D]:
        """One document. Raises NoData when it is absent, ConfigurationError when it cannot be read."""
        path = self.path(kind, identity)
        if not path.is_file():
            path = self._meant(kind, path)
        stored, problems = self._read(kind, path)
        if stored is None:
            raise problems[0].error(len(problems) - 1)
        return stored

    def _meant(self, kind: type[Document], path: Path) -> Path:
        """The one document of this number, when it was asked for without its letters."""
        found = [one for one in self._files(kind) if re.fullmatch(rf"{re.escape(path.stem)}-[a-z]{{4}}", one.stem)]
        if len(found) == 1:
            return found[0]
        what = f"{path.stem} may be {' or '.join(one.stem for one in found)}" if found else f"no {path.stem}"
        next_step = "write it with its letters" if found else "`aether-tui doc list` shows what is there"
        raise NoData(what, where=self._shown(self.folder(kind)), next_step=next_step)

    def add(self, kind: type[D], make: Callable[[str], D]) -> Stored[D]:
        """Store a new document under the next free id, which `make` receives."""
        with self._locked(self.folder(kind)):
            identity = self.free(kind)
            document = make(identity)
            return self._write(document, self.path(kind, identity), None)

    def free(self, kind: type[Document]) -> str:
        """The next free id: the number after the highest and, within a git repository, four letters, since a number alone is
        as free in the next clone. Raises ConfigurationError where there is one of the kind, and it is written.
        """
        folder = self.folder(kind)
        if kind.SINGLE:
            if self._files(kind):
                raise ConfigurationError(
                    f"there is one {kind.PREFIX}, and it is written", next_step=f"edit {kind.PREFIX}.yaml"
                )
            return kind.PREFIX
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        number = max(map(number_of, names), default=0) + 1
        if repository(self.workspace.root) is None:
            return f"{kind.PREFIX}{number}"
        return f"{kind.PREFIX}{number}-{''.join(secrets.choice(LETTERS) for _ in range(4))}"

    def save(
        self, document: D, revision: str | None, now: datetime, text: bytes | None = None, *, read: D | None = None
    ) -> Stored[D]:
        """Store a document read at `revision` (None: it was not there), as `text` where a person wrote it.

        Raises Conflict when the file is no longer what was read; `now` names the second version. `read` is the document
        as it was read: with it only what changed is written anew.
        """
        kind = type(document)
        path = self.path(kind, document.id)
        with self._locked(self.folder(kind)):
            old = path.read_bytes() if path.exists() else None
            found = revision_of(old) if old is not None else None
            if found == revision:
                return self._write(document, path, old, text, read)
            ours = _second(path, now)
            self._write(document, ours, None, text)
        raise Conflict(path, ours)

    def put_back(self, files: Sequence[Wrote], now: datetime) -> list[Path]:
        """Give files the bytes they had before they were written, all of them or none.

        Those that were not there are moved to `.aether/removed/`, and folders that are empty without them go; returns their
        places. Raises Conflict when a document is no
        longer what was written, and keeps what it was before beside it; CheckFailed for any other file, or one that was made.
        """
        with self._locked(self.workspace.engagement):
            for one in files:
                if (revision_of(one.path.read_bytes()) if one.path.is_file() else None) != one.after:
                    self._changed_since(one, now)
            new = [one.path for one in files if one.before is None and one.path.is_file()]
            made = [self._aside(path, path.stem, now) for path in new]
            for one in files:
                if one.before is not None:
                    one.path.parent.mkdir(parents=True, exist_ok=True)
                    write_whole(one.path, one.before)
            for path in new:
                self._without_empty(path.parent)
        return made

    def _without_empty(self, folder: Path) -> None:
        """Remove a folder below the workspace, and those around it, as far as nothing is in them."""
        with contextlib.suppress(OSError):  # something is in it
            while self.workspace.root in folder.parents and folder != self.workspace.engagement:
                folder.rmdir()
                folder = folder.parent

    def _changed_since(self, one: Wrote, now: datetime) -> NoReturn:
        if one.before is None or not one.path.is_relative_to(self.workspace.engagement):
            raise CheckFailed(
                "changed since; it stays as it is", where=self._shown(one.path), next_step="mend it yourself"
            )
        ours = _second(one.path, now)
        write_whole(ours, one.before)
        raise Conflict(one.path, ours)

    def undecided(self, kind: type[Document], identity: str) -> Conflict | None:
        """The second version of a document that waits for a decision: the last of them."""
        path = self.path(kind, identity)
        waiting = sorted(path.parent.glob(f"{identity}.conflict-*.yaml"))
        return Conflict(path, waiting[-1]) if waiting and path.is_file() else None

    def set_aside(self, kind: type[Document], path: Path, name: str, now: datetime) -> Path:
        """Move a file of a kind's folder to `.aether/removed/`; returns its place there."""
        with self._locked(self.folder(kind)):
            return self._aside(path, name, now)

    def keep_copy(self, data: bytes, name: str, now: datetime) -> Path:
        """Keep bytes in `.aether/removed/`; returns their place."""
        kept = self._removed(name, now)
        write_whole(kept, data)
        return kept

    def draft(self, name: str, text: bytes) -> Path:
        """A file of its own for somebody's editor, beside those that could not be stored; who stores what it says removes it."""
        self.workspace.private()
        path = _free(self.workspace.state / f"draft-{name}.yaml")
        write_whole(path, text)
        path.chmod(0o600)
        return path

    def _aside(self, path: Path, name: str, now: datetime) -> Path:
        kept = self._removed(name, now, path.suffix)
        path.replace(kept)
        return kept

    def _removed(self, name: str, now: datetime, suffix: str = ".yaml") -> Path:
        folder = self.workspace.private() / "removed"
        folder.mkdir(mode=0o700, exist_ok=True)
        return _free(folder / f"{name}-{now:%Y%m%dT%H%M%S}{suffix}")

    def _files(self, kind: type[Document]) -> list[Path]:
        folder = self.folder(kind)
        return [folder / name for name, _ in self._stamped(folder, kind)]

    @staticmethod
    def _stamped(folder: Path, kind: type[Document]) -> list[tuple[str, Stamp]]:
        """The files of a kind in order of their names, each with its time, size and inode."""
        first = f"{kind.PREFIX}." if kind.SINGLE else ""
        found: list[tuple[str, Stamp]] = []
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name.startswith(first or ".") == bool(first) and name.lower().endswith((".yaml", ".yml")):
                    with contextlib.suppress(OSError):  # gone since it was listed
                        at = entry.stat()
                        if stat.S_ISREG(at.st_mode):
                            found.append((name, (at.st_mtime_ns, at.st_size, at.st_ino)))
        return sorted(found)

    def _shown(self, path: Path) -> str:
        return path.relative_to(self.workspace.root).as_posix()

    def _kept(self, kind: type[D], file: str, stamp: Stamp) -> tuple[Stored[D] | None, list[Problem]]:
        """The document as it was read last, where the file is the same; 1,000 documents take a second to read."""
        known = _KEPT.get((kind, file))
        if known is not None and known[0] == stamp:
            return cast("Stored[D]", known[1]), []
        stored, problems = self._read(kind, Path(file))
        # A file written a moment ago could be written again within the clock's resolution.
        if stored is not None and time.time_ns() - stamp[0] > RACY_NS:
            if len(_KEPT) >= KEPT_MOST:
                _KEPT.clear()
            _KEPT[kind, file] = stamp, cast("Stored[Document]", stored)
        return stored, problems

    def _read(self, kind: type[D], path: Path) -> tuple[Stored[D] | None, list[Problem]]:
        name = self._shown(path)
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
            value, lines = read_yaml(data, name)
        except BadYaml as error:
            return None, [error.problem]
        except OSError as error:
            return None, [Problem(name, f"cannot be read: {error.strerror}", fix="check its permissions")]
        try:
            document = kind.model_validate(value)
        except ValidationError as error:
            return None, explain(error.errors(include_url=False), kind, name, lines)
        if document.id != path.stem:
            there = path.with_stem(document.id)
            what, fix = "the id is not the file's name", f"rename the file to {there.name}"
            if there.exists():
                what, fix = (
                    f"{there.name} has the same id",
                    "give one of them to `aether-tui doc new`, and remove its file",
                )
            return None, [Problem(name, what, "id", lines.get(("id",)), fix)]
        return Stored(document, path, revision_of(data), data), []

    def _write(
        self, document: D, path: Path, old: bytes | None, text: bytes | None = None, read: D | None = None
    ) -> Stored[D]:
        before = read.model_dump(exclude_defaults=True) if read is not None else None
        fields = document.model_dump(exclude_defaults=True)
        data = text or write_yaml(fields if old else {"id": document.id, **fields}, old, before)
        if len(data) > MAX_BYTES:  # it could never be read again
            raise ConfigurationError(
                f"would be larger than {MAX_BYTES >> 20} MiB", where=self._shown(path), next_step="split it in two"
            )
        write_whole(path, data)
        return Stored(document, path, revision_of(data), data)

    @contextlib.contextmanager
    def _locked(self, folder: Path) -> Iterator[None]:
        lock = self.workspace.private() / "documents.lock"
        try:
            with exclusive(lock, self._wait_s):
                folder.mkdir(parents=True, exist_ok=True)
                merge_by_field(self.workspace.root)
                for leftover in folder.glob(".*.tmp"):  # of a save that was killed
                    leftover.unlink(missing_ok=True)
                yield
        except Busy as error:
            raise CheckFailed(
                "another aether-tui is saving documents", where=str(lock), next_step="try again"
            ) from error
        except OSError as error:
            place = str(error.filename or folder)
            raise ConfigurationError(
                f"cannot be written: {error.strerror}", where=place, next_step="check space and permissions"
            ) from error


def write_whole(path: Path, data: bytes) -> None:
    """Replace `path` by `data` so that a reader, or a crash, sees the old or the new file and nothing between.

    What a link points to is replaced, not the link. Raises OSError, also where somebody made the file read-only.
    """
    place = path.resolve() if path.is_symlink() else path
    temporary = place.with_name(f".{place.name}.tmp")
    before = place.read_bytes() if written.NOTED is not None and place.exists() else None
    mode = place.stat().st_mode & 0o777 if place.exists() else 0o666
    if not mode & 0o222:
        raise PermissionError(errno.EACCES, "it is read-only", str(path))
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(place)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if written.NOTED is not None:
        written.NOTED.append(Wrote(path, before, revision_of(data)))
    if os.name == "posix":
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _second(path: Path, now: datetime) -> Path:
    """Where a second version of a document is kept."""
    return _free(path.with_name(f"{path.name.partition('.')[0]}.conflict-{now:%Y%m%dT%H%M%S}.yaml"))


def _free(path: Path) -> Path:
    """`path`, or the first of `path-2`, `path-3` … that is not there."""
    found = path
    for count in range(2, 1000):
        if not found.exists():
            break
        found = path.with_name(f"{path.stem}-{count}{path.suffix}")
    return found

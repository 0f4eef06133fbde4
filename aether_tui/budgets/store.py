"""Where baselines are kept: a folder, a branch of its own where the main one is protected, or one file for CI to carry."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from aether_tui.budgets.git import Base, GitFailed, Repository, add_to_branch, repository_of
from aether_tui.errors import ConfigurationError

MAX_BYTES = 1 << 20
MAX_FILES = 20_000
ATTRIBUTES = "*.json merge=union\n"
"""What `.gitattributes` in the store says, so that git keeps the samples of both branches."""
SURFACES = ("ci", "cost", "llm", "tests")
_EPOCH = (1980, 1, 1, 0, 0, 0)


class Store(Protocol):
    """Files of baselines by their path in the store (`tests/suite.duration.unit-….json`)."""

    @property
    def name(self) -> str:
        """How it is called in messages."""
        ...

    def files(self) -> dict[str, bytes]:
        """All of them. Raises ConfigurationError."""
        ...

    def write(self, files: Mapping[str, bytes]) -> str:
        """Put these in place of those of the same name; returns what to do next. Raises ConfigurationError."""
        ...

    def at(self, base: Base) -> Store:
        """The store as the base branch has it: a change does not move what it is compared with."""
        ...


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder, `benchmarks/` by default, that is committed with the code."""

    path: Path

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.path.name

    def files(self) -> dict[str, bytes]:
        """The JSON files of the four surfaces."""
        paths = [path for surface in SURFACES for path in sorted((self.path / surface).glob("*.json"))]
        return {f"{path.parent.name}/{path.name}": _read(path, f"{self.name}/{path.parent.name}") for path in paths}

    def write(self, files: Mapping[str, bytes]) -> str:
        """Each file whole or not at all."""
        from aether_tui.workspace.store import write_whole

        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if not (self.path / ".gitattributes").exists():
                write_whole(self.path / ".gitattributes", ATTRIBUTES.encode())
            for name, data in files.items():
                place = self.path / name
                place.parent.mkdir(exist_ok=True)
                write_whole(place, data)
        except OSError as error:
            raise _unwritable(error, str(self.path)) from error
        return f"commit {self.name}/"

    def at(self, base: Base) -> Store:
        """The folder in the base branch; itself where it is not in git."""
        repository = repository_of(self.path)
        found = repository.folder(base.tip, self.path) if repository else {}
        return Frozen(f"{self.name} of {base.ref}", found) if found else self


@dataclass(frozen=True, slots=True)
class Frozen:
    """Files that were read already."""

    name: str
    found: Mapping[str, bytes]

    def files(self) -> dict[str, bytes]:
        """Those of the four surfaces."""
        return {name: data for name, data in self.found.items() if name.partition("/")[0] in SURFACES}

    def write(self, files: Mapping[str, bytes]) -> str:
        """Refused: what is in a commit stays as it is."""
        raise ConfigurationError("cannot be written", where=self.name, next_step="leave --base out")

    def at(self, base: Base) -> Store:
        """Itself."""
        return self


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch of the same repository that holds nothing but baselines; it is never checked out."""

    repository: Repository
    branch: str

    @property
    def name(self) -> str:
        """`branch:NAME`."""
        return f"branch:{self.branch}"

    def files(self) -> dict[str, bytes]:
        """The files of its newest commit; none where there is no such branch yet."""
        commit = self._newest()
        return Frozen(self.name, self.repository.folder(commit, self.repository.root)).files() if commit else {}

    def write(self, files: Mapping[str, bytes]) -> str:
        """A commit with the files; nothing is pushed."""
        parent = self._newest()
        every = {**files, ".gitattributes": ATTRIBUTES.encode()}
        add_to_branch(self.repository, self.branch, parent, every, "Update baselines")
        return f"git push origin {self.branch}"

    def at(self, base: Base) -> Store:
        """Itself: a change has no part in it."""
        return self

    def _newest(self) -> str:
        """The local branch or the fetched one, whichever is ahead."""
        local = self.repository.commit(f"refs/heads/{self.branch}")
        fetched = self.repository.commit(f"refs/remotes/origin/{self.branch}")
        if not local or not fetched or local == fetched:
            return local or fetched
        try:
            common = self.repository.text("merge-base", local, fetched)
        except GitFailed:
            common = ""
        if common not in (local, fetched):
            raise ConfigurationError(
                f"the local branch and origin/{self.branch} went different ways", where=self.name,
                next_step=f"`git branch -f {self.branch} origin/{self.branch}` and update again",
            )  # fmt: skip
        return fetched if common == local else local


@dataclass(frozen=True, slots=True)
class Archive:
    """One zip file, for a pipeline that keeps it as an artifact from run to run."""

    path: Path

    @property
    def name(self) -> str:
        """`artifact:FILE`."""
        return f"artifact:{self.path.name}"

    def files(self) -> dict[str, bytes]:
        """The files in it; none where there is no file yet."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                infos = [one for one in archive.infolist() if one.filename.partition("/")[0] in SURFACES]
                if len(infos) > MAX_FILES or any(one.file_size > MAX_BYTES for one in infos):
                    raise ConfigurationError(
                        "larger than baselines can be", where=self.name, next_step="make it again on the base branch"
                    )
                return {one.filename: archive.read(one) for one in infos}
        except FileNotFoundError:
            return {}
        except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
            fix = "remove it and run `aether-tui budget baseline --update`"
            raise ConfigurationError(f"not an archive of baselines: {error}", where=self.name, next_step=fix) from error

    def write(self, files: Mapping[str, bytes]) -> str:
        """The whole archive anew; equal files give equal bytes."""
        import io

        from aether_tui.workspace.store import write_whole

        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in sorted({**self.files(), **files}.items()):
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.path, out.getvalue())
        except OSError as error:
            raise _unwritable(error, str(self.path)) from error
        return f"keep {self.path.name} as an artifact of the base branch"

    def at(self, base: Base) -> Store:
        """Itself: it is the base branch's."""
        return self


def open_store(text: str | None, default: Path) -> Store:
    """`branch:NAME`, `artifact:FILE` or a folder; the default folder when nothing is said. Raises ConfigurationError."""
    kind, _, rest = (text or "").partition(":")
    if kind == "branch" and rest:
        repository = repository_of(default)
        if repository is None:
            raise ConfigurationError(
                "there is no git repository here", where=f"--store {text}", next_step="name a folder"
            )
        try:
            repository.run("check-ref-format", "--branch", rest)
        except GitFailed as error:
            raise ConfigurationError("not a branch name", where=f"--store {text}") from error
        return Branch(repository, rest)
    if kind == "artifact" and rest:
        return Archive(Path(rest))
    return Folder(Path(text) if text else default)


def _read(path: Path, shown: str) -> bytes:
    fix = "restore it from git, or remove it and run `aether-tui budget baseline --update`"
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        where = f"{shown}/{path.name}"
        raise ConfigurationError(f"cannot be read: {error.strerror}", where=where, next_step=fix) from error


def _unwritable(error: OSError, where: str) -> ConfigurationError:
    return ConfigurationError(
        f"cannot be written: {error.strerror}", where=where, next_step="choose another place with --store"
    )

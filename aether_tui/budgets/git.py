"""What the gate asks git: where a change left its base branch, what its commits say, files of another commit."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aether_tui.errors import ConfigurationError

BACK = 20
"""How many commits before the merge-base may stand in for it."""
NOBODY = {"GIT_AUTHOR_NAME": "aether-tui", "GIT_AUTHOR_EMAIL": "aether-tui@localhost",
          "GIT_COMMITTER_NAME": "aether-tui", "GIT_COMMITTER_EMAIL": "aether-tui@localhost"}  # fmt: skip
"""Who commits where git does not know who is at work, as on a build machine."""


class GitFailed(Exception):
    """Git said no; the message is its first line."""


@dataclass(frozen=True, slots=True)
class Base:
    """Where a change left its base branch: the merge-base and the commits before it, newest first."""

    ref: str
    tip: str
    ancestors: tuple[str, ...]
    time: datetime
    """When the merge-base was committed (naive UTC)."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A checkout, by its top folder."""

    root: Path

    def run(self, *arguments: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None) -> bytes:
        """What git prints. Raises GitFailed."""
        import subprocess  # not every run asks git

        try:
            done = subprocess.run(
                ["git", "-C", str(self.root), *arguments],
                input=stdin, capture_output=True, check=False, env=os.environ | (env or {}),
            )  # fmt: skip
        except OSError as error:
            raise GitFailed(f"git cannot be run: {error.strerror}") from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise GitFailed(said[0] if said else f"git {arguments[0]} failed")
        return done.stdout

    def text(self, *arguments: str) -> str:
        """What git prints, as text without the last newline. Raises GitFailed."""
        return self.run(*arguments).decode("utf-8", "replace").rstrip("\n")

    def commit(self, ref: str) -> str:
        """The commit a name stands for, empty when there is none."""
        try:
            return self.text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        except GitFailed:
            return ""

    def base(self, ref: str) -> Base:
        """Where HEAD left `ref`. Raises GitFailed, in a shallow clone for example."""
        tip = self.commit(ref)
        if not tip:
            raise GitFailed(f"no commit {ref} here")
        try:
            merge_base = self.text("merge-base", tip, "HEAD")
        except GitFailed as error:
            raise GitFailed(f"no common commit of {ref} and HEAD is here") from error
        listed = self.text("rev-list", "--first-parent", f"--max-count={BACK + 1}", merge_base).split()
        seconds = int(self.text("show", "--no-patch", "--format=%ct", merge_base))
        return Base(ref, tip, tuple(listed), datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None))

    def messages(self, base: Base | None) -> str:
        """The messages of the change's commits; without a base that of HEAD. Raises GitFailed."""
        span = [f"{base.ancestors[0]}..HEAD"] if base else ["--max-count=1", "HEAD"]
        return self.text("log", "--reverse", "--format=%B%n", *span)

    def file(self, commit: str, path: Path) -> bytes | None:
        """A file as it is in a commit; None when it is not there."""
        try:
            return self.run("cat-file", "blob", f"{commit}:{self._inside(path)}")
        except (GitFailed, ValueError):
            return None

    def folder(self, commit: str, path: Path) -> dict[str, bytes]:
        """The JSON files of a folder of a commit, by their path within it."""
        try:
            inside = self._inside(path)
        except ValueError:
            return {}
        spec = f"{commit}:{inside}" if inside != "." else commit
        try:
            listed = self.run("ls-tree", "-r", "-z", "--full-tree", spec).split(b"\0")
        except GitFailed:
            return {}
        rows = [row.partition(b"\t") for row in listed if row.endswith(b".json")]
        names = {name.decode("utf-8", "replace"): about.split()[2] for about, _, name in rows if b" blob " in about}
        return dict(zip(names, self._blobs(list(names.values())), strict=True))

    def _blobs(self, ids: list[bytes]) -> list[bytes]:
        """Many objects with one process."""
        if not ids:
            return []
        out = self.run("cat-file", "--batch", stdin=b"\n".join(ids) + b"\n")
        found, at = [], 0
        for _ in ids:
            end = out.index(b"\n", at)
            size = int(out[at:end].split()[2])
            found.append(out[end + 1 : end + 1 + size])
            at = end + size + 2
        return found

    def _inside(self, path: Path) -> str:
        """The path from the top folder on. Raises ValueError for one outside."""
        return path.resolve().relative_to(self.root).as_posix()


def repository_of(place: Path) -> Repository | None:
    """The checkout a path is in; None where there is none."""
    here = next((one for one in (place.resolve(), *place.resolve().parents) if one.is_dir()), None)
    if here is None:
        return None
    try:
        return Repository(Path(Repository(here).text("rev-parse", "--show-toplevel")).resolve())
    except GitFailed:
        return None


def base_in(environ: Mapping[str, str]) -> str:
    """The base branch of a pull or merge request, as GitHub and GitLab name it to a job; empty elsewhere."""
    branch = environ.get("GITHUB_BASE_REF") or environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME") or ""
    return f"origin/{branch}" if branch else ""


def add_to_branch(repository: Repository, branch: str, parent: str, files: Mapping[str, bytes], message: str) -> str:
    """A commit on a branch that is not checked out, with these files changed; returns it. Raises ConfigurationError."""
    import tempfile

    try:
        with tempfile.TemporaryDirectory() as folder:
            env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            repository.run("read-tree", parent or "--empty", env=env)
            rows = []
            for name, data in sorted(files.items()):
                blob = repository.run("hash-object", "-w", "--stdin", stdin=data).decode().strip()
                rows.append(f"100644 {blob}\t{name}\0")
            repository.run("update-index", "-z", "--add", "--index-info", stdin="".join(rows).encode(), env=env)
            tree = repository.run("write-tree", env=env).decode().strip()
        parents = ["-p", parent] if parent else []
        who = {} if _known(repository) else NOBODY
        made = repository.run("commit-tree", tree, *parents, "-m", message, env=who).decode().strip()
        # Only from what was read: somebody else's commit is never lost.
        local = repository.commit(f"refs/heads/{branch}")
        repository.run("update-ref", f"refs/heads/{branch}", made, local or "0" * len(made))
    except GitFailed as error:
        raise ConfigurationError(f"cannot be written: {error}", where=f"branch {branch}") from error
    return made


def _known(repository: Repository) -> bool:
    try:
        repository.run("var", "GIT_COMMITTER_IDENT")
        repository.run("config", "user.email")
    except GitFailed:
        return False
    return True

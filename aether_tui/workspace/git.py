"""What git is told about documents: that two edits of one are merged field by field.

Git merges lines, and two fields on lines next to each other, or two items added to one list, are a conflict to it. The driver is
named in the repository's own `config` and `info/attributes`, since git takes no commands from files that are committed.
"""

from __future__ import annotations

import contextlib
import json
import shlex
import subprocess
import sys
from pathlib import Path

NAME = "aether-tui"
_TOLD: set[Path] = set()
"""Workspaces whose repository was told by this process."""


def repository(root: Path) -> Path | None:
    """The folder whose git repository a workspace is in."""
    return next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)


def merge_by_field(root: Path) -> None:
    """Tell the repository around a workspace to merge its documents by `doc merge`; nothing where there is none.

    A repository that cannot be written to, or a machine without git, goes on merging lines.
    """
    top = None if root in _TOLD else repository(root)
    if top is None:
        return
    _TOLD.add(root)
    with contextlib.suppress(OSError, ValueError):
        place = _common(top / ".git")
        attributes = place / "info" / "attributes"
        line = f"{_pattern(root.relative_to(top) / 'engagement')} merge={NAME}"
        said = attributes.read_text("utf-8") if attributes.is_file() else ""
        if line not in said.splitlines():
            attributes.parent.mkdir(exist_ok=True)
            attributes.write_text(f"{said.rstrip()}\n{line}\n".lstrip(), "utf-8")
        driver = _driver()
        if driver not in (place / "config").read_text("utf-8", "replace").replace('\\"', '"').replace("\\\\", "\\"):
            for key, value in (("name", "documents of aether-tui, field by field"), ("driver", driver)):
                subprocess.run(
                    ["git", "config", "--file", place / "config", f"merge.{NAME}.{key}", value], check=False, capture_output=True
                )  # fmt: skip


def _driver() -> str:
    """The command git runs; where this program is gone, git merges lines as it would have."""
    ours = f"{shlex.quote(sys.executable)} -m aether_tui doc merge %O %A %B %P"
    return f"{ours}; s=$?; test $s -le 1 && exit $s; git merge-file -L HEAD -L base -L theirs %A %O %B"


def _common(git: Path) -> Path:
    """The folder with the configuration: `.git`, or what it points to in a worktree."""
    if git.is_dir():
        return git
    own = (git.parent / git.read_text("utf-8").removeprefix("gitdir:").strip()).resolve()
    common = own / "commondir"
    return (own / common.read_text("utf-8").strip()).resolve() if common.is_file() else own


def _pattern(folder: Path) -> str:
    """Documents under a folder as git writes a pattern; what is special in the folder's name stands for itself."""
    pattern = (
        "/" + "".join(f"\\{letter}" if letter in "\\*?[" else letter for letter in folder.as_posix()) + "/**/*.yaml"
    )
    return json.dumps(pattern, ensure_ascii=False) if set(pattern) & set(' "\t') else pattern


def merged_lines(base: Path, ours: Path, theirs: Path) -> tuple[bytes, bool]:
    """The merge of three files by lines, as git does it, and whether it is without a conflict. Raises OSError without git."""
    labels = [word for name in ("HEAD", "base", "theirs") for word in ("-L", name)]
    done = subprocess.run(["git", "merge-file", "-p", *labels, ours, base, theirs], check=False, capture_output=True)
    return done.stdout, done.returncode == 0

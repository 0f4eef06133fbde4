"""What was said and is not stored: to a form whose document cannot take it yet, and on lines outside of forms. Kept for the next time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from msgspec import MsgspecError, Struct, field, json

from aether_tui.workspace.folder import Workspace

T = TypeVar("T")


class Unstored(Struct, frozen=True, omit_defaults=True):
    """Values by their paths in the order they were said, and the text that was being typed `at` a path."""

    kind: str
    identity: str | None = None
    sets: tuple[tuple[tuple[str | int, ...], object], ...] = ()
    at: tuple[str | int, ...] = ()
    typed: str = ""


def keep(workspace: Workspace, left: Unstored) -> None:
    """Keep it for its document, or for the next new one of its kind. Raises OSError."""
    _write(workspace, _path(workspace, left.kind, left.identity), json.encode(left))


def taken(workspace: Workspace, kind: str, identity: str | None) -> Unstored | None:
    """What was kept for a document, or for a new one of that kind: whoever takes it keeps it again. What is damaged counts as absent."""
    path = _path(workspace, kind, identity)
    found = _read(path)
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
    return found


def newest(workspace: Workspace) -> Unstored | None:
    """What was kept last."""
    found: dict[Path, float] = {}
    with contextlib.suppress(OSError):
        found = {path: path.stat().st_mtime for path in workspace.state.glob("form-*.json")}
    return _read(max(found, key=found.__getitem__)) if found else None


class Lines:
    """What is typed at the questions that one action asks in turn, until it is stored or given up: where the console ends before that, or
    it cannot be stored, the same questions offer it again.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._path = workspace.state / "lines.json"
        self._kept: dict[str, Asked] = {}
        with contextlib.suppress(OSError, MsgspecError):
            self._kept = json.decode(self._path.read_bytes(), type=dict[str, Asked])
        self._from_disk = bool(self._kept)
        self._first = ""
        self._question: tuple[str, str] = ("", "")
        self._said: dict[str, str] = {}

    def ask(self, question: str, offered: str, action: str) -> str | None:
        """A question is asked: what was typed at it before and is not stored. One with another offer is another question."""
        self._question = f"{question}\n{offered}", offered
        self._first = self._first or self._question[0]
        self._said = self._kept.setdefault(self._first, Asked(action)).said
        return self._said.get(self._question[0])

    def typed(self, text: str) -> None:
        """What stands on the line by now."""
        question, offered = self._question
        if text.strip() and text != offered:
            self._said[question] = text
        else:
            self._said.pop(question, None)

    def end(self) -> None:
        """Nothing more is asked, and nothing is to be stored: what was typed did what it was for, or was given up."""
        self._forget(self._first)
        self._first = ""

    def until_stored(self, work: Callable[[], T]) -> Callable[[], T]:
        """`work`, which stores what was typed at the last questions, and forgets it then."""
        first, self._first = self._first, ""

        def run() -> T:
            done = work()
            self._forget(first)
            return done

        return run

    def newest(self) -> tuple[str, str, str] | None:
        """What was kept last: the id of the action, its last question and what was typed at it."""
        for asked in reversed(self._kept.values()):
            for question, text in reversed(asked.said.items()):
                return asked.action, question.partition("\n")[0], text
        return None

    def keep(self) -> None:
        """Keep on disk what is not stored. Raises OSError."""
        left = {first: asked for first, asked in self._kept.items() if asked.said}
        if left:
            _write(self._workspace, self._path, json.encode(left))
        else:
            self._path.unlink(missing_ok=True)
        self._from_disk = bool(left)

    def _forget(self, first: str) -> None:
        if self._kept.pop(first, None) is not None and self._from_disk:
            with contextlib.suppress(OSError):
                self.keep()


class Asked(Struct, frozen=True):
    """What was typed at the questions of one action, by question."""

    action: str
    said: dict[str, str] = field(default_factory=dict)


def _write(workspace: Workspace, path: Path, data: bytes) -> None:
    from aether_tui.workspace.store import write_whole

    workspace.private()
    path.touch(mode=0o600)
    write_whole(path, data)


def _path(workspace: Workspace, kind: str, identity: str | None) -> Path:
    return workspace.state / f"form-{identity or kind}.json"


def _read(path: Path) -> Unstored | None:
    try:
        return json.decode(path.read_bytes(), type=Unstored)
    except (OSError, MsgspecError):
        return None

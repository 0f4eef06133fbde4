"""Edits of the console: made behind the screen in the order of their keys, one at a time, and taken back from the last."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

from aether_tui.errors import AetherError
from aether_tui.workspace.edits import take_back
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.written import Edit, bytes_of, written_since

T = TypeVar("T")

UNDO_STEPS = 100


class Desk(Protocol):
    """What edits need of the console they are made on."""

    def hold_keys(self) -> None:
        """Keep keys back."""
        ...

    def release_keys(self) -> None:
        """Let them through again."""
        ...

    def broken(self, error: Exception) -> None:
        """Keep what an error of the program was, and say so."""
        ...

    def edited(self, message: str, rebuild: str) -> None:
        """Say what was done, and rebuild the report it changed (named where not empty)."""
        ...

    def tab(self) -> str:
        """The tab in view."""
        ...


class Editing:
    """The edits of one console, the last hundred of which can be taken back."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._made: deque[tuple[Edit, str, str]] = deque(maxlen=UNDO_STEPS)
        """Each with the report it changed and the tab it was made under."""
        self._turn = asyncio.Lock()
        self._unsaved: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """How many edits can be taken back."""
        return len(self._made)

    @property
    def busy(self) -> bool:
        """Whether an edit is being written."""
        return self._turn.locked()

    @property
    def unsaved(self) -> bool:
        """Whether an edit is not yet on disk, or not yet told."""
        return bool(self._unsaved)

    def remember(self, edit: Edit, rebuild: str = "") -> None:
        """Something done elsewhere, which can be taken back too."""
        self._made.append((edit, rebuild, self._desk.tab()))

    def make(
        self, work: Callable[[], Edit], rebuild: str, done: Callable[[Edit], None] | None,
        refused: Callable[[AetherError], bool] | None,
    ) -> None:  # fmt: skip
        """Edit a document; `done` gets the edit once it is on disk, `refused` an error, and answers whether it told it."""

        def made(edit: Edit) -> None:
            self.remember(edit, rebuild)
            self._desk.edited(f"{edit.what}; u takes it back", rebuild)
            if done is not None:
                done(edit)

        self._in_turn(work, made, refused)

    def first(self, look: Callable[[], T], then: Callable[[T], None]) -> None:
        """See what an edit would meet before what it needs is asked for; an error is told."""
        self._in_turn(look, then, None)

    def write(self, work: Callable[[], str], place: Path, rebuild: str) -> None:
        """Write a file that is no document, and remember its bytes."""

        def run() -> tuple[Edit | None, str]:
            before = bytes_of([place])
            told = work()
            return written_since(before, [place], told), told

        def made(result: tuple[Edit | None, str]) -> None:
            if result[0] is not None:
                self.remember(result[0], rebuild)
            self._desk.edited(f"{result[1]}; u takes it back", rebuild)

        self._in_turn(run, made, None)

    def last(self) -> tuple[Edit, str]:
        """The edit to be taken back next, and the tab it was made under; there must be one."""
        edit, _, tab = self._made[-1]
        return edit, tab

    def take_back(self, workspace: Workspace, now: Callable[[], datetime]) -> None:
        """Take the last edit back; there must be one."""
        last, rebuild, _ = self._made.pop()
        self._in_turn(lambda: take_back(workspace, last, now()), lambda told: self._desk.edited(told, rebuild), None)

    async def finished(self) -> None:
        """Wait until every edit is on disk."""
        await asyncio.gather(*self._unsaved, return_exceptions=True)

    def _in_turn(
        self, work: Callable[[], T], done: Callable[[T], None], refused: Callable[[AetherError], bool] | None
    ) -> None:
        """The next key is answered after it, and quitting waits."""
        self._desk.hold_keys()

        async def run() -> None:
            try:
                async with self._turn:
                    result = await asyncio.to_thread(work)
                done(result)
            except AetherError as error:
                if refused is None or not refused(error):
                    self._desk.edited(f"■ {error.sentence()}", "")
            except OSError as error:
                where = error.filename or "file"
                self._desk.edited(f"■ {where}: {error.strerror}; check space and permissions", "")
            except Exception as error:  # else nobody would hear that nothing was written
                self._desk.broken(error)
            finally:
                self._desk.release_keys()

        task = asyncio.get_running_loop().create_task(run())
        self._unsaved.add(task)
        task.add_done_callback(self._unsaved.discard)

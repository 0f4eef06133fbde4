"""What a console does behind its screens: work in threads, edits being saved, commands running as children."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from textual.app import App
from textual.message import Message
from textual.worker import WorkType

from aether_tui.builds import Options
from aether_tui.commands import Commands
from aether_tui.editing import Editing
from aether_tui.errors import AetherError
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.written import Edit
from screens import SCREENS
from screens.base import PageScreen, ReportScreen
from screens.unstored import Lines

if TYPE_CHECKING:
    from aether_tui.jobs import Job


T = TypeVar("T")


class Working(App[int]):
    """An app that works in one workspace. Its reports are kept, and its screens drawn, by the subclasses."""

    @dataclass
    class Done(Message):
        """Work in a thread ended: what to say, and the report it changed."""

        message: str
        rebuild: str = ""

    def __init__(self, workspace: Workspace, options: Options) -> None:
        super().__init__()
        self.workspace = workspace
        self.options = options
        self._commands = Commands(self)
        self._edits = Editing(self)
        self.lines = Lines(workspace)
        self._to_load = ""

    # --- what is shown -------------------------------------------------------------------------------------------

    def front(self) -> ReportScreen | None:
        """The report screen in front, also behind a dialog."""
        return next((s for s in reversed(self.screen_stack) if isinstance(s, ReportScreen) and s.there), None)

    def page_screen(self) -> PageScreen | None:
        """The page in front, also behind a dialog."""
        return next((s for s in reversed(self.screen_stack) if isinstance(s, PageScreen) and s.there), None)

    def around(self) -> None:
        """Draw the lines around the page."""
        screen = self.page_screen()
        if screen is not None:
            screen.show_around()

    def say(self, message: str) -> None:
        """Show a sentence until the next key."""
        raise NotImplementedError

    def hold_keys(self) -> None:
        """Keep keys back."""
        raise NotImplementedError

    def release_keys(self) -> None:
        """Let them through again."""
        raise NotImplementedError

    def broken(self, error: Exception) -> None:
        """Keep what an error of the program was, and say so."""
        raise NotImplementedError

    def rebuild(self, report: str) -> None:
        """Build a report."""
        raise NotImplementedError

    def now(self) -> datetime:
        """The fixed clock, else this moment."""
        return self.options.now()

    def refused(self) -> bool:
        """Whether this console may only look; says so."""
        if self.options.read_only:
            self.say("read-only: nothing is edited or started here")
        return self.options.read_only

    def typed_at(self) -> float:
        """When the last key came, by the monotonic clock."""
        return self._commands.typed_at

    # --- beside the screens --------------------------------------------------------------------------------------

    def follow(self, work: Callable[[], Coroutine[None, None, None]], group: str) -> None:
        """Begin this beside the screens, in place of what its group does: what is replaced before it began is not made."""
        begin: WorkType[None] = work
        self.run_worker(begin, group=group, exclusive=True, exit_on_error=False)

    def forget(self, group: str) -> None:
        """End what is followed under that name."""
        self.workers.cancel_group(self, group)

    def in_thread(self, work: Callable[[], str], *, rebuild: str = "") -> None:
        """Do `work` behind the screen, then say its sentence and rebuild a report; its errors are said too."""

        if self.refused():
            return

        def run() -> None:
            try:
                self.post_message(self.Done(work(), rebuild))
            except AetherError as error:
                self.post_message(self.Done(f"■ {error.sentence()}", rebuild))
            except OSError as error:
                self.post_message(
                    self.Done(f"■ {error.filename or 'file'}: {error.strerror}; check space and permissions")
                )

        self.run_worker(run, thread=True, group="work", exit_on_error=False)

    def on_working_done(self, event: Done) -> None:
        self.say(event.message)
        if event.rebuild:
            self.rebuild(event.rebuild)

    # --- edits ---------------------------------------------------------------------------------------------------

    def edit(
        self,
        work: Callable[[], Edit],
        *,
        rebuild: str = "",
        done: Callable[[Edit], None] | None = None,
        refused: Callable[[AetherError], bool] | None = None,
    ) -> None:
        """Make an edit in a thread, say what it did, remember it for `u`, and rebuild the report it changed.

        Keys wait until it is on disk. `done` gets it then; `refused` gets an error, and answers whether it has been told.
        """
        if not self.refused():
            self._edits.make(self.lines.until_stored(work), rebuild, done, refused)

    def first(self, look: Callable[[], T], then: Callable[[T], None]) -> None:
        """Look at something in a thread before anything is asked; keys wait. `then` gets what was seen, an error is said."""
        if not self.refused():
            self._edits.first(look, then)

    def write(self, work: Callable[[], str], place: Path, *, rebuild: str = "") -> None:
        """Have `work` write a file that is no document, say its sentence, and remember the bytes for `u`."""
        if not self.refused():
            self._edits.write(self.lines.until_stored(work), place, rebuild)

    def tab(self) -> str:
        """The tab in view."""
        here = self.page_screen()
        return (here.TAB or here.name or "") if here is not None else ""

    def action_undo(self) -> None:
        """Take the last edit back; asks first where it was made under another tab, out of sight."""
        if not len(self._edits):
            self.say("nothing to undo: nothing was edited since the start")
            return
        if self.refused():
            return
        (last, tab), screen = self._edits.last(), self.page_screen()
        if screen is None or tab == self.tab():
            self._edits.take_back(self.workspace, self.now)
            return

        def answered(said: str | None) -> None:
            if (said or "").casefold() in {"y", "yes"} and len(self._edits) and self._edits.last()[0] is last:
                self._edits.take_back(self.workspace, self.now)
            else:
                self.say("nothing was taken back")

        place = (
            f"made on {SCREENS[tab].title}: " if tab in SCREENS else ""
        )  # none while one screen gives way to another
        screen.ask(f"{place}{last.done}. Take it back? y or n", "", answered, passing=True)

    def edited(self, message: str, rebuild: str) -> None:
        """Say it, and rebuild what an edit has put out of date."""
        raise NotImplementedError

    # --- jobs ----------------------------------------------------------------------------------------------------

    def action_sync(self) -> None:
        """Start a sync as a child process; while one runs, stop it."""
        if not self.refused():
            self._commands.sync()

    def action_load(self) -> None:
        """Ask for files, and load them by a child process."""
        screen = self.page_screen()

        def given(said: str | None) -> None:
            if said:
                self._to_load = said
                try:
                    paths = shlex.split(said)
                except ValueError:  # a quote that nothing closes
                    paths = [said]
                self._commands.run("load", ["load", *map(os.path.expanduser, paths)], None)

        if screen is not None and not self.refused():
            screen.ask(
                "load files or folders, such as tickets.csv --as items --accept", self._to_load, given, most=None
            )

    def action_export_all(self) -> None:
        self.command("export", "export", "-o", str(self.workspace.exports))

    def command(self, title: str, *command: str, writes: Path | None = None) -> None:
        """Run a command as a child, unless one is running; its error, or that it is done, is said.

        What it writes in the folder `writes` can be taken back.
        """
        self._commands.run(title, command, writes)

    def answer(self, title: str, command: Sequence[str], done: Callable[[bytes], None]) -> None:
        """Run a command as a child and hand over what it prints; its error is said instead."""
        if not self.refused():
            self._commands.answer(title, command, done)

    def receive(self) -> None:
        """Start the receiver of traces as a child; while it runs, stop it."""
        if not self.refused():
            self._commands.receive()

    def job_ended(self, made: Edit | None, told: str) -> None:
        """A job ended: `made` can be taken back, `told` is said where there is something to say."""
        raise NotImplementedError

    def progress(self) -> Job | None:
        job = self._commands.job
        return job if job is not None and job.title == "sync" else None

    def show_progress(self) -> bool:
        """Draw how far a job is; false where no report is in front."""
        screen = self.front()
        if screen is None:
            return False
        if screen.report == "sources":
            screen.show()
        screen.show_around()
        return True

"""The file behind a sitting: read, watched for what others write, saved answer by answer, its time kept."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from aether_tui.errors import AetherError
from aether_tui.workspace.written import Edit
from screens.base import PageScreen
from screens.interview_card import TICK_S

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.interview import Interview
    from aether_tui.workspace.questions import Content
    from aether_tui.workspace.store import Conflict, Stored

LONGEST_GAP_S = 2 * TICK_S
"""The clock is read this often at least; a longer gap is a session that was suspended, and does not count."""
UNSAVED_S = 15.0
"""So much time since the last answer is worth a save when the interview is left."""


class InterviewFile(PageScreen):
    """One interview on disk, as far as a screen works on it. Nothing in here knows what is drawn or which keys there are."""

    @dataclass
    class Read(Message):
        """The interview and what can be asked were read, or could not be."""

        content: Content | None
        stored: Stored[Interview] | None
        error: AetherError | None = None
        conflict: Conflict | None = None
        apart: tuple[str, ...] = ()
        """What two versions say differently."""

    def __init__(self, identity: str, clock_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__(name="sitting")
        self._clock_s = clock_s
        self._identity = identity
        self._content: Content | None = None
        self._kept = False
        """Whether leaving has kept the time already."""
        self._stored: Stored[Interview] | None = None
        self._error: AetherError | None = None
        self._since = clock_s()
        self._spent_s = 0.0
        self._wanted = 0
        self._saving = False
        self._conflict: Conflict | None = None
        self._apart: tuple[str, ...] = ()
        self._elsewhere = False
        self._place: dict[str, str] = {}

    def draw(self) -> None:
        """Draw the interview as it stands."""
        raise NotImplementedError

    def saved(self, before: Interview, after: Interview, told: str | None) -> None:
        """An edit is on disk; called in the thread that wrote it. `told` is said below the next question."""

    def unsaved(self) -> None:
        """An edit could not be written; called in the thread that tried."""

    def led_back(self) -> None:
        """An edit was taken back, or one of two versions chosen: the interview may stand elsewhere now."""

    # --- reading -------------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Read it from disk when it is not what is shown: at the start, and when it was changed elsewhere."""
        if self._known():
            self.draw()
            return
        self._wanted += 1
        if self._wanted == 1:
            self.shell.hold_keys()
            self.run_worker(self._read, thread=True, group="read", exit_on_error=False)
        self.show_around()

    def renewed(self) -> None:
        """Somebody else wrote: theirs is read, and we stay with the person and the question that we are at."""
        self._elsewhere = self._stored is not None and not self._known()
        self.show()

    def _known(self) -> bool:
        """Whether the file is as it was read or written last; reading it takes ten times as long as looking."""
        from aether_tui.workspace.kinds.interview import Interview
        from aether_tui.workspace.store import Store
        from aether_tui.workspace.written import revision_of

        if self._stored is None:
            return False
        try:
            same = revision_of(self._stored.path.read_bytes()) == self._stored.revision
        except OSError:
            return False
        waiting = Store(self.shell.workspace).undecided(Interview, self._identity)
        return same and (waiting is None) == (self._conflict is None)

    def _read(self) -> None:
        """In a thread."""
        from aether_tui.workspace.kinds.interview import Interview
        from aether_tui.workspace.questions import load
        from aether_tui.workspace.store import Store
        from aether_tui.workspace.yaml_file import write_yaml
        from screens.interview_edits import apart

        try:
            content = self._content or load(self.shell.workspace)
            write_yaml(
                {"id": self._identity}, b"id: INT-0\n", {"id": "INT-0"}
            )  # so that the first answer is not the slow one
            store = Store(self.shell.workspace)
            stored, waiting = store.get(Interview, self._identity), store.undecided(Interview, self._identity)
            self.post_message(
                self.Read(content, stored, conflict=waiting, apart=apart(content, waiting) if waiting else ())
            )
        except AetherError as error:
            self.post_message(self.Read(None, None, error))

    def on_interview_file_read(self, event: Read) -> None:
        event.stop()
        self._content, self._error = event.content or self._content, event.error
        there = event.conflict is not None and event.conflict.ours.exists()  # else decided while this was read
        self._conflict, self._apart = event.conflict if there else None, event.apart
        if self._stored is None and event.stored is not None:  # the clock starts when there is something to talk about
            self._spent_s, self._since = self._spent_s + event.stored.document.elapsed_s, self._clock_s()
        if self._elsewhere and self._stored is not None and event.stored is not None:
            before = self._document(self._stored.document)
            if event.stored.document.person(before.who) is not None:
                self._place = {"who": before.who, "at": before.at}
        else:
            self._place = {}
            if self._stored is not None:
                self.led_back()
        self._elsewhere = False
        self._stored = event.stored
        self.draw()
        if self._wanted > 1:  # asked for again while it was being read
            self._wanted = 1
            self.run_worker(self._read, thread=True, group="read", exit_on_error=False)
        else:
            self._wanted = 0
            self.shell.release_keys()
            self.settle()

    def _document(self, read: Interview) -> Interview:
        """The interview with the person and the question that this console is at."""
        return read.model_copy(update=self._place) if self._place else read

    def _elapsed_s(self) -> float:
        """Seconds spent on the interview, what was spent before this sitting among them."""
        now = self._clock_s()
        self._spent_s += min(max(0.0, now - self._since), LONGEST_GAP_S)
        self._since = now
        return self._spent_s

    # --- saving --------------------------------------------------------------------------------------------------

    def _save(self, update: Callable[[Interview], Interview], what: str, told: str | None = "") -> None:
        """Store what `update` makes of the interview, then draw it; keys wait until it is on disk.

        `told` is said below the next question; None leaves what is said there.
        """
        stored = self._stored
        if stored is None or self._conflict is not None or self.shell.refused():
            return
        workspace, now = self.shell.workspace, self.shell.now()
        spent, self._saving = self._elapsed_s(), True

        def work() -> Edit:
            from screens.interview_edits import save

            before = self._document(stored.document)
            try:
                self._stored, edit = save(
                    workspace, stored, lambda old: timed(update(self._document(old)), spent), what, now
                )  # on disk, so it may be shown: the console draws the page that was edited
            except (AetherError, OSError):
                self.unsaved()
                raise
            finally:
                self._saving = False
            self._place = {}
            self.saved(before, self._stored.document, told)
            return edit

        self.shell.edit(work, refused=self._refused)

    def close(self) -> bool:
        """Leaving keeps the time since the last answer."""
        if self._unsaved_s() > UNSAVED_S and not self.shell.refused():
            self._kept = True
            finished = self._stored is not None and self._stored.document.finished
            self._save(lambda old: old, f"{self._identity} {'left' if finished else 'paused'}")
        return False

    def unkept(self) -> Callable[[Interview], Interview] | None:
        """What puts words that are being typed into the interview, where there are any."""
        return None

    def on_unmount(self) -> None:
        """Quitting keeps it too, and words that are being typed."""
        from screens.interview_edits import save

        stored, spent, update = self._stored, self._elapsed_s(), self.unkept()
        unsaved = update is not None or (
            not self._kept and self._unsaved_s() > UNSAVED_S
        )  # a second save would meet the first as somebody else's
        if stored is not None and unsaved and not self.shell.refused():
            with contextlib.suppress(AetherError, OSError):  # nobody is there any more to be told

                def left(old: Interview) -> Interview:
                    return timed(update(self._document(old)) if update is not None else old, spent)

                save(self.shell.workspace, stored, left, "", self.shell.now())

    def _unsaved_s(self) -> float:
        return self._elapsed_s() - self._stored.document.elapsed_s if self._stored is not None else 0.0

    # --- two versions ----------------------------------------------------------------------------------------------

    def _refused(self, error: AetherError) -> bool:
        from aether_tui.workspace.store import Conflict

        if isinstance(error, Conflict):
            self._conflict = error
        self.shell.say(f"■ {error.sentence()}")
        self.renewed()
        return True

    def _undecided(self) -> bool:
        """Whether two versions wait for a decision; says so."""
        if self._conflict is not None:
            self.shell.say("1 keeps yours, 2 keeps theirs; the other one is kept in .aether/removed/")
        return self._conflict is not None

    def _settle(self, conflict: Conflict, digit: int) -> None:
        """Keep my version or theirs; the other one is kept in `.aether/removed/`."""
        from aether_tui.workspace.edits import settle
        from aether_tui.workspace.kinds.interview import Interview

        if digit not in {1, 2}:
            self._undecided()
            return
        workspace, now = self.shell.workspace, self.shell.now()
        self._conflict = None

        work = lambda: settle(workspace, conflict, Interview, mine=digit == 1, now=now)  # noqa: E731
        self.shell.edit(work, done=lambda _: self.show(), refused=self._refused)


def timed(interview: Interview, spent_s: float) -> Interview:
    """With the seconds spent on it; another console may have spent more."""
    return interview.model_copy(update={"elapsed_s": round(max(spent_s, interview.elapsed_s), 1)})

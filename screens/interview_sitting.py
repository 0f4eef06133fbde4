"""One question, large; everything else quiet. Each answer is on disk before the next question shows."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.app import ComposeResult
from textual.message import Message

from aether_tui import human
from aether_tui.actions import Where
from aether_tui.errors import AetherError
from aether_tui.report_model import Quantity, Table
from aether_tui.workspace.written import Edit
from screens.base import PageScreen
from screens.interview_card import TICK_S, Faces, prose_width
from screens.widgets.card import Card
from screens.widgets.page import Page
from screens.widgets.spans import Line, clean, wrap

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.interview import Interview, Person
    from aether_tui.workspace.questions import Content, Question
    from aether_tui.workspace.store import Conflict, Stored

LONGEST_GAP_S = 2 * TICK_S
"""The clock is read this often at least; a longer gap is a session that was suspended, and does not count."""
UNSAVED_S = 15.0
"""So much time since the last answer is worth a save when the interview is left."""


class Sitting(PageScreen):
    """An interview going on. It can be left and resumed at any moment, also by a crash."""

    SCOPES: ClassVar[frozenset[Where]] = frozenset({"app", "sitting"})
    AUTO_FOCUS: ClassVar[str | None] = ""
    READS: ClassVar[bool] = True
    TAB: str = "interview"

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
        self._after = ""
        self._found: str | None = None
        self._conflict: Conflict | None = None
        self._apart: tuple[str, ...] = ()
        self._elsewhere = False
        self._place: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        for widget in super().compose():
            if isinstance(widget, Page):
                widget.display = False
                yield Card(id="card")
            yield widget

    def on_mount(self) -> None:
        self.set_interval(TICK_S, self.draw)

    # --- reading -------------------------------------------------------------------------------------------------

    def about(self) -> tuple[str, str]:
        return self._identity, "One question at a time; each answer is on disk before the next one shows"

    def note(self) -> str:
        return f"{self._identity} · saved" if self._stored is not None else self._identity

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

    def on_sitting_read(self, event: Read) -> None:
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

    # --- where it stands -----------------------------------------------------------------------------------------

    def _document(self, read: Interview) -> Interview:
        """The interview with the person and the question that this console is at."""
        return read.model_copy(update=self._place) if self._place else read

    @property
    def _interview(self) -> Interview | None:
        return self._document(self._stored.document) if self._stored is not None else None

    @property
    def _now_asked(self) -> tuple[Content, Interview, Question] | None:
        from aether_tui.workspace import sitting

        interview = self._interview
        if self._content is None or interview is None or self._person is None or self._person.consent is None:
            return None
        question = sitting.current(self._content, interview)
        return (self._content, interview, question) if question is not None else None

    @property
    def _person(self) -> Person | None:
        interview = self._interview
        return interview.person(interview.who) if interview is not None else None

    def _elapsed_s(self) -> float:
        """Seconds spent on the interview, what was spent before this sitting among them."""
        now = self._clock_s()
        self._spent_s += min(max(0.0, now - self._since), LONGEST_GAP_S)
        self._since = now
        return self._spent_s

    # --- drawing -------------------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        super().on_resize()
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Draw the question as it stands."""
        for card in self.query(Card):  # none is there while it is being left
            card.put(self._lines())
        self.show_around()

    def _lines(self) -> list[Line]:
        if self._error is not None:
            told = wrap(self._error.sentence(), prose_width(self.size.width))
            return [(), ((f"   ■ {told[0]}", "bad"),), *(((f"     {line}", "text"),) for line in told[1:])]
        interview = self._interview
        if interview is None or self._content is None:
            return []
        person, asked = self._person, self._now_asked
        faces = Faces(self._content, interview, *self.size, spent_s=self._elapsed_s(), after=self._after)
        if self._conflict is not None:
            return faces.both(self._conflict, () if self.shell.room() else self._apart)
        if self._found is not None:
            return faces.matches(self._found)
        if person is None:
            return faces.said("Nobody is asked yet: w adds a person.")
        if person.consent is None:
            return faces.consent(person)
        return faces.ended() if asked is None else faces.asked(asked[2])

    # --- saving --------------------------------------------------------------------------------------------------

    def _save(self, update: Callable[[Interview], Interview], what: str, after: str | None = "") -> None:
        """Store what `update` makes of the interview, then draw it; keys wait until it is on disk.

        `after` is said below the next question; None leaves what is said there.
        """
        stored = self._stored
        if stored is None or self._conflict is not None:
            return
        workspace, now = self.shell.workspace, self.shell.now()
        spent = self._elapsed_s()

        def work() -> Edit:
            from screens.interview_edits import save

            self._stored, edit = save(
                workspace, stored, lambda old: timed(update(self._document(old)), spent), what, now
            )  # on disk, so it may be shown: the console draws the page that was edited
            self._place, self._after = {}, self._after if after is None else after
            return edit

        self.shell.edit(work, refused=self._refused)

    def close(self) -> bool:
        """Leaving keeps the time since the last answer."""
        if self._unsaved_s() > UNSAVED_S and not self.shell.refused():
            self._kept = True
            self._save(lambda old: old, f"{self._identity} paused")
        return False

    def on_unmount(self) -> None:
        """Quitting keeps it too."""
        from screens.interview_edits import save

        stored, spent = self._stored, self._elapsed_s()
        unsaved = (
            not self._kept and self._unsaved_s() > UNSAVED_S
        )  # a second save would meet the first as somebody else's
        if stored is not None and unsaved and not self.shell.refused():
            with contextlib.suppress(AetherError, OSError):  # it is only the time
                save(self.shell.workspace, stored, lambda old: timed(old, spent), "", self.shell.now())

    def _unsaved_s(self) -> float:
        return self._elapsed_s() - self._stored.document.elapsed_s if self._stored is not None else 0.0

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

    # --- what keys do --------------------------------------------------------------------------------------------

    def action_answer(self, digit: int) -> None:
        from aether_tui.workspace import sitting

        asked, person = self._now_asked, self._person
        if self._conflict is not None:
            self._settle(self._conflict, digit)
        elif person is not None and person.consent is None:
            self._agree(person, digit)
        elif asked is None:
            self.shell.say("every question is answered; w asks the next person, esc leaves")
        elif digit > 5:
            self.shell.say("answers are 1 to 5; 0 does not apply")
        elif asked[2].answer == "text" and digit:
            self.shell.say("this one is answered in words: press ↵ and write")
        else:
            content, interview, question = asked
            measured, changed = self._measured(question), question.id in interview.given(interview.who)
            saw = measured if changed else ""
            now = self.shell.now()
            self._save(
                lambda old: sitting.answered(content, old, question, now, value=digit, saw=saw),
                f"{digit} to “{question.label or question.section}”" if digit else "does not apply",
                self._told(question, digit, measured),
            )

    def _agree(self, person: Person, digit: int) -> None:
        if digit not in {1, 2}:
            self.shell.say("1 yes by function only, 2 yes with the name, esc leaves")
            return
        now = self.shell.now()

        def update(old: Interview) -> Interview:
            agreed = person.model_copy(update={"named": digit == 2, "consent": now.date()})
            people = [agreed if one.name == person.name else one for one in old.people]
            return old.model_copy(update={"people": people})

        self._save(update, "consent noted")

    def _told(self, question: Question, digit: int, measured: str) -> str:
        if not measured or not digit or not question.choices:
            return ""
        return f"{question.label or question.section} · stated: {question.choices[digit - 1]} · measured: {measured}"

    def _measured(self, question: Question) -> str:
        """The measured value of the question's indicator, as the last report of the lenses has it."""
        report = self.shell.saved("lens") if question.indicator else None
        for block in report.blocks if report else ():
            for row in block.rows if isinstance(block, Table) else ():
                found = next((cell for cell in row.cells if isinstance(cell, Quantity)), None)
                if row.id == question.indicator and found is not None and found.value is not None and not found.stated:
                    return f"{human.quantity(found)} {human.evidence(found)}".strip()
        return ""

    def action_write(self) -> None:
        from aether_tui.workspace import sitting

        asked = self._now_asked
        if asked is None or asked[2].answer != "text":
            self.shell.say("this one is answered by a digit; n notes what is said")
            return
        content, interview, question = asked
        given = interview.given(interview.who).get(question.id)
        now = self.shell.now()

        def done(text: str | None) -> None:
            if text:
                self._save(lambda old: sitting.answered(content, old, question, now, text=text), "answer noted")

        self.ask("answer", given.text if given is not None else "", done)

    def action_note(self) -> None:
        self._note("note", "note (#tags are found again)")

    def action_quote(self) -> None:
        self._note("quote", "quote, in their words")

    def _note(self, kind: Literal["note", "quote"], label: str) -> None:
        from aether_tui.workspace import sitting

        if self._stored is None or self._undecided():
            return
        asked, now = self._now_asked, self.shell.now()
        at = asked[2].id if asked is not None else ""
        made = "O makes it an opportunity" if kind == "quote" else "noted"

        def done(text: str | None) -> None:
            if text:
                self._save(lambda old: sitting.noted(old, kind, text, at, now), f"{kind} kept; {made}", None)

        self.ask(label, "", done)

    def action_opportunity(self) -> None:
        """Make the newest quote or note an opportunity."""
        from screens.interview_edits import opportunity

        notes = self._stored.document.notes if self._stored is not None else []
        if not notes:
            self.shell.say("no quote or note yet: ' quotes, n notes")
            return
        place = max((number for number, note in enumerate(notes) if note.kind == "quote"), default=len(notes) - 1)
        workspace, now = self.shell.workspace, self.shell.now()
        self.shell.edit(lambda: opportunity(workspace, self._identity, place, now), done=lambda _: self.show())

    def action_park(self) -> None:
        from aether_tui.workspace import sitting

        asked = self._now_asked
        if asked is not None:
            content, _, question = asked
            self._save(lambda old: sitting.parked(content, old, question), "parked; it comes back at the end")

    def action_next(self) -> None:
        from aether_tui.workspace import sitting

        asked = self._now_asked
        if asked is not None:
            content, _, question = asked
            self._save(lambda old: sitting.moved(content, old, question), "next open question")

    def action_search(self) -> None:
        from aether_tui.workspace import sitting

        stored, content = self._stored, self._content
        if stored is None or content is None or self._undecided():
            return

        def changed(text: str) -> None:
            self._found = text
            self.draw()

        def done(text: str | None) -> None:
            self._found = None
            found = sitting.matching(content.questions(stored.document.questionnaire), text) if text else []
            if found:
                self._save(lambda old: old.model_copy(update={"at": found[0].id}), found[0].section or "gone to it")
            else:
                self.draw()

        self.ask("/", "", done, changed)

    def action_who(self) -> None:
        from aether_tui.workspace import sitting
        from screens.interview_edits import person

        stored, content = self._stored, self._content
        if stored is None or content is None or self._undecided():
            return
        hidden = self.shell.room()
        known = "  ".join(
            f"{number} {clean(one.function if hidden else one.name)}"
            for number, one in enumerate(stored.document.people, 1)
        )

        def done(text: str | None) -> None:
            if not text:
                return
            people = stored.document.people
            try:
                there = people[int(text) - 1] if text.isdigit() and 0 < int(text) <= len(people) else None
                who = there or stored.document.person(text) or person(text)
            except AetherError as error:
                self.shell.say(f"■ {error.sentence()}")
                return
            self._save(lambda old: sitting.joined(content, old, who), f"{clean(who.name)} is asked now")

        self.ask(f"who: {known}  or a new name, function, role", "", done)


def timed(interview: Interview, spent_s: float) -> Interview:
    """With the seconds spent on it; another console may have spent more."""
    return interview.model_copy(update={"elapsed_s": round(max(spent_s, interview.elapsed_s), 1)})

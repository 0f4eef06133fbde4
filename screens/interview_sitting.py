"""One question, large; everything else quiet. What keys and typed words do to the interview."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial, reduce
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.app import ComposeResult

from aether_tui import human
from aether_tui.actions import Where
from aether_tui.report_model import Quantity, Table
from screens.interview_card import TICK_S, Faces, prose_width
from screens.interview_file import InterviewFile
from screens.widgets.card import Card
from screens.widgets.page import Page
from screens.widgets.prompt import ANSWER
from screens.widgets.spans import Line, clean, wrap

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.interview import Interview, Person
    from aether_tui.workspace.questions import Content, Question

MOST_SAID = 20_000
"""Characters of an answer or a note, as the document takes them."""
UNASKED = "1 yes by function only, 2 yes with the name, esc leaves"
NOTHING_ASKED = "no question is open; w asks the next person, esc leaves"


class Sitting(InterviewFile):
    """An interview going on. It can be left and resumed at any moment, also by a crash.

    Where a question is open, what is typed is its answer; escape gives the keys back until the next question.
    """

    SCOPES: ClassVar[frozenset[Where]] = frozenset({"app", "sitting"})
    AUTO_FOCUS: ClassVar[str | None] = ""
    READS: ClassVar[bool] = True
    TALKS: ClassVar[bool] = True
    TAB: str = "interview"

    def __init__(self, identity: str, clock_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__(identity, clock_s)
        self._after = ""
        self._found: str | None = None
        self._typing: str | None = None
        """The answer on its way; None where keys are keys."""
        self._at_keys = False
        """Whether keys are keys although an answer in words is open."""
        self._drafts: dict[tuple[str, str], str] = {}
        """Answers that were typed and are not on disk, by person and question."""
        self._begun: dict[Literal["note", "quote"], str] = {}
        """Notes and quotes that were typed and are not on disk."""

    def compose(self) -> ComposeResult:
        for widget in super().compose():
            if isinstance(widget, Page):
                widget.display = False
                yield Card(id="card")
            yield widget

    def on_mount(self) -> None:
        self.set_interval(TICK_S, self.draw)

    def about(self) -> tuple[str, str]:
        return self._identity, "One question at a time; each answer is on disk before the next one shows"

    def note(self) -> str:
        return f"{self._identity} · saved" if self._stored is not None else self._identity

    # --- where it stands -----------------------------------------------------------------------------------------

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

    # --- drawing -------------------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        super().on_resize()
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Draw the question as it stands."""
        self._put()
        self.show_around()
        self._take_words()

    def _put(self) -> None:
        for card in self.query(Card):  # none is there while it is being left
            card.put(self._lines())

    def _lines(self) -> list[Line]:
        if self._error is not None:
            told = wrap(self._error.sentence(), prose_width(self.size.width))
            return [(), ((f"   ■ {told[0]}", "bad"),), *(((f"     {line}", "text"),) for line in told[1:])]
        interview = self._interview
        if interview is None or self._content is None:
            return []
        person, asked = self._person, self._now_asked
        faces = Faces(
            self._content, interview, *self.size, spent_s=self._elapsed_s(), after=self._after, typing=self._typing
        )
        if self._conflict is not None:
            return faces.both(self._conflict, () if self.shell.room() else self._apart)
        if self._found is not None:
            return faces.matches(self._found)
        if person is None:
            return faces.said("Nobody is asked yet: w adds a person.")
        if person.consent is None:
            return faces.consent(person)
        return faces.ended(hidden=self.shell.room()) if asked is None else faces.asked(asked[2])

    # --- what keys do --------------------------------------------------------------------------------------------

    def action_down(self) -> None:
        self.query_one(Card).move(self.size.height // 2)

    def action_up(self) -> None:
        self.query_one(Card).move(-(self.size.height // 2))

    def action_answer(self, digit: int) -> None:
        from aether_tui.workspace import sitting

        asked, person = self._now_asked, self._person
        if self._stored is None:  # it cannot be read, and the page says why
            return
        if self._conflict is not None:
            self._settle(self._conflict, digit)
        elif person is not None and person.consent is None:
            self._agree(person, digit)
        elif asked is None:
            self.shell.say(NOTHING_ASKED)
        elif digit > 5:
            self.shell.say("answers are 1 to 5; 0 does not apply")
        elif asked[2].answer == "text" and digit:
            self.shell.say("this one is answered in words: ↵ writes")
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
            self.shell.say(UNASKED)
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
                    ends = human.column((found.value, found.low, found.high), found.unit)
                    return f"{human.quantity(found, ends)} {human.evidence(found)}".strip()
        return ""

    # --- words --------------------------------------------------------------------------------------------------

    def _take_words(self) -> None:
        """Where words are asked for, what is typed from now on is the answer."""
        asked = self._now_asked
        waits = self._saving or self._asking or self._conflict is not None or not self.is_current
        if asked is None or asked[2].answer != "text" or waits or self._at_keys:
            return
        if self.shell.refused():
            self._at_keys = True
        else:
            self.shell.unasked()
            self._write(*asked)

    def action_write(self) -> None:
        asked = self._now_asked
        if asked is None or asked[2].answer != "text":
            self.shell.say("↵ writes where an answer in words is asked for; n notes what is said")
        elif not self._undecided() and not self.shell.refused():
            self._write(*asked)

    def _write(self, content: Content, interview: Interview, question: Question) -> None:
        """Take the answer as it is typed: enter keeps it and goes on, escape keeps it and gives the keys back."""
        from aether_tui.workspace import sitting

        given, key = interview.given(interview.who).get(question.id), (interview.who, question.id)
        before, now = given.text if given is not None else "", self.shell.now()

        def typed(text: str) -> None:
            if self._typing is not None and text != self._typing:
                self._typing = text
                self._put()

        def entered(text: str | None) -> None:
            self._typing = None
            if not text:
                self._save(lambda old: sitting.moved(content, old, question), "next open question")
            elif text == "0":
                self._save(lambda old: sitting.answered(content, old, question, now, value=0), "does not apply")
            else:
                self._drafts[key] = text
                self._save(lambda old: sitting.answered(content, old, question, now, text=text), "answer noted")

        def left(text: str) -> None:
            self._typing, self._at_keys = None, True
            if not text or text == before:
                self.draw()
                return
            self._drafts[key] = text
            self._save(lambda old: sitting.begun(content, old, question, now, text), "answer noted; ↵ goes on writing")

        self._typing = self._drafts.get(key, before)
        self._put()
        self.ask(ANSWER, self._typing, entered, typed, left, goes_on=True, most=MOST_SAID, passing=True)

    def saved(self, before: Interview, after: Interview, told: str | None) -> None:
        from aether_tui.workspace import sitting

        self._after = self._after if told is None else told
        self._drafts = {
            (who, name): text
            for (who, name), text in self._drafts.items()
            if (answer := after.given(who).get(name)) is None or answer.text != text
        }
        for note in after.notes[len(before.notes) :]:
            self._begun.pop(note.kind, None)
        first = sitting.current(self._content, before) if self._content is not None and not before.at else None
        if (before.who, first.id if first is not None else before.at) != (after.who, after.at):
            self._at_keys = False

    def unkept(self) -> Callable[[Interview], Interview] | None:
        from aether_tui.workspace import sitting

        asked, now = self._now_asked, self.shell.now()
        at = asked[2].id if asked is not None else ""
        left: list[Callable[[Interview], Interview]] = [
            partial(sitting.noted, kind=kind, text=text, at=at, now=now)
            for kind, note in self._begun.items()
            if (text := note.strip())
        ]
        if asked is not None and (words := (self._typing or "").strip()):
            content, interview, question = asked
            given = interview.given(interview.who).get(question.id)
            if given is None or given.text != words:
                left.append(lambda old: sitting.begun(content, old, question, now, words))
        return (lambda old: reduce(lambda kept, update: update(kept), left, old)) if left else None

    def unsaved(self) -> None:
        self._at_keys = True  # so that what went wrong can be read; the words are kept

    def led_back(self) -> None:
        self._at_keys = True
        self._after = ""  # what was measured stood beside an answer that is no more

    # --- notes, and going elsewhere -----------------------------------------------------------------------------

    def action_note(self) -> None:
        self._note("note", "note (#tags are found again)")

    def action_quote(self) -> None:
        self._note("quote", "quote, in their words")

    def _note(self, kind: Literal["note", "quote"], label: str) -> None:
        from aether_tui.workspace import sitting

        person = self._person
        if self._stored is None or self._undecided():
            return
        if person is not None and person.consent is None:
            self.shell.say(f"nothing is noted before the answer: {UNASKED}")
            return
        asked, now = self._now_asked, self.shell.now()
        at = asked[2].id if asked is not None else ""
        made = "quote kept; O makes it an opportunity" if kind == "quote" else "note kept"

        def typed(text: str) -> None:
            self._begun[kind] = text

        def done(text: str | None) -> None:
            self._begun.pop(kind, None)
            if text:
                self._begun[kind] = text
                self._save(lambda old: sitting.noted(old, kind, text, at, now), made, None)

        self.ask(label, self._begun.get(kind, ""), done, typed, goes_on=True, most=MOST_SAID, passing=True)

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
        if asked is None:
            self.shell.say(NOTHING_ASKED)
            return
        content, _, question = asked
        self._save(lambda old: sitting.parked(content, old, question), "parked; it comes back at the end")

    def action_next(self) -> None:
        from aether_tui.workspace import sitting

        asked = self._now_asked
        if asked is None:
            self.shell.say(NOTHING_ASKED)
            return
        content, _, question = asked
        self._save(lambda old: sitting.moved(content, old, question), "next open question")

    def action_before(self) -> None:
        from aether_tui.workspace import sitting

        interview, content = self._interview, self._content
        if interview is None or content is None or self._undecided():
            return
        before = sitting.preceding(content, interview)
        if before is None:
            self.shell.say("this is the first question")
        else:
            self._save(lambda old: old.model_copy(update={"at": before.id}), "back at it")

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
                self._save(lambda old: old.model_copy(update={"at": found[0].id}), "gone to it")
            else:
                self.draw()

        self.ask("/", "", done, changed, most=None, passing=True)

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

        def read(text: str) -> Person | None:
            people = stored.document.people
            there = people[int(text) - 1] if text.isdigit() and 0 < int(text) <= len(people) else None
            return there or stored.document.person(text) or (person(text) if text else None)

        def done(who: Person | None) -> None:
            if who is not None:
                self._save(lambda old: sitting.joined(content, old, who), f"{clean(who.name)} is asked now")

        self.ask_right(f"who: {known}  or a new name, function, role", "", read, done)

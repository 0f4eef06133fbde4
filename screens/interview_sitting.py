"""One question, large; everything else quiet. Each answer is on disk before the next question shows."""

from __future__ import annotations

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
from aether_tui.workspace.edits import Edit
from screens.base import PageScreen
from screens.widgets.card import Card
from screens.widgets.page import Page
from screens.widgets.spans import Line, Span, clean, pad, width_of, wrap

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.interview import Interview, Person
    from aether_tui.workspace.questions import Content, Question
    from aether_tui.workspace.store import Stored

TICK_S = 10.0
"""The timer is shown in steps of this; an idle terminal stays quiet between them."""


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

    def __init__(self, identity: str) -> None:
        super().__init__(name="sitting")
        self._identity = identity
        self._content: Content | None = None
        self._stored: Stored[Interview] | None = None
        self._error: AetherError | None = None
        self._since = time.monotonic()
        self._wanted = 0
        self._after = ""
        self._found: str | None = None

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
        """Read it from disk: at the start, and when an edit was taken back."""
        self._wanted += 1
        if self._wanted == 1:
            self.shell.hold_keys()
            self.run_worker(self._read, thread=True, group="read", exit_on_error=False)
        self.show_around()

    def _read(self) -> None:
        """In a thread."""
        from aether_tui.workspace.kinds.interview import Interview
        from aether_tui.workspace.questions import load
        from aether_tui.workspace.store import Store

        try:
            content = self._content or load(self.shell.workspace)
            self.post_message(self.Read(content, Store(self.shell.workspace).get(Interview, self._identity)))
        except AetherError as error:
            self.post_message(self.Read(None, None, error))

    def on_sitting_read(self, event: Read) -> None:
        event.stop()
        self._content, self._error = event.content or self._content, event.error
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

    @property
    def _now_asked(self) -> tuple[Content, Interview, Question] | None:
        from aether_tui.workspace import sitting

        if self._content is None or self._stored is None or self._person is None or self._person.consent is None:
            return None
        question = sitting.current(self._content, self._stored.document)
        return (self._content, self._stored.document, question) if question is not None else None

    @property
    def _person(self) -> Person | None:
        return self._stored.document.person(self._stored.document.who) if self._stored is not None else None

    def _elapsed_s(self) -> float:
        spent = self._stored.document.elapsed_s if self._stored is not None else 0
        return spent + max(0.0, time.monotonic() - self._since)

    # --- drawing -------------------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        super().on_resize()
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Draw the question as it stands."""
        if not self.is_mounted:
            return
        self.query_one(Card).put(self._lines())
        self.show_around()

    def _lines(self) -> list[Line]:
        width = max(20, min(self.size.width - 6, 100))
        if self._error is not None:
            told = wrap(self._error.sentence(), width)
            return [(), ((f"   ■ {told[0]}", "bad"),), *(((f"     {line}", "text"),) for line in told[1:])]
        if self._stored is None or self._content is None:
            return []
        interview = self._stored.document
        if self._found is not None:
            return self._matches(self._content, interview, self._found, width)
        person = self._person
        if person is None:
            return self._said("Nobody is asked yet: w adds a person.", width)
        if person.consent is None:
            return self._consent(self._content, interview, person, width)
        asked = self._now_asked
        if asked is None:
            return self._ended(self._content, interview, width)
        return self._asked(*asked, width)

    def _said(self, text: str, width: int) -> list[Line]:
        return [(), *(((f"   {line}", "text"),) for line in wrap(text, width))]

    def _head(self, content: Content, interview: Interview, section: str) -> list[Line]:
        from aether_tui.workspace import sitting

        sheet = content.questionnaires.get(interview.questionnaire)
        answered, about = len(interview.given(interview.who)), sitting.expected(content, interview)
        approximately = "~" if sheet is not None and sheet.rubric else ""
        place = f"{min(answered + 1, max(about, 1))} of {approximately}{about}"
        minutes = sheet.minutes if sheet is not None else 30
        spent = int(self._elapsed_s() // TICK_S * TICK_S)
        clock = f"{spent // 60}:{spent % 60:02d} / {minutes}:00"
        full = round(6 * answered / about) if about else 6
        title = (sheet.title if sheet is not None else interview.questionnaire).upper()
        left: Line = (
            (f" {clean(title)}", "title"),
            (f" · {clean(section)}" if section else "", "dim"),
            (f" · {place}", "dim"),
        )
        right: Line = (
            (clock, "warn" if spent > minutes * 60 else "dim"),
            (f"  {'█' * full}{'░' * (6 - full)} ", "accent"),
        )
        gap = max(1, self.size.width - width_of(left) - width_of(right))
        return [(*left, (" " * gap, "text"), *right)]

    def _asked(self, content: Content, interview: Interview, question: Question, width: int) -> list[Line]:
        roomy = self.size.height >= 22
        lines = self._head(content, interview, question.section)
        person = self._person
        who = clean(person.role or person.name) if person is not None else ""
        lines += [((pad(f"{who}  ", self.size.width, right=True), "dim"),)]
        lines += [()] if roomy else []
        lines += [((f"   {line}", "strong"),) for line in wrap(question.ask, width)]
        lines += [()]
        given = interview.given(interview.who).get(question.id)
        lines += self._choices(question, given.value if given is not None else None, width)
        if given is not None and given.text:
            lines += [(), *(((f"   {line}", "accent"),) for line in wrap(given.text, width))]
        lines += [()] if roomy else []
        for label, text in (("why we ask", question.why), ("evidence", question.evidence)):
            told = wrap(text, width - 12)
            lines += [
                ((f"   {pad(label if number == 0 else '', 12)}", "dim"), (line, "text"))
                for number, line in enumerate(told)
            ]
        notes = [note for note in interview.notes if note.question == question.id]
        if notes:
            lines += [((f"   {human.plural(len(notes), 'note')} here", "dim"),)]
        if question.id in interview.parked:
            lines += [(("   parked until the end", "dim"),)]
        if question.indicator and not self._after:
            lines += [(("   (the measured value appears after the answer)", "dim"),)]
        lines += [(), *(((f"   {line}", "accent"),) for line in wrap(self._after, width))] if self._after else []
        return lines

    def _choices(self, question: Question, chosen: int | None, width: int) -> list[Line]:
        if question.answer == "text":
            return [
                (("   ↵", "accent"), (" write the answer", "text"), ("     0", "accent"), (" does not apply", "text"))
            ]
        words = [*(question.choices or [str(number) for number in range(1, 6)]), "does not apply"]
        marks = [1, 2, 3, 4, 5, 0]
        cells = max(len(clean(word)) for word in words) + 6
        columns = max(1, min(3, width // cells))
        lines: list[Line] = []
        for row in range(0, 6, columns):
            spans: list[Span] = [("  ", "text")]
            for mark, word in list(zip(marks, words, strict=True))[row : row + columns]:
                here = mark == chosen
                spans.append((f" {mark}", "mark" if here else "accent"))
                spans.append((pad(f"  {clean(word)}", cells - 2), "strong" if here else "text"))
            lines.append(tuple(spans))
        return lines

    def _consent(self, content: Content, interview: Interview, person: Person, width: int) -> list[Line]:
        sheet = content.questionnaires.get(interview.questionnaire)
        lines = self._head(content, interview, "")
        lines += [(), ((f"   {clean(person.name)}", "strong"),), ()]
        lines += [((f"   {line}", "text"),) for line in wrap(sheet.about if sheet else "", width)]
        lines += [(), *(((f"   {line}", "strong"),) for line in wrap(sheet.consent if sheet else "", width)), ()]
        for key, text in (
            ("1", "yes, by function only"),
            ("2", "yes, and the name may appear in exports"),
            ("esc", "no"),
        ):
            lines.append(((f"   {pad(key, 5)}", "accent"), (text, "text")))
        return lines

    def _ended(self, content: Content, interview: Interview, width: int) -> list[Line]:
        from aether_tui.workspace import sitting

        lines = self._head(content, interview, "")
        lines += self._said("Every question is answered. Thank you.", width)
        lines += [
            (),
            *self._said("w asks the next person, / goes back to a question, esc shows what all of them said.", width),
        ]
        gone = sitting.orphans(content, interview)
        if gone:
            names = ", ".join(answer.question for answer in gone)
            lines += self._said(f"▲ Kept, but no longer asked: {names}.", width)
        lines += [(), *(((f"   {line}", "accent"),) for line in wrap(self._after, width))] if self._after else []
        return lines

    def _matches(self, content: Content, interview: Interview, text: str, width: int) -> list[Line]:
        from aether_tui.workspace import sitting

        found = sitting.matching(content.questions(interview.questionnaire), text)
        lines: list[Line] = [((f"   {human.plural(len(found), 'question')}; ↵ goes to the first", "dim"),), ()]
        for number, question in enumerate(found[: max(1, self.size.height - 8)]):
            told = wrap(question.ask, width)[0]
            lines.append(((" ▸ " if number == 0 else "   ", "accent"), (told, "strong" if number == 0 else "text")))
        return lines

    # --- saving --------------------------------------------------------------------------------------------------

    def _save(self, update: Callable[[Interview], Interview], what: str) -> None:
        """Store what `update` makes of the interview, then draw it; keys wait until it is on disk."""
        stored = self._stored
        if stored is None:
            return
        workspace, now = self.shell.workspace, self.shell.now()
        spent, self._since = self._elapsed_s(), time.monotonic()
        fresh: list[Stored[Interview]] = []

        def timed(old: Interview) -> Interview:
            return update(old).model_copy(update={"elapsed_s": round(spent, 1)})

        def work() -> Edit:
            from screens.interview_edits import save

            saved, edit = save(workspace, stored, timed, what, now)
            fresh.append(saved)
            return edit

        def done(edit: Edit) -> None:
            self._stored = fresh[0]
            self.draw()

        def refused(error: AetherError) -> bool:
            self.shell.say(f"■ {error.sentence()}")
            self.show()
            return True

        self.shell.edit(work, done=done, refused=refused)

    # --- what keys do --------------------------------------------------------------------------------------------

    def action_answer(self, digit: int) -> None:
        from aether_tui.workspace import sitting

        asked, person = self._now_asked, self._person
        if person is not None and person.consent is None:
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
            self._after = self._told(question, digit, measured)
            self._save(
                lambda old: sitting.answered(content, old, question, now, value=digit, saw=saw),
                f"{digit} to “{question.label or question.section}”" if digit else "does not apply",
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
        return f"stated: {question.choices[digit - 1]} · measured: {measured}"

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
                self._after = ""
                self._save(lambda old: sitting.answered(content, old, question, now, text=text), "answer noted")

        self.ask("answer", given.text if given is not None else "", done)

    def action_note(self) -> None:
        self._note("note", "note (#tags are found again)")

    def action_quote(self) -> None:
        self._note("quote", "quote, in their words")

    def _note(self, kind: Literal["note", "quote"], label: str) -> None:
        from aether_tui.workspace import sitting

        if self._stored is None:
            return
        asked, now = self._now_asked, self.shell.now()
        at = asked[2].id if asked is not None else ""
        made = "O makes it an opportunity" if kind == "quote" else "noted"

        def done(text: str | None) -> None:
            if text:
                self._save(lambda old: sitting.noted(old, kind, text, at, now), f"{kind} kept; {made}")

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
            self._after = ""
            self._save(lambda old: sitting.parked(content, old, question), "parked; it comes back at the end")

    def action_next(self) -> None:
        from aether_tui.workspace import sitting

        asked = self._now_asked
        if asked is not None:
            content, _, question = asked
            self._after = ""
            self._save(lambda old: sitting.moved(content, old, question), "next open question")

    def action_search(self) -> None:
        from aether_tui.workspace import sitting

        stored, content = self._stored, self._content
        if stored is None or content is None:
            return

        def changed(text: str) -> None:
            self._found = text
            self.draw()

        def done(text: str | None) -> None:
            self._found = None
            found = sitting.matching(content.questions(stored.document.questionnaire), text) if text else []
            if found:
                self._after = ""
                self._save(lambda old: old.model_copy(update={"at": found[0].id}), found[0].section or "gone to it")
            else:
                self.draw()

        self.ask("/", "", done, changed)

    def action_who(self) -> None:
        from aether_tui.workspace import sitting
        from screens.interview_edits import person

        stored, content = self._stored, self._content
        if stored is None or content is None:
            return
        known = "  ".join(f"{number} {clean(one.name)}" for number, one in enumerate(stored.document.people, 1))

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
            self._after = ""
            self._save(lambda old: sitting.joined(content, old, who), f"{clean(who.name)} is asked now")

        self.ask(f"who: {known}  or a new name, function, role", "", done)

"""What the interview shows: one question, large; everything else quiet. Lines of what is known, nothing read or stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aether_tui import human
from screens.widgets.spans import Line, Span, clean, crop, pad, width_of, wrap

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.interview import Answer, Interview, Person
    from aether_tui.workspace.questions import Content, Question
    from aether_tui.workspace.store import Conflict

TICK_S = 10.0
"""The timer is shown in steps of this; an idle terminal stays quiet between them."""

LONGEST = 6
"""Lines of an answer in words that are shown, its last ones."""
NARROW = 66
KEYS = (("↵", "writes the answer"), ("0", "does not apply"))
TYPED = (("↵", "keeps what you type, empty skips"), ("esc", "for other keys"), ("0 ↵", "does not apply"))


def keyed(pairs: Sequence[tuple[str, str]]) -> Line:
    """Keys and what they do, on one line."""
    spans: list[Span] = []
    for key, does in pairs:
        spans += [(f"   {key}", "accent"), (f" {does}", "text")]
    return tuple(spans)


@dataclass(frozen=True, slots=True)
class Faces:
    """An interview on a screen of so many cells; `after` is what is said about the answer before."""

    content: Content
    interview: Interview
    columns: int
    rows: int
    spent_s: float
    after: str
    typing: str | None = None
    """An answer in words that is being typed; None while keys are keys."""

    @property
    def width(self) -> int:
        """Cells for running text."""
        return prose_width(self.columns)

    def said(self, text: str) -> list[Line]:
        """A sentence."""
        return [(), *(((f"   {line}", "text"),) for line in wrap(text, self.width))]

    def head(self, section: str, at: str = "") -> list[Line]:
        """Questionnaire, section, how far it is, and the time. What is said `at` the open question may still be mended."""
        from aether_tui.workspace import sitting

        sheet = self.content.questionnaires.get(self.interview.questionnaire)
        answered = len(self.interview.given(self.interview.who).keys() - {at})
        about = sitting.expected(self.content, self.interview)
        approximately = "~" if sheet is not None and sheet.rubric else ""
        place = f"{min(answered + 1, max(about, 1))} of {approximately}{about}"
        minutes = sheet.minutes if sheet is not None else 30
        spent = int(self.spent_s // TICK_S * TICK_S)
        clock = f"{spent // 60}:{spent % 60:02d} / {minutes}:00"
        full = round(6 * answered / about) if about else 6
        title = (sheet.title if sheet is not None else self.interview.questionnaire).upper()
        left: Line = (
            (f" {clean(title)}", "title"),
            (f" · {clean(section)}" if section else "", "dim"),
            (f" · {place}", "dim"),
        )
        right: Line = (
            (clock, "warn" if spent > minutes * 60 else "dim"),
            (f"  {'█' * full}{'░' * (6 - full)} ", "accent"),
        )
        if width_of(left) + width_of(right) >= self.columns:
            left = (left[0], left[2])
        gap = max(1, self.columns - width_of(left) - width_of(right))
        return [(*left, (" " * gap, "text"), *right)]

    def asked(self, question: Question) -> list[Line]:
        """The question that is open."""
        roomy = self.rows >= 22
        lines = self.head(question.section, question.id)
        person = self.interview.person(self.interview.who)
        who = clean(person.role or person.name) if person is not None else ""
        lines += [((pad(f"{who}  ", self.columns, right=True), "dim"),)]
        lines += [()] if roomy else []
        lines += [((f"   {line}", "strong"),) for line in wrap(question.ask, self.width)]
        lines += [()]
        given = self.interview.given(self.interview.who).get(question.id)
        if question.answer == "scale":
            lines += self.choices(question, given.value if given is not None else None)
            lines += [()] if roomy else []
        for label, text in (("why we ask", question.why), ("evidence", question.evidence)):
            told = wrap(text, self.width - 12)
            lines += [
                ((f"   {pad(label if number == 0 else '', 12)}", "dim"), (line, "text"))
                for number, line in enumerate(told)
            ]
        notes = [note for note in self.interview.notes if note.question == question.id]
        if notes:
            lines += [((f"   {human.plural(len(notes), 'note')} here", "dim"),)]
        if question.id in self.interview.put_off():
            lines += [(("   parked until the end", "dim"),)]
        if question.indicator and not self.after:
            lines += [(("   (the measured value appears after the answer)", "dim"),)]
        if question.answer == "text":
            lines += [()] if roomy else []
            lines += self.words(given)
        lines += [(), *(((f"   {line}", "accent"),) for line in wrap(self.after, self.width))] if self.after else []
        return lines

    def words(self, given: Answer | None) -> list[Line]:
        """An answer in words: the keys, then what was said so far; it grows downwards and moves nothing."""
        keys = KEYS if self.typing is None else TYPED if self.width > NARROW else TYPED[:-1]
        said = self.typing if self.typing is not None else given.text if given is not None else ""
        if given is not None and given.value == 0 and not said:
            said = "does not apply"
        return [keyed(keys), (), *(((f"   {line}", "accent"),) for line in wrap(said, self.width)[-LONGEST:])]

    def choices(self, question: Question, chosen: int | None) -> list[Line]:
        """What can be answered, and what was."""
        words = [*(question.choices or [str(number) for number in range(1, 6)]), "does not apply"]
        marks = [1, 2, 3, 4, 5, 0]
        cells = max(len(clean(word)) for word in words) + 6
        columns = max(1, min(3, self.width // cells))
        lines: list[Line] = []
        for row in range(0, 6, columns):
            spans: list[Span] = [("  ", "text")]
            for mark, word in list(zip(marks, words, strict=True))[row : row + columns]:
                here = mark == chosen
                spans.append((f"{'▸' if here else ' '}{mark}", "mark" if here else "accent"))
                spans.append((pad(f"  {clean(word)}", cells - 2), "strong" if here else "text"))
            lines.append(tuple(spans))
        return lines

    def both(self, conflict: Conflict, apart: Sequence[str] = ()) -> list[Line]:
        """Two versions of the interview, what they say differently, and the keys that decide."""
        told = (
            "Somebody else wrote something else here meanwhile. Nothing was overwritten: theirs is "
            f"{conflict.theirs.name}, yours is {conflict.ours.name}."
        )
        lines = [(), (("   ▲ Two versions", "warn"),), *self.said(told), ()]
        for key, text in (("1", "yours stands"), ("2", "theirs stands")):
            lines.append(((f"   {key}   ", "accent"), (f"{text}; the other is kept in .aether/removed/", "text")))
        lines += [()] if apart else []
        lines += [((f"   {line}", "strong"),) for one in apart for line in wrap(one, self.width)]
        return lines

    def consent(self, person: Person) -> list[Line]:
        """What a person is asked before anything else."""
        sheet = self.content.questionnaires.get(self.interview.questionnaire)
        lines = self.head("")
        lines += [(), ((f"   {clean(person.name)}", "strong"),), ()]
        lines += [((f"   {line}", "text"),) for line in wrap(sheet.about if sheet else "", self.width)]
        lines += [(), *(((f"   {line}", "strong"),) for line in wrap(sheet.consent if sheet else "", self.width)), ()]
        for key, text in (
            ("1", "yes, by function only"),
            ("2", "yes, and the name may appear in exports"),
            ("esc", "no"),
        ):
            lines.append(((f"   {pad(key, 5)}", "accent"), (text, "text")))
        return lines

    def ended(self, *, hidden: bool = False) -> list[Line]:
        """Nobody in front has an open question: what they said, to be looked over with them, unless it is to be hidden."""
        from aether_tui.workspace import sitting

        lines = self.head("")
        lines += self.said("Every question is answered. Thank you.")
        lines += self.said("w asks the next person, / goes back to a question, esc shows what all of them said.")
        gone = sitting.orphans(self.content, self.interview)
        if gone:
            names = ", ".join(answer.question for answer in gone)
            lines += self.said(f"▲ Kept, but no longer asked: {names}.")
        lines += [(), *(((f"   {line}", "accent"),) for line in wrap(self.after, self.width))] if self.after else []
        return lines if hidden else [*lines, *self.given()]

    def given(self) -> list[Line]:
        """What the person in front said, whole."""
        asked = {one.id: one for one in self.content.questions(self.interview.questionnaire)}
        pairs = []
        for name, answer in self.interview.given(self.interview.who).items():
            if (question := asked.get(name)) is not None:
                chosen = (question.choices or ())[answer.value - 1 : answer.value] if answer.value else ()
                said = answer.text or next(iter(chosen), "does not apply")
                pairs.append((clean(question.label or question.ask), clean(said)))
        cells = min(max((width_of(((said, "text"),)) for _, said in pairs), default=0), self.width // 2)
        told: list[Line] = [
            ((f"   {pad('' if more else label, self.width - cells - 2)}  ", "dim"), (line, "text"))
            for label, said in pairs
            for more, line in enumerate(wrap(said, cells))
        ]
        return [(), *told] if told else []

    def matches(self, text: str) -> list[Line]:
        """Questions that are found by their words."""
        from aether_tui.workspace import sitting

        found = sitting.matching(self.content.questions(self.interview.questionnaire), text)
        count = (
            f"{human.plural(len(found), 'question')}; ↵ goes to the first" if found else "no question has these words"
        )
        lines: list[Line] = [((f"   {count}", "dim"),), ()]
        for number, question in enumerate(found[: max(1, self.rows - 8)]):
            told = crop(clean(question.ask), self.width)
            lines.append(((" ▸ " if number == 0 else "   ", "accent"), (told, "strong" if number == 0 else "text")))
        return lines


def prose_width(columns: int) -> int:
    """Cells for running text in a screen so wide."""
    return max(20, min(columns - 6, 100))

"""What people said in interviews: priorities, what success is, where they agree and where they do not; anonymised."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.diagnostics.voices import interviews
from aether_tui.human import plural
from aether_tui.report_model import Block, Col, Finding, Prose, Report, Row, State, Table
from aether_tui.text import one_line
from aether_tui.workspace.anonymous import anonymous, labels
from aether_tui.workspace.rubric import MOST_ASKED

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents
    from aether_tui.workspace.kinds.interview import Interview
    from aether_tui.workspace.questions import Content, Question, Questionnaire

APART = 2
"""Answers this many choices apart are a disagreement."""


class Sitting(Struct, frozen=True, kw_only=True):
    """One interview: how far it is, and who agreed to be asked, by function."""

    id: str
    questionnaire: str
    started: datetime
    finished: bool
    answered: int
    people: tuple[str, ...]
    notes: int
    gone: tuple[str, ...]


class Answered(Struct, frozen=True, kw_only=True):
    """One scale question across people: median, range and n of answers 1–5; who said what."""

    question: str
    label: str
    about: str
    indicator: str
    n: int
    median: float
    low: int
    high: int
    agree: bool
    by: dict[str, int]


class Words(Struct, frozen=True, kw_only=True):
    """One answer in words, a note or a quote."""

    id: str
    kind: str
    about: str
    question: str
    who: str
    text: str
    tags: tuple[str, ...] = ()
    opportunity: str = ""


class Stakeholders(Struct, frozen=True, kw_only=True):
    """All interviews, read across people."""

    people: int
    sittings: tuple[Sitting, ...]
    answers: tuple[Answered, ...]
    words: tuple[Words, ...]
    problems: tuple[str, ...]


def build(data: Data, documents: Documents, clock: Clock) -> Report[Stakeholders]:
    """The report."""
    from aether_tui.workspace.questions import load

    content = load(documents.workspace)
    found = measure(content, interviews(documents, clock.now))
    return Report(
        report="stakeholders",
        title="Stakeholders",
        as_of=clock.now,
        window=clock.window,
        data=found,
        headline=headline(found),
        findings=findings(found),
        blocks=blocks(found, content),
    )


def draft(documents: Documents, clock: Clock) -> tuple[Report[Stakeholders], bool]:
    """The report without the cache, which it does not need: nothing is left for later."""
    return build(Data(None, clock), documents, clock), False


def measure(content: Content, found: Sequence[Interview]) -> Stakeholders:
    """Answers of all interviews by question, each person's newest one; maturity has a report of its own."""
    told = labels(found)
    sheets = [name for name, sheet in content.questionnaires.items() if not sheet.rubric]
    asked = {one.id: one for name in sheets for one in content.questions(name)}
    newest: dict[str, dict[str, int]] = {}
    for interview in found:
        for answer in interview.answers:
            if answer.value and answer.question in asked:
                newest.setdefault(answer.question, {})[told[answer.who]] = answer.value
    return Stakeholders(
        people=len({person.name for interview in found for person in interview.heard()}),
        sittings=tuple(_sitting(content, one, told) for one in found),
        answers=tuple(_answered(asked[name], by) for name, by in newest.items()),
        words=tuple(word for interview in found for word in _words(interview, asked, told)),
        problems=tuple(problem.sentence() for problem in content.problems),
    )


def _sitting(content: Content, one: Interview, told: dict[str, str]) -> Sitting:
    from aether_tui.workspace import sitting

    return Sitting(
        id=one.id,
        questionnaire=one.questionnaire,
        started=one.started,
        finished=one.finished is not None,
        answered=len(one.answers),
        people=tuple(told[person.name] for person in one.heard()),
        notes=len(one.notes),
        gone=tuple(answer.question for answer in sitting.orphans(content, one)),
    )


def _answered(question: Question, by: dict[str, int]) -> Answered:
    values = list(by.values())
    return Answered(
        question=question.id, label=question.label or question.ask, about=question.about, indicator=question.indicator,
        n=len(values), median=median(values), low=min(values), high=max(values), agree=max(values) - min(values) < APART,
        by=by,
    )  # fmt: skip


def _words(interview: Interview, asked: dict[str, Question], told: dict[str, str]) -> list[Words]:
    from aether_tui.workspace import sitting

    found = []
    for answer in interview.answers:
        question = asked.get(answer.question)
        if answer.text:
            found.append(
                Words(
                    id=f"{interview.id}.{answer.question}.{told[answer.who]}", kind="answer",
                    about=question.about if question else "", question=answer.question, who=told[answer.who],
                    text=one_line(anonymous(answer.text, told), 600),
                )
            )  # fmt: skip
    for place, note in enumerate(interview.notes):
        found.append(
            Words(
                id=f"{interview.id}/{place}", kind=note.kind, about="", question=note.question,
                who=told.get(note.who, "somebody"), text=one_line(anonymous(note.text, told), 600),
                tags=sitting.tags(anonymous(note.text, told)), opportunity=note.opportunity,
            )
        )  # fmt: skip
    return found


# --- Words --------------------------------------------------------------------------------------------------------


def headline(found: Stakeholders) -> str:
    """How many were asked, what comes first for them, and on how much they differ."""
    if not found.people:
        return "Nobody has been interviewed yet: choose a questionnaire below and press ↵."
    ranked = sorted((one for one in found.answers if one.about == "priority"), key=lambda one: -one.median)
    first = f" First priority: {ranked[0].label}, {_five(ranked[0])}." if ranked else ""
    both = [one for one in found.answers if one.n > 1]
    differ = sum(not one.agree for one in both)
    told = f" They differ on {differ} of {plural(len(both), 'question')} that several answered." if both else ""
    held = sum(bool(one.people) for one in found.sittings)
    return f"{plural(found.people, 'person', 'people')} in {plural(held, 'interview')}.{first}{told}"


def _five(one: Answered) -> str:
    """`4 of 5 (n 3, 3–5)`."""
    return f"{one.median:g} of 5 (n {one.n}, {one.low}–{one.high})"


def findings(found: Stakeholders) -> tuple[Finding, ...]:
    """The widest disagreements, answers to questions that are gone, broken content."""
    apart = sorted((one for one in found.answers if not one.agree), key=lambda one: one.low - one.high)
    told = [
        Finding(
            id=f"stakeholders.{one.question}",
            severity="warn",
            text=f"They differ on “{one.label}”: {', '.join(f'{who}: {value}' for who, value in one.by.items())} of 5.",
            evidence=(one.question,),
            private=True,
        )
        for one in apart[:3]
    ]
    for sitting in found.sittings:
        if sitting.gone:
            names = ", ".join(one_line(name, 80) for name in sitting.gone[:5])
            text = f"{sitting.id} answers questions that no longer exist; they are kept: {names}."
            told.append(
                Finding(id=f"stakeholders.{sitting.id}.gone", severity="warn", text=text, evidence=(sitting.id,))
            )
    told += [
        Finding(id="stakeholders.content", severity="warn", text=one if one.endswith("?") else f"{one}.")
        for one in found.problems
    ]
    return tuple(told)


def blocks(found: Stakeholders, content: Content) -> tuple[Block, ...]:
    """Interviews to resume or start, priorities, agreement, words."""
    parts: list[Block] = [_sittings(found, content), _start(content)]
    priorities = sorted((one for one in found.answers if one.about == "priority"), key=lambda one: -one.median)
    if priorities:
        parts.append(_agreement("stakeholders.priorities", "Priorities, 1 not at all to 5 entirely", priorities))
    for about, title in (
        ("success", "What success is"),
        ("guardrail", "What must not get worse"),
        ("obstacle", "Obstacles"),
    ):
        words = [one for one in found.words if one.about == about]
        if words:
            parts.append(_said(f"stakeholders.{about}", title, words))
    others = sorted(
        (one for one in found.answers if one.about != "priority" and one.n > 1), key=lambda one: (one.agree, one.label)
    )
    if others:
        parts.append(_agreement("stakeholders.agreement", "Agreement, where several answered", others))
    words = [one for one in found.words if one.kind != "answer"]
    if words:
        parts.append(_said("stakeholders.notes", "Quotes and notes", words))
    parts.append(
        Prose(
            id="stakeholders.how",
            text="People appear by function unless they agreed to be named. "
            "Answers are never averaged across people: median, range and n stand side by side.",
        )
    )
    return tuple(parts)


def _newest(found: Stakeholders, *, finished: bool) -> list[Sitting]:
    return [one for one in reversed(found.sittings) if one.finished == finished]


def _sittings(found: Stakeholders, content: Content) -> Table:
    rows = []
    for one in (*_newest(found, finished=False), *_newest(found, finished=True)):
        sheet = content.questionnaires.get(one.questionnaire)
        state: State = "pass" if one.finished else "running"
        rows.append(
            Row(
                id=one.id,
                state=state,
                cells=("finished" if one.finished else "open", one.id, sheet.title if sheet else one.questionnaire,
                       ", ".join(one.people) or "nobody yet", one.answered, one.notes, one.started.strftime("%Y-%m-%d")),
            )
        )  # fmt: skip
    return Table(
        id="interview.sittings",
        title="Interviews",
        columns=(
            Col(key="state", title="", kind="state", priority=9),
            Col(key="id", title="id", priority=9),
            Col(key="questionnaire", title="questionnaire", priority=10, least=24),
            Col(key="people", title="people", priority=7, private=True),
            Col(key="answers", title="answers", kind="number", priority=8),
            Col(key="notes", title="notes", kind="number", priority=5),
            Col(key="started", title="started", priority=6),
        ),
        rows=tuple(rows),
        empty="No interview yet.",
    )


def _start(content: Content) -> Table:
    return Table(
        id="interview.start",
        title="Start one",
        columns=(
            Col(key="title", title="questionnaire", priority=10),
            Col(key="questions", title="questions", kind="number", priority=7),
            Col(key="minutes", title="minutes", kind="number", priority=7),
            Col(key="about", title="about", priority=6),
        ),
        rows=tuple(
            Row(
                id=sheet.questionnaire,
                cells=(sheet.title, _most(sheet, content), sheet.minutes, sheet.about),
            )
            for sheet in content.questionnaires.values()
        ),
        note="In aether-tui: g i, then ↵ on one; questions and minutes are the most it takes.",
        aside=True,
    )


def _most(sheet: Questionnaire, content: Content) -> int:
    """Questions at most: the search asks so many a pillar, and stops as soon as it is sure."""
    return len(sheet.questions) + (MOST_ASKED * len(content.pillars) if sheet.rubric else 0)


def _agreement(identity: str, title: str, answers: Sequence[Answered]) -> Table:
    return Table(
        id=identity,
        title=title,
        columns=(
            Col(key="state", title="", kind="state", priority=9),
            Col(key="label", title="question", priority=10),
            Col(key="median", title="median", kind="number", priority=9),
            Col(key="range", title="range", priority=8),
            Col(key="n", title="n", kind="number", priority=8),
            Col(key="by", title="who", priority=6),
        ),
        rows=tuple(
            Row(
                id=one.question,
                state="info" if one.n < 2 else "pass" if one.agree else "warn",
                cells=("one voice" if one.n < 2 else "agree" if one.agree else "differ", one.label, one.median,
                       f"{one.low}–{one.high}", one.n, ", ".join(f"{who}: {value}" for who, value in one.by.items())),
                detail=", ".join(f"{who}: {value}" for who, value in one.by.items()),
            )
            for one in answers
        ),
        private=True,
    )  # fmt: skip


def _said(identity: str, title: str, words: Sequence[Words]) -> Table:
    return Table(
        id=identity,
        title=title,
        columns=(
            Col(key="who", title="who", priority=9),
            Col(key="text", title="in their words", priority=10),
            Col(key="kind", title="", priority=5),
        ),
        rows=tuple(
            Row(
                id=one.id,
                cells=(one.who, f"“{one.text}”" if one.kind == "quote" else one.text,
                       one.opportunity or (one.kind if one.kind != "answer" else "")),
                detail=" ".join([one.text, *(f"#{tag}" for tag in one.tags if f"#{tag}" not in one.text)]),
            )
            for one in words
        ),
        private=True,
    )  # fmt: skip

"""Maturity of the organisation: six pillars by what people answered, and the one practice to do next (diagnostics K)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.diagnostics.voices import interviews
from aether_tui.diagnostics.windows import quarter_of
from aether_tui.human import number, plural
from aether_tui.report_model import (
    Block,
    Check,
    Checklist,
    Col,
    Finding,
    Gap,
    Prose,
    Report,
    Row,
    State,
    Table,
)
from aether_tui.text import one_line
from aether_tui.workspace.anonymous import labels

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents
    from aether_tui.workspace.questions import Content
    from aether_tui.workspace.rubric import Advice

AID = (
    "This is an aid for a conversation, not an audit: levels rest on what people said about statements we wrote, and "
    "should be argued about before they are acted on."
)


class Voice(Struct, frozen=True, kw_only=True):
    """One person (or a typed assessment) about one pillar: the level their answers make most probable, and how probable."""

    who: str
    level: int | None
    p: float
    asked: int
    when: date


class PillarLevel(Struct, frozen=True, kw_only=True):
    """One pillar. Where voices differ, `level` is the lowest of them, `low`–`high` their range, and it is contested."""

    pillar: str
    title: str
    level: int | None
    assessed: int | None
    low: int | None
    high: int | None
    contested: bool
    voices: tuple[Voice, ...]
    reason: str | None = None


class NextPractice(Struct, frozen=True, kw_only=True):
    """The one next practice, and whether the organisation's level moves with it."""

    id: str
    title: str
    pillar: str
    level: int
    what: str
    needs: tuple[str, ...]
    first_week: str
    know: str
    effort_weeks: float
    unlocks: int
    moves_overall: bool
    overall_after: int | None
    still_blocking: tuple[str, ...]


class Quarter(Struct, frozen=True, kw_only=True):
    """The pillars as they stood in one quarter."""

    quarter: str
    level: int | None
    pillars: tuple[PillarLevel, ...]


class Maturity(Struct, frozen=True, kw_only=True):
    """The newest quarter that was asked about, and those before it; `unknown` are answers to statements that are gone."""

    level: int | None
    reason: str | None
    pillars: tuple[PillarLevel, ...]
    next_practice: NextPractice | None
    quarters: tuple[Quarter, ...]
    unknown: tuple[str, ...]


class Heard(Struct, frozen=True):
    """All answers of one voice in one quarter."""

    quarter: str
    who: str
    when: date
    answers: dict[str, int]


def build(data: Data, documents: Documents, clock: Clock) -> Report[Maturity]:
    """The report."""
    from aether_tui.workspace.questions import load

    content = load(documents.workspace)
    first = documents.config.engagement.fiscal_year_start_month
    maturity = measure(content, heard(documents, clock.now), done(documents, clock.now), first)
    return Report(
        report="maturity",
        title="Maturity",
        as_of=clock.now,
        window=clock.window,
        data=maturity,
        headline=headline(maturity),
        findings=findings(maturity),
        blocks=blocks(maturity),
    )


def draft(documents: Documents, clock: Clock) -> tuple[Report[Maturity], bool]:
    """The report without the cache, which it does not need: nothing is left for later."""
    return build(Data(None, clock), documents, clock), False


def heard(documents: Documents, until: datetime) -> list[Heard]:
    """What every voice answered, by quarter: people of maturity interviews, and typed assessments."""
    from aether_tui.workspace.document import AHEAD
    from aether_tui.workspace.kinds.assessment import Assessment

    found = [one for one in interviews(documents, until) if one.questionnaire == "maturity"]
    first = documents.config.engagement.fiscal_year_start_month
    told, voices = labels(found), []
    for interview in found:
        for person in interview.people:
            answers = {
                one.question: one.value for one in interview.given(person.name).values() if one.value is not None
            }
            if answers:
                day = interview.started.date()
                voices.append(Heard(quarter_of(day, first), told[person.name], day, answers))
    day = until.astimezone(UTC).date()
    voices += [
        Heard(quarter_of(one.day, first), one.id, one.day, dict(one.answers))
        for one in documents.of(Assessment)
        if one.answers and one.day <= day + AHEAD
    ]
    return voices


def done(documents: Documents, until: datetime) -> dict[str, date]:
    """Practices in place, and since when."""
    from aether_tui.workspace.kinds.assessment import Assessment

    day = until.astimezone(UTC).date()
    found: dict[str, date] = {}
    for typed in documents.of(Assessment):
        for one in typed.done:
            if one.when <= day:
                found[one.practice] = min(one.when, found.get(one.practice, one.when))
    return found


def measure(
    content: Content, voices: Sequence[Heard], practices: dict[str, date], fiscal_start_month: int = 1
) -> Maturity:
    """Levels by quarter, and the next practice from the newest one."""
    from aether_tui.workspace import rubric

    quarters = []
    for name in sorted({one.quarter for one in voices}):
        here = [one for one in voices if one.quarter == name]
        fitting = {one: when for one, when in practices.items() if quarter_of(when, fiscal_start_month) <= name}
        pillars = tuple(_pillar(content, pillar, here, fitting) for pillar in content.pillars)
        overall = rubric.overall([one.level for one in pillars])
        quarters.append(Quarter(quarter=name, level=overall, pillars=pillars))
    last = quarters[-1] if quarters else None
    assessed = {one.pillar: one.assessed for one in last.pillars if one.assessed is not None} if last else {}
    since = _since(last)
    counted = [name for name, when in practices.items() if when >= since.get(content.pillar_of.get(name, ""), date.max)]
    silent = [one.title for one in last.pillars if one.level is None] if last else []
    return Maturity(
        level=last.level if last else None,
        reason=(f"no telling answer about {', '.join(silent)}" if silent else None) if last else "nobody was asked yet",
        pillars=last.pillars if last else (),
        next_practice=_next(content, rubric.advise(content, assessed, counted)),
        quarters=tuple(quarters),
        unknown=tuple(sorted({name for one in voices for name in one.answers if name not in content.statements})),
    )


def _since(last: Quarter | None) -> dict[str, date]:
    """Practices count from the day a pillar was last asked about: what was there before shows in the answers."""
    return {one.pillar: max(voice.when for voice in one.voices) for one in last.pillars if one.voices} if last else {}


def _pillar(content: Content, name: str, here: Sequence[Heard], practices: dict[str, date]) -> PillarLevel:
    from aether_tui.workspace import rubric

    pillar, voices, contested = content.pillars[name], [], False
    for one in here:
        now = rubric.standing(pillar, one.answers)
        if now.asked:
            voices.append(Voice(who=one.who, level=now.level, p=now.p, asked=now.asked, when=one.when))
            contested = contested or now.contested
    known = [one.level for one in voices if one.level is not None]
    if not known:
        return PillarLevel(
            pillar=name, title=pillar.title, level=None, assessed=None, low=None, high=None, contested=False,
            voices=tuple(voices), reason="no telling answer",
        )  # fmt: skip
    since = max(one.when for one in voices)
    later = [one for one, when in practices.items() if when >= since]
    assessed = min(known)
    return PillarLevel(
        pillar=name,
        title=pillar.title,
        level=rubric.with_done(content, {name: assessed}, later)[name],
        assessed=assessed,
        low=assessed,
        high=max(known),
        contested=contested or len(set(known)) > 1,
        voices=tuple(voices),
    )


def _next(content: Content, advice: Advice | None) -> NextPractice | None:
    if advice is None:
        return None
    one = advice.practice
    return NextPractice(
        id=one.id, title=one.title, pillar=advice.pillar, level=advice.pillar_level, what=one.what,
        needs=tuple(content.practices[name].title for name in one.needs),
        first_week=one.first_week, know=one.know, effort_weeks=one.effort_weeks, unlocks=advice.unlocks,
        moves_overall=advice.moves_overall, overall_after=advice.overall_after, still_blocking=advice.still_blocking,
    )  # fmt: skip


# --- Words --------------------------------------------------------------------------------------------------------


def level_name(level: int | None) -> str:
    """`3 Managed`, or a dash."""
    from aether_tui.workspace.rubric import LEVELS

    return f"{level} {LEVELS[level - 1]}" if level else "—"


def headline(maturity: Maturity) -> str:
    """The level, and the one next practice."""
    if not maturity.quarters:
        return "Nobody has been asked about maturity yet: the interview takes less than 30 minutes (g i)."
    told = (
        f"The organisation is at level {level_name(maturity.level)}"
        if maturity.level
        else f"No overall level yet: {maturity.reason}"
    )
    one = maturity.next_practice
    return f"{told}. Next: {one.title.lower()}." if one else f"{told}. No practice is left to advise."


def findings(maturity: Maturity) -> tuple[Finding, ...]:
    """Where voices differ, what moved since the quarter before, answers to statements that are gone."""
    found = [
        Finding(
            id=f"maturity.{one.pillar}.contested",
            severity="info",
            text=f"{one.title} is contested: "
            + (
                "answers do not settle it."
                if one.low == one.high
                else f"{', '.join(f'{voice.who} {voice.level}' for voice in one.voices if voice.level)}; the lowest counts."
            ),
            evidence=(one.pillar,),
        )
        for one in maturity.pillars
        if one.contested
    ]
    if len(maturity.quarters) > 1:
        before = {one.pillar: one.level for one in maturity.quarters[-2].pillars}
        moved = [
            f"{one.title} {before[one.pillar]} → {one.level}"
            for one in maturity.pillars
            if one.level and before.get(one.pillar) and before[one.pillar] != one.level
        ]
        told = "; ".join(moved) or "no pillar moved"
        found.append(
            Finding(id="maturity.moved", severity="info", text=f"Since {maturity.quarters[-2].quarter}: {told}.")
        )
    if maturity.unknown:
        names = ", ".join(one_line(name, 80) for name in maturity.unknown[:5])
        text = f"{plural(len(maturity.unknown), 'answer')} to statements that no longer exist are kept and not counted: {names}."
        found.append(Finding(id="maturity.unknown", severity="warn", text=text))
    return tuple(found)


def blocks(maturity: Maturity) -> tuple[Block, ...]:
    """Pillars as bars, the one next practice, the quarters."""
    if not maturity.quarters:
        step = "aether-tui doc new assessment, for answers to be typed"
        return (
            Gap(id="maturity.none", title="Six pillars, no answers yet", reason="nobody was asked", next_step=step, action="go.interview"),
            Prose(id="maturity.aid", text=AID),
        )  # fmt: skip
    parts: list[Block] = [_pillars(maturity)]
    if maturity.next_practice is not None:
        parts += _practice(maturity.next_practice, maturity)
    if len(maturity.quarters) > 1:
        parts.append(_quarters(maturity))
    parts.append(Prose(id="maturity.aid", text=AID))
    return tuple(parts)


def _pillars(maturity: Maturity) -> Table:
    before = {one.pillar: one.level for one in maturity.quarters[-2].pillars} if len(maturity.quarters) > 1 else {}
    blockers = maturity.next_practice.pillar if maturity.next_practice else ""
    rows = []
    for one in maturity.pillars:
        state: State = "no-data" if one.level is None else "inconclusive" if one.contested else "info"
        word = (
            "no data"
            if one.level is None
            else "contested"
            if one.contested
            else "next"
            if one.pillar == blockers
            else ""
        )
        voices = "; ".join(
            f"{voice.who}: {level_name(voice.level)} (p {voice.p:.2f}, {plural(voice.asked, 'answer')})"
            for voice in one.voices
        )
        rows.append(
            Row(
                id=one.pillar,
                state=state,
                cells=(
                    word,
                    one.title,
                    level_name(one.level),
                    one.level / 5 if one.level else None,
                    before.get(one.pillar),
                    f"{one.low}–{one.high}" if one.low != one.high else "",
                ),
                detail=voices or one.reason or "",
                why="Most probable level when an answer slips or is guessed one time in ten; settled from .8. Of several "
                "people the lowest counts.\naether-tui report maturity --format json",
            )
        )
    return Table(
        id="maturity.pillars",
        title=f"Six pillars, {maturity.quarters[-1].quarter}",
        columns=(
            Col(key="state", title="", kind="state", priority=9),
            Col(key="pillar", title="pillar", priority=10, least=32),
            Col(key="level", title="level", priority=10),
            Col(key="bar", title="of five", kind="bar", priority=5),
            Col(key="before", title="before", kind="number", priority=7),
            Col(key="range", title="voices", priority=6),
        ),
        rows=tuple(rows),
    )


def _practice(one: NextPractice, maturity: Maturity) -> tuple[Block, ...]:
    titles = {pillar.pillar: pillar.title for pillar in maturity.pillars}
    others = ", ".join(titles[name] for name in one.still_blocking)
    moves = (
        f"The organisation moves to {level_name(one.overall_after)} with it."
        if one.moves_overall
        else f"The organisation stays at {level_name(maturity.level)}; then {others} still block."
        if one.still_blocking
        else "The organisation's level does not move with it."
    )
    weeks = f"about {number(one.effort_weeks)} {'week' if one.effort_weeks == 1 else 'weeks'}"
    also = f", and opens {plural(one.unlocks, 'further practice')}" if one.unlocks else ""
    text = f"{one.title}: {titles[one.pillar]} to {level_name(one.level)}, {weeks}{also}"
    return (
        Checklist(
            id="maturity.next",
            title="The one next practice",
            items=(Check(id=one.id, text=text, state="no-data", kind="manual"),),
        ),
        Prose(id="maturity.what", text=one.what),
        Prose(id="maturity.needs", text=f"Comes after: {', '.join(one.needs) or 'nothing; it can begin at once'}."),
        Prose(id="maturity.first", text=f"First week: {one.first_week}"),
        Prose(id="maturity.know", text=f"We will know: {one.know}"),
        Prose(id="maturity.moves", text=moves),
    )


def _quarters(maturity: Maturity) -> Table:
    columns = [
        Col(key="quarter", title="quarter", priority=10),
        Col(key="level", title="overall", kind="number", priority=9),
    ]
    columns += [
        Col(key=one.pillar, title=one.title.split()[0].lower(), kind="number", priority=7) for one in maturity.pillars
    ]
    return Table(
        id="maturity.quarters",
        title="Quarter by quarter",
        columns=tuple(columns),
        rows=tuple(
            Row(id=one.quarter, cells=(one.quarter, one.level, *(pillar.level for pillar in one.pillars)))
            for one in reversed(maturity.quarters)
        ),
    )

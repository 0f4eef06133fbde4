"""Three lenses, Speed, Quality and Visibility: indicators between dated anchors, never merged into one (diagnostics H)."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from aether_tui.diagnostics import indicators as table
from aether_tui.diagnostics import voices, windows
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.diagnostics.indicators import Anchor, Indicator, LensName
from aether_tui.human import amount, evidence, number, quantity
from aether_tui.report_model import (
    Block,
    Col,
    Fact,
    Facts,
    Finding,
    Prose,
    Quantity,
    Report,
    Row,
    State,
    Table,
    Window,
    missing,
)  # fmt: skip

if TYPE_CHECKING:
    from aether_tui.config import Config
    from aether_tui.workspace.documents import Documents

LENSES: dict[LensName, str] = {"speed": "Speed", "quality": "Quality", "visibility": "Visibility"}
MIN_COVERAGE = 0.5
SLICES = 8


class Result(Struct, frozen=True, kw_only=True):
    """One indicator: its value now and before, its score between the anchors (null without both), its course."""

    id: str
    lens: str
    title: str
    better: str
    value: Quantity
    previous: Quantity
    score: float | None
    score_low: float | None
    score_high: float | None
    previous_score: float | None
    anchor: Anchor | None
    why: str
    series: tuple[float | None, ...]
    stated: Quantity | None = None
    """What people say it is, beside the measured value."""
    answers: tuple[int, ...] = ()


class Lens(Struct, frozen=True, kw_only=True):
    """One lens. `coverage` is the weight of the scored indicators among those that have an anchor."""

    id: str
    title: str
    score: Quantity
    change: Quantity
    coverage: float
    scored: int
    anchored: int
    worst: str | None
    indicators: tuple[Result, ...]
    series: tuple[float | None, ...]


class Lenses(Struct, frozen=True, kw_only=True):
    """The three, with the version of the anchor table."""

    lenses: tuple[Lens, ...]
    anchors_version: str
    unknown_anchors: tuple[str, ...] = ()


def build(data: Data, documents: Documents, clock: Clock) -> Report[Lenses]:
    """The report."""
    lenses = measure(data, documents.config, clock, voices.stated(documents, clock.now))
    return Report(
        report="lens",
        title="3-Lens",
        as_of=clock.now,
        window=clock.window,
        data=lenses,
        headline=headline(lenses),
        findings=findings(lenses),
        freshness=data.freshness(),
        blocks=blocks(lenses, data.filters.sentence()),
    )


def measure(
    data: Data, config: Config, clock: Clock, said: Mapping[str, Sequence[voices.Said]] | None = None
) -> Lenses:
    """All indicators, and the lenses made of them; what people stated fills gaps, marked so."""
    shipped = table.content()
    slices = _slices(clock)
    heard = said or {}
    results = [
        _with_stated(_result(item, data, config, clock, slices), heard.get(item.id, ())) for item in shipped.indicators
    ]
    known = {item.id for item in shipped.indicators}
    return Lenses(
        lenses=tuple(lens(name, [item for item in results if item.lens == name], len(slices)) for name in LENSES),
        anchors_version=shipped.version,
        unknown_anchors=tuple(sorted(set(config.lens.anchors) - known)),
    )


def _slices(clock: Clock) -> list[Window]:
    """Eight spans of equal length that end with the window, for the trend."""
    length = windows.days(clock.window) + windows.days(clock.previous)
    step = timedelta(days=max(1, int(length // SLICES)))
    ends = [clock.window.end - step * back for back in reversed(range(SLICES))]
    return [Window(start=end - step, end=end) for end in ends]


def _result(item: Indicator, data: Data, config: Config, clock: Clock, slices: Sequence[Window]) -> Result:
    anchor = _anchor(item, config)
    if item.shape == "freshness":
        value, before, course = table.freshness(data), missing("only the present state is known", unit=item.unit), []
    else:
        ends = [span.end for span in (*slices, clock.previous, clock.window)]
        found = table.rows(item, data, ends, config.engagement.currency)
        value = table.measure(item, found, clock.window, data)
        before = table.measure(item, found, clock.previous, data)
        course = [table.over(item, found, span) for span in slices] if value.value is not None else []
    low, high = sorted_scores(value, anchor)
    return Result(
        id=item.id,
        lens=item.lens,
        title=item.title,
        better=item.better,
        value=value,
        previous=before,
        score=_score(value, anchor),
        score_low=low,
        score_high=high,
        previous_score=_score(before, anchor),
        anchor=anchor,
        why=item.why,
        series=tuple(None if one is None else one.value for one in course),
    )


def _with_stated(result: Result, said: Sequence[voices.Said]) -> Result:
    """The result with what people stated: in place of a missing value, else beside the measured one."""
    if not said:
        return result
    stated = voices.middle(said, result.value.unit)
    result = msgspec.structs.replace(result, stated=stated, answers=tuple(one.answer for one in said))
    if result.value.value is not None:
        return result
    low, high = sorted_scores(stated, result.anchor)
    score = _score(stated, result.anchor)
    return msgspec.structs.replace(result, value=stated, score=score, score_low=low, score_high=high)


def _anchor(item: Indicator, config: Config) -> Anchor | None:
    override = config.lens.anchors.get(item.id)
    shipped = table.anchored(item, config.gate)
    if override is None:
        return shipped
    return Anchor(
        poor=override.poor,
        good=override.good,
        scale=shipped.scale if shipped and min(override.poor, override.good) > 0 else "linear",
        weight=shipped.weight if shipped else 1,
        source=override.source,
    )


def _score(value: Quantity, anchor: Anchor | None) -> float | None:
    return None if anchor is None or value.value is None else table.score(value.value, anchor)


def sorted_scores(value: Quantity, anchor: Anchor | None) -> tuple[float | None, float | None]:
    """Scores of the ends of a value's interval, the lower first; the value's own where it has no interval."""
    if anchor is None or value.value is None:
        return None, None
    ends = [table.score(end, anchor) for end in (value.low, value.high) if end is not None]
    middle = table.score(value.value, anchor)
    return min([middle, *ends]), max([middle, *ends])


def lens(name: LensName, results: Sequence[Result], slices: int) -> Lens:
    """Weighted mean of the scored indicators, none under half coverage; its interval treats them as independent."""
    anchored = [item for item in results if item.anchor is not None]
    scored = [item for item in anchored if item.score is not None]
    coverage = _weight(scored) / _weight(anchored) if anchored else 0.0
    worst = min(scored, key=lambda item: item.score or 0.0, default=None)
    return Lens(
        id=f"lens.{name}",
        title=LENSES[name],
        score=_lens_score(scored, anchored, coverage),
        change=_change(scored, anchored),
        coverage=coverage,
        scored=len(scored),
        anchored=len(anchored),
        worst=worst.id if worst else None,
        indicators=tuple(results),
        series=tuple(_at(anchored, index) for index in range(slices)),
    )


def _weight(items: Sequence[Result]) -> float:
    return sum(item.anchor.weight for item in items if item.anchor)


def _mean(items: Sequence[Result], scores: Sequence[float]) -> float:
    weights = [item.anchor.weight if item.anchor else 0.0 for item in items]
    return sum(weight * one for weight, one in zip(weights, scores, strict=True)) / sum(weights)


def _half_width(items: Sequence[Result]) -> float:
    """Half the width of the mean's interval, from those of independent parts."""
    parts = [
        (item.anchor.weight if item.anchor else 0.0) * ((item.score_high or 0) - (item.score_low or 0)) / 2
        for item in items
    ]
    return math.sqrt(sum(part * part for part in parts)) / _weight(items)


def _lens_score(scored: Sequence[Result], anchored: Sequence[Result], coverage: float) -> Quantity:
    if not scored or coverage < MIN_COVERAGE:
        reason = (
            f"only {len(scored)} of {len(anchored)} indicators with an anchor are measured, at least half are needed"
        )
        return missing(reason, unit="score", n=len(scored))
    value, half = _mean(scored, [item.score or 0.0 for item in scored]), _half_width(scored)
    return Quantity(value=value, unit="score", n=len(scored), low=max(0.0, value - half), high=min(100.0, value + half))


def _change(scored: Sequence[Result], anchored: Sequence[Result]) -> Quantity:
    """Difference to the previous window over the indicators present in both; both windows are taken as equally noisy."""
    both = [item for item in scored if item.previous_score is not None]
    if not both or _weight(both) < MIN_COVERAGE * _weight(anchored):
        return missing("under half of the indicators are scored in both windows", unit="score", n=len(both))
    now = _mean(both, [item.score or 0.0 for item in both])
    value = now - _mean(both, [item.previous_score or 0.0 for item in both])
    half = math.sqrt(2) * _half_width(both)
    return Quantity(value=value, unit="score", n=len(both), low=value - half, high=value + half)


def _at(anchored: Sequence[Result], index: int) -> float | None:
    present = [item for item in anchored if len(item.series) > index and item.series[index] is not None]
    if not present or _weight(present) < MIN_COVERAGE * _weight(anchored):
        return None
    return _mean(present, [table.score(item.series[index] or 0.0, item.anchor) for item in present if item.anchor])


# --- Words --------------------------------------------------------------------------------------------------------


def state(score: float | None) -> State:
    """Thirds of the scale: the upper passes, the middle warns, the lower blocks."""
    if score is None:
        return "info"
    return "pass" if score >= 200 / 3 else "warn" if score >= 100 / 3 else "block"


def headline(lenses: Lenses) -> str:
    """The three scores and the worst indicator of all."""
    known = [item for item in lenses.lenses if item.score.value is not None]
    if not known:
        return "No lens has a score yet: under half of its indicators can be measured."
    text = ", ".join(f"{item.title} {number(round(item.score.value or 0))}" for item in known)
    silent = [item.title for item in lenses.lenses if item.score.value is None]
    results = [one for item in known for one in item.indicators if one.score is not None]
    worst = min(results, key=lambda one: one.score or 0.0)
    unscored = f" ({', '.join(silent)}: no score, too little is measured)" if silent else ""
    return f"{text} of 100{unscored}. Worst: {worst.title}, {quantity(worst.value)}."


def findings(lenses: Lenses) -> tuple[Finding, ...]:
    """The worst indicator of each lens, changes beyond their interval, anchors nobody reads."""
    found = []
    for item in lenses.lenses:
        by_id = {one.id: one for one in item.indicators}
        worst = by_id.get(item.worst or "")
        if worst is not None and state(worst.score) != "pass":
            found.append(
                Finding(
                    id=worst.id,
                    severity="bad" if state(worst.score) == "block" else "warn",
                    text=f"{item.title} is held down by {worst.title}: {quantity(worst.value)} ({_ends(worst.anchor, worst.value.unit)}).",
                    evidence=(worst.id,),
                )
            )
        change = item.change
        if change.value is not None and ((change.low or 0) > 0 or (change.high or 0) < 0):
            word = "rose" if change.value > 0 else "fell"
            found.append(
                Finding(
                    id=f"{item.id}.change",
                    severity="info" if change.value > 0 else "warn",
                    text=f"{item.title} {word} by {number(round(abs(change.value), 1))} points against the window before, "
                    f"over the {change.n} indicators present in both.",
                    evidence=(item.id,),
                )
            )
        found += _perception(item)
    known = {one.id for item in lenses.lenses for one in item.indicators}
    for name in lenses.unknown_anchors:
        near = difflib.get_close_matches(name, known, 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        found.append(
            Finding(
                id="lens.anchors",
                severity="warn",
                text=f"[lens.anchors] {name} is no indicator.{hint}",
                evidence=(name,),
            )
        )
    return tuple(found)


def _perception(item: Lens) -> list[Finding]:
    """Where people say something else than what is measured, the widest gap of the lens named; nothing about why."""
    both = [
        (one, _score(one.stated, one.anchor), one.score)
        for one in item.indicators
        if one.stated is not None and not one.value.stated and one.score is not None
    ]
    apart = [(one, said, measured) for one, said, measured in both if said is not None and measured is not None]
    if not apart:
        return []
    widest, said, measured = max(apart, key=lambda one: abs(one[1] - one[2]))
    if abs(said - measured) < 10 or widest.stated is None:
        return []
    low, high = min(widest.answers), max(widest.answers)
    answers = f"{median(widest.answers):g} of 5 (n {len(widest.answers)}, {low}–{high})"
    text = (
        f"{item.title}: stated and measured differ most on {widest.title}: stated {answers}, about "
        f"{quantity(widest.stated)}, measured {quantity(widest.value)}."
    )
    return [Finding(id=f"{item.id}.perception", severity="info", text=text, evidence=(widest.id,))]


def blocks(lenses: Lenses, narrowed: str = "") -> tuple[Block, ...]:
    """Three scores, then the indicators of each lens from worst to best."""
    parts: list[Block] = [Facts(id="lens.scores", facts=tuple(fact(item) for item in lenses.lenses))]
    parts += [_table(item) for item in lenses.lenses]
    how = (
        f"A score is the weighted mean of its indicators between two anchors, poor = 0 and good = 100 (table {lenses.anchors_version}; "
        "times and rates on a log scale). Indicators without a sourced anchor are shown and not scored; set one under "
        "[lens.anchors] in aether.toml. Intervals are 95 %. The three lenses are never merged into one number."
    )
    parts.append(Prose(id="lens.how", text=f"Narrowed to {narrowed}. {how}" if narrowed else how))
    return tuple(parts)


def fact(item: Lens) -> Fact:
    """One lens as a key figure, with coverage and its worst indicator in the note."""
    worst = next((one for one in item.indicators if one.id == item.worst), None)
    note = f"coverage {amount(item.coverage, 'ratio')}"
    if worst is not None and item.score.value is not None:
        note += f", worst {worst.title} {quantity(worst.value)}"
    score, change = item.score, item.change
    before = None
    if score.value is not None and change.value is not None:
        before = Quantity(value=score.value - change.value, unit="score", n=change.n)
    return Fact(
        id=item.id,
        label=item.title,
        value=_rounded(score),
        state="no-data" if score.value is None else state(score.value),
        previous=None if before is None else _rounded(before),
        better="higher",
        note=note,
        why="Weighted mean of the indicators that have a sourced anchor; change over those present in both windows.",
        series=item.series,
    )


def _rounded(item: Quantity) -> Quantity:
    """Scores are shown as whole points."""
    if item.value is None:
        return item
    low, high = (None if end is None else float(round(end)) for end in (item.low, item.high))
    return Quantity(value=float(round(item.value)), unit=item.unit, n=item.n, low=low, high=high)


def _table(item: Lens) -> Table:
    def order(one: Result) -> tuple[int, float, str]:
        return (0 if one.score is not None else 1 if one.value.value is not None else 2, one.score or 0.0, one.title)

    return Table(
        id=f"{item.id}.indicators",
        title=item.title,
        columns=(
            Col(key="state", title="", kind="state", priority=9),
            Col(key="indicator", title="indicator", priority=10),
            Col(key="now", title="now", kind="number", priority=10),
            Col(key="before", title="before", kind="number", priority=6),
            Col(key="score", title="score", kind="number", priority=8),
            Col(key="trend", title="trend", kind="spark", priority=5),
        ),
        rows=tuple(_row(one) for one in sorted(item.indicators, key=order)),
        note=f"{item.scored} of {item.anchored} indicators with an anchor are measured.",
    )


def _row(one: Result) -> Row:
    measured = one.value.value is not None
    mark: State = "no-data" if not measured else state(one.score)
    words: Mapping[State, str] = {
        "no-data": "no data",
        "info": "shown",
        "pass": "good",
        "warn": "middling",
        "block": "poor",
    }
    beside = f"stated {quantity(one.stated)} {evidence(one.stated)}" if one.stated and not one.value.stated else ""
    parts = [evidence(one.value), beside, one.value.connect or "", _anchor_text(one) if measured else ""]
    return Row(
        id=one.id,
        state=mark,
        cells=(
            words[mark],
            one.title,
            one.value,
            one.previous,
            None if one.score is None else round(one.score),
            one.series,
        ),
        detail="; ".join(part for part in parts if part),
        why=f"{one.why}\naether-tui report lens --format json",
    )


def _anchor_text(one: Result) -> str:
    """`good 5 %, poor 40 %: DORA 2024`."""
    if one.anchor is None:
        return "no sourced anchor, so not scored"
    year = f", {one.anchor.year}" if one.anchor.year and str(one.anchor.year) not in one.anchor.source else ""
    return f"{_ends(one.anchor, one.value.unit)}: {one.anchor.source}{year}"


def _ends(anchor: Anchor | None, unit: str) -> str:
    return "" if anchor is None else f"good {amount(anchor.good, unit)}, poor {amount(anchor.poor, unit)}"

"""The three lenses in words: headline, findings and blocks of the report."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from statistics import median

from msgspec import structs

from aether_tui.diagnostics import indicators as table
from aether_tui.diagnostics import metrics
from aether_tui.diagnostics.frame import Data
from aether_tui.diagnostics.gaps import unconnected
from aether_tui.diagnostics.indicators import Anchor, score_of
from aether_tui.diagnostics.joins import CHAINS, first_failed
from aether_tui.diagnostics.lens_measure import Lens, Lenses, Result
from aether_tui.diagnostics.needs import NEEDS, stored
from aether_tui.human import amount, evidence, number, quantity
from aether_tui.report_model import (
    Block,
    Col,
    Fact,
    Facts,
    Finding,
    Plot,
    Point,
    Prose,
    Quantity,
    Row,
    Series,
    State,
    Table,
)  # fmt: skip


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


def findings(lenses: Lenses, before: str = "the window before") -> tuple[Finding, ...]:
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
                    text=f"{item.title} {word} by {number(round(abs(change.value), 1))} points against {before}, "
                    f"over the {change.n} indicators present in both.",
                    evidence=(item.id,),
                )
            )
        found += _perception(item)
    found += _anchors(lenses)
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
    """Where people say something else than what is measured, in the widest gap of the lens; nothing about why."""
    both = [
        (one, score_of(one.stated, one.anchor), one.score)
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
    counted = f"n {len(widest.answers)}" + (f", {low}–{high}" if low < high else "")
    said_of = f"{median(widest.answers):g} of 5 ({counted}), about {quantity(widest.stated)}"
    text = f"{widest.title[0].upper()}{widest.title[1:]}: stated {said_of}, measured {quantity(widest.value)}."
    return [Finding(id=f"{item.id}.perception", severity="info", text=text, evidence=(widest.id,))]


def _anchors(lenses: Lenses) -> list[Finding]:
    """Scores published by other anchors, which nobody may set beside these."""
    held = lenses.published
    if held is None or not held.scores or lenses.comparable():
        return []
    text = (
        f"Review {held.review} published its scores by other anchors ({held.anchors_version or 'not named'}) than these "
        f"({lenses.anchors_version}), so the two are not compared."
    )
    how = f"aether-tui review diff {held.review} NEW splits off what the anchors change"
    return [Finding(id="lens.anchors.review", severity="warn", text=text, evidence=(held.review,), action=how)]


def blocks(lenses: Lenses, data: Data) -> tuple[Block, ...]:
    """Three scores, then the indicators of each lens from worst to best."""
    parts: list[Block] = [
        Facts(id="lens.scores", facts=tuple(fact(item, lenses, data, alone=False) for item in lenses.lenses))
    ]
    parts += _missing(lenses, data)
    parts += _trend(lenses, data)
    parts += [_table(item, data) for item in lenses.lenses]
    how = (
        f"A score is the weighted mean of its indicators between two anchors, poor = 0 and good = 100 (table {lenses.anchors_version}; "
        "times and rates on a log scale); scores and changes are compared under one table only. Indicators without a sourced anchor are "
        "shown and not scored; set one under [lens.anchors] in aether.toml. Intervals are 95 %. The three lenses are never merged into "
        "one number."
    )
    narrowed = data.filters.sentence()
    parts.append(Prose(id="lens.how", text=f"Narrowed to {narrowed}. {how}" if narrowed else how))
    return tuple(parts)


def _missing(lenses: Lenses, data: Data) -> list[Block]:
    """What sources the missing indicators need, one gap for each kind of record."""
    counts, wanted = stored(data), dict[str, list[str]]()
    for one in (one for item in lenses.lenses for one in item.indicators if one.value.value is None):
        for need in table.known()[one.id].needs:
            if not counts.get(need):
                wanted.setdefault(need, []).append(one.title)
    return [
        unconnected(data, f"lens.gap.{need.table}", need.table, ", ".join(wanted[need.table]))
        for need in NEEDS
        if need.table in wanted
    ]


def _trend(lenses: Lenses, data: Data) -> list[Block]:
    """The three scores over the two windows; the band is that of the lowest."""
    known = [one for one in lenses.lenses if sum(value is not None for value in one.series) > 1]
    if not known:
        return []
    low = min(known, key=lambda one: 101 if one.score.value is None else one.score.value)

    def points(one: Lens) -> tuple[Point, ...]:
        made = []
        for at, value, band in zip(one.since, one.series, one.bands, strict=True):
            ends = band if one is low and band is not None else (None, None)
            made.append(Point(x=at.timestamp(), y=value, low=ends[0], high=ends[1]))
        return tuple(made)

    courses = [
        f"{one.title} {' '.join('–' if value is None else str(round(value)) for value in one.series)}" for one in known
    ]
    return [
        Plot(
            id="lens.trend",
            title=f"Scores of 100, with the band of {low.title}",
            series=tuple(Series(label=one.title, points=points(one)) for one in known),
            text=f"Oldest first: {'; '.join(courses)}.",
            x_kind="time",
            y_unit="score",
            why=metrics.why(
                "lens.score", data, "each point over a span of equal length; the last ends with the window"
            ),
        )
    ]


def fact(item: Lens, lenses: Lenses, data: Data, *, alone: bool = True) -> Fact:
    """One lens as a key figure, with coverage and what was published in the note; `alone`, without its indicators, also the worst."""
    worst = next((one for one in item.indicators if one.id == item.worst), None)
    more = f"anchors {lenses.anchors_version}; {metrics.content()['lens.change'].formula}"
    parts = []  # of one without a score the reason says the coverage
    if item.score.value is not None:
        parts = [f"worst {worst.title} {quantity(worst.value)}"] if alone and worst is not None else []
        parts.append(f"coverage {amount(item.coverage, 'ratio')}")
    held = lenses.published
    if held is not None and lenses.comparable() and item.id in held.scores:
        was = number(round(held.scores[item.id]))
        parts.append(f"{was} in review {held.review}" if alone else f"review {was}")
        more += f" {was} is of review {held.review}."
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
        note=", ".join(parts),
        why=metrics.why("lens.score", data, more),
        series=item.series,
    )


def _rounded(item: Quantity) -> Quantity:
    """Scores are shown as whole points."""
    if item.value is None:
        return item
    low, high = (None if end is None else float(round(end)) for end in (item.low, item.high))
    return Quantity(value=float(round(item.value)), unit=item.unit, n=item.n, low=low, high=high)


def _table(item: Lens, data: Data) -> Table:
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
        rows=tuple(_row(one, data) for one in sorted(item.indicators, key=order)),
        note=f"{item.scored} of {item.anchored} indicators with an anchor are measured.",
    )


def _row(one: Result, data: Data) -> Row:
    measured, indicator = one.value.value is not None, table.known()[one.id]
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
        why=metrics.lines(
            structs.replace(metrics.of(indicator), source=indicator.source),
            data,
            _anchor_text(one),
            "" if measured or one.value.n else _failed(one, data),
        ),
    )


_CHAIN = {
    "speed.cycle_time": "flow",
    "speed.wip_age": "flow",
    "quality.reopen": "history",
    "quality.task_success": "outcome",
    "visibility.outcome": "outcome",
    "visibility.item_outcome": "pipeline",
    "quality.escaped": "",
}
"""Joins of an indicator, where they are others than those of the records it needs; nothing where its reason says it all."""


def _failed(one: Result, data: Data) -> str:
    """The first join that fails, of an indicator without a value."""
    needed = next((need for need in table.known()[one.id].needs if need in CHAINS), "")
    chain = _CHAIN.get(one.id, needed)
    return first_failed(data, chain) if chain else ""


def _anchor_text(one: Result) -> str:
    """`good 5 %, poor 40 %: DORA 2024`."""
    if one.anchor is None:
        return "no sourced anchor, so not scored"
    year = f", {one.anchor.year}" if one.anchor.year and str(one.anchor.year) not in one.anchor.source else ""
    return f"{_ends(one.anchor, one.value.unit)}: {one.anchor.source}{year}"


def _ends(anchor: Anchor | None, unit: str) -> str:
    """`good 10, poor 60 min`: a unit that both have is said once."""
    if anchor is None:
        return ""
    good, poor = amount(anchor.good, unit), amount(anchor.poor, unit)
    number_of, _, unit_of = good.rpartition(" ")
    return f"good {number_of if number_of and poor.endswith(f' {unit_of}') else good}, poor {poor}"

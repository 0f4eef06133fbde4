"""Flow in words: the blocks of the report."""

from __future__ import annotations

from datetime import timedelta

from msgspec import structs

from aether_tui.diagnostics import flow_plots, metrics
from aether_tui.diagnostics.flow_findings import queueing
from aether_tui.diagnostics.flow_measure import (
    AGE_GROWTH,
    BALANCE,
    LEVELS,
    LITTLE,
    SAMPLE_WEEKS,
    Flow,
    Outlook,
    Validity,
    sound,
)
from aether_tui.diagnostics.frame import Data
from aether_tui.diagnostics.gaps import nothing, unconnected, unnarrowed
from aether_tui.diagnostics.needs import stored
from aether_tui.human import day, evidence, plural
from aether_tui.report_model import (
    Block,
    Col,
    Fact,
    Facts,
    Gap,
    Prose,
    Quantity,
    Row,
    State,
    Table,
    Trend,
    missing,
)  # fmt: skip
from aether_tui.stats.forecast import GOOD_WEEKS, LEAST_WEEKS

# --- Blocks -------------------------------------------------------------------------------------------------------


def blocks(flow: Flow, data: Data, unable: tuple[str, ...], limits: tuple[Block, ...]) -> tuple[Block, ...]:
    """Times and load, the validity of averages, items past p85, weekly throughput, the forecast."""
    if unable:
        return (unnarrowed(data, "flow.filters", "Flow", "Work items", unable, "--team TEAM, or --feature FEATURE"),)
    if flow.wip.value is None:
        none = "flow.none", "Work items"
        if stored(data).get("work_items"):
            return (nothing(data, *none, "No work item is known", "flow"),)
        return (unconnected(data, none[0], "work_items", title=none[1], chain="flow"),)
    if not (flow.wip.value or flow.times.finished or flow.before.finished):
        return (
            nothing(data, "flow.none", "Work items", "Nothing was in progress or finished", "flow"),
            _load(flow, data),
            *limits,
        )
    parts: list[Block] = [_glance(flow, data), *flow_plots.plots(flow, data), _times(flow, data), _load(flow, data)]
    if not flow.history and flow.times.finished:
        history = unconnected(data, "flow.history", "work_items", title="Status history", chain="history")
        reason = "The items that were finished have no status history, so flow efficiency, reopening and handoffs are not known."
        parts.append(structs.replace(history, reason=reason))
    parts += [_validity(flow.validity, data), _ageing(flow, data), *limits, _weekly(flow, data), _forecast(flow, data)]
    narrowed = f"Narrowed to {data.filters.sentence()}. " if data.filters.set_names() else ""
    parts.append(Prose(id="flow.how", text=narrowed + HOW))
    return tuple(parts)


HOW = (
    "Lead time is creation to last done; cycle time is first active to last done, nights and weekends included. Incidents are left "
    "out. Intervals are 95 % (order statistics, Wilson, Poisson). Percentiles need no steady system; averages and the forecast do. "
    f"The forecast draws the next weeks from up to {SAMPLE_WEEKS} past ones, empty weeks included, and assumes that items are not split."
)


def _glance(flow: Flow, data: Data) -> Facts:
    """How long things take, its trend, and the worst item."""
    times, oldest = flow.times, next(iter(flow.ageing), None)
    worst = (
        Quantity(value=oldest.age_s, unit="s")
        if oldest
        else missing(flow.past_p85.reason or "no item is past p85", unit="s")
    )
    trend = tuple(float(week) for week in flow.weekly[-12:])
    return Facts(
        id="flow.glance",
        facts=(
            Fact(id="flow.cycle_p85.glance", label="cycle time p85", value=times.cycle_p85, previous=_known(flow.before.cycle_p85),
                 better="lower", state="no-data" if times.cycle_p85.value is None else "info", why=metrics.why("flow.cycle_p85", data)),
            Fact(id="flow.throughput.glance", label="finished", value=flow.throughput, series=trend,
                 why=metrics.why("flow.throughput", data)),
            Fact(id="flow.oldest", label="worst item", value=worst,
                 state="warn" if oldest else "no-data" if flow.past_p85.value is None else "pass",
                 note=f"{oldest.key} {oldest.title}" if oldest else "", why=metrics.why("flow.past_p85", data)),
        ),
    )  # fmt: skip


def _times(flow: Flow, data: Data) -> Facts:
    now, before = flow.times, flow.before
    missed = f"{plural(now.without_start, 'item')} without a start left out" if now.without_start else ""

    def fact(name: str, note: str = "") -> Fact:
        value: Quantity = getattr(now, name)
        metric = metrics.content()[f"flow.{name}"]
        return Fact(
            id=metric.id, label=metric.title, value=value, previous=_known(getattr(before, name)), better="lower",
            state="no-data" if value.value is None else "info", why=metrics.lines(metric, data, missed), note=note,
        )  # fmt: skip

    return Facts(
        id="flow.times",
        title="Times of finished items",
        facts=(fact("cycle_p50"), fact("cycle_p85", missed), fact("lead_p50"), fact("lead_p85"), fact("reopened")),
    )


def _known(value: Quantity) -> Quantity | None:
    return value if value.value is not None else None


AVERAGES = frozenset({"mean_wip", "throughput"})
"""What holds only while the system is steady."""


def _load(flow: Flow, data: Data) -> Facts:
    invalid = flow.validity.holds is False

    def fact(name: str, note: str = "", series: tuple[float, ...] = ()) -> Fact:
        value: Quantity = getattr(flow, name)
        metric = metrics.content()[f"flow.{name}"]
        doubted = name in AVERAGES and invalid
        state: State = "no-data" if value.value is None else "warn" if doubted else "info"
        said = "; ".join(part for part in (note, "average, not valid here" if doubted else "") if part)
        why = metrics.lines(metric, data)
        return Fact(id=metric.id, label=metric.title, value=value, state=state, note=said, why=why, series=series)

    return Facts(
        id="flow.load",
        title="Load",
        facts=(
            fact("wip"),
            fact("mean_wip"),
            fact("past_p85"),
            fact("throughput", series=tuple(float(week) for week in flow.weekly[-12:])),
            fact("efficiency", "upper bound: in progress hides waiting"),
            fact("handoffs"),
            fact("utilisation", queueing(flow.utilisation)),
        ),
    )


def _validity(validity: Validity, data: Data) -> Table:
    def row(name: str, value: Quantity, low: float, high: float) -> Row:
        metric = metrics.content()[f"flow.{name}"]
        good = sound(value.value or 0.0, low, high)
        state: State = "inconclusive" if value.value is None else "pass" if good else "warn"
        word = "not known" if value.value is None else "holds" if good else "fails"
        bounds = f"{low}–{high}" if low else f"at most {high}"
        return Row(
            id=metric.id,
            state=state,
            cells=(metric.title, value, bounds, word),
            detail="; ".join(part for part in (evidence(value), metric.formula) if part),
            why=metrics.lines(metric, data),
        )

    return Table(
        id="flow.validity",
        title="Can averages be believed?",
        columns=(
            Col(key="check", title="check", priority=10),
            Col(key="now", title="now", kind="number", priority=9),
            Col(key="sound", title="sound", priority=6),
            Col(key="verdict", title="", kind="text", priority=8),
        ),
        rows=(
            row("little", validity.little, *LITTLE),
            row("balance", validity.balance, *BALANCE),
            row("age_growth", validity.age_growth, 0, AGE_GROWTH),
        ),
        note=f"Not valid: {'; '.join(validity.reasons)}." if validity.holds is False else "",
    )


def _ageing(flow: Flow, data: Data) -> Table:
    return Table(
        id="flow.items_past_p85",
        title="In progress past the p85 of their team",
        columns=(
            Col(key="key", title="item", priority=10),
            Col(key="title", title="title", priority=9),
            Col(key="team", title="team", priority=4),
            Col(key="state", title="state", priority=5),
            Col(key="age", title="age", kind="number", priority=8),
            Col(key="p85", title="p85", kind="number", priority=7),
        ),
        rows=tuple(
            Row(
                id=item.id,
                cells=(item.key, item.title, item.team, item.state, *(Quantity(value=s, unit="s") for s in (item.age_s, item.p85_s))),
                why=metrics.why("flow.past_p85", data),
            )
            for item in flow.ageing
        ),
        empty=flow.past_p85.reason or "No item in progress is older than the p85 of its team.",
    )  # fmt: skip


def _weekly(flow: Flow, data: Data) -> Block:
    if not flow.weekly:
        return Gap(id="flow.weekly", title="Finished per week", reason="Less than one whole week of history is here.",
                   next_step="aether-tui sync, or wait for the first week to end")  # fmt: skip
    empty = sum(week == 0 for week in flow.weekly)
    return Trend(
        id="flow.weekly",
        title="Finished per week",
        start=flow.weekly_from,
        values=tuple(float(week) for week in flow.weekly),
        unit="count",
        note=f"{plural(len(flow.weekly), 'whole week')}, {empty} without any"
        if empty
        else plural(len(flow.weekly), "whole week"),
        step="week",
        why=metrics.why("flow.throughput", data),
    )


def _forecast(flow: Flow, data: Data) -> Table:
    weeks = len(flow.weekly)
    notes = []
    if LEAST_WEEKS <= weeks < GOOD_WEEKS:
        notes.append(f"Only {weeks} weeks of history: take it as a rough guess ({GOOD_WEEKS} are good).")
    if flow.validity.holds is False:
        notes.append("Not valid here: the system is not steady (see above).")
    if flow.validity.holds is None:
        notes.append("Whether the system is steady is not known.")
    return Table(
        id="flow.forecast",
        title="When will the open items be done?",
        columns=(
            Col(key="what", title="items", priority=10),
            Col(key="n", title="n", kind="number", priority=9),
            *(Col(key=f"p{round(100 * level)}", title=f"P{round(100 * level)} wk", kind="number", priority=8) for level in LEVELS),
            Col(key="kept", title="past P85 kept", kind="number", priority=7),
        ),
        rows=tuple(_outlook(item, flow, data) for item in flow.forecast),
        note=" ".join(notes),
        empty="Nothing is in progress or queued.",
    )  # fmt: skip


def _outlook(item: Outlook, flow: Flow, data: Data) -> Row:
    levels = [f"P{round(100 * level)}" for level in LEVELS]
    reason = next((one.reason for one in item.weeks if one.reason), None)
    midnight = flow.weekly_from + timedelta(weeks=len(flow.weekly))
    kept = [
        f"{level} not checked yet" if one.value is None else f"{level} {round(one.value * (one.n or 0))} of {one.n}"
        for level, one in zip(levels, item.kept, strict=True)
    ]
    dates = [
        f"{level} {day(midnight + timedelta(weeks=one.value or 0))}"
        for level, one in zip(levels, item.weeks, strict=True)
    ]
    detail = (
        reason or f"Done by {', '.join(dates)}. Past forecasts that came true (overlapping weeks): {', '.join(kept)}."
    )
    return Row(
        id=item.title,
        state="inconclusive" if reason else "warn" if flow.validity.holds is False else "info",
        cells=(item.title, item.items, *item.weeks, item.kept[LEVELS.index(0.85)]),
        detail=detail,
        why=metrics.why("flow.forecast", data),
    )

"""Flow in words: the headline, findings and blocks of the report."""

from __future__ import annotations

from datetime import timedelta

from aether_tui.diagnostics.flow_measure import (
    AGE_GROWTH,
    BALANCE,
    LEVELS,
    LITTLE,
    SAMPLE_WEEKS,
    Flow,
    Outlook,
    Times,
    Validity,
    sound,
)
from aether_tui.diagnostics.frame import Data
from aether_tui.human import day, duration, evidence, plural, quantity
from aether_tui.report_model import (
    Block,
    Col,
    Fact,
    Facts,
    Finding,
    Gap,
    Prose,
    Quantity,
    Row,
    State,
    Table,
    Trend,
)  # fmt: skip
from aether_tui.stats.forecast import GOOD_WEEKS, LEAST_WEEKS

CONNECT = "add [sources.linear] or [sources.jira] to aether.toml, then aether-tui sync"


def headline(flow: Flow) -> str:
    """Cycle time, what is past it, and whether averages hold."""
    times = flow.times
    if flow.wip.value is None:
        return "Flow cannot be seen: no work item is here."
    if times.cycle_p85.value is None:
        return f"{plural(times.finished, 'item')} finished in this window; cycle time: {times.cycle_p85.reason}."
    text = f"Half of the items take {quantity(times.cycle_p50)} from start to done, 85 % at most {quantity(times.cycle_p85)}."
    if flow.past_p85.value is not None:
        text += f" {_past(flow)} in progress are older than their team's p85."
    if flow.validity.holds is False:
        text += " Averages and the forecast are not valid here."
    return text


def _past(flow: Flow) -> str:
    n = flow.past_p85.n or 0
    return f"{round((flow.past_p85.value or 0) * n)} of {plural(n, 'item')}"


def findings(flow: Flow) -> tuple[Finding, ...]:
    """What fails, what is late, what changed, what is not known."""
    found = [*_invalid(flow.validity), *_late(flow), *_changed(flow.times, flow.before), *_broken_promises(flow)]
    times, unmapped = flow.times, flow.unmapped
    if times.without_start * 10 >= times.finished > 0:
        found.append(
            Finding(
                id="flow.without_start",
                severity="warn",
                text=f"{times.without_start} of {plural(times.finished, 'item')} finished without ever being seen in progress: "
                "they have a lead time and no cycle time, and are left out of it.",
                evidence=("flow.cycle_p50", "flow.cycle_p85"),
            )
        )
    if unmapped.value is not None and unmapped.value > 0.1:
        found.append(
            Finding(
                id="flow.unmapped",
                severity="warn",
                text=f"{quantity(unmapped)} of the time of finished items lies in states that nobody mapped; it is left out of "
                "flow efficiency.",
                evidence=("flow.efficiency",),
                action="map them under [mapping.states] in aether.toml",
            )
        )
    return tuple(found)


def _invalid(validity: Validity) -> list[Finding]:
    if validity.holds is not False:
        return []
    return [
        Finding(
            id="flow.validity",
            severity="warn",
            text=f"Averages and the forecast are not valid in this window: {'; '.join(validity.reasons)}.",
            evidence=("flow.validity",),
        )
    ]


def _late(flow: Flow) -> list[Finding]:
    if not flow.ageing or flow.past_p85.value is None:
        return []
    oldest = flow.ageing[0]
    return [
        Finding(
            id="flow.ageing",
            severity="warn" if (flow.past_p85.low or 0) > 0.15 else "info",
            text=f"{_past(flow)} in progress are older than the p85 of their own team; furthest past it is "
            f"{oldest.key or oldest.id}: {duration(oldest.age_s)}, where 85 % take at most {duration(oldest.p85_s)}.",
            evidence=("flow.past_p85", "flow.items_past_p85"),
        )
    ]


def _changed(now: Times, before: Times) -> list[Finding]:
    """A p85 whose interval lies wholly beyond the one of the window before."""
    found = []
    for name, label in (("cycle_p85", "Cycle time"), ("lead_p85", "Lead time")):
        new: Quantity = getattr(now, name)
        old: Quantity = getattr(before, name)
        if new.low is None or new.high is None or old.low is None or old.high is None:
            continue
        if new.low > old.high or new.high < old.low:
            slower = new.low > old.high
            found.append(
                Finding(
                    id=f"flow.{name}.change",
                    severity="warn" if slower else "info",
                    text=f"{label} p85 went {'up' if slower else 'down'} from {quantity(old)} to {quantity(new)}; the 95 % "
                    "intervals do not overlap.",
                    evidence=(f"flow.{name}",),
                )
            )
    return found


def _broken_promises(flow: Flow) -> list[Finding]:
    found = []
    for outlook in flow.forecast:
        kept = outlook.kept[LEVELS.index(0.85)]
        if kept.value is not None and (kept.n or 0) >= 5 and kept.value < 0.7:
            found.append(
                Finding(
                    id=f"flow.forecast.{outlook.id}",
                    severity="warn",
                    text=f"Past P85 forecasts for {plural(outlook.items, 'item')} came true in {quantity(kept)} of {kept.n} cases, "
                    "not in 85 %: promise later than P85.",
                    evidence=("flow.forecast",),
                )
            )
    return found


# --- Blocks -------------------------------------------------------------------------------------------------------


def blocks(flow: Flow, data: Data, unable: tuple[str, ...]) -> tuple[Block, ...]:
    """Times and load, the validity of averages, items past p85, weekly throughput, the forecast."""
    if unable:
        named = " and ".join(f"{name} {getattr(data.filters, name)}" for name in unable)
        return (
            Gap(id="flow.filters", title="Flow", reason=f"Work items cannot be narrowed to {named}: they do not carry it.",
                next_step="aether-tui report flow --team TEAM, or --feature FEATURE"),
        )  # fmt: skip
    if flow.wip.value is None:
        narrowed = f" for {data.filters.sentence()}" if data.filters.set_names() else ""
        reason = f"No work item is here{narrowed}: a tracker is the source of flow."
        return (Gap(id="flow.none", title="Work items", reason=reason, next_step=CONNECT, action="app.sync"),)
    parts: list[Block] = [_times(flow), _load(flow)]
    if not flow.history and flow.times.finished:
        parts.append(
            Gap(id="flow.history", title="Status history", next_step=CONNECT, action="app.sync",
                reason="The items that were finished have no status history, so flow efficiency, reopening and handoffs are not known.")
        )  # fmt: skip
    parts += [_validity(flow.validity), _ageing(flow), _weekly(flow), _forecast(flow)]
    narrowed = f"Narrowed to {data.filters.sentence()}. " if data.filters.set_names() else ""
    parts.append(Prose(id="flow.how", text=narrowed + HOW))
    return tuple(parts)


HOW = (
    "Lead time is creation to last done; cycle time is first active to last done, nights and weekends included. Incidents are left "
    "out. Intervals are 95 % (order statistics, Wilson, Poisson). Percentiles need no steady system; averages and the forecast do. "
    f"The forecast draws the next weeks from up to {SAMPLE_WEEKS} past ones, empty weeks included, and assumes that items are not split."
)


def _times(flow: Flow) -> Facts:
    now, before = flow.times, flow.before
    missed = f"{plural(now.without_start, 'item')} without a start left out" if now.without_start else ""
    cycle = "First entry into an active state (or the tracker's own start) to the last done."

    def fact(name: str, label: str, why: str, note: str = "") -> Fact:
        value: Quantity = getattr(now, name)
        return Fact(
            id=f"flow.{name}", label=label, value=value, previous=_known(getattr(before, name)), better="lower",
            state="no-data" if value.value is None else "info", why=why, note=note,
        )  # fmt: skip

    return Facts(
        id="flow.times",
        title="Times of finished items",
        facts=(
            fact("cycle_p50", "cycle time p50", cycle),
            fact("cycle_p85", "cycle time p85", cycle, missed),
            fact("lead_p50", "lead time p50", "Creation to the last done."),
            fact("lead_p85", "lead time p85", "Creation to the last done."),
            fact(
                "reopened",
                "reopened",
                "Items finished that had been done before, of those whose tracker keeps status history.",
            ),
        ),
    )


def _known(value: Quantity) -> Quantity | None:
    return value if value.value is not None else None


def _load(flow: Flow) -> Facts:
    invalid = flow.validity.holds is False

    def fact(
        name: str,
        label: str,
        value: Quantity,
        why: str,
        note: str = "",
        average: bool = False,
        series: tuple[float, ...] = (),
    ) -> Fact:
        state: State = "no-data" if value.value is None else "warn" if average and invalid else "info"
        said = "; ".join(part for part in (note, "average, not valid here" if average and invalid else "") if part)
        return Fact(id=f"flow.{name}", label=label, value=value, state=state, note=said, why=why, series=series)

    return Facts(
        id="flow.load",
        title="Load",
        facts=(
            fact("wip", "in progress", flow.wip, "Items started and neither done nor cancelled at the end of the window."),
            fact("mean_wip", "in progress, mean", flow.mean_wip, "Time all items spent in progress in the window ÷ its length.", "", True),
            fact("past_p85", "past p85", flow.past_p85,
                 "Open items older than the p85 cycle time of what their own team finished in the 90 days before; teams with under "
                 "ten are left out. 15 % is what a steady team has."),
            fact("throughput", "finished", flow.throughput, "Items finished in the window ÷ its weeks, empty weeks included.",
                 "", True, tuple(float(week) for week in flow.weekly[-12:])),
            fact("efficiency", "flow efficiency", flow.efficiency,
                 "Active ÷ (active + wait + queue) over the status history of items finished; backlog time is left out.",
                 "upper bound: in progress hides waiting"),
            fact("handoffs", "handoffs per item", flow.handoffs,
                 "Changes of the person who moves an item, over items whose every move names one."),
        ),
    )  # fmt: skip


def _validity(validity: Validity) -> Table:
    def row(label: str, value: Quantity, sound: str, good: bool, why: str) -> Row:
        state: State = "inconclusive" if value.value is None else "pass" if good else "warn"
        word = "not known" if value.value is None else "holds" if good else "fails"
        detail = "; ".join(part for part in (evidence(value), why) if part)
        return Row(id=label, state=state, cells=(label, value, sound, word), detail=detail)

    little, balance, growth = (
        validity.little.value or 0.0,
        validity.balance.value or 0.0,
        validity.age_growth.value or 0.0,
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
            row("Little's Law", validity.little, f"{LITTLE[0]}–{LITTLE[1]}", sound(little, *LITTLE),
                "Mean items in progress ÷ (items that left per day × mean days they had stayed); cancelled ones leave too."),
            row("started ÷ left", validity.balance, f"{BALANCE[0]}–{BALANCE[1]}", sound(balance, *BALANCE),
                "Items started in the window ÷ items done or cancelled after a start."),
            row("age of open items, growth", validity.age_growth, f"at most {AGE_GROWTH}", sound(growth, 0, AGE_GROWTH),
                "Mean age of items in progress at the window's end ÷ at its start."),
        ),
        note=f"Not valid: {'; '.join(validity.reasons)}." if validity.holds is False else "",
    )  # fmt: skip


def _ageing(flow: Flow) -> Table:
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
            )
            for item in flow.ageing
        ),
        empty=flow.past_p85.reason or "No item in progress is older than the p85 of its team.",
    )  # fmt: skip


def _weekly(flow: Flow) -> Block:
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
    )


def _forecast(flow: Flow) -> Table:
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
        rows=tuple(_outlook(item, flow) for item in flow.forecast),
        note=" ".join(notes),
        empty="Nothing is in progress or queued.",
    )  # fmt: skip


def _outlook(item: Outlook, flow: Flow) -> Row:
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
    )

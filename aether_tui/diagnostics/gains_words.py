"""Words, tables and the drawing of the gains report."""

from __future__ import annotations

from datetime import UTC

from aether_tui.diagnostics import metrics
from aether_tui.diagnostics.frame import Data
from aether_tui.diagnostics.gains_measure import REFERENCE, REFERENCE_DAYS, CycleGain, Gains
from aether_tui.human import number, plural
from aether_tui.report_model import (
    Block,
    Col,
    Fact,
    Facts,
    Finding,
    Gap,
    Plot,
    Point,
    Prose,
    Quantity,
    Row,
    Series,
    Table,
)  # fmt: skip


def headline(found: Gains) -> str:
    if len(found.cycles) < 2:
        have = found.cycles[0].cycle if found.cycles else "none"
        return f"A gain needs two cycles with cached tasks; {have} has them."
    last = found.cycles[-1]
    if last.cumulative.value is None:
        return f"No gain can be said for {last.cycle}: {last.reason}."
    span = _range(last.cumulative)
    months = (last.middle - found.cycles[0].middle).days / 30.4
    return (
        f"A dollar buys {last.cumulative.value:.2f}× {span} what it bought in {found.cycles[0].cycle}, at the same mix of tasks, "
        f"{months:.1f} months later; the 3–6× in 6 months claim would ask for {last.reference_low:.2f}–{last.reference_high:.2f}×."
    )


def _range(value: Quantity) -> str:
    return (
        f"[{value.low:.2f}–{value.high:.2f}]" if value.low is not None and value.high is not None else "(no interval)"
    )


def findings(found: Gains) -> tuple[Finding, ...]:
    said = []
    if found.left_out:
        said.append(Finding(id="gains.left-out", severity="info",
                            text=f"No cached task with outcome and price: {', '.join(found.left_out)}."))  # fmt: skip
    for before, row in zip(found.cycles, found.cycles[1:], strict=False):
        high, low = row.success.high, before.success.low
        if high is not None and low is not None and high < low:
            said.append(Finding(
                id=f"gains.success.{row.cycle}", severity="warn",
                text=f"{row.cycle}: success fell, {_percent(before.success)} to {_percent(row.success)}; a gain bought with it is none",
            ))  # fmt: skip
        if row.gain.value and row.raw_gain and abs(row.raw_gain / row.gain.value - 1) > 0.1:
            said.append(Finding(
                id=f"gains.mix.{row.cycle}", severity="info",
                text=f"{row.cycle}: with the change of mix the gain would read {row.raw_gain:.2f}×, not {row.gain.value:.2f}×",
            ))  # fmt: skip
        if row.breaches:
            said.append(Finding(id=f"gains.breach.{row.cycle}", severity="bad",
                                text=f"{row.cycle}: guardrails reached their margin: {', '.join(row.breaches)}"))  # fmt: skip
    last = found.cycles[-1] if len(found.cycles) > 1 else None
    if last and last.cumulative.high is not None and last.cumulative.low is not None:
        if last.cumulative.high < last.reference_low:
            words = "below the 3–6× claim: the whole interval is under its lower line"
        elif last.cumulative.low <= last.reference_low:
            words = "not told apart from the 3–6× claim's lower line yet"
        else:
            words = "at or above the lower line of the 3–6× claim"
        said.append(Finding(id="gains.reference", severity="info", text=f"{last.cycle} is {words}."))
    return tuple(said)


def _percent(value: Quantity) -> str:
    return "—" if value.value is None else f"{100 * value.value:.1f} %"


def blocks(found: Gains, data: Data) -> tuple[Block, ...]:
    if not found.cycles:
        reason = "no cycle has cached tasks with an outcome and a price"
        step = "load traces, map their outcome, and start a cycle (aether-tui doc new cycle)"
        if narrowed := data.filters.sentence():
            reason, step = f"{reason} for {narrowed}", "press esc for all"
        return (Gap(id="gains.cycles", title="Gains", reason=reason, next_step=step),)
    last = found.cycles[-1]
    facts = Facts(id="gains.now", facts=(
        Fact(id="gains.cumulative", label="cumulative", value=last.cumulative, note=f"since {found.cycles[0].cycle}", better="higher",
             why=metrics.why("gains.cumulative", None, f"{found.value}; cost: {found.costs}")),
        Fact(id="gains.success", label="success", value=last.success, better="higher", previous=found.cycles[-2].success
             if len(found.cycles) > 1 else None, why=metrics.why("gains.success")),
        Fact(id="gains.breaches", label="breaches", value=Quantity(value=len(last.breaches), unit="count"),
             state="block" if last.breaches else "pass", why="Guardrails that experiments of this cycle reached.\n"
             "rows: experiment documents (aether-tui doc list experiment)\naether-tui report gains --format json"),
    ))  # fmt: skip
    table = Table(
        id="gains.cycles", title="Cycle by cycle, at a fixed mix of tasks",
        columns=(
            Col(key="cycle", title="cycle", width=8, priority=10), Col(key="gain", title="gain", kind="number", width=6, priority=9),
            Col(key="total", title="cumulative", kind="number", width=10, priority=8),
            Col(key="interval", title="interval", width=13, priority=7),
            Col(key="constant", title="const. price", kind="number", width=12, priority=6),
            Col(key="success", title="success", kind="number", width=8, priority=6),
            Col(key="breaches", title="breaches", kind="number", width=8, priority=5),
            Col(key="mix", title="with mix", kind="number", width=8, priority=3),
            Col(key="tasks", title="tasks", kind="number", width=7, priority=2),
            Col(key="claim", title="3–6× claim", width=11, priority=4),
        ),
        rows=tuple(_table_row(row) for row in found.cycles),
    )  # fmt: skip
    how = f"{found.value[:1].upper()}{found.value[1:]}. Cost is {found.costs}. The claim is 3–6× in six months, at a cycle's age."
    drawn = (_plot(found),) if len(found.cycles) > 1 else ()
    return (facts, table, *drawn, Prose(id="gains.how", text=how))


def _times(value: float | None) -> str:
    return "—" if value is None else f"{value:.2f}×"


def _table_row(row: CycleGain) -> Row:
    repriced = (
        "" if row.repriced_share is None else f"; {100 * row.repriced_share:.0f} % of model cost has a listed price"
    )
    per = "—" if row.output_per_dollar is None else number(row.output_per_dollar)
    return Row(
        id=row.cycle,
        cells=(row.cycle, _times(row.gain.value), _times(row.cumulative.value),
               "" if row.cumulative.low is None else _range(row.cumulative), _times(row.constant_price), _percent(row.success),
               str(len(row.breaches)), _times(row.raw_gain), f"{row.tasks:,}", f"{row.reference_low:.2f}–{row.reference_high:.2f}×"),
        detail=f"{row.started} to {row.ended}, {plural(row.days, 'day')} with tasks, "
        f"{plural(row.clusters or 0, 'category', 'categories')} shared with the cycle before; "
        f"{per} of value per dollar{repriced}" + (f"\n{row.reason}" if row.reason else "")
        + (f"\nbreached: {', '.join(row.breaches)}" if row.breaches else ""),
        why=metrics.why("gains.cumulative"),
    )  # fmt: skip


def _plot(found: Gains) -> Plot:
    def at(row: CycleGain) -> float:
        return row.middle.replace(tzinfo=UTC).timestamp()

    begun = at(found.cycles[0])
    points = tuple(
        Point(
            x=at(row),
            y=row.cumulative.value,
            low=row.cumulative.low,
            high=row.cumulative.high,
            id=row.cycle,
            label=row.cycle,
        )
        for row in found.cycles
    )
    lines = tuple(
        Series(label=f"{factor:g}× in 6 months", points=tuple(
            Point(x=x, y=factor ** ((x - begun) / 86_400 / REFERENCE_DAYS)) for x in (begun, at(found.cycles[-1]))))
        for factor in REFERENCE
    )  # fmt: skip
    last = found.cycles[-1]
    said = _times(last.cumulative.value)
    return Plot(
        id="gains.plot", title="Output per dollar since the first cycle, against the claim", x_kind="time", y_title="times",
        series=(Series(label="cumulative", points=points, state="pass"), *lines),
        text=f"{last.cycle} stands at {said} against {last.reference_low:.2f}–{last.reference_high:.2f}× of the claim.",
        note="The lines are a claim to test, not a promise.", why=metrics.why("gains.cumulative"),
    )  # fmt: skip

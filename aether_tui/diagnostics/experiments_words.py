"""Words and tables of the experiments report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aether_tui.diagnostics import experiments_design as design
from aether_tui.human import amount, key_words, number, plural
from aether_tui.report_model import (
    GLYPHS,
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
)  # fmt: skip
from aether_tui.text import one_line, plain
from aether_tui.workspace.kinds import experiment as kind

if TYPE_CHECKING:
    from aether_tui.diagnostics.experiments_measure import DesignHelp, Item, Metric
    from aether_tui.workspace.kinds.experiment import Experiment

NEW = 'aether-tui experiment new "TITLE"'
MARKS: dict[str, State] = {
    "draft": "no-data",
    "reviewed": "info",
    "running": "running",
    "decided": "pass",
    "codified": "pass",
}
VERDICTS: dict[str, State] = {
    "scale": "pass",
    "kill": "block",
    "iterate": "warn",
    "invalid": "block",
    "none": "inconclusive",
}
GUARDRAILS: dict[str, State] = {"reached its margin": "block", "not known yet": "inconclusive", "holds": "pass"}
TABLE = "experiments.items"


def design_words(plan: DesignHelp | None) -> list[str]:
    """The plan in lines, for people."""
    if plan is None:
        return []
    lines = []
    if plan.n_total is not None:
        lines.append(f"needs {plan.n_total:,} tasks ({plan.n_control:,} in the control arm)")
    if plan.weeks is not None and plan.traffic_per_day.value is not None:
        rate = amount(plan.traffic_per_day.value, "per_day")
        lines.append(
            f"{plural(plan.weeks, 'week')} at {rate}"
            + ("" if plan.feasible else f": not feasible in {design.MAX_WEEKS} weeks")
        )
    lines += [f"lever {name}: {change}" for name, change in plan.levers]
    if plan.sequential_power is not None:
        enough = (
            "more than three times as many tasks would be needed" if plan.sequential_n_total is None
            else "enough" if plan.sequential_n_total == plan.n_total
            else f"{plan.sequential_n_total:,} tasks give the power wanted"
        )  # fmt: skip
        lines.append(
            f"decided by {plan.looks} early looks alone, simulated power {plan.sequential_power:.2f}: {enough}"
        )
    if plan.reason:
        lines.append(plan.reason)
    return lines


# --- Words ---------------------------------------------------------------------------------------------------------


def headline(items: tuple[Item, ...]) -> str:
    if not items:
        return "No experiment is written down yet."
    counts = [
        f"{sum(item.state == state for item in items)} {state}"
        for state in kind.STATES
        if any(i.state == state for i in items)
    ]
    first = next((item for item in items if item.next_action != "done"), None)
    ask = f" Next: {first.id}, {first.next_action}." if first else ""
    return f"{plural(len(items), 'experiment')}: {', '.join(counts)}.{ask}"


def findings(items: tuple[Item, ...]) -> tuple[Finding, ...]:
    found = []
    for item in items:
        if item.state == "running" and item.verdict == "invalid":
            found.append(
                Finding(id=f"experiments.srm.{item.id}", severity="bad", text=f"{item.id} is invalid: {item.why}")
            )
        found += [
            Finding(id=f"experiments.guardrail.{item.id}", severity="bad", text=f"{item.id}: guardrail {metric.name} reached its margin")
            for metric in item.metrics if item.state == "running" and metric.says == "reached its margin"
        ]  # fmt: skip
        if item.design is not None and item.design.feasible is False and item.state != "running":
            levers = "; ".join(f"{name}: {change}" for name, change in item.design.levers)
            found.append(Finding(id=f"experiments.feasible.{item.id}", severity="warn",
                                 text=f"{item.id} takes {item.design.weeks} weeks: not feasible in 8. {levers}"))  # fmt: skip
        if item.choice and item.verdict not in {item.choice, "none"}:
            found.append(Finding(id=f"experiments.against.{item.id}", severity="info",
                                 text=f"{item.id} was decided {item.choice}; the rule had said {item.verdict}"))  # fmt: skip
    return tuple(found)


def blocks(items: tuple[Item, ...], documents: list[Experiment]) -> tuple[Block, ...]:
    if not items:
        return (Gap(id=TABLE, title="Experiments", reason="no experiment is written down yet",
                    next_step=NEW, action="experiments.new"),)  # fmt: skip
    facts = tuple(
        Fact(id=f"experiments.{state}", label=state, value=Quantity(value=sum(item.state == state for item in items), unit="count"),
             state=MARKS[state] if any(item.state == state for item in items) else "no-data")
        for state in kind.STATES
    )  # fmt: skip
    rows = tuple(_row(item, one) for item, one in zip(items, documents, strict=True))
    table = Table(
        id=TABLE, title="By state",
        columns=(
            Col(key="id", title="id", width=7, priority=10), Col(key="title", title="experiment", priority=9),
            Col(key="level", title="level", width=5, priority=2),
            Col(key="state", title="state", width=12, priority=8), Col(key="verdict", title="computed", width=11, priority=5),
            Col(key="next", title="next", width=30, priority=7),
        ),
        rows=rows, note="↵ opens the one-pager; x shows the numbers behind the verdict",
    )  # fmt: skip
    measured = [(item, metric) for item in items for metric in item.metrics]
    effects = Table(
        id="experiments.effects", title="Effects, treatment minus control",
        columns=(
            Col(key="id", title="id", width=7, priority=10), Col(key="metric", title="metric", priority=9),
            Col(key="role", title="role", width=9, priority=4), Col(key="effect", title="effect", kind="number", width=9, priority=8),
            Col(key="interval", title="interval", width=30, priority=7, least=26), Col(key="says", title="says", width=18, priority=6),
        ),
        rows=tuple(_effect_row(item, metric) for item, metric in measured),
        empty="Nothing was measured yet.",
    )  # fmt: skip
    how = (
        "Intervals of 1 − alpha (95 % unless it says otherwise); of several primaries at Holm's levels, of guardrails one-sided. "
        "Before its planned end an experiment has wider ones that hold however often one looks. Tasks count as independent; where "
        "an arm is given to customers, name them in unit_attribute: then each counts once."
    )
    return (
        Facts(id="experiments.counts", facts=facts),
        table,
        effects,
        *((Prose(id="experiments.how", text=how),) if measured else ()),
    )


def _row(item: Item, one: Experiment) -> Row:
    state = f"{GLYPHS[MARKS[item.state]]} {item.state}" if not item.shadow else f"{GLYPHS['running']} in shadow"
    verdict = "" if item.state in {"draft", "reviewed"} else f"{GLYPHS[VERDICTS[item.verdict]]} {item.verdict}"
    numbers = [f"{metric.name}: {_words(metric)}" for metric in item.metrics]
    if item.srm_p is not None:
        numbers.append(f"sample ratio p {item.srm_p:.3g}")
    if item.n_needed:
        numbers.append(f"about {item.n_needed:,} per arm would decide")
    return Row(
        id=item.id, cells=(item.id, item.title, str(item.level), state, verdict, item.next_action),
        detail="\n".join(one_pager(item, one)),
        why="\n".join([f"computed verdict: {item.verdict}, {item.why}", *numbers, *design_words(item.design),
                       f"aether-tui experiment check {item.id}"]),
    )  # fmt: skip


def one_pager(item: Item, one: Experiment) -> list[str]:
    """The one-pager in lines, with what is missing first."""
    gaps = kind.missing(one)
    lines = [
        f"Level {one.level}, {kind.LEVELS[one.level]}" + (": exempt from the one-pager by choice" if one.exempt else "")
    ]
    if gaps:
        lines.append(
            f"{GLYPHS['warn']} {plural(len(gaps), 'field')} missing: " + ", ".join(key_words(gap.field) for gap in gaps)
        )
    elif not one.exempt:
        lines.append(f"{GLYPHS['pass']} the one-pager is complete")
    if one.if_we or one.then_we_expect or one.because:
        lines.append(
            f"If we {_said(one.if_we)}, then we expect {_said(one.then_we_expect)}, because {_said(one.because)}"
        )
    lines += [f"primary: {p.name} ({p.good} is better), worth having from {number(p.min_effect)}" for p in one.primary]
    lines += [f"guardrail: {g.name} ({g.good} is better), margin {number(g.margin)}" for g in one.guardrails]
    lines += [f"design: {line}" for line in design_words(item.design)]
    lines += [f"{label}: {one_line(value, 400)}" for label, value in (
        ("stop", one.stop_criteria), ("rollback", "; ".join(one.rollback_triggers)), ("rollback owner", one.rollback_owner),
        ("instrumentation", one.instrumentation), ("no shadow mode", "" if one.shadow_first else one.why_no_shadow),
    ) if value]  # fmt: skip
    lines += [f"seen: {one_line(seen.text, 300)} ({one_line(seen.who)}, {seen.when})" for seen in one.observations]
    for entry in one.history:
        extra = f" {entry.choice} (computed: {entry.computed})" if entry.choice else ""
        tail = f": {one_line(entry.note, 300)}" if entry.note else ""
        shadow = " in shadow" if entry.shadow else ""
        lines.append(f"{entry.when} {entry.to}{shadow}{extra} by {one_line(entry.who)}{tail}")
    return lines


def _said(words: str) -> str:
    return plain(words, 400).strip().rstrip(".") or "…"


def _effect_row(item: Item, metric: Metric) -> Row:
    value = metric.effect
    says = f"{GLYPHS[_says(metric.says)]} {metric.says}" if metric.says else "· no verdict"
    return Row(
        id=f"{item.id}.{metric.name}", cells=(item.id, metric.name, metric.role, _signed(value.value, value.unit), _interval(value), says),
        detail=f"{_words(metric)}; from {metric.source or 'nowhere yet'}" + (f", {metric.measured_on}" if metric.measured_on else ""),
        why=("smallest effect worth having " if metric.role == "primary" else "margin ") + amount(metric.bound, value.unit)
        + (f"; p {metric.p_value:.3g}" if metric.p_value is not None else "")
        + (f", {metric.p_adjusted:.3g} after Holm" if metric.p_adjusted is not None else ""),
    )  # fmt: skip


def _says(says: str) -> State:
    return VERDICTS.get(says, GUARDRAILS.get(says, "pass"))


def _words(metric: Metric) -> str:
    value = metric.effect
    if value.value is None:
        return value.reason or ""
    return f"{_signed(value.value, value.unit)} {_interval(value)} n {value.n:,}"


def _signed(value: float | None, unit: str) -> str:
    """Shares differ by points, not by percent."""
    if value is None:
        return "—"
    if unit == "ratio":
        return f"{100 * value:+.1f} pt".replace("-", "−")
    return ("+" if value >= 0 else "−") + amount(abs(value), unit)


def _interval(value: Quantity) -> str:
    if value.low is None or value.high is None:
        return value.reason or ""
    low, high = (_signed(one, value.unit) for one in (value.low, value.high))
    unit = high.partition(" ")[2]
    return f"[{low.removesuffix(f' {unit}') if unit else low} to {high}]"

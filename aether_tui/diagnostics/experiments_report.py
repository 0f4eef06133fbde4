"""Experiments by state, each with what it needs, what came out, and its next step (diagnostics G)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.diagnostics import experiments_design as design
from aether_tui.diagnostics.experiments_results import MetricResult, Outcome, from_cache, judged, where
from aether_tui.diagnostics.frame import Clock, Data, real, whole
from aether_tui.human import amount, number, plural
from aether_tui.report_model import (
    GLYPHS,
    Block,
    Col,
    Fact,
    Facts,
    Finding,
    Gap,
    Quantity,
    Report,
    Row,
    State,
    Table,
    missing,
)  # fmt: skip
from aether_tui.text import one_line, plain
from aether_tui.workspace.kinds import experiment as kind
from aether_tui.workspace.kinds.experiment import Experiment

if TYPE_CHECKING:
    from aether_tui.config import Config
    from aether_tui.workspace.documents import Documents

NEW = 'aether-tui experiment new "TITLE"'
TRAFFIC_DAYS = 28
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
TABLE = "experiments.items"


class Metric(Struct, frozen=True, kw_only=True):
    """Treatment minus control of one metric; `bound` is the smallest effect worth having, or the guardrail's margin."""

    name: str
    role: str
    better: str
    effect: Quantity
    p_value: float | None
    p_adjusted: float | None
    bound: float
    source: str
    measured_on: date | None
    says: str


class DesignHelp(Struct, frozen=True, kw_only=True):
    """Size and length the plan needs; `reason` says why a number is null. Traffic is of the last 28 days."""

    baseline: float | None
    n_total: int | None
    n_control: int | None
    traffic_per_day: Quantity
    weeks: int | None
    feasible: bool | None
    levers: tuple[tuple[str, str], ...]
    looks: int | None
    sequential_power: float | None
    sequential_n_total: int | None
    reason: str | None = None


class Item(Struct, frozen=True, kw_only=True):
    """One experiment as it stands."""

    id: str
    title: str
    level: int
    level_name: str
    process: bool
    state: str
    shadow: bool
    exempt: bool
    missing: tuple[str, ...]
    since: date | None
    ends: date | None
    opportunity: str
    verdict: str
    why: str
    srm_p: float | None
    n_needed: int | None
    metrics: tuple[Metric, ...]
    design: DesignHelp | None
    observations: int
    choice: str | None
    next_action: str


class Experiments(Struct, frozen=True, kw_only=True):
    """All experiments, those that ask for something first."""

    items: tuple[Item, ...]


def build(data: Data, documents: Documents, clock: Clock) -> Report[Experiments]:
    """The report."""
    found = [_item(one, data, documents.config, clock) for one in documents.of(Experiment)]
    order = ("running", "reviewed", "draft", "decided", "codified")
    found.sort(key=lambda pair: (order.index(pair[0].state), int(pair[0].id.removeprefix("EXP-"))))
    items = tuple(item for item, _ in found)
    broken = tuple(
        Finding(
            id=f"experiments.broken.{number}",
            severity="bad",
            text=one_line(problem.sentence(), 400),
            action="doc validate",
        )
        for number, problem in enumerate(documents.problems)
        if "/experiments/" in problem.file
    )
    return Report(
        report="experiments", title="Experiments", as_of=clock.now, window=clock.window, data=Experiments(items=items),
        headline=_headline(items), findings=(*broken, *_findings(items)), freshness=data.freshness(),
        blocks=_blocks(items, [one for _, one in found]),
    )  # fmt: skip


def _item(one: Experiment, data: Data, config: Config, clock: Clock) -> tuple[Item, Experiment]:
    outcome = Outcome("none", "not started")
    if one.state in kind.WHOLE:
        results = list(one.results)
        known = {item.metric for item in results}
        if one.state == "running":  # what the cache says now, under what people recorded
            results += [item for item in from_cache(one, data, config, clock.now) if item.metric not in known]
        outcome = judged(one, results)
    held = one.decision
    since = one.last.when if one.last else one.created
    return Item(
        id=one.id, title=one_line(one.title), level=one.level, level_name=kind.LEVELS[one.level], process=one.process,
        state=one.state, shadow=one.state == "running" and one.exposed is None, exempt=one.exempt,
        missing=tuple(gap.field for gap in kind.missing(one)), since=since, ends=_ends(one), opportunity=one.opportunity,
        verdict=held.computed or "none" if held else outcome.verdict, why=outcome.why, srm_p=outcome.srm_p,
        n_needed=outcome.n_needed, metrics=tuple(_metric(row) for row in outcome.metrics),
        design=help_with(one, data, clock) if one.state in {"draft", "reviewed", "running"} and not one.process else None,
        observations=len(one.observations), choice=held.choice if held else None, next_action=_next(one, outcome, clock.now.date()),
    ), one  # fmt: skip


def _ends(one: Experiment) -> date | None:
    begun = one.exposed or one.started
    if begun is None or one.duration_weeks is None:
        return None
    return begun + timedelta(weeks=one.duration_weeks)


def _next(one: Experiment, outcome: Outcome, today: date) -> str:
    gaps = len(kind.missing(one))
    if one.state == "draft":
        return f"fill in {plural(gaps, 'field')}, then review" if gaps else "have it reviewed"
    if one.state == "reviewed":
        if gaps:
            return f"fill in {plural(gaps, 'field')} before it starts"
        return "start in shadow" if one.shadow_first else "start"
    if one.state == "running":
        ends = _ends(one)
        if outcome.verdict == "invalid":
            return "find out why the arms differ in size"
        if outcome.verdict == "kill" and any(row.says == "reached its margin" for row in outcome.metrics):
            return f"go back at once: {one.rollback_owner or 'the owner'}"
        if outcome.verdict == "none" and not outcome.metrics:
            return "measure: no result yet"
        if ends and today < ends:
            return f"wait until {ends}"
        if one.exposed is None:
            return "give it real traffic, or decide"
        return "decide" if one.observations else "observe somebody using it, then decide"
    if one.state == "decided":
        return "next round" if one.decision and one.decision.choice == "iterate" else "write it into the playbook"
    return "done"


def _metric(row: MetricResult) -> Metric:
    effect = row.effect
    shown = (
        missing(row.reason or "not measured", unit=row.unit)
        if effect is None
        else Quantity(
            value=effect.effect,
            low=effect.ci_low,
            high=effect.ci_high,
            n=effect.n_control + effect.n_treatment,
            unit=row.unit,
        )
    )
    return Metric(
        name=one_line(row.name), role=row.role, better=row.better, effect=shown, p_value=effect.p_value if effect else None,
        p_adjusted=row.p_adjusted, bound=row.bound, source=row.source, measured_on=row.when, says=row.says,
    )  # fmt: skip


# --- Design help ---------------------------------------------------------------------------------------------------


def help_with(one: Experiment, data: Data, clock: Clock) -> DesignHelp | None:
    """Size, weeks and looks of its plan from cached traffic; None when nothing of a plan is written yet."""
    if one.mde is None:
        return None
    today = datetime.combine(clock.now.date(), time())
    rows = data.rows(
        "experiment_traffic", from_at=today - timedelta(days=TRAFFIC_DAYS), to_at=today, **where(one, data)
    )
    row = rows[0] if rows and whole(rows[0]["n"]) else None
    seen = whole(row["n"]) if row else 0
    traffic = (
        Quantity(value=seen / TRAFFIC_DAYS, unit="per_day", n=seen)
        if seen
        else missing(
            "no cached tasks of this feature, request category and environment", unit="per_day", connect="traces"
        )
    )
    measure = one.primary[0].measure if one.primary else "typed"
    cached = row[measure] if row and measure != "typed" else None
    spread = row[f"sd_{measure}"] if row and measure in {"cost", "latency", "tokens"} else None
    baseline = one.baseline if one.baseline is not None else real(cached) if cached is not None else None
    sd = one.sd if one.sd is not None else real(spread) if spread is not None else None
    if baseline is None:
        return _no_help(traffic, "no baseline: type it, or name a primary metric that cached tasks carry")
    plan = design.Plan(
        baseline, one.mde, sd, bool(one.primary) and one.primary[0].better == "lower", one.alpha, one.power, one.treatment_share,
        one.cluster_size, one.icc, one.cuped_r2,
    )  # fmt: skip
    found = design.size(plan)
    if isinstance(found, str):
        return _no_help(traffic, found, baseline)
    if traffic.value is None or one.allocation is None:
        reason = "no allocation: which share of traffic is in it?" if one.allocation is None else traffic.reason
        return _no_help(traffic, reason or "", baseline, found)
    length = design.duration(found.n_total, traffic.value, one.allocation)
    looks = design.sequential(plan, found.n_total, min(length.weeks, design.MAX_WEEKS), clock.seed)
    return DesignHelp(
        baseline=baseline, n_total=found.n_total, n_control=found.n_control, traffic_per_day=traffic, weeks=length.weeks,
        feasible=length.feasible, levers=tuple((lever.lever, lever.change) for lever in length.levers), looks=looks.looks,
        sequential_power=looks.power, sequential_n_total=looks.n_total,
    )  # fmt: skip


def _no_help(
    traffic: Quantity, reason: str, baseline: float | None = None, size: design.Size | None = None
) -> DesignHelp:
    return DesignHelp(
        baseline=baseline, n_total=size.n_total if size else None, n_control=size.n_control if size else None,
        traffic_per_day=traffic, weeks=None, feasible=None, levers=(), looks=None, sequential_power=None,
        sequential_n_total=None, reason=reason,
    )  # fmt: skip


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
        lines.append(f"looking {plan.looks} times, simulated power {plan.sequential_power:.2f}: {enough}")
    if plan.reason:
        lines.append(plan.reason)
    return lines


# --- Words ---------------------------------------------------------------------------------------------------------


def _headline(items: tuple[Item, ...]) -> str:
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


def _findings(items: tuple[Item, ...]) -> tuple[Finding, ...]:
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


def _blocks(items: tuple[Item, ...], documents: list[Experiment]) -> tuple[Block, ...]:
    if not items:
        return (Gap(id=TABLE, title="Experiments", reason="no experiment is written down yet",
                    next_step=f"{NEW} starts one, and n on this screen", action=""),)  # fmt: skip
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
            Col(key="interval", title="interval", width=24, priority=7), Col(key="says", title="says", width=18, priority=6),
        ),
        rows=tuple(_effect_row(item, metric) for item, metric in measured),
        empty="Nothing was measured yet.",
        note="95 % intervals; of several primaries at Holm's levels, of guardrails one-sided. "
        "Tasks count as independent; where an arm is given to customers, name them in unit_attribute: then each counts once.",
    )  # fmt: skip
    return (Facts(id="experiments.counts", facts=facts), table, effects)


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
        lines.append(f"{GLYPHS['warn']} {plural(len(gaps), 'field')} missing: " + ", ".join(gap.field for gap in gaps))
    elif not one.exempt:
        lines.append(f"{GLYPHS['pass']} the one-pager is complete")
    if one.if_we or one.then_we_expect or one.because:
        lines.append(
            f"If we {_said(one.if_we)}, then we expect {_said(one.then_we_expect)}, because {_said(one.because)}"
        )
    lines += [
        f"primary: {p.name} ({p.better} is better), worth having from {number(p.min_effect)}" for p in one.primary
    ]
    lines += [f"guardrail: {g.name} ({g.better} is better), margin {number(g.margin)}" for g in one.guardrails]
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
    return VERDICTS.get(says, "block" if says == "reached its margin" else "pass")


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
        return f"{100 * value:+.1f} pt"
    return ("+" if value >= 0 else "−") + amount(abs(value), unit)


def _interval(value: Quantity) -> str:
    if value.low is None or value.high is None:
        return value.reason or ""
    return f"[{_signed(value.low, value.unit)} to {_signed(value.high, value.unit)}]"

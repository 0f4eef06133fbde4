"""Experiments by state, each with what it needs, what came out, and its next step (diagnostics G)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.diagnostics import experiments_design as design
from aether_tui.diagnostics.experiments_results import MetricResult, Outcome, from_cache, judged, where
from aether_tui.diagnostics.frame import Clock, Data, real, whole
from aether_tui.human import plural
from aether_tui.report_model import (
    Quantity,
    missing,
)  # fmt: skip
from aether_tui.text import one_line
from aether_tui.workspace.kinds import experiment as kind
from aether_tui.workspace.kinds.experiment import Experiment

if TYPE_CHECKING:
    from aether_tui.config import Config

TRAFFIC_DAYS = 28


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


def item_of(one: Experiment, data: Data, config: Config, clock: Clock) -> tuple[Item, Experiment]:
    """What is known of one experiment by its document and the cache, beside the document."""
    outcome = Outcome("none", "not started")
    if one.state in kind.WHOLE:
        results, silent = list(one.results), ""
        known = {item.metric for item in results}
        if one.state == "running":  # what the cache says now, under what people recorded
            found, silent = from_cache(one, data, config, clock.now)
            results += [item for item in found if item.metric not in known]
        outcome = judged(one, results, silent)
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
        if ends is None and one.event_count and outcome.events < one.event_count:
            return f"wait for {one.event_count:,} events: {outcome.events:,} so far"
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
            n=effect.n,
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
        baseline, one.mde, sd, bool(one.primary) and one.primary[0].good == "lower", one.alpha, one.power, one.treatment_share,
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

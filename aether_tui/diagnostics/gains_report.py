"""Effective output per dollar, cycle by cycle, from cached tasks (diagnostics A, compounding)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.diagnostics import metrics
from aether_tui.diagnostics.experiments_results import judged
from aether_tui.diagnostics.frame import Clock, Data, instant, real, text, whole
from aether_tui.diagnostics.gains import Gain, Work, gains, resampled
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
    Quantity,
    Report,
    Row,
    Series,
    Table,
    missing,
)  # fmt: skip
from aether_tui.stats.intervals import wilson
from aether_tui.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aether_tui.config import Config
    from aether_tui.workspace.documents import Documents
    from aether_tui.workspace.kinds.cycle import Cycle

DRAWS = 400
REFERENCE = (3.0, 6.0)
REFERENCE_DAYS = 182.5
"""The claim under test: three to six times as much per dollar in six months."""


class CycleGain(Struct, frozen=True, kw_only=True):
    """One cycle. Gains are ratios: 1.25 is a quarter more per dollar. `reason` says why a number is null.

    `constant_price` is the cumulative gain with model calls at the prices of the first cycle.
    """

    cycle: str
    started: date
    ended: date
    days: int
    tasks: int
    clusters: int | None
    success: Quantity
    breaches: tuple[str, ...]
    cost_usd: float
    output_per_dollar: float | None
    raw_gain: float | None
    gain: Quantity
    cumulative: Quantity
    constant_price: float | None
    repriced_share: float | None
    middle: datetime
    reference_low: float
    reference_high: float
    reason: str


class Gains(Struct, frozen=True, kw_only=True):
    """Cycles that have cached tasks, oldest first, and what was counted as value and cost."""

    cycles: tuple[CycleGain, ...]
    value: str
    costs: str
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    """A cycle with its days: raw work (successes not yet weighted, model cost only)."""

    cycle: Cycle
    start: datetime
    end: datetime
    days: list[dict[str, Work]]
    all_tasks: int

    @property
    def middle(self) -> datetime:
        """What it shows is an average, so it stands for its middle."""
        return self.start + (self.end - self.start) / 2

    def whole(self) -> dict[str, Work]:
        """All days together."""
        total: dict[str, Work] = {}
        for day in self.days:
            for key, work in day.items():
                old = total.get(key, Work(0, 0, 0))
                total[key] = Work(old.successes + work.successes, old.cost + work.cost, old.tasks + work.tasks)
        return total


def build(data: Data, documents: Documents, clock: Clock) -> Report[Gains]:
    """The report."""
    found = measure(data, documents, clock)
    return Report(
        report="gains", title="Gains", as_of=clock.now, window=clock.window, data=found, headline=_headline(found),
        findings=_findings(found), freshness=data.freshness(), blocks=_blocks(found),
    )  # fmt: skip


def measure(data: Data, documents: Documents, clock: Clock) -> Gains:
    """Gains of every cycle that has cached tasks with outcome and price."""
    seen = [one for cycle in documents.cycles if (one := _seen(cycle, data, clock))]
    with_tasks = [one for one in seen if one.days]
    left_out = tuple(cycle.id for cycle in documents.cycles if cycle.id not in {one.cycle.id for one in with_tasks})
    value_of, value_words = _values(documents, with_tasks)
    extra = _extras(with_tasks)
    costs = "model calls, infrastructure and review" if extra else (
        "model calls only: infra_cost_usd and review_cost_usd are not typed in every cycle")  # fmt: skip
    weighted = [
        [_weighted(day, value_of, rate) for day in one.days]
        for one, rate in zip(with_tasks, extra or [0.0] * len(with_tasks), strict=True)
    ]
    cycles = [(one.cycle.id, _sum(days)) for one, days in zip(with_tasks, weighted, strict=True)]
    rows = gains(cycles)
    drawn = resampled(weighted, DRAWS, clock.seed) if len(cycles) > 1 else []
    constant, shares = _constant(with_tasks, extra, value_of, data, documents.config)
    found = tuple(
        _row(
            one,
            row,
            drawn[place - 1] if place else (None, None),
            constant[place],
            shares[place],
            with_tasks[0].middle,
            documents,
        )
        for place, (one, row) in enumerate(zip(with_tasks, rows, strict=True))
    )
    return Gains(cycles=found, value=value_words, costs=costs, left_out=left_out)


def _seen(cycle: Cycle, data: Data, clock: Clock) -> _Seen | None:
    start = datetime.combine(cycle.started, time())
    now = clock.now.astimezone(UTC).replace(tzinfo=None)
    end = min(datetime.combine(cycle.ended + timedelta(days=1), time()) if cycle.ended else now, now)
    if end <= start:
        return None
    days: dict[datetime, dict[str, Work]] = {}
    all_tasks = 0
    for row in data.rows("gains_days", from_at=start, to_at=end):
        day, tasks = instant(row["day"]), whole(row["tasks"])
        all_tasks += whole(row["all_tasks"])
        if day and tasks:
            days.setdefault(day, {})[text(row["cluster"])] = Work(real(row["successes"]), real(row["cost_usd"]), tasks)
    return _Seen(cycle, start, end, [days[day] for day in sorted(days)], all_tasks)


def _values(documents: Documents, seen: Sequence[_Seen]) -> tuple[dict[str, float], str]:
    """What a success is worth by category, the same in every cycle: the newest cycle's words, else the north star's."""
    from aether_tui.workspace.kinds.north_star import NorthStar

    star = next(iter(documents.of(NorthStar)), None)
    newest = next(
        (one.cycle for one in reversed(seen) if one.cycle.value_per_success_usd or one.cycle.cluster_values_usd), None
    )
    base = newest.value_per_success_usd if newest and newest.value_per_success_usd is not None else None
    where = f"{newest.id}" if newest and base is not None else "the north star"
    if base is None and star is not None:
        base = star.value_per_success
    by_cluster = dict(newest.cluster_values_usd) if newest else {}
    if base is None:
        words = "a success counts as 1: no value per success is written in the north star or a cycle"
        return {**by_cluster, "": 1.0}, words
    words = f"a success is worth {number(base)} ({where})"
    return {**by_cluster, "": base}, words + (
        f", {plural(len(by_cluster), 'category', 'categories')} apart" if by_cluster else ""
    )


def _extras(seen: Sequence[_Seen]) -> list[float] | None:
    """Infrastructure and review per task of each cycle, over all of its tasks; None unless every cycle states both."""
    rates = []
    for one in seen:
        infra, review = one.cycle.infra_cost_usd, one.cycle.review_cost_usd
        if infra is None or review is None or not one.all_tasks:
            return None
        rates.append((infra + review) / one.all_tasks)
    return rates or None


def _weighted(day: dict[str, Work], value_of: dict[str, float], extra: float, deflator: float = 1.0) -> dict[str, Work]:
    return {
        key: Work(
            work.successes * value_of.get(key, value_of[""]), work.cost * deflator + work.tasks * extra, work.tasks
        )
        for key, work in day.items()
    }


def _sum(days: Sequence[dict[str, Work]]) -> dict[str, Work]:
    total: dict[str, Work] = {}
    for day in days:
        for key, work in day.items():
            old = total.get(key, Work(0, 0, 0))
            total[key] = Work(old.successes + work.successes, old.cost + work.cost, old.tasks + work.tasks)
    return total


def _constant(
    seen: Sequence[_Seen], extra: Sequence[float] | None, value_of: dict[str, float], data: Data, config: Config
) -> tuple[list[float | None], list[float | None]]:
    """Cumulative gain of each cycle with model calls at the first cycle's prices, and the share of cost so repriced."""
    deflators: list[float] = []
    shares: list[float | None] = []
    for one in seen:
        deflator, share = deflator_of(one.start, one.end, seen[0].start, data, config)
        deflators.append(deflator)
        shares.append(share)
    rates = extra or [0.0] * len(seen)
    cycles = [
        (one.cycle.id, _weighted(one.whole(), value_of, rate, deflator))
        for one, rate, deflator in zip(seen, rates, deflators, strict=True)
    ]
    return [row.cumulative for row in gains(cycles)], shares


def deflator_of(
    start: datetime, end: datetime, base: datetime, data: Data, config: Config
) -> tuple[float, float | None]:
    """Cost of the tokens of a span of time at the prices of `base` over that at its own, and the share of cost it rests on.

    Both from the price table (or `aether.toml`); what it does not know keeps its price.
    """
    from aether_tui.ingest.prices import Prices, Usage

    prices = Prices(config.prices)
    then = kept = total = known = 0.0
    for row in data.rows("gains_models", from_at=start, to_at=end):
        calls, cost = whole(row["calls"]), real(row["cost_usd"])
        total += cost
        if not calls or not cost:
            continue
        usage = Usage(*(round(real(row[name]) / calls) for name in ("input_tokens", "output_tokens", "cached_tokens")))
        provider = text(row["provider"]) or None
        at_base, at_own = (prices.cost(provider, text(row["model"]), at, usage, None).usd for at in (base, start))
        if at_base is None or not at_own:
            then, kept = then + cost, kept + cost
            continue
        known += cost
        then, kept = then + cost * float(at_base / Decimal(at_own)), kept + cost
    return (then / kept if kept else 1.0), (known / total if total else None)


def _row(one: _Seen, row: Gain, drawn: tuple[tuple[float, float | None, float | None] | None, ...], constant: float | None,
         share: float | None, first: datetime, documents: Documents) -> CycleGain:  # fmt: skip
    work = one.whole()
    tasks, good = int(sum(w.tasks for w in work.values())), sum(w.successes for w in work.values())
    low, high = wilson(good, tasks)
    elapsed = (one.middle - first).total_seconds() / 86_400 / REFERENCE_DAYS
    return CycleGain(
        cycle=one.cycle.id, started=one.cycle.started, ended=one.end.date() if one.cycle.ended is None else one.cycle.ended,
        days=len(one.days), tasks=tasks, clusters=row.clusters,
        success=Quantity(value=good / tasks, unit="ratio", n=tasks, low=low, high=high),
        breaches=_breaches(one, documents), cost_usd=sum(w.cost for w in work.values()), output_per_dollar=row.output_per_dollar,
        raw_gain=row.raw_gain, gain=_quantity(row.gain, drawn[0], tasks, row.reason),
        cumulative=_quantity(row.cumulative, drawn[1], tasks, row.reason), constant_price=constant, repriced_share=share, middle=one.middle,
        reference_low=REFERENCE[0] ** elapsed, reference_high=REFERENCE[1] ** elapsed, reason=row.reason,
    )  # fmt: skip


def _quantity(
    value: float | None, drawn: tuple[float, float | None, float | None] | None, n: int, reason: str
) -> Quantity:
    if value is None:
        return missing(reason or "nothing to compare with", n=n)
    if drawn is None:
        return Quantity(value=value, n=n)
    return Quantity(value=value, low=drawn[1], high=drawn[2], n=n)


def _breaches(one: _Seen, documents: Documents) -> tuple[str, ...]:
    """Guardrails that experiments of this cycle reached."""
    from aether_tui.workspace.kinds.experiment import Experiment

    found = []
    for item in documents.of(Experiment):
        day = item.ended or item.started
        if day is None or not one.start.date() <= day <= one.end.date():
            continue
        outcome = judged(item, item.results)
        found += [f"{item.id} {one_line(m.name)}" for m in outcome.metrics if m.says == "reached its margin"]
    return tuple(found)


# --- Words ---------------------------------------------------------------------------------------------------------


def _headline(found: Gains) -> str:
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


def _findings(found: Gains) -> tuple[Finding, ...]:
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


def _blocks(found: Gains) -> tuple[Block, ...]:
    if not found.cycles:
        return (Gap(id="gains.cycles", title="Gains", reason="no cycle has cached tasks with an outcome and a price",
                    next_step="load traces, map their outcome, and start a cycle (aether-tui doc new cycle)"),)  # fmt: skip
    last = found.cycles[-1]
    facts = Facts(id="gains.now", facts=(
        Fact(id="gains.cumulative", label="cumulative", value=last.cumulative, note=f"since {found.cycles[0].cycle}", better="higher",
             why=metrics.why("gains.cumulative", None, f"{found.value}; cost: {found.costs}")),
        Fact(id="gains.success", label="success", value=last.success, better="higher", previous=found.cycles[-2].success
             if len(found.cycles) > 1 else None, why=metrics.why("gains.success")),
        Fact(id="gains.breaches", label="breaches", value=Quantity(value=len(last.breaches), unit="count"),
             state="block" if last.breaches else "pass", why="Guardrails that experiments of this cycle reached."),
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
        note=f"{found.value}; cost: {found.costs}. The claim is three to six times in six months, at this cycle's age.",
    )  # fmt: skip
    return (facts, table, _plot(found)) if len(found.cycles) > 1 else (facts, table)


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
        why="Fisher index: geometric mean of the gain at the mix before and at the mix after\naether-tui report gains --format json",
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
        note="The lines are a claim to test, not a promise.",
    )  # fmt: skip

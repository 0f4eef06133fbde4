"""Effective output per dollar, cycle by cycle, from cached tasks (diagnostics A, compounding)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.diagnostics.experiments_results import judged
from aether_tui.diagnostics.frame import Clock, Data, instant, real, text, whole
from aether_tui.diagnostics.gains import Gain, Work, gains, resampled
from aether_tui.human import number, plural
from aether_tui.report_model import (
    Quantity,
    missing,
)  # fmt: skip
from aether_tui.stats.intervals import wilson
from aether_tui.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aether_tui.config import Config
    from aether_tui.workspace.documents import Documents
    from aether_tui.workspace.kinds.cycle import Cycle

REFERENCE = (3.0, 6.0)
REFERENCE_DAYS = 182.5
"""The claim under test: three to six times as much per dollar in six months."""
DRAWS = 400


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
    """Cost of the tokens of a span of time at the prices of `base` over that at those of each day, and the share of cost it
    rests on.

    Both from the price table (or `aether.toml`); what it does not know keeps its price.
    """
    from aether_tui.ingest.prices import Prices, Usage

    prices = Prices(config.prices)
    then = kept = total = known = 0.0
    for row in data.rows("gains_models", from_at=start, to_at=end):
        day, calls, cost = instant(row["day"]), whole(row["calls"]), real(row["cost_usd"])
        total += cost
        if not day or not calls or not cost:
            continue
        usage = Usage(*(round(real(row[name]) / calls) for name in ("input_tokens", "output_tokens", "cached_tokens")))
        provider = text(row["provider"]) or None
        at_base, at_own = (prices.cost(provider, text(row["model"]), at, usage, None).usd for at in (base, day))
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

"""Levers of the cloud bill: idle hours, resources that do not follow their load, interruptible prices."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aether_tui.diagnostics.frame import Data, Record, real, text, whole
from aether_tui.diagnostics.levers_model import DAYS_A_MONTH, Found, Lever, Unknown
from aether_tui.human import amount, money, plural
from aether_tui.text import one_line

COMPUTE = frozenset({"Compute", "AI and Machine Learning"})
"""FOCUS service categories of what can be switched off and interrupted."""
NIGHT = 13 / 24
"""Of a workday, the hours outside 07–18."""
SPOT = (0.6, 0.9)
"""Providers publish up to 90 % off the list price for interruptible capacity; much of it sells at 60 %."""
DISCOUNTED = 0.7
"""Below this share of the list price something has been committed to: a spot price would save less than it says."""
TOLERATED = 0.05
WORTH = 1.0
WEEKEND = 2 / 7


def find(data: Data) -> Found:
    """Levers of every environment and resource, and what a bill cannot tell."""
    charges = data.rows("levers_charges")
    unknown = [
        Unknown(
            surface="cost",
            lever="Sizes by CPU and memory",
            reason="a bill has no utilisation; only load by weekday is compared",
        )
    ]
    if not charges:
        unknown.append(
            Unknown(
                surface="cost",
                lever="Idle hours, sizes, spot",
                reason="no charge in this window; `aether-tui load` a FOCUS export",
            )
        )
    computing = [row for row in charges if text(row["category"]) in COMPUTE]
    apart = [row for row in computing if row["environment"] not in {None, "production"}]
    return [*_idle(apart), *_spot(apart), *_oversized(data, computing)], unknown


def _idle(apart: Sequence[Record]) -> list[Lever]:
    why = (
        "Low: weekends only. High: nights (18 to 07) of workdays, too, as if cost were even over the day. "
        "Compute outside production."
    )
    nights: Callable[[Record], float] = lambda row: (real(row["cost"]) - real(row["weekend"])) * NIGHT  # noqa: E731
    return _by_environment(
        "cost.idle",
        "Idle non-production hours",
        apart,
        lambda row: real(row["weekend"]),
        lambda row: real(row["weekend"]) + nights(row),
        why,
    )


def _spot(apart: Sequence[Record]) -> list[Lever]:
    why = "Interruptible capacity at 60 to 90 % off the list price, for compute outside production that pays at least 70 % of it."
    full = [row for row in apart if real(row["list"]) and real(row["cost"]) >= DISCOUNTED * real(row["list"])]

    def saves(off: float) -> Callable[[Record], float]:
        return lambda row: max(0.0, real(row["cost"]) - (1 - off) * real(row["list"]))

    return _by_environment("cost.spot", "Spot-eligible", full, saves(SPOT[0]), saves(SPOT[1]), why)


def _by_environment(
    identity: str,
    lever: str,
    rows: Sequence[Record],
    low: Callable[[Record], float],
    high: Callable[[Record], float],
    why: str,
) -> list[Lever]:
    groups: dict[tuple[str, str], list[Record]] = {}
    for row in rows:
        groups.setdefault((text(row["environment"]), text(row["currency"])), []).append(row)
    levers = []
    for (environment, currency), group in groups.items():
        a_month = DAYS_A_MONTH / max(whole(row["days"]) for row in group)
        least, most = (a_month * sum(map(bound, group)) for bound in (low, high))
        if most >= WORTH:
            levers.append(_lever(f"{identity}.{environment}", lever, environment, least, most, currency, group, why))
    return levers


def _oversized(data: Data, computing: Sequence[Record]) -> list[Lever]:
    """What costs as much at the weekend although fewer requests come."""
    load = {
        text(row["service"]): real(row["weekend"]) / real(row["workday"])
        for row in data.rows("levers_load")
        if row["weekend"] is not None and real(row["workday"])
    }
    levers = []
    for row in computing:
        follows = load.get(text(row["service"])) if row["environment"] == "production" else None
        workdays = (real(row["cost"]) - real(row["weekend"])) / (1 - WEEKEND)
        if follows is None or not workdays:
            continue
        paid = real(row["weekend"]) / WEEKEND / workdays
        month = DAYS_A_MONTH / max(whole(row["days"]), 1)
        high = month * real(row["weekend"]) * (1 - follows / paid) if paid > follows + TOLERATED else 0.0
        if high >= WORTH:
            name = one_line(text(row["resource"]), 60)
            why = (
                f"At weekends {amount(follows, 'ratio')} of a workday's model calls come, and {amount(paid, 'ratio')} of its cost stays. "
                "High: cost follows load at weekends. Quiet hours of workdays are not counted."
            )
            levers.append(
                _lever(
                    f"cost.size.{name}", "Over-sized for its load", name, 0.0, high, text(row["currency"]), [row], why
                )
            )
    return levers


def _lever(
    identity: str, lever: str, where: str, low: float, high: float, currency: str, rows: Sequence[Record], why: str
) -> Lever:
    behind = tuple(
        (
            one_line(text(row["resource"]), 60),
            f"{money(real(row['cost']), currency)} in {plural(whole(row['days']), 'day')}",
        )
        for row in rows[:8]
    )
    return Lever(
        id=identity, surface="cost", lever=lever, where=where, low=low, high=high, unit="money/month", currency=currency,
        n=len(rows), of=plural(len(rows), "resource"), why=why, rows=behind,
    )  # fmt: skip

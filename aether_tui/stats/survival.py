"""Times to an event of which some have not come yet (Kaplan & Meier 1958, JASA 53:457)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from aether_tui.stats.intervals import z_score


def median(times: Sequence[tuple[float, bool]], level: float = 0.95) -> tuple[float | None, float | None, float | None]:
    """Kaplan–Meier median of (duration, ended) and its interval; None for a point the curve does not reach.

    An entry that has not ended is censored at its duration. The interval inverts Greenwood's pointwise bounds on the log
    scale, as R's survfit does by default (Brookmeyer & Crowley 1982).
    """
    z = z_score(level)
    found: list[float | None] = [None, None, None]
    for time, survival, spread in _curve(times):
        low = survival * math.exp(-z * spread) if survival > 0 else 0.0
        high = survival * math.exp(z * spread) if survival > 0 else math.inf
        for index, bound in enumerate((survival, low, high)):
            if found[index] is None and bound <= 0.5 + 1e-12:
                found[index] = time
    return found[0], found[1], found[2]


def _curve(times: Sequence[tuple[float, bool]]) -> Iterator[tuple[float, float, float]]:
    """(time, S(t), standard error of log S(t)) at every event."""
    at_risk, survival, variance = len(times), 1.0, 0.0
    ordered = sorted(times)
    index = 0
    while index < len(ordered):
        time = ordered[index][0]
        here = [ended for moment, ended in ordered[index:] if moment == time]
        events = sum(here)
        if events:
            survival *= 1 - events / at_risk
            variance += events / (at_risk * (at_risk - events)) if at_risk > events else math.inf
            yield time, survival, math.sqrt(variance)
        at_risk -= len(here)
        index += len(here)

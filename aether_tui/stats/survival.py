"""Times to an event of which some have not come yet (Kaplan & Meier 1958, JASA 53:457)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from aether_tui.stats.intervals import z_score
from aether_tui.stats.sound import sound_all


def median(times: Sequence[tuple[float, bool]], level: float = 0.95) -> tuple[float | None, float | None, float | None]:
    """Kaplan–Meier median of (duration, ended) and its interval; None for a point the curve does not reach.

    An entry that has not ended is censored at its duration. The interval inverts Greenwood's pointwise bounds on the log
    scale, as R's survfit does by default (Brookmeyer & Crowley 1982).
    """
    sound_all(time for time, _ in times)
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
    counts = Counter((time, "event" if ended else None) for time, ended in times)
    for step in incidence([(time, cause, n) for (time, cause), n in counts.items()]):
        yield step.time, step.survival, step.spread


@dataclass(frozen=True, slots=True)
class Step:
    """The state of things at `time`: share still there, standard error of its log, and share that left by each cause."""

    time: float
    survival: float
    spread: float
    left: dict[str, float]


def incidence(counts: Sequence[tuple[float, str | None, int]]) -> list[Step]:
    """Cumulative incidence of competing causes (Aalen & Johansen 1978, Scand. J. Statist. 5:141), a step per event time.

    `counts` are (duration, cause, how many); a cause of None is censored at its duration. With one cause it is one minus
    Kaplan–Meier.
    """
    at_risk = sum(n for _, _, n in counts)
    survival, variance = 1.0, 0.0
    left: dict[str, float] = {}
    steps = []
    for time, group in groupby(sorted(counts, key=lambda item: item[0]), key=lambda item: item[0]):
        here = list(group)
        events = sum(n for _, cause, n in here if cause is not None)
        if events:
            for _, cause, n in here:
                if cause is not None:
                    left[cause] = left.get(cause, 0.0) + survival * n / at_risk
            survival *= 1 - events / at_risk
            variance += events / (at_risk * (at_risk - events)) if at_risk > events else math.inf
            steps.append(Step(time, survival, math.sqrt(variance), dict(left)))
        at_risk -= sum(n for _, _, n in here)
    return steps


def quantile(steps: Sequence[Step], share: float) -> float | None:
    """The time by which a share has left by any cause; None when the curve does not reach it."""
    return next((step.time for step in steps if step.survival <= 1 - share + 1e-12), None)


def left_by(steps: Sequence[Step], cause: str, time: float) -> float:
    """The share that left by `cause` until `time`."""
    return next((step.left.get(cause, 0.0) for step in reversed(steps) if step.time <= time), 0.0)

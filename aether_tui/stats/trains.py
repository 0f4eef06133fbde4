"""Release train against release on demand: how long finished changes wait, how many go out together, how often that fails.

Changes become ready as a Poisson process. A train leaves at fixed intervals, so a change finds it at a uniformly random moment
(Wolff 1982, Operations Research 30:223) and waits half an interval; the batch is Poisson. On demand every change is
a release of its own in a line with one server of fixed service time, M/D/1 (Pollaczek-Khinchine: Kleinrock 1975, Queueing
Systems I, 5.6). A release fails when one of its changes does, independently of the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from aether_tui.stats.queueing import kingman
from aether_tui.stats.sound import sound


@dataclass(frozen=True, slots=True)
class Policy:
    """One way to release. Times are in the unit of the rates; None when releases take longer than they are apart.

    `wait` is from ready to the start of the release, `lead` to its end; `batch` the mean number of changes in a release,
    `risk` the probability that it fails, `suspects` the mean number of changes in one that failed (None: none ever does).
    """

    wait: float | None
    lead: float | None
    interval: float
    batch: float
    risk: float
    failures: float
    """Failed releases per unit of time."""
    suspects: float | None


def train(arrivals: float, interval: float, release_time: float, failure_rate: float) -> Policy:
    """A release every `interval`. `arrivals` is a rate; `failure_rate` a share of changes."""
    sound(arrivals, interval, release_time, failure_rate)
    batch = arrivals * interval
    wait = interval / 2 if release_time <= interval else None
    risk = -math.expm1(-batch * failure_rate)
    # E[N; fails] = E[N] - E[N; all good], and the good changes of a Poisson batch are Poisson again
    in_failed = batch - batch * (1 - failure_rate) * math.exp(-batch * failure_rate)
    return Policy(
        wait=wait,
        lead=None if wait is None else wait + release_time,
        interval=interval,
        batch=batch,
        risk=risk,
        failures=risk / interval,
        suspects=in_failed / risk if risk else None,
    )


def on_demand(arrivals: float, release_time: float, failure_rate: float) -> Policy:
    """Every change is released alone, as soon as the one before is out."""
    sound(arrivals, release_time, failure_rate)
    wait = kingman(arrivals, 1 / release_time, 1, ca2=1, cs2=0) if release_time else 0.0
    return Policy(
        wait=wait,
        lead=None if wait is None else wait + release_time,
        interval=1 / arrivals,
        batch=1.0,
        risk=failure_rate,
        failures=arrivals * failure_rate,
        suspects=1.0 if failure_rate else None,
    )

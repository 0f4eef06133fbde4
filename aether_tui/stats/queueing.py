"""Waiting lines: M/M/c exactly, GI/G/c approximately."""

from __future__ import annotations

import math
from dataclasses import dataclass

from aether_tui.stats.sound import sound


@dataclass(frozen=True, slots=True)
class Queue:
    """Steady state. Times are in the unit of the rates; everything but `utilization` is None when it never settles."""

    utilization: float
    p_wait: float | None
    lq: float | None
    wq: float | None
    l: float | None  # noqa: E741 - Little's own letter
    w: float | None


def mmc(arrival_rate: float, service_rate: float, servers: int) -> Queue:
    """M/M/c by the Erlang-B recursion (Erlang 1917; Kleinrock 1975, §3.5). `service_rate` is that of one server."""
    sound(arrival_rate, service_rate)
    load = arrival_rate / service_rate
    utilization = load / servers
    if utilization >= 1:
        return Queue(utilization, None, None, None, None, None)
    blocking = 1.0
    for c in range(1, servers + 1):
        blocking = load * blocking / (c + load * blocking)
    p_wait = blocking / (1 - utilization * (1 - blocking))
    lq = p_wait * utilization / (1 - utilization)
    wq = lq / arrival_rate if arrival_rate else 0.0
    w = wq + 1 / service_rate
    return Queue(utilization, p_wait, lq, wq, arrival_rate * w, w)


def kingman(arrival_rate: float, service_rate: float, servers: int, ca2: float, cs2: float) -> float | None:
    """Mean wait of GI/G/c with squared variations of arrivals and service (Sakasegawa 1977; Kingman 1961 for c = 1)."""
    sound(arrival_rate, service_rate, ca2, cs2)
    utilization = arrival_rate / service_rate / servers
    if utilization >= 1:
        return None
    if utilization == 0:
        return 0.0
    exponent = math.sqrt(2 * (servers + 1)) - 1
    return (ca2 + cs2) / 2 * math.pow(utilization, exponent) / (servers * (1 - utilization)) / service_rate

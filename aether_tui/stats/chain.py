"""An absorbing Markov chain over the steps of a value stream (Kemeny & Snell 1960, ch. 3)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from aether_tui.stats.sound import sound_all


class Singular(ValueError):
    """No item ever leaves; `step` is the index of a step of the closed loop."""

    def __init__(self, step: int) -> None:
        super().__init__(f"step {step} is never left")
        self.step = step


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `error_rate` goes to `rework_to` (an index), or is a failed exit without one; `abandon_rate` leaves.

    Touch and wait in seconds, cost in money per visit, capacity in visits per month (None: unlimited).
    """

    name: str
    touch_s: float
    wait_s: float
    cost: float
    error_rate: float = 0.0
    abandon_rate: float = 0.0
    rework_to: int | None = None
    capacity_per_month: float | None = None


@dataclass(frozen=True, slots=True)
class Solved:
    """Per item that enters: expected visits per step, lead time in seconds, cost, and the share that succeeds."""

    visits: tuple[float, ...]
    lead_time_s: float
    cost: float
    success_rate: float
    rolled_yield: float
    """Share that comes through every step at the first try: the product of what each step lets through."""
    rate_per_month: float

    @property
    def cost_per_success(self) -> float | None:
        return self.cost / self.success_rate if self.success_rate > 0 else None


def solve(steps: Sequence[Step], demand_per_month: float) -> Solved:
    """Visits are the first row of N = (I − Q)⁻¹, found by Gaussian elimination with pivoting.

    The system's rate is the least of demand and capacityᵢ ÷ visitsᵢ. Raises Singular when a loop has no way out.
    """
    sound_all(value for s in steps for value in (s.touch_s, s.wait_s, s.cost, s.error_rate, s.abandon_rate))
    n = len(steps)
    transposed = [[float(i == j) for j in range(n)] for i in range(n)]
    for i, step in enumerate(steps):
        if step.rework_to is not None:
            transposed[step.rework_to][i] -= step.error_rate
        if i + 1 < n:
            transposed[i + 1][i] -= 1 - step.error_rate - step.abandon_rate
    visits = _solve_linear(transposed, [1.0] + [0.0] * (n - 1))
    success = visits[-1] * (1 - steps[-1].error_rate - steps[-1].abandon_rate)
    rate = min(
        [demand_per_month]
        + [
            s.capacity_per_month / v
            for s, v in zip(steps, visits, strict=True)
            if s.capacity_per_month is not None and v > 0
        ]
    )
    return Solved(
        visits=tuple(visits),
        lead_time_s=sum(v * (s.touch_s + s.wait_s) for s, v in zip(steps, visits, strict=True)),
        cost=sum(v * s.cost for s, v in zip(steps, visits, strict=True)),
        success_rate=success,
        rolled_yield=math.prod(1 - s.error_rate - s.abandon_rate for s in steps),
        rate_per_month=rate,
    )


def _solve_linear(matrix: list[list[float]], right: list[float]) -> list[float]:
    n = len(right)
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for column in range(n):
        pivot = max(range(column, n), key=lambda r: abs(rows[r][column]))
        if abs(rows[pivot][column]) < 1e-12:
            raise Singular(column)
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for r in range(column + 1, n):
            factor = rows[r][column] / rows[column][column]
            if factor:
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[column], strict=True)]
    result = [0.0] * n
    for r in reversed(range(n)):
        result[r] = (rows[r][n] - sum(rows[r][k] * result[k] for k in range(r + 1, n))) / rows[r][r]
    return result

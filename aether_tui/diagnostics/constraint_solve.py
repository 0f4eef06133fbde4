"""What one thing, improved 30 %, would unlock the most? (diagnostics E): every lever in turn, with how sure that is.

The chain is solved once per draw, N = (I − Q)⁻¹. A lever changes one row of Q, so that the visits after it follow from the
rank-one update of Sherman & Morrison (1950, Annals of Mathematical Statistics 21:124). Draw 0 is the values as written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from aether_tui.stats.cells import Cell, Kind
from aether_tui.stats.chain import Solved, Step, solve
from aether_tui.stats.intervals import nearest_rank

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from aether_tui.workspace.kinds.value_stream import StreamBody

    Array = NDArray[np.float64]

Lever = Literal["touch", "wait", "cost", "error", "abandonment", "capacity"]
Objective = Literal["money", "lead_time", "cost_per_success", "success_rate", "throughput"]
OBJECTIVES: tuple[Objective, ...] = ("money", "lead_time", "cost_per_success", "success_rate", "throughput")
WANTED: dict[Objective, int] = {"money": 1, "lead_time": -1, "cost_per_success": -1, "success_rate": 1, "throughput": 1}
"""Whether more is better (1) or less (-1)."""

FIELDS: dict[str, Kind] = {
    "touch_s": "size", "wait_s": "size", "cost": "size", "error_rate": "share", "abandon_rate": "share",
    "capacity_per_month": "size",
}  # fmt: skip
LEVERS: dict[Lever, str] = {
    "touch": "touch_s", "wait": "wait_s", "cost": "cost", "error": "error_rate", "abandonment": "abandon_rate",
    "capacity": "capacity_per_month",
}  # fmt: skip
LESS = 0.3
"""By how much a lever is improved: ×0.7, or ×1.3 for capacity."""
SURE = 0.6
"""Below this probability of the first step the advice is to measure first."""
DRAWS = 1000
LEVEL = 0.9


@dataclass(frozen=True, slots=True)
class Stream:
    """A value stream: where errors go (an index, or None: a failed exit), and the cells of each step."""

    names: tuple[str, ...]
    rework_to: tuple[int | None, ...]
    cells: tuple[Mapping[str, Cell], ...]
    demand_per_month: float
    value_per_success: float

    def steps(self) -> list[Step]:
        """The steps at the values as written."""
        found = []
        for name, target, cells in zip(self.names, self.rework_to, self.cells, strict=True):
            value = {field: cell.value for field, cell in cells.items()}
            found.append(
                Step(
                    name=name, touch_s=value.get("touch_s", 0.0), wait_s=value.get("wait_s", 0.0),
                    cost=value.get("cost", 0.0), error_rate=value.get("error_rate", 0.0),
                    abandon_rate=value.get("abandon_rate", 0.0), rework_to=target,
                    capacity_per_month=value.get("capacity_per_month"),
                )
            )  # fmt: skip
        return found


def stream_of(document: StreamBody) -> Stream:
    """The stream of a document."""
    names = tuple(step.name for step in document.steps)
    return Stream(
        names=names,
        rework_to=tuple(None if step.rework_to is None else names.index(step.rework_to) for step in document.steps),
        cells=tuple(
            {field: cell for field in FIELDS if (cell := getattr(step, field)) is not None} for step in document.steps
        ),
        demand_per_month=document.demand_per_month,
        value_per_success=document.value_per_success,
    )


@dataclass(frozen=True, slots=True)
class Improvement:
    """One lever improved by 30 %: what changes end to end, with 90 % intervals of the draws per objective.

    Seconds, money per success, shares, items and money a month. `p_top` is the share of draws in which it is the best
    lever of all for each objective.
    """

    step: str
    lever: Lever
    delta_lead_time: float
    delta_cost_per_success: float | None
    delta_success_rate: float
    delta_throughput: float
    delta_money_per_month: float
    intervals: Mapping[Objective, tuple[float, float]]
    p_top: Mapping[Objective, float]

    def delta(self, objective: Objective) -> float | None:
        """The change for an objective."""
        return {
            "money": self.delta_money_per_month, "lead_time": self.delta_lead_time,
            "cost_per_success": self.delta_cost_per_success, "success_rate": self.delta_success_rate,
            "throughput": self.delta_throughput,
        }[objective]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """The stream solved, every lever ranked by money, and per objective how probably each step holds the best lever.

    `money_per_month` is rate × (success × value − cost); `ceiling` what every failing item would be worth if it succeeded.
    `measure_first` names, per objective without a sure step, the cell that explains most of the doubt: (step, field, share of
    variance).
    """

    solved: Solved
    money_per_month: float
    ceiling: float
    improvements: tuple[Improvement, ...]
    p_step: Mapping[Objective, Mapping[str, float]]
    measure_first: Mapping[Objective, tuple[str, str, float] | None]
    success_low: float
    success_high: float
    rolled_low: float
    rolled_high: float

    def ranked(self, objective: Objective) -> tuple[Improvement, ...]:
        """Levers by an objective, best first; ties keep the order by money."""
        sign = WANTED[objective]
        return tuple(sorted(self.improvements, key=lambda one: -sign * round(one.delta(objective) or 0.0, 9)))

    def leader(self, objective: Objective) -> tuple[str, float] | None:
        """The step most probably holding the best lever, and that probability; None where no lever helps."""
        steps = self.p_step[objective]
        best = max(steps, key=lambda name: steps[name], default=None)
        return (best, steps[best]) if best is not None and steps[best] > 0 else None


def answer(stream: Stream, *, seed: int = 0, draws: int = DRAWS) -> Answer:
    """Solve, and try every lever in every draw. Raises `stats.chain.Singular` when nothing ever leaves."""
    import numpy as np

    solved = solve(stream.steps(), stream.demand_per_month)
    model = _Model(stream, _drawn(stream, seed, draws))
    levers = [
        (index, lever)
        for index, cells in enumerate(stream.cells)
        for lever, field in LEVERS.items()
        if field in cells and cells[field].value
    ]
    changes = {name: np.zeros((len(levers), draws + 1)) for name in OBJECTIVES}
    for place, (index, lever) in enumerate(levers):
        for name, change in model.improve(index, lever).items():
            changes[name][place] = change
    best = {name: _best(changes[name][:, 1:], WANTED[name]) for name in OBJECTIVES}
    spans = {name: _spans(changes[name][:, 1:]) for name in OBJECTIVES}
    improvements = []
    for place, (index, lever) in enumerate(levers):
        at = {name: float(changes[name][place, 0]) for name in OBJECTIVES}
        improvements.append(
            Improvement(
                step=stream.names[index],
                lever=lever,
                delta_lead_time=at["lead_time"],
                delta_cost_per_success=at["cost_per_success"] if solved.success_rate > 0 else None,
                delta_success_rate=at["success_rate"],
                delta_throughput=at["throughput"],
                delta_money_per_month=at["money"],
                intervals={name: spans[name][place] for name in OBJECTIVES},
                p_top={name: float((best[name] == place).mean()) for name in OBJECTIVES},
            )
        )
    at_step = np.array([index for index, _ in levers], dtype=int)
    p_step = {name: _per_step(stream, at_step, best[name]) for name in OBJECTIVES}
    (success_low, success_high), (rolled_low, rolled_high) = _spans(
        np.stack([model.success[1:], model.rolled[1:]]), 0.95
    )
    return Answer(
        solved=solved,
        money_per_month=float(model.money[0]),
        ceiling=float(model.rate[0] * (1 - model.success[0]) * stream.value_per_success),
        improvements=tuple(
            sorted(improvements, key=lambda one: (-round(one.delta_money_per_month, 9), one.delta_lead_time))
        ),
        p_step=p_step,
        measure_first={
            name: _doubtful(stream, model, WANTED[name] * changes[name][:, 1:], at_step, p_step[name])
            for name in OBJECTIVES
        },
        success_low=success_low,
        success_high=success_high,
        rolled_low=rolled_low,
        rolled_high=rolled_high,
    )


def _drawn(stream: Stream, seed: int, draws: int) -> dict[str, Array]:
    """Per field an array of (1 + draws, steps); row 0 is as written. Errors and abandonment stay below 1 together."""
    import numpy as np

    from aether_tui.stats.cells import draw

    rng = np.random.default_rng(seed % 2**64)
    found = {}
    for field, kind in FIELDS.items():
        empty = np.inf if field == "capacity_per_month" else 0.0
        columns = np.full((draws + 1, len(stream.names)), empty)
        for index, cells in enumerate(stream.cells):
            if field in cells:
                columns[0, index] = cells[field].value
                columns[1:, index] = draw(cells[field], kind, rng, draws)
        found[field] = columns
    together = found["error_rate"] + found["abandon_rate"]
    too_much = np.where(together > 0.999, 0.999 / np.maximum(together, 0.999), 1.0)
    too_much[0] = 1.0
    found["error_rate"] *= too_much
    found["abandon_rate"] *= too_much
    return found


BLOCK = 64
"""Draws that are inverted together."""


class _Model:
    """All draws solved at once; the last axis is the step."""

    def __init__(self, stream: Stream, drawn: dict[str, Array]) -> None:
        import numpy as np

        self._stream = stream
        self.drawn = drawn
        rows, n = drawn["cost"].shape
        on: Array = 1 - drawn["error_rate"] - drawn["abandon_rate"]
        self._inverse: Array = np.empty((rows, n, n))
        for begin in range(0, rows, BLOCK):  # a block at a time stays in the processor's cache
            some = slice(begin, begin + BLOCK)
            matrix: Array = np.tile(np.eye(n), (len(on[some]), 1, 1))
            for index, target in enumerate(stream.rework_to):
                if target is not None:
                    matrix[:, index, target] -= drawn["error_rate"][some, index]
                if index + 1 < n:
                    matrix[:, index, index + 1] -= on[some, index]
            self._inverse[some] = np.linalg.inv(matrix)
        self._visits: Array = self._inverse[:, 0, :]
        self._through = on[:, -1]
        self.rolled: Array = on.prod(axis=1)
        # What an item costs and takes from each step on: visits are linear, so a changed row changes these alike.
        self._times_on: Array = np.matmul(self._inverse, (drawn["touch_s"] + drawn["wait_s"])[:, :, None])[:, :, 0]
        self._cost_on: Array = np.matmul(self._inverse, drawn["cost"][:, :, None])[:, :, 0]
        self.success = self._visits[:, -1] * self._through
        self._lead, self._cost = self._times_on[:, 0], self._cost_on[:, 0]
        self._centred: dict[str, tuple[Array, Array]] = {}
        self._limited = [index for index in range(n) if np.isfinite(drawn["capacity_per_month"][0, index])]
        self.rate = self._rate(self._visits, drawn["capacity_per_month"])
        self.money = self._money(self.rate, self.success, self._cost)

    def _rate(self, visits: Array, capacity: Array) -> Array:
        import numpy as np

        demand = np.full(len(visits), self._stream.demand_per_month)
        if not self._limited:
            return demand
        used, there = visits[:, self._limited], capacity[:, self._limited]
        limits = np.divide(there, used, out=np.full_like(there, np.inf), where=used > 0)
        rate: Array = np.minimum(limits.min(axis=1), demand)
        return rate

    def centred(self) -> dict[str, tuple[Array, Array]]:
        """Per field the draws of every step less their mean, and the sums of their squares."""
        import numpy as np

        if not self._centred:
            for field, drawn in self.drawn.items():
                finite = np.where(np.isfinite(drawn[1:]), drawn[1:], 0.0)
                less = finite - finite.mean(axis=0)
                self._centred[field] = less, (less**2).sum(axis=0)
        return self._centred

    def _money(self, rate: Array, success: Array, cost: Array) -> Array:
        return rate * (success * self._stream.value_per_success - cost)

    def _per_success(self, cost: Array, success: Array) -> Array:
        import numpy as np

        return np.divide(cost, success, out=np.zeros_like(cost), where=success > 0)

    def improve(self, index: int, lever: Lever) -> dict[Objective, Array]:
        """What changes in every draw when one lever of one step gets 30 % better."""
        if lever in {"touch", "wait"}:
            field = "touch_s" if lever == "touch" else "wait_s"
            return {"lead_time": -LESS * self._visits[:, index] * self.drawn[field][:, index]}
        if lever == "cost":
            cost = self._cost - LESS * self._visits[:, index] * self.drawn["cost"][:, index]
            return self._against(self.success, cost, self._lead, self.rate)
        if lever == "capacity":
            capacity = self.drawn["capacity_per_month"].copy()
            capacity[:, index] *= 1 + LESS
            return self._against(self.success, self._cost, self._lead, self._rate(self._visits, capacity))
        return self._reroute(index, lever)

    def _reroute(self, index: int, lever: Lever) -> dict[Objective, Array]:
        """Fewer errors or less abandonment: row `index` of Q changes, and what it loses goes on to the next step."""
        import numpy as np

        fewer = LESS * self.drawn["error_rate" if lever == "error" else "abandon_rate"][:, index]
        target, n = self._stream.rework_to[index], len(self._stream.names)
        back = target if lever == "error" else None

        def changed(on: Array) -> Array:
            """How row `index` times `on` (per draw and step) changes, before its share of visits."""
            less: Array = np.zeros(on.shape[:1] + on.shape[2:])
            if index + 1 < n:
                less = less + on[:, index + 1]
            return less if back is None else less - on[:, back]

        reached = fewer * changed(self._inverse[:, :, index])
        scale = self._visits[:, index] * fewer / (1 - reached)
        rate = self.rate
        if self._limited:
            visits = self._visits + scale[:, None] * changed(self._inverse)
            rate = self._rate(visits, self.drawn["capacity_per_month"])
        last = self._visits[:, -1] + scale * changed(self._inverse[:, :, -1])
        through = self._through + fewer if index + 1 == n else self._through
        return self._against(
            last * through,
            self._cost + scale * changed(self._cost_on),
            self._lead + scale * changed(self._times_on),
            rate,
        )

    def _against(self, success: Array, cost: Array, lead: Array, rate: Array) -> dict[Objective, Array]:
        return {
            "money": self._money(rate, success, cost) - self.money,
            "lead_time": lead - self._lead,
            "cost_per_success": self._per_success(cost, success) - self._per_success(self._cost, self.success),
            "success_rate": success - self.success,
            "throughput": rate - self.rate,
        }


def _best(changes: Array, sign: int) -> NDArray[np.int64]:
    """The best lever in each draw; -1 where none helps."""
    import numpy as np

    if not len(changes):
        return np.full(changes.shape[1], -1)
    found = (sign * changes).argmax(axis=0)
    helps = (sign * changes).max(axis=0) > 1e-12
    return np.where(helps, found, -1)


def _spans(drawn: Array, level: float = LEVEL) -> list[tuple[float, float]]:
    """The interval of each row of draws, such as of a lever's change."""
    import numpy as np

    ordered, tail = np.sort(drawn, axis=1), (1 - level) / 2
    low, high = (ordered[:, nearest_rank(drawn.shape[1], share) - 1].tolist() for share in (tail, 1 - tail))
    return list(zip(low, high, strict=True))


def _per_step(stream: Stream, at_step: NDArray[np.int64], best: NDArray[np.int64]) -> dict[str, float]:
    import numpy as np

    counts = np.bincount(at_step[best[best >= 0]], minlength=len(stream.names)) / len(best)
    return dict(zip(stream.names, counts.tolist(), strict=True))


def _doubtful(
    stream: Stream, model: _Model, gains: Array, at_step: NDArray[np.int64], p_step: Mapping[str, float]
) -> tuple[str, str, float] | None:
    """The cell whose draws explain most of the lead of the first step over the second (squared correlation)."""
    held = sorted(p_step, key=lambda name: -p_step[name])[:2]
    if len(held) < 2 or p_step[held[1]] == 0 or p_step[held[0]] >= SURE:
        return None
    import numpy as np

    first, second = (gains[at_step == stream.names.index(name)].max(axis=0) for name in held)
    lead = first - second
    lead = lead - lead.mean()
    shares = {}
    for field, (centred, size) in model.centred().items():
        whole = size * (lead @ lead)
        shares[field] = np.divide((lead @ centred) ** 2, whole, out=np.zeros_like(whole), where=whole > 0)
    found: tuple[str, str, float] | None = None
    for index, name in enumerate(stream.names):
        for field in stream.cells[index]:
            if shares[field][index] > (found[2] if found else 0.0):
                found = name, field, float(shares[field][index])
    return found

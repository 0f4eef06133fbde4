"""One number with what it rests on: measured n times, stated as a range, or just stated. How sure each is, as draws.

Shares are drawn from a Beta: Jeffreys' posterior (successes + ½, failures + ½) where measured, PERT on a stated range. Times,
money and capacities are drawn from a lognormal: around the mean of n exponential-like observations (variation 1, so that the
standard error is value ÷ √n), or with a stated range as its 5 % and 95 % points. A bare stated number is as sure as one for
which STATED_N events were counted (a standard error of 32 % of it), a stated 0 is certain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Kind = Literal["share", "size"]
STATED_N = 10
"""Events a number is worth that somebody stated without a range."""
LARGEST = 1e15
KEYS = ("value", "n", "who")


@dataclass(frozen=True, slots=True)
class Cell:
    """A value, and its evidence: `n` observations, or a stated range; `who` said or measured it."""

    value: float
    n: int | None = None
    low: float | None = None
    high: float | None = None
    who: str = ""

    @property
    def measured(self) -> bool:
        """Whether it was counted or timed."""
        return self.n is not None

    def words(self) -> str:
        """`measured n 400`, `stated by Dana, 0.1–0.2`, `stated`."""
        if self.n is not None:
            return f"measured n {self.n:,}" + (f" by {self.who}" if self.who else "")
        spread = f", {self.low:g}–{self.high:g}" if self.low is not None else ""
        return "stated" + (f" by {self.who}" if self.who else "") + spread

    def plain(self) -> object:
        """As it is written down."""
        value: object = self.value if self.low is None else [self.low, self.value, self.high]
        if self.n is None and not self.who:
            return value
        return (
            {"value": value} | ({"n": self.n} if self.n is not None else {}) | ({"who": self.who} if self.who else {})
        )


def read(raw: object, kind: Kind) -> Cell:
    """A cell from a number, `[low, mode, high]`, or `{value, n, who}`. Raises ValueError: `what; how to mend it`."""
    table = raw if isinstance(raw, dict) else {"value": raw}
    unknown = [str(key) for key in table if key not in KEYS]
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; a cell has value, n (observations) and who (said so)")
    raw, n, who = table.get("value"), table.get("n"), table.get("who", "")
    if n is not None and (isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= LARGEST):
        raise ValueError(f"n must be a whole number from 1, not {n!r}; leave it out where nothing was counted")
    if not isinstance(who, str) or len(who) > 200:
        raise ValueError("who must be a name of at most 200 characters; write it as text")
    parts = raw if isinstance(raw, list | tuple) else [raw]
    found = [float(part) for part in parts if isinstance(part, int | float) and not isinstance(part, bool)]
    if len(found) != len(parts) or len(found) not in {1, 3}:
        raise ValueError(f"must be a number or [low, mode, high], not {str(raw)[:40]!r}; write a plain number")
    low, value, high = found if len(found) == 3 else (found[0], found[0], found[0])
    _check(found, kind)
    if not low <= value <= high:
        raise ValueError("a range rises: low, mode, high; put the three numbers in order")
    if len(found) == 1 or low == high:
        return Cell(value, n, who=who)
    if n is not None:
        raise ValueError("a measured cell has a value and n, no range; leave out one of the two")
    return Cell(value, None, low, high, who)


def _check(values: list[float], kind: Kind) -> None:
    for value in values:
        if kind == "share" and not 0 <= value < 1:
            hint = f"; {value:g} % is {value / 100:g}" if 1 <= value <= 100 else "; write 5 % as 0.05"
            raise ValueError(f"must be a share from 0 to below 1, not {value:g}{hint}")
        if not (value == 0 or 1 / LARGEST <= value <= LARGEST):
            raise ValueError(f"must be a number, zero or more, not {value:g}; write a plain number")


def draw(cell: Cell, kind: Kind, rng: np.random.Generator, draws: int) -> NDArray[np.float64]:
    """Draws of what the cell could really be."""
    import numpy as np

    if cell.low is not None and cell.high is not None:
        return _of_range(cell.low, cell.value, cell.high, kind, rng, draws)
    if cell.value == 0 and not (cell.measured and kind == "share"):
        return np.zeros(draws)
    if kind == "share":
        return rng.beta(*_beta(cell), draws)
    variance = math.log1p(1 / (cell.n or STATED_N))
    return rng.lognormal(math.log(cell.value) - variance / 2, math.sqrt(variance), draws)


def _beta(cell: Cell) -> tuple[float, float]:
    """Both shapes: Jeffreys' posterior, or the mean as stated with the relative error of STATED_N events."""
    if cell.n is not None:
        hits = cell.value * cell.n
        return hits + 0.5, cell.n - hits + 0.5
    rare = min(cell.value, 1 - cell.value)
    size = max(STATED_N * (1 - rare) / rare - 1, 1.0)
    return cell.value * size, (1 - cell.value) * size


def _of_range(
    low: float, mode: float, high: float, kind: Kind, rng: np.random.Generator, draws: int
) -> NDArray[np.float64]:
    import numpy as np

    from aether_tui.stats.pert import sample

    if kind == "share" or mode == 0:
        return np.full(draws, sample(rng, low, mode, high, draws))
    z = 1.6448536269514722
    spread = math.log(high / low) / (2 * z) if low > 0 else math.log(high / mode) / z
    return rng.lognormal(math.log(mode), max(spread, 0.0), draws)

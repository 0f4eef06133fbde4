"""Three-point estimates as PERT distributions: a beta on [low, high] whose mean is (low + 4·mode + high) ÷ 6."""

from __future__ import annotations

import random
from functools import cache
from typing import TYPE_CHECKING

from aether_tui.stats.sound import sound

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


def draw(rng: random.Random, low: float, mode: float, high: float) -> float:
    """One draw (Malcolm et al. 1959, Operations Research 7:646, with the usual shape 4); `low` when the range is empty."""
    sound(low, mode, high)
    if high <= low:
        return low
    alpha = 1 + 4 * (mode - low) / (high - low)
    return low + (high - low) * rng.betavariate(alpha, 6 - alpha)


def sample(rng: np.random.Generator, low: float, mode: float, high: float, n: int) -> NDArray[np.float64] | float:
    """`n` draws at once; `low` itself when the range is empty."""
    sound(low, mode, high)
    if high <= low:
        return low
    alpha = 1 + 4 * (mode - low) / (high - low)
    return low + (high - low) * rng.beta(alpha, 6 - alpha, n)


SHAPES = 32
STEPS = 2048


def sample_many(rng: np.random.Generator, ranges: Sequence[tuple[float, float, float]], n: int) -> NDArray[np.float64]:
    """`n` draws of each range (low, mode, high), a row each: four times as fast as `sample`, for thousands of ranges.

    By inversion from a table of quantiles, between neighbouring shapes and shares; its distribution function is off by less
    than one in a thousand, a tenth of what 2,000 draws can tell.
    """
    import numpy as np

    table = _quantiles()
    found = np.empty((len(ranges), n))
    for row, (low, mode, high) in zip(found, ranges, strict=True):
        sound(low, mode, high)
        if high <= low:
            row[:] = low
            continue
        shape = SHAPES * (mode - low) / (high - low)
        at = min(int(shape), SHAPES - 1)
        quantile = table[at] + (shape - at) * (table[at + 1] - table[at])
        quantile *= high - low
        quantile += low
        rng.random(out=row)
        row *= STEPS
        below = row.astype(np.intp)
        row -= below
        row *= np.diff(quantile, append=high)[below]
        row += quantile[below]
    return found


@cache
def _quantiles() -> NDArray[np.float64]:
    """Quantiles at shares 0, 1/2048 … 1 of the PERT on [0, 1] with modes 0, 1/32 … 1, a row each."""
    import numpy as np

    x = (1 - np.cos(np.linspace(0, np.pi, 2 * STEPS + 1))) / 2  # dense at both ends
    middle, width = (x[1:] + x[:-1]) / 2, np.diff(x)
    share = np.linspace(0, 1, STEPS + 1)
    rising = np.log(middle)
    falling = np.log1p(-middle)
    rows = []
    for mode in np.linspace(0, 1, SHAPES + 1):
        mass = np.exp(4 * mode * rising + 4 * (1 - mode) * falling) * width
        below = np.concatenate(([0.0], np.cumsum(mass)))
        rows.append(np.interp(share, below / below[-1], x))
    return np.array(rows)

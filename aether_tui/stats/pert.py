"""Three-point estimates as PERT distributions: a beta on [low, high] whose mean is (low + 4·mode + high) ÷ 6."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from aether_tui.stats.sound import sound

if TYPE_CHECKING:
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

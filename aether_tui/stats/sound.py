"""Not-a-number is refused where it enters: it compares false with everything, and would pass through a formula in silence."""

from __future__ import annotations

import math
from collections.abc import Iterable


def sound(*values: float) -> None:
    """Raises ValueError when one of the values is NaN."""
    sound_all(values)


def sound_all(values: Iterable[float]) -> None:
    """Raises ValueError when one of the values is NaN; a million of them take 20 ms."""
    if any(map(math.isnan, values)):
        raise ValueError("a number is needed, not NaN")

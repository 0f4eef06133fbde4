"""Whether two people who sort the same things agree beyond chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def cohen_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """(observed − expected) ÷ (1 − expected) agreement (Cohen 1960, Educational and Psychological Measurement 20:37).

    1 is full agreement, 0 that of chance; None without pairs, or where both put everything under one label.
    """
    if not pairs:
        return None
    n = len(pairs)
    observed = sum(first == second for first, second in pairs) / n
    left, right = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    expected = sum(left[label] * right[label] for label in left) / n**2
    return None if expected >= 1 else (observed - expected) / (1 - expected)

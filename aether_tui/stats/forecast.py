"""When will N items be done? Bootstrap of weekly throughput (Magennis 2011; Vacanti 2015)."""

from __future__ import annotations

import random
from collections.abc import Sequence

MAX_WEEKS = 1040


def weeks_to_finish(throughput: Sequence[float], items: float, *, draws: int, seed: int) -> list[int] | None:
    """Sorted weeks needed in each draw of past weeks with replacement; None when no week finished anything.

    A draw that has not ended after 20 years counts as 20 years.
    """
    if not any(week > 0 for week in throughput):
        return None
    rng = random.Random(seed)
    weeks = []
    for _ in range(draws):
        left, count = items, 0
        while left > 0 and count < MAX_WEEKS:
            left -= rng.choice(throughput)
            count += 1
        weeks.append(count)
    return sorted(weeks)

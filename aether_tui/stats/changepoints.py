"""Steps in a series: where the level before and the level after differ by more than chance.

Around every point the values of a window before and a window after are compared, and the strongest place wins, as Mozilla's
Treeherder does with t. Here the evidence is the two-sided Mann–Whitney test, which single outliers cannot make or hide, and
the cut is put where least absolute deviation is left. The series is then cut there and both parts searched again (binary
segmentation: Scott & Knott 1974, Biometrics 30:507), so that one step is found once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from statistics import median
from typing import Literal

from aether_tui.stats.ranks import mann_whitney, tails
from aether_tui.stats.sound import sound_all

WINDOW = 20
"""Points looked at on each side; more would mix neighbouring steps."""
LEAST = 5
"""Points needed on each side."""


@dataclass(frozen=True, slots=True)
class Change:
    """A step: `at` is the index of the first point of the new level, levels are medians of up to a window.

    `confidence` is 1 − p, p corrected for every place that was tried in the series (Bonferroni).
    """

    at: int
    before: float
    after: float
    direction: Literal["up", "down"]
    confidence: float


Places = Callable[[int, int, int], Iterable[tuple[int, tuple[int, int, int, int]]]]


def changes(
    values: Sequence[float], *, level: float = 0.99, window: int = WINDOW, places: Places | None = None
) -> list[Change]:
    """Steps in order of time with at least this confidence. A slow trend or a season is no step, yet may be reported as one.

    `places` gives what `_places` does of these values, where it was counted before.
    """
    sound_all(values)
    cuts_tried = len(values) - 2 * LEAST + 1
    if cuts_tried < 1:
        return []
    counted = places or partial(_places, values)
    found: dict[int, float] = {}
    parts = [(0, len(values))]
    while parts:
        start, end = parts.pop()
        tried = [(2 * min(tails(*one)), place) for place, one in counted(start, end, window)]
        p, strongest = min(tried, default=(1.0, start))
        confidence = 1 - min(1.0, p * cuts_tried)
        if confidence >= level:
            at = _placed(values, max(start, strongest - window), strongest, min(end, strongest + window))
            found[at] = confidence
            parts += [(start, at), (at, end)]
    cuts = [0, *sorted(found), len(values)]
    return [
        _change(values[max(start, at - window) : at], values[at : min(end, at + window)], at, found[at])
        for start, at, end in zip(cuts, cuts[1:], cuts[2:], strict=False)
    ]


def _places(
    values: Sequence[float], start: int, end: int, window: int
) -> Iterator[tuple[int, tuple[int, int, int, int]]]:
    """Every place in [start, end) with what `tails` asks of the window after it against the one before it.

    From place to place four values come or go, and only what they change is counted again.
    """
    first = start + LEAST
    before, after = sorted(values[max(start, first - window) : first]), sorted(values[first : min(end, first + window)])
    sizes = Counter([*before, *after])
    ties = sum(size**3 - size for size in sizes.values())
    wins = sum(_twice_below(before, value) for value in after)
    for at in range(first, end - LEAST + 1):
        yield at, (wins, len(after), len(before), ties)
        if at == end - LEAST:
            return
        value = values[at]
        wins -= _twice_below(before, value)
        del after[bisect_left(after, value)]
        wins += 2 * len(after) - _twice_below(after, value)
        insort(before, value)
        if at - window >= start:
            value = values[at - window]
            del before[bisect_left(before, value)]
            wins -= 2 * len(after) - _twice_below(after, value)
            sizes[value] -= 1
            ties -= 3 * sizes[value] * (sizes[value] + 1)
        if at + window < end:
            value = values[at + window]
            wins += _twice_below(before, value)
            insort(after, value)
            ties += 3 * sizes[value] * (sizes[value] + 1)
            sizes[value] += 1


def _twice_below(ordered: Sequence[float], value: float) -> int:
    """Twice the values below `value`, and once those equal to it."""
    return bisect_left(ordered, value) + bisect_right(ordered, value)


def _placed(values: Sequence[float], start: int, at: int, end: int) -> int:
    """The cut in [start, end) that leaves the least absolute deviation from the two levels around `at`."""
    old, new = median(values[start:at]), median(values[at:end])
    gains = [abs(value - new) - abs(value - old) for value in values[start:end]]
    left = [0.0, *accumulate(gains)]
    return start + max(range(LEAST, len(left) - LEAST), key=lambda cut: (left[cut], -abs(start + cut - at)))


def _change(before: Sequence[float], after: Sequence[float], at: int, confidence: float) -> Change:
    old, new = median(before), median(after)
    rises = mann_whitney(after, before)[0] < 0.5
    return Change(at, old, new, "up" if rises else "down", confidence)

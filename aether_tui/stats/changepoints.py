"""Steps in a series: where the level before and the level after differ by more than chance.

Around every point the values of a window before and a window after are compared, and the strongest place wins, as Mozilla's
Treeherder does with t. Here the evidence is the two-sided Mann–Whitney test, which single outliers cannot make or hide, and
the cut is put where least absolute deviation is left. The series is then cut there and both parts searched again (binary
segmentation: Scott & Knott 1974, Biometrics 30:507), so that one step is found once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median
from typing import Literal

from aether_tui.stats.ranks import mann_whitney
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


def changes(values: Sequence[float], *, level: float = 0.99, window: int = WINDOW) -> list[Change]:
    """Steps in order of time with at least this confidence. A slow trend or a season is no step, yet may be reported as one."""
    sound_all(values)
    places = len(values) - 2 * LEAST + 1
    if places < 1:
        return []
    found: dict[int, float] = {}
    parts = [(0, len(values))]
    while parts:
        start, end = parts.pop()
        best = _strongest(values, start, end, window)
        if best is None:
            continue
        at, p = best
        adjusted = min(1.0, p * places)
        if 1 - adjusted >= level:
            found[at] = 1 - adjusted
            parts += [(start, at), (at, end)]
    cuts = [0, *sorted(found), len(values)]
    return [
        _change(values[max(start, at - window) : at], values[at : min(end, at + window)], at, found[at])
        for start, at, end in zip(cuts, cuts[1:], cuts[2:], strict=False)
    ]


def _strongest(values: Sequence[float], start: int, end: int, window: int) -> tuple[int, float] | None:
    """The place in [start, end) with the smallest p, and that p."""
    tried = []
    for at in range(start + LEAST, end - LEAST + 1):
        before, after = values[max(start, at - window) : at], values[at : min(end, at + window)]
        p = 2 * min(mann_whitney(after, before))
        tried.append((p, at))
    if not tried:
        return None
    p, at = min(tried)
    return _placed(values, max(start, at - window), at, min(end, at + window)), p


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

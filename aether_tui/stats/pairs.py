"""Which of two values is greater, of all pairs of a series, counted once for all of its windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from aether_tui.stats.changepoints import LEAST

Counts = npt.NDArray[np.int64]


class Pairs:
    """The pairs of a series as running sums, of which a window is four cells."""

    def __init__(self, values: Sequence[float]) -> None:
        self._values = np.asarray(values)
        row, column = self._values[None, :], self._values[:, None]
        self._twice_won = np.zeros((len(values) + 1, len(values) + 1), dtype=np.int64)
        won = (row > column).astype(np.int32) + (row >= column)
        won.cumsum(axis=0).cumsum(axis=1, out=self._twice_won[1:, 1:])

    def around(self, start: int, end: int, window: int) -> tuple[Counts, Counts, Counts]:
        """Twice U, and the sizes, of the window after every cut in [start, end) against the one before it."""
        at = np.arange(start + LEAST, end - LEAST + 1)
        low, high = np.maximum(start, at - window), np.minimum(end, at + window)
        sums = self._twice_won
        return sums[at, high] - sums[low, high] - sums[at, at] + sums[low, at], high - at, at - low

    def places(self, start: int, end: int, window: int) -> Iterator[tuple[int, tuple[int, int, int, int]]]:
        """Every cut in [start, end) with what `ranks.tails` asks of it."""
        wins, after, before = self.around(start, end, window)
        at = np.arange(start + LEAST, end - LEAST + 1)
        counts = (one.tolist() for one in (wins, after, before, self._ties(at - before, at + after, 2 * window)))
        return zip(at.tolist(), zip(*counts, strict=True), strict=True)

    def _ties(self, low: Counts, high: Counts, most: int) -> Counts:
        """The sum of size³ − size over groups of equal values is that of size² − 1 over their members."""
        if self._like is None:
            return np.zeros_like(low)
        members = low[:, None] + np.arange(most)
        inside, rows = members < high[:, None], np.minimum(members, len(self._like) - 1)
        size = self._like[rows, high[:, None]] - self._like[rows, low[:, None]]
        ties: Counts = np.where(inside, size * size - 1, 0).sum(axis=1)
        return ties

    @cached_property
    def _like(self) -> Counts | None:
        """How many values before a place equal each value; None where no two do."""
        if len(np.unique(self._values)) == len(self._values):
            return None
        same = self._values[None, :] == self._values[:, None]
        return np.pad(same.cumsum(axis=1), ((0, 0), (1, 0)))

"""Pairing the members of two groups so that the sum of their likeness is the largest (assignment problem)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def best_pairs(likeness: NDArray[np.float64]) -> list[tuple[int, int]]:
    """(row, column) pairs of the assignment of the largest sum, by row; the shorter side is wholly paired.

    Hungarian method by shortest augmenting paths (Jonker and Volgenant 1987), O(n³).
    """
    if likeness.size == 0:
        return []
    if likeness.shape[0] > likeness.shape[1]:
        return sorted((row, column) for column, row in best_pairs(likeness.T))
    cost = likeness.max() - likeness
    rows, columns = cost.shape
    by_row, by_column = np.zeros(rows + 1), np.zeros(columns + 1)
    owner = np.zeros(columns + 1, dtype=np.int64)  # row of each column, counted from 1; 0 is free
    for row in range(1, rows + 1):
        owner[0] = row
        least = np.full(columns + 1, np.inf)
        came = np.zeros(columns + 1, dtype=np.int64)
        done = np.zeros(columns + 1, dtype=bool)
        at = 0
        while True:
            done[at] = True
            reduced = cost[owner[at] - 1] - by_row[owner[at]] - by_column[1:]
            better = ~done[1:] & (reduced < least[1:])
            least[1:][better] = reduced[better]
            came[1:][better] = at
            open_ = np.where(done, np.inf, least)
            step, nearest = float(open_.min()), int(open_.argmin())
            by_row[owner[done]] += step
            by_column[done] -= step
            least[~done] -= step
            at = nearest
            if owner[at] == 0:
                break
        while at:
            owner[at] = owner[came[at]]
            at = int(came[at])
    return sorted((int(owner[column]) - 1, column - 1) for column in range(1, columns + 1) if owner[column])

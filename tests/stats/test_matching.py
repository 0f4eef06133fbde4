"""Pairing by likeness, as scipy does it."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from aether_tui.stats.matching import best_pairs


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (5, 5), (4, 9), (9, 4), (15, 15)])
def test_the_largest_sum_is_found(rows, columns):
    likeness = np.random.default_rng(rows * columns).normal(size=(rows, columns))
    pairs = best_pairs(likeness)
    assert len(pairs) == min(rows, columns)
    ours = sum(likeness[pair] for pair in pairs)
    assert ours == pytest.approx(likeness[linear_sum_assignment(likeness, maximize=True)].sum())


def test_nothing_is_paired_with_nothing():
    assert best_pairs(np.zeros((0, 3))) == []

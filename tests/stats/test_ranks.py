"""Rank statistics against scipy (a test oracle) and against published examples."""

from __future__ import annotations

import random
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from aether_tui.stats import ranks

SMALL = st.integers(1, 14)


def draw(seed: int, size: int, shift: float = 0.0) -> list[float]:
    generator = random.Random(seed)
    return [generator.gauss(10 + shift, 1) for _ in range(size)]


@given(SMALL, SMALL, st.integers(0, 10_000), st.floats(-2, 2))
@settings(max_examples=60, deadline=None)
def test_exact_p_values_are_scipys(m: int, n: int, seed: int, shift: float) -> None:
    now, base = draw(seed, m, shift), draw(seed + 1, n)
    oracle = stats.mannwhitneyu(now, base, alternative="greater", method="exact").pvalue
    assert ranks.mann_whitney_greater(now, base) == pytest.approx(oracle, abs=1e-12)


@given(st.lists(st.integers(0, 6), min_size=2, max_size=30), st.lists(st.integers(0, 6), min_size=2, max_size=30))
@settings(max_examples=60, deadline=None)
def test_p_values_with_ties_are_scipys(now: list[int], base: list[int]) -> None:
    if len(set(now + base)) == 1:
        assert ranks.mann_whitney_greater(now, base) == 1.0
        return
    if len(set(now + base)) == len(now + base):
        return
    oracle = stats.mannwhitneyu(now, base, alternative="greater", method="asymptotic").pvalue
    assert ranks.mann_whitney_greater(now, base) == pytest.approx(oracle, abs=1e-12)


def test_beyond_twenty_the_normal_approximation_is_used() -> None:
    now, base = draw(1, 5, 0.7), draw(2, 30)
    oracle = stats.mannwhitneyu(now, base, alternative="greater", method="asymptotic").pvalue
    assert ranks.mann_whitney_greater(now, base) == pytest.approx(oracle, abs=1e-12)


def test_published_example_of_hollander_and_wolfe() -> None:
    """Hollander & Wolfe, Nonparametric Statistical Methods (1973), table 4.1: permeability of human chorioamnion.

    Also the example of R's `wilcox.test`: W = 35, one-sided p = 0.1272; the estimate is 0.305.
    """
    at_term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    early = [1.15, 0.88, 0.90, 0.74, 1.21]
    assert ranks.mann_whitney_greater(at_term, early) == pytest.approx(0.1272, abs=5e-5)
    assert ranks.hodges_lehmann(at_term, early) == pytest.approx(0.305)
    low, high = ranks.shift_interval(at_term, early) or (0, 0)
    assert (low, high) == pytest.approx((-0.15, 0.76)), "R's conf.int of the same data"


@pytest.mark.parametrize(("m", "n"), [(5, 20), (5, 30), (8, 8), (20, 20)])
def test_the_interval_covers_as_often_as_it_says(m: int, n: int) -> None:
    generator = random.Random(m * 100 + n)
    hits = 0
    for _ in range(600):
        base = [generator.gauss(0, 1) for _ in range(n)]
        now = [generator.gauss(0.5, 1) for _ in range(m)]
        low, high = ranks.shift_interval(now, base) or (0.0, 0.0)
        hits += low <= 0.5 <= high
    assert 0.93 <= hits / 600 <= 0.985


def test_too_small_for_an_interval() -> None:
    assert ranks.shift_interval([1.0, 2.0], [3.0, 4.0, 5.0]) is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_holm_never_lowers_and_keeps_the_order(p_values: list[float]) -> None:
    adjusted = ranks.holm(p_values)
    assert all(a >= p for a, p in zip(adjusted, p_values, strict=True))
    assert all(a <= 1 for a in adjusted)
    for one, a in zip(p_values, adjusted, strict=True):
        for other, b in zip(p_values, adjusted, strict=True):
            assert not one < other or a <= b


def test_holm_by_hand() -> None:
    assert ranks.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_nearest_rank_and_mad() -> None:
    assert [ranks.quantile([15, 20, 35, 40, 50], share) for share in (0.05, 0.3, 0.4, 0.5, 1.0)] == [15, 20, 20, 35, 50]
    assert ranks.mad([1, 1, 2, 2, 4, 6, 9]) == 1
    with pytest.raises(ValueError, match="no values"):
        ranks.quantile([], 0.5)


@pytest.mark.parametrize(("n_base", "n_now", "alpha"), [(30, 5, 0.01), (10, 3, 0.05), (10, 3, 0.01), (10, 2, 0.05)])
def test_what_is_called_detectable_is_detected(n_base: int, n_now: int, alpha: float) -> None:
    """Power at the stated smallest rise is the promised 80 % or a little more, also where few runs cannot reach every p."""
    generator = random.Random(5)
    bases = [[generator.gauss(100, 5) for _ in range(n_base)] for _ in range(500)]
    rise = median(ranks.smallest_detectable(base, n_now, alpha) or 0 for base in bases)
    hits = sum(
        ranks.mann_whitney_greater([generator.gauss(100 * (1 + rise), 5) for _ in range(n_now)], base) < alpha
        for base in bases
    )
    assert 0.77 <= hits / 500 <= 0.89


def test_the_smallest_rise_by_owens_t() -> None:
    """σ of 1 against a median of 10: the rises that scipy's Owen's T gives for the same power, by a root search of its own."""
    base = [10 + at for at in (-2, -1 / ranks.MAD_TO_SD, 0, 1 / ranks.MAD_TO_SD, 2)]
    few = ranks.FEW[3]
    assert (ranks.smallest_detectable(base, 5) or 0) * 10 / few == pytest.approx(1.85326, abs=2e-5)
    assert (ranks.smallest_detectable(base, 5, 0.01) or 0) * 10 / few == pytest.approx(2.83622, abs=2e-5)
    assert (ranks.smallest_detectable(base, 3) or 0) * 10 / few == pytest.approx(2.49646, abs=2e-5)


def test_a_quantile_is_the_nearest_rank_whatever_the_float() -> None:
    """0.07 × 100 is 7.000000000000001 in floating point."""
    assert ranks.quantile(list(range(1, 101)), 0.07) == 7


def test_nothing_is_detectable_with_too_few() -> None:
    assert ranks.smallest_detectable([1.0, 2.0, 3.0], 1) is None
    assert ranks.smallest_detectable([5.0] * 20, 5) is None, "no noise seen is not a rise of nothing seen"


def test_both_sides_are_one_test_read_twice() -> None:
    for now, base in (([3, 1, 4], [2, 9]), ([1, 1, 2, 5], [1, 3]), (list(range(30)), list(range(5, 40)))):
        assert ranks.mann_whitney(now, base) == (
            ranks.mann_whitney_greater(now, base),
            ranks.mann_whitney_greater(base, now),
        )

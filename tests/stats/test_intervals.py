"""Intervals against scipy and by hand."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy import stats

from aether_tui.stats.forecast import weeks_to_finish
from aether_tui.stats.intervals import (
    nearest_rank,
    poisson,
    quantile,
    quantile_of_part,
    quantile_ranks,
    ratio,
    weighted_quantile,
    wilson,
)
from aether_tui.stats.pert import draw, sample_many


@pytest.mark.parametrize(("k", "n"), [(0, 10), (1, 10), (15, 62), (10, 10), (640, 1000), (0, 1), (41_000, 64_000)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilson_equals_scipy(k: int, n: int, level: float) -> None:
    expected = stats.binomtest(k, n).proportion_ci(level, method="wilson")
    assert wilson(k, n, level) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(("k", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_what_is_no_share(k: int, n: int) -> None:
    with pytest.raises(ValueError, match="not a share"):
        wilson(k, n)


@pytest.mark.parametrize(
    ("events", "low", "high"),
    [(0, 0, 3.689), (1, 0.0253, 5.572), (2, 0.2422, 7.225), (3, 0.6187, 8.767), (10, 4.795, 18.39)],
)
def test_poisson_of_few_is_the_exact_interval(events: int, low: float, high: float) -> None:
    # The exact limits as tables have them (Garwood 1936, Biometrika 28:437).
    assert poisson(events) == pytest.approx((low, high), rel=1e-3)


@pytest.mark.parametrize("events", [5, 19, 20, 53, 400])
def test_poisson_is_within_a_thousandth_of_the_exact_interval(events: int) -> None:
    exact = stats.chi2.ppf(0.025, 2 * events) / 2, stats.chi2.ppf(0.975, 2 * events + 2) / 2
    assert poisson(events) == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize(
    ("n", "p", "rank"), [(20, 0.85, 17), (1, 0.5, 1), (10, 0.5, 5), (100, 0.95, 95), (3, 0.99, 3), (7, 0.0, 1)]
)
def test_nearest_rank(n: int, p: float, rank: int) -> None:
    assert nearest_rank(n, p) == rank


@pytest.mark.parametrize("n", [6, 10, 23, 30, 100, 999])
@pytest.mark.parametrize("p", [0.5, 0.85, 0.95])
def test_quantile_ranks_cover_at_least_95_percent_and_are_tight(n: int, p: float) -> None:
    low, high = quantile_ranks(n, p)
    law = stats.binom(n, p)
    if low is None:
        assert law.cdf(0) > 0.025
    else:
        assert law.cdf(low - 1) <= 0.025 < law.cdf(low)
    if high is None:
        assert 1 - law.cdf(n - 1) > 0.025
    else:
        assert 1 - law.cdf(high - 1) <= 0.025 < 1 - law.cdf(high - 2)


def test_quantile_ranks_of_a_large_sample_agree_with_the_exact_ones() -> None:
    low, high = quantile_ranks(2001, 0.85)
    law = stats.binom(2001, 0.85)
    assert low is not None and high is not None
    assert law.cdf(high - 1) - law.cdf(low - 1) >= 0.95
    assert abs(low - law.ppf(0.025)) <= 2
    assert abs(high - law.ppf(0.975)) <= 2


def test_a_quantile_rests_on_a_part_around_it_no_wider_than_twice_the_root_of_n() -> None:
    for n in (*range(5, 400), 2000, 2001, 50_000):
        values = [value * value for value in range(n)]
        for p in (0.5, 0.85):
            first = max(1, round(p * n - n**0.5) - 5)
            part = values[first - 1 : round(p * n + n**0.5) + 5]
            assert quantile_of_part(n, p, part, first) == quantile(values, p)
    with pytest.raises(ValueError, match="value 5 of 10 is not among those from 6 to 10"):
        quantile_of_part(10, 0.5, values[5:10], 6)


def test_weighted_quantile_equals_that_of_the_values_written_out() -> None:
    pairs = [(3.0, 2), (1.0, 5), (2.0, 13), (9.0, 10)]
    written = sorted(value for value, count in pairs for _ in range(count))
    low, high = quantile_ranks(30, 0.5)
    assert low is not None and high is not None
    assert weighted_quantile(pairs, 0.5) == (written[14], written[low - 1], written[high - 1])


def test_weighted_quantile_of_few_values_has_no_upper_bound() -> None:
    # Both values lie above the p85 with probability 0.15² = 0.0225, so the smaller is a lower bound; nothing is an upper one.
    assert weighted_quantile([(5.0, 1), (7.0, 1)], 0.85) == (7.0, 5.0, None)


def test_ratio_by_hand() -> None:
    # Σx = 8, Σy = 20; residuals x − 0.4y are 0.6, −0.6, 0.2, −0.2, 0, their squares sum to 0.8;
    # half = 1.959964 × √(5/4 × 0.8) ÷ 20 = 0.0979982.
    pairs = [(2.6, 5.0), (1.4, 5.0), (1.8, 4.0), (1.4, 4.0), (0.8, 2.0)]
    assert ratio(pairs) == pytest.approx((0.4, 0.3020018, 0.4979982), abs=1e-6)


def test_ratio_of_few_days_has_no_interval() -> None:
    assert ratio([(1, 2), (2, 2)]) == (0.75, None, None)


@pytest.mark.parametrize("mode", [0.0, 0.013, 0.2, 0.5, 0.77, 1.0])
def test_tabled_pert_draws_follow_the_beta_distribution(mode: float) -> None:
    """Against scipy's exact distribution: the shares of sorted draws lie where so many uniform shares would."""
    drawn, point = sample_many(np.random.default_rng(3), [(2.0, 2 + 8 * mode, 10.0), (4.0, 4.0, 4.0)], 200_000)
    exact = stats.beta(1 + 4 * mode, 5 - 4 * mode).cdf((np.sort(drawn) - 2) / 8)
    assert np.abs(exact - (np.arange(len(drawn)) + 0.5) / len(drawn)).max() < 0.004  # Kolmogorov, p < .004
    assert drawn.min() >= 2
    assert drawn.max() <= 10
    assert (point == 4).all()


def test_pert_draws_have_the_mean_of_the_formula_and_stay_inside() -> None:
    rng = random.Random(7)
    drawn = [draw(rng, 2, 3, 10) for _ in range(20_000)]
    assert min(drawn) >= 2 and max(drawn) <= 10
    assert sum(drawn) / len(drawn) == pytest.approx((2 + 4 * 3 + 10) / 6, abs=0.03)
    assert draw(rng, 4, 4, 4) == 4


def test_weeks_are_drawn_as_the_standard_library_chooses_them() -> None:
    weeks, chosen = [0.0, 2.0, 5.0, 1.0, 3.0, 0.0, 4.0], random.Random(7)

    def until_done(left: float) -> int:
        count = 0
        while left > 0:
            left -= chosen.choice(weeks)
            count += 1
        return count

    assert weeks_to_finish(weeks, 20, draws=200, seed=7) == sorted(until_done(20) for _ in range(200))
    assert weeks_to_finish(weeks, 0, draws=3, seed=7) == [0, 0, 0]

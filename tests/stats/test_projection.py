"""Forecasts of a month: against exact series, a published line, and their own back-test."""

import math
import random
from datetime import date

import numpy as np
import pytest
from scipy.stats import theilslopes

from aether_tui.stats.projection import _line, past_months, project, realised

WEEK = (1.0, 1.06, 1.04, 1.02, 0.97, 0.63, 0.55)
START = date(2026, 6, 1)


def series(seed: int, growth: float, noise: float, days: int = 153) -> list[float]:
    """Daily spend from June on, growing by so much a month (compound), with a weekly pattern."""
    rng = random.Random(seed)
    return [
        100 * WEEK[(START.toordinal() + n - 1) % 7] * (1 + growth) ** (n / 30) * math.exp(rng.gauss(0, noise))
        for n in range(days)
    ]


def test_the_line_is_that_of_scipy():
    rng = np.random.default_rng(7)
    values = rng.normal(size=30).cumsum()
    slope, height = _line(values[None, :], np.arange(30.0))
    expected = theilslopes(values, np.arange(30.0))
    assert slope[0, 0] == pytest.approx(expected.slope)
    assert height[0, 0] == pytest.approx(np.median(values - expected.slope * np.arange(30.0)))


def test_a_week_that_repeats_is_continued_exactly():
    daily = [10.0, 20.0, 30.0, 40.0, 50.0, 5.0, 5.0] * 10  # from a Monday: 1 June to 9 August
    ahead = project(daily, START, spent=sum(daily[61:]), limit=None, seed=1)
    true = sum(daily[61:]) + sum(daily[n % 7] for n in range(70, 92))
    assert (ahead.total, ahead.low, ahead.high) == (pytest.approx(true), pytest.approx(true), pytest.approx(true))
    assert len(ahead.path) == 22


def test_a_step_stays():
    # Doubled for the last ten days of a flat series: 21 more days at 200, not somewhere between.
    daily = [100.0] * 61 + [200.0] * 10
    ahead = project(daily, START, spent=2000.0, limit=5000.0, seed=1)
    assert ahead.total == pytest.approx(2000 + 21 * 200, rel=0.02)
    assert ahead.crosses == (26, 26, 26)  # 2000 until the 10th, 200 a day: over 5000 on the 26th
    assert ahead.crosses_p == 1.0


def test_the_last_day_of_a_month_is_no_forecast_any_more():
    ahead = project([1.0] * 61, START, spent=31.0, limit=40.0, seed=1)
    assert (ahead.total, ahead.low, ahead.high, ahead.path, ahead.crosses) == (31.0, 31.0, 31.0, (), None)


def test_little_history_is_a_run_rate_without_a_band():
    ahead = project([10.0] * 13, START, spent=130.0, limit=200.0, seed=1)
    assert ahead.rough
    assert (ahead.total, ahead.low, ahead.high) == (pytest.approx(130 + 17 * 10), None, None)
    assert ahead.crosses == (21, 21, 21)  # after 20 days exactly 200; over it on the 21st


@pytest.mark.parametrize("daily", [[0.0] * 40, [0.0] * 39 + [1e9], [1.0, 0.0] * 20])
def test_days_without_spend_and_giants_do_not_break_it(daily):
    ahead = project(daily, START, spent=sum(daily[30:]), limit=100.0, seed=1)
    assert ahead.low is not None and 0 <= ahead.low <= ahead.total <= ahead.high < 1e13


def test_whole_past_months_only():
    assert past_months([1.0] * 153, START) == [date(2026, m, 1) for m in (6, 7, 8, 9)]
    assert past_months([1.0] * 40, date(2026, 6, 2)) == []


@pytest.mark.parametrize(("growth", "least"), [(0.0, 0.65), (0.2, 0.60)])
def test_the_band_holds_at_day_ten(growth, least):
    """Made on the 10th of October, the 80 % band holds the month's total: at +20 % a month in 60 % of cases or more."""
    held, n = 0, 40
    for seed in range(n):
        daily = series(seed, growth, 0.15)
        ahead = project(daily[:132], START, spent=sum(daily[122:132]), limit=None, seed=seed)
        held += ahead.low <= sum(daily[122:]) <= ahead.high
    print(f"\ngrowth {growth:.0%} a month: {held} of {n} in the 80 % band")
    assert held / n >= least


def test_realised_coverage_counts_forecasts_of_past_months():
    exact = realised([10.0] * 153, START, seed=1)
    # October is running: June (the 20th only, 14 days of history are needed), July, August and September by two forecasts.
    assert (exact.held, exact.n, exact.months) == (7, 7, 4)
    daily = [10.0] * 122 + [100.0] * 31
    assert realised([*daily, 1.0], START, seed=1).held < realised([*daily, 1.0], START, seed=1).n

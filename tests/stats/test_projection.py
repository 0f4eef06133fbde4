"""Forecasts of a month: against exact series, a published line, and their own back-test."""

import math
import random
from datetime import date, timedelta

import numpy as np
import pytest
from scipy import stats
from scipy.stats import theilslopes

from aether_tui.stats.projection import NORMAL, STUDENT, _line, past_months, project, realised

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


@pytest.mark.parametrize("weekend", [5.0, 0.1, 0.0])
def test_a_week_that_repeats_is_continued_exactly(weekend):
    daily = [10.0, 20.0, 30.0, 40.0, 50.0, weekend, weekend] * 10  # from a Monday: 1 June to 9 August
    ahead = project(daily, START, spent=sum(daily[61:]), limit=None, seed=1)
    true = sum(daily[61:]) + sum(daily[n % 7] for n in range(70, 92))
    assert (ahead.total, ahead.low, ahead.high) == (pytest.approx(true), pytest.approx(true), pytest.approx(true))
    assert len(ahead.path) == 22


def test_what_costs_on_one_day_of_the_week_goes_on_costing_then():
    ahead = project([70.0, *[0.0] * 6] * 10, START, spent=140.0, limit=None, seed=1)
    assert (ahead.low, ahead.total, ahead.high) == (420, 420, 420)  # Mondays 10, 17, 24 and 31 August


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


@pytest.mark.parametrize("known", [13, 61])  # a run-rate, and a forecast
def test_of_a_day_that_has_begun_only_the_rest_is_to_come(known):
    # Whole days to 31 July; of 1 August a quarter is over. 31 days of 10 are 310; over 19 in the last hours of the second day.
    ahead = project(
        [10.0] * known, date(2026, 8, 1) - timedelta(days=known), spent=2.5, limit=19.0, seed=1, to_come=0.75
    )
    assert (ahead.total, ahead.path[0][0], len(ahead.path)) == (pytest.approx(310), pytest.approx(10), 31)
    assert ahead.crosses == (2, 2, 2)


@pytest.mark.parametrize("daily", [[0.0] * 40, [0.0] * 39 + [1e9], [1.0, 0.0] * 20])
def test_days_without_spend_and_giants_do_not_break_it(daily):
    ahead = project(daily, START, spent=sum(daily[30:]), limit=100.0, seed=1)
    assert ahead.low is not None and 0 <= ahead.low <= ahead.total <= ahead.high < 1e13


def test_whole_past_months_only():
    assert past_months([1.0] * 153, START) == [date(2026, m, 1) for m in (6, 7, 8, 9)]
    assert past_months([1.0] * 40, date(2026, 6, 2)) == []


def other(seed: int) -> list[float]:
    """Months of another make than those the width was chosen on: a shop's week, lognormal days that hang together, weeks that
    are busier than others, a step in every third."""
    rng = random.Random(f"held out {seed}")
    week = [rng.uniform(0.3, 1.7) for _ in range(7)]
    noise, growth = rng.uniform(0.05, 0.3), rng.choice((-0.05, 0.0, 0.08, 0.15))
    step_at, step = rng.randrange(15, 115), rng.choice((1.0, 1.0, rng.choice((0.6, 1.4, 1.8))))
    days, near, busy = [], 0.0, 1.0
    for n in range(153):
        near = 0.3 * near + rng.gauss(0, noise)
        busy = rng.lognormvariate(0, noise / 4) if n % 7 == 0 else busy
        level = 80 * (1 + growth) ** (n / 30) * (step if n >= step_at else 1.0)
        days.append(level * week[n % 7] * busy * math.exp(near))
    return days


def working(seed: int) -> list[float]:
    """Nothing at weekends but, in one of ten, a day's work; 5 % more a month."""
    rng = random.Random(f"working {seed}")
    return [
        value if n % 7 < 5 or rng.random() < 0.1 else 0.0 for n, value in enumerate(series(30_000 + seed, 0.05, 0.15))
    ]


def held(daily: list[float], day: int, seed: int) -> bool:
    """Made on this day of October, does the band hold what October cost?"""
    ahead = project(daily[: 122 + day], START, spent=sum(daily[122 : 122 + day]), limit=None, seed=seed, draws=100)
    return ahead.low <= sum(daily[122:]) <= ahead.high


# In 300 each: 80 and 80 % at day 10 and 20 of another make; 81 % without, 82 % with 20 % of growth a month.
@pytest.mark.parametrize(
    ("name", "day", "make", "least"),
    [
        ("another make", 10, other, 0.70),
        ("another make", 20, other, 0.70),
        ("no growth", 10, lambda seed: series(10_000 + seed, 0.0, 0.15), 0.70),
        ("20 % a month", 10, lambda seed: series(20_000 + seed, 0.2, 0.15), 0.70),
        ("working days", 10, working, 0.70),
    ],
)
def test_the_band_holds_in_months_it_was_not_made_for(name, day, make, least):
    n = 100
    found = sum(held(make(seed), day, seed) for seed in range(n))
    print(f"\n80 % band at day {day}, {name}: {found} of {n} held")
    assert least <= found / n <= 0.97


def test_little_history_makes_a_month_unsure_and_not_dear():
    """Sixteen days, so that the band is some times as wide as they are: the totals stay where the months end."""
    off = []
    for seed in range(60):
        daily = series(40_000 + seed, 0.0, 0.3, days=30)  # June
        off.append(project(daily[:16], START, spent=sum(daily[:16]), limit=None, seed=seed).total / sum(daily) - 1)
    assert abs(float(np.median(off))) < 0.03


def test_student_is_that_of_scipy():
    assert tuple(stats.t.ppf(0.9, range(1, 7))) == pytest.approx(STUDENT, abs=5e-4)
    assert stats.norm.ppf(0.9) == pytest.approx(NORMAL, abs=5e-5)


def test_realised_coverage_counts_forecasts_of_past_months():
    exact = realised([10.0] * 153, START, seed=1)
    # October is running: June (the 20th only, 14 days of history are needed), July, August and September by two forecasts.
    assert (exact.held, exact.n, exact.months) == (7, 7, 4)
    daily = [10.0] * 122 + [100.0] * 31
    assert realised([*daily, 1.0], START, seed=1).held < realised([*daily, 1.0], START, seed=1).n

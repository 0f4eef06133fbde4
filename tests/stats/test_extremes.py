"""At the edges: two values, shares of 0 and 1, no spread, ties, a million rows, and not-a-number refused with a sentence."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from aether_tui.diagnostics.experiments import means, proportions
from aether_tui.stats import (
    changepoints,
    distributions,
    forecast,
    intervals,
    pert,
    power,
    queueing,
    ranks,
    sequential,
    survival,
    trains,
)
from aether_tui.stats.chain import Step, solve

NAN = math.nan
ASKED: list[Callable[[], object]] = [
    lambda: distributions.norm_cdf(NAN), lambda: distributions.norm_ppf(NAN), lambda: distributions.beta_inc(2, 3, NAN),
    lambda: distributions.t_cdf(1, NAN), lambda: distributions.t_ppf(NAN, 3),
    lambda: distributions.nct_cdf(1, 3, NAN), lambda: intervals.wilson(NAN, 5),
    lambda: intervals.wilson(1, 2, NAN), lambda: intervals.quantile_ranks(5, NAN), lambda: intervals.nearest_rank(5, NAN),
    lambda: intervals.weighted_quantile([(NAN, 1), (1, 2)], 0.5), lambda: intervals.ratio([(NAN, 1)] * 6),
    lambda: power.proportions_power(10, NAN, 0.2, power.Test()), lambda: power.t_power(10, NAN, 1, power.Test()),
    lambda: power.cohen_h(NAN, 0.2), lambda: power.ratio_sd(1, NAN, 1, 1, 0), lambda: queueing.mmc(NAN, 1, 1),
    lambda: queueing.kingman(0.5, 1, 1, NAN, 1), lambda: ranks.quantile([1, NAN], 0.5), lambda: ranks.mad([1, NAN]),
    lambda: ranks.mann_whitney_greater([1, NAN], [2, 3]), lambda: ranks.hodges_lehmann([NAN], [2]),
    lambda: ranks.shift_interval([NAN] * 8, [2.0] * 8), lambda: ranks.holm([NAN, 0.1]),
    lambda: ranks.smallest_detectable([NAN, 1, 2], 5), lambda: sequential.half_width(NAN, 1, 10, 0.05),
    lambda: sequential.simulate_power(NAN, 1, 100, 5, 0.05, 0), lambda: survival.median([(NAN, True)]),
    lambda: trains.train(NAN, 1, 0.1, 0.1), lambda: trains.on_demand(NAN, 0.1, 0.1),
    lambda: forecast.weeks_to_finish([NAN, 1], 5, draws=10, seed=0), lambda: changepoints.changes([NAN] * 12),
    lambda: pert.draw(random.Random(0), NAN, 1, 2), lambda: pert.sample(np.random.default_rng(0), 1, NAN, 2, 3),
    lambda: solve([Step("a", 1, 1, NAN)], 1),
]  # fmt: skip


@pytest.mark.parametrize("ask", ASKED)
def test_not_a_number_is_refused_with_a_sentence(ask: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"is needed, not|is not a share"):
        ask()


def test_no_quantile_at_the_very_ends() -> None:
    for p in (0.0, 1.0):
        with pytest.raises(ValueError, match="between 0 and 1"):
            intervals.quantile_ranks(5, p)
    with pytest.raises(ValueError, match="not zero"):
        power.ratio_sd(1, 0, 1, 1, 0)


@pytest.mark.parametrize("n", [1, 2, 10, 10**6])
def test_shares_of_nothing_and_of_everything(n: int) -> None:
    for k in (0, n):
        expected = stats.binomtest(k, n).proportion_ci(0.95, "wilson")
        assert intervals.wilson(k, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_two_arms_without_any_difference_or_spread() -> None:
    none = proportions((0, 2), (0, 2))
    assert (none.effect, none.p_value) == (0, 1)
    all_of_them = proportions((0, 1000), (1000, 1000))
    assert all_of_them.p_value == pytest.approx(0, abs=1e-300)
    assert all_of_them.ci_high == pytest.approx(1)
    same = means([5] * 4, [5] * 4)
    assert (same.effect, same.ci_low, same.ci_high, same.p_value) == (0, 0, 0, 1)


def test_two_values_an_arm_are_welch() -> None:
    expected = stats.ttest_ind([2.0, 4.0], [1.0, 2.0], equal_var=False)
    assert means([1.0, 2.0], [2.0, 4.0]).p_value == pytest.approx(expected.pvalue)
    with pytest.raises(ValueError, match="at least two values"):
        means([1.0], [2.0, 3.0])


def test_certain_shares_have_power_one_and_no_effect_has_alpha() -> None:
    assert power.proportions_power(2, 0.0, 1.0, power.Test()) == 1
    assert power.proportions_power(10, 0.0, 0.0, power.Test()) == power.Test().alpha
    assert power.t_power(2, 1, 0, power.Test()) == 1


def test_nothing_but_ties() -> None:
    assert ranks.mann_whitney_greater([3] * 5, [3] * 7) == 1
    assert ranks.hodges_lehmann([3] * 5, [3] * 7) == 0
    assert ranks.mad([2, 2]) == 0
    assert changepoints.changes([4.0] * 100) == []


def test_a_million_rows() -> None:
    rng = np.random.default_rng(1)
    now, base = rng.normal(0.003, 1, 50_000), rng.normal(0, 1, 950_000)
    expected = stats.mannwhitneyu(now, base, alternative="greater", method="asymptotic").pvalue
    assert ranks.mann_whitney_greater(now.tolist(), base.tolist()) == pytest.approx(expected, rel=1e-9)
    half = ranks.quantile(base.tolist(), 0.5)
    assert half == np.quantile(base, 0.5, method="inverted_cdf")
    low, high = intervals.quantile_ranks(10**6, 0.5)
    assert (low, high) == pytest.approx(stats.binom(10**6, 0.5).interval(0.95), abs=3)

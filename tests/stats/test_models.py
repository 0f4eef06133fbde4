"""Power, queues, chains, sequences and experiments against published values and scipy."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from aether_tui.diagnostics.experiments import Guardrail, Judgement, judge, means, proportions, sample_ratio_p
from aether_tui.stats import power as p
from aether_tui.stats.chain import Singular, Step, solve
from aether_tui.stats.queueing import kingman, mmc
from aether_tui.stats.sequential import half_width, simulate_power


def test_t_power_is_that_of_r() -> None:
    # power.t.test(n = 20, delta = 1, sd = 1): 0.8689528; power.t.test(power = .90, delta = 1): n = 22.02110
    assert p.t_power(20, 1, 1, p.Test()) == pytest.approx(0.8689528, abs=1e-6)
    assert p.sample_size(lambda n: p.t_power(n, 1, 1, p.Test()), 0.9) == 23
    assert p.t_power(22.0211, 1, 1, p.Test()) == pytest.approx(0.90, abs=1e-5)


def test_arcsine_power_is_that_of_cohen() -> None:
    # Cohen 1988, example 6.1 as in R's pwr manual: h = 0.3, n = 80, one-sided .05 → power 0.5996777
    h = 0.3
    p2 = math.sin((h + 2 * math.asin(math.sqrt(0.5))) / 2) ** 2
    assert p.cohen_h(0.5, p2) == pytest.approx(0.3)
    assert p.h_power(80, 0.5, p2, p.Test(sides=1)) == pytest.approx(0.5996777, abs=1e-6)


def test_proportions_sample_size_by_the_textbook_formula() -> None:
    test = p.Test()
    z = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    exact = z**2 * (0.1 * 0.9 + 0.12 * 0.88) / 0.02**2
    size = p.sample_size(lambda n: p.proportions_power(n, 0.1, 0.12, test), 0.8)
    assert size == math.ceil(exact)


@settings(max_examples=80, deadline=None)
@given(st.integers(3, 400), st.floats(0.05, 1.5), st.floats(0.5, 3))
def test_two_sample_t_power_against_scipy(n: int, effect: float, ratio: float) -> None:
    n2 = n * ratio
    df, ncp = n + n2 - 2, effect * math.sqrt(n * n2 / (n + n2))
    critical = stats.t.ppf(0.975, df)
    expected = stats.nct.sf(critical, df, ncp) + stats.nct.cdf(-critical, df, ncp)
    assume(math.isfinite(expected))  # scipy gives NaN in places
    assert p.t_power(n, effect, 1, p.Test(ratio=ratio)) == pytest.approx(expected, abs=1e-6)


def test_power_of_a_test_that_never_errs() -> None:
    """A critical value so large that 1 − x²/(x² + df) rounds to 0."""
    power = p.t_power(2, 1, 1, p.Test(alpha=1e-15), "paired")
    critical = stats.t.isf(0.5e-15, 1)
    draws = stats.nct.sf(1e6, 1, math.sqrt(2)) * 1e6 / critical  # the tail of df = 1 falls as 1/x
    assert power == pytest.approx(draws, abs=2e-15)
    assert p.t_power(2, 1, 1, p.Test(ratio=1e-15)) == 0, "no degree of freedom, no test"


def test_impossible_sizes_are_none() -> None:
    assert p.sample_size(lambda n: p.proportions_power(n, 0.1, 0.1 + 1e-9, p.Test()), 0.8) is None
    assert p.detectable(lambda e: p.proportions_power(2, 0.5, 0.5 + e, p.Test()), 0.99, 0.1) is None


def test_queue_values_of_the_textbook() -> None:
    # Gross & Harris, M/M/c: λ = 10, μ = 3, c = 4 by Erlang's C formula written out
    a, c = 10 / 3, 4
    top = a**c / math.factorial(c) * c / (c - a)
    erlang_c = top / (sum(a**k / math.factorial(k) for k in range(c)) + top)
    queue = mmc(10, 3, c)
    assert queue.p_wait == pytest.approx(erlang_c)
    assert queue.wq == pytest.approx(erlang_c / (c * 3 - 10))
    assert queue.l == pytest.approx(10 * (queue.w or 0))
    assert mmc(2, 3, 1).wq == pytest.approx(2 / 3)
    assert mmc(3, 3, 1).wq is None
    assert kingman(2, 3, 1, 1, 1) == pytest.approx(2 / 3)
    assert kingman(2, 3, 1, 0.5, 0.5) == pytest.approx(1 / 3)
    assert kingman(3, 3, 1, 1, 1) is None


def test_confidence_sequence_is_wider_than_a_fixed_interval_and_holds_its_error() -> None:
    assert half_width(1000, 1, 1000, 0.05) > 1.96 / math.sqrt(1000)
    assert simulate_power(0.0, 1.0, 2000, 20, 0.05, seed=1) < 0.05
    assert simulate_power(0.1, 1.0, 2000, 20, 0.05, seed=1) > 0.9


def test_chain_by_hand() -> None:
    # Two steps; the second sends half back: visits 2 and 2, success 1.
    solved = solve([Step("a", 1, 0, 1), Step("b", 1, 1, 1, error_rate=0.5, rework_to=0, capacity_per_month=100)], 80)
    assert solved.visits == pytest.approx((2, 2))
    assert (solved.lead_time_s, solved.cost, solved.success_rate) == pytest.approx((6, 4, 1))
    assert solved.rate_per_month == 50
    with pytest.raises(Singular):
        solve([Step("a", 1, 0, 1, error_rate=1, rework_to=0)], 1)


def test_newcombe_interval_of_the_paper() -> None:
    # Newcombe 1998, Statistics in Medicine 17, table II (a): 56/70 − 48/80, method 10: 0.0524 to 0.3339
    effect = proportions((48, 80), (56, 70))
    assert (effect.ci_low, effect.ci_high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-100, 100), min_size=2, max_size=30).filter(lambda v: max(v) - min(v) > 1e-3),
    st.lists(st.floats(-100, 100), min_size=2, max_size=30).filter(lambda v: max(v) - min(v) > 1e-3),
)
def test_welch_against_scipy(a: list[float], b: list[float]) -> None:
    expected = stats.ttest_ind(b, a, equal_var=False)
    effect = means(a, b)
    assert effect.p_value == pytest.approx(expected.pvalue, abs=1e-8)
    interval = expected.confidence_interval()
    assert (effect.ci_low, effect.ci_high) == pytest.approx((interval.low, interval.high), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("treatment", "min_effect", "then"),
    [(126, 0.0, "scale"), (126, 0.005, "scale"), (126, 0.01, "kill"), (140, 0.025, "kill"), (119, 0.01, "kill")],
)
def test_the_n_still_needed_decides(treatment: int, min_effect: float, then: str) -> None:
    def verdict_of(n: int) -> Judgement:
        return judge(proportions((0.12 * n, n), (treatment / 1000 * n, n)), min_effect=min_effect)

    assert verdict_of(1000).verdict == "iterate"
    needed = verdict_of(1000).n_needed or 0
    assert verdict_of(round(0.9 * needed)).verdict == "iterate"
    assert verdict_of(round(1.1 * needed)).verdict == then


def test_verdicts() -> None:
    assert judge(proportions((100, 1000), (100, 1200))).verdict == "invalid"
    assert sample_ratio_p(1000, 1200) == pytest.approx(stats.chisquare([1000, 1200]).pvalue)
    good = proportions((100, 1000), (160, 1000))
    assert judge(good).verdict == "scale"
    assert judge(good, min_effect=0.1).verdict == "kill"
    assert judge(good, guardrails=[Guardrail("csat", -0.06, 0.01, 0.05)]).verdict == "kill"
    unclear = judge(proportions((100, 1000), (112, 1000)), min_effect=0.01)
    assert unclear.verdict == "iterate"
    assert unclear.n_needed is not None
    assert unclear.n_needed > 1000

"""Our distribution functions against scipy's, over random and extreme arguments."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import special, stats

from aether_tui.stats import distributions as d

shapes = st.floats(0.05, 2000)
shares = st.floats(0, 1)
few = settings(max_examples=60, deadline=None)


@few
@given(shapes, shapes, shares)
def test_incomplete_beta(a: float, b: float, x: float) -> None:
    assert d.beta_inc(a, b, x) == pytest.approx(special.betainc(a, b, x), abs=1e-11)


@few
@given(st.floats(-40, 40), st.floats(1, 1e5))
def test_student_t(x: float, df: float) -> None:
    assert d.t_cdf(x, df) == pytest.approx(stats.t.cdf(x, df), abs=1e-8)  # scipy answers 0.5 for |x| below about 1e-8


@few
@given(st.floats(1e-6, 1 - 1e-6), st.floats(1, 1e5))
def test_student_t_quantile(p: float, df: float) -> None:
    assert d.t_cdf(d.t_ppf(p, df), df) == pytest.approx(p, abs=1e-9)


@few
@given(st.floats(-8, 15), st.floats(1, 1e4), st.floats(-6, 12))
def test_noncentral_t(x: float, df: float, ncp: float) -> None:
    expected = stats.nct.cdf(x, df, ncp)
    assume(math.isfinite(expected))  # scipy gives NaN in places
    assert d.nct_cdf(x, df, ncp) == pytest.approx(expected, abs=1e-7)


def test_tails_do_not_vanish_or_overflow() -> None:
    assert d.norm_cdf(-20) == pytest.approx(stats.norm.cdf(-20), rel=1e-9)
    assert d.nct_cdf(5, 10, 50) == pytest.approx(0, abs=1e-12)
    assert d.nct_cdf(100, 10, 50) == pytest.approx(stats.nct.cdf(100, 10, 50), abs=0.02)
    assert math.isfinite(d.t_ppf(1 - 1e-9, 1))
    with pytest.raises(ValueError, match="probability"):
        d.norm_ppf(1)

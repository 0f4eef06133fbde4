"""The decomposition by hand, and that its parts sum to the change whatever the data."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aether_tui.stats.lmdi import FACTORS, Use, decompose, log_mean


def test_one_kind_by_hand() -> None:
    # Twice the calls, half as many tokens again for each: 1 USD becomes 3. L(3, 1) = 2 ÷ ln 3 = 1.8205.
    found = decompose({"a": Use(100, 0, 1000, 1.0)}, {"a": Use(200, 0, 3000, 3.0)})["a"]
    assert found["volume"] == pytest.approx(1.8205 * math.log(2), abs=1e-4)  # 1.2619
    assert found["tokens"] == pytest.approx(1.8205 * math.log(1.5), abs=1e-4)  # 0.7381
    assert [found[factor] for factor in ("mix", "errors", "price")] == pytest.approx([0, 0, 0], abs=1e-12)


def test_two_kinds_by_hand() -> None:
    # 50 cheap and 50 dear calls become 25 and 75 at the same prices: all of it is mix.
    before = {"cheap": Use(50, 0, 50, 5.0), "dear": Use(50, 0, 50, 50.0)}
    after = {"cheap": Use(25, 0, 25, 2.5), "dear": Use(75, 0, 75, 75.0)}
    found = decompose(before, after)
    assert found["cheap"]["mix"] == pytest.approx(-2.5)
    assert found["dear"]["mix"] == pytest.approx(25)
    assert sum(found[kind]["volume"] for kind in found) == pytest.approx(0, abs=1e-12)


def test_errors_that_are_made_again_cost() -> None:
    # 100 answers took 100 calls, now 125 of which 25 failed, at the same tokens and price.
    found = decompose({"a": Use(100, 0, 100, 10.0)}, {"a": Use(125, 25, 125, 12.5)})["a"]
    assert found["errors"] == pytest.approx(2.5)


def test_what_appears_is_mix_and_what_begins_to_cost_is_price() -> None:
    before = {"old": Use(1, 0, 10, 1.0), "free": Use(1, 0, 10, 0.0)}
    after = {"old": Use(1, 0, 10, 1.0), "free": Use(1, 0, 10, 2.0), "new": Use(2, 0, 10, 4.0)}
    found = decompose(before, after)
    assert found["new"]["mix"] == 4.0
    assert found["free"]["price"] == 2.0


def test_a_cost_next_to_nothing_is_no_infinity() -> None:
    found = decompose({"a": Use(1, 1, 4, 8.5e-308)}, {"a": Use(1, 1, 1, 4.0)})["a"]
    assert sum(found.values()) == pytest.approx(4)


def test_log_mean() -> None:
    assert log_mean(math.e, 1) == pytest.approx(math.e - 1)
    assert log_mean(2.0, 2.0) == 2.0


COUNT = st.integers(0, 10**6)
USE = st.builds(
    lambda good, errors, tokens, cost: Use(good + errors, errors, tokens, cost),
    COUNT, COUNT, COUNT, st.floats(0, 1e6, allow_subnormal=False),
)  # fmt: skip
KINDS = st.dictionaries(st.sampled_from("abcdef"), USE, min_size=1)


@given(KINDS, KINDS)
def test_parts_sum_to_the_change(before: dict[str, Use], after: dict[str, Use]) -> None:
    found = decompose(before, after)
    change = sum(use.cost for use in after.values()) - sum(use.cost for use in before.values())
    size = sum(use.cost for use in (*before.values(), *after.values()))
    assert sum(found[kind][factor] for kind in found for factor in FACTORS) == pytest.approx(
        change, abs=1e-8 * (1 + size)
    )

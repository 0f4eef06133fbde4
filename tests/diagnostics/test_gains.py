"""Gains at a fixed mix against a published index table, and intervals against a simulation."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from aether_tui.diagnostics.gains import Work, gains

# The artificial data of Diewert in the Consumer (and Producer) Price Index Manual (ILO and IMF 2004), chapter 19: prices and
# quantities of six commodities over five periods, and the Fisher indices printed there, fixed base and chained.
PRICES = [[1, 1, 1, 1, 1, 1], [1.2, 3, 1.3, 0.7, 1.4, 0.8], [1, 1, 1.5, 0.5, 1.7, 0.6],
          [0.8, 0.5, 1.6, 0.3, 1.9, 0.4], [1, 1, 1.6, 0.1, 2, 0.2]]  # fmt: skip
QUANTITIES = [[1, 1, 2, 1, 4.5, 0.5], [0.8, 0.9, 1.9, 1.3, 4.7, 0.6], [1, 1.1, 1.8, 3, 5, 0.8],
              [1.2, 1.2, 1.9, 6, 5.6, 1.3], [0.9, 1.2, 2, 12, 6.5, 2.5]]  # fmt: skip
FIXED = [1.0, 1.4011, 1.2721, 1.1762, 1.0712]
CHAINED = [1.0, 1.4011, 1.3185, 1.2689, 1.2226]


def cycle(number: int, *, inverse: bool = False) -> tuple[str, dict[str, Work]]:
    """A price is value per task at a cost of one per task, or, inverted, the cost of a task worth one."""
    pairs = enumerate(zip(PRICES[number], QUANTITIES[number], strict=True))
    return f"c{number}", {
        str(key): Work(quantity, price * quantity, quantity) if inverse else Work(price * quantity, quantity, quantity)
        for key, (price, quantity) in pairs
    }


def test_published_fisher_indices() -> None:
    rows = gains([cycle(number) for number in range(5)])
    assert [row.cumulative for row in rows] == pytest.approx(CHAINED, abs=5e-5)
    for number in range(1, 5):
        assert gains([cycle(0), cycle(number)])[1].gain == pytest.approx(FIXED[number], abs=5e-5)
        assert gains([cycle(0, inverse=True), cycle(number, inverse=True)])[1].gain == pytest.approx(
            1 / FIXED[number], abs=5e-5
        )


def test_drifting_to_easy_tasks_is_no_gain() -> None:
    def mix(easy: int, hard: int) -> dict[str, Work]:
        return {"easy": Work(0.9 * easy, 0.01 * easy, easy), "hard": Work(0.5 * hard, 0.1 * hard, hard)}

    row = gains([("a", mix(100, 100)), ("b", mix(300, 100))])[1]
    assert row.gain == pytest.approx(1)
    assert row.raw_gain is not None
    assert row.raw_gain > 1.5
    assert (row.gain_low, row.clusters, row.matched_share) == (None, 2, 1)
    assert "too few" in row.reason


works = st.builds(Work, st.floats(0.1, 50), st.floats(0.1, 50), st.floats(1, 100))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(works, works), min_size=5, max_size=9), st.floats(0.2, 5))
def test_invariants(pairs: list[tuple[Work, Work]], factor: float) -> None:
    before = {str(key): one for key, (one, _) in enumerate(pairs)}
    after = {str(key): other for key, (_, other) in enumerate(pairs)}
    there, back = gains([("a", before), ("b", after)])[1], gains([("b", after), ("a", before)])[1]
    assert there.gain is not None
    assert back.gain is not None
    assert there.gain * back.gain == pytest.approx(1), "Fisher is reversible in time"
    cheaper = {key: Work(work.successes, work.cost / factor, work.tasks) for key, work in before.items()}
    alike = gains([("a", before), ("b", cheaper)])[1]
    assert [alike.gain, alike.gain_low, alike.gain_high] == pytest.approx([factor] * 3), (
        "the same everywhere is certain"
    )


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = random.Random(11)
    inside = 0
    for _ in range(400):
        before, after = {}, {}
        for key in range(20):
            tasks = rng.randint(50, 150)
            before[str(key)] = Work(tasks * rng.uniform(0.4, 0.9), tasks * rng.uniform(0.01, 0.03), tasks)
            step = 1.5 * math.exp(rng.gauss(0, 0.2) - 0.02)  # mean 1.5
            after[str(key)] = Work(before[str(key)].successes * step, before[str(key)].cost, tasks)
        row = gains([("a", before), ("b", after)])[1]
        assert row.gain_low is not None
        assert row.gain_high is not None
        inside += row.gain_low <= 1.5 <= row.gain_high
    assert stats.binom.cdf(inside, 400, 0.95) > 0.001, inside
    assert stats.binom.sf(inside - 1, 400, 0.99) > 0.001, inside


def test_what_cannot_be_compared_is_null_with_its_reason() -> None:
    a, b, c = {"x": Work(1, 1, 1)}, {"y": Work(1, 1, 1)}, {"y": Work(2, 1, 1)}
    rows = gains([("a", a), ("b", b), ("c", c)])
    assert [(row.gain, row.cumulative) for row in rows] == [(None, 1), (None, None), (2, None)]
    assert "no cluster" in rows[1].reason
    assert "broken" in rows[2].reason
    nothing = gains([("a", a), ("b", {"x": Work(0, 1, 1)})])[1]
    assert (nothing.gain, nothing.output_per_dollar) == (None, 0)
    assert "without success" in nothing.reason
    assert gains([]) == []

"""The constraint of a value stream: by hand, by re-solving, and against scipy where it is drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from aether_tui.diagnostics.constraint_solve import FIELDS, LEVERS, Stream, answer
from aether_tui.stats.cells import Cell, draw, read
from aether_tui.stats.chain import Solved, Step, solve


def stream(*steps: tuple[str, int | None, dict[str, object]], demand: float = 12000, value: float = 4.2) -> Stream:
    return Stream(
        names=tuple(name for name, _, _ in steps),
        rework_to=tuple(target for _, target, _ in steps),
        cells=tuple({key: read(raw, FIELDS[key]) for key, raw in cells.items()} for _, _, cells in steps),
        demand_per_month=demand,
        value_per_success=value,
    )


WIREFRAME = stream(
    ("intent", None, {}),
    ("retrieve", 1, {"touch_s": 2, "wait_s": 1, "cost": 0.004, "error_rate": 0.08, "abandon_rate": 0.02}),
    ("draft", 2, {"touch_s": 4.1, "wait_s": 0.3, "cost": 0.021, "error_rate": 0.03, "abandon_rate": 0.01}),
    ("check", 2, {"touch_s": 60, "wait_s": 1200, "cost": 0.3, "error_rate": 0.15, "abandon_rate": 0.15}),
    ("answer", None, {"touch_s": 0.2, "cost": 0.001, "error_rate": 0.001}),
)


def test_constraint_of_the_wireframe() -> None:
    # The design's own drawing: success 79.6 %, lead 24 min, 0.47 USD per success; abandonment +2,578, cost +1,228, error +675.
    found = answer(WIREFRAME)
    assert found.solved.success_rate == pytest.approx(0.795, abs=0.002)
    assert found.solved.rolled_yield == pytest.approx(0.90 * 0.96 * 0.70 * 0.999), (
        "nothing wrong and nobody gone in any step"
    )
    assert found.rolled_low < found.solved.rolled_yield < found.rolled_high < found.success_high
    assert found.solved.lead_time_s / 60 == pytest.approx(24, abs=0.1)
    assert found.solved.cost_per_success == pytest.approx(0.467, abs=0.001)
    top = found.improvements[:3]
    assert [(i.step, i.lever) for i in top] == [("check", "abandonment"), ("check", "cost"), ("check", "error")]
    assert [i.delta_money_per_month for i in top] == pytest.approx([2578, 1228, 675], rel=0.002)
    assert found.ceiling == pytest.approx(10_288, rel=0.005)
    assert found.ranked("lead_time")[0].lever == "wait"
    leader = found.leader("money")
    assert leader is not None and leader[0] == "check" and leader[1] > 0.6


def money(solved: Solved, value: float) -> float:
    return solved.rate_per_month * (solved.success_rate * value - solved.cost)


SHARES = st.just(0.0) | st.floats(1e-6, 0.45)


@st.composite
def streams(draw_: st.DrawFn) -> Stream:
    n = draw_(st.integers(1, 6))
    steps = []
    for index in range(n):
        cells: dict[str, object] = {
            "touch_s": draw_(st.floats(0.1, 1e4)), "cost": draw_(st.floats(0.001, 50)),
            "error_rate": draw_(SHARES), "abandon_rate": draw_(SHARES), "wait_s": draw_(st.just(0.0) | st.floats(1e-6, 1e4)),
        }  # fmt: skip
        if draw_(st.booleans()):
            cells["capacity_per_month"] = draw_(st.floats(1, 1e5))
        steps.append((f"s{index}", draw_(st.none() | st.integers(0, n - 1)), cells))
    return stream(*steps, demand=draw_(st.floats(1, 1e5)), value=draw_(st.floats(0, 100)))


@settings(max_examples=60, deadline=None)
@given(streams())
def test_every_lever_is_what_solving_the_changed_stream_gives(given_stream: Stream) -> None:
    """The rank-one update against Gaussian elimination from scratch."""
    found = answer(given_stream, draws=100)
    steps, demand, value = given_stream.steps(), given_stream.demand_per_month, given_stream.value_per_success
    base = solve(steps, demand)
    for one in found.improvements:
        at = given_stream.names.index(one.step)
        field = LEVERS[one.lever]
        better = replace(steps[at], **{field: getattr(steps[at], field) * (1.3 if one.lever == "capacity" else 0.7)})
        after = solve([*steps[:at], better, *steps[at + 1 :]], demand)
        scale = abs(money(base, value)) + abs(money(after, value)) + 1
        assert one.delta_money_per_month == pytest.approx(money(after, value) - money(base, value), abs=1e-9 * scale)
        assert one.delta_lead_time == pytest.approx(after.lead_time_s - base.lead_time_s, abs=1e-9 * base.lead_time_s)
        assert one.delta_success_rate == pytest.approx(after.success_rate - base.success_rate, abs=1e-9)
        assert one.delta_throughput == pytest.approx(after.rate_per_month - base.rate_per_month, abs=1e-6)
    for objective, shares in found.p_step.items():
        assert sum(shares.values()) <= 1 + 1e-9, objective


def test_two_equal_levers_share_the_probability() -> None:
    # Two costs alike and independent: either is the larger in half of all draws, so nothing may be concluded.
    twins = stream(("a", None, {"cost": 1}), ("b", None, {"cost": 1}), demand=100, value=10)
    found = answer(twins, draws=4000)
    assert found.p_step["money"]["a"] == pytest.approx(0.5, abs=0.03)
    assert found.p_step["money"]["a"] + found.p_step["money"]["b"] == pytest.approx(1)
    assert found.measure_first["money"] is not None
    assert found.measure_first["money"][1] == "cost"


def test_probability_that_one_cost_exceeds_another_is_that_of_two_normals() -> None:
    # ln of each cost is normal with variance ln(1 + 1/n); the difference is normal, so P(a > b) has a closed form.
    n_a, n_b, a, b = 20, 60, 1.2, 1.0
    var_a, var_b = np.log1p(1 / n_a), np.log1p(1 / n_b)
    shift = np.log(a) - var_a / 2 - (np.log(b) - var_b / 2)
    expected = stats.norm.cdf(shift / np.sqrt(var_a + var_b))
    pair = stream(("a", None, {"cost": {"value": a, "n": n_a}}), ("b", None, {"cost": {"value": b, "n": n_b}}))
    assert answer(pair, draws=8000).p_step["money"]["a"] == pytest.approx(expected, abs=0.02)


def test_more_observations_leave_less_doubt() -> None:
    def p(n: int) -> float:
        cells = {"cost": {"value": 1.2, "n": n}}
        return answer(stream(("a", None, cells), ("b", None, {"cost": {"value": 1.0, "n": n}}))).p_step["money"]["a"]

    assert 0.5 < p(5) < p(50) < p(5000)
    assert p(5000) > 0.99


def test_a_lever_off_the_bottleneck_gains_no_rate() -> None:
    steps = (
        ("wide", None, {"capacity_per_month": 500, "cost": 1}),
        ("narrow", None, {"capacity_per_month": 100, "cost": 1}),
    )
    found = answer(stream(*steps, demand=1000, value=10))
    rate = {one.step: one.delta_throughput for one in found.improvements if one.lever == "capacity"}
    assert rate == pytest.approx({"wide": 0, "narrow": 30})


def test_nothing_to_improve_has_no_constraint() -> None:
    found = answer(stream(("a", None, {}), ("b", None, {})))
    assert found.improvements == ()
    assert found.leader("money") is None
    assert found.ceiling == 0


def test_draws_of_a_measured_share_are_jeffreys_posterior() -> None:
    drawn = draw(Cell(0.08, n=400), "share", np.random.default_rng(1), 4000)
    assert stats.kstest(drawn, stats.beta(32.5, 368.5).cdf).pvalue > 0.001
    zero = draw(Cell(0.0, n=50), "share", np.random.default_rng(1), 4000)
    assert np.quantile(zero, 0.95) == pytest.approx(stats.beta.ppf(0.95, 0.5, 50.5), rel=0.1)


def test_draws_of_sizes_keep_their_mean_or_their_range() -> None:
    rng = np.random.default_rng(2)
    measured = draw(Cell(30.0, n=25), "size", rng, 20_000)
    assert measured.mean() == pytest.approx(30, rel=0.01)
    assert measured.std() == pytest.approx(30 / 5, rel=0.03)
    stated = draw(Cell(20.0, low=10.0, high=40.0), "size", rng, 20_000)
    assert np.quantile(stated, [0.05, 0.5, 0.95]) == pytest.approx([10, 20, 40], rel=0.03)
    share = draw(Cell(0.01), "share", rng, 20_000)
    assert share.mean() == pytest.approx(0.01, rel=0.02)
    assert share.std() == pytest.approx(0.01 / 10**0.5, rel=0.05)
    assert not draw(Cell(0.0), "share", rng, 10).any()


@pytest.mark.parametrize(
    ("raw", "kind", "words"),
    [
        (8, "share", "8 % is 0.08"),
        (1, "share", "1 % is 0.01"),
        (-0.1, "share", "share from 0"),
        (-1, "size", "zero or more"),
        (float("nan"), "size", "zero or more"),
        (float("inf"), "size", "zero or more"),
        (1e300, "size", "zero or more"),
        ("fast", "size", "a number"),
        (True, "size", "a number"),
        (None, "size", "a number"),
        ([1, 2], "size", "a number"),
        ([3, 2, 1], "size", "rises"),
        ({"value": 1, "n": 0}, "size", "n must be"),
        ({"value": 1, "n": 2.5}, "size", "n must be"),
        ({"value": [1, 2, 3], "n": 5}, "size", "no range"),
        ({"valeu": 1}, "size", "unknown key"),
        ({"value": 1, "who": 7}, "size", "who must"),
    ],
)
def test_cells_that_are_none(raw: object, kind: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read(raw, kind)  # type: ignore[arg-type]


@given(SHARES, st.integers(1, 10**9), st.text(max_size=20))
def test_cells_are_written_as_they_are_read(value: float, n: int, who: str) -> None:
    for cell in (Cell(value), Cell(value, n, who=who), Cell(value, who=who)):
        assert read(cell.plain(), "share") == cell


def test_a_nearly_endless_loop_is_drawn_without_infinity() -> None:
    endless = stream(("a", 0, {"cost": 1, "error_rate": 0.999, "abandon_rate": 0.0005}), demand=10, value=1)
    found = answer(endless)
    assert all(np.isfinite(one.delta_money_per_month) for one in found.improvements)
    assert found.solved.visits[0] == pytest.approx(1000)


def test_steps_come_from_cells() -> None:
    assert WIREFRAME.steps()[1] == Step("retrieve", 2, 1, 0.004, 0.08, 0.02, rework_to=1)

"""Changes in daily series: quiet worlds stay quiet, planted steps are found, and the pieces equal values computed elsewhere."""

from __future__ import annotations

import random
from statistics import mean

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from aether_tui.stats import anomalies
from benchmarks.anomalies import SHAPE, findings, found, world


def test_quiet_series_are_seldom_said_to_have_changed() -> None:
    # The whole of it, 50 worlds and 600 steps, is `python -m benchmarks.anomalies`.
    assert mean(findings(world(seed)) for seed in range(4)) <= 2.5


def test_the_first_weeks_of_a_series_are_as_quiet() -> None:
    """Sixteen days, most of them with a weekend; a rise by half is found all the same."""
    rng = random.Random(4)

    def days(rise: float = 1.0) -> list[float | None]:
        return [100 * SHAPE[day % 7] * rng.lognormvariate(0, 0.12) * (rise if day >= 8 else 1) for day in range(16)]

    assert sum(len(anomalies.shifts(days())) for _ in range(800)) <= 16
    assert mean(any(abs(one.at - 8) <= 2 for one in anomalies.shifts(days(1.5))) for _ in range(40)) >= 0.75


def test_planted_steps_of_thirty_percent_are_found() -> None:
    assert mean(found(seed, 0.3) for seed in range(40)) >= 0.85


def test_benjamini_hochberg_equals_scipy() -> None:
    rng = np.random.default_rng(7)
    for size in (1, 2, 5, 40):
        p = [*rng.uniform(0, 0.2, size), 0.01, 0.01]
        assert anomalies.benjamini_hochberg(p) == pytest.approx(false_discovery_control(p, method="bh"))
    assert anomalies.benjamini_hochberg([]) == []


def weeks(count: int, *rest: float | None) -> list[float | None]:
    """Mondays 10, 9 and 11 in turn, every other day the same plus its weekday times ten."""
    return [day % 7 * 10 + (9.0, 10.0, 11.0)[day // 7 % 3] for day in range(7 * count)] + list(rest)


def test_a_day_is_held_against_its_own_weekday() -> None:
    # Rest against the weekday medians is -1, 0 or 1 in turn (MAD 1 over nine weeks cut to eight): z = (30 - 10) / 1.4826.
    values = weeks(9, 30.0)
    [one] = anomalies.outliers({"a": values})["a"]
    assert (one.at, one.value) == (63, 30.0)
    assert one.usual == pytest.approx(10.0)
    assert one.z == pytest.approx(20 / 1.4826, rel=1e-4)
    assert not anomalies.outliers({"a": weeks(9, 10.0, 20.0, 31.0)})["a"]


def test_four_weeks_of_the_weekday_are_needed() -> None:
    assert not anomalies.outliers({"a": weeks(3, 30.0)})["a"]
    assert not anomalies.outliers({"a": [None] * 28 + [900.0]})["a"]


def test_mad_zero_gives_way_to_quartiles_and_both_zero_to_silence() -> None:
    # Three of eight weeks are 4 higher: MAD 0, quartiles 0 and 4, so z = 40 / (4 / 1.349).
    flat = [104.0 if day // 7 in {1, 4, 6} else 100.0 for day in range(56)]
    [one] = anomalies.outliers({"a": [*flat, 140.0]})["a"]
    assert one.z == pytest.approx(40 * 1.349 / 4)
    assert not anomalies.outliers({"a": [100.0] * 56 + [140.0]})["a"]


def test_one_day_is_an_outlier_and_four_are_a_run() -> None:
    rng = random.Random(5)
    base: list[float | None] = [100 * SHAPE[day % 7] * rng.gauss(1, 0.03) for day in range(84)]
    for days in (1, 3, 4):
        values = [*base, *(200 * SHAPE[(84 + day) % 7] for day in range(days))]
        out = anomalies.outliers({"a": values})["a"]
        assert [one.at for one in out if one.at >= 84] == list(range(84, 84 + days))
        found = anomalies.shifts(values, out)
        assert [(one.kind, one.at) for one in found] == ([("run", 84)] if days == 4 else [])
    assert found[0].effect == pytest.approx(1.0, abs=0.05)


def test_steps_of_one_direction_are_one_drift() -> None:
    rng = random.Random(11)
    values: list[float | None] = [10 * 1.02 ** max(0, day - 40) * rng.gauss(1, 0.05) for day in range(100)]
    [one] = anomalies.shifts(values)
    assert one.kind == "drift"
    assert 35 <= one.at < one.until < 100
    assert one.low is not None and one.high is not None and one.low < one.effect < one.high


@pytest.mark.parametrize("values", [[], [None] * 90, [0.0] * 90, [5.0] * 90, [1.0]])
def test_nothing_to_say_is_said_without_trouble(values: list[float | None]) -> None:
    assert anomalies.shifts(values, anomalies.outliers({"a": values})["a"]) == []


def test_a_weekday_without_work_is_no_step() -> None:
    rng = random.Random(2)
    values: list[float | None] = [0.0 if day % 7 > 4 else rng.gauss(20, 2) for day in range(112)]
    assert anomalies.shifts(values, anomalies.outliers({"a": values})["a"]) == []


def test_weekends_of_nothing_do_not_make_workdays_stand_out() -> None:
    """Forty quiet series of 17 weeks: as few workdays stand out (3 of 100) as where the weekend is like other days."""
    rng = random.Random(5)
    quiet = {
        str(name): [rng.lognormvariate(0, 0.2) if day % 7 < 5 else 0.0 for day in range(119)] for name in range(40)
    }
    judged = 40 * 13 * 5  # of the thirteen weeks that have four before them
    assert sum(len(found) for found in anomalies.outliers(quiet).values()) < 0.05 * judged

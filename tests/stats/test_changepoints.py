"""Steps are found where they were planted, and hardly ever where there is none."""

from __future__ import annotations

import random

import pytest
from scipy import stats

from aether_tui.stats.changepoints import LEAST, changes
from aether_tui.stats.pairs import Pairs

# Cobb 1978, Biometrika 65:243: the annual flow of the Nile at Aswan 1871-1970 (10^8 m3), R's `datasets::Nile`. The level
# falls with 1899, the first year of the lower one.
NILE = [
    1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140,
    1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969,
    831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759,
    781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890,
    744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740,
]  # fmt: skip


def series(rng: random.Random, size: int = 120, noise: float = 0.1) -> list[float]:
    """Noise around 100, one value in twenty an outlier."""
    return [rng.gauss(100, 100 * noise) * (rng.uniform(1.5, 3) if rng.random() < 0.05 else 1) for _ in range(size)]


def test_the_nile_fell_in_1899() -> None:
    (fall,) = changes(NILE)
    assert 1871 + fall.at == 1899
    assert fall.direction == "down"
    assert fall.before > 1000 > 900 > fall.after
    assert fall.confidence > 0.99


def test_quiet_series_are_left_alone() -> None:
    rng = random.Random(2026)
    assert sum(len(changes(series(rng))) for _ in range(200)) <= 4, "at most 2 in 100 series of 120 points"


@pytest.mark.parametrize("kinds", [10**9, 6])
def test_pairs_counted_once_say_of_every_window_what_a_test_of_its_own_says(kinds: int) -> None:
    rng = random.Random(kinds)
    values = [float(rng.randrange(kinds)) for _ in range(70)]
    for start, end in ((0, 70), (11, 52), (30, 41)):
        found = dict(Pairs(values).places(start, end, 20))
        assert list(found) == [*range(start + LEAST, end - LEAST + 1)]
        for at, counted in found.items():
            before, after = values[max(start, at - 20) : at], values[at : min(end, at + 20)]
            theirs = stats.mannwhitneyu(after, before)
            assert counted[0] == 2 * theirs.statistic and counted[1:3] == (len(after), len(before))
            groups = [(before + after).count(one) for one in {*before, *after}]
            assert counted[3] == sum(size**3 - size for size in groups)
    assert changes(values, places=Pairs(values).places, level=0.5) == changes(values, level=0.5)


@pytest.mark.parametrize(("size", "at"), [(120, 60), (120, 100), (40, 20)])
def test_steps_of_a_third_are_found(size: int, at: int) -> None:
    rng = random.Random(size + at)
    hits = wrong = 0
    for number in range(100):
        factor = 1.3 if number % 2 else 0.7
        values = [value * (factor if place >= at else 1) for place, value in enumerate(series(rng, size))]
        found = changes(values)
        near = [one for one in found if abs(one.at - at) <= 3]
        hits += any(one.direction == ("up" if number % 2 else "down") for one in near)
        wrong += len(found) - len(near)
    assert hits >= 90
    assert wrong <= 5


def test_two_steps_are_two() -> None:
    rng = random.Random(5)
    values = [rng.gauss(level, 3) for level in (100, 150, 120) for _ in range(25)]
    assert [(one.at, one.direction) for one in changes(values)] == [(25, "up"), (50, "down")]


def test_extremes() -> None:
    assert changes([]) == []
    assert changes([1.0] * 9) == []
    assert changes([7.0] * 100) == []
    (step,) = changes([1.0] * 50 + [2.0] * 50)
    assert (step.at, step.before, step.after, step.direction) == (50, 1.0, 2.0, "up")

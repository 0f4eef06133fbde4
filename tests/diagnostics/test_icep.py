"""ICE-P by hand."""

from __future__ import annotations

import pytest

from aether_tui.diagnostics.icep import Candidate, Range, bucket, effort_score, rank, score


def one(
    identity: str, impact: float | Range, confidence: float | Range, reversibility: float, weeks: float
) -> Candidate:
    def points(value: float | Range) -> Range:
        return value if isinstance(value, tuple) else (value, value, value)

    return Candidate(identity, identity, points(impact), points(confidence), points(reversibility), points(weeks))


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ((8, 6, 9, 2), 216.0),  # 8 × 6 × 9 = 432; ÷ 2
        ((8, 6, 8, 2), 192.0),
        ((7, 5, 8, 5), 56.0),
        ((9, 4, 3, 30), 10.8),  # effort clipped to 10
        ((9, 4, 3, 10), 10.8),
        ((10, 10, 10, 0.2), 1000.0),  # effort clipped to 1
        ((1, 1, 1, 10), 0.1),
    ],
)
def test_score(inputs: tuple[float, float, float, float], expected: float) -> None:
    assert score(*inputs) == pytest.approx(expected)


@pytest.mark.parametrize(("weeks", "expected"), [(0.1, 1), (1, 1), (2.5, 2.5), (10, 10), (11, 10), (500, 10)])
def test_effort_is_weeks_clipped(weeks: float, expected: float) -> None:
    assert effort_score(weeks) == expected


@pytest.mark.parametrize(
    ("weeks", "high", "strategic", "expected"),
    [
        (2, True, False, "quick win"),
        (2, False, False, "low score"),
        (2.1, True, False, "medium experiment"),
        (6, False, False, "medium experiment"),
        (6.1, True, False, "unbanded"),
        (7, True, False, "unbanded"),
        (25.9, False, False, "unbanded"),
        (26, False, False, "strategic bet"),
        (1, True, True, "strategic bet"),
    ],
)
def test_bucket(weeks: float, high: bool, strategic: bool, expected: str) -> None:
    assert bucket(weeks, high=high, strategic=strategic) == expected


def test_high_is_the_top_third_with_ties_at_its_edge() -> None:
    # 100, 64, 64, 27: ⌈4/3⌉ = 2, so high is from 64, and both 64s are quick wins.
    ranking = rank([one("A", 10, 10, 1, 1), one("B", 4, 4, 4, 1), one("C", 4, 4, 4, 1), one("D", 3, 3, 3, 1)])
    assert ranking.high == 64
    assert [item.bucket for item in ranking.items] == ["quick win", "quick win", "quick win", "low score"]


def test_a_configured_threshold_wins() -> None:
    ranking = rank([one("A", 10, 10, 1, 1), one("B", 4, 4, 4, 1)], high_score=101)
    assert ranking.configured
    assert [item.bucket for item in ranking.items] == ["low score", "low score"]


def test_ties_go_by_reversibility_then_effort_then_number() -> None:
    candidates = [
        one("OPP-10", 4, 5, 6, 2),  # 60, reversibility 6, 2 weeks
        one("OPP-9", 4, 5, 6, 2),  # the same, lower number
        one("OPP-3", 2, 5, 6, 1),  # 60, reversibility 6, 1 week
        one("OPP-4", 4, 3, 10, 2),  # 60, reversibility 10
    ]
    assert [item.candidate.id for item in rank(candidates).items] == ["OPP-4", "OPP-3", "OPP-9", "OPP-10"]


def test_equal_points_are_a_tie_without_any_draw() -> None:
    ranking = rank([one("A", 4, 4, 4, 1), one("B", 4, 4, 4, 1)])
    first = ranking.items[0]
    assert (first.tie_with, first.tie_p, first.p_first, ranking.draws) == ("B", 0.5, None, 0)


def test_points_alone_give_certain_ranks_and_no_probability() -> None:
    ranking = rank([one("A", 8, 6, 9, 2), one("B", 7, 5, 8, 5)])
    assert [(item.rank_low, item.rank_high, item.p_top3) for item in ranking.items] == [(1, 1, None), (2, 2, None)]


def test_probability_of_first_place_equals_the_closed_form() -> None:
    # A scores 10 × Confidence, Confidence PERT(1, 5.5, 10) symmetric about 5.5; B scores 55: each wins half the time.
    ranking = rank([one("A", 10, (1.0, 5.5, 10.0), 1, 1), one("B", 5.5, 10, 1, 1)], draws=8000)
    first = {item.candidate.id: item.p_first for item in ranking.items}
    assert first["A"] == pytest.approx(0.5, abs=0.02)
    assert first["A"] is not None and first["B"] is not None
    assert first["A"] + first["B"] == pytest.approx(1)
    assert ranking.items[0].tie_with is not None


def test_ranges_that_do_not_overlap_leave_no_doubt() -> None:
    ranking = rank([one("A", (8, 9, 10), 9, 9, 1), one("B", (1, 2, 3), 2, 2, 1)])
    top, last = ranking.items
    assert (top.p_first, top.rank_low, top.rank_high, top.tie_with) == (1.0, 1, 1, None)
    assert (last.p_first, last.rank_low, last.rank_high) == (0.0, 2, 2)


def test_same_seed_same_draws() -> None:
    candidates = [one("A", (2, 5, 9), 5, 5, 2), one("B", (3, 5, 8), 5, 5, 2), one("C", 5, (1, 5, 9), 5, 2)]
    assert rank(candidates, seed=3) == rank(candidates, seed=3)
    assert rank(candidates, seed=3) != rank(candidates, seed=4)


def test_the_flip_is_the_smallest_change_of_one_input() -> None:
    # 216 against 144: any score input has to fall to two thirds; Confidence 6 → 4 lies in its stated range.
    ranking = rank([one("A", 8, (4, 6, 7), 9, 2), one("B", 6, 6, 8, 2)])
    flip = ranking.items[0].flip
    assert flip is not None
    assert (flip.input, flip.direction, flip.other, flip.likely) == ("confidence", "falls to", "B", True)
    assert flip.at == pytest.approx(4.0)
    last = ranking.items[1].flip
    assert last is not None
    assert (last.input, last.direction, last.other) == ("impact", "rises to", "A")
    assert last.at == pytest.approx(9.0)


def test_no_single_input_can_flip_a_distant_pair() -> None:
    ranking = rank([one("A", 10, 10, 10, 1), one("B", 1, 1, 1, 10)])
    assert [item.flip for item in ranking.items] == [None, None]


def test_nothing_to_rank() -> None:
    assert rank([]).items == ()

"""Levels by answers, the adaptive search, and the one next practice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aether_tui.workspace import rubric
from aether_tui.workspace.questions import ORDER, shipped

CONTENT = shipped()
LEVELS = st.fixed_dictionaries({name: st.integers(1, 5) for name in ORDER})
PRACTICES = st.sets(st.sampled_from(sorted(CONTENT.practices)))


def test_posterior_by_hand():
    # yes at 3, yes at 4, yes at 5: level 5 has .9³; level 4 .9² × .1; level 3 .9 × .1²; 1 and 2 .1³
    parts = [0.001, 0.001, 0.009, 0.081, 0.729]
    assert rubric.posterior([(3, 5), (4, 4), (5, 5)]) == pytest.approx([part / sum(parts) for part in parts])
    assert rubric.posterior([(3, 3), (4, 0)]) == pytest.approx([0.2] * 5)


@pytest.mark.parametrize("truth", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("start", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("name", ORDER)
def test_the_search_finds_a_consistent_level_in_three_questions(name: str, truth: int, start: int):
    answers: dict[str, int] = {}
    while (one := rubric.next_statement(CONTENT.pillars[name], answers, start)) is not None:
        answers[one.id] = 5 if one.level <= truth else 1
    found = rubric.standing(CONTENT.pillars[name], answers)
    assert len(answers) <= 3
    assert found.level == truth or found.contested
    if start == rubric.START:
        assert found.level == truth and not found.contested


def test_contradictions_are_contested_and_what_does_not_apply_ends():
    pillar = CONTENT.pillars["flow"]
    answers: dict[str, int] = {}
    for value in (5, 1, 1):
        one = rubric.next_statement(pillar, answers)
        assert one is not None
        answers[one.id] = value
    assert rubric.next_statement(pillar, answers) is None
    assert rubric.standing(pillar, answers).contested
    nothing: dict[str, int] = {}
    while (one := rubric.next_statement(pillar, nothing)) is not None:
        nothing[one.id] = 0
    assert len(nothing) == rubric.MOST_SHOWN
    assert rubric.standing(pillar, nothing).level is None


@pytest.mark.parametrize("start", range(1, 6))
def test_whatever_is_answered_a_pillar_asks_three_and_shows_five_at_most(start: int):
    """Every path of answers there is, "does not apply" among them."""
    for pillar in shipped().pillars.values():
        paths: list[dict[str, int]] = [{}]
        while paths:
            answers = paths.pop()
            asked = rubric.next_statement(pillar, answers, start)
            if asked is None:
                assert sum(value > 0 for value in answers.values()) <= rubric.MOST_ASKED
                assert len(answers) <= rubric.MOST_SHOWN
            else:  # 1 and 2 say the same, and so do 4 and 5
                paths += [{**answers, asked.id: value} for value in (0, 1, 3, 5)]


def test_the_longest_interview_fits_into_half_an_hour():
    """The longest statements, each read aloud at 183 words a minute, and half a minute to talk about it."""
    most = [
        sorted(len(one.says.split()) for one in pillar.statements if one.level > 1)[-rubric.MOST_SHOWN :]
        for pillar in shipped().pillars.values()
    ]
    shown = [words for pillar in most for words in pillar]
    assert len(shown) == 30
    assert sum(shown) / 183 + len(shown) * 0.5 < shipped().questionnaires["maturity"].minutes == 30


def test_a_complete_interview_asks_twelve_to_eighteen():
    for value in (1, 2, 4, 5):
        asked = 0
        for pillar in CONTENT.pillars.values():
            answers: dict[str, int] = {}
            while (one := rubric.next_statement(pillar, answers)) is not None:
                answers[one.id] = value
            asked += len(answers)
        assert 12 <= asked <= 18


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([1] * 6, 1), ([3] * 6, 3), ([3, 3, 3, 3, 3, 2], 3), ([3, 3, 3, 3, 3, 1], 2), ([3, 3, 3, 3, 2, 2], 2),
        ([5, 5, 5, 5, 5, 4], 5), ([5, 5, 5, 5, 5, 1], 2), ([4, 4, 4, 4, 4, None], None), ([2, 2, 2, 2, 1, 1], 1),
    ],
)  # fmt: skip
def test_overall_needs_five_of_six_and_none_two_below(levels: list[int | None], expected: int | None):
    assert rubric.overall(levels) == expected


@settings(max_examples=150, deadline=None)
@given(LEVELS, PRACTICES)
def test_doing_the_next_practice_moves_its_pillar_by_one_and_nothing_else(levels: dict[str, int], done: set[str]):
    before = rubric.with_done(CONTENT, levels, done)
    advice = rubric.advise(CONTENT, levels, done)
    assert all(1 <= level <= 5 for level in before.values())
    if advice is None:
        assert set(before.values()) == {5}
        return
    after = rubric.with_done(CONTENT, levels, {*done, advice.practice.id})
    assert after == {**before, advice.pillar: before[advice.pillar] + 1}
    assert after[advice.pillar] == advice.pillar_level
    assert advice.practice.id not in done
    was, now = rubric.overall(list(before.values())), rubric.overall(list(after.values()))
    assert (advice.moves_overall, advice.overall_after) == (was != now, now)
    if was is not None and was < 5:
        assert before[advice.pillar] <= was
        assert advice.pillar in rubric.blocking(before)

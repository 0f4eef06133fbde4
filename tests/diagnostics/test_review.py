"""Review packs: sentences only from facts that are there, each naming them; the agenda; what is said when there is nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aether_tui.diagnostics import narrative
from aether_tui.diagnostics.review import AGENDA, Cadence, Pack, cadence_of
from aether_tui.diagnostics.run import diagnostic
from aether_tui.report_model import Facts, Gap, Prose, Quantity, Report, Table
from aether_tui.workspace.folder import Workspace
from tests.diagnostics import world

pytestmark = pytest.mark.xdist_group("review")  # its world is made once

COMMITMENT = """\
id: COM-1
title: Deploy more often
who: core
promised: 2026-11-01
by: 2026-11-10
number: delivery.deployments.service.api
direction: up
"""


def pack_of(made: Workspace, window: str = "28d") -> Report[Pack]:
    return world.report("review", made, window=window)


@pytest.fixture(scope="module")
def promised(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = world.workspace(tmp_path_factory.mktemp("promised"))
    world.fill(made)
    world.document(made, "commitments", "COM-1", COMMITMENT)
    return made


def test_every_sentence_rests_on_facts_that_exist_and_says_only_their_numbers(promised: Workspace) -> None:
    found = pack_of(promised)
    assert len(found.data.sentences) >= 5
    for place, one in enumerate(found.data.sentences, 1):
        held = found.details[f"review.facts/{place}"]
        assert len(held) >= 1, f"{one.facts} do not exist"
        shown = {
            item.id
            for block in held
            for item in (block.facts if isinstance(block, Facts) else block.rows if isinstance(block, Table) else ())
        }
        named = {fact.partition("/")[2] for fact in one.facts}
        assert named <= shown | {block.id for block in held}, one
    text = next(block.text for block in found.blocks if isinstance(block, Prose) and block.id == "review.paragraph")
    assert re.findall(r"\[(\d+)\]", text) == [str(place) for place in range(1, len(found.data.sentences) + 1)]
    assert (
        "The only commitment is overdue: Deploy more often, due on 10 November." in text
    )  # five days are too few to say it moved
    # Hand-computed in world.py: cycle times of 1 to 6 days, half of them at most 3, 85 % at most 6.
    assert "Half of what was finished took at most 3 days from start to done, and 85 % at most 6 days" in text
    assert not re.search(r"\b(because|caused|due to|led to|thanks to)\b", text.replace("due on", ""))


@pytest.mark.parametrize(
    ("window", "cadence"), [("7d", "weekly"), ("28d", "monthly"), ("2026-Q4", "quarterly"), ("90d", "quarterly")]
)
def test_the_window_decides_which_review_it_is(promised: Workspace, window: str, cadence: Cadence) -> None:
    found = pack_of(promised, window)
    assert found.data.cadence == cadence
    assert [(part.question, part.report) for part in found.data.parts] == [entry[:2] for entry in AGENDA[cadence]]
    titles = [block.title for block in found.blocks]
    assert [title for title in titles if title in {part.question for part in found.data.parts}] == [
        entry[0] for entry in AGENDA[cadence]
    ]
    for part in found.data.parts:
        block = next(block for block in found.blocks if block.title == part.question)
        assert part.answered is not isinstance(block, Gap)
        assert not isinstance(block, Gap) or block.reason
        if hasattr(diagnostic(part.report), "brief"):  # which leaves out what is not shown here
            whole = world.report(part.report, promised, window=window)
            told = found.blocks[found.blocks.index(block) + 1] if part.answered else block
            assert not isinstance(block, Prose) or block.text == whole.headline
            assert not isinstance(told, Table) or set(told.rows) <= {
                row for one in whole.blocks if isinstance(one, Table) for row in one.rows
            }
            assert not isinstance(block, Gap) or block.reason in {
                one.reason for one in whole.blocks if isinstance(one, Gap)
            }


def test_the_bounds_of_the_cadences() -> None:
    assert [cadence_of(days) for days in (7.9, 10, 11, 45, 46)] == [
        "weekly",
        "weekly",
        "monthly",
        "monthly",
        "quarterly",
    ]


def test_nothing_to_say_is_said(empty: Workspace) -> None:
    found = pack_of(empty)
    assert found.data.sentences == ()
    gap = found.blocks[0]
    assert isinstance(gap, Gap)
    assert "nothing to say yet" in gap.reason and "g i" in gap.next_step
    assert all(isinstance(block, Gap) for block in found.blocks)


def test_a_promise_alone_is_said(tmp_path: Path) -> None:
    made = world.workspace(tmp_path)
    world.document(made, "commitments", "COM-1", COMMITMENT.replace("2026-11-10", "2026-12-24"))
    found = pack_of(made)
    assert [one.text for one in found.data.sentences] == ["The only commitment is open."]


@pytest.mark.parametrize(
    ("effect", "low", "high", "expected"),
    [
        (0.3, 0.2, 0.4, 1.5),
        (-0.3, -0.4, -0.2, 1.5),
        (0.3, 0.3, 0.3, 10.0),
        (0.3, None, None, 0.5),
        (5.0, 4.9, 5.1, 10.0),
    ],
)
def test_rank_is_effect_over_width(effect: float, low: float | None, high: float | None, expected: float) -> None:
    assert narrative.clear(effect, low, high) == pytest.approx(expected)


def test_no_report_says_more_than_its_part() -> None:
    ranked = [
        narrative.Sentence(text=f"{name}{place}.", facts=(f"{name}/x",), weight=place)
        for name in "ab"
        for place in range(5)
    ]
    assert [one.text for one in narrative._best(ranked)] == ["a4.", "b4.", "a3.", "b3."]


def test_an_interval_without_width_is_not_spoken() -> None:
    assert narrative._between(Quantity(value=1.0, unit="ratio", low=1.0, high=1.0)) == ""
    assert narrative._between(Quantity(value=0.2, unit="ratio", low=0.1, high=0.3)) == ", between 10 % and 30 %"

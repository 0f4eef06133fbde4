"""Predicted Impact against measured effects: by anchor as it stood at the start, with n, and an interval once there are six."""

from __future__ import annotations

from datetime import date

import pytest

from aether_tui.diagnostics.portfolio_calibration import calibrate, gained, moved, table
from aether_tui.workspace.kinds.experiment import Arm, Experiment
from aether_tui.workspace.kinds.opportunity import Opportunity
from tests.workspace.test_trials import WHOLE

DAY = date(2026, 1, 5)


def opportunity(number: int, impact: float, **other: object) -> Opportunity:
    return Opportunity.model_validate(
        {
            "id": f"OPP-{number}",
            "title": "t",
            "impact": impact,
            "confidence": 5,
            "reversibility": 5,
            "effort_weeks": 2,
            **other,
        }
    )


def decided(number: int, about: int, successes: int) -> Experiment:
    """700 of 1,000 in control; so many in treatment."""
    steps = [{"to": "reviewed", "when": DAY, "who": "a"}, {"to": "running", "when": DAY, "who": "a"},
             {"to": "decided", "when": DAY, "who": "a", "choice": "kill", "computed": "kill"}]  # fmt: skip
    measured = {"metric": WHOLE["primary"][0]["name"], "when": DAY, "control": {"n": 1000, "successes": 700},
                "treatment": {"n": 1000, "successes": successes}}  # fmt: skip
    seen = [{"text": "two customers smiled", "who": "a", "when": DAY}]
    return Experiment.model_validate(
        {
            **WHOLE,
            "id": f"EXP-{number}",
            "opportunity": f"OPP-{about}",
            "history": steps,
            "results": [measured],
            "observations": seen,
        }
    )


def test_by_hand() -> None:
    rescored = [{"when": date(2026, 2, 1), "field": "impact", "before": 8, "after": 2}]
    about = [opportunity(1, 2, history=rescored, evidence=["interview 2"]), opportunity(2, 4), opportunity(3, 9)]
    found = {one.group: one for one in calibrate(about, [decided(1, 1, 735), decided(2, 2, 693)])}
    assert list(found) == ["predicted 4", "predicted 7", "evidence: interview", "evidence: none"]
    high, low = found["predicted 7"], found["predicted 4"]
    assert (high.group, high.n, high.improved) == ("predicted 7", 1, 1), (
        "8 when it began, whatever was written afterwards"
    )
    assert high.median == pytest.approx(0.05)
    assert (low.group, low.improved, low.low) == ("predicted 4", 0, None)
    assert low.median == pytest.approx(-0.01)
    assert table([low]).rows[0].cells == ("predicted 4", "1", "0", "-1.0 %", "n too small")


def test_pairs_are_held_against_the_baseline_of_the_plan_or_left_out() -> None:
    plain = decided(1, 1, 700)
    pairs = [
        plain.results[0].model_copy(
            update={"control": None, "treatment": None, "difference": Arm(n=400, mean=0.07, sd=0.4)}
        )
    ]
    known, unknown = (plain.model_copy(update={"results": pairs, "baseline": base}) for base in (0.7, None))
    assert [one.median for one in calibrate([opportunity(1, 7)], [known, unknown])] == [pytest.approx(0.1)] * 2
    assert (gained(unknown), moved(unknown)) == ((0.07, 0.0), None)


def test_six_have_an_interval_and_undecided_ones_do_not_count() -> None:
    about = [opportunity(1, 7)]
    tried = [decided(number, 1, 700 + 7 * number) for number in range(1, 7)]
    found = calibrate(about, [*tried, tried[0].model_copy(update={"id": "EXP-9", "history": []})])[0]
    # The ends of six values hold the median with 1 − 2 × 0.5⁶ = 96.9 %.
    assert (found.n, found.low, found.high) == (6, pytest.approx(0.01), pytest.approx(0.06))
    assert calibrate([], tried) == ()

"""Eleven items by hand, with the dates in the table below; survival against scipy and against itself."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from aether_tui.config import Config, Mapping
from aether_tui.diagnostics.pipeline_measure import Pipeline, Stage
from aether_tui.records.model import Row
from aether_tui.report_model import Gap
from aether_tui.stats import survival
from aether_tui.workspace.folder import Workspace
from tests.diagnostics import world

PHASES = {"i": "ideation", "v": "validation", "b": "build", "r": "release", "m": "measure", "l": "learn"}


def moves(number: int, path: str, cancelled: float | None = None, kind: str = "feature") -> tuple[Row, list[Row]]:
    """An item and its transitions from `i1 v3 b5`: the letter of a phase and a day of October."""
    steps = [(PHASES[part[0]], world.at(float(part[1:]), 10)) for part in path.split()]
    done = cancelled is None and steps[-1][0] == "learn"
    item = world.full(
        "work_items", id=f"i{number}", key=f"ENG-{number}", title=f"Item {number}", type=kind, state="Any",
        category="cancelled" if cancelled is not None else "done" if done else "active", phase=steps[-1][0],
        created=steps[0][1], updated=steps[-1][1], completed=steps[-1][1] if done else None,
        cancelled=world.at(cancelled, 10) if cancelled is not None else None,
    )  # fmt: skip
    history = [
        world.full("work_transitions", item_id=f"i{number}", at=at, to_state=f"{phase} {place}", to_phase=phase)
        for place, (phase, at) in enumerate(steps)
    ]
    return item, history


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    made = world.workspace(tmp_path_factory.mktemp("pipeline"))
    fill(
        made,
        [
            *(moves(n, f"i1 v{1 + n} b20 r25 m26 l30") for n in range(1, 6)),  # 5 stay 1 to 5 days in ideation
            *(moves(n, f"i1 v{1 + n}") for n in range(6, 9)),  # 6 to 8 days; in validation since, open
            moves(9, "i1 b12 v14 b16", cancelled=22),  # skips validation at first; killed after build
            moves(10, "i1", cancelled=11),  # killed after ten days of ideation
            moves(11, "i2 v4 b6 r9"),  # released on 9 October, never measured
            moves(12, "i1 v2", kind="bug"),  # no bet: not counted
        ],
    )
    report = world.report("pipeline", made, Config(mapping=Mapping(phases={"Spec": "specification"})))
    assert isinstance(report.data, Pipeline)
    return report.data


def fill(made: Workspace, items: list[tuple[Row, list[Row]]]) -> None:
    world.store(made, "tracker", "issues", "work_items", [item for item, _ in items])
    world.store(made, "tracker", "issues", "work_transitions", [row for _, history in items for row in history])


def stage(found: Pipeline, name: str) -> Stage:
    return next(one for one in found.stages if one.name == name)


def test_stays_in_a_stage_by_hand(audited: Pipeline) -> None:
    ideation = stage(audited, "ideation")
    # Stays: 1 2 3 4 5 6 7 8 days, 11 (item 9, by its first later stage), 10 (killed), 2 (item 11): the sixth of eleven is 5.
    assert (ideation.entered, ideation.here) == (11, 0)
    assert ideation.median_s.value == 5 * 86400
    assert ideation.p85_s.value == 10 * 86400  # the tenth of eleven (⌈0.85 × 11⌉)
    assert ideation.advanced.value == pytest.approx(10 / 11)
    assert ideation.killed.value == pytest.approx(1 / 11)
    assert stage(audited, "validation").here == 3


def test_stays_of_minutes_are_told_in_minutes(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    fill(made, [moves(n, f"b1 r{1 + n / 1440}") for n in range(1, 12)])  # 1 to 11 minutes
    found = world.report("pipeline", made).data
    assert isinstance(found, Pipeline)
    median, p85 = stage(found, "build").median_s.value, stage(found, "build").p85_s.value
    assert (median, p85) == (pytest.approx(6 * 60, rel=0.01), pytest.approx(10 * 60, rel=0.01))


def test_a_stage_with_few_stays_says_so(audited: Pipeline) -> None:
    measure = stage(audited, "measure")
    assert measure.median_s.value is None
    assert measure.median_s.reason == "5 stays in a year, 10 needed"


def test_flags_by_hand(audited: Pipeline) -> None:
    assert audited.entered == 11
    assert (audited.late_kills.value, audited.late_kills.n) == (pytest.approx(1 / 11), 11)
    assert audited.late_kill_days == 21  # item 9, from 1 to 22 October
    # Only item 11 was released over 28 days ago, before 24 October; the five of the 25th had not the time. Nothing was measured then.
    assert (audited.unmeasured.value, audited.unmeasured.n) == (1, 1)
    assert (audited.undecided.value, audited.undecided.reason) == (None, "nothing was measured over 28 days ago")
    specification = stage(audited, "specification").skipped
    assert (specification.value, specification.n) == (1.0, 7)  # nobody was ever in it
    assert stage(audited, "validation").skipped.value == 0.0  # item 9 came back to it


def test_a_past_window_does_not_know_what_was_measured_and_decided_since(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    # On the evening of 9 November all six had been released over 28 days ago, and 4 to 6 measured; 6 had been decided.
    ways = ("r1", "r1 m20", "r1 m41", "r1 m2 l50.5", "r1 m2 l50", "r1 m2 l30")
    fill(made, [moves(number, f"b1 {way}") for number, way in enumerate(ways, 1)])
    then = world.report("pipeline", made, window="2026-10-12..2026-11-09").data
    assert (then.unmeasured.value, then.unmeasured.n) == (2 / 6, 6)  # 1, and 3, measured the day after
    assert (then.undecided.value, then.undecided.n) == (2 / 3, 3)  # of 4 to 6; 2 and 3 were measured later
    now = world.report("pipeline", made).data
    assert (now.unmeasured.value, now.undecided.value) == (1 / 6, 1 / 4)  # 1; 2, measured on the 20th and open


def test_cohorts_by_hand(audited: Pipeline) -> None:
    (october,) = audited.cohorts
    assert october.entered == 11
    reached = {name: round((share.value or 0) * 11) for name, share in october.reached.items()}
    assert reached == {
        "ideation": 11, "validation": 10, "specification": 7, "build": 7, "release": 6, "measure": 5, "learn": 5,
    }  # fmt: skip


def test_item_days_of_the_window_by_hand(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    # The window is 24 October to 21 November (28 days). One item is in build throughout, one only until 31 October.
    fill(made, [moves(1, "b1"), moves(2, "b1 r31"), moves(3, "b1 r2 m3 l4")])
    found = world.report("pipeline", made).data
    assert isinstance(found, Pipeline)
    assert stage(found, "build").item_days == pytest.approx(28 + 7)
    assert stage(found, "release").item_days == pytest.approx(21)
    assert stage(found, "build").item_days_share.value == pytest.approx(35 / 56)


def test_items_past_the_p85_of_their_stage_are_named(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    fill(made, [*(moves(n, "b1 r3") for n in range(1, 21)), moves(21, "b10"), moves(22, "b1", cancelled=30)])
    found = world.report("pipeline", made).data
    assert isinstance(found, Pipeline)
    assert [(item.key, item.stage, item.limit_s) for item in found.old[-1:]] == [("ENG-21", "build", 2 * 86400.0)]
    assert stage(found, "build").older == 1


def test_stages_that_no_state_means_are_unknown_and_an_end_holds_nothing(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    fill(made, [moves(1, "b1"), moves(2, "b1 r31")])
    report = world.report("pipeline", made)
    found = report.data
    assert isinstance(found, Pipeline)
    assert found.last == "release"  # what is released stays so for ever: it is where the pipeline ends
    assert [one.name for one in found.stages] == ["ideation", "validation", "specification", "build"]
    assert stage(found, "build").item_days_share.value == 1
    assert [one.value for one in found.reached] == [1, 1, 1, 1, 0.5, None, None]
    assert found.unmeasured.reason == "no state is mapped to measure or a later stage in [mapping.phases]"
    assert found.undecided.value is None and found.cohorts[0].reached["learn"].value is None
    assert report.headline.startswith("Build holds 100 %")
    # Nobody can tell who skipped a stage that no state means.
    assert [one.skipped.reason for one in found.stages[:3]] == [
        f"no state is mapped to {name} in [mapping.phases]" for name in ("ideation", "validation", "specification")
    ]
    (told,) = [one.text for one in report.findings if "skip" in one.id + one.text]
    assert told.startswith("No state is mapped to ideation or validation or specification")


def test_unmapped_states_are_a_gap_that_names_them(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    item = world.full("work_items", id="1", key="A-1", title="A", type="feature", state="Vibing", created=world.at(1))
    world.store(made, "tracker", "issues", "work_items", [item])
    report = world.report("pipeline", made)
    (gap,) = report.blocks
    assert isinstance(gap, Gap)
    assert "Vibing" in gap.reason
    assert "[mapping.phases]" in gap.next_step


@pytest.mark.parametrize("seed", range(5))
def test_one_cause_is_one_minus_kaplan_meier(seed: int) -> None:
    rng = random.Random(seed)
    times = [(float(rng.randrange(1, 20)), rng.random() < 0.7) for _ in range(60)]
    uncensored = [time for time, ended in times if ended]
    right = [time for time, ended in times if not ended]
    oracle = stats.ecdf(stats.CensoredData(uncensored=uncensored, right=right)).sf
    counts = [(time, "left" if ended else None, 1) for time, ended in times]
    for step in survival.incidence(counts):
        expected = float(np.asarray(oracle.evaluate([step.time]))[0])
        assert step.survival == pytest.approx(expected)
        assert step.left["left"] == pytest.approx(1 - expected)


def test_competing_causes_by_hand() -> None:
    # Ten at risk. Day 1: 2 advance (0.2). Day 2: 1 killed of 8 (0.8/8 = 0.1). Day 3: 2 censored. Day 4: 1 advances of 5
    # (0.7/5 = 0.14) and 1 is killed (0.14).
    steps = survival.incidence(
        [(1, "on", 2), (2, "killed", 1), (3, None, 2), (4, "on", 1), (4, "killed", 1), (5, None, 3)]
    )
    assert survival.left_by(steps, "on", 4) == pytest.approx(0.34)
    assert survival.left_by(steps, "killed", 4) == pytest.approx(0.24)
    assert survival.left_by(steps, "on", 0.5) == 0.0
    assert steps[-1].survival == pytest.approx(0.42)
    assert survival.quantile(steps, 0.5) == 4
    assert survival.quantile(steps, 0.85) is None

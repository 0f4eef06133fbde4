"""Discovery and outcomes of the scorecard, over items and experiments counted by hand."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from aether_tui.config import Config, Leading
from aether_tui.config import Scorecard as Settings
from aether_tui.diagnostics.discovery import Discovery
from aether_tui.records.model import Row
from aether_tui.report_model import Gap, Table
from aether_tui.workspace.folder import Workspace
from tests.diagnostics import world
from tests.diagnostics.world import at, full

DAY = 86_400.0
OPPORTUNITY = """\
id: OPP-1
title: Fewer repeats
impact: 5
confidence: 5
reversibility: 5
effort_weeks: 2
evidence: [ENG-1, 'asked for in ENG-2']
"""


def experiment(number: int, began: date, choice: str, control: float, treatment: float) -> str:
    decided = began + timedelta(days=14)
    guardrail = ", guardrail: cost" if choice == "scale" else ""
    return f"""\
id: EXP-{number}
title: Experiment {number}
level: 1
opportunity: OPP-1
primary:
  - name: resolved
    measure: typed
    better: higher
history:
  - {{to: reviewed, when: {began}, who: core}}
  - {{to: running, when: {began}, who: core}}
  - {{to: decided, when: {decided}, who: core, choice: {choice}{guardrail}}}
results:
  - metric: resolved
    when: {decided}
    control: {{n: 400, successes: {round(400 * control)}}}
    treatment: {{n: 400, successes: {round(400 * treatment)}}}
observations: [{{text: people liked it, when: {decided}, who: core}}]
"""


def item(number: int, *steps: tuple[float, str]) -> list[Row]:
    return [
        full("work_transitions", item_id=f"i{number}", at=at(day), to_state=phase, to_phase=phase, to_category="active")
        for day, phase in steps
    ]


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    workspace = world.workspace(tmp_path / "w")
    items = [
        full("work_items", id=f"i{number}", key=f"ENG-{number}", title="x", type="feature", created=at(1), updated=at(20),
             state="s", category="active")
        for number in range(1, 8)
    ]  # fmt: skip
    # Validated in the window after 4, 4, 6, 8 and 10 days: 1 to 5. Released in it: 1 to 5; of these an experiment that began on
    # the 5th of October names 1 and 2. 6 skipped validation, 7 was validated only.
    steps = [
        *item(1, (2, "validation"), (5, "specification"), (12, "release")),
        *item(2, (2, "validation"), (5, "build"), (12, "release")),
        *item(3, (2, "validation"), (7, "specification"), (13, "release")),
        *item(4, (2, "validation"), (9, "specification"), (14, "release")),
        *item(5, (2, "validation"), (11, "specification"), (14, "release")),
        *item(6, (3, "specification")),
        *item(7, (3, "validation")),
    ]
    world.store(workspace, "linear", "issues", "work_items", items)
    world.store(workspace, "linear", "history", "work_transitions", steps)
    world.document(workspace, "opportunities", "OPP-1", OPPORTUNITY)
    for number, choice in enumerate(("scale", "scale", "kill", "iterate", "kill"), 1):
        # Four move the way they were meant to, the third the other way.
        treatment = 0.4 if number == 3 else 0.6
        world.document(
            workspace, "experiments", f"EXP-{number}", experiment(number, date(2026, 10, 5), choice, 0.5, treatment)
        )
    world.store(workspace, "amplitude", "users", "product_metrics", world.usage())
    return workspace


def discovery_of(made: Workspace, config: Config | None = None) -> Discovery:
    data: Discovery = world.report("scorecard", made, config).data.discovery
    return data


def test_discovery_by_hand(made: Workspace) -> None:
    found = discovery_of(made)
    # Five in 28 days, a month being 30.4375.
    assert (found.validated.value, found.validated.n) == (pytest.approx(5 / 28 * 365.25 / 12), 5)
    assert (found.time.value, found.time.n) == (6 * DAY, 5)
    assert (found.shipped_with_experiment.value, found.shipped_with_experiment.n) == (2 / 5, 5)
    assert (found.win_rate.value, found.win_rate.n) == (2 / 5, 5)
    assert (found.right_sign.value, found.right_sign.n) == (4 / 5, 5)


def test_outcomes_say_what_they_measure_and_what_they_lead(made: Workspace) -> None:
    settings = Settings(
        outcomes={"active_users": "adoption"},
        leading=[Leading(metric="active_users", leads="revenue", lag_days=30, evidence="EXP-3")],
    )
    (outcome,) = discovery_of(made, Config(scorecard=settings)).outcomes
    # 30 and 50 in the window, 10 and 20 before; the unfinished day does not count.
    assert (outcome.now.value, outcome.before.value) == (40, 15)
    assert (outcome.role, outcome.leads) == ("adoption", "revenue by 30 d: EXP-3")


def test_nothing_connected_is_said(empty: Workspace, tmp_path: Path) -> None:
    found = discovery_of(empty)
    assert [found.validated.value, found.win_rate.value, found.right_sign.value] == [None, None, None]
    alone = world.workspace(tmp_path / "d")
    pulls, deployments = world.changes()
    world.store(alone, "github", "pulls", "pull_requests", pulls)
    world.store(alone, "github", "deployments", "deployments", deployments)
    block = next(block for block in world.report("scorecard", alone).blocks if block.id == "scorecard.outcomes")
    assert isinstance(block, Gap) and not isinstance(block, Table)
    assert "No product usage source is connected" in block.reason

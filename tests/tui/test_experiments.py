"""The experiments screen: steps by keyboard, refused where they may not be, taken back by `u`."""

from datetime import date
from pathlib import Path

import pytest

from aether_tui.app import AetherApp
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.decision import Decision
from aether_tui.workspace.kinds.experiment import Experiment
from aether_tui.workspace.kinds.value_stream import ValueStream
from aether_tui.workspace.store import Store
from screens.form import Form
from tests.tui.driving import drive, screen_text, settled, until
from tests.tui.workspaces import NOW
from tests.workspace.test_trials import WHOLE

BUDGETS = "version: 1\ncurrency: USD\nbudgets:\n  - {id: a, surface: llm, metric: task.tokens, limit: 100 tokens/task}  # ours\n"


def stored(workspace: Workspace) -> Experiment:
    return Store(workspace).get(Experiment, "EXP-1").document


def told(app: AetherApp) -> str:
    return " ".join(screen_text(app).split())


def made(folder: Path, **other: object) -> Workspace:
    (folder / "aether.toml").write_text("")
    workspace = Workspace(folder)
    Store(workspace).save(Experiment.model_validate(WHOLE | other), None, NOW)
    return workspace


@pytest.mark.slow
def test_from_review_to_decision_and_back(tmp_path: Path) -> None:
    typed = [{"metric": "resolved", "when": date(2026, 1, 2), "control": {"n": 1000, "successes": 700},
              "treatment": {"n": 1000, "successes": 690}}]  # fmt: skip
    workspace = made(tmp_path, observations=[{"text": "two customers smiled", "who": "ann", "when": date(2026, 1, 2)}],
                     results=typed)  # fmt: skip
    workspace.budgets_path.parent.mkdir()
    workspace.budgets_path.write_text(BUDGETS)

    async def script(pilot, app):
        async def say(key: str, *answers: str) -> None:
            await pilot.press(key)
            for answer in answers:
                await pilot.press("ctrl+u", *answer, "enter")

        await until(pilot, lambda: "EXP-1" in screen_text(app))
        app.screen.page.select("experiments.items/EXP-1")
        await pilot.press("t")  # nobody is asked who starts what cannot be started
        await until(pilot, lambda: "draft cannot become running" in screen_text(app))
        await say("r", "ann")
        await until(pilot, lambda: stored(workspace).state == "reviewed")
        await say("t", "bob")
        await until(pilot, lambda: stored(workspace).state == "running")
        await until(pilot, lambda: "iterate" in screen_text(app))
        app.screen.page.select("experiments.items/EXP-1")
        await say("d", "cy", "ship")
        assert "'ship' is none of kill, iterate, scale" in screen_text(app)
        await say("ctrl+u", "k", "not worth it")
        await until(pilot, lambda: stored(workspace).state == "decided")
        held = stored(workspace).decision
        assert (held.choice, held.computed, held.link) == ("kill", "iterate", "DEC-1")
        record = Store(workspace).get(Decision, "DEC-1").document
        assert "Computed verdict: iterate" in record.reason
        await until(pilot, lambda: "see DEC-1" in screen_text(app))
        app.screen.page.select("experiments.items/EXP-1")
        await say("c", "ann", "regression test", "refund.cost 0.10")
        assert "is no limit of a task" in screen_text(app)
        await pilot.press("space", *"USD/task", "enter")
        await until(pilot, lambda: "codified as PLAY-1, budget refund.cost added" in screen_text(app))
        assert stored(workspace).state == "codified"
        assert "refund.cost" in workspace.budgets_path.read_text()
        await pilot.press("u")
        await until(pilot, lambda: stored(workspace).state == "decided")
        assert workspace.budgets_path.read_text() == BUDGETS
        assert not (workspace.engagement / "playbook" / "PLAY-1.yaml").exists()
        await pilot.press("u")
        await until(pilot, lambda: stored(workspace).state == "running")
        await until(pilot, lambda: not (workspace.engagement / "decisions" / "DEC-1.yaml").exists())

    drive(workspace, script, start="experiments")


def test_an_incomplete_one_says_what_is_missing_and_does_not_start(tmp_path: Path) -> None:
    reviewed = [{"to": "reviewed", "when": date(2026, 1, 1), "who": "ann"}]
    workspace = made(tmp_path, rollback_owner="", history=reviewed)

    async def script(pilot, app):
        await until(pilot, lambda: "EXP-1" in screen_text(app))
        app.screen.page.select("experiments.items/EXP-1")
        await pilot.press("enter")
        await until(pilot, lambda: "1 field missing: rollback owner" in screen_text(app))
        await pilot.press("escape", "t")
        await until(pilot, lambda: "incomplete, so it cannot be started; missing: rollback_owner; f fills" in told(app))
        await pilot.press("d")
        await until(pilot, lambda: "decided without an observation; o writes down" in told(app))
        assert stored(workspace).state == "reviewed"

    drive(workspace, script, start="experiments")


def test_the_next_cycle_opens_on_the_diagnosed_constraint_and_is_taken_back(tmp_path: Path) -> None:
    workspace = made(tmp_path)
    steps = [{"name": "retrieve", "error_rate": {"value": 0.3, "n": 900}}]
    stream = {"id": "VS-1", "title": "Answers", "demand_per_month": 1000, "value_per_success": 4, "steps": steps}
    Store(workspace).save(ValueStream.model_validate(stream), None, NOW)
    cycle = workspace.engagement / "cycles" / "cycle-1.yaml"

    async def script(pilot, app):
        await pilot.press("N")
        await until(pilot, lambda: "the first cycle works on retrieve: error (VS-1)" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "cycle-1 opens on: retrieve: error (VS-1)" in screen_text(app))
        assert "goal: 'Relieve retrieve: error (VS-1)'" in cycle.read_text()
        await pilot.press("u")
        await until(pilot, lambda: not cycle.exists())

    drive(workspace, script, start="playbook")


def test_a_new_draft_is_there_at_once_with_the_cursor_on_it(tmp_path: Path) -> None:
    """Also where nothing was built yet, and nothing is being built."""
    (tmp_path / "aether.toml").write_text("")
    workspace = Workspace(tmp_path)

    async def script(pilot, app):
        await settled(pilot)
        app.rebuild = app.renew = lambda *_, **__: None  # no build comes to help
        await pilot.press("n", *"Ask first", "enter")
        await until(pilot, lambda: isinstance(app.screen, Form) and "EXP-1" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.front())
        assert app.screen.page.selected.id == "experiments.items/EXP-1"
        assert "Ask first" in screen_text(app) and "draft" in screen_text(app)
        await pilot.press("u")
        await until(pilot, lambda: not (workspace.engagement / "experiments").exists())
        await until(pilot, lambda: "Ask first" not in screen_text(app))

    drive(workspace, script, start="experiments")

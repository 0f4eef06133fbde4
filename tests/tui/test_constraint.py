"""The constraint screen: another objective, an opportunity of a lever, causes by digit."""

import pytest

from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.failure_review import FailureReview, Reviewed
from aether_tui.workspace.kinds.opportunity import Opportunity
from aether_tui.workspace.kinds.value_stream import ValueStream
from aether_tui.workspace.store import Store
from tests.tui.driving import drive, screen_text, until
from tests.tui.workspaces import NOW

STEPS = [
    {"name": "draft", "cost": 0.5, "wait_s": 10},
    {"name": "check", "wait_s": 1200, "abandon_rate": {"value": 0.2, "n": 900}, "cost": 0.01},
]


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "aether.toml").write_text("")
    workspace = Workspace(tmp_path)
    store = Store(workspace)
    fields = {"title": "Refunds", "demand_per_month": 1000, "value_per_success": 9, "steps": STEPS}
    store.add(ValueStream, lambda identity: ValueStream.model_validate({"id": identity, **fields}))
    traces = [Reviewed(trace=f"trace{n}", source="otlp") for n in range(3)]
    days = {"start": NOW.date().replace(day=1), "end": NOW.date()}
    store.add(FailureReview, lambda identity: FailureReview(id=identity, title="x", failed=30, traces=traces, **days))
    return workspace


def levers(app) -> list[str]:
    return [stop.item.row for stop in app.screen.page._layout.stops if stop.item.block == "constraint.levers"]


def built(app) -> bool:
    return bool(levers(app)) and not app._building


def test_m_ranks_by_another_objective_and_comes_back(workspace):
    async def script(pilot, app):
        await until(pilot, lambda: built(app))
        by_money = levers(app)
        assert by_money[0] == "check.abandonment"
        for words in ("cost per success", "success rate", "lead time"):
            await pilot.press("m")
            assert f"by {words}" in screen_text(app)
        assert levers(app)[0] == "check.wait"
        await pilot.press("m", "m")
        assert levers(app) == by_money

    drive(workspace, script, start="constraint", size=(120, 50))


def test_a_lever_becomes_an_opportunity_with_its_evidence(workspace):
    async def script(pilot, app):
        await until(pilot, lambda: built(app))
        app.screen.page.select("constraint.levers/check.abandonment")
        await pilot.press("O", "enter")
        await until(pilot, lambda: (workspace.engagement / "opportunities" / "OPP-1.yaml").exists())
        made = Store(workspace).get(Opportunity, "OPP-1").document
        assert made.title == "Improve check abandonment by 30 %"
        assert made.evidence[0].startswith("constraint check abandonment money a month +")
        assert "n 900" in made.evidence[0]

    drive(workspace, script, start="constraint", size=(120, 50))


def test_digits_give_causes_once_somebody_is_named(workspace):
    def verdicts() -> list[tuple[str, str]]:
        return [(item.cause, item.who) for item in Store(workspace).get(FailureReview, "FR-1").document.traces]

    async def script(pilot, app):
        await until(pilot, lambda: built(app))
        await pilot.press("2")
        assert "select a reviewed trace" in screen_text(app)
        app.screen.page.select("constraint.traces/FR-1/otlp/trace0")
        await pilot.press("2", *"Ana", "enter")
        await until(pilot, lambda: verdicts()[0] == ("retrieval", "Ana"))
        await until(pilot, lambda: not app._building)
        app.screen.page.select("constraint.traces/FR-1/otlp/trace1")
        await pilot.press("0")
        await until(pilot, lambda: "0 is no cause" in screen_text(app))
        await pilot.press("u")
        await until(pilot, lambda: verdicts()[0] == ("", ""))

    drive(workspace, script, start="constraint", size=(120, 50))

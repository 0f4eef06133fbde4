"""Empty panels: the first join that fails is named with how many rows came that far, and what would fill it."""

from __future__ import annotations

from pathlib import Path

import pytest

from aether_tui.cache import Cache
from aether_tui.config import Config
from aether_tui.diagnostics.joins import CHAINS, first_failed
from aether_tui.diagnostics.run import open_data
from aether_tui.report_model import Gap
from aether_tui.workspace.folder import Workspace
from tests.diagnostics import world
from tests.diagnostics.world import at, full


def told(made: Workspace, name: str) -> str:
    with open_data(Config(), world.clock(), Cache(made.cache_path)) as data:
        return first_failed(data, name)


@pytest.mark.parametrize("name", list(CHAINS))
def test_without_a_cache_the_first_step_fails(empty: Workspace, name: str) -> None:
    said = told(empty, name)
    assert said.startswith("first join that fails: ")
    assert ": 0; it takes " in said


def test_each_step_is_the_first_to_fail_in_turn(tmp_path: Path) -> None:
    made = world.workspace(tmp_path)
    world.store(made, "github", "deployments", "deployments", [
        full("deployments", id="d1", repo="acme/api", result="failure", environment="staging", started=at(3), updated=at(3)),
    ])  # fmt: skip
    assert told(made, "deployments").startswith(
        "first join that fails: deployments: 1 → deployments to production: 0; it takes [mapping.env"
    )
    world.store(made, "github", "deployments", "deployments", [
        full("deployments", id="d2", repo="acme/api", result="failure", environment="production", started=at(3), updated=at(3)),
    ])  # fmt: skip
    assert "to production: 1 → successful deployments to production: 0" in told(made, "deployments")
    world.store(made, "github", "pulls", "pull_requests", [
        full("pull_requests", repo="acme/web", number=1, state="merged", created=at(1), merged=at(2), updated=at(2)),
    ])  # fmt: skip
    joined = "merged requests of a repository that deploys to production, or that name their deployment"
    assert f"merged pull requests: 1 → {joined}: 0" in told(made, "pull_requests")
    world.store(made, "github", "pulls", "pull_requests", [
        full("pull_requests", repo="acme/web", number=n, state="merged", created=at(1), merged=at(2), updated=at(2), labels=(label,))
        for n, label in ((2, "deployment:none"), (3, "Deployment:d9"))
    ])  # fmt: skip
    assert f"{joined}: 1" in told(made, "pull_requests")
    assert told(made, "work_items").startswith("first join that fails: work items: 0")


def test_where_every_join_holds_the_window_is_empty(filled: Workspace) -> None:
    assert (
        told(filled, "spans")
        == "every join holds (traces: 8 → traces with a model call: 8); there is nothing in this window, or not for these filters"
    )


@pytest.mark.parametrize("name", ["lens", "flow", "scorecard", "pipeline"])
def test_every_screen_says_what_to_connect_by_key_and_which_join_fails(empty: Workspace, name: str) -> None:
    gaps = [block for block in world.report(name, empty).blocks if isinstance(block, Gap)]
    assert gaps
    for gap in gaps:
        assert gap.next_step.endswith("(c shows how to connect, i asks people)")
        assert gap.action == "go.sources"
        assert gap.why.startswith("first join that fails: ") or gap.id in {"lens.gap.costs", "lens.gap.test_runs"}

"""`budget backtest` on a past we made: one lasting regression, one spike, and noise."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from aether_tui.budgets.baseline import Baseline, updated
from aether_tui.budgets.file import BudgetFile, parse_budgets
from aether_tui.budgets.model import Sample, Series
from tests.command import aether

START = datetime(2026, 8, 1, 12, tzinfo=UTC)
BUDGETS = b"""\
version: 1
currency: USD
defaults: {warn: {relative: 5%}, block: {relative: 10%}, noise: {window: 100}}
budgets:
  - {id: tests.unit, surface: tests, metric: suite.duration, match: {suite: unit}, limit: 150s, block: {limit: 0%}}
  - {id: tests.e2e, surface: tests, metric: suite.duration, match: {suite: e2e}}
"""
SPIKE, LASTING, LATE = 40, 60, 78


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """80 changes: change 40 was once twice as slow, 60 made e2e slower for good, 78 broke the limit and is too young."""
    (tmp_path / "optimization").mkdir()
    (tmp_path / "optimization" / "budgets.yaml").write_bytes(BUDGETS)
    file: BudgetFile = parse_budgets(BUDGETS, "budgets.yaml", date(2026, 11, 21))
    draw = random.Random(8)
    known: tuple[Baseline, ...] = ()
    for place in range(80):
        unit = 100 * draw.gauss(1, 0.02) * (2 if place == SPIKE else 1.6 if place >= LATE else 1)
        e2e = 50 * draw.gauss(1, 0.02) * (1.5 if place >= LASTING else 1)
        measured = {
            f"tests.{name}": [Series("", (Sample(value, fingerprint="ci"),), labels={"suite": name})]
            for name, value in (("unit", unit), ("e2e", e2e))
        }
        added, _ = updated(file, measured, known, commit=f"{place:012x}", now=START + timedelta(days=place))
        known = tuple(one.baseline for one in added)
    for one in known:
        path = tmp_path / "benchmarks" / one.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.encoded("USD"))
    return tmp_path


def test_which_changes_would_have_been_stopped(project: Path) -> None:
    done = aether("budget", "backtest", "--last", "60", "--format", "json", cwd=project)
    assert done.code == 0, done.err
    made = done.json
    stops = {int(change["commit"], 16): change["stops"] for change in made["stopped"]}
    assert made["changes"] == 60
    assert [(one["id"], one["verdict"], one["truth"]) for one in stops[SPIKE]] == [("tests.unit", "block", "false")]
    assert [(one["id"], one["verdict"], one["truth"]) for one in stops[LASTING]] == [
        ("tests.e2e", "inconclusive", "right")
    ]
    assert {one["truth"] for one in stops[LATE]} == {"open"}
    noise = set(stops) - {SPIKE, LATE, LATE + 1} - set(range(LASTING, 80))
    assert not noise, "2 % of noise stops nothing"
    assert (made["blocked"], made["only_limits"]) == (3, 0)
    assert made["false"] == sum({one["truth"] for one in found} == {"false"} for found in stops.values())
    assert "Daly et al." in made["definition"]


def test_it_is_told_in_words(project: Path) -> None:
    done = aether("budget", "backtest", "--last", "100", cwd=project)
    assert "Of 80 changes, 3 would have been blocked" in done.out
    assert "would have been false" in done.out
    assert "5 changes had no baseline yet" in done.out
    assert "note: 80 changes of 100 are known" in done.err


def test_a_waiver_of_today_does_not_excuse_the_past(project: Path) -> None:
    waiver = ("--reason", "a good long reason", "--owner", "@mia", "--expires", "2026-12-01")
    assert aether("--as-of", "2026-11-21", "budget", "waive", "tests.unit", *waiver, cwd=project).code == 0
    made = aether("budget", "backtest", "--last", "60", "--format", "json", cwd=project).json
    assert made["blocked"] == 3


def test_runs_of_a_file_are_changes(project: Path) -> None:
    budget = "  - {id: ci, surface: ci, metric: pipeline.duration, match: {branch: main}, limit: 15min, block: {limit: 10%}}\n"
    file = project / "optimization" / "budgets.yaml"
    file.write_bytes(BUDGETS + budget.encode())
    runs = []
    for place in range(40):
        start = START + timedelta(hours=place)
        end = start + timedelta(minutes=40 if place == 20 else 10, seconds=place % 7)
        times = {"createdAt": start, "startedAt": start, "updatedAt": end}
        runs.append(
            {"databaseId": place, "attempt": 1, "conclusion": "success", "status": "completed", "event": "push",
             "headSha": f"{place:012x}".ljust(40, "0"), "headBranch": "main", "workflowName": "CI",
             **{key: value.strftime("%Y-%m-%dT%H:%M:%SZ") for key, value in times.items()}}
        )  # fmt: skip
    (project / "runs.json").write_text(json.dumps(runs))
    made = aether("budget", "backtest", "runs.json", "--last", "500", "--format", "json", cwd=project).json
    found = {
        change["commit"]: change["stops"] for change in made["stopped"] if change["stops"][0]["id"].startswith("ci")
    }
    assert {commit: [stop["truth"] for stop in stops] for commit, stops in found.items()} == {f"{20:012x}": ["false"]}


def test_without_a_past(tmp_path: Path) -> None:
    (tmp_path / "optimization").mkdir()
    (tmp_path / "optimization" / "budgets.yaml").write_bytes(BUDGETS)
    aether("budget", "backtest", cwd=tmp_path).refuses(3, "no measurement of the past", "budget baseline --update")

"""`budget init`: the first day is green, and the file stays as people wrote it."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from aether_tui.budgets.edit import with_budget, with_limit
from aether_tui.budgets.file import parse_budgets
from aether_tui.budgets.model import Spend
from aether_tui.budgets.propose import proposals, written
from aether_tui.budgets.quantity import parse_quantity
from tests.budgets.test_baseline import history
from tests.budgets.test_commands import junit, plan
from tests.command import aether
from tests.diagnostics.world import at, full, store, workspace

TODAY = date(2026, 11, 21)
BEFORE = """\
# ours
version: 1
currency: USD   # never converted
budgets:
  # one of each kind of layout
  - {id: a, surface: tests, metric: suite.duration, limit: 10s, match: {suite: "*"}}  # flow
  - id: b   # block
    limit: "3 tests"
    surface: tests
    metric: suite.flaky  # without match

  - id: c
    surface: llm
    metric: task.tokens   # no limit yet
    block: {relative: 10%}
  - {id: d, surface: llm, metric: task.cost}
# the end
"""


@pytest.mark.parametrize(
    ("identity", "limit", "line", "now"),
    [
        ("a", "12s", "limit: 10s", "limit: 12s"),
        ("b", "5 tests", 'limit: "3 tests"', "limit: 5 tests"),
        ("c", "4000 tokens/task", "task.tokens   # no limit yet", "task.tokens   # no limit yet\n    limit: 4000 tokens/task"),
        ("d", "0.2 USD/task", "metric: task.cost}", "metric: task.cost, limit: 0.2 USD/task}"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_limit_changes_and_nothing_else(identity: str, limit: str, line: str, now: str, newline: str) -> None:
    before = BEFORE.replace("\n", newline)
    after = with_limit(before.encode(), "budgets.yaml", identity, limit, TODAY).decode()
    assert after == before.replace(line, now.replace("\n", newline))


def test_a_new_budget_ends_the_list() -> None:
    new = {
        "id": "tests.e2e",
        "surface": "tests",
        "metric": "suite.duration",
        "match": {"suite": "e2e"},
        "limit": "5min",
    }
    after = with_budget(BEFORE.encode(), "budgets.yaml", new, TODAY).decode()
    assert parse_budgets(after.encode(), "budgets.yaml", TODAY).budgets[-1].limit == 300
    assert after.startswith(BEFORE.removesuffix("# the end\n"))
    assert after.endswith("# the end\n")


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (14.01, "s", "15s"), (0.0123, "s", "13ms"), (0.0985, "s", "99ms"), (147, "s", "2.5min"), (119.9, "s", "120s"),
        (5400, "s", "90min"), (9000, "s", "2.5h"), (512.6, "money/month", "520 USD/month"),
        (0.0312, "money/task", "0.032 USD/task"), (3100, "tokens/task", "3100 tokens/task"), (3, "tests", "3 tests"),
        (2.2, "s/turn", "2.2s/turn"), (1000, "tokens/task", "1000 tokens/task"), (0, "s", "1s"), (0, "tests", "0 tests"),
    ],
)  # fmt: skip
def test_limits_are_round_and_never_below_what_was_measured(value: float, kind: str, text: str) -> None:
    assert written(value, kind, "USD", up=True) == text
    assert float(parse_quantity(text, kind).value) >= value


def test_the_first_day_is_green(tmp_path: Path) -> None:
    """A slow suite, a suite no budget knows, a plan beyond its budget, tokens without a limit, runs of another branch."""
    run = {"databaseId": 1, "attempt": 1, "conclusion": "success", "status": "completed", "event": "push", "headSha": "abc",
           "createdAt": "2026-11-20T10:00:00Z", "startedAt": "2026-11-20T10:00:00Z", "updatedAt": "2026-11-20T10:40:00Z",
           "headBranch": "trunk", "workflowName": "CI"}  # fmt: skip
    (tmp_path / "runs.json").write_text(json.dumps([run]))
    (tmp_path / "other.xml").write_text('<testsuite name="pytest"><testcase name="a" time="44"/></testsuite>')
    tokens = {"tasks": 1, "spans": 1, "unpriced": 0, "problems": [], "by_scenario": [
        {"scenario": "refund", "environment": "", "model": "m", "tasks": 1, "tokens_p50": 3100, "cost_p50": 0.4,
         "latency_p50_s": 20, "turn_latency_p50_s": 20, "tokens": [3100], "cost": [0.4], "turn_latency_s": [20]}]}  # fmt: skip
    (tmp_path / "tokens.json").write_text(json.dumps(tokens))
    names = ("runs.json", "other.xml", "tokens.json")
    reports = [junit(tmp_path, 200), plan(tmp_path, "600", "700"), *map(tmp_path.joinpath, names)]
    assert aether("init", "--budgets-only", cwd=tmp_path).code == 0
    file = tmp_path / "optimization" / "budgets.yaml"
    before = file.read_text()
    assert aether("budget", "check", *reports, cwd=tmp_path).code == 1
    printed = aether("budget", "init", *reports, "--format", "json", cwd=tmp_path)
    assert printed.code == 0, printed.err
    found = {one["id"]: (one["limit"], one["proposed"], one["from"]) for one in printed.json}
    assert found["tests.unit"] == ("2min", "4.3min", "now + 25 %")
    assert found["cost.dev"] == ("500 USD/month", "880 USD/month", "plan + 25 %")
    assert found["llm.task.tokens"] == (None, "3900 tokens/task", "now + 25 %")
    assert found["tests.tests"] == (None, "55s", "now + 25 %")
    assert found["ci.ci.trunk"] == (None, "50min", "now + 25 %")
    assert file.read_text() == before, "nothing is written unasked"
    only = aether("budget", "init", *reports, "--only", "cost.dev", "--write", cwd=tmp_path)
    assert only.code == 0
    assert file.read_text() == before.replace("limit: 500 USD", "limit: 880 USD")
    assert aether("budget", "init", *reports, "--write", cwd=tmp_path).code == 0
    green = aether("budget", "check", *reports, cwd=tmp_path)
    assert green.code == 0, green.err
    assert [line for line in before.splitlines() if "#" in line] == [
        line for line in file.read_text().splitlines() if "#" in line
    ]
    again = aether("budget", "init", *reports, "--write", cwd=tmp_path)
    assert "every limit is kept" in again.err


def test_without_a_file_one_is_made(tmp_path: Path) -> None:
    assert aether("budget", "init", junit(tmp_path, 200), "--write", cwd=tmp_path).code == 0
    assert aether("budget", "check", junit(tmp_path, 200), cwd=tmp_path).code == 0


def test_a_history_counts_by_its_p95(tmp_path: Path) -> None:
    assert aether("init", "--budgets-only", cwd=tmp_path).code == 0
    history(tmp_path, 20)
    command = ("budget", "init", junit(tmp_path, 10), "--fingerprint", "ci", "--only", "tests.unit", "--format", "json")
    (one,) = [one for one in aether(*command, cwd=tmp_path).json if one["id"] == "tests.unit"]
    # 20 uniform draws of 12 to 13 s and one of 12: the 20th of 21, ceil(0.95 × 21).
    assert (one["from"], one["proposed"]) == ("p95 of 21 measurements", "13s")


def test_a_month_has_a_pace_from_its_third_day_on(tmp_path: Path) -> None:
    """On 2 November: dev spent 5 USD on each day of October (155 in all) and 90 on the first of November, staging is new, and
    production's bill is in EUR. With a pace, dev would be given 90 × 30 and a quarter: 3,400."""
    made = workspace(tmp_path)
    days = [("dev", 10, day, "5", "USD") for day in range(1, 32)]
    days += [("dev", 11, 1, "90", "USD"), ("staging", 11, 1, "3", "USD"), ("production", 11, 1, "40", "EUR")]
    store(made, "focus", "files", "costs", [
        full("costs", row_hash=f"{env}{month}-{day}", charge_start=at(day, month), billed_cost=Decimal(cost), currency=currency,
             environment=env)
        for env, month, day, cost, currency in days
    ])  # fmt: skip
    made.budgets_path.parent.mkdir()
    made.budgets_path.write_text("version: 1\ncurrency: USD\nbudgets:\n" + "".join(
        f"- {{id: cost.{env}, surface: cost, metric: infra.monthly, match: {{env: {env}}}, burn: {{period: month}}}}\n"
        for env in ("dev", "staging", "production")))  # fmt: skip
    done = aether("--as-of", "2026-11-02", "budget", "init", "--format", "json", cwd=tmp_path)
    assert [(one["id"], one["proposed"], one["from"]) for one in done.json] == [
        ("cost.dev", "200 USD/month", "the month before + 25 %")
    ]
    assert "cost.staging: no limit is proposed from less than 3 days" in done.err


def test_a_limit_that_is_kept_is_left_alone_however_near() -> None:
    """450 of 500 USD is kept; a quarter more would not be."""
    budget = "{id: a, surface: cost, metric: infra.monthly, limit: 500 USD/month, burn: {period: month}}"
    file = parse_budgets(f"version: 1\ncurrency: USD\nbudgets: [{budget}]".encode(), "budgets.yaml", TODAY)
    for spent, needed in (("225", False), ("255", True)):
        (found,) = proposals(file, {"a": [Spend(Decimal(spent), "USD", 15, 30)]}, [])
        assert found.needed is needed


def test_what_it_refuses(tmp_path: Path) -> None:
    aether("budget", "init", cwd=tmp_path).refuses(2, "aether-tui init")
    report = junit(tmp_path, 10)
    aether("budget", "init", report, "--only", "tests.unti", cwd=tmp_path).refuses(2, "did you mean 'tests.unit'?")

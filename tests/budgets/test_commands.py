"""`measure` and `budget` on files, without a workspace; real payloads against counts made by other means."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.command import aether

UNIT = (
    '<testsuite name="unit" tests="2"><testcase name="a" classname="c" time="{a}"/>'
    '<testcase name="b" classname="c" time="2"/></testsuite>'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert aether("init", "--budgets-only", cwd=tmp_path).code == 0
    return tmp_path


@pytest.fixture(scope="session")
def facts(contracts: Path) -> dict[str, Any]:
    return dict(json.loads((contracts / "facts.json").read_text()))


def junit(folder: Path, seconds: float = 10, name: str = "unit.xml") -> Path:
    path = folder / name
    path.write_text(UNIT.format(a=seconds))
    return path


def plan(folder: Path, past: str, now: str, environment: str = "dev") -> Path:
    project = {"name": environment, "pastBreakdown": {"resources": [{}], "totalMonthlyCost": past},
               "breakdown": {"resources": [{}], "totalMonthlyCost": now},
               "diff": {"totalMonthlyCost": str(Decimal(now) - Decimal(past))}}  # fmt: skip
    path = folder / "plan.json"
    path.write_text(json.dumps({"version": "0.2", "currency": "USD", "projects": [project], "totalMonthlyCost": now}))
    return path


def by_id(done: Any, identity: str) -> dict[str, Any]:
    return next(one for one in done.json["budgets"] if one["id"] == identity)


def test_a_report_under_its_limit(folder: Path) -> None:
    done = aether("budget", "check", junit(folder), "--format", "json", cwd=folder)
    assert done.code == 0, done.err
    unit = by_id(done, "tests.unit")
    assert (unit["verdict"], unit["now"], unit["limit"], unit["unit"], unit["n_now"]) == ("pass", 12.0, 120.0, "s", 1)
    assert by_id(done, "ci.main")["verdict"] == "no-data"
    assert by_id(done, "ci.main")["now"] is None
    assert done.json["verdict"] == "pass", "what a change did not measure is not held against it"


def test_a_report_over_its_limit_blocks_and_names_the_slowest(folder: Path) -> None:
    over = junit(folder, 150)
    done = aether("budget", "check", over, cwd=folder)
    done.refuses(1, "tests.unit", "over the limit: slowest a 2.5 min")
    assert "■" in done.out
    markdown = aether("budget", "check", over, "--format", "md", cwd=folder)
    assert markdown.code == 1
    assert markdown.out.startswith("<!-- aether-tui budget check -->")


def test_shards_of_one_suite_are_one_run(folder: Path) -> None:
    shards = [junit(folder, 70, f"unit-{place}.xml") for place in (1, 2)]
    done = aether("budget", "check", *shards, "--format", "json", cwd=folder)
    assert (done.code, by_id(done, "tests.unit")["now"]) == (1, 144.0)


def test_a_truncated_report_never_passes(folder: Path) -> None:
    path = junit(folder)
    path.write_text(path.read_text()[:-30])
    aether("budget", "check", path, cwd=folder).refuses(3, "tests.unit", "cut short")


@pytest.mark.parametrize(
    ("past", "now", "code", "verdict"),
    [("400", "410", 0, "pass"), ("400", "421", 0, "warn"), ("400", "501", 1, "block")],
)
def test_plans(folder: Path, past: str, now: str, code: int, verdict: str) -> None:
    done = aether("budget", "check", plan(folder, past, now), "--format", "json", cwd=folder)
    assert (done.code, by_id(done, "cost.dev")["verdict"]) == (code, verdict)
    assert done.json["verdict"] == verdict
    strict = aether("budget", "check", plan(folder, past, now), "--strict", cwd=folder)
    assert strict.code == (0 if verdict == "pass" else 1)


def test_measure_output_and_stdin_are_read_back(folder: Path) -> None:
    printed = aether("measure", "tests", junit(folder, 150), cwd=folder)
    assert (printed.code, printed.json["tests"], printed.json["duration_s"]) == (0, 2, 152.0)
    assert aether("budget", "check", "-", cwd=folder, stdin=printed.out).code == 1
    assert aether("budget", "check", "-", cwd=folder, stdin=UNIT.format(a=10)).code == 0
    spoiled = printed.out.replace('"flaky"', '"flakey"')
    aether("budget", "check", "-", cwd=folder, stdin=spoiled).refuses(2, "flakey")
    aether("budget", "check", "-", cwd=folder, stdin="").refuses(2, "nothing came")


def test_nothing_measured_is_not_green(folder: Path) -> None:
    path = folder / "other.xml"
    path.write_text('<testsuite name="contract" tests="1"><testcase name="a" time="1"/></testsuite>')
    aether("budget", "check", path, cwd=folder).refuses(3, "no data", "none is suite")


def test_what_it_refuses(folder: Path) -> None:
    (folder / "notes.txt").write_text("hello")
    aether("budget", "check", "notes.txt", cwd=folder).refuses(2, "notes.txt", "junit", "infracost")
    aether("budget", "check", "gone.xml", cwd=folder).refuses(2, "gone.xml", "no such file")
    aether("budget", "check", "*.none", cwd=folder).refuses(2, "no file matches")
    aether("budget", "check", cwd=folder).refuses(2, "aether-tui init")
    aether("budget", "explain", "tests.unti", junit(folder), cwd=folder).refuses(2, "did you mean 'tests.unit'?")
    aether("measure", "cost", junit(folder), cwd=folder).refuses(2, "says nothing to `measure cost`")
    (folder / "optimization" / "budgets.yaml").write_text("version: 1\ncurrency: USD\nbudgets:\n- {id: a, limit: 15}\n")
    aether("budget", "check", junit(folder), cwd=folder).refuses(2, "optimization/budgets.yaml:4", "surface")


def test_without_a_budgets_file(tmp_path: Path) -> None:
    aether("budget", "check", junit(tmp_path), cwd=tmp_path).refuses(2, "init --budgets-only")


def test_self_test_and_explain(folder: Path) -> None:
    done = aether("budget", "check", "--self-test", cwd=folder)
    assert (done.code, done.out) == (0, "")
    assert "blocks a planted spike in each of 9 budgets" in done.err
    explained = aether("budget", "explain", "tests.unit", junit(folder, 150), cwd=folder).out
    assert "rule        suite.duration of suite *unit*, limit 2 min" in explained
    assert "127 % used" in explained


def test_the_cache_of_a_workspace_is_the_baseline(tmp_path: Path) -> None:
    assert aether("init", cwd=tmp_path).code == 0
    for day in range(1, 9):
        path = junit(tmp_path, 10 + day / 10, f"unit-{day}.xml")
        path.write_text(path.read_text().replace('tests="2"', f'tests="2" timestamp="2026-11-{day:02}T10:00:00"'))
    loaded = aether("load", *sorted(tmp_path.glob("unit-*.xml")), cwd=tmp_path)
    assert loaded.code == 0, loaded.err
    slow = junit(tmp_path, 60, "unit-now.xml")
    done = aether("--as-of", "2026-11-21", "budget", "check", slow, "--format", "json", cwd=tmp_path)
    unit = by_id(done, "tests.unit")
    assert (unit["n_base"], unit["need_more"]) == (8, 1)
    assert done.code == 3, "one run far outside the noise asks for another"
    measured = aether("--as-of", "2026-11-21", "measure", "tests", cwd=tmp_path)
    assert (measured.json["files"], measured.json["tests"], measured.json["runs"]) == (8, 16, 8)
    aether("budget", "check", "-", cwd=tmp_path, stdin=measured.out).refuses(2, "tests of 8 runs in one sum")


LIGHT = """
import sys
from aether_tui.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
heavy = {"numpy", "scipy", "textual", "httpx", "keyring", "genai_prices"} & set(sys.modules)
print(",".join(sorted(heavy)), file=sys.stderr)
"""


def test_the_report_and_the_gate_start_light(tmp_path: Path) -> None:
    assert aether("init", cwd=tmp_path).code == 0
    path = junit(tmp_path)
    assert aether("load", path, cwd=tmp_path).code == 0
    for command in (["report", "budgets", "--format", "json"], ["budget", "check"], ["budget", "check", str(path)]):
        done = subprocess.run(
            [sys.executable, "-c", LIGHT, *command], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert done.stderr.splitlines()[-1] == "", (command, done.stderr)


def test_junit_counts_equal_the_oracle(folder: Path, contracts: Path, facts: dict[str, Any]) -> None:
    names = [name for name in facts if name.startswith("junit/") and "root" in facts[name] and "/odd/" not in name]
    assert len(names) > 12
    measured = aether("measure", "tests", *(contracts / name for name in names), cwd=folder).json
    wanted = {key: sum(facts[name][fact] for name in names) for key, fact in {
        "tests": "cases", "passed": "passed", "failed": "failure", "errors": "error", "skipped": "skipped"}.items()}  # fmt: skip
    assert {key: measured[key] for key in wanted} == wanted
    assert measured["duration_s"] == pytest.approx(
        float(sum(Decimal(facts[name]["case_time_sum_s"]) for name in names))
    )
    assert measured["files"] == len(names)


def test_infracost_totals_equal_the_oracle(folder: Path, contracts: Path, facts: dict[str, Any]) -> None:
    for name in (name for name in facts if name.startswith("infracost/")):
        measured = aether("measure", "cost", contracts / name, cwd=folder).json
        assert Decimal(measured["monthly_cost"]) == Decimal(facts[name]["total"]), name
        assert len(measured["projects"]) == facts[name]["projects"]
        assert sum(bool(one["errors"]) for one in measured["projects"]) == facts[name]["projects_with_errors"]


def test_runs_and_traces(folder: Path, contracts: Path, facts: dict[str, Any]) -> None:
    runs = aether("measure", "ci", contracts / "github" / "runs.csv.gz", cwd=folder).json
    ended = facts["github/runs"]["conclusion"]
    assert runs["runs"] == ended["success"] + ended["failure"] + ended["timed_out"]
    assert runs["runs"] + runs["excluded"] == facts["github/runs"]["rows"]
    one = aether("measure", "ci", contracts / "github" / "webhook_workflow_run_completed.json", cwd=folder).json
    assert one["runs"] == 1
    tokens = aether("measure", "tokens", *(contracts / "otlp" / "captured").iterdir(), cwd=folder).json
    assert (tokens["tasks"], tokens["spans"]) == (9, 14)
    assert all(
        value is None or value >= 0 for value in tokens["by_scenario"][0].values() if not isinstance(value, str | list)
    )


def test_runs_as_gh_prints_them(folder: Path) -> None:
    run = {"databaseId": 1, "attempt": 1, "conclusion": "success", "status": "completed", "createdAt": "2026-11-20T10:00:00Z",
           "startedAt": "2026-11-20T10:00:00Z", "updatedAt": "2026-11-20T10:20:00Z", "event": "push", "headBranch": "main",
           "headSha": "abc", "workflowName": "CI"}  # fmt: skip
    (folder / "runs.json").write_text(json.dumps([run, {**run, "databaseId": 2, "conclusion": "cancelled"}]))
    measured = aether("measure", "ci", "runs.json", cwd=folder).json
    assert (measured["runs"], measured["excluded"], measured["p50_s"]) == (1, 1, 1200.0)
    aether("budget", "check", "runs.json", "--strict", cwd=folder).refuses(
        1, "ci.main", "20 min of 15 min", "once more to confirm"
    )

"""Every kind of file the gate reads, by itself, in an empty folder: real payloads against counts made by other means."""

from __future__ import annotations

import csv
import gzip
import json
from decimal import Decimal
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from aether_tui.cli.measuring import KINDS
from tests.budgets.test_commands import UNIT
from tests.command import aether

csv.field_size_limit(1 << 30)


def data(contracts: Path, name: str) -> list[Any]:
    with gzip.open(contracts / name, "rt", newline="") as file:
        return [json.loads(row["data"]) for row in csv.DictReader(file)]


def test_a_terraform_plan_says_what_changes_and_no_price(contracts: Path, tmp_path: Path) -> None:
    path = contracts / "terraform" / "terraform_plan.json"
    made = [one["address"] for one in json.loads(path.read_text())["resource_changes"]]
    measured = aether("measure", "cost", path, cwd=tmp_path).json
    assert [(one["address"], one["action"]) for one in measured["changes"]] == [(name, "create") for name in made]
    assert measured["monthly_cost"] is None
    assert aether("init", "--budgets-only", cwd=tmp_path).code == 0
    aether("budget", "check", path, cwd=tmp_path).refuses(3, "5 to create", "not what it costs")
    plan = {"format_version": "1.2", "resource_changes": [
        {"address": "a.\x1b[31mb", "type": "a", "change": {"actions": actions}}
        for actions in (["no-op"], ["read"], ["update"], ["delete", "create"], ["create", "delete"], ["delete"])
    ]}  # fmt: skip
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    measured = aether("measure", "cost", "plan.json", cwd=tmp_path).json
    assert [one["action"] for one in measured["changes"]] == ["update", "replace", "replace", "delete"]
    assert "\x1b" not in measured["changes"][0]["address"]
    together = aether(
        "measure", "cost", "plan.json", contracts / "infracost" / "example_breakdown.json", cwd=tmp_path
    ).json
    assert (together["monthly_cost"], len(together["changes"])) == ("1361.3075", 4)


def test_runs_and_jobs_as_the_hosts_answer(contracts: Path, tmp_path: Path) -> None:
    pipelines = data(contracts, "gitlab/pipeline_details.csv.gz")
    (tmp_path / "pipelines.json").write_text(json.dumps(pipelines))
    measured = aether("measure", "ci", "pipelines.json", cwd=tmp_path).json
    assert measured["runs"] == len(pipelines)
    jobs = data(contracts, "gitlab/jobs.csv.gz")
    (tmp_path / "jobs.json").write_text(json.dumps(jobs))
    found = aether("measure", "ci", "jobs.json", cwd=tmp_path)
    assert found.code == 0, found.err
    assert found.json["by_job"]
    hook = aether("measure", "ci", contracts / "github" / "webhook_workflow_job_completed.json", cwd=tmp_path).json
    # created 10:33:58, started 10:34:58, completed 10:38:16
    assert [(one["job"], one["branch"], one["samples_s"], one["queue_s"]) for one in hook["by_job"]] == [
        ("linters", "main", [258.0], [60.0])
    ]
    github = [one for one in data(contracts, "github/jobs.csv.gz") if "completed_at" in one]
    (tmp_path / "github.json").write_text(json.dumps({"total_count": len(github), "jobs": github}))
    assert aether("measure", "ci", "github.json", cwd=tmp_path).json["by_job"]


def test_pages_and_encodings_as_tools_and_shells_print_them(contracts: Path, tmp_path: Path) -> None:
    """`gh api --paginate`, with `--slurp`, with `--jq`; PowerShell writes UTF-16."""
    runs = data(contracts, "github/runs.csv.gz")
    pages = [{"total_count": len(runs), "workflow_runs": part} for part in (runs[:5], runs[5:], [])]
    whole = json.dumps(runs)
    written = [
        "".join(map(json.dumps, pages)).encode(), json.dumps(pages).encode(), "\n".join(map(json.dumps, runs)).encode(),
        whole.encode("utf-16"), whole.encode("utf-8-sig"),
    ]  # fmt: skip
    (tmp_path / "runs.json").write_text(whole)
    wanted = aether("measure", "ci", "runs.json", cwd=tmp_path).json
    assert wanted["runs"] + wanted["excluded"] == len(runs)
    for one in written:
        (tmp_path / "runs.json").write_bytes(one)
        assert aether("measure", "ci", "runs.json", cwd=tmp_path).json == wanted
    for name in ("bench/hyperfine.json", "llm/promptfoo_results_excerpt.json", "terraform/terraform_plan.json"):
        (tmp_path / "x.json").write_bytes((contracts / name).read_text().encode("utf-16"))
        surface = {"bench": "tests", "llm": "tokens"}.get(Path(name).parent.name, "cost")
        marked, plain = (aether("measure", surface, path, cwd=tmp_path) for path in ("x.json", contracts / name))
        assert (marked.code, marked.out) == (0, plain.out)
    (tmp_path / "runs.json").write_text(json.dumps([{**runs[0], "created_at": "yesterday"}]))
    aether("measure", "ci", "runs.json", cwd=tmp_path).refuses(2, "runs.json", "yesterday")


def test_a_run_as_gh_views_it(tmp_path: Path) -> None:
    job = {"databaseId": 5, "name": "test (3.11)", "status": "completed", "conclusion": "success",
           "startedAt": "2026-11-20T10:01:00Z", "completedAt": "2026-11-20T10:05:00Z", "steps": []}  # fmt: skip
    run = {"databaseId": 1, "attempt": 1, "conclusion": "success", "status": "completed", "event": "push", "headSha": "abc",
           "createdAt": "2026-11-20T10:00:00Z", "startedAt": "2026-11-20T10:00:00Z", "updatedAt": "2026-11-20T10:06:00Z",
           "headBranch": "main", "workflowName": "CI", "jobs": [job, {**job, "name": "test (3.12)"}]}  # fmt: skip
    (tmp_path / "run.json").write_text(json.dumps(run))
    measured = aether("measure", "ci", "run.json", cwd=tmp_path).json
    assert [(one["workflow"], one["samples_s"]) for one in measured["by_workflow"]] == [("CI", [360.0])]
    assert [(one["workflow"], one["branch"], one["job"], one["samples_s"]) for one in measured["by_job"]] == [
        ("CI", "main", "test", [240.0])
    ]


@pytest.mark.parametrize(
    ("surface", "names"),
    [
        ("tests", ["bench/pytest_benchmark.json"]),
        ("tests", ["bench/hyperfine.json"]),
        ("tokens", ["llm/promptfoo_results_excerpt.json"]),
        ("tokens", ["otlp/captured/js-exporter-0.223.1.json"]),
        ("tokens", ["otlp/captured/langfuse-python.protobuf.bin"]),
        ("tokens", ["langfuse/framework-traces/langgraph-2025-08-22.json.gz"]),
        ("cost", ["infracost/example_diff.json"]),
        ("cost", ["focus/focus_sample_1.0.rows0001-0500.csv.gz"]),
        ("ci", ["gitlab/pipelines.csv.gz"]),
    ],
)
def test_measured_printed_and_read_back(surface: str, names: list[str], contracts: Path, tmp_path: Path) -> None:
    """What `measure` prints is what `budget check -` judges: the same verdicts as from the file itself."""
    paths = [contracts / name for name in names]
    printed = aether("measure", surface, *paths, cwd=tmp_path)
    assert printed.code == 0, printed.err
    assert aether("init", "--budgets-only", cwd=tmp_path).code == 0
    itself = aether("budget", "check", *paths, "--format", "json", cwd=tmp_path)
    piped = aether("budget", "check", "-", "--format", "json", cwd=tmp_path, stdin=printed.out)
    assert piped.json == itself.json
    assert piped.code == itself.code


def test_what_reads_files_is_what_is_registered() -> None:
    points = {point.name: point.value for point in entry_points(group="aether_tui.files")}
    assert {name: points.get(name) for name in KINDS} == KINDS


def test_the_whole_loop_as_a_stranger(tmp_path: Path) -> None:
    """measure → init → baseline → check → explain → waive → check → update, in an empty folder, offline."""
    fixed = ("--offline", "--as-of", "2026-11-21")
    (tmp_path / "unit.xml").write_text(UNIT.format(a=100))
    assert aether(*fixed, "measure", "tests", "unit.xml", cwd=tmp_path).json["duration_s"] == 102.0
    assert aether(*fixed, "init", "--budgets-only", cwd=tmp_path).code == 0
    for _ in range(2):
        assert (
            aether(*fixed, "budget", "baseline", "--update", "unit.xml", "--commit", "a" * 40, cwd=tmp_path).code == 0
        )
    assert aether(*fixed, "budget", "check", "unit.xml", cwd=tmp_path).code == 0
    (tmp_path / "unit.xml").write_text(UNIT.format(a=130))
    aether(*fixed, "budget", "check", "unit.xml", cwd=tmp_path).refuses(1, "tests.unit", "over the limit: slowest a")
    assert "limit 2 min" in aether(*fixed, "budget", "explain", "tests.unit", "unit.xml", cwd=tmp_path).out
    waiver = ("--reason", "a new contract suite", "--owner", "@mia", "--expires", "2026-12-01", "--raise-to", "3min")
    assert aether(*fixed, "budget", "waive", "tests.unit", *waiver, cwd=tmp_path).code == 0
    assert aether(*fixed, "budget", "check", "unit.xml", cwd=tmp_path).code == 0
    assert aether(*fixed, "budget", "baseline", "--update", "unit.xml", "--commit", "b" * 40, cwd=tmp_path).code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["benchmarks", "optimization", "unit.xml"]


def charges(days: list[tuple[str, str, str]], env: str = "dev", currency: str = "USD") -> str:
    """Rows of a FOCUS file: begin, end (exclusive) and cost of charges for usage."""
    return "".join(
        f'{begin},{end},{cost},{currency},Usage,"{{""environment"":""{env}""}}"\n' for begin, end, cost in days
    )


def daily(month: str, last: int, cost: str) -> list[tuple[str, str, str]]:
    return [(f"{month}-{day:02} 00:00:00", f"{month}-{day:02} 23:59:59", cost) for day in range(1, last + 1)]


FOCUS = "ChargePeriodStart,ChargePeriodEnd,BilledCost,BillingCurrency,ChargeCategory,Tags\n"


@pytest.mark.parametrize(
    ("rows", "through", "now", "before"),
    [
        (charges([*daily("2026-10", 31, "5"), *daily("2026-11", 10, "10")]), "2026-11-10", 100, 50),  # as many days
        (charges([*daily("2026-09", 30, "7"), *daily("2026-11", 10, "10")]), "2026-11-10", 100, None),  # September is no October
        (charges([*daily("2026-10", 9, "5"), *daily("2026-11", 10, "10")]), "2026-11-10", 100, None),  # a day is missing
        (charges([*daily("2026-10", 31, "5"), *daily("2026-11", 30, "10")]), "2026-11-30", 300, 155),  # whole months
        (charges([*daily("2026-02", 28, "5"), *daily("2026-03", 30, "10")]), "2026-03-30", 300, None),  # February is shorter
        (charges([("2026-11-01 00:00:00", "2026-12-01 00:00:00", "321")]), "2026-11-30", 321, None),  # a row a month
    ],
)  # fmt: skip
def test_a_bill_is_its_month_so_far(rows: str, through: str, now: int, before: int | None, tmp_path: Path) -> None:
    (tmp_path / "bill.csv").write_text(FOCUS + rows)
    measured = aether("measure", "cost", "bill.csv", cwd=tmp_path).json
    (project,) = measured["projects"]
    assert (project["through"], project["environment"], project["currency"]) == (through, "dev", "USD")
    told = [
        measured[key] and Decimal(measured[key]) for key in ("monthly_cost", "past_monthly_cost", "diff_monthly_cost")
    ]
    assert told == [now, before, None if before is None else now - before]
    assert aether("init", "--budgets-only", cwd=tmp_path).code == 0
    judged = aether("budget", "check", "bill.csv", "--format", "json", cwd=tmp_path).json
    spent = next(one for one in judged["budgets"] if one["id"] == "cost.dev")
    days = int(through[-2:])
    assert (spent["series"], spent["now"], spent["baseline"], spent["n_now"]) == ("spent", now, before, days)
    assert spent["run_rate"] == pytest.approx(now / days * (31 if through[5:7] == "03" else 30))


def test_a_project_that_is_not_priced_any_more_saves_nothing(tmp_path: Path) -> None:
    def project(name: str, now: str, **metadata: object) -> dict[str, object]:
        past = {"totalMonthlyCost": "100", "resources": []}
        return {
            "name": name,
            "metadata": metadata,
            "pastBreakdown": past,
            "breakdown": {"totalMonthlyCost": now, "resources": []},
        }

    broken = project("b", "0", errors=[{"code": 1, "message": "a module cannot be read"}])
    plan = {"version": "0.2", "currency": "USD", "projects": [project("a", "120"), broken]}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    measured = aether("measure", "cost", "plan.json", cwd=tmp_path).json
    assert (measured["past_monthly_cost"], measured["monthly_cost"], measured["diff_monthly_cost"]) == (
        "200",
        "120",
        None,
    )


def test_amounts_of_two_currencies_are_two_measurements(tmp_path: Path) -> None:
    days = daily("2026-11", 10, "10")
    (tmp_path / "bill.csv").write_text(FOCUS + charges(days) + charges(days, currency="EUR"))
    assert aether("init", "--budgets-only", cwd=tmp_path).code == 0
    done = aether("budget", "check", "bill.csv", "--format", "json", cwd=tmp_path)
    found = [one for one in done.json["budgets"] if one["id"] == "cost.dev"]
    assert sorted((one["unit"], one["now"], one["verdict"]) for one in found) == [
        ("EUR", 100, "inconclusive"), ("USD", 100, "pass")
    ]  # fmt: skip
    assert done.code == 3


def test_a_plan_and_a_bill_are_not_added_up(contracts: Path, tmp_path: Path) -> None:
    (tmp_path / "bill.csv").write_text(FOCUS + charges(daily("2026-11", 10, "10")))
    both = aether("measure", "cost", "bill.csv", contracts / "infracost" / "example_breakdown.json", cwd=tmp_path)
    assert both.json["monthly_cost"] is None
    assert "a plan and a bill are not added up" in both.err


def test_the_bill_in_the_cache_is_the_bill_of_the_file(tmp_path: Path) -> None:
    """Whatever the window cuts off the month before."""
    fixed = ("--offline", "--as-of", "2026-11-11")
    (tmp_path / "bill.csv").write_text(FOCUS + charges([*daily("2026-10", 31, "5"), *daily("2026-11", 10, "10")]))
    assert aether("init", cwd=tmp_path).code == 0
    assert aether("load", "bill.csv", cwd=tmp_path).code == 0
    of_file = aether(*fixed, "measure", "cost", "bill.csv", cwd=tmp_path).json
    of_cache = aether(*fixed, "measure", "cost", cwd=tmp_path).json
    assert [Decimal(of_cache[key]) for key in ("past_monthly_cost", "monthly_cost")] == [50, 100]
    assert of_cache["projects"][0]["through"] == of_file["projects"][0]["through"] == "2026-11-10"

"""Budgets from a real cache: which runs are judged, which are the baseline, what the report says."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from aether_tui.budgets.file import METRICS
from aether_tui.budgets.measurements import Records
from aether_tui.budgets.model import Result
from aether_tui.budgets.tokens import measure_tokens
from aether_tui.cache import Cache
from aether_tui.diagnostics.budgets import Budgets
from aether_tui.diagnostics.frame import Filters
from aether_tui.records.model import Value
from aether_tui.records.tables import TABLES
from aether_tui.report_model import Gap, Table, envelope
from aether_tui.workspace.folder import Workspace
from tests.command import aether
from tests.diagnostics.world import at, full, report, store, workspace

HEAD = (
    "version: 1\ncurrency: USD\ndefaults: {on_missing: carry, warn: {relative: 5%}, block: {relative: 10%}}\nbudgets:\n"
)
CI = (
    "- {id: ci.main, surface: ci, metric: pipeline.duration, match: {branch: main, event: push}, limit: 15min, "
    "block: {limit: 10%}}\n"
)
TESTS = (
    "- {id: tests.slow, surface: tests, metric: suite.duration, match: {suite: '*integration*'}, limit: 10min, "
    "block: {limit: 0%}}\n"
)
COST = (
    "- {id: cost.dev, surface: cost, metric: infra.monthly, match: {env: dev}, limit: 500 USD/month, "
    "warn: {relative: 5%}, burn: {period: month}}\n"
)
LLM = "- {id: llm.cost, surface: llm, metric: task.cost, match: {scenario: '*'}, limit: 0.10 USD/task}\n"


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    return workspace(tmp_path)


def budgets(made: Workspace, text: str) -> None:
    made.budgets_path.parent.mkdir(exist_ok=True)
    made.budgets_path.write_text(HEAD + text)


def results(made: Workspace, text: str) -> dict[str, Result]:
    budgets(made, text)
    data = report("budgets", made).data
    assert isinstance(data, Budgets)
    return {item.name: item for item in data.budgets}


def runs(made: Workspace, repo: str, walls: list[float], first: float = 1, **values: object) -> None:
    """One run an hour from day `first` of November on."""
    rows = [
        full("pipeline_runs", **{
            "id": f"{repo}{first}-{place}", "attempt": 1, "repo": repo, "workflow": "CI", "branch": "main", "event": "push",
            "created": at(first + place / 24), "started": at(first + place / 24), "wall_s": wall, "run_s": wall - 5, "queue_s": 5.0,
            "result": "success", "runner": "small", **values,
        })
        for place, wall in enumerate(walls)
    ]  # fmt: skip
    store(made, "github", f"runs {repo} {first}", "pipeline_runs", rows)


STEADY = [600.0 + 7 * (place * 37 % 11) for place in range(24)]


def test_the_last_runs_are_judged_against_those_before(made: Workspace) -> None:
    runs(made, "acme/api", [*STEADY, 800, 801, 802, 803, 804])
    runs(made, "acme/web", STEADY)
    found = results(made, CI)
    slow, steady = found["ci.main · api"], found["ci.main · web"]
    assert (slow.verdict, slow.now, slow.n_now, slow.n_base) == ("block", 802, 5, 24)
    assert slow.recent == (*STEADY, 800, 801, 802, 803, 804)
    assert (steady.verdict, steady.n_base) == ("pass", 19)
    assert slow.share == pytest.approx(802 / 900)


def test_which_runs_do_not_count(made: Workspace) -> None:
    runs(made, "acme/api", STEADY)
    runs(made, "acme/api", [9000.0], 10, attempt=2)
    runs(made, "acme/api", [9000.0], 11, result="cancelled")
    runs(made, "acme/api", [9000.0], 12, branch="feature")
    runs(made, "acme/api", [9000.0], 13, event="schedule")
    runs(made, "acme/api", [9000.0], 25)
    only = results(made, CI)["ci.main"]
    assert (only.verdict, only.n_now + only.n_base) == ("pass", 24)


def test_another_runner_is_not_compared(made: Workspace) -> None:
    runs(made, "acme/api", STEADY)
    runs(made, "acme/api", [800.0] * 5, 10, runner="large")
    assert results(made, CI)["ci.main"].verdict == "inconclusive"


def test_runs_before_the_window_are_no_data(made: Workspace) -> None:
    runs(made, "acme/api", STEADY, -20)
    only = results(made, CI)["ci.main"]
    assert (only.verdict, only.why) == ("no-data", "nothing since 2026-10-24")


def suite(made: Workspace, seconds: list[float], first: float = 1, **values: object) -> None:
    rows = [
        full("test_runs", **{
            "id": f"run{first}-{place}", "suite": "integration", "repo": "acme/api", "started": at(first + place / 2), "tests": 3,
            "passed": 3, "duration_s": value, "partial": False, "flaky": 0, **values,
        })
        for place, value in enumerate(seconds)
    ]  # fmt: skip
    store(made, "junit", f"files {first}", "test_runs", rows)


def test_a_suite_over_its_limit_names_its_slowest_cases(made: Workspace) -> None:
    suite(made, [*(550.0 + place for place in range(10)), 700, 701, 702, 703, 704])
    cases = [
        full("test_cases", run_id="run1-14", case_key=name, ordinal=0, started=at(8), name=name, duration_s=seconds, result="passed")
        for name, seconds in (("quick", 1.0), ("slow", 300.0), ("slower", 350.0), ("middling", 53.0))
    ]  # fmt: skip
    store(made, "junit", "cases", "test_cases", cases)
    only = results(made, TESTS)["tests.slow"]
    assert only.verdict == "block"
    assert only.drivers == ("slower 5.8 min", "slow 5 min", "middling 53 s")
    assert "slowest slower 5.8 min" in only.why


def test_a_partial_report_never_passes(made: Workspace) -> None:
    suite(made, [100.0] * 8)
    suite(made, [50.0], 10, partial=True)
    assert results(made, TESTS)["tests.slow"].verdict == "inconclusive"


def test_drift_over_90_days_is_seen(made: Workspace) -> None:
    suite(made, [400.0 + place for place in range(20)], -80)
    suite(made, [500.0 + place % 7 for place in range(25)], 1)
    only = results(made, TESTS)["tests.slow"]
    assert only.drift == pytest.approx(0.23, abs=0.02)
    assert (only.verdict, only.n_base) == ("warn", 20)


def test_money_by_plan_and_by_bill(made: Workspace) -> None:
    plans = [
        full(
            "cost_estimates", project="dev/api", at=at(3), monthly_cost=Decimal(400), currency="USD", environment="dev"
        ),
        full(
            "cost_estimates", project="dev/api", at=at(9), monthly_cost=Decimal(450), currency="USD", environment="dev"
        ),
        full(
            "cost_estimates",
            project="prod",
            at=at(9),
            monthly_cost=Decimal(9000),
            currency="USD",
            environment="production",
        ),
    ]
    store(made, "infracost", "files", "cost_estimates", plans)
    days = [(10, day, Decimal(5)) for day in range(1, 32)] + [(11, day, Decimal(10)) for day in range(1, 11)]
    bills = [
        full("costs", row_hash=f"{month}-{day}", charge_start=at(day, month), billed_cost=amount, currency="USD", environment="dev")
        for month, day, amount in days
    ]  # fmt: skip
    store(made, "focus", "files", "costs", bills)
    found = results(made, COST)
    planned, spent = found["cost.dev · plan"], found["cost.dev · spent"]
    assert (planned.verdict, planned.now, planned.baseline, planned.shift) == ("warn", 450, 400, 0.125)
    assert (spent.verdict, spent.now, spent.baseline, spent.run_rate) == ("pass", 100, 50, 300), "10 of 30 days"


def spans(made: Workspace, scenario: str, costs: list[list[str]], swapped: int = 999) -> None:
    """A list of costs per day, from 1 October on: one task each; from the day `swapped` on by another model."""
    rows = [
        full("spans", trace_id=f"{scenario}{day:03}{place}", span_id="1", operation="chat",
             start=at(1 + day + place / 100, 10), duration_s=1.0, model="m" if day < swapped else "n", input_tokens=10,
             output_tokens=5, cost_usd=Decimal(cost),
             cost_status="reported",
             status="ok", scenario=scenario, environment="production")
        for day, day_costs in enumerate(costs)
        for place, cost in enumerate(day_costs)
    ]  # fmt: skip
    store(made, "otlp", scenario, "spans", rows)


def test_a_day_of_tasks_is_one_measurement_by_scenario(made: Workspace) -> None:
    usual = [[f"0.0{5 + (day + shift) % 3}" for shift in range(3)] for day in range(45)]
    spans(made, "order", usual)
    spans(made, "refund", [*usual, *[["0.14", "0.15", "0.13"]] * 5])
    found = results(made, LLM)
    order, refund = found["llm.cost · order"], found["llm.cost · refund"]
    assert (order.verdict, order.now, order.n_now, order.n_base) == ("pass", 0.06, 5, 30)
    assert (refund.verdict, refund.now, refund.unit) == ("block", 0.14, "USD/task")


def test_files_and_the_cache_measure_the_same_tasks(made: Workspace) -> None:
    odd: list[dict[str, Value]] = [
        {"trace_id": "a", "input_tokens": 100, "output_tokens": 10, "cost_usd": Decimal(1)},
        {"trace_id": "a", "operation": "Embedding", "input_tokens": 5, "cost_usd": Decimal("0.5"), "duration_s": 4.0},
        {"trace_id": "b", "model": None, "cost_usd": Decimal(2)},  # a price without tokens
        {"trace_id": "c", "input_tokens": 10, "status": "error"},  # tokens without a price
        {"trace_id": "d", "status": "error"},  # neither: free
        {"trace_id": "e", "operation": "embeddings", "cost_usd": Decimal(3), "duration_s": -1.0},
        {"trace_id": "f", "input_tokens": 1, "cost_usd": Decimal(4), "duration_s": 1e12},  # a clock that is wrong
        {"trace_id": "g", "operation": "tool", "input_tokens": 1},  # no call
    ]
    rows = [
        full("spans", **({"span_id": str(place), "name": "x", "operation": "chat", "model": "m", "start": at(10), "duration_s": 2.0} | one))
        for place, one in enumerate(odd)
    ]  # fmt: skip
    store(made, "otlp", "odd", "spans", rows)
    names = [column.name for column in TABLES["spans"].columns]
    measured = measure_tokens(Records(rows={"spans": [dict(zip(names, row, strict=True)) for row in rows]}))
    (scenario,) = measured.by_scenario
    with Cache(made.cache_path).read() as lease:
        tasks = lease.rows(
            "SELECT tokens, cost_usd, unpriced_calls, duration_s, turns FROM tasks WHERE calls > 0 ORDER BY trace_id"
        )
    assert (scenario.tasks, measured.unpriced) == (len(tasks), 1)
    assert scenario.tokens == tuple(one["tokens"] for one in tasks if one["tokens"] is not None) == (115, 10, 1)
    assert (
        scenario.cost
        == tuple(one["cost_usd"] for one in tasks if one["cost_usd"] and not one["unpriced_calls"])
        == (1.5, 2, 3, 4)
    )
    assert (
        scenario.turn_latency_s
        == tuple(one["duration_s"] / one["turns"] for one in tasks if one["turns"])
        == (4, 2, 2, 2, 1e9)
    )


def test_a_model_swap_is_named(made: Workspace) -> None:
    spans(made, "order", [["0.05"] * 3] * 45)
    spans(made, "refund", [["0.05"] * 3] * 45, swapped=40)
    found = results(made, LLM)
    assert found["llm.cost · refund"].drivers == ("model m → n",)
    assert found["llm.cost · order"].drivers == ()


def test_what_no_report_says_is_not_measured_as_something_else(made: Workspace) -> None:
    runs(made, "acme/api", STEADY)
    suite(made, [100.0] * 8)
    found = results(made, "- {id: p, surface: tests, metric: suite.duration, match: {package: api}}\n"
                          "- {id: j, surface: ci, metric: pipeline.duration, match: {job: test}}\n")  # fmt: skip
    assert found["p"].verdict == found["j"].verdict == "no-data"


def test_packages_of_one_report_are_told_apart_by_their_cases(made: Workspace) -> None:
    """Twelve runs of 90 s for api and 30 s for web in one report each; api takes 120 s in the last five."""
    suite(made, [120.0] * 7 + [150.0] * 5)
    cases = [
        full("test_cases", run_id=f"run1-{place}", case_key=f"{package}{part}", ordinal=0, started=at(1 + place / 2),
             name=f"{package}{part}", duration_s=seconds / 2, result="passed", flaky=package == "web" and part == 0,
             package=package)
        for place in range(12)
        for package, seconds in (("api", 90.0 if place < 7 else 120.0), ("web", 30.0))
        for part in range(2)
    ]  # fmt: skip
    store(made, "junit", "cases", "test_cases", cases)
    found = results(made, "- {id: a, surface: tests, metric: suite.duration, match: {package: api}, limit: 110s, "
                          "block: {limit: 0%}}\n"
                          "- {id: w, surface: tests, metric: suite.duration, match: {package: '*'}, limit: 200s}\n"
                          "- {id: f, surface: tests, metric: suite.flaky, match: {package: w?b, suite: integration}}\n"
                          "- {id: n, surface: tests, metric: suite.duration, match: {package: docs}}\n")  # fmt: skip
    api, web = found["a"], found["w · web"]
    assert (api.verdict, api.now, api.baseline, api.n_now, api.n_base) == ("block", 120.0, 90.0, 5, 7)
    assert api.drivers == ("api0 60 s", "api1 60 s")
    assert (web.verdict, web.now, web.baseline) == ("pass", 30.0, 30.0)
    assert (found["w · api"].now, found["f"].now, found["n"].verdict) == (120.0, 1, "no-data")


def test_a_package_is_loaded_from_its_folder_or_from_the_name_of_its_suite(tmp_path: Path) -> None:
    """Of two reports: the folder tells one package, the suites of the other tell two, whose cases are one run."""
    cases = "".join(f'<testcase name="t{place}" time="{place}"/>' for place in range(1, 4))
    for place, body in {
        "packages/api/reports": f'<testsuite name="unit" tests="3" time="6">{cases}</testsuite>',
        "out": f'<testsuites><testsuite name="@acme/web" tests="3" time="6">{cases}</testsuite>'
               f'<testsuite name="@acme/docs" tests="3" time="7">{cases}</testsuite></testsuites>',
    }.items():  # fmt: skip
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "junit.xml").write_text(body)
    assert aether("init", "w", cwd=tmp_path).code == 0
    assert aether("-w", "w", "load", "packages", "out", cwd=tmp_path).code == 0
    (tmp_path / "w" / "optimization" / "budgets.yaml").write_text(
        HEAD + "- {id: p, surface: tests, metric: suite.duration, match: {package: '*'}, limit: 10s}\n"
               "- {id: all, surface: tests, metric: suite.duration, limit: 20s}\n"
    )  # fmt: skip
    told = aether("-w", "w", "budget", "check", "--format", "json", cwd=tmp_path).json
    found = {one["series"]: one["now"] for one in told["budgets"]}
    assert found == {"unit · api": 6, "tests · web": 6, "tests · docs": 6, "tests": 12, "unit": 6}


def test_jobs_of_one_matrix_are_one_job_from_its_first_start_to_its_last_end(made: Workspace) -> None:
    """Twelve runs: two legs of `test` queue 10 s and take 100 and 140 s, so `test` takes 150; lint is another job."""
    runs(made, "acme/api", [600.0] * 12, first=10)
    second = 1 / 86_400
    legs = [("test (3.11)", 10, 110, "success"), ("test (3.12)", 10, 150, "success"), ("lint", 5, 25, "success")]
    jobs = [
        full(
            "pipeline_jobs", id=f"{place}{name}", attempt=1, run_id=f"acme/api10-{place}", repo="acme/api", name=name,
            created=at(10 + place / 24), started=at(10 + place / 24 + begun * second), finished=at(10 + place / 24 + ended * second),
            result="failure" if (place, name) == (11, "lint") else "cancelled" if (place, name) == (3, "test (3.12)") else result,
            runner="small",
        )
        for place in range(12)
        for name, begun, ended, result in legs
    ]  # fmt: skip
    store(made, "github", "jobs", "pipeline_jobs", jobs)
    found = results(made, "- {id: j, surface: ci, metric: pipeline.duration, match: {repo: acme/*, job: test}, limit: 2min}\n"
                          "- {id: q, surface: ci, metric: pipeline.queue, match: {job: lint}, limit: 1min}\n"
                          "- {id: n, surface: ci, metric: pipeline.duration, match: {job: deploy}, limit: 1min}\n")  # fmt: skip
    test, lint = found["j"], found["q"]
    assert (test.now, test.n_now, test.n_base) == (150.0, 5, 6)  # the run with a cancelled leg says nothing
    assert (lint.now, lint.n_now, lint.n_base) == (5.0, 5, 7)
    assert found["n"].verdict == "no-data"


def test_the_report_is_complete_and_its_json_has_no_nan(made: Workspace) -> None:
    budgets(made, CI + TESTS + COST + LLM)
    empty = report("budgets", made)
    assert [block.title for block in empty.blocks if isinstance(block, Gap)] == [
        "CI",
        "Cloud cost",
        "Tests",
        "Model use",
    ]
    runs(made, "acme/api", [*STEADY, 1000, 1001, 1002, 1003, 1004])
    filled = report("budgets", made)
    tables = [block for block in filled.blocks if isinstance(block, Table)]
    assert [len(row.cells) for row in tables[0].rows] == [len(tables[0].columns)]
    assert [finding.severity for finding in filled.findings] == ["bad"]
    printed = msgspec.json.decode(envelope(filled))
    assert (printed["data"]["verdict"], printed["data"]["counts"]["no-data"]) == ("block", 3)
    assert b"NaN" not in envelope(filled)


def test_without_a_file_and_with_a_broken_one_the_report_lives(made: Workspace) -> None:
    assert "init --budgets-only" in next(b.next_step for b in report("budgets", made).blocks if isinstance(b, Gap))
    budgets(made, "- {id: a, surface: ci, metric: pipeline.duraton}\n")
    broken = report("budgets", made)
    assert "no metric 'pipeline.duraton'" in broken.findings[0].text
    assert broken.headline == "No budget is judged."


def test_a_filter_narrows_what_it_can(made: Workspace) -> None:
    runs(made, "acme/api", STEADY, service="api")
    budgets(made, CI)
    narrowed = report("budgets", made, filters=Filters(service="web")).data
    assert isinstance(narrowed, Budgets)
    assert narrowed.verdict == "no-data"


def test_every_metric_reads_something(made: Workspace) -> None:
    """Each metric is measured from the cache (benchmarks, which no table holds, from files): none is only a name."""
    runs(made, "acme/api", STEADY)
    suite(made, [100.0] * 8)
    spans(made, "order", [["0.05"] * 3] * 45)
    store(made, "i", "f", "cost_estimates", [
        full("cost_estimates", project="d", at=at(3), monthly_cost=Decimal(1), currency="USD", environment="dev"),
    ])  # fmt: skip
    text = "".join(
        f"- {{id: m{n}, surface: {one.surface}, metric: {name}}}\n" for n, (name, one) in enumerate(METRICS.items())
    )
    budgets(made, text)
    data = report("budgets", made).data
    assert isinstance(data, Budgets)
    assert {item.metric for item in data.budgets if item.verdict != "no-data"} == set(METRICS) - {"benchmark.duration"}

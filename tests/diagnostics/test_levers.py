"""Levers against runs and bills small enough to work out by hand."""

from decimal import Decimal

import pytest

from aether_tui.diagnostics.levers_ci import Job, critical_path, longest_slack
from tests.diagnostics.world import at, full, report, store, workspace

MINUTE = 1 / 1440


def job(name: str, start: float, end: float) -> Job:
    return Job(name, at(1 + start * MINUTE), at(1 + end * MINUTE))


def test_the_path_goes_back_from_what_ended_last():
    jobs = [job("lint", 0, 2), job("build", 0, 5), job("unit", 5, 8), job("e2e", 5, 17), job("deploy", 17, 20)]
    path = critical_path(jobs)
    assert [one.name for one in path] == ["build", "e2e", "deploy"]
    assert longest_slack(path, jobs) == pytest.approx(9 * 60)  # e2e takes 12, unit beside it holds the run for 3


def test_shards_serial_stages_and_what_ci_does_not_record(tmp_path):
    made = workspace(tmp_path)
    runs, jobs = [], []
    for n in range(6):
        begin = 10 + n / 10
        runs.append(
            full(
                "pipeline_runs",
                id=f"r{n}",
                attempt=1,
                repo="acme/api",
                workflow="CI",
                created=at(begin),
                result="success",
            )
        )
        for name, start, end in (("build", 0, 5), ("test (1/2)", 5, 15), ("test (2/2)", 5, 9)):
            jobs.append(
                full(
                    "pipeline_jobs", id=f"{n}{name}", attempt=1, run_id=f"r{n}", repo="acme/api", name=name,
                    started=at(begin + start * MINUTE), finished=at(begin + end * MINUTE), run_s=(end - start) * 60.0,
                )
            )  # fmt: skip
    store(made, "github", "runs", "pipeline_runs", runs)
    store(made, "github", "jobs", "pipeline_jobs", jobs)
    data = report("levers", made).data
    found = {one.lever.partition(":")[0]: (one.low, one.high, one.n) for one in data.levers}
    assert found["Shard imbalance"] == (pytest.approx(180), pytest.approx(180), 6)  # 10 minutes over a mean of 7
    assert found["Serial stages"] == (0.0, pytest.approx(300), 6)  # build beside the tests
    assert found["Critical path"] == (0.0, pytest.approx(360), 6)  # the other shard holds the run for 4 of 10
    assert {"Cache misses", "Artifact size"} <= {one.lever for one in data.unknown if one.surface == "ci"}


def test_idle_hours_and_spot_of_a_bill(tmp_path):
    """28 days of 24 USD in dev, bought at list price: 8 of them are weekend days."""
    made = workspace(tmp_path)
    days = [(day, 10) for day in range(24, 32)] + [(day, 11) for day in range(1, 21)]
    rows = [
        full(
            "costs", row_hash=f"{month}-{day}", charge_start=at(day, month), charge_end=at(day + 1, month), billed_cost=Decimal(24),
            effective_cost=Decimal(24), list_cost=Decimal(24), currency="USD", charge_category="Usage", environment="dev",
            service_category="Compute", resource="dev/box",
        )
        for day, month in days
    ]  # fmt: skip
    store(made, "focus", "costs", "costs", rows)
    found = {one.lever: one for one in report("levers", made).data.levers}
    month = 30.44 / 28
    idle, spot = found["Idle non-production hours"], found["Spot-eligible"]
    assert (idle.low, idle.high) == (pytest.approx(month * 8 * 24), pytest.approx(month * (8 * 24 + 20 * 13)))
    assert (spot.low, spot.high) == (pytest.approx(month * 28 * 24 * 0.6), pytest.approx(month * 28 * 24 * 0.9))
    assert idle.rows == (("dev/box", "672 USD in 28 days"),)


def test_repeats_of_requests(tmp_path):
    made = workspace(tmp_path)
    asked = [(10.0, "a"), (10.02, "a"), (12.0, "a"), (13.0, "b")]  # again after half an hour, and after two days
    rows = [
        full(
            "spans", trace_id=f"{n:032x}", span_id=f"{n:016x}", name="chat", operation="chat", start=at(day), duration_s=1.0, model="m",
            input_tokens=10, output_tokens=10, status="ok", cost_usd=Decimal(1), cost_status="reported", environment="production",
            feature="answers", request_hash=key,
        )
        for n, (day, key) in enumerate(asked)
    ]  # fmt: skip
    store(made, "otlp", "spans", "spans", rows)
    lever = next(one for one in report("levers", made).data.levers if one.lever == "Repeated requests")
    assert (lever.low, lever.high, lever.n) == (pytest.approx(30.44 / 28), pytest.approx(2 * 30.44 / 28), 4)

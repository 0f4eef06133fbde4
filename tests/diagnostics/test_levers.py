"""Levers against runs and bills small enough to work out by hand."""

from datetime import UTC, timedelta
from decimal import Decimal

import pytest

from aether_tui.cache import Cache
from aether_tui.config import Config
from aether_tui.diagnostics.frame import Clock
from aether_tui.diagnostics.levers_ci import Job, critical_path, longest_slack
from aether_tui.diagnostics.levers_model import quartiles
from aether_tui.diagnostics.run import run_report
from tests.diagnostics.world import at, full, report, store, workspace

MINUTE = 1 / 1440


def job(name: str, start: float, end: float) -> Job:
    return Job(name, at(1 + start * MINUTE), at(1 + end * MINUTE))


def test_the_path_goes_back_from_what_ended_last():
    jobs = [job("lint", 0, 2), job("build", 0, 5), job("unit", 5, 8), job("e2e", 5, 17), job("deploy", 17, 20)]
    path = critical_path(jobs)
    assert [one.name for one in path] == ["build", "e2e", "deploy"]
    assert longest_slack(path, jobs) == pytest.approx(9 * 60)  # e2e takes 12, unit beside it holds the run for 3


def test_jobs_that_took_no_time_are_gone_through_once():
    jobs = [job("build", 0, 5), job("report", 5, 5), job("tell", 5, 5)]
    assert [one.name for one in critical_path(jobs)] == ["build", "report", "tell"]


def test_quartiles_are_values_by_nearest_rank():
    assert [quartiles(range(1, n + 1)) for n in (1, 4, 7, 8, 12)] == [(1, 1), (1, 3), (2, 6), (2, 6), (3, 9)]


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
        versions = (
            ("node 18", 0, 1),
            ("node 20", 0, 3),
            ("unit (3.11)", 0, 1),
            ("unit (3.12)", 0, 3),
        )  # of which none is a shard
        for name, start, end in (("build", 0, 5), ("test (1/2)", 5, 15), ("test (2/2)", 5, 9), *versions):
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
    assert [one.where for one in data.levers if one.lever == "Shard imbalance"] == ["api · CI · test"]
    assert found["Shard imbalance"] == (pytest.approx(180), pytest.approx(180), 6)  # 10 minutes over a mean of 7
    assert found["Serial stages"] == (0.0, pytest.approx(300), 6)  # build beside the tests
    assert found["Critical path"] == (0.0, pytest.approx(360), 6)  # the other shard holds the run for 4 of 10
    assert {"Cache misses", "Artifact size"} <= {one.lever for one in data.unknown if one.surface == "ci"}


def test_cache_misses_and_artifacts_by_the_clock_of_their_steps(tmp_path):
    """Eight runs of GitHub: two of them saved a cache. Set-up takes 100 s after a miss and 20 s after a hit."""
    made = workspace(tmp_path)
    runs, jobs = [], []
    for n in range(8):
        about = {"attempt": 1, "repo": "acme/api"}
        runs.append(
            full("pipeline_runs", id=f"r{n}", workflow="CI", created=at(10 + n / 10), result="success", **about)
        )
        jobs.append(
            full(
                "pipeline_jobs", id=f"j{n}", run_id=f"r{n}", name="unit", prepare_s=100.0 if n < 2 else 20.0,
                cache_saved=n < 2, artifact_s=12.0, **about,
            )
        )  # fmt: skip
    store(made, "github", "runs", "pipeline_runs", runs)
    store(made, "github", "jobs", "pipeline_jobs", jobs[:7])
    found = {one.lever: one for one in report("levers", made).data.levers}
    assert "Cache misses" not in found  # two misses are too few to compare
    store(made, "github", "jobs", "pipeline_jobs", [full("pipeline_jobs", **dict(NEXT, id="j7", run_id="r7"))])
    found = {one.lever: one for one in report("levers", made).data.levers}
    misses, artifacts = found["Cache misses"], found["Artifact size"]
    assert (misses.low, misses.high, misses.n) == (0.0, pytest.approx(3 / 8 * 80), 8)
    assert misses.rows == (("unit", "100 s against 20 s, 3 of 8 runs missed"),)
    assert (artifacts.low, artifacts.high, artifacts.n) == (0.0, 12.0, 8)


NEXT = {
    "attempt": 1, "repo": "acme/api", "name": "unit", "prepare_s": 100.0, "cache_saved": True, "artifact_s": 12.0,
}  # fmt: skip


def test_artifacts_of_a_host_that_tells_sizes_only(tmp_path):
    made = workspace(tmp_path)
    about = {"attempt": 1, "repo": "acme/api"}
    runs = [
        full("pipeline_runs", id=f"{n}", workflow="CI", created=at(10 + n / 10), result="success", **about)
        for n in range(5)
    ]
    jobs = [
        full("pipeline_jobs", id=f"j{n}", run_id=f"{n}", name="build", artifact_bytes=250_000_000, **about)
        for n in range(5)
    ]
    store(made, "gitlab", "runs", "pipeline_runs", runs)
    store(made, "gitlab", "jobs", "pipeline_jobs", jobs)
    data = report("levers", made).data
    (lever,) = [one for one in data.levers if one.lever == "Artifact size"]
    assert (lever.low, lever.high, lever.rows) == (0.0, 25.0, (("build", "250.0 MB"),))  # 10 MB a second


def cases(made, suite: str, runs: list[dict[str, tuple[float, bool]]], **of_run) -> None:
    """Test runs of one suite: per run the seconds of each case, and whether it was flaky."""
    test_runs, rows = [], []
    for n, run in enumerate(runs):
        about = {"started": at(10 + n / 10)}
        took = sum(seconds for seconds, _ in run.values())
        test_runs.append(
            full("test_runs", id=f"{suite}{n}", suite=suite, tests=len(run), duration_s=took, **about, **of_run)
        )
        rows += [
            full(
                "test_cases", run_id=f"{suite}{n}", case_key=name, ordinal=0, name=name, duration_s=seconds, result="passed", flaky=flaky,
                **about,
            )
            for name, (seconds, flaky) in run.items()
        ]  # fmt: skip
    store(made, "junit", "runs", "test_runs", test_runs)
    store(made, "junit", "cases", "test_cases", rows)


def test_slowest_flaky_and_set_up(tmp_path):
    """Twenty cases: fifteen of 1 s, one of 2 s, four of 11 s; `slow_1` was flaky in one of four runs."""
    made = workspace(tmp_path)
    took = {f"case_{n}": 1.0 for n in range(15)} | {"other": 2.0} | {f"slow_{n}": 11.0 for n in range(4)}
    runs = [{name: (seconds, n == 0 and name == "slow_1") for name, seconds in took.items()} for n in range(4)]
    cases(made, "unit", runs, suite_time_s=71.0)
    found = {one.lever: one for one in report("levers", made).data.levers}
    slow, flaky, setup = found["Slowest tests"], found["Flaky tests"], found["Duplicated set-up"]
    # As fast as the 90th percentile (11 s) nothing is won; as the median (1 s): 4 × 10 and 1 × 1.
    assert (slow.low, slow.high) == (0.0, pytest.approx(41.0))
    assert slow.rows[0] == ("slow_0", "11 s")
    assert (flaky.low, flaky.high) == (
        pytest.approx(0.25 * 11),
        pytest.approx(0.25 * 61),
    )  # the case again; the suite again
    assert flaky.rows == (("slow_1", "1 of 4 runs"),)
    assert (setup.low, setup.high, setup.n) == (0.0, pytest.approx(10.0), 4)  # it says 71 s, its cases took 61


def test_percentiles_are_values_that_were_measured(tmp_path):
    """Runs of 10, 20, 30 and 40 s in a suite that says 71: by nearest rank the median is 20 s, and 31 to 51 are outside the cases."""
    made = workspace(tmp_path)
    cases(made, "unit", [{"a": (10.0 * n, False)} for n in range(1, 5)], suite_time_s=71.0)
    (setup,) = [one for one in report("levers", made).data.levers if one.lever == "Duplicated set-up"]
    assert (setup.low, setup.high) == (0.0, 51.0)
    assert setup.rows == (("outside the cases", "31 s to 51 s"), ("cases", "20 s"))


def test_mocking_is_for_what_waits_outside_and_never_for_tests_of_the_whole(tmp_path):
    made = workspace(tmp_path)
    run = {"adds": (0.1, False), "subtracts": (0.3, False), "asks_postgres": (4.2, False)}
    cases(made, "integration", [run] * 3)
    cases(made, "e2e", [run] * 3)
    cases(made, "tests", [{"end_to_end.login": (9.0, False), "adds": (0.1, False)}] * 3)
    levers = [one for one in report("levers", made).data.levers if one.lever == "Mocking"]
    # As fast as the median of the others, 0.1 of 0.1 and 0.3 s by nearest rank.
    assert [(one.where, one.low, one.high) for one in levers] == [("integration", 0.0, pytest.approx(4.2 - 0.1))]
    assert levers[0].rows == (("asks_postgres", "4.2 s, varies 0 %"),)


def test_what_does_not_follow_its_load(tmp_path):
    """28 USD a day in production, also on the 8 weekend days, when a quarter of the calls come."""
    made = workspace(tmp_path)
    days = [(day, 10) for day in range(24, 32)] + [(day, 11) for day in range(1, 21)]
    charges = [
        full(
            "costs", row_hash=f"{month}-{day}", charge_start=at(day, month), charge_end=at(day + 1, month), billed_cost=Decimal(28),
            effective_cost=Decimal(28), currency="USD", charge_category="Usage", environment="production", service="answers",
            service_category="Compute", resource="answers/box",
        )
        for day, month in days
    ]  # fmt: skip
    calls = [(day, n) for day in days for n in range(1 if at(*day).isoweekday() > 5 else 4)]
    spans = [
        call(f"{place:x}", at(*day), service="answers", trace_id=f"{place:032x}")
        for place, (day, _) in enumerate(calls)
    ]
    store(made, "focus", "costs", "costs", charges)
    store(made, "otlp", "spans", "spans", spans)
    (lever,) = [one for one in report("levers", made).data.levers if one.lever == "Over-sized for its load"]
    # Weekends cost 8 × 28; following the load they would cost a quarter of it.
    assert (lever.low, lever.high) == (0.0, pytest.approx(30.44 / 28 * 8 * 28 * 0.75))


def test_a_saturday_that_runs_is_no_quiet_day(tmp_path):
    """As many calls on every day; of Saturday the 21st, when a quarter of it is over, half of them came."""
    made = workspace(tmp_path)
    days = [at(24, 10) + timedelta(days=n) for n in range(28)]
    charges = [
        full(
            "costs", row_hash=str(day), charge_start=day, charge_end=day + timedelta(days=1), effective_cost=Decimal(28), currency="USD",
            charge_category="Usage", environment="production", service="answers", service_category="Compute", resource="answers/box",
        )
        for day in days
    ]  # fmt: skip
    hours = [day + timedelta(hours=hour) for day in [*days, at(21)] for hour in (0, 5, 12, 18)]
    spans = [call(f"{n:x}", hour, service="answers", trace_id=f"{n:032x}") for n, hour in enumerate(hours)]
    store(made, "focus", "costs", "costs", charges)
    store(made, "otlp", "spans", "spans", spans)
    clock = Clock.of(at(21.25).replace(tzinfo=UTC), seed=1)
    found = run_report("levers", made, Config(), clock, Cache(made.cache_path)).data.levers
    assert [one for one in found if one.lever == "Over-sized for its load"] == []


def call(identity: str, start, **values):
    """One chat call in production that cost a dollar."""
    about = {
        "name": "chat", "operation": "chat", "start": start, "duration_s": 1.0, "model": "m", "provider": "openai", "input_tokens": 10,
        "output_tokens": 10, "status": "ok", "cost_usd": Decimal(1), "cost_status": "reported", "environment": "production",
    }  # fmt: skip
    return full("spans", span_id=f"{identity:0>16}", **(about | values))


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
    unlisted = full(
        "costs", row_hash="x", charge_start=at(3), charge_end=at(4), billed_cost=Decimal(1), effective_cost=Decimal(1), currency="USD",
        charge_category="Usage", environment="dev", service_category="Compute", resource="dev/box",
    )  # fmt: skip
    other = workspace(tmp_path / "unlisted")
    store(other, "focus", "costs", "costs", [*rows, unlisted])
    assert "Spot-eligible" not in {one.lever for one in report("levers", other).data.levers}, "part of its list price"
    month = 30.44 / 28
    idle, spot = found["Idle non-production hours"], found["Spot-eligible"]
    assert (idle.low, idle.high) == (pytest.approx(month * 8 * 24), pytest.approx(month * (8 * 24 + 20 * 13)))
    assert (spot.low, spot.high) == (pytest.approx(month * 28 * 24 * 0.6), pytest.approx(month * 28 * 24 * 0.9))
    assert idle.rows == (("dev/box", "672 USD in 28 days"),)


@pytest.mark.parametrize(
    (
        "charges",
        "a_month",
    ),  # when one begins, its days, and what it costs; the bill of the rest goes from 24 October to 20 November
    [
        ([(at(1), 30, 300)], 300 * 30.44 / 30),  # a month at once
        ([(at(3), 1, 100), (at(17), 1, 100)], 200 * 30.44 / 28),  # two days of four weeks
    ],
)
def test_what_is_not_billed_every_day_is_no_more_a_month_than_it_costs(tmp_path, charges, a_month):
    made = workspace(tmp_path)
    about = {"currency": "USD", "charge_category": "Usage", "environment": "dev", "service_category": "Compute"}
    rows = [
        full("costs", row_hash=f"batch-{start}", charge_start=start, charge_end=start + timedelta(days=days), billed_cost=Decimal(usd),
             effective_cost=Decimal(usd), list_cost=Decimal(usd), resource="dev/batch", **about)
        for start, days, usd in charges
    ]  # fmt: skip
    every = [(day, 10) for day in range(24, 32)] + [(day, 11) for day in range(1, 21)]
    rows += [
        full("costs", row_hash=f"{month}-{day}", charge_start=at(day, month), charge_end=at(day + 1, month), billed_cost=Decimal(1),
             effective_cost=Decimal(1), **(about | {"environment": "production"}))
        for day, month in every
    ]  # fmt: skip
    store(made, "focus", "costs", "costs", rows)
    found = {one.lever: one for one in report("levers", made).data.levers}
    assert found["Spot-eligible"].high == pytest.approx(0.9 * a_month)
    assert found["Idle non-production hours"].low == 0  # 1 November is a Sunday, the month is none


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


def test_a_prefix_that_could_be_cached(tmp_path):
    """Twenty calls of a prompt never shorter than 2,000 tokens. gpt-4o reads a million tokens for 2.50 USD, cached ones for
    1.25 (OpenAI's price list), so 2,000 cached tokens a call save 0.0025 USD."""
    made = workspace(tmp_path)
    long = [call(f"a{n}", at(15), trace_id=f"a{n:031x}", model="gpt-4o", input_tokens=2_000 + 100 * n, prompt_name="triage")
            for n in range(20)]  # fmt: skip
    short = [
        call(f"b{n}", at(15), trace_id=f"b{n:031x}", model="gpt-4o", input_tokens=900, prompt_name="greet")
        for n in range(20)
    ]
    store(made, "otlp", "spans", "spans", long + short)
    (lever,) = [one for one in report("levers", made).data.levers if one.lever == "Cacheable prefix"]
    assert (lever.where, lever.n, lever.low) == ("triage · gpt-4o", 20, 0.0)
    assert lever.high == pytest.approx(20 * 0.0025 * 30.44 / 28)


def test_a_smaller_model_for_what_goes_well(tmp_path):
    """Forty sign-in requests on the large model at 2 USD each, all good; forty others on the small one at a tenth."""
    made = workspace(tmp_path)
    rows = [
        call(
            f"{kind}{n}", at(15), trace_id=f"{kind}{n:031x}", model=model, cost_usd=Decimal(cost), task_cluster=cluster, outcome=outcome,
        )
        for kind, model, cost, cluster, outcome in (
            ("a", "large", "2.00", "sign-in", "success"),
            ("b", "small", "0.20", "tracking", "success"),
            ("c", "large", "2.00", "refunds", "failure"),
        )
        for n in range(40)
    ]  # fmt: skip
    # As dear a token, and none said of the answer; and one that says nothing of tokens, which has no price for one.
    beside = {"trace_id": f"b{0:031x}", "model": "small", "cost_usd": Decimal("0.20"), "output_tokens": None}
    rows += [call("e0", at(15), **beside, input_tokens=20), call("e1", at(15), **beside, input_tokens=None)]
    # The cheapest of all embeds what the large one answers: nobody can answer with it.
    rows += [
        call(f"v{n}", at(15), trace_id=f"a{n:031x}", operation="embeddings", model="vectors", cost_usd=Decimal("0.01"), output_tokens=None)
        for n in range(40)
    ]  # fmt: skip
    store(made, "otlp", "spans", "spans", rows)
    (lever,) = [one for one in report("levers", made).data.levers if one.lever == "Smaller model"]
    # Refunds fail on the large model already: they are made better first, not cheaper.
    assert (lever.where, lever.n, lever.low) == ("sign-in · large", 40, 0.0)
    assert lever.high == pytest.approx(40 * (2.00 - 0.20) * 30.44 / 28)

"""Whole worlds of servers that nobody here wrote for our connectors, through the command."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from aether_tui.cache import Cache
from aether_tui.workspace.folder import Workspace
from tests.command import aether
from tests.connectors.server import serving
from tests.connectors.strangers import KEYS, NOW, SECRET, TOML, YESTERDAY, strangers, users


def test_worlds_of_several_pages_arrive_whole_and_right(tmp_path: Path) -> None:
    with ExitStack() as stack:
        servers = {name: stack.enter_context(serving(answer)) for name, answer in strangers().items()}
        (tmp_path / "aether.toml").write_text(TOML.format(**{name: one.url for name, one in servers.items()}))
        done = aether("--as-of", NOW.isoformat(), "sync", "--yes", "--format", "json", cwd=tmp_path, env=KEYS)
    assert done.code == 0, done.err
    assert "0.01 USD" in done.err  # what the refresh costs, before it is asked
    before = contents(tmp_path)
    assert aether("cache", "verify", cwd=tmp_path).code == 0
    assert SECRET not in str(before)
    assert not any(name in str(before) for name in ("ada@example", "'ada'", "bob@"))
    right_gitlab(tmp_path)
    right_amplitude(tmp_path)
    right_phoenix(tmp_path)
    right_aws(tmp_path)


def query(root: Path, sql: str) -> list[tuple[Any, ...]]:
    with Cache(Workspace(root).cache_path).read() as lease:
        return [tuple(row.values()) for row in lease.rows(sql)]


TABLES = "pipeline_runs pipeline_jobs test_runs test_cases pull_requests deployments product_metrics costs spans tasks rejects"


def contents(root: Path) -> dict[str, list[tuple[Any, ...]]]:
    return {name: query(root, f"FROM {name} ORDER BY ALL") for name in TABLES.split()}


def right_gitlab(root: Path) -> None:
    ago = lambda hours: (NOW - timedelta(hours=hours)).replace(tzinfo=None)  # noqa: E731
    runs = query(root, "SELECT id, attempt, result, workflow, created FROM pipeline_runs ORDER BY id, attempt")
    assert runs == [
        ("9007199254740994", 1, "failure", "pipeline", ago(50)),
        ("9007199254740994", 2, "success", "pipeline", ago(50)),
        ("9007199254740995", 1, "failure", "pipeline", ago(40)),
        ("9007199254740996", 1, "other", "pipeline", ago(30)),
        ("9007199254740997", 1, "running", "pipeline", ago(2)),
        ("9007199254740998", 1, "success", "child pipeline", ago(20)),
    ]
    jobs = query(root, "SELECT id, attempt, result, run_s, runner, artifact_bytes FROM pipeline_jobs ORDER BY id")
    assert jobs[:3] == [
        ("101", 1, "failure", 900.123456, "linux-small", 1000), ("102", 2, "success", 900.123456, "linux-small", 1000),
        ("103", 2, "other", None, None, 1000),
    ]  # fmt: skip
    assert query(root, "SELECT tests, passed, failed, flaky, duration_s, suite_time_s FROM test_runs") == [
        (3, 2, 1, 1, 2.91, 2.9)
    ]
    requests = query(
        root,
        "SELECT number, state, merge_sha, merged, first_commit, first_review, item_keys FROM pull_requests ORDER BY 1",
    )
    earliest = NOW.replace(year=2026, month=10, day=2, hour=2, minute=0, second=0, tzinfo=None)
    assert requests == [
        (1, "merged", "merge1", ago(59), earliest, ago(57.5), ["PAY-1"]),
        (2, "merged", "squash2", ago(58), earliest, ago(59), ["PAY-2"]),
        (3, "merged", "head3", ago(57), earliest, ago(59), ["PAY-3"]),
        (4, "closed", None, None, earliest, ago(59), ["PAY-4"]),
    ]
    told = query(root, "SELECT result, count(*), min(finished), environment FROM deployments GROUP BY ALL ORDER BY 1")
    assert [(result, n, environment) for result, n, _, environment in told] == [
        ("failure", 41, "production"), ("running", 41, "production"), ("success", 41, "production"), ("unknown", 82, "production"),
    ]  # fmt: skip
    assert [finished is None for _, _, finished, _ in told] == [False, True, False, True]
    (people,) = query(
        root, "SELECT count(DISTINCT author), min(length(author)), count(*) FILTER (author IS NULL) FROM pull_requests"
    )
    assert people == (3, 16, 1)


def right_amplitude(root: Path) -> None:
    found = query(
        root,
        "SELECT metric, day, value, unit, zone, incomplete FROM product_metrics WHERE metric NOT LIKE 'exp%' ORDER BY 1, 2",
    )
    assert {metric: sum(metric == one[0] for one in found) for metric in ("active_users", "new_users", "event:Ordered")} == {
        "active_users": 6, "new_users": 6, "event:Ordered": 6,
    }  # fmt: skip
    ordered = [one for one in found if one[0] == "event:Ordered"]
    assert all(value == 7 * day.day for _, day, value, *_ in ordered)
    assert [(day.date() <= YESTERDAY) == (not incomplete) for _, day, _, _, _, incomplete in ordered] == [True] * 6
    assert {zone for *_, zone, _ in found} == {"America/New_York"}
    assert all(value == users(day.date()) for metric, day, value, *_ in found if metric == "active_users")
    # Events that were uploaded twice count once.
    assert query(root, "SELECT sum(value) FROM product_metrics WHERE metric = 'exported:Ordered'") == [(4,)]


def right_aws(root: Path) -> None:
    sums = (
        "SELECT source_service, account, charge_category, count(*), CAST(sum(billed_cost) AS VARCHAR), count(*) FILTER (estimated), "
        "any_value(currency) FROM costs GROUP BY ALL ORDER BY 1, 2"
    )
    assert query(root, sums) == [
        ("AWS Credits", "111122223333", "Usage", 30, "-1.500000000000", 1, "USD"),
        ("Amazon Bedrock", "111122223333", "Usage", 30, "3.703703673000", 1, "USD"),
        ("Amazon Bedrock", "444455556666", "Usage", 30, "0.000003000000", 1, "USD"),
        ("Tax", "111122223333", "Tax", 30, "2.100000000000", 1, "USD"),
    ]


def right_phoenix(root: Path) -> None:
    (spans,) = query(
        root,
        "SELECT count(*), count(DISTINCT trace_id), sum(input_tokens), sum(output_tokens), sum(cached_tokens), "
        "CAST(sum(reported_cost_usd) AS VARCHAR), count(*) FILTER (status = 'error'), max(start), count(DISTINCT \"user\"), "
        'min(length("user")), count(*) FILTER (parent_id IS NULL), min(duration_s) FROM spans',
    )
    newest = (NOW - timedelta(hours=3)).replace(tzinfo=None)
    assert spans[:4] == (1100, 550, 55_000, 11_000)
    assert spans[4:] == (22_000, "0.067650000000", 1, newest, 1, 16, 550, 2.5)
    assert query(root, "SELECT count(*), sum(turns) FROM tasks") == [(550, 550)]

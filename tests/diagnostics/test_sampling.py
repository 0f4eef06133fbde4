"""Many tasks: where a sample of them lies, and that what is counted in cells and by thresholds is what rows in order would say."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from aether_tui.cache import Cache
from aether_tui.cache.schema import COMPUTED
from aether_tui.diagnostics.constraint_indicators import shapes
from aether_tui.diagnostics.frame import Data
from aether_tui.diagnostics.sampling import MOMENTS, moments, newest_since
from aether_tui.records import Row
from aether_tui.records.definitions import definition, render
from aether_tui.workspace.folder import Workspace
from tests.diagnostics import world

QUIET, BURST = 40, 360


def task(number: int, begin: datetime) -> list[Row]:
    """A model call and the two tools it calls, one after the other, over three seconds."""
    return [
        world.full(
            "spans", trace_id=f"{number:032x}", span_id=f"{number:012x}{place:04x}", start=begin + timedelta(seconds=place), duration_s=1.0,
            parent_id=f"{number:012x}0000" if place else None, name="step", operation="execute_tool" if place else "chat",
            model=None if place else "m", environment="production",
        )
        for place in range(3)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two tasks a day for twenty days, and nine times as many within one of their hours."""
    made = world.workspace(tmp_path_factory.mktemp("sampling"))
    begins = [world.at(1 + number / 2) for number in range(QUIET)]
    begins += [world.at(9.25) + timedelta(seconds=10 * number) for number in range(BURST)]
    rows = [row for number, begin in enumerate(begins) for row in task(number, begin)]
    world.store(made, "otlp", "spans", "spans", rows)
    return made


def test_a_sample_of_moments_holds_each_hour_by_what_happened_in_it_and_whole_tasks(uneven: Workspace) -> None:
    with Data(Cache(uneven.cache_path), world.clock()) as data:
        looked = moments(data, 64, data.live())
        shape = shapes(data, 64)
        newest, newer = newest_since(data, 64, data.live())
        told = data.rows("sample_size", since=newest, live=data.live())
        some = data.rows("sample_moments", live=data.live(), fractions=[0.5], every=16)
    assert newest.replace(tzinfo=None) > world.at(9)
    assert newer == told[0]["n"] and 64 <= newer <= 64 + MOMENTS
    assert timedelta(0) <= some[0]["edges"][0] - world.at(9.25) < timedelta(hours=1)  # type: ignore[index, operator]
    assert (len(looked.begins), looked.n) == (MOMENTS, QUIET + BURST)
    assert 64 <= looked.tasks <= 64 + 2 * MOMENTS
    burst = [begin for begin in looked.begins if timedelta(0) <= begin - world.at(9.25) < timedelta(hours=1)]
    assert len(burst) == pytest.approx(MOMENTS * BURST / (QUIET + BURST), abs=1)
    tools = [row["tools"] for row in shape]
    assert tools == [2] * 64, "no task is cut at the end of its moment"
    assert "moments of the window" in looked.sentence()


def test_where_there_are_few_tasks_each_is_looked_at(uneven: Workspace) -> None:
    with Data(Cache(uneven.cache_path), world.clock()) as data:
        looked = moments(data, 200, data.live())
        assert newest_since(data, 200, data.live()) == (data.clock.window.start, looked.n)
        shape = shapes(data, 200)
    assert looked.tasks == looked.n == 2 * len(shape)
    assert looked.sentence() == ""


MANY = """
INSERT INTO tasks BY NAME
SELECT 'otlp' AS source, md5(i::VARCHAR) AS trace_id, TIMESTAMP '2026-11-01' + to_seconds(i * 60) AS start,
  0.5 + hash(i) % 1000003 / 9973 AS duration_s, hash(i) % 9 AS turns, 1 + hash(i) % 5 AS calls, 1 AS tool_calls,
  100 AS tokens,
  hash(i) % 700 / 1000 AS cost_usd, 0 AS unpriced_calls, CASE WHEN hash(i) % 10 = 0 THEN 'error' ELSE 'ok' END AS status,
  CASE WHEN hash(i) % 3 > 0 THEN CASE WHEN hash(i) % 7 = 0 THEN 'failure' ELSE 'success' END END AS outcome,
  'f' || hash(i) % 4 AS feature, 'm' || hash(i) % 3 AS model, 'production' AS environment
FROM range(25000) t(i)
"""
GROUPS = """
SELECT feature AS value, count(*) AS n, count(*) FILTER (WHERE status = 'error' OR outcome IS NOT DISTINCT FROM 'failure') AS failed,
  CAST(sum(cost_usd) AS DOUBLE) AS cost_usd, avg(turns) AS turns, quantile_disc(duration_s, 0.5) AS p50_s,
  quantile_disc(duration_s, 0.95) AS p95_s
FROM tasks GROUP BY feature
"""
ENDED = """
SELECT outcome, floor(log(duration_s) / log(1.02)) > (
  SELECT quantile_disc(floor(log(duration_s) / log(1.02)), 0.9) FROM tasks WHERE outcome IS NOT NULL
) AS slow, count(*) AS n, arg_max(trace_id, duration_s, 5) AS slowest
FROM tasks WHERE outcome IS NOT NULL GROUP BY ALL
"""
CUT = [(world.at(2 + first), world.at(end + last)) for end in (2, 5) for first in (0, 0.2) for last in (0.1, 0.8)] + [
    (world.at(2 + first), world.at(5)) for first in (0, 0.2)
]
"""Windows that begin or end within a day, or do both within one; one begins after it ends."""
STANDING = {"slowest": "duration_s", "dearest": "cost_usd", "most turns": "turns"}
RANKS = """
SELECT cost_usd AS cost, sum(cost_usd) OVER (ORDER BY cost_usd, trace_id ROWS UNBOUNDED PRECEDING) / sum(cost_usd) OVER () AS share
FROM tasks ORDER BY cost_usd, trace_id
"""


def test_many_tasks_counted_at_once_are_what_rows_in_order_say(tmp_path: Path) -> None:
    made = world.workspace(tmp_path)
    world.store(made, "otlp", "spans", "spans", [])
    cache = Cache(made.cache_path)
    with cache._write() as connection:
        connection.execute(MANY)
        computed = ", ".join(f"{name} = {render(text, {})}" for name, text in COMPUTED.items())
        connection.execute(f"UPDATE tasks SET {computed}")
        by_day = render(definition("task_coverage_daily"), {"tasks": "tasks"})
        connection.execute(f"INSERT INTO task_coverage_daily BY NAME {by_day}")
    ranks = [1, 7, 12_500, 24_999, 25_000]
    with Data(cache, world.clock()) as data:
        groups = {str(row["value"]): row for row in data.rows("traces_groups") if row["attribute"] == "feature"}
        (found,) = data.rows("constraint_tasks", live=None)
        (edges,) = data.rows("constraint_edges", live=None)
        named = data.rows("constraint_slowest", live=None, **edges)
        standing = {name: value for name, value in data.rows("traces_edges")[0].items() if name != "failing"}
        top = data.rows("traces_top", **standing)
        told = [data.rows("sample_size", since=since, until=until, live=None)[0]["n"] for since, until in CUT]
        curve = data.rows("gate_cost_ranks", live=None, ranks=ranks, from_day=world.at(1), until_day=world.at(25))
    with cache.read() as lease:
        between = "SELECT count(*) AS n FROM tasks WHERE start >= $since AND start < $until AND calls > 0"
        assert told == [lease.rows(between, {"since": since, "until": until})[0]["n"] for since, until in CUT]
        plain, ended, ordered = (lease.rows(sql) for sql in (GROUPS, ENDED, RANKS))
        first = "SELECT trace_id FROM tasks ORDER BY {} DESC, start DESC, trace_number LIMIT 5"
        standing_out = {
            order: [row["trace_id"] for row in lease.rows(first.format(order))] for order in STANDING.values()
        }
    assert len(plain) == len(groups) == 4
    for row in plain:
        mine = groups[str(row["value"])]
        assert {name: mine[name] for name in ("n", "failed")} == {name: row[name] for name in ("n", "failed")}
        for name in ("cost_usd", "turns"):
            assert mine[name] == pytest.approx(row[name])
        for name in ("p50_s", "p95_s"):
            assert mine[name] == pytest.approx(row[name], rel=0.01)
    slow = {row["outcome"]: row for row in ended if row["slow"]}
    assert (found["slow"], found["slow_failed"]) == (slow["success"]["n"] + slow["failure"]["n"], slow["failure"]["n"])  # type: ignore[operator]
    assert found["slow"] == pytest.approx(found["with_outcome"] / 10, rel=0.1)  # type: ignore[operator]
    assert found["rest_failed"] == next(row["n"] for row in ended if not row["slow"] and row["outcome"] == "failure")
    failures = [row["trace_id"] for row in named if row["what"] == "failure" and row["took_s"] > found["told_p90"]]  # type: ignore[operator]
    assert failures[:5] == list(slow["failure"]["slowest"])  # type: ignore[arg-type]
    for kind, order in STANDING.items():
        assert [row["trace_id"] for row in top if row["kind"] == kind][:5] == standing_out[order], kind
    assert [(row["rank"], row["cost"]) for row in curve] == [(rank, ordered[rank - 1]["cost"]) for rank in ranks]
    assert [row["share"] for row in curve] == pytest.approx([ordered[rank - 1]["share"] for rank in ranks])

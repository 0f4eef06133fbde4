"""Steps, prompts and users against an independent computation in plain Python, and the caches of programs before them."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cache.samples import everything, fresh, store
from tests.cache.test_rollups import Record, day, failed_free, groups, is_call, records, stored, tasks, total

STEPS = {"execute_tool", "tool", "retrieval", "retriever", "reranker", "guardrail", "evaluator"}
DIMENSIONS = ("environment", "service", "feature", "team")


def hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)


def us(span: Record) -> int:
    return round(min(max(span["duration_s"] or 0, 0), 1e9) * 1e6)


def called(span: Record, spans: dict[str, Record]) -> tuple[str, str]:
    """Operation and name of a step, ids and counters made alike."""
    operation, name = (span["operation"] or "").lower(), span["name"] or ""
    parent = spans.get(span["parent_id"])
    if is_call(span):
        agent = parent["name"] if parent and (parent["operation"] or "").lower() in ("invoke_agent", "agent") else None
        name = next((known for known in (span["prompt_name"], agent, span["model"]) if known is not None), "")
    operation = operation or ("chat" if is_call(span) else "span")
    if name.lower().startswith(operation + " "):
        name = name[len(operation) + 1 :]
    return operation, f"{operation} {re.sub('[0-9a-fA-F-]{12,}|[0-9]{3,}', '#', name)[:80]}"


def visits(spans: list[Record], trace: Record) -> list[dict[str, Any]]:
    """The steps of one trace in order, each with what it adds to its row."""
    chosen = [s for s in spans if is_call(s) or (s["operation"] or "").lower() in STEPS]
    chosen = chosen if trace["calls"] + trace["tool_calls"] else spans
    known = {span["span_id"]: span for span in spans}

    def begun(span: Record) -> int:
        return round((span["start"] - trace["start"]).total_seconds() * 1e6)

    chosen = sorted(chosen, key=lambda s: (begun(s), -begun(s) - us(s), s["span_id"]))
    names = [called(span, known) for span in chosen]
    found, free, lost = [], 0, trace["outcome"] == "failure"
    for place, span in enumerate(chosen):
        failed, last = span["status"] == "error", place == len(chosen) - 1
        call = is_call(span)
        inside = sum(us(other) for other in chosen if other["parent_id"] == span["span_id"])
        found.append(
            {
                "key": (hour(trace["start"]), *(trace[n] for n in DIMENSIONS), trace["task_cluster"], *names[place]),
                "errors": failed, "retried": failed and not last and names[place] == names[place + 1],
                "lost": lost and (failed or last), "lost_by_error": lost and failed, "places": place + 1,
                "touch": max(us(span) - inside, 0), "wait": max(begun(span) - free, 0),
                "cost": span["cost_usd"] if call else None,
                "unpriced": call and span["cost_usd"] is None and not failed_free(span),
            }
        )  # fmt: skip
        lost = lost and not failed
        free = max(free, begun(span) + us(span))
    return found


def steps(spans: list[Record]) -> set[tuple[Any, ...]]:
    traces = {trace["trace_id"]: trace for trace in tasks(spans)}
    placed = [span for span in spans if span["start"]]
    every = [v for t, mine in groups(placed, lambda s: s["trace_id"]) for v in visits(mine, traces[t])]
    counts = ("errors", "retried", "lost", "lost_by_error", "places")
    return {
        (
            *key, len(group), *(sum(v[n] for v in group) for n in counts),
            *(round(sum(v[n] for v in group) / 1e6, 4) for n in ("touch", "wait")),
            total(v["cost"] for v in group), sum(v["unpriced"] for v in group), sum(v["cost"] is not None for v in group),
        )
        for key, group in groups(every, lambda v: v["key"])
    }  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
def test_steps_prompts_and_users_equal_a_computation_by_hand(tmp_path: Path, seed: int) -> None:
    raw = {"spans": everything(400, seed)["spans"]}
    spans = records("spans", raw["spans"])
    cache = fresh(tmp_path)
    for part in range(3):  # traces arrive in pieces
        store(cache, {"spans": raw["spans"][part::3]})
    calls = [span for span in spans if is_call(span) and span["start"]]

    def counted(of: list[str], at: Any) -> set[tuple[Any, ...]]:
        found = groups(calls, lambda s: (at(s["start"]), *(s[name] for name in (*DIMENSIONS, *of))))
        costs = {key: [span["cost_usd"] for span in group] for key, group in found}
        return {(*k, len(c), total(c), sum(cost is not None for cost in c)) for k, c in costs.items()}

    wanted = {
        "steps_hourly": steps(spans),
        "prompts_hourly": counted(["prompt_name", "prompt_version"], hour),
        "users_daily": counted(["user"], day),
    }
    for name, expected in wanted.items():
        assert len(expected) > 5, name
        assert set(stored(cache, name)) == expected, name
    assert cache.verify() == []


def test_steps_by_day_become_steps_by_hour_and_frozen_days_stay(tmp_path: Path) -> None:
    """As version 3 left it: both by day, raw rows of the earlier days gone."""
    cache = fresh(tmp_path)
    store(cache, {"spans": everything(300)["spans"]})
    tables = {"steps_hourly": "steps_daily", "prompts_hourly": "prompts_daily"}
    with cache.read() as lease:
        middle = lease.rows("SELECT date_trunc('day', median(start)) AS day FROM spans")[0]["day"]
        late = {n: lease.rows(f"SELECT count(*) AS n FROM {n} WHERE hour >= '{middle}'")[0]["n"] for n in tables}
        early = {n: lease.rows(f"SELECT count(*) AS n FROM {n} WHERE hour < '{middle}'")[0]["n"] for n in tables}
    assert all(late.values())
    assert all(early.values())
    with cache._write() as connection:
        for name, before in tables.items():
            connection.execute(f"UPDATE {name} SET hour = date_trunc('day', hour)")
            connection.execute(f"ALTER TABLE {name} RENAME COLUMN hour TO day")
            connection.execute(f"ALTER TABLE {name} RENAME TO {before}")
        connection.execute(f"INSERT INTO meta VALUES ('raw_from:spans', '{middle}')")
        connection.execute("UPDATE meta SET value = '3' WHERE key = 'schema_version'")
    with cache.read() as lease:
        for name, before in tables.items():
            assert not lease.rows(f"SELECT 1 FROM duckdb_tables() WHERE table_name = '{before}'")
            frozen = f"hour < '{middle}' AND hour = date_trunc('day', hour)"
            assert lease.rows(f"SELECT count(*) AS n FROM {name} WHERE {frozen}")[0]["n"] == early[name]
            assert lease.rows(f"SELECT count(*) AS n FROM {name} WHERE hour >= '{middle}'")[0]["n"] == late[name]
    assert cache.verify() == []

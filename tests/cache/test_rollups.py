"""Every rollup against an independent computation in plain Python, and against any order of arrival."""

from __future__ import annotations

import hashlib
import math
import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aether_tui.cache import Cache
from aether_tui.cache.schema import ROLLUPS, quoted
from aether_tui.records import TABLES, Row
from aether_tui.records.definitions import definition, render
from tests.cache.samples import DAY_ONE, dump, everything, fresh, rows, store

Record = dict[str, Any]
CALLS = {"chat", "text_completion", "completion", "generate_content", "embeddings", "embedding", "llm", "generation"}


def records(name: str, data: Iterable[Row]) -> list[Record]:
    names = [column.name for column in TABLES[name].columns]
    return [dict(zip(names, row, strict=True)) for row in data]


def day(instant: datetime | None) -> datetime | None:
    return instant and instant.replace(hour=0, minute=0, second=0, microsecond=0)


def bucket(x: float) -> int:
    return math.floor(math.log(x) / math.log(1.02)) if x > 0 else -10000


def total(values: Iterable[Any]) -> Any:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def groups(items: Iterable[Record], key: Callable[[Record], Any]) -> Iterator[tuple[Any, list[Record]]]:
    found = defaultdict(list)
    for item in items:
        found[key(item)].append(item)
    yield from found.items()


def is_call(span: Record) -> bool:
    operation = (span["operation"] or "").lower()
    used = span["input_tokens"] is not None or span["output_tokens"] is not None
    return operation in CALLS or (operation == "" and span["model"] is not None and used)


def failed_free(span: Record) -> bool:
    return span["status"] == "error" and all(
        span[name] is None for name in ("input_tokens", "output_tokens", "cost_usd")
    )


def llm_hourly(spans: list[Record]) -> set[tuple[Any, ...]]:
    dimensions = ("environment", "service", "feature", "team", "provider", "model")
    calls = [span for span in spans if is_call(span) and span["start"]]
    return {
        (
            *key, len(group), sum(span["status"] == "error" for span in group),
            *(total(span[f"{kind}_tokens"] for span in group) for kind in ("input", "output", "cached", "reasoning")),
            total(span["cost_usd"] for span in group),
            sum(span["cost_usd"] is not None or failed_free(span) for span in group),
            total(span["cost_usd"] for span in group if span["feature"] and span["team"]),
        )
        for key, group in groups(
            calls, lambda s: (s["start"].replace(minute=0, second=0, microsecond=0), *(s[name] for name in dimensions))
        )
    }  # fmt: skip


def tasks(spans: list[Record], outcomes: Iterable[Record] = ()) -> list[Record]:
    found, scores = [], defaultdict(list)
    for score in outcomes:
        scores[score["trace_id"]] += [score["outcome"]] if score["outcome"] else []
    for trace, group in groups([span for span in spans if span["start"]], lambda s: s["trace_id"]):
        roots = [span for span in group if span["parent_id"] is None]
        calls = [span for span in group if is_call(span)]

        def of_root(name: str, roots: list[Record] = roots, group: list[Record] = group) -> Any:
            for some in (roots, group):
                if known := [span[name] for span in some if span[name] is not None]:
                    return min(known)
            return None

        ends = [span["start"] + timedelta(seconds=max(span["duration_s"] or 0, 0)) for span in group]
        start = min(span["start"] for span in group)
        models = [span for span in sorted(calls, key=lambda s: (s["start"], s["span_id"])) if span["model"]]
        told = [span for span in calls if span["input_tokens"] is not None or span["output_tokens"] is not None]
        found.append(
            {
                "source": "s", "trace_id": trace,
                "trace_number": int.from_bytes(hashlib.md5(str(trace).encode()).digest()[8:], "little"),
                "start": start, "duration_s": (max(ends) - start).total_seconds(),
                "turns": sum((span["operation"] or "") != "embeddings" for span in calls), "calls": len(calls),
                "tool_calls": sum(span["operation"] == "execute_tool" for span in group),
                "errors": sum(span["status"] == "error" for span in group),
                "input_tokens": total(span["input_tokens"] for span in calls),
                "output_tokens": total(span["output_tokens"] for span in calls),
                "tokens": total((span["input_tokens"] or 0) + (span["output_tokens"] or 0) for span in told),
                "cost_usd": total(span["cost_usd"] for span in calls),
                "unpriced_calls": sum(span["cost_usd"] is None and not failed_free(span) for span in calls),
                "status": "error" if any(span["status"] == "error" for span in roots or group) else "ok",
                "outcome": of_root("outcome") or min(scores.get(trace, []), default=None),
                **{
                    name: of_root(name)
                    for name in ("task_cluster", "scenario", "feature", "team", "environment", "service")
                },
                "model": models[0]["model"] if models else None,
                "rooted": bool(roots),
            }
        )  # fmt: skip
        said = ("feature", "team", "model", "environment", "scenario", "task_cluster", "status")
        words = "".join("\x1e" if found[-1][name] is None else f"{found[-1][name]}\x1f" for name in said)
        found[-1]["kind"] = int.from_bytes(hashlib.md5(words.encode()).digest()[8:], "little")
        found[-1]["took"] = bucket(found[-1]["duration_s"])
    return found


def coverage(spans: list[Record]) -> set[tuple[Any, ...]]:
    fields = (
        "model", "input_tokens", "output_tokens", "duration_s", "time_to_first_token_s", "cost_usd", "feature", "team", "user",
        "prompt_version",
    )  # fmt: skip
    calls = [span for span in spans if is_call(span) and span["start"] and not failed_free(span)]
    return {
        (*key, len(group), *(sum(span[name] is not None for span in group) for name in fields))
        for key, group in groups(calls, lambda s: (day(s["start"]), s["environment"], s["feature"]))
    }


PHASES = ("ideation", "validation", "specification", "build", "release", "measure", "learn")


def ended(item: Record, meant: str, own: str, other: str, last: Callable[[str], Any]) -> Any:
    """When an item was done or cancelled: what its state means here decides, and the tracker's own word only where nobody mapped it."""
    if item["category"] is None:
        return item[own]
    return (last(meant) or item[own] or item[other]) if item["category"] == meant else None


def flow_items(items: list[Record], transitions: list[Record]) -> list[Record]:
    found = []
    for item in items:
        history = [t for t in transitions if t["item_id"] == item["id"]]

        def last(category: str, history: list[Record] = history) -> Any:
            entries = [t["at"] for t in history if t["to_category"] == category and t["from_category"] != category]
            return max(entries, default=None)

        def entered(phase: str, item: Record = item, history: list[Record] = history) -> Any:
            entries = [t["at"] for t in history if t["to_phase"] == phase]
            return min(entries, default=item["created"] if not history and item["phase"] == phase else None)

        active = [t["at"] for t in history if t["to_category"] == "active"]
        category = item["category"]
        copied = (
            "id",
            "key",
            "title",
            "type",
            "team",
            "feature",
            "project",
            "state",
            "category",
            "phase",
            "created",
            "updated",
        )
        found.append(
            {
                "source": "s",
                **{name: item[name] for name in copied},
                "started": item["started"] or min(active, default=None),
                "completed": ended(item, "done", "completed", "cancelled", last),
                "cancelled": ended(item, "cancelled", "cancelled", "completed", last),
                "reopened": sum(t["from_category"] == "done" and t["to_category"] != "done" for t in history),
                "transitions": len(history),
                "category_since": (last(category) if category else None) or item["created"],
                **{f"{name}_at": entered(name) for name in PHASES},
            }
        )
        found[-1] |= stays(found[-1], history)
    return found


def stays(item: Record, history: list[Record]) -> Record:
    """Time by category between creation and end, handoffs and steps of an item, walked change by change."""
    times, ended = dict.fromkeys(("active", "wait", "queue", None), 0), item["completed"] or item["cancelled"]
    nothing: Record = {f"{name}_us": None for name in ("active", "wait", "queue", "unmapped")}
    if ended is None or not history:
        return {**nothing, "handoffs": None, "steps": None}

    def us(begun: Any, end: Any) -> int:
        return max(0, (end - begun) // timedelta(microseconds=1)) if begun else 0

    known = sorted(
        (t for t in history if t["at"] <= ended), key=lambda t: (t["at"], t["from_state"] or "", t["to_state"])
    )
    since, category = item["created"], known[0]["from_category"] if known else None
    steps: list[Record] = []
    waited, mover, moved, named = 0, None, 0, [t for t in known if t["from_state"] is not None]
    for change, end in zip(known, [*(t["at"] for t in known), ended][1:], strict=True):
        if category in times and change is known[0]:
            times[category] += us(since, change["at"])
        category, length = change["to_category"], us(change["at"], end)
        if category in times:
            times[category] += length
        waited += length if category in ("queue", "wait") else 0
        if category == "active" and change["to_state"] is not None:
            steps.append({"state": change["to_state"], "touch_us": length, "wait_us": waited})
            waited = 0
        actor = change["actor"] if change["from_state"] is not None else None
        moved += mover is not None and actor is not None and actor != mover
        mover = actor
    if not known:
        times[None] = us(since, ended)
    for place, step in enumerate(steps):
        step["next_state"] = steps[place + 1]["state"] if place + 1 < len(steps) else None
        been = {one["state"] for one in steps[: place + 1]}
        step["back"] = None if step["next_state"] is None else step["next_state"] in been - {step["state"]}
    return {
        **{f"{name or 'unmapped'}_us": spent for name, spent in times.items()},
        "handoffs": moved if named and all(t["actor"] is not None for t in named) else None,
        "steps": steps or None,
    }


def flow_daily(items: list[Record]) -> set[tuple[Any, ...]]:
    clocks = ("created", "started", "completed", "cancelled")
    last_day = max(day(item[clock]) for item in items for clock in clocks if item[clock])
    found = set()
    for key, group in groups(items, lambda i: (i["team"], i["type"])):
        days = [day(item[clock]) for item in group for clock in clocks if item[clock]]
        today = min(days, default=None)
        while today is not None and today <= last_day:
            counts = [sum(day(item[clock]) == today for item in group) for clock in clocks]
            wip = 0
            for item in group:
                start, end = day(item["started"]), day(item["completed"] or item["cancelled"])
                wip += (
                    start is not None
                    and start <= today
                    and (end is None or end > today)
                    and (end is None or start <= end)
                )
            found.add((today, *key, *counts, wip))
            today += timedelta(days=1)
    return found


def histogram(data: dict[str, list[Record]], traces: list[Record], items: list[Record]) -> set[tuple[Any, ...]]:
    n: Counter[tuple[Any, ...]] = Counter()

    def count(at: datetime | None, kind: str, segment: str | None, value: float | None) -> None:
        if at is not None and value is not None:
            n[day(at), kind, segment or "", bucket(value)] += 1

    for span in data["spans"]:
        if is_call(span):
            count(span["start"], "llm_latency", span["model"], span["duration_s"])
            count(span["start"], "first_token", span["model"], span["time_to_first_token_s"])
    for trace in traces:
        count(trace["start"], "task_latency", trace["scenario"] or trace["feature"], trace["duration_s"])
    for run in data["pipeline_runs"]:
        if run["result"] in ("success", "failure", "timed_out"):
            for kind in ("run", "wall", "queue"):
                count(run["created"], f"ci_{kind}", f"{run['repo'] or ''}/{run['workflow'] or ''}", run[f"{kind}_s"])
    for run in data["test_runs"]:
        if not run["partial"]:
            count(run["started"], "test_suite", run["suite"], run["duration_s"])
    for item in items:
        for kind, begin in (("cycle_time", item["started"]), ("lead_time", item["created"])):
            if begin and item["completed"] and begin <= item["completed"]:
                count(item["completed"], kind, item["team"], (item["completed"] - begin).total_seconds())
    for pull in data["pull_requests"]:
        begin = pull["first_commit"] or pull["created"]
        if begin and pull["merged"] and begin <= pull["merged"]:
            count(pull["merged"], "pr_lead_time", pull["repo"], (pull["merged"] - begin).total_seconds())
    return {(*key, count) for key, count in n.items()}


def simple(data: dict[str, list[Record]]) -> dict[str, set[tuple[Any, ...]]]:
    """The rollups that only count and add."""
    counted = ("success", "failure", "timed_out")

    def seconds(values: Iterable[Any]) -> Any:
        found = total(None if value is None else Decimal(value).quantize(Decimal("0.000001")) for value in values)
        return None if found is None else round(float(found), 4)

    costs = ("environment", "service", "team", "feature", "provider", "charge_category", "currency")
    return {
        "cost_daily": {
            (*key, total(row["billed_cost"] for row in group), total(row["effective_cost"] for row in group), len(group))
            for key, group in groups(
                [row for row in data["costs"] if row["charge_start"]],
                lambda r: (day(r["charge_start"]), *(r[name] for name in costs)),
            )
        },
        "ci_daily": {
            (
                *key, sum(run["result"] in counted for run in group),
                sum(run["result"] in ("failure", "timed_out") for run in group),
                sum(run["result"] not in counted for run in group),
                *(seconds(run[f"{k}_s"] for run in group if run["result"] in counted) for k in ("run", "queue", "wall")),
            )
            for key, group in groups(
                [run for run in data["pipeline_runs"] if run["created"]],
                lambda r: (day(r["created"]), r["repo"], r["workflow"], r["branch"], r["event"]),
            )
        },
        "tests_daily": {
            (
                *key, len(group), *(total(run[n] for run in group) for n in ("tests", "failed", "errors", "skipped", "flaky")),
                sum(bool(run["partial"]) for run in group), seconds(run["duration_s"] for run in group),
                max((round(run["duration_s"], 4) for run in group if run["duration_s"] is not None), default=None),
            )
            for key, group in groups(
                [run for run in data["test_runs"] if run["started"]],
                lambda r: (day(r["started"]), r["repo"], r["suite"], r["branch"]),
            )
        },
        "delivery_daily": {
            (
                *key, len(group), sum(row["result"] == "failure" for row in group),
                sum(row["reason"] in ("hotfix", "rollback") for row in group),
            )
            for key, group in groups(
                [row for row in data["deployments"] if row["started"] and row["result"] in ("success", "failure")],
                lambda r: (day(r["started"]), r["service"], r["environment"], r["team"]),
            )
        },
    }  # fmt: skip


def changes(pulls: list[Record], deployments: list[Record]) -> set[tuple[Any, ...]]:
    """Each merged request with the deployment that carried it, looked for one by one."""
    found = set()
    ended = [
        row | {"begun": row["started"] or row["finished"], "ended": row["finished"] or row["started"]}
        for row in deployments
        if row["environment"] == "production" and row["result"] == "success" and (row["started"] or row["finished"])
    ]
    for pull in pulls:
        if not (merged := pull["merged"]):
            continue
        here = [row for row in ended if row["repo"] == pull["repo"]]
        label = next((text[11:] for text in pull["labels"] or () if text.startswith("deployment:")), None)
        named = [row for row in ended if label in (row["id"], row["sha"]) and row["ended"] >= merged] if label else []
        own = min((row["ended"] for row in here if row["sha"] and row["sha"] == pull["merge_sha"]), default=None)
        own = own if own and own >= merged else None
        after = min((row["begun"] for row in here if row["begun"] >= merged), default=None)
        following = min((row["ended"] for row in here if row["begun"] == after), default=None)
        known = min((row["begun"] for row in here), default=None)
        if not (own or named or known is None or merged >= known - timedelta(days=7)):
            continue
        found.add(
            (
                "s", pull["repo"], pull["number"], label is not None,
                min((name for row in named if (name := row["service"] or row["repo"])), default=None)
                or pull["service"] or pull["repo"],
                *(pull[name] for name in ("team", "created", "first_commit", "first_review", "merged")),
                min((row["ended"] for row in named), default=None) if label else own or following,
            )
        )  # fmt: skip
    return found


def stored(cache: Cache, name: str) -> list[tuple[Any, ...]]:
    with cache.read() as lease:
        return [
            tuple(round(value, 4) if isinstance(value, float) else value for value in row.values())
            for row in lease.rows(f"SELECT {quoted(list(ROLLUPS[name]))} FROM {name}")
        ]


REQUEST_WORDS = ("environment", "service", "feature", "team", "model", "scenario", "task_cluster", "status", "outcome")


@pytest.mark.parametrize("seed", [1, 2])
def test_every_rollup_equals_a_computation_by_hand(tmp_path: Path, seed: int) -> None:
    raw = everything(240, seed)
    raw["work_transitions"] += rows("work_transitions", 500, seed)[240:]
    data = {name: records(name, found) for name, found in raw.items()}
    cache = fresh(tmp_path)
    store(cache, raw)
    traces = tasks(data["spans"], data["outcomes"])
    items = flow_items(data["work_items"], data["work_transitions"])
    wanted = {
        "llm_hourly": llm_hourly(data["spans"]),
        "tasks": {tuple(round(v, 4) if isinstance(v, float) else v for v in trace.values()) for trace in traces},
        "coverage_daily": coverage(data["spans"]),
        "task_coverage_daily": {
            (
                *key,
                len(group),
                *(sum(bool(t[n]) for t in group) for n in ("task_cluster", "outcome", "rooted")),
                total(t["calls"] for t in group),
                total(t["turns"] for t in group),
                total(t["tokens"] for t in group),
                sum(t["tokens"] is not None for t in group),
                total(t["cost_usd"] for t in group),
                sum(t["cost_usd"] is not None for t in group),
                total(t["unpriced_calls"] for t in group),
            )
            for key, group in groups(
                traces, lambda t: (day(t["start"]), *(t[name] for name in REQUEST_WORDS), t["calls"] > 0)
            )
        },
        "duration_hist": histogram(data, traces, items),
        "flow_daily": flow_daily(items),
        "changes": changes(data["pull_requests"], data["deployments"]),
        **simple(data),
    }
    for name, expected in wanted.items():
        found = stored(cache, name)
        assert len(found) == len(set(found)), name
        assert set(found) == expected, name
        assert len(expected) > 5, name
    with cache.read() as lease:
        found_items = {row["id"]: row for row in lease.rows("FROM flow_items")}
    assert found_items == {item["id"]: item for item in items}


@settings(
    max_examples=int(os.environ.get("AETHER_EXAMPLES", "2")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 10**6), pieces=st.integers(1, 4), stutter=st.booleans())
@pytest.mark.slow
def test_any_split_order_and_repetition_ends_equal(
    tmp_path_factory: pytest.TempPathFactory, seed: int, pieces: int, stutter: bool
) -> None:
    """Rows that changed (same keys, other content and start) arrive split, shuffled and repeated: of the tables that
    `test_any_order` leaves out."""
    rng = random.Random(seed)
    chosen = ("pull_requests", "deployments", "pipeline_runs", "costs")
    versions = [(name, row) for name in chosen for turn in range(2) for row in rows(name, 20, seed + turn)]
    folder = tmp_path_factory.mktemp("property")
    clean, messy = fresh(folder, "clean"), fresh(folder, "messy")
    store(clean, {name: [row for other, row in versions if other == name] for name in chosen})
    rng.shuffle(versions)
    if stutter:
        versions += rng.sample(versions, len(versions) // 3)
    for piece in range(pieces):
        part = versions[piece::pieces]
        store(messy, {name: [row for other, row in part if other == name] for name in chosen})
    assert dump(messy, but=("ingested_at", "last_attempt")) == dump(clean, but=("ingested_at", "last_attempt"))
    assert [line for line in messy.verify() if "belong to no row" not in line] == []


def test_histograms_give_percentiles_within_one_percent(tmp_path: Path) -> None:
    rng = random.Random(5)
    durations = [rng.lognormvariate(1, 1.5) for _ in range(2000)]
    names = [column.name for column in TABLES["test_runs"].columns]
    runs = [
        tuple(
            {"id": f"{n}", "suite": "unit", "started": DAY_ONE + timedelta(days=n % 9), "duration_s": value}.get(name)
            for name in names
        )
        for n, value in enumerate(durations)
    ]
    cache = fresh(tmp_path)
    store(cache, {"test_runs": runs})
    with cache.read() as lease:
        found = lease.rows(
            "SELECT bucket, sum(n) AS n FROM duration_hist WHERE kind = 'test_suite' GROUP BY bucket ORDER BY bucket"
        )
    spread = [1.02 ** (row["bucket"] + 0.5) for row in found for _ in range(int(row["n"]))]  # type: ignore[operator, arg-type]
    for share in (0.5, 0.85, 0.95, 0.99):
        rank = math.ceil(share * len(durations)) - 1
        assert spread[rank] == pytest.approx(sorted(durations)[rank], rel=0.01)


def test_templates_nest_and_split_at_top_level_commas() -> None:
    assert render("{log_bucket({seconds(coalesce(a, b), c)})}", {}).count("epoch_us(coalesce(a, b))") == 2
    assert (
        render("SELECT {day(x)} FROM {t} AS t", {"t": "(SELECT 1)"})
        == "SELECT date_trunc('day', x) FROM (SELECT 1) AS t"
    )
    assert "{" not in render(definition("tasks"), {"spans": "spans"})

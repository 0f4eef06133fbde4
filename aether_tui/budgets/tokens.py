"""Traces as tasks: their tokens, cost and latency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from aether_tui.budgets.measurements import Record, Records, Scenario, Tokens, money_of, quantile_of, text_of
from aether_tui.budgets.model import Used
from aether_tui.records.definitions import NAMED
from aether_tui.text import one_line


@dataclass(slots=True)
class _Task:
    """One trace."""

    start: datetime | None = None
    end: datetime | None = None
    labels: dict[str, str] = field(default_factory=dict)
    tokens: int | None = None
    cost: Decimal | None = None
    calls: int = 0
    turns: int = 0
    unpriced: bool = False
    usage: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """Calls, input, cached and output tokens by model and provider."""


def measure_tokens(records: Records) -> Tokens:
    """Tokens, cost and latency per task (trace) by scenario, the feature where there is none."""
    spans = records.rows.get("spans", [])
    tasks: dict[str, _Task] = {}
    for span in spans:
        _count(tasks.setdefault(text_of(span["trace_id"]), _Task()), span)
    used = [task for task in tasks.values() if task.calls]
    groups: dict[tuple[str, str], list[_Task]] = {}
    for task in used:
        name = task.labels.get("scenario") or task.labels.get("feature") or ""
        groups.setdefault((name, task.labels.get("environment", "")), []).append(task)
    return Tokens(
        tasks=len(tasks),
        spans=len(spans),
        by_scenario=tuple(_scenario(*key, group) for key, group in sorted(groups.items())),
        unpriced=sum(task.unpriced for task in used),
        problems=tuple(records.problems),
    )


def _is_model_call(span: Record) -> bool:
    """As in the cache (`model_call` of `records.definitions`)."""
    operation = text_of(span["operation"]).lower()
    counted = span["model"] is not None and not (span["input_tokens"] is None and span["output_tokens"] is None)
    return operation in NAMED["named_call"] or (counted and operation not in NAMED["never_call"])


def _count(task: _Task, span: Record) -> None:
    start, seconds = span["start"], span["duration_s"]
    if isinstance(start, datetime):
        end = start + timedelta(seconds=min(max(seconds, 0), 1e9) if isinstance(seconds, int | float) else 0)
        task.start = start if task.start is None else min(task.start, start)
        task.end = end if task.end is None else max(task.end, end)
    for name in ("scenario", "feature", "environment", "model"):
        # The root speaks for the trace; without it, whoever says something first.
        if (value := text_of(span[name])) and (span["parent_id"] is None or name not in task.labels):
            task.labels[name] = value
    if not _is_model_call(span):
        return
    task.calls += 1
    task.turns += text_of(span["operation"]).lower() not in NAMED["embedding"]
    for name in ("input_tokens", "output_tokens"):
        if isinstance(count := span[name], int):
            task.tokens = (task.tokens or 0) + count
    cost = money_of(span["cost_usd"])
    if cost is None:
        free = span["status"] == "error" and span["input_tokens"] is None and span["output_tokens"] is None
        task.unpriced = task.unpriced or not free
    else:
        task.cost = (task.cost or Decimal(0)) + cost
        sums = task.usage.setdefault((text_of(span["model"]), text_of(span["provider"])), [0, 0, 0, 0])
        for place, name in enumerate(("input_tokens", "cached_tokens", "output_tokens"), start=1):
            sums[place] += count if isinstance(count := span[name], int) else 0
        sums[0] += 1


def _usage(tasks: Sequence[_Task]) -> tuple[Used, ...]:
    sums: dict[tuple[str, str], list[int]] = {}
    for task in tasks:
        for key, counts in task.usage.items():
            total = sums.setdefault(key, [0, 0, 0, 0])
            total[:] = [a + b for a, b in zip(total, counts, strict=True)]
    return tuple(
        Used(model=one_line(model, 120), provider=one_line(provider, 60), calls=calls, input_tokens=read,
             cached_tokens=cached, output_tokens=written)
        for (model, provider), (calls, read, cached, written) in sorted(sums.items())
    )  # fmt: skip


def _scenario(name: str, environment: str, tasks: Sequence[_Task]) -> Scenario:
    tokens = [float(task.tokens) for task in tasks if task.tokens is not None]
    cost = [float(task.cost) for task in tasks if task.cost is not None and not task.unpriced]
    took = [((task.end - task.start).total_seconds(), task.turns) for task in tasks if task.start and task.end]
    turn = [seconds / turns for seconds, turns in took if turns]
    models = [task.labels["model"] for task in tasks if "model" in task.labels]
    return Scenario(
        scenario=one_line(name),
        environment=environment,
        model=max(sorted(set(models)), key=models.count, default=""),
        tasks=len(tasks),
        tokens_p50=quantile_of(tokens, 0.5),
        cost_p50=quantile_of(cost, 0.5),
        latency_p50_s=quantile_of([seconds for seconds, _ in took], 0.5),
        turn_latency_p50_s=quantile_of(turn, 0.5),
        tokens=tuple(tokens),
        cost=tuple(cost),
        turn_latency_s=tuple(turn),
        usage=_usage(tasks),
        usd=float(sum((task.cost for task in tasks if task.cost is not None), Decimal(0))),
    )

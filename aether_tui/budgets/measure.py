"""Measurements from files: the numbers `measure` prints and the series `budget check` judges. Needs no workspace."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from msgspec import Struct

from aether_tui.budgets.file import Surface
from aether_tui.budgets.model import Used
from aether_tui.budgets.package import package_of
from aether_tui.records.model import Value
from aether_tui.stats.ranks import quantile
from aether_tui.text import one_line

Record = dict[str, Value]
SLOWEST = 10


# --- What is printed ------------------------------------------------------------------------------------------------


class Slow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A slow test case."""

    name: str
    classname: str
    duration_s: float
    package: str = ""


class Suite(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Counts of one suite in one report; `duration_s` is null when no case says how long it took."""

    suite: str
    tests: int
    failed: int
    errors: int
    skipped: int
    flaky: int
    duration_s: float | None
    partial: bool
    package: str = ""
    """Of a monorepo: the folder the report lies in, or the suite's name where that is a package's; empty elsewhere."""


class Tests(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All test reports together. `duration_s` sums the cases; null when none says how long it took."""

    files: int
    suites: int
    tests: int
    passed: int
    failed: int
    errors: int
    skipped: int
    flaky: int
    duration_s: float | None
    partial: bool
    by_suite: tuple[Suite, ...]
    slowest: tuple[Slow, ...]
    problems: tuple[str, ...]


class Project(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One project of an estimate, or one environment of a bill. Money is text: exact."""

    name: str
    environment: str
    monthly_cost: Decimal | None
    past_monthly_cost: Decimal | None
    errors: tuple[str, ...]


class Resource(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a Terraform plan does to one resource: create, update, delete or replace."""

    address: str
    type: str
    action: str


class Cost(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Monthly cost. Of a plan: before and after the change; of a bill: the month before and the latest month."""

    currency: str | None
    past_monthly_cost: Decimal | None
    monthly_cost: Decimal | None
    diff_monthly_cost: Decimal | None
    projects: tuple[Project, ...]
    problems: tuple[str, ...]
    changes: tuple[Resource, ...] = ()
    """What Terraform plans change; they have no prices."""


class Workflow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Runs of one workflow on one branch; durations are wall clock, in seconds."""

    repo: str
    workflow: str
    branch: str
    event: str
    runner: str
    runs: int
    p50_s: float | None
    samples_s: tuple[float, ...]
    created: tuple[datetime, ...] = ()
    """When each of the samples was requested (naive UTC)."""
    run_s: tuple[float | None, ...] = ()
    """Started to finished, of each of the samples."""
    queue_s: tuple[float | None, ...] = ()
    """Requested to started, of each of the samples."""
    shas: tuple[str, ...] = ()
    """The commit of each of the samples, empty where not known."""
    job: str = ""
    """In `by_job`: the job's name without what a matrix adds; empty for whole runs."""


class Pipelines(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Concluded runs; `excluded` were cancelled, skipped or still running. Quantiles are nearest rank."""

    runs: int
    excluded: int
    p50_s: float | None
    p85_s: float | None
    queue_p50_s: float | None
    by_workflow: tuple[Workflow, ...]
    problems: tuple[str, ...]
    by_job: tuple[Workflow, ...] = ()
    """The jobs of those runs; jobs of one matrix are one, from its first start to its last end."""


class Scenario(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tasks of one scenario; medians per task, latency per task and per turn."""

    scenario: str
    environment: str
    model: str
    tasks: int
    tokens_p50: float | None
    cost_p50: float | None
    latency_p50_s: float | None
    turn_latency_p50_s: float | None
    tokens: tuple[float, ...]
    cost: tuple[float, ...]
    turn_latency_s: tuple[float, ...]
    usage: tuple[Used, ...] = ()
    """Priced calls by model, so that they can be priced again."""
    usd: float | None = None
    """What those calls cost."""


class Tokens(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tasks (traces) and their spans; `unpriced` counts tasks with a model call that has no price."""

    tasks: int
    spans: int
    by_scenario: tuple[Scenario, ...]
    unpriced: int
    problems: tuple[str, ...]


class Bench(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One benchmark on one kind of machine; each sample is the median of one report, in seconds."""

    name: str
    runner: str
    p50_s: float
    failed: bool
    samples_s: tuple[float, ...]


class Benchmarks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Benchmark reports; `failed` ones had a run that exited with an error."""

    reports: int
    by_benchmark: tuple[Bench, ...]
    problems: tuple[str, ...]


Measurement = Tests | Cost | Pipelines | Tokens | Benchmarks


# --- Reading --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Records:
    """Rows of files by table, derived columns included, and sentences about what could not be read."""

    rows: dict[str, list[Record]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def measure_tests(paths: Sequence[Path]) -> Tests:
    """Counts, durations and the slowest cases of JUnit reports. A report that is not one raises Malformed."""
    from connectors.files import name_of, open_binary
    from connectors.junit import DEFAULT_SUITE, read_junit

    results = []
    for path in paths:
        with open_binary(path) as stream:
            results.append((read_junit(stream, name_of(path), packages=True), package_of(path)))
    totals = [result.total for result, _ in results]
    cases = [(case, package) for one, package in results for case in one.slowest]
    slowest = sorted(cases, key=lambda found: -(found[0].duration_s or 0))[:SLOWEST]
    return Tests(
        files=len(results),
        suites=sum(one.suites for one, _ in results),
        tests=sum(one.tests for one in totals),
        passed=sum(one.passed for one in totals),
        failed=sum(one.failed for one in totals),
        errors=sum(one.errors for one in totals),
        skipped=sum(one.skipped for one in totals),
        flaky=sum(one.flaky for one in totals),
        duration_s=_seconds([one.duration_s for one in totals]),
        partial=any(one.partial for one, _ in results),
        by_suite=tuple(
            Suite(
                suite=label.partition("\t")[0] or DEFAULT_SUITE,
                tests=part.tests,
                failed=part.failed,
                errors=part.errors,
                skipped=part.skipped,
                flaky=part.flaky,
                duration_s=_seconds([part.duration_s]),
                partial=one.partial,
                package=one_line(label.partition("\t")[2] or package),
            )
            for one, package in results
            for label, part in one.by_suite.items()
        ),
        slowest=tuple(
            Slow(
                name=one_line(case.name),
                classname=one_line(case.classname or ""),
                duration_s=case.duration_s or 0.0,
                package=one_line(case.suite.partition("\t")[2] or package),
            )
            for case, package in slowest
        ),
        problems=tuple(problem for one, _ in results for problem in one.problems),
    )


def _seconds(parts: Iterable[float | None]) -> float | None:
    """A sum of the known durations, to the microsecond: no tail of binary fractions in JSON."""
    known = [part for part in parts if part is not None]
    return round(math.fsum(known), 6) if known else None


def measure_cost(records: Records, changes: Sequence[Resource] = ()) -> Cost:
    """Monthly cost of estimates (Infracost) and bills (FOCUS); two currencies leave the totals null."""
    projects = [*_estimates(records.rows.get("cost_estimates", ())), *_bills(records.rows.get("costs", ()))]
    currencies = sorted({currency for currency, _ in projects})
    problems = list(records.problems)
    if len(currencies) > 1:
        problems.append(f"amounts in {' and '.join(currencies)} are not added up")
    whole = [project for _, project in projects] if len(currencies) == 1 else []
    now = _total(project.monthly_cost for project in whole)
    past = _total(project.past_monthly_cost for project in whole)
    return Cost(
        currency=currencies[0] if len(currencies) == 1 else None,
        past_monthly_cost=past,
        monthly_cost=now,
        diff_monthly_cost=_difference(now, past, new=not records.rows.get("costs")),
        projects=tuple(project for _, project in projects),
        problems=tuple(problems),
        changes=tuple(changes),
    )


def _difference(now: Decimal | None, past: Decimal | None, *, new: bool) -> Decimal | None:
    """What changed; a plan without a past is new and costs all of it, a bill without one has nothing to compare with."""
    if now is None or (past is None and not new):
        return None
    return now - (past or Decimal(0))


def _total(values: Iterable[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if known else None


def _estimates(rows: Iterable[Record]) -> Iterable[tuple[str, Project]]:
    for row in rows:
        errors = row["errors"]
        yield (
            _text(row["currency"]) or "USD",
            Project(
                name=_text(row["project"]),
                environment=_text(row["environment"]),
                monthly_cost=_money(row["monthly_cost"]),
                past_monthly_cost=_money(row["past_monthly_cost"]),
                errors=tuple(errors) if isinstance(errors, tuple | list) else (),
            ),
        )


def _bills(rows: Iterable[Record]) -> Iterable[tuple[str, Project]]:
    """Billed cost by environment: the latest month of the files, and the one before."""
    months: dict[tuple[str, str], dict[str, Decimal]] = {}
    for row in rows:
        start, billed = row["charge_start"], _money(row["billed_cost"])
        if isinstance(start, datetime) and billed is not None:
            by_month = months.setdefault((_text(row["currency"]) or "USD", _text(row["environment"])), {})
            month = f"{start:%Y-%m}"
            by_month[month] = by_month.get(month, Decimal(0)) + billed
    known = sorted({month for by_month in months.values() for month in by_month})
    for (currency, environment), by_month in sorted(months.items()):
        past = by_month.get(known[-2]) if len(known) > 1 else None
        name = environment or "no environment"
        latest = by_month.get(known[-1], Decimal(0))
        yield (
            currency,
            Project(name=name, environment=environment, monthly_cost=latest, past_monthly_cost=past, errors=()),
        )


@dataclass(slots=True)
class _Task:
    """One trace."""

    start: datetime | None = None
    end: datetime | None = None
    labels: dict[str, str] = field(default_factory=dict)
    tokens: int | None = None
    cost: Decimal | None = None
    turns: int = 0
    unpriced: bool = False
    usage: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """Calls, input, cached and output tokens by model and provider."""


def measure_tokens(records: Records, is_model_call: Callable[[Record], bool]) -> Tokens:
    """Tokens, cost and latency per task (trace) by scenario, the feature where there is none."""
    spans = records.rows.get("spans", [])
    tasks: dict[str, _Task] = {}
    for span in spans:
        _count(tasks.setdefault(_text(span["trace_id"]), _Task()), span, is_model_call)
    used = [task for task in tasks.values() if task.turns or task.tokens is not None]
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


def _count(task: _Task, span: Record, is_model_call: Callable[[Record], bool]) -> None:
    start, seconds = span["start"], span["duration_s"]
    if isinstance(start, datetime):
        end = start + timedelta(seconds=seconds if isinstance(seconds, int | float) else 0)
        task.start = start if task.start is None else min(task.start, start)
        task.end = end if task.end is None else max(task.end, end)
    for name in ("scenario", "feature", "environment", "model"):
        # The root speaks for the trace; without it, whoever says something first.
        if (value := _text(span[name])) and (span["parent_id"] is None or name not in task.labels):
            task.labels[name] = value
    if not is_model_call(span):
        return
    task.turns += span["operation"] != "embeddings"
    for name in ("input_tokens", "output_tokens"):
        if isinstance(count := span[name], int):
            task.tokens = (task.tokens or 0) + count
    cost = _money(span["cost_usd"])
    if cost is None:
        task.unpriced = task.unpriced or span["status"] != "error"
    else:
        task.cost = (task.cost or Decimal(0)) + cost
        sums = task.usage.setdefault((_text(span["model"]), _text(span["provider"])), [0, 0, 0, 0])
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
        tokens_p50=_quantile(tokens, 0.5),
        cost_p50=_quantile(cost, 0.5),
        latency_p50_s=_quantile([seconds for seconds, _ in took], 0.5),
        turn_latency_p50_s=_quantile(turn, 0.5),
        tokens=tuple(tokens),
        cost=tuple(cost),
        turn_latency_s=tuple(turn),
        usage=_usage(tasks),
        usd=float(sum((task.cost for task in tasks if task.cost is not None), Decimal(0))),
    )


def _quantile(values: Sequence[float], share: float) -> float | None:
    return quantile(values, share) if values else None


def _text(value: Value) -> str:
    return "" if value is None else str(value)


def _money(value: Value) -> Decimal | None:
    return value if isinstance(value, Decimal) else None if value is None else Decimal(str(value))


SURFACE: dict[type[Struct], Surface] = {
    Tests: "tests", Benchmarks: "tests", Cost: "cost", Pipelines: "ci", Tokens: "llm",
}  # fmt: skip
"""Which surface a measurement belongs to."""

"""What a measurement is: the numbers `measure` prints and `budget check` judges, and the rows they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from msgspec import Struct

from aether_tui.budgets.model import Surface, Used
from aether_tui.records.model import Value
from aether_tui.stats.ranks import quantile

Record = dict[str, Value]


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
    """All test reports together. `duration_s` sums the cases; null when none says how long it took. Files are of one run; of the cache
    all `runs` of a window are summed."""

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
    runs: int = 1


class Project(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One project of an estimate, or one environment of a bill: its latest month so far. Money is text: exact."""

    name: str
    environment: str
    monthly_cost: Decimal | None
    past_monthly_cost: Decimal | None
    """Of a plan: before the change; of a bill: as many days of the month before, null when not all of them are there."""
    errors: tuple[str, ...]
    currency: str = ""
    through: date | None = None
    """Of a bill: the last day it has charges of."""


class Resource(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a Terraform plan does to one resource: create, update, delete or replace."""

    address: str
    type: str
    action: str


class Cost(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Monthly cost. Of a plan: before and after the change; of a bill: the month so far, and as much of the one before."""

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


SURFACE: dict[type[Struct], Surface] = {
    Tests: "tests", Benchmarks: "tests", Cost: "cost", Pipelines: "ci", Tokens: "llm",
}  # fmt: skip
"""Which surface a measurement belongs to."""


@dataclass(slots=True)
class Records:
    """Rows of files by table, derived columns included, and sentences about what could not be read."""

    rows: dict[str, list[Record]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def text_of(value: Value) -> str:
    """A label; empty where there is none."""
    return "" if value is None else str(value)


def money_of(value: Value) -> Decimal | None:
    """An exact amount; None where there is none."""
    return value if isinstance(value, Decimal) else None if value is None else Decimal(str(value))


def quantile_of(values: Sequence[float], share: float) -> float | None:
    """The nearest-rank quantile; None of nothing."""
    return quantile(values, share) if values else None

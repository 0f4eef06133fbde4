"""Every daily rollup as series: a metric of a segment by day, and the parts it is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, cast

from aether_tui.diagnostics.frame import Clock, Data, Parameter, Question, Record, real, text, whole
from aether_tui.stats.intervals import nearest_rank
from aether_tui.text import one_line

DAYS = 120
"""Days of history a change is looked for in; enough for a step before and after the window."""
MOST_SEGMENTS = 20
"""Largest segments of a metric that are looked at."""
LEAST_P95 = 20
"""Observations of a day under which its p95 is its maximum, and no value."""
_BITS, _COUNT, _NOUGHT = 40, (1 << 40) - 1, -10_000
"""How many bits of a cell are its count, which ones, and the bucket of durations of nought."""

Better = Literal["higher", "lower", ""]


@dataclass(frozen=True, slots=True)
class Metric:
    """A daily number: `top` summed over `bottom` summed, or `top` summed. `surface` names the budgets that may cover it."""

    id: str
    title: str
    unit: str
    better: Better
    top: str
    bottom: str = ""
    surface: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A query of day, dimensions and amounts. `by` pairs a segment with the dimension its parts are told by."""

    query: str
    by: tuple[tuple[str, str], ...]
    metrics: tuple[Metric, ...]


SOURCES: tuple[Source, ...] = (
    Source("changed_llm", (("feature", "model"), ("model", "feature")), (
        Metric("llm.cost", "model cost", "USD", "lower", "cost", surface="llm"),
        Metric("llm.calls", "model calls", "count", "", "calls"),
        Metric("llm.tokens", "tokens", "tokens", "", "tokens", surface="llm"),
        Metric("llm.errors", "share of failed model calls", "ratio", "lower", "errors", "calls"),
    )),
    Source("changed_tasks", (("scenario", "model"),), (
        Metric("task.success", "task success", "ratio", "higher", "succeeded", "judged", surface="llm"),
        Metric("task.tokens", "tokens per task", "tokens/task", "lower", "tokens", "tasks", surface="llm"),
        Metric("task.cost", "cost per task", "USD/task", "lower", "cost", "costed", surface="llm"),
    )),
    Source("changed_cost", (("environment", "service"), ("service", "environment")), (
        Metric("cost.billed", "billed cost per day", "money", "lower", "billed", surface="cost"),
    )),
    Source("changed_ci", (("workflow", "event"),), (
        Metric("ci.failures", "share of failed CI runs", "ratio", "lower", "failures", "runs", surface="ci"),
        Metric("ci.runs", "CI runs", "count", "", "runs"),
    )),
    Source("changed_tests", (("suite", "repo"),), (
        Metric("tests.count", "tests per run", "count", "", "tests", "runs"),
        Metric("tests.failed", "failed tests per run", "count", "lower", "failed", "runs", surface="tests"),
        Metric("tests.flaky", "flaky tests per run", "count", "lower", "flaky", "runs", surface="tests"),
    )),
    Source("changed_flow", (("team", "type"),), (
        Metric("flow.arrivals", "items that arrive", "count", "", "arrivals"),
        Metric("flow.throughput", "items done", "count", "higher", "departures"),
        Metric("flow.wip", "work in progress", "count", "lower", "wip"),
    )),
    Source("changed_delivery", (("service", "environment"),), (
        Metric("delivery.deployments", "deployments", "count", "higher", "deployments"),
        Metric("delivery.failed", "share of failed deployments", "ratio", "lower", "failed", "deployments"),
    )),
)  # fmt: skip

DURATIONS: dict[str, tuple[Metric, float]] = {
    "task_latency": (Metric("latency.task", "task latency p95", "s", "lower", "p95", surface="llm"), 0.95),
    "llm_latency": (Metric("latency.model", "model latency p95", "s", "lower", "p95"), 0.95),
    "first_token": (Metric("latency.first", "time to first token p95", "s", "lower", "p95"), 0.95),
    "ci_wall": (Metric("ci.duration", "CI duration p50", "s", "lower", "p50", surface="ci"), 0.5),
    "ci_queue": (Metric("ci.queue", "CI queue p50", "s", "lower", "p50", surface="ci"), 0.5),
    "test_suite": (Metric("tests.duration", "suite duration p50", "s", "lower", "p50", surface="tests"), 0.5),
    "cycle_time": (Metric("flow.cycle", "cycle time p50", "s", "lower", "p50"), 0.5),
    "pr_lead_time": (Metric("delivery.lead", "pull request lead time p50", "s", "lower", "p50"), 0.5),
}
"""Kinds of `duration_hist`, and the percentile of a day they are followed by."""


@dataclass(slots=True)
class Course:
    """One metric of one segment, a value per day from `start` on (None: nothing measured); `parts` hold (top, bottom) by day."""

    metric: Metric
    by: str
    segment: str
    part_by: str
    start: datetime
    values: list[float | None]
    parts: dict[str, dict[int, tuple[float, float]]] = field(default_factory=dict)
    volume: float = 0.0

    @property
    def id(self) -> str:
        """`llm.tokens.feature.refunds`: stable, and what a commitment or a budget may name."""
        return f"{self.metric.id}.{self.by}.{self.segment}"

    @property
    def title(self) -> str:
        """`refunds, model cost`."""
        return f"{self.segment}, {self.metric.title}"

    def day(self, at: int) -> datetime:
        """The day of an index."""
        return self.start + timedelta(days=at)


def courses(data: Data, clock: Clock, currency: str) -> list[Course]:
    """All series of whole days up to the window's end; the running day is left out, it is not over. Made once for every report."""
    return data.once("courses", clock, currency, lambda: _courses(data, clock, currency))


def _courses(data: Data, clock: Clock, currency: str) -> list[Course]:
    asked = questions(clock, currency)
    data.together(*asked)
    since = midnight(clock.window.end) - timedelta(days=DAYS)
    *summed, timed = (data.rows(name, **params) for name, params in asked)
    made = [one for rows, source in zip(summed, SOURCES, strict=True) for one in _pivoted(rows, source, since)]
    return made + _durations(timed, since)


def questions(clock: Clock, currency: str) -> tuple[Question, ...]:
    """One question a source, then the one of durations; all can be asked at once."""
    until = midnight(clock.window.end)
    span: dict[str, Parameter] = {"since_day": until - timedelta(days=DAYS), "until_day": until}
    params = {**span, "currency": currency, "kinds": list(DURATIONS)}
    return tuple((name, params) for name in (*(source.query for source in SOURCES), "changed_durations"))


def midnight(moment: datetime) -> datetime:
    """The day of a moment, as rows carry it: naive, in UTC."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)


def _pivoted(rows: Sequence[Record], source: Source, since: datetime) -> list[Course]:
    days = [_index(row, since) for row in rows]
    names = {name for metric in source.metrics for name in (metric.top, metric.bottom) if name}
    amounts = {name: [real(row[name]) for row in rows] for name in names}
    known = min(days, default=0), max(days, default=-1)
    made: list[Course] = []
    for by, part_by in source.by:
        keys = [(text(row[by]), text(row[part_by])) for row in rows]
        for metric in source.metrics:
            bottoms = amounts[metric.bottom] if metric.bottom else [0.0] * len(rows)
            made += _pivot(
                zip(keys, days, amounts[metric.top], bottoms, strict=True), metric, by, part_by, since, known
            )
    return made


def _pivot(
    cells: Iterable[tuple[tuple[str, str], int, float, float]], metric: Metric, by: str, part_by: str, since: datetime,
    known: tuple[int, int],
) -> list[Course]:  # fmt: skip
    groups: dict[str, dict[str, dict[int, tuple[float, float]]]] = defaultdict(lambda: defaultdict(dict))
    for (segment, part), at, top, bottom in cells:
        if segment:
            found = groups[segment][part]
            old = found.get(at)
            found[at] = (top, bottom) if old is None else (old[0] + top, old[1] + bottom)
    made = [_course(metric, by, segment, part_by, since, parts, known) for segment, parts in groups.items()]
    return sorted(made, key=lambda one: (-one.volume, one.segment))[:MOST_SEGMENTS]


def _course(
    metric: Metric, by: str, segment: str, part_by: str, since: datetime,
    parts: Mapping[str, Mapping[int, tuple[float, float]]], known: tuple[int, int],
) -> Course:  # fmt: skip
    """Days without a row are none of an amount, and no value of a share; before the `known` days, the first and the last of the
    source, nothing was measured."""
    first, last = known
    tops, bottoms = [0.0] * (last + 1), [0.0] * (last + 1)
    for days in parts.values():
        for at, (top, bottom) in days.items():
            tops[at] += top
            bottoms[at] += bottom
    volume = sum(bottoms if metric.bottom else tops)
    ratios = [top / bottom if bottom else None for top, bottom in zip(tops, bottoms, strict=True)]
    values: list[float | None] = ratios if metric.bottom else [*[None] * first, *tops[first:]]
    told = {one_line(name, 80) or f"no {part_by}": dict(days) for name, days in parts.items()}
    return Course(metric, by, one_line(segment, 80), part_by, since, values, told, volume)


def _durations(rows: Sequence[Record], since: datetime) -> list[Course]:
    found: dict[tuple[str, str], dict[int, tuple[float, float]]] = defaultdict(dict)
    for row in rows:
        kind, n = text(row["kind"]), whole(row["n"])
        part = DURATIONS[kind][1]
        if text(row["segment"]) and (part == 0.5 or n >= LEAST_P95):
            at = _at_rank(cast("list[int]", row["cells"]), nearest_rank(n, part))
            found[kind, text(row["segment"])][_index(row, since)] = (at, n)
    made = []
    for (kind, segment), days in found.items():
        values = [days[at][0] if at in days else None for at in range(max(days) + 1)]
        volume = sum(n for _, n in days.values())
        made.append(Course(DURATIONS[kind][0], "segment", one_line(segment, 80), "", since, values, {}, volume))
    kept: list[Course] = []
    for kind in DURATIONS:
        own = [one for one in made if one.metric is DURATIONS[kind][0]]
        kept += sorted(own, key=lambda one: (-one.volume, one.segment))[:MOST_SEGMENTS]
    return kept


def _at_rank(cells: Iterable[int], rank: int) -> float:
    """The value of that rank, from cells as the query packs them: the geometric midpoint of its bucket, which is 2 % wide."""
    bucket, left = _NOUGHT, rank
    for cell in sorted(cells):
        left -= cell & _COUNT
        if left <= 0:
            bucket = cell >> _BITS
            break
    return 0.0 if bucket == _NOUGHT else 1.02 ** (bucket + 0.5)


def _index(row: Record, since: datetime) -> int:
    day = row["day"]
    assert isinstance(day, datetime)
    return (day - since).days

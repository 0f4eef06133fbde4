"""What production did in the window, trace by trace: the newest, those that stand out, groups, and how agents loop."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from msgspec import Struct, structs

from aether_tui.diagnostics import metrics
from aether_tui.diagnostics.constraint_indicators import Indicator, indicators
from aether_tui.diagnostics.frame import (
    Clock,
    Data,
    Parameter,
    Record,
    instant,
    real,
    real_or_null,
    text,
    whole,
    whole_or_null,
    words_or_null,
)
from aether_tui.diagnostics.gaps import traceless
from aether_tui.diagnostics.sampling import DRAWN, MOMENTS, ahead, looked_for
from aether_tui.human import amount, evidence, plural
from aether_tui.report_model import (
    Block,
    Cell,
    Col,
    Fact,
    Facts,
    Finding,
    Prose,
    Quantity,
    Report,
    Row,
    State,
    Table,
    missing,
)
from aether_tui.stats.intervals import wilson
from aether_tui.text import one_line
from aether_tui.workspace.documents import Documents

NEWEST = 20
GROUPED = 12
TOP = 5
"""Tasks that are named in each way of standing out."""
ERRING = 10
"""Tasks whose retries are counted: those with the most errors."""
ATTRIBUTES = ("feature", "team", "model", "environment", "scenario", "cluster", "status")
FIRST_CALL = "Model: of the first call of a trace; cost: of all its calls"
LOOPS = ("context", "loop", "latency")
"""Categories of the constraint diagnosis that are about how an agent goes about its task."""

COLUMNS = (
    Col(key="start", title="start", priority=10),
    Col(key="feature", title="feature", width=14, priority=8),
    Col(key="model", title="model", width=18, priority=5),
    Col(key="duration", title="duration", kind="number", priority=9),
    Col(key="turns", title="turns", kind="number", priority=7),
    Col(key="calls", title="calls", kind="number", priority=4),
    Col(key="tokens", title="tokens", kind="number", priority=6),
    Col(key="cost", title="cost", kind="number", priority=9),
    Col(key="status", title="status", priority=8),
    Col(key="outcome", title="outcome", priority=6),
    Col(key="cluster", title="cluster", width=16, priority=5),
)
SORTS = (
    "start",
    "feature",
    "model",
    "duration_s",
    "turns",
    "calls",
    "tokens",
    "cost_usd",
    "status",
    "outcome",
    "cluster",
)
"""Columns of the list as the explorer sorts them, in the order of `COLUMNS`."""


class Task(Struct, frozen=True, kw_only=True):
    """One trace as its rollup knows it; null is what no span says."""

    trace: str
    source: str
    start: datetime
    duration_s: float | None
    turns: int
    calls: int
    tokens: int | None
    cost_usd: float | None
    status: str
    errors: int
    outcome: str | None
    dimensions: dict[str, str | None]


class Group(Struct, frozen=True, kw_only=True):
    """Tasks that share a value of an attribute; null is those without one."""

    attribute: str
    shared: str | None
    n: int
    failed: int
    cost_usd: float | None
    tokens: int | None
    p50_s: float | None
    p95_s: float | None
    turns: float


class Traces(Struct, frozen=True, kw_only=True):
    """The window: all tasks, the newest, the top lists, groups by attribute, and the loop indicators."""

    all: Group | None
    newest: tuple[Task, ...]
    top: dict[str, tuple[Task, ...]]
    retries: dict[str, int]
    groups: dict[str, tuple[Group, ...]]
    loops: tuple[Indicator, ...]


def build(data: Data, documents: Documents, clock: Clock) -> Report[Traces]:
    """The report."""
    found = measure(data)
    return Report(
        report="traces",
        title="Traces",
        as_of=clock.now,
        window=clock.window,
        data=found,
        headline=_headline(found),
        findings=_findings(found),
        freshness=data.freshness(),
        blocks=_blocks(found, data),
    )


def measure(data: Data) -> Traces:
    """Everything the report says."""
    live = data.live()
    data.together(
        "traces_edges",
        "constraint_edges",
        "constraint_clusters",
        sample_size={"live": live},
        traces_newest={"n": NEWEST},
    )
    standing = _standing(data)
    data.together(**ahead(data, looked_for(DRAWN), live), traces_top=standing, traces_errors=standing)
    found = indicators(data, traces_groups={}, **_retries(data))
    loops = tuple(one for one in found if one.id.partition(".")[0] in LOOPS)
    retried = _retried(data)
    top: dict[str, tuple[Task, ...]] = {}
    for row in sorted([*data.rows("traces_top", **standing), *retried], key=lambda row: whole(row["place"])):
        kind = text(row["kind"])
        top[kind] = (*top.get(kind, ()), task_of(row))[:TOP]
    groups = [group_of(row) for row in data.rows("traces_groups")]
    everything = next((one for one in groups if not one.attribute), None)
    return Traces(
        all=everything if everything is not None and everything.n else None,
        newest=tuple(map(task_of, data.rows("traces_newest", n=NEWEST))),
        top=top,
        retries={text(row["trace_id"]): whole(row["retries"]) for row in retried},
        groups={
            name: tuple(one for one in groups if one.attribute == name)
            for name in ATTRIBUTES
            if any(one.attribute == name and one.shared is not None for one in groups)
        },
        loops=loops,
    )


def _standing(data: Data) -> dict[str, Parameter]:
    """What a task must have to stand out: parameters of `traces_top` and `traces_errors`."""
    unknown = dict.fromkeys(("slowest", "dearest", "longest", "failing"))
    return {**next(iter(data.rows("traces_edges")), unknown), "most": ERRING}


def _retries(data: Data) -> dict[str, dict[str, Parameter]]:
    """What counts the retries of the tasks with the most errors; nothing where none has any."""
    rows = data.rows("traces_errors", **_standing(data))
    if not rows:
        return {}
    begins, reaches = (cast("list[datetime]", [row[edge] for row in rows]) for edge in ("begins", "reaches"))
    return {"traces_retries": {"ids": [text(row["trace_id"]) for row in rows], "begins": begins, "reaches": reaches}}


def _retried(data: Data) -> list[Record]:
    """The five tasks with the most retries of those with the most errors; nobody retries more often than something fails."""
    rows = data.rows("traces_errors", **_standing(data))
    counted = [row for name, asked in _retries(data).items() for row in data.rows(name, **asked)]
    retries = {(row["source"], row["trace_id"]): whole(row["retries"]) for row in counted}
    found = [
        {**row, "place": 4, "kind": "most retries", "retries": retries[row["source"], row["trace_id"]]}
        for row in rows
        if (row["source"], row["trace_id"]) in retries
    ]
    return sorted(found, key=lambda row: (-whole(row["retries"]), text(row["trace_id"])))[:TOP]


def task_of(cells: Record) -> Task:
    """One row of the list."""
    start = instant(cells["start"])
    assert start is not None
    return Task(
        trace=text(cells["trace_id"]),
        source=text(cells["source"]),
        start=start,
        duration_s=real_or_null(cells["duration_s"]),
        turns=whole(cells["turns"]),
        calls=whole(cells["calls"]),
        tokens=whole_or_null(cells["tokens"]),
        cost_usd=real_or_null(cells["cost_usd"]),
        status=text(cells["status"]),
        errors=whole(cells["errors"]),
        outcome=words_or_null(cells["outcome"], 120),
        dimensions={
            name: words_or_null(cells[name], 120)
            for name in ("feature", "team", "model", "environment", "scenario", "service", "cluster")
        },
    )


def group_of(row: Record) -> Group:
    """One row of a grouping."""
    return Group(
        attribute=text(row["attribute"]),
        shared=words_or_null(row["value"], 120) if row["attribute"] else None,
        n=whole(row["n"]),
        failed=whole(row["failed"]),
        cost_usd=real_or_null(row["cost_usd"]),
        tokens=whole_or_null(row["tokens"]),
        p50_s=real_or_null(row["p50_s"]),
        p95_s=real_or_null(row["p95_s"]),
        turns=real(row["turns"]),
    )


# --- Words --------------------------------------------------------------------------------------------------------


def _headline(found: Traces) -> str:
    every = found.all
    if every is None:
        return "No trace is in view."
    cost = "" if every.cost_usd is None else f", {amount(every.cost_usd, 'USD')}"
    return f"{plural(every.n, 'trace')}, {100 * every.failed / every.n:.0f} % failed{cost}."


def _findings(found: Traces) -> tuple[Finding, ...]:
    """The value of an attribute that fails most beyond what chance explains."""
    every = found.all
    if every is None or not every.failed:
        return ()
    worst = [
        (wilson(one.failed, one.n)[0], one)
        for groups in (found.groups.get(name, ()) for name in ("feature", "model", "cluster"))
        for one in groups
        if one.shared is not None and one.n >= 20 and wilson(one.failed, one.n)[0] > every.failed / every.n
    ]
    if not worst:
        return ()
    low, one = max(worst, key=lambda pair: (pair[0], pair[1].attribute))
    high = wilson(one.failed, one.n)[1]
    return (
        Finding(
            id="traces.failing",
            severity="warn",
            text=f"{one.attribute} {one.shared} fails {100 * one.failed / one.n:.0f} % of the time, "
            f"all traces {100 * every.failed / every.n:.0f} %.",
            evidence=(
                f"[{100 * low:.0f}–{100 * high:.0f} %] n {one.n:,}; failed: by status or outcome",
                f"aether-tui traces --failed {one.attribute}={one.shared}",
            ),
        ),
    )


def _blocks(found: Traces, data: Data) -> tuple[Block, ...]:
    every = found.all
    if every is None:
        gap = traceless(data, "traces.list", "Traces")
        step = (
            "press enter to connect one; `aether-tui receive` takes traces over OTLP, `aether-tui load PATH` from files"
        )
        return (structs.replace(gap, next_step=step) if gap.action else gap,)
    tasks = sum(map(len, found.top.values()))
    return (
        _facts(every),
        list_table(found.newest, "Newest traces", f"{every.n:,} in the window"),
        *([_top(found)] if tasks else []),
        *(groups_table(name, groups) for name, groups in found.groups.items()),
        _loops(found.loops),
        Prose(
            id="traces.how",
            text="A trace failed when its root has an error or its outcome is failure. A retry follows a failed span of the same "
            f"name under the same parent, counted in the {ERRING} traces with the most errors.",
        ),
    )


def _facts(every: Group) -> Facts:
    low, high = wilson(every.failed, every.n)
    return Facts(
        id="traces.facts",
        facts=(
            Fact(id="n", label="traces", value=Quantity(value=every.n, unit="count"), why=metrics.why("traces.n")),
            Fact(id="failed", label="failed",
                 value=Quantity(value=every.failed / every.n, unit="ratio", n=every.n, low=low, high=high),
                 why=metrics.why("traces.failed")),
            Fact(id="p50", label="p50", value=_quantity(every.p50_s, "s"), why=metrics.why("traces.p50")),
            Fact(id="p95", label="p95", value=_quantity(every.p95_s, "s"), why=metrics.why("traces.p95")),
            Fact(id="cost", label="cost", value=_quantity(every.cost_usd, "USD"), why=metrics.why("traces.cost")),
        ),
    )  # fmt: skip


def _quantity(value: float | None, unit: str) -> Quantity:
    return missing("no span says", unit=unit) if value is None else Quantity(value=value, unit=unit)


def list_table(tasks: Sequence[Task], title: str, note: str, empty: str = "No trace matches.") -> Table:
    """The explorer's list."""
    return Table(
        id="traces.list",
        title=title,
        note=note,
        why=metrics.why("traces.list"),
        columns=COLUMNS,
        rows=tuple(map(task_row, tasks)),
        empty=empty,
    )


def task_row(one: Task) -> Row:
    """A trace as a row; its id is the trace's."""
    others = [value for name in ("team", "environment", "scenario") if (value := one.dimensions[name])]
    failed = one.status == "error" or one.outcome == "failure"
    state: State = "block" if failed else "info"
    return Row(id=one.trace, cells=_cells(one), state=state, detail=" · ".join((one_line(one.trace, 80), *others)))


def _cells(one: Task) -> tuple[Cell, ...]:
    return (
        f"{one.start:%m-%d %H:%M:%S}", one.dimensions["feature"] or "—", one.dimensions["model"] or "—",
        _quantity(one.duration_s, "s"), one.turns, one.calls,
        missing("no span says", unit="tokens") if one.tokens is None else one.tokens,
        _quantity(one.cost_usd, "USD"), "error" if one.status == "error" else "failed" if one.outcome == "failure" else "ok",
        one.outcome or "—", one.dimensions["cluster"] or "—",
    )  # fmt: skip


def _top(found: Traces) -> Table:
    def row(kind: str, one: Task) -> Row:
        made = task_row(one)
        why = f"{kind} ({found.retries.get(one.trace, 0)})" if kind == "most retries" else kind
        return Row(id=f"{kind}/{made.id}", cells=(why, *made.cells), state=made.state, detail=made.detail)

    return Table(
        id="traces.top",
        title="Traces that stand out",
        why=metrics.why("traces.top"),
        columns=(Col(key="why", title="because", priority=10), *COLUMNS),
        rows=tuple(row(kind, one) for kind, tasks in found.top.items() for one in tasks),
    )


def groups_table(name: str, groups: Sequence[Group]) -> Table:
    """Traces by the values of an attribute."""
    left = len(groups) - GROUPED
    return Table(
        id=f"traces.by-{name}",
        title=f"By {name}",
        note=". ".join([f"{left} more"] * (left > 0) + [FIRST_CALL] * (name == "model")),
        why=metrics.why("traces.groups"),
        columns=(
            Col(key="value", title=name, width=24, priority=10),
            Col(key="n", title="traces", kind="number", priority=9),
            Col(key="failed", title="failed", kind="number", priority=9),
            Col(key="p50", title="p50", kind="number", priority=6),
            Col(key="p95", title="p95", kind="number", priority=7),
            Col(key="turns", title="turns", kind="number", priority=5),
            Col(key="cost", title="cost", kind="number", priority=8),
        ),
        rows=tuple(
            Row(
                id=one.shared or "—",
                cells=(one.shared or "— (none)", one.n, Quantity(value=one.failed / one.n, unit="ratio", n=one.n),
                       _quantity(one.p50_s, "s"), _quantity(one.p95_s, "s"), Quantity(value=one.turns, unit=""),
                       _quantity(one.cost_usd, "USD")),
                detail=f"aether-tui traces {name}={one.shared}" if one.shared else "",
            )
            for one in groups[:GROUPED]
        ),
    )  # fmt: skip


def _loops(loops: Sequence[Indicator]) -> Table:
    return Table(
        id="traces.loops",
        title="How agents go about their tasks",
        note=f"from a repeatable sample of {DRAWN}, of many tasks from {MOMENTS} moments of the window",
        columns=(
            Col(key="name", title="indicator", priority=10),
            Col(key="value", title="now", kind="number", priority=9),
            Col(key="evidence", title="evidence", priority=6),
        ),
        rows=tuple(
            Row(
                id=one.id,
                cells=(one.name, one.value, evidence(one.value)),
                detail="\n".join((f"{one.category}: {one.means}", *(f"trace {name}" for name in one.traces[:3]))),
                why=one.why("traces"),
            )
            for one in loops
        ),
    )

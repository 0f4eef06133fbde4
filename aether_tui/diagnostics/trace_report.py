"""One trace as a report: its tree with durations on its own time axis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec import Struct

from aether_tui.diagnostics import metrics, scores
from aether_tui.diagnostics.frame import (
    Data,
    Record,
    instant,
    real,
    real_or_null,
    text,
    whole,
    whole_or_null,
    words_or_null,
)
from aether_tui.diagnostics.trace_tree import Node, Span, Tree, build_tree
from aether_tui.errors import NoData
from aether_tui.human import amount, money, plural
from aether_tui.report_model import (
    Block,
    Cell,
    Col,
    Fact,
    Facts,
    Finding,
    Gap,
    Prose,
    Quantity,
    Report,
    Row,
    State,
    Table,
    Window,
    missing,
    worst_first,
)
from aether_tui.text import one_line

DRAWN = 2_000
"""Spans of one trace that are drawn; JSON holds as many."""
FAILED = 50
BAR = 14
DEEPEST = 8
COLUMNS = (
    Col(key="span", title="span", width=34, priority=10),
    Col(key="bar", title="when", width=BAR, priority=9),
    Col(key="duration", title="duration", kind="number", priority=9),
    Col(key="tokens", title="tokens", kind="number", priority=6),
    Col(key="cost", title="USD", kind="number", priority=7),
    Col(key="notes", title="notes", width=26, priority=8),
)
WORDS = {
    "orphan": "? parent not here",
    "cycle": "? parents in a circle",
    "skew": "▲ begins before its parent",
    "parallel": "∥ parallel",
    "repeat": "≡ same request again",
    "loop": "↺ loop",
}


class Trace(Struct, frozen=True, kw_only=True):
    """One trace: what the rollup says of it, and its spans as a tree (at most `DRAWN`; `spans` counts all of them)."""

    trace: str
    source: str
    start: datetime
    duration_s: float | None
    status: str
    outcome: str | None
    dimensions: dict[str, str | None]
    turns: int
    calls: int
    tool_calls: int
    errors: int
    tokens: int | None
    cost_usd: float | None
    unpriced_calls: int
    spans: int
    marks: dict[str, int]
    without_tokens: int
    duplicates: int
    serial_share: float | None
    nodes: tuple[Node, ...]
    failed_beyond: tuple[Node, ...] = ()
    """The first `FAILED` failed spans that are not among `nodes`."""
    scores: tuple[scores.Score, ...] = ()


def read_trace(data: Data, trace: str, source: str | None = None, begun: datetime | None = None) -> Trace:
    """The trace of that id; the rollup's row stays when retention has taken its spans. Raises NoData for an unknown id.

    `begun`: when it began, where that is known, so that nothing else is looked at.
    """
    tasks = data.rows("explorer_task", trace=trace, source=source, begun=begun)
    if not tasks:
        raise NoData(
            f"no trace {one_line(trace, 80)!r}", where="the cache", next_step="`aether-tui traces` lists what there is"
        )
    task = tasks[0]
    at = instant(task["start"])
    assert at is not None
    last = at + timedelta(seconds=min(real(task["duration_s"]), 1e9) + 1)
    rows = data.rows("explorer_trace", trace=trace, source=text(task["source"]), first=at, last=last)
    tree = build_tree(map(_span, rows))
    return Trace(
        trace=trace,
        source=text(task["source"]),
        start=at,
        duration_s=real_or_null(task["duration_s"]),
        status=text(task["status"]),
        outcome=words_or_null(task["outcome"], 200),
        dimensions={
            name: words_or_null(task[name], 200) for name in ("feature", "team", "environment", "scenario", "cluster")
        },
        turns=whole(task["turns"]),
        calls=whole(task["calls"]),
        tool_calls=whole(task["tool_calls"]),
        errors=whole(task["errors"]),
        tokens=whole_or_null(task["tokens"]),
        cost_usd=real_or_null(task["cost_usd"]),
        unpriced_calls=whole(task["unpriced_calls"]),
        spans=len(tree.nodes),
        marks=_marks(tree),
        without_tokens=sum(_without_tokens(node.span) for node in tree.nodes),
        duplicates=tree.duplicates,
        serial_share=tree.serial_share,
        nodes=tree.nodes[:DRAWN],
        failed_beyond=tuple(node for node in tree.nodes[DRAWN:] if node.span.status == "error")[:FAILED],
        scores=scores.of_trace(data, trace),
    )


def report(data: Data, trace: str, source: str | None = None, begun: datetime | None = None) -> Report[Struct]:
    """The report of one trace; `begun` as `read_trace`. Raises NoData for an unknown id."""
    found = read_trace(data, trace, source, begun)
    return Report(
        report="trace",
        title=f"Trace {one_line(trace, 80)}",
        as_of=data.clock.now,
        window=window_of(found),
        data=found,
        headline=headline(found),
        findings=_findings(found),
        blocks=(_facts(found), _tree(found), *_failed(found), *scores.table_of(found.scores)),
        details={
            f"{block}/{node.span.span_id}": (Prose(id="about", text=_detail(node)),)
            for block, nodes in (("trace.tree", found.nodes), ("trace.failed", found.failed_beyond))
            for node in nodes
        },
    )


def window_of(found: Trace) -> Window:
    """The trace's own time as a window."""
    end = found.start + timedelta(seconds=min(found.duration_s or 0.0, 1e9))
    return Window(start=found.start, end=end, label=f"{found.start.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")


def _span(row: Record) -> Span:
    return Span(
        span_id=text(row["span_id"]),
        parent_id=words_or_null(row["parent_id"], 200),
        name=one_line(text(row["name"]), 120),
        operation=words_or_null(row["operation"], 200),
        start_s=real(row["start_s"]),
        duration_s=real_or_null(row["duration_s"]),
        model=words_or_null(row["model"], 200),
        input_tokens=whole_or_null(row["input_tokens"]),
        output_tokens=whole_or_null(row["output_tokens"]),
        cost_usd=real_or_null(row["cost_usd"]),
        cost_status=words_or_null(row["cost_status"], 200),
        status=words_or_null(row["status"], 200),
        error_type=words_or_null(row["error_type"], 200),
        request_hash=words_or_null(row["request_hash"], 200),
        said=bool(row["said"]),
    )


def _marks(tree: Tree) -> dict[str, int]:
    counts: dict[str, int] = {}
    for node in tree.nodes:
        for mark in node.marks:
            counts[mark] = counts.get(mark, 0) + 1
    return counts


def _without_tokens(span: Span) -> bool:
    calls = span.model is not None and span.operation not in {"execute_tool", "tool", "invoke_agent", "agent", "chain"}
    return calls and span.input_tokens is None and span.output_tokens is None and span.status != "error"


# --- Words --------------------------------------------------------------------------------------------------------


def headline(found: Trace) -> str:
    """How long it took, its calls, its cost, how it ended."""
    took = "unknown duration" if found.duration_s is None else amount(found.duration_s, "s")
    cost = "no known cost" if found.cost_usd is None else amount(found.cost_usd, "USD")
    ended = {"success": ", ended in success", "failure": ", ended in failure"}.get(found.outcome or "", "")
    return f"{took}, {plural(found.calls, 'model call')}, {plural(found.tool_calls, 'tool call')}, {cost}{ended}."


def _findings(found: Trace) -> tuple[Finding, ...]:
    told = (
        ("repeat", "warn", "{n} made a request that had been made before in this trace, with the same input"),
        ("loop", "warn", "{n} in steps that recur three times or more in a row"),
        ("orphan", "info", "{n} with a parent that is not here: it was not sent, or is sampled away"),
        ("cycle", "warn", "{n} had parents in a circle, which is cut where it begins"),
        ("skew", "info", "{n} beginning before the parent: the clocks of two machines differ"),
    )
    parts = [
        Finding(id=f"trace.{mark}", severity="warn" if grave == "warn" else "info",
                text=words.format(n=plural(found.marks[mark], "span")) + ".")
        for mark, grave, words in told
        if found.marks.get(mark)
    ]  # fmt: skip
    counted = (
        ("duplicates", found.duplicates, "span", "came with an id that is taken; the first is drawn"),
        (
            "unpriced",
            found.unpriced_calls,
            "call",
            "without a known cost (no price, or no token counts): the total is a lower bound",
        ),
        ("tokens", found.without_tokens, "model call", "without token counts"),
    )
    parts += [
        Finding(id=f"trace.{name}", severity="info", text=f"{plural(n, what)} {words}.")
        for name, n, what, words in counted
        if n
    ]
    return worst_first(parts)


def _facts(found: Trace) -> Facts:
    serial = (
        missing("fewer than two timed steps", unit="ratio")
        if found.serial_share is None
        else Quantity(value=found.serial_share, unit="ratio")
    )
    placed = " · ".join(f"{name} {value}" for name, value in found.dimensions.items() if value)
    why = metrics.why("traces.list")
    return Facts(
        id="trace.facts",
        facts=(
            Fact(id="duration", label="duration", value=quantity(found.duration_s, "s"), note=placed, why=why),
            Fact(id="turns", label="turns", value=Quantity(value=found.turns, unit="count"), why=why),
            Fact(id="tokens", label="tokens", value=quantity(found.tokens, "count"), why=why),
            Fact(id="cost", label="cost", value=quantity(found.cost_usd, "USD", "no price, or no token counts"), why=why),
            Fact(id="errors", label="errors", value=Quantity(value=found.errors, unit="count"),
                 state="block" if found.status == "error" else "info", why=why),
            Fact(id="serial", label="serial share", value=serial,
                 why="time in which any step without children ran, over the sum of their durations; 1: one after the other"),
        ),
    )  # fmt: skip


def quantity(value: float | None, unit: str, why: str = "no span says") -> Quantity:
    """A number of a trace, or why there is none."""
    return missing(why, unit=unit) if value is None else Quantity(value=value, unit=unit)


def _tree(found: Trace) -> Block:
    if not found.nodes:
        return Gap(
            id="trace.tree",
            title="Spans",
            reason="retention has taken the spans of this trace; what is above comes from its rollup",
            next_step="set privacy.retention_days.spans higher to keep them longer",
        )
    whole_s = length_s(found)
    left = found.spans - len(found.nodes)
    all_s = found.duration_s if left and found.duration_s is not None else whole_s
    return Table(
        id="trace.tree",
        why=metrics.why("traces.tree"),
        title=f"{plural(found.spans, 'span')} over {amount(all_s, 's')} · {one_line(found.trace, 40)}",
        note=f"{left:,} more are not drawn; the axis is {amount(whole_s, 's')} long" if left else "",
        columns=COLUMNS,
        rows=tuple(_row(node, whole_s) for node in found.nodes),
    )


def _failed(found: Trace) -> tuple[Table, ...]:
    """Failed spans that are too far down to be drawn."""
    if not found.failed_beyond:
        return ()
    all_s = found.duration_s or 0.0
    return (
        Table(
            id="trace.failed",
            title="Failed, among those that are not drawn",
            note=f"the first {FAILED}" if len(found.failed_beyond) == FAILED else "",
            columns=COLUMNS,
            rows=tuple(_row(node, all_s) for node in found.failed_beyond),
        ),
    )


def length_s(found: Trace) -> float:
    """The time axis of a trace: from its first start to its last end."""
    return max((node.offset_s + (node.span.duration_s or 0.0) for node in found.nodes), default=0.0)


def indented(node: Node) -> str:
    """The name of a span as deep as it lies."""
    deep = f"{node.depth}│ " if node.depth > DEEPEST else "│ " * node.depth
    return deep + (node.span.name or node.span.operation or node.span.span_id)


def _usd(span: Span) -> Cell:
    if span.cost_usd is not None:
        return money(span.cost_usd, "USD").removesuffix(" USD")
    return missing("no price, or no token counts", unit="USD") if span.model is not None else ""


def _row(node: Node, whole_s: float) -> Row:
    span = node.span
    failed = span.status == "error"
    notes = [f"✗ {span.error_type or 'error'}"] if failed else []
    notes += [WORDS[mark] for mark in node.marks] + (["¶ kept"] if span.said else [])
    cells: tuple[Cell, ...] = (
        indented(node),
        bar(node.offset_s, span.duration_s, whole_s),
        quantity(span.duration_s, "s"),
        _tokens(span),
        _usd(span),
        ", ".join(notes),
    )
    state: State = "block" if failed else "info"
    return Row(id=span.span_id, cells=cells, state=state)


def _tokens(span: Span) -> Cell:
    if span.input_tokens is None and span.output_tokens is None:
        return missing("the span does not say", unit="tokens") if span.model is not None else ""
    return (span.input_tokens or 0) + (span.output_tokens or 0)


def _detail(node: Node) -> str:
    span = node.span
    counts = [
        f"{name} {value:,}"
        for name, value in (("input", span.input_tokens), ("output", span.output_tokens))
        if value is not None
    ]
    about = [
        span.operation or "", span.model or "", f"begins at {amount(node.offset_s, 's')}", *counts,
        *(["unknown model price"] if span.cost_status == "unpriced" else []),
        f"span {span.span_id}", *(["prompt or completion is kept: r shows it, p sends it again"] if span.said else []),
    ]  # fmt: skip
    return " · ".join(part for part in about if part)


def bar(offset_s: float, duration_s: float | None, whole_s: float, cells: int = BAR) -> str:
    """When a span ran, on an axis of `cells` cells; one that is too short for a cell, or has no end, is a thin line."""
    if whole_s <= 0:
        return "▏" + "·" * (cells - 1)
    begin = min(max(int(offset_s / whole_s * cells), 0), cells - 1)
    length = max(duration_s or 0.0, 0.0) / whole_s * cells
    size = min(max(round(length), 1), cells - begin)
    return "·" * begin + ("█" * size if length >= 0.5 else "▏") + "·" * (cells - begin - size)

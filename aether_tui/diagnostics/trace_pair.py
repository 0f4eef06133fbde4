"""Two traces beside each other: in sum, by kind of step, and span by span in the order they ran."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from msgspec import Struct

from aether_tui.diagnostics.frame import Data
from aether_tui.diagnostics.trace_report import (
    Trace,
    bar,
    headline,
    indented,
    length_s,
    quantity,
    read_trace,
    window_of,
)
from aether_tui.diagnostics.trace_tree import Node
from aether_tui.human import amount, number
from aether_tui.report_model import Cell, Col, Quantity, Report, Row, State, Table
from aether_tui.text import one_line

BESIDE = 200
"""Spans of each trace that are set beside each other: more than anybody reads, and quick to match."""
BAR = 12


class Step(Struct, frozen=True, kw_only=True):
    """Spans of one name in one trace."""

    n: int = 0
    duration_s: float = 0.0
    tokens: int = 0
    cost_usd: float | None = None
    errors: int = 0


class Pair(Struct, frozen=True, kw_only=True):
    """Two traces, and their spans by name."""

    first: Trace
    second: Trace
    steps: dict[str, tuple[Step, Step]]


def steps(found: Trace) -> dict[str, Step]:
    """The drawn spans of a trace by name, in order of appearance."""
    totals: dict[str, Step] = {}
    for node in found.nodes:
        span, so_far = node.span, totals.get(node.span.name, Step())
        totals[span.name] = Step(
            n=so_far.n + 1,
            duration_s=so_far.duration_s + (span.duration_s or 0.0),
            tokens=so_far.tokens + (span.input_tokens or 0) + (span.output_tokens or 0),
            cost_usd=so_far.cost_usd if span.cost_usd is None else (so_far.cost_usd or 0.0) + span.cost_usd,
            errors=so_far.errors + (span.status == "error"),
        )
    return totals


def compare(data: Data, first: str, second: str) -> Report[Struct]:
    """Two traces side by side. Raises NoData for an unknown id."""
    one, other = read_trace(data, first), read_trace(data, second)
    left, right = steps(one), steps(other)
    both = {name: (left.get(name, Step()), right.get(name, Step())) for name in (*left, *right)}
    return Report(
        report="trace",
        title="Two traces",
        as_of=data.clock.now,
        window=window_of(one),
        data=Pair(first=one, second=other, steps=both),
        headline=f"A: {headline(one)} B: {headline(other)}",
        blocks=(_totals(one, other), _beside(one, other), _steps(both)),
    )


def moved(left: float, right: float, unit: str) -> str:
    """From one value to another, as shown: `+3.5 s`, `−12 pt`; nothing where it would be zero."""
    size = abs(right - left)
    told = f"{number(round(100 * size, 1))} pt" if unit == "ratio" else amount(size, unit)
    return "" if not size or told == "0 pt" else f"{'+' if right > left else '−'}{told}"


def _totals(one: Trace, other: Trace) -> Table:
    def row(name: str, left: float | None, right: float | None, unit: str) -> Row:
        change = "" if left is None or right is None else moved(left, right, unit)
        return Row(id=name, cells=(name, quantity(left, unit), quantity(right, unit), change))

    return Table(
        id="pair.totals",
        title=f"A {one_line(one.trace, 40)} · B {one_line(other.trace, 40)}",
        columns=(
            Col(key="what", title="", priority=10),
            Col(key="a", title="A", kind="number", priority=10),
            Col(key="b", title="B", kind="number", priority=10),
            Col(key="change", title="B − A", kind="number", priority=9),
        ),
        rows=(
            row("duration", one.duration_s, other.duration_s, "s"),
            row("turns", one.turns, other.turns, "count"),
            row("model calls", one.calls, other.calls, "count"),
            row("tool calls", one.tool_calls, other.tool_calls, "count"),
            row("tokens", one.tokens, other.tokens, "count"),
            row("cost", one.cost_usd, other.cost_usd, "USD"),
            row("errors", one.errors, other.errors, "count"),
            row("serial share", one.serial_share, other.serial_share, "ratio"),
        ),
    )


def matched(left: tuple[Node, ...], right: tuple[Node, ...]) -> Iterator[tuple[Node | None, Node | None]]:
    """Spans of two traces in order, the longest runs of equal depth and name beside each other (difflib)."""
    one, other = ([(node.depth, node.span.name) for node in nodes] for nodes in (left, right))
    for _, a, b, c, d in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        for place in range(max(b - a, d - c)):
            yield (left[a + place] if a + place < b else None, right[c + place] if c + place < d else None)


def _beside(one: Trace, other: Trace) -> Table:
    axis = max(length_s(one), length_s(other))
    left, right = one.nodes[:BESIDE], other.nodes[:BESIDE]
    more = max(one.spans, other.spans) - BESIDE

    def side(node: Node | None) -> tuple[Cell, Cell, Cell]:
        if node is None:
            return "", "", ""
        failed = "✗ " if node.span.status == "error" else ""
        return (
            failed + indented(node),
            bar(node.offset_s, node.span.duration_s, axis, BAR),
            quantity(node.span.duration_s, "s"),
        )

    columns: list[Col] = []
    for name in "AB":
        columns += [
            Col(key=f"span_{name}", title=f"span of {name}", width=22, priority=10),
            Col(key=f"bar_{name}", title=f"when {name}", width=BAR, priority=8),
            Col(key=f"took_{name}", title="time", kind="number", priority=7),
        ]
    rows = []
    for place, (a, b) in enumerate(matched(left, right)):
        failed = any(node is not None and node.span.status == "error" for node in (a, b))
        state: State = "block" if failed else "info"
        rows.append(Row(id=str(place), cells=(*side(a), *side(b)), state=state))
    return Table(
        id="pair.beside",
        title="Side by side, on one time axis",
        note=f"the first {BESIDE} spans of each" if more > 0 else "",
        columns=tuple(columns),
        rows=tuple(rows),
        empty="Retention has taken the spans of both.",
    )


def _steps(both: dict[str, tuple[Step, Step]]) -> Table:
    cols = [Col(key="step", title="step", width=28, priority=10)]
    for key, title, priority in (("n", "×", 9), ("duration", "time", 8), ("tokens", "tokens", 6), ("cost", "cost", 5)):
        cols += [Col(key=f"{key}_{side}", title=f"{title} {side}", kind="number", priority=priority) for side in "AB"]

    def row(name: str, sides: tuple[Step, Step]) -> Row:
        cells: list[Cell] = [name]
        for values in (
            [(float(side.n), "count") for side in sides],
            [(side.duration_s, "s") for side in sides],
            [(side.cost_usd, "USD") for side in sides],
        ):
            cells += [
                Quantity(value=value, unit=unit) if side.n and value is not None else ""
                for side, (value, unit) in zip(sides, values, strict=True)
            ]
        cells[5:5] = [side.tokens or "" for side in sides]
        state: State = "block" if sides[0].errors + sides[1].errors else "info"
        only = "only in A" if not sides[1].n else "only in B" if not sides[0].n else ""
        return Row(id=name, cells=tuple(cells), state=state, detail=only)

    return Table(
        id="pair.steps",
        title="Steps, by name",
        columns=tuple(cols),
        rows=tuple(row(name, sides) for name, sides in both.items()),
    )

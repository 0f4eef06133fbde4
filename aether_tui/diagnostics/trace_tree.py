"""One trace as a tree: pure, and in time that grows with the number of spans (but for sorting them by start).

Traces come from strangers: spans whose parent never arrived, parents in a circle, children that begin before their parent
and ids that occur twice all end up in the tree, each marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

LONGEST_PERIOD = 4
LEAST_ROUNDS = 3
FINEST_S = 2e-6
"""Instants are kept to the microsecond: what overlaps by less does not overlap."""


class Span(Struct, frozen=True, kw_only=True):
    """A span as stored. `start_s` is in seconds since 1970."""

    span_id: str
    parent_id: str | None = None
    name: str = ""
    operation: str | None = None
    start_s: float
    duration_s: float | None = None
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    cost_status: str | None = None
    status: str | None = None
    error_type: str | None = None
    request_hash: str | None = None
    said: bool = False
    """Its prompt or completion is stored."""


class Node(Struct, frozen=True, kw_only=True):
    """A span in its place. `offset_s` counts from the first span's start; `marks` says what is odd or notable:
    `orphan` (its parent is not here), `cycle` (its parents go in a circle, which is cut here), `skew` (begins before its
    parent), `parallel` (begins before an earlier sibling has ended), `repeat` (an identical request was made before in this
    trace) and `loop` (part of a sequence of siblings that recurs three times or more)."""

    span: Span
    depth: int
    offset_s: float
    children: int
    marks: tuple[str, ...] = ()


class Tree(Struct, frozen=True, kw_only=True):
    """A trace in drawing order, parents before children, siblings by start."""

    nodes: tuple[Node, ...]
    start_s: float
    duration_s: float
    duplicates: int
    serial_share: float | None
    """Time in which any step without children ran, over the sum of their durations; 1: one after the other."""


def build_tree(spans: Iterable[Span]) -> Tree:
    """The tree of some spans; no spans give an empty one."""
    known: dict[str, Span] = {}
    duplicates = 0
    for span in sorted(spans, key=lambda one: (one.start_s, one.span_id)):
        duplicates += span.span_id in known
        known.setdefault(span.span_id, span)
    if not known:
        return Tree(nodes=(), start_s=0.0, duration_s=0.0, duplicates=0, serial_share=None)
    children: dict[str, list[Span]] = {}
    roots: list[tuple[Span, str]] = []
    for span in known.values():
        if span.parent_id is None:
            roots.append((span, ""))
        elif span.parent_id not in known:
            roots.append((span, "orphan"))
        else:
            children.setdefault(span.parent_id, []).append(span)
    begin = next(iter(known.values())).start_s
    nodes = _walk(known, children, roots, begin)
    end = max(_end(span) for span in known.values())
    leaves = [span for span in known.values() if span.span_id not in children]
    return Tree(
        nodes=tuple(nodes),
        start_s=begin,
        duration_s=end - begin,
        duplicates=duplicates,
        serial_share=_serial(leaves),
    )


def _walk(
    known: dict[str, Span], children: dict[str, list[Span]], roots: list[tuple[Span, str]], begin: float
) -> list[Node]:
    """Every span once, depth first without recursion; what no root leads to goes in a circle and is cut where it begins."""
    nodes: list[Node] = []
    seen: set[str] = set()
    asked: set[tuple[str, str]] = set()
    sides = _beside([span for span, _ in roots])
    waiting = [(span, 0, mark) for span, mark in reversed(roots)]
    left = iter(known.values())
    while True:
        while waiting:
            span, depth, mark = waiting.pop()
            if span.span_id in seen:
                continue
            seen.add(span.span_id)
            below = children.get(span.span_id, [])
            sides |= _beside(below)
            marks = [mark] if mark else []
            parent = known.get(span.parent_id or "")
            if parent is not None and mark != "cycle" and span.start_s < parent.start_s - FINEST_S:
                marks.append("skew")
            marks += sides.pop(span.span_id, ())
            if span.request_hash is not None:
                key = (span.name, span.request_hash)
                marks += ["repeat"] * (key in asked)
                asked.add(key)
            nodes.append(
                Node(span=span, depth=depth, offset_s=span.start_s - begin, children=len(below), marks=tuple(marks))
            )
            waiting += [(child, depth + 1, "") for child in reversed(below)]
        cut = next((span for span in left if span.span_id not in seen), None)
        if cut is None:
            return nodes
        waiting = [(_circle(cut, known), 0, "cycle")]


def _circle(span: Span, known: dict[str, Span]) -> Span:
    """The first span by start of the circle that the parents of `span` lead into; all on the way hang below it."""
    way: dict[str, int] = {}
    while span.span_id not in way:
        way[span.span_id] = len(way)
        span = known[span.parent_id or ""]
    ring = [known[one] for one, place in way.items() if place >= way[span.span_id]]
    return min(ring, key=lambda one: (one.start_s, one.span_id))


def _beside(siblings: Sequence[Span]) -> dict[str, list[str]]:
    """Marks that a span has because of its siblings, which are in order of start."""
    marks: dict[str, list[str]] = {}
    until = float("-inf")
    for span in siblings:
        if span.start_s < until - FINEST_S:
            marks.setdefault(span.span_id, []).append("parallel")
        until = max(until, _end(span))
    looped = _loops([span.name for span in siblings])
    for span, inside in zip(siblings, looped, strict=True):
        if inside:
            marks.setdefault(span.span_id, []).append("loop")
    return marks


def _loops(names: Sequence[str]) -> list[bool]:
    """Which places belong to a sequence of up to four names that recurs at least three times in a row."""
    inside = [False] * len(names)
    for period in range(1, LONGEST_PERIOD + 1):
        run = 0
        for place in range(period, len(names) + 1):
            if place < len(names) and names[place] == names[place - period]:
                run += 1
                continue
            if run + period >= period * LEAST_ROUNDS:
                inside[place - run - period : place] = [True] * (run + period)
            run = 0
    return inside


def _end(span: Span) -> float:
    return span.start_s + max(span.duration_s or 0.0, 0.0)


def _serial(leaves: Sequence[Span]) -> float | None:
    """As the indicator of the same name: covered time over summed time of at least two timed leaves."""
    timed = [span for span in leaves if span.duration_s and span.duration_s > 0]
    if len(timed) < 2:
        return None
    covered, until = 0.0, float("-inf")
    for span in timed:
        covered += max(_end(span) - max(span.start_s, until), 0.0)
        until = max(until, _end(span))
    return covered / sum(_end(span) - span.start_s for span in timed)

"""What text and Markdown share: how a cell, a fact and a series read. Renders, never computes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from aether_tui.human import Beside, amount, duration, evidence, number, plural, quantity
from aether_tui.report_model import GLYPHS, Cell, Col, Fact, Freshness, Quantity, Row, State, Table, Trend, not_fresh
from aether_tui.text import cells

BARS = "▁▂▃▄▅▆▇█"
Value = Cell | tuple[float | None, ...]


def spark(values: Sequence[float | None], width: int = 24, scale: tuple[float, float] | None = None) -> str:
    """A line of blocks from lowest to highest (or over a fixed scale); a gap is a dot. Longer series keep their last
    `width` values."""
    shown = list(values)[-width:]
    known = [value for value in shown if value is not None and math.isfinite(value)]
    if not known:
        return ""
    low, top = scale or (min(known), max(known))
    span = top - low

    def glyph(value: float | None) -> str:
        if value is None or not math.isfinite(value):
            return "·"
        share = min(1.0, max(0.0, (value - low) / span)) if span else 0.5
        return BARS[round(share * (len(BARS) - 1))]

    return "".join(glyph(value) for value in shown)


def bar(share: float, width: int = 10) -> str:
    """A share 0–1 of a limit as a bar; more than all of it is a full one."""
    full = round(max(0.0, min(1.0, share)) * width)
    return "█" * full + "·" * (width - full)


def paced(pair: Sequence[float | None], width: int = 10) -> str:
    """A bar with a tick where it should be by now."""
    pace, share = pair
    drawn = bar(share or 0.0, width)
    at = min(int((pace or 0.0) * width), width - 1)
    return drawn if pace is None else f"{drawn[:at]}│{drawn[at + 1 :]}"


def state(value: State) -> str:
    """Glyph and word."""
    return f"{GLYPHS[value]} {value.replace('-', ' ')}"


def row(one: Row, columns: Sequence[Col], beside: Sequence[Mapping[str, Beside]]) -> list[str]:
    """The cells of a row as text, each read beside its column."""
    return [cell(value, col, one.state, by) for value, col, by in zip(one.cells, columns, beside, strict=True)]


def cell(
    value: Value, col: Col, row_state: State | None = None, beside: Mapping[str, Beside] = MappingProxyType({})
) -> str:
    """One cell as text. A state column carries the row's glyph before its word."""
    if isinstance(value, tuple):
        return paced(value) if col.kind == "bar" else spark(value)
    shown = _bare(value, col, beside)
    if col.kind == "state":
        word = shown if shown not in GLYPHS else ""
        glyph = GLYPHS[row_state or "info"]
        if shown in GLYPHS:
            glyph, word = GLYPHS[_state(shown)], shown
        return f"{glyph} {word}".strip()
    return shown


def _state(word: str) -> State:
    return next(known for known in GLYPHS if known == word)


def _bare(value: Cell, col: Col, beside: Mapping[str, Beside]) -> str:
    if value is None:
        return "—"
    if isinstance(value, Quantity):
        if col.kind == "bar" and value.value is not None:
            return bar(value.value)
        return quantity(value, beside)
    if isinstance(value, str):
        return value
    if col.kind == "bar":
        return bar(value)
    if col.unit:
        return amount(value, col.unit, beside=beside.get(col.unit))
    return f"{value:,}" if isinstance(value, int) else number(value)


def numeric(col: Col) -> bool:
    """Whether a column is aligned to the right."""
    return col.kind == "number"


def change(fact: Fact) -> str:
    """How it differs from the previous window, in its own unit: `+0.4 d`, `−9`; nothing when either is missing."""
    if fact.previous is None or fact.previous.value is None or fact.value.value is None:
        return ""
    difference = fact.value.value - fact.previous.value
    if fact.value.unit == "ratio":
        points = 100 * difference
        text = f"{abs(points):.0f} pt" if abs(points) >= 10 else f"{abs(points):.1f} pt"
    elif fact.value.unit == "s":
        text = duration(abs(difference), fact.value.value)
    else:
        text = amount(abs(difference), fact.value.unit, fact.value.currency)
    return f"{'+' if difference > 0 else '−' if difference < 0 else '±'}{text}"


def fact_value(fact: Fact) -> str:
    """Value and change: `24 % (+3.1 pt)`."""
    moved = change(fact)
    return quantity(fact.value) + (f" ({moved})" if moved else "")


def fact_note(fact: Fact) -> str:
    """Evidence, series (of scores from 0 to 100) and note on one line."""
    course = spark(fact.series, scale=(0, 100) if fact.value.unit == "score" else None)
    between = "  " if fact.value.value is not None else "; "  # a reason is words, too
    return between.join(part for part in (evidence(fact.value), course, fact.note) if part)


def trend_line(trend: Trend) -> str:
    """Spark, first and last known value, limit."""
    known = [value for value in trend.values if value is not None]
    if not known:
        return "no values"
    ends = f"{amount(known[0], trend.unit)} → {amount(known[-1], trend.unit)}"
    limit = f", limit {amount(trend.limit, trend.unit)}" if trend.limit is not None else ""
    return f"{spark(trend.values, 60)}  {ends}{limit}"


def fresh_line(freshness: Sequence[Freshness]) -> str:
    """`12 streams, 1 stale (linear/issues)`, or nothing."""
    if not freshness:
        return ""
    said = []
    for word, them in not_fresh(freshness).items():
        named = ", ".join(f"{one.source}/{one.stream}" for one in them[:3]) + (", …" if len(them) > 3 else "")
        said.append(f"{len(them)} {word} ({named})")
    return ", ".join([plural(len(freshness), "stream"), *(said or ["all fresh"])])


def stamp(instant: datetime) -> str:
    """`2026-11-21 14:00 UTC`."""
    return instant.strftime("%Y-%m-%d %H:%M UTC")


def crop(text: str, size: int) -> str:
    """`text` in at most `size` cells, with an ellipsis when something is left out."""
    if cells(text) <= size:
        return text
    while text and cells(text) > size - 1:
        text = text[:-1]
    return f"{text.rstrip()}…" if size > 0 else ""


def shown_columns(table: Table, fits: int) -> tuple[int, ...]:
    """Indexes of the `fits` columns of highest priority, in their own order."""
    ranked = sorted(range(len(table.columns)), key=lambda index: (-table.columns[index].priority, index))
    return tuple(sorted(ranked[:fits]))

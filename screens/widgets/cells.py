"""One value as text: quantities, states, bars and sparklines; the same value in words for those who cannot see them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from aether_tui import human
from aether_tui.report_model import GLYPHS, Cell, Col, Fact, Quantity, State
from screens.widgets.spans import ROLE_OF, WORDS, Role, Span, clean

_NUMBER = re.compile(r"[-−+]?\d[\d,]*(?:\.\d+)?")
_STATES: dict[str, State] = {state: state for state in GLYPHS}
_EIGHTHS = "▏▎▍▌▋▊▉█"
_LEVELS = "▁▂▃▄▅▆▇█"
BAR_CELLS = 10
SPARK_CELLS = 10
OF_A_HUNDRED = (0.0, 100.0)
"""The scale of scores: a point or two is not a mountain."""

AnyCell = Cell | Sequence[float | None]
Beside = Mapping[str, human.Beside]


def state_span(state: State) -> Span:
    """`✓ pass`, coloured by what it means."""
    return f"{GLYPHS[state]} {WORDS[state]}".rstrip(), ROLE_OF[state]


def bar(share: float, cells: int = BAR_CELLS) -> str:
    """A share 0–1 of a limit as a bar in eighths of a cell; more than 1 is a full bar."""
    eighths = round(min(max(share, 0.0), 1.0) * cells * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest - 1] if rest else "")).ljust(cells, "·")


def sparkline(values: Sequence[float | None], scale: tuple[float, float] | None = None) -> str:
    """A series as one character per cell, the mean of its bucket, from lowest to highest or over a fixed scale; gaps are blank."""
    means = buckets(values, SPARK_CELLS)
    known = [value for value in means if value is not None]
    if not known:
        return ""
    low, high = scale or (min(known), max(known))
    span = high - low
    return "".join(" " if v is None else _LEVELS[round((v - low) / span * 7) if span else 3] for v in means)


def buckets(values: Sequence[float | None], count: int) -> list[float | None]:
    """At most `count` means of neighbouring values; a bucket without a value is None."""
    size = len(values)
    if size <= count:
        return list(values)
    means: list[float | None] = []
    for number in range(count):
        part = [v for v in values[number * size // count : (number + 1) * size // count] if v is not None]
        means.append(sum(part) / len(part) if part else None)
    return means


def course(values: Sequence[float | None], unit: str = "", currency: str | None = None) -> str:
    """A series in words: `3 to 5, lowest 2, highest 6`."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    first, last, low, high = (human.amount(v, unit, currency) for v in (known[0], known[-1], min(known), max(known)))
    return f"{first} to {last}, lowest {low}, highest {high}"


def cell(
    column: Col,
    value: AnyCell,
    state: State | None,
    words: bool,
    beside: Beside | None = None,
    of: Quantity | None = None,
) -> Span:
    """The shown text of a table cell and its role; beside the numbers of its column, where they are given. A series is `of`
    what its row measures.
    """
    if value is None:
        return human.NONE, "dim"
    if isinstance(value, Quantity):
        share = value.value
        if column.kind == "bar" and share is not None:
            return _bar(share, state, words)
        text = human.quantity(value, beside)
        return text + (" stated" if value.stated else ""), "dim" if value.value is None else "text"
    if isinstance(value, str):
        if column.kind == "state" and value in _STATES:
            return state_span(_STATES[value])
        if column.kind == "state" and value and state is not None:
            return f"{GLYPHS[state]} {clean(value)}", ROLE_OF[state]
        return clean(value), "dim" if value in {"", human.NONE} else "text"
    if isinstance(value, int | float):
        if column.kind == "bar":
            return _bar(value, state, words)
        return human.amount(value, _unit(column), beside=(beside or {}).get(_unit(column))), "text"
    if column.kind == "bar":
        return _paced(value, state, words)
    unit, currency = (of.unit, of.currency) if of is not None else (column.unit, None)
    return (course(value, unit, currency) if words else sparkline(value)), "accent"


def is_missing(value: AnyCell) -> bool:
    """Whether there is nothing to sort by: such rows come last in either direction."""
    return value is None or (isinstance(value, Quantity) and value.value is None)


def sort_key(value: AnyCell) -> tuple[bool, float, str]:
    """Numbers by size (also those in a text such as `1,204.5 USD`), then texts; a series by its last value."""
    if isinstance(value, Quantity):
        value = value.value
    if isinstance(value, int | float):
        return False, float(value), ""
    if isinstance(value, str):
        number = _NUMBER.match(value)
        return (
            (False, float(number[0].replace(",", "").replace("−", "-")), value)
            if number
            else (True, 0.0, value.casefold())
        )
    return False, next((v for v in reversed(value or ()) if v is not None), 0.0), ""


def change(fact: Fact) -> Span:
    """How a fact moved since the time before: `+6`, `−0.7 d`, `+5 pt`; good and bad by its direction."""
    now, before = fact.value, fact.previous
    if before is None or now.value is None or before.value is None:
        return "", "dim"
    moved = now.value - before.value
    points = now.unit == "ratio"
    text = (
        f"{human.number(round(100 * abs(moved), 1))} pt"
        if points
        else human.duration(abs(moved), now.value)
        if now.unit == "s"
        else human.amount(abs(moved), now.unit, now.currency)
    )
    if moved == 0 or text.startswith("0 ") or text == "0":
        return "=", "dim"
    if not fact.better:
        role: Role = "dim"
    else:
        role = "good" if (moved > 0) == (fact.better == "higher") else "bad"
    return ("+" if moved > 0 else "−") + text, role


def _bar(share: float, state: State | None, words: bool) -> Span:
    role: Role = ROLE_OF[state] if state in {"warn", "block"} else "accent"
    return (human.amount(share, "ratio"), "text") if words else (bar(share), role)


def _paced(pair: Sequence[float | None], state: State | None, words: bool) -> Span:
    """A bar with a tick where it should be by now."""
    pace, share = pair
    drawn, role = _bar(share or 0.0, state, words)
    if pace is None:
        return drawn, role
    if words:
        return f"{drawn}, expected by now {human.amount(pace, 'ratio')}", role
    at = min(int(pace * BAR_CELLS), BAR_CELLS - 1)
    return f"{drawn[:at]}│{drawn[at + 1 :]}", role


def _unit(column: Col) -> str:
    """A unit that is in the header is not repeated in the cell; durations and ratios choose their own."""
    return column.unit if column.unit in {"s", "ratio", "s/turn"} else ""

"""What every number is: one content table for `x` on the screens, for JSON, and for the page `docs/metrics.md`.

Indicators of the lenses have their own table (`indicators.json`), because they also have anchors; both give the same lines.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from aether_tui.diagnostics import windows

if TYPE_CHECKING:
    from aether_tui.diagnostics.frame import Data
    from aether_tui.diagnostics.indicators import Indicator

QUERIES = "aether_tui/diagnostics/sql"
"""Where the queries are, from the root of the source."""


class Metric(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One number: its formula, how its interval is made, what it leaves out, who says so, and the queries that read its rows.

    The first part of `id` is the report that shows it.
    """

    id: str
    title: str
    unit: str = ""
    formula: str
    method: str = ""
    left_out: str = ""
    source: str = ""
    queries: tuple[str, ...] = ()
    rows: str = ""
    """Where its rows are, when no query reads them: documents, or other numbers."""


class _Content(Struct, frozen=True):
    metrics: tuple[Metric, ...]


@cache
def content() -> dict[str, Metric]:
    """Every metric by id, in the order of the file."""
    file = resources.files("aether_tui.diagnostics") / "metrics.json"
    return {one.id: one for one in msgspec.json.decode(file.read_bytes(), type=_Content).metrics}


def why(identity: str, data: Data | None = None, *more: str) -> str:
    """What `x` shows of a metric, one line each: formula, what is left out, source, filters, query, command."""
    return lines(content()[identity], data, *more)


def lines(one: Metric, data: Data | None = None, *more: str) -> str:
    """The same of a metric at hand."""
    formula = one.formula + (f" Interval of 95 %: {one.method}." if one.method else "")
    report = one.id.partition(".")[0]
    parts = (
        formula,
        *more,
        one.left_out and f"left out: {one.left_out}",
        one.source and f"after {one.source}",
        "" if data is None else f"filters: {narrowed(data)}",
        one.rows and f"rows: {one.rows}",
        one.queries and asks(*one.queries),
        command(SHOWN_IN.get(report, report), data),
    )
    return "\n".join(part for part in parts if part)


def asks(*queries: str) -> str:
    """Which queries read the rows."""
    return f"query: {', '.join(f'{QUERIES}/{name}.sql' for name in queries)} (as asked here: --format sql)"


def command(report: str, data: Data | None) -> str:
    """What prints the same number: with the window, what it is compared with and the filters, where they are not the usual ones."""
    words = ["aether-tui", "report", report]
    if data is not None:
        window, (against, _, other) = data.clock.window.label, data.clock.previous.label.partition(" ")
        asked = {
            "window": "" if window == windows.DEFAULT else window,
            "compare": other if against in {"to", "review"} else "",
        }
        asked |= {name: getattr(data.filters, name) for name in data.filters.set_names()}
        words += [word for name, value in asked.items() if value for word in (f"--{name}", shlex.quote(value))]
    return " ".join((*words, "--format json"))


SHOWN_IN = {"discovery": "scorecard", "outcome": "scorecard", "speed": "lens", "quality": "lens", "visibility": "lens"}
"""Reports that show metrics of another name than their own."""


def several(identities: Sequence[str], data: Data | None = None, *more: str) -> str:
    """The same of a row that shows several metrics of one report."""
    them = [content()[name] for name in identities]
    told = [f"{one.title}: {one.formula}" for one in them]
    joined = Metric(
        id=them[0].id,
        title="",
        formula=told[0],
        left_out="; ".join(dict.fromkeys(one.left_out for one in them if one.left_out)),
        source="; ".join(dict.fromkeys(one.source for one in them if one.source)),
        queries=tuple(dict.fromkeys(name for one in them for name in one.queries)),
    )
    return lines(joined, data, *told[1:], *more)


def of(indicator: Indicator) -> Metric:
    """An indicator of a lens as a metric."""
    anchor = indicator.anchor
    year = f", {anchor.year}" if anchor and anchor.year and str(anchor.year) not in anchor.source else ""
    said = f"anchors {anchor.poor:g} (poor) and {anchor.good:g} (good): {anchor.source}{year}" if anchor else ""
    return Metric(
        id=indicator.id,
        title=indicator.title,
        unit=indicator.unit,
        formula=indicator.why,
        method=_METHODS.get(indicator.shape, ""),
        left_out=indicator.left_out,
        source="; ".join(part for part in (indicator.source, said) if part),
        queries=(indicator.query,) if indicator.query else (),
        rows=_ROWS.get(indicator.given or indicator.shape, ""),
    )


_ROWS = {
    "decisions": "decision documents (aether-tui doc list decision)",
    "released": "opportunity and experiment documents, which name keys of items",
    "stated": "answers to the 3-Lens interview (g i in the console)",
}
"""Where the rows of an indicator are that no query reads, by what is given or its shape."""
_METHODS = {
    "share": "Wilson 1927",
    "snapshot": "Wilson 1927",
    "values": "nearest rank, of an even number the lower of the two in the middle; interval of order statistics (distribution free)",
    "rate": "Poisson (Garwood 1936)",
    "ratio": "ratio of sums, by days",
}
"""How the interval of an indicator is made, by the shape of its rows."""


def narrowed(data: Data) -> str:
    """The window and the filters in use."""
    window = data.clock.window
    said = data.filters.sentence() or "no team, service or feature chosen"
    return f"{window.start:%Y-%m-%d} to {window.end:%Y-%m-%d}, {said}"

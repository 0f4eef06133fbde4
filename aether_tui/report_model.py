"""A report: typed data, findings, and the blocks every face draws (console, Markdown, HTML, text). Rendering never computes.

msgspec instead of pydantic: it decodes a saved report in microseconds and imports in 12 ms (pydantic: 50), and the last
saved report is what the console paints first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Generic, Literal, TypeVar

import msgspec
from msgspec import Struct, field

State = Literal["pass", "warn", "block", "inconclusive", "no-data", "info", "running"]
"""How a thing stands. Always shown as glyph and word, never as colour alone."""

GLYPHS: dict[State, str] = {
    "pass": "✓",
    "warn": "▲",
    "block": "■",
    "inconclusive": "?",
    "no-data": "·",
    "info": "i",
    "running": "↻",
}

Unit = Literal[
    "", "s", "USD", "ratio", "score", "count", "tokens", "per_day", "per_week", "USD/month", "USD/task", "tokens/task",
    "s/turn", "days", "money",
]  # fmt: skip
"""Unit of a stored number: seconds, ratios 0–1, money in the report's currency. Faces pick the shown one (11.2 min, 24 %)."""


class Quantity(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A number with its evidence, or null with the reason why there is none.

    `low`/`high` bound the 95 % interval unless `level` says otherwise; `n` is the sample behind it.
    """

    value: float | None
    unit: str = ""
    n: int | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    currency: str | None = None
    stated: bool = False
    reason: str | None = None
    connect: str | None = None
    bound: float | None = None
    """The limit or threshold it is held against: it is shown with the decimals that tell it from that."""

    def __post_init__(self) -> None:
        if self.value is None and not self.reason:
            raise ValueError("a missing quantity needs a reason")


def missing(reason: str, *, unit: str = "", connect: str | None = None, n: int | None = None) -> Quantity:
    """No number, and why; `connect` names the kind of source that would give one."""
    return Quantity(value=None, unit=unit, reason=reason, connect=connect, n=n)


class Finding(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One sentence with the facts it rests on."""

    id: str
    severity: Literal["info", "warn", "bad"]
    text: str
    evidence: tuple[str, ...] = ()
    action: str | None = None
    private: bool = False
    """Not shown in room mode: somebody's answer, another client (money is known by its unit)."""

    @property
    def command(self) -> str:
        """The action where it can be typed into a shell; an id of the console's actions cannot."""
        return self.action if self.action and " " in self.action else ""


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings by severity; those of one severity keep their order."""
    return tuple(sorted(findings, key=lambda one: ("bad", "warn", "info").index(one.severity)))


class Freshness(Struct, frozen=True, kw_only=True):
    """When a stream of a source last succeeded. Where that is later than the report's now, `age_s` is negative: how old its rows are
    is not known, and it counts as stale."""

    source: str
    stream: str
    last_success: datetime | None
    age_s: float | None
    stale: bool

    @property
    def ahead(self) -> bool:
        """Whether a clock was wrong, or the report looks back."""
        return self.age_s is not None and self.age_s < 0


Stream = TypeVar("Stream", bound=Freshness)


def not_fresh(streams: Sequence[Stream]) -> dict[str, list[Stream]]:
    """Those that are stale, by what there is to say of them."""
    found = {
        "stale": [one for one in streams if one.stale and not one.ahead],
        "ahead of now": [one for one in streams if one.ahead],
    }
    return {word: them for word, them in found.items() if them}


class Window(Struct, frozen=True, kw_only=True):
    """A half-open span of time in UTC, `[start, end)`; JSON names are `from` and `to`."""

    start: datetime = field(name="from")
    end: datetime = field(name="to")
    label: str = ""


# --- Blocks: what a face draws, in order ---------------------------------------------------------------------------

Cell = Quantity | str | float | int | None


class Fact(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One key figure. `why` is its formula and source in a sentence; `series` its recent course, oldest first."""

    id: str
    label: str
    value: Quantity
    state: State = "info"
    previous: Quantity | None = None
    better: Literal["higher", "lower", ""] = ""
    note: str = ""
    why: str = ""
    series: tuple[float | None, ...] = ()
    private: bool = False


class Facts(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="facts"):
    """A row of key figures."""

    id: str
    facts: tuple[Fact, ...]
    title: str = ""
    private: bool = False


class Col(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One column: `kind` decides alignment and drawing (`bar` is a share 0–1 of a limit, or the pair of what it should be by now
    and that share; `state` a glyph and word)."""

    key: str
    title: str
    kind: Literal["text", "number", "state", "bar", "spark", "time"] = "text"
    unit: str = ""
    width: int | None = None
    """Cells to aim for; None lets the face decide. Columns of low `priority` are dropped first on a narrow screen."""
    priority: int = 5
    private: bool = False
    least: int = 0
    """Cells a text that names its row insists on: columns of lower priority go before it gets fewer."""
    middle: bool = False
    """What does not fit is left out of the middle: a name whose end tells it apart from its neighbours."""


class Row(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One row of a table; `id` names it for selection, links and evidence, `detail` is shown for the selected row.

    `why` is the arithmetic or formula behind it, and the command that shows more, one per line.
    """

    id: str
    cells: tuple[Cell | tuple[float | None, ...], ...]
    state: State | None = None
    detail: str = ""
    why: str = ""
    private: bool = False


class Table(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="table"):
    """Rows and columns; `empty` is the sentence for no rows."""

    id: str
    columns: tuple[Col, ...]
    rows: tuple[Row, ...]
    title: str = ""
    note: str = ""
    why: str = ""
    """What its numbers are, for rows that do not say it themselves."""
    empty: str = ""
    private: bool = False
    aside: bool = False
    """What can be done here rather than what was found: pages for others leave it out."""


class Check(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One checklist item. `kind`: verified against the cache, by a document, or by a person."""

    id: str
    text: str
    state: State
    kind: Literal["auto", "document", "manual"]
    evidence: str = ""
    next_step: str = ""
    why: str = ""
    """How it was verified, and the command that shows more, one per line."""
    behind: str = ""
    """What the rows behind it are asked for by; empty where there are none."""
    opens: str = ""
    """Where it is done: an action such as `go.interview`, or a document to be filled in, as `KIND` or `KIND/ID`."""
    signed: bool = False
    """A person may answer for it although it is verified."""
    private: bool = False


class Checklist(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="checklist"):
    """Items of one phase or gate. `locked` says why nobody can work on it yet."""

    id: str
    title: str
    items: tuple[Check, ...]
    state: State = "info"
    locked: str = ""
    note: str = ""
    private: bool = False


class Trend(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="trend"):
    """A series of days, or of `step`s, oldest first; gaps are None."""

    id: str
    title: str
    start: datetime
    values: tuple[float | None, ...]
    unit: str = ""
    limit: float | None = None
    note: str = ""
    step: Literal["day", "week"] = "day"
    why: str = ""
    private: bool = False


class Point(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A point of a series; a gap is a `y` of None. `low`/`high` bound a band (forecast, interval), `id` names the row behind it."""

    x: float
    y: float | None
    low: float | None = None
    high: float | None = None
    id: str = ""
    label: str = ""


class Series(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Points drawn alike: joined, scattered by `glyph`, stacked over the series before (`area`), or a step function."""

    label: str
    points: tuple[Point, ...]
    kind: Literal["line", "points", "area", "steps"] = "line"
    glyph: str = ""
    state: State = "info"
    private: bool = False


class Plot(Struct, frozen=True, omit_defaults=True, kw_only=True, cache_hash=True, tag="plot"):
    """A drawing over two axes: trend with band, forecast fan, ageing scatter, cumulative flow, portfolio map.

    `x_kind` time: seconds since 1970 UTC; log: from nought, and what is far out does not squeeze the rest. `limits` are horizontal
    lines, `marks` vertical ones, each with its words.
    `text` says in a sentence what the drawing shows; it stands in for it where nothing can be drawn.
    """

    id: str
    title: str
    series: tuple[Series, ...]
    text: str
    x_title: str = ""
    y_title: str = ""
    x_kind: Literal["number", "log", "time"] = "number"
    y_unit: str = ""
    limits: tuple[tuple[float, str], ...] = ()
    marks: tuple[tuple[float, str], ...] = ()
    note: str = ""
    why: str = ""
    private: bool = False


class Box(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One box with a title and short lines; `id` names the row behind it."""

    id: str
    title: str
    lines: tuple[str, ...] = ()
    state: State | None = None
    why: str = ""
    private: bool = False


class Boxes(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="boxes"):
    """Boxes in rows: a canvas (3×3), a value stream (one row, with what is written on each arrow to the next box)."""

    id: str
    title: str
    rows: tuple[tuple[Box, ...], ...]
    arrows: tuple[str, ...] | None = None
    note: str = ""
    empty: str = ""
    private: bool = False


class Prose(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="prose"):
    """A paragraph of plain text (no markup)."""

    id: str
    text: str
    title: str = ""
    private: bool = False


class Gap(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="gap"):
    """What would stand here, why it does not, and what to do: `action` is the id of an action, or a command; `why` says which of the
    steps behind it leaves nothing.
    """

    id: str
    title: str
    reason: str
    next_step: str = ""
    action: str = ""
    why: str = ""
    private: bool = False


Block = Facts | Table | Checklist | Trend | Plot | Boxes | Prose | Gap

D = TypeVar("D", bound=Struct)


class Report(Struct, Generic[D], frozen=True, kw_only=True):
    """One report. `to_json` is the envelope scripts read; faces draw `headline`, `findings` and `blocks`."""

    report: str
    title: str
    as_of: datetime
    window: Window
    data: D
    looking: str = ""
    """What it is narrowed to and compared with, where that is not the usual: `team payments, compared with …`."""
    headline: str = ""
    """The one sentence a reader needs."""
    findings: tuple[Finding, ...] = ()
    freshness: tuple[Freshness, ...] = ()
    blocks: tuple[Block, ...] = ()
    details: dict[str, tuple[Block, ...]] = {}
    """What opens under a row, by `BLOCK/ROW`; faces that cannot open anything leave it out."""
    schema: int = 1


class SavedReport(Struct, frozen=True, kw_only=True):
    """A report without its typed data, as the console keeps it for the next first paint."""

    report: str
    title: str
    as_of: datetime
    window: Window
    looking: str = ""
    headline: str = ""
    findings: tuple[Finding, ...] = ()
    freshness: tuple[Freshness, ...] = ()
    blocks: tuple[Block, ...] = ()
    details: dict[str, msgspec.Raw] = {}
    """As of the report, each read when it is opened."""
    schema: int = 1


def opened(report: SavedReport, item: str) -> tuple[Block, ...]:
    """The blocks that open under an item; none for most."""
    found = report.details.get(item)
    return () if found is None else msgspec.json.decode(found, type=tuple[Block, ...])


def envelope(report: Report[D]) -> bytes:
    """The JSON envelope (`cli.md`): one object, instants as UTC ISO 8601, no NaN or Infinity."""
    return msgspec.json.encode(
        {
            "report": report.report,
            "schema": report.schema,
            "as_of": report.as_of,
            "window": report.window,
            "headline": report.headline,
            "freshness": report.freshness,
            "findings": report.findings,
            "data": report.data,
        }
    )


def save(report: Report[D]) -> bytes:
    """The saved form of a report, for `load`."""
    return msgspec.json.encode({name: getattr(report, name) for name in SavedReport.__struct_fields__})


def load(data: bytes) -> SavedReport:
    """A saved report; raises msgspec.ValidationError or DecodeError when it is not one."""
    return msgspec.json.decode(data, type=SavedReport)

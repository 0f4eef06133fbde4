"""Indicators of the three lenses: the content table, how one is measured over a span of time, and how it scores."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from operator import itemgetter
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from aether_tui.diagnostics.frame import Data, Parameter, Question, Record, fresh_share, numbers, real, text, whole
from aether_tui.diagnostics.needs import NEEDS, stored
from aether_tui.report_model import Quantity, Window, missing
from aether_tui.stats import intervals

if TYPE_CHECKING:
    from aether_tui.config import Config, Gate

LensName = Literal["speed", "quality", "visibility"]
Given = Mapping[str, Sequence[Record]]
"""Rows that come from documents, by what an indicator calls them."""
SILENT = timedelta(days=90)
"""After so long without an event it is the source that is silent: an export that ended is not a team that stopped."""
MIN_N = 5
"""Fewer observations than this are "n too small"."""


class Anchor(Struct, frozen=True, omit_defaults=True):
    """Where an indicator scores 0 (`poor`) and 100 (`good`), and who says so. `gate` names the threshold `good` is."""

    poor: float
    good: float
    scale: Literal["linear", "log"]
    weight: float
    source: str
    year: int | None = None
    gate: str = ""


class Indicator(Struct, frozen=True, omit_defaults=True):
    """One row of the content table. `shape` says what its query's rows are (see `over`)."""

    id: str
    lens: LensName
    title: str
    unit: str
    better: Literal["higher", "lower"]
    shape: Literal["share", "values", "rate", "ratio", "snapshot", "paths", "freshness", "stated"]
    why: str
    query: str = ""
    needs: tuple[str, ...] = ()
    source: str = ""
    """Who defines it so, where that is not this product; the anchor names its own."""
    given: str = ""
    """Rows that documents give, or complete: see `indicators_given`."""
    p: float = 0.5
    left_out: str = ""
    """Rows that it does not count."""
    none: str = ""
    """Why there may be no row although its records are there."""
    anchor: Anchor | None = None


class Content(Struct, frozen=True):
    """The shipped table."""

    version: str
    indicators: tuple[Indicator, ...]


@cache
def content() -> Content:
    """The shipped indicators and anchors."""
    file = resources.files("aether_tui.diagnostics") / "indicators.json"
    return msgspec.json.decode(file.read_bytes(), type=Content)


@cache
def known() -> dict[str, Indicator]:
    """The same by id."""
    return {one.id: one for one in content().indicators}


def score(value: float, anchor: Anchor) -> float:
    """0 at or beyond `poor`, 100 at or beyond `good`, between them linear in the value or in its logarithm."""
    if anchor.scale == "log":
        if value <= 0:
            return 100.0 if anchor.good < anchor.poor else 0.0
        place = math.log(value / anchor.poor) / math.log(anchor.good / anchor.poor)
    else:
        place = (value - anchor.poor) / (anchor.good - anchor.poor)
    return 100 * min(1.0, max(0.0, place))


def score_of(value: Quantity, anchor: Anchor | None) -> float | None:
    """The score of a value; None without one or without an anchor."""
    return None if anchor is None or value.value is None else score(value.value, anchor)


def anchored(indicator: Indicator, gate: Gate) -> Anchor | None:
    """Its anchor, with the gate's threshold where it is one."""
    anchor = indicator.anchor
    if anchor is None or not anchor.gate:
        return anchor
    return msgspec.structs.replace(anchor, good=getattr(gate, anchor.gate))


class Found:
    """Rows in the order of their days, of which a span takes a slice."""

    def __init__(self, rows: Sequence[Record]) -> None:
        dated = [(day, row) for row in rows if isinstance(day := row["day"], datetime)]
        dated.sort(key=itemgetter(0))
        self._days = [day for day, _ in dated]
        self._rows = [row for _, row in dated]

    def between(self, start: datetime, end: datetime) -> Sequence[Record]:
        """Those from `start` to before `end`."""
        return self._rows[bisect_left(self._days, start) : bisect_left(self._days, end)]

    def at(self, moment: datetime) -> Sequence[Record]:
        """Those of exactly that moment."""
        return self._rows[bisect_left(self._days, moment) : bisect_right(self._days, moment)]


def rows(indicator: Indicator, data: Data, spans: Sequence[Window], config: Config, given: Given) -> Found:
    """What its query or the documents answer for all the spans together."""
    if indicator.given:
        return Found(given.get(indicator.given, ()))
    if not indicator.query:
        return Found(())
    return Found(data.rows(indicator.query, **_asked(indicator, spans, config)))


def questions(them: Sequence[Indicator], spans: Sequence[Window], config: Config) -> tuple[Question, ...]:
    """What is asked for the rows of many, with what documents complete and what tells why some have none."""
    asked = [one for one in them if one.query and not one.given and one.shape != "freshness"]
    also = ("row_counts", "freshness", "discovery_items")
    return *((name, {}) for name in also), *((one.query, _asked(one, spans, config)) for one in asked)


def _asked(indicator: Indicator, spans: Sequence[Window], config: Config) -> dict[str, Parameter]:
    """Parameters of its query: `cuts` are the first midnights of spans and after them, between which days need not be told apart."""
    ends = {span.end for span in spans}
    if indicator.shape == "snapshot":
        return {"ats": sorted(ends)}
    cuts = sorted({_midnight(moment) for moment in ends.union(span.start for span in spans)})
    return {"cuts": cuts, "currency": config.engagement.currency, "fields_share": config.gate.fields_share}


def measure(indicator: Indicator, found: Found, span: Window, data: Data) -> Quantity:
    """Its value over a span, or why there is none."""
    if unable := _unfiltered(indicator, data):
        named = ", ".join(f"{name} {getattr(data.filters, name)}" for name in unable)
        return missing(f"its rows cannot be narrowed to {named}", unit=indicator.unit)
    value = over(indicator, found, span)
    if value is not None:
        return value
    counts = stored(data)
    for need in NEEDS:
        if need.table in indicator.needs and not counts.get(need.table):
            return missing(f"no {need.name} yet", unit=indicator.unit, connect=need.how)
    return missing(indicator.none or "nothing in this window", unit=indicator.unit)


_LIVE = ("environment",)
"""Queries that count production only (`$live`, or by definition) answer for the environment themselves."""


def _unfiltered(indicator: Indicator, data: Data) -> tuple[str, ...]:
    """Filters in use that its rows cannot honour; what only people can say has no rows."""
    if indicator.query:
        return data.unfiltered(indicator.query, _LIVE)
    return () if indicator.shape == "stated" else data.filters.set_names()


def over(indicator: Indicator, found: Found, span: Window) -> Quantity | None:
    """The value of rows within a span; None when there are none.

    share: `day, k, n` (k of n). values: `day, x` (a list), or `day, x, n` (lists: n times x). rate: `day, k` (events).
    ratio: `day, k, n, m` (amounts, m observations). snapshot: `day, k, n` at the span's very end. paths: counts of each path, of
    which it is asked whether all fields reach what is needed. In the place of a day may stand the latest of the `cuts` not after it.
    """
    start, end = _stored(span.start), _stored(span.end)
    inside = found.at(end) if indicator.shape == "snapshot" else found.between(start, end)
    if indicator.shape == "rate":
        return _rate(indicator, found, inside, span)
    if not inside:
        return None
    if indicator.shape == "values":
        return _values(indicator, inside)
    if indicator.shape == "ratio":
        return _ratio(indicator, inside)
    if indicator.shape == "paths":
        return _paths(indicator, inside)
    return _share(indicator, inside)


def _share(indicator: Indicator, inside: Sequence[Record]) -> Quantity:
    """None where a day has more of them than there are: its source miscounts, and nothing can be made of that."""
    counts = [(whole(row["k"]), whole(row["n"])) for row in inside]
    for row, (k, n) in zip(inside, counts, strict=True):
        if not 0 <= k <= n:
            reason = f"its source counts {k:,} of {n:,} on {row['day']:%-d %b %Y}, which is no share"
            return missing(reason, unit=indicator.unit, n=len(inside))
    k, n = sum(k for k, _ in counts), sum(n for _, n in counts)
    if n < MIN_N:
        return missing(f"n too small ({n}, needs {MIN_N})", unit=indicator.unit, n=n)
    low, high = intervals.wilson(k, n)
    return Quantity(value=k / n, unit=indicator.unit, n=n, low=low, high=high)


def _stored(moment: datetime) -> datetime:
    """An instant as rows carry it: naive, in UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _midnight(moment: datetime) -> datetime:
    """The first midnight that is not before it."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return day if day == moment else day + timedelta(days=1)


def _rate(indicator: Indicator, found: Found, inside: Sequence[Record], span: Window) -> Quantity | None:
    """Events per day; a span without any is a zero only when there were some not long before it."""
    start, took = _stored(span.start), span.end - span.start
    if not inside and not found.between(start - max(took, SILENT), start):
        return None
    events, length = sum(whole(row["k"]) for row in inside), took / timedelta(days=1)
    low, high = intervals.poisson(events)
    return Quantity(value=events / length, unit=indicator.unit, n=events, low=low / length, high=high / length)


def _values(indicator: Indicator, inside: Sequence[Record]) -> Quantity:
    counted: dict[float, int] = {}
    values: list[float] = []
    for row in inside:
        if "n" in row:
            for value, count in zip(numbers(row["x"]), numbers(row["n"]), strict=True):
                counted[value] = counted.get(value, 0) + int(count)
        else:
            values.extend(numbers(row["x"]))
    n = len(values) + sum(counted.values())
    if n < MIN_N:
        return missing(f"n too small ({n}, needs {MIN_N})", unit=indicator.unit, n=n)
    if counted:
        value, low, high = intervals.weighted_quantile(list(counted.items()), indicator.p)
    else:
        value, low, high = intervals.quantile(values, indicator.p)
    return Quantity(value=value, unit=indicator.unit, n=n, low=low, high=high)


def _ratio(indicator: Indicator, inside: Sequence[Record]) -> Quantity | None:
    pairs = [(real(row["k"]), real(row["n"])) for row in inside]
    if sum(bottom for _, bottom in pairs) <= 0:
        return None
    value, low, high = intervals.ratio(pairs)
    n = sum(whole(row["m"]) for row in inside)
    return Quantity(value=value, unit=indicator.unit, n=n, low=low, high=None if high is None else min(1.0, high))


def _paths(indicator: Indicator, inside: Sequence[Record]) -> Quantity | None:
    """How many paths are instrumented: a count of all of them, so without an interval."""
    counts: dict[str, dict[str, float]] = {}
    for row in inside:
        path = counts.setdefault(text(row["path"]), {"needed": real(row["needed"])})
        for name in ("calls", *_CARRIED):
            path[name] = path.get(name, 0.0) + real(row[name])
    called = [path for path in counts.values() if path["calls"]]
    if not called:
        return None
    whole_ones = sum(min(path[name] for name in _CARRIED) >= path["needed"] * path["calls"] for path in called)
    return Quantity(value=whole_ones / len(called), unit=indicator.unit, n=len(called))


_CARRIED = ("model", "input_tokens", "output_tokens", "latency")


def freshness(data: Data) -> Quantity:
    """Share of streams that are fresh now."""
    streams = data.freshness()
    if not streams:
        return missing("nothing has been pulled or loaded yet", unit="ratio", connect="any source")
    return fresh_share(streams)

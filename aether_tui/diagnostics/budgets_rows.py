"""The table of budgets: one row each, worst first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from msgspec import Struct

from aether_tui.budgets.model import Result, Series, Surface, Verdict
from aether_tui.diagnostics.budgets_detail import crossing_words
from aether_tui.diagnostics.budgets_live import Live
from aether_tui.human import age, amount, number, signed
from aether_tui.report_model import Cell, Col, Quantity, Row, Table, missing

BURN_H = (6, 24, 72)
_LIVE_COLUMNS = (
    Col(key="forecast", title="month's end (80 %)", kind="number", priority=8),
    Col(key="burn", title="6/24/72h", kind="number", priority=6),
    Col(key="crosses", title="used up", priority=7),
)


class Budgets(Struct, frozen=True, kw_only=True):
    """The verdict of all budgets, and each of them, worst first. `expired` are waivers that no longer hold."""

    verdict: Verdict
    counts: dict[str, int]
    currency: str
    budgets: tuple[Result, ...]
    live: tuple[Live, ...]
    """Those of a month, as they run: burn and forecast."""
    expired: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """Budgets with what they were judged by: series and age of the data by a row's name, live ones by a budget's id."""

    budgets: Budgets
    series: Mapping[str, Series]
    ages_s: Mapping[str, float]
    live: Mapping[str, Live]

    def running(self, one: Result) -> Live | None:
        """What a row of money spent, or of tokens used, is doing this month."""
        return self.live.get(one.id) if one.series == "spent" else None


_COLUMNS = (
    Col(key="state", title="verdict", kind="state", priority=10),
    Col(key="budget", title="budget", priority=10, least=26, middle=True),
    Col(key="now", title="now", kind="number", priority=9),
    Col(key="baseline", title="base", kind="number", priority=4),
    Col(key="shift", title="Δ", kind="number", priority=4),
    Col(key="limit", title="limit", kind="number", priority=8),
    Col(key="used", title="used", kind="bar", priority=8, width=10),
    *_LIVE_COLUMNS,
    Col(key="n", title="n", kind="number", priority=2),
    Col(key="recent", title="recent", kind="spark", priority=1, width=16),
    Col(key="age", title="age", kind="number", priority=3),
    Col(key="next", title="next", priority=2),
)


def table(found: Look, seen: set[Surface]) -> Table:
    """One row per budget. Without anything that runs by the month there are no columns for it."""
    rows = tuple(_row(one, found) for one in found.budgets.budgets if one.surface in seen)
    columns: tuple[Col, ...] = _COLUMNS
    if not found.live:
        kept = [place for place, column in enumerate(_COLUMNS) if column not in _LIVE_COLUMNS]
        columns = tuple(_COLUMNS[place] for place in kept)
        rows = tuple(msgspec.structs.replace(row, cells=tuple(row.cells[place] for place in kept)) for row in rows)
    return Table(id="budgets.rows", columns=columns, rows=rows, title="Budgets")


def _row(one: Result, found: Look) -> Row:
    currency, live = found.budgets.currency, found.running(one)
    unit = one.unit.replace(currency, "money")

    def quantity(value: float | None, reason: str, n: int | None = None, bound: float | None = None) -> Quantity:
        if value is None:
            return missing(reason, unit=unit)
        return Quantity(value=value, unit=unit, currency=currency, n=n, bound=bound)

    shift: Cell = None
    if one.shift is not None:
        shift = Quantity(value=one.shift, unit="ratio", low=one.shift_low, high=one.shift_high, n=one.n_now)
    counted = f"{one.n_now}/{one.n_base}" if one.n_base else str(one.n_now)
    sees = f"sees ≥{amount(one.smallest_detectable, 'ratio')}" if one.smallest_detectable else ""
    open_ = one.verdict != "pass"
    return Row(
        id=one.name,
        cells=(
            "waived" if one.waiver and one.verdict == "warn" else one.verdict,
            one.name,
            quantity(one.now, one.reason or one.why, one.n_now, one.limit),
            quantity(one.baseline, "no baseline yet", one.n_base),
            shift,
            _limit(one, unit, currency),
            one.share if live is None or one.share is None else (live.pace, one.share),
            *_live_cells(live),
            counted,
            one.recent or (live.days[-28:] if live else None),
            age(found.ages_s[one.name]) if one.name in found.ages_s else None,
            one.next if open_ else sees,
        ),
        state=one.verdict,
        why=f"{one.why}\naether-tui budget explain {one.id}",
        detail="; ".join(part for part in (one.why, sees, one.next and f"next: {one.next}") if part) if open_ else "",
    )


def _limit(one: Result, unit: str, currency: str) -> Cell:
    """The limit; without the unit that already stands at what is measured, unless that is a duration, which has many."""
    if one.limit is None:
        return missing("no absolute limit", unit=unit)
    if one.now is None or unit == "s":
        return Quantity(value=one.limit, unit=unit, currency=currency)
    return amount(one.limit, unit, currency).removesuffix(f" {unit.replace('money', currency)}")


def _live_cells(live: Live | None) -> tuple[str | None, ...]:
    """Forecast with its band, burn over 6, 24 and 72 hours, and when the limit is used up."""
    if live is None:
        return (None,) * len(_LIVE_COLUMNS)
    ahead = live.forecast
    band = (
        "rough"
        if ahead.low is None or ahead.high is None
        else f"[{_short(live, ahead.low)}–{_short(live, ahead.high)}]{' M' if _millions(live) else ''}"
    )
    rates = ["·" if (rate := live.rate(hours)) is None else signed(f"{round(rate, 1) + 0.0:.1f}") for hours in BURN_H]
    return (f"{_short(live, ahead.total)} {band}", " ".join(rates), crossing_words(live, short=True) or "not now")


def _millions(live: Live) -> bool:
    return live.unit == "tokens" and live.forecast.total >= 1e6


def _short(live: Live, value: float) -> str:
    return f"{value / 1e6:.1f}" if _millions(live) else number(round(value))

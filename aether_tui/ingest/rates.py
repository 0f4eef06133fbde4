"""Prices as a table to join with: the arithmetic of `prices.py` in SQL, exact to the last decimal.

Rates are whole billionths of a thousandth of a dollar (1e-12 USD) per token, so a cost is a sum of products of integers.
What does not fit into that (a price with more decimals, one that changes during the day) is `by_call`:
Python computes it, call by call.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

from aether_tui.ingest.prices import MILLION, NOT_CALLS, Prices, Rate, Rates
from aether_tui.records import Column, Row, Value
from aether_tui.records.definitions import CALLS

_ENDS: Final = 2**62
_MOST_PICO: Final = 10**9

COLUMNS: Final = (
    Column("provider", "text", "as the span"), Column("model", "text", "as the span"), Column("operation", "text", "as the span"),
    Column("day", "time", "UTC day of the call"), Column("price_version", "text", "of the table used"),
    Column("above", "int", "prompts longer than this"), Column("upto", "int", "and at most this long", "tokens"),
    Column("sold", "bool", "there is a price"), Column("by_call", "bool", "not to be computed by this table"),
    Column("input_counts", "bool", "no cost without input tokens"), Column("output_counts", "bool", "no cost without output tokens"),
    Column("input", "int", "rate"), Column("cached", "int", "rate"), Column("written", "int", "rate"),
    Column("output", "int", "rate"), Column("reasoning", "int", "rate"), Column("request", "int", "per call"),
)  # fmt: skip
"""Columns of the table `rates`; an absent rate is null: sold as the whole it is part of."""

_PROMPT = "coalesce(c.input_tokens, 0)"
JOIN: Final = (
    "LEFT JOIN rates AS p ON p.provider IS NOT DISTINCT FROM c.provider AND p.model = c.model "
    "AND p.operation IS NOT DISTINCT FROM c.operation AND p.day = coalesce(date_trunc('day', c.start), TIMESTAMP '1970-01-01') "
    f"AND {_PROMPT} > p.above AND {_PROMPT} <= p.upto"
)
"""Joins spans `c` (clean raw columns) with their rates `p`."""

_CALL = "(p.model IS NOT NULL AND (c.input_tokens IS NOT NULL OR c.output_tokens IS NOT NULL))"
_TOLD = f"(c.reported_cost_usd IS NOT NULL AND lower(coalesce(c.operation, '')) IN {CALLS})"
BY_CALL: Final = f"coalesce({_CALL} AND c.reported_cost_usd IS NULL AND p.by_call, FALSE)"
"""SQL condition: Python must compute this one."""

_CACHED, _WRITTEN, _REASONED = (
    f"coalesce(c.{name}, 0)" for name in ("cached_tokens", "cache_write_tokens", "reasoning_tokens")
)
_REST_IN = f"({_PROMPT} - CASE WHEN p.cached IS NULL THEN 0 ELSE {_CACHED} END - CASE WHEN p.written IS NULL THEN 0 ELSE {_WRITTEN} END)"
_REST_OUT = f"(coalesce(c.output_tokens, 0) - CASE WHEN p.reasoning IS NULL THEN 0 ELSE {_REASONED} END)"
_KNOWN = (
    "p.sold AND NOT (p.input_counts AND c.input_tokens IS NULL) AND NOT (p.output_counts AND c.output_tokens IS NULL) "
    f"AND {_REST_IN} >= 0 AND {_REST_OUT} >= 0 AND {_CACHED} >= 0 AND {_WRITTEN} >= 0 AND {_REASONED} >= 0"
)
_PICO = (
    f"p.request + coalesce({_REST_IN} * p.input, 0) + coalesce({_CACHED} * p.cached, 0) + coalesce({_WRITTEN} * p.written, 0) "
    f"+ coalesce({_REST_OUT} * p.output, 0) + coalesce({_REASONED} * p.reasoning, 0)"
)
_PRICED = f"CASE WHEN {_KNOWN} THEN CAST({_PICO} AS DECIMAL(19, 0)) * CAST(0.000000000001 AS DECIMAL(12, 12)) END"
DERIVED: Final = {
    "cost_usd": f"CASE WHEN {_CALL} THEN coalesce(c.reported_cost_usd, {_PRICED}) WHEN {_TOLD} THEN c.reported_cost_usd END",
    "cost_status": f"CASE WHEN {_CALL} THEN CASE WHEN c.reported_cost_usd IS NOT NULL THEN 'reported' WHEN {_KNOWN} THEN 'priced' "
    f"ELSE 'unpriced' END WHEN {_TOLD} THEN 'reported' END",
    "price_version": f"CASE WHEN {_CALL} AND c.reported_cost_usd IS NULL THEN p.price_version END",
}
"""Derived columns in SQL over `c` and `p`."""


NONE: Final[Row] = (*[None] * 5, -_ENDS, _ENDS, *[False] * 4, *[None] * 5, 0)
"""What stands for the rates of a span that is no call."""


def day_of(start: Value) -> datetime:
    """The day whose rates a call that started then pays."""
    return start if isinstance(start, datetime) else datetime(1970, 1, 1)  # noqa: DTZ001  # instants in rows are naive UTC


def rate_rows(
    prices: Prices, provider: str | None, model: str | None, operation: str | None, day: datetime
) -> Iterator[Row]:
    """Rows of `rates` for one model on one day: one for each range of prompt lengths; none for what is no call."""
    if not model or operation in NOT_CALLS:
        return
    found = prices.of_day(provider or None, model, day)
    head = (provider, model, operation, day, found.price_version)
    rates = found.rates
    if rates is None or (rates.input is None and rates.output is None):
        yield (*head, -_ENDS, _ENDS, False, False, *[False] * 2, *[None] * 5, 0)
        return
    if found.varies or not _whole(rates):
        yield (*head, -_ENDS, _ENDS, True, True, *[False] * 2, *[None] * 5, 0)
        return
    parts = (rates.input, rates.cached, rates.cache_write, rates.output, rates.reasoning)
    starts = sorted({start for rate in parts if rate is not None for start, _ in rate.tiers})
    counts = [rate is not None and rate.base > 0 for rate in (rates.input, rates.output)]
    for above, upto in zip([-_ENDS, *starts], [*starts, _ENDS], strict=True):
        each = [None if rate is None else int(rate.of(upto) * MILLION) for rate in parts]
        yield (*head, above, upto, True, False, *counts, *each, int(rates.usd_per_request * MILLION * MILLION))


def _whole(rates: Rates) -> bool:
    """Whether every price is a whole number of the unit, and small enough that no sum overflows."""
    parts = (rates.input, rates.cached, rates.cache_write, rates.output, rates.reasoning)
    pico = [price * MILLION for rate in parts if rate is not None for price in _prices(rate)]
    per_call = rates.usd_per_request * MILLION * MILLION
    fits = all(0 <= one <= _MOST_PICO for one in pico) and 0 <= per_call <= 10**12
    return fits and all(one == one.to_integral_value() for one in (*pico, per_call))


def _prices(rate: Rate) -> Iterator[Decimal]:
    yield rate.base
    yield from (price for _, price in rate.tiers)

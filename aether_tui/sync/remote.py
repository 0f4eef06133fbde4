"""What a workspace makes of spans, for a source that computes rollups where its spans are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from aether_tui.ingest import Ingest, rates
from aether_tui.records import Row, Value
from aether_tui.records.source import Derived
from aether_tui.records.tables import SPANS

_T = TypeVar("_T")
_COLUMNS = tuple(column.name for column in SPANS.columns)
_DERIVED = tuple(column.name for column in SPANS.derived)
_RATES = tuple(column.name for column in rates.COLUMNS)


class InThread(Protocol):
    """Runs work where the cache is used: `Ingest` is not for two threads at once."""

    def __call__(self, work: Callable[[], _T]) -> Awaitable[_T]: ...


class Remote:
    """The mapping and the prices of a workspace, asked from afar."""

    cost_usd = rates.DERIVED["cost_usd"]

    def __init__(self, ingest: Ingest, in_thread: InThread) -> None:
        self._ingest = ingest
        self._in_thread = in_thread
        self.attributes = ingest.deriver.asked
        self.version = ingest.mapping_hash

    async def derive(self, spans: Sequence[Row]) -> Sequence[Derived]:
        """Dimensions and rates of each raw row."""
        return await self._in_thread(lambda: [self._derived(row) for row in self._ingest.prepare(SPANS, spans)])

    def _derived(self, row: Row) -> Derived:
        span = dict(zip(_COLUMNS, row, strict=True))
        dimensions = {name: span[name] for name in _DERIVED}
        found = [dict(zip(_RATES, rate, strict=True)) for rate in self._rates(span)]
        by_call = any(rate["by_call"] for rate in found)
        if by_call:
            found = [{**rate, "sold": False} for rate in found]
        return Derived(dimensions, found or [_NO_CALL], by_call)

    def _rates(self, span: dict[str, Value]) -> list[Row]:
        provider, model, operation = (_text(span[name]) for name in ("provider", "model", "operation"))
        prices, day = self._ingest.deriver.prices, rates.day_of(span["start"])
        return list(rates.rate_rows(prices, provider, model, operation, day))


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None


_NO_CALL = dict(zip(_RATES, rates.NONE, strict=True))

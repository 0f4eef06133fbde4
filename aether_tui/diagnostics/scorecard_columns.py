"""Rows of a query that hold lists: a service's deployments or changes as columns in the order of time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from aether_tui.diagnostics.frame import Record, numbers, text, whole
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.records.model import Value
    from aether_tui.report_model import Window

STAGES = ("coding", "pickup", "review", "unreviewed", "deploy")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """Since 1970, as the columns have them."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def within(ordered: Sequence[int], span: Window) -> slice:
    """Where the moments of a span are."""
    return slice(*(bisect_left(ordered, microseconds(end)) for end in (span.start, span.end)))


def count(ordered: Sequence[int], span: Window) -> int:
    """How many moments are in a span."""
    return len(ordered[within(ordered, span)])


@lru_cache(maxsize=1024)
def named(service: str) -> str:
    """A service as it is shown, under which rows are put together."""
    return one_line(service, 80)


def by_service(rows: Sequence[Record]) -> dict[str, list[Record]]:
    """Rows of services by the name that is shown."""
    found: dict[str, list[Record]] = {}
    for row in rows:
        found.setdefault(named(text(row["service"])), []).append(row)
    return found


def columns(rows: Sequence[Record], names: Sequence[str]) -> list[Sequence[Value]]:
    """Columns of one row; of several in the order of the first column, then of the next."""
    if len(rows) == 1:
        return [_list(rows[0][name]) for name in names]
    cells = sorted(cell for row in rows for cell in zip(*(_list(row[name]) for name in names), strict=True))
    return [list(column) for column in zip(*cells, strict=True)] or [() for _ in names]


def _list(value: Value) -> Sequence[Value]:
    return value if isinstance(value, list) else ()


@dataclass(slots=True)
class Carried:
    """Merged changes of a service: the lead time of those that were deployed, the parts of it of those of the window."""

    at_us: Sequence[int] = ()
    total_s: Sequence[float] = ()
    parts_s: Mapping[str, Sequence[float]] = field(default_factory=dict)
    waiting: int = 0

    @classmethod
    def of(cls, rows: Sequence[Record]) -> Carried:
        """From the services of `sql/scorecard_changes.sql` that have one name."""
        at_us, total_s = cast("tuple[Sequence[int], Sequence[float]]", columns(rows, ("at_us", "total_s")))
        parts = {name: [second for row in rows for second in numbers(row[name])] for name in STAGES}
        return cls(at_us, total_s, parts, sum(whole(row["waiting"]) for row in rows))

    def lead_s(self, span: Window) -> Sequence[float]:
        """Lead times of what was deployed in a span."""
        return self.total_s[within(self.at_us, span)]

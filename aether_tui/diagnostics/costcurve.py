"""The cost curve of requests: what one costs at p50, p95 and p99, and how much of all cost the dearest ones make."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec import Struct

from aether_tui.diagnostics import metrics
from aether_tui.diagnostics.frame import Data, instant, real, whole
from aether_tui.human import amount
from aether_tui.report_model import Block, Col, Fact, Facts, Quantity, Row, Table, Trend, Window
from aether_tui.stats.intervals import nearest_rank, quantile_ranks

QUANTILES = (0.5, 0.95, 0.99)
TOPS = (0.01, 0.05, 0.1, 0.25, 0.5)


class Top(Struct, frozen=True, kw_only=True):
    """The dearest share of the requests, how many they are, and their share of all cost."""

    requests_share: float
    requests: int
    cost_share: float


class CostCurve(Struct, frozen=True, kw_only=True):
    """Requests of which every call has a cost. `per_day` is the cost of all model calls, in USD, from `first_day` on."""

    n: int
    total: Quantity
    p50: Quantity
    p95: Quantity
    p99: Quantity
    tops: tuple[Top, ...]
    first_day: datetime
    per_day: tuple[float, ...]


def measure(data: Data, span: Window) -> CostCurve | None:
    """The curve over a span; None when no request has a cost."""
    counted = data.rows("gate_cost_count", from_day=span.start, until_day=span.end)
    n = whole(counted[0]["n"]) if counted else 0
    total = real(counted[0]["total"]) if counted else 0.0
    if n == 0 or total <= 0:
        return None
    bounds = {p: (nearest_rank(n, p), *quantile_ranks(n, p)) for p in QUANTILES}
    below = {share: n - max(1, round(share * n)) for share in TOPS}
    ranks = sorted(
        {rank for bound in bounds.values() for rank in bound if rank} | {rank for rank in below.values() if rank}
    )
    found = data.rows("gate_cost_ranks", from_day=span.start, until_day=span.end, ranks=ranks)
    cost = {whole(row["rank"]): real(row["cost"]) for row in found}
    up_to = {whole(row["rank"]): real(row["share"]) for row in found}

    def at(p: float) -> Quantity:
        middle, low, high = bounds[p]
        return Quantity(
            value=cost[middle],
            unit="USD",
            n=n,
            low=cost[low] if low else None,
            high=cost[high] if high else None,
        )

    first, per_day = _daily(data, span)
    return CostCurve(
        n=n,
        total=Quantity(value=total, unit="USD", n=n),
        p50=at(0.5),
        p95=at(0.95),
        p99=at(0.99),
        tops=tuple(
            Top(requests_share=share, requests=n - rank, cost_share=1 - up_to[rank] if rank else 1.0)
            for share, rank in below.items()
        ),
        first_day=first,
        per_day=per_day,
    )


def _daily(data: Data, span: Window) -> tuple[datetime, tuple[float, ...]]:
    """Cost per day from the first day with any; a day without calls costs nothing."""
    rows = data.rows("gate_cost_daily", from_day=span.start, until_day=span.end)
    by_day = {day: real(row["cost"]) for row in rows if (day := instant(row["day"])) is not None}
    first = min(by_day, default=span.start.astimezone(UTC))
    days = (max(by_day, default=first) - first).days + 1
    return first, tuple(by_day.get(first + timedelta(days=step), 0.0) for step in range(days))


_ASKS = f"{metrics.asks('gate_cost_ranks', 'gate_cost_daily')}\naether-tui report gate --format json"


def blocks(curve: CostCurve) -> list[Block]:
    """Key figures, who makes the cost, cost per day."""
    facts = [("p50", curve.p50), ("p95", curve.p95), ("p99", curve.p99)]
    return [
        Facts(
            id="gate.cost",
            title="Cost per request",
            facts=tuple(
                Fact(
                    id=f"gate.cost.{name}",
                    label=name,
                    value=value,
                    why=metrics.why("gate.cost"),
                )
                for name, value in facts
            ),
        ),
        Table(
            id="gate.cost.tops",
            title="Who makes the cost",
            columns=(
                Col(key="requests", title="dearest requests", kind="number"),
                Col(key="n", title="n", kind="number"),
                Col(key="share", title="share of cost", kind="number"),
            ),
            rows=tuple(
                Row(
                    id=f"top{one.requests_share:g}",
                    cells=(amount(one.requests_share, "ratio"), one.requests, amount(one.cost_share, "ratio")),
                    why=f"Cost of the dearest requests ÷ cost of all.\n{_ASKS}",
                )
                for one in curve.tops
            ),
        ),
        Trend(
            id="gate.cost.daily",
            title="Cost per day",
            start=curve.first_day,
            values=curve.per_day,
            unit="USD",
            why=f"Sum of what the requests of a day cost.\n{_ASKS}",
        ),
    ]

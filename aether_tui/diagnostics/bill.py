"""Model cost as traces tell it, beside what the model providers billed, and how many calls have no price."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from aether_tui.diagnostics import metrics
from aether_tui.diagnostics.frame import Data, Record, instant, real_or_null, text, whole
from aether_tui.human import plural
from aether_tui.report_model import Fact, Facts, Quantity
from aether_tui.text import plain


class Bill(Struct, frozen=True, kw_only=True):
    """Reconciliation over the billed days from the first to the last that both sides have, in USD. `ratio` is traced over billed;
    null with a `reason`, also where providers bill in `other_currencies`. `unbilled_days` between them have traces and no bill.

    `unpriced_share` is the share of model calls in the window whose model has no price.
    """

    first_day: datetime | None
    last_day: datetime | None
    traced_usd: float | None
    billed_usd: float | None
    ratio: float | None
    reason: str | None
    unbilled_days: int
    other_currencies: str | None
    calls: int
    unpriced_calls: int
    unpriced_share: float | None


def reconcile(data: Data) -> Bill:
    """Traced and billed model cost of the window."""
    row: Record = next(iter(data.rows("sources_bill")), {})
    calls, unpriced = whole(row.get("calls")), whole(row.get("unpriced"))
    others = text(row.get("other_currencies"))
    traced, billed = real_or_null(row.get("traced_usd")), real_or_null(row.get("billed_usd"))
    reason = None
    if not calls:
        reason = "no model call in this window"
    elif not row.get("billed_at_all"):
        reason = "no bill of a model provider in this window"
        if others:
            reason = f"model providers bill in {plain(others)}, and only USD can be compared"
    elif others:  # traces do not say whose bill a call is on
        reason = f"model providers bill in {plain(others)} too, and only USD can be compared"
    elif billed is None or not whole(row.get("common_days")):
        reason = "traces and bill have no day in common"
    elif traced is None:
        reason = "no call of the days that traces and bill have in common has a price"
    elif billed <= 0:
        reason = "the bill of these days is not above 0"
    return Bill(
        first_day=instant(row.get("first_day")) if reason is None else None,
        last_day=instant(row.get("last_day")) if reason is None else None,
        traced_usd=traced,
        billed_usd=billed,
        ratio=traced / billed if reason is None and traced is not None and billed else None,
        reason=reason,
        unbilled_days=whole(row.get("unbilled_days")) if reason is None else 0,
        other_currencies=plain(others) if others else None,
        calls=calls,
        unpriced_calls=unpriced,
        unpriced_share=unpriced / calls if calls else None,
    )


def facts(bill: Bill) -> Facts:
    """Two key figures: how much of the bill traces explain, and how many calls have no price."""
    note = ""
    if bill.ratio is not None and bill.first_day is not None and bill.last_day is not None:
        note = (
            f"{bill.traced_usd:,.2f} USD of {bill.billed_usd:,.2f} USD, {bill.first_day:%d %b} to {bill.last_day:%d %b}"
        )
        if bill.unbilled_days:
            note += f", without {plural(bill.unbilled_days, 'day')} that nobody billed"
    return Facts(
        id="sources.bill",
        facts=(
            Fact(
                id="sources.bill.ratio",
                label="model cost traced",
                value=Quantity(value=bill.ratio, unit="ratio", reason=bill.reason),
                note=note,
                why=metrics.why("sources.bill"),
            ),
            Fact(
                id="sources.unpriced",
                label="calls without a price",
                value=Quantity(
                    value=bill.unpriced_share,
                    unit="ratio",
                    n=bill.calls or None,
                    reason=None if bill.calls else "no model call in this window",
                ),
                why=metrics.why("sources.unpriced"),
            ),
        ),
    )

"""Amounts of money, exactly as they were written: never through a float of ours."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from aether_tui.records.model import MOST_MONEY


def money(value: object) -> Decimal | None:
    """An amount from text, a Decimal or a JSON number; null where it is none, not finite, or beyond `MOST_MONEY`."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) <= MOST_MONEY else None


def total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum of what is known; null when nothing is."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None

"""Amounts of money, exactly as they were written: never through a float of ours."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation


def money(value: object) -> Decimal | None:
    """An amount from text, a Decimal or a JSON number; null where it is none, or not finite."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum of what is known; null when nothing is."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None

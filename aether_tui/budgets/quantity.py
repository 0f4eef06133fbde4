"""Quantities of a budget: a number and a unit, written as text (`15min`, `500 USD/month`, `10%`). Bare numbers are refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

_SECONDS = {
    "ms": Decimal("0.001"), "s": Decimal(1), "sec": Decimal(1), "min": Decimal(60), "m": Decimal(60), "h": Decimal(3600),
}  # fmt: skip
NUMBER = r"(?:[1-9][0-9]{0,2}(?:,[0-9]{3})+|[0-9][0-9_]*)(?:\.[0-9]+)?"
"""A comma parts thousands or nothing: `0,10 USD` would be read as ten."""
_TEXT = re.compile(rf"\s*({NUMBER})\s*([A-Za-z%]+)\s*(?:/\s*([a-z]+))?\s*")

EXAMPLES = {
    "s": "15min",
    "money/month": "500 USD/month",
    "money/task": "0.10 USD/task",
    "tokens/task": "4000 tokens/task",
    "tokens/month": "40_000_000 tokens/month",
    "s/turn": "8 s/turn",
    "tests": "3 tests",
}
"""How a quantity of each kind is written."""


class BadQuantity(ValueError):
    """Not a quantity; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in its base unit: seconds, a currency's units, tokens, tests. `currency` is set for money."""

    value: Decimal
    kind: str
    currency: str = ""


def parse_quantity(text: object, kind: str, example: str = "") -> Quantity:
    """A quantity of `kind` (a key of EXAMPLES). Raises BadQuantity naming what to write."""
    write = f"write for example {example or EXAMPLES[kind]}"
    if not isinstance(text, str):
        raise BadQuantity(f"{text!s} has no unit; {write}")
    match = _TEXT.fullmatch(text)
    if not match:
        bare = re.fullmatch(r"\s*[0-9_,.]+\s*", text)
        raise BadQuantity(
            f"{text!r} has no unit; {write}" if bare else f"{text!r} is not a number with a unit; {write}"
        )
    value = Decimal(re.sub("[_,]", "", match[1]))
    unit, per = match[2], match[3] or ""
    base, _, wanted_per = kind.partition("/")
    if per != wanted_per:
        raise BadQuantity(f"{text!r} is {'per ' + per if per else 'not per ' + wanted_per}; {write}")
    if base == "s" and unit in _SECONDS:
        return Quantity(value * _SECONDS[unit], kind)
    if base == "money" and re.fullmatch("[A-Z]{3}", unit):
        return Quantity(value, kind, unit)
    if unit == base:
        return Quantity(value, kind)
    raise BadQuantity(f"{unit!r} is not a unit of this metric; {write}")


def parse_share(text: object) -> Decimal:
    """`10%` as 0.10. Raises BadQuantity."""
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*", text) if isinstance(text, str) else None
    if not match:
        raise BadQuantity(f"{text!s} is not a percentage; write for example 10%")
    return Decimal(match[1]) / 100


def units(base: str) -> tuple[str, ...]:
    """Units of a base (`s`, `money`, `tokens`, `tests`), as regular expressions."""
    return {"s": tuple(_SECONDS), "money": ("[A-Z]{3}",)}.get(base, (base,))

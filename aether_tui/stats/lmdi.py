"""A change split into its factors without a rest: the additive logarithmic mean Divisia index (LMDI-I).

Ang, B. W. (2005), "The LMDI approach to decomposition analysis: a practical guide", Energy Policy 33, 867–871; what appears or
vanishes by its analytical limit, Ang & Liu (2007), "Handling zero values in the LMDI decomposition approach", Energy Policy 35.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Factor = Literal["volume", "mix", "errors", "tokens", "price"]
FACTORS: tuple[Factor, ...] = get_args(Factor)


@dataclass(frozen=True, slots=True)
class Use:
    """What one kind of call used in a window: calls, of which some failed, tokens, money."""

    calls: float
    errors: float
    tokens: float
    cost: float


def log_mean(a: float, b: float) -> float:
    """The logarithmic mean (a − b) ÷ ln(a ÷ b) of two positive numbers."""
    if math.isclose(a, b, rel_tol=1e-9):
        return (a + b) / 2
    return (a - b) / (math.log(a) - math.log(b))


def decompose(before: Mapping[str, Use], after: Mapping[str, Use]) -> dict[str, dict[Factor, float]]:
    """Per kind of call, the money that each factor added; all of them sum to the change of the whole cost.

    cost = volume × mix × errors × tokens × price: calls that succeeded, the kind's share of them, calls made for one that
    succeeded, tokens per call, money per token. A kind that none of succeeded in a window counts all its calls in both.
    What costs nothing in one window changed by its mix when it had no calls there, by tokens when it had no tokens, else by price.
    """
    nothing = Use(0, 0, 0, 0)
    kinds = sorted({*before, *after})
    pairs = {kind: (before.get(kind, nothing), after.get(kind, nothing)) for kind in kinds}
    good = {kind: _good(*pair) for kind, pair in pairs.items()}
    volume = sum(one for one, _ in good.values()), sum(two for _, two in good.values())
    return {kind: _parts(*pairs[kind], good[kind], volume) for kind in kinds}


def _good(one: Use, two: Use) -> tuple[float, float]:
    """Calls that succeeded; all calls, where none did in one of the windows."""
    found = one.calls - one.errors, two.calls - two.errors
    if min(found) <= 0:
        return one.calls, two.calls
    return found


def _parts(one: Use, two: Use, good: tuple[float, float], volume: tuple[float, float]) -> dict[Factor, float]:
    parts: dict[Factor, float] = dict.fromkeys(FACTORS, 0.0)
    change = two.cost - one.cost
    if min(one.cost, two.cost) <= 0 or min(good) <= 0 or min(one.tokens, two.tokens) <= 0:
        parts[_whole(one, two, good)] = change
        return parts
    weight = log_mean(two.cost, one.cost)
    ln = math.log  # of each number, never of a quotient: a tiny cost would make that one infinite
    logs: dict[Factor, float] = {
        "volume": ln(volume[1]) - ln(volume[0]),
        "mix": ln(good[1]) - ln(volume[1]) - ln(good[0]) + ln(volume[0]),
        "errors": ln(two.calls) - ln(good[1]) - ln(one.calls) + ln(good[0]),
        "tokens": ln(two.tokens) - ln(two.calls) - ln(one.tokens) + ln(one.calls),
        "price": ln(two.cost) - ln(two.tokens) - ln(one.cost) + ln(one.tokens),
    }
    return {factor: weight * log for factor, log in logs.items()}


def _whole(one: Use, two: Use, good: tuple[float, float]) -> Factor:
    if min(good) <= 0:
        return "mix"
    return "tokens" if min(one.tokens, two.tokens) <= 0 else "price"

"""A lever: something that would make a surface faster or cheaper, its saving as a range, and the rows behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from aether_tui.budgets.model import Surface
from aether_tui.stats.ranks import quantile

DAYS_A_MONTH = 30.44


class Lever(Struct, frozen=True, kw_only=True):
    """What could be saved: `low` to `high` of `unit` (s per run, money per month). `why` says how the bounds come about.

    `rows` are what it rests on: a name and what it contributes, largest first. `n` is what was counted (`of` says what).
    """

    id: str
    surface: Surface
    lever: str
    where: str
    low: float
    high: float
    unit: Literal["s/run", "money/month"]
    currency: str = "USD"
    n: int
    of: str
    why: str
    rows: tuple[tuple[str, str], ...] = ()


class Unknown(Struct, frozen=True, kw_only=True):
    """A lever the cached records say nothing about, and why."""

    surface: Surface
    lever: str
    reason: str


Found = tuple[list[Lever], list[Unknown]]


def median(values: Iterable[float]) -> float:
    """The middle one, nearest rank: a value that was measured."""
    return quantile(list(values), 0.5)


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """First and third quartile, nearest rank."""
    return quantile(values, 0.25), quantile(values, 0.75)

"""What is measured and what is said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct

Surface = Literal["ci", "cost", "tests", "llm"]
Verdict = Literal["pass", "warn", "block", "inconclusive", "no-data"]
WORST_FIRST: tuple[Verdict, ...] = ("block", "inconclusive", "warn", "no-data", "pass")
"""Order of rows, and of verdicts within one: the first decides."""

MIN_RUN_RATE_DAYS = 3
"""A month younger than this has no pace."""
DRIFT_DAYS = (76, 104)
"""How long ago "90 days ago" is: two weeks around it."""


class Used(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Calls of one model within a sample, and their tokens in all; cached ones are part of the input."""

    model: str
    provider: str = ""
    calls: int
    input_tokens: int
    cached_tokens: int = 0
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement: a run, or a day of tasks (`n` of them). `fingerprint` names the machine or model it ran on,
    `commit` what was measured, where known.
    """

    value: float
    at: datetime | None = None
    fingerprint: str = ""
    n: int = 1
    commit: str = ""
    usage: tuple[Used, ...] = ()
    """The model calls a cost comes from, to price it again."""
    usd: float | None = None
    """What those calls cost when they were measured."""


@dataclass(frozen=True, slots=True)
class Series:
    """Measurements of one thing, oldest first: `now` is judged, `base` came before, `drift` is from 90 days ago.

    `problem` says why `now` can never pass (a partial report); `drivers` name what it is made of, largest first.
    """

    name: str
    now: tuple[Sample, ...] = ()
    base: tuple[Sample, ...] = ()
    drift: tuple[Sample, ...] = ()
    problem: str = ""
    drivers: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    """What it is about, by keys of `match`."""
    source: str = ""
    """Where `base` comes from, when a file of baselines: its name."""

    def comparable(self) -> tuple[Sample, ...]:
        """The part of `base` with the fingerprint of the newest measurement."""
        mark = self.now[-1].fingerprint if self.now else ""
        return tuple(sample for sample in self.base if sample.fingerprint == mark)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Monthly cost of an environment by plan. `past` is None for what is new; `errors` make it incomplete."""

    monthly: Decimal
    past: Decimal | None
    currency: str
    projects: int = 1
    errors: tuple[str, ...] = ()
    source: str = ""
    """The file `past` comes from, when it is a file of baselines."""


@dataclass(frozen=True, slots=True)
class Spend:
    """Money spent in the month so far. `before` is the month before over as long, None when not all of that is known."""

    spent: Decimal
    currency: str
    days: float
    """Days with charges known, from the first of the month on; the last may have begun only."""
    days_in_month: int
    before: Decimal | None = None
    last_month: Decimal | None = None
    """All of the month before, where it is known from its first day on."""

    @property
    def paced(self) -> bool:
        """Whether the month is old enough for a pace."""
        return self.days >= MIN_RUN_RATE_DAYS

    @property
    def run_rate(self) -> Decimal:
        """Spending as until now to the month's end: a straight line, no forecast."""
        return self.spent / Decimal(self.days) * self.days_in_month


Measured = Series | Estimate | Spend


class Result(Struct, frozen=True, kw_only=True):
    """One budget against one series. Money and times in the unit given; `shift` and its bounds are shares of the baseline.

    `now` is null with a `reason` when nothing was measured. `p_value` is adjusted for the other budgets of the run.
    """

    id: str
    series: str
    surface: Literal["ci", "cost", "tests", "llm"]
    metric: str
    verdict: Verdict
    now: float | None
    unit: str
    baseline: float | None
    limit: float | None
    shift: float | None
    shift_low: float | None = None
    shift_high: float | None = None
    p_value: float | None = None
    p_alone: float | None = None
    """The p-value of this budget by itself: below 0.01 it may warn."""
    n_now: int
    n_base: int
    smallest_detectable: float | None = None
    need_more: int | None = None
    share: float | None = None
    """Share of the limit used."""
    drift: float | None = None
    """Shift against 90 days ago, as a share."""
    run_rate: float | None = None
    why: str
    next: str = ""
    waiver: str | None = None
    reason: str | None = None
    drivers: tuple[str, ...] = ()
    recent: tuple[float, ...] = ()
    """Baseline and current measurements, oldest first."""
    base_source: str = ""
    """The file of baselines that was compared with, and as of which commit; empty for the cache and for the reports."""
    justification: str | None = None
    """The reason a commit of the change gives for a warning."""
    carried: Verdict | None = None
    """What was said of it when it was last measured, where this run did not (`on_missing: carry`)."""
    age_s: float | None = None
    """How long ago that was."""

    @property
    def name(self) -> str:
        """`ci.main`, or `llm.task.cost · refund`."""
        return f"{self.id} · {self.series}" if self.series else self.id

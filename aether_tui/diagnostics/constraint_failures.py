"""Failure review: what a sample of failed traces failed of, as shares with intervals and as money a month (diagnostics E)."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct

from aether_tui.human import amount
from aether_tui.report_model import Quantity, missing
from aether_tui.stats.agreement import cohen_kappa
from aether_tui.stats.intervals import wilson
from aether_tui.text import one_line
from aether_tui.workspace.kinds.failure_review import FailureReview, Reviewed

MONTH_DAYS = 365.25 / 12
AGREES = 0.6
"""Kappa from which two raters agree substantially (Landis & Koch 1977, Biometrics 33:159)."""
WANTED = 50


class Cause(Struct, frozen=True, kw_only=True):
    """A cause, its share of the reviewed failures, and what that costs a month."""

    key: str
    label: str
    share: Quantity
    per_month: Quantity


class Failures(Struct, frozen=True, kw_only=True):
    """A review: what was sampled, how far it is, and its causes by share."""

    id: str
    title: str
    sampled: int
    reviewed: int
    failed: int
    days: int
    failures_per_month: float
    kappa: Quantity
    rated_twice: int
    causes: tuple[Cause, ...]
    sentence: str | None


def measure(review: FailureReview) -> Failures:
    """The causes of a review. The first rater's count; kappa says how far a second one would say the same."""
    days = (review.end - review.start).days
    per_month = review.failed / days * MONTH_DAYS
    rated = [item for item in review.traces if item.cause]
    causes = _causes(review, rated, per_month)
    twice = [(item.cause, item.second) for item in review.traces if item.cause and item.second]
    return Failures(
        id=review.id,
        title=one_line(review.title),
        sampled=len(review.traces),
        reviewed=len(rated),
        failed=review.failed,
        days=days,
        failures_per_month=per_month,
        kappa=_kappa(twice),
        rated_twice=len(twice),
        causes=causes,
        sentence=_sentence(causes[0]) if causes else None,
    )


def _causes(review: FailureReview, rated: list[Reviewed], per_month: float) -> tuple[Cause, ...]:
    counts = Counter(item.cause for item in rated)
    found = []
    for key, k in counts.most_common():
        low, high = wilson(k, len(rated))
        share = Quantity(value=k / len(rated), unit="ratio", n=len(rated), low=low, high=high)
        found.append(
            Cause(key=key, label=one_line(review.causes[key]), share=share, per_month=_cost(review, share, per_month))
        )
    return tuple(found)


def _cost(review: FailureReview, share: Quantity, per_month: float) -> Quantity:
    each = review.cost_per_failure
    if each is None:
        return missing(f"{review.id} names no cost_per_failure", unit="money/month")
    value, low, high = ((part or 0) * per_month * each for part in (share.value, share.low, share.high))
    return Quantity(
        value=value, unit="money/month", n=share.n, low=low, high=high, currency=review.currency, stated=True
    )


def _kappa(twice: list[tuple[str, str]]) -> Quantity:
    value = cohen_kappa(twice)
    if value is None:
        why = "both raters gave one cause to everything" if twice else "nobody has rated a second time"
        return missing(why, n=len(twice))
    return Quantity(value=value, n=len(twice))


def _sentence(cause: Cause) -> str:
    share = cause.share
    low, high = (round(100 * (part or 0)) for part in (share.low, share.high))
    text = (
        f"{cause.label[:1].upper()}{cause.label[1:]} is responsible for an estimated "
        f"{round(100 * (share.value or 0))} % [{low}–{high}] of failed resolutions"
    )
    cost = cause.per_month
    if cost.value is None or cost.low is None or cost.high is None:
        return f"{text} (n {share.n})."
    low_cost, high_cost = (amount(part, "money", cost.currency).rpartition(" ")[0] for part in (cost.low, cost.high))
    return f"{text}, {amount(cost.value, 'money/month', cost.currency)} [{low_cost}–{high_cost}] (n {share.n})."

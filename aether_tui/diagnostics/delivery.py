"""One change on its way to production, and the DORA Quick Check it is held against (diagnostics I)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Metric = Literal["lead_time", "frequency", "recovery", "change_fail", "rework"]


@dataclass(frozen=True, slots=True)
class Split:
    """Lead time of a change in seconds: the parts that are not None follow each other and add up to `total_s`.

    `coding_s` ends when the request is opened, `pickup_s` at the first review by somebody else, `review_s` at the merge,
    `deploy_s` when a production deployment with it has finished; a request merged without a review has `unreviewed_s` instead
    of pickup and review. Without a deployment the total ends at the merge.
    """

    coding_s: float | None
    pickup_s: float | None
    review_s: float | None
    unreviewed_s: float | None
    deploy_s: float | None
    total_s: float


def split(
    first_commit: datetime | None,
    created: datetime,
    first_review: datetime | None,
    merged: datetime,
    deployed: datetime | None,
) -> Split:
    """The stages between five instants, all naive or all aware.

    A first commit after the opening leaves no coding time (the branch was rewritten). A review before the opening counts
    from the opening; one after the merge is none. A deployment before the merge cannot hold the change.
    """
    begun = created if first_commit is None else min(first_commit, created)
    shipped = deployed if deployed is not None and deployed >= merged else None
    reviewed = first_review if first_review is not None and first_review <= merged else None
    return Split(
        coding_s=None if first_commit is None or first_commit > created else _s(first_commit, created),
        pickup_s=None if reviewed is None or reviewed < created else _s(created, reviewed),
        review_s=None if reviewed is None else _s(max(reviewed, created), merged),
        unreviewed_s=_s(created, merged) if reviewed is None else None,
        deploy_s=None if shipped is None else _s(merged, shipped),
        total_s=_s(begun, shipped or merged),
    )


def _s(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds()


# --- Quick Check --------------------------------------------------------------------------------------------------

EDITION = "DORA Quick Check 2025, all industries"
MEANS: dict[Metric, float] = {"lead_time": 5.5, "frequency": 4.8, "recovery": 7.4, "change_fail": 8.1, "rework": 7.8}
"""Means of a survey, 0 (worst) to 10: people's answers about themselves, no measurements. The two shares are published as
1.9 and 2.2 (higher is worse) and turned round here (dora.dev, edition 2025, CC-BY-4.0)."""

DAY_S = 86_400.0
_MONTH_S = 365.25 / 12 * DAY_S
_TIMES_S = (3600.0, DAY_S, 7 * DAY_S, _MONTH_S, 6 * _MONTH_S)
_PER_DAY = (24.0, 1.0, 1 / 7, DAY_S / _MONTH_S, DAY_S / (6 * _MONTH_S))


def quick_check(metric: Metric, value: float) -> float:
    """The Quick Check score (0–10) of a measured value: seconds, per day, or a share.

    Its six answers (under an hour, day, week, month, six months, more; hourly, daily, weekly, monthly, half-yearly, less) score
    10, 8, 6, 4, 2 and 0; a share of p scores 10 − 10 p.
    """
    if metric in {"change_fail", "rework"}:
        return 10 * (1 - value)
    if metric == "frequency":
        return 10.0 - 2 * sum(value < limit for limit in _PER_DAY)
    return 10.0 - 2 * sum(value >= limit for limit in _TIMES_S)

"""Product flow scorecard: the five DORA metrics of each service, never blended (diagnostics I)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import get_args

from msgspec import Struct, structs

from aether_tui.diagnostics.delivery import Edition, Metric, editions, quick_check
from aether_tui.diagnostics.discovery import Discovery
from aether_tui.diagnostics.flow_measure import quantile, share
from aether_tui.diagnostics.frame import Clock, Record, instant, listed, real, real_or_null, text, whole
from aether_tui.diagnostics.indicators import MIN_N
from aether_tui.diagnostics.scorecard_columns import STAGES, Carried, by_service, count, microseconds, named
from aether_tui.diagnostics.scorecard_links import Charge, Link, Shipped, charges, failed, shipped
from aether_tui.report_model import Quantity, Window, missing
from aether_tui.stats import intervals, survival

METRICS: tuple[Metric, ...] = get_args(Metric)
SPANS = 6
LISTED = 100


class Stage(Struct, frozen=True, kw_only=True):
    """One part of the lead time: its median over the changes that have it."""

    id: str
    p50: Quantity


class Measures(Struct, frozen=True, kw_only=True):
    """The five metrics of one service in one window."""

    lead_time: Quantity
    frequency: Quantity
    recovery: Quantity
    change_fail: Quantity
    rework: Quantity


class Service(Struct, frozen=True, kw_only=True):
    """One service. `scores` are its Quick Check scores, 0–10, null where a metric is; counts are of this window."""

    service: str
    now: Measures
    before: Measures
    stages: tuple[Stage, ...]
    scores: dict[str, float | None]
    deployments: int
    failed_attempts: int
    waiting: int
    incidents: int
    open_incidents: int
    course: tuple[Course, ...]


class Course(Struct, frozen=True, kw_only=True):
    """One of the equal spans that the two windows are cut into: when it ends, its lead time p50, its deployments."""

    end: datetime
    lead_time: Quantity
    deployments: int


class Travelled(Struct, frozen=True, kw_only=True):
    """A change of this window and the parts of its way in seconds; `missing` says of each part that is null why it is."""

    id: str
    service: str
    merged: datetime
    deployed: datetime | None
    coding_s: float | None
    pickup_s: float | None
    review_s: float | None
    unreviewed_s: float | None
    deploy_s: float | None
    total_s: float
    missing: dict[str, str]


class Scorecard(Struct, frozen=True, kw_only=True):
    """The report's data; services by number of deployments. `changes` are at most `LISTED` of the `changes_of` that were deployed in
    this window, or merged in it and not deployed; the longest first."""

    services: tuple[Service, ...]
    links: tuple[Link, ...]
    edition: Edition
    changes: tuple[Travelled, ...] = ()
    changes_of: int = 0
    discovery: Discovery | None = None


def measure(
    changes: Sequence[Record],
    deployments: Sequence[Record],
    incidents: Sequence[Record],
    clock: Clock,
    edition: Edition | None = None,
) -> Scorecard:
    """Everything, from the rows of `sql/scorecard_*.sql`."""
    merged, every = next(iter(changes), Record()), shipped(deployments)
    gone = {name: Carried.of(rows) for name, rows in by_service(listed(merged, "services")).items()}
    own = {name: one for name, one in every.items() if one.ended_us}
    linked = charges(incidents, every)
    charged: dict[str, list[Charge]] = {}
    for one in linked:
        if one.deployment is not None:
            charged.setdefault(one.link.service, []).append(one)
    inside = {
        name for name, one in own.items() if count(one.ended_us, clock.previous) or count(one.ended_us, clock.window)
    }
    services = [
        _service(name, gone.get(name, Carried()), own.get(name), charged.get(name, []), clock)
        for name in inside | gone.keys()
    ]
    return Scorecard(
        services=tuple(sorted(services, key=lambda one: (-one.deployments, one.service))),
        links=tuple(one.link for one in linked if _in(one.link.opened, clock.window)),
        edition=edition or editions()["2025"],
        changes=tuple(map(_travelled, listed(merged, "longest"))),
        changes_of=whole(merged.get("of")),
    )


_MISSING = {
    "coding_s": "no commit before it was opened is known",
    "pickup_s": "not reviewed by somebody else between opening and merge",
    "review_s": "not reviewed by somebody else before the merge",
    "unreviewed_s": "it was reviewed",
    "deploy_s": "not deployed by the end of the window",
}


def _travelled(row: Record) -> Travelled:
    merged = instant(row["merged"])
    if merged is None:
        raise ValueError("a row without merged")
    parts = {name: real_or_null(row[name]) for name in _MISSING}
    return Travelled(
        id=text(row["id"]),
        service=named(text(row["service"])),
        merged=merged,
        deployed=instant(row["deployed"]),
        **parts,
        total_s=real(row["total_s"]),
        missing={name: why for name, why in _MISSING.items() if parts[name] is None},
    )


def _in(at: datetime, span: Window) -> bool:
    return span.start <= at < span.end


# --- Measures -----------------------------------------------------------------------------------------------------


def _service(name: str, mine: Carried, own: Shipped | None, charged: Sequence[Charge], clock: Clock) -> Service:
    blamed = failed([] if own is None else [own], charged)
    bad_us = sorted(one.at_us for one in blamed if one.success and one.ours)
    now, before = (_measures(span, mine, own, charged, bad_us) for span in (clock.window, clock.previous))
    if own is not None and own.first_us > microseconds(clock.previous.start):  # or fewer known would look like slower
        reason = "deployments are not known over the whole window before"
        before = structs.replace(before, frequency=missing(reason, unit="per_day", n=before.frequency.n))
    ended, done = (0, 0) if own is None else (count(own.ended_us, clock.window), count(own.done_us, clock.window))
    opened = [one.link for one in charged if _in(one.link.opened, clock.window)]
    return Service(
        service=name,
        now=now,
        before=before,
        stages=tuple(
            Stage(
                id=stage,
                p50=quantile(mine.parts_s.get(stage, ()), 0.5, "no change deployed in this window has this part"),
            )
            for stage in STAGES
        ),
        scores={metric: _score(metric, getattr(now, metric)) for metric in METRICS},
        deployments=done,
        failed_attempts=ended - done,
        waiting=mine.waiting,
        incidents=len(opened),
        open_incidents=sum(one.resolved is None or one.resolved >= clock.window.end for one in opened),
        course=tuple(_course(span, mine, own) for span in spans(clock.previous.start, clock.window.end)),
    )


def _score(metric: Metric, value: Quantity) -> float | None:
    """The Quick Check score; none of a frequency without a deployment, which may be any low one."""
    if value.value is None or (metric == "frequency" and not value.n):
        return None
    return quick_check(metric, value.value)


def spans(start: datetime, end: datetime) -> list[Window]:
    """`SPANS` equal spans."""
    step = (end - start) / SPANS
    return [Window(start=start + step * number, end=start + step * (number + 1)) for number in range(SPANS)]


def _course(span: Window, mine: Carried, own: Shipped | None) -> Course:
    return Course(
        end=span.end,
        lead_time=quantile(mine.lead_s(span), 0.5, "no merged change was deployed"),
        deployments=0 if own is None else count(own.done_us, span),
    )


def _measures(
    span: Window, mine: Carried, own: Shipped | None, charged: Sequence[Charge], bad_us: Sequence[int]
) -> Measures:
    none, unknown = "no successful production deployment in this window", "no production deployment is known"
    told, tracked = own is not None and own.told, own is not None and own.tracked
    n, mended = (0, 0) if own is None else (count(own.done_us, span), count(own.remedies_us, span))
    return Measures(
        lead_time=quantile(mine.lead_s(span), 0.5, "no merged change was deployed in this window"),
        frequency=_frequency(n, own is not None, span),
        recovery=_recovery([one.link for one in charged if _in(one.link.opened, span)], span, tracked),
        change_fail=missing(unknown, unit="ratio", connect="github or gitlab")
        if own is None
        else share(count(bad_us, span), n, none)
        if told or tracked or not n
        else missing("neither incidents nor hotfixes are recorded", unit="ratio", connect="linear or jira", n=n),
        rework=missing(unknown, unit="ratio", connect="github or gitlab")
        if own is None
        else share(mended, n, none)
        if told or not n
        else missing("no deployment says why it was made", unit="ratio", connect="github", n=n),
    )


def _frequency(n: int, any_known: bool, span: Window) -> Quantity:
    if not any_known:
        return missing("no production deployment is known", unit="per_day", connect="github")
    length = (span.end - span.start) / timedelta(days=1)
    low, high = intervals.poisson(n)
    return Quantity(value=n / length, unit="per_day", n=n, low=low / length, high=high / length)


def _recovery(links: Sequence[Link], span: Window, tracked: bool) -> Quantity:
    """Kaplan–Meier median from opening to resolution; incidents that are open at the window's end are censored there."""
    if not tracked:
        return missing("no incident has been recorded", unit="s", connect="linear or jira")
    if len(links) < MIN_N:
        some = f"n too small ({len(links)}, needs {MIN_N})"
        return missing(some if links else "no incident after a deployment in this window", unit="s", n=len(links))
    ends = [
        (one.opened, min(one.resolved or span.end, span.end), one.resolved is not None and one.resolved < span.end)
        for one in links
    ]
    value, low, high = survival.median([((end - opened).total_seconds(), ended) for opened, end, ended in ends])
    if value is None:
        return missing("under half of the incidents are resolved", unit="s", n=len(links))
    return Quantity(value=value, unit="s", n=len(links), low=low, high=high)

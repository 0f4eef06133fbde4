"""Product flow scorecard: the five DORA metrics of each service, never blended (diagnostics I)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from heapq import nlargest
from typing import Protocol, TypeVar, get_args

from msgspec import Struct, structs

from aether_tui.diagnostics.delivery import Edition, Metric, Split, editions, quick_check, split
from aether_tui.diagnostics.discovery import Discovery
from aether_tui.diagnostics.flow_measure import quantile, share
from aether_tui.diagnostics.frame import Clock, Record, text
from aether_tui.diagnostics.indicators import MIN_N
from aether_tui.diagnostics.scorecard_links import Deployment, Link, Shipped, deployed, failed, links, named
from aether_tui.report_model import Quantity, Window, missing
from aether_tui.stats import intervals, survival

METRICS: tuple[Metric, ...] = get_args(Metric)
STAGES = ("coding", "pickup", "review", "unreviewed", "deploy")
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


class Change(Struct, frozen=True, kw_only=True):
    """A merged request; `deployed` is null while no deployment carried it."""

    id: str
    service: str
    merged: datetime
    deployed: datetime | None
    split: Split


def measure(
    changes: Sequence[Record],
    deployments: Sequence[Record],
    incidents: Sequence[Record],
    clock: Clock,
    edition: Edition | None = None,
) -> Scorecard:
    """Everything, from the rows of `sql/scorecard_*.sql`."""
    shipped = deployed(deployments)
    merged = [change(row) for row in changes]
    index = Shipped(shipped)
    ours = [one for one in shipped if one.ours]
    linked = links(incidents, index)
    inside = [one for one in ours if _in(one.at, clock.previous) or _in(one.at, clock.window)]
    names = {one.service for one in inside} | {one.service for one in merged}
    changed, own, broken = (
        _grouped(merged),
        _grouped(ours),
        _grouped([one for one in linked if one.deployment is not None]),
    )
    services = [
        _service(name, changed.get(name, []), own.get(name, []), broken.get(name, []), index, clock) for name in names
    ]
    travelled = [one for one in merged if _in(one.deployed or one.merged, clock.window)]
    return Scorecard(
        services=tuple(sorted(services, key=lambda one: (-one.deployments, one.service))),
        links=tuple(one for one in linked if _in(one.opened, clock.window)),
        edition=edition or editions()["2025"],
        changes=tuple(map(_travelled, nlargest(LISTED, travelled, key=lambda one: (one.split.total_s, one.id)))),
        changes_of=len(travelled),
    )


_MISSING = {
    "coding_s": "no commit before it was opened is known",
    "pickup_s": "not reviewed by somebody else between opening and merge",
    "review_s": "not reviewed by somebody else before the merge",
    "unreviewed_s": "it was reviewed",
    "deploy_s": "not deployed by the end of the window",
}


def _travelled(one: Change) -> Travelled:
    parts = {name: getattr(one.split, name) for name in _MISSING}
    return Travelled(
        id=one.id,
        service=one.service,
        merged=one.merged,
        deployed=one.deployed,
        **parts,
        total_s=one.split.total_s,
        missing={name: why for name, why in _MISSING.items() if parts[name] is None},
    )


class _OfService(Protocol):
    @property
    def service(self) -> str: ...


P = TypeVar("P", bound=_OfService)


def _grouped(found: Sequence[P]) -> dict[str, list[P]]:
    """By service, in their order."""
    made: dict[str, list[P]] = {}
    for one in found:
        made.setdefault(one.service, []).append(one)
    return made


def _in(at: datetime, span: Window) -> bool:
    return span.start <= at < span.end


def change(row: Record) -> Change:
    """One row of `scorecard_changes`."""
    first, created, review, merged, deployed = (
        value if isinstance(value := row[name], datetime) else None
        for name in ("first_commit", "created", "first_review", "merged", "deployed")
    )
    if merged is None:
        raise ValueError("a row without merged")
    return Change(
        id=f"{text(row['source'])}/{text(row['id'])}",
        service=named(text(row["service"])),
        merged=merged.replace(tzinfo=UTC),
        deployed=None if deployed is None else deployed.replace(tzinfo=UTC),
        split=split(first, created or merged, review, merged, deployed),
    )


# --- Measures -----------------------------------------------------------------------------------------------------


def _service(
    name: str, mine: Sequence[Change], own: Sequence[Deployment], broken: Sequence[Link], shipped: Shipped, clock: Clock
) -> Service:
    blamed = failed(own, broken, shipped)
    now, before = (_measures(span, mine, own, broken, blamed) for span in (clock.window, clock.previous))
    if any(one.first > clock.previous.start for one in own[:1]):  # or fewer known would look like slower
        reason = "deployments are not known over the whole window before"
        before = structs.replace(before, frequency=missing(reason, unit="per_day", n=before.frequency.n))
    splits = [one.split for one in mine if one.deployed is not None and _in(one.deployed, clock.window)]
    inside = [one for one in own if _in(one.at, clock.window)]
    opened = [one for one in broken if _in(one.opened, clock.window)]
    return Service(
        service=name,
        now=now,
        before=before,
        stages=tuple(_stage(stage, splits) for stage in STAGES),
        scores={
            metric: None if (value := getattr(now, metric).value) is None else quick_check(metric, value)
            for metric in METRICS
        },
        deployments=sum(one.success for one in inside),
        failed_attempts=sum(not one.success for one in inside),
        waiting=sum(one.deployed is None and _in(one.merged, clock.window) for one in mine),
        incidents=len(opened),
        open_incidents=sum(one.resolved is None or one.resolved >= clock.window.end for one in opened),
        course=tuple(_course(span, mine, own) for span in spans(clock.previous.start, clock.window.end)),
    )


def spans(start: datetime, end: datetime) -> list[Window]:
    """`SPANS` equal spans."""
    step = (end - start) / SPANS
    return [Window(start=start + step * number, end=start + step * (number + 1)) for number in range(SPANS)]


def _course(span: Window, changes: Sequence[Change], deployments: Sequence[Deployment]) -> Course:
    start, end = span.start, span.end
    lead = [one.split.total_s for one in changes if one.deployed is not None and start <= one.deployed < end]
    return Course(
        end=end,
        lead_time=quantile(lead, 0.5, "no merged change was deployed"),
        deployments=len([one for one in deployments if one.success and start <= one.at < end]),
    )


def _stage(stage: str, shipped: Sequence[Split]) -> Stage:
    values = [value for one in shipped if (value := getattr(one, f"{stage}_s")) is not None]
    return Stage(id=stage, p50=quantile(values, 0.5, "no change deployed in this window has this part"))


def _measures(
    span: Window,
    changes: Sequence[Change],
    deployments: Sequence[Deployment],
    links: Sequence[Link],
    failed: frozenset[str],
) -> Measures:
    inside = [one for one in deployments if one.success and _in(one.at, span)]
    told, tracked = any(one.told for one in deployments), any(one.tracked for one in deployments)
    lead = [one.split.total_s for one in changes if one.deployed is not None and _in(one.deployed, span)]
    none, unknown = "no successful production deployment in this window", "no production deployment is known"
    n = len(inside)
    return Measures(
        lead_time=quantile(lead, 0.5, "no merged change was deployed in this window"),
        frequency=_frequency(n, bool(deployments), span),
        recovery=_recovery([one for one in links if _in(one.opened, span)], span, tracked),
        change_fail=missing(unknown, unit="ratio", connect="github or gitlab")
        if not deployments
        else share(sum(one.id in failed for one in inside), n, none)
        if told or tracked or not n
        else missing("neither incidents nor hotfixes are recorded", unit="ratio", connect="linear or jira", n=n),
        rework=missing(unknown, unit="ratio", connect="github or gitlab")
        if not deployments
        else share(sum(one.remedy for one in inside), n, none)
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

"""The scorecard in words: headline, findings and blocks of the report."""

from __future__ import annotations

from typing import Literal

from msgspec import structs

from aether_tui.diagnostics import metrics
from aether_tui.diagnostics.compare import changed
from aether_tui.diagnostics.delivery import Edition, Metric, band
from aether_tui.diagnostics.frame import Data
from aether_tui.diagnostics.gaps import nothing, unconnected, unnarrowed
from aether_tui.diagnostics.joins import first_failed
from aether_tui.diagnostics.needs import stored
from aether_tui.diagnostics.scorecard_columns import STAGES
from aether_tui.diagnostics.scorecard_links import Link
from aether_tui.diagnostics.scorecard_measure import METRICS, Scorecard, Service, Travelled
from aether_tui.human import NONE, day, duration, evidence, number, plural, quantity
from aether_tui.report_model import (
    Block,
    Col,
    Fact,
    Facts,
    Finding,
    Plot,
    Point,
    Prose,
    Quantity,
    Row,
    Series,
    State,
    Table,
)  # fmt: skip

TITLES: dict[Metric, str] = {metric: metrics.content()[f"scorecard.{metric}"].title for metric in METRICS}
_SHORT: dict[Metric, str] = {
    "lead_time": "lead time p50", "frequency": "deploys", "recovery": "recovery p50", "change_fail": "change fail rate",
    "rework": "rework rate",
}  # fmt: skip
LOWER: Literal["lower"] = "lower"
SHOWN_SERVICES, SHOWN_LINKS, SHOWN_CHANGES = 8, 100, 10


def headline(card: Scorecard) -> str:
    """How many services, and what stands lowest against the survey's mean."""
    if not card.services:
        return "The scorecard is empty: no production deployment and no merged change is in view."
    first = f"{plural(len(card.services), 'service')}, {plural(sum(one.deployments for one in card.services), 'production deployment')}."
    found = lowest(card)
    if found is None:
        return f"{first} No metric has enough observations yet."
    service, metric = found
    value: Quantity = getattr(service.now, metric)
    if card.edition.means and (service.scores[metric] or 0) >= card.edition.means.get(metric, 0.0):
        return f"{first} No metric scores below its mean in the {card.edition.name}."
    against = f"Furthest below the {card.edition.name}" if card.edition.means else "Lowest Quick Check score"
    return f"{first} {against}: {TITLES[metric]} of {service.service}, {quantity(value)}."


def findings(card: Scorecard) -> tuple[Finding, ...]:
    """Changes beyond the intervals, incidents that are open or cannot be linked, changes that wait."""
    found = [finding for service in card.services for finding in _changed(service)]
    found += [
        Finding(
            id=f"scorecard.{one.service}.open",
            severity="warn",
            text=f"{one.service}: {plural(one.open_incidents, 'incident')} of this window "
            f"{'is' if one.open_incidents == 1 else 'are'} still open; recovery time counts how long so far.",
            evidence=("scorecard.links",),
        )
        for one in card.services
        if one.open_incidents
    ]
    unlinked = [one for one in card.links if one.deployment is None]
    if unlinked:
        found.append(
            Finding(
                id="scorecard.unlinked",
                severity="warn",
                text=f"{len(unlinked)} of {plural(len(card.links), 'incident')} could not be linked to a deployment and are left out "
                "of change fail rate and recovery time.",
                evidence=("scorecard.links",),
                action="label the incident service:NAME, or deployment:ID for a certain link",
            )
        )
    return tuple(found)


def _changed(service: Service) -> list[Finding]:
    """Metrics whose interval lies wholly beyond the one of the window before."""
    return [
        finding
        for metric in METRICS
        for finding in changed(
            f"scorecard.{service.service}.{metric}",
            f"{service.service}: {TITLES[metric]}",
            getattr(service.now, metric),
            getattr(service.before, metric),
            better="higher" if metric == "frequency" else "lower",
        )
    ]


# --- Blocks -------------------------------------------------------------------------------------------------------


def blocks(card: Scorecard, data: Data, unable: tuple[str, ...], found: tuple[Block, ...]) -> tuple[Block, ...]:
    """All services side by side, each with its five metrics, the parts of lead time, the incidents and their links."""
    if unable:
        return (
            unnarrowed(
                data, "scorecard.filters", "Scorecard", "Deployments", unable, "--service SERVICE, or --team TEAM"
            ),
        )
    counts = stored(data)
    gaps = tuple(
        unconnected(data, f"scorecard.gap.{table}", table, unknown, title=title)
        for table, title, unknown in _NEEDED
        if not counts.get(table)
    )
    if not card.services:
        said = "Nothing was merged or deployed to production"
        empty = counts.get("deployments") or counts.get("pull_requests")
        none = (nothing(data, "scorecard.none", "Production deployments", said, "deployments"),) if empty else ()
        return (*none, *gaps, *found)
    parts: list[Block] = [_glance(card, data), *_trend(card, data), _overview(card, data), *gaps]
    parts += [_facts(one, data, card.edition) for one in card.services[:SHOWN_SERVICES]]
    parts += [
        _stages(card, data),
        *([_changes(card, data)] if card.changes else []),
        *([_links(card, data)] if counts.get("work_items") else []),
        *found,
    ]
    narrowed = f"Narrowed to {data.filters.sentence()}. " if data.filters.set_names() else ""
    parts.append(
        Prose(id="scorecard.how", text=narrowed + ABOUT.format(name=card.edition.name, source=card.edition.source))
    )
    return tuple(parts)


ABOUT = (
    "Metrics are measured per service and never blended. Incidents are linked to the deployment they name (label deployment:ID), else "
    "to the latest successful production deployment of their service in the 7 days before, past the window's edge where needed. "
    "A score of 0–10 is what the measured value would have answered in the Quick Check. Held against: {name} ({source}); others by "
    "[scorecard] edition. Intervals are 95 % (order statistics, Poisson, Kaplan–Meier, Wilson)."
)
_NEEDED = (
    ("deployments", "Production deployments", "deployment frequency, change fail rate, deployment rework rate"),
    ("pull_requests", "Pull requests", "change lead time"),
    ("work_items", "Incidents", "recovery time and the deployments behind incidents"),
)
_TABLE: dict[Metric, str] = {
    "lead_time": "pull_requests", "frequency": "deployments", "recovery": "work_items", "change_fail": "deployments",
    "rework": "deployments",
}  # fmt: skip


def lowest(card: Scorecard) -> tuple[Service, Metric] | None:
    """What scores furthest below the mean of the survey; of services whose band is the same, the one whose number is worse."""

    def order(item: tuple[float, Service, Metric]) -> tuple[float, int, float, str]:
        gap, one, metric = item
        value: float = getattr(one.now, metric).value or 0.0
        return gap, METRICS.index(metric), value if metric == "frequency" else -value, one.service

    gaps = [
        (score - card.edition.means.get(metric, 0.0), one, metric)
        for one in card.services
        for metric in METRICS
        if (score := one.scores[metric]) is not None
    ]
    return min(gaps, key=order)[1:] if gaps else None


def _glance(card: Scorecard, data: Data) -> Facts:
    """The busiest service's lead time and deployments with their course, and what is worst."""
    first, found = card.services[0], lowest(card)

    def fact(metric: Metric, series: tuple[float | None, ...]) -> Fact:
        shown = _fact(first, metric, data, card.edition)
        note, series = first.service or "(no service)", series if any(series) else ()
        return structs.replace(shown, id=f"{shown.id}.glance", label=_SHORT[metric], series=series, note=note)

    facts = [
        fact("lead_time", tuple(one.lead_time.value for one in first.course)),
        fact("frequency", tuple(float(one.deployments) for one in first.course)),
    ]
    if found is not None:
        service, metric = found
        worst = _fact(service, metric, data, card.edition)
        below = (service.scores[metric] or 0) < card.edition.means.get(metric, 0.0)
        state: State = "warn" if below else "info" if not card.edition.means else "pass"
        label, note = f"worst: {_SHORT[metric]}", service.service or "(no service)"
        facts.append(structs.replace(worst, id=f"{worst.id}.worst", label=label, note=note, state=state))
    return Facts(id="scorecard.glance", facts=tuple(facts))


def _trend(card: Scorecard, data: Data) -> tuple[Block, ...]:
    """Lead time of the three busiest services; the band is that of the busiest."""
    known = [one for one in card.services[:3] if sum(span.lead_time.value is not None for span in one.course) > 1]
    if not known:
        return ()
    series = tuple(
        Series(
            label=one.service or "(no service)",
            points=tuple(
                Point(
                    x=span.end.timestamp(),
                    y=span.lead_time.value,
                    low=span.lead_time.low if one is known[0] else None,
                    high=span.lead_time.high if one is known[0] else None,
                )
                for span in one.course
            ),
        )
        for one in known
    )
    text = "; ".join(
        f"{one.service}: {', '.join('–' if s.lead_time.value is None else duration(s.lead_time.value) for s in one.course)}"
        for one in known
    )
    title = f"Change lead time p50, with the band of {known[0].service or 'the first'}"
    return (
        Plot(
            id="scorecard.trend",
            title=title,
            series=series,
            text=f"Oldest first: {text}.",
            x_kind="time",
            y_unit="s",
            why=metrics.why("scorecard.lead_time", data),
        ),
    )


def _overview(card: Scorecard, data: Data) -> Table:
    return Table(
        id="scorecard.services",
        title="Services",
        columns=(
            Col(key="service", title="service", priority=10),
            Col(key="lead", title="lead p50", kind="number", priority=9),
            Col(key="frequency", title="deploys", kind="number", priority=9),
            Col(key="recovery", title="recovery", kind="number", priority=8),
            Col(key="fail", title="fail rate", kind="number", priority=8),
            Col(key="rework", title="rework", kind="number", priority=7),
        ),
        rows=tuple(
            Row(id=one.service or "(no service)", cells=(one.service or "(no service)", *(getattr(one.now, metric) for metric in METRICS)),
                detail=_counts(one), why=metrics.several([f"scorecard.{metric}" for metric in METRICS], data, _counts(one)))
            for one in card.services
        ),
    )  # fmt: skip


def _counts(one: Service) -> str:
    parts = [plural(one.deployments, "deployment")]
    if one.failed_attempts:
        parts.append(plural(one.failed_attempts, "failed attempt"))
    if one.waiting:
        parts.append(f"{plural(one.waiting, 'merged change')} not deployed yet")
    parts.append(plural(one.incidents, "linked incident"))
    return ", ".join(parts)


def _facts(one: Service, data: Data, edition: Edition) -> Facts:
    return Facts(
        id=f"scorecard.{one.service}.metrics",
        title=one.service or "(no service)",
        facts=tuple(_fact(one, metric, data, edition) for metric in METRICS),
    )


def _fact(one: Service, metric: Metric, data: Data, edition: Edition) -> Fact:
    value: Quantity = getattr(one.now, metric)
    before: Quantity = getattr(one.before, metric)
    score = one.scores[metric]
    state: State = "no-data" if value.value is None else "info"
    note = _held_against(edition, metric, value, score)
    if metric == "lead_time" and one.waiting:
        note = "; ".join(part for part in (note, f"{one.waiting} merged, not deployed") if part)
    if metric == "change_fail" and value.value is not None and one.now.recovery.connect:
        note = "; ".join(part for part in ("hotfixes and rollbacks only: no incident is recorded", note) if part)
    return Fact(
        id=f"scorecard.{one.service}.{metric}",
        label=TITLES[metric],
        value=value,
        previous=before if before.value is not None else None,
        better="higher" if metric == "frequency" else LOWER,
        state=state,
        note=note,
        why=metrics.why(
            f"scorecard.{metric}",
            data,
            _counts(one),
            "" if value.value is not None else first_failed(data, _TABLE[metric]),
        ),
    )


def _held_against(edition: Edition, metric: Metric, value: Quantity, score: float | None) -> str:
    """The Quick Check score beside its mean, or the level in a report, always with the year."""
    if score is None or value.value is None:
        return ""
    if edition.bands:
        level = band(edition, metric, value.value)
        return f"{level} in {edition.year}" if level else f"no level in {edition.year}"
    mean = edition.means.get(metric)
    told = f"score {number(round(score, 1))}"
    return f"{told}; mean {mean} ({edition.year} survey)" if mean is not None else f"{told}; no mean in {edition.year}"


def _stages(card: Scorecard, data: Data) -> Table:
    return Table(
        id="scorecard.stages",
        title="Where the lead time goes",
        columns=(
            Col(key="service", title="service", priority=10),
            *(Col(key=stage, title=stage, kind="number", priority=8) for stage in STAGES),
        ),
        rows=tuple(
            Row(
                id=one.service or "(no service)",
                cells=(one.service or "(no service)", *(stage.p50 for stage in one.stages)),
                detail="; ".join(
                    f"{stage.id} {evidence(stage.p50)}" for stage in one.stages if stage.p50.value is not None
                ),
                why=metrics.several([f"scorecard.{stage.id}" for stage in one.stages], data),
            )
            for one in card.services
        ),
        note="Medians, each over the changes that have the part, so they do not add up: first commit, opened, first review, merged, "
        "deployed. Unreviewed is opened to merged without a review.",
    )


def _changes(card: Scorecard, data: Data) -> Table:
    more = card.changes_of - SHOWN_CHANGES
    return Table(
        id="scorecard.changes",
        title="Changes, the longest way first",
        columns=(
            Col(key="change", title="change", priority=10),
            Col(key="service", title="service", priority=5),
            *(Col(key=stage, title=stage, kind="number", priority=8) for stage in STAGES),
            Col(key="total", title="in all", kind="number", priority=9),
        ),
        rows=tuple(_change(one, data) for one in card.changes[:SHOWN_CHANGES]),
        note=f"{more} more are in the JSON." if more > 0 else "",
    )


def _change(one: Travelled, data: Data) -> Row:
    parts = [getattr(one, f"{stage}_s") for stage in STAGES]
    deployed = f"deployed {day(one.deployed)}" if one.deployed else one.missing["deploy_s"]
    return Row(
        id=one.id,
        state="info" if one.deployed else "warn",
        cells=(
            one.id.rpartition("/")[2],
            one.service or NONE,
            *(NONE if part is None else Quantity(value=part, unit="s") for part in parts),
            Quantity(value=one.total_s, unit="s"),
        ),
        detail=f"merged {day(one.merged)}, {deployed}",
        why=metrics.several([f"scorecard.{stage}" for stage in STAGES], data),
    )


def _links(card: Scorecard, data: Data) -> Table:
    unlinked = sum(one.deployment is None for one in card.links)
    more = len(card.links) - SHOWN_LINKS
    note = f"{unlinked} of {plural(len(card.links), 'incident')} not linked." if unlinked else ""
    return Table(
        id="scorecard.links",
        title="Incidents and the deployments before them",
        columns=(
            Col(key="key", title="incident", priority=10),
            Col(key="title", title="title", priority=7),
            Col(key="service", title="service", priority=6),
            Col(key="opened", title="opened", priority=5),
            Col(key="took", title="took", kind="number", priority=9),
            Col(key="deployment", title="deployment", priority=8),
        ),
        rows=tuple(_link(one, data) for one in card.links[:SHOWN_LINKS]),
        note=note + (f" {more} more are in the JSON." if more > 0 else ""),
        empty="No incident was opened in this window.",
    )


def _link(one: Link, data: Data) -> Row:
    took = None if one.resolved is None else (one.resolved - one.opened).total_seconds()
    return Row(
        id=one.id,
        state="warn" if one.deployment is None else "info",
        cells=(
            one.key,
            one.title,
            one.service or "—",
            day(one.opened),
            "open" if took is None else Quantity(value=took, unit="s"),
            (one.deployment or "").rpartition("/")[2] or "none",
        ),
        detail=one.reason or ("named by the incident" if one.explicit else ""),
        why=metrics.why("scorecard.recovery", data, "took: opening to resolution of this incident"),
    )

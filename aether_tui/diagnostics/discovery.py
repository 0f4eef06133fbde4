"""What discovery yields and whether products are used: validated ideas, experiments before releases, wins, outcomes (diagnostics I)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from aether_tui.diagnostics import metrics, windows
from aether_tui.diagnostics.flow_measure import quantile, share
from aether_tui.diagnostics.frame import Clock, Data, Record, real, text, whole
from aether_tui.diagnostics.gaps import unconnected
from aether_tui.diagnostics.needs import stored
from aether_tui.diagnostics.portfolio_calibration import gained
from aether_tui.human import NONE
from aether_tui.report_model import Block, Col, Fact, Facts, Quantity, Row, State, Table, Window, missing
from aether_tui.stats import intervals
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.config import Scorecard as Settings
    from aether_tui.workspace.documents import Documents
    from aether_tui.workspace.kinds.experiment import Experiment

MONTH_DAYS = 365.25 / 12
YEAR = timedelta(days=365)
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*-\d+")


class Outcome(Struct, frozen=True, kw_only=True):
    """A product metric: its daily mean now and before, what it is the measure of, and what it leads with which lag and evidence."""

    metric: str
    role: str
    now: Quantity
    before: Quantity
    series: tuple[float | None, ...]
    leads: str = ""


class Discovery(Struct, frozen=True, kw_only=True):
    """Discovery of the window, and of experiments decided in the year before its end."""

    validated: Quantity
    time: Quantity
    shipped_with_experiment: Quantity
    win_rate: Quantity
    right_sign: Quantity
    outcomes: tuple[Outcome, ...]


def measure(data: Data, documents: Documents, clock: Clock) -> Discovery:
    """Everything, from work items, experiments, opportunities and product metrics."""
    from aether_tui.workspace.kinds.experiment import Experiment

    items = data.rows("discovery_items")
    tried = [one for one in documents.of(Experiment) if not one.process]
    ended = [
        one
        for one in tried
        if one.ended is not None and clock.window.end.date() - YEAR <= one.ended <= clock.window.end.date()
    ]
    validated = [row for row in items if _in(row["validated"], clock.window)]
    released = [row for row in items if _in(row["released"], clock.window)]
    begun = _begun(documents, tried)
    with_one = [row for row in released if _before(row, begun)]
    gains = [found[0] for one in ended if (found := gained(one)) is not None]
    none = "no experiment was decided in the year before"
    tracker = None if stored(data).get("work_items") else "linear or jira"

    seen = "validation" in documents.config.mapping.phases.values() or any(row["validated"] for row in items)
    unseen = "no state is mapped to validation in [mapping.phases]" if tracker is None else "no work item is here"

    def known(value: Quantity) -> Quantity:
        """What a tracker would tell says so, where there is none."""
        return structs.replace(value, connect=tracker) if value.value is None else value

    return Discovery(
        validated=_monthly(validated, clock.window, bool(items), tracker)
        if seen
        else missing(unseen, connect=tracker, n=0),
        time=known(
            quantile(
                [real(row["took_s"]) for row in validated],
                0.5,
                "nothing was validated in this window" if seen else unseen,
            )
        ),
        shipped_with_experiment=known(share(len(with_one), len(released), "nothing was released in this window")),
        win_rate=share(
            sum(one.decision is not None and one.decision.choice == "scale" for one in ended), len(ended), none
        ),
        right_sign=share(sum(gain > 0 for gain in gains), len(gains), "no decided experiment has a result"),
        outcomes=_outcomes(data.rows("readout_usage"), documents.config.scorecard),
    )


def _in(value: object, span: Window) -> bool:
    return isinstance(value, datetime) and span.start <= value.replace(tzinfo=UTC) < span.end


def _monthly(validated: Sequence[Record], span: Window, known: bool, tracker: str | None) -> Quantity:
    if not known:
        reason = "no work item is here" if tracker else "no item was validated or released in the two windows"
        return missing(reason, connect=tracker, n=0)
    n, months = len(validated), windows.days(span) / MONTH_DAYS
    low, high = intervals.poisson(n)
    return Quantity(value=n / months, n=n, low=low / months, high=high / months)


def _begun(documents: Documents, tried: Sequence[Experiment]) -> dict[str, datetime]:
    """By key of a work item: when the first experiment began whose opportunity names it."""
    found: dict[str, datetime] = {}
    for one in tried:
        first = next((entry.when for entry in one.history if entry.to == "running"), None)
        if first is None:
            continue
        began = datetime(first.year, first.month, first.day)  # noqa: DTZ001 (rows are naive UTC)
        for key in items_named(documents, one.opportunity):
            found[key] = min(began, found.get(key, began))
    return found


def items_named(documents: Documents, opportunity: str) -> set[str]:
    """Keys of work items that an opportunity names in its evidence, links or notes, in capitals."""
    about = next((one for one in documents.opportunities if one.id == opportunity), None)
    if about is None:
        return set()
    return {key.upper() for key in _KEY.findall(" ".join((*about.evidence, *about.links, about.notes)))}


def _before(row: Record, begun: dict[str, datetime]) -> bool:
    began, released = begun.get(text(row["key"]).upper()), row["released"]
    return began is not None and isinstance(released, datetime) and began < released


def _outcomes(rows: Sequence[Record], settings: Settings) -> tuple[Outcome, ...]:
    days: dict[str, list[tuple[bool, float]]] = {}
    units: dict[str, str] = {}
    for row in rows:
        name = text(row["metric"])
        days.setdefault(name, []).append((bool(whole(row["present"])), real(row["value"])))
        units[name] = "ratio" if row["unit"] == "ratio" else "count"
    leading = {one.metric: one for one in settings.leading}
    made = []
    for name, found in days.items():
        lead = leading.get(name)
        told = f"{one_line(lead.leads, 80)} by {lead.lag_days} d: {one_line(lead.evidence)}" if lead else ""
        made.append(Outcome(
            metric=one_line(name, 80), role=settings.outcomes.get(name, ""), leads=told, series=tuple(value for _, value in found),
            now=_mean([value for present, value in found if present], units[name]),
            before=_mean([value for present, value in found if not present], units[name]),
        ))  # fmt: skip
    return tuple(sorted(made, key=lambda one: (not one.role, not one.leads, one.metric)))


def _mean(values: list[float], unit: str) -> Quantity:
    if not values:
        return missing("no finished day in this window", unit=unit)
    return Quantity(value=sum(values) / len(values), unit=unit, n=len(values))


# --- Blocks -------------------------------------------------------------------------------------------------------


def blocks(found: Discovery, data: Data) -> tuple[Block, ...]:
    """Discovery as key figures, outcomes as a table."""

    def fact(name: str) -> Fact:
        value: Quantity = getattr(found, name)
        metric = metrics.content()[f"discovery.{name}"]
        state: State = "no-data" if value.value is None else "info"
        return Fact(id=metric.id, label=metric.title, value=value, state=state, why=metrics.lines(metric, data))

    names = ("validated", "time", "shipped_with_experiment", "win_rate", "right_sign")
    return (
        Facts(id="scorecard.discovery", title="Discovery", facts=tuple(fact(name) for name in names)),
        _table(found, data),
    )


def _table(found: Discovery, data: Data) -> Block:
    if not found.outcomes:
        return unconnected(
            data, "scorecard.outcomes", "product_metrics", "the use of what was shipped", title="Outcomes"
        )
    unnamed = sum(not one.role for one in found.outcomes)
    return Table(
        id="scorecard.outcomes",
        title="Outcomes, mean per day",
        columns=(
            Col(key="role", title="measure of", priority=9),
            Col(key="metric", title="metric", priority=10),
            Col(key="now", title="now", kind="number", priority=10),
            Col(key="before", title="before", kind="number", priority=8),
            Col(key="trend", title="trend", kind="spark", priority=5),
            Col(key="leads", title="leads", priority=4),
        ),
        rows=tuple(
            Row(
                id=f"outcome.{one.metric}",
                cells=(one.role or NONE, one.metric, one.now, one.before, one.series, one.leads or NONE),
                why=metrics.why("outcome.metric", data),
            )
            for one in found.outcomes[:12]
        ),
        note="Say in [scorecard.outcomes] what a metric measures: adoption, activation, retention or revenue."
        if unnamed
        else "",
    )

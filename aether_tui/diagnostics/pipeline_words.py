"""The pipeline audit in words: the stage that holds most, the old, the killed late, the unmeasured, the skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aether_tui.diagnostics import metrics
from aether_tui.diagnostics.gaps import nothing, unconnected, unnarrowed
from aether_tui.diagnostics.joins import first_failed
from aether_tui.diagnostics.needs import stored
from aether_tui.diagnostics.pipeline_measure import GRACE_DAYS, STAGES, Cohort, OldItem, Pipeline, Stage, unanswerable
from aether_tui.human import evidence, number, plural, quantity
from aether_tui.report_model import Block, Col, Fact, Facts, Finding, Gap, Quantity, Row, State, Table, missing
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.diagnostics.frame import Data

SHOWN = 15
SKIPPED = 0.5
"""Share of skipping items from which a stage counts as skipped."""


def mapped(found: Pipeline) -> bool:
    """Whether any item entered any stage."""
    return bool(found.cohorts) or any(stage.entered or stage.here for stage in found.stages)


def heaviest(found: Pipeline) -> Stage | None:
    """The stage that held most item-days in the window."""
    stages = [stage for stage in found.stages if stage.item_days > 0]
    return max(stages, key=lambda stage: stage.item_days, default=None)


def headline(found: Pipeline) -> str:
    """Where the days go, and how much comes through."""
    if not mapped(found):
        why = "No state is mapped to a lifecycle phase" if found.unmapped else "No work item is in view"
        return f"{why}, so the pipeline cannot be seen."
    stage = heaviest(found)
    parts = []
    if stage is not None:
        parts.append(f"{stage.name.capitalize()} holds {quantity(stage.item_days_share)} of all item-days")
    if older := sum(one.older for one in found.stages):
        parts.append(
            f"{plural(older, 'item')} {'is' if older == 1 else 'are'} older than the p85 of {'its' if older == 1 else 'their'} stage"
        )
    if found.late_kills.value:
        parts.append(f"{quantity(found.late_kills)} of what entered was killed in or after build")
    return "; ".join(parts) + "." if parts else "Nothing was in the pipeline in this window."


def findings(found: Pipeline) -> tuple[Finding, ...]:
    """The flags of section J, each with its figures."""
    made = []

    def flag(name: str, said: str, action: str = "") -> None:
        made.append(
            Finding(
                id=f"pipeline.{name}", severity="warn", text=said, evidence=(f"pipeline.{name}",), action=action or None
            )
        )

    if found.late_kills.value:
        flag(
            "late-kills",
            f"{quantity(found.late_kills)} {evidence(found.late_kills)} of the items of a year were killed in or after build; "
            f"they had taken {number(found.late_kill_days)} item-days.",
            "decide before build: validation costs less than killing late",
        )
    if found.unmeasured.value:
        flag(
            "unmeasured",
            f"{quantity(found.unmeasured)} {evidence(found.unmeasured)} of what was released over {GRACE_DAYS} days ago "
            "has not been measured.",
        )
    if found.undecided.value:
        flag(
            "undecided",
            f"{quantity(found.undecided)} {evidence(found.undecided)} of what was measured over {GRACE_DAYS} days ago "
            "has no decision.",
        )
    for stage in found.stages:
        if stage.skipped.value is not None and stage.skipped.value >= SKIPPED:
            flag(
                f"skipped.{stage.name}",
                f"{quantity(stage.skipped)} {evidence(stage.skipped)} of the items that went past {stage.name} never were in it.",
                "make it a state that items pass, or agree to leave it out",
            )
    unseen = [stage.name for stage in found.stages if not stage.mapped]
    if unseen and mapped(found):
        flag(
            "unseen",
            f"No state is mapped to {' or '.join(unseen)}: whether items skip {'it' if len(unseen) == 1 else 'them'} cannot be seen.",
            "map the states that mean it in [mapping.phases], or agree to leave it out",
        )
    if found.unmapped and mapped(found):
        states = ", ".join(f"{one_line(state, 40)} ({n:,})" for state, n in found.unmapped.items())
        flag(
            "unmapped",
            f"States without a lifecycle phase: {states}.",
            "name their phases in [mapping.phases] of aether.toml",
        )
    return tuple(made)


def blocks(found: Pipeline, data: Data) -> tuple[Block, ...]:
    """Stages, cohorts, old items."""
    if unable := unanswerable(data):
        instead = "--team TEAM, or --feature FEATURE"
        return (unnarrowed(data, "pipeline.filters", "Pipeline", "Work items", unable, instead),)
    if not mapped(found):
        return (_unmapped(found, data),)
    return (
        _glance(found, data),
        _funnel(found, data),
        _stages(found, data),
        _flags(found, data),
        _cohorts(found, data),
        _items(found, data),
    )


def _unmapped(found: Pipeline, data: Data) -> Gap:
    """No item is in any phase: none is there, none under these filters, or no state is mapped to one."""
    here = "pipeline.mapping", "Pipeline"
    if not found.unmapped and stored(data).get("work_items"):
        return nothing(data, *here, "No feature or opportunity is known", "pipeline")
    if not found.unmapped:
        return unconnected(data, here[0], "work_items", title=here[1], chain="pipeline")
    states = ", ".join(one_line(state, 40) for state in found.unmapped)
    return Gap(
        id=here[0],
        title=here[1],
        reason=f"No state is mapped to a lifecycle phase. States seen: {states}.",
        next_step=f'write [mapping.phases] in aether.toml, such as "In Progress" = "build"; phases are {", ".join(STAGES)}',
        action="go.sources",
        why=first_failed(data, "pipeline"),
    )


def _glance(found: Pipeline, data: Data) -> Facts:
    """How much comes through, how that went month by month, and the stage that holds most."""
    stage = heaviest(found)
    final = STAGES.index(found.last)
    through, course = found.reached[final], tuple(one.reached["build"].value for one in found.cohorts)
    worst = stage.item_days_share if stage else missing("nothing was in the pipeline in this window", unit="ratio")
    name = stage.name if stage else "stage"
    return Facts(
        id="pipeline.glance",
        facts=(
            Fact(id="pipeline.through", label=f"reached {found.last}", value=through, better="higher", note="of what entered in a year",
                 why=metrics.why("pipeline.reached", data)),
            Fact(id="pipeline.built", label="reached build, by month", value=found.reached[3], series=course,
                 note="young months have had less time", why=metrics.why("pipeline.reached", data)),
            Fact(id=f"pipeline.stage.{name}", label=f"most item-days: {name}", value=worst, state="warn" if stage else "no-data",
                 why=metrics.why("pipeline.item_days", data)),
        ),
    )  # fmt: skip


def _funnel(found: Pipeline, data: Data) -> Table:
    return Table(
        id="pipeline.funnel",
        title="Funnel: of what entered in a year, reached by now",
        columns=(
            Col(key="stage", title="stage or later", priority=10),
            Col(key="bar", title="", kind="bar", priority=10, width=30),
            Col(key="share", title="share", kind="number", priority=9),
            Col(key="n", title="items", kind="number", priority=8),
            Col(key="lost", title="lost since the stage before", kind="number", priority=6),
        ),
        rows=tuple(_funnel_row(found, place, data) for place in range(STAGES.index(found.last) + 1)),
        note="Items that skipped a stage count as having reached it.",
    )


def _funnel_row(found: Pipeline, place: int, data: Data) -> Row:
    now, before = found.reached[place], found.reached[max(place - 1, 0)]
    lost = None if now.value is None or not before.value or not place else 1 - now.value / before.value
    items = round((now.value or 0.0) * found.entered)
    return Row(
        id=f"pipeline.funnel.{STAGES[place]}",
        cells=(STAGES[place], now.value, now, items, "" if lost is None else Quantity(value=lost, unit="ratio")),
        why=metrics.why("pipeline.reached", data),
    )


def _stages(found: Pipeline, data: Data) -> Table:
    return Table(
        id="pipeline.stages",
        title="Stages",
        columns=(
            Col(key="state", title="", kind="state", priority=8),
            Col(key="stage", title="stage", priority=10),
            Col(key="here", title="here now", kind="number", priority=8),
            Col(key="held", title="item-days", kind="bar", priority=9, width=10),
            Col(key="share", title="share", kind="number", priority=9),
            Col(key="median", title="median stay", kind="number", priority=7),
            Col(key="p85", title="p85", kind="number", priority=5),
            Col(key="advanced", title="on in 90 d", kind="number", priority=6),
            Col(key="killed", title="killed in 90 d", kind="number", priority=6),
            Col(key="older", title="past p85", kind="number", priority=7),
        ),
        rows=tuple(_stage_row(stage, heaviest(found), data) for stage in found.stages),
        note="Features and opportunities of a year; open stays are censored, the shares are cumulative incidences.",
    )


def _stage_row(stage: Stage, heavy: Stage | None, data: Data) -> Row:
    state: State = (
        "no-data" if not stage.entered and not stage.here else "warn" if stage.older or stage is heavy else "pass"
    )
    if not stage.mapped:
        blank: tuple[None, ...] = (None,) * 8
        told = stage.skipped.reason or ""
        return Row(
            id=f"pipeline.stage.{stage.name}",
            state="no-data",
            cells=("not mapped", stage.name, *blank),
            why=told,
            detail=told,
        )
    word = {"no-data": "empty", "warn": "most days" if stage is heavy else "ageing", "pass": "moving"}[state]
    return Row(
        id=f"pipeline.stage.{stage.name}",
        state=state,
        cells=(
            word, stage.name, stage.here, stage.item_days_share.value, stage.item_days_share, stage.median_s, stage.p85_s,
            stage.advanced, stage.killed, stage.older,
        ),
        why=metrics.why("pipeline.median", data, plural(stage.entered, "stay"), *_formulas()),
    )  # fmt: skip


def _formulas() -> tuple[str, ...]:
    """What the other columns of a stage are."""
    others = (
        metrics.content()["pipeline.item_days"],
        metrics.content()["pipeline.advanced"],
        metrics.content()["pipeline.older"],
        metrics.content()["pipeline.skipped"],
    )
    return tuple(f"{one.title}: {one.formula}" for one in others)


def _flags(found: Pipeline, data: Data) -> Facts:
    """What comes late or never, as key figures."""

    def fact(name: str, value: Quantity, note: str = "") -> Fact:
        metric = metrics.content()[f"pipeline.{name}"]
        state: State = "no-data" if value.value is None else "warn" if value.value > 0 else "pass"
        why = metrics.lines(metric, data)
        return Fact(id=metric.id, label=metric.title, value=value, state=state, better="lower", note=note, why=why)

    days = f"{number(found.late_kill_days)} item-days taken" if found.late_kills.value else ""
    return Facts(
        id="pipeline.flags",
        title="Late or never",
        facts=(
            fact("late_kills", found.late_kills, days),
            fact("unmeasured", found.unmeasured),
            fact("undecided", found.undecided),
        ),
    )


def _cohorts(found: Pipeline, data: Data) -> Table:
    return Table(
        id="pipeline.cohorts",
        title="Of what entered in a month, reached by now",
        columns=(
            Col(key="month", title="month", priority=10),
            Col(key="n", title="entered", kind="number", priority=9),
            *(
                Col(key=name, title=name, kind="number", priority=8 if name in ("build", "release", "learn") else 5)
                for name in STAGES[1:]
            ),
        ),
        rows=tuple(_cohort_row(cohort, data) for cohort in reversed(found.cohorts)),
        note="Young months have had less time: compare a month with months of its age.",
        empty="Nothing entered the pipeline in a year.",
    )


def _cohort_row(cohort: Cohort, data: Data) -> Row:
    intervals = ", ".join(
        f"{name} {quantity(cohort.reached[name])} {evidence(cohort.reached[name])}"
        for name in STAGES[1:]
        if cohort.reached[name].value is not None
    )
    return Row(
        id=f"pipeline.cohort.{cohort.month:%Y-%m}",
        cells=(
            f"{cohort.month:%Y-%m}",
            cohort.entered,
            *(quantity(cohort.reached[name]) for name in STAGES[1:]),
        ),
        why=metrics.why("pipeline.reached", data, intervals),
    )


def _items(found: Pipeline, data: Data) -> Table:
    total = sum(stage.older for stage in found.stages)
    return Table(
        id="pipeline.old",
        title="Older than the p85 of their stage",
        columns=(
            Col(key="key", title="item", priority=9),
            Col(key="title", title="title", priority=10),
            Col(key="stage", title="stage", priority=8),
            Col(key="age", title="in it for", kind="number", priority=9),
            Col(key="limit", title="p85", kind="number", priority=6),
        ),
        rows=tuple(_item_row(item, data) for item in found.old[:SHOWN]),
        note=f"{SHOWN} of {total} shown; --format json has more." if total > SHOWN else "",
        empty="No open item is older than the p85 of its stage.",
    )


def _item_row(item: OldItem, data: Data) -> Row:
    return Row(
        id=f"pipeline.item.{item.source}.{item.id}",
        cells=(
            item.key or item.id,
            one_line(item.title, 200),
            item.stage,
            Quantity(value=item.age_s, unit="s"),
            Quantity(value=item.limit_s, unit="s"),
        ),
        detail=f"state {one_line(item.state, 60)}, from {item.source}",
        why=metrics.why("pipeline.older", data),
    )

"""What one thing, improved 30 %, would unlock the largest end-to-end gain? One page from the value stream (diagnostics E)."""

from __future__ import annotations

from msgspec import Struct

from aether_tui.diagnostics import constraint_failures as failures
from aether_tui.diagnostics.constraint_indicators import Indicator
from aether_tui.diagnostics.constraint_solve import FIELDS, OBJECTIVES, SURE, Answer, Objective, answer, stream_of
from aether_tui.diagnostics.constraint_streams import StreamChoice, choose
from aether_tui.report_model import Quantity
from aether_tui.stats.chain import Singular
from aether_tui.text import one_line
from aether_tui.workspace.kinds.value_stream import ValueStream

OFF = 0.25
"""A step whose counted volume differs by more than this from what the chain says makes the map doubtful."""


class Number(Struct, frozen=True, kw_only=True):
    """A number of a step with what it rests on, such as `measured n 400`."""

    value: float
    rests_on: str
    measured: bool


class StepView(Struct, frozen=True, kw_only=True):
    """A step: visits per item that enters, its numbers by field, and how probably it is the constraint, per objective."""

    name: str
    visits: float
    numbers: dict[str, Number]
    rework_to: str | None
    volume: Number | None
    volume_of_chain: float
    p_constraint: dict[str, float]


class LeverView(Struct, frozen=True, kw_only=True):
    """A lever improved by 30 %: changes and 90 % intervals by objective, and the share of draws in which it is the best."""

    step: str
    lever: str
    change: dict[str, float | None]
    low: dict[str, float]
    high: dict[str, float]
    p_top: dict[str, float]


class Lead(Struct, frozen=True, kw_only=True):
    """Which step is the constraint for one objective. `measure_first` names step and cell while nothing is sure."""

    step: str
    lever: str
    probability: float
    sure: bool
    measure_first: str | None
    explains: float | None


class Solution(Struct, frozen=True, kw_only=True):
    """The value stream solved."""

    id: str
    title: str
    currency: str
    demand_per_month: float
    value_per_success: float
    success_rate: Quantity
    rolled_yield: Quantity
    lead_time: Quantity
    cost_per_success: Quantity
    throughput: float
    money_per_month: float
    ceiling_per_month: float
    steps: tuple[StepView, ...]
    levers: dict[str, tuple[LeverView, ...]]
    """By objective, best first."""
    leads: dict[str, Lead | None]
    others: tuple[str, ...]


class Constraint(Struct, frozen=True, kw_only=True):
    """The diagnosis: the stream (or why there is none), what traces say about each category, the failure review."""

    solution: Solution | None
    reason: str | None
    indicators: tuple[Indicator, ...]
    hardest: str
    failures: failures.Failures | None
    streams: tuple[StreamChoice, ...] = ()
    """All that are written down, most to gain first, where there are several."""


def diagnosed(
    streams: tuple[ValueStream, ...], feature: str | None, seed: int
) -> tuple[Solution | None, str, tuple[StreamChoice, ...]]:
    """The stream that is chosen, solved, or why it cannot be; and all of them."""
    if not streams:
        return None, "nobody has written a value stream down", ()
    one, choices = choose(streams, feature, seed)
    try:
        found = answer(stream_of(one), seed=seed)
    except Singular as error:
        reason = f"{one.id}: items never leave step {one.steps[error.step].name!r}; lower its error rate below 1"
        return None, reason, choices
    return solution_of(one, found, tuple(stream.id for stream in streams if stream is not one)), "", choices


def solution_of(stream: ValueStream, found: Answer, others: tuple[str, ...]) -> Solution:
    """An answer with the evidence of its cells."""
    solved = found.solved
    cost = solved.cost_per_success
    return Solution(
        id=stream.id,
        title=one_line(stream.title),
        currency=stream.currency,
        demand_per_month=stream.demand_per_month,
        value_per_success=stream.value_per_success,
        success_rate=Quantity(value=solved.success_rate, unit="ratio", low=found.success_low, high=found.success_high),
        rolled_yield=Quantity(value=solved.rolled_yield, unit="ratio", low=found.rolled_low, high=found.rolled_high),
        lead_time=Quantity(value=solved.lead_time_s, unit="s"),
        cost_per_success=Quantity(value=None, unit="money", reason="nothing succeeds")
        if cost is None
        else Quantity(value=cost, unit="money", currency=stream.currency),
        throughput=solved.rate_per_month,
        money_per_month=found.money_per_month,
        ceiling_per_month=found.ceiling,
        steps=_steps(stream, found),
        levers={name: _levers(found, name) for name in OBJECTIVES},
        leads={name: _lead(found, name) for name in OBJECTIVES},
        others=others,
    )


def _steps(stream: ValueStream, found: Answer) -> tuple[StepView, ...]:
    views = []
    for step, visits in zip(stream.steps, found.solved.visits, strict=True):
        cells = {field: cell for field in FIELDS if (cell := getattr(step, field)) is not None}
        volume = step.volume_per_month
        views.append(
            StepView(
                name=one_line(step.name, 60),
                visits=visits,
                numbers={
                    field: Number(value=cell.value, rests_on=one_line(cell.words()), measured=cell.measured)
                    for field, cell in cells.items()
                },
                rework_to=None if step.rework_to is None else one_line(step.rework_to, 60),
                volume=None
                if volume is None
                else Number(value=volume.value, rests_on=one_line(volume.words()), measured=volume.measured),
                volume_of_chain=visits * found.solved.rate_per_month,
                p_constraint={name: found.p_step[name][step.name] for name in OBJECTIVES},
            )
        )
    return tuple(views)


def _levers(found: Answer, objective: Objective) -> tuple[LeverView, ...]:
    return tuple(
        LeverView(
            step=one_line(one.step, 60),
            lever=one.lever,
            change={name: one.delta(name) for name in OBJECTIVES},
            low={name: one.intervals[name][0] for name in OBJECTIVES},
            high={name: one.intervals[name][1] for name in OBJECTIVES},
            p_top={name: one.p_top[name] for name in OBJECTIVES},
        )
        for one in found.ranked(objective)
    )


def _lead(found: Answer, objective: Objective) -> Lead | None:
    leader = found.leader(objective)
    if leader is None:
        return None
    step, probability = leader
    lever = max((one for one in found.improvements if one.step == step), key=lambda one: one.p_top[objective])
    doubt = found.measure_first[objective]
    sure = probability >= SURE
    return Lead(
        step=one_line(step, 60),
        lever=lever.lever,
        probability=probability,
        sure=sure,
        measure_first=None if sure or doubt is None else f"{one_line(doubt[0], 60)} {doubt[1]}",
        explains=None if sure or doubt is None else doubt[2],
    )

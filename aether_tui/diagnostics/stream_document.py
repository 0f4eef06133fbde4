"""Counted steps as a value stream document, solved by the constraint diagnosis and completed by hand.

A chain passes each item through each step once and again after errors, so the cells are per passage of an item that got so far,
not per visit: the chain's lead time, cost per item and success are then exactly those that were counted.
"""

from __future__ import annotations

from collections.abc import Sequence

from aether_tui.diagnostics.frame import Clock
from aether_tui.diagnostics.stream_measure import BY, BY_ITEMS, MONTH_DAYS, Counted, Sums, grouping, merged
from aether_tui.stats.cells import Cell
from aether_tui.text import one_line
from aether_tui.workspace.kinds.value_stream import StreamStep, ValueStream

CELLS = ("touch_s", "wait_s", "cost", "error_rate", "abandon_rate")
UNPRICED = 0.05
"""No cost is written where more than this share of visits has no price."""
_SEEN = 50


def new(
    identity: str, one: Counted, others: Sequence[ValueStream], clock: Clock, value: float | None = None
) -> ValueStream:
    """A document of these steps. Money per success is that of the newest other stream, else `value`, which the north star
    says; else 0: nobody has said it yet."""
    days = (clock.window.end - clock.window.start).total_seconds() / 86_400
    names = _named(grouping(one, None))
    return ValueStream(
        id=identity,
        title=f"{one_line(one.title, 100)} as counted, {clock.window.label or 'window'}",
        cluster=BY_ITEMS if one.of == "item" else one.cluster[:200],
        demand_per_month=round(one.flow.n / days * MONTH_DAYS, 1),
        value_per_success=others[-1].value_per_success if others else value or 0.0,
        currency="USD",
        created=clock.now.date(),
        steps=_filled([StreamStep(name=name, seen_as=list(seen[:_SEEN])) for name, seen in names.items()], names, one),
        notes="Numbers said by traces or work items are per passage of an item that got so far.",
    )


def refreshed(document: ValueStream, one: Counted) -> ValueStream:
    """The document with what is counted now; cells that a person wrote stay as they are."""
    return document.model_copy(update={"steps": _filled(document.steps, grouping(one, document), one)})


def _named(groups: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Groups by names that are lines and differ."""
    made: dict[str, tuple[str, ...]] = {}
    for label, seen in groups.items():
        plain = one_line(label, 60).strip() or "step"
        made[plain if plain not in made else f"{plain} ({len(made)})"] = tuple(one_line(name, 200) for name in seen)
    return made


def _filled(steps: Sequence[StreamStep], groups: dict[str, tuple[str, ...]], one: Counted) -> list[StreamStep]:
    found, reach = [], 1.0
    names = {step.name for step in steps}
    for step in steps:
        sums = merged(one, [name for name in groups.get(step.name, ()) if name in one.steps])
        if not sums.visits:
            found.append(step)
        elif one.of == "item":
            found.append(_with(step, _per_visit(sums), sums.back_to if sums.back_to in names else None))
        else:
            cells, passed = _per_passage(sums, one, reach)
            reach *= passed
            found.append(_with(step, cells, step.name if sums.retried else None))
    return found


def _with(step: StreamStep, cells: dict[str, Cell], back_to: str | None) -> StreamStep:
    """The step with these cells where nobody wrote one by hand."""
    free = {name for name in CELLS if (cell := getattr(step, name)) is None or cell.who in {BY, BY_ITEMS}}
    new: dict[str, Cell | str | None] = {name: cell for name, cell in cells.items() if name in free}
    if "error_rate" in new and (step.rework_to is None or step.error_rate is not None):
        new["rework_to"] = back_to
    made = step.model_copy(update=new)
    leaving = sum(cell.value for cell in (made.error_rate, made.abandon_rate) if cell)
    if leaving >= 1:  # what a person wrote and what was counted cannot both be: theirs stands
        keep = {name: getattr(step, name) for name in ("error_rate", "abandon_rate", "rework_to")}
        made = made.model_copy(update=keep)
    return made


def _per_passage(sums: Sums, one: Counted, reach: float) -> tuple[dict[str, Cell], float]:
    """Cells of a step of tasks, and the share of what comes to it that passes.

    With e the share of visits retried at once, a passage has 1 ÷ (1 − e) visits; `lost` of the `known` tasks end here.
    """
    n, known = sums.visits, one.flow.known
    again = sums.retried / n
    lost = min(sums.lost / known / reach, (known - 0.5) / known) if known else 0.0
    per = (1 - again) / (one.flow.n * reach)
    cells = {
        "touch_s": Cell(sums.touch_s * per, n, who=BY),
        "wait_s": Cell(sums.wait_s * per, n, who=BY),
        "error_rate": Cell(again, n, who=BY),
    }
    if sums.cost is not None and sums.unpriced <= UNPRICED * n:
        cells["cost"] = Cell(sums.cost * per, n, who=BY)
    if known:
        cells["abandon_rate"] = Cell(lost * (1 - again), known, who=BY)
    return cells, 1 - lost


def _per_visit(sums: Sums) -> dict[str, Cell]:
    """Cells of a step of work items: a visit is a stay in the state, an error goes back to a state the item had been in."""
    n = sums.visits
    leaving = sums.errors + sums.lost
    scale = (n - 0.5) / n if leaving >= n else 1.0
    return {
        "touch_s": Cell(sums.touch_s / n, n, who=BY_ITEMS),
        "wait_s": Cell(sums.wait_s / n, n, who=BY_ITEMS),
        "error_rate": Cell(sums.errors / n * scale, n, who=BY_ITEMS),
        "abandon_rate": Cell(sums.lost / n * scale, n, who=BY_ITEMS),
    }

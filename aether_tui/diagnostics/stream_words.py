"""The value stream in words: maps as boxes with what waits on the arrows, steps as tables, categories that open."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from aether_tui.diagnostics import metrics
from aether_tui.diagnostics.frame import Data
from aether_tui.diagnostics.gaps import nothing, unconnected
from aether_tui.diagnostics.needs import stored
from aether_tui.diagnostics.stream_measure import Map, Stated, Step
from aether_tui.human import NONE, Beside, amount, column, duration, money, number, plural, quantity
from aether_tui.report_model import (
    Block,
    Box,
    Boxes,
    Col,
    Fact,
    Facts,
    Finding,
    Gap,
    Quantity,
    Row,
    Table,
    missing,
)

ENOUGH = 10
"""Failed tasks below which nothing is said about where they fail."""
TITLES = {
    "touch_s": "touch", "wait_s": "wait", "cost": "cost", "error_rate": "error", "abandon_rate": "leave",
    "capacity_per_month": "a month",
}  # fmt: skip
CATEGORIES = "stream.categories"


def worst(one: Map) -> Step | None:
    """The step where most failed tasks failed; none of too few."""
    if one.failed < ENOUGH or not any(step.lost for step in one.steps):
        return None
    return max(one.steps, key=lambda step: step.lost)


def headline(maps: Sequence[Map]) -> str:
    """Where failures and time are."""
    if not maps:
        return "No step can be counted: no trace and no finished work item with history is in view."
    one = maps[0]
    place = worst(one)
    longest = max(one.steps, key=lambda step: (step.touch_s or 0) * step.visits)
    told = f"{longest.name} takes most of the time of {'an' if one.of == 'item' else 'a'} {one.of}"
    if place is None:
        return f"{one.title}: {told}."
    return f"{one.title}: {told}; {place.name} is where {amount(place.lost / one.failed, 'ratio')} of {one.failed:,} failures are."


def findings(maps: Sequence[Map]) -> tuple[Finding, ...]:
    """Categories that fail elsewhere than all requests do, errors that nobody retries, steps nobody drew."""
    found = []
    for one in maps:
        if one.document and one.apart:
            names = ", ".join(step.name for step in one.apart[:3])
            found.append(
                Finding(
                    id=f"stream.apart.{one.id}", severity="warn", evidence=(one.document,),
                    text=f"{plural(len(one.apart), 'counted step')} is not on the map {one.document}: {names}."
                    if len(one.apart) == 1
                    else f"{len(one.apart)} counted steps are not on the map {one.document}: {names}"
                    + (" and more." if len(one.apart) > 3 else "."),
                    action=f"aether-tui doc edit value-stream {one.document}",
                )
            )  # fmt: skip
    by_failures = [one for one in maps if one.cluster and (place := worst(one)) and place.lost * 2 >= one.failed]
    for one in by_failures[:3]:
        place = worst(one)
        assert place is not None
        text = f"{one.title}: {place.lost:,} of {one.failed:,} failures are at {place.name}."
        found.append(
            Finding(id=f"stream.lost.{one.id}", severity="info", text=text, evidence=(f"{CATEGORIES}/{one.id}",))
        )
    return tuple(found)


def _none(uncounted: Sequence[str], data: Data) -> Gap:
    there = stored(data)
    if there.get("spans") or there.get("work_items"):
        said = "No trace and no finished work item with history is known"
        gap = nothing(data, "stream.none", "Value stream", said, "spans", "in this window")
    else:
        gap = unconnected(data, "stream.none", "spans", "the steps of requests", title="Value stream")
    typed = f" {', '.join(uncounted)} is all stated; g k tells what holds it up." if uncounted else ""
    return structs.replace(gap, reason=gap.reason + typed, next_step=f"{gap.next_step}; f types the steps by hand")


def blocks(maps: Sequence[Map], uncounted: Sequence[str], data: Data) -> tuple[Block, ...]:
    """The map of all requests, request categories, work items."""
    if not maps:
        return (_none(uncounted, data),)
    main = [one for one in maps if not one.cluster]
    made: list[Block] = [block for one in main[:1] for block in _whole(one)]
    clusters = [one for one in maps if one.cluster]
    if clusters:
        made.append(_categories(clusters))
    return (*made, *(block for one in main[1:] for block in _whole(one)))


def details(maps: Sequence[Map]) -> dict[str, tuple[Block, ...]]:
    """The map of each request category, under its row."""
    return {f"{CATEGORIES}/{one.id}": _whole(one) for one in maps if one.cluster}


def _whole(one: Map) -> tuple[Block, ...]:
    tables = [_steps(one)]
    if any(step.stated for step in one.steps):
        tables.append(_told(one))
    return (_facts(one), _boxes(one), *tables)


def _facts(one: Map) -> Facts:
    last = f", merged with {one.document}" if one.document else ""
    return Facts(
        id=f"{one.id}.facts",
        title=f"{one.title}{last}",
        facts=(
            Fact(id=f"{one.id}.n", label=f"{one.of}s", value=Quantity(value=one.n, unit="count"),
                 note=f"{number(one.per_month)} a month", why=f"{one.of[:1].upper()}{one.of[1:]}s of the days of the window.\n"
                 f"{metrics.asks('stream_work' if one.of == 'item' else 'stream_tasks')}\naether-tui report value-stream --format json"),
            Fact(id=f"{one.id}.success", label="success", value=one.success,
                 why=metrics.why("value-stream.success")),
            Fact(id=f"{one.id}.lead", label="lead time", value=_maybe(one.lead_s, "s"), note="mean", why=metrics.why("value-stream.lead")),
            Fact(id=f"{one.id}.cost", label="cost each", value=_maybe(one.cost_per_item, "USD"), why=metrics.why("value-stream.cost")),
        ),
    )  # fmt: skip


def _maybe(value: float | None, unit: str) -> Quantity:
    return missing("not known", unit=unit) if value is None else Quantity(value=value, unit=unit)


def _boxes(one: Map) -> Boxes:
    place = worst(one)
    return Boxes(
        id=f"{one.id}.map",
        title="Map",
        rows=(tuple(_box(one, step, at_worst=step is place) for step in one.steps),),
        arrows=tuple(_wait(step) for step in one.steps[1:]),
        note="Counted per visit, unless marked stated or by hand. On arrows: wait. ■: most failures. ↺: tried again.",
    )


def _wait(step: Step) -> str:
    if step.wait_s is not None:
        return duration(step.wait_s) if step.wait_s >= 0.005 else ""
    stated = step.stated.get("wait_s")
    return "" if stated is None or not stated.value else f"{duration(stated.value)} {_by(stated)}"


def _by(stated: Stated) -> str:
    return "by hand" if stated.measured else "stated"


def _box(one: Map, step: Step, *, at_worst: bool) -> Box:
    lines = [
        line
        for line in (
            _line("touch_s", step.touch_s, step),
            _line("cost", step.cost, step),
            _line("error_rate", step.error_rate.value, step, again=bool(step.retried or step.back_to)),
            f"failed {amount(step.lost / one.failed, 'ratio')} here" if one.failed and step.lost else "",
        )
        if line
    ]
    return Box(
        id=step.name,
        title=step.name,
        lines=tuple(lines) or ("no number",),
        state="block" if at_worst else None,
        why=_why(step, one.of),
    )


def _line(field: str, value: float | None, step: Step, *, again: bool = False) -> str:
    stated = step.stated.get(field)
    if value is not None:
        return (
            ""
            if field == "error_rate" and not value
            else f"{TITLES[field]} {_boxed(field, value)}{' ↺' if again else ''}"
        )
    return "" if stated is None else f"{TITLES[field]} {_boxed(field, stated.value)} {_by(stated)}"


def _boxed(field: str, value: float) -> str:
    """A number with its unit: no header says it."""
    return money(value, "USD") if field == "cost" else _shown(field, value)


def _shown(field: str, value: float) -> str:
    if field in {"touch_s", "wait_s"}:
        return duration(value)
    if field == "cost":
        return money(value, "USD").removesuffix(" USD")
    return amount(value, "ratio") if field.endswith("rate") else number(value)


def _why(step: Step, of: str) -> str:
    if not step.visits:
        return (
            "Nothing in traces or work items is mapped to this step; seen_as of the document names what it stands for."
        )
    seen = "" if step.merged in {(), (step.name,)} else f"Counted as one: {', '.join(step.merged[:8])}"
    return "\n".join(
        part
        for part in (
            f"{step.visits:,} visits. Touch: its own time, less steps inside it. Wait: since the last step ended. Means, because only "
            "means add up along a chain. A failed task failed at its first error, else where it ended.",
            seen + (" and more" if seen and len(step.merged) > 8 else ""),
            metrics.asks("stream_work" if of == "item" else "stream_steps"),
            "aether-tui report value-stream --format json",
        )
        if part
    )


def _steps(one: Map) -> Table:
    costs = any(step.cost is not None for step in one.steps)
    return Table(
        id=f"{one.id}.steps",
        title="Counted",
        columns=(
            Col(key="name", title="step", priority=10),
            Col(key="visits", title="visits", kind="number", priority=8),
            Col(key="per", title=f"per {one.of}", kind="number", priority=3),
            Col(key="touch", title="touch", kind="number", priority=7),
            Col(key="wait", title="wait", kind="number", priority=6),
            *((Col(key="cost", title="cost USD", kind="number", priority=5),) if costs else ()),
            Col(key="error", title="error", kind="number", priority=6),
            Col(key="again", title="again", kind="number", priority=4),
            Col(key="lost", title="failures", kind="number", priority=7),
        ),
        rows=tuple(_step_row(one, step, costs) for step in (*one.steps, *one.apart) if step.visits),
        note="Means per visit, n = visits. again: errors followed by the same step, or by one the item had been in."
        + (f" Steps marked + are not on the map {one.document}." if one.apart else ""),
        empty="No counted step is named by the document; seen_as of a step says what it stands for.",
    )


def _step_row(one: Map, step: Step, costs: bool) -> Row:
    interval = f"error {quantity(step.error_rate)}"
    if step.error_rate.low is not None and step.error_rate.high is not None:
        interval += (
            f" [{amount(step.error_rate.low, 'ratio')}–{amount(step.error_rate.high, 'ratio')}] n {step.visits:,}"
        )
    unpriced = f"; {plural(step.unpriced, 'visit')} without a price" if step.unpriced else ""
    back = f"; errors go back to {step.back_to}" if step.back_to else ""
    return Row(
        id=f"{one.id}.{step.name}",
        cells=(
            f"+ {step.name}" if step in one.apart else step.name,
            f"{step.visits:,}",
            NONE if step.per_item is None else f"{step.per_item:.2f}",
            NONE if step.touch_s is None else Quantity(value=step.touch_s, unit="s"),
            NONE if step.wait_s is None else Quantity(value=step.wait_s, unit="s"),
            *((NONE if step.cost is None else _shown("cost", step.cost),) if costs else ()),
            step.error_rate,
            f"{step.retried:,}" if step.retried else NONE,
            f"{step.lost:,}" if step.lost else NONE,
        ),
        detail=f"{interval}{unpriced}{back}",
        why=_why(step, one.of),
    )


def _told(one: Map) -> Table:
    return Table(
        id=f"{one.id}.stated",
        title=f"Written in {one.document}",
        why=metrics.why("value-stream.stated"),
        columns=(
            Col(key="name", title="step", priority=10),
            *(
                Col(key=field, title=title, kind="number", private=field == "cost", priority=6)
                for field, title in TITLES.items()
            ),
            Col(key="who", title="rests on", priority=5),
        ),
        rows=tuple(_told_row(one, step) for step in one.steps if step.stated),
        note="Per passage, as the constraint diagnosis solves it. * measured by who wrote it, the rest stated.",
    )


def _told_row(one: Map, step: Step) -> Row:
    def cell(field: str) -> str:
        found = step.stated.get(field)
        return NONE if found is None else _shown(field, found.value) + ("*" if found.measured else "")

    return Row(
        id=f"{one.id}.stated.{step.name}",
        cells=(step.name, *(cell(field) for field in TITLES), _rests(step.stated)),
        detail="; ".join(f"{TITLES[field]} {found.rests_on}" for field, found in step.stated.items()),
    )


def _rests(stated: dict[str, Stated]) -> str:
    kinds = {"measured" if one.measured else "stated" for one in stated.values()}
    return " and ".join(sorted(kinds))


def _categories(clusters: Sequence[Map]) -> Table:
    beside = column((one.cost_per_item for one in clusters), "USD").get("USD")
    return Table(
        id=CATEGORIES,
        title="Where request categories fail",
        columns=(
            Col(key="name", title="category", priority=10),
            Col(key="n", title="requests", kind="number", priority=7),
            Col(key="failed", title="failed", kind="number", priority=9),
            Col(key="success", title="success", kind="number", priority=8),
            Col(key="where", title="most failures at", priority=9),
            Col(key="share", title="of them", kind="number", priority=8),
            Col(key="lead", title="lead", kind="number", priority=5),
            Col(key="cost", title="cost USD", kind="number", priority=4),
        ),
        rows=tuple(_category(one, beside) for one in clusters),
    )


def _category(one: Map, beside: Beside | None) -> Row:
    place = worst(one)
    few = f"fewer than {ENOUGH} failures" if one.known else "no outcome"
    return Row(
        id=one.id,
        cells=(
            one.title,
            f"{one.n:,}",
            f"{one.failed:,}",
            one.success,
            few if place is None else place.name,
            NONE if place is None else Quantity(value=place.lost / one.failed, unit="ratio"),
            NONE if one.lead_s is None else Quantity(value=one.lead_s, unit="s"),
            NONE if one.cost_per_item is None else amount(one.cost_per_item, "USD", "USD", beside).removesuffix(" USD"),
        ),
        detail="; ".join(
            f"{step.name} {step.lost:,}" for step in sorted(one.steps, key=lambda s: -s.lost)[:5] if step.lost
        ),
        why="A failed task failed at its first error, else at its last step.\n"
        f"{metrics.asks('stream_steps')}\naether-tui report value-stream --format json",
    )

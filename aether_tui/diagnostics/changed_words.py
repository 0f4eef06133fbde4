"""What changed, in words, a table, and what opens under a row: the course, its parts and its days."""

from __future__ import annotations

from datetime import UTC

from aether_tui.diagnostics import changed_measure, metrics
from aether_tui.diagnostics.changed_measure import Change, Changed, Look
from aether_tui.diagnostics.changed_series import DAYS, Course
from aether_tui.diagnostics.frame import Data
from aether_tui.diagnostics.joins import first_failed
from aether_tui.diagnostics.needs import KEYS, stored
from aether_tui.human import NONE, amount, evidence, plural, quantity
from aether_tui.report_model import Block, Col, Finding, Gap, Plot, Point, Prose, Quantity, Row, Series, State, Table
from aether_tui.stats.anomalies import Shift

TABLE = "anomalies.changes"
SHOWN = 30
LAST_DAYS = 28
ALL = 0.995
"""A part of a change with this share is all of it; what others took away of it makes more than all."""


def since(found: Changed) -> str:
    """`since review October (12 Nov)`, or since the window began."""
    day = f"{found.since:%-d %b}"
    if found.review is None:
        return f"since {day} (no review is frozen yet)"
    return f"since review {found.review}" + ("" if f"{found.since:%Y-%m-%d}" in found.review else f" ({day})")


def headline(found: Changed) -> str:
    """How much changed, and the first of it."""
    if not found.series:
        return "Nothing is followed day by day here: no data."
    if not found.changes:
        return f"Nothing changed {since(found)}: {plural(found.series, 'daily series', 'daily series')} stayed within their own noise."
    worse = sum(one.direction == "worse" for one in found.changes)
    many = (
        f"{plural(len(found.changes), 'change')} in {found.series} daily series {since(found)}, {worse} for the worse."
    )
    return f"{many} First: {sentence(found.changes[0])}"


def moved(one: Change) -> str:
    """`+31 %`, or from none."""
    return (
        "from none"
        if one.effect.value is None
        else f"{'+' if one.effect.value > 0 else '−'}{amount(abs(one.effect.value), 'ratio')}"
    )


def sentence(one: Change) -> str:
    """One sentence to read aloud; it says what moved with what, never why."""
    held = f" {_range(one)}" if one.effect.low is not None else ""
    part = f"; {_part(one)}" if one.driver else ""
    levels = f"{quantity(one.before)} → {quantity(one.after)}"
    if one.began < one.day:
        day = f"{one.day:%-d %b}"
        levels = f"{quantity(one.before)} before {day}, {quantity(one.after)} since"
    return f"{title(one)} {course(one)} {'on' if one.kind == 'step' else 'since'} {one.began:%-d %b}: {levels} ({moved(one)}{held}){part}."


def course(one: Change) -> str:
    """What it did, as a verb: `rose`, `have been falling`, `stayed above its usual days`."""
    up = (one.after.value or 0) > (one.before.value or 0)
    many = one.title.rpartition(", ")[2].startswith(_MANY)
    if one.kind == "step":
        return "rose" if up else "fell"
    if one.kind == "drift":
        return f"{'have' if many else 'has'} been {'rising' if up else 'falling'}"
    return f"stayed {'above' if up else 'below'} {'their' if many else 'its'} usual days"


_MANY = ("items", "model calls", "tokens", "CI runs", "deployments", "tests", "failed tests", "flaky tests")
"""How titles of series begin that are in the plural."""


def _range(one: Change) -> str:
    return evidence(Quantity(value=one.effect.value, unit="ratio", low=one.effect.low, high=one.effect.high))


def title(one: Change) -> str:
    """`Cost per task of refund`."""
    segment, _, metric = one.title.rpartition(", ")
    return f"{metric[:1].upper()}{metric[1:]}" + (f" of {segment}" if segment else "")


def _part(one: Change) -> str:
    assert one.driver
    name = f"{one.driver.by} {one.driver.name}"
    return (
        f"all of it {name}"
        if one.driver.share >= ALL
        else f"{name} is {amount(one.driver.share, 'ratio')} of the change"
    )


def state(one: Change) -> State:
    """Worse is a warning, over the limit a block; better passes."""
    if one.direction == "worse":
        return "block" if (one.used or 0) > 1 else "warn"
    return "pass" if one.direction == "better" else "info"


def findings(found: Changed) -> tuple[Finding, ...]:
    """One per change, in order."""
    return tuple(
        Finding(
            id=f"anomalies.{one.id}",
            severity="bad" if state(one) == "block" else "warn" if one.direction == "worse" else "info",
            text=sentence(one) + (f" Budget {one.budget} is used to {amount(one.used, 'ratio')}." if one.used else ""),
            evidence=(one.id,),
        )
        for one in found.changes[:8]
    )


def blocks(found: Changed, data: Data) -> tuple[Block, ...]:
    """The table, and how it was found."""
    if not found.series:
        if any(stored(data).values()):
            until = f"{data.clock.window.end:%-d %b %Y}"
            return (Gap(id="anomalies.gap", title="What changed", reason=f"Nothing is counted by day in the {DAYS} days to {until}.",
                        next_step="press W for a window that ends with the data", why=first_failed(data, "days")),)  # fmt: skip
        return (Gap(id="anomalies.gap", title="What changed", reason="No source is connected that counts anything by day.",
                    next_step=f"add one to aether.toml, then aether-tui sync; or aether-tui load PATH ({KEYS})",
                    action="go.sources", why=first_failed(data, "days")),)  # fmt: skip
    how = (
        f"{plural(found.series, 'series', 'series')} of {DAYS} days, each without its weekday shape. A step or drift holds at 99 % "
        "over all days tried; a run is four days in a row that their weekday does not explain (|z| over 3.5, Benjamini–Hochberg over "
        f"all series of a day). {plural(found.outliers, 'single day')} out of line, not counted. Ranked by effect ÷ width of its "
        "95 % interval and by how much of a budget is used. A part's share says what moved with it, not why."
    )
    blind = [what for source, what in _SOURCES.items() if not stored(data).get(source)]
    if blind:
        how += f" Not watched, for want of a source (c connects one): {', '.join(blind)}."
    return (
        table(found, found.changes[:SHOWN], TABLE, f"What changed {since(found)}", data),
        Prose(id="anomalies.how", text=how),
    )


_SOURCES = {
    "spans": "model calls", "pipeline_runs": "CI runs", "test_runs": "tests", "costs": "bills", "work_items": "work items",
    "deployments": "deployments",
}  # fmt: skip
"""What is counted by day, by the records it is counted from."""
KINDS = {
    "changed_llm": "model calls", "changed_tasks": "requests", "changed_ci": "CI runs", "changed_tests": "tests", "changed_cost": "bills",
    "changed_flow": "work items", "changed_delivery": "deployments", "changed_durations": "durations",
}  # fmt: skip
"""What the rows of each query are."""


def narrowed(data: Data) -> tuple[Block, ...]:
    """What the filters in use narrow, and which series they cannot, because their rows do not say."""
    if not data.filters.set_names():
        return ()
    whole: dict[str, list[str]] = {}
    for query, what in KINDS.items():
        for name in data.unfiltered(query):
            whole.setdefault(name, []).append(what)
    unable = "; ".join(f"{', '.join(found)} do not carry a {name} and are whole" for name, found in whole.items())
    text = f"Narrowed to {data.filters.sentence()}{f': {unable}' if unable else ''}."
    return (Prose(id="anomalies.narrowed", title="Filters", text=text),)


def table(found: Changed, changes: tuple[Change, ...], identity: str, title: str, data: Data) -> Table:
    """Changes as rows."""
    rest = len(found.changes) - len(changes)
    return Table(
        id=identity,
        title=title,
        columns=(
            Col(key="state", title="", kind="state", priority=9),
            Col(key="what", title="what", priority=10),
            Col(key="moved", title="change", kind="number", priority=10),
            Col(key="when", title="when", priority=9),
            Col(key="before", title="before", kind="number", priority=6),
            Col(key="after", title="after", kind="number", priority=7),
            Col(key="driver", title="largest part", priority=5, width=30),
        ),
        rows=tuple(_row(one, data) for one in changes),
        note=f"{plural(rest, 'more change')} in `aether-tui report anomalies`." if rest > 0 else "",
        empty="Every series stayed within its own noise.",
    )


def _row(one: Change, data: Data) -> Row:
    word = {"worse": "worse", "better": "better", "": "moved"}[one.direction]
    when = f"{one.day:%-d %b}" if one.kind == "step" else f"since {one.began:%-d %b}"
    driver = NONE
    if one.driver:
        driver = one.driver.name + ("" if one.driver.share >= ALL else f" {amount(one.driver.share, 'ratio')}")
    used = f"budget {one.budget} used to {amount(one.used, 'ratio')}" if one.used else ""
    return Row(
        id=one.id,
        state=state(one),
        cells=(word, one.title, moved(one), when, one.before, one.after, driver),
        detail="; ".join(part for part in (one.kind, evidence(one.effect), used) if part),
        why=metrics.why(
            "anomalies.change",
            data,
            f"clearness {amount(one.clear, '')}",
            metrics.content()["anomalies.driver"].formula,
        ),
    )


def details(look: Look) -> dict[str, tuple[Block, ...]]:
    """Under every row: its course, its parts, its last days."""
    return {
        f"{TABLE}/{change.id}": (_course(change, course), *_parts(change, course, shift), _days(course))
        for change, course, shift in look.found[:SHOWN]
    }


def _course(change: Change, course: Course) -> Plot:
    points = tuple(
        Point(x=course.day(at).replace(tzinfo=UTC).timestamp(), y=value) for at, value in enumerate(course.values)
    )
    return Plot(
        id="course",
        title=course.title,
        series=(Series(label="per day", points=points),),
        text=sentence(change),
        x_kind="time",
        y_unit=course.metric.unit,
        marks=((change.day.timestamp(), change.kind),),
    )


def _parts(change: Change, course: Course, shift: Shift) -> tuple[Block, ...]:
    found = changed_measure.parts(course, shift)
    if not found:
        return ()

    def shown(value: float) -> Quantity:
        return Quantity(value=value, unit=course.metric.unit, currency=change.before.currency)

    return (
        Table(
            id="parts",
            title=f"By {course.part_by}, what each adds",
            columns=(
                Col(key="part", title=course.part_by, priority=10),
                Col(key="before", title="before", kind="number", priority=9),
                Col(key="after", title="after", kind="number", priority=9),
                Col(key="share", title="share of the change", kind="number", priority=10),
            ),
            rows=tuple(
                Row(id=one.name, cells=(one.name, shown(one.before), shown(one.after), amount(one.share, "ratio")))
                for one in found[:8]
            ),
        ),
    )


def _days(course: Course) -> Table:
    """The rows of the rollup behind it, newest first."""
    last = range(max(0, len(course.values) - LAST_DAYS), len(course.values))
    return Table(
        id="days",
        title="Days behind it",
        columns=(
            Col(key="day", title="day", priority=10),
            Col(key="value", title="value", kind="number", priority=10),
            Col(key="n", title="of", kind="number", priority=6),
        ),
        rows=tuple(
            Row(id=f"{course.day(at):%Y-%m-%d}", cells=(
                f"{course.day(at):%a %-d %b}",
                NONE if (value := course.values[at]) is None else amount(value, course.metric.unit),
                round(sum(days[at][1] for days in course.parts.values() if at in days)) if course.metric.bottom else None,
            ))
            for at in reversed(last)
        ),
    )  # fmt: skip

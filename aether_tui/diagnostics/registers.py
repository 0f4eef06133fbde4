"""Registers of events and tools (diagnostics I and K). Part of the report `canvas`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.diagnostics.frame import Record, real, text
from aether_tui.human import NONE, number, plural
from aether_tui.report_model import Block, Col, Finding, Row, State, Table
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.event import Event
    from aether_tui.workspace.kinds.tool import Tool

SILENT = timedelta(days=7)
"""A live event that did not happen in the last seven counted days is silent: a whole week, weekend included."""
LEVELS = ("", "ad hoc", "defined", "managed", "optimized", "adaptive")


class EventLine(Struct, frozen=True, kw_only=True):
    """One event. `state`: seen, silent, not counted, planned, retired, unknown (counted and not in the register)."""

    id: str
    name: str
    state: str
    last_seen: datetime | None
    seen: float | None
    owner: str
    metrics: tuple[str, ...]
    trigger: str
    properties: tuple[str, ...]
    lacks: tuple[str, ...]


class ToolLine(Struct, frozen=True, kw_only=True):
    """One tool; `advice` follows from its job, `verdict` is what people decided."""

    id: str
    title: str
    job: str
    team: str
    level: str
    verdict: str
    advice: str


class Registers(Struct, frozen=True, kw_only=True):
    """Both registers."""

    events: tuple[EventLine, ...]
    tools: tuple[ToolLine, ...]


def measure(events: Sequence[Event], tools: Sequence[Tool], rows: Sequence[Record]) -> Registers:
    """The registers against what is counted (`registers_events`)."""
    return Registers(events=_events(events, rows), tools=_tools(tools))


def _events(events: Sequence[Event], rows: Sequence[Record]) -> tuple[EventLine, ...]:
    counted = {text(row["name"]).casefold(): row for row in rows}
    known = {one.title.casefold() for one in events}
    lines = []
    for one in events:
        row = counted.get(one.title.casefold())
        lines.append(
            EventLine(
                id=one.id, name=one_line(one.title), state=_state(one, row), last_seen=_last(row),
                seen=None if row is None else real(row["seen"]), owner=one_line(one.owner), metrics=tuple(one.metrics),
                trigger=one_line(one.trigger), properties=tuple(one.properties), lacks=one.lacks(),
            )
        )  # fmt: skip
    lines += [
        EventLine(
            id=f"unknown:{one_line(text(row['name']))}", name=one_line(text(row["name"])), state="unknown",
            last_seen=_last(row), seen=real(row["seen"]), owner="", metrics=(), trigger="", properties=(), lacks=(),
        )
        for name, row in counted.items()
        if name not in known
    ]  # fmt: skip
    order = ("silent", "unknown", "not counted", "seen", "planned", "retired")
    return tuple(sorted(lines, key=lambda line: (order.index(line.state), line.id)))


def _last(row: Record | None) -> datetime | None:
    value = None if row is None else row["last_seen"]
    return value if isinstance(value, datetime) else None


def _state(one: Event, row: Record | None) -> str:
    if row is None:
        return one.status if one.status != "live" else "not counted"
    if one.status == "retired":
        return "retired"
    last, until = _last(row), row["known_until"]
    assert isinstance(until, datetime)
    return "silent" if last is None or until - last >= SILENT else "seen"


def _tools(tools: Sequence[Tool]) -> tuple[ToolLine, ...]:
    by_job: dict[str, list[Tool]] = defaultdict(list)
    for one in tools:
        by_job[" ".join(one.job.casefold().split())].append(one)
    lines = []
    for job, same in sorted(by_job.items(), key=lambda pair: (pair[0] == "", pair[0])):
        best = _best(same)
        lines += [
            ToolLine(
                id=one.id, title=one_line(one.title), job=one_line(one.job), team=one_line(one.team), level=one.level,
                verdict=one.verdict, advice=_advice(job, one, same, best),
            )
            for one in same
        ]  # fmt: skip
    return tuple(lines)


def _best(same: Sequence[Tool]) -> str:
    """The tool that does the job best, then the one more teams use, then the first by name."""
    names = {one.title for one in same}
    level = {name: max(LEVELS.index(one.level) for one in same if one.title == name) for name in names}
    teams = {name: len({one.team for one in same if one.title == name}) for name in names}
    return min(names, key=lambda name: (-level[name], -teams[name], name))


def _advice(job: str, one: Tool, same: Sequence[Tool], best: str) -> str:
    if not job:
        return "say what job it does; without one it is a candidate to drop"
    if one.title == best:
        others = len({other.title for other in same}) - 1
        return f"keep: it does the job best of {others + 1}" if others else "keep: nothing else does this job"
    return f"merge into {one_line(best)}: it does the same job, as well or better"


# --- Words ----------------------------------------------------------------------------------------------------------


def findings(registers: Registers) -> tuple[Finding, ...]:
    """Silent and unknown events, and jobs done twice."""
    found = []
    silent = [one for one in registers.events if one.state == "silent"]
    for one in silent[:2]:
        since = "never" if one.last_seen is None else f"last on {one.last_seen:%Y-%m-%d}"
        fed = f"; it feeds {', '.join(one.metrics)}" if one.metrics else ""
        told = f"The event {one.name!r} is silent ({since}){one_line(fed, 160)}."
        found.append(Finding(id=f"canvas.silent.{one.id}", severity="bad", text=told, evidence=(one.id,)))
    unknown = [one.name for one in registers.events if one.state == "unknown"]
    if unknown and len(unknown) < len(registers.events):
        told = f"{plural(len(unknown), 'event')} counted and not in the register: {', '.join(unknown[:4])}."
        found.append(
            Finding(id="canvas.unknown", severity="warn", text=told, action="aether-tui doc new event --set 'title=…'")
        )
    retired = [one for one in registers.events if one.state == "retired" and one.seen]
    if retired:
        told = f"The event {retired[0].name!r} is retired in the register and still arrives."
        found.append(Finding(id="canvas.retired", severity="warn", text=told, evidence=(retired[0].id,)))
    merged = [one for one in registers.tools if one.advice.startswith("merge") and one.verdict != "keep"]
    if merged:
        told = f"{plural(len(merged), 'tool')} do a job that another does as well: " + ", ".join(
            f"{one.title} ({one.job})" for one in merged[:3]
        )
        found.append(
            Finding(id="canvas.tools", severity="info", text=f"{told}.", evidence=tuple(one.id for one in merged))
        )
    lost = [one for one in registers.tools if one.verdict == "drop" and one.advice.startswith("keep: nothing")]
    if lost:
        told = f"{lost[0].title} shall be dropped and nothing else does its job: {lost[0].job}."
        found.append(Finding(id="canvas.job", severity="warn", text=told, evidence=(lost[0].id,)))
    return tuple(found)


STATES: dict[str, State] = {
    "seen": "pass", "silent": "block", "not counted": "no-data", "planned": "info", "retired": "info", "unknown": "warn",
}  # fmt: skip


def blocks(registers: Registers) -> tuple[Block, ...]:
    """Both tables; a register nobody began is left out."""
    found: list[Block] = []
    if registers.events:
        found.append(_event_table(registers))
    if registers.tools:
        found.append(_tool_table(registers))
    return tuple(found)


def _event_table(registers: Registers) -> Table:
    return Table(
        id="canvas.events",
        title="Event register",
        columns=(
            Col(key="id", title="id", priority=8),
            Col(key="name", title="event", priority=10),
            Col(key="owner", title="owner", priority=6),
            Col(key="metrics", title="feeds", priority=5),
            Col(key="last", title="last seen", priority=7),
            Col(key="seen", title="in window", kind="number", priority=4),
            Col(key="state", title="state", kind="state", priority=9),
        ),
        rows=tuple(
            Row(
                id=one.id,
                cells=(
                    "—" if one.state == "unknown" else one.id, one.name, one.owner or NONE, ", ".join(one.metrics) or NONE,
                    NONE if one.last_seen is None else f"{one.last_seen:%Y-%m-%d}",
                    NONE if one.seen is None else number(one.seen), one.state,
                ),
                state=STATES[one.state],
                why=f"trigger: {one.trigger or NONE}\nproperties: {', '.join(one.properties) or NONE}",
            )
            for one in registers.events
        ),
        note="Silent: not once in the last seven days that were counted. Unknown: counted, and nobody wrote down what it is.",
    )  # fmt: skip


def _tool_table(registers: Registers) -> Table:
    return Table(
        id="canvas.tools",
        title="Tool register, by job",
        columns=(
            Col(key="job", title="job", priority=10),
            Col(key="id", title="id", priority=6),
            Col(key="title", title="tool", priority=9),
            Col(key="team", title="team", priority=5),
            Col(key="level", title="level", priority=4),
            Col(key="verdict", title="decided", priority=7),
            Col(key="advice", title="advice", priority=8),
        ),
        rows=tuple(
            Row(
                id=one.id,
                cells=(
                    one.job or NONE, one.id, one.title, one.team or NONE, one.level or NONE, one.verdict or NONE,
                    one.advice.partition(":")[0],
                ),
                why=one.advice,
            )
            for one in registers.tools
        ),
    )  # fmt: skip

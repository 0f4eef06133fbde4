"""The rows behind a number: work items, requests, deployments, incidents, runs, traces, cases, charges; each opens on all it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from msgspec import Struct

from aether_tui.diagnostics import constraint_indicators, indicators, metrics, scorecard_links
from aether_tui.diagnostics.frame import EVERYTHING, Data, Parameter, Record, text, whole
from aether_tui.diagnostics.pipeline_measure import STAGES
from aether_tui.errors import NoData
from aether_tui.human import NONE, amount, plural
from aether_tui.records.model import Value
from aether_tui.report_model import Block, Col, Prose, Quantity, Report, Row, Table
from aether_tui.text import one_line

TRACES = "rows_traces"
_HEAD = ("source", "id", "name", "title", "value", "of")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a number is made of: the query of its rows, its parameters, what one row is called, and what its value is."""

    query: str
    one: str
    value: str
    unit: str = "s"
    given: Mapping[str, Value] = field(default_factory=dict)
    service: str | None = None
    title: str = ""


def _items(mode: str, value: str, stage: int = 1) -> Subject:
    return Subject("rows_items", "work item", value, given={"mode": mode, "stage": stage})


def _traces(mode: str, value: str = "took", unit: str = "s", title: str = "") -> Subject:
    return Subject(TRACES, "trace", value, unit, {"mode": mode, "ids": ()}, title=title)


_BARE = _traces("incomplete", title="requests without model or tokens")
_UNPRICED = _traces("unpriced", title="requests with a call that has no cost")
_UNSORTED = _traces("uncategorised", title="requests without a category")
_NOBODYS = _traces("unattributed", "cost", "USD", "cost without feature or team")
_UNSAID = _traces("unsaid", title="requests without an outcome")


CHANGES = Subject("rows_changes", "merged request", "lead time")
DEPLOYMENTS = Subject("rows_deployments", "deployment", "took")
INCIDENTS = Subject("rows_incidents", "incident", "lasted")

SUBJECTS: dict[str, Subject] = {
    "speed.lead_time": CHANGES,
    "speed.deployments": DEPLOYMENTS,
    "speed.cycle_time": _items("cycle", "cycle time"),
    "speed.wip_age": _items("open", "age"),
    "speed.ci": Subject("rows_runs", "CI run", "took"),
    "speed.agent_latency": _traces("slow"),
    "quality.change_fail": DEPLOYMENTS,
    "quality.rework": DEPLOYMENTS,
    "quality.escaped": _items("escaped", "open for"),
    "quality.reopen": _items("reopened", "lead time"),
    "quality.task_success": _traces("failed"),
    "quality.flaky": Subject("rows_cases", "test case", "times flaky", "count"),
    "quality.call_errors": _traces("errors"),
    "visibility.trace": _traces("incomplete"),
    "visibility.llm_cost": _traces("unattributed", "cost", "USD"),
    "visibility.bill": Subject("rows_charges", "charge", "billed", "USD"),
    "visibility.outcome": _traces("unsaid"),
    "visibility.item_outcome": _items("released", "until released"),
    "visibility.paths": _traces("incomplete"),
    "visibility.predictability": _items("unfinished", "age"),
    "visibility.mapped": _items("unmapped", "since the last change"),
    "flywheel.model": _BARE,
    "flywheel.tokens": _BARE,
    "flywheel.fields": _BARE,
    "flywheel.cost": _UNPRICED,
    "flywheel.attribution": _NOBODYS,
    "flywheel.outcome": _UNSAID,
    "flywheel.clusters": _UNSORTED,
    "flow.cycle_p50": _items("cycle", "cycle time"),
    "flow.cycle_p85": _items("cycle", "cycle time"),
    "flow.lead_p50": _items("lead", "lead time"),
    "flow.lead_p85": _items("lead", "lead time"),
    "flow.reopened": _items("reopened", "lead time"),
    "flow.wip": _items("open", "age"),
    "flow.mean_wip": _items("open", "age"),
    "flow.past_p85": _items("open", "age"),
    "flow.throughput": _items("lead", "lead time"),
    "flow.efficiency": _items("lead", "lead time"),
    "flow.oldest": _items("open", "age"),
    "flow.utilisation": _items("open", "age"),
    "flow.handoffs": _items("lead", "lead time"),
    **{f"pipeline.stage.{name}": _items("stage", "in it for", number) for number, name in enumerate(STAGES, 1)},
}
"""By the id of an indicator, a key figure or a row."""
OF_A_SERVICE = {
    "lead_time": CHANGES, "frequency": DEPLOYMENTS, "recovery": INCIDENTS, "change_fail": DEPLOYMENTS, "rework": DEPLOYMENTS,
}  # fmt: skip


def subject(identity: str) -> Subject | None:
    """What stands behind a number of that id; `scorecard.SERVICE.METRIC` is narrowed to the service."""
    identity = _plain(identity)
    if identity in SUBJECTS:
        return SUBJECTS[identity]
    report, _, rest = identity.partition(".")
    service, _, metric = rest.rpartition(".")
    if report == "scorecard" and metric in OF_A_SERVICE:
        return replace(OF_A_SERVICE[metric], service=service)
    return None


_LINKED = {DEPLOYMENTS.query: "scorecard_deployments", INCIDENTS.query: "scorecard_incidents"}
"""Rows that depend on which deployment an incident is charged to, and the query that is narrowed for them."""


def _linked(found: Subject, data: Data) -> dict[str, str]:
    """The deployments that failed, each with what tells so, or the incidents of a service, each with its deployment."""
    links, failed = scorecard_links.blamed(data)
    charged = [one for one in links if one.deployment is not None]
    if found.query == DEPLOYMENTS.query:
        told = dict.fromkeys(failed, "mended by the next deployment")
        for one in charged:
            before = told[one.deployment or ""]
            told[one.deployment or ""] = (
                f"{before}, {one.key}" if before.startswith("incident ") else f"incident {one.key}"
            )
        return told
    window = data.clock.window
    return {
        one.id: f"after {text((one.deployment or '').rpartition('/')[2])}"
        for one in charged
        if window.start <= one.opened < window.end and found.service in (None, one.service)
    }


def _of_indicator(data: Data, identity: str) -> tuple[Subject, str] | None:
    """The traces that weigh most in an indicator of agent loops, and what it is called."""
    for one in constraint_indicators.indicators(data):
        if one.id == identity and one.traces:
            return Subject(TRACES, "trace", "took", given={"mode": "named", "ids": one.traces}), one.name
    return None


def _plain(identity: str) -> str:
    """Without what marks a figure that is shown twice."""
    return identity.removesuffix(".glance").removesuffix(".worst")


def titled(identity: str) -> str:
    """What a number is called, with its service or stage."""
    if identity in indicators.known():
        return indicators.known()[identity].title
    identity = _plain(identity)
    if identity in SUBJECTS and SUBJECTS[identity].title:
        return SUBJECTS[identity].title
    if identity in metrics.content():
        return metrics.content()[identity].title
    report, _, rest = identity.partition(".")
    service, _, metric = rest.rpartition(".")
    known = metrics.content().get(f"{report}.{metric}")
    return f"{known.title} of {service}" if known else metric


class Rows(Struct, frozen=True, kw_only=True):
    """How many rows there are, and the ids of those shown, as SOURCE/ID."""

    of: int
    shown: tuple[str, ...]


def report(data: Data, identity: str) -> Report[Rows]:
    """The rows behind a number, the most telling first. Raises NoData when the number has none behind it."""
    known = subject(identity)
    behind = _of_indicator(data, identity) if known is None else (known, titled(identity))
    if behind is None:
        raise NoData(f"no rows stand behind {identity}", next_step="x tells how it is computed")
    found, title = behind
    given: dict[str, Parameter] = {**found.given, **({"service": found.service} if found.service else {})}
    noted: dict[str, str] = {}
    if found.query in _LINKED:
        noted = _linked(found, data)
        given["ids"] = sorted(noted)
    rows = data.rows(found.query, **given)
    unable = data.unfiltered(_LINKED.get(found.query, found.query), ("environment",))
    names = [f"{text(row['source'])}/{text(row['id'])}" for row in rows]
    history = _history(data, names) if found.query == "rows_items" else {}
    total = whole(rows[0]["of"]) if rows else 0
    many = plural(total, found.one)
    first = f", the {len(rows)} most telling shown" if total > len(rows) else ""
    if found.given.get("mode") == "named":
        many = f"the {plural(total, found.one)} that weigh most"
    note = f"All teams and services: these rows do not carry {' or '.join(unable)}." if unable else ""
    return Report(
        report="rows",
        title=title,
        as_of=data.clock.now,
        window=data.clock.window,
        data=Rows(of=total, shown=tuple(names)),
        headline=f"{title}: {many} in this window{first}." if rows else f"{title}: no {found.one} in this window.",
        blocks=(_table(found, rows, names, note, noted), Prose(id="rows.how", text=_how(found, data))),
        details={
            f"{found.query}/{name}": (_fields(row), *history.get(name, ()))
            for name, row in zip(names, rows, strict=True)
        },
    )


def _how(found: Subject, data: Data) -> str:
    narrowed = data.filters.sentence()
    opens = "opens the trace as a tree" if found.query == TRACES else "shows all that is known of it"
    return f"↵ {opens}, esc goes back.{f' Narrowed to {narrowed}.' if data.filters != EVERYTHING else ''}"


def _table(found: Subject, rows: Sequence[Record], names: Sequence[str], note: str, noted: Mapping[str, str]) -> Table:
    return Table(
        id=found.query,
        title=f"{found.one[:1].upper()}{found.one[1:]}s",
        columns=(
            Col(key="name", title=found.one, priority=10),
            Col(key="what", title="what", priority=8),
            Col(key="value", title=found.value, kind="number", priority=10),
            Col(key="when", title="when", priority=6, least=16),
        ),
        rows=tuple(_row(name, row, found, noted.get(name, "")) for name, row in zip(names, rows, strict=True)),
        note=note,
        empty=f"No {found.one} is behind it in this window.",
    )  # fmt: skip


def _row(name: str, row: Record, found: Subject, noted: str) -> Row:
    called, what = (
        one_line(text(row["name"]), 60) or NONE,
        one_line(", ".join(filter(None, (text(row["title"]), noted))), 200),
    )
    return Row(id=name, cells=(called, what, _value(row, found), _shown("at", row["at"])))


def _value(row: Record, found: Subject) -> Quantity | str:
    value = row["value"]
    return Quantity(value=value, unit=found.unit) if isinstance(value, float | int) else "not yet"


def _fields(row: Record) -> Table:
    """Every field of a record that has a value."""
    known = [
        (name, _shown(name, value)) for name, value in row.items() if name not in _HEAD and value not in (None, "")
    ]
    return Table(
        id="fields",
        title=one_line(text(row["title"]) or text(row["name"])),
        columns=(Col(key="field", title="field", priority=10), Col(key="value", title="value", priority=10)),
        rows=tuple(
            Row(id=name, cells=(name.removesuffix("_s").removesuffix("_usd").replace("_", " "), shown))
            for name, shown in known
        ),
    )


def _shown(name: str, value: Value) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, float):
        return amount(value, "s" if name.endswith("_s") else "USD" if name.endswith("_usd") else "")
    return one_line(str(value), 200) if value is not None else NONE


def _history(data: Data, names: Sequence[str]) -> dict[str, tuple[Block, ...]]:
    """The status changes of each item, oldest first."""
    steps: dict[str, list[Row]] = {}
    for row in data.rows("rows_history", ids=list(names)):
        item, before, after = (
            text(row["item"]),
            one_line(text(row["from_state"]), 40),
            one_line(text(row["to_state"]), 40),
        )
        kind = text(row["to_category"]) or "not mapped"
        cells = (_shown("at", row["at"]), before or "created", after, kind)
        steps.setdefault(item, []).append(Row(id=f"{len(steps.get(item, ()))}", cells=cells))
    columns = (
        Col(key="at", title="when", priority=9),
        Col(key="from", title="from", priority=8),
        Col(key="to", title="to", priority=10),
        Col(key="kind", title="counts as", priority=7),
    )
    return {
        name: (Table(id="history", title="Status history", columns=columns, rows=tuple(found)),)
        for name, found in steps.items()
    }

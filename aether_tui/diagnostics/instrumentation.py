"""Instrumentation: which fields production carries, where they are missing, and which attribute to add (diagnostics A, C)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, structs

from aether_tui.diagnostics import metrics, privacy, replayable, scores
from aether_tui.diagnostics.bill import Bill, facts, reconcile
from aether_tui.diagnostics.frame import Clock, Data, Record, whole
from aether_tui.diagnostics.gate import Path, path, share, unnarrowed
from aether_tui.diagnostics.privacy import Privacy
from aether_tui.human import against, amount, plural, quantity
from aether_tui.report_model import Block, Col, Finding, Gap, Quantity, Report, Row, State, Table

if TYPE_CHECKING:
    from aether_tui.config import Config
    from aether_tui.workspace.documents import Documents

Of = Literal["calls", "requests"]

REQUIRED: tuple[tuple[str, str, Of, str], ...] = (
    # column, what it is, of what, attribute that carries it (OpenTelemetry GenAI registry 1.41)
    ("model", "model", "calls", "gen_ai.request.model"),
    ("input_tokens", "input tokens", "calls", "gen_ai.usage.input_tokens"),
    ("output_tokens", "output tokens", "calls", "gen_ai.usage.output_tokens"),
    ("latency", "latency", "calls", "the end time of the span"),
    ("cost", "cost", "calls", "gen_ai.usage.cost, or both token counts and a price under [[prices]]"),
    ("root", "root span", "requests", "a span without parent that spans the request"),
)
WANTED: tuple[tuple[str, str, Of, str], ...] = (
    ("first_token", "time to first token", "calls", "gen_ai.response.time_to_first_chunk"),
    ("user", "user (kept as a hash)", "calls", "enduser.id"),
    ("prompt_version", "prompt version", "calls", "gen_ai.prompt.version"),
)


class Field(Struct, frozen=True, kw_only=True):
    """One field: how much of the traffic carries it, the paths that carry least of it, the attribute to add."""

    id: str
    title: str
    of: Of
    required: bool
    coverage: Quantity
    threshold: float | None
    worst: tuple[Path, ...]
    attribute: str


class PathCoverage(Struct, frozen=True, kw_only=True):
    """One path (environment and feature): its traffic, and the share that carries each field, null without traffic."""

    name: str
    calls: int
    requests: int
    fields: dict[str, float | None]


class Instrumentation(Struct, frozen=True, kw_only=True):
    """Coverage by field and by path, how much of the bill the traces tell, what is scored, what is kept of people's data."""

    fields: tuple[Field, ...]
    paths: tuple[PathCoverage, ...]
    bill: Bill
    scores: tuple[scores.Scored, ...]
    replayable: replayable.Replayable
    privacy: Privacy


def build(data: Data, documents: Documents, clock: Clock) -> Report[Instrumentation]:
    """The report."""
    found = measure(data, documents, clock)
    return Report(
        report="instrumentation",
        title="Instrumentation",
        as_of=clock.now,
        window=clock.window,
        data=found,
        headline=headline(found),
        findings=(*findings(found), *scores.findings(found.scores), *privacy.findings(found.privacy)),
        freshness=data.freshness(),
        blocks=(*unnarrowed(data, "instrumentation", "What is instrumented"), *blocks(found)),
    )


_ASKED = ("instrument_calls", "instrument_requests", "instrument_scores", "instrument_oldest", "sources_bill")
"""Queries that need no answer of another."""


def measure(data: Data, documents: Documents, clock: Clock) -> Instrumentation:
    """Every field over every path of the window."""
    data.together(*replayable.asks(data), *_ASKED, *privacy.asks(clock))
    rows: dict[Of, Sequence[Record]] = {
        "calls": data.rows("instrument_calls"),
        "requests": data.rows("instrument_requests"),
    }
    fields = tuple(
        _field(name, title, of, attribute, rows[of], limit)
        for (name, title, of, attribute), limit in _fields(documents.config)
    )
    return Instrumentation(
        fields=fields,
        paths=_paths(rows, [(item.id.removeprefix("instrumentation."), item.of) for item in fields]),
        bill=reconcile(data),
        scores=scores.measure(data),
        replayable=replayable.measure(data, kept=documents.config.privacy.keep_payloads),
        privacy=privacy.measure(data, documents, clock),
    )


def _fields(config: Config) -> list[tuple[tuple[str, str, Of, str], float | None]]:
    """Fields with their thresholds; the attributes of dimensions are the workspace's own."""
    names, limits = config.mapping.span_attributes, config.gate
    dimensions: tuple[tuple[tuple[str, str, Of, str], float | None], ...] = (
        (("feature_named", "feature", "calls", names.feature[0]), limits.attribution_share),
        (("team", "team", "calls", names.team[0]), limits.attribution_share),
        (("task_cluster", "request category", "requests", names.task_cluster[0]), limits.clusters_share),
        (("outcome", "outcome", "requests", names.outcome[0]), None),
    )
    return [
        *((field, limits.cost_share if field[0] == "cost" else limits.fields_share) for field in REQUIRED),
        *dimensions,
        *((field, None) for field in WANTED),
    ]


def _field(name: str, title: str, of: Of, attribute: str, rows: Sequence[Record], threshold: float | None) -> Field:
    paths = [Path(name=path(row), value=share(whole(row[name]), whole(row[of]), f"no {of} yet")) for row in rows]
    lacking = [item for item in paths if item.value.value is not None and item.value.value < 1]
    return Field(
        id=f"instrumentation.{name}",
        title=title,
        of=of,
        required=threshold is not None,
        coverage=share(sum(whole(row[name]) for row in rows), sum(whole(row[of]) for row in rows), f"no {of} yet"),
        threshold=threshold,
        worst=tuple(sorted(lacking, key=lambda item: (item.value.value, -(item.value.n or 0), item.name))[:3]),
        attribute=attribute,
    )


def _paths(rows: dict[Of, Sequence[Record]], fields: Sequence[tuple[str, Of]]) -> tuple[PathCoverage, ...]:
    """Paths by what they lack most, weighted by nothing: a small path that is blind is still blind."""
    by_path: dict[str, dict[Of, Record]] = {}
    for of, found in rows.items():
        for row in found:
            by_path.setdefault(path(row), {})[of] = row
    made = []
    for name, parts in by_path.items():
        counts = {of: whole(parts[of][of]) if of in parts else 0 for of in rows}
        shares = {
            field: whole(parts[of][field]) / counts[of] if of in parts and counts[of] else None for field, of in fields
        }
        made.append(PathCoverage(name=name, calls=counts["calls"], requests=counts["requests"], fields=shares))
    return tuple(sorted(made, key=lambda item: (-_missing(item), -item.calls, item.name)))


def _missing(item: PathCoverage) -> float:
    return sum(1 - value for value in item.fields.values() if value is not None)


def missed(field: Field) -> bool:
    """Whether a required field is below its threshold."""
    value = field.coverage.value
    return field.threshold is not None and value is not None and value < field.threshold


# --- Words --------------------------------------------------------------------------------------------------------


def headline(found: Instrumentation) -> str:
    """How many required fields hold, and the rarest."""
    required = [item for item in found.fields if item.required and item.coverage.value is not None]
    if not required:
        return "No AI traces in this window, so no field can be looked for."
    below = [item for item in required if missed(item)]
    if not below:
        return f"All {len(required)} required fields reach their thresholds on {plural(len(found.paths), 'path')}."
    rarest = min(below, key=lambda item: item.coverage.value or 0.0)
    return (
        f"{len(below)} of {len(required)} required fields are below their thresholds; rarest: {rarest.title}, "
        f"{quantity(rarest.coverage)} of {rarest.of}."
    )


def findings(found: Instrumentation) -> tuple[Finding, ...]:
    """Required fields below their thresholds, with the worst path and the attribute to add."""
    return tuple(
        Finding(
            id=item.id,
            severity="bad",
            text=f"{item.title.capitalize()} is on {against(item.coverage, needed)} of {item.of}, {amount(needed, 'ratio')} needed"
            + (f"; worst {item.worst[0].name} {against(item.worst[0].value, needed)}" if item.worst else "")
            + ".",
            evidence=(item.id,),
            action=f"add {item.attribute}",
        )
        for item, needed in ((one, one.threshold or 0.0) for one in found.fields)
        if missed(item)
    )


def blocks(found: Instrumentation) -> tuple[Block, ...]:
    """Fields, paths, the bill, privacy."""
    if all(item.coverage.value is None for item in found.fields):
        gap = Gap(
            id="instrumentation.none",
            title="Fields",
            reason="No AI traces in this window, so no field can be looked for.",
            next_step="aether-tui load PATH (OTLP or Langfuse files), or connect a trace source in aether.toml",
        )
        return (gap, *privacy.blocks(found.privacy))
    fields = Table(
        id="instrumentation.fields",
        title="Fields",
        columns=(
            Col(key="state", title="", kind="state", priority=9),
            Col(key="field", title="field", priority=10),
            Col(key="share", title="coverage", kind="number", priority=10),
            Col(key="of", title="of", priority=5),
            Col(key="worst", title="worst path", priority=7),
            Col(key="attribute", title="attribute to add", priority=6),
        ),
        rows=(*(_field_row(item) for item in found.fields), replayable.row(found.replayable)),
        note="Fields without a threshold are wanted, not required: they are shown and do not hold the gate.",
    )
    names = {item.id.removeprefix("instrumentation."): item.title for item in found.fields}
    paths = Table(
        id="instrumentation.paths",
        title="Paths, least instrumented first",
        columns=(
            Col(key="path", title="environment / feature", priority=10),
            Col(key="calls", title="calls", kind="number", priority=8),
            Col(key="requests", title="requests", kind="number", priority=6),
            Col(key="lacks", title="lacks", priority=9),
        ),
        rows=tuple(_path_row(item, names) for item in found.paths),
    )
    bill = structs.replace(facts(found.bill), title="Reconciliation with the bill")
    return (fields, paths, bill, *scores.blocks(found.scores), *privacy.blocks(found.privacy))


def _field_row(item: Field) -> Row:
    value = item.coverage.value
    state: State = "no-data" if value is None else "block" if missed(item) else "pass" if item.required else "info"
    word = {"no-data": "no data", "block": "missed", "pass": "met"}.get(state, "wanted")
    others = ", ".join(f"{one.name} {quantity(one.value)}" for one in item.worst[1:])
    needed = f"needed on {amount(item.threshold, 'ratio')}" if item.threshold is not None else "no threshold"
    return Row(
        id=item.id,
        state=state,
        cells=(
            word,
            item.title,
            structs.replace(item.coverage, bound=item.threshold),
            item.of,
            f"{item.worst[0].name} {against(item.worst[0].value, item.threshold or 0.0)}" if item.worst else "",
            "" if value == 1 else item.attribute,
        ),
        detail=f"next worst: {others}" if others else "",
        why=f"{item.of} of the window that carry it ÷ all {item.of}, with its Wilson interval; {needed}.\n"
        f"{metrics.asks(f'instrument_{item.of}')}\naether-tui report instrumentation --format json",
    )


def _path_row(item: PathCoverage, names: dict[str, str]) -> Row:
    lacking = sorted((value, names[field]) for field, value in item.fields.items() if value is not None and value < 1)
    said = ", ".join(f"{title} {amount(value, 'ratio')}" for value, title in lacking[:3])
    more = f" and {plural(len(lacking) - 3, 'more field')}" if len(lacking) > 3 else ""
    return Row(
        id=f"instrumentation.path.{item.name}",
        cells=(item.name, item.calls, item.requests, f"{said}{more}" or "nothing"),
        why="Shares of its calls or requests that carry the field, rarest first.\n"
        f"{metrics.asks('instrument_calls', 'instrument_requests')}\naether-tui report instrumentation --format json",
    )

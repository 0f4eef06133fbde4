"""The go/no-go gate: whether the production distribution and the cost curve can be seen (diagnostics A)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, structs

from aether_tui.diagnostics import costcurve, metrics
from aether_tui.diagnostics.costcurve import CostCurve
from aether_tui.diagnostics.frame import Clock, Data, Question, Record, real, text, whole
from aether_tui.diagnostics.joins import newest
from aether_tui.diagnostics.phases import behind, opens
from aether_tui.human import against, amount, evidence
from aether_tui.report_model import (
    Block,
    Check,
    Checklist,
    Col,
    Finding,
    Gap,
    Quantity,
    Report,
    Row,
    State,
    Table,
    Window,
    missing,
)  # fmt: skip
from aether_tui.stats.intervals import wilson
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.config import Gate as Thresholds
    from aether_tui.workspace.documents import Documents

Verdict = Literal["go", "provisional", "no-go"]
STATES: dict[Verdict, State] = {"go": "pass", "provisional": "warn", "no-go": "block"}
REQUIRED = {"model": "model", "input_tokens": "input tokens", "output_tokens": "output tokens", "latency": "latency"}


class Path(Struct, frozen=True, kw_only=True):
    """An environment and feature, with its share."""

    name: str
    value: Quantity


class Criterion(Struct, frozen=True, kw_only=True):
    """One threshold: what is, what has to be, where it is worst, what to do."""

    id: str
    title: str
    value: Quantity
    threshold: float
    met: bool
    worst: tuple[Path, ...]
    next_step: str


class Overridden(Struct, frozen=True, kw_only=True):
    """The decision that opens the gate although it says no."""

    decision: str
    name: str
    reason: str
    expires: date


class Gate(Struct, frozen=True, kw_only=True):
    """The verdict with its reasons. `open` is whether phases 2 and later may be worked on. `traces_until` is when the newest request
    began, where none is in the window. `cost_curve` is only in the gate's own report; null there where no request has a known cost."""

    verdict: Verdict
    open: bool
    environment: str
    criteria: tuple[Criterion, ...]
    fields: tuple[Criterion, ...]
    provisional_because: tuple[str, ...]
    override: Overridden | None
    traces_until: datetime | None = None
    cost_curve: CostCurve | None = None


def build(data: Data, documents: Documents, clock: Clock) -> Report[Gate]:
    """The report."""
    span = window(clock, documents.config.gate.window_days)
    gate = structs.replace(measure(data, documents, clock), cost_curve=costcurve.measure(data, span))
    return Report(
        report="gate",
        title="Go / no-go gate",
        as_of=clock.now,
        window=span,
        data=gate,
        headline=headline(gate),
        findings=findings(gate),
        freshness=data.freshness(),
        blocks=blocks(gate, data),
    )


def window(clock: Clock, days: int) -> Window:
    """The gate's own window: the last days of `[gate] window_days`, whatever the report's."""
    midnight = clock.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(start=midnight - timedelta(days=days), end=clock.now, label=f"{days}d")


def measure(data: Data, documents: Documents, clock: Clock) -> Gate:
    """Every threshold against the cache, the verdict, and an override in force."""
    from aether_tui.workspace.kinds.decision import active_override

    limits = documents.config.gate
    span = window(clock, limits.window_days)
    criteria, fields = judge(data, limits, span, _since(documents))
    requests = data.rows("gate_requests", from_day=span.start, until_day=span.end)
    n = sum(whole(row["requests"]) for row in requests)
    because = []
    if n < limits.min_requests:
        because.append(f"only {n:,} of the {limits.min_requests:,} requests it takes were seen")
    if data.live() is None:
        because.append("no environment is called production, so all of them were counted")
    verdict: Verdict = "no-go" if not all(item.met for item in criteria) else "provisional" if because else "go"
    held = active_override(documents.decisions, clock.now.date())
    override = None
    if held is not None:
        given = held.override
        override = Overridden(
            decision=held.decision.id,
            name=one_line(given.name),
            reason=one_line(given.reason, 400),
            expires=given.expires,
        )
    return Gate(
        verdict=verdict,
        open=verdict != "no-go" or override is not None,
        environment=data.live() or "all",
        criteria=criteria,
        fields=fields,
        provisional_because=tuple(because) if verdict == "provisional" else (),
        override=override,
        traces_until=last if not n and (last := newest(data, "spans")) and last < span.start else None,
    )


def _since(documents: Documents) -> datetime | None:
    """Since when requests are assigned to categories as they come."""
    from aether_tui.workspace.kinds.taxonomy import Taxonomy

    written = documents.of(Taxonomy)
    return written[-1].built.replace(tzinfo=UTC) if written else None


def judge(
    data: Data, limits: Thresholds, span: Window, assigned_since: datetime | None = None
) -> tuple[tuple[Criterion, ...], tuple[Criterion, ...]]:
    """The gate's thresholds over a window, and those of each required field.

    Texts are not kept, so categories count from `assigned_since`, once enough requests came after it.
    """
    data.together(*questions(span))
    calls, requests, costs, models = (data.rows(name, **params) for name, params in questions(span))
    categorised = requests
    if assigned_since is not None and assigned_since > span.start:
        since = data.rows("gate_clusters_since", from_day=assigned_since, until_day=span.end)
        categorised = since if sum(whole(row["requests"]) for row in since) >= limits.min_requests else requests
    unpriced = [text(row["model"]) for row in models]
    fields = tuple(_field(name, title, calls, limits.fields_share) for name, title in REQUIRED.items())
    return _criteria(limits, calls, categorised, costs, fields, unpriced), fields


def questions(span: Window) -> tuple[Question, ...]:
    """What that asks of a window, all of which can be asked at once."""
    asked = {"from_day": span.start, "until_day": span.end}
    return tuple((name, asked) for name in ("gate_fields", "gate_requests", "gate_cost", "gate_unpriced"))


def _criteria(
    limits: Thresholds,
    calls: Sequence[Record],
    requests: Sequence[Record],
    costs: Sequence[Record],
    fields: Sequence[Criterion],
    unpriced: Sequence[str],
) -> tuple[Criterion, ...]:
    rarest = min(fields, key=lambda item: -1.0 if item.value.value is None else item.value.value)
    named = f" (rarest: {rarest.title})" if rarest.value.value is not None else ""
    priced = (
        f"give the price of the unpriced models ({', '.join(unpriced)}) under [[prices]], or send the cost with the span"
        if unpriced
        else "send the tokens of every model call, whose price is known, or the cost with the span"
    )
    return (
        _share(
            "clusters", "requests with a category", requests, "clusters", "requests", limits.clusters_share,
            "name the attribute that carries it in [mapping.span_attributes] task_cluster, or build a taxonomy: aether-tui taxonomy build",
        ),
        Criterion(
            id="gate.fields",
            title=f"calls with every required field{named}",
            value=rarest.value,
            threshold=limits.fields_share,
            met=rarest.met,
            worst=rarest.worst,
            next_step=rarest.next_step,
        ),
        _share(
            "cost", "calls with a cost", calls, "cost", "calls", limits.cost_share,
            priced,
        ),
        _attribution(costs, limits.attribution_share),
    )  # fmt: skip


def _field(name: str, title: str, calls: Sequence[Record], threshold: float) -> Criterion:
    step = f"send {title} on every model call (OpenTelemetry GenAI attributes)"
    return _share(f"field.{name}", title, calls, name, "calls", threshold, step)


def _share(
    name: str, title: str, rows: Sequence[Record], top: str, bottom: str, threshold: float, next_step: str
) -> Criterion:
    value = share(sum(whole(row[top]) for row in rows), sum(whole(row[bottom]) for row in rows), f"no {bottom} yet")
    paths = [Path(name=path(row), value=share(whole(row[top]), whole(row[bottom]), "none")) for row in rows]
    return Criterion(
        id=f"gate.{name}",
        title=title,
        value=value,
        threshold=threshold,
        met=value.value is not None and value.value >= threshold,
        worst=worst(paths, threshold),
        next_step=next_step,
    )


def _attribution(costs: Sequence[Record], threshold: float) -> Criterion:
    """Money with feature and team of all money: a total of the window, not a sample, so without an interval."""
    n = sum(whole(row["costed"]) for row in costs)

    def part(rows: Sequence[Record]) -> Quantity:
        total = sum(real(row["cost"]) for row in rows)
        if total <= 0:
            return missing("no cost yet", unit="ratio", n=n)
        attributed = sum(real(row["attributed"]) for row in rows)
        return Quantity(value=attributed / total, unit="ratio", n=sum(whole(row["costed"]) for row in rows))

    value = part(costs)
    return Criterion(
        id="gate.attribution",
        title="cost with feature and team",
        value=value,
        threshold=threshold,
        met=value.value is not None and value.value >= threshold,
        worst=worst([Path(name=path(row), value=part([row])) for row in costs], threshold),
        next_step="name the attributes that carry them in [mapping.span_attributes] feature and team",
    )


def share(k: int, n: int, reason: str) -> Quantity:
    """k of n with its Wilson interval, or nothing."""
    if n <= 0:
        return missing(reason, unit="ratio", n=0)
    low, high = wilson(min(k, n), n)
    return Quantity(value=min(k, n) / n, unit="ratio", n=n, low=low, high=high)


def path(row: Record) -> str:
    """`production / search`."""
    return f"{text(row['environment']) or 'no environment'} / {text(row['feature']) or 'no feature'}"


def worst(paths: Sequence[Path], threshold: float) -> tuple[Path, ...]:
    """The three paths furthest below the threshold."""
    below = [item for item in paths if item.value.value is not None and item.value.value < threshold]
    return tuple(sorted(below, key=lambda item: (item.value.value, -(item.value.n or 0), item.name))[:3])


# --- Words --------------------------------------------------------------------------------------------------------


def headline(gate: Gate) -> str:
    """The verdict and its reason in a sentence."""
    failed = [item.title for item in gate.criteria if not item.met]
    if gate.verdict == "go":
        text = "Go: production and its cost curve are visible."
    elif gate.verdict == "provisional":
        text = f"Provisional: {'; '.join(gate.provisional_because)}. Phase 2 may start, with this label on everything."
    elif blind(gate):
        text = "No-go: no AI traces have been loaded, so nothing can be seen."
    else:
        text = f"No-go: {len(failed)} of {len(gate.criteria)} thresholds are missed ({', '.join(failed)})."
    return text + (f" Overridden: {overridden(gate.override)}" if gate.override else "")


def blind(gate: Gate) -> bool:
    """Whether there is nothing to judge by."""
    return all(item.value.value is None for item in gate.criteria)


def to_judge_by(gate: Gate) -> str:
    """What gives the gate something to judge by, where there is nothing."""
    if (last := gate.traces_until) is None:
        return "aether-tui load PATH (OTLP or Langfuse files)"
    return (
        f"aether-tui load PATH: the newest here are of {last:%-d %b %Y}; or look back from there: "
        f"aether-tui --as-of {last + timedelta(days=1):%Y-%m-%d}"
    )


def overridden(item: Overridden) -> str:
    """Who opened it, why, and until when."""
    return f"{item.name} opened it until {item.expires} by {item.decision}: {item.reason}"


def findings(gate: Gate) -> tuple[Finding, ...]:
    """Thresholds missed, and an override in force."""
    found = [
        Finding(
            id=item.id,
            severity="bad",
            text=f"{item.title}: {against(item.value, item.threshold)}, {amount(item.threshold, 'ratio')} needed"
            + (f", worst {item.worst[0].name} {against(item.worst[0].value, item.threshold)}" if item.worst else "")
            + ".",
            evidence=(item.id,),
            action=item.next_step,
        )
        for item in gate.criteria
        if not item.met and item.value.value is not None
    ]
    return (*override_findings(gate), *found)


def override_findings(gate: Gate) -> tuple[Finding, ...]:
    """An override in force: shown wherever a number is read."""
    if gate.override is None:
        return ()
    said = f"The gate is overridden: {overridden(gate.override)}"
    return (Finding(id="gate.override", severity="warn", text=said, evidence=(gate.override.decision,)),)


def check(item: Criterion) -> Check:
    """A threshold as a checklist item."""
    state: State = "pass" if item.met else "no-data" if item.value.value is None else "block"
    said = f"{against(item.value, item.threshold)} {evidence(item.value)}, {amount(item.threshold, 'ratio')} needed"
    if item.value.value is None:
        said = f"{item.value.reason}, {amount(item.threshold, 'ratio')} needed"
    if item.worst:
        said += "; worst " + ", ".join(f"{one.name} {against(one.value, item.threshold)}" for one in item.worst)
    return Check(
        id=item.id,
        text=item.title,
        state=state,
        kind="auto",
        evidence=said.strip(),
        next_step="" if item.met or item.value.value is None else item.next_step,
        why=_why(item),
        behind=behind(item.id, state),
        opens=opens(state),
    )


FROM_CACHE = (
    "Share of the model calls, requests or cost in production over the gate's window (window_days under [gate]), counted "
    "anew each time from the rollups of the cache."
)
_OF_A_FIELD = ("gate_fields", "gate_requests")
_QUERIES = {
    "gate.clusters": ("gate_requests", "gate_clusters_since"),
    "gate.cost": ("gate_cost",),
    "gate.attribution": ("gate_cost",),
}


def checklist(gate: Gate) -> Checklist:
    """All thresholds and the verdict."""
    notes = []
    if blind(gate):
        notes.append(f"Load traces first: {to_judge_by(gate)}.")
    if gate.provisional_because:
        notes.append("Provisional because " + " and ".join(gate.provisional_because) + ".")
    if gate.override:
        notes.append("Overridden: " + overridden(gate.override))
    return Checklist(
        id="gate.criteria",
        title=f"Gate: {gate.verdict}",
        state=STATES[gate.verdict],
        items=tuple(check(item) for item in gate.criteria),
        note=" ".join(notes),
    )


def blocks(gate: Gate, data: Data) -> tuple[Block, ...]:
    """Thresholds, fields by coverage, cost curve."""
    parts: list[Block] = [checklist(gate)]
    if any(item.value.value is not None for item in gate.fields):
        parts.append(
            Table(
                id="gate.fields",
                title="Required fields of model calls",
                columns=(
                    Col(key="state", title="", kind="state", priority=9),
                    Col(key="field", title="field", priority=10),
                    Col(key="share", title="coverage", kind="number", priority=10),
                    Col(key="n", title="calls", kind="number", priority=6),
                    Col(key="worst", title="worst path", priority=7),
                ),
                rows=tuple(_field_row(item) for item in gate.fields),
            )
        )
    if gate.cost_curve is None:
        parts.append(
            Gap(
                id="gate.cost",
                title="Cost curve",
                reason="No request has a known cost in this window, so the cost curve cannot be drawn.",
                next_step="load OTLP or Langfuse traces with token counts, then aether-tui report gate",
            )
        )
    else:
        parts += costcurve.blocks(gate.cost_curve)
    parts += unnarrowed(data, "gate", "The gate")
    return tuple(parts)


def unnarrowed(data: Data, report: str, what: str) -> list[Gap]:
    """Says of numbers by path that team and service are not among what they are counted by."""
    ignored = [name for name in data.filters.set_names() if name in ("team", "service")]
    if not ignored:
        return []
    reason = f"{what} cannot be narrowed to a {' or '.join(ignored)}: it counts all."
    return [Gap(id=f"{report}.filters", title="Filters", reason=reason)]


def _why(item: Criterion) -> str:
    queries = metrics.asks(*_QUERIES.get(item.id, _OF_A_FIELD))
    return f"{FROM_CACHE}\n{queries}\naether-tui report instrumentation --format json"


def _field_row(item: Criterion) -> Row:
    first = item.worst[0] if item.worst else None
    return Row(
        id=item.id,
        state="pass" if item.met else "block",
        cells=(
            "met" if item.met else "missed",
            item.title,
            structs.replace(item.value, bound=item.threshold),
            item.value.n,
            f"{first.name} {against(first.value, item.threshold)}" if first else "",
        ),
        why=_why(item),
    )

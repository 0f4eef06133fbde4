"""Steps of tasks and work items as they were counted and timed, and what a value stream document says about the same steps.

A mean, not a median, stands for touch, wait and cost: only means add up along a chain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from msgspec import Struct

from aether_tui.diagnostics.frame import Clock, Data, Record, real, real_or_null, text, whole
from aether_tui.report_model import Quantity, missing
from aether_tui.stats.intervals import wilson
from aether_tui.text import one_line
from aether_tui.workspace.kinds.value_stream import StreamStep, ValueStream

MOST = 8
"""Steps of a map that nobody grouped: the rest is folded by operation, so that the map can be read."""
MONTH_DAYS = 365.25 / 12
FIELDS = ("touch_s", "wait_s", "cost", "error_rate", "abandon_rate", "capacity_per_month")
BY = "traces"
"""Who said so, in a document, of a number counted here."""
BY_ITEMS = "work items"


@dataclass(frozen=True, slots=True)
class Sums:
    """What was counted of one step: sums over its visits. `retried`: errors followed by the same step again."""

    visits: int = 0
    errors: int = 0
    retried: int = 0
    lost: int = 0
    places: int = 0
    touch_s: float = 0.0
    wait_s: float = 0.0
    cost: float | None = None
    unpriced: int = 0
    back_to: str = ""

    def __add__(self, other: Sums) -> Sums:
        cost = None if self.cost is None and other.cost is None else (self.cost or 0.0) + (other.cost or 0.0)
        return Sums(
            self.visits + other.visits, self.errors + other.errors, self.retried + other.retried, self.lost + other.lost,
            self.places + other.places, self.touch_s + other.touch_s, self.wait_s + other.wait_s, cost,
            self.unpriced + other.unpriced, self.back_to or other.back_to,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flow:
    """What went through: `n` tasks or items, of which `known` say how they ended and `failed` ended badly."""

    n: int = 0
    known: int = 0
    failed: int = 0
    duration_s: float = 0.0

    def __add__(self, other: Flow) -> Flow:
        return Flow(
            self.n + other.n, self.known + other.known, self.failed + other.failed, self.duration_s + other.duration_s
        )


class Stated(Struct, frozen=True, kw_only=True):
    """A number of the document and what it rests on."""

    value: float
    rests_on: str
    measured: bool


class Step(Struct, frozen=True, kw_only=True):
    """One step. Measured numbers are means per visit over `visits`; `stated` are the document's, by field.

    `lost`: failed tasks whose first error was here, or that ended here without one. `merged`: the counted steps in it.
    """

    name: str
    visits: int
    per_item: float | None
    touch_s: float | None
    wait_s: float | None
    cost: float | None
    unpriced: int
    error_rate: Quantity
    retried: int
    back_to: str
    lost: int
    lost_share: float | None
    merged: tuple[str, ...]
    stated: dict[str, Stated]


class Map(Struct, frozen=True, kw_only=True):
    """One stream. `document` is the value stream it is merged with; `apart` are counted steps that it does not name."""

    id: str
    title: str
    of: str
    cluster: str
    n: int
    per_month: float
    known: int
    failed: int
    success: Quantity
    lead_s: float | None
    cost_per_item: float | None
    steps: tuple[Step, ...]
    apart: tuple[Step, ...]
    document: str | None


@dataclass(frozen=True, slots=True)
class Counted:
    """A map before it is drawn: sums by step and what went through."""

    id: str
    title: str
    of: str
    cluster: str
    steps: dict[str, Sums]
    flow: Flow


def counted(data: Data) -> list[Counted]:
    """All requests, each request category by failures, and work items; streams that nothing went through are left out."""
    clusters: dict[str, dict[str, Sums]] = {}
    flows: dict[str, Flow] = {}
    works = not data.filters.service and not data.filters.environment
    data.together("stream_steps", "stream_tasks", *(("stream_work",) if works else ()))
    for row in data.rows("stream_steps"):
        clusters.setdefault(text(row["cluster"]), {})[text(row["step"])] = _sums(row)
    for row in data.rows("stream_tasks"):
        flows[text(row["cluster"])] = Flow(
            whole(row["n"]), whole(row["known"]), whole(row["failed"]), real(row["duration_s"])
        )
    found = []
    everything: dict[str, Sums] = {}
    for steps in clusters.values():
        for name, sums in steps.items():
            everything[name] = everything.get(name, Sums()) + sums
    if everything:
        whole_flow = sum(flows.values(), Flow())
        found.append(Counted("requests", "All requests", "request", "", everything, whole_flow))
    named = sorted((name for name in clusters if name and name in flows), key=lambda name: (-flows[name].failed, name))
    found += [Counted(f"cluster.{name}", name, "request", name, clusters[name], flows[name]) for name in named]
    return found + (_work(data) if works else [])


def _work(data: Data) -> list[Counted]:
    rows = data.rows("stream_work")
    if not rows:
        return []
    flow = Flow(whole(rows[0]["n"]), whole(rows[0]["n"]), whole(rows[0]["failed"]), real(rows[0]["duration_s"]))
    return [Counted("work", "Work items", "item", "", {text(row["step"]): _sums(row) for row in rows}, flow)]


def _sums(row: Record) -> Sums:
    return Sums(
        whole(row["visits"]), whole(row["errors"]), whole(row.get("retried")), whole(row["lost"]), whole(row["places"]),
        real(row["touch_s"]), real(row["wait_s"]), real_or_null(row.get("cost_usd")),
        whole(row.get("unpriced")), text(row.get("back_to")),
    )  # fmt: skip


def measure(one: Counted, document: ValueStream | None, clock: Clock) -> Map:
    """The map of what was counted, merged with what the document states."""
    flow, days = one.flow, max((clock.window.end - clock.window.start).total_seconds() / 86_400, 1e-6)
    grouped = grouping(one, document)
    stated = {} if document is None else {step.name: _stated(step) for step in document.steps}
    steps = [_step(one_line(name, 60), merged, one, stated.get(name, {})) for name, merged in grouped.items()]
    cost = [sums.cost for sums in one.steps.values() if sums.cost is not None]
    low, high = wilson(flow.known - flow.failed, flow.known) if flow.known else (0.0, 0.0)
    left = () if document is None else tuple(name for name in one.steps if not any(name in m for m in grouped.values()))
    return Map(
        id=one.id,
        title=one_line(one.title, 60),
        of=one.of,
        cluster=one.cluster,
        n=flow.n,
        per_month=flow.n / days * MONTH_DAYS,
        known=flow.known,
        failed=flow.failed,
        success=missing("no trace says how it ended", unit="ratio", n=0)
        if not flow.known
        else Quantity(value=1 - flow.failed / flow.known, unit="ratio", n=flow.known, low=low, high=high),
        lead_s=flow.duration_s / flow.n if flow.n else None,
        cost_per_item=sum(cost) / flow.n if cost and flow.n else None,
        steps=tuple(steps),
        apart=tuple(_step(one_line(name, 60), (name,), one, {}) for name in by_place(one, left)),
        document=None if document is None else document.id,
    )


def grouping(one: Counted, document: ValueStream | None) -> dict[str, tuple[str, ...]]:
    """Steps of the map in order, each with the counted steps in it: the document's, else the largest and the rest folded."""
    if document is not None:
        free = dict.fromkeys(one.steps)
        made: dict[str, tuple[str, ...]] = {}
        for step in document.steps:
            mine = tuple(name for name in free if _is(name, step))
            made[step.name] = mine
            for name in mine:
                del free[name]
        return made
    shares = _weights(one)
    kept = sorted(one.steps, key=lambda name: (-shares[name], name))[: MOST if len(one.steps) > MOST + 2 else None]
    groups: dict[str, tuple[str, ...]] = {name: (name,) for name in kept}
    folded: dict[str, list[str]] = {}
    for name in one.steps:
        if name not in groups:
            folded.setdefault(name.partition(" ")[0], []).append(name)
    for operation, names in folded.items():
        label = names[0] if len(names) == 1 else f"{operation}, {len(names)} others"
        groups[label] = tuple(sorted(names))
    order = {label: _place(merged(one, names)) for label, names in groups.items()}
    return {label: groups[label] for label in sorted(groups, key=lambda label: (order[label], label))}


def _weights(one: Counted) -> dict[str, float]:
    """How much of time, cost and failures a step holds: the largest of its shares."""

    def share(values: dict[str, float]) -> dict[str, float]:
        total = sum(values.values())
        return {name: value / total if total else 0.0 for name, value in values.items()}

    parts = [
        share({name: sums.touch_s + sums.wait_s for name, sums in one.steps.items()}),
        share({name: sums.cost or 0.0 for name, sums in one.steps.items()}),
        share({name: float(sums.lost) for name, sums in one.steps.items()}),
    ]
    return {name: max(part[name] for part in parts) for name in one.steps}


def _is(name: str, step: StreamStep) -> bool:
    """Whether a counted step is one the document means: by its name, or by a pattern of `seen_as`."""
    folded = name.casefold()
    plain = [pattern.replace("[", "[[]").replace("?", "[?]").casefold() for pattern in step.seen_as]
    return folded == step.name.casefold() or any(fnmatchcase(folded, pattern) for pattern in plain)


def merged(one: Counted, names: Iterable[str]) -> Sums:
    """Sums over several counted steps."""
    return sum((one.steps[name] for name in names), Sums())


def _place(sums: Sums) -> float:
    return sums.places / sums.visits if sums.visits else 0.0


def by_place(one: Counted, names: Sequence[str]) -> list[str]:
    """In the order in which tasks come to them."""
    return sorted(names, key=lambda name: (_place(one.steps[name]), name))


def _step(name: str, names: tuple[str, ...], one: Counted, stated: dict[str, Stated]) -> Step:
    sums, flow = merged(one, names), one.flow
    n = sums.visits
    low, high = wilson(sums.errors, n) if n else (0.0, 0.0)
    return Step(
        name=name,
        visits=n,
        per_item=n / flow.n if flow.n and n else None,
        touch_s=sums.touch_s / n if n else None,
        wait_s=sums.wait_s / n if n else None,
        cost=sums.cost / n if n and sums.cost is not None else None,
        unpriced=sums.unpriced,
        error_rate=missing("never seen", unit="ratio", n=0)
        if not n
        else Quantity(value=sums.errors / n, unit="ratio", n=n, low=low, high=high),
        retried=sums.retried,
        back_to=one_line(sums.back_to, 60),
        lost=sums.lost,
        lost_share=sums.lost / flow.failed if flow.failed and n else None,
        merged=tuple(one_line(item, 80) for item in names),
        stated=stated,
    )


def _stated(step: StreamStep) -> dict[str, Stated]:
    """The cells of a document's step that a person wrote or measured; those written from traces are shown as counted now."""
    cells = {field: cell for field in FIELDS if (cell := getattr(step, field)) is not None}
    return {
        field: Stated(value=cell.value, rests_on=one_line(cell.words()), measured=cell.measured)
        for field, cell in cells.items()
        if cell.who not in {BY, BY_ITEMS}
    }


def document_of(one: Counted, streams: Sequence[ValueStream]) -> ValueStream | None:
    """The newest value stream about this category (or everything, or work items) that means any of its steps."""
    about = [stream for stream in streams if stream.cluster == (BY_ITEMS if one.of == "item" else one.cluster)]
    return about[-1] if about else None

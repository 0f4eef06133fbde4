"""What was learned, what keeps it won, and which model does which kind of request how well (diagnostics A, phase 6)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.diagnostics.frame import Clock, Data, real, text, whole
from aether_tui.diagnostics.sampling import Moments, moments
from aether_tui.human import plural
from aether_tui.report_model import (
    GLYPHS,
    Block,
    Col,
    Finding,
    Gap,
    Prose,
    Quantity,
    Report,
    Row,
    Table,
    missing,
)  # fmt: skip
from aether_tui.stats.intervals import wilson
from aether_tui.text import one_line, plain
from aether_tui.workspace.kinds.experiment import Experiment
from aether_tui.workspace.kinds.playbook import PlaybookEntry

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents

LEAST = 20
"""Tasks under which a pair of request category and model is not judged."""
LOOKED = 20_000
"""Tasks whose spans are read; where the window has twice as many, they are drawn from moments of it."""


class Entry(Struct, frozen=True, kw_only=True):
    """One entry."""

    id: str
    title: str
    kind: str
    owner: str
    review_by: date
    overdue: bool
    experiment: str
    budget: str
    cases: int
    origin: str


class Capability(Struct, frozen=True, kw_only=True):
    """One model on one request category in the window; `chosen`: it gets most of that category's tasks."""

    cluster: str
    model: str
    n: int
    success: Quantity
    cost_usd: Quantity
    p95_s: Quantity
    chosen: bool


class Playbook(Struct, frozen=True, kw_only=True):
    """Entries, decided experiments not yet written down, and the capability map."""

    entries: tuple[Entry, ...]
    uncodified: tuple[str, ...]
    capabilities: tuple[Capability, ...]


def build(data: Data, documents: Documents, clock: Clock) -> Report[Playbook]:
    """The report."""
    today = clock.now.date()
    written = documents.of(PlaybookEntry)
    found = Playbook(
        entries=tuple(_entry(one, today) for one in written),
        uncodified=tuple(
            one.id for one in documents.of(Experiment) if one.state == "decided" and one.decision and one.decision.choice != "iterate"
        ),
        capabilities=capabilities(data, looked := moments(data, LOOKED, data.live())),
    )  # fmt: skip
    return Report(
        report="playbook", title="Playbook", as_of=clock.now, window=clock.window, data=found, headline=_headline(found),
        findings=_findings(found), freshness=data.freshness(), blocks=_blocks(found, {one.id: one for one in written}, looked.sentence()),
    )  # fmt: skip


def _entry(one: PlaybookEntry, today: date) -> Entry:
    return Entry(
        id=one.id, title=one_line(one.title), kind=one.kind, owner=one_line(one.owner), review_by=one.review_by,
        overdue=one.review_by < today, experiment=one.experiment, budget=one.budget, cases=len(one.cases), origin=one_line(one.origin),
    )  # fmt: skip


def capabilities(data: Data, looked: Moments) -> tuple[Capability, ...]:
    """Request category × model, from the tasks looked at; a task is the model's that most of its money went to."""
    rows = data.rows("playbook_capability", **looked.asked)
    most: dict[str, int] = {}
    for row in rows:
        most[text(row["cluster"])] = max(most.get(text(row["cluster"]), 0), whole(row["n"]))
    found = []
    for row in rows:
        n, known, cluster = whole(row["n"]), whole(row["n_outcome"]), one_line(text(row["cluster"]))
        success = missing("no outcome signal", unit="ratio", n=0)
        if known:
            low, high = wilson(whole(row["successes"]), known)
            success = Quantity(value=whole(row["successes"]) / known, unit="ratio", n=known, low=low, high=high)
        cost = (
            missing("no whole price", unit="USD")
            if row["cost_usd"] is None
            else Quantity(value=real(row["cost_usd"]), unit="USD", n=n)
        )
        found.append(Capability(
            cluster=cluster, model=one_line(text(row["model"])), n=n, success=success, cost_usd=cost,
            p95_s=Quantity(value=real(row["p95_s"]), unit="s", n=n) if row["p95_s"] is not None and n >= LEAST
            else missing(f"n {n} is under {LEAST}", unit="s", n=n),
            chosen=n == most[text(row["cluster"])],
        ))  # fmt: skip
    return tuple(found)


def _headline(found: Playbook) -> str:
    if not found.entries:
        return "The playbook is empty: a decided experiment makes its first entry."
    late = sum(one.overdue for one in found.entries)
    kept = sum(bool(one.budget or one.cases) for one in found.entries)
    return (
        f"{plural(len(found.entries), 'entry', 'entries')}, {kept} kept by a budget or a regression check"
        + (f"; {late} past {'its' if late == 1 else 'their'} review date" if late else "") + "."
    )  # fmt: skip


def _findings(found: Playbook) -> tuple[Finding, ...]:
    said = [
        Finding(id=f"playbook.overdue.{one.id}", severity="warn",
                text=f"{one.id} was to be looked at by {one.review_by}: does it still hold? (owner {one.owner})")
        for one in found.entries if one.overdue
    ]  # fmt: skip
    said += [
        Finding(id=f"playbook.unkept.{one.id}", severity="info", text=f"{one.id}: nothing keeps it won: no budget and no regression check")
        for one in found.entries if not one.budget and not one.cases
    ]  # fmt: skip
    if found.uncodified:
        said.append(Finding(
            id="playbook.uncodified", severity="warn", text=f"Decided, and not written into the playbook: {', '.join(found.uncodified)}",
            action=f"experiment codify {found.uncodified[0]}",
        ))  # fmt: skip
    return tuple(said)


def _blocks(found: Playbook, written: dict[str, PlaybookEntry], of: str) -> tuple[Block, ...]:
    entries: Block = Table(
        id="playbook.entries", title="Entries",
        columns=(
            Col(key="id", title="id", width=8, priority=10), Col(key="title", title="pattern", priority=9),
            Col(key="kind", title="kind", width=26, priority=6), Col(key="owner", title="owner", width=12, priority=5, private=True),
            Col(key="review", title="review by", width=13, priority=7), Col(key="kept", title="kept by", width=22, priority=8),
            Col(key="from", title="from", width=7, priority=3),
        ),
        rows=tuple(_row(one, written[one.id]) for one in found.entries),
    ) if found.entries else Gap(
        id="playbook.entries", title="Entries", reason="nothing is written into the playbook yet",
        next_step="decide an experiment, then c on the experiments screen, or `aether-tui experiment codify ID`",
    )  # fmt: skip
    table = Table(
        id="playbook.capability", title="Which model does what how well",
        columns=(
            Col(key="cluster", title="request category", priority=10), Col(key="model", title="model", width=20, priority=9),
            Col(key="chosen", title="chosen", width=8, priority=5), Col(key="success", title="success", kind="number", width=8, priority=8),
            Col(key="cost", title="cost/task", kind="number", width=11, priority=7),
            Col(key="p95", title="p95", kind="number", width=8, priority=4),
            Col(key="n", title="n", kind="number", width=7, priority=6),
        ),
        rows=tuple(
            Row(id=f"{one.cluster}.{one.model}",
                cells=(one.cluster, one.model, f"{GLYPHS['pass']} most" if one.chosen else "",
                       one.success, one.cost_usd, one.p95_s, f"{one.n:,}"))
            for one in found.capabilities
        ),
        empty="No cached task has a request category and a price.",
    )  # fmt: skip
    how = (
        "A task belongs to the model that most of its money went to. Models were not drawn by lot here: easy tasks may have gone to "
        "one of them, so only an experiment says which is better."
    )
    if found.capabilities:
        return (entries, table, Prose(id="playbook.how", text=how + of))
    return (entries, table) if found.entries else (entries,)


def _row(one: Entry, written: PlaybookEntry) -> Row:
    kept = one.budget or (plural(one.cases, "check") if one.cases else "nothing yet")
    review = f"{GLYPHS['warn'] if one.overdue else GLYPHS['pass']} {one.review_by}"
    lines = [f"use it when: {one_line(written.when_to_use, 400)}"] if written.when_to_use else []
    lines += [plain(written.body, 1000)] if written.body else []
    lines += [f"evidence: {one_line(written.evidence, 400)}"] if written.evidence else []
    lines += [
        f"check {one_line(case.name)}: {plural(len(case.contains) + len(case.lacks), 'expectation')}"
        for case in written.cases
    ]
    lines += [f"from the pack {one.origin}"] if one.origin else []
    return Row(
        id=one.id, cells=(one.id, one.title, one.kind, one.owner, review, kept, one.experiment or "—"), detail="\n".join(lines),
        why=f"aether-tui doc show playbook {one.id}",
    )  # fmt: skip

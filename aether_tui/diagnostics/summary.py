"""Home: where we stand, and the one next action."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.diagnostics import (
    aged,
    budgets,
    changed_measure,
    changed_series,
    changed_words,
    flywheel_measure,
    flywheel_words,
    gate,
    lens_measure,
    lens_words,
    metrics,
    nextstep,
    portfolio,
    portfolio_measure,
    sources,
)
from aether_tui.diagnostics.changed_measure import Changed
from aether_tui.diagnostics.flywheel_measure import Flywheel
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.diagnostics.gate import Gate
from aether_tui.diagnostics.lens_measure import Lenses
from aether_tui.diagnostics.nextstep import NextAction
from aether_tui.diagnostics.portfolio_measure import Portfolio
from aether_tui.diagnostics.sources import Sources
from aether_tui.human import number, plural
from aether_tui.report_model import (
    GLYPHS,
    Block,
    Col,
    Fact,
    Facts,
    Finding,
    Gap,
    Prose,
    Quantity,
    Report,
    Row,
    State,
    Table,
    not_fresh,
)  # fmt: skip

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents

ATTENTION: tuple[State, ...] = ("block", "warn", "inconclusive")
ORDER: tuple[State, ...] = ("block", "warn", "inconclusive", "no-data", "pass")


class Parts(Struct, frozen=True, kw_only=True):
    """Everything Home and the readout are made of, measured once."""

    gate: Gate
    flywheel: Flywheel
    lenses: Lenses
    portfolio: Portfolio
    sources: Sources
    budgets: Table | None
    budget_findings: tuple[Finding, ...]
    changed: Changed
    next_action: NextAction


class Lights(Struct, frozen=True, kw_only=True):
    """How many budgets stand how."""

    counts: dict[str, int]
    attention: tuple[str, ...]


class LensLight(Struct, frozen=True, kw_only=True):
    """A lens in one line."""

    id: str
    score: Quantity
    change: Quantity
    coverage: float
    worst: str | None


class Summary(Struct, frozen=True, kw_only=True):
    """Home."""

    name: str
    cycle: str | None
    phase: int | None
    gate: str
    gate_open: bool
    lenses: tuple[LensLight, ...]
    budgets: Lights
    top: tuple[portfolio_measure.Item, ...]
    stale: tuple[str, ...]
    next_action: NextAction


def build(data: Data, documents: Documents, clock: Clock) -> Report[Summary]:
    """The report."""
    parts = collect(data, documents, clock)
    return Report(
        report="summary",
        title=documents.config.engagement.name or "Home",
        as_of=clock.now,
        window=clock.window,
        data=measure(parts, documents.config.engagement.name),
        headline=f"Next: {parts.next_action.text}",
        findings=(*findings(parts), *dangling(documents)),
        freshness=data.freshness(),
        blocks=(*narrowed(data), *(blocks(parts, data) if parts.sources.streams else empty_blocks(parts))),
    )


def collect(data: Data, documents: Documents, clock: Clock) -> Parts:
    """All reports Home draws from, over one read."""
    return data.once("summary", clock, documents, lambda: _collected(data, documents, clock))


def _collected(data: Data, documents: Documents, clock: Clock) -> Parts:
    data.together(
        *flywheel_measure.questions(documents, clock),
        *lens_measure.questions(documents, clock),
        *changed_series.questions(clock, documents.config.engagement.currency),
    )
    ranked = portfolio_measure.measure(documents.opportunities, documents.config.portfolio.high_score, clock.seed)
    gated = gate.measure(data, documents, clock)
    turning = flywheel_measure.measure(data, documents, clock, gated)
    state = sources.measure(data, documents)
    budgeted = budgets.brief(data, documents, clock)
    table = next((block for block in budgeted.blocks if isinstance(block, Table) and block.id == "budgets.rows"), None)
    blocked = tuple(row for row in table.rows if row.state == "block") if table else ()
    return Parts(
        gate=gated,
        flywheel=turning,
        lenses=lens_measure.of(data, documents, clock),
        portfolio=ranked,
        sources=state,
        budgets=table,
        budget_findings=budgeted.findings,
        changed=changed_measure.look(data, documents, clock).changed,
        next_action=nextstep.choose(
            documents, state, gated, turning, aged.look(data, documents, clock, turning), blocked
        ),
    )


def measure(parts: Parts, name: str) -> Summary:
    """The typed form."""
    rows = parts.budgets.rows if parts.budgets else ()
    counts = Counter(str(row.state) for row in rows if row.state)
    return Summary(
        name=name,
        cycle=parts.flywheel.cycle,
        phase=parts.flywheel.phase,
        gate=parts.gate.verdict,
        gate_open=parts.gate.open,
        lenses=tuple(
            LensLight(id=item.id, score=item.score, change=item.change, coverage=item.coverage, worst=item.worst)
            for item in parts.lenses.lenses
        ),
        budgets=Lights(
            counts=dict(sorted(counts.items())), attention=tuple(row.id for row in rows if row.state in ATTENTION)
        ),
        top=parts.portfolio.items[:3],
        stale=tuple(f"{item.source}/{item.stream}" for item in parts.sources.streams if item.stale),
        next_action=parts.next_action,
    )


def findings(parts: Parts) -> tuple[Finding, ...]:
    """The worst of each kind, the bad ones first, at most five."""
    every = (
        *(item for item in gate.findings(parts.gate)[:2] if item.id != "gate.override"),
        *sources.findings(parts.sources)[:2],
        *parts.budget_findings[:2],
        *lens_words.findings(parts.lenses)[:2],
    )
    worst = sorted(every, key=lambda item: ("bad", "warn", "info").index(item.severity))[:5]
    return (*gate.override_findings(parts.gate), *worst)


def dangling(documents: Documents) -> tuple[Finding, ...]:
    """Links between documents that lead nowhere."""
    from aether_tui.workspace import links

    found = links.dangling(documents)
    if not found:
        return ()
    lead = "leads" if len(found) == 1 else "lead"
    text = f"{plural(len(found), 'link')} between documents {lead} nowhere: {found[0].where} {found[0].what}."
    where = tuple(problem.where for problem in found[:5])
    return (Finding(id="summary.links", severity="warn", text=text, evidence=where, action="aether-tui doc validate"),)


# --- Blocks -------------------------------------------------------------------------------------------------------


def narrowed(data: Data) -> tuple[Block, ...]:
    """What the page is narrowed to, and that not everything can be."""
    said = data.filters.sentence()
    if not said:
        return ()
    text = f"Narrowed to {said} where rows say so; phases, opportunities and sources are those of the whole engagement."
    return (Prose(id="summary.narrowed", text=text),)


def next_block(action: NextAction) -> Gap:
    """The one next action."""
    return Gap(
        id="summary.next",
        title="Next",
        reason=f"{action.text} {action.why}",
        next_step=action.how,
        action=f"go.{action.screen}" if action.screen else "",
    )


def blocks(parts: Parts, data: Data) -> tuple[Block, ...]:
    """Next action, where the cycle is, lenses, budgets, top three, what changed."""
    return (
        next_block(parts.next_action),
        standing(parts, data),
        Facts(
            id="summary.lenses",
            title="Lenses",
            facts=tuple(lens_words.fact(item, parts.lenses, data) for item in parts.lenses.lenses),
        ),
        *budget_blocks(parts),
        *top_blocks(parts),
        *changed_blocks(parts.changed, data),
    )


def changed_blocks(found: Changed, data: Data) -> tuple[Block, ...]:
    """The top three changes since the last review."""
    if not found.series:
        return ()
    title = (
        f"Since your last review ({(data.clock.now - found.since).days} d)"
        if found.review
        else "Changed in this window"
    )
    return (changed_words.table(found, found.changes[:3], "summary.changed", title, data),)


def standing(parts: Parts, data: Data) -> Facts:
    """Phase, gate, data."""
    turning, gated, known = parts.flywheel, parts.gate, parts.sources
    done, total = (sum(item.done for item in turning.phases), sum(item.total for item in turning.phases))
    met = sum(item.met for item in gated.criteria)
    left = not_fresh(known.streams)
    verdict = gated.verdict + (", overridden" if gated.override else "")
    return Facts(
        id="summary.standing",
        title="Where we stand",
        facts=(
            Fact(
                id="summary.phase",
                label="items done",
                value=Quantity(value=done, unit="count"),
                note=f"of {total}; {flywheel_words.position(turning)}",
                why=metrics.why("flywheel.done"),
            ),
            Fact(
                id="summary.gate",
                label="gate thresholds met",
                value=Quantity(value=met, unit="count"),
                state=gate.STATES[gated.verdict],
                note=f"of {len(gated.criteria)}; {verdict}",
                why=metrics.why("gate.met", data),
            ),
            Fact(
                id="summary.fresh",
                label="fresh streams",
                value=Quantity(value=sum(not one.stale for one in known.streams), unit="count"),
                state="warn" if left else "pass",
                note="; ".join([f"of {len(known.streams)}", *(f"{len(them)} {word}" for word, them in left.items())]),
                why=metrics.why("sources.fresh", data),
            ),
        ),
    )


GLANCE = ("state", "budget", "now", "limit", "used", "crosses")
"""Columns of the budgets that Home has room for."""


def budget_blocks(parts: Parts) -> tuple[Block, ...]:
    """Counts, and the rows that need somebody."""
    table = parts.budgets
    if table is None or not table.rows:
        return ()
    counts = Counter(row.state for row in table.rows)
    said = "   ".join(f"{GLYPHS[state]} {counts[state]} {state}" for state in ORDER if counts[state])
    pressing = sorted(
        (row for row in table.rows if row.state in ATTENTION), key=lambda row: ORDER.index(row.state or "pass")
    )
    kept = [place for place, col in enumerate(table.columns) if col.key in GLANCE]
    return (
        Table(
            id="summary.budgets",
            title=f"Budgets   {said}",
            columns=tuple(table.columns[place] for place in kept),
            rows=tuple(
                Row(id=row.id, cells=tuple(row.cells[place] for place in kept), state=row.state, why=row.why)
                for row in pressing[:4]
            ),
            empty="All budgets pass.",
        ),
    )


def top_blocks(parts: Parts) -> tuple[Block, ...]:
    """The top three opportunities."""
    if not parts.portfolio.items:
        return portfolio.blocks(parts.portfolio)
    return (
        Table(
            id="summary.portfolio",
            title="Portfolio top three",
            columns=(
                Col(key="id", title="id", priority=9),
                Col(key="title", title="opportunity", priority=10),
                Col(key="score", title="score", kind="number", priority=9),
                Col(key="rank", title="rank", kind="number", priority=8),
                Col(key="bucket", title="bucket", priority=7),
            ),
            rows=tuple(
                Row(
                    id=item.id,
                    cells=(
                        item.id,
                        item.title,
                        f"{item.score:,.1f}",
                        portfolio.rank_text(item),
                        portfolio.SHORT[item.bucket],
                    ),
                    why=metrics.why("portfolio.score"),
                )
                for item in parts.portfolio.items[:3]
            ),
            note="1 opportunity is open."
            if len(parts.portfolio.items) == 1
            else f"{number(len(parts.portfolio.items))} opportunities are open.",
        ),
    )


def empty_blocks(parts: Parts) -> tuple[Block, ...]:
    """A workspace without data: the next action, what to connect, what needs no data."""
    work = (
        ("hold a stakeholder or maturity interview", "aether-tui, then g i"),
        ("ask the client for access", "aether-tui ask"),
        ("write down what is worth doing", portfolio.ADD),
        ("open a cycle, and sign a north star", "aether-tui doc new cycle; aether-tui doc new north-star"),
        ("type a value stream, find its constraint", "aether-tui doc new value-stream, then g k"),
        ("fill the operating model canvas", "aether-tui, then g c"),
        ("record a decision", "aether-tui doc new decision"),
        ("size an experiment", "aether-tui calc power --kind proportions --baseline .1 --mde .02"),
        ("see it all at work on made-up data", "aether-tui demo"),
    )  # fmt: skip
    scored: tuple[Block, ...] = top_blocks(parts) if parts.portfolio.items else ()
    return (
        next_block(parts.next_action),
        sources.missing_block(parts.sources),
        Table(
            id="summary.work",
            title="What can be done without data",
            aside=True,
            columns=(Col(key="what", title="what", priority=10), Col(key="how", title="how", priority=9)),
            rows=tuple(Row(id=f"work{index}", cells=pair) for index, pair in enumerate(work)),
        ),
        *scored,
    )

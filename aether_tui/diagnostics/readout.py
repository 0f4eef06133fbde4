"""One page for the client at the end of a day: what we know, what stands out, what is next. Empty sections are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.diagnostics import flywheel_words, gate, lens_words, portfolio, summary
from aether_tui.diagnostics.frame import Clock, Data, real, text, whole
from aether_tui.diagnostics.nextstep import NextAction
from aether_tui.diagnostics.summary import Parts
from aether_tui.human import number
from aether_tui.report_model import Block, Col, Facts, Finding, Prose, Quantity, Report, Row, Table, missing
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents
    from aether_tui.workspace.kinds.decision import Decision


class Usage(Struct, frozen=True, kw_only=True):
    """A product metric: its daily mean over the window and over the one before; unfinished days are left out."""

    metric: str
    now: Quantity
    before: Quantity
    series: tuple[float | None, ...]


class Readout(Struct, frozen=True, kw_only=True):
    """What is on the page, and which sections had nothing to say."""

    gate: str
    cycle: str | None
    phase: int | None
    usage: tuple[Usage, ...]
    decisions: tuple[str, ...]
    left_out: tuple[str, ...]
    next_action: NextAction


def build(data: Data, documents: Documents, clock: Clock) -> Report[Readout]:
    """The report."""
    parts = summary.collect(data, documents, clock)
    usage = _usage(data)
    decided = tuple(
        item
        for item in documents.decisions
        if item.decided and clock.window.start.date() <= item.decided <= clock.window.end.date()
    )
    sections: dict[str, tuple[Block, ...]] = {
        "lenses": _lenses(parts, data),
        "budgets": summary.budget_blocks(parts),
        "product usage": _usage_blocks(usage),
        "opportunities": summary.top_blocks(parts) if parts.portfolio.items else (),
        "decisions": _decision_blocks(decided),
    }
    left_out = tuple(name for name, made in sections.items() if not made)
    blocks: list[Block] = [*summary.narrowed(data)]
    blocks += [summary.standing(parts, data)] if parts.sources.streams or parts.flywheel.cycle else []
    blocks += [block for made in sections.values() for block in made]
    blocks.append(summary.next_block(parts.next_action))
    if left_out:
        blocks.append(
            Prose(id="readout.left", text=f"Left out, because there is nothing to say yet: {', '.join(left_out)}.")
        )
    return Report(
        report="readout",
        title=f"Readout {documents.config.engagement.name}".strip(),
        as_of=clock.now,
        window=clock.window,
        data=Readout(
            gate=parts.gate.verdict,
            cycle=parts.flywheel.cycle,
            phase=parts.flywheel.phase,
            usage=usage,
            decisions=tuple(item.id for item in decided),
            left_out=left_out,
            next_action=parts.next_action,
        ),
        headline=headline(parts),
        findings=findings(parts),
        freshness=data.freshness(),
        blocks=tuple(blocks),
    )


def headline(parts: Parts) -> str:
    """Where we are, in one sentence, said to somebody who was not there."""
    if not parts.sources.streams:
        return "Nothing is measured yet; this page is about what people wrote down."
    scored = [item for item in parts.lenses.lenses if item.score.value is not None]
    lenses = ", ".join(f"{item.title} {number(round(item.score.value or 0))}" for item in scored)
    said = f" Of 100: {lenses}." if lenses else ""
    where = flywheel_words.position(parts.flywheel)
    return f"{gate.headline(parts.gate)} {where[0].upper()}{where[1:]}.{said}"


def findings(parts: Parts) -> tuple[Finding, ...]:
    """What stands out, without housekeeping: lenses, budgets, ties at the top."""
    every = (*lens_words.findings(parts.lenses), *parts.budget_findings, *portfolio.findings(parts.portfolio))
    kept = [Finding(id=item.id, severity=item.severity, text=item.text, evidence=item.evidence) for item in every]
    worst = sorted(kept, key=lambda item: ("bad", "warn", "info").index(item.severity))[:7]
    return (*gate.override_findings(parts.gate), *worst)


def _lenses(parts: Parts, data: Data) -> tuple[Block, ...]:
    facts = tuple(
        lens_words.fact(item, parts.lenses, data) for item in parts.lenses.lenses if item.score.value is not None
    )
    return (Facts(id="readout.lenses", title="Three lenses, 0 to 100", facts=facts),) if facts else ()


def _usage(data: Data) -> tuple[Usage, ...]:
    """Metrics without a segment, by name."""
    days: dict[str, list[tuple[bool, float]]] = {}
    units: dict[str, str] = {}
    for row in data.rows("readout_usage"):
        name = text(row["metric"])
        days.setdefault(name, []).append((bool(whole(row["present"])), real(row["value"])))
        units[name] = "ratio" if row["unit"] == "ratio" else "count"
    return tuple(
        Usage(
            metric=name,
            now=_mean([value for present, value in found if present], units[name]),
            before=_mean([value for present, value in found if not present], units[name]),
            series=tuple(value for _, value in found),
        )
        for name, found in sorted(days.items())
    )


def _plain(metric: str) -> str:
    """A metric as people say it: `active_users` is “active users”, `event:Answer Shown` is “Answer Shown, events”."""
    kind, _, name = metric.partition(":")
    return f"{name}, {kind}s" if kind == "event" and name else metric.replace("_", " ")


def _mean(values: list[float], unit: str) -> Quantity:
    if not values:
        return missing("no day in this window", unit=unit)
    return Quantity(value=sum(values) / len(values), unit=unit, n=len(values))


def _usage_blocks(usage: tuple[Usage, ...]) -> tuple[Block, ...]:
    if not usage:
        return ()
    return (
        Table(
            id="readout.usage",
            title="Product usage, mean per day",
            columns=(
                Col(key="metric", title="metric", priority=10),
                Col(key="now", title="now", kind="number", priority=10),
                Col(key="before", title="before", kind="number", priority=8),
                Col(key="trend", title="trend", kind="spark", priority=5),
            ),
            rows=tuple(
                Row(id=item.metric, cells=(_plain(item.metric), item.now, item.before, item.series))
                for item in usage[:8]
            ),
            note=f"{len(usage) - 8} more metrics are not shown." if len(usage) > 8 else "",
        ),
    )


def _decision_blocks(decided: tuple[Decision, ...]) -> tuple[Block, ...]:
    if not decided:
        return ()
    return (
        Table(
            id="readout.decisions",
            title="Decided in this window",
            columns=(
                Col(key="id", title="id", priority=8),
                Col(key="title", title="decision", priority=10),
                Col(key="chosen", title="chosen", priority=9),
                Col(key="owner", title="owner", priority=7),
                Col(key="when", title="when", kind="time", priority=6),
            ),
            rows=tuple(
                Row(
                    id=item.id,
                    cells=(
                        item.id,
                        one_line(item.title),
                        one_line(item.chosen) or "—",
                        one_line(item.owner) or "—",
                        str(item.decided),
                    ),
                )
                for item in decided
            ),
        ),
    )

"""Defects by the phase that found them (diagnostics D): the earlier, the less people they have cost."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from aether_tui.diagnostics import metrics
from aether_tui.diagnostics.frame import Data, Record, text, whole
from aether_tui.diagnostics.pipeline_measure import STAGES
from aether_tui.human import plural
from aether_tui.report_model import Block, Col, Gap, Quantity, Row, Table, missing
from aether_tui.stats.intervals import wilson
from aether_tui.text import one_line


class Defects(Struct, frozen=True, kw_only=True):
    """Bugs created in the window that one phase found, and their share of those that name a phase."""

    phase: str
    found: int
    share: Quantity
    before: int


class Found(Struct, frozen=True, kw_only=True):
    """By phase, in the order of the lifecycle, words of the team's own after it; `unsaid` name no phase."""

    phases: tuple[Defects, ...] = ()
    unsaid: int = 0


def measure(rows: Sequence[Record]) -> Found:
    """From the rows of `flow_defects.sql`."""
    named = [row for row in rows if row["phase"] is not None]
    total = sum(whole(row["now"]) for row in named)
    return Found(
        phases=tuple(
            Defects(
                phase=one_line(text(row["phase"]), 40),
                found=whole(row["now"]),
                share=_share(whole(row["now"]), total),
                before=whole(row["before"]),
            )
            for row in sorted(named, key=lambda row: _order(text(row["phase"])))
        ),
        unsaid=sum(whole(row["now"]) for row in rows if row["phase"] is None),
    )


def _order(phase: str) -> tuple[int, str]:
    return (STAGES.index(phase) if phase in STAGES else len(STAGES), phase)


def _share(part: int, n: int) -> Quantity:
    if not n:
        return missing("no bug of this window names a phase", unit="ratio")
    low, high = wilson(part, n)
    return Quantity(value=part / n, unit="ratio", n=n, low=low, high=high)


def blocks(found: Found, data: Data) -> tuple[Block, ...]:
    """A table of phases; a gap that says how to name them where bugs name none; nothing without bugs."""
    if not found.phases:
        if not found.unsaid:
            return ()
        return (
            Gap(
                id="flow.defects.none",
                title="Defects by the phase that found them",
                reason=f"No bug of this window says which phase found it (n {found.unsaid:,}).",
                next_step="label bugs in the tracker: found:specification, found:build, found:release",
            ),
        )
    note = f"{plural(found.unsaid, 'bug')} more of this window name no phase." if found.unsaid else ""
    return (
        Table(
            id="flow.defects",
            title="Defects by the phase that found them",
            columns=(
                Col(key="phase", title="found in", priority=10),
                Col(key="found", title="bugs", kind="number", priority=10),
                Col(key="share", title="share", kind="number", priority=9),
                Col(key="before", title="before", kind="number", priority=6),
            ),
            rows=tuple(
                Row(
                    id=f"flow.defects.{one.phase}",
                    cells=(one.phase, one.found, one.share, one.before),
                    why=metrics.why("flow.defects", data),
                )
                for one in found.phases
            ),
            note=note,
        ),
    )

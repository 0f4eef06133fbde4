"""What could be optimised on each surface, each with its saving as a range and the rows behind it (budgets.md, Levers)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.budgets.model import Surface
from aether_tui.diagnostics import levers_ci, levers_cost, levers_llm, levers_steps, levers_tests
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.diagnostics.levers_model import Lever, Unknown
from aether_tui.diagnostics.sampling import ahead
from aether_tui.human import amount, plural
from aether_tui.report_model import Block, Col, Finding, Gap, Prose, Report, Row, Table

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents

TITLES: dict[Surface, str] = {"ci": "CI", "cost": "Cloud cost", "tests": "Tests", "llm": "Model use"}


class Levers(Struct, frozen=True, kw_only=True):
    """Levers by surface, the largest possible saving first, and those the records say nothing about."""

    levers: tuple[Lever, ...]
    unknown: tuple[Unknown, ...]


def build(data: Data, documents: Documents, clock: Clock) -> Report[Levers]:
    """The report."""
    found = measure(data, documents)
    return Report(
        report="levers",
        title="Levers",
        as_of=clock.now,
        window=clock.window,
        data=found,
        headline=headline(found),
        findings=findings(found),
        freshness=data.freshness(),
        blocks=blocks(found),
        details={
            f"levers.{one.surface}/{one.id}": (Prose(id="why", text=one.why), _behind(one))
            for one in found.levers
            if one.rows
        },
    )


_ASKED = ("levers_jobs", "levers_load", "levers_steps", "levers_cases", "levers_charges", "levers_suites")
"""Queries that need no answer of another."""


def measure(data: Data, documents: Documents) -> Levers:
    """Every lever of every surface."""
    from aether_tui.ingest.prices import Prices

    data.together(*ahead(data, levers_llm.LOOKED, data.live()).items(), *_ASKED)
    parts = (
        levers_ci.find(data),
        levers_steps.find(data),
        levers_cost.find(data),
        levers_tests.find(data),
        levers_llm.find(data, Prices(documents.config.prices)),
    )
    surfaces = list(TITLES)
    return Levers(
        levers=tuple(
            sorted(
                (lever for levers, _ in parts for lever in levers),
                key=lambda one: (surfaces.index(one.surface), -one.high, -one.low, one.id),
            )
        ),
        unknown=tuple(one for _, unknown in parts for one in unknown),
    )


def saving(one: Lever) -> str:
    """`0–1.2 min/run`, `35–82 USD/month`; one word of unit for both bounds where they share it."""
    unit, _, per = one.unit.partition("/")
    low, high = (amount(value, unit, one.currency) for value in (one.low, one.high))
    if not one.low:
        return f"0–{high}/{per}"
    same = low.rpartition(" ")[2] == high.rpartition(" ")[2]
    return f"{low.rpartition(' ')[0] if same else low}–{high}/{per}"


def headline(found: Levers) -> str:
    """How many there are, and the largest of each kind of saving."""
    if not found.levers:
        return "No lever can be read off what is cached."
    money = max((one for one in found.levers if one.unit == "money/month"), key=lambda one: one.high, default=None)
    time = max((one for one in found.levers if one.unit == "s/run"), key=lambda one: one.high, default=None)
    largest = [f"{one.lever} ({one.where}), {saving(one)}" for one in (money, time) if one]
    return f"{plural(len(found.levers), 'lever')}. Largest: {'; '.join(largest)}."


def findings(found: Levers) -> tuple[Finding, ...]:
    """The largest of each surface, in a sentence."""
    first = {one.surface: one for one in reversed(found.levers)}
    return tuple(
        Finding(
            id=f"levers.{surface}",
            severity="info",
            text=f"{TITLES[surface]}: {first[surface].lever} ({first[surface].where}) would save {saving(first[surface])}.",
            evidence=(first[surface].of, first[surface].why),
        )
        for surface in TITLES
        if surface in first
    )


def blocks(found: Levers) -> tuple[Block, ...]:
    """A table per surface, what cannot be told, and how to read a range."""
    parts: list[Block] = []
    if not found.levers:
        reason = "no CI job, charge, test report or trace of this window is cached"
        parts.append(
            Gap(
                id="levers.gap",
                title="Levers",
                reason=reason,
                next_step="`aether-tui sync`, or `aether-tui load` files",
            )
        )
    for surface, title in TITLES.items():
        rows = tuple(_row(one) for one in found.levers if one.surface == surface)
        if rows:
            parts.append(Table(id=f"levers.{surface}", title=title, columns=_COLUMNS, rows=rows))
    if found.unknown:
        columns = (
            Col(key="surface", title="surface", priority=8),
            Col(key="lever", title="lever", priority=10),
            Col(key="reason", title="why nothing can be said", priority=9, width=120),
        )
        rows = tuple(
            Row(id=f"{one.surface}.{place}", cells=(TITLES[one.surface], one.lever, one.reason))
            for place, one in enumerate(found.unknown)
        )
        parts.append(Table(id="levers.unknown", title="Not to be told from what is cached", columns=columns, rows=rows))
    how = "A range is what the records allow, not a promise: its low end is sure as far as they go, its high end the most there is."
    return (*parts, Prose(id="levers.how", text=how))


_COLUMNS = (
    Col(key="lever", title="lever", priority=10),
    Col(key="where", title="where", priority=8, least=25, middle=True),
    Col(key="saving", title="saving", kind="number", priority=9),
    Col(key="n", title="from", priority=6),
)


def _row(one: Lever) -> Row:
    return Row(
        id=one.id,
        cells=(one.lever, one.where, saving(one), one.of),
        detail="\n".join((one.why, *(f"{name}: {value}" for name, value in one.rows))),
        why=one.why,
    )


def _behind(one: Lever) -> Table:
    columns = (
        Col(key="name", title="what it rests on", priority=10, width=80),
        Col(key="value", title="", kind="number", priority=9),
    )
    rows = tuple(Row(id=f"{place}", cells=pair) for place, pair in enumerate(one.rows))
    return Table(id="behind", columns=columns, rows=rows)

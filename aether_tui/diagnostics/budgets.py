"""Four surfaces against their budgets: where each stands, how sure that is, and what to do (budgets.md)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, get_args

from msgspec import structs

from aether_tui.budgets.cached import Span, from_cache
from aether_tui.budgets.file import NAME, BudgetFile, Waiver, read_budgets
from aether_tui.budgets.model import WORST_FIRST, Result, Series, Surface
from aether_tui.budgets.verdict import expired, judge, overall
from aether_tui.diagnostics.budgets_detail import age_s, detail, forecast_words
from aether_tui.diagnostics.budgets_drivers import Drivers
from aether_tui.diagnostics.budgets_live import Live, measure_live, worst
from aether_tui.diagnostics.budgets_rows import Budgets, Look, table
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.diagnostics.gaps import nothing, unconnected
from aether_tui.diagnostics.needs import stored
from aether_tui.errors import ConfigurationError
from aether_tui.human import amount
from aether_tui.report_model import (
    Block,
    Fact,
    Facts,
    Finding,
    Gap,
    Prose,
    Quantity,
    Report,
)

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents

SURFACES: dict[Surface, str] = {"ci": "CI", "cost": "Cloud cost", "tests": "Tests", "llm": "Model use"}
_NEEDED: dict[Surface, tuple[str, str]] = {
    "ci": ("pipeline_runs", "pipeline run"),
    "cost": ("costs", "charge"),
    "tests": ("test_runs", "test report"),
    "llm": ("spans", "trace"),
}
"""What the budgets of a surface are measured by, and what one of it is called."""


def build(data: Data, documents: Documents, clock: Clock) -> Report[Budgets]:
    """The report. Without a usable budgets.yaml it says what to do; `budget check` refuses to go on."""
    return _report(data, documents, clock, opens=True)


def brief(data: Data, documents: Documents, clock: Clock) -> Report[Budgets]:
    """The report without what opens under its rows, for those that draw their own from it."""
    return data.once("budgets", clock, documents, lambda: _report(data, documents, clock, opens=False))


def _report(data: Data, documents: Documents, clock: Clock, *, opens: bool) -> Report[Budgets]:
    path = documents.workspace.budgets_path
    if not path.exists():
        return _without_file(
            clock, f"There is no {NAME}.", "`aether-tui init --budgets-only` writes one with usual limits"
        )
    try:
        file = read_budgets(path, NAME, clock.now.date())
    except ConfigurationError as error:
        return _without_file(clock, f"{error.where}: {error.what}.", error.next_step or "mend it", broken=True)
    found = data.once("budgets.look", clock, documents, lambda: look(data, file, clock))
    budgets = found.budgets
    return Report(
        report="budgets",
        title="Budgets",
        as_of=clock.now,
        window=clock.window,
        data=budgets,
        headline=headline(budgets),
        findings=findings(budgets, expired(file, clock.now.date())),
        freshness=data.freshness(),
        blocks=blocks(found, data),
        details=details(found, file, Drivers(data, file, clock)) if opens else {},
    )


def measure(data: Data, file: BudgetFile, clock: Clock) -> Budgets:
    """Every budget of the file against what the cache holds for the clock's window."""
    return look(data, file, clock).budgets


def look(data: Data, file: BudgetFile, clock: Clock) -> Look:
    """Every budget with what it was judged by."""
    span = Span(_naive(clock.window.start), _naive(clock.window.end))
    today = clock.now.date()
    measured = from_cache(data.rows, file, span)
    results = judge(file, measured, today)
    counts = Counter(one.verdict for one in results)
    live = measure_live(data, file, clock)
    series = {
        f"{identity} · {one.name}" if one.name else identity: one
        for identity, found in measured.items()
        for one in found
        if isinstance(one, Series)
    }
    ages = {name: age for name, one in series.items() if (age := age_s(one.now or one.base, clock.now)) is not None}
    ages |= {one.name: live[one.id].age_s for one in results if one.series == "spent" and one.id in live}
    budgets = Budgets(
        verdict=overall(file, results),
        counts={verdict: counts[verdict] for verdict in WORST_FIRST},
        currency=file.currency,
        budgets=results,
        live=tuple(live.values()),
        expired=tuple(waiver.id for waiver in expired(file, today)),
    )
    return Look(budgets, series, ages, live)


def details(found: Look, file: BudgetFile, drivers: Drivers) -> dict[str, tuple[Block, ...]]:
    """What opens under every row that was measured."""
    rules = {budget.id: budget for budget in file.budgets}
    return {
        f"budgets.rows/{one.name}": detail(
            file,
            rules[one.id],
            one,
            found.series.get(one.name),
            found.running(one),
            drivers.table(rules[one.id], found.series[one.name].labels if one.name in found.series else {}),
        )
        for one in found.budgets.budgets
        if one.verdict != "no-data"
    }


def headline(budgets: Budgets) -> str:
    """How many of each verdict, and the worst."""
    measured = [one for one in budgets.budgets if one.verdict != "no-data"]
    if not measured:
        return (
            "No budget could be measured: nothing is connected that would." if budgets.budgets else "No budget is set."
        )
    counts = ", ".join(f"{count} {verdict}" for verdict, count in budgets.counts.items() if count)
    worst = measured[0]
    return f"{counts}." if worst.verdict == "pass" else f"{counts}. Worst: {worst.name}, {_because(worst)}."


def _because(one: Result) -> str:
    """The reason that decided."""
    return re.split(r"; (?![^(]*\))", one.why, maxsplit=1)[0]


def _fast(one: Live) -> str:
    return amount(max(value for value in one.burn.values() if value is not None), "")


def findings(budgets: Budgets, over: tuple[Waiver, ...]) -> tuple[Finding, ...]:
    """Every budget that is not met or not decided, and every waiver that ran out."""
    found = [
        Finding(
            id=f"budgets.{one.id}" + (f".{one.series}" if one.series else ""),
            severity="bad" if one.verdict == "block" else "warn",
            text=f"{one.name}: {_because(one)}.",
            evidence=(one.id,),
            action=f"aether-tui budget explain {one.id}",
        )
        for one in budgets.budgets
        if one.verdict in {"block", "warn", "inconclusive"}
    ]
    found += [
        Finding(
            id=f"budgets.burn.{one.id}",
            severity="bad" if one.alarm == "page" else "warn",
            text=f"{one.id} burns {_fast(one)} times as fast as its budget ({one.alarm_rule}, {one.alarm}); "
            f"{forecast_words(one)}.",
            evidence=(one.id,),
        )
        for one in worst(budgets.live)
    ]
    found += [
        Finding(
            id=f"budgets.waiver.{waiver.id}",
            severity="bad",
            text=f"Waiver {waiver.id} for {waiver.budget} of {waiver.owner} expired on {waiver.expires}.",
            evidence=(waiver.budget,),
        )
        for waiver in over
    ]
    return tuple(found)


def blocks(found: Look, data: Data) -> tuple[Block, ...]:
    """Verdicts at a glance, the table, and what is not connected."""
    budgets = found.budgets
    measured = [one for one in budgets.budgets if one.verdict != "no-data"]
    seen = {one.surface for one in measured}
    parts: list[Block] = []
    if measured:
        parts += [
            _facts(measured),
            table(found, seen),
            Prose(id="budgets.how", text=_how(data, running=bool(found.live))),
        ]
    wanted = {surface: [one.id for one in budgets.budgets if one.surface == surface] for surface in get_args(Surface)}
    parts += [_gap(surface, ids, data) for surface, ids in wanted.items() if ids and surface not in seen]
    return tuple(parts)


def _gap(surface: Surface, ids: Sequence[str], data: Data) -> Gap:
    identity, (table, one) = f"budgets.gap.{surface}", _NEEDED[surface]
    if stored(data).get(table):
        said = f"No {one} that {' or '.join(ids[:4])} is about is known"
        gap = nothing(data, identity, SURFACES[surface], said, table, "in this window")
        return structs.replace(gap, next_step=f"{gap.next_step}; aether-tui budget explain {ids[0]} says what counts")
    return unconnected(data, identity, table, title=SURFACES[surface])


def _facts(measured: list[Result]) -> Facts:
    """One figure per surface: how many of its budgets are met."""
    facts = []
    for surface, title in SURFACES.items():
        own = [one for one in measured if one.surface == surface]
        if own:
            met = sum(one.verdict == "pass" for one in own)
            note = f"of {len(own)} met" if met < len(own) else "all met"
            worst = min((one.verdict for one in own), key=WORST_FIRST.index)
            value = Quantity(value=met, unit="count")
            why = "Budgets of this surface whose verdict is pass; the state is that of the worst."
            facts.append(Fact(id=f"budgets.{surface}", label=title, value=value, state=worst, note=note, why=why))
    return Facts(id="budgets.facts", facts=tuple(facts))


def _how(data: Data, *, running: bool) -> str:
    text = (
        "n is measured now / baseline. Noisy budgets need size and evidence: the shift is Hodges–Lehmann, evidence a "
        "one-sided Mann–Whitney test adjusted for all budgets (Holm); money is compared as it is. "
        "`aether-tui budget explain ID` shows the arithmetic."
    )
    if running:
        text += " The verdict of a running month draws a straight line from what was spent; the forecast knows weekdays and trend."
    ignored = data.unfiltered("budget_ci", also=("environment",))
    return text + (f" The filter {', '.join(ignored)} does not apply to every row." if ignored else "")


def _without_file(clock: Clock, reason: str, next_step: str, *, broken: bool = False) -> Report[Budgets]:
    nothing = Budgets(
        verdict="no-data", counts=dict.fromkeys(WORST_FIRST, 0), currency="USD", budgets=(), live=(), expired=()
    )
    finding = Finding(id="budgets.file", severity="bad", text=f"No budget is judged: {reason}", evidence=(NAME,))
    return Report(
        report="budgets",
        title="Budgets",
        as_of=clock.now,
        window=clock.window,
        data=nothing,
        headline="No budget is judged." if broken else "No budget is set.",
        findings=(finding,) if broken else (),
        blocks=(Gap(id="budgets.file", title="Budgets file", reason=reason, next_step=next_step),),
    )


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)

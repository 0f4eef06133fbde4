"""Four surfaces against their budgets: where each stands, how sure that is, and what to do (budgets.md)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, get_args

from msgspec import Struct

from aether_tui.budgets.cached import Span, from_cache
from aether_tui.budgets.file import NAME, BudgetFile, Surface, Waiver, read_budgets
from aether_tui.budgets.model import WORST_FIRST, Result, Verdict
from aether_tui.budgets.verdict import expired, judge, overall
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.errors import ConfigurationError
from aether_tui.human import amount
from aether_tui.report_model import (
    Block,
    Cell,
    Col,
    Fact,
    Facts,
    Finding,
    Gap,
    Prose,
    Quantity,
    Report,
    Row,
    Table,
    missing,
)

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents

SURFACES: dict[Surface, str] = {"ci": "CI", "cost": "Cloud cost", "tests": "Tests", "llm": "Model use"}
_GAPS: dict[Surface, tuple[str, str]] = {
    "ci": ("No pipeline run in this window.", "connect GitHub and run `aether-tui sync`"),
    "cost": ("No charge and no estimate.", "`aether-tui load` a FOCUS export or Infracost JSON"),
    "tests": ("No test report in this window.", "`aether-tui load` JUnit XML reports"),
    "llm": ("No trace in this window.", "`aether-tui load` OTLP trace files"),
}


class Budgets(Struct, frozen=True, kw_only=True):
    """The verdict of all budgets, and each of them, worst first. `expired` are waivers that no longer hold."""

    verdict: Verdict
    counts: dict[str, int]
    currency: str
    budgets: tuple[Result, ...]
    expired: tuple[str, ...]


def build(data: Data, documents: Documents, clock: Clock) -> Report[Budgets]:
    """The report. Without a usable budgets.yaml it says what to do; `budget check` refuses to go on."""
    path = documents.workspace.budgets_path
    if not path.exists():
        return _without_file(
            clock, f"There is no {NAME}.", "`aether-tui init --budgets-only` writes one with usual limits"
        )
    try:
        file = read_budgets(path, NAME, clock.now.date())
    except ConfigurationError as error:
        return _without_file(clock, f"{error.where}: {error.what}.", error.next_step or "mend it", broken=True)
    budgets = measure(data, file, clock)
    return Report(
        report="budgets",
        title="Budgets",
        as_of=clock.now,
        window=clock.window,
        data=budgets,
        headline=headline(budgets),
        findings=findings(budgets, expired(file, clock.now.date())),
        freshness=data.freshness(),
        blocks=blocks(budgets, data),
    )


def measure(data: Data, file: BudgetFile, clock: Clock) -> Budgets:
    """Every budget of the file against what the cache holds for the clock's window."""
    span = Span(_naive(clock.window.start), _naive(clock.window.end))
    today = clock.now.date()
    results = judge(file, from_cache(data.rows, file, span), today)
    counts = Counter(one.verdict for one in results)
    return Budgets(
        verdict=overall(file, results),
        counts={verdict: counts[verdict] for verdict in WORST_FIRST},
        currency=file.currency,
        budgets=results,
        expired=tuple(waiver.id for waiver in expired(file, today)),
    )


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
    return one.why.partition("; ")[0]


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
            id=f"budgets.waiver.{waiver.id}",
            severity="bad",
            text=f"Waiver {waiver.id} for {waiver.budget} of {waiver.owner} expired on {waiver.expires}.",
            evidence=(waiver.budget,),
        )
        for waiver in over
    ]
    return tuple(found)


def blocks(budgets: Budgets, data: Data) -> tuple[Block, ...]:
    """Verdicts at a glance, the table, and what is not connected."""
    measured = [one for one in budgets.budgets if one.verdict != "no-data"]
    seen = {one.surface for one in measured}
    parts: list[Block] = []
    if measured:
        parts += [_facts(measured), _table(budgets, seen), Prose(id="budgets.how", text=_how(data))]
    wanted = {one.surface for one in budgets.budgets}
    parts += [
        Gap(id=f"budgets.gap.{surface}", title=SURFACES[surface], reason=_GAPS[surface][0], next_step=_GAPS[surface][1])
        for surface in get_args(Surface)
        if surface in wanted and surface not in seen
    ]
    return tuple(parts)


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


_COLUMNS = (
    Col(key="state", title="verdict", kind="state", priority=10),
    Col(key="budget", title="budget", priority=10),
    Col(key="now", title="now", kind="number", priority=9),
    Col(key="shift", title="Δ", kind="number", priority=8),
    Col(key="limit", title="limit", kind="number", priority=7),
    Col(key="used", title="used", kind="bar", priority=6, width=10),
    Col(key="baseline", title="base", kind="number", priority=4),
    Col(key="n", title="n", kind="number", priority=5),
    Col(key="recent", title="recent", kind="spark", priority=3, width=16),
    Col(key="next", title="next", priority=2),
)


def _table(budgets: Budgets, seen: set[Surface]) -> Table:
    rows = tuple(_row(one, budgets.currency) for one in budgets.budgets if one.surface in seen)
    return Table(id="budgets.rows", columns=_COLUMNS, rows=rows, title="Budgets")


def _row(one: Result, currency: str) -> Row:
    unit = one.unit.replace(currency, "money")

    def quantity(value: float | None, reason: str, n: int | None = None) -> Quantity:
        return missing(reason, unit=unit) if value is None else Quantity(value=value, unit=unit, currency=currency, n=n)

    shift: Cell = None
    if one.shift is not None:
        shift = Quantity(value=one.shift, unit="ratio", low=one.shift_low, high=one.shift_high, n=one.n_now)
    counted = f"{one.n_now}/{one.n_base}" if one.n_base else str(one.n_now)
    sees = f"sees ≥{amount(one.smallest_detectable, 'ratio')}" if one.smallest_detectable else ""
    open_ = one.verdict != "pass"
    return Row(
        id=one.name,
        cells=(
            one.verdict,
            one.name,
            quantity(one.now, one.reason or one.why, one.n_now),
            shift,
            quantity(one.limit, "no absolute limit"),
            one.share,
            quantity(one.baseline, "no baseline yet", one.n_base),
            counted,
            one.recent or None,
            one.next if open_ else sees,
        ),
        state=one.verdict,
        why=f"{one.why}\naether-tui budget explain {one.id}",
        detail="; ".join(part for part in (one.why, sees, one.next and f"next: {one.next}") if part) if open_ else "",
    )


def _how(data: Data) -> str:
    text = (
        "n is measured now / baseline. Noisy budgets need size and evidence: the shift is Hodges–Lehmann, evidence a "
        "one-sided Mann–Whitney test adjusted for all budgets (Holm); money is compared as it is. "
        "`aether-tui budget explain ID` shows the arithmetic."
    )
    ignored = data.unfiltered("budget_ci", also=("environment",))
    return text + (f" The filter {', '.join(ignored)} does not apply to every row." if ignored else "")


def _without_file(clock: Clock, reason: str, next_step: str, *, broken: bool = False) -> Report[Budgets]:
    nothing = Budgets(verdict="no-data", counts=dict.fromkeys(WORST_FIRST, 0), currency="USD", budgets=(), expired=())
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

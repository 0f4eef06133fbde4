"""What is said about one budget before it is a result: reasons, waivers, words."""

from __future__ import annotations

from dataclasses import dataclass, field

from aether_tui.budgets.file import Budget, Waiver
from aether_tui.budgets.model import WORST_FIRST, Result, Series, Surface, Verdict
from aether_tui.human import amount, apart


@dataclass(slots=True)
class Case:
    """What is said about one series, before it becomes a result."""

    verdict: Verdict = "pass"
    why: list[str] = field(default_factory=list)
    next: str = ""
    need_more: int | None = None
    unconfirmed: bool = False
    """Inconclusive only because a breach asks for more runs."""

    def say(self, verdict: Verdict, why: str, next_step: str = "", need_more: int | None = None) -> None:
        """Add a reason; the worst verdict wins and its reason comes first."""
        if WORST_FIRST.index(verdict) < WORST_FIRST.index(self.verdict):
            self.verdict = verdict
            self.why.insert(0, why)
            self.next = next_step or self.next
            self.need_more = need_more or self.need_more
        else:
            self.why.append(why)
            self.next = self.next or next_step
            self.need_more = self.need_more or need_more


def nothing(budget: Budget, currency: str, series: Series | None = None) -> Result:
    why = series.problem if series and series.problem else "nothing was measured"
    return Result(
        id=budget.id,
        series=series.name if series else "",
        surface=budget.surface,
        metric=budget.metric,
        verdict="no-data",
        now=None,
        unit=unit_of(budget, currency),
        baseline=None,
        limit=None if budget.limit is None else float(budget.limit),
        shift=None,
        n_now=0,
        n_base=len(series.base) if series else 0,
        why=why,
        next=NEXT[budget.surface],
        reason=why,
    )


NEXT: dict[Surface, str] = {
    "ci": "aether-tui sync github",
    "cost": "aether-tui load FOCUS or Infracost files",
    "tests": "aether-tui load JUnit reports",
    "llm": "aether-tui load OTLP traces",
}
"""What brings measurements of a surface."""


def limit_of(budget: Budget, waiver: Waiver | None) -> float | None:
    """The limit that counts: what a waiver raises it to, unless it was raised beyond that itself since."""
    limits = [float(one) for one in (budget.limit, waiver.raise_to if waiver else None) if one is not None]
    if not limits:
        return None
    return max(limits) if budget.direction == "lower" else min(limits)


def settle_waiver(case: Case, budget: Budget, waiver: Waiver | None, now: float, limit: float | None) -> str | None:
    """A waiver turns a block, and what may become one, into a warning, unless it raised the limit and even that is exceeded."""
    if waiver is None:
        return None
    over = limit is not None and (now > limit if budget.direction == "lower" else now < limit)
    beyond = waiver.raise_to is not None and over
    if not beyond and (case.verdict == "block" or (case.verdict == "inconclusive" and case.unconfirmed)):
        case.verdict = "warn"
    case.why.append(f"waived by {waiver.owner} until {waiver.expires} ({waiver.id}: {waiver.reason})")
    return waiver.id


def unit_of(budget: Budget, currency: str) -> str:
    return budget.kind.replace("money", currency)


def shown(budget: Budget, value: float, currency: str) -> str:
    return amount(value, budget.kind, currency)


def of_limit(value: float, limit: float, kind: str, currency: str) -> str:
    """`390 USD/month of 500 USD/month`, told apart where they differ by less than is shown."""
    return f"{apart(value, limit, kind, currency)} of {amount(limit, kind, currency)}"


def money_shown(value: float, currency: str) -> str:
    return amount(value, "money", currency)


def share_shown(value: float) -> str:
    return amount(value, "ratio")

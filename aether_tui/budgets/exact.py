"""Judging money: exact amounts need thresholds and no statistics."""

from __future__ import annotations

from math import ceil

from aether_tui.budgets.case import Case, limit_of, money_shown, of_limit, settle_waiver, share_shown, shown, unit_of
from aether_tui.budgets.file import Budget, Waiver
from aether_tui.budgets.model import Estimate, Result, Spend
from aether_tui.human import apart, number, plural


def judge_plan(budget: Budget, one: Estimate, waiver: Waiver | None, currency: str) -> Result:
    """A plan estimate: up by more than the warning share warns, over the limit blocks, incomplete never passes."""
    case = Case()
    limit = limit_of(budget, waiver)
    if one.currency != currency:
        case.say(
            "inconclusive", f"priced in {one.currency}, the budget is in {currency}", "amounts are never converted"
        )
        limit = None
    if one.errors:
        case.say("inconclusive", f"the estimate is incomplete: {one.errors[0]}", "mend the plan and estimate again")
    now = float(one.monthly)
    if limit is not None:
        of = f"plan {of_limit(now, limit, budget.kind, currency)}"
        if now > limit:
            case.say("block", f"{of}: over the budget", "make the plan smaller, or move the budget with a date")
        else:
            case.why.append(of)
    rise = (one.monthly - one.past) / abs(one.past) if one.past else None
    if rise is not None and one.past is not None:
        _rise(case, budget, float(rise), float(one.monthly - one.past), one.currency)
    waived = settle_waiver(case, budget, waiver, now, limit)
    return Result(
        id=budget.id,
        series="plan",
        surface=budget.surface,
        metric=budget.metric,
        verdict=case.verdict,
        now=now,
        unit=unit_of(budget, one.currency),
        baseline=None if one.past is None else float(one.past),
        limit=limit,
        shift=None if rise is None else float(rise),
        n_now=one.projects,
        n_base=0 if one.past is None else one.projects,
        share=now / limit if limit else None,
        why="; ".join(case.why),
        next=case.next,
        waiver=waived,
        base_source=one.source,
    )


def _rise(case: Case, budget: Budget, rise: float, delta: float, currency: str) -> None:
    size = f"the change raises it by {shown(budget, delta, currency)} (+{share_shown(rise)})"
    if budget.own_block and rise > (budget.block.relative or 0) and delta >= budget.block.min_delta:
        case.say("block", size, "make the plan smaller, or move the budget with a date")
    elif budget.warn.relative is not None and rise > budget.warn.relative and delta >= budget.warn.min_delta:
        case.say("warn", size, "say in the change why it is worth it")


def judge_spend(budget: Budget, one: Spend, waiver: Waiver | None, currency: str) -> Result:
    """Money spent: over the budget blocks, on the way there warns."""
    case = Case()
    limit = limit_of(budget, waiver)
    if one.currency not in {currency, "tokens"}:
        case.say(
            "inconclusive", f"billed in {one.currency}, the budget is in {currency}", "amounts are never converted"
        )
        limit = None
    now, pace = float(one.spent), float(one.run_rate)
    day = f"{number(one.days)} of {one.days_in_month} days"
    if limit is not None:
        of = f"{of_limit(now, limit, 'money', one.currency)} spent after {day}"
        if now > limit:
            case.say("block", f"{of}: over the budget", "stop what is not needed, or move the budget with a date")
        elif one.paced and pace > limit:
            rest = plural(max(1, round((limit - now) / (now / one.days))), "day")
            ends = f"used up in {rest} at this pace, a straight line to {apart(pace, limit, 'money', one.currency)}"
            case.say("warn", f"{of}, {ends}", "find what grew")
        else:
            ends = f", a straight line to {money_shown(pace, one.currency)} at the month's end" if one.paced else ""
            case.why.append(of + ends)
    if not case.why:
        case.why.append(f"{money_shown(now, one.currency)} spent after {day}; it has no limit")
    waived = settle_waiver(case, budget, waiver, now, limit)
    before = None if one.before is None else float(one.before)
    return Result(
        id=budget.id,
        series="spent",
        surface=budget.surface,
        metric=budget.metric,
        verdict=case.verdict,
        now=now,
        unit=one.currency,
        baseline=before,
        limit=limit,
        shift=(now - before) / abs(before) if before else None,
        n_now=ceil(one.days),
        n_base=ceil(one.days) if before is not None else 0,
        share=now / limit if limit else None,
        run_rate=pace if one.paced else None,
        why="; ".join(case.why),
        next=case.next,
        waiver=waived,
    )

"""What the gate would have said of changes that were merged, and how often it would have been wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from statistics import median
from typing import Literal

from msgspec import Struct

from aether_tui.budgets.file import Budget, BudgetFile
from aether_tui.budgets.model import Estimate, Measured, Result, Sample, Series, Verdict
from aether_tui.budgets.verdict import judge, overall

AFTER, ENOUGH = 5, 3
"""A stop is decided by the next five measurements, three at least."""
DEFINITION = (
    "A stop is false when what it stopped did not last: the median of the next five measurements (three at least, else it is "
    "open) is within the limit and the block threshold again. Own rule, after the persistence that change point detection asks "
    "for (Daly et al., ICPE 2020, doi:10.1145/3358960.3375791); a regression mended within two changes counts as false, too."
)
Truth = Literal["right", "false", "open"]
_NEVER = datetime.min  # noqa: DTZ901  # instants are naive UTC
STOPS: tuple[Verdict, ...] = ("block", "inconclusive")


@dataclass(frozen=True, slots=True)
class History:
    """Everything known of one thing a budget is about, oldest first."""

    budget: Budget
    name: str
    samples: tuple[Sample, ...]


class Stop(Struct, frozen=True, kw_only=True):
    """A budget that would have stopped a change, and whether that was right."""

    id: str
    verdict: Verdict
    why: str
    truth: Truth


class Change(Struct, frozen=True, kw_only=True):
    """One merged change: its commit (empty where the measurements name none), when it was measured, the verdict."""

    commit: str
    at: datetime | None
    verdict: Verdict
    budgets: int
    stops: tuple[Stop, ...]

    @property
    def truth(self) -> Truth | None:
        """Of all its stops: right when one was; None where nothing stopped it."""
        found = {one.truth for one in self.stops}
        return next((truth for truth in ("right", "open", "false") if truth in found), None)


class Backtest(Struct, frozen=True, kw_only=True):
    """The last changes, oldest first, and how many of them the gate would have stopped."""

    changes: int
    blocked: int
    asked: int
    """Asked to run again: exit 3."""
    false: int
    open: int
    warned: int
    only_limits: int
    """Changes before there was a baseline: judged by their limits alone."""
    definition: str
    stopped: tuple[Change, ...]


def backtest(file: BudgetFile, histories: Sequence[History], last: int) -> Backtest:
    """Every one of the last changes against what was measured before it; waivers do not count."""
    bare = replace(file, waivers=())
    keys = sorted({_key(sample) for history in histories for sample in history.samples}, key=lambda key: key[0])
    whole: dict[str, tuple[datetime | None, str]] = {}
    for key in keys:
        whole.setdefault(key[1] or str(key[0]), (key[0], key[1]))
    changes = [_change(bare, histories, commit, at) for at, commit in list(whole.values())[-last:]]
    stopped = [(one, compared) for one, compared in changes if one.stops]
    return Backtest(
        changes=len(changes),
        blocked=sum(one.verdict == "block" for one, _ in changes),
        asked=sum(one.verdict == "inconclusive" for one, _ in changes),
        false=sum(one.truth == "false" for one, _ in stopped),
        open=sum(one.truth == "open" for one, _ in stopped),
        warned=sum(one.verdict == "warn" for one, _ in changes),
        only_limits=sum(not compared for _, compared in changes),
        definition=DEFINITION,
        stopped=tuple(one for one, _ in stopped),
    )


def _key(sample: Sample) -> tuple[datetime, str]:
    return sample.at or _NEVER, sample.commit


def _of(sample: Sample, commit: str, at: datetime | None) -> bool:
    return sample.commit == commit if commit else (sample.at or _NEVER) == at and not sample.commit


def _change(file: BudgetFile, histories: Sequence[History], commit: str, at: datetime | None) -> tuple[Change, bool]:
    """The verdict on one change, and whether any of it could be compared with a baseline."""
    measured: dict[str, list[Measured]] = {}
    later: dict[tuple[str, str], tuple[list[Sample], list[Sample]]] = {}
    compared = False
    for history in histories:
        places = [place for place, sample in enumerate(history.samples) if _of(sample, commit, at)]
        if not places:
            continue
        own = [history.samples[place] for place in places]
        before = history.samples[max(0, places[0] - history.budget.window) : places[0]]
        mark = own[-1].fingerprint
        after = [one for one in history.samples[places[-1] + 1 :] if one.fingerprint == mark][:AFTER]
        compared = compared or len(before) >= history.budget.min_samples or history.budget.surface == "cost"
        measured.setdefault(history.budget.id, []).append(_measured(history, own, before, file.currency))
        name = "plan" if history.budget.surface == "cost" else history.name
        later[history.budget.id, name] = (list(before), after)
    day = at.date() if at else date.max
    results = judge(file, measured, day)
    rules = {budget.id: budget for budget in file.budgets}
    stops = tuple(
        Stop(
            id=one.name, verdict=one.verdict, why=one.why, truth=_truth(rules[one.id], one, *later[one.id, one.series])
        )
        for one in results
        if one.verdict in STOPS and (one.id, one.series) in later
    )
    verdict = overall(file, results, frozenset(rules[identity].surface for identity in measured))
    found = Change(commit=commit, at=at, verdict=verdict, budgets=sum(map(len, measured.values())), stops=stops)
    return found, compared


def _measured(history: History, own: Sequence[Sample], before: Sequence[Sample], currency: str) -> Measured:
    if history.budget.surface == "cost":
        past = Decimal(str(before[-1].value)) if before else None
        return Estimate(Decimal(str(own[-1].value)), past, currency)
    return Series(history.name, tuple(own), tuple(before))


def _truth(rule: Budget, one: Result, before: Sequence[Sample], after: Sequence[Sample]) -> Truth:
    """Whether what stopped the change was still there afterwards."""
    if len(after) < ENOUGH:
        return "open"
    sign = 1 if rule.direction == "lower" else -1
    level = median(sample.value for sample in after)
    if rule.limit is not None and one.now is not None:
        limit = float(rule.limit)
        allowed = abs(limit) * rule.overshoot
        if sign * (one.now - limit) > allowed and sign * (level - limit) > allowed:
            return "right"
    if rule.block.relative is None or not before:
        return "false"
    usual = median(sample.value for sample in before)
    rise = sign * (level - usual)
    return "right" if rise > 0 and rise >= rule.block.relative * abs(usual) else "false"


def histories_of(file: BudgetFile, measured: Mapping[str, Sequence[Measured]]) -> list[History]:
    """Series of the cache or of files as histories."""
    return [
        History(budget, one.name, _sorted((*one.drift, *one.base, *one.now)))
        for budget in file.budgets
        for one in measured.get(budget.id, ())
        if isinstance(one, Series) and one.now
    ]


def _sorted(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    unique = dict.fromkeys(replace(sample, commit=sample.commit[:12]) for sample in samples)
    return tuple(sorted(unique, key=lambda sample: sample.at or _NEVER))

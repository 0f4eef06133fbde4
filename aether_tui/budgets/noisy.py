"""Judging noisy measurements: size is the Hodges–Lehmann shift, evidence the one-sided Mann–Whitney test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from aether_tui.budgets.case import Case, limit_of, nothing, of_limit, settle_waiver, share_shown, unit_of
from aether_tui.budgets.file import Budget, Waiver
from aether_tui.budgets.model import Result, Sample, Series
from aether_tui.stats import ranks

STRONG, SOME = 0.01, 0.05
"""Evidence over all budgets of the run (Holm) that blocks, and that warns.

A warning stops nothing, so a budget warns on its own `STRONG` evidence, too: not adjusted, which lets 18 of 100 quiet
runs of 20 budgets warn (adjusted 5, at an unadjusted 0.05 64), and sees a rise of 20 % in 79 of 100, not in 58.
"""


@dataclass(frozen=True, slots=True)
class Shift:
    """A noisy comparison; shares are of the baseline's median, positive is worse. Of a baseline of nothing any rise is without
    bound: infinite, and never shown."""

    share: float
    low: float | None
    high: float | None
    delta: float
    p: float

    def change(self, budget: Budget) -> tuple[float, float | None, float | None]:
        """The shift and its bounds as a change of the number itself, whichever way is worse."""
        if budget.direction == "lower":
            return self.share, self.low, self.high
        return -self.share, None if self.high is None else -self.high, None if self.low is None else -self.low


def shift_of(budget: Budget, now: Sequence[Sample], base: Sequence[Sample]) -> Shift | None:
    """How much worse `now` is than `base`; None when there is too little of either to test."""
    if len(now) < 2 or len(base) < budget.min_samples:
        return None
    sign = 1.0 if budget.direction == "lower" else -1.0
    current, before = [sign * one.value for one in now], [sign * one.value for one in base]
    middle = abs(median(before))
    delta = ranks.hodges_lehmann(current, before)
    if not middle:
        share = math.copysign(math.inf, delta) if delta else 0.0
        return Shift(share, None, None, delta, ranks.mann_whitney_greater(current, before))
    interval = ranks.shift_interval(current, before)
    low, high = (interval[0] / middle, interval[1] / middle) if interval else (None, None)
    return Shift(delta / middle, low, high, delta, ranks.mann_whitney_greater(current, before))


def adjusted(shifts: Sequence[Shift | None]) -> list[tuple[Shift, float] | None]:
    """Each shift with its p-value adjusted over all of them."""
    adjusted = iter(ranks.holm([shift.p for shift in shifts if shift]))
    return [(shift, next(adjusted)) if shift else None for shift in shifts]


def judge_noisy(
    budget: Budget,
    series: Series,
    shift: tuple[Shift, float] | None,
    drift: tuple[Shift, float] | None,
    waiver: Waiver | None,
    currency: str,
    tests: int,
) -> Result:
    """The verdict on one series; `shift` and `drift` come with p-values adjusted over the `tests` of the run."""
    if not series.now:
        return nothing(budget, currency, series)
    base = series.comparable()
    values = [sample.value for sample in series.now]
    before = [sample.value for sample in base]
    now = _stat(budget, values)
    case = Case()
    if series.problem:
        case.say("inconclusive", series.problem, "run it again")
    limit = limit_of(budget, waiver)
    if limit is not None:
        _absolute(case, budget, now, values, limit, currency, series)
    if budget.surface == "llm" and series.drivers:
        case.why += series.drivers
    _relative(case, budget, series, shift)
    if drift and case.verdict == "pass":
        _drifted(case, budget, *drift)
    waived = settle_waiver(case, budget, waiver, now, limit)
    middle = median(before) if before else None
    change = shift[0].change(budget) if shift else None
    return Result(
        id=budget.id,
        series=series.name,
        surface=budget.surface,
        metric=budget.metric,
        verdict=case.verdict,
        now=now,
        unit=unit_of(budget, currency),
        baseline=middle,
        limit=limit,
        shift=_finite(change[0]) if change else (now - middle) / abs(middle) if middle else None,
        shift_low=change[1] if change else None,
        shift_high=change[2] if change else None,
        p_value=shift[1] if shift else None,
        p_alone=shift[0].p if shift else None,
        n_now=len(values),
        n_base=len(before),
        smallest_detectable=_detectable(budget, before, len(values), tests)
        if len(before) >= budget.min_samples
        else None,
        need_more=case.need_more,
        share=now / limit if limit else None,
        drift=_finite(drift[0].change(budget)[0]) if drift else None,
        why="; ".join(case.why) or "within its budget",
        next=case.next,
        waiver=waived,
        drivers=series.drivers,
        recent=(*before, *values),
        base_source=series.source,
    )


def _finite(share: float) -> float | None:
    return share if math.isfinite(share) else None


def _absolute(
    case: Case, budget: Budget, now: float, values: Sequence[float], limit: float, currency: str, series: Series
) -> None:
    """Absolute limits, by surface: tests block at once, ci and llm when a second measurement confirms."""
    sign = 1 if budget.direction == "lower" else -1
    over = sign * (now - limit) / limit if limit else math.inf if sign * now > 0 else 0.0
    beyond = "over" if sign > 0 else "under"
    of = of_limit(now, limit, budget.kind, currency)
    allowed = budget.overshoot
    if over <= 0:
        case.why.append(of)
    elif over <= allowed:
        case.say("pass", f"{of}: {beyond} the limit by {share_shown(over)}, up to {share_shown(allowed)} is shown only")
    elif budget.surface == "tests":
        slowest = f": slowest {', '.join(series.drivers)}" if series.drivers else ""
        case.say("block", f"{of}: {beyond} the limit{slowest}", "make it faster, or move its budget with a date")
    elif sum(sign * (value - limit) > abs(limit) * allowed for value in values) >= 2:
        case.say(
            "block",
            f"{of}: {beyond} the limit by {share_shown(over)}, confirmed",
            "mend it, or move its budget with a date",
        )
    else:
        case.say("warn", f"{of}: {beyond} the limit by {share_shown(over)}", "run it once more to confirm", 1)


def _relative(case: Case, budget: Budget, series: Series, shift: tuple[Shift, float] | None) -> None:
    """Against the baseline: size and evidence."""
    base = series.comparable()
    if len(base) < budget.min_samples:
        missing = budget.min_samples - len(base)
        if series.base and len(series.base) >= budget.min_samples:
            other = series.base[-1].fingerprint or "an unknown machine"
            why = f"the baseline ran on {other}, this on {series.now[-1].fingerprint or 'an unknown machine'}: not compared"
            case.say("inconclusive", why, f"measure {missing} more on the base branch", missing)
        elif budget.limit is None:
            case.say("inconclusive", f"nothing to compare with: {len(base)} of {budget.min_samples} measurements before",
                     f"measure {missing} more on the base branch", missing)  # fmt: skip
        else:
            case.why.append(f"new: {len(base)} of {budget.min_samples} measurements before, only the limit counts")
        return
    if shift is None:
        _one_sample(case, budget, series.now, [sample.value for sample in base])
    else:
        _evidence(case, budget, *shift, n_now=len(series.now), n_base=len(base))


def _one_sample(case: Case, budget: Budget, now: Sequence[Sample], base: Sequence[float]) -> None:
    """One measurement is judged by a band of three robust standard deviations, and a breach only asks for another."""
    middle = median(base)
    sign = 1 if budget.direction == "lower" else -1
    value = _stat(budget, [one.value for one in now])
    if middle:
        worse = sign * (value - middle) / abs(middle)
        band = _band(budget, base, middle)
        why = f"one measurement is {share_shown(worse)} worse than the baseline, outside the noise band of {share_shown(band)}"
        breach = worse > band
    else:
        why = "one measurement is worse than every one of a baseline of nothing"
        breach = sign * value > max(0.0, *(sign * one for one in base))
    if budget.block.relative is not None and breach:
        case.unconfirmed = case.verdict != "inconclusive"
        case.say("inconclusive", why, "run it once more to confirm", 1)


def _band(budget: Budget, base: Sequence[float], middle: float) -> float:
    """How much worse one measurement must be to ask for another, as a share of the baseline's median."""
    return max(budget.block.relative or 0.0, 3 * ranks.MAD_TO_SD * ranks.mad(base) / abs(middle))


def _evidence(case: Case, budget: Budget, shift: Shift, p: float, *, n_now: int, n_base: int) -> None:
    blocks = budget.block.relative is not None and shift.share >= budget.block.relative
    warns = blocks or (budget.warn.relative is not None and shift.share >= budget.warn.relative)
    if not warns or shift.delta < max(budget.warn.min_delta, budget.block.min_delta if blocks else 0.0):
        return
    alone = f"; {shift.p:.2g} alone" if shift.p < p else ""
    much = f"{share_shown(shift.share)} worse than the baseline" if math.isfinite(shift.share) else (
        "worse than a baseline of nothing")  # fmt: skip
    size = f"{much} (p {p:.2g}{alone})"
    if blocks and p < STRONG:
        case.say("block", size, "find the change, or move the budget with a date")
    elif p < SOME or shift.p < STRONG:
        case.say("warn", size, "mend it")
    elif blocks and n_now < budget.min_samples:
        more = budget.min_samples - n_now
        case.unconfirmed = case.verdict != "inconclusive"
        case.say("inconclusive", f"{size}: too few runs to tell from noise", f"re-run {more} more", more)
    else:
        case.why.append(f"{size}: not distinguishable from noise with n {n_now} against {n_base}")


def _drifted(case: Case, budget: Budget, drift: Shift, p: float) -> None:
    if budget.block.relative is not None and drift.share >= budget.block.relative and (p < SOME or drift.p < STRONG):
        much = f"{share_shown(drift.share)} worse than" if math.isfinite(drift.share) else "there, and was not"
        case.say("warn", f"{much} 90 days ago: a slow drift", "plan the way back")


def _detectable(budget: Budget, base: Sequence[float], n_now: int, tests: int) -> float | None:
    """The smallest relative rise this many measurements can show among so many tests; for one, the noise band."""
    middle = median(base)
    if n_now == 1 and middle:
        return _band(budget, base, middle)
    return ranks.smallest_detectable(base, n_now, max(SOME / max(tests, 1), STRONG))


def _stat(budget: Budget, values: Sequence[float]) -> float:
    if budget.stat == "mean":
        return fmean(values)
    return max(values) if budget.stat == "max" else ranks.quantile(values, int(budget.stat[1:]) / 100)

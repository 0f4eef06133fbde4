"""What a month will have cost at its end: weekday pattern, damped trend, and a band from what the model gets wrong.

The level of each day is the day over its weekday's usual share. A Theil–Sen line (Sen 1968, JASA 63:1379) through the
levels is continued with damping (Gardner & McKenzie 1985), and the whole fit is repeated over resampled residuals, so
that the band knows how uncertain level and trend are, too.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from aether_tui.stats.changepoints import changes
from aether_tui.stats.sound import sound_all

Floats = NDArray[np.float64]
LEAST_DAYS = 14
"""With less history there is a run-rate, labelled rough."""
LEAST_LIVE = 10
"""Two working weeks: with fewer days of weekdays that usually cost something there is no level to read off them."""
FIT_DAYS = 56
DAMPING = 0.985
"""Per day: a trend loses half of its effect in a month and a half."""
STUDENT = (3.078, 1.886, 1.638, 1.533, 1.476, 1.440)
"""Student's t at 90 % for 1 to 6 degrees of freedom (any table; `scipy.stats.t.ppf` in the tests)."""
NORMAL = 1.2816
"""The normal distribution at 90 %."""
UNMODELLED = 1.1
"""What no day shows: that there was no step, that the trend goes on. Chosen so that simulated months of development held 80 %
at day 10; the test suite proves it on months of other seeds and another make."""
STEP_LEVEL = 0.9999
"""Confidence at which a step changes a forecast: a false one takes weeks of history away."""
MOST = 60.0
"""A logarithm beyond which nobody spends."""
DRAWS = 200
BLOCK = 7
"""Residuals of a week are drawn together (moving blocks, Künsch 1989): a busy day is seldom alone."""
BAND = (0.1, 0.9)
MOST_MONTHS = 6


@dataclass(frozen=True, slots=True)
class Projection:
    """A month's total at its end. `path` is the cumulative median by day from the first unknown day on, with its band.

    `crosses` are the days (1-based; early, median, late of the draws that cross) on which the limit is used up, and
    `crosses_p` the share of draws in which it is. `rough` marks a straight line of too little history, without a band.
    """

    total: float
    low: float | None
    high: float | None
    path: tuple[tuple[float, float, float], ...]
    crosses_p: float | None
    crosses: tuple[int, int, int] | None
    days: int
    rough: bool = False


def month_length(day: date) -> int:
    """Days of the month of `day`."""
    return monthrange(day.year, day.month)[1]


def project(
    daily: Sequence[float],
    start: date,
    *,
    spent: float,
    limit: float | None,
    seed: int,
    draws: int = DRAWS,
    to_come: float | None = None,
) -> Projection:
    """Project a month to its end from `daily`, whole days from `start`, oldest first and not empty.

    It is the month of the last of them; of the day after it where that has begun, of which the share `to_come` is still to
    come. `spent` is what the month has cost until then, one-off charges included.
    """
    sound_all([spent, *daily])
    last = start + timedelta(days=len(daily) - 1)
    month = (last if to_come is None else last + timedelta(days=1)).replace(day=1)
    over = (last - month).days + 1
    left, rest = month_length(month) - over, 1.0 if to_come is None else to_come
    if len(daily) < LEAST_DAYS:
        return _rough(daily, over, left, rest, spent, limit)
    values = np.asarray(daily[-FIT_DAYS:], dtype=np.float64)
    first = last - timedelta(days=len(values) - 1)
    ahead = _ahead(values, first, left, np.random.default_rng(seed), draws)
    ahead[:, :1] *= rest
    paths = spent + np.cumsum(ahead, axis=1)
    if not left:
        paths = np.full((draws, 1), spent)
    low, middle, high = (np.quantile(paths, share, axis=0, method="inverted_cdf") for share in (BAND[0], 0.5, BAND[1]))
    crosses_p, crosses = _crossing(paths, over, spent, limit) if left else (None, None)
    path = tuple(zip(middle.tolist(), low.tolist(), high.tolist(), strict=True)) if left else ()
    return Projection(float(middle[-1]), float(low[-1]), float(high[-1]), path, crosses_p, crosses, len(daily))


def _rough(daily: Sequence[float], over: int, left: int, rest: float, spent: float, limit: float | None) -> Projection:
    """The mean day, continued after the days that are over, of the next of which the `rest` is to come."""
    mean = sum(daily) / len(daily)
    path = tuple((spent + mean * (n + rest),) * 3 for n in range(left))
    total = path[-1][0] if path else spent
    crosses = None
    if limit is not None and spent <= limit < total:
        day = min(over + 1 + int((limit - spent) / mean + 1 - rest), over + left)
        crosses = (day, day, day)
    return Projection(total, None, None, path, None, crosses, len(daily), rough=True)


def _ahead(values: Floats, first: date, left: int, rng: np.random.Generator, draws: int) -> Floats:
    """Drawn spend of the `left` days after `values`, one row per draw.

    A weekday that usually costs nothing has no level: its days are drawn from its own past, and are no part of the others'.
    """
    size = len(values)
    weekday = (first.weekday() + np.arange(size + left)) % 7
    shares = _weekday_shares(values, weekday[:size])
    usual = _normal(np.array([[np.median(share) for share in shares]]))[0]
    live = usual > 0
    past, coming = live[weekday[:size]], live[weekday[size:]]
    if past.sum() < LEAST_LIVE:
        past, coming = np.zeros_like(past), np.zeros_like(coming)
    spend = np.zeros((draws, left))
    for place in np.flatnonzero(~coming):
        spend[:, place] = rng.choice(values[weekday[:size] == weekday[size + place]], draws)
    known, ahead = int(past.sum()), int(coming.sum())
    if not ahead:
        return np.maximum(spend, 0.0)
    levels = values[past] / usual[weekday[:size][past]]
    growing = bool((levels > 0).all())  # growth compounds; only days that cost nothing make it a straight line
    levels = np.log(levels) if growing else levels
    at = np.arange(known, dtype=np.float64)
    levels = _without_steps(levels, at)
    slope, height = _line(levels[None, :], at)
    fitted = height + slope * at
    wrong = levels - fitted[0]
    wide = wrong * _widened(size)
    drawn = _blocks(wide, known + ahead, rng, draws)
    slopes, heights = _line(fitted + drawn[:, :known], at)
    steps = np.cumsum(DAMPING ** np.arange(1, ahead + 1))
    # The line is followed to the last known day, and damped from there.
    future = heights + slopes * (known - 1) + slopes * steps[None, :] + drawn[:, known:]
    # Wider is not dearer: days cost as much on average as without being widened.
    if growing:
        future, *means = (np.exp(np.minimum(logs, MOST)) for logs in (future, wrong, wide))
        future *= means[0].mean() / means[1].mean()
    else:
        future += wrong.mean() - wide.mean()
    patterns = _normal(
        np.stack([np.median(rng.choice(share, (draws, len(share))), axis=1) for share in shares], axis=1) * live
    )
    spend[:, coming] = future * patterns[:, weekday[size:][coming]]
    return np.maximum(spend, 0.0)


def _widened(size: int) -> float:
    """How much wider than its residuals a band of `size` days must be: whole weeks are what is independent, level and trend
    take two of them, and what is left estimates the spread with Student's t, not the normal distribution.
    """
    weeks = size // 7
    free = max(weeks - 2, 1)
    return float(UNMODELLED * (weeks / free) ** 0.5 * STUDENT[min(free, len(STUDENT)) - 1] / NORMAL)


def _weekday_shares(values: Floats, weekday: NDArray[np.int_]) -> list[Floats]:
    """By weekday, each of its days over the mean of the week around it."""
    week = np.convolve(np.pad(values, 3, mode="reflect"), np.full(7, 1 / 7), mode="valid")
    share = np.divide(values, week, out=np.zeros_like(values), where=week > 0)
    return [share[weekday == day] for day in range(7)]


def _normal(rows: Floats) -> Floats:
    """Weekday patterns that are 1 on average over the weekdays that are more than nothing."""
    least = np.maximum(rows, 0.0)
    total, live = least.sum(axis=1, keepdims=True), (least > 0).sum(axis=1, keepdims=True)
    return np.asarray(np.divide(least * live, total, out=np.zeros_like(least), where=total > 0), dtype=np.float64)


def _line(rows: Floats, at: Floats) -> tuple[Floats, Floats]:
    """Theil–Sen slope and height of every row, as columns."""
    size, filled = len(at), 0
    between = np.empty((len(rows), size * (size - 1) // 2))
    for step in range(1, size):  # `at` is 0, 1, 2, …: pairs that lie so far apart are a slice
        part = between[:, filled : filled + size - step]
        np.subtract(rows[:, step:], rows[:, :-step], out=part)
        part /= step
        filled += size - step
    slopes = np.median(between, axis=1, keepdims=True, overwrite_input=True)
    heights = np.median(rows - slopes * at, axis=1, keepdims=True)
    return slopes, heights


def _without_steps(levels: Floats, at: Floats) -> Floats:
    """Levels as if every earlier step had been there from the beginning: what was switched on last week stays on."""
    slope, height = _line(levels[None, :], at)
    wrong = levels - (height + slope * at)[0]
    lifted = levels.copy()
    for step in changes(wrong.tolist(), level=STEP_LEVEL):
        lifted[: step.at] += step.after - step.before
    return lifted


def _blocks(wrong: Floats, size: int, rng: np.random.Generator, draws: int) -> Floats:
    """Residuals drawn with replacement, BLOCK neighbours at a time."""
    count = -(-size // BLOCK)
    starts = rng.integers(0, len(wrong), (draws, count))
    places = (starts[:, :, None] + np.arange(BLOCK)) % len(wrong)
    return np.asarray(wrong[places.reshape(draws, -1)[:, :size]], dtype=np.float64)


def _crossing(
    paths: Floats, over: int, spent: float, limit: float | None
) -> tuple[float | None, tuple[int, int, int] | None]:
    """How probably and when the limit is crossed; nothing to say without a limit, or where it is crossed already."""
    if limit is None or spent > limit:
        return None, None
    above = paths > limit
    crossed = above.any(axis=1)
    if not crossed.any():
        return 0.0, None
    days = over + 1 + np.argmax(above[crossed], axis=1)
    early, middle, late = (int(np.quantile(days, share, method="inverted_cdf")) for share in (BAND[0], 0.5, BAND[1]))
    return float(crossed.mean()), (early, middle, late)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many past forecasts held their month's real total in the band: `held` of `n`, over `months` months."""

    held: int
    n: int
    months: int


def realised(daily: Sequence[float], start: date, *, seed: int, on: Sequence[int] = (10, 20)) -> Coverage:
    """Forecasts as they would have been made on these days of every whole past month, against what the month cost."""
    held = n = months = 0
    for first in past_months(daily, start):
        offset = (first - start).days
        length = month_length(first)
        total = sum(daily[offset : offset + length])
        found = 0
        for day in on:
            known = daily[: offset + day]
            if len(known) < LEAST_DAYS:
                continue
            forecast = project(
                known, start, spent=sum(daily[offset : offset + day]), limit=None, seed=seed, draws=DRAWS // 2
            )
            if forecast.low is not None and forecast.high is not None:
                found += 1
                held += forecast.low <= total <= forecast.high
        n += found
        months += bool(found)
    return Coverage(held, n, months)


def past_months(daily: Sequence[float], start: date) -> list[date]:
    """First days of the whole months in the series, without the one it ends in; the newest six."""
    end = start + timedelta(days=len(daily))
    first = start if start.day == 1 else (start.replace(day=1) + timedelta(days=32)).replace(day=1)
    found = []
    while (after := (first + timedelta(days=32)).replace(day=1)) <= end - timedelta(days=1):
        found.append(first)
        first = after
    return found[-MOST_MONTHS:]

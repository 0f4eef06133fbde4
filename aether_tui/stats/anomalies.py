"""What changed in daily series: steps of the level, and runs of days that their weekday does not explain.

Days are held against the same weekday of the eight weeks before (robust z: Iglewicz & Hoaglin 1993, |z| > 3.5), and those of
one day across all series are kept by Benjamini & Hochberg (1995, J. R. Stat. Soc. B 57:289). One day alone is an outlier; four
in a row are a run. Steps are those of `changepoints`, found after the weekday shape is taken out.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist, median
from typing import Literal

import numpy as np
import numpy.typing as npt

from aether_tui.stats import changepoints
from aether_tui.stats.pairs import Pairs
from aether_tui.stats.ranks import MAD_TO_SD, hodges_lehmann, mann_whitney, shift_interval

CUT = 3.5
"""|z| beyond which a day is out of line."""
WEEKS = 8
"""Weeks a day is held against."""
LEAST_WEEKS = 4
RUN = 4
"""Days in a row, in one direction, that make a run."""
IQR_TO_SD = 1.349
FALSE_SHARE = 0.05
"""Share of days kept by Benjamini–Hochberg that may be false."""
SCREEN = 2.0
"""Normal score of the best cut below which a series is not searched: p is then above .01 before it is corrected."""
SURE, SURE_OF_FEW = 0.99, 0.997
"""Confidence of a step; of a series under four weeks more is asked, as its weekday shape, taken from two or three days each, takes
noise with it. Of 100 quiet series of 16 days 3.8 were said to have changed at 0.99, and are 1.8."""
AROUND = 10
"""Days on each side a weekday is held against: three weeks have every weekday three times."""
GOES_ON = 0.05
"""One-sided p under which a drift that began before goes on."""
LEAST_EFFECT = 0.05
"""Relative shift under which a step is not worth a sentence."""
AT_ONCE = 64
"""Series whose days are sorted together: some megabytes."""

Day = float | None
Floats = npt.NDArray[np.float64]
Kind = Literal["step", "drift", "run"]


@dataclass(frozen=True, slots=True)
class Shift:
    """A change of a series: `at` is the index of its first day, levels are medians without the weekday shape.

    `until` is its last step or day.

    `effect` is the relative Hodges–Lehmann shift with its 95 % interval (ends None where days are too few), `n` the days after.
    """

    kind: Kind
    at: int
    until: int
    before: float
    after: float
    effect: float
    low: float | None
    high: float | None
    n: int
    n_before: int
    began: int
    """Index of the first step of a drift: before `at` when it began before what is asked for."""


@dataclass(frozen=True, slots=True)
class Outlier:
    """One day out of line with its weekday."""

    at: int
    value: float
    usual: float
    z: float


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values by the step-up method, in the given order."""
    adjusted = [1.0] * len(p_values)
    least = 1.0
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    for rank in range(len(order), 0, -1):
        place = order[rank - 1]
        least = min(least, p_values[place] * len(order) / rank)
        adjusted[place] = least
    return adjusted


def outliers(series: Mapping[str, Sequence[Day]]) -> dict[str, list[Outlier]]:
    """Days out of line in series that begin on the same day, by series; kept day by day across all of them."""
    found = _outliers(tuple(map(tuple, series.values())))
    return {name: list(own) for name, own in zip(series, found, strict=True)}


@lru_cache(maxsize=4)  # windows that end on the same day have the same days before them
def _outliers(series: tuple[tuple[Day, ...], ...]) -> tuple[tuple[Outlier, ...], ...]:
    normal = NormalDist()
    days, z, usual = _scores(series)
    kept: list[list[Outlier]] = [[] for _ in series]
    for at in np.flatnonzero((np.abs(z) > CUT).any(axis=0)).tolist():
        today = np.flatnonzero(~np.isnan(z[:, at])).tolist()
        far = z[today, at].tolist()
        adjusted = benjamini_hochberg([2 * normal.cdf(-abs(one)) for one in far])
        for row, one, p in zip(today, far, adjusted, strict=True):
            if abs(one) > CUT and p <= FALSE_SHARE:
                kept[row].append(Outlier(at, float(days[row, at]), float(usual[row, at]), one))
    return tuple(map(tuple, kept))


def shifts(values: Sequence[Day], out: Sequence[Outlier] = (), since: int = 0) -> list[Shift]:
    """Changes of one series from index `since` on: steps, those of one direction that follow each other as one drift, drifts
    that began before and go on, and runs no step explains."""
    return every_shift({"": values}, {"": out}, since)[""]


def every_shift(
    series: Mapping[str, Sequence[Day]], out: Mapping[str, Sequence[Outlier]], since: int = 0
) -> dict[str, list[Shift]]:
    """`shifts` of series that begin on the same day, by series."""
    levels = _without_weekdays(list(series.values()))
    return {
        name: _shifts(values, level, out[name], since)
        for (name, values), level in zip(series.items(), levels, strict=True)
    }


def _shifts(values: Sequence[Day], level: Sequence[Day], out: Sequence[Outlier], since: int) -> list[Shift]:
    known = [index for index, value in enumerate(level) if value is not None]
    flat = [value for value in level if value is not None]
    steps = _steps(tuple(flat))
    first = bisect_left(known, since)
    chains = _chains(steps)
    found = [one for chain in chains if (one := _shift(chain, flat, known, steps, first)) is not None]
    runs = list(_runs(out, [index for index, value in enumerate(values) if value is not None]))
    every = [one for chain in chains if runs and (one := _shift(chain, flat, known, steps, 0)) is not None]
    for start, end in runs:
        run = _run(start, end, level)
        if run is not None and end >= since and not any(_explains(one, run) for one in every):
            found.append(run)
    return sorted(found, key=lambda one: one.at)


# --- Days ---------------------------------------------------------------------------------------------------------


def _beside(series: Sequence[Sequence[Day]]) -> Floats:
    """A row per series; NaN is missing, as is what comes after the end of a shorter one."""
    made = np.full((len(series), max(map(len, series), default=0)), np.nan)
    for row, values in zip(made, series, strict=True):
        row[: len(values)] = [np.nan if one is None else one for one in values]
    return made


def _scores(series: Sequence[Sequence[Day]]) -> tuple[Floats, Floats, Floats]:
    """By series and day: the values, their robust z, and what is usual. A day that cannot be judged has none. MAD 0 gives way to
    the interquartile range; both 0: not judged."""
    days = _beside(series)
    z, usual = np.full_like(days, np.nan), np.full_like(days, np.nan)
    first = 7 * LEAST_WEEKS
    for start in range(0, len(days) if days.shape[1] > first else 0, AT_ONCE):
        some = days[start : start + AT_ONCE]
        padded = np.pad(some[:, :-1], ((0, 0), (7 * WEEKS - first, 0)), constant_values=np.nan)
        past = np.lib.stride_tricks.sliding_window_view(padded, 7 * WEEKS, axis=1)
        past = past.reshape(len(some), -1, WEEKS, 7)  # weekday 0: that of the day
        middles = _medians(np.sort(past.swapaxes(2, 3), axis=3))
        idle = (middles == 0) & (middles[:, :, :1] != 0)  # weekdays of nothing do not say how much the others vary
        rest = np.where(idle[:, :, None, :], np.nan, past - middles[:, :, None, :])
        spreads = _spreads(rest.reshape(len(some), -1, 7 * WEEKS))
        weeks = np.sum(~np.isnan(past[:, :, :, 0]), axis=2)
        judged = (weeks >= LEAST_WEEKS) & (spreads > 0)
        usual[start : start + AT_ONCE, first:] = middles[:, :, 0]
        np.divide(some[:, first:] - middles[:, :, 0], spreads, out=z[start : start + AT_ONCE, first:], where=judged)
    return days, z, usual


def _spreads(rest: Floats) -> Floats:
    """The robust standard deviation over the last axis; NaN is missing."""
    ordered = np.sort(rest, axis=-1)
    wide = MAD_TO_SD * _medians(np.sort(np.abs(ordered - _medians(ordered)[..., None]), axis=-1))
    n = np.sum(~np.isnan(ordered), axis=-1)
    low, high = (_picked(ordered, np.maximum(0, np.ceil(share * n).astype(int) - 1)) for share in (0.25, 0.75))
    spreads: Floats = np.where(wide > 0, wide, (high - low) / IQR_TO_SD)
    return spreads


def _runs(out: Sequence[Outlier], known: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last index of at least `RUN` days of one sign, with no measured day between them."""
    place = {at: index for index, at in enumerate(known)}
    run: list[Outlier] = []
    for one in (*out, None):
        joins = one is not None and run and place[one.at] == place[run[-1].at] + 1 and (one.z > 0) == (run[-1].z > 0)
        if not joins:
            if len(run) >= RUN:
                yield run[0].at, run[-1].at
            run = []
        if one is not None:
            run.append(one)


def _explains(step: Shift, run: Shift) -> bool:
    """A new level is out of line with the eight weeks before until it is most of them."""
    return step.at - RUN <= run.at <= step.until + 7 * WEEKS // 2 and (step.effect > 0) == (run.effect > 0)


def _run(first: int, last: int, level: Sequence[Day]) -> Shift | None:
    before = [one for one in level[max(0, first - 7 * LEAST_WEEKS) : first] if one is not None]
    after = [one for one in level[first : last + 1] if one is not None]
    return _measured("run", first, last, before, after) if before and after else None


# --- Levels -------------------------------------------------------------------------------------------------------


def _without_weekdays(series: Sequence[Sequence[Day]]) -> list[list[Day]]:
    """Values over what their weekday is to the three weeks around it (median ratio). A weekday that is usually 0 says nothing.

    Around it and not over all: where old days are kept of Mondays only, a drift would look like Mondays.
    """
    known = _beside(series)
    level = known.copy()
    for start in range(0, len(known) if known.shape[1] else 0, AT_ONCE):
        some = known[start : start + AT_ONCE]
        padded = np.pad(some, ((0, 0), (AROUND, AROUND)), constant_values=np.nan)
        around = np.lib.stride_tricks.sliding_window_view(padded, 2 * AROUND + 1, axis=1)
        local = _medians(np.sort(around, axis=2))
        ratios = np.divide(some, local, out=np.full_like(some, np.nan), where=local > 0)
        for day in range(min(7, known.shape[1])):
            factor = _medians(np.sort(ratios[:, day::7], axis=1))[:, None]
            shown = level[start : start + AT_ONCE, day::7]
            np.divide(shown, factor, out=shown, where=factor > 0)
            np.copyto(shown, np.nan, where=factor <= 0)
    return [
        [None if one != one else one for one in row[: len(values)].tolist()]  # noqa: PLR0124 (NaN alone is not itself)
        for row, values in zip(level, series, strict=True)
    ]


def _medians(ordered: Floats) -> Floats:
    """The median over the last, sorted axis, on which missing values are last; NaN where there is none."""
    n = np.sum(~np.isnan(ordered), axis=-1)
    low, high = np.maximum(0, (n - 1) // 2), np.minimum(n // 2, ordered.shape[-1] - 1)
    middle: Floats = (_picked(ordered, low) + _picked(ordered, high)) / 2
    return middle


def _picked(values: Floats, places: npt.NDArray[np.int64]) -> Floats:
    """The value at a place of the last axis."""
    picked: Floats = np.take_along_axis(values, places[..., None], axis=-1)[..., 0]
    return picked


@lru_cache(maxsize=1024)
def _steps(flat: tuple[float, ...]) -> tuple[changepoints.Change, ...]:
    """The steps of a series; nothing is searched where no cut can be one: by the normal score of U at every place."""
    if len(flat) < 2 * changepoints.LEAST:
        return ()
    pairs = Pairs(flat)
    wins, after, before = pairs.around(0, len(flat), changepoints.WINDOW)
    score = np.abs(wins - before * after) / 2 / np.sqrt(before * after * (before + after + 1) / 12)
    level = SURE if len(flat) >= 7 * LEAST_WEEKS else SURE_OF_FEW
    return tuple(changepoints.changes(flat, level=level, places=pairs.places)) if score.max() >= SCREEN else ()


def _chains(steps: Sequence[changepoints.Change]) -> list[list[int]]:
    """Indexes of steps, those of one direction that follow each other together."""
    chains: list[list[int]] = []
    for index, step in enumerate(steps):
        if chains and steps[chains[-1][-1]].direction == step.direction:
            chains[-1].append(index)
        else:
            chains.append([index])
    return chains


def _shift(
    chain: Sequence[int], flat: Sequence[float], known: Sequence[int], steps: Sequence[changepoints.Change], first: int
) -> Shift | None:
    """The steps of a chain from place `first` on as one change; of an older chain, whether its last level has moved on since."""
    cuts = [0, *(step.at for step in steps), len(flat)]
    late = [index for index in chain if steps[index].at >= first]
    if late:
        start, end, low, high = cuts[late[0] + 1], cuts[late[-1] + 1], cuts[late[0]], cuts[late[-1] + 2]
    elif chain[-1] == len(steps) - 1:
        start, end, low, high = first, first, min(cuts[-2], first - changepoints.LEAST), len(flat)
    else:
        return None
    window = changepoints.WINDOW
    before, after = flat[max(low, start - window) : start], flat[end : min(high, end + window)]
    if not late and not _goes_on(before, after, steps[chain[-1]].direction):
        return None
    kind: Kind = "step" if len(chain) == 1 and late else "drift"
    made = _measured(kind, known[start], known[end], before, after, known[steps[chain[0]].at])
    return made if abs(made.effect) >= LEAST_EFFECT else None


def _goes_on(before: Sequence[float], after: Sequence[float], direction: str) -> bool:
    if min(len(before), len(after)) < changepoints.LEAST:
        return False
    return mann_whitney(after, before)[direction != "up"] <= GOES_ON


def _measured(
    kind: Kind, at: int, until: int, before: Sequence[float], after: Sequence[float], began: int | None = None
) -> Shift:
    base = median(before)
    scale = abs(base) or abs(median(after)) or 1.0
    ends = shift_interval(after, before)
    low, high = (None, None) if ends is None else (ends[0] / scale, ends[1] / scale)
    effect = hodges_lehmann(after, before) / scale
    return Shift(
        kind, at, until, base, median(after), effect, low, high, len(after), len(before), at if began is None else began
    )

"""The DORA Quick Check and the published reports that deliveries are held against (diagnostics I)."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Literal

import msgspec
from msgspec import Struct

Metric = Literal["lead_time", "frequency", "recovery", "change_fail", "rework"]


class Edition(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One published set of reference values. `means` are Quick Check scores, 0 (worst) to 10; the two shares are published as
    higher is worse and turned round here. `bands` are the levels of a report with where each ends, the best first; of change
    fail they are the clusters' own averages, so that the nearest one counts.
    """

    id: str
    name: str
    year: int
    source: str
    means: dict[str, float] = {}
    bands: dict[str, list[tuple[str, float | None]]] = {}


class _Content(Struct, frozen=True):
    editions: tuple[Edition, ...]


@cache
def editions() -> dict[str, Edition]:
    """The shipped ones by id, the newest first."""
    file = resources.files("aether_tui.diagnostics") / "dora.json"
    return {one.id: one for one in msgspec.json.decode(file.read_bytes(), type=_Content).editions}


def band(edition: Edition, metric: Metric, value: float) -> str:
    """The level of a measured value in an edition that has levels; nothing where it has none for this metric."""
    levels = edition.bands.get(metric, [])
    if metric == "change_fail":
        return min(levels, key=lambda level: abs((level[1] or 0.0) - value))[0] if levels else ""
    for name, end in levels:
        if end is None or (value >= end if metric == "frequency" else value < end):
            return name
    return ""


DAY_S = 86_400.0
_MONTH_S = 365.25 / 12 * DAY_S
_TIMES_S = (3600.0, DAY_S, 7 * DAY_S, _MONTH_S, 6 * _MONTH_S)
_PER_DAY = (24.0, 1.0, 1 / 7, DAY_S / _MONTH_S, DAY_S / (6 * _MONTH_S))


def quick_check(metric: Metric, value: float) -> float:
    """The Quick Check score (0–10) of a measured value: seconds, per day, or a share.

    Its six answers (under an hour, day, week, month, six months, more; hourly, daily, weekly, monthly, half-yearly, less) score
    10, 8, 6, 4, 2 and 0; a share of p scores 10 − 10 p.
    """
    if metric in {"change_fail", "rework"}:
        return 10 * (1 - value)
    if metric == "frequency":
        return 10.0 - 2 * sum(value < limit for limit in _PER_DAY)
    return 10.0 - 2 * sum(value >= limit for limit in _TIMES_S)

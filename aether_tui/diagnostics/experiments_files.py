"""Results of experiments from rows of a CSV file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from statistics import fmean, stdev

from aether_tui.errors import ConfigurationError, NoData
from aether_tui.stats.clusters import of_clusters
from aether_tui.workspace.kinds.experiment import Arm, Experiment, Measured, Period

CsvRow = Mapping[str, str]


def measured_rows(one: Experiment, rows: Sequence[CsvRow], who: str, when: date) -> list[Measured]:
    """One result per metric: `arm,value` apart (a `unit` with several rows counts once) or `control,treatment` as pairs.

    `metric` may be left out for the first primary.

    Raises ConfigurationError for a row that cannot be read, NoData under two values an arm.
    """
    first = one.primary[0].name if one.primary else ""
    names = {item.name for item in one.primary} | {item.name for item in one.guardrails}
    groups: dict[str, list[tuple[int, CsvRow]]] = {}
    for line, row in enumerate(rows, 2):
        name = (row.get("metric") or first).strip()
        if name not in names:
            raise ConfigurationError(
                f"line {line}: no metric {name!r}; it has {', '.join(sorted(names))}", where="--csv"
            )
        groups.setdefault(name, []).append((line, row))
    paired = "control" in rows[0] and "treatment" in rows[0]
    if not paired and not {"arm", "value"} <= set(rows[0]):
        raise ConfigurationError(
            "needs the columns arm,value, or control,treatment, or team,week,treated,value", where="--csv"
        )
    return [
        _paired(name, found, who, when) if paired else _apart(one, name, found, who, when)
        for name, found in groups.items()
    ]


def _paired(name: str, rows: Sequence[tuple[int, CsvRow]], who: str, when: date) -> Measured:
    differences = [_number(row, "treatment", line) - _number(row, "control", line) for line, row in rows]
    return Measured(metric=name, when=when, source="csv", who=who, difference=_moments(differences, name))


def _apart(one: Experiment, name: str, rows: Sequence[tuple[int, CsvRow]], who: str, when: date) -> Measured:
    arms: dict[str, list[float]] = {one.control_value: [], one.treatment_value: []}
    units: dict[str, dict[str, list[float]]] = {arm: {} for arm in arms}
    for line, row in rows:
        arm = (row.get("arm") or "").strip()
        if arm not in arms:
            raise ConfigurationError(f"line {line}: arm {arm!r} is neither {' nor '.join(arms)}", where="--csv")
        arms[arm].append(_number(row, "value", line))
        if "unit" in row:
            unit = (row["unit"] or "").strip()
            if not unit:
                raise ConfigurationError(
                    f"line {line}: no unit", where="--csv", next_step="name it, or drop the column"
                )
            units[arm].setdefault(unit, []).append(arms[arm][-1])
    control, treatment = arms.values()
    if any(units.values()):
        of_control, of_treatment = units.values()
        if both := sorted(of_control.keys() & of_treatment.keys()):
            raise ConfigurationError(
                f"unit {both[0]!r} is in both arms", where="--csv", next_step="take its rows out: it saw both"
            )
        pair = [_of_units(found, name) for found in (of_control, of_treatment)]
    elif all(value in {0.0, 1.0} for value in (*control, *treatment)) and control and treatment:
        pair = [Arm(n=len(values), successes=int(sum(values))) for values in (control, treatment)]
    else:
        pair = [_moments(values, name) for values in (control, treatment)]
    return Measured(metric=name, when=when, source="csv", who=who, control=pair[0], treatment=pair[1])


def _moments(values: Sequence[float], name: str) -> Arm:
    if len(values) < 2:
        raise NoData(
            f"{name}: {len(values)} values in an arm are too few", where="--csv", next_step="give at least two"
        )
    return Arm(n=len(values), mean=fmean(values), sd=stdev(values))


def _of_units(units: Mapping[str, list[float]], name: str) -> Arm:
    """An arm given to units, with several rows each."""
    if len(units) < 2:
        raise NoData(f"{name}: {len(units)} units in an arm are too few", where="--csv", next_step="give at least two")
    n, mean, sd = of_clusters([(math.fsum(values), len(values)) for values in units.values()])
    return Arm(n=n, mean=mean, sd=sd)


def team_weeks(rows: Sequence[CsvRow]) -> list[Period]:
    """Team weeks of a process test, from `team,week,treated,value`."""
    found = []
    for line, row in enumerate(rows, 2):
        treated = (row.get("treated") or "").strip().casefold()
        if treated not in {"0", "1", "true", "false", "yes", "no"}:
            raise ConfigurationError(f"line {line}: treated is {treated!r}; write 1 or 0", where="--csv")
        try:
            week = date.fromisoformat((row.get("week") or "").strip())
        except ValueError:
            raise ConfigurationError(f"line {line}: week is no date such as 2026-11-16", where="--csv") from None
        team = (row.get("team") or "").strip()
        if not team:
            raise ConfigurationError(f"line {line}: no team", where="--csv")
        value = _number(row, "value", line)
        found.append(Period(team=team, week=week, treated=treated in {"1", "true", "yes"}, value=value))
    return found


def _number(row: CsvRow, column: str, line: int) -> float:
    try:
        value = float(row.get(column) or "")
        if not math.isfinite(value) or abs(value) > 1e15:
            raise ValueError
    except ValueError:
        raise ConfigurationError(
            f"line {line}: {column} is no number: {(row.get(column) or '')[:40]!r}", where="--csv"
        ) from None
    return value

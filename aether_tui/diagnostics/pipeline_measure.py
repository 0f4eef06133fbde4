"""Opportunity-to-impact pipeline audit: stays in the lifecycle stages, conversion, ageing, what is skipped (diagnostics J)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast, get_args

from msgspec import Struct

from aether_tui.config import Phase
from aether_tui.diagnostics.frame import Clock, Data, Question, Record, instant, listed, real, text, whole
from aether_tui.diagnostics.gate import share
from aether_tui.report_model import Quantity, missing
from aether_tui.stats import survival

if TYPE_CHECKING:
    pass

STAGES: tuple[str, ...] = get_args(Phase)
HORIZON_DAYS = 90.0
"""How far ahead advancing and being killed are told."""
GRACE_DAYS = 28
"""How long after a release a measurement, and after a measurement a decision, may take."""
MIN_STAYS = 10
MOST = 200
_DAY_S = 86_400


class Stage(Struct, frozen=True, kw_only=True):
    """One stage. Times and shares are of entries in the year before the window's end, open stays censored (Kaplan–Meier);
    `advanced` and `killed` are competing (Aalen–Johansen) within 90 days. `skipped`: of items that went past it.
    """

    name: str
    entered: int
    here: int
    median_s: Quantity
    p85_s: Quantity
    advanced: Quantity
    killed: Quantity
    item_days: float
    item_days_share: Quantity
    older: int
    skipped: Quantity
    mapped: bool = True
    """Whether a state means it, or an item was seen in it: else nobody can tell who skipped it."""


class Cohort(Struct, frozen=True, kw_only=True):
    """Items that entered in one month, and the share that had reached each stage, or a later one, by the window's end."""

    month: datetime
    entered: int
    reached: dict[str, Quantity]


class OldItem(Struct, frozen=True, kw_only=True):
    """An open item that has been in its stage for longer than the stage's p85."""

    source: str
    id: str
    key: str
    title: str
    state: str
    stage: str
    age_s: float
    limit_s: float


class Pipeline(Struct, frozen=True, kw_only=True):
    """The audit. `late_kill_days` are the item-days that items killed in or after build had taken."""

    stages: tuple[Stage, ...]
    cohorts: tuple[Cohort, ...]
    old: tuple[OldItem, ...]
    entered: int
    reached: tuple[Quantity, ...]
    """Share of those entered in a year that reached each stage, or a later one, by the window's end."""
    late_kills: Quantity
    late_kill_days: float
    unmeasured: Quantity
    undecided: Quantity
    unmapped: dict[str, int]
    last: str = STAGES[-1]
    """The last stage that a state is mapped to or an item was seen in; nothing is known of those after it."""


def measure(data: Data, clock: Clock, phases: frozenset[str] = frozenset(STAGES)) -> Pipeline:
    """Every stage, cohort and flag; `phases` are those that states are mapped to.

    Where release or measure is the last of them, what is finished stays there for ever: it is then an end and no stage.
    """
    asked = questions(data, clock)
    data.together(*asked)
    rows, unmapped = (data.rows(name, **params) for name, params in asked) if asked else ([], [])
    found: Record = rows[0] if rows else {}
    steps = _steps(listed(found, "stays"))
    held = {whole(row["stage"]): row for row in listed(found, "held")}
    curves = [steps.get(number, ([], 0)) for number in range(1, len(STAGES) + 1)]
    limits = [survival.quantile(curve, 0.85) if n >= MIN_STAYS else None for curve, n in curves]
    flag = next(iter(listed(found, "flags")), {})
    last = _last(phases, steps, held, flag)
    ends = last if last in _ENDS else len(STAGES)
    total_days = sum(real(row["item_days"]) for number, row in held.items() if number < ends)
    older = dict.fromkeys(range(1, len(STAGES) + 1), 0)
    for row in listed(found, "ages"):
        stage, ages = whole(row["stage"]), cast("list[float]", row["ages"])
        older[stage] = sum(age > _limit(limits, stage) for age in ages)
    stages = tuple(
        _stage(
            number,
            steps.get(number, ([], 0)),
            held.get(number, {}),
            total_days,
            older[number],
            flag,
            mapped=STAGES[number - 1] in phases or number in steps or number in held,
        )
        for number in range(1, ends)
    )
    old = [
        row
        for row in listed(found, "open")
        if whole(row["stage"]) < ends and real(row["age_days"]) > _limit(limits, whole(row["stage"]))
    ]
    return Pipeline(
        stages=stages,
        cohorts=tuple(_cohort(row, last) for row in listed(found, "cohorts")),
        old=tuple(_old(row, limits) for row in old[:MOST]),
        entered=_count(flag, "entered"),
        reached=tuple(
            _unknown(number + 1)
            if number >= last
            else share(
                _count(flag, f"past{number}" if number else "entered"),
                _count(flag, "entered"),
                "nothing entered in a year",
            )
            for number in range(len(STAGES))
        ),
        late_kills=share(_count(flag, "late_kills"), _count(flag, "entered"), "nothing entered the pipeline in a year"),
        late_kill_days=real(flag.get("late_days")),
        unmeasured=_unknown(_MEASURE)
        if last < _MEASURE
        else share(
            _count(flag, "unmeasured"), _count(flag, "released"), f"nothing was released over {GRACE_DAYS} days ago"
        ),
        undecided=_unknown(len(STAGES))
        if last < len(STAGES)
        else share(
            _count(flag, "undecided"), _count(flag, "measured"), f"nothing was measured over {GRACE_DAYS} days ago"
        ),
        unmapped={text(row["state"]): whole(row["n"]) for row in unmapped},
        last=STAGES[max(last, 1) - 1],
    )


def questions(data: Data, clock: Clock) -> tuple[Question, ...]:
    """What that asks, all of which can be asked at once."""
    grace = clock.window.end - timedelta(days=GRACE_DAYS)
    return () if unanswerable(data) else (("pipeline", {"grace": grace}), ("pipeline_unmapped", {}))


def unanswerable(data: Data) -> tuple[str, ...]:
    """Filters in use that work items do not carry."""
    return data.unfiltered("pipeline", ("environment",))


_MEASURE = STAGES.index("measure") + 1
_ENDS = (STAGES.index("release") + 1, _MEASURE)


def _last(phases: frozenset[str], steps: Mapping[int, object], held: Mapping[int, Record], flag: Record) -> int:
    """The number of the last stage that is mapped, or that any item was in."""
    named = [number for number, name in enumerate(STAGES, 1) if name in phases]
    seen = [number + 1 for number in range(1, len(STAGES)) if _count(flag, f"past{number}")]
    return max((*named, *steps, *held, *seen), default=0)


def _unknown(number: int) -> Quantity:
    """What cannot be known because no state means that stage or a later one."""
    later = "" if number == len(STAGES) else " or a later stage"
    return missing(f"no state is mapped to {STAGES[number - 1]}{later} in [mapping.phases]", unit="ratio")


def _limit(limits: Sequence[float | None], stage: int) -> float:
    limit = limits[stage - 1]
    return math.inf if limit is None else limit


def _count(row: Record, name: str) -> int:
    return whole(row.get(name))


def _steps(rows: Sequence[Record]) -> dict[int, tuple[list[survival.Step], int]]:
    """Per stage: its curve in days, and the number of stays."""
    counts: dict[int, list[tuple[float, str | None, int]]] = {}
    for row in rows:
        counts.setdefault(whole(row["stage"]), []).append(
            (real(row["days"]), text(row["cause"]) or None, whole(row["n"]))
        )
    return {stage: (survival.incidence(found), sum(n for _, _, n in found)) for stage, found in counts.items()}


def _stage(
    number: int,
    curve: tuple[list[survival.Step], int],
    held: Record,
    total_days: float,
    older: int,
    flag: Record,
    *,
    mapped: bool,
) -> Stage:
    steps, n = curve
    days = real(held.get("item_days"))
    return Stage(
        name=STAGES[number - 1],
        entered=n,
        here=_count(held, "here"),
        median_s=_time(steps, n, 0.5),
        p85_s=_time(steps, n, 0.85),
        advanced=_left(steps, n, "advanced"),
        killed=_left(steps, n, "killed"),
        item_days=days,
        item_days_share=Quantity(value=days / total_days, unit="ratio", n=round(total_days))
        if total_days > 0
        else missing("no item was in any stage in this window", unit="ratio"),
        older=older,
        skipped=share(_count(flag, f"skipped{number}"), _count(flag, f"past{number}"), "no item went past it in a year")
        if mapped
        else missing(f"no state is mapped to {STAGES[number - 1]} in [mapping.phases]", unit="ratio"),
        mapped=mapped,
    )


def _time(steps: Sequence[survival.Step], n: int, level: float) -> Quantity:
    if n < MIN_STAYS:
        return missing(f"{n} stays in a year, {MIN_STAYS} needed", unit="s", n=n)
    days = survival.quantile(steps, level)
    if days is None:
        return missing(f"fewer than {level:.0%} have left", unit="s", n=n)
    return Quantity(value=days * _DAY_S, unit="s", n=n)


def _left(steps: Sequence[survival.Step], n: int, cause: str) -> Quantity:
    if n < MIN_STAYS:
        return missing(f"{n} stays in a year, {MIN_STAYS} needed", unit="ratio", n=n)
    return Quantity(value=survival.left_by(steps, cause, HORIZON_DAYS), unit="ratio", n=n)


def _cohort(row: Record, last: int) -> Cohort:
    month, entered = instant(row["month"]), whole(row["entered"])
    assert month is not None
    return Cohort(
        month=month,
        entered=entered,
        reached={
            name: share(whole(row[f"stage{number}"]), entered, "nothing entered")
            if number <= last
            else _unknown(number)
            for number, name in enumerate(STAGES, 1)
        },
    )


def _old(row: Record, limits: Sequence[float | None]) -> OldItem:
    number = whole(row["stage"])
    return OldItem(
        source=text(row["source"]),
        id=text(row["id"]),
        key=text(row["key"]),
        title=text(row["title"]),
        state=text(row["state"]),
        stage=STAGES[number - 1],
        age_s=real(row["age_days"]) * _DAY_S,
        limit_s=(limits[number - 1] or 0.0) * _DAY_S,
    )

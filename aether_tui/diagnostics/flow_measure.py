"""Flow of work items from their status history: times, load, ageing, validity, forecast (diagnostics D)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from msgspec import Struct, structs

from aether_tui.diagnostics.flow_defects import Found
from aether_tui.diagnostics.frame import Clock, Record, instant, listed, numbers, real, text, whole
from aether_tui.diagnostics.indicators import MIN_N
from aether_tui.human import number, plural
from aether_tui.report_model import Quantity, missing
from aether_tui.stats import intervals
from aether_tui.stats.forecast import LEAST_WEEKS, fan, hits, weeks_to_finish
from aether_tui.text import one_line

LEVELS = (0.5, 0.85, 0.95)
SAMPLE_WEEKS = 26
"""A forecast draws from at most this many past weeks."""
DRAWS, PAST_DRAWS = 1000, 200
LITTLE = (0.8, 1.25)
BALANCE = (0.9, 1.1)
AGE_GROWTH = 1.25
DAY, WEEK = timedelta(days=1), timedelta(days=7)
NOTHING_FINISHED = "nothing was finished in this window"
NO_HISTORY = "no status history of the items finished"


class Validity(Struct, frozen=True, kw_only=True):
    """Whether averages may be believed: mean WIP ÷ (departure rate × mean stay), arrivals ÷ departures, growth of WIP age.

    `holds` is null where too few items left to judge; `reasons` says what fails, or why nothing can be said.
    """

    holds: bool | None
    little: Quantity
    balance: Quantity
    age_growth: Quantity
    reasons: tuple[str, ...]


class Outlook(Struct, frozen=True, kw_only=True):
    """Weeks until `items` items are finished, by level; `kept` is how often past forecasts at that level came true."""

    id: str
    title: str
    items: int
    weeks: tuple[Quantity, ...]
    kept: tuple[Quantity, ...]


class Ageing(Struct, frozen=True, kw_only=True):
    """One open item older than the p85 of its team."""

    id: str
    key: str
    title: str
    team: str
    state: str
    age_s: float
    p85_s: float


class Open(Struct, frozen=True, kw_only=True):
    """One item in progress: its age and how long it has not changed its kind of state; `past` the p85 of its team."""

    key: str
    age_s: float
    still_s: float
    past: bool


class Day(Struct, frozen=True, kw_only=True):
    """Items finished since the first of these days, and in progress at the end of this one."""

    day: datetime
    finished: int
    wip: int


class Times(Struct, frozen=True, kw_only=True):
    """Of the items finished in a window. `without_start` were never seen in progress and have no cycle time."""

    finished: int
    without_start: int
    lead_p50: Quantity
    lead_p85: Quantity
    cycle_p50: Quantity
    cycle_p85: Quantity
    reopened: Quantity


class Flow(Struct, frozen=True, kw_only=True):
    """The report's data. `weekly` is oldest first and ends on the window's last midnight; `ageing` and `open_items` hold the worst
    200. `fan` gives, for each week ahead, P5, P50 and P95 of the items finished by its end.
    """

    times: Times
    before: Times
    wip: Quantity
    mean_wip: Quantity
    past_p85: Quantity
    throughput: Quantity
    efficiency: Quantity
    unmapped: Quantity
    handoffs: Quantity
    validity: Validity
    weekly: tuple[int, ...]
    weekly_from: datetime
    forecast: tuple[Outlook, ...]
    ageing: tuple[Ageing, ...]
    open_items: tuple[Open, ...]
    days: tuple[Day, ...]
    fan: tuple[tuple[float, float, float], ...]
    utilisation: Quantity
    history: bool
    defects: Found = Found()


def measure(
    finished: Sequence[Record],
    load: Sequence[Record],
    weekly: Sequence[Record],
    ageing: Sequence[Record],
    time: Sequence[Record],
    counts: Sequence[Record],
    clock: Clock,
) -> Flow:
    """Everything, from the rows of `sql/flow_*.sql`."""
    state, ended, spent = (next(iter(rows), Record()) for rows in (load, finished, time))
    times, before = (_times(ended, span) for span in ("now", "before"))
    history = bool(whole(ended.get("now_history")) or whole(ended.get("before_history")))
    first = instant(state.get("first_seen"))
    weeks, start = _weeks(weekly, first, clock.window.end)
    validity = _validity(state)
    span_s = (clock.window.end - clock.window.start).total_seconds()
    open_now = whole(state.get("open_now"))
    seen = first is not None and first < clock.window.end  # before anything is known, nothing is not zero
    return Flow(
        times=times,
        before=before,
        wip=Quantity(value=open_now, unit="count", n=open_now) if seen else _nothing("count"),
        mean_wip=Quantity(value=real(state["present_s"]) / span_s, unit="count") if seen else _nothing("count"),
        past_p85=_past(ageing),
        throughput=_throughput(times.finished, span_s) if seen else _nothing("per_week"),
        efficiency=_efficiency(spent, times.finished),
        unmapped=_unmapped(spent, times.finished),
        handoffs=_handoffs(spent, times.finished),
        validity=validity,
        weekly=weeks,
        weekly_from=start,
        forecast=_forecast(weeks, open_now, whole(state.get("queued")), clock.seed),
        ageing=tuple(
            _aged(row) for row in ageing if row["p85_s"] is not None and real(row["age_s"]) > real(row["p85_s"])
        ),
        open_items=tuple(_open(row) for row in ageing),
        days=_days(counts, clock.window.end),
        fan=_fan(weeks, open_now, clock.seed),
        utilisation=_utilisation(weeks, whole(state.get("arrivals")), span_s),
        history=history,
    )


def _nothing(unit: str) -> Quantity:
    return missing("no work item yet", unit=unit, connect="sync linear or jira")


# --- Times --------------------------------------------------------------------------------------------------------


def _times(finished: Record, span: str) -> Times:
    n, known = whole(finished.get(f"{span}_n")), whole(finished.get(f"{span}_history"))
    first = {"now": 0, "before": 2}[span]
    lead, cycle = listed(finished, "times")[first : first + 2] or (Record(), Record())
    unseen = "no item finished was ever seen in progress" if n else NOTHING_FINISHED
    return Times(
        finished=n,
        without_start=n - whole(cycle.get("n")),
        lead_p50=_around(lead, 0.5, NOTHING_FINISHED),
        lead_p85=_around(lead, 0.85, NOTHING_FINISHED),
        cycle_p50=_around(cycle, 0.5, unseen),
        cycle_p85=_around(cycle, 0.85, unseen),
        reopened=share(whole(finished.get(f"{span}_reopened")), known, NO_HISTORY if n else NOTHING_FINISHED),
    )


def _around(times: Record, p: float, none: str) -> Quantity:
    """`quantile` of times of which only those around it are at hand."""
    n = whole(times.get("n"))
    if n < MIN_N:
        return quantile([0.0] * n, p, none)
    part = listed(times, "around")[(0.5, 0.85).index(p)]
    value, low, high = intervals.quantile_of_part(n, p, numbers(part["values"]), whole(part["place"]))
    return Quantity(value=value, unit="s", n=n, low=low, high=high)


def quantile(values: Sequence[float], p: float, none: str) -> Quantity:
    """The p-quantile of durations in seconds with its order-statistic interval; null with `none` as the reason without any,
    and under five."""
    n = len(values)
    if n < MIN_N:
        return missing(f"n too small ({n}, needs {MIN_N})" if n else none, unit="s", n=n)
    value, low, high = intervals.quantile(values, p)
    return Quantity(value=value, unit="s", n=n, low=low, high=high)


def share(k: int, n: int, none: str) -> Quantity:
    """k of n with its Wilson interval; null with `none` as the reason without any, and under five."""
    if n < MIN_N:
        return missing(f"n too small ({n}, needs {MIN_N})" if n else none, unit="ratio", n=n)
    low, high = intervals.wilson(k, n)
    return Quantity(value=k / n, unit="ratio", n=n, low=low, high=high)


def _throughput(finished: int, span_s: float) -> Quantity:
    weeks = span_s / WEEK.total_seconds()
    low, high = intervals.poisson(finished)
    return Quantity(value=finished / weeks, unit="per_week", n=finished, low=low / weeks, high=high / weeks)


def _efficiency(time: Record, finished: int) -> Quantity:
    """Active ÷ (active + wait + queue): an upper bound, because "in progress" hides waiting."""
    n, busy_s = whole(time.get("n")), real(time.get("busy_s"))
    if not n:
        return missing(NO_HISTORY if finished else NOTHING_FINISHED, unit="ratio", connect="linear or jira")
    if n < MIN_N:
        return missing(f"n too small ({n}, needs {MIN_N})", unit="ratio", n=n)
    if not busy_s > 0:
        return missing("no time in states mapped to active, wait or queue", unit="ratio", n=n)
    value, low, high = intervals.ratio_of_sums(n, real(time["active_s"]), busy_s, real(time["off"]))
    return Quantity(value=value, unit="ratio", n=n, low=low, high=None if high is None else min(1.0, high))


def _unmapped(time: Record, finished: int) -> Quantity:
    """Share of the time of finished items that lies in states nobody mapped."""
    total = real(time.get("busy_s")) + real(time.get("unmapped_s"))
    if total <= 0:
        return missing(NO_HISTORY if finished else NOTHING_FINISHED, unit="ratio")
    return Quantity(value=real(time["unmapped_s"]) / total, unit="ratio", n=whole(time["n"]))


def _handoffs(time: Record, finished: int) -> Quantity:
    """Mean changes of the person who moves an item, over items where every move names one."""
    n = whole(time.get("handoffs_n"))
    if not whole(time.get("n")):
        return missing(NO_HISTORY if finished else NOTHING_FINISHED, unit="count")
    if n < MIN_N:
        return missing("the status history does not say who moved the items", unit="count", n=n)
    value, low, high = intervals.ratio_of_sums(n, real(time["handoffs"]), float(n), real(time["handoffs_off"]))
    if time["alike"]:  # their spread says nothing about other items
        low = high = None
    return Quantity(value=value, unit="count", n=n, low=low, high=high)


# --- Load ---------------------------------------------------------------------------------------------------------


def _past(ageing: Sequence[Record]) -> Quantity:
    first: Record = ageing[0] if ageing else {}
    judged = whole(first.get("judged"))
    if not ageing:
        return missing("nothing is in progress", unit="ratio", n=0)
    return share(whole(first.get("past")), judged, "no team finished ten items in the 90 days before")


def _aged(row: Record) -> Ageing:
    return Ageing(
        id=f"{text(row['source'])}/{text(row['id'])}",
        key=one_line(text(row["key"]), 40),
        title=one_line(text(row["title"])),
        team=one_line(text(row["team"]), 80),
        state=one_line(text(row["state"]), 80),
        age_s=real(row["age_s"]),
        p85_s=real(row["p85_s"]),
    )


def _open(row: Record) -> Open:
    age, limit = real(row["age_s"]), row["p85_s"]
    return Open(
        key=one_line(text(row["key"]), 40),
        age_s=age,
        still_s=min(real(row["still_s"]), age),
        past=limit is not None and age > real(limit),
    )


def _days(counts: Sequence[Record], end: datetime) -> tuple[Day, ...]:
    """Those that are told, which end with the last event of all, and those after it until `end`, on which nothing happened."""
    made, finished = [], 0
    for row in counts:
        at = instant(row["day"])
        finished += whole(row["departures"])
        if at is not None:
            made.append(Day(day=at, finished=finished, wip=whole(row["wip"])))
    while made and made[-1].day + DAY < end:
        made.append(structs.replace(made[-1], day=made[-1].day + DAY))
    return tuple(made)


def _utilisation(weeks: Sequence[int], arrivals: int, span_s: float) -> Quantity:
    """Starts per week ÷ what a good week finishes (the level that 85 % of the weeks stay under)."""
    if len(weeks) < LEAST_WEEKS:
        return missing(f"{plural(len(weeks), 'week')} of history, {LEAST_WEEKS} are needed", unit="ratio", n=len(weeks))
    best = sorted(weeks)[intervals.nearest_rank(len(weeks), 0.85) - 1]
    if not best:
        return missing("no week of the history finished anything", unit="ratio", n=len(weeks))
    return Quantity(value=arrivals / (span_s / WEEK.total_seconds()) / best, unit="ratio", n=len(weeks))


def _weeks(weekly: Sequence[Record], first: datetime | None, end: datetime) -> tuple[tuple[int, ...], datetime]:
    """Items finished per whole week since the first item was seen, empty weeks included, and when the first week began."""
    midnight = end.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    known = 0 if first is None else max(0, (midnight - first) // WEEK)
    counts = {whole(row["week"]): whole(row["finished"]) for row in weekly}
    length = min(52, known)
    return tuple(counts.get(-back, 0) for back in range(length, 0, -1)), midnight - length * WEEK


# --- Validity -----------------------------------------------------------------------------------------------------


def _validity(load: Record) -> Validity:
    departures, before, now = (whole(load.get(name)) for name in ("departures", "open_before", "open_now"))
    present_s, stay_s = real(load.get("present_s")), real(load.get("stay_s"))
    if departures < MIN_N or stay_s <= 0:
        reason = f"only {plural(departures, 'item')} left work in progress, {MIN_N} are needed"
        none = missing(reason, unit="", n=departures)
        return Validity(holds=None, little=none, balance=none, age_growth=none, reasons=(reason,))
    # Mean WIP ÷ (departure rate × mean stay): the length of the window cancels out.
    little = Quantity(value=present_s / stay_s, n=departures)
    balance = Quantity(value=whole(load["arrivals"]) / departures, n=departures)
    growth = missing(
        f"n too small ({min(before, now)} open at one end of the window, needs {MIN_N})", n=min(before, now)
    )
    if min(before, now) >= MIN_N and real(load["age_before_s"]) > 0:
        growth = Quantity(value=real(load["age_now_s"]) / real(load["age_before_s"]), n=min(before, now))
    reasons = tuple(_reasons(little.value or 0.0, balance.value or 0.0, growth.value or 0.0))
    return Validity(holds=not reasons, little=little, balance=balance, age_growth=growth, reasons=reasons)


def sound(value: float, low: float, high: float) -> bool:
    """Judged as it is shown, at two decimals."""
    return low <= round(value, 2) <= high


def _reasons(little: float, balance: float, growth: float) -> list[str]:
    found = []
    if not sound(little, *LITTLE):
        found.append(
            f"mean work in progress is {number(round(little, 2))} times what Little's Law gives ({LITTLE[0]}–{LITTLE[1]} is sound): "
            + ("items stay open that never leave" if little > 1 else "items leave that came in long before")
        )
    if not sound(balance, *BALANCE):
        more = "more is started than leaves" if balance > 1 else "less is started than leaves"
        found.append(
            f"{number(round(balance, 2))} items are started per item that leaves ({BALANCE[0]}–{BALANCE[1]} is sound): {more}"
        )
    if not sound(growth, 0, AGE_GROWTH):
        found.append(
            f"open items are {number(round(growth, 2))} times as old as at the start of the window: work in progress is ageing"
        )
    return found


# --- Forecast -----------------------------------------------------------------------------------------------------


def _forecast(weeks: tuple[int, ...], open_now: int, queued: int, seed: int) -> tuple[Outlook, ...]:
    targets = [("progress", "in progress", open_now), ("queued", "in progress and queued", open_now + queued)]
    if not queued:
        targets.pop()
    return tuple(_outlook(name, title, items, weeks, seed) for name, title, items in targets if items)


@lru_cache(maxsize=16)  # a window that ends at the same time has the same forecast
def _fan(weeks: tuple[int, ...], items: int, seed: int) -> tuple[tuple[float, float, float], ...]:
    """P5, P50, P95 of items finished by the end of each week ahead, until nearly every draw has finished those in progress."""
    sample = [float(week) for week in weeks[-SAMPLE_WEEKS:]]
    if len(sample) < LEAST_WEEKS or not items:
        return ()
    return tuple(fan(sample, items, draws=PAST_DRAWS, seed=seed))


@lru_cache(maxsize=16)
def _outlook(name: str, title: str, items: int, weeks: tuple[int, ...], seed: int) -> Outlook:
    sample = [float(week) for week in weeks[-SAMPLE_WEEKS:]]
    if len(sample) < LEAST_WEEKS:
        none = missing(
            f"{plural(len(sample), 'week')} of history, {LEAST_WEEKS} are needed", unit="count", n=len(sample)
        )
        nothing = (none,) * len(LEVELS)
        return Outlook(id=name, title=title, items=items, weeks=nothing, kept=nothing)
    drawn = weeks_to_finish(sample, items, draws=DRAWS, seed=seed)
    past = hits([float(week) for week in weeks], items, LEVELS, sample=SAMPLE_WEEKS, draws=PAST_DRAWS, seed=seed)
    idle = missing("no week of the history finished anything", unit="count", n=len(sample))
    return Outlook(
        id=name,
        title=title,
        items=items,
        weeks=tuple(
            Quantity(value=drawn[intervals.nearest_rank(DRAWS, level) - 1], unit="count", n=len(sample))
            if drawn
            else idle
            for level in LEVELS
        ),
        kept=tuple(_kept(*past[level]) for level in LEVELS),
    )


def _kept(kept: int, decided: int) -> Quantity:
    if not decided:
        return missing("no past forecast could be checked yet", unit="ratio", n=0)
    return Quantity(value=kept / decided, unit="ratio", n=decided)

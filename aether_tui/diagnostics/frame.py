"""What every diagnostic is given: a clock, and data it may only read, by named query."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from datetime import UTC, datetime, time
from functools import cache
from importlib import resources
from types import TracebackType
from typing import Protocol, TypeVar, cast

from aether_tui.diagnostics import windows
from aether_tui.errors import NoData
from aether_tui.records.model import Value
from aether_tui.report_model import Freshness, Quantity, Window, missing
from aether_tui.text import one_line

Record = dict[str, Value]
Parameter = Value | Sequence[int] | Sequence[float] | Sequence[datetime] | Sequence[str]
Question = tuple[str, Mapping[str, Parameter]]
"""A query by name with its parameters."""

T = TypeVar("T")

_APART_S = 300.0
"""Seconds by which the clocks of two machines that share a cache may differ."""

_PARAMETER = re.compile(r"\$([a-z_]+)")
_DURING = re.compile(r"\{(during|reach)\(([a-z.]+)\)\}")
_ENDS = {"during": "ends", "reach": "reaches"}
_CUT = re.compile(r"\{cut\(([a-z.]+)\)\}")
_NARROWED = re.compile(r"\s*AND \(\$([a-z_]+)::\w+ IS NULL OR ((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)")
"""A condition that holds where its parameter is null."""
_REQUESTS = re.compile(r"\{requests\(\$([a-z_]+), \$([a-z_]+)\)\}")


@dataclass(frozen=True, slots=True)
class Clock:
    """Now (aware, UTC), the window looked at, the one it is compared with, and the seed of every draw."""

    now: datetime
    window: Window
    previous: Window
    seed: int = 0

    @classmethod
    def of(
        cls,
        now: datetime,
        window: str = windows.DEFAULT,
        compare: str | Window = "previous",
        *,
        seed: int = 0,
        fiscal_start_month: int = 1,
    ) -> Clock:
        """A clock from the words of the command line; raises ConfigurationError for a window that is not one, or that ends before
        what it is compared with."""
        span = windows.parse(window, now, fiscal_start_month)
        before = compare if isinstance(compare, Window) else windows.previous(span, compare, fiscal_start_month)
        return cls(now, span, windows.not_later(before, span), seed)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a report is narrowed to; None is everything."""

    team: str | None = None
    service: str | None = None
    feature: str | None = None
    environment: str | None = None

    def set_names(self) -> tuple[str, ...]:
        """Names of the filters in use."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) is not None)

    def sentence(self) -> str:
        """`team payments, service api`, or nothing."""
        return ", ".join(f"{name} {getattr(self, name)}" for name in self.set_names())

    def any_of(self, names: Sequence[str]) -> str:
        """`team payments or service api`, of filters in use."""
        return " or ".join(f"{name} {one_line(getattr(self, name), 60)}" for name in names)


EVERYTHING = Filters()


class Lease(Protocol):
    """A read lease on the cache. `kept`: answers to queries without parameters that hold until the cache changes, by their text."""

    kept: dict[str, list[Record]]

    def rows(self, sql: str, params: Mapping[str, object] | None = None) -> list[Record]:
        """Rows of a query, fetched to the end."""
        ...

    def several(self, asked: Sequence[tuple[str, Mapping[str, object]]]) -> list[list[Record]]:
        """Rows of several, which are worked on side by side."""
        ...

    def interrupt(self) -> None:
        """Stop the running query."""
        ...


class Readable(Protocol):
    """What a diagnostic needs of the cache."""

    def read(self) -> AbstractContextManager[Lease]:
        """A lease; raises NoData when there is no cache, CacheTrouble when it cannot be read."""
        ...


class Data:
    """Named queries over one read lease, taken at the first query. Without a cache every answer is no rows.

    Parameters of a query that nobody gives come from clock and filters: `$since $until` (the window), `$before $before_until` (the
    previous one), `$now`, `$team $service $feature $environment` (null when not narrowed), `$live` (see `live`).
    `{during(column)}` and `{reach(column)}` stand for stretches of time (see `_during`), `{cut(column)}` for the
    latest of `$cuts`, which are in order, that is not after it (null before the first). `{requests($from, $to)}` stands for the
    requests that begin in between, added up by day and all that is said of them.
    """

    def __init__(
        self,
        cache: Readable | None,
        clock: Clock,
        filters: Filters = EVERYTHING,
        stale_after_s: float = 86_400.0,
        derived_by: str = "",
    ) -> None:
        self.clock = clock
        self.derived_by = derived_by
        """Digits of the mapping as it is configured."""
        self.filters = filters
        self.stale_after_s = stale_after_s
        self._cache = cache
        self._context: AbstractContextManager[Lease] | None = None
        self._lease: Lease | None = None
        self._answers: dict[tuple[str, str], list[Record]] = {}
        self.asked: dict[tuple[str, str], dict[str, object]] = {}
        """Queries so far by name, each with its parameters."""
        self.built: dict[str, object] = {}
        """Reports made of these data so far (`run.built`)."""
        self._made: dict[tuple[str, Clock, int], tuple[object, object]] = {}

    def __enter__(self) -> Data:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        context, self._context, self._lease = self._context, None, None
        if context is not None:
            context.__exit__(kind, error, trace)  # which knows what a database error means

    def release(self) -> None:
        """Give the lease back, so that a writer need not wait; answers are kept, and the next query takes a new one."""
        self.__exit__(None, None, None)

    def interrupt(self) -> None:
        """Stop a running query (from another thread)."""
        if self._lease is not None:
            self._lease.interrupt()

    def rows(self, name: str, /, **params: Parameter) -> list[Record]:
        """Rows of `sql/<name>.sql`; raises CacheTrouble when the cache cannot be read. Asked twice, it queries once."""
        asked, wanted = self._question(name, params)
        self._ask({asked: wanted})
        return self._answers[asked]

    def together(self, *asked: str | Question, **given: Mapping[str, Parameter]) -> None:
        """Ask side by side what `rows` will be asked for: queries by name, or by name with their parameters. Raises as it does."""
        named = ((one, {}) if isinstance(one, str) else one for one in asked)
        self._ask(dict(self._question(name, params) for name, params in (*named, *given.items())))

    def _ask(self, questions: Mapping[tuple[str, str], dict[str, object]]) -> None:
        """Answer what is not answered yet, side by side; what has no parameters holds for every window and later read, too."""
        left = {asked: wanted for asked, wanted in questions.items() if asked not in self._answers}
        lease = self._open() if left else None
        if lease is None:
            self._answers.update({asked: [] for asked in left})
            return
        texts = {asked: _filled(code(asked[0]), wanted) for asked, wanted in left.items()}
        new = [asked for asked in left if left[asked] or texts[asked] not in lease.kept]
        put = [(texts[asked], _used(texts[asked], left[asked])) for asked in new]
        found = lease.several(put) if len(put) > 1 else [lease.rows(*one) for one in put]
        answers = dict(zip(new, found, strict=True))
        for asked, wanted in left.items():
            answer = answers.get(asked, [])
            self._answers[asked] = answer if wanted else lease.kept.setdefault(texts[asked], answer)

    def _question(self, name: str, params: Mapping[str, Parameter]) -> tuple[tuple[str, str], dict[str, object]]:
        """Under what a query's answer is kept, and the parameters it is asked with."""
        given = {**self._defaults(), **params}
        if "live" in parameters(name) and "live" not in params:
            given["live"] = self.live()
        wanted = {key: _stored(given[key]) for key in parameters(name)}
        question = name, repr(sorted(wanted.items()))
        self.asked[question] = wanted
        return question, wanted

    def once(self, name: str, clock: Clock, given: object, make: Callable[[], T]) -> T:
        """What several reports of one read draw from, made the first time it is asked for with this clock and `given`."""
        key = (name, clock, id(given))
        if key not in self._made:
            self._made[key] = given, make()  # `given` is held, so that no other object gets its id
        return cast(T, self._made[key][1])

    def unfiltered(self, name: str, also: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Filters in use that the query cannot apply, because its rows do not say."""
        return tuple(item for item in self.filters.set_names() if item not in parameters(name) and item not in also)

    def freshness(self, *sources: str) -> tuple[Freshness, ...]:
        """Age of every stream (of the given sources) at the clock's now."""
        found = []
        for row in self.rows("freshness"):
            source, stream, last = str(row["source"]), str(row["stream"]), row["last_success"]
            if sources and source not in sources:
                continue
            success = last.replace(tzinfo=UTC) if isinstance(last, datetime) else None
            age = None if success is None else (self.clock.now - success).total_seconds()
            age = 0.0 if age is not None and -_APART_S <= age < 0 else age
            stale = age is None or not 0 <= age <= self.stale_after_s
            found.append(Freshness(source=source, stream=stream, last_success=success, age_s=age, stale=stale))
        return tuple(found)

    def live(self) -> str | None:
        """The environment that counts: the one filtered for, else production when it has traffic, else all (None)."""
        if self.filters.environment is not None:
            return self.filters.environment
        return "production" if any(row["environment"] == "production" for row in self.rows("environments")) else None

    def _defaults(self) -> dict[str, Parameter]:
        clock, filters = self.clock, self.filters
        return {
            "since": clock.window.start, "until": clock.window.end, "before": clock.previous.start,
            "before_until": clock.previous.end, "now": clock.now,
            "team": filters.team, "service": filters.service, "feature": filters.feature,
            "environment": filters.environment,
        }  # fmt: skip

    def _open(self) -> Lease | None:
        if self._lease is None and self._cache is not None:
            context = self._cache.read()
            try:
                self._lease = context.__enter__()
            except NoData:
                self._cache = None
            else:
                self._context = context
        return self._lease


@cache
def query(name: str) -> str:
    """The text of a named query."""
    return (resources.files("aether_tui.diagnostics") / "sql" / f"{name}.sql").read_text("utf-8")


@cache
def code(name: str) -> str:
    """The same without comments."""
    return "\n".join(line.partition("--")[0] for line in query(name).splitlines())


@cache
def parameters(name: str) -> frozenset[str]:
    """Names of a query's parameters."""
    listed = {part for kind, _ in _DURING.findall(code(name)) for part in ("begins", _ENDS[kind])}
    return frozenset(_PARAMETER.findall(code(name))) | listed | ({"cuts"} if _CUT.search(code(name)) else set())


def _used(sql: str, given: Mapping[str, object]) -> dict[str, object]:
    """The parameters that are left in the text."""
    return {name: given[name] for name in set(_PARAMETER.findall(sql))}


def _filled(sql: str, given: Mapping[str, object]) -> str:
    """The text with its stretches and cuts as conditions, and without those on what is not narrowed: they would be read, bound and
    left out at every question, which takes as long as many an answer. So would be the instants, were they parameters."""

    def latest(match: re.Match[str]) -> str:
        cuts = cast("Sequence[datetime]", given["cuts"])

        def among(first: int, last: int) -> str:
            """The latest of these cuts; 0 is none. Halved at each step: few comparisons a row."""
            if first == last:
                return f"TIMESTAMP '{cuts[first - 1]}'" if first else "NULL"
            middle = (first + last + 1) // 2
            later = f"{match[1]} >= TIMESTAMP '{cuts[middle - 1]}'"
            return f"CASE WHEN {later} THEN {among(middle, last)} ELSE {among(first, middle - 1)} END"

        return among(0, len(cuts))

    sql = _NARROWED.sub(lambda match: "" if given[match[1]] is None else match[0], sql)
    return _CUT.sub(latest, _during(_REQUESTS.sub(lambda match: _requests(match, given), sql), given))


def _requests(match: re.Match[str], given: Mapping[str, object]) -> str:
    """Whole days from their rollup, of days that begin or end in between the requests themselves. Rows of a source that pushed
    rollups before they told requests apart are left out."""
    since, until = (f"${name}::TIMESTAMP" for name in match.groups())
    cut = [cast("datetime", given[name]).time() != time.min for name in match.groups()]
    first = f"date_trunc('day', {since} + INTERVAL 86399999999 MICROSECONDS)" if cut[0] else since
    last = f"date_trunc('day', {until})" if cut[1] else until
    words = "environment, service, feature, team, model, scenario, task_cluster, status, outcome"
    days = (
        f"SELECT day, {words}, called, tasks, calls, turns, tokens, cost_usd, with_cost, unpriced_calls FROM task_coverage_daily "
        f"WHERE day >= {first} AND day < {last} AND called IS NOT NULL"
    )
    if not any(cut):
        return f"({days})"
    outside = " OR ".join([f"start < {first}"] * cut[0] + [f"start >= {last}"] * cut[1])
    return (
        f"({days} UNION ALL "
        f"SELECT date_trunc('day', start), {words}, calls > 0, 1, calls, turns, tokens, cost_usd, CAST(cost_usd IS NOT NULL AS BIGINT), "
        f"unpriced_calls FROM tasks WHERE start >= {since} AND start < {until} AND ({outside}))"
    )


def written(name: str, given: Mapping[str, object]) -> str:
    """The query with its parameters in place, as DuckDB's own shell reads it."""

    def literal(value: object) -> str:
        match value:
            case None:
                return "NULL"
            case datetime():
                return f"TIMESTAMP '{value}'"
            case str():
                return "'" + value.replace("'", "''") + "'"
            case list():
                return f"[{', '.join(map(literal, value))}]"
            case _:
                return str(value)

    def place(match: re.Match[str]) -> str:
        return literal(given[match[1]]) if match[1] in given else match[0]

    lines = (line.partition("--") for line in _filled(query(name), given).splitlines())
    return "\n".join(_PARAMETER.sub(place, code) + dashes + comment for code, dashes, comment in lines).rstrip()


def _during(sql: str, given: Mapping[str, object]) -> str:
    """`{during(column)}`: within one of the stretches from `$begins` to `$ends` (`reach`: to `$reaches`), each a condition of its
    own, by which DuckDB leaves out what it need not read; by halves, so that a row is compared with few of them."""

    def stretches(match: re.Match[str]) -> str:
        begins, ends = (cast("Sequence[datetime]", given[edge]) for edge in ("begins", _ENDS[match[1]]))
        order = sorted(range(len(begins)), key=begins.__getitem__)

        def within(places: Sequence[int]) -> str:
            last, half = max(places, key=ends.__getitem__), len(places) // 2
            span = f"{match[2]} BETWEEN TIMESTAMP '{begins[places[0]]}' AND TIMESTAMP '{ends[last]}'"
            return f"({span} AND ({within(places[:half])} OR {within(places[half:])}))" if half else span

        return within(order) if order else "FALSE"

    return _DURING.sub(stretches, sql)


def _stored(value: Parameter) -> object:
    """A parameter as the cache stores it: instants naive, in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_stored(item) for item in value]
    return value


def fresh_share(streams: Sequence[Freshness]) -> Quantity:
    """Share of the streams that are fresh, of those whose age is known: a count of all of them, so without an interval."""
    known = [one for one in streams if not one.ahead]
    if not known:
        return missing("every stream succeeded later than this report's now", unit="ratio")
    return Quantity(value=sum(not one.stale for one in known) / len(known), unit="ratio", n=len(known))


# --- Reading cells ------------------------------------------------------------------------------------------------


def real(value: Value) -> float:
    """A numeric cell as float; null is 0 (of sums and counts only)."""
    if type(value) is float or type(value) is int:
        return value
    return float(value) if value is not None and not isinstance(value, str | datetime | tuple) else 0.0


def whole(value: Value) -> int:
    """A count."""
    return value if type(value) is int else int(real(value))


def real_or_null(value: Value) -> float | None:
    """A numeric cell as float, where it is known."""
    return None if value is None else real(value)


def whole_or_null(value: Value) -> int | None:
    """A count, where it is known."""
    return None if value is None else whole(value)


def words_or_null(value: Value, most: int) -> str | None:
    """A text cell on one line of at most so many letters, where it holds some."""
    return one_line(str(value), most) if value not in (None, "") else None


def numbers(value: Value) -> Sequence[float]:
    """A list of numbers; null is none."""
    return cast("Sequence[float]", value) if isinstance(value, list | tuple) else ()


def listed(row: Record, name: str) -> list[Record]:
    """A list of records within a row; none where it is null."""
    return cast("list[Record]", row.get(name)) or []


def instant(value: Value) -> datetime | None:
    """An instant, aware."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else None


def text(value: Value) -> str:
    """A text cell, or nothing."""
    return "" if value is None else str(value)

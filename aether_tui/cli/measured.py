"""The same measurements as of files, from the cache."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from aether_tui.budgets.costs import measure_cost
from aether_tui.budgets.measurements import Measurement, Records, Scenario, Slow, Suite, Tests, Tokens
from aether_tui.budgets.model import Surface
from aether_tui.budgets.runs import measure_ci
from aether_tui.errors import NoData

if TYPE_CHECKING:
    from aether_tui.cli.context import Context
    from aether_tui.records.model import Value

Record = dict[str, "Value"]

_RUNS = "SELECT * FROM pipeline_runs WHERE created >= $since AND created < $until ORDER BY created, id"
_CHARGES = (
    "SELECT environment, currency, day AS charge_start, sum(billed) AS billed_cost FROM cost_daily "
    "WHERE day >= $charged AND day < $until GROUP BY environment, currency, day QUALIFY max(day) OVER () >= $since ORDER BY ALL"
)
_ESTIMATES = (
    'SELECT * FROM cost_estimates WHERE "at" < $until '
    'QUALIFY row_number() OVER (PARTITION BY source, project ORDER BY "at" DESC) = 1 ORDER BY project'
)
_SUITES = (
    "SELECT suite, count(*) AS runs, sum(tests) AS tests, sum(passed) AS passed, sum(failed) AS failed, "
    "sum(errors) AS errors, sum(skipped) AS skipped, sum(flaky) AS flaky, sum(duration_s) AS duration_s, "
    "bool_or(partial) AS partial FROM test_runs WHERE started >= $since AND started < $until GROUP BY suite ORDER BY suite"
)
_SLOWEST = (
    "SELECT name, classname, duration_s FROM test_cases WHERE started >= $since AND started < $until "
    "AND duration_s IS NOT NULL ORDER BY duration_s DESC, case_key LIMIT 10"
)
_TASKS = (
    "SELECT coalesce(scenario, feature, '') AS scenario, coalesce(environment, '') AS environment, count(*) AS tasks, "
    "coalesce(mode(model), '') AS model, quantile_disc(tokens, 0.5) AS tokens_p50, "
    "quantile_disc(cost_usd, 0.5) FILTER (WHERE unpriced_calls = 0) AS cost_p50, "
    "quantile_disc(duration_s, 0.5) AS latency_p50_s, "
    "quantile_disc(duration_s / turns, 0.5) FILTER (WHERE turns > 0) AS turn_latency_p50_s, "
    "count(*) FILTER (WHERE unpriced_calls > 0) AS unpriced, "
    "coalesce(list(CAST(tokens AS DOUBLE) ORDER BY start, trace_id) FILTER (WHERE tokens IS NOT NULL), [])[-{newest}:] AS tokens, "
    "coalesce(list(CAST(cost_usd AS DOUBLE) ORDER BY start, trace_id) FILTER (WHERE cost_usd IS NOT NULL AND unpriced_calls = 0), [])"
    "[-{newest}:] AS cost, "
    "coalesce(list(duration_s / turns ORDER BY start, trace_id) FILTER (WHERE turns > 0), [])[-{newest}:] AS turns "
    "FROM tasks WHERE {within} AND calls > 0 GROUP BY 1, 2 ORDER BY 1, 2"
)
_NEWEST = 1_000
"""Tasks of each scenario whose values are printed one by one, for whoever compares them."""
_SPANS = "SELECT count(*) AS n FROM spans WHERE {within}"
_IN_WINDOW = "start >= $since AND start < $until"
_OF_TRACES = "trace_id IN (SELECT unnest($traces))"


def measure_cache(context: Context, surface: Surface, window: str) -> Measurement:
    """What the cache holds of one surface in a window. Raises NoData when that is nothing."""
    from aether_tui.cache import Cache
    from aether_tui.diagnostics.windows import parse

    span = parse(window, context.now(), context.config().engagement.fiscal_year_start_month)
    bounds = {"since": _naive(span.start), "until": _naive(span.end)}
    # The latest month with charges may have begun before the window, and is compared with the month before it.
    bounds["charged"] = (bounds["since"].replace(day=1) - timedelta(days=1)).replace(day=1)
    with Cache(context.workspace().cache_path).read() as lease:

        def rows(sql: str) -> list[Record]:
            return lease.rows(sql, {name: value for name, value in bounds.items() if f"${name}" in sql})

        if surface == "ci":
            measured: Measurement = measure_ci(Records({"pipeline_runs": _some(rows(_RUNS), surface)}))
        elif surface == "cost":
            estimates, charges = rows(_ESTIMATES), rows(_CHARGES)
            _some([*estimates, *charges], surface)
            # A plan and a bill are not added up: the bill is what was really spent.
            measured = measure_cost(Records({"costs": charges} if charges else {"cost_estimates": estimates}))
        elif surface == "tests":
            measured = _tests(_some(rows(_SUITES), surface), rows(_SLOWEST))
        else:
            tasks = rows(_TASKS.format(within=_IN_WINDOW, newest=_NEWEST))
            measured = _tokens(_some(tasks, surface), rows(_SPANS.format(within=_IN_WINDOW)))
    return measured


def measure_traces(context: Context, traces: Collection[str]) -> Tokens:
    """Tokens, cost and latency of some traces in the cache; of none of them, the numbers are 0 and `problems` say so."""
    from aether_tui.cache import Cache

    with Cache(context.workspace().cache_path).read() as lease:
        given = {"traces": list(traces)}
        found = _tokens(
            lease.rows(_TASKS.format(within=_OF_TRACES, newest=_NEWEST), given),
            lease.rows(_SPANS.format(within=_OF_TRACES), given),
        )
    if found.tasks:
        return found
    what = "no model call among the spans" if found.spans else "no spans came: does the program export OTLP over HTTP?"
    return msgspec.structs.replace(found, problems=(what,))


def _some(rows: list[Record], surface: Surface) -> list[Record]:
    if not rows:
        from aether_tui.budgets.case import NEXT

        raise NoData(f"nothing of {surface} in this window", next_step=NEXT[surface])
    return rows


def _tests(suites: Sequence[Record], slowest: Sequence[Record]) -> Tests:
    def total(name: str) -> int:
        return sum(_whole(row, name) for row in suites)

    times = [time for row in suites if (time := _real(row, "duration_s")) is not None]
    return Tests(
        files=total("runs"),
        suites=len(suites),
        tests=total("tests"),
        passed=total("passed"),
        failed=total("failed"),
        errors=total("errors"),
        skipped=total("skipped"),
        flaky=total("flaky"),
        duration_s=sum(times) if times else None,
        partial=any(row["partial"] for row in suites),
        by_suite=tuple(
            Suite(
                suite=str(row["suite"] or ""),
                tests=_whole(row, "tests"),
                failed=_whole(row, "failed"),
                errors=_whole(row, "errors"),
                skipped=_whole(row, "skipped"),
                flaky=_whole(row, "flaky"),
                duration_s=_real(row, "duration_s"),
                partial=bool(row["partial"]),
            )
            for row in suites
        ),
        slowest=tuple(
            Slow(
                name=str(row["name"]), classname=str(row["classname"] or ""), duration_s=_real(row, "duration_s") or 0.0
            )
            for row in slowest
        ),
        problems=(),
        runs=max(_whole(row, "runs") for row in suites),
    )


def _tokens(tasks: Sequence[Record], spans: Sequence[Record]) -> Tokens:
    return Tokens(
        tasks=sum(_whole(row, "tasks") for row in tasks),
        spans=_whole(spans[0], "n"),
        by_scenario=tuple(
            Scenario(
                scenario=str(row["scenario"]),
                environment=str(row["environment"]),
                model=str(row["model"]),
                tasks=_whole(row, "tasks"),
                tokens_p50=_real(row, "tokens_p50"),
                cost_p50=_real(row, "cost_p50"),
                latency_p50_s=_real(row, "latency_p50_s"),
                turn_latency_p50_s=_real(row, "turn_latency_p50_s"),
                tokens=_reals(row["tokens"]),
                cost=_reals(row["cost"]),
                turn_latency_s=_reals(row["turns"]),
            )
            for row in tasks
        ),
        unpriced=sum(_whole(row, "unpriced") for row in tasks),
        problems=(),
    )


def _reals(values: Value) -> tuple[float, ...]:
    return tuple(float(one) for one in values) if isinstance(values, list | tuple) else ()


def _real(row: Mapping[str, Value], name: str) -> float | None:
    value = row[name]
    return None if value is None or isinstance(value, str | datetime | tuple) else float(value)


def _whole(row: Mapping[str, Value], name: str) -> int:
    return int(_real(row, name) or 0)


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)

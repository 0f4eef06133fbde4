"""Calculators of flow: queues, forecasts, value streams, prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import click

from aether_tui.cli.calc.common import (
    NUMBER,
    file_argument,
    format_option,
    numbers,
    only,
    positive,
    read_document,
    seed_option,
    show,
    usable,
)
from aether_tui.cli.context import Context
from aether_tui.errors import CheckFailed, ConfigurationError, NoData


@click.command()
@click.option("--arrival-rate", type=NUMBER, required=True)
@click.option("--service-rate", type=NUMBER, required=True, help="Of one server, in the same unit.")
@click.option("--servers", type=click.IntRange(1, 100_000), default=1, show_default=True)
@click.option("--ca2", type=NUMBER, help="Squared coefficient of variation of arrivals.")
@click.option("--cs2", type=NUMBER, help="Squared coefficient of variation of service.")
@format_option
def queue(
    arrival_rate: float, service_rate: float, servers: int, ca2: float | None, cs2: float | None, form: str
) -> None:
    """M/M/c waiting line; with variation also the Kingman / Sakasegawa wait."""
    from aether_tui.stats.queueing import kingman, mmc

    if arrival_rate < 0:
        raise ConfigurationError("--arrival-rate must be zero or more", where="calc queue")
    solved = mmc(arrival_rate, positive("--service-rate", service_rate), servers)
    output: dict[str, object] = asdict(solved)
    if ca2 is not None or cs2 is not None:
        if ca2 is None or cs2 is None or min(ca2, cs2) < 0:
            raise ConfigurationError("--ca2 and --cs2 go together and are zero or more", where="calc queue")
        output["wq_kingman"] = kingman(arrival_rate, service_rate, servers, ca2, cs2)
    show(output, form)
    if solved.w is None:
        raise CheckFailed(
            f"unstable: work arrives at {solved.utilization:.3g} times the rate it can be served", where="calc queue",
            next_step="add servers or take in less",
        )  # fmt: skip


@click.command()
@click.option("--throughput", required=True, help="Items finished in each past week, zeros included: 3,0,5,…")
@click.option("--items", type=NUMBER, required=True, help="Items left.")
@click.option("--draws", type=click.IntRange(100, 1_000_000), default=10_000, show_default=True)
@seed_option
@format_option
def forecast(throughput: str, items: float, draws: int, seed: int, form: str) -> None:
    """Weeks until N items are done, from past weeks."""
    from aether_tui.stats.forecast import MAX_WEEKS, weeks_to_finish
    from aether_tui.stats.intervals import nearest_rank

    weeks = numbers("--throughput", throughput)
    if min(weeks) < 0:
        raise ConfigurationError("--throughput cannot be negative", where="calc forecast")
    positive("--items", items)
    if len(weeks) < 8:
        show({"p50": None, "p85": None, "p95": None, "samples_used": len(weeks)}, form)
        raise NoData(f"{len(weeks)} weeks are too few to forecast from (8 needed, 11 good)", where="calc forecast")
    drawn = weeks_to_finish(weeks, items, draws=draws, seed=seed) or [MAX_WEEKS]
    points = {f"p{p}": drawn[nearest_rank(len(drawn), p / 100) - 1] for p in (50, 85, 95)}
    known = {name: value if value < MAX_WEEKS else None for name, value in points.items()}
    show(known | {"samples_used": len(weeks)}, form)
    if known["p50"] is None:
        why = "these weeks would need 20 years or more" if any(weeks) else "no week finished anything"
        raise NoData(why, where="calc forecast", next_step="split the work, or count the weeks in the same unit")


@click.command()
@file_argument("FILE.yaml")
@format_option
def constraint(file: str, form: str) -> None:
    """Solve a value stream: what each step costs end to end, and what improving it by 30 % would unlock."""
    from aether_tui.diagnostics.constraint import improvements
    from aether_tui.stats.chain import Singular, solve

    steps, demand, value = _value_stream(read_document(file), file)
    try:
        solved = solve(steps, demand)
        ranked = improvements(steps, demand, value)
    except Singular as error:
        raise ConfigurationError(
            f"items never leave step {steps[error.step].name!r}", where=file, next_step="lower its error rate below 1"
        ) from error
    show(
        {
            "lead_time": solved.lead_time_s,
            "cost_per_success": solved.cost_per_success,
            "success_rate": solved.success_rate,
            "throughput": solved.rate_per_month,
            "steps": [
                {"name": s.name, "visits": v, "touch": v * s.touch_s, "wait": v * s.wait_s, "cost": v * s.cost}
                for s, v in zip(steps, solved.visits, strict=True)
            ],
            "improvements": [asdict(item) for item in ranked],
        },
        form,
    )


STEP_KEYS = ("name", "touch_s", "wait_s", "cost", "error_rate", "abandon_rate", "rework_to", "capacity_per_month")


def _value_stream(document: object, file: str) -> tuple[list[Any], float, float]:
    from aether_tui.stats.chain import Step

    if not isinstance(document, dict) or not isinstance(document.get("steps"), list) or not document["steps"]:
        raise ConfigurationError(
            "a value stream has demand_per_month, value_per_success and a list of steps", where=file
        )
    only(document, ("demand_per_month", "value_per_success", "steps"), file)
    for key in ("demand_per_month", "value_per_success"):
        if document.get(key) is None:
            raise ConfigurationError(f"{key} is missing", where=file, next_step="without it no lever is worth money")
    rows = document["steps"]
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("name"), str):
            raise ConfigurationError("each step is a table with a name", where=file)
        only(row, STEP_KEYS, f"{file}: step {row['name']}")
    names = [row["name"] for row in rows]
    if len(set(names)) < len(names):
        raise ConfigurationError("two steps have the same name", where=file)
    steps = []
    for row in rows:
        where = f"{file}: step {row['name']}"
        error, leave = _field(row, "error_rate", where), _field(row, "abandon_rate", where)
        if error + leave >= 1:
            raise ConfigurationError(
                f"error_rate + abandon_rate is {error + leave:g}: nothing gets through", where=where
            )
        target = row.get("rework_to")
        if target is not None and target not in names:
            raise ConfigurationError(f"rework_to names no step: {target!r}", where=where)
        capacity = row.get("capacity_per_month")
        steps.append(
            Step(
                name=row["name"], touch_s=_field(row, "touch_s", where), wait_s=_field(row, "wait_s", where),
                cost=_field(row, "cost", where), error_rate=error, abandon_rate=leave,
                rework_to=None if target is None else names.index(target),
                capacity_per_month=None if capacity is None else _field(row, "capacity_per_month", where),
            )
        )  # fmt: skip
    return steps, _field(document, "demand_per_month", file), _field(document, "value_per_success", file)


def _field(row: Mapping[str, object], name: str, where: str) -> float:
    value = row.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not usable(value) or value < 0:
        raise ConfigurationError(f"{name} must be a number, zero or more, not {value!r}", where=where)
    return float(value)


@click.command()
@click.option("--model", required=True)
@click.option(
    "--input", "input_tokens", type=click.IntRange(0), required=True, help="Input tokens, cached ones included."
)
@click.option("--output", "output_tokens", type=click.IntRange(0), required=True)
@click.option("--cached", type=click.IntRange(0), default=0, show_default=True, help="Of the input tokens.")
@format_option
@click.pass_obj
def price(context: Context, model: str, input_tokens: int, output_tokens: int, cached: int, form: str) -> None:
    """What a model call costs at today's list price."""
    from aether_tui.ingest.prices import Prices, Usage

    if cached > input_tokens:
        raise ConfigurationError(f"--cached {cached} is more than --input {input_tokens}", where="calc price")
    usage = Usage(input=input_tokens, output=output_tokens, cached=cached)
    cost = Prices().cost(None, model, context.now(), usage, None)
    usd = None if cost.usd is None else float(cost.usd)
    show({"cost": usd, "currency": "USD", "price_version": cost.price_version}, form)
    if cost.usd is None:
        raise NoData(f"no price is known for model {model!r}", where="calc price")

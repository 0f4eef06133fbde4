"""Calculators of flow: queues, forecasts, prices."""

from __future__ import annotations

from dataclasses import asdict

import click

from aether_tui.cli.calc.common import (
    NUMBER,
    numbers,
    positive,
    seed_option,
    show,
)
from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT
from aether_tui.errors import CheckFailed, ConfigurationError, NoData


@click.command()
@click.option("--arrival-rate", type=NUMBER, required=True, help="Items that arrive in a unit of time.")
@click.option("--service-rate", type=NUMBER, required=True, help="Of one server, in the same unit.")
@click.option(
    "--servers", type=click.IntRange(1, 100_000), default=1, show_default=True, help="How many work side by side."
)
@click.option("--ca2", type=NUMBER, help="Squared coefficient of variation of arrivals.")
@click.option("--cs2", type=NUMBER, help="Squared coefficient of variation of service.")
@FORMAT
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
@click.option(
    "--draws", type=click.IntRange(100, 1_000_000), default=10_000, show_default=True, help="Simulated courses."
)
@seed_option
@FORMAT
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
@click.option("--model", required=True, help="Model as the price list names it.")
@click.option(
    "--input", "input_tokens", type=click.IntRange(0), required=True, help="Input tokens, cached ones included."
)
@click.option("--output", "output_tokens", type=click.IntRange(0), required=True, help="Output tokens.")
@click.option("--cached", type=click.IntRange(0), default=0, show_default=True, help="Of the input tokens.")
@FORMAT
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

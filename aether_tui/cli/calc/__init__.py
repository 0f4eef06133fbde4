"""Calculators: pure functions of their arguments, for notebooks, CI scripts and checks. No workspace needed."""

import click

from aether_tui.cli.calc import experiments, flow, maturity, portfolio, practice, series, stream


@click.group()
def calc() -> None:
    """Calculators for experiments, queues, value streams and forecasts. Rates and shares are fractions: 5 % is 0.05."""


for _command in (
    experiments.power,
    experiments.duration,
    experiments.sequential,
    experiments.ab,
    experiments.interval,
    flow.queue,
    flow.forecast,
    series.compare,
    series.changepoints,
    practice.train,
    stream.constraint,
    portfolio.icep,
    practice.ritual,
    practice.gain,
    maturity.maturity,
    flow.price,
):
    calc.add_command(_command)

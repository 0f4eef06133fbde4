"""The calculator of value streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aether_tui.cli.calc.common import file_argument, read_input, seed_option, show
from aether_tui.cli.output import FORMAT
from aether_tui.errors import ConfigurationError

if TYPE_CHECKING:
    from aether_tui.diagnostics.constraint_solve import Answer, Objective, Stream

OBJECTIVES = ("money", "lead_time", "cost_per_success", "success_rate", "throughput")


@click.command()
@file_argument("FILE.yaml")
@click.option(
    "--objective", type=click.Choice(OBJECTIVES), default="money", show_default=True, help="Ranks the levers."
)
@click.option(
    "--draws", type=click.IntRange(100, 20_000), default=1000, show_default=True, help="Draws from the ranges."
)
@seed_option
@FORMAT
def constraint(file: str, objective: Objective, draws: int, seed: int, form: str) -> None:
    """Solve a value stream: what each step costs end to end, and what improving it by 30 % would unlock.

    A number is `2`, a range `[low, mode, high]`, or measured: `{value: 0.08, n: 400}`.
    """
    from aether_tui.diagnostics.constraint_solve import answer
    from aether_tui.stats.chain import Singular

    stream = _stream(file)
    try:
        found = answer(stream, seed=seed, draws=draws)
    except Singular as error:
        raise ConfigurationError(
            f"items never leave step {stream.names[error.step]!r}", where=file, next_step="lower its error rate below 1"
        ) from error
    show(_output(stream, found, objective), form)


def _output(stream: Stream, found: Answer, objective: Objective) -> dict[str, object]:
    from aether_tui.diagnostics.constraint_solve import SURE

    solved = found.solved
    leader, doubt = found.leader(objective), found.measure_first[objective]
    p_step = found.p_step[objective]
    sure = leader is not None and leader[1] >= SURE
    return {
        "lead_time": solved.lead_time_s,
        "cost_per_success": solved.cost_per_success,
        "success_rate": solved.success_rate,
        "rolled_yield": solved.rolled_yield,
        "throughput": solved.rate_per_month,
        "money_per_month": found.money_per_month,
        "ceiling_per_month": found.ceiling,
        "objective": objective,
        "constraint": leader[0] if leader else None,
        "p_constraint": leader[1] if leader else None,
        "measure_first": None if sure or doubt is None else f"{doubt[0]} {doubt[1]}",
        "steps": [
            {"name": step.name, "visits": visits, "touch": visits * step.touch_s, "wait": visits * step.wait_s,
             "cost": visits * step.cost, "p_constraint": p_step[step.name]}
            for step, visits in zip(stream.steps(), solved.visits, strict=True)
        ],
        "improvements": [
            {"step": one.step, "lever": one.lever, "delta_lead_time": one.delta_lead_time,
             "delta_cost_per_success": one.delta_cost_per_success, "delta_success_rate": one.delta_success_rate,
             "delta_throughput": one.delta_throughput, "delta_money_per_month": one.delta_money_per_month,
             "low": one.intervals[objective][0], "high": one.intervals[objective][1], "p_top": one.p_top[objective]}
            for one in found.ranked(objective)
        ],
    }  # fmt: skip


def _stream(file: str) -> Stream:
    """The stream in a file: a document, or its body alone."""
    from pydantic import ValidationError

    from aether_tui.diagnostics.constraint_solve import stream_of
    from aether_tui.problems import explain, raise_first
    from aether_tui.workspace.kinds.value_stream import StreamBody, ValueStream
    from aether_tui.workspace.yaml_file import read_yaml

    value, lines = read_yaml(read_input(file), file)
    if not isinstance(value, dict) or not value.get("steps"):
        raise ConfigurationError(
            "a value stream has demand_per_month, value_per_success and a list of steps", where=file
        )
    model = ValueStream if "id" in value else StreamBody
    try:
        return stream_of(model.model_validate(value))
    except ValidationError as error:
        raise_first(explain(error.errors(include_url=False), model, file, lines))
        raise

"""`measure`: the measurements of one surface, from files or from the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aether_tui.cli.context import Context
from aether_tui.cli.output import format_option, print_table
from aether_tui.errors import ConfigurationError
from aether_tui.human import amount

if TYPE_CHECKING:
    from aether_tui.budgets.measurements import Measurement
    from aether_tui.budgets.model import Surface

SURFACES: dict[str, Surface] = {"ci": "ci", "cost": "cost", "tests": "tests", "tokens": "llm"}


@click.command(short_help="Print the measurements of one surface as JSON")
@click.argument("surface", type=click.Choice(list(SURFACES)))
@click.argument("paths", nargs=-1, metavar="[PATH|-]…")
@format_option("json", "text")
@click.option(
    "--window",
    default="28d",
    show_default=True,
    metavar="WINDOW",
    help="28d, 2026-Q3 or FROM..TO, in UTC days (cache only).",
)
@click.pass_obj
def measure(context: Context, surface: str, paths: tuple[str, ...], form: str, window: str) -> None:
    """Measure ci, cost, tests or tokens: from files where PATHs are given (no workspace needed), else from the cache.

    Files: JUnit XML; Infracost JSON, FOCUS, Terraform plans; pipeline runs and jobs as JSON; OTLP and Langfuse traces.
    Also pytest-benchmark and hyperfine (tests), promptfoo results (tokens).
    """
    if paths:
        from aether_tui.cli.measuring import measure_files

        several = measure_files(context, paths, SURFACES[surface])
        if len(several) > 1:
            kinds = " and ".join(sorted(type(one).__name__.lower() for one in several))
            raise ConfigurationError(f"{kinds} are not one measurement", next_step="measure each kind of file apart")
        found: Measurement = several[0]
    else:
        from aether_tui.cli.measured import measure_cache

        found = measure_cache(context, SURFACES[surface], window)
    show(found, form)


def show(found: Measurement, form: str) -> None:
    """Print a measurement, as JSON or as a table; its problems go to stderr."""
    import msgspec

    for problem in found.problems:
        click.echo(f"note: {problem}", err=True)
    if form == "json":
        click.echo(msgspec.json.encode(found).decode())
    else:
        _print(found)


def _print(found: Measurement) -> None:
    from aether_tui.budgets.measurements import Benchmarks, Cost, Pipelines, Tests

    def seconds(value: float | None) -> str:
        return "—" if value is None else amount(value, "s")

    if isinstance(found, Tests):
        counts = ("tests", "failed", "errors", "skipped", "flaky")
        rows = [
            (one.suite, *(str(getattr(one, name)) for name in counts), seconds(one.duration_s))
            for one in found.by_suite
        ]
        print_table(("SUITE", *(name.upper() for name in counts), "TIME"), rows)
    elif isinstance(found, Benchmarks):
        print_table(
            ("BENCHMARK", "REPORTS", "P50"),
            [(one.name, str(len(one.samples_s)), amount(one.p50_s, "s")) for one in found.by_benchmark],
        )
    elif isinstance(found, Cost):
        # A bill has a month so far, and as many days of the month before.
        rows = [
            (one.name, _money(one.past_monthly_cost), _money(one.monthly_cost), one.currency,
             f"to {one.through}" if one.through else "a month") for one in found.projects
        ]  # fmt: skip
        print_table(("PROJECT", "BEFORE", "NOW", "CURRENCY", "OF"), rows)
        if found.changes:
            print_table(("RESOURCE", "PLAN"), [(one.address, one.action) for one in found.changes])
    elif isinstance(found, Pipelines):
        print_table(
            ("WORKFLOW", "BRANCH", "RUNS", "P50"),
            [(one.workflow, one.branch, str(one.runs), seconds(one.p50_s)) for one in found.by_workflow],
        )
    else:
        print_table(
            ("SCENARIO", "ENVIRONMENT", "TASKS", "TOKENS", "COST", "LATENCY"),
            [
                (
                    one.scenario or "—",
                    one.environment or "—",
                    str(one.tasks),
                    _number(one.tokens_p50),
                    _usd(one.cost_p50),
                    seconds(one.latency_p50_s),
                )
                for one in found.by_scenario
            ],
        )


def _money(value: object) -> str:
    return "—" if value is None else str(value)


def _number(value: float | None) -> str:
    return "—" if value is None else amount(value, "tokens")


def _usd(value: float | None) -> str:
    return "—" if value is None else amount(value, "USD", "USD")

"""`failures`: sampled failed traces, one cause each, so that a cause has a share and a price."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT, print_json, print_table
from aether_tui.errors import ConfigurationError, NoData
from aether_tui.human import plural
from aether_tui.workspace.store import Store

if TYPE_CHECKING:
    from aether_tui.diagnostics.constraint_failures import Failures
    from aether_tui.workspace.kinds.failure_review import FailureReview
    from aether_tui.workspace.store import Stored


@click.group(short_help="Failure review: sample failed traces, give each a cause")
def failures() -> None:
    """Failure review: a seeded sample of failed traces, one cause each. Holds trace ids and causes, no text of anybody."""


@failures.command()
@click.option("-n", "size", type=click.IntRange(1, 1000), default=50, show_default=True, help="Traces to draw.")
@click.option(
    "--window", default="28d", show_default=True, metavar="WINDOW", help="28d, 2026-Q3 or FROM..TO, in UTC days."
)
@click.option("--feature", help="Only this feature.")
@click.option("--service", help="Only this service.")
@click.option("--team", help="Only this team.")
@click.option("--environment", help="Only this environment.")
@click.option(
    "--cost-per-failure", type=click.FloatRange(0, 1e12), help="Money one failure costs; without it only shares."
)
@click.option("--currency", default="USD", show_default=True, help="Currency of --cost-per-failure.")
@click.pass_obj
def sample(
    context: Context, size: int, window: str, feature: str | None, service: str | None, team: str | None,
    environment: str | None, cost_per_failure: float | None, currency: str,
) -> None:  # fmt: skip
    """Draw a sample of failed traces (the same for the same --seed) into a new failure review. Prints its id."""
    from aether_tui.cache import Cache
    from aether_tui.diagnostics.frame import Clock, Filters, text, whole
    from aether_tui.diagnostics.run import open_data
    from aether_tui.workspace.edits import checked
    from aether_tui.workspace.kinds.failure_review import FailureReview, Reviewed

    config, workspace = context.config(), context.workspace()
    clock = Clock.of(
        context.now(), window, seed=context.seed, fiscal_start_month=config.engagement.fiscal_year_start_month
    )
    filters = Filters(team, service, feature, environment)
    with open_data(config, clock, Cache(workspace.cache_path), filters) as data:
        counted = (data.rows("failures_count") or [{}])[0]
        drawn = data.rows("failures_sample", seed=str(context.seed), sample=size)
    if not drawn:
        with_outcome = whole(counted.get("n"))
        why = f"none of {with_outcome:,} ended in failure" if with_outcome else "no trace says how it ended"
        raise NoData(why, where=f"window {window}", next_step="map outcomes in aether.toml, or choose another --window")
    about = filters.sentence() or "all tasks"
    made = Store(workspace).add(
        FailureReview,
        lambda identity: checked(
            FailureReview(
                id=identity, title=f"Failures of {about}, {window}", created=context.now().date(),
                start=clock.window.start.date(), end=clock.window.end.date(), seed=context.seed,
                failed=whole(counted["failed"]), cost_per_failure=cost_per_failure, currency=currency,
                traces=[Reviewed(trace=text(row["trace"]), source=text(row["source"])) for row in drawn],
            )
        ),
    )  # fmt: skip
    click.echo(made.document.id)
    click.echo(
        f"{len(drawn)} of {whole(counted['failed']):,} failed traces; `failures rate` gives each a cause", err=True
    )


@failures.command()
@click.argument("identity", metavar="ID")
@click.argument("trace")
@click.argument("cause")
@click.option("--by", "who", required=True, help="Who says so; a second name is a second rater.")
@click.pass_obj
def rate(context: Context, identity: str, trace: str, cause: str, who: str) -> None:
    """Give TRACE of review ID a CAUSE. A second person's verdict stands beside the first, for kappa."""
    from aether_tui.text import one_line
    from aether_tui.workspace.edits import change
    from aether_tui.workspace.kinds.failure_review import FailureReview

    name = one_line(who, 200).strip()
    if not name:
        raise ConfigurationError("--by is empty", where="failures rate", next_step="name who gives the cause")

    def rated(old: FailureReview) -> FailureReview:
        found = [item for item in old.traces if item.trace == trace]
        if len(found) > 1:
            raise ConfigurationError(
                f"trace {trace!r} is in two sources", where=identity, next_step="rate it in the console"
            )
        return old.rated(found[0].source if found else "", trace, cause, name)

    change(context.workspace(), FailureReview, identity, rated, context.now())


@failures.command()
@click.argument("identity", metavar="ID", required=False)
@FORMAT
@click.pass_obj
def show(context: Context, identity: str | None, form: str) -> None:
    """Causes of a review (the newest when no ID is given): shares with intervals, money a month, agreement."""
    from msgspec import to_builtins

    from aether_tui.diagnostics.constraint_failures import measure
    from aether_tui.human import evidence, quantity

    found = measure(_review(context, identity).document)
    if form == "json":
        print_json(to_builtins(found))
        return
    if found.causes:
        rows = [(one.label, quantity(one.share), evidence(one.share), quantity(one.per_month)) for one in found.causes]
        print_table(("CAUSE", "SHARE", "INTERVAL", "A MONTH"), rows)
    click.echo(_state(found), err=True)


def _state(found: Failures) -> str:
    kappa = found.kappa
    agreement = f"kappa {kappa.value:.2f} over {found.rated_twice}" if kappa.value is not None else kappa.reason
    return f"{found.id}: {found.reviewed} of {plural(found.sampled, 'trace')} with a cause; {agreement}"


def _review(context: Context, identity: str | None) -> Stored[FailureReview]:
    from aether_tui.workspace.kinds.failure_review import FailureReview

    store = Store(context.workspace())
    if identity is not None:
        return store.get(FailureReview, identity)
    stored, problems = store.all(FailureReview)
    for problem in problems:
        click.echo(f"not read: {problem.sentence()}", err=True)
    if not stored:
        raise NoData("no failure review", where="failures show", next_step="`aether-tui failures sample` draws one")
    return stored[-1]

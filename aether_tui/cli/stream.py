"""`stream`: counted steps written into a value stream document."""

from __future__ import annotations

import click

from aether_tui.cli.context import Context
from aether_tui.errors import NoData


@click.group(short_help="Value stream: write counted steps into a document")
def stream() -> None:
    """Value stream: `report value-stream` shows it, `stream write` hands it to the constraint diagnosis."""


@stream.command()
@click.argument("category", required=False)
@click.option("--work", is_flag=True, help="Steps of work items instead of requests.")
@click.option(
    "--window", default="28d", show_default=True, metavar="WINDOW", help="28d, 2026-Q3 or FROM..TO, in UTC days."
)
@click.option("--feature", help="Only this feature.")
@click.option("--service", help="Only this service.")
@click.option("--team", help="Only this team.")
@click.option("--environment", help="Only this environment.")
@click.pass_obj
def write(
    context: Context, category: str | None, work: bool, window: str, feature: str | None, service: str | None,
    team: str | None, environment: str | None,
) -> None:  # fmt: skip
    """Write the counted steps of all requests, of one request CATEGORY, or of work items. Prints the document's id.

    There is one document for each: a second time its counted cells are counted again. What a person wrote stays.
    """
    from aether_tui.cache import Cache
    from aether_tui.diagnostics import stream_document as documents
    from aether_tui.diagnostics.frame import Clock, Filters
    from aether_tui.diagnostics.run import open_data
    from aether_tui.diagnostics.stream_measure import counted, document_of
    from aether_tui.workspace.documents import offered
    from aether_tui.workspace.edits import change, create
    from aether_tui.workspace.kinds.value_stream import ValueStream
    from aether_tui.workspace.store import Store

    config, workspace = context.config(), context.workspace()
    clock = Clock.of(
        context.now(), window, seed=context.seed, fiscal_start_month=config.engagement.fiscal_year_start_month
    )
    with open_data(config, clock, Cache(workspace.cache_path), Filters(team, service, feature, environment)) as data:
        maps = {one.id: one for one in counted(data)}
    wanted = "work" if work else f"cluster.{category}" if category else "requests"
    if wanted not in maps:
        there = ", ".join(one.cluster for one in maps.values() if one.cluster)
        what = "work items" if work else f"category {category!r}" if category else "requests"
        raise NoData(
            f"no step of {what} was counted", where=f"window {window}",
            next_step=f"categories are {there}" if there and category else "load traces or sync work items, or choose another --window",
        )  # fmt: skip
    one = maps[wanted]
    written = tuple(item.document for item in Store(workspace).all(ValueStream)[0])
    known = document_of(one, written)
    if known is None:
        said = offered(workspace, ValueStream).get("value_per_success")
        value = said if isinstance(said, float) else None
        make = lambda identity: documents.new(identity, one, written, clock, value)  # noqa: E731
        edit = create(workspace, ValueStream, make, context.now())
    else:
        edit = change(workspace, ValueStream, known.id, lambda before: documents.refreshed(before, one), context.now())
    click.echo(edit.identity)
    click.echo(
        f"{edit.identity} {'made' if known is None else 'counted again'}; "
        f"complete it with `aether-tui doc edit value-stream {edit.identity}`",
        err=True,
    )

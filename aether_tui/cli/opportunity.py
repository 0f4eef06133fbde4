"""`opportunity`: the ICE-P portfolio without the console."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click
from pydantic import ValidationError

from aether_tui.cli.context import Context
from aether_tui.cli.opportunity_import import import_
from aether_tui.cli.output import FORMAT, print_json, print_table
from aether_tui.errors import ConfigurationError
from aether_tui.problems import explain, raise_first
from aether_tui.workspace.kinds.opportunity import Opportunity
from aether_tui.workspace.store import Store

F = TypeVar("F", bound=Callable[..., None])
SCORES = ("impact", "confidence", "reversibility", "effort_weeks")
STATUSES = ("candidate", "chosen", "running", "done", "dropped")


def _stated(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | list[float] | None:
    """`8`, or `LOW,MODE,HIGH`; the document's model checks the range."""
    if value is None:
        return None
    try:
        numbers = [float(part) for part in value.split(",")]
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not a number such as 8, or a range such as 4,6,9") from error
    return numbers[0] if len(numbers) == 1 else numbers


def _scores(*, required: bool) -> Callable[[F], F]:
    texts = {
        "--impact": "Movement of the north star, 1–10.",
        "--confidence": "How sure, 1–10.",
        "--effort-weeks": "Calendar weeks to the first reliable signal.",
        "--reversibility": "How easily undone, 1–10.",
    }

    def add(function: F) -> F:
        for flag, text in reversed(texts.items()):
            function = click.option(flag, callback=_stated, metavar="N|LOW,MODE,HIGH", required=required, help=text)(
                function
            )
        return function

    return add


def _rest(function: F) -> F:
    options = (
        click.option("--evidence", multiple=True, help="Interview, trace query or experiment behind it. Repeatable."),
        click.option("--cluster", help="Request category it is about."),
        click.option("--constraint", help="Constraint it would relieve."),
        click.option("--status", type=click.Choice(STATUSES), help="Where it stands."),
        click.option(
            "--strategic-bet/--no-strategic-bet", default=None, help="A major architecture or capability move."
        ),
        click.option("--notes", help="Anything else."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.group(short_help="The ICE-P portfolio")
def opportunity() -> None:
    """The ICE-P portfolio. Score = Impact × Confidence × Reversibility ÷ Effort."""


@opportunity.command(name="list")
@FORMAT
@click.pass_obj
def list_(context: Context, form: str) -> None:
    """Rank what is open. Done and dropped ones are in `doc list opportunity`."""
    from msgspec import to_builtins

    from aether_tui.diagnostics.portfolio_measure import measure
    from aether_tui.human import number

    documents, problems = Store(context.workspace()).all(Opportunity)
    for problem in problems:
        click.echo(f"not listed: {problem.sentence()}", err=True)
    items = measure([item.document for item in documents], context.config().portfolio.high_score, context.seed).items
    if form == "json":
        print_json(to_builtins(items))
    elif not items:
        click.echo("nothing open; `aether-tui opportunity add TITLE …` makes the first", err=True)
    else:
        scores = [(item.impact, item.confidence, item.reversibility, item.effort_weeks) for item in items]
        rows = [
            (
                item.id,
                *(number(triple[1]) for triple in four),
                f"{item.score:.1f}",
                str(item.rank),
                item.bucket,
                item.title,
            )
            for item, four in zip(items, scores, strict=True)
        ]
        print_table(("ID", "I", "C", "R", "WEEKS", "SCORE", "RANK", "BUCKET", "TITLE"), rows)


@opportunity.command()
@click.argument("title")
@_scores(required=True)
@_rest
@click.pass_obj
def add(context: Context, /, title: str, **fields: object) -> None:
    """Add an opportunity. Each score is a number, or LOW,MODE,HIGH. Prints its id."""
    given = {"title": title, "created": context.now().date(), **_given(fields)}
    stored = Store(context.workspace()).add(Opportunity, lambda identity: _valid({"id": identity, **given}))
    click.echo(stored.document.id)


@opportunity.command()
@click.argument("identity", metavar="ID")
@click.option("--title", help="What would be done, in a line.")
@_scores(required=False)
@_rest
@click.pass_obj
def edit(context: Context, /, identity: str, **fields: object) -> None:
    """Change an opportunity; what is not named stays."""
    given = _given(fields)
    if not given:
        raise ConfigurationError("nothing to change", where=identity, next_step="name a field, such as --impact 7")
    store = Store(context.workspace())
    stored = store.get(Opportunity, identity)
    changed = _valid({**stored.document.model_dump(), **given})
    scores = {name: getattr(changed, name) for name in SCORES}
    history = stored.document.rescored(scores, context.now().date()).history
    store.save(changed.model_copy(update={"history": history}), stored.revision, context.now())


def _given(fields: dict[str, object]) -> dict[str, object]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in fields.items()
        if value not in (None, ())
    }


def _valid(fields: dict[str, object]) -> Opportunity:
    try:
        return Opportunity.model_validate(fields)
    except ValidationError as error:
        raise_first(explain(error.errors(include_url=False), Opportunity, "opportunity", {}))
        raise


opportunity.add_command(import_)

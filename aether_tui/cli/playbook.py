"""`playbook`: what was learned, on its way to pipelines, to other engagements and into the next cycle."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT, print_json, print_table
from aether_tui.errors import ConfigurationError, NoData
from aether_tui.workspace import packs

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.playbook import PlaybookEntry

IDS = click.argument("ids", metavar="[ID]...", nargs=-1)
OUTPUT = click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File; else stdout.")


@click.group(short_help="What was learned: list, export, pack, import, next cycle")
def playbook() -> None:
    """The playbook. `experiment codify` adds to it; `doc edit playbook ID` changes an entry."""


@playbook.command(name="list")
@FORMAT
@click.pass_obj
def list_(context: Context, form: str) -> None:
    """Entries with owner and review date."""
    found = _entries(context, ())
    if form == "json":
        print_json([one.model_dump(mode="json") for one in found])
    elif found:
        rows = [(one.id, one.kind, one.owner, str(one.review_by), one.title) for one in found]
        print_table(("ID", "KIND", "OWNER", "REVIEW BY", "TITLE"), rows)
    else:
        click.echo("the playbook is empty; `aether-tui experiment codify ID` adds to it", err=True)


@playbook.command()
@IDS
@click.option(
    "--as", "form", type=click.Choice(["promptfoo", "pytest"]), required=True, help="What the tests are written for."
)
@OUTPUT
@click.pass_obj
def export(context: Context, ids: tuple[str, ...], form: str, output: Path | None) -> None:
    """Regression checks of the entries as promptfoo tests or as a pytest module."""
    found = _entries(context, ids)
    _write(packs.promptfoo(found) if form == "promptfoo" else packs.pytest_file(found), output)


@playbook.command()
@IDS
@OUTPUT
@click.option("--name", "names", multiple=True, help="Another name to take out. Repeatable.")
@click.pass_obj
def pack(context: Context, ids: tuple[str, ...], output: Path | None, names: tuple[str, ...]) -> None:
    """Anonymised entries for another engagement: no owners, evidence, experiments or budgets; names and patterns redacted.

    Known names and patterns only: read the pack before you give it away.
    """
    from aether_tui.ingest import workspace_key
    from aether_tui.ingest.redact import Redactor
    from aether_tui.workspace.anonymous import named, told_of, unnamed
    from aether_tui.workspace.documents import read_documents

    workspace, config = context.workspace(), context.config()
    found = _entries(context, ids)
    redactor = Redactor(workspace_key(workspace), config.privacy.patterns)
    mapped = (*config.mapping.teams.values(), *config.mapping.services.values())
    documents = read_documents(workspace, config)
    told = told_of(workspace)
    known = (*names, config.engagement.name, config.engagement.client, *named(documents), *mapped)
    clean = packs.anonymous(lambda said: unnamed(redactor.text(said), told), known)
    _write(packs.pack(found, clean), output)
    click.echo(f"{len(found)} entries; known names and patterns only: read it before you give it away", err=True)


@playbook.command(name="import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--owner", required=True, help="Who keeps them true here.")
@click.pass_obj
def import_(context: Context, file: Path, owner: str) -> None:
    """Add the entries of a pack; those that are here already are left out. Prints the new ids."""
    from aether_tui.workspace.edits import create
    from aether_tui.workspace.kinds.playbook import PlaybookEntry

    try:
        data = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", where=str(file)) from error
    here = _entries(context, ())
    known = 0
    for one in packs.unpack(data, file.name, owner, context.now().date()):
        if any(packs.same(one, other) for other in here):
            known += 1
            continue
        click.echo(create(context.workspace(), PlaybookEntry, partial(_renamed, one), context.now()).identity)
    if known:
        click.echo(f"{known} were here already", err=True)


@playbook.command(name="next-cycle")
@click.option("--constraint", help="What it works on.  [default: the constraint of the diagnosis]")
@click.option("--goal", default="", help="What it is for.")
@click.option("--dry-run", is_flag=True, help="Print what it would open on, as JSON, and change nothing.")
@click.pass_obj
def next_cycle(context: Context, constraint: str | None, goal: str, dry_run: bool) -> None:
    """Close the running cycle today and open the next one on the next constraint. Prints its id."""
    from aether_tui.workspace.cycles import open_next, running

    workspace = context.workspace()
    subject, purpose = (constraint, f"Relieve: {constraint}") if constraint else _next_subject(context)
    before = running(workspace)
    if dry_run:
        print_json({"constraint": subject, "goal": goal or purpose, "closes": before.id if before else None})
        return
    edit = open_next(workspace, subject, goal or purpose, context.now())
    click.echo(edit.identity)
    if before is not None and before.constraint == subject:
        click.echo(f"still the constraint of {before.id}: measure its steps again before relieving it", err=True)


def _renamed(one: PlaybookEntry, identity: str) -> PlaybookEntry:
    return one.model_copy(update={"id": identity})


def _next_subject(context: Context) -> tuple[str, str]:
    """What the diagnosis says is the constraint, and what to do about it; without one, that of the best open opportunity.

    The very first cycle may begin without: its phases find what it works on.
    """
    from aether_tui.diagnostics.constraint_measure import diagnosed
    from aether_tui.diagnostics.portfolio_measure import measure
    from aether_tui.workspace.documents import read_documents
    from aether_tui.workspace.kinds.value_stream import ValueStream

    documents = read_documents(context.workspace(), context.config())
    solution = diagnosed(documents.of(ValueStream), None, context.seed)[0]
    lead = solution.leads["money"] if solution is not None else None
    if solution is not None and lead is not None:
        subject = f"{lead.step}: {lead.lever} ({solution.id})"
        return subject, f"Measure {lead.measure_first} first" if lead.measure_first else f"Relieve {subject}"
    by_id = {one.id: one for one in documents.opportunities}
    for item in measure(documents.opportunities, context.config().portfolio.high_score, context.seed, 0).items:
        one = by_id[item.id]
        if one.status == "candidate" and (one.constraint or one.cluster):
            return one.constraint or one.cluster, f"Relieve: {one.constraint or one.cluster}"
    if not documents.cycles:
        return "", "Hear people, see production, and find the constraint"
    raise NoData(
        "there is no value stream to diagnose, and no open opportunity names a constraint",
        where="playbook next-cycle",
        next_step="`aether-tui stream write`, or give --constraint",
    )


def _entries(context: Context, ids: tuple[str, ...]) -> list[PlaybookEntry]:
    from aether_tui.workspace.kinds.playbook import PlaybookEntry
    from aether_tui.workspace.store import Store

    store = Store(context.workspace())
    if ids:
        return [store.get(PlaybookEntry, identity).document for identity in ids]
    found, problems = store.all(PlaybookEntry)
    for problem in problems:
        click.echo(f"not listed: {problem.sentence()}", err=True)
    return [one.document for one in found]


def _write(data: bytes, output: Path | None) -> None:
    from aether_tui.workspace.store import write_whole

    if output is None:
        click.echo(data.decode(), nl=False)
        return
    try:
        write_whole(output, data)
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror}", where=str(output)) from error

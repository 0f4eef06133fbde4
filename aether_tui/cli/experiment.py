"""`experiment`: from the one-pager to the playbook without the console."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import TYPE_CHECKING, cast

import click

from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT, print_json, print_table
from aether_tui.errors import CheckFailed, ConfigurationError, NoData
from aether_tui.workspace import trials
from aether_tui.workspace.edits import change, create

if TYPE_CHECKING:
    from collections.abc import Callable

    from aether_tui.diagnostics.experiments_measure import DesignHelp
    from aether_tui.diagnostics.experiments_results import Outcome
    from aether_tui.workspace.kinds.experiment import Choice, Experiment, Measured
    from aether_tui.workspace.kinds.playbook import Kind
    from aether_tui.workspace.written import Edit

IDENTITY = click.argument("identity", metavar="ID")
WHO = click.option("--who", required=True, help="Who says so.")
NOTE = click.option("--note", default="", help="Anything to remember about this step.")
KINDS = ("prompt", "router rule", "regression test", "onboarding text", "taxonomy or instrumentation")


@click.group(short_help="Experiments: one-pager, start, results, decision")
def experiment() -> None:
    """Experiments: draft, reviewed, running, decided, codified. `doc edit experiment ID` fills in the one-pager."""


@experiment.command(name="list")
@FORMAT
@click.pass_obj
def list_(context: Context, form: str) -> None:
    """Experiments by state, each with its next step."""
    from msgspec import to_builtins

    from aether_tui.cache import Cache
    from aether_tui.diagnostics.experiments_measure import Experiments
    from aether_tui.diagnostics.frame import Clock
    from aether_tui.diagnostics.run import run_report

    workspace = context.workspace()
    clock = Clock.of(context.now(), seed=context.seed)
    report = run_report("experiments", workspace, context.config(), clock, Cache(workspace.cache_path))
    for finding in report.findings:
        if finding.id.startswith("experiments.broken"):
            click.echo(f"not listed: {finding.text}", err=True)
    items = cast(Experiments, report.data).items
    if form == "json":
        print_json(to_builtins(items))
    elif items:
        rows = [(item.id, item.state, str(item.level), item.verdict, item.next_action, item.title) for item in items]
        print_table(("ID", "STATE", "LEVEL", "COMPUTED", "NEXT", "TITLE"), rows)
    else:
        click.echo('nothing yet; `aether-tui experiment new "TITLE"` makes the first', err=True)


@experiment.command()
@click.argument("title", required=False)
@click.option("--level", type=click.IntRange(1, 5), default=2, show_default=True,
              help="1 prompt, 2 context, 3 model or router, 4 agent flow, 5 product.")  # fmt: skip
@click.option("--opportunity", metavar="OPP-N", help="Start from an opportunity.")
@click.option("--process", is_flag=True, help="Tests a way of working, by teams and weeks.")
@click.pass_obj
def new(context: Context, title: str | None, level: int, opportunity: str | None, process: bool) -> None:
    """Write a new draft; prints its id."""
    from aether_tui.workspace.documents import read_documents
    from aether_tui.workspace.kinds.experiment import Experiment
    from aether_tui.workspace.kinds.opportunity import Opportunity
    from aether_tui.workspace.store import Store

    workspace = context.workspace()
    from_one = Store(workspace).get(Opportunity, opportunity).document if opportunity else None
    words = title or (from_one.title if from_one else "")
    if not words:
        raise ConfigurationError("give a TITLE, or --opportunity", where="experiment new")
    today = context.now().date()
    cycle = read_documents(workspace, context.config()).running(today)

    def make(identity: str) -> Experiment:
        made = trials.draft(identity, words, today, from_one, cycle.id if cycle else "")
        return made.model_copy(update={"level": level, "process": process})

    click.echo(create(workspace, Experiment, make, context.now()).identity)


@experiment.command()
@IDENTITY
@FORMAT
@click.pass_obj
def check(context: Context, identity: str, form: str) -> None:
    """What its one-pager lacks, and how large and long it must be. Exit 1 while it is incomplete."""
    from dataclasses import asdict

    from msgspec import to_builtins

    from aether_tui.diagnostics.experiments_words import design_words
    from aether_tui.workspace.kinds.experiment import missing

    one = _get(context, identity)
    gaps = missing(one)
    plan, outcome, live = _computed(context, one)
    if form == "json":
        print_json({
            "id": one.id, "state": one.state, "level": one.level, "exempt": one.exempt, "complete": not gaps,
            "missing": [gap.model_dump() for gap in gaps], "design": to_builtins(plan), "verdict": outcome.verdict,
            "why": outcome.why, "metrics": [asdict(row) for row in outcome.metrics],
            "cached": [item.model_dump(mode="json") for item in live],
        })  # fmt: skip
    else:
        if one.exempt:
            click.echo("Level 1 is exempt by choice: a prompt is changed back as quickly as it was changed")
        for gap in gaps:
            click.echo(f"missing  {gap.field}: {gap.asks}")
        for line in design_words(plan):
            click.echo(f"design   {line}")
        click.echo(f"state    {one.state}; computed verdict: {outcome.verdict}, {outcome.why}")
    if gaps:
        raise CheckFailed(
            f"incomplete: {', '.join(gap.field for gap in gaps)}", where=one.id,
            next_step=f"`aether-tui doc edit experiment {one.id}` fills it in",
        )  # fmt: skip


@experiment.command()
@IDENTITY
@WHO
@NOTE
@click.pass_obj
def review(context: Context, identity: str, who: str, note: str) -> None:
    """Somebody read the one-pager: draft → reviewed."""
    _change(context, identity, lambda one: trials.review(one, who, _today(context), note))


@experiment.command()
@IDENTITY
@WHO
@click.option("--shadow", is_flag=True, help="Beside the real answer, seen by nobody.")
@NOTE
@click.pass_obj
def start(context: Context, identity: str, who: str, shadow: bool, note: str) -> None:
    """Start it; refused (exit 1) while the one-pager is incomplete. From shadow, again without --shadow."""
    _change(context, identity, lambda one: trials.start(one, who, _today(context), shadow=shadow, note=note))


@experiment.command()
@IDENTITY
@WHO
@click.option("--note", required=True, help="Why.")
@click.pass_obj
def back(context: Context, identity: str, who: str, note: str) -> None:
    """One step back, as a new dated entry: nothing is taken out of its history."""
    _change(context, identity, lambda one: trials.back(one, who, _today(context), note))


@experiment.command()
@IDENTITY
@click.option("--metric", help="Metric of --control and --treatment.  [default: the first primary]")
@click.option("--control", help="Successes/n, or MEAN±SD/n.")
@click.option("--treatment", help="Successes/n, or MEAN±SD/n.")
@click.option(
    "--csv",
    "file",
    type=click.File("rb"),
    help="metric,arm,value[,unit] · metric,control,treatment (pairs) · team,week,treated,value",
)
@click.option("--who", default="", help="Who read it.")
@FORMAT
@click.pass_obj
def result(
    context: Context, identity: str, metric: str | None, control: str | None, treatment: str | None, file: io.BufferedReader | None,
    who: str, form: str,
) -> None:  # fmt: skip
    """Record results: typed, from CSV, or (without either) from cached tasks. Prints the computed verdict; none: exit 3."""
    from dataclasses import asdict

    one = _get(context, identity)
    update: dict[str, object] = {}
    found: list[Measured] = []
    if file is not None:
        found, update = _from_csv(one, file.read(), who, _today(context))
    elif control and treatment:
        name = metric or (one.primary[0].name if one.primary else "")
        found = [trials.measured(one, name, trials.Typed(control, treatment), who, _today(context))]
    elif control or treatment:
        raise ConfigurationError("give both --control and --treatment", where="experiment result")
    else:
        found = _cached(context, one, who)
    _change(context, identity, lambda now: trials.record(now, found).model_copy(update=update))
    _, outcome, _ = _computed(context, _get(context, identity))
    if form == "json":
        print_json({"verdict": outcome.verdict, "why": outcome.why, "srm_p": outcome.srm_p, "n_needed": outcome.n_needed,
                    "metrics": [asdict(row) for row in outcome.metrics]})  # fmt: skip
    else:
        click.echo(f"{outcome.verdict}: {outcome.why}")
    if outcome.verdict == "none":
        raise NoData(f"no verdict: {outcome.why}", where=identity, next_step="measure more, or the metrics that lack")


@experiment.command()
@IDENTITY
@click.argument("text")
@WHO
@click.option("--link", default="", help="Interview, trace or recording it comes from.")
@click.pass_obj
def observe(context: Context, identity: str, text: str, who: str, link: str) -> None:
    """Add what a person saw; a decision needs at least one."""
    _change(context, identity, lambda one: trials.observe(one, text, who, _today(context), link))


@experiment.command()
@IDENTITY
@click.argument("choice", type=click.Choice(["kill", "iterate", "scale"]))
@WHO
@click.option("--guardrail", default="", help="Guardrail that stays; needed to scale.")
@NOTE
@click.pass_obj
def decide(context: Context, identity: str, choice: str, who: str, guardrail: str, note: str) -> None:
    """Decide as a person; the computed verdict is kept beside it. Writes a decision record and prints its id."""
    one = _get(context, identity)
    from aether_tui.workspace.edits import checked
    from aether_tui.workspace.kinds.decision import Decision

    _, outcome, live = _computed(context, one)
    picked, today = cast("Choice", choice), _today(context)

    def decided(now: Experiment, link: str) -> Experiment:
        kept = trials.record(now, live) if live else now
        return trials.decide(kept, picked, outcome.verdict, who, today, guardrail=guardrail, link=link, note=note)

    checked(decided(one, ""))  # before anything is written
    made = create(
        context.workspace(), Decision,
        lambda identity: trials.decision_record(identity, one, picked, outcome.verdict, outcome.why, who, today, note),
        context.now(),
    )  # fmt: skip
    _change(context, one.id, lambda now: decided(now, made.identity))
    click.echo(made.identity)


@experiment.command()
@IDENTITY
@click.option("--kind", "sort", type=click.Choice(KINDS), required=True, help="What kind of thing is kept.")
@click.option("--owner", required=True, help="Who keeps it true.")
@click.option(
    "--review-by", type=click.DateTime(["%Y-%m-%d"]), help="Look at it again by this day.  [default: in 90 days]"
)
@click.option("--body", default="", help="The prompt, rule or text itself.")
@click.option("--budget", default="", metavar="ID", help="Budget that keeps it won; with --limit it is added.")
@click.option("--metric", default="task.cost", show_default=True, help="Metric of an added budget.")
@click.option("--limit", default="", metavar='"0.10 USD/task"', help="Limit of an added budget.")
@click.option(
    "--match", "matches", multiple=True, metavar="KEY=VALUE", help="What an added budget is about. Repeatable."
)
@click.pass_obj
def codify(
    context: Context, identity: str, sort: str, owner: str, review_by: date | None, body: str, budget: str, metric: str, limit: str,
    matches: tuple[str, ...],
) -> None:  # fmt: skip
    """Write a decided experiment into the playbook, with the budget that keeps it won. Prints the entry's id."""
    from aether_tui.workspace.codify import codify as write
    from aether_tui.workspace.kinds.playbook import PlaybookEntry

    today = _today(context)
    due = date(review_by.year, review_by.month, review_by.day) if review_by else None
    if limit and not budget:
        raise ConfigurationError("--limit needs --budget ID", where="experiment codify")

    def entry(made: str, one: Experiment) -> PlaybookEntry:
        return trials.playbook_entry(made, one, cast("Kind", sort), owner, today, due, body, budget)

    def keep() -> Edit:
        from aether_tui.budgets.keep import add_budget

        pairs = dict(one.partition("=")[::2] for one in matches)
        return add_budget(context.workspace(), budget, metric, limit, pairs, today)

    edit = write(context.workspace(), identity, entry, owner, context.now(), keep if limit else None)
    click.echo(edit.identity)


# --- Shared --------------------------------------------------------------------------------------------------------


def _today(context: Context) -> date:
    return context.now().date()


def _get(context: Context, identity: str) -> Experiment:
    from aether_tui.workspace.kinds.experiment import Experiment
    from aether_tui.workspace.store import Store

    return Store(context.workspace()).get(Experiment, identity).document


def _change(context: Context, identity: str, update: Callable[[Experiment], Experiment]) -> None:
    from aether_tui.workspace.kinds.experiment import Experiment

    change(context.workspace(), Experiment, identity, update, context.now())


def _computed(context: Context, one: Experiment) -> tuple[DesignHelp | None, Outcome, list[Measured]]:
    """The plan, the verdict, and what is cached now of metrics that nobody recorded; cached tasks count while it runs."""
    from aether_tui.cache import Cache
    from aether_tui.diagnostics.experiments_measure import help_with
    from aether_tui.diagnostics.experiments_results import from_cache, judged
    from aether_tui.diagnostics.frame import Clock
    from aether_tui.diagnostics.run import open_data

    clock, config = Clock.of(context.now(), seed=context.seed), context.config()
    with open_data(config, clock, Cache(context.workspace().cache_path)) as data:
        known = {item.metric for item in one.results}
        cached, silent = from_cache(one, data, config, clock.now) if one.state == "running" else ([], "")
        live = [item for item in cached if item.metric not in known]
        return (None if one.process else help_with(one, data, clock)), judged(one, [*one.results, *live], silent), live


def _cached(context: Context, one: Experiment, who: str) -> list[Measured]:
    from aether_tui.cache import Cache
    from aether_tui.diagnostics.experiments_results import from_cache
    from aether_tui.diagnostics.frame import Clock
    from aether_tui.diagnostics.run import open_data

    clock, config = Clock.of(context.now()), context.config()
    with open_data(config, clock, Cache(context.workspace().cache_path)) as data:
        found, silent = from_cache(one, data, config, clock.now, who)
    if not found:
        raise NoData(
            silent or "no cached task carries an arm of it since it started", where=one.id,
            next_step="name the attribute in [mapping.span_attributes] variant, or give --control and --treatment, or --csv",
        )  # fmt: skip
    return found


def _from_csv(one: Experiment, data: bytes, who: str, today: date) -> tuple[list[Measured], dict[str, object]]:
    from aether_tui.diagnostics.experiments_files import measured_rows, team_weeks

    try:
        rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"is not CSV: {error}", where="--csv") from error
    if not rows:
        raise NoData("has no rows", where="--csv", next_step="give a header and at least two rows of each arm")
    if "team" in rows[0]:
        return [], {"periods": [*one.periods, *team_weeks(rows)]}
    return measured_rows(one, rows, who, today), {}

"""`budget`: the gate. With PATHs it needs no workspace; with a workspace the cache is the baseline."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aether_tui.budgets.file import BudgetFile
from aether_tui.budgets.justify import TRAILER, justifications, justified, problems
from aether_tui.budgets.outputs import Comment, Outcome
from aether_tui.budgets.verdict import expired, overall
from aether_tui.cli.baseline import baseline
from aether_tui.cli.budget_backtest import backtest
from aether_tui.cli.budget_file import BASE, FILE, FINGERPRINT, STORE, read_found
from aether_tui.cli.budget_init import init
from aether_tui.cli.budget_run import ELSEWHERE, Asked, Judged, judged
from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT
from aether_tui.cli.waive import schema, waive
from aether_tui.errors import CheckFailed, ConfigurationError, NoData
from aether_tui.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping


@click.group(short_help="The gate: compare measurements with budgets")
def budget() -> None:
    """The gate: compare measurements with the budgets of optimization/budgets.yaml."""


budget.add_command(backtest)
budget.add_command(baseline)
budget.add_command(init)
budget.add_command(waive)
budget.add_command(schema)


def _also(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> list[tuple[str, Path]]:
    pairs = [(form, Path(path)) for form, _, path in (one.partition("=") for one in given)]
    for form, path in pairs:
        if form not in ("md", "json", "junit") or path == Path():
            raise ConfigurationError(f"{form!r} is not md, json or junit", where="--also", next_step="write md=FILE")
    return pairs


@budget.command()
@click.argument("paths", nargs=-1, metavar="[PATH|-]…")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "md", "junit", "github"]),
    default="text",
    show_default=True,
    help="github: annotations, and the Markdown into the step summary.",
)
@click.option(
    "--summary",
    envvar="GITHUB_STEP_SUMMARY",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Step summary for --format github (default: $GITHUB_STEP_SUMMARY).",
)
@click.option(
    "--also",
    multiple=True,
    metavar="FORMAT=FILE",
    callback=_also,
    help="Write md, json or junit to a file, too (repeatable).",
)
@click.option(
    "--comment",
    type=click.Choice(["always", "changed", "failing"]),
    default="always",
    show_default=True,
    help="When md has something to say; else it is empty.",
)
@FILE
@STORE
@FINGERPRINT
@BASE
@click.option("--require-justification", is_flag=True, help="Exit 1 on a warning that nobody answers for in writing.")
@click.option(
    "--message",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help=f"Where `{TRAILER}: ID REASON` stands (default: the change's commit messages).",
)
@click.option("--advisory", is_flag=True, help="Report, and exit 0 whatever the verdict.")
@click.option("--strict", is_flag=True, help="Exit 1 on a warning, too.")
@click.option("--self-test", is_flag=True, help="Plant a spike in every budget; the gate must block each of them.")
@click.pass_obj
def check(
    context: Context, paths: tuple[str, ...], form: str, summary: Path | None, also: list[tuple[str, Path]], comment: Comment,
    path: Path | None, store: str | None,
    fingerprint: str | None, base: str | None, require_justification: bool, message: Path | None, advisory: bool,
    strict: bool, self_test: bool,
) -> None:  # fmt: skip
    """Judge reports (JUnit, Infracost, FOCUS, pipeline runs, traces, benchmarks, `measure` output), or without PATH the cache.

    Reports are compared with the cache of the workspace; without one, with the baselines in benchmarks/. Of a change
    (--base, or a pull request's job) those count that its merge-base had, and the waivers of the base branch.
    Exit 0 for pass and warn, 1 for block (and warn with --strict), 3 for inconclusive and no data.
    """
    today = context.now().date()
    file, found = read_found(context, path, today)
    if self_test:
        _self_test(file)
        return
    run = judged(context, file, found, Asked(paths, store, fingerprint, base))
    reasons = _reasons(run, found, message)
    results = justified(run.results, reasons)
    shown = tuple(one for one in results if one.why != ELSEWHERE)
    outcome = Outcome(
        overall(run.file, results, run.scope), file.currency, shown, expired(run.file, today),
        len(results) - len(shown), advisory, run.base.ancestors[0] if run.base else "",
    )  # fmt: skip
    from aether_tui.cli.budget_print import print_outcome, write_faces

    write_faces(outcome, also, comment, results)
    print_outcome(outcome, form, summary, comment, results)
    try:
        _exit(outcome, strict, require_justification)
    except (CheckFailed, NoData) as error:
        if not advisory:
            raise
        click.echo(f"advisory: {error.sentence()} (would have exited {error.exit_code})", err=True)


def _reasons(run: Judged, found: Path, message: Path | None) -> Mapping[str, str]:
    """Justifications in the file named, else in the commits of the change, else in HEAD's."""
    if message is not None:
        try:
            text = sys.stdin.read() if str(message) == "-" else message.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise ConfigurationError(f"cannot be read: {error.strerror}", where=str(message)) from error
    elif not any(one.verdict == "warn" for one in run.results):
        return {}
    else:
        from aether_tui.budgets.git import GitFailed, repository_of

        repository = run.repository or repository_of(found)
        try:
            text = repository.messages(run.base) if repository else ""
        except GitFailed:  # no commit yet
            text = ""
    reasons = justifications(text)
    for problem in problems(reasons, [budget.id for budget in run.file.budgets]):
        click.echo(f"note: {problem}", err=True)
    return reasons


@budget.command()
@click.argument("identity", metavar="ID")
@click.argument("paths", nargs=-1, metavar="[PATH|-]…")
@FORMAT
@FILE
@STORE
@FINGERPRINT
@BASE
@click.pass_obj
def explain(
    context: Context, identity: str, paths: tuple[str, ...], form: str, path: Path | None, store: str | None,
    fingerprint: str | None, base: str | None,
) -> None:  # fmt: skip
    """Print the samples, the baseline, the rule and the arithmetic of one budget."""
    file, found = read_found(context, path, context.now().date())
    known = [one.id for one in file.budgets]
    if identity not in known:
        near = nearest(identity, known)
        fix = f"did you mean {near!r}?" if near else f"budgets are {', '.join(known)}"
        raise ConfigurationError(f"no budget {identity!r}", where=file.path, next_step=fix)
    run = judged(context, file, found, Asked(paths, store, fingerprint, base))
    own = [one for one in run.results if one.id == identity]
    if form == "json":
        import msgspec

        click.echo(msgspec.json.encode(own).decode())
        return
    from aether_tui.budgets.explain import explain_result

    rule = next(one for one in file.budgets if one.id == identity)
    click.echo("\n\n".join(explain_result(rule, one, file.currency) for one in own))


def _self_test(file: BudgetFile) -> None:
    from aether_tui.budgets.selftest import self_test

    missed = self_test(file)
    if missed:
        raise CheckFailed(
            f"the gate let a spike pass in {', '.join(missed)}",
            where=file.path,
            next_step="its thresholds allow too much",
        )
    click.echo(
        f"the gate blocks a planted spike in each of {len(file.budgets)} budgets, and passes the same data without it",
        err=True,
    )


def _exit(outcome: Outcome, strict: bool, written: bool) -> None:
    """Nothing for pass and warn; raises CheckFailed or NoData for what the exit status must say."""
    verdict = outcome.verdict
    worst = next((one for one in outcome.results if one.verdict == verdict), None)
    what = f"{worst.name}: {worst.why}" if worst else "nothing was measured"
    next_step = worst.next if worst else ""
    if verdict == "block" or (verdict == "warn" and strict):
        raise CheckFailed(what, where=verdict, next_step=next_step)
    if written and (open_ones := outcome.unjustified):
        first = open_ones[0]
        raise CheckFailed(f"{first.name}: {first.why}", where="not justified", next_step=first.next)
    if verdict == "inconclusive":
        raise NoData(what, where=verdict, next_step=next_step)
    if verdict == "no-data":
        raise NoData(what, where="no data", next_step=next_step or "a gate that measured nothing is not green")
    sys.stdout.flush()

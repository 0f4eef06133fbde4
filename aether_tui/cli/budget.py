"""`budget`: the gate. With PATHs it needs no workspace; with a workspace the cache is the baseline."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aether_tui.budgets.file import BudgetFile, Surface
from aether_tui.budgets.model import Measured, Result
from aether_tui.budgets.outputs import (
    MAX_SUMMARY,
    MIN_SUMMARY,
    Outcome,
    github_commands,
    junit,
    markdown,
    number,
    signed_share,
)
from aether_tui.budgets.verdict import expired, judge, overall
from aether_tui.cli.baseline import baseline
from aether_tui.cli.budget_file import FILE, FINGERPRINT, STORE, fingerprint_of, read_found, store_of
from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT, print_table
from aether_tui.cli.waive import schema, waive
from aether_tui.errors import CheckFailed, ConfigurationError, NoData
from aether_tui.problems import nearest
from aether_tui.report_model import GLYPHS

if TYPE_CHECKING:
    from aether_tui.budgets.measure import Measurement
    from aether_tui.workspace.folder import Workspace

ELSEWHERE = "not part of these files"
_UNMATCHED: dict[Surface, str] = {"cost": "name the project's environment under [mapping.environments] in aether.toml"}


@click.group(short_help="The gate: compare measurements with budgets")
def budget() -> None:
    """The gate: compare measurements with the budgets of optimization/budgets.yaml."""


budget.add_command(baseline)
budget.add_command(waive)
budget.add_command(schema)


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
@FILE
@STORE
@FINGERPRINT
@click.option("--advisory", is_flag=True, help="Report, and exit 0 whatever the verdict.")
@click.option("--strict", is_flag=True, help="Exit 1 on a warning, too.")
@click.option("--self-test", is_flag=True, help="Plant a spike in every budget; the gate must block each of them.")
@click.pass_obj
def check(
    context: Context, paths: tuple[str, ...], form: str, summary: Path | None, path: Path | None, store: Path | None,
    fingerprint: str | None, advisory: bool, strict: bool, self_test: bool,
) -> None:  # fmt: skip
    """Judge reports (JUnit, Infracost, FOCUS, pipeline runs, traces, benchmarks, `measure` output), or without PATH the cache.

    Reports are compared with the cache of the workspace; without one, with the baselines in benchmarks/.
    Exit 0 for pass and warn, 1 for block (and warn with --strict), 3 for inconclusive and no data.
    """
    today = context.now().date()
    file, found = read_found(context, path, today)
    if self_test:
        _self_test(file)
        return
    results, scope = _judged(context, file, paths, store_of(found, store), fingerprint)
    verdict = overall(file, results, scope)
    shown = tuple(one for one in results if one.why != ELSEWHERE)
    over = expired(file, today)
    outcome = Outcome(verdict, file.currency, shown, over, len(results) - len(shown), advisory)
    if form == "json":
        _print_json(outcome, results)
    else:
        _print(outcome, form, summary)
    try:
        _exit(outcome, strict)
    except (CheckFailed, NoData) as error:
        if not advisory:
            raise
        click.echo(f"advisory: {error.sentence()} (would have exited {error.exit_code})", err=True)


@budget.command()
@click.argument("identity", metavar="ID")
@click.argument("paths", nargs=-1, metavar="[PATH|-]…")
@FORMAT
@FILE
@STORE
@FINGERPRINT
@click.pass_obj
def explain(
    context: Context, identity: str, paths: tuple[str, ...], form: str, path: Path | None, store: Path | None,
    fingerprint: str | None,
) -> None:  # fmt: skip
    """Print the samples, the baseline, the rule and the arithmetic of one budget."""
    file, found = read_found(context, path, context.now().date())
    known = [one.id for one in file.budgets]
    if identity not in known:
        near = nearest(identity, known)
        fix = f"did you mean {near!r}?" if near else f"budgets are {', '.join(known)}"
        raise ConfigurationError(f"no budget {identity!r}", where=file.path, next_step=fix)
    results, _ = _judged(context, file, paths, store_of(found, store), fingerprint)
    own = [one for one in results if one.id == identity]
    if form == "json":
        import msgspec

        click.echo(msgspec.json.encode(own).decode())
        return
    from aether_tui.budgets.explain import explain_result

    rule = next(one for one in file.budgets if one.id == identity)
    click.echo("\n\n".join(explain_result(rule, one, file.currency) for one in own))


def _judged(
    context: Context, file: BudgetFile, paths: Sequence[str], store: Path, fingerprint: str | None
) -> tuple[tuple[Result, ...], frozenset[Surface] | None]:
    """Verdicts, and the surfaces that were looked at (None: all)."""
    workspace = _workspace(context, needed=not paths)
    cached = _cached(context, file, workspace) if workspace else {}
    today = context.now().date()
    if not paths:
        return judge(file, cached, today), None
    from aether_tui.budgets.filed import from_files
    from aether_tui.budgets.measure import SURFACE
    from aether_tui.cli.measuring import measure_files

    measurements = measure_files(context, paths)
    for problem in (problem for one in measurements for problem in one.problems):
        click.echo(f"note: {problem}", err=True)
    measured = from_files(file, measurements, cached)
    if workspace is None or not workspace.cache_path.exists():
        from aether_tui.budgets.baseline import against_stored, read_baselines, stamped

        stored = read_baselines(store, file.currency)
        measured = against_stored(file, stamped(measured, file, fingerprint_of(fingerprint)), stored, store.name)
    results = judge(file, measured, today)
    used = sorted({one.base_source for one in results if one.base_source})
    if used:
        click.echo(f"note: compared with {', '.join(used)}", err=True)
    scope = frozenset(SURFACE[type(one)] for one in measurements)
    return tuple(_say_unmatched(one, file, measurements, scope) for one in results), scope


def _say_unmatched(
    one: Result, file: BudgetFile, measurements: Sequence[Measurement], scope: frozenset[Surface]
) -> Result:
    """A budget of these files that nothing in them is meant by says what was there instead."""
    if one.verdict != "no-data":
        return one
    import msgspec

    from aether_tui.budgets.filed import unmatched

    rule = next(rule for rule in file.budgets if rule.id == one.id)
    why = unmatched(measurements, rule) if one.surface in scope else ELSEWHERE
    step = _UNMATCHED.get(one.surface, "check its match") if one.surface in scope else ""
    return msgspec.structs.replace(one, why=why or one.why, reason=why or one.why, next=step)


def _workspace(context: Context, *, needed: bool) -> Workspace | None:
    try:
        return context.workspace()
    except ConfigurationError:
        if needed:
            raise
        return None


def _cached(context: Context, file: BudgetFile, workspace: Workspace) -> Mapping[str, Sequence[Measured]]:
    from aether_tui.budgets.cached import Span, from_cache
    from aether_tui.cache import Cache
    from aether_tui.diagnostics.frame import Clock
    from aether_tui.diagnostics.run import open_data

    config = context.config()
    clock = Clock.of(context.now(), fiscal_start_month=config.engagement.fiscal_year_start_month)
    with open_data(config, clock, Cache(workspace.cache_path)) as data:
        return from_cache(data.rows, file, Span(_naive(clock.window.start), _naive(clock.window.end)))


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)


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


# --- Faces ----------------------------------------------------------------------------------------------------------


def _print(outcome: Outcome, form: str, summary: Path | None) -> None:
    if form == "md":
        click.echo(markdown(outcome), nl=False)
    elif form == "junit":
        click.echo(junit(outcome), nl=False)
    elif form == "github":
        for line in github_commands(outcome):
            click.echo(line)
        if summary:
            _summarise(outcome, summary)
    else:
        header = ("", "BUDGET", "NOW", "BASE", "Δ", "LIMIT", "N", "WHY")
        print_table(header, [(GLYPHS[one.verdict], *_cells(one, outcome.currency)) for one in outcome.results])
        click.echo(f"\n{GLYPHS[outcome.verdict]} {outcome.headline()}")
        for said in outcome.expiries():
            click.echo(f"{GLYPHS['block']} {said}")


def _print_json(outcome: Outcome, results: Sequence[Result]) -> None:
    import msgspec

    printed = {
        "verdict": outcome.verdict,
        "currency": outcome.currency,
        "budgets": results,
        "expired_waivers": [one.id for one in outcome.expired],
        "advisory": outcome.advisory,
    }
    click.echo(msgspec.json.encode(printed).decode())


def _summarise(outcome: Outcome, path: Path) -> None:
    """Append to the step's summary, as far as it has room."""
    try:
        room = MAX_SUMMARY - (path.stat().st_size if path.exists() else 0)
        if room < MIN_SUMMARY:
            click.echo("note: the summary of this step is full: nothing was added", err=True)
            return
        with path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(markdown(outcome, room))
    except OSError as error:
        raise ConfigurationError(
            f"the summary cannot be written: {error.strerror}", where=str(path), next_step="check GITHUB_STEP_SUMMARY"
        ) from error


def _cells(one: Result, currency: str) -> tuple[str, ...]:
    n = f"{one.n_now}/{one.n_base}" if one.n_base else str(one.n_now)
    now, base, limit = (number(value, one, currency) for value in (one.now, one.baseline, one.limit))
    why = one.why + (f"; next: {one.next}" if one.next else "")
    return one.name, now, base, signed_share(one.shift), limit, n, why


def _exit(outcome: Outcome, strict: bool) -> None:
    verdict = outcome.verdict
    worst = next((one for one in outcome.results if one.verdict == verdict), None)
    what = f"{worst.name}: {worst.why}" if worst else "nothing was measured"
    next_step = worst.next if worst else ""
    if verdict == "block" or (verdict == "warn" and strict):
        raise CheckFailed(what, where=verdict, next_step=next_step)
    if verdict == "inconclusive":
        raise NoData(what, where=verdict, next_step=next_step)
    if verdict == "no-data":
        raise NoData(what, where="no data", next_step=next_step or "a gate that measured nothing is not green")
    sys.stdout.flush()

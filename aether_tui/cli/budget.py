"""`budget`: the gate. With PATHs it needs no workspace; with a workspace the cache is the baseline."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aether_tui.budgets.file import BudgetFile, Surface, Waiver
from aether_tui.budgets.model import WORST_FIRST, Measured, Result, Verdict
from aether_tui.budgets.verdict import expired, judge, overall
from aether_tui.cli.baseline import baseline
from aether_tui.cli.budget_file import FILE, FINGERPRINT, STORE, fingerprint_of, read_found, store_of
from aether_tui.cli.context import Context
from aether_tui.cli.output import print_table
from aether_tui.errors import CheckFailed, ConfigurationError, NoData
from aether_tui.human import amount
from aether_tui.problems import nearest
from aether_tui.report_model import GLYPHS

if TYPE_CHECKING:
    from aether_tui.budgets.measure import Measurement
    from aether_tui.workspace.folder import Workspace

ELSEWHERE = "not part of these files"
_UNMATCHED: dict[Surface, str] = {"cost": "name the project's environment under [mapping.environments] in aether.toml"}

FORMATS = click.option("--format", "form", type=click.Choice(["text", "json", "md"]), default="text", show_default=True)


@click.group(short_help="The gate: compare measurements with budgets")
def budget() -> None:
    """The gate: compare measurements with the budgets of optimization/budgets.yaml."""


budget.add_command(baseline)


@budget.command()
@click.argument("paths", nargs=-1, metavar="[PATH|-]…")
@FORMATS
@FILE
@STORE
@FINGERPRINT
@click.option("--strict", is_flag=True, help="Exit 1 on a warning, too.")
@click.option("--self-test", is_flag=True, help="Plant a spike in every budget; the gate must block each of them.")
@click.pass_obj
def check(
    context: Context, paths: tuple[str, ...], form: str, path: Path | None, store: Path | None, fingerprint: str | None,
    strict: bool, self_test: bool,
) -> None:  # fmt: skip
    """Judge reports (JUnit, Infracost, FOCUS, pipeline runs, traces, `measure` output), or without PATH the cache.

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
    _print(verdict, file, results, expired(file, today), form)
    _exit(verdict, results, strict)


@budget.command()
@click.argument("identity", metavar="ID")
@click.argument("paths", nargs=-1, metavar="[PATH|-]…")
@FORMATS
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


def _print(verdict: Verdict, file: BudgetFile, results: Sequence[Result], over: Sequence[Waiver], form: str) -> None:
    if form == "json":
        import msgspec

        printed = {
            "verdict": verdict,
            "currency": file.currency,
            "budgets": results,
            "expired_waivers": [one.id for one in over],
        }
        click.echo(msgspec.json.encode(printed).decode())
        return
    shown = [one for one in results if one.why != ELSEWHERE]
    header = ("BUDGET", "NOW", "BASE", "Δ", "LIMIT", "N", "WHY")
    rows = [_cells(one, file.currency) for one in shown]
    if form == "md":
        click.echo("\n".join(_markdown(verdict, header, rows, shown)))
    else:
        print_table(("", *header), [(GLYPHS[one.verdict], *row) for one, row in zip(shown, rows, strict=True)])
        left = f"; {len(results) - len(shown)} budgets are {ELSEWHERE}" if len(shown) < len(results) else ""
        click.echo(f"\n{GLYPHS[verdict]} {verdict}: {_counts(shown)}{left}")
    for waiver in over:
        click.echo(f"■ waiver {waiver.id} for {waiver.budget} ({waiver.owner}) expired on {waiver.expires}")


def _cells(one: Result, currency: str) -> tuple[str, ...]:
    unit = one.unit.replace(currency, "money")

    def number(value: float | None) -> str:
        return "—" if value is None else amount(value, unit, currency)

    shift = "—" if one.shift is None else f"{'+' if one.shift > 0 else ''}{amount(one.shift, 'ratio')}"
    n = f"{one.n_now}/{one.n_base}" if one.n_base else str(one.n_now)
    why = one.why + (f"; next: {one.next}" if one.next else "")
    return one.name, number(one.now), number(one.baseline), shift, number(one.limit), n, why


def _counts(results: Sequence[Result]) -> str:
    counts = {verdict: sum(one.verdict == verdict for one in results) for verdict in WORST_FIRST}
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count) or "no budget"


def _markdown(
    verdict: Verdict, header: Sequence[str], rows: Sequence[Sequence[str]], results: Sequence[Result]
) -> list[str]:
    """A comment for a change; the marker lets a later one replace it. Cells of strangers' text are escaped."""
    lines = ["<!-- aether-tui budget check -->", f"### Budgets: {GLYPHS[verdict]} {verdict} ({_counts(results)})", ""]
    lines += ["|  | " + " | ".join(header) + " |", "|---|" + "---|" * len(header)]
    lines += [
        f"| {GLYPHS[one.verdict]} {one.verdict} | " + " | ".join(_escaped(cell) for cell in row) + " |"
        for one, row in zip(results, rows, strict=True)
    ]
    return lines


def _escaped(text: str) -> str:
    from aether_tui.text import one_line

    return "".join(f"\\{letter}" if letter in "\\|`*_[]<>@#~!" else letter for letter in one_line(text, 300))


def _exit(verdict: Verdict, results: Sequence[Result], strict: bool) -> None:
    worst = next((one for one in results if one.verdict == verdict and one.why != ELSEWHERE), None)
    what = f"{worst.name}: {worst.why}" if worst else "nothing was measured"
    if verdict == "block" or (verdict == "warn" and strict):
        raise CheckFailed(what, where=f"{verdict}", next_step=worst.next if worst else "")
    if verdict == "inconclusive":
        raise NoData(what, where="inconclusive", next_step=worst.next if worst else "")
    if verdict == "no-data":
        raise NoData(
            what,
            where="no data",
            next_step=(worst.next if worst else "") or "a gate that measured nothing is not green",
        )
    sys.stdout.flush()

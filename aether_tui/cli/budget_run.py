"""What `budget check` and `budget explain` do before they print: read, compare with the base, judge."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aether_tui.budgets.file import NAME, BudgetFile, parse_budgets
from aether_tui.budgets.model import Measured, Result, Series, Surface, Used
from aether_tui.budgets.reprice import repriced
from aether_tui.budgets.verdict import judge
from aether_tui.cli.budget_file import fingerprint_of, store_of
from aether_tui.cli.context import Context
from aether_tui.errors import ConfigurationError

if TYPE_CHECKING:
    from aether_tui.budgets.baseline import Baseline
    from aether_tui.budgets.git import Base, Repository
    from aether_tui.budgets.measurements import Measurement
    from aether_tui.workspace.folder import Workspace

ELSEWHERE = "not part of these files"
_UNMATCHED: dict[Surface, str] = {"cost": "name the project's environment under [mapping.environments] in aether.toml"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says about what is compared with what."""

    paths: tuple[str, ...]
    store: str | None
    fingerprint: str | None
    base: str | None


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdicts, the budgets they were given by, the surfaces looked at (None: all), and the change in git."""

    file: BudgetFile
    results: tuple[Result, ...]
    scope: frozenset[Surface] | None
    repository: Repository | None
    base: Base | None


def judged(context: Context, file: BudgetFile, found: Path, asked: Asked) -> Judged:
    """Every budget of the file against the files named, or the cache where none is. Raises ConfigurationError."""
    repository, base = _change(found, asked.base)
    today = context.now().date()
    if base and repository:
        file = _with_base_waivers(file, found, repository, base, today)
    elif _of_a_change(asked.base) and file.waivers:
        click.echo("note: no waiver holds: the base branch cannot be read, and a change cannot waive itself", err=True)
        file = replace(file, waivers=())
    workspace = _workspace(context, needed=not asked.paths)
    cached = _cached(context, file, workspace) if workspace else {}
    if not asked.paths:
        return Judged(file, judge(file, cached, today), None, repository, base)
    results, scope = _of_files(context, file, found, asked, cached, base)
    return Judged(file, results, scope, repository, base)


def _of_files(
    context: Context, file: BudgetFile, found: Path, asked: Asked, cached: Mapping[str, Sequence[Measured]],
    base: Base | None,
) -> tuple[tuple[Result, ...], frozenset[Surface]]:  # fmt: skip
    from aether_tui.budgets.filed import from_files
    from aether_tui.budgets.measurements import SURFACE
    from aether_tui.cli.measuring import measure_files

    measurements = measure_files(context, asked.paths)
    for problem in (problem for one in measurements for problem in one.problems):
        click.echo(f"note: {problem}", err=True)
    measured: Mapping[str, Sequence[Measured]] = from_files(file, measurements, cached)
    stored: tuple[Baseline, ...] = ()
    if not cached or any(budget.on_missing == "carry" for budget in file.budgets):
        stored, measured = _stored(file, found, asked, measured, base)
    if any(
        sample.usage for found_ in measured.values() for one in found_ if isinstance(one, Series) for sample in one.now
    ):
        measured = repriced(file, measured, _price(context))
    results = judge(file, measured, context.now().date())
    _say_sources(results)
    scope = frozenset(SURFACE[type(one)] for one in measurements)
    told = tuple(_say_unmatched(one, file, measurements, scope) for one in results)
    if stored:
        from aether_tui.budgets.carry import carried, with_carried

        told = with_carried(told, carried(file, measured, stored, context.now()))
    return told, scope


def measured_now(
    context: Context, file: BudgetFile, found: Path, asked: Asked
) -> tuple[Mapping[str, Sequence[Measured]], list[Measurement]]:
    """What the files named, or the cache, say about each budget, with its history; and what the files say at all."""
    workspace = _workspace(context, needed=not asked.paths)
    cached = _cached(context, file, workspace) if workspace else {}
    if not asked.paths:
        return cached, []
    from aether_tui.budgets.filed import from_files
    from aether_tui.cli.measuring import measure_files

    measurements = measure_files(context, asked.paths)
    measured = from_files(file, measurements, cached)
    return (measured if cached else _stored(file, found, asked, measured, None)[1]), measurements


def _stored(
    file: BudgetFile, found: Path, asked: Asked, measured: Mapping[str, Sequence[Measured]], base: Base | None
) -> tuple[tuple[Baseline, ...], Mapping[str, Sequence[Measured]]]:
    """The baselines of the store, and the measurements with them behind."""
    from aether_tui.budgets.baseline import against_stored, read_baselines, stamped

    store = store_of(found, asked.store)
    if base:
        store = store.at(base)
    stored = read_baselines(store, file.currency)
    marked = stamped(measured, file, fingerprint_of(asked.fingerprint))
    return stored, against_stored(file, marked, stored, store.name, base)


def _price(context: Context) -> Callable[[Used], Decimal | None]:
    """What an average call costs at the moment of the clock, by the user's prices or the shipped ones."""
    from aether_tui.cli.measuring import config_of
    from aether_tui.ingest.prices import Prices, Usage

    prices, now = Prices(config_of(context).prices), context.now()

    def price(used: Used) -> Decimal | None:
        each = Usage(
            round(used.input_tokens / used.calls), round(used.output_tokens / used.calls),
            round(used.cached_tokens / used.calls),
        )  # fmt: skip
        return prices.cost(used.provider or None, used.model, now, each, None).usd

    return price


def _say_sources(results: Sequence[Result]) -> None:
    used = sorted({one.base_source for one in results if one.base_source})
    if used:
        more = f" and {len(used) - 5} more" if len(used) > 5 else ""
        click.echo(f"note: compared with {', '.join(used[:5])}{more}", err=True)


# --- The change -----------------------------------------------------------------------------------------------------


def _of_a_change(ref: str | None) -> bool:
    from aether_tui.budgets.git import base_in

    return bool(ref or base_in(os.environ))


def _change(found: Path, ref: str | None) -> tuple[Repository | None, Base | None]:
    """Where HEAD left the base branch that is named, by the job's environment if not by `--base`."""
    if not _of_a_change(ref):
        return None, None
    from aether_tui.budgets.git import GitFailed, base_in, repository_of

    repository = repository_of(found)
    fix = "fetch the whole history (GitHub: fetch-depth: 0, GitLab: GIT_DEPTH: 0)"
    try:
        if repository is None:
            raise GitFailed("there is no git repository here")
        base = repository.base(ref or base_in(os.environ))
    except GitFailed as error:
        if ref:
            raise ConfigurationError(str(error), where=f"--base {ref}", next_step=fix) from error
        click.echo(f"note: compared with the newest baselines, not those of the base branch: {error}; {fix}", err=True)
        return repository, None
    click.echo(f"note: base {base.ancestors[0][:8]}, the merge-base of HEAD and {base.ref}", err=True)
    return repository, base


def _with_base_waivers(file: BudgetFile, found: Path, repository: Repository, base: Base, today: date) -> BudgetFile:
    """The budgets of the change with the waivers of the base branch: a change cannot waive itself."""

    data = repository.file(base.tip, found)
    theirs: BudgetFile | None = None
    if data is not None:
        try:
            theirs = parse_budgets(data, f"{NAME} of {base.ref}", today)
        except ConfigurationError as error:
            click.echo(f"note: no waiver holds: {error.sentence()}", err=True)
    known = {budget.id for budget in file.budgets}
    held = tuple(waiver for waiver in (theirs.waivers if theirs else ()) if waiver.budget in known)
    for own in file.waivers:
        if own.id not in {waiver.id for waiver in held}:
            click.echo(f"note: waiver {own.id} is not on {base.ref} yet: it does not hold for this change", err=True)
    return replace(file, waivers=held)


# --- The cache ------------------------------------------------------------------------------------------------------


def _workspace(context: Context, *, needed: bool) -> Workspace | None:
    """The workspace; without files to read it must be there, with files its cache may be missing."""
    try:
        workspace = context.workspace()
    except ConfigurationError:
        if needed:
            raise
        return None
    return workspace if needed or workspace.cache_path.exists() else None


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
    step = (
        _UNMATCHED.get(one.surface, "mend its match, or let `aether-tui budget init` add one for them")
        if one.surface in scope
        else ""
    )
    return msgspec.structs.replace(one, why=why or one.why, reason=why or one.why, next=step)

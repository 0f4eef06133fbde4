"""`sync`: sources into the cache."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT
from aether_tui.errors import CacheTrouble, ConfigurationError, SourceFailed
from aether_tui.human import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from aether_tui.config import Config
    from aether_tui.sync.engine import Event, Outcome, Traffic
    from aether_tui.sync.paid import Bill
    from aether_tui.sync.plan import Job
    from aether_tui.workspace.folder import Workspace


@click.command(short_help="Pull sources into the cache")
@click.argument("sources", nargs=-1, metavar="[SOURCE]…")
@click.option("--full", is_flag=True, help="Read everything again instead of what changed.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    metavar="DATE",
    help="Read what changed after this date (UTC) instead.",
)
@click.option("--yes", is_flag=True, help="Agree to the price of sources that bill each request.")
@FORMAT
@click.pass_obj
def sync(context: Context, sources: tuple[str, ...], full: bool, since: datetime | None, yes: bool, form: str) -> None:
    """Pull the named sources, or all enabled ones, into the cache.

    Interrupted, it continues where it was the next time. One failing source does not stop the others (exit 4). A source
    whose requests cost money says its price first, and is left out unless you agree.
    """
    import asyncio

    from aether_tui.cache import Cache
    from aether_tui.ingest import Ingest
    from aether_tui.sync.engine import Event, Outcome, run
    from aether_tui.sync.intake import Writer
    from aether_tui.sync.loading import STREAM
    from aether_tui.sync.paid import bills
    from aether_tui.sync.plan import plan

    start = since.replace(tzinfo=UTC) if since else None
    if start is not None and start > context.now():
        # As a first cursor it would hide everything until then.
        raise ConfigurationError(f"--since {start:%Y-%m-%d} lies in the future", next_step="name a day that is over")
    workspace, config = context.workspace(), context.config()
    left: dict[str, ConfigurationError] = {}
    if not (sources or config.sources) and _derived_again(workspace, config, context.now):
        return
    jobs = plan(config, workspace, sources, now=context.now, offline=context.offline, left=left)
    emit = _safely(_print_event if form == "json" else _narrate)
    for name, error in left.items():
        emit(Event("error", name, message="; ".join(filter(None, (error.what, error.next_step)))))
    with alone(workspace):
        cache = Cache(workspace.cache_path)
        cache.frugal()
        writer = Writer(cache, Ingest.of(workspace, config), context.now)
        jobs = _agreed(jobs, bills(jobs, writer.cache, since=start, full=full), yes=yes, named=bool(sources))
        outcomes = asyncio.run(run(jobs, writer, emit, since=start, full=full))
        cache.forget(config.sources, STREAM)
    outcomes += [Outcome(name, "", error=error.what, hint=error.next_step) for name, error in left.items()]
    if form == "text":
        _print_table(outcomes)
    _judge(outcomes)


def _derived_again(workspace: Workspace, config: Config, now: Callable[[], datetime]) -> bool:
    """Whether there was something to do in a workspace of files only: what is stored follows a mapping that has changed."""
    from aether_tui.cache import Cache
    from aether_tui.ingest import Ingest
    from aether_tui.sync.intake import Writer

    if not workspace.cache_path.exists():
        return False
    with alone(workspace):
        told = Writer(Cache(workspace.cache_path), Ingest.of(workspace, config), now).open()
    for sentence in told:
        click.echo(sentence, err=True)
    return any("derived again" in sentence for sentence in told)


def _agreed(jobs: list[Job], costly: Sequence[Bill], *, yes: bool, named: bool) -> list[Job]:
    """The jobs without those whose price nobody agreed to. Raises ConfigurationError when nothing else was asked for."""
    import sys

    for bill in costly:
        click.echo(bill.sentence(), err=True)
        if yes or (sys.stdin.isatty() and click.confirm(f"pull {bill.job.name}?", err=True)):
            continue
        jobs = [job for job in jobs if job is not bill.job]
        next_step = f"agree to its price with `aether-tui sync {bill.job.name} --yes`"
        if named or not jobs:
            raise ConfigurationError(f"{bill.job.name} is not pulled: {bill.sentence()}", next_step=next_step)
        click.echo(f"{bill.job.name} is left out; {next_step}", err=True)
    return jobs


@contextmanager
def alone(workspace: Workspace) -> Iterator[None]:
    """The one sync of this workspace. Raises CacheTrouble naming the other; a killed one leaves no lock."""
    from aether_tui.cache.turn import Turn, holder

    workspace.private()
    path = workspace.hidden / "sync.lock"
    turn = Turn.take(path, 0)
    if turn is None:
        raise CacheTrouble(
            f"another sync is running ({holder(path) or 'it has just begun'})",
            where=str(workspace.root),
            next_step="wait until it is done, or stop it",
        )
    import os

    with turn.signed(f"process {os.getpid()}"):
        yield


def _safely(emit: Callable[[Event], None]) -> Callable[[Event], None]:
    """A reader that left must not stop the pulling."""

    def safe(event: Event) -> None:
        nonlocal emit
        try:
            emit(event)
        except BrokenPipeError:
            emit = _silent

    return safe


def _silent(_event: Event) -> None:
    pass


def _print_event(event: Event) -> None:
    counts = event.counts
    line: dict[str, object] = {
        "event": event.event, "source": event.source, "stream": event.stream, "rows": counts.rows,
        "inserted": counts.inserted, "updated": counts.updated, "unchanged": counts.unchanged,
        "removed": counts.removed, "rejected": counts.rejected, "late": counts.late, "total": event.total, "message": event.message,
    }  # fmt: skip
    if event.traffic is not None:
        line["traffic"] = {**asdict(event.traffic), "rows_per_s": _pace(event.counts.rows, event.traffic)}
    click.echo(json.dumps(line))


def _pace(rows: int, traffic: Traffic) -> float | None:
    """Rows a second; null for what took no time."""
    return round(rows / traffic.seconds, 1) if traffic.seconds else None


def _narrate(event: Event) -> None:
    from aether_tui.sync.engine import NOT_TRIED
    from aether_tui.text import one_line

    name = f"{event.source} {event.stream}".strip()
    rows = f"{event.counts.rows:,}" + (f" of {event.total:,}" if event.total else "")
    if event.event == "error":
        if event.message.startswith(NOT_TRIED):  # its source has said why
            return
        click.echo(f"{name}: failed: {one_line(event.message, 400)}", err=True)
    elif event.event == "start" and event.message:
        click.echo(one_line(event.message, 400), err=True)
    elif event.event == "page":
        click.echo(f"{name}: {rows} rows", err=True)


_ONLY_WHERE = {"gone": "0", "rejected": "0", "late": "0", "waited": "0 s"}
"""Columns that are shown where a stream has something else to say."""


def _print_table(outcomes: Sequence[Outcome]) -> None:
    from aether_tui.cli.output import LATE
    from aether_tui.text import one_line

    head = (
        "source", "stream", "rows", "new", "changed", "gone", "rejected", "late", "requests", "kB", "rows/s", "waited", ""
    )  # fmt: skip
    lines: list[tuple[str, ...]] = [head, *map(_line, outcomes)]
    # What did not happen needs no column: 80 columns are few.
    shown = [
        place
        for place, name in enumerate(head)
        if name not in _ONLY_WHERE or any(line[place] != _ONLY_WHERE[name] for line in lines[1:])
    ]
    lines = [tuple(line[place] for place in shown) for line in lines]
    widths = [max(len(line[place]) for line in lines) for place in range(len(shown))]
    for line in lines:
        cells = [
            cell.rjust(width) if 2 <= place < len(shown) - 1 else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())
    if any(outcome.counts.late for outcome in outcomes):
        click.echo(LATE, err=True)
    for outcome in outcomes:
        for problem in outcome.problems[:5]:
            click.echo(f"{outcome.source} {outcome.stream}: {one_line(problem, 400)}", err=True)


def _line(outcome: Outcome) -> tuple[str, ...]:
    counts, traffic = outcome.counts, outcome.traffic
    pace = _pace(counts.rows, traffic)
    numbers = (
        counts.rows, counts.inserted, counts.updated, counts.removed, counts.rejected, counts.late, traffic.requests
    )  # fmt: skip
    return (
        outcome.source,
        outcome.stream,
        *(f"{number:,}" for number in numbers),
        f"{traffic.bytes / 1000:,.0f}",
        "–" if pace is None else f"{pace:,.0f}",
        f"{traffic.waited_s:,.0f} s",
        ("failed" if outcome.tried else "not tried") if outcome.error else "done",
    )


def _judge(outcomes: Sequence[Outcome]) -> None:
    failed = [outcome for outcome in outcomes if outcome.error and outcome.tried]
    if failed:
        first = failed[0]
        others = list(dict.fromkeys(one.source for one in failed if one.source != first.source))
        same = sum(one.source == first.source for one in failed) - 1
        told = [f"{plural(same, 'more stream')} of it"] * bool(same) + others
        more = f" (and {', '.join(told)})" if told else ""
        raise SourceFailed(
            first.error + more,
            where=f"{first.source} {first.stream}".rstrip(),
            next_step=first.hint or "run `aether-tui sync` again",
        )

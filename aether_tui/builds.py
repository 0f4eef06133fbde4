"""Building reports behind the console, in a process of its own: `python -m aether_tui.builds`.

A child costs half a second more than a thread would, and the console stays at a third of the memory, never waits for the
interpreter lock, and can stop a build at any instant by ending it. One that is done waits a while for the next order, so
that only the first pays for the start. Reports made of documents alone need no DuckDB and are
built in a thread, so that a changed score is ranked at once.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from aether_tui.errors import AetherError
from aether_tui.looking import Looking
from aether_tui.report_model import save
from aether_tui.session import Failure, Memory, Settings
from aether_tui.workspace.folder import Workspace

FROM_DOCUMENTS = frozenset({"portfolio", "stakeholders", "maturity"})
"""Reports without a number from the cache."""
_TURN = "aether_tui.cache.turn"
"""The log that says who holds the cache."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line decided: the clock, the network, the seed, the first screen, and for a wall: look only, ring."""

    now: Callable[[], datetime]
    as_of: datetime | None = None
    seed: int = 0
    offline: bool = False
    start: str | None = None
    read_only: bool = False
    bell: bool = False


class Outcome(Struct, frozen=True):
    """How the building of one report ended: it is in `Memory` now, or there is a failure."""

    name: str
    failure: Failure | None = None
    settings: Settings | None = None
    draft: bool = False
    """It is not whole yet: a second build follows."""
    waits: str = ""
    """Who holds the cache: the build has not ended, it waits."""


class Order(Struct, frozen=True):
    """What a child is to build, in order."""

    root: str
    names: tuple[str, ...]
    now: datetime
    seed: int
    looking: Looking = Looking()
    draft: bool = False
    """Without what takes long: `Outcome.draft` says that something was left for a whole build."""
    yields: bool = False
    """Its child takes only what others leave of the processor: what it completes is on the screen already."""
    ready: bool = False
    """Nothing is built: its child reads the programs that the reports will need, and says nothing."""

    def line(self) -> bytes:
        """The order as a child reads it."""
        return msgspec.json.encode(self) + b"\n"


COMMAND = (sys.executable, "-P", "-m", "aether_tui.builds")
"""A child that builds; `-P` keeps Python files of the folder we are in from being imported."""


def build(order: Order, name: str) -> Outcome:
    """Read configuration, documents and cache, build the report and remember it."""
    workspace = Workspace(Path(order.root))
    settings: Settings | None = None
    began_ns = time.time_ns()
    try:
        from aether_tui.config_file import load_config
        from aether_tui.diagnostics.frame import Clock, Filters
        from aether_tui.diagnostics.run import run_draft, run_report
        from aether_tui.workspace import reviews

        config = load_config(workspace)
        fiscal, looking = config.engagement.fiscal_year_start_month, order.looking
        settings = Settings(config.engagement.name, config.console.theme, dict(config.console.keys), fiscal)
        against = reviews.window_of(workspace, looking.compare) or looking.compare
        clock = Clock.of(order.now, looking.window, against, seed=order.seed, fiscal_start_month=fiscal)
        filters = Filters(team=looking.team, service=looking.service, feature=looking.feature)
        draft = False
        if order.draft:
            report, draft = run_draft(name, workspace, config, clock)
        elif name in FROM_DOCUMENTS:
            report = run_report(name, workspace, config, clock, filters=filters)
        else:
            from aether_tui.cache import Cache

            report = run_report(name, workspace, config, clock, Cache(workspace.cache_path), filters)
        # A draft counts as out of date, so that a console that ends now will not take it for whole.
        try:
            Memory(workspace).keep_report(name, save(report), 0 if draft else began_ns, looking.key)
        except OSError as error:
            step = f"check space and permissions of .aether/, or print it: aether-tui report {name}"
            return Outcome(name, Failure(f"the new one cannot be kept: {error.strerror}", next_step=step), settings)
        return Outcome(name, None, settings, draft)
    except AetherError as error:
        return Outcome(name, Failure(error.what, error.where, error.next_step), settings)
    except Exception as error:  # whatever it is, it stays in this report's panel
        return Outcome(name, _unexpected(error, workspace, order.now), settings)


def _unexpected(error: Exception, workspace: Workspace, now: datetime) -> Failure:
    from aether_tui.crash import redact, write_crash

    what = redact(f"{type(error).__name__}: {' '.join(str(error).split())[:200]}", os.environ)
    try:
        path = write_crash(workspace.state, error, (), now)
    except OSError:
        return Failure(what, "an error in the program")
    return Failure(what, "an error in the program", f"details without secrets: {path.relative_to(workspace.root)}")


def get_ready(order: Order) -> None:
    """Do what the first build of a process spends most of its time with."""
    from aether_tui.cache import Cache
    from aether_tui.config_file import load_config
    from aether_tui.diagnostics.run import diagnostic
    from aether_tui.workspace.documents import read_documents

    with contextlib.suppress(AetherError):  # the build says it
        workspace = Workspace(Path(order.root))
        for name in order.names:
            diagnostic(name)
        read_documents(workspace, load_config(workspace))
        with Cache(workspace.cache_path).read() as lease:
            lease.rows("SELECT count(*) FROM meta")


class _Waits(logging.Handler):
    """Says for whom the build of the report `name` waits."""

    name_of_report = ""

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.args, tuple):
            _say(Outcome(self.name_of_report, waits=str(record.args[0])))


def _say(outcome: Outcome) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Build what is ordered, an order a line of stdin until it ends: one JSON line per report as soon as it is there, and
    one before it where somebody holds the cache."""
    waits = _Waits()
    for line in sys.stdin.buffer:
        order = msgspec.json.decode(line, type=Order)
        if order.ready:
            get_ready(order)
            continue
        logging.getLogger(_TURN).addHandler(waits)
        for waits.name_of_report in order.names:
            _say(build(order, waits.name_of_report))
        logging.getLogger(_TURN).removeHandler(waits)


if __name__ == "__main__":
    main()

"""Building one report behind the console: in a thread, away from Textual, stoppable at any moment."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from aether_tui.errors import AetherError
from aether_tui.report_model import SavedReport, load, save
from aether_tui.session import Memory
from aether_tui.workspace.folder import Workspace
from screens.base import Failure

if TYPE_CHECKING:
    from aether_tui.diagnostics.frame import Lease, Readable


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line decided: the clock, the network, the seed, the first screen."""

    now: Callable[[], datetime]
    as_of: datetime | None = None
    seed: int = 0
    offline: bool = False
    start: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What the configuration says about the console."""

    name: str
    theme: str
    keys: dict[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A report or a failure; nothing at all when the build was cancelled."""

    report: SavedReport | None = None
    failure: Failure | None = None
    settings: Settings | None = None


@dataclass(slots=True)
class Build:
    """One report being built. `cancel` stops its query too, which marking a worker cancelled does not."""

    name: str
    cancelled: bool = False
    _lease: Lease | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def within_reach(self, reading: AbstractContextManager[Lease]) -> Iterator[Lease]:
        """The lease, held where `cancel` finds it."""
        with reading as lease:
            with self._lock:
                self._lease = lease
            try:
                if self.cancelled:
                    raise InterruptedError
                yield lease
            finally:
                with self._lock:
                    self._lease = None

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        self.cancelled = True
        with self._lock:
            if self._lease is not None:
                self._lease.interrupt()

    def run(self, workspace: Workspace, options: Options, memory: Memory) -> Outcome:
        """Read configuration, documents and cache, build the report and remember it."""
        settings: Settings | None = None
        began_ns = time.time_ns()
        try:
            from aether_tui.config_file import load_config
            from aether_tui.diagnostics.frame import Clock
            from aether_tui.diagnostics.run import run_report

            config = load_config(workspace)
            settings = Settings(config.engagement.name, config.console.theme, dict(config.console.keys))
            clock = Clock.of(
                options.now(), seed=options.seed, fiscal_start_month=config.engagement.fiscal_year_start_month
            )
            report = run_report(self.name, workspace, config, clock, _Reachable(self, workspace))
            data = save(report)
            if self.cancelled:
                return Outcome()
            memory.keep_report(self.name, data, began_ns)
            return Outcome(load(data), None, settings)
        except AetherError as error:
            return Outcome(None, Failure(error.what, error.where, error.next_step), settings)
        except Exception as error:  # whatever it is, it stays in this report's panel
            return (
                Outcome() if self.cancelled else Outcome(None, _unexpected(error, workspace, options.now()), settings)
            )


class _Reachable:
    """A cache whose leases can be interrupted by the build that reads them."""

    def __init__(self, build: Build, workspace: Workspace) -> None:
        from aether_tui.cache import Cache

        self._build = build
        self._cache: Readable = Cache(workspace.cache_path)

    def read(self) -> AbstractContextManager[Lease]:
        return self._build.within_reach(self._cache.read())


def _unexpected(error: Exception, workspace: Workspace, now: datetime) -> Failure:
    from aether_tui.crash import redact, write_crash

    what = redact(f"{type(error).__name__}: {' '.join(str(error).split())[:200]}", os.environ)
    try:
        path = write_crash(workspace.state, error, (), now)
    except OSError:
        return Failure(what, "an error in the program")
    return Failure(what, "an error in the program", f"details without secrets: {path.relative_to(workspace.root)}")

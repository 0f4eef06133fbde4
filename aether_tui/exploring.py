"""The explorer behind the console: a child that holds the list of traces and finds the rows behind a number, asked by JSON
lines on its stdin.

`python -m aether_tui.exploring ROOT`. The newest question wins: one that still runs is interrupted. It ends with its stdin.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from aether_tui.errors import AetherError
from aether_tui.looking import Looking
from aether_tui.report_model import SavedReport, Table

if TYPE_CHECKING:
    from aether_tui.diagnostics.explorer import Explorer
    from aether_tui.diagnostics.frame import Clock, Filters
    from aether_tui.workspace.folder import Workspace

PAGE_ROWS = 200
_LARGEST = 64 << 20


class Ask(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One question: a page of the list as it should be sorted and filtered, a search, one trace, two, what was said, what the
    replay whose run is `text` answered, or the rows behind the number whose id is `trace`."""

    number: int = 0
    what: Literal["list", "search", "trace", "pair", "reveal", "replayed", "rows", "group", "stop"]
    now: datetime
    looking: Looking = Looking()
    sort: str = "start"
    descending: bool = True
    words: str = ""
    failed: bool = False
    searched: bool = False
    offset: int = 0
    text: str = ""
    trace: str = ""
    other: str = ""


class Told(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer, or a part of one: `number` is the question's, `message` an error or how far a search is."""

    number: int
    table: Table | None = None
    shown: int = 0
    report: SavedReport | None = None
    said: tuple[str, str] | None = None
    message: str = ""
    done: bool = True


class Exploring:
    """The child, as the console holds it. `heard` is called for every answer to the newest question."""

    def __init__(self, root: Path, heard: Callable[[Told], None]) -> None:
        self._root, self._heard = root, heard
        self._process: asyncio.subprocess.Process | None = None
        self._number = 0
        self._ended = asyncio.Event()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def run(self, first: Ask) -> None:
        """Start it, ask, and pass on what it tells until it ends."""
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "aether_tui.exploring", str(self._root),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            limit=_LARGEST,
        )  # fmt: skip
        assert process.stdout is not None
        try:
            self.ask(first)
            async for line in process.stdout:
                told = msgspec.json.decode(line, type=Told)
                if told.number == self._number:
                    self._heard(told)
        finally:
            self.stop()
            await process.communicate()
            self._ended.set()

    def ask(self, ask: Ask) -> None:
        """Ask; whatever was asked before is not answered any more."""
        self._number += 1
        if self.running and self._process is not None and self._process.stdin is not None:
            ask = msgspec.structs.replace(ask, number=self._number)
            self._process.stdin.write(msgspec.json.encode(ask) + b"\n")

    async def end(self) -> None:
        """End the child and wait until it has ended."""
        self.stop()
        if self._process is not None:
            await self._ended.wait()

    def stop(self) -> None:
        """End the child at once; it writes nothing but the audit line of a look that was shown."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()


# --- The child ----------------------------------------------------------------------------------------------------


class _Child:
    def __init__(self, workspace: Workspace) -> None:
        from aether_tui.cache import Cache
        from aether_tui.config_file import load_config
        from aether_tui.diagnostics.explorer import Explorer

        self.workspace, self.config = workspace, load_config(workspace)
        self.cache = Cache(workspace.cache_path)
        self.explorer: Explorer = Explorer(self.cache)
        self._opened: tuple[Looking, int] | None = None
        self.asked: queue.Queue[Ask] = queue.Queue()

    def answer(self, ask: Ask) -> None:
        """Say what is asked on stdout."""
        if ask.what == "list":
            self._list(ask)
        elif ask.what == "search":
            self._search(ask)
        elif ask.what == "rows":
            self._rows(ask)
        elif ask.what == "group":
            self._group(ask)
        elif ask.what != "stop":
            self._trace(ask)

    def _clock(self, ask: Ask) -> Clock:
        from aether_tui.diagnostics.frame import Clock
        from aether_tui.workspace import reviews

        fiscal = self.config.engagement.fiscal_year_start_month
        against = reviews.window_of(self.workspace, ask.looking.compare) or ask.looking.compare
        return Clock.of(ask.now, ask.looking.window, against, fiscal_start_month=fiscal)

    def _filters(self, ask: Ask) -> Filters:
        from aether_tui.diagnostics.frame import Filters

        return Filters(ask.looking.team, ask.looking.service, ask.looking.feature)

    def _open(self, ask: Ask) -> None:
        """Copy the list when the window is another, or the cache has changed since."""
        path = self.workspace.cache_path
        wanted = (ask.looking, path.stat().st_mtime_ns if path.exists() else 0)
        if self._opened != wanted:
            self.explorer.open(self._clock(ask), self._filters(ask))
            self._opened = wanted

    def _list(self, ask: Ask) -> None:
        self._open(ask)
        shown = self.explorer.order(
            ask.sort, descending=ask.descending, words=ask.words, searched=ask.searched, failed=ask.failed
        )
        self._page(ask, shown)

    def _page(self, ask: Ask, shown: int) -> None:
        from aether_tui.diagnostics.traces import list_table, task_of

        rows = [task_of(row) for row in self.explorer.page(ask.offset, PAGE_ROWS)]
        place = f"{ask.offset + 1:,}–{ask.offset + len(rows):,} of {shown:,}" if rows else ""
        note = place if shown == self.explorer.total else f"{place} that match, {self.explorer.total:,} in the window"
        _tell(Told(number=ask.number, table=list_table(rows, _title(ask), note.strip(" ")), shown=shown))

    def _search(self, ask: Ask) -> None:
        from aether_tui.diagnostics.explorer import Cancelled

        self._open(ask)
        ended = ""
        try:
            for share, found in self.explorer.search(ask.text, self._clock(ask)):
                if not self.asked.empty():
                    raise Cancelled
                _tell(
                    Told(number=ask.number, message=f"searched {share:.0%}, {found:,} found; esc stops it", done=False)
                )
        except Cancelled:
            ended = "stopped; "
        shown = self.explorer.order(ask.sort, descending=ask.descending, searched=True)
        _tell(Told(number=ask.number, message=f"{ended}{shown:,} traces contain it", done=False))
        self._page(msgspec.structs.replace(ask, searched=True), shown)

    def _group(self, ask: Ask) -> None:
        from aether_tui.diagnostics.traces import group_of, groups_table

        groups = [group_of(row) for row in self.explorer.groups(ask.text, self._clock(ask), self._filters(ask))]
        _tell(Told(number=ask.number, table=groups_table(ask.text, groups)))

    def _rows(self, ask: Ask) -> None:
        from aether_tui.diagnostics import evidence
        from aether_tui.diagnostics.run import open_data
        from aether_tui.report_model import load, save

        with open_data(self.config, self._clock(ask), self.cache, self._filters(ask)) as data:
            made = evidence.report(data, ask.trace)
        _tell(Told(number=ask.number, report=load(save(made))))

    def _trace(self, ask: Ask) -> None:
        from aether_tui.diagnostics import trace_pair, trace_report
        from aether_tui.diagnostics.reveal import reveal
        from aether_tui.diagnostics.run import open_data
        from aether_tui.report_model import load, save

        with open_data(self.config, self._clock(ask), self.cache) as data:
            if ask.what == "replayed":
                from aether_tui.diagnostics.replays import of_run

                _tell(Told(number=ask.number, report=load(save(of_run(data, self._clock(ask), ask.text)))))
                return
            if ask.what == "reveal":
                said = reveal(data, self.workspace.state, ask.trace, ask.other, ask.now)
                texts = (said.prompt or "not kept", said.completion or "not kept")
                _tell(Told(number=ask.number, said=texts))
                return
            both = ask.what == "pair"
            begun = self.explorer.started(ask.trace)
            made = (
                trace_pair.compare(data, ask.trace, ask.other)
                if both
                else trace_report.report(data, ask.trace, begun=begun)
            )
        _tell(Told(number=ask.number, report=load(save(made))))


def _title(ask: Ask) -> str:
    kind = "Failed traces" if ask.failed else "Traces"
    found = f" that contain “{ask.text}”" if ask.searched and ask.text else ""
    return f"{kind}{found} by {ask.sort.removesuffix('_s').removesuffix('_usd')} {'▾' if ask.descending else '▴'}"


def _tell(told: Told) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


def main(root: str) -> None:
    """Answer questions until stdin ends, the newest first: those that wait behind it are dropped."""
    from aether_tui.workspace.folder import Workspace

    child = _Child(Workspace(Path(root)))
    asked = child.asked

    def listen() -> None:
        for line in sys.stdin.buffer:
            child.explorer.interrupt()
            asked.put(msgspec.json.decode(line, type=Ask))
        os._exit(0)  # the console is gone, whatever runs

    threading.Thread(target=listen, daemon=True).start()
    while True:
        ask = asked.get()
        if not asked.empty():
            continue
        try:
            child.answer(ask)
        except AetherError as error:
            _tell(Told(number=ask.number, message=f"■ {error.sentence()}"))
        except Exception as error:
            if asked.empty():
                _tell(
                    Told(number=ask.number, message=f"■ {type(error).__name__}: {' '.join(str(error).split())[:200]}")
                )


if __name__ == "__main__":
    main(sys.argv[1])

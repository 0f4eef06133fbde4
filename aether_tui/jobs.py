"""Commands the console starts as child processes: only commands write, so the console never does."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import deque
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

from aether_tui.nice import be_nice
from aether_tui.text import one_line

RATE_S = 60.0
"""The rate of spans is that of the last minute."""

PIPE_S = 1.0
"""What a child has left in its pipes is waited for so long."""


class Event(Struct):
    """One JSON line of `sync --format json`, or of `receive --format json`."""

    event: str
    source: str = ""
    stream: str = ""
    rows: int | None = None
    total: int | None = None
    message: str | None = None
    url: str = ""
    received: int = 0
    stored: int = 0


class Job:
    """A niced child process with progress on its stdout, one JSON object per line."""

    def __init__(self, title: str, arguments: Sequence[str]) -> None:
        self.title = title
        self.running = True
        self.stopped = False
        self.error = ""
        self.told: list[str] = []
        """Lines that are no progress: what a command says that was not asked for JSON."""
        self._arguments = arguments
        self._ended = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._sources: dict[str, tuple[str, dict[str, int], int | None, str]] = {}

    async def run(self, changed: Callable[[], None]) -> int:
        """Start it and follow it to its end; `changed` is called after each event. Returns its exit status."""
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "aether_tui", *self._arguments,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            self.error = f"cannot be started: {error.strerror}"
            self._end(changed)
            return 1
        be_nice(self._process.pid)
        try:
            return await self._follow(self._process, changed)
        except asyncio.CancelledError:
            self.stop()
            await self._process.wait()
            raise
        finally:
            self._end(changed)

    async def _follow(self, process: asyncio.subprocess.Process, changed: Callable[[], None]) -> int:
        assert process.stdout is not None
        assert process.stderr is not None
        complaint = asyncio.ensure_future(process.stderr.read())
        try:
            async for line in process.stdout:
                self.hear(line)
                changed()
            text = (await complaint).decode(errors="replace")
        finally:
            complaint.cancel()
        status = await process.wait()
        if status and not self.stopped:
            last = [line for line in text.splitlines() if line.strip()][-1:] or [f"ended with status {status}"]
            self.error = one_line(last[0], 400).removeprefix("aether-tui: ")
        return status

    def _end(self, changed: Callable[[], None]) -> None:
        self.running = False
        self._ended.set()
        changed()

    async def ended(self) -> None:
        """Wait until it is over; one that ignores `stop` for five seconds is killed."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), 5)
        if self._process is not None:
            await over(self._process)

    def hear(self, line: bytes) -> None:
        """One line of progress; what is not an event is told."""
        try:
            event = msgspec.json.decode(line, type=Event)
        except msgspec.MsgspecError:
            self.told.append(one_line(line.decode(errors="replace")))
            return
        if not event.source:
            self.note(event)
            return
        stream, rows, total, message = self._sources.get(event.source, ("", {}, None, ""))
        if event.rows is not None:
            rows = {**rows, event.stream: event.rows}
        if event.event == "error":
            # The first one says what to do: further streams are not tried because of it.
            message = message or one_line(event.message or "failed", 400)
        self._sources[event.source] = (one_line(event.stream or stream, 60), rows, event.total or total, message)

    def note(self, event: Event) -> None:
        """An event that is not about a source."""

    def rows(self) -> list[tuple[str, str, int, int | None, str]]:
        """Per source: name, the stream it is at, rows so far, total when known, an error's message."""
        return [
            (one_line(source, 60), stream, sum(rows.values()), total, message)
            for source, (stream, rows, total, message) in self._sources.items()
        ]

    def short(self) -> str:
        """One phrase for the status line."""
        if not self._sources:
            return f"↻ {self.title}"
        source, stream, rows, total, _ = self.rows()[-1]
        share = f" {min(rows / total, 1):.0%}" if total else f" {rows:,} rows"
        return f"↻ {self.title} {source} {stream}{share}"

    def stop(self) -> None:
        """Ask it to end; what it has committed stays."""
        self.stopped = True
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()


async def over(process: asyncio.subprocess.Process) -> None:
    """Kill a child that still runs, and see its pipes closed: nothing of it outlives the loop."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await process.wait()
    if process.stdin is not None:
        process.stdin.close()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:  # it may be held open by a child of its own, or still be read by whoever follows it
            with contextlib.suppress(TimeoutError, RuntimeError):
                await asyncio.wait_for(pipe.read(), PIPE_S)
    await asyncio.sleep(0)


class Answering(Job):
    """A command that is asked something: what it prints on stdout is the answer."""

    def __init__(self, title: str, arguments: Sequence[str]) -> None:
        super().__init__(title, arguments)
        self.out = b""

    def hear(self, line: bytes) -> None:
        """A line of the answer."""
        self.out += line


class Receiving(Job):
    """A receiver as a child: where it listens, and how many spans arrive."""

    def __init__(self, arguments: Sequence[str], clock: Callable[[], float]) -> None:
        super().__init__("receiver", arguments)
        self.url = ""
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, event: Event) -> None:
        """A line of `receive --format json`."""
        self.url = one_line(event.url or self.url, 60)
        now = self._clock()
        self._seen.append((now, event.received))
        while len(self._seen) > 2 and now - self._seen[1][0] > RATE_S:
            self._seen.popleft()

    def short(self) -> str:
        """`● 1,204 spans/min :4318`."""
        if not self._seen:
            return "↻ receiver"
        (begin, first), (end, last) = self._seen[0], self._seen[-1]
        a_minute = (last - first) / max(end - begin, 1.0) * 60
        return f"● {a_minute:,.0f} spans/min :{self.url.rpartition(':')[2]}"

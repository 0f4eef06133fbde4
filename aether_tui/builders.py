"""Children that build reports for the console; one that has built everything waits a while for the next order."""

from __future__ import annotations

import contextlib
import time
from asyncio.subprocess import DEVNULL, PIPE, Process, create_subprocess_exec
from collections.abc import Callable

import msgspec

from aether_tui.builds import COMMAND, Order, Outcome
from aether_tui.nice import be_nice
from aether_tui.session import Failure

QUIET_S = 2.0
"""Who waits for the cache says so after so long."""
WAITS_S = 30.0
"""A child that has built everything waits so long for another order."""


class Builders:
    """The children of one console, of which at most one waits."""

    def __init__(self) -> None:
        self.newest: Process | None = None
        """The child that was given an order last."""
        self._children: list[Process] = []
        self._waiting: Process | None = None
        self._yields = False
        """Whether the child that waits has given up its share of the processor."""
        self._waits_since = 0.0
        self._held: dict[str, tuple[float, str]] = {}

    @property
    def held(self) -> str:
        """`process 12 (aether-tui load) for 34 s` where a build waits for the cache, else nothing."""
        longest = min(self._held.values(), default=None)
        return "" if longest is None else f"{longest[1]} for {time.monotonic() - longest[0]:.0f} s"

    async def build(self, order: Order, built: Callable[[Outcome], None], *, new: bool = False) -> None:
        """Follow a child through an order, by `new` one of its own, and hand over each report as soon as it is there.

        What ends without one is a failure; cancelling ends the child.
        """
        left = set(order.names)
        process: Process | None = None
        try:
            process = self.newest = await self._ordered(order, new=new)
            assert process.stdout is not None
            while left and (line := await process.stdout.readline()):
                outcome = msgspec.json.decode(line, type=Outcome)
                if outcome.waits:
                    self._held[outcome.name] = time.monotonic() - QUIET_S, outcome.waits
                    continue
                self._held.pop(outcome.name, None)
                left.discard(outcome.name)
                built(outcome)
            if left:
                status = await process.wait()
                for name in left:
                    built(Outcome(name, Failure(f"its process ended with status {status}")))
            elif self._waiting is None or self._yields > order.yields:
                self._waiting, process, self._waits_since = process, self._waiting, time.monotonic()
                self._yields = order.yields
        except OSError as error:
            built(Outcome(order.names[0], Failure(f"cannot be started: {error.strerror}")))
        finally:
            for name in left:
                self._held.pop(name, None)
            if process is not None and process.returncode is None:
                process.kill()
                await process.wait()

    async def warm(self, order: Order) -> None:
        """Have a child wait that has read the programs which an order for readiness names."""
        if self._waiting is None or self._waiting.returncode is not None or self._yields:
            with contextlib.suppress(OSError):  # then the build says it
                self._waiting, self._yields = await self._ordered(order, new=True), False
                self._waits_since = time.monotonic()

    async def _ordered(self, order: Order, *, new: bool) -> Process:
        """A child with this order: the one that waits for it, else a new one."""
        process: Process | None = None
        if self._yields and not order.yields:
            self.let_go()  # what it gave up cannot be given back
        if not new:
            process, self._waiting = self._waiting, None
        if process is None or process.returncode is not None:
            process = await create_subprocess_exec(*COMMAND, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
            self._children = [child for child in self._children if child.returncode is None]
            self._children.append(process)
        if order.yields:
            be_nice(process.pid)
        assert process.stdin is not None
        process.stdin.write(order.line())
        return process

    @property
    def rested_since(self) -> float:
        """When a child was done last; 0 before the first."""
        return self._waits_since

    def rest(self) -> None:
        """End a child that has waited for long enough."""
        if time.monotonic() - self._waits_since > WAITS_S:
            self.let_go()

    def let_go(self) -> None:
        """End a child that waits; it holds nothing."""
        if self._waiting is not None and self._waiting.returncode is None:
            self._waiting.kill()
        self._waiting = None

    async def end(self) -> None:
        """End every child, and wait until it has ended."""
        from aether_tui.jobs import over

        self.let_go()
        for process in self._children:
            await over(process)

"""How long one service is waited for: its limits before asking, its own words or growing pauses after a failure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from itertools import count

from connectors.answers import Again, Answer
from connectors.base import Network, RateLimited, SourceError
from connectors.limits import closed_until, refused, reopen

_LONGEST_PAUSE = 60.0


class Retry(Exception):
    """One try failed and another may help."""

    def __init__(self, again: Again) -> None:
        super().__init__(str(again.error))
        self.again = again


class Patience:
    """Tries of one service within the deadline of a sync.

    `paid`: a request costs money, so only one that was refused for its rate is sent again. `jitter` is from 0 to 1.
    """

    def __init__(self, network: Network, service: str, *, paid: bool, jitter: Callable[[], float]) -> None:
        self._network = network
        self._service = service
        self._paid = paid
        self._jitter = jitter
        self._ends = network.clock() + network.deadline_s

    async def until(self, once: Callable[[], Awaitable[Answer]], *, limited: bool = True) -> Answer:
        """The answer of the try that succeeds. Raises SourceError when patience ends; unless `limited`, limits do not hold."""
        for tries in count(1):
            if limited:
                await self._opened()
            try:
                return await once()
            except Retry as retry:
                wait_s = self._pause(retry.again, tries)
                if wait_s is None:
                    raise self._told(retry.again.error, retry.again.wait_s) from None
            await self._network.sleep(wait_s)
        raise AssertionError("unreachable")

    def remember(self, error: SourceError) -> None:
        """Keep until when the service asked for patience."""
        if isinstance(error, RateLimited) and error.opens_at is not None:
            refused(self._network.memory, error.opens_at)

    async def _opened(self) -> None:
        """Wait until the limits that are known to be used up open. Raises RateLimited when that is too late."""
        network = self._network
        opens_at = closed_until(network.memory, network.now())
        if opens_at is None:
            return
        wait_s = (opens_at - network.now()).total_seconds()
        if network.clock() + wait_s > self._ends:
            raise RateLimited(
                f"{self._service}'s limit is used up, as it said before: not asked",
                opens_at=opens_at,
                hint=_after(opens_at),
            )
        network.waited_s += wait_s
        await network.sleep(wait_s)
        reopen(network.memory)

    def _pause(self, again: Again, tries: int) -> float | None:
        """Seconds until the next try; None when there is none."""
        if self._paid and not isinstance(again.error, RateLimited):
            return None
        growing = again.first_pause_s * (2.0 ** (tries - 1) + self._jitter() / 2)
        wait_s = min(growing, _LONGEST_PAUSE * max(1.0, again.first_pause_s)) if again.wait_s is None else again.wait_s
        if tries >= again.tries or self._network.clock() + wait_s > self._ends:
            return None
        if again.wait_s is not None:
            reopen(self._network.memory)  # the answer's own wait counts
        self._network.waited_s += wait_s
        return wait_s

    def _told(self, error: SourceError, wait_s: float | None) -> SourceError:
        """`error` with the instant at which it may be over, where the service said how long that takes."""
        if wait_s is not None and not (isinstance(error, RateLimited) and error.opens_at):
            opens_at = self._network.now() + timedelta(seconds=wait_s)
            error.hint = _after(opens_at)
            if isinstance(error, RateLimited):
                error.opens_at = opens_at
        return error


def _after(opens_at: datetime) -> str:
    return f"run sync again after {opens_at:%Y-%m-%d %H:%M} UTC"

"""Building the reports that are out of date, in children: the one in front at once, then those that nobody sees."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial

import msgspec

from aether_tui import ahead
from aether_tui.ahead import Ahead
from aether_tui.builders import Builders
from aether_tui.builds import Order, Outcome


class Behind:
    """The last order of several reports: a newer one ends it. `built` gets what became of each."""

    def __init__(
        self, office: ahead.Office, builders: Builders, ahead: Ahead, built: Callable[[Order, Outcome], None]
    ) -> None:
        self.names: set[str] = set()
        """Reports that are being built, or are next."""
        self._office, self._builders, self._ahead, self._built = office, builders, ahead, built
        self._order: Order | None = None

    def end(self) -> None:
        """Build none of them."""
        self._office.forget("report")
        self.names.clear()

    def begin(self, order: Order, delay_s: float = 0.0, *, front: bool) -> None:
        """Build after a pause. What is in `front` is the first of them, or none of them.

        It has a child of its own, which is still there when those behind it give way to the next change. Those wait until nobody types.
        """
        if self._order is not None:  # what it has not begun is not being built any more
            self.names.difference_update(self._order.names)
        self.names.update(order.names)
        self._order = order
        if front:
            self._ahead.stop()
        self._office.follow(partial(self._follow, order, delay_s, front=front), "report")

    async def _follow(self, order: Order, delay_s: float, *, front: bool) -> None:
        await asyncio.sleep(delay_s)
        while not front and (left_s := self._office.typed_at() + ahead.QUIET_S - time.monotonic()) > 0:
            await asyncio.sleep(left_s)
        apart = int(front)
        for names, behind in ((order.names[:apart], False), (order.names[apart:], True)):
            if names:
                await self._build(order, names, behind=behind)

    async def _build(self, order: Order, names: tuple[str, ...], *, behind: bool) -> None:
        """Follow a child that builds these of an order; ended with it when something newer is wanted."""
        left = set(names)

        def built(outcome: Outcome) -> None:
            left.discard(outcome.name)
            self._built(order, outcome)

        try:
            part = msgspec.structs.replace(order, names=names, yields=order.yields or behind)
            await self._builders.build(part, built, new=behind)
        finally:
            if self._order is order:
                self.names.difference_update(left)

"""Building what the next key may ask for: the report in front, over the other usual windows, while nobody does anything, and over a
window or for a team that is being typed, before enter.

A change of the window is then a look at what is there. A child builds it, the one that waits if there is one; whatever is ordered
ends that at once, and a key keeps the next window from being begun (which is seen at the next look).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Protocol

import msgspec

from aether_tui.builders import Builders
from aether_tui.builds import Order, Outcome
from aether_tui.looking import Looking
from aether_tui.session import Shelf

QUIET_S = 2.0
"""Nobody has typed, and nothing was built, for this long."""


class Office(Protocol):
    """What building ahead needs of the console it is for."""

    def nearby(self) -> Sequence[Looking]:
        """The views that one key leads to, the nearest first."""
        ...

    def follow(self, work: Callable[[], Coroutine[None, None, None]], group: str) -> None:
        """Begin this beside the console, in place of what its group does."""
        ...


class Ahead:
    """The orders that nobody has given yet. `built` gets what became of each."""

    def __init__(
        self, office: Office, builders: Builders, shelf: Shelf, built: Callable[[Order, Outcome], None]
    ) -> None:
        self._office, self._builders, self._shelf, self._built = office, builders, shelf, built
        self._begun: Order | None = None
        self._typed: Order | None = None
        self._typed_at = 0.0

    def builds(self, name: str, key: str) -> bool:
        """Whether the report of a view is being built, or is next."""
        at_work = (one for one in (self._begun, self._typed) if one is not None and not one.ready)
        return any((name, key) == (one.names[0], one.looking.key) for one in at_work)

    def typing(self, order: Order) -> None:
        """Somebody begins to type a view, for which the report of an order will be built: have a child ready."""
        if self._begun is None:
            self._run([msgspec.structs.replace(order, ready=True)])

    def typed(self, order: Order) -> None:
        """What was typed so far names a view: build the report of the order for it, after the one that is being built."""
        if self.builds(order.names[0], order.looking.key) or not self._shelf.outdated(
            order.names[0], order.now, order.looking
        ):
            return
        self._typed = order
        if self._begun is None:
            self._run([])

    def look(self, order: Order, typed_at: float, changed_ns: int) -> None:
        """Once it has been quiet, build the report of an order for each view nearby that has none since `changed_ns`."""
        self._typed_at = typed_at
        if self._begun is not None or time.monotonic() - max(self._builders.rested_since, typed_at) < QUIET_S:
            return
        if self._shelf.failure(order.names[0]) is not None:  # nor would the others be built
            return
        near = self._office.nearby()
        views = [view for view in near if self._shelf.outdated(order.names[0], order.now, view, changed_ns)]
        if views:
            self._run([msgspec.structs.replace(order, looking=view) for view in views])

    def _run(self, orders: Sequence[Order]) -> None:
        self._office.follow(partial(self._follow, orders), "ahead")

    async def _follow(self, orders: Sequence[Order]) -> None:
        looking, typed_at, left = self._shelf.looking, self._typed_at, list(orders)
        try:
            while True:
                if self._typed is not None:
                    self._begun, self._typed = self._typed, None
                elif left and self._typed_at <= typed_at and self._shelf.looking == looking:
                    self._begun = left.pop(0)
                else:
                    break
                if self._begun.ready:
                    await self._builders.warm(self._begun)
                else:
                    await self._builders.build(self._begun, partial(self._built, self._begun))
        finally:
            self._begun = self._typed = None

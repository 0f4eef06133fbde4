"""Building the report in front alone: for the view that was asked for, for one that is being typed, before enter, and for the other
usual windows, while nobody does anything.

A change of the window is then a look at what is there. One child builds one report at a time, the newest that is wanted first: what
has begun is built to its end, which takes less than starting another child. A key keeps the next usual window from being begun.
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

    def typed_at(self) -> float:
        """When the last key came, by the monotonic clock."""
        ...

    def follow(self, work: Callable[[], Coroutine[None, None, None]], group: str) -> None:
        """Begin this beside the console, in place of what its group does."""
        ...

    def forget(self, group: str) -> None:
        """End what its group does."""
        ...


class Ahead:
    """The orders of one report each. `built` gets what became of them."""

    def __init__(
        self, office: Office, builders: Builders, shelf: Shelf, built: Callable[[Order, Outcome], None]
    ) -> None:
        self._office, self._builders, self._shelf, self._built = office, builders, shelf, built
        self._works = False
        self._begun: Order | None = None
        self._wanted: Order | None = None

    def names(self, looking: Looking) -> set[str]:
        """Reports of a view that are being built, or are next."""
        at_work = (one for one in (self._begun, self._wanted) if one is not None and not one.ready)
        return {one.names[0] for one in at_work if one.looking == looking}

    def typing(self, order: Order) -> None:
        """Somebody begins to type a view, for which the report of an order will be built: have a child ready."""
        if not self._works:
            self._run([msgspec.structs.replace(order, ready=True)])

    def want(self, order: Order) -> bool:
        """Build the report of an order, after the one that is being built. False where it is there already, or is known to fail."""
        if order.names[0] in self.names(order.looking):
            return True
        if not self._shelf.outdated(order.names[0], order.now, order.looking):
            return False
        self._wanted = order
        if not self._works:
            self._run([])
        return True

    def stop(self) -> None:
        """Something else is to be built at once."""
        self._wanted = None
        self._office.forget("ahead")

    def look(self, order: Order, changed_ns: int) -> None:
        """Once it has been quiet, build the report of an order for each view nearby that has none since `changed_ns`."""
        quiet_since = max(self._builders.rested_since, self._office.typed_at())
        if self._works or time.monotonic() - quiet_since < QUIET_S:
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
        typed_at, left = self._office.typed_at(), list(orders)
        self._works = True
        try:
            while True:
                if self._wanted is not None:
                    self._begun, self._wanted = self._wanted, None
                elif left and self._office.typed_at() == typed_at:
                    self._begun = left.pop(0)
                else:
                    break
                if self._begun.ready:
                    await self._builders.warm(self._begun)
                else:
                    await self._builders.build(self._begun, partial(self._ended, self._begun))
        finally:
            self._works, self._begun = False, None
            if self._wanted is not None:  # asked for since this was stopped
                self._run([])

    def _ended(self, order: Order, outcome: Outcome) -> None:
        self._begun = None
        self._built(order, outcome)

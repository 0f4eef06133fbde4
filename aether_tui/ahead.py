"""Building what the next key may ask for: the report in front, over the other usual windows, while nobody does anything.

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

    def run_worker(
        self, work: Coroutine[None, None, None], *, group: str, exclusive: bool = False, exit_on_error: bool
    ) -> object:
        """Run this beside the console; in a group of which only the last runs, where asked for."""
        ...


class Ahead:
    """The orders that nobody has given yet. `built` gets what became of each."""

    def __init__(
        self, office: Office, builders: Builders, shelf: Shelf, built: Callable[[Order, Outcome], None]
    ) -> None:
        self._office, self._builders, self._shelf, self._built = office, builders, shelf, built
        self._begun: Order | None = None
        self._typed_at = 0.0

    def builds(self, name: str, key: str) -> bool:
        """Whether the report of a view is being built."""
        return self._begun is not None and (name, key) == (self._begun.names[0], self._begun.looking.key)

    def look(self, order: Order, typed_at: float) -> None:
        """Once it has been quiet, build the report of an order for each view nearby that has none."""
        self._typed_at = typed_at
        if self._begun is not None or time.monotonic() - max(self._builders.rested_since, typed_at) < QUIET_S:
            return
        if self._shelf.failure(order.names[0]) is not None:  # nor would the others be built
            return
        views = [view for view in self._office.nearby() if self._shelf.outdated(order.names[0], order.now, view)]
        if views:
            orders = [msgspec.structs.replace(order, looking=view) for view in views]
            self._office.run_worker(self._follow(orders, typed_at), group="ahead", exclusive=True, exit_on_error=False)

    async def _follow(self, orders: Sequence[Order], typed_at: float) -> None:
        looking = self._shelf.looking
        try:
            for order in orders:
                if self._typed_at > typed_at or self._shelf.looking != looking:
                    break
                self._begun = order
                await self._builders.build(order, partial(self._built, order))
        finally:
            self._begun = None

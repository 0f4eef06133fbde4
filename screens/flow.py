"""Where work waits, and whether the averages can be believed."""

from __future__ import annotations

from typing import ClassVar

from screens.drill import Drill


class Flow(Drill):
    """Times, load, what is late, and the forecast."""

    LEAD: ClassVar[int] = 1
    FIRST: ClassVar[str] = "flow.glance"
    BEHIND: ClassVar[tuple[str, ...]] = ("flow.glance", "flow.times", "flow.load")

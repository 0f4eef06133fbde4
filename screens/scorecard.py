"""The five DORA metrics of every service."""

from __future__ import annotations

from typing import ClassVar

from screens.drill import Drill


class Scorecard(Drill):
    """Services side by side, then each with its metrics and the incidents behind them."""

    LEAD: ClassVar[int] = 1
    FIRST: ClassVar[str] = "scorecard.glance"
    BEHIND: ClassVar[tuple[str, ...]] = ("scorecard.glance", ".metrics")

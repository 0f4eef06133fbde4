"""Speed, quality and visibility of the product's delivery."""

from __future__ import annotations

from screens.base import ReportScreen


class Lens(ReportScreen):
    """Three scores with the indicators behind them."""

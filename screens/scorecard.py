"""The five DORA metrics of every service."""

from __future__ import annotations

from screens.base import ReportScreen


class Scorecard(ReportScreen):
    """Services side by side, then each with its metrics and the incidents behind them."""

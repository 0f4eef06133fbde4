"""From opportunity to impact: where items stay, and what never arrives."""

from __future__ import annotations

from screens.base import ReportScreen


class Pipeline(ReportScreen):
    """Stages, monthly cohorts, items that grew old."""

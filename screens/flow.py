"""Where work waits, and whether the averages can be believed."""

from __future__ import annotations

from screens.base import ReportScreen


class Flow(ReportScreen):
    """Times, load, what is late, and the forecast."""

"""Where the engagement stands, and the one next action."""

from __future__ import annotations

from screens.base import ReportScreen


class Home(ReportScreen):
    """The summary."""

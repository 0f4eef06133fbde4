"""Effective output per dollar, cycle by cycle."""

from __future__ import annotations

from screens.base import ReportScreen


class Gains(ReportScreen):
    """Cumulative gain with its interval, against a claim that is to be tested."""

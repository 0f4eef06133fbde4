"""CI, cost, tests and tokens against their budgets."""

from __future__ import annotations

from screens.base import ReportScreen


class Budgets(ReportScreen):
    """Four surfaces, each number with its limit."""

"""CI, cost, tests and tokens against their budgets."""

from __future__ import annotations

from typing import ClassVar

from screens.base import ReportScreen


class Budgets(ReportScreen):
    """Four surfaces, each number with its limit."""

    LEAD: ClassVar[int] = 100
    FIRST: ClassVar[str] = "budgets.rows"

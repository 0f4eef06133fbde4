"""What model calls cost, for whom, and why that changed."""

from __future__ import annotations

from typing import ClassVar

from aether_tui.actions import Where
from screens.base import ReportScreen


class Attribution(ReportScreen):
    """The waterfall since the window before, then cost by feature, team, category, user, model and prompt."""

    SCOPES: ClassVar[frozenset[Where]] = ReportScreen.SCOPES | {"drill"}
    LEAD: ClassVar[int] = 1
    FIRST: ClassVar[str] = "attribution.waterfall"

"""What changed since the last review."""

from __future__ import annotations

from typing import ClassVar

from aether_tui.actions import Where
from screens.base import ReportScreen


class Changed(ReportScreen):
    """Changes ranked, each opening on its course, its parts and its days."""

    SCOPES: ClassVar[frozenset[Where]] = ReportScreen.SCOPES | {"drill"}
    LEAD: ClassVar[int] = 1

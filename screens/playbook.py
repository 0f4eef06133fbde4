"""What was learned, and which model does what how well; from here the next cycle opens."""

from __future__ import annotations

from typing import ClassVar

from aether_tui.actions import Where
from screens.base import ReportScreen
from screens.cycles import next_cycle


class Playbook(ReportScreen):
    """Entries with owner and review date, and the capability map."""

    FIRST: ClassVar[str] = "playbook.entries"
    SCOPES: ClassVar[frozenset[Where]] = ReportScreen.SCOPES | {"playbook"}

    def action_next_cycle(self) -> None:
        """Ask what the diagnosis says is the next constraint, and open a cycle on it when that is agreed to."""
        next_cycle(self)

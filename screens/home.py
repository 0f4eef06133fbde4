"""Where the engagement stands, and the one next action."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from aether_tui.report_model import Gap, SavedReport
from screens.base import ReportScreen


class Home(ReportScreen):
    """The summary: the next action and its reason first, then what was found, then where things stand."""

    LEAD: ClassVar[int] = 1

    def adorn(self, report: SavedReport) -> SavedReport:
        """The headline says the next action; the block under it need not say it again."""
        first = report.blocks[0] if report.blocks else None
        told = report.headline.removeprefix("Next: ")
        if not isinstance(first, Gap) or not first.reason.startswith(told):
            return report
        why = msgspec.structs.replace(first, title="", reason=first.reason.removeprefix(told).strip())
        return msgspec.structs.replace(report, blocks=(why, *report.blocks[1:]))

"""Freshness of every source, the sync that runs, and what went wrong last."""

from __future__ import annotations

from typing import ClassVar

from aether_tui.report_model import Col, Row, SavedReport, Table
from screens.base import ReportScreen, replace_blocks


class Sources(ReportScreen):
    """The data's health; a running sync stands above it."""

    LEAD: ClassVar[int] = 100

    def adorn(self, report: SavedReport) -> SavedReport:
        progress = self.shell.progress()
        if progress is None:
            return report
        rows = tuple(
            Row(
                id=source,
                cells=(source, stream, rows, None if total is None or not total else min(rows / total, 1.0), message),
                state="block" if message else None,
                detail=message,
            )
            for source, stream, rows, total, message in progress.rows()
        )
        columns = (
            Col(key="source", title="source", priority=9),
            Col(key="stream", title="stream"),
            Col(key="rows", title="rows", kind="number", priority=8),
            Col(key="share", title="of total", kind="bar", priority=3),
            Col(key="message", title="problem", priority=7),
        )
        title = "Sync is running" if progress.running else "Last sync from here"
        return replace_blocks(report, Table(id="sync", title=title, columns=columns, rows=rows, empty="starting …"))

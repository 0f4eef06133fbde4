"""Freshness of every source, the sync that runs, and what went wrong last."""

from __future__ import annotations

from typing import ClassVar

from aether_tui.report_model import Col, Row, SavedReport, Table
from screens.base import ReportScreen, replace_blocks


class Sources(ReportScreen):
    """The data's health; a running sync stands above it."""

    LEAD: ClassVar[int] = 100
    FIRST: ClassVar[str] = "sources.streams"

    def adorn(self, report: SavedReport) -> SavedReport:
        progress = self.shell.progress()
        if progress is None:
            return report
        told = progress.rows()
        totals, problems = (any(total for *_, total, _ in told), any(message for *_, message in told))
        columns = (
            Col(key="source", title="source", priority=9),
            Col(key="stream", title="stream"),
            Col(key="rows", title="rows", kind="number", priority=8),
            *([Col(key="share", title="of total", kind="bar", priority=3)] if totals else []),
            *([Col(key="message", title="problem", priority=7)] if problems else []),
        )
        rows = tuple(
            Row(
                id=source,
                cells=(
                    source,
                    stream,
                    count,
                    *([min(count / total, 1.0) if total else None] if totals else []),
                    *([message.partition("; ")[0]] if problems else []),
                ),
                state="block" if message else None,
                detail=message,
            )
            for source, stream, count, total, message in told
        )
        title = "Sync is running" if progress.running else "Last sync from here"
        empty = "starting …" if progress.running else progress.error or "stopped before its first row"
        return replace_blocks(report, Table(id="sync", title=title, columns=columns, rows=rows, empty=empty))

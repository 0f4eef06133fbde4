"""The value stream as a map: all requests, request categories that open, work items."""

from __future__ import annotations

import re
from typing import ClassVar

from aether_tui.actions import Where
from screens.base import ReportScreen

CATEGORIES = "stream.categories"


class Stream(ReportScreen):
    """Boxes and waits, the table behind them; the selected stream can be written down and filled in."""

    LEAD: ClassVar[int] = 2
    SCOPES: ClassVar[frozenset[Where]] = ReportScreen.SCOPES | {"stream", "drill"}

    def action_write(self) -> None:
        """Write the stream under the cursor into a document, in a child: only commands read the cache."""
        item = self.page.selected
        more: tuple[str, ...] = ()
        if item is not None and item.block == CATEGORIES:
            more = ("--", item.row.removeprefix("cluster."))
        elif item is not None and item.block.startswith("work."):
            more = ("--work",)
        writes = self.shell.workspace.engagement / "value-streams"
        self.shell.command("writing steps down", "stream", "write", *more, writes=writes)

    def action_form(self) -> None:
        """Open the newest value stream document, to complete it; the first one is begun."""
        folder = self.shell.workspace.engagement / "value-streams"
        found = [path.stem for path in folder.glob("VS-*.yaml") if re.match(r"VS-\d+(-|$)", path.stem)]
        self.shell.open_form("value-stream", max(found, key=lambda stem: int(stem.split("-")[1]), default=None))

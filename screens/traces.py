"""The traces of the window: a list sorted, filtered and searched behind the screen, one trace as a tree, two side by side."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from aether_tui.actions import Where
from aether_tui.exploring import PAGE_ROWS, Ask, Told
from aether_tui.looking import Looking
from aether_tui.report_model import Row, SavedReport, Table
from screens.base import ReportScreen
from screens.drill import Asking

LIST, LOOPS = "traces.list", "traces.loops"
SORTS = (
    "start",
    "duration_s",
    "cost_usd",
    "tokens",
    "turns",
    "calls",
    "feature",
    "model",
    "status",
    "outcome",
    "cluster",
)
GROUPS = ("feature", "team", "model", "environment", "scenario", "cluster", "status")
PLACEHOLDERS = 12


class Traces(Asking):
    """The list first, then what stands out, one grouping, and how agents loop."""

    SCOPES: ClassVar[frozenset[Where]] = ReportScreen.SCOPES | {"traces"}
    LEAD: ClassVar[int] = 1
    FIRST: ClassVar[str] = LIST

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
        self._table: Table | None = None
        self._ask: Ask | None = None
        self._asked_for: Looking | None = None
        self._shown = 0
        self._group = 0
        self._typed: Table | None = None
        """The grouping by an attribute that was typed."""
        self._busy = ""
        self._marked = ""

    # --- the list ------------------------------------------------------------------------------------------------

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self._asked_for != self.shell.looking() and self._table is not None:
            self._list(offset=0)

    def adorn(self, report: SavedReport) -> SavedReport:
        groups = [block.id for block in report.blocks if block.id.startswith("traces.by-")]
        shown = groups[self._group % len(groups)] if groups else ""
        blocks = [block for block in report.blocks if block.id not in groups or block.id == shown]
        if self._typed is not None and self._asked_for == self.shell.looking():
            blocks = [self._typed if block.id == shown else block for block in blocks]
        if self._table is not None and self._asked_for == self.shell.looking():
            blocks = [self._table if block.id == LIST and isinstance(block, Table) else block for block in blocks]
        return msgspec.structs.replace(report, blocks=tuple(blocks))

    def note(self) -> str:
        parts = (self._busy, f"A {self._marked[:8]}" if self._marked else "", super().note())
        return " · ".join(part for part in parts if part)

    def _list(self, **changes: object) -> None:
        """Ask for the list with something changed; rows of dots stand for it meanwhile."""
        old = self._ask or self.question("list")
        self._ask = msgspec.structs.replace(
            old, what="list", now=self.shell.now(), looking=self.shell.looking(), **changes
        )
        self._asked_for = self.shell.looking()
        self._wait("sorting …")
        self.send(self._ask)

    def _wait(self, busy: str) -> None:
        self._busy = busy
        report = self.shell.saved(self.report)
        before = next((b for b in report.blocks if b.id == LIST and isinstance(b, Table)), None) if report else None
        if before is not None:
            dots = tuple("…" for _ in before.columns)
            rows = tuple(Row(id=f"…{n}", cells=dots) for n in range(PLACEHOLDERS))
            self._table = msgspec.structs.replace(before, rows=rows, title=busy, note="")
        self.show()

    def hear(self, told: Told) -> None:
        super().hear(told)
        if told.table is not None and told.table.id != LIST:
            self._typed = told.table
        elif told.table is not None:
            self._table, self._shown = told.table, told.shown
        if told.done:
            self._busy = ""
            if told.message and self._table is not None and self._table.rows and self._table.rows[0].id.startswith("…"):
                self._table = None
        if self.app.screen is self:
            self.show()
            if told.table is not None and told.table.id != LIST:
                self._to_groups()

    def close(self) -> bool:
        """Stop a search, then show the whole list again, then what every screen closes."""
        if self._busy:
            self.send(self.question("stop"))
            self._busy, self._table, self._ask = "", None, None
            self.shell.say("stopped")
            self.show()
            return True
        if super().close():
            return True
        if self._ask is not None or self._marked:
            self._ask, self._table, self._marked = None, None, ""
            self.show()
            return True
        return False

    def action_order(self) -> None:
        now = self._ask.sort if self._ask is not None else SORTS[0]
        column = SORTS[(SORTS.index(now) + 1) % len(SORTS)]
        self._list(sort=column, descending=SORTS.index(column) <= SORTS.index("calls"), offset=0)

    def action_turn(self) -> None:
        self._list(descending=not (self._ask.descending if self._ask is not None else True), offset=0)

    def action_failed(self) -> None:
        self._list(failed=not (self._ask.failed if self._ask is not None else False), offset=0)

    def action_next(self) -> None:
        offset = (self._ask.offset if self._ask is not None else -PAGE_ROWS) + PAGE_ROWS
        if self._ask is None or offset < self._shown:
            self._list(offset=offset)
        else:
            self.shell.say("this is the last page")

    def action_before(self) -> None:
        self._list(offset=max((self._ask.offset if self._ask is not None else 0) - PAGE_ROWS, 0))

    def action_filter(self) -> None:
        def done(words: str | None) -> None:
            if words is not None:
                self._list(words=words, offset=0)

        self.ask(
            "feature=… cost>0.1 or any text",
            self._ask.words if self._ask is not None else "",
            done,
            most=None,
            passing=True,
        )

    def action_search(self) -> None:
        """Look for a text in every span of the window; `esc` stops it."""

        def done(text: str | None) -> None:
            if text and text.strip():
                self._ask = self.question("search", text=text, searched=True)
                self._asked_for = self.shell.looking()
                self._wait("searching …")
                self.send(self._ask)

        self.ask("text in names, errors, attributes, kept prompts", "", done, most=None, passing=True)

    def action_attribute(self) -> None:
        """Group by an attribute that is typed."""

        def done(name: str | None) -> None:
            if name:
                self._busy, self._asked_for = "grouping …", self.shell.looking()
                self.send(self.question("group", text=name))
                self.show_around()

        self.ask("attribute of spans, such as app.intent", "", done, most=None, passing=True)

    def action_group(self) -> None:
        self._group += 0 if self._typed is not None else 1
        self._typed = None
        self.show()
        self._to_groups()

    def _to_groups(self) -> None:
        """Go to the grouping, which is below the list, and say what it is by."""
        report = self.page.report
        blocks = report.blocks if report else ()
        found = next((b for b in blocks if isinstance(b, Table) and b.id.startswith("traces.by-")), None)
        if found is None:
            self.shell.say("nothing to group by")
            return
        if found.rows:
            self.page.select(f"{found.id}/{found.rows[0].id}")
        self.shell.say(f"grouped by {found.id.removeprefix('traces.by-')}")

    # --- one trace, two ------------------------------------------------------------------------------------------

    def _selected(self) -> str:
        item = self.page.selected
        if item is None or item.block not in {LIST, "traces.top"} or item.row.startswith("…"):
            return ""
        return item.row.rpartition("/")[2] if item.block == "traces.top" else item.row

    def action_open(self) -> None:
        trace, item = self._selected(), self.page.selected
        if item is not None and item.block == LOOPS:
            self.shell.say("finding the traces …")
            self.send(self.question("rows", trace=item.row))
            return
        if not trace or (item is not None and item.action):
            super().action_open()
            return
        self._busy = "opening …"
        self.send(self.question("trace", trace=trace))
        self.show_around()

    def action_mark(self) -> None:
        """Mark a trace as A; on another one, compare the two."""
        trace = self._selected()
        if not trace:
            self.shell.say("select a trace first (j, k)")
        elif self._marked and self._marked != trace:
            self._busy = "comparing …"
            self.send(self.question("pair", trace=self._marked, other=trace))
            self._marked = ""
        else:
            self._marked = "" if self._marked else trace
            self.shell.say("this is A; m on another trace compares them" if self._marked else "no trace is marked")
        self.show_around()

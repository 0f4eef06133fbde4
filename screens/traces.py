"""The traces of the window: a list sorted, filtered and searched behind the screen, one trace as a tree, two side by side."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import msgspec

from aether_tui.actions import Where
from aether_tui.exploring import PAGE_ROWS, Ask, Exploring, Told
from aether_tui.report_model import Prose, Row, SavedReport, Table
from aether_tui.session import Looking
from screens.base import PageScreen, ReportScreen

LIST = "traces.list"
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


class Traces(ReportScreen):
    """The list first, then what stands out, one grouping, and how agents loop."""

    SCOPES: ClassVar[frozenset[Where]] = ReportScreen.SCOPES | {"traces"}
    LEAD: ClassVar[int] = 1
    FIRST: ClassVar[str] = LIST

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
        self._child: Exploring | None = None
        self._table: Table | None = None
        self._ask: Ask | None = None
        self._asked_for: Looking | None = None
        self._shown = 0
        self._group = 0
        self._busy = ""
        self._marked = ""
        self._open_page: TracePage | None = None

    # --- the list ------------------------------------------------------------------------------------------------

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self._asked_for != self.shell.looking() and self._table is not None:
            self._list(offset=0)

    def adorn(self, report: SavedReport) -> SavedReport:
        groups = [block.id for block in report.blocks if block.id.startswith("traces.by-")]
        shown = groups[self._group % len(groups)] if groups else ""
        blocks = [block for block in report.blocks if block.id not in groups or block.id == shown]
        if self._table is not None and self._asked_for == self.shell.looking():
            blocks = [self._table if block.id == LIST and isinstance(block, Table) else block for block in blocks]
        return msgspec.structs.replace(report, blocks=tuple(blocks))

    def note(self) -> str:
        parts = (self._busy, f"A {self._marked[:8]}" if self._marked else "", super().note())
        return " · ".join(part for part in parts if part)

    def _list(self, **changes: object) -> None:
        """Ask for the list with something changed; rows of dots stand for it meanwhile."""
        old = self._ask or self._question("list")
        self._ask = msgspec.structs.replace(
            old, what="list", now=self.shell.now(), looking=self.shell.looking(), **changes
        )
        self._asked_for = self.shell.looking()
        self._wait("sorting …")
        self._send(self._ask)

    def _wait(self, busy: str) -> None:
        self._busy = busy
        report = self.shell.saved(self.report)
        before = next((b for b in report.blocks if b.id == LIST and isinstance(b, Table)), None) if report else None
        if before is not None:
            dots = tuple("…" for _ in before.columns)
            rows = tuple(Row(id=f"…{n}", cells=dots) for n in range(PLACEHOLDERS))
            self._table = msgspec.structs.replace(before, rows=rows, title=busy, note="")
        self.show()

    def _question(self, what: str, **more: object) -> Ask:
        values: dict[str, object] = {"what": what, "now": self.shell.now(), "looking": self.shell.looking(), **more}
        return Ask(**values)  # type: ignore[arg-type]  # names and types are Ask's own

    def _send(self, ask: Ask) -> None:
        if self._child is not None and self._child.running:
            self._child.ask(ask)
            return
        child = self._child = Exploring(self.shell.workspace.root, self._hear)
        self.run_worker(child.run(ask), group="explore", exclusive=True, exit_on_error=False)

    async def on_unmount(self) -> None:
        if self._child is not None:
            await self._child.end()

    def _hear(self, told: Told) -> None:
        if told.message:
            self.shell.say(told.message)
        if told.table is not None:
            self._table, self._shown = told.table, told.shown
        page = self._open_page
        if told.report is not None:
            self._open_page = TracePage(told.report, self)
            self.app.push_screen(self._open_page)
        if told.said is not None and page is not None:
            page.reveal(told.said)
        if told.done:
            self._busy = ""
            if told.message and self._table is not None and self._table.rows and self._table.rows[0].id.startswith("…"):
                self._table = None
        if self.app.screen is self:
            self.show()

    def close(self) -> bool:
        """Stop a search, then show the whole list again, then what every screen closes."""
        if self._busy:
            self._send(self._question("stop"))
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

        self.ask("feature=… cost>0.1 or any text", self._ask.words if self._ask is not None else "", done)

    def action_search(self) -> None:
        """Look for a text in every span of the window; `esc` stops it."""

        def done(text: str | None) -> None:
            if text and text.strip():
                self._ask = self._question("search", text=text, searched=True)
                self._asked_for = self.shell.looking()
                self._wait("searching …")
                self._send(self._ask)

        self.ask("text in names, errors, attributes, kept prompts", "", done)

    def action_group(self) -> None:
        self._group += 1
        self.show()
        report = self.page.report
        found = next((b.id for b in report.blocks if b.id.startswith("traces.by-")), "") if report else ""
        self.shell.say(f"grouped by {found.removeprefix('traces.by-')}" if found else "nothing to group by")

    # --- one trace, two ------------------------------------------------------------------------------------------

    def _selected(self) -> str:
        item = self.page.selected
        if item is None or item.block not in {LIST, "traces.top"} or item.row.startswith("…"):
            return ""
        return item.row.rpartition("/")[2] if item.block == "traces.top" else item.row

    def action_open(self) -> None:
        trace = self._selected()
        if not trace:
            super().action_open()
            return
        self._busy = "opening …"
        self._send(self._question("trace", trace=trace))
        self.show_around()

    def action_mark(self) -> None:
        """Mark a trace as A; on another one, compare the two."""
        trace = self._selected()
        if not trace:
            self.shell.say("select a trace first (j, k)")
        elif self._marked and self._marked != trace:
            self._busy = "comparing …"
            self._send(self._question("pair", trace=self._marked, other=trace))
            self._marked = ""
        else:
            self._marked = "" if self._marked else trace
            self.shell.say("this is A; m on another trace compares them" if self._marked else "no trace is marked")
        self.show_around()

    def ask_said(self, trace: str, span: str) -> None:
        """Ask for what was said in a span of the open trace."""
        self._send(self._question("reveal", trace=trace, other=span))


class TracePage(PageScreen):
    """One trace as a tree, or two side by side; `esc` goes back to the list."""

    SCOPES: ClassVar[frozenset[Where]] = PageScreen.SCOPES | {"trace"}
    TAB = "traces"

    def __init__(self, report: SavedReport, home: Traces) -> None:
        super().__init__(name="trace")
        self._report, self._home = report, home
        self._awaited = ""

    def about(self) -> tuple[str, str]:
        return (
            "Trace",
            "Spans as a tree on the trace's own time axis; enter tells more, r shows what was said, if it is kept",
        )

    def show(self) -> None:
        from aether_tui.room import discreet

        shown = discreet(self._report, "") if self.shell.room() else self._report
        self.page.view = dataclasses.replace(self.page.view, lead=1, first="trace.tree")
        self.page.show(shown)
        self.show_around()

    def action_open(self) -> None:
        item, view = self.page.selected, self.page.view
        if item is not None:
            same = view.open_id == item.id
            self.page.look(open_id="" if same else item.id, open_as="detail")

    def action_reveal(self) -> None:
        """What was said in the selected span, noted in the audit file."""
        item = self.page.selected
        if self.shell.room() or item is None or item.block != "trace.tree":
            self.shell.say("not while others look on (R)" if self.shell.room() else "select a span first (j, k)")
            return
        if not self.shell.refused():
            self._awaited = item.id
            self._home.ask_said(self._report.title.removeprefix("Trace "), item.row)

    def reveal(self, said: tuple[str, str]) -> None:
        """Show what came under the span it was asked for; it is gone with this page."""
        blocks = tuple(
            Prose(id=name, title=name, text=text) for name, text in zip(("prompt", "completion"), said, strict=True)
        )
        details = {**self._report.details, self._awaited: msgspec.Raw(msgspec.json.encode(blocks))}
        self._report = msgspec.structs.replace(self._report, details=details)
        self.show()
        self.page.look(open_id=self._awaited, open_as="detail")

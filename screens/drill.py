"""From a number to the rows behind it, and to one item or trace: pages over a report, asked of the explorer's child."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import msgspec

from aether_tui.actions import Where
from aether_tui.exploring import Ask, Exploring, Told
from aether_tui.report_model import Prose, SavedReport, Table
from screens.base import PageScreen, ReportScreen
from screens.replay import begin

ROWS, TRACES = "rows", "rows_traces"
"""The report of the rows behind a number, and its table where they are traces."""
REPLAYS = "replays"
"""The report of what was sent again."""


class Asking(ReportScreen):
    """A report that can ask the explorer, and opens what it tells as a page."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
        self._child: Exploring | None = None
        self._open_page: TracePage | None = None

    def question(self, what: str, **more: object) -> Ask:
        """A question about what is looked at."""
        values: dict[str, object] = {"what": what, "now": self.shell.now(), "looking": self.shell.looking(), **more}
        return Ask(**values)  # type: ignore[arg-type]  # names and types are Ask's own

    def send(self, ask: Ask) -> None:
        """Ask; `hear` is called with the answer."""
        if self._child is not None and self._child.running:
            self._child.ask(ask)
            return
        child = self._child = Exploring(self.shell.workspace.root, self.hear)
        self.run_worker(child.run(ask), group="explore", exclusive=True, exit_on_error=False)

    def hear(self, told: Told) -> None:
        """An answer: its message is said, a report opened, what was said shown on the open trace."""
        if told.message or told.report is not None:  # what was said while the answer was on its way is over
            self.shell.say(told.message)
        page = self._open_page
        if told.report is not None and told.report.report == ROWS:
            self.app.push_screen(RowsPage(told.report, self))
        elif told.report is not None and told.report.report == REPLAYS:
            self.app.push_screen(ReplayPage(told.report, self))
        elif told.report is not None:
            self._open_page = TracePage(told.report, self)
            self.app.push_screen(self._open_page)
        if told.said is not None and page is not None:
            page.reveal(told.said)

    async def on_unmount(self) -> None:
        if self._child is not None:
            await self._child.end()

    def ask_said(self, trace: str, span: str) -> None:
        """Ask for what was said in a span of the open trace."""
        self.send(self.question("reveal", trace=trace, other=span))

    def ask_replayed(self, run: str) -> None:
        """Ask for the result of a replay."""
        self.send(self.question("replayed", text=run))


class Drill(Asking):
    """A report whose numbers open on the rows behind them: `↵` on a score goes to its worst indicator, on a number to its rows."""

    SCOPES: ClassVar[frozenset[Where]] = ReportScreen.SCOPES | {"drill"}
    BEHIND: ClassVar[tuple[str, ...]] = ()
    """Items that have rows behind them: how `BLOCK/ROW` begins, or how the block ends."""

    def action_open(self) -> None:
        item = self.page.selected
        if (
            item is None
            or item.action
            or not any(item.id.startswith(name) or item.block.endswith(name) for name in self.BEHIND)
        ):
            super().action_open()
            return
        self.shell.say("finding the rows …")
        self.send(self.question("rows", trace=item.row))


class _Over(PageScreen):
    """A page over a report; `esc` goes back."""

    FIRST: ClassVar[str] = ""
    LEAD: ClassVar[int] = 0

    def __init__(self, report: SavedReport, home: Asking, name: str) -> None:
        super().__init__(name=name)
        self._report, self._home = report, home
        self.TAB = home.TAB or home.name or ""

    def show(self) -> None:
        from aether_tui.room import discreet

        shown = discreet(self._report, "") if self.shell.room() else self._report
        self.page.view = dataclasses.replace(self.page.view, lead=self.LEAD, first=self.FIRST)
        self.page.show(shown)
        self.show_around()

    def action_open(self) -> None:
        item, view = self.page.selected, self.page.view
        if item is not None:
            same = view.open_id == item.id
            self.page.look(open_id="" if same else item.id, open_as="detail")


class RowsPage(_Over):
    """The rows behind a number; `↵` opens one, a trace as a tree."""

    SCOPES: ClassVar[frozenset[Where]] = PageScreen.SCOPES | {"rows"}

    def __init__(self, report: SavedReport, home: Asking) -> None:
        super().__init__(report, home, "rows")

    def about(self) -> tuple[str, str]:
        return "Rows", "The rows behind a number, the most telling first; enter opens one, esc goes back"

    def note(self) -> str:
        return " · ".join(filter(None, (super().note(), self.shell.looking().words() or self._report.window.label)))

    def action_open(self) -> None:
        item = self.page.selected
        if item is not None and item.block == TRACES:
            self._home.send(self._home.question("trace", trace=item.row.rpartition("/")[2]))
        else:
            super().action_open()


class TracePage(_Over):
    """One trace as a tree, or two side by side; `esc` goes back to where it was opened."""

    SCOPES: ClassVar[frozenset[Where]] = PageScreen.SCOPES | {"trace"}
    FIRST: ClassVar[str] = "trace.tree"
    LEAD: ClassVar[int] = 1
    SPANS: ClassVar[frozenset[str]] = frozenset({"trace.tree", "trace.failed"})
    """Blocks whose rows are spans."""

    def __init__(self, report: SavedReport, home: Asking) -> None:
        super().__init__(report, home, "trace")
        self._awaited = ""

    def about(self) -> tuple[str, str]:
        return (
            "Trace",
            "Spans as a tree on the trace's own time axis; enter tells more, r shows what was said, if it is kept",
        )

    def action_replay(self) -> None:
        """Send the selected model call again, or every call of the trace; the cost is shown first."""
        if self.shell.room():
            self.shell.say("not while others look on (R)")
        elif self._report.title == "Two traces":
            self.shell.say("open one trace to replay it")
        elif not self.shell.refused():
            item = self.page.selected
            tree = next((b for b in self._report.blocks if b.id == self.FIRST and isinstance(b, Table)), None)
            root = tree.rows[0].id if tree is not None and tree.rows else ""
            span = item.row if item is not None and item.block in self.SPANS and item.row != root else ""
            begin(self, self._report.title.removeprefix("Trace "), span, self._home.ask_replayed)

    def action_reveal(self) -> None:
        """What was said in the selected span, noted in the audit file."""
        item = self.page.selected
        if self.shell.room() or item is None or item.block not in self.SPANS:
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


class ReplayPage(_Over):
    """What came back, over the trace it was recorded in."""

    SCOPES: ClassVar[frozenset[Where]] = PageScreen.SCOPES | {"replay"}
    FIRST: ClassVar[str] = "replays.answers"
    LEAD: ClassVar[int] = 1

    def __init__(self, report: SavedReport, home: Asking) -> None:
        super().__init__(report, home, "replay")

    def about(self) -> tuple[str, str]:
        return (
            "Replay",
            "What the request answered when it was sent again; enter shows the words beside the recorded ones",
        )

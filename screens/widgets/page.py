"""The one widget reports are shown in: a tall page of lines, a cursor on what can be selected, drawn line by line."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from aether_tui.report_model import Plot, SavedReport, Table
from aether_tui.reports import plots
from screens.widgets.layout import Layout, Stop, View, lay_out
from screens.widgets.parts import Item
from screens.widgets.spans import Line, Role
from screens.widgets.table import Sort

ROLES: tuple[Role, ...] = ("text", "dim", "strong", "title", "accent", "good", "warn", "bad", "mark")


LOW_LINES = 34
AHEAD = 4
"""A page scrolls by one part in so many of its height."""


class Page(ScrollView, can_focus=True):
    """A report, scrollable, with one cursor over everything that can be selected. Only lines in sight are drawn."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"page--{role}" for role in ROLES} | {"page--cursor"}

    @dataclass
    class Selected(Message):
        """The cursor stands on another item."""

        item: Item

    def __init__(self, *, id: str | None = None) -> None:  # Textual's name for it
        super().__init__(id=id)
        self.report: SavedReport | None = None
        self.view = View()
        self._layout = Layout(0)
        self._cursor = 0
        self._looks: dict[str, Style] = {}

    # --- what is shown -------------------------------------------------------------------------------------------

    def show(self, report: SavedReport) -> None:
        """Draw `report`; the cursor stays on the item it was on."""
        if report is not self.report:
            self.report = report
            self._lay_out()

    def look(self, **changes: object) -> None:
        """Change how the report is looked at (the fields of `View`)."""
        self.view = replace(self.view, **changes)  # type: ignore[arg-type]  # names and types are View's own
        self._lay_out()

    @property
    def selected(self) -> Item | None:
        """The item under the cursor."""
        stop = self._stop
        return stop.item.whole() if stop else None

    def select(self, item_id: str) -> bool:
        """Put the cursor on an item by its id; False when it is not on this page."""
        for number, stop in enumerate(self._layout.stops):
            if stop.item.id == item_id:
                self._move(number)
                return True
        return False

    @property
    def _stop(self) -> Stop | None:
        stops = self._layout.stops
        return stops[self._cursor] if self._cursor < len(stops) else None

    def _lay_out(self) -> None:
        if self.report is None or not self.size.width:
            return
        before = self._stop
        kept = before.item.id if before else ""
        width = self.scrollable_content_region.width
        self.view = replace(self.view, low=self.size.height < LOW_LINES)
        self._layout = lay_out(self.report, self.view, width)
        stops = self._layout.stops
        begin = next((i for i, stop in enumerate(stops) if stop.item.block == self.view.first), 0)
        near = min(self._cursor, max(len(stops) - 1, 0)) if kept else begin
        self._cursor = next((i for i, stop in enumerate(stops) if stop.item.id == kept), near)
        self.virtual_size = Size(width, self._layout.height)
        if before is not None:
            self._hold(before)
            self._into_sight()
        drawings = self.view.open_id in self.report.details
        if not plots.ready() and (drawings or any(isinstance(block, Plot) for block in self.report.blocks)):
            self.call_after_refresh(lambda: self.run_worker(self._draw_soon(), group="plots", exclusive=True))
        self.refresh()

    async def _draw_soon(self) -> None:
        """Words stand where plots will be until what draws has been imported, after the first paint."""
        await asyncio.to_thread(plots.load)
        self.refresh()

    def on_resize(self) -> None:
        self._lay_out()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._looks = {}

    # --- drawing -------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        at = y + round(self.scroll_offset.y)
        width = self.size.width
        looks = self._looks or self._read_looks()
        stop = self._stop
        head = self._layout.head(at) if y == 0 else None
        if head is not None:
            return self._strip(head, width, looks, None)
        if at >= self._layout.height:
            return Strip.blank(width, looks["text"])
        on_cursor = stop is not None and stop.y == at
        return self._strip(
            self._layout.line(at, stop if on_cursor else None), width, looks, stop if on_cursor else None
        )

    def _strip(self, line: Line, width: int, looks: dict[str, Style], stop: Stop | None) -> Strip:
        strip = Strip([Segment(text, looks[role]) for text, role in line if text])
        if stop is not None:
            end = stop.x + 2 + stop.width
            under = [
                Segment(
                    part.text,
                    part.style if part.style is looks["mark"] else (part.style or looks["text"]) + looks["cursor"],
                )
                for part in strip.crop(stop.x + 1, end)
            ]
            pointer = Segment("▸", looks["accent"] + looks["cursor"])
            strip = Strip.join([strip.crop(0, stop.x), Strip([pointer, *under]), strip.crop(end)])
        return strip.adjust_cell_length(width, looks["text"])

    def _read_looks(self) -> dict[str, Style]:
        self._looks = {role: self.get_component_rich_style(f"page--{role}") for role in ROLES}
        cursor = self.get_component_rich_style("page--cursor", partial=True)
        self._looks["cursor"] = Style(bgcolor=cursor.bgcolor, bold=cursor.bold, reverse=cursor.reverse)
        return self._looks

    # --- moving --------------------------------------------------------------------------------------------------

    def _move(self, number: int) -> None:
        stops = self._layout.stops
        if not stops:
            return
        old = self._stop
        self._cursor = min(max(number, 0), len(stops) - 1)
        stop = stops[self._cursor]
        if old is not None:
            self._refresh_stop(old)
        self._refresh_stop(stop)
        self._into_sight()
        if old is None or old.item is not stop.item:
            self.post_message(self.Selected(stop.item))

    def _refresh_stop(self, stop: Stop) -> None:
        self.refresh(Region(0, stop.y - round(self.scroll_offset.y), self.size.width, 1))

    def _hold(self, before: Stop) -> None:
        """Keep the row under the cursor where it is on the screen, however many rows came or went above it.

        At the top of the page the page stays at its top: what is new there wants to be seen.
        """
        stop = self._stop
        if self.scroll_offset.y and stop is not None and stop.item.id == before.item.id and stop.y != before.y:
            self.scroll_to(y=max(0, self.scroll_offset.y + stop.y - before.y), animate=False)

    def _into_sight(self) -> None:
        """Scroll so that the cursor, what is open under it and the header above it are visible.

        A scroll sends the whole page, so a cursor that leaves it takes a quarter of a page with it, not a line.
        """
        stop = self._stop
        if stop is None:
            return
        height = self.scrollable_content_region.height
        top = round(self.scroll_offset.y)
        stops = self._layout.stops
        below = stops[self._cursor + 1].y if self._cursor + 1 < len(stops) else self._layout.height
        whole = max(below - 1, stop.y) if self.view.open_id else stop.y + stop.item.height - 1
        last = min(whole, stop.y + height - 2)
        ahead = 0 if self.view.open_id else height // AHEAD
        if self._cursor == 0:
            target = 0
        elif stop.y - 1 < top:
            target = max(stop.y - 1 - ahead, 0)
        elif last >= top + height:
            target = max(min(last - height + 1 + ahead, stop.y - 1), last - height + 1)
        else:
            return
        self.scroll_to(y=target, animate=False)

    def action_down(self) -> None:
        if self._scroll_open():
            return
        if self._cursor + 1 < len(self._layout.stops):
            self._move(self._cursor + 1)
        else:
            self.scroll_to(y=self.max_scroll_y, animate=False)

    def _scroll_open(self) -> bool:
        """What is open and longer than the screen is read to its end before the cursor goes on."""
        stop, height = self._stop, self.scrollable_content_region.height
        if stop is None or self.view.open_id != stop.item.id:
            return False
        stops = self._layout.stops
        below = stops[self._cursor + 1].y if self._cursor + 1 < len(stops) else self._layout.height
        bottom = round(self.scroll_offset.y) + height
        if below <= bottom:
            return False
        self.scroll_to(y=self.scroll_offset.y + min(below - bottom, height // 2), animate=False)
        return True

    def action_up(self) -> None:
        self._move(self._cursor - 1)

    def action_top(self) -> None:
        self._move(0)
        self.scroll_to(y=0, animate=False)

    def action_bottom(self) -> None:
        self._move(len(self._layout.stops) - 1)
        self.scroll_to(y=self.max_scroll_y, animate=False)

    def action_page_down(self) -> None:
        self._jump(self.size.height // 2)

    def action_page_up(self) -> None:
        self._jump(-(self.size.height // 2))

    def _jump(self, lines: int) -> None:
        stop = self._stop
        if stop is None:
            self.scroll_to(y=self.scroll_offset.y + lines, animate=False)
            return
        at = self._cursor
        step = 1 if lines > 0 else -1
        while 0 <= at + step < len(self._layout.stops) and abs(self._layout.stops[at].y - stop.y) < abs(lines):
            at += step
        if at == self._cursor and lines > 0:
            self.scroll_to(y=self.max_scroll_y, animate=False)
        self._move(at)

    def action_next_block(self) -> None:
        self._other_block(1)

    def action_previous_block(self) -> None:
        self._other_block(-1)

    def _other_block(self, step: int) -> None:
        stop = self._stop
        if stop is None:
            return
        blocks = list(dict.fromkeys(s.item.block for s in self._layout.stops))
        wanted = blocks[(blocks.index(stop.item.block) + step) % len(blocks)]
        self._move(next(i for i, s in enumerate(self._layout.stops) if s.item.block == wanted))

    def on_click(self, event: events.Click) -> None:
        at = event.y + round(self.scroll_offset.y)
        for number, stop in enumerate(self._layout.stops):
            if stop.y == at and stop.x <= event.x < stop.x + stop.width + 2:
                self._move(number)

    # --- order and filter ----------------------------------------------------------------------------------------

    def action_sort(self) -> None:
        """The next column of the table under the cursor; after the last one, the report's own order."""
        table = self._table()
        if table is None:
            return
        now = self.view.sort_of(table.id)
        column = 0 if now is None else now.column + 1
        kinds = {"number", "bar", "spark"}
        chosen = Sort(column, table.columns[column].kind in kinds) if column < len(table.columns) else None
        self._order(table, chosen)

    def action_reverse(self) -> None:
        table = self._table()
        now = self.view.sort_of(table.id) if table else None
        if table is not None and now is not None:
            self._order(table, replace(now, descending=not now.descending))

    def _order(self, table: Table, chosen: Sort | None) -> None:
        others = tuple((block, sort) for block, sort in self.view.sorts if block != table.id)
        self.look(sorts=(*others, (table.id, chosen)) if chosen else others)

    def _table(self) -> Table | None:
        item, report = self.selected, self.report
        if item is None or report is None:
            return None
        return next((b for b in report.blocks if isinstance(b, Table) and b.id == item.block), None)

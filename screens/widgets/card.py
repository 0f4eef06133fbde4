"""Lines, large and alone: what the interview shows in place of a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from screens.widgets.page import ROLES
from screens.widgets.spans import Line, fit

WHEEL_ROWS = 3


class Card(Widget, can_focus=False):
    """Lines of spans from the top. The first stays; where the others do not fit, the last row says how many more there are."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"page--{role}" for role in ROLES}
    DEFAULT_CSS = "Card { height: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:  # Textual's name for it
        super().__init__(id=id)
        self._lines: tuple[Line, ...] = ()
        self._looks: dict[str, Style] = {}
        self._top = 0

    def put(self, lines: Sequence[Line]) -> None:
        """Show these lines, from where the same ones were scrolled to."""
        fresh = tuple(lines)
        if fresh[1:] != self._lines[1:]:
            self._top = 0
        if fresh != self._lines:
            self._lines = fresh
            self.refresh()

    def move(self, rows: int) -> None:
        """Scroll down, or up."""
        self._top = min(max(self._top + rows, 0), self._furthest)
        self.refresh()

    def on_mouse_scroll_down(self) -> None:
        self.move(WHEEL_ROWS)

    def on_mouse_scroll_up(self) -> None:
        self.move(-WHEEL_ROWS)

    @property
    def _furthest(self) -> int:
        return max(0, len(self._lines) - self.size.height)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._looks = {}

    def render_line(self, y: int) -> Strip:
        if not self._looks:
            self._looks = {role: self.get_component_rich_style(f"page--{role}") for role in ROLES}
        width = self.size.width
        line = fit(self._line(y), width)
        strip = Strip([Segment(text, self._looks[role]) for text, role in line if text])
        return strip.adjust_cell_length(width, self._looks["text"])

    def _line(self, y: int) -> Line:
        at = y + min(self._top, self._furthest) if y else 0
        left = len(self._lines) - at
        if y == self.size.height - 1 and left > 1:
            return ((f"   ↓ {left} more", "dim"),)
        return self._lines[at] if left > 0 else ()

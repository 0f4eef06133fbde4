"""A few lines, large and alone: what the interview shows in place of a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from screens.widgets.page import ROLES
from screens.widgets.spans import Line, fit


class Card(Widget, can_focus=False):
    """Lines of spans from the top; only lines that changed are drawn anew."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"page--{role}" for role in ROLES}
    DEFAULT_CSS = "Card { height: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:  # Textual's name for it
        super().__init__(id=id)
        self._lines: tuple[Line, ...] = ()
        self._looks: dict[str, Style] = {}

    def put(self, lines: Sequence[Line]) -> None:
        """Show these lines."""
        if tuple(lines) != self._lines:
            self._lines = tuple(lines)
            self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._looks = {}

    def render_line(self, y: int) -> Strip:
        if not self._looks:
            self._looks = {role: self.get_component_rich_style(f"page--{role}") for role in ROLES}
        width = self.size.width
        line = fit(self._lines[y], width) if y < len(self._lines) else ()
        strip = Strip([Segment(text, self._looks[role]) for text, role in line if text])
        return strip.adjust_cell_length(width, self._looks["text"])

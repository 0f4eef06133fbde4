"""A page to write long text on."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea


class Prose(ModalScreen[str | None]):
    """A text area; escape keeps what is written, ctrl+x forgets it. `ready` is called once keys arrive here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "keep", show=False, priority=True),
        Binding("ctrl+x", "forget", show=False, priority=True),
    ]

    def __init__(self, title: str, help_: str, text: str, ready: Callable[[], None]) -> None:
        super().__init__()
        self._ready = ready
        self._title = title
        self._help = help_
        self._text = text

    def compose(self) -> ComposeResult:
        yield Static(f"{self._title}   esc keeps it, ctrl+x forgets it", id="prose-title", markup=False)
        yield Static(self._help, id="prose-help", markup=False)
        yield TextArea(self._text, soft_wrap=True, compact=True)

    def on_mount(self) -> None:
        area = self.query_one(TextArea)
        area.cursor_blink = False
        area.move_cursor(area.document.end)
        area.focus()
        self._ready()

    def action_keep(self) -> None:
        self.dismiss(self.query_one(TextArea).text.rstrip())

    def action_forget(self) -> None:
        self.dismiss(None)

"""A page to write long text on."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea

from aether_tui.text import plain
from screens.widgets.entry import JOINERS, Typed


class Area(TextArea, Typed):
    """Several lines."""

    async def take(self, event: events.Key | events.Paste) -> bool:
        if isinstance(event, events.Paste):
            await self._on_paste(events.Paste(_harmless(event.text)))
            return True
        if event.character and event.character in JOINERS:
            self.insert(event.character)
            return True
        if not event.is_printable and event.key != "enter":
            return False
        await self._on_key(event)
        return True


class Prose(ModalScreen[None]):
    """A text area; escape gives `done` what is written, ctrl+x forgets it. `ready` is called once keys arrive here, `left` gets
    what is written when the console ends meanwhile.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "keep", show=False, priority=True),
        Binding("ctrl+x", "forget", show=False, priority=True),
        Binding("ctrl+q", "app.quit", show=False),
        Binding("tab,shift+tab", "stay", show=False, priority=True),
    ]

    def __init__(
        self,
        title: str,
        help_: str,
        text: str,
        ready: Callable[[], None],
        done: Callable[[str | None], None],
        left: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._left: Callable[[str], None] | None = left
        self._area = Area(_harmless(text), soft_wrap=True, compact=True)
        self._ready = ready
        self._done = done
        self._title = title
        self._help = help_

    def compose(self) -> ComposeResult:
        yield Static(f"{self._title}   esc keeps it, ctrl+x forgets it", id="prose-title", markup=False)
        yield Static(self._help, id="prose-help", markup=False)
        yield self._area

    def on_mount(self) -> None:
        self._area.cursor_blink = False
        self._area.move_cursor(self._area.document.end)
        self.set_focus(self._area)
        self._ready()

    def on_unmount(self) -> None:
        if self._left is not None:
            self._left(self._area.text.rstrip())

    def action_keep(self) -> None:
        self._finish(self._area.text.rstrip())

    def action_forget(self) -> None:
        self._finish(None)

    def action_stay(self) -> None:
        """Tab does not leave the text."""

    def _finish(self, text: str | None) -> None:
        self._left = None
        self.dismiss()
        self._done(text)


def _harmless(text: str) -> str:
    """Its lines, whatever a file or the clipboard holds: what is typed into is painted as it is."""
    return plain("\n".join(text.splitlines()), len(text))

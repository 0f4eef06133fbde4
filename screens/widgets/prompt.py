"""One line to type in, in place of the footer: filters, numbers, titles, names."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Label

Done = Callable[[str | None], None]


class Prompt(Horizontal):
    """Asks for one line. `done` gets it, or None after escape; `ready` is called once keys arrive here,
    `leaving` when they no longer do;
    `changed` gets every version on the way."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", show=False)]

    def __init__(
        self,
        label: str,
        value: str,
        done: Done,
        ready: Callable[[], None],
        leaving: Callable[[], None],
        changed: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__()
        self.left = False
        self._label = label
        self._value = value
        self._done = done
        self._ready = ready
        self._leaving = leaving
        self._changed = changed

    def compose(self) -> ComposeResult:
        yield Label(self._label, markup=False)
        yield Input(self._value, compact=True, select_on_focus=False)

    def on_mount(self) -> None:
        entry = self.query_one(Input)
        entry.cursor_blink = False
        entry.focus()
        self._ready()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._changed is not None:
            self._changed(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._finish(event.value.strip())

    def action_give_up(self) -> None:
        self._finish(None)

    def _finish(self, value: str | None) -> None:
        if not self.left:
            self.left = True
            self._leaving()
            self.remove()
            self._done(value)

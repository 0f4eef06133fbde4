"""One line to type in, in place of the footer: filters, numbers, titles, names."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Label
from textual.widgets.input import Selection

from screens.widgets.entry import Entry

ANSWER = "answer"
"""What stands before the line where the question stands above it."""
Done = Callable[[str | None], None]
LEAST, WORDS = 16, 32
"""Cells that a yes, and an answer in words, has beside the longest question; a longer one stands above the line."""


class Prompt(Horizontal):
    """Asks for one line. `done` gets it, or None after escape; `ready` is called once keys arrive here;
    `changed` gets every version on the way, `left` what was typed until an escape, in place of `done`.

    What stands there at first is offered: it is marked, and gives way to the first letter. One that `goes_on` is written on.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", show=False),
        Binding("tab,shift+tab", "stay", show=False),
    ]

    def __init__(
        self,
        label: str,
        value: str,
        done: Done,
        ready: Callable[[], None],
        changed: Callable[[str], None] | None = None,
        left: Callable[[str], None] | None = None,
        *,
        goes_on: bool = False,
    ) -> None:
        super().__init__()
        self.left = False
        self._give_up = left
        self._label = label
        self._value = value
        self._done = done
        self._ready = ready
        self._changed = changed
        self._goes_on = goes_on

    def compose(self) -> ComposeResult:
        yield Label(self._label, markup=False)
        yield Entry(self._value, lambda value: self._finish(value.strip()), self._tell)

    def on_mount(self) -> None:
        entry = self.query_one(Entry)
        self.screen.set_focus(entry)  # at once; `focus()` would wait behind keys already typed
        if not self._goes_on:
            entry.selection = Selection(0, len(self._value))
        self._ready()

    def _tell(self, value: str) -> None:
        if self._changed is not None and not self.left:
            self._changed(value)

    def action_give_up(self) -> None:
        if self._give_up is None:
            self._finish(None)
        elif not self.left:
            self.left = True
            self.remove()
            self._give_up(self.query_one(Entry).value.strip())

    def action_stay(self) -> None:
        """Tab does not leave the line."""

    def _finish(self, value: str | None) -> None:
        if not self.left:
            self.left = True
            self.remove()
            self._done(value)

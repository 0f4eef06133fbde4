"""Widgets that are typed into. The console gives them each key itself, one after the other."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.widgets import Input


class Typed:
    """A widget that takes what is typed when the console hands it over, not when its own queue comes to it.

    Textual sends a letter to the widget and every other key back up to the app, which takes several turns of several
    queues: letters typed behind an enter or a backspace would arrive before it.
    """

    async def take(self, event: events.Key | events.Paste) -> bool:
        """Write it; False when it is not text."""
        raise NotImplementedError


class Entry(Input, Typed):
    """One line. `submitted` gets it at enter, before the next key is looked at."""

    def __init__(self, value: str, submitted: Callable[[str], None]) -> None:
        super().__init__(value, compact=True, select_on_focus=False)
        self.cursor_blink = False
        self._submitted = submitted

    async def take(self, event: events.Key | events.Paste) -> bool:
        if isinstance(event, events.Paste):
            self._on_paste(events.Paste(" ".join(event.text.split())))  # Textual's own keeps the first line only
            return True
        if not event.is_printable:
            return False
        await self._on_key(event)
        return True

    async def action_submit(self) -> None:
        self._submitted(self.value)

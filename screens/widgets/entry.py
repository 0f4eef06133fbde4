"""Widgets that are typed into. The console gives them each key itself, one after the other."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import inf

from textual import events
from textual.geometry import Region
from textual.widgets import Input

from aether_tui.text import plain

BREATH_S = 0.5
"""Keys that follow each other faster are one stretch of typing."""


JOINERS = "\u200c\u200d"
"""Letters without a width, which Python counts among what is not printed: in Persian, and between the parts of an emoji."""


class Stretch:
    """One stretch of typing. What began as words in an input is no command where the input has closed meanwhile, unless the line is one
    that a key had opened: who closes it knows."""

    def __init__(self) -> None:
        self.breath_s = BREATH_S
        self._called: object = None
        self._closed: object = None
        self._words = False
        self._last_s = -inf
        self._behind = ""

    def call(self, screen: object) -> None:
        """A key runs a command on a screen: the line it may open there is closed by enter. Those that follow it, or that a screen opens
        by itself, come unasked."""
        self._called = screen

    def into(self, event: events.Key | events.Paste, screen: object) -> None:
        """An input of a screen takes this. Where the last key was an escape, keys are keys again."""
        self._words, self._last_s, self._behind = isinstance(event, events.Paste) or _writes(event), event.time, ""
        if isinstance(event, events.Key) and event.key == "enter":
            self._words, self._closed, self._called = self._called is not screen, self._called, None

    def again(self) -> None:
        """The line just closed is asked for once more: it is still the one that a key had opened, or not."""
        self._called = self._closed

    def unasked(self) -> None:
        """The line about to open comes by itself, whatever the last key was."""
        self._called = None

    def strays(self, key: events.Key) -> None:
        """This key is none where answers are given: what follows it without a breath is talk."""
        if key.is_printable and key.character:
            self._words, self._behind = True, key.character

    def goes_on(self, key: events.Key, *, answers: bool) -> bool:
        """Whether this key still belongs to what was typed before and is not to be run: nobody drew breath before it. One that
        `answers` does so at the beginning, but not amid words."""
        self._words = self._words and _writes(key) and key.time - self._last_s < self.breath_s
        self._last_s = key.time
        return self._words and not (answers and not self._behind)

    def refused(self, key: events.Key) -> str:
        """What was typed on and is not taken, this key the last of it."""
        self._behind += key.character if key.is_printable and key.character else "↵" if key.key == "enter" else "⌫"
        return self._behind


def _writes(key: events.Key) -> bool:
    return key.is_printable or key.key in {"enter", "backspace"}


class Typed:
    """A widget that takes what is typed when the console hands it over, not when its own queue comes to it.

    Textual sends a letter to the widget and every other key back up to the app, which takes several turns of several
    queues: letters typed behind an enter or a backspace would arrive before it.
    """

    async def take(self, event: events.Key | events.Paste) -> bool:
        """Write it; False when it is not text."""
        raise NotImplementedError


class Entry(Input, Typed):
    """One line. `changed` gets every version, `submitted` the last one at enter, before the next key is looked at."""

    def __init__(self, value: str, submitted: Callable[[str], None], changed: Callable[[str], None]) -> None:
        self._changed = changed
        super().__init__(_harmless(value), compact=True, select_on_focus=False)
        self.cursor_blink = False
        self._submitted = submitted

    def watch_value(self, value: str) -> None:
        """At once, since the console may end before Textual's message comes."""
        self._changed(value)

    def on_resize(self) -> None:
        """Where a text is written on, its end is in sight from the beginning, and stays so when the window changes."""
        if self.selection.is_empty:
            self.scroll_to_region(Region(self._cursor_offset, 0, width=1, height=1), force=True, animate=False)

    async def take(self, event: events.Key | events.Paste) -> bool:
        if isinstance(event, events.Paste):
            line = re.sub(r"\s+", " ", event.text)  # Textual's own keeps the first line only
            self._on_paste(events.Paste(_harmless(line)))
            return True
        if event.character and event.character in JOINERS:
            self.insert_text_at_cursor(event.character)
            return True
        if not event.is_printable:
            return False
        await self._on_key(event)
        return True

    async def action_submit(self) -> None:
        self._submitted(self.value)


def _harmless(text: str) -> str:
    """On one line, whatever a file or the clipboard holds: what is typed into is painted as it is."""
    return plain(" ".join(text.splitlines()), len(text))

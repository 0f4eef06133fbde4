"""The commands of the palette, from the action registry."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from functools import partial

from rich.text import Text
from textual.command import DiscoveryHit, Hit, Hits, Provider

from aether_tui.actions import ACTIONS, Action, shown
from screens.base import PageScreen


class Actions(Provider):
    """Every action that works on the current screen."""

    async def discover(self) -> Hits:
        for action, text, run in self._commands():
            yield DiscoveryHit(Text(text), run, text=text, help=action.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action, text, run in self._commands():
            score = max(matcher.match(text), 0.9 * matcher.match(action.help))
            if score > 0:
                yield Hit(score, Text(text), run, text=text, help=action.help)

    def _commands(self) -> Iterator[tuple[Action, str, Callable[[], Coroutine[None, None, None]]]]:
        screen = self.screen
        if not isinstance(screen, PageScreen):
            return
        for action in ACTIONS:
            if action.palette and action.where in screen.SCOPES:
                name = f"Go to {action.title}" if action.group == "Go" else action.title
                text = f"{name}  {shown(screen.shell.keymap.keys[action.id])}"
                yield action, text, partial(screen.shell.perform, action)

"""`?`: what can be done here, from the action registry."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from aether_tui.actions import ACTIONS, GROUPS, Keymap, Where, shown
from screens.widgets.spans import pad


class Help(ModalScreen[None]):
    """Keys of the current screen by group, then what its glyphs mean, then problems of the user's keymap."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,f1", "dismiss", show=False),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
    ]

    def __init__(self, keymap: Keymap, scopes: frozenset[Where], title: str, about: str) -> None:
        super().__init__()
        self._keymap = keymap
        self._scopes = scopes
        self._title = title
        self._about = about

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=True):
            yield Static(self._text(), markup=False)

    def action_scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def _text(self) -> Text:
        text = Text(no_wrap=False)
        text.append(f"{self._title}\n", "bold")
        text.append(f"{self._about}. esc closes this.\n")
        for group in GROUPS:
            actions = [action for action in ACTIONS if action.group == group and action.where in self._scopes]
            if actions:
                text.append(f"\n{group}\n", "bold")
            for action in actions:
                text.append(f"  {pad(shown(self._keymap.keys[action.id]), 11)} ", "bold")
                text.append(f"{pad(action.title, 13)} {action.help}\n")
        text.append("\nGlyphs\n", "bold")
        text.append("  ✓ pass   ▲ warn   ■ block   ? inconclusive   · no data   ↻ running   — unknown\n")
        if self._keymap.problems:
            text.append("\nProblems of your keys (aether.toml, [console.keys])\n", "bold")
            for problem in self._keymap.problems:
                text.append(f"  ▲ {problem}\n")
        return text

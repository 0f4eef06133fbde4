"""`?`: what can be done here, from the action registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.console import Group
from rich.table import Column, Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from aether_tui.actions import ACTIONS, GROUPS, Keymap, Where, shown

EVERYWHERE = frozenset[Where]({"app", "page", "list", "report"})
"""Scopes that most screens have."""


class Help(ModalScreen[None]):
    """Keys by group, those that only this screen has first; what glyphs mean, and problems of the user's keymap."""

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
            yield Static(Group(*self._parts()), markup=False)

    def action_scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def _parts(self) -> Iterator[Text | Table]:
        yield Text(f"{self._title}\n{self._about}. esc closes this.", "bold")
        groups = {
            group: [one for one in ACTIONS if one.group == group and one.where in self._scopes] for group in GROUPS
        }
        for group in sorted(groups, key=lambda group: all(one.where in EVERYWHERE for one in groups[group])):
            if groups[group]:
                yield Text(f"\n{group}", "bold")
                lines = Table.grid(Column(width=11), Column(width=13), Column(), padding=(0, 1), pad_edge=True)
                for action in groups[group]:
                    lines.add_row(Text(shown(self._keymap.keys[action.id]), "bold"), action.title, Text(action.help))
                yield lines
        yield Text("\nGlyphs", "bold")
        yield Text("  ✓ pass   ▲ warn   ■ block   ? inconclusive   · no data   ↻ running   — unknown")
        if self._keymap.problems:
            yield Text("\nProblems of your keys (aether.toml, [console.keys])", "bold")
            yield from (Text(f"  ▲ {problem}") for problem in self._keymap.problems)

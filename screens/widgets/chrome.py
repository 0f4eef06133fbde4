"""The lines around a report: who and where at the top, the screens under it, the keys at the bottom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from aether_tui import human
from aether_tui.actions import ACTIONS, Keymap, Where, shown
from aether_tui.report_model import Freshness, not_fresh
from screens import SCREENS, ScreenSpec
from screens.widgets.page import ROLES, Page
from screens.widgets.spans import Line, Span, clean, crop, crop_middle, fit, width_of


class Bar(Widget, can_focus=False):
    """One line of spans; it repaints only when they change."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"page--{role}" for role in ROLES}
    DEFAULT_CSS = "Bar { height: 1; }"

    def __init__(self, *, id: str | None = None) -> None:  # Textual's name for it
        super().__init__(id=id)
        self._left: Line = ()
        self._right: Line = ()
        self._looks: dict[str, Style] = {}

    def put(self, left: Line, right: Line = ()) -> None:
        """Show `left`, and `right` at the right edge; what does not fit of the left is cropped."""
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._looks = {}

    def render_line(self, y: int) -> Strip:
        if not self._looks:
            self._looks = {role: self.get_component_rich_style(f"page--{role}") for role in ROLES}
        width = self.size.width
        right = self._right if width_of(self._right) + 12 < width else ()
        left = fit(self._left, width - width_of(right))
        return Strip([Segment(text, self._looks[role]) for text, role in (*left, *right) if text]).adjust_cell_length(
            width, self._looks["text"]
        )


@dataclass(frozen=True, slots=True)
class Status:
    """What the top line says: the workspace, where its cycle stands, the network, the data's age, a running job."""

    name: str
    place: Line = ()
    """Cycle, phase and gate."""
    network: str = ""
    age: str = ""
    job: str = ""


def synced(streams: Sequence[Freshness], now: datetime) -> str:
    """The oldest stale source and its age, else how long ago anything came in."""
    if not streams:
        return ""
    left = not_fresh(streams)
    stale = left.get("stale", [])
    if left and not stale:
        return f"▲ {clean(left['ahead of now'][0].source)} synced ahead of now"
    never = next((item for item in stale if item.last_success is None), None)
    if never is not None:
        return f"▲ {clean(never.source)} never synced"
    instants = [item.last_success for item in stale or streams if item.last_success is not None]
    if stale:
        oldest = min(stale, key=lambda item: item.last_success or now)
        return f"▲ {clean(oldest.source)} {human.age((now - min(instants)).total_seconds())} old"
    age_s = (now - max(instants)).total_seconds()
    return "synced now" if age_s < 90 else f"synced {human.age(age_s)} ago"


class StatusBar(Bar):
    """Workspace, cycle, phase and gate at the left; offline, age and job at the right."""

    def tell(self, status: Status) -> None:
        """Show it."""
        told = " · ".join(part for part in (status.network, status.age) if part)
        job = crop_middle(status.job, self.size.width // 3)  # who and where it is stays beside it
        right: Line = ((f"{job}  ", "accent"),) if job else ()
        right = (*right, (f"{told} ", "dim")) if told else right
        room = self.size.width - width_of(right) - 5
        name = crop(status.name, room // 3)
        first, rest = status.place[:1], status.place[1:]
        left = room - cell_len(name) - width_of(rest)
        brand: Line = ((" aether ", "accent"),) if width_of(first) + 8 <= left else ()
        place: Line = tuple((crop(text, left - width_of(brand)), role) for text, role in first)
        self.put((*brand, (f" {name}  ", "strong"), *place, *rest), right)


class TabBar(Bar):
    """The screens with their letters, the current one marked; the report's own age at the right.

    Letters that made room for a longer note do not come back while it is the same screen: they would jump.
    """

    _kept = ("", 0, 0)
    """Screen, width, and the room its tabs have had at least."""

    def tell(self, current: str, note: str) -> None:
        """Mark `current`; `note` says how old the report is."""
        right: Line = ((f"{note} ", "dim"),)
        wide, room = self.size.width, self.size.width - width_of(right)
        if self._kept[:2] == (current, wide):
            room = min(room, self._kept[2])
        self._kept = (current, wide, room)
        self.put(tabs(tuple(SCREENS.values()), current, room), right)

    async def on_click(self, event: events.Click) -> None:
        """Go to the screen under the mouse, unless something is being typed."""
        edge = 0
        for text, _ in self._left:
            edge += cell_len(text)
            if event.x < edge:
                named = [spec.name for spec in SCREENS.values() if text.strip() in {spec.letter, spec.title}]
                if named and isinstance(self.app.focused, Page):
                    await self.run_action(f"app.go({named[0]!r})")
                return


def tabs(specs: Sequence[ScreenSpec], current: str, room: int) -> Line:
    """All titles where they fit; else letters and the current title; else as many letters around it as fit, with `‹ ›`."""
    full: list[Span] = [(" ", "text")]
    for spec in specs:
        full += [(f" {spec.title} ", "mark" if spec.name == current else "dim"), (" ", "text")]
    if width_of(tuple(full)) < room:
        return tuple(full)
    at = next((n for n, spec in enumerate(specs) if spec.name == current), 0)
    short: list[Span] = [
        (f" {spec.title} " if n == at else f" {spec.letter} ", "mark" if spec.name == current else "dim")
        for n, spec in enumerate(specs)
    ]
    first, last = 0, len(short)
    while width_of(tuple(short[first:last])) + 5 > room and last - first > 1:
        if last - 1 - at > at - first:
            last -= 1
        else:
            first += 1
    left, right = "‹" if first else " ", "›" if last < len(short) else " "
    return ((left, "dim"), *short[first:last], (right, "dim"))


class GoBar(Widget, can_focus=False):
    """What the line below has no room for, over the page: where a prefix can lead, every letter with its screen, while the
    second key is awaited; and the first lines of a long message."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"page--{role}" for role in ROLES}
    DEFAULT_CSS = "GoBar { layer: over; dock: bottom; margin-bottom: 1; height: auto; display: none; }"

    def __init__(self, *, id: str | None = None) -> None:  # Textual's name for it
        super().__init__(id=id)
        self._lines: list[Line] = []

    def tell(self, pairs: Sequence[tuple[str, str]], width: int, said: Sequence[str] = ()) -> None:
        """Show keys and titles in columns, else what is said; nothing hides it."""
        lines = columns_of(pairs, width) or [((f" {line}", "accent"),) for line in said]
        if lines == self._lines:
            return
        self._lines = lines
        self.styles.height = max(len(lines), 1)
        self.display = bool(lines)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        looks = {role: self.get_component_rich_style(f"page--{role}") for role in ROLES}
        line = fit(self._lines[y], self.size.width) if y < len(self._lines) else ()
        return Strip([Segment(text, looks[role]) for text, role in line if text]).adjust_cell_length(
            self.size.width, looks["text"]
        )


def columns_of(pairs: Sequence[tuple[str, str]], width: int) -> list[Line]:
    """Keys with their titles, downwards in as many columns as fit."""
    if not pairs:
        return []
    size = max(cell_len(key) + 1 + cell_len(title) for key, title in pairs) + 3
    count = max(1, min(len(pairs), (width - 1) // size))
    rows = -(-len(pairs) // count)
    lines = []
    for row in range(rows):
        line: Line = ((" ", "text"),)
        for key, title in pairs[row::rows]:
            line = (*line, (key, "accent"), (" " + title.ljust(size - 1 - cell_len(key)), "text"))
        lines.append(line)
    return lines


class KeyBar(Bar):
    """The keys that matter here; or what just happened, until the next key."""

    def tell(self, keymap: Keymap, scopes: frozenset[Where], *, message: str = "", prefix: str = "") -> None:
        """Show the message, else that a second key is awaited, else the footer's actions."""
        if message:
            self.put(((f" {message}", "accent"),))
            return
        if prefix:
            self.put(((f" {shown(prefix)}", "accent"), (" then a letter; esc stays here", "dim")))
            return
        wanted = sorted((a for a in ACTIONS if a.footer and a.where in scopes), key=lambda a: a.footer)
        pairs = [(shown(keymap.keys[a.id].split(",")[0]), a.title) for a in wanted]
        kept = dict(enumerate(pairs[:-2]))
        places = [a.where for a in wanted[:-2]]
        own = max((n for n, where in enumerate(places) if where not in {"app", "page", "report"}), default=-1)
        gap, last = GAP, _pairs(pairs[-2:])
        if width_of(_pairs(pairs[: own + 1])) + width_of(last) >= self.size.width:
            gap, last = GAP - 1, (*_pairs(pairs[-2:-1], GAP - 1)[1:], *_pairs(pairs[-1:], 1)[1:])
        for number in _in_order_of_need(places, own):
            if width_of(_pairs(list(kept.values()), gap)) + width_of(last) <= self.size.width - (gap == GAP):
                break
            del kept[number]
        self.put(_pairs(list(kept.values()), gap), last)


GAP = 3
"""Cells after a key's word, where there is room."""


def _in_order_of_need(scopes: Sequence[Where], own: int) -> list[int]:
    """Places of actions, least needed first: those after the last of the screen's own (`own`), what every report can, the others."""
    rank = lambda n: (n <= own, n <= own and {"report": 0, "app": 1}.get(scopes[n], 2), -n)  # noqa: E731
    return sorted(range(len(scopes)), key=rank)


def _pairs(pairs: list[tuple[str, str]], gap: int = GAP) -> Line:
    line: list[Span] = [(" ", "text")]
    for key, name in pairs:
        line += [(key, "accent"), (f" {name.lower()}{' ' * gap}" if name else "  ", "dim")]
    return tuple(line)

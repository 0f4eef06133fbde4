"""Opportunities ranked by ICE-P; scores are typed where they stand."""

from __future__ import annotations

from typing import ClassVar, Literal

from aether_tui.actions import Where
from screens.base import ReportScreen
from screens.edits import Field, Undo

FIELDS: tuple[Literal["impact", "confidence", "reversibility"], ...] = ("impact", "confidence", "reversibility")
TABLE = "portfolio.items"
UNDO_STEPS = 100


class Portfolio(ReportScreen):
    """The ranking. Digits set the marked field of the selected opportunity, at once and on disk."""

    LEAD: ClassVar[int] = 100
    FIRST: ClassVar[str] = TABLE
    SCOPES: ClassVar[frozenset[Where]] = ReportScreen.SCOPES | {"portfolio"}

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
        self._undo: list[Undo] = []

    def on_mount(self) -> None:
        self.page.look(mark=FIELDS[0])

    @property
    def opportunity(self) -> str:
        """The id of the selected opportunity, or nothing."""
        item = self.page.selected
        return item.row if item is not None and item.block == TABLE else ""

    def action_next_field(self) -> None:
        mark = self.page.view.mark
        at = next((i for i, field in enumerate(FIELDS) if field == mark), -1)
        self.page.look(mark=FIELDS[(at + 1) % len(FIELDS)])

    def action_rate(self, digit: int) -> None:
        mark = next((field for field in FIELDS if field == self.page.view.mark), FIELDS[0])
        self._set(mark, float(digit or 10))

    def action_effort(self) -> None:
        def done(value: str | None) -> None:
            if value:
                try:
                    self._set("effort_weeks", float(value.replace(",", ".")))
                except ValueError:
                    self.shell.say(f"▲ {value!r} is not a number of weeks")

        if self._selected():
            self.ask("weeks to the first reliable signal", "", done)

    def action_new(self) -> None:
        def done(title: str | None) -> None:
            if title:
                self.shell.in_thread(lambda: self._add(title), rebuild=self.report)

        self.ask("new opportunity", "", done)

    def action_undo(self) -> None:
        if not self._undo:
            self.shell.say("nothing to undo")
            return
        undo = self._undo.pop()
        from screens.edits import take_back

        self.shell.in_thread(lambda: take_back(self.shell.workspace, undo, self.shell.now()), rebuild=self.report)

    def _set(self, field: Field, value: float) -> None:
        identity = self._selected()
        if identity:
            self.shell.in_thread(lambda: self._rate(identity, field, value), rebuild=self.report)

    def _selected(self) -> str:
        if not self.opportunity:
            self.shell.say("select an opportunity first (j, k), or add one (n)")
        return self.opportunity

    def _rate(self, identity: str, field: Field, value: float) -> str:
        """In a thread."""
        from screens.edits import rate

        self._remember(rate(self.shell.workspace, identity, field, value, self.shell.now()))
        return f"{identity} {field.replace('_', ' ')} {value:g}; u takes it back"

    def _add(self, title: str) -> str:
        """In a thread."""
        from screens.edits import add

        identity, undo = add(self.shell.workspace, title, self.shell.now())
        self._remember(undo)
        return f"{identity} added with middling numbers; rate it with 1–9, 0 and w"

    def _remember(self, undo: Undo) -> None:
        self._undo = [*self._undo, undo][-UNDO_STEPS:]

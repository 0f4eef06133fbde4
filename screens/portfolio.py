"""Opportunities ranked by ICE-P; scores are typed where they stand."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Literal

from aether_tui.actions import Where
from aether_tui.errors import AetherError, ConfigurationError
from aether_tui.report_model import SavedReport
from aether_tui.text import one_line
from aether_tui.workspace.imports import store
from screens.base import ReportScreen
from screens.edits import Field, Stated, add, rate
from screens.trial_edits import planned_import

FIELDS: tuple[Literal["impact", "confidence", "reversibility"], ...] = ("impact", "confidence", "reversibility")
TABLE = "portfolio.items"
TORNADO = "portfolio.tornado"
MAP = "portfolio.map"


class Portfolio(ReportScreen):
    """The ranking. Digits set the marked field of the selected opportunity, at once and on disk."""

    LEAD: ClassVar[int] = 100
    FIRST: ClassVar[str] = TABLE
    SCOPES: ClassVar[frozenset[Where]] = ReportScreen.SCOPES | {"portfolio"}

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
        self._look = ""

    def adorn(self, report: SavedReport) -> SavedReport:
        """The list, or the look that was asked for; under the map the list, to find what a point is."""
        import msgspec

        looks = (TORNADO, MAP)
        wanted = {MAP: (MAP, TABLE)}.get(self._look, (self._look,))
        found = [b for b in report.blocks if (b.id in wanted if self._look else b.id not in looks)]
        blocks = tuple(sorted(found, key=lambda b: b.id != self._look)) if self._look else tuple(found)
        return msgspec.structs.replace(report, blocks=blocks)

    def action_tornado(self) -> None:
        self._toggle_look(TORNADO)

    def action_map(self) -> None:
        self._toggle_look(MAP)

    def _toggle_look(self, block: str) -> None:
        report = self.shell.saved(self.report)
        if report is None or all(one.id != block for one in report.blocks):
            self.shell.say("there is nothing to look at: add an opportunity (n)")
            return
        self._look = "" if self._look == block else block
        self.show()

    def close(self) -> bool:
        """Escape leaves the map and the tornado for the list."""
        if super().close():
            return True
        if not self._look:
            return False
        self._look = ""
        self.show()
        return True

    def action_range(self) -> None:
        """Low, most likely, high for the marked field; one number makes it a point again."""
        identity, field = self._selected(), self._field()
        if not identity:
            return

        def read(value: str) -> list[float]:
            parts = value.replace(";", " ").replace("–", " ").replace(",", " ").split()
            try:
                points = [float(part) for part in parts]
            except ValueError:
                points = []
            if len(points) not in {1, 3} and parts:
                raise ConfigurationError(f"{value!r} is not three numbers", next_step="type for example 4,6,9")
            return points

        def done(points: list[float]) -> None:
            if points:
                self._set(field, (points[0], points[1], points[2]) if len(points) == 3 else points[0])

        self.ask_right(f"{identity} {field} low, most likely, high", "", read, done)

    def _field(self) -> Literal["impact", "confidence", "reversibility"]:
        return next((field for field in FIELDS if field == self.page.view.mark), FIELDS[0])

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
        self._set(self._field(), float(digit or 10))

    def action_effort(self) -> None:
        identity = self._selected()

        def read(value: str) -> float | None:
            from aether_tui.workspace.fields import decimal

            return decimal(value, "type for example 1.5") if value else None

        def done(weeks: float | None) -> None:
            if weeks is not None:
                self._set("effort_weeks", weeks)

        if identity:
            self.ask_right(f"{identity} weeks to the first reliable signal", "", read, done)

    def action_new(self) -> None:
        def done(title: str | None) -> None:
            if title:
                work = lambda: add(self.shell.workspace, title, self.shell.now())  # noqa: E731
                made = lambda edit: self.begun(TABLE, edit, {"id": edit.identity, "title": title})  # noqa: E731
                self.shell.edit(work, rebuild=self.report, done=made)

        self.ask("new opportunity", "", done)

    def action_import(self) -> None:
        """Ask for a filter or a file, show what would be added, and add it when that is agreed to."""

        def planned(words: str | None) -> None:
            if words is not None:
                self.run_worker(self._preview(words), exclusive=True, group="import", exit_on_error=False)

        self.ask(
            "items with type= label= project= state= team=, or a file",
            "type=opportunity",
            planned,
            most=None,
            passing=True,
        )

    async def _preview(self, words: str) -> None:
        try:
            found = await asyncio.to_thread(planned_import, self.shell.workspace, words, self.shell.now())
        except AetherError as error:
            self.shell.say(f"■ {error.sentence()}")
            return
        if not found.added:
            self.shell.say(f"nothing new: {len(found.linked)} are linked to an opportunity already")
            return

        def agreed(answer: str | None) -> None:
            if (answer or "").lower() in {"y", "yes"}:
                work = lambda: store(self.shell.workspace, found.added, self.shell.now())  # noqa: E731
                self.shell.edit(work, rebuild=self.report)

        there = f", {len(found.linked)} are there" if found.linked else ""
        self.ask(f"add {len(found.added)}{there}: {one_line(found.titles, 36)}  y/n", "y", agreed, passing=True)

    def _set(self, field: Field, value: Stated) -> None:
        identity = self._selected()
        if identity:
            work = lambda: rate(self.shell.workspace, identity, field, value, self.shell.now())  # noqa: E731
            self.shell.edit(work, rebuild=self.report)

    def _selected(self) -> str:
        if not self.opportunity:
            self.shell.say("select an opportunity first (j, k), or add one (n)")
        return self.opportunity

"""The seven phases of the cycle as checklists, and the gate between them."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from aether_tui.actions import BY_ID, Where
from aether_tui.errors import ConfigurationError
from aether_tui.report_model import Check, Checklist
from aether_tui.text import one_line
from screens.base import ReportScreen
from screens.cycles import next_cycle
from screens.drill import Asking
from screens.edits import enter_phase, tick, untick


class Flywheel(Asking):
    """What is verified, what documents show, and what people tick here. `↵` opens an item, again the requests behind it."""

    SCOPES: ClassVar[frozenset[Where]] = ReportScreen.SCOPES | {"flywheel"}

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
        self._who = ""

    def action_tick(self) -> None:
        """Tick a manual item after asking who says so, and a note; untick one that is ticked."""
        block, check = self._check()
        if check is None or block is None:
            self.shell.say("select an item of a phase first (j, k)")
            return
        if check.kind != "manual" and not check.signed:
            self.shell.say("only a person's items can be ticked; this one is verified by the program")
        elif block.locked:
            self.shell.say(f"locked: {block.locked}")
        elif check.state == "pass":
            self.shell.edit(lambda: untick(self.shell.workspace, check.id, self.shell.now()), rebuild=self.report)
        else:
            self.ask(f"{one_line(check.text, 44)} · who says so", self._who, lambda who: self._ask_note(check.id, who))

    def action_open(self) -> None:
        """What an item rests on; once that is open, the requests that lack it, or where it is done."""
        item, view, (_, check) = self.page.selected, self.page.view, self._check()
        opened = item is not None and view.open_id == item.id and view.open_as == "detail"
        if check is not None and check.behind and opened:
            self.shell.say("finding the requests …")
            self.send(self.question("rows", trace=check.behind))
        elif check is not None and opened and check.opens in BY_ID:
            self.run_worker(self.shell.perform(BY_ID[check.opens]))
        elif check is not None and opened and check.opens:
            kind, _, identity = check.opens.partition("/")
            self.shell.open_form(kind, identity or None)
        else:
            super().action_open()

    def action_begin(self) -> None:
        """Say on which day the phase under the cursor was begun; nothing lets it follow from the items again."""
        item = self.page.selected
        number = (item.block if item is not None else "").removeprefix("flywheel.phase")
        block, _ = self._check()
        if not number.isdigit():
            self.shell.say("select an item of the phase first (j, k)")
        elif block is not None and block.locked:
            self.shell.say(f"locked: {block.locked}")
        else:
            today = self.shell.now().date().isoformat()
            label = f"phase {number} was begun on (empty: follows from the items)"
            self.ask_right(label, today, self._day, lambda day: self._enter(int(number), day))

    def _day(self, said: str) -> date | None:
        try:
            return date.fromisoformat(said) if said else None
        except ValueError:
            raise ConfigurationError(
                f"{said!r} is no day", next_step=f"write it as {self.shell.now().date()}"
            ) from None

    def _enter(self, number: int, day: date | None) -> None:
        now = self.shell.now()
        self.shell.edit(lambda: enter_phase(self.shell.workspace, number, day, now), rebuild=self.report)

    def action_next_cycle(self) -> None:
        """Open the next cycle on the next constraint; the running one is closed."""
        next_cycle(self)

    def _ask_note(self, item: str, who: str | None) -> None:
        def done(note: str | None) -> None:
            if note is not None and who:
                work = lambda: tick(self.shell.workspace, item, who, note, self.shell.now())  # noqa: E731
                self.shell.edit(work, rebuild=self.report)

        if who:
            self._who = who
            self.ask("note (may be empty)", "", done, most=2000)

    def _check(self) -> tuple[Checklist | None, Check | None]:
        item, report = self.page.selected, self.page.report
        for block in report.blocks if report and item else ():
            if isinstance(block, Checklist) and item is not None and block.id == item.block:
                return block, next((check for check in block.items if check.id == item.row), None)
        return None, None

"""What was learned, and which model does what how well; from here the next cycle opens."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from aether_tui.actions import Where
from aether_tui.errors import AetherError
from screens.base import ReportScreen


class Playbook(ReportScreen):
    """Entries with owner and review date, and the capability map."""

    FIRST: ClassVar[str] = "playbook.entries"
    SCOPES: ClassVar[frozenset[Where]] = ReportScreen.SCOPES | {"playbook"}

    def action_next_cycle(self) -> None:
        """Ask what the diagnosis says is the next constraint, and open a cycle on it when that is agreed to."""
        self.shell.say("looking for the next constraint …")
        self.run_worker(self._offer(), exclusive=True, group="cycle", exit_on_error=False)

    async def _offer(self) -> None:
        from screens.trial_edits import next_opening

        now = self.shell.now()
        try:
            found = await asyncio.to_thread(next_opening, self.shell.workspace, now)
        except AetherError as error:
            self.shell.say(f"■ {error.sentence()}")
            return

        def agreed(constraint: str | None) -> None:
            from aether_tui.workspace.cycles import open_next

            if constraint and (words := constraint.strip()):
                goal = found.goal if words == found.constraint else f"Relieve: {words}"
                self.shell.edit(lambda: open_next(self.shell.workspace, words, goal, now), rebuild="flywheel")

        closes = f"closes {found.closes}, the next " if found.closes else "the first cycle "
        self.ask(f"{closes}works on", found.constraint, agreed)

"""Opening the next cycle, from whichever screen it is asked for."""

from __future__ import annotations

import asyncio

from aether_tui.errors import AetherError
from screens.base import PageScreen


def next_cycle(screen: PageScreen) -> None:
    """Ask what the diagnosis says is the next constraint, and open a cycle on it when that is agreed to."""
    screen.shell.say("looking for the next constraint …")
    screen.run_worker(_offer(screen), exclusive=True, group="cycle", exit_on_error=False)


async def _offer(screen: PageScreen) -> None:
    from screens.trial_edits import next_opening

    now = screen.shell.now()
    try:
        found = await asyncio.to_thread(next_opening, screen.shell.workspace, now)
    except AetherError as error:
        screen.shell.say(f"■ {error.sentence()}")
        return
    if not screen.is_current:  # who has gone on types elsewhere
        return

    def agreed(constraint: str | None) -> None:
        from aether_tui.workspace.cycles import open_next

        if constraint or (constraint is not None and not found.constraint):
            words = constraint.strip()
            goal = found.goal if words == found.constraint else f"Relieve: {words}"
            screen.shell.edit(lambda: open_next(screen.shell.workspace, words, goal, now), rebuild="flywheel")

    closes = f"closes {found.closes}, the next " if found.closes else "the first cycle "
    known = "" if found.constraint else " (nothing: not known yet)"
    screen.ask(f"{closes}works on{known}", found.constraint, agreed)

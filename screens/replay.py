"""Sending a recorded request again from its trace: the model is asked for, then the cost is shown and agreed to."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Struct

from aether_tui.human import amount, plural
from aether_tui.text import cells
from screens.base import PageScreen

AGREED = "yes"
ROOM = 8
"""Cells that the answer needs."""


class Plan(Struct):
    """What `replay --dry-run` says it would do."""

    requests: int
    shots: int
    models: list[str]
    host: str
    expected_usd: float
    worst_usd: float
    max_cost_usd: float


class Answer(Struct):
    """What `replay --format json` prints."""

    plan: Plan | None = None
    run: str | None = None


def begin(page: PageScreen, trace: str, span: str, done: Callable[[str], None]) -> None:
    """Ask for the model, show the cost, and send when somebody types yes; `done` gets the id of the run."""
    command = ("replay", trace, *(("--span", span) if span else ()), "--format", "json")

    def planned(model: str | None) -> None:
        if model is not None:
            more = ("--model", model) if model else ()
            page.shell.say("working out what it costs …")
            page.shell.answer(
                "replay", (*command, *more, "--dry-run"), lambda out: _confirm(page, out, (*command, *more), done)
            )

    page.ask("model (empty: the recorded one)", "", planned, passing=True)


def sentence(plan: Plan, width: int) -> str:
    """What would be sent, where, and for how much, with the word that sends it; without the models where they do not fit."""
    cost = f"about {amount(plan.expected_usd, 'USD')}, at most {amount(min(plan.worst_usd, plan.max_cost_usd), 'USD')}"
    whole = f"{plural(plan.shots, 'request')} to {', '.join(plan.models)} at {plan.host}, {cost}: {AGREED}?"
    return whole if cells(whole) < width - ROOM else f"{plan.shots} to {plan.host[:20]}, {cost}: {AGREED}?"


def _confirm(page: PageScreen, out: bytes, command: tuple[str, ...], done: Callable[[str], None]) -> None:
    plan = msgspec.json.decode(out, type=Answer).plan
    if plan is None or not page.is_current:
        return

    def agreed(words: str | None) -> None:
        if (words or "").casefold() != AGREED:
            page.shell.say("nothing was sent")
            return
        page.shell.say("sending …")
        budget = ("--max-cost", repr(plan.max_cost_usd))
        page.shell.answer("replay", (*command, *budget, "--yes"), lambda told: _sent(told, done))

    page.shell.say("")
    page.ask(sentence(plan, page.size.width), "", agreed, passing=True)


def _sent(out: bytes, done: Callable[[str], None]) -> None:
    run = msgspec.json.decode(out, type=Answer).run
    if run:
        done(run)

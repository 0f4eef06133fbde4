"""Driving the console in tests: no sleeps, wait for workers and timers by name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import textual.app
import textual.pilot
from textual._context import active_app
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.message_pump import MessagePump
from textual.pilot import Pilot

from aether_tui.app import AetherApp
from aether_tui.builds import Options
from aether_tui.workspace.folder import Workspace
from tests.tui.workspaces import NOW

PATIENCE_S = 180.0
FOLLOW = {"ahead", "answer", "explore", "job", "receiver", "report"}
"""Workers that follow a child, which is waited for by what it is started for."""
QUIET_LOOKS = 4
"""Looks in a row, 3 ms apart, at which nothing may go on: between two messages all wait while the loop hands one on."""
Script = Callable[[Pilot[int], AetherApp], Awaitable[None]]


_parse_rules = Stylesheet._parse_rules
_parsed: dict[tuple[object, ...], list[RuleSet]] = {}


def _parse_once(sheet: Stylesheet, css: str, *where: Any, **more: Any) -> list[RuleSet]:
    """Textual parses the same sheet four times for every console; one of the same theme is the same in all of them."""
    key = (css, where, *more.values(), *sheet._variables.items())
    if key not in _parsed:
        _parsed[key] = _parse_rules(sheet, css, *where, **more)
    return _parsed[key]


Stylesheet._parse_rules = _parse_once


async def _at_rest(*_: float) -> None:
    """Until the console has taken every key and done what follows from it, painted it, and waits for messages only.

    Textual waits three times a key for 20 ms in which little was computed: 65 ms a key, and not enough on a busy machine.
    """
    app = active_app.get()
    assert isinstance(app, AetherApp)
    at_rest = 0
    for pause_s in chain((0.0,) * 20, looks()):
        await asyncio.sleep(0.003 if at_rest else pause_s)
        if app.screen_stack and app.is_running:
            app.screen._on_timer_update()
        at_rest = 0 if _busy(app) else at_rest + 1
        if at_rest == QUIET_LOOKS or app._exception is not None:
            return
    raise AssertionError(f"it never came to rest; the screen says:\n{screen_text(app)}")


def _busy(app: AetherApp) -> bool:
    return bool(
        app._holds
        or app._held
        or app._resize_event
        or (app._batch_count and app.is_running)
        or any(_works(pump) for pump in (app, *app._registry))
        or any(screen._callbacks and screen.is_running for screen in app.screen_stack)
        or any(worker.group not in FOLLOW and not worker.is_finished for worker in app.workers)
    )


def _works(pump: MessagePump) -> bool:
    """Whether it does anything but wait for a message."""
    if pump._task is None or pump._task.done():
        return False
    comes = pump._message_queue.ready_event
    return comes.is_set() or not comes._waiters


textual.app.wait_for_idle = textual.pilot.wait_for_idle = _at_rest


def drive(
    workspace: Workspace,
    script: Script,
    *,
    size: tuple[int, int] = (80, 24),
    start: str | None = "home",
    offline: bool = True,
    breath_s: float = 0.0,
) -> AetherApp:
    """Run the console headless on a fixed clock and follow `script`. Its keys are a person's who waits for each, unless `breath_s`
    says how long a pause makes the next one a key of its own.
    """
    app = AetherApp(workspace, Options(now=lambda: NOW, as_of=NOW, start=start, offline=offline))
    app._stretch.breath_s = breath_s

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await script(pilot, app)

    asyncio.run(run())
    return app


def screen_text(app: AetherApp) -> str:
    """The screen's text as a person sees it."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)


def looks() -> Iterator[float]:
    """How long to wait after each look: the longer it takes, the rarer, since looking takes from who is waited for."""
    end, pause_s = time.monotonic() + PATIENCE_S, 0.004
    while time.monotonic() < end:
        yield pause_s
        pause_s = min(1.3 * pause_s, 0.06)


async def until(pilot: Pilot[int], ready: Callable[[], bool]) -> None:
    """Let the console work until `ready`. Bounded by minutes, not by looks: a child that builds may get little of a busy
    machine while the looking goes on as fast as ever."""
    for pause_s in looks():
        if ready():
            return
        await asyncio.sleep(pause_s)
        await pilot.pause()
    app = pilot.app
    assert isinstance(app, AetherApp)
    raise AssertionError(f"never became ready; the screen says:\n{screen_text(app)}")


async def settled(pilot: Pilot[int]) -> None:
    """Wait until every edit is on disk and every worker is done, so that the screen has seen what the disk holds."""
    app = pilot.app
    assert isinstance(app, AetherApp)
    for _ in range(3):  # what a worker ends with may begin another
        await pilot.pause()
        await until(pilot, lambda: not app._edits.unsaved and all(worker.is_finished for worker in app.workers))


def look_away(app: AetherApp) -> None:
    """Stop looking for changes on disk, as between two looks: what others write is met by the next edit."""
    assert app._watch is not None
    app._watch.stop()


def snapshot(folder: Path, name: str, text: str, *, renew: bool) -> None:
    """Compare with the stored text, or store it when asked to."""
    path = folder / f"{name}.txt"
    if renew or not path.exists():
        folder.mkdir(exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
        assert renew, f"{path.name} was not there; it is now: look at it"
    assert text + "\n" == path.read_text(encoding="utf-8"), (
        f"{path.name} differs; look, then renew with AETHER_SNAPSHOTS=renew"
    )

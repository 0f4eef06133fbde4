"""The console's shell: which screen is shown, which report is rebuilt, which job runs. Screens draw, commands write."""

from __future__ import annotations

import contextlib
import importlib
import time
from asyncio.subprocess import DEVNULL, PIPE, Process, create_subprocess_exec
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual import events
from textual.app import App
from textual.command import Provider
from textual.geometry import Size
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input

import screens
from aether_tui import human
from aether_tui.actions import Action, Keymap
from aether_tui.builds import FROM_DOCUMENTS, Options, Order, Outcome, build
from aether_tui.errors import AetherError
from aether_tui.report_model import GLYPHS, Fact, Facts, SavedReport
from aether_tui.session import Failure, Memory, Settings, Shelf
from aether_tui.workspace.folder import Workspace
from screens import SCREENS
from screens.base import ReportScreen
from screens.themes import DARK, DEFAULTS, LIGHT, NAMES
from screens.widgets.chrome import Status
from screens.widgets.spans import ROLE_OF, Line, clean

if TYPE_CHECKING:
    from aether_tui.jobs import Job

POLL_S = 2.0
BUILD_DELAY_S = 0.5
"""The first paint goes out before anything is rebuilt behind it."""
BUSY_REBUILD_S = 30.0
"""While something else keeps writing, numbers are still renewed this often."""
STATUS_REPORT = "summary"
MIN_WIDTH, MIN_HEIGHT = 60, 15


def _screen(name: str) -> ReportScreen:
    """The screen of that name; its module is imported now."""
    spec = SCREENS[name]
    screen = getattr(importlib.import_module(spec.module), spec.attribute)(name=name)
    assert isinstance(screen, ReportScreen)
    return screen


def _roomy(size: Size) -> bool:
    """Whether a screen fits; the style sheet's breakpoints say the same."""
    return size.width >= MIN_WIDTH and size.height >= MIN_HEIGHT


class AetherApp(App[int]):
    """The console on one workspace."""

    TITLE = "aether"
    CSS_PATH = Path(screens.__file__).parent / "console.tcss"
    ALLOW_SELECT = False
    MODES: ClassVar[dict[str, str | Callable[[], Screen[None]]]] = {name: partial(_screen, name) for name in SCREENS}
    """A mode per screen: each keeps its own, so that going back is instant."""
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (MIN_WIDTH, "-narrow"), (120, "-wide")]  # declared by Textual
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (MIN_HEIGHT, "-low"), (40, "-tall")]

    @dataclass
    class Built(Message):
        """A build ended."""

        outcome: Outcome

    @dataclass
    class Done(Message):
        """Work in a thread ended: what to say, and the report it changed."""

        message: str
        rebuild: str = ""

    def __init__(self, workspace: Workspace, options: Options) -> None:
        self._memory = Memory(workspace)
        self._session = self._memory.session()
        start = options.start or self._session.screen
        self.DEFAULT_MODE = start if start in SCREENS else "home"  # type: ignore[misc]  # read from the instance
        super().__init__()
        self.animation_level = "none"
        self.workspace = workspace
        self.options = options
        self.keymap = Keymap(self._session.keys)
        self._shelf = Shelf(self._memory, options.as_of)
        self._building: set[str] = set()
        self._seen_ns = 0
        self._message = ""
        self._prefix = ""
        self._held: list[events.Key] | None = None
        self._job: Job | None = None
        self._builder: Process | None = None
        self._past: list[str] = []
        self._future: list[str] = []
        self._actions: deque[str] = deque(maxlen=12)
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self._use_theme(self._session.theme or DARK.name)

    @staticmethod
    def commands() -> type[Provider]:
        """The palette's commands, imported when it opens."""
        from screens.palette import Actions

        return Actions

    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {commands}

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(DEFAULTS)

    # --- what screens may ask ------------------------------------------------------------------------------------

    def now(self) -> datetime:
        return self.options.now()

    def saved(self, report: str) -> SavedReport | None:
        return self._shelf.report(report)

    def failure(self, report: str) -> Failure | None:
        return self._shelf.failure(report)

    def updating(self, report: str) -> bool:
        return report in self._building or (self._job is not None and self._job.running)

    def progress(self) -> Job | None:
        return self._job

    def message(self) -> str:
        return self._message

    def prefix(self) -> str:
        return self._prefix

    def say(self, message: str) -> None:
        """Show a sentence in place of the keys, until the next key."""
        self._message = clean(message)
        self._around()

    def status(self) -> Status:
        summary = self.saved(STATUS_REPORT)
        stale = summary.freshness if summary else ()
        oldest = max((item.age_s for item in stale if item.age_s is not None), default=None)
        never = any(item.age_s is None for item in stale)
        age = (
            ""
            if not stale
            else "a source never synced"
            if never and oldest is None
            else f"synced {human.age(oldest)} ago"
        )
        if any(item.stale for item in stale):
            age = f"▲ stale: {age}"
        return Status(
            name=clean(self._session.name) or self.workspace.root.name,
            place=self._place(),
            network="offline" if self.options.offline else "",
            age=age,
            job=self._job.short() if self._job is not None and self._job.running else "",
        )

    def _place(self) -> Line:
        """Cycle, phase and gate, from the summary's own facts."""
        report = self.saved(STATUS_REPORT)
        facts: dict[str, Fact] = {
            fact.id.rpartition(".")[2]: fact
            for block in (report.blocks if report else ())
            if isinstance(block, Facts)
            for fact in block.facts
        }
        line: Line = ()
        if (phase := facts.get("phase")) is not None:
            line = ((clean(phase.note).rpartition("; ")[2], "dim"),)
        if (gate := facts.get("gate")) is not None:
            told = f"gate {GLYPHS[gate.state]} {clean(gate.note).rpartition('; ')[2]}"
            line = (*line, (" · " if line else "", "dim"), (told, ROLE_OF[gate.state]))
        return line

    def in_thread(self, work: Callable[[], str], *, rebuild: str = "") -> None:
        """Do `work` behind the screen, then say its sentence and rebuild a report; its errors are said too."""

        def run() -> None:
            try:
                self.post_message(self.Done(work(), rebuild))
            except AetherError as error:
                self.post_message(self.Done(f"■ {error.sentence()}", rebuild))
            except OSError as error:
                self.post_message(
                    self.Done(f"■ {error.filename or 'file'}: {error.strerror}; check space and permissions")
                )

        self.run_worker(run, thread=True, group="work", exit_on_error=False)

    # --- life ----------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self._seen_ns = self._memory.changed_ns()
        self.set_interval(POLL_S, self._poll)
        self.call_after_refresh(self._first_look)

    def _first_look(self) -> None:
        screen = self._shown()
        if screen is None:
            return
        selected = self._session.selected.get(screen.name or "")
        if selected:
            screen.page.select(selected)
        if self.saved(screen.report) is None:
            self._refresh()

    async def on_unmount(self) -> None:
        self.workers.cancel_group(self, "report")
        if self._builder is not None:
            await self._builder.wait()
        if self._job is not None:
            self._job.stop()
            await self._job.ended()
        self._memory.keep_session(self._session)

    def selected(self, screen: str, item: str) -> None:
        """Remember where the cursor stands."""
        self._session.selected[screen] = item

    def _shown(self) -> ReportScreen | None:
        """The report screen in front, also behind a dialog."""
        return next((s for s in reversed(self.screen_stack) if isinstance(s, ReportScreen) and s.is_mounted), None)

    def _around(self) -> None:
        screen = self._shown()
        if screen is not None:
            screen.show_around()

    # --- keys ----------------------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Keys become actions here, one after the other in the order they were typed, before any widget sees them.

        Textual would forward each to the focused widget's own queue, where a fast second key overtakes the first.
        """
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
        elif self._held is not None:
            self._held.append(event)
        elif not isinstance(self.screen, ReportScreen) or isinstance(self.focused, Input):
            await super().on_event(event)
        else:
            await self._key(event, self.screen)

    async def _key(self, event: events.Key, screen: ReportScreen) -> None:
        self._actions.append(event.key)
        before = (self._message, self._prefix)
        keys = f"{self._prefix} {event.key}".strip()
        self._message = self._prefix = ""
        action = self.keymap.find(keys, screen.SCOPES)
        if any(before):
            self._around()
        if action is not None:
            await self.perform(action, event.key)
        elif not before[1]:
            await super().on_event(event)

    async def perform(self, action: Action, key: str = "") -> None:
        """Run an action on what it acts on."""
        screen = self._shown()
        if screen is not None:
            node = {"app": self, "list": screen.page}.get(action.where, screen)
            await self.run_action(action.call(key), node)

    def hold_keys(self) -> None:
        """Keep keys until what will take them is there: nothing typed ahead may be taken for a command."""
        self._held = self._held or []

    def release_keys(self) -> None:
        """Let the held keys through."""
        held, self._held = self._held or [], None
        for event in held:
            self.post_message(event)

    def action_prefix(self) -> None:
        """Wait for the second key of a sequence and show what it can be."""
        self._prefix = self.keymap.keys["app.prefix"].split(",")[0]
        self._around()

    def action_help_quit(self) -> None:
        self.say("ctrl+c does not quit: press q. Everything is saved already.")

    def on_resize(self, event: events.Resize) -> None:
        """Where there is no room for a screen there is none for a dialog over it."""
        if not _roomy(event.size):
            while len(self.screen_stack) > 1:
                self.pop_screen()

    def action_palette(self) -> None:
        if not _roomy(self.size):
            return
        self.action_command_palette()

        def hold_still() -> None:
            for entry in self.screen.query(Input):
                entry.cursor_blink = False

        self.call_after_refresh(hold_still)

    def action_help(self) -> None:
        screen = self._shown()
        if screen is not None and self.screen is screen and _roomy(self.size):
            from screens.help import Help

            spec = SCREENS[screen.name or "home"]
            self.push_screen(Help(self.keymap, screen.SCOPES, spec.title, spec.help))

    def action_theme(self) -> None:
        self.theme = LIGHT.name if self.current_theme.dark else DARK.name
        self._around()

    def _use_theme(self, name: str) -> None:
        wanted = NAMES.get(name, name)
        if wanted in self.available_themes:
            if self.theme != wanted:
                self.theme = wanted
        else:
            self._message = f"▲ no theme {clean(name)!r}: aether-dark, aether-light, ansi, or one of Textual's"

    # --- going ---------------------------------------------------------------------------------------------------

    def action_go(self, name: str) -> None:
        """Show a screen, and remember the one before."""
        here = self._shown()
        if here is None or here.name == name:
            return
        self._past.append(here.name or "home")
        self._future.clear()
        self._switch(name)

    async def action_back(self) -> None:
        screen = self._shown()
        if screen is not None and not screen.close():
            self.action_older()

    def action_older(self) -> None:
        here = self._shown()
        if self._past and here is not None:
            self._future.append(here.name or "home")
            self._switch(self._past.pop())

    def action_newer(self) -> None:
        here = self._shown()
        if self._future and here is not None:
            self._past.append(here.name or "home")
            self._switch(self._future.pop())

    def _switch(self, name: str) -> None:
        self.switch_mode(name)

    def arrived(self, screen: str) -> None:
        """A screen is in front: renew what it shows, once it has been painted."""
        self._session.screen = screen
        self.set_timer(BUILD_DELAY_S, self._refresh)

    # --- reports -------------------------------------------------------------------------------------------------

    def _poll(self) -> None:
        """Every two seconds: did anything change that reports are made of? Costs a few `stat` calls."""
        if self._building or (self._job is not None and self._job.running):
            return
        changed = self._memory.changed_ns()
        quiet = changed == self._seen_ns
        self._seen_ns = changed
        screen = self._shown()
        if screen is not None and (
            quiet or time.time_ns() - self._memory.built_ns(screen.report) > BUSY_REBUILD_S * 1e9
        ):
            self._refresh()

    def _refresh(self) -> None:
        """Rebuild the report in front when it is out of date."""
        screen = self._shown()
        if screen is not None and not self._building and self._shelf.outdated(screen.report, self.now()):
            self.rebuild(screen.report)

    def rebuild(self, report: str) -> None:
        """Build a report: one of documents alone in a thread, others in a child with all that are out of date behind it."""
        names = [report]
        if report not in FROM_DOCUMENTS:
            names += [n for n in self._names() if n != report and self._shelf.outdated(n, self.now())]
        order = Order(str(self.workspace.root), tuple(names), self.now(), self.options.seed)
        if report in FROM_DOCUMENTS:
            self._building.add(report)
            thread = lambda: self.post_message(self.Built(build(order, report)))  # noqa: E731
            self.run_worker(thread, thread=True, exclusive=True, group="document", exit_on_error=False)
        else:
            self.run_worker(self._build(order), exclusive=True, group="report", exit_on_error=False)
        self._around()

    @staticmethod
    def _names() -> list[str]:
        return [spec.report for spec in SCREENS.values()]

    async def _build(self, order: Order) -> None:
        """Follow a child that builds; ended with it when something newer is wanted."""
        self._building.update(order.names)
        left = set(order.names)
        process: Process | None = None
        try:
            process = self._builder = await create_subprocess_exec(
                *order.command(), stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL
            )
            assert process.stdout is not None
            async for line in process.stdout:
                outcome = msgspec.json.decode(line, type=Outcome)
                left.discard(outcome.name)
                self.post_message(self.Built(outcome))
            status = await process.wait()
            for name in left:
                self.post_message(self.Built(Outcome(name, Failure(f"its process ended with status {status}"))))
        except OSError as error:
            self.post_message(self.Built(Outcome(order.names[0], Failure(f"cannot be started: {error.strerror}"))))
        finally:
            if process is not None and process.returncode is None:
                process.kill()
                await process.communicate()
            if self._builder is process:
                self._building.difference_update(left)

    def on_aether_app_built(self, event: Built) -> None:
        outcome = event.outcome
        self._building.discard(outcome.name)
        self._shelf.take(outcome.name, outcome.failure)
        if outcome.settings is not None:
            self._configure(outcome.settings)
        screen = self._shown()
        if screen is not None:
            if screen.report == outcome.name:
                screen.show()
            screen.show_around()

    def _configure(self, settings: Settings) -> None:
        """Take over what the configuration says, when it differs from the last start."""
        session = self._session
        if settings.theme != session.theme:
            session.theme = settings.theme
            self._use_theme(settings.theme)
        if settings.keys != session.keys:
            session.keys = settings.keys
            self.keymap = Keymap(settings.keys)
        session.name = settings.name
        if self.keymap.problems:
            self.say(f"▲ keys in aether.toml: {self.keymap.problems[0]} (? shows all)")

    def on_aether_app_done(self, event: Done) -> None:
        self.say(event.message)
        if event.rebuild:
            self.rebuild(event.rebuild)

    # --- jobs ----------------------------------------------------------------------------------------------------

    def action_sync(self) -> None:
        """Start a sync as a child process; while one runs, stop it."""
        if self._job is not None and self._job.running:
            self._job.stop()
            self.say("sync is stopping; what was stored stays stored")
        else:
            self._start("sync", "sync", "--format", "json")

    def action_export_all(self) -> None:
        if self._job is not None and self._job.running:
            self.say(f"{self._job.title} is still running")
        else:
            self._start("export", "export", "-o", str(self.workspace.exports))

    def _start(self, title: str, *command: str) -> None:
        from aether_tui.jobs import Job

        arguments = ["-w", str(self.workspace.root)]
        if self.options.offline:
            arguments.append("--offline")
        if self.options.as_of is not None:
            arguments += ["--as-of", self.options.as_of.isoformat()]
        self._job = Job(title, [*arguments, *command])
        self.run_worker(self._follow(self._job), group="job", exit_on_error=False)
        self.say(f"{title} started" + ("; s stops it" if title == "sync" else ""))

    async def _follow(self, job: Job) -> None:
        self._progress_due = False
        timer = self.set_interval(0.25, self._show_progress)
        try:
            status = await job.run(self._progress)
        finally:
            timer.stop()
        self._show_progress(force=True)
        if job.error:
            self.say(f"■ {job.title}: {job.error}")
        elif job.stopped:
            self.say(f"{job.title} stopped; what was stored stays stored")
        elif status == 0:
            self.say("synced" if job.title == "sync" else f"wrote {self.workspace.exports.name}/")
        self._seen_ns = self._memory.changed_ns()
        self._refresh()

    def _progress(self) -> None:
        self._progress_due = True

    def _show_progress(self, *, force: bool = False) -> None:
        """Four times a second at most, and only when something was heard."""
        screen = self._shown()
        if screen is None or not (self._progress_due or force):
            return
        self._progress_due = False
        if screen.report == "sources":
            screen.show()
        screen.show_around()

    # --- crashes -------------------------------------------------------------------------------------------------

    def _fatal_error(self) -> None:
        """Six lines and a redacted file instead of Textual's traceback, whose local variables hold secrets."""
        from rich.text import Text

        from aether_tui.crash import panel, write_crash

        error = self._exception or RuntimeError("unknown")
        path: Path | None = None
        with contextlib.suppress(OSError):
            path = write_crash(self.workspace.state, error, list(self._actions), self.now())
            path = path.relative_to(self.workspace.root)
        self.panic(Text(panel(error, path)))

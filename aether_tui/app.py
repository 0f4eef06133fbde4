"""The console's shell: which screen is shown, which report is rebuilt, which job runs. Screens draw, commands write."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import signal
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.command import Provider
from textual.geometry import Size
from textual.screen import ModalScreen, Screen
from textual.widgets import Input

import screens
from aether_tui.actions import BY_ID, Action, Keymap, shown
from aether_tui.background import BUILD_DELAY_S
from aether_tui.builds import Options
from aether_tui.choosing import Choosing
from aether_tui.looking import Looking
from aether_tui.report_model import GLYPHS, Fact, Facts, SavedReport
from aether_tui.session import Memory, Settings
from aether_tui.text import one_line
from aether_tui.workspace.folder import Workspace
from screens import SCREENS
from screens.base import PageScreen, ReportScreen
from screens.themes import DARK, LIGHT, NAMES, fill
from screens.unstored import newest
from screens.widgets.chrome import Status, synced
from screens.widgets.entry import Stretch, Typed
from screens.widgets.spans import ROLE_OF, Line, clean

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


class AetherApp(Choosing):
    """The console on one workspace."""

    TITLE = "aether"
    CSS_PATH = Path(screens.__file__).parent / "console.tcss"
    ALLOW_SELECT = False
    MODES: ClassVar[dict[str, str | Callable[[], Screen[None]]]] = {name: partial(_screen, name) for name in SCREENS}
    """A mode per screen: each keeps its own, so that going back is instant."""
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (MIN_WIDTH, "-narrow"), (120, "-wide")]  # declared by Textual
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (MIN_HEIGHT, "-low"), (40, "-tall")]

    def __init__(self, workspace: Workspace, options: Options) -> None:
        memory = Memory(workspace)
        self._session = memory.session()
        start = options.start or self._session.screen
        self.DEFAULT_MODE = start if start in SCREENS else "home"  # type: ignore[misc]  # read from the instance
        super().__init__(workspace, options, memory, self._session.looking)
        self.animation_level = "none"
        self.keymap = Keymap(self._session.keys)
        self._message = ""
        self._prefix = ""
        self._performed = ""
        self._held: deque[events.Key | events.Paste] = deque()
        self._holds = 0
        self._stretch = Stretch()
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

    def get_css_variables(self) -> dict[str, str]:
        return fill(super().get_css_variables(), ansi=self.current_theme.ansi)

    # --- what screens may ask ------------------------------------------------------------------------------------

    def message(self) -> str:
        return self._message

    def prefix(self) -> str:
        return self._prefix

    def say(self, message: str) -> None:
        """Show a sentence in place of the keys, until the next key."""
        self._message = clean(message)
        self.around()

    def status(self) -> Status:
        found = self._shelf.usual(STATUS_REPORT)
        summary = self._seen(found) if found is not None else None
        states = (("room mode", self.room()), ("read-only", self.options.read_only), ("offline", self.options.offline))
        return Status(
            name="engagement" if self.room() else self.engagement(),
            place=self._place(summary),
            network=" · ".join(word for word, on in states if on),
            age=synced(summary.freshness if summary else (), self.now()),
            job=self._commands.short(),
        )

    @staticmethod
    def _place(report: SavedReport | None) -> Line:
        """Cycle, phase and gate, from the summary's own facts."""
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

    # --- life ----------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        # Windows knows neither the signal nor handlers of a loop: there it just ends, as outside of the main thread.
        with contextlib.suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
            for ends in (signal.SIGHUP, signal.SIGTERM):  # a terminal that is closed, a machine that is shut down
                asyncio.get_running_loop().add_signal_handler(ends, self.exit)
        # Textual takes the terminal back after `fg`, and leaves it empty.
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        self.begin()
        self.call_after_refresh(self._first_look)

    def _first_look(self) -> None:
        screen = self.front()
        if screen is None:
            return
        selected = self._session.selected.get(screen.name or "")
        if selected:
            screen.page.select(selected)
        if self.saved(screen.report) is None:
            self.renew()
        if not self.options.read_only and (left := newest(self.workspace)) is not None:
            self.open_form(left.kind, left.identity)
        elif not self.options.read_only and (typed := self.lines.newest()) is not None:
            self._tell_typed(*typed)

    def _tell_typed(self, action: str, question: str, text: str) -> None:
        """What was typed on a line before and is not stored, and which key asks for it again."""
        found = BY_ID.get(action)
        if found is None:
            return
        keys = " ".join(shown(key) for key in self.keymap.keys[action].split(",")[0].split())
        said = "" if self.room() else f" to “{one_line(question, 60)}”: “{one_line(text, 80)}”"
        self.say(f"▲ typed and not stored{said}; {keys} ({found.title}) asks again, with it on the line")

    async def on_unmount(self) -> None:
        await self.stop()
        with contextlib.suppress(OSError):  # nobody is there any more to be told
            self.lines.keep()
        self._memory.keep_session(self._session)

    def selected(self, screen: str, item: str) -> None:
        """Remember where the cursor stands."""
        self._session.selected[screen] = item

    # --- keys ----------------------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Keys become actions here, one after the other in the order they were typed, before any widget sees them.

        Textual would forward each to the focused widget's own queue, where a fast second key overtakes the first.
        """
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        self._commands.typed_at = time.monotonic()
        if self._not_yet or self._held:
            self._held.append(event)
        else:
            await self._take(event)

    @property
    def _not_yet(self) -> bool:
        """Whether what will take the next key is not there yet."""
        return self._holds > 0 or (isinstance(self.screen, PageScreen) and not self.screen.ready)

    async def _take(self, event: events.Key | events.Paste) -> None:
        entry: object = self.focused
        if isinstance(entry, Typed | Input):
            self._stretch.into(event, self.screen)
        if isinstance(entry, Typed):
            if not await entry.take(event) and isinstance(event, events.Key):
                await self._bound(event)
        elif isinstance(event, events.Key) and isinstance(self.screen, PageScreen):
            await self._key(event, self.screen)
        else:
            await super().on_event(event)

    async def _bound(self, event: events.Key) -> None:
        """Run what Textual binds to the key, before the next one is looked at."""
        found = self.screen.active_bindings.get(event.key)
        if found is not None and found.enabled:
            await self.run_action(found.binding.action, found.node)

    async def _key(self, event: events.Key, screen: PageScreen) -> None:
        before = (self._message, self._prefix)
        keys = f"{self._prefix} {event.key}".strip()
        self._message = self._prefix = ""
        action = self.keymap.find(keys, screen.SCOPES)
        if self._stretch.goes_on(event, answers=action is not None and action.answers):
            self.say(f"▲ typed on, not taken as keys: “{self._stretch.refused(event)}”")
            return
        self.around()  # ages move with the clock; nothing is sent when nothing changed
        if action is not None:
            self._stretch.call(screen)
            await self.perform(action, event.key)
        elif not before[1]:
            if screen.TALKS:
                self._stretch.strays(event)
            await super().on_event(event)

    async def perform(self, action: Action, key: str = "") -> None:
        """Run an action on what it acts on."""
        screen = self.page_screen()
        if screen is not None:
            self._performed = action.id
            self._actions.append(action.id)
            node = {"app": self, "list": screen.page}.get(action.where, screen)
            await self.run_action(action.call(key), node)

    def performed(self) -> str:
        """The id of the action that was run last."""
        return self._performed

    def asked_again(self) -> None:
        """The line just closed is asked for once more."""
        self._stretch.again()

    def unasked(self) -> None:
        """A line is about to open that no key asked for."""
        self._stretch.unasked()

    def hold_keys(self) -> None:
        """Keep keys until what will take them is there, or what they wrote is on disk: nothing typed ahead is lost, or
        taken for a command. Each hold is released once."""
        self._holds += 1

    def release_keys(self) -> None:
        """End a hold; after the last one the keys go their way, in their order."""
        self._holds = max(self._holds - 1, 0)
        self.take_held()

    def take_held(self) -> None:
        """Let the keys that waited go their way, unless there is still something to wait for."""
        if self._held and not self._not_yet:
            self.call_later(self._drain)

    async def _drain(self) -> None:
        while self._held and not self._not_yet:
            await self._take(self._held.popleft())

    def action_prefix(self) -> None:
        """Wait for the second key of a sequence and show what it can be."""
        self._prefix = self.keymap.keys["app.prefix"].split(",")[0]
        self.around()

    def action_help_quit(self) -> None:
        self.say("ctrl+c does not quit: press q. Everything is saved already.")

    def on_resize(self, event: events.Resize) -> None:
        """Where there is no room for a screen there is none for a dialog over it."""
        if not _roomy(event.size):
            from screens.prose import Prose

            while isinstance(self.screen, ModalScreen):
                if isinstance(self.screen, Prose):
                    self.screen.action_keep()
                else:
                    self.pop_screen()

    def action_palette(self) -> None:
        if not _roomy(self.size):
            return
        self.hold_keys()
        self.action_command_palette()

        def hold_still() -> None:
            for entry in self.screen.query(Input):
                entry.cursor_blink = False
            self.release_keys()

        self.call_after_refresh(hold_still)

    def action_help(self) -> None:
        screen = self.page_screen()
        if screen is not None and self.screen is screen and _roomy(self.size):
            from screens.help import Help

            self.push_screen(Help(self.keymap, screen.SCOPES, *screen.about()))

    def open_form(self, kind: str, identity: str | None = None) -> None:
        """Show a document of any kind to be filled in; without an id a new one, made as soon as it is valid."""
        from screens.form import Form

        self.push_screen(Form(kind, identity, self.tab()))

    def action_find(self) -> None:
        """Ask for words, and list the documents that contain them."""
        from screens.documents import Documents

        def done(text: str | None) -> None:
            if text is not None:
                self.push_screen(Documents(text, self.tab()))

        screen = self.page_screen()
        if screen is not None:
            screen.ask("find in all documents (nothing lists all)", "", done, most=None, passing=True)

    def action_decide(self) -> None:
        """Record a decision: what, who, and what was chosen; without a choice it stays open."""
        from screens.edits import decide

        screen = self.page_screen()
        if screen is None:
            return

        def chosen(title: str, owner: str, said: str | None) -> None:
            if said is not None:
                self.edit(lambda: decide(self.workspace, title, owner, said, self.now()))

        def who(title: str, owner: str | None) -> None:
            if owner is not None:
                screen.ask("what was chosen (empty: still open)", "", lambda said: chosen(title, owner, said))

        def what(title: str | None) -> None:
            if title:
                screen.ask("who decides", "", lambda owner: who(title, owner), most=200)

        screen.ask("decision, in a line", "", what)

    def action_theme(self) -> None:
        self.theme = LIGHT.name if self.current_theme.dark else DARK.name
        self.around()

    def _use_theme(self, name: str) -> None:
        wanted = NAMES.get(name, name)
        if wanted in self.available_themes:
            if self.theme != wanted:
                self.theme = wanted
        else:
            self._message = f"▲ no theme {clean(name)!r}: aether-dark, aether-light, ansi, or one of Textual's"

    def room(self) -> bool:
        return self._session.room

    def engagement(self) -> str:
        return clean(self._session.name) or self.workspace.root.name

    def action_room(self) -> None:
        """Hide what is private on every screen, or show it again."""
        self._session.room = not self._session.room
        self._memory.keep_session(self._session)
        self._discreet.clear()
        for screen in (self.front(), self.page_screen()):
            if screen is not None:
                screen.show()
        hidden = "other people's answers, money and clients are hidden; R shows them again"
        self.say(f"room mode: {hidden}" if self.room() else "room mode is off")

    # --- going ---------------------------------------------------------------------------------------------------

    def action_go(self, name: str) -> None:
        """Show a screen, and remember the one before."""
        here = self.front()
        while isinstance(self.screen, PageScreen) and self.screen is not here:
            self.pop_screen()
        if here is None or here.name == name:
            return
        self._past.append(here.name or "home")
        self._future.clear()
        self._switch(name)

    async def action_back(self) -> None:
        screen = self.page_screen()
        if screen is None or screen.close():
            return
        if isinstance(screen, ReportScreen):
            if self.looking().key:
                self.look_at(Looking())
            else:
                self.action_older()
        else:
            self.pop_screen()

    def action_older(self) -> None:
        here = self.front()
        if self._past and here is not None:
            self._future.append(here.name or "home")
            self._switch(self._past.pop())

    def action_newer(self) -> None:
        here = self.front()
        if self._future and here is not None:
            self._past.append(here.name or "home")
            self._switch(self._future.pop())

    def _switch(self, name: str) -> None:
        self.switch_mode(name)

    def arrived(self, screen: str) -> None:
        """A screen is in front: build what it has nothing to show of yet, and renew what it shows, once it has been painted."""
        self._session.screen = screen
        self.get_front()
        self.set_timer(BUILD_DELAY_S, self.renew)

    def configure(self, settings: Settings) -> None:
        """Take over what the configuration says, when it differs from the last start."""
        session = self._session
        if settings.theme != session.theme:
            session.theme = settings.theme
            self._use_theme(settings.theme)
        if settings.keys != session.keys:
            session.keys = settings.keys
            self.keymap = Keymap(settings.keys)
        if (session.name, session.fiscal_start_month) != (settings.name, settings.fiscal_start_month):
            session.name, session.fiscal_start_month = settings.name, settings.fiscal_start_month
            self._memory.keep_session(session)
        if self.keymap.problems:
            self.say(f"▲ keys in aether.toml: {self.keymap.problems[0]} (? shows all)")

    # --- crashes -------------------------------------------------------------------------------------------------

    def _fatal_error(self) -> None:
        """Six lines and a redacted file instead of Textual's traceback, whose local variables hold secrets."""
        from rich.text import Text

        from aether_tui.crash import panel

        error = self._exception or RuntimeError("unknown")
        self.panic(Text(panel(error, self._kept(error))))

    def broken(self, error: Exception) -> None:
        self.say(f"■ that met an error in the program, {type(error).__name__}; details: {self._kept(error)}")

    def _kept(self, error: Exception) -> Path | None:
        """The redacted file of an error, as people find it; None when the disk refuses."""
        from aether_tui.crash import write_crash

        path: Path | None = None
        with contextlib.suppress(OSError):
            path = write_crash(self.workspace.state, error, list(self._actions), self.now())
            path = path.relative_to(self.workspace.root)
        return path

"""What every screen does: the saved report at once, a fresh one behind it, why, open, export, filter, words, errors."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar, cast

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static

from aether_tui import human
from aether_tui.actions import BY_ID, Action, Keymap, Where, shown
from aether_tui.errors import AetherError
from aether_tui.looking import Looking
from aether_tui.report_model import Block, Gap, SavedReport, Window
from aether_tui.session import Failure
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.written import Edit
from screens import SCREENS
from screens.widgets.chrome import GoBar, KeyBar, Status, StatusBar, TabBar
from screens.widgets.page import Page
from screens.widgets.parts import Item
from screens.widgets.prompt import ANSWER, LEAST, WORDS, Prompt
from screens.widgets.spans import wrapped

if TYPE_CHECKING:
    from screens.begun import Begun
    from screens.unstored import Lines

T = TypeVar("T")

TOO_SMALL = "aether needs 60×15 cells; make the window larger, or use `aether-tui report summary`"

MESSAGE_LINES = 4
"""Lines a message may take, most of which take one."""

MOST_TYPED = 300
"""Characters of a line that documents keep, where nothing else says how many."""

READ_PATIENCE_S = 3.0
"""After so long the keys are let through although nothing could be read."""


class Shell(Protocol):
    """What a screen may ask of the console."""

    workspace: Workspace
    keymap: Keymap
    lines: Lines

    def now(self) -> datetime: ...
    def saved(self, report: str, *, whole: bool = False) -> SavedReport | None: ...
    def room(self) -> bool: ...
    def refused(self) -> bool: ...
    def failure(self, report: str) -> Failure | None: ...
    def updating(self, report: str) -> bool: ...
    def held(self, report: str) -> str: ...
    def looking(self) -> Looking: ...
    def current(self, report: str) -> bool: ...
    def status(self) -> Status: ...
    def prefix(self) -> str: ...
    def message(self) -> str: ...
    def say(self, message: str) -> None: ...
    def rebuild(self, report: str) -> None: ...
    async def perform(self, action: Action, key: str = "") -> None: ...
    def performed(self) -> str: ...
    def open_form(self, kind: str, identity: str | None = None) -> None: ...
    def command(self, title: str, *command: str, writes: Path | None = None) -> None: ...
    def asked_again(self) -> None: ...
    def unasked(self) -> None: ...
    def hold_keys(self) -> None: ...
    def release_keys(self) -> None: ...
    def take_held(self) -> None: ...
    def arrived(self, screen: str) -> None: ...
    def selected(self, screen: str, item: str) -> None: ...
    def progress(self) -> SyncProgress | None: ...
    def answer(self, title: str, command: Sequence[str], done: Callable[[bytes], None]) -> None: ...
    def receive(self) -> None: ...
    def in_thread(self, work: Callable[[], str], *, rebuild: str = "") -> None: ...
    def write(self, work: Callable[[], str], place: Path, *, rebuild: str = "") -> None: ...
    def first(self, look: Callable[[], T], then: Callable[[T], None]) -> None: ...
    def edit(
        self,
        work: Callable[[], Edit],
        *,
        rebuild: str = "",
        done: Callable[[Edit], None] | None = None,
        refused: Callable[[AetherError], bool] | None = None,
    ) -> None: ...


class SyncProgress(Protocol):
    """A running or finished sync."""

    @property
    def running(self) -> bool: ...
    @property
    def error(self) -> str:
        """Why it failed, if it did."""
        ...

    def rows(self) -> list[tuple[str, str, int, int | None, str]]:
        """Per source: name, stream, rows so far, total when known, message of an error."""
        ...


class PageScreen(Screen[None]):
    """A page of lines with a cursor, the bars around it, and keys from the one registry."""

    SCOPES: ClassVar[frozenset[Where]] = frozenset({"app", "page", "list"})
    AUTO_FOCUS: ClassVar[str | None] = "Page"
    TAB: str = ""
    """The tab it stands under, when that is not its own name."""

    READS: ClassVar[bool] = False
    """Whether there is something to read before keys mean anything here; `settle` is called when it is there."""

    TALKS: ClassVar[bool] = False
    """Whether each answer leads on to another question: what is typed behind one may be meant as words of it."""

    ready = False
    """Whether keys may come; what is typed before waits."""

    _above: tuple[str, ...] = ()
    """What stands above the line that is typed in: what is wrong with what was typed, a question too long for the line."""

    def on_mount(self) -> None:
        if self.READS:
            self.set_timer(READ_PATIENCE_S, self.settle)
        else:
            self.call_after_refresh(self.settle)

    def settle(self) -> None:
        """Keys may come from now on."""
        if not self.ready:
            self.ready = True
            self.shell.take_held()

    def compose(self) -> ComposeResult:
        yield StatusBar(id="status")
        yield TabBar(id="tabs")
        yield Page(id="page")
        yield Static(TOO_SMALL, id="too-small", markup=False)
        yield KeyBar(id="keys")
        yield GoBar(id="go")

    @property
    def shell(self) -> Shell:
        """The console, as far as screens know it."""
        return cast(Shell, self.app)

    @property
    def there(self) -> bool:
        """Whether it has a page to draw on: it is composed, and not being closed."""
        return self.is_mounted and self.is_running

    @property
    def page(self) -> Page:
        return self.query_one(Page)

    # --- what a screen of its own says -----------------------------------------------------------------------------

    def about(self) -> tuple[str, str]:
        """Title and a sentence, for help."""
        raise NotImplementedError

    def note(self) -> str:
        """What stands at the right of the tabs."""
        return f"/{self.page.view.keep}" if self.page.view.keep else ""

    def show(self) -> None:
        """Draw what is known now."""
        raise NotImplementedError

    def renewed(self) -> None:
        """Files changed that this console did not write."""
        self.show()

    def on_screen_resume(self) -> None:
        self.show()

    def on_resize(self) -> None:
        self.call_after_refresh(self.show_around)

    def show_around(self) -> None:
        """Draw the lines around the page, while they are there: a page may be told before it is composed, or as it closes."""
        if not self.there:
            return
        self.query_one(StatusBar).tell(self.shell.status())
        self.query_one(TabBar).tell(self.TAB or self.name or "", self.note())
        keymap, prefix = self.shell.keymap, self.shell.prefix()
        room = max(self.size.width - 2, 8)
        *above, said = wrapped(self.shell.message(), room, MESSAGE_LINES) or [""]
        if self._above:
            above = [line for told in self._above for line in wrapped(told, room, MESSAGE_LINES)]
        self.query_one(KeyBar).tell(keymap, self.SCOPES, message=said, prefix=prefix)
        second = [(shown(key), action.title) for key, action in keymap.following(prefix)] if prefix else []
        self.query_one(GoBar).tell(second, self.size.width, above)

    def close(self) -> bool:
        """Close what is open, then the filter; False when there was nothing to close."""
        view = self.page.view
        if view.open_id:
            self.page.look(open_id="")
        elif view.keep:
            self.page.look(keep="")
            self.show_around()
        else:
            return False
        return True

    # --- what can be done on every page ------------------------------------------------------------------------------

    def action_words(self) -> None:
        self.page.look(words=not self.page.view.words)
        self.shell.say("in words, where something was drawn; v draws again" if self.page.view.words else "drawn again")

    def action_copy(self) -> None:
        """Copy the row by the terminal (OSC 52) and by the system's own tool when there is one; says which."""
        from screens.clipboard import copy_native

        item = self.page.selected
        if item is None:
            return
        self.app.copy_to_clipboard(item.copy)
        tool = copy_native(item.copy)
        self.shell.say("copied by the terminal (OSC 52)" + (f" and {tool}" if tool else ""))

    def action_opportunity(self) -> None:
        """Make the selected row an opportunity; its title can be mended, its id is the evidence."""
        from screens.edits import add

        item = self.page.selected
        if item is None:
            self.shell.say("select a row first (j, k)")
            return

        offered, evidence = self.opportunity_of(item)

        def done(title: str | None) -> None:
            if title:
                work = lambda: add(self.shell.workspace, title, self.shell.now(), evidence)  # noqa: E731
                self.shell.edit(work, done=lambda edit: self.shell.open_form("opportunity", edit.identity))

        self.ask("new opportunity", offered, done)

    def opportunity_of(self, item: Item) -> tuple[str, str]:
        """The title offered for an opportunity made of a row, and its evidence."""
        return titled(item), item.row

    # --- asking --------------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        before = self.page.view.keep

        def done(value: str | None) -> None:
            self.page.look(keep=before if value is None else value)
            self.show_around()

        self.ask("/", before, done, lambda value: self.page.look(keep=value), most=None, passing=True)

    @property
    def _asking(self) -> bool:
        return any(not prompt.left for prompt in self.query(Prompt))

    def ask(
        self,
        label: str,
        value: str,
        done: Callable[[str | None], None],
        changed: Callable[[str], None] | None = None,
        left: Callable[[str], None] | None = None,
        *,
        goes_on: bool = False,
        fault: str = "",
        most: int | None = MOST_TYPED,
        passing: bool = False,
    ) -> None:
        """One line from the user, in place of the footer; what `Prompt` gets, and what was wrong with the answer before.

        An answer of more than `most` characters stays on its line. What is typed is kept until it is stored (`Lines`), unless it is
        `passing`: a search, a view or a yes, of which nothing is stored, or what its screen keeps itself.
        """

        def short(answer: str | None) -> None:
            if answer is not None and most is not None and len(answer) > most:
                told = f"■ {most:,} characters at most; this has {len(answer):,}"
                self.ask(label, answer, done, changed, left, goes_on=True, fault=told, most=most, passing=passing)
            else:
                done(answer)

        def then(answered: Callable[[T], None]) -> Callable[[T], None]:
            def go_on(answer: T) -> None:
                self.set_focus(self.page if self.AUTO_FOCUS else None)
                self._above = ()
                self.show_around()
                answered(answer)
                if not self._asking:
                    self.shell.lines.end()

            return go_on

        def typed(text: str) -> None:
            if not passing:
                self.shell.lines.typed(text)
            if changed is not None:
                changed(text)

        if not self._asking:
            if passing:
                self.shell.lines.end()
            elif not fault and (kept := self.shell.lines.ask(label, value, self.shell.performed())) is not None:
                value, goes_on = kept, True
            long = cell_len(label) > self.size.width - (LEAST if passing else WORDS)
            self._above = tuple(told for told in (fault, label if long else "") if told)
            if fault:
                self.shell.asked_again()
            self.shell.say("")
            self.shell.hold_keys()
            again = then(left) if left is not None else None
            line = Prompt(
                ANSWER if long else label, value, then(short), self.shell.release_keys, typed, again, goes_on=goes_on
            )
            self.mount(line)

    def ask_right(
        self,
        label: str,
        value: str,
        read: Callable[[str], T],
        done: Callable[[T], None],
        *,
        changed: Callable[[str], None] | None = None,
        given_up: Callable[[], None] = lambda: None,
        goes_on: bool = False,
        passing: bool = False,
    ) -> None:
        """Ask until `read` can read what is typed: its error stands above the line, in which what was typed stays.

        `done` gets what was read; `given_up` is called after escape.
        """

        def answered(answer: str | None) -> None:
            if answer is None:
                given_up()
                return
            try:
                found = read(answer)
            except AetherError as error:
                told = AetherError(error.what, next_step=error.next_step).sentence()
                self.ask(label, answer, answered, changed, goes_on=True, fault=f"■ {told}", most=None, passing=passing)
            else:
                done(found)

        self.ask(label, value, answered, changed, goes_on=goes_on, most=None, passing=passing)


def titled(item: Item) -> str:
    """The words of a row: its cell with the most letters, which bars and courses of numbers lack; its id if there is no other."""
    cells = [cell.strip() for cell in item.copy.split("\t")]
    words = [cell for cell in cells if cell != item.row and _letters(cell)]
    return max(words, key=_letters, default=item.row if item.row in cells else item.copy)[:200]


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


class ReportScreen(PageScreen):
    """A face of one report. A subclass adds what it can do besides looking."""

    SCOPES: ClassVar[frozenset[Where]] = PageScreen.SCOPES | {"report"}
    LEAD: ClassVar[int] = 0
    """How many blocks come before the findings."""
    FIRST: ClassVar[str] = ""
    """The block the cursor begins in; the first of all when empty."""
    LIVE: ClassVar[bool] = False
    """Somebody watches it while data come in: it is built again as soon as there are new ones."""
    _begun: Begun | None = None

    @property
    def report(self) -> str:
        """The report this is a face of."""
        return SCREENS[self.name or "home"].report

    def action_connect(self) -> None:
        """Where sources are, and what is missing."""
        self.run_worker(self.shell.perform(BY_ID["go.sources"]))

    def action_ask(self) -> None:
        """Where people are asked."""
        self.shell.say("the 3-Lens interview asks what people believe of such numbers")
        self.run_worker(self.shell.perform(BY_ID["go.interview"]))

    # --- showing -------------------------------------------------------------------------------------------------

    def on_screen_resume(self) -> None:
        self.show()
        self.shell.arrived(self.name or "home")

    def show(self) -> None:
        """Draw what is known now: the report, its failure above it, the lines around it."""
        report = self.shell.saved(self.report)
        failure = self.shell.failure(self.report)
        if report is None:
            report = waiting(self.report, self.shell.now())
        if failure is not None:
            report = replace_blocks(report, failed(failure, self.report))
        self.page.view = dataclasses.replace(self.page.view, lead=self.LEAD, first=self.first(report))
        if self._begun is not None:
            with_it = self._begun.within(report)
            self._begun, report = (self._begun, with_it) if with_it else (None, report)
        self.page.show(self.adorn(report))
        self.show_around()

    @property
    def has_begun(self) -> bool:
        """Whether a document just made is shown that the report does not have yet."""
        return self._begun is not None

    def begun(self, block: str, edit: Edit, cells: Mapping[str, str]) -> None:
        """Show a document just made as a row of the table `block`, with the cursor on it."""
        from screens.begun import Begun

        self._begun = Begun(block, edit.identity, edit.files[0].path, cells)
        self.show()
        self.page.select(f"{block}/{edit.identity}")

    def first(self, report: SavedReport) -> str:
        """The block the cursor begins in."""
        return self.FIRST

    def adorn(self, report: SavedReport) -> SavedReport:
        """The report as this screen shows it."""
        return report

    def note(self) -> str:
        report, held = self.shell.saved(self.report), self.shell.held(self.report)
        if held:
            return f"… cache held by {held}"
        if report is None:
            return " ".join(part for part in ("building", self.shell.looking().words(), "…") if part)
        age_s = (self.shell.now() - report.as_of).total_seconds()
        age = "now" if age_s < 120 else f"{human.age(age_s)} old"
        mark = "↻ updating · " if self.shell.updating(self.report) else ""
        wanted = self.shell.looking().words() or report.window.label
        still = "" if self.shell.current(self.report) else f"still {report.window.label}"
        kept = f"/{self.page.view.keep}" if self.page.view.keep else ""
        return mark + " · ".join(part for part in (kept, wanted, still, age) if part)

    # --- what can be done everywhere -----------------------------------------------------------------------------

    def action_open(self) -> None:
        """Details under the row; a gap runs what would fill it."""
        item = self.page.selected
        if item is None:
            return
        if item.action in BY_ID:
            self.run_worker(self.shell.perform(BY_ID[item.action]))
        else:
            self._toggle("detail")

    def action_why(self) -> None:
        self._toggle("why")

    def _toggle(self, face: str) -> None:
        item, view = self.page.selected, self.page.view
        if item is not None:
            same = view.open_id == item.id and view.open_as == face
            self.page.look(open_id="" if same else item.id, open_as=face)

    def on_page_selected(self, event: Page.Selected) -> None:
        event.stop()
        self.shell.selected(self.name or "home", event.item.id)
        if self.page.view.open_id and self.page.view.open_id != event.item.id:
            self.page.look(open_id="")

    def about(self) -> tuple[str, str]:
        spec = SCREENS[self.name or "home"]
        return spec.title, spec.help

    def action_export(self) -> None:
        report = self.shell.saved(self.report, whole=True)
        if report is not None:
            self.shell.in_thread(lambda: export(report, self.shell.workspace))


def replace_blocks(report: SavedReport, *first: Block) -> SavedReport:
    """The report with other blocks before its own."""
    import msgspec

    return msgspec.structs.replace(report, blocks=(*first, *report.blocks))


def waiting(name: str, now: datetime) -> SavedReport:
    """What stands where no report has been built yet."""
    return SavedReport(
        report=name,
        title=name,
        as_of=now,
        window=Window(start=now, end=now),
        headline="The first report is being built.",
    )


def failed(failure: Failure, name: str) -> Gap:
    """A report's error, where the report would stand."""
    where = f"{failure.where}: " if failure.where else ""
    return Gap(
        id="failure",
        title="This report could not be built" if not failure.where else f"{name} could not be built",
        reason=where + failure.what,
        next_step=failure.next_step or f"aether-tui report {name}",
    )


def export(report: SavedReport, workspace: Workspace) -> str:
    """Write the report as Markdown, without people who did not agree to be named; returns what was done."""
    from aether_tui.reports import markdown
    from aether_tui.workspace.anonymous import told_of, unnamed

    folder = workspace.exports
    folder.mkdir(exist_ok=True)
    path = folder / f"{report.report}.md"
    path.write_text(unnamed(markdown.render(report), told_of(workspace)), encoding="utf-8")
    return f"wrote {folder.name}/{path.name}"

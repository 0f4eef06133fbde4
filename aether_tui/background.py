"""What keeps the reports of a console fresh: looking for changes, and building what is out of date behind the screens."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from textual.message import Message
from textual.timer import Timer

from aether_tui.ahead import Ahead
from aether_tui.behind import Behind
from aether_tui.builders import Builders
from aether_tui.builds import FROM_DOCUMENTS, Options, Order, Outcome, build
from aether_tui.looking import Looking
from aether_tui.report_model import Facts, SavedReport, Table
from aether_tui.session import Failure, Memory, Settings, Shelf
from aether_tui.working import Working
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.written import Edit
from screens import SCREENS
from screens.base import ReportScreen

POLL_S = 0.5
GLANCE_S = 0.15
"""Where somebody watches data come in, the cache alone is looked at this often."""
BUILD_DELAY_S = 0.5
"""The first paint goes out before anything it shows already is rebuilt."""
WHOLE_DELAY_S = 0.4
"""A draft is followed by the whole report once nothing was edited for this long."""
GARBAGE = 10
"""Collections of young objects after which all are looked through, which takes 50 ms: half a second after the last key."""
BUSY_SHARE = 5
"""While something else keeps writing, a report is built for at most one part in so many of the time."""


RINGS = "budgets"
"""A new block in this report rings the bell, when asked to."""


def blocked(report: SavedReport) -> set[str]:
    """Ids of the rows and figures that block."""
    rows = {row.id for block in report.blocks if isinstance(block, Table) for row in block.rows if row.state == "block"}
    facts = {f.id for block in report.blocks if isinstance(block, Facts) for f in block.facts if f.state == "block"}
    return rows | facts


class Background(Working):
    """An app that keeps the reports of one workspace fresh. Its screens are drawn by the subclass."""

    @dataclass
    class Built(Message):
        """A build ended."""

        outcome: Outcome
        looking: Looking

    def __init__(self, workspace: Workspace, options: Options, memory: Memory, looking: Looking) -> None:
        super().__init__(workspace, options)
        self._memory = memory
        self._shelf = Shelf(memory, options.as_of, looking)
        self._builders = Builders()
        self._ahead = Ahead(self, self._builders, self._shelf, self._built_ahead)
        self._behind = Behind(self, self._builders, self._ahead, self._built_behind)
        self._began = self._took_s = 0.0
        self._watch: Timer | None = None
        self._glance: Timer | None = None
        self._cache_ns = 0
        self._discreet: dict[str, tuple[SavedReport, SavedReport]] = {}
        self._seen_ns = 0

    # --- what the subclass says and shows ------------------------------------------------------------------------

    def nearby(self) -> Sequence[Looking]:
        """The views that one key leads to, the nearest first."""
        raise NotImplementedError

    def configure(self, settings: Settings) -> None:
        """Take over what the configuration says."""
        raise NotImplementedError

    def saved(self, report: str, *, whole: bool = False) -> SavedReport | None:
        """The last report as it may be seen: in room mode without what is private. `whole` is for exports."""
        found = self._shelf.report(report)
        return found if whole or found is None else self._seen(found)

    def _seen(self, report: SavedReport) -> SavedReport:
        if not self.room():
            return report
        before = self._discreet.get(report.report)
        if before is None or before[0] is not report:
            from aether_tui.room import discreet

            before = self._discreet[report.report] = report, discreet(report, self.engagement())
        return before[1]

    def room(self) -> bool:
        """Whether others look over the shoulder: no answers of other people, money or clients may be shown."""
        raise NotImplementedError

    def engagement(self) -> str:
        """The engagement's name."""
        raise NotImplementedError

    def looking(self) -> Looking:
        """Window, comparison and filters of all screens."""
        return self._shelf.looking

    def current(self, report: str) -> bool:
        """Whether what is saved of a report was made for what is looked at."""
        return self._shelf.there(report)

    def look_at(self, wanted: Looking) -> None:
        """Look at another window, or at a part: what was built for it before is shown at once, and renewed when due."""
        if wanted == self._shelf.looking:
            return
        self._behind.end()
        self._shelf.looking = wanted
        screen = self.front()
        if screen is None:
            return
        if screen.report in FROM_DOCUMENTS:
            self.renew()
        elif not self._ahead.want(self._order((screen.report,))):
            self._build_others(screen.report)
        screen.show()

    def get_front(self) -> None:
        """Build the report in front where there is none yet for what is looked at."""
        screen = self.front()
        if screen is not None and screen.report not in FROM_DOCUMENTS and not self.current(screen.report):
            self._ahead.want(self._order((screen.report,)))

    def look_ahead(self, looking: Looking | None) -> None:
        """What is being typed: build the report in front for it, or get ready for that while it names no view."""
        screen = self.front()
        if screen is None or screen.report in FROM_DOCUMENTS:
            return
        order = self._order((screen.report,))
        if looking is None:
            self._ahead.typing(order)
        else:
            self._ahead.want(msgspec.structs.replace(order, looking=looking))

    def failure(self, report: str) -> Failure | None:
        return self._shelf.failure(report)

    def updating(self, report: str) -> bool:
        return report in self._building or self._commands.busy

    def held(self, report: str) -> str:
        return self._builders.held if report in self._building else ""

    def begin(self) -> None:
        """Begin to look for changes."""
        self._seen_ns = self._memory.changed_ns()
        self._watch = self.set_interval(POLL_S, self._poll)
        self._glance = self.set_interval(GLANCE_S, self._look_at_cache)

    async def stop(self) -> None:
        """Wait for every edit, end every child and wait until it has ended."""
        await self._edits.finished()
        for timer in (self._watch, self._glance):
            if timer is not None:
                timer.stop()
        self._ahead.stop()
        following = [*self.workers.cancel_group(self, "ahead"), *self.workers.cancel_group(self, "report")]
        await asyncio.gather(*(worker.wait() for worker in following), return_exceptions=True)
        await self._builders.end()
        await self._commands.end()

    def edited(self, message: str, rebuild: str) -> None:
        """Say it, and rebuild what an edit has put out of date."""
        self.say(message)
        self._renew_page()
        screen = self.front()
        if screen is not None and screen.has_begun:  # which may have been taken back
            screen.show()
        if rebuild:
            self.rebuild(rebuild)
        if screen is None or screen.report == rebuild or self._covered():
            return
        if self._shelf.outdated(screen.report, self.now()):
            self.rebuild(screen.report)

    def _covered(self) -> bool:
        """Whether another page lies over the report in front: it is renewed when it is seen again."""
        return self.page_screen() is not self.front()

    def _renew_page(self, *, elsewhere: bool = False) -> None:
        """A page of documents reads them again."""
        page = self.page_screen()
        if page is not None and not isinstance(page, ReportScreen):
            (page.renewed if elsewhere else page.show)()

    # --- reports -------------------------------------------------------------------------------------------------

    def _poll(self) -> None:
        """Twice a second: did anything change that reports are made of? Costs a few `stat` calls.

        The first change is shown at once, with the others behind it only when it stays quiet; what is built of those when
        the next change comes gives way to it. Behind a screen that is watched nothing else is built: they wait for a visit.
        """
        screen = self.front()
        live = screen is not None and screen.LIVE
        if time.monotonic() - self.typed_at() > POLL_S and gc.get_count()[2] > GARBAGE:
            gc.collect()
        if not live:
            self._builders.rest()
        if screen is not None and self.held(screen.report):
            self.around()
        if self._commands.busy and not live:
            return
        changed = self._memory.changed_ns()
        quiet = changed == self._seen_ns
        self._seen_ns = changed
        if not quiet and not self._edits.busy:  # our own edit tells its page itself
            self._renew_page(elsewhere=True)
        if screen is None or self._covered() or screen.report in self._building:
            return
        if not self._shelf.outdated(screen.report, self.now(), changed_ns=changed):
            if quiet and not live and not self._building and screen.report not in FROM_DOCUMENTS:
                self._ahead.look(self._order((screen.report,)), changed)
            return
        if quiet or live or time.monotonic() - self._began > BUSY_SHARE * self._took_s:
            self.rebuild(screen.report, alone=live or not quiet)

    def _built_ahead(self, order: Order, outcome: Outcome) -> None:
        self._shelf.take(outcome.name, outcome.failure, order.looking)
        if outcome.settings is not None:
            self.configure(outcome.settings)
        screen = self.front()
        if order.looking == self._shelf.looking and screen is not None:  # somebody has gone there meanwhile
            screen.show()
            self.around()
            if not self._behind.names:
                self.call_later(self._build_others, screen.report)

    def _build_others(self, front: str) -> None:
        """Build what is out of date behind the report in front, which is not."""
        changed = self._memory.changed_ns()
        others = (name for name in self._names() if name not in self._building)
        names = tuple(name for name in others if self._shelf.outdated(name, self.now(), changed_ns=changed))
        if names and front not in FROM_DOCUMENTS:
            self._behind.begin(self._order(names), front=False)

    def _look_at_cache(self) -> None:
        """New data for a screen that is watched are noticed at once; costs one `stat` call."""
        screen = self.front()
        if screen is not None and screen.LIVE and (now_ns := self._memory.cached_ns()) != self._cache_ns:
            self._cache_ns = now_ns
            self._poll()

    def renew(self) -> None:
        """Rebuild the report in front when it is out of date."""
        screen = self.front()
        if screen is not None and not self._building and self._shelf.outdated(screen.report, self.now()):
            self.rebuild(screen.report)

    @property
    def _building(self) -> set[str]:
        """Reports that are being built, or are next, for what is looked at."""
        return self._behind.names | self._ahead.names(self._shelf.looking)

    def rebuild(self, report: str, *, alone: bool = False) -> None:
        """Build a report: one of documents alone in a thread, others in a child with all that are out of date behind it."""
        names = [report]
        self._began = time.monotonic()
        if report not in FROM_DOCUMENTS and not alone:
            changed = self._memory.changed_ns()
            others = (name for name in self._names() if name != report)
            names += [name for name in others if self._shelf.outdated(name, self.now(), changed_ns=changed)]
        from_documents = report in FROM_DOCUMENTS
        order = self._order(tuple(names), draft=from_documents)
        if from_documents:
            self._behind.names.add(report)
            thread = lambda: self.post_message(self.Built(build(order, report), order.looking))  # noqa: E731
            self.run_worker(thread, thread=True, exclusive=True, group="document", exit_on_error=False)
        else:
            self._behind.begin(order, front=self._in_front(report))
        self.around()

    def _order(self, names: tuple[str, ...], *, draft: bool = False) -> Order:
        return Order(str(self.workspace.root), names, self.now(), self.options.seed, self._shelf.looking, draft)

    @staticmethod
    def _names() -> list[str]:
        return [spec.report for spec in SCREENS.values()]

    def _in_front(self, report: str) -> bool:
        screen = self.front()
        return screen is None or screen.report == report

    def _built_behind(self, order: Order, outcome: Outcome) -> None:
        self.post_message(self.Built(outcome, order.looking))

    def on_background_built(self, event: Built) -> None:
        outcome = event.outcome
        if event.looking != self._shelf.looking:
            self._shelf.take(outcome.name, outcome.failure, event.looking)
            return
        self._behind.names.discard(outcome.name)
        screen = self.front()
        if screen is not None and screen.report == outcome.name:
            self._took_s = time.monotonic() - self._began
        before = self._shelf.report(outcome.name) if outcome.name == RINGS else None
        self._shelf.take(outcome.name, outcome.failure)
        if outcome.draft:
            whole = msgspec.structs.replace(self._order((outcome.name,)), yields=True)
            self._behind.begin(whole, WHOLE_DELAY_S, front=self._in_front(outcome.name))
        after = self._shelf.report(outcome.name)
        if self.options.bell and before is not None and after is not None and blocked(after) - blocked(before):
            self.bell()
        if outcome.settings is not None:
            self.configure(outcome.settings)
        if screen is not None and screen.report == outcome.name:
            screen.show()
            if screen.LIVE:
                self._poll()  # what came in while it was built
        self.around()

    # --- jobs ----------------------------------------------------------------------------------------------------

    def job_ended(self, made: Edit | None, told: str) -> None:
        """A job ended: `made` can be taken back, `told` is said where there is something to say."""
        if made is not None:
            self._edits.remember(made)
        if told:
            self.say(told)
        self._seen_ns = self._memory.changed_ns()
        self.renew()

"""The commands a console runs as children: one job at a time, questions beside it, and the receiver."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from aether_tui import human
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.written import Edit, bytes_of, written_since

if TYPE_CHECKING:
    from textual.timer import Timer

    from aether_tui.builds import Options
    from aether_tui.jobs import Job, Receiving

QUIET_S = 0.25
"""Progress waits this long after a key."""


class Office(Protocol):
    """What commands need of the console they run for."""

    workspace: Workspace
    options: Options

    def say(self, message: str) -> None:
        """Show a sentence until the next key."""
        ...

    def around(self) -> None:
        """Draw the lines around the page."""
        ...

    def refused(self) -> bool:
        """Whether the console may not write, which it then says."""
        ...

    def show_progress(self) -> bool:
        """Show how far a job is; false when there was no room for it."""
        ...

    def job_ended(self, made: Edit | None, told: str) -> None:
        """Take over what a job wrote, and say the sentence."""
        ...

    def run_worker(self, work: Coroutine[None, None, None], *, group: str, exit_on_error: bool) -> object:
        """Run this beside the console."""
        ...

    def follow(self, work: Callable[[], Coroutine[None, None, None]], group: str) -> None:
        """Begin this beside the console, in place of what its group does."""
        ...

    def set_interval(self, interval: float, callback: Callable[[], None]) -> Timer:
        """Run this again and again until it is stopped."""
        ...


class Commands:
    """The children of one console that run commands; it is told what came of them."""

    def __init__(self, office: Office) -> None:
        self.job: Job | None = None
        """The last job: a sync, an export, something a page asked for."""
        self.receiver: Receiving | None = None
        self.typed_at = 0.0
        """When the last key came, by the monotonic clock."""
        self._office = office
        self._heard = False
        self._asked: set[Job] = set()
        """Jobs that are answering."""

    @property
    def busy(self) -> bool:
        """Whether a job is running."""
        return self.job is not None and self.job.running

    def short(self) -> str:
        """What runs, for the status line."""
        return "  ".join(job.short() for job in (self.receiver, self.job) if job is not None and job.running)

    def sync(self) -> None:
        """Start a sync; while a job runs, stop it."""
        if self.job is not None and self.job.running:
            self.job.stop()
            self._office.say(f"{self.job.title} is stopping; what was stored stays stored")
        else:
            self._start("sync", ["sync", "--format", "json"], None)

    def run(self, title: str, command: Sequence[str], writes: Path | None) -> None:
        """Run a command unless one is running; what it writes in the folder `writes` can be taken back."""
        if self.job is not None and self.job.running:
            self._office.say(f"{self.job.title} is still running")
        elif not self._office.refused():
            self._start(title, command, writes)

    def answer(self, title: str, command: Sequence[str], done: Callable[[bytes], None]) -> None:
        """Run a command and hand over what it prints; its error is said instead."""
        from aether_tui.jobs import Answering

        job = Answering(title, [*self._arguments(), *command])

        async def follow() -> None:
            self._asked.add(job)
            try:
                status = await job.run(self._office.around)
            finally:
                self._asked.discard(job)
            if job.error:
                self._office.say(f"■ {title}: {job.error}")
            if not status or job.out:
                done(job.out)

        self._office.follow(follow, "answer")

    def receive(self) -> None:
        """Start the receiver of traces; while it runs, stop it."""
        from aether_tui.jobs import Receiving

        if self.receiver is not None and self.receiver.running:
            self.receiver.stop()
            self._office.say("receiver is stopping; every span it acknowledged is stored")
            return
        self.receiver = Receiving([*self._arguments(), "receive", "--format", "json"], time.monotonic)
        self._office.run_worker(self._listen(self.receiver), group="receiver", exit_on_error=False)
        self._office.say("receiver starting; o stops it")

    async def end(self) -> None:
        """Stop everything that runs, and wait until it has ended."""
        for job in (self.job, self.receiver, *self._asked):
            if job is not None:
                job.stop()
                await job.ended()

    async def _listen(self, receiver: Receiving) -> None:
        await receiver.run(self._office.around)
        self._office.say(f"■ receiver: {receiver.error}" if receiver.error else "receiver stopped")
        self._office.around()

    def _arguments(self) -> list[str]:
        options = self._office.options
        arguments = ["-w", str(self._office.workspace.root)]
        if options.offline:
            arguments.append("--offline")
        if options.as_of is not None:
            arguments += ["--as-of", options.as_of.isoformat()]
        return arguments

    def _start(self, title: str, command: Sequence[str], writes: Path | None) -> None:
        from aether_tui.jobs import Job

        self.job = Job(title, [*self._arguments(), *command])
        self._office.run_worker(self._follow(self.job, writes), group="job", exit_on_error=False)
        self._office.say(f"{title} started" + ("; s stops it" if title == "sync" else ""))

    async def _follow(self, job: Job, writes: Path | None) -> None:
        self._heard = False
        before = await asyncio.to_thread(bytes_of, [writes]) if writes is not None else {}
        timer = self._office.set_interval(0.25, self._show_progress)
        try:
            status = await job.run(self._hear)
        finally:
            timer.stop()
        self._office.show_progress()
        made = await asyncio.to_thread(written_since, before, [writes], job.title) if writes is not None else None
        self._office.job_ended(made, self._told(job, status, made))

    def _told(self, job: Job, status: int, made: Edit | None) -> str:
        if job.error:
            return f"■ {job.title}: {job.error}"
        if job.stopped:
            return f"{job.title} stopped; what was stored stays stored"
        if status:
            return ""
        written = human.plural(len(made.files), "baseline") if made is not None else "no baseline"
        done = {
            "sync": "synced",
            "export": f"wrote {self._office.workspace.exports.name}/",
            "load": job.told[0] if len(job.told) == 1 else f"{human.plural(len(job.told), 'file')} loaded",
            "baseline": f"{written} written to {self._office.workspace.baselines.name}/",
        }
        return done.get(job.title, f"{job.title} done") + ("; u takes it back" if made is not None else "")

    def _hear(self) -> None:
        self._heard = True

    def _show_progress(self) -> None:
        """Four times a second at most, only when something was heard, and never between a key and its effect."""
        if self._heard and time.monotonic() - self.typed_at >= QUIET_S and self._office.show_progress():
            self._heard = False

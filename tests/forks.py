"""A process that has everything imported and forks for each command: `python -m tests.forks FD PLACE`, for `tests.command`.

A command runs in a process of its own, with its own folder, environment, input and output, without the second that a new
interpreter would spend on imports. It is asked for at the socket PLACE and killed when who asked goes; all ends when FD does.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from selectors import EVENT_READ, DefaultSelector

WARM = (
    "asyncio", "duckdb", "encodings.utf_8_sig", "genai_prices.data", "numpy.ma", "opentelemetry.proto.trace.v1.trace_pb2",
    "pydantic", "rich.cells", "ruamel.yaml.mergevalue", "aether_tui.builds", "aether_tui.config_file", "aether_tui.exploring",
)  # fmt: skip
ROOMS = ("budgets", "cache", "cli", "diagnostics", "ingest", "reports", "stats", "sync", "workspace")
"""Packages of which every module is imported before the first command; those of the console would bring Textual."""
PROGRAMS = {
    "aether_tui": "aether_tui.cli",
    "aether_tui.builds": "aether_tui.builds",
    "aether_tui.exploring": "aether_tui.exploring",
}
"""What can be run, and the module whose `main` it is."""


def warm(empty: Path) -> None:
    """Import what commands import, once, and keep the collector away from it: its pages stay shared with the children. New caches
    of theirs are copies of `empty`."""
    for name in WARM:
        import_module(name)
    for room in (*(f"aether_tui.{room}" for room in ROOMS), "connectors"):
        for module in walk_packages(import_module(room).__path__, f"{room}."):
            import_module(module.name)
    import_module("tests.caches").copy_new_ones(empty)
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # they end before it matters


class Forks:
    """Everything that is waited for at once: who started us, who asks, those that asked, and children that end."""

    def __init__(self, starter: socket.socket, door: socket.socket) -> None:
        self._starter, self._door = starter, door
        self._jobs: dict[int, socket.socket] = {}
        self._woken, wake = os.pipe()
        for end in (self._woken, wake):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake)
        self._selector = DefaultSelector()
        for one in (starter, door, self._woken):
            self._selector.register(one, EVENT_READ)

    def serve(self) -> None:
        """Until who started us has gone."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._starter:
                    for pid in self._jobs:
                        os.kill(pid, signal.SIGKILL)
                    return
                if key.fileobj is self._door:
                    self._begin(self._door.accept()[0])
                elif key.fileobj == self._woken:
                    with suppress(BlockingIOError):
                        os.read(self._woken, 4096)
                    self._reap()
                elif key.data in self._jobs:
                    with suppress(OSError):
                        given = self._jobs[key.data].recv(1)
                        os.kill(key.data, given[0] if given else signal.SIGKILL)
                    if not given:
                        self._selector.unregister(self._jobs[key.data])

    def _begin(self, asker: socket.socket) -> None:
        data, streams, _, _ = socket.recv_fds(asker, 1 << 16, 3)
        while data and not data.endswith(b"\n"):
            data += asker.recv(1 << 16)
        if not data:
            asker.close()
            return
        child = os.fork()
        if child == 0:
            self._forget()
            asker.close()
            run(streams, **json.loads(data))
        for one in streams:
            os.close(one)
        self._jobs[child] = asker
        self._selector.register(asker, EVENT_READ, child)

    def _forget(self) -> None:
        """Hold nothing of ours in a child."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for one in (self._starter, self._door, self._selector, *self._jobs.values()):
            one.close()
        os.close(self._woken)

    def _reap(self) -> None:
        for pid, asker in list(self._jobs.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._jobs[pid]
                with suppress(KeyError):
                    self._selector.unregister(asker)
                with asker, suppress(OSError):
                    asker.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def run(streams: list[int], program: str, arguments: list[str], cwd: str, env: dict[str, str]) -> None:
    """Be the command: does not return."""
    code = 1
    try:
        os.environ.clear()
        os.environ.update(env)
        for place, given in enumerate(streams):
            os.dup2(given, place)
            os.close(given)
        os.chdir(cwd)
        sys.path[0] = ""
        name = "aether-tui" if program == "aether_tui" else program
        sys.argv = [name, *arguments]
        main = import_module(PROGRAMS[program]).main
        main(*arguments) if program == "aether_tui.exploring" else main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


def main(starter: int, place: Path) -> None:
    """Open the door, import, and serve."""
    door = socket.socket(socket.AF_UNIX)
    door.bind(f"{place}.new")
    door.listen(64)
    os.rename(f"{place}.new", place)  # there once one can ask
    warm(place.with_name("empty.duckdb"))
    Forks(socket.socket(fileno=starter), door).serve()
    gc.unfreeze()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))

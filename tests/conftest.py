"""Shared fixtures."""

from __future__ import annotations

import atexit
import fcntl
import gc
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests import caches, command
from tests.command import aether, forks, launcher

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = Path(os.environ.get("AETHER_CONTRACTS", ROOT.parent / "shared" / "contracts"))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """All workers have their commands forked by one process, which imports what commands need while they collect."""
    node.workerinput["forks"] = str(forks(os.getpid()))


def pytest_configure(config: pytest.Config) -> None:
    """In a worker."""
    if (given := getattr(config, "workerinput", {}).get("forks")) is not None:
        command.place_of_forks = Path(given)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Nothing that is collected goes: the garbage collector need not look."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object | None:
    """Send the tests of a file that says `xdist_group` to one worker: its world is made once then. With pytest 9.2 xdist no
    longer finds the mark (pytest-xdist#1386)."""
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadGroupScheduling

    marked = cache(lambda file: "xdist_group" in (config.rootpath / file).read_text("utf-8"))

    class ByFile(LoadGroupScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return file if marked(file) else nodeid

    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no worker is left alone with it at the end; and with one test of the built
    demonstration, so that none waits for it."""
    demo = {item for item in items if "built_demo" in getattr(item, "fixturenames", ())}
    slow = {item for item in items if item.get_closest_marker("slow") is not None}
    first = next((item for item in items if item in demo & slow), None)
    items.sort(key=lambda item: (item is not first, item not in slow, item in demo))


def pytest_collection_finish() -> None:
    """What was collected stays to the end: the garbage collector need not walk its 300,000 objects again and again,
    nor begin after every 700 new ones."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    atexit.register(gc.unfreeze)  # else DuckDB's bindings take what is left for a leak and say so


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """A process keeps the DuckDB of each cache it opened, with nine threads; ours opens a thousand caches."""
    made = getattr(item, "funcargs", {}).get("tmp_path")
    result = yield
    if made is not None and (leases := sys.modules.get("aether_tui.cache.lease")) is not None:
        for path in [path for path in leases._LEASES if path.is_relative_to(made)]:
            leases._LEASES.pop(path).renew()
    return result


@pytest.fixture(scope="session", autouse=True)
def _new_caches(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Here and, as `tests.forks` sees to it, in commands."""
    caches.copy_new_ones(tmp_path_factory.mktemp("empty") / "cache.duckdb")


@pytest.fixture(scope="module")
def made_by_hand() -> Iterator[None]:
    """For tests of how a cache comes to be: none is a copy."""
    with caches.made_by_hand():
        yield


@pytest.fixture(scope="session")
def contracts() -> Path:
    """The folder of real schemas and payloads; tests that need it skip where it is absent."""
    if not CONTRACTS.is_dir():
        pytest.skip(f"contract data absent: {CONTRACTS} (set AETHER_CONTRACTS)")
    return CONTRACTS


@pytest.fixture
def quick_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Consoles in this process start their children by way of `tests.forks`."""
    from aether_tui import builders

    monkeypatch.setattr(sys, "executable", launcher())
    monkeypatch.setattr(builders, "COMMAND", (launcher(), *builders.COMMAND[1:]))


@pytest.fixture(scope="session")
def built_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration of 2026-11-21T09:30Z as `aether-tui demo` builds it, once for all workers; `<it>.out` and `<it>.err` are
    what the command printed. Others read it: a test that writes takes a copy."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    demo = shared / "built" / "aether-demo"
    with (shared / "built.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not demo.with_suffix(".out").exists():
            demo.parent.mkdir(exist_ok=True)
            done = aether("--as-of", "2026-11-21T09:30Z", "demo", "--no-tui", cwd=demo.parent)
            assert done.code == 0, done.err
            demo.with_suffix(".err").write_text(done.err, "utf-8")
            demo.with_suffix(".out").write_text(done.out, "utf-8")
    return demo

"""Child processes of the cache tests: `python -m tests.cache.worker ROLE PATH …`."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from aether_tui.cache import Cache
from aether_tui.errors import AetherError
from tests.cache.samples import rows, spans, store

PAGES, PAGE_ROWS = 4, 60


def pull(cache: Cache) -> None:
    """Pull pages as a sync does: from the stored cursor, each with its cursor; says when each begins."""
    whole = {name: rows(name, PAGES * PAGE_ROWS, 9) for name in ("spans", "work_items", "work_transitions")}
    state = cache.cursors().get(("s", "x"))
    begin = int(state.cursor or 0) if state else 0
    for page in range(begin, PAGES):
        print(page, flush=True)
        part = {name: found[page * PAGE_ROWS : (page + 1) * PAGE_ROWS] for name, found in whole.items()}
        store(cache, part, cursor=str(page + 1))
    print("done", flush=True)


def hold(cache: Cache) -> None:
    """Keep a write lease until stdin closes."""
    with cache._write():
        print("held", flush=True)
        sys.stdin.read()


def watch(cache: Cache) -> None:
    """Keep a read lease until stdin closes."""
    with cache.read():
        print("held", flush=True)
        sys.stdin.read()


def fill(cache: Cache) -> None:
    """Merge until no file may grow any more, as on a full disk; prints the complaint and its status."""
    size = cache.path.stat().st_size + 2_000_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        for seed in range(100):
            store(cache, spans(4000, seed), stream=f"{seed}", source=f"{seed}")
            print("stored", flush=True)
    except AetherError as error:
        print(error.exit_code, error.sentence(), flush=True)


if __name__ == "__main__":
    {"pull": pull, "hold": hold, "watch": watch, "fill": fill}[sys.argv[1]](Cache(Path(sys.argv[2]), wait_s=10))

"""Key to the new numbers when the window is changed, on the real console: `python -m benchmarks.window [--share 1] [--workspace DIR]`.

A console in a pty looks at the 200,000 items, 1,000,000 transitions and rollups of 10,000,000 spans of `benchmarks.reports`. On each
screen it is left alone until it has built the other usual windows, as it does after two quiet seconds; then the window is made
wider and narrower, and the time counts until the screen shows the report that was built for it. Then windows are typed that nobody
has asked for before, a key every 80 ms and enter 150 ms after the last: the time counts from enter. Limit: 100 ms at p95.

What the console writes is read at every moment, as a terminal does, and parsed when everything is over. (Until the seventh session it
was not read while a window was typed, so that the console stood still until enter with its writing blocked and the build began only
then; and it was parsed between two reads, for up to 150 ms, after which the frame that was waited for got its time.)
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import screens
from aether_tui.cache import Cache
from aether_tui.looking import Looking
from aether_tui.report_model import SavedReport
from aether_tui.session import Memory
from aether_tui.workspace.folder import Workspace
from benchmarks.reports import NOW, fill
from benchmarks.tui_bench import Session, percentile

LIMIT_MS = 100.0
SCREENS = ("lens", "flow", "scorecard", "pipeline", "traces")
WINDOWS = ("7d", "28d", "90d", "2026-Q4")
STEPS = "++---+" * 3 + "+"
TYPED = (
    *(f"{days}d" for days in (5, 14, 21, 33, 45, 60, 75, 120, 9, 17, 40, 52, 66, 100, 150, 180)),
    *("2026-Q3", "2026-07-01..2026-09-15", "2026-Q2", "2026-03-15..2026-08-31"),
)
PATIENCE_S = 120.0


def saved(memory: Memory, name: str, window: str) -> SavedReport | None:
    """What was built for a window; nothing while that is of another run."""
    found = memory.report(name, Looking(window=window).key)
    return found if found is not None and found.as_of == NOW else None


def wait_for_all(session: Session, memory: Memory, name: str) -> None:
    """Leave the console alone until every usual window of a report is there, and nothing else is painted."""
    end = time.monotonic() + PATIENCE_S
    while not all(saved(memory, name, window) for window in WINDOWS):
        if time.monotonic() > end:
            raise SystemExit(f"{name}: the other windows were not built:\n{session.text()}")
        session.read_until_quiet(0.2, 0.3)
        session.feed()
    session.read_until_quiet(1.5, 20)
    session.feed()


def shown_ms(session: Session, memory: Memory, name: str, window: str, key: str) -> float:
    """From the last key to the frame with the report of a window: its headline, under a line that names the window and no other."""
    began = session.press(key)
    while (report := saved(memory, name, window)) is None and time.perf_counter() < began + PATIENCE_S:
        session.read_until_quiet(0.02, 0.02)
    session.read_until_quiet(0.4, 2)
    words = "" if report is None else " ".join(report.headline.split())[:40]
    for stamp, text in session.feed():
        tabs = text.splitlines()[1]
        if stamp > began and words and words in " ".join(text.split()) and window in tabs and "still" not in tabs:
            return 1e3 * (stamp - began)
    raise SystemExit(f"{name}: {window} ({words!r}) was never shown:\n{session.text()}")


def typed_ms(session: Session, memory: Memory, name: str, window: str) -> float:
    """From enter to the frame with the report of a window that was typed."""
    for key in ("W", *window):
        session.press(key)
        pause_s = 0.15 if key == "W" else 0.08
        session.read_until_quiet(pause_s, pause_s)
    session.read_until_quiet(0.07, 0.07)
    return shown_ms(session, memory, name, window, "enter")


def measure(workspace: Workspace) -> dict[str, list[float]]:
    """Milliseconds of every change, by screen."""
    memory, found = Memory(workspace), {}
    for view in (workspace.state / "reports").glob("*@*.json"):  # of another run
        view.unlink()
    command = [
        sys.executable, "-P", "-m", "aether_tui", "-w", str(workspace.root), "--offline", "--as-of", NOW.isoformat()
    ]  # fmt: skip
    session = Session(command, 100, 40, answer=True)
    while not session.text().strip():  # keys that come before it listens are lost
        session.read_until_quiet(1, 20)
        session.feed()
    for name in SCREENS:
        session.press("g")
        session.press(screens.SCREENS[name].letter)
        wait_for_all(session, memory, name)
        at, times = 1, []
        for key in STEPS:
            at += 1 if key == "+" else -1
            times.append(shown_ms(session, memory, name, WINDOWS[at], key))
        session.press("esc")
        session.read_until_quiet(0.4, 20)  # or it were the first byte of another key
        found[name] = times
        found[f"{name}, typed"] = [typed_ms(session, memory, name, window) for window in TYPED]
        session.press("esc")
        session.read_until_quiet(0.4, 20)
    session.stop(("q", "ctrl+q"))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0, help="of the sizes")
    parser.add_argument("--workspace", type=Path, help="one that is filled already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aether-window-") as folder:
        workspace = Workspace(options.workspace or Path(folder))
        if options.workspace is None:
            workspace.config_path.write_text("")
            workspace.private()
            fill(Cache(workspace.cache_path), options.share)
        found = measure(workspace)
    missed = 0
    for name, times in found.items():
        p95 = percentile(times, 0.95)
        missed += p95 is None or p95 > LIMIT_MS
        said = "nothing measured" if p95 is None else f"p95{p95:6.0f} ms  median{percentile(times, 0.5) or 0:6.0f} ms"
        print(
            f"{'■' if p95 is None or p95 > LIMIT_MS else '✓'} {name:<18}{said}  n {len(times)}  limit {LIMIT_MS:g} ms"
        )
    rows = {name: [round(one, 1) for one in times] for name, times in found.items()}
    print(json.dumps({"load_1min": os.getloadavg()[0], "ms": rows}), file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Key to the new numbers when the window is changed, on the real console: `python -m benchmarks.window [--share 1] [--workspace DIR]`.

A console in a pty looks at the 200,000 items, 1,000,000 transitions and rollups of 10,000,000 spans of `benchmarks.reports`. On each
screen it is left alone until it has built the other usual windows, as it does after two quiet seconds; then the window is made
wider and narrower, and the time counts until the screen shows the headline that was built for it. Then windows are typed that nobody
has asked for before, a key every 80 ms and enter 150 ms after the last: the time counts from enter. Limit: 100 ms at p95.
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
TYPED = (*(f"{days}d" for days in (5, 14, 21, 33, 45, 60, 75, 120)), "2026-Q3", "2026-07-01..2026-09-15")
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


def shown_ms(session: Session, key: str, headline: str) -> float | None:
    """From the key to the frame that shows a headline; None where it was there before."""
    words = " ".join(headline.split())[:40]
    if words in " ".join(session.text().split()):
        return None
    began = session.press(key)
    end = began + 20
    while time.perf_counter() < end:
        session.read_until_quiet(0.05, 1)
        for stamp, text in session.feed():
            if words in " ".join(text.split()):
                return 1e3 * (stamp - began)
    raise SystemExit(f"{headline!r} was never shown:\n{session.text()}")


def typed_ms(session: Session, memory: Memory, name: str, window: str) -> float | None:
    """From enter to the frame with the headline for a window that was typed; None where it was there before."""
    before = " ".join(session.text().split())
    for key in ("W", *window):
        session.press(key)
        time.sleep(0.15 if key == "W" else 0.08)
    time.sleep(0.07)
    session.feed()
    began, frames = session.press("enter"), list[tuple[float, str]]()
    while saved(memory, name, window) is None and time.perf_counter() < began + 20:
        session.read_until_quiet(0.05, 1)
        frames += session.feed()
    session.read_until_quiet(0.5, 20)
    frames += session.feed()
    report = saved(memory, name, window)
    words = "" if report is None else " ".join(report.headline.split())[:40]
    if not words or words in before:
        return None
    return next((1e3 * (stamp - began) for stamp, text in frames if words in " ".join(text.split())), None)


def measure(workspace: Workspace) -> dict[str, list[float]]:
    """Milliseconds of every change, by screen."""
    memory, found = Memory(workspace), {}
    command = [
        sys.executable, "-P", "-m", "aether_tui", "-w", str(workspace.root), "--offline", "--as-of", NOW.isoformat()
    ]  # fmt: skip
    session = Session(command, 100, 40, answer=True)
    session.read_until_quiet(1, 20)
    for name in SCREENS:
        session.press("g")
        session.press(screens.SCREENS[name].letter)
        wait_for_all(session, memory, name)
        at, times = 1, []
        for key in STEPS:
            at = min(max(at + (1 if key == "+" else -1), 0), len(WINDOWS) - 1)
            report = saved(memory, name, WINDOWS[at])
            took = None if report is None else shown_ms(session, key, report.headline)
            if took is None:
                session.press(key)
            else:
                times.append(took)
            session.read_until_quiet(0.4, 20)
            session.feed()
        session.press("esc")
        session.read_until_quiet(0.4, 20)  # or it were the first byte of another key
        found[name] = times
        new = (typed_ms(session, memory, name, window) for window in TYPED)
        found[f"{name}, typed"] = [took for took in new if took is not None]
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
            f"{'■' if p95 is None or p95 > LIMIT_MS else '✓'} {name:<12}{said}  n {len(times)}  limit {LIMIT_MS:g} ms"
        )
    rows = {name: [round(one, 1) for one in times] for name, times in found.items()}
    print(json.dumps({"load_1min": os.getloadavg()[0], "ms": rows}), file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

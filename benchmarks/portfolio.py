"""A score typed among 1,000 opportunities: `python -m benchmarks.portfolio [--opportunities 1000] [--edits 40] [--size 120x40]`.

A console in a pty shows a portfolio whose every input is a range. One digit at a time changes the selected opportunity, so that
it travels up and down the whole list. Prints milliseconds from the key until its new score and its new place stand on the screen
(median, p95, worst): first with everything quiet, then with each key pressed while the draws of the edit before are still being
made; and how long after a key the uncertainty of the ranks is there. Exits 1 when a median is over the limit.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.tui_bench import Session, percentile

LIMIT_MS = 100.0
SHOWN_S = 5.0
"""After so long without the answer the run is given up."""


def scores(count: int) -> dict[str, list[float]]:
    """Most likely Impact, Confidence, Reversibility and Effort of each."""
    rng = random.Random(1)
    return {f"OPP-{n}": [float(rng.randint(2, 9)) for _ in range(4)] for n in range(1, count + 1)}


def written(root: Path, inputs: dict[str, list[float]]) -> None:
    """A workspace with these, each input a range about it."""
    subprocess.run(
        [sys.executable, "-m", "aether_tui", "init", str(root)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    folder = root / "engagement" / "opportunities"
    folder.mkdir(parents=True, exist_ok=True)
    names = ("impact", "confidence", "reversibility", "effort_weeks")
    for identity, values in inputs.items():
        ranges = "".join(
            f"{name}: [{value - 1}, {value}, {value + 1}]\n" for name, value in zip(names, values, strict=True)
        )
        (folder / f"{identity}.yaml").write_text(
            f"id: {identity}\ntitle: Thing {identity}\ncreated: 2026-11-01\n{ranges}"
        )


def point(values: list[float]) -> float:
    """Impact × Confidence × Reversibility ÷ Effort."""
    return values[0] * values[1] * values[2] / values[3]


def place(inputs: dict[str, list[float]], identity: str) -> int:
    """Where it comes by its points: higher score, higher reversibility, lower effort, then the id."""
    order = sorted(inputs, key=lambda one: (-point(inputs[one]), -inputs[one][2], inputs[one][3], int(one[4:])))
    return order.index(identity) + 1


def on_screen(text: str, identity: str, score: float, rank: int | None) -> bool:
    """Whether its row shows the score, and the place (None: the 90 % interval of it)."""
    where = r"\d+–\d+" if rank is None else str(rank)
    return re.search(rf"{identity} .* {re.escape(f'{score:,.1f}')} +{where} ", text) is not None


def wait_for(session: Session, identity: str, score: float, rank: int | None) -> float | None:
    """When the row was on the screen, or None when it never came."""
    deadline = time.perf_counter() + SHOWN_S
    while time.perf_counter() < deadline:
        session.read_until_quiet(0.008, 0.05)
        found = next((stamp for stamp, text in session.feed() if on_screen(text, identity, score, rank)), None)
        if found is not None:
            return found
    return None


def typed(
    session: Session, inputs: dict[str, list[float]], identity: str, edits: int, *, pause_s: float | None
) -> tuple[list[float], list[float]]:
    """Seconds to the points of each edit and, where the draws are waited for (no pause), to the uncertainty."""
    rng, points, draws = random.Random(2), [], []
    for _ in range(edits):
        digit = rng.choice([n for n in range(1, 10) if n != inputs[identity][0]])
        inputs[identity][0] = float(digit)
        score = point(inputs[identity])
        sent = session.press(str(digit))
        shown = wait_for(session, identity, score, place(inputs, identity))
        if shown is None:
            raise SystemExit(
                f"{identity} {score:.1f} at {place(inputs, identity)} never came; the screen says:\n{session.text()}"
            )
        points.append(shown - sent)
        if pause_s is None:
            sure = wait_for(session, identity, score, None)
            if sure is not None:
                draws.append(sure - sent)
        else:
            session.read_until_quiet(pause_s, pause_s)
    return points, draws


def own_cpu_s(pid: int) -> float:
    """User and system seconds of the console itself, without its children."""
    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")


def told(name: str, seconds: list[float]) -> str:
    shares = (("median", 0.5), ("p95", 0.95), ("worst", 1.0))
    return f"{name:34} " + ", ".join(
        f"{word} {1000 * (percentile(seconds, share) or 0):.0f} ms" for word, share in shares
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--opportunities", type=int, default=1000)
    parser.add_argument("--edits", type=int, default=40)
    parser.add_argument("--size", default="120x40")
    options = parser.parse_args()
    columns, rows = (int(part) for part in options.size.split("x"))
    inputs = scores(options.opportunities)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        written(root, inputs)
        command = [sys.executable, "-m", "aether_tui", "-w", str(root), "--offline", "--start", "portfolio"]
        session = Session(command, columns, rows, answer=True)
        first = min(inputs, key=lambda one: place(inputs, one))
        while not re.search(rf"{first} ", session.text()):
            session.read_until_quiet(0.2, 1.0)
            session.feed()
        session.read_until_quiet(2.0, 20.0)
        session.feed()
        before = own_cpu_s(session.pid)
        quiet, draws = typed(session, inputs, first, options.edits, pause_s=None)
        busy, _ = typed(session, inputs, first, options.edits, pause_s=0.55)
        each_ms = 1000 * (own_cpu_s(session.pid) - before) / (2 * options.edits)
        session.stop(["q"])
    print(
        f"load {os.getloadavg()[0]:.1f}, {options.opportunities} opportunities; CPU of the console {each_ms:.0f} ms an edit, both paints"
    )
    print(told("key to points, quiet", quiet))
    print(told("key to points, draws being made", busy))
    print(told("key to uncertainty", draws) if draws else "no uncertainty was seen")
    return int(any(1000 * statistics.median(times) > LIMIT_MS for times in (quiet, busy)))


if __name__ == "__main__":
    sys.exit(main())

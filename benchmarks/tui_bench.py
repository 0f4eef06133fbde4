#!/usr/bin/env python3
"""Measure how a terminal program feels: start-up, key latency, memory, bytes sent.

    tui_bench.py --key j,k --keys 50 -- aether-tui --offline

The program is started in a pseudo-terminal and its output is read raw, with a
time stamp on every chunk. The pyte screen model is fed only while the program
is quiet, so parsing never delays a measurement. One JSON object is printed:

first_paint_ms   exec -> the chunk after which the screen first shows text
settled_ms       exec -> last text change before the text stays put for --quiet
ready_ms         exec -> --wait-for REGEX first matches the screen (else null)
key_p50_ms/p95   write of the key -> last chunk of the burst it caused
key_first_*      write of the key -> first chunk of that burst
keys_silent      key presses which caused no output at all (left out above)
keys_unending    key presses after which output never stopped (--key-limit): the
                 screen is animated, so only key_first_* means anything
key_bytes_p50    bytes one key press costs (what a slow SSH link has to carry)
idle_cpu_pct     processor time while nothing is pressed, as a share of one core
idle_bytes_s     bytes a second while nothing is pressed
start_cpu_ms     processor time used until settled (steadier than ms on a busy machine)
peak_rss_mb      high-water resident memory, program and children together
load_1min        the machine's load when the measurement began

Times are medians over --runs starts; keys are pressed in the last run only.
--cold DIR evicts the files under DIR from the page cache before every start
(only those files: the rest of the machine keeps its cache).
Needs: Linux, pyte.  Exit status: 0 measured, 1 the program ended or painted nothing.
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import statistics
import struct
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

import pyte

KEYS = {
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
    "home": "\x1b[H", "end": "\x1b[F", "pageup": "\x1b[5~", "pagedown": "\x1b[6~",
    "tab": "\t", "shift+tab": "\x1b[Z", "enter": "\r", "esc": "\x1b", "space": " ",
    "backspace": "\x7f", "comma": ",",
    "f1": "\x1bOP", "f2": "\x1bOQ", "f3": "\x1bOR", "f4": "\x1bOS", "f5": "\x1b[15~",
}  # fmt: skip

# What a modern terminal answers. Without these a program waits, or falls back.
ANSWERS: tuple[tuple[re.Pattern[bytes], bytes], ...] = (
    (re.compile(rb"\x1b\[c"), b"\x1b[?62;22c"),  # DA1: what are you?
    (re.compile(rb"\x1b\[6n"), b"\x1b[1;1R"),  # where is the cursor?
    (re.compile(rb"\x1b\[\?2026\$p"), b"\x1b[?2026;2$y"),  # synchronized output?
    (re.compile(rb"\x1b\[\?2048\$p"), b"\x1b[?2048;0$y"),  # in-band resize?
    (re.compile(rb"\x1b\]10;\?(?:\x07|\x1b\\)"), b"\x1b]10;rgb:dddd/dddd/dddd\x1b\\"),
    (re.compile(rb"\x1b\]11;\?(?:\x07|\x1b\\)"), b"\x1b]11;rgb:1111/1111/1111\x1b\\"),
)
# Strings (DCS, APC, PM, SOS) and private CSI forms that pyte would print as text.
FRAME_GAP = 0.01  # seconds
UNKNOWN_TO_PYTE = re.compile(r"\x1b[P_^X].*?\x1b\\|\x1b\[[<>=][0-9;:]*[a-zA-Z]", re.S)


class Ended(Exception):
    """The program closed its terminal."""


class Session:
    """One run of the program in a pseudo-terminal."""

    def __init__(self, command: Sequence[str], columns: int, rows: int, answer: bool):
        self.answer = answer
        self.chunks: list[tuple[float, bytes]] = []
        self.fed = 0
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.Stream(self.screen)
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        env = os.environ | {
            "TERM": "xterm-256color", "COLORTERM": "truecolor",
            "COLUMNS": str(columns), "LINES": str(rows),
            "LANG": os.environ.get("LANG", "C.UTF-8"),
        }  # fmt: skip
        self.started = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            size = struct.pack("HHHH", rows, columns, 0, 0)
            fcntl.ioctl(1, termios.TIOCSWINSZ, size)
            try:
                os.execvpe(command[0], list(command), env)
            except OSError as error:
                print(error, file=sys.stderr)
                os._exit(127)

    def read_until_quiet(self, quiet: float, limit: float) -> list[tuple[float, bytes]]:
        """Read chunks until none came for `quiet` seconds, or for `limit` seconds."""
        begin = last = time.perf_counter()
        got: list[tuple[float, bytes]] = []
        while (now := time.perf_counter()) - last < quiet and now - begin < limit:
            ready, _, _ = select.select([self.fd], [], [], min(quiet - (now - last), limit - (now - begin)))
            if not ready:
                continue
            try:
                data = os.read(self.fd, 1 << 16)
            except OSError:
                data = b""
            if not data:
                raise Ended
            last = time.perf_counter()
            got.append((last, data))
            if self.answer:
                for question, reply in ANSWERS:
                    for _ in question.findall(data):
                        os.write(self.fd, reply)
        self.chunks += got
        return got

    def feed(self) -> list[tuple[float, str]]:
        """Give pyte what was read since; return (time, screen text) per change.

        Chunks less than FRAME_GAP apart are one frame, dated by its last chunk.
        """
        changes = []
        before = self.text()
        new = self.chunks[self.fed :]
        for number, (stamp, data) in enumerate(new, 1):
            self.stream.feed(UNKNOWN_TO_PYTE.sub("", self.decoder.decode(data)))
            if number < len(new) and new[number][0] - stamp < FRAME_GAP:
                continue
            after = self.text()
            if after != before:
                changes.append((stamp, after))
                before = after
        self.fed = len(self.chunks)
        return changes

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def press(self, name: str) -> float:
        sent = time.perf_counter()
        os.write(self.fd, key_bytes(name))
        return sent

    def family(self) -> list[int]:
        """The program's pid and those of all its descendants."""
        pids, seen = [self.pid], 0
        while seen < len(pids):
            for task in Path(f"/proc/{pids[seen]}/task").glob("*/children"):
                with contextlib.suppress(OSError):
                    pids += [int(child) for child in task.read_text().split()]
            seen += 1
        return pids

    def peak_rss_mb(self) -> float:
        kib = 0
        for pid in self.family():
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            if found := re.search(r"VmHWM:\s+(\d+)", status):
                kib += int(found[1])
        return round(kib / 1024, 1)

    def cpu_seconds(self) -> float:
        ticks = 0
        for pid in self.family():
            try:
                stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            ticks += int(stat[11]) + int(stat[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self, quit_keys: Sequence[str]) -> int | None:
        """Ask with `quit_keys`, then insist. Returns the exit status, if it had one."""
        try:
            for name in quit_keys:
                self.press(name)
                self.read_until_quiet(0.3, 1.0)
        except (Ended, OSError):
            pass
        for sign in (None, signal.SIGTERM, signal.SIGKILL):
            if sign:
                os.kill(self.pid, sign)
            deadline = time.perf_counter() + 2
            while time.perf_counter() < deadline:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    os.close(self.fd)
                    return os.waitstatus_to_exitcode(status)
                try:
                    self.read_until_quiet(0.05, 0.1)
                except Ended:
                    time.sleep(0.02)
        return None


def key_bytes(name: str) -> bytes:
    if name in KEYS:
        return KEYS[name].encode()
    if name.startswith("ctrl+") and len(name) == 6:
        return bytes([ord(name[5].lower()) & 0x1F])
    return name.encode()


def key_list(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def percentile(values: Sequence[float], share: float) -> float | None:
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def evict(folder: Path) -> None:
    """Drop the clean cached pages of every file under `folder`."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with open(path, "rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def start(session: Session, args: argparse.Namespace) -> dict[str, float | None]:
    """Read until the screen shows text and holds still; return the start-up times."""
    first = settled = ready = None
    pattern = re.compile(args.wait_for) if args.wait_for else None
    deadline = session.started + args.timeout
    while time.perf_counter() < deadline:
        got = session.read_until_quiet(args.quiet / 1000, 2.0)
        for stamp, text in session.feed():
            if text.strip():
                first = first or stamp
                settled = stamp
                if pattern and ready is None and pattern.search(text):
                    ready = stamp
        painted = ready if pattern else first
        noisy = bool(got) and painted and time.perf_counter() - painted > args.noisy
        still = settled and time.perf_counter() - settled >= args.quiet / 1000
        if painted and (noisy or still):
            break
    since = session.started
    return {
        "first_paint_ms": first and (first - since) * 1000,
        "settled_ms": settled and (settled - since) * 1000,
        "ready_ms": ready and (ready - since) * 1000,
        "start_cpu_ms": session.cpu_seconds() * 1000,
        "start_bytes": sum(len(data) for _, data in session.chunks),
    }


def press_keys(session: Session, args: argparse.Namespace) -> dict[str, float | None]:
    names = key_list(args.key)
    firsts, lasts, sizes, silent, unending = [], [], [], 0, 0
    for number in range(args.keys):
        sent = session.press(names[number % len(names)])
        got = session.read_until_quiet(args.key_quiet / 1000, args.key_limit / 1000)
        unending += (time.perf_counter() - sent) * 1000 >= args.key_limit
        if not got:
            silent += 1
            continue
        firsts.append((got[0][0] - sent) * 1000)
        lasts.append((got[-1][0] - sent) * 1000)
        sizes.append(sum(len(data) for _, data in got))
    session.feed()
    return {
        "key_p50_ms": rounded(percentile(lasts, 0.5)),
        "key_p95_ms": rounded(percentile(lasts, 0.95)),
        "key_max_ms": rounded(max(lasts, default=None)),
        "key_first_p50_ms": rounded(percentile(firsts, 0.5)),
        "key_first_p95_ms": rounded(percentile(firsts, 0.95)),
        "key_bytes_p50": percentile(sizes, 0.5),
        "keys_silent": silent,
        "keys_unending": unending,
    }


def idle(session: Session, seconds: float) -> dict[str, float]:
    cpu, begin, size = session.cpu_seconds(), time.perf_counter(), 0
    while (left := begin + seconds - time.perf_counter()) > 0:
        size += sum(len(data) for _, data in session.read_until_quiet(left, left))
    took = time.perf_counter() - begin
    return {
        "idle_cpu_pct": round(100 * (session.cpu_seconds() - cpu) / took, 1),
        "idle_bytes_s": round(size / took),
    }


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--key", default="down,up", help="keys to press in turn, comma-separated")
    add("--keys", type=int, default=50, help="how many presses to time (0: none)")
    add("--before", default="", help="keys pressed once, untimed, before those")
    add("--quit-key", default="ctrl+q", help="keys that end the program")
    add("--runs", type=int, default=1, help="starts to take the median of")
    add("--cold", type=Path, action="append", default=[], help="evict DIR first")
    add("--wait-for", help="regular expression that marks the screen as usable")
    add("--quiet", type=float, default=150, help="ms of still text = settled")
    add("--key-quiet", type=float, default=150, help="ms of silence = key done")
    add("--key-limit", type=float, default=1000, help="ms to follow one key at most")
    add("--noisy", type=float, default=5, help="s before a never-still screen counts")
    add("--timeout", type=float, default=30, help="s to wait for the first paint")
    add("--idle", type=float, default=2, help="s to watch the idle program (0: off)")
    add("--size", default="120x40", help="COLUMNSxROWS")
    add("--no-answer", action="store_true", help="do not answer terminal queries")
    add("--dump", type=Path, help="write the last screen's text here")
    add("command", nargs="+", metavar="-- COMMAND", help="the program to measure")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    args = parse(argv)
    columns, rows = map(int, args.size.split("x"))
    starts: list[dict[str, float | None]] = []
    report: dict[str, object] = {
        "command": " ".join(args.command),
        "size": args.size,
        "load_1min": round(os.getloadavg()[0], 1),
    }
    for run in range(args.runs):
        for folder in args.cold:
            evict(folder)
        session = Session(args.command, columns, rows, not args.no_answer)
        tail: dict[str, object] = {}
        try:
            starts.append(start(session, args))
            if run == args.runs - 1:
                for name in key_list(args.before):
                    session.press(name)
                    session.read_until_quiet(args.quiet / 1000, 3.0)
                if args.idle:
                    tail |= idle(session, args.idle)
                if args.keys:
                    tail |= press_keys(session, args)
            session.feed()
            tail["peak_rss_mb"] = session.peak_rss_mb()
            if args.dump:
                args.dump.write_text(session.text() + "\n")
        except Ended:
            session.feed()
            print(session.text().strip(), file=sys.stderr)
            report["error"] = f"the program ended in run {run + 1}"
        tail["exit_status"] = session.stop(key_list(args.quit_key))
        report |= tail
        if "error" in report:
            break
    for field in starts[0] if starts else ():
        values = [value for one in starts if (value := one[field]) is not None]
        report[field] = rounded(statistics.median(values)) if values else None
        if field == "first_paint_ms":
            report["first_paint_all_ms"] = [rounded(value) for value in values]
    print(json.dumps(report, indent=2))
    return 0 if "error" not in report and report.get("first_paint_ms") else 1


if __name__ == "__main__":
    sys.exit(main())

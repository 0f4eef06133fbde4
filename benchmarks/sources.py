"""How long a first sync of Linear takes beside what its pages must take, and how much memory: `python -m benchmarks.sources`.

    python -m benchmarks.sources [ISSUES=20000] [LATENCY_MS=100]
    python -m benchmarks.sources interrupt [TIMES=5]            # seconds from ctrl+c to the end, pages flowing

A server in a process of its own waits before every page and serves as many issues as were asked for; what a page costs in
points is answered as Linear does, so the size of the pages adapts. The sync runs in a fresh process, as the program does.
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from aether_tui.cache import Cache

POINTS_PER_ISSUE = 98.0
CONCURRENCY = 1
"""Requests at a time: the next page of a list is named by the one before."""


def serve(issues: int, latency_s: float) -> None:
    """Answer until the parent goes; the first line of output is the port, every page is counted on standard output."""
    day0 = datetime(2026, 1, 1, tzinfo=UTC)
    states = [("Backlog", "backlog"), ("In Progress", "started"), ("In Review", "started"), ("Done", "completed")]

    def stamp(at: datetime) -> str:
        return f"{at:%Y-%m-%dT%H:%M:%S}.000Z"

    newest = day0 + timedelta(days=2, minutes=20 * issues)

    def issue(n: int) -> dict[str, object]:
        at = day0 + timedelta(minutes=20 * (issues - n))
        spans = [
            {
                "stateId": name,
                "startedAt": stamp(at + timedelta(hours=7 * place)),
                "state": {"name": name, "type": kind},
            }
            for place, (name, kind) in enumerate(states)
        ]
        return {
            "id": str(uuid5(NAMESPACE_URL, str(n))), "identifier": f"ENG-{n}", "title": f"Refund of order {n} fails",
            "createdAt": stamp(at), "updatedAt": stamp(at + timedelta(days=2)), "completedAt": stamp(at + timedelta(hours=21)),
            "estimate": n % 8, "priorityLabel": "High", "url": f"https://linear.example/ENG-{n}",
            "state": {"name": "Done", "type": "completed"}, "team": {"key": f"T{n % 5}"}, "project": {"name": f"P{n % 9}"},
            "assignee": {"id": f"user-{n % 40}"}, "labels": {"nodes": [{"name": "bug"}]},
            "stateHistory": {"pageInfo": {"hasNextPage": False}, "nodes": spans},
        }  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None: ...

        def do_POST(self) -> None:
            began = time.monotonic()
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            first, field = asked["variables"].get("first", 250), re.search(r"\{\s*(\w+)", asked["query"])[1]
            begin = int(asked["variables"].get("after") or 0)
            end = begin + first if field == "issues" else begin
            since = asked["variables"].get("since", "")
            there = (
                issues if since < stamp(day0) else 1 + (newest - datetime.fromisoformat(since)) // timedelta(minutes=20)
            )
            there = max(0, min(issues, there)) if field == "issues" else 0
            nodes = [issue(n) for n in range(begin, min(end, there))]
            more = end < there
            body = json.dumps(
                {"data": {field: {"pageInfo": {"hasNextPage": more, "endCursor": str(end)}, "nodes": nodes}}}
            )
            time.sleep(max(0.0, latency_s - (time.monotonic() - began)))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("X-Complexity", str(POINTS_PER_ISSUE * first))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A sync that was stopped is what is measured."""

    server = Quiet(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    server.serve_forever()


def _server(issues: int, latency_s: float) -> tuple[subprocess.Popen[str], int]:
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sources", "serve", str(issues), str(latency_s)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    return server, int(server.stdout.readline())


def interrupt(times: int) -> dict[str, object]:
    """Seconds from the signal to the end of the process, at growing distances from its first stored page."""
    took = []
    for n in range(times):
        server, port = _server(50_000, 0.1 if n % 2 else 5.0)  # every other time it waits for an answer
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "aether.toml").write_text(f'[sources.linear]\nurl = "http://127.0.0.1:{port}"\n')
            env = {**os.environ, "AETHER_LINEAR_API_KEY": "lin_api_benchmark"}
            command = [sys.executable, "-m", "aether_tui", "-w", folder, "sync", "--format", "json"]
            sync = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            assert sync.stdout is not None
            for line in sync.stdout:
                if json.loads(line)["event"] == ("page" if n % 2 else "start"):
                    break
            time.sleep(0.5 + 0.3 * n)
            began = time.monotonic()
            sync.send_signal(signal.SIGINT)
            sync.wait()
            took.append(round(time.monotonic() - began, 3))
        assert server.stdin is not None
        server.stdin.close()
        server.wait()
    return {"seconds": took, "worst": max(took)}


def measure(issues: int, latency_s: float) -> dict[str, float | None]:
    """Wall, CPU, the wall that latency alone takes (no ratio to it without latency), and the peak memory of the sync."""
    server, port = _server(issues, latency_s)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "aether.toml").write_text(f'[sources.linear]\nurl = "http://127.0.0.1:{port}"\n')
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "aether_tui", "-w", folder, "sync", "--format", "json"]
        env = {**os.environ, "AETHER_LINEAR_API_KEY": "lin_api_benchmark"}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        wall, used = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        with Cache(Path(folder) / ".aether" / "cache.duckdb").read() as lease:
            (stored,) = lease.rows("SELECT count(*) AS n FROM work_items")
        assert stored["n"] == issues, stored
        events = [json.loads(line) for line in done.stdout.splitlines()]
        requests = sum(event["traffic"]["requests"] for event in events if event.get("traffic"))
        seconds = sum(event["traffic"]["seconds"] for event in events if event.get("traffic"))
        again = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        second = [json.loads(line) for line in again.stdout.splitlines()]
    server.stdin.close()
    server.wait()
    ideal = requests / CONCURRENCY * latency_s
    return {
        "issues": issues, "requests": requests, "ideal_s": round(ideal, 2), "sync_s": round(seconds, 2), "wall_s": round(wall, 2),
        "ratio": round(seconds / ideal, 3) if ideal else None, "ratio_whole_process": round(wall / ideal, 3) if ideal else None,
        "cpu_s": round(used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime, 2),
        "peak_mb": round(used.ru_maxrss / 1024, 1),
        "second_sync_requests": sum(event["traffic"]["requests"] for event in second if event.get("traffic")),
        "second_sync_changed": second[-1]["inserted"] + second[-1]["updated"],
    }  # fmt: skip


def main(arguments: list[str]) -> None:
    """Serve, or measure and print."""
    if arguments[:1] == ["serve"]:
        serve(int(arguments[1]), float(arguments[2]))
        return
    if arguments[:1] == ["interrupt"]:
        print(json.dumps(interrupt(int((arguments[1:] or ["5"])[0]))))
        return
    issues, latency_ms = (
        (int(one) for one in [*arguments, "20000", "100"][:2]) if len(arguments) != 1 else (int(arguments[0]), 100)
    )
    print(json.dumps(measure(issues, latency_ms / 1000), indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])

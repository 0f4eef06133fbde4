"""The trace receiver in numbers: `python -m benchmarks.receiver [--spans 100000] [--quiet-s 15]`.

CPU per span from a protobuf body to durable rows, CPU per span of merge and rollups in batches of 10 k, what a running
`aether-tui receive` accepts per second, its memory, and its share of a core at 100 spans a second. Prints a table and
writes `benchmarks/receiver.json`. Linux only: memory and CPU of the child are read from /proc.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

HERE = Path(__file__).resolve().parent
BATCH = 512
START_NS = 1_790_000_000_000_000_000
GOALS = {
    "durable_cpu_us": 40.0, "merge_cpu_us": 40.0, "accepted_per_s": 20_000.0, "peak_mb": 300.0, "quiet_core_share": 0.05,
}  # fmt: skip


def body(rng: random.Random, first: int) -> bytes:
    """One request as an SDK sends it: traces of a task with three model calls."""
    from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

    message = TracesData()
    block = message.resource_spans.add()
    _attributes(block.resource, {"service.name": "answers", "deployment.environment.name": "production"})
    scope = block.scope_spans.add()
    trace, root = b"", b""
    for number in range(BATCH):
        span: Span = scope.spans.add()
        span.span_id = rng.randbytes(8)
        if number % 4 == 0:
            trace, root = rng.randbytes(16), span.span_id
        else:
            span.parent_span_id = root
        span.trace_id = trace
        span.name = "chat gpt-4o" if number % 4 else "answer"
        span.start_time_unix_nano = START_NS + (first + number) * 10_000_000
        span.end_time_unix_nano = span.start_time_unix_nano + rng.randrange(10**9, 3 * 10**9)
        _attributes(span, {"app.feature": rng.choice("abc"), "gen_ai.conversation.id": f"conv-{rng.randrange(5000)}"})
        if number % 4:
            names = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"}
            models = {"gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06"}
            _attributes(span, names | models)
            for name in ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"):
                pair = span.attributes.add(key=name)
                pair.value.int_value = rng.randrange(4000)
    return bytes(message.SerializeToString())


def _attributes(into: object, values: dict[str, str]) -> None:
    for name, value in values.items():
        into.attributes.add(key=name).value.string_value = value  # type: ignore[attr-defined]


def in_process(bodies: list[bytes]) -> dict[str, float]:
    """CPU from body to fsync, and from there to the cache, per span; medians over batches, the first left out."""
    from aether_tui.cache import Cache
    from aether_tui.cache.spool import Spool
    from aether_tui.config import Config
    from aether_tui.ingest import Ingest
    from aether_tui.receiver.wire import decode
    from aether_tui.records.tables import SPANS
    from aether_tui.sync.intake import Writer

    gc.set_threshold(50_000, 20, 20)  # as the command line does
    ingest = Ingest(Config(), bytes(32))
    durable, merged = [], []
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(Path(folder) / "cache.duckdb")
        cache.frugal()  # as the command does
        writer = Writer(cache, ingest, lambda: datetime.now(UTC))
        writer.open()
        spool = Spool(writer.spool, SPANS)
        for at in range(0, len(bodies) - 18, 19):
            began = time.process_time()
            for one in bodies[at : at + 19]:
                batch = decode(one, "protobuf")
                spool.append(ingest.clean(SPANS, batch.rows), batch.rejects)
            durable.append(time.process_time() - began)
            segment = spool.take()
            assert segment is not None
            began = time.process_time()
            counts = writer.store_received(segment, spool.format, [])
            merged.append(time.process_time() - began)
            assert counts.inserted == 19 * BATCH
        spool.close()
    each = 1e6 / (19 * BATCH)
    return {
        "durable_cpu_us": statistics.median(durable[1:]) * each,
        "merge_cpu_us": statistics.median(merged[1:]) * each,
    }


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def post(connection: HTTPConnection, one: bytes) -> None:
    connection.request("POST", "/v1/traces", one, {"Content-Type": "application/x-protobuf"})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, answer.status


def running(bodies: list[bytes], quiet_s: int) -> dict[str, float]:
    """A receiver as a user starts it: flooded by two senders, then at 100 spans a second."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "aether.toml").write_text("")
        command = [sys.executable, "-m", "aether_tui", "receive", "--port", "0", "--format", "json"]
        child = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        port = int(json.loads(child.stdout.readline())["url"].rpartition(":")[2])
        last: dict[str, float] = {}

        def follow(lines: object) -> None:
            for line in lines:  # type: ignore[attr-defined]
                last.update(json.loads(line))

        def flood(part: list[bytes]) -> None:
            with closing(HTTPConnection("127.0.0.1", port)) as connection:
                for one in part:
                    post(connection, one)

        follower = threading.Thread(target=follow, args=(child.stdout,))
        follower.start()
        if quiet_s:
            # First, while nothing else has happened: one request a second.
            with closing(HTTPConnection("127.0.0.1", port)) as connection:
                rng = random.Random("quiet")
                used = cpu_s(child.pid)
                for number in range(quiet_s):
                    until = time.monotonic() + BATCH / 100
                    post(connection, body(rng, number * BATCH))
                    time.sleep(max(0.0, until - time.monotonic()))
                found["quiet_core_share"] = (cpu_s(child.pid) - used) / (quiet_s * BATCH / 100)
        senders = [threading.Thread(target=flood, args=(bodies[place::2],)) for place in (0, 1)]
        began = time.monotonic()
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        found["accepted_per_s"] = len(bodies) * BATCH / (time.monotonic() - began)
        found["peak_mb"] = peak_mb(child.pid)
        child.send_signal(signal.SIGTERM)
        follower.join()
        child.wait()
        assert last["stored"] == last["received"], last
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=100_000)
    parser.add_argument(
        "--quiet-s", type=int, default=4, help="requests of 512 spans, one every 5.12 s; 0 leaves it out"
    )
    options = parser.parse_args()
    rng = random.Random(1)
    bodies = [body(rng, number * BATCH) for number in range(max(40, options.spans // BATCH))]
    found = in_process(bodies) | running(bodies, options.quiet_s)
    for name, goal in GOALS.items():
        if name in found:
            good = found[name] >= goal if name == "accepted_per_s" else found[name] <= goal
            print(f"{name:<18} {found[name]:>10.3g}  goal {goal:>8g}  {'met' if good else 'missed'}")
    (HERE / "receiver.json").write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

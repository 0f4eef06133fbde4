"""Applications that send traces to the receiver with clients nobody here wrote: OpenTelemetry for JavaScript, and Langfuse."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.receiver.serving import Served, served, stored

SCRIPT = Path(__file__).parent / "javascript" / "send.mjs"
PACKAGES = Path(sys.prefix) / "javascript"
"""Where `make test-peers` installs what the script imports."""


def tokens(one: Served) -> list[object]:
    return stored(one.cache, "sum(input_tokens) || ' ' || sum(output_tokens) || ' ' || count(parent_id)")


@contextmanager
def forgetful(to: str) -> Iterator[tuple[str, list[int]]]:
    """A proxy before the receiver that is overloaded at first, then loses the answer to what it passed on, then works."""
    asked: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers["Content-Length"]))
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            return b"".join(parts)

        def do_POST(self) -> None:
            body = self._body()
            asked.append(len(body))
            status, answer = 503, b""
            if len(asked) > 1:
                headers = {
                    name: self.headers[name] for name in ("Content-Type", "Content-Encoding") if self.headers[name]
                }
                with urlopen(Request(to + self.path, body, headers), timeout=60) as told:
                    status, answer = (told.status, told.read()) if len(asked) > 2 else (503, b"")
            self.send_response(status)
            self.send_header("Retry-After", "1")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("form", ["http", "proto"])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_the_javascript_sdk_delivers_in_chunks_once_whatever_it_has_to_repeat(
    tmp_path: Path, form: str, compression: str
) -> None:
    node = shutil.which("node")
    if node is None or not (PACKAGES / "node_modules").is_dir():
        pytest.skip("Node.js or its packages are absent: run `make test-peers` where `node` and `npm` are installed")
    with served(tmp_path) as one, forgetful(one.door.url) as (url, asked):
        command = [node, "--input-type=module", "-", form, f"{url}/v1/traces", compression]
        done = subprocess.run(command, cwd=PACKAGES, input=SCRIPT.read_bytes(), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        assert len(asked) == 3  # refused, lost, delivered
        assert one.receiver.numbers.received == 2 * 50
    assert stored(one.cache) == [50]
    assert stored(one.cache, "count(DISTINCT trace_id)") == [25]
    assert tokens(one) == [f"{sum(range(25))} {7 * 25} 25"]
    assert b"canary" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.filterwarnings("ignore")  # of the client's own dependencies
def test_the_langfuse_client_delivers(tmp_path: Path) -> None:
    client = pytest.importorskip("langfuse", reason="langfuse is not installed: group `peers`")
    with served(tmp_path) as one:
        sender = client.Langfuse(public_key="pk-lf-1", secret_key="sk-lf-canary", base_url=one.door.url)
        with sender.start_as_current_observation(as_type="agent", name="refund", input="canary question"):
            for number in range(4):
                call = sender.start_observation(
                    as_type="generation", name="chat", model="gpt-4o", input="canary prompt", output="canary answer",
                    usage_details={"input": 100 + number, "output": 10}, cost_details={"total": 0.001},
                )  # fmt: skip
                call.end()
        sender.shutdown()
        assert one.receiver.numbers.received == 5
    assert stored(one.cache) == [5]
    assert stored(one.cache, "count(DISTINCT trace_id)") == [1]
    assert tokens(one) == ["406 40 4"]
    assert stored(one.cache, "sum(cost_usd) || ' ' || max(cost_status)") == ["0.004000000000 reported"]
    assert b"canary" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

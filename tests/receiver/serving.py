"""A receiver behind a real door on a free port, and peers that talk to it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from aether_tui.cache import Cache
from aether_tui.config import Config
from aether_tui.ingest import Ingest
from aether_tui.receiver.door import Door
from aether_tui.receiver.service import Receiver
from aether_tui.sync.intake import Writer
from tests.cache.samples import NOW

KEY = bytes(32)
START_NS = 1_790_000_000_000_000_000


@dataclass
class Served:
    """`answer` posts one request on a fresh connection."""

    door: Door
    receiver: Receiver
    cache: Cache

    def answer(
        self, body: bytes, headers: dict[str, str] | None = None, path: str = "/v1/traces", method: str = "POST"
    ) -> tuple[int, dict[str, str], bytes]:
        with closing(HTTPConnection("127.0.0.1", self.door.server_port, timeout=120)) as connection:
            connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    def raw(self, data: bytes) -> bytes:
        """Bytes on a socket, and everything that comes back until the peer closes."""
        with socket.create_connection(("127.0.0.1", self.door.server_port), timeout=120) as peer:
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: peer.recv(65536), b""))


def writer(root: Path) -> Writer:
    return Writer(Cache(root / "cache.duckdb"), Ingest(Config(), KEY), lambda: NOW)


@contextmanager
def served(root: Path, token: str | None = None, host: str = "127.0.0.1") -> Iterator[Served]:
    one = writer(root)
    one.open()
    receiver = Receiver(one, Ingest(Config(), KEY))
    door = Door(receiver, host, 0, token)
    thread = threading.Thread(target=door.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield Served(door, receiver, one.cache)
    finally:
        door.drain()
        thread.join()
        receiver.close()


def spans(*numbers: int, trace: int = 1, **attributes: object) -> bytes:
    """An OTLP JSON request."""
    listed = [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()]
    made = [
        {
            "traceId": f"{trace:032x}", "spanId": f"{number:016x}", "name": "chat m", "attributes": listed,
            "startTimeUnixNano": str(START_NS + number), "endTimeUnixNano": str(START_NS + number + 10**9),
        }
        for number in numbers
    ]  # fmt: skip
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": made}]}]}).encode()


def stored(cache: Cache, what: str = "count(*)") -> list[object]:
    with cache.read() as lease:
        return [next(iter(row.values())) for row in lease.rows(f"SELECT {what} FROM spans ORDER BY 1")]


def post(connection: HTTPConnection, body: bytes, form: str = "application/json") -> int:
    """One request on a connection that is kept."""
    connection.request("POST", "/v1/traces", body, {"Content-Type": form})
    answer = connection.getresponse()
    answer.read()
    return answer.status

"""ClickHouse's HTTP interface, answered by chdb: ClickHouse itself, in this process."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from chdb.session import Session

# The collector's exporter makes this table (opentelemetry-collector-contrib, exporter/clickhouseexporter).
OTEL_TRACES = """
CREATE TABLE otel_traces (
    Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    ParentSpanId String CODEC(ZSTD(1)),
    TraceState String CODEC(ZSTD(1)),
    SpanName LowCardinality(String) CODEC(ZSTD(1)),
    SpanKind LowCardinality(String) CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeName String CODEC(ZSTD(1)),
    ScopeVersion String CODEC(ZSTD(1)),
    SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    Duration UInt64 CODEC(ZSTD(1)),
    StatusCode LowCardinality(String) CODEC(ZSTD(1)),
    StatusMessage String CODEC(ZSTD(1)),
    Events Nested (
        Timestamp DateTime64(9), Name LowCardinality(String), Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1)),
    Links Nested (
        TraceId String, SpanId String, TraceState String, Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_duration Duration TYPE minmax GRANULARITY 1
) ENGINE = MergeTree()
PARTITION BY toDate(Timestamp)
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1
"""


@dataclass
class Peer:
    """A running one: its address, the database behind it, bytes it sent, and the settings of every request."""

    url: str
    session: Session
    key: str
    sent: list[int] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)

    def run(self, sql: str) -> str:
        """A statement of whoever owns the database."""
        return str(self.session.query(sql, "TabSeparated"))


_CODE = re.compile(r"Code: (\d+)")
_HTTP_ONLY = {"default_format", "wait_end_of_query", "query", "database"}


@contextmanager
def serving(folder: Path, key: str = "canary-key") -> Iterator[Peer]:
    """Serve the database in `folder` until the block ends."""
    session, lock = Session(str(folder)), threading.Lock()
    peer = Peer("", session, key)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None: ...

        def do_POST(self) -> None:
            sql = self.rfile.read(int(self.headers["Content-Length"])).decode()
            query = dict(parse_qsl(urlsplit(self.path).query))
            peer.asked.append({**query, "sql": sql})
            given = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
            if given.partition(":")[2] != peer.key:
                return self._answer(b"Code: 516. DB::Exception: Authentication failed", 403, "516")
            try:
                with lock:
                    body = self._query(sql, query)
            except Exception as error:  # what the engine says is the answer
                code = (_CODE.search(str(error)) or ["", "1002"])[1]
                return self._answer(str(error).encode(), 404 if code in ("60", "81") else 500, code)
            return self._answer(body)

        def _query(self, sql: str, query: dict[str, str]) -> bytes:
            named = {name[6:]: value for name, value in query.items() if name.startswith("param_")}
            settings = {k: v for k, v in query.items() if k not in _HTTP_ONLY and not k.startswith("param_")}
            told = ", ".join(f"{name} = '{value}'" for name, value in settings.items())
            return bytes(session.query(f"{sql} SETTINGS {told}", query["default_format"], params=named).bytes())

        def _answer(self, body: bytes, status: int = 200, code: str = "") -> None:
            peer.sent.append(len(body))
            self.send_response_only(status)
            if code:
                self.send_header("X-ClickHouse-Exception-Code", code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    peer.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield peer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        session.close()

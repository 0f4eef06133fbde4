"""A real HTTP server on loopback whose answers a test writes as a function."""

from __future__ import annotations

import hashlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.conftest import CONTRACTS
from tests.connectors.legal import assert_legal


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    json: Any
    target: str = ""


@dataclass(frozen=True)
class Reply:
    body: object = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    """Close the connection after that many bytes of the body, having promised all."""
    slowly: Callable[[], object] | None = None
    """Called before each byte of the body, which is then sent by itself."""
    reset: bool = False
    """Break the connection off in the middle of the body, as a machine does that goes down."""

    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Answering = Callable[[Request], Reply]


@dataclass
class Server:
    url: str
    requests: list[Request]


def tagged(answer: Answering) -> Answering:
    """`answer` with an ETag for each body, and 304 for one that is known."""

    def conditional(request: Request) -> Reply:
        reply = answer(request)
        tag = f'W/"{hashlib.sha256(reply.content()).hexdigest()}"'
        headers = {**reply.headers, "ETag": tag}
        if reply.status == 200 and request.headers.get("if-none-match") == tag:
            return Reply(b"", 304, {"ETag": tag})
        return Reply(reply.body, reply.status, headers, reply.cut)

    return conditional


def _read(sent: bytes) -> Any:
    """JSON, or words as they are."""
    try:
        return json.loads(sent) if sent else None
    except ValueError:
        return sent.decode()


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is part of the test."""


@contextmanager
def serving(answer: Answering, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serve `answer` until the block ends; every request is kept, and must have been legal where contract data are."""
    requests: list[Request] = []
    mistakes: list[Exception] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None: ...

        def _serve(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            request = Request(
                self.command,
                parts.path,
                dict(parse_qsl(parts.query, keep_blank_values=True)),
                {name.lower(): value for name, value in self.headers.items()},
                _read(sent),
                self.path,
            )
            requests.append(request)
            try:
                reply = answer(request)
            except Exception as error:  # the test's own mistake: told when the block ends, and not tried again
                mistakes.append(error)
                reply = Reply({"message": "the server of this test broke"}, 418)
            body = reply.content()
            self.send_response_only(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            if "Date" not in reply.headers:
                self.send_header("Date", self.date_time_string())
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            for place in range(len(body) if reply.slowly else 0):
                reply.slowly()
                self.wfile.write(body[place : place + 1])
            if not reply.slowly:
                self.wfile.write(body[: len(body) // 2] if reply.reset else body[: reply.cut])
            if reply.reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            self.close_connection = self.close_connection or reply.reset or reply.cut is not None

        do_GET = do_POST = _serve  # noqa: N815

    server = _Quiet(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Server(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}", requests)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    if mistakes:
        raise mistakes[0]
    if CONTRACTS.is_dir():
        assert_legal(CONTRACTS, requests)

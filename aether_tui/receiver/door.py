"""The HTTP side: who may come in, on which path, and what they are told."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import socket
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Final

from aether_tui.errors import ConfigurationError
from aether_tui.receiver.body import Refusal, read_body
from aether_tui.receiver.service import Receiver
from aether_tui.receiver.wire import TYPES, Form, failure, form_of

PATHS: Final = ("/v1/traces", "/api/public/otel/v1/traces")
MAX_CONNECTIONS: Final = 64
_IDLE_S: Final = 30.0
"""How long a connection may be silent, and a request take to arrive; exporters give up after 10 s."""
_SPARED_S: Final = 1.0
"""A connection that has waited longer for its next request makes room for a new one."""
_LINGER_BYTES: Final = 64 << 20
_DRAIN_S: Final = 10.0
_BUSY: Final = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Door(ThreadingHTTPServer):
    """Serves a receiver on an address. With `token` every request must carry it; without one only loopback is served.

    Raises ConfigurationError for an address that cannot be used.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, receiver: Receiver, host: str, port: int, token: str | None = None) -> None:
        self.receiver, self.token = receiver, token
        self.local = is_loopback(host)
        self._change = threading.Condition()
        self._idle: dict[socket.socket, float] = {}  # and since when
        self._busy: dict[socket.socket, float] = {}
        self._sent_away: deque[tuple[float, socket.socket]] = deque()
        self._open = 0
        self.stopping = False
        if ":" in host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            raise ConfigurationError(
                f"cannot listen there ({getattr(error, 'strerror', None) or error})",
                where=f"{host}:{port}",
                next_step="stop what uses it, or choose another --port",
            ) from error

    @property
    def url(self) -> str:
        """The address that exporters are given."""
        host, port = self.server_address[:2]
        name = "localhost" if ip_address(str(host)).is_unspecified else str(host)
        return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"

    def server_bind(self) -> None:
        """Bind without looking the host's name up, which may take seconds."""
        super(ThreadingHTTPServer, self).server_bind()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: tuple[str, int] | str
    ) -> None:
        """A thread for the connection, unless there are too many and all are at work."""
        assert isinstance(request, socket.socket)
        with self._change:
            full = self._open >= MAX_CONNECTIONS and not self._make_room()
            self._open += not full
        if full:
            self._send_away(request)
            return
        super().process_request(request, client_address)

    def _send_away(self, request: socket.socket) -> None:
        """Answer without reading. Closed a little later, because a reset would overtake the answer."""
        with contextlib.suppress(OSError):
            request.sendall(_BUSY)
            request.shutdown(socket.SHUT_WR)
        self._sent_away.append((time.monotonic(), request))
        if len(self._sent_away) > self.request_queue_size:
            self.close_request(self._sent_away.popleft()[1])

    def _make_room(self) -> bool:
        """End the connection that has waited longest for its next request, if one has for a while: its exporter makes another."""
        connection, since = next(iter(self._idle.items()), (None, 0.0))
        if connection is None or time.monotonic() - since < _SPARED_S:
            return False
        del self._idle[connection]
        _hear_no_more(connection)
        return True

    def service_actions(self) -> None:
        """Of requests that take too long to arrive nothing more is read. Called ten times a second, and after each connection."""
        now = time.monotonic()
        with self._change:
            for connection, since in self._busy.items():
                if now - since > _IDLE_S:
                    _hear_no_more(connection)
        while self._sent_away and now - self._sent_away[0][0] > _SPARED_S:
            self.close_request(self._sent_away.popleft()[1])

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: tuple[str, int] | str
    ) -> None:
        """Serve a connection to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._change:
                self._open -= 1

    def handle_error(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: tuple[str, int] | str
    ) -> None:
        """A peer that went away is nobody's error; anything else ends up in the counters."""
        self.receiver.refused()

    def waits(self, connection: socket.socket) -> bool:
        """A connection waits for its next request; False when there will be none."""
        with self._change:
            if self.stopping:
                return False
            self._idle[connection] = time.monotonic()
            return True

    def works(self, connection: socket.socket) -> None:
        """It has one."""
        with self._change:
            self._idle.pop(connection, None)
            self._busy[connection] = time.monotonic()

    def worked(self, connection: socket.socket) -> None:
        """It is answered, or there was none."""
        with self._change:
            self._idle.pop(connection, None)
            self._busy.pop(connection, None)
            self._change.notify_all()

    def server_close(self) -> None:
        """Stop listening."""
        super().server_close()
        for _, connection in self._sent_away:
            self.close_request(connection)

    def drain(self) -> None:
        """Stop listening, let requests that have begun end (at most 10 s), and end connections that wait for the next."""
        self.shutdown()
        self.server_close()
        with self._change:
            self.stopping = True
            for connection in self._idle:
                _hear_no_more(connection)
            self._change.wait_for(lambda: not self._busy, _DRAIN_S)


def _hear_no_more(connection: socket.socket) -> None:
    """Who reads from it finds what came so far, then the end."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RD)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "aether-tui", ""
    timeout = _IDLE_S
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet per answer
    server: Door

    def handle_one_request(self) -> None:
        """Wait for a request, answer it."""
        if not self.server.waits(self.connection):
            self.close_connection = True
            return
        try:
            super().handle_one_request()
        finally:
            self.server.worked(self.connection)

    def parse_request(self) -> bool:
        """The first line has come: from here on the request is let finish."""
        self.server.works(self.connection)
        return super().parse_request()

    def handle_expect_100(self) -> bool:
        """Who asks before it sends a body is answered at once."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def do_POST(self) -> None:  # the name http.server calls
        """Traces."""
        form: Form = "json"
        try:
            self._admit()
            form = form_of(self.headers.get("Content-Type"))
            self.server.receiver.ready()
            body = read_body(self.rfile, self.headers)
            answer = self.server.receiver.accept(body, form)
        except Refusal as refusal:
            self._refuse(refusal, form)
            return
        except (TimeoutError, ConnectionError):
            self.close_connection = True
            self.server.receiver.refused()
            return
        self._answer(200, TYPES[form], answer)

    def do_GET(self) -> None:
        """Nothing is served."""
        try:
            self._admit()
            raise Refusal(405, "traces are sent by POST")
        except Refusal as refusal:
            self._refuse(refusal, "json")

    do_HEAD = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_GET  # noqa: N815

    def _admit(self) -> None:
        """Raises Refusal for a foreign host (a web page that found this port), a wrong token and a wrong path."""
        server = self.server
        if server.local and not _is_local_name(self.headers.get("Host")):
            raise Refusal(403, "this receiver is for localhost only", unread=True)
        if server.token is not None and not _carries(self.headers.get("Authorization"), server.token):
            raise Refusal(401, "the token is missing or wrong", unread=True)
        if self.path.split("?", 1)[0].rstrip("/") not in PATHS:
            raise Refusal(404, f"nothing is received here; send traces to {PATHS[0]}", unread=True)

    def _refuse(self, refusal: Refusal, form: Form) -> None:
        self.server.receiver.refused()
        self.close_connection = self.close_connection or refusal.unread
        self._answer(refusal.status, TYPES[form], failure(form, refusal.status, refusal.what))
        if refusal.unread:
            self._linger()

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        with contextlib.suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            if status == 503:
                self.send_header("Retry-After", "1")
            if status == 401:
                self.send_header("WWW-Authenticate", "Bearer")
            if status == 405:
                self.send_header("Allow", "POST")
            if self.close_connection or self.server.stopping:
                self.send_header("Connection", "close")  # sets close_connection, too
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
            self.wfile.flush()

    def _linger(self) -> None:
        """Read what the peer still sends before closing: else the reset would overtake the answer."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(1.0)
            left = _LINGER_BYTES
            while left > 0 and (piece := self.connection.recv(1 << 16)):
                left -= len(piece)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are counted, not logged."""


def _is_local_name(host: str | None) -> bool:
    if host is None:
        return False
    name = host.strip().lower()
    name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
    return is_loopback(name.rstrip("."))


def _carries(authorization: str | None, token: str) -> bool:
    """Whether a header holds the token: as a bearer, or as the password of a key pair, as Langfuse's clients send it."""
    scheme, _, value = (authorization or "").strip().partition(" ")
    given = value.strip()
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).decode("utf-8", "replace").partition(":")[2]
        except binascii.Error:
            return False
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode())

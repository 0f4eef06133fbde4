"""The one HTTP client of all connectors, and the only module that knows the HTTP library.

It retries what may be retried, waits as long as the server says, keeps within the sync's deadline, caps what it reads,
sends credentials to the configured address only, masks them in every message, and serves `replay:` addresses.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import random
import re
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from connectors.answers import LATER, Again, Answer, Classify, classify
from connectors.base import Denied, Malformed, Network, Offline, Refused, SourceError, Transient
from connectors.credentials import Credentials
from connectors.inflate import Damaged, inflated
from connectors.limits import learn
from connectors.patience import Patience, Retry
from connectors.replay import SCHEME, Replay

if TYPE_CHECKING:
    import httpx

# httpx imports a command line of its own where it can, and rich with it: 4 MB of every sync that nothing here needs.
sys.modules.setdefault("httpx._main", cast("ModuleType", None))
# httpcore looks for sniffio four times a request: where it is not installed that takes 1 ms.
if find_spec("sniffio") is None:
    sys.modules.setdefault("sniffio", cast("ModuleType", None))

ADDRESS = r"^(https?://[^\s/@]+(/\S*)?|replay:.+)$"
"""What a source's `url` looks like; credentials have no place in it."""

MOST_DAYS = 36_500
"""Days that may be asked for at once, a century: many more ago there was no date."""
MAX_BYTES = 64 * 1024 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SLOWEST = 1_000
"""Bytes a second that a body brings on average, at least, once it takes longer than its service may be silent."""
_CONNECT_S = 10.0
_CHECK = "check the url of this source"
_PROXY = "check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY: http://USER:PASSWORD@HOST:PORT, or list this host in NO_PROXY"


T = TypeVar("T")

Sign = Callable[[str, str, bytes], Mapping[str, str]]
"""Method, absolute address and body of a request to the headers that sign it."""


class HttpSettings(BaseModel):
    """Keys every `[sources.NAME]` table of an HTTP source has. `API` is what all paths of its service begin with: vendors write it
    into the address they show, so that it is left off a `url` where somebody copied it."""

    API: ClassVar[str] = ""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str = Field("", description="Connector; default: the table's own name")
    enabled: bool = Field(True, description="Whether `sync` without names pulls it")
    url: str = Field(pattern=ADDRESS, description="Address of the service, or replay:PATH for recorded answers")
    ca_bundle: str = Field(
        "", description="PEM file of a private certificate authority, from the workspace; default: the public ones"
    )

    @field_validator("url")
    @classmethod
    def _without_api(cls, url: str) -> str:
        if not cls.API or url.startswith(SCHEME):
            return url
        return re.sub(rf"(?<=[^/]){re.escape(cls.API)}(/.*)?$", "", url)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One request as a caller wants it; `into` is a file for the body of a good answer, which may come from `elsewhere`."""

    method: str
    target: str
    query: Mapping[str, str] | None = None
    body: Mapping[str, object] | str | None = None
    conditional: bool = False
    into: Path | None = None
    max_bytes: int = MAX_BYTES
    elsewhere: bool = False


class Http:
    """Requests to one service. `secrets` are its credentials by name: all must be there, none is ever shown.

    `paid`: a request costs money, so only one that was refused for its rate is sent again. `jitter` (0 to 1) enters for
    tests, time comes from the network.
    """

    def __init__(
        self,
        url: str,
        network: Network,
        *,
        service: str,
        secrets: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        basic: tuple[str, str] | None = None,
        classify: Classify = classify,
        ca_bundle: str = "",
        max_bytes: int = MAX_BYTES,
        concurrency: int = 4,
        timeout_s: float = 60.0,
        paid: bool = False,
        sign: Sign | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.network = network
        self._service = service
        self._credentials = Credentials(service, secrets, network)
        self._patience = Patience(network, service, paid=paid, jitter=jitter)
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "aether-tui",
            **(headers or {}),
        }
        if basic is not None:
            token = base64.b64encode(":".join(part.strip() for part in basic).encode(errors="replace")).decode()
            self._headers["Authorization"] = f"Basic {token}"
        self._classify = classify
        self._ca_bundle = ca_bundle
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._sign = sign
        self._signature = ""
        self._slots = asyncio.Semaphore(concurrency)
        self._replay = Replay(network.root / url.removeprefix(SCHEME)) if url.startswith(SCHEME) else None
        self._client: httpx.AsyncClient | None = None
        self._bare: httpx.AsyncClient | None = None
        self.base = "" if self._replay else url.rstrip("/")

    async def get(self, target: str, query: Mapping[str, str] | None = None, *, conditional: bool = False) -> Answer:
        """GET a path of the service, or an absolute address of the same origin (a `next` link).

        With `conditional` an address that answered with an ETag in an earlier sync may say that it is `unchanged` since:
        for lists of which nothing new means nothing to do. Raises SourceError, after the retries that make sense.
        """
        return await self._persistently(
            _Wanted("GET", target, query, conditional=conditional, max_bytes=self._max_bytes)
        )

    def forget(self, target: str, query: Mapping[str, str] | None = None) -> None:
        """Keep no ETag of this address: what comes behind its answer may change while the answer itself does not."""
        self.network.memory.fresh.pop(_fingerprint(self._address(target), query), None)

    async def download(
        self, target: str, query: Mapping[str, str] | None, into: Path, *, max_bytes: int, elsewhere: bool = False
    ) -> Answer:
        """GET a large body into a file, a piece at a time; `elsewhere`: a redirect to another host is followed without
        credentials. What came is not looked at. Raises SourceError; the file is then not whole.
        """
        wanted = _Wanted("GET", target, query, into=into, max_bytes=max_bytes, elsewhere=elsewhere)
        return await self._persistently(wanted)

    async def post(self, target: str, body: Mapping[str, object]) -> Answer:
        """POST JSON that only reads (all our POSTs do), so it is retried like a GET. Raises SourceError."""
        return await self._persistently(_Wanted("POST", target, body=body, max_bytes=self._max_bytes))

    async def ask(self, target: str, words: str, query: Mapping[str, str]) -> Answer:
        """POST a question in words (a query language) that only reads, so it is retried like a GET. Raises SourceError."""
        return await self._persistently(_Wanted("POST", target, query, words, max_bytes=self._max_bytes))

    async def close(self) -> None:
        """Close connections."""
        for client in (self._client, self._bare):
            if client is not None:
                await client.aclose()
        self._client = self._bare = None

    def mask(self, words: str) -> str:
        """`words` without any credential, plain or as sent."""
        # Base64 is also repeated without the signs that fill it up.
        sent = self._headers.get("Authorization", "").rpartition(" ")[2].rstrip("=")
        return self._credentials.mask(words, (sent, self._signature))

    async def _persistently(self, wanted: _Wanted) -> Answer:
        try:
            if self._replay is None:
                if self.network.offline:
                    raise Offline("not asked: offline", hint="run sync without --offline")
                self._credentials.check()
            return await self._patience.until(lambda: self._once(wanted), limited=self._replay is None)
        except SourceError as error:
            raise self._told(error) from None

    def _told(self, error: SourceError) -> SourceError:
        """`error` as the user reads it: credentials masked, the hint complete; when a limit opens is remembered."""
        if isinstance(error, Denied) and not error.hint:
            self._credentials.explain(error)
        self._patience.remember(error)
        error.what = self.mask(error.what)
        error.hint = self.mask(error.hint)
        error.args = (error.what,)
        return error

    # -- one request

    async def _once(self, wanted: _Wanted) -> Answer:
        url, query, bare = self._address(wanted.target), wanted.query, False
        memory, known = self.network.memory, _fingerprint(url, query) if wanted.conditional else ""
        headers = {"If-None-Match": memory.etags[known]} if known in memory.etags else {}
        for _ in range(4):
            async with self._slots:
                answer = await self._send(wanted, url, query, headers, bare=bare)
            if answer.status not in _REDIRECTS:
                return self._judged(wanted, answer, known, sent=bool(headers))
            try:
                url, query = urljoin(url, answer.headers.get("location", "")), None
                bare = bare or (wanted.elsewhere and _origin(url) != _origin(self.base))
                url = url if bare else self._address(url)
            except ValueError:
                raise Malformed(f"{answer.asked} redirects to what is no address", hint=_CHECK) from None
        raise Malformed(f"{answer.asked} redirects in a circle", hint=_CHECK)

    def _judged(self, wanted: _Wanted, answer: Answer, known: str, *, sent: bool) -> Answer:
        """The answer, when it is fine; what it tells of limits, expiry and ETags is remembered."""
        memory = self.network.memory
        learn(memory, answer, self.network.now())
        memory.expires = (answer.status < 300 and answer.expires) or memory.expires
        etag = answer.headers.get("etag") or (sent and memory.etags[known])
        if known and etag and etag.isascii() and etag.isprintable():
            memory.fresh[known] = etag
        if answer.status == 407:
            raise Retry(Again(Offline(f"the proxy wants a login ({answer.story()})", hint=_PROXY), tries=2))
        if answer.unchanged and not sent:
            odd = f"{answer.asked} answered that nothing is new, without being asked that"
            raise Retry(Again(Malformed(odd, hint="check whether a proxy is in between"), tries=2))
        verdict = None if wanted.into and answer.status == 200 else self._classify(answer)
        if isinstance(verdict, Again):
            raise Retry(verdict)
        if verdict is None and wanted.into and answer.status != 200:
            verdict = Malformed(f"{answer.asked} answered {answer.status} instead of a file", hint=LATER)
        if verdict is not None:
            raise verdict
        return answer

    def _address(self, target: str) -> str:
        """The absolute address of `target`. Raises Refused for another origin: credentials would travel."""
        base = self.base or "http://replay"
        if self._replay and not target.startswith("/"):
            # Links inside recorded answers name the real host.
            parts = urlsplit(target)
            target = f"{parts.path}?{parts.query}"
        if target.startswith("/"):
            return base + target
        try:
            elsewhere = _origin(target) != _origin(base)
        except ValueError:
            place = self.mask(target)[:100]
            raise Malformed(f"{self._service} points to what is no address: {place!r}", hint=_CHECK) from None
        if elsewhere:
            parts = urlsplit(target)
            raise Refused(
                f"{self._service} points to another address, {parts.scheme}://{self.mask(parts.netloc)[:100]}: not followed",
                hint="set the url of this source to that address if it is the same service; a login page means that the url is not "
                "that of its API",
            )
        return target

    async def _send(
        self, wanted: _Wanted, url: str, query: Mapping[str, str] | None, headers: Mapping[str, str], *, bare: bool
    ) -> Answer:
        method, body = wanted.method, wanted.body
        words, document = (body.encode(), None) if isinstance(body, str) else (None, body)
        asked = f"{method} {urlsplit(url).path}"
        if self._replay is not None:
            return await self._recorded(self._replay, wanted, asked, url, query)
        import httpx

        began = self.network.clock()
        try:
            client = self._stranger() if bare else self._connected()
        except (ImportError, ValueError) as error:
            raise Refused(f"the proxy of this machine cannot be used: {error}", hint=_PROXY) from error
        try:
            request = client.build_request(
                method, url, params=query or None, content=words, json=document, headers=headers
            )
            if self._sign is not None and not bare:
                request.headers.update(self._sign(method, str(request.url), request.content))
                self._signature = request.headers.get("authorization", "").rpartition(" ")[2]
            async with asyncio.timeout(self._timeout_s + _CONNECT_S):
                response = await client.send(request, stream=True)
            try:
                self.network.requests += 1
                coding, chunks = (
                    response.headers.get("content-encoding", ""),
                    self._counted(response.aiter_raw(), began),
                )
                content = await self._body(wanted, response.status_code, coding, chunks, asked)
            finally:
                await response.aclose()
            told = {name.lower(): value for name, value in response.headers.items()}
            took_s = self.network.clock() - began
            return Answer(asked, response.status_code, told, content, self.network.now(), took_s, self.mask)
        except (httpx.TransportError, httpx.InvalidURL, OSError) as error:
            raise self._failed(error, asked) from error

    def _connected(self) -> httpx.AsyncClient:
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(
                headers=self._headers,
                timeout=httpx.Timeout(self._timeout_s, connect=_CONNECT_S),
                verify=self._trust(),
            )
        return self._client

    def _stranger(self) -> httpx.AsyncClient:
        """A client that sends no credential."""
        import httpx

        if self._bare is None:
            timeout = httpx.Timeout(self._timeout_s, connect=_CONNECT_S)
            self._bare = httpx.AsyncClient(headers={"User-Agent": "aether-tui"}, timeout=timeout, verify=self._trust())
        return self._bare

    def _trust(self) -> ssl.SSLContext:
        if not self._ca_bundle:
            try:
                return _public()
            except (OSError, ssl.SSLError) as error:
                raise Refused(
                    f"the certificates of this machine cannot be read: {error}",
                    hint="check SSL_CERT_FILE and SSL_CERT_DIR, or set ca_bundle of this source to a PEM file",
                ) from error
        try:
            return ssl.create_default_context(cafile=self.network.root / self._ca_bundle)
        except (OSError, ssl.SSLError) as error:
            raise Refused(
                f"ca_bundle {self._ca_bundle} cannot be read: {error}", hint="set ca_bundle to a PEM file"
            ) from error

    async def _body(self, wanted: _Wanted, status: int, coding: str, chunks: AsyncIterator[bytes], asked: str) -> bytes:
        """The body, or nothing when it went into a file."""
        plain = inflated(coding, chunks, wanted.max_bytes, asked)
        try:
            if wanted.into is None or status != 200:
                return b"".join([piece async for piece in plain])
            await _written(plain, wanted.into)
        except Damaged as error:
            raise Retry(Again(error, tries=2)) from None
        return b""

    async def _counted(self, chunks: AsyncIterator[bytes], began: float) -> AsyncIterator[bytes]:
        """The pieces of a body. Raises TimeoutError when it only trickles: each piece is in time, and there is no end."""
        size = 0
        async for chunk in chunks:
            self.network.bytes += len(chunk)
            size += len(chunk)
            yield chunk
            took_s = self.network.clock() - began
            if took_s > self._timeout_s and size < took_s * _SLOWEST:
                raise TimeoutError

    def _failed(self, error: Exception, asked: str) -> Exception:
        """What a failure below HTTP means: TLS is final, no connection is offline after a second try, else again."""
        import httpx

        host = urlsplit(self.base).netloc
        reason = next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLError)), None)
        if reason is not None:
            return Refused(
                f"{self._service}: the certificate of {host} is not trusted ({getattr(reason, 'verify_message', '') or reason})",
                hint="for a private certificate authority set ca_bundle of this source to its PEM file",
            )
        if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | httpx.LocalProtocolError):
            return Refused(f"{self._service}: {self.base[:200]} is not a usable address: {error}", hint=_CHECK)
        if isinstance(error, httpx.ConnectError | httpx.ProxyError):
            offline = Offline(
                f"cannot be reached at {host} ({error or type(error).__name__})",
                hint="check the network, the proxy and the url; cached data stay usable",
            )
            return Retry(Again(offline, tries=2))
        kind = "took too long" if isinstance(error, httpx.TimeoutException | TimeoutError) else "broke off"
        trouble = Transient(f"{asked} {kind} ({type(error).__name__})", hint=LATER)
        return Retry(Again(trouble))

    async def _recorded(
        self, replay: Replay, wanted: _Wanted, asked: str, url: str, query: Mapping[str, str] | None
    ) -> Answer:
        """A recorded answer, without the client: a demonstration asks 1,900 times, and httpx would take 3 ms for each."""
        method, _, path = asked.partition(" ")
        body = json.loads(json.dumps(wanted.body)) if wanted.body else None
        sent = dict(query) if query else dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
        status, headers, content = replay.answer(method, path, sent, body)
        self.network.requests += 1
        named = {name.lower(): value for name, value in headers.items()}
        whole = await self._body(wanted, status, named.get("content-encoding", ""), _once_through(content), asked)
        return Answer(asked, status, named, whole, self.network.now())


@cache
def _public() -> ssl.SSLContext:
    """Trust in the public authorities, for all clients of the process: reading them takes 25 ms."""
    import httpx

    return httpx.create_ssl_context()


def _fingerprint(url: str, query: Mapping[str, str] | None) -> str:
    """What stands for an address in the memory: names of repositories do not belong there."""
    asked = f"{url}?{urlencode(sorted((query or {}).items()))}"
    return hashlib.blake2b(asked.encode(), digest_size=9).hexdigest()


async def _written(pieces: AsyncIterator[bytes], into: Path) -> None:
    """Write a body into a file. Raises Refused when this machine has no place for it."""
    try:
        with into.open("wb") as file:
            async for piece in pieces:
                file.write(piece)
    except TimeoutError:
        raise
    except OSError as error:
        raise Refused(
            f"what was downloaded cannot be written to {into.parent}: {error.strerror}",
            hint="make room there, and run sync again",
        ) from error


async def _once_through(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _origin(url: str) -> tuple[str, str | None, str | None, int | None]:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, parts.username, parts.hostname, parts.port or {"http": 80, "https": 443}.get(scheme)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__

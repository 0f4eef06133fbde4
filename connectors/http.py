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
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from pydantic import BaseModel, ConfigDict, Field

from connectors.answers import LATER, Again, Answer, Classify, classify
from connectors.base import Denied, Forbidden, Malformed, Network, Offline, RateLimited, Refused, SourceError, Transient
from connectors.inflate import Damaged, inflated
from connectors.limits import closed_until, learn, refused, reopen
from connectors.replay import SCHEME, Replay

if TYPE_CHECKING:
    import httpx

# httpx imports a command line of its own where it can, and rich with it: 4 MB of every sync that nothing here needs.
sys.modules.setdefault("httpx._main", cast("ModuleType", None))

ADDRESS = r"^(https?://[^\s/@]+(/\S*)?|replay:.+)$"
"""What a source's `url` looks like; credentials have no place in it."""

MAX_BYTES = 64 * 1024 * 1024
_LONGEST_PAUSE = 60.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


T = TypeVar("T")

Sign = Callable[[str, str, bytes], Mapping[str, str]]
"""Method, absolute address and body of a request to the headers that sign it."""


class HttpSettings(BaseModel):
    """Keys every `[sources.NAME]` table of an HTTP source has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str = Field("", description="Connector; default: the table's own name")
    enabled: bool = Field(True, description="Whether `sync` without names pulls it")
    url: str = Field(pattern=ADDRESS, description="Address of the service, or replay:PATH for recorded answers")
    ca_bundle: str = Field(
        "", description="PEM file of a private certificate authority, from the workspace; default: the public ones"
    )


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


class _Retry(Exception):
    def __init__(self, again: Again) -> None:
        super().__init__(str(again.error))
        self.again = again


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
        self._secrets = {name: value.strip() for name, value in secrets.items()}
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "aether-tui",
            **(headers or {}),
        }
        if basic is not None:
            token = base64.b64encode(":".join(part.strip() for part in basic).encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"
        self._classify = classify
        self._ca_bundle = ca_bundle
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._paid = paid
        self._sign = sign
        self._signature = ""
        self._slots = asyncio.Semaphore(concurrency)
        self._jitter = jitter
        self._ends = network.clock() + network.deadline_s
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
        sent = self._headers.get("Authorization", "").rpartition(" ")[2]
        for secret in sorted({*self._secrets.values(), sent, self._signature}, key=len, reverse=True):
            if len(secret) >= 4:
                words = words.replace(secret, "***")
        return words

    # -- patience

    async def _persistently(self, wanted: _Wanted) -> Answer:
        try:
            self._permitted()
            for tries in count(1):
                await self._opened()
                try:
                    return await self._once(wanted)
                except _Retry as retry:
                    wait_s = self._pause(retry.again, tries)
                    if wait_s is None:
                        raise self._told(retry.again.error, retry.again.wait_s) from None
                await self.network.sleep(wait_s)
        except SourceError as error:
            raise self._told(error) from None
        raise AssertionError("unreachable")

    async def _opened(self) -> None:
        """Wait until the limits that are known to be used up open. Raises RateLimited when that is too late."""
        network = self.network
        opens_at = closed_until(network.memory, network.now())
        if opens_at is None or self._replay:
            return
        wait_s = (opens_at - network.now()).total_seconds()
        if network.clock() + wait_s > self._ends:
            raise RateLimited(
                f"{self._service}'s limit is used up, as it said before: not asked",
                opens_at=opens_at,
                hint=_after(opens_at),
            )
        network.waited_s += wait_s
        await network.sleep(wait_s)
        reopen(network.memory)

    def _pause(self, again: Again, tries: int) -> float | None:
        """Seconds until the next try; None when there is none."""
        if self._paid and not isinstance(again.error, RateLimited):
            return None
        growing = again.first_pause_s * (2.0 ** (tries - 1) + self._jitter() / 2)
        wait_s = min(growing, _LONGEST_PAUSE * max(1.0, again.first_pause_s)) if again.wait_s is None else again.wait_s
        if tries >= again.tries or self.network.clock() + wait_s > self._ends:
            return None
        if again.wait_s is not None:
            reopen(self.network.memory)  # the answer's own wait counts
        self.network.waited_s += wait_s
        return wait_s

    def _told(self, error: SourceError, wait_s: float | None = None) -> SourceError:
        """`error` as the user reads it: credentials masked, the hint complete, when the limit opens."""
        if isinstance(error, Denied) and not error.hint:
            self._explain(error)
        if isinstance(error, RateLimited):
            if error.opens_at is None and wait_s is not None:
                error.opens_at = self.network.now() + timedelta(seconds=wait_s)
                error.hint = _after(error.opens_at)
            if error.opens_at is not None:
                refused(self.network.memory, error.opens_at)
        error.what = self.mask(error.what)
        error.hint = self.mask(error.hint)
        error.args = (error.what,)
        return error

    def _explain(self, error: Denied) -> None:
        """Say what to do about a credential, and since when it does not work where that is known."""
        if isinstance(error, Forbidden):
            missing = error.scope or "; ".join(self.network.needs) or "read access to this"
            error.hint = f"give it {missing}, or {self._credential_hint()}"
            return
        memory = self.network.memory
        if "expired" not in error.what:
            if memory.expires and memory.expires <= f"{self.network.now():%Y-%m-%d}":
                error.what = f"token expired {memory.expires}; {error.what}"
            elif memory.worked is not None:
                error.what += f"; it worked last on {memory.worked:%Y-%m-%d}: expired or revoked since"
        error.hint = self._credential_hint()

    def _permitted(self) -> None:
        if self._replay:
            return
        if self.network.offline:
            raise Offline("not asked: offline", hint="run sync without --offline")
        for name, value in self._secrets.items():
            if not value:
                raise Denied(f"no {name} is stored", hint=self._credential_hint())
            if not (value.isascii() and value.isprintable()):
                raise Denied(f"{name} has characters no credential has", hint=self._credential_hint())

    def _credential_hint(self) -> str:
        source = self.network.source or self._service.lower()
        variables = ", ".join(f"AETHER_{source}_{name}".upper().replace("-", "_") for name in self._secrets)
        return f"run `aether-tui auth set {source}` with a valid one, or set {variables}"

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
            url, query = urljoin(url, answer.headers.get("location", "")), None
            bare = bare or (wanted.elsewhere and _origin(url) != _origin(self.base))
            url = url if bare else self._address(url)
        raise Malformed(f"{answer.asked} redirects in a circle", hint="check the url of this source")

    def _judged(self, wanted: _Wanted, answer: Answer, known: str, *, sent: bool) -> Answer:
        """The answer, when it is fine; what it tells of limits, expiry and ETags is remembered."""
        memory = self.network.memory
        learn(memory, answer, self.network.now())
        memory.expires = (answer.status < 300 and answer.expires) or memory.expires
        if known and (etag := answer.headers.get("etag") or (sent and memory.etags[known])):
            memory.fresh[known] = etag
        verdict = None if wanted.into and answer.status == 200 else self._classify(answer)
        if isinstance(verdict, Again):
            raise _Retry(verdict)
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
        if _origin(target) != _origin(base):
            raise Refused(
                f"{self._service} points to another address, {urlsplit(target).netloc[:100]}: not followed",
                hint="set the url of this source to that address if it is right",
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
            request = client.build_request(
                method, url, params=query or None, content=words, json=document, headers=headers
            )
            if self._sign is not None and not bare:
                request.headers.update(self._sign(method, str(request.url), request.content))
                self._signature = request.headers.get("authorization", "").rpartition(" ")[2]
            response = await client.send(request, stream=True)
            try:
                self.network.requests += 1
                coding, chunks = response.headers.get("content-encoding", ""), response.aiter_raw()
                content = await self._body(wanted, response.status_code, coding, chunks, asked)
            finally:
                await response.aclose()
            told = {name.lower(): value for name, value in response.headers.items()}
            took_s = self.network.clock() - began
            return Answer(asked, response.status_code, told, content, self.network.now(), took_s)
        except (httpx.TransportError, httpx.InvalidURL, OSError) as error:
            raise self._failed(error, asked) from error

    def _connected(self) -> httpx.AsyncClient:
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(
                headers=self._headers,
                timeout=httpx.Timeout(self._timeout_s, connect=10.0),
                verify=self._trust(),
            )
        return self._client

    def _stranger(self) -> httpx.AsyncClient:
        """A client that sends no credential."""
        import httpx

        if self._bare is None:
            timeout = httpx.Timeout(self._timeout_s, connect=10.0)
            self._bare = httpx.AsyncClient(headers={"User-Agent": "aether-tui"}, timeout=timeout, verify=self._trust())
        return self._bare

    def _trust(self) -> ssl.SSLContext | bool:
        if not self._ca_bundle:
            # Building the default context takes 20 ms; recordings need none.
            return self._replay is None
        try:
            return ssl.create_default_context(cafile=self.network.root / self._ca_bundle)
        except (OSError, ssl.SSLError) as error:
            raise Refused(
                f"ca_bundle {self._ca_bundle} cannot be read: {error}", hint="set ca_bundle to a PEM file"
            ) from error

    async def _body(self, wanted: _Wanted, status: int, coding: str, chunks: AsyncIterator[bytes], asked: str) -> bytes:
        """The body, or nothing when it went into a file."""
        plain = inflated(coding, self._counted(chunks), wanted.max_bytes, asked)
        try:
            if wanted.into is None or status != 200:
                return b"".join([piece async for piece in plain])
            with wanted.into.open("wb") as file:
                async for piece in plain:
                    file.write(piece)
        except Damaged as error:
            raise _Retry(Again(error, tries=2)) from None
        return b""

    async def _counted(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            self.network.bytes += len(chunk)
            yield chunk

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
            return Refused(f"{self._service}: {self.base[:200]} is not a usable address: {error}", hint="check the url")
        if isinstance(error, httpx.ConnectError | httpx.ProxyError):
            offline = Offline(
                f"cannot be reached at {host} ({error or type(error).__name__})",
                hint="check the network, the proxy and the url; cached data stay usable",
            )
            return _Retry(Again(offline, tries=2))
        kind = "took too long" if isinstance(error, httpx.TimeoutException) else "broke off"
        trouble = Transient(f"{asked} {kind} ({type(error).__name__})", hint=LATER)
        return _Retry(Again(trouble))

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


def _after(opens_at: datetime) -> str:
    return f"run sync again after {opens_at:%Y-%m-%d %H:%M} UTC"


def _fingerprint(url: str, query: Mapping[str, str] | None) -> str:
    """What stands for an address in the memory: names of repositories do not belong there."""
    asked = f"{url}?{urlencode(sorted((query or {}).items()))}"
    return hashlib.blake2b(asked.encode(), digest_size=9).hexdigest()


async def together(jobs: Iterable[Coroutine[None, None, T]]) -> list[T]:
    """The results of all jobs, run side by side; the first error stops the others."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def _once_through(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__

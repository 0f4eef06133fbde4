"""The failure catalogue, what servers do that have lost their minds: words for lists, headers of nonsense, a byte a minute."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from connectors import http
from connectors.base import Gone, Malformed, Offline, RateLimited, Refused, SourceError, Transient
from connectors.http import Http
from tests.connectors.catalogue import shows
from tests.connectors.kinds import CANARY, Kind
from tests.connectors.pull import network, pull
from tests.connectors.server import Reply, Request, serving
from tests.connectors.test_catalogue_rows import CARRYING, EVERY, those

FINE = "2026-11-10T00:00:00Z"
FUTURE = "9998-01-01T00:00:00Z"


@EVERY
@shows(25)
def test_an_answer_without_its_list_is_refused_and_is_no_empty_one(kind: Kind) -> None:
    """Else it would end a stream as read, or have a sweep remove what is there."""
    source = kind.source("http://127.0.0.1:9")
    swept = [stream for stream in source.streams if stream.sweep_s]
    for body in (b"{}", b"null", b'"all is well"', b"17"):
        with serving(lambda _, body=body: Reply(body)) as server:
            done = pull(kind.source(server.url))
            assert isinstance(done.error, Malformed), body
            assert done.cursor is None
            for stream in swept:
                with pytest.raises(Malformed):
                    asyncio.run(_ids(kind.source(server.url), stream))


async def _ids(source: Any, stream: Any) -> None:
    try:
        async for _ in source.ids(stream):
            pass
    finally:
        await source.close()


NAMES = (
    "state", "team", "project", "cycle", "parent", "assignee", "labels", "stateHistory", "fields", "issuetype", "status",
    "priority", "issuelinks", "changelog", "actor", "repository", "pull_requests", "user", "sha", "ref", "metadata", "usageDetails",
    "costDetails", "attributes", "events", "status_code", "span_kind", "parent_id", "SpanAttributes", "ResourceAttributes",
    "EventNames", "EventTimes", "EventAttributes", "Groups", "Estimated", "estimate", "url", "title", "key", "name", "version",
)  # fmt: skip
ODD: tuple[object, ...] = (
    None,
    "words",
    7,
    1.5,
    True,
    [],
    [None],
    {},
    {"nodes": None},
    {"nodes": [None, 3]},
    [[]],
    "\u0000",
)


@CARRYING
@shows(25)
def test_whatever_stands_where_an_object_should_costs_its_record_at_most(kind: Kind) -> None:
    record = kind.record
    assert record is not None
    found: list[Any] = [record.make(1, FINE)]
    for number, odd in enumerate(ODD, 2):
        made = record.make(number, FINE)
        inner = made.get("fields")
        if isinstance(inner, dict):
            made["fields"] = dict.fromkeys(NAMES, odd) | inner
        found.append(dict.fromkeys(NAMES, odd) | made)
    if kind.cls.kind not in {"clickhouse", "gitlab", "aws"}:
        found += [None, "a record", []]
    with serving(lambda asked: kind.page(asked, found, None)) as server:
        done = pull(kind.source(server.url))
    assert done.error is None
    rows = {row[record.id] for row in done.table(record.table)}
    assert record.shown(1) in rows
    assert len(rows) + len(done.rejects) >= len(found) - (kind.cls.kind == "aws") * len(ODD)


@those(lambda kind: kind.record and kind.cls.kind != "aws")
@shows(20)
def test_a_record_from_the_future_does_not_carry_the_cursor_away(kind: Kind) -> None:
    record = kind.record
    assert record is not None
    later = record.make(2, FUTURE) | {"updatedAt": FUTURE, "updated_at": FUTURE}
    if "fields" in later:
        later["fields"] |= {"updated": FUTURE}
    with serving(lambda asked: kind.page(asked, [record.make(1, FINE), later], None)) as server:
        done = pull(kind.source(server.url))
    assert done.error is None
    assert sorted(row[record.id] for row in done.table(record.table)) == [record.shown(1), record.shown(2)]
    moved = json.dumps([page.cursor for page in done.pages])
    assert "2026-11-" in moved
    for name in ("known", "newest", "upper", '"created', '"to'):
        assert f'{name}\\": \\"9998' not in moved
    assert not (done.cursor or "").startswith("9998")


NONSENSE = (
    {"Retry-After": "9" * 400}, {"Retry-After": "-5"}, {"Retry-After": "Fri, 31 Dec 9999 23:59:59 -2300"},
    {"Retry-After": "Fri, 20 Nov 2026 13:00:09 +99999999"}, {"Retry-After": "soon", "Date": "9" * 40},
    {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9" * 16}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "-1"},
    {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9999-12-31T23:59:59Z", "RateLimit-Reason": "jira-quota-global-based"},
    {"X-RateLimit-Requests-Remaining": "0", "X-RateLimit-Requests-Reset": "1e308"},
    {"X-RateLimit-Remaining": "nan", "X-RateLimit-Reset": "inf", "Date": "Fri, 31 Dec 9999 23:59:59 -2300"},
)  # fmt: skip


@EVERY
@shows(9, 20)
def test_a_limit_told_in_nonsense_is_a_limit(kind: Kind) -> None:
    told = {"errors": [{"message": "slow down", "extensions": {"code": "RATELIMITED"}}]}
    for headers in NONSENSE:
        with serving(lambda _, headers=headers: Reply(told, 429, headers)) as server:
            done = pull(kind.source(server.url, deadline_s=5))
        assert isinstance(done.error, RateLimited), headers
        assert done.error.hint


class Slow:
    """A clock that goes on half a minute whenever it is asked, and lets the server send one byte more."""

    def __init__(self) -> None:
        self.now_s = count(0.0, 30.0)
        self.byte = threading.Semaphore(0)

    def __call__(self) -> float:
        self.byte.release()
        return next(self.now_s)


@EVERY
@shows(13)
def test_an_answer_that_trickles_is_given_up(kind: Kind) -> None:
    clock = Slow()
    with serving(lambda _: Reply(b"[" + b" " * 400, slowly=lambda: clock.byte.acquire(timeout=5))) as server:
        done = pull(kind.source(server.url, clock=clock))
    assert isinstance(done.error, Transient)
    assert "took too long" in done.error.what
    assert done.pages == []


# -- the client alone


@pytest.fixture
def anywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """No proxy and no certificates of whoever runs this; what the process has read of them is forgotten."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    http._public.cache_clear()
    yield monkeypatch
    http._public.cache_clear()


def asked(url: str, *paths: str, into: Path | None = None, **values: Any) -> tuple[Http, SourceError | None]:
    """One GET for each path, and the error that ended them."""
    client = Http(url, network(**values), service="Test", secrets={"token": CANARY})

    async def run() -> SourceError | None:
        try:
            for path in paths:
                if into is not None:
                    await client.download(path, None, into, max_bytes=1 << 20)
                else:
                    await client.get(path, conditional=True)
        except SourceError as error:
            return error
        finally:
            await client.close()
        return None

    return client, asyncio.run(run())


@pytest.mark.parametrize("location", ["http://[", "http://elsewhere.example:99999999/", "\u00e9://\u00e9"])
def test_a_redirect_to_what_is_no_address_is_told(location: str) -> None:
    with serving(lambda _: Reply(b"", 302, {"Location": location})) as server:
        _, error = asked(server.url, "/")
    assert isinstance(error, Malformed | Refused)
    with serving(lambda _: Reply({})) as server:
        _, error = asked(server.url, "http://[::1/next")
    assert isinstance(error, Malformed)


def test_an_etag_that_cannot_be_sent_is_not_kept() -> None:
    def answer(request: Request) -> Reply:
        return Reply({}, headers={"ETag": '"\u00e9"'.encode().decode("latin-1")})

    with serving(answer) as server:
        client, error = asked(server.url, "/")
    assert (error, client.network.memory.fresh) == (None, {})


@pytest.mark.parametrize(
    ("reply", "kind", "said", "times"),
    [
        (Reply(b"", 304), Malformed, "answered that nothing is new, without being asked that", 2),
        (Reply({}, 408), Transient, "did not get to the request in time", 6),
        (Reply({}, 451), Gone, "withheld for legal reasons", 1),
        (Reply(gzip.compress(b"{}") * 2, headers={"Content-Encoding": "gzip"}), Malformed, "damaged or cut short", 2),
    ],
)
def test_rare_answers_are_told_for_what_they_are(reply: Reply, kind: type[SourceError], said: str, times: int) -> None:
    with serving(lambda _: reply) as server:
        _, error = asked(server.url, "/")
        assert len(server.requests) == times
    assert isinstance(error, kind)
    assert said in error.what


def test_words_that_are_nested_without_end_are_cut() -> None:
    deep = b'{"error":' * 400 + b'"x"' + b"}" * 400
    with serving(lambda _: Reply(deep, 400)) as server:
        _, error = asked(server.url, "/")
    assert isinstance(error, Refused)


def test_a_service_in_trouble_that_says_until_when_is_told_with_it() -> None:
    with serving(lambda _: Reply(b"", 503, {"Retry-After": "7200"})) as server:
        _, error = asked(server.url, "/")
        assert len(server.requests) == 1
    assert isinstance(error, Transient)
    assert "after 2026-11-20 14:00 UTC" in error.hint


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full: a device that is always full")
def test_a_download_onto_a_full_disk_says_so_at_once() -> None:
    with serving(lambda _: Reply(b"x" * 100_000)) as server:
        _, error = asked(server.url, "/", into=Path("/dev/full"))
        assert len(server.requests) == 1
    assert isinstance(error, Refused)
    assert "No space left" in error.what
    assert "make room" in error.hint


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:9", "ALL_PROXY"),
        ("HTTP_PROXY", "gopher://127.0.0.1:9", "HTTP_PROXY"),
        ("SSL_CERT_FILE", "/nowhere/at/all.pem", "SSL_CERT_FILE"),
    ],
)
def test_what_the_environment_names_and_cannot_be_used_is_told(
    anywhere: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    anywhere.setenv(name, value)
    client, error = asked("http://tracker.example", "/")
    assert isinstance(error, Refused)
    assert says in error.hint
    assert client.network.waited_s == 0


def test_an_address_with_the_usual_port_is_the_same_one_and_with_another_scheme_is_not(
    anywhere: pytest.MonkeyPatch,
) -> None:
    with serving(lambda _: Reply({})) as proxy:
        anywhere.setenv("HTTP_PROXY", proxy.url)
        assert asked("http://tracker.example", "http://Tracker.example:80/next")[1] is None
        assert asked("http://tracker.example:80", "http://tracker.example/next")[1] is None
        _, error = asked("http://tracker.example", "https://tracker.example/next")
        assert len(proxy.requests) == 2
    assert isinstance(error, Refused)
    assert "another address, https://tracker.example:" in error.what


def test_a_proxy_that_wants_a_login_is_told_and_its_password_is_not(anywhere: pytest.MonkeyPatch) -> None:
    with serving(lambda _: Reply(b"<title>Squid</title>", 407)) as proxy:
        anywhere.setenv("HTTP_PROXY", proxy.url.replace("//", "//ada:pr0xy-word@"))
        _, error = asked("http://tracker.example", "/")
        assert len(proxy.requests) == 2
    assert isinstance(error, Offline)
    assert "wants a login" in error.what
    assert "HTTPS_PROXY" in error.hint
    assert "pr0xy-word" not in f"{error.what} {error.hint}"

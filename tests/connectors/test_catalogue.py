"""The failure catalogue: the same failures for every connector, from a real server."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from functools import cache
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import ValidationError

from aether_tui.text import masked
from connectors.base import (
    Denied,
    Gone,
    Malformed,
    Offline,
    RateLimited,
    Refused,
    Source,
    SourceError,
    Transient,
)
from connectors.github import GitHub
from connectors.http import Http
from connectors.jira import Jira
from tests.connectors.catalogue import shows
from tests.connectors.kinds import CANARY, KINDS, Kind
from tests.connectors.pull import NOW, Pulled, network, pull
from tests.connectors.server import Reply, Request, Server, serving


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


def once(kind: Kind, *first: Reply) -> Callable[[Request], Reply]:
    """The given replies one after the other, then fine ones."""
    left = list(first)
    return lambda request: left.pop(0) if left else kind.fine(request)


def told(error: SourceError | None) -> str:
    assert error is not None
    return f"{error.what} | {error.hint} | {error} | {error.args}"


def test_every_connector_is_a_source(kind: Kind) -> None:
    source: Source = kind.source("replay:nowhere")
    assert (source.kind, bool(source.streams), bool(source.SECRETS)) == (source.kind, True, True)
    assert {name for stream in source.streams for name in [stream.name]}
    assert all(stream.sweep_s or stream.kept for stream in source.streams), (
        "deletions are looked for, or there is a reason not to"
    )


@pytest.mark.parametrize(
    ("reply", "error", "says"),
    [
        (Reply({"message": "Bad credentials"}, 401), Denied, "Bad credentials"),
        (Reply(b"<html><title>Log in</title>", 401, {"Content-Type": "text/html"}), Denied, "Log in"),
        (Reply({"message": "no scope"}, 403), Denied, "no scope"),
        (Reply({"message": "Not Found"}, 404), Gone, "not visible"),
        (Reply({"errorMessages": ["CHANGE-2046"]}, 410), Gone, "CHANGE-2046"),
        (Reply({"message": "Bad field"}, 400), Refused, "Bad field"),
        (Reply({"message": "No such query here"}, 501), Refused, "No such query here"),
        (Reply(b"<html><title>Wi-Fi login</title>", 200, {"Content-Type": "text/html"}), Malformed, "Wi-Fi login"),
        (Reply(b"", 302, {"Location": "http://elsewhere.example/login"}), Refused, "elsewhere.example"),
        (Reply(b"", 302, {"Location": "//elsewhere.example/login"}), Refused, "elsewhere.example"),
    ],
)  # fmt: skip
@shows(1, 2, 4, 5, 7, 26, 30)
def test_permanent_failures_are_not_retried_and_say_why(
    kind: Kind, reply: Reply, error: type[SourceError], says: str
) -> None:
    with serving(lambda _: reply) as server:
        source = kind.source(server.url)
        done = pull(source)
        assert len(server.requests) == kind.asks.get(reply.status, 1)
    assert type(done.error) is error or isinstance(done.error, error)
    assert says in told(done.error)
    assert done.error is not None
    assert done.error.hint
    assert (done.cursor, source._network.waited_s) == (None, 0.0)


@shows(1)
def test_a_401_says_where_the_credential_belongs(kind: Kind) -> None:
    with serving(lambda _: Reply({}, 401)) as server:
        done = pull(kind.source(server.url))
    assert "aether-tui auth set mine" in told(done.error)
    assert f"AETHER_MINE_{kind.cls.SECRETS[0].upper()}" in told(done.error)


def test_a_missing_credential_is_told_before_any_request(kind: Kind) -> None:
    with serving(kind.fine) as server:
        source = kind.cls(kind.cls.Settings(url=server.url, **kind.settings), {}, network())
        done = pull(source)
        assert server.requests == []
    assert isinstance(done.error, Denied)
    assert "auth set mine" in done.error.hint


@shows(12)
def test_server_trouble_is_retried_also_for_posts(kind: Kind) -> None:
    troubles = (Reply(b"oops", 500), Reply(b"", 502), Reply(b"oops", 503), Reply(b"", 504))
    with serving(once(kind, *troubles)) as server:
        source = kind.source(server.url)
        assert pull(source).error is None
    assert 15.0 <= source._network.waited_s <= 17.0


@shows(12)
def test_six_tries_then_partial(kind: Kind) -> None:
    with serving(lambda _: Reply(b"down for maintenance", 503)) as server:
        source = kind.source(server.url)
        done = pull(source)
        assert len(server.requests) == 6
    assert isinstance(done.error, Transient)
    assert "down for maintenance" in told(done.error)
    assert 31.0 <= source._network.waited_s <= 33.5


@shows(9, 20)
def test_a_429_waits_exactly_as_told(kind: Kind) -> None:
    date = {"Retry-After": "Fri, 20 Nov 2026 13:00:09 GMT", "Date": "Fri, 20 Nov 2026 13:00:00 GMT"}
    with serving(once(kind, Reply({}, 429, {"Retry-After": "7"}), Reply({}, 429, date))) as server:
        source = kind.source(server.url)
        assert pull(source).error is None
    assert source._network.waited_s == 16.0


@shows(10)
def test_a_429_without_a_time_grows(kind: Kind) -> None:
    with serving(once(kind, Reply({}, 429), Reply({}, 429))) as server:
        source = kind.source(server.url, deadline_s=1000)
        assert pull(source).error is None
    unit = 60.0 if kind.cls is GitHub else 1.0
    assert 3 * unit <= source._network.waited_s <= 4 * unit


@shows(9)
def test_a_wait_beyond_the_deadline_stops_and_says_when_it_opens(kind: Kind) -> None:
    with serving(lambda _: Reply({}, 429, {"Retry-After": "3600"})) as server:
        source = kind.source(server.url, deadline_s=60)
        done = pull(source)
        assert len(server.requests) == 1
    assert isinstance(done.error, RateLimited)
    assert done.error.opens_at is not None
    assert (done.error.opens_at - NOW).total_seconds() == 3600
    assert "13:00 UTC" in done.error.hint
    assert source._network.waited_s == 0


@shows(13)
def test_a_body_cut_short_is_retried_and_then_told(kind: Kind) -> None:
    whole = kind.fine(Request("POST", "/", {}, {}, None)).content()
    broken = Reply(whole, cut=len(whole) // 2)
    with serving(once(kind, broken)) as server:
        assert pull(kind.source(server.url)).error is None
    with serving(lambda _: broken) as server:
        done = pull(kind.source(server.url))
        assert len(server.requests) == 6
    assert isinstance(done.error, Transient)
    assert done.pages == []


@pytest.mark.parametrize("body", [b'{"data": {"issues"', b'{"a": 1} and more', b"\xff\xfe", b"[" * 100_000])
@shows(27)
def test_broken_json_is_asked_for_once_more(kind: Kind, body: bytes) -> None:
    with serving(once(kind, Reply(body))) as server:
        assert pull(kind.source(server.url)).error is None
    with serving(lambda _: Reply(body)) as server:
        done = pull(kind.source(server.url))
        assert len(server.requests) == 2
    assert isinstance(done.error, Malformed)
    assert "not a JSON document" in done.error.what


@shows(14)
def test_damaged_gzip_is_asked_for_once_more_and_never_half_read(kind: Kind) -> None:
    whole = gzip.compress(kind.fine(Request("POST", "/", {}, {}, None)).content())
    headers = {"Content-Encoding": "gzip"}
    flipped = whole[:-8] + bytes(byte ^ 0xFF for byte in whole[-8:])
    for damaged in (whole[:-9], flipped):
        with serving(lambda _, body=damaged: Reply(body, headers=headers)) as server:
            done = pull(kind.source(server.url))
            assert len(server.requests) == 2
        assert isinstance(done.error, Malformed)
        assert "compressed" in done.error.what
    ok = gzip.compress(b"[]" if kind.cls is Jira else kind.fine(Request("POST", "/", {}, {}, None)).content())
    with serving(once(kind, Reply(ok, headers=headers))) as server:
        assert pull(kind.source(server.url)).error is None


@cache
def bomb() -> bytes:
    """68 MB of nothing, packed."""
    return gzip.compress(bytes(68_000_000), 9)


@shows(15)
def test_a_bomb_is_refused_with_the_cap_named(kind: Kind) -> None:
    assert len(bomb()) < 100_000
    with serving(lambda _: Reply(bomb(), headers={"Content-Encoding": "gzip"})) as server:
        done = pull(kind.source(server.url))
        assert len(server.requests) == 1
    assert isinstance(done.error, Malformed)
    assert "67 MB" in done.error.what


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.cls.Settings.API])
def test_an_address_with_the_path_of_the_api_is_as_good(name: str) -> None:
    kind, asked = KINDS[name], []
    api = kind.cls.Settings.API
    for copied in ("/tools", f"/tools{api}", f"/tools{api}/v9/"):
        with serving(kind.fine) as server:
            assert pull(kind.source(f"{server.url}{copied}")).error is None
            asked.append([request.path for request in server.requests])
    assert asked[0] == asked[1] == asked[2]
    assert all(path.startswith(f"/tools{api}") for path in asked[0])


@shows(30)
def test_a_redirect_within_the_service_is_followed(kind: Kind) -> None:
    with serving(once(kind, Reply(b"", 307, {"Location": "/moved?here=1"}))) as server:
        assert pull(kind.source(server.url)).error is None
        assert server.requests[1].target == "/moved?here=1"
    with serving(lambda _: Reply(b"", 307, {"Location": "/again"})) as server:
        done = pull(kind.source(server.url))
        assert len(server.requests) == 4
    assert isinstance(done.error, Malformed)


def test_offline_asks_nobody(kind: Kind) -> None:
    with serving(kind.fine) as server:
        done = pull(kind.source(server.url, offline=True))
        assert server.requests == []
    assert isinstance(done.error, Offline)


def test_a_secret_is_masked_however_it_is_written() -> None:
    secret = 'Zq9+canary/lin=Key"7%x'
    pairs = [b"x" * before + secret.encode() + b":y" * after for before in range(4) for after in range(3)]
    ways = (
        secret, quote(secret), quote(secret, safe=""), quote(quote(secret, safe=""), safe=""), json.dumps(secret),
        escape(secret), secret.encode().hex(), *(b64encode(one).decode() for one in pairs),
        *(urlsafe_b64encode(one).decode().rstrip("=") for one in pairs),
    )  # fmt: skip
    for way in ways:
        told = masked(f"no: {way}.", [secret, "abc"])
        assert told.startswith("no: ") and "***" in told and secret[5:11] not in told and way[6:18] not in told
    assert masked("abc stays", ["abc"]) == "abc stays"


@shows(32)
def test_secrets_are_masked_even_when_the_server_echoes_them(kind: Kind) -> None:
    def echo(request: Request) -> Reply:
        return Reply({"message": f"you sent {request.headers['authorization']} with {CANARY}"}, 400)

    with serving(echo) as server:
        done = pull(kind.source(server.url))
        sent = server.requests[0].headers["authorization"].rpartition(" ")[2]
    assert CANARY not in told(done.error)
    assert sent not in told(done.error)
    assert "***" in told(done.error)
    assert done.error is not None
    assert done.error.__cause__ is None


@pytest.mark.parametrize("form", ["words", "json", "page", "scope", "elsewhere"])
@shows(32)
def test_half_of_a_credential_is_not_shown_where_what_a_server_says_is_cut(form: str) -> None:
    def echo(request: Request) -> Reply:
        said = f"{'x' * int(request.path[1:])}{CANARY}{'y' * 40}"
        match form:
            case "json":
                return Reply({"message": said}, 400)
            case "page":
                return Reply(f"<html><title>{said}</title>".encode())
            case "scope":
                return Reply({}, 403, {"X-Accepted-GitHub-Permissions": said})
            case "elsewhere":
                return Reply(b"", 302, {"Location": f"http://{said}.example/"})
        return Reply(said.encode(), 400)

    with serving(echo) as server:
        for place in (3, 70, 90, 190):
            http = _client(server)
            with pytest.raises(SourceError) as failed:
                _run(http, lambda http=http, place=place: http.get(f"/{place}"))  # type: ignore[misc]
            assert CANARY[:4] not in told(failed.value)


def test_an_unusable_credential_is_not_sent(kind: Kind) -> None:
    with serving(kind.fine) as server:
        secrets = dict.fromkeys(kind.cls.SECRETS, "schlüssel\r\nX-Evil: 1")
        done = pull(kind.cls(kind.cls.Settings(url=server.url, **kind.settings), secrets, network()))
        assert server.requests == []
    assert isinstance(done.error, Denied)


@shows(31)
def test_cancelling_ends_a_wait_at_once(kind: Kind) -> None:
    asked = threading.Event()

    def busy(_: Request) -> Reply:
        asked.set()
        return Reply({}, 429, {"Retry-After": "600"})

    async def run() -> None:
        source = kind.source(server.url, sleep=asyncio.sleep)
        pages = source.pages(source.streams[0], None)
        waiting = asyncio.ensure_future(anext(pages))
        await asyncio.to_thread(asked.wait)
        while not source._network.waited_s:
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await source.close()

    with serving(busy) as server:
        asyncio.run(asyncio.wait_for(run(), 60))


def test_requests_and_bytes_are_counted(kind: Kind) -> None:
    with serving(kind.fine) as server:
        source = kind.source(server.url)
        pull(source)
        assert source._network.requests == len(server.requests)
    assert source._network.bytes > 0


def test_a_replay_without_a_matching_line_names_the_request(kind: Kind, tmp_path: Path) -> None:
    (tmp_path / "recorded.jsonl").write_text('{"method": "GET", "path": "/other", "body": {}}\n')
    done = pull(kind.source("replay:recorded.jsonl", root=tmp_path, offline=True))
    assert isinstance(done.error, Gone)
    assert "no recording for" in done.error.what


def test_a_replay_that_is_absent_or_broken_is_named(kind: Kind, tmp_path: Path) -> None:
    absent = pull(kind.source("replay:absent.jsonl", root=tmp_path))
    assert isinstance(absent.error, Gone)
    (tmp_path / "recorded.jsonl").write_text('{"method": "GET", "path": "/", "body": {}}\nnot json\n')
    broken = pull(kind.source("replay:recorded.jsonl", root=tmp_path))
    assert isinstance(broken.error, Malformed)
    assert "line 2" in broken.error.what


def test_an_instant_is_a_cursor_too(kind: Kind) -> None:
    """`sync --since` replaces the stored cursor by one."""
    with serving(kind.fine) as server:
        source = kind.source(server.url)
        for stream in kind.streams:
            assert pull(source, stream, "2026-11-10T00:00:00").error is None
        asked = json.dumps([[request.target, request.json] for request in server.requests])
    # The instant less each stream's overlap; Jira's 1794267900000 is 2026-11-09 23:45 UTC. AWS: the open month, too.
    assert re.search(r"2026-11-09T23|20261107|1794267900000|2026-11-01", asked), asked


PAGED = pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.paged], ids=lambda kind: kind.cls.kind)


def offering(kind: Kind, token: Callable[[], str]) -> Callable[[Request], Reply]:
    return lambda request: kind.page(request, [], token())


@PAGED
@shows(16)
def test_a_repeated_page_token_stops_at_once(kind: Kind) -> None:
    with serving(offering(kind, lambda: "7")) as server:
        done = pull(kind.source(server.url))
        paged = [
            request
            for request in server.requests
            if not request.path.endswith(("/status", "/field", "/approximate-count"))
        ]
        assert len(paged) == 2
    assert isinstance(done.error, Malformed)
    assert "same page twice" in done.error.what


@PAGED
@shows(17)
def test_empty_pages_that_offer_more_are_followed_three_times(kind: Kind) -> None:
    numbers = iter(range(100))
    with serving(offering(kind, lambda: str(next(numbers)))) as server:
        done = pull(kind.source(server.url))
        paged = [
            request
            for request in server.requests
            if not request.path.endswith(("/status", "/field", "/approximate-count"))
        ]
        assert len(paged) == 4
    assert isinstance(done.error, Malformed)
    assert "empty ones" in done.error.what


@shows(32)
def test_credentials_have_no_place_in_an_address(kind: Kind) -> None:
    for url in ("https://ada:secret@example.com", "ftp://example.com", "example.com", "replay:"):
        with pytest.raises(ValidationError, match="url"):
            kind.cls.Settings(url=url, **kind.settings)


def test_days_before_there_were_dates_are_no_setting(kind: Kind) -> None:
    with pytest.raises(ValidationError, match="days_back"):
        kind.cls.Settings(url="https://example.com", **{**kind.settings, "days_back": 10**6})


# -- the client alone


def _client(server: Server, **values: Any) -> Http:
    return Http(server.url, network(), service="Test", secrets={"token": CANARY}, **values)


def _run(http: Http, action: Callable[[], Any]) -> Any:
    async def run() -> Any:
        try:
            return await action()
        finally:
            await http.close()

    return asyncio.run(run())


def test_a_link_to_another_address_is_not_followed() -> None:
    with serving(lambda _: Reply({})) as server:
        http = _client(server)
        with pytest.raises(Refused, match="another address"):
            _run(http, lambda: http.get("https://elsewhere.example/next"))
        assert server.requests == []


def test_a_service_that_does_not_answer_in_time_is_asked_again_and_then_told() -> None:
    waiting = threading.Event()

    def silent(_: Request) -> Reply:
        waiting.wait(20)
        return Reply({})

    with serving(silent) as server:
        http = _client(server, timeout_s=0.05)
        with pytest.raises(Transient, match="took too long"):
            _run(http, lambda: http.get("/"))
        waiting.set()
        assert len(server.requests) == 6
    assert 31.0 <= http.network.waited_s <= 33.5


def test_a_ca_bundle_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with serving(lambda _: Reply({})) as server:
        http = _client(server, ca_bundle=str(tmp_path / "absent.pem"))
        with pytest.raises(Refused, match=r"absent\.pem"):
            _run(http, lambda: http.get("/"))
        (tmp_path / "wrong.pem").write_text("nothing")
        http = _client(server, ca_bundle=str(tmp_path / "wrong.pem"))
        with pytest.raises(Refused, match=r"wrong\.pem"):
            _run(http, lambda: http.get("/"))


def test_halves_of_surrogate_pairs_become_replacement_characters() -> None:
    with serving(lambda _: Reply(b'{"title": "a\\ud800b", "fine": "\\ud83d\\ude80"}')) as server:
        http = _client(server)
        read = _run(http, lambda: http.get("/")).json
    assert read == {"title": "a\ufffdb", "fine": "\U0001f680"}
    json.dumps(read).encode()


def test_a_body_file_is_served_as_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "answer.bin").write_bytes(b'{"from": "file"}')
    line = {"method": "GET", "path": "/file", "body_file": "answer.bin"}
    text = {"method": "GET", "path": "/text", "status": 404, "body": "plain words"}
    folder = tmp_path / "recorded"
    folder.mkdir()
    (folder / "b.jsonl").write_text(json.dumps(text))
    (folder / "a.jsonl").write_text(json.dumps(line))
    (folder / "answer.bin").write_bytes(b'{"from": "file"}')
    http = Http("replay:recorded", network(root=tmp_path), service="Test", secrets={})
    assert _run(http, lambda: http.get("/file")).json == {"from": "file"}
    with pytest.raises(Gone, match="plain words"):
        _run(http, lambda: http.get("/text"))


def test_nothing_is_stored_of_a_page_that_breaks() -> None:
    """A page is yielded whole or not at all."""
    replies = [
        Reply({"data": {"issues": {"nodes": [{"id": "1"}], "pageInfo": {"hasNextPage": True, "endCursor": "a"}}}})
    ]
    with serving(lambda _: replies.pop(0) if replies else Reply(b"", 500)) as server:
        done: Pulled = pull(KINDS["linear"].source(server.url))
    assert (len(done.pages), done.cursor) == (1, None)
    assert isinstance(done.error, Transient)

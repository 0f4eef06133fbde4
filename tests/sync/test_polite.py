"""What a sync remembers for the next one, and what it costs: limits, ETags, deletions, counts, credentials; over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from aether_tui.cache import Cache
from aether_tui.records.source import Access, Network, Page, Stream
from aether_tui.records.tables import WORK_ITEMS, WORK_TRANSITIONS
from aether_tui.sync.engine import Outcome, run
from aether_tui.sync.plan import Job
from connectors.fields import integer, objects, text
from connectors.http import Http, HttpSettings
from tests.connectors.pull import NOW, Time
from tests.connectors.server import Reply, Request, serving
from tests.sync.fake import workspace, writer

CARDS = Stream("cards", (WORK_ITEMS, WORK_TRANSITIONS), sweep_s=86_400)
NOTES = Stream("notes", (WORK_ITEMS,))


class Board:
    """The least a connector is: one list, asked for conditionally, and its ids."""

    kind = "board"
    Settings = HttpSettings
    SECRETS = ("token",)
    streams = (CARDS, NOTES)
    access = Access("a token", ("read:cards",), ("cards",))

    def __init__(self, settings: HttpSettings, secrets: Mapping[str, str], network: Network) -> None:
        token = {"token": secrets["token"]}
        self.http = Http(
            settings.url,
            network,
            service="Board",
            secrets=token,
            headers={"Authorization": f"Bearer {secrets['token']}"},
        )

    async def pages(self, stream: Stream, since: str | None) -> AsyncIterator[Page]:
        answer = await self.http.get(f"/{stream.name}", conditional=True)
        if answer.unchanged:
            return
        items = [WORK_ITEMS.row(id=text(card, "id"), title=text(card, "id")) for card in objects(answer.json, "cards")]
        moves = [
            WORK_TRANSITIONS.row(item_id=text(card, "id"), at=NOW.replace(tzinfo=None), to_state="Doing")
            for card in objects(answer.json, "cards")
        ]
        yield Page({"work_items": items, "work_transitions": moves}, cursor="c", total=integer(answer.json, "total"))

    async def ids(self, stream: Stream) -> AsyncIterator[Sequence[str]]:
        yield [str(text(card, "id")) for card in objects((await self.http.get("/ids")).json, "cards")]

    async def check(self) -> str:
        return "board"

    async def close(self) -> None:
        await self.http.close()


def sync(
    root: Path, url: str, time: Time | None = None, *, full: bool = False, token: str = "t0ken-one", days: float = 0
) -> list[Outcome]:
    """One sync of a board, as the program runs it, `days` after the first."""
    place, config = workspace(root, one={})
    time, later = time or Time(), timedelta(days=days)
    parts = {**time.parts(), "now": lambda: time.now() + later}
    network = Network(source="one", needs=Board.access.permissions, **parts)
    job = Job("one", Board, HttpSettings(url=url), network, {"token": token})
    into = replace(writer(place, config, NOW), clock=parts["now"])
    return asyncio.run(run([job], into, lambda _: None, full=full))


def cards(*ids: str, **more: Any) -> dict[str, Any]:
    return {"cards": [{"id": one} for one in ids], **more}


def rows(root: Path, sql: str) -> list[dict[str, object]]:
    with Cache(root / ".aether" / "cache.duckdb").read() as lease:
        return lease.rows(sql)


class Service:
    """A board whose cards change under the reader, with ETags, limits and deaths where a test wants them."""

    def __init__(self, *ids: str) -> None:
        self.ids = list(ids)
        self.tags = True
        self.headers: dict[str, str] = {}
        self.total: int | None = None
        self.broken: dict[str, Reply] = {}

    def __call__(self, request: Request) -> Reply:
        if request.path in self.broken:
            return self.broken[request.path]
        tag = f'"{hash(tuple(self.ids))}"'
        if self.tags and request.headers.get("if-none-match") == tag:
            return Reply(b"", 304, {**self.headers, "ETag": tag})
        body = cards(*(self.ids if request.path != "/notes" else []), **({"total": self.total} if self.total else {}))
        return Reply(body, headers={**self.headers, **({"ETag": tag} if self.tags else {})})


def test_a_second_sync_of_the_same_asks_whether_anything_changed(tmp_path: Path) -> None:
    service = Service("a", "b")
    with serving(service) as server:
        sync(tmp_path, server.url)
        (quiet, _) = sync(tmp_path, server.url)
        assert [r.headers.get("if-none-match") is not None for r in server.requests if r.path == "/cards"] == [
            False,
            True,
        ]
        assert (quiet.counts.rows, quiet.counts.updated, quiet.traffic.requests) == (0, 0, 1)
        service.ids.append("c")
        assert sync(tmp_path, server.url)[0].counts.inserted == 2  # the card and its move
        assert sync(tmp_path, server.url, full=True)[0].counts.rows == 3  # all of it again, unconditionally
    assert rows(tmp_path, "SELECT count(*) AS n FROM work_items") == [{"n": 3}]


def test_an_etag_is_not_remembered_before_the_rows_are_stored(tmp_path: Path) -> None:
    service = Service("a")
    service.broken["/cards"] = Reply(b'{"cards": [', headers={"ETag": '"half"'})
    with serving(service) as server:
        assert sync(tmp_path, server.url)[0].error
        del service.broken["/cards"]
        assert sync(tmp_path, server.url)[0].counts.rows == 1
        assert [r.headers.get("if-none-match") for r in server.requests if r.path == "/cards"] == [None] * 3


def test_a_limit_is_remembered_by_the_next_run_which_waits_or_asks_nothing(tmp_path: Path) -> None:
    service = Service("a")
    # The server's clock is an hour ahead of ours, its reset 90 s after its own present.
    service.headers = {
        "Date": "Fri, 20 Nov 2026 13:00:00 GMT", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1795179690",
    }  # fmt: skip
    with serving(service) as server:
        time = Time()
        sync(tmp_path, server.url, time)
        assert time.waits == [90.0]  # between the two streams, to the second
        sync(tmp_path, server.url, again := Time())
        assert again.waits[0] == 180.0  # this clock begins anew: the last answer came at 90 s, and told 90 more
        service.headers["X-RateLimit-Reset"] = "1795183200"  # an hour: longer than a sync may wait
        sync(tmp_path, server.url)
        asked = len(server.requests)
        (told, _) = sync(tmp_path, server.url)
        assert len(server.requests) == asked
        assert "limit is used up" in told.error
        assert told.hint == "run sync again after 2026-11-20 13:06 UTC"  # the answer came at 360 s
        # Limits belong to a credential: another one may ask.
        assert not sync(tmp_path, server.url, token="t0ken-two")[0].error


def test_a_wait_the_server_asks_for_is_kept_to_the_second(tmp_path: Path) -> None:
    service, time, came = Service("a"), Time(), []
    answers = [Reply({}, 429, {"Retry-After": "7"}), Reply({}, 503, {"Retry-After": "11"})]

    def busy(request: Request) -> Reply:
        came.append((time.now() - NOW).total_seconds())
        return answers.pop(0) if answers else service(request)

    with serving(busy) as server:
        (done, _) = sync(tmp_path, server.url, time)
    assert came[:3] == [0.0, 7.0, 18.0]
    assert (done.traffic.waited_s, done.traffic.seconds, done.traffic.requests) == (18.0, 18.0, 3)


def test_what_is_gone_at_the_source_goes_once_a_day_and_leaves_a_tombstone(tmp_path: Path) -> None:
    service = Service("a", "b", "c")
    with serving(service) as server:
        sync(tmp_path, server.url)
        service.ids.remove("b")
        assert "/ids" not in {r.path for r in server.requests}  # nothing can be gone yet
        sync(tmp_path, server.url, days=0.5)
        assert "/ids" not in {r.path for r in server.requests}
        (swept, _) = sync(tmp_path, server.url, days=1.1)
        assert swept.counts.removed == 1
        assert "1 row gone at the source" in swept.problems[0]
        assert sync(tmp_path, server.url, days=1.2)[0].counts.removed == 0
        assert rows(tmp_path, "SELECT id FROM work_items ORDER BY id") == [{"id": "a"}, {"id": "c"}]
        assert rows(tmp_path, "SELECT count(*) AS n FROM work_transitions") == [{"n": 2}]
        assert rows(tmp_path, "SELECT id FROM flow_items ORDER BY id") == [{"id": "a"}, {"id": "c"}]
        assert rows(tmp_path, 'SELECT "table", key FROM tombstones') == [{"table": "work_items", "key": "b"}]
        service.ids.append("b")
        sync(tmp_path, server.url, days=3)
        assert rows(tmp_path, "SELECT key FROM tombstones") == []
    assert rows(tmp_path, "SELECT count(*) AS n FROM work_items") == [{"n": 3}]


def test_a_lost_permission_is_not_taken_for_deletions(tmp_path: Path) -> None:
    service = Service(*(f"c{n}" for n in range(50)))
    with serving(service) as server:
        sync(tmp_path, server.url)
        service.ids = service.ids[:10]
        (swept, _) = sync(tmp_path, server.url, days=2)
        assert "40 of 50 rows are no longer listed" in swept.problems[0]
        assert rows(tmp_path, "SELECT count(*) AS n FROM work_items") == [{"n": 50}]
        assert sync(tmp_path, server.url, days=2, full=True)[0].counts.removed == 40
        service.broken["/ids"] = Reply({"message": "no"}, 403)
        (failed, _) = sync(tmp_path, server.url, days=4)
    assert failed.error == ""
    assert "was not looked for" in failed.problems[0]
    assert rows(tmp_path, "SELECT count(*) AS n FROM work_items") == [{"n": 10}]


def test_fewer_rows_than_the_source_counts_are_told(tmp_path: Path) -> None:
    service = Service("a", "b")
    service.total, service.tags = 5, False
    with serving(service) as server:
        (done, _) = sync(tmp_path, server.url)
        assert "counts 5 rows and 2 came" in done.problems[0]
        service.total = 2
        assert sync(tmp_path, server.url)[0].problems == []


def test_an_expired_token_says_when_and_what_to_run(tmp_path: Path) -> None:
    service = Service("a")
    with serving(service) as server:
        sync(tmp_path, server.url)
        service.broken["/cards"] = Reply({"message": "Your token expired on 2026-10-01T00:00:00Z"}, 401)
        (told, other) = sync(tmp_path, server.url)
        assert told.error.startswith("token expired 2026-10-01 (")
        assert told.hint.startswith("run `aether-tui auth set one`")
        assert other.error.startswith("not tried: token expired 2026-10-01")
        service.broken["/cards"] = Reply({"message": "Bad credentials"}, 401)
        (told, _) = sync(tmp_path, server.url, days=40)
        assert "it worked last on 2026-11-20: expired or revoked since" in told.error
        # The day was told while it still worked.
        service.broken.clear()
        service.headers = {"GitHub-Authentication-Token-Expiration": "2026-12-24 08:00:00 UTC"}
        service.tags = False
        sync(tmp_path, server.url)
        service.broken["/cards"] = Reply({"message": "Bad credentials"}, 401)
        assert (
            "token expired 2026-12-24; the credential was not accepted" in sync(tmp_path, server.url, days=40)[0].error
        )


def test_a_missing_permission_is_named_and_the_other_streams_go_on(tmp_path: Path) -> None:
    service = Service("a")
    with serving(service) as server:
        for reply, named in (
            (Reply({"message": "no"}, 403), "give it read:cards"),
            (Reply({"error": "insufficient_scope", "scope": "read:board"}, 403), "give it read:board"),
            (Reply({}, 403, {"X-Accepted-OAuth-Scopes": "repo"}), "give it repo"),
            (
                Reply({}, 403, {"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="cards:read"'}),
                "give it cards:read",
            ),
        ):
            service.broken["/cards"] = reply
            told, other = sync(tmp_path, server.url)
            assert told.hint.startswith(named), told.hint
            assert "aether-tui auth set one" in told.hint
            assert other.error == ""

"""A connector without a network: a deterministic tracker and tracer, whose every misbehaviour is a setting.

It is handed to the engine as an object; nothing in the product knows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from aether_tui.cache import Cache
from aether_tui.cache.turn import Turn
from aether_tui.config import Config
from aether_tui.ingest import Ingest, workspace_key
from aether_tui.records.source import (
    Access,
    Denied,
    Network,
    Offline,
    Page,
    RateLimited,
    Refused,
    Reject,
    Source,
    Stream,
)
from aether_tui.records.tables import SPANS, WORK_ITEMS, WORK_TRANSITIONS
from aether_tui.sync.intake import Writer
from aether_tui.sync.plan import Job, plan
from aether_tui.workspace.folder import Workspace

DAY0 = datetime(2026, 10, 1)  # noqa: DTZ001  # instants in rows are naive UTC
STATES = (("Todo", "unstarted"), ("Doing", "started"), ("Done", "completed"))

ITEMS = Stream("items", (WORK_ITEMS, WORK_TRANSITIONS), overlap_s=3600)
TRACES = Stream("traces", (SPANS,), overlap_s=600)


class FakeSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str = ""
    enabled: bool = True
    url: str = "replay:nothing"
    pages: int = 6
    rows: int = 40
    text: str = ""
    fail: str = ""
    fail_at: int = 2
    stream: str = "items"
    per_page: float = 0


class Fake:
    """Pages of one hour each, oldest first, the cursor after every page."""

    kind = "fake"
    Settings = FakeSettings
    SECRETS = ("token",)
    streams = (ITEMS, TRACES)
    access = Access("a token", ("read",), ("everything",))
    seen: ClassVar[list[tuple[str, str, str | None]]] = []
    secrets_seen: ClassVar[list[dict[str, str]]] = []

    def __init__(self, settings: FakeSettings, secrets: Mapping[str, str], network: Network) -> None:
        self.settings = settings
        self.network = network
        self.closed = False
        self.total = 0
        self.turn: Turn | None = None
        self.secrets_seen.append(dict(secrets))
        if settings.fail == "stillborn":
            raise KeyError(secrets.get("token"))

    async def pages(self, stream: Stream, since: str | None) -> AsyncIterator[Page]:
        self.seen.append((self.network.source, stream.name, since))
        self.total = self.settings.pages * self.settings.rows
        start = DAY0 if since is None else datetime.fromisoformat(since) - timedelta(seconds=stream.overlap_s)
        for number in range(self.settings.pages):
            at = DAY0 + timedelta(hours=number)
            if at < start:
                self.total -= self.settings.rows
                continue
            if self.settings.fail and number == self.settings.fail_at and stream.name == self.settings.stream:
                self.misbehave()
                while self.settings.fail == "endless":
                    await asyncio.sleep(0)
                    yield self.page(stream, number, at)
                if self.settings.fail == "hang":
                    await asyncio.Event().wait()
            self.network.requests += 1
            await asyncio.sleep(self.settings.per_page)
            yield self.page(stream, number, at)

    def misbehave(self) -> None:
        match self.settings.fail:
            case "denied":
                raise Denied("Fake: 401, the credential was not accepted", hint="run `aether-tui auth set`")
            case "offline":
                raise Offline("Fake cannot be reached")
            case "limited":
                raise RateLimited("Fake: quota used up", opens_at=DAY0 + timedelta(days=99))
            case "leaky":
                raise Refused("Fake said: token=s3cr3t-canary of jane@example.com is bad")
            case "turn":
                # Somebody else takes the cache and keeps it.
                self.turn = Turn.take(self.network.root / ".aether" / "cache.turn", 5)
            case "bug":
                raise KeyError("nodes")

    def page(self, stream: Stream, number: int, at: datetime) -> Page:
        text = self.settings.text
        first = number * self.settings.rows
        cursor = (at + timedelta(minutes=59)).isoformat()
        total = self.total
        if stream is TRACES:
            rows = [
                SPANS.row(
                    trace_id=f"{n // 4:032x}", span_id=f"{n:016x}", parent_id=f"{n - 1:016x}" if n % 4 else None,
                    name=f"chat {text}".strip(), operation="chat", start=at + timedelta(seconds=n % 3600),
                    duration_s=0.5 + n % 7, provider="openai", model="gpt-4o", input_tokens=500 + n % 300,
                    output_tokens=50 + n % 90, status="ok", conversation=f"c{n % 9}{text}", user=f"user {n % 5} {text}",
                    source_service="answers", attributes=f'{{"app.feature": "f{n % 3}", "note": "{text}"}}',
                )
                for n in range(first, first + self.settings.rows)
            ]  # fmt: skip
            return Page({SPANS.name: rows}, cursor=cursor, total=total)
        items, moves = [], []
        for n in range(first, first + self.settings.rows):
            state, state_type = STATES[n % 3]
            items.append(
                WORK_ITEMS.row(
                    id=f"item-{n}", key=f"ENG-{n}", title=f"Item {n} {text}".strip(), source_type="Bug" if n % 2 else "Story",
                    state=state, state_type=state_type, created=at, updated=at + timedelta(minutes=n % 60),
                    completed=at + timedelta(minutes=50) if state == "Done" else None, source_team="ENG",
                    assignee=f"person {n % 7} {text}", labels=(f"l{n % 4}", f"x {text}"), url=f"https://t.example/{n}?q={text}",
                )
            )  # fmt: skip
            for place in range(n % 3 + 1):
                to, to_type = STATES[place]
                moves.append(
                    WORK_TRANSITIONS.row(
                        item_id=f"item-{n}", at=at + timedelta(minutes=10 * place), to_state=to, to_type=to_type,
                        actor=f"person {n % 7}", source_team="ENG",
                    )
                )  # fmt: skip
        rejects = [
            Reject(WORK_ITEMS.name, f"no id {text}", f"{{'n': {number}, 'x': '{text}'}}", f"page {number} {text}")
        ]
        problems = (f"1 unknown {text}".strip(),) if number == 1 else ()
        return Page(
            {WORK_ITEMS.name: items, WORK_TRANSITIONS.name: moves},
            cursor=cursor, rejects=rejects if number % 3 == 0 else [], total=total, problems=problems,
        )  # fmt: skip

    async def check(self) -> str:
        return "fake"

    async def close(self) -> None:
        self.closed = True
        if self.settings.fail == "restless":
            raise RuntimeError("will not end")
        if self.turn is not None:
            self.turn.release()


def find(kind: str) -> type[Source]:
    """The registry of these tests."""
    assert kind == "fake"
    return Fake


def workspace(root: Path, **sources: dict[str, object]) -> tuple[Workspace, Config]:
    """A workspace whose sources are all fakes."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "aether.toml").touch()
    tables = {name: {"kind": "fake", **settings} for name, settings in sources.items()}
    return Workspace(root), Config.model_validate({"sources": tables})


def jobs(place: Workspace, config: Config, now: datetime, *names: str) -> list[Job]:
    return plan(config, place, names, now=lambda: now, find=find)


def writer(place: Workspace, config: Config, now: datetime, wait_s: float = 30) -> Writer:
    return Writer(Cache(place.cache_path, wait_s=wait_s), Ingest(config, workspace_key(place)), lambda: now)

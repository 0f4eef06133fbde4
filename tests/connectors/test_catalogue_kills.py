"""The failure catalogue, its rows about ends that nobody chose: kill -9, a second sync beside it, and what the next one finds."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from aether_tui.cli.sync import alone
from aether_tui.errors import CacheTrouble
from aether_tui.sync.engine import Outcome, run
from aether_tui.sync.plan import Job
from aether_tui.workspace.folder import Workspace
from tests.command import aether
from tests.connectors.catalogue import shows
from tests.connectors.kinds import BEHIND, CANARY, KINDS, Kind
from tests.connectors.pull import NOW, network
from tests.connectors.server import Reply, Request, serving
from tests.sync.fake import workspace, writer
from tests.sync.kills import dump

FINE = "2026-11-10T00:00:00Z"


@dataclass
class Service:
    """Three records on two pages where a connector knows pages; it can be made to hold one request back."""

    kind: Kind
    held_at: int = 0
    asked: int = 0
    holding: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def __call__(self, request: Request) -> Reply:
        self.asked += 1
        if self.asked == self.held_at:
            self.holding.set()
            self.go_on.wait(60)
        if self.kind.record is None:
            return self.kind.page(request, [{"day": f"2026-11-1{n}", "value": n} for n in range(3)], None)
        found = [self.kind.record.make(n, FINE) for n in (1001, 1002, 1003)]
        if not self.kind.paged:
            return self.kind.page(request, found, None)
        behind = BEHIND in f"{request.target} {request.json}"
        alone = request.path.rpartition("/")[2].isdigit()  # one record is asked for, not a page
        return self.kind.page(
            request, found if alone else found[2:] if behind else found[:2], None if behind or alone else BEHIND
        )


def sync(kind: Kind, root: Path, url: str, at: datetime) -> list[Outcome]:
    """A sync in this process."""
    place, config = workspace(root)
    job = Job("one", kind.cls, kind.cls.Settings(url=url, **kind.settings),
              network(source="one", now=lambda: at), dict.fromkeys(kind.cls.SECRETS, CANARY))  # fmt: skip
    return asyncio.run(run([job], writer(place, config, at), lambda _: None))


def configured(kind: Kind, root: Path, url: str) -> dict[str, str]:
    """A workspace with this source; the environment with its credentials."""
    values = {"kind": kind.cls.kind, "url": url, **kind.settings}
    root.mkdir()
    (root / "aether.toml").write_text(
        "\n".join(["[sources.one]", *(f"{k} = {json.dumps(v)}" for k, v in values.items())])
    )
    return {f"AETHER_ONE_{name.upper()}": CANARY for name in kind.cls.SECRETS}


def rows(root: Path) -> dict[str, Any]:
    """What is stored, without the traffic that the last run counted."""
    found = dump(root / ".aether" / "cache.duckdb")
    return {**found, "sync_state": [row[:7] for row in found["sync_state"]]}


class Ended(NamedTuple):
    """How a command ended, and how long after the signal."""

    code: int
    seconds: float


def struck(kind: Kind, service: Service, root: Path, url: str, key: Path, number: int, with_signal: int) -> Ended:
    """The command in a new workspace, ended by a signal while its request `number` is unanswered; a second one is refused."""
    env = configured(kind, root, url)
    (root / ".aether").mkdir()
    (root / ".aether" / "person.key").write_bytes(key.read_bytes())
    service.held_at = service.asked + number
    service.holding.clear()
    service.go_on.clear()
    with ThreadPoolExecutor(1) as beside:
        running = beside.submit(aether, "--as-of", NOW.isoformat(), "sync", "--yes", cwd=root, env=env)
        try:
            assert service.holding.wait(60)
            with pytest.raises(CacheTrouble, match="another sync is running") as other, alone(Workspace(root)):
                pass
            found = re.search(r"process (\d+)", str(other.value))
            assert found
            began = time.monotonic()
            os.kill(int(found[1]), with_signal)
            return Ended(running.result().code, time.monotonic() - began)
        finally:
            service.go_on.set()


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
@shows(31, 33)
def test_killed_at_a_request_the_next_sync_ends_as_if_it_had_never_been(kind: Kind, tmp_path: Path) -> None:
    calm, torn, service = tmp_path / "calm", tmp_path / "torn", Service(kind)
    with serving(service) as server:
        first = sync(kind, calm, server.url, NOW)
        assert [outcome.error for outcome in first if outcome.error] == []
        assert first[0].counts.inserted > 0
        number = max(1, service.asked * 2 // 3)
        ended = struck(kind, service, torn, server.url, calm / ".aether" / "person.key", number, signal.SIGKILL)
        assert ended.code == -signal.SIGKILL

        with alone(Workspace(torn)):
            again = sync(kind, torn, server.url, NOW)
        assert [outcome.error for outcome in again if outcome.error] == []
        assert rows(torn) == rows(calm)

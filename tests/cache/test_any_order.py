"""Whatever the order, overlap and repetition of what arrives: the rows and rollups of one clean load."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from aether_tui.cache import Cache
from aether_tui.cache.schema import ROLLUPS
from aether_tui.config import Config
from aether_tui.ingest import Ingest
from aether_tui.records import TABLES, Row, Value
from tests.cache.samples import DAY_ONE, NOW, dump, fresh, rows

NAMES = ("spans", "work_items", "work_transitions", "outcomes")
SWEPT = (TABLES["work_items"], TABLES["work_transitions"])
EVER = datetime.min.replace(tzinfo=UTC)
SINCE = DAY_ONE + timedelta(days=5)
MANY = settings(
    max_examples=int(os.environ.get("AETHER_EXAMPLES", "1")),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # a smaller seed is not a simpler story
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
SCORES = {"name 1*": ["value 0 é", "value 1 é"], "name 2 *": ["value 3 é"]}
FIRST = Config.model_validate(
    {"mapping": {"services": {"a*": "api"}, "features": {"source_service*": "found"}, "scores": SCORES}}
)
OTHER = Config.model_validate(
    {
        "mapping": {
            "services": {"a*": "other"},
            "environments": {"source_environment*": "staging"},
            "scores": {"name 2 *": ["value 3 é"], "name 3 *": ["value 0 é"]},
        },
        "prices": [
            {"model": "m*", "input_usd_per_million": "3", "output_usd_per_million": "9", "valid_from": "2020-01-01"}
        ],
    }
)


def versions(name: str, seed: int) -> list[Row]:
    """Raw rows, changed ones among them: other content, another day, another trace's parent; some of them twice."""
    rng, table = random.Random(seed), TABLES[name]
    found = rows(name, 30, seed)
    key = [place for place, column in enumerate(table.columns) if column.name in table.key]
    for row in rng.sample(found, 10):
        (other,) = rows(name, 1, rng.randrange(10**6))
        pairs = enumerate(zip(row, other, strict=True))
        found.append(tuple(own if place in key or rng.random() < 0.5 else new for place, (own, new) in pairs))
    raw = [row[: len(table.raw)] for row in found]
    return raw + rng.sample(raw, 10)


@dataclass
class Piece:
    """Rows of a table, said at an instant."""

    name: str
    rows: list[Row]
    said: datetime = NOW


@dataclass
class Look:
    """The source is asked which work items it has."""

    alive: frozenset[str]
    said: datetime = NOW


@dataclass
class Story:
    """What happens to a cache, in the order in which it does. Everything is said in order; pieces are repeated later."""

    seed: int
    events: list[Piece | Look | str] = field(default_factory=list)

    @classmethod
    def of(cls, seed: int, *apart: str) -> Story:
        """A random one; `apart` happen once each, somewhere."""
        rng, told = random.Random(seed), cls(seed)
        pieces = [Piece(name, part) for name in NAMES for part in cut(versions(name, seed), rng)]
        rng.shuffle(pieces)
        told.events += [*pieces, *apart]
        for _ in range(2):
            alive = frozenset(f"id{number}" for number in range(30) if rng.random() < 0.8)
            told.events.insert(rng.randrange(1, len(told.events)), Look(alive))
        for word in apart:
            told.events.remove(word)
            told.events.insert(rng.randrange(1, len(told.events)), word)
        for minute, event in enumerate(told.events):
            if not isinstance(event, str):
                event.said = NOW + timedelta(minutes=minute)
        for piece in pieces:
            if rng.random() < 0.4:
                told.repeat(piece, rng)
        return told

    def repeat(self, piece: Piece, rng: random.Random) -> None:
        """Have a piece come once more, but not after the source has been looked at twice: tombstones of things that are back
        are forgotten then."""
        first = self.events.index(piece)
        looks = [place for place, event in enumerate(self.events) if isinstance(event, Look) and place > first]
        last = looks[1] if len(looks) > 1 else len(self.events)
        self.events.insert(rng.randrange(first, last) + 1 if last > first + 1 else first + 1, piece)

    def left(self, name: str) -> list[Row]:
        """The rows of a table that were said after what they are of was missed the last time."""
        table, gone = TABLES[name], self.gone() if TABLES[name] in SWEPT else {}
        thing = [column.name for column in table.raw].index(table.of[0][1] if table.of else table.key[0])
        told = [event for event in self.events if isinstance(event, Piece) and event.name == name]
        return [row for piece in told for row in piece.rows if piece.said > gone.get(row[thing], EVER)]

    def gone(self) -> dict[object, datetime]:
        """When a work item that had come was missed, the last time."""
        here, gone = set[object](), dict[object, datetime]()
        for event in self.events:
            if isinstance(event, Piece) and event.name == "work_items":
                here |= {row[0] for row in event.rows if event.said > gone.get(row[0], EVER)}
            elif isinstance(event, Look):
                gone |= dict.fromkeys(here - event.alive, event.said)
                here &= event.alive
        return gone


def cut(arriving: list[Row], rng: random.Random) -> list[list[Row]]:
    """All of them, shuffled and cut into pieces of any size."""
    rng.shuffle(arriving)
    places = sorted(rng.sample(range(1, len(arriving)), 3))
    return [arriving[low:high] for low, high in zip([0, *places], [*places, None], strict=True)]


def store(cache: Cache, ingest: Ingest, name: str, raw: Sequence[Row], said: datetime = NOW) -> None:
    prepared = {name: ingest.prepare(TABLES[name], raw)}
    cache.merge("s", "x", prepared, mapping_hash=ingest.mapping_hash, now=said)


def look(cache: Cache, event: Look) -> None:
    sweep = cache.sweep("s", "x", SWEPT[0], now=event.said)
    sweep.add(sorted(event.alive))
    cache.swept(sweep, force=True)


def frozen(cache: Cache) -> dict[str, list[dict[str, Value]]]:
    """Rows of rollups by spans that begin before an instant."""
    of_spans = {"duration_hist": "AND kind IN ('llm_latency', 'first_token', 'task_latency')"}
    with cache.read() as lease:
        return {
            name: lease.rows(f"FROM {name} WHERE {bucket} < TIMESTAMP '{SINCE}' {of_spans.get(name, '')} ORDER BY ALL")
            for name, columns in ROLLUPS.items()
            for bucket in ("hour", "day", "start")
            if bucket in columns and not name.startswith("flow")
        }


def found(cache: Cache, but: str = "") -> dict[str, list[str]]:
    """What is stored, but for bookkeeping, and for what there is of a table and the rollups that do not begin with `flow`."""
    kept = [name for name in (*TABLES, *ROLLUPS) if not but or (name != but and (name in TABLES or "flow" in name))]
    stored = dump(cache)
    return {name: stored[name] for name in kept}


@pytest.mark.parametrize(("pruned", "prepared_rows"), [(False, 10**9), (True, 1)])
@MANY
@given(seed=st.integers(0, 10**6))
@example(seed=32199)  # a history to which a rowid is missed, most of the time, where rows are looked for by it
def test_whatever_happens_in_whatever_order_ends_as_one_clean_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pruned: bool, prepared_rows: int, seed: int
) -> None:
    """Random pieces, duplicates, late and changed rows, changed starts, tombstones, another mapping and other prices; and,
    pruned in between, days that stay as they were. Slices are small; what they add is computed in the lease or before it."""
    monkeypatch.setattr("aether_tui.cache.merge.SLICE_ROWS", 25)
    monkeypatch.setattr("aether_tui.cache.merge.PREPARED_ROWS", prepared_rows)
    numbers = iter(range(1000))
    new: Callable[[], Cache] = lambda: fresh(tmp_path / str(len(list(tmp_path.iterdir()))), str(next(numbers)))  # noqa: E731
    story = Story.of(seed, "mapping", *["prune"] * pruned)
    ingest, after = Ingest(FIRST, bytes(32)), Ingest(OTHER, bytes(32))
    cache, clean = new(), new()
    before: dict[str, list[dict[str, Value]]] | None = None
    for event in story.events:
        if isinstance(event, Piece):
            store(cache, ingest, event.name, event.rows, event.said)
        elif isinstance(event, Look):
            look(cache, event)
        elif event == "mapping":
            ingest = after
            cache.rederive(after, after.mapping_hash)
        else:
            cache.prune({"spans": (NOW.replace(tzinfo=None) - SINCE).days}, now=NOW)
            before = frozen(cache)
    for name in NAMES:
        store(clean, after, name, story.left(name))
    assert found(cache, "spans" if pruned else "") == found(clean, "spans" if pruned else "")
    assert [line for line in cache.verify() if "belong to no row" not in line] == []
    if before is not None:
        assert frozen(cache) == before

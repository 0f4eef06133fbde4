"""Deriving again a slice at a time: while others write, stopped and begun again, and of long texts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aether_tui.cache import Cache, rederive
from aether_tui.config import Config
from aether_tui.ingest import Ingest, prices
from aether_tui.ingest.derive import Deriver
from aether_tui.records import TABLES, Row, Table, Value
from aether_tui.records.tables import SPANS
from tests.cache.samples import DAY_ONE, NOW, fresh, full

ITEMS = TABLES["work_items"]


def item(number: int, title: str = "x", team: str = "old", updated: datetime = DAY_ONE) -> Row:
    created = DAY_ONE + timedelta(days=number)
    return full(
        ITEMS, id=f"i{number}", title=title, created=created, updated=updated, source_team=f"t{number}", team=team
    )


def merge(cache: Cache, *items: Row, mapping: str = "old") -> None:
    cache.merge("s", "x", {"work_items": items}, mapping_hash=mapping, now=NOW)


def execute(cache: Cache, statement: str) -> None:
    with cache._write() as connection:
        connection.execute(statement)


def items(cache: Cache, *columns: str) -> list[tuple[Value | list[str], ...]]:
    with cache.read() as lease:
        return [tuple(row.values()) for row in lease.rows(f"SELECT {', '.join(columns)} FROM work_items ORDER BY id")]


@dataclass
class Team:
    """Every item gets the team `new`, slice by slice; what each is derived from is kept in `said`."""

    said: list[int]
    stop_at: int = 99
    deriver: Deriver = Ingest(Config(), bytes(32)).deriver

    def inputs(self, table: Table) -> tuple[str, ...]:
        return ("source_team", "title") if table is ITEMS else ()

    def derive(self, table: Table, rows: Sequence[Row]) -> list[Row]:
        self.said.append(len(rows))
        if len(self.said) == self.stop_at:
            raise KeyboardInterrupt
        return [(*row, *("new" if column.name == "team" else None for column in table.derived)) for row in rows]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    """Five items of an old mapping, two of which are derived at a time."""
    monkeypatch.setattr(rederive, "SLICE_ROWS", 2)
    cache = fresh(tmp_path)
    merge(cache, *map(item, range(5)))
    return cache


def test_what_was_stopped_goes_on_where_it_was(cache: Cache) -> None:
    with pytest.raises(KeyboardInterrupt):
        cache.rederive(Team([], stop_at=3), "new")
    assert sorted(items(cache, "team", "mapping_hash")) == [("new", "new")] * 4 + [("old", "old")]
    assert cache.verify() == []
    assert cache.rederive(Team(again := []), "new") == sum(again) == 1
    assert set(items(cache, "team", "mapping_hash")) == {("new", "new")}
    assert cache.verify() == []


def test_two_programs_with_different_mappings_do_not_derive_for_ever(cache: Cache) -> None:
    theirs = [item(number, team="theirs") for number in range(5)]

    @contextmanager
    def write(cursor: Any) -> Iterator[Any]:
        with cache._write(cursor):
            yield cursor
        merge(cache, *theirs, mapping="theirs")

    with cache._leases.cursor() as cursor:
        assert rederive.rederive_rows(cursor, cache.read, write, Team([]), "new") == 6
    assert set(items(cache, "mapping_hash")) == {("theirs",)}


@dataclass
class Titled(Team):
    """Every item gets its title as its team."""

    def derive(self, table: Table, rows: Sequence[Row]) -> list[Row]:
        place = [column.name for column in table.raw].index("title")
        full = super().derive(table, rows)
        return [
            (*row[: len(table.raw)], *(row[place] if one == "new" else one for one in row[len(table.raw) :]))
            for row in full
        ]


def test_what_changes_while_it_is_derived_ends_as_a_clean_load(cache: Cache) -> None:
    """Of what has just been read: another program derives it all, a row changes in its place, and one comes again."""
    changes = iter(
        [
            lambda: cache.rederive(Team([]), "theirs"),
            lambda: execute(cache, "UPDATE work_items SET title = 'z' WHERE id = 'i2'"),
            lambda: merge(cache, item(4, title="y", updated=DAY_ONE + timedelta(days=1))),
        ]
    )

    @contextmanager
    def write(cursor: Any) -> Iterator[Any]:
        with cache._write(cursor):
            yield cursor
        next(changes, lambda: None)()

    with cache._leases.cursor() as cursor:
        rederive.rederive_rows(cursor, cache.read, write, Titled([]), "new")
        assert next(changes, None) is None
        rederive.rederive_rows(cursor, cache.read, write, Titled([]), "new")  # what the other one took back
    assert items(cache, "title", "team", "mapping_hash") == [(title, title, "new") for title in "xxzxy"]
    assert cache.verify() == []


@dataclass
class Met(Team):
    """As `Team`, and tells of its first slice."""

    met: Callable[[], object] = bool

    def derive(self, table: Table, rows: Sequence[Row]) -> list[Row]:
        if not self.said:
            self.met()
        return super().derive(table, rows)


def test_who_would_derive_the_same_waits_for_who_does(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aether_tui.cache.turn.QUIET_S", 0.01)
    met = threading.Event()
    monkeypatch.setattr("aether_tui.cache.turn.say_waiting", lambda _: met.set())
    late = Met([], met=met.set)
    with ThreadPoolExecutor(1) as pool:
        first = Met([], met=lambda: (second.append(pool.submit(cache.rederive, late, "new")), met.wait(60)))
        second: list[Future[int]] = []
        assert cache.rederive(first, "new") == 5
        assert second[0].result(60) == 0
    assert late.said == []
    assert sum(first.said) == 5


def test_of_long_texts_fewer_are_read_at_a_time(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rederive, "SLICE_ROWS", 5)
    monkeypatch.setattr(rederive, "SLICE_BYTES", 5)
    assert cache.rederive(Team(said := []), "new") == 5
    assert said == [2, 2, 1]


def test_no_price_is_asked_for_while_others_wait(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    held, write = [False], cache._write

    @contextmanager
    def noted(*args: Any, **options: Any) -> Iterator[Any]:
        with write(*args, **options) as connection:
            held[0] = True
            yield connection
        held[0] = False

    def asked_for(provider: str | None, model: str) -> None:
        asked.append(held[0])

    call = full(SPANS, trace_id="t", span_id="s", start=DAY_ONE, model="gpt-4o", input_tokens=5)
    cache.merge("s", "x", {"spans": [call]}, mapping_hash="old", now=NOW)
    monkeypatch.setattr(cache, "_write", noted)
    monkeypatch.setattr(prices, "shipped", asked_for)
    ingest = Ingest(Config(), bytes(32))
    cache.rederive(ingest, ingest.mapping_hash)
    assert asked
    assert not any(asked)


def test_what_many_leases_moved_is_put_together_again(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each puts the requests of its spans behind the others, in a row group of its own."""
    monkeypatch.setattr("aether_tui.cache.store.SLICE_ROWS", 2)
    calls = [
        full(
            SPANS,
            trace_id=f"t{n}",
            span_id="s",
            operation="chat",
            start=DAY_ONE,
            model="m",
            input_tokens=5,
            output_tokens=5,
        )
        for n in range(4)
    ]
    cache.merge("s", "x", {"spans": calls}, mapping_hash="old", now=NOW)
    price = {"model": "m", "valid_from": "2020-01-01", "input_usd_per_million": 1, "output_usd_per_million": 1}
    ingest = Ingest(Config.model_validate({"prices": [price]}), bytes(32))
    assert cache.rederive(ingest, ingest.mapping_hash) == 4 + 5
    with cache.read() as lease:
        (found,) = lease.rows("SELECT count(DISTINCT row_group_id) AS n FROM pragma_storage_info('tasks')")
        (priced,) = lease.rows("SELECT count(cost_usd) AS n FROM tasks")
    assert (found["n"], priced["n"]) == (1, 4)

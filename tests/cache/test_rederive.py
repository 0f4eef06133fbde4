"""Deriving again while others write, whatever the clock says: it ends, and nothing comes, goes or wins by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aether_tui.cache import Cache
from aether_tui.errors import CacheTrouble
from aether_tui.records import TABLES, Row, Table, Value
from tests.cache.samples import DAY_ONE, NOW, fresh, full

ITEMS = TABLES["work_items"]


def item(number: int, title: str = "x", team: str = "old", updated: datetime = DAY_ONE) -> Row:
    created = DAY_ONE + timedelta(days=number)
    return full(ITEMS, id=f"i{number}", title=title, created=created, updated=updated, team=team)


def merge(cache: Cache, *items: Row, said: datetime = NOW, mapping: str = "old") -> int:
    """Rows that counted as late."""
    return cache.merge("s", "x", {"work_items": items}, mapping_hash=mapping, now=said).late


def look(cache: Cache, *alive: str, said: datetime) -> None:
    sweep = cache.sweep("s", "x", ITEMS, now=said)
    sweep.add(alive)
    cache.swept(sweep, force=True)


def items(cache: Cache, *columns: str) -> list[tuple[Value | list[str], ...]]:
    with cache.read() as lease:
        return [tuple(row.values()) for row in lease.rows(f"SELECT {', '.join(columns)} FROM work_items ORDER BY id")]


@dataclass
class Team:
    """Every item gets the team `new`; `meanwhile` happens between reading and writing."""

    meanwhile: Callable[[], object] = lambda: None
    title: str | None = None

    def inputs(self, table: Table) -> tuple[str, ...]:
        return ()

    def derive(self, table: Table, rows: Sequence[Row]) -> list[Row]:
        self.meanwhile()
        names = [column.name for column in table.raw]
        changed: dict[str, Value] = {"team": "new"} | ({"title": self.title} if self.title else {})
        return [full(table, **(dict(zip(names, row, strict=True)) | changed)) for row in rows]


def test_an_item_that_was_gone_and_is_back_is_derived_again_and_keeps_its_instants(tmp_path: Path) -> None:
    """There was no end of it when the clock stood before the deletion: the item counted as gone, and stayed as it was."""
    cache, days = fresh(tmp_path), [NOW + timedelta(days=day) for day in range(5)]
    merge(cache, item(1), item(2))
    look(cache, "i2", said=days[1])
    merge(cache, item(1), said=days[2])
    assert cache.rederive(Team(), "new") == 2
    back = days[2].astimezone(UTC).replace(tzinfo=None)
    assert items(cache, "id", "team", "mapping_hash", "ingested_at") == [
        ("i1", "new", "new", back),
        ("i2", "new", "new", NOW.replace(tzinfo=None)),
    ]
    newer = DAY_ONE + timedelta(days=9)
    assert merge(cache, item(1, "too early", updated=newer), said=NOW, mapping="new") == 1  # before it was gone
    assert merge(cache, item(1, "newer", updated=newer), said=days[3], mapping="new") == 0
    assert items(cache, "id", "title") == [("i1", "newer"), ("i2", "x")]
    look(cache, "i2", said=days[4])
    assert items(cache, "id") == [("i2",)]
    assert cache.verify() == []


def test_what_goes_or_changes_meanwhile_is_not_brought_back(tmp_path: Path) -> None:
    cache, later = fresh(tmp_path), NOW + timedelta(days=1)
    merge(cache, item(1), item(2), item(3))

    def meanwhile() -> None:
        merge(cache, item(2, "newer", updated=DAY_ONE + timedelta(days=9)))
        look(cache, "i2", "i3", said=later)

    assert cache.rederive(Team(meanwhile), "new") == 2
    assert items(cache, "id", "title", "team") == [("i2", "newer", "new"), ("i3", "x", "new")]
    assert cache.verify() == []


def test_when_all_goes_meanwhile_nothing_is_left_to_derive(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    merge(cache, item(1))
    assert cache.rederive(Team(lambda: look(cache, said=NOW + timedelta(days=1))), "new") == 0
    assert items(cache, "id") == []


def test_an_older_version_that_took_the_place_of_a_newer_one_meanwhile_stays(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    merge(cache, item(1, "newer", updated=DAY_ONE + timedelta(days=9)), item(2))

    def meanwhile() -> None:
        look(cache, "i2", said=NOW + timedelta(days=1))
        merge(cache, item(1, "older"), said=NOW + timedelta(days=2), mapping="new")

    assert cache.rederive(Team(meanwhile), "new") == 1
    assert items(cache, "title", "team") == [("older", "old"), ("x", "new")]


def test_two_programs_with_different_mappings_do_not_derive_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aether_tui.cache.rederive.CHUNK_ROWS", 1)
    cache = fresh(tmp_path)
    merge(cache, item(1), item(2), item(3))
    calls = iter(range(20))

    def meanwhile() -> None:
        next(calls)
        merge(cache, item(1, team="theirs"), item(2, team="theirs"), item(3, team="theirs"), mapping="theirs")

    assert cache.rederive(Team(meanwhile), "new") == 3
    assert sorted(items(cache, "mapping_hash")) == [("new",), ("theirs",), ("theirs",)]


def test_rows_that_do_not_read_as_they_are_stored_are_told(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    merge(cache, item(1), item(2))
    before = items(cache, "*")
    with pytest.raises(CacheTrouble, match="2 rows cannot be derived again") as caught:
        cache.rederive(Team(title="something else"), "new")
    assert "cache reset" in caught.value.sentence()
    assert items(cache, "*") == before

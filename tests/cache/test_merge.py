"""Merging: the winner, idempotence, buckets, cursors, exports that replace."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from aether_tui.cache import Cache, Merged, OlderExport, aside, thrift
from aether_tui.cache.merge import Pace
from aether_tui.cache.staging import arrive, deduplicate
from aether_tui.records import TABLES, Row
from aether_tui.records.source import Refused, Reject, Replace, Whole
from tests.cache.samples import DAY_ONE, NOW, dump, everything, fresh, full, rows, store

SPANS, ITEMS, COSTS = TABLES["spans"], TABLES["work_items"], TABLES["costs"]


def span(number: int, *, start: datetime = DAY_ONE, trace: str = "t", tokens: int = 10, **values: object) -> Row:
    return full(
        SPANS, trace_id=trace, span_id=f"s{number}", start=start, model="m", operation="chat", input_tokens=tokens,
        duration_s=1.0, **values,
    )  # fmt: skip


def item(number: int, *, updated: datetime | None, title: str = "x") -> Row:
    return full(ITEMS, id=f"i{number}", title=title, created=DAY_ONE, updated=updated, category="active", type="bug")


def titles(cache: Cache) -> dict[str, str]:
    with cache.read() as lease:
        return {str(row["id"]): str(row["title"]) for row in lease.rows("SELECT id, title FROM work_items")}


def test_same_input_twice_changes_nothing(tmp_path: Path) -> None:
    cache, data = fresh(tmp_path), everything(80)
    store(cache, data, cursor="c", rejects=[Reject("spans", "bad", "{}", "line 3")])
    before = dump(cache, but=())
    merged = cache.merge(
        "s", "x", data, mapping_hash="m1", now=NOW, cursor="c", rejects=[Reject("spans", "bad", "{}", "line 3")]
    )
    assert (merged.inserted, merged.updated, merged.removed) == (0, 0, 0)
    assert merged.unchanged == 80 * len(TABLES)
    assert merged.by_table["spans"].unchanged == 80
    assert merged.rejected == 1
    assert dump(cache, but=()) == before


def test_with_too_little_memory_a_merge_takes_more_and_stores_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thrift, "ROOM", 3 * 1024 * 1024)  # a join takes 10
    widened = []
    monkeypatch.setattr(thrift, "widen", lambda cursor, widen=thrift.widen: widened.append(widen(cursor)))
    plain, frugal, data = fresh(tmp_path / "plain"), fresh(tmp_path / "frugal"), everything(80)
    limit = "SELECT current_setting('memory_limit')"
    frugal.frugal()
    for cache in (plain, frugal):
        store(cache, data, cursor="c", rejects=[Reject("spans", "bad", "{}", "line 3")])
    assert dump(frugal, but=()) == dump(plain, but=())
    assert 0 < len(widened) < 5
    assert frugal.beside().execute(limit).fetchone() == plain.beside().execute(limit).fetchone()
    tight = len(widened)
    store(frugal, everything(60))
    assert len(widened) == tight  # it is remembered
    monkeypatch.setattr(thrift, "MOST", 1)
    endless = fresh(tmp_path / "endless")
    endless.frugal()
    store(endless, data, cursor="c", rejects=[Reject("spans", "bad", "{}", "line 3")])
    assert dump(endless, but=()) == dump(plain, but=())
    moves = data["work_transitions"]
    whole = [Whole(TABLES["work_transitions"], ("item_id",), sorted({str(row[0]) for row in moves}))]
    for cache in (plain, endless):
        store(cache, {"work_transitions": moves[:30]}, whole=whole)
        with cache.read() as lease:
            assert lease.rows("SELECT count(*) AS n FROM work_transitions") == [{"n": 30}]
    assert dump(endless, but=()) == dump(plain, but=())


@pytest.mark.parametrize("open_files", [aside.OPEN_FILES, "/not/there"])
def test_values_come_back_as_they_went_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_files: str) -> None:
    monkeypatch.setattr(aside, "OPEN_FILES", open_files)
    cache = fresh(tmp_path)
    values = {
        "id": "1", "title": "naïve 🙂 \x1f", "created": datetime(2026, 7, 1, 1, 2, 3, 456789), "estimate": 0.1,  # noqa: DTZ001
        "labels": ("a", "b, c", '"q"'),
    }  # fmt: skip
    cost = {"row_hash": "h", "billed_cost": Decimal("0.000000123456"), "tags": '{"a": 1}'}
    run = {"id": "r", "partial": False, "tests": 2**53 + 1}
    store(
        cache,
        {
            "work_items": [full(ITEMS, **values), full(ITEMS, id="2")],
            "costs": [full(COSTS, **cost)],
            "test_runs": [full(TABLES["test_runs"], **run), full(TABLES["test_runs"], id="q", duration_s=float("nan"))],
        },
    )
    with cache.read() as lease:
        first, second = lease.rows("SELECT * FROM work_items ORDER BY id")
        assert {**values, "labels": list(values["labels"])} == {name: first[name] for name in values}
        assert {name for name, value in second.items() if value is not None} == {
            "source",
            "id",
            "mapping_hash",
            "ingested_at",
        }
        (kept,) = lease.rows("SELECT * FROM costs")
        assert {name: kept[name] for name in cost} == cost
        nan, whole = lease.rows("SELECT * FROM test_runs ORDER BY id")
        assert {name: whole[name] for name in run} == run
        assert nan["duration_s"] is None


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
@pytest.mark.parametrize("together", [True, False])
def test_highest_revision_wins_in_any_order(tmp_path: Path, order: tuple[int, ...], together: bool) -> None:
    versions = [
        item(1, updated=None, title="none"),
        item(1, updated=DAY_ONE, title="old"),
        item(1, updated=DAY_ONE + timedelta(1), title="new"),
    ]
    cache = fresh(tmp_path)
    batches = [[versions[n] for n in order]] if together else [[versions[n]] for n in order]
    for batch in batches:
        store(cache, {"work_items": batch})
    assert titles(cache) == {"i1": "new"}
    assert cache.verify() == []


def test_equal_revisions_end_equal_in_any_order(tmp_path: Path) -> None:
    versions = [item(1, updated=DAY_ONE, title=f"v{n}") for n in range(5)]
    ends = set()
    for turn in range(5):
        cache = fresh(tmp_path, f"c{turn}")
        for version in versions[turn:] + versions[:turn]:
            store(cache, {"work_items": [version]})
        ends.add(titles(cache)["i1"])
    assert len(ends) == 1


def test_identical_row_keeps_its_arrival_and_a_changed_one_does_not(tmp_path: Path) -> None:
    cache, later = fresh(tmp_path), NOW + timedelta(days=1)
    store(cache, {"work_items": [item(1, updated=DAY_ONE), item(2, updated=DAY_ONE)]})
    merged = cache.merge(
        "s",
        "x",
        {"work_items": [item(1, updated=DAY_ONE), item(2, updated=DAY_ONE + timedelta(1))]},
        mapping_hash="m1",
        now=later,
    )
    assert (merged.unchanged, merged.updated) == (1, 1)
    with cache.read() as lease:
        stamps = {row["id"]: row["ingested_at"] for row in lease.rows("SELECT id, ingested_at FROM work_items")}
    assert stamps == {"i1": NOW.replace(tzinfo=None), "i2": later.replace(tzinfo=None)}


def test_sources_do_not_mix(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    store(cache, {"work_items": [item(1, updated=DAY_ONE, title="a")]}, source="one")
    store(cache, {"work_items": [item(1, updated=DAY_ONE, title="b")]}, source="two")
    with cache.read() as lease:
        assert lease.rows("SELECT source, title FROM work_items ORDER BY source") == [
            {"source": "one", "title": "a"},
            {"source": "two", "title": "b"},
        ]


def test_trace_whose_first_span_loses_its_start_moves_to_the_day_of_the_next(tmp_path: Path) -> None:
    """Nothing comes or goes on that day, and its row was made a second time instead of being counted up."""
    cache, later = fresh(tmp_path), DAY_ONE + timedelta(days=2)
    store(cache, {"spans": [span(1), span(2, start=later), span(3, start=later, trace="other")]})
    for tokens in range(8):  # of versions without a revision any may win: one of these eight
        lost = full(SPANS, trace_id="t", span_id="s1", model="m", operation="chat", input_tokens=tokens)
        store(cache, {"spans": [lost]})
    with cache.read() as lease:
        assert lease.rows("SELECT start FROM spans WHERE span_id = 's1'") == [{"start": None}]
        assert lease.rows("SELECT day, tasks FROM task_coverage_daily") == [{"day": later, "tasks": 2}]
    assert cache.verify() == []


def test_span_moved_to_another_day_leaves_no_twin(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    store(cache, {"spans": [span(1), span(2)]})
    candidates = [span(1, start=DAY_ONE + timedelta(days=40 + n)) for n in range(8)]
    moved = 0
    for candidate in candidates:  # the content hash decides; one of eight surely beats the first
        moved += cache.merge("s", "x", {"spans": [candidate]}, mapping_hash="m1", now=NOW).updated
    assert moved >= 1
    with cache.read() as lease:
        assert lease.rows("SELECT count(*) AS n FROM spans") == [{"n": 2}]
        assert lease.rows("SELECT sum(calls) AS n FROM llm_hourly") == [{"n": 2}]
        assert lease.rows("SELECT count(*) AS n FROM tasks") == [{"n": 1}]
    assert cache.verify() == []


def test_large_input_takes_several_leases_and_the_cursor_commits_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aether_tui.cache.merge.SLICE_ROWS", 10)
    monkeypatch.setattr("aether_tui.cache.merge.LARGEST_SLICE", 10)
    seen: list[tuple[int, str | None]] = []
    cache, watcher = fresh(tmp_path), fresh(tmp_path)
    write = cache._write

    def counting(cursor, **more):  # type: ignore[no-untyped-def]
        if watcher.exists():
            with watcher.read() as lease:
                (row,) = lease.rows("SELECT count(*) AS n, (SELECT max(cursor) FROM sync_state) AS c FROM spans")
                seen.append((row["n"], row["c"]))
        return write(cursor, **more)

    monkeypatch.setattr(cache, "_write", counting)
    rows = [span(n, start=DAY_ONE + timedelta(hours=n)) for n in range(35)]
    merged = cache.merge("s", "x", {"spans": rows}, mapping_hash="m1", now=NOW, cursor="end")
    assert merged.inserted == 35
    assert seen == [(10, None), (20, None), (30, None)]
    assert cache.cursors()["s", "x"].cursor == "end"
    assert cache.verify() == []


def test_a_merge_that_is_stopped_from_another_thread_stores_nothing(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    store(cache, {"spans": [span(1)]}, cursor="1")
    rows = [span(n, start=DAY_ONE + timedelta(seconds=n)) for n in range(2, 4000)]
    with ThreadPoolExecutor(1) as thread:
        merging = thread.submit(store, cache, {"spans": rows}, cursor="2")
        while not wait([merging], timeout=0.01).done:
            cache.stop()
        assert isinstance(merging.exception(), duckdb.InterruptException)
    seen = fresh(tmp_path)
    assert seen.cursors()["s", "x"].cursor == "1"
    with seen.read() as lease:
        assert lease.rows("SELECT count(*) AS n FROM spans") == [{"n": 1}]
    assert seen.verify() == []


def test_a_failing_merge_stores_nothing(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    store(cache, {"spans": [span(1)]}, cursor="1")
    before = dump(cache, but=())
    with pytest.raises(ValueError, match="spans"):
        store(cache, {"work_items": [item(1, updated=None)], "spans": [("too", "short")]}, cursor="2")
    assert dump(cache, but=()) == before


def test_sync_state(tmp_path: Path) -> None:
    cache, later = fresh(tmp_path), NOW + timedelta(hours=1)
    assert cache.cursors() == {}
    cache.note("s", "x", now=NOW, error="refused")
    store(cache, {"spans": [span(1)]}, cursor="7", state={"etag": "e"})
    state = cache.cursors()["s", "x"]
    assert (state.cursor, state.last_error, state.last_success, state.rows) == ("7", "refused", None, 1)
    cache.note("s", "x", now=later, success=True)
    state = cache.cursors()["s", "x"]
    assert (state.cursor, state.last_error, state.last_success) == ("7", None, later.replace(tzinfo=None))
    assert state.state == {"etag": "e"}
    store(cache, {}, complete=True)
    assert cache.cursors()["s", "x"].last_success == NOW.replace(tzinfo=None)


def test_rejects_are_kept_once_and_cut(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    for _ in range(2):
        store(cache, {}, rejects=[Reject("spans", "no id", "x" * 9000, "f.json line 3")])
    with cache.read() as lease:
        (row,) = lease.rows('SELECT source, stream, "table", reason, place, length(raw) AS size FROM rejects')
    assert row == {
        "source": "s",
        "stream": "x",
        "table": "spans",
        "reason": "no id",
        "place": "f.json line 3",
        "size": 4000,
    }
    many = [Reject("spans", "no id", f"it's {n} \0 ü", f"f.json line {n}") for n in (9, 8, 9, 7)]
    store(cache, {}, rejects=many[:2])
    store(cache, {}, rejects=many)
    with cache.read() as lease:
        found = lease.rows("SELECT place, raw FROM rejects OFFSET 1")
    assert [(row["place"], row["raw"]) for row in found] == [(one.where, one.raw) for one in (*many[:2], many[3])]


def cost(key: str, amount: int, *, account: str | None = "a", month: int = 7, provider: str | None = None) -> Row:
    start = datetime(2026, month, 1)  # noqa: DTZ001
    return full(
        COSTS,
        row_hash=key,
        billed_cost=Decimal(amount),
        account=account,
        provider=provider,
        billing_start=start,
        charge_start=start,
        currency="USD",
    )


def costs(cache: Cache) -> set[str]:
    with cache.read() as lease:
        total = lease.rows("SELECT coalesce(sum(billed), 0) AS billed FROM cost_daily")[0]["billed"]
        rows = lease.rows("SELECT row_hash, billed_cost FROM costs")
    assert total == sum(row["billed_cost"] for row in rows)  # type: ignore[misc]
    return {str(row["row_hash"]) for row in rows}


def export(day: int) -> Replace:
    return Replace("costs", ("provider", "account", "billing_start"), datetime(2026, 8, day))  # noqa: DTZ001


def test_export_replaces_its_own_scopes_only(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    store(
        cache,
        {"costs": [cost("1", 1), cost("2", 2), cost("3", 3, month=6), cost("4", 4, account=None)]},
        replace=export(1),
        complete=True,
    )
    assert costs(cache) == {"1", "2", "3", "4"}
    merged = cache.merge(
        "s",
        "x",
        {"costs": [cost("2", 2), cost("5", 5), cost("6", 6, account=None)]},
        mapping_hash="m1",
        now=NOW,
        replace=export(2),
        complete=True,
    )
    assert (merged.inserted, merged.unchanged, merged.removed) == (2, 1, 2)
    assert costs(cache) == {"2", "5", "3", "6"}
    assert cache.verify() == []
    assert cache.cursors()["s", "x"].rows == 4


def test_an_export_leaves_the_same_account_of_another_provider_alone(tmp_path: Path) -> None:
    """Also when it is older than the other's; a new name of its own provider is the same provider."""
    cache = fresh(tmp_path)
    for key, name, day in (
        ("1", "AWS", 3),
        ("2", "Microsoft", 2),
        ("3", "Google Cloud", 1),
        ("4", "Acme", 1),
        ("5", None, 1),
    ):
        store(cache, {"costs": [cost(key, 1, provider=name)]}, replace=export(day), complete=True)
    assert costs(cache) == {"1", "2", "3", "4", "5"}
    store(cache, {"costs": [cost("6", 1, provider="Amazon Web Services")]}, replace=export(4), complete=True)
    store(cache, {"costs": [cost("7", 1, provider=" acme")]}, replace=export(2), complete=True)
    store(cache, {"costs": [cost("8", 1)]}, replace=export(2), complete=True)
    assert costs(cache) == {"6", "2", "3", "7", "8"}


def test_what_is_sorted_in_pieces_is_as_if_it_were_sorted_at_once(tmp_path: Path) -> None:
    at = next(place for place, column in enumerate(COSTS.columns) if column.name == COSTS.at)
    some = rows("costs", 40)
    some += [
        (*row[:at], when, *row[at + 1 :]) for row, when in zip(rows("costs", 3), (None, DAY_ONE, None), strict=True)
    ]
    cursor = fresh(tmp_path)._leases.cursor()
    arrive(cursor, "come", COSTS.columns, some)
    for name, pieces in (("whole", 1), ("cut", 5)):
        deduplicate(cursor, name, COSTS, "come", pieces=pieces)
    assert cursor.execute("FROM whole").fetchall() == cursor.execute("FROM cut").fetchall()
    assert cursor.execute("SELECT count(*) FROM cut").fetchall() == [(40,)]


def test_older_export_is_refused_unless_forced_and_changes_nothing(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    store(cache, {"costs": [cost("1", 1), cost("2", 2, month=6)]}, replace=export(2), complete=True)
    before = dump(cache, but=())
    with pytest.raises(OlderExport, match="older"):
        store(cache, {"costs": [cost("9", 9), cost("8", 8, month=5)]}, replace=export(1), complete=True)
    assert dump(cache, but=()) == before
    store(cache, {"costs": [cost("1", 1), cost("2", 2, month=6)]}, replace=export(2), complete=True)
    assert costs(cache) == {"1", "2"}
    store(cache, {"costs": [cost("9", 9)]}, replace=export(1), complete=True, force=True)
    assert costs(cache) == {"9", "2"}


def test_parts_of_an_export_are_stored_as_a_whole(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    store(cache, {"costs": [cost("0", 1)]}, replace=export(1), complete=True)
    before = dump(cache, but=())
    for key in "12":
        merged = cache.merge(
            "s", "x", {"costs": [cost(key, 1)]}, mapping_hash="m1", now=NOW, replace=export(2), cursor="no",
            rejects=[Reject("costs", "bad", "", "")],
        )  # fmt: skip
        assert merged == Merged()
    assert dump(cache, but=()) == before
    merged = cache.merge("s", "x", {}, mapping_hash="m1", now=NOW, replace=export(2), complete=True, cursor="2")
    assert (merged.inserted, merged.removed) == (2, 1)
    assert costs(cache) == {"1", "2"}
    assert cache.cursors()["s", "x"].cursor == "2"


def test_a_later_export_forgets_the_parts_of_an_abandoned_one(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    store(cache, {"costs": [cost("1", 1)]}, replace=export(1))
    store(cache, {"costs": [cost("2", 1)]}, replace=export(2), complete=True)
    assert costs(cache) == {"2"}


def test_spans_of_a_source_that_computed_rollups_itself_are_refused_and_others_are_not(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    with cache._write() as connection:
        connection.execute("INSERT INTO coverage_daily (day, origin) VALUES ('2026-07-01', 's')")
    with pytest.raises(Refused, match="rollups that s computed are in the cache"):
        store(cache, {"spans": [span(1)]}, cursor="c")
    assert cache.cursors() == {}
    store(cache, {"spans": [span(2)]}, "other")
    store(cache, {"work_items": [item(1, updated=None)]})
    with cache.read() as lease:
        assert lease.rows("SELECT source, span_id AS id FROM spans") == [{"source": "other", "id": "s2"}]


def test_an_export_without_rows_removes_nothing(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    store(cache, {"costs": [cost("1", 1)]}, replace=export(1), complete=True)
    store(cache, {}, replace=export(2), complete=True)
    assert costs(cache) == {"1"}


def test_aware_clock_is_stored_as_naive_utc(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    berlin = datetime.fromisoformat("2026-11-21T02:00:00+02:00")
    cache.merge("s", "x", {"spans": [span(1)]}, mapping_hash="m", now=berlin)
    with cache.read() as lease:
        assert lease.rows("SELECT ingested_at AS at FROM spans") == [
            {"at": datetime(2026, 11, 21, tzinfo=UTC).replace(tzinfo=None)}
        ]


def test_leases_grow_while_they_are_quick_and_shrink_when_they_are_not() -> None:
    pace = Pace()
    assert pace.rows == 10_000
    pace.took(10_000, 0.05)
    assert pace.rows == 20_000
    pace.took(500, 0.4)  # a small one says nothing about rows
    pace.took(20_000, 0.16)
    assert pace.rows == 20_480  # whole row groups
    pace.took(20_480, 0.001)
    assert pace.rows == 40_960
    pace.took(40_960, 0.001)
    assert pace.rows == 61_440
    pace.took(61_440, 2.0)
    assert pace.rows == 10_000


def test_rows_that_do_not_come_with_the_whole_of_their_thing_go_with_what_they_counted(tmp_path: Path) -> None:
    moves = TABLES["work_transitions"]

    def move(number: int, hour: int, state: str, category: str) -> Row:
        at = DAY_ONE + timedelta(hours=hour)
        return full(moves, item_id=f"i{number}", at=at, to_state=state, to_category=category)

    def told(review: str) -> dict[str, list[Row]]:
        items = [item(number, updated=DAY_ONE) for number in (1, 2)]
        first = [move(1, 1, "Doing", "active"), move(1, 2, review, "wait"), move(1, 3, "Done", "done")]
        return {"work_items": items, "work_transitions": [*first, move(2, 1, "Doing", "active")]}

    cache, anew = fresh(tmp_path), fresh(tmp_path, "anew")
    store(cache, told("Review"))
    store(anew, told("Proof"))
    merged = cache.merge(
        "s", "x", told("Proof"), mapping_hash="m1", now=NOW, whole=[Whole(moves, ("item_id",), ["i1"])]
    )
    assert (merged.inserted, merged.removed) == (1, 1)
    assert {**dump(cache, but=()), "sync_state": []} == {**dump(anew, but=()), "sync_state": []}

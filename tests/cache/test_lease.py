"""Leases: many processes and threads on one file, and what they say when they must wait too long."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest

from aether_tui.cache import Cache, catchup, schema
from aether_tui.cache.parsed import Parsed
from aether_tui.cache.turn import Turn
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.errors import CacheTrouble, NoData
from aether_tui.records import Value
from benchmarks.cache_leases import run as crowd
from tests.cache.samples import fresh, spans, store
from tests.conftest import ROOT

pytestmark = pytest.mark.usefixtures("made_by_hand")


@contextmanager
def child(role: str, cache: Cache) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a lease until the block ends."""
    command = [sys.executable, "-m", "tests.cache.worker", role, str(cache.path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.communicate()
        assert process.returncode == 0


def test_nothing_is_opened_or_made_before_use(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    assert not cache.exists()
    with pytest.raises(NoData) as caught, cache.read():
        pass
    assert (caught.value.exit_code, "sync" in caught.value.next_step) == (3, True)
    assert cache.cursors() == {}
    assert list(tmp_path.iterdir()) == []


def test_files_are_private(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    store(cache, spans(3))
    assert oct(cache.path.parent.stat().st_mode & 0o777) == "0o700"
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in cache.path.parent.iterdir()} == {
        "cache.duckdb": "0o600",
        "cache.turn": "0o600",
    }


@pytest.mark.slow
def test_the_log_of_a_writer_at_work_was_left_by_nobody(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    store(cache, spans(1))
    with ThreadPoolExecutor(1) as thread, cache._leases.alone(9) as connection:
        connection.execute("INSERT INTO cache.meta VALUES ('k', 'v')")
        assert cache._leases.wal.exists()
        found = thread.submit(cache.interrupted)
        assert not wait([found], 0.02).done
    assert not found.result()


def test_six_readers_and_two_writers_all_get_their_turn(tmp_path: Path) -> None:
    """How long they wait is measured by benchmarks/cache_leases.py on a quiet machine (bar: a second)."""
    path = tmp_path / "cache.duckdb"
    found = crowd(2, path)
    assert found["reader"]["n"] >= 6
    assert found["writer"]["n"] >= 2
    with Cache(path).read() as lease:
        (row,) = lease.rows("SELECT count(*) AS n, (SELECT sum(calls) FROM llm_hourly) AS calls FROM spans")
        assert row == {"n": 40_000 + 2000 * found["writer"]["n"], "calls": row["n"]}


def test_who_waits_too_long_names_the_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("aether_tui.cache.turn.QUIET_S", 0.01)
    cache = fresh(tmp_path)
    store(cache, spans(3))
    impatient = Cache(cache.path, wait_s=0.05)
    with child("hold", cache) as process:
        with pytest.raises(CacheTrouble, match=rf"process {process.pid} \(worker.py hold") as caught, impatient.read():
            pass
        assert caught.value.exit_code == 5
        assert f"waiting for the cache, which process {process.pid} (worker.py hold" in caplog.text
        with pytest.raises(CacheTrouble, match=f"process {process.pid}"):
            store(impatient, {})
    with impatient.read() as lease:
        assert lease.rows("SELECT count(*) AS n FROM spans") == [{"n": 3}]


def test_a_writer_that_waits_too_long_names_the_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("aether_tui.cache.lease.QUIET_S", 0.01)
    cache = fresh(tmp_path)
    store(cache, spans(3))
    with child("watch", cache) as process:
        with cache.read() as lease:
            assert lease.rows("SELECT count(*) AS n FROM spans") == [{"n": 3}]
        with pytest.raises(CacheTrouble, match=f"process {process.pid}"):
            store(Cache(cache.path, wait_s=0.05), {})
        assert f"waiting for the cache, which process {process.pid} holds" in caplog.text
    store(cache, {})


def test_threads_read_together_and_a_writer_waits_for_them(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    store(cache, spans(3))
    inside, leave = threading.Barrier(3), threading.Event()
    failures: list[BaseException] = []

    def look() -> None:
        try:
            with cache.read() as lease:
                inside.wait(120)
                leave.wait(120)
                assert lease.rows("SELECT count(*) AS n FROM spans") == [{"n": 3}]
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    inside.wait(120)  # both hold a lease
    with pytest.raises(CacheTrouble, match="thread of this process"):
        store(Cache(cache.path, wait_s=0.05), {})
    leave.set()
    for reader in readers:
        reader.join()
    assert failures == []
    store(cache, spans(5))


ENDLESS = "SELECT count(*) FROM range(10000000000) AS a, range(1000) AS b WHERE a.range * b.range % 7 = 3"


@pytest.mark.parametrize("queries", [1, 2, 5])
def test_queries_are_interrupted_from_another_thread(tmp_path: Path, queries: int) -> None:
    cache = fresh(tmp_path)
    store(cache, spans(3))
    with cache.read() as lease:
        stop = threading.Event()

        def interrupt() -> None:
            while not stop.wait(0.01):
                lease.interrupt()

        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(duckdb.InterruptException):
            lease.several([(ENDLESS, {})] * queries) if queries > 1 else lease.rows(ENDLESS)
        stop.set()
        thread.join()
        assert lease.rows("SELECT 1 AS one") == [{"one": 1}]


def test_several_queries_are_answered_in_the_order_they_were_asked(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    store(cache, spans(3))
    asked = [
        ("SELECT count(*) + $more AS n FROM spans, range($most)", {"more": n, "most": 10 ** (n % 5)}) for n in range(20)
    ]
    with cache.read() as lease:
        assert (
            lease.several(asked)
            == [lease.rows(*one) for one in asked]
            == [[{"n": 3 * 10 ** (n % 5) + n}] for n in range(20)]
        )
        with pytest.raises(duckdb.BinderException, match="nothing"):
            lease.several([*asked, ("SELECT nothing FROM spans", {}), *asked])
        assert lease.several(asked[:1]) == [[{"n": 3}]]
        assert [lease.rows("SELECT 1 AS n; SELECT 2 AS m") for _ in range(2)] == [[{"m": 2}]] * 2


def test_texts_are_parsed_once_until_others_need_their_place() -> None:
    parsed = Parsed(most_letters=96)
    with duckdb.connect() as connection:
        one, two, other = (f"SELECT {n} + 1" for n in (1, 2, 3))
        first, second = (parsed.statement(connection, text) for text in (one, two))
        others = [parsed.statement(connection, f"SELECT {n}") for n in range(8)]  # 88 letters in all now
        assert parsed.statement(connection, one) is first
        parsed.statement(connection, other)
        assert parsed.statement(connection, one) is first
        assert parsed.statement(connection, two) is not second
        assert connection.execute(others[4]).fetchall() == [(4,)]
        long = f"SELECT {', '.join(map(str, range(40)))}"
        assert parsed.statement(connection, long) is not parsed.statement(connection, long)
        assert parsed.statement(connection, one) is first


def test_what_holds_in_every_window_is_asked_again_after_a_write_of_anybody(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    clock = Clock.of(datetime(2026, 11, 21, tzinfo=UTC))

    def traces() -> list[dict[str, Value]]:
        with Data(cache, clock) as data:
            data.together("joins_traces", "freshness")
            return data.rows("joins_traces")

    store(cache, spans(3))
    before = traces()
    assert traces() is before
    store(cache, spans(40, 9), stream="more")
    grown = traces()
    assert grown[0]["traces"] > before[0]["traces"]
    with duckdb.connect(str(cache.path)) as other:  # as another process does
        other.execute("DELETE FROM tasks")
    assert traces()[0]["traces"] == 0


def test_a_lease_inside_a_lease_is_refused_at_once(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    store(cache, spans(3))
    with cache.read(), pytest.raises(RuntimeError, match="inside"):
        store(cache, {})
    store(cache, {})


def test_a_read_lease_cannot_write(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    store(cache, spans(3))
    with pytest.raises(duckdb.InvalidInputException, match="read-only"), cache.read() as lease:
        lease.rows("DELETE FROM spans")


@contextmanager
def somebody_else() -> Iterator[None]:
    """Without the right to write what others own, also where the tests are run by root."""
    own = os.geteuid()
    if own == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(own)


def test_who_may_only_read_the_folder_reads_also_what_a_killed_writer_left() -> None:
    # Where others get through: the folder of temporary files may be root's own.
    with TemporaryDirectory(dir="/tmp" if os.geteuid() == 0 else None) as name:
        cache = fresh(Path(name))
        store(cache, spans(3))
        killed = "import duckdb, os, sys; duckdb.connect(sys.argv[1]).execute('CREATE TABLE last AS SELECT 1 AS n'); os._exit(0)"
        subprocess.run([sys.executable, "-c", killed, cache.path], check=True)
        Path(name).chmod(0o755)
        kept = [cache.path.parent, *cache.path.parent.iterdir()]
        for path in kept:
            path.chmod(0o555 if path.is_dir() else 0o444)
        try:
            with somebody_else():
                with cache.read() as lease:
                    assert lease.rows("SELECT n FROM last") == [{"n": 1}]
                assert cache.verify() == []
                with pytest.raises(CacheTrouble, match="cannot be used"):
                    store(cache, spans(4))
        finally:
            kept[0].chmod(0o755)
        assert sorted(cache.path.parent.iterdir()) == sorted(kept[1:])


def test_an_exception_inside_a_lease_frees_the_file(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    store(cache, spans(3))
    with pytest.raises(KeyError), cache.read():
        raise KeyError
    with pytest.raises(BrokenPipeError), cache.read():
        raise BrokenPipeError
    store(cache, {})


def test_an_abandoned_wait_for_the_turn_does_not_keep_it(tmp_path: Path) -> None:
    path = tmp_path / "turn"
    first = Turn.take(path, 0)
    assert first is not None
    assert Turn.take(path, 0.01) is None
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(Turn.take, path, 30)
        first.release()
        second = waiting.result()
    assert second is not None
    second.release()
    second.release()


# --- Versions ------------------------------------------------------------------------------------------------------


def version(cache: Cache) -> str:
    with cache.read() as lease:
        return str(lease.rows("SELECT value FROM meta WHERE key = 'schema_version'")[0]["value"])


def pretend(cache: Cache, number: int) -> None:
    with cache._write() as connection:
        connection.execute(f"UPDATE meta SET value = '{number}' WHERE key = 'schema_version'")


def test_a_newer_cache_is_refused_and_left_alone(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    store(cache, spans(3))
    pretend(cache, schema.VERSION + 1)
    before = cache.path.read_bytes()
    with pytest.raises(CacheTrouble, match="newer") as caught, cache.read():
        pass
    assert "upgrade" in caught.value.next_step
    with pytest.raises(CacheTrouble, match="newer"):
        store(cache, spans(9))
    assert cache.path.read_bytes() == before


@pytest.mark.parametrize("reader_first", [True, False])
def test_an_older_cache_is_brought_up_before_anything_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader_first: bool
) -> None:
    cache = fresh(tmp_path)
    store(cache, spans(3))
    before = catchup.catch_up

    def more(cursor: duckdb.DuckDBPyConnection) -> None:
        before(cursor)
        cursor.execute("ALTER TABLE meta ADD COLUMN note VARCHAR DEFAULT 'new'")

    monkeypatch.setattr(catchup, "catch_up", more)
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    if not reader_first:
        store(cache, {})
    assert version(cache) == str(schema.VERSION)
    with cache.read() as lease:
        assert lease.rows("SELECT DISTINCT note FROM meta") == [{"note": "new"}]
        assert lease.rows("SELECT count(*) AS n FROM spans") == [{"n": 3}]


def test_catching_up_that_fails_leaves_the_old_version_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = fresh(tmp_path)
    store(cache, spans(3))

    def broken(cursor: duckdb.DuckDBPyConnection) -> None:
        cursor.execute("DELETE FROM spans")
        cursor.execute("SELECT no_such_thing")

    with monkeypatch.context() as patch:
        patch.setattr(catchup, "catch_up", broken)
        patch.setattr(schema, "VERSION", schema.VERSION + 1)
        with pytest.raises(duckdb.BinderException):
            store(cache, {})
    assert version(cache) == str(schema.VERSION)
    with cache.read() as lease:
        assert lease.rows("SELECT count(*) AS n FROM spans") == [{"n": 3}]

"""Damage, full disks and killed processes: what was stored stays, and the reader is told what to do."""

from __future__ import annotations

import os
import random
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from aether_tui.cache import Cache, CacheDamaged, aside
from aether_tui.config import Config
from aether_tui.errors import CacheTrouble
from aether_tui.ingest import Ingest
from tests.cache.samples import NOW, dump, fresh, spans, store
from tests.cache.worker import PAGES
from tests.conftest import ROOT

pytestmark = pytest.mark.usefixtures("made_by_hand")

KILLS = int(os.environ.get("AETHER_CACHE_KILLS", "3"))


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 0xFF
    path.write_bytes(data)


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


DAMAGES = {
    "header": lambda path: flip(path, 5000),
    "magic": lambda path: flip(path, 9),
    "truncated": lambda path: cut(path, path.stat().st_size // 8),
    "empty": lambda path: cut(path, 0),
    "not a database": lambda path: path.write_text("hello\n" * 9000),
}


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_file_that_lost_its_end_is_found_by_verify(tmp_path: Path, share: float) -> None:
    cache = fresh(tmp_path)
    store(cache, spans(5))
    cut(cache.path, int(cache.path.stat().st_size * share))  # what is left still opens, and may even answer
    with pytest.raises(CacheDamaged, match="damaged"):
        cache.verify()


@pytest.mark.parametrize("damage", list(DAMAGES))
def test_a_cache_that_does_not_open_is_set_aside_by_writers_only(tmp_path: Path, damage: str) -> None:
    cache = fresh(tmp_path)
    store(cache, spans(5))
    DAMAGES[damage](cache.path)
    broken = cache.path.read_bytes()
    with pytest.raises(CacheDamaged, match="damaged") as caught, cache.read():
        pass
    assert (caught.value.exit_code, caught.value.moved_to, "sync" in caught.value.next_step) == (5, None, True)
    assert cache.path.read_bytes() == broken
    moved = cache.ensure()
    assert moved is not None
    assert moved.name.startswith("cache.duckdb.damaged-2")
    assert moved.read_bytes() == broken
    store(cache, spans(5))
    assert cache.ensure() is None
    with cache.read() as lease:
        assert lease.rows("SELECT count(*) AS n FROM spans") == [{"n": 5}]


@pytest.mark.parametrize("lost", ["DROP TABLE tasks", "DELETE FROM meta"])
def test_a_cache_that_lacks_something_is_damaged(tmp_path: Path, lost: str) -> None:
    """As is one that somebody else has written into."""
    cache = fresh(tmp_path)
    store(cache, spans(5))
    with duckdb.connect(cache.path) as other:
        other.execute(lost)
    with pytest.raises(CacheDamaged, match="cannot be read"):
        cache.verify()
    with pytest.raises(CacheDamaged, match=r"is now cache\.duckdb\.damaged"):
        store(cache, spans(5))
    store(cache, spans(5))
    assert cache.verify() == []


@pytest.mark.parametrize("whole", [True, False])
def test_of_a_damaged_log_the_rest_is_kept_where_it_is_whole(tmp_path: Path, whole: bool) -> None:
    cache = fresh(tmp_path)
    store(cache, spans(50), cursor="1")
    good = cache.path.read_bytes()
    script = (
        "import os, signal, sys; from pathlib import Path; from aether_tui.cache import Cache\n"
        "with Cache(Path(sys.argv[1]))._leases.alone(9) as c:\n"
        "    c.execute(\"UPDATE cache.sync_state SET cursor = '2'\"); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, str(cache.path)], cwd=ROOT, check=False)
    assert cache.path.read_bytes() == good
    log = cache._leases.wal
    flip(log, log.stat().st_size - 30)
    broken = log.read_bytes()
    if not whole:
        flip(cache.path, 3 * 4096 + 262_144 * 3 + 9_000)
    with pytest.raises(CacheDamaged, match="damaged"):
        cache.verify()
    assert log.read_bytes() == broken
    moved = begun(cache)
    assert moved is not None
    assert (moved.suffix == ".wal") is whole
    assert next(cache.path.parent.glob("*.damaged-*.wal")).read_bytes() == broken
    assert cache.verify() == []
    left = cache.cursors()
    assert {key: state.cursor for key, state in left.items()} == ({("s", "x"): "1"} if whole else {})
    store(cache, spans(60), cursor="2")
    assert cache.verify() == []


def test_a_log_that_is_damaged_does_not_pass_for_a_torn_one(tmp_path: Path) -> None:
    """DuckDB drops what follows a length that reaches beyond the end, or a whole log that begins unreadably, as if the writer had been
    killed there."""
    cache = fresh(tmp_path)
    store(cache, spans(5), cursor="1")
    with cache._leases.alone(9) as connection:
        for cursor in ("2", "3"):
            connection.execute("UPDATE cache.sync_state SET cursor = $1", [cursor])
        good, log = cache.path.read_bytes(), cache._leases.wal.read_bytes()

    def left(said: bytes) -> str | None:
        cache.path.write_bytes(good)
        cache._leases.wal.write_bytes(said)
        return cache.cursors()["s", "x"].cursor

    assert left(log) == "3"
    commits = [match.start() - 16 for match in re.finditer(re.escape(log[-5:]), log)]
    assert [left(log[: commits[1] + size]) for size in (0, 9, 20)] == ["2", "2", "2"]
    assert [left(log[:size]) for size in (0, 1, 20, 40, 52)] == ["1"] * 5
    told, harmless = 0, 0
    for place in (*range(log.index(b"\xff\xff") + 2), *range(commits[0], commits[0] + 8)):
        broken = bytearray(log)
        broken[place] ^= 1 << place % 8
        try:
            harmless += left(bytes(broken)) == "3"
        except CacheDamaged:
            told += 1
    assert told + harmless == log.index(b"\xff\xff") + 10
    assert told > 3 * harmless  # a varint may say the same in two ways


def test_a_merge_into_a_damaged_cache_stores_nothing_without_the_user_knowing(tmp_path: Path) -> None:
    """Going on in a new file would leave a hole before the cursor: the command ends and says so."""
    cache = fresh(tmp_path)
    store(cache, spans(5), cursor="5")
    cut(cache.path, 9000)
    with pytest.raises(CacheDamaged, match=r"is now cache\.duckdb\.damaged") as caught:
        store(cache, spans(5), cursor="6")
    assert caught.value.moved_to is not None
    assert not cache.exists()
    assert cache.cursors() == {}


def test_two_damaged_caches_of_one_second_are_both_kept(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    for _ in range(2):
        cache.path.parent.mkdir(exist_ok=True)
        cache.path.write_text("hello")
        cache._leases.damage.set_aside(lambda: False, NOW)
    assert sorted(path.name for path in cache.path.parent.iterdir()) == [
        "cache.duckdb.damaged-20261121T000000Z",
        "cache.duckdb.damaged-20261121T000000Z-2",
    ]


def test_every_flipped_byte_is_noticed_or_harmless(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    store(cache, spans(50))
    good, clean, rng = cache.path.read_bytes(), dump(cache, but=()), random.Random(4)
    noticed = 0
    for _ in range(12):
        cache.path.write_bytes(good)
        flip(cache.path, rng.randrange(len(good)))
        try:
            findings = [line for line in cache.verify() if "belong to no row" not in line]
        except CacheDamaged:
            noticed += 1
        else:
            assert findings == []
            assert dump(cache, but=()) == clean
    assert noticed > 0


def look(cache: Cache) -> None:
    with cache.read() as lease:
        lease.rows("SELECT bit_xor(hash(t)) FROM spans AS t")


def test_what_a_reader_finds_damaged_is_set_aside_by_the_next_who_writes(tmp_path: Path) -> None:
    """Also where that one would never come by the damaged block, as a sync that finds nothing new."""
    cache = fresh(tmp_path)
    store(cache, spans(500))
    doubt = cache.path.with_name("cache.doubted")
    doubt.touch()
    assert begun(cache) is None, "nothing is wrong"
    assert not doubt.exists()
    with cache.read() as lease:
        asked = "SELECT max(block_id) AS block FROM pragma_storage_info('spans') WHERE column_name = 'span_id' AND persistent"
        (told,) = lease.rows(asked)
    flip(cache.path, 3 * 4096 + 262_144 * int(str(told["block"])) + 9_000)
    broken = cache.path.read_bytes()
    assert begun(cache) is None, "it looks elsewhere"
    with pytest.raises(CacheDamaged, match="damaged"):
        cache.verify()
    assert cache.path.read_bytes() == broken
    moved = begun(cache)
    assert moved is not None
    assert moved.read_bytes() == broken
    assert not doubt.exists()


def begun(cache: Cache) -> Path | None:
    """As a command that may write begins, in a process of its own."""
    moved, _ = cache.begin(Ingest(Config(), bytes(32)), "m1", {}, now=NOW, derived_by="")
    cache._leases.mends = False
    return moved


@pytest.mark.parametrize("work", [lambda cache: store(cache, spans(2000, 3)), look], ids=["merging", "reading"])
def test_damage_that_a_writing_command_meets_ends_it_and_sets_the_cache_aside(
    tmp_path: Path, work: Callable[[Cache], None]
) -> None:
    cache = fresh(tmp_path)
    store(cache, spans(2000))
    cache.ensure()
    data = bytearray(cache.path.read_bytes())
    for place in range(262_144, len(data), 65_536):  # every block but the headers
        data[place] ^= 0xFF
    cache.path.write_bytes(data)
    with pytest.raises(CacheDamaged) as caught:
        work(cache)
    assert caught.value.moved_to is not None
    assert caught.value.moved_to.exists()
    store(cache, spans(3))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "cache.duckdb")
    with pytest.raises(CacheTrouble, match="exists") as caught:
        store(cache, {})
    assert str(cache.path) in caught.value.sentence()


def run(role: str, cache: Cache) -> str:
    command = [sys.executable, "-m", "tests.cache.worker", role, str(cache.path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_a_full_disk_undoes_the_step_and_keeps_the_rest(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    store(cache, spans(5))
    lines = run("fill", cache).splitlines()
    assert lines[-1].startswith("5 ")
    assert "disk is full" in lines[-1]
    with cache.read() as lease:
        found = {row["source"] for row in lease.rows("SELECT DISTINCT source FROM spans")}
    assert found == {"s", *(str(seed) for seed in range(lines.count("stored")))}
    assert [line for line in cache.verify() if "belong to no row" not in line] == []
    store(cache, spans(4000, 77), source="after")
    assert not cache._leases.wal.exists()


@pytest.mark.parametrize("room", [0, 12_288])
def test_a_cache_that_found_no_room_to_begin_is_not_called_damaged_later(tmp_path: Path, room: int) -> None:
    cache = fresh(tmp_path)
    with resource_limit(room), pytest.raises(CacheTrouble, match="disk is full"):
        cache.ensure()
    assert cache.ensure() is None
    assert cache.verify() == []


@contextmanager
def resource_limit(size: int) -> Iterator[None]:
    """No file grows beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def killed(cache: Cache, delay_s: float, page: int) -> None:
    """Pull until page `page` has begun, and kill the process `delay_s` later."""
    command = [sys.executable, "-m", "tests.cache.worker", "pull", str(cache.path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() in ("done", str(page)):
                break
        try:
            process.wait(delay_s)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.mark.slow
def test_kill_at_any_moment_and_going_on_equals_an_undisturbed_run(tmp_path: Path) -> None:
    rng = random.Random(11)
    calm, shot = fresh(tmp_path, "calm"), fresh(tmp_path, "shot")
    run("pull", calm)
    for page in sorted(rng.randrange(PAGES) for _ in range(KILLS)):
        killed(shot, rng.random() * 0.3, page)
    run("pull", shot)
    assert dump(shot) == dump(calm)
    assert shot.verify() == calm.verify()


def test_what_a_killed_writer_leaves_is_folded_in_or_removed_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = fresh(tmp_path, "it's [*]")
    store(cache, spans(5))
    script = (
        "import os, signal, sys; from pathlib import Path; from aether_tui.cache import Cache, aside\n"
        "aside.OPEN_FILES = '/not/there'  # as on macOS: what is on its way is a file\n"
        "with Cache(Path(sys.argv[1]))._leases.alone(9) as c, aside.aside() as (file, _), aside.folder_aside() as folder:\n"
        "    file.write(b'half a row'); file.flush(); (folder / 'export.zip').write_bytes(b'events')\n"
        "    c.execute(\"INSERT INTO cache.meta VALUES ('k', 'v')\"); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, str(cache.path)], cwd=ROOT, check=False)
    assert cache._leases.wal.exists()
    compacting = cache.path.with_name("cache.duckdb.compact")
    compacting.write_bytes(b"half a cache")
    with cache.read() as lease:
        assert lease.rows("SELECT value FROM meta WHERE key = 'k'") == [{"value": "v"}]
    assert not cache._leases.wal.exists()
    store(cache, spans(9))
    assert not compacting.exists()
    left, download = sorted((cache.path.parent / "aside").iterdir(), key=Path.is_dir)
    assert [path.stat().st_mode & 0o777 for path in (left, download, left.parent)] == [0o600, 0o700, 0o700]
    assert (download / "export.zip").read_bytes() == b"events"
    monkeypatch.setattr(aside, "OPEN_FILES", "/not/there")
    monkeypatch.setattr(aside, "_home", left.parent)
    with aside.aside(), aside.folder_aside() as mine:
        own = set(left.parent.iterdir()) - {left, download}
        assert mine in own
        monkeypatch.setattr(aside, "_home", None)  # another process opens the cache
        store(cache, spans(12))
        assert set(left.parent.iterdir()) == own
    assert list(left.parent.iterdir()) == []
    with cache.read() as lease:
        assert lease.rows("SELECT count(*) AS n FROM spans") == [{"n": 12}]

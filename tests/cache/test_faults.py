"""Trouble with the cache file, one by one: found by `cache verify`, said in one line, mended where that can be; documents stay."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from aether_tui.cache import Cache, schema
from aether_tui.cli import main
from aether_tui.errors import CacheTrouble
from tests.cache.samples import rows, spans, store
from tests.conftest import ROOT

pytestmark = pytest.mark.usefixtures("made_by_hand")

KILLS = int(os.environ.get("AETHER_CACHE_KILLS", "3"))


def flip(path: Path, *places: int) -> None:
    data = bytearray(path.read_bytes())
    for place in places:
        data[place % len(data)] ^= 0xFF
    path.write_bytes(data)


def cut(path: Path, share: float) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def dying_writer(cache: Cache) -> Path:
    """A writer that is killed after it has committed, before its log is folded in; returns the log."""
    script = (
        "import os, signal, sys; from pathlib import Path; from aether_tui.cache import Cache; from tests.cache.samples import rows\n"
        "from aether_tui.cache.staging import arrive; from aether_tui.records import TABLES\n"
        "with Cache(Path(sys.argv[1]))._leases.alone(9) as c:\n"
        "    c.execute('USE cache'); arrive(c, 'a', TABLES['work_items'].columns, rows('work_items', 300, 8))\n"
        "    c.execute(\"INSERT INTO work_items BY NAME SELECT 'k' AS source, * FROM a\"); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, str(cache.path)], cwd=ROOT, check=False)
    return cache._leases.wal


def torn_log(cache: Cache) -> None:
    cut(dying_writer(cache), 0.6)


def flipped_log(cache: Cache) -> None:
    wal = dying_writer(cache)
    flip(wal, wal.stat().st_size // 2)


def from_the_future(cache: Cache) -> None:
    with cache._leases.alone(9) as connection:
        connection.execute("USE cache")
        connection.execute(f"UPDATE meta SET value = '{schema.VERSION + 1}' WHERE key = 'schema_version'")


def wrong_sums(cache: Cache) -> None:
    with cache._write() as connection:
        connection.execute("UPDATE tasks SET calls = calls + 1")


@dataclass(frozen=True)
class Trouble:
    """What is done to the file; the status of `cache verify` (0: undone work only, nothing to find); some words of what it says;
    whether the next command that writes sets it aside."""

    do: Callable[[Cache], None]
    status: int
    says: str
    aside: bool = False


TROUBLES = {
    "torn log": Trouble(torn_log, 0, "a writer was stopped"),
    "flipped log": Trouble(flipped_log, 5, "damaged", aside=True),
    "flipped header": Trouble(lambda cache: flip(cache.path, 9, 5000), 5, "damaged", aside=True),
    "flipped blocks": Trouble(
        lambda cache: flip(cache.path, *range(20_000, 2_000_000, 4096)), 5, "damaged", aside=True
    ),
    "truncated to an eighth": Trouble(lambda cache: cut(cache.path, 1 / 8), 5, "damaged", aside=True),
    "empty": Trouble(lambda cache: cut(cache.path, 0), 5, "damaged", aside=True),
    "another program's file": Trouble(
        lambda cache: cache.path.write_text("hello\n" * 9000) and None, 5, "damaged", aside=True
    ),
    "from a newer version": Trouble(from_the_future, 5, "newer"),
    "sums that are wrong": Trouble(wrong_sums, 1, "tasks"),
}


def documents(root: Path) -> dict[str, str]:
    """Every file of an engagement but those of the cache, by content."""
    found = (path for path in root.rglob("*") if path.is_file() and ".aether" not in path.parts)
    return {str(path.relative_to(root)): digest(path) for path in found}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache, made once."""
    path = tmp_path_factory.mktemp("filled") / "cache.duckdb"
    store(Cache(path), {**spans(200), "work_items": rows("work_items", 50)})
    return path


@pytest.fixture
def root(tmp_path: Path, filled: Path) -> Path:
    """An engagement with a decision and a cache."""
    (tmp_path / "aether.toml").write_text("")
    (tmp_path / "engagement" / "decisions").mkdir(parents=True)
    (tmp_path / "engagement" / "decisions" / "d.yaml").write_text("id: D-1\n")
    (tmp_path / ".aether").mkdir()
    shutil.copyfile(filled, tmp_path / ".aether" / "cache.duckdb")
    return tmp_path


def verify(root: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Status, data and narration of `cache verify`."""
    with pytest.raises(SystemExit) as end:
        main(["-w", str(root), "--as-of", "2026-11-21", "cache", "verify"])
    out, error = capsys.readouterr()
    return int(end.value.code or 0), out, error


@pytest.mark.parametrize("name", list(TROUBLES))
def test_trouble_is_found_said_and_set_aside(root: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    trouble, cache, before = TROUBLES[name], Cache(root / ".aether" / "cache.duckdb", wait_s=5), documents(root)
    trouble.do(cache)
    status, out, error = verify(root, capsys)
    assert status == trouble.status
    assert trouble.says in out + error
    assert "Traceback" not in out + error
    assert error.count("\n") <= 1
    if trouble.aside:
        broken = digest(cache._leases.wal if name == "flipped log" else cache.path)
        moved = cache.ensure()
        assert moved is not None
        assert digest(moved) == broken
    if name == "flipped log":  # the rest is as it was before, and after that like any other
        with cache.read() as lease:
            assert lease.rows("SELECT count(*) AS n FROM work_items") == [{"n": 50}]
        store(cache, spans(200))
        assert verify(root, capsys)[0] == 0
    elif trouble.says == "newer":
        with pytest.raises(CacheTrouble, match="newer"):
            cache.ensure()
    assert documents(root) == before


def test_a_cache_that_somebody_holds_is_named_and_then_read(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A command waits 30 s for it; here somebody waits a twentieth of a second."""
    cache = Cache(root / ".aether" / "cache.duckdb", wait_s=0.05)
    command = [sys.executable, "-m", "tests.cache.worker", "hold", str(cache.path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(CacheTrouble, match=f"held by process {process.pid}") as caught:
            cache.verify()
        assert caught.value.exit_code == 5
        process.kill()
    assert verify(root, capsys)[:2] == (0, "the cache is sound\n")


def test_a_full_disk_ends_one_step_and_leaves_the_rest_sound(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, cache = documents(root), root / ".aether" / "cache.duckdb"
    command = [sys.executable, "-m", "tests.cache.worker", "fill", str(cache)]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines[-1].startswith("5 ")
    assert "disk is full" in lines[-1]
    assert verify(root, capsys)[:2] == (0, "the cache is sound\n")
    assert documents(root) == before


def test_kills_at_random_moments_leave_a_sound_cache(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng, cache = random.Random(KILLS), root / ".aether" / "cache.duckdb"
    for _ in range(KILLS):
        command = [sys.executable, "-m", "tests.cache.worker", "pull", str(cache)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            try:
                process.wait(rng.random() * 0.6)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
    status, out, _ = verify(root, capsys)
    assert [line for line in out.splitlines() if "belong to no row" not in line] in ([], ["the cache is sound"])
    assert status in (0, 1)

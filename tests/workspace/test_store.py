"""The store of documents on a real disk: conflicts, broken files, and a kill at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import ClassVar

import pytest

from aether_tui.config import Config
from aether_tui.errors import ConfigurationError, NoData
from aether_tui.workspace import Workspace
from aether_tui.workspace.document import Document
from aether_tui.workspace.documents import KINDS, read_documents
from aether_tui.workspace.kinds.cycle import Cycle
from aether_tui.workspace.kinds.decision import Decision, active_override
from aether_tui.workspace.kinds.opportunity import Opportunity
from aether_tui.workspace.store import Conflict, Store

NOW = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(Workspace(tmp_path))


def opportunity(identity: str, title: str = "Rerank: long-tail questions") -> Opportunity:
    return Opportunity(
        id=identity,
        title=title,
        impact=8,
        confidence=(3, 4, 6),
        reversibility=9,
        effort_weeks=2,
        evidence=["interview 2"],
        notes="One line.\nAnother: with a colon.\n",
        created=date(2026, 11, 1),
    )


def write(store: Store, name: str, text: str, kind: type = Opportunity) -> Path:
    path = store.folder(kind) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def sentences(store: Store) -> list[str]:
    return [problem.sentence() for problem in store.all(Opportunity)[1]]


def test_what_is_saved_is_read_back_and_reads_like_a_note(store: Store) -> None:
    saved = store.add(Opportunity, opportunity)
    assert saved.path.name == "OPP-1.yaml"
    assert saved.path.read_text(encoding="utf-8") == (
        "id: OPP-1\ntitle: 'Rerank: long-tail questions'\nimpact: 8\nconfidence: [3, 4, 6]\nreversibility: 9\n"
        "effort_weeks: 2\nevidence:\n  - interview 2\nnotes: |\n  One line.\n  Another: with a colon.\n"
        "created: 2026-11-01\n"
    )
    assert store.get(Opportunity, "OPP-1") == saved
    assert [path.name for path in saved.path.parent.iterdir()] == ["OPP-1.yaml"], "no temporary file stays"


def test_comments_and_order_of_a_person_survive_a_save(store: Store) -> None:
    path = write(
        store, "OPP-3.yaml",
        "# agreed with Mia\ntitle: Cache answers\nid: OPP-3\nimpact: 6   # of 10\nconfidence: 6\nreversibility: 8\neffort_weeks: 2\n",
    )  # fmt: skip
    read = store.get(Opportunity, "OPP-3")
    store.save(read.document.model_copy(update={"confidence": 7.0, "cluster": "policy"}), read.revision, NOW)
    assert path.read_text(encoding="utf-8") == (
        "# agreed with Mia\ntitle: Cache answers\nid: OPP-3\nimpact: 6   # of 10\nconfidence: 7\nreversibility: 8\n"
        "effort_weeks: 2\ncluster: policy\n"
    )


def test_ids_count_on_and_lists_are_in_number_order(store: Store) -> None:
    for _ in range(11):
        store.add(Opportunity, opportunity)
    (store.folder(Opportunity) / "OPP-2.yaml").unlink()
    assert store.add(Opportunity, opportunity).document.id == "OPP-12"
    assert [item.document.id for item in store.all(Opportunity)[0]][:3] == ["OPP-1", "OPP-3", "OPP-4"]


def test_a_change_on_disk_is_never_overwritten(store: Store) -> None:
    first = store.add(Opportunity, opportunity)
    theirs = first.path.read_text(encoding="utf-8").replace("impact: 8", "impact: 2")
    first.path.write_text(theirs, encoding="utf-8")
    mine = first.document.model_copy(update={"impact": 10.0})
    for name in ("OPP-1.conflict-20261121T140000.yaml", "OPP-1.conflict-20261121T140000-2.yaml"):
        with pytest.raises(Conflict) as caught:
            store.save(mine, first.revision, NOW)
        assert caught.value.exit_code == 1
        assert name in caught.value.sentence()
        assert "impact: 10" in (first.path.parent / name).read_text(encoding="utf-8")
    assert first.path.read_text(encoding="utf-8") == theirs
    documents, problems = store.all(Opportunity)
    assert [item.document.impact for item in documents] == [2.0]
    assert [problem.fix for problem in problems] == ["compare it with OPP-1.yaml and remove one"] * 2


def test_a_document_removed_or_added_meanwhile_is_a_conflict_too(store: Store) -> None:
    first = store.add(Opportunity, opportunity)
    with pytest.raises(Conflict):
        store.save(first.document, None, NOW)
    first.path.unlink()
    with pytest.raises(Conflict):
        store.save(first.document, first.revision, NOW)
    assert not first.path.exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("title: [", "OPP-1.yaml:1: broken YAML"),
        ("id: OPP-1\ntitle: x\nimpac: 3\n", "OPP-1.yaml:3: impac: unknown key; did you mean 'impact'?"),
        ("id: OPP-1\ntitle: x\nimpact: 12\n", "OPP-1.yaml:3: impact: outside 1 to 10; it is a number from 1 to 10"),
        ("id: OPP-1\ntitle: x\nimpact: [5, 4, 6]\n", "OPP-1.yaml:3: impact: a range rises: low, mode, high"),
        ("id: OPP-1\ntitle: x\nimpact: .nan\n", "OPP-1.yaml:3: impact: outside 1 to 10"),
        ("id: OPP-1\ntitle: 404\n", "OPP-1.yaml:2: title: expected text, found 404"),
        ("id: OPP-1\nid: OPP-2\n", "OPP-1.yaml:2: id: the key stands twice"),
        ("id: OPP-1\ncreated: soon\n", "OPP-1.yaml:2: created: expected a date such as 2026-11-21"),
        ("id: OPP-1\ntitle: !!python/object:os.system x\n", "OPP-1.yaml:2: title: the tag"),
        ("a: &a [x]\nb: [*a, *a]\n", "OPP-1.yaml:1: a: anchors and aliases are not read here"),
        ("- 1\n", "expected a table of keys and values, found a list"),
        ("", "expected a table of keys and values, found nothing"),
        ("[" * 200_000, "nested too deeply"),
        ("x: " + "y" * (1 << 20), "larger than 1 MiB"),
        ("id: OPP-1\n\x01", "broken YAML"),
    ],
)
def test_a_broken_file_says_where_and_how_to_mend_it(store: Store, text: str, sentence: str) -> None:
    write(store, "OPP-1.yaml", text)
    good = store.add(Opportunity, opportunity)
    assert [item.document for item in store.all(Opportunity)[0]] == [good.document], "the others stay usable"
    assert any(sentence in line for line in sentences(store)), sentences(store)
    assert all("\n" not in line for line in sentences(store))
    with pytest.raises(ConfigurationError):
        store.get(Opportunity, "OPP-1")


def test_not_utf8_is_named(store: Store) -> None:
    path = write(store, "OPP-1.yaml", "")
    path.write_bytes(b"id: OPP-1\ntitle: caf\xe9\n")
    assert sentences(store) == ["engagement/opportunities/OPP-1.yaml: not UTF-8 text (byte 20); save it as UTF-8"]


def test_the_file_name_is_the_id(store: Store) -> None:
    first = store.add(Opportunity, opportunity)
    first.path.rename(first.path.with_name("OPP-9.yaml"))
    assert "the id is not the file's name; rename the file to OPP-1.yaml" in sentences(store)[0]
    write(store, "OPP-1.yaml", first.data.decode())
    write(store, "OPP-1 copy.yaml", first.data.decode())
    write(store, "OPP-12.yml", first.data.decode())
    copy, ending, other = sentences(store)
    assert "OPP-1 copy.yaml:1: id: OPP-1.yaml has the same id; give one of them to `aether-tui doc new`" in copy
    assert "OPP-9.yaml:1: id: OPP-1.yaml has the same id" in other
    assert "OPP-12.yml: is not read: its name does not end in .yaml; rename it to OPP-12.yaml" in ending
    assert (
        store.add(Opportunity, opportunity).document.id == "OPP-13"
    )  # what stands there in whatever form keeps its number


def test_absent_and_impossible_ids(store: Store) -> None:
    with pytest.raises(NoData, match="no OPP-5"):
        store.get(Opportunity, "OPP-5")
    for identity in ("../../etc/passwd", "OPP-", "cycle-1", "OPP-1/../OPP-2"):
        with pytest.raises(ConfigurationError, match="not an id such as OPP-1"):
            store.get(Opportunity, identity)


def test_a_snapshot_holds_everything_and_the_running_cycle(store: Store) -> None:
    store.add(Cycle, lambda identity: Cycle(id=identity, started=date(2026, 7, 1), ended=date(2026, 9, 30)))
    store.add(Cycle, lambda identity: Cycle(id=identity, started=date(2026, 10, 1), goal="refunds"))
    write(store, "OPP-1.yaml", "nonsense")
    documents = read_documents(store.workspace, Config())
    running = documents.running(date(2026, 11, 21))
    assert running is not None
    assert (running.id, running.goal) == ("cycle-2", "refunds")
    assert len(documents.problems) == 1
    assert read_documents(Workspace(store.workspace.root / "nowhere"), Config()).opportunities == ()


def test_a_gate_override_holds_until_it_expires_or_is_reversed() -> None:
    override = {"name": "Mia", "reason": "pilot with one client", "expires": "2026-12-01"}
    one = Decision.model_validate({"id": "DEC-1", "title": "Open", "raised": "2026-11-01", "gate_override": override})
    active = active_override([one], date(2026, 12, 1))
    assert active is not None
    assert active.override.name == "Mia"
    assert active_override([one], date(2026, 12, 2)) is None
    assert active_override([one], date(2026, 10, 31)) is None
    taken_back = one.model_copy(update={"decided": date(2026, 11, 2), "reversed": date(2026, 11, 3)})
    assert active_override([taken_back], date(2026, 11, 21)) is None


FULL = """
import resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from aether_tui.errors import ConfigurationError
from aether_tui.workspace import Workspace
from aether_tui.workspace.kinds.opportunity import Opportunity
from aether_tui.workspace.store import Store
store = Store(Workspace(Path(sys.argv[1])))
at = store.get(Opportunity, "OPP-1")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))  # every write past 100 bytes fails, as on a full disk
try:
    store.save(at.document.model_copy(update={"notes": "long " * 100}), at.revision, datetime.now(UTC))
except ConfigurationError as error:
    print(error.sentence())
"""


@pytest.mark.skipif(os.name != "posix", reason="file size limits are POSIX")
def test_a_full_disk_leaves_the_old_version(store: Store) -> None:
    first = store.add(Opportunity, opportunity)
    before = first.path.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(store.workspace.root)], capture_output=True, text=True, check=True
    )
    assert "cannot be written" in done.stdout
    assert "check space" in done.stdout
    assert first.path.read_bytes() == before
    assert [path.name for path in first.path.parent.iterdir()] == ["OPP-1.yaml"]


def test_a_link_stays_one_and_what_is_read_only_or_could_not_be_read_again_is_not_written(store: Store) -> None:
    saved = store.save(opportunity("OPP-1"), None, NOW)
    real = saved.path.replace(store.workspace.root / "real.yaml")
    saved.path.symlink_to(real)
    saved = store.save(opportunity("OPP-1", "Cache answers"), saved.revision, NOW)
    assert saved.path.is_symlink() and b"Cache answers" in real.read_bytes()
    large = opportunity("OPP-1").model_copy(update={"evidence": ["x" * 300] * 4_000})
    with pytest.raises(ConfigurationError, match="larger than 1 MiB"):
        store.save(large, saved.revision, NOW)
    real.chmod(0o444)
    with pytest.raises(ConfigurationError, match="read-only"):
        store.save(opportunity("OPP-1", "Anything else"), saved.revision, NOW)
    assert store.get(Opportunity, "OPP-1").data == saved.data


def test_savers_in_threads_never_lose_a_document(store: Store) -> None:
    def add(count: int) -> None:
        for _ in range(count):
            store.add(Opportunity, opportunity)

    threads = [threading.Thread(target=add, args=(5,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    documents, problems = store.all(Opportunity)
    assert (len(documents), problems) == (20, [])


SAVER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from aether_tui.workspace import Workspace
from aether_tui.workspace.kinds.opportunity import Opportunity
from aether_tui.workspace.store import Store
store = Store(Workspace(Path(sys.argv[1])))
at = store.get(Opportunity, "OPP-1")
print("ready", flush=True)
count = 0
while True:
    count += 1
    changed = at.document.model_copy(update={"title": f"version {count}", "notes": f"{count}\\n" * 3000})
    at = store.save(changed, at.revision, datetime.now(UTC))
    print(count, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is a POSIX signal")
def test_kill_at_any_moment_leaves_a_whole_version(store: Store) -> None:
    store.add(Opportunity, opportunity)
    moments = random.Random(7)
    for _ in range(int(os.environ.get("AETHER_KILLS", "6"))):  # ~0.4 s each: a fresh interpreter every time
        last = _kill_saver(store.workspace.root, saves=moments.randrange(1, 6), delay_us=moments.randrange(0, 4000))
        documents, problems = store.all(Opportunity)
        assert problems == []
        count = int(documents[0].document.title.removeprefix("version "))
        assert documents[0].document.notes == f"{count}\n" * 3000, "old or new, never a mixture"
        assert count >= last, "what was reported as saved is saved"
    store.add(Opportunity, opportunity)
    assert sorted(path.name for path in store.folder(Opportunity).iterdir()) == ["OPP-1.yaml", "OPP-2.yaml"]


def _kill_saver(root: Path, saves: int, delay_us: int) -> int:
    """Kill a saver in the midst of a later save; the number of the last save it reported."""
    command: Sequence[str] = (sys.executable, "-c", SAVER, str(root))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(saves + 1):
            line = child.stdout.readline()
        threading.Event().wait(delay_us / 1e6)
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split()
    return int(rest[-1] if rest else line)


def test_kinds_are_where_they_say(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for name, kind in KINDS.items():
        place = Store(workspace).path(kind, kind.PREFIX) if kind.SINGLE else Store(workspace).folder(kind)
        assert KINDS.place(name, workspace) == place


class Board(Document):
    """A kind of which there is one."""

    PLURAL: ClassVar[str] = ""
    PREFIX: ClassVar[str] = "board"
    SINGLE: ClassVar[bool] = True

    goal: str = ""


def test_a_single_document_is_one_file_and_kept_from_being_made_twice(tmp_path: Path) -> None:
    store = Store(Workspace(tmp_path))
    stored = store.add(Board, lambda identity: Board(id=identity, goal="first"))
    assert stored.path == tmp_path / "engagement" / "board.yaml"
    assert [item.document.goal for item in store.all(Board)[0]] == ["first"]
    with pytest.raises(ConfigurationError, match="there is one board"):
        store.add(Board, lambda identity: Board(id=identity))
    store.save(Board(id="board", goal="second"), stored.revision, NOW)
    with pytest.raises(Conflict):
        store.save(Board(id="board", goal="third"), stored.revision, NOW)
    documents, problems = store.all(Board)
    assert [item.document.goal for item in documents] == ["second"]
    assert [problem.what for problem in problems] == ["a second version, saved when the first had changed"]
    with pytest.raises(ConfigurationError, match="not an id such as board"):
        store.path(Board, "board-1")


def test_an_unchanged_file_is_not_read_again_and_a_changed_one_is(tmp_path):
    import os

    (tmp_path / "aether.toml").write_text("")
    store = Store(Workspace(tmp_path))
    make = lambda identity: Opportunity(id=identity, title="a", impact=5, confidence=5, reversibility=5, effort_weeks=4)  # noqa: E731
    path = store.add(Opportunity, make).path
    os.utime(path, ns=(1, 1))  # long ago: its time says enough
    first = store.all(Opportunity)[0][0]
    assert store.all(Opportunity)[0][0] is first
    path.write_text(path.read_text().replace("impact: 5", "impact: 9"))
    assert store.all(Opportunity)[0][0].document.impact == 9

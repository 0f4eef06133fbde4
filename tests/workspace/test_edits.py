"""Edits and how they are taken back: never over somebody else's change, and nothing is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aether_tui.errors import CheckFailed, ConfigurationError
from aether_tui.workspace.edits import change, change_file, create, set_fields, settle, take_back, write
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.opportunity import Opportunity, Rescored
from aether_tui.workspace.store import Conflict, Store
from aether_tui.workspace.written import together, written_since
from tests.command import aether

NOW = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def make(identity: str) -> Opportunity:
    return Opportunity(id=identity, title="Cache", impact=5, confidence=5, reversibility=5, effort_weeks=2)


def path(workspace: Workspace, identity: str = "OPP-1") -> Path:
    return workspace.engagement / "opportunities" / f"{identity}.yaml"


def test_a_change_and_its_undo_give_back_the_very_bytes(workspace: Workspace) -> None:
    create(workspace, Opportunity, make, NOW)
    path(workspace).write_text(
        "# mine\nid: OPP-1\ntitle: Cache\nimpact: 5 # sure\nconfidence: 5\nreversibility: 5\neffort_weeks: 2\n"
    )
    before = path(workspace).read_bytes()
    first = change(workspace, Opportunity, "OPP-1", lambda old: old.model_copy(update={"impact": 9}), NOW)
    second = change(workspace, Opportunity, "OPP-1", lambda old: old.model_copy(update={"confidence": 2}), NOW)
    assert b"impact: 9 # sure" in path(workspace).read_bytes()
    take_back(workspace, second, NOW)
    take_back(workspace, first, NOW)
    assert path(workspace).read_bytes() == before


def test_a_part_that_is_not_valid_is_named_and_nothing_is_written(workspace: Workspace) -> None:
    long = {"title": "W" * 301, "impact": 5, "confidence": 5, "reversibility": 5, "effort_weeks": 2}
    with pytest.raises(ConfigurationError, match="at most 300 characters"):
        create(workspace, Opportunity, lambda identity: Opportunity.model_validate({"id": identity, **long}), NOW)
    create(workspace, Opportunity, make, NOW)
    before = path(workspace).read_bytes()

    def scored(old: Opportunity) -> Opportunity:
        return old.model_copy(update={"history": [Rescored.model_validate({"when": "never", "field": "impact"})]})

    with pytest.raises(ConfigurationError, match="never"):
        change(workspace, Opportunity, "OPP-1", scored, NOW)
    assert path(workspace).read_bytes() == before


def test_what_was_made_is_moved_aside_not_deleted(workspace: Workspace) -> None:
    made = create(workspace, Opportunity, make, NOW, "{id} noted")
    assert made.what == "OPP-1 noted"
    text = path(workspace).read_bytes()
    told = take_back(workspace, made, NOW)
    (kept,) = (workspace.hidden / "removed").iterdir()
    assert kept.read_bytes() == text
    assert ".aether/removed" in told
    assert not path(workspace).exists() and list(workspace.engagement.iterdir()) == []
    again = create(workspace, Opportunity, make, NOW)
    take_back(workspace, again, NOW)
    assert len(list((workspace.hidden / "removed").iterdir())) == 2


def test_a_clock_set_back_is_said_by_the_edit_and_nothing_is_refused(workspace: Workspace) -> None:
    then = NOW - timedelta(days=400)
    noted = lambda identity: make(identity).model_copy(update={"created": NOW.date()})  # noqa: E731
    assert create(workspace, Opportunity, noted, NOW, "{id} noted").what == "OPP-1 noted"
    told = "▲ OPP-1 is dated 2026-11-21, after this clock's 2025-10-17: was it set back?"
    assert create(workspace, Opportunity, make, then, "{id} noted").what == f"OPP-2 noted {told}"
    stored = Store(workspace).get(Opportunity, "OPP-1")
    assert set_fields(workspace, stored, [(("impact",), 9)], then).what == f"OPP-1 saved {told}"
    assert (
        change(workspace, Opportunity, "OPP-2", lambda old: old.model_copy(update={"impact": 9}), then).what
        == "OPP-2 saved"
    )
    (workspace.root / "aether.toml").write_text("")
    for words in (("new", "opportunity", "--set", "impact=5"), ("edit", "opportunity", "OPP-1")):
        fields = [f"--set={key}" for key in ("title=B", "confidence=5", "reversibility=5", "effort_weeks=2")]
        done = aether("--as-of", "2025-10-17T14:00Z", "doc", *words, *fields, cwd=workspace.root)
        assert (done.code, done.err) == (0, f"{told}\n")


def test_somebody_elses_change_stays_and_both_versions_are_named(workspace: Workspace) -> None:
    create(workspace, Opportunity, make, NOW)
    before = path(workspace).read_bytes()
    edit = change(workspace, Opportunity, "OPP-1", lambda old: old.model_copy(update={"impact": 9}), NOW)
    theirs = path(workspace).read_bytes().replace(b"title: Cache", b"title: Cache answers")
    path(workspace).write_bytes(theirs)
    with pytest.raises(Conflict) as caught:
        take_back(workspace, edit, NOW)
    assert path(workspace).read_bytes() == theirs
    assert caught.value.ours.read_bytes() == before
    assert all(name in caught.value.sentence() for name in ("OPP-1.yaml", caught.value.ours.name))


def test_what_was_made_and_changed_since_stays(workspace: Workspace) -> None:
    made = create(workspace, Opportunity, make, NOW)
    change(workspace, Opportunity, "OPP-1", lambda old: old.model_copy(update={"impact": 9}), NOW)
    with pytest.raises(CheckFailed, match="it stays as it is"):
        take_back(workspace, made, NOW)
    assert Store(workspace).get(Opportunity, "OPP-1").document.impact == 9


def test_an_edit_is_checked_by_the_model(workspace: Workspace) -> None:
    create(workspace, Opportunity, make, NOW)
    for field, value in (("impact", 11), ("impact", "many"), ("status", "wild"), ("title", "")):
        with pytest.raises(ConfigurationError):
            change(workspace, Opportunity, "OPP-1", lambda old, f=field, v=value: old.model_copy(update={f: v}), NOW)
    with pytest.raises(ConfigurationError):
        create(workspace, Opportunity, lambda i: make(i).model_copy(update={"effort_weeks": 0}), NOW)
    assert [item.document for item in Store(workspace).all(Opportunity)[0]] == [make("OPP-1")]


def test_a_whole_file_is_stored_as_written(workspace: Workspace) -> None:
    made = create(workspace, Opportunity, make, NOW)
    text = path(workspace).read_bytes().replace(b"impact: 5", b"impact: [4, 6, 9] # guessed")
    edit = write(workspace, Opportunity, "OPP-1", text, made.files[0].after, NOW)
    assert path(workspace).read_bytes() == text
    with pytest.raises(Conflict):
        write(workspace, Opportunity, "OPP-1", text.replace(b"4", b"3"), made.files[0].after, NOW)
    with pytest.raises(ConfigurationError, match="id cannot change"):
        write(workspace, Opportunity, "OPP-1", text.replace(b"OPP-1", b"OPP-2"), edit.files[0].after, NOW)


@pytest.mark.parametrize("mine", [True, False])
def test_a_decided_conflict_is_taken_back_and_can_be_decided_again(workspace: Workspace, mine: bool) -> None:
    store = Store(workspace)
    create(workspace, Opportunity, make, NOW)
    read = store.get(Opportunity, "OPP-1")
    change(workspace, Opportunity, "OPP-1", lambda old: old.model_copy(update={"impact": 9}), NOW)
    with pytest.raises(Conflict) as caught:
        store.save(read.document.model_copy(update={"impact": 2}), read.revision, NOW)
    both = {file: file.read_bytes() for file in path(workspace).parent.iterdir()}
    for _ in range(2):
        decided = settle(workspace, caught.value, Opportunity, mine=mine, now=NOW)
        assert store.get(Opportunity, "OPP-1").document.impact == (2 if mine else 9)
        assert store.undecided(Opportunity, "OPP-1") is None
        take_back(workspace, decided, NOW)
        assert {file: file.read_bytes() for file in path(workspace).parent.iterdir()} == both
        again = store.undecided(Opportunity, "OPP-1")
        assert again is not None and again.ours == caught.value.ours


def test_one_stroke_over_documents_and_other_files_is_taken_back_whole_or_not_at_all(workspace: Workspace) -> None:
    create(workspace, Opportunity, make, NOW)
    plain = workspace.root / "budgets.yaml"
    plain.write_bytes(b"a: 1\n")
    before = {plain: plain.read_bytes(), path(workspace): path(workspace).read_bytes()}
    edits = [
        change_file(plain, b"a: 1\n", b"a: 2\n", "budget"),
        change(workspace, Opportunity, "OPP-1", lambda old: old.model_copy(update={"impact": 9}), NOW),
        change(workspace, Opportunity, "OPP-1", lambda old: old.model_copy(update={"impact": 8}), NOW),
        create(workspace, Opportunity, make, NOW),
    ]
    stroke = together(edits, "all of it", "OPP-1")
    after = {file: file.read_bytes() for file in (plain, path(workspace), path(workspace, "OPP-2"))}
    plain.write_bytes(b"a: 3\n")
    with pytest.raises(CheckFailed, match="changed since"):
        take_back(workspace, stroke, NOW)
    assert {file: file.read_bytes() for file in after} == after | {plain: b"a: 3\n"}
    plain.write_bytes(b"a: 2\n")
    assert "OPP-1 and 2 more taken back" in take_back(workspace, stroke, NOW)
    assert {file: file.read_bytes() for file in before} == before
    assert not path(workspace, "OPP-2").exists()


def test_what_a_command_wrote_and_removed_is_taken_back(workspace: Workspace) -> None:
    folder = workspace.root / "benchmarks"
    folder.mkdir()
    changed, gone, new = (folder / name for name in ("a.json", "b.json", "main/ci/c.json"))
    changed.write_text("1")
    gone.write_text("2")
    before = {file: file.read_bytes() for file in (changed, gone)}
    changed.write_text("9")
    gone.unlink()
    new.parent.mkdir(parents=True)
    new.write_text("3")
    edit = written_since(before, [folder], "baseline kept")
    assert edit is not None
    take_back(workspace, edit, NOW)
    assert {file: file.read_bytes() for file in folder.iterdir()} == before  # no folder is left of the new one
    assert written_since(before, [folder], "") is None

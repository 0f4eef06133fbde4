"""`wip check`: limits as an exit status, persons only when asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from aether_tui.records.model import Row
from aether_tui.workspace.folder import Workspace
from tests.command import Done, aether
from tests.diagnostics import world

LIMITS = '[wip]\naction = "stop the newest"\ninitiatives = 2\nper_initiative = 2\nper_person = 2\n[wip.initiative]\n"B" = 3\n'


def item(number: int, project: str | None, assignee: str | None, **more: str) -> Row:
    return world.full(
        "work_items", id=f"i{number}", key=f"K-{number}", title="x", created=world.at(1), started=world.at(2),
        updated=world.at(2), project=project, assignee=assignee, state="s", **{"type": "feature", "category": "active", **more},
    )  # fmt: skip


ROWS = [
    *(item(number, "A", "anna-hash") for number in range(3)),
    *(item(number, "B", f"p{number}") for number in range(3, 6)),
    item(6, None, "p3"), item(7, "A", "anna-hash", type="incident"),
]  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    workspace = world.workspace(tmp_path, LIMITS)
    world.store(workspace, "linear", "issues", "work_items", ROWS)
    return workspace


def check(made: Workspace, *more: str) -> Done:
    return aether("--as-of", "2026-11-21", "wip", "check", *more, cwd=made.root)


def test_over_is_exit_1_with_the_agreed_action(made: Workspace) -> None:
    done = check(made)
    done.refuses(1, "initiative A", "3 in progress, the limit is 2", "stop the newest")
    assert "anna-hash" not in done.out and "persons were not looked at" in done.err
    said = check(made, "--format", "json").json
    assert (said["over"], said["items"], said["without_initiative"], said["people"]) == (True, 7, 1, False)
    assert [(one["level"], one["name"], one["n"], one["limit"], one["over"]) for one in said["loads"]] == [
        ("initiative", "A", 3, 2, True), ("initiatives", "all", 2, 2, False), ("initiative", "B", 3, 3, False),
    ]  # fmt: skip


def test_persons_are_hashes_unless_named_on_this_machine(made: Workspace) -> None:
    assert [one["name"] for one in check(made, "--people", "--format", "json").json["loads"] if one["over"]] == [
        "A", "anna-hash",
    ]  # fmt: skip
    (made.hidden / "people.toml").write_text('"anna-hash" = "Local Name"\n')
    assert "Local Name" in check(made, "--people").out
    (made.hidden / "people.toml").write_text("not toml")
    check(made, "--people").refuses(2, "people.toml")


def test_within_is_exit_0(made: Workspace) -> None:
    (made.root / "aether.toml").write_text("[wip]\nper_initiative = 3\n")
    done = check(made)
    assert done.code == 0 and "✓ within" in done.out


def test_without_limits_or_items_it_says_so(made: Workspace, tmp_path: Path) -> None:
    (made.root / "aether.toml").write_text("[wip]\nper_person = 3\n")
    check(made).refuses(2, "no limit is agreed", "people = true")
    empty = world.workspace(tmp_path / "empty", LIMITS)
    check(empty).refuses(3, "no work items", "aether-tui sync")

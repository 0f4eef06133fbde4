"""Meetings as people name them become drafts of ritual sheets; nothing is filled in that nobody said."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from aether_tui.workspace.documents import KINDS, offered
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.inventory import meetings, parse, without_sheet
from aether_tui.workspace.kinds.interview import Answer, Interview, Person
from aether_tui.workspace.kinds.north_star import NorthStar
from aether_tui.workspace.kinds.ritual import Ritual
from aether_tui.workspace.questions import shipped
from aether_tui.workspace.store import Store

NOW = datetime(2026, 11, 21)  # noqa: DTZ001 — files carry naive UTC


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Weekly planning, 60, 8", [("Weekly planning", 60, 8, 48)]),
        ("standup daily 15 min 7 people; Demo, 1 h, 20", [("Standup daily", 15, 7, 220), ("Demo", 60, 20, None)]),
        ("One-to-one every two weeks\nOps review monthly, 1.5 hours", [("One-to-one every two weeks", None, None, 24),
                                                                      ("Ops review monthly", 90, None, 12)]),
        ("Steering (quarterly) 12 people, 120 minutes", [("Steering (quarterly)", 120, 12, 4)]),
        ("30, 8", []),
        ("", []),
        ("\x1b[31mRed\x1b[0m; ;;; 漢字会議, 45", [("Red", None, None, None), ("漢字会議", 45, None, None)]),
    ],
)  # fmt: skip
def test_a_meeting_is_a_name_minutes_and_people(said: str, expected: list[tuple[object, ...]]) -> None:
    found = parse(said, "INT-1")
    assert [(one.title, one.minutes, one.people, one.per_year) for one in found] == expected
    for number, one in enumerate(found, 1):
        sheet = Ritual.model_validate({"id": f"RIT-{number}", **one.fields()})
        assert sheet.links == ["INT-1"] and sheet.purpose == "" and sheet.hourly_rate is None


def test_each_meeting_once_by_the_newest_answer_and_not_those_with_a_sheet() -> None:
    def asked(number: int, text: str, question: str = "rituals.list") -> Interview:
        answer = Answer(question=question, who="Eva", text=text, when=NOW)
        return Interview(
            id=f"INT-{number}", questionnaire="rituals", started=NOW, people=[Person(name="Eva")], answers=[answer]
        )

    held = [
        asked(1, "Weekly planning, 60, 8; Standup, 15"),
        asked(2, "weekly  PLANNING, 90, 8"),
        asked(3, "Never listed, 5", "rituals.most-useful"),
    ]
    assert [(one.title, one.minutes, one.source) for one in meetings(shipped(), held)] == [
        ("Weekly PLANNING", 90, "INT-2"),
        ("Standup", 15, "INT-1"),
    ]
    left = without_sheet(shipped(), held, [Ritual(id="RIT-1", title="Weekly Planning")])
    assert [one.title for one in left] == ["Standup"]


def test_the_north_star_offers_what_a_success_is_worth(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert offered(workspace, KINDS["value-stream"]) == {}
    Store(workspace).save(NorthStar(value_per_success=4.2), None, NOW)
    assert offered(workspace, KINDS["value-stream"]) == {"value_per_success": 4.2}
    (workspace.engagement / "north-star.yaml").write_text("id: north-star\nvalue_per_succes: 1\n")
    assert offered(workspace, KINDS["value-stream"]) == {}

"""Documents of the organisation: completeness, refusals, templates, links, and two people editing through git."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from aether_tui.config import Config
from aether_tui.errors import ConfigurationError
from aether_tui.workspace import Workspace, links, templates
from aether_tui.workspace.documents import KINDS, read_documents
from aether_tui.workspace.kinds.agreement import Agreement
from aether_tui.workspace.kinds.canvas import BOXES, Canvas, CanvasBox
from aether_tui.workspace.kinds.decision import Decision
from aether_tui.workspace.kinds.postmortem import Postmortem
from aether_tui.workspace.kinds.ritual import Ritual
from aether_tui.workspace.kinds.team import Team
from aether_tui.workspace.names import person_in

NOW = datetime(2026, 11, 21, tzinfo=UTC)
DAY = date(2026, 11, 2)


def test_what_is_missing_is_named() -> None:
    ritual = Ritual(id="RIT-1", title="Sync", purpose="decide", inputs=["questions"], per_year=48, minutes=60)
    assert ritual.lacks() == ("outputs", "participation", "frequency", "documentation", "anti_patterns", "attendees")
    assert Canvas().lacks() == BOXES
    assert Canvas(purpose=CanvasBox(lines=["answers"])).lacks() == BOXES[1:]
    assert Agreement(id="AGR-1", provider="product", consumer="support", needs=["tickets"]).lacks() == (
        "provides", "response_h", "agreed",
    )  # fmt: skip
    assert Team(id="TEAM-1", title="Craft", shape="chapter").lacks() == ("purpose", "members")
    decided = Decision(id="DEC-1", title="x", raised=DAY, decided=DAY, owner="head of product", chosen="yes")
    assert decided.lacks() == ("reason", "review_by")


@pytest.mark.parametrize("name", templates.names(Ritual))
def test_every_ritual_template_is_complete(name: str) -> None:
    ritual = Ritual.model_validate({"id": "RIT-1", **templates.fields(Ritual, name)})
    assert ritual.lacks() == ()
    assert len(ritual.participation) >= 3


def test_the_nine_templates_the_cadences_among_them() -> None:
    assert len(templates.names(Ritual)) == 9
    assert {"weekly-product-sync", "monthly-operating-review", "quarterly-strategy-refresh"} <= set(
        templates.names(Ritual)
    )
    assert templates.names(Decision) == ()
    with pytest.raises(ConfigurationError, match="did you mean 'planning'"):
        templates.fields(Ritual, "planing")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Anna merged without a review", "Anna"),
        ("the engineer on call merged; then Stefan rolled back", "Stefan"),
        ("ask @sre-lead", "@sre-lead"),
        ("mail to ops@acme.example", "ops@acme.example"),
        ("Dr Okafor signed", "Dr Okafor"),
        ("The on-call engineer merged. Max tokens were 4,000; Frank words in May.", ""),
        ("the agent `Clara` answered", ""),
        ("package @types/node was updated", "@types"),
        ("Mustn't will mark grace", ""),
    ],
)
def test_names_are_found_where_they_can_be_told(text: str, found: str) -> None:
    assert person_in(text) == found


@pytest.mark.parametrize(
    "field",
    [
        {"impact": "Anna forgot"}, {"learned": "ask Stefan"}, {"title": "What Maria did"},
        {"timeline": [{"at": "14:05", "what": "Peter deployed"}]},
        {"conditions": [{"name": "late", "what": "Helen was away"}]},
        {"actions": [{"what": "a check", "owner": "Thomas"}]},
    ],
)  # fmt: skip
def test_a_postmortem_refuses_names(field: dict[str, object]) -> None:
    good = {"id": "PM-1", "title": "Refunds doubled", "about": "product", "happened": DAY}
    Postmortem.model_validate(good)
    with pytest.raises(ValidationError, match=f"{next(iter(field))}.* reads like a person"):
        Postmortem.model_validate(good | field)


def test_numbers_may_be_ranges_and_are_bounded() -> None:
    ritual = Ritual(id="RIT-1", title="Sync", minutes=(30, 45, 60), probability_gain=0.05)
    assert ritual.minutes == (30, 45, 60)
    for bad in ({"probability_gain": 5}, {"minutes": (60, 45, 30)}, {"roti": [5]}, {"actions_done": 1}):
        with pytest.raises(ValidationError):
            Ritual.model_validate({"id": "RIT-1", "title": "Sync", **bad})


def _engagement(folder: Path, **files: str) -> Workspace:
    for name, text in files.items():
        path = folder / "engagement" / name.replace("__", "/").replace("_", "-")
        path.with_suffix(".yaml").parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".yaml").write_text(text)
    return Workspace(folder)


DECISION = """\
id: DEC-1
title: Ask once
raised: 2026-11-01
ritual: RIT-9
reason: as RIT-8 said
links:
  - DEC-2
  - RIT-1 and
    RIT-7, and XY-1
"""


def test_dangling_links_name_file_line_key_and_fix(tmp_path: Path) -> None:
    workspace = _engagement(tmp_path, decisions__DEC_1=DECISION, rituals__RIT_1="id: RIT-1\ntitle: Sync\n")
    documents = read_documents(workspace, Config())
    assert documents.problems == ()
    assert {(link.source, link.target) for link in links.every(documents)} == {
        ("DEC-1", target) for target in ("RIT-9", "DEC-2", "RIT-1", "RIT-7")
    }
    found = [problem.sentence() for problem in links.dangling(documents)]
    assert len(found) == 3
    assert found[0].startswith(
        "engagement/decisions/DEC-1.yaml:4: ritual: names RIT-9, which is not there; did you mean"
    )
    assert found[1].startswith("engagement/decisions/DEC-1.yaml:7: links[0]: names DEC-2")
    assert found[2].startswith("engagement/decisions/DEC-1.yaml:8: links[1]: names RIT-7")
    assert links.dangling(documents, "ritual") == ()


def test_prefixes_of_kinds_differ() -> None:
    prefixes = [KINDS[name].PREFIX for name in KINDS]
    assert len(set(prefixes)) == len(prefixes)

"""Documents of the organisation: completeness, refusals, templates, links, and two people editing through git."""

from __future__ import annotations

import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from aether_tui.config import Config
from aether_tui.errors import ConfigurationError
from aether_tui.workspace import Workspace, links, templates
from aether_tui.workspace.documents import KINDS, read_documents
from aether_tui.workspace.edits import change
from aether_tui.workspace.kinds.agreement import Agreement
from aether_tui.workspace.kinds.canvas import BOXES, Canvas, CanvasBox
from aether_tui.workspace.kinds.decision import Decision
from aether_tui.workspace.kinds.postmortem import Postmortem
from aether_tui.workspace.kinds.ritual import Participation, Ritual
from aether_tui.workspace.kinds.team import Team
from aether_tui.workspace.names import person_in
from aether_tui.workspace.store import Conflict, Store

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


# --- two people, one repository -------------------------------------------------------------------------------------


class Git:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str, fails: bool = False) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *who, *arguments], cwd=self.folder, capture_output=True, text=True, check=False)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def shared(tmp_path: Path) -> tuple[Git, Store]:
    git, store = Git(tmp_path), Store(Workspace(tmp_path))
    git("init", "-q", "-b", "main")
    (tmp_path / ".gitignore").write_text(".aether/\n")
    store.add(
        Ritual,
        lambda identity: Ritual(
            id=identity, title="Weekly product sync", purpose="Questions wait otherwise", inputs=["questions"],
            outputs=["answers"], frequency="Tuesday", per_year=(40, 46, 50), minutes=60, anti_patterns=["a round of status"],
        ),
    )  # fmt: skip
    store.add(Decision, lambda identity: Decision(id=identity, title="Ask once", raised=DAY))
    git("add", "-A")
    git("commit", "-qm", "base")
    return git, store


def _edit(store: Store, **fields: object) -> None:
    change(store.workspace, Ritual, "RIT-1", lambda ritual: ritual.model_copy(update=fields), NOW)


def test_two_people_merge_cleanly(shared: tuple[Git, Store]) -> None:
    git, store = shared
    git("switch", "-qc", "hers")
    _edit(store, purpose="Decisions that need two functions wait otherwise")
    store.add(Ritual, lambda identity: Ritual(id=identity, title="Delivery review"))
    git("add", "-A")
    git("commit", "-qm", "hers")
    git("switch", "-q", "main")
    _edit(store, participation=[Participation(role="support lead", rule="one thing customers said")], minutes=45)
    store.add(Decision, lambda identity: Decision(id=identity, title="Cancel when empty", raised=DAY))
    git("add", "-A")
    git("commit", "-qm", "his")
    git("merge", "-q", "--no-edit", "hers")
    ritual = store.get(Ritual, "RIT-1").document
    assert ritual.purpose.startswith("Decisions that need") and ritual.minutes == 45
    assert [one.role for one in ritual.participation] == ["support lead"]
    assert [item.document.id for item in store.all(Ritual)[0]] == ["RIT-1", "RIT-2"]
    assert [item.document.id for item in store.all(Decision)[0]] == ["DEC-1", "DEC-2"]


def test_an_edit_changes_its_own_lines_only(shared: tuple[Git, Store]) -> None:
    git, store = shared
    _edit(store, minutes=45)
    assert git("diff", "--numstat").split() == ["1", "1", "engagement/rituals/RIT-1.yaml"]


def test_one_line_edited_twice_is_shown_with_both_versions(shared: tuple[Git, Store]) -> None:
    git, store = shared
    git("switch", "-qc", "hers")
    _edit(store, frequency="Wednesday")
    git("commit", "-qam", "hers")
    git("switch", "-q", "main")
    _edit(store, frequency="Thursday")
    git("commit", "-qam", "his")
    git("merge", "hers", fails=True)
    documents = read_documents(store.workspace, Config())
    (problem,) = documents.problems
    assert "Thursday" in problem.what and "Wednesday" in problem.what
    assert (problem.file, problem.line) == ("engagement/rituals/RIT-1.yaml", 8)
    assert "git add" in problem.fix
    assert [one.id for one in documents.decisions] == ["DEC-1"]


def test_a_change_underneath_keeps_both_versions(shared: tuple[Git, Store]) -> None:
    _, store = shared
    mine = store.get(Ritual, "RIT-1")
    path = store.path(Ritual, "RIT-1")
    path.write_text(path.read_text().replace("Tuesday", "Friday"))
    with pytest.raises(Conflict) as told:
        store.save(mine.document.model_copy(update={"frequency": "Monday"}), mine.revision, NOW)
    assert "Friday" in told.value.theirs.read_text() and "Monday" in told.value.ours.read_text()

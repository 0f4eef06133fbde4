"""Two people, two clones, one engagement: what git merges, and what it shows."""

from __future__ import annotations

import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from aether_tui.config import Config
from aether_tui.diagnostics.icep import Candidate, rank
from aether_tui.errors import NoData
from aether_tui.ingest.categories import is_stored
from aether_tui.reports.paper import render
from aether_tui.workspace import Workspace, links
from aether_tui.workspace.cycles import at_once
from aether_tui.workspace.document import Document, number_of
from aether_tui.workspace.documents import KINDS, read_documents
from aether_tui.workspace.edits import change, create, from_data
from aether_tui.workspace.kinds.canvas import Canvas, CanvasBox
from aether_tui.workspace.kinds.decision import Decision
from aether_tui.workspace.kinds.interview import Answer, Interview, Person, naive
from aether_tui.workspace.kinds.ritual import Participation, Ritual
from aether_tui.workspace.merging import merged
from aether_tui.workspace.store import Conflict, Store
from tests.cli.test_doc_kinds import LEAST

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
DAY = date(2026, 11, 2)


class Clone:
    """One person's clone; the engagement is in a folder of the repository whose name git would read as a pattern."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(Workspace(folder / "acme [2]"))

    def git(self, *arguments: str, fails: bool = False) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *who, *arguments], cwd=self.folder, capture_output=True, text=True, check=False)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", "work")

    def edit(self, kind: type[Document], identity: str, **fields: object) -> None:
        change(self.store.workspace, kind, identity, lambda one: one.model_copy(update=fields), NOW)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Clone, Clone]:
    """His clone, and hers of it, with a ritual, an interview and a canvas that were there before."""
    his, hers = Clone(tmp_path / "his"), Clone(tmp_path / "hers")
    root = his.store.workspace.root
    root.mkdir(parents=True)
    (root / "aether.toml").write_text("")
    (root / ".gitignore").write_text(".aether/\n")
    sheet = Ritual(
        id="RIT-1", title="Weekly product sync", purpose="Questions wait otherwise", inputs=["questions"], outputs=["answers"],
        frequency="Tuesday", per_year=(40, 46, 50), minutes=60, anti_patterns=["a round of status"],
    )  # fmt: skip
    talk = Interview(
        id="INT-1",
        questionnaire="lens",
        started=datetime(2026, 11, 2, tzinfo=UTC),
        people=[Person(name="A"), Person(name="B")],
    )
    for one in (
        sheet,
        talk,
        Decision(id="DEC-1", title="Ask once", raised=DAY),
        Canvas(purpose=CanvasBox(lines=["Shops"])),
    ):
        his.store.save(one, None, NOW)
    his.git("init", "-q", "-b", "main")
    his.commit()
    subprocess.run(["git", "clone", "-q", his.folder, hers.folder], check=True)
    return his, hers


def _answer(question: str, who: str, minute: int) -> Answer:
    return Answer(question=question, who=who, value=3, when=naive(datetime(2026, 11, 2, 9, minute, tzinfo=UTC)))


def test_two_clones_make_and_change_everything_and_merge_without_a_conflict(pair: tuple[Clone, Clone]) -> None:
    his, hers = pair
    made: dict[str, set[str]] = {}
    for clone in pair:
        for name, (least, _) in LEAST.items():
            kind = KINDS[name]
            for _ in range(0 if kind.SINGLE else 2):
                fields = ({"raised": DAY} if kind is Decision else {}) | YAML(typ="safe").load(least)
                edit = create(
                    clone.store.workspace, kind, lambda new, f=fields, k=kind: from_data(k, {**f, "id": new}), NOW
                )
                made.setdefault(name, set()).add(edit.identity)
    # Fields on lines next to each other, fields that were not there, items added to and changed in the same lists.
    his.edit(
        Ritual, "RIT-1", purpose="Two functions wait", frequency="Wednesday", outputs=["answers", "dates"], roti=[3]
    )
    hers.edit(Ritual, "RIT-1", minutes=45, outputs=["answers", "names"], title="Product sync", attendees=7)
    his.edit(Ritual, "RIT-1", participation=[Participation(role="support lead", rule="one thing customers said")])
    hers.edit(Ritual, "RIT-1", participation=[Participation(role="designer", rule="one thing customers said")])
    his.edit(Interview, "INT-1", answers=[_answer("q1", "A", 1), _answer("q2", "A", 7)], at="q3", elapsed_s=60)
    hers.edit(Interview, "INT-1", answers=[_answer("q1", "B", 5)], at="q2", elapsed_s=30)
    his.edit(Canvas, "canvas", purpose=CanvasBox(lines=["Shops", "Makers"]), data=CanvasBox(lines=["Lead time"]))
    hers.edit(Canvas, "canvas", purpose=CanvasBox(lines=["Small shops"]), people=CanvasBox(lines=["Two writers"]))
    for clone in pair:
        clone.commit()

    hers.git("pull", "-q", "--no-rebase", "--no-edit", "origin", "main")
    his.git("pull", "-q", "--no-rebase", "--no-edit", str(hers.folder), "main")
    for clone in pair:
        documents = read_documents(clone.store.workspace, Config())
        assert (documents.problems, links.dangling(documents)) == ((), ())
        for name, there in made.items():
            old = {"ritual": {"RIT-1"}, "interview": {"INT-1"}, "decision": {"DEC-1"}}.get(name, set())
            found = [one.id for one in documents.of(KINDS[name])]
            assert set(found) == there | old and len(there) == 4, name
            assert [int(one.split("-")[1]) for one in found] == sorted(int(one.split("-")[1]) for one in found)
        sheet = clone.store.get(Ritual, "RIT-1").document
        assert (sheet.title, sheet.purpose, sheet.frequency) == ("Product sync", "Two functions wait", "Wednesday")
        assert (sheet.minutes, sheet.roti, sheet.attendees) == (45, [3], 7)
        assert sorted(sheet.outputs) == ["answers", "dates", "names"]
        assert {one.role for one in sheet.participation} == {"support lead", "designer"}
        talk = clone.store.get(Interview, "INT-1").document
        assert [(one.question, one.who) for one in talk.answers] == [("q1", "A"), ("q1", "B"), ("q2", "A")]  # by when
        canvas = clone.store.get(Canvas, "canvas").document
        assert canvas.purpose.lines == ["Small shops", "Makers"]
        assert (canvas.data.lines, canvas.people.lines) == (["Lead time"], ["Two writers"])
        twice = at_once(clone.store.workspace)  # four were opened on one day, which no merge can decide
        assert len(twice) == 3 and "runs while cycle-" in twice[0].what
    assert his.git("rev-parse", "HEAD") == hers.git("rev-parse", "HEAD")

    with pytest.raises(NoData, match=r"TEAM-1 may be TEAM-1-\w{4} or TEAM-1-\w{4}"):
        his.store.get(KINDS["team"], "TEAM-1")


def test_one_field_changed_twice_stands_with_both_versions_and_the_rest_is_merged(pair: tuple[Clone, Clone]) -> None:
    his, hers = pair
    his.edit(Ritual, "RIT-1", frequency="Thursday", minutes=45)
    hers.edit(Ritual, "RIT-1", frequency="Wednesday", title="Product sync")
    for clone in pair:
        clone.commit()
    hers.git("pull", "-q", "--no-rebase", "--no-edit", "origin", "main", fails=True)
    documents = read_documents(hers.store.workspace, Config())
    (problem,) = documents.problems
    assert (
        "`frequency: Wednesday` (HEAD) or `frequency: Thursday` (theirs, the same field)" in problem.what
        and "git add" in problem.fix
    )
    path = hers.store.path(Ritual, "RIT-1")
    text = path.read_text()
    assert (problem.file, problem.line) == ("engagement/rituals/RIT-1.yaml", text[: text.index("<<<")].count("\n") + 1)
    assert "title: Product sync" in text and "minutes: 45" in text and text.count("<<<<<<<") == 1
    assert [one.id for one in documents.decisions] == ["DEC-1"]
    kept = "\n".join(
        line for line in text.splitlines() if line[:3] not in {"<<<", "===", ">>>"} and "Wednes" not in line
    )
    path.write_text(kept + "\n")
    hers.commit()
    assert hers.store.get(Ritual, "RIT-1").document.frequency == "Thursday"


def test_an_edit_changes_its_own_lines_only(pair: tuple[Clone, Clone]) -> None:
    his, _ = pair
    his.edit(Ritual, "RIT-1", minutes=45)
    assert his.git("diff", "--numstat").split()[:2] == ["1", "1"]


def test_a_change_underneath_keeps_both_versions(pair: tuple[Clone, Clone]) -> None:
    store = pair[0].store
    mine = store.get(Ritual, "RIT-1")
    path = store.path(Ritual, "RIT-1")
    path.write_text(path.read_text().replace("Tuesday", "Friday"))
    with pytest.raises(Conflict) as told:
        store.save(mine.document.model_copy(update={"frequency": "Monday"}), mine.revision, NOW)
    assert "Friday" in told.value.theirs.read_text() and "Monday" in told.value.ours.read_text()


SHEET = b"id: RIT-1\ntitle: Sync\nminutes: [30, 45, 60]\nlinks:\n  - A\n  - B\n"
TOOL = b"id: TOOL-1\ntitle: Board\nteam: web\n"


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "said"),
    [  # what cannot be merged by field is left as git leaves it: nothing is lost, nothing is guessed
        (b"", TOOL, TOOL.replace(b"Board", b"Wiki"), b"<<<<<<<"),  # two things under one id
        (TOOL, TOOL.replace(b"web", b"app"), TOOL.replace(b"Board", b"Wiki # old name"), b"# old name"),
        (TOOL, TOOL.replace(b"web", b"app"), TOOL.replace(b"Board", b"[not closed"), b"[not closed"),
        (TOOL, TOOL.replace(b"web", b"app"), TOOL.replace(b"Board", b"Wiki"), b"title: Wiki\nteam: app"),
        (TOOL, TOOL, TOOL.replace(b"web", b"app"), b"team: app"),
        (SHEET, SHEET.replace(b"30", b"31"), SHEET.replace(b"60", b"61"), b"<<<<<<<"),  # a range is one value
        (
            SHEET,
            SHEET.replace(b"links", b"roti: [3]\nlinks"),
            SHEET.replace(b"  - A\n", b""),
            b"roti: [3]\nlinks:\n  - B",
        ),
        (
            SHEET,
            SHEET.replace(b"- A", b"- C"),
            SHEET.replace(b"- A\n  - B", b"- B\n  - D"),
            b"<<<<<<<",
        ),  # A: changed, and gone
    ],
)
def test_three_versions_of_a_file(
    base: bytes, ours: bytes, theirs: bytes, said: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [tmp_path / name for name in ("base", "ours", "theirs")]
    for path, data in zip(paths, (base, ours, theirs), strict=True):
        path.write_bytes(data)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))  # what is killed leaves nothing there
    text, clean = merged(*paths, Path(f"acme/engagement/{'tools/TOOL-1' if base != SHEET else 'rituals/RIT-1'}.yaml"))
    assert said in text
    assert clean == (b"<<<<<<<" not in text)


def test_an_id_with_letters_is_an_id_everywhere() -> None:
    assert [number_of(one) for one in ("OPP-12-kdqt", "cycle-3", "INT-7-bcdf.conflict-20261121T090000", "canvas")] == [
        12,
        3,
        7,
        0,
    ]
    assert links.targets("OPP-12-kdqt of INT-3; not OPP-12-next, nor XOPP-1") == ["OPP-12-kdqt", "INT-3"]
    assert links.kind_of("OPP-12-kdqt") == "opportunity"
    assert (
        is_stored("c01 0.113 sure TAX-2-wtkz")
        and is_stored("c01 0.113 sure TAX-2")
        and not is_stored("c01 0.113 sure TAX-2-x")
    )
    decision = Decision(id="DEC-1", title="Ask once", raised=DAY, links=["OPP-12-kdqt"])
    assert "[OPP-12-kdqt](OPP-12-kdqt.md)" in render(decision, "decision", {"OPP-12-kdqt"})
    ranked = rank([Candidate(one, one, *[(5.0, 5.0, 5.0)] * 4) for one in ("OPP-10-bcdf", "OPP-2-xwvz")])
    assert [one.candidate.id for one in ranked.items] == ["OPP-2-xwvz", "OPP-10-bcdf"]

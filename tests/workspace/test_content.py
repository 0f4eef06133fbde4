"""The shipped questions, statements and practices: counts, ids, references, and that they can be read aloud."""

from __future__ import annotations

from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

from aether_tui.diagnostics.indicators import content as indicators
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.questions import ORDER, load, shipped


def test_the_rubric_has_two_to_four_statements_for_each_pillar_and_level():
    content = shipped()
    assert tuple(content.pillars) == ORDER
    cells = Counter(tuple(one.id.split(".")[:2]) for one in content.statements.values())
    assert len(cells) == 30
    assert all(2 <= count <= 4 for count in cells.values())
    assert len(content.statements) >= 90
    assert {"flow.3.wip-limits-enforced", "rituals.2.purpose-written"} <= set(content.statements)


def test_practices_reach_every_level_and_their_prerequisites_have_no_cycle():
    content = shipped()
    assert len(content.practices) >= 48
    assert "flow-wip-limits" in content.practices
    tuple(TopologicalSorter({one.id: one.needs for one in content.practices.values()}).static_order())
    for practice in content.practices.values():
        assert set(practice.needs) <= set(content.practices), practice.id
        assert all(content.practices[name].level < practice.level for name in practice.needs), practice.id
    for pillar in ORDER:
        for level in (2, 3, 4, 5):
            own = [
                one for one in content.practices.values() if (content.pillar_of[one.id], one.level) == (pillar, level)
            ]
            free = [one for one in own if all(content.pillar_of[name] == pillar for name in one.needs)]
            assert len(own) >= 2 and free, (pillar, level)


def test_questions_refer_to_indicators_and_their_values_run_one_way():
    known = {one.id: one for one in indicators().indicators}
    asked = [one for sheet in shipped().questionnaires.values() for one in sheet.questions]
    assert len({one.id for one in asked}) == len(asked)
    for question in asked:
        if question.indicator:
            values = question.values or []
            rising = known[question.indicator].better == "higher"
            assert values == sorted(values, reverse=not rising), question.id
    assert {one.indicator for one in shipped().questions("lens")} == set(known) - {
        "visibility.mapped",
        "visibility.freshness",
    }
    assert {one for q in shipped().questions("stakeholder") for one in q.functions} == {
        "product", "engineering", "operations",
    }  # fmt: skip


def test_the_text_reads_aloud():
    content = shipped()
    spoken = [one.says for one in content.statements.values()]
    spoken += [question.ask for sheet in content.questionnaires.values() for question in sheet.questions]
    about = [text for one in content.statements.values() for text in (one.why, one.evidence)]
    about += [text for one in content.practices.values() for text in (one.what, one.first_week, one.know, one.unlocks)]
    about += [
        text for sheet in content.questionnaires.values() for one in sheet.questions for text in (one.why, one.evidence)
    ]
    assert len(set(spoken)) == len(spoken)
    assert [text for text, count in Counter(about).items() if count > 1] == []
    for text in (*spoken, *about):
        assert text[-1] in ".?" and text[0].isupper(), text
        assert 15 <= len(text) <= 170 and 2 <= len(text.split()) <= 32, text


def test_an_engagement_extends_the_content_and_its_broken_files_are_named(tmp_path: Path):
    folder = tmp_path / "engagement" / "content"
    folder.mkdir(parents=True)
    (folder / "own.yaml").write_text(
        "questionnaire: exit\ntitle: Exit\nchoices: [a, b, c, d, e]\nquestions:\n"
        "  - {id: exit.why, ask: Why do you go?, why: We learn., evidence: A day., answer: text}\n"
        "  - {id: stakeholder.success, ask: Again?, why: We learn., evidence: A day.}\n"
    )
    (folder / "flow.yaml").write_text(
        "pillar: flow\nstatements:\n  - {id: flow.3.own, says: We stop., why: To see., evidence: A stop.}\n"
    )
    (folder / "broken.yaml").write_text("questionnaire: x\ntitle: [\n")
    (folder / "key.yaml").write_text(
        "pillar: flow\nstatements:\n  - {id: flow.3.k, says: We stop., whi: To see., evidence: A stop.}\n"
    )
    content = load(Workspace(tmp_path))
    assert [one.id for one in content.questions("exit")] == ["exit.why"]
    assert "flow.3.own" in content.statements and len(content.statements) == len(shipped().statements) + 1
    said = "\n".join(problem.sentence() for problem in content.problems)
    assert "broken.yaml:3" in said or "broken.yaml:2" in said
    assert "key.yaml:3: statements[0].whi: unknown key; did you mean 'why'?" in said
    assert "own.yaml:6: questions[1].id: the id 'stakeholder.success' is taken" in said
    assert len(content.problems) == 4  # the misspelt key is also a missing one


OWN = """\
pillar: flow
practices:
  - {id: own-one, level: 2, title: One, what: Do it., first_week: Try., know: We see., effort_weeks: 1, unlocks: Much.,
     needs: [flow-wip-limts]}
  - id: own-two
    level: 3
    title: Two
    what: Do it.
    first_week: Try.
    know: We see.
    effort_weeks: 1
    unlocks: More.
    needs:
      - own-one
      - own-three
  - {id: own-three, level: 4, title: Three, what: Do it., first_week: Try., know: We see., effort_weeks: 1, unlocks: All.,
     needs: [own-two]}
"""


def test_prerequisites_that_are_unknown_or_go_round_name_file_line_key_and_fix(tmp_path: Path):
    folder = tmp_path / "engagement" / "content"
    folder.mkdir(parents=True)
    (folder / "own.yaml").write_text(OWN)
    content = load(Workspace(tmp_path))
    assert [(one.file, one.line, one.key) for one in content.problems] == [
        ("engagement/content/own.yaml", 4, "practices[0].needs[0]"),
        ("engagement/content/own.yaml", 15, "practices[1].needs[1]"),
    ]
    unknown, cyclic = content.problems
    assert "flow-wip-limts" in unknown.what and "did you mean 'flow-wip-limits'" in unknown.fix
    assert "own-three" in cyclic.what and "take one of them out" in cyclic.fix
    assert content.practices["own-two"].needs == ["own-one"] and content.practices["own-three"].needs == ["own-two"]
    tuple(TopologicalSorter({one.id: one.needs for one in content.practices.values()}).static_order())

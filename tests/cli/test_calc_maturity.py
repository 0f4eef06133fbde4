"""`calc maturity`: answers in, levels and one practice out."""

from __future__ import annotations

from pathlib import Path

import pytest

from aether_tui.workspace.questions import shipped
from tests.command import aether


def answers(level: int) -> str:
    lines = [f"  {one.id}: {5 if one.level <= level else 1}" for one in shipped().statements.values()]
    return "answers:\n" + "\n".join(lines) + "\n"


def test_levels_and_the_next_practice_which_then_moves_its_pillar_only(tmp_path: Path):
    first = aether("calc", "maturity", "-", "--format", "json", cwd=tmp_path, stdin=answers(2)).json
    assert first["level"] == 2
    assert [row["level"] for row in first["pillars"]] == [2] * 6
    advice = first["next_practice"]
    done = answers(2) + f"done: [{advice['id']}]\n"
    second = aether("calc", "maturity", "-", "--format", "json", cwd=tmp_path, stdin=done).json
    moved = {row["pillar"]: row["level"] for row in second["pillars"]}
    assert moved == {row["pillar"]: row["level"] + (row["pillar"] == advice["pillar"]) for row in first["pillars"]}
    text = aether("calc", "maturity", "-", cwd=tmp_path, stdin=answers(2))
    assert text.code == 0 and f"{advice['id']}: {advice['title']}" in text.out


def test_few_answers_say_what_is_missing(tmp_path: Path):
    text = "answers: {flow.3.wip-limits-enforced: 4, rituals.2.purpose-written: 5}\ndone: [flow-wip-limits]\n"
    done = aether("calc", "maturity", "-", "--format", "json", cwd=tmp_path, stdin=text)
    assert done.code == 0
    assert done.json["level"] is None and "teams" in done.json["reason"]
    by_name = {row["pillar"]: row for row in done.json["pillars"]}
    assert by_name["flow"]["level"] == 3 and by_name["flow"]["contested"]
    assert by_name["teams"]["level"] is None


@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        (2, "answers: {flow.3.wip-limit-enforced: 4}", ["did you mean 'flow.3.wip-limits-enforced'"]),
        (2, "answers: {flow.3.wip-limits-enforced: 4}\ndone: [flow-wip-limit]", ["did you mean 'flow-wip-limits'"]),
        (2, "answers: {flow.3.wip-limits-enforced: 6}", ["flow.3.wip-limits-enforced", "0", "5"]),
        (2, "answers: {flow.3.wip-limits-enforced: true}", ["whole number"]),
        (2, "answers: [1]", ["answers"]),
        (2, "anwers: {}", ["did you mean 'answers'"]),
        (2, "- 1", ["answers"]),
        (2, "answers: {}\ndone: 3", ["list"]),
        (2, "answers: {flow.3.wip-limits-enforced: 1, flow.3.wip-limits-enforced: 2}", ["twice"]),
        (3, "answers: {}", ["no answer"]),
    ],
)
def test_bad_input_is_named(tmp_path: Path, code: int, text: str, words: list[str]):
    aether("calc", "maturity", "-", cwd=tmp_path, stdin=text).refuses(code, *words)

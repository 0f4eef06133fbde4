"""The maturity calculator: answers to statements in, levels and the one next practice out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import click

from aether_tui.cli.calc.common import file_argument, only, read_document, show
from aether_tui.cli.output import FORMAT
from aether_tui.errors import ConfigurationError, NoData

if TYPE_CHECKING:
    from aether_tui.workspace.questions import Content
    from aether_tui.workspace.rubric import Advice

KEYS = ("answers", "done")


@click.command()
@file_argument("FILE.yaml")
@FORMAT
def maturity(file: str, form: str) -> None:
    """Level of each pillar and overall, and the one next practice. `answers`: statement id → 0–5; `done`: practices."""
    from aether_tui.workspace import rubric
    from aether_tui.workspace.questions import shipped

    content = shipped()
    document = read_document(file)
    if not isinstance(document, dict):
        raise ConfigurationError("needs the key answers: statement id → 1–5, 0 for does not apply", where=file)
    only(document, KEYS, file)
    answers, done = _answers(document.get("answers"), content, file), _done(document.get("done"), content, file)
    standings = {name: rubric.standing(pillar, answers) for name, pillar in content.pillars.items()}
    assessed = {name: one.level for name, one in standings.items() if one.level is not None}
    levels = rubric.with_done(content, assessed, done)
    overall = rubric.overall([levels.get(name) for name in content.pillars])
    advice = rubric.advise(content, assessed, done)
    silent = [name for name in content.pillars if name not in levels]
    show(
        {
            "level": overall,
            "name": rubric.LEVELS[overall - 1] if overall else None,
            "reason": f"no telling answer about {', '.join(silent)}" if silent else None,
            "next_practice": _advice(advice, content) if form == "json" else _told(advice),
            "pillars": [
                {
                    "pillar": name,
                    "level": levels.get(name),
                    "name": rubric.LEVELS[levels[name] - 1] if name in levels else None,
                    "assessed": one.level,
                    "p": one.p if one.level is not None else None,
                    "contested": one.contested,
                    "n": one.asked,
                }
                for name, one in standings.items()
            ],
        },
        form,
    )
    if not levels:
        raise NoData(
            "no answer that tells anything",
            where=file,
            next_step="answer statements of level 2 to 5 with 1, 2, 4 or 5",
        )


def _told(advice: Advice | None) -> str | None:
    return f"{advice.practice.id}: {advice.practice.title}" if advice else None


def _advice(advice: Advice | None, content: Content) -> Mapping[str, object] | None:
    if advice is None:
        return None
    practice = advice.practice
    return {
        "id": practice.id,
        "title": practice.title,
        "pillar": advice.pillar,
        "level": advice.pillar_level,
        "what": practice.what,
        "needs": list(practice.needs),
        "first_week": practice.first_week,
        "know": practice.know,
        "effort_weeks": practice.effort_weeks,
        "unlocks": advice.unlocks,
        "moves_overall": advice.moves_overall,
        "overall_after": advice.overall_after,
        "still_blocking": list(advice.still_blocking),
    }


def _answers(value: object, content: Content, file: str) -> dict[str, int]:
    if not isinstance(value, dict):
        raise ConfigurationError("needs answers: a table of statement ids", where=f"{file}: answers")
    known = content.statements
    answers: dict[str, int] = {}
    for name, answer in value.items():
        _known(str(name), known, f"{file}: answers", "statement")
        if not isinstance(answer, int) or isinstance(answer, bool) or not 0 <= answer <= 5:
            raise ConfigurationError(
                f"must be a whole number from 0 (does not apply) to 5, not {str(answer)[:40]!r}",
                where=f"{file}: answers.{name}",
            )
        answers[str(name)] = answer
    return answers


def _done(value: object, content: Content, file: str) -> list[str]:
    names = [] if value is None else value
    if not isinstance(names, list):
        raise ConfigurationError("must be a list of practice ids", where=f"{file}: done")
    for name in names:
        _known(str(name), content.practices, f"{file}: done", "practice")
    if len(set(map(str, names))) < len(names):
        raise ConfigurationError("names a practice twice", where=f"{file}: done", next_step="keep one")
    return [str(name) for name in names]


def _known(name: str, names: Iterable[str], where: str, what: str) -> None:
    from aether_tui.problems import nearest
    from aether_tui.text import one_line

    choices = list(names)
    if name not in choices:
        near = nearest(name, choices)
        raise ConfigurationError(
            f"no {what} {one_line(name, 80)!r}" + (f", did you mean {near!r}?" if near else ""), where=where
        )

"""Edits of interviews, made from screens: each runs in a thread and is on disk before the next question shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from aether_tui.errors import ConfigurationError, NoData
from aether_tui.text import one_line
from aether_tui.workspace.edits import change, create, saved, updated
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.written import Edit, together

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.interview import Interview, Person
    from aether_tui.workspace.questions import Content, Function
    from aether_tui.workspace.store import Conflict, Stored


_SHORT: dict[str, Function] = {"ops": "operations", "dev": "engineering", "pm": "product"}


def person(text: str) -> Person:
    """`Eva, engineering, team lead`: a name, a function (or its beginning), a role. Raises ConfigurationError."""
    from aether_tui.workspace.kinds.interview import Person
    from aether_tui.workspace.questions import FUNCTIONS

    name, _, rest = one_line(text, 300).partition(",")
    word, _, role = rest.strip().partition(",")
    said = word.strip().casefold()
    function = _SHORT.get(said) or next((one for one in FUNCTIONS if said and one.startswith(said)), None)
    if not name.strip():
        raise ConfigurationError("a person needs a name", next_step="type it first, then a comma and the function")
    if function is None:
        return Person(name=name.strip(), function="other", role=rest.strip()[:200])
    return Person(name=name.strip(), function=function, role=role.strip()[:200])


def begin(workspace: Workspace, questionnaire: str, who: str, scores: dict[str, float], now: datetime) -> Edit:
    """A new interview with its first person. `scores`: lens id → 0–100, for where the search for a level begins."""
    from aether_tui.workspace.kinds.interview import Interview, naive
    from aether_tui.workspace.questions import load

    first, content = person(who), load(workspace)
    levels = {
        name: min(5, 1 + int(scores[pillar.measured] // 20))
        for name, pillar in content.pillars.items()
        if pillar.measured in scores and content.questionnaires[questionnaire].rubric
    }

    def make(identity: str) -> Interview:
        return Interview(
            id=identity, questionnaire=questionnaire, started=naive(now), people=[first], who=first.name, begin=levels
        )

    return create(workspace, Interview, make, now, "{id} begun")


def save(
    workspace: Workspace, stored: Stored[Interview], update: Callable[[Interview], Interview], what: str, now: datetime
) -> tuple[Stored[Interview], Edit]:
    """Store what `update` makes of the interview read as `stored`; when it returns, that is on disk.

    What somebody else wrote to it since stays. Raises Conflict when they changed the same answer or person, and keeps both;
    ConfigurationError when the result is not valid.
    """
    from aether_tui.workspace.store import Store
    from aether_tui.workspace.written import revision_of

    store, base, new = Store(workspace), stored, updated(stored.document, update)
    if not stored.path.exists() or revision_of(stored.path.read_bytes()) != stored.revision:
        theirs = store.get(type(new), new.id)
        if not _contradicts(stored.document, theirs.document, new):
            place = {"who": stored.document.who, "at": stored.document.at}
            base, new = theirs, updated(theirs.document.model_copy(update=place), update)
    fresh = store.save(new, base.revision, now, read=base.document)
    return fresh, saved(fresh, base.data, what, now)


def _contradicts(read: Interview, theirs: Interview, ours: Interview) -> bool:
    """Whether both changed the same answer or the same person since it was read, and differently."""
    before, them, us = _parts(read), _parts(theirs), _parts(ours)
    return any(
        us.get(key) != value and us.get(key) != them.get(key)
        for key, value in ((key, before.get(key)) for key in us.keys() | before.keys())
        if them.get(key) != value
    )


def _parts(interview: Interview) -> dict[tuple[str, ...], object]:
    """Answers by question and person, and the people by name."""
    parts: dict[tuple[str, ...], object] = {(one.name,): one for one in interview.people}
    return parts | {(one.question, one.who): (one.value, one.text) for one in interview.answers}


def apart(content: Content, conflict: Conflict) -> tuple[str, ...]:
    """What two versions of an interview say differently, a line each; nothing when one of them cannot be read."""
    from pydantic import ValidationError

    from aether_tui.workspace.kinds.interview import Interview
    from aether_tui.workspace.yaml_file import BadYaml, read_yaml

    try:
        ours, theirs = (
            Interview.model_validate(read_yaml(path.read_bytes(), path.name)[0])
            for path in (conflict.ours, conflict.theirs)
        )
    except (OSError, BadYaml, ValidationError):
        return ()
    mine, them = _parts(ours), _parts(theirs)
    labels = {one.id: one.label or one.ask for one in content.questions(ours.questionnaire)}
    found = [
        f"“{labels.get(key[0], key[0])}”, {key[1]}: yours {_said(mine.get(key))}, theirs {_said(them.get(key))}"
        if len(key) == 2
        else f"{key[0]} is written differently"
        for key in dict.fromkeys([*mine, *them])
        if mine.get(key) != them.get(key)
    ]
    return (*found, *(("notes differ",) if ours.notes != theirs.notes else ()))


def _said(answer: object) -> str:
    """An answer as `_parts` has it, in a few words."""
    if not isinstance(answer, tuple):
        return "nothing"
    value, text = answer
    return f"“{one_line(text, 60)}”" if text else "does not apply" if value == 0 else str(value)


def draft_rituals(workspace: Workspace, now: datetime) -> Edit:
    """A draft sheet for each meeting that ritual inventories name and that has none. Raises NoData when there is none."""
    from aether_tui.workspace.inventory import without_sheet
    from aether_tui.workspace.kinds.interview import Interview
    from aether_tui.workspace.kinds.ritual import Ritual
    from aether_tui.workspace.questions import load
    from aether_tui.workspace.store import Store

    store = Store(workspace)
    interviews = [one.document for one in store.all(Interview)[0]]
    named = without_sheet(load(workspace), interviews, [one.document for one in store.all(Ritual)[0]])
    if not named:
        raise NoData(
            "interviews name no meeting that has no sheet",
            next_step="hold the ritual inventory (g i), or write one (n)",
        )
    made: list[Edit] = []
    for one in named:
        make = lambda identity, one=one: Ritual.model_validate({"id": identity, **one.fields()})  # noqa: E731
        made.append(create(workspace, Ritual, make, now))
    ids = made[0].identity + (f" to {made[-1].identity}" if len(made) > 1 else "")
    return together(made, f"{ids} drafted from interviews; ↵ completes one", made[-1].identity)


def opportunity(workspace: Workspace, interview: str, place: int, now: datetime) -> Edit:
    """Make a quote or note an opportunity that names the interview as its evidence.

    Raises ConfigurationError when it is one already.
    """
    from aether_tui.workspace.anonymous import anonymous, told_of
    from aether_tui.workspace.kinds.interview import Interview
    from aether_tui.workspace.kinds.opportunity import Opportunity
    from aether_tui.workspace.store import Store

    sitting = Store(workspace).get(Interview, interview).document
    if place >= len(sitting.notes):
        raise ConfigurationError("that note is gone", where=interview)
    note = sitting.notes[place]
    if note.opportunity:
        raise ConfigurationError(f"it is {note.opportunity} already", where=interview)
    said = anonymous(note.text, told_of(workspace))
    title = one_line(" ".join(word for word in said.split() if not word.startswith("#")) or said, 300)

    def make(identity: str) -> Opportunity:
        return Opportunity(
            id=identity, title=title, impact=5, confidence=3, reversibility=5, effort_weeks=4, created=now.date(),
            evidence=[f"{interview}: {note.kind} of {now:%Y-%m-%d}"],
        )  # fmt: skip

    made = create(
        workspace, Opportunity, make, now, f"{{id}} from a {note.kind} of {interview}; rate it in the portfolio (g p)"
    )

    def linked(old: Interview) -> Interview:
        notes = list(old.notes)
        notes[place] = notes[place].model_copy(update={"opportunity": made.identity})
        return old.model_copy(update={"notes": notes})

    link = change(workspace, Interview, interview, linked, now)
    return together([made, link], made.what, made.identity)

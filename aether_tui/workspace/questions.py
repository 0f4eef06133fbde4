"""What is asked: questionnaires, the maturity rubric and its practices, shipped as YAML and extended by the engagement's own.

A file of the same shape in `engagement/content/` adds to what is shipped. A broken one is a problem with file, line, key
and fix; everything else stays usable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from aether_tui.problems import Lines, Problem, explain, nearest
from aether_tui.workspace.document import Line
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.yaml_file import MAX_BYTES, BadYaml, read_yaml

Function = Literal["product", "engineering", "operations", "other"]
FUNCTIONS: tuple[Function, ...] = ("product", "engineering", "operations", "other")
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,59}$")]
Dotted = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+$", max_length=80)]
Five = Annotated[list[Line], Field(min_length=5, max_length=5)]


class Shape(BaseModel):
    """Content refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Question(Shape):
    """One thing that is asked. A scale has five choices, worst first; `values` are what they mean for the indicator."""

    id: Dotted
    ask: Line
    why: Line = Field(description="Why we ask")
    evidence: Line = Field(description="What counts as evidence")
    section: str = Field(default="", max_length=80)
    answer: Literal["scale", "text"] = "scale"
    choices: Five | None = None
    indicator: str = Field(default="", max_length=80, description="Id of the indicator the answer states a value of")
    values: list[float] | None = Field(default=None, min_length=5, max_length=5)
    functions: list[Function] = Field(default_factory=list, description="Who is asked; everybody when empty")
    about: Literal["", "success", "priority", "obstacle", "guardrail", "inventory", "meetings"] = ""
    label: str = Field(default="", max_length=60, description="The question in two or three words, for tables")

    @model_validator(mode="after")
    def _complete(self) -> Question:
        if bool(self.indicator) != bool(self.values):
            raise ValueError("`indicator` and `values` belong together; give both or none")
        if self.indicator and self.answer == "text":
            raise ValueError("an indicator needs a scale; take `answer: text` out")
        return self


class Questionnaire(Shape):
    """A questionnaire; `rubric` marks the one whose questions are the statements of the maturity rubric."""

    questionnaire: Slug
    title: Line
    about: Line = ""
    minutes: int = Field(default=30, ge=1, le=240)
    consent: Line = "We note answers and quotes. Exports show functions, never names, unless you agree. May I begin?"
    rubric: bool = False
    choices: Five | None = None
    questions: list[Question] = Field(default_factory=list)

    @model_validator(mode="after")
    def _answerable(self) -> Questionnaire:
        if self.choices is None:
            for question in self.questions:
                if question.answer == "scale" and question.choices is None:
                    raise ValueError(f"{question.id} has no choices; give it five, or the questionnaire")
        return self


class Statement(Shape):
    """An observable statement of one level; its id is `pillar.level.name`."""

    id: Annotated[str, Field(pattern=r"^[a-z]+\.[1-5]\.[a-z0-9-]+$", max_length=80)]
    says: Line
    why: Line
    evidence: Line

    @property
    def level(self) -> int:
        """1 to 5."""
        return int(self.id.split(".")[1])


class Pillar(Shape):
    """One pillar of the rubric with its statements; `measured` names the lens that suggests where to begin."""

    pillar: Slug
    title: Line = ""
    about: Line = ""
    measured: str = ""
    statements: list[Statement]

    @model_validator(mode="after")
    def _own(self) -> Pillar:
        for statement in self.statements:
            if not statement.id.startswith(f"{self.pillar}."):
                raise ValueError(f"{statement.id} is not a statement of {self.pillar}; its id begins with the pillar")
        return self


class Practice(Shape):
    """Something to do that takes a pillar to `level`."""

    id: Slug
    level: int = Field(ge=2, le=5, description="The level it leads to")
    title: Line
    what: Line
    needs: list[Slug] = Field(default_factory=list, description="Practices that come first")
    first_week: Line
    know: Line = Field(description="How we will know that it works")
    effort_weeks: float = Field(gt=0, le=52)
    unlocks: Line


class PillarPractices(Shape):
    """The practices of one pillar."""

    pillar: Slug
    practices: list[Practice]


@dataclass(frozen=True)
class Content:
    """Everything that can be asked, by id, and what is wrong with the engagement's own files."""

    questionnaires: dict[str, Questionnaire] = field(default_factory=dict)
    pillars: dict[str, Pillar] = field(default_factory=dict)
    practices: dict[str, Practice] = field(default_factory=dict)
    pillar_of: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def statements(self) -> dict[str, Statement]:
        """Every statement of the rubric by id."""
        return {statement.id: statement for pillar in self.pillars.values() for statement in pillar.statements}

    def questions(self, name: str) -> list[Question]:
        """Questions of a questionnaire in order, each with its choices; the statements where it is the rubric."""
        sheet = self.questionnaires.get(name)
        if sheet is None:
            return []
        asked = [as_question(one, pillar) for pillar in self.pillars.values() for one in pillar.statements]
        return [
            one if one.choices or one.answer == "text" else one.model_copy(update={"choices": sheet.choices})
            for one in (*(asked if sheet.rubric else ()), *sheet.questions)
        ]


def as_question(statement: Statement, pillar: Pillar) -> Question:
    """A statement as it is put to a person."""
    return Question(
        id=statement.id, ask=statement.says, why=statement.why, evidence=statement.evidence, section=pillar.title
    )


File = Questionnaire | Pillar | PillarPractices
ORDER = ("model", "instrumentation", "flow", "rituals", "teams", "improvement")
"""The six pillars, in the order they are asked."""
SHEETS = ("stakeholder", "maturity", "lens", "rituals")
"""The questionnaires, in the order of the work."""


@cache
def shipped() -> Content:
    """The content of this package."""
    folder = resources.files("aether_tui.workspace") / "content"
    files = [file for name in ("questionnaires", "rubric", "practices") for file in _yaml(folder / name)]
    content, problems = Content(), []
    for file in files:
        problems += _add(content, file.read_bytes(), file.name, new_pillars=True)
    assert not problems, problems[0].sentence()
    in_order = {name: content.pillars[name] for name in ORDER}
    sheets = {name: content.questionnaires[name] for name in SHEETS}
    return Content(sheets, in_order, content.practices, content.pillar_of)


def load(workspace: Workspace | None) -> Content:
    """What is shipped together with the engagement's own `content/`; never fails because of one file."""
    base = shipped()
    content = Content(dict(base.questionnaires), dict(base.pillars), dict(base.practices), dict(base.pillar_of))
    folder = workspace.engagement / "content" if workspace is not None else None
    if workspace is None or folder is None or not folder.is_dir():
        return content
    problems: list[Problem] = []
    places: dict[str, Place] = {}
    for path in sorted(path for path in folder.rglob("*.yaml") if path.is_file() and not path.name.startswith(".")):
        name = path.relative_to(workspace.root).as_posix()
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            problems.append(Problem(name, f"cannot be read: {error.strerror}", fix="check its permissions"))
            continue
        problems += _add(content, data, name, places=places)
    problems += _prerequisites(content, places)
    return Content(content.questionnaires, content.pillars, content.practices, content.pillar_of, tuple(problems))


def _yaml(folder: Traversable) -> Iterator[Traversable]:
    yield from sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)


def _add(
    content: Content, data: bytes, name: str, *, new_pillars: bool = False, places: dict[str, Place] | None = None
) -> list[Problem]:
    """Read one file into `content`; what is wrong with it."""
    try:
        value, lines = read_yaml(data, name)
    except BadYaml as error:
        return [error.problem]
    shape = _shape(value)
    if shape is None:
        fix = "begin it with `questionnaire: NAME`, or `pillar: NAME` and `statements` or `practices`"
        return [Problem(name, "is no questionnaire, rubric or practices", fix=fix)]
    try:
        file = shape.model_validate(value)
    except ValidationError as error:
        return explain(error.errors(include_url=False), shape, name, lines)
    if isinstance(file, Questionnaire):
        return list(_questionnaire(content, file, name, lines))
    if not new_pillars and file.pillar not in content.pillars:
        fix = f"the six are {', '.join(content.pillars)}"
        return [Problem(name, f"no pillar {file.pillar!r}", "pillar", lines.get(("pillar",)), fix)]
    if isinstance(file, Pillar):
        return list(_statements(content, file, name, lines))
    return list(_practices(content, file, name, lines, {} if places is None else places))


def _shape(value: object) -> type[File] | None:
    if not isinstance(value, dict):
        return None
    if "questionnaire" in value:
        return Questionnaire
    if "pillar" not in value:
        return None
    return PillarPractices if "practices" in value else Pillar


@dataclass(frozen=True, slots=True)
class Place:
    """Where a practice is written."""

    file: str
    number: int
    lines: Lines

    def problem(self, what: str, step: int, fix: str) -> Problem:
        """Something is wrong with one of its prerequisites."""
        keys = (("practices", self.number, "needs", step), ("practices", self.number, "needs"))
        line = next((self.lines[key] for key in keys if key in self.lines), None)
        return Problem(self.file, what, f"practices[{self.number}].needs[{step}]", line, fix)


def _twice(name: str, identity: str, key: str, place: int, lines: Lines) -> Problem:
    line = lines.get((key, place, "id"))
    return Problem(
        name, f"the id {identity!r} is taken; the first one counts", f"{key}[{place}].id", line, "give it another"
    )


def _questionnaire(content: Content, file: Questionnaire, name: str, lines: Lines) -> Iterable[Problem]:
    known = {one.id for sheet in content.questionnaires.values() for one in sheet.questions}
    kept: list[Question] = []
    for place, question in enumerate(file.questions):
        if question.id in known:
            yield _twice(name, question.id, "questions", place, lines)
        else:
            known.add(question.id)
            own = question.choices or question.answer == "text"
            kept.append(question if own else question.model_copy(update={"choices": file.choices}))
    before = content.questionnaires.get(file.questionnaire)
    base = before or file
    questions = [*(before.questions if before else ()), *kept]
    content.questionnaires[file.questionnaire] = base.model_copy(update={"questions": questions})


def _statements(content: Content, file: Pillar, name: str, lines: Lines) -> Iterable[Problem]:
    before = content.pillars.get(file.pillar)
    kept = list(before.statements) if before else []
    known = {one.id for one in kept}
    for place, statement in enumerate(file.statements):
        if statement.id in known:
            yield _twice(name, statement.id, "statements", place, lines)
        else:
            known.add(statement.id)
            kept.append(statement)
    content.pillars[file.pillar] = (before or file).model_copy(update={"statements": kept})


def _practices(
    content: Content, file: PillarPractices, name: str, lines: Lines, places: dict[str, Place]
) -> Iterable[Problem]:
    for number, practice in enumerate(file.practices):
        if practice.id in content.practices:
            yield _twice(name, practice.id, "practices", number, lines)
        else:
            content.practices[practice.id] = practice
            content.pillar_of[practice.id] = file.pillar
            places[practice.id] = Place(name, number, lines)


def _prerequisites(content: Content, places: Mapping[str, Place]) -> Iterator[Problem]:
    """Practices that come first and are unknown, or wait for each other: named where they stand, and left out."""
    for identity, place in places.items():
        practice = content.practices[identity]
        good: list[str] = []
        for step, needed in enumerate(practice.needs):
            if needed not in content.practices:
                near = nearest(needed, list(content.practices))
                fix = f"did you mean {near!r}?" if near else "name a practice, or take it out"
                yield place.problem(f"needs {needed!r}, which is no practice", step, fix)
            elif needed == identity or identity in _all_needs(content, needed):
                fix = "take one of them out, so that one of the two can be done first"
                yield place.problem(f"needs {needed!r}, which waits for {identity!r} itself", step, fix)
            else:
                good.append(needed)
        content.practices[identity] = practice.model_copy(update={"needs": good})


def _all_needs(content: Content, identity: str) -> set[str]:
    found, look = set[str](), [identity]
    while look:
        here = content.practices.get(look.pop())
        for needed in here.needs if here is not None else ():
            if needed not in found:
                found.add(needed)
                look.append(needed)
    return found

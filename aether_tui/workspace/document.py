"""What every authored document is: a model of one YAML file that refuses unknown keys."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, ClassVar, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

D = TypeVar("D", bound="Document")

AHEAD = timedelta(days=1)
"""Days are typed as they are where somebody sits, which may be a day ahead of UTC."""
DATED = ("started", "created", "raised", "happened", "promised", "day", "built", "signed")
"""Fields that say on which day a document was begun; a kind has one of them, or does not say."""

Stated = float | tuple[float, float, float]
"""A number as somebody stated it: one value, or low, most likely, high."""


def low_mode_high(value: Stated) -> tuple[float, float, float]:
    """The three points of a stated number; one value stands for all three."""
    return value if isinstance(value, tuple) else (value, value, value)


def stated(low: float, high: float) -> BeforeValidator:
    """Validator of a stated number whose every point is from `low` to `high`."""
    allowed = f"it is a number from {low:g} to {high:g}, or [low, mode, high]"

    def check(value: object) -> Stated:
        points = value if isinstance(value, list | tuple) else [value]
        numbers = [float(point) for point in points if isinstance(point, int | float) and not isinstance(point, bool)]
        if len(numbers) != len(points) or len(points) not in {1, 3}:
            raise ValueError(f"not a number or a range of three; {allowed}")
        if not all(low <= number <= high for number in numbers):
            raise ValueError(f"outside {low:g} to {high:g}; {allowed}")
        if len(numbers) == 1:
            return numbers[0]
        if not numbers[0] <= numbers[1] <= numbers[2]:
            raise ValueError("a range rises: low, mode, high; put the three numbers in order")
        return numbers[0], numbers[1], numbers[2]

    return BeforeValidator(check)


Score = Annotated[Stated, stated(1, 10)]
Weeks = Annotated[Stated, stated(0.1, 520)]
Line = Annotated[str, Field(min_length=1, max_length=300)]
Prose = Annotated[str, Field(max_length=20_000)]
Links = Annotated[list[Line], Field(description="Ids of documents it rests on or leads to, such as OPP-3")]


LETTERS = "bcdfghjkmnpqrstvwxz"
NUMBER = rf"\d{{1,9}}(-[{LETTERS}]{{4}})?"
"""Behind the prefix of an id: a number and, where a document was made in a git repository, four letters, so that two clones
never give the same id to two things."""


def numbered(prefix: str, *, or_none: bool = False) -> str:
    """The pattern of a kind's ids; with `or_none` nothing may stand there, too."""
    return f"^({prefix}{NUMBER})?$" if or_none else f"^{prefix}{NUMBER}$"


def number_of(identity: str) -> int:
    """The digits of an id, or of the name of a document's file; 0 where there are none."""
    found = re.search(rf"-{NUMBER}(?=[.]|$)", identity)
    return int(found[0].split("-")[1]) if found else 0


class Document(BaseModel):
    """One authored file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    PLURAL: ClassVar[str]
    """Folder under `engagement/`."""
    PREFIX: ClassVar[str]
    """Ids are the prefix and a `NUMBER`; the file is named by the id."""
    SINGLE: ClassVar[bool] = False
    """There is one of it: its id is the prefix, and its file lies in `engagement/` itself."""

    PRIVATE: ClassVar[bool] = False
    """It holds what people said of themselves or others: hidden in room mode."""

    STANDING: ClassVar[frozenset[str]] = frozenset()
    """Fields that say where somebody stands in it; in a merge everybody keeps their own."""

    id: str = Field(description="Id, and the file's name")

    OFFERED: ClassVar[dict[str, tuple[str, str]]] = {}
    """Field → kind of another document and its field, whose value a new document of this kind begins with."""

    @property
    def dated(self) -> date | None:
        """The day it was begun, where it says."""
        when = next((getattr(self, name) for name in DATED if name in type(self).model_fields), None)
        return when.date() if isinstance(when, datetime) else when

    def public(self) -> Document:
        """As it may leave the workspace in an export. A private kind is exported only when it has its own."""
        return self

    def lacks(self) -> tuple[str, ...]:
        """Keys that are still to be written before it counts as complete; nothing where every kind of it may be short."""
        return ()


def ahead(document: Document, now: datetime) -> bool:
    """Whether it was begun after `now` (aware): to the second where it says so, else a day later at least."""
    started: object = getattr(document, "started", None)
    if isinstance(started, datetime):
        return started.replace(tzinfo=UTC) > now
    return document.dated is not None and document.dated > now.astimezone(UTC).date() + AHEAD

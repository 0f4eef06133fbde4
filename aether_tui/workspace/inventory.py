"""Meetings that the ritual inventory names, as drafts of ritual sheets. Only what was said is filled in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from aether_tui.text import one_line
from aether_tui.workspace.anonymous import anonymous, labels
from aether_tui.workspace.kinds.interview import Interview
from aether_tui.workspace.kinds.ritual import Ritual
from aether_tui.workspace.questions import Content

_NUMBER = re.compile(
    r"(?<![\w.])(\d{1,4}(?:[.,]\d{1,2})?)\s*(minutes?|mins?|hours?|hrs?|[mh]|people|persons?|attendees)?(?!\w)", re.I
)
_OFTEN = (
    ("every day", "daily", 220.0),
    ("daily", "daily", 220.0),
    ("every two weeks", "every two weeks", 24.0),
    ("every other week", "every two weeks", 24.0),
    ("biweekly", "every two weeks", 24.0),
    ("fortnightly", "every two weeks", 24.0),
    ("every week", "weekly", 48.0),
    ("weekly", "weekly", 48.0),
    ("monthly", "monthly", 12.0),
    ("every month", "monthly", 12.0),
    ("quarterly", "quarterly", 4.0),
    ("every quarter", "quarterly", 4.0),
    ("yearly", "yearly", 1.0),
)
"""Words, what they are called, and how many there are in a working year."""
LONGEST_MIN = 10_000


class Meeting(NamedTuple):
    """A meeting as it was named: minutes and people where they were said, times a year where a word says them."""

    title: str
    minutes: float | None
    people: float | None
    often: str
    per_year: float | None
    source: str

    def fields(self) -> dict[str, object]:
        """As a draft of a ritual; what nobody said is left open."""
        said = {
            "title": self.title, "minutes": self.minutes, "attendees": self.people, "frequency": self.often,
            "per_year": self.per_year, "links": [self.source],
        }  # fmt: skip
        return {name: value for name, value in said.items() if value not in (None, "")}


def meetings(content: Content, interviews: Iterable[Interview]) -> list[Meeting]:
    """Meetings named in answers to inventory questions that list them, each once, with what the newest answer says."""
    listing = {one.id for name in content.questionnaires for one in content.questions(name) if one.about == "meetings"}
    found: dict[str, Meeting] = {}
    sittings = list(interviews)
    told = labels(sittings)
    for interview in sittings:
        for answer in interview.answers:
            if answer.question in listing:
                for meeting in parse(anonymous(answer.text, told), interview.id):
                    found[key_of(meeting.title)] = meeting
    return list(found.values())


def without_sheet(content: Content, interviews: Iterable[Interview], sheets: Iterable[Ritual]) -> list[Meeting]:
    """Meetings that interviews name and no ritual sheet is titled by."""
    there = {key_of(sheet.title) for sheet in sheets}
    return [one for one in meetings(content, interviews) if key_of(one.title) not in there]


def key_of(title: str) -> str:
    """What makes two titles the same: their words."""
    return " ".join(re.findall(r"\w+", title.casefold()))


def parse(text: str, source: str) -> list[Meeting]:
    """`Planning, 60, 8; daily standup 15 min 7 people`: a name, minutes, people; one meeting a part or line.

    A number without a word is minutes, the next one people; one with a word is what the word says.
    """
    found = []
    for part in re.split(r"[;\n]|\.\s+(?=[A-Z])", text):
        words = one_line(part, 400).strip(" .")
        numbers = list(_NUMBER.finditer(words))
        title = words[: numbers[0].start()] if numbers else words.partition(",")[0]
        title = title.partition(",")[0].strip(" ,:-–(")[:300]
        if not re.search(r"[^\W\d_]", title):
            continue
        minutes, people = _said(numbers)
        low = words.casefold()
        often, per_year = next(((name, times) for word, name, times in _OFTEN if word in low), ("", None))
        found.append(Meeting(title[:1].upper() + title[1:], minutes, people, often, per_year, source))
    return found


def _said(numbers: Iterable[re.Match[str]]) -> tuple[float | None, float | None]:
    minutes: float | None = None
    people: float | None = None
    for match in numbers:
        value, unit = float(match[1].replace(",", ".")), (match[2] or "").casefold()
        if unit.startswith("h"):
            minutes = min(value * 60, LONGEST_MIN)
        elif unit.startswith("m") or (not unit and minutes is None):
            minutes = value
        elif people is None and value >= 1:
            people = value
    return minutes, people

"""What people said without who they are: what exports call them, and texts without their names."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Literal, TypeVar, cast, get_args, get_origin
from urllib.parse import quote

from pydantic import BaseModel

from aether_tui.stats.cells import Cell
from aether_tui.text import plain
from aether_tui.workspace.document import D, Document
from aether_tui.workspace.documents import KINDS, Documents
from aether_tui.workspace.kinds.interview import Interview
from aether_tui.workspace.names import ADDRESS, TITLED, WORD, given
from aether_tui.workspace.store import Store

if TYPE_CHECKING:
    from aether_tui.config import Config
    from aether_tui.problems import Problem
    from aether_tui.workspace.folder import Workspace

_BETWEEN = r"[ \t\u00a0\u202f()/\u2010\u2011-]"
_CALL = re.compile(
    rf"(?<![\w+])(?:\+|%2B|00)(?=(?:{_BETWEEN}*\d){{8}})[1-9]\d{{0,3}}(?:{_BETWEEN}{{0,3}}\d)+"
    r"|(?<![\w+])\+[1-9]\d{0,3}(?:\.\d{2,}){2,}|\btel:[+\d][\d().-]*"
    r"|(?<![\w.,:/-])(?:\(0\d{1,4}\)|0\d{2,4})[ /-]?\d{3,4}[ -]?\d{2,5}(?![\w.,:-])"
    r"|(?<![\w.,:/-])(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[.-]\d{4}(?![\w.,:-])",
    re.I,
)
"""A number to call, with its country or without; not `+12.3 (10.1 to 14.2)`, which is a change."""
_PROFILE = re.compile(r"(?:linkedin\.com/in|t\.me|wa\.me)/[\w.%+-]+|(?<=/)@[^\W\d][\w.-]*", re.I)
"""The page of one person."""
PART = re.compile(r"(?![a-z])[^\W\d_][\w'’-]{2,}")
_SURNAME = re.compile(r"\bsomebody[ -][A-ZÀ-Þ][a-zß-ÿ'-]+")
ROLES = frozenset({
    "product", "engineering", "design", "data", "operations", "support", "sales", "marketing", "finance", "legal", "other",
    "leadership", "management", "research", "security", "platform", "lead", "head", "manager", "owner", "team", "chief",
    "officer", "senior", "junior", "director", "engineer", "designer", "analyst", "agent",
})  # fmt: skip
"""Words of a name that is a role: they say nothing about who it is."""
INITIALS = 3
"""Up to so many letters a name is only one in the letters it is written in: `Al` is, `al` is not."""
_SMALL = frozenset({
    "Am", "An", "As", "At", "Be", "By", "Da", "De", "Di", "Do", "Du", "Go", "He", "If", "In", "Is", "It", "La", "Le", "Me", "My", "No",
    "Of", "On", "Or", "So", "To", "Up", "Us", "We",
})  # fmt: skip
"""Words of two letters that stand in any sentence."""

_NOBODY = frozenset({
    "person", "people", "somebody", "user", "customer", "client", "guest", "member", "participant", "interviewee", "respondent",
    "stakeholder", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
})  # fmt: skip
"""Words of a name that was made up in place of one."""
_ORDINARY = frozenset({
    "art", "banks", "bell", "best", "bill", "black", "bright", "brown", "case", "chase", "church", "cook", "cross", "day", "dean",
    "drew", "faith", "field", "fields", "ford", "frank", "free", "good", "grace", "grant", "green", "hill", "hope", "house", "joy",
    "king", "lane", "law", "long", "love", "major", "mark", "may", "page", "park", "pat", "power", "price", "rice", "rich", "rose",
    "sharp", "short", "small", "stone", "street", "sue", "summer", "wall", "ward", "waters", "white", "will", "winter", "wise",
    "wood", "woods", "young",
})  # fmt: skip
"""Names that are words, too: alone they are a name with a capital only."""

NAMING = frozenset({"who", "owner", "signed_by", "rollback_owner"})
"""Keys whose value is a person or a role."""


def named(documents: Documents) -> set[str]:
    """Every name of a person that documents carry in a field for one, roles left out."""
    found = {person.name for one in documents.of(Interview) for person in one.people}
    for kind in KINDS:
        if KINDS.place(kind, documents.workspace).exists():
            for document in documents.of(KINDS[kind]):
                found |= set(_named(document.model_dump()))
    return {name for name in found if not {word.casefold() for word in name.split()} <= ROLES}


def _named(value: object, key: str = "") -> Iterator[str]:
    if isinstance(value, str) and value and key in NAMING:
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _named(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner, key)


def labels(found: Iterable[Interview]) -> dict[str, str]:
    """Name of a person → what exports call them: their function, numbered where several share it; their name if agreed."""
    people = {person.name: person for interview in found for person in interview.people}
    many = Counter(person.function for person in people.values() if not person.named)
    seen: Counter[str] = Counter()
    told: dict[str, str] = {}
    for name, person in people.items():
        if person.named:
            told[name] = plain(name, 80)
            continue
        seen[person.function] += 1
        told[name] = f"{person.function} {seen[person.function]}" if many[person.function] > 1 else person.function
    return told


def told_of(workspace: Workspace) -> dict[str, str]:
    """The labels of everybody who was interviewed."""
    return labels(stored.document for stored in Store(workspace).all(Interview)[0])


def anonymous(text: str, told: Mapping[str, str]) -> str:
    """Text without the people who did not agree to be named, in whole or by a part of their name, and without addresses, numbers
    to call and given names of others.
    """
    text = TITLED.sub("somebody", unnamed(text, told))
    known = given() - {word.casefold() for word in _agreed(told)}
    text = WORD.sub(lambda found: "somebody" if found[0].casefold() in known else found[0], text)
    return _SURNAME.sub("somebody", text)


def unnamed(text: str, told: Mapping[str, str]) -> str:
    """Text without the people who did not agree to be named, addresses and numbers to call; names of others stay."""
    text = unicodedata.normalize("NFC", plain(text, len(text) + 1))
    text = _CALL.sub("(address)", _PROFILE.sub("(address)", ADDRESS.sub("(address)", text)))
    found = _hidden(tuple(told.items()))
    return found[0].sub(lambda one: found[1][int(str(one.lastgroup)[1:])], text) if found else text


def _agreed(told: Mapping[str, str]) -> frozenset[str]:
    return frozenset(word for name, shown in told.items() if shown == name for word in PART.findall(name))


@lru_cache(maxsize=8)
def _hidden(told: tuple[tuple[str, str], ...]) -> tuple[re.Pattern[str], list[str]] | None:
    """A pattern of every way to write somebody who is not named, longest first, and what stands there instead of each."""
    agreed, written = _agreed(dict(told)), dict[str, str]()
    for name, shown in told:
        if shown != name:
            for one in _ways(unicodedata.normalize("NFC", name)):
                written.setdefault(one, shown)
    written |= {name: shown for name, shown in told if shown != name}
    order = sorted((one for one in written if one.strip() and one not in agreed), key=len, reverse=True)
    if not order:
        return None
    parts = "|".join(f"(?P<w{place}>{_written(one)})" for place, one in enumerate(order))
    return re.compile(parts), [written[one] for one in order]


def _ways(name: str) -> Iterator[str]:
    """A name, its parts, and what accounts are made of: initial and last name, first name and initial."""
    nobody = ROLES | _NOBODY
    words = [word for word in PART.findall(name) if word.casefold() not in nobody]
    parts = [*words, *(part for word in words for part in PART.findall(word.replace("-", " ")))]
    yield from (part for part in parts if part.casefold() not in nobody)
    yield from (
        word for word in re.findall(r"[^\W\d_]+", name) if len(word) == 2 and word.istitle() and word not in _SMALL
    )
    if len(words) > 1:
        yield from (words[0][0] + words[-1], words[0] + words[-1][0], words[-1] + words[0][0])


def _written(name: str) -> str:
    """The pattern of one way: as a word by itself, in any letters unless it is short, also as addresses of pages write it."""
    words = [re.escape(word).replace("'", "['’]").replace("’", "['’]") for word in name.split()]
    said = r"(?:[\s._+-]|%20)*".join(words)
    coded = quote(name)
    said = f"{said}|{re.escape(coded)}" if coded != name else said
    alone = (
        rf"(?:(?<![^\W_])|(?<=%[0-9A-Fa-f]{{2}}))(?:{said})(?![^\W_])"
        if name.upper() != name.lower()
        else f"(?:{said})"
    )
    if name.casefold() in _ORDINARY:
        return alone.replace(name, f"(?:{name.title()}|{name.upper()})")
    return f"(?i:{alone})" if len(name) > INITIALS else alone


# --- Documents as others may read them --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Public(Documents):
    """A snapshot of documents for whoever was not there: every text of every kind `unnamed`, and those of private kinds `anonymous`.

    Who owns, decides or signs stays, unless it is somebody who was interviewed and did not agree to be named. Who was asked stays
    in interviews by name: reports call people by their `labels`, and interviews themselves are never exported.
    """

    @cached_property
    def _told(self) -> dict[str, str]:
        return told_of(self.workspace)

    def _read(self, kind: type[D]) -> tuple[tuple[D, ...], list[Problem]]:
        if kind not in self._cleaned:
            documents, problems = super()._read(kind)
            clean = partial(anonymous if kind.PRIVATE else unnamed, told=self._told)
            kept = frozenset({"id", "name", "who"}) if kind is Interview else frozenset({"id"})
            said = [
                replace(one, what=unnamed(one.what, self._told), fix=unnamed(one.fix, self._told)) for one in problems
            ]
            self._cleaned[kind] = tuple(_cleaned(one, clean, kept) for one in documents), said
        made, problems = self._cleaned[kind]
        return cast("tuple[D, ...]", made), problems

    @cached_property
    def _cleaned(self) -> dict[type[Document], tuple[tuple[Document, ...], list[Problem]]]:
        return {}


def public(workspace: Workspace, config: Config) -> Documents:
    """A snapshot of all documents as exports show them."""
    return Public(workspace, config)


V = TypeVar("V")


def _cleaned(value: V, clean: Callable[[str], str], kept: frozenset[str]) -> V:
    """A value with each text in it cleaned, except fields in `kept` and those with a fixed choice of words."""
    made: object = value
    if isinstance(value, str):
        made = clean(value)
    elif isinstance(value, BaseModel):
        skipped = kept | _chosen(type(value))
        pairs = ((name, getattr(value, name)) for name in type(value).model_fields if name not in skipped)
        made = value.model_copy(update={name: _cleaned(inner, clean, kept) for name, inner in pairs})
    elif isinstance(value, Cell):
        made = replace(value, who=clean(value.who))
    elif isinstance(value, dict):
        made = {_cleaned(name, clean, kept): _cleaned(inner, clean, kept) for name, inner in value.items()}
    elif isinstance(value, list | tuple):
        made = type(value)(_cleaned(inner, clean, kept) for inner in value)
    return cast("V", made)


@cache
def _chosen(model: type[BaseModel]) -> frozenset[str]:
    """Fields of a model whose words are given."""

    def given_words(annotation: object) -> bool:
        return get_origin(annotation) is Literal or any(given_words(inner) for inner in get_args(annotation))

    return frozenset(name for name, field in model.model_fields.items() if given_words(field.annotation))

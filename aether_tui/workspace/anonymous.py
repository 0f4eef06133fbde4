"""What people said without who they are: what exports call them, and texts without their names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from aether_tui.text import plain
from aether_tui.workspace.documents import KINDS, Documents
from aether_tui.workspace.kinds.interview import Interview
from aether_tui.workspace.names import ADDRESS, TITLED, WORD, given

_CALL = re.compile(r"(?<![\w+])(?:\+|00)[1-9][\d ()./-]{6,20}\d")
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


def anonymous(text: str, told: Mapping[str, str]) -> str:
    """Text without the people who did not agree to be named, in whole or by a part of their name, and without addresses, numbers
    to call and given names of others.
    """
    agreed = frozenset(word for name, shown in told.items() if shown == name for word in PART.findall(name))
    hidden = {name: shown for name, shown in told.items() if shown != name}
    parts = {
        part: shown for name, shown in hidden.items() for part in PART.findall(name) if part.casefold() not in ROLES
    }
    text = _CALL.sub("(address)", ADDRESS.sub("(address)", text))
    for name, shown in sorted({**parts, **hidden}.items(), key=lambda one: -len(one[0])):
        if name not in agreed:
            alike = re.IGNORECASE if len(name) > INITIALS else 0
            word = rf"(?<![^\W_]){re.escape(name)}(?![^\W_])" if name.upper() != name.lower() else re.escape(name)
            text = re.sub(word, lambda _, said=shown: said, text, flags=alike)
    text = TITLED.sub("somebody", text)
    known = given() - {word.casefold() for word in agreed}
    text = WORD.sub(lambda found: "somebody" if found[0].casefold() in known else found[0], text)
    return _SURNAME.sub("somebody", text)

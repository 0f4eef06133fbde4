"""Links between documents: a value that is an id, and every id within `evidence` and `links`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from pydantic import BaseModel

from aether_tui.problems import Loc, Problem, dotted, line_of, nearest
from aether_tui.workspace.document import NUMBER, Document
from aether_tui.workspace.documents import KINDS, Documents
from aether_tui.workspace.store import Store
from aether_tui.workspace.yaml_file import BadYaml, read_yaml

WITHIN = frozenset({"evidence", "links"})
"""Keys whose text may name ids among other words; elsewhere a whole value is an id or it is no link."""


@dataclass(frozen=True, slots=True)
class Link:
    """Document `source` names document `target` under the key at `loc`."""

    source: str
    kind: str
    loc: Loc
    target: str


@cache
def _prefixes() -> Mapping[str, str]:
    """Prefix of an id → name of its kind; of kinds with numbered ids."""
    return {KINDS[name].PREFIX: name for name in KINDS if not KINDS[name].SINGLE}


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, _prefixes()))}){NUMBER}(?![\w-])")


def targets(text: str) -> list[str]:
    """Ids in a text, in order."""
    return [match[0] for match in _pattern().finditer(text)]


def of(document: Document) -> Iterator[tuple[Loc, str]]:
    """Every link of a document: where it stands, and the id it names."""
    for name in type(document).model_fields:
        if name != "id":
            yield from _within(getattr(document, name), (name,))


def _within(value: object, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if isinstance(value, str):
        if any(part in WITHIN for part in loc):
            yield from ((loc, target) for target in targets(value))
        elif _pattern().fullmatch(value):
            yield loc, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _within(getattr(value, name), (*loc, name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _within(item, (*loc, str(key)))
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from _within(item, (*loc, place))


def every(documents: Documents) -> tuple[Link, ...]:
    """Every link between documents of the engagement."""
    return tuple(
        Link(document.id, name, loc, target)
        for name in KINDS
        if KINDS.place(name, documents.workspace).exists()
        for document in documents.of(KINDS[name])
        for loc, target in of(document)
    )


def dangling(documents: Documents, kind: str | None = None) -> tuple[Problem, ...]:
    """Links (of one kind's documents, or of all) whose document is not there: file, line, key and the way out."""
    store = Store(documents.workspace)
    return tuple(
        _problem(documents, store, link)
        for link in every(documents)
        if kind in {None, link.kind} and not _there(store, link.target)
    )


def kind_of(identity: str) -> str:
    """The name of the kind an id belongs to."""
    return next(name for prefix, name in _prefixes().items() if re.fullmatch(prefix + NUMBER, identity))


def _there(store: Store, identity: str) -> bool:
    return store.path(KINDS[kind_of(identity)], identity).is_file()


def _problem(documents: Documents, store: Store, link: Link) -> Problem:
    path = store.path(KINDS[link.kind], link.source)
    file = path.relative_to(documents.workspace.root).as_posix()
    try:
        _, lines = read_yaml(path.read_bytes(), file)
    except (BadYaml, OSError):
        lines = {}
    name = kind_of(link.target)
    near = nearest(link.target, [one.id for one in documents.of(KINDS[name])])
    fix = (
        f"did you mean {near}? " if near else ""
    ) + f"write it with `aether-tui doc new {name}`, or take the link out"
    return Problem(file, f"names {link.target}, which is not there", dotted(link.loc), line_of(lines, link.loc), fix)

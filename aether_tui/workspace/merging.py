"""Three versions of a document made one: what each side changed, field by field and item by item.

Where both changed the same thing differently, both versions stand in the file between the marks that git uses.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from aether_tui.workspace.document import Document
from aether_tui.workspace.documents import KINDS
from aether_tui.workspace.git import merged_lines
from aether_tui.workspace.yaml_file import ONE_FIELD, BadYaml, read_yaml, write_yaml

ABSENT = object()
"""A key that is not there."""
Both = tuple[object, object]
"""What was merged, with our version and with theirs of what both changed; the same where they do not differ."""


def merged(base: Path, ours: Path, theirs: Path, file: Path) -> tuple[bytes, bool]:
    """The merged text of three versions of `file`, whose path tells its kind, and whether nothing waits for a decision.

    Lines are merged first, since that keeps everybody's comments and layout; fields where lines cannot be.
    """
    kind = KINDS.at(file)
    text, clean = merged_lines(base, ours, theirs)
    if kind is None or (clean and _read(kind, text) is not None):
        return text, clean
    versions = [path.read_bytes() for path in (base, ours, theirs)]
    before, mine, other = (_read(kind, data) if data else None for data in versions)
    present = versions[1]
    if (
        mine is None
        or other is None
        or (before is None and not kind.SINGLE)
        or _comments(versions[2]) - _comments(present)
    ):
        return text, False  # two new things under one id, a text that is no document, or comments that would be lost
    both = _fields(
        before.model_dump() if before else _empty(kind), mine.model_dump(), other.model_dump(), kind.STANDING
    )
    made = [_valid(kind, fields) for fields in both]
    if made[0] is None or made[1] is None:
        return text, False
    kept, given = (write_yaml(one.model_dump(exclude_defaults=True), present) for one in made if one)
    return (kept, True) if kept == given else (_marked(kept, given), False)


def _read(kind: type[Document], data: bytes) -> Document | None:
    try:
        return _valid(kind, read_yaml(data, "")[0])
    except BadYaml:
        return None


def _valid(kind: type[Document], value: object) -> Document | None:
    try:
        return kind.model_validate(value)
    except ValidationError:
        return None


def _empty(kind: type[Document]) -> dict[str, object]:
    fields = kind.model_fields.items()
    return {name: field.get_default(call_default_factory=True) for name, field in fields if not field.is_required()}


def _comments(data: bytes) -> set[bytes]:
    return {
        line.partition(b"#")[2].strip() for line in data.splitlines() if line.lstrip().startswith(b"#") or b" #" in line
    }


def _value(base: object, ours: object, theirs: object) -> Both:
    if theirs in (ours, base):
        return ours, ours
    if ours == base:
        return theirs, theirs
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return _fields(base if isinstance(base, Mapping) else {}, ours, theirs)
    if isinstance(ours, list) and isinstance(theirs, list):  # a tuple is one thing: a number with its range
        return _items(base if isinstance(base, list) else [], ours, theirs)
    return ours, theirs


def _fields(
    base: Mapping[str, object],
    ours: Mapping[str, object],
    theirs: Mapping[str, object],
    standing: frozenset[str] = frozenset(),
) -> tuple[dict[str, object], dict[str, object]]:
    kept: dict[str, object] = {}
    given: dict[str, object] = {}
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        mine, other = _value(base.get(key, ABSENT), ours.get(key, ABSENT), theirs.get(key, ABSENT))
        if mine is not ABSENT:
            kept[key] = mine
        if key in standing or other is not ABSENT:
            given[key] = mine if key in standing else other
    return kept, given


def _items(
    base: Sequence[object], ours: Sequence[object], theirs: Sequence[object]
) -> tuple[list[object], list[object]]:
    """Items in the order they stand; between two that nobody touched, what one side did, or both sides one after the other."""
    kept: list[object] = []
    given: list[object] = []
    mine, other = _same(base, ours), _same(base, theirs)
    b = o = t = 0
    for anchor in [*(place for place in range(len(base)) if place in mine and place in other), len(base)]:
        end_o, end_t = mine.get(anchor, len(ours)), other.get(anchor, len(theirs))
        first, second = _stretch(base[b:anchor], ours[o:end_o], theirs[t:end_t])
        kept += [*first, *ours[end_o : end_o + 1]]
        given += [*second, *ours[end_o : end_o + 1]]
        b, o, t = anchor + 1, end_o + 1, end_t + 1
    return kept, given


def _same(base: Sequence[object], other: Sequence[object]) -> dict[int, int]:
    """Where the items of `base` that nobody touched stand in `other`."""
    blocks = difflib.SequenceMatcher(None, [repr(x) for x in base], [repr(x) for x in other], autojunk=False)
    return {block.a + step: block.b + step for block in blocks.get_matching_blocks() for step in range(block.size)}


def _stretch(
    base: Sequence[object], ours: Sequence[object], theirs: Sequence[object]
) -> tuple[Sequence[object], Sequence[object]]:
    """Items of a list between two that nobody touched."""
    if theirs in (ours, base):
        return ours, ours
    if ours == base:
        return theirs, theirs
    size = len(base)
    if (
        not all(_one_thing(*items) for items in zip(base, ours, theirs, strict=False))
        or min(len(ours), len(theirs)) < size
    ):
        return ours, theirs
    changed = [_value(*items) for items in zip(base, ours, theirs, strict=False)]
    added = [*ours[size:], *(item for item in theirs[size:] if item not in ours[size:])]
    if all(isinstance(item, Mapping) and item.get("when") is not None for item in added):
        added.sort(key=lambda item: str(item["when"]) if isinstance(item, Mapping) else "")
    return [*(one for one, _ in changed), *added], [*(one for _, one in changed), *added]


def _one_thing(base: object, ours: object, theirs: object) -> bool:
    """Whether an item that both changed is still the same: what it is called, its first field, is as it was."""
    items = (base, ours, theirs)
    if base in (ours, theirs):
        return True
    names = [next(iter(item.values()), None) if isinstance(item, Mapping) else None for item in items]
    return names[0] is not None and names.count(names[0]) == len(names)


def _marked(kept: bytes, given: bytes) -> bytes:
    """Two texts as one, with marks around the lines that differ."""
    ours, theirs = kept.splitlines(keepends=True), given.splitlines(keepends=True)
    said: list[bytes] = []
    for step, a, b, c, d in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if step == "equal":
            said += ours[a:b]
        else:
            said += [b"<<<<<<< HEAD\n", *ours[a:b], b"=======\n", *theirs[c:d], b">>>>>>> " + ONE_FIELD + b"\n"]
    return b"".join(said)

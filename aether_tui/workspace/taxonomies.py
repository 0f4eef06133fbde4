"""Edits of a taxonomy: merge, split, rename, move. Pure; the result is checked when it is stored.

Each leaves a mark on its category, and a category with marks is kept when the taxonomy is built again.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from aether_tui.errors import CheckFailed, NoData
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.workspace.folder import Workspace
    from aether_tui.workspace.kinds.taxonomy import Category, Part, Taxonomy

EXAMPLES = 5
"""Examples a category shows."""


def active(workspace: Workspace) -> Taxonomy | None:
    """The version in force: the newest readable one."""
    from aether_tui.workspace.kinds.taxonomy import Taxonomy
    from aether_tui.workspace.store import Store

    stored, _ = Store(workspace).all(Taxonomy)
    return stored[-1].document if stored else None


def asked(taxonomy: Taxonomy, name: str) -> Category:
    """A category by id or label; raises NoData when there is none."""
    found = taxonomy.find(name)
    if found is None:
        raise NoData(
            f"no category {one_line(name, 60)!r}",
            where=taxonomy.id,
            next_step=f"categories are {', '.join(one.id for one in taxonomy.categories)}",
        )
    return found


def merge(taxonomy: Taxonomy, name: str, other: str, day: date) -> Taxonomy:
    """`name` becomes part of `other`; earlier requests of it count there. Raises NoData, CheckFailed for one and the same."""
    from aether_tui.workspace.kinds.taxonomy import Retired

    gone, kept = asked(taxonomy, name), asked(taxonomy, other)
    if gone.id == kept.id:
        raise CheckFailed(f"{gone.id} is one category already", where=taxonomy.id, next_step="name another")
    both = kept.model_copy(
        update={
            "size": kept.size + gone.size,
            "holds": [*kept.holds, *gone.holds],
            "moved": [*kept.moved, *gone.moved],
            "examples": _turns(kept.examples, gone.examples),
            "parts": [_part(kept), _part(gone)],
            "edits": [*kept.edits, f"{day} merged with {gone.id} {gone.label}"[:300]],
        }
    )
    retired = [*taxonomy.retired, Retired(id=gone.id, label=gone.label, into=kept.id)]
    return taxonomy.model_copy(
        update={
            "categories": [both if one.id == kept.id else one for one in taxonomy.categories if one.id != gone.id],
            "retired": retired,
        }
    )


def split(taxonomy: Taxonomy, name: str, day: date) -> Taxonomy:
    """A category's two halves as categories of their own; earlier requests keep it.

    Raises NoData, CheckFailed for a category that has no parts.
    """
    from aether_tui.workspace.kinds.taxonomy import Category, Retired

    old = asked(taxonomy, name)
    if len(old.parts) != 2:
        raise CheckFailed(
            f"{old.id} has no parts to be split into",
            where=taxonomy.id,
            next_step="build again with more categories (-k)",
        )
    first = int(taxonomy.next_id()[1:])
    taken = {one.label.casefold() for one in taxonomy.categories}
    made: list[Category] = []
    for number, part in enumerate(old.parts):
        label = (
            part.label if part.label.casefold() not in taken else f"{part.label} ({number + 1} of {old.label})"[:300]
        )
        taken.add(label.casefold())
        made.append(
            Category(
                id=f"c{first + number:02d}", label=label, size=part.size, examples=part.examples, holds=part.holds,
                parents=[old.id], edits=[f"{day} split from {old.id} {old.label}"[:300]],
                moved=old.moved if number == 0 else [],
            )
        )  # fmt: skip
    place = [one.id for one in taxonomy.categories].index(old.id)
    categories = [*taxonomy.categories[:place], *made, *taxonomy.categories[place + 1 :]]
    return taxonomy.model_copy(
        update={"categories": categories, "retired": [*taxonomy.retired, Retired(id=old.id, label=old.label)]}
    )


def rename(taxonomy: Taxonomy, name: str, label: str, day: date) -> Taxonomy:
    """Another label for a category. Raises NoData, CheckFailed for an empty label."""
    old, words = asked(taxonomy, name), one_line(label, 300)
    if not words:
        raise CheckFailed("a label has at least one letter", where=old.id, next_step="type what people call it")
    new = old.model_copy(update={"label": words, "edits": [*old.edits, f"{day} renamed from {old.label}"[:300]]})
    return _with(taxonomy, new)


def move(taxonomy: Taxonomy, text: str, name: str, day: date) -> Taxonomy:
    """A request that stands in the wrong category into another; requests like it follow. Raises NoData, CheckFailed."""
    target, said = asked(taxonomy, name), one_line(text, 400)
    if not said:
        raise CheckFailed("there is no text to be moved", where=taxonomy.id, next_step="select an example")
    if said in target.moved:
        raise CheckFailed(f"it was moved to {target.id} already", where=taxonomy.id)
    for one in taxonomy.categories:
        kept = [each for each in one.examples if each != said]
        dropped = [each for each in one.moved if each != said]
        if one.id != target.id and (len(kept) < len(one.examples) or len(dropped) < len(one.moved)):
            mark = f"{day} a request moved to {target.id}"
            taxonomy = _with(
                taxonomy,
                one.model_copy(update={"examples": kept, "moved": dropped, "edits": [*one.edits, mark]}),
            )
    new = target.model_copy(
        update={
            "moved": [*target.moved, said],
            "examples": [said, *(each for each in target.examples if each != said)][:EXAMPLES],
            "edits": [*target.edits, f"{day} a request moved here"],
        }
    )
    return _with(taxonomy, new)


def _part(one: Category) -> Part:
    from aether_tui.workspace.kinds.taxonomy import Part

    return Part(holds=one.holds, label=one.label, size=one.size, examples=one.examples[:EXAMPLES])


def _with(taxonomy: Taxonomy, category: Category) -> Taxonomy:
    categories = [category if one.id == category.id else one for one in taxonomy.categories]
    return taxonomy.model_copy(update={"categories": categories})


def _turns(one: list[str], other: list[str]) -> list[str]:
    """Examples of both by turns."""
    mixed = [text for pair in zip(one, other, strict=False) for text in pair]
    return list(dict.fromkeys([*mixed, *one, *other]))[:EXAMPLES]

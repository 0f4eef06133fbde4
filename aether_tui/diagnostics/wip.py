"""Work in progress against the agreed limits, by initiative and by person (diagnostics D)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from aether_tui.diagnostics.frame import Record, text
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.config import Wip


class Load(Struct, frozen=True, kw_only=True):
    """What one initiative, one person, or all initiatives together have in progress; `limit` null: none was agreed."""

    level: Literal["initiatives", "initiative", "person"]
    name: str
    n: int
    limit: int | None
    over: bool
    items: tuple[str, ...]


class WipCheck(Struct, frozen=True, kw_only=True):
    """The verdict, the agreed action, and each load, those over their limit first. `people`: whether persons were looked at."""

    over: bool
    action: str
    people: bool
    items: int
    without_initiative: int
    loads: tuple[Load, ...]


def measure(rows: Sequence[Record], limits: Wip, names: Mapping[str, str], people: bool) -> WipCheck:
    """Rows of `wip_items` against the limits; `names` are those of people by hash, where somebody keeps them locally."""
    initiatives: dict[str, list[str]] = defaultdict(list)
    persons: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        initiatives[one_line(text(row["project"]), 80)].append(one_line(text(row["key"]), 40))
        if people and row["assignee"] is not None:
            persons[text(row["assignee"])].append(one_line(text(row["key"]), 40))
    without = len(initiatives.pop("", []))
    own = {name.casefold(): limit for name, limit in limits.initiative.items()}
    loads = [
        _load("initiatives", "all", sorted(initiatives), limits.initiatives),
        *(
            _load("initiative", name, items, own.get(name.casefold(), limits.per_initiative))
            for name, items in initiatives.items()
        ),
        *(_load("person", names.get(key, key), items, limits.per_person) for key, items in persons.items()),
    ]
    order = ("initiatives", "initiative", "person")
    loads.sort(key=lambda one: (not one.over, order.index(one.level), -one.n, one.name))
    return WipCheck(
        over=any(one.over for one in loads),
        action=limits.action,
        people=people,
        items=len(rows),
        without_initiative=without,
        loads=tuple(loads),
    )


def _load(
    level: Literal["initiatives", "initiative", "person"], name: str, items: Sequence[str], limit: int | None
) -> Load:
    n = len(items)
    return Load(level=level, name=name, n=n, limit=limit, over=limit is not None and n > limit, items=tuple(items))

"""Work in progress against the agreed limits, by initiative and by person (diagnostics D)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from aether_tui.diagnostics import metrics
from aether_tui.diagnostics.frame import Data, Record, text
from aether_tui.human import plural
from aether_tui.report_model import Block, Col, Finding, Gap, Row, Table
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


def agreed(limits: Wip) -> bool:
    """Whether there is any limit on initiatives to hold work against."""
    return bool(limits.initiative) or limits.initiatives is not None or limits.per_initiative is not None


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


# --- Words --------------------------------------------------------------------------------------------------------


def findings(held: WipCheck | None) -> tuple[Finding, ...]:
    """Limits that are exceeded, with the agreed action."""
    over = [one for one in held.loads if one.over] if held else []
    if not held or not over:
        return ()
    named = ", ".join(f"{_called(one)} {one.n} of {one.limit}" for one in over[:3])
    text = f"{plural(len(over), 'limit')} on work in progress {'is' if len(over) == 1 else 'are'} exceeded: {named}."
    return (Finding(id="flow.limits", severity="warn", text=text, evidence=("flow.limits",), action=held.action),)


def blocks(held: WipCheck | None, agreed: Wip, data: Data) -> tuple[Block, ...]:
    """Initiatives against their limits; persons are only in `aether-tui wip check`."""
    if held is None:
        return ()
    limited = [one for one in held.loads if one.limit is not None and one.level != "person"]
    if not limited:
        reason = "No limit on work in progress is agreed."
        step = "write [wip] initiatives and per_initiative in aether.toml; aether-tui wip check then fails when one is exceeded"
        return (Gap(id="flow.limits", title="Limits on work in progress", reason=reason, next_step=step),)
    return (
        Table(
            id="flow.limits",
            title="Limits on work in progress",
            columns=(
                Col(key="state", title="", kind="state", priority=9),
                Col(key="what", title="initiative", priority=10),
                Col(key="n", title="in progress", kind="number", priority=10),
                Col(key="limit", title="limit", kind="number", priority=9),
            ),
            rows=tuple(
                Row(
                    id=f"limit.{one.level}.{one.name}",
                    state="warn" if one.over else "pass",
                    cells=("over" if one.over else "within", _called(one), one.n, one.limit),
                    detail=", ".join(one.items[:12]),
                    why=metrics.why("flow.limits", data),
                )
                for one in limited[:12]
            ),
            note=f"Agreed when one is exceeded: {agreed.action}.",
        ),
    )


def _called(one: Load) -> str:
    return "initiatives at a time" if one.level == "initiatives" else one.name

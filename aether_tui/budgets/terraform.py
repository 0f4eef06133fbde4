"""Terraform plans (`terraform show -json`): what a change makes, changes and removes; a plan has no prices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from aether_tui.budgets.measurements import Resource
from aether_tui.text import one_line

MAX_BYTES = 256 << 20
_ACTIONS = {"create": "create", "update": "update", "delete": "delete", "create delete": "replace"}


class _Change(msgspec.Struct):
    actions: list[str]


class _ResourceChange(msgspec.Struct):
    address: str
    change: _Change
    type: str = ""


class _Plan(msgspec.Struct):
    format_version: str
    resource_changes: list[_ResourceChange] = []


def read_plan(path: Path) -> tuple[Resource, ...] | None:
    """What a plan changes, in its order; None for any other file. Resources that stay, and what is only read, are left out."""
    from connectors.files import read_all, sample

    head = sample(path).head.lstrip()
    if head[:1] != b"{" or b'"format_version"' not in head:
        return None
    try:
        plan = msgspec.json.decode(read_all(path, MAX_BYTES), type=_Plan)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    found = ((one, _ACTIONS.get(" ".join(sorted(one.change.actions)))) for one in plan.resource_changes)
    return tuple(
        Resource(address=one_line(one.address, 200), type=one_line(one.type, 100), action=action)
        for one, action in found
        if action
    )


def counted(changes: Sequence[Resource]) -> str:
    """`5 to create, 1 to replace`; `nothing to change` for none."""
    counts = Counter(one.action for one in changes)
    return (
        ", ".join(f"{counts[action]} to {action}" for action in _ACTIONS.values() if counts[action])
        or "nothing to change"
    )

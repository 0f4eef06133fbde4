"""Written reasons for warnings: `Budget-Justification: ID reason` in the commits of a change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from aether_tui.budgets.model import Result
from aether_tui.problems import nearest
from aether_tui.text import one_line

TRAILER = "Budget-Justification"
MIN_REASON = 10
"""Characters of a reason, as of a waiver's."""
_LINE = re.compile(rf"^{TRAILER}:[ \t]*(\S+)[ \t]+(.+(?:\n[ \t]+\S.*)*)$", re.M | re.I)


def justifications(message: str) -> dict[str, str]:
    """Reasons by the id of their budget; a folded line is one reason, of two for one budget the later counts."""
    return {match[1]: one_line(match[2], 300) for match in _LINE.finditer(message.replace("\r\n", "\n"))}


def problems(reasons: Mapping[str, str], known: Iterable[str]) -> list[str]:
    """Sentences about justifications that do not count."""
    ids = list(known)
    said = []
    for identity, reason in reasons.items():
        if identity not in ids:
            near = nearest(identity, ids)
            hint = f"; did you mean {near!r}?" if near else ""
            said.append(f"{TRAILER}: no budget {one_line(identity, 80)!r}{hint}")
        elif len(reason) < MIN_REASON:
            said.append(f"{TRAILER}: the reason for {identity} has less than {MIN_REASON} characters")
    return said


def justified(results: Sequence[Result], reasons: Mapping[str, str]) -> tuple[Result, ...]:
    """Each warning with its reason; one without asks for it."""
    return tuple(_with_reason(one, reasons.get(one.id, "")) if one.verdict == "warn" else one for one in results)


def _with_reason(one: Result, reason: str) -> Result:
    if len(reason) >= MIN_REASON:
        return msgspec.structs.replace(one, justification=reason, why=f"{one.why}; justified: {reason}", next="")
    if one.waiver:
        return one
    ask = f"justify it with `{TRAILER}: {one.id} REASON` in a commit message, or waive it"
    return msgspec.structs.replace(one, next=f"{one.next}; or {ask}" if one.next else ask)


def unjustified(results: Sequence[Result]) -> tuple[Result, ...]:
    """Warnings nobody answers for: neither a reason in a commit nor a waiver."""
    return tuple(one for one in results if one.verdict == "warn" and not one.justification and not one.waiver)

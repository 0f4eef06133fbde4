"""Documents dated later than a report's now: the clock was set back, or the report looks back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aether_tui.report_model import Finding
from aether_tui.workspace.document import ahead
from aether_tui.workspace.documents import KINDS, Documents

if TYPE_CHECKING:
    from collections.abc import Mapping

READ: Mapping[str, tuple[str, ...]] = {
    "summary": tuple(KINDS),
    "flywheel": tuple(KINDS),
    "readout": tuple(KINDS),
    "gate": ("decision",),
    "value-stream": ("value-stream",),
    "constraint": ("value-stream", "failure-review"),
    "portfolio": ("opportunity",),
    "experiments": ("experiment",),
    "taxonomy": ("taxonomy",),
    "playbook": ("playbook",),
    "gains": ("cycle",),
    "stakeholders": ("interview",),
    "maturity": ("interview", "assessment"),
    "commitments": ("commitment",),
    "decisions": ("decision", "postmortem"),
}
"""Kinds of dated documents each report rests on."""
UNCOUNTED = ("cycle", "interview", "assessment", "postmortem", "commitment")
"""Kinds that are left out of reports until their day has come; others stand as they are."""


def findings(report: str, documents: Documents, now: datetime) -> tuple[Finding, ...]:
    """Which documents of a report are dated later than its now, and what it did about that."""
    kinds = [name for name in READ.get(report, ()) if KINDS.place(name, documents.workspace).exists()]
    later = {name: [one.id for one in documents.of(KINDS[name]) if ahead(one, now)] for name in kinds}
    every = [one for ids in later.values() for one in ids]
    if not every:
        return ()
    out = [one for name in UNCOUNTED for one in later.get(name, ())]
    left = f"; {'it is' if out == every else ', '.join(out[:5]) + (' is' if len(out) == 1 else ' are')} not counted"
    if len(out) == len(every) > 1:
        left = "; they are not counted"
    others = f" and {len(every) - 5} more documents" if len(every) > 5 else ""
    verb = "is" if len(every) == 1 else "are"
    text = (
        f"{', '.join(every[:5])}{others} {verb} dated after {now.astimezone(UTC).date()}{left if out else ''}. "
        "If that is today, the clock was set back."
    )
    return (Finding(id=f"{report}.ahead", severity="warn", text=text, evidence=tuple(every[:20])),)

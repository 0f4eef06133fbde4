"""Opportunities from a tracker's items or a spreadsheet's rows: which field gives which score, and what is there already.

Every row is known by where it comes from (`linear:4711`, `roadmap.csv:17`), kept among the links of what it became, so that
importing again adds nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from aether_tui.errors import ConfigurationError
from aether_tui.text import one_line
from aether_tui.workspace.folder import Workspace

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.opportunity import Opportunity
    from aether_tui.workspace.written import Edit

SCORES = ("impact", "confidence", "reversibility", "effort_weeks")
TEXTS = ("id", "title", "cluster", "constraint", "notes")
FIELDS = (*TEXTS, *SCORES)
DEFAULTS: Mapping[str, float] = {"impact": 5, "confidence": 5, "reversibility": 5, "effort_weeks": 4}
TRACKER: Mapping[str, str] = {"id": "id", "title": "title", "impact": "priority", "effort_weeks": "estimate"}
"""Where the fields of a tracker's item come from unless told otherwise."""
WEEKS_PER_POINT = 0.5
LEVELS = {
    10.0: ("urgent", "critical", "blocker", "highest", "p0"),
    7.0: ("high", "major", "p1"),
    4.0: ("medium", "normal", "moderate", "p2"),
    1.0: ("low", "lowest", "minor", "trivial", "p3", "p4"),
}
"""Words of trackers on the anchors of Impact, 1/4/7/10."""
NOTHING = frozenset({"", "-", "—", "none", "no priority", "null", "n/a", "not set", "unprioritized"})
MOST = 1000


@dataclass(frozen=True, slots=True)
class Row:
    """One item or line: its columns as text, where it stands (for errors), and what is known of its origin for people."""

    columns: Mapping[str, str]
    where: str
    source: str
    evidence: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """A row as it would be stored: `fields` of an opportunity without an id, and which of them are defaults."""

    origin: str
    name: str
    fields: Mapping[str, object]
    assumed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do: add `planned`; leave what is `linked` already (origin → opportunity)."""

    planned: tuple[Planned, ...]
    linked: Mapping[str, str]


def plan(
    rows: Sequence[Row],
    mapping: Mapping[str, str],
    defaults: Mapping[str, float],
    present: Sequence[Opportunity],
    weeks_per_point: float | None = None,
) -> Plan:
    """Which rows become opportunities, and as what. Raises ConfigurationError naming the row and column that is not valid."""
    known = {link: one.id for one in present for link in one.links}
    planned: dict[str, Planned] = {}
    linked: dict[str, str] = {}
    for row in rows:
        found = _planned(row, mapping, defaults, weeks_per_point)
        if found.origin in known:
            linked[found.origin] = known[found.origin]
        elif found.origin in planned:
            raise ConfigurationError(
                f"{found.origin} stands twice", where=row.where, next_step="keep one of the two rows"
            )
        else:
            planned[found.origin] = found
    return Plan(tuple(planned.values()), linked)


def _planned(
    row: Row, mapping: Mapping[str, str], defaults: Mapping[str, float], weeks_per_point: float | None
) -> Planned:
    text = {name: one_line(_column(row, mapping[name]), 300) for name in TEXTS if name in mapping}
    title = text.get("title", "")
    if not title:
        raise ConfigurationError(
            "has no title", where=row.where, next_step="map the column that says what would be done"
        )
    # A row without an id is known by its title: in the same file the same words are the same thing.
    origin = f"{row.source}:{text.get('id') or title}"[:300]
    fields: dict[str, object] = {"title": title, "links": [origin], "evidence": [row.evidence] if row.evidence else []}
    fields |= {name: text[name] for name in ("cluster", "constraint", "notes") if text.get(name)}
    assumed = []
    for name in SCORES:
        said = _column(row, mapping[name]).strip() if name in mapping else ""
        value = _score(said, name, f"{row.where}: {mapping.get(name, name)}", weeks_per_point)
        if value is None:
            assumed.append(name)
            value = defaults[name]
        fields[name] = value
    return Planned(origin, row.name or origin, fields, tuple(assumed))


def _column(row: Row, name: str) -> str:
    """A column's text; `label:impact` is what follows `impact` in a label such as `impact: 8`, `impact/8` or `impact=8`."""
    prefix, colon, wanted = name.partition(":")
    if colon and prefix == "label":
        pattern = re.compile(rf"{re.escape(wanted)}\s*[:=/-]\s*(.+)", re.I)
        labels = row.columns.get("labels", "").split("\n")
        return next((match[1] for label in labels if (match := pattern.fullmatch(label.strip()))), "")
    return row.columns.get(name, "")


def _score(said: str, name: str, where: str, weeks_per_point: float | None) -> object:
    """A number, a range as a list, or None where nothing is said; ConfigurationError where it is no score."""
    if said.lower() in NOTHING:
        return None
    if name != "effort_weeks":
        for level, words in LEVELS.items():
            if said.lower() in words:
                return level
    try:
        parts = [float(part) for part in re.split(r"[,;–]|\.\.", said.strip("[]() "))]
    except ValueError:
        raise ConfigurationError(
            f"{one_line(said, 40)!r} is no {name.replace('_', ' ')}",
            where=where,
            next_step="a number, LOW;MODE;HIGH, or words such as high and low; or map another column",
        ) from None
    if name == "effort_weeks" and weeks_per_point is not None:
        if parts == [0]:
            return None  # an estimate of nothing is none
        parts = [min(520.0, max(0.1, part * weeks_per_point)) for part in parts]
    least, most = (0.1, 520.0) if name == "effort_weeks" else (1.0, 10.0)
    if len(parts) not in {1, 3} or not all(least <= part <= most for part in parts) or parts != sorted(parts):
        raise ConfigurationError(
            f"{one_line(said, 40)!r} is no {name.replace('_', ' ')} from {least:g} to {most:g}",
            where=where,
            next_step="a number, or LOW;MODE;HIGH rising",
        )
    return parts[0] if len(parts) == 1 else parts


def store(workspace: Workspace, planned: Sequence[Mapping[str, object]], now: datetime) -> Edit:
    """Store what was planned (fields of each), leaving out what somebody imported meanwhile; one edit for all of it.

    Raises ConfigurationError when nothing is left or a field is not valid.
    """
    from aether_tui.workspace.edits import create, from_data
    from aether_tui.workspace.kinds.opportunity import Opportunity
    from aether_tui.workspace.store import Store
    from aether_tui.workspace.written import together

    known = {link for item in Store(workspace).all(Opportunity)[0] for link in item.document.links}
    new = [one for one in planned if known.isdisjoint(_links(one))]
    for one in new:  # all or nothing: a mistake in the last one shows before the first is written
        from_data(Opportunity, {**one, "id": "OPP-1"})

    def make(fields: Mapping[str, object]) -> Edit:
        whole = {**fields, "created": now.date()}
        return create(workspace, Opportunity, lambda identity: from_data(Opportunity, {**whole, "id": identity}), now)

    made = [make(one) for one in new]
    if not made:
        raise ConfigurationError("nothing new to import", next_step="every item is linked to an opportunity already")
    first, last = made[0], made[-1]
    ids = first.identity if first is last else f"{first.identity} to {last.identity}"
    return together(made, f"{len(made)} imported: {ids}", last.identity)


def _links(fields: Mapping[str, object]) -> list[str]:
    links = fields.get("links")
    return [str(link) for link in links] if isinstance(links, list) else []

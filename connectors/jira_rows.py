"""Rows of a Jira issue and its changelog, Cloud and Data Center alike. Pure: no requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aether_tui.records.tables import WORK_ITEMS, WORK_TRANSITIONS
from connectors.base import Row
from connectors.fields import Node, dig, instant, number, objects, text

_STORY_POINTS = frozenset({"story points", "story point estimate"})


@dataclass(frozen=True)
class JiraSite:
    """What issues refer to: categories by status id (`new`, `indeterminate`, `done`), the fields that hold the
    estimate (tried in order), and the address people use."""

    categories: Mapping[str, str] = field(default_factory=dict)
    estimate_fields: tuple[str, ...] = ()
    address: str = ""


def status_categories(statuses: Iterable[Node]) -> dict[str, str]:
    """Category key by status id, from `/status`. Names are not portable, keys are."""
    pairs = ((text(status, "id"), text(status, "statusCategory", "key")) for status in statuses)
    return {status: category for status, category in pairs if status and category}


def estimate_fields(fields: Iterable[Node]) -> tuple[str, ...]:
    """Ids of the custom fields that hold story points, from `/field`."""
    found = (text(one, "id") for one in fields if (text(one, "name") or "").casefold() in _STORY_POINTS)
    return tuple(sorted(filter(None, found)))


def disagrees(issue: Node, site: JiraSite) -> bool:
    """Whether the category inside the issue differs from the status table, which wins."""
    status = dig(issue, "fields", "status")
    table = site.categories.get(text(status, "id") or "")
    return table is not None and table != text(status, "statusCategory", "key")


def jira_issue_rows(
    issue: Node, site: JiraSite | None = None, histories: Sequence[Node] | None = None
) -> dict[str, Sequence[Row]]:
    """The work item and the transitions of one issue; `histories` default to its inline changelog.

    The first transition is its creation. Raises ValueError for an issue that cannot be read.
    """
    site = site or JiraSite()
    if histories is None:
        histories = objects(issue, "changelog", "histories")
    fields = dig(issue, "fields")
    labels = dig(fields, "labels")
    key = text(issue, "key")
    item = WORK_ITEMS.row(
        id=text(issue, "id"),
        key=key,
        title=text(fields, "summary"),
        source_type=text(fields, "issuetype", "name"),
        state=text(fields, "status", "name"),
        state_type=_category(site, dig(fields, "status", "id")) or text(fields, "status", "statusCategory", "key"),
        created=instant(fields, "created"),
        completed=instant(fields, "resolutiondate"),
        updated=instant(fields, "updated"),
        priority=text(fields, "priority", "name"),
        estimate=next((points for name in site.estimate_fields if (points := number(fields, name)) is not None), None),
        project=text(fields, "project", "name"),
        source_team=text(fields, "project", "key"),
        assignee=_person(dig(fields, "assignee")),
        labels=tuple(label for label in labels if isinstance(label, str)) if isinstance(labels, list) else (),
        parent=text(fields, "parent", "id"),
        url=f"{site.address}/browse/{key}" if site.address and key else None,
    )
    return {WORK_ITEMS.name: [item], WORK_TRANSITIONS.name: _transitions(issue, site, histories)}


@dataclass(frozen=True)
class _Change:
    at: datetime
    history: Node
    item: Node


def _transitions(issue: Node, site: JiraSite, histories: Sequence[Node]) -> list[Row]:
    changes = sorted(_status_changes(histories), key=lambda change: change.at)
    team = text(issue, "fields", "project", "key")
    rows = []
    created = instant(issue, "fields", "created")
    status = dig(issue, "fields", "status")
    first = _state(changes[0].item, "from") if changes else text(status, "name")
    if created is not None and first is not None:
        rows.append(
            WORK_TRANSITIONS.row(
                item_id=text(issue, "id"),
                at=created,
                to_state=first,
                to_type=_category(site, dig(changes[0].item, "from") if changes else dig(status, "id")),
                source_team=team,
            )
        )
    rows += [
        WORK_TRANSITIONS.row(
            item_id=text(issue, "id"),
            at=change.at,
            to_state=_state(change.item, "to"),
            to_type=_category(site, dig(change.item, "to")),
            from_state=_state(change.item, "from"),
            from_type=_category(site, dig(change.item, "from")),
            actor=_person(dig(change.history, "author")),
            source_team=team,
        )
        for change in changes
    ]
    return rows


def _status_changes(histories: Sequence[Node]) -> Iterable[_Change]:
    for history in histories:
        for item in objects(history, "items"):
            if text(item, "fieldId") == "status" or (dig(item, "fieldId") is None and text(item, "field") == "status"):
                at = instant(history, "created")
                if at is None:
                    raise ValueError(f"history {text(history, 'id')} has no instant")
                yield _Change(at, history, item)


def _state(item: Node, side: str) -> str | None:
    return text(item, f"{side}String") or text(item, side)


def _category(site: JiraSite, status: object) -> str | None:
    return site.categories.get(str(status))


def _person(who: object) -> str | None:
    """Cloud has account ids, Data Center keys and names."""
    return text(who, "accountId") or text(who, "key") or text(who, "name")

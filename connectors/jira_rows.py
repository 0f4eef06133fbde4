"""Rows of a Jira issue and its changelog, Cloud and Data Center alike. Pure: no requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aether_tui.records.tables import ITERATION_ITEMS, WORK_ITEMS, WORK_LINKS, WORK_TRANSITIONS
from connectors.base import Row, Whole
from connectors.fields import Node, Rows, dig, instant, names, number, objects, text
from connectors.jira_fields import JiraFields, idea_labels


@dataclass(frozen=True)
class JiraSite:
    """What issues refer to: categories by status id (`new`, `indeterminate`, `done`), the custom fields, and the address
    people use."""

    categories: Mapping[str, str] = field(default_factory=dict)
    fields: JiraFields = field(default_factory=JiraFields)
    address: str = ""


def status_categories(statuses: Iterable[Node]) -> dict[str, str]:
    """Category key by status id, from `/status`. Names are not portable, keys are."""
    pairs = ((text(status, "id"), text(status, "statusCategory", "key")) for status in statuses)
    return {status: category for status, category in pairs if status and category}


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
        estimate=next((points for name in site.fields.estimates if (points := number(fields, name)) is not None), None),
        project=text(fields, "project", "name"),
        source_team=text(fields, "project", "key"),
        assignee=_person(dig(fields, "assignee")),
        labels=(
            *(label for label in (labels if isinstance(labels, list) else ()) if isinstance(label, str)),
            *idea_labels(fields, site.fields),
        ),
        parent=text(fields, "parent", "id"),
        url=f"{site.address}/browse/{key}" if site.address and key else None,
    )
    return {
        WORK_ITEMS.name: [item],
        WORK_TRANSITIONS.name: _transitions(issue, site, histories),
        ITERATION_ITEMS.name: _memberships(issue, site, histories),
        WORK_LINKS.name: _links(issue),
    }


def _memberships(issue: Node, site: JiraSite, histories: Sequence[Node]) -> list[Row]:
    """The sprints an issue is or was in: from its present field, and from every change of it."""
    fields = dig(issue, "fields")
    created = instant(fields, "created")
    added: dict[str, datetime | None] = {}
    removed: dict[str, datetime | None] = {}
    for change in sorted(_changes(histories, _is_sprint(site)), key=lambda change: change.at):
        before, after = _ids(dig(change.item, "from")), _ids(dig(change.item, "to"))
        for sprint in before:
            added.setdefault(sprint, created)  # it was in it from the beginning
        for sprint in [one for one in after if one not in before]:
            added[sprint], removed[sprint] = change.at, None
        for sprint in [one for one in before if one not in after]:
            removed[sprint] = change.at
    for name in site.fields.sprints:
        for sprint in _ids(dig(fields, name)):
            added.setdefault(sprint, created)
    return [
        ITERATION_ITEMS.row(
            iteration_id=sprint,
            item_id=text(issue, "id"),
            added=at,
            removed=removed.get(sprint),
            updated=instant(fields, "updated"),
        )
        for sprint, at in added.items()
    ]


def _is_sprint(site: JiraSite) -> Callable[[Node], bool]:
    return lambda item: (
        text(item, "fieldId") in site.fields.sprints
        or (dig(item, "fieldId") is None and text(item, "field") == "Sprint")
    )


def _ids(value: object) -> list[str]:
    """Ids of sprints: a list of objects (Cloud), of texts such as `…[id=7,state=CLOSED,…]` (Data Center), or `7, 8`."""
    if isinstance(value, list):
        return [found for one in value for found in _ids(one)]
    if isinstance(value, Mapping):
        found = text(value, "id")
        return [found] if found else []
    if isinstance(value, str) and "[" in value:
        return re.findall(r"[\[,]id=(\d+)", value)[:1]
    return re.findall(r"\d+", text({"value": value}, "value") or "")


_LINKS = {"is duplicated by": "duplicates", "duplicate": "duplicates", "relates to": "relates"}


def _links(issue: Node) -> list[Row]:
    """Links in the direction in which they act; both ends tell the same, so they are one row."""
    rows = []
    for link in objects(issue, "fields", "issuelinks"):
        outward, inward = text(link, "outwardIssue", "id"), text(link, "inwardIssue", "id")
        said = (text(link, "type", "outward") or text(link, "type", "name") or "").casefold()
        if text(link, "id") and (outward or inward):
            rows.append(
                WORK_LINKS.row(
                    id=text(link, "id"),
                    from_id=inward or text(issue, "id"),
                    to_id=outward or text(issue, "id"),
                    kind=_LINKS.get(said, said or None),
                )
            )
    return rows


def whole(issues: Sequence[Node], rows: Rows, *, cut: Sequence[Node] = ()) -> list[Whole]:
    """What came whole with issues and their `rows`: links, and, but for those whose history is `cut`, changes. What is stored of them
    and did not come is gone: a link that was removed, a state that has another name since."""
    read = {row[0] for row in rows[WORK_ITEMS.name]}
    came = [issue for issue in issues if text(issue, "id") in read]
    told = [issue for issue in came if isinstance(dig(issue, "fields", "issuelinks"), list)]
    histories = [issue for issue in came if issue not in cut]
    return [
        Whole(WORK_LINKS, ("from_id", "to_id"), names(told, "id")),
        Whole(WORK_TRANSITIONS, ("item_id",), names(histories, "id")),
    ]


@dataclass(frozen=True)
class _Change:
    at: datetime
    history: Node
    item: Node


def _transitions(issue: Node, site: JiraSite, histories: Sequence[Node]) -> list[Row]:
    changes = sorted(_changes(histories, _is_status), key=lambda change: change.at)
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


def _is_status(item: Node) -> bool:
    return text(item, "fieldId") == "status" or (dig(item, "fieldId") is None and text(item, "field") == "status")


def _changes(histories: Sequence[Node], wanted: Callable[[Node], bool]) -> Iterable[_Change]:
    for history in histories:
        for item in objects(history, "items"):
            if wanted(item):
                at = instant(history, "created")
                if at is None:
                    raise ValueError(f"history {text(history, 'id')} has no instant")
                yield _Change(at, history, item)


def jira_history(history: Node, site: JiraSite) -> Node | None:
    """What `jira_issue_rows` reads of a history; None where that is nothing."""
    items = [item for item in objects(history, "items") if _is_status(item) or _is_sprint(site)(item)]
    author = {"accountId": _person(history.get("author"))}
    return (
        {"id": history.get("id"), "created": history.get("created"), "author": author, "items": items}
        if items
        else None
    )


def _state(item: Node, side: str) -> str | None:
    return text(item, f"{side}String") or text(item, side)


def _category(site: JiraSite, status: object) -> str | None:
    return site.categories.get(str(status))


def _person(who: object) -> str | None:
    """Cloud has account ids, Data Center keys and names."""
    return text(who, "accountId") or text(who, "key") or text(who, "name")

"""Rows of what Linear answers: issues with their state history, cycles, projects, initiatives, links and needs. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from aether_tui.records.tables import ITERATIONS, PROJECTS, WORK_ITEMS, WORK_LINKS, WORK_TRANSITIONS
from connectors.base import Row
from connectors.fields import Node, dig, instant, integer, names, number, objects, text

_HEALTH = {"onTrack": "on track", "atRisk": "at risk", "offTrack": "off track"}


def linear_issue_rows(issue: Node) -> dict[str, Sequence[Row]]:
    """The work item and the transitions of one issue (a node of `Issues`).

    Spans have no from and to: each begins where the one before it ended. Raises ValueError for an unreadable issue.
    """
    trashed = dig(issue, "trashed") is True
    cancelled = instant(issue, "canceledAt")
    if trashed and cancelled is None:
        # The trash has no state of its own: a deleted issue keeps the state it had.
        cancelled = instant(issue, "archivedAt") or instant(issue, "updatedAt")
    item = WORK_ITEMS.row(
        id=text(issue, "id"),
        key=text(issue, "identifier"),
        title=text(issue, "title"),
        state=text(issue, "state", "name"),
        state_type="canceled" if trashed else text(issue, "state", "type"),
        created=instant(issue, "createdAt"),
        started=instant(issue, "startedAt"),
        completed=instant(issue, "completedAt"),
        cancelled=cancelled,
        updated=instant(issue, "updatedAt"),
        priority=text(issue, "priorityLabel"),
        estimate=number(issue, "estimate"),
        project=text(issue, "project", "name"),
        source_team=text(issue, "team", "key"),
        assignee=text(issue, "assignee", "id"),
        labels=names(objects(issue, "labels", "nodes")),
        parent=text(issue, "parent", "id"),
        url=text(issue, "url"),
    )
    return {WORK_ITEMS.name: [item], WORK_TRANSITIONS.name: _transitions(issue)}


def _transitions(issue: Node) -> list[Row]:
    spans = objects(issue, "stateHistory", "nodes")
    dated = sorted(
        ((at, span) for span in spans if (at := instant(span, "startedAt")) is not None), key=lambda pair: pair[0]
    )
    item_id, source_team = text(issue, "id"), text(issue, "team", "key")
    rows: list[Row] = []
    before: tuple[str | None, str | None, str | None] | None = None
    for at, span in dated:
        state_id, state = text(span, "stateId"), dig(span, "state")
        name, kind = text(state, "name") or state_id, text(state, "type")
        if before is not None and state_id == before[0]:
            continue
        _, from_state, from_type = before or (None, None, None)
        rows.append(
            WORK_TRANSITIONS.row(
                item_id=item_id,
                at=at,
                to_state=name,
                to_type=kind,
                from_state=from_state,
                from_type=from_type,
                source_team=source_team,
            )
        )
        before = state_id, name, kind
    return rows


def linear_cycle_rows(cycle: Node) -> dict[str, Sequence[Row]]:
    """One cycle with its scope: Linear counts it day by day. Raises ValueError for an unreadable one."""
    items, points = _history(cycle, "issueCountHistory"), _history(cycle, "scopeHistory")
    items_done, points_done = _history(cycle, "completedIssueCountHistory"), _history(cycle, "completedScopeHistory")
    row = ITERATIONS.row(
        id=text(cycle, "id"),
        name=text(cycle, "name") or text({"number": integer(cycle, "number")}, "number"),
        source_team=text(cycle, "team", "key"),
        state="closed" if dig(cycle, "completedAt") else None,
        start=instant(cycle, "startsAt"),
        end=instant(cycle, "endsAt"),
        completed=instant(cycle, "completedAt"),
        items_start=_whole(items[:1]),
        items_end=_whole(items[-1:]),
        items_done=_whole(items_done[-1:]),
        scope_start=next(iter(points[:1]), None),
        scope_end=next(iter(points[-1:]), None),
        scope_done=next(iter(points_done[-1:]), None),
        updated=instant(cycle, "updatedAt"),
    )
    return {ITERATIONS.name: [row]}


def linear_project_rows(project: Node) -> dict[str, Sequence[Row]]:
    """One project. Raises ValueError for an unreadable one."""
    parents = names(objects(project, "initiatives", "nodes"), "id")
    return {PROJECTS.name: [_container(project, "project", text(project, "status", "name"), parents)]}


def linear_initiative_rows(initiative: Node) -> dict[str, Sequence[Row]]:
    """One initiative. Raises ValueError for an unreadable one."""
    parent = text(initiative, "parentInitiative", "id")
    return {
        PROJECTS.name: [_container(initiative, "initiative", text(initiative, "status"), (parent,) if parent else ())]
    }


def linear_relation_rows(relation: Node) -> dict[str, Sequence[Row]]:
    """One relation between issues: blocks, duplicate, related, similar. Raises ValueError for an unreadable one."""
    kinds = {"duplicate": "duplicates", "related": "relates"}
    kind = text(relation, "type") or ""
    row = WORK_LINKS.row(
        id=text(relation, "id"),
        from_id=text(relation, "issue", "id"),
        to_id=text(relation, "relatedIssue", "id"),
        kind=kinds.get(kind, kind or None),
        at=instant(relation, "createdAt"),
        updated=instant(relation, "updatedAt"),
    )
    return {WORK_LINKS.name: [row]}


def linear_need_rows(need: Node) -> dict[str, Sequence[Row]]:
    """One customer need of an issue or a project: who and how important, never what was said."""
    row = WORK_LINKS.row(
        id=text(need, "id"),
        to_id=text(need, "issue", "id") or text(need, "project", "id"),
        kind="need",
        customer=text(need, "customer", "id"),
        weight=number(need, "priority"),
        at=instant(need, "createdAt"),
        updated=instant(need, "updatedAt"),
    )
    return {WORK_LINKS.name: [row]}


def _container(node: Node, kind: str, state: str | None, parents: tuple[str, ...]) -> Row:
    return PROJECTS.row(
        id=text(node, "id"),
        kind=kind,
        name=text(node, "name"),
        state=state,
        health=_HEALTH.get(text(node, "health") or "", text(node, "health")),
        parents=parents,
        created=instant(node, "createdAt"),
        started=instant(node, "startedAt"),
        target=instant(node, "targetDate"),
        completed=instant(node, "completedAt"),
        cancelled=instant(node, "canceledAt"),
        updated=instant(node, "updatedAt"),
        url=text(node, "url"),
    )


def _history(node: Node, name: str) -> list[float | None]:
    """What was counted day by day; None on a day of which that is not told."""
    said = dig(node, name)
    return [number({name: one}, name) for one in said] if isinstance(said, list) else []


def _whole(day: list[float | None]) -> int | None:
    return next((round(one) for one in day if one is not None), None)

"""Rows of the tables of DevLake's domain layer that hold what is stored here, completed by the tables read with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from aether_tui.records.tables import (
    DEPLOYMENTS,
    ITERATION_ITEMS,
    ITERATIONS,
    PIPELINE_JOBS,
    PIPELINE_RUNS,
    PULL_REQUESTS,
    WORK_ITEMS,
    WORK_LINKS,
    WORK_TRANSITIONS,
)
from connectors.base import Malformed, Page, Row
from connectors.devlake_domain import HOLDS, DomainTable, instant, rejected, rows
from connectors.devlake_side import Side, is_status
from connectors.fields import Node, Rows, add, integer, number, text
from connectors.files import name_of
from connectors.github_rows import item_keys, seconds

PAGE_ROWS = 5_000
Mapped = Mapping[str, Sequence[Row]]


def domain_pages(tables: Mapping[Path, DomainTable], *, alone: bool = True) -> Iterator[Page]:
    """Rows of every table that is stored. Raises Malformed when none of the files holds any and no others are read with them
    (`alone`), naming what it holds."""
    present = frozenset(table.name for table in tables.values())
    unread = {path: why for path, table in tables.items() if (why := _unread(table, present))}
    if alone and len(unread) == len(tables):
        path = next(iter(unread))
        raise Malformed(f"{name_of(path)}: {unread[path]}")
    side = Side(tables)
    for path, table in tables.items():
        if path in unread:
            yield Page(problems=[f"{name_of(path)}: {unread[path]}"], path=path)
        elif table.stored:
            yield from _pages(path, table, side)
        else:
            into = next(HOLDS[name] for name in table.joins if name in present)
            yield Page(problems=[f"{name_of(path)}: read into {into}"], path=path)
    yield Page(problems=side.projects())


def _unread(table: DomainTable, present: frozenset[str]) -> str:
    if table.joins and not present & set(table.joins):
        return f"holds {table.holds}, which are read together with {HOLDS[table.joins[0]]}: load both"
    return "" if table.stored or table.joins else f"holds {table.holds}: not stored"


def _pages(path: Path, table: DomainTable, side: Side) -> Iterator[Page]:
    mapper = _MAPPERS[table.name]
    found: Rows = {table.stored: []}
    rejects = []
    for where, row in rows(path, table.name):
        try:
            add(found, mapper(row, side))
        except ValueError as error:
            rejects.append(rejected(table.stored, error, row, where))
        if sum(map(len, found.values())) >= PAGE_ROWS:
            yield Page(found, rejects=rejects, path=path)
            found, rejects = {table.stored: []}, []
    yield Page(found, rejects=rejects, path=path)


# --- Changes and deployments --------------------------------------------------------------------------------------


def _pull_request(row: Node, side: Side) -> Mapped:
    identity = text(row, "id") or ""
    repo, merged, closed = side.repo_of_request(row), instant(row, "merged_date"), instant(row, "closed_date")
    said = (text(row, "status") or "").lower()
    labels = side.labels(row) if merged is None else (*side.labels(row), *side.carrier(row, repo))
    return {
        PULL_REQUESTS.name: [
            PULL_REQUESTS.row(
                repo=repo,
                number=side.number(row, repo),
                state="merged" if merged else "closed" if closed or said == "closed" else "open",
                created=instant(row, "created_date"),
                first_commit=side.first_commits.get(identity),
                first_review=side.first_reviews(identity, text(row, "author_id")),
                merged=merged,
                closed=closed or merged,
                updated=side.revised(row, "created_date", "merged_date", "closed_date"),
                merge_sha=text(row, "merge_commit_sha") if merged else None,
                base_branch=text(row, "base_ref"),
                author=text(row, "author_id") or text(row, "author_name"),
                additions=integer(row, "additions"),
                deletions=integer(row, "deletions"),
                labels=labels,
                item_keys=side.issue_keys.get(identity)
                or item_keys(text(row, "head_ref") or "", text(row, "title") or ""),
            )
        ]
    }


_DEPLOYED = {"success": "success", "failure": "failure"}


def _deployment(row: Node, side: Side) -> Mapped:
    """A deployment of one commit of one repository."""
    started, finished = _span(row)
    running = _running(row) and finished is None
    return {
        DEPLOYMENTS.name: [
            DEPLOYMENTS.row(
                id=side.deployment_id(row),
                repo=side.repo(row, "repo_id"),
                source_environment=text(row, "environment") or text(row, "original_environment"),
                sha=text(row, "commit_sha"),
                started=started or finished,  # what only ended counts on the day it did
                finished=finished,
                updated=side.revised(row, "created_date", "started_date", "finished_date"),
                result="running" if running else _DEPLOYED.get((text(row, "result") or "").lower(), "unknown"),
                reason="unknown",
            )
        ]
    }


def _whole_deployment(row: Node, side: Side) -> Mapped:
    """A deployment of which no commit is known; the others are told commit by commit."""
    return {} if text(row, "id") in side.deployments else _deployment(row, side)


def _span(row: Node) -> tuple[datetime | None, datetime | None]:
    """When it started and ended; where the end is not said, by how long it took."""
    started = instant(row, "started_date") or instant(row, "created_date")
    finished, took_s = instant(row, "finished_date"), number(row, "duration_sec")
    if finished is None and started is not None and took_s is not None and not _running(row):
        finished = started + timedelta(seconds=min(max(took_s, 0.0), 1e9))
    return started, finished


def _running(row: Node) -> bool:
    return (text(row, "status") or "").upper() in {"IN_PROGRESS", "TODO", "QUEUED"}


_RESULTS = {"success": "success", "failure": "failure", "abort": "cancelled", "skipped": "skipped"}


def _ended(row: Node, finished: datetime | None) -> str:
    if _running(row) and finished is None:
        return "running"
    return _RESULTS.get((text(row, "result") or "").lower(), "other")


def _run(row: Node, side: Side) -> Mapped:
    started, finished = _span(row)
    created, commit = instant(row, "created_date") or started, side.run_commits.get(text(row, "id") or "", {})
    return {
        PIPELINE_RUNS.name: [
            PIPELINE_RUNS.row(
                id=text(row, "id"),
                attempt=1,
                repo=side.repo({**row, **commit}, "repo_id"),
                workflow=text(row, "name"),
                branch=text(commit, "branch"),
                sha=text(commit, "commit_sha"),
                created=created,
                started=started,
                finished=finished,
                updated=side.revised(row, "created_date", "started_date", "finished_date"),
                queue_s=_queued(row, started),
                run_s=seconds(started, finished),
                wall_s=seconds(created, finished),
                result=_ended(row, finished),
            )
        ]
    }


def _job(row: Node, side: Side) -> Mapped:
    started, finished = _span(row)
    run = text(row, "pipeline_id") or ""
    return {
        PIPELINE_JOBS.name: [
            PIPELINE_JOBS.row(
                id=text(row, "id"),
                attempt=1,
                run_id=run,
                repo=side.repo({**row, **side.run_commits.get(run, {})}, "repo_id"),
                name=text(row, "name"),
                created=instant(row, "queued_date") or instant(row, "created_date"),
                started=started,
                finished=finished,
                queue_s=_queued(row, started),
                run_s=seconds(started, finished),
                result=_ended(row, finished),
            )
        ]
    }


def _queued(row: Node, started: datetime | None) -> float | None:
    told = number(row, "queued_duration_sec")
    return seconds(instant(row, "queued_date"), started) if told is None else told


# --- Work ---------------------------------------------------------------------------------------------------------

_TYPES = {"requirement": "Feature", "bug": "Bug", "incident": "Incident", "task": "Task"}
_CATEGORIES = {"todo": "new", "in_progress": "indeterminate", "done": "done"}


def _category(standard: str | None) -> str | None:
    """DevLake's standard status in the words of Jira's categories, which are mapped already."""
    return _CATEGORIES.get((standard or "").lower())


def _issue(row: Node, side: Side) -> Mapped:
    if text(row, "id") in side.incidents:
        return {}  # told once, by the table of incidents
    standard = (text(row, "type") or "").lower()
    own = text(row, "original_type")
    return _item(
        row,
        side,
        _TYPES[standard] if standard in {"bug", "incident"} else own or _TYPES.get(standard, standard) or None,
    )


def _incident(row: Node, side: Side) -> Mapped:
    return _item(row, side, "Incident")


def _item(row: Node, side: Side, kind: str | None) -> Mapped:
    identity = text(row, "id") or ""
    state, board = text(row, "original_status") or text(row, "status"), side.board_of(row)
    created, completed = instant(row, "created_date"), instant(row, "resolution_date")
    item = WORK_ITEMS.row(
        id=identity or None,
        key=text(row, "issue_key") or text(row, "incident_key") or identity,
        title=text(row, "title"),
        source_type=kind,
        state=state,
        state_type=_category(text(row, "status")),
        created=created,
        completed=completed,
        updated=side.revised(row, "updated_date", "created_date", "resolution_date"),
        priority=text(row, "severity") or text(row, "urgency") or text(row, "priority"),
        estimate=number(row, "story_point"),
        project=text(row, "original_project") or board,
        source_team=board,
        assignee=text(row, "assignee_id") or text(row, "assignee_name"),
        labels=(*side.issue_labels.get(identity, ()), *(side.charged(row) if kind == "Incident" else ())),
        parent=text(row, "parent_issue_id") or text(row, "parent_incident_id"),
        url=text(row, "url"),
    )
    first = side.first_states.get(identity)
    if created is None or not side.histories or (first is None and state is None):
        return {WORK_ITEMS.name: [item]}
    entered, kind_of = first or (state, text(row, "status"))
    begun = WORK_TRANSITIONS.row(
        item_id=identity, at=created, to_state=entered, to_type=_category(kind_of), source_team=board
    )
    return {WORK_ITEMS.name: [item], WORK_TRANSITIONS.name: [begun]}


def _transition(row: Node, side: Side) -> Mapped:
    """A change of an issue's status; changes of other fields are none."""
    if not is_status(row):
        return {}
    identity = text(row, "issue_id")
    return {
        WORK_TRANSITIONS.name: [
            WORK_TRANSITIONS.row(
                item_id=identity,
                at=instant(row, "created_date"),
                to_state=text(row, "original_to_value") or text(row, "to_value"),
                to_type=_category(text(row, "to_value")),
                from_state=text(row, "original_from_value") or text(row, "from_value"),
                from_type=_category(text(row, "from_value")),
                actor=text(row, "author_id") or text(row, "author_name"),
                source_team=side.boards_by_issue.get(identity or ""),
            )
        ]
    }


def _sprint(row: Node, side: Side) -> Mapped:
    identity = text(row, "id") or ""
    return {
        ITERATIONS.name: [
            ITERATIONS.row(
                id=identity or None,
                name=text(row, "name"),
                source_team=side.board_of_sprint(row),
                state=(text(row, "status") or "").lower() or None,
                start=instant(row, "started_date"),
                end=instant(row, "ended_date"),
                completed=instant(row, "completed_date"),
                items_end=side.sprint_sizes.get(identity),
                updated=side.revised(row, "started_date", "completed_date"),
            )
        ]
    }


def _member(row: Node, _side: Side) -> Mapped:
    return {
        ITERATION_ITEMS.name: [ITERATION_ITEMS.row(iteration_id=text(row, "sprint_id"), item_id=text(row, "issue_id"))]
    }


def _link(row: Node, _side: Side) -> Mapped:
    source, target, kind = (text(row, name) for name in ("source_issue_id", "target_issue_id", "original_type"))
    if not source or not target:
        raise ValueError("a link without one of its issues")
    word = (kind or "relates").lower()
    return {WORK_LINKS.name: [WORK_LINKS.row(id=f"{source}>{target}>{word}", from_id=source, to_id=target, kind=word)]}


_MAPPERS: dict[str, Callable[[Node, Side], Mapped]] = {
    "pull_requests": _pull_request, "cicd_deployment_commits": _deployment, "cicd_deployments": _whole_deployment,
    "cicd_pipelines": _run, "cicd_tasks": _job, "issues": _issue, "incidents": _incident, "issue_changelogs": _transition,
    "sprints": _sprint, "sprint_issues": _member, "issue_relationships": _link,
}  # fmt: skip

"""Tables of Apache DevLake as CSV: those of its domain layer, and raw ones, whose `data` column holds one answer of a service
each, as it was received."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aether_tui.records.tables import (
    DEPLOYMENTS,
    ITERATIONS,
    PIPELINE_JOBS,
    PIPELINE_RUNS,
    PULL_REQUESTS,
    WORK_ITEMS,
    WORK_TRANSITIONS,
)
from connectors import fields
from connectors.base import Malformed, Page, Reject, Row, Sample
from connectors.devlake_domain import domain_of, header
from connectors.devlake_domain_rows import domain_pages
from connectors.devlake_tables import HOLDS, RawTable, table_of
from connectors.fields import Node, Rows
from connectors.files import name_of, open_binary, sample
from connectors.github_rows import github_deployment_row, github_job_row, github_pull_request_row, github_run_rows
from connectors.gitlab_rows import (
    gitlab_deployment_row,
    gitlab_job_row,
    gitlab_merge_request_row,
    gitlab_pipeline_rows,
    project_of,
)
from connectors.jira_agile import sprint_rows
from connectors.jira_fields import find_fields
from connectors.jira_rows import JiraSite, jira_history, jira_issue_rows, status_categories
from connectors.odd_csv import is_slashed, readable
from connectors.sniff import csv_columns, separator, text_head

COLUMNS = frozenset({"id", "params", "data", "url", "input", "created_at"})
MAX_CELL = 16 << 20
PAGE_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class Raw:
    """One row of a raw table: the answer, what it was asked for, and its place in the file."""

    data: Node
    asked: Node
    params: Node
    url: str
    where: str

    @property
    def github_repo(self) -> str:
        """owner/name."""
        path = self.url.partition("/repos/")[2].split("/")
        graphql = "/".join(filter(None, (fields.text(self.asked, "owner"), fields.text(self.asked, "name"))))
        return "/".join(path[:2]) if len(path) > 2 else fields.text(self.params, "Name") or graphql or "?"

    @property
    def gitlab_project(self) -> str:
        """Its path, or its number where the answer has no address."""
        return project_of(self.data, fields.text(self.params, "ProjectId") or "")


class DevLakeFiles:
    """Tables of the domain layer, and raw ones of Jira, GitHub and GitLab; those that complete each other are read together."""

    kind = "devlake"
    title = "Apache DevLake tables (CSV)"
    together = True

    def recognises(self, sample: Sample) -> bool:
        """The six columns of a raw table, or those of a table of the domain layer."""
        return _is_raw(sample) or domain_of(sample) is not None

    def pages(self, paths: Sequence[Path], now: datetime) -> Iterator[Page]:
        """Rows of every table that is stored. Raises Malformed when none of the files holds any, naming what it holds."""
        samples = {path: sample(path) for path in paths}
        domain = {
            path: table
            for path, seen in samples.items()
            if not _is_raw(seen) and (table := domain_of(seen, forced=True))
        }
        raw = [path for path, seen in samples.items() if _is_raw(seen)]
        for path in paths:
            if path not in domain and path not in raw:
                told = f"{name_of(path)}: {_stranger(samples[path])}"
                if not domain and not raw:
                    raise Malformed(told)
                yield Page(problems=[told], path=path)
        if raw:
            yield from self._raw_pages(raw, alone=not domain)
        if domain:
            yield from domain_pages(domain, alone=not raw)

    def _raw_pages(self, paths: Sequence[Path], *, alone: bool) -> Iterator[Page]:
        tables = {path: _table(path) for path in paths}
        present = {table.name for table in tables.values()}
        unread = {path: why for path, table in tables.items() if (why := _unread(table, present))}
        if alone and len(unread) == len(tables):
            path = next(iter(unread))
            raise Malformed(f"{name_of(path)}: {unread[path]}")
        side = _Side(tables, present)
        for path, table in tables.items():
            if path in unread:
                yield Page(problems=[f"{name_of(path)}: {unread[path]}"], path=path)
            elif table.stored:
                yield from _pages(path, table, side)
            else:
                yield Page(problems=[f"{name_of(path)}: read into {HOLDS[table.joins[0]]}"], path=path)


def _is_raw(seen: Sample) -> bool:
    return frozenset(csv_columns(seen.head)) >= COLUMNS


def _stranger(seen: Sample) -> str:
    columns = ", ".join(header(seen.head)[:6])
    return (
        f"not a table of DevLake that is known here (its columns are {columns})" if columns else "is empty, or no table"
    )


def _table(path: Path) -> RawTable:
    raw = next((row for row in _rows(path) if isinstance(row, Raw)), None)
    if raw is None:
        raise Malformed(f"{name_of(path)}: a DevLake table without a readable row")
    table = table_of(raw.url)
    if table is None:
        raise Malformed(
            f"{name_of(path)}: a DevLake table of a kind that is not known (it was asked as {raw.url[:80]!r})"
        )
    return table


def _unread(table: RawTable, present: set[str]) -> str:
    if table.joins and not present & set(table.joins):
        return f"holds {table.holds}, which are read together with {HOLDS[table.joins[0]]}: load both"
    return "" if table.stored or table.joins else f"holds {table.holds}, nothing that is stored"


def _rows(path: Path) -> Iterator[Raw | Reject]:
    """Rows of a raw table; one whose answer is not a JSON object is a reject."""
    csv.field_size_limit(MAX_CELL)
    with (
        open_binary(path) as stream,
        io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="") as text,
    ):
        head = sample(path).head
        lines, dialect = readable(text, slashed=is_slashed(head))
        sign = separator(text_head(head).lstrip().partition("\n")[0])
        reader = csv.DictReader(lines, dialect=dialect, delimiter=sign)
        try:
            for number, row in enumerate(reader, 1):
                where = f"{name_of(path)} row {number}"
                data = _json(row.get("data"))
                if data is None:
                    yield Reject(
                        "", "the data column is not a JSON object", f"{len(row.get('data') or '')} characters", where
                    )
                    continue
                yield Raw(
                    data, _json(row.get("input")) or {}, _json(row.get("params")) or {}, row.get("url") or "", where
                )
        except csv.Error as error:
            raise Malformed(f"{name_of(path)}: line {reader.line_num}: not CSV ({error})") from error


def _json(text: str | None) -> Node | None:
    try:
        value = json.loads(text or "null")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, Mapping) else None


class _Side:
    """What tables say about the rows of others: categories of statuses, commits and reviews, jobs of runs, details."""

    def __init__(self, tables: Mapping[Path, RawTable], present: set[str]) -> None:
        def of(name: str, among: str = "") -> Iterator[Raw]:
            wanted = [path for path, table in tables.items() if table.name == name and (not among or among in present)]
            return (raw for path in wanted for raw in _rows(path) if isinstance(raw, Raw))

        self.site = JiraSite(
            status_categories(raw.data for raw in of("jira_statuses")),
            find_fields([raw.data for raw in of("jira_fields")], "", {}),
        )
        # A million answers would take gigabytes: of each only what is read stays.
        self.histories = _grouped(
            of("jira_changelogs", "jira_issues"), _issue_id, lambda history: jira_history(history, self.site)
        )
        self.jobs = _grouped(of("github_jobs", "github_runs"), lambda raw: fields.text(raw.data, "run_id"), _job)
        self.commits = _grouped(of("github_commits"), _pull, _commit)
        self.reviews = _grouped(of("github_reviews"), _pull, _review)
        self.gitlab_commits = _grouped(of("gitlab_commits"), lambda raw: fields.text(raw.asked, "Iid"), _gitlab_commit)
        self.detailed = {fields.text(raw.data, "id") for raw in of("gitlab_details", "gitlab_pipelines")}


def _grouped(
    rows: Iterable[Raw], key: Callable[[Raw], str | None], kept: Callable[[Node], Node | None]
) -> dict[str, list[Node]]:
    groups: dict[str, list[Node]] = {}
    for raw in rows:
        if (node := kept(raw.data)) is not None:
            groups.setdefault(key(raw) or "", []).append(node)
    return groups


def _job(job: Node) -> Node:
    names = ("run_attempt", "conclusion", "status", "created_at", "started_at", "completed_at", "labels")
    return {name: job[name] for name in names if name in job}


def _commit(commit: Node) -> Node:
    return {"commit": {"author": {"date": fields.dig(commit, "commit", "author", "date")}}}


def _review(review: Node) -> Node:
    user = {name: fields.dig(review, "user", name) for name in ("id", "login", "type")}
    return {"submitted_at": review.get("submitted_at"), "user": user}


def _gitlab_commit(commit: Node) -> Node:
    return {"authored_date": commit.get("authored_date")}


def _pull(raw: Raw) -> str:
    return f"{raw.github_repo}#{fields.text(raw.asked, 'Number')}"


def _issue_id(raw: Raw) -> str | None:
    return fields.text(raw.asked, "issue_id")


def _pages(path: Path, table: RawTable, side: _Side) -> Iterator[Page]:
    name, mapper = _MAPPERS[table.name]
    rows: Rows = {name: []}
    rejects: list[Reject] = []
    for raw in _rows(path):
        if isinstance(raw, Reject):
            rejects.append(Reject(name, raw.reason, raw.raw, raw.where))
            continue
        try:
            fields.add(rows, mapper(raw, side))
        except ValueError as error:
            rejects.append(Reject(name, str(error), fields.shown(raw.data), raw.where))
        if sum(map(len, rows.values())) >= PAGE_ROWS:
            yield Page(rows, rejects=rejects, path=path)
            rows, rejects = {name: []}, []
    yield Page(rows, rejects=rejects, path=path)


Mapped = Mapping[str, Sequence[Row]]
Mapper = Callable[[Raw, _Side], Mapped]


def _issue(raw: Raw, side: _Side) -> Mapped:
    inline = fields.objects(raw.data, "changelog", "histories")
    more = side.histories.get(fields.text(raw.data, "id") or "", [])
    known = {fields.text(history, "id") for history in inline}
    return jira_issue_rows(
        raw.data, side.site, [*inline, *(history for history in more if fields.text(history, "id") not in known)]
    )


def _changelog(raw: Raw, side: _Side) -> Mapped:
    """Transitions of one history; the issue itself is in another table."""
    issue = _issue_id(raw)
    if issue is None:
        raise ValueError("the issue of this history is not named")
    rows = jira_issue_rows({"id": issue, "fields": {}}, side.site, [raw.data])
    return {WORK_TRANSITIONS.name: rows[WORK_TRANSITIONS.name]}


def _run(raw: Raw, side: _Side) -> Mapped:
    rows = github_run_rows(raw.data, raw.github_repo, side.jobs.get(fields.text(raw.data, "id") or "", []))
    return {PIPELINE_RUNS.name: rows[PIPELINE_RUNS.name]}


def _pull_request(raw: Raw, side: _Side) -> Mapped:
    key = f"{raw.github_repo}#{fields.text(raw.data, 'number')}"
    commits, reviews = side.commits.get(key, []), side.reviews.get(key, [])
    return {PULL_REQUESTS.name: [github_pull_request_row(raw.data, raw.github_repo, commits, reviews)]}


def _deployment(raw: Raw, side: _Side) -> Mapped:
    """GraphQL's field names, as DevLake writes them, in the words of the REST API."""
    data = raw.data
    rest = {
        "id": data.get("DatabaseId"), "environment": data.get("Environment"), "sha": data.get("CommitOid"),
        "task": data.get("Task"), "ref": fields.dig(data, "Ref", "Name"), "description": data.get("Description"),
        "created_at": data.get("CreatedAt"), "updated_at": data.get("UpdatedAt"),
    }  # fmt: skip
    statuses = [
        {"state": fields.text(status, "state"), "created_at": fields.text(status, "updatedAt")}
        for status in fields.objects(data, "Statuses", "nodes")
    ]
    return {DEPLOYMENTS.name: [github_deployment_row(rest, raw.github_repo, statuses)]}


def _pipeline(raw: Raw, side: _Side) -> Mapped:
    """The list knows no durations: where the details are given too, they are the row."""
    if fields.text(raw.data, "id") in side.detailed:
        return {}
    return _detail(raw, side)


def _detail(raw: Raw, _side: _Side) -> Mapped:
    return {PIPELINE_RUNS.name: gitlab_pipeline_rows(raw.data, raw.gitlab_project)[PIPELINE_RUNS.name]}


def _merge_request(raw: Raw, side: _Side) -> Mapped:
    commits = side.gitlab_commits.get(fields.text(raw.data, "iid") or "", [])
    return {PULL_REQUESTS.name: [gitlab_merge_request_row(raw.data, raw.gitlab_project, commits)]}


_MAPPERS: dict[str, tuple[str, Mapper]] = {
    "jira_issues": (WORK_ITEMS.name, _issue),
    "jira_changelogs": (WORK_TRANSITIONS.name, _changelog),
    "jira_sprints": (ITERATIONS.name, lambda raw, _: sprint_rows(raw.data, None)),
    "github_runs": (PIPELINE_RUNS.name, _run),
    "github_jobs": (
        PIPELINE_JOBS.name,
        lambda raw, _: {PIPELINE_JOBS.name: [github_job_row(raw.data, raw.github_repo)]},
    ),
    "github_pulls": (PULL_REQUESTS.name, _pull_request),
    "github_deployments": (DEPLOYMENTS.name, _deployment),
    "gitlab_pipelines": (PIPELINE_RUNS.name, _pipeline),
    "gitlab_details": (PIPELINE_RUNS.name, _detail),
    "gitlab_jobs": (
        PIPELINE_JOBS.name,
        lambda raw, _: {PIPELINE_JOBS.name: [gitlab_job_row(raw.data, raw.gitlab_project)]},
    ),
    "gitlab_requests": (PULL_REQUESTS.name, _merge_request),
    "gitlab_deployments": (
        DEPLOYMENTS.name,
        lambda raw, _: {DEPLOYMENTS.name: [gitlab_deployment_row(raw.data, raw.gitlab_project)]},
    ),
}
"""Raw table → the record table its rows are counted in, and their mapper."""

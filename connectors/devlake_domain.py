"""Tables of Apache DevLake's domain layer as CSV: which one a file is, and its rows.

Tables are told by their columns; those whose columns say too little (`repos`, `issues` of few columns) by the file's name too.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from connectors import fields
from connectors.base import Malformed, Reject, Sample
from connectors.fields import Node
from connectors.files import name_of, open_binary, sample
from connectors.odd_csv import is_slashed, readable
from connectors.sniff import text_head

MAX_CELL = 16 << 20
_NULLS = frozenset({"", "null", r"\n", "<null>", "0000-00-00 00:00:00"})
_KEPT_BY_DEVLAKE = frozenset(
    {"created_at", "updated_at", "_raw_data_params", "_raw_data_table", "_raw_data_id", "_raw_data_remark"}
)
_SHORT_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d+))?)?\s*(.*)")


@dataclass(frozen=True, slots=True)
class DomainTable:
    """A table of the domain layer. `columns` say what it is; `by_name` are all that one told by its name may have.

    `stored`: the record table its rows go to. Else `joins` names the tables it completes; neither: it is not read.
    """

    name: str
    holds: str
    columns: frozenset[str]
    stored: str = ""
    joins: tuple[str, ...] = ()
    by_name: frozenset[str] = frozenset()


def _table(
    name: str, holds: str, columns: str, *, stored: str = "", joins: tuple[str, ...] = (), by_name: str = ""
) -> DomainTable:
    return DomainTable(name, holds, frozenset(columns.split()), stored, joins, frozenset(by_name.split()))


_PULLS, _ISSUES, _SHIPPED, _RUNS = ("pull_requests",), ("issues", "incidents"), (
    "cicd_deployment_commits", "cicd_deployments"
), ("cicd_pipelines",)  # fmt: skip
_ISSUE_COLUMNS = (
    "id url icon_url title description epic_key type original_type status original_status story_point resolution_date "
    "created_date updated_date lead_time_minutes parent_issue_id priority original_estimate_minutes time_spent_minutes "
    "time_remaining_minutes creator_id creator_name assignee_id assignee_name severity component original_project urgency "
    "issue_key incident_key parent_incident_id table scope_id is_subtask due_date fix_versions"
)
_PLACE = "id name description url type owner_id language forked_from deleted created_date updated_date"

# Read from above: of two whose columns a file has, the first.
DOMAIN: tuple[DomainTable, ...] = (
    _table("project_pr_metrics", "results of DevLake, which the scorecard works out itself", "pr_coding_time pr_cycle_time"),
    _table("project_incident_deployment_relationships", "deployments of incidents", "project_name deployment_id", joins=_ISSUES),
    _table("project_mapping", "projects", "project_name table row_id", joins=(*_PULLS, *_SHIPPED)),
    _table("pull_request_comments", "comments and reviews of pull requests", "pull_request_id account_id created_date", joins=_PULLS),
    _table("pull_request_labels", "labels of pull requests", "pull_request_id label_name", joins=_PULLS),
    _table("pull_request_issues", "issues of pull requests", "pull_request_id issue_id", joins=_PULLS),
    _table("pull_request_commits", "commits of pull requests", "pull_request_id commit_sha", joins=_PULLS),
    _table("pull_requests", "pull requests", "base_repo_id created_date merged_date", stored="pull_requests"),
    _table("commits_diffs", "commits between deployments", "old_commit_sha new_commit_sha commit_sha", joins=_PULLS),
    _table("commits", "commits", "sha authored_date", joins=("pull_request_commits",)),
    _table("cicd_pipeline_commits", "commits of CI runs", "pipeline_id commit_sha", joins=_RUNS),
    _table("cicd_tasks", "CI jobs", "pipeline_id cicd_scope_id result", stored="pipeline_jobs"),
    _table("cicd_deployment_commits", "deployments", "commit_sha cicd_scope_id environment", stored="deployments"),
    _table("cicd_pipelines", "CI runs", "cicd_scope_id result type", stored="pipeline_runs"),
    _table("cicd_deployments", "deployments", "cicd_scope_id result environment", stored="deployments"),
    _table("issue_changelogs", "histories of issues", "issue_id field_name created_date", stored="work_transitions"),
    _table("issue_labels", "labels of issues", "issue_id label_name", joins=_ISSUES),
    _table("issue_relationships", "links of issues", "source_issue_id target_issue_id", stored="work_links"),
    _table("board_issues", "issues of boards", "board_id issue_id", joins=_ISSUES),
    _table("board_sprints", "sprints of boards", "board_id sprint_id", joins=("sprints",)),
    _table("sprint_issues", "issues of sprints", "sprint_id issue_id", stored="iteration_items"),
    _table("sprints", "sprints", "original_board_id started_date", stored="iterations",
           by_name="id name url status started_date ended_date completed_date original_board_id"),
    _table("incidents", "incidents", "incident_key created_date", stored="work_items", by_name=_ISSUE_COLUMNS),
    _table("issues", "issues", "issue_key created_date original_status", stored="work_items", by_name=_ISSUE_COLUMNS),
    _table("repos", "names of repositories", "forked_from owner_id language", joins=(*_PULLS, *_SHIPPED, *_RUNS), by_name=_PLACE),
    _table("boards", "names of boards", "", joins=(*_ISSUES, "sprints"), by_name=_PLACE),
    _table("cicd_scopes", "names of CI scopes", "", joins=(*_SHIPPED, *_RUNS, "cicd_tasks"), by_name=_PLACE),
)  # fmt: skip
HOLDS = {table.name: table.holds for table in DOMAIN}
"""What a table holds, in words, by its name."""


def domain_of(sample: Sample, *, forced: bool = False) -> DomainTable | None:
    """The table a file is. One told by its name has no column that table has not, unless it was said to be DevLake's."""
    columns = frozenset(header(sample.head))
    told = next((table for table in DOMAIN if table.columns and columns >= table.columns), None)
    if told is not None or not columns:
        return told
    words = re.split(r"[.\s]", sample.path.name.lower())
    return next(
        (
            table
            for table in DOMAIN
            if table.name in words
            and ("id" in columns if forced else table.by_name and columns <= table.by_name | _KEPT_BY_DEVLAKE)
        ),
        None,
    )


def header(head: bytes) -> tuple[str, ...]:
    """Names of the columns in small letters; one alone is a header too, when it is a word."""
    line = (text_head(head).lstrip("\r\n").splitlines() or [""])[0]
    if "\x00" in line:
        return ()
    names = tuple(name.strip().lower() for name in next(csv.reader([line], delimiter=_delimiter(line)), []))
    return names if all(re.fullmatch(r"[a-z_][a-z0-9_]*", name) for name in names) else ()


def rows(path: Path, table: str) -> Iterator[tuple[str, Node]]:
    """Every row with its place, empty cells and those that say NULL left out. Raises Malformed for what is not CSV."""
    csv.field_size_limit(MAX_CELL)
    with (
        open_binary(path) as stream,
        io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="") as text,
    ):
        first = next((line for line in text if line.strip()), "")
        names = [name.strip().lower() for name in next(csv.reader([first], delimiter=_delimiter(first)), [])]
        lines, dialect = readable(text, slashed=is_slashed(sample(path).head))
        reader = csv.reader(lines, dialect, delimiter=_delimiter(first))
        try:
            for number, cells in enumerate(reader, 1):
                if any(cells):
                    yield (
                        f"{name_of(path)} row {number}",
                        {
                            name: cell.strip()
                            for name, cell in zip(names, cells, strict=False)
                            if cell.strip().lower() not in _NULLS
                        },
                    )
        except csv.Error as error:
            raise Malformed(
                f"{name_of(path)}: line {reader.line_num + 1}: not a CSV table of {HOLDS[table]} ({error})"
            ) from error


def _delimiter(line: str) -> str:
    return max(",;\t", key=line.count)


def instant(row: Node, name: str) -> datetime | None:
    """An instant as naive UTC; months, days and hours may be written without zeros, an offset may follow after a space.

    Raises ValueError for a form it does not know.
    """
    text = fields.text(row, name)
    found = _SHORT_DATE.fullmatch(text) if text else None
    if found is None:
        return fields.instant(row, name)
    year, month, day, hour, minute, second, part, zone = found.groups(default="")
    time = f"{hour or '0':0>2}:{minute or '0':0>2}:{second or '0':0>2}.{(part or '0')[:6]:0<6}"
    offset = "" if zone.upper() in {"", "UTC", "Z"} else zone
    try:
        return fields.instant({name: f"{year}-{month:0>2}-{day:0>2}T{time}{offset}"}, name)
    except ValueError:
        raise ValueError(f"{name} is not an instant: {(text or '')[:60]!r}") from None


def rejected(record: str, why: ValueError, row: Node, where: str) -> Reject:
    """A row that cannot be read."""
    return Reject(record, str(why), fields.shown(row), where)

"""Which raw table of DevLake a file is, told by the requests in its `url` column: data, kind by kind."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RawTable:
    """A raw table. `joins` names the tables it completes: alone it says nothing that is stored."""

    name: str
    holds: str
    stored: bool = False
    joins: tuple[str, ...] = ()


_KINDS: tuple[tuple[str, RawTable], ...] = (
    # Jira
    (r"/rest/agile/[\d.]+/board/\d+/issue$|/rest/api/\d/search", RawTable("jira_issues", "Jira issues", stored=True)),
    (r"/rest/api/\d/issue/[^/]+/changelog$", RawTable("jira_changelogs", "changelogs of Jira issues", stored=True)),
    (r"/rest/api/\d/status$", RawTable("jira_statuses", "Jira statuses", joins=("jira_issues", "jira_changelogs"))),
    (r"/rest/api/\d/field$", RawTable("jira_fields", "Jira fields", joins=("jira_issues",))),
    (r"/rest/api/\d/issue/[^/]+/worklog$", RawTable("", "Jira worklogs")),
    (r"/rest/api/\d/issue/[^/]+/remotelink$", RawTable("", "remote links of Jira issues")),
    (r"/rest/dev-status/", RawTable("", "development panels of Jira issues")),
    (r"/rest/agile/[\d.]+/board/\d+/sprint$", RawTable("jira_sprints", "Jira sprints", stored=True)),
    (r"/rest/api/\d/issuetype$", RawTable("", "Jira issue types")),
    (r"/rest/api/\d/project", RawTable("", "Jira projects")),
    (r"/rest/api/\d/user", RawTable("", "Jira users")),
    # GitHub
    (r"/repos/[^/]+/[^/]+/actions/runs$", RawTable("github_runs", "GitHub Actions runs", stored=True)),
    (r"/repos/[^/]+/[^/]+/actions/runs/\d+/jobs$", RawTable("github_jobs", "GitHub Actions jobs", stored=True)),
    (r"/repos/[^/]+/[^/]+/pulls$", RawTable("github_pulls", "GitHub pull requests", stored=True)),
    (
        r"/repos/[^/]+/[^/]+/pulls/\d+/commits$",
        RawTable("github_commits", "commits of GitHub pull requests", joins=("github_pulls",)),
    ),
    (
        r"/repos/[^/]+/[^/]+/pulls/\d+/reviews$",
        RawTable("github_reviews", "reviews of GitHub pull requests", joins=("github_pulls",)),
    ),
    (r"^query.*\bdeployments\(", RawTable("github_deployments", "GitHub deployments", stored=True)),
    (r"/repos/[^/]+/[^/]+/pulls/comments$", RawTable("", "review comments of GitHub pull requests")),
    (r"/repos/[^/]+/[^/]+/issues/comments$", RawTable("", "comments on GitHub issues")),
    (r"/repos/[^/]+/[^/]+/issues/events$", RawTable("", "events of GitHub issues")),
    (r"/repos/[^/]+/[^/]+/issues$", RawTable("", "GitHub issues")),
    (r"/repos/[^/]+/[^/]+/milestones$", RawTable("", "GitHub milestones")),
    (r"api\.github\.com/users/", RawTable("", "GitHub accounts")),
    # GitLab
    (r"/api/v4/projects/[^/]+/pipelines$", RawTable("gitlab_pipelines", "GitLab pipelines", stored=True)),
    (r"/api/v4/projects/[^/]+/pipelines/\d+$", RawTable("gitlab_details", "details of GitLab pipelines", stored=True)),
    (r"/api/v4/projects/[^/]+/jobs$", RawTable("gitlab_jobs", "GitLab jobs", stored=True)),
    (r"/api/v4/projects/[^/]+/merge_requests$", RawTable("gitlab_requests", "GitLab merge requests", stored=True)),
    (
        r"/api/v4/projects/[^/]+/merge_requests/\d+/commits$",
        RawTable("gitlab_commits", "commits of GitLab merge requests", joins=("gitlab_requests",)),
    ),
    (r"/api/v4/projects/[^/]+/deployments$", RawTable("gitlab_deployments", "GitLab deployments", stored=True)),
    (r"/api/v4/projects/[^/]+/merge_requests/\d+/notes$", RawTable("", "notes on GitLab merge requests")),
    (r"/api/v4/projects/[^/]+/issues$", RawTable("", "GitLab issues")),
    (r"/api/v4/(projects/[^/]+/members/all|users)$", RawTable("", "GitLab users")),
    # Jenkins
    (r"/wfapi/describe$", RawTable("", "Jenkins stages")),
    (r"/api/json$", RawTable("", "Jenkins builds or jobs")),
)
HOLDS = {table.name: table.holds for _, table in _KINDS if table.name}
"""What a table holds, in words, by its name."""
_PATTERNS = tuple((re.compile(pattern), table) for pattern, table in _KINDS)


def table_of(url: str) -> RawTable | None:
    """The raw table whose rows this request returned; None for one that is not known."""
    asked = url if url.startswith("query") else url.partition("?")[0]
    return next((table for pattern, table in _PATTERNS if pattern.search(asked)), None)

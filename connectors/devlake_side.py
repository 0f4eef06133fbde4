"""What tables of DevLake's domain layer say of the rows of others: names, first commits and reviews, what a deployment carried."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from connectors.devlake_domain import DomainTable, instant, rows
from connectors.fields import Node, integer, text

_PRODUCTION = "production"
_REQUEST = re.compile(r"(\w+://.+?)/(?:-/)?(?:pull|pulls|pull-requests|merge_requests)/\d+(?:[/?#].*)?")
"""The address of a request, and of its repository."""


def is_status(row: Node) -> bool:
    """Whether a row of `issue_changelogs` is a change of status."""
    return "status" in {(text(row, "field_name") or "").lower(), (text(row, "field_id") or "").lower()}


class Side:
    """The tables of one load that complete others, as lookups. A row of them that cannot be read completes nothing."""

    def __init__(self, tables: Mapping[Path, DomainTable]) -> None:
        self._tables = tables
        self._together = timedelta(microseconds=len({table.name for table in tables.values()}))
        self.histories = any(table.name == "issue_changelogs" for table in tables.values())
        self._names()
        self._changes()
        self._shipped()
        self._work()
        self._numbers: dict[tuple[str, int], str] = {}

    def _rows(self, *names: str) -> Iterator[Node]:
        for path, table in self._tables.items():
            if table.name in names:
                for _, row in rows(path, table.name):
                    yield row

    # --- Repositories, boards, projects ---------------------------------------------------------------------------

    def _names(self) -> None:
        self._repos: dict[str, str] = {}
        self._by_url: dict[str, str] = {}
        for row in self._rows("repos"):
            url = text(row, "url")
            name = text(row, "name") or (_path_of(url) if url else None)
            if name:
                self._repos[text(row, "id") or ""] = name
                if url:
                    self._by_url[_plain(url)] = name
        for row in self._rows("cicd_deployment_commits", "cicd_pipeline_commits"):  # they name repositories too
            identity, url = text(row, "repo_id"), text(row, "repo_url")
            if identity and url and "/" in url:
                self._repos.setdefault(identity, self._by_url.get(_plain(url)) or _path_of(url))
        for row in self._rows("pull_requests"):  # and so does the address of a request
            identity, request = text(row, "base_repo_id"), _REQUEST.fullmatch(text(row, "url") or "")
            if identity and request:
                self._repos.setdefault(identity, self._by_url.get(_plain(request[1])) or _path_of(request[1]))
        for row in self._rows("repos"):  # in DevLake's own test data they have nothing but an id
            identity = text(row, "id") or ""
            self._repos.setdefault(identity, identity)
        self._scopes = {
            key: name for row in self._rows("cicd_scopes") if (key := text(row, "id")) and (name := text(row, "name"))
        }
        self._boards = {key: text(row, "name") or key for row in self._rows("boards") if (key := text(row, "id"))}
        self.boards_by_issue = self._owners("board_issues", "issue_id")
        self._boards_by_sprint = self._owners("board_sprints", "sprint_id")

    def _owners(self, table: str, of: str) -> dict[str, str]:
        """The board of each; of several the first by name, so that the order of rows does not matter."""
        found: dict[str, str] = {}
        for row in self._rows(table):
            one, board = text(row, of), text(row, "board_id")
            if one and board:
                name = self._boards.get(board, board)
                found[one] = min(name, found.get(one, name))
        return found

    def repo(self, row: Node, column: str) -> str | None:
        """The repository's name as the table of repositories has it, else by its address, else its id or the CI scope's name."""
        identity, url, scope = text(row, column), text(row, "repo_url"), text(row, "cicd_scope_id")
        if identity in self._repos:
            return self._repos[identity or ""]
        if url:
            return self._by_url.get(_plain(url)) or _path_of(url)
        return identity or self._repos.get(scope or "") or self._scopes.get(scope or "", scope)

    def repo_of_request(self, row: Node) -> str | None:
        """The name of a pull request's repository, which is part of its key.

        Raises ValueError where no table says it: by its id the request would be stored beside the one by the name.
        """
        identity = text(row, "base_repo_id")
        if identity and identity not in self._repos:
            raise ValueError(f"nothing names the repository {identity}: load repos.csv with it")
        return self.repo(row, "base_repo_id")

    def projects(self) -> list[str]:
        """A sentence for each project of several repositories: how to see it as one service."""
        places = {
            (text(row, "table"), text(row, "row_id")): text(row, "project_name")
            for row in self._rows("project_mapping")
        }
        members: dict[str, set[str]] = {}
        for row in self._rows("pull_requests", "cicd_deployment_commits"):
            place = (
                ("repos", text(row, "base_repo_id"))
                if "base_repo_id" in row
                else ("cicd_scopes", text(row, "cicd_scope_id"))
            )
            project, repo = places.get(place), self.repo(row, "base_repo_id" if "base_repo_id" in row else "repo_id")
            if project and repo:
                members.setdefault(project, set()).add(repo)
        return [
            f"project {project} of DevLake holds {', '.join(sorted(found)[:6])}{' …' * (len(found) > 6)}: to see them as one service, "
            "name it for each of them under [mapping.services] in aether.toml"
            for project, found in sorted(members.items())
            if len(found) > 1
        ][:5]

    # --- Changes --------------------------------------------------------------------------------------------------

    def _changes(self) -> None:
        authored = {
            sha: at
            for row in self._rows("commits")
            if (sha := text(row, "sha")) and (at := _maybe(row, "authored_date"))
        }
        self.first_commits: dict[str, datetime] = {}
        for row in self._rows("pull_request_commits"):
            at = _maybe(row, "commit_authored_date") or authored.get(text(row, "commit_sha") or "")
            _earliest(self.first_commits, text(row, "pull_request_id"), at)
        self._reviews: dict[tuple[str, str | None], datetime] = {}
        for row in self._rows("pull_request_comments"):
            _earliest(
                self._reviews,
                (text(row, "pull_request_id") or "", text(row, "account_id")),
                _maybe(row, "created_date"),
            )
        self._reviewers: dict[str, list[str | None]] = {}
        for pull, who in self._reviews:
            self._reviewers.setdefault(pull, []).append(who)
        self._pull_labels = self._lists("pull_request_labels", "pull_request_id", "label_name")
        self.issue_keys = self._lists("pull_request_issues", "pull_request_id", "issue_key")

    def _lists(self, table: str, of: str, what: str) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for row in self._rows(table):
            one, value = text(row, of), text(row, what)
            if one and value:
                found.setdefault(one, []).append(value)
        return {one: tuple(sorted(set(values))) for one, values in found.items()}

    def first_reviews(self, pull: str, author: str | None) -> datetime | None:
        """The first comment or review by somebody else."""
        others = (self._reviews[pull, who] for who in self._reviewers.get(pull, ()) if who is None or who != author)
        return min(others, default=None)

    def labels(self, row: Node) -> tuple[str, ...]:
        """Labels of a pull request."""
        return self._pull_labels.get(text(row, "id") or "", ())

    def number(self, row: Node, repo: str | None) -> int | None:
        """The number of a pull request, else the digits its id ends with.

        Raises ValueError where there are none, or another request of the repository has the same.
        """
        identity = text(row, "id") or ""
        found = integer(row, "pull_request_key")
        if not found:
            digits = identity[len(identity.rstrip("0123456789")) :]
            if not digits:
                raise ValueError("no pull_request_key, and no number at the end of its id")
            found = int(digits[-18:])
        if self._numbers.setdefault((repo or "", found), identity) != identity:
            raise ValueError(f"number {found} of {repo} is that of {self._numbers[repo or '', found]} too")
        return found

    # --- Deployments ----------------------------------------------------------------------------------------------

    def _shipped(self) -> None:
        self.run_commits = {
            key: row for row in self._rows("cicd_pipeline_commits") if (key := text(row, "pipeline_id"))
        }
        told = list(self._rows("cicd_deployment_commits"))
        self._twice = {key for key, n in Counter(text(row, "id") for row in told).items() if n > 1}
        self.deployments = {
            key: self.deployment_id(row) for row in reversed(told) if (key := text(row, "cicd_deployment_id"))
        }
        wanted = {sha for row in self._rows("pull_requests") if (sha := text(row, "merge_commit_sha"))}
        by_sha: dict[str, list[Node]] = {}
        for row in told:
            if _carries(row) and (sha := text(row, "commit_sha")):
                by_sha.setdefault(sha, []).append(row)
        self._carriers: dict[str, tuple[datetime, str]] = {}
        self._told_repos: set[str | None] = set()
        for row in self._rows("commits_diffs"):
            sha, old, new = (text(row, name) for name in ("commit_sha", "old_commit_sha", "new_commit_sha"))
            if not sha or old not in by_sha:
                continue  # what came before is not known: neither is which of its commits are new
            for carrier in by_sha.get(new or "", ()):
                self._told_repos.add(self.repo(carrier, "repo_id"))
                at, name = (
                    _maybe(carrier, "finished_date") or _maybe(carrier, "started_date"),
                    self.deployment_id(carrier),
                )
                if sha in wanted and at is not None and name:
                    self._carriers[sha] = min((at, name), self._carriers.get(sha, (at, name)))

    def deployment_id(self, row: Node) -> str | None:
        """Its id; of one that several commits share, with the commit."""
        identity, sha = text(row, "id"), text(row, "commit_sha")
        return f"{identity}:{sha}" if identity in self._twice and sha else identity

    def carrier(self, row: Node, repo: str | None) -> tuple[str, ...]:
        """As a label, the production deployment that first held the merge; `none` where those of its repository are told
        commit by commit, and none did."""
        found = self._carriers.get(text(row, "merge_commit_sha") or "")
        if found is not None:
            return (f"deployment:{found[1]}",)
        return ("deployment:none",) if repo in self._told_repos else ()

    # --- Work -----------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        self.incidents = {text(row, "id") for row in self._rows("incidents")}
        self.issue_labels = self._lists("issue_labels", "issue_id", "label_name")
        related = self._rows("project_incident_deployment_relationships")
        self._charged = {
            key: found for row in related if (key := text(row, "id")) and (found := text(row, "deployment_id"))
        }
        self.sprint_sizes = Counter(text(row, "sprint_id") for row in self._rows("sprint_issues"))
        firsts: dict[str, datetime] = {}
        self.first_states: dict[str, tuple[str | None, str | None]] = {}
        for row in self._rows("issue_changelogs"):
            identity, at = text(row, "issue_id"), _maybe(row, "created_date")
            if identity and at and is_status(row) and at <= firsts.get(identity, at):
                firsts[identity] = at
                state = text(row, "original_from_value") or text(row, "from_value")
                if state:
                    self.first_states[identity] = (state, text(row, "from_value"))

    def board_of(self, row: Node) -> str | None:
        """The board of an issue or incident."""
        scope = text(row, "scope_id") if text(row, "table") == "boards" else None
        return self.boards_by_issue.get(text(row, "id") or "") or (self._boards.get(scope, scope) if scope else None)

    def board_of_sprint(self, row: Node) -> str | None:
        """The board of a sprint."""
        origin = text(row, "original_board_id")
        return self._boards_by_sprint.get(text(row, "id") or "") or (
            self._boards.get(origin, origin) if origin else None
        )

    def charged(self, row: Node) -> tuple[str, ...]:
        """As labels, the service of an incident's repository and the deployment that DevLake charges with it."""
        found, scope = self._charged.get(text(row, "id") or ""), text(row, "scope_id")
        labels = [f"deployment:{self.deployments.get(found, found)}"] if found else []
        if scope and text(row, "table") == "repos":
            labels.append(f"service:{self._repos.get(scope, scope).rpartition('/')[2]}")
        return tuple(labels)

    def revised(self, row: Node, *dates: str) -> datetime | None:
        """The version of a row: when it last changed. Read together with more tables it is known better, so that is later."""
        told = [at for name in ("updated_at", *dates) if (at := _maybe(row, name))]
        return max(told) + self._together if told else None


def _carries(row: Node) -> bool:
    return (text(row, "environment") or "").lower() == _PRODUCTION and (text(row, "result") or "").lower() == "success"


def _maybe(row: Node, name: str) -> datetime | None:
    try:
        return instant(row, name)
    except ValueError:
        return None


K = TypeVar("K")


def _earliest(found: dict[K, datetime], key: K | None, at: datetime | None) -> None:
    if key is not None and at is not None:
        found[key] = min(at, found.get(key, at))


def _plain(url: str) -> str:
    return url.strip().lower().removesuffix("/").removesuffix(".git").removesuffix("/")


def _path_of(url: str) -> str:
    """`owner/name` of an address; anything else as it is."""
    plain = url.strip().removesuffix("/").removesuffix(".git")
    _, scheme, rest = plain.partition("://")
    if not scheme:
        rest = plain.rpartition("@")[2].replace(":", "/", 1) if "@" in plain else plain
        return rest.partition("/")[2] or plain if "@" in plain else plain
    return rest.partition("/")[2] or plain

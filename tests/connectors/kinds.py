"""Every connector as the failure catalogue sees it: settings, an answer that satisfies it, a record of its first stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aether_tui.records.source import Stream
from aether_tui.sync.plan import Job
from connectors.amplitude import Amplitude
from connectors.aws import Aws
from connectors.clickhouse import ClickHouse
from connectors.github import GitHub
from connectors.gitlab import GitLab
from connectors.jira import Jira
from connectors.jira_dc import JiraDataCenter
from connectors.langfuse import Langfuse
from connectors.linear import Linear
from connectors.phoenix import Phoenix
from tests.connectors.pull import network
from tests.connectors.server import Reply, Request

CANARY = "canary-0123456789"


@dataclass(frozen=True)
class Record:
    """A record by id and instant, the answers that carry some of them, and where both arrive."""

    make: Callable[[object, object], dict[str, Any]]
    carry: Callable[[Request, list[dict[str, Any]]], Reply]
    table: str
    id: str
    at: str
    shown: Callable[[object], str] = str
    """An id as it arrives."""


def hex16(number: object) -> str:
    """A span's id: 16 hex digits."""
    return f"{int(str(number)):016x}"


@dataclass(frozen=True)
class Kind:
    """A connector, its settings beside the url, and an answer that satisfies its first stream."""

    cls: Any
    settings: dict[str, Any]
    fine: Callable[[Request], Reply]
    more: Callable[[Request, str], Reply] | None = None
    """An empty page that offers another one behind a token; None for lists without pages."""
    asks: Mapping[int, int] = field(default_factory=dict)
    """Requests after which a status is believed, where that is not one."""
    record: Record | None = None
    """How a record of its first stream travels; None where it has neither ids nor instants of its own."""

    def source(self, url: str, **values: Any) -> Any:
        secrets = dict.fromkeys(self.cls.SECRETS, CANARY)
        return self.cls(self.cls.Settings(url=url, **self.settings), secrets, network(**values))

    @property
    def streams(self) -> tuple[Stream, ...]:
        """What a sync with these settings asks for."""
        return Job("one", self.cls, self.cls.Settings(url="http://127.0.0.1:9", **self.settings), network()).streams


def _linear(_: Request) -> Reply:
    return Reply({"data": {"issues": {"nodes": [], "pageInfo": {"hasNextPage": False}}}})


def _linear_more(_: Request, token: str) -> Reply:
    return Reply({"data": {"issues": {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": token}}}})


def _jira(request: Request) -> Reply:
    return Reply([] if request.method == "GET" else {"issues": []})


def _jira_more(request: Request, token: str) -> Reply:
    return Reply([] if request.method == "GET" else {"issues": [], "nextPageToken": token})


def _jira_dc(request: Request) -> Reply:
    return Reply([] if request.path.endswith(("/status", "/field")) else {"issues": [], "total": 0})


def _github(_: Request) -> Reply:
    return Reply({"total_count": 0, "workflow_runs": []})


def _github_more(request: Request, token: str) -> Reply:
    link = f'<http://{request.headers["host"]}{request.path}?page={token}>; rel="next"'
    return Reply({"total_count": 0, "workflow_runs": []}, headers={"Link": link})


def _gitlab(_: Request) -> Reply:
    return Reply([])


def _gitlab_more(_: Request, token: str) -> Reply:
    return Reply([], headers={"X-Next-Page": token})


def _amplitude(_: Request) -> Reply:
    return Reply({"data": {"series": [], "xValues": []}})


def _langfuse(_: Request) -> Reply:
    return Reply({"data": [], "meta": {}})


def _langfuse_more(_: Request, token: str) -> Reply:
    return Reply({"data": [], "meta": {"cursor": token}})


def _phoenix(_: Request) -> Reply:
    return Reply({"data": [], "next_cursor": None})


def _phoenix_more(_: Request, token: str) -> Reply:
    return Reply({"data": [], "next_cursor": token})


def _gitlab_carry(request: Request, found: list[dict[str, Any]]) -> Reply:
    if request.path.endswith("/pipelines"):
        return Reply(found)
    if "/pipelines/" in request.path and request.path.rpartition("/")[2].isdigit():
        return Reply(next(one for one in found if str(one["id"]) == request.path.rpartition("/")[2]))
    return Reply([] if request.path.endswith("/jobs") else {})


def _clickhouse(_: Request) -> Reply:
    return Reply({"meta": [], "data": [], "rows": 0})


_FINE = "2026-11-10T00:00:00Z"
RECORDS = {
    "linear": Record(
        lambda name, at: {"id": name, "createdAt": at, "updatedAt": _FINE},
        lambda _, found: Reply({"data": {"issues": {"nodes": found, "pageInfo": {"hasNextPage": False}}}}),
        "work_items", "id", "created",
    ),
    "jira": Record(
        lambda name, at: {"id": name, "fields": {"created": at, "updated": _FINE}},
        lambda request, found: Reply([] if request.method == "GET" else {"issues": found}),
        "work_items", "id", "created",
    ),
    "jira_dc": Record(
        lambda name, at: {"id": name, "fields": {"created": at, "updated": _FINE}},
        lambda request, found: Reply(
            [] if request.path.endswith(("/status", "/field")) else {"issues": found, "total": len(found)}
        ),
        "work_items", "id", "created",
    ),
    "github": Record(
        lambda name, at: {"id": name, "run_attempt": 1, "created_at": at, "updated_at": _FINE},
        lambda _, found: Reply({"total_count": len(found), "workflow_runs": found, "jobs": []}),
        "pipeline_runs", "id", "created",
    ),
    "gitlab": Record(
        lambda name, at: {"id": name, "created_at": at, "updated_at": _FINE, "status": "success"},
        _gitlab_carry, "pipeline_runs", "id", "created",
    ),
    "langfuse": Record(
        lambda name, at: {"id": str(name), "traceId": "t", "startTime": at, "type": "SPAN"},
        lambda _, found: Reply({"data": found, "meta": {}}),
        "spans", "span_id", "start",
    ),
    "phoenix": Record(
        lambda name, at: {
            "context": {"trace_id": "0" * 31 + "1", "span_id": hex16(name)}, "start_time": at, "end_time": at,
        },
        lambda _, found: Reply({"data": found, "next_cursor": None}),
        "spans", "span_id", "start", hex16,
    ),
}  # fmt: skip


def _aws(_: Request) -> Reply:
    return Reply({"ResultsByTime": []})


def _aws_more(_: Request, token: str) -> Reply:
    return Reply({"ResultsByTime": [], "NextPageToken": token})


KINDS = {
    "linear": Kind(Linear, {}, _linear, _linear_more, record=RECORDS["linear"]),
    # After a 401 it asks once for its cloud id.
    "jira": Kind(Jira, {"email": "ada@example.com"}, _jira, _jira_more, {401: 2}, record=RECORDS["jira"]),
    "jira_dc": Kind(JiraDataCenter, {}, _jira_dc, record=RECORDS["jira_dc"]),
    "github": Kind(GitHub, {"repos": ["acme/app"]}, _github, _github_more, record=RECORDS["github"]),
    "gitlab": Kind(GitLab, {"projects": ["acme/app"]}, _gitlab, _gitlab_more, record=RECORDS["gitlab"]),
    # After a 404 it asks once for the older list.
    "langfuse": Kind(Langfuse, {}, _langfuse, _langfuse_more, {404: 2}, record=RECORDS["langfuse"]),
    "phoenix": Kind(Phoenix, {}, _phoenix, _phoenix_more, record=RECORDS["phoenix"]),
    "amplitude": Kind(Amplitude, {}, _amplitude),
    "aws": Kind(Aws, {}, _aws, _aws_more),
    "clickhouse": Kind(ClickHouse, {}, _clickhouse),  # its instants are asked for as numbers
}

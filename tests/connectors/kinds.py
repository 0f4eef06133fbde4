"""Every connector as the failure catalogue sees it: settings, answers with some records, a record of its first stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
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
BEHIND = "777000777"
"""The token of a second page: a number, as GitHub's pages are."""


Found = Sequence[dict[str, Any]]
"""Records as a service sends them."""
Answers = Callable[[Request, Found, str | None], Reply]
"""What a service answers that has these records, and a further page behind a token (None: this is the last)."""


@dataclass(frozen=True)
class Record:
    """A record by id and instant, and where both arrive."""

    make: Callable[[object, object], dict[str, Any]]
    table: str
    id: str
    at: str
    shown: Callable[[object], str] = str
    """An id as it arrives."""
    named: bool = True
    """Whether a record without its id cannot be stored."""
    forms: bool = True
    """Whether its instants are written by somebody else: not those that are asked for as numbers."""


@dataclass(frozen=True)
class Kind:
    """A connector, its settings beside the url, and how its service answers."""

    cls: Any
    settings: dict[str, Any]
    page: Answers
    paged: bool = True
    """Whether a token leads from one page to the next."""
    asks: Mapping[int, int] = field(default_factory=dict)
    """Requests after which a status is believed, where that is not one."""
    record: Record | None = None
    """How a record of its first stream travels; None where it has no ids of its own."""

    def fine(self, request: Request) -> Reply:
        """An answer that satisfies the connector: nothing is there."""
        return self.page(request, [], None)

    def source(self, url: str, **values: Any) -> Any:
        secrets = dict.fromkeys(self.cls.SECRETS, CANARY)
        return self.cls(self.cls.Settings(url=url, **self.settings), secrets, network(**values))

    @property
    def streams(self) -> tuple[Stream, ...]:
        """What a sync with these settings asks for."""
        return Job("one", self.cls, self.cls.Settings(url="http://127.0.0.1:9", **self.settings), network()).streams


def hex16(number: object) -> str:
    """A span's id: 16 hex digits."""
    return f"{int(str(number)):016x}"


_FINE = "2026-11-10T00:00:00Z"


_LINEAR = ("cycles", "projects", "initiatives", "issueRelations", "customerNeeds")


def _linear(request: Request, found: Found, token: str | None) -> Reply:
    operation = (request.json or {}).get("operationName", "Issues")
    asked = next(
        (name for name in _LINEAR if operation.removesuffix("Ids").lower() in (name.lower(), name[:-1].lower())),
        "issues",
    )
    pages = {"hasNextPage": token is not None, "endCursor": token}
    return Reply({"data": {asked: {"nodes": found if asked == "issues" else [], "pageInfo": pages}}})


def _jira(request: Request, found: Found, token: str | None) -> Reply:
    if request.method == "GET":
        return Reply({"values": [], "isLast": True} if "/agile/" in request.path else [])
    if request.path.endswith("/changelog/bulkfetch"):
        return Reply({"issueChangeLogs": []})
    return Reply({"issues": found} | ({} if token is None else {"nextPageToken": token}))


def _jira_dc(request: Request, found: Found, _: str | None) -> Reply:
    if "/agile/" in request.path:
        return Reply({"values": [], "isLast": True})
    return Reply({"issues": found, "total": len(found)} if request.path.endswith("/search") else [])


def _github(request: Request, found: Found, token: str | None) -> Reply:
    last = request.path.rpartition("/")[2]
    if last in {"jobs", "pulls", "deployments"}:
        return Reply({"jobs": []} if last == "jobs" else [])
    reply = Reply({"total_count": len(found), "workflow_runs": found})
    if token is None:
        return reply
    link = f'<http://{request.headers["host"]}{request.path}?page={token}>; rel="next"'
    return replace(reply, headers={"Link": link})


def _gitlab(request: Request, found: Found, token: str | None) -> Reply:
    last = request.path.rpartition("/")[2]
    if "/pipelines/" in request.path and last.isdigit():
        return Reply(next((one for one in reversed(found) if str(one.get("id")) == last), {}))
    if last == "test_report":
        return Reply({})
    if last != "pipelines" and token is None:
        return Reply([])
    return Reply(found, headers={} if token is None else {"X-Next-Page": token})


def _langfuse(_: Request, found: Found, token: str | None) -> Reply:
    return Reply({"data": found, "meta": {} if token is None else {"cursor": token}})


def _phoenix(_: Request, found: Found, token: str | None) -> Reply:
    return Reply({"data": found, "next_cursor": token})


def _amplitude(_: Request, found: Found, __: str | None) -> Reply:
    series = [[one["value"] for one in found]] if found else []
    return Reply({"data": {"series": series, "xValues": [one["day"] for one in found]}})


def _aws(_: Request, found: Found, token: str | None) -> Reply:
    return Reply({"ResultsByTime": found} | ({} if token is None else {"NextPageToken": token}))


def _clickhouse(_: Request, found: Found, __: str | None) -> Reply:
    return Reply({"meta": [{"name": "document"}], "data": [[documented(one)] for one in found]})


def documented(span: object) -> dict[str, Any]:
    """A span as ClickHouse tells it."""
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


def _nanoseconds(at: object) -> object:
    """ClickHouse is asked for instants as numbers; what is no instant stays."""
    try:
        read = datetime.fromisoformat(str(at))
    except ValueError:
        return at
    return int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()) * 10**9


def _bill(name: object, at: object) -> dict[str, Any]:
    usd = {"Amount": "1.5", "Unit": "USD"}
    spent = {"Keys": ["AmazonS3", str(name)], "Metrics": {"UnblendedCost": usd, "AmortizedCost": usd}}
    return {"TimePeriod": {"Start": at, "End": at}, "Groups": [spent], "Estimated": False}


KINDS = {
    "linear": Kind(
        Linear, {}, _linear,
        record=Record(lambda n, at: {"id": n, "createdAt": at, "updatedAt": _FINE}, "work_items", "id", "created"),
    ),
    # After a 401 it asks once for its cloud id.
    "jira": Kind(
        Jira, {"email": "ada@example.com"}, _jira, asks={401: 2},
        record=Record(lambda n, at: {"id": n, "fields": {"created": at, "updated": _FINE}}, "work_items", "id", "created"),
    ),
    "jira_dc": Kind(
        JiraDataCenter, {}, _jira_dc, paged=False,
        record=Record(lambda n, at: {"id": n, "fields": {"created": at, "updated": _FINE}}, "work_items", "id", "created"),
    ),
    "github": Kind(
        GitHub, {"repos": ["acme/app"]}, _github,
        record=Record(
            lambda n, at: {"id": n, "run_attempt": 1, "created_at": at, "updated_at": _FINE}, "pipeline_runs", "id", "created"
        ),
    ),
    "gitlab": Kind(
        GitLab, {"projects": ["acme/app"]}, _gitlab,
        record=Record(
            lambda n, at: {"id": n, "created_at": at, "updated_at": _FINE, "status": "success"}, "pipeline_runs", "id", "created"
        ),
    ),
    # After a 404 it asks once for the older list.
    "langfuse": Kind(
        Langfuse, {"days_back": 12}, _langfuse, asks={404: 2},
        record=Record(
            lambda n, at: {"id": str(n), "traceId": "t", "startTime": at, "type": "SPAN"}, "spans", "span_id", "start"
        ),
    ),
    "phoenix": Kind(
        Phoenix, {"days_back": 12}, _phoenix,
        record=Record(
            lambda n, at: {"context": {"trace_id": "0" * 31 + "1", "span_id": hex16(n)}, "start_time": at, "end_time": at},
            "spans", "span_id", "start", hex16,
        ),
    ),
    "amplitude": Kind(Amplitude, {}, _amplitude, paged=False),
    "aws": Kind(Aws, {}, _aws, record=Record(_bill, "costs", "account", "charge_start", named=False)),
    "clickhouse": Kind(
        ClickHouse, {"days_back": 12}, _clickhouse, paged=False,
        record=Record(
            lambda n, at: {"startTimeUnixNano": _nanoseconds(at), "traceId": f"{7:032x}", "spanId": hex16(n)},
            "spans", "span_id", "start", hex16, forms=False,
        ),
    ),
}  # fmt: skip

"""For each source a server with several pages of everything it can be asked for, and how many rows that is."""

from __future__ import annotations

import asyncio
from bisect import insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema

from aether_tui.sync.engine import Outcome, run
from aether_tui.sync.plan import Job
from connectors.amplitude import Amplitude
from connectors.aws import Aws
from connectors.base import Network
from connectors.clickhouse import ClickHouse
from connectors.github import GitHub
from connectors.gitlab import GitLab
from connectors.jira import Jira
from connectors.jira_dc import JiraDataCenter
from connectors.langfuse import Langfuse
from connectors.linear import Linear
from connectors.phoenix import Phoenix
from tests.connectors import strangers, test_github, test_jira, test_jira_dc, test_langfuse, test_linear
from tests.connectors.kinds import KINDS
from tests.connectors.pull import NOW, Time
from tests.connectors.server import Answering, Reply, Request, tagged
from tests.connectors.test_github_files import REPORT, artifact, packed
from tests.connectors.test_langfuse_scores import Project, world
from tests.sync.fake import workspace, writer


@dataclass(frozen=True)
class World:
    """A source whose server holds so many rows of each table."""

    cls: Any
    answer: Answering
    holds: Mapping[str, int]
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    conditional: bool = False
    """Whether the service knows ETags."""
    newest: datetime = NOW
    """When the newest thing of the first stream happened."""
    late: Callable[[], object] = lambda: None
    """Lets something appear in the first table that happened five minutes before that, or restates one."""
    more: int = 1
    """By how many rows the first table grows then."""
    gone: Callable[[], object] | None = None
    """Deletes something at the source."""
    lost: Mapping[str, int] = field(default_factory=dict)
    """How many rows of each table go then."""

    def sync(self, root: Path, url: str, time: Time, **options: Any) -> list[Outcome]:
        """One sync as the program runs it; the clock only moves while it waits."""
        place, config = workspace(root)
        secrets = dict.fromkeys(self.cls.SECRETS, "canary-0123456789") | dict(self.secrets)
        settings = self.cls.Settings(url=url, **self.settings)
        job = Job("one", self.cls, settings, Network(source="one", **time.parts()), secrets)
        into = replace(writer(place, config, NOW), clock=time.now)
        return asyncio.run(run([job], into, lambda _: None, **options))


CYCLE = {
    "number": 7, "startsAt": "2026-10-05T00:00:00.000Z", "endsAt": "2026-10-19T00:00:00.000Z", "team": {"key": "ENG"},
    "completedAt": "2026-10-19T00:00:00.000Z", "issueCountHistory": [8, 9, 11], "completedIssueCountHistory": [0, 3, 9],
    "scopeHistory": [20, 21, 25.5], "completedScopeHistory": [0, 8, 21],
}  # fmt: skip


def linear(schema: GraphQLSchema) -> World:
    peer = test_linear.Peer(schema, [test_linear.issue(n) for n in range(130)])
    stamped = test_linear.stamped
    peer.lists = {
        "cycles": [stamped(n, **CYCLE) for n in range(120)],
        "projects": [stamped(n, name="Checkout", url="u", status={"name": "In Progress"}, initiatives={"nodes": []}) for n in range(3)],
        "initiatives": [stamped(100, name="Grow", url="u", status="Active")],
        "issueRelations": [stamped(n, type="blocks", issue={"id": "a"}, relatedIssue={"id": "b"}) for n in range(120)],
        "customerNeeds": [stamped(500, priority=1, customer={"id": "acme"}, issue={"id": "a"})],
    }  # fmt: skip
    holds = {"work_items": 130, "work_transitions": 390, "iterations": 120, "projects": 4, "work_links": 121}
    late = test_linear.issue(500) | {"updatedAt": "2026-01-15T08:55:00.000Z"}
    return World(
        Linear, peer, holds, newest=_at("2026-01-15T09:00:00"), late=lambda: peer.issues.append(late),
        gone=lambda: (peer.issues.pop(3), peer.lists["cycles"].pop(), peer.lists["projects"].pop(), peer.lists["customerNeeds"].pop(),
                      setattr(peer, "refused", "initiatives")),  # nobody says that they are gone
        lost={"work_items": 1, "work_transitions": 3, "iterations": 1, "projects": 1, "work_links": 1},
    )  # fmt: skip


def jira() -> World:
    """Also an idea of Product Discovery, with the fields that the workspace names."""
    site = test_jira.Site(230)
    site.boards = [{"id": 8, "name": "EE", "type": "scrum"}]
    site.sprints = {"8": [{"id": n, "name": f"S{n}", "originBoardId": 8, "state": "closed"} for n in range(25)]}
    site.issues[3]["fields"] |= {"issuetype": {"name": "Idea"}, "customfield_10101": 8, "customfield_10102": {"value": "S"},
                                 "customfield_10020": [{"id": 7}], "issuelinks": [
                                     {"id": "1", "type": {"name": "Delivers"}, "outwardIssue": {"id": "1004"}}]}  # fmt: skip
    # In a sprint that is deleted, and led to by an issue that is.
    site.issues[5]["fields"] |= {"customfield_10020": [{"id": 24}], "issuelinks": [
        {"id": "2", "type": {"name": "Blocks"}, "outwardIssue": {"id": site.issues[3]["id"]}}]}  # fmt: skip
    holds = {"work_items": 230, "work_transitions": 690, "iterations": 25, "iteration_items": 2, "work_links": 2}
    settings = {"email": "ada@example.com", "discovery": {"impact": "Impact", "effort": "customfield_10102"}}
    late = test_jira.Site(231).issues[230]
    late["fields"]["updated"] = "2026-02-10T12:55:00.000+0000"
    return World(
        Jira, site, holds, settings, newest=_at("2026-02-10T13:00:00"), late=lambda: site.issues.append(late),
        gone=lambda: (site.issues.pop(3), site.sprints["8"].pop()),
        lost={"work_items": 1, "work_transitions": 3, "iterations": 1, "iteration_items": 2, "work_links": 2},
    )  # fmt: skip


def jira_dc() -> World:
    site, boards = test_jira_dc.Site(60, cap=25), test_jira.Site(0)
    boards.boards, boards.sprints = [{"id": 8, "name": "EE", "type": "scrum"}], {"8": [{"id": 1, "originBoardId": 8}]}
    holds = {"work_items": 60, "work_transitions": 120, "iterations": 1}
    late = test_jira_dc.issue(500, test_jira_dc.START + timedelta(minutes=54))
    return World(
        JiraDataCenter, lambda asked: boards(asked) if "/agile/" in asked.path else site(asked), holds,
        newest=test_jira_dc.START + timedelta(minutes=59), late=lambda: site.issues.append(late), gone=lambda: site.issues.pop(3),
        lost={"work_items": 1, "work_transitions": 2},
    )  # fmt: skip


def github() -> World:
    host = test_github.Host(runs=30, pulls=10, deployments=110)
    releases = [{"id": n, "tag_name": f"v{n}", "published_at": f"2026-11-{19 - n:02}T09:00:00Z"} for n in range(3)]

    def answer(request: Request) -> Reply:
        match request.path.split("/")[4:]:
            case ["releases"]:
                return Reply(releases)
            case ["artifacts"] | [_, "artifacts"]:
                return Reply({"total_count": 1, "artifacts": [artifact(1, "junit")]})
            case [*_, "zip"]:
                return Reply(packed({"unit.xml": REPORT}))
        return host(request)

    late = host.runs[0] | {"id": 500, "created_at": "2026-11-20T09:55:00Z", "updated_at": "2026-11-20T09:55:00Z"}
    holds = {"pipeline_runs": 30, "pipeline_jobs": 30, "pull_requests": 10, "deployments": 113, "test_cases": 2}
    settings = {"repos": [test_github.REPO], "releases": "production", "artifacts": ["junit*"]}
    return World(
        GitHub, tagged(answer), holds, settings, conditional=True, newest=_at("2026-11-20T10:00:00"),
        late=lambda: host.runs.insert(1, late), gone=lambda: (host.deployments.pop(50), releases.pop(0)), lost={"deployments": 2},
    )  # fmt: skip


def gitlab() -> World:
    holds = {"pipeline_runs": 6, "pipeline_jobs": 5, "test_cases": 3, "pull_requests": 4, "deployments": 205}
    settings = {"projects": [strangers.GitLab.path]}
    host = strangers.GitLab()
    newest = max(strangers.same(one["updated_at"]) for one in host.pipelines)
    late = host.pipelines[2] | {"id": 7, "updated_at": (newest - timedelta(minutes=5)).isoformat()}
    return World(
        GitLab, tagged(host), holds, settings, {"token": "glpat"}, conditional=True, newest=newest,
        late=lambda: host.pipelines.append(late), gone=lambda: (host.deployments.pop(50), host.requests.pop(1)),
        lost={"deployments": 1, "pull_requests": 1},
    )  # fmt: skip


def amplitude() -> World:
    settings = {
        "timezone": "America/New_York", "days_back": 5, "events": ["Ordered"], "export": True, "export_days_back": 2,
        "funnels": {"buy": ["Seen", "Ordered"]}, "retention": {"back": ["Seen", "Ordered"]},
    }  # fmt: skip
    keys = {"api_key": "key", "secret_key": "secret"}
    project, holds = strangers.Amplitude(), {"product_metrics": 6 * 3 + 2 + 6 * 2 + 6 * 3}
    return World(Amplitude, project, holds, settings, keys, late=lambda: setattr(project, "base", 2_000), more=0)


def aws() -> World:
    keys = {"access_key_id": "AKIASTRANGER"}
    bills = strangers.CostExplorer(size=100)
    return World(
        Aws, bills, {"costs": 90 * 4}, {"days_back": 90}, keys, more=4,  # those of the day that has ended by then
        late=lambda: bills.charges.update({("Tax", "111122223333"): "0.08"}),
    )  # fmt: skip


def langfuse(*, old: bool = False) -> World:
    """Observations and scores by the present lists, or by those that a server of one's own had before them."""
    seen = [test_langfuse.generation(n, startTime=test_langfuse.at(-7 * n)) for n in range(130)]
    project, late = Project(world(), seen, old=old), test_langfuse.generation(5_000, startTime=test_langfuse.at(-5))
    holds = {"spans": 130, "outcomes": 255}
    return World(
        Langfuse, project, holds, newest=_at("2026-11-20T10:00:00"), late=lambda: project.observations.insert(1, late)
    )


def phoenix() -> World:
    server = strangers.Phoenix()
    late = server.spans[5] | {"context": {"trace_id": "f" * 32, "span_id": "f" * 16}}
    return World(
        Phoenix, server, {"spans": 1_100, "outcomes": 3}, {"projects": ["shop"]}, {"api_key": "px"}, newest=NOW - timedelta(hours=3),
        late=lambda: server.spans.insert(5, late),
    )  # fmt: skip


def clickhouse() -> World:
    kind = KINDS["clickhouse"]
    assert kind.record is not None
    newest = NOW - timedelta(hours=3)
    spans = [kind.record.make(n, (newest - timedelta(seconds=n)).isoformat()) for n in range(1, 301)]
    place = lambda one: (one["startTimeUnixNano"], one["traceId"], one["spanId"])  # noqa: E731
    spans.sort(key=place)

    def answer(request: Request) -> Reply:
        query = request.query
        low, high = (_ns(query[f"param_{name}"]) for name in ("low", "high"))
        after = tuple(query.get(f"param_{name}", "") for name in ("ns", "trace", "span"))
        found = [one for one in spans if low <= one["startTimeUnixNano"] < high]
        if after[0]:
            found = [one for one in found if place(one) > (int(after[0]), *after[1:])]
        return kind.page(request, found[:5_000], None)

    late = kind.record.make(9_999, (newest - timedelta(minutes=5)).isoformat())
    return World(
        ClickHouse,
        answer,
        {"spans": 300},
        {"days_back": 12},
        newest=newest,
        late=lambda: insort(spans, late, key=place),
    )


def _at(said: str) -> datetime:
    return datetime.fromisoformat(said).replace(tzinfo=UTC)


def _ns(told: str) -> int:
    return int(_at(told).timestamp()) * 10**9


WORLDS: Mapping[str, Callable[[], World]] = {
    "jira": jira, "jira_dc": jira_dc, "github": github, "gitlab": gitlab, "amplitude": amplitude, "aws": aws,
    "langfuse": langfuse, "langfuse_before": lambda: langfuse(old=True), "phoenix": phoenix, "clickhouse": clickhouse,
}  # fmt: skip
"""All but Linear's, which needs its schema."""

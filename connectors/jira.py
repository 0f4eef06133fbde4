"""Issues of Jira Cloud with their status history (REST v3)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from aether_tui.records.tables import WORK_ITEMS, WORK_TRANSITIONS
from connectors.answers import Answer, Verdict, classify, refusal
from connectors.base import Access, Denied, Network, Page, RateLimited, SourceError, Stream
from connectors.fields import Mapper, Node, latest, mapped, objects, text
from connectors.http import Http, HttpSettings
from connectors.jira_rows import JiraSite, disagrees, estimate_fields, jira_issue_rows, status_categories
from connectors.paging import PageGuard

# Search is eventually consistent: the index lags behind by minutes.
ISSUES = Stream("issues", (WORK_ITEMS, WORK_TRANSITIONS), overlap_s=900)

FIELDS = (
    "summary", "issuetype", "status", "created", "resolutiondate", "updated", "priority", "project", "assignee",
    "labels", "parent",
)  # fmt: skip
_ISSUES_PER_PAGE = 100
_HISTORIES_PER_PAGE = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class JiraSettings(HttpSettings):
    """`[sources.jira]`. The API token is the secret `token`; it belongs to `email`."""

    email: str = Field("", description="Address of the account the API token belongs to")
    projects: list[str] = Field(default_factory=list, description="Project keys to read; empty: all that are visible")
    estimate_field: str = Field("", description="Id of the estimate's field; default: story points, found by name")
    days_back: int = Field(
        365, ge=1, description="Days of changes the first sync reads", json_schema_extra={"unit": "days"}
    )
    gateway: str = Field("https://api.atlassian.com", description="Where scoped tokens and service accounts are served")

    @model_validator(mode="after")
    def _usable(self) -> JiraSettings:
        if not self.email and not self.url.startswith("replay:"):
            raise ValueError("email is missing: the account the API token belongs to")
        check_keys(self.projects)
        return self


class _Unauthorised(Denied):
    pass


class Jira:
    """Issues and their transitions, changed since the cursor (the newest `updated` seen), oldest change first."""

    kind = "jira"
    Settings = JiraSettings
    SECRETS = ("token",)
    streams = (ISSUES,)
    access = Access(
        credential="an API token of a service account, with its e-mail address",
        permissions=("read:jira-work (Browse projects)",),
        reads=(
            "issues: key, summary, status and its history, type, labels, project, priority, dates",
            "assignees, kept as a keyed hash",
        ),
        leaves=("descriptions", "comments", "attachments", "work logs"),
    )

    def __init__(self, settings: JiraSettings, secrets: Mapping[str, str], network: Network) -> None:
        self._settings = settings
        self._network = network
        self._token = secrets.get("token", "")
        self._http = self._client(settings.url)

    async def pages(self, stream: Stream, since: str | None) -> AsyncIterator[Page]:
        """Pages of issues changed after `since`; every page moves the cursor. Raises SourceError; never stores."""
        site = await self._site()
        newest = datetime.fromisoformat(since) if since else None
        body: dict[str, object] = {
            "jql": jql(self._settings.projects, self._start(newest, stream)),
            "fields": [*FIELDS, *site.estimate_fields],
            "maxResults": _ISSUES_PER_PAGE,
        }
        guard = PageGuard("Jira's search")
        while True:
            answer = await self._http.post("/rest/api/3/search/jql", body)
            issues = objects(answer.json, "issues")
            histories = await self._histories(issues)
            rows, rejects = mapped(issues, WORK_ITEMS.name, _mapper(site, histories))
            newest = latest(rows, WORK_ITEMS, "updated", newest)
            yield Page(
                rows=rows,
                rejects=rejects,
                cursor=newest.isoformat() if newest else None,
                problems=disagreements(issues, site),
            )
            token = text(answer.json, "nextPageToken")
            # `isLast` has been seen missing and wrong: the absent token is the end.
            if token is None:
                return
            guard.follow(token, rows=len(issues))
            body["nextPageToken"] = token

    async def check(self) -> str:
        """The account the token belongs to."""
        try:
            answer = await self._http.get("/rest/api/3/myself")
        except _Unauthorised as refused:
            answer = await self._through_gateway(refused)
        return f"{text(answer.json, 'displayName')} at {urlsplit(self._settings.url).netloc or self._settings.url}"

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    def _client(self, url: str) -> Http:
        settings = self._settings
        return Http(
            url,
            self._network,
            service="Jira",
            secrets={"token": self._token},
            basic=(settings.email, self._token),
            classify=classify_jira,
            ca_bundle=settings.ca_bundle,
        )

    def _start(self, since: datetime | None, stream: Stream) -> datetime:
        if since is None:
            return self._network.now() - timedelta(days=self._settings.days_back)
        return since.replace(tzinfo=UTC) - timedelta(seconds=stream.overlap_s)

    async def _site(self) -> JiraSite:
        """Statuses and the estimate's field. The first request: a 401 here means trying the gateway once."""
        try:
            statuses = await self._http.get("/rest/api/3/status")
        except _Unauthorised as refused:
            await self._through_gateway(refused)
            statuses = await self._http.get("/rest/api/3/status")
        chosen = self._settings.estimate_field
        fields = (chosen,) if chosen else estimate_fields(items(await self._http.get("/rest/api/3/field")))
        parts = urlsplit(self._settings.url)
        people = f"{parts.scheme}://{parts.netloc}" if parts.netloc and not parts.path.strip("/") else ""
        return JiraSite(status_categories(items(statuses)), fields, people)

    async def _through_gateway(self, refused: Denied) -> Answer:
        """Ask the gateway instead, where scoped tokens are served, and stay there when it knows us."""
        both = Denied(
            f"{refused.what}; the gateway {urlsplit(self._settings.gateway).netloc} does not accept it either",
            hint=f"tokens live at most a year: make a new one for {self._settings.email} and store it with "
            f"`aether-tui auth set {self._network.source or 'jira'}` (without scopes for {self._settings.url}, with the "
            "scopes read:jira-work and read:jira-user for the gateway)",
        )
        try:
            cloud = text((await self._http.get("/_edge/tenant_info")).json, "cloudId") or ""
        except SourceError:
            cloud = ""
        if not re.fullmatch(r"[A-Za-z0-9-]{8,64}", cloud):
            raise refused
        gateway = self._client(f"{self._settings.gateway.rstrip('/')}/ex/jira/{cloud}")
        try:
            answer = await gateway.get("/rest/api/3/myself")
        except SourceError as error:
            await gateway.close()
            raise (both if isinstance(error, Denied) else error) from None
        await self._http.close()
        self._http = gateway
        return answer

    async def _histories(self, issues: list[Node]) -> dict[str, list[Node]]:
        """Status changes of these issues by issue id, all of them: inline changelogs are cut short by the server."""
        found: dict[str, list[Node]] = {}
        ids = [key for issue in issues if (key := text(issue, "id"))]
        body: dict[str, object] = {"issueIdsOrKeys": ids, "fieldIds": ["status"], "maxResults": _HISTORIES_PER_PAGE}
        guard = PageGuard("Jira's changelog")
        while ids:
            answer = await self._http.post("/rest/api/3/changelog/bulkfetch", body)
            logs = objects(answer.json, "issueChangeLogs")
            for log in logs:
                found.setdefault(text(log, "issueId") or "", []).extend(objects(log, "changeHistories"))
            token = text(answer.json, "nextPageToken")
            if token is None:
                break
            guard.follow(token, rows=len(logs))
            body["nextPageToken"] = token
        return found


def classify_jira(answer: Answer) -> Verdict:
    """Jira's customs: quota limits open only at the reset (ISO 8601); bursts are waited for; a 401 may be the address."""
    if answer.status == 401:
        return _Unauthorised(refusal(answer))
    if answer.status == 429 and "quota" in answer.headers.get("ratelimit-reason", ""):
        try:
            opens_at = datetime.fromisoformat(answer.headers.get("x-ratelimit-reset", ""))
            opens_at = opens_at if opens_at.tzinfo else opens_at.replace(tzinfo=UTC)
        except ValueError:
            opens_at = None
        when = f"after {opens_at:%Y-%m-%d %H:%M} UTC" if opens_at else "in an hour"
        return RateLimited("Jira's hourly quota is used up", opens_at=opens_at, hint=f"run sync again {when}")
    return classify(answer)


def check_keys(projects: Sequence[str]) -> None:
    """Raises ValueError for what is no project key: it would be part of a query."""
    for key in projects:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", key):
            raise ValueError(f"projects: {key!r} is not a project key such as ENG")


def jql(projects: Sequence[str], start: datetime) -> str:
    """The bounded query. Epoch milliseconds: a quoted date would be read in the token owner's time zone."""
    bound = f"updated >= {(start - _EPOCH) // timedelta(milliseconds=1)}"
    keys = ", ".join(f'"{key}"' for key in projects)
    return f"{f'project in ({keys}) AND ' if keys else ''}{bound} ORDER BY updated ASC, key ASC"


def _mapper(site: JiraSite, histories: Mapping[str, list[Node]]) -> Mapper:
    return lambda issue: jira_issue_rows(issue, site, histories.get(text(issue, "id") or "", []))


def disagreements(issues: list[Node], site: JiraSite) -> list[str]:
    """A sentence that counts the issues whose category differs from the status table; none when all agree."""
    keys = [text(issue, "key") or "?" for issue in issues if disagrees(issue, site)]
    if not keys:
        return []
    shown = ", ".join(keys[:5]) + (" …" if len(keys) > 5 else "")
    return [f"{len(keys)} issues carry another status category than the status table, which wins: {shown}"]


def items(answer: Answer) -> list[Node]:
    """The objects of an answer that is a list."""
    return objects({"list": answer.json}, "list")

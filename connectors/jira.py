"""Issues of Jira Cloud with their status history, sprints and ideas of Product Discovery (REST v3)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from aether_tui.records.tables import ITERATION_ITEMS, WORK_ITEMS, WORK_LINKS, WORK_TRANSITIONS
from connectors.answers import Answer, Verdict, classify, listed, record, refusal
from connectors.base import Access, Denied, Network, Page, RateLimited, SourceError, Stream, Unlisted
from connectors.fields import Mapper, Node, instant, integer, latest, mapped, names, objects, text
from connectors.http import MOST_DAYS, Http, HttpSettings
from connectors.jira_agile import SPRINTS, sprint_ids, sprint_pages
from connectors.jira_fields import field_proposal, find_fields
from connectors.jira_rows import JiraSite, disagrees, jira_issue_rows, status_categories, whole
from connectors.paging import PageGuard
from connectors.windows import again_from

# Search is eventually consistent: the index lags behind by minutes.
ISSUES = Stream(
    "issues", (WORK_ITEMS, WORK_TRANSITIONS, ITERATION_ITEMS, WORK_LINKS), overlap_s=900, sweep_s=86_400,
    sweep_of=("source_team", "projects"),
)  # fmt: skip

FIELDS = (
    "summary", "issuetype", "status", "created", "resolutiondate", "updated", "priority", "project", "assignee",
    "labels", "parent", "issuelinks",
)  # fmt: skip
_ISSUES_PER_PAGE = 100
_HISTORIES_PER_PAGE = 1000
_FIELDS = 10  # that a changelog may be asked for
_IDS_PER_PAGE = 5000  # the server gives fewer where it wants to
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class JiraSettings(HttpSettings):
    """`[sources.jira]`. The API token is the secret `token`; it belongs to `email`."""

    API = "/rest"

    email: str = Field("", description="Address of the account the API token belongs to")
    projects: list[str] = Field(default_factory=list, description="Project keys to read; empty: all that are visible")
    estimate_field: str = Field(
        "", description="Name or id of the estimate's field; default: story points, found by name"
    )
    discovery: dict[Literal["impact", "effort", "confidence", "reversibility"], str] = Field(
        default_factory=dict,
        description="Names or ids of the fields in which ideas of Product Discovery are scored, by our word",
    )
    days_back: int = Field(
        365, ge=1, le=MOST_DAYS, description="Days of changes the first sync reads", json_schema_extra={"unit": "days"}
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
    streams = (ISSUES, SPRINTS)
    access = Access(
        credential="an API token of a service account, with its e-mail address",
        permissions=(
            "read:jira-work (Browse projects)",
            "for sprints read:board-scope:jira-software and read:sprint:jira-software",
        ),
        reads=(
            "issues: key, summary, status and its history, type, labels, project, priority, parent, estimate, dates, sprints, links",
            "sprints: name, dates, state; of ideas the fields that are named as impact, effort, confidence",
            "names of statuses and fields",
            "assignees and who changed a status, kept as a keyed hash",
        ),
        leaves=("descriptions", "comments", "attachments", "work logs"),
        drops=("names, addresses and pictures of people", "summaries of parents and linked issues"),
    )

    def __init__(self, settings: JiraSettings, secrets: Mapping[str, str], network: Network) -> None:
        self._settings = settings
        self._network = network
        self._token = secrets.get("token", "")
        self._http = self._client(settings.url)

    async def pages(self, stream: Stream, since: str | None) -> AsyncIterator[Page]:
        """Pages of issues changed after `since`; every page moves the cursor. Raises SourceError; never stores."""
        if stream.name == SPRINTS.name:
            now = self._network.now().astimezone(UTC).replace(tzinfo=None)
            async for page in sprint_pages(self._http, since, now):
                yield page
            return
        site = await self._site()
        newest = datetime.fromisoformat(since) if since else None
        body: dict[str, object] = {
            "jql": jql(self._settings.projects, self._start(newest, stream)),
            "fields": [*FIELDS, *site.fields.ids],
            "maxResults": _ISSUES_PER_PAGE,
        }
        guard = PageGuard("Jira's search")
        total, first = None, True
        while True:
            answer = await self._http.post("/rest/api/3/search/jql", body)
            issues = found = listed(answer, "issues")
            token = text(answer.json, "nextPageToken")
            if token is not None and first:
                total = await self._count(str(body["jql"]))
            elif first:
                issues = self._unread(issues)
            first = False
            histories = await self._histories(issues, site)
            rows, rejects = mapped(issues, WORK_ITEMS.name, _mapper(site, histories))
            newest = latest(rows, WORK_ITEMS, "updated", newest, self._network.now())
            self._note_read(found, newest, stream)
            yield Page(
                rows=rows,
                rejects=rejects,
                cursor=newest.isoformat() if newest else None,
                problems=disagreements(issues, site),
                total=total,
                about=True,
                whole=whole(issues, rows),
            )
            # `isLast` has been seen missing and wrong: the absent token is the end.
            if token is None:
                return
            guard.follow(token, rows=len(issues))
            body["nextPageToken"] = token

    def _unread(self, issues: list[Node]) -> list[Node]:
        """The issues that have changed since an earlier sync read them, in what was the end of its time."""
        known = self._network.memory.notes
        return [one for one in issues if (text(one, "fields", "updated") or "?") != known.get(text(one, "id") or "")]

    def _note_read(self, issues: list[Node], newest: datetime | None, stream: Stream) -> None:
        """Remember what the next sync will be shown again: the end of this one."""
        bound = newest - timedelta(seconds=stream.overlap_s) if newest else None
        for issue in issues:
            at = _changed(issue)
            if at and (bound is None or at >= bound):
                self._network.memory.noted[text(issue, "id") or ""] = text(issue, "fields", "updated") or ""

    async def ids(self, stream: Stream) -> AsyncIterator[Sequence[str] | Unlisted]:
        """Ids of every issue, or sprint, there is. Raises SourceError."""
        if stream.name == SPRINTS.name:
            async for some in sprint_ids(self._http):
                yield some
            return
        body: dict[str, object] = {
            "jql": jql(self._settings.projects, _EPOCH, "created"), "fields": ["id"], "maxResults": _IDS_PER_PAGE,
        }  # fmt: skip
        guard = PageGuard("Jira's search")
        while True:
            answer = await self._http.post("/rest/api/3/search/jql", body)
            issues = listed(answer, "issues")
            yield names(issues, "id")
            token = text(answer.json, "nextPageToken")
            if token is None:
                return
            guard.follow(token, rows=len(issues))
            body["nextPageToken"] = token

    async def field_proposal(self) -> list[str]:
        """TOML lines that name the custom fields of this site. Raises SourceError."""
        await self.check()  # finds the address that knows the token
        return field_proposal(listed(await self._http.get("/rest/api/3/field")), self._network.source)

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
        return again_from(since, timedelta(seconds=stream.overlap_s), self._network.memory).replace(tzinfo=UTC)

    async def _site(self) -> JiraSite:
        """Statuses and the estimate's field. The first request: a 401 here means trying the gateway once."""
        try:
            statuses = await self._http.get("/rest/api/3/status")
        except _Unauthorised as refused:
            await self._through_gateway(refused)
            statuses = await self._http.get("/rest/api/3/status")
        named = listed(await self._http.get("/rest/api/3/field"))
        fields = find_fields(named, self._settings.estimate_field, as_texts(self._settings.discovery))
        parts = urlsplit(self._settings.url)
        people = f"{parts.scheme}://{parts.netloc}" if parts.netloc and not parts.path.strip("/") else ""
        return JiraSite(status_categories(listed(statuses)), fields, people)

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

    async def _count(self, query: str) -> int | None:
        """About how many issues a query finds; None where Jira does not say."""
        bounded = query.partition(" ORDER BY")[0]
        answer = await self._http.post("/rest/api/3/search/approximate-count", {"jql": bounded})
        return integer(answer.json, "count")

    async def _histories(self, issues: list[Node], site: JiraSite) -> dict[str, list[Node]]:
        """Changes of status and sprint of these issues by issue id, all of them: inline changelogs are cut short by the server."""
        found: dict[str, list[Node]] = {}
        ids = [key for issue in issues if (key := text(issue, "id"))]
        wanted = ["status", *site.fields.sprints][:_FIELDS]
        body: dict[str, object] = {"issueIdsOrKeys": ids, "fieldIds": wanted, "maxResults": _HISTORIES_PER_PAGE}
        guard = PageGuard("Jira's changelog")
        while ids:
            answer = await self._http.post("/rest/api/3/changelog/bulkfetch", body)
            # Of issues that have never changed an object without the list may come.
            logs = [] if record(answer).get("issueChangeLogs") is None else listed(answer, "issueChangeLogs")
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


def as_texts(discovery: Mapping[Literal["impact", "effort", "confidence", "reversibility"], str]) -> dict[str, str]:
    """The mapping with plain words as keys."""
    return {str(word): wanted for word, wanted in discovery.items()}


def jql(projects: Sequence[str], start: datetime, by: str = "updated") -> str:
    """The bounded query. Epoch milliseconds: a quoted date would be read in the token owner's time zone."""
    bound = f"{by} >= {(start - _EPOCH) // timedelta(milliseconds=1)}"
    keys = ", ".join(f'"{key}"' for key in projects)
    return f"{f'project in ({keys}) AND ' if keys else ''}{bound} ORDER BY {by} ASC, key ASC"


def _changed(issue: Node) -> datetime | None:
    try:
        return instant(issue, "fields", "updated")
    except ValueError:
        return None


def _mapper(site: JiraSite, histories: Mapping[str, list[Node]]) -> Mapper:
    return lambda issue: jira_issue_rows(issue, site, histories.get(text(issue, "id") or "", []))


def disagreements(issues: list[Node], site: JiraSite) -> list[str]:
    """A sentence that counts the issues whose category differs from the status table; none when all agree."""
    keys = [text(issue, "key") or "?" for issue in issues if disagrees(issue, site)]
    if not keys:
        return []
    shown = ", ".join(keys[:5]) + (" …" if len(keys) > 5 else "")
    return [f"{len(keys)} issues carry another status category than the status table, which wins: {shown}"]

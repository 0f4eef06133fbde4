"""Issues of Jira Data Center and Server with their status history (REST v2)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from aether_tui.records.tables import ITERATION_ITEMS, WORK_ITEMS, WORK_LINKS, WORK_TRANSITIONS
from connectors.answers import Answer, Verdict, classify, listed
from connectors.base import Access, Denied, Gone, Malformed, Network, Page, Stream, Unlisted
from connectors.fields import Node, dig, instant, integer, latest, mapped, names, text
from connectors.http import MOST_DAYS, Http, HttpSettings
from connectors.jira import FIELDS, as_texts, check_keys, disagreements, jql
from connectors.jira_agile import SPRINTS, sprint_ids, sprint_pages
from connectors.jira_fields import field_proposal, find_fields
from connectors.jira_rows import JiraSite, jira_issue_rows, status_categories, whole
from connectors.paging import PageGuard
from connectors.windows import again_from

ISSUES = Stream(
    "issues", (WORK_ITEMS, WORK_TRANSITIONS, ITERATION_ITEMS, WORK_LINKS), overlap_s=900, sweep_s=86_400,
    sweep_of=("source_team", "projects"),
)  # fmt: skip

_ISSUES_PER_PAGE = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class JiraDataCenterSettings(HttpSettings):
    """`[sources.NAME]` with kind `jira_dc`. The personal access token (Jira 8.14 or newer) is the secret `token`."""

    API = "/rest"

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

    @field_validator("projects")
    @classmethod
    def _keys(cls, projects: list[str]) -> list[str]:
        check_keys(projects)
        return projects


class JiraDataCenter:
    """Issues and their transitions, changed since the cursor (the newest `updated` seen), oldest change first."""

    kind = "jira_dc"
    Settings = JiraDataCenterSettings
    SECRETS = ("token",)
    streams = (ISSUES, SPRINTS)
    access = Access(
        credential="a personal access token of a service account",
        permissions=("Browse projects",),
        reads=(
            "issues: key, summary, status and its history, type, labels, project, priority, parent, estimate, dates, sprints, links",
            "sprints: name, dates, state; of ideas the fields that are named as impact, effort, confidence",
            "names of statuses and fields",
            "assignees and who changed a status, kept as a keyed hash",
        ),
        leaves=("comments", "attachments", "work logs"),
        drops=(
            "the history of all other fields, descriptions among them: this server gives it whole or not at all",
            "names, addresses and pictures of people",
            "summaries of parents and linked issues",
        ),
    )

    def __init__(self, settings: JiraDataCenterSettings, secrets: Mapping[str, str], network: Network) -> None:
        self._settings = settings
        self._network = network
        token = secrets.get("token", "")
        self._http = Http(
            settings.url,
            network,
            service="Jira",
            secrets={"token": token},
            headers={"Authorization": f"Bearer {token.strip()}"},
            classify=classify_jira_dc,
            ca_bundle=settings.ca_bundle,
        )

    async def pages(self, stream: Stream, since: str | None) -> AsyncIterator[Page]:
        """Pages of issues changed after `since`; every page moves the cursor. Raises SourceError; never stores."""
        if stream.name == SPRINTS.name:
            now = self._network.now().astimezone(UTC).replace(tzinfo=None)
            async for page in sprint_pages(self._http, since, now):
                yield page
            return
        site = await self._site()
        newest = datetime.fromisoformat(since) if since else None
        overlap, first = timedelta(seconds=stream.overlap_s), timedelta(days=self._settings.days_back)
        begin = again_from(newest, overlap, self._network.memory).replace(tzinfo=UTC) if newest else None
        start = begin or self._network.now() - first
        total: int | None = None
        before: set[tuple[str | None, str | None]] = set()
        async for answer in self._search(start, (*FIELDS, *site.fields.ids), "updated"):
            # A page begins again with the last second of the one before.
            found = [(_version(issue), issue) for issue in listed(answer, "issues")]
            issues = [issue for version, issue in found if version not in before or version[0] is None]
            before = {version for version, _ in found}
            rows, rejects = mapped(issues, WORK_ITEMS.name, lambda issue: jira_issue_rows(issue, site))
            newest = latest(rows, WORK_ITEMS, "updated", newest, self._network.now())
            total = integer(answer.json, "total") if total is None else total
            yield Page(
                rows=rows,
                rejects=rejects,
                cursor=newest.isoformat() if newest else None,
                total=total,
                problems=[*disagreements(issues, site), *_cut_histories(issues)],
                whole=whole(issues, rows, cut=[issue for issue in issues if _is_cut(issue)]),
            )

    async def ids(self, stream: Stream) -> AsyncIterator[Sequence[str] | Unlisted]:
        """Ids of every issue, or sprint, there is. Raises SourceError."""
        if stream.name == SPRINTS.name:
            async for some in sprint_ids(self._http):
                yield some
            return
        async for answer in self._search(_EPOCH, ("id", "created"), "created"):
            yield names(listed(answer, "issues"), "id")

    async def field_proposal(self) -> list[str]:
        """TOML lines that name the custom fields of this site. Raises SourceError."""
        return field_proposal(listed(await self._http.get("/rest/api/2/field")), self._network.source)

    async def check(self) -> str:
        """The account the token belongs to."""
        answer = await self._http.get("/rest/api/2/myself")
        return f"{text(answer.json, 'displayName')} at {urlsplit(self._settings.url).netloc or self._settings.url}"

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    async def _site(self) -> JiraSite:
        statuses = await self._http.get("/rest/api/2/status")
        named = listed(await self._http.get("/rest/api/2/field"))
        fields = find_fields(named, self._settings.estimate_field, as_texts(self._settings.discovery))
        return JiraSite(status_categories(listed(statuses)), fields, self._http.base)

    async def _search(self, start: datetime, fields: Sequence[str], by: str) -> AsyncIterator[Answer]:
        """Answers of the search, oldest change (or creation) first.

        Offsets shift while people work, so each page begins in the second of the last change of the one before; only
        within one second they are counted on. The server may cap pages below what was asked.
        """
        guard = PageGuard("Jira's search")
        offset = 0
        while True:
            answer = await self._http.get(
                "/rest/api/2/search",
                {
                    "jql": jql(self._settings.projects, start, by),
                    "startAt": str(offset),
                    "maxResults": str(_ISSUES_PER_PAGE),
                    "fields": ",".join(fields),
                    **({"expand": "changelog"} if by == "updated" else {}),
                },
            )
            yield answer
            issues, total = listed(answer, "issues"), integer(answer.json, "total")
            if (offset + len(issues) >= total) if total is not None else not issues:
                return
            if not issues:
                counted = f"counts {total:,} issues since {start:%Y-%m-%d %H:%M} UTC and gives {offset:,} of them"
                raise Malformed(
                    f"Jira's search {counted}: what came is kept",
                    hint="run sync again; if it stays, its index is broken: an administrator can have it rebuilt",
                )
            guard.follow(_token(issues, by), rows=len(issues))
            begin = _whole_second(issues[-1], by)
            if begin is not None and begin > start and begin > (_whole_second(issues[0], by) or begin):
                start, offset = begin, 0
            else:
                offset += len(issues)


def classify_jira_dc(answer: Answer) -> Verdict:
    """Data Center's customs: failed logins end in a CAPTCHA, and the Cloud has removed this search."""
    if answer.status in {401, 403} and "CAPTCHA" in answer.headers.get("x-authentication-denied-reason", ""):
        return Denied(
            f"too many failed logins: Jira asks for a CAPTCHA ({answer.story()})",
            hint="log in to Jira once with a browser, then store a valid token with `aether-tui auth set`",
        )
    if answer.status == 410:
        return Gone(f"this search is gone ({answer.story()})", hint='if this is Jira Cloud, use kind = "jira"')
    return classify(answer)


def _is_cut(issue: Node) -> bool:
    """Whether an issue came without its history, or with a part of it."""
    told = dig(issue, "changelog", "histories")
    return not isinstance(told, list) or (integer(issue, "changelog", "total") or 0) > len(told)


def _cut_histories(issues: Sequence[Node]) -> list[str]:
    cut = [text(issue, "key") or "?" for issue in issues if _is_cut(issue)]
    if not cut:
        return []
    return [f"{len(cut)} issues came with a part of their history only: {', '.join(cut[:5])}{' …' * (len(cut) > 5)}"]


def _version(issue: Node) -> tuple[str | None, str | None]:
    return text(issue, "id"), text(issue, "fields", "updated")


def _token(issues: Sequence[Node], by: str) -> str:
    """What tells one page from another: its ends, and when they changed."""
    return " to ".join(f"{text(one, 'id')} {text(one, 'fields', by)}" for one in (issues[0], issues[-1]))


def _whole_second(issue: Node, by: str) -> datetime | None:
    try:
        at = instant(dig(issue, "fields"), by)
    except ValueError:
        return None
    return at.replace(microsecond=0, tzinfo=UTC) if at else None

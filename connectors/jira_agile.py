"""Boards and sprints of Jira, the same interface in the Cloud and in Data Center."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

from aether_tui.records.tables import ITERATIONS
from connectors.answers import listed
from connectors.base import Forbidden, Gone, Page, Refused, Row, SourceError, Stream, Unlisted
from connectors.fields import Node, dig, instant, integer, mapped, text
from connectors.http import Http
from connectors.paging import PageGuard

SPRINTS = Stream("sprints", (ITERATIONS,), overlap_s=0, sweep_s=86_400)
EVERY = timedelta(hours=1)
"""Boards cannot be asked what changed: they are read whole, and not more often than this."""
_PER_PAGE = 50
_TOLD = "no Jira Software"


class _Without(SourceError):
    """There is no Jira Software here: no boards, no sprints."""


async def sprint_pages(http: Http, since: str | None, now: datetime) -> AsyncIterator[Page]:
    """The sprints of every scrum board; nothing when they were read within the hour. `now` is naive UTC.

    That there is no Jira Software is said once.
    """
    memory = http.network.memory
    told = {name: said for name, said in memory.notes.items() if name == _TOLD}
    if since is not None and timedelta(0) <= now - datetime.fromisoformat(since) < EVERY:
        memory.noted |= told
        return
    problems: list[str] = []
    try:
        async for _, name, sprints in _sprints(http):
            rows, rejects = mapped(sprints, ITERATIONS.name, lambda one, name=name: sprint_rows(one, name))  # type: ignore[misc]
            yield Page(rows=rows, rejects=rejects)
    except _Without as error:
        problems += [] if told else [error.what]
        memory.noted[_TOLD] = error.what
    yield Page(cursor=now.isoformat(), problems=problems)


async def sprint_ids(http: Http) -> AsyncIterator[Sequence[str] | Unlisted]:
    """The ids of every sprint there is."""
    try:
        async for _, _, sprints in _sprints(http):
            yield [found for one in sprints if (found := text(one, "id"))]
    except _Without:
        yield Unlisted()


def sprint_rows(sprint: Node, board: str | None) -> dict[str, list[Row]]:
    """One sprint of a board. Raises ValueError for an unreadable one."""
    row = ITERATIONS.row(
        id=text(sprint, "id"),
        name=text(sprint, "name"),
        source_team=board,
        state=text(sprint, "state"),
        start=instant(sprint, "startDate"),
        end=instant(sprint, "endDate"),
        completed=instant(sprint, "completeDate"),
    )
    return {ITERATIONS.name: [row]}


async def _sprints(http: Http) -> AsyncIterator[tuple[str, str | None, list[Node]]]:
    """Board id, board name and sprints, page by page. A sprint that several boards show belongs to the one it was made on."""
    try:
        boards = {
            found: board
            async for page in _values(http, "/rest/agile/1.0/board", "boards")
            for board in page
            # Kanban boards have no sprints, and answer 400.
            if (found := text(board, "id")) and found.isdigit() and text(board, "type") != "kanban"
        }
    except (Gone, Forbidden) as error:
        if isinstance(error, Forbidden) and error.scope:
            raise
        raise _Without(
            f"no Jira Software on this site, or none for the owner of this credential: sprints are left out ({error.what})"
        ) from None
    for found, board in boards.items():
        try:
            async for page in _values(http, f"/rest/agile/1.0/board/{found}/sprint", "sprints"):
                origins = [(one, text(one, "originBoardId")) for one in page]
                kept = [one for one, origin in origins if origin == found or origin not in boards]
                yield found, text(board, "name"), kept
        except Refused:
            # A team-managed board has sprints only where its team switched them on, and answers 400 otherwise.
            if text(board, "type") == "scrum":
                raise


async def _values(http: Http, path: str, what: str) -> AsyncIterator[list[Node]]:
    start, guard = 0, PageGuard(f"Jira's {what}")
    while True:
        answer = await http.get(path, {"startAt": str(start), "maxResults": str(_PER_PAGE)})
        page = listed(answer, "values")
        yield page
        start += len(page)
        total = integer(answer.json, "total")
        if dig(answer.json, "isLast") is True or not page or (total is not None and start >= total):
            return
        guard.follow(str(start), rows=len(page))

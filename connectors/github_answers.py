"""What GitHub's answers say: limits, links to the next page, instants, lists."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from aether_tui.records.tables import DEPLOYMENTS
from connectors.answers import LATER, Again, Answer, Verdict, classify
from connectors.base import RateLimited, Refused, Row
from connectors.fields import Node, dig, instant, number, objects, text
from connectors.marks import Mark

_NEXT = re.compile(r'<([^>]+)>\s*;[^,]*\brel="next"')

OPEN_KEPT = 100
"""Things without a final status that are remembered of a repository, at most."""


class Ceiling(Refused):
    """A list that is longer than may be paged through."""


def classify_github(answer: Answer) -> Verdict:
    """GitHub's customs: a 403 may be a limit; resets are epoch seconds; the secondary limit names no time."""
    if answer.status in {403, 429}:
        limit = RateLimited(f"GitHub's limit is reached ({answer.story()})", hint=LATER)
        told = answer.retry_after_s()
        reset = number(answer.headers, "x-ratelimit-reset")
        if told is not None:
            return Again(limit, wait_s=told)
        if answer.headers.get("x-ratelimit-remaining") == "0" and reset is not None:
            return Again(limit, wait_s=answer.seconds_until_epoch(reset))
        if answer.status == 429 or "rate limit" in answer.message().lower():
            return Again(limit, first_pause_s=60.0)
    if answer.status == 422:
        return Ceiling(f"the list is too long ({answer.story()})", hint="ask for fewer days")
    return classify(answer)


def next_link(answer: Answer) -> str | None:
    """The address of the next page; None behind the last."""
    link = _NEXT.search(answer.headers.get("link", ""))
    return link[1] if link else None


def rows_in(answer: Answer) -> int:
    """How many objects a page of any list holds."""
    lists = (
        items(answer),
        objects(answer.json, "workflow_runs"),
        objects(answer.json, "jobs"),
        objects(answer.json, "artifacts"),
    )
    return sum(len(rows) for rows in lists)


def unfinished(rows: list[Row], now: datetime) -> dict[str, str]:
    """Deployments of the last week without a final status: their start by id."""
    columns = [column.name for column in DEPLOYMENTS.raw]
    key, started, result = (columns.index(name) for name in ("id", "started", "result"))
    oldest = now - timedelta(days=7)
    return {
        str(row[key]): at.isoformat()
        for row in rows
        if row[result] in {"running", "unknown"} and isinstance(at := row[started], datetime) and at > oldest
    }


def naive(at: datetime) -> datetime:
    """An aware instant as naive UTC."""
    return at.astimezone(UTC).replace(tzinfo=None)


def second(at: datetime) -> str:
    """A naive UTC instant as GitHub's queries want it."""
    return f"{at.isoformat(timespec='seconds')}Z"


def at_least(node: Node, field: str, bound: datetime) -> bool:
    """Whether an instant is at or after `bound`; one that cannot be read is kept, so that it becomes a reject."""
    at = instant_of(node, field)
    return at is None or at >= bound


def instant_of(node: Node, field: str) -> datetime | None:
    """The instant of a field; None for one that cannot be read, too."""
    try:
        return instant(node, field)
    except ValueError:
        return None


def read_already(pull: Node, lower: datetime, upper: datetime) -> bool:
    """Whether a pull request changed inside a stretch that was read."""
    changed = instant_of(pull, "updated_at")
    # Others may have changed in the very seconds at both ends.
    return changed is not None and lower < changed < upper


def items(answer: Answer) -> list[Node]:
    """The objects of an answer, when it is a list."""
    return objects({"list": answer.json}, "list")


def texts_of(node: Node, field: str) -> list[str]:
    """A list of a mark as texts."""
    value = dig(node, field)
    return [str(item) for item in value] if isinstance(value, list) else []


def names_of(node: Node, field: str) -> list[str]:
    """The names of an object of a mark."""
    value = dig(node, field)
    return [str(name) for name in value] if isinstance(value, Mapping) else []


def open_runs(mark: Mark) -> dict[str, datetime]:
    """Runs that were not finished when they were last read: when they were created. Older marks have ids only."""
    dated = {key: at for key in names_of(mark, "open") if (at := instant(mark, "open", key)) is not None}
    return dated or dict.fromkeys(texts_of(mark, "open"), datetime.min)  # noqa: DTZ901  # naive UTC, as all


def unread(found: Sequence[Node], mark: Mark) -> list[Node]:
    """Those that are new or have changed since they were read; one that is not dated is new."""
    return [one for one in found if (text(one, "updated_at") or "?") != text(mark, "read", text(one, "id") or "")]


def note_read(mark: Mark, found: Sequence[Node]) -> None:
    """Remember of objects that were read with all their details when they had changed last."""
    read = {name: text(mark, "read", name) or "" for name in names_of(mark, "read")}
    mark["read"] = {**read, **{key: text(one, "updated_at") or "" for one in found if (key := text(one, "id"))}}


def looked_for(mark: Mark, looked: datetime | None, overlap: timedelta) -> set[str]:
    """Objects that were read after the last look at all of them: the next one shows them again, and as they were they are read."""
    read = mark.get("read")
    if looked is None or not isinstance(read, Mapping):
        return set()
    return {key for key in read if (at := instant_of(read, key)) and at >= looked - overlap}


def keep_read(
    mark: Mark, listed: dict[str, datetime], bound: datetime | None, unfinished: Collection[str] = ()
) -> None:
    """Forget, also of `listed`, what will not be looked at again: only what is listed from `bound` on is, and what was not
    finished."""
    for key in [key for key, at in listed.items() if bound is not None and at < bound]:
        del listed[key]
    mark["read"] = {
        key: text(mark, "read", key) or "" for key in names_of(mark, "read") if key in unfinished or key in listed
    }

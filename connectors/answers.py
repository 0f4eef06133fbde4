"""What a server answered, and what that means: fine, try again, or a typed error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property

import msgspec

from aether_tui.text import one_line
from connectors.base import Denied, Forbidden, Gone, Malformed, RateLimited, Refused, SourceError, Transient
from connectors.fields import Node, dig

TRIES = 6

LATER = "run sync again later"

_LONGEST_S = 366 * 86_400.0
_DEEPEST = 16

_DATE = re.compile(r"\b(20\d\d-\d\d-\d\d)(?=\b|T)")
_SCOPE = re.compile(r"""scopes?["']?\s*[:=]\s*["'\[`]*([A-Za-z][\w:.*/-]*(?:[ ,]+[a-z]\w*:[\w:.*/-]+)*)""", re.I)


@dataclass(frozen=True)
class Answer:
    """One whole answer. `headers` have lower-case names; `asked` names the request without its query."""

    asked: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    received: datetime
    took_s: float = 0.0
    """Seconds from asking to the last byte; 0 for a recorded one."""
    mask: Callable[[str], str] = str
    """Takes credentials out of words: before these are cut, as half of one would not be known."""

    def check(self) -> None:
        """Raise Malformed as `json` does, without keeping what it says."""
        try:
            msgspec.json.decode(self.body, type=msgspec.Raw)
        except (msgspec.MsgspecError, RecursionError):
            self.json  # noqa: B018 - it forgives more

    @cached_property
    def json(self) -> object:
        """The body as JSON. Raises Malformed when it is none: a login page, a cut document, text behind it."""
        head = self.body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
        if head.startswith(b"<"):
            raise Malformed(
                f"{self.asked} answered a web page{self._title()} instead of JSON: this is not the API",
                hint="check the url of this source, and whether a proxy or a login page is in between",
            )
        try:
            return _whole(json.loads(self.body, parse_constant=lambda _: None), self.body)
        except (ValueError, RecursionError):
            raise Malformed(
                f"{self.asked} answered {len(self.body):,} bytes that are not a JSON document",
                hint="run sync again; if it stays, check the url of this source",
            ) from None

    @property
    def document(self) -> object:
        """The body as JSON; None when it is none."""
        try:
            return self.json
        except Malformed:
            return None

    @property
    def now(self) -> datetime:
        """The server's own clock, as far as it says; waits are computed from it."""
        return _dated(self.headers.get("date", "")) or self.received

    def seconds_until(self, opens_at: datetime) -> float:
        """Seconds from the server's present to an aware instant; from 0 to a year."""
        return min(max(0.0, (opens_at - self.now).total_seconds()), _LONGEST_S)

    def seconds_until_epoch(self, seconds: float) -> float | None:
        """The same, to an instant in seconds since 1970; None for what is no instant."""
        try:
            return self.seconds_until(datetime.fromtimestamp(seconds, UTC))
        except (ValueError, OverflowError, OSError):
            return None

    def retry_after_s(self) -> float | None:
        """What `Retry-After` says, in seconds up to a year; None when absent or unreadable."""
        said = self.headers.get("retry-after", "").strip()
        if re.fullmatch(r"\d+(\.\d+)?", said):
            return min(float(said), _LONGEST_S)
        at = _dated(said)
        return None if at is None else self.seconds_until(at)

    @property
    def unchanged(self) -> bool:
        """Whether a conditional request was answered with 304: nothing is new, and there is no body."""
        return self.status == 304

    @property
    def expires(self) -> str:
        """The day (`2026-10-01`) the credential expires or expired, where the server says so."""
        said = self.headers.get("github-authentication-token-expiration", "")
        if not said and self.status == 401 and "expire" in (words := self.message()).lower():
            said = words
        found = _DATE.search(said)
        return found[1] if found else ""

    def missing_scope(self) -> str:
        """The scope or permission the server says is missing; empty where it does not say."""
        for name in ("x-accepted-github-permissions", "x-accepted-oauth-scopes"):
            if self.headers.get(name):
                return one_line(self.mask(self.headers[name]), 100)
        said = f"{self.headers.get('www-authenticate', '')} {self.body[:4096].decode(errors='replace')}"
        found = _SCOPE.search(self.mask(said))
        return one_line(found[1], 100) if found else ""

    def message(self) -> str:
        """The server's own words on one line; empty when it had none."""
        try:
            said = next(_words(self.json), "")
        except Malformed:
            web_page = self.body.lstrip().startswith(b"<")
            said = self._title().strip(" “”") if web_page else self.body[:4096].decode(errors="replace")
        return one_line(self.mask(said))

    def story(self) -> str:
        """What was asked and answered, with the server's own words."""
        words = self.message()
        return f"{self.asked} answered {self.status}{f': {words}' if words else ''}"

    def _title(self) -> str:
        found = re.search(rb"<title[^>]*>(.{0,200}?)</title>", self.body[:65536], re.I | re.S)
        return f" “{one_line(self.mask(found[1].decode(errors='replace')), 80)}”" if found else ""


def _dated(said: str) -> datetime | None:
    """An instant as HTTP writes it; None for what is none."""
    try:
        at = parsedate_to_datetime(said)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def listed(answer: Answer, *path: str) -> list[Node]:
    """The records that an answer lists at `path`; what is no object becomes an empty one, and so a reject.

    Raises Malformed when there is no such list: an answer of something else must not pass for “nothing there”.
    """
    found = dig(answer.json, *path)
    if not isinstance(found, list):
        raise Malformed(
            f"{answer.asked} answered JSON without {f'the list {path[-1]!r}' if path else 'a list'}: this is not the API",
            hint="check the url of this source, and whether a proxy is in between",
        )
    return [item if isinstance(item, Mapping) else {} for item in found]


def record(answer: Answer) -> Node:
    """The one object that an answer is. Raises Malformed for one of anything else."""
    if not isinstance(answer.json, Mapping):
        raise Malformed(
            f"{answer.asked} answered JSON that is no object: this is not the API",
            hint="check the url of this source, and whether a proxy is in between",
        )
    return answer.json


def _words(document: object, depth: int = 0) -> Iterator[str]:
    """The texts of an error document, most telling first (GraphQL, Jira, GitHub and plain forms)."""
    if depth > _DEEPEST:
        return
    deeper = depth + 1
    if isinstance(document, str) and document:
        yield document
    elif isinstance(document, list):
        for item in document:
            yield from _words(item, deeper)
    elif isinstance(document, Mapping):
        for name in (
            "userPresentableMessage", "extensions", "errorMessages", "message", "Message", "error_description", "error", "detail",
            "title",
        ):  # fmt: skip
            if name != "extensions" or isinstance(document.get(name), Mapping):
                yield from _words(document.get(name), deeper)
        errors = document.get("errors")
        if isinstance(errors, Mapping):
            yield from (f"{field}: {words}" for field, value in errors.items() for words in _words(value, deeper))
        else:
            yield from _words(errors, deeper)


_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def _whole(document: object, body: bytes) -> object:
    """`document` without halves of surrogate pairs: they cannot be stored as UTF-8."""
    return _repaired(document) if _SURROGATE.search(body) else document


def _repaired(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_repaired(item) for item in value]
    if isinstance(value, dict):
        return {str(_repaired(name)): _repaired(item) for name, item in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class Again:
    """Try again: exactly after `wait_s` where the server said so, else after growing pauses that begin with
    `first_pause_s`; `error` is raised when patience (`tries`, the deadline) ends."""

    error: SourceError
    wait_s: float | None = None
    first_pause_s: float = 1.0
    tries: int = TRIES


Verdict = Again | SourceError | None
"""None: the answer is fine."""

Classify = Callable[[Answer], Verdict]


def classify(answer: Answer) -> Verdict:
    """What an answer means for services without special customs.

    Hints name no credential; the client adds which one and where it is kept.
    """
    if answer.status in {200, 201, 202}:
        return _readable(answer)
    if answer.status in {204, 304}:
        return None
    answered = answer.story()
    match answer.status:
        case 401:
            return Denied(refusal(answer))
        case 403:
            scope = answer.missing_scope()
            return Forbidden(f"the credential lacks {scope or 'a permission'} ({answered})", scope=scope)
        case 404:
            what = f"absent, or not visible to this credential ({answered})"
            return Gone(what, hint="check the url and the names in aether.toml, and what the credential may read")
        case 410:
            return Gone(f"the service removed this address for good ({answered})", hint="upgrade aether-tui")
        case 451:
            return Gone(f"withheld for legal reasons ({answered})", hint="take it out of the settings of this source")
        case 408 | 425:
            late = Transient(f"the service did not get to the request in time ({answered})", hint=LATER)
            return Again(late, wait_s=answer.retry_after_s())
        case 429:
            return Again(RateLimited(f"too many requests ({answered})", hint=LATER), wait_s=answer.retry_after_s())
        case status if status >= 500 and status != 501:
            return Again(Transient(f"the service has trouble ({answered})", hint=LATER), wait_s=answer.retry_after_s())
        case _:
            return Refused(f"the request was refused ({answered})", hint="check the settings of this source")


def refusal(answer: Answer) -> str:
    """What a 401 says, with the day the credential expired where the server tells it."""
    if day := answer.expires:
        return f"token expired {day} ({answer.story()})"
    return f"the credential was not accepted ({answer.story()})"


def _readable(answer: Answer) -> Verdict:
    try:
        answer.check()
    except Malformed as error:
        web_page = answer.body.lstrip().startswith(b"<")
        return error if web_page else Again(error, tries=2)
    return None

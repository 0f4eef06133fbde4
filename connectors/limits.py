"""Limits of a service as its headers tell them: learned from every answer, kept across runs, waited for before asking."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from connectors.answers import Answer
from connectors.base import Limit, Memory

_HEADER = re.compile(r"^(?:x-)?ratelimit-(?:(.+)-)?(limit|remaining|reset)$")
_LONGEST = timedelta(days=1)
TOLD = "told"
"""The name of a limit that a refusal told, instead of headers."""


def learn(memory: Memory, answer: Answer, now: datetime) -> None:
    """Remember when the service was first asked, and what the headers of an answer say is left, converted to our clock."""
    if memory.began is None and "date" in answer.headers:
        # A server whose clock is ahead has not been read as late as it says.
        memory.began = min(answer.now, now).astimezone(UTC).replace(tzinfo=None)
    for name, parts in _named(answer.headers).items():
        remaining, opens = _number(parts.get("remaining", "")), _wait_s(parts.get("reset", ""), answer)
        if remaining is not None and opens is not None:
            memory.limits[name] = Limit(remaining, now + timedelta(seconds=opens))


def refused(memory: Memory, opens_at: datetime) -> None:
    """Remember that the service asked for patience until an instant of our clock."""
    memory.limits[TOLD] = Limit(0, opens_at)


def closed_until(memory: Memory, now: datetime) -> datetime | None:
    """When all limits that are used up are open again; None when one may ask. What is longer than a day is not believed."""
    opens = [
        limit.opens_at
        for limit in memory.limits.values()
        if limit.remaining <= 0 and now < limit.opens_at < now + _LONGEST
    ]
    return max(opens, default=None)


def reopen(memory: Memory) -> None:
    """Forget limits that are used up: their time has been waited for."""
    memory.limits = {name: limit for name, limit in memory.limits.items() if limit.remaining > 0}


def _named(headers: Mapping[str, str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for header, value in headers.items():
        if matched := _HEADER.match(header):
            found.setdefault(matched[1] or "requests", {})[matched[2]] = value.strip()
    return found


def _wait_s(said: str, answer: Answer) -> float | None:
    """Seconds until a reset: an ISO instant, epoch seconds or milliseconds by the server's clock, or seconds from now."""
    number = _number(said)
    if number is None:
        try:
            at = datetime.fromisoformat(said)
        except ValueError:
            return None
        return answer.seconds_until(at if at.tzinfo else at.replace(tzinfo=UTC))
    if number < 1e9:
        return max(0.0, number)
    return answer.seconds_until_epoch(number / (1000 if number >= 1e11 else 1))


def _number(said: str) -> float | None:
    return float(said) if re.fullmatch(r"-?\d{1,16}(\.\d+)?", said) else None

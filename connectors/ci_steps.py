"""What the steps of a CI job tell: time for setting up, whether a cache was saved again, time and size of artifacts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypedDict

from connectors.fields import Node, instant, integer, objects, text

_PREPARES = re.compile(
    r"\b(set[ -]?up|checkout|check out|install\w*|restore|cache\w*|dependenc\w*|npm ci|uv sync|initialize containers)\b|setup-",
    re.I,
)
_CACHES = re.compile(r"\bcache\b|setup-", re.I)
_MOVES = re.compile(r"artifact", re.I)
SAVING_S = 2.0
"""Steps are timed to the second; one that finds its cache up to date ends within this."""


class Steps(TypedDict):
    """Columns of a job that come from its steps; None where they do not tell."""

    prepare_s: float | None
    cache_saved: bool | None
    artifact_s: float | None


def of_steps(job: Node) -> Steps:
    """From the steps GitHub lists. A cache action saves in its `Post` step, and only where the restored one was not exact
    (https://github.com/actions/cache); with a failed job that step is skipped, which says nothing.
    """
    took = [
        (text(step, "name") or "", seconds) for step in objects(job, "steps") if (seconds := _took(step)) is not None
    ]
    ended = [(name, seconds) for name, seconds in took if name.startswith("Post ")]
    begun = [(name, seconds) for name, seconds in took if not name.startswith("Post ")]
    saved = [seconds >= SAVING_S for name, seconds in ended if _CACHES.search(name)]
    return {
        "prepare_s": _sum(begun, _PREPARES),
        "cache_saved": any(saved) if saved else None,
        "artifact_s": _sum(begun, _MOVES),
    }


def size_of_artifacts(job: Node) -> int | None:
    """Bytes of what a GitLab job keeps; its log is none of it."""
    kept = [one for one in objects(job, "artifacts") if text(one, "file_type") != "trace"]
    sizes = [size for one in kept if (size := integer(one, "size")) is not None]
    return sum(sizes) if sizes else None


def _took(step: Node) -> float | None:
    begun, ended = instant(step, "started_at"), instant(step, "completed_at")
    if begun is None or ended is None or text(step, "conclusion") == "skipped":
        return None
    return max(0.0, (ended - begun).total_seconds())


def _sum(steps: Iterable[tuple[str, float]], wanted: re.Pattern[str]) -> float | None:
    found = [seconds for name, seconds in steps if wanted.search(name)]
    return sum(found) if found else None

"""Which tasks to read the spans of, where reading them all would take seconds: those that begin at a few moments of the window.

Spans lie in the order of time, so what is read of them are the minutes that are asked for. The moments are the same distance of
tasks apart, not of time, and each holds as many: every task is as likely to be in the sample as any other, at night as by day.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from aether_tui.diagnostics.frame import Data, Parameter, Question, text, whole

MOMENTS = 11
"""A prime, so that in no window of whole weeks or months they are the same few times of the day."""
SEEN = 5
"""Tasks by which begin and end of a moment are found; those between are not sorted."""
MOST_SKIPPED = 16
LONGEST = timedelta(days=1)
"""A task's spans are looked for so long after its begin."""
DRAWN = 500
"""Tasks of a sample whose spans are read."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Stretches of the window in which `tasks` of its `n` tasks with a model call begin: from, to, and when the last of them ends."""

    begins: tuple[datetime, ...]
    ends: tuple[datetime, ...]
    reaches: tuple[datetime, ...]
    n: int
    tasks: int

    @property
    def asked(self) -> dict[str, Parameter]:
        """Parameters of a query that reads `{during(…)}` or `{reach(…)}`."""
        return {"begins": self.begins, "ends": self.ends, "reaches": self.reaches}

    def sentence(self) -> str:
        """What part of the window was looked at, with a space before it; nothing where it is the whole of it."""
        if len(self.begins) == 1:
            return ""
        return f" From {self.tasks:,} of {self.n:,} requests, those of {len(self.begins)} moments of the window."


def moments(data: Data, wanted: int, environment: str | None) -> Moments:
    """Where to find about as many tasks of the window (and an environment) as are wanted: everywhere, where there are not twice
    as many."""
    since, until = data.clock.window.start, data.clock.window.end
    n = _counted(data, environment)
    if n <= 2 * wanted:
        return Moments((since,), (until,), (until + LONGEST,), n, n)
    (name, asked), _ = after(data, wanted, environment)
    begins, ends = (cast("tuple[datetime, ...]", asked[edge]) for edge in ("begins", "ends"))
    reached = data.rows(name, **asked)
    reaches = {
        whole(row["moment"]): min(cast("datetime", row["reach"]), ends[whole(row["moment"]) - 1] + LONGEST)
        for row in reached
    }
    tasks = sum(whole(row["n"]) for row in reached)
    return Moments(begins, ends, tuple(reaches.get(place, end) for place, end in enumerate(ends, 1)), n, tasks)


def newest_since(data: Data, wanted: int, environment: str | None) -> tuple[datetime, int]:
    """The begin of the window, or of about the newest so many tasks of it where there are twice as many; and how many begin from
    there."""
    n, begin = _counted(data, environment), newest_begin(data, wanted, environment)
    if n <= 2 * wanted:
        return begin, n
    _, (name, asked) = after(data, wanted, environment)
    return begin, sum(whole(row["n"]) for row in data.rows(name, **asked))


def newest_begin(data: Data, wanted: int, environment: str | None) -> datetime:
    """Where those begin, which is known before they are counted."""
    if _counted(data, environment) <= 2 * wanted:
        return data.clock.window.start
    return _edges(data, wanted, environment)[-1].replace(tzinfo=UTC)


def _counted(data: Data, environment: str | None) -> int:
    return whole(next(iter(data.rows("sample_size", live=environment)), {"n": 0})["n"])


def ahead(data: Data, wanted: int, environment: str | None) -> dict[str, dict[str, Parameter]]:
    """What `moments` will ask first, for `Data.together`; nothing where there are few tasks."""
    n = _counted(data, environment)
    if n <= 2 * wanted:
        return {}
    half = wanted / n / MOMENTS / 2
    middles = [(place + 0.5) / MOMENTS for place in range(MOMENTS)]
    fractions = [*(middle + side for middle in middles for side in (-half, half)), 1 - wanted / n]
    every = min(MOST_SKIPPED, max(1, wanted // (SEEN * MOMENTS)))
    return {"sample_moments": {"live": environment, "fractions": fractions, "every": every}}


def after(data: Data, wanted: int, environment: str | None) -> tuple[Question, ...]:
    """What `moments` and `newest_since` ask after that, in this order; nothing where there are few tasks."""
    if _counted(data, environment) <= 2 * wanted:
        return ()
    newest = (_edges(data, wanted, environment)[-1],), (data.clock.window.end,)
    return tuple(
        ("sample_reach", {"live": environment, "begins": begins, "ends": ends})
        for begins, ends in (stretches(data, wanted, environment), newest)
    )


def stretches(data: Data, wanted: int, environment: str | None) -> tuple[tuple[datetime, ...], tuple[datetime, ...]]:
    """From and to of each moment; of the window, where there are few tasks."""
    if _counted(data, environment) <= 2 * wanted:
        return (data.clock.window.start,), (data.clock.window.end,)
    edges = _edges(data, wanted, environment)
    return tuple(edges[0:-1:2]), tuple(edges[1:-1:2])


def looked_for(wanted: int) -> int:
    """By how many tasks to choose moments of which so many are drawn: a moment holds more or fewer than its share."""
    return wanted * 6 // 5


def draw(data: Data, wanted: int, environment: str | None) -> Question:
    """What draws so many tasks of the window, if there are as many; the same ones for the same data."""
    begins, ends = stretches(data, looked_for(wanted), environment)
    return "sample_tasks", {"live": environment, "begins": begins, "ends": ends, "sample": wanted}


def drawn(data: Data, wanted: int, environment: str | None) -> dict[str, Parameter]:
    """Parameters of a query that reads the spans of those: which they are, and from the begin of each moment until the last of
    its tasks ends."""
    name, asked = draw(data, wanted, environment)
    rows = data.rows(name, **asked)
    begins, ends = (cast("tuple[datetime, ...]", asked[edge]) for edge in ("begins", "ends"))
    last: dict[int, datetime] = {}
    for row in rows:
        place = bisect_right(begins, cast("datetime", row["start"])) - 1 if len(begins) > 1 else 0
        reach = cast("datetime", row["reach"])
        last[place] = max(last.get(place, reach), reach)
    reaches = [last.get(place, end) for place, end in enumerate(ends)]
    ids = {"sources": [text(row["source"]) for row in rows], "ids": [text(row["trace_id"]) for row in rows]}
    return {**ids, "begins": begins, "reaches": reaches}


def _edges(data: Data, wanted: int, environment: str | None) -> list[datetime]:
    """From and to of each moment, then from where on the newest are; by every so manieth task, of which `SEEN` lie in a moment."""
    ((name, asked),) = ahead(data, wanted, environment).items()
    (row,) = data.rows(name, **asked)
    return cast("list[datetime]", row["edges"])

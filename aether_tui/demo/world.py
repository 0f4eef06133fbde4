"""The clock, the chance and the cast of the demonstration: a mid-size product team and its support assistant.

Everything that happens there is a pure function of the day it is seen from; each part draws from its own generator, so
that a change to one part leaves the others as they were.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

GENERATOR = 2
"""Version of what is generated: a demonstration of another version is rebuilt."""
SEED = 4711
DAYS = 120
"""How far back the story goes."""

PROMPT_CHANGE_DAYS = 9
"""Prompt v14 of the refund agent went live so many days ago and took 31 % more tokens per task."""
REVIEW_DAYS = 9
"""The last operating review was frozen so many days ago."""
STAGING_STEP_DAYS = 7
"""A vector database was added to staging so many days ago."""
RUNAWAY_DAYS = 45
"""A GPU notebook in dev started to grow so many days ago."""
RETRIEVAL_TROUBLE_DAYS = 11
"""Retrieval errors rose so many days ago."""
EXPERIMENT_DAYS = 20
"""The smaller model for triage got half of the traffic so many days ago."""

WEEKDAY_TRAFFIC = (1.0, 1.06, 1.04, 1.02, 0.97, 0.63, 0.55)
"""Requests by weekday, Monday first, relative to Monday."""


@dataclass(frozen=True, slots=True)
class Service:
    """A deployable part: its repository, its team and how often it is released."""

    name: str
    repo: str
    team: str
    releases_per_workday: float


SERVICES = (
    Service("assist-api", "northwind/assist-api", "Conversations", 1.05),
    Service("retrieval", "northwind/retrieval", "Answers", 0.85),
    Service("agent-desk", "northwind/agent-desk", "Platform", 0.65),
)
TEAMS = {"CON": "Conversations", "ANS": "Answers", "PLT": "Platform"}
PEOPLE = ("person-01", "person-02", "person-03", "person-04", "person-05", "person-06", "person-07", "person-08",
          "person-09", "person-10", "person-11", "person-12")  # fmt: skip
"""Accounts, not names: nobody in this story is real."""


@dataclass(frozen=True, slots=True)
class World:
    """The demonstration as seen at `today` (midnight, naive UTC): nothing in it is later."""

    today: datetime

    def rng(self, part: str) -> Random:
        """The generator of one part."""
        return Random(f"{SEED}:{part}")

    def day(self, days_ago: float) -> datetime:
        """The instant so many days before `today`."""
        return self.today - timedelta(days=days_ago)

    def days(self) -> list[datetime]:
        """Midnights of the whole story, oldest first."""
        return [self.day(ago) for ago in range(DAYS, 0, -1)]

    def workdays(self) -> list[datetime]:
        """Those of Monday to Friday."""
        return [day for day in self.days() if day.weekday() < 5]

    def ago(self, at: datetime) -> float:
        """Days from `at` to `today`."""
        return (self.today - at).total_seconds() / 86_400


def lognormal(rng: Random, median: float, spread: float) -> float:
    """A lognormal draw with that median; `spread` is the standard deviation of its logarithm."""
    return median * math.exp(rng.gauss(0.0, spread))


def poisson(rng: Random, mean: float) -> int:
    """A Poisson draw (Knuth's product method: means here are small)."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def office_hours(rng: Random, day: datetime) -> datetime:
    """A moment of a working day, most often before noon or in the afternoon, to the second."""
    seconds = 7.5 * 3600 + 10.5 * 3600 * rng.betavariate(1.6, 1.6)
    return day.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(seconds=int(seconds))


def work_later(rng: Random, at: datetime, days: float) -> datetime:
    """`days` of calendar time after `at`, moved out of nights and weekends when it is long enough to notice."""
    later = at + timedelta(seconds=int(days * 86_400))
    if days < 0.25:
        return later
    while later.weekday() > 4:
        later += timedelta(days=1)
    moved = office_hours(rng, later)
    return moved if moved > at else later


def iso(at: datetime) -> str:
    """`2026-11-21T08:00:00Z`."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_ms(at: datetime) -> str:
    """`2026-11-21T08:00:00.000Z`."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"

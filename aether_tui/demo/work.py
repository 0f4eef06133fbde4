"""What happened on the boards: work items and how they moved from state to state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from aether_tui.demo.releases import Trouble
from aether_tui.demo.words import HOSTILE_TITLES, title
from aether_tui.demo.world import DAYS, PEOPLE, TEAMS, World, lognormal, office_hours, work_later

ITEMS_PER_TEAM = 128
JIRA_ITEMS = 62
_BEFORE = 30
"""Items go back so many days further than the rest of the story, so that its first day has work in progress."""

_PROJECTS = {
    "CON": ("Agent desk 2.0", "Refund agent"),
    "ANS": ("Retrieval quality", "Product answers"),
    "PLT": ("Gateway", "Evaluation harness"),
}


@dataclass(slots=True)
class Item:
    """A work item; `moves` are (instant, state entered), the first when it was created."""

    number: int
    team: str
    kind: str
    title: str
    created: datetime
    moves: list[tuple[datetime, str]]
    labels: tuple[str, ...]
    priority: str
    estimate: float | None
    project: str
    assignee: str
    parent: int | None = None
    updated: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.updated = self.moves[-1][0]

    @property
    def state(self) -> str:
        """Where it is now."""
        return self.moves[-1][1]

    def entered(self, *states: str) -> datetime | None:
        """When it first entered one of these states."""
        return next((at for at, state in self.moves if state in states), None)


def linear_items(world: World, troubles: list[Trouble]) -> list[Item]:
    """Items of the three product teams, incidents included."""
    items: list[Item] = []
    odd = iter(HOSTILE_TITLES)
    for team in TEAMS:
        rng = world.rng(f"work:{team}")
        found = [_item(world, rng, team) for _ in range(ITEMS_PER_TEAM)]
        found += [_incident(rng, team, trouble) for trouble in troubles if trouble.service.team == TEAMS[team]]
        found.sort(key=lambda one: one.created)
        for number, item in enumerate(found, 1):
            item.number = number
            if item.kind == "feature" and number > 20 and rng.random() < 0.2:
                item.parent = rng.randint(1, number - 1)
        _found(world.rng(f"found:{team}"), found)
        for item in rng.sample(found[-60:], 2):
            item.title = next(odd)
        items += found
    return items


def jira_items(world: World) -> list[Item]:
    """Items of the support operations team, who keep their own board."""
    rng = world.rng("work:SUP")
    items = []
    for _ in range(JIRA_ITEMS):
        kind = rng.choices(("chore", "bug", "feature"), (5, 3, 2))[0]
        created = office_hours(rng, _workday(world, rng))
        steps = [
            ("In Progress", lognormal(rng, 2.5, 1.0)),
            ("Waiting for vendor", lognormal(rng, 2.0, 0.9)),
            ("Done", 0.0),
        ]
        if rng.random() < 0.55:
            steps = [("In Progress", lognormal(rng, 1.6, 0.9)), ("Done", 0.0)]
        waited = lognormal(rng, 2.0, 1.0)
        items.append(_made(world, rng, "SUP", kind, created, _walk(world, rng, created, "To Do", waited, steps)))
    items.sort(key=lambda one: one.created)
    for number, item in enumerate(items, 1):
        item.number = number
    items[len(items) // 2].title = HOSTILE_TITLES[0]
    items[len(items) // 3].title = HOSTILE_TITLES[1]
    return items


def _found(rng: Random, items: list[Item]) -> None:
    """Most bugs say in which phase they were found."""
    for item in items:
        if item.kind == "bug" and rng.random() < 0.8:
            item.labels += (f"found:{rng.choices(('specification', 'build', 'release', 'measure'), (2, 8, 2, 1))[0]}",)


def built_for(items: list[Item], project: str, most: int = 4) -> list[str]:
    """Keys of the newest finished features of a project, the newest first."""
    done = [one for one in items if one.kind == "feature" and one.project == project and one.state == "Done"]
    done.sort(key=lambda one: one.updated, reverse=True)
    return [f"{one.team}-{one.number}" for one in done[:most]]


def _workday(world: World, rng: Random) -> datetime:
    day = world.day(rng.randint(1, DAYS + _BEFORE))
    return day if day.weekday() < 5 else day - timedelta(days=2)


def _made(
    world: World, rng: Random, team: str, kind: str, created: datetime, moves: list[tuple[datetime, str]]
) -> Item:
    project = rng.choice(_PROJECTS.get(team, ("Support operations",))) if rng.random() < 0.7 else ""
    return Item(
        0, team, kind, title(rng, kind), created, moves, (kind.capitalize(),),
        rng.choice(("No priority", "Low", "Medium", "Medium", "High", "Urgent")),
        float(rng.choice((1, 2, 2, 3, 5, 8))) if rng.random() < 0.6 else None,
        project, rng.choice(PEOPLE) if len(moves) > 1 else "",
    )  # fmt: skip


def _item(world: World, rng: Random, team: str) -> Item:
    kind = rng.choices(("feature", "bug", "chore", "opportunity"), (50, 28, 17, 5))[0]
    created = office_hours(rng, _workday(world, rng))
    first, waited = ("Triage", lognormal(rng, 0.5, 0.8)) if kind == "bug" else ("Backlog", lognormal(rng, 6.0, 1.1))
    if first == "Backlog" and rng.random() < 0.16:
        waited = 60.0 + rng.expovariate(1 / 90)
    return _made(
        world,
        rng,
        team,
        kind,
        created,
        _walk(world, rng, created, first, waited, list(_path(rng, kind, created, world))),
    )


def _path(rng: Random, kind: str, created: datetime, world: World) -> Iterator[tuple[str, float]]:
    """States to come and the days spent in each; a state without an end is the last."""
    if kind == "opportunity":
        yield "Validating", lognormal(rng, 9.0, 0.8)
        if rng.random() < 0.4:
            yield "Canceled", 0.0
            return
    elif rng.random() < 0.07:
        yield "Canceled", 0.0
        return
    pace = 0.8 if world.ago(created) < 50 else 1.0
    stuck = 7.0 if rng.random() < 0.06 else 1.0
    if rng.random() < 0.8:
        yield "Todo", lognormal(rng, 1.4, 0.9)
    yield "In Progress", lognormal(rng, (1.4 if kind == "bug" else 3.1) * pace * stuck, 0.8)
    if rng.random() < 0.12:
        yield "Blocked", lognormal(rng, 2.6, 0.8)
        yield "In Progress", lognormal(rng, 0.8, 0.6)
    yield "In Review", lognormal(rng, 1.0 * pace, 0.9)
    if rng.random() < 0.17:
        yield "In Progress", lognormal(rng, 0.5, 0.6)
        yield "In Review", lognormal(rng, 0.4, 0.7)
    yield "Ready to release", lognormal(rng, 0.4, 0.9)
    if kind in {"feature", "opportunity"} and rng.random() < 0.45:
        yield "Measuring", lognormal(rng, 9.0, 0.5)
    if rng.random() < 0.05:
        yield "Done", lognormal(rng, 4.0, 0.5)
        yield "In Progress", lognormal(rng, 0.6, 0.6)
    yield "Done", 0.0


def _walk(
    world: World, rng: Random, created: datetime, first: str, waited: float, steps: list[tuple[str, float]]
) -> list[tuple[datetime, str]]:
    """Moves up to now; what lies in the future has not happened."""
    moves, at, stay = [(created, first)], created, waited
    for state, days in steps:
        at = work_later(rng, at, stay)
        if at >= world.today:
            break
        moves.append((at, state))
        stay = days
    return moves


def _incident(rng: Random, team: str, trouble: Trouble) -> Item:
    begun = trouble.opened + (trouble.resolved - trouble.opened) * 0.15
    moves = [(trouble.opened, "Triage"), (begun, "In Progress"), (trouble.resolved, "Done")]
    return Item(
        0, team, "incident", f"{trouble.service.name}: {trouble.cause} after the release", trouble.opened,
        [(at.replace(microsecond=0), state) for at, state in moves],
        ("Incident", trouble.severity, f"service:{trouble.service.name}"), "Urgent", None, "", rng.choice(PEOPLE),
    )  # fmt: skip

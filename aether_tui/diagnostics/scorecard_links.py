"""Production deployments, and the incidents they are charged with (diagnostics I)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from msgspec import Struct

from aether_tui.diagnostics.frame import Data, Record, instant, numbers, text, whole
from aether_tui.diagnostics.scorecard_columns import by_service, columns, microseconds, named
from aether_tui.text import one_line

LOOK_BACK_US = timedelta(days=7) // timedelta(microseconds=1)
_Columns = tuple[
    Sequence[int], Sequence[str], Sequence[str], Sequence[str | None], Sequence[bool], Sequence[bool], Sequence[bool]
]


class Link(Struct, frozen=True, kw_only=True):
    """An incident of this window and the deployment it is charged to, null with the reason why it is to none."""

    id: str
    key: str
    title: str
    service: str
    opened: datetime
    resolved: datetime | None
    deployment: str | None
    explicit: bool
    reason: str


class Deployment(NamedTuple):
    """A production deployment that something is charged to; `ours`: of the team and service looked at."""

    at_us: int
    id: str
    service: str
    success: bool
    ours: bool


@dataclass(slots=True)
class Shipped:
    """Production deployments of a service that came to an end, as columns in the order of their end; `good` are places of the
    successful ones. Of ours: when they ended, when the successful ones did, and of those the ones that mend another."""

    service: str
    at_us: Sequence[int]
    source: Sequence[str]
    id: Sequence[str]
    sha: Sequence[str | None]
    success: Sequence[bool]
    ours: Sequence[bool]
    good: Sequence[int]
    good_us: Sequence[int]
    ended_us: Sequence[int]
    done_us: Sequence[int]
    remedies_us: Sequence[int]
    told: bool
    tracked: bool
    first_us: int
    """When what is known of the source of the oldest of ours begins."""

    @classmethod
    def of(cls, service: str, rows: Sequence[Record]) -> Shipped:
        """From the rows of `sql/scorecard_deployments.sql` that have one name."""
        names = ("at_us", "source", "id", "sha", "success", "remedy", "ours")
        at_us, source, identity, sha, success, remedy, ours = cast("_Columns", columns(rows, names))
        good = [place for place, well in enumerate(success) if well]
        done = [place for place in good if ours[place]]
        known = [(numbers(row["at_us"])[0], whole(row["first_us"])) for row in rows if row["first_us"] is not None]
        return cls(
            service, at_us, source, identity, sha, success, ours, good,
            good_us=[at_us[place] for place in good], ended_us=[at for at, mine in zip(at_us, ours, strict=True) if mine],
            done_us=[at_us[place] for place in done], remedies_us=[at_us[place] for place in done if remedy[place]],
            told=any(row["told"] for row in rows), tracked=any(row["tracked"] for row in rows), first_us=min(known, default=(0, 0))[1],
        )  # fmt: skip

    def at(self, place: int) -> Deployment:
        """One of them."""
        identity = f"{self.source[place]}/{self.id[place]}"
        return Deployment(self.at_us[place], identity, self.service, self.success[place], self.ours[place])

    def latest(self, before_us: int) -> Deployment | None:
        """The last successful one within the look-back."""
        place = bisect_left(self.good_us, before_us) - 1
        if place < 0 or self.good_us[place] < before_us - LOOK_BACK_US:
            return None
        return self.at(self.good[place])


def shipped(rows: Sequence[Record]) -> dict[str, Shipped]:
    """Deployments by service, from the rows of `scorecard_deployments`."""
    return {name: Shipped.of(name, own) for name, own in by_service(rows).items()}


def called(every: Mapping[str, Shipped], names: Iterable[str]) -> dict[str, list[Deployment]]:
    """The deployments of each of these names, which are ids or commits."""
    found: dict[str, list[Deployment]] = {name: [] for name in names if name}
    for own in every.values() if found else ():
        for place, (identity, sha) in enumerate(zip(own.id, own.sha, strict=True)):
            for name in {identity, sha}:
                if name in found:
                    found[name].append(own.at(place))
    return found


class Charge(NamedTuple):
    """An incident and the deployment it is charged to."""

    link: Link
    deployment: Deployment | None


def charges(incidents: Sequence[Record], every: Mapping[str, Shipped]) -> list[Charge]:
    """Incidents charged to a deployment of the team and service looked at, and those of them that none can be charged with.

    An incident belongs to the deployment it names, of several the one of its service, then the first; else to the latest successful
    one of its service in the seven days before it.
    """
    names = called(every, {text(row["deployment"]) for row in incidents if row["deployment"]})
    deployed = {name: own for name, own in every.items() if own.good}
    found = (_charge(row, names.get(text(row["deployment"]), ()), deployed) for row in incidents)
    return [
        one
        for row, one in zip(incidents, found, strict=True)
        if (row["ours"] if one.deployment is None else one.deployment.ours)
    ]


def _charge(incident: Record, said: Sequence[Deployment], deployed: Mapping[str, Shipped]) -> Charge:
    opened, service = instant(incident["opened"]), named(text(incident["service"]))
    if opened is None:
        raise ValueError("an incident that was never opened")
    if not service and len(deployed) == 1:
        service = next(iter(deployed))  # there is only one it can be
    found = min(said, key=lambda one: (one.service != service, one.at_us, one.id)) if said else None
    reason = ""
    explicit = found is not None
    if found is None:
        if service in deployed:
            found = deployed[service].latest(microseconds(opened))
            reason = "" if found else "no deployment of its service in the 7 days before"
        else:
            reason = f"no deployment of {service}" if service else "it names no service"
    made = Link(
        id=f"{text(incident['source'])}/{text(incident['id'])}",
        key=one_line(text(incident["key"]), 40),
        title=one_line(text(incident["title"])),
        service=found.service if found else service,
        opened=opened,
        resolved=instant(incident["resolved"]),
        deployment=found.id if found else None,
        explicit=explicit,
        reason=reason,
    )
    return Charge(made, found)


def failed(own: Sequence[Shipped], charged: Sequence[Charge]) -> set[Deployment]:
    """Deployments charged with an incident, or followed within seven days by a hotfix or rollback of their service."""
    remedied = (one.latest(at_us) for one in own for at_us in one.remedies_us)
    return {one for one in (*(charge.deployment for charge in charged), *remedied) if one is not None}


def blamed(data: Data) -> tuple[list[Link], frozenset[str]]:
    """The incidents of what is looked at, and the deployments that failed."""
    every = shipped(data.rows("scorecard_deployments"))
    charged = charges(data.rows("scorecard_incidents"), every)
    return [one.link for one in charged], frozenset(one.id for one in failed([*every.values()], charged))

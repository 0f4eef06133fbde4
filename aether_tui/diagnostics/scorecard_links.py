"""Production deployments, and the incidents they are charged with (diagnostics I)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from msgspec import Struct

from aether_tui.diagnostics.frame import Data, Record, text
from aether_tui.text import one_line

LOOK_BACK = timedelta(days=7)
REMEDIES = ("hotfix", "rollback")


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


class Deployment(Struct, frozen=True, kw_only=True):
    """A production deployment that came to an end."""

    id: str
    names: frozenset[str]
    service: str
    at: datetime
    success: bool
    remedy: bool
    told: bool
    tracked: bool
    first: datetime
    """When the first deployment that its source knows ended."""
    ours: bool
    """Of the team and service looked at."""


def _time(row: Record, name: str) -> datetime | None:
    value = row[name]
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else None


def _must(row: Record, name: str) -> datetime:
    found = _time(row, name)
    if found is None:
        raise ValueError(f"a row without {name}")
    return found


@lru_cache(maxsize=1024)
def named(service: str) -> str:
    """A service as it is shown."""
    return one_line(service, 80)


def _deployment(row: Record) -> Deployment:
    return Deployment(
        id=f"{text(row['source'])}/{text(row['id'])}",
        names=frozenset(text(row[name]) for name in ("id", "sha") if row[name]),
        service=named(text(row["service"])),
        at=_must(row, "moment"),
        success=row["result"] == "success",
        remedy=row["reason"] in REMEDIES,
        told=bool(row["told"]),
        tracked=bool(row["tracked"]),
        first=_must(row, "first"),
        ours=bool(row["ours"]),
    )


def deployed(rows: Sequence[Record]) -> list[Deployment]:
    """Those of `scorecard_deployments`."""
    return [_deployment(row) for row in rows]


class Shipped:
    """Deployments by service and by every name they have; those of a service are oldest first."""

    def __init__(self, deployments: Sequence[Deployment]) -> None:
        self._named: dict[str, list[Deployment]] = {}
        self._by_service: dict[str, list[Deployment]] = {}
        for one in deployments:
            for name in one.names:
                self._named.setdefault(name, []).append(one)
            if one.success:
                self._by_service.setdefault(one.service, []).append(one)
        self.services = frozenset(self._by_service)

    def named(self, name: str, service: str) -> Deployment | None:
        """The deployment of that id or commit; of several the one of that service, then the first."""
        return min(self._named.get(name, ()), key=lambda one: (one.service != service, one.at, one.id), default=None)

    def latest(self, service: str, before: datetime) -> Deployment | None:
        """The last successful deployment of a service within the look-back."""
        own = self._by_service.get(service, [])
        place = bisect_left(own, before, key=lambda one: one.at) - 1
        return own[place] if place >= 0 and own[place].at >= before - LOOK_BACK else None


def links(incidents: Sequence[Record], shipped: Shipped) -> list[Link]:
    """Those charged to a deployment of the team and service looked at, and those of them that none can be charged with."""
    found = [(row, *link(row, shipped)) for row in incidents]
    return [one for row, one, cause in found if (row["ours"] if cause is None else cause.ours)]


def link(incident: Record, shipped: Shipped) -> tuple[Link, Deployment | None]:
    """An incident with the deployment it names, else the latest successful one of its service in the seven days before it."""
    opened, service = _must(incident, "opened"), named(text(incident["service"]))
    if not service and len(shipped.services) == 1:
        service = next(iter(shipped.services))  # there is only one it can be
    called = text(incident["deployment"])
    found = shipped.named(called, service) if called else None
    explicit, reason = found is not None, ""
    if found is None:
        if service in shipped.services:
            found = shipped.latest(service, opened)
            reason = "" if found else "no deployment of its service in the 7 days before"
        else:
            reason = f"no deployment of {service}" if service else "it names no service"
    made = Link(
        id=f"{text(incident['source'])}/{text(incident['id'])}",
        key=one_line(text(incident["key"]), 40),
        title=one_line(text(incident["title"])),
        service=found.service if found else service,
        opened=opened,
        resolved=_time(incident, "resolved"),
        deployment=found.id if found else None,
        explicit=explicit,
        reason=reason,
    )
    return made, found


def failed(deployments: Sequence[Deployment], linked: Sequence[Link], shipped: Shipped) -> frozenset[str]:
    """Deployments charged with an incident, or followed within seven days by a hotfix or rollback of their service."""
    remedied = (shipped.latest(one.service, one.at) for one in deployments if one.success and one.remedy)
    return frozenset(
        [one.deployment for one in linked if one.deployment] + [one.id for one in remedied if one is not None]
    )


def blamed(data: Data) -> tuple[list[Link], frozenset[str]]:
    """The incidents of what is looked at, and the deployments that failed."""
    shipped = deployed(data.rows("scorecard_deployments"))
    index = Shipped(shipped)
    found = links(data.rows("scorecard_incidents"), index)
    return found, failed([one for one in shipped if one.ours], found, index)

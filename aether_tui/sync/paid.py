"""What a sync costs before it is begun: sources that bill each request are pulled only when somebody agreed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from aether_tui.cache import Cache
from aether_tui.records.source import Price, Priced
from aether_tui.sync.plan import Job


@dataclass(frozen=True, slots=True)
class Bill:
    """What pulling one source costs, over all its streams."""

    job: Job
    least_usd: Decimal
    most_usd: Decimal
    why: str

    def sentence(self) -> str:
        """The amounts, and where they come from."""
        return f"{self.job.name} costs {_amounts(self.least_usd, self.most_usd)}: {self.why}"


def bills(jobs: Sequence[Job], cache: Cache, *, since: datetime | None, full: bool) -> list[Bill]:
    """A bill for each job that costs something now, after the stored cursors. Asks nobody. Raises CacheTrouble."""
    found: list[Bill] = []
    for job in jobs:
        if job.network.offline or not issubclass(job.connector, Priced):
            continue
        source = job.connect()
        assert isinstance(source, Priced)
        prices = [
            price
            for stream in job.streams
            if (price := source.price(stream, _start(job, stream.name, cache, since, full)))
        ]
        if prices:
            found.append(_sum(job, prices))
    return found


def _start(job: Job, stream: str, cache: Cache, since: datetime | None, full: bool) -> str | None:
    if since is not None:
        return since.astimezone(UTC).replace(tzinfo=None).isoformat()
    known = None if full else cache.cursors().get((job.name, stream))
    return known.cursor if known else None


def _sum(job: Job, prices: Sequence[Price]) -> Bill:
    least, most = (
        sum(amounts, Decimal(0)) for amounts in zip(*((p.least_usd, p.most_usd) for p in prices), strict=True)
    )
    return Bill(job, least, most, "; ".join(dict.fromkeys(price.why for price in prices)))


def _amounts(least: Decimal, most: Decimal) -> str:
    return f"{least} USD" if least == most else f"{least} to {most} USD"

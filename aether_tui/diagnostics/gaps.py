"""Panels without a number: no source is connected, the filters cannot be kept, or nothing is in this window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from aether_tui.diagnostics.joins import CHAINS, first_failed, newest
from aether_tui.diagnostics.needs import KEYS, NEEDS, stored
from aether_tui.report_model import Gap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aether_tui.diagnostics.frame import Data

_NEEDS = {need.table: need for need in NEEDS}
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
"""What is older was not measured: somebody's clock stood at nothing."""


def unconnected(
    data: Data, identity: str, table: str, unknown: str = "", *, title: str | None = None, chain: str = ""
) -> Gap:
    """No row of `table` is there: which kind of source would give them, and what is not known without."""
    need, chain = _NEEDS[table], chain or table
    return Gap(
        id=identity,
        title=need.name if title is None else title,
        reason=f"No {need.name} source is connected{f', so nothing is known of {unknown}' if unknown else ''}.",
        next_step=f"aether-tui {need.how} ({KEYS})",
        action="go.sources",
        why=first_failed(data, chain) if chain in CHAINS else "",
    )


def traceless(data: Data, identity: str, title: str) -> Gap:
    """No trace is in view: none is stored, or none of this window under these filters."""
    if not stored(data).get("spans"):
        return unconnected(data, identity, "spans", title=title)
    return nothing(data, identity, title, "No trace is known", "spans", "in this window")


def nothing(
    data: Data, identity: str, title: str, said: str, chain: str, when: str = "in this window or the time before it"
) -> Gap:
    """There is data, and none of this window under these filters; `said` goes before that."""
    narrowed, report = data.filters.sentence(), identity.partition(".")[0]
    last = newest(data, chain)
    step = "press esc for all" if narrowed else "press W, or give --window, for another window"
    if last is not None and _FIRST <= last < data.clock.window.start:
        window = f"{last - timedelta(days=27):%Y-%m-%d}..{last:%Y-%m-%d}"
        step = f"the newest is of {last:%-d %b %Y}: press W, or aether-tui report {report} --window {window}"
    if data.filters.team:
        step += "; teams of repositories and trackers come from [mapping.teams]"
    return Gap(
        id=identity,
        title=title,
        reason=f"{said}{f' for {narrowed}' if narrowed else ''} {when}.",
        next_step=step,
        why=first_failed(data, chain),
    )


def unnarrowed(data: Data, identity: str, title: str, what: str, unable: Sequence[str], instead: str) -> Gap:
    """What is looked at does not carry some of the filters; `instead` are those it does."""
    named = " and ".join(f"{name} {getattr(data.filters, name)}" for name in unable)
    report = identity.partition(".")[0]
    return Gap(
        id=identity,
        title=title,
        reason=f"{what} cannot be narrowed to {named}: they do not carry it.",
        next_step=f"aether-tui report {report} {instead}",
    )

"""What was decided and how long it took, and what failures taught (diagnostics P)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.diagnostics import failures, metrics
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.human import NONE, key_words, number, plural
from aether_tui.report_model import (
    Block,
    Col,
    Fact,
    Facts,
    Finding,
    Gap,
    Plot,
    Point,
    Quantity,
    Report,
    Row,
    Series,
    State,
    Table,
    missing,
    worst_first,
)
from aether_tui.stats import survival
from aether_tui.stats.intervals import nearest_rank, quantile_ranks, wilson
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents
    from aether_tui.workspace.kinds.decision import Decision

YEAR = timedelta(days=365)
SLOW_D = 14
"""An open question older than this is named; two weeks is a planning rhythm, not a law."""


class Entry(Struct, frozen=True, kw_only=True):
    """One decision. `days` runs to the answer, or to now while it is open."""

    id: str
    title: str
    owner: str
    raised: date
    decided: date | None
    days: int
    state: str
    review_by: date | None
    chosen: str
    lacks: tuple[str, ...]


class Decisions(Struct, frozen=True, kw_only=True):
    """The ledger. Latency counts decisions raised in the last year, open ones as not yet answered (Kaplan–Meier)."""

    entries: tuple[Entry, ...]
    latency_p50: Quantity
    latency_p85: Quantity
    open: int
    oldest_open_days: int | None
    review_overdue: tuple[str, ...]
    reversed: Quantity
    failures: failures.Failures


def build(data: Data, documents: Documents, clock: Clock) -> Report[Decisions]:
    """The report."""
    from aether_tui.workspace.kinds.postmortem import Postmortem

    today = clock.now.date()
    ledger = measure(documents.decisions, failures.measure(documents.of(Postmortem), today), today)
    return Report(
        report="decisions",
        title="Decisions",
        as_of=clock.now,
        window=clock.window,
        data=ledger,
        headline=headline(ledger),
        findings=worst_first((*findings(ledger), *failures.findings(ledger.failures))),
        blocks=blocks(ledger),
    )


def measure(decisions: Sequence[Decision], failed: failures.Failures, today: date) -> Decisions:
    """The ledger as of a day; what was raised later is not there yet."""
    entries = [_entry(one, today) for one in decisions if one.raised <= today]
    recent = [one for one in entries if one.raised > today - YEAR]
    open_days = [one.days for one in entries if one.decided is None]
    taken = [one for one in recent if one.decided is not None]
    undone = sum(one.state == "reversed" for one in taken)
    return Decisions(
        entries=tuple(sorted(entries, key=lambda one: (one.decided is not None, -one.raised.toordinal(), one.id))),
        latency_p50=latency([(one.days, one.decided is not None) for one in recent]),
        latency_p85=_late(taken),
        open=len(open_days),
        oldest_open_days=max(open_days, default=None),
        review_overdue=tuple(one.id for one in entries if one.state == "review overdue"),
        reversed=share(undone, len(taken), "no decision was taken in the last year"),
        failures=failed,
    )


def latency(times: Sequence[tuple[float, bool]]) -> Quantity:
    """Median days from raised to decided, of (days, decided): open questions are censored (Kaplan & Meier 1958)."""
    if not times:
        return missing("no question was raised in the last year", unit="days")
    median, low, high = survival.median(times)
    if median is None:
        return missing("fewer than half of the questions are answered", unit="days", n=len(times))
    return Quantity(value=median, unit="days", n=len(times), low=low, high=high)


def share(part: int, n: int, reason: str) -> Quantity:
    """A share with its Wilson interval, or the reason why there is none."""
    if not n:
        return missing(reason, unit="ratio")
    low, high = wilson(part, n)
    return Quantity(value=part / n, unit="ratio", n=n, low=low, high=high)


def _late(taken: Sequence[Entry]) -> Quantity:
    days = sorted(one.days for one in taken)
    if len(days) < 5:
        return missing("under 5 decisions were taken in the last year", unit="days", n=len(days))
    low, high = (None if rank is None else float(days[rank - 1]) for rank in quantile_ranks(len(days), 0.85))
    bounds = (low, high) if low is not None and high is not None else (None, None)
    return Quantity(
        value=days[nearest_rank(len(days), 0.85) - 1], unit="days", n=len(days), low=bounds[0], high=bounds[1]
    )


def _entry(one: Decision, today: date) -> Entry:
    decided = one.decided if one.decided and one.decided <= today else None
    undone = one.reversed is not None and one.reversed <= today
    state = "open" if decided is None else "reversed" if undone else "decided"
    if state == "decided" and one.review_by and one.review_by < today:
        state = "review overdue"
    return Entry(
        id=one.id,
        title=one_line(one.title),
        owner=one_line(one.owner),
        raised=one.raised,
        decided=decided,
        days=((decided or today) - one.raised).days,
        state=state,
        review_by=one.review_by,
        chosen=one_line(one.chosen),
        lacks=one.lacks(),
    )


# --- Words ----------------------------------------------------------------------------------------------------------


def headline(ledger: Decisions) -> str:
    """How fast, and what waits."""
    if not ledger.entries:
        return "No decision is written down yet."
    speed = ledger.latency_p50.value
    said = (
        ["Speed is not known yet"]
        if speed is None
        else [f"Half of the questions are answered in {number(speed)} {'day' if speed == 1 else 'days'}"]
    )
    if ledger.open and ledger.oldest_open_days is not None:
        said.append(f"{ledger.open} open, the oldest for {plural(ledger.oldest_open_days, 'day')}")
    if ledger.review_overdue:
        said.append(f"{len(ledger.review_overdue)} to be looked at again")
    return "; ".join(said) + "."


def findings(ledger: Decisions) -> tuple[Finding, ...]:
    """What waits too long, what nobody owns, what nobody looked at again."""
    found = [
        Finding(
            id="decisions.slow", severity="warn", evidence=(one.id,), action=f"aether-tui doc edit decision {one.id}",
            text=f"{one.id} has been open for {one.days} days: {one.title}" + ("." if one.owner else "; nobody owns it."),
        )
        for one in sorted(ledger.entries, key=lambda one: -one.days)
        if one.decided is None and one.days > SLOW_D
    ][:3]  # fmt: skip
    if ledger.review_overdue:
        names = ", ".join(ledger.review_overdue[:5]) + (", …" if len(ledger.review_overdue) > 5 else "")
        text = f"{plural(len(ledger.review_overdue), 'decision')} should have been looked at again: {names}."
        found.append(Finding(id="decisions.review", severity="warn", text=text, evidence=ledger.review_overdue))
    bare = tuple(one.id for one in ledger.entries if one.decided and "reason" in one.lacks)
    if bare:
        text = f"What was chosen is written without why: {', '.join(bare[:5])}."
        found.append(Finding(id="decisions.reason", severity="info", text=text, evidence=bare))
    return tuple(found)


STATES: dict[str, State] = {"open": "running", "decided": "pass", "reversed": "warn", "review overdue": "warn"}


def blocks(ledger: Decisions) -> tuple[Block, ...]:
    """Key figures, the ledger, how long questions took, then failures."""
    gap = Gap(
        id="decisions.none", title="Decisions", reason="No decision is written down yet.",
        next_step="aether-tui doc new decision --set 'title=…' --set 'owner=…'", action="papers.new",
    )  # fmt: skip
    first: tuple[Block, ...] = (_facts(ledger), _table(ledger), *_plot(ledger)) if ledger.entries else (gap,)
    return (*first, *failures.blocks(ledger.failures))


def _facts(ledger: Decisions) -> Facts:
    return Facts(
        id="decisions.facts",
        facts=(
            Fact(
                id="latency_p50", label="time to a decision", value=ledger.latency_p50, better="lower",
                why=metrics.why("decisions.latency_p50"),
            ),
            Fact(
                id="latency_p85", label="85 % within", value=ledger.latency_p85, better="lower",
                why=metrics.why("decisions.latency_p85"),
            ),
            Fact(
                id="open", label="open", value=Quantity(value=ledger.open, unit="count"),
                note=f"oldest {ledger.oldest_open_days} d" if ledger.oldest_open_days is not None else "",
                state="warn" if (ledger.oldest_open_days or 0) > SLOW_D else "info",
            ),
            Fact(
                id="reversed", label="taken back", value=ledger.reversed,
                why=metrics.why("decisions.reversed"),
            ),
        ),
    )  # fmt: skip


def _table(ledger: Decisions) -> Table:
    return Table(
        id="decisions.ledger",
        title="Decisions",
        columns=(
            Col(key="id", title="id", priority=9),
            Col(key="title", title="decision", priority=10, least=34),
            Col(key="owner", title="who", priority=6, private=True),
            Col(key="days", title="days", kind="number", priority=8),
            Col(key="review", title="look again", priority=4),
            Col(key="state", title="state", kind="state", priority=7),
        ),
        rows=tuple(
            Row(
                id=one.id,
                cells=(
                    one.id, one.title, one.owner or NONE, one.days,
                    NONE if one.review_by is None else one.review_by.isoformat(), one.state,
                ),
                state=STATES[one.state],
                why=(f"chosen: {one.chosen}\n" if one.chosen else "")
                + f"raised {one.raised}, {'decided ' + str(one.decided) if one.decided else 'still open'}\n"
                + (f"not written: {', '.join(map(key_words, one.lacks))}\n" if one.lacks else "")
                + f"aether-tui doc show decision {one.id}",
            )
            for one in ledger.entries
        ),
    )  # fmt: skip


def _plot(ledger: Decisions) -> tuple[Block, ...]:
    taken = sorted((one for one in ledger.entries if one.decided), key=lambda one: one.days)
    if len(taken) < 3:
        return ()
    n = len(taken)
    points = tuple(Point(x=one.days, y=(rank + 1) / n, id=one.id) for rank, one in enumerate(taken))
    middle = ledger.latency_p50.value
    return (
        Plot(
            id="decisions.latency",
            title="Share of decisions taken within so many days",
            series=(Series(label="decided", points=points, kind="steps"),),
            text=f"{n} decisions took {taken[0].days} to {taken[-1].days} days.",
            x_title="days", y_unit="ratio",
            marks=() if middle is None else ((middle, "half"),),
        ),
    )  # fmt: skip

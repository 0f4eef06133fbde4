"""How fresh and complete the data are: every stream, what was refused, and what is not connected."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from aether_tui.diagnostics import metrics, needs
from aether_tui.diagnostics.bill import Bill, facts, reconcile
from aether_tui.diagnostics.frame import Clock, Data, fresh_share, instant, text, whole
from aether_tui.human import age, plural
from aether_tui.ingest.words import Words
from aether_tui.report_model import (
    Block,
    Col,
    Fact,
    Facts,
    Finding,
    Freshness,
    Gap,
    Quantity,
    Report,
    Row,
    State,
    Table,
    not_fresh,
)
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents

_SHOWN = 5


class StreamState(Freshness, frozen=True, kw_only=True):
    """One stream of a source. `rows` counts what is stored, `rejected` what could not be read."""

    rows: int
    last_attempt: datetime | None
    last_error: str | None
    cursor: str | None
    rejected: int
    configured: bool
    """Whether `sync` pulls it; what is not configured came from files."""


class Rejected(Struct, frozen=True, kw_only=True):
    """Rows of a stream refused for one reason, with the latest of them."""

    source: str
    stream: str
    reason: str
    n: int
    latest: datetime | None
    place: str
    raw: str


class Missing(Struct, frozen=True, kw_only=True):
    """A kind of data nobody has brought yet."""

    name: str
    how: str
    unlocks: str


class Named(Struct, frozen=True, kw_only=True):
    """A team, service or feature that data name, in `n` rows of the rollups."""

    kind: str
    name: str
    n: int


class Unmapped(Struct, frozen=True, kw_only=True):
    """A state, type or environment in a source's words that no `[mapping]` knows, in `n` rows."""

    kind: str
    word: str
    n: int


class Astray(Struct, frozen=True, kw_only=True):
    """`n` traces of a source, begun from `first` to `last`, when none of them can have begun."""

    source: str
    n: int
    first: datetime | None
    last: datetime | None


class Sources(Struct, frozen=True, kw_only=True):
    """Everything about where data come from."""

    streams: tuple[StreamState, ...]
    tables: dict[str, int]
    rejects: tuple[Rejected, ...]
    missing: tuple[Missing, ...]
    never_pulled: tuple[str, ...]
    bill: Bill | None = None
    """Model cost beside the bill, only in the report of the sources; null there without traces."""
    names: tuple[Named, ...] = ()
    """What reports can be narrowed to, the most frequent of each kind first."""
    unmapped: tuple[Unmapped, ...] = ()
    """Words that count as nothing, or as `other`, until somebody says what they mean; the most used first."""
    astray: tuple[Astray, ...] = ()
    """Traces that no window shows, only in the report of the sources."""


def build(data: Data, documents: Documents, clock: Clock) -> Report[Sources]:
    """The report."""
    bill = reconcile(data)
    astray = [
        Astray(source=text(row["source"]), n=whole(row["n"]), first=instant(row["first"]), last=instant(row["last"]))
        for row in data.rows("sources_astray")
    ]
    measured = measure(data, documents)
    sources = structs.replace(measured, bill=bill if bill.calls else None, astray=tuple(astray))
    return Report(
        report="sources",
        title="Sources",
        as_of=clock.now,
        window=clock.window,
        data=sources,
        headline=headline(sources),
        findings=findings(sources),
        freshness=data.freshness(),
        blocks=blocks(sources),
    )


def measure(data: Data, documents: Documents) -> Sources:
    """Rows of sync state and rejects, made into one picture."""
    refused = tuple(
        Rejected(
            source=text(row["source"]),
            stream=text(row["stream"]),
            reason=text(row["reason"]),
            n=whole(row["n"]),
            latest=instant(row["latest"]),
            place=PurePath(text(row["place"])).name,  # file:line
            raw=one_line(text(row["raw"]), 200),
        )
        for row in data.rows("rejects")
    )
    streams = []
    for row, fresh in zip(data.rows("freshness"), data.freshness(), strict=True):
        rejected = sum(item.n for item in refused if (item.source, item.stream) == (fresh.source, fresh.stream))
        streams.append(
            StreamState(
                source=fresh.source,
                stream=fresh.stream,
                rows=whole(row["rows"]),
                last_success=fresh.last_success,
                last_attempt=instant(row["last_attempt"]),
                age_s=fresh.age_s,
                stale=fresh.stale,
                last_error=text(row["last_error"]) or None,
                cursor=text(row["cursor"]) or None,
                rejected=rejected,
                configured=fresh.source in documents.config.sources,
            )
        )
    seen = {stream.source for stream in streams}
    return Sources(
        streams=tuple(streams),
        tables=needs.stored(data),
        rejects=refused,
        missing=tuple(Missing(name=need.name, how=need.how, unlocks=need.unlocks) for need in needs.absent(data)),
        never_pulled=tuple(
            name for name, settings in sorted(documents.config.sources.items()) if settings.enabled and name not in seen
        ),
        names=tuple(
            Named(kind=text(row["kind"]), name=text(row["name"]), n=whole(row["n"])) for row in data.rows("names")
        ),
        unmapped=tuple(_unmapped(data, documents)),
    )


def _unmapped(data: Data, documents: Documents) -> Iterator[Unmapped]:
    """What nobody mapped; a word that is mapped to `other` is mapped."""
    mapping = documents.config.mapping
    mapped: dict[str, Words[str]] = {
        "type": Words({**mapping.types}), "environment": Words({**mapping.environments}),
    }  # fmt: skip
    for row in data.rows("sources_unmapped"):
        kind, word = text(row["kind"]), text(row["word"])
        if kind not in mapped or mapped[kind].find(word) is None:
            yield Unmapped(kind=kind, word=word, n=whole(row["n"]))


def refresh(item: StreamState) -> str:
    """How to get newer rows of a stream."""
    return f"aether-tui sync {item.source}" if item.configured else "aether-tui load PATH with newer files"


def headline(sources: Sources) -> str:
    """How many streams there are, and how many need a look."""
    if not sources.streams:
        return "Nothing has been pulled or loaded yet."
    names = {item.source for item in sources.streams}
    parts = [f"{plural(len(sources.streams), 'stream')} of {plural(len(names), 'source')}"]
    if failing := sum(item.last_error is not None for item in sources.streams):
        parts.append(f"{failing} failed last time")
    parts += [f"{len(them)} {word}" for word, them in not_fresh(sources.streams).items()]
    if rejected := sum(item.n for item in sources.rejects):
        parts.append(f"{plural(rejected, 'row')} rejected")
    return ", ".join(parts if len(parts) > 1 else [*parts, "all fresh"]) + "."


def findings(sources: Sources) -> tuple[Finding, ...]:
    """Failing and stale sources, refused rows, sources that were configured and never pulled."""
    found = []
    for item in sources.streams:
        place = f"{item.source}/{item.stream}"
        if item.last_error is not None:
            found.append(
                Finding(
                    id=f"sources.error.{item.source}.{item.stream}",
                    severity="bad",
                    text=f"{place} failed last time: {one_line(item.last_error)}",
                    evidence=(place,),
                    action=refresh(item),
                )
            )
    oldest: dict[str, StreamState] = {}
    for item in sources.streams:
        if item.stale and not item.ahead and item.last_error is None:
            known = oldest.get(item.source)
            if known is None or (known.age_s is not None and (item.age_s is None or item.age_s > known.age_s)):
                oldest[item.source] = item
    found += [
        Finding(
            id=f"sources.stale.{name}",
            severity="warn",
            text=f"{name} has never succeeded."
            if item.age_s is None
            else f"{name} is stale: {item.stream} last succeeded {age(item.age_s)} ago.",
            evidence=(f"{name}/{item.stream}",),
            action=refresh(item),
        )
        for name, item in oldest.items()
    ]
    if ahead := not_fresh(sources.streams).get("ahead of now"):
        names = [f"{item.source}/{item.stream}" for item in ahead]
        most_s = -min(item.age_s or 0.0 for item in ahead)
        found.append(
            Finding(
                id="sources.ahead",
                severity="warn",
                text=f"{plural(len(ahead), 'stream')} last succeeded after this report's now, by up to {age(most_s)} "
                f"({', '.join(names[:3])}{', …' if len(names) > 3 else ''}): how old the rows are is not known. "
                "If the report does not look back, a clock is wrong.",
                evidence=tuple(names[:20]),
                action="where a clock is wrong, mend it and run `aether-tui sync`",
            )
        )
    if rejected := sum(item.n for item in sources.rejects):
        top = sources.rejects[0]
        found.append(
            Finding(
                id="sources.rejects",
                severity="warn",
                text=f"{plural(rejected, 'row')} could not be read; most often in {top.source}/{top.stream}: {one_line(top.reason)}",
                evidence=tuple(f"{item.source}/{item.stream}" for item in sources.rejects[:5]),
            )
        )
    found += [
        Finding(
            id=f"sources.astray.{one.source}",
            severity="warn",
            text=f"{plural(one.n, 'trace')} of {one.source} began before 2000 or after the day they came "
            f"({one.first:%Y-%m-%d} to {one.last:%Y-%m-%d}): reports of the present are without them.",
            evidence=("sources.astray",),
            action="mend the clock of what sends them, or the unit of its times (OTLP has nanoseconds)",
        )
        for one in sources.astray
    ]
    if sources.unmapped:
        shown = [f"{one.kind} {one_line(one.word, 40)} ({one.n:,})" for one in sources.unmapped[:_SHOWN]]
        more = f" and {len(sources.unmapped) - _SHOWN} more" if len(sources.unmapped) > _SHOWN else ""
        found.append(
            Finding(
                id="sources.unmapped",
                severity="warn",
                text=f"{plural(len(sources.unmapped), 'word')} of sources that nobody mapped: {', '.join(shown)}{more}. "
                "They count as nothing, or as other.",
                evidence=("sources.unmapped",),
                action="aether-tui sources map",
            )
        )
    if sources.never_pulled:
        found.append(
            Finding(
                id="sources.never",
                severity="warn",
                text=f"Configured and never pulled: {', '.join(sources.never_pulled)}.",
                evidence=sources.never_pulled,
                action="aether-tui sync",
            )
        )
    return tuple(found)


def blocks(sources: Sources) -> tuple[Block, ...]:
    """Streams, what is not connected, rejects."""
    parts: list[Block] = []
    if sources.streams:
        rows = sum(sources.tables.values())
        parts.append(
            Facts(
                id="sources.facts",
                facts=(
                    Fact(id="sources.rows", label="rows stored", value=Quantity(value=rows, unit="count")),
                    Fact(
                        id="sources.fresh",
                        label="fresh streams",
                        value=fresh_share(sources.streams),
                        why=metrics.why("sources.fresh"),
                    ),
                ),
            )
        )
        parts.append(
            Table(
                id="sources.streams",
                title="Streams",
                columns=(
                    Col(key="state", title="", kind="state", priority=10),
                    Col(key="source", title="source", priority=10),
                    Col(key="stream", title="stream", priority=10),
                    Col(key="rows", title="rows", kind="number", priority=8),
                    Col(key="age", title="last success", kind="number", priority=9),
                    Col(key="rejected", title="rejected", kind="number", priority=6),
                    Col(key="error", title="last error", priority=5),
                ),
                rows=tuple(_stream_row(item) for item in sources.streams),
            )
        )
    else:
        parts.append(
            Gap(
                id="sources.none",
                title="Streams",
                reason="Nothing has been pulled or loaded yet. Name a source in aether.toml, or load a file you have.",
                next_step="aether-tui load PATH (L in the console), or aether-tui sync",
                action="sync",
            )
        )
    if sources.bill is not None:
        parts.append(facts(sources.bill))
    if sources.missing:
        parts.append(missing_block(sources))
    if sources.names:
        parts.append(_names(sources.names))
    if sources.unmapped:
        parts.append(_words(sources.unmapped))
    if sources.rejects:
        parts.append(
            Table(
                id="sources.rejects",
                title="Rejected rows",
                columns=(
                    Col(key="stream", title="stream", priority=10),
                    Col(key="n", title="rows", kind="number", priority=9),
                    Col(key="reason", title="reason", priority=9),
                    Col(key="place", title="latest at", priority=6),
                ),
                rows=tuple(
                    Row(
                        id=f"{item.source}/{item.stream}/{index}",
                        cells=(f"{item.source}/{item.stream}", item.n, one_line(item.reason), item.place),
                        detail=item.raw,
                    )
                    for index, item in enumerate(sources.rejects)
                ),
            )
        )
    return tuple(parts)


def missing_block(sources: Sources) -> Table:
    """What nobody has brought yet, and the numbers it would unlock."""
    return Table(
        id="sources.missing",
        title="Not connected",
        columns=(
            Col(key="name", title="data", priority=10),
            Col(key="unlocks", title="unlocks", priority=9),
            Col(key="how", title="how", priority=8),
        ),
        rows=tuple(Row(id=item.name, cells=(item.name, item.unlocks, item.how)) for item in sources.missing),
        note=needs.HOW,
    )


def _names(names: tuple[Named, ...]) -> Table:
    """What `T` and `--team`, `--service`, `--feature` can be given."""
    return Table(
        id="sources.names",
        title="Names to narrow by",
        columns=(
            Col(key="kind", title="kind", priority=9),
            Col(key="name", title="name", priority=10),
            Col(key="n", title="rows", kind="number", priority=5),
        ),
        rows=tuple(Row(id=f"{one.kind}.{one.name}", cells=(one.kind, one_line(one.name, 80), one.n)) for one in names),
        note="T in the console, or --team, --service and --feature, narrow reports to one of them.",
        aside=True,
    )


def _words(unmapped: tuple[Unmapped, ...]) -> Table:
    """What a mapping would give a meaning."""
    return Table(
        id="sources.unmapped",
        title="Words nobody mapped",
        columns=(
            Col(key="kind", title="kind", priority=9),
            Col(key="word", title="word", priority=10),
            Col(key="n", title="rows", kind="number", priority=8),
        ),
        rows=tuple(
            Row(id=f"{one.kind}.{one.word}", cells=(one.kind, one_line(one.word, 80), one.n)) for one in unmapped
        ),
        note="`aether-tui sources map` proposes what they mean; [mapping] of aether.toml counts from the next sync or load on.",
    )


def _stream_row(item: StreamState) -> Row:
    state: State = "block" if item.last_error is not None else "warn" if item.stale else "pass"
    return Row(
        id=f"{item.source}/{item.stream}",
        state=state,
        cells=(
            "failed" if state == "block" else "ahead" if item.ahead else "stale" if state == "warn" else "fresh",
            item.source,
            item.stream,
            item.rows,
            f"in {age(-(item.age_s or 0.0))}" if item.ahead else age(item.age_s),
            item.rejected,
            one_line((item.last_error or "").partition("; ")[0], 200),
        ),
        detail="\n".join(
            [
                *([one_line(item.last_error, 400)] if item.last_error else []),
                *([f"cursor {one_line(item.cursor, 60)}"] if item.cursor else []),
            ]
        ),
    )

"""Spans of the OpenTelemetry Collector's `otel_traces` in ClickHouse, or their rollups, computed there (HTTP interface)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import chain
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec
from pydantic import Field

from aether_tui.records.tables import SPAN_PAYLOADS, SPANS
from aether_tui.text import one_line
from connectors import clickhouse_rollups as rollups
from connectors import otlp_json
from connectors.answers import LATER, Again, Answer, Verdict, classify
from connectors.base import (
    BY_AGE,
    Access,
    Denied,
    Deriving,
    Forbidden,
    Gone,
    Malformed,
    Network,
    Page,
    Pushed,
    RateLimited,
    Refused,
    Reject,
    Row,
    Stream,
)
from connectors.clickhouse_spans import DOCUMENT, Present, identifier
from connectors.fields import Node, dig, integer, objects, text
from connectors.http import ADDRESS, MOST_DAYS, Http, HttpSettings
from connectors.inflate import TooLarge
from connectors.otlp import Decoded, page_of, parsed
from connectors.otlp_attributes import left_over
from connectors.otlp_scan import Line, Scan, worth
from connectors.otlp_span import LAST_NS
from connectors.windows import again_from, by_window

# A span arrives when it ends, and the collector sends in batches: an hour covers those that run long.
TRACES = Stream("traces", (SPANS, SPAN_PAYLOADS), overlap_s=3600, kept=BY_AGE)

_PER_ANSWER: Final = 5_000
_PAGE_BYTES: Final = 32 << 20
"""Bytes of answers that are stored together where they are scanned."""
_LONGEST_S: Final = 7 * 86_400
_SETTINGS: Final = {
    # Nothing is written, whatever the query says; 2 and not 1, because 1 also refuses the settings below.
    "readonly": "2",
    # Whole answers only: an error half way through is then an error, not the end of the rows.
    "wait_end_of_query": "1",
    # On before 25.11, too, where it is not the default: spans pack to a tenth.
    "enable_http_compression": "1",
    "default_format": "JSONCompact",
    "output_format_json_named_tuples_as_objects": "1",
    # A text with an escape is not simple.
    "output_format_json_escape_forward_slashes": "0",
    "output_format_json_quote_64bit_integers": "0",
    "output_format_json_quote_decimals": "1",
    "prefer_column_name_to_alias": "1",
    "cast_keep_nullable": "1",
    "join_use_nulls": "1",
    "max_query_size": str(64 << 20),
}


class ClickHouseSettings(HttpSettings):
    """`[sources.clickhouse]`. The password of the user is the secret `key`."""

    url: str = Field("http://localhost:8123", pattern=ADDRESS, description="Address of the server, or replay:PATH")
    user: str = Field("default", min_length=1, pattern=r"^[^:\s]+$", description="User; its profile has readonly = 2")
    anonymous: bool = Field(False, description="The user has no password: none is sent")
    database: str = Field("default", min_length=1, description="Database of the table")
    table: str = Field("otel_traces", min_length=1, description="Table of the collector's exporter")
    mode: Literal["spans", "rollups"] = Field(
        "spans", description="What travels: every span, or only rollups, which ClickHouse computes"
    )
    days_back: int = Field(
        30, ge=1, le=MOST_DAYS, description="Days the first sync reads", json_schema_extra={"unit": "days"}
    )
    task_days: int = Field(
        7,
        ge=0,
        le=MOST_DAYS,
        description="With rollups: days of single requests (a row a trace) that come too",
        json_schema_extra={"unit": "days"},
    )
    once: bool = Field(
        True, description="With rollups: a span that was delivered twice counts once; takes memory of the server"
    )
    slice_spans: int = Field(
        1_000_000, ge=1_000, description="With rollups: spans whose traces are put together at a time"
    )
    max_execution_s: int = Field(
        120, ge=1, le=_LONGEST_S, description="Longest a query may run", json_schema_extra={"unit": "s"}
    )


class ClickHouse:
    """Windows of one day, oldest first, each query bounded in time by `Timestamp` and by `max_execution_time`."""

    kind = "clickhouse"
    Settings = ClickHouseSettings
    SECRETS = ("key",)
    streams = (TRACES,)
    access = Access(
        credential="the password of a user of its own (none where the server asks for none)",
        permissions=("SELECT on the table of traces", "a settings profile with readonly = 2"),
        reads=(
            "spans: times, model, token counts, errors, names, attributes; or only hourly and daily sums of them",
            "users, kept as a keyed hash",
        ),
        leaves=(
            "every other table",
            "with mode = rollups every span: sums and, for the last days, one row a request leave the server",
        ),
        drops=(
            "prompts and completions: what was asked becomes a category and a hash, its words are kept only where "
            "keeping them is switched on in aether.toml, redacted",
        ),
    )

    def __init__(self, settings: ClickHouseSettings, secrets: Mapping[str, str], network: Network) -> None:
        self._settings = settings
        self._network = network
        self._newest: datetime | None = None
        self._most = _PER_ANSWER
        key = "" if settings.anonymous else secrets.get("key", "")
        self._table = f"{identifier(settings.database)}.{identifier(settings.table)}"
        self._http = Http(
            settings.url,
            network,
            service="ClickHouse",
            secrets={} if settings.anonymous else {"key": key},
            basic=(settings.user, key),
            classify=_verdict,
            ca_bundle=settings.ca_bundle,
            timeout_s=settings.max_execution_s + 30.0,
        )

    async def pages(self, stream: Stream, since: str | None) -> AsyncIterator[Page]:
        """Spans, or the rollups of whole days, from the cursor on. Raises SourceError; never stores."""
        now = self._network.now().astimezone(UTC).replace(tzinfo=None)
        first = now - timedelta(days=self._settings.days_back)
        overlap = timedelta(seconds=stream.overlap_s)
        state = _state(since)
        reached = datetime.fromisoformat(state["to"]) if "to" in state else None
        begin = again_from(reached, overlap, self._network.memory) if reached else first
        if self._settings.mode == "rollups":
            async for page in self._rollups(state, first, reached and begin, now):
                yield page
            return
        empty = reached is None and self._network.memory.read is not None
        spans = by_window(self._spans, begin, reached, now, empty=empty, started=lambda: self._newest)
        async for page, newest in spans:
            page.cursor = json.dumps({"to": newest.isoformat()}) if newest else None
            yield page

    async def check(self) -> str:
        """The user, once the table has let us see its columns."""
        await self._attributes_are_maps()
        found = await self._ask("SELECT currentUser()", {})
        return f"{found[1][0][0]} at {urlsplit(self._settings.url).netloc or self._settings.url}"

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    # -- spans

    async def _spans(self, begin: datetime, end: datetime | None) -> AsyncIterator[tuple[Page, bool]]:
        """Spans in the order of their start, answer by answer from the last one on, and as many to a page as are worth it."""
        after = "(Timestamp, TraceId, SpanId) > (fromUnixTimestamp64Nano({ns:Int64}), {trace:String}, {span:String})"
        query = {"low": _told(begin), "high": _told(end or datetime(2200, 1, 1))}  # noqa: DTZ001  # naive UTC, as all
        last: dict[str, str] = {}
        held, hopeful = BytesIO(), False
        while True:
            within = f"{rollups.WITHIN} AND {after}" if last else rollups.WITHIN
            sql = f"SELECT {DOCUMENT} FROM {self._table} WHERE {within} ORDER BY Timestamp, TraceId, SpanId LIMIT {self._most}"
            try:
                found = _documents(await self._answer(sql, query | last))
            except TooLarge:  # long prompts, as there will be more of
                if self._most == 1:
                    raise
                self._most = max(1, self._most // 4)
                continue
            lines, whole = b"\n".join([*found, b""]), len(found) < self._most
            hopeful = hopeful if held.tell() else not whole and worth(lines, said=False)
            held.write(lines)
            newest = _place(found[-1]) if found else last
            if 0 < (began := int(newest.get("ns", 0))) < LAST_NS:
                self._newest = _EPOCH + timedelta(microseconds=began // 1000)
            if whole or newest == last or not hopeful or held.tell() >= _PAGE_BYTES:
                lines, held = held.getvalue(), BytesIO()
                yield (
                    Page(scan=Scan((lines,), _rest))
                    if hopeful
                    else _rest((0, line, None) for line in lines.splitlines()),
                    whole,
                )
            if whole:
                return
            if newest == last:
                raise Malformed(
                    "ClickHouse answered the same spans twice: stopped, what came before is kept", hint=LATER
                )
            last = newest

    # -- rollups

    async def _rollups(
        self, state: Mapping[str, str], first: datetime, since: datetime | None, now: datetime
    ) -> AsyncIterator[Page]:
        deriving = self._network.deriving
        version = deriving.version if deriving else ""
        # Another mapping or price changes every day; ClickHouse is where they are derived.
        begin = first if since is None or state.get("mapping", version) != version else since
        seen = state.get("seen", "").split("; ") if state.get("mapping") == version else []
        for day in rollups.days(begin, now):
            spans, newest, present = await self._looked_at(day)
            if (looks := f"{day:%Y-%m-%d} {spans} {newest}") in seen:
                continue
            seen = [*seen[-1:], looks]  # just after midnight two days are looked at
            cursor = {"to": min(day + timedelta(days=1), now).isoformat(), "mapping": version, "seen": "; ".join(seen)}
            pushed, problems = await self._pushed(day, spans, present, deriving, now)
            yield Page(pushed=pushed, problems=problems, cursor=json.dumps(cursor))

    async def _looked_at(self, day: datetime) -> tuple[int, str, Present]:
        """How many spans there are of a day, when its newest began, and the names of attributes around it."""
        wide = _wide(day)
        own = "Timestamp >= {begin:DateTime64(6, 'UTC')} AND Timestamp < {end:DateTime64(6, 'UTC')}"
        sql = (
            f"SELECT countIf({own}), toString(maxIf(toUnixTimestamp64Nano(Timestamp), {own})), "
            "groupUniqArrayArray(mapKeys(SpanAttributes)), groupUniqArrayArray(mapKeys(ResourceAttributes)) "
            f"FROM {self._table} WHERE {rollups.WITHIN}"
        )
        _, rows = await self._ask(sql, wide)
        if not rows:
            return 0, "", Present((), ())
        count, newest, span, resource = rows[0]
        return integer({"n": count}, "n") or 0, str(newest), Present(_names(span), _names(resource))

    async def _pushed(
        self, day: datetime, count: int, present: Present, deriving: Deriving | None, now: datetime
    ) -> tuple[Pushed, list[str]]:
        end = day + timedelta(days=1)
        if not count:
            return Pushed(day, end, {}, {}), []
        if deriving is None:
            raise Refused("rollups are derived by a workspace's mapping: run sync", hint="run aether-tui sync")
        words = tuple(name for name in deriving.attributes if left_over(name))
        spans = rollups.Spans(self._table, present, words, self._settings.once)
        wide = _wide(day)
        names, rows = await self._ask(spans.combinations(rollups.WITHIN), wide)
        found = [dict(zip(names, row, strict=True)) for row in rows]
        derived = await deriving.derive([rollups.span_of_words(words, one) for one in found])
        known = rollups.known_sql([integer(one, "k") or 0 for one in found], derived)
        columns: dict[str, Sequence[str]] = {}
        groups: dict[str, list[Row]] = {}

        async def push(name: str, table: str, query: Mapping[str, str], sliced: str = "") -> None:
            sql = spans.derived(rollups.WITHIN + sliced, self._network.source, known, deriving.cost_usd)
            columns[table], rows = await self._grouped(rollups.rollup_sql(name, sql), query)
            groups.setdefault(table, []).extend(rows)

        own = {"low": wide["begin"], "high": wide["end"]}
        for name, table in rollups.OF_SPANS.items():
            await push(name, table, own)
        slices = -(-count // self._settings.slice_spans)
        whole = dict(rollups.OF_TASKS)
        if day > now - timedelta(days=self._settings.task_days):
            whole[rollups.TASKS] = rollups.TASKS
        for name, table in whole.items():
            some = slices * 4 if name == rollups.TASKS else slices  # they are larger than sums
            for place in range(some):
                query = wide | {"slices": str(some), "slice": str(place)}
                await push(name, table, query, rollups.SLICED if some > 1 else "")
        return Pushed(day, end, columns, groups), _problems(found, derived)

    async def _grouped(self, sql: str, query: Mapping[str, str]) -> tuple[Sequence[str], list[Row]]:
        answer = await self._answer(sql, query)
        meta = objects(answer.json, "meta")
        kinds = [text(one, "type") or "" for one in meta]
        return [text(one, "name") or "" for one in meta], [rollups.cells(kinds, row) for row in _data(answer)]

    # -- asking

    async def _ask(self, sql: str, query: Mapping[str, str]) -> tuple[list[str], list[list[object]]]:
        """Names of columns, and rows."""
        answer = await self._answer(sql, query)
        return [text(one, "name") or "" for one in objects(answer.json, "meta")], _data(answer)

    async def _answer(self, sql: str, query: Mapping[str, str]) -> Answer:
        settings = {**_SETTINGS, "max_execution_time": str(self._settings.max_execution_s)}
        return await self._http.ask("/", sql, settings | {f"param_{name}": value for name, value in query.items()})

    async def _attributes_are_maps(self) -> None:
        sql = "SELECT name, type FROM system.columns WHERE database = {database:String} AND table = {table:String}"
        _, rows = await self._ask(sql, {"database": self._settings.database, "table": self._settings.table})
        kinds = {str(name): str(kind) for name, kind in rows}
        if not kinds:
            raise Gone(f"no table {self._settings.database}.{self._settings.table} is visible to this user",
                       hint="set database and table of this source, and grant SELECT on it")  # fmt: skip
        if not kinds.get("SpanAttributes", "").startswith("Map("):
            raise Refused("the table keeps SpanAttributes otherwise than as a Map of texts: not read",
                          hint="use the exporter's schema with Map columns")  # fmt: skip


_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00")


def _told(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


def _wide(day: datetime) -> dict[str, str]:
    """A day, and with it the hour before and after: where the traces that begin in it lie."""
    end, hour = day + timedelta(days=1), timedelta(seconds=TRACES.overlap_s)
    return {"begin": _told(day), "end": _told(end), "low": _told(day - hour), "high": _told(end + hour)}


def _names(value: object) -> list[str]:
    return [str(name) for name in value] if isinstance(value, list) else []


def _state(since: str | None) -> dict[str, str]:
    """What a cursor says: an instant, or the words of an earlier sync."""
    if since is None or not since.startswith("{"):
        return {} if since is None else {"to": since}
    found = json.loads(since)
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def _data(answer: Answer) -> list[list[object]]:
    data = dig(answer.json, "data")
    if not isinstance(data, list):
        raise _not_clickhouse(answer)
    _unbroken(answer, dig(answer.json, "exception"))
    return [row for row in data if isinstance(row, list)]


def _not_clickhouse(answer: Answer) -> Malformed:
    return Malformed(f"{answer.asked} answered JSON without rows: this is not ClickHouse", hint="check the url")


def _unbroken(answer: Answer, exception: object) -> None:
    """Raise Refused when an answer ends with an error."""
    if exception:
        raise Refused(f"{answer.asked} broke off: {one_line(str(exception))}", hint=LATER)


class _Spans(msgspec.Struct):
    data: list[tuple[msgspec.Raw]]
    exception: str = ""


_DOCUMENT: Final = b'{"resourceSpans":'


def _documents(answer: Answer) -> list[msgspec.Raw]:
    """Documents of a span each, as they came. Raises Malformed for an answer of anything else, Refused for one that broke off."""
    try:
        answered = msgspec.json.decode(answer.body, type=_Spans)
    except (msgspec.MsgspecError, RecursionError):
        raise _not_clickhouse(answer) from None
    documents = [document for (document,) in answered.data]
    if not all(bytes(memoryview(document)[: len(_DOCUMENT)]) == _DOCUMENT for document in documents):
        raise _not_clickhouse(answer)
    _unbroken(answer, answered.exception)
    return documents


def _place(document: msgspec.Raw) -> dict[str, str]:
    """Where a span stands among all; nowhere when it cannot be read."""
    for found in _decoded(bytes(document)):
        if not isinstance(found, Reject):
            span, *_ = found
            return {"ns": str(span.start_ns), "trace": span.trace_id, "span": span.span_id}
    return {}


def _decoded(line: bytes) -> Iterator[Decoded]:
    document = parsed(line)
    if document is None:
        yield Reject(SPANS.name, "not a JSON document", f"{len(line)} bytes")
        return
    for span, resource in otlp_json.spans(document):
        yield span, resource, span.span_id


def _rest(lines: Iterable[Line]) -> Page:
    """Spans, one by one; each has its line."""
    return page_of(chain.from_iterable(_decoded(line) for _, line, _ in lines))


def _problems(found: Sequence[Node], derived: Sequence[object]) -> list[str]:
    hourly = sorted(
        {text(one, "model") or "" for one, d in zip(found, derived, strict=True) if getattr(d, "by_call", False)}
    )
    return [f"prices of {', '.join(hourly)} change by the hour: its calls count as unpriced in pushed rollups"] * bool(
        hourly
    )


# --- What ClickHouse says ------------------------------------------------------------------------------------------

_DENIED: Final = frozenset({"192", "193", "194", "516"})
_TOO_MUCH: Final = frozenset({"158", "159", "160", "241", "307", "396"})
_BUSY: Final = frozenset({"202", "203", "209", "210", "319"})


def _verdict(answer: Answer) -> Verdict:
    """What an answer means: ClickHouse's own number of the error says more than the status."""
    code = answer.headers.get("x-clickhouse-exception-code", "")
    if not code:
        return classify(answer)
    said = answer.story()
    match code:
        case _ if code in _DENIED:
            return Denied(f"the credential was not accepted ({said})")
        case "497":
            return Forbidden(f"the user lacks a permission ({said})")
        case "164":
            return Forbidden(
                f"the user may not set limits of its own queries ({said})", scope="a profile with readonly = 2"
            )
        case "60" | "81":
            return Gone(f"absent ({said})", hint="set database and table of this source")
        case _ if code in _TOO_MUCH:
            return Refused(f"the query took more than it may ({said})",
                           hint="raise max_execution_s, lower slice_spans, or set once = false for this source")  # fmt: skip
        case _ if code in _BUSY:
            return Again(RateLimited(f"the server is busy ({said})", hint=LATER), wait_s=answer.retry_after_s())
        case _:
            return Refused(f"ClickHouse refused the query ({said})", hint="report it with the version of the server")

"""OTLP in JSON lines, read by DuckDB where spans are simple: the rows that `span_row` would make, without a span passing through Python.

Simple is a span whose attributes are texts, whole numbers, plain decimals, booleans or lists of one text, under names that come once
and of which none needs to be computed; whose events say nothing that is stored, and whose ids, times and status are as the protocol has
them. Any other span goes the patient way, and with a line that is not as the protocol has it all of its spans. What a set of names
means, and what a resource says, is found out in Python, once for each there is; of what was asked Python sees every one. (Where one
object of the JSON text has a member twice, the first counts here and the last there.)
"""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import IO, Final, cast

import msgspec

from aether_tui.records.tables import MOST_WORD, SPANS
from aether_tui.text import BEYOND
from connectors import otlp_aliases
from connectors.base import PLACE, Page, Run
from connectors.otlp_attributes import MAX_ATTRIBUTES, Attribute, Resource, attributes_json, is_part, shape_of
from connectors.otlp_json import resource_of, value_of
from connectors.otlp_rows import known, rows_of
from connectors.otlp_span import request_of

_LONGEST: Final = 16 << 20
"""Bytes of a line that DuckDB is asked to hold, for each of its threads more than once."""
_PATIENT: Final = {"usage_json", "cost", "cost_prompt", "cost_completion", "cost_json", "first_token_at"}
"""Fields that are computed in Python."""
_MOST_READ: Final = MOST_WORD + BEYOND
"""Characters of an attribute, as `begun` begins it."""

_IDS: Final = ("traceId", "spanId", "parentSpanId", "name", "startTimeUnixNano", "endTimeUnixNano")
_SPAN: Final = (
    f"STRUCT({', '.join(f'{name} JSON' for name in _IDS)}, "
    "attributes STRUCT(key JSON, value JSON)[], events JSON, status STRUCT(code JSON))"
)
_BLOCK: Final = (
    f"STRUCT(resource STRUCT(attributes JSON), scopeSpans STRUCT(spans {_SPAN}[])[], instrumentationLibrarySpans JSON)"
)
_COLUMNS: Final = f"{{resourceSpans: '{_BLOCK}[]', resourceLogs: 'JSON', resourceMetrics: 'JSON'}}"

_DECIMAL: Final = r'\{"doubleValue":-?([1-9][0-9]{0,14}(\.[0-9]+)?|0\.0|0\.0{0,3}[1-9][0-9]*)\}'
_WHOLE: Final = r'\{"intValue":("?)(0|-?[1-9][0-9]{0,17})"?\}'
_LISTED: Final = '{"arrayValue":{"values":[{"stringValue":"'
_END: Final = '"}]}}'
_LITERAL: Final = (
    # Of a value as the protocol wraps it, that value as JSON, no longer than it is read; null of one that is not simple. A text ends at
    # a quotation mark that follows no backslash, so that nothing comes after it where no such mark and comma do.
    "WHEN starts_with(a.value, '{\"stringValue\":\"') AND NOT contains(a.value, '\",\"') AND NOT contains(a.value, '\\u') THEN "
    f"CASE WHEN strlen(a.value) > {_MOST_READ + 18} THEN CAST(to_json(substr(a.value ->> '$.stringValue', 1, {_MOST_READ})) AS VARCHAR) "
    "ELSE substr(a.value, 16, length(a.value) - 16) END WHEN contains(a.value, '\\') THEN NULL "
    f"WHEN regexp_full_match(a.value, '{_WHOLE}') THEN "
    'CASE WHEN starts_with(a.value, \'{"intValue":"\') THEN substr(a.value, 14, strlen(a.value) - 15) '
    "ELSE substr(a.value, 13, strlen(a.value) - 13) END "
    "WHEN a.value IN ('{\"boolValue\":true}', '{\"boolValue\":false}') THEN a.value[14:-2] "
    f"WHEN regexp_full_match(a.value, '{_DECIMAL}') THEN a.value[16:-2] "
    f"WHEN strlen(a.value) < {MOST_WORD} AND starts_with(a.value, '{_LISTED}') "
    f"AND ends_with(a.value, '{_END}') AND NOT contains(a.value[{len(_LISTED) + 1}:-6], '\"') "
    f"THEN '\"[\\\"' || a.value[{len(_LISTED) + 1}:-6] || '\\\"]\"' WHEN a.value IS NULL OR a.value = '{{}}' THEN 'null' END"
)


_ASKED: Final = (*otlp_aliases.INPUT, *(name for _, name in otlp_aliases.BESIDE_INPUT))
_ASKED_PARTS: Final = otlp_aliases.INPUT_PARTS
_EVENTS: Final = ("exception", *otlp_aliases.INPUT_EVENTS, *otlp_aliases.FIRST_TOKEN_EVENTS)
"""Events that say something of a span besides what was answered."""
_SPACE: Final = ord(" ")
_SPAN_ID: Final = b'"spanId"'
_SOME: Final = 1 << 20
"""Bytes of lines that are looked at for names."""
_EVERY: Final = 25
"""One line in so many says which names there are, and one span in so many may have others."""
_AT_ONCE: Final = 8192
"""Spans of which Python sees what was asked at a time."""


def worth(data: bytes, *, said: bool) -> bool:
    """Whether the beginning of some lines gives hope: most spans hold nothing that is left for the patient way for what it is."""
    data = data[:_SOME]
    names = [f'{name}"' for field in _PATIENT for name in otlp_aliases.FIELDS[field]]
    if not said:
        names += [*(f'{name}"' for name in otlp_aliases.INPUT), *otlp_aliases.INPUT_PARTS]
    marks = [f'"{name}'.encode() for name in (*names, *(f'{name}"' for name in _events(said=said)))]
    fields = [f'"{name}"'.encode() for names in otlp_aliases.FIELDS.values() for name in names]
    parts = {mark: [name for name in fields if not mark.endswith(b'"') and name.startswith(mark)] for mark in marks}
    most = max(data.count(mark) - sum(map(data.count, apart)) for mark, apart in parts.items())
    return 2 * most < data.count(_SPAN_ID)


def _events(*, said: bool) -> tuple[str, ...]:
    return _EVENTS if said else (*_EVENTS, *otlp_aliases.OUTPUT_EVENTS)


Line = tuple[int, bytes, Collection[int] | None]
"""A line with its number, and places of spans in it, both from nought; None: all of them."""


class Scan:
    """Blocks of some whole lines, the first of which are the `head`; after `read` the lines, by their number from nought, that are `left`
    for the `patient` way: the places of their spans, or None for all of them. How many `lines` there are, and how many are `taken`, at
    least in part.

    Of several files a `sample` of each says which names there are; rows then have a place, from one, among the `numbers` of lines that are
    not blank. With `said`, where of what spans say only the hash of a request is wanted, and its text with `texts`, those are simple, too.
    """

    table = SPANS
    nulls: tuple[str, ...] = ()

    def __init__(
        self,
        blocks: Iterable[bytes],
        patient: Callable[[Iterable[Line]], Page],
        *,
        said: bool = False,
        texts: bool = False,
        sample: bytes = b"",
    ) -> None:
        self._blocks = iter(blocks)
        self.head = _begun(self._blocks)
        self.rest = Page()
        self._places = f", n AS {PLACE}" if sample else ""
        some = sample or self.head[:_SOME]
        self._asked = _in(some, _ASKED, _ASKED_PARTS) if said else ()
        self._answered = _in(some, otlp_aliases.OUTPUT, otlp_aliases.OUTPUT_PARTS)
        self._patient = patient
        self._bounds: list[tuple[int, int]] = []
        self.left: Mapping[int, Collection[int] | None] = {}
        self.lines = self.taken = 0
        self.numbers: list[int] = []
        self._telling = (*_events(said=said), otlp_aliases.INPUT[0], *((otlp_aliases.OUTPUT[0],) if not said else ()))
        self._said, self._texts = said, texts

    def write(self, file: IO[bytes]) -> None:
        """Put the lines into `file`, once."""
        file.write(self.head)
        self.head = b""  # it would be twice in memory
        for block in self._blocks:
            file.write(block)
        file.flush()

    def read(self, lines: IO[bytes], file: str, run: Run) -> str:
        """SELECT of the raw rows of the simple spans; `file` is the path of `lines`, where `write` put them, which may go afterwards."""
        with mmap.mmap(lines.fileno(), 0, access=mmap.ACCESS_READ) as data:
            self._bounds = _bounds(data)
        rows = self._simple(lines, file, run)
        self.rest = self._patient(
            (number, _line(lines, *self._bounds[number]), self.left[number]) for number in sorted(self.left)
        )
        return rows

    def _simple(self, stream: IO[bytes], file: str, run: Run) -> str:
        self.numbers = lines = [number for number, (_, size) in enumerate(self._bounds) if size]
        longest = max(size for _, size in self._bounds)
        self.lines = len(self._bounds)
        self.left = dict.fromkeys(lines)
        if longest > _LONGEST:
            return ""
        some = [_line(stream, *self._bounds[number]).decode(errors="replace") for number in lines[::_EVERY]]
        try:
            self._make(_read(file, longest, self._asked, self._answered, self._telling), some, run)
        except RecursionError:  # the patient way says which it is
            return ""
        (records,) = run("SELECT max(n) FROM otlp_rows", ())[0]
        if records != len(lines):  # nobody knows which is which
            return ""
        left = cast("list[tuple[int, bool, list[int]]]", run(_LEFT, ()))
        self.left = {lines[n - 1]: None if whole else places for n, whole, places in left}
        whole = [n for n, strange, _ in left if strange]
        self.taken = len(lines) - len(whole)
        names = ", ".join(f'"{column.name}"' for column in SPANS.raw)
        if left:  # rows are read several times
            run("DELETE FROM otlp_rows WHERE odd OR n IN (SELECT unnest($1::BIGINT[]))", (whole,))
        return f"SELECT {names}{self._places} FROM otlp_rows" if self.taken else ""

    def _make(self, read: str, some: Sequence[str], run: Run) -> None:
        """Make `otlp_rows` of what is `read`: at once where `some` of the lines have nearly all the names there are, and nobody asks; else
        with what was read written down in between."""
        asked = self._asked if self._said else None
        _learn(run, _NAMES, asked, (some,))
        if run("SELECT bool_or(len(asked) > 0) FROM otlp_kinds", ())[0][0] is False:
            _make_rows(run, f"({read})", some_ask=False)
            unknown, of = run("SELECT count(*) FILTER (unknown), count(*) FROM otlp_rows", ())[0]
            if int(str(unknown)) * _EVERY <= int(str(of)):  # the patient way takes them
                return
        run(f"CREATE OR REPLACE TEMP TABLE otlp_read AS {read}", ())
        _learn(run, "SELECT DISTINCT keys, resource FROM otlp_read", asked)
        _make_rows(run, "otlp_read", some_ask=_ask(run, texts=self._texts))
        run("DROP TABLE otlp_read", ())


def _make_rows(run: Run, read: str, *, some_ask: bool) -> None:
    columns = [str(name) for (name,) in run("SELECT column_name FROM (DESCRIBE otlp_kinds)", ())]
    run(f"CREATE OR REPLACE TEMP TABLE otlp_rows AS {rows_of(columns, read, some_ask=some_ask)}", ())


_LEFT: Final = (
    "SELECT n, bool_or(strange), list(place ORDER BY place) FILTER (odd) FROM "
    "(SELECT n, strange, odd, rowid - min(rowid) OVER (PARTITION BY n) AS place FROM otlp_rows "
    "WHERE n IN (SELECT n FROM otlp_rows WHERE odd)) "
    "GROUP BY n HAVING bool_or(odd) ORDER BY n"
)


def _begun(blocks: Iterator[bytes]) -> bytes:
    """The first of some blocks, as many as are looked at for names."""
    found: list[bytes] = []
    while sum(map(len, found)) < _SOME and (block := next(blocks, b"")):
        found.append(block)
    return b"".join(found)


def _bounds(data: bytes | mmap.mmap) -> list[tuple[int, int]]:
    """Where each line begins, and its size with its end; nought for one that is blank."""
    found, at = [], 0
    while at < len(data):
        end = data.find(b"\n", at) + 1 or len(data)
        blank = data[at] <= _SPACE and data[at:end].isspace()
        found.append((at, 0 if blank else end - at))
        at = end
    return found


def _line(lines: IO[bytes], at: int, size: int) -> bytes:
    lines.seek(at)
    return lines.read(size)


def _in(data: bytes, names: Sequence[str], parts: Sequence[str]) -> tuple[str, ...]:
    """Which of these names and beginnings of names occur."""
    found = tuple(name for name in names if f'"{name}"'.encode() in data)
    return (*found, *(part for part in parts if f'"{part}'.encode() in data))


def _is_asked(name: str, asked: Sequence[str]) -> bool:
    return name in asked or any(prefix in asked and is_part(name, (prefix,)) for prefix in _ASKED_PARTS)


def _key(found: Sequence[str], parts: Sequence[str]) -> str:
    """SQL condition: an attribute has one of the names, or is one of the `parts` that were `found`."""
    exact = [f"a.key = '\"{name}\"'" for name in found if name not in parts]
    prefixes = [part for part in found if part in parts]
    fields = [name for names in otlp_aliases.FIELDS.values() for name in names if name.startswith(tuple(prefixes))]
    apart = "".join(f" AND a.key <> '\"{name}\"'" for name in fields)
    return " OR ".join([*exact, *(f"(starts_with(a.key, '\"{prefix}'){apart})" for prefix in prefixes)]) or "FALSE"


def _read(file: str, longest: int, asked: Sequence[str], answered: Sequence[str], telling: Sequence[str]) -> str:
    """Every span of every line `n`, and one row for what holds none: ids and times as JSON, names and values of attributes as lists;
    values of what was `asked` as the protocol wraps them, those of what was `answered`, which nobody reads, as null. Spans are `eventful`
    whose events have one of the words that are `telling`."""
    read = (
        f"read_json('{file}', format = 'newline_delimited', records = 'true', ignore_errors = true, compression = 'none', "
        f"maximum_object_size = {longest + (1 << 16)}, columns = {_COLUMNS})"
    )
    some = "unnest(CASE WHEN len({0}) > 0 THEN {0} ELSE [NULL] END)"
    blocks = (
        f"SELECT row_number() OVER () AS n, resourceLogs IS NOT NULL OR resourceMetrics IS NOT NULL AS other, "
        f"{some.format('resourceSpans')} AS block FROM {read}"
    )
    scopes = (
        "SELECT n, other OR block.instrumentationLibrarySpans IS NOT NULL AS other, block.resource.attributes AS resource, "
        f"{some.format('block.scopeSpans')} AS scope FROM ({blocks})"
    )
    spans = f"SELECT n, other, resource, {some.format('scope.spans')} AS span FROM ({scopes})"
    answer = f"WHEN {_key(answered, otlp_aliases.OUTPUT_PARTS)} THEN 'null'"
    literal = f"CASE WHEN {_key(asked, _ASKED_PARTS)} THEN CAST(a.value AS VARCHAR) {answer} {_LITERAL}"
    words = "|".join(re.escape(word) for word in telling)
    # Most spans have none, and a word may be written by the numbers of its letters.
    eventful = f"span.events <> '[]' AND regexp_matches(CAST(span.events AS VARCHAR), '\"({words})\"|\\\\u')"
    return (
        "SELECT n, resource, "
        f"{', '.join(f'CAST(span.{name} AS VARCHAR) AS {name}' for name in _IDS)}, span.status.code AS code, "
        "coalesce(list_transform(span.attributes, lambda a: a.key), []) AS keys, "
        f"coalesce(list_transform(span.attributes, lambda a: {literal}), []) AS literals, "
        f"other, coalesce({eventful}, FALSE) AS eventful FROM ({spans})"
    )


# --- What names mean -----------------------------------------------------------------------------------------------


_Kind = tuple[Sequence[str | None], str | None]
"""Names of attributes, and a resource's attributes as JSON."""
_NAMES: Final = (
    "SELECT DISTINCT coalesce(list_transform(span.attributes, lambda a: a.key), []) AS keys, resource FROM "
    "(SELECT resource, unnest(scope.spans) AS span FROM "
    "(SELECT block.resource.attributes AS resource, unnest(block.scopeSpans) AS scope FROM "
    "(SELECT unnest(CASE WHEN json_valid(line) THEN from_json(line, "
    '\'{"resourceSpans":[{"resource":{"attributes":"JSON"},"scopeSpans":[{"spans":[{"attributes":[{"key":"JSON"}]}]}]}]}\') END'
    ".resourceSpans) AS block FROM (SELECT unnest($1::VARCHAR[]) AS line))))"
)
"""The kinds that some lines have."""


def _learn(run: Run, query: str, asked: Sequence[str] | None, values: Sequence[object] = ()) -> None:
    """Make `otlp_kinds`: for each set of names with a resource that the query finds the place of each field's value, best first, the
    resource's own (numbered 0), what is kept, what is `used` of all, and what asks. Of a set that is not simple all of it is null."""
    kinds = cast("list[_Kind]", run(query, values))
    resources = {text: _resource(text) for text in {resource for _, resource in kinds}}
    rows = [{"keys": keys, "resource": text, **_meaning(keys, resources[text], asked)} for keys, text in kinds]
    types = {
        "keys": '["VARCHAR"]', "resource": '"VARCHAR"', "kept": '["BIGINT"]', "names": '["VARCHAR"]', "tail": '"VARCHAR"',
        "used": '["BIGINT"]', "asks": '["VARCHAR"]', "asked": '["BIGINT"]',
    }  # fmt: skip
    ranks = {name for row in rows for name in row} - types.keys()
    types |= {name: '"VARCHAR"' if name.endswith("_0") else '"BIGINT"' for name in ranks}
    form = "[{" + ", ".join(f'"{name}": {kind}' for name, kind in types.items()) + "}]"
    told = msgspec.json.encode(rows).decode()
    made = f"SELECT unnest(one) FROM (SELECT unnest(from_json($1, '{form}')) AS one)"
    run(f"CREATE OR REPLACE TEMP TABLE otlp_kinds AS {made}", (told,))


def _meaning(
    keys: Sequence[str | None], resource: Resource | None, asked: Sequence[str] | None
) -> Mapping[str, object]:
    names = [key[1:-1] for key in keys if key and key[0] == '"' and "\\" not in key]
    if resource is None or len(set(names)) < len(keys):
        return {}
    shape, places = shape_of(tuple(names)), {name: place for place, name in enumerate(names, 1)}
    fields = {field for _, field in shape.known} | resource.found.keys()
    kept = dict(shape.kept)
    asks = [name for name in names if name in _ASKED or is_part(name, _ASKED_PARTS)] if shape.asks else []
    says = asks or any(name in otlp_aliases.OUTPUT or is_part(name, otlp_aliases.OUTPUT_PARTS) for name in names)
    if (
        _PATIENT & fields
        or (says and asked is None)
        or not all(_is_asked(name, asked or ()) for name in asks)
        or any(name != stored for name, stored in kept.items())
    ):
        return {}
    ranks: dict[str, int] = {}
    for name, field in reversed(shape.known):
        rank = 1 + sum(one.rpartition("_")[0] == field for one in ranks)
        ranks[f"{field}_{rank}"] = places[name]
    added = [name for name in resource.rest if name not in kept][: max(MAX_ATTRIBUTES - len(kept), 0)]
    tail = (attributes_json({name: resource.rest[name] for name in added}) or "{}")[1:-1]
    before = [f'{"," * (place > 0)}"{name}":' for place, name in enumerate(kept)]
    return {
        "kept": [place for at, name in enumerate(kept, len(keys) + 1) for place in (at, places[name])],
        "names": before,
        "tail": "," * bool(kept and tail) + tail,
        "used": [*(places[name] for name in kept), *ranks.values()],
        "asks": asks,
        "asked": [places[name] for name in asks],
        **ranks,
        **{f"{field}_0": json.dumps(value, ensure_ascii=False) for field, value in resource.found.items()},
    }


def _resource(text: str | None) -> Resource | None:
    """A resource, or None where one of its known fields is not a simple text."""
    try:
        resource = resource_of(msgspec.json.decode(text or "null"))
        msgspec.json.encode(resource.rest)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return None
    plain = all(
        isinstance(value, str) and json.dumps(value, ensure_ascii=False) == f'"{value}"'
        for value in resource.found.values()
    )
    return resource if plain else None


def _ask(run: Run, *, texts: bool) -> bool:
    """If some spans ask, make `otlp_asked`: what becomes of their requests by their row in `otlp_read`, with the `texts` if need be.
    Returns whether some do."""
    some_ask, spans = run("SELECT bool_or(len(asked) > 0), (SELECT count(*) FROM otlp_read) FROM otlp_kinds", ())[0]
    if not some_ask:
        return False
    run("CREATE OR REPLACE TEMP TABLE otlp_asked (place BIGINT, request_hash VARCHAR, request VARCHAR)", ())
    asks = dict(cast("list[tuple[int, list[str]]]", run("SELECT rowid, asks FROM otlp_kinds", ())))
    form = '{"places": ["BIGINT"], "hashes": ["VARCHAR"], "requests": ["VARCHAR"]}'
    for low in range(0, int(str(spans)), _AT_ONCE):
        some = f"WHERE len(k.asked) > 0 AND r.rowid >= {low} AND r.rowid < {low + _AT_ONCE}"
        found = run(f"SELECT r.rowid, k.rowid, list_select(r.literals, k.asked) FROM {known('otlp_read')} {some}", ())
        places, hashes, requests = [], [], []
        for place, kind, values in cast("list[tuple[int, int, list[str | None]]]", found):
            asked = request_of(dict(zip(asks[kind], map(_value, values), strict=True)))
            if asked is not None:
                places.append(place)
                hashes.append(asked[0])
                requests.append(asked[1] if texts else None)
        told = msgspec.json.encode({"places": places, "hashes": hashes, "requests": requests}).decode()
        each = "unnest(one.places), unnest(one.hashes), unnest(one.requests)"
        run(f"INSERT INTO otlp_asked SELECT {each} FROM (SELECT from_json($1, '{form}') AS one)", (told,))
    return True


class _Text(msgspec.Struct, forbid_unknown_fields=True):
    stringValue: str  # noqa: N815  # as the protocol names it


_TEXT: Final = msgspec.json.Decoder(_Text)


def _value(literal: str | None) -> Attribute:
    """A value of the protocol; nearly every one is a text, alone in its object."""
    try:
        return _TEXT.decode(literal or "null").stringValue
    except msgspec.ValidationError:
        return value_of(msgspec.json.decode(literal or "null"))

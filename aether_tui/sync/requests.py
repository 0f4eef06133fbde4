"""A sample of requests: drawn from files, kept redacted for 14 days, so that categories can be found in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from aether_tui.cache import Cache
from aether_tui.errors import ConfigurationError, NoData
from aether_tui.ingest import Ingest
from aether_tui.ingest.requests import spread, user_words
from aether_tui.records import Row
from aether_tui.records.tables import REQUESTS, SPANS
from aether_tui.sync import registry
from aether_tui.sync.intake import BULK_ROWS, KEPT_DAYS, Intake, Writer
from connectors import files
from connectors.base import Malformed, Page
from connectors.otlp_span import NOT_ASKED
from connectors.requests import RequestFiles, read_requests

_TRACE, _START, _REQUEST = (
    [column.name for column in SPANS.raw].index(name) for name in ("trace_id", "start", "request")
)

MOST_STRATA = 200
_FEATURE = [column.name for column in SPANS.columns].index("feature")

_KEPT = """
FROM (
  SELECT id, text, (row_number() OVER (PARTITION BY stratum ORDER BY md5($seed || id)) - 0.5)
    / count(*) OVER (PARTITION BY stratum) AS place
  FROM requests WHERE "at" >= $since AND text IS NOT NULL AND text <> ''
  ORDER BY place, id LIMIT $n
)
SELECT text ORDER BY id
"""
_SAID = """
WITH first AS (
  SELECT s.source, s.trace_id, any_value(s.feature) AS feature, arg_min(p.prompt, (s.start, s.span_id)) AS prompt
  FROM span_payloads p JOIN spans s USING (source, trace_id, span_id)
  WHERE p.prompt IS NOT NULL AND NOT list_contains($not_asked, coalesce(s.operation, ''))
  GROUP BY s.source, s.trace_id
)
SELECT prompt, (row_number() OVER (PARTITION BY feature ORDER BY md5($seed || trace_id)) - 0.5)
  / count(*) OVER (PARTITION BY feature) AS place
FROM first ORDER BY place, trace_id LIMIT $n
"""


class Drawn(NamedTuple):
    """Some of the texts of files, with their strata, and how many requests each stratum had."""

    texts: dict[str, str | None]
    strata: dict[str, int]


def drawn(
    paths: Sequence[Path], column: str, stratum: str, size: int, seed: int, cache: Cache, ingest: Ingest, now: datetime
) -> Drawn:
    """The words of `size` different requests, from every stratum as many as its share of requests is: there those of the lowest
    seeded hash, whatever the order of files and rows.

    Of a trace its first request counts; its stratum is its feature. Raises ConfigurationError for a file that is not one of
    traces or texts, or a stratum of more than `MOST_STRATA` values.
    """

    def rank(text: str) -> bytes:
        return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=str(seed).encode()[:64]).digest()

    ranks: dict[str, dict[str, bytes]] = {}
    asked: Counter[str] = Counter()
    try:
        for path in files.expand(paths):
            for text, named in _texts(path, column, stratum, cache, ingest, now):
                name = named or ""
                asked[name] += 1
                found = ranks.setdefault(name, {})
                found[text] = found.get(text) or rank(text)
                if len(found) > 20 * size:
                    ranks[name] = dict(sorted(found.items(), key=lambda item: item[1])[:size])
            if len(ranks) > MOST_STRATA:
                raise ConfigurationError(
                    f"{stratum or 'the stratum'} has more than {MOST_STRATA} values, so that nothing can be drawn by it",
                    where=str(path), next_step="name a column of few values with --by",
                )  # fmt: skip
    except Malformed as error:
        raise ConfigurationError(error.what, next_step=error.hint) from error
    groups = {name: sorted(found, key=found.__getitem__)[:size] for name, found in ranks.items()}
    of = {text: name for name, texts in sorted(groups.items()) for text in texts}
    taken = dict.fromkeys(spread(groups, asked, size))
    return Drawn({text: of[text] or None for text in taken}, dict(asked))


def _texts(
    path: Path, column: str, stratum: str, cache: Cache, ingest: Ingest, now: datetime
) -> Iterator[tuple[str, str | None]]:
    head = files.sample(path)
    kind = next((one for one in registry.file_kinds(lambda _: None) if one.recognises(head)), None)
    if kind is None:
        for asked in read_requests(path, column, stratum):
            if words := user_words(asked.text).strip():
                yield words, asked.stratum
        return
    first: dict[object, Row] = {}
    for page in kind.pages([path], now):
        rows: list[Row] = list(page.rows.get(SPANS.name, ()))
        if page.bulk is not None:
            rows += [row for chunk in cache.read_bulk(page.bulk, BULK_ROWS, []) for row in chunk.get(SPANS.name, ())]
        for row in rows:
            start = row[_START]
            known = first.get(row[_TRACE])
            if isinstance(row[_REQUEST], str) and isinstance(start, datetime) and (
                known is None or start < known[_START]  # type: ignore[operator]  # both are instants
            ):  # fmt: skip
                first[row[_TRACE]] = row
    silent = [(*row[:_REQUEST], None, *row[_REQUEST + 1 :]) for row in first.values()]  # its text is not to be assigned
    for row, full in zip(first.values(), ingest.prepare(SPANS, silent), strict=True):
        feature = full[_FEATURE]
        if words := user_words(str(row[_REQUEST])).strip():
            yield words, feature if isinstance(feature, str) else None


def keep(writer: Writer, texts: Mapping[str, str | None]) -> int:
    """Store texts with their strata, redacted on their way; returns how many are new."""
    writer.open()
    at = writer.clock().astimezone(UTC).replace(tzinfo=None)
    intake = Intake(writer, RequestFiles.kind, "sample")
    rows = [REQUESTS.row(id=text, at=at, text=text, stratum=stratum) for text, stratum in texts.items()]
    counts = intake.page(Page({REQUESTS.name: rows}))
    counts.add(intake.finish())
    return counts.inserted


def kept(cache: Cache, now: datetime, size: int, seed: int) -> list[str]:
    """Up to `size` of the texts that are kept and not too old, in one order; then of requests of traces whose inputs are kept.

    Of a trace its first request counts. They are drawn by seed, from every stratum (feature) as many as its share is.
    """
    since = now.astimezone(UTC).replace(tzinfo=None) - timedelta(days=KEPT_DAYS)
    try:
        with cache.read() as lease:
            rows = lease.rows(_KEPT, {"since": since, "n": size, "seed": str(seed)})
            texts = [str(row["text"]) for row in rows]
            if len(texts) < size:
                rows = lease.rows(_SAID, {"n": 4 * size, "seed": str(seed), "not_asked": list(NOT_ASKED)})
                words = (user_words(str(row["prompt"])).strip() for row in rows)
                texts = list(dict.fromkeys([*texts, *(one for one in words if one)]))[:size]
    except NoData:
        return []
    return texts

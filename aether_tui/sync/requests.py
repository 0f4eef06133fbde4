"""A sample of requests: drawn from files, kept redacted for 14 days, so that categories can be found in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path

from aether_tui.cache import Cache
from aether_tui.errors import ConfigurationError, NoData
from aether_tui.ingest.requests import user_words
from aether_tui.records import Row
from aether_tui.records.tables import REQUESTS, SPANS
from aether_tui.sync import registry
from aether_tui.sync.intake import BULK_ROWS, KEPT_DAYS, Intake, Writer
from connectors import files
from connectors.base import Malformed, Page
from connectors.otlp_span import NOT_ASKED
from connectors.requests import RequestFiles, read_texts

_TRACE, _START, _REQUEST = (
    [column.name for column in SPANS.raw].index(name) for name in ("trace_id", "start", "request")
)

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


def drawn(paths: Sequence[Path], column: str, size: int, seed: int, cache: Cache, now: datetime) -> list[str]:
    """The words of `size` different requests: those of the lowest seeded hash, whatever the order of files and rows.

    Of a trace its first request counts. Raises ConfigurationError for a file that is not one of traces or texts.
    """

    def rank(text: str) -> bytes:
        return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=str(seed).encode()[:64]).digest()

    found: dict[str, bytes] = {}
    try:
        for path in files.expand(paths):
            for text in _texts(path, column, cache, now):
                if text not in found:
                    found[text] = rank(text)
            if len(found) > 20 * size:
                found = dict(sorted(found.items(), key=lambda item: item[1])[:size])
    except Malformed as error:
        raise ConfigurationError(error.what, next_step=error.hint) from error
    return [text for text, _ in sorted(found.items(), key=lambda item: item[1])[:size]]


def _texts(path: Path, column: str, cache: Cache, now: datetime) -> Iterator[str]:
    head = files.sample(path)
    kind = next((one for one in registry.file_kinds(lambda _: None) if one.recognises(head)), None)
    if kind is None:
        yield from (words for text in read_texts(path, column) if (words := user_words(text).strip()))
        return
    first: dict[object, tuple[datetime, str]] = {}
    for page in kind.pages([path], now):
        rows: list[Row] = list(page.rows.get(SPANS.name, ()))
        if page.bulk is not None and page.bulk.table is SPANS:
            rows += [row for chunk in cache.read_bulk(page.bulk, BULK_ROWS, []) for row in chunk]
        for row in rows:
            said, start = row[_REQUEST], row[_START]
            if isinstance(said, str) and isinstance(start, datetime) and (
                row[_TRACE] not in first or start < first[row[_TRACE]][0]
            ):  # fmt: skip
                first[row[_TRACE]] = start, said
    yield from (words for _, said in first.values() if (words := user_words(said).strip()))


def keep(writer: Writer, texts: Sequence[str]) -> int:
    """Store texts, redacted on their way; returns how many are new."""
    writer.open()
    at = writer.clock().astimezone(UTC).replace(tzinfo=None)
    intake = Intake(writer, RequestFiles.kind, "sample")
    rows = [REQUESTS.row(id=text, at=at, text=text) for text in texts]
    counts = intake.page(Page({REQUESTS.name: rows}))
    counts.add(intake.finish())
    return counts.inserted


def kept(cache: Cache, now: datetime, size: int, seed: int) -> list[str]:
    """The texts that are kept and not too old, in one order; then requests of traces whose inputs are kept, up to `size` in all.

    Of a trace its first request counts. They are drawn by seed, from every feature as many as its share is.
    """
    since = now.astimezone(UTC).replace(tzinfo=None) - timedelta(days=KEPT_DAYS)
    try:
        with cache.read() as lease:
            rows = lease.rows('SELECT text FROM requests WHERE "at" >= $since ORDER BY id', {"since": since})
            texts = [str(row["text"]) for row in rows if row["text"]]
            if len(texts) < size:
                rows = lease.rows(_SAID, {"n": 4 * size, "seed": str(seed), "not_asked": list(NOT_ASKED)})
                words = (user_words(str(row["prompt"])).strip() for row in rows)
                texts = list(dict.fromkeys([*texts, *(one for one in words if one)]))[: max(size, len(texts))]
    except NoData:
        return []
    return texts

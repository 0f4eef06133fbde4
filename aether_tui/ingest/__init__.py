"""What stands between a source and the cache: everything is cleaned, people are hashed, derived columns computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aether_tui.config import Config
from aether_tui.ingest.derive import INPUTS, Deriver, mapping_hash
from aether_tui.ingest.people import workspace_key
from aether_tui.ingest.redact import Redactor
from aether_tui.ingest.said import readable
from aether_tui.records import Column, Row, Table, Value
from aether_tui.records.source import Reject
from aether_tui.records.tables import SPAN_PAYLOADS

__all__ = ["Ingest", "workspace_key"]

PERSON_DIGITS = 16
RAW_CHARS = 4_000


class Ingest:
    """Prepares rows for the cache. `key` is the workspace's (`workspace_key`); not for two threads at once."""

    def __init__(self, config: Config, key: bytes) -> None:
        self.mapping_hash = mapping_hash(config)
        self._redactor = Redactor(key, config.privacy.patterns)
        self._deriver = Deriver(config)
        self._payloads = config.privacy.keep_payloads

    def keeps(self, table: str) -> bool:
        """Whether rows of a table may be stored at all: what was said only where the workspace asks for it."""
        return self._payloads or table != SPAN_PAYLOADS.name

    def prepare(self, table: Table, rows: Sequence[Row]) -> list[Row]:
        """Full rows (`Table.columns` order) of raw ones: cleaned, people hashed, derived columns filled in."""
        return self._deriver.derive(table, self.clean(table, rows))

    def clean(self, table: Table, rows: Sequence[Row]) -> list[Row]:
        """Raw rows as they may be written anywhere: cleaned, people hashed. Not to be cleaned twice."""
        if not rows:
            return []
        columns = zip(table.raw, zip(*rows, strict=True), strict=True)
        return list(zip(*(self._column(column, values) for column, values in columns), strict=True))

    def derive(self, table: Table, rows: Sequence[Row]) -> list[Row]:
        """Full rows of raw ones that are clean already (as they come out of the cache), by the present mapping."""
        return self._deriver.derive(table, rows)

    def inputs(self, table: Table) -> tuple[str, ...]:
        """The raw columns that `derive` looks at."""
        return INPUTS.get(table.name, ())

    def clean_text(self, text: str) -> str:
        """Any other text that is kept or shown: reasons, messages, places."""
        return self._redactor.text(text)

    def clean_reject(self, reject: Reject) -> Reject:
        """A reject as it may be stored."""
        return Reject(
            table=reject.table,
            reason=self.clean_text(reject.reason),
            raw=self.clean_text(reject.raw)[:RAW_CHARS],
            where=self.clean_text(reject.where),
        )

    def person(self, name: str) -> str | None:
        """The keyed hash that stands for a person; None for nobody."""
        folded = name.strip().casefold()
        return self._redactor.digest(folded, PERSON_DIGITS) if folded else None

    def _column(self, column: Column, values: Sequence[Value]) -> Sequence[Value]:
        redactor = self._redactor
        match column.kind:
            case "text":
                return _each(redactor.text, values)
            case "said":
                return [redactor.text(readable(v)) if isinstance(v, str) else None for v in values]
            case "id":
                return _each(redactor.identifier, values)
            case "person":
                return _each(self.person, [value if isinstance(value, str) else None for value in values])
            case "texts":
                return [tuple(map(redactor.text, value)) if isinstance(value, tuple) else value for value in values]
            case "json":
                return _each(redactor.json, values)
            case _:
                return values


def _each(clean: Callable[[str], str | None], values: Sequence[Value]) -> list[Value]:
    """Texts cleaned, each distinct one once; other values stay."""
    known: dict[Value, Value] = {
        value: clean(value) if isinstance(value, str) else value for value in dict.fromkeys(values)
    }
    return list(map(known.__getitem__, values))

"""What stands between a source and the cache: everything is cleaned, people are hashed, derived columns computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from aether_tui.config import Config
from aether_tui.ingest.asked import stored
from aether_tui.ingest.derive import INPUTS, Deriver, mapping_hash
from aether_tui.ingest.never import without
from aether_tui.ingest.people import workspace_key
from aether_tui.ingest.provable import harmless, shortened, unclean
from aether_tui.ingest.redact import MAX_CHARS, Redactor
from aether_tui.ingest.requests import user_words
from aether_tui.ingest.said import readable
from aether_tui.records import Column, Row, Table, Value
from aether_tui.records.model import MOST_MONEY
from aether_tui.records.source import MOST_RAW, Reject
from aether_tui.records.tables import MOST_REQUEST, SPAN_PAYLOADS

if TYPE_CHECKING:
    from aether_tui.ingest.categories import Assigner
    from aether_tui.workspace.folder import Workspace

__all__ = ["Ingest", "workspace_key"]

PERSON_DIGITS = 16
_MOST_INT = 2**63 - 1


class Ingest:
    """Prepares rows for the cache. `key` is the workspace's (`workspace_key`); not for two threads at once.

    `categories` assigns requests as they come; without it nothing of them is kept. `notes` are sentences for the reader. Rows cleaned by
    another `cleaned_by` are others.
    """

    def __init__(
        self, config: Config, key: bytes, categories: Assigner | None = None, notes: Sequence[str] = ()
    ) -> None:
        labels = categories.labels if categories else {}
        self.notes = tuple(notes)
        self.mapping_hash = mapping_hash(config, labels)
        self.derived_by = config.derived_by()
        self._redactor = Redactor(key, config.privacy.patterns)
        self._deriver = Deriver(config, labels)
        self._categories = categories
        self.cleaned_by = self._redactor.digest(
            f"{config.privacy.patterns} {config.privacy.keep_payloads}", PERSON_DIGITS
        )
        self._extra = bool(config.privacy.patterns)
        self._payloads = config.privacy.keep_payloads

    @classmethod
    def of(cls, workspace: Workspace, config: Config) -> Ingest:
        """That of a workspace, with its taxonomy; where its model cannot be read, requests are not assigned, and it says so."""
        key = workspace_key(workspace)
        if not (workspace.engagement / "taxonomy").is_dir():
            return cls(config, key)
        from aether_tui.errors import ConfigurationError
        from aether_tui.ingest.categories import assigner

        try:
            return cls(config, key, assigner(workspace))
        except ConfigurationError as error:
            return cls(config, key, notes=[f"requests are not assigned to categories: {error.sentence()}"])

    def keeps(self, table: str) -> bool:
        """Whether rows of a table may be stored at all: what was said only where the workspace asks for it."""
        return self._payloads or table != SPAN_PAYLOADS.name

    @property
    def assigns(self) -> bool:
        """Whether requests are assigned to categories: without it nothing of their texts is kept."""
        return self._categories is not None

    def prepare(self, table: Table, rows: Sequence[Row]) -> list[Row]:
        """Full rows (`Table.columns` order) of raw ones: cleaned, people hashed, derived columns filled in."""
        return self._deriver.derive(table, self.clean(table, rows))

    def clean(self, table: Table, rows: Sequence[Row]) -> list[Row]:
        """Raw rows as they may be written anywhere: cleaned, people hashed. Not to be cleaned twice."""
        if not rows:
            return []
        columns = zip(table.raw, zip(*rows, strict=True), strict=True)
        return list(zip(*(self.cleaned(column, values) for column, values in columns), strict=True))

    def derive(self, table: Table, rows: Sequence[Row]) -> list[Row]:
        """Full rows of raw ones that are clean already (as they come out of the cache), by the present mapping."""
        return self._deriver.derive(table, rows)

    def inputs(self, table: Table) -> tuple[str, ...]:
        """The raw columns that `derive` looks at."""
        return INPUTS.get(table.name, ())

    def unclean(self, column: Column, name: str) -> str:
        """SQL condition on the expression `name`: cleaning might change this value of `column`; else it surely does not."""
        # What the user's own expressions find cannot be told beforehand.
        return f"({name} IS NOT NULL)" if self._extra else unclean(column, name)

    def harmless(self, column: Column, name: str) -> str:
        """SQL condition: cleaning does not change this value of `column`, as can be told without asking what is `unclean`."""
        return "FALSE" if self._extra else harmless(column, name)

    def shortened(self, column: Column, name: str, done: str) -> str:
        """SQL: this value of `column`, which is not `unclean`, no longer than it is kept, unless that is `done`; `pads` are to be
        columns there."""
        return shortened(column, name, done)

    @property
    def pads(self) -> tuple[bytes, bytes]:
        """Of the keyed hash of what is cut: `inside` and `outside`."""
        return self._redactor.pads

    @property
    def deriver(self) -> Deriver:
        """What computes derived columns."""
        return self._deriver

    def clean_text(self, text: str) -> str:
        """Any other text that is kept or shown: reasons, messages, places."""
        return self._redactor.text(text)

    def identifier(self, name: str) -> str:
        """An identifier as it is stored."""
        return self._redactor.identifier(name)

    def clean_reject(self, reject: Reject) -> Reject:
        """A reject as it may be stored."""
        return Reject(
            table=reject.table,
            reason=self.clean_text(reject.reason),
            raw=self.clean_text(reject.raw)[:MOST_RAW],
            where=self.clean_text(reject.where),
        )

    def person(self, name: str) -> str | None:
        """The keyed hash that stands for a person; None for nobody."""
        folded = name.strip().casefold()
        return self._redactor.digest(folded, PERSON_DIGITS) if folded else None

    def _requests(self, values: Sequence[Value]) -> Sequence[Value]:
        """What is kept of requests: their category. One that was assigned already stays as it is."""
        said = [value for value in dict.fromkeys(values) if isinstance(value, str)]
        if not said:
            return values
        from aether_tui.ingest.categories import is_stored

        known: dict[Value, str | None] = {value: value for value in said if is_stored(value)}
        if self._categories is not None:
            new = [value for value in said if value not in known]
            words = {value: self._redactor.text(user_words(value))[:MOST_REQUEST] for value in new}
            distinct = list(dict.fromkeys(words.values()))
            assigned = dict(zip(distinct, self._categories.stored(distinct), strict=True))
            known.update({value: assigned[words[value]] for value in new})
        return [known.get(value) for value in values]

    def cleaned(self, column: Column, values: Sequence[Value]) -> Sequence[Value]:
        """Values of one raw column as they may be written anywhere."""
        redactor, most = self._redactor, column.most or MAX_CHARS
        match column.kind:
            case "text":
                return _each(lambda value: redactor.text(value, most), values)
            case "said":
                return [redactor.text(readable(v)) if isinstance(v, str) else None for v in values]
            case "asked":
                return [stored(v, redactor) if isinstance(v, str) else None for v in values]
            case "id":
                return _each(redactor.identifier, values)
            case "request":
                return self._requests(values)
            case "person":
                return _each(self.person, [value if isinstance(value, str) else None for value in values])
            case "texts":
                return [tuple(map(redactor.text, value)) if isinstance(value, tuple) else value for value in values]
            case "int":
                return _within(values, 0 if column.most else -_MOST_INT, column.most or _MOST_INT)
            case "money":
                return _within(values, 0 if column.most else -MOST_MONEY, MOST_MONEY)
            case "json":
                return _each(lambda value: redactor.json(without(value, column.never), most), values)
            case _:
                return values


def _within(values: Sequence[Value], least: int, most: int) -> Sequence[Value]:
    """Numbers, null where one is out of bounds: sums could not hold it."""
    found = [value for value in values if isinstance(value, int | Decimal)]
    if not found or (min(found) >= least and max(found) <= most):
        return values
    return [value if isinstance(value, int | Decimal) and least <= value <= most else None for value in values]


def _each(clean: Callable[[str], str | None], values: Sequence[Value]) -> list[Value]:
    """Texts cleaned, each distinct one once; other values stay."""
    known: dict[Value, Value] = {
        value: clean(value) if isinstance(value, str) else value for value in dict.fromkeys(values)
    }
    return list(map(known.__getitem__, values))

"""Work items, opportunities and invoices from a spreadsheet, by a mapping of columns that a person stated or accepted."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from difflib import get_close_matches
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from aether_tui.records.tables import COSTS, WORK_ITEMS
from connectors.base import Malformed, Page, Reject, Replace, Row, Sample
from connectors.files import name_of, written_at
from connectors.sheet_reading import Repeats, Table, read_table
from connectors.sheet_values import Dates, Numbers, Undecided, instant_of, is_month, number_of

Kind = Literal["text", "time", "number", "texts"]
Value = str | datetime | Decimal | tuple[str, ...] | None
_PAGE_ROWS = 20_000
"""Rows in memory at once: each page is a merge."""


@dataclass(frozen=True)
class Field:
    """One thing a row can say: its kind, whether it must be there, and what columns of it are called elsewhere."""

    kind: Kind = "text"
    required: bool = False
    called: tuple[str, ...] = ()


_ITEM: dict[str, Field] = {
    "id": Field("text", True, ("key", "issue key", "issue id", "ticket", "ticket id", "number", "nr", "no", "ref", "schlüssel")),
    "title": Field("text", True, ("summary", "name", "subject", "task", "issue", "description", "titel", "betreff", "titre")),
    "type": Field("text", False, ("issue type", "item type", "kind", "tracker", "typ")),
    "state": Field("text", False, ("status", "column", "stage", "list", "zustand", "statut", "état")),
    "created": Field("time", True, ("created at", "created on", "opened", "date created", "creation date", "erstellt", "angelegt", "créé")),
    "started": Field("time", False, ("started at", "start date", "in progress", "begonnen", "start")),
    "completed": Field("time", False, ("completed at", "done", "closed", "resolved", "finished", "end date", "erledigt", "terminé")),
    "cancelled": Field("time", False, ("canceled", "cancelled at", "abgebrochen")),
    "updated": Field("time", False, ("updated at", "last updated", "modified", "changed", "geändert")),
    "priority": Field("text", False, ("severity", "prio", "priorität", "priorité")),
    "estimate": Field("number", False, ("story points", "story point estimate", "points", "size", "aufwand", "estimation")),
    "project": Field("text", False, ("epic", "initiative", "projekt", "projet")),
    "team": Field("text", False, ("squad", "board", "group", "équipe", "project key")),
    "assignee": Field("text", False, ("owner", "assigned to", "responsible", "zuständig", "bearbeiter", "responsable")),
    "labels": Field("texts", False, ("tags", "label", "etiketten", "étiquettes")),
    "parent": Field("text", False, ("parent id", "parent key")),
    "url": Field("text", False, ("link", "address")),
}  # fmt: skip
_SCORES = {
    "impact": Field("text", False, ("value", "business value", "wirkung", "nutzen")),
    "confidence": Field("text", False, ("certainty", "sicherheit", "confiance")),
    "effort": Field("text", False, ("weeks", "effort weeks", "size", "aufwand")),
    "reversibility": Field("text", False, ()),
}
_INVOICE: dict[str, Field] = {
    "date": Field("time", True, ("day", "invoice date", "charge date", "period", "period start", "month", "datum", "rechnungsdatum")),
    "amount": Field("number", True, ("total", "cost", "net", "net amount", "price", "sum", "betrag", "summe", "montant")),
    "currency": Field("text", True, ("curr", "währung", "devise")),
    "provider": Field("text", False, ("vendor", "supplier", "company", "anbieter", "lieferant", "fournisseur")),
    "service": Field("text", False, ("product", "item", "line item", "description", "leistung", "beschreibung")),
    "account": Field("text", False, ("project", "subscription", "konto", "cost center", "cost centre", "kostenstelle")),
    "end": Field("time", False, ("period end", "until", "to", "bis")),
    "category": Field("text", False, ("charge category", "kind", "type")),
    "region": Field("text", False, ()),
}  # fmt: skip
FIELDS: dict[str, dict[str, Field]] = {
    "items": _ITEM,
    "opportunities": {
        **{name: one for name, one in _ITEM.items() if name != "type"},
        "created": Field("time", False, _ITEM["created"].called),
        **_SCORES,
    },
    "invoice": _INVOICE,
}
"""What can be said in a sheet, by its kind."""


@dataclass(frozen=True)
class Stated:
    """What a person said about a sheet: columns and constants by field, how dates and numbers are meant (empty: the cells
    must decide it), and whether what the headers suggest is accepted."""

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    dates: Literal["", "DMY", "MDY"] = ""
    decimal: Literal["", ",", "."] = ""
    accept: bool = False


class SheetFiles:
    """A kind of sheet. Never recognised by itself: what a column means is said with `--as` and `--map`."""

    kind = "items"
    title = "Work items of a spreadsheet (CSV or JSON lines), by --as items only"
    together = False
    _fills = WORK_ITEMS

    def __init__(self, stated: Stated | None = None) -> None:
        self.stated = stated or Stated()

    def recognises(self, sample: Sample) -> bool:
        """Never."""
        return False

    def pages(self, paths: Sequence[Path], now: datetime) -> Iterator[Page]:
        """Rows of the sheet's table. Raises Malformed naming file, line, column and what to do."""
        for path in paths:
            table = read_table(path)
            mapping = self._mapping(table)
            reading = _Reading(table, self.kind, mapping, self.stated)
            notes = [*table.notes, *self._told(table, mapping), *reading.notes]
            yield from self._pages(table, reading, notes, now)

    def _pages(self, table: Table, reading: _Reading, notes: Sequence[str], now: datetime) -> Iterator[Page]:
        replace = self._replace(table.path, now)
        rows: list[Row] = []
        rejects: list[Reject] = []
        told: dict[Hashable, int] = {}
        for line, cells in table.rows():
            try:
                rows.append(self._made(reading, cells, line, told))
            except ValueError as error:
                where = f"{name_of(table.path)}: line {line}"
                rejects.append(Reject(self._fills.name, str(error), reading.shown(cells), where))
            if len(rows) + len(rejects) == _PAGE_ROWS:
                yield Page({self._fills.name: rows}, rejects=rejects, problems=notes, replace=replace, path=table.path)
                rows, rejects, notes = [], [], ()
        yield Page({self._fills.name: rows}, rejects=rejects, problems=notes, replace=replace, path=table.path)

    def _replace(self, path: Path, now: datetime) -> Replace | None:
        return None

    def _made(self, reading: _Reading, cells: tuple[str, ...], line: int, told: dict[Hashable, int]) -> Row:
        values = reading.values(cells)
        name = str(values["id"])
        if name in reading.repeats and (first := told.setdefault(name, line)) != line:
            raise ValueError(f"the id {name} is that of line {first}")
        return self.row(values, line)

    def row(self, values: Mapping[str, Value], line: int) -> Row:
        """One row of the table. Raises ValueError."""
        said = {name: value for name, value in values.items() if name in _ITEM}
        names = {"team": "source_team", "type": "source_type"}
        named = {names.get(name, name): value for name, value in said.items()}
        estimate = named.get("estimate")
        named["estimate"] = None if estimate is None else float(str(estimate))  # type: ignore[assignment]
        scores = tuple(f"{name}: {values[name]}" for name in _SCORES if values.get(name))
        if self.kind == "opportunities":
            named["source_type"] = "Opportunity"
        labels = named.get("labels")
        named["labels"] = (*(labels if isinstance(labels, tuple) else ()), *scores)
        named.setdefault("key", named.get("id"))
        named["updated"] = named.get("updated") or _latest(named)
        return WORK_ITEMS.row(**named)

    # -- mapping

    def _mapping(self, table: Table) -> dict[str, str]:
        """Column by field: stated, or named exactly like the field, or suggested and accepted. Raises Malformed."""
        fields, stated = FIELDS[self.kind], self.stated
        for name, column in stated.columns.items():
            if name not in fields:
                raise self._refused(table, f"{self.kind} have no {name!r}", f"there are {', '.join(fields)}")
            if column not in table.columns:
                near = get_close_matches(column, table.columns, 1)
                meant = f"did you mean {near[0]!r}? " if near else ""
                raise self._refused(
                    table, f"no column {column!r} for {name}", f"{meant}there are {', '.join(table.columns)[:300]}"
                )
        if "id" in stated.constants:
            raise self._refused(table, "every row would have the same id", "say --map id=COLUMN; the title will do")
        exact = {name: name for name in fields if name in table.columns and name not in stated.constants}
        mapping = {**exact, **stated.columns}
        suggested = suggest(table.columns, self.kind, mapping)
        if stated.accept:
            mapping = {**suggested, **mapping}
        for name, column in mapping.items():
            if fields[name].kind != "texts" and len(table.twins(column)) > 1:
                others = ", ".join(repr(table.columns[place]) for place in table.twins(column)[1:])
                raise self._refused(
                    table,
                    f"two columns are called {column!r}",
                    f"give each column its own name, or map {name} to {others}",
                )
        missing = [
            name
            for name, one in fields.items()
            if one.required and name not in mapping and name not in stated.constants
        ]
        if missing:
            raise self._refused(
                table, f"no column is stated for {' and '.join(missing)}", self._how(table, missing, suggested)
            )
        return mapping

    def _how(self, table: Table, missing: Sequence[str], suggested: Mapping[str, str]) -> str:
        if suggested:
            maps = " ".join(f'--map "{name}={column}"' for name, column in suggested.items())
            left = [name for name in missing if name not in suggested]
            more = f"; say {' and '.join(left)} with {_how_to_say(left[0])}" if left else ""
            return f"the headers suggest {maps}: give those you agree with, or --accept{more}"
        return f"say which with {_how_to_say(missing[0])}; there are {', '.join(table.columns)[:300]}"

    def _told(self, table: Table, mapping: Mapping[str, str]) -> Iterator[str]:
        suggested = suggest(table.columns, self.kind, mapping)
        yield "columns: " + ", ".join(f"{name} = {column}" for name, column in mapping.items())
        read = {
            table.columns[place]
            for name, column in mapping.items()
            for place in (table.twins(column) if FIELDS[self.kind][name].kind == "texts" else ())
        } | set(mapping.values())
        left = [column for column in table.columns if column not in read]
        if left:
            by_column = {column: name for name, column in suggested.items()}
            words = [f"{one} (--map {by_column[one]}={one}?)" if one in by_column else one for one in left]
            yield f"not read: {', '.join(words)[:600]}"

    def _refused(self, table: Table, what: str, hint: str) -> Malformed:
        return Malformed(f"{name_of(table.path)}: line 1: {what}", hint=hint)


class OpportunityFiles(SheetFiles):
    """Opportunities of a sheet: work items whose scores are labels that `opportunity import` reads."""

    kind = "opportunities"
    title = "Opportunities of a spreadsheet (CSV or JSON lines), by --as opportunities only"


class InvoiceFiles(SheetFiles):
    """Invoices: one amount a row; a file replaces what was loaded before of the same provider and month."""

    kind = "invoice"
    title = "Invoices of a spreadsheet (CSV or JSON lines), by --as invoice only"
    _fills = COSTS

    def _replace(self, path: Path, now: datetime) -> Replace:
        return Replace(COSTS.name, ("provider", "billing_start"), written_at(path, now))

    def _made(self, reading: _Reading, cells: tuple[str, ...], line: int, told: dict[Hashable, int]) -> Row:
        if cells in reading.repeats:
            told[cells] = told.get(cells, 0) + 1
        values = reading.values(cells)
        if reading.says_month("date", cells) and values.get("end") is None:
            values["end"] = _next_month(values["date"])
        return self.row(values, told.get(cells, 1))

    def row(self, values: Mapping[str, Value], line: int) -> Row:
        """One charge; `line` tells identical ones apart. Raises ValueError."""
        start, end, amount = values["date"], values.get("end"), values["amount"]
        currency = str(values["currency"] or "").upper()
        if not isinstance(start, datetime) or not isinstance(amount, Decimal):
            raise ValueError("date and amount are needed")
        if not re.fullmatch(r"[A-Z]{3}", currency):
            raise ValueError(f"column currency: {currency[:20]!r} is no currency code such as EUR")
        month = start.replace(day=1, hour=0, minute=0, second=0)
        said = "\x1f".join(str(values.get(name)) for name in _INVOICE)
        return COSTS.row(
            row_hash=blake2b(f"{said}\x1f{line}".encode(), digest_size=16).hexdigest(),
            charge_start=start,
            charge_end=end if isinstance(end, datetime) else start + timedelta(days=1),
            billing_start=month,
            billing_end=_next_month(month),
            billed_cost=amount,
            effective_cost=amount,
            currency=currency,
            charge_category=_word(values.get("category")) or "Usage",
            provider=_word(values.get("provider")),
            source_service=_word(values.get("service")),
            account=_word(values.get("account")),
            region=_word(values.get("region")),
        )


def _how_to_say(name: str) -> str:
    return f"--map {name}=COLUMN" + (", the title will do" if name == "id" else f" or --set {name}=VALUE")


def suggest(columns: Sequence[str], kind: str, stated: Mapping[str, str]) -> dict[str, str]:
    """What the headers suggest for fields that nothing is stated for: a proposal, never applied by itself."""
    # Jira's export calls them so.
    bare = {column: re.sub(r"^custom field \((.*)\)$", r"\1", column.casefold()) for column in columns}
    left = {bare[column].replace("_", " ").strip(): column for column in columns if column not in stated.values()}
    found: dict[str, str] = {}
    for name, one in FIELDS[kind].items():
        words = (name, *one.called)
        if name not in stated and (word := next((word for word in words if word in left), "")):
            found[name] = left.pop(word)
    return found


class _Reading:
    """How the cells of one table are read. Raises Malformed for a column that can be meant in two ways."""

    def __init__(self, table: Table, kind: str, mapping: Mapping[str, str], stated: Stated) -> None:
        self.notes: list[str] = []
        self._kinds = {name: FIELDS[kind][name] for name in (*mapping, *stated.constants) if name in FIELDS[kind]}
        self._mapping, self._constants = mapping, stated.constants
        self._places = {
            name: table.twins(column) if FIELDS[kind][name].kind == "texts" else (table.columns.index(column),)
            for name, column in mapping.items()
        }
        self._meant: dict[str, bool | None] = {}
        self.repeats = Repeats()
        """Ids that stand in more than one row, or where there are none, rows."""
        dates = {name: Dates() for name in mapping if self._kinds[name].kind == "time"}
        numbers = {name: Numbers() for name in mapping if self._kinds[name].kind == "number"}
        deciding: dict[str, Dates | Numbers] = {**dates, **numbers}
        adds = [(self._places[name][0], one.add) for name, one in deciding.items()]
        own = self._places.get("id")
        # To the end: a file that cannot be read is refused before its first row is stored.
        for _, cells in table.rows():
            self.repeats.add(cells[own[0]] if own else cells)
            for place, add in adds:
                if cell := cells[place]:
                    add(cell)
        for name, column in mapping.items():
            try:
                if name in dates:
                    self._meant[name] = stated.dates == "DMY" if stated.dates else dates[name].day_first()
                elif name in numbers:
                    self._meant[name] = stated.decimal == "," if stated.decimal else numbers[name].comma()
            except ValueError as error:
                fix = "say --dates DMY or --dates MDY" if name in dates else "say --decimal , or --decimal ."
                if not isinstance(error, Undecided):
                    fix += ", and mend the others"
                raise Malformed(f"{name_of(table.path)}: column {column!r}: {error}", hint=fix) from error
            if name in dates and dates[name].serials:
                self.notes.append(f"column {column!r}: numbers are read as days of Excel (46296 is 2026-10-01)")
            if name in dates and dates[name].zoneless:
                self.notes.append(f"column {column!r}: times without a zone are read as UTC")

    def values(self, cells: Sequence[str]) -> dict[str, Value]:
        """One row by field. Raises ValueError naming the column."""
        found: dict[str, Value] = {}
        for name, one in self._kinds.items():
            told = [cells[place] for place in self._places.get(name, ()) if cells[place]]
            cell = told[0] if len(told) == 1 else ", ".join(told) or self._constants.get(name, "")
            try:
                found[name] = self._value(name, one.kind, cell)
                if one.required and found[name] is None:
                    raise ValueError("is empty")
            except ValueError as error:
                raise ValueError(f"column {self._mapping.get(name, name)!r}: {error}") from None
        return found

    def shown(self, cells: Sequence[str]) -> str:
        """What may be kept of a row that cannot be read: the cells asked for, without people."""
        places = (place for name, found in self._places.items() if name != "assignee" for place in found)
        return " | ".join(cells[place] for place in sorted(places))

    def says_month(self, name: str, cells: Sequence[str]) -> bool:
        """Whether the cell of a date is a month, such as 2026-10."""
        return any(is_month(cells[place]) for place in self._places.get(name, ()))

    def _value(self, name: str, kind: Kind, cell: str) -> Value:
        if not cell or cell.casefold() in {"null", "none", "n/a", "-", "–"}:
            return None
        match kind:
            case "time":
                return instant_of(cell, self._meant.get(name))
            case "number":
                return number_of(cell, bool(self._meant.get(name)))
            case "texts":
                return tuple(part.strip() for part in re.split(r"[,;|\n]", cell) if part.strip())
            case _:
                return str(cell)  # no Number, which nothing behind here knows


def _latest(named: Mapping[str, Value]) -> datetime | None:
    found = [
        value
        for name in ("created", "started", "completed", "cancelled")
        if isinstance(value := named.get(name), datetime)
    ]
    return max(found, default=None)


def _next_month(day: Value) -> datetime | None:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) if isinstance(day, datetime) else None


def _word(value: Value) -> str | None:
    return value if isinstance(value, str) else None

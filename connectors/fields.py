"""Reading JSON of strangers: a field that is missing or of another type is None, an instant of unknown form is an error."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from connectors.base import Reject, Row, Table

Node = Mapping[str, object]
"""A JSON object as it arrived."""

Rows = dict[str, list[Row]]
"""Raw rows by table name."""

_IDS = frozenset({"id", "key", "iid", "number", "identifier", "sha"})
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}[\d\-+:.TZ ]{0,30}")
_APART = timedelta(days=1)

Mapper = Callable[[Node], Mapping[str, Sequence[Row]]]
"""One object of a source to its rows. Raises ValueError for one that cannot be read."""


def dig(node: object, *path: str) -> object:
    """The value at `path` inside nested objects; None where a step is missing."""
    for name in path:
        if type(node) is not dict and not isinstance(node, Mapping):  # the check of a Mapping is ten times as slow
            return None
        node = node.get(name)
    return node


def text(node: object, *path: str) -> str | None:
    """Text or a number as text; empty text, like everything else, is None."""
    value = node
    for name in path:  # as `dig`, whose call would cost as much again: this is asked for most of all
        if type(value) is not dict and not isinstance(value, Mapping):
            return None
        value = value.get(name)
    if type(value) is str or value is None:
        return value or None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value) or None


def number(node: object, *path: str) -> float | None:
    """A finite number, also from text."""
    value = dig(node, *path)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def spent(node: object, *path: str) -> float | None:
    """Seconds something took; None below 0, as clocks of two machines make it."""
    found = number(node, *path)
    return found if found is not None and found >= 0 else None


def integer(node: object, *path: str) -> int | None:
    """A whole number, also from text; ids above 2^53 stay exact."""
    value = dig(node, *path)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):  # a union costs three times as much
        return None
    try:
        return int(value)
    except (ValueError, OverflowError):
        return None


def objects(node: object, *path: str) -> list[Node]:
    """The objects of a list; anything else in it is left out."""
    value = dig(node, *path)
    return (
        [item for item in value if type(item) is dict or isinstance(item, Mapping)] if isinstance(value, list) else []
    )


def names(items: Iterable[Node], field: str = "name") -> tuple[str, ...]:
    """The texts of one field of several objects."""
    return tuple(name for item in items if (name := text(item, field)) is not None)


def instant(node: object, *path: str) -> datetime | None:
    """An instant as naive UTC: ISO 8601 with any offset and any decimals, ` UTC`, or epoch seconds, ms, µs or ns.

    A missing or empty value is None. Raises ValueError for a form it does not know: that row is a reject. A number as text is none:
    `1761101512345` would be read as the year 1761.
    """
    value = dig(node, *path)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _epoch(value)
        raise ValueError(f"{'.'.join(path) or 'value'} is not an instant: {value!r}")
    try:
        read = datetime.fromisoformat("" if value.isdigit() else value.strip().removesuffix(" UTC"))
    except ValueError:
        raise ValueError(f"{'.'.join(path) or 'value'} is not an instant: {value[:60]!r}") from None
    try:
        return read if read.tzinfo is None else read.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        raise ValueError(f"{'.'.join(path) or 'value'} is beyond the calendar: {value[:60]!r}") from None


def _epoch(value: float) -> datetime:
    # Seconds of today have 10 digits, milliseconds 13, microseconds 16, nanoseconds 19.
    for limit, per_second in ((1e11, 1), (1e14, 10**3), (1e17, 10**6), (math.inf, 10**9)):
        if abs(value) < limit:
            try:
                return datetime.fromtimestamp(value / per_second, UTC).replace(tzinfo=None)
            except (ValueError, OverflowError, OSError):
                break
    raise ValueError(f"not an instant: {value!r}")


def zulu(at: datetime) -> str:
    """A naive UTC instant in the form all services read: `2026-11-21T08:00:00.000Z`."""
    return f"{at.isoformat(timespec='milliseconds')}Z"


def add(rows: Rows, more: Mapping[str, Sequence[Row]]) -> None:
    """Append the rows of `more` to `rows`, table by table."""
    for table, items in more.items():
        rows.setdefault(table, []).extend(items)


def mapped(nodes: Iterable[Node], table: str, mapper: Mapper) -> tuple[Rows, list[Reject]]:
    """The rows of every node; one that cannot be read becomes a reject of `table` and the others stay."""
    rows: Rows = {table: []}
    rejects: list[Reject] = []
    for node in nodes:
        try:
            add(rows, mapper(node))
        except (ValueError, ArithmeticError, RecursionError) as error:
            where = text(node, "id") or text(node, "number") or ""
            rejects.append(Reject(table, str(error), shown(node), where))
    return rows, rejects


def shown(node: Node) -> str:
    """What may be kept of an object that cannot be read: its own ids and numbers, and all dates; whatever else there was is `…`."""

    def dates(value: object) -> object:
        if isinstance(value, dict):
            return {str(name): dates(one) for name, one in value.items()}
        if isinstance(value, list):
            return [dates(one) for one in value]
        return value if value is None or (isinstance(value, str) and _DATE.fullmatch(value)) else "…"

    def own(name: str, value: object) -> bool:
        return isinstance(value, int | float) or (name in _IDS and isinstance(value, str) and " " not in value)

    try:
        kept = {name: value if own(name, value) else dates(value) for name, value in node.items()}
        return json.dumps(kept, ensure_ascii=False)
    except RecursionError:
        return "nested too deeply"


def latest(
    rows: Mapping[str, Sequence[Row]], table: Table, column: str, known: datetime | None, now: datetime | None = None
) -> datetime | None:
    """The greatest instant of one column (with `now`: that can be), or the one `known` before when that is later."""
    place = [raw.name for raw in table.raw].index(column)
    found = (at for row in rows.get(table.name, ()) if isinstance(at := row[place], datetime) and possible(at, now))
    return max((at for at in (known, *found) if at), default=None)


def possible(at: datetime, now: datetime | None) -> bool:
    """Whether a naive UTC instant can be when something happened: not in the year 1, which stands for none in some languages, nor
    (with an aware `now`) in the future, by two clocks that are a day apart at most.

    A cursor that a record from the future carried away would pass over everything until then.
    """
    return at.year > 1 and (now is None or at <= now.astimezone(UTC).replace(tzinfo=None) + _APART)

"""Attributes of spans and resources by what they mean: known fields, and what else may be stored.

Spans of one kind carry the same names, so what a set of names means is found out once and remembered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Union

import msgspec

from aether_tui.records.never_stored import NEVER_STORED
from aether_tui.records.tables import MOST_WORD
from aether_tui.text import begun
from connectors import otlp_aliases

Attribute = Union[None, bool, int, float, str, bytes, Decimal, Sequence["Attribute"], Mapping[str, "Attribute"]]  # noqa: UP007  # recursive
Attributes = Mapping[str, Attribute]

MAX_ATTRIBUTES: Final = 64
_REMEMBERED: Final = 1024
_REMEMBERED_CHARS: Final = 8192
_FIELD: Final = {name: (field, rank) for field, names in otlp_aliases.FIELDS.items() for rank, name in enumerate(names)}
_INPUT: Final = frozenset(otlp_aliases.INPUT)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a set of attribute names means: `known` pairs of name and field, a field's best name last; `kept` pairs of name and
    stored name; whether one of them `asks`, that is, holds what was asked of a model."""

    known: tuple[tuple[str, str], ...]
    kept: tuple[tuple[str, str], ...]
    asks: bool

    def sort(self, attributes: Attributes, resource: Resource) -> tuple[dict[str, Attribute], dict[str, Attribute]]:
        """Known fields, each by its best name (the span's before the resource's), and what else may be stored."""
        found = resource.found.copy()
        for name, field in self.known:
            value = attributes[name]
            if value not in (None, ""):
                found[field] = value
        rest = {stored: _short(attributes[name]) for name, stored in self.kept}
        if resource.rest:
            for name, value in resource.rest.items():
                if name not in rest and len(rest) < MAX_ATTRIBUTES:
                    rest[name] = value
        return found, rest


class Resource:
    """What all spans of one sender share, sorted once."""

    __slots__ = ("found", "rest")

    def __init__(self, attributes: Attributes) -> None:
        self.found: dict[str, Attribute] = {}
        self.rest: dict[str, Attribute] = {}
        self.found, self.rest = shape_of(tuple(attributes)).sort(attributes, self)


_SHAPES: dict[tuple[str, ...], Shape] = {}


def shape_of(names: tuple[str, ...]) -> Shape:
    """The shape of these names. Long ones are not remembered: a stranger could fill the memory with them."""
    shape = _SHAPES.get(names)
    if shape is None:
        shape = _shape(names)
        if sum(map(len, names)) <= _REMEMBERED_CHARS:
            if len(_SHAPES) >= _REMEMBERED:
                _SHAPES.clear()
            _SHAPES[names] = shape
    return shape


def _shape(names: tuple[str, ...]) -> Shape:
    ranked = sorted((name for name in names if name in _FIELD), key=lambda name: -_FIELD[name][1])
    kept: dict[str, str] = {}
    for name in names:
        if left_over(name) and len(kept) < MAX_ATTRIBUTES:
            kept[begun(name, MOST_WORD)] = name
    return Shape(
        known=tuple((name, _FIELD[name][0]) for name in ranked),
        kept=tuple((name, stored) for stored, name in kept.items()),
        asks=any(name in _INPUT or is_part(name, otlp_aliases.INPUT_PARTS) for name in names),
    )


def is_part(name: str, prefixes: tuple[str, ...]) -> bool:
    """Whether an attribute is one of several that together hold what was said."""
    return name.startswith(prefixes) and name not in _FIELD


def left_over(name: str) -> bool:
    """Whether an attribute of this name is kept among `attributes`: it is no known field, and may be stored."""
    return name not in _FIELD and not name.startswith(NEVER_STORED)


def sort_attributes(span: Attributes, resource: Attributes) -> tuple[dict[str, Attribute], dict[str, Attribute]]:
    """Known fields of one span and its resource, and what else may be stored."""
    return shape_of(tuple(span)).sort(span, Resource(resource))


def attributes_json(rest: Attributes) -> str | None:
    """What `sort_attributes` left over, as the `attributes` column."""
    if not rest:
        return None
    if float not in map(type, rest.values()):
        try:
            return msgspec.json.encode(rest).decode()
        except UnicodeEncodeError:  # half a surrogate pair
            pass
    return _encode(rest)


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _short(value: Attribute) -> Attribute:
    if type(value) is str:
        return begun(value, MOST_WORD)
    if isinstance(value, bool | int) or value is None:
        return value
    if isinstance(value, float | Decimal):
        value = float(value)
        return value if value - value == 0 else None  # JSON has neither NaN nor infinity
    return begun(as_json(value), MOST_WORD)


def as_json(value: Attribute) -> str:
    """A structure as text, its keys in order."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)

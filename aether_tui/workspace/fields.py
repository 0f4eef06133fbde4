"""The fields of a document as rows a person can fill in, from its pydantic model: one mechanism for every kind.

Works on plain data (`model_dump`), so that a document that is not yet valid can be shown and completed.
"""

from __future__ import annotations

import copy
import itertools
import re
import types
import typing
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from aether_tui.errors import ConfigurationError
from aether_tui.problems import nearest
from aether_tui.stats.cells import Cell
from aether_tui.text import one_line
from aether_tui.workspace.document import Document, Score

Path = tuple[str | int, ...]
Kind = Literal["line", "prose", "choice", "flag", "score", "number", "date", "group", "list", "table", "entry", "other"]
"""What a row is: a value of some type, a nested model (`group`), a list or table of things, one of them (`entry`)."""

MISSING = "is still to be said"
PROSE = 1000
"""Texts that may be this long are written in a text area."""
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
"""A comma that may set thousands apart, or decimals."""
_BORN = ("created", "raised", "started")
"""Dates that are today in a new document."""


@dataclass(frozen=True, slots=True)
class Field:
    """One row. `value` is plain data, None where nothing is said; `holds` is the model or type of an entry to be added."""

    path: Path
    kind: Kind
    annotation: object
    value: object = None
    help: str = ""
    prompt: str = ""
    choices: tuple[str, ...] = ()
    low: int = 0
    high: int = 0
    required: bool = False
    open: bool = False
    """An entry whose fields are shown."""

    @property
    def label(self) -> str:
        """Its name in words."""
        last = self.path[-1]
        return f"{last + 1}" if isinstance(last, int) else last.replace("_", " ")

    @property
    def depth(self) -> int:
        """How far it is indented."""
        return len(self.path) - 1

    @property
    def ranged(self) -> bool:
        """Whether three numbers may stand for one: low, most likely, high."""
        return _holds_range(bare(self.annotation))

    @property
    def missing(self) -> bool:
        """Whether a document cannot be stored without it."""
        return self.required and self.value is None

    def shown(self) -> str:
        """The value on one line."""
        return _shown(self)


def fields(
    model: type[BaseModel], data: Mapping[str, object], opened: Collection[Path] = (), at: Path = ()
) -> Iterator[Field]:
    """The rows of a document, its title first, nested ones under their headers; entries of lists and tables where they are opened."""
    for name, info in sorted(model.model_fields.items(), key=lambda each: each[0] != "title"):
        if at or name != "id":
            yield from _rows(_field((*at, name), info.annotation, info, data.get(name)), opened)


def _rows(field: Field, opened: Collection[Path]) -> Iterator[Field]:
    value = field.value
    inner = bare(field.annotation)
    if field.kind == "group" and isinstance(value, dict):
        yield field
        yield from fields(_model(inner), value, opened, field.path)
    elif field.kind == "list":
        yield field
        holds = _item(inner)
        for place, item in enumerate(value if isinstance(value, list | tuple) else ()):
            yield from _entry((*field.path, place), holds, item, opened)
    elif field.kind == "table":
        yield field
        holds = _item(inner)
        for key, item in (value if isinstance(value, dict) else {}).items():
            yield from _entry((*field.path, str(key)), holds, item, opened)
    else:
        yield field


def _entry(path: Path, holds: object, value: object, opened: Collection[Path]) -> Iterator[Field]:
    """One thing of a list or table: a row of its own, or a header that can be opened."""
    if is_model(holds) and isinstance(value, dict):
        here = path in opened
        yield Field(path, "entry", holds, value, help=_about(holds), open=here)
        if here:
            yield from fields(_model(holds), value, opened, path)
    else:
        yield _field(path, holds, None, value)


def _field(path: Path, annotation: object, info: FieldInfo | None, value: object) -> Field:
    kind, choices, low, high = _classified(annotation, info)
    extra = info.json_schema_extra if info is not None and isinstance(info.json_schema_extra, dict) else {}
    told = [info.description or "" if info is not None else "", str(extra.get("help", ""))]
    required = info is not None and info.is_required()
    if value is None and info is not None and not required:
        value = info.get_default(call_default_factory=True)
        value = value if value not in ("", [], {}, ()) else None
    help_ = "\n".join(part for part in told if part) or (_about(annotation) if kind == "group" else "")
    return Field(
        path, kind, annotation, value, help_, str(extra.get("prompt", "")), choices, low, high, required
    )  # fmt: skip


def _classified(annotation: object, info: FieldInfo | None) -> tuple[Kind, tuple[str, ...], int, int]:
    inner = bare(annotation)
    metadata = [*(info.metadata if info is not None else ()), *_metadata(annotation)]
    origin = typing.get_origin(inner)
    if inner is bool:
        return "flag", ("yes", "no"), 0, 0
    if origin is Literal:
        return "choice", tuple(map(str, typing.get_args(inner))), 0, 0
    if is_model(inner):
        return "group", (), 0, 0
    if inner is str:
        longest = max((getattr(item, "max_length", None) or 0 for item in metadata), default=0)
        return ("prose" if longest >= PROSE else "line"), (), 0, 0
    if inner is date:
        return "date", (), 0, 0
    if _is_number(inner):
        low, high = _range(metadata)
        return ("score" if 0 <= low < high <= 10 else "number"), (), low, high
    if origin in {list, tuple, set, frozenset}:
        return "list", (), 0, 0
    return ("table" if origin is dict else "other"), (), 0, 0


def _range(metadata: list[object]) -> tuple[int, int]:
    """Whole numbers a digit can mean; (0, 0) when digits mean nothing."""
    if any(item in typing.get_args(Score)[1:] for item in metadata):
        return 1, 10
    low = next((item.ge for item in metadata if hasattr(item, "ge")), None)
    high = next((item.le for item in metadata if hasattr(item, "le")), None)
    return (int(low), int(high)) if isinstance(low, int | float) and isinstance(high, int | float) else (0, 0)


def _is_number(inner: object) -> bool:
    if inner in {int, float, Cell}:
        return True
    if typing.get_origin(inner) in {typing.Union, types.UnionType}:
        return all(_is_number(bare(part)) for part in typing.get_args(inner))
    if typing.get_origin(inner) is tuple:
        parts = typing.get_args(inner)
        return Ellipsis not in parts and all(_is_number(bare(part)) for part in parts)
    return False


def _holds_range(inner: object) -> bool:
    if typing.get_origin(inner) in {typing.Union, types.UnionType}:
        return any(_holds_range(bare(part)) for part in typing.get_args(inner))
    return typing.get_origin(inner) is tuple or inner is Cell


def bare(annotation: object) -> object:
    """A type without `Annotated` and `| None`."""
    if typing.get_origin(annotation) is typing.Annotated:
        return bare(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        parts = [part for part in typing.get_args(annotation) if part is not types.NoneType]
        return bare(parts[0]) if len(parts) == 1 else annotation
    return annotation


def _metadata(annotation: object) -> list[object]:
    return list(annotation.__metadata__) if hasattr(annotation, "__metadata__") else []


def is_model(annotation: object) -> bool:
    """Whether it is a model with fields of its own."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _model(annotation: object) -> type[BaseModel]:
    assert isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return annotation


def item_field(field: Field, key: str | int) -> Field:
    """The row of a new entry of a list or table."""
    return _field((*field.path, key), _item(bare(field.annotation)), None, None)


def _item(inner: object) -> object:
    """What a list or table holds."""
    parts = [part for part in typing.get_args(inner) if part is not Ellipsis]
    item = parts[-1] if parts else str
    return bare(item) if is_model(bare(item)) else item


def _about(annotation: object) -> str:
    inner = bare(annotation)
    return " ".join((inner.__doc__ or "").split()) if is_model(inner) and isinstance(inner, type) else ""


def _shown(field: Field) -> str:
    value = field.value
    if field.kind == "entry":
        values = list(value.values()) if isinstance(value, dict) else []
        words = [plain(item) for item in values if isinstance(item, str | date) and item]
        # Numbers say little without their names: only where there are no words.
        said = words or [plain(item) for item in values if isinstance(item, int | float)]
        return f"{'▾' if field.open else '▸'} {' · '.join(one_line(item, 40) for item in said[:3])}"
    if field.kind in {"list", "table"}:
        size = len(value) if isinstance(value, list | tuple | dict) else 0
        return f"{size} of them" if size > 1 else "one" if size else "none yet"
    if field.kind == "group":
        return "" if value is not None else "not there"
    if isinstance(value, dict) and "value" in value:
        rests = [f"n {plain(value['n'])}"] if value.get("n") is not None else []
        rests += [plain(value["who"])] if value.get("who") else []
        return f"{plain(value)} ({', '.join(rests)})" if rests else plain(value)
    return plain(value)


def plain(value: object) -> str:
    """A value as a person types it; of a number with what it rests on, the number."""
    if isinstance(value, dict) and "value" in value:
        return plain(value["value"])
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return " ".join(plain(item) for item in value)
    return str(value)


def parse(field: Field, text: str, today: date) -> object:
    """What somebody typed as plain data; the model decides whether it may stand. Raises ConfigurationError."""
    said = text.strip()
    if field.kind == "prose":
        return text.rstrip()
    if field.kind == "choice" and said not in field.choices:
        near = nearest(said, field.choices) or next((c for c in field.choices if c.startswith(said)), None)
        if near is None:
            raise ConfigurationError(f"{said!r} is none of them", next_step=f"it is one of {', '.join(field.choices)}")
        return near
    if field.kind == "flag":
        if said.casefold() not in {"yes", "no", "y", "n", "true", "false"}:
            raise ConfigurationError(f"{said!r} is neither yes nor no", next_step="type yes or no")
        return said.casefold() in {"yes", "y", "true"}
    if field.kind == "date":
        return today if said.casefold() in {"today", "now"} else said
    if field.kind in {"number", "score"}:
        return _numbers(said, "type 4, or low, likely and high: 3 4 6" if field.ranged else "type for example 2.5")
    return said


def _numbers(text: str, example: str) -> object:
    parts = text.replace("[", " ").replace("]", " ").replace(";", " ").replace(" %", "%").split()
    if len(parts) == 1 and text.count(",") > 1:
        parts = text.split(",")
    numbers: list[float] = []
    for part in parts:
        number = decimal(part.strip(","), example)
        numbers.append(int(number) if number.is_integer() and abs(number) < 1e15 else number)
    return numbers[0] if len(numbers) == 1 else numbers


def decimal(text: str, example: str) -> float:
    """A number as people type it: `2.5`, `2,5`, `5%` for 0.05. Raises ConfigurationError, also for `12,000`: twelve, or twelve
    thousand?"""
    if _EITHER.fullmatch(text):
        plain = text.replace(",", "")
        raise ConfigurationError(f"{text!r} can be two numbers", next_step=f"type {plain}, or {text.replace(',', '.')}")
    number = text.replace(",", ".")
    try:
        return float(f"{number[:-1]}e-2" if number.endswith("%") else number)
    except ValueError:
        raise ConfigurationError(f"{one_line(text, 40)!r} is not a number", next_step=example) from None


# --- Plain data ----------------------------------------------------------------------------------------------------


def value_at(data: object, path: Path) -> object:
    """What stands at a path, or None."""
    for part in path:
        if isinstance(data, dict):
            data = data.get(part) if part in data else data.get(str(part))
        elif isinstance(data, list | tuple) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def with_value(data: dict[str, object], path: Path, value: object) -> dict[str, object]:
    """The data with `value` at a path; a place one behind a list's end appends, and None removes."""
    new = copy.deepcopy(data)
    here: object = new
    for part, then in itertools.pairwise(path):
        if isinstance(here, dict):
            if not isinstance(here.get(part), dict | list | tuple):
                here[part] = [] if isinstance(then, int) else {}
            if isinstance(here[part], tuple):
                here[part] = list(here[part])
            here = here[part]
        elif isinstance(here, list) and isinstance(part, int):
            here = here[part]
    last = path[-1]
    if isinstance(here, dict):
        if value is None:
            here.pop(last, None)
        else:
            here[last] = value
    elif isinstance(here, list) and isinstance(last, int):
        if value is None:
            del here[last : last + 1]
        elif last < len(here):
            here[last] = value
        else:
            here.append(value)
    return new


def begun(model: type[Document], today: date) -> dict[str, object]:
    """What a new document already says: today, where it asks when it began."""
    return {name: today for name in _BORN if name in model.model_fields}


def faults(model: type[BaseModel], data: Mapping[str, object]) -> list[tuple[Path, str]]:
    """What keeps data from being stored, in our own words; a required value that is not there says `MISSING`."""
    from aether_tui.problems import explain

    try:
        model.model_validate(dict(data))
    except ValidationError as error:
        found: list[tuple[Path, str]] = []
        for each in error.errors(include_url=False):
            problem = explain([each], model, "", {})[0]
            words = f"{problem.what}; {problem.fix}" if problem.fix else problem.what
            found.append((each["loc"], MISSING if each["type"] == "missing" else words))
        return found
    return []

"""What is wrong with a file that people write: file, line, key, and the way out. Shared by configuration, documents, budgets."""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel

from aether_tui.errors import ConfigurationError
from aether_tui.text import one_line, without_login

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Loc = tuple[str | int, ...]
Lines = Mapping[Loc, int]
"""Where each key of a file stands: path → line, counted from 1."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one file. `key` is dotted; `line` is None where it cannot be had."""

    file: str
    what: str
    key: str = ""
    line: int | None = None
    fix: str = ""

    @property
    def where(self) -> str:
        """`file:line: key`, as far as known."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}" if self.key else place

    def error(self, others: int = 0) -> ConfigurationError:
        """This problem as the exception of the command line, saying how many more there are."""
        more = f"{self.fix} (and {others} more)".strip() if others else self.fix
        return ConfigurationError(self.what, where=self.where, next_step=more)

    def sentence(self) -> str:
        """`file:line: key: what; fix`."""
        return self.error().sentence()


def raise_first(problems: Sequence[Problem]) -> None:
    """Raise ConfigurationError for the first problem, if there is one."""
    if problems:
        raise problems[0].error(len(problems) - 1)


def explain(
    errors: Iterable[ErrorDetails], model: type[BaseModel], file: str, lines: Lines, prefix: Loc = ()
) -> list[Problem]:
    """Pydantic's errors about `model` as problems of `file`, by line; keys are found under `prefix` in `lines`."""
    found = [_problem(error, model, file, lines, prefix) for error in errors]
    # What may be one of several things is wrong once for each of them.
    problems = list({(one.key, one.what): one for one in found}.values())
    return sorted(problems, key=lambda problem: (problem.what == "is missing", problem.line or 0))


def _problem(error: ErrorDetails, model: type[BaseModel], file: str, lines: Lines, prefix: Loc) -> Problem:
    loc = tuple(part for part in error["loc"] if part != "[key]")
    if loc and loc[-1] in _KINDS and not _fields(model, loc[:-1]):  # which of several kinds it was tried as
        loc = loc[:-1]
        error = {**error, "type": "string_type"}
    what, fix = _wording(error, model, loc)
    line = line_of(lines, prefix + loc) or (1 if lines else None)
    return Problem(file, what, dotted(prefix + loc), line, fix)


def dotted(loc: Loc) -> str:
    """`budgets[2].limit`."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return one_line(text, 120)


def line_of(lines: Lines, loc: Loc) -> int | None:
    """Line of a key, else of the nearest thing around it."""
    while loc:
        if (line := lines.get(loc)) is not None:
            return line
        loc = loc[:-1]
    return None


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The most similar of `names`, if any is similar."""
    choices = {choice.casefold(): choice for choice in names}
    found = difflib.get_close_matches(name.casefold(), choices, 1, 0.6)
    return choices[found[0]] if found else None


_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "string": "text",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "a table of keys and values",
    "model": "a table of keys and values",
    "date": "a date such as 2026-11-21",
}
_WRITTEN = {
    "a list": "write a list, such as [one, two]",
    "text": "put it in quotes",
    "a table of keys and values": "write keys, each with its value",
    "a whole number": "write for example 3",
    "a number": "write for example 2.5",
    "true or false": "write true or false",
}


def _wording(error: ErrorDetails, model: type[BaseModel], loc: Loc) -> tuple[str, str]:
    kind = error["type"]
    context: dict[str, object] = error.get("ctx", {})
    if kind == "extra_forbidden":
        names = _fields(model, loc[:-1])
        near = nearest(str(loc[-1]), names)
        return "unknown key", f"did you mean {near!r}?" if near else f"known keys are {', '.join(names)}"
    if kind == "missing":
        example = _example(model, loc)
        return "is missing", f"add {loc[-1]}: {example}" if example else "add it"
    if kind == "literal_error":
        expected = str(context.get("expected", ""))
        choices = re.findall(r"'([^']*)'", expected) or [expected]
        near = nearest(str(error["input"]), choices)
        one_of = f"it is one of {', '.join(choices)}"
        return f"{_shown(error['input'])} is not known", f"did you mean {near!r}? {one_of}" if near else one_of
    if kind in {"value_error", "assertion_error"}:
        what, _, fix = error["msg"].removeprefix("Value error, ").partition("; ")
        return what, fix
    stem = kind.partition("_")[0]
    if kind.endswith(("_type", "_parsing", "_from_float", "_parsing_size")) or kind.startswith(
        ("date_", "is_instance")
    ):
        wanted = _EXPECTED.get(stem)
        if wanted:
            example, given = _example(model, loc), error["input"]
            fix = "write it, or take the key out" if given is None and len(loc) else _WRITTEN.get(wanted, "")
            if wanted == "text" and isinstance(given, dict | list):
                fix = "write one text"
            return f"expected {wanted}, found {_shown(given)}", f"write for example {example}" if example else fix
    if kind == "string_pattern_mismatch":
        example = _example(model, loc) or _matching(str(context.get("pattern")))
        rule = f"write for example {example}" if example else f"it must match {context.get('pattern')}"
        return f"{_shown(error['input'])} is not how it is written", rule
    message = error["msg"].removeprefix("Input ").removeprefix("String ")
    bound = next((f"write {context[name]}{words}" for name, words in _BOUNDS.items() if name in context), "")
    return f"{_shown(error['input'])} {message}", bound


_KINDS = frozenset({"str", "int", "float", "bool"})
_BOUNDS = {
    "ge": " or more", "gt": " at least, not included", "le": " or less", "lt": " at most, not included",
    "min_length": " or more of them", "max_length": " or fewer of them",
}  # fmt: skip


def _matching(pattern: str) -> str:
    """Something that an id's or a currency's pattern matches; nothing for other patterns."""
    bare = re.match(r"\^\(?([A-Za-z-]+-)\\d", pattern)
    return f"{bare[1]}1" if bare else {"^[A-Z]{3}$": "USD"}.get(pattern, "")


def _example(model: type[BaseModel], loc: Loc) -> str:
    """How the value of a field is written, where its model says so."""
    current: object = model
    for part in loc[:-1]:
        current = field_type(current, part)
    if not (isinstance(current, type) and issubclass(current, BaseModel)):
        return ""
    field = current.model_fields.get(str(loc[-1])) if loc else None
    return str(field.examples[0]) if field and field.examples else ""


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {one_line(without_login(value), 40)!r}"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, dict):
        return "a table"
    return "nothing" if value is None else one_line(str(value), 40)


def _fields(model: type[BaseModel], loc: Loc) -> list[str]:
    """Names of the keys that may stand at `loc`."""
    current: object = model
    for part in loc:
        current = field_type(current, part)
    if isinstance(current, type) and issubclass(current, BaseModel):
        return list(current.model_fields)
    return []


def field_type(annotation: object, part: str | int) -> object:
    """What stands at one key of a model, dictionary or list; None where nothing may. `| None` and Annotated are left out."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(part))
        return _bare(field.annotation) if field else None
    return _bare((typing.get_args(annotation) or (None,))[-1])


def _bare(annotation: object) -> object:
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _bare(typing.get_args(annotation)[0])
    if origin in {typing.Union, types.UnionType}:
        rest = [part for part in typing.get_args(annotation) if part is not types.NoneType]
        return _bare(rest[0]) if len(rest) == 1 else annotation
    return annotation

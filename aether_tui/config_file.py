"""Reads `aether.toml` and the environment: every value with where it came from, every mistake with file, line and way out."""

from __future__ import annotations

import json
import os
import re
import tomllib
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ValidationError

from aether_tui.config import Config
from aether_tui.errors import ConfigurationError
from aether_tui.problems import Lines, Loc, Problem, dotted, explain, field_type, raise_first
from aether_tui.text import unseen, without_login
from aether_tui.workspace.folder import CONFIG_NAME, Workspace

ENV_PREFIX = "AETHER_"
_SECRET = re.compile(r"(^|_)(token|secret|password|passwd|api_?key|secret_key|private_key|credentials?)$", re.I)


@dataclass(frozen=True, slots=True)
class Setting:
    """One value and where it came from: `default`, `aether.toml:12`, or the name of an environment variable."""

    key: str
    value: object
    origin: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration, or what is wrong with it; `data` is what file and environment say, `origins` where."""

    config: Config | None
    data: dict[str, object]
    origins: Mapping[Loc, str]
    problems: tuple[Problem, ...]
    lines: Lines


def load_config(workspace: Workspace, environ: Mapping[str, str] | None = None) -> Config:
    """The validated configuration: environment (`AETHER_GATE__MIN_REQUESTS`) over `aether.toml` over defaults.

    Raises ConfigurationError naming file, line, key and the nearest valid name.
    """
    loaded = read_config(workspace, environ)
    raise_first(loaded.problems)
    assert loaded.config is not None
    return loaded.config


def read_config(workspace: Workspace, environ: Mapping[str, str] | None = None) -> Loaded:
    """As `load_config`, but answers with every problem and every origin. Raises only when the file is not TOML."""
    data, lines = _read_toml(workspace.config_path)
    origins: dict[Loc, str] = {loc: f"{CONFIG_NAME}:{line}" for loc, line in lines.items()}
    problems = [
        Problem(
            CONFIG_NAME,
            "secrets are not kept in files",
            dotted(loc),
            line,
            f"remove it; keep it with `aether-tui auth set {loc[1]}`",
        )
        for loc, line in lines.items()
        if len(loc) > 2 and loc[0] == "sources" and _SECRET.search(str(loc[-1]))
    ]
    variables = _environment(os.environ if environ is None else environ)
    for name, path, text in variables:
        loc = _put(data, path, text)
        origins[loc] = name
    config: Config | None = None
    try:
        # JSON in strict mode: text is not taken for a number, a whole number is taken for a float.
        config = Config.model_validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        found = explain(error.errors(include_url=False), Config, CONFIG_NAME, lines)
        problems += [_from_variable(problem, variables) for problem in found]
    return Loaded(config if not problems else None, data, origins, tuple(problems), lines)


def settings(loaded: Loaded) -> list[Setting]:
    """Every value with its origin, in the schema's order; empty tables of names are left out. Secrets are masked."""
    if loaded.config is None:
        return []
    return list(_walk(loaded.config.model_dump(mode="json"), (), loaded.data, loaded.origins))


def _walk(value: object, loc: Loc, given: object, origins: Mapping[Loc, str]) -> Iterator[Setting]:
    """`given` is what file and environment hold at `loc`, None where they are silent."""
    if isinstance(value, dict) and (value or not loc):
        for key, item in value.items():
            inner = given.get(key) if isinstance(given, dict) else None
            yield from _walk(item, (*loc, key), inner, origins)
        return
    origin = "default"
    if given is not None:
        origin = next((origins[loc[:size]] for size in range(len(loc), 0, -1) if loc[:size] in origins), CONFIG_NAME)
    yield Setting(dotted(loc), _masked(str(loc[-1]), value), origin)


def _masked(key: str, value: object) -> object:
    if _SECRET.search(key):
        return "•••"
    return without_login(value) if isinstance(value, str) else value


def check_source(config: Config, name: str, model: type[BaseModel], lines: Lines) -> list[Problem]:
    """What a connector's own `Settings` model says against `[sources.NAME]`."""
    try:
        model.model_validate(config.sources[name].model_dump())
    except ValidationError as error:
        return explain(error.errors(include_url=False), model, CONFIG_NAME, lines, ("sources", name))
    return []


def _read_toml(path: Path) -> tuple[dict[str, object], dict[Loc, int]]:
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise ConfigurationError(
            f"cannot be read: {error.strerror}", where=str(path), next_step="check its permissions"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"not UTF-8 text (byte {error.start})", where=str(path), next_step="save it as UTF-8"
        ) from error
    try:
        return tomllib.loads(text), _toml_lines(text)
    except tomllib.TOMLDecodeError as error:
        what, _, place = str(error).partition(" (at ")
        found = re.match(r"line (\d+), column (\d+)", place)
        where = f"{CONFIG_NAME}:{found[1]}:{found[2]}" if found else CONFIG_NAME
        at = f" (line {found[1]}, column {found[2]})" if found else f" ({place.rstrip(')')})" if place else ""
        sign = unseen(text.split("\n")[max(0, int(found[1]) - 2) : int(found[1])]) if found else ""
        fix = f"type the blanks there anew: one of them is a {sign}" if sign else "mend that line"
        raise ConfigurationError(f"broken TOML: {what}{at}", where=where, next_step=fix) from error


_HEADER = re.compile(r"^\s*(\[\[?)([^\[\]]+)\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:[\w-]+|"[^"\n]*"|'[^'\n]*')(?:\s*\.\s*(?:[\w-]+|"[^"\n]*"|'[^'\n]*'))*)\s*=""")


def _toml_lines(text: str) -> dict[Loc, int]:
    """Line of every table and key, as far as one pass over the lines can tell."""
    lines: dict[Loc, int] = {}
    counts: dict[Loc, int] = {}
    table: Loc = ()
    for number, line in enumerate(text.split("\n"), 1):
        if header := _HEADER.match(line):
            table = _toml_path(header[2])
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, *_toml_path(key[1])), number)
    return lines


def _toml_path(text: str) -> Loc:
    path: list[str] = []
    try:
        value: object = tomllib.loads(f"{text} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    while isinstance(value, dict):
        key, value = next(iter(value.items()))
        path.append(key)
    return tuple(path)


def _environment(environ: Mapping[str, str]) -> list[tuple[str, list[str], str]]:
    """Variables that set a value: name, path, text. Secrets (`AETHER_LINEAR_TOKEN`) have no double underscore."""
    return [
        (name, name.removeprefix(ENV_PREFIX).lower().split("__"), text)
        for name, text in sorted(environ.items())
        if name.startswith(ENV_PREFIX) and "__" in name
    ]


def _put(data: dict[str, object], path: list[str], text: str) -> Loc:
    """Set one value from the environment. Names of yours (sources, states) are found without regard to case."""
    loc: Loc = ()
    here = data
    annotation: object = Config
    for place, part in enumerate(path):
        key = next((name for name in here if name.casefold() == part), part)
        annotation = field_type(annotation, key)
        loc = (*loc, key)
        if place == len(path) - 1:
            here[key] = _from_text(annotation, text)
            break
        inner = here.get(key)
        here[key] = here = dict(inner) if isinstance(inner, dict) else {}
    return loc


def _from_text(annotation: object, text: str) -> object:
    """The text of a variable as the JSON value its key expects; a wrong one stays text and is refused with its name."""
    if annotation is str or annotation is None:
        return text
    if annotation is bool:
        return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(text.lower(), text)
    if typing.get_origin(annotation) is list and not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    if typing.get_origin(annotation) is typing.Literal:
        return text
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value


def _from_variable(problem: Problem, variables: Sequence[tuple[str, list[str], str]]) -> Problem:
    """The problem as one of the environment, when a variable set that key."""
    for name, path, _ in variables:
        key, found = ".".join(path), problem.key.casefold()
        if found == key or found.startswith(key + "[") or (problem.line is None and key.startswith(found + ".")):
            return replace(problem, file=f"environment variable {name}", line=None)
    return problem

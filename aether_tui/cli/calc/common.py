"""What all calculators share: output, and arguments that catch percentages and impossible values."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from aether_tui.cli.context import Context
from aether_tui.errors import ConfigurationError
from aether_tui.text import cells, one_line

Output = Mapping[str, object]
F = TypeVar("F", bound=Callable[..., Any])
LARGEST = 1e15
"""Beyond this (or, above zero, below its inverse) a number is a slip, and formulas would lose their digits."""


def usable(value: float) -> bool:
    """Whether one can compute with it: finite, and zero or of a size that occurs."""
    return value == 0 or 1 / LARGEST <= abs(value) <= LARGEST


class _Number(click.ParamType[float]):
    name = "number"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = float(str(value))
        except ValueError:
            self.fail(f"{str(value)[:40]!r} is not a number", param, ctx)
        if not usable(number):
            self.fail(f"{str(value)[:40]!r} is not a number one can compute with", param, ctx)
        return number


NUMBER = _Number()
"""Option type: a finite number of a size that occurs."""


def seed_option(command: F) -> F:
    """`--seed`, which is that of the whole command line unless given."""

    def seed(ctx: click.Context, _param: click.Parameter, value: int | None) -> int:
        context = ctx.find_object(Context) or Context()
        return context.seed if value is None else value

    return click.option("--seed", type=int, callback=seed, help="Fixes every draw.  [default: 0]")(command)


def show(output: Output, form: str) -> None:
    """Print one result: JSON with full precision, or one `name  value` line each."""
    if form == "json":
        click.echo(json.dumps(output, allow_nan=False))
        return
    width = max(len(name) for name in output)
    for name, value in output.items():
        if isinstance(value, list):
            click.echo(f"{name}:")
            _show_rows(value)
        else:
            click.echo(f"{name:{width}}  {_text(value)}")


def _show_rows(rows: Sequence[Mapping[str, object]]) -> None:
    """Rows with the same keys as an aligned table; text left, numbers right."""
    if not rows:
        return
    lines = [[str(key) for key in rows[0]], *([_text(cell) for cell in row.values()] for row in rows)]
    widths = [max(map(cells, column)) for column in zip(*lines, strict=True)]
    left = [isinstance(cell, str) for cell in rows[0].values()]
    for line in lines:
        padded = []
        for text, width, is_left in zip(line, widths, left, strict=True):
            space = " " * (width - cells(text))
            padded.append(text + space if is_left else space + text)
        click.echo("  " + "  ".join(padded).rstrip())


def _text(value: object) -> str:
    if value is None:
        return "—"
    if isinstance(value, float):
        return f"{value:.6g}"
    return one_line(str(value))


def share(name: str, value: float, *, closed: bool = False) -> float:
    """A fraction strictly between 0 and 1 (or including them); catches percentages."""
    inside = 0 <= value <= 1 if closed else 0 < value < 1
    if inside:
        return value
    hint = f"; {value:g} % is {value / 100:g}" if 1 <= value <= 100 else ""
    raise ConfigurationError(f"{name} must be a fraction between 0 and 1, not {value:g}{hint}", where="calc")


def positive(name: str, value: float) -> float:
    """A number above zero."""
    if value > 0 and usable(value):
        return value
    raise ConfigurationError(f"{name} must be above zero, not {value:g}", where="calc")


def numbers(name: str, text: str) -> list[float]:
    """Comma-separated finite numbers."""
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise ConfigurationError(
            f"{name} must be numbers separated by commas, not {text[:60]!r}", where="calc"
        ) from error
    if not all(map(usable, values)):
        raise ConfigurationError(f"{name} must hold finite numbers", where="calc")
    return values


STDIN = "standard input"


def file_argument(metavar: str) -> Callable[[F], F]:
    """The argument `file`; `-` becomes STDIN, which is also how messages name it."""
    return click.argument(
        "file", metavar=metavar, callback=lambda _ctx, _param, value: STDIN if value == "-" else value
    )


def read_input(file: str) -> bytes:
    """The bytes of a file, or of standard input."""
    try:
        return sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"cannot be read ({error.strerror})", where=file) from error


def read_document(file: str) -> object:
    """The plain content of a YAML file or of standard input."""
    from aether_tui.workspace.yaml_file import read_yaml

    return read_yaml(read_input(file), file)[0]


def read_table(file: str, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """(line, row) of a CSV file with exactly these columns, in any order; cells are stripped text."""
    import csv
    import io

    try:
        lines = csv.reader(io.StringIO(read_input(file).decode("utf-8-sig"), newline=""), strict=True)
        head = [cell.strip() for cell in next(lines, [])]
        if sorted(head) != sorted(columns):
            raise ConfigurationError(f"needs the columns {','.join(columns)}, not {','.join(head)[:80]}", where=file)
        rows = []
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(head):
                raise ConfigurationError(
                    f"line {lines.line_num} has {len(cells)} cells instead of {len(head)}", where=file
                )
            rows.append((lines.line_num, dict(zip(head, map(str.strip, cells), strict=True))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"is not CSV: {error}", where=file) from error
    return rows


def cell(row: Mapping[str, str], name: str, where: str) -> float:
    """The number in a cell of a table."""
    try:
        value = float(row[name])
    except ValueError:
        value = math.nan
    if not usable(value):
        raise ConfigurationError(f"{name} must be a finite number, not {row[name][:40]!r}", where=where)
    return value


def only(row: Mapping[str, object], allowed: Sequence[str], where: str) -> None:
    """Refuse unknown keys, naming the nearest known one."""
    import difflib

    for key in row:
        if key not in allowed:
            near = difflib.get_close_matches(str(key), allowed, 1)
            raise ConfigurationError(
                f"unknown key {key!r}" + (f", did you mean {near[0]!r}?" if near else ""), where=where
            )

"""What all calculators share: output, and arguments that catch percentages and impossible values."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from aether_tui.errors import ConfigurationError

Output = Mapping[str, object]
F = TypeVar("F", bound=Callable[..., Any])


def format_option(command: F) -> F:
    """`--format text|json`."""
    return click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)(
        command
    )


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


def _show_rows(rows: list[Mapping[str, object]]) -> None:
    """Rows with the same keys as an aligned table; text left, numbers right."""
    if not rows:
        return
    lines = [[str(key) for key in rows[0]], *([_text(cell) for cell in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    left = [isinstance(cell, str) for cell in rows[0].values()]
    for line in lines:
        cells = (
            cell.ljust(width) if is_left else cell.rjust(width)
            for cell, width, is_left in zip(line, widths, left, strict=True)
        )
        click.echo("  " + "  ".join(cells).rstrip())


def _text(value: object) -> str:
    if value is None:
        return "—"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)


def share(name: str, value: float, *, closed: bool = False) -> float:
    """A fraction strictly between 0 and 1 (or including them); catches percentages."""
    inside = 0 <= value <= 1 if closed else 0 < value < 1
    if inside:
        return value
    hint = f"; {value:g} % is {value / 100:g}" if 1 <= value <= 100 else ""
    raise ConfigurationError(f"{name} must be a fraction between 0 and 1, not {value:g}{hint}", where="calc")


def positive(name: str, value: float) -> float:
    """A number above zero."""
    if value > 0 and math.isfinite(value):
        return value
    raise ConfigurationError(f"{name} must be above zero, not {value:g}", where="calc")


def numbers(name: str, text: str) -> list[float]:
    """Comma-separated finite numbers."""
    try:
        values = [float(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise ConfigurationError(
            f"{name} must be numbers separated by commas, not {text[:60]!r}", where="calc"
        ) from error
    if not values or not all(map(math.isfinite, values)):
        raise ConfigurationError(f"{name} must hold finite numbers", where="calc")
    return values


def read_input(file: str) -> bytes:
    """The bytes of a file, or of standard input for `-`."""
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"cannot be read ({error.strerror})", where=file) from error

"""Data on stdout: one JSON value, or a table whose columns line up in terminal cells."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import click

from aether_tui.text import one_line

C = TypeVar("C", bound=Callable[..., Any] | click.Command)
_FOR = {
    "text": "text to read",
    "json": "json for programs",
    "md": "md for documents",
    "sql": "sql: what is asked of the cache",
}


def format_option(*forms: str) -> Callable[[C], C]:
    """`--format`, the first form unless another is given."""
    return click.option("--format", "form", type=click.Choice(forms), default=forms[0], show_default=True,
                        help="; ".join(_FOR[form] for form in forms) + ".")  # fmt: skip


FORMAT = format_option("text", "json")

LATE: Final = "late: older than privacy.retention_days keeps, or deleted at the source since; not stored"
"""What is said of a number of late rows."""


def print_json(value: object) -> None:
    """One JSON value and nothing else."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str, allow_nan=False))


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns two spaces apart, those of numbers aligned at the right; nothing is padded at the end of a line."""
    from rich.cells import cell_len

    cells = [[one_line(cell, 300) for cell in row] for row in rows]
    columns = list(zip(list(header), *cells, strict=True))
    widths = [max(map(cell_len, column)) for column in columns]
    right = [_of_numbers(column[1:]) for column in columns]
    for row in (list(header), *cells):
        blanks = (" " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        padded = (blank + cell if at else cell + blank for cell, blank, at in zip(row, blanks, right, strict=True))
        click.echo("  ".join(padded).rstrip())


_NUMBER = re.compile(r"[+−-]?\d[\d,]*(?:\.\d+)?(?:/\d+)?(?: ?%)?(?: [^\W\d_]+){0,2}(?:/[^\W\d_]+)?")
"""`1,965 USD/month`, `+9.3 %`, `27.1 M tokens`, `5/30`; no day, no version, no address."""


def _of_numbers(column: Sequence[str]) -> bool:
    """Whether a column holds numbers, and nothing else but what says that there is none."""
    said = [cell for cell in column if cell not in {"", "—", "-"}]
    return bool(said) and all(_NUMBER.fullmatch(cell) for cell in said)

"""Data on stdout: one JSON value, or a table whose columns line up in terminal cells."""

from __future__ import annotations

import json
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
    """Left-aligned columns, two spaces apart; the last one is not padded."""
    from rich.cells import cell_len

    cells = [[one_line(cell, 300) for cell in row] for row in rows]
    widths = [max(cell_len(row[place]) for row in (list(header), *cells)) for place in range(len(header))]
    for row in (list(header), *cells):
        padded = [cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(padded).rstrip())

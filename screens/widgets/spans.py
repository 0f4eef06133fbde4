"""Lines of text with roles instead of colours, measured in terminal cells: the vocabulary of everything drawn."""

from __future__ import annotations

from typing import Literal

from rich.cells import cell_len, chop_cells, set_cell_size

from aether_tui.report_model import State
from aether_tui.text import HARD, one_line, with_units

Role = Literal["text", "dim", "strong", "title", "accent", "good", "warn", "bad", "mark"]
"""What a piece of text is; the theme decides how it looks."""

Span = tuple[str, Role]
Line = tuple[Span, ...]

ROLE_OF: dict[State, Role] = {
    "pass": "good",
    "warn": "warn",
    "block": "bad",
    "inconclusive": "accent",
    "no-data": "dim",
    "info": "dim",
    "running": "accent",
}

WORDS: dict[State, str] = {
    "pass": "pass",
    "warn": "warn",
    "block": "block",
    "inconclusive": "inconclusive",
    "no-data": "no data",
    "info": "",
    "running": "running",
}


def clean(text: str) -> str:
    """Text from strangers on one line, harmless; text that is already so is returned at once."""
    return text if text.isprintable() else one_line(text, 2000)


def crop(text: str, cells: int) -> str:
    """`text` in at most `cells` cells, with an ellipsis when something is left out."""
    if cells <= 0:
        return ""
    if cell_len(text) <= cells:
        return text
    return set_cell_size(text, cells - 1).rstrip() + "…"


def crop_middle(text: str, cells: int) -> str:
    """`text` in at most `cells` cells, both ends of it: `llm.task…· refund`."""
    if cells < 5 or cell_len(text) <= cells:
        return crop(text, cells)
    head = set_cell_size(text, (cells - 1) * 2 // 5).rstrip()
    left = cells - 1 - cell_len(head)
    tail = text
    while cell_len(tail) > left:
        tail = tail[1:]
    return f"{head}…{tail.lstrip()}"


def pad(text: str, cells: int, *, right: bool = False) -> str:
    """`text` in exactly `cells` cells; `right` aligns it there."""
    text = crop(text, cells)
    blank = " " * (cells - cell_len(text))
    return blank + text if right else text + blank


def width_of(line: Line) -> int:
    """Cells a line takes."""
    return sum(cell_len(text) for text, _ in line)


def fit(line: Line, cells: int) -> Line:
    """A line of exactly `cells` cells: cropped with an ellipsis, or padded."""
    fitted: list[Span] = []
    left = cells
    for text, role in line:
        size = cell_len(text)
        if size > left:
            fitted.append((crop(text, left), role))
            left -= cell_len(fitted[-1][0])
            break
        fitted.append((text, role))
        left -= size
    if left > 0:
        fitted.append((" " * left, "text"))
    return tuple(fitted)


def wrapped(text: str, cells: int, lines: int) -> list[str]:
    """`wrap`, at most so many lines; what does not fit is marked by an ellipsis."""
    found = wrap(text, cells)
    return found if len(found) <= lines else [*found[: lines - 1], crop(f"{found[lines - 1]} …", cells)]


def wrap(text: str, cells: int) -> list[str]:
    """`text` in lines of at most `cells` cells, broken at spaces, none of them between a number and its unit; words that are too long
    are cut."""
    lines: list[str] = []
    line, size = "", 0
    for word in with_units(clean(text)).split(" "):
        for piece in chop_cells(word, cells) if cell_len(word) > cells else [word]:
            length = cell_len(piece)
            if line and size + 1 + length > cells:
                lines.append(line)
                line, size = piece, length
            else:
                line, size = (f"{line} {piece}", size + 1 + length) if line else (piece, length)
    if line:
        lines.append(line)
    return [one.replace(HARD, " ") for one in lines]

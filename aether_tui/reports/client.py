"""A report as somebody reads it who has no console: without commands, keys and what only its author can do."""

from __future__ import annotations

import re

from msgspec import Struct, structs

from aether_tui.diagnostics.registry import REPORTS
from aether_tui.report_model import Block, Checklist, Gap, Prose, Report, Table

_MORE = re.compile(r" in `aether-tui report ([a-z-]+)`")
_OURS = re.compile(r"aether-tui|aether\.toml|↵|\bpress [a-zA-Z]\b|\bg [a-z]\b")
"""What a sentence says that is meant for whoever sits at the console."""
_BETWEEN = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9])")


def without_commands(report: Report[Struct]) -> Report[Struct]:
    """The report for a client."""
    findings = tuple(structs.replace(one, action="") for one in report.findings)
    blocks = tuple(_block(one) for one in report.blocks if not (isinstance(one, Table) and one.aside))
    return structs.replace(report, findings=findings, blocks=blocks)


def _block(block: Block) -> Block:
    match block:
        case Checklist():
            items = tuple(structs.replace(item, next_step="") for item in block.items)
            return structs.replace(block, items=items, note=_sentences(block.note))
        case Gap():
            return structs.replace(block, next_step="", action="")
        case Table():
            rows = tuple(
                structs.replace(row, detail="") if row.detail.startswith(("aether-tui ", "cursor ")) else row
                for row in block.rows
            )
            return structs.replace(block, rows=rows, note=_sentences(block.note), empty=_sentences(block.empty))
        case Prose():
            return structs.replace(block, text="\n".join(_sentences(line) for line in block.text.split("\n")))
    return block


def _sentences(text: str) -> str:
    """A text without its sentences for whoever sits at the console; that there is more on another page stays."""
    kept = (_MORE.sub(lambda found: f" on the page {REPORTS[found[1]].title}", one) for one in _BETWEEN.split(text))
    return " ".join(one for one in kept if not _OURS.search(one))

"""What `x` shows of a report, completed by what is looked at: the window and the filters, and both in the commands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import TypeVar

from msgspec import Struct, structs

from aether_tui.diagnostics import metrics, windows
from aether_tui.diagnostics.frame import Data, parameters, text
from aether_tui.report_model import Block, Boxes, Checklist, Facts, Finding, Plot, Report, Table, Trend
from aether_tui.text import one_line

_COMMAND = re.compile(r"aether-tui report ([a-z-]+)(?: --format json)?")
WRITTEN = frozenset({"flywheel", "portfolio", "experiments", "playbook", "decisions", "commitments", "maturity", "stakeholders", "rituals",
                     "canvas", "handbook", "taxonomy"})  # fmt: skip
"""Reports of documents, whatever is looked at."""
MOST_NAMES = 300
"""As many names as `names.sql` lists: with more, one that is not among them may still be there."""
_WINDOW = frozenset({"since", "before"})
"""Parameters of queries that read the window, and not spans of their own."""

Explained = TypeVar("Explained", bound=Struct)


def completed(report: Report[Struct], data: Data) -> Report[Struct]:
    """The report with what it looks at, also where what `x` shows of a number lacks its filters or names a command without them."""
    narrows = report.report not in WRITTEN
    return structs.replace(
        report,
        looking=looking(data) if narrows else "",
        findings=(
            *((*unknown(data), *unheard(data)) if narrows else ()),
            *(behind(data) if report.freshness else ()),
            *report.findings,
        ),
        blocks=tuple(_block(block, data) for block in report.blocks),
    )


def unknown(data: Data) -> tuple[Finding, ...]:
    """Filters that name what no data name, and the names there are: nothing was found of them, which looks like nothing happened."""
    wanted = [name for name in ("team", "service", "feature") if getattr(data.filters, name)]
    rows = data.rows("names") if wanted else ()
    known = {name: [text(row["name"]) for row in rows if row["kind"] == name] for name in wanted}
    return tuple(
        Finding(
            id=f"looking.{name}",
            severity="warn",
            text=f"No {name} is called {one_line(value, 60)}; there are {_some(known[name])}.",
        )
        for name in wanted
        if known[name] and len(rows) < MOST_NAMES and (value := getattr(data.filters, name)) not in known[name]
    )


def unheard(data: Data) -> tuple[Finding, ...]:
    """Filters that no query takes, where some ask about the window: what is shown is not what is looked at."""
    asked = [parameters(name) for name, _ in data.asked]
    heard = {"environment" if name == "live" else name for names in asked for name in names}
    left = [name for name in data.filters.set_names() if name not in heard]
    if not left or not any(_WINDOW & names for names in asked):
        return ()
    said = data.filters.any_of(left)
    return (Finding(id="looking.whole", severity="warn", text=f"Nothing here can be narrowed to {said}."),)


def behind(data: Data) -> tuple[Finding, ...]:
    """That the mapping or prices in aether.toml were changed, and rows do not follow them yet."""
    if all(row["value"] == data.derived_by for row in data.rows("derived_by")):
        return ()
    text = "The mapping or prices in aether.toml have changed, and these numbers still follow the old ones."
    return (Finding(id="looking.derived", severity="warn", text=text, action="aether-tui sync"),)


def _some(names: Sequence[str]) -> str:
    told = ", ".join(one_line(name, 40) for name in names[:8])
    return f"{told} and {len(names) - 8} more in `aether-tui report sources`" if len(names) > 8 else told


def looking(data: Data) -> str:
    """Filters, and what the window is compared with where that is not the one before."""
    before = data.clock.previous
    against = f"compared with {windows.called(before)}" if before.label.partition(" ")[0] in {"to", "review"} else ""
    return ", ".join(filter(None, (data.filters.sentence(), against)))


def _block(block: Block, data: Data) -> Block:
    match block:
        case Facts():
            return structs.replace(block, facts=tuple(_told(fact, fact.why, data) for fact in block.facts))
        case Table():
            rows = tuple(_told(row, row.why, data) for row in block.rows)
            return _told(structs.replace(block, rows=rows), block.why, data)
        case Checklist():
            return structs.replace(block, items=tuple(_told(item, item.why, data) for item in block.items))
        case Boxes():
            rows_of = tuple(tuple(_told(box, box.why, data) for box in row) for row in block.rows)
            return structs.replace(block, rows=rows_of)
        case Plot() | Trend():
            return _told(block, block.why, data)
        case _:
            return block


def _told(item: Explained, why: str, data: Data) -> Explained:
    told = explained(why, data) if why else why
    return item if told == why else structs.replace(item, why=told)


def explained(why: str, data: Data) -> str:
    """Lines of `x`: filters before the query that they narrow, and commands that print the same number."""
    lines = why.split("\n")
    at = next((place for place, line in enumerate(lines) if line.startswith("query: ")), None)
    if at is not None and not any(line.startswith("filters: ") for line in lines) and _narrows(lines[at]):
        lines.insert(at, f"filters: {metrics.narrowed(data)}")
    return "\n".join(_command(line, data) for line in lines)


def _narrows(line: str) -> bool:
    names = (PurePosixPath(part).stem for part in line.removeprefix("query: ").partition(" (")[0].split(", "))
    return any(_WINDOW & parameters(name) for name in names)


def _command(line: str, data: Data) -> str:
    found = _COMMAND.fullmatch(line)
    return metrics.command(found[1], data) if found and found[1] not in WRITTEN else line

"""Pieces of a page, from the blocks of a report: each knows its height, its lines and which of them can be selected."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import zip_longest
from typing import Protocol

from rich.cells import cell_len

from aether_tui import human
from aether_tui.actions import BY_ID
from aether_tui.actions import shown as shown_keys
from aether_tui.report_model import GLYPHS, Check, Checklist, Finding, Gap, Prose, State, Trend
from screens.widgets.cells import buckets, course
from screens.widgets.spans import ROLE_OF, WORDS, Line, Role, clean, pad, width_of, wrap, wrapped

Told = tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""What an item says once it is asked: copy, detail, why, cut."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that can be selected. `detail` and `why` are what `↵` and `x` show; `action` is what `↵` runs instead. `cut` are texts
    its line has no room for; they stand above blocks that open in place of `detail`.

    With `words` these (copy, detail, why, cut) are made when somebody asks for them (`whole`), and not for 1,000 rows at once.
    """

    block: str
    row: str
    copy: str = ""
    detail: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    action: str = ""
    height: int = 1
    """Lines that should be in sight with it."""
    x: int = 0
    """Cells from the part's left edge, and the width of what the cursor marks there; 0 is the whole line."""
    width: int = 0
    cut: tuple[str, ...] = ()
    words: Callable[[], Told] | None = None

    @property
    def id(self) -> str:
        return f"{self.block}/{self.row}"

    def whole(self) -> Item:
        """With its words."""
        if self.words is None:
            return self
        copy, detail, why, cut = self.words()
        return replace(self, copy=copy, detail=detail, why=why, cut=cut, words=None)


class Part(Protocol):
    """A rectangle of lines. `items` are its selectable lines in order, by line number."""

    @property
    def height(self) -> int: ...

    @property
    def natural(self) -> int:
        """Cells it would like to have."""
        ...

    @property
    def items(self) -> Sequence[tuple[int, Item]]: ...

    def line(self, y: int, selected: Item | None) -> Line:
        """Line `y`; `selected` is the item under the cursor, when this part holds it."""
        ...

    def head(self, y: int) -> Line | None:
        """What stays in sight above line `y` when the part's beginning has scrolled away."""
        ...


@dataclass(slots=True)
class Lines:
    """A part whose lines are known at once."""

    lines: list[Line] = field(default_factory=list)
    items: list[tuple[int, Item]] = field(default_factory=list)
    tight: bool = False
    """Belongs to what stands above it: no empty line between."""

    @property
    def height(self) -> int:
        return len(self.lines)

    @property
    def natural(self) -> int:
        return max(map(width_of, self.lines), default=0)

    def line(self, y: int, selected: Item | None) -> Line:
        return self.lines[y]

    def head(self, y: int) -> Line | None:
        return None

    def add(self, line: Line, item: Item | None = None) -> None:
        """One more line, selectable when it has an item."""
        if item is not None:
            self.items.append((len(self.lines), item))
        self.lines.append(line)

    def prose(self, text: str, width: int, role: Role = "text", *, indent: str = "") -> None:
        """A wrapped paragraph."""
        for line in wrap(text, max(width - len(indent), 1)):
            self.add(((indent, "text"), (line, role)))


def headline(text: str, width: int) -> Lines:
    """The one sentence a reader needs."""
    part = Lines()
    part.prose(text, width, "strong")
    return part


NOTE_LINES = 2
_SENTENCES = re.compile(r"(?<=[.!?]) (?=[A-Z])")
Behind = tuple[tuple[str, ...], tuple[str, ...]]
SEVERITY: dict[str, State] = {"info": "info", "warn": "warn", "bad": "block"}


def findings(found: Sequence[Finding], width: int, behind: Callable[[tuple[str, ...]], Behind]) -> Lines:
    """Findings as sentences behind their glyph; `behind` tells of the numbers they name what each is, and why."""
    part = Lines()
    for finding in found:
        state = SEVERITY[finding.severity]
        step = next_step(finding.action or "")
        item = Item(
            "findings",
            finding.id,
            words=partial(_finding_words, finding, step, behind),
            action=finding.action or "" if not finding.evidence else "",
        )
        for number, line in enumerate(wrap(finding.text, width - 2)):
            if number == 0:
                part.add(((f"{GLYPHS[state]} ", ROLE_OF[state]), (line, "text")), item)
            else:
                part.add((("  ", "text"), (line, "text")))
    return part


def _finding_words(finding: Finding, step: str, behind: Callable[[tuple[str, ...]], Behind]) -> Told:
    told, why = behind(finding.evidence)
    return clean(finding.text), (*told, *([f"next: {step}"] if step else [])), why, ()


def next_step(action: str) -> str:
    """What to do, for a person: the key of an action, or the command itself."""
    known = BY_ID.get(action)
    return f"{known.title} ({shown_keys(known.keys)})" if known else clean(action)


def checklist(block: Checklist, width: int, keep: str) -> Lines:
    """Items with their evidence in a column beside them; a locked list says why and is drawn quietly."""
    part = Lines()
    part.lines += heading(block.title, width, state=block.state, note=block.locked or block.note)
    room = width - 2
    if any(check.evidence for check in block.items):
        longest = max(cell_len(clean(check.text)) for check in block.items)
        room = min(longest, room * 3 // 5)
    beside = max(width - 2 - room - 2, 8)
    for check in block.items:
        if keep not in f"{check.text} {check.evidence}".casefold():
            continue
        role: Role = "dim" if block.locked else "text"
        item = Item(block.id, check.id, clean(check.text), _check_detail(check), _check_why(check))
        glyph = ((f"{GLYPHS[check.state]} ", ROLE_OF[check.state] if not block.locked else "dim"),)
        told = wrapped(check.evidence, beside, NOTE_LINES) if check.evidence else []
        for number, (line, more) in enumerate(zip_longest(wrap(check.text, room), told, fillvalue="")):
            head = glyph if number == 0 else (("  ", "dim"),)
            tail = ((f"  {more}", "dim"),) if more else ()
            part.add((*head, (pad(line, room) if more else line, role), *tail), item if number == 0 else None)
    return part


_KINDS = {
    "auto": "verified against the cache",
    "document": "verified by a document",
    "manual": "a person ticks it (space)",
}


def _check_detail(check: Check) -> tuple[str, ...]:
    lines = [clean(check.evidence)] if check.evidence else []
    if check.next_step:
        lines.append(f"next: {clean(check.next_step)}")
    known = BY_ID.get(check.opens)
    again = (
        "; ↵ again: the requests that lack it" if check.behind
        else f"; ↵ again goes to {known.title}" if known is not None
        else "; ↵ again opens the document" if check.opens
        else ""
    )  # fmt: skip
    return (*lines, _KINDS[check.kind] + again)


def _check_why(check: Check) -> tuple[str, ...]:
    return (
        f"{GLYPHS[check.state]} {WORDS[check.state] or 'open'}: {clean(check.evidence) or 'nothing recorded yet'}",
        *(clean(line) for line in check.why.split("\n") if line),
        _KINDS[check.kind],
    )


CHART_ROWS = 3
_LEVELS = " ▁▂▃▄▅▆▇█"


def trend(block: Trend, width: int, words: bool) -> Lines:
    """A daily series three lines high with its extremes at the right, or in words."""
    part = Lines()
    known = [value for value in block.values if value is not None]
    item = Item(
        block.id,
        block.id,
        f"{clean(block.title)}: {course(block.values, block.unit)}",
        detail=(course(block.values, block.unit), clean(block.note))
        if block.note
        else (course(block.values, block.unit),),
        why=(
            *(clean(line) for line in block.why.split("\n") if line),
            f"{len(known)} of {len(block.values)} {block.step}s from {human.day(block.start)} have a value",
        ),
    )
    part.items.append((0, item))
    part.lines += heading(block.title, width, note=block.note)
    if not known:
        part.add(((f"no {block.step} has a value", "dim"),))
        return part
    if words:
        part.prose(course(block.values, block.unit), width)
        return part
    low, high = min(0.0, *known), max(*known, block.limit or 0.0)
    labels = [human.amount(high, block.unit), "", human.amount(low, block.unit)]
    means = buckets(block.values, max(min(width - 12, 2 * len(block.values)), 8))
    for row in range(CHART_ROWS):
        chart = "".join(_column(value, low, high, CHART_ROWS - 1 - row) for value in means)
        part.add(((chart, "accent"), (f" {labels[row]}", "dim")))
    ends = [f"limit {human.amount(block.limit, block.unit)}"] if block.limit is not None else []
    ends += [
        f"last {human.amount(known[-1], block.unit)}",
        f"{len(block.values)} {block.step}s from {human.day(block.start)}",
    ]
    part.add(((" · ".join(ends), "dim"),))
    return part


def _column(value: float | None, low: float, high: float, floor: int) -> str:
    if value is None or high == low:
        return " "
    eighths = round((value - low) / (high - low) * CHART_ROWS * 8) - floor * 8
    if floor == 0:
        eighths = max(eighths, 1)
    return _LEVELS[min(max(eighths, 0), 8)]


def prose(block: Prose, width: int) -> Lines:
    """Paragraphs of plain text."""
    part = Lines()
    if block.title:
        part.add(title(block.title))
    for paragraph in block.text.split("\n"):
        part.prose(paragraph, width)
    return part


def gap(block: Gap, width: int) -> Lines:
    """What would stand here, why it does not, and what to do."""
    part = Lines(tight=not block.title)
    item = Item(
        block.id,
        block.id,
        f"{clean(block.title)}: {clean(block.reason)}",
        detail=(clean(block.reason), f"next: {clean(block.next_step)}"),
        why=(clean(block.reason), *(clean(line) for line in block.why.split("\n") if line)),
        action=block.action if block.action in BY_ID else "",
    )
    told = f"{block.title} — {block.reason}" if block.title else block.reason
    for number, line in enumerate(wrap(told, width - 2)):
        part.add(((f"{GLYPHS['no-data']} " if number == 0 else "  ", "dim"), (line, "dim")), None if number else item)
    step = clean(block.next_step) or next_step(block.action)
    if step.startswith("aether-tui ") and item.action and not item.action.startswith("app."):
        step = f"↵ {BY_ID[item.action].title.lower()}, or {step}"
    if step:
        for number, line in enumerate(wrap(step, width - 4)):
            part.add((("  → " if number == 0 else "    ", "accent"), (line, "text")))
    return part


def title(text: str, state: State = "info") -> Line:
    """A block's title and its state."""
    line: Line = ((clean(text), "title"),)
    return line if state == "info" else (*line, ("  ", "text"), (f"{GLYPHS[state]} {WORDS[state]}", ROLE_OF[state]))


def heading(text: str, width: int, *, state: State = "info", note: str = "") -> list[Line]:
    """A block's title with a quiet note behind it, or under it where it does not fit; of a long one the first sentences (`x` says all)."""
    line, note = title(text, state), clean(note)
    first, *rest = _SENTENCES.split(note)
    for sentence in rest:
        if len(wrap(f"{first} {sentence}", width)) > NOTE_LINES:
            break
        first = f"{first} {sentence}"
    note = first
    if text and note and width_of(line) + 2 + cell_len(note) <= width:
        return [(*line, ("  ", "text"), (note, "dim"))]
    under: list[Line] = [((piece, "dim"),) for piece in wrap(note, width)] if note else []
    if width_of(line) > width > 0 and state == "info":
        return [*(((piece, "title"),) for piece in wrap(text, width)), *under]
    return [line, *under] if text else under

"""Tables: columns fitted to the width there is, rows drawn only when they are seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeVar

from msgspec import structs
from rich.cells import cell_len

from aether_tui import human
from aether_tui.report_model import GLYPHS, Fact, Facts, Quantity, Row, Table
from screens.widgets.cells import OF_A_HUNDRED, AnyCell, cell, change, course, is_missing, sort_key, sparkline
from screens.widgets.parts import Item, Lines, Told, heading, title
from screens.widgets.spans import ROLE_OF, WORDS, Line, Span, clean, crop_middle, pad, width_of, wrap, wrapped

GAP = 2
SAMPLE_ROWS = 100
"""Columns are as wide as in so many first rows, and in as many spread over the others with the last."""
MIN_TEXT = 14
"""Texts are not cropped below this."""
MOST_WORD = 24
"""Nor are words of a wrapped text cut that are at most so long."""
AN_INTERVAL = 26
"""An interval and its n; a reason that stands there takes what notes leave."""
WRAP_ROWS = 16
WRAP_LINES = 4
"""A short table of texts only is read, not scanned: its cells are wrapped instead of cropped."""

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Column:
    """A column as drawn: `natural` is what it would like, `least` what it can live with, `widest` what would show it whole."""

    key: str
    title: str
    right: bool
    priority: int
    natural: int
    least: int
    middle: bool = False
    """What does not fit is left out of the middle."""
    widest: int = 0


@dataclass(frozen=True, slots=True)
class Sort:
    """The order of one table: a column by number, and its direction."""

    column: int
    descending: bool


class TablePart(Generic[R]):
    """A table of a report. `spans` draws one row, `item` names it; both are called for the rows in sight only."""

    def __init__(
        self,
        rows: Sequence[R],
        columns: Sequence[Column],
        spans: Callable[[R], Sequence[Span]],
        item: Callable[[R, Sequence[int]], Item],
        *,
        heading: Sequence[Line] = (),
        titles: bool = True,
        sort: Sort | None = None,
        mark: str = "",
        wraps: bool = False,
        evenly: bool = False,
        below: Literal["", "each", "all"] = "",
    ) -> None:
        self._rows = rows
        self._columns = columns
        self._spans = spans
        self._item = item
        self._heading = list(heading)
        self._titles = titles and bool(rows)
        self._sort = sort
        self._mark = mark
        self._wraps = wraps
        self._evenly = evenly
        """What is left of the width is shared by all texts, not given to the most important first."""
        self._below = below
        """What is last in a row stands on lines of its own where it would be wrapped there, or in any row."""
        self._widths: list[int] = []
        self._wide = 0
        self._lines: list[Line] = []
        self._tops: list[int] = []
        self._items: list[tuple[int, Item]] | None = None
        self.natural = sum(column.natural for column in columns) + GAP * (len(columns) - 1)

    def fit(self, width: int) -> TablePart[R]:
        """Choose the columns for `width` cells: the least important go first, texts shrink, the rest keeps its width."""
        self._widths = fit_columns(self._columns, width, evenly=self._evenly)
        if self._wraps:
            rows = [self._spans(row) for row in self._rows]
            cells = [self._cells(spans) for spans in rows]
            everywhere = self._below == "all" and any(len(row[-1]) > 1 for row in cells)
            if everywhere:  # what stands before the notes has their room, too
                *first, beside, last = self._columns
                told = max(cell_len(spans[-2][0]) for spans in rows)
                beside, last = replace(beside, natural=told, widest=told), replace(last, natural=0, least=0, widest=0)
                self._widths = fit_columns([*first, beside, last], width)
                cells = [self._cells(spans) for spans in rows]
            self._wide = width
            for spans, row in zip(rows, cells, strict=True):
                self._tops.append(len(self._lines))
                self._lines += self._wrapped(spans, row, below=everywhere or (bool(self._below) and len(row[-1]) > 1))
        return self

    @property
    def _top(self) -> int:
        return len(self._heading) + self._titles

    @property
    def height(self) -> int:
        return self._top + (len(self._lines) if self._wraps else len(self._rows))

    @property
    def items(self) -> list[tuple[int, Item]]:
        if self._items is None:
            tops = self._tops if self._wraps else range(len(self._rows))
            self._items = [
                (self._top + y, self._item(row, self._widths)) for y, row in zip(tops, self._rows, strict=True)
            ]
        return self._items

    def line(self, y: int, selected: Item | None) -> Line:
        if y < len(self._heading):
            return self._heading[y]
        row = y - self._top
        if row < 0:
            return self._title_line()
        if self._wraps:
            return self._lines[row]
        marked = self._mark if selected is not None and self.items[row][1] is selected else ""
        return self._join(self._spans(self._rows[row]), marked)

    def head(self, y: int) -> Line | None:
        return self._title_line() if self._titles and y > len(self._heading) else None

    def _title_line(self) -> Line:
        titles: list[Span] = []
        for number, column in enumerate(self._columns):
            arrow = ("▾" if self._sort.descending else "▴") if self._sort and self._sort.column == number else ""
            titles.append((column.title + arrow, "dim"))
        return self._join(titles, "")

    def _cells(self, spans: Sequence[Span]) -> list[list[str]]:
        """The lines of each cell of a row."""
        room = list(self._widths)
        for number in reversed(range(len(spans) - 1)):  # as in `_join`, over the empty cells behind it
            if room[number] and room[number + 1] and not self._columns[number].right and not spans[number + 1][0]:
                room[number] += GAP + room[number + 1]
        return [wrapped(text, wide, WRAP_LINES) if wide else [] for (text, _), wide in zip(spans, room, strict=True)]

    def _wrapped(self, spans: Sequence[Span], cells: list[list[str]], *, below: bool) -> list[Line]:
        """One row as a few lines."""
        under: list[Line] = []
        if below and spans[-1][0].strip():
            indent = GAP + (self._widths[0] if self._widths[0] == 1 else 0)  # where labels begin, behind the glyphs
            text, role = spans[-1]
            under = [((" " * indent, "text"), (line, role)) for line in wrapped(text, self._wide - indent, WRAP_LINES)]
            cells = [*cells[:-1], []]
        lines = [
            self._join(
                [(cell[n] if n < len(cell) else "", role) for cell, (_, role) in zip(cells, spans, strict=True)], ""
            )
            for n in range(max(1, *map(len, cells)))
        ]
        return [*lines, *under]

    def _join(self, spans: Sequence[Span], marked: str) -> Line:
        """One line of cells; a text that is too long runs on over the empty cells behind it."""
        line: list[Span] = []
        shown = [one for one in zip(self._columns, self._widths, spans, strict=True) if one[1]]
        free = 0
        for number, (column, width, (text, role)) in enumerate(shown):
            if free and not text:
                free -= 1
                continue
            free, wide = 0, width
            while (
                not column.right
                and cell_len(text) > wide
                and number + free + 1 < len(shown)
                and not shown[number + free + 1][2][0]
            ):
                free += 1
                wide += GAP + shown[number + free][1]
            if line:
                line.append((" " * GAP, "text"))
            text = crop_middle(text, wide) if column.middle else text
            line.append((pad(text, wide, right=column.right), "mark" if marked and marked == column.key else role))
        return tuple(line)


def fit_columns(columns: Sequence[Column], width: int, *, evenly: bool = False) -> list[int]:
    """The width of each column, 0 for those left out; the first always stays, and so does a name that is cut in its middle.

    Every column gets what it would like before a long text gets what is left over; `evenly`, each gets the same share of it.
    """
    if not columns:
        return []
    kept = [i for i, column in enumerate(columns) if not i or column.natural]
    least = [column.least for column in columns]
    while len(kept) > 1 and (over := sum(least[i] for i in kept) + GAP * (len(kept) - 1) - width) > 0:
        last = min(reversed(kept[1:]), key=lambda i: columns[i].priority)
        if columns[last].middle and least[last] - over >= MIN_TEXT:
            least[last] -= over
        else:
            kept.remove(last)
    left = width - sum(least[i] for i in kept) - GAP * (len(kept) - 1)
    widths = [least[i] if i in kept else 0 for i in range(len(columns))]
    wanted = sum(columns[i].natural - columns[i].least for i in kept)
    share = min(left / wanted, 1) if evenly and wanted and left > 0 else 1
    for i in sorted(kept, key=lambda i: -columns[i].priority):
        more = max(min(int(share * (columns[i].natural - columns[i].least)), left), 0)
        widths[i] += more
        left -= more
    for i in sorted(kept, key=lambda i: -columns[i].priority):
        more = max(min(columns[i].widest - widths[i], left), 0)
        widths[i] += more
        left -= more
    widths[kept[0]] = min(widths[kept[0]], width)
    return widths


def table(
    block: Table, width: int, *, keep: str, sort: Sort | None, words: bool, mark: str, peers: Sequence[Table] = ()
) -> TablePart[Row]:
    """The part of a table block; a first column of glyphs appears when rows have a state and no column shows it."""
    rows = [row for row in block.rows if keep in _row_text(row)] if keep else list(block.rows)
    silent = {i for i in range(1, len(block.columns)) if all(_cell(row, i) in (None, "") for row in block.rows)}
    glyphs = any(row.state not in {None, "info"} for row in rows) and all(c.kind != "state" for c in block.columns)
    if sort:
        rows.sort(key=lambda row: sort_key(_cell(row, sort.column)), reverse=sort.descending)
        rows.sort(key=lambda row: is_missing(_cell(row, sort.column)))

    beside = human.rows(block)

    def spans(row: Row) -> list[Span]:
        by, of = beside(row), next((one for one in row.cells if isinstance(one, Quantity)), None)
        drawn = [cell(column, _cell(row, i), row.state, words, by[i], of) for i, column in enumerate(block.columns)]
        return [_glyph(row), *drawn] if glyphs else drawn

    def item(row: Row, widths: Sequence[int]) -> Item:
        def told() -> Told:
            cropped, left_out = _row_cut(block, row, widths[glyphs:], lines)
            said = tuple(filter(None, map(clean, row.detail.split("\n"))))
            new = tuple(one for one in cropped if not any(one.strip("“”") in part for part in said))
            return _copy(block, row), (*new, *said, *left_out), _row_why(block, row), cropped

        return Item(block.id, row.id, words=told)

    alike = [row for peer in peers if peer is not block and peer.columns == block.columns for row in peer.rows]
    sample = [spans(row) for row in (*_sampled(rows), *_sampled(alike))]
    prose = len(rows) <= WRAP_ROWS and all(column.kind in {"text", "state"} for column in block.columns)
    lines = WRAP_LINES if prose else 1
    columns = [Column("", "", False, 10, 1, 1)] if glyphs else []
    for i, column in enumerate(block.columns):
        name = clean(column.title) + (
            f" {column.unit}" if column.kind == "number" and column.unit in _HEADER_UNITS else ""
        )
        arrow = sort is not None and sort.column == i
        widest = max([cell_len(name) + arrow, *(cell_len(line[i + glyphs][0]) for line in sample)])
        if i in silent and not alike:
            columns.append(Column(column.key, name, False, 0, 0, 0))
            continue
        text = column.kind in {"text", "spark"} and widest > MIN_TEXT
        natural = max(min(widest, column.width or 48), cell_len(name)) if text and not words else widest
        longest = (
            max((cell_len(word) for line in sample for word in line[i + glyphs][0].split()), default=0) if prose else 0
        )
        columns.append(
            Column(
                column.key,
                name,
                column.kind == "number",
                10 if i == 0 else column.priority,
                natural,
                min(max(MIN_TEXT, column.least, min(longest, MOST_WORD)), natural) if text else natural,
                column.middle,
                widest,
            )
        )
    top = heading(block.title, width, note=block.note) if block.title or block.note else []
    if not rows:
        top += [((line, "dim"),) for line in wrap(block.empty or "nothing to show", width)]
    drawn_sort = replace(sort, column=sort.column + glyphs) if sort else None
    return TablePart(
        rows, columns, spans, item, heading=top, sort=drawn_sort, mark=mark, wraps=prose, evenly=prose
    ).fit(width)


def _sampled(rows: Sequence[Row]) -> Sequence[Row]:
    """The rows columns are measured by."""
    rest = len(rows) - SAMPLE_ROWS
    return (*rows[:SAMPLE_ROWS], *rows[: SAMPLE_ROWS - 1 : -max(rest // SAMPLE_ROWS, 1)]) if rest > 0 else rows


_HEADER_UNITS = frozenset({"USD", "USD/month", "USD/task", "tokens", "tokens/task", "per_day", "per_week", "days"})


def plain_facts(block: Facts, width: int) -> Lines | None:
    """Untitled figures without course or change in a line of their own, or None when there is more to them."""
    if block.title or any(fact.series or fact.previous is not None for fact in block.facts):
        return None
    part = Lines()
    line: Line = ()
    held: list[Fact] = []

    def flush() -> None:
        detail = tuple(f"{clean(f.label)}: {' · '.join(_fact_detail(f))}" for f in held)
        why = tuple(f"{clean(f.label)}: {' · '.join(_fact_why(f))}" for f in held if _fact_why(f))
        part.add(line, Item(block.id, held[0].id, " · ".join(detail), detail, why))

    for fact in block.facts:
        spans: Line = ((f"{GLYPHS[fact.state]} ", ROLE_OF[fact.state]),) if fact.state != "info" else ()
        spans = (*spans, (f"{clean(fact.label)} ", "dim"), (human.quantity(fact.value), "strong"))
        if fact.note:
            spans = (*spans, (f" {clean(fact.note)}", "dim"))
        if line and width_of(line) + 4 + width_of(spans) > width:
            flush()
            line, held = (), []
        line = (*line, ("    ", "text"), *spans) if line else spans
        held.append(fact)
    if held:
        flush()
    return part


def facts(block: Facts, width: int, *, keep: str, words: bool) -> TablePart[Fact] | Lines:
    """Key figures, one per line: state, label, value, change, course, evidence, note; plain ones share a line.

    Where intervals do not fit, none is cut: then only the numbers of observations stand there.
    """
    plain = plain_facts(block, width) if not keep else None
    if plain is not None:
        return plain
    shown = [fact for fact in block.facts if keep in f"{fact.label} {fact.note}".casefold()]

    def spans(fact: Fact, *, brief: bool = False) -> list[Span]:
        missing = fact.value.value is None
        told = structs.replace(fact.value, low=None, high=None) if brief else fact.value
        drawn = (
            course(fact.series, fact.value.unit)
            if words
            else sparkline(fact.series, OF_A_HUNDRED if fact.value.unit == "score" else None)
        )
        return [
            (GLYPHS[fact.state] if fact.state != "info" else " ", ROLE_OF[fact.state]),
            (clean(fact.label), "text"),
            (human.quantity(fact.value), "dim" if missing else "strong"),
            change(fact),
            (drawn, "accent"),
            (human.evidence(told), "dim"),
            (clean(fact.note), "dim"),
        ]

    def item(fact: Fact, _widths: Sequence[int]) -> Item:
        copy = f"{clean(fact.label)}: {human.quantity(fact.value)} {human.evidence(fact.value)}".rstrip()
        return Item(block.id, fact.id, copy, _fact_detail(fact), _fact_why(fact))

    plans = (
        ("", False, 10),
        ("", False, 10),
        ("", True, 10),
        ("", True, 8),
        ("", False, 9),
        ("", False, 6),
        ("", False, 7),
    )
    widest = _widest([spans(fact) for fact in shown])
    note = min(widest[6], MIN_TEXT)
    room = width - sum(widest[:5]) - note - GAP * (sum(map(bool, widest)) - 1)
    brief = (
        max((cell_len(human.evidence(fact.value)) for fact in shown if fact.value.value is not None), default=0) > room
    )
    lines = [spans(fact, brief=brief) for fact in shown]
    widest = _widest(lines)
    if widest[6]:  # a reason without a note has the notes' room, too
        told = [
            cell_len(line[5][0]) - (GAP + widest[6] if fact.value.value is None and not line[6][0] else 0)
            for line, fact in zip(lines, shown, strict=True)
        ]
        widest[5] = max(told)
    evidence = min(widest[5], max(MIN_TEXT, min(room, AN_INTERVAL)))
    least = [widest[0], min(widest[1], MIN_TEXT), *widest[2:5], evidence, note]
    columns = [Column(str(i), name, right, n, widest[i], least[i]) for i, (name, right, n) in enumerate(plans)]
    used = [i for i, column in enumerate(columns) if column.natural]

    def used_spans(fact: Fact) -> list[Span]:
        line = spans(fact, brief=brief)
        return [line[i] for i in used]

    top = [title(block.title)] if block.title else []
    wraps = len(shown) <= WRAP_ROWS  # so that neither a reason nor a note is cut
    below: Literal["each", "all"] = "all" if widest[6] else "each"
    return TablePart(
        shown, [columns[i] for i in used], used_spans, item, heading=top, titles=False, wraps=wraps, below=below
    ).fit(width)


def _widest(lines: Sequence[Sequence[Span]]) -> list[int]:
    """Cells of each column; none of one that only has blanks."""
    return [max(cell_len(text) if text != " " else 0 for text, _ in column) for column in zip(*lines, strict=True)] or [
        0
    ] * 7


def _fact_detail(fact: Fact) -> tuple[str, ...]:
    lines = [f"{human.quantity(fact.value)} {human.evidence(fact.value)}".strip()]
    if fact.previous is not None and fact.previous.value is not None:
        lines.append(f"before: {human.quantity(fact.previous)}")
    if fact.series:
        lines.append(course(fact.series, fact.value.unit))
    if fact.note:
        lines.append(clean(fact.note))
    if fact.value.connect:
        lines.append(f"a source of kind {clean(fact.value.connect)} would give it")
    return tuple(line for line in lines if line)


def _fact_why(fact: Fact) -> tuple[str, ...]:
    state = f"{GLYPHS[fact.state]} {WORDS[fact.state]}" if WORDS[fact.state] else ""
    return tuple(line for line in (*map(clean, fact.why.split("\n")), human.evidence(fact.value), state) if line)


def _cell(row: Row, index: int) -> AnyCell:
    return row.cells[index] if index < len(row.cells) else None


def _glyph(row: Row) -> Span:
    return (" ", "dim") if row.state is None or row.state == "info" else (GLYPHS[row.state], ROLE_OF[row.state])


def _row_text(row: Row) -> str:
    return " ".join([row.id, row.detail, *(c for c in row.cells if isinstance(c, str))]).casefold()


def _copy(block: Table, row: Row) -> str:
    return "\t".join(cell(column, _cell(row, i), row.state, True)[0] for i, column in enumerate(block.columns))


def _row_cut(block: Table, row: Row, widths: Sequence[int], lines: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a row has no room for: texts that so many lines of these widths cut, and in one line the columns left out."""
    pairs = [
        f"{clean(column.title)} {cell(column, _cell(row, i), row.state, True)[0]}"
        for i, column in enumerate(block.columns)
        if _cell(row, i) not in (None, "") and not widths[i]
    ]
    cropped = tuple(
        clean(c)
        for c, wide in zip(row.cells, widths, strict=False)
        if isinstance(c, str) and wide and cell_len(c) > wide and len(wrap(c, wide)) > lines
    )
    return cropped, (" · ".join(pairs),) if pairs else ()


def _row_why(block: Table, row: Row) -> tuple[str, ...]:
    lines = [clean(line) for line in (row.why or block.why).split("\n") if line]
    for i, column in enumerate(block.columns):
        value = _cell(row, i)
        if isinstance(value, Quantity) and (told := human.evidence(value)):
            lines.append(f"{clean(column.title)}: {human.quantity(value)} {told}")
    return (*lines, clean(block.note)) if block.note else tuple(lines)

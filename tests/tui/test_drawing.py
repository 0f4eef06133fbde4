"""Pure drawing: widths in cells, columns that fit, bars, sparklines, and text that stays text."""

from dataclasses import replace

import pytest
from rich.cells import cell_len

from aether_tui.report_model import Col, Fact, Facts, Quantity, Row, SavedReport, Table
from screens.base import titled
from screens.widgets import cells
from screens.widgets.layout import View, _open, lay_out
from screens.widgets.parts import Item
from screens.widgets.spans import crop, fit, pad, wrap
from screens.widgets.table import Column, Sort, fit_columns, table
from screens.widgets.table import facts as table_facts
from tests.tui.workspaces import HOSTILE, NOW, REPORTS, WINDOW

PLAIN = View()


def text_of(report: SavedReport, width: int, view: View = PLAIN) -> list[str]:
    layout = lay_out(report, view, width)
    return ["".join(text for text, _ in layout.line(y, None)) for y in range(layout.height)]


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("width", [60, 79, 119, 200])
@pytest.mark.parametrize("words", [False, True])
def test_every_line_is_exactly_as_wide_as_the_page(name, width, words):
    for line in text_of(REPORTS[name](), width, View(words=words)):
        assert cell_len(line) == width


@pytest.mark.parametrize("width", range(1, 12))
def test_wide_characters_are_measured_in_cells(width):
    text = "漢字 and emoji 🎉 ok"
    assert cell_len(crop(text, width)) <= width
    assert cell_len(pad(text, width)) == width
    assert all(cell_len(line) <= max(width, 2) for line in wrap(text, width))
    assert sum(cell_len(part) for part, _ in fit(((text, "text"),), width)) == width


@pytest.mark.parametrize("width", [79, 119])
def test_neither_the_reason_of_a_figure_nor_its_note_is_cut(width):
    reason, note = "n too small (2, needs 5)", "checkout-service; score 2; mean 4.8 (2025 survey)"
    value = Quantity(value=0.0126, unit="per_day", n=6, low=0.004, high=0.03)
    shown = Facts(id="f", title="Glance", facts=(
        Fact(id="a", label="lead time p50", value=Quantity(value=None, reason=reason, n=2), state="no-data", note="checkout-service"),
        Fact(id="b", label="deploys", value=value, series=(1.0, 2.0), note=note),
    ))  # fmt: skip
    lines = table_facts(shown, width, keep="", words=False)
    told = [" ".join(text for text, _ in lines.line(y, None)) for y in range(lines.height)]
    assert not any("…" in line for line in told)
    words = " ".join(told).split()
    assert {*reason.split(), *note.split()} <= {*words}
    own = {line.strip() for line in told} & {note, "checkout-service"}
    assert own == ({note, "checkout-service"} if width == 79 else set())  # lines of their own, in every row or in none
    assert wrap("a median of 12 d", 14) == ["a median of", "12 d"]  # a number keeps its unit


def test_nothing_a_stranger_wrote_reaches_the_terminal_raw():
    for name, make in REPORTS.items():
        for view in (View(), View(words=True)):
            page = "".join(text_of(make(), 119, view))
            assert page.isprintable(), name
    assert "[@click=app.quit]quit[/]" in "".join(text_of(REPORTS["summary"](), 119))
    assert "\x1b" in HOSTILE


def test_a_course_in_words_has_the_unit_of_what_its_row_measures():
    columns = (Col(key="now", title="now", kind="number"), Col(key="trend", title="trend", kind="spark"))
    rows = (
        Row(id="a", cells=(Quantity(value=1800, unit="s"), (3600.0, None, 1800.0))),
        Row(id="b", cells=(Quantity(value=3, unit="money", currency="EUR"), (3.0, 4.0))),
    )
    part = table(Table(id="t", columns=columns, rows=rows), 100, keep="", sort=None, words=True, mark="")
    part.fit(100)
    said = "\n".join("".join(text for text, _ in part.line(y, None)) for y in range(part.height))
    assert "60 min to 30 min, lowest 30 min, highest 60 min" in said and "3.00 EUR to 4.00 EUR" in said


def test_columns_shrink_then_leave_by_priority():
    columns = [Column("a", "a", False, 10, 8, 8), Column("b", "b", False, 9, 40, 14), Column("c", "c", True, 3, 10, 10)]
    assert fit_columns(columns, 80) == [8, 40, 10]
    assert fit_columns(columns, 50) == [8, 28, 10]
    assert fit_columns(columns, 30) == [8, 20, 0]
    assert fit_columns(columns, 10) == [8, 0, 0]
    named = [columns[0], replace(columns[1], middle=True, least=25), columns[2]]
    assert fit_columns(named, 25) == [8, 15, 0] and fit_columns(named, 23) == [8, 0, 0]


def test_wrapped_texts_share_what_is_left():
    columns = [Column("a", "a", False, 10, 44, 14), Column("b", "b", False, 6, 74, 14)]
    assert fit_columns(columns, 62) == [44, 16]
    assert fit_columns(columns, 62, evenly=True) == [24, 35]
    assert fit_columns(columns, 120, evenly=True) == [44, 74]


def test_numbers_are_right_aligned_in_one_column():
    lines = text_of(REPORTS["portfolio"](), 119)
    ends = {line.index("quick win") for line in lines if "quick win" in line}
    assert len(ends) == 1
    scores = [line[: line.index("quick win")].split()[-2] for line in lines if "quick win" in line]
    assert (
        len(
            {
                line.index(score) + len(score)
                for line, score in zip([x for x in lines if "quick win" in x], scores, strict=True)
            }
        )
        == 1
    )


def test_filter_keeps_what_contains_it_and_sort_orders_by_value():
    report = SavedReport(
        report="t",
        title="t",
        as_of=NOW,
        window=WINDOW,
        blocks=(
            Table(
                id="t",
                columns=(Col(key="n", title="name"), Col(key="v", title="value", kind="number")),
                rows=tuple(
                    Row(id=name, cells=(name, value)) for name, value in (("a", 9.0), ("b", 100.0), ("c", None))
                ),
            ),
        ),
    )
    rows = lambda view: [stop.item.row for stop in lay_out(report, view, 60).stops]  # noqa: E731
    assert rows(View()) == ["a", "b", "c"]
    assert rows(View(sorts=(("t", Sort(1, True)),))) == ["b", "a", "c"]
    assert rows(View(sorts=(("t", Sort(1, False)),))) == ["a", "b", "c"]
    assert rows(View(keep="B")) == ["b"]
    none = lay_out(report, View(keep="zzz"), 60)
    assert none.stops == [] and "contains “zzz”; esc" in "".join(text for text, _ in none.line(none.height - 1, None))


def test_numbers_in_texts_sort_as_numbers():
    values = ["1,204.5 USD", "98", "OPP", 3.0, Quantity(value=500.0, unit="s")]
    shown = sorted(values, key=cells.sort_key)
    assert shown == [3.0, "98", Quantity(value=500.0, unit="s"), "1,204.5 USD", "OPP"]


@pytest.mark.parametrize(
    ("share", "drawn"), [(0.0, "··········"), (0.5, "█████·····"), (0.74, "███████▍··"), (2.0, "██████████")]
)
def test_bars_are_in_eighths_of_a_cell(share, drawn):
    assert cells.bar(share) == drawn


def test_sparklines_keep_gaps_and_never_exceed_their_cells():
    assert cells.sparkline((0.0, None, 7.0)) == "▁ █"
    assert cells.sparkline((5.0, 5.0)) == "▄▄"
    assert cells.sparkline((None, None)) == ""
    assert len(cells.sparkline(tuple(float(i) for i in range(500)))) == cells.SPARK_CELLS


@pytest.mark.parametrize(
    ("now", "before", "unit", "better", "drawn"),
    [
        (62, 56, "score", "higher", ("+6", "good")),
        (0.36, 0.30, "ratio", "lower", ("+6 pt", "bad")),
        (86_400.0, 172_800.0, "s", "lower", ("−24 h", "good")),
        (5, 5, "count", "higher", ("=", "dim")),
    ],
)
def test_a_change_has_sign_unit_and_meaning(now, before, unit, better, drawn):
    fact = Fact(
        id="f",
        label="f",
        value=Quantity(value=now, unit=unit),
        previous=Quantity(value=before, unit=unit),
        better=better,
    )
    assert cells.change(fact) == drawn


def test_narrow_tables_stand_side_by_side_when_there_is_room():
    wide, narrow = (lay_out(REPORTS["lens"](), View(), width).height for width in (119, 50))
    assert wide < narrow / 2


def test_a_thousand_times_more_rows_cost_drawing_only_what_is_seen():
    rows = tuple(Row(id=str(i), cells=(f"row {i}", float(i))) for i in range(20_000))
    columns = (Col(key="n", title="name"), Col(key="v", title="value", kind="number"))
    report = SavedReport(
        report="t", title="t", as_of=NOW, window=WINDOW, blocks=(Table(id="t", columns=columns, rows=rows),)
    )
    layout = lay_out(report, View(), 80)
    drawn = []
    part = layout.rows[0][0].part
    original = part._spans
    part._spans = lambda row: drawn.append(row) or original(row)
    for y in range(40):
        layout.line(y, None)
    assert layout.height == 20_001
    assert len(drawn) == 39


def test_no_cell_is_marked_where_no_field_is_edited():
    """The glyph's column has no key, and no mark is no key either."""
    block = Table(
        id="t", columns=(Col(key="check", title="check"),), rows=(Row(id="1", cells=("started",), state="pass"),)
    )
    part = table(block, 60, keep="", sort=None, words=False, mark="")
    assert "mark" not in {role for y in range(part.height) for _, role in part.line(y, part.items[0][1])}


@pytest.mark.parametrize(
    ("row", "copy", "title"),
    [
        ("before", "before\t58.79\t██████████", "before"),
        ("llm.cost", "■ block\tllm.cost · refund\t0.126 USD\t0.106 to 0.124, lowest 0.094", "llm.cost · refund"),
        ("OPP-7", "OPP-7\tRerank\t192.0\tquick", "Rerank"),
        ("found.1", "A sentence of a finding.", "A sentence of a finding."),
    ],
)
def test_a_row_offers_its_words_as_a_title(row, copy, title):
    assert titled(Item("block", row, copy)) == title


def test_what_a_row_has_no_room_for_stands_under_it_when_it_is_opened():
    title = "Rerank long-tail product questions"
    rows = tuple(Row(id=f"OPP-{n}", cells=(f"OPP-{n}", title, 9.0, "n")) for n in range(3))
    columns = (Col(key="id", title="id"), Col(key="title", title="opportunity"), Col(key="score", title="score", kind="number"),
               Col(key="why", title="why", priority=1))  # fmt: skip
    for width, told in ((80, ()), (40, (title,)), (28, (title, "why n"))):
        part = table(Table(id="t", columns=columns, rows=rows), width, keep="", sort=None, words=False, mark="")
        assert part.items[0][1].whole().detail == told


def test_texts_and_tables_that_open_under_a_row_leave_a_cell_beside_the_bar():
    whole = " ".join(["as many words as some lines hold"] * 5)
    columns = (Col(key="id", title="id"), Col(key="says", title="says", width=90))
    block = Table(id="t", columns=columns, rows=(Row(id="A", cells=("A", whole), detail="told"),))
    part = table(block, 30, keep="", sort=None, words=False, mark="")
    for more, beneath in (((), "told"), ((block,), "id says")):  # which stands below what the row has no room for
        shown = _open(part, View(open_id=part.items[0][1].id, open_as="detail"), 30, more)
        lines = ["".join(text for text, _ in shown.line(y, None)) for y in range(shown.height)]
        under = [line for line in lines if line.startswith("  │")]
        assert " ".join(" ".join(line[4:].split()) for line in under).strip().startswith(whole)
        assert any(line[4:].split() == beneath.split() for line in under)
        assert all(line[3] == " " and cell_len(line) <= 30 for line in under), under

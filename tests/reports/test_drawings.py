"""Plots and boxes: what is drawn is where it belongs, and strangers' words stay words."""

from __future__ import annotations

import math
import re
import subprocess
import sys

import pytest

from aether_tui.report_model import Box, Boxes, Plot, Point, SavedReport, Series
from aether_tui.reports import boxes, markdown, plots, svg, text
from aether_tui.text import cells
from tests.reports.test_faces import HOSTILE, tokens
from tests.tui.workspaces import NOW, WINDOW

DAY_S = 86_400.0
NOV_1 = 1_793_491_200.0  # 2026-11-01T00:00Z


def plot(*series: Series, **more: object) -> Plot:
    return Plot(id="p", title="Plot", text="What it shows.", series=series, **more)  # type: ignore[arg-type]


def line(*ys: float | None, label: str = "a", **more: object) -> Series:
    points = tuple(Point(x=float(x), y=y) for x, y in enumerate(ys))
    return Series(label=label, points=points, **more)  # type: ignore[arg-type]


def canvas(drawn: tuple[str, ...]) -> list[str]:
    """The cells inside the axes, row by row."""
    rows = [re.split("[┤│├]", row, maxsplit=1)[1] for row in drawn if re.search("[┤│├]", row)]
    return [re.sub("[┤│]$", "", row) for row in rows]


def test_a_rising_line_rises() -> None:
    rows = canvas(plots.draw(plot(line(0, 1, 2, 3)), 60, 12))
    firsts = [min((at for at, char in enumerate(row) if char != " "), default=None) for row in rows]
    known = [at for at in firsts if at is not None]
    assert len(known) == len(rows)
    assert known == sorted(known, reverse=True)


def test_a_gap_stays_a_gap_and_nothing_finite_draws_nothing() -> None:
    rows = canvas(plots.draw(plot(line(5, 5, None, 5, 5)), 60, 12))
    middle = next(row for row in rows if row.strip())
    assert re.fullmatch(r"\S+ {10,}\S+", middle.strip())
    for ys in ((), (None, None), (math.nan, math.inf)):
        assert plots.draw(plot(line(*ys)), 60, 12) == ()
        assert plots.height_of(plot(line(*ys)), 60, 12) == 0


def test_points_by_state_limits_and_marks_have_their_words() -> None:
    drawn = plots.draw(
        plot(
            line(1, 2, 3, kind="points", label="in time"),
            line(None, None, 9, kind="points", state="block", label="late"),
            limits=((5.0, "p85 of the team"),),
            marks=((1.0, "freeze"),),
            y_unit="count",
            x_title="day",
            y_title="items",
        ),
        76,
        14,
    )
    page = "\n".join(drawn)
    assert page.count("■") == 2 and page.count("●") == 4  # on the canvas, and one each in the legend
    rows = drawn[:14]
    limit = next(row for row in rows if row.lstrip().startswith("5├"))
    assert limit.count("─") > 50
    assert sum("│" in row[30:46] or "┼" in row[30:46] for row in rows) >= 10
    for words in ("items over day", "── 5 p85 of the team", "│ 1 freeze", "■ late"):
        assert words in page


def test_a_band_is_as_wide_as_its_edges_say() -> None:
    points = tuple(Point(x=float(x), y=10.0, low=10.0 - x, high=10.0 + x) for x in range(11))
    rows = canvas(plots.draw(plot(Series(label="", points=points)), 60, 16))
    width = max(map(len, rows))
    filled = [sum(row.ljust(width)[at] != " " for row in rows) for at in (5, width // 2, width - 2)]
    assert filled[0] < filled[1] < filled[2] == len(rows)


def test_areas_are_stacked_and_add_up() -> None:
    """2 + 6 of 8: a quarter of the height is the first, the rest the second."""
    rows = canvas(plots.draw(plot(line(2, 2, 2, kind="area"), line(6, 6, 6, kind="area", label="b")), 60, 19))
    column = [row[20] for row in rows]
    assert column.count("█") + column.count("▒") == len(rows)
    assert abs(column.count("█") / len(rows) - 0.25) <= 1.5 / len(rows)


def test_steps_hold_until_the_next_value() -> None:
    rows = canvas(plots.draw(plot(line(0, 0, 10, kind="steps")), 60, 12))
    assert len(rows[-1].strip()) > 50  # the bottom is left only at the end
    assert not rows[0].strip()[:-2].strip("▐▌▘▝▖▗▀▄▛▜▙▟")


def test_ten_thousand_points_keep_their_one_peak() -> None:
    ys = [0.0] * 10_000
    ys[7777] = 50.0
    kept = plots.thin([Point(x=float(x), y=y) for x, y in enumerate(ys)], 60)
    assert len(kept) <= 120
    assert max(point.y for point in kept if point.y is not None) == 50.0
    assert [point.x for point in kept] == sorted(point.x for point in kept)


def test_time_is_told_in_days() -> None:
    points = tuple(Point(x=NOV_1 + day * DAY_S, y=float(day)) for day in range(20))
    drawn = plots.draw(plot(Series(label="", points=points), x_kind="time", marks=((NOV_1, "start"),)), 76, 10)
    assert "1 Nov" in drawn[9] and "20 Nov" in drawn[9]
    assert drawn[-1].strip() == "│ 1 Nov start"


def test_one_axis_of_times_has_one_unit() -> None:
    drawn = plots.draw(plot(line(0, 6 * DAY_S), y_unit="s"), 60, 12)
    labels = [row.split("┤")[0].strip() for row in drawn if "┤" in row]
    assert labels == ["6 d", "4.5 d", "3 d", "1.5 d", "0"]


def test_on_a_log_axis_one_outlier_does_not_squeeze_the_rest() -> None:
    points = tuple(Point(x=x, y=1.0) for x in (0.0, 1.0, 3.0, 1000.0))
    block = plot(Series(label="", points=points, kind="points"), x_kind="log", marks=((30.0, "thirty"),))
    rows = plots.draw(block, 76, 10)
    axis, frame = rows[9], rows[0].index("┌")
    assert axis.split() == ["0", "1", "3", "10", "30", "100", "300", "1,000"]
    at = {
        int(found[0].replace(",", "")): (found.start() + found.end() - 1) / 2 for found in re.finditer("[0-9,]+", axis)
    }
    seen = [column for column in range(frame + 1, 76) if any(row[column : column + 1] == "●" for row in rows)]
    assert seen[:3] == pytest.approx([at[0], at[1], at[3]], abs=1.5)
    assert (at[30] - at[0]) / (seen[-1] - at[0]) == pytest.approx(math.log(31) / math.log(1001), abs=0.03)
    assert any(rows[2][round(at[30]) + off] in "│┼" for off in (-1, 0, 1))
    drawn = svg.render(block)
    assert ">1,000</text>" in drawn and ">0</text>" in drawn
    assert "1,000" in "".join(plots.numbers(block))  # in words it is what it was


@pytest.mark.parametrize("width", [24, 40, 76, 160])
@pytest.mark.parametrize("height", [5, 8, 30])
def test_it_fits_and_is_as_high_as_foretold(width: int, height: int) -> None:
    block = plot(line(1, 5, 2, label="漢字 " * 30), limits=((3, "x" * 300),), y_unit="USD", x_title="日 " * 90)
    drawn = plots.draw(block, width, height)
    assert len(drawn) == plots.height_of(block, width, height)
    assert all(cells(row) <= width for row in drawn)
    assert "\x1b" not in "".join(drawn)


def test_words_say_the_numbers() -> None:
    block = plot(line(1, 5, 2), limits=((3, "limit of the team"),), marks=((1, "freeze"),), y_unit="USD")
    assert plots.numbers(block) == [
        "a: 1.00 USD to 2.00 USD, lowest 1.00 USD, highest 5.00 USD (3 points, 0 to 2)",
        "limit 3.00 USD: limit of the team",
        "mark 1: freeze",
    ]


STREAM = Boxes(
    id="v",
    title="Stream",
    rows=(tuple(Box(id=name, title=name, lines=(f"touch {n} s", "wait 1 h")) for n, name in enumerate("abcdef")),),
    arrows=("92 %", "", "85 % and retries", "", "99 %"),
)
CANVAS = Boxes(
    id="c",
    title="Canvas",
    rows=tuple(tuple(Box(id=f"{r}{c}", title=f"Field {r}{c}", lines=("some words " * 4,)) for c in range(3)) for r in range(3)),
)  # fmt: skip


@pytest.mark.parametrize("block", [STREAM, CANVAS])
@pytest.mark.parametrize("width", [24, 40, 76, 116, 160])
def test_boxes_fit_and_every_box_is_where_it_says(block: Boxes, width: int) -> None:
    drawing = boxes.draw(block, width)
    assert all(cells(row) <= width for row in drawing.lines)
    assert [spot.box.id for spot in drawing.spots] == [box.id for row in block.rows for box in row]
    for spot in drawing.spots:
        top = drawing.lines[spot.y].ljust(width)[spot.x : spot.x + spot.width]
        assert top.startswith(f"┌─ {spot.box.title}") and top.endswith("┐")


@pytest.mark.parametrize("width", [-3, 0, 1])
def test_where_there_is_no_room_drawing_ends(width: int) -> None:
    assert len(boxes.draw(CANVAS, width).spots) == 9


def test_a_canvas_is_three_by_three_and_a_long_stream_goes_on_with_an_arrow() -> None:
    assert len({spot.y for spot in boxes.draw(CANVAS, 76).spots}) == 3
    lines = boxes.draw(STREAM, 76).lines
    ends = [row for row in lines if row.endswith("─►")]
    starts = [row for row in lines if row.startswith(" ─►│")]
    assert len(ends) == len(starts) >= 1
    page = "\n".join(boxes.draw(STREAM, 160).lines)
    assert all(words in page for words in ("92 %", "85 %", "and", "retries", "99 %"))
    assert boxes.words(STREAM)[:3] == ["a: touch 0 s; wait 1 h", "  → 92 %", "b: touch 1 s; wait 1 h"]


def saved(title: str) -> SavedReport:
    stream = Boxes(
        id="s", title=title, rows=((Box(id="1", title=title, lines=(title,)), Box(id="2", title="b")),), arrows=(title,)
    )
    none = Boxes(id="n", title=title, rows=(), empty=title, note=title)
    drawing = Plot(
        id="p", title=title, text=title, series=(line(1, 2, label=title, glyph=title[:1]),),
        limits=((1.5, title),), marks=((1, title),), x_title=title, y_title=title, note=title,
    )  # fmt: skip
    return SavedReport(report="t", title="t", as_of=NOW, window=WINDOW, blocks=(drawing, stream, none))


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_words_in_drawings_stay_words(title: str) -> None:
    found = tokens(markdown.render(saved(title)))
    assert not {token.type for token in found} & {"html_block", "html_inline", "link_open", "image", "s_open"}
    assert sum(token.type == "fence" for token in found) == 2
    assert sum(token.type == "heading_open" for token in found) == 4
    rendered = text.render(saved(title))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f‪-‮⁦-⁩]", rendered)


def test_a_report_without_drawings_does_not_import_what_draws() -> None:
    code = (
        "import sys; from tests.tui.workspaces import summary; from aether_tui.reports import text, markdown\n"
        "text.render(summary()); markdown.render(summary()); print('plotext' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

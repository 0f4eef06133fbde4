"""Plots and boxes in the console: words until what draws is loaded, every box selectable, words on `v`."""

import msgspec
import pytest
from rich.cells import cell_len

from aether_tui.report_model import Box, Boxes, Plot, Point, SavedReport, Series
from aether_tui.session import Memory
from screens.widgets.layout import View, lay_out
from tests.tui.driving import drive, screen_text, until
from tests.tui.workspaces import NOW, REPORTS, WINDOW, make_workspace

AGEING = Plot(
    id="flow.ageing",
    title="Age of open items",
    text="Two items are older than the p85 of their team.",
    series=(
        Series(label="in time", kind="points", points=tuple(Point(x=float(x), y=x * 3600.0, id=f"A-{x}") for x in range(9))),
        Series(label="late", kind="points", state="block", points=(Point(x=4, y=90_000.0, id="A-99", label="A-99"),)),
    ),
    y_unit="s",
    limits=((50_000.0, "p85"),),
)  # fmt: skip
STREAM = Boxes(
    id="stream",
    title="Stream",
    rows=(tuple(Box(id=name, title=name, lines=("touch 2 s",), why=f"why {name}") for name in ("in", "draft", "check")),),
    arrows=("97 %", "85 %"),
)  # fmt: skip
REPORT = SavedReport(report="flow", title="Flow", as_of=NOW, window=WINDOW, headline="Half.", blocks=(AGEING, STREAM))


@pytest.fixture
def workspace(tmp_path):
    workspace = make_workspace(tmp_path / "w")
    Memory(workspace).keep_report("flow", msgspec.json.encode(REPORT), 4_102_444_800_000_000_000)
    return workspace


@pytest.mark.parametrize("width", [60, 79, 119, 200])
@pytest.mark.parametrize("words", [False, True])
def test_lines_are_as_wide_as_the_page(width, words):
    layout = lay_out(REPORT, View(words=words), width)
    for y in range(layout.height):
        assert sum(cell_len(text) for text, _ in layout.line(y, None)) == width


def test_a_plot_is_drawn_after_the_first_paint_and_in_words_on_v(workspace):
    async def script(pilot, app):
        await until(pilot, lambda: "── 13.9 h p85" in screen_text(app))
        assert "■" in screen_text(app)
        assert "Two items are older" not in screen_text(app)
        await pilot.press("v")
        assert "Two items are older than the p85 of their team." in screen_text(app)
        assert "late: 25.0 h" in screen_text(app) or "late: 25 h" in screen_text(app)

    drive(workspace, script, start="flow")


def test_each_box_can_be_stood_on_and_asked_why(workspace):
    async def script(pilot, app):
        seen = []
        for _ in range(4):
            seen.append(app.screen.page.selected.row)
            await pilot.press("j")
        assert seen == ["flow.ageing", "in", "draft", "check"]
        await pilot.press("x")
        assert "why check" in screen_text(app)
        assert "▸─ check" in screen_text(app)

    drive(workspace, script, start="flow", size=(120, 40))


def test_other_screens_are_as_they_were():
    assert all(lay_out(make(), View(), 80).height for make in REPORTS.values())

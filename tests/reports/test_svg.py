"""Pictures of plots: every point is where its axes say, and strangers' words stay words."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from aether_tui.report_model import Plot, Point, Series
from aether_tui.reports import svg
from tests.reports.test_faces import HOSTILE

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*series: Series, title: str = "Plot", **more: object) -> ElementTree.Element:
    return ElementTree.fromstring(svg.render(Plot(id="p", title=title, text=title, series=series, **more)))  # type: ignore[arg-type]


def line(*ys: float | None, **more: object) -> Series:
    points = tuple(Point(x=float(x), y=y) for x, y in enumerate(ys))
    return Series(label="a", points=points, **more)  # type: ignore[arg-type]


def places(picture: ElementTree.Element, tag: str) -> list[list[tuple[float, ...]]]:
    strokes = [e for e in picture.iter(f"{SVG}{tag}") if not e.get("stroke-dasharray")]
    return [[tuple(map(float, pair.split(","))) for pair in (e.get("points") or "").split()] for e in strokes]


def test_a_line_reaches_both_ends_and_its_middle_is_in_the_middle() -> None:
    [points] = places(drawn(line(0, 5, 10)), "polyline")
    left, right, top, bottom = svg.LEFT, svg.WIDTH - svg.RIGHT, svg.TOP, svg.HEIGHT - svg.BOTTOM
    middle = ((left + right) / 2, (top + bottom) / 2)
    assert points == [(left, bottom), pytest.approx(middle, abs=0.06), (right, top)]


def test_gaps_break_a_line_and_steps_have_corners() -> None:
    assert [len(run) for run in places(drawn(line(1, 2, None, 3, 4, 5)), "polyline")] == [2, 3]
    [steps] = places(drawn(line(1, 3, 2, kind="steps")), "polyline")
    assert len(steps) == 5
    assert svg.render(Plot(id="p", title="t", text="t", series=(line(None, math.nan, math.inf),))) == ""


def test_areas_lie_on_each_other_and_a_band_has_two_edges() -> None:
    upper, lower = places(drawn(line(1, 1, kind="area"), line(2, 2, kind="area")), "polygon")
    assert {y for _, y in upper[:2]} == {svg.TOP} and {y for _, y in upper[2:]} == {svg.HEIGHT - svg.BOTTOM}
    third = svg.HEIGHT - svg.BOTTOM - (svg.HEIGHT - svg.TOP - svg.BOTTOM) / 3
    assert lower[0][1] == pytest.approx(third, abs=0.06)
    fan = Series(label="f", points=tuple(Point(x=x, y=5, low=5 - x, high=5 + x) for x in (1.0, 2.0)))
    [band] = places(drawn(fan), "polygon")
    assert len(band) == 4 and band[0][0] == band[3][0]


def test_points_by_state_limits_and_marks_have_their_words() -> None:
    late = line(None, 9, kind="points", state="block")
    picture = drawn(line(1, 2, kind="points"), late, limits=((5.0, "p85"),), marks=((1.0, "freeze"), (7.0, "never")))
    colours = [circle.get("fill") for circle in picture.iter(f"{SVG}circle")]
    assert len(colours) == 3 and colours[2] not in colours[:2]
    words = [text.text for text in picture.iter(f"{SVG}text")]
    assert "dashed: 5 p85" in words and "dotted: 1 freeze" in words
    assert len([e for e in picture.iter(f"{SVG}polyline") if e.get("stroke-dasharray")]) == 2


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_words_in_a_picture_stay_words(title: str) -> None:
    series = Series(label=title, points=(Point(x=0, y=1, id=title, label=title), Point(x=1, y=2)), kind="points")
    picture = drawn(series, title=title, limits=((1.0, title),), marks=((1.0, title),), y_title=title)
    tags = {element.tag.removeprefix(SVG) for element in picture.iter()}
    assert tags <= {"svg", "title", "desc", "rect", "line", "text", "polyline", "polygon", "circle"}

"""Flow to look at: items by age and by how long they have stood still, cumulative flow, and the fan of the forecast."""

from __future__ import annotations

from datetime import timedelta

from aether_tui.diagnostics import metrics
from aether_tui.diagnostics.flow_measure import Flow
from aether_tui.diagnostics.frame import Data
from aether_tui.human import duration, number, plural
from aether_tui.report_model import Block, Plot, Point, Series

DAY_S = 86_400.0


def plots(flow: Flow, data: Data) -> tuple[Block, ...]:
    """Those that have something to draw."""
    return (*_ageing(flow, data), *_cumulative(flow, data), *_fan(flow, data))


def _ageing(flow: Flow, data: Data) -> tuple[Block, ...]:
    """Age against days without a change: top right is old and stuck."""
    if not flow.open_items:
        return ()
    oldest = max(flow.open_items, key=lambda one: one.age_s)
    late = [one for one in flow.open_items if one.past]

    def series(label: str, past: bool, glyph: str) -> Series:
        points = tuple(
            Point(x=one.still_s / DAY_S, y=one.age_s, id=one.key, label=one.key)
            for one in flow.open_items
            if one.past is past
        )
        return Series(label=label, points=points, kind="points", glyph=glyph, state="warn" if past else "info")

    limit = flow.times.cycle_p85.value
    text = (
        f"{len(late)} of {plural(len(flow.open_items), 'item')} in progress {'is' if len(late) == 1 else 'are'} older than the p85 of "
        "their team; the oldest is "
        f"{oldest.key}, {duration(oldest.age_s)} old and {duration(oldest.still_s)} without a change."
    )
    return (
        Plot(
            id="flow.age",
            title="Age of items in progress",
            series=(series("in progress", False, "•"), series("past p85", True, "▲")),
            text=text,
            x_title="days without a change (a log scale)",
            x_kind="log",
            y_unit="s",
            limits=((limit, "p85 of what was finished"),) if limit is not None else (),
            why=metrics.why("flow.past_p85", data),
        ),
    )


def _cumulative(flow: Flow, data: Data) -> tuple[Block, ...]:
    days = [one for one in flow.days if one.day is not None]
    if len(days) < 7:
        return ()
    first, last = days[0], days[-1]
    return (
        Plot(
            id="flow.cumulative",
            title="Cumulative flow",
            series=(
                Series(
                    label="finished",
                    kind="area",
                    points=tuple(Point(x=one.day.timestamp(), y=one.finished) for one in days),
                ),
                Series(
                    label="in progress",
                    kind="area",
                    points=tuple(Point(x=one.day.timestamp(), y=one.wip) for one in days),
                ),
            ),
            text=f"{plural(last.finished, 'item')} finished in {plural(len(days), 'day')}; {first.wip} were in progress, now {last.wip}.",
            x_kind="time",
            y_title="items",
            why=metrics.why("flow.cumulative", data),
        ),
    )


def _fan(flow: Flow, data: Data) -> tuple[Block, ...]:
    """Weeks ahead against items finished; where the band crosses the line, the items in progress are done."""
    if not flow.fan or flow.wip.value is None:
        return ()
    begin = flow.weekly_from + timedelta(weeks=len(flow.weekly))
    points = [Point(x=begin.timestamp(), y=0.0, low=0.0, high=0.0)]
    points += [
        Point(x=(begin + timedelta(weeks=week)).timestamp(), y=middle, low=low, high=high)
        for week, (low, middle, high) in enumerate(flow.fan, 1)
    ]
    open_now = flow.wip.value
    doubt = "Not valid here: the system is not steady." if flow.validity.holds is False else ""
    text = (
        f"In {plural(len(flow.fan), 'week')}, nine draws in ten finish {number(flow.fan[-1][0])} to {number(flow.fan[-1][2])} items; "
        f"{number(open_now)} are in progress."
    )
    return (
        Plot(
            id="flow.fan",
            title="Forecast: items finished from now on",
            series=(Series(label="P50, band P5 to P95", points=tuple(points)),),
            text=text,
            x_kind="time",
            y_title="items",
            limits=((open_now, "in progress now"),),
            note=doubt,
            why=metrics.why("flow.forecast", data),
        ),
    )

"""Flow in sentences: the headline of the report and its findings."""

from __future__ import annotations

from aether_tui.diagnostics.compare import changed
from aether_tui.diagnostics.flow_measure import LEVELS, Flow, Times, Validity
from aether_tui.human import duration, plural, quantity
from aether_tui.report_model import Finding, Quantity


def headline(flow: Flow) -> str:
    """Cycle time, what is past it, and whether averages hold."""
    times = flow.times
    if flow.wip.value is None:
        return "Flow cannot be seen: no work item is in view."
    if times.cycle_p85.value is None:
        return f"{plural(times.finished, 'item')} finished in this window; cycle time: {times.cycle_p85.reason}."
    text = f"Half of the items take {quantity(times.cycle_p50)} from start to done, 85 % at most {quantity(times.cycle_p85)}."
    if flow.past_p85.value is not None:
        text += f" {_past(flow)} older than their team's p85."
    if flow.validity.holds is False:
        text += " Averages and the forecast are not valid here."
    return text


def _past(flow: Flow) -> str:
    n = flow.past_p85.n or 0
    late = round((flow.past_p85.value or 0) * n)
    return f"{late} of {plural(n, 'item')} in progress {'is' if late == 1 else 'are'}"


def findings(flow: Flow) -> tuple[Finding, ...]:
    """What fails, what is late, what changed, what is not known."""
    found = [
        *_invalid(flow.validity),
        *_busy(flow.utilisation),
        *_late(flow),
        *_changed(flow.times, flow.before),
        *_broken_promises(flow),
    ]
    times, unmapped = flow.times, flow.unmapped
    if times.without_start * 10 >= times.finished > 0:
        found.append(
            Finding(
                id="flow.without_start",
                severity="warn",
                text=f"{times.without_start} of {plural(times.finished, 'item')} finished without ever being seen in progress: "
                "they have a lead time and no cycle time, and are left out of it.",
                evidence=("flow.cycle_p50", "flow.cycle_p85"),
            )
        )
    if unmapped.value is not None and unmapped.value > 0.1:
        found.append(
            Finding(
                id="flow.unmapped",
                severity="warn",
                text=f"{quantity(unmapped)} of the time of finished items lies in states that nobody mapped; it is left out of "
                "flow efficiency.",
                evidence=("flow.efficiency",),
                action="map them under [mapping.states] in aether.toml",
            )
        )
    return tuple(found)


def _invalid(validity: Validity) -> list[Finding]:
    if validity.holds is not False:
        return []
    return [
        Finding(
            id="flow.validity",
            severity="warn",
            text=f"Averages and the forecast are not valid in this window: {'; '.join(validity.reasons)}.",
            evidence=("flow.validity",),
        )
    ]


def _busy(load: Quantity) -> list[Finding]:
    if not queueing(load):
        return []
    text = f"Work is begun at {quantity(load)} of what good weeks finish: {queueing(load)}."
    return [
        Finding(
            id="flow.utilisation",
            severity="warn",
            text=text,
            evidence=("flow.utilisation",),
            action="start less, or finish first: aether-tui wip check",
        )
    ]


def _late(flow: Flow) -> list[Finding]:
    if not flow.ageing or flow.past_p85.value is None:
        return []
    oldest = flow.ageing[0]
    return [
        Finding(
            id="flow.ageing",
            severity="warn" if (flow.past_p85.low or 0) > 0.15 else "info",
            text=f"{_past(flow)} older than the p85 of their own team; furthest past it is "
            f"{oldest.key or oldest.id}: {duration(oldest.age_s)}, where 85 % take at most {duration(oldest.p85_s)}.",
            evidence=("flow.past_p85", "flow.items_past_p85"),
        )
    ]


def _changed(now: Times, before: Times) -> list[Finding]:
    """A p85 whose interval lies wholly beyond the one of the window before."""
    pairs = (("cycle_p85", "Cycle time p85"), ("lead_p85", "Lead time p85"))
    return [
        finding
        for name, label in pairs
        for finding in changed(f"flow.{name}", label, getattr(now, name), getattr(before, name), better="lower")
    ]


def _broken_promises(flow: Flow) -> list[Finding]:
    found = []
    for outlook in flow.forecast:
        kept = outlook.kept[LEVELS.index(0.85)]
        if kept.value is not None and (kept.n or 0) >= 5 and kept.value < 0.7:
            found.append(
                Finding(
                    id=f"flow.forecast.{outlook.id}",
                    severity="warn",
                    text=f"Past P85 forecasts for {plural(outlook.items, 'item')} came true in {quantity(kept)} of {kept.n} cases, "
                    "not in 85 %: promise later than P85.",
                    evidence=("flow.forecast",),
                )
            )
    return found


BUSY = 0.8


def queueing(load: Quantity) -> str:
    """What queueing theory says of this load: from 0.8 on waiting grows steeply, from 1 on it has no end."""
    if load.value is None or load.value < BUSY:
        return ""
    return "unstable, waiting has no end" if load.value >= 1 else "waiting grows steeply from 80 %"

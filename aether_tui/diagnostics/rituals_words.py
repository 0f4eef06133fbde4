"""The rituals in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from aether_tui.diagnostics import metrics
from aether_tui.human import NONE, amount, key_words, number, plural, quantity
from aether_tui.report_model import Block, Col, Fact, Facts, Finding, Gap, Quantity, Row, State, Table, worst_first
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.diagnostics.rituals_measure import Line, Rituals
    from aether_tui.workspace.inventory import Meeting

STATES: dict[str, State] = {
    "pays": "pass", "unclear": "inconclusive", "does not pay": "warn", "cut or make asynchronous": "block", "unknown": "no-data",
}  # fmt: skip
SHORT = {"cut or make asynchronous": "cut or async"}
START = "aether-tui doc new ritual --from weekly-product-sync"


def held(measured: Rituals) -> list[Line]:
    """Those that take place."""
    return [one for one in measured.rituals if one.status in {"running", "trial"}]


def headline(measured: Rituals) -> str:
    """What all of them cost, and how many do not pay."""
    running = held(measured)
    if not running:
        return "No ritual is written down yet." if not measured.rituals else "No ritual takes place at present."
    known = measured.cost_per_year
    cost = f"{plural(len(running), 'ritual')}"
    if known.value is not None:
        cost += f" cost {quantity(known)} a year" + (f" ({known.n} known)" if known.n != len(running) else "")
    else:
        cost += " with no known cost"
    counts = {verdict: sum(one.verdict == verdict for one in running) for verdict in STATES}
    said = [
        f"{counts[verdict]} {word}"
        for verdict, word in (
            ("cut or make asynchronous", "to cut or make asynchronous"), ("does not pay", "not paying"), ("pays", "paying"),
        )
        if counts[verdict]
    ]  # fmt: skip
    return "; ".join([cost, ", ".join(said)] if said else [cost]) + "."


def findings(measured: Rituals) -> tuple[Finding, ...]:
    """Candidates to cut, what does not pay, and sheets that are not whole."""
    found = []
    for one in held(measured):
        edit = f"aether-tui doc edit ritual {one.id}"
        if one.verdict == "cut or make asynchronous":
            text = (
                f"{one.title} makes no decision and its attendees rate it {number(one.roti.value or 0)} of 4 (n {one.roti.n}): "
                f"cut it or make it asynchronous; that frees {_hours(one)} a year."
            )
            found.append(
                Finding(id=f"rituals.cut.{one.id}", severity="bad", text=text, evidence=(one.id,), action=edit)
            )
        elif one.verdict == "does not pay":
            text = f"{one.title} costs {quantity(one.cost_per_year)} a year and brings {quantity(one.benefit)}; it {_if(one)}."
            found.append(Finding(id=f"rituals.loss.{one.id}", severity="warn", text=text, evidence=(one.id,)))
        if "outputs" in one.lacks:
            text = f"{one.title} has no output written down: nobody can say what exists after it that did not before."
            found.append(
                Finding(id=f"rituals.output.{one.id}", severity="warn", text=text, evidence=(one.id,), action=edit)
            )
        if one.aligned.value is not None and one.aligned.high is not None and one.aligned.high < 0.75:
            text = (
                f"After {one.title} only {amount(one.aligned.value, 'ratio')} wrote down the same decision "
                f"(n {one.aligned.n}, at most {amount(one.aligned.high, 'ratio')})."
            )
            found.append(Finding(id=f"rituals.aligned.{one.id}", severity="warn", text=text, evidence=(one.id,)))
    return worst_first(found)[:6]


def named(meetings: Sequence[Meeting]) -> tuple[Finding, ...]:
    """Meetings that people named and nobody has written a sheet for."""
    if not meetings:
        return ()
    titles = ", ".join(one_line(one.title, 60) for one in meetings[:4]) + (" …" if len(meetings) > 4 else "")
    text = f"Interviews name {plural(len(meetings), 'meeting')} without a sheet: {titles}."
    evidence = tuple(dict.fromkeys(one.source for one in meetings))
    return (Finding(id="rituals.named", severity="info", text=text, evidence=evidence, action="rituals.inventory"),)


def _if(one: Line) -> str:
    return one.break_even.replace("pays if it improves", "would pay if it improved")


def _hours(one: Line) -> str:
    return f"{quantity(one.hours_per_year)} person-hours"


def blocks(measured: Rituals) -> tuple[Block, ...]:
    """Totals, money, no money, sheets."""
    if not measured.rituals:
        return (
            Gap(id="rituals.none", title="Rituals", reason="No ritual is written down yet.", next_step=START, action="papers.new"),
        )  # fmt: skip
    return (_facts(measured), _money(measured), _without(measured), _sheets(measured))


def _facts(measured: Rituals) -> Facts:
    running = held(measured)
    whole = sum(not one.lacks for one in running)
    return Facts(
        id="rituals.facts",
        facts=(
            Fact(
                id="cost", label="cost a year", value=measured.cost_per_year,
                why=metrics.why("rituals.cost"),
            ),
            Fact(id="hours", label="person-hours a year", value=measured.hours_per_year),
            Fact(
                id="sheets", label="complete sheets", value=Quantity(value=whole, unit="count"),
                note=f"of {len(running)}", state="pass" if whole == len(running) else "warn",
            ),
        ),
    )  # fmt: skip


def _money(measured: Rituals) -> Table:
    return Table(
        id="rituals.money",
        title="Does it pay?",
        columns=(
            Col(key="id", title="id", priority=8),
            Col(key="title", title="ritual", priority=10),
            Col(key="break_even", title="break-even", priority=6),
            Col(key="cost", title=f"{measured.currency} a year", kind="number", unit="money", priority=7),
            Col(key="benefit", title="brings", kind="number", unit="money", priority=4),
            Col(key="roi", title="return", kind="number", priority=5),
            Col(key="p", title="P(pays)", kind="number", priority=3),
            Col(key="verdict", title="verdict", kind="state", priority=9),
        ),
        rows=tuple(
            Row(
                id=one.id,
                cells=(
                    one.id, one.title, _needed(one), _plain(one.cost_per_year), _plain(one.benefit), _bare(one.roi),
                    NONE if one.p_pays is None else f"{one.p_pays:.2f}", _verdict(one),
                ),
                state=STATES[one.verdict] if one.status in {"running", "trial"} else "info",
                why=_why(one),
            )
            for one in measured.rituals
        ),
        note="Break-even: it pays if it improves so many of its decisions. Benefit = decisions × stake × gain in probability + days "
        "saved × cost of delay + rework avoided. Numbers are stated by people; a return between is a 90 % range of 2,000 draws from "
        "PERT distributions where ranges were given.",
    )  # fmt: skip


def _needed(one: Line) -> str:
    """The break-even in a few words: `1 in 12`; the whole sentence stands under why."""
    if one.break_even.startswith("pays without"):
        return "nothing more"
    if one.break_even.startswith("does not pay"):
        return "never"
    needed = one.break_even.removeprefix("pays if it improves ")
    return re.sub(r" decisions? in ", " in ", needed) if needed != one.break_even else NONE


def _plain(value: Quantity) -> str:
    return NONE if value.value is None else number(value.value)


def _bare(value: Quantity) -> Quantity:
    """Without the word that it was stated: the note under the table says so of all of them."""
    return msgspec.structs.replace(value, stated=False)


def _verdict(one: Line) -> str:
    return one.status if one.status in {"stopped", "asynchronous"} else SHORT.get(one.verdict, one.verdict)


def _why(one: Line) -> str:
    lines = [f"{_hours(one)} a year; {one.break_even}"]
    if one.roi.low is not None and one.roi.high is not None:
        lines.append(f"return {quantity(one.roi)}, 90 % of draws from {one.roi.low:+.0%} to {one.roi.high:+.0%}")
    if one.roi.value is None:
        lines.append(f"no return: {one.roi.reason}")
    return "\n".join([*lines, f"aether-tui doc show ritual {one.id}"])


def _without(measured: Rituals) -> Table:
    return Table(
        id="rituals.index",
        title="What it is like, without money",
        columns=(
            Col(key="id", title="id", priority=9),
            Col(key="title", title="ritual", priority=10),
            Col(key="roti", title="ROTI 0–4", kind="number", priority=8),
            Col(key="rate", title="decisions/h", kind="number", priority=7),
            Col(key="latency", title="to decide", kind="number", priority=6),
            Col(key="reversed", title="taken back", kind="number", priority=4),
            Col(key="actions", title="actions done", kind="number", priority=5),
            Col(key="aligned", title="same decision", kind="number", priority=3),
        ),
        rows=tuple(
            Row(
                id=f"{one.id}.index",
                cells=(
                    one.id, one.title, _bare(one.roti), _bare(one.decisions_per_person_hour), one.decision_latency, one.reversed,
                    one.actions_done, one.aligned,
                ),
                why="\n".join(
                    f"{label}: {_with(value)}"
                    for label, value in (
                        ("return on time invested", one.roti), ("decisions per person-hour", one.decisions_per_person_hour),
                        ("decision latency", one.decision_latency), ("taken back", one.reversed),
                        ("actions done", one.actions_done), ("wrote down the same decision", one.aligned),
                    )
                ),
            )
            for one in held(measured)
        ),
        note="ROTI is the attendees' return on time invested; it and the decisions per person-hour are stated by people. Latency "
        "and reversal come from decisions that name the ritual.",
        empty="no ritual takes place",
    )  # fmt: skip


def _with(value: Quantity) -> str:
    from aether_tui.human import evidence

    return " ".join(part for part in (quantity(value), evidence(value)) if part)


def _roles(one: Line) -> str:
    """`product manager leads; engineers, designer contribute`."""
    by_part: dict[str, list[str]] = {}
    for part in one.participation:
        by_part.setdefault(part.part, []).append(part.role)
    said = (
        f"{', '.join(roles)} {part[:-1] if len(roles) > 1 or roles[0].endswith('s') else part}"
        for part, roles in by_part.items()
    )
    return "; ".join(said) or NONE


def _rules(one: Line) -> str:
    """Who may do what, and when they may stay away: a line a role."""
    return "\n".join(f"{part.role} {part.part}: {part.rule}" for part in one.participation)


def _sheets(measured: Rituals) -> Table:
    return Table(
        id="rituals.sheets",
        title="Who does what",
        columns=(
            Col(key="id", title="id", priority=8),
            Col(key="title", title="ritual", priority=10),
            Col(key="frequency", title="when", priority=6),
            Col(key="roles", title="roles", priority=7, least=28),
            Col(key="lacks", title="not written", priority=5),
        ),
        rows=tuple(
            Row(
                id=f"{one.id}.sheet",
                cells=(
                    one.id, one.title, one.frequency or NONE,
                    _roles(one), ", ".join(map(key_words, one.lacks)) or NONE,
                ),
                detail=_rules(one),
                why=f"{_rules(one)}\naether-tui doc show ritual {one.id}".strip(),
            )
            for one in measured.rituals
        ),
    )  # fmt: skip

"""How replays are told: the newest run in pairs, its answers with what they changed, and the runs before it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aether_tui.diagnostics import metrics
from aether_tui.human import amount, plural
from aether_tui.report_model import (
    Block,
    Cell,
    Col,
    Fact,
    Facts,
    Finding,
    Gap,
    Prose,
    Quantity,
    Row,
    State,
    Table,
    missing,
)
from aether_tui.text import plain

if TYPE_CHECKING:
    from aether_tui.diagnostics.replays_measure import Answer, Compared, Replays, Run

DRAWN = 100
"""Answers of a run that are listed; JSON holds all."""
MOST_WORDS = 1_500
MOST_SHOWN = 4_000
ALPHA = 0.05


def headline(found: Replays) -> str:
    """The newest run in a sentence."""
    if not found.runs:
        return "Nothing has been replayed in this window."
    run = found.runs[0]
    spent = "at a cost nobody counted" if run.cost_usd is None else f"for {amount(run.cost_usd, 'USD')}"
    return f"{plural(run.requests, 'request')} sent again to {run.model} {spent}, {run.failed} of {run.sent} without an answer."


def findings(found: Replays) -> tuple[Finding, ...]:
    """What the pairs of the newest run show beyond chance, and what weakens them."""
    if not found.runs:
        return ()
    run = found.runs[0]
    parts = [
        Finding(
            id=f"replays.{one.measure.replace(' ', '_')}",
            severity="info",
            text=f"{one.measure.capitalize()} {_shift(one)} than {run.against}, over {plural(one.n, 'pair')}.",
            evidence=(f"mean difference {_interval(one)}, paired t, p {one.p_value:.3g} after Holm",),
        )
        for one in run.compared
        if one.p_value is not None and one.p_value < ALPHA and one.difference.value
    ]
    if run.failed:
        worst = next((one.error for one in run.answers if one.error), "")
        parts.append(
            Finding(id="replays.failed", severity="warn",
                    text=f"{run.failed} of {run.sent} had no answer; the pairs are of the others.", evidence=(worst or "",))
        )  # fmt: skip
    if not run.same_input:
        why = f"the prompt of {run.prompt_version}" if run.prompt_version else "placeholders for what was redacted"
        parts.append(
            Finding(id="replays.input", severity="info", text=f"The input was not the recorded one: it held {why}.")
        )
    if run.against == "the recording" and any(one.measure == "latency" and one.n > 1 for one in run.compared):
        parts.append(
            Finding(id="replays.latency", severity="info",
                    text="Recorded latency is that of another hour and network; `--both` asks the recorded model again.")
        )  # fmt: skip
    return tuple(parts)


def blocks(found: Replays) -> tuple[Block, ...]:
    """The newest run, its pairs, its answers, and the runs before."""
    if not found.runs:
        step = "open a trace (enter on Traces) and press p, or: aether-tui replay TRACE"
        return (Gap(id="replays.none", title="Replays", reason="no replay in this window", next_step=step),)
    run = found.runs[0]
    before = (_runs(found),) if len(found.runs) > 1 else ()
    return (_facts(run), _pairs(run), _answers(run), *before)


def details(found: Replays, said: Mapping[tuple[str, str], str]) -> dict[str, tuple[Block, ...]]:
    """What opens under an answer: its words against the recorded ones."""
    if not found.runs:
        return {}
    return {
        f"replays.answers/{one.id}": (
            Prose(id="difference", text=_told(one, said.get((one.trace, one.span))), private=True),
        )
        for one in found.runs[0].answers[:DRAWN]
    }


def difference(before: str, now: str) -> str:
    """Two answers as one text: `[-gone-]` and `{+new+}` around words that differ."""
    one, other = before.split()[:MOST_WORDS], now.split()[:MOST_WORDS]
    parts: list[str] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(" ".join(one[a:b]))
            continue
        parts += [f"[-{' '.join(one[a:b])}-]"] * (b > a) + [f"{{+{' '.join(other[c:d])}+}}"] * (d > c)
    return " ".join(parts)


def _told(one: Answer, before: str | None) -> str:
    if one.error:
        return one.error
    if one.output is None:
        return "the answer was not kept: `[privacy] keep_payloads` is off"
    if before is None:
        return plain(one.output, MOST_SHOWN)
    shown = difference(before, one.output)
    return plain(f"as recorded: {one.output}" if one.likeness == 1.0 else shown, MOST_SHOWN)


def _facts(run: Run) -> Facts:
    cost = missing("the endpoint counted no tokens", unit="USD") if run.cost_usd is None else _usd(run.cost_usd)
    note = f"{run.uncounted} without token counts" if run.uncounted else ""
    return Facts(
        id="replays.facts",
        facts=(
            Fact(id="requests", label="requests", value=Quantity(value=run.requests, unit="count"),
                 note=f"{run.sent} sent", why=metrics.why("replays.requests")),
            Fact(id="failed", label="no answer", value=Quantity(value=run.failed, unit="count"),
                 state="warn" if run.failed else "info", why=metrics.why("replays.failed")),
            Fact(id="cost", label="cost", value=cost, note=note, why=metrics.why("replays.cost")),
            Fact(id="same", label="same words", value=run.same, why=metrics.why("replays.same")),
            Fact(id="likeness", label="likeness", value=run.likeness, why=metrics.why("replays.likeness")),
        ),
    )  # fmt: skip


def _usd(value: float) -> Quantity:
    return Quantity(value=value, unit="USD")


def _pairs(run: Run) -> Table:
    def cell(value: float | None, unit: str) -> Quantity:
        return missing("nobody counted it", unit=unit) if value is None else Quantity(value=value, unit=unit)

    return Table(
        id="replays.pairs",
        title=f"{run.model} against {run.against}",
        note="the same requests, in pairs",
        why=metrics.why("replays.pairs"),
        columns=(
            Col(key="measure", title="measure", priority=10),
            Col(key="before", title="before", kind="number", priority=9),
            Col(key="now", title="now", kind="number", priority=9),
            Col(key="difference", title="difference", kind="number", priority=10),
            Col(key="interval", title="95 % interval", priority=8),
            Col(key="p", title="p (Holm)", kind="number", priority=7),
            Col(key="n", title="pairs", kind="number", priority=6),
        ),
        rows=tuple(
            Row(
                id=one.measure,
                cells=(
                    one.measure, cell(one.before, one.unit), cell(one.now, one.unit), one.difference,
                    "" if one.difference.value is None else f"{_bound(one, one.difference.low)} to {_bound(one, one.difference.high)}",
                    "" if one.p_value is None else f"{one.p_value:.3g}", one.n,
                ),
            )
            for one in run.compared
        ),
    )  # fmt: skip


def _bound(one: Compared, value: float | None) -> str:
    return "" if value is None else amount(value, one.unit)


def _answers(run: Run) -> Table:
    left = len(run.answers) - DRAWN
    return Table(
        id="replays.answers",
        title="Answers",
        why=metrics.why("replays.answers"),
        note=f"{left} more are not listed" if left > 0 else "enter shows the words",
        columns=(
            Col(key="trace", title="trace", width=10, priority=8),
            Col(key="model", title="model", width=20, priority=9),
            Col(key="repeat", title="#", kind="number", priority=4),
            Col(key="tokens", title="tokens out", kind="number", priority=6),
            Col(key="was", title="was", kind="number", priority=5),
            Col(key="cost", title="cost", kind="number", priority=8),
            Col(key="cost_was", title="was", kind="number", priority=7),
            Col(key="latency", title="latency", kind="number", priority=8),
            Col(key="latency_was", title="was", kind="number", priority=7),
            Col(key="likeness", title="likeness", kind="number", priority=9),
            Col(key="note", title="", width=24, priority=6),
        ),
        rows=tuple(map(_row, run.answers[:DRAWN])),
    )


def _row(one: Answer) -> Row:
    def cell(value: float | None, unit: str) -> Cell:
        return missing("not counted", unit=unit) if value is None else Quantity(value=value, unit=unit)

    state: State = "block" if one.status != "ok" else "info"
    note = one.error or ("" if one.finish in (None, "stop") else f"ended: {one.finish}")
    return Row(
        id=one.id,
        cells=(
            one.trace[:8], one.model, one.repeat, cell(one.output_tokens, "count"), cell(one.recorded.output_tokens, "count"),
            cell(one.cost_usd, "USD"), cell(one.recorded.cost_usd, "USD"), cell(one.latency_s, "s"),
            cell(one.recorded.latency_s, "s"), cell(one.likeness, "ratio"), note,
        ),
        state=state,
        detail=f"aether-tui trace {one.trace}",
    )  # fmt: skip


def _runs(found: Replays) -> Table:
    return Table(
        id="replays.runs",
        title="Earlier replays",
        columns=(
            Col(key="at", title="when", priority=9),
            Col(key="model", title="model", width=24, priority=10),
            Col(key="prompt", title="prompt", width=24, priority=5),
            Col(key="requests", title="requests", kind="number", priority=8),
            Col(key="failed", title="no answer", kind="number", priority=6),
            Col(key="cost", title="cost", kind="number", priority=8),
            Col(key="likeness", title="likeness", kind="number", priority=7),
        ),
        rows=tuple(
            Row(
                id=run.run,
                cells=(f"{run.at:%Y-%m-%d %H:%M}", run.model, run.prompt_version or "as recorded", run.requests, run.failed,
                       missing("not counted", unit="USD") if run.cost_usd is None else _usd(run.cost_usd), run.likeness),
                why=f"aether-tui replay --show {run.run}",
            )
            for run in found.runs[1:]
        ),
    )  # fmt: skip


def _shift(one: Compared) -> str:
    value = one.difference.value or 0.0
    share = f" ({100 * abs(value) / one.before:.0f} %)" if one.before else ""
    word = {"cost": ("lower", "higher"), "latency": ("shorter", "longer")}.get(one.measure, ("fewer", "more"))
    verb = "are" if one.measure.endswith("s") else "is"
    return f"{verb} {amount(abs(value), one.unit)}{share} {word[value > 0]}"


def _interval(one: Compared) -> str:
    return f"[{_bound(one, one.difference.low)} to {_bound(one, one.difference.high)}]"

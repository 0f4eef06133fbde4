"""Verdicts for a pull request: Markdown, JUnit XML, GitHub annotations. Text of strangers is escaped for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from aether_tui.budgets.justify import unjustified
from aether_tui.budgets.model import WORST_FIRST, Result, Verdict
from aether_tui.human import amount, column, plural, quantity, signed
from aether_tui.report_model import GLYPHS, Quantity
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.budgets.file import Waiver

MARKER = "<!-- aether-tui budget check -->"
"""First line of the Markdown: a comment that starts with it is replaced by the next one."""
MAX_SUMMARY = 1_000_000
"""Bytes of a step summary; GitHub refuses one above 1 MiB."""
MIN_SUMMARY = 50_000
"""With less room than this nothing is added to a summary."""
MAX_ANNOTATIONS = 10
"""Annotations of each kind GitHub shows per step."""
HEADER = ("Verdict", "Budget", "Base", "Now", "Δ", "Noise band", "Limit", "Why, and what next")
_FOLDED: tuple[Verdict, ...] = ("no-data", "pass")
_KINDS: dict[Verdict, str] = {"block": "error", "inconclusive": "warning", "warn": "warning", "no-data": "notice"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of the gate says: the verdict, its rows worst first, and what is no part of it."""

    verdict: Verdict
    currency: str
    results: tuple[Result, ...]
    expired: tuple[Waiver, ...] = ()
    left: int = 0
    """Budgets of surfaces that were not measured."""
    advisory: bool = False
    base: str = ""
    """The merge-base of a change, where it is one."""

    @property
    def unjustified(self) -> tuple[Result, ...]:
        """Warnings nobody answers for."""
        return unjustified(self.results)

    def headline(self) -> str:
        """`block: 1 block, 3 pass; advisory`."""
        counts = {verdict: sum(one.verdict == verdict for one in self.results) for verdict in WORST_FIRST}
        said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count) or "no budget"
        elsewhere = f"; {plural(self.left, 'budget')} not part of these files" if self.left else ""
        return f"{self.verdict}: {said}{elsewhere}{'; advisory, nothing is stopped' if self.advisory else ''}"

    def expiries(self) -> list[str]:
        """A sentence per waiver that no longer holds."""
        return [f"waiver {one.id} for {one.budget} ({one.owner}) expired on {one.expires}" for one in self.expired]


Comment = Literal["always", "changed", "failing"]


def says_something(outcome: Outcome, comment: Comment) -> bool:
    """Whether a run is worth a comment. `changed`: it is not plainly green, or a number moved further than its noise."""
    if comment == "always" or outcome.verdict != "pass" or outcome.expired:
        return True
    return comment == "changed" and any(_moved(one) for one in outcome.results)


def _moved(one: Result) -> bool:
    if one.shift is None or one.now is None:
        return False
    if one.shift_low is not None and one.shift_high is not None:
        return one.shift_low > 0 or one.shift_high < 0
    return abs(one.shift) > (one.smallest_detectable or 0)


def number(value: float | None, one: Result, currency: str, bound: float | None = None) -> str:
    """A value of a result with its unit, in that of what it is compared with, told from a bound, or `—`."""
    unit = one.unit.replace(currency, "money")
    beside = column((one.now, one.baseline, one.limit), unit)
    return quantity(Quantity(value=value, unit=unit, currency=currency, bound=bound, reason="not measured"), beside)


def signed_share(value: float | None) -> str:
    """`+12 %`, or `—`."""
    if value is None:
        return "—"
    rounded = round(value, 4)  # the last bits of a mean are no change
    return f"{'+' if rounded > 0 else ''}{signed(amount(rounded, 'ratio'))}"


def _advice(one: Result) -> str:
    return one.why + (f"; next: {one.next}" if one.next else "")


# --- Markdown -------------------------------------------------------------------------------------------------------


def markdown(outcome: Outcome, max_bytes: int = MAX_SUMMARY) -> str:
    """A comment of at most `max_bytes`: block, inconclusive and warn in sight, the rest folded."""
    head = [MARKER, f"### Budgets: {GLYPHS[outcome.verdict]} {outcome.headline()}", ""]
    head += [f"- {GLYPHS['block']} {_escaped(said)}" for said in outcome.expiries()[:20]]
    open_rows = [one for one in outcome.results if one.verdict not in _FOLDED]
    folded = [one for verdict in _FOLDED for one in outcome.results if one.verdict == verdict]
    room = max_bytes - sum(len(line.encode()) + 1 for line in head) - 1000
    shown = _table(open_rows, outcome.currency, room)
    room -= sum(len(line.encode()) + 1 for line in shown)
    hidden = _table(folded, outcome.currency, room)
    if hidden:
        counts = ", ".join(f"{count} {name}" for name in _FOLDED if (count := sum(o.verdict == name for o in folded)))
        hidden = ["", f"<details><summary>{counts}</summary>", "", *hidden, "", "</details>"]
    return "\n".join([*head, *(["", *shown] if shown else []), *hidden]) + "\n"


def _table(results: Sequence[Result], currency: str, room: int) -> list[str]:
    """A table of as many rows as there is room for, and how many more there are."""
    if not results:
        return []
    lines = ["| " + " | ".join(HEADER) + " |", "|" + "---|" * len(HEADER)]
    room -= sum(len(line.encode()) + 1 for line in lines)
    for place, one in enumerate(results):
        line = "| " + " | ".join(_escaped(cell) for cell in _row(one, currency)) + " |"
        room -= len(line.encode()) + 1
        if room < 0:
            return [*lines, "", f"{len(results) - place} more rows are left out: `--format json` has them all."]
        lines.append(line)
    return lines


def _row(one: Result, currency: str) -> tuple[str, ...]:
    delta = "—"
    if one.shift is not None and one.baseline is not None:
        change = one.shift * abs(one.baseline)
        delta = f"{'+' if change > 0 else ''}{number(change, one, currency)} ({signed_share(one.shift)})"
    if one.shift_low is not None and one.shift_high is not None:
        band = f"{signed_share(one.shift_low)} to {signed_share(one.shift_high)}"
    else:
        band = f"±{amount(one.smallest_detectable, 'ratio')}" if one.smallest_detectable is not None else "—"
    source = f", {one.base_source}" if one.base_source else ""
    base = f"{number(one.baseline, one, currency)} (n {one.n_base}{source})" if one.n_base else "—"
    now = f"{number(one.now, one, currency, one.limit)} (n {one.n_now})" if one.now is not None else "—"
    verdict = f"{GLYPHS[one.verdict]} {one.verdict}"
    return verdict, one.name, base, now, delta, band, number(one.limit, one, currency), _advice(one)


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is. Mentions and references are found in what was rendered: a zero-width space ends them."""
    apart = {"@": "\\@\u200b", "#": "\\#\u200b"}
    return "".join(
        apart.get(letter) or (f"\\{letter}" if letter in "\\|`*_[]<>~!&$:" else letter)
        for letter in one_line(text, 300)
    )


# --- JUnit ----------------------------------------------------------------------------------------------------------


def junit(outcome: Outcome) -> str:
    """A test suite with one case per row: block fails, inconclusive is an error, no data is skipped.

    A run that measured nothing has a case of its own that fails, so that it is not green.
    """
    cases = [_case(one) for one in outcome.results]
    tally = [one.verdict for one in outcome.results]
    failures, errors = tally.count("block"), tally.count("inconclusive")
    if outcome.verdict == "block" and not failures:
        cases.append(_element("gate", "measured", "failure", "a budget that must be measured was not"))
        failures += 1
    if outcome.verdict == "no-data":
        cases.append(_element("gate", "measured", "error", "nothing was measured"))
        errors += 1
    cases += [_element("waivers", said, "system-out", said) for said in outcome.expiries()]
    counts = f'tests="{len(cases)}" failures="{failures}" errors="{errors}" skipped="{tally.count("no-data")}"'
    body = "\n".join(f"  {case}" for case in cases)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="budgets" {counts}>\n{body}\n</testsuite>\n'


def _case(one: Result) -> str:
    kinds = {"block": "failure", "inconclusive": "error", "no-data": "skipped", "warn": "system-out"}
    return _element(one.surface, one.name, kinds.get(one.verdict, ""), _advice(one))


def _element(group: str, name: str, kind: str, text: str) -> str:
    said = _quoted(_xml(text))
    inside = f"<system-out>{said[1:-1]}</system-out>" if kind == "system-out" else f"<{kind} message={said}/>"
    opened = f"<testcase classname={_quoted(f'budgets.{group}')} name={_quoted(_xml(name))}"
    return f"{opened}>{inside}</testcase>" if kind else f"{opened}/>"


def _quoted(text: str) -> str:
    """An attribute's value with its quotes."""
    for letter, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot")):
        text = text.replace(letter, f"&{name};")
    return f'"{text}"'


def _xml(text: str) -> str:
    """What XML 1.0 can hold."""
    return "".join(letter for letter in one_line(text, 600) if letter < "\ud800" or "\ue000" <= letter != "\uffff")


# --- GitHub ---------------------------------------------------------------------------------------------------------


def github_commands(outcome: Outcome) -> list[str]:
    """Workflow commands, at most ten of each kind; the last one says how many more there are."""
    said = [(_KINDS[one.verdict], one.name, _advice(one)) for one in outcome.results if one.verdict in _KINDS]
    said += [("warning", "waiver", text) for text in outcome.expiries()]
    if outcome.verdict == "no-data":
        said.insert(0, ("error", "budgets", "nothing was measured: the gate is not green"))
    lines: list[str] = []
    for kind in ("error", "warning", "notice"):
        own = [(title, text) for of, title, text in said if of == kind]
        shown = own if len(own) <= MAX_ANNOTATIONS else own[: MAX_ANNOTATIONS - 1]
        lines += [_command(kind, title, text) for title, text in shown]
        if len(shown) < len(own):
            lines.append(_command(kind, "budgets", f"{len(own) - len(shown)} more: see the summary of this step"))
    return lines


def _command(kind: str, title: str, text: str) -> str:
    return f"::{kind} title={_coded(title, ':,')}::{_coded(text, '')}"


def _coded(text: str, more: str) -> str:
    """Text no workflow command can be made of; `%` first, or what it stands for would be coded twice."""
    text = one_line(text, 600).replace("%", "%25").replace("##[", "## [")
    for letter in ("\r", "\n", *more):
        text = text.replace(letter, f"%{ord(letter):02X}")
    return text

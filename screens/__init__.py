"""The screens, by name: one line here gives a screen its key, palette entry, tab, help and place in `docs/keys.md`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScreenSpec:
    """A screen that can be gone to: `g` and its letter; the class is imported when somebody goes there."""

    name: str
    letter: str
    title: str
    help: str
    report: str
    module: str
    attribute: str


ORDER = (
    "home", "flywheel", "interview", "taxonomy", "stream", "constraint", "portfolio", "experiments", "gains", "budgets", "levers",
    "attribution", "lens",
    "scorecard", "flow", "pipeline", "maturity", "rituals", "canvas", "decisions", "changed", "review", "playbook", "traces", "sources",
)  # fmt: skip
"""Tabs stand in the order of the work; a screen that is not named here comes last."""


def _place(spec: ScreenSpec) -> int:
    return ORDER.index(spec.name) if spec.name in ORDER else len(ORDER)


SCREENS: dict[str, ScreenSpec] = {
    spec.name: spec
    for spec in sorted(
        (
            ScreenSpec(
                "home",
                "h",
                "Home",
                "Where the engagement stands and the next action",
                "summary",
                "screens.home",
                "Home",
            ),
            ScreenSpec(
                "flywheel",
                "f",
                "Flywheel",
                "The seven phases as a checklist, and the gate",
                "flywheel",
                "screens.flywheel",
                "Flywheel",
            ),
            ScreenSpec(
                "interview",
                "i",
                "Interview",
                "Begin or resume an interview; what people said, and where they differ",
                "stakeholders",
                "screens.interview",
                "Interview",
            ),
            ScreenSpec(
                "maturity",
                "m",
                "Maturity",
                "Six pillars, and the one next practice",
                "maturity",
                "screens.maturity",
                "Maturity",
            ),
            ScreenSpec(
                "lens",
                "l",
                "Lens",
                "Speed, quality and visibility, worst indicator first",
                "lens",
                "screens.lens",
                "Lens",
            ),
            ScreenSpec(
                "taxonomy",
                "x",
                "Taxonomy",
                "What is asked: kinds of request by volume, cost, failures",
                "taxonomy",
                "screens.taxonomy",
                "Taxonomy",
            ),
            ScreenSpec(
                "flow", "w", "Flow", "Where work waits, and when it will be done", "flow", "screens.flow", "Flow"
            ),
            ScreenSpec(
                "pipeline",
                "j",
                "Pipeline",
                "From opportunity to impact: where items stay",
                "pipeline",
                "screens.pipeline",
                "Pipeline",
            ),
            ScreenSpec(
                "scorecard",
                "d",
                "Scorecard",
                "The five DORA metrics of every service",
                "scorecard",
                "screens.scorecard",
                "Scorecard",
            ),
            ScreenSpec(
                "attribution",
                "u",
                "Attribution",
                "What model calls cost and for whom, and why that changed",
                "attribution",
                "screens.attribution",
                "Attribution",
            ),
            ScreenSpec(
                "stream",
                "v",
                "Value stream",
                "The steps of requests and work items, where they wait, cost and fail",
                "value-stream",
                "screens.stream",
                "Stream",
            ),
            ScreenSpec(
                "constraint",
                "k",
                "Constraint",
                "What, improved 30 %, would unlock the most",
                "constraint",
                "screens.constraint",
                "Constraint",
            ),
            ScreenSpec(
                "portfolio",
                "p",
                "Portfolio",
                "Opportunities ranked by ICE-P",
                "portfolio",
                "screens.portfolio",
                "Portfolio",
            ),
            ScreenSpec(
                "experiments",
                "e",
                "Experiments",
                "What is being tried, what came out, and what is decided",
                "experiments",
                "screens.experiments",
                "Experiments",
            ),
            ScreenSpec(
                "gains",
                "a",
                "Gains",
                "Effective output per dollar, cycle by cycle",
                "gains",
                "screens.gains",
                "Gains",
            ),
            ScreenSpec(
                "playbook",
                "y",
                "Playbook",
                "What was learned, and what keeps it won",
                "playbook",
                "screens.playbook",
                "Playbook",
            ),
            ScreenSpec(
                "budgets",
                "b",
                "Budgets",
                "CI, cost, tests and tokens against their budgets",
                "budgets",
                "screens.budgets",
                "Budgets",
            ),
            ScreenSpec(
                "levers",
                "L",
                "Levers",
                "What could be saved on each surface, as ranges",
                "levers",
                "screens.levers",
                "Levers",
            ),
            ScreenSpec(
                "rituals",
                "r",
                "Rituals",
                "What recurring meetings cost, and when they pay",
                "rituals",
                "screens.organisation",
                "Rituals",
            ),
            ScreenSpec(
                "canvas",
                "c",
                "Canvas",
                "The operating model: nine boxes, who decides what, contradictions",
                "canvas",
                "screens.organisation",
                "Canvas",
            ),
            ScreenSpec(
                "decisions",
                "o",
                "Decisions",
                "How fast we decide, what waits, and what failures taught",
                "decisions",
                "screens.organisation",
                "Decisions",
            ),
            ScreenSpec(
                "review",
                "z",
                "Review",
                "A paragraph to read aloud, and the questions of a weekly, monthly or quarterly review",
                "review",
                "screens.review",
                "Review",
            ),
            ScreenSpec(
                "changed",
                "n",
                "Changed",
                "What changed since the last review, and what moved with it",
                "anomalies",
                "screens.changed",
                "Changed",
            ),
            ScreenSpec(
                "traces",
                "t",
                "Traces",
                "What production did, trace by trace; open one as a tree, compare two",
                "traces",
                "screens.traces",
                "Traces",
            ),
            ScreenSpec(
                "sources",
                "s",
                "Sources",
                "Freshness of every source, sync and last errors",
                "sources",
                "screens.sources",
                "Sources",
            ),
        ),
        key=_place,
    )
}

"""Every report by name. Screens, `report`, `export`, the palette and help read this table; a module is imported when built."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReportSpec:
    """A report: its name on the command line, its title, the module whose `build` makes it, what it answers.

    `needs_data`: without any cached rows it has nothing to say, and `report NAME --format json` exits 3.
    """

    name: str
    title: str
    module: str
    answers: str
    needs_data: bool = False


REPORTS: dict[str, ReportSpec] = {
    spec.name: spec
    for spec in (
        ReportSpec("summary", "Home", "aether_tui.diagnostics.summary", "Where we stand, and the one next action"),
        ReportSpec(
            "flywheel", "Flywheel", "aether_tui.diagnostics.flywheel", "The seven phases of this cycle, as checklists"
        ),
        ReportSpec(
            "gate", "Go / no-go gate", "aether_tui.diagnostics.gate", "Whether production can be seen well enough", True
        ),
        ReportSpec(
            "instrumentation",
            "Instrumentation",
            "aether_tui.diagnostics.instrumentation",
            "Which fields production carries, where they are missing, what is kept of people's data",
            True,
        ),
        ReportSpec("lens", "3-Lens", "aether_tui.diagnostics.lens", "Speed, quality and visibility, 0–100 each", True),
        ReportSpec("flow", "Flow", "aether_tui.diagnostics.flow", "Where work waits, and when it will be done", True),
        ReportSpec(
            "scorecard", "Scorecard", "aether_tui.diagnostics.scorecard", "The five DORA metrics of every service", True
        ),
        ReportSpec(
            "attribution",
            "Attribution",
            "aether_tui.diagnostics.attribution",
            "What model calls cost and for whom, and why that changed",
            True,
        ),
        ReportSpec(
            "value-stream",
            "Value stream",
            "aether_tui.diagnostics.stream",
            "The steps of requests and work items: touch, wait, cost, and where they fail",
            True,
        ),
        ReportSpec(
            "constraint",
            "Constraint",
            "aether_tui.diagnostics.constraint",
            "What, improved 30 %, would unlock the most",
        ),
        ReportSpec(
            "pipeline",
            "Pipeline",
            "aether_tui.diagnostics.pipeline",
            "From opportunity to impact: where items stay",
            True,
        ),
        ReportSpec("portfolio", "Portfolio", "aether_tui.diagnostics.portfolio", "Opportunities ranked by ICE-P"),
        ReportSpec(
            "experiments",
            "Experiments",
            "aether_tui.diagnostics.experiments_report",
            "What is being tried, what came out, and what is decided",
        ),
        ReportSpec(
            "taxonomy",
            "Task taxonomy",
            "aether_tui.diagnostics.taxonomy",
            "What is asked: kinds of request by volume, cost, failures",
            True,
        ),
        ReportSpec(
            "playbook", "Playbook", "aether_tui.diagnostics.playbook", "What was learned, and what keeps it won"
        ),
        ReportSpec(
            "gains", "Gains", "aether_tui.diagnostics.gains_report", "Effective output per dollar, cycle by cycle", True
        ),
        ReportSpec(
            "stakeholders",
            "Stakeholders",
            "aether_tui.diagnostics.stakeholders",
            "What people said, and where they differ",
        ),
        ReportSpec("maturity", "Maturity", "aether_tui.diagnostics.maturity", "Six pillars, and the one next practice"),
        ReportSpec("budgets", "Budgets", "aether_tui.diagnostics.budgets", "Four surfaces against their budgets", True),
        ReportSpec(
            "levers", "Levers", "aether_tui.diagnostics.levers", "What could be saved on each surface, as ranges", True
        ),
        ReportSpec(
            "traces",
            "Traces",
            "aether_tui.diagnostics.traces",
            "What production did, trace by trace, and how agents loop",
            True,
        ),
        ReportSpec(
            "replays",
            "Replays",
            "aether_tui.diagnostics.replays",
            "What recorded requests answered when they were sent again",
            True,
        ),
        ReportSpec(
            "commitments",
            "Commitments",
            "aether_tui.diagnostics.commitments",
            "What we promised, who, done, and whether its number moved",
        ),
        ReportSpec(
            "anomalies",
            "What changed",
            "aether_tui.diagnostics.changed",
            "What changed since the last review",
            True,
        ),
        ReportSpec(
            "review",
            "Review",
            "aether_tui.diagnostics.review",
            "A paragraph to read aloud, and the questions of a weekly, monthly or quarterly review",
        ),
        ReportSpec("sources", "Sources", "aether_tui.diagnostics.sources", "How fresh and complete the data are"),
        ReportSpec(
            "rituals",
            "Rituals",
            "aether_tui.diagnostics.rituals_report",
            "What recurring meetings cost, and when they pay",
        ),
        ReportSpec(
            "canvas",
            "Operating model",
            "aether_tui.diagnostics.canvas",
            "Nine boxes, who decides what, and what contradicts itself",
        ),
        ReportSpec(
            "decisions", "Decisions", "aether_tui.diagnostics.decisions", "How fast we decide, and what failures taught"
        ),
        ReportSpec(
            "handbook", "Handbook", "aether_tui.diagnostics.handbook", "How we work, and what somebody new does first"
        ),
        ReportSpec(
            "readout", "Readout", "aether_tui.diagnostics.readout", "One page for the client at the end of a day"
        ),
    )
}

"""A small engagement with saved reports, so that the console can be looked at without any data behind it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from aether_tui.report_model import (
    Check,
    Checklist,
    Col,
    Fact,
    Facts,
    Finding,
    Freshness,
    Gap,
    Prose,
    Quantity,
    Row,
    SavedReport,
    Table,
    Trend,
    Window,
    missing,
    save,
)
from aether_tui.session import Memory
from aether_tui.workspace.folder import Workspace
from screens import SCREENS

NOW = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
WINDOW = Window(start=NOW - timedelta(days=28), end=NOW, label="28d")
HOSTILE = "\x1b]52;c;aGk=\x07 [@click=app.quit]quit[/] \u202egnp.exe 漢字 ✓"

FRESH = (
    Freshness(source="linear", stream="issues", last_success=NOW - timedelta(minutes=14), age_s=840, stale=False),
    Freshness(source="costs", stream="focus", last_success=NOW - timedelta(hours=3), age_s=10_800, stale=False),
)


def q(value: float | None, unit: str = "", **more: object) -> Quantity:
    if value is None:
        return missing("no source gives it", unit=unit, connect="github")
    return Quantity(value=value, unit=unit, **more)  # type: ignore[arg-type]


def summary() -> SavedReport:
    series = (30.0, 30.0, 40.0, None, 50.0, 60.0, 60.0, 62.0)
    lenses = Facts(
        id="summary.lenses",
        title="Lenses",
        facts=(
            Fact(id="summary.speed", label="Speed", value=q(62, "score", n=212), previous=q(56, "score"), better="higher",
                 series=series, state="warn", note="WIP age p85 19 d", why="Mean of eight indicators, each 0–100."),
            Fact(id="summary.quality", label="Quality", value=q(48, "score", n=62), previous=q(57, "score"), better="higher",
                 series=series[::-1], state="block", note="change fail rate 24 %"),
            Fact(id="summary.visibility", label="Visibility", value=q(None, "score"), state="no-data", note="outcome signal"),
        ),
    )  # fmt: skip
    place = Facts(
        id="summary.place",
        facts=(
            Fact(id="summary.phase", label="items done", value=q(9, "count"), note="of 27; cycle 2, phase 2"),
            Fact(id="summary.gate", label="gate thresholds met", value=q(4, "count"), state="pass", note="of 4; go"),
        ),
    )
    top = Table(
        id="summary.portfolio",
        title="Portfolio",
        columns=(Col(key="id", title="id", priority=9), Col(key="title", title="opportunity", priority=10),
                 Col(key="score", title="score", kind="number", priority=8)),
        rows=(Row(id="OPP-7", cells=("OPP-7", "Rerank long-tail product questions", 192.0)),
              Row(id="OPP-3", cells=("OPP-3", HOSTILE, 144.0), detail="a tie with OPP-7")),
    )  # fmt: skip
    budgets = Table(
        id="summary.budgets",
        title="Budgets",
        columns=(Col(key="id", title="budget", priority=10), Col(key="now", title="now", kind="number", priority=9),
                 Col(key="share", title="of limit", kind="bar", priority=6), Col(key="verdict", title="verdict", kind="state", priority=9)),
        rows=(Row(id="ci.main", cells=("ci.main", q(672, "s", n=20), 0.75, "pass")),
              Row(id="llm.refund", cells=("llm.refund", q(0.131, "USD/task", n=42, low=0.12, high=0.14), 1.31, "block"), state="block")),
    )  # fmt: skip
    return SavedReport(
        report="summary", title="Home", as_of=NOW, window=WINDOW, freshness=FRESH,
        headline="Next: retrieval errors rose 38 % since the last constraint diagnosis; run it again.",
        findings=(Finding(id="f.tokens", severity="bad", text="Refund tokens per task +31 % since prompt v14.",
                          evidence=("41 tasks after, 380 before",), action="go.budgets"),
                  Finding(id="f.lead", severity="info", text="Lead time p50 went from 3.1 d to 2.4 d.")),
        blocks=(place, lenses, top, budgets,
                Trend(id="summary.cost", title="Cost per day", start=WINDOW.start, values=tuple(100 + 3.0 * (i % 9) for i in range(28)),
                      unit="USD", limit=130.0),
                Gap(id="summary.gap", title="Flaky tests", reason="no test results are loaded",
                    next_step="aether-tui load report.xml", action="app.sync")),
    )  # fmt: skip


def flywheel() -> SavedReport:
    phases = tuple(
        Checklist(
            id=f"flywheel.{n}",
            title=f"Phase {n} of 7",
            state="pass" if n == 1 else "running" if n == 2 else "info",
            locked="" if n < 3 else "the gate is closed",
            items=(
                Check(id=f"p{n}.goal", text="The north star is written down", state="pass" if n < 2 else "no-data", kind="manual",
                      evidence="Dana, 2 Nov" if n < 2 else "", next_step="write it down"),
                Check(id=f"p{n}.data", text="80 % of requests have a category", state="warn", kind="auto", evidence="74 % of 41,000"),
            ),
        )
        for n in range(1, 8)
    )  # fmt: skip
    return _report("flywheel", "Flywheel", "Cycle 2 is in phase 2; one item is open.", phases)


def lens() -> SavedReport:
    lenses = tuple(
        Table(
            id=f"lens.{name}",
            title=f"{name.title()} {score}",
            columns=(Col(key="name", title="indicator", priority=10), Col(key="value", title="now", kind="number", priority=9),
                     Col(key="state", title="", kind="state", priority=8)),
            rows=tuple(Row(id=f"{name}.{i}", cells=(f"indicator {i}", q(3600.0 * (i + 1), "s", n=40), ("block", "warn", "pass")[i % 3]))
                       for i in range(8)),
        )
        for name, score in (("speed", 62), ("quality", 48), ("visibility", 71))
    )  # fmt: skip
    return _report("lens", "3-Lens", "Quality is the weakest lens: change failure rate 24 %.", lenses)


def flow() -> SavedReport:
    times = Facts(
        id="flow.times", title="Times of finished items",
        facts=(Fact(id="flow.cycle_p85", label="cycle time p85", value=q(12.9 * 86_400, "s", n=82, low=8.3 * 86_400, high=15.1 * 86_400),
                    previous=q(14 * 86_400, "s"), better="lower"),
               Fact(id="flow.efficiency", label="flow efficiency", value=q(0.44, "ratio", n=82), note="upper bound"),
               Fact(id="flow.handoffs", label="handoffs per item", value=q(None, "count"), state="no-data")),
    )  # fmt: skip
    late = Table(
        id="flow.items_past_p85", title="In progress past the p85 of their team",
        columns=(Col(key="key", title="item", priority=10), Col(key="title", title="title", priority=9),
                 Col(key="age", title="age", kind="number", priority=8)),
        rows=(Row(id="ANS-63", cells=("ANS-63", HOSTILE, q(51.7 * 86_400, "s")), detail="3.2 times the p85"),),
    )  # fmt: skip
    weekly = Trend(id="flow.weekly", title="Finished per week", start=WINDOW.start, values=tuple(float(i % 7) for i in range(21)),
                   unit="count", note="21 whole weeks, 3 without any", step="week")  # fmt: skip
    return _report("flow", "Flow", "Half of the items take 5.0 d, 85 % at most 12.9 d.", (times, late, weekly))


def scorecard() -> SavedReport:
    columns = (Col(key="service", title="service", priority=10), Col(key="lead", title="lead p50", kind="number", priority=9),
               Col(key="deploys", title="deploys", kind="number", priority=9),
               Col(key="fail", title="fail rate", kind="number"))  # fmt: skip
    rows = tuple(
        Row(
            id=name,
            cells=(name, q(lead * 3600, "s"), q(rate, "per_day"), q(fail, "ratio")),
            detail="2 linked incidents",
        )
        for name, lead, rate, fail in (("assist-api", 43.1, 0.92, 0.15), ("retrieval", 50.0, 0.68, None))
    )
    gap = Gap(id="scorecard.gap", title="Incidents", reason="no work item has been pulled", next_step="aether-tui sync",
              action="app.sync")  # fmt: skip
    blocks = (Table(id="scorecard.services", title="Services", columns=columns, rows=rows), gap)
    return _report("scorecard", "Scorecard", "3 services, 58 production deployments.", blocks)


def portfolio() -> SavedReport:
    columns = (
        Col(key="id", title="id", priority=9), Col(key="title", title="opportunity", priority=10),
        Col(key="impact", title="I", kind="number", priority=6), Col(key="confidence", title="C", kind="number", priority=6),
        Col(key="reversibility", title="R", kind="number", priority=6), Col(key="effort", title="E wk", kind="number", priority=6),
        Col(key="score", title="score", kind="number", priority=9), Col(key="rank", title="rank", kind="number", priority=8),
        Col(key="bucket", title="bucket", priority=7),
    )  # fmt: skip
    rows = tuple(
        Row(id=f"OPP-{i}", detail="P(rank 1) 0.61; no evidence named",
            cells=(f"OPP-{i}", f"Opportunity number {i} {'with a rather long title ' * (i % 3)}", str(i % 9 + 1), "5", "8", "2",
                   f"{400 - 9 * i:,.1f}", f"{i}–{i + 2}", "quick win"))
        for i in range(1, 41)
    )  # fmt: skip
    return _report("portfolio", "Portfolio", "OPP-1 leads with 391.", (Table(id="portfolio.items", columns=columns, rows=rows),
                                                                    Prose(id="how", text="Score = I × C × R ÷ E.")))  # fmt: skip


def budgets() -> SavedReport:
    block = summary().blocks[3]
    return _report("budgets", "Budgets", "One of four budgets blocks: llm.refund.", (block,))


def sources() -> SavedReport:
    rows = tuple(Row(id=f.source, cells=(f.source, f.stream, q(f.age_s, "s"), 1200, "pass")) for f in FRESH)
    columns = (Col(key="source", title="source", priority=10), Col(key="stream", title="stream"),
               Col(key="age", title="age", kind="number"),
               Col(key="rows", title="rows", kind="number"), Col(key="state", title="state", kind="state", priority=9))  # fmt: skip
    return _report(
        "sources", "Sources", "Two sources, all fresh.", (Table(id="sources.streams", columns=columns, rows=rows),)
    )


def pipeline() -> SavedReport:
    columns = (Col(key="state", title="", kind="state", priority=8), Col(key="stage", title="stage", priority=10),
               Col(key="here", title="here now", kind="number", priority=8), Col(key="held", title="item-days", kind="bar", width=10),
               Col(key="share", title="share", kind="number", priority=9), Col(key="older", title="past p85", kind="number"))  # fmt: skip
    stages = (("ideation", 52, 0.59, 22), ("validation", 0, 0.03, 0), ("build", 28, 0.38, 4))
    rows = tuple(
        Row(id=f"pipeline.stage.{name}", state="warn" if older else "pass",
            cells=("ageing" if older else "moving", name, here, share, Quantity(value=share, unit="ratio"), older))
        for name, here, share, older in stages
    )  # fmt: skip
    return _report(
        "pipeline", "Pipeline", "Ideation holds 59 % of all item-days; 26 items are older than the p85 of their stage.",
        (Table(id="pipeline.stages", title="Stages", columns=columns, rows=rows),),
    )  # fmt: skip


def stakeholders() -> SavedReport:
    columns = (Col(key="title", title="questionnaire", priority=10), Col(key="minutes", title="minutes", kind="number"))
    rows = (Row(id="stakeholder", cells=("Stakeholder interview", 45)), Row(id="maturity", cells=("Maturity", 30)))
    return _report("stakeholders", "Stakeholders", "3 people in 2 interviews.",
                   (Table(id="interview.start", title="Start one", columns=columns, rows=rows),))  # fmt: skip


def maturity() -> SavedReport:
    columns = (Col(key="pillar", title="pillar", priority=10), Col(key="level", title="level"),
               Col(key="bar", title="of five", kind="bar"))  # fmt: skip
    rows = tuple(Row(id=name, cells=(name.title(), "2 Defined", 0.4)) for name in ("flow", "rituals", "teams"))
    return _report("maturity", "Maturity", "The organisation is at level 2 Defined.",
                   (Table(id="maturity.pillars", title="Six pillars", columns=columns, rows=rows),))  # fmt: skip


def _report(name: str, title: str, headline: str, blocks: tuple[object, ...]) -> SavedReport:
    return SavedReport(
        report=name, title=title, as_of=NOW, window=WINDOW, headline=headline, blocks=blocks, freshness=FRESH
    )  # type: ignore[arg-type]


REPORTS = {
    "summary": summary,
    "flywheel": flywheel,
    "lens": lens,
    "flow": flow,
    "scorecard": scorecard,
    "pipeline": pipeline,
    "portfolio": portfolio,
    "budgets": budgets,
    "sources": sources,
    "stakeholders": stakeholders,
    "maturity": maturity,
}


@cache
def built() -> dict[str, bytes]:
    """Reports of the other screens, built from the demonstration's documents with no cache behind them."""
    from aether_tui.config import Config
    from aether_tui.demo import papers
    from aether_tui.demo.world import World
    from aether_tui.diagnostics.frame import Clock
    from aether_tui.diagnostics.run import run_report

    with TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        workspace.config_path.write_text("")
        papers.write(World(NOW.replace(hour=0, tzinfo=None)), workspace, [])
        config = Config()
        names = [spec.report for spec in SCREENS.values() if spec.report not in REPORTS]
        return {name: save(run_report(name, workspace, config, Clock.of(NOW))) for name in names}


def make_whole(root: Path) -> Workspace:
    """The engagement of `make_workspace` with a report for every screen."""
    workspace = make_workspace(root)
    for name, data in built().items():
        Memory(workspace).keep_report(name, data, 4_102_444_800_000_000_000)
    return workspace


def make_workspace(root: Path, config: str = '[engagement]\nname = "Northwind Assist"\n') -> Workspace:
    """An engagement whose saved reports are newer than everything they are made of."""
    root.mkdir(parents=True, exist_ok=True)
    workspace = Workspace(root)
    workspace.config_path.write_text(config)
    workspace.private()
    workspace.engagement.mkdir()
    memory = Memory(workspace)
    for name, make in REPORTS.items():
        memory.keep_report(name, msgspec.json.encode(make()), 4_102_444_800_000_000_000)
    os.utime(workspace.config_path, (1_600_000_000, 1_600_000_000))
    return workspace


def unbuilt(root: Path) -> Workspace:
    """The same engagement, with the reports of what people said still to be built from its documents."""
    workspace = make_workspace(root)
    for name in ("stakeholders", "maturity"):
        (workspace.state / "reports" / f"{name}.json").unlink()
    return workspace

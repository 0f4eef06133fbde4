"""Which kind of data unlocks which numbers, and how it gets here: one table for every report that misses some."""

from __future__ import annotations

from dataclasses import dataclass

from aether_tui.diagnostics.frame import Data, text, whole


@dataclass(frozen=True, slots=True)
class Need:
    """A kind of data: the record table it fills, its name, how to get it, and what it unlocks."""

    table: str
    name: str
    how: str
    unlocks: str


NEEDS: tuple[Need, ...] = (
    Need(
        "spans", "AI traces", "load OTLP or Langfuse files, or sync langfuse or phoenix",
        "go/no-go gate, cost per request, task success, agent latency, model-call errors, the llm budgets",
    ),
    Need(
        "work_items", "work items", "sync linear or jira, or load a spreadsheet (--as items) or DevLake tables",
        "flow: cycle time, ageing and forecast; the pipeline audit; reopen rate",
    ),
    Need(
        "iterations", "sprints or cycles", "sync linear or jira, or load DevLake tables",
        "predictability: planned against done",
    ),
    Need(
        "deployments", "deployments", "sync github or gitlab, or load DevLake tables",
        "deployment frequency, change fail rate, deployment rework rate",
    ),
    Need(
        "pull_requests", "pull requests", "sync github or gitlab, or load DevLake tables",
        "change lead time (with deployments)",
    ),
    Need(
        "pipeline_runs", "CI runs", "sync github or gitlab, or load DevLake tables",
        "CI duration, the ci budgets",
    ),
    Need("test_runs", "test results", "load JUnit files, or sync gitlab or github", "flaky rate, the tests budgets"),
    Need("costs", "bills", "load FOCUS exports or a spreadsheet (--as invoice), or sync aws", "billed cost with a team, the cost budgets"),
    Need("cost_estimates", "cost estimates", "load Infracost files", "planned cost in the cost budgets"),
    Need(
        "product_metrics", "product usage", "sync amplitude",
        "product usage on the readout",
    ),
)  # fmt: skip

PARTS: dict[str, str] = {
    "work_transitions": "where the time of an item went: active, waiting, handed over, reopened",
    "iteration_items": "which items were planned, added late, taken out or left unfinished",
    "projects": "the health of the project, beside every item behind a flow number",
    "work_links": "what an open item waits for and how many customers ask for it, beside every item behind a flow number",
    "pipeline_jobs": "CI time by job and its levers: queueing, setting up, caches",
    "test_cases": "slowest and flaky tests, failures by package",
    "outcomes": "task success, and with it the gate, cost per success and wins of models, where traces do not say how a task ended",
    "span_payloads": "replay and examples of categories, only where keeping payloads is switched on",
}
"""Tables that come with those above, and what they add."""

KEYS = "c shows how to connect, i asks people"
"""What can be done about missing data on the screens that have them."""

HOW = (
    "sync NAME: add [sources.NAME] to aether.toml, then aether-tui sync. load: aether-tui load PATH… (L in the console). "
    "Access: aether-tui ask."
)


def unlocked(table: str) -> str:
    """What the rows of a record table give; empty for one that no report reads."""
    return next((need.unlocks for need in NEEDS if need.table == table), PARTS.get(table, ""))


def stored(data: Data) -> dict[str, int]:
    """Rows in the cache per record table."""
    return {text(row["name"]): whole(row["n"]) for row in data.rows("row_counts")}


def absent(data: Data) -> tuple[Need, ...]:
    """Kinds of data that have no row yet."""
    counts = stored(data)
    return tuple(need for need in NEEDS if not counts.get(need.table))

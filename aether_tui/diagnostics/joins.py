"""Why a panel is empty: the steps its numbers need, and the first that leaves no row."""

from __future__ import annotations

from datetime import datetime

from aether_tui.diagnostics.frame import Data, instant, whole

Step = tuple[str, str, str]
"""Column of a query `sql/joins_*.sql`, what its rows are, and what makes them."""

_TRACKER = ("items", "work items", "a tracker: linear or jira")
_DEPLOYED: tuple[Step, ...] = (
    ("deployments", "deployments", "a code host: github or gitlab"),
    ("production", "deployments to production", "[mapping.environments] in aether.toml, for the host's own name of it"),
    ("succeeded", "successful deployments to production", "a deployment whose final status is success"),
)
_MERGED: tuple[Step, ...] = (
    ("pulls", "pull requests", "a code host: github or gitlab"),
    ("merged", "merged pull requests", "a request that is merged"),
    (
        "merged_where_deployed",
        "merged requests of a repository that deploys to production, or that name their deployment",
        "deployments of the same repository, or a label deployment:ID",
    ),
)
_TRACED: tuple[Step, ...] = (
    ("traces", "traces", "a trace source, or `aether-tui load PATH`"),
    ("traces_with_calls", "traces with a model call", "spans with gen_ai attributes"),
)
CHAINS: dict[str, tuple[Step, ...]] = {
    "flow": (
        _TRACKER,
        ("items_mapped", "work items in a mapped state", "[mapping.states] in aether.toml"),
        ("items_started", "work items that were ever in progress", "status history, or a state mapped to active"),
        ("items_completed", "work items that are done", "an item that is finished"),
    ),
    "iterations": (
        ("iterations", "sprints or cycles", "a tracker with boards or cycles: jira or linear"),
        _TRACKER,
    ),
    "days": (("days", "days of any rollup", "a source, or `aether-tui load PATH`"),),
    "history": (_TRACKER, ("transitions", "status changes", "a tracker that keeps status history")),
    "pipeline": (
        _TRACKER,
        ("bets", "features and opportunities", "[mapping.types] in aether.toml"),
        ("bets_phased", "features in a lifecycle phase", "[mapping.phases] in aether.toml"),
    ),
    "deployments": _DEPLOYED,
    "pull_requests": (*_MERGED, *_DEPLOYED),
    "work_items": (
        _TRACKER,
        ("incidents", "incidents", "[mapping.types] in aether.toml, for the tracker's own name of them"),
        ("incidents_of_services", "incidents of a service that deploys", "a label service:NAME on the incident"),
    ),
    "pipeline_runs": (("runs", "CI runs", "a code host: github or gitlab"),),
    "test_runs": (("tests", "test runs", "JUnit files: `aether-tui load PATH`"),),
    "spans": _TRACED,
    "outcome": (
        *_TRACED,
        (
            "traces_with_outcome",
            "traces with an outcome",
            "an outcome attribute, see [mapping.span_attributes], or a score, see [mapping.scores]",
        ),
    ),
    "costs": (("charges", "charges", "a FOCUS export: `aether-tui load PATH`"),),
    "product_metrics": (("usage", "product metrics", "a product analytics source: amplitude"),),
}
"""By report or kind of record: the steps in order."""

_COUNTS = {
    **dict.fromkeys(("flow", "iterations", "history", "pipeline"), "joins_items"),
    **dict.fromkeys(("deployments", "pull_requests", "work_items"), "joins_delivery"),
    **dict.fromkeys(("spans", "outcome"), "joins_traces"),
    **dict.fromkeys(("pipeline_runs", "test_runs", "costs", "product_metrics", "days"), "joins_rows"),
}
"""By the same: the query that counts them."""


def newest(data: Data, name: str) -> datetime | None:
    """Of when the newest of those rows is, where its query tells."""
    return instant(next(iter(data.rows(_COUNTS[name])), {}).get("newest"))


def first_failed(data: Data, name: str) -> str:
    """The steps up to the first that leaves nothing, and what would fill it; where none does, that the window is empty."""
    found = next(iter(data.rows(_COUNTS[name])), {})
    passed = []
    for column, what, by in CHAINS[name]:
        n = whole(found.get(column))
        passed.append(f"{what}: {n:,}")
        if not n:
            return f"first join that fails: {' → '.join(passed)}; it takes {by}"
    return f"every join holds ({' → '.join(passed)}); there is nothing in this window, or not for these filters"

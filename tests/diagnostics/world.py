"""A small engagement whose numbers were computed by hand (in the comments): real cache, real documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

from aether_tui.cache import Cache
from aether_tui.config import Config
from aether_tui.diagnostics.frame import EVERYTHING, Clock, Filters
from aether_tui.diagnostics.run import run_report
from aether_tui.records.model import Row, Value
from aether_tui.records.source import Reject
from aether_tui.records.tables import TABLES
from aether_tui.report_model import Report
from aether_tui.workspace.folder import Workspace

NOW = datetime(2026, 11, 21, tzinfo=UTC)
"""The window is 24 October to 21 November; the one before starts on 26 September."""


def at(day: float, month: int = 11) -> datetime:
    """An instant of 2026, naive UTC as rows carry it: day 3.5 is noon of the third."""
    return datetime(2026, month, 1) + timedelta(days=day - 1)  # noqa: DTZ001 (rows are naive UTC)


def full(table: str, **values: Value) -> Row:
    """A full row (derived columns too), absent ones null."""
    names = [column.name for column in TABLES[table].columns]
    assert set(values) <= set(names), set(values) - set(names)
    return tuple(values.get(name) for name in names)


BUDGETS = files("aether_tui.budgets").joinpath("default.yaml").read_text(encoding="utf-8")


def workspace(folder: Path, toml: str = "") -> Workspace:
    """An empty workspace."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "aether.toml").write_text(toml)
    made = Workspace(folder)
    made.private()
    return made


def document(made: Workspace, kind: str, identity: str, text: str) -> None:
    """Write one document as a person would."""
    folder = made.engagement / kind
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{identity}.yaml").write_text(text)


def store(
    made: Workspace,
    source: str,
    stream: str,
    table: str,
    rows: Sequence[Row],
    age_h: float = 1,
    rejects: Sequence[Reject] = (),
) -> None:
    """Merge rows as a sync `age_h` hours ago would have."""
    Cache(made.cache_path).merge(
        source,
        stream,
        {table: rows},
        mapping_hash="m",
        now=NOW - timedelta(hours=age_h),
        rejects=rejects,
        complete=True,
    )


def spans() -> list[Row]:
    """Eight production requests of one call each, costing 0.01 to 0.08 USD and lasting 1 to 8 s; six of `search` by team
    core, two of `triage` by nobody. Output tokens are missing on one triage call, the category on another request, the
    outcome on two (five succeeded, one failed); one call ended in an error."""
    rows = []
    for index in range(1, 9):
        search = index <= 6
        rows.append(
            full(
                "spans",
                trace_id=f"{index:032x}", span_id=f"{index:016x}", name="answer", operation="chat",
                start=at(10 + index), duration_s=float(index), provider="acme", model="m1", input_tokens=100,
                output_tokens=None if index == 8 else 10, status="error" if index == 3 else "ok",
                cost_usd=Decimal(index) / 100, cost_status="reported", environment="production", service="api",
                feature="search" if search else "triage", team="core" if search else None,
                task_cluster=None if index == 1 else "question",
                outcome=None if index > 6 else "failure" if index == 6 else "success",
            )
        )  # fmt: skip
    return rows


def items() -> list[Row]:
    """Six items finished on 15 November after 1 to 6 days of work, one open and unmapped, one incident on 13.5 November."""
    rows = [
        full(
            "work_items", id=f"i{days}", key=f"ENG-{days}", title=f"Item {days}", type="feature", state="Done", category="done",
            created=at(1), started=at(15 - days), completed=at(15), updated=at(15), team="core",
        )
        for days in range(1, 7)
    ]  # fmt: skip
    rows.append(
        full(
            "work_items",
            id="open",
            key="ENG-7",
            title="Open",
            type="feature",
            state="Odd",
            created=at(1),
            updated=at(16),
        )
    )
    rows.append(
        full(
            "work_items", id="inc", key="INC-1", title="Down", type="incident", state="Done", category="done",
            created=at(13.5), completed=at(14), updated=at(14),
        )
    )  # fmt: skip
    return rows


def transitions() -> list[Row]:
    """ENG-6 was done, opened again, and done."""
    steps = [(9, None, "active"), (12, "active", "done"), (13, "done", "active"), (15, "active", "done")]
    return [
        full(
            "work_transitions",
            item_id="i6",
            at=at(day),
            to_state=to,
            from_state=before,
            to_category=to,
            from_category=before,
        )
        for day, before, to in steps
    ]


def changes() -> tuple[list[Row], list[Row]]:
    """Five pull requests merged on 11 to 15 November at noon, first committed 1 to 5 days before their deployment at 18:00."""
    pulls, deployments = [], []
    for index in range(1, 6):
        day = 10 + index
        pulls.append(
            full(
                "pull_requests", repo="acme/api", number=index, state="merged", created=at(day), merged=at(day + 0.5),
                first_commit=at(day + 0.75 - index), updated=at(day + 0.5), service="api", team="core",
            )
        )  # fmt: skip
        deployments.append(
            full(
                "deployments", id=f"d{index}", repo="acme/api", started=at(day + 0.75), finished=at(day + 0.75),
                updated=at(day + 0.75), result="success", reason="planned", service="api", environment="production", team="core",
            )
        )  # fmt: skip
    return pulls, deployments


def runs() -> list[Row]:
    """CI runs of 300, 600, 900, 1,200 and 1,500 s, and a cancelled one that does not count."""
    rows = []
    for index, wall in enumerate([300, 600, 900, 1200, 1500, 9999], start=1):
        rows.append(
            full(
                "pipeline_runs", id=f"r{index}", attempt=1, repo="acme/api", workflow="ci", branch="main", event="push",
                created=at(12), started=at(12), finished=at(12.5), run_s=float(wall), wall_s=float(wall),
                result="cancelled" if wall == 9999 else "success", service="api", team="core",
            )
        )  # fmt: skip
    return rows


def tests() -> list[Row]:
    """Two runs of 1,000 cases, 5 of all flaky."""
    return [
        full("test_runs", id=f"t{index}", suite="unit", repo="acme/api", started=at(12), tests=1000, skipped=0, failed=0, errors=0,
             flaky=flaky, passed=1000, duration_s=60.0, partial=False)
        for index, flaky in enumerate([2, 3])
    ]  # fmt: skip


def bills() -> list[Row]:
    """100 USD with a team, 50 without, a credit of 20, and 7 EUR."""
    charges = [("100", "core", "USD"), ("50", None, "USD"), ("-20", None, "USD"), ("7", None, "EUR")]
    return [
        full("costs", row_hash=f"c{index}", charge_start=at(12), charge_end=at(13), billing_start=at(1), billing_end=at(1, 12),
             billed_cost=Decimal(billed), effective_cost=Decimal(billed), currency=currency, charge_category="Usage",
             team=team, environment="production", service=f"s{index}")
        for index, (billed, team, currency) in enumerate(charges)
    ]  # fmt: skip


def usage() -> list[Row]:
    """Active users: 10 and 20 before, 30 and 50 now, and an unfinished day that does not count."""
    days = [(at(1, 10), 10, False), (at(2, 10), 20, False), (at(1), 30, False), (at(2), 50, False), (at(20), 1, True)]
    return [
        full(
            "product_metrics", metric="active_users", segment="", day=day, value=float(value), unit="users",
            incomplete=unfinished, updated=at(20),
        )
        for day, value, unfinished in days
    ]  # fmt: skip


def fill(made: Workspace) -> None:
    """All of it: nine streams, of which linear/issues is three days old and one refused a row."""
    pulls, deployments = changes()
    store(made, "traces", "files", "spans", spans())
    store(made, "linear", "issues", "work_items", items(), age_h=72)
    store(made, "linear", "history", "work_transitions", transitions())
    store(made, "github", "pulls", "pull_requests", pulls)
    store(made, "github", "deployments", "deployments", deployments)
    store(made, "github", "runs", "pipeline_runs", runs())
    refused = Reject("test_runs", "no <testsuite> in it | odd", "<html>`x`</html>", "a|b.xml line 3")
    store(made, "junit", "files", "test_runs", tests(), rejects=[refused])
    store(made, "focus", "files", "costs", bills())
    store(made, "amplitude", "users", "product_metrics", usage())


def clock(window: str = "28d") -> Clock:
    """The clock of every test."""
    return Clock.of(NOW, window, seed=1)


def report(
    name: str, made: Workspace, config: Config | None = None, filters: Filters = EVERYTHING, window: str = "28d"
) -> Report:  # type: ignore[type-arg]
    """One report over the workspace's cache and documents; of one that nobody writes to, the same question is answered once."""
    asked = (name, made.root, repr(config), repr(filters), window)
    if asked in _ANSWERED:
        return _ANSWERED[asked]
    found = run_report(name, made, config or Config(), clock(window), Cache(made.cache_path), filters)
    if made.root in READ_ONLY:
        _ANSWERED[asked] = found
    return found


READ_ONLY: set[Path] = set()
"""Workspaces that several tests share: nobody writes to them."""
_ANSWERED: dict[tuple[object, ...], Report] = {}  # type: ignore[type-arg]

"""Whole worlds of servers that nobody here wrote for our connectors, through the command."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aether_tui.cache import Cache
from aether_tui.workspace.folder import Workspace
from tests.command import aether
from tests.connectors import strangers_code, strangers_work
from tests.connectors.server import serving, tagged
from tests.connectors.strangers import KEYS, NOW, SECRET, TOML, YESTERDAY, strangers, users
from tests.connectors.strangers_code import GitHub
from tests.connectors.strangers_work import JiraCloud, JiraDataCenter, Linear


def test_worlds_of_several_pages_arrive_whole_and_right(tmp_path: Path) -> None:
    with ExitStack() as stack:
        servers = {name: stack.enter_context(serving(answer)) for name, answer in strangers().items()}
        (tmp_path / "aether.toml").write_text(TOML.format(**{name: one.url for name, one in servers.items()}))
        done = aether("--as-of", NOW.isoformat(), "sync", "--yes", "--format", "json", cwd=tmp_path, env=KEYS)
    assert done.code == 0, done.err
    assert "0.01 USD" in done.err  # what the refresh costs, before it is asked
    before = contents(tmp_path)
    assert aether("cache", "verify", cwd=tmp_path).code == 0
    assert SECRET not in str(before)
    assert not any(name in str(before) for name in ("ada@example", "'ada'", "bob@"))
    right_gitlab(tmp_path)
    right_amplitude(tmp_path)
    right_phoenix(tmp_path)
    right_aws(tmp_path)


def query(root: Path, sql: str) -> list[tuple[Any, ...]]:
    with Cache(Workspace(root).cache_path).read() as lease:
        return [tuple(row.values()) for row in lease.rows(sql)]


TABLES = (
    "pipeline_runs pipeline_jobs test_runs test_cases pull_requests deployments product_metrics costs spans tasks rejects "
    "work_items work_transitions iterations iteration_items work_links projects"
)


def contents(root: Path) -> dict[str, list[tuple[Any, ...]]]:
    return {name: query(root, f"FROM {name} ORDER BY ALL") for name in TABLES.split()}


def test_worlds_of_trackers_and_of_code_arrive_whole_and_right_through_limits_and_a_second_sync_changes_nothing(
    tmp_path: Path,
) -> None:
    linear, cloud, old, github = Linear(), JiraCloud(), JiraDataCenter(), GitHub()
    answers = {"linear": linear, "jira": cloud, "jira_dc": old, "github": tagged(github)}
    # One instant for both: what is read once a day is not read again because midnight fell between them.
    keys = {**strangers_work.KEYS, **strangers_code.KEYS}
    with ExitStack() as stack:
        servers = {name: stack.enter_context(serving(answer)) for name, answer in answers.items()}
        urls = {name: one.url for name, one in servers.items()}
        (tmp_path / "aether.toml").write_text((strangers_work.TOML + strangers_code.TOML).format(**urls))
        first = aether("--as-of", NOW.isoformat(), "sync", "--format", "json", cwd=tmp_path, env=keys)
        assert first.code == 0, first.err
        before = contents(tmp_path)
        for one in servers.values():
            one.requests.clear()
        second = aether("--as-of", NOW.isoformat(), "sync", "--format", "json", cwd=tmp_path, env=keys)
        assert second.code == 0, second.err
        asked = {name: len(one.requests) for name, one in servers.items()}
    assert (linear.limited, cloud.limited, github.limited) == (True, True, True)
    assert contents(tmp_path) == before
    assert asked == {"linear": 1 + 1 + 2 + 2, "jira": 3, "jira_dc": 3, "github": 3}
    assert SECRET not in str(before)
    assert not any(name in str(before) for name in ("ada@example", "'ada", "JIRAUSER", "712020:", "person-", "\u202e"))
    assert before["rejects"] == []
    right_linear(tmp_path, linear)
    right_jira(tmp_path, cloud)
    right_jira_dc(tmp_path)
    right_github(tmp_path, github)


def right_linear(root: Path, linear: Linear) -> None:
    items = query(
        root,
        "SELECT id, title, state, state_type, created, completed, cancelled, estimate, project, parent, assignee IS NULL "
        "FROM work_items WHERE source = 'linear'",
    )
    utc = lambda at: at and datetime.fromisoformat(at).astimezone(UTC).replace(tzinfo=None)  # noqa: E731
    assert sorted(items) == sorted(
        (
            one["id"], one["title"].replace("\u001b[31m", ""), one["state"]["name"],
            "canceled" if one["trashed"] else one["state"]["type"],
            utc(one["createdAt"]), utc(one["completedAt"]), utc(one["archivedAt"]), one["estimate"],
            one["project"] and one["project"]["name"], one["parent"] and one["parent"]["id"], one["assignee"] is None,
        )
        for one in linear.issues
    )  # fmt: skip
    assert sorted(moves(root, "linear"), key=str) == sorted(linear.transitions(), key=str)
    assert query(root, "SELECT kind, to_id, weight FROM work_links WHERE source = 'linear' ORDER BY id") == [
        ("need", "p1", 0), ("blocks", "id-2", None), ("duplicates", "id-2", None), ("relates", "id-2", None), ("similar", "id-2", None),
    ]  # fmt: skip
    cycles = (
        "SELECT name, state, items_start, items_end, items_done, scope_start, scope_end, scope_done FROM iterations"
    )
    assert query(root, f"{cycles} WHERE source = 'linear' ORDER BY id") == [
        ("1", "closed", 3, 4, 2, 5.0, 8.5, 3.5), ("2", None, None, None, None, None, None, None),
    ]  # fmt: skip
    (project,) = query(root, "SELECT name, state, health, parents, target FROM projects")
    assert project == ("Checkout ", "Paused", None, ["i1", "i2"], datetime.fromisoformat("2027-01-31"))


def moves(root: Path, source: str) -> list[tuple[Any, ...]]:
    rows = "SELECT item_id, work_transitions.at, to_state, from_state FROM work_transitions"
    return query(root, f"{rows} WHERE source = '{source}'")


def right_jira(root: Path, cloud: JiraCloud) -> None:
    items = query(
        root,
        "SELECT id, key, state, state_type, created, completed, priority, estimate, assignee IS NULL, labels, parent, source_type "
        "FROM work_items WHERE source = 'jira'",
    )
    keys = {one["id"]: one["statusCategory"]["key"] for one in cloud.statuses}
    told = [(one["id"], one["key"], one["fields"]) for one in cloud.issues]
    utc = lambda at: at and datetime.strptime(at, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC).replace(tzinfo=None)  # noqa: E731
    assert sorted(items) == sorted(
        (
            id, key, one["status"]["name"], keys[one["status"]["id"]], utc(one["created"]), utc(one["resolutiondate"]),
            one["priority"] and one["priority"]["name"], one["customfield_10016"], one["assignee"] is None,
            one.get("labels", []) + (["impact: 8"] if one["customfield_10777"] else []), one.get("parent", {}).get("id"),
            one["issuetype"]["name"],
        )
        for id, key, one in told
    )  # fmt: skip
    assert sorted(moves(root, "jira"), key=str) == cloud.transitions()
    assert query(root, "SELECT id, from_id, to_id, kind FROM work_links WHERE source = 'jira'") == [
        ("900", "100021", "100022", "blocks")
    ]
    sixths = len([n for n in range(len(told)) if n % 6 == 0 and n != 23])
    in_sprints = "SELECT iteration_id, count(*), count(DISTINCT item_id), count(removed) FROM iteration_items"
    assert sorted(query(root, f"{in_sprints} WHERE source = 'jira' GROUP BY 1")) == [
        ("70", sixths, sixths, 0),
        ("71", sixths, sixths, 0),
    ]
    sprints = "SELECT id, state, start FROM iterations WHERE source = 'jira' ORDER BY id"
    assert query(root, sprints) == [
        ("71", "active", datetime.fromisoformat("2026-11-09T09:00")),
        ("72", "future", None),
    ]


def right_jira_dc(root: Path) -> None:
    sums = "SELECT count(*), count(DISTINCT id), sum(estimate), count(DISTINCT assignee), min(created), any_value(state_type)"
    created = (NOW - timedelta(hours=200)).replace(tzinfo=None)
    assert query(root, f"{sums} FROM work_items WHERE source = 'old'") == [
        (37, 37, 36 * 8 + 5, 3, created, "indeterminate")
    ]
    assert {(to, was) for _, _, to, was in moves(root, "old")} == {("Open", None), ("WIP", "Open")}
    assert len(moves(root, "old")) == 2 * 37
    in_sprints = "SELECT iteration_id, count(*) FROM iteration_items WHERE source = 'old' GROUP BY 1 ORDER BY 1"
    assert query(root, in_sprints) == [("5", 7), ("6", 6)]


def right_github(root: Path, github: GitHub) -> None:
    count = "SELECT result, count(*) FROM pipeline_runs WHERE source = 'github' AND attempt = {} GROUP BY 1"
    last = [("running" if n >= 105 else github.folded[n % 10]) for n in range(110) if n % 40 != 1]
    again = [n for n in range(110) if n % 40 == 1]
    first = [*last, *("failure" for _ in again)]  # of an attempt before the last only its jobs tell
    assert dict(query(root, count.format(1))) == {result: first.count(result) for result in first}
    assert dict(query(root, count.format(3))) == {"failure": len(again)}
    jobs = "SELECT count(*), count(DISTINCT (id, attempt)), sum(run_s), count(queue_s), count(*) - count(created) FROM pipeline_jobs"
    finished = 105 + 2 * len(again)
    undated = 20 + 2 * len([n for n in again if n < 20])
    assert query(root, f"{jobs} WHERE source = 'github'") == [
        (finished, finished, 3600.0 * finished, finished - undated, undated)
    ]
    pulls = "SELECT number, state, merge_sha, first_commit, first_review, author IS NULL, item_keys FROM pull_requests ORDER BY 1"
    committed = datetime.fromisoformat("2026-10-02T02:00")
    assert query(root, pulls) == [
        (
            n, ("merged", "closed", "open")[n % 3], f"{n:040x}" if n % 3 == 0 else None, committed,
            # Whose pull request it was that left nobody can tell: the first word is the first review.
            strangers_code.at((199 if n == 7 else 185) - n), n == 7, [f"PAY-{n}"],
        )
        for n in range(1, 31)
    ]  # fmt: skip
    told = "SELECT result, reason, environment, finished IS NULL FROM deployments ORDER BY deployments.id"
    every = ("success", "failure", "running", "unknown")
    assert query(root, told) == [
        (every[n % 4], "hotfix" if n == 3 else "unknown", ("production", "staging")[n % 2], n % 4 > 1)
        for n in range(12)
    ]


def right_gitlab(root: Path) -> None:
    ago = lambda hours: (NOW - timedelta(hours=hours)).replace(tzinfo=None)  # noqa: E731
    runs = query(root, "SELECT id, attempt, result, workflow, created FROM pipeline_runs ORDER BY id, attempt")
    assert runs == [
        ("9007199254740994", 1, "failure", "pipeline", ago(50)),
        ("9007199254740994", 2, "success", "pipeline", ago(50)),
        ("9007199254740995", 1, "failure", "pipeline", ago(40)),
        ("9007199254740996", 1, "other", "pipeline", ago(30)),
        ("9007199254740997", 1, "running", "pipeline", ago(2)),
        ("9007199254740998", 1, "success", "child pipeline", ago(20)),
    ]
    jobs = query(root, "SELECT id, attempt, result, run_s, runner, artifact_bytes FROM pipeline_jobs ORDER BY id")
    assert jobs[:3] == [
        ("101", 1, "failure", 900.123456, "linux-small", 1000), ("102", 2, "success", 900.123456, "linux-small", 1000),
        ("103", 2, "other", None, None, 1000),
    ]  # fmt: skip
    assert query(root, "SELECT tests, passed, failed, flaky, duration_s, suite_time_s FROM test_runs") == [
        (3, 2, 1, 1, 2.91, 2.9)
    ]
    requests = query(
        root,
        "SELECT number, state, merge_sha, merged, first_commit, first_review, item_keys FROM pull_requests ORDER BY 1",
    )
    earliest = NOW.replace(year=2026, month=10, day=2, hour=2, minute=0, second=0, tzinfo=None)
    assert requests == [
        (1, "merged", "merge1", ago(59), earliest, ago(57.5), ["PAY-1"]),
        (2, "merged", "squash2", ago(58), earliest, ago(59), ["PAY-2"]),
        (3, "merged", "head3", ago(57), earliest, ago(59), ["PAY-3"]),
        (4, "closed", None, None, earliest, ago(59), ["PAY-4"]),
    ]
    told = query(root, "SELECT result, count(*), min(finished), environment FROM deployments GROUP BY ALL ORDER BY 1")
    assert [(result, n, environment) for result, n, _, environment in told] == [
        ("failure", 41, "production"), ("running", 41, "production"), ("success", 41, "production"), ("unknown", 82, "production"),
    ]  # fmt: skip
    assert [finished is None for _, _, finished, _ in told] == [False, True, False, True]
    (people,) = query(
        root, "SELECT count(DISTINCT author), min(length(author)), count(*) FILTER (author IS NULL) FROM pull_requests"
    )
    assert people == (3, 16, 1)


def right_amplitude(root: Path) -> None:
    found = query(
        root,
        "SELECT metric, day, value, unit, zone, incomplete FROM product_metrics WHERE metric NOT LIKE 'exp%' ORDER BY 1, 2",
    )
    assert {metric: sum(metric == one[0] for one in found) for metric in ("active_users", "new_users", "event:Ordered")} == {
        "active_users": 6, "new_users": 6, "event:Ordered": 6,
    }  # fmt: skip
    ordered = [one for one in found if one[0] == "event:Ordered"]
    assert all(value == 7 * day.day for _, day, value, *_ in ordered)
    assert [(day.date() <= YESTERDAY) == (not incomplete) for _, day, _, _, _, incomplete in ordered] == [True] * 6
    assert {zone for *_, zone, _ in found} == {"America/New_York"}
    assert all(value == users(day.date()) for metric, day, value, *_ in found if metric == "active_users")
    # Events that were uploaded twice count once.
    assert query(root, "SELECT sum(value) FROM product_metrics WHERE metric = 'exported:Ordered'") == [(4,)]


def right_aws(root: Path) -> None:
    sums = (
        "SELECT source_service, account, charge_category, count(*), CAST(sum(billed_cost) AS VARCHAR), count(*) FILTER (estimated), "
        "any_value(currency) FROM costs GROUP BY ALL ORDER BY 1, 2"
    )
    assert query(root, sums) == [
        ("AWS Credits", "111122223333", "Usage", 30, "-1.500000000000", 1, "USD"),
        ("Amazon Bedrock", "111122223333", "Usage", 30, "3.703703673000", 1, "USD"),
        ("Amazon Bedrock", "444455556666", "Usage", 30, "0.000003000000", 1, "USD"),
        ("Tax", "111122223333", "Tax", 30, "2.100000000000", 1, "USD"),
    ]


def right_phoenix(root: Path) -> None:
    (spans,) = query(
        root,
        "SELECT count(*), count(DISTINCT trace_id), sum(input_tokens), sum(output_tokens), sum(cached_tokens), "
        "CAST(sum(reported_cost_usd) AS VARCHAR), count(*) FILTER (status = 'error'), max(start), count(DISTINCT \"user\"), "
        'min(length("user")), count(*) FILTER (parent_id IS NULL), min(duration_s) FROM spans',
    )
    newest = (NOW - timedelta(hours=3)).replace(tzinfo=None)
    assert spans[:4] == (1100, 550, 55_000, 11_000)
    assert spans[4:] == (22_000, "0.067650000000", 1, newest, 1, 16, 550, 2.5)
    assert query(root, "SELECT count(*), sum(turns) FROM tasks") == [(550, 550)]

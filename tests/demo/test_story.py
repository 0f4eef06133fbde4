"""The generated sources: the same every time, plausible, with what was planted in them, and understood by the connectors."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean, median
from typing import cast

import msgspec
import pytest

from aether_tui.config_file import load_config
from aether_tui.demo import releases, work
from aether_tui.demo.build import write_sources
from aether_tui.demo.world import DAYS, PROMPT_CHANGE_DAYS, SERVICES, World
from aether_tui.records import Row
from aether_tui.records.source import Network, Sweepable
from aether_tui.sync import registry
from aether_tui.sync.plan import plan
from aether_tui.text import one_line
from aether_tui.workspace import links
from aether_tui.workspace.documents import read_documents
from aether_tui.workspace.folder import Workspace

TODAY = datetime(2026, 11, 21, tzinfo=UTC).replace(tzinfo=None)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
WORLD = World(TODAY)


@pytest.fixture
def demo(built_demo: Path) -> Workspace:
    return Workspace(built_demo)


def digests(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != "documents.lock"
    }


def test_the_same_day_gives_the_same_bytes(demo: Workspace, tmp_path: Path) -> None:
    again = Workspace(tmp_path)
    write_sources(WORLD, again)
    wanted = digests(demo.root)
    assert {name: wanted[name] for name in digests(tmp_path)} == digests(tmp_path)
    assert work.jira_items(World(TODAY + timedelta(days=1))) != work.jira_items(WORLD)


def spans(demo: Workspace) -> Iterator[dict[str, object]]:
    for path in sorted((demo.root / "files" / "traces").iterdir()):
        for line in path.read_text("utf-8").splitlines():
            for group in msgspec.json.decode(line)["resourceSpans"]:
                for span in group["scopeSpans"][0]["spans"]:
                    values = {item["key"]: next(iter(item["value"].values())) for item in span["attributes"]}
                    yield {**span, "values": values}


def test_traces_have_the_planted_shares_and_the_prompt_change(demo: Workspace) -> None:
    tokens: Counter[str] = Counter()
    roots: dict[str, dict[str, str]] = {}
    start: dict[str, int] = {}
    count = 0
    for span in spans(demo):
        count += 1
        trace, values = str(span["traceId"]), span["values"]
        assert isinstance(values, dict)
        if "parentSpanId" not in span:
            roots[trace], start[trace] = values, int(str(span["startTimeUnixNano"]))
        tokens[trace] += int(values.get("gen_ai.usage.input_tokens", 0)) + int(
            values.get("gen_ai.usage.output_tokens", 0)
        )
    assert 36_000 <= count <= 46_000
    assert set(tokens) == set(roots)
    intents = Counter(values["app.intent"] for values in roots.values() if "app.intent" in values)
    assert len(intents) == 12
    assert intents.total() / len(roots) == pytest.approx(0.86, abs=0.02)
    signals = [values["app.outcome"] for values in roots.values() if "app.outcome" in values]
    assert len(signals) / len(roots) == pytest.approx(0.64, abs=0.02)
    assert signals.count("resolved") / len(signals) == pytest.approx(0.80, abs=0.03)
    change = (WORLD.day(PROMPT_CHANGE_DAYS) - EPOCH).total_seconds() * 1e9
    refunds = [trace for trace, values in roots.items() if values["app.scenario"] == "refund"]
    before = [tokens[trace] for trace in refunds if start[trace] < change]
    after = [tokens[trace] for trace in refunds if start[trace] >= change]
    assert len(after) > 60
    assert fmean(after) / fmean(before) == pytest.approx(1.31, abs=0.06)


def test_nothing_happens_in_the_future() -> None:
    story = releases.happen(WORLD)
    moments = [deployment.finished for deployment in story.deployments]
    moments += [run.updated for run in story.runs]
    moments += [job.completed for run in story.runs for job in run.jobs]
    moments += [moment for pull in story.pulls for moment in (pull.created, pull.updated, *pull.commits)]
    moments += [
        at for item in work.linear_items(WORLD, story.troubles) + work.jira_items(WORLD) for at, _ in item.moves
    ]
    assert max(moments) <= TODAY


def test_the_boards_look_like_a_team_at_work() -> None:
    story = releases.happen(WORLD)
    items = work.linear_items(WORLD, story.troubles)
    assert 380 <= len(items) <= 430
    kinds = Counter(item.kind for item in items)
    assert set(kinds) == {"feature", "bug", "chore", "opportunity", "incident"}
    assert 8 <= kinds["incident"] <= 30
    assert kinds["incident"] == len(story.troubles)
    states = Counter(item.state for item in items)
    assert states["Done"] > len(items) / 2
    assert 12 <= states["In Progress"] + states["In Review"] + states["Blocked"] <= 60
    for item in items:
        instants = [at for at, _ in item.moves]
        assert instants == sorted(instants)
        assert item.created == instants[0]
    assert {item.team for item in items} == {"CON", "ANS", "PLT"}
    assert len({(item.team, item.number) for item in items}) == len(items)


def test_releases_fail_more_often_lately_and_main_is_below_its_budget() -> None:
    story = releases.happen(WORLD)
    production = [one for one in story.deployments if one.environment == "production"]
    assert {one.service for one in production} == {service.name for service in SERVICES}
    remedies = [one for one in production if one.reason != "planned"]
    assert {one.reason for one in remedies} == {"hotfix", "rollback"}
    assert any(one.result == "failure" for one in production)
    lately = [one for one in production if WORLD.ago(one.created) < 28]
    assert 40 <= len(lately) <= 80
    main = [
        (run.updated - run.created).total_seconds()
        for run in story.runs
        if run.workflow == "CI" and run.branch == "main" and run.attempt == 1 and run.conclusion == "success"
    ]
    assert 600 < median(main) < 900
    assert any(run.attempt == 2 for run in story.runs)


def test_costs_hold_a_runaway_a_drift_and_a_step(demo: Workspace) -> None:
    by_day: dict[tuple[str, str], dict[str, float]] = {}
    for path in sorted((demo.root / "files" / "costs").iterdir()):
        with path.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["ChargeCategory"] == "Usage":
                    series = by_day.setdefault((row["SubAccountId"], row["ServiceName"]), {})
                    day = row["ChargePeriodStart"]
                    series[day] = series.get(day, 0.0) + float(row["EffectiveCost"])
    gpu = list(by_day["northwind-dev", "GPU Notebooks"].values())
    assert gpu[-1] > 20 * gpu[0]
    storage = list(by_day["northwind-production", "Object Storage"].values())
    assert len(storage) == DAYS
    assert storage[-1] / storage[0] == pytest.approx(1.004 ** (DAYS - 1), rel=0.06)
    staging = Counter[str]()
    for (account, _), series in by_day.items():
        if account == "northwind-staging":
            staging.update(series)
    ordered = [staging[day] for day in sorted(staging)]
    assert fmean(ordered[-7:]) / fmean(ordered[-28:-7]) == pytest.approx(1.22, abs=0.04)


def test_every_recording_is_read_without_a_reject(demo: Workspace) -> None:
    rows, rejects, problems = asyncio.run(pulled(demo))
    assert rejects == []
    assert problems == []
    few = {"iterations", "iteration_items", "projects", "work_links"}
    assert {name: len(found) > (5 if name in few else 50) for name, found in rows.items()} == dict.fromkeys(rows, True)
    assert set(rows) - few == {
        "work_items", "work_transitions", "pipeline_runs", "pipeline_jobs", "pull_requests", "deployments", "product_metrics",
    }  # fmt: skip


async def pulled(demo: Workspace) -> tuple[dict[str, list[Row]], list[object], list[str]]:
    rows: dict[str, list[Row]] = {}
    rejects: list[object] = []
    problems: list[str] = []
    for job in plan(load_config(demo), demo, now=lambda: TODAY.replace(tzinfo=UTC), offline=True):
        assert isinstance(job.network, Network)
        source = job.connect()
        for stream in job.streams:
            async for page in source.pages(stream, None):
                for name, found in page.rows.items():
                    rows.setdefault(name, []).extend(found)
                rejects.extend(page.rejects)
                problems.extend(page.problems)
            if stream.sweep_s:  # what was deleted is looked for, too
                assert [some async for some in cast("Sweepable", source).ids(stream)], stream.name
        await source.close()
    return rows, rejects, problems


@pytest.mark.parametrize(
    ("folder", "kind"), [("traces", "otlp"), ("costs", "focus"), ("tests", "junit"), ("plans", "infracost")]
)
def test_every_file_is_recognised_and_read_without_a_reject(demo: Workspace, folder: str, kind: str) -> None:
    from connectors import files

    reader = registry.file_kind(kind)
    paths = sorted((demo.root / "files" / folder).iterdir())
    assert all(reader.recognises(files.sample(path)) for path in paths)
    pages = list(reader.pages(paths, TODAY.replace(tzinfo=UTC)))
    assert [reject for page in pages for reject in page.rejects] == []
    problems = [problem for page in pages for problem in page.problems]
    assert [problem for problem in problems if not problem.endswith("read as FOCUS 1.0")] == []


def test_strangers_wrote_some_of_the_titles() -> None:
    story = releases.happen(WORLD)
    titles = [item.title for item in work.linear_items(WORLD, story.troubles) + work.jira_items(WORLD)]
    odd = [title for title in titles if one_line(title) != title]
    assert any("\x1b" in title for title in odd)
    assert any("\u202e" in title for title in odd)
    assert any(len(title) > 300 for title in titles)
    assert any("[@click" in title for title in titles)


def test_documents_are_whole(demo: Workspace) -> None:
    documents = read_documents(demo, load_config(demo))
    assert documents.problems == ()
    assert len(documents.opportunities) == 15
    cycle = documents.running(TODAY.date())
    assert cycle is not None
    assert cycle.id == "cycle-2"
    assert len(documents.decisions) == 11
    assert links.dangling(documents) == ()


def test_a_quote_is_followed_to_the_playbook_by_links_that_are_checked(demo: Workspace, tmp_path: Path) -> None:
    demo = Workspace(
        shutil.copytree(demo.root, tmp_path / "copy", ignore=shutil.ignore_patterns("files", "recordings"))
    )
    documents = read_documents(demo, load_config(demo))
    named = {(one.source, one.target) for one in links.every(documents)}
    chain = ("INT-8", "OPP-15", "EXP-1", "PLAY-1")
    assert ("INT-8", "OPP-15") in named and ("OPP-15", "INT-8") in named  # a quote and what it became name each other
    assert ("EXP-1", "OPP-15") in named and ("PLAY-1", "EXP-1") in named
    assert links.dangling(documents) == ()
    for identity in chain[:3]:
        (file,) = demo.engagement.rglob(f"{identity}.yaml")
        away = file.rename(file.with_suffix(".away"))
        try:
            found = links.dangling(read_documents(demo, load_config(demo)))
        finally:
            away.rename(file)
        assert found and all(identity in one.what and one.line and one.key and one.fix for one in found), identity

"""The main job, end to end, through the command line: from an empty folder to numbers on real input, and every way it can go wrong."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.command import aether


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    made = aether("init", "acme", cwd=tmp_path)
    assert made.code == 0, made.err
    return tmp_path / "acme"


@pytest.fixture(scope="session")
def facts(contracts: Path) -> dict[str, Any]:
    return dict(json.loads((contracts / "facts.json").read_text()))


def otlp_line(number: int) -> str:
    span = {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "name": "chat",
        "startTimeUnixNano": str(1_790_000_000_000_000_000 + number),
        "endTimeUnixNano": str(1_790_000_001_000_000_000 + number),
    }
    return json.dumps({"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": [span]}]}]})


def test_a_fresh_workspace_says_what_to_do_next(workspace: Path) -> None:
    summary = aether("report", "summary", cwd=workspace)
    assert summary.code == 0, summary.err
    assert "NEXT" in summary.out.upper()
    data = aether("report", "summary", "--format", "json", cwd=workspace).json
    assert data["report"] == "summary"
    assert data["schema"] == 1
    for name in ("flywheel", "lens", "portfolio", "sources", "gate", "budgets"):
        page = aether("report", name, "--format", "md", cwd=workspace)
        assert page.code in {0, 3}, (name, page.err)
        assert "Traceback" not in page.err


def test_real_files_load_with_the_counts_of_the_oracle(workspace: Path, contracts: Path, facts: dict[str, Any]) -> None:
    focus = "focus/focus_sample_1.0.rows0001-0500.csv.gz"
    jira = "jira/issues.csv.gz"
    captured = contracts / "otlp" / "captured"
    done = aether(
        "load",
        contracts / focus,
        contracts / jira,
        captured,
        contracts / "junit/jest",
        "--format",
        "json",
        cwd=workspace,
    )
    assert done.code == 0, done.err
    by_name = {Path(entry["path"]).name: entry for entry in done.json["files"]}
    assert by_name[Path(focus).name]["rows"] == facts[focus]["rows"]
    assert all(entry["rejected"] == 0 for entry in by_name.values()), by_name
    info = aether("cache", "info", "--format", "json", cwd=workspace).json
    assert info["tables"]["costs"]["rows"] == 500
    assert info["tables"]["work_items"]["rows"] == facts["jira/issues"]["rows"]
    assert info["tables"]["spans"]["rows"] > 0
    cost = aether("measure", "cost", contracts / focus, "--format", "json", cwd=workspace)
    assert cost.code == 0, cost.err
    again = aether(
        "load",
        contracts / focus,
        contracts / jira,
        captured,
        contracts / "junit/jest",
        "--format",
        "json",
        cwd=workspace,
    )
    merged = [entry["merged"] for entry in again.json["files"]]
    assert sum(entry["inserted"] + entry["updated"] for entry in merged) == 0, merged
    assert aether("cache", "verify", cwd=workspace).code == 0
    assert aether("report", "summary", cwd=workspace).code == 0


def test_infracost_totals_are_exact(workspace: Path, contracts: Path, facts: dict[str, Any]) -> None:
    name = "infracost/breakdown_format_json_with_tags.json"
    done = aether("measure", "cost", contracts / name, "--format", "json", cwd=workspace)
    assert done.code == 0, done.err
    assert Decimal(done.json["monthly_cost"]) == Decimal(facts[name]["total"])


def test_one_bad_line_costs_one_row(workspace: Path, tmp_path: Path) -> None:
    lines = [otlp_line(number) for number in range(1, 1001)]
    lines[2] = lines[2][:-9]
    (tmp_path / "traces.jsonl").write_text("\n".join(lines))
    done = aether("load", tmp_path / "traces.jsonl", "--format", "json", cwd=workspace)
    assert done.code == 0, done.err
    (entry,) = done.json["files"]
    assert (entry["rows"], entry["rejected"]) == (999, 1)
    sources = aether("report", "sources", cwd=workspace)
    assert "traces.jsonl:3" in sources.out


def test_no_workspace(tmp_path: Path) -> None:
    aether("report", "summary", cwd=tmp_path).refuses(2, "aether-tui init", "aether-tui demo")
    aether("-w", tmp_path / "none", "sync", cwd=tmp_path).refuses(2, "aether-tui init")
    aether(cwd=tmp_path).refuses(2, "aether-tui init")


def test_broken_configuration(workspace: Path) -> None:
    config = workspace / "aether.toml"
    good = config.read_text()
    config.write_text(good + "\n[gate\n")
    aether("report", "summary", cwd=workspace).refuses(2, "aether.toml", "line")
    config.write_text(good + "\n[gate]\nmin_request = 5\n")
    aether("report", "summary", cwd=workspace).refuses(2, "aether.toml", "min_request", "min_requests")
    config.write_text(good + "\n[gate]\nmin_requests = 'many'\n")
    aether("config", "validate", cwd=workspace).refuses(2, "aether.toml", "min_requests")


def test_usage_errors_are_one_line(workspace: Path) -> None:
    aether("reprot", cwd=workspace).refuses(2, "report")
    aether("report", "summry", cwd=workspace).refuses(2, "summary")
    aether("report", "summary", "--format", "yaml", cwd=workspace).refuses(2, "yaml")
    aether("sync", "nosuch", cwd=workspace).refuses(2, "nosuch")


def test_files_that_are_not_what_they_should_be(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "poem.txt").write_text("roses are red\n")
    aether("load", tmp_path / "poem.txt", cwd=workspace).refuses(2, "poem.txt")
    whole = gzip.compress("\n".join(map(otlp_line, range(1, 400))).encode())
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    aether("load", tmp_path / "cut.jsonl.gz", cwd=workspace).refuses(2, "cut.jsonl.gz")
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{entities}]><testsuite name="&l9;"><testcase name="a"/></testsuite>'
    (tmp_path / "bomb.xml").write_text(bomb)
    aether("load", tmp_path / "bomb.xml", cwd=workspace).refuses(2, "bomb.xml")
    aether("load", tmp_path / "absent.csv", cwd=workspace).refuses(2, "absent.csv")
    info = aether("cache", "info", "--format", "json", cwd=workspace)
    assert info.code == 3 or all(not table["rows"] for table in info.json["tables"].values())


def test_a_good_file_beside_a_bad_one_still_loads(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "good.jsonl").write_text("\n".join(map(otlp_line, range(1, 11))))
    (tmp_path / "poem.txt").write_text("roses are red\n")
    aether("load", tmp_path / "poem.txt", tmp_path / "good.jsonl", cwd=workspace).refuses(2, "poem.txt")
    assert aether("cache", "info", "--format", "json", cwd=workspace).json["tables"]["spans"]["rows"] == 10


def test_a_damaged_cache_is_set_aside_and_documents_stay(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "good.jsonl").write_text("\n".join(map(otlp_line, range(1, 11))))
    assert aether("load", tmp_path / "good.jsonl", cwd=workspace).code == 0
    added = aether(
        "opportunity", "add", "Cache answers", "--impact", "6", "--confidence", "6", "--effort-weeks", "2", "--reversibility", "8",
        cwd=workspace,
    )  # fmt: skip
    assert added.code == 0, added.err
    cache = workspace / ".aether" / "cache.duckdb"
    cache.write_bytes(b"\x00garbage" * 4096)
    aether("report", "gate", "--format", "json", cwd=workspace).refuses(5, "cache")
    again = aether("load", tmp_path / "good.jsonl", "--format", "json", cwd=workspace)
    assert again.code == 0, again.err
    assert list(cache.parent.glob("cache.duckdb.damaged-*"))
    assert "damaged" in again.err or "set aside" in again.err
    assert "Cache answers" in aether("opportunity", "list", cwd=workspace).out


def test_offline_forbids_the_network(workspace: Path) -> None:
    with (workspace / "aether.toml").open("a") as file:
        file.write("\n[sources.linear]\n")
    done = aether("--offline", "sync", cwd=workspace, env={"AETHER_LINEAR_API_KEY": "lin_api_x"})
    assert done.code == 4, done.err
    assert "offline" in done.err.lower()


def test_without_a_terminal_the_console_prints_the_summary(workspace: Path) -> None:
    done = aether(cwd=workspace)
    assert done.code == 0, done.err
    assert "NEXT" in done.out.upper()
    assert "terminal" in done.err

"""Waivers: added by the program without touching what people wrote, and held against the day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from aether_tui.budgets.edit import with_waiver
from aether_tui.budgets.file import parse_budgets
from tests.budgets.test_commands import junit
from tests.command import Done, aether

TODAY = date(2026, 11, 21)
HEAD = """\
# ours, since 2024
version: 1   # the only one
currency: USD
budgets:
  # slow, and known to be
  - {id: a, surface: tests, metric: suite.duration, limit: 2min}   # PLAT-1
  - id: b
    metric: suite.flaky
    surface: tests
"""
WAIVER = {"id": "W-2026-001", "budget": "a", "reason": 'split: "soon" # really', "owner": "@team", "raise_to": "13min",
          "expires": date(2026, 12, 15)}  # fmt: skip
OLD = "id: W-9, budget: b, reason: because it is so, owner: me, expires: 2026-11-30"


@pytest.mark.parametrize(
    "tail",
    [
        "",
        "\n\n# the end\n",
        "waivers: []  # none yet\n",
        f"waivers: [\n  {{{OLD}}},\n]  # inline\n",
        f"waivers:\n  - {{{OLD}}}  # first\n  # the end\n",
        f"waivers:\n- {{{OLD}}}\n",
        "waivers:\n    - " + OLD.replace(", ", "\n      ") + "\n\n# about defaults\ndefaults: {direction: lower}\n",
        f"waivers: [{{{OLD}}}]  # inline\n",
    ],
)
def test_nothing_else_changes(tail: str) -> None:
    before = HEAD + tail
    after = with_waiver(before.encode(), "budgets.yaml", WAIVER, TODAY).decode()
    read = parse_budgets(after.encode(), "budgets.yaml", TODAY)
    added = read.waivers[-1]
    assert (added.id, added.reason, added.expires, added.raise_to) == (
        "W-2026-001", 'split: "soon" # really', date(2026, 12, 15), 780,
    )  # fmt: skip
    assert len(read.waivers) == 1 + ("W-9" in tail)
    assert after.startswith(HEAD)
    kept = [line for line in before.splitlines() if line.strip() and not line.startswith("waivers:")]
    if "# inline" not in tail:
        assert [line for line in after.splitlines() if line in kept] == kept
    for comment in ("# none yet", "# first", "# the end", "# about defaults", "# inline"):
        assert (comment in after) == (comment in tail)


def test_line_ends_stay() -> None:
    after = with_waiver(HEAD.replace("\n", "\r\n").encode(), "budgets.yaml", WAIVER, TODAY)
    assert after.count(b"\n") == after.count(b"\r\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert aether("init", "--budgets-only", cwd=tmp_path).code == 0
    return tmp_path


def waive(folder: Path, identity: str = "tests.unit", expires: str = "2026-12-15", *more: str) -> Done:
    given = ("--reason", "split in PLAT-311", "--owner", "@platform", "--expires", expires)
    return aether("--as-of", "2026-11-21", "budget", "waive", identity, *given, *more, cwd=folder)


def test_a_waiver_turns_a_block_into_a_warning_until_it_expires(folder: Path) -> None:
    over = junit(folder, 150)
    assert waive(folder).out == "W-2026-001\n"

    def check(day: str) -> Done:
        return aether("--as-of", day, "budget", "check", over, cwd=folder)

    assert check("2026-12-15").code == 0
    assert "waived by @platform until 2026-12-15" in check("2026-12-15").out
    late = check("2026-12-16")
    late.refuses(1, "tests.unit", "over the limit")
    assert "■ waiver W-2026-001 for tests.unit (@platform) expired on 2026-12-15" in late.out.splitlines()
    assert waive(folder, "tests.unit", "2026-12-20", "--raise-to", "3min").out == "W-2026-002\n"
    assert check("2026-12-16").code == 0
    assert aether("--as-of", "2026-12-16", "budget", "check", junit(folder, 300), cwd=folder).code == 1


def test_what_it_refuses(folder: Path) -> None:
    before = (folder / "optimization" / "budgets.yaml").read_bytes()
    waive(folder, "tests.unti").refuses(2, "did you mean 'tests.unit'?")
    waive(folder, expires="2027-06-01").refuses(2, "more than 90 days away")
    waive(folder, expires="2026-11-20").refuses(2, "--expires", "is over")
    waive(folder, "tests.unit", "2026-12-15", "--raise-to", "13").refuses(2, "has no unit")
    waive(folder, "tests.unit", "2026-12-15", "--reason", "short").refuses(2, "optimization/budgets.yaml", "reason")
    assert (folder / "optimization" / "budgets.yaml").read_bytes() == before

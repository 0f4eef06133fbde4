"""The connector of `docs/writing-a-connector.md`, as a third party would install it: run through `sync` on real HTTP."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from aether_tui.cache import Cache
from tests.conftest import ROOT
from tests.connectors.server import Reply, Request, serving

PAGE = (ROOT / "docs" / "writing-a-connector.md").read_text(encoding="utf-8")


def card(number: int, day: int, **more: object) -> dict[str, object]:
    return {
        "id": f"C-{number}", "title": f"Card {number}", "list": "Doing", "owner": "ada", "created": "2026-11-01T08:00:00Z",
        "changed": f"2026-11-{day:02}T08:00:00Z", "moves": [{"at": f"2026-11-{day:02}T08:00:00Z", "list": "Doing"}], **more,
    }  # fmt: skip


def aether(*arguments: str | Path, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """An interpreter of its own, which finds what was installed."""
    command = [sys.executable, "-m", "aether_tui", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, check=False)


def install(site: Path) -> None:
    """What pip would leave behind: the module, and the metadata that names its entry point."""
    code = re.search(r"```python\n# boards\.py\n(.*?)```", PAGE, re.S)
    points = re.search(r'```toml\n\[project\.entry-points\."(.+?)"\]\n(.*?)```', PAGE, re.S)
    assert code
    assert points
    assert len(code[1].strip().splitlines()) < 80
    metadata = site / "boards-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "boards.py").write_text(code[1])
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: boards\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{points[1]}]\n{points[2].replace(chr(34), '')}")


def test_the_example_syncs_resumes_and_asks(tmp_path: Path) -> None:
    site, workspace = tmp_path / "site", tmp_path / "w"
    install(site)
    workspace.mkdir()

    def answer(request: Request) -> Reply:
        assert request.headers["authorization"] == "Bearer t0ken-of-ada"
        if request.path == "/api/me":
            return Reply({"name": "Ada"})
        if request.query["page"] == "1":
            return Reply({"cards": [card(1, 3), card(2, 4, created="yesterday")], "next_page": "2"})
        return Reply({"cards": [card(3, 5)]})

    env = {"PYTHONPATH": f"{site}{os.pathsep}{ROOT}", "AETHER_BOARDS_TOKEN": "t0ken-of-ada"}
    with serving(answer) as server:
        (workspace / "aether.toml").write_text(f'[sources.boards]\nurl = "{server.url}"\nboard = "B"\n')
        first = aether("-w", workspace, "sync", "boards", cwd=tmp_path, env=env)
        assert first.returncode == 0, first.stderr
        again = aether("-w", workspace, "sync", "boards", cwd=tmp_path, env=env)
        assert again.returncode == 0, again.stderr
        status = aether("-w", workspace, "auth", "status", "boards", "--format", "json", cwd=tmp_path, env=env)
    asked = [request.query["changed_since"] for request in server.requests if request.path == "/api/cards"]
    assert asked[-1] == "2026-11-05T07:50:00.000Z"  # the newest change less the overlap of ten minutes
    assert "Ada" in status.stdout
    with Cache(workspace / ".aether" / "cache.duckdb").read() as lease:
        items = lease.rows("SELECT id, state, assignee FROM work_items ORDER BY id")
        assert lease.rows("SELECT count(*) AS n FROM work_transitions") == [{"n": 2}]
        assert lease.rows("SELECT count(*) AS n FROM rejects") == [{"n": 1}]  # the card created "yesterday"
    assert [row["id"] for row in items] == ["C-1", "C-3"]
    assert "ada" not in repr(items)
    letter = aether("ask", "boards", cwd=tmp_path, env=env)
    assert "a read-only token of the board" in letter.stdout


def test_connectors_that_cannot_be_used_say_so_and_the_others_go_on(tmp_path: Path) -> None:
    """One that cannot be imported, one that is none, one that raises in the middle, and one with the name of a built-in."""
    site = tmp_path / "site"
    install(site)
    code = (site / "boards.py").read_text()
    modules = {
        "absent": "import a_package_that_is_gone\n",
        "older": "class Boards:\n    kind = 'older'\n",
        "torn": code.replace('page = text(answer, "next_page")', 'raise KeyError("\\x1b[31m") #'),
        "linear": code,
    }
    for name, text in modules.items():
        (site / f"{name}_board.py").write_text(text)
        metadata = site / f"{name}_board-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-board\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[aether_tui.connectors]\n{name} = {name}_board:Boards\n")
    env = {"PYTHONPATH": f"{site}{os.pathsep}{ROOT}", "AETHER_TORN_TOKEN": "t", "AETHER_BOARDS_TOKEN": "t"}
    with serving(lambda _: Reply({"cards": [card(1, 3)]})) as server:
        table = f'url = "{server.url}"\nboard = "B"\n'
        names = ("absent", "older", "torn", "boards")
        (tmp_path / "aether.toml").write_text("".join(f"[sources.{name}]\n{table}" for name in names))
        done = aether("sync", cwd=tmp_path, env=env)
        status = aether("auth", "status", "absent", "torn", cwd=tmp_path, env=env)
    assert done.returncode == 4
    with Cache(tmp_path / ".aether" / "cache.duckdb").read() as lease:
        assert lease.rows("SELECT source FROM work_items ORDER BY source") == [{"source": "boards"}, {"source": "torn"}]
    sentences = {
        "absent": "No module named 'a_package_that_is_gone'", "older": "it has no Settings, SECRETS, streams",
        "torn cards": "the connector failed (KeyError: '\\x1b[31m')",
    }  # fmt: skip
    for name, sentence in sentences.items():
        (said,) = [line for line in done.stderr.splitlines() if line.startswith(f"{name}: failed: ")]
        assert sentence in said
    assert "No module named" in status.stdout
    looked = aether("doctor", cwd=tmp_path, env=env)
    assert looked.returncode == 1
    assert "linear-board brings a kind 'linear' too, which is not used: aether-tui has it" in " ".join(
        looked.stdout.split()
    )
    assert "boards source, credentials found" in looked.stdout
    letter = aether("ask", cwd=tmp_path, env=env)
    assert (letter.returncode, letter.stderr.count("is left out")) == (0, 2)
    assert "BOARDS" in letter.stdout

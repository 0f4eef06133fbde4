"""The budgets screen on a real cache: what opens, what it writes, and that new data show by themselves."""

import pytest

from aether_tui.budgets.file import read_budgets
from aether_tui.workspace.folder import Workspace
from tests.diagnostics.world import at, full, store
from tests.tui.driving import drive, screen_text, until
from tests.tui.workspaces import NOW

FILE = (
    "version: 1\ncurrency: USD\n# a comment that stays\nbudgets:\n"
    "  - {id: ci.main, surface: ci, metric: pipeline.duration, match: {branch: main}, limit: 15min, block: {limit: 10%}}\n"
)


def runs(made: Workspace, minutes: list[float], first: float) -> None:
    rows = [
        full(
            "pipeline_runs", id=f"{first}-{n}", attempt=1, repo="acme/api", workflow="CI", branch="main", event="push",
            created=at(first + n / 24), wall_s=60 * value, run_s=60 * value, result="success", runner="small",
        )
        for n, value in enumerate(minutes)
    ]  # fmt: skip
    store(made, "github", "runs", "pipeline_runs", rows)


@pytest.fixture
def made(tmp_path):
    (tmp_path / "aether.toml").write_text("")
    made = Workspace(tmp_path)
    made.private()
    made.budgets_path.parent.mkdir()
    made.budgets_path.write_text(FILE)
    runs(made, [10.0, 10.2, 9.9, 10.1, 10.3, 9.8, 10.4, 10.0, 10.1, 10.2], 10)
    return made


def row(app) -> bool:
    return app.screen.page.select("budgets.rows/ci.main")


def test_a_row_opens_into_samples_and_history_and_closes(made):
    async def script(pilot, app):
        await until(pilot, lambda: row(app))
        await pilot.press("enter")
        await until(pilot, lambda: "History" in screen_text(app))
        assert "10.1 min" in screen_text(app)
        await pilot.press("escape")
        assert "History" not in screen_text(app)

    drive(made, script, start="budgets", size=(120, 50))


def test_a_waiver_is_written_and_comments_stay(made):
    async def script(pilot, app):
        await until(pilot, lambda: row(app))
        await pilot.press("w", *"PLAT-311", "enter")
        assert "at least 10" in screen_text(app) and "reason, in ten characters or more PLAT-311" in screen_text(app)
        await pilot.press("home", *"split in ", "enter", "enter")
        assert "is missing; add owner" in screen_text(app)
        await pilot.press("@", "p", "enter", *"2026-11-15", "enter")
        assert "2026-11-15 is over; name a day to come" in screen_text(app)
        await pilot.press("ctrl+u", *"2026-12-15", "enter", *"17", "enter")
        assert "'17' has no unit" in screen_text(app)
        assert "waivers" not in made.budgets_path.read_text()
        await pilot.press(*"min", "enter")
        await until(pilot, lambda: "W-2026-001" in made.budgets_path.read_text())
        await pilot.press("w", "escape")
        assert "no waiver was written" in screen_text(app)

    drive(made, script, start="budgets", size=(120, 40))
    text = made.budgets_path.read_text()
    assert text.startswith(FILE)
    waiver = read_budgets(made.budgets_path, "b", NOW.date()).waivers[0]
    assert (waiver.budget, waiver.owner, waiver.reason, waiver.raise_to) == (
        "ci.main",
        "@p",
        "split in PLAT-311",
        17 * 60,
    )


def test_the_baseline_is_asked_for_and_written(made):
    async def script(pilot, app):
        await until(pilot, lambda: row(app))
        await pilot.press("B", "n", "enter")
        assert "stay as they are" in screen_text(app)
        assert not made.baselines.exists()
        await pilot.press("B", "y", "enter")
        await until(pilot, lambda: "1 baseline written to benchmarks/; u takes it back" in screen_text(app))
        assert len(list(made.baselines.rglob("*.json"))) == 1

    drive(made, script, start="budgets", size=(120, 40))


def test_a_lever_becomes_an_opportunity_and_what_is_unknown_does_not(made):
    """Five runs whose one job took nine minutes: `l` shows the path they are on, `p` puts it into the portfolio."""
    jobs = [
        full(
            "pipeline_jobs", id=f"j{n}", attempt=1, run_id=f"10-{n}", repo="acme/api", name="tests", started=at(10 + n / 24),
            finished=at(10 + n / 24 + 9 / 1440), run_s=540.0, result="success",
        )
        for n in range(10)
    ]  # fmt: skip
    store(made, "github", "jobs", "pipeline_jobs", jobs)
    documents = made.engagement / "opportunities"

    async def script(pilot, app):
        await until(pilot, lambda: row(app))
        await pilot.press("l")
        await until(pilot, lambda: "Critical path: tests" in screen_text(app))
        await pilot.press("G", "p")
        await until(pilot, lambda: "select a lever first" in screen_text(app))
        await pilot.press("g", "g", "p")
        await until(pilot, lambda: any(documents.rglob("*.yaml")))

    drive(made, script, start="budgets", size=(120, 40))
    (path,) = documents.rglob("*.yaml")
    text = path.read_text()
    assert "api · CI: Critical path: tests" in text and "lever ci.path.api · CI" in text and "9 min" in text


def test_new_runs_show_by_themselves_and_the_cursor_stays(made):
    async def script(pilot, app):
        await until(pilot, lambda: row(app))
        runs(made, [30.0] * 6, 15)
        await until(pilot, lambda: "30 min" in screen_text(app))
        assert app.screen.page.selected.row == "ci.main"

    drive(made, script, start="budgets", size=(120, 40))

"""The taxonomy screen: merge, split, rename and move by one key each, and undo."""

import pytest

from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.taxonomy import Category, Part, Taxonomy
from aether_tui.workspace.store import Store
from aether_tui.workspace.taxonomies import active
from tests.tui.driving import drive, screen_text, until
from tests.tui.workspaces import NOW


def part(name: str) -> Part:
    return Part(holds=[name], label=f"half {name}", size=10, examples=[f"about {name}"])


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "aether.toml").write_text("")
    workspace = Workspace(tmp_path)
    categories = [
        Category(id=f"c0{n}", label=label, size=40 - n, holds=[str(n)], examples=[f"{label} please"], parts=[part(f"{n}a"), part(f"{n}b")])
        for n, label in enumerate(("refund", "parcel", "sign in"), 1)
    ]  # fmt: skip
    Store(workspace).add(
        Taxonomy,
        lambda identity: Taxonomy(
            id=identity, built=NOW.replace(tzinfo=None), source="asked.csv", texts=300, distinct=250, chosen="3 asked for",
            unsure_below=0.1, far_below=0.2, model="0" * 16, categories=categories,
        ),
    )  # fmt: skip
    return workspace


def kinds(app) -> list[str]:
    return [stop.item.row for stop in app.screen.page._layout.stops if stop.item.block == "taxonomy.kinds"]


def labels(workspace) -> dict[str, str]:
    return {one.id: one.label for one in active(workspace).categories}


async def typed(pilot, text: str) -> None:
    await pilot.press(*(f"{'space' if char == ' ' else char}" for char in text), "enter")


def test_one_key_each_and_undo(workspace):
    async def script(pilot, app):
        await until(pilot, lambda: len(kinds(app)) == 3 and not app._building)
        app.screen.page.select("taxonomy.kinds/c02")
        await pilot.press("m")
        await typed(pilot, "c01")
        await until(pilot, lambda: kinds(app) == ["c01", "c03"] and not app._building)
        assert active(workspace).labels()["c02"] == "refund"
        await pilot.press("u")
        await until(pilot, lambda: "TAX-1 taken back: c02 merged into c01" in screen_text(app))
        await until(pilot, lambda: len(kinds(app)) == 3 and not app._building)

        app.screen.page.select("taxonomy.kinds/c03")
        await pilot.press("t")
        await until(pilot, lambda: kinds(app) == ["c01", "c02", "c04", "c05"] and not app._building)

        app.screen.page.select("taxonomy.kinds/c01")
        await pilot.press("r", "end", "!")
        await typed(pilot, "")
        await until(pilot, lambda: labels(workspace)["c01"] == "refund!" and not app._building)

        app.screen.page.select("taxonomy.examples/c01/0")
        await pilot.press("w")
        await typed(pilot, "c02")
        await until(pilot, lambda: active(workspace).find("c02").moved == ["refund please"])
        assert "refund!" in screen_text(app)

    drive(workspace, script, start="taxonomy", size=(120, 50))


def test_what_cannot_be_done_is_said(workspace):
    async def script(pilot, app):
        await until(pilot, lambda: len(kinds(app)) == 3 and not app._building)
        app.screen.page.select("taxonomy.kinds/c01")
        await pilot.press("m")
        await typed(pilot, "nowhere")
        await until(pilot, lambda: "no category" in screen_text(app))
        await pilot.press("w")
        await until(pilot, lambda: "select an example first" in screen_text(app))
        assert len(labels(workspace)) == 3

    drive(workspace, script, start="taxonomy", size=(120, 50))

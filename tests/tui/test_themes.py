"""Contrast of every role on every background it stands on, in both of our themes (WCAG 2.2, 1.4.3: 4.5:1)."""

import pytest
from rich.color import Color as RichColor

from aether_tui.app import AetherApp
from aether_tui.builds import Options
from aether_tui.session import Memory, Session
from screens.themes import DARK, LIGHT
from screens.widgets.chrome import KeyBar, StatusBar, TabBar
from screens.widgets.page import ROLES, Page
from tests.tui.driving import drive, screen_text
from tests.tui.workspaces import NOW, make_workspace


def luminance(color: RichColor) -> float:
    parts = [c / 255 for c in color.get_truecolor()]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: RichColor, other: RichColor) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_every_role_is_readable_on_every_background(tmp_path, theme):
    workspace = make_workspace(tmp_path / "w")
    looks = {}

    async def script(pilot, app):
        app.theme = theme.name
        await pilot.pause()
        for widget in (app.screen.query_one(kind) for kind in (Page, StatusBar, TabBar, KeyBar)):
            for role in ROLES:
                looks[type(widget).__name__, role] = widget.get_component_rich_style(f"page--{role}")
        looks["cursor"] = app.screen.page.get_component_rich_style("page--cursor", partial=True)

    drive(workspace, script)
    cursor = looks.pop("cursor").bgcolor
    assert len(looks) == 4 * len(ROLES)
    for (widget, role), style in looks.items():
        assert contrast(style.color, style.bgcolor) >= 4.5, (widget, role)
        if widget == "Page" and role != "mark":
            assert contrast(style.color, cursor) >= 4.5, ("cursor", role)


def test_every_theme_can_be_named_and_drawn(tmp_path):
    """A theme in `aether.toml` can never crash the console, also not one that does not know our variables."""
    workspace = make_workspace(tmp_path / "w")

    async def script(pilot, app):
        for name in (*app.available_themes, "ansi", "no such theme"):
            app._use_theme(name)
            await pilot.pause()
            assert "Refund tokens" in screen_text(app)
        assert "no theme 'no such theme'" in app.message()

    drive(workspace, script)


@pytest.mark.parametrize("theme", ["aether-light", "ansi", "nord"])
def test_the_first_frame_of_a_new_workspace_has_the_theme_it_names(tmp_path, theme):
    workspace = make_workspace(tmp_path / "w", f'[console]\ntheme = "{theme}"\n')
    app = AetherApp(workspace, Options(now=lambda: NOW, as_of=NOW))
    assert app.theme.startswith(theme)

    async def script(pilot, app):
        assert app.theme.startswith(theme)
        assert "Refund tokens" in screen_text(app)

    drive(workspace, script)


def test_a_first_frame_is_ours_where_the_configuration_is_broken(tmp_path):
    for config in ("[console", "[console]\ntheme = 3\n", "\0"):
        memory = Memory(make_workspace(tmp_path / f"w{len(config)}", config))
        assert memory.session() == Session()

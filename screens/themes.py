"""Our two themes. One accent; green, amber and red only say pass, warn and block, always beside glyph and word."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="aether-dark",
    primary="#6fb3d2",
    secondary="#9aa7b4",
    accent="#6fb3d2",
    foreground="#d5dbe1",
    background="#14181d",
    surface="#1a1f26",
    panel="#1f262e",
    success="#7fc38a",
    warning="#e3b35d",
    error="#ef8076",
    dark=True,
    variables={"quiet": "#93a0ad", "bright": "#f2f5f8", "row": "#26323d", "marked": "#34505f"},
)

LIGHT = Theme(
    name="aether-light",
    primary="#0b6285",
    secondary="#56616c",
    accent="#0b6285",
    foreground="#262d34",
    background="#fbfaf7",
    surface="#f3f1ec",
    panel="#ebe8e1",
    success="#22693a",
    warning="#7d5200",
    error="#a92c22",
    dark=False,
    variables={"quiet": "#5a646e", "bright": "#0d1217", "row": "#e0e9ed", "marked": "#c3dae3"},
)


def fill(variables: dict[str, str], *, ansi: bool) -> dict[str, str]:
    """The variables of a theme with ours added where it lacks them. ANSI themes leave backgrounds to the terminal."""
    if ansi:
        ours = {"quiet": "ansi_default", "bright": "ansi_default", "row": "ansi_default", "marked": "ansi_default"}
    else:
        ours = {
            "quiet": variables["foreground"],
            "bright": variables["foreground"],
            "row": variables["panel"],
            "marked": variables["primary-muted"],
        }
    return {**ours, **variables}


NAMES = {"ansi": "ansi-dark"}
"""Short names people may write in `aether.toml`."""

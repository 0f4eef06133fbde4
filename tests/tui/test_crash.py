"""A crash tells six lines, keeps secrets out of its file, and never prints local variables."""

import stat
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest
from pydantic import ValidationError

from aether_tui.crash import panel, redact, write_crash
from aether_tui.workspace.kinds.decision import Decision
from tests.tui.driving import drive
from tests.tui.workspaces import make_workspace

NOW = datetime(2026, 11, 21, tzinfo=UTC)
CANARY = "lin_api_canary0123456789"


def failing(secret: str) -> None:
    local = secret * 2
    raise RuntimeError(f"refused by https://user:{secret}@host/ after {len(local)} characters")


def caught(secret: str) -> BaseException:
    try:
        failing(secret)
    except RuntimeError as error:
        return error
    raise AssertionError


def test_the_file_is_private_and_holds_no_secret(tmp_path):
    environ = {"AETHER_LINEAR_TOKEN": CANARY, "HOME": str(tmp_path), "TERM": "xterm"}
    path = write_crash(tmp_path / "state", caught(CANARY), ["j", "x"], NOW, environ)
    text = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert CANARY not in text
    assert "failing" in text
    assert "last actions: j x" in text
    assert str(tmp_path) not in text


def test_the_panel_has_six_lines_and_no_secret(tmp_path):
    told = panel(caught(CANARY), tmp_path / "crash.txt", {"AETHER_LINEAR_TOKEN": CANARY})
    assert len(told.splitlines()) == 6
    assert CANARY not in told


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdef",
        "postgres://me:pw@db/x",
        "key sk-abcdefghijklmnopqrstuvwxyz0123",
        "Conversion Error: cannot cast 'jane@example.com'",
        "value 4111 1111 1111 1111",
    ],
)
def test_what_looks_like_a_secret_is_hidden(text):
    assert redact(text, {}) != text


SAID = "Zorvanna Quellmark wants out"


def met() -> None:
    try:
        Decision.model_validate({"id": "DEC-1", "title": [SAID]})
    except ValidationError as error:
        raise KeyError(SAID) from error


@pytest.mark.parametrize(
    "fails",
    [met, lambda: int(SAID), lambda: Path(f"/nowhere/{SAID}").read_bytes(), lambda: date.fromisoformat(f"it's {SAID}"),
     lambda: duckdb.sql("SELECT ?::INT", params=[SAID]).fetchall()],
)  # fmt: skip
def test_what_an_error_met_is_in_no_file_that_is_sent_away(tmp_path, fails):
    with pytest.raises(Exception) as caught:
        fails()
    path = write_crash(tmp_path, caught.value, [], NOW)
    assert "Zorvanna" not in path.read_text() + panel(caught.value, path)
    assert redact("KeyError: 'duration_s'", {}) == "KeyError: 'duration_s'"


def test_an_error_in_the_program_ends_with_a_file_and_no_traceback(tmp_path, capsys):
    workspace = make_workspace(tmp_path / "w")

    async def script(pilot, app):
        def broken(*_: object) -> None:
            raise ZeroDivisionError(CANARY * 3)

        app.screen.page.action_down = broken
        await pilot.press("j")

    with pytest.raises(ZeroDivisionError):
        drive(workspace, script)
    files = list(workspace.state.glob("crash-*.txt"))
    assert len(files) == 1
    assert CANARY not in files[0].read_text()
    told = capsys.readouterr().err
    assert "documents and the cache" in told
    assert "locals" not in told
    assert CANARY not in told

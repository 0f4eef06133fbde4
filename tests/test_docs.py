"""Documentation that shows a command shows what it really prints. `python -m tests.test_docs` writes the outputs anew."""

from __future__ import annotations

import json
import re
import shlex
from html import unescape
from pathlib import Path

import pytest

from tests.command import aether
from tests.conftest import ROOT

PAGES = ("docs/calculators.md",)
PICTURES = ("lens", "flow", "scorecard", "pipeline")
BLOCK = re.compile(r"```console\n(.*?)```", re.S)
FILE = re.compile(r"```(?:yaml|csv)\n# (\S+)\n(.*?)```", re.S)


def ran(command: str, folder: Path) -> str:
    words = shlex.split(command)
    assert words[0] == "aether-tui"
    done = aether(*words[1:], cwd=folder)
    return done.out + done.err


def rendered(page: str, folder: Path) -> str:
    """The page with the output of each command under it, as it is now."""
    for name, text in FILE.findall(page):
        (folder / name).write_text(text)

    def block(match: re.Match[str]) -> str:
        commands = [line for line in match[1].splitlines() if line.startswith("$ ")]
        return "```console\n" + "\n".join(f"{line}\n{ran(line[2:], folder)}" for line in commands).rstrip() + "\n```"

    return BLOCK.sub(block, page)


@pytest.mark.parametrize("name", PAGES)
def test_examples_print_what_the_page_shows(name: str, tmp_path: Path) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")
    assert rendered(page, tmp_path) == page


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_say_what_the_demonstration_says_now(name: str, built_demo: Path) -> None:
    drawn = (ROOT / "docs" / "pictures" / f"{name}.svg").read_text(encoding="utf-8")
    told = " ".join(unescape(" ".join(re.findall(r"<text[^>]*>([^<]*)</text>", drawn))).split())
    done = aether("--as-of", "2026-11-21T09:30Z", "report", name, "--format", "json", cwd=built_demo)
    assert json.loads(done.out)["headline"] in told, "look, then draw them anew with `make pictures`"
    assert f"pictures/{name}.svg" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")


def write() -> None:
    import tempfile

    for name in PAGES:
        with tempfile.TemporaryDirectory() as folder:
            page = (ROOT / name).read_text(encoding="utf-8")
            (ROOT / name).write_text(rendered(page, Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    write()

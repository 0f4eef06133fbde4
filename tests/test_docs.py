"""Documentation that shows a command shows what it really prints. `python -m tests.test_docs` writes the outputs anew."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.command import aether
from tests.conftest import ROOT

PAGES = ("docs/calculators.md",)
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


def write() -> None:
    import tempfile

    for name in PAGES:
        with tempfile.TemporaryDirectory() as folder:
            page = (ROOT / name).read_text(encoding="utf-8")
            (ROOT / name).write_text(rendered(page, Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    write()

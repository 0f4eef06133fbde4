"""`init`, `config`, `doc`, `opportunity`, `doctor` as commands: data on stdout, one line on stderr, the right status."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from aether_tui.cli import cli, main
from tests.command import Done, aether
from tests.conftest import ROOT


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> object:
    """The command line in this process: as fast as a function, same edge."""
    monkeypatch.chdir(tmp_path)

    def call(*args: str) -> Done:
        with pytest.raises(SystemExit) as exit_:
            main(["--as-of", "2026-11-21", *args])
        out, err = capsys.readouterr()
        return Done(int(str(exit_.value.code)), out, err)

    return call


def test_init_makes_a_workspace_and_changes_nothing_that_is_there(tmp_path: Path) -> None:
    made = aether("init", "acme", "--name", 'Acme "Assist"', cwd=tmp_path)
    assert (made.code, made.out) == (0, "")
    assert "next: cd acme" in made.err
    root = tmp_path / "acme"
    assert tomllib.loads((root / "aether.toml").read_text())["engagement"]["name"] == 'Acme "Assist"'
    assert ".aether/" in (root / ".gitignore").read_text()
    assert stat.S_IMODE((root / ".aether").stat().st_mode) == 0o700
    assert {path.name for path in root.iterdir()} == {
        "aether.toml", "optimization", "benchmarks", "engagement", ".gitignore", ".aether",
    }  # fmt: skip
    (root / "aether.toml").write_text("[engagement]\nname = 'mine'\n")
    again = aether("init", "acme", cwd=tmp_path)
    assert again.code == 0
    assert "kept aether.toml" in again.err
    assert (root / "aether.toml").read_text() == "[engagement]\nname = 'mine'\n"
    assert aether("config", "validate", cwd=root).code == 0


def test_init_makes_the_workspace_that_was_named_with_w(run, tmp_path: Path) -> None:
    run("-w", "there", "init")
    assert (tmp_path / "there" / "aether.toml").is_file()
    assert not (tmp_path / "aether.toml").exists()


def test_the_sources_of_a_new_workspace_and_of_the_example_suit_their_connectors(run, tmp_path: Path) -> None:
    run("init")
    for text in ((tmp_path / "aether.toml").read_text(), (ROOT / "config.example.toml").read_text()):
        switched_on = re.sub(r"(?m)^#(?=[\[\w\"])", "", text)
        assert "[sources.amplitude]" in switched_on
        (tmp_path / "aether.toml").write_text(switched_on)
        assert run("config", "validate").out == "aether.toml is valid\n"


def test_init_budgets_only(tmp_path: Path) -> None:
    assert aether("init", "--budgets-only", cwd=tmp_path).code == 0
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()] == [
        "optimization/budgets.yaml"
    ]


def test_init_where_it_cannot(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    aether("init", "file", cwd=tmp_path).refuses(2, "file", "cannot be made")
    aether("demo", "--dir", "/proc/aether", cwd=tmp_path).refuses(2, "/proc/aether: cannot be made", "--dir")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("report", "report: Missing argument 'NAME'; `aether-tui report --help` says what it takes"),
        ("report lens --fromat json", "report: No such option '--fromat'. Did you mean '--format'?"),
        ("report lens -w acme", "-w stands before the command: aether-tui -w … report"),
        ("repot", "no command 'repot', did you mean 'report'?"),
        ("zzz", "no command 'zzz'; `aether-tui --help` says what it takes"),
        ("doc new ritul", "doc new: Invalid value for 'KIND': no kind 'ritul'; did you mean 'ritual'?"),
        ("--as-of never report lens", "Invalid value for '--as-of': 'never' is not a date or time such as 2026-11-21 or"),
    ],
)  # fmt: skip
def test_what_is_typed_wrongly_is_told_once_with_a_way_on(run, typed: str, told: str) -> None:
    done = run(*typed.split())
    done.refuses(2, told)
    assert done.err.startswith(f"aether-tui: {told}")


def test_config_commands(run) -> None:
    run("sources").refuses(2, "aether-tui: sources: needs a command: map;", "--help")
    run("init")
    assert run("config", "path").out.strip().endswith("aether.toml")
    shown = json.loads(run("config", "show", "--format", "json").out)
    assert {"key": "gate.min_requests", "value": 200, "origin": "default"} in shown["values"]
    schema = json.loads(run("config", "schema").out)
    assert schema["properties"]["gate"]
    assert run("config", "validate").out == "aether.toml is valid\n"


def test_config_validate_asks_the_connectors(run, tmp_path: Path) -> None:
    (tmp_path / "aether.toml").write_text("[sources.linear]\ndays = 3\n[sources.main]\nkind = 'liner'\n")
    checked = run("config", "validate", "--format", "json")
    checked.refuses(2, "aether.toml:2: sources.linear.days: unknown key", "days_back")
    assert [problem["line"] for problem in json.loads(checked.out)["problems"]] == [2, 4]
    many = run("config", "validate")
    many.refuses(2, "2 problems")
    assert "sources.main.kind: no connector 'liner'; did you mean 'linear'?" in many.out


def test_opportunities(run) -> None:
    run("init")
    common = ("--confidence", "6", "--effort-weeks", "2")
    assert run("opportunity", "add", "Rerank", "--impact", "8", "--reversibility", "8", *common).out == "OPP-1\n"
    assert run("opportunity", "add", "Cache", "--impact", "4,6,9", "--reversibility", "8", *common).out == "OPP-2\n"
    listed = json.loads(run("opportunity", "list", "--format", "json").out)
    assert [(item["id"], item["score"]) for item in listed] == [("OPP-1", 192.0), ("OPP-2", 144.0)]
    assert run("opportunity", "edit", "OPP-2", "--impact", "10", "--evidence", "interview 3").code == 0
    shown = json.loads(run("doc", "show", "opportunity", "OPP-2", "--format", "json").out)
    assert (shown["impact"], shown["evidence"], shown["created"]) == (10.0, ["interview 3"], "2026-11-21")
    assert [line.split()[0] for line in run("opportunity", "list").out.splitlines()] == ["ID", "OPP-2", "OPP-1"]
    run("opportunity", "add", "X", "--impact", "11", "--reversibility", "8", *common).refuses(2, "impact", "1 to 10")
    run("opportunity", "add", "X", "--impact", "a lot", "--reversibility", "8", *common).refuses(2, "a lot", "4,6,9")
    run("opportunity", "edit", "OPP-9", "--impact", "1").refuses(3, "no OPP-9")
    run("opportunity", "edit", "OPP-1").refuses(2, "nothing to change")


def test_documents(run, tmp_path: Path) -> None:
    run("init")
    assert (
        run("doc", "new", "decision", "--set", "title=Which model", "--set", "options=[small, large]").out == "DEC-1\n"
    )
    assert run("doc", "edit", "decision", "DEC-1", "--set", "decided=2026-11-22", "--set", "owner=Mia").code == 0
    assert run("doc", "show", "decision", "DEC-1").out == (
        "id: DEC-1\ntitle: Which model\nraised: 2026-11-21\ndecided: 2026-11-22\nowner: Mia\noptions:\n  - small\n  - large\n"
    )
    path = tmp_path / "engagement" / "decisions" / "DEC-1.yaml"
    run("doc", "edit", "decision", "DEC-1", "--set", "decided=2026-01-01").refuses(2, "`decided` is before `raised`")
    path.write_text(path.read_text() + "ownr: x\n")
    checked = run("doc", "validate", "--format", "json")
    assert checked.code == 1
    assert json.loads(checked.out)["problems"][0]["fix"] == "did you mean 'owner'?"
    assert "not listed" in run("doc", "list").err
    run("doc", "new", "decision", "--set", "title").refuses(2, "has no '='")
    # A sentence is not read as YAML where that would make something else of it.
    for number, title in enumerate(("Refund: drop it", "#1 priority", "it's 50 % off", "| pipes |", "* star: x"), 2):
        assert run("doc", "new", "decision", "--set", f"title={title}").out == f"DEC-{number}\n"
        assert json.loads(run("doc", "show", "decision", f"DEC-{number}", "--format", "json").out)["title"] == title
    run("doc", "new", "decision", "--set", "title=x", "--set", "options=[small").refuses(2, "broken YAML")


def test_a_document_from_stdin_and_from_an_editor(tmp_path: Path) -> None:
    aether("init", cwd=tmp_path)
    text = "title: Ask legal\noptions:\n- yes\n"
    assert aether("doc", "new", "decision", cwd=tmp_path, stdin=text).out == "DEC-1\n"
    aether("doc", "new", "decision", cwd=tmp_path, stdin="titel: x\n").refuses(2, "titel", "did you mean 'title'?")
    aether("doc", "new", "decision", cwd=tmp_path).refuses(2, "nothing was given")
    spoil = {"EDITOR": "sed -i s/title/titel/"}
    aether("doc", "edit", "decision", "DEC-1", cwd=tmp_path, env=spoil).refuses(2, "your text is kept in")
    assert "titel: Ask legal" in (tmp_path / ".aether" / "state" / "draft-DEC-1.yaml").read_text()
    # What was typed is in no later text's way, whatever the editor did with it.
    latin = {"EDITOR": r"sed -i s/legal/caf\\xe9/"}
    aether("doc", "edit", "decision", "DEC-1", cwd=tmp_path, env=latin).refuses(2, "not UTF-8", "draft-DEC-1-2.yaml")
    gone = {"EDITOR": """sh -c 'echo "reason: typed for long" >> "$0"; exit 3'"""}
    aether("doc", "edit", "decision", "DEC-1", cwd=tmp_path, env=gone).refuses(2, "failed", "draft-DEC-1-3.yaml")
    drafts = {path.name: path.read_bytes() for path in (tmp_path / ".aether" / "state").glob("draft-*")}
    kept = [drafts[f"draft-DEC-1{place}.yaml"] for place in ("", "-2", "-3")]
    assert b"titel" in kept[0] and b"caf\xe9" in kept[1] and b"for long" in kept[2]
    aether("doc", "edit", "decision", "DEC-1", cwd=tmp_path, env={"EDITOR": "false"}).refuses(2, "failed")
    assert "not changed" in aether("doc", "edit", "decision", "DEC-1", cwd=tmp_path, env={"EDITOR": "true"}).err
    mend = {"EDITOR": "sed -i s/legal/lawyers/"}
    assert aether("doc", "edit", "decision", "DEC-1", cwd=tmp_path, env=mend).code == 0
    assert "title: Ask lawyers" in aether("doc", "show", "decision", "DEC-1", cwd=tmp_path).out
    assert {path.name for path in (tmp_path / ".aether" / "state").glob("draft-*")} == set(drafts)


def test_doctor(run, tmp_path: Path) -> None:
    outside = run("doctor")
    assert outside.code == 0
    assert "aether-tui init" in outside.out
    run("init")
    (tmp_path / "aether.toml").write_text("[sources.linear]\n")
    looked = json.loads(run("doctor", "--format", "json").out)
    states = {check["name"]: check["state"] for check in looked["checks"]}
    assert looked["ok"] is True
    assert (states["aether.toml"], states["documents"], states["linear"]) == ("pass", "pass", "warn")
    (tmp_path / "aether.toml").write_text("[gates]\n")
    broken = run("doctor")
    broken.refuses(1, "aether.toml", "did you mean 'gate'?")
    assert "■" in broken.out
    (tmp_path / "aether.toml").write_text("[sources.github]\n")
    assert "repos is missing; add it" in run("doctor").out


@pytest.mark.parametrize("command", ["config show", "doc list", "opportunity list", "auth status"])
def test_without_a_workspace(run, command: str) -> None:
    run(*command.split()).refuses(2, "aether-tui init")


def test_every_command_and_option_says_what_it_is() -> None:
    def mute(command: click.Command, path: str) -> Iterator[str]:
        context = click.Context(command, info_name=path)
        if not command.help:
            yield path
        for one in command.params:
            if isinstance(one, click.Option) and not (one.help or one.hidden):
                yield f"{path} {one.opts[0]}"
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                below = command.get_command(context, name)
                assert below is not None
                yield from mute(below, f"{path} {name}")

    assert list(mute(cli, "aether-tui")) == []


def test_a_reader_that_leaves_is_no_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        with pytest.raises(SystemExit) as exit_:
            main(["config", "schema"])
    assert (exit_.value.code, capsys.readouterr().err) == (0, "")

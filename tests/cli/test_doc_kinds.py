"""Every kind of document headless: made of the least that is valid, shown, edited, validated."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from aether_tui.workspace.documents import KINDS
from tests.command import aether

# Kind: the least that is valid, and one optional value that is set afterwards.
LEAST = {
    "opportunity": ("{title: A, impact: 5, confidence: 5, reversibility: 5, effort_weeks: 2}", "cluster=refund"),
    "cycle": ("{started: 2026-11-02}", "goal=See"),
    "decision": ("{title: A}", "owner=lead"),
    "experiment": ("{title: A}", "if_we=cache answers"),
    "playbook": ("{title: A, kind: prompt, owner: lead, review_by: 2027-01-01}", "body=Do it"),
    "value-stream": ("{title: A, demand_per_month: 10, value_per_success: 1, steps: [{name: a}]}", "title=B"),
    "failure-review": ("{title: A, start: 2026-11-01, end: 2026-11-08, failed: 3}", "title=B"),
    "north-star": ("{metric: resolved}", "unit=share"),
    "canvas": ("{}", "links=[DR-1]"),
    "lifecycle": ("{}", "links=[DR-1]"),
    "ritual": ("{title: A}", "team=web"),
    "decision-right": ("{title: A}", "title=B"),
    "agreement": ("{provider: product, consumer: data}", "provider=design"),
    "team": ("{title: A, shape: squad}", "shape=tribe"),
    "event": ("{title: A}", "owner=lead"),
    "tool": ("{title: A}", "team=web"),
    "postmortem": ("{title: A, about: product, happened: 2026-11-01}", "about=process"),
    "interview": ("{questionnaire: lens, started: '2026-11-02T09:00:00'}", "elapsed_s=60"),
    "assessment": ("{day: 2026-11-02}", "notes=Short"),
    "commitment": ("{title: A, promised: 2026-11-02}", "who=lead"),
    "onboarding": ("{role: engineer}", "role=lead"),
}


def test_every_kind_is_made_shown_edited_and_validated_headless(tmp_path: Path) -> None:
    (tmp_path / "aether.toml").write_text('[engagement]\nname = "Least"\n')
    assert set(LEAST) == set(KINDS) - {"taxonomy"}  # taxonomies are built by `taxonomy build`, not typed
    for kind, (least, setting) in LEAST.items():
        made = aether("doc", "new", kind, stdin=least, cwd=tmp_path)
        assert made.code == 0, (kind, made.err)
        identity, (key, _, value) = made.out.strip(), setting.partition("=")
        edited = aether("doc", "edit", kind, identity, "--set", setting, cwd=tmp_path)
        assert edited.code == 0, (kind, edited.err)
        shown = aether("doc", "show", kind, identity, "--format", "json", cwd=tmp_path).json
        assert shown["id"] == identity and str(shown[key]) in {value, f"{value}.0", "['DR-1']"}, kind
    assert aether("doc", "validate", cwd=tmp_path).code == 0
    listed = aether("doc", "list", "--format", "json", cwd=tmp_path).json
    assert {one["kind"] for one in listed} == set(LEAST)


def test_what_commands_wrote_is_taken_back_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "aether.toml").write_text('[engagement]\nname = "Back"\n')
    place, states = tmp_path / "engagement", list[dict[str, str]]()

    def run(*words: str, code: int = 0) -> str:
        done = aether(*words, cwd=tmp_path)
        assert done.code == code, (words, done.err)
        states.append({str(path.relative_to(place)): path.read_text() for path in sorted(place.rglob("*.yaml"))})
        return done.err

    scores = ("--impact", "5", "--confidence", "5", "--reversibility", "5", "--effort-weeks", "2")
    run("opportunity", "add", "Ask once", *scores)
    run("opportunity", "edit", "OPP-1", "--impact", "9")
    run("doc", "edit", "opportunity", "OPP-1", "--set", "title=Ask never")
    run("experiment", "new", "--opportunity", "OPP-1")
    run("doc", "edit", "experiment", "EXP-1", "--set", "level=9", code=2)  # writes nothing, and is no step back
    for back, words in ((2, "EXP-1"), (1, "OPP-1"), (0, "OPP-1")):
        assert words in run("doc", "undo")
        assert states[-1] == states[back]
    run("doc", "edit", "opportunity", "OPP-1", "--set", "title=Ask twice")
    path = place / "opportunities" / "OPP-1.yaml"
    path.write_text(path.read_text().replace("twice", "by hand"))
    assert "changed on disk" in run("doc", "undo", code=1) and "by hand" in path.read_text()
    run("doc", "undo", code=1)  # nor is the first over what was made and changed
    assert "no edit" in run("doc", "undo", code=3)


HOSTILE = "\x1b]52;c;x\x07[b]x[/] \u202e<script>`"


@pytest.mark.parametrize("kind", LEAST)
def test_odd_input_is_refused_in_one_sentence_and_nothing_is_written(kind: str, tmp_path: Path) -> None:
    (tmp_path / "aether.toml").write_text('[engagement]\nname = "Odd"\n')
    model = KINDS[kind]
    least = YAML(typ="safe").load(LEAST[kind][0])
    needed = [name for name in least if model.model_fields[name].is_required()]
    texts = [name for name, field in model.model_fields.items() if field.annotation is str and name != "id"]
    odd = [{**least, "titel": "x"}, *({**least, name: {"a": 1}} for name in dict.fromkeys([*needed, *texts[:1]]))]
    odd += [{k: v for k, v in least.items() if k != name} for name in needed[:1] if name not in {"started", "raised"}]
    odd += [{**least, texts[-1]: "x" * 30_000}] if texts else []
    for given in odd:
        told = aether("doc", "new", kind, stdin=_yaml(given), cwd=tmp_path)
        assert (told.code, told.out, told.err.count("\n")) == (2, "", 1), (given, told)
        key = ({*given} ^ {*least} or {name for name in given if given[name] != least.get(name)}).pop()
        assert told.err.startswith(f"aether-tui: the new document:1: {key}: "), told.err
        assert "^" not in told.err, told.err  # a pattern is for programs
    for name in texts:
        with pytest.raises(ValidationError):
            model.model_validate({"id": model.PREFIX + ("" if model.SINGLE else "1"), **least, name: "x" * 300_000})
    assert aether("doc", "list", kind, "--format", "json", cwd=tmp_path).json == []

    hostile = {texts[0]: HOSTILE} if texts and kind != "postmortem" else {}  # which takes @names for people
    first = aether("doc", "new", kind, stdin=_yaml({**least, **hostile, "id": "X-1"}), cwd=tmp_path)
    assert first.code == 0 and "its own id is not kept" in first.err
    assert not {"\x1b", "\u202e"} & set(aether("doc", "show", kind, first.out.strip(), cwd=tmp_path).out)
    assert "\x1b" not in aether("doc", "list", kind, "--format", "json", cwd=tmp_path).out
    path = next((tmp_path / "engagement").rglob(f"{first.out.strip()}.yaml"))
    path.write_text(path.read_text() + "nonsense: 1\n")
    line = path.read_text().count("\n")
    broken = aether("doc", "validate", kind, cwd=tmp_path)
    assert broken.code == 1 and f"{path.relative_to(tmp_path)}:{line}: nonsense: unknown key" in broken.out, broken


def _yaml(fields: dict[str, object]) -> str:
    """As a person would pipe it: JSON is YAML."""
    return json.dumps(fields, default=lambda one: one.isoformat() if isinstance(one, date | datetime) else one)


def test_what_is_no_document_at_all_is_refused(tmp_path: Path) -> None:
    (tmp_path / "aether.toml").write_text('[engagement]\nname = "Odd"\n')
    for given, words in (
        ("[1, 2]", "expected keys and values"),
        ("", "nothing was given"),
        ("{title: [", "broken YAML"),
    ):
        told = aether("doc", "new", "opportunity", stdin=given, cwd=tmp_path)
        assert (told.code, told.err.count("\n")) == (2, 1) and words in told.err, told.err
    for kind in LEAST:
        assert aether("doc", "show", kind, "NOPE-9", cwd=tmp_path).code == 2

"""A mapping is proposed from what the cache holds, for what nobody has mapped, and it loads when it is pasted."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from aether_tui.config import Mapping
from aether_tui.ingest import propose
from tests.command import aether
from tests.diagnostics import world


@pytest.mark.parametrize(
    ("state", "category", "phase"),
    [
        ("In Progress", "active", "build"),
        ("Ready for review", "wait", "build"),
        ("Ready for development", "wait", "specification"),
        ("Waiting for vendor", "wait", "build"),
        ("To Do", "queue", "specification"),
        ("Won't do", "cancelled", None),
        ("Triage", "backlog", "ideation"),
        ("Ready to release", "wait", "release"),
        ("Closed", "done", "learn"),
        ("Renewal", None, None),  # "new" is a word, not three letters
        ("Vibing", None, None),
        ("進行中", None, None),
    ],
)
def test_words_suggest(state: str, category: str | None, phase: str | None) -> None:
    assert (propose.category(state), propose.phase(state)) == (category, phase)


def test_what_is_not_mapped_is_proposed_and_the_rest_is_left(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w", "[sources.linear]\n")
    states = ["In Progress"] * 3 + ["Vibing"] * 2 + ["Done"] + ['Say "what"?']
    rows = [
        world.full("work_items", id=str(n), key=str(n), title="T", state=state, category="done" if state == "Done" else None,
                   created=world.at(1))
        for n, state in enumerate(states)
    ]  # fmt: skip
    world.store(made, "linear", "issues", "work_items", rows)
    done = aether("-w", made.root, "sources", "map", cwd=tmp_path)
    assert done.code == 0, done.err
    assert done.out.splitlines()[:4] == [
        "[mapping.states]", '"In Progress" = "active"  # 3 items', '# "Vibing" = ?  # 2 items', '# "Say \\"what\\"?" = ?  # 1 item',
    ]  # fmt: skip
    assert "Vibing" in done.err
    assert '"Done"' not in done.out.partition("[mapping.phases]")[0]
    mapping = Mapping.model_validate(tomllib.loads(done.out)["mapping"])
    assert mapping.states == {"In Progress": "active"}
    assert mapping.phases == {"In Progress": "build", "Done": "learn"}


def test_one_source_only_and_an_unknown_one(tmp_path: Path) -> None:
    made = world.workspace(
        tmp_path / "w", "[sources.linear]\n[sources.jira]\nurl = 'https://a.example'\nprojects = ['A']\n"
    )
    row = world.full("work_items", id="1", key="1", title="T", state="Doing", created=world.at(1))
    world.store(made, "jira", "issues", "work_items", [row])
    assert "Doing" in aether("-w", made.root, "sources", "map", "jira", cwd=tmp_path).out
    assert "every state has" in aether("-w", made.root, "sources", "map", "linear", cwd=tmp_path).out
    refused = aether("-w", made.root, "sources", "map", "gitlab", cwd=tmp_path)
    assert refused.code == 2
    assert "linear, jira" in refused.err


def test_fields_of_jira_are_proposed_with_their_names_and_load(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w", "[sources.jira]\nurl = 'replay:recorded.jsonl'\n")
    fields = [{"id": "customfield_1", "name": "Story Points"}, {"id": "customfield_2", "name": "Impact"}]
    answers = {"/rest/api/3/myself": {"displayName": "Ada"}, "/rest/api/3/field": fields}
    lines = [json.dumps({"method": "GET", "path": path, "body": body}) for path, body in answers.items()]
    (made.root / "recorded.jsonl").write_text("\n".join(lines))
    done = aether("-w", made.root, "sources", "map", "jira", cwd=tmp_path, env={"AETHER_JIRA_TOKEN": "canary"})
    assert done.code == 0, done.err
    found = tomllib.loads(done.out)["sources"]["jira"]
    assert found == {"estimate_field": "customfield_1", "discovery": {"impact": "customfield_2"}}
    (made.root / "recorded.jsonl").write_text("")
    done = aether("-w", made.root, "sources", "map", "jira", cwd=tmp_path, env={"AETHER_JIRA_TOKEN": "canary"})
    assert "fields of jira were not asked for" in done.err

"""A mapping is proposed from what the cache holds, for what nobody has mapped, and it loads when it is pasted."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from aether_tui.config import Category, Mapping
from aether_tui.ingest import propose
from tests.command import aether
from tests.connectors.pull import NOW
from tests.connectors.server import serving
from tests.connectors.test_jira import Site
from tests.diagnostics import world
from tests.sync.kills import dump

AT = ("--as-of", NOW.isoformat())


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
        ("進行中", "active", None),
        ("未完了", "queue", None),
        ("In Arbeit", "active", None),
        ("Zu erledigen", "queue", None),
        ("Erledigt", "done", None),
        ("Bereit für Test", "wait", "build"),
        ("En cours", "active", None),
        ("Terminé", "done", None),
        ("A FAIRE", "queue", None),
        ("Por hacer", "queue", None),
        ("Em andamento", "active", None),
        ("Do zrobienia", "queue", None),
        ("Zamknięte", "done", None),
        ("В работе", "active", None),
        ("Pendiente", None, None),  # to do, or pending
    ],
)
def test_words_suggest(state: str, category: str | None, phase: str | None) -> None:
    assert (propose.category(state), propose.phase(state)) == (category, phase)


@pytest.mark.parametrize(
    ("state", "category", "phase"),
    [("In Arbeit", "active", "build"), ("Fertig", "active", "build"), ("Vibing", "done", "learn"), ("Deployed", "done", "release"),
     ("Design", "done", "learn"), ("Verworfen", "cancelled", None)],
)  # fmt: skip
def test_the_category_that_a_tracker_gives_goes_before_the_words(
    state: str, category: Category, phase: str | None
) -> None:
    assert propose.phase(state, category) == phase


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("Fehler, Anomalie, Bogue, Error, Erro, Błąd, バグ, 不具合, 缺陷, Ошибка", "bug"),
        ("Historia, Récit, Verbesserung, Neue Funktion, História, Historyjka, ストーリー, 需求", "feature"),
        ("Störung, Incidente, Awaria, 障害", "incident"),
        ("Aufgabe, Unteraufgabe, Tâche, Sous-tâche, Tarea, Tarefa, Zadanie, タスク, Задача", "chore"),
        ("Idee, Idée, アイデア", "opportunity"),
        ("Debug, Service Request, Incidencia", None),
    ],
)
def test_types_in_words_of_other_languages(words: str, meant: str | None) -> None:
    assert {propose.item_type(word) for word in words.split(", ")} == {meant}


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
    assert "that was seen is mapped" in aether("-w", made.root, "sources", "map", "linear", cwd=tmp_path).out
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


GERMAN = {"Fehler": 3, "Aufgabe": 2, "Wunschzettel": 1}
"""Issues by type; the last word says nothing."""


def test_a_site_in_german_is_mapped_by_its_proposal_offline_as_a_fresh_sync_would(tmp_path: Path) -> None:
    site = Site(6)
    types = [name for name, n in GERMAN.items() for _ in range(n)]
    for issue, name in zip(site.issues, types, strict=True):
        issue["fields"] |= {"issuetype": {"name": name}, "labels": ["team: Zahlung", "bereich/Kasse", "eilig"]}
        issue["fields"]["status"] = (
            {"id": "6", "name": "Erledigt"} if name == "Fehler" else {"id": "77", "name": "In Arbeit"}
        )
    once, later = tmp_path / "once", tmp_path / "later"
    key = {"AETHER_JIRA_TOKEN": "canary"}
    with serving(site) as server:
        toml = f'[sources.jira]\nurl = "{server.url}"\nemail = "ada@example.com"\n'
        for root in (once, later):
            made = world.workspace(root, toml)
            (made.hidden / "person.key").write_text(bytes(range(32)).hex())
        assert aether(*AT, "sync", cwd=later, env=key).code == 0
        report = aether(*AT, "report", "sources", "--format", "json", cwd=later).json
        (finding,) = [one for one in report["findings"] if one["id"] == "sources.unmapped"]
        assert "type Fehler (3)" in finding["text"]
        assert "state In Arbeit (3)" in finding["text"]
        proposed = aether(*AT, "sources", "map", "jira", cwd=later, env=key)
        assert proposed.code == 0, proposed.err
        found = tomllib.loads(proposed.out)["mapping"]
        assert found["states"] == {"In Arbeit": "active"}  # of the others the tracker itself says it
        assert found["phases"] == {
            "Done": "learn", "Erledigt": "learn", "In Arbeit": "build", "In Progress": "build", "To Do": "specification",
        }  # fmt: skip
        assert found["types"] == {"Fehler": "bug", "Aufgabe": "chore"}
        assert (found["teams"], found["features"]) == ({"team: Zahlung": "Zahlung"}, {"bereich/Kasse": "Kasse"})
        assert '# "Wunschzettel" = ?  # 1 row' in proposed.out

        mapping = toml + proposed.out[proposed.out.index("[mapping") :]
        for root in (once, later):
            (root / "aether.toml").write_text(mapping)
        report = aether(*AT, "report", "flow", "--format", "json", cwd=later).json
        (behind,) = [one for one in report["findings"] if "follow the old ones" in one["text"]]
        assert behind["action"] == "aether-tui sync"
        assert aether(*AT, "sync", cwd=once, env=key).code == 0
        server.requests.clear()
        assert "derived again" in aether(*AT, "--offline", "sync", cwd=later, env=key).err
        assert server.requests == []
        assert "follow the old ones" not in aether(*AT, "report", "flow", cwd=later).out
    tables = [dump(root / ".aether" / "cache.duckdb") for root in (once, later)]
    assert {name for name in tables[0] if tables[0][name] != tables[1][name]} <= {"sync_state"}
    rest = aether(*AT, "sources", "map", cwd=later).out
    assert "Fehler" not in rest
    assert "Wunschzettel" in rest


def test_repositories_and_environments_are_proposed_by_what_is_seen(tmp_path: Path) -> None:
    made = world.workspace(
        tmp_path / "w", "[sources.github]\nrepos = ['acme/shop']\n[mapping.environments]\nspielwiese = 'other'\n"
    )
    items = [
        world.full("work_items", id=str(n), key=f"PAY-{n}", title="T", team="Payments", created=world.at(1))
        for n in range(3)
    ]
    world.store(made, "jira", "issues", "work_items", items)
    pulls = [
        world.full("pull_requests", repo=repo, number=n, created=world.at(1), item_keys=(f"PAY-{n}",) if repo == "acme/shop" else ())
        for repo in ("acme/shop", "acme/lonely") for n in range(3)
    ]  # fmt: skip
    world.store(made, "github", "pull_requests", "pull_requests", pulls)
    seen = {"Produktion": 3, "préprod": 2, "spielwiese": 2, "blau": 1}
    deployed = [
        world.full("deployments", id=f"{name}{n}", repo="acme/shop", environment="other", source_environment=name, started=world.at(1))
        for name, count in seen.items() for n in range(count)
    ]  # fmt: skip
    world.store(made, "github", "deployments", "deployments", deployed)
    done = aether("-w", made.root, "sources", "map", "github", cwd=tmp_path)
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "[mapping.teams]", '# "acme/lonely" = ?  # 3 rows', '"acme/shop" = "Payments"  # 3 rows, keys of its items', "",
        "[mapping.environments]", '"Produktion" = "production"  # 3 rows', '"préprod" = "staging"  # 2 rows', '# "blau" = ?  # 1 row',
    ]  # fmt: skip

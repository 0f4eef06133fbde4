"""Derived columns: the user's words first, then what nobody disputes, else nothing."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal

import pytest

from aether_tui.config import Config, Mapping, Price
from aether_tui.ingest import Ingest
from aether_tui.ingest.derive import mapping_hash
from aether_tui.ingest.mapping import Mapper, environment_words
from aether_tui.ingest.words import Words
from aether_tui.records import TABLES, Value

KEY = bytes(32)
DAY = datetime(2026, 11, 1)  # noqa: DTZ001  # instants in rows are naive UTC


def derived(table: str, config: Config | None = None, **values: Value) -> dict[str, Value]:
    model = TABLES[table]
    keys = {name: 1 if name in {"number", "attempt", "ordinal"} else "k" for name in model.key}
    (row,) = Ingest(config or Config(), KEY).prepare(model, [model.row(**{**keys, **values})])
    every = dict(zip((column.name for column in model.columns), row, strict=True))
    return {column.name: every[column.name] for column in model.derived}


def test_words_are_found_without_case_exact_first_then_wildcards_in_order() -> None:
    words = Words({"In *": "wildcard", "in review": "exact", "In R*": "later", "a.c": "literal"})
    assert words.find("IN REVIEW") == "exact"
    assert words.find("In Rework") == "wildcard"
    assert words.find("abc") is None
    assert words.find(None, "", "A.C") == "literal"


@pytest.mark.parametrize(
    ("state_type", "category"),
    [
        ("triage", "backlog"), ("backlog", "backlog"), ("unstarted", "queue"), ("started", "active"),
        ("completed", "done"), ("canceled", "cancelled"), ("duplicate", "cancelled"),
        ("new", "queue"), ("indeterminate", "active"), ("done", "done"), ("Done", "done"),
        ("undefined", None), (None, None),
    ],
)  # fmt: skip
def test_the_trackers_own_class_of_a_state(state_type: str | None, category: str | None) -> None:
    assert derived("work_items", state="Whatever", state_type=state_type)["category"] == category


def test_a_mapped_state_beats_its_class_and_the_team_beats_the_state() -> None:
    config = Config(mapping=Mapping(states={"In Review": "wait", "OPS/In Review": "active", "*/Parked": "backlog"}))
    item = derived("work_items", config, state="in review", state_type="started", source_team="WEB")
    assert item["category"] == "wait"
    assert derived("work_items", config, state="In Review", source_team="ops")["category"] == "active"
    assert derived("work_items", config, state="Parked", source_team="ops")["category"] == "backlog"
    moved = derived(
        "work_transitions", config, at=DAY, to_state="In Review", to_type="started", from_state="Todo",
        from_type="unstarted", source_team="OPS",
    )  # fmt: skip
    assert moved == {"to_category": "active", "from_category": "queue", "to_phase": None}


def test_a_transition_knows_the_lifecycle_phase_it_enters() -> None:
    config = Config(mapping=Mapping(phases={"Shaping": "specification", "OPS/Shaping": "validation"}))
    for team, phase in (("WEB", "specification"), ("OPS", "validation")):
        assert derived("work_transitions", config, at=DAY, to_state="shaping", source_team=team)["to_phase"] == phase


def test_a_state_that_nobody_maps_stays_unmapped() -> None:
    assert derived("work_items", state="Vibing")["category"] is None
    assert derived("work_transitions", at=DAY, to_state="Vibing")["from_category"] is None


@pytest.mark.parametrize(
    ("source_type", "labels", "kind"),
    [
        ("Bug", (), "bug"), ("Story", (), "feature"), ("Epic", (), "feature"), ("Task", (), "chore"),
        ("Sub-task", (), "chore"), ("[System] Incident", (), "incident"), ("Idea", (), "opportunity"),
        ("Gadget", (), "other"), (None, ("area/web", "Bug"), "bug"), (None, ("area/web",), None), (None, (), None),
        ("Gadget", ("defect",), "bug"),
    ],
)  # fmt: skip
def test_types(source_type: str | None, labels: tuple[str, ...], kind: str | None) -> None:
    assert derived("work_items", source_type=source_type, labels=labels)["type"] == kind


def test_mapped_types_beat_the_usual_words_by_type_or_label() -> None:
    config = Config(mapping=Mapping(types={"Story": "chore", "sev?": "incident"}))
    assert derived("work_items", config, source_type="story")["type"] == "chore"
    assert derived("work_items", config, source_type="Bug", labels=("SEV1",))["type"] == "incident"


def test_phases_teams_and_features_of_items() -> None:
    config = Config(
        mapping=Mapping(
            phases={"Spec*": "specification"},
            teams={"ENG": "Core", "squad/blue": "Blue"},
            features={"Search 2.0": "search"},
        )
    )
    item = derived("work_items", config, state="Spec review", source_team="eng", project="search 2.0")
    assert (item["phase"], item["team"], item["feature"]) == ("specification", "Core", "search")
    assert derived("work_items", config, source_team="OPS", labels=("squad/blue",))["team"] == "Blue"
    own = derived("work_items", config, source_team="OPS", project="Other")
    assert (own["team"], own["feature"], own["phase"]) == ("OPS", None, None)


def test_repositories() -> None:
    config = Config(mapping=Mapping(services={"acme/shop": "checkout"}, teams={"acme/*": "Web"}))
    assert derived("pipeline_runs", config, repo="acme/shop") == {"service": "checkout", "team": "Web"}
    assert derived("pull_requests", repo="acme/shop") == {"service": "shop", "team": None}
    found = derived("deployments", config, repo="acme/api", source_environment="eu-prod-2")
    assert found == {"service": "api", "environment": "production", "team": "Web"}


@pytest.mark.parametrize(
    ("name", "environment"),
    [
        ("production", "production"), ("PRD", "production"), ("eu-west-prod", "production"), ("Live (EU)", "production"),
        ("staging", "staging"), ("pre-prod", "staging"), ("preprod", "staging"), ("uat", "staging"),
        ("dev", "dev"), ("non-prod", "dev"), ("nonprod", "dev"), ("test2", "dev"), ("my_sandbox", "dev"),
        ("Préproduction", "staging"), ("pré-prod", "staging"), ("hors prod", None),
        ("product", None), ("device", None), ("dev-to-prod", None), ("", None),
    ],
)  # fmt: skip
def test_words_of_environments(name: str, environment: str | None) -> None:
    assert environment_words(name) == environment


def test_environments_of_names_and_of_hints() -> None:
    mapper = Mapper(Mapping(environments={"blue": "production", "1234*": "staging"}))
    assert mapper.environment("Blue") == "production"
    assert mapper.environment("purple") == "other"
    assert mapper.environment(None) is None
    assert mapper.environment_hinted("123456") == "staging"
    assert mapper.environment_hinted("acme-prod", None) == "production"
    assert mapper.environment_hinted("purple") is None


def test_cost_tags_are_tried_in_order_without_case() -> None:
    config = Config(mapping=Mapping(teams={"sq-1": "Search"}, services={"Amazon EC2": "compute"}))
    tags = json.dumps({"ENV": "Prod", "Squad": "sq-1", "app": "answers", "empty": ""})
    row = derived("costs", config, tags=tags, source_service="Amazon EC2", account="acme-dev")
    assert row == {"environment": "production", "service": "compute", "team": "Search", "feature": "answers"}
    pairs = {"ENV": "Prod", "Squad": "sq-1", "app": "answers"}.items()
    azure = ",".join(f'"{name}":"{value}"' for name, value in pairs)
    google = json.dumps([{"key": name, "value": value, "type": "label", "inherited": False} for name, value in pairs])
    for written in (azure, google, json.dumps({"Tags": azure, "x_a": "1"}), json.dumps({"Tags": google, "x_a": "1"})):
        assert derived("costs", config, tags=written, source_service="Amazon EC2", account="acme-dev") == row
    for odd in ("[1, {}]", '"a"', '"a":', '[{"key": ["k"]}]', "env=prod"):
        assert derived("costs", config, tags=odd, source_service=None, account=None)["environment"] is None
    bare = derived("costs", config, tags=None, source_service="Amazon S3", account="acme-dev")
    assert bare == {"environment": "dev", "service": None, "team": None, "feature": None}


def test_span_dimensions_come_from_attributes() -> None:
    config = Config(mapping=Mapping(features={"ans": "answers"}))
    found = derived(
        "spans", config, start=DAY, source_service="gateway", source_environment="staging",
        attributes=json.dumps({"app.feature": "ans", "app": {"team": "search"}, "app.outcome": True, "scenario": 7}),
    )  # fmt: skip
    assert found["feature"] == "answers"
    assert (found["team"], found["service"], found["environment"]) == ("search", "gateway", "staging")
    assert (found["outcome"], found["scenario"], found["task_cluster"]) == ("success", "7", None)
    assert derived("spans", start=DAY, attributes='{"outcome": "Rejected"}')["outcome"] == "failure"
    assert derived("spans", start=DAY, attributes="broken")["outcome"] is None


def test_people_are_hashed_by_the_key() -> None:
    table = TABLES["work_items"]
    place = [column.name for column in table.columns].index("assignee")

    def hashed(key: bytes, name: str | None) -> Value:
        return Ingest(Config(), key).prepare(table, [table.row(id="1", assignee=name)])[0][place]

    one = hashed(KEY, "Jane@Example.com")
    assert isinstance(one, str)
    assert len(one) == 16
    assert int(one, 16) >= 0
    assert one == hashed(KEY, " jane@example.com ")
    assert one != hashed(b"x" * 32, "Jane@Example.com")
    assert hashed(KEY, None) is None
    assert hashed(KEY, " ") is None


def test_derivation_depends_on_raw_row_and_mapping_only() -> None:
    table = TABLES["work_items"]
    ingest = Ingest(Config(), KEY)
    full = ingest.prepare(table, [table.row(id="1", state="x", state_type="started", title="by a@example.com")])
    size = len(table.raw)
    assert ingest.derive(table, [full[0][:size]]) == full


def test_the_hash_follows_mapping_and_prices_and_nothing_else() -> None:
    base = mapping_hash(Config())
    assert base == mapping_hash(Config())
    price = Price(model="m", input_usd_per_million=Decimal(1), output_usd_per_million=Decimal(2))
    changed = {
        mapping_hash(Config(mapping=Mapping(states={"a": "done"}))),
        mapping_hash(Config(mapping=Mapping(states={"a": "wait"}))),
        mapping_hash(Config(mapping=Mapping(states={"a": "wait", "b": "wait"}))),
        mapping_hash(Config(mapping=Mapping(states={"b": "wait", "a": "wait"}))),
        mapping_hash(Config(prices=[price])),
    }
    assert len(changed | {base}) == 6
    assert mapping_hash(Config.model_validate({"engagement": {"name": "x"}})) == base

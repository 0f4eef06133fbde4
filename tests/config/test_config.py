"""`aether.toml`: precedence, provenance and what is said about mistakes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from aether_tui.config import Config
from aether_tui.config_file import check_source, load_config, read_config, settings
from aether_tui.errors import ConfigurationError
from aether_tui.problems import field_type
from aether_tui.workspace import Workspace
from connectors.linear import Linear
from tests.conftest import ROOT


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def problems(workspace: Workspace, text: str, **environ: str) -> list[str]:
    workspace.config_path.write_text(text, encoding="utf-8")
    return [problem.sentence() for problem in read_config(workspace, environ).problems]


def test_environment_beats_file_beats_default(workspace: Workspace) -> None:
    workspace.config_path.write_text(
        '[gate]\nmin_requests = 300\nwindow_days = 14\n\n[sources.main]\nkind = "linear"\nurl = "https://a:b@x.test"\n'
    )
    environ = {
        "AETHER_GATE__MIN_REQUESTS": "100",
        "AETHER_MAPPING__COST_TAGS__TEAM": "squad, crew",
        "AETHER_MAPPING__STATES": '{"In Review": "wait"}',
        "AETHER_SOURCES__MAIN__ENABLED": "false",
        "AETHER_MAIN_API_KEY": "not-a-setting",
        "AETHER_WORKSPACE": "/elsewhere",
    }
    config = load_config(workspace, environ)
    assert (config.gate.min_requests, config.gate.window_days, config.gate.cost_share) == (100, 14, 0.95)
    assert config.mapping.cost_tags.team == ["squad", "crew"]
    assert config.mapping.states == {"In Review": "wait"}
    assert config.sources["main"].enabled is False
    origin = {item.key: (item.value, item.origin) for item in settings(read_config(workspace, environ))}
    assert origin["gate.min_requests"] == (100, "AETHER_GATE__MIN_REQUESTS")
    assert origin["gate.window_days"] == (14, "aether.toml:3")
    assert origin["gate.cost_share"] == (0.95, "default")
    assert origin["sources.main.url"] == ("https://•••@x.test", "aether.toml:7")
    assert origin["sources.main.enabled"] == (False, "AETHER_SOURCES__MAIN__ENABLED")


PRICE = 'model = "a"\ninput_usd_per_million = 1\noutput_usd_per_million = 1\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[gate]\nmin_request = 5\n", "aether.toml:2: gate.min_request: unknown key; did you mean 'min_requests'?"),
        ("# a\u2028b\n[gates]\n", "aether.toml:2: gates: unknown key"),
        ("[gates]\n", "aether.toml:1: gates: unknown key; did you mean 'gate'?"),
        ("[gate]\nzzz = 5\n", "aether.toml:2: gate.zzz: unknown key; known keys are clusters_share"),
        ("gate = {min_request = 5}\n", "aether.toml:1: gate.min_request: unknown key; did you mean 'min_requests'?"),
        ('[gate]\nmin_requests = "5"\n', "aether.toml:2: gate.min_requests: expected a whole number, found the text '5'"),
        ("[gate]\nmin_requests = 5.5\n", "aether.toml:2: gate.min_requests: expected a whole number, found 5.5"),
        ("[gate]\ncost_share = 95\n", "aether.toml:2: gate.cost_share: 95 should be less than or equal to 1"),
        ("[gate]\ncost_share = nan\n", "aether.toml:2: gate.cost_share"),
        ("gate = 3\n", "aether.toml:1: gate: expected a table of keys and values, found 3"),
        ('[mapping.states]\n"In Review" = "wayt"\n', "mapping.states.In Review: the text 'wayt' is not known; did you mean 'wait'?"),
        ('[[prices]]\n' + PRICE + '[[prices]]\n' + PRICE.replace("= 1\n", '= "x"\n', 1),
         "aether.toml:7: prices[1].input_usd_per_million: expected a number, found the text 'x'"),
        ('[[prices]]\nmodel = "a"\n', "aether.toml:1: prices[0].input_usd_per_million: is missing; add it"),
        ('[engagement]\ntimezone = "Europe/Pariss"\n', "engagement.timezone: 'Europe/Pariss' is not a time zone; did you mean 'Europe/"),
        ('[privacy]\npatterns = ["("]\n', "aether.toml:2: privacy.patterns: '(' is not a regular expression"),
        ('[mapping.scores]\nx = ["> high"]\n', "aether.toml:2: mapping.scores.x[0]: '> high' is neither a word nor a bound"),
        ("[privacy.retention_days]\nspan = 3\n", "privacy.retention_days: no table 'span'; did you mean 'spans'?"),
        ("[privacy.retention_days]\nspans = 0\n", "spans: 0 days keeps nothing"),
        ('[sources.linear]\napi_key = "lin_api_0"\n', "aether.toml:2: sources.linear.api_key: secrets are not kept in files"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_line_key_and_way_out(workspace: Workspace, text: str, sentence: str) -> None:
    found = problems(workspace, text)
    assert any(sentence in line for line in found), found
    assert all("lin_api_0" not in line for line in found)
    with pytest.raises(ConfigurationError) as caught:
        load_config(workspace, {})
    assert caught.value.exit_code == 2
    assert sentence in caught.value.sentence()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[gate]\nx = \n", "aether.toml:2:5: broken TOML: Invalid value"),
        ("[gate\n", "aether.toml:1:6: broken TOML"),
        ("a = 1\na = 2\n", "broken TOML: Cannot overwrite a value"),
        ('a = """', "broken TOML"),
        ("\u200b[gate]\n", "one of them is a zero width space"),
        ("[gate]\u00a0\n", "one of them is a no-break space"),
    ],
)
def test_broken_toml_names_line_and_column(workspace: Workspace, text: str, sentence: str) -> None:
    workspace.config_path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_config(workspace, {})
    assert sentence in caught.value.sentence()


def test_bytes_that_are_not_text_and_bytes_that_are(workspace: Workspace) -> None:
    workspace.config_path.write_bytes(b"\xff\xfe[\x00")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        load_config(workspace, {})
    workspace.config_path.write_bytes(b'\xef\xbb\xbf[engagement]\r\nname = "N\xc3\xb8rd"\r\n')
    assert load_config(workspace, {}).engagement.name == "Nørd"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("AETHER_GATE__MIN_REQUESTS", "many", "environment variable AETHER_GATE__MIN_REQUESTS: gate.min_requests: expected a whole number"),
        ("AETHER_GATE__MIN_REQUEST", "1", "variable AETHER_GATE__MIN_REQUEST: gate.min_request: unknown key; did you mean 'min_requests'?"),
        ("AETHER_GAT__MIN_REQUESTS", "1", "environment variable AETHER_GAT__MIN_REQUESTS: gat: unknown key; did you mean 'gate'?"),
        ("AETHER_MAPPING__STATES", "{", "environment variable AETHER_MAPPING__STATES: mapping.states: expected a table"),
    ],
)  # fmt: skip
def test_a_wrong_variable_is_named(workspace: Workspace, name: str, value: str, sentence: str) -> None:
    found = problems(workspace, "", **{name: value})
    assert any(sentence in line for line in found), found


def test_every_mistake_is_found_at_once(workspace: Workspace) -> None:
    found = problems(workspace, "[gate]\na = 1\nb = 2\n[lens]\nc = 3\n")
    assert len(found) == 3
    with pytest.raises(ConfigurationError, match="unknown key") as caught:
        load_config(workspace, {})
    assert "(and 2 more)" in caught.value.sentence()


def test_a_connector_checks_the_rest_of_its_table(workspace: Workspace) -> None:
    class Settings(BaseModel):
        model_config = ConfigDict(extra="forbid")
        kind: str = ""
        enabled: bool = True
        url: str = "https://api.test"
        teams: list[str] = []

    workspace.config_path.write_text('[sources.main]\nkind = "linear"\n\nteam = ["A"]\nurl = 3\n')
    loaded = read_config(workspace, {})
    assert loaded.config is not None
    found = [problem.sentence() for problem in check_source(loaded.config, "main", Settings, loaded.lines)]
    assert found == [
        "aether.toml:4: sources.main.team: unknown key; did you mean 'teams'?",
        "aether.toml:5: sources.main.url: expected text, found 3; put it in quotes",
    ]
    workspace.config_path.write_text('[sources.main]\nurl = "https://ada:hunter2@linear.test"\n')
    loaded = read_config(workspace, {})
    assert loaded.config is not None
    (problem,) = check_source(loaded.config, "main", Linear.Settings, loaded.lines)
    assert "https://•••@linear.test" in problem.sentence() and "hunter2" not in problem.sentence()


EXAMPLE = ROOT / "config.example.toml"
SETTING = re.compile(r"^#(?=[\[\w\"{}\]])")


def uncommented() -> str:
    return "\n".join(SETTING.sub("", line) for line in EXAMPLE.read_text(encoding="utf-8").splitlines())


def test_the_example_is_valid_as_shipped_and_with_every_key_switched_on(workspace: Workspace) -> None:
    assert problems(workspace, EXAMPLE.read_text(encoding="utf-8")) == []
    assert problems(workspace, uncommented()) == []


def schema_keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    keys = []
    for name, field in model.model_fields.items():
        inner = field_type(model, name)
        nested = inner if isinstance(inner, type) and issubclass(inner, BaseModel) else field_type(inner, "*")
        here = prefix + name
        keys.append(here)
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            keys += schema_keys(nested, here + ("." if nested is inner else ".*."))
        assert field.description or here.startswith("prices.") or here.startswith("lens.anchors."), (
            f"{here} has no description"
        )
    return keys


def test_every_key_of_the_schema_is_in_the_example() -> None:
    example = tomllib.loads(uncommented())
    missing = [key for key in schema_keys(Config) if not list(values(example, key.split(".")))]
    assert missing == []


def values(here: object, path: list[str]) -> list[object]:
    if not path:
        return [here]
    if path[0] == "*":
        inner = list(here.values()) if isinstance(here, dict) else here if isinstance(here, list) else []
        return [value for item in inner for value in values(item, path[1:])]
    return values(here[path[0]], path[1:]) if isinstance(here, dict) and path[0] in here else []


def test_values_shown_as_defaults_are_the_defaults() -> None:
    """Where the example says `default`, it must not lie."""
    text = EXAMPLE.read_text(encoding="utf-8")
    config = Config.model_validate(tomllib.loads(text))
    for section in ("gate", "console", "privacy", "lens", "portfolio"):
        assert getattr(config, section) == getattr(Config(), section), section
    switched_on = Config.model_validate(tomllib.loads(uncommented()))
    assert switched_on.gate == Config().gate
    assert switched_on.mapping.span_attributes == Config().mapping.span_attributes
    assert switched_on.mapping.cost_tags == Config().mapping.cost_tags

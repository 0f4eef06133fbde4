"""budgets.yaml: the shipped file, and every refusal with file, line, key and what to write."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from aether_tui.budgets.file import METRICS, BudgetFile, parse_budgets, read_budgets
from aether_tui.budgets.quantity import EXAMPLES, BadQuantity, parse_quantity, parse_share
from aether_tui.errors import ConfigurationError
from tests.conftest import ROOT

TODAY = date(2026, 11, 21)
HEAD = "version: 1\ncurrency: USD\n"
CI = "{id: ci.main, surface: ci, metric: pipeline.duration, limit: 15min}"


def parse(text: str) -> BudgetFile:
    return parse_budgets(text.encode(), "budgets.yaml", TODAY)


def test_the_shipped_file_holds_every_limit_of_the_four_surfaces() -> None:
    file = read_budgets(ROOT / "aether_tui" / "budgets" / "default.yaml", "default.yaml", TODAY)
    limits = {budget.id: (budget.limit, budget.kind) for budget in file.budgets}
    assert limits == {
        "ci.main": (900, "s"),
        "ci.release": (1800, "s"),
        "cost.dev": (500, "money/month"),
        "cost.staging": (2000, "money/month"),
        "tests.unit": (120, "s"),
        "tests.integration": (600, "s"),
        "llm.task.cost": (Decimal("0.10"), "money/task"),
        "llm.task.tokens": (None, "tokens/task"),
        "llm.turn.latency": (8, "s/turn"),
    }
    by_id = {budget.id: budget for budget in file.budgets}
    assert by_id["llm.task.tokens"].block.relative == 0.10
    assert by_id["tests.unit"].block.over_limit == 0
    assert by_id["ci.main"].block.over_limit == 0.10
    assert (by_id["cost.dev"].warn.relative, by_id["cost.dev"].warn.min_delta, by_id["cost.dev"].burn) == (
        0.05,
        10,
        True,
    )


@pytest.mark.parametrize(
    ("budget", "sentence"),
    [
        ("{id: a, surface: ci, metric: pipeline.duration, limit: 15}",
         "budgets.yaml:4: budgets[0].limit: 15 has no unit; write for example 15min"),
        ("{id: a, surface: llm, metric: task.cost, limit: 0.1}", "budgets[0].limit: 0.1 has no unit; write for example 0.10 USD/task"),
        ('{id: a, surface: ci, metric: pipeline.duration, limit: "15"}', "'15' has no unit; write for example 15min"),
        ("{id: a, surface: ci, metric: pipeline.duration, limit: 15 parsecs}", "'parsecs' is not a unit of this metric"),
        ("{id: a, surface: ci, metric: pipeline.duration, limit: 15 min/month}", "is per month; write for example 15min"),
        ("{id: a, surface: cost, metric: infra.monthly, limit: 500 USD}", "'500 USD' is not per month"),
        ("{id: a, surface: cost, metric: infra.monthly, limit: 500 EUR/month}",
         "EUR in a file in USD; write USD; amounts are never converted"),
        ("{id: a, surface: ci, metric: pipeline.duraton, limit: 1min}", "no metric 'pipeline.duraton'; did you mean 'pipeline.duration'?"),
        ("{id: a, surface: tests, metric: pipeline.duration, limit: 1min}", "pipeline.duration is of the surface 'ci'; write ci"),
        ("{id: a, surface: ci, metric: pipeline.duration, limt: 1min}", "4: budgets[0].limt: unknown key; did you mean 'limit'?"),
        ("{id: a, surface: ci, metric: pipeline.duration, match: {brunch: main}}",
         "budgets[0].match.brunch: pipeline.duration cannot be matched by 'brunch'; did you mean 'branch'?"),
        ("{id: a, surface: ci, metric: pipeline.duration, block: {relative: 0.1}}",
         "budgets[0].block.relative: 0.1 is not a percentage; write for example 10%"),
        ("{id: a, surface: ci, metric: pipeline.duration, stat: p42}", "budgets[0].stat: the text 'p42' is not known"),
        ("{id: a, surface: ci, metric: pipeline.duration, limit: 0s}", "a limit of nothing; write for example 15min"),
        ("{id: A B, surface: ci, metric: pipeline.duration}",
         "4: budgets[0].id: the text 'A B' is not how it is written; write for example tests.unit"),
        ("{surface: ci, metric: pipeline.duration}", "4: budgets[0].id: is missing; add id: tests.unit"),
        ("{id: a, surface: ci, metric: pipeline.duration, limit: [1min]}",
         "4: budgets[0].limit: expected text, found a list; write for example 15min"),
        ("{id: a, surface: ci, metric: pipeline.duration, noise: {window: 1000}}",
         "4: budgets[0].noise.window: 1000 should be less than or equal to 100; write 100 or less"),
    ],
)  # fmt: skip
def test_a_refusal_names_file_line_key_and_fix(budget: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(f"{HEAD}budgets:\n- {budget}\n")
    assert caught.value.exit_code == 2
    assert sentence in caught.value.sentence(), caught.value.sentence()
    assert caught.value.sentence().startswith("budgets.yaml:")


def test_the_project_gates_itself() -> None:
    file = read_budgets(ROOT / "optimization" / "budgets.yaml", "budgets.yaml", TODAY)
    assert {budget.surface for budget in file.budgets} == {"tests"}
    assert all(budget.on_missing == "block" for budget in file.budgets)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("version: 1\n", "budgets.yaml:1: currency: is missing; add currency: USD (and 1 more)"),
        ("version: 2\ncurrency: USD\nbudgets: []\n", "budgets.yaml:1: version: 2 is not known; it is one of 1"),
        ("version: 1\ncurrency: usd\nbudgets: []\n",
         "budgets.yaml:2: currency: the text 'usd' is not how it is written; write for example USD"),
        ("version: 1\nversion: 1\n", "budgets.yaml:2: version: the key stands twice; keep one of the two"),
        ("version: 1\nbudgets:\n\t- {}\n", "budgets.yaml:3: broken YAML"),
        ("a: &a [x, x]\nbudgets: *a\n", "budgets.yaml:1: a: anchors and aliases are not read here; write the value out"),
        ("budgets: [!!python/object/apply:os.system [id]]\n", "python/object/apply:os.system' is not read here; write a plain value"),
        ("- 1\n", "expected a table of keys and values, found a list"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_by_line_and_fix(text: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(text)
    assert sentence in caught.value.sentence()


def test_ids_are_used_once() -> None:
    with pytest.raises(ConfigurationError, match=r"'ci\.main' is used twice") as caught:
        parse(f"{HEAD}budgets:\n- {CI}\n- {CI}\n")
    assert "budgets.yaml:5" in caught.value.sentence()


@pytest.mark.parametrize(
    ("waiver", "sentence"),
    [
        ("budget: ci.main, reason: too short, owner: a, expires: 2026-12-01", "waivers[0].reason"),
        ("budget: ci.main, reason: a good reason, expires: 2026-12-01", "waivers[0].owner: is missing"),
        ("budget: ci.main, reason: a good reason, owner: a", "waivers[0].expires: is missing"),
        ("budget: ci.main, reason: a good reason, owner: a, expires: 2027-02-20", "more than 90 days away; a waiver ends by 2027-02-19"),
        ("budget: ci.mian, reason: a good reason, owner: a, expires: 2026-12-01", "no budget 'ci.mian'; did you mean 'ci.main'?"),
        ("budget: ci.main, reason: a good reason, owner: a, expires: 2026-12-01, raise_to: 20", "20 has no unit"),
    ],
)  # fmt: skip
def test_a_waiver_needs_an_owner_a_reason_and_an_end(waiver: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(f"{HEAD}budgets:\n- {CI}\nwaivers:\n- {{id: W-1, {waiver}}}\n")
    assert sentence in caught.value.sentence()


def test_defaults_are_filled_in_key_by_key() -> None:
    file = parse(
        f"{HEAD}defaults: {{on_missing: carry, noise: {{min_samples: 7}}, warn: {{relative: 5%}}, block: {{relative: 10%}}}}\n"
        "budgets:\n- {id: a, surface: cost, metric: infra.monthly, limit: 5 USD/month, warn: {min_delta: 1 USD/month}}\n"
    )
    one = file.budgets[0]
    assert (one.on_missing, one.min_samples, one.window) == ("carry", 7, 30)
    assert (one.warn.relative, one.warn.min_delta, one.block.relative, one.own_block) == (0.05, 1.0, 0.10, False)


def test_wildcards_match_without_regard_to_case() -> None:
    file = parse(
        f"{HEAD}budgets:\n- {{id: a, surface: ci, metric: pipeline.run, match: {{repo: 'acme/*', branch: release-?}}}}\n"
    )
    one = file.budgets[0]
    assert one.matches({"repo": "Acme/api", "branch": "release-1"})
    assert not one.matches({"repo": "acme/api", "branch": "release-10"})
    assert not one.matches({"branch": "release-1"})


@pytest.mark.parametrize("kind", list(EXAMPLES))
def test_examples_are_what_they_say(kind: str) -> None:
    assert parse_quantity(EXAMPLES[kind], kind).value > 0
    assert kind in {metric.kind for metric in METRICS.values()}


def test_quantities() -> None:
    assert parse_quantity("90s", "s").value == 90
    assert parse_quantity("1.5 h", "s").value == 5400
    assert parse_quantity("250ms", "s").value == Decimal("0.250")
    assert parse_quantity("2,000.50 USD/month", "money/month").value == Decimal("2000.50")
    assert parse_share("7.5%") == Decimal("0.075")
    for text in ("", "min", "-5min", "1e3 s", "15 min 30 s", "1,5min", "0,100s", "1,2345s", None, True):
        with pytest.raises(BadQuantity):
            parse_quantity(text, "s")

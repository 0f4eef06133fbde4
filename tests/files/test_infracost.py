"""Infracost documents: real ones against the oracle, nulls, errors and what follows the JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.base import Malformed
from connectors.files import sample
from connectors.infracost import InfracostFiles, read_infracost
from tests.files.reading import NOW, read

KIND = InfracostFiles()


def money(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def project(name: str = "p", past: str | None = "100", now: str | None = "112.50", **more: object) -> dict[str, object]:
    resources = [{"name": "r"}]
    return {
        "name": name, "metadata": {}, "pastBreakdown": {"resources": resources, "totalMonthlyCost": past},
        "breakdown": {"resources": resources, "totalMonthlyCost": now}, "diff": {"totalMonthlyCost": "12.50"},
        "summary": {}, **more,
    }  # fmt: skip


def document(*projects: dict[str, object], **more: object) -> str:
    return json.dumps({"version": "0.2", "currency": "USD", "projects": projects, **more})


def test_every_document_equals_the_oracle(contracts: Path) -> None:
    facts = json.loads((contracts / "facts.json").read_text())
    wanted = {name: fact for name, fact in facts.items() if name.startswith("infracost/")}
    assert len(wanted) == 6
    for name, fact in wanted.items():
        result = read_infracost((contracts / name).read_text(), name)
        assert result.currency == "USD"
        assert result.monthly_cost == money(fact["total"]), name
        assert len(result.projects) == fact["projects"]
        assert sum(bool(p.errors) for p in result.projects) == fact["projects_with_errors"]
        for read_now, (title, past, now, diff) in zip(result.projects, fact["per_project"], strict=True):
            assert read_now.name == title
            # Past 0 without a resource is a new project, now 0 with errors is unknown: both are null here.
            assert (read_now.past or 0, read_now.now or 0, read_now.diff) == (money(past), money(now), money(diff))
        if fact["unsupported"] is not None:
            assert sum(p.unsupported or 0 for p in result.projects) == fact["unsupported"]
            assert sum(p.unpriced or 0 for p in result.projects) == fact["no_price"]
        assert sum(p.resources for p in result.projects) == fact["resources"]


def test_rows_of_a_document_with_errors(contracts: Path) -> None:
    path = contracts / "infracost" / "breakdown_multi_project_with_error_output_json.json"
    assert KIND.recognises(sample(path))
    rows, rejects, problems = read(KIND, path)
    estimates = {str(row["project"]).rpartition("/")[2]: row for row in rows["cost_estimates"]}
    assert (estimates["us2-prod"]["monthly_cost"], estimates["us2-prod"]["errors"]) == (Decimal("742.64"), ())
    assert estimates["us1-dev"]["monthly_cost"] is None
    assert "Invalid block definition" in str(estimates["us1-dev"]["errors"])
    assert sum("its estimate is incomplete" in problem for problem in problems) == 2
    assert not rejects


def test_unsupported_resources_are_counted_beside_the_total(contracts: Path) -> None:
    path = contracts / "infracost" / "output_format_json.json"
    rows, _, problems = read(KIND, path)
    assert [row["unsupported"] for row in rows["cost_estimates"]] == [0, 2]
    assert any("leaves out 2 unsupported" in problem for problem in problems)


def test_the_time_of_the_document_or_of_the_file(contracts: Path, tmp_path: Path) -> None:
    rows, _, _ = read(KIND, contracts / "infracost" / "example_breakdown.json")
    assert str(rows["cost_estimates"][0]["at"]) == "2021-10-12 02:41:00.144866"
    path = tmp_path / "x.json"
    path.write_text(document(project(), timeGenerated="REPLACED_TIME"))
    assert read(KIND, path)[0]["cost_estimates"][0]["at"] <= NOW  # type: ignore[operator]


def test_null_amounts_stay_null() -> None:
    result = read_infracost(document(project(past=None, now=None)), "x")
    assert (result.past_monthly_cost, result.monthly_cost) == (None, None)


def test_amounts_are_exact() -> None:
    result = read_infracost(document(project(now="0.1"), project("q", now="1e-12"), project("r", now="0.2")), "x")
    assert result.monthly_cost == Decimal("0.300000000001")


def test_equal_names_are_told_apart() -> None:
    result = read_infracost(document(project("a"), project("a")), "x")
    assert [p.name for p in result.projects] == ["a", "a (2)"]


def test_a_total_that_disagrees_is_told() -> None:
    result = read_infracost(document(project(now="5"), totalMonthlyCost="7"), "x")
    assert "states a total of 7, its projects add up to 5" in result.problems[0]


def test_text_after_the_document_is_left_out_and_told(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text(document(project()) + "\nErr:\nwarning: something\n")
    rows, _, problems = read(KIND, path)
    assert rows["cost_estimates"][0]["monthly_cost"] == Decimal("112.50")
    assert problems == [f"{path}: text follows the JSON document and was left out (23 characters)"]


@pytest.mark.parametrize("text", ["", "{", document(project())[:-30], "[]", '{"version": "0.2"}'])
def test_broken_documents_are_refused(text: str) -> None:
    with pytest.raises(Malformed, match=r"x\.json: not "):
        read_infracost(text, "x.json")


@pytest.mark.parametrize("name", ["infracost/infracost.schema.json", "terraform/terraform_plan.json"])
def test_schemas_and_plans_are_not_claimed(name: str, contracts: Path) -> None:
    assert not KIND.recognises(sample(contracts / name))

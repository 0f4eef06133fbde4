"""JSON Schema of budgets.yaml, so that editors complete and check it; made from what the reader itself accepts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aether_tui.budgets.file import METRICS, BudgetSource
from aether_tui.budgets.quantity import EXAMPLES, NUMBER, units

FILE_NAME = "budgets.schema.json"
MODELINE = f"# yaml-language-server: $schema={FILE_NAME}"
"""First line of a budgets file, by which editors find the schema beside it."""
_SHARE = {"type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*%\s*$", "examples": ["10%"]}

Schema = dict[str, Any]


def shipped() -> bytes:
    """The schema as the package ships it: `budgets_schema`, written by docs/generate.py."""
    return Path(__file__).with_name(FILE_NAME).read_bytes()


def budgets_schema() -> Schema:
    """The schema: units and keys of `match` by metric included. What only the reader checks: ids, currencies, days."""
    schema = BudgetSource.model_json_schema()
    kinds = schema["$defs"]
    budget, threshold, waiver = kinds["_Budget"], kinds["_Threshold"], kinds["_Waiver"]
    budget["properties"]["metric"] = {"enum": list(METRICS)}
    budget["properties"]["limit"] = _quantity(*EXAMPLES)
    budget["allOf"] = [_of_metric(name) for name in METRICS]
    threshold["properties"] |= {"relative": _SHARE, "limit": _SHARE, "min_delta": _quantity(*EXAMPLES)}
    waiver["properties"]["raise_to"] = _quantity(*EXAMPLES)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Budgets of aether-tui"}


def _of_metric(name: str) -> Schema:
    metric = METRICS[name]
    return {
        "if": {"properties": {"metric": {"const": name}}, "required": ["metric"]},
        "then": {
            "properties": {
                "surface": {"const": metric.surface},
                "match": {"propertyNames": {"enum": list(metric.keys)}},
                "limit": _quantity(metric.kind),
            }
        },
    }


def _quantity(*kinds: str) -> Schema:
    patterns = sorted({_pattern(kind) for kind in kinds})
    return {"type": "string", "pattern": f"^({'|'.join(patterns)})$", "examples": [EXAMPLES[kind] for kind in kinds]}


def _pattern(kind: str) -> str:
    base, _, per = kind.partition("/")
    unit = "|".join(units(base))
    return rf"\s*{NUMBER}\s*({unit})\s*" + (rf"/\s*{per}\s*" if per else "")

"""A changed mapping, applied to what is stored, ends as a fresh load under that mapping would."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import pytest

from aether_tui.cache import Cache, rederive
from aether_tui.config import Config
from aether_tui.ingest import Ingest
from aether_tui.records import TABLES, Row
from aether_tui.sync.intake import Writer
from tests.cache.samples import NOW, dump, fresh, rows

KEY = bytes(32)
SCORES = {"scores": {"name 1*": ["value 0 é"], "name 2*": ["value 3 é"]}}
CHANGES = SCORES | {
    "states": {"to_state 1 é": "active", "state 2 é": "done", "from_state*": "wait"},
    "teams": {"source_team 1 é": "renamed", "o/a": "red", "a": "labelled"},
    "services": {"source_service 0 é": "one", "o/b": "two"},
    "features": {"project 3 é": "three", "source_service 1 é": "four"},
    "environments": {"source_environment 2 é": "staging", "1": "dev"},
    "span_attributes": {"feature": ["app.part", "k"], "scenario": ["in.side"]},
}
PRICE = {"model": "m1", "valid_from": "2026-01-01", "input_usd_per_million": "2", "output_usd_per_million": "8"}
FINE = PRICE | {"model": "m2", "input_usd_per_million": "0.0000001"}  # too fine for the table of rates
ATTRIBUTES = (
    '{"app.part":"search"}', '{"k":"ü","app":{"part":"nested"}}', r'{"app.part":"a \"b\" c"}', '{"in":{"side":1.50}}',
    '{"k":"first","k":"second"}', '{"app.part":"of jane@acme.example"}', "no JSON", None,
)  # fmt: skip


def writer(cache: Cache, changed: bool) -> Writer:
    config = Config.model_validate({"mapping": CHANGES, "prices": [PRICE, FINE]} if changed else {"mapping": SCORES})
    return Writer(cache, Ingest(config, KEY), lambda: NOW)


def load(one: Writer, data: dict[str, list[Row]]) -> None:
    full = {name: one.ingest.prepare(TABLES[name], part) for name, part in data.items()}
    one.cache.merge("s", "x", full, mapping_hash=one.ingest.mapping_hash, now=NOW)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_changed_mapping_ends_as_a_fresh_load(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = {
        name: [tuple(row[: len(table.raw)]) for row in rows(name, 40, seed)]
        for name, table in TABLES.items()
        if table.derived
    }
    place = [column.name for column in TABLES["spans"].raw].index("attributes")
    data["spans"] = [
        (*row[:place], attributes, *row[place + 1 :])
        for row, attributes in zip(data["spans"], cycle(ATTRIBUTES), strict=False)
    ]
    assert all(table.columns[: len(table.raw)] == table.raw for table in TABLES.values())
    changed, once = fresh(tmp_path, "changed"), fresh(tmp_path, "once")
    load(writer(changed, changed=False), data)
    load(writer(once, changed=True), data)
    monkeypatch.setattr(rederive, "SLICE_ROWS", 25)
    told = writer(changed, changed=True).open()
    assert told == [f"the mapping has changed: {40 * len(data)} rows derived again"]
    # Samples of requests go after 14 days whenever a cache is opened for writing; only one of the two was opened again.
    found, fresh_ = dump(changed, but=()), dump(once, but=())
    found["meta"] = [row for row in found["meta"] if "schema_version" in row]
    assert found == fresh_
    assert changed.verify() == []
    assert writer(changed, changed=True).open() == []

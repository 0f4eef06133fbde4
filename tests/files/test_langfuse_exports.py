"""Exports of Langfuse in every form it writes: scheduled ones into a bucket, and those of a table on its pages."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from aether_tui.cache import Cache
from aether_tui.config import Config
from aether_tui.ingest import Ingest
from aether_tui.records import Row, Value
from aether_tui.sync.intake import Writer
from aether_tui.sync.loading import load
from connectors.base import Malformed, Reject
from connectors.files import sample
from connectors.langfuse_files import LangfuseFiles
from connectors.sniff import why_not_data
from tests.files.reading import NOW, named, stored

KIND = LangfuseFiles()
START = datetime.fromisoformat("2026-10-05T08:00")
COUNT = 60
Rows = Mapping[str, Sequence[Mapping[str, Value]]]


def instant(second: float) -> str:
    return (START + timedelta(seconds=second)).isoformat(" ", "microseconds")


def observation(n: int) -> dict[str, object]:
    """One of six in a trace: a root, calls of a model, a tool; as `observations_v2/` has it."""
    trace, place = divmod(n, 6)
    call = place % 2 == 1
    return {
        "id": f"{n:016x}", "trace_id": f"{trace:032x}", "project_id": "p1", "environment": "production",
        "type": "SPAN" if not place else "GENERATION" if call else "TOOL",
        "parent_observation_id": f"{trace * 6:016x}" if place else "", "is_root_observation": not place,
        "start_time": instant(n), "end_time": instant(n + 0.5), "name": "answer" if call else "find",
        "metadata": {"feature": f"f{n % 3}", "attributes": '{"app.team":"search"}', "note": "line\nbreak, \"quoted\""},
        "level": "ERROR" if n % 10 == 1 else "DEFAULT", "status_message": "", "version": "",
        "input": json.dumps([{"role": "user", "content": f"canary {n}, \"please\""}]) if call else "canary of a tool",
        "output": "canary too" if call else "",
        "provided_model_name": "gpt-4o-mini" if call else "", "model_parameters": "{}",
        "usage_details": {"input": 100 + n, "output": 20, "input_cached_tokens": 30, "total": 150 + n} if call else {},
        "cost_details": {"input": 0.0001, "output": 0.0002, "total": 0.0003} if call else {},
        "completion_start_time": instant(n + 0.2) if call else None,
        "prompt_name": "greet" if call else "", "prompt_version": 3 if call else None,
        "total_cost": 0.0003 if call else 0, "latency": 500.0, "time_to_first_token": 200.0,
        "user_id": f"canary-user-{trace % 4}", "session_id": f"s{trace % 5}", "trace_name": "chat", "tags": ["a"],
        "bookmarked": False, "public": False,
    }  # fmt: skip


SAID = [observation(n) for n in range(COUNT)]


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def of_the_page(raw: Mapping[str, object]) -> dict[str, object]:
    """As the table of observations on Langfuse's pages writes it: other names, other instants, scores beside."""
    found = {camel(name): value for name, value in raw.items()}
    found["model"] = found.pop("providedModelName")
    for name in ("startTime", "endTime", "completionStartTime"):
        found[name] = f"{str(found[name]).replace(' ', 'T')[:23]}Z" if found[name] else None
    call = raw["type"] == "GENERATION"
    n = int(str(raw["id"]), 16)
    return found | {"inputUsage": 130 + n if call else 0, "outputUsage": 20 if call else 0, "helpfulness": [1]}


def as_lines(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def as_packed_lines(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))


def as_list(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    path.write_text(json.dumps(rows, indent=1))


def as_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow(
            "" if value is None else value if isinstance(value, str) else json.dumps(value) for value in row.values()
        )
    path.write_text(text.getvalue())


def as_parquet(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    lines = path.with_suffix(".made")
    as_lines(lines, rows)
    typed = (
        "CAST(start_time AS TIMESTAMP) AS start_time, CAST(end_time AS TIMESTAMP) AS end_time, "
        "CAST(completion_start_time AS TIMESTAMP) AS completion_start_time, "
        "from_json(usage_details, '\"MAP(VARCHAR, UBIGINT)\"') AS usage_details, "
        "from_json(cost_details, '\"MAP(VARCHAR, DECIMAL(18, 12))\"') AS cost_details, "
        "from_json(metadata, '\"MAP(VARCHAR, VARCHAR)\"') AS metadata"
    )
    json_columns = dict.fromkeys(("usage_details", "cost_details", "metadata"), "JSON")
    kinds = {name: json_columns.get(name, "BIGINT" if name == "prompt_version" else "VARCHAR") for name in rows[0]}
    kinds |= {"total_cost": "DOUBLE", "is_root_observation": "BOOLEAN"}
    with duckdb.connect() as connection:
        columns = ", ".join(f"{name}: '{kind}'" for name, kind in kinds.items())
        read = f"read_json('{lines}', format = 'newline_delimited', columns = {{{columns}}})"
        connection.execute(f"COPY (SELECT * REPLACE ({typed}) FROM {read}) TO '{path}' (FORMAT parquet)")
    lines.unlink()


Write = Callable[[Path, Sequence[Mapping[str, object]]], None]
FORMS: Mapping[str, Write] = {
    "a.jsonl": as_lines, "a.jsonl.gz": as_packed_lines, "a.json": as_list, "a.csv": as_csv, "a.parquet": as_parquet,
}  # fmt: skip


def read(path: Path) -> tuple[Rows, list[Reject], list[str]]:
    """All rows of a file by table, also those that the cache reads."""
    rows: dict[str, list[Row]] = {}
    rejects: list[Reject] = []
    problems: list[str] = []
    for page in KIND.pages([path], NOW):
        rejects += page.rejects
        problems += page.problems
        bulk = () if page.bulk is None else Cache(Path("unused")).read_bulk(page.bulk, 7, rejects)
        for part in (page.rows, *bulk):
            for table, some in part.items():
                rows.setdefault(table, []).extend(some)
    return {table: [named(table, row) for row in some] for table, some in rows.items()}, rejects, problems


def wanted(n: int) -> dict[str, object]:
    """What is to be read of an observation, said here once more in plain words."""
    trace, place = divmod(n, 6)
    call = place % 2 == 1
    return {
        "trace_id": f"{trace:032x}", "span_id": f"{n:016x}", "parent_id": f"{trace * 6:016x}" if place else None,
        "name": "answer" if call else "find", "operation": None if not place else "chat" if call else "execute_tool",
        "start": START + timedelta(seconds=n), "duration_s": 0.5,
        "time_to_first_token_s": 0.2 if call else None,
        "model": "gpt-4o-mini" if call else None,
        "input_tokens": 130 + n if call else None, "output_tokens": 20 if call else None,
        "cached_tokens": 30 if call else None,
        "reported_cost_usd": Decimal("0.0003") if call else None,
        "status": "error" if n % 10 == 1 else "unset",
        "conversation": f"s{trace % 5}", "user": f"canary-user-{trace % 4}", "source_environment": "production",
        "prompt_name": "greet" if call else None, "prompt_version": "3" if call else None,
    }  # fmt: skip


@pytest.mark.parametrize("page", [False, True], ids=["bucket", "page"])
@pytest.mark.parametrize("name", FORMS)
def test_every_form_reads_as_written(name: str, page: bool, tmp_path: Path) -> None:
    if page and name == "a.parquet":
        return  # its pages write CSV and JSON
    path = tmp_path / name
    FORMS[name](path, [of_the_page(one) for one in SAID] if page else SAID)
    assert KIND.recognises(sample(path))
    rows, rejects, problems = read(path)
    assert not rejects and not problems
    assert len(rows["spans"]) == COUNT
    for n, span in enumerate(rows["spans"]):
        expected = wanted(n)
        assert {key: span[key] for key in expected} == expected, n
        attributes = json.loads(str(span["attributes"]))
        assert attributes["feature"] == f"f{n % 3}"
        assert attributes["app.team"] == "search"
        assert attributes["langfuse.trace.name"] == "chat"
        assert (span["request_hash"] is None) == (n % 2 == 0)
    kept = stored(rows["spans"])
    assert "canary" not in kept


def score(n: int) -> dict[str, object]:
    """One of four kinds, of a trace or an observation; as `scores/` has it."""
    kind = ("NUMERIC", "BOOLEAN", "CATEGORICAL", "TEXT")[n % 4]
    return {
        "id": f"score-{n}", "timestamp": instant(n), "project_id": "p1", "environment": "production",
        "trace_id": f"{n // 6:032x}", "observation_id": f"{n:016x}" if n % 3 == 0 else None, "session_id": None,
        "dataset_run_id": None, "name": f"kind {kind}", "value": {"NUMERIC": 0.75, "BOOLEAN": n % 8 // 4}.get(kind, 0),
        "source": "API", "comment": "canary: she is ill", "data_type": kind,
        "string_value": {"CATEGORICAL": "good", "TEXT": "canary of a text"}.get(kind),
        "created_at": instant(n), "updated_at": instant(n + 60),
    }  # fmt: skip


@pytest.mark.parametrize("page", [False, True], ids=["bucket", "page"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv"])
def test_scores_are_values_and_no_words(name: str, page: bool, tmp_path: Path) -> None:
    said = [score(n) for n in range(16)]
    path = tmp_path / name
    FORMS[name](path, [{camel(key): value for key, value in one.items()} for one in said] if page else said)
    assert KIND.recognises(sample(path))
    rows, rejects, _ = read(path)
    assert not rejects
    wanted = {"NUMERIC": ["0.75"] * 4, "BOOLEAN": ["false", "true"] * 2, "CATEGORICAL": ["good"] * 4}
    found = {kind: [one["value"] for one in rows["outcomes"] if one["name"] == f"kind {kind}"] for kind in wanted}
    assert found == wanted
    assert len(rows["outcomes"]) == 12
    first = rows["outcomes"][0]
    assert (first["trace_id"], first["span_id"], first["at"], first["updated"]) == (
        f"{0:032x}", f"{0:016x}", START, START + timedelta(seconds=60),
    )  # fmt: skip
    assert "canary" not in repr(rows)


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.parquet"])
def test_a_row_that_cannot_be_read_is_told_without_its_words(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    broken = {**observation(1), "start_time": None if name == "a.parquet" else "canary of a time"}
    FORMS[name](path, [*SAID[:5], broken, {**observation(2), "id": None}, *SAID[6:9]])
    if name == "a.jsonl":
        with path.open("a") as file:
            file.write('{"id": "cut", "input": "canary of a line\n')
    rows, rejects, _ = read(path)
    assert len(rows["spans"]) == 8
    assert len(rejects) == 2 + (name == "a.jsonl")
    assert "canary" not in repr([(one.raw, one.where) for one in rejects])
    assert all("startTime" in one.reason or "missing" in one.reason or "not JSON" in one.reason for one in rejects)
    told = " ".join(one.where for one in rejects)
    assert ("row 6" in told or "item 6" in told) and ("row 7" in told or "item 7" in told)


def test_what_is_no_export_is_said(tmp_path: Path) -> None:
    traces = tmp_path / "traces.jsonl"
    columns = ("id", "timestamp", "name", "environment", "user_id", "public", "bookmarked", "tags", "input")
    as_lines(traces, [dict.fromkeys(columns, "canary")])
    assert not KIND.recognises(sample(traces))
    assert "load its observations" in why_not_data(sample(traces))
    cut = tmp_path / "cut.json"
    cut.write_text(json.dumps(SAID)[:-40])
    with pytest.raises(Malformed, match=r"cut\.json: item 60 of its list: not JSON"):
        read(cut)
    slashed = tmp_path / "slashed.csv"
    slashed.write_text(
        "id,trace_id,start_time,type,parent_observation_id,name\n" + 'a,b,2026-10-05,SPAN,,"a \\"b\\" c"\n'
    )
    with pytest.raises(Malformed, match="backslashes") as raised:
        read(slashed)
    assert "JSON lines" in raised.value.hint


def test_an_export_is_loaded_as_one_with_what_the_service_sent(tmp_path: Path) -> None:
    """A bucket with windows that share a boundary, loaded in any order and again, is each row once."""
    writer = Writer(Cache(tmp_path / "cache.duckdb"), Ingest(Config(), bytes(32)), lambda: NOW.replace(tzinfo=UTC))
    writer.open()
    as_packed_lines(tmp_path / "2.jsonl.gz", SAID[30:])
    as_parquet(tmp_path / "1.parquet", SAID[:31])
    as_csv(tmp_path / "scores.csv", [score(n) for n in range(16)])
    for _ in range(2):
        loaded = load([tmp_path], kinds=[KIND], writer=writer, now=NOW.replace(tzinfo=UTC))
        assert [one.error for one in loaded if not one.skipped] == ["", "", ""]
    with writer.cache.read() as lease:
        spans, cost = lease.cursor.execute("SELECT count(*), sum(cost_usd) FROM spans").fetchone() or (0, 0)
        outcomes = lease.cursor.execute("SELECT count(*) FROM outcomes").fetchone()
        names = [name for (name,) in lease.cursor.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        texts = repr([lease.cursor.execute(f'SELECT * FROM "{name}"').fetchall() for name in names])
    assert (spans, cost, outcomes) == (COUNT, Decimal("0.0003") * 30, (12,))
    assert "canary" not in texts

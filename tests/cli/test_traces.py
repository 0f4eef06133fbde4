"""`traces` and `trace`: what is listed, what one trace shows, and what hostile or broken traces do."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from aether_tui.cache import Cache
from aether_tui.cli import main
from aether_tui.diagnostics.explorer import Cancelled, Explorer
from aether_tui.diagnostics.frame import Clock, Filters
from aether_tui.diagnostics.trace_report import DRAWN, bar
from aether_tui.errors import ConfigurationError
from aether_tui.records import Row, Value
from aether_tui.records.tables import SPAN_PAYLOADS, SPANS
from aether_tui.workspace.folder import Workspace
from tests.cache.samples import full

pytestmark = pytest.mark.xdist_group("traces")  # its world is made once


class Done(NamedTuple):
    status: int
    out: str
    err: str


def run(*arguments: str) -> Done:
    """The command line in this process: thirty of its own would take a quarter of a minute."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as left:
        main(list(arguments))
    return Done(int(str(left.value.code or 0)), out.getvalue(), err.getvalue())


NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
START = datetime(2026, 11, 20, 8)  # noqa: DTZ001 - instants in rows are naive UTC
AS_OF = "2026-11-21T12:00:00Z"


def row(trace: str, span: str, parent: str | None = None, at: float = 0.0, **more: Value) -> Row:
    values: dict[str, Value] = {"duration_s": 1.0, "status": "ok", "environment": "production", **more}
    return full(SPANS, trace_id=trace, span_id=span, parent_id=parent, start=START + timedelta(seconds=at), **values)


def call(trace: str, span: str, parent: str | None, at: float, **more: Value) -> Row:
    told: dict[str, Value] = {"operation": "chat", "model": "m1", "name": "chat m1", **more}
    return row(trace, span, parent, at, **told)


def rows() -> Iterator[Row]:
    """t1 repeats itself and fails, t2 is dear, t3 is odd, t4 comes from a stranger."""
    yield row(
        "t1",
        "r",
        None,
        0,
        duration_s=10.0,
        name="agent",
        feature="search",
        status="error",
        error_type="Timeout",
        outcome="failure",
    )
    plans = ('{"app.plan":"gold"}', '{"app.plan":"free","other":{"app.plan":1}}')
    for number in range(4):
        yield call(
            "t1",
            f"c{number}",
            "r",
            1 + number,
            input_tokens=100,
            output_tokens=10,
            request_hash="same",
            duration_s=0.5,
            attributes=plans[number // 3],
        )
    yield row(
        "t2", "r", None, 60, duration_s=2.0, name="agent", feature="orders", outcome="success", task_cluster="refund"
    )
    yield call("t2", "c", "r", 60.5, input_tokens=9_000, output_tokens=1_000, cost_usd=1.5, attributes=plans[0])
    yield call("t3", "a", "b", 100)
    yield call("t3", "b", "a", 101)
    yield call("t3", "early", "a", 99.5)
    yield call("t3", "lost", "gone", 102)
    yield row(
        "t4", "x", None, 200, name="\x1b]52;c;eA==\x07[red]Prüfung 你好 \u202eevil", feature="[@click=app.quit]x[/]"
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("traces")
    (root / "aether.toml").write_text("")
    workspace = Workspace(root)
    workspace.cache_path.parent.mkdir(exist_ok=True)
    said = [full(SPAN_PAYLOADS, trace_id="t2", span_id="c", start=START, prompt="user: [email:12345678] wants a refund",
                 completion="fine\x1b[2J", redactions='{"email": 1}')]  # fmt: skip
    cache = Cache(workspace.cache_path)
    cache.ensure()
    cache.merge("s", "spans", {"spans": list(rows()), "span_payloads": said}, mapping_hash="", now=NOW)
    return workspace


def listed(place: Workspace, *words: str) -> list[str]:
    done = run("-w", str(place.root), "--as-of", AS_OF, "traces", "--format", "json", *words)
    assert done.status == 0, done.err
    return [item["trace_id"] for item in json.loads(done.out)["traces"]]


def test_the_list_is_sorted_filtered_and_cut(place: Workspace) -> None:
    assert listed(place) == ["t4", "t3", "t2", "t1"]
    assert listed(place, "--sort", "cost", "--limit", "1") == ["t2"]
    assert listed(place, "--sort", "turns")[:2] in (["t3", "t1"], ["t1", "t3"])
    assert listed(place, "--failed") == ["t1"]
    assert listed(place, "feature=orders") == ["t2"]
    assert listed(place, "tokens>400", "m1", "--sort", "duration", "--ascending") == ["t2", "t1"]
    assert listed(place, "--since", "2026-11-20T08:01:30") == ["t4", "t3"]
    assert listed(place, "--search", "TIMEOUT") == ["t1"]
    assert listed(place, "--search", "wants a refund") == ["t2"]
    assert listed(place, "--search", "nowhere") == []


def test_traces_are_grouped_by_any_attribute(place: Workspace) -> None:
    def grouped(name: str) -> dict[str | None, tuple[int, int]]:
        done = run("-w", str(place.root), "--as-of", AS_OF, "traces", "--by", name, "--format", "json")
        assert done.status == 0, done.err
        return {one["shared"]: (one["n"], one["failed"]) for one in json.loads(done.out)["groups"]}

    assert grouped("feature") == {"search": (1, 1), "orders": (1, 0), "[@click=app.quit]x[/]": (1, 0), None: (1, 0)}
    assert grouped("cluster") == {"refund": (1, 0), None: (3, 1)}
    assert grouped("app.plan") == {"gold": (2, 1), None: (2, 0)}  # the first span that says it
    assert grouped("nowhere.at.all") == {None: (4, 1)}
    done = run("-w", str(place.root), "--as-of", AS_OF, "traces", "--by", "feature")
    assert "\x1b" not in done.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--by", 'x"y'), "is no attribute"),
        (("--sort", "beauty"), "no column 'beauty'"),
        (("cost>much",), "'much' is not a number"),
        (("--search", " "), "empty"),
    ],
)
def test_what_cannot_be_asked_is_said(place: Workspace, words: tuple[str, ...], told: str) -> None:
    done = run("-w", str(place.root), "--as-of", AS_OF, "traces", *words)
    assert done.status == 2
    assert told in done.err
    assert done.out == ""


def trace(place: Workspace, *words: str) -> dict[str, object]:
    done = run("-w", str(place.root), "--as-of", AS_OF, "trace", "--format", "json", *words)
    assert done.status == 0, done.err
    found = json.loads(done.out)["data"]
    assert isinstance(found, dict)
    return found


def test_one_trace(place: Workspace) -> None:
    found = trace(place, "t1")
    assert (found["spans"], found["duration_s"], found["turns"], found["tokens"]) == (5, 10.0, 4, 440)
    assert found["marks"] == {"repeat": 3, "loop": 4}
    assert found["serial_share"] == 1.0
    assert trace(place, "t3")["marks"] == {"cycle": 1, "orphan": 1, "skew": 1}
    assert (trace(place, "t3")["without_tokens"], trace(place, "t3")["unpriced_calls"]) == (4, 4)


def test_two_traces_step_by_step(place: Workspace) -> None:
    steps = trace(place, "t1", "--with", "t2")["steps"]
    assert isinstance(steps, dict)
    assert [(one["n"], one["tokens"]) for one in steps["chat m1"]] == [(4, 440), (1, 10_000)]


def test_a_trace_that_is_not_there(place: Workspace) -> None:
    done = run("-w", str(place.root), "trace", "\x1b[31mno")
    assert done.status == 3
    assert "\x1b" not in done.err


@pytest.mark.parametrize("form", ["text", "md"])
def test_names_from_strangers_are_text(place: Workspace, form: str) -> None:
    done = run("-w", str(place.root), "--as-of", AS_OF, "trace", "t4", "--format", form)
    assert done.status == 0
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out
    assert "Prüfung 你好" in done.out
    assert "\x1b" not in run("-w", str(place.root), "--as-of", AS_OF, "traces").out


def test_what_was_said_is_shown_on_demand_and_noted_without_its_text(place: Workspace) -> None:
    done = run("-w", str(place.root), "--as-of", AS_OF, "trace", "t2", "--reveal", "c")
    assert done.out == "PROMPT\nuser: [email:12345678] wants a refund\n\nCOMPLETION\nfine\n\n"
    (line,) = (place.state / "audit.jsonl").read_text().splitlines()
    assert json.loads(line) == {"at": "2026-11-21T12:00:00+00:00", "trace": "t2", "span": "c"}
    assert (place.state / "audit.jsonl").stat().st_mode & 0o777 == 0o600
    assert run("-w", str(place.root), "trace", "t1", "--reveal", "r").status == 3
    assert len((place.state / "audit.jsonl").read_text().splitlines()) == 1


def test_a_search_can_be_stopped_and_keeps_what_it_found(place: Workspace) -> None:
    explorer = Explorer(Cache(place.cache_path))
    clock = Clock.of(NOW, "28d")
    assert explorer.open(clock, Filters()) == 4
    found = []
    with pytest.raises((Cancelled, duckdb.InterruptException)):
        for _, number in explorer.search("refund", clock):
            found.append(number)
            if number:
                explorer.interrupt()
    assert found[-1] == 1
    assert len(found) < 29
    assert explorer.order(searched=True) == 1
    assert [row["trace_id"] for row in explorer.page(0, 9)] == ["t2"]
    with pytest.raises(ConfigurationError):
        explorer.order("start; DROP TABLE x")
    explorer.close()


def test_a_hundred_thousand_spans_in_one_trace_are_cut(tmp_path: Path) -> None:
    (tmp_path / "aether.toml").write_text("")
    place = Workspace(tmp_path)
    place.cache_path.parent.mkdir(exist_ok=True)
    cache = Cache(place.cache_path)
    cache.ensure()
    cache.merge("s", "spans", {"spans": [row("big", "r", None, 0, duration_s=5.0)]}, mapping_hash="h", now=NOW)
    with cache._write() as connection:
        connection.execute(
            "INSERT INTO spans BY NAME SELECT 's' AS source, 'big' AS trace_id, 'x' || i AS span_id, 'r' AS parent_id, "
            f"TIMESTAMP '{START}' + to_milliseconds(i % 5000) AS start, 0.0 AS duration_s, 'n' AS name, "
            "CASE WHEN i = 99999 THEN 'error' END AS status FROM range(100000) t(i)"
        )
    found = trace(place, "big")
    assert found["spans"] == 100_001
    assert isinstance(nodes := found["nodes"], list)
    assert len(nodes) == DRAWN
    assert isinstance(failed := found["failed_beyond"], list)
    assert [node["span"]["span_id"] for node in failed] == ["x99999"], "what failed is shown, however far down"


@pytest.mark.parametrize(
    ("offset", "duration", "whole", "want"),
    [(0, 10, 10, "██████████"), (5, 5, 10, "·····█████"), (9.9, 0.01, 10, "·········▏"), (3, None, 10, "···▏······"),
     (0, 0, 0, "▏·········"), (2, 99, 10, "··████████"), (-1, 1, 10, "█·········")],
)  # fmt: skip
def test_bars_stand_on_the_time_axis(offset: float, duration: float | None, whole: float, want: str) -> None:
    assert bar(offset, duration, whole, 10) == want

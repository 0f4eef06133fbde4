"""What broken, hostile and odd traces and requests do on their way from a file to a tree, a list and a taxonomy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_taxonomy import texts
from tests.cli.test_traces import AS_OF, run

pytestmark = pytest.mark.xdist_group("bad_traces")  # its world is made once

T0 = 1_795_000_000 * 10**9  # 2026-11-18


def span(
    trace: int, number: int, parent: int = 0, *, at: float = 0.0, lasts: float = 1.0, **attributes: object
) -> dict[str, object]:
    begin = T0 + trace * 10**11 + int(at * 1e9)
    told = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4.1-mini", **attributes}
    return {
        "traceId": f"{trace:032x}", "spanId": f"{number:016x}", "name": str(told.pop("name", "chat")),
        **({"parentSpanId": f"{parent:016x}"} if parent else {}),
        "startTimeUnixNano": str(begin), "endTimeUnixNano": str(begin + int(lasts * 1e9)),
        "attributes": [
            {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": str(value)}}
            for key, value in told.items()
        ],
    }  # fmt: skip


TOKENS = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 10}


def spans() -> Iterator[dict[str, object]]:
    yield span(1, 1, 77, **TOKENS)  # an orphan
    yield span(2, 1, 2)  # a circle
    yield span(2, 2, 1, at=1)
    yield span(3, 1)  # a child before its parent
    yield span(3, 2, 1, at=-2)
    yield span(4, 1)  # an id twice, with other words: one row of the cache
    yield span(4, 1, at=5)
    yield span(6, 1)  # no tokens
    yield span(7, 1, **TOKENS, **{"gen_ai.request.model": "model-nobody-sells"})
    yield span(8, 1, name="\x1b]52;c;eA==\x07\x1b[2Jwipe", **{"gen_ai.input.messages": "a\x1b[31mred\x1b]8;;x\x07"})
    yield span(9, 1, **{"gen_ai.input.messages": "α" * (2 << 20)})
    yield span(
        10, 1, name="Prüfung 你好 مرحبا \u202egnp.eciovni", **{"gen_ai.input.messages": "Wo ist 我的包裹 \u202eevil?"}
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bad")
    (root / "aether.toml").write_text("[privacy]\nkeep_payloads = true\n")
    (root / "bad.json").write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans())}]}]}))
    done = run("-w", str(root), "--as-of", AS_OF, "load", str(root / "bad.json"), "--format", "json")
    assert done.status == 0, done.err
    return root


def trace(place: Path, number: int) -> tuple[dict[str, object], str]:
    """The trace as JSON, and as a person reads it."""
    asked = ("-w", str(place), "--as-of", AS_OF, "trace", f"{number:032x}")
    done, shown = run(*asked, "--format", "json"), run(*asked)
    assert (done.status, shown.status) == (0, 0), done.err
    assert not {"\x1b", "\u202e", "\x07"} & set(shown.out)
    return json.loads(done.out)["data"], shown.out


@pytest.mark.parametrize(
    ("number", "field", "want", "told"),
    [
        pytest.param(1, "marks", {"orphan": 1}, "parent that is not here", id="orphan"),
        pytest.param(2, "marks", {"cycle": 1}, "parents in a circle", id="cycle"),
        pytest.param(3, "marks", {"skew": 1}, "beginning before the parent", id="clock-skew"),
        pytest.param(4, "spans", 1, "1 span over", id="duplicate-id"),
        pytest.param(6, "without_tokens", 1, "without token counts", id="missing-tokens"),
        pytest.param(7, "unpriced_calls", 1, "without a known cost", id="unknown-model"),
        pytest.param(8, "spans", 1, "wipe", id="control-sequences"),
        pytest.param(9, "spans", 1, "¶ kept", id="two-megabytes"),
        pytest.param(10, "spans", 1, "Prüfung 你好 مرحبا", id="mixed-languages"),
    ],
)
def test_odd_traces_are_shown_and_say_what_is_odd(
    place: Path, number: int, field: str, want: object, told: str
) -> None:
    data, shown = trace(place, number)
    assert data[field] == want
    assert told.casefold() in " ".join(shown.casefold().split())


def test_the_list_and_the_report_hold_every_one_of_them(place: Path) -> None:
    listed = run("-w", str(place), "--as-of", AS_OF, "traces", "--format", "json")
    assert len(json.loads(listed.out)["traces"]) == 9
    out = place / "traces.md"
    assert run("-w", str(place), "--as-of", AS_OF, "report", "traces", "--format", "md", "-o", str(out)).status == 0
    assert not {"\x1b", "\u202e"} & set(out.read_text())


@pytest.mark.parametrize(
    ("lines", "k", "size", "told"),
    [
        pytest.param(["where is my parcel"] * 300, 1, 300, "1 distinct", id="all-identical"),
        pytest.param(texts()[:50], None, 50, "only 50 texts: a first guess; 200 to 500 make a taxonomy", id="fewer-than-200"),
        pytest.param(["Wo ist mein Paket", "我的包裹在哪里", "أين طردي", "Où est mon colis"] * 60, None, 240, "", id="mixed-languages"),
        pytest.param([*texts(), "x" * (2 << 20)], None, 57, "", id="two-megabytes"),
        pytest.param([*texts(), "\x1b]52;c;eA==\x07money back \x1b[2J"], None, 57, "", id="control-sequences"),
    ],
)  # fmt: skip
def test_odd_requests_still_make_a_taxonomy(
    tmp_path: Path, lines: list[str], k: int | None, size: int, told: str
) -> None:
    asked = tmp_path / "asked.jsonl"
    asked.write_text("\n".join(json.dumps({"text": line}) for line in lines), encoding="utf-8")
    (tmp_path / "aether.toml").write_text("")
    done = run("-w", str(tmp_path), "taxonomy", "build", str(asked), "--dry-run", "--format", "json")
    assert done.status == 0, done.err
    made = json.loads(done.out)
    assert k is None or made["k"] == k
    assert sum(category["size"] for category in made["categories"]) == size
    assert told in done.err + f"{made['distinct']} distinct"
    assert "\x1b" not in done.out + done.err

"""`taxonomy`: built from a file, given to requests as they come, mended, built again."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from aether_tui.cache import Cache
from aether_tui.cli import main
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.taxonomies import active
from benchmarks import taxonomy as benchmark
from tests.command import Done, aether

THINGS = (
    "shoes",
    "boots",
    "lamp",
    "mug",
    "jacket",
    "tent",
    "bottle",
    "table",
    "chair",
    "watch",
    "phone",
    "bag",
    "hat",
    "ring",
)
ASKS = {
    "refund": "I want my money back for the {}", "track": "where is the parcel with the {}",
    "login": "cannot sign in to my account to see the {}", "size": "does the {} run small or large",
}  # fmt: skip


def run(*arguments: str) -> Done:
    """The command in this process; starting it anew each time would be most of the test."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as left:
        main(list(arguments))
    return Done(int(left.value.code or 0), out.getvalue(), err.getvalue())


def texts(*kinds: str) -> list[str]:
    return [ASKS[kind].format(thing) for kind in kinds or ASKS for thing in THINGS]


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    (tmp_path / "aether.toml").write_text("")
    (tmp_path / "asked.txt").write_text("\n".join(texts()), encoding="utf-8")
    return Workspace(tmp_path)


def call(place: Workspace, *arguments: str, expected: int = 0) -> str:
    done = run("-w", str(place.root), "--as-of", "2026-11-21T12:00Z", *arguments)
    assert done.code == expected, done.err
    return done.out


def built(place: Workspace, *arguments: str) -> dict:
    return json.loads(call(place, "taxonomy", "build", str(place.root / "asked.txt"), "--format", "json", *arguments))


def of(found: dict, kind: str) -> str:
    """The category that most texts of a kind were given."""
    start = list(ASKS).index(kind) * len(THINGS)
    given = [found["assignments"][start + i]["category"] for i in range(len(THINGS))]
    return max(set(given), key=given.count)


def test_a_csv_of_public_intents_without_a_workspace(tmp_path, contracts):
    intents = benchmark.read(contracts / "requests" / "clinc_oos_data_full.json.xz")
    asked, truth = benchmark.draw(intents, 2)
    lines = ["id,text", *(f'{n},"{text}"' for n, text in enumerate(asked))]
    (tmp_path / "asked.csv").write_text("\n".join(lines))
    answers = [
        aether("taxonomy", "build", "asked.csv", "--column", "text", "-k", "12", "--format", "json", cwd=tmp_path)
        for _ in range(2)
    ]
    assert answers[0].out == answers[1].out
    found = json.loads(answers[0].out)
    assert found["k"] == len(found["categories"]) == 12
    assert [item["row"] for item in found["assignments"]] == list(range(400))
    assert sum(one["size"] for one in found["categories"]) == 400
    assert sum(one["share"] for one in found["categories"]) == pytest.approx(1)
    numbers = np.unique([item["category"] for item in found["assignments"]], return_inverse=True)[1]
    assert benchmark.mutual_information(numbers, truth) >= 0.75
    assert not list(tmp_path.glob("**/TAX-*"))


def test_categories_are_redacted_and_few_texts_are_told(place):
    secret = "refund to card 4111 1111 1111 1111 of jane.doe@example.com"
    (place.root / "asked.txt").write_text("\n".join([*texts(), secret, "", "refund \x1b[31m\u202e"]), encoding="utf-8")
    done = run("-w", str(place.root), "taxonomy", "build", str(place.root / "asked.txt"), "--format", "json")
    found = json.loads(done.out)
    assert "only 58 texts: a first guess" in done.err
    blank = found["assignments"][len(texts()) + 1]
    assert blank["category"] is None
    kept = (place.engagement / "taxonomy" / "TAX-1.yaml").read_text()
    model = (place.engagement / "taxonomy" / "TAX-1.model.json").read_text()
    for leak in ("4111 1111", "jane.doe", "\x1b", "\u202e"):
        assert leak not in done.out + kept + model
    assert "money" not in model


def test_identical_and_wordless_texts(place):
    (place.root / "asked.txt").write_text("same\n" * 300)
    found = built(place)
    assert (found["k"], found["distinct"], found["texts"]) == (1, 1, 300)
    (place.root / "asked.txt").write_text("\n\n  \n")
    done = run("-w", str(place.root), "taxonomy", "build", str(place.root / "asked.txt"))
    assert done.code == 3
    assert len(done.err.splitlines()) == 1


def test_a_text_of_two_megabytes(place):
    (place.root / "asked.csv").write_text("text\n" + "\n".join([*texts(), "refund " + "a" * 2_000_000]))
    done = run("-w", str(place.root), "taxonomy", "build", str(place.root / "asked.csv"), "--format", "json")
    assert json.loads(done.out)["texts"] == 57, done.err


def test_edits_survive_being_built_again(place):
    first = built(place, "-k", "4")
    refund, track, login, size = (of(first, kind) for kind in ASKS)
    assert len({refund, track, login, size}) == 4
    call(place, "taxonomy", "rename", refund, "Money back")
    call(place, "taxonomy", "merge", track, login)
    call(place, "taxonomy", "move", "does the tent run small or large", refund)
    again = built(place, "-k", "4")
    assert again["taxonomy"] == "TAX-2"
    now = active(place)
    assert now is not None
    labels = {one.id: one.label for one in now.categories}
    assert labels[refund] == "Money back"
    assert of(again, "track") == of(again, "login") == login
    assert again["assignments"][3 * len(THINGS) + THINGS.index("tent")]["category"] == refund
    assert now.labels()[track] == labels[login]  # history counts where it went
    assert of(again, "size") == size


def test_a_split_applies_forward_and_earlier_requests_keep_their_category(place):
    found = built(place, "-k", "4")
    refund = of(found, "refund")
    call(place, "taxonomy", "merge", of(found, "size"), refund)
    before = active(place)
    assert before is not None
    label = next(one.label for one in before.categories if one.id == refund)
    call(place, "taxonomy", "split", refund)
    now = active(place)
    assert now is not None
    assert refund not in {one.id for one in now.categories}
    assert now.labels()[refund] == label
    assert [one.parents for one in now.categories if one.parents] == [[refund], [refund]]
    assigned = json.loads(call(place, "taxonomy", "assign", str(place.root / "asked.txt"), "--format", "json"))
    assert of(assigned, "refund") != of(assigned, "size")
    call(place, "taxonomy", "split", "c99", expected=3)


def test_versions_are_matched_so_that_ids_keep_their_meaning(place):
    first = built(place, "-k", "4")
    (place.root / "asked.txt").write_text("\n".join(reversed(texts())), encoding="utf-8")
    again = built(place, "-k", "4")["assignments"][::-1]
    assert [item["category"] for item in again] == [item["category"] for item in first["assignments"]]


def test_other_requests_are_drift_and_known_ones_are_not(place, contracts):
    intents = benchmark.read(contracts / "requests" / "clinc_oos_data_full.json.xz")
    known, new = sorted(intents)[:10], sorted(intents)[60:70]
    asked = [text for name in known for text in intents[name][:40]]
    (place.root / "asked.txt").write_text("\n".join(asked))
    built(place)
    drift = {}
    for kind, names in (("known", known), ("new", new)):
        path = place.root / f"{kind}.txt"
        path.write_text("\n".join(text for name in names for text in intents[name][40:70]))
        drift[kind] = json.loads(call(place, "taxonomy", "assign", str(path), "--format", "json"))
    assert not drift["known"]["drift"]
    assert drift["new"]["drift"]
    assert 0.03 <= drift["known"]["unsure"] / 300 <= 0.2


def spans(place: Workspace, asked: list[str]) -> Path:
    path = place.root / "traces.jsonl"
    lines = []
    for number, text in enumerate(asked, 1):
        messages = [{"role": "system", "content": "You help."}, {"role": "user", "content": text}]
        attributes = [
            {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
            {"key": "gen_ai.input.messages", "value": {"stringValue": json.dumps(messages)}},
        ]
        span = {
            "traceId": f"{number:032x}", "spanId": f"{number:016x}", "name": "chat", "startTimeUnixNano": "1795168800000000000",
            "endTimeUnixNano": "1795168801000000000", "attributes": attributes,
        }  # fmt: skip
        lines.append(json.dumps({"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": [span]}]}]}))
    path.write_text("\n".join(lines))
    return path


def clusters(place: Workspace) -> list[tuple[str, str]]:
    with Cache(place.cache_path).read() as lease:
        rows = lease.rows("SELECT trace_id, request, task_cluster FROM spans ORDER BY trace_id")
        tasks = lease.rows("SELECT task_cluster FROM tasks ORDER BY trace_id")
    assert [row["task_cluster"] for row in rows] == [row["task_cluster"] for row in tasks]
    return [(row["request"], row["task_cluster"]) for row in rows]


def test_requests_are_assigned_as_they_come_and_their_text_is_dropped(place):
    found = built(place, "-k", "4")
    asked = ["money back for the sofa please", "which parcel has the sofa, where is it"]
    call(place, "load", str(spans(place, asked)))
    (refund, label), (track, _) = clusters(place)
    assert refund.split()[0] == of(found, "refund")
    assert track.split()[0] == of(found, "track")
    assert refund.endswith(" TAX-1")
    assert label == next(one["label"] for one in found["categories"] if one["id"] == of(found, "refund"))
    for file in place.hidden.rglob("*"):
        assert not file.is_file() or b"sofa" not in file.read_bytes(), file
    call(place, "taxonomy", "rename", of(found, "refund"), "Money back")
    call(place, "load", str(spans(place, asked)))
    assert clusters(place)[0][1] == "Money back"  # derived again, without the text


def test_without_a_taxonomy_or_its_model_nothing_is_assigned(place):
    path = spans(place, ["money back"])
    call(place, "load", str(path))
    assert clusters(place) == [(None, None)]
    built(place, "-k", "4")
    (place.engagement / "taxonomy" / "TAX-1.model.json").unlink()
    done = run("-w", str(place.root), "load", str(path))
    assert done.code == 0
    assert "requests are not assigned to categories" in done.err


def test_a_sample_is_shown_kept_redacted_and_gone_after_fourteen_days(place):
    path = spans(place, [*texts(), "call me at jane.doe@example.com"])
    done = run(
        "-w", str(place.root), "--as-of", "2026-11-21T12:00Z", "taxonomy", "sample", str(path), "-n", "40", "--yes"
    )
    assert done.code == 0, done.err
    assert "40 redacted requests would be kept" in done.err
    again = run(
        "-w", str(place.root), "--as-of", "2026-11-21T12:00Z", "taxonomy", "sample", str(path), "-n", "40", "--yes"
    )
    assert "0 kept" in again.err  # the same seed draws the same
    found = json.loads(call(place, "taxonomy", "build", "--format", "json"))
    assert found["texts"] == 40
    call(place, "load", "--as", "requests", str(place.root / "asked.txt"))
    assert json.loads(call(place, "taxonomy", "build", "--dry-run", "--format", "json"))["texts"] in {56, 57}
    late = run("-w", str(place.root), "--as-of", "2026-12-07T12:00Z", "load", str(path))
    assert late.code == 0, late.err
    with Cache(place.cache_path).read() as lease:
        assert lease.rows("SELECT count(*) AS n FROM requests") == [{"n": 0}]


def test_a_sample_is_drawn_from_every_stratum_as_many_as_its_share_is(place):
    """600, 270 and 30 requests in three channels, one of them asked 300 times: 100 are 67, 30 and 3 (place − ½ over size)."""
    sizes = {"chat": 300, "mail": 270, "phone": 30}
    rows = [
        {"question": f"{name} asks for thing {n}", "channel": name} for name, size in sizes.items() for n in range(size)
    ]
    rows += [{"question": "chat asks for thing 1", "channel": "chat"}] * 300
    path = place.root / "asked.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    words = (
        "-w",
        str(place.root),
        "--as-of",
        "2026-11-21T12:00Z",
        "taxonomy",
        "sample",
        str(path),
        "-n",
        "100",
        "--yes",
    )
    done = run(*words)
    assert "drawn: 67 of 600 chat, 30 of 270 mail, 3 of 30 phone" in done.err
    with Cache(place.cache_path).read() as lease:
        kept = {
            row["stratum"]: row["n"] for row in lease.rows("SELECT stratum, count(*) AS n FROM requests GROUP BY 1")
        }
    assert kept == {"chat": 67, "mail": 30, "phone": 3}
    assert "more than 200 values" in run(*words, "--by", "question").err
    call(place, "load", "--as", "requests", "--map", "stratum=channel", str(path))
    assert json.loads(call(place, "taxonomy", "build", "--dry-run", "--format", "json"))["texts"] == 500


def test_two_processes_with_one_seed_build_the_same(place):
    words = ("-w", str(place.root), "taxonomy", "build", "asked.txt", "--dry-run", "--format", "json")

    def by(number: str) -> str:
        env = {**os.environ, "PYTHONHASHSEED": number, "OPENBLAS_NUM_THREADS": number}
        done = subprocess.run(
            [sys.executable, "-m", "aether_tui", *words], cwd=place.root, env=env, capture_output=True
        )
        return done.stdout.decode()

    assert by("1") == by("2") != ""


def test_the_question_is_asked_and_no_is_respected(place):
    done = aether("-w", place.root, "taxonomy", "sample", place.root / "asked.txt", cwd=place.root, stdin="n\n")
    assert done.code == 130
    assert not place.cache_path.exists() or not Cache(place.cache_path).info().tables["requests"].rows

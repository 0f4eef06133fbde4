"""`experiment` and `playbook` as a script uses them, from draft to the next cycle."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from aether_tui.cli import main
from tests.command import Done

NOW = ("--as-of", "2026-11-21")
PAGER = """
level: 3
if_we: rerank
then_we_expect: better answers
because: recall
primary: [{name: resolved, min_effect: 0.02}]
guardrails: [{name: cost, measure: cost, margin: 0.01}]
baseline: 0.7
mde: 0.05
event_count: 2000
allocation: 0.5
stop_criteria: four weeks
rollback_triggers: [cost]
rollback_owner: ann
instrumentation: nothing
why_no_shadow: it needs users
"""


def aether(*arguments: str | Path, cwd: Path) -> Done:
    """The command in this process: it is the same, and starting thirty of them would take longer than all they do."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as done:
            code = done.code if isinstance(done.code, int) else 1
    for stream in (out, err):
        stream.seek(0)
    return Done(code, out.read(), err.read())


@pytest.fixture
def made(tmp_path: Path) -> Path:
    assert aether("init", ".", cwd=tmp_path).code == 0
    return tmp_path


def test_from_draft_to_the_next_cycle(made: Path) -> None:
    def run(*words: str, code: int = 0) -> str:
        done = aether(*NOW, *words, cwd=made)
        assert done.code == code, (words, done.err)
        return done.out.strip()

    aether(*NOW, "experiment", "start", "EXP-1", "--who", "bob", cwd=made).refuses(3, "EXP-1")
    assert run("experiment", "new", "Rerank") == "EXP-1"
    found = aether(*NOW, "experiment", "check", "EXP-1", "--format", "json", cwd=made)
    assert (found.code, found.json["complete"], len(found.json["missing"])) == (1, False, 14)
    run("experiment", "review", "EXP-1", "--who", "ann")
    aether(*NOW, "experiment", "start", "EXP-1", "--who", "bob", cwd=made).refuses(1, "incomplete", "rollback_owner")
    path = made / "engagement" / "experiments" / "EXP-1.yaml"
    path.write_text(path.read_text().rstrip() + PAGER)
    run("experiment", "check", "EXP-1")
    run("experiment", "start", "EXP-1", "--who", "bob")
    aether(*NOW, "experiment", "result", "EXP-1", cwd=made).refuses(3, "no cached task")
    aether(*NOW, "experiment", "result", "EXP-1", "--control", "700/1000", "--treatment", "780/1000", cwd=made).refuses(
        3, "cost"
    )
    (made / "cost.csv").write_text("metric,arm,value\n" + "".join(f"cost,{arm},{v}\n" for arm in ("control", "treatment")
                                                                  for v in (0.01, 0.011, 0.012, 0.013)))  # fmt: skip
    assert run("experiment", "result", "EXP-1", "--csv", "cost.csv").startswith("scale")
    aether(*NOW, "experiment", "decide", "EXP-1", "kill", "--who", "cy", cwd=made).refuses(1, "observation")
    assert not (made / "engagement" / "decisions").exists(), "a refused decision leaves no record"
    run("experiment", "observe", "EXP-1", "two customers smiled", "--who", "ann")
    aether(*NOW, "experiment", "decide", "EXP-1", "scale", "--who", "cy", cwd=made).refuses(1, "guardrail")
    assert run("experiment", "decide", "EXP-1", "scale", "--who", "cy", "--guardrail", "llm.rerank.cost") == "DEC-1"
    assert "Computed verdict: scale" in (made / "engagement" / "decisions" / "DEC-1.yaml").read_text()
    budgets = made / "optimization" / "budgets.yaml"
    before = budgets.read_text()
    codify = (
        "experiment",
        "codify",
        "EXP-1",
        "--kind",
        "regression test",
        "--owner",
        "ann",
        "--budget",
        "llm.rerank.cost",
    )
    aether(*NOW, *codify, "--limit", "0.10", cwd=made).refuses(2, "unit")
    assert budgets.read_text() == before
    assert run(*codify, "--limit", "0.10 USD/task", "--match", "scenario=rerank") == "PLAY-1"
    after = budgets.read_text()
    assert "llm.rerank.cost" in after
    assert [line for line in before.splitlines() if line not in after.splitlines()] == [], "nothing of it was lost"
    assert aether("budget", "check", cwd=made).code in {0, 3}
    item = json.loads(run("experiment", "list", "--format", "json"))[0]
    assert (item["state"], item["choice"], item["next_action"]) == ("codified", "scale", "done")
    assert (
        json.loads(run("report", "playbook", "--format", "json"))["data"]["entries"][0]["budget"] == "llm.rerank.cost"
    )
    first = json.loads(run("playbook", "next-cycle", "--dry-run"))
    assert (first["constraint"], first["closes"]) == ("", None), "the first cycle finds what it works on"
    streams = made / "engagement" / "value-streams"
    streams.mkdir(parents=True)
    (streams / "VS-1.yaml").write_text(
        "id: VS-1\ntitle: Answers\ndemand_per_month: 1000\nvalue_per_success: 4\nsteps:\n"
        "- {name: retrieve, cost: {value: 0.01, n: 900}, error_rate: {value: 0.3, n: 900}}\n- {name: answer, cost: {value: 0.02, n: 900}}\n"
    )
    offered = json.loads(run("playbook", "next-cycle", "--dry-run"))
    assert offered == {"constraint": "retrieve: error (VS-1)", "goal": "Relieve retrieve: error (VS-1)", "closes": None}
    assert run("playbook", "next-cycle") == "cycle-1"
    aether(*NOW, "playbook", "next-cycle", "--constraint", "x", cwd=made).refuses(1, "started only today")
    assert (
        aether("--as-of", "2026-12-21", "playbook", "next-cycle", "--constraint", "latency", cwd=made).out
        == "cycle-2\n"
    )
    still = aether("--as-of", "2026-12-28", "playbook", "next-cycle", cwd=made)
    assert (still.out, still.err) == ("cycle-3\n", "")
    assert "still the constraint" in aether("--as-of", "2026-12-30", "playbook", "next-cycle", cwd=made).err
    (streams / "VS-1.yaml").unlink()
    aether("--as-of", "2026-12-31", "playbook", "next-cycle", cwd=made).refuses(3, "constraint")
    assert "ended: 2026-12-21" in (made / "engagement" / "cycles" / "cycle-1.yaml").read_text()
    assert aether("doc", "validate", cwd=made).code == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("arm,value\ncontrol,1\nother,2\n", ("line 3", "other")),
        ("arm,value\ncontrol,x\n", ("line 2", "value")),
        ("metric,arm,value\nspeed,control,1\n", ("no metric 'speed'",)),
        ("a,b\n1,2\n", ("columns",)),
        ("team,week,treated,value\nt,monday,1,2\n", ("week",)),
        ("", ("no rows",)),
    ],
)
def test_csv_files_that_are_wrong(made: Path, text: str, words: tuple[str, ...]) -> None:
    history = "\nhistory: [{to: reviewed, when: 2026-11-01, who: a}, {to: running, when: 2026-11-01, who: a}]\n"
    folder = made / "engagement" / "experiments"
    folder.mkdir(parents=True)
    (folder / "EXP-1.yaml").write_text("id: EXP-1\ntitle: x" + PAGER + history)
    (made / "r.csv").write_text(text)
    aether(*NOW, "experiment", "result", "EXP-1", "--csv", "r.csv", cwd=made).refuses(2 if text else 3, *words)


PACKED = """
title: Acme looks an order up once
kind: regression test
when_to_use: Ann Onym asks ann@acme.example twice
body: Keep the order of ACME in the state.
cases: [{name: tracking, input: "Where is order 48213?", contains: ["48213"], lacks: ["sorry"]}]
experiment: EXP-1
owner: Ann Onym
review_by: 2027-01-01
evidence: secret evidence
"""


def test_results_of_pairs_and_of_teams_are_json(made: Path) -> None:
    """Neither has a control arm to begin from; a difference of shares ends at 1."""
    ways = {
        "": ("control,treatment\n1,1\n0,1\n1,1\n0,0\n", 0.25, 4),
        "--process": ("team,week,treated,value\n" + "".join(
            f"t{team},2026-0{1 + week // 4}-{5 + 7 * (week % 4):02},{week % 2},{2 * (week % 2)}\n" for team in range(6) for week in range(8)
        ), 2.0, 6),
    }  # fmt: skip
    for number, (process, (rows, effect, n)) in enumerate(ways.items(), 1):
        aether(*NOW, "experiment", "new", "x", "--level", "1", *filter(None, [process]), cwd=made)
        path = made / "engagement" / "experiments" / f"EXP-{number}.yaml"
        path.write_text(path.read_text().rstrip() + "\nprimary: [{name: resolved}]\n")
        (made / "rows.csv").write_text(rows)
        for step in ("review", "start"):
            aether(*NOW, "experiment", step, f"EXP-{number}", "--who", "ann", cwd=made)
        done = aether(*NOW, "experiment", "result", f"EXP-{number}", "--csv", "rows.csv", "--format", "json", cwd=made)
        assert done.code == 0, done.err
        found = done.json["metrics"][0]["effect"]
        assert (found["effect"], found["n_control"], found["baseline"]) == (effect, n, None)
        assert found["ci_high"] <= (1 if not process else 2)


def test_packs_are_anonymous_and_come_in_once(made: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    config = made / "aether.toml"
    config.write_text(config.read_text() + '\n[engagement]\nname = "Acme"\n' if "[engagement]" not in config.read_text()
                      else config.read_text().replace("[engagement]", '[engagement]\nclient = "Acme"', 1))  # fmt: skip
    folder = made / "engagement" / "playbook"
    folder.mkdir(parents=True)
    body = "body: Onym said so, Zorvanna's quellmark_z too; Petra agreed, a lead owns it. "
    (folder / "PLAY-1.yaml").write_text("id: PLAY-1" + PACKED.replace("body: ", body))
    (made / "engagement" / "interviews").mkdir(exist_ok=True)
    (made / "engagement" / "interviews" / "INT-1.yaml").write_text(
        "id: INT-1\nquestionnaire: lens\nstarted: 2026-11-02T09:00:00\npeople: [{name: Zorvanna Quellmark}, {name: product lead}]\n"
    )
    done = aether("playbook", "pack", "-o", "pack.yaml", cwd=made)
    assert done.code == 0, done.err
    text = (made / "pack.yaml").read_text()
    assert "a lead owns it" in text
    for secret in (
        "Acme",
        "ACME",
        "Ann",
        "Onym",
        "Zorvanna",
        "quellmark",
        "Petra",
        "acme.example",
        "EXP-1",
        "evidence",
        "2027",
    ):
        assert secret not in text, secret
    other = tmp_path_factory.mktemp("other")
    assert aether("init", ".", cwd=other).code == 0
    again = ("playbook", "import", made / "pack.yaml", "--owner", "bob")
    assert aether(*again, cwd=other).out == "PLAY-1\n"
    second = aether(*again, cwd=other)
    assert (second.out, "already" in second.err) == ("", True)
    found = json.loads(aether("playbook", "list", "--format", "json", cwd=other).out)[0]
    assert (found["owner"], found["experiment"], found["cases"][0]["contains"]) == ("bob", "", ["48213"])
    (made / "bad.yaml").write_text(
        "format: aether-playbook\nversion: 1\nentries: [{title: x, kind: prompt, owner: y}]\n"
    )
    aether("playbook", "import", "bad.yaml", "--owner", "b", cwd=made).refuses(2, "owner")
    aether("playbook", "import", "aether.toml", "--owner", "b", cwd=made).refuses(2, "aether.toml")


def test_exported_checks_run(made: Path) -> None:
    folder = made / "engagement" / "playbook"
    folder.mkdir(parents=True)
    (folder / "PLAY-1.yaml").write_text("id: PLAY-1" + PACKED)
    foo = aether("playbook", "export", "--as", "promptfoo", cwd=made).out
    assert "not-contains" in foo
    assert aether("playbook", "export", "--as", "pytest", "-o", "test_playbook.py", cwd=made).code == 0
    (made / "good.py").write_text("print(input())\n")
    (made / "bad.py").write_text("print('sorry', input())\n")
    for answer, code in (("good.py", 0), ("bad.py", 1)):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(made), str(made / "test_playbook.py")],
            env={"ASK": f"{sys.executable} {made / answer}", "PATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True, check=False, cwd=made,
        )  # fmt: skip
        assert done.returncode == code, done.stdout.decode()

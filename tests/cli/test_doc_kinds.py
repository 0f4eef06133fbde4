"""Every kind of document headless: made of the least that is valid, shown, edited, validated."""

from __future__ import annotations

from pathlib import Path

from aether_tui.workspace.documents import KINDS
from tests.command import aether

# Kind: the least that is valid, and one optional value that is set afterwards.
LEAST = {
    "opportunity": ("{title: A, impact: 5, confidence: 5, reversibility: 5, effort_weeks: 2}", "cluster=refund"),
    "cycle": ("{started: 2026-11-02}", "goal=See"),
    "decision": ("{title: A}", "owner=lead"),
    "experiment": ("{title: A}", "if_we=cache answers"),
    "playbook": ("{title: A, kind: prompt, owner: lead, review_by: 2027-01-01}", "body=Do it"),
    "value-stream": ("{title: A, demand_per_month: 10, value_per_success: 1, steps: [{name: a}]}", "title=B"),
    "failure-review": ("{title: A, start: 2026-11-01, end: 2026-11-08, failed: 3}", "title=B"),
    "north-star": ("{metric: resolved}", "unit=share"),
    "canvas": ("{}", "links=[DR-1]"),
    "lifecycle": ("{}", "links=[DR-1]"),
    "ritual": ("{title: A}", "team=web"),
    "decision-right": ("{title: A}", "title=B"),
    "agreement": ("{provider: product, consumer: data}", "provider=design"),
    "team": ("{title: A, shape: squad}", "shape=tribe"),
    "event": ("{title: A}", "owner=lead"),
    "tool": ("{title: A}", "team=web"),
    "postmortem": ("{title: A, about: product, happened: 2026-11-01}", "about=process"),
    "interview": ("{questionnaire: lens, started: 2026-11-02T09:00:00}", "elapsed_s=60"),
    "assessment": ("{day: 2026-11-02}", "notes=Short"),
    "commitment": ("{title: A, promised: 2026-11-02}", "who=lead"),
    "onboarding": ("{role: engineer}", "role=lead"),
}


def test_every_kind_is_made_shown_edited_and_validated_headless(tmp_path: Path) -> None:
    (tmp_path / "aether.toml").write_text('[engagement]\nname = "Least"\n')
    assert set(LEAST) == set(KINDS) - {"taxonomy"}  # taxonomies are built by `taxonomy build`, not typed
    for kind, (least, setting) in LEAST.items():
        made = aether("doc", "new", kind, stdin=least, cwd=tmp_path)
        assert made.code == 0, (kind, made.err)
        identity, (key, _, value) = made.out.strip(), setting.partition("=")
        edited = aether("doc", "edit", kind, identity, "--set", setting, cwd=tmp_path)
        assert edited.code == 0, (kind, edited.err)
        shown = aether("doc", "show", kind, identity, "--format", "json", cwd=tmp_path).json
        assert shown["id"] == identity and str(shown[key]) in {value, f"{value}.0", "['DR-1']"}, kind
    assert aether("doc", "validate", cwd=tmp_path).code == 0
    listed = aether("doc", "list", "--format", "json", cwd=tmp_path).json
    assert {one["kind"] for one in listed} == set(LEAST)

"""The seven phases of a cycle and the items of each: what the cache verifies, what a document shows, what a person ticks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aether_tui.report_model import State

READING = {
    "decision-record": "decision records",
    "prompt-repository": "prompt repositories",
    "cost-dashboard": "cost dashboards",
    "trace-sample": "trace samples",
    "user-research": "user research",
    "ticket": "tickets",
    "incident-report": "incident reports",
}
"""Kinds of reading by artifact kind."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item. `artifact` and `least`: document items count artifacts of that kind; auto items are answered by name."""

    id: str
    text: str
    kind: Literal["auto", "document", "manual"]
    artifact: str = ""
    least: int = 1


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase: number, name, what it is over with, items."""

    number: int
    name: str
    exit_rule: str
    items: tuple[Item, ...]
    budget_days: int | None = None
    """Days it should take at most."""


SIGNED = frozenset({"first-token"})
"""Items verified against the cache that somebody may also answer for: that nothing is streamed, no trace can say."""

LISTED = frozenset({"model", "tokens", "fields", "cost", "attribution", "outcome", "clusters"})
"""Items and thresholds of which `evidence` lists the requests that lack them."""


def behind(item: str, state: State) -> str:
    """What the requests that lack an item of the flywheel or the gate are asked for by; empty where none can be listed."""
    name = item.removeprefix("gate.")
    return f"flywheel.{name}" if name in LISTED and state != "no-data" else ""


def opens(state: State) -> str:
    """Where an item is made that the cache verifies: at the sources, where nothing has been seen of it."""
    return "go.sources" if state == "no-data" else ""


PHASES: tuple[Phase, ...] = (
    Phase(
        0,
        "Immersion & context capture",
        "the north star is written, three people were heard, every kind of reading was read",
        (
            Item("north-star", "North star: metric, value, target, who signed", "document", "north-star"),
            Item(
                "interviews",
                "Three to six interviews across product, engineering, operations",
                "document",
                "interview",
                3,
            ),
            Item("reading", "Every kind of reading read at least once", "document", "reading"),
            Item("value-stream-map", "Value stream map of the current state", "document", "value-stream-map"),
            Item("task-taxonomy", "Task taxonomy, version 1", "document", "task-taxonomy"),
            Item("priorities", "Stakeholder priorities and definitions of success", "document", "priorities"),
        ),
        budget_days=3,
    ),
    Phase(
        1,
        "Instrumentation & visibility",
        "every required field, cost and outcome is seen, and people have signed for privacy and the bill",
        (
            Item("model", "Model on every model call", "auto"),
            Item("tokens", "Input and output tokens on every model call", "auto"),
            Item("latency", "Latency of every model call", "auto"),
            Item("first-token", "Time to first token (where answers are streamed)", "auto"),
            Item("cost", "Cost of every model call", "auto"),
            Item("attribution", "Cost attributed to feature and team", "auto"),
            Item("ids", "Trace and span ids that join model calls into whole requests", "auto"),
            Item("outcome", "At least one outcome signal", "auto"),
            Item(
                "replay",
                "Prompts and completions kept, so that any trace can be replayed, or left out by choice",
                "auto",
            ),
            Item("privacy-signed", "Redaction and retention looked at and signed", "manual"),
            Item("bill-signed", "Model cost within 5 % of the last closed bill, signed", "manual"),
        ),
    ),
    Phase(
        2,
        "Constraint diagnosis",
        "one page says which constraint holds the system, with its size",
        (
            Item(
                "constraint-diagnosis",
                "Constraint diagnosis on one page, with quantified impact",
                "document",
                "constraint-diagnosis",
            ),
            Item("constraint-agreed", "The people who own the constraint agree", "manual"),
        ),
    ),
    Phase(
        3,
        "ICE-P portfolio",
        "opportunities are scored with evidence, and one is chosen",
        (
            Item("opportunities", "At least three opportunities scored", "auto"),
            Item("evidence", "Confidence of the top three names its evidence", "auto"),
            Item("chosen", "An opportunity is chosen", "auto"),
        ),
    ),
    Phase(
        4,
        "Experiments",
        "the one-pager is complete, with guardrails and a way back",
        (
            Item(
                "one-pager",
                "Experiment one-pager: hypothesis, metrics, design, rollback",
                "document",
                "experiment-one-pager",
            ),
            Item("guardrails", "Guardrails, stop criteria and rollback owner agreed", "manual"),
        ),
    ),
    Phase(
        5,
        "Ship, measure, decide",
        "kill, iterate or scale is decided and written down",
        (
            Item("result", "Result with intervals and guardrails", "document", "experiment-result"),
            Item("observation", "A qualitative observation beside the numbers", "document", "observation"),
            Item("decided", "Kill, iterate or scale decided in this cycle", "auto"),
        ),
    ),
    Phase(
        6,
        "Codify & restart",
        "what won is written into the playbook, and the next cycle has its subject",
        (
            Item("playbook", "A winning pattern codified with owner and review date", "document", "playbook-entry"),
            Item("next-constraint", "The constraint or request category of the next cycle named", "manual"),
        ),
    ),
)

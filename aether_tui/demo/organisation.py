"""How the made-up organisation works, as its people wrote it down: rituals, canvas, rights, agreements, teams, registers, failures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from aether_tui.demo.world import World
from aether_tui.workspace import templates
from aether_tui.workspace.document import Document
from aether_tui.workspace.kinds.agreement import Agreement
from aether_tui.workspace.kinds.canvas import Canvas
from aether_tui.workspace.kinds.decision_right import DecisionRight
from aether_tui.workspace.kinds.event import Event
from aether_tui.workspace.kinds.lifecycle import Lifecycle
from aether_tui.workspace.kinds.north_star import NorthStar
from aether_tui.workspace.kinds.onboarding import Onboarding
from aether_tui.workspace.kinds.postmortem import Postmortem
from aether_tui.workspace.kinds.ritual import Ritual
from aether_tui.workspace.kinds.team import Team
from aether_tui.workspace.kinds.tool import Tool

Fields = Mapping[str, object]

_NORTH_STAR: Fields = {
    "metric": "Requests resolved without a person, within ten minutes", "unit": "% of requests", "value": 71, "target": 80,
    "query": "outcome = resolved and no message within a day, over all requests; aether-tui report lens",
    "value_per_success": 4.2, "cost_per_failure": 6.8, "impact_1": "too small to be seen in a quarter", "impact_4": "half a point",
    "impact_7": "two points", "impact_10": "five points or more", "signed_by": "head of product",
}  # fmt: skip

# Template, what is different here. The status round has none: nobody wrote down what it is for.
_RITUALS: tuple[tuple[str, Fields], ...] = (
    ("weekly-product-sync", {
        "team": "all", "owner": "head of product", "hourly_rate": 92, "switching_minutes": 10,
        "decisions_per_year": [60, 90, 140], "stake_per_decision": [2000, 4500, 9000], "probability_gain": [0.05, 0.12, 0.25],
        "roti": [2.5, 3, 2, 3, 2.5, 3], "actions_agreed": 31, "actions_done": 24,
        "alignment": [(20, 7, 6), (6, 7, 6)], "links": ["DR-2"],
    }),
    ("planning", {
        "team": "Answers", "owner": "product manager", "hourly_rate": 92, "decisions_per_year": [24, 40, 60],
        "stake_per_decision": [1500, 3000, 6000], "probability_gain": [0.02, 0.1, 0.2], "roti": [2, 2.5, 3, 2],
        "actions_agreed": 18, "actions_done": 15, "alignment": [(12, 8, 4), (26, 8, 3)],
    }),
    ("delivery-review", {
        "team": "Conversations", "owner": "engineering lead", "hourly_rate": 88, "decisions_per_year": [30, 48, 70],
        "stake_per_decision": [400, 900, 2000], "probability_gain": [0.1, 0.2, 0.35], "days_saved_per_year": [10, 20, 40],
        "cost_of_delay_per_day": [300, 600, 1200], "roti": [3, 3.5, 3, 2.5],
    }),
    ("incident-review", {
        "team": "Platform", "owner": "engineering lead", "hourly_rate": 88, "decisions_per_year": [10, 24, 40],
        "stake_per_decision": [1000, 4000, 12000], "probability_gain": [0.05, 0.15, 0.3],
        "rework_avoided_per_year": [5000, 15000, 40000], "roti": [3, 3, 4], "actions_agreed": 11, "actions_done": 4,
    }),
    ("monthly-operating-review", {
        "team": "all", "owner": "head of product", "hourly_rate": 120, "decisions_per_year": [6, 14, 24],
        "stake_per_decision": [5000, 20000, 60000], "probability_gain": [0.02, 0.08, 0.15], "roti": [2, 1.5, 2.5, 2],
    }),
    ("", {
        "title": "Daily status round", "team": "all", "frequency": "Every day at 9:30", "per_year": 220, "minutes": [15, 20, 30],
        "attendees": [9, 12, 14], "hourly_rate": 86, "switching_minutes": 12, "decisions_per_year": 0, "roti": [1, 0.5, 1.5, 1, 2, 1],
        "inputs": ["what everybody did since yesterday"],
        "participation": [{"role": "everybody", "part": "contributes", "rule": "Says what was done and what comes next"}],
    }),
)  # fmt: skip

_CANVAS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "purpose": (("Questions are settled in minutes", "Nobody waits for a person"), ("north-star document",), ()),
    "principles": (("Resolved beats answered", "A number nobody owns is switched off"), ("DEC-1",), ()),
    "structure": (("Two product teams, one platform", "Support stands outside"), (), ("Support in the answers team",)),
    "process": (
        ("Ideas wait in triage", "Prompts ship within the day"),
        ("value stream map",),
        ("Prompts behind a switch",),
    ),
    "people": (("No evaluation engineer", "Two people know the router"), (), ()),
    "technology": (("One gateway for all models", "Two evaluation harnesses"), ("OPP-1",), ("One harness",)),
    "data": (("Outcome known for two thirds", "Cost known per feature"), ("aether-tui report lens",), ()),
    "rituals": (("Much status, few decisions",), ("aether-tui report rituals",), ("Status in writing",)),
    "governance": ((), (), ()),
}

# step: reversible, release cost, outside approval, dependencies, now
_LIFECYCLE: Mapping[str, tuple[str, str, bool, int, str]] = {
    "ideation": ("easily", "low", False, 0, "continuous"),
    "validation": ("easily", "low", False, 1, "continuous"),
    "specification": ("with effort", "low", False, 1, "stage-gate"),
    "build": ("easily", "low", False, 0, "continuous"),
    "release": ("with effort", "low", False, 3, "continuous"),
    "measure": ("easily", "low", False, 0, "continuous"),
    "learn": ("easily", "low", False, 0, "continuous"),
}

_RIGHTS: tuple[Fields, ...] = (
    {"title": "What is worked on next", "decides": "product manager", "consulted": ["engineering lead", "designer"],
     "input_by": "the evening before planning", "escalation": "head of product, the same day", "links": ["RIT-2"]},
    {"title": "Send a prompt to all customers", "decides": "engineering lead", "consulted": ["data analyst"],
     "input_by": "one working day before", "escalation": "head of product", "phase": "release"},
    {"title": "Send a prompt to all customers", "decides": "product manager", "consulted": ["support lead"],
     "input_by": "one working day before", "escalation": "head of product", "phase": "release"},
    {"title": "Which model serves a kind of request", "decides": "platform engineer", "consulted": ["data analyst", "finance partner"],
     "input_by": "a week before", "escalation": "engineering lead"},
    {"title": "Hand a kind of request to people for good", "decides": "head of support", "consulted": ["product manager"],
     "input_by": "the monthly operating review"},
    {"title": "Spend above the monthly budget", "decides": "head of product", "consulted": ["finance partner"],
     "input_by": "before it is spent", "escalation": "nobody: it is not spent"},
)  # fmt: skip

_AGREEMENTS: tuple[Fields, ...] = (
    {"provider": "support", "consumer": "product", "provides": ["three contacts a week in customers' words"],
     "needs": ["what was done with them"], "response_h": 40, "agreed": True},
    {"provider": "product", "consumer": "support", "provides": ["notice of every change customers notice"],
     "needs": ["a list of contacts it caused"], "response_h": 16, "agreed": True},
    {"provider": "data", "consumer": "product", "provides": ["a number with its interval"], "needs": ["the question it is for"],
     "response_h": 24, "agreed": True},
    {"provider": "data", "consumer": "product", "provides": ["a number with its interval"], "needs": ["the dashboard it goes on"],
     "response_h": 80, "agreed": False},
    {"provider": "operations", "consumer": "engineering", "provides": ["an environment like production"],
     "needs": ["its budget and its last day"], "response_h": 8, "agreed": True},
    {"provider": "engineering", "consumer": "operations", "provides": ["a switch for every new prompt"], "needs": [], "agreed": False},
    {"provider": "design", "consumer": "engineering", "provides": ["answers about wording"], "needs": ["the screen, not a ticket"],
     "response_h": 4, "agreed": True},
)  # fmt: skip

_TEAMS: tuple[Fields, ...] = (
    {"title": "Assist", "shape": "tribe", "purpose": "Customers get their question settled without waiting", "owns": ["north star"],
     "members": [("head of product", 1), ("finance partner", 0.5, "central")]},
    {"title": "Conversations", "shape": "squad", "part_of": "TEAM-1", "purpose": "What customers see and say",
     "owns": ["assist-api", "handover"], "members": [("product manager", 1), ("engineering lead", 1), ("engineer", 4), ("designer", 1)]},
    {"title": "Answers", "shape": "squad", "part_of": "TEAM-1", "purpose": "What the assistant knows", "owns": ["retrieval", "prompts"],
     "members": [("product manager", 1), ("engineer", 3), ("data analyst", 0.5, "central")]},
    {"title": "Platform", "shape": "squad", "function": "operations", "part_of": "TEAM-1", "purpose": "Gateway, prices, environments",
     "owns": ["agent-desk", "gateway", "prompts"], "members": [("platform engineer", 3), ("engineering lead", 1)]},
    {"title": "Data", "shape": "chapter", "function": "data", "purpose": "Numbers people can rely on",
     "members": [("data analyst", 2), ("support lead", 1, "central")]},
)  # fmt: skip

_EVENTS: tuple[Fields, ...] = (
    {"title": "Assistant Opened", "trigger": "A customer opens the assistant", "properties": ["page", "signed in"],
     "owner": "Conversations", "metrics": ["active users"]},
    {"title": "Answer Shown", "trigger": "An answer is on the screen", "properties": ["request category", "prompt version"],
     "owner": "Answers", "metrics": ["answers per request"]},
    {"title": "Answer Accepted", "trigger": "A customer closes the assistant after an answer, or thanks",
     "properties": ["request category"], "owner": "Answers", "metrics": ["north star", "acceptance"]},
    {"title": "Refund Started", "trigger": "The refund agent calls the payment service", "properties": ["amount band"], "owner": "Answers",
     "metrics": ["refunds without a person"]},
    {"title": "Voice Opened", "trigger": "A customer speaks instead of typing", "status": "planned"},
)  # fmt: skip

_TOOLS: tuple[tuple[str, str, str, str, str], ...] = (
    ("Trace store", "see what one request did and cost", "Platform", "managed", "keep"),
    ("Gateway log", "see what one request did and cost", "Conversations", "ad hoc", ""),
    ("Harness A", "know before release whether answers got worse", "Answers", "defined", ""),
    ("Harness B", "know before release whether answers got worse", "Conversations", "managed", ""),
    ("Spreadsheet of prompts", "know which prompt was live when", "Answers", "ad hoc", "drop"),
    ("Wiki", "", "all", "defined", ""),
    ("Tracker", "see what is worked on", "all", "managed", "keep"),
)

_Action = tuple[str, str, int, int | None]
_Failure = tuple[str, str, int, str, tuple[tuple[str, str], ...], Mapping[str, str], tuple[_Action, ...]]

# title, about, days ago, impact, timeline, conditions, actions (what, owner, due in days from then, done after days)
_FAILURES: tuple[_Failure, ...] = (
    ("Refunds cost a third more for ten days", "product", 10, "31 % more tokens per refund; no customer noticed",
     (("first day", "prompt v14 goes to all customers at once"), ("day 6", "a budget warns"), ("day 10", "the appendix is found")),
     {"no-staged-rollout": "the prompt went to everybody", "no-price-on-prompts": "nobody sees what a prompt costs before it ships"},
     (("Prompts ship behind a switch", "engineering lead", 7, None),
      ("Show cost per request in every prompt review", "platform engineer", 20, None))),
    ("Answers were empty for 25 minutes", "product", 45, "one in nine requests failed",
     (("14:05", "a new index goes live everywhere"), ("14:12", "support reports empty answers"), ("14:30", "the old index is back")),
     {"no-staged-rollout": "the index went to everybody", "alert-on-averages": "the mean stayed quiet"},
     (("Alert on the share of empty answers", "platform engineer", 14, 9), ("Two indexes side by side", "engineering lead", 30, None))),
    ("A feature nobody asked for took seven weeks", "process", 75, "seven weeks of three engineers",
     (("week 1", "the idea skips validation"), ("week 7", "nobody uses it")),
     {"no-early-test": "the riskiest assumption was never named"},
     (("No build without a tested assumption", "product manager", 21, 18),)),
)  # fmt: skip

_STEPS = (
    (
        1,
        "Read ten traces of requests that ended badly, with somebody who built the agent",
        "You can say where the time and the money went",
    ),
    (1, "Answer ten customers by hand, beside support", "Support says your answers could have been theirs"),
    (
        2,
        "Change one word in a prompt and take it through to all customers",
        "The change is live, and its price is known",
    ),
    (4, "Lead one incident review", "Its conditions have the names used before"),
)


def documents(world: World) -> Iterator[Document]:
    """All of it, as of the world's day."""
    yield NorthStar.model_validate({**_NORTH_STAR, "target_by": _day(world, -130), "signed": _day(world, 80)})
    yield Canvas.model_validate(
        {
            name: {"lines": lines, "evidence": shown, "wanted": wanted}
            for name, (lines, shown, wanted) in _CANVAS.items()
        }
    )
    keys = ("reversible", "release_cost", "outside_approval", "dependencies", "now")
    yield Lifecycle.model_validate(
        {"phases": {phase: dict(zip(keys, row, strict=True)) for phase, row in _LIFECYCLE.items()}}
    )
    yield from (_ritual(world, number, *each) for number, each in enumerate(_RITUALS, 1))
    yield from (DecisionRight.model_validate({"id": f"DR-{number}", **one}) for number, one in enumerate(_RIGHTS, 1))
    yield from (Agreement.model_validate({"id": f"AGR-{number}", **one}) for number, one in enumerate(_AGREEMENTS, 1))
    yield from (_team(number, one) for number, one in enumerate(_TEAMS, 1))
    yield from (Event.model_validate({"id": f"EVT-{number}", **one}) for number, one in enumerate(_EVENTS, 1))
    names = ("title", "job", "team", "level", "verdict")
    yield from (
        Tool.model_validate({"id": f"TOOL-{number}", **dict(zip(names, one, strict=True))})
        for number, one in enumerate(_TOOLS, 1)
    )
    yield from (_failure(world, number, *each) for number, each in enumerate(_FAILURES, 1))
    steps = [{"week": week, "do": do, "done_when": done} for week, do, done in _STEPS]
    yield Onboarding.model_validate({"id": "ONB-1", "role": "engineer", "steps": steps})


def _day(world: World, ago: int) -> date:
    return world.day(ago).date()


def _ritual(world: World, number: int, template: str, changed: Fields) -> Document:
    start = templates.fields(Ritual, template) if template else {}
    pulses = changed.get("alignment", ())
    assert isinstance(pulses, list | tuple)
    alignment = [{"when": _day(world, ago), "asked": asked, "agreed": agreed} for ago, asked, agreed in pulses]
    return Ritual.model_validate({"id": f"RIT-{number}", **start, **changed, "alignment": alignment})


def _team(number: int, fields: Fields) -> Document:
    rows = fields["members"]
    assert isinstance(rows, list)
    members = [dict(zip(("role", "count", "placement"), row, strict=False)) for row in rows]
    return Team.model_validate({"id": f"TEAM-{number}", **fields, "members": members})


def _failure(
    world: World, number: int, title: str, about: str, ago: int, impact: str, timeline: tuple[tuple[str, str], ...],
    conditions: Mapping[str, str], actions: tuple[_Action, ...],
) -> Document:  # fmt: skip
    return Postmortem.model_validate({
        "id": f"PM-{number}", "title": title, "about": about, "happened": _day(world, ago), "impact": impact,
        "timeline": [{"at": at, "what": what} for at, what in timeline],
        "conditions": [{"name": name, "what": what} for name, what in conditions.items()],
        "actions": [
            {"what": what, "owner": owner, "due": _day(world, ago - due), "done": None if done is None else _day(world, ago - done)}
            for what, owner, due, done in actions
        ],
    })  # fmt: skip

"""What the people of the engagement wrote down: two cycles, a portfolio and some decisions."""

from __future__ import annotations

from datetime import UTC, date

from aether_tui.demo import organisation, trials
from aether_tui.demo.talks import talks
from aether_tui.demo.work import Item, built_for
from aether_tui.demo.world import World
from aether_tui.workspace.document import Document, Stated
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.commitment import Commitment
from aether_tui.workspace.kinds.cycle import Artifact, Cycle, Tick
from aether_tui.workspace.kinds.decision import Decision
from aether_tui.workspace.kinds.opportunity import Opportunity
from aether_tui.workspace.kinds.value_stream import ValueStream
from aether_tui.workspace.store import Store

# Title, impact, confidence, reversibility, effort in weeks, status, bet, cluster, evidence.
_Scored = tuple[str, Stated, Stated, Stated, Stated, str, bool, str, tuple[str, ...]]
_PORTFOLIO: tuple[_Scored, ...] = (
    ("Unify the two evaluation harnesses", 6.0, 5.0, 6.0, (10.0, 14.0, 20.0), "candidate", False, "", ("INT-1",)),
    ("Agent planner rewrite", (6.0, 9.0, 10.0), (2.0, 4.0, 6.0), 3.0, (24.0, 30.0, 44.0), "candidate", True, "", ("INT-4",)),
    ("Cache policy answers", 6.0, (5.0, 6.0, 8.0), 8.0, (1.0, 2.0, 3.0), "chosen", False, "policy_question",
     ("trace query: seven of ten policy requests repeat word for word", "INT-2")),
    ("Shorter greeting", 2.0, 8.0, 10.0, 0.5, "done", False, "", ("experiment EXP-2: no change in outcome",)),
    ("Move order lookups to one batched tool call", 5.0, 6.0, 7.0, (2.0, 3.0, 5.0), "candidate", False, "order_tracking",
     ("trace query: two tool calls per tracking request",)),
    ("Translate policies before retrieval", (3.0, 5.0, 7.0), 4.0, 7.0, (3.0, 4.0, 8.0), "candidate", False, "policy_question",
     ("INT-3",)),
    ("Rerank long-tail product questions", (6.0, 8.0, 9.0), (5.0, 6.0, 7.0), 8.0, (1.0, 2.0, 4.0), "candidate", False, "product_question",
     ("INT-2", "trace query: product questions end well in 71 % of cases", "constraint: retrieval recall")),
    ("Refund prompt: drop the policy appendix again", (5.0, 7.0, 8.0), (4.0, 6.0, 8.0), 9.0, (1.0, 2.0, 3.0), "candidate", False,
     "refund_request", ("trace query: tokens per refund rose by a third with prompt v14",)),
    ("Own vector index instead of the managed one", 4.0, 3.0, 3.0, (8.0, 12.0, 20.0), "candidate", False, "",
     ("cost report: staging step",)),
    ("Hand over complaints at the first turn", 7.0, (3.0, 5.0, 6.0), 6.0, (2.0, 4.0, 6.0), "running", False, "complaint",
     ("INT-5", "trace query: complaints end well in half of the cases")),
    ("Smaller model for triage", 7.0, (3.0, 5.0, 7.0), 8.0, (3.0, 5.0, 8.0), "running", False, "",
     ("trace query: router calls", "INT-1")),
    ("Voice channel", (5.0, 8.0, 10.0), 3.0, 2.0, (30.0, 40.0, 60.0), "candidate", True, "", ("strategy paper",)),
    ("Sign-in help without the agent", 4.0, 7.0, 8.0, (1.0, 1.5, 2.0), "candidate", False, "login_trouble", ("INT-3",)),
    ("[@click=app.quit]Quick[/] \u202eelttil\u202c links in answers", 2.0, 3.0, 9.0, 1.0, "candidate", False, "",
     ("pasted from a customer's letter",)),
    ("Look an order up once per request", 6.0, 6.0, 7.0, (2.0, 3.0, 4.0), "done", False, "order_tracking",
     ("INT-8: quote of the customer who waits", "constraint: the value stream shows the same lookup twice", "EXP-1")),
)  # fmt: skip

# Kind, title, who. The first cycle left all of them behind; the second stands before its diagnosis.
_CONTEXT = (
    ("north-star", "North star: resolved without a person, within ten minutes", "person-01"),
    ("interview", "Interview 1: engineering lead", "person-02"),
    ("interview", "Interview 2: product manager", "person-02"),
    ("interview", "Interview 3: support operations", "person-03"),
    ("decision-record", "Decision records 1 to 9 of the assistant", "person-02"),
    ("prompt-repository", "Prompt repository, 14 versions of the refund agent", "person-02"),
    ("cost-dashboard", "Cost dashboards of the last two quarters", "person-03"),
    ("trace-sample", "Forty traces of refunds and product questions", "person-02"),
    ("user-research", "Notes of six calls with customers who gave up", "person-03"),
    ("ticket", "Tickets that the assistant opened in one week", "person-03"),
    ("incident-report", "Reports of the last five incidents", "person-02"),
    ("value-stream-map", "Value stream, as it is", "person-03"),
    ("task-taxonomy", "Task taxonomy v1: twelve kinds of request", "person-02"),
    ("priorities", "What each stakeholder calls success", "person-02"),
)
_LATER = (
    ("constraint-diagnosis", "Constraint: order lookups are asked twice", "person-02"),
    ("experiment-one-pager", "EXP-1: one lookup per request", "person-03"),
    ("experiment-result", "EXP-1: 0.4 s faster, outcome unchanged", "person-03"),
    ("observation", "Five agents listened in: nobody missed the second lookup", "person-04"),
    ("playbook-entry", "Look an order up once and pass it on", "person-03"),
)
_SIGNED = ("privacy-signed", "bill-signed")
_SIGNED_LATER = ("constraint-agreed", "guardrails", "next-constraint")

# Days ago raised, decided and reversed, title, owner, chosen, why, ritual it was decided in.
_DECISIONS: tuple[tuple[int, int | None, int | None, str, str, str, str, str], ...] = (
    (68, 61, None, "Count a request as resolved only when nobody writes again within a day", "person-01", "accepted",
     "Answers that look good and solve nothing were counted", "RIT-1"),
    (40, 26, None, "Send complaints to people after the first failed answer", "person-04", "accepted for one market",
     "Half of them end well with the agent; a person costs six times as much", "RIT-1"),
    (33, 24, None, "One team owns the gateway and its prices", "person-05", "Platform", "Three teams changed prices in a month", "RIT-5"),
    (12, 10, None, "Ship prompt v14 of the refund agent to everybody at once", "person-06", "accepted", "", "RIT-2"),
    (6, None, None, "Keep or remove the policy appendix of prompt v14", "person-06", "", "", "RIT-1"),
    (95, 93, None, "Answer refunds below 20 USD without asking", "person-01", "accepted", "Asking costs more than it saves", "RIT-1"),
    (31, None, None, "Merge the two evaluation harnesses", "", "", "", "RIT-5"),
    (22, 15, None, "Show the price of a request in every prompt review", "person-05", "accepted",
     "The refund prompt would have been seen on its first day", "RIT-4"),
    (58, 50, 20, "Close conversations after three turns without an answer", "person-04", "accepted", "Most had left by then", "RIT-1"),
)  # fmt: skip


_STEPS = (
    {"name": "understand", "seen_as": ["chat router"], "touch_s": {"value": 0.6, "n": 1600},
     "cost": {"value": 0.002, "n": 1600}, "abandon_rate": 0.01},
    {"name": "retrieve", "seen_as": ["retrieval *"], "touch_s": {"value": 0.9, "n": 1600},
     "cost": {"value": 0.004, "n": 1600}, "error_rate": {"value": 0.11, "n": 240},
     "rework_to": "retrieve", "abandon_rate": 0.02},
    {"name": "look up", "seen_as": ["execute_tool *"]},
    {"name": "answer", "seen_as": ["chat *"], "touch_s": {"value": 4.2, "n": 1600},
     "cost": {"value": 0.03, "n": 1600}, "error_rate": {"value": 0.06, "n": 240},
     "rework_to": "retrieve", "abandon_rate": {"value": 0.04, "n": 240}},
    {"name": "review", "touch_s": [40, 60, 120], "wait_s": {"value": 1200, "who": "person-05"}, "cost": {"value": 0.3, "who": "person-05"},
     "error_rate": [0.05, 0.1, 0.2], "rework_to": "answer", "abandon_rate": [0.05, 0.12, 0.25], "capacity_per_month": 16000},
)  # fmt: skip
"""The way of a support question, as far as it was measured and as people told it."""


def write(world: World, workspace: Workspace, items: list[Item]) -> None:
    """All documents, by the store that people's edits go through; opportunities name what was built for them of `items`."""
    store = Store(workspace)
    papers = (
        *_cycles(world),
        *_opportunities(world, items),
        *_decisions(world),
        *_streams(world),
        *_commitments(world),
    )
    for document in (*papers, *organisation.documents(world), *trials.documents(world), *talks(world)):
        store.save(document, None, world.today.replace(tzinfo=UTC))


def _day(world: World, ago: int) -> date:
    return world.day(ago).date()


def _cycles(world: World) -> list[Document]:
    first = Cycle(
        id="cycle-1", started=_day(world, 82), ended=_day(world, 34), goal="See what the assistant does and what it costs",
        constraint="order lookups are asked twice", infra_cost_usd=2900.0, review_cost_usd=2200.0,
        items=_ticks(world, 70, _SIGNED) | _ticks(world, 50, _SIGNED_LATER),
        artifacts=[*_artifacts(world, 80, _CONTEXT), *_artifacts(world, 55, _LATER)],
    )  # fmt: skip
    second = Cycle(
        id="cycle-2", started=_day(world, 33), goal="Find the one constraint of product and refund answers, and relieve it",
        constraint="product and refund answers", value_per_success_usd=4.2, infra_cost_usd=1650.0, review_cost_usd=1250.0,
        items=_ticks(world, 22, _SIGNED), artifacts=_artifacts(world, 32, _CONTEXT),
    )  # fmt: skip
    return [first, second]


def _ticks(world: World, ago: int, items: tuple[str, ...]) -> dict[str, Tick]:
    return {
        item: Tick(who="person-02", when=_day(world, ago - index), note="looked at together")
        for index, item in enumerate(items)
    }


def _artifacts(world: World, ago: int, made: tuple[tuple[str, str, str], ...]) -> list[Artifact]:
    return [
        Artifact(kind=kind, title=title, who=who, when=_day(world, ago - index // 2))
        for index, (kind, title, who) in enumerate(made)
    ]


_BUILT = {15: "Agent desk 2.0", 11: "Gateway", 7: "Retrieval quality", 10: "Refund agent"}
"""Where the work for an opportunity is, by number."""


def _opportunities(world: World, items: list[Item]) -> list[Document]:
    return [
        Opportunity.model_validate({
            "id": f"OPP-{number}", "title": title, "impact": impact, "confidence": confidence, "reversibility": reversibility,
            "effort_weeks": weeks, "status": status, "strategic_bet": bet, "cluster": cluster, "evidence": list(evidence),
            "created": _day(world, 64 if "EXP-1" in evidence else 32 - number % 9),
            "links": built_for(items, _BUILT[number]) if number in _BUILT else [],
        })
        for number, (title, impact, confidence, reversibility, weeks, status, bet, cluster, evidence) in enumerate(_PORTFOLIO, 1)
    ]  # fmt: skip


def _decisions(world: World) -> list[Document]:
    return [
        Decision(
            id=f"DEC-{number}", title=title, raised=_day(world, raised), decided=None if decided is None else _day(world, decided),
            reversed=None if undone is None else _day(world, undone), owner=owner, chosen=chosen, reason=reason, ritual=ritual,
            options=["accept", "reject"], review_by=None if decided is None else _day(world, raised - 90),
        )
        for number, (raised, decided, undone, title, owner, chosen, reason, ritual) in enumerate(_DECISIONS, 1)
    ]  # fmt: skip


def _streams(world: World) -> list[Document]:
    return [
        ValueStream.model_validate({
            "id": "VS-1", "title": "Support questions, from asked to answered", "demand_per_month": 12000, "value_per_success": 4.2,
            "created": _day(world, 12), "steps": list(_STEPS),
        })
    ]  # fmt: skip


def _commitments(world: World) -> list[Document]:
    """Three promises of earlier reviews: one kept, one overdue, one open."""
    return [
        Commitment(
            id="COM-1", title="Release the assistant's API more often", who="Conversations", promised=_day(world, 40),
            by=_day(world, 20), done=_day(world, 22), number="delivery.deployments.service.assist-api", direction="up",
        ),
        Commitment(
            id="COM-2", title="Switch the GPU notebook in dev off at night", who="Platform", promised=_day(world, 30),
            by=_day(world, 14), number="cost.billed.environment.dev",
        ),
        Commitment(
            id="COM-3", title="Bring refunds back under 0.10 USD a task", who="Conversations", promised=_day(world, 9),
            by=world.day(-12).date(), number="task.cost.scenario.refund", links=["OPP-8"],
        ),
    ]  # fmt: skip

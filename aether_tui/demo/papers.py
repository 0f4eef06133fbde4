"""What the people of the engagement wrote down: two cycles, a portfolio and some decisions."""

from __future__ import annotations

from datetime import UTC, date

from aether_tui.demo.world import World
from aether_tui.workspace.documents import Artifact, Cycle, Decision, Document, Opportunity, Stated, Tick
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.store import Store

# Title, impact, confidence, reversibility, effort in weeks, status, bet, cluster, evidence.
_Scored = tuple[str, Stated, Stated, Stated, Stated, str, bool, str, tuple[str, ...]]
_PORTFOLIO: tuple[_Scored, ...] = (
    ("Unify the two evaluation harnesses", 6.0, 5.0, 6.0, (10.0, 14.0, 20.0), "candidate", False, "", ("interview 1",)),
    ("Agent planner rewrite", (6.0, 9.0, 10.0), (2.0, 4.0, 6.0), 3.0, (24.0, 30.0, 44.0), "candidate", True, "", ("interview 4",)),
    ("Cache policy answers", 6.0, (5.0, 6.0, 8.0), 8.0, (1.0, 2.0, 3.0), "chosen", False, "policy_question",
     ("trace query: 31 % of policy requests repeat within a week", "interview 2")),
    ("Shorter greeting", 2.0, 8.0, 10.0, 0.5, "done", False, "", ("experiment EXP-1: no change in outcome",)),
    ("Move order lookups to one batched tool call", 5.0, 6.0, 7.0, (2.0, 3.0, 5.0), "candidate", False, "order_tracking",
     ("trace query: two lookups per tracking request",)),
    ("Translate policies before retrieval", (3.0, 5.0, 7.0), 4.0, 7.0, (3.0, 4.0, 8.0), "candidate", False, "policy_question",
     ("interview 3",)),
    ("Rerank long-tail product questions", (6.0, 8.0, 9.0), (5.0, 6.0, 7.0), 8.0, (1.0, 2.0, 4.0), "candidate", False, "product_question",
     ("interview 2", "trace query: product questions end well in 71 % of cases", "constraint: retrieval recall")),
    ("Refund prompt: drop the policy appendix again", (5.0, 7.0, 8.0), (6.0, 7.0, 9.0), 9.0, (1.0, 1.0, 2.0), "candidate", False,
     "refund_request", ("trace query: tokens per refund rose by a third with prompt v14",)),
    ("Own vector index instead of the managed one", 4.0, 3.0, 3.0, (8.0, 12.0, 20.0), "candidate", False, "",
     ("cost report: staging step",)),
    ("Hand over complaints at the first turn", 7.0, (3.0, 5.0, 6.0), 6.0, (2.0, 4.0, 6.0), "running", False, "complaint",
     ("interview 5", "trace query: complaints end well in half of the cases")),
    ("Smaller model for triage", 7.0, (3.0, 5.0, 7.0), 8.0, (3.0, 5.0, 8.0), "running", False, "",
     ("trace query: router calls", "interview 1")),
    ("Voice channel", (5.0, 8.0, 10.0), 3.0, 2.0, (30.0, 40.0, 60.0), "candidate", True, "", ("strategy paper",)),
    ("Sign-in help without the agent", 4.0, 7.0, 8.0, (1.0, 1.5, 2.0), "candidate", False, "login_trouble", ("interview 3",)),
    ("[@click=app.quit]Quick[/] \u202eelttil\u202c links in answers", 3.0, 4.0, 9.0, 1.0, "dropped", False, "",
     ("pasted from a customer's letter",)),
)  # fmt: skip

_ARTIFACTS = (
    (80, "north-star", "North star: resolved without a person, within ten minutes", "person-01"),
    (79, "reading", "Decision records 1 to 9 of the assistant", "person-02"),
    (78, "reading", "Prompt repository, 14 versions of the refund agent", "person-02"),
    (78, "reading", "Cost dashboards of the last two quarters", "person-03"),
    (77, "interview", "Interview 1: engineering lead", "person-02"),
    (77, "interview", "Interview 2: product manager", "person-02"),
    (76, "interview", "Interview 3: support operations", "person-03"),
    (75, "task-taxonomy", "Task taxonomy v1: twelve kinds of request", "person-02"),
    (74, "value-stream-map", "Value stream, as it is", "person-03"),
    (74, "stakeholder-priorities", "What each stakeholder calls success", "person-02"),
)

_DECISIONS = (
    (68, 61, "Count a request as resolved only when nobody writes again within a day", "person-01", "accepted"),
    (40, 26, "Send complaints to people after the first failed answer", "person-04", "accepted for one market"),
    (33, 24, "One team owns the gateway and its prices", "person-05", "Platform"),
    (12, 10, "Ship prompt v14 of the refund agent to everybody at once", "person-06", "accepted"),
    (6, None, "Keep or remove the policy appendix of prompt v14", "person-06", ""),
)


def write(world: World, workspace: Workspace, manual: tuple[str, ...]) -> None:
    """All documents, by the store that people's edits go through. `manual` are checklist items that people tick."""
    store = Store(workspace)
    for document in (*_cycles(world, manual), *_opportunities(world), *_decisions(world)):
        store.save(document, None, world.today.replace(tzinfo=UTC))


def _day(world: World, ago: int) -> date:
    return world.day(ago).date()


def _cycles(world: World, manual: tuple[str, ...]) -> list[Document]:
    ticks = {
        item: Tick(who="person-02", when=_day(world, 30 - index % 6), note="looked at together")
        for index, item in enumerate(manual)
    }
    artifacts = [
        Artifact(kind=kind, title=title, who=who, when=_day(world, ago), link=f"notes/{kind}-{index}.md")
        for index, (ago, kind, title, who) in enumerate(_ARTIFACTS, 1)
    ]
    first = Cycle(
        id="cycle-1", started=_day(world, 82), ended=_day(world, 34), goal="See what the assistant does and what it costs",
        items=ticks, artifacts=artifacts,
    )  # fmt: skip
    later = [artifact.model_copy(update={"when": _day(world, 30 - index)}) for index, artifact in enumerate(artifacts)]
    second = Cycle(
        id="cycle-2", started=_day(world, 33), goal="Find the one constraint of product and refund answers, and relieve it",
        items=ticks, artifacts=later,
    )  # fmt: skip
    return [first, second]


def _opportunities(world: World) -> list[Document]:
    return [
        Opportunity.model_validate({
            "id": f"OPP-{number}", "title": title, "impact": impact, "confidence": confidence, "reversibility": reversibility,
            "effort_weeks": weeks, "status": status, "strategic_bet": bet, "cluster": cluster, "evidence": list(evidence),
            "created": _day(world, 32 - number % 9),
        })
        for number, (title, impact, confidence, reversibility, weeks, status, bet, cluster, evidence) in enumerate(_PORTFOLIO, 1)
    ]  # fmt: skip


def _decisions(world: World) -> list[Document]:
    return [
        Decision(
            id=f"DEC-{number}", title=title, raised=_day(world, raised), decided=None if decided is None else _day(world, decided),
            owner=owner, chosen=chosen, options=["accept", "reject"], review_by=_day(world, raised - 90),
        )
        for number, (raised, decided, title, owner, chosen) in enumerate(_DECISIONS, 1)
    ]  # fmt: skip

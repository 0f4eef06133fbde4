"""Experiments of the demonstration, each in another state, and what two of them left in the playbook."""

from __future__ import annotations

from datetime import date, timedelta

from aether_tui.demo.world import EXPERIMENT_DAYS, World
from aether_tui.diagnostics.experiments_results import judged
from aether_tui.workspace.document import Document
from aether_tui.workspace.kinds.decision import Decision
from aether_tui.workspace.kinds.experiment import (
    Arm,
    Entry,
    Experiment,
    Guardrail,
    Measured,
    Observation,
    Primary,
)  # fmt: skip
from aether_tui.workspace.kinds.playbook import Case, PlaybookEntry
from aether_tui.workspace.trials import decision_record


def documents(world: World) -> list[Document]:
    """Four experiments (codified, decided, running, draft), their decisions and two playbook entries."""
    tried = [_lookup(world), _greeting(world)]
    return [*tried, _triage(world), _rerank(world), *_playbook(world), *(_record(one) for one in tried)]


def _record(one: Experiment) -> Decision:
    held = one.decision
    assert held is not None
    assert held.choice is not None
    why = judged(one, one.results)
    return decision_record(held.link, one, held.choice, why.verdict, why.why, held.who, held.when, held.note)


def _day(world: World, ago: float) -> date:
    return world.day(ago).date()


def _lookup(world: World) -> Experiment:
    when = _day(world, 41)
    return Experiment(
        id="EXP-1", title="One order lookup per request", level=4, opportunity="OPP-15", cycle="cycle-1", created=_day(world, 62),
        if_we="look an order up once and pass it on to every later step", then_we_expect="answers about orders come a second sooner",
        because="the value stream shows the same lookup twice in every tracking request",
        primary=[Primary(name="time to answer", measure="latency", better="lower", min_effect=0.2)],
        guardrails=[Guardrail(name="resolved", measure="success", better="higher", margin=0.04)],
        baseline=6.4, sd=2.9, mde=0.4, duration_weeks=2, allocation=0.5, stop_criteria="after two weeks, or when a guardrail breaks",
        rollback_triggers=["an order shown to the wrong customer", "resolved falls by four points"], rollback_owner="person-03",
        instrumentation="nothing: latency and outcome are on every task", shadow_first=True, feature="orders",
        history=[
            Entry(to="reviewed", when=_day(world, 60), who="person-02"),
            Entry(to="running", when=_day(world, 59), who="person-03", shadow=True, note="a week in shadow"),
            Entry(to="running", when=_day(world, 55), who="person-03"),
            Entry(to="decided", when=when, who="person-01", computed="scale", choice="scale", guardrail="turn latency", link="DEC-10"),
            Entry(to="codified", when=_day(world, 39), who="person-03", link="PLAY-1"),
        ],
        results=[
            Measured(metric="time to answer", when=when, source="csv", who="person-03", control=Arm(n=612, mean=6.44, sd=2.91),
                     treatment=Arm(n=634, mean=6.02, sd=2.77)),
            Measured(metric="resolved", when=when, source="csv", who="person-03", control=Arm(n=612, successes=551),
                     treatment=Arm(n=634, successes=572)),
        ],
        observations=[Observation(text="Five agents listened in: nobody missed the second lookup.", who="person-04", when=_day(world, 45))],
    )  # fmt: skip


def _greeting(world: World) -> Experiment:
    when = _day(world, 24)
    return Experiment(
        id="EXP-2", title="Shorter greeting", level=1, opportunity="OPP-4", cycle="cycle-2", created=_day(world, 33),
        primary=[Primary(name="resolved", measure="success", min_effect=0.02)],
        history=[
            Entry(to="reviewed", when=_day(world, 33), who="person-02"),
            Entry(to="running", when=_day(world, 32), who="person-02"),
            Entry(to="decided", when=when, who="person-02", computed="iterate", choice="kill", link="DEC-11",
                  note="Nobody noticed; not worth another week of anybody's attention."),
        ],
        results=[Measured(metric="resolved", when=when, who="person-02", control=Arm(n=411, successes=330),
                          treatment=Arm(n=402, successes=327))],
        observations=[Observation(text="Two of six customers skip the greeting.", who="person-03", when=_day(world, 26))],
    )  # fmt: skip


def _triage(world: World) -> Experiment:
    return Experiment(
        id="EXP-3", title="Smaller model for triage", level=3, opportunity="OPP-11", cycle="cycle-2", created=_day(world, 26),
        if_we="let a smaller model choose the agent", then_we_expect="a task costs a tenth less and ends as well",
        because="router calls are short and their answers are one of twelve words",
        primary=[Primary(name="cost per task", measure="cost", better="lower", min_effect=0.002)],
        guardrails=[
            Guardrail(name="resolved", measure="success", better="higher", margin=0.08),
            Guardrail(name="time to answer", measure="latency", better="lower", margin=1.0),
        ],
        baseline=0.024, sd=0.02, mde=0.003, duration_weeks=4, allocation=1.0, stop_criteria="after four weeks, or when a guardrail breaks",
        rollback_triggers=["resolved falls by eight points", "triage errors above 2 %"], rollback_owner="person-05",
        instrumentation="the arm on every root span (app.variant)", why_no_shadow="the router's choice cannot be judged without the answer",
        history=[
            Entry(to="reviewed", when=_day(world, EXPERIMENT_DAYS + 2), who="person-02"),
            Entry(to="running", when=_day(world, EXPERIMENT_DAYS), who="person-05"),
        ],
    )  # fmt: skip


def _rerank(world: World) -> Experiment:
    return Experiment(
        id="EXP-4", title="Rerank long-tail product questions", level=2, opportunity="OPP-7", cycle="cycle-2", created=_day(world, 3),
        if_we="rerank the passages of product questions", then_we_expect="six more of a hundred end well",
        because="the right passage is retrieved, but below the cut",
        primary=[Primary(name="resolved", measure="success", min_effect=0.03)], baseline=0.71, mde=0.06, allocation=0.5,
        cluster="product_question",
    )  # fmt: skip


def _playbook(world: World) -> list[PlaybookEntry]:
    made = _day(world, 39)
    return [
        PlaybookEntry(
            id="PLAY-1", title="Look an order up once and pass it on", kind="regression test", experiment="EXP-1", owner="person-03",
            review_by=made + timedelta(days=90), created=made, budget="llm.turn.latency",
            when_to_use="an agent asks the same system twice about the same thing within one request",
            body="Put the order into the state of the request after the first lookup; tools read it from there.",
            cases=[
                Case(name="tracking", input="Where is my order 48213?", contains=["48213"], lacks=["I could not find"]),
                Case(name="cancel", input="Please cancel order 48213.", contains=["48213"]),
            ],
            evidence="EXP-1 was decided scale: 0.4 s sooner, resolved unchanged",
        ),
        PlaybookEntry(
            id="PLAY-2", title="Write the request category on the root span", kind="taxonomy or instrumentation", owner="person-02",
            review_by=_day(world, 4), created=_day(world, 70), when_to_use="before anything is compared by kind of request",
            body="The router's answer goes into app.intent of the root span; twelve values, no free text.",
            evidence="cycle 1: the gate could not open without it",
        ),
    ]  # fmt: skip

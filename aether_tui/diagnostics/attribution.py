"""The attribution report: measured by `attribution_measure`, put into words by `attribution_words`."""

from __future__ import annotations

from typing import TypeVar

from aether_tui.diagnostics import attribution_words as words
from aether_tui.diagnostics.attribution_measure import Attribution, Spent, measure, questions, spent
from aether_tui.diagnostics.frame import Clock, Data, Question
from aether_tui.report_model import Block, Finding, Report
from aether_tui.workspace.documents import Documents

T = TypeVar("T", bound=Spent)


def asks(_data: Data, _documents: Documents, clock: Clock) -> tuple[Question, ...]:
    """What it asks that hangs on no other answer."""
    return questions(clock)


def build(data: Data, documents: Documents, clock: Clock) -> Report[Attribution]:
    """The report."""
    found = measure(data, clock)
    told = words.findings(found, documents.config.gate.attribution_share)
    return _report(found, words.blocks(found, data), told, data)


def brief(data: Data, _documents: Documents, clock: Clock) -> Report[Spent]:
    """What changed the cost, without the users, prompts and categories that make it and without the bill."""
    found = spent(data, clock)
    return _report(found, words.changed(found, data), (), data)


def _report(found: T, blocks: tuple[Block, ...], findings: tuple[Finding, ...], data: Data) -> Report[T]:
    return Report(
        report="attribution",
        title="Attribution",
        as_of=data.clock.now,
        window=data.clock.window,
        data=found,
        headline=words.headline(found),
        findings=findings,
        freshness=data.freshness(),
        blocks=blocks,
    )

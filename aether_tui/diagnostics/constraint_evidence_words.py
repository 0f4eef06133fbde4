"""What failed and what points at a cause, in words: two blocks of the constraint report."""

from __future__ import annotations

from aether_tui.diagnostics.constraint_failures import WANTED, Failures
from aether_tui.diagnostics.constraint_indicators import Indicator
from aether_tui.diagnostics.constraint_measure import Constraint
from aether_tui.diagnostics.frame import Data
from aether_tui.diagnostics.gaps import traceless
from aether_tui.human import evidence, number, plural, quantity
from aether_tui.report_model import (
    Block,
    Col,
    Gap,
    Quantity,
    Row,
    Table,
)
from aether_tui.text import one_line
from aether_tui.workspace.kinds.failure_review import FailureReview

SAMPLE = "aether-tui failures sample"


def failures(found: Failures | None, review: FailureReview | None) -> tuple[Block, ...]:
    if found is None or review is None:
        return (
            Gap(
                id="constraint.review",
                title="Failure review",
                reason=f"No failed trace has been reviewed; {WANTED} of them, one key each, price every cause.",
                next_step=SAMPLE,
                action="constraint.sample",
            ),
        )
    kappa = found.kappa
    agreement = f"kappa {kappa.value:.2f} over {found.rated_twice}" if kappa.value is not None else kappa.reason or ""
    causes = Table(
        id="constraint.causes",
        title=f"Failure review {found.id}",
        columns=(
            Col(key="cause", title="cause", priority=10),
            Col(key="share", title="share", kind="number", priority=9),
            Col(key="interval", title="95 % interval", kind="number", priority=8),
            Col(key="cost", title="a month", kind="number", priority=9),
        ),
        rows=tuple(
            Row(id=f"cause.{one.key}", cells=(one.label, one.share, share_interval(one.share), one.per_month),
                detail=f"{evidence(one.share)}; {quantity(one.per_month)} {evidence(one.per_month)}".strip("; "),
                why=f"Share [Wilson] × {number(found.failures_per_month)} failures a month × cost per failure")
            for one in found.causes
        ),
        note=f"{found.reviewed} of {found.sampled} sampled of {found.failed:,} failed in {plural(found.days, 'day')}; {agreement}.",
        empty="No cause is given yet.",
    )  # fmt: skip
    keys = " · ".join(f"{digit} {one_line(label, 40)}" for digit, label in enumerate(review.causes.values(), 1))
    traces = Table(
        id="constraint.traces",
        title="Reviewed traces",
        columns=(
            Col(key="trace", title="trace", priority=10),
            Col(key="first", title="first rater", priority=9),
            Col(key="second", title="second rater", priority=8),
        ),
        rows=tuple(
            Row(id=f"{review.id}/{item.source}/{item.trace}", cells=(item.trace, _mark(item.who), _mark(item.second_who)),
                detail=_verdicts(review, item.cause, item.who, item.second, item.second_who))
            for item in sorted(review.traces, key=lambda item: bool(item.cause))
        ),
        note=f"{keys}. A second name rates blind: causes show only when opened.",
    )  # fmt: skip
    return (causes, traces)


def _mark(who: str) -> str:
    return f"✓ {one_line(who, 40)}" if who else "·"


def _verdicts(review: FailureReview, cause: str, who: str, second: str, second_who: str) -> str:
    given = [(cause, who), (second, second_who)]
    told = [f"{one_line(review.causes[key])} ({one_line(by, 60)})" for key, by in given if key]
    return "; ".join(told) or "nobody has given a cause"


def share_interval(share: Quantity) -> str:
    return f"{100 * (share.low or 0):.0f}–{100 * (share.high or 0):.0f} %"


def indicators(found: Constraint, data: Data) -> Table | Gap:
    if all(one.value.value is None for one in found.indicators):
        return traceless(data, "constraint.indicators", "What traces say about each category")
    return Table(
        id="constraint.indicators",
        title="What traces say about each category",
        columns=(
            Col(key="name", title="indicator", priority=10),
            Col(key="value", title="now", kind="number", priority=9),
            Col(key="evidence", title="evidence", priority=6),
        ),
        rows=tuple(
            Row(id=one.id, cells=(_name(found, one.name), one.value, evidence(one.value)),
                detail=_behind(one), why=one.why("constraint"))
            for one in found.indicators
        ),
    )  # fmt: skip


def _behind(one: Indicator) -> str:
    traces = [f"heaviest traces: {' '.join(one.traces[:3])}"] if one.traces else []
    return "\n".join((f"{one.category}: {one.means}", *traces))


def _name(found: Constraint, name: str) -> str:
    return f"{name} ({one_line(found.hardest, 40)})" if name.startswith("success of") and found.hardest else name

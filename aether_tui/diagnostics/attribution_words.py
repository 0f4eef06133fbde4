"""Attribution in words: the waterfall, cost by dimension, coverage and the bill."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import structs

from aether_tui.diagnostics import metrics
from aether_tui.diagnostics.bill import facts as bill_facts
from aether_tui.diagnostics.gaps import traceless
from aether_tui.human import NONE, Beside, amount, apart, column, day, money, plural
from aether_tui.report_model import (
    Block,
    Cell,
    Col,
    Fact,
    Facts,
    Finding,
    Gap,
    Quantity,
    Row,
    Table,
    missing,
    worst_first,
)
from aether_tui.stats.lmdi import Factor

if TYPE_CHECKING:
    from aether_tui.diagnostics.attribution_measure import Attribution, Dimension, Spent, Waterfall
    from aether_tui.diagnostics.frame import Data

NAMES: dict[Factor, tuple[str, str]] = {
    "volume": ("volume", "calls that succeeded"),
    "mix": ("mix", "which features, teams and models they were of"),
    "errors": ("errors", "calls made for one that succeeded"),
    "tokens": ("tokens per call", "input and output together"),
    "price": ("price", "money per token, caching and the share of output included"),
}
HOW = {
    "category": "Of traces that began in the window, each with all of its calls.",
    "user tenth": "The first tenth are the users that cost most.",
}
BAR = 20
CLOSE = 0.05
"""How far traces may be from the bill."""


def headline(found: Spent) -> str:
    """The cost, and what changed it most."""
    if found.cost_usd is None:
        return "No model call is in view, so there is nothing to attribute."
    told = f"Model calls cost {money(found.cost_usd, 'USD')}"
    if found.waterfall is None:
        return f"{told}; {found.no_waterfall}."
    change = found.waterfall.after_usd - found.waterfall.before_usd
    most = max(found.waterfall.parts, key=lambda factor: abs(found.waterfall.parts[factor]) if found.waterfall else 0.0)
    return f"{told}, {_signed(change)} since the window before; most of it {NAMES[most][0]}, {_signed(found.waterfall.parts[most])}."


def _signed(value: float, beside: Beside | None = None) -> str:
    return f"{'+' if value >= 0 else '−'}{amount(abs(value), 'USD', 'USD', beside)}"


def findings(found: Attribution, wanted: float) -> tuple[Finding, ...]:
    """Cost of nobody where the gate has `wanted` more, calls without a price, and a bill that differs."""
    result = []
    if found.attributed is not None and found.attributed < wanted:
        share, bound = apart(found.attributed, wanted, "ratio"), apart(wanted, found.attributed, "ratio")
        text = f"{share} of cost has a feature and a team; the gate wants {bound}."
        result.append(
            Finding(id="attribution.covered", severity="warn", text=text, action="aether-tui report instrumentation")
        )
    if found.unpriced_calls:
        text = f"{found.unpriced_calls:,} of {plural(found.calls, 'call')} without a price, counted as nothing here."
        result.append(
            Finding(id="attribution.unpriced", severity="info", text=text, action="add a price under [[prices]]")
        )
    ratio = found.bill.ratio
    if ratio is not None and abs(ratio - 1) > CLOSE:
        text = f"All traces explain {amount(ratio, 'ratio')} of what model providers billed; within 5 % can be trusted."
        result.append(Finding(id="attribution.bill", severity="warn", text=text, evidence=("sources.bill.ratio",)))
    return worst_first(result)


def blocks(found: Attribution, data: Data) -> tuple[Block, ...]:
    """Facts, the waterfall, its kinds of call, dimensions."""
    told = changed(found, data)
    if found.cost_usd is None:
        return told
    bill = bill_facts(found.bill)
    if data.filters.set_names():  # nobody bills by team
        bill = structs.replace(bill, title="All calls and the whole bill")
    return (_facts(found), bill, *told, *(_dimension(one) for one in found.dimensions))


def changed(found: Spent, data: Data) -> tuple[Block, ...]:
    """The waterfall and its kinds of call, or why there is none."""
    if found.cost_usd is None:
        return (traceless(data, "attribution.none", "Attribution"),)
    if found.waterfall is None:
        gap = Gap(id="attribution.change", title="What changed the cost", reason=f"{found.no_waterfall.capitalize()}.",
                  next_step="aether-tui report attribution --window 7d, or load traces that go further back")  # fmt: skip
        return (gap,)
    return (_waterfall(found.waterfall), _movers(found.waterfall))


def _facts(found: Attribution) -> Facts:
    attributed = (
        missing("nothing has a cost", unit="ratio")
        if found.attributed is None
        else Quantity(value=found.attributed, unit="ratio")
    )
    return Facts(
        id="attribution.facts",
        facts=(
            Fact(id="attribution.cost", label="model cost", value=Quantity(value=found.cost_usd, unit="USD", n=found.calls),
                 why=metrics.why("attribution.cost")),
            Fact(id="attribution.share", label="with feature and team", value=attributed,
                 why=metrics.why("attribution.share")),
        ),
    )  # fmt: skip


def _waterfall(one: Waterfall) -> Table:
    at, steps = one.before_usd, [("before", 0.0, one.before_usd)]
    for factor, part in one.parts.items():
        steps.append((factor, at, at + part))
        at += part
    steps.append(("after", 0.0, one.after_usd))
    most = max((max(begin, end) for _, begin, end in steps), default=0.0)
    beside = column((end if begin == 0 else end - begin for _, begin, end in steps), "USD").get("USD")
    return Table(
        id="attribution.waterfall",
        title=f"What changed the cost since {day(one.before.start)} to {day(one.before.end - timedelta(microseconds=1))}",
        why=metrics.why("attribution.waterfall"),
        columns=(
            Col(key="name", title="", priority=10),
            Col(key="usd", title="USD", kind="number", priority=10),
            Col(key="draw", title="", width=BAR, priority=7),
        ),
        rows=tuple(_fall(name, begin, end, most, one, beside) for name, begin, end in steps),
        note=f"The five parts sum to the change exactly: LMDI-I (Ang 2005) over feature × team × model.{_blurred(one)}",
    )


def _blurred(one: Waterfall) -> str:
    """What makes the price part more than prices."""
    if abs(one.unpriced_after - one.unpriced_before) < 0.01:
        return ""
    before, after = (amount(share, "ratio") for share in (one.unpriced_before, one.unpriced_after))
    return f" Calls without a price were {before} before and are {after} now; that change is among price."


def _fall(name: str, begin: float, end: float, most: float, one: Waterfall, beside: Beside | None) -> Row:
    low, high = (round(BAR * max(value, 0.0) / most) if most > 0 else 0 for value in sorted((begin, end)))
    drawn = "·" * low + "█" * (high - low)
    if name in {"before", "after"}:
        return Row(id=name, cells=(name, amount(end, "USD", "USD", beside).removesuffix(" USD"), drawn))
    label, what = next(words for factor, words in NAMES.items() if factor == name)
    change = one.after_usd - one.before_usd
    share = (
        f"{round(100 * (end - begin) / change)} % of the change".replace("-", "−")
        if abs(change) > 1e-12
        else "the whole cost did not change"
    )
    return Row(
        id=name,
        cells=(label, _signed(end - begin, beside).removesuffix(" USD"), drawn),
        detail=f"{what}: {share}",
    )


def _movers(one: Waterfall) -> Table:
    shown = one.movers[:10]
    changes = [[mover.after_usd - mover.before_usd, *(mover.parts[factor] for factor in NAMES)] for mover in shown]
    beside = column((value for line in changes for value in line), "USD").get("USD")
    return Table(
        id="attribution.movers",
        title="Kinds of call that changed most",
        why=metrics.why("attribution.waterfall"),
        columns=(
            Col(key="name", title="feature · team · model", priority=10),
            Col(key="change", title="Δ USD", kind="number", priority=9),
            *(
                Col(key=factor, title=words[0], kind="number", private=True, priority=5)
                for factor, words in NAMES.items()
            ),
        ),
        rows=tuple(
            Row(
                id=f"mover.{mover.name}",
                cells=(mover.name, *(_plain(value, beside) for value in line)),
                detail=f"{money(mover.before_usd, 'USD')} before, {money(mover.after_usd, 'USD')} after",
            )
            for mover, line in zip(shown, changes, strict=True)
        ),
    )


def _plain(value: float, beside: Beside | None) -> str:
    """A change, or a dash where it rounds to nothing."""
    least = 0.5 * 10 ** -(2 if beside is None else beside.places)
    return NONE if abs(value) < least else _signed(value, beside).removesuffix(" USD")


def _dimension(one: Dimension) -> Table:
    from aether_tui.diagnostics.attribution_measure import SHOWN

    listed = [share for share in one.values if share.name is not None][:SHOWN]
    rest = [share for share in one.values if share.name is not None][SHOWN:]
    nobody = [share for share in one.values if share.name is None]
    rows = [(share.name or "", share.calls, share.cost_usd, share.share) for share in listed]
    if rest:
        rows.append(
            (
                f"{len(rest):,} more",
                sum(s.calls for s in rest),
                sum(s.cost_usd or 0.0 for s in rest),
                sum(s.share or 0.0 for s in rest),
            )
        )
    rows += [(f"no {one.name.removesuffix(' tenth')}", share.calls, share.cost_usd, share.share) for share in nobody]
    beside = column((usd for _, _, usd, _ in rows), "USD").get("USD")
    covered = "" if one.covered is None else f"{amount(one.covered, 'ratio')} of cost has one."
    return Table(
        id=f"attribution.{one.name.replace(' ', '-')}",
        title=f"By {one.name}",
        why=metrics.why("attribution.dimension"),
        columns=(
            Col(key="name", title=one.name, priority=10),
            Col(key="calls", title="calls", kind="number", priority=6),
            Col(key="usd", title="USD", kind="number", priority=9),
            Col(key="share", title="share", kind="number", priority=8),
        ),
        rows=tuple(
            Row(id=f"{one.name}.{name}", cells=_cells(name, calls, usd, share, beside))
            for name, calls, usd, share in rows
        ),
        note=f"{covered} {HOW.get(one.name, '')}".strip(),
        empty="No model call.",
    )


def _cells(name: str, calls: int, usd: float | None, share: float | None, beside: Beside | None) -> tuple[Cell, ...]:
    return (
        name,
        f"{calls:,}",
        missing("no price known", unit="USD")
        if usd is None
        else amount(usd, "USD", "USD", beside).removesuffix(" USD"),
        NONE if share is None else Quantity(value=share, unit="ratio"),
    )

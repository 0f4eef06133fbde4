"""The task taxonomy in words: headline, findings, map, examples, the unsure, versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aether_tui.diagnostics import metrics
from aether_tui.human import amount, day, plural, quantity
from aether_tui.report_model import Block, Col, Fact, Facts, Finding, Gap, Quantity, Row, Table

if TYPE_CHECKING:
    from aether_tui.diagnostics.taxonomy_measure import Kind, Map

FEW: Final = 200
DRIFT: Final = 0.15
LEAST: Final = 50
"""Assigned requests under which drift is not judged."""
MOVED: Final = 0.05
BUILD: Final = "aether-tui taxonomy build FILE"


def headline(found: Map) -> str:
    """How many kinds there are, what is assigned, and the largest."""
    if found.version is None:
        return "There is no task taxonomy yet: what is asked of the product is not known."
    kinds = plural(len(found.kinds), "kind", "kinds")
    if not found.kinds[0].requests:
        return f"{found.version} has {kinds} of request; no request of this window was assigned yet."
    top = found.kinds[0]
    return (
        f"{quantity(found.assigned)} of {plural(found.requests, 'request')} assigned to {kinds}; the largest, {top.label}, is "
        f"{quantity(top.volume)} of requests and {quantity(top.cost)} of their cost."
    )


def findings(found: Map) -> tuple[Finding, ...]:
    """Drift, a taxonomy of too few texts, a model that is gone, kinds that fail most, kinds that grew or shrank."""
    said: list[Finding] = []
    if found.version is None:
        return ()
    if not found.model_there:
        said.append(Finding(
            id="taxonomy.model", severity="bad", action="taxonomy build",
            text=f"The model file of {found.version} is gone, so no request is assigned: take it from git or build it again.",
        ))  # fmt: skip
    far = found.far
    if far.value is not None and far.value > DRIFT and (far.n or 0) >= LEAST:
        said.append(Finding(
            id="taxonomy.drift", severity="warn", evidence=("taxonomy.unsure",), action="taxonomy sample",
            text=f"Drift: {quantity(far)} of assigned requests are far from every kind (n {far.n:,}); sample new ones and build again.",
        ))  # fmt: skip
    if found.texts < FEW:
        said.append(Finding(
            id="taxonomy.few", severity="info",
            text=f"{found.version} was built from {found.texts} texts: a first guess, {FEW} to 500 make a taxonomy.",
        ))  # fmt: skip
    return (*said, *_failing(found), *_moved(found))


def _failing(found: Map) -> list[Finding]:
    """The kind whose failures are surely above those of all, by the most."""
    judged = [one for one in found.kinds if one.failures.value is not None]
    n = sum(one.failures.n or 0 for one in judged)
    if not n:
        return []
    mean = sum((one.failures.value or 0) * (one.failures.n or 0) for one in judged) / n
    worse = [one for one in judged if one.failures.low is not None and one.failures.low > mean]
    return [
        Finding(
            id=f"taxonomy.failing.{one.id}", severity="warn", evidence=(f"taxonomy.kinds/{one.id}",),
            text=f"{one.label} fails {quantity(one.failures)} of the time [{amount(one.failures.low or 0, 'ratio')}–"
            f"{amount(one.failures.high or 0, 'ratio')}, n {one.failures.n:,}]; all kinds together {amount(mean, 'ratio')}.",
        )
        for one in sorted(worse, key=lambda one: -(one.failures.low or 0))[:1]
    ]  # fmt: skip


def _moved(found: Map) -> list[Finding]:
    """Kinds whose share changed by five points or more, their intervals apart."""
    said = []
    for one in found.kinds:
        was, now = one.volume_before, one.volume
        if was.value is None or now.value is None or abs(now.value - was.value) < MOVED:
            continue
        if (now.low or 0) > (was.high or 1) or (now.high or 1) < (was.low or 0):
            said.append(Finding(
                id=f"taxonomy.moved.{one.id}", severity="info", evidence=(f"taxonomy.kinds/{one.id}",),
                text=f"{one.label} went from {quantity(was)} to {quantity(now)} of requests.",
            ))  # fmt: skip
    return said


def blocks(found: Map) -> tuple[Block, ...]:
    """Key figures, the map, examples, what is unsure, versions."""
    if found.version is None:
        return (
            Gap(
                id="taxonomy.none", title="Task taxonomy",
                reason="No kinds of request are known. Two hundred to five hundred texts of requests are enough to find them.",
                next_step=f"{BUILD} (CSV, JSON lines, a text a line); or aether-tui taxonomy sample PATH of traces, then build",
            ),
        )  # fmt: skip
    return (_facts(found), _map(found), _examples(found), _unsure(found), _versions(found))


def _facts(found: Map) -> Facts:
    rate = found.far
    drifts = rate.value is not None and rate.value > DRIFT and (rate.n or 0) >= LEAST
    return Facts(
        id="taxonomy.facts",
        facts=(
            Fact(id="assigned", label="assigned", value=found.assigned, better="higher",
                 why=metrics.why("taxonomy.assigned")),
            Fact(id="unsure", label="unsure", value=found.unsure, better="lower",
                 why=metrics.why("taxonomy.unsure")),
            Fact(id="far", label="far", value=found.far, better="lower", state="warn" if drifts else "info",
                 why=f"less like every kind than 95 % of the texts it was built from; over {amount(DRIFT, 'ratio')} is drift"),
            Fact(id="kinds", label="kinds", value=Quantity(value=float(len(found.kinds)), unit="count"), why=found.chosen),
        ),
    )  # fmt: skip


def _map(found: Map) -> Table:
    return Table(
        id="taxonomy.kinds", title="Kinds of request", why=metrics.why("taxonomy.kinds"),
        columns=(
            Col(key="id", title="id", width=5, priority=6), Col(key="label", title="kind", width=26, priority=10),
            Col(key="n", title="requests", kind="number", width=9, priority=7),
            Col(key="volume", title="volume", kind="number", width=8, priority=9),
            Col(key="cost", title="cost", kind="number", width=7, priority=9),
            Col(key="failures", title="failed", kind="number", width=8, priority=8),
            Col(key="errors", title="errors", kind="number", width=8, priority=5),
            Col(key="drift", title="change", kind="number", width=8, priority=6),
            Col(key="unsure", title="unsure", kind="number", width=8, priority=4),
        ),
        rows=tuple(_kind_row(one, sampled=not found.kinds[0].requests) for one in found.kinds),
        note="volume and cost: share of assigned requests and of their cost; failed: of those with an outcome; change: of volume "
        "against the window before. Before any request is assigned, volume is the share of the texts it was built from.",
    )  # fmt: skip


def _kind_row(one: Kind, *, sampled: bool) -> Row:
    now, was = one.volume.value, one.volume_before.value
    change = (
        ""
        if now is None or was is None
        else f"{100 * (now - was):+.0f} pt".replace("-0", "±0").replace("+0", "±0").replace("-", "−")
    )
    volume = Quantity(value=one.sample_share, unit="ratio") if sampled else one.volume
    lines = [f"“{each}”" for each in one.examples[:2]]
    lines += [f"words: {', '.join(one.terms)}"] * bool(one.terms)
    lines += [f"from: {', '.join(one.parents)}"] * bool(one.parents)
    lines += [f"edited: {each}" for each in one.edits]
    return Row(
        id=one.id,
        cells=(one.id, one.label, one.requests, volume, one.cost, one.failures, one.errors, change, one.unsure),
        detail="\n".join(lines),
    )  # fmt: skip


def _examples(found: Map) -> Table:
    return Table(
        id="taxonomy.examples", title="Examples, redacted", why=metrics.why("taxonomy.examples"),
        columns=(Col(key="label", title="kind", width=28, priority=8), Col(key="text", title="request", priority=10)),
        rows=tuple(
            Row(id=f"{one.id}/{number}", cells=(one.label if number == 0 else "", each), detail=each)
            for one in found.kinds
            for number, each in enumerate(one.examples)
        ),
        empty="no example is kept",
    )  # fmt: skip


def _unsure(found: Map) -> Table:
    return Table(
        id="taxonomy.unsure", title="Least certain requests of the window", why=metrics.why("taxonomy.unsure"),
        columns=(
            Col(key="trace", title="trace", width=32, priority=8), Col(key="kind", title="nearest kind", priority=10),
            Col(key="certainty", title="", width=7, priority=9), Col(key="margin", title="margin", kind="number", width=7, priority=6),
            Col(key="feature", title="feature", width=16, priority=5), Col(key="day", title="day", width=10, priority=4),
        ),
        rows=tuple(
            Row(id=one.trace, cells=(one.trace, one.category, one.certainty, f"{one.margin:.3f}", one.feature, day(one.start)),
                detail=f"aether-tui trace {one.trace}")
            for one in found.doubtful
        ),
        empty="no uncertain request in this window",
        note="Texts are not kept: the trace shows what is.",
    )  # fmt: skip


def _versions(found: Map) -> Table:
    return Table(
        id="taxonomy.versions", title="Versions", why=metrics.why("taxonomy.versions"),
        columns=(
            Col(key="id", title="id", width=7, priority=10), Col(key="built", title="built", width=10, priority=8),
            Col(key="kinds", title="kinds", kind="number", width=6, priority=9),
            Col(key="kept", title="known before", kind="number", width=13, priority=5),
            Col(key="texts", title="texts", kind="number", width=7, priority=7), Col(key="from", title="from", priority=6),
        ),
        rows=tuple(
            Row(id=one.id, cells=(one.id, day(one.built), one.categories, one.kept, one.texts, one.source), detail=one.chosen)
            for one in found.versions
        ),
    )  # fmt: skip

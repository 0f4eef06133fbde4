"""How many model calls could be made again with the words they were made with (diagnostics A)."""

from __future__ import annotations

from msgspec import Struct

from aether_tui.diagnostics.frame import Data, Question, whole
from aether_tui.diagnostics.sampling import DRAWN, MOMENTS, ahead, drawn, looked_for
from aether_tui.human import plural, quantity
from aether_tui.report_model import Quantity, Row, missing
from aether_tui.stats.intervals import ratio

SETTING = "[privacy] keep_payloads = true"


class Replayable(Struct, frozen=True, kw_only=True):
    """Share of model calls whose input is kept whole, in a sample of tasks; why not, for the others; what to change."""

    share: Quantity
    tasks: int
    calls: int
    not_kept: int
    redacted: int
    cut: int
    flat: int
    """Messages kept as one text: not what was sent."""
    setting: str | None


def asks(data: Data) -> tuple[Question, ...]:
    """What `measure` asks first, once it is known how many tasks there are."""
    return tuple(ahead(data, looked_for(DRAWN), data.filters.environment).items())


def measure(data: Data, *, kept: bool) -> Replayable:
    """The criterion over the window; `kept` is whether the workspace keeps inputs now."""
    rows = data.rows("instrument_inputs", **drawn(data, DRAWN, data.filters.environment))
    calls = sum(whole(row["calls"]) for row in rows)
    not_kept = calls - sum(whole(row["kept"]) for row in rows)
    return Replayable(
        share=_share([(whole(row["whole"]), whole(row["calls"])) for row in rows]),
        tasks=len(rows),
        calls=calls,
        not_kept=not_kept,
        redacted=sum(whole(row["redacted"]) for row in rows),
        cut=sum(whole(row["cut"]) for row in rows),
        flat=sum(whole(row["flat"]) for row in rows),
        setting=SETTING if not kept else None,
    )


def _share(pairs: list[tuple[int, int]]) -> Quantity:
    """Whole over all, with tasks as clusters: calls of one task are kept or lost together."""
    calls = sum(n for _, n in pairs)
    if not calls:
        return missing("no calls yet", unit="ratio", n=0)
    value, low, high = ratio(pairs)
    if high is None or value in {0.0, 1.0}:  # an estimate without spread has no interval of this kind
        return Quantity(value=value, unit="ratio", n=calls)
    return Quantity(value=value, unit="ratio", n=calls, low=low, high=min(high, 1.0))


def row(found: Replayable) -> Row:
    """Its line among the fields: coverage, the reasons, the setting to change."""
    reasons = [
        f"{n:,} {words}"
        for n, words in (
            (found.not_kept, "not kept"),
            (found.redacted, "redacted"),
            (found.cut, "too long, or with images"),
            (found.flat, "kept as one text"),
        )
        if n
    ]
    missed = found.share.value is not None and found.share.value < 1
    change = found.setting or ("new calls only" if found.not_kept else "")
    return Row(
        id="instrumentation.replayable",
        state="no-data" if found.share.value is None else "info",
        cells=(
            "no data" if found.share.value is None else "wanted",
            "input kept whole (replayable)",
            found.share,
            "calls",
            ", ".join(reasons),
            change if missed else "",
        ),
        detail=f"{quantity(found.share)} of {plural(found.calls, 'call')} of {plural(found.tasks, 'task')}"
        + (f": {', '.join(reasons)}" if reasons else ""),
        why="Model calls whose input is stored with nothing redacted and nothing cut ÷ model calls of "
        f"{DRAWN} tasks of the window drawn by the hash of their id, of many tasks from {MOMENTS} moments of it; "
        "the interval takes tasks as clusters.\n"
        "Inputs are kept from when the setting is on; `aether-tui replay` sends them again.",
    )

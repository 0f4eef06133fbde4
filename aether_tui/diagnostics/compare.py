"""Whether a number really is another one: its 95 % interval lies wholly beyond that of the one before."""

from __future__ import annotations

from aether_tui.report_model import Finding, Quantity


def apart(new: Quantity, old: Quantity) -> int:
    """1 when the interval of `new` lies above that of `old`, −1 when below, 0 when they overlap or one is missing."""
    if new.low is None or new.high is None or old.low is None or old.high is None:
        return 0
    return (new.low > old.high) - (new.high < old.low)


def changed(identity: str, what: str, new: Quantity, old: Quantity, *, better: str) -> tuple[Finding, ...]:
    """A finding about a number that went up or down beyond the intervals; none otherwise. `better`: higher or lower."""
    from aether_tui.human import quantity

    way = apart(new, old)
    if not way:
        return ()
    worse = (way > 0) is (better == "lower")
    text = f"{what} went {'up' if way > 0 else 'down'} from {quantity(old)} to {quantity(new)}; the 95 % intervals do not overlap."
    return (Finding(id=f"{identity}.change", severity="warn" if worse else "info", text=text, evidence=(identity,)),)

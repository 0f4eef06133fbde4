"""The arithmetic of one verdict, in words and numbers."""

from __future__ import annotations

from aether_tui.budgets.file import Budget
from aether_tui.budgets.model import Result
from aether_tui.budgets.outputs import signed_share
from aether_tui.human import amount, apart, plural, quantity
from aether_tui.report_model import GLYPHS, Quantity

_SHOWN = 12


def explain_result(rule: Budget, one: Result, currency: str) -> str:
    """Lines about one result: the rule, the measurements, the comparison, the conclusion."""

    def counted(value: float | None, bound: float | None = None) -> str:
        unit, own = "money" if kind == "spent" else rule.kind, one.unit.partition("/")[0]
        return quantity(Quantity(value=value, unit=unit, currency=own, bound=bound, reason="not measured"))

    kind = one.series if rule.kind.endswith("/month") else ""  # a scenario may be called so, too
    of_now, of_base = _made_of(one, kind, rule.stat)
    lines = [f"{GLYPHS[one.verdict]} {one.name}: {one.verdict}", f"  because     {one.why}"]
    if one.next:
        lines.append(f"  next        {one.next}")
    lines.append(f"  rule        {_rule(rule, currency)}")
    money = currency if one.unit.startswith(currency) else ""
    if one.n_now:
        now = one.recent[-one.n_now :] if one.recent else ()
        lines.append(f"  now         {counted(one.now, one.limit)} ({of_now}){_listed(now, money)}")
    if one.n_base:
        base = one.recent[: one.n_base]
        lines.append(f"  baseline    {counted(one.baseline)} ({of_base}{_of(one.base_source)}){_listed(base, money)}")
    if one.limit is not None:
        used = f", {apart(one.share, 1.0, 'ratio')} used" if one.share is not None else ""
        lines.append(f"  limit       {amount(one.limit, rule.kind, currency)}{used}")
    if one.shift is not None:
        lines.append(f"  shift       {signed_share(one.shift)}{_interval(one)}")
    if one.p_value is not None:
        alone = "" if one.p_alone is None else f", {one.p_alone:.3g} alone"
        lines.append(f"  evidence    p {one.p_value:.3g}, one-sided Mann–Whitney over all budgets (Holm){alone};")
        lines.append("              it blocks below 0.01, and warns below 0.05 or below 0.01 alone")
    if one.smallest_detectable is not None:
        lines.append(
            f"  sees        a rise of {amount(one.smallest_detectable, 'ratio')} or more with so many measurements"
        )
    if one.drift is not None:
        lines.append(f"  drift       {signed_share(one.drift)} against 90 days ago")
    if one.run_rate is not None:
        lines.append(f"  pace        {amount(one.run_rate, 'money', one.unit)} at the month's end, on a straight line")
    return "\n".join(lines)


def _made_of(one: Result, kind: str, stat: str) -> tuple[str, str]:
    """What the numbers now and before are made of: of a month's money one sum, else a statistic."""
    if kind == "spent":
        return f"the month so far, {plural(one.n_now, 'day')}", "the month before, as long"
    if kind == "plan":
        return f"of {plural(one.n_now, 'project')}", "before the change"
    return f"{stat} of {one.n_now}", f"median of {one.n_base}"


def _rule(rule: Budget, currency: str) -> str:
    match = ", ".join(f"{key} {value}" for key, value in rule.match.items()) or "everything"
    parts = [f"{rule.metric} of {match}"]
    if rule.limit is not None:
        parts.append(f"limit {amount(float(rule.limit), rule.kind, currency)}")
    for name, threshold in (("warn", rule.warn), ("block", rule.block)):
        if threshold.relative is not None:
            parts.append(f"{name} from +{amount(threshold.relative, 'ratio')}")
        if threshold.over_limit is not None:
            parts.append(f"{name} {amount(threshold.over_limit, 'ratio')} over the limit")
    return ", ".join(parts)


def _listed(values: tuple[float, ...], money: str) -> str:
    """The last values, of money with its currency behind them, by which room mode knows them."""
    if not values:
        return ""
    left = f"… {len(values) - _SHOWN} more, " if len(values) > _SHOWN else ""
    told = [f"{float(f'{value:.4g}'):f}".rstrip("0").rstrip(".") for value in values[-_SHOWN:]]
    return f": {left}{', '.join(told)} {money}".rstrip()


def _of(source: str) -> str:
    return f" in {source}" if source else ""


def _interval(one: Result) -> str:
    if one.shift_low is None or one.shift_high is None:
        return ""
    return f" [{signed_share(one.shift_low)} to {signed_share(one.shift_high)}], Hodges–Lehmann, 95 %"

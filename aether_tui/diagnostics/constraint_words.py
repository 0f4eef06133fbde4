"""The constraint in words: the headline, findings and blocks of the report."""

from __future__ import annotations

from aether_tui.diagnostics import constraint_evidence_words as evidence_words
from aether_tui.diagnostics import metrics
from aether_tui.diagnostics.constraint_failures import AGREES, Failures
from aether_tui.diagnostics.constraint_measure import OFF, Constraint, Lead, LeverView, Solution, StepView
from aether_tui.diagnostics.constraint_solve import DRAWS, OBJECTIVES, Objective
from aether_tui.diagnostics.constraint_streams import StreamChoice
from aether_tui.diagnostics.frame import Data, Filters
from aether_tui.human import NONE, amount, duration, money, number, plural
from aether_tui.report_model import (
    Block,
    Cell,
    Col,
    Fact,
    Facts,
    Finding,
    Gap,
    Prose,
    Quantity,
    Row,
    Table,
)
from aether_tui.workspace.kinds.failure_review import FailureReview

NEW = "aether-tui doc new value-stream"
GOALS: dict[Objective, str] = {
    "money": "money a month", "lead_time": "lead time", "cost_per_success": "cost per success",
    "success_rate": "success rate", "throughput": "items a month",
}  # fmt: skip
CELLS = {
    "touch_s": "touch", "wait_s": "wait", "cost": "cost", "error_rate": "error rate", "abandon_rate": "abandonment",
    "capacity_per_month": "capacity",
}  # fmt: skip
LEAST_GAIN = 1e-9
SHOWN, SHOWN_OTHERS = 12, 5


def headline(found: Constraint) -> str:
    """The constraint and what it is worth, or what to measure before anything is concluded."""
    solution = found.solution
    if solution is None:
        return f"The constraint is not known: {found.reason}."
    lead = solution.leads["money"]
    if lead is None:
        return f"No lever of {solution.id} {solution.title} is worth money: nothing fails, costs or runs full."
    if not lead.sure:
        return f"Measure first: {lead.step} is the constraint with a probability of {lead.probability:.2f} only{_doubt(lead)}."
    top = _of(solution, lead)
    return (
        f"{lead.step} is the constraint (probability {lead.probability:.2f}): 30 % better {lead.lever} is worth "
        f"{money(top.change['money'] or 0, solution.currency)} a month [{_span(top, 'money')}]."
    )


def _doubt(lead: Lead) -> str:
    if lead.measure_first is None or lead.explains is None:
        return ""
    return f"; {_cell(lead.measure_first)} explains {100 * lead.explains:.0f} % of the doubt"


def _cell(name: str) -> str:
    step, _, field = name.rpartition(" ")
    return f"{CELLS.get(field, field)} of {step}"


def _of(solution: Solution, lead: Lead, objective: Objective = "money") -> LeverView:
    return next(one for one in solution.levers[objective] if (one.step, one.lever) == (lead.step, lead.lever))


def _span(lever: LeverView, objective: Objective) -> str:
    return f"{number(lever.low[objective])}–{number(lever.high[objective])}"


def findings(found: Constraint, filters: Filters) -> tuple[Finding, ...]:
    """What to act on, what is doubtful, and what failures cost."""
    result = []
    if found.solution is not None and (left := [name for name in filters.set_names() if name != "feature"]):
        text = (
            f"{found.solution.id} stands as it is written: no figure of it can be narrowed to {filters.any_of(left)}."
        )
        result.append(Finding(id="constraint.whole", severity="warn", text=text, evidence=(found.solution.id,)))
    if found.failures is not None and found.failures.sentence:
        result.append(
            Finding(
                id="constraint.failures", severity="warn", text=found.failures.sentence, evidence=(found.failures.id,)
            )
        )
    if found.failures is not None:
        result += _doubtful_review(found.failures)
    if found.solution is not None:
        result += _of_solution(found.solution)
    return tuple(result)


def _doubtful_review(review: Failures) -> list[Finding]:
    kappa, result = review.kappa, []
    if kappa.value is not None and kappa.value < AGREES:
        text = (
            f"Two raters agree little beyond chance (kappa {kappa.value:.2f} of {plural(review.rated_twice, 'trace')}): "
            "define the causes before acting on their shares."
        )
        result.append(Finding(id="constraint.kappa", severity="warn", text=text, evidence=(review.id,)))
    if 0 < review.reviewed < review.sampled:
        text = (
            f"{review.reviewed} of {review.sampled} sampled failures have a cause; the rest would narrow the intervals."
        )
        result.append(Finding(id="constraint.reviewed", severity="info", text=text, evidence=(review.id,)))
    return result


def _of_solution(solution: Solution) -> list[Finding]:
    result = []
    lead = solution.leads["money"]
    if lead is not None and not lead.sure and lead.measure_first is not None:
        step, _, field = lead.measure_first.rpartition(" ")
        result.append(
            Finding(
                id="constraint.measure",
                severity="warn",
                text=f"Measure {_cell(lead.measure_first)} first: no step holds the best lever with a probability of 0.60.",
                evidence=(f"{solution.id} {step} {field}",),
                action=f"aether-tui doc edit value-stream {solution.id}",
            )
        )
    agree = {goal: one.step for goal, one in solution.leads.items() if one is not None}
    if lead is not None and any(step != lead.step for step in agree.values()):
        others = ", ".join(
            f"{GOALS[goal]} {agree[goal]}" for goal in OBJECTIVES if goal in agree and agree[goal] != lead.step
        )
        text = f"The winner depends on the objective: money a month {lead.step}, {others}."
        result.append(Finding(id="constraint.objective", severity="info", text=text, evidence=(solution.id,)))
    for one in solution.steps:
        if one.volume is not None and one.volume_of_chain and abs(one.volume.value / one.volume_of_chain - 1) > OFF:
            text = (
                f"{one.name} is visited {number(one.volume.value)} times a month, the chain says {number(one.volume_of_chain)}: "
                "a rate or the demand is wrong."
            )
            result.append(
                Finding(id=f"constraint.volume.{one.name}", severity="warn", text=text, evidence=(solution.id,))
            )
    return result


def blocks(found: Constraint, review: FailureReview | None, data: Data) -> tuple[Block, ...]:
    """Key figures, the 30 % table by objective, the steps, the indicators, the failure review."""
    solution = found.solution
    if solution is None:
        first: tuple[Block, ...] = (
            Gap(
                id="constraint.none",
                title="Value stream",
                reason=f"{(found.reason or '')[:1].upper()}{(found.reason or '')[1:]}.",
                next_step=NEW,
                action="go.stream",
            ),
        )
    else:
        first = (
            _facts(solution),
            _levers(solution),
            _objectives(solution),
            _steps(solution),
            Prose(id="constraint.how", text=_how(solution)),
        )
    if found.streams:
        first = (*first[:1], _streams(found.streams), *first[1:])
    return (*first, *evidence_words.failures(found.failures, review), evidence_words.indicators(found, data))


def _streams(streams: tuple[StreamChoice, ...]) -> Table:
    """Every stream with what its best lever is worth, the diagnosed one marked."""
    return Table(
        id="constraint.streams",
        title="Value streams",
        columns=(
            Col(key="id", title="id", priority=10),
            Col(key="title", title="stream", priority=9),
            Col(key="about", title="about", priority=4),
            Col(key="lever", title="best lever", priority=6),
            Col(key="gain", title="Δ money/month", kind="number", priority=8),
            Col(key="here", title="", priority=7),
        ),
        rows=tuple(
            Row(
                id=f"stream.{one.id}",
                cells=(
                    one.id, one.title, one.cluster or "all", one.lever or one.reason,
                    NONE if one.delta_money_per_month is None else f"{_signed(one.delta_money_per_month)} {one.currency}",
                    "diagnosed here" if one.chosen else "",
                ),
                detail=one.reason or f"aether-tui report value-stream; aether-tui doc edit value-stream {one.id}",
            )
            for one in streams
        ),
        note="The stream of the feature looked at (T), else the one with the most to gain.",
    )  # fmt: skip


def _facts(solution: Solution) -> Facts:
    currency = solution.currency
    ceiling = Quantity(value=solution.ceiling_per_month, unit="money/month", currency=currency)
    return Facts(
        id="constraint.facts",
        title=f"{solution.id} {solution.title}",
        facts=(
            Fact(id="constraint.success", label="success", value=solution.success_rate,
                 note=f"{amount(solution.rolled_yield.value or 0.0, 'ratio')} at the first try", why=metrics.why("constraint.success")),
            Fact(id="constraint.lead", label="lead time", value=solution.lead_time,
                 why=metrics.why("constraint.lead")),
            Fact(id="constraint.cost", label="cost per success", value=solution.cost_per_success,
                 why=metrics.why("constraint.cost")),
            Fact(id="constraint.rate", label="items a month", value=Quantity(value=solution.throughput),
                 note=f"{money(solution.value_per_success, currency)} a success",
                 why=metrics.why("constraint.rate")),
            Fact(id="constraint.ceiling", label="ceiling", value=ceiling, note="all failures",
                 why=metrics.why("constraint.ceiling")),
        ),
    )  # fmt: skip


def _levers(solution: Solution) -> Table:
    """Every lever among the best of some objective, by money; the console sorts it by another objective."""
    worth = {
        (one.step, one.lever)
        for objective in OBJECTIVES
        for one in solution.levers[objective][: SHOWN if objective == "money" else SHOWN_OTHERS]
        if abs(one.change[objective] or 0) > LEAST_GAIN
    }
    rows = [one for one in solution.levers["money"] if (one.step, one.lever) in worth]
    return Table(
        id="constraint.levers",
        title="30 % better, by money a month",
        columns=(
            Col(key="lever", title="lever", priority=10),
            Col(key="money", title=f"Δ {solution.currency}/month", kind="number", priority=9),
            Col(key="ceiling", title="of ceiling", kind="number", priority=3),
            Col(key="cost_per_success", title="Δ cost/success", kind="number", priority=5),
            Col(key="success_rate", title="Δ success", kind="number", priority=6),
            Col(key="lead_time", title="Δ lead", kind="number", priority=7),
            Col(key="throughput", title="Δ items", kind="number", priority=4),
            Col(key="p", title="P(best)", kind="number", priority=8),
        ),
        rows=tuple(_row(solution, one) for one in rows),
        note="P(best): share of draws it is the best in",
        empty="Nothing costs, fails, waits or runs full: there is no lever.",
    )


def _row(solution: Solution, one: LeverView) -> Row:
    change, gain = one.change, one.change["money"] or 0.0
    step = next(step for step in solution.steps if step.name == one.step)
    cells: tuple[Cell, ...] = (
        f"{one.step} {one.lever}",
        _signed(change["money"]),
        Quantity(value=gain / solution.ceiling_per_month, unit="ratio")
        if solution.ceiling_per_month and gain > LEAST_GAIN
        else NONE,
        _relative(change["cost_per_success"], solution.cost_per_success.value),
        NONE if abs(change["success_rate"] or 0) < 5e-5 else _minus(f"{100 * (change['success_rate'] or 0):+.1f} pt"),
        _relative(change["lead_time"], solution.lead_time.value),
        _signed(change["throughput"]),
        f"{one.p_top['money']:.2f}",
    )
    best: Objective = next((goal for goal in OBJECTIVES if abs(change[goal] or 0) > LEAST_GAIN), "money")
    detail = f"{_change(solution, one, best)}; {_rests(step, one.lever)}"
    return Row(id=f"{one.step}.{one.lever}", cells=cells, detail=detail, why=_why(solution, one))


def _objectives(solution: Solution) -> Table:
    """Which step wins under each objective, and how surely."""
    return Table(
        id="constraint.objectives",
        title="The constraint by objective",
        columns=(
            Col(key="goal", title="objective", priority=10),
            Col(key="step", title="step", priority=9),
            Col(key="p", title="probability", kind="number", priority=8),
            Col(key="lever", title="best lever", priority=6),
            Col(key="advice", title="advice", priority=7),
        ),
        rows=tuple(_objective(solution, goal) for goal in OBJECTIVES),
    )


_ROWS = f"rows: {metrics.content()['constraint.rate'].rows}\naether-tui report constraint --format json"


def _objective(solution: Solution, goal: Objective) -> Row:
    lead = solution.leads[goal]
    if lead is None:
        return Row(id=f"goal.{goal}", cells=(GOALS[goal], NONE, NONE, NONE, "no lever moves it"))
    doubt = f"measure {_cell(lead.measure_first)} first" if lead.measure_first else "measure first"
    per_step = ", ".join(
        f"{step.name} {step.p_constraint[goal]:.2f}" for step in solution.steps if step.p_constraint[goal]
    )
    return Row(
        id=f"goal.{goal}",
        cells=(GOALS[goal], lead.step, f"{lead.probability:.2f}", lead.lever, "act on it" if lead.sure else doubt),
        detail=_change(solution, _of(solution, lead, goal), goal),
        why=f"Share of draws in which each step holds the best lever: {per_step}.\n{_ROWS}",
    )


def _change(solution: Solution, one: LeverView, objective: Objective) -> str:
    value, low, high = one.change[objective] or 0.0, one.low[objective], one.high[objective]
    if objective == "lead_time":
        return _minus(f"{GOALS[objective]} {duration(value)} [{duration(low)} to {duration(high)}]")
    if objective == "success_rate":
        return _minus(f"{GOALS[objective]} {100 * value:+.1f} points [{100 * low:.1f} to {100 * high:.1f}]")
    unit = f" {solution.currency}" if objective in {"money", "cost_per_success"} else ""
    plus = "+" if value > 0 else ""
    return _minus(f"{GOALS[objective]} {plus}{number(value)}{unit} [{number(low)} to {number(high)}]")


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _why(solution: Solution, one: LeverView) -> str:
    better = "× 1.3" if one.lever == "capacity" else "× 0.7"
    best = ", ".join(f"{GOALS[goal]} {one.p_top[goal]:.2f}" for goal in OBJECTIVES)
    return (
        f"{one.lever} of {one.step} {better}, everything else as it is; the chain of steps is solved again. "
        f"Best lever of all in these shares of draws: {best}.\n"
        "Money a month = rate × (success × value − cost). Intervals hold 90 % of "
        f"{DRAWS:,} draws of every number from what it rests on.\n{_ROWS}\naether-tui doc show value-stream {solution.id}"
    )


def _rests(step: StepView, lever: str) -> str:
    field = {
        "error": "error_rate",
        "abandonment": "abandon_rate",
        "capacity": "capacity_per_month",
        "cost": "cost",
    }.get(lever, f"{lever}_s")
    one = step.numbers[field]
    return f"{CELLS[field]} {_shown(field, one.value)} {one.rests_on}"


def _shown(field: str, value: float) -> str:
    if field in {"touch_s", "wait_s"}:
        return duration(value)
    return amount(value, "ratio") if field.endswith("rate") else number(value)


def _signed(value: float | None) -> str:
    if not value or abs(value) < LEAST_GAIN:
        return NONE
    rounded = round(value) if abs(value) >= 10 else value
    return f"{'+' if value > 0 else '−'}{number(abs(rounded))}"


def _relative(value: float | None, base: float | None) -> str:
    if not value or not base or abs(value / base) < 5e-4:
        return NONE
    return f"{'+' if value > 0 else '−'}{100 * abs(value / base):.1f} %"


def _steps(solution: Solution) -> Table:
    return Table(
        id="constraint.steps",
        title="Steps",
        columns=(
            Col(key="name", title="step", priority=10),
            Col(key="visits", title="visits", kind="number", priority=5),
            Col(key="touch", title="touch", kind="number", priority=6),
            Col(key="wait", title="wait", kind="number", priority=6),
            Col(key="cost", title="cost", kind="number", private=True, priority=7),
            Col(key="error", title="error", kind="number", priority=7),
            Col(key="leave", title="leave", kind="number", priority=7),
            Col(key="capacity", title="capacity", kind="number", priority=4),
            Col(key="p", title="P(constraint)", kind="number", priority=9),
        ),
        rows=tuple(_step_row(step) for step in solution.steps),
        note="* measured; everything else is stated.",
    )


def _step_row(step: StepView) -> Row:
    def cell(field: str) -> str:
        one = step.numbers.get(field)
        back = " ↺" if field == "error_rate" and step.rework_to and one else ""
        return NONE if one is None else _shown(field, one.value) + back + ("*" if one.measured else "")

    rests = [f"{CELLS[field]} {one.rests_on}" for field, one in step.numbers.items() if one.rests_on != "stated"]
    if len(rests) < len(step.numbers):
        rests.append("the rest stated by nobody named" if rests else "all stated by nobody named")
    if step.rework_to:
        rests.append(f"errors go back to {step.rework_to}")
    probabilities = [f"{GOALS[goal]} {step.p_constraint[goal]:.2f}" for goal in OBJECTIVES]
    return Row(
        id=f"step.{step.name}",
        cells=(step.name, f"{step.visits:.2f}", *(cell(field) for field in CELLS), f"{step.p_constraint['money']:.2f}"),
        detail="; ".join(rests) or "no numbers",
        why=f"Probability that this step holds the best lever: {', '.join(probabilities)}.\n{_ROWS}",
    )


def _how(solution: Solution) -> str:
    text = (
        f"Each number is drawn {DRAWS:,} times from what it rests on: measured shares from a Beta of their n, times and money from a "
        "lognormal, a bare stated number with a standard error of 32 %. Improving what is not the bottleneck gains no rate."
    )
    return text + (f" Also written down: {', '.join(solution.others)}." if solution.others else "")

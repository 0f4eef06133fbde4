"""Calculators of experiments: power, duration, sequential intervals, verdicts."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from aether_tui.cli.calc.common import LARGEST, NUMBER, numbers, positive, seed_option, share, show
from aether_tui.cli.output import FORMAT
from aether_tui.errors import ConfigurationError, NoData


@click.command()
@click.option(
    "--kind",
    type=click.Choice(["proportions", "means", "ratio"]),
    required=True,
    help="A share, a mean, or a ratio of sums.",
)
@click.option("--baseline", type=NUMBER, help="Proportion of the control arm.")
@click.option("--mde", type=NUMBER, help="Smallest effect to detect, absolute unless --relative.")
@click.option("--relative", is_flag=True, help="--mde is relative to the baseline (or the ratio).")
@click.option("--sd", type=NUMBER, help="Standard deviation (of the differences when paired).")
@click.option(
    "--design",
    type=click.Choice(["two-sample", "one-sample", "paired"]),
    default="two-sample",
    show_default=True,
    help="Two arms, one against a known mean, or pairs (--kind means).",
)
@click.option("--mean-x", type=NUMBER, help="Mean of the numerator per unit.")
@click.option("--mean-y", type=NUMBER, help="Mean of the denominator per unit.")
@click.option("--sd-x", type=NUMBER, help="Standard deviation of the numerator.")
@click.option("--sd-y", type=NUMBER, help="Standard deviation of the denominator.")
@click.option("--cov", type=NUMBER, default=0.0, show_default=True, help="Covariance of the two.")
@click.option("--n", type=NUMBER, help="Per arm; solves for power, or for the effect when --power is given.")
@click.option("--power", "target", type=NUMBER, help="Wanted power.  [default: 0.8]")
@click.option(
    "--alpha", type=NUMBER, default=0.05, show_default=True, help="Chance to call a difference where there is none."
)
@click.option(
    "--sides",
    type=click.IntRange(1, 2),
    default=2,
    show_default=True,
    help="2: either direction counts; 1: only the hoped one.",
)
@click.option("--ratio", type=NUMBER, default=1.0, show_default=True, help="Second arm over the first.")
@click.option("--method", type=click.Choice(["z", "cohen"]), default="z", show_default=True, help="For proportions.")
@click.option("--traffic", type=NUMBER, help="Units a day: says how many weeks that takes, and what to change.")
@click.option("--allocation", type=NUMBER, default=1.0, show_default=True, help="Share of traffic in the experiment.")
@click.option("--max-weeks", type=NUMBER, default=8, show_default=True, help="Longer than that is not feasible.")
@FORMAT
def power(form: str, **options: Any) -> None:
    """Sample size, power or detectable effect of a two-arm comparison."""
    from aether_tui.stats.power import Test

    if options["relative"] and options["mde"] is not None and abs(options["mde"]) >= 1:
        mde = options["mde"]
        raise ConfigurationError(
            f"--relative --mde {mde:g} is {100 * mde:+g} %; {mde:g} % is {mde / 100:g}", where="calc power",
            next_step="an effect that large is given without --relative",
        )  # fmt: skip
    test = Test(share("--alpha", options["alpha"]), options["sides"], positive("--ratio", options["ratio"]))
    curve, scale, most, method = _power_curve(options, test)
    n, mde, target = options["n"], options["mde"], options["target"]
    arms = 1 if options["design"] != "two-sample" else 1 + test.ratio
    if n is not None and mde is not None and target is not None:
        raise ConfigurationError("give two of --n, --mde and --power; the third is computed", where="calc power")
    if n is None and mde is None:
        raise ConfigurationError("give --mde, or --n", where="calc power")
    if options["kind"] != "means" and options["design"] != "two-sample":
        raise ConfigurationError(f"--design {options['design']} is for --kind means", where="calc power")
    effect = None if mde is None else mde * scale
    target = share("--power", 0.8 if target is None else target)
    given = int(n) if n is not None and n.is_integer() else n
    result: dict[str, object] = {}
    if n is None:
        if not effect:
            raise ConfigurationError("--mde must not be zero", where="calc power")
        wanted = effect
        size = _sample_size(lambda count: curve(count, wanted), target, wanted)
        result |= {"n_per_arm": size, "n_total": math.ceil(size * arms), "power": curve(size, wanted)}
    elif effect is not None:
        result |= {"n_per_arm": given, "n_total": math.ceil(n * arms), "power": curve(positive("--n", n), effect)}
    else:
        effect = _detectable(lambda size: curve(positive("--n", n), size), target, most, n)
        result |= {"n_per_arm": given, "n_total": math.ceil(n * arms), "power": target, "mde": effect / scale}
    show(result | {"effect": effect, "method": method} | _weeks(result, options, effect), form)


def _weeks(result: Mapping[str, object], options: Mapping[str, Any], effect: float) -> dict[str, object]:
    """How long that takes with the traffic given; nothing without."""
    if options["traffic"] is None:
        share("--allocation", options["allocation"], closed=True)
        return {}
    from aether_tui.human import number

    lift = (
        f"relative lift {100 * options['mde']:.3g} %"
        if options["relative"] and options["mde"]
        else f"an effect of {effect:.3g}"
    )
    per_arm = float(str(result["n_per_arm"]))
    return _planned(float(str(result["n_total"])), options["traffic"], options["allocation"], options["max_weeks"],
                    f"{lift} needs {number(per_arm)} per arm")  # fmt: skip


def _planned(n_total: float, traffic: float, allocation: float, max_weeks: float, needs: str) -> dict[str, object]:
    """Days, whole weeks, and when those are too many the reason and what to change."""
    from dataclasses import asdict

    from aether_tui.diagnostics.experiments_design import duration as plan
    from aether_tui.human import number

    share("--allocation", positive("--allocation", allocation), closed=True)
    found = plan(
        positive("--n-total", n_total), positive("--traffic", traffic), allocation, positive("--max-weeks", max_weeks)
    )
    output: dict[str, object] = {"days": found.days, "weeks": found.weeks, "feasible": found.feasible}
    if found.levers:
        week = number(7 * traffic * allocation)
        output["why"] = f"{needs}; you have {week} a week: {found.weeks:,} weeks instead of {number(max_weeks)}"
        output["levers"] = [asdict(lever) for lever in found.levers]
    return output


Curve = Callable[[float, float], float]


def _power_curve(options: Mapping[str, Any], test: Any) -> tuple[Curve, float, float, str]:
    """`power(n, effect)`, what one unit of --mde is in effect, the largest effect, and the method's name."""
    from aether_tui.stats import power as p

    def need(*names: str) -> list[float]:
        for name in names:
            if options[name.replace("-", "_")] is None:
                raise ConfigurationError(f"--{name} is needed for {options['kind']}", where="calc power")
        return [float(options[name.replace("-", "_")]) for name in names]

    kind = options["kind"]
    if kind == "proportions":
        base = share("--baseline", need("baseline")[0])
        mde = options["mde"]
        if mde is not None:
            moved = base + mde * (base if options["relative"] else 1)
            if not 0 < moved < 1:
                hint = f"; {mde:g} % is {mde / 100:g}" if abs(mde) >= 1 else ""
                raise ConfigurationError(
                    f"--mde {mde:g} moves a baseline of {base:g} to {moved:g}, which is no proportion{hint}",
                    where="calc power",
                )
        function = p.h_power if options["method"] == "cohen" else p.proportions_power
        method = str(options["method"])
        scale = base if options["relative"] else 1.0
        return (lambda n, effect: function(n, base, base + effect, test)), scale, (1 - base) * (1 - 1e-12), method
    if kind == "means":
        sd = positive("--sd", need("sd")[0])
        if options["relative"]:
            raise ConfigurationError(
                "--relative needs a baseline; give --mde in the metric's own unit", where="calc power"
            )
        design = options["design"]
        return (lambda n, effect: p.t_power(n, effect, sd, test, design)), 1.0, 1e3 * sd, f"noncentral t, {design}"
    mean_x, mean_y, sd_x, sd_y = need("mean-x", "mean-y", "sd-x", "sd-y")
    if mean_y == 0:
        raise ConfigurationError("--mean-y must not be zero", where="calc power")
    if min(sd_x, sd_y) < 0:
        raise ConfigurationError("--sd-x and --sd-y must not be negative", where="calc power")
    if abs(options["cov"]) > sd_x * sd_y:
        raise ConfigurationError("--cov is larger than the two standard deviations allow", where="calc power")
    sd = p.ratio_sd(mean_x, mean_y, sd_x, sd_y, options["cov"])
    scale = mean_x / mean_y if options["relative"] else 1.0
    return (lambda n, effect: p.mean_z_power(n, effect, sd, test)), scale, 1e3 * sd, "delta method, normal"


def _sample_size(curve: Callable[[float], float], target: float, effect: float) -> int:
    from aether_tui.stats.power import sample_size

    size = sample_size(curve, target)
    if size is None:
        raise NoData(
            f"an effect of {effect:g} needs more than 10¹² per arm", where="calc power",
            next_step="ask for a larger effect, reduce the variance, or measure something closer to the change",
        )  # fmt: skip
    return size


def _detectable(curve: Callable[[float], float], target: float, most: float, n: float) -> float:
    from aether_tui.stats.power import detectable

    effect = detectable(curve, target, most)
    if effect is None:
        raise NoData(f"n = {n:g} per arm cannot detect any possible effect with power {target:g}", where="calc power",
                     next_step="collect more, or accept a lower power")  # fmt: skip
    return effect


@click.command()
@click.option("--n-total", type=NUMBER, required=True, help="Units of both arms together.")
@click.option("--traffic", type=NUMBER, required=True, help="Units a day.")
@click.option("--allocation", type=NUMBER, required=True, help="Share of traffic in the experiment.")
@click.option("--max-weeks", type=NUMBER, default=8, show_default=True, help="Longer than that is not feasible.")
@FORMAT
def duration(n_total: float, traffic: float, allocation: float, max_weeks: float, form: str) -> None:
    """How long an experiment runs, in whole weeks, and what to change when that is too long."""
    from aether_tui.human import number

    show(_planned(n_total, traffic, allocation, max_weeks, f"{number(n_total)} in total are needed"), form)


@click.command()
@click.option("--mean-diff", type=NUMBER, required=True, help="Difference of the means so far.")
@click.option("--se", type=NUMBER, required=True, help="Standard error of the difference now.")
@click.option("--n", type=NUMBER, required=True, help="Units per arm so far.")
@click.option("--planned-n", type=click.IntRange(1, 10**12), required=True, help="Units per arm at the planned end.")
@click.option(
    "--alpha", type=NUMBER, default=0.05, show_default=True, help="Chance to call a difference where there is none."
)
@click.option("--simulate-power", is_flag=True, help="Simulate how often --effect is found.")
@click.option("--effect", type=NUMBER, help="True effect to simulate.")
@click.option(
    "--looks", type=click.IntRange(1, 1000), default=20, show_default=True, help="Times one looks in the simulation."
)
@seed_option
@FORMAT
def sequential(form: str, **o: Any) -> None:
    """An interval that may be looked at at any time (asymptotic confidence sequence)."""
    from aether_tui.stats.sequential import half_width, simulate_power

    n, planned = positive("--n", o["n"]), positive("--planned-n", o["planned_n"])
    alpha = share("--alpha", o["alpha"])
    sd = positive("--se", o["se"]) * math.sqrt(n)
    half = half_width(n, sd, planned, alpha)
    output: dict[str, object] = {"ci_low": o["mean_diff"] - half, "ci_high": o["mean_diff"] + half}
    if o["simulate_power"]:
        if o["effect"] is None:
            raise ConfigurationError("--simulate-power needs --effect", where="calc sequential")
        output["power"] = simulate_power(o["effect"], sd, o["planned_n"], o["looks"], alpha, o["seed"])
    show(output, form)


@click.command()
@click.option("--control", help="Successes/n of the control arm, such as 120/1000.")
@click.option("--treatment", help="Successes/n of the treatment arm.")
@click.option("--control-values", help="Comma-separated values instead.")
@click.option("--treatment-values", help="Values of the second arm, separated by commas.")
@click.option("--min-effect", type=NUMBER, default=0.0, show_default=True, help="Smallest effect worth having.")
@click.option(
    "--guardrail", "rails", multiple=True, metavar="NAME=LOW..HIGH:MARGIN", help="Interval of treatment minus control."
)
@click.option("--ratio", type=NUMBER, default=1.0, show_default=True, help="Planned treatment over control allocation.")
@click.option(
    "--alpha", type=NUMBER, default=0.05, show_default=True, help="Chance to call a difference where there is none."
)
@FORMAT
def ab(form: str, **o: Any) -> None:
    """Judge an experiment: effect, interval, sample-ratio check, verdict and why."""
    from aether_tui.diagnostics import experiments as e

    alpha = share("--alpha", o["alpha"])
    if o["control"] and o["treatment"]:
        if abs(o["min_effect"]) >= 1:
            raise ConfigurationError(
                f"--min-effect of two shares is below 1, not {o['min_effect']:g}; "
                f"{o['min_effect']:g} % is {o['min_effect'] / 100:g}",
                where="calc ab",
            )
        effect = e.proportions(_counts("--control", o["control"]), _counts("--treatment", o["treatment"]), alpha)
    elif o["control_values"] and o["treatment_values"]:
        try:
            effect = e.means(
                numbers("--control-values", o["control_values"]),
                numbers("--treatment-values", o["treatment_values"]),
                alpha,
            )
        except ValueError as error:
            raise NoData(str(error), where="calc ab") from error
    else:
        raise ConfigurationError(
            "give --control and --treatment, or --control-values and --treatment-values", where="calc ab"
        )
    rails = [_guardrail(e.Guardrail, text) for text in o["rails"]]
    judged = e.judge(effect, min_effect=o["min_effect"], guardrails=rails, ratio=positive("--ratio", o["ratio"]))
    show(
        {"effect": effect.effect, "ci_low": effect.ci_low, "ci_high": effect.ci_high, "p_value": effect.p_value,
         "srm_p": judged.srm_p, "verdict": judged.verdict, "why": judged.why, "n_needed": judged.n_needed},
        form,
    )  # fmt: skip


def _counts(name: str, text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)\s*/\s*(\d+)", text.strip())
    if not match or not int(match[1]) <= int(match[2]) or not 0 < int(match[2]) <= LARGEST:
        raise ConfigurationError(f"{name} must be successes/n such as 120/1000, not {text[:40]!r}", where="calc ab")
    return int(match[1]), int(match[2])


R = TypeVar("R")


def _guardrail(make: Callable[[str, float, float, float], R], text: str) -> R:
    match = re.fullmatch(r"([^=]+)=(-?[\d.eE+-]+?)\.\.(-?[\d.eE+-]+):(-?[\d.eE+-]+)", text)
    try:
        if match is None:
            raise ValueError
        low, high, margin = (float(part) for part in match.groups()[1:])
    except ValueError:
        raise ConfigurationError(
            f"--guardrail must be NAME=LOW..HIGH:MARGIN, not {text[:60]!r}", where="calc ab"
        ) from None
    if low > high:
        raise ConfigurationError(f"--guardrail {match[1]}: low is above high", where="calc ab")
    return make(match[1], low, high, margin)


@click.command()
@click.option("--successes", type=click.IntRange(0, 10**15), required=True, help="How many succeeded.")
@click.option("--n", type=click.IntRange(0, 10**15), required=True, help="Of how many.")
@click.option("--level", type=NUMBER, default=0.95, show_default=True, help="Confidence of the interval.")
@FORMAT
def interval(successes: int, n: int, level: float, form: str) -> None:
    """Wilson interval of a proportion."""
    from aether_tui.stats.intervals import wilson

    if n <= 0 or not 0 <= successes <= n:
        raise ConfigurationError(
            f"0 ≤ successes ≤ n and n ≥ 1 are needed, not {successes} of {n}", where="calc interval"
        )
    low, high = wilson(successes, n, share("--level", level))
    show({"low": low, "high": high, "share": successes / n}, form)

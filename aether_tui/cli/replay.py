"""`replay`: recorded requests sent to a model again, after their cost was shown and agreed to."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aether_tui.cli.context import Context
from aether_tui.cli.output import format_option, print_json
from aether_tui.errors import ConfigurationError, NoData, SourceFailed

if TYPE_CHECKING:
    from aether_tui.cache import Cache
    from aether_tui.config import Config
    from aether_tui.diagnostics.frame import Clock, Filters
    from aether_tui.replay.plan import Plan
    from aether_tui.replay.recorded import Found
    from aether_tui.replay.send import Sent

MOST = 1_000
"""Requests of one run."""


@click.command(short_help="Send recorded requests to a model again, for a shown cost")
@click.argument("trace", required=False)
@click.option("--span", metavar="ID", help="Only this model call of the trace (default: all of them).")
@click.option("--sample", type=click.IntRange(1, MOST), metavar="N", help="N calls drawn by --seed, one of a trace.")
@click.option("--model", metavar="NAME", help="Send them to this model (default: the recorded one).")
@click.option("--both", is_flag=True, help="Also ask the recorded model again, and compare with that.")
@click.option("--prompt", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Other instructions.")
@click.option("--repeats", type=click.IntRange(1, 50), default=1, show_default=True, help="Send each so often.")
@click.option("--recorded", metavar="NAME", help="With --sample: only calls that this model answered.")
@click.option("--redacted", is_flag=True, help="Send what redaction took out as its placeholder.")
@click.option(
    "--max-cost", type=click.FloatRange(min=0), metavar="USD", help="Most it may cost (default: aether.toml)."
)
@click.option("--yes", is_flag=True, help="Send without asking.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent and what it would cost; send nothing.")
@click.option("--show", metavar="RUN", help="Print the result of an earlier run; send nothing.")
@click.option(
    "--window", default="28d", show_default=True, metavar="WINDOW", help="28d, 2026-Q3 or FROM..TO, in UTC days."
)
@click.option("--team", help="Only this team.")
@click.option("--service", help="Only this service.")
@click.option("--feature", help="Only this feature.")
@click.option("--environment", help="Only this environment.")
@format_option("text", "json", "md")
@click.pass_obj
def replay(
    context: Context, trace: str | None, span: str | None, sample: int | None, model: str | None, both: bool,
    prompt: Path | None, repeats: int, recorded: str | None, redacted: bool, max_cost: float | None, yes: bool, dry_run: bool,
    show: str | None, window: str, team: str | None, service: str | None, feature: str | None, environment: str | None, form: str,
) -> None:  # fmt: skip
    """Send the model calls of TRACE, or of a sample, to the endpoint of [replay] again with identical inputs.

    The expected cost is shown first and asked about; the budget holds whatever comes back. Tokens, cost, latency and answers are
    kept, and compared in pairs with what was recorded. Nothing is sent with --offline.
    """
    from aether_tui.cache import Cache
    from aether_tui.diagnostics.frame import Clock, Filters
    from aether_tui.replay.plan import planned

    workspace, config = context.workspace(), context.config()
    cache = Cache(workspace.cache_path)
    fiscal = config.engagement.fiscal_year_start_month
    clock = Clock.of(context.now(), window, seed=context.seed, fiscal_start_month=fiscal)
    if show is not None:
        _print(show, form, cache, config, clock)
        return
    if (trace is None) == (sample is None):
        raise ConfigurationError(
            "one trace or a sample is needed", where="replay", next_step="give TRACE or --sample N"
        )
    if context.offline and not dry_run:
        raise ConfigurationError(
            "a replay sends requests", where="--offline", next_step="leave it out, or add --dry-run"
        )
    if not config.replay.url:
        raise ConfigurationError(
            "no endpoint is configured",
            where="aether.toml: replay.url",
            next_step='add [replay] with url = "https://…/v1"',
        )
    filters = Filters(team, service, feature, environment)
    found = _found(
        context, cache, config, clock, filters, trace, span, sample, recorded=recorded, redacted=redacted, prompt=prompt
    )
    host = config.replay.url.removeprefix("https://").removeprefix("http://").partition("/")[0]
    plan = planned(
        found.calls,
        config,
        host=host,
        model=model,
        both=both,
        repeats=repeats,
        max_cost_usd=max_cost,
        now=context.now(),
    )
    _tell_plan(plan, found)
    if dry_run:
        _print_plan(plan, found, form)
        return
    _confirm(plan, yes=yes)
    from aether_tui.replay.send import free_run

    run = free_run(cache, f"{context.now():%Y%m%dT%H%M%S%f}-{context.seed}")
    sent = _send(context, config, cache, plan, run)
    _print(run, form, cache, config, clock, (plan, found, sent))
    _judge(sent)


def _found(
    context: Context, cache: Cache, config: Config, clock: Clock, filters: Filters, trace: str | None, span: str | None,
    sample: int | None, *, recorded: str | None, redacted: bool, prompt: Path | None,
) -> Found:  # fmt: skip
    """The calls that will be sent, and how many cannot be."""
    from dataclasses import replace

    from aether_tui.diagnostics.run import open_data
    from aether_tui.replay import recorded as calls

    words = calls.read_prompt(prompt) if prompt else None
    with open_data(config, clock, cache, filters) as data:
        if trace is not None:
            found = calls.of_trace(data, trace, span, redacted=redacted)
        else:
            assert sample is not None
            found = calls.sample(data, sample, context.seed, recorded=recorded, redacted=redacted)
    if words is None:
        return found
    return replace(found, calls=tuple(call.with_prompt(words) for call in found.calls))


def _tell_plan(plan: Plan, found: Found) -> None:
    """What would be sent, where, and for how much, on stderr."""
    from aether_tui.human import amount, plural

    times = f" × {plan.repeats}" if plan.repeats > 1 else ""
    _tell(
        f"{plural(plan.requests, 'request')}{times} to {', '.join(plan.models)} at {plan.host}: {len(plan.shots)} to send, "
        f"{plan.chars:,} characters of redacted text"
    )
    for reason, n in sorted(found.left_out.items()):
        _tell(f"left out: {n:,}, {reason}")
    for n, what in plan.not_recorded():
        _tell(f"{n:,} of {len(found.calls):,} {what}")
    taken = sum(call.redactions for call in found.calls)
    if taken:
        _tell(f"{taken:,} placeholders stand for what redaction took out: the input is not the recorded one")
    _tell(
        f"about {amount(plan.expected_usd, 'USD')}, at most {amount(plan.worst_usd, 'USD')}; "
        f"the budget is {amount(plan.max_cost_usd, 'USD')}"
    )


def _confirm(plan: Plan, *, yes: bool) -> None:
    """Ask, unless --yes; where nobody can answer, nothing is sent."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigurationError("nothing was sent: nobody agreed", where="replay", next_step="add --yes, or --dry-run")
    click.confirm(f"send {len(plan.shots)}?", abort=True, err=True)


def _send(context: Context, config: Config, cache: Cache, plan: Plan, run: str) -> Sent:
    from aether_tui.ingest import Ingest
    from aether_tui.ingest.prices import Prices
    from aether_tui.records.source import Network
    from aether_tui.replay.send import Sender
    from aether_tui.secrets import find_secret
    from aether_tui.sync.intake import Writer
    from connectors.openai import Endpoint

    workspace, settings = context.workspace(), config.replay
    writer = Writer(cache, Ingest.of(workspace, config), context.now)
    for sentence in writer.open():
        _tell(sentence)
    key = find_secret("replay", "api_key", workspace)
    network = Network(offline=context.offline, root=workspace.root, source="replay", now=context.now)
    told = sys.stderr.isatty()

    def tell(number: int, sent: Sent) -> None:
        if told:
            click.echo(f"\r{number} of {len(plan.shots)}, {sent.spent_usd:.4f} USD", nl=False, err=True)

    async def go() -> Sent:
        endpoint = Endpoint(
            settings.url, network, key.value if key else "", ca_bundle=settings.ca_bundle, timeout_s=settings.timeout_s
        )
        try:
            return await Sender(endpoint, writer, Prices(config.prices)).send(plan, run, tell)
        finally:
            await endpoint.close()

    sent = asyncio.run(go())
    if told:
        click.echo(err=True)
    return sent


def _print_plan(plan: Plan, found: Found, form: str) -> None:
    if form == "json":
        print_json({"plan": _plan_json(plan, found), "run": None})
        return
    click.echo(f"expected {plan.expected_usd:.6f} USD, at most {plan.worst_usd:.6f} USD, {len(plan.shots)} requests")


def _plan_json(plan: Plan, found: Found) -> dict[str, object]:
    return {
        "requests": plan.requests, "shots": len(plan.shots), "models": plan.models, "repeats": plan.repeats, "host": plan.host,
        "expected_usd": plan.expected_usd, "worst_usd": plan.worst_usd, "max_cost_usd": plan.max_cost_usd,
        "characters": plan.chars, "placeholders": sum(call.redactions for call in found.calls), "left_out": found.left_out,
        "not_recorded": {what: n for n, what in plan.not_recorded()},
    }  # fmt: skip


def _print(
    run: str, form: str, cache: Cache, config: Config, clock: Clock, what: tuple[Plan, Found, Sent] | None = None
) -> None:
    """The report of a run, in any face."""
    from msgspec import to_builtins

    from aether_tui.diagnostics.replays import of_run
    from aether_tui.diagnostics.run import open_data
    from aether_tui.report_model import load, save
    from aether_tui.reports import markdown, text

    with open_data(config, clock, cache) as data:
        made = of_run(data, clock, run)
    if what is None and not made.data.runs:
        raise NoData(f"no run {run!r}", where="the cache", next_step="`aether-tui report replays` lists them")
    if form == "json":
        plan, found, sent = what or (None, None, None)
        print_json({
            "run": run,
            "plan": _plan_json(plan, found) if plan and found else None,
            "sent": asdict(sent) if sent else None,
            "result": to_builtins(made.data.runs[0]) if made.data.runs else None,
        })  # fmt: skip
        return
    shown = load(save(made))
    click.echo((markdown if form == "md" else text).render(shown), nl=False)


def _judge(sent: Sent) -> None:
    """Exit 4 when the endpoint ended it, 3 when the budget did or nothing was answered."""
    if sent.refused:
        raise SourceFailed(sent.stopped, where="replay", next_step=sent.hint or "what was answered is kept")
    if sent.stopped:
        raise NoData(f"stopped: {sent.stopped}", where="replay", next_step=sent.hint)
    if not sent.answered:
        raise SourceFailed(sent.errors[-1] if sent.errors else "no answer", where="replay", next_step="try again later")


def _tell(sentence: str) -> None:
    from aether_tui.text import one_line

    click.echo(one_line(sentence, 400), err=True)

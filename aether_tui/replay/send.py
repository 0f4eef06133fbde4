"""Sending what was planned, one request at a time: every answer is stored before the next is asked, and the budget holds."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from aether_tui.cache import Cache
from aether_tui.errors import NoData
from aether_tui.ingest.prices import Prices
from aether_tui.ingest.said import readable
from aether_tui.records import Value
from aether_tui.records.source import Denied, Gone, Offline, Page, RateLimited, Refused, SourceError
from aether_tui.records.tables import REPLAYS, SPAN_PAYLOADS
from aether_tui.replay.plan import Plan, Shot, cost
from aether_tui.sync.intake import Intake, Writer
from aether_tui.text import one_line

if TYPE_CHECKING:
    from connectors.openai import Completion

MOST_WORDS = 3_000
"""Words of each of two answers that are compared."""
FAILURES = 3
"""So many refusals in a row without an answer between them end the run."""


class Asks(Protocol):
    """What sends one request."""

    def complete(self, body: dict[str, object]) -> Awaitable[Completion]:
        """The answer; raises SourceError."""
        ...


@dataclass(slots=True)
class Sent:
    """How far a run came. `spent_usd` counts the most that an answer without token counts, or none, may have cost.

    `stopped` says why it ended before its end; `refused`: because the endpoint said no.
    """

    run: str
    answered: int = 0
    failed: int = 0
    unknown: int = 0
    spent_usd: float = 0.0
    stopped: str = ""
    hint: str = ""
    refused: bool = False
    errors: list[str] = field(default_factory=list)


class Sender:
    """Sends plans and stores what comes back. Used by one thread."""

    def __init__(self, endpoint: Asks, writer: Writer, prices: Prices) -> None:
        self._endpoint = endpoint
        self._writer = writer
        self._prices = prices
        self._keeps_words = writer.ingest.keeps(SPAN_PAYLOADS.name)

    async def send(self, plan: Plan, run: str, tell: Callable[[int, Sent], None]) -> Sent:
        """Send every shot until the end, the budget, or an error that all would meet. `tell` hears after each.

        What came back is in the cache (table `replays`) before the next is sent. Raises CacheTrouble.
        """
        sent = Sent(run)
        intake = Intake(self._writer, "replay", "replays")
        in_a_row = 0
        for number, shot in enumerate(plan.shots, 1):
            if sent.spent_usd + shot.worst_usd > plan.max_cost_usd:
                sent.stopped = (
                    f"the budget of {plan.max_cost_usd:g} USD would not hold for the next request "
                    f"(at most {shot.worst_usd:.4f} USD, {sent.spent_usd:.4f} spent)"
                )
                sent.hint = "raise --max-cost"
                break
            at = self._writer.clock()
            try:
                answer = await self._endpoint.complete(shot.body)
            except SourceError as error:
                in_a_row += 1
                intake.page(_page(run, at, shot, self._failed(sent, shot, error)))
                if isinstance(error, Denied | Offline | Gone | RateLimited) or in_a_row == FAILURES:
                    sent.stopped, sent.hint, sent.refused = one_line(error.what, 300), one_line(error.hint, 300), True
                    break
            else:
                in_a_row = 0
                intake.page(_page(run, at, shot, self._answered(sent, shot, answer, at)))
            tell(number, sent)
        intake.finish()
        return sent

    def _answered(self, sent: Sent, shot: Shot, answer: Completion, at: datetime) -> dict[str, Value]:
        provider = shot.call.provider if shot.model == shot.call.model else None
        usd = cost(
            self._prices, provider, shot.model, at, answer.input_tokens, answer.output_tokens,
            answer.cached_tokens or 0, answer.reasoning_tokens or 0,
        )  # fmt: skip
        sent.answered += 1
        sent.unknown += usd is None
        sent.spent_usd += shot.worst_usd if usd is None else float(usd)
        finish = f"{answer.finish} (our limit)" if shot.limited and answer.finish == "length" else answer.finish
        said = self._writer.ingest.clean_text(readable(answer.output))  # as the recorded one was cleaned
        return {
            "status": "ok", "finish": finish, "input_tokens": answer.input_tokens, "output_tokens": answer.output_tokens,
            "cost_usd": usd, "latency_s": answer.latency_s, "output": said if self._keeps_words else None,
            "likeness": likeness(shot.call.completion, said),
        }  # fmt: skip

    def _failed(self, sent: Sent, shot: Shot, error: SourceError) -> dict[str, Value]:
        """A refusal costs nothing; an answer that broke off, or came too late, may have been billed."""
        sent.failed += 1
        sent.errors.append(one_line(error.what, 200))
        if not isinstance(error, Denied | Offline | Gone | RateLimited | Refused):
            sent.unknown += 1
            sent.spent_usd += shot.worst_usd
        return {"status": "error", "error": one_line(error.what, 500)}


def free_run(cache: Cache, wanted: str) -> str:
    """`wanted`, or with a number behind it where a run is called so: with a fixed clock each would be the other."""
    try:
        with cache.read() as lease:
            rows = lease.rows("SELECT DISTINCT run FROM replays WHERE starts_with(run, $run)", {"run": wanted})
    except NoData:
        return wanted
    taken = {row["run"] for row in rows}
    return next(name for n in range(1, len(taken) + 2) if (name := wanted if n == 1 else f"{wanted}-{n}") not in taken)


def _page(run: str, at: datetime, shot: Shot, values: dict[str, Value]) -> Page:
    call = shot.call
    row = REPLAYS.row(
        id=hashlib.sha256(f"{run}/{call.trace}/{call.span}/{shot.model}/{shot.repeat}".encode()).hexdigest()[:32],
        run=run,
        at=at.replace(tzinfo=None),
        trace_id=call.trace,
        span_id=call.span,
        repeat=shot.repeat,
        model=shot.model,
        recorded_model=call.model,
        prompt_version=call.prompt_version,
        same_input=call.same_input,
        recorded_input_tokens=call.input_tokens,
        recorded_output_tokens=call.output_tokens,
        recorded_cost_usd=None if call.cost_usd is None else Decimal(str(call.cost_usd)),
        recorded_latency_s=call.latency_s,
        **values,
    )
    return Page({REPLAYS.name: [row]})


def likeness(before: str | None, after: str) -> float | None:
    """Words in common in order, over the words of both (difflib's ratio), 0–1; None without a recorded answer."""
    if before is None:
        return None
    one, other = before.split()[:MOST_WORDS], after.split()[:MOST_WORDS]
    if one == other:
        return 1.0
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()

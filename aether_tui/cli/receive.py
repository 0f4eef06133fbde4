"""`receive`: traces over OTLP/HTTP into the cache, until stopped or while a command runs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import click

from aether_tui.cli.context import Context
from aether_tui.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from aether_tui.receiver.door import Door
    from aether_tui.receiver.service import Receiver

PORT = 4318
_TELL_S = 1.0
_ALIVE_TELLS = 5
_SWITCH_S = 0.0005
"""How long the writing thread may keep the interpreter while a request waits for it; Python's own 5 ms cost a third."""


@click.command(
    short_help="Receive traces over OTLP/HTTP",
    context_settings={"allow_interspersed_args": False},
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Another address than loopback needs a token.")
@click.option("--port", type=click.IntRange(0, 65535), help=f"Port; 0 takes a free one.  [default: {PORT}]")
@click.option("--format", "form", type=click.Choice(["text", "json"]), help="json: a line of progress per second.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND…]")
@click.pass_obj
def receive(context: Context, host: str, port: int | None, form: str | None, command: tuple[str, ...]) -> int:
    """Receive traces over OTLP/HTTP and store them in the cache, until stopped (ctrl+c).

    Spans are acknowledged once they are redacted and on the disk: a killed receiver loses none, and the next `receive`,
    `load` or `sync` stores them. Any OTLP/HTTP exporter works, in protobuf or JSON; Langfuse clients, too.

    With a COMMAND its exporters are pointed here while it runs; then the measurements of what it sent are printed (as
    `measure tokens` does, JSON unless --format text) and its exit status is returned. Its own output goes to stderr.
    Without --port a free port is used when the usual one is taken.

    A token (AETHER_RECEIVER_TOKEN) must then come with every request, as a bearer or as the secret key of a Langfuse client.
    """
    from aether_tui.secrets import find_secret, variable

    workspace = context.workspace()
    secret = find_secret("receiver", "token", workspace)
    from aether_tui.receiver.door import is_loopback

    if secret is None and not is_loopback(host):
        raise ConfigurationError(
            "every machine that reaches this address could send",
            where=f"--host {host}",
            next_step=f"set a token in {variable('receiver', 'token')}, or listen on 127.0.0.1",
        )
    token = secret.value if secret else None
    if command:
        return _with_command(context, host, port, token, command, form or "json")
    _until_stopped(context, host, PORT if port is None else port, token, form or "text")
    return 0


def _until_stopped(context: Context, host: str, port: int, token: str | None, form: str) -> None:
    stop = threading.Event()
    with _stopped_by(lambda *_: stop.set()), _serving(context, host, [port], token) as (door, receiver):
        tell = _json_line if form == "json" else _narrate
        numbers, silent = receiver.numbers, 0
        alive = tell("listening", door, receiver)
        while alive and receiver.dead is None and not stop.wait(_TELL_S):
            silent = 0 if receiver.numbers != numbers else silent + 1
            if not silent or (form == "json" and silent % _ALIVE_TELLS == 0):
                numbers = receiver.numbers
                alive = tell("progress", door, receiver)
    tell("stopped", door, receiver)


def _with_command(
    context: Context, host: str, port: int | None, token: str | None, command: Sequence[str], form: str
) -> int:
    """Serve while the command runs; its exit status."""
    from aether_tui.cli.measure import show
    from aether_tui.cli.measured import measure_traces

    traces: set[str] = set()
    with _serving(context, host, [PORT, 0] if port is None else [port], token, traces.update) as (door, _):
        click.echo(f"receiving at {door.url} while {command[0]} runs", err=True)
        status = _run(command, {**os.environ, **otlp_variables(door.url, token)})
    show(measure_traces(context, traces), form)
    return status


def otlp_variables(url: str, token: str | None) -> dict[str, str]:
    """What points any OpenTelemetry SDK here: traces only, over HTTP."""
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{url}/v1/traces",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
    }
    if token is not None:
        from urllib.parse import quote

        variables["OTEL_EXPORTER_OTLP_HEADERS"] = f"Authorization=Bearer%20{quote(token, safe='')}"
    return variables


def _run(command: Sequence[str], environ: dict[str, str]) -> int:
    """Run a command with its output on our stderr, signals passed on; its status as a shell tells it."""
    sys.stderr.flush()
    try:
        child = subprocess.Popen(list(command), env=environ, stdout=sys.stderr.fileno())
    except OSError as error:
        raise ConfigurationError(f"cannot be run ({error.strerror})", where=command[0]) from error
    # ctrl+c reaches the command by itself, being typed at the same terminal; a termination is meant for it.
    with _stopped_by(lambda number, _: child.send_signal(number) if number == signal.SIGTERM else None):
        status = child.wait()
    return status if status >= 0 else 128 - status


@contextlib.contextmanager
def _serving(
    context: Context,
    host: str,
    ports: Sequence[int],
    token: str | None,
    seen: Callable[[set[str]], None] | None = None,
) -> Iterator[tuple[Door, Receiver]]:
    """A receiver behind an open door on the first free of `ports`; at the end everything acknowledged is stored."""
    from aether_tui.cache import Cache
    from aether_tui.ingest import Ingest
    from aether_tui.receiver.service import Receiver
    from aether_tui.sync.intake import Writer

    sys.setswitchinterval(_SWITCH_S)
    workspace, config = context.workspace(), context.config()
    cache = Cache(workspace.cache_path)
    cache.frugal()  # the other core is for those who send
    writer = Writer(cache, Ingest.of(workspace, config), context.now)
    for sentence in writer.open():
        click.echo(sentence, err=True)
    receiver = Receiver(writer, Ingest.of(workspace, config), seen)
    try:
        door = _first_free(receiver, host, ports, token)
        thread = threading.Thread(target=door.serve_forever, args=(0.1,), name="receiver-door", daemon=True)
        thread.start()
        try:
            yield door, receiver
        finally:
            door.drain()
    finally:
        receiver.close()


def _first_free(receiver: Receiver, host: str, ports: Sequence[int], token: str | None) -> Door:
    from aether_tui.receiver.door import Door

    for port in ports[:-1]:
        with contextlib.suppress(ConfigurationError):
            return Door(receiver, host, port, token)
    return Door(receiver, host, ports[-1], token)


@contextlib.contextmanager
def _stopped_by(handler: Callable[[int, object], object]) -> Iterator[None]:
    """SIGINT and SIGTERM go to `handler` meanwhile."""
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _json_line(event: str, door: Door, receiver: Receiver) -> bool:
    """A line of progress; False when nobody reads it any more, which ends the receiver."""
    numbers = receiver.numbers
    line = {
        "event": event, "url": door.url, "requests": numbers.requests, "refused": numbers.refused,
        "received": numbers.received, "rejected": numbers.rejected, "stored": numbers.stored, "new": numbers.new,
        "late": numbers.late, "waiting": numbers.waiting, "message": receiver.trouble,
    }  # fmt: skip
    try:
        click.echo(json.dumps(line))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


def _narrate(event: str, door: Door, receiver: Receiver) -> bool:
    numbers = receiver.numbers
    if event == "listening":
        click.echo(f"receiving at {door.url}/v1/traces; ctrl+c stops", err=True)
        return True
    more = f", {numbers.rejected:,} refused as broken" * bool(numbers.rejected)
    more += f", {numbers.late:,} too late for privacy.retention_days" * bool(numbers.late)
    more += f"; {receiver.trouble}" * bool(receiver.trouble)
    verb = "stopped: " if event == "stopped" else ""
    click.echo(
        f"{verb}{numbers.received:,} spans received, {numbers.stored - numbers.late:,} in the cache{more}", err=True
    )
    return True

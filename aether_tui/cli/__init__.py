"""The command line: one module per command group, loaded only when it is called."""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from aether_tui import __version__
from aether_tui.cli.context import Context
from aether_tui.errors import AetherError, ConfigurationError

# name: (module, attribute, help). `--help` prints this table without loading any of them.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "demo": ("aether_tui.cli.demo", "demo", "Build a demonstration engagement and open it"),
    "init": ("aether_tui.cli.init", "init", "Make a workspace"),
    "config": ("aether_tui.cli.config", "config", "Show, check and explain the configuration"),
    "auth": ("aether_tui.cli.auth", "auth", "Keep credentials in the system keyring"),
    "sources": ("aether_tui.cli.source_map", "sources", "What sources say, and how it is mapped"),
    "ask": ("aether_tui.cli.ask", "ask", "Print the letter that asks a client for access"),
    "sync": ("aether_tui.cli.sync", "sync", "Pull sources into the cache"),
    "load": ("aether_tui.cli.load", "load", "Load files into the cache"),
    "receive": ("aether_tui.cli.receive", "receive", "Receive traces over OTLP/HTTP"),
    "report": ("aether_tui.cli.report", "report", "Print one report as text, JSON or Markdown"),
    "export": ("aether_tui.cli.export", "export", "Write the engagement as a Markdown pack"),
    "review": ("aether_tui.cli.review", "review", "Frozen reviews: freeze, list, and tell apart why numbers changed"),
    "budget": ("aether_tui.cli.budget", "budget", "The gate: compare measurements with budgets"),
    "measure": ("aether_tui.cli.measure", "measure", "Print the measurements of one surface as JSON"),
    "opportunity": ("aether_tui.cli.opportunity", "opportunity", "The ICE-P portfolio"),
    "wip": ("aether_tui.cli.wip", "wip", "Limits on work in progress as an exit status"),
    "traces": ("aether_tui.cli.traces", "traces", "List traces: slowest, dearest, failed, or by what they contain"),
    "trace": ("aether_tui.cli.traces", "trace", "Show one trace as a tree, or two side by side"),
    "replay": ("aether_tui.cli.replay", "replay", "Send recorded requests to a model again, for a shown cost"),
    "taxonomy": ("aether_tui.cli.taxonomy", "taxonomy", "Kinds of request: build, assign, show, mend"),
    "stream": ("aether_tui.cli.stream", "stream", "Value stream: write counted steps into a document"),
    "failures": ("aether_tui.cli.failures", "failures", "Failure review: sample failed traces, give each a cause"),
    "experiment": ("aether_tui.cli.experiment", "experiment", "Experiments: one-pager, start, results, decision"),
    "playbook": ("aether_tui.cli.playbook", "playbook", "What was learned: list, export, pack, import, next cycle"),
    "doc": ("aether_tui.cli.doc", "doc", "Authored documents: list, new, edit, undo, show, validate"),
    "search": ("aether_tui.cli.search", "search", "Find words in every authored document"),
    "cache": ("aether_tui.cli.cache", "cache", "Size, freshness, integrity and retention of the cache"),
    "calc": ("aether_tui.cli.calc", "calc", "Calculators: power, intervals, queues, comparisons, …"),
    "doctor": ("aether_tui.cli.doctor", "doctor", "What works here, what does not, and what to do"),
}


EDITING = frozenset({"doc", "budget", "opportunity", "taxonomy", "stream", "failures", "experiment", "playbook"})
"""Commands whose edits `doc undo` takes back."""


class LazyGroup(click.Group):
    """A group whose commands are imported when called."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # click would make an error of it
            _unread()
            raise click.exceptions.Exit(0) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            raise click.UsageError(f"no command {args[0]!r}" + (f", did you mean {near[0]!r}?" if near else ""), ctx)
        return super().resolve_command(ctx, args)


def _instant(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not a date or time such as 2026-11-21 or 2026-11-21T14:00Z") from error
    return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-w",
    "--workspace",
    type=click.Path(path_type=Path, file_okay=False),
    help="Engagement folder (default: nearest parent).",
)
@click.option("--offline", is_flag=True, envvar="AETHER_OFFLINE", help="Forbid every network call.")
@click.option(
    "--as-of",
    callback=_instant,
    envvar="AETHER_AS_OF",
    metavar="DATETIME",
    help="Fix the clock; what is summed up by hour or day counts the last one whole.",
)
@click.option("--seed", type=int, default=0, envvar="AETHER_SEED", show_default=True, help="Fix every random draw.")
@click.option("--start", metavar="SCREEN", default=None, help="Open the console on this screen.")
@click.option("--read-only", is_flag=True, help="Open the console to look only: no edits, no jobs.")
@click.option("--bell", is_flag=True, help="Let the console ring when a budget begins to block.")
@click.version_option(__version__, prog_name="aether-tui", message="%(prog)s %(version)s")
@click.pass_context
def cli(
    ctx: click.Context,
    workspace: Path | None,
    offline: bool,
    as_of: datetime | None,
    seed: int,
    start: str | None,
    read_only: bool,
    bell: bool,
) -> None:
    """Operations console for people who improve AI products.

    Without a command it opens the console on the workspace.
    """
    ctx.obj = Context(workspace_flag=workspace, offline=offline, as_of=as_of, seed=seed)
    if ctx.invoked_subcommand is None:
        from aether_tui.cli.console import open_console

        open_console(ctx.obj, start, read_only=read_only, bell=bell)
    else:
        if ctx.invoked_subcommand in EDITING:
            _note_edits(ctx, ctx.obj, ctx.invoked_subcommand)
        # Not every 700 objects: rows and documents come by the hundred thousand and hold no cycles.
        gc.set_threshold(50_000, 20, 20)


def _note_edits(ctx: click.Context, context: Context, command: str) -> None:
    """Let `doc undo` take back what this command writes, whether it ends well or not."""
    from aether_tui.workspace import written

    noted = written.NOTED = []

    @ctx.call_on_close
    def keep() -> None:
        written.NOTED = None
        if noted:
            from aether_tui.workspace.journal import keep

            with contextlib.suppress(AetherError, OSError):
                keep(context.workspace(), noted, f"aether-tui {command}")


def main(args: list[str] | None = None) -> None:
    """Run the command line; the only place that turns an exception into a line on stderr and an exit status."""
    # One BLAS thread: our arrays are small, and starting the others costs a third of numpy's import.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Nor plugins of pydantic: looking for them reads the metadata of everything installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    try:
        status = cli.main(args=args, prog_name="aether-tui", standalone_mode=False)
        code = status if isinstance(status, int) else 0
        sys.stdout.flush()
    except AetherError as error:
        _complain(error.sentence())
        code = error.exit_code
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        group, path = error.ctx.command, error.ctx.command_path
        named = ", ".join(group.list_commands(error.ctx)) if isinstance(group, click.Group) else ""
        _complain(f"{_below(path)}needs a command: {named}; `{path} --help` says what each does")
        code = ConfigurationError.exit_code
    except click.ClickException as error:
        _complain(_usage(error))
        code = ConfigurationError.exit_code
    except (KeyboardInterrupt, click.Abort):
        _complain("interrupted; what was stored stays stored")
        code = 130
    except BrokenPipeError:
        _unread()
        code = 0
    except Exception as error:
        if isinstance(error, OSError) and (said := _NO_BUG.get(error.errno or 0)):
            _unread()
            _complain(f"{error.filename or 'the output'}: {said.format(error.strerror)}")
            sys.exit(5)
        # A bug of ours. What it met would show a client's data to whoever reads the log or the report.
        from aether_tui.crash import redact

        if os.environ.get("AETHER_DEBUG"):
            import traceback

            click.echo(redact("".join(traceback.format_exception(error)), os.environ), err=True)
        what = redact(f"{type(error).__name__}: {error}", os.environ)
        _complain(f"internal error: {what}; run again with AETHER_DEBUG=1 to see where, and report it")
        code = 70
    sys.exit(code)


def _unread() -> None:
    """The reader left (`| head`): say nothing, and keep the interpreter from flushing into the closed pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


_NO_BUG = dict.fromkeys(
    (errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "cannot be written: {}; make room, or write elsewhere"
) | dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), "cannot be used: {}; check its permissions")
"""What errors of the system mean that wherever they arise are no bug of ours."""


def _usage(error: click.ClickException) -> str:
    """What was typed wrongly, and for which command, in one line as every other error; `--help` is for the rest."""
    what = " ".join(error.format_message().split()).rstrip(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return what
    path, root = context.command_path, context.find_root()
    if isinstance(error, click.NoSuchOption) and context is not root:
        option = error.option_name
        if any(option in one.opts for one in root.command.get_params(root)):
            return f"{option} stands before the command: aether-tui {option} … {_below(path)[:-2]}"
    told = isinstance(error, click.BadParameter) and not isinstance(error, click.MissingParameter)
    advice = "" if told or "did you mean" in what.casefold() else f"; `{path} --help` says what it takes"
    return f"{_below(path)}{what}{advice}"


def _below(path: str) -> str:
    """The command without the program's name, which stands before every complaint."""
    return f"{path.partition(' ')[2]}: " if " " in path else ""


def _complain(line: str) -> None:
    from aether_tui.text import one_line

    click.echo(f"aether-tui: {one_line(line, 2000)}", err=True)

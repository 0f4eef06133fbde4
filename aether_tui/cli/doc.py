"""`doc`: every authored document without the console."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import ValidationError

from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT, print_json, print_table
from aether_tui.errors import AetherError, CheckFailed, ConfigurationError
from aether_tui.problems import explain, nearest, raise_first
from aether_tui.text import plain
from aether_tui.workspace import templates
from aether_tui.workspace.document import Document
from aether_tui.workspace.documents import KINDS, offered, read_documents
from aether_tui.workspace.edits import set_back
from aether_tui.workspace.store import Conflict, Store, write_whole
from aether_tui.workspace.yaml_file import read_yaml

if TYPE_CHECKING:
    from aether_tui.problems import Lines
    from aether_tui.workspace.store import Stored

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


class _Kind(click.Choice[str]):
    """A kind of document; a wrong name is told the nearest one."""

    def __init__(self) -> None:
        super().__init__(list(KINDS))

    def get_invalid_choice_message(self, value: object, ctx: click.Context | None) -> str:
        near = nearest(str(value), KINDS)
        return f"no kind {value!r}; " + (f"did you mean {near!r}?" if near else f"there are {', '.join(KINDS)}")


KIND = click.argument("kind", type=_Kind(), metavar="KIND")
ANY_KIND = click.argument("kind", type=_Kind(), metavar="[KIND]", required=False)
NAMED = f"Kinds: {', '.join(KINDS)}."
SET = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set a field; VALUE is YAML, or a sentence. Repeatable.",
)


@click.group(short_help="Authored documents: list, new, edit, undo, show, validate")
def doc() -> None:
    """Authored documents of the engagement. One YAML file each, made to live in git."""


@doc.command(name="list", epilog=NAMED)
@ANY_KIND
@FORMAT
@click.pass_obj
def list_(context: Context, kind: str | None, form: str) -> None:
    """List documents of one KIND, or of all."""
    store = Store(context.workspace())
    found = []
    for name in [kind] if kind else KINDS:
        documents, problems = store.all(KINDS[name])
        found += [(name, item) for item in documents]
        for problem in problems:
            click.echo(f"not listed: {problem.sentence()}", err=True)
    if form == "json":
        print_json(
            [
                # The kind of document, also where it has a field of that name (a playbook entry: `doc show` has both).
                {**item.document.model_dump(mode="json"), "kind": name, "lacks": item.document.lacks()}
                for name, item in found
            ]
        )
    elif found:
        rows = [(name, item.document.id, _complete(item.document), title(item.document)) for name, item in found]
        print_table(("KIND", "ID", "COMPLETE", "TITLE"), rows)
    else:
        click.echo("nothing is written down yet; `aether-tui doc new KIND` makes the first", err=True)


@doc.command(epilog=NAMED)
@KIND
@click.argument("identity", metavar="ID")
@FORMAT
@click.pass_obj
def show(context: Context, kind: str, identity: str, form: str) -> None:
    """Print one document."""
    stored = Store(context.workspace()).get(KINDS[kind], identity)
    if form == "json":
        print_json(stored.document.model_dump(mode="json"))
    else:
        click.echo(plain(text := stored.data.decode("utf-8-sig"), len(text)), nl=False)


@doc.command(name="templates")
@FORMAT
def templates_(form: str) -> None:
    """List what `doc new KIND --from NAME` can start from."""
    found = [(name, one) for name in KINDS for one in templates.names(KINDS[name])]
    if form == "json":
        print_json([{"kind": name, "template": one} for name, one in found])
    else:
        print_table(("KIND", "TEMPLATE"), found)


@doc.command(epilog=NAMED)
@KIND
@click.option("--from", "start", metavar="TEMPLATE", help="Start from a template; --set goes over it.")
@SET
@click.pass_obj
def new(context: Context, kind: str, start: str | None, settings: tuple[str, ...]) -> None:
    """Make a document from a template, from --set, from YAML on stdin, or in $EDITOR. Prints its id."""
    model, store = KINDS[kind], Store(context.workspace())
    value: object
    lines: Lines
    with ExitStack() as stack:
        if settings or start:
            value, lines = _set(templates.fields(model, start) if start else {}, settings), {}
        else:
            if sys.stdin.isatty():
                text = (
                    stack.enter_context(_in_editor(store, kind, template(model, context.now().date()).encode())) or b""
                )
            else:
                text = sys.stdin.buffer.read()
            if not text.strip():
                raise ConfigurationError(
                    "nothing was given", where=f"doc new {kind}", next_step="use --set KEY=VALUE, or stdin"
                )
            value, lines = read_yaml(text, "the new document")
        _store_new(context, kind, value, lines)


def _store_new(context: Context, kind: str, value: object, lines: Lines) -> None:
    """Store a document that was given as keys and values, and print its id."""
    model, store, today = KINDS[kind], Store(context.workspace()), context.now().date()
    given = _table(value, "the new document")
    fields = {**_today(model, today), **offered(context.workspace(), model), **given}

    def make(identity: str) -> Document:
        return _valid(
            model, {"id": identity, **{k: v for k, v in fields.items() if k != "id"}}, "the new document", lines
        )

    beside = store.all(model)[0]
    stored = store.add(model, make)
    _doubt([stored, *beside], context)
    if given.get("id") not in (None, stored.document.id):
        click.echo(f"its own id is not kept: a new {kind} takes the next free one", err=True)
    click.echo(stored.document.id)


@doc.command(epilog=NAMED)
@KIND
@click.argument("identity", metavar="ID")
@SET
@click.pass_obj
def edit(context: Context, kind: str, identity: str, settings: tuple[str, ...]) -> None:
    """Change a document with --set, or in $EDITOR. A change made meanwhile by somebody else is never overwritten."""
    store = Store(context.workspace())
    model = KINDS[kind]
    stored = store.get(model, identity)
    if settings:
        fields = _set(stored.document.model_dump(mode="python", exclude_defaults=True), settings)
        _doubt([store.save(_valid(model, fields, identity, {}), stored.revision, context.now())], context)
        return
    with _in_editor(store, stored.document.id, stored.data) as text:
        if text is None:
            click.echo("not changed", err=True)
            return
        value, lines = read_yaml(text, stored.path.name)
        document = _valid(model, _table(value, stored.path.name), stored.path.name, lines)
        if document.id != stored.document.id:
            raise ConfigurationError(
                "the id cannot change", where=stored.path.name, next_step="make a new document instead"
            )
        _doubt([store.save(document, stored.revision, context.now(), text)], context)


@contextmanager
def _in_editor(store: Store, name: str, before: bytes) -> Iterator[bytes | None]:
    """What the editor makes of a text, None when it leaves it as it is. Until it is stored it stays in a file, and where is told."""
    draft = store.draft(name, before)
    try:
        try:
            click.edit(filename=str(draft))
        except click.ClickException as error:
            raise ConfigurationError(error.message) from error
        text = draft.read_bytes()
        yield None if text == before else text
    except AetherError as error:
        # Of a conflict the text is kept beside the document.
        if isinstance(error, Conflict) or draft.read_bytes().strip() in (b"", before.strip()):
            draft.unlink()
        else:
            error.next_step = f"your text is kept in {draft}"
        raise
    draft.unlink(missing_ok=True)


@doc.command(epilog=NAMED)
@ANY_KIND
@FORMAT
@click.pass_obj
def validate(context: Context, kind: str | None, form: str) -> None:
    """Check every document of one KIND, or of all with their links and the questions of your own. Exit 1 when something is
    wrong."""
    from aether_tui.config import Config
    from aether_tui.workspace import links
    from aether_tui.workspace.cycles import at_once
    from aether_tui.workspace.questions import load

    store = Store(context.workspace())
    counts, problems = 0, []
    for name in [kind] if kind else KINDS:
        documents, found = store.all(KINDS[name])
        counts += len(documents)
        problems += found
    problems += links.dangling(read_documents(context.workspace(), Config()), kind)
    problems += at_once(context.workspace()) if kind in {None, "cycle"} else ()
    problems += load(context.workspace()).problems if kind is None else ()
    if form == "json":
        keys = ("file", "line", "key", "what", "fix")
        print_json(
            {
                "valid": not problems,
                "documents": counts,
                "problems": [{key: getattr(p, key) for key in keys} for p in problems],
            }
        )
    else:
        for problem in problems:
            click.echo(problem.sentence())
        click.echo(f"{counts} documents are valid", err=True)
    if problems:
        raise CheckFailed(f"{len(problems)} problems in documents", next_step="mend the files named above")


@doc.command()
@click.pass_obj
def undo(context: Context) -> None:
    """Take back what the last command wrote in the engagement (`doc`, `opportunity`, `experiment`, …); again: the one before.

    Never over what somebody else changed since. A document that was made is moved to .aether/removed/.
    """
    from aether_tui.workspace import journal, written

    written.NOTED = None
    click.echo(journal.undo(context.workspace(), context.now()), err=True)


@doc.command(hidden=True)
@click.argument("base", type=EXISTING)
@click.argument("ours", type=EXISTING)
@click.argument("theirs", type=EXISTING)
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_context
def merge(click_context: click.Context, base: Path, ours: Path, theirs: Path, file: Path) -> None:
    """What git calls (`merge.aether-tui.driver`): OURS becomes the merge of three versions of FILE, field by field.

    Exit 1 when both sides changed the same field: both versions stand in OURS.
    """
    from aether_tui.workspace.merging import merged

    text, clean = merged(base, ours, theirs, file)
    write_whole(ours, text)
    click_context.exit(0 if clean else 1)


def _doubt(found: list[Stored[Document]], context: Context) -> None:
    if doubt := set_back(found, context.now()):
        click.echo(doubt, err=True)


def title(document: Document) -> str:
    """What a list shows of a document."""
    return str(getattr(document, "title", None) or getattr(document, "goal", "") or getattr(document, "started", ""))


def _complete(document: Document) -> str:
    lacking = len(document.lacks())
    return f"{lacking} open" if lacking else "yes"


def template(model: type[Document], today: date) -> str:
    """A file to fill in: required fields open, the others commented with their meaning."""
    known = _today(model, today)
    lines = [f"# {' '.join((model.__doc__ or '').split())}"]
    for name, field in model.model_fields.items():
        if name != "id":
            mark = "" if field.is_required() or name in known else "#"
            lines.append(f"{mark}{name}: {known.get(name, '')}".rstrip() + f"  # {field.description}")
    return "\n".join(lines) + "\n"


def _today(model: type[Document], today: date) -> dict[str, object]:
    return {name: today for name in ("created", "raised", "started") if name in model.model_fields}


def _table(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ConfigurationError(
            "expected keys and values", where=where, next_step="write lines such as `title: Cache answers`"
        )
    return value


def _valid(model: type[Document], fields: dict[str, object], file: str, lines: Lines) -> Document:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise_first(explain(error.errors(include_url=False), model, file, lines))
        raise


def _value(text: str, where: str) -> object:
    """VALUE as YAML; a line that YAML would take for a table or a comment, or cannot read, is what somebody wrote: text."""
    sentence = "\n" not in text and not text.lstrip().startswith(("{", "["))
    try:
        value, _ = read_yaml(text.encode(), where)
    except ConfigurationError:
        if not sentence:
            raise
        return text
    return text if sentence and (isinstance(value, dict) or (value is None and text.startswith("#"))) else value


def _set(fields: dict[str, object], settings: tuple[str, ...]) -> dict[str, object]:
    """`fields` with KEY=VALUE applied; a dotted key goes into a table, an empty value removes."""
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise ConfigurationError(f"--set {setting!r} has no '='", next_step="write KEY=VALUE")
        *tables, last = key.strip().split(".")
        here = fields
        for table in tables:
            inner = here.setdefault(table, {})
            if not isinstance(inner, dict):
                raise ConfigurationError(f"--set {key}: {table} is not a table")
            here = inner
        value = _value(text, f"--set {key}")
        if value is None:
            here.pop(last, None)
        else:
            here[last] = value
    return fields

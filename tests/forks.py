"""A process that has everything imported and forks for each command: `python -m tests.forks FD`, for `tests.command`.

A command runs in a process of its own, with its own folder, environment, input and output, without the second that a new
interpreter would spend on imports. Ends when its peer does.
"""

from __future__ import annotations

import gc
import json
import os
import socket
import sys
import traceback
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

WARM = (
    "asyncio", "duckdb", "encodings.utf_8_sig", "genai_prices.data", "numpy.ma", "opentelemetry.proto.trace.v1.trace_pb2",
    "pydantic", "rich.cells", "ruamel.yaml.mergevalue", "aether_tui.config_file",
)  # fmt: skip
ROOMS = ("budgets", "cache", "cli", "diagnostics", "ingest", "reports", "stats", "sync", "workspace")
"""Packages of which every module is imported before the first command; those of the console would bring Textual."""


def warm() -> None:
    """Import what commands import, once, and keep the collector away from it: its pages stay shared with the children."""
    for name in WARM:
        import_module(name)
    for room in (*(f"aether_tui.{room}" for room in ROOMS), "connectors"):
        for module in walk_packages(import_module(room).__path__, f"{room}."):
            import_module(module.name)
    gc.freeze()


def serve(peer: socket.socket) -> None:
    """Answer every request with the exit status of its command."""
    with peer, peer.makefile("rwb") as stream:
        for line in stream:
            request = json.loads(line)
            child = os.fork()
            if child == 0:
                peer.close()
                _run(request["arguments"], Path(request["cwd"]), request["env"], Path(request["folder"]))
            _, status = os.waitpid(child, 0)
            stream.write(f"{os.waitstatus_to_exitcode(status)}\n".encode())
            stream.flush()


def _run(arguments: list[str], cwd: Path, env: dict[str, str], folder: Path) -> None:
    """Be the command: does not return."""
    code = 1
    try:
        os.environ.clear()
        os.environ.update(env)
        for descriptor, name, flags in ((0, "in", os.O_RDONLY), (1, "out", os.O_WRONLY), (2, "err", os.O_WRONLY)):
            os.dup2(os.open(folder / name, flags | os.O_CREAT, 0o600), descriptor)
        os.chdir(cwd)
        sys.path[0] = ""
        sys.argv = ["aether-tui", *arguments]
        from aether_tui.cli import main

        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


if __name__ == "__main__":
    warm()
    serve(socket.socket(fileno=int(sys.argv[1])))
    gc.unfreeze()

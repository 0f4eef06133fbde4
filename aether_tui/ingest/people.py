"""The workspace's key: people and redacted values are stored as its keyed hashes only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from aether_tui.errors import ConfigurationError
from aether_tui.workspace.folder import Workspace

KEY_BYTES = 32


def key_path(workspace: Workspace) -> Path:
    """`.aether/person.key`."""
    return workspace.hidden / "person.key"


def workspace_key(workspace: Workspace) -> bytes:
    """The key of this workspace, made once (0600) when it is absent; two processes at once end with the same one.

    Raises ConfigurationError when the file is not a key.
    """
    path = key_path(workspace)
    if not path.exists():
        workspace.private()
        _make(path)
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise _not_a_key(path) from error
    if len(key) != KEY_BYTES:
        raise _not_a_key(path)
    return key


def _make(path: Path) -> None:
    """Write a temporary file and give it the name only when that is still free."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(secrets.token_hex(KEY_BYTES) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        pass  # another process was first
    finally:
        temporary.unlink()


def _not_a_key(path: Path) -> ConfigurationError:
    return ConfigurationError(
        "not a key of 64 hexadecimal digits",
        where=str(path),
        next_step="restore it from a backup; without it people get new hashes: delete it, `aether-tui cache reset`, then sync",
    )

"""Credentials by source and name: environment first, system keyring second, nowhere else.

They are never written to files, logs or process arguments. The keyring is imported only when it is asked.
"""

from __future__ import annotations

import os
import re
import secrets as randomness
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from aether_tui.errors import ConfigurationError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

    from aether_tui.workspace.folder import Workspace

Origin = Literal["environment", "keyring"]


@dataclass(frozen=True, slots=True)
class Found:
    """A secret and where it was. Its value is not part of `repr`."""

    value: str = field(repr=False)
    origin: Origin
    place: str
    """The environment variable, or the keyring's service name."""


class NoKeyring(ConfigurationError):
    """There is no system keyring that works here."""


def variable(source: str, name: str) -> str:
    """The environment variable of a secret: `AETHER_MY_LINEAR_API_KEY`. One underscore between words, never two."""
    return re.sub(r"[^A-Z0-9]+", "_", f"AETHER_{source}_{name}".upper()).rstrip("_")


def find_secret(
    source: str, name: str, workspace: Workspace | None = None, environ: Mapping[str, str] | None = None
) -> Found | None:
    """The secret of a source, or None. Without a workspace only the environment is looked at.

    A keyring that does not work counts as empty: `keyring_problem` says why.
    """
    place = variable(source, name)
    if value := (os.environ if environ is None else environ).get(place):
        return Found(value, "environment", place)
    if workspace is None or not (service := _service(workspace)):
        return None
    try:
        stored = _backend().get_password(service, _entry(source, name))
    except NoKeyring:
        return None
    except Exception:  # keyring backends raise whatever their system raises
        return None
    return Found(stored, "keyring", service) if stored else None


def store_secret(source: str, name: str, value: str, workspace: Workspace) -> str:
    """Keep a secret in the system keyring; returns the service name. Raises NoKeyring, naming the variable to set instead."""
    instead = f"set the environment variable {variable(source, name)} instead"
    try:
        backend = _backend()
        service = _service(workspace, make=True)
        backend.set_password(service, _entry(source, name), value)
        kept = backend.get_password(service, _entry(source, name)) == value
    except NoKeyring as error:
        raise NoKeyring(error.what, next_step=instead) from error
    except Exception as error:  # as above
        raise NoKeyring(f"the keyring refused ({type(error).__name__})", next_step=f"unlock it, or {instead}") from None
    if not kept:
        raise NoKeyring("the keyring did not keep it", next_step=instead)
    return service


def remove_secret(source: str, name: str, workspace: Workspace) -> bool:
    """Remove a secret from the keyring; whether there was one. Raises NoKeyring."""
    service = _service(workspace)
    backend = _backend()
    try:
        if not service or backend.get_password(service, _entry(source, name)) is None:
            return False
        backend.delete_password(service, _entry(source, name))
    except Exception as error:  # as above
        raise NoKeyring(f"the keyring refused ({type(error).__name__})", next_step="unlock it") from None
    return True


def keyring_problem() -> str | None:
    """Why the system keyring cannot be used, or None when it can."""
    try:
        _backend()
    except NoKeyring as error:
        return error.what
    return None


def keyring_name() -> str:
    """What the keyring in use calls itself."""
    return str(_backend().name)


def _backend() -> KeyringBackend:
    import keyring
    import keyring.backends.fail
    import keyring.backends.null

    backend = keyring.get_keyring()
    if isinstance(backend, keyring.backends.fail.Keyring | keyring.backends.null.Keyring):
        raise NoKeyring("no system keyring here")
    return backend


def _entry(source: str, name: str) -> str:
    return f"{source}/{name}"


def _service(workspace: Workspace, *, make: bool = False) -> str:
    """`aether-tui/<id>`: the id is made with the first secret and lives beside the cache, so a moved folder keeps it."""
    path = workspace.hidden / "id"
    if not path.is_file():
        if not make:
            return ""
        workspace.private()
        path.write_text(randomness.token_hex(8) + "\n", encoding="ascii")
    return f"aether-tui/{path.read_text(encoding='ascii').strip()}"

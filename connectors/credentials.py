"""The credentials of one source: whether they may be sent, what to say when they do not work, and how they stay hidden."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aether_tui.text import masked
from connectors.base import Denied, Forbidden, Network


class Credentials:
    """Secrets of one service by name: all must be there, none is ever shown."""

    def __init__(self, service: str, secrets: Mapping[str, str], network: Network) -> None:
        self._service = service
        self._secrets = {name: value.strip() for name, value in secrets.items()}
        self._network = network

    def mask(self, words: str, sent: Iterable[str]) -> str:
        """`words` without any credential, as they are or were `sent`, however it is written there."""
        return masked(words, [*self._secrets.values(), *sent])

    def check(self) -> None:
        """Raise Denied for one that is missing, or that no service can have given out."""
        for name, value in self._secrets.items():
            if not value:
                raise Denied(f"no {name} is stored", hint=self.hint())
            if not (value.isascii() and value.isprintable()):
                raise Denied(f"{name} has characters no credential has", hint=self.hint())

    def explain(self, error: Denied) -> None:
        """Say what to do about a credential, and since when it does not work where that is known."""
        if isinstance(error, Forbidden):
            missing = error.scope or "; ".join(self._network.needs) or "read access to this"
            error.hint = f"give it {missing}, or {self.hint()}"
            return
        memory = self._network.memory
        if "expired" not in error.what:
            if memory.expires and memory.expires <= f"{self._network.now():%Y-%m-%d}":
                error.what = f"token expired {memory.expires}; {error.what}"
            elif memory.worked is not None:
                error.what += f"; it worked last on {memory.worked:%Y-%m-%d}: expired or revoked since"
        error.hint = self.hint()

    def hint(self) -> str:
        """Where these credentials are put."""
        source = self._network.source or self._service.lower()
        variables = ", ".join(f"AETHER_{source}_{name}".upper().replace("-", "_") for name in self._secrets)
        return f"run `aether-tui auth set {source}` with a valid one, or set {variables}"

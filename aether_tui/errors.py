"""What can go wrong, as typed exceptions with fields; `cli` and the console own the wording around them.

The exit status of each kind is a contract with scripts: 1 a gate blocks or a check failed, 2 usage or configuration,
3 no data or inconclusive, 4 a source could not be reached or refused us, 5 the cache is locked, damaged or full.
"""

from __future__ import annotations


class AetherError(Exception):
    """An error with one sentence of what happened, where it happened and what to do next."""

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.next_step = next_step

    def sentence(self) -> str:
        """The whole story on one line: `where: what; next step`."""
        text = f"{self.where}: {self.what}" if self.where else self.what
        line = f"{text}{'' if text.endswith('?') else ';'} {self.next_step}" if self.next_step else text
        return " ".join(line.split())


class CheckFailed(AetherError):
    """A gate blocks, or a check found something wrong (exit 1)."""

    exit_code = 1


class ConfigurationError(AetherError):
    """A flag, a configuration value or an input file is not usable (exit 2)."""

    exit_code = 2


class NoData(AetherError):
    """There is nothing to answer with, or too little to decide (exit 3)."""

    exit_code = 3


class SourceFailed(AetherError):
    """A source could not be reached, or refused us (exit 4)."""

    exit_code = 4


class CacheTrouble(AetherError):
    """The cache is locked, damaged or full (exit 5)."""

    exit_code = 5

"""Credentials: environment first, keyring second, nowhere else."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backends.fail
import keyring.backends.null
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from aether_tui.cli import main
from aether_tui.secrets import NoKeyring, find_secret, keyring_problem, remove_secret, store_secret, variable
from aether_tui.workspace import Workspace

CANARY = "lin_api_CANARY-9f2c"


class Memory(KeyringBackend):
    """A keyring that keeps nothing anywhere."""

    priority = 1
    name = "memory"

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class Locked(Memory):
    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked("Failed to unlock the collection!")

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("Failed to unlock the collection!")


@pytest.fixture
def ring() -> Iterator[Memory]:
    before = keyring.get_keyring()
    memory = Memory()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "aether.toml").write_text("[sources.linear]\n[sources.linear-eu]\nkind = 'linear'\n")
    return Workspace(tmp_path)


def run(
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *args: str,
    stdin: str = "",
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
    with pytest.raises(SystemExit) as exit_:
        main(["-w", str(workspace.root), *args])
    out, err = capsys.readouterr()
    return int(str(exit_.value.code)), out, err


def test_variables_have_one_underscore_between_words() -> None:
    assert variable("linear", "api_key") == "AETHER_LINEAR_API_KEY"
    assert variable("linear--eu", "api_key") == "AETHER_LINEAR_EU_API_KEY"


def test_environment_beats_keyring(ring: Memory, workspace: Workspace) -> None:
    service = store_secret("linear", "api_key", "from the keyring", workspace)
    stored = find_secret("linear", "api_key", workspace, {})
    assert stored is not None
    assert (stored.value, stored.origin, stored.place) == ("from the keyring", "keyring", service)
    found = find_secret("linear", "api_key", workspace, {"AETHER_LINEAR_API_KEY": "from outside"})
    assert found is not None
    assert (found.value, found.origin, found.place) == ("from outside", "environment", "AETHER_LINEAR_API_KEY")
    assert "from" not in repr(found)


def test_two_workspaces_do_not_share_and_a_moved_one_keeps(ring: Memory, workspace: Workspace, tmp_path: Path) -> None:
    store_secret("linear", "api_key", CANARY, workspace)
    other = Workspace(tmp_path / "other")
    other.root.mkdir()
    assert find_secret("linear", "api_key", other, {}) is None
    workspace.hidden.rename(other.hidden)
    found = find_secret("linear", "api_key", other, {})
    assert found is not None
    assert found.value == CANARY


@pytest.mark.parametrize("backend", [keyring.backends.fail.Keyring(), keyring.backends.null.Keyring(), Locked()])
def test_without_a_working_keyring_the_variable_is_named(
    ring: Memory, workspace: Workspace, backend: KeyringBackend
) -> None:
    keyring.set_keyring(backend)
    with pytest.raises(NoKeyring) as caught:
        store_secret("linear", "api_key", CANARY, workspace)
    assert "AETHER_LINEAR_API_KEY" in caught.value.sentence()
    assert CANARY not in caught.value.sentence()
    assert find_secret("linear", "api_key", workspace, {}) is None
    if not isinstance(backend, Locked):
        assert keyring_problem() == "no system keyring here"


def test_removing(ring: Memory, workspace: Workspace) -> None:
    assert remove_secret("linear", "api_key", workspace) is False
    store_secret("linear", "api_key", CANARY, workspace)
    assert remove_secret("linear", "api_key", workspace) is True
    assert ring.kept == {}
    keyring.set_keyring(Locked())
    with pytest.raises(NoKeyring, match="the keyring refused"):
        remove_secret("linear", "api_key", workspace)


def test_without_a_keyring_no_secret_is_asked_for(
    ring: Memory, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keyring.set_keyring(keyring.backends.fail.Keyring())
    code, _, err = run(workspace, monkeypatch, capsys, "auth", "set", "linear", stdin=CANARY)
    assert (code, sys.stdin.read()) == (2, CANARY)
    assert "AETHER_LINEAR_API_KEY" in err


def test_auth_set_reads_stdin_and_leaves_no_trace(
    ring: Memory, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(workspace, monkeypatch, capsys, "auth", "set", "linear", stdin=CANARY + "\n")
    assert (code, out) == (0, "")
    assert list(ring.kept.values()) == [CANARY]
    assert CANARY not in err
    code, out, err = run(workspace, monkeypatch, capsys, "--offline", "auth", "status", "--format", "json")
    assert code == 1, "linear-eu has none"
    assert '"found": "keyring"' in out
    assert "AETHER_LINEAR_EU_API_KEY" in err
    code, out, err = run(workspace, monkeypatch, capsys, "config", "show")
    assert CANARY not in out + err
    kept = b"".join(path.read_bytes() for path in workspace.root.rglob("*") if path.is_file())
    assert CANARY.encode() not in kept
    code, out, err = run(workspace, monkeypatch, capsys, "auth", "remove", "linear")
    assert (code, ring.kept) == (0, {})


@pytest.mark.parametrize(
    ("args", "stdin", "words"),
    [
        (("set", "linear"), "\n", ("nothing was given",)),
        (("set", "linear", CANARY), "x", ("has no credential", "it has api_key")),
        (("set", "linear", "api_key", CANARY), "x", ("unexpected extra argument",)),
        (("set", "linaer"), "x", ("no source 'linaer'", "did you mean 'linear'?")),
    ],
)
def test_auth_set_refuses(
    ring: Memory,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    args: tuple[str, ...],
    stdin: str,
    words: tuple[str, ...],
) -> None:
    code, _, err = run(workspace, monkeypatch, capsys, "auth", *args, stdin=stdin)
    assert code == 2
    assert len(err.splitlines()) == 1
    for word in words:
        assert word in err
    assert ring.kept == {}


def test_auth_status_proves_a_credential_with_one_call(
    ring: Memory, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Against recorded answers; without one the status is 4 and says so on one line."""
    (workspace.root / "empty.jsonl").write_text("")
    workspace.config_path.write_text("[sources.linear]\nurl = 'replay:empty.jsonl'\n")
    monkeypatch.setenv("AETHER_LINEAR_API_KEY", CANARY)
    code, out, err = run(workspace, monkeypatch, capsys, "auth", "status")
    assert code == 4
    assert out.splitlines()[1].startswith("■ linear")
    assert CANARY not in out + err

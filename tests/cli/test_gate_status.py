"""The go/no-go gate as an exit status: nothing to judge by, no-go, an override while it holds."""

from pathlib import Path

from tests.command import aether
from tests.diagnostics import world


def test_scripts_can_wait_for_the_gate(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    ask = ("--as-of", world.NOW.strftime("%Y-%m-%dT%H:%M:%SZ"), "report", "gate")
    aether(*ask, cwd=made.root).refuses(3, "nothing to judge by", "aether-tui load")
    world.store(made, "traces", "files", "spans", world.spans())
    shut = aether(*ask, cwd=made.root)
    shut.refuses(1, "no-go", "required field")
    assert "NO-GO" in shut.out
    held = "{name: Head of product, reason: one week of a pilot, expires: %s}"
    text = "id: DEC-1\ntitle: Open it\nraised: 2026-01-01\ngate_override: "
    world.document(made, "decisions", "DEC-1", text + held % "2026-01-02" + "\n")
    aether(*ask, cwd=made.root).refuses(1, "no-go")
    world.document(made, "decisions", "DEC-1", text + held % "2027-01-01" + "\n")
    assert aether(*ask, cwd=made.root).code == 0

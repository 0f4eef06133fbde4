"""The system's own clipboard, for terminals that do not pass OSC 52 on."""

from __future__ import annotations

import shutil
import subprocess

TOOLS = (("pbcopy",), ("wl-copy",), ("xclip", "-selection", "clipboard"), ("clip.exe",))


def copy_native(text: str) -> str:
    """Copy with the first tool that is installed and works; its name, or nothing."""
    for command in TOOLS:
        if shutil.which(command[0]):
            try:
                subprocess.run(
                    command,
                    input=text.encode(),
                    check=True,
                    timeout=1,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            except (OSError, subprocess.SubprocessError):
                continue
            return command[0]
    return ""

"""The engagement folder: authored documents, their atomic store, and the content shipped with the program."""

from aether_tui.workspace.folder import Workspace

__all__ = ["Workspace"]

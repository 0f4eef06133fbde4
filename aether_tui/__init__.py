"""aether-tui: a terminal operations console for people who improve AI products."""

__version__ = "0.1.0"

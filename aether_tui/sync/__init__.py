"""Runs connectors and loads files: cursors, resume, progress."""

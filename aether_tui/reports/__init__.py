"""Faces of a report: Markdown, HTML, text and JSON. They render and never compute."""

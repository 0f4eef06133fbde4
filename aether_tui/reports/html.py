"""Markdown pages of a pack as HTML pages that open by themselves: no script, nothing fetched from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }
table { border-collapse: collapse; margin: 1rem 0; font-size: .9rem } th, td { padding: .25rem .7rem; border-bottom: 1px solid #ddd;
vertical-align: top } th { text-align: left } pre { overflow-x: auto; background: #f6f7f8; padding: .8rem; line-height: 1.25 }
code { background: #f6f7f8 } blockquote { border-left: 4px solid #c0392b; margin: 1rem 0; padding: .2rem 1rem; background: #fdf3f2 }
img { max-width: 100%; height: auto } h1, h2 { line-height: 1.2 } a { color: #1f6f9f }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #16181b } th, td { border-color: #444 }
pre, code { background: #23262a } blockquote { background: #2c2020 } a { color: #7ab8de } }
"""
_OTHERS = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"


def pages(found: Mapping[str, str]) -> dict[str, str]:
    """The pack with every Markdown page as HTML; links between pages go to the HTML ones, other files stay as they are."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    made = {}
    for key, text in found.items():
        if not key.endswith(".md"):
            made[key] = text
            continue
        tokens = reader.parse(text)
        for token in (child for block in tokens for child in (block.children or ())):
            if token.type == "link_open" and str(token.attrGet("href")) in _beside(key, found):
                token.attrSet("href", re.sub(r"\.md$", ".html", str(token.attrGet("href"))))
        heading = next((block for at, block in enumerate(tokens) if at and tokens[at - 1].tag == "h1"), None)
        title = "".join(child.content for child in heading.children or ()) if heading is not None else key
        made[key.removesuffix(".md") + ".html"] = (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{_OTHERS}">\n'
            f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
            f"{reader.renderer.render(tokens, reader.options, {})}</body>\n</html>\n"
        )
    return made


def _beside(key: str, found: Mapping[str, str]) -> set[str]:
    """Links that lead from this page to another one of the pack."""
    folder = key.rpartition("/")[0]
    inside = {other.removeprefix(f"{folder}/") for other in found if folder and other.startswith(f"{folder}/")}
    outside = {f"../{other}" if folder else other for other in found}
    return inside | outside

#!/usr/bin/env python3
"""Take a picture of a terminal program as a person would see it.

    tui_shot.py --size 120x40 --keys g,b --out budgets.png -- aether-tui -w demo
    tui_shot.py --size 80x24 --text -- aether-tui

The program runs in a pseudo-terminal; after each key the screen is left to settle.
--out writes a PNG (needs Pillow and a monospace font such as Debian's fonts-dejavu-core),
--text prints the screen's text. Keys are names as in tui_bench.py (down, tab, enter, ctrl+p,
f1, space, comma …) or literal text; `wait:2` waits two seconds.
Needs: Linux, pyte.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from tui_bench import Ended, Session

FONTS = (("DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf"), ("LiberationMono-Regular.ttf", "LiberationMono-Bold.ttf"))
FOLDERS = ("", "/usr/share/fonts/truetype/dejavu/", "/usr/share/fonts/truetype/liberation/")
NAMED = {
    "black": "000000", "red": "cc3333", "green": "33aa55", "brown": "bb8833", "blue": "4477cc",
    "magenta": "aa55aa", "cyan": "33aaaa", "white": "d0d0d0", "brightblack": "666666",
    "brightred": "ff5555", "brightgreen": "55dd77", "brightbrown": "ffcc55", "brightblue": "77aaff",
    "brightmagenta": "ff77ff", "brightcyan": "55ffff", "brightwhite": "ffffff",
}  # fmt: skip


def colour(name: str, default: str) -> tuple[int, int, int]:
    text = default if name == "default" else NAMED.get(name, name)
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def draw(session: Session, out: Path, points: int) -> None:
    from PIL import Image, ImageDraw, ImageFont

    fonts = None
    for plain, heavy in FONTS:
        for folder in FOLDERS:
            try:
                fonts = ImageFont.truetype(folder + plain, points), ImageFont.truetype(folder + heavy, points)
                break
            except OSError:
                continue
        if fonts:
            break
    if fonts is None:
        raise SystemExit("tui_shot: no monospace font found (install fonts-dejavu-core)")
    font, bold = fonts
    wide, high = round(font.getlength("M")), sum(font.getmetrics())
    screen = session.screen
    image = Image.new("RGB", (wide * screen.columns, high * screen.lines), "#111111")
    pen = ImageDraw.Draw(image)
    for row in range(screen.lines):
        for column in range(screen.columns):
            cell = screen.buffer[row][column]
            fore, back = colour(cell.fg, "dddddd"), colour(cell.bg, "111111")
            if cell.reverse:
                fore, back = back, fore
            x, y = column * wide, row * high
            pen.rectangle((x, y, x + wide - 1, y + high - 1), fill=back)
            if cell.data.strip():
                pen.text((x, y), cell.data, font=bold if cell.bold else font, fill=fore)
    image.save(out)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--size", default="120x40", help="COLUMNSxROWS")
    add("--keys", default="", help="keys to press, comma-separated")
    add("--out", type=Path, help="PNG to write")
    add("--text", action="store_true", help="print the screen's text")
    add("--start", type=float, default=3.0, help="seconds to let the program start, at most")
    add("--settle", type=float, default=0.6, help="seconds of silence that count as settled")
    add("--points", type=int, default=14, help="font size")
    add("--quit-key", default="ctrl+q", help="keys that end the program")
    add("command", nargs="+", metavar="-- COMMAND")
    args = parser.parse_args()
    columns, rows = map(int, args.size.split("x"))
    session = Session(args.command, columns, rows, True)
    try:
        session.read_until_quiet(max(args.settle, 1.5), args.start + 8)
        for name in filter(None, args.keys.split(",")):
            if name.startswith("wait:"):
                end = time.monotonic() + float(name[5:])
                while time.monotonic() < end:
                    session.read_until_quiet(0.2, end - time.monotonic())
                continue
            session.press(name)
            session.read_until_quiet(args.settle, 6)
    except Ended:
        print("tui_shot: the program ended", file=sys.stderr)
    session.feed()
    if args.text:
        print(session.text())
    if args.out:
        draw(session, args.out, args.points)
    session.stop([part for part in args.quit_key.split(",") if part])
    return 0


if __name__ == "__main__":
    sys.exit(main())

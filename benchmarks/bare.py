"""The yardstick for start-up: a Textual application with header, footer and six tabs, and nothing else."""

from textual.app import App, ComposeResult
from textual.widgets import Footer, Header, Static, TabbedContent, TabPane


class Bare(App[None]):
    def compose(self) -> ComposeResult:
        yield Header()
        with TabbedContent():
            for number in range(6):
                with TabPane(f"Tab {number}"):
                    yield Static("text")
        yield Footer()


if __name__ == "__main__":
    Bare().run()

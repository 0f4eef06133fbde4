"""Every action of the console, declared once: bindings, footer, palette, `?`, `docs/keys.md` and the user's keymap read it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from screens import SCREENS

Where = Literal[
    "app",
    "page",
    "report",
    "list",
    "form",
    "documents",
    "portfolio",
    "flywheel",
    "constraint",
    "stream",
    "budgets",
    "levers",
    "papers",
    "rituals",
    "experiments",
    "playbook",
    "sitting",
    "maturity",
    "traces",
    "trace",
    "rows",
    "drill",
    "replay",
    "taxonomy",
]
"""What an action acts on: the console, any page, a report, the list under the cursor, a document's form, or one screen."""

_SHARED = frozenset({"app", "page", "list"})
"""Scopes that are in force everywhere; with `report` on screens, without it in forms. Screens' own exclude each other."""

_WITHOUT_REPORT = frozenset({"form", "documents", "trace", "rows", "replay", "sitting"})
"""Pages that are not the face of a report."""

_FIXED = {"portfolio.rate": "rate", "constraint.rate": "rate", "form.choose": "choose", "sitting.answer": "answer"}
"""Digits mean themselves: the only keys that cannot be changed."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a key can do. `keys` are alternatives separated by commas; `g h` is `g`, then `h`."""

    id: str
    keys: str
    title: str
    help: str
    group: str
    where: Where = "app"
    footer: int = 0
    """Place in the footer, lowest first; 0 keeps it out."""
    palette: bool = True

    @property
    def answers(self) -> bool:
        """Whether it takes what is typed as a value: a digit that rates, chooses or answers."""
        return self.id in _FIXED

    def call(self, key: str = "") -> str:
        """The Textual action this runs on its node: `report.why` → `why`, `go.home` → `go('home')`."""
        scope, _, name = self.id.partition(".")
        if scope == "go":
            return f"go({name!r})"
        return f"{_FIXED[self.id]}({int(key)})" if self.id in _FIXED else name.replace("-", "_")


ACTIONS: tuple[Action, ...] = (
    *(Action(f"go.{s.name}", f"g {s.letter}", s.title, s.help, "Go") for s in SCREENS.values()),
    Action("app.prefix", "g", "Go", "Then the letter of a screen, or g for the top of the list", "Go", footer=1, palette=False),
    Action("app.back", "escape", "Back", "Close what is open, else return to the screen before", "Go", palette=False),
    Action("app.older", "left_square_bracket", "Older screen", "Back in the history of screens", "Go", palette=False),
    Action("app.newer", "right_square_bracket", "Newer screen", "Forward in the history of screens", "Go", palette=False),
    Action("list.down", "down,j", "Down", "Next row", "List", "list", palette=False),
    Action("list.up", "up,k", "Up", "Row before", "List", "list", palette=False),
    Action("list.top", "home,g g", "Top", "First row", "List", "list", palette=False),
    Action("list.bottom", "end,G", "Bottom", "Last row", "List", "list", palette=False),
    Action("list.page-down", "pagedown,ctrl+d", "Page down", "Half a screen down", "List", "list", palette=False),
    Action("list.page-up", "pageup,ctrl+u", "Page up", "Half a screen up", "List", "list", palette=False),
    Action("list.next-block", "right_curly_bracket", "Next table", "First row of the next table", "List", "list", palette=False),
    Action("list.previous-block", "left_curly_bracket", "Table before", "First row of the table before", "List", "list", palette=False),
    Action("list.filter", "slash", "Filter", "Keep the rows that contain a text", "List", "page", footer=5),
    Action("list.sort", "less_than_sign", "Sort", "Sort this table by its next column", "List", "list"),
    Action("list.reverse", "greater_than_sign", "Reverse", "Reverse the order of this table", "List", "list"),
    Action("report.open", "enter", "Open", "Details of the selected row", "Report", "report", footer=2, palette=False),
    Action("report.why", "x", "Why", "Formula, evidence and command behind the selected row", "Report", "report", footer=3),
    Action("report.words", "v", "As text", "Words instead of bars and sparklines, one column", "Report", "page"),
    Action("report.export", "e", "Export", "Write this report as Markdown into exports/", "Report", "report", footer=7),
    Action("report.copy", "y", "Copy", "Copy the selected row", "Report", "page"),
    Action("form.edit", "enter", "Edit", "Type the value, or open what is under the cursor", "Form", "form", footer=2, palette=False),
    Action("form.choose", "1,2,3,4,5,6,7,8,9,0", "Choose", "Set a score, a choice or a switch by its number; 0 means 10",
           "Form", "form", palette=False),
    Action("form.cycle", "space", "Next choice", "The next choice, or the other side of a switch", "Form", "form", palette=False),
    Action("form.add", "n", "Add", "Add a line or an entry to the list under the cursor", "Form", "form", footer=4),
    Action("form.clear", "delete,backspace", "Clear", "Clear the value or remove the line under the cursor", "Form", "form", footer=4),
    Action("form.next", "tab", "Next open", "The next field that is still to be said, or that the document lacks", "Form", "form"),
    Action("form.editor", "ctrl+o", "Editor", "Open the whole file in $VISUAL or $EDITOR", "Form", "form", footer=6),
    Action("portfolio.rate", "1,2,3,4,5,6,7,8,9,0", "Rate", "Set the marked field of the selected opportunity; 0 means 10",
           "Portfolio", "portfolio", palette=False),
    Action("portfolio.next-field", "tab", "Field", "Mark the next field: impact, confidence, reversibility",
           "Portfolio", "portfolio", footer=4, palette=False),
    Action("portfolio.effort", "w", "Weeks", "Type the effort of the selected opportunity in weeks", "Portfolio", "portfolio", footer=4),
    Action("portfolio.range", "r", "Range", "Type low, most likely, high for the marked field", "Portfolio", "portfolio", footer=4),
    Action("portfolio.tornado", "t", "Tornado", "Which single input would change the order; again for the list",
           "Portfolio", "portfolio", footer=4),
    Action("portfolio.map", "m", "Map", "Impact against effort; again for the list", "Portfolio", "portfolio", footer=4),
    Action("portfolio.new", "n", "New", "Add an opportunity", "Portfolio", "portfolio", footer=4),
    Action("portfolio.import", "i", "Import", "Add opportunities from the tracker's items, or from a CSV or JSONL file",
           "Portfolio", "portfolio", footer=4),
    Action("constraint.objective", "m", "Objective", "Rank the levers by the next objective, from money to items",
           "Constraint", "constraint", footer=4),
    Action("constraint.rate", "1,2,3,4,5,6,7,8,9,0", "Cause", "Give the selected failed trace the cause of that digit, and go to the next",
           "Constraint", "constraint", palette=False),
    Action("constraint.rater", "w", "Rater", "Say who gives the causes; a second name rates blind", "Constraint", "constraint"),
    Action("constraint.sample", "N", "Failure review", "Draw a sample of failed traces to be reviewed",
           "Constraint", "constraint", footer=4),
    Action("stream.write", "n", "Write down", "Write the counted steps of the selected stream into a value stream document",
           "Value stream", "stream", footer=4),
    Action("stream.form", "f", "Fill in", "Complete the newest value stream document by hand", "Value stream", "stream", footer=4),
    Action("flywheel.tick", "space", "Tick", "Tick or untick a manual item, with who and a note",
           "Flywheel", "flywheel", footer=4, palette=False),
    Action("flywheel.begin", "b", "Begin phase", "Say on which day the selected phase was begun",
           "Flywheel", "flywheel", footer=4),
    Action("flywheel.next-cycle", "N", "Next cycle", "Close the running cycle and open the next one on the next constraint",
           "Flywheel", "flywheel", footer=4),
    Action("documents.open", "enter", "Open", "Open the document under the cursor", "Form", "documents", footer=2, palette=False),
    Action("documents.new", "n", "New", "Begin a new document of any kind", "Form", "documents", footer=4),
    Action("app.wider", "plus", "Wider window", "The next of 7 d, 28 d, 90 d and the fiscal quarter, on every screen", "Look"),
    Action("app.narrower", "minus", "Narrower window", "The one before of 7 d, 28 d, 90 d and the fiscal quarter", "Look"),
    Action("app.window", "W", "Window", "Type a window: days, a fiscal quarter, or two dates", "Look"),
    Action("app.compare", "C", "Compare", "Type what the window is compared with: previous, a date it ends on, or a frozen review", "Look"),
    Action("app.narrow", "T", "Narrow", "Only a team, service or feature, on every screen", "Look"),
    Action("papers.new", "n", "New", "Begin a new document of the kind under the cursor", "Form", "papers", footer=4),
    Action("rituals.inventory", "i", "From interviews", "Draft a sheet for each meeting that the ritual inventory names",
           "Form", "rituals", footer=4),
    Action("app.find", "F", "Find documents", "Documents that contain some words, or all of them; each opens as a form", "Work"),
    Action("app.decide", "D", "Record a decision", "A decision, who took it, and what was chosen; open when nothing is chosen yet", "Work"),
    Action("page.opportunity", "O", "Make an opportunity", "Make the selected row an opportunity, with its id as evidence", "Work", "page"),
    Action("experiments.new", "n", "New", "Draft one: a title, or an opportunity such as OPP-3", "Experiments", "experiments", footer=4),
    Action("experiments.fill", "f", "Fill in", "Fill in the one-pager of the selected experiment", "Experiments", "experiments", footer=4),
    Action("experiments.review", "r", "Review", "Say who read the one-pager", "Experiments", "experiments", footer=4),
    Action("experiments.start", "t", "Start", "Start the selected experiment; refused while its one-pager is incomplete",
           "Experiments", "experiments", footer=4),
    Action("experiments.shadow", "S", "Start in shadow", "Start it beside the real answer, seen by nobody", "Experiments", "experiments"),
    Action("experiments.result", "m", "Result", "Record a result: cached tasks, or two arms typed", "Experiments", "experiments"),
    Action("experiments.observe", "o", "Observe", "Write down what a person saw; a decision needs one", "Experiments", "experiments"),
    Action("experiments.decide", "d", "Decide", "Kill, iterate or scale; the computed verdict is kept beside it",
           "Experiments", "experiments", footer=4),
    Action("experiments.codify", "c", "Codify", "Write what was learned into the playbook", "Experiments", "experiments"),
    Action("experiments.back", "b", "Back a step", "Take it one step back, with the reason, as a new entry", "Experiments", "experiments"),
    Action("sitting.answer", "1,2,3,4,5,6,7,8,9,0", "Answer", "Answer by a digit, and on; 0 does not apply",
           "Interview", "sitting", palette=False),
    Action("sitting.write", "enter", "Write", "Answer in words", "Interview", "sitting", palette=False),
    Action("sitting.note", "n", "Note", "Note what is said; #tags are found again", "Interview", "sitting", footer=1),
    Action("sitting.quote", "apostrophe", "Quote", "Keep what they said in their words", "Interview", "sitting", footer=2),
    Action("sitting.opportunity", "O", "Opportunity", "Make the newest quote an opportunity", "Interview", "sitting"),
    Action("sitting.park", "p", "Park", "Put the question off to the end", "Interview", "sitting", footer=3),
    Action("sitting.search", "slash", "Search", "Go to a question by its words", "Interview", "sitting", footer=4),
    Action("sitting.next", "tab", "Next open", "The next question without an answer", "Interview", "sitting", footer=5, palette=False),
    Action("sitting.before", "shift+tab", "Back", "The question before, to be answered again", "Interview", "sitting", palette=False),
    Action("sitting.down", "down,pagedown", "Down", "Show what does not fit below", "Interview", "sitting", palette=False),
    Action("sitting.up", "up,pageup", "Up", "Show what was above", "Interview", "sitting", palette=False),
    Action("sitting.who", "w", "Who", "Add a person, or ask another one", "Interview", "sitting", footer=5),
    Action("taxonomy.merge", "m", "Merge", "Merge the selected kind of request into another", "Taxonomy", "taxonomy", footer=4),
    Action("taxonomy.split", "t", "Split", "Split the selected kind into its halves, or what it was merged of",
           "Taxonomy", "taxonomy", footer=4),
    Action("taxonomy.rename", "r", "Rename", "Give the selected kind another label; its id stays", "Taxonomy", "taxonomy", footer=4),
    Action("taxonomy.move", "w", "Move", "Say which kind the selected example belongs to", "Taxonomy", "taxonomy", footer=4),
    Action("taxonomy.build", "B", "Build", "Build the next version from the kept requests", "Taxonomy", "taxonomy", footer=4),
    Action("maturity.done", "space", "Done", "Mark the next practice as done", "Maturity", "maturity", footer=4, palette=False),
    Action("app.undo", "u", "Undo", "Take back the last edit; asks when it was made on another screen", "Work"),
    Action("budgets.waive", "w", "Waive", "Answer for the selected budget until a day: reason, owner, expiry",
           "Budgets", "budgets", footer=4),
    Action("budgets.baseline", "B", "Baseline", "Add the newest measurements to the baselines in benchmarks/, after asking",
           "Budgets", "budgets", footer=4),
    Action("budgets.receiver", "o", "Receiver", "Start the receiver of traces behind the console; again to stop it",
           "Budgets", "budgets", footer=4),
    Action("budgets.levers", "l", "Levers", "What could be saved on each surface", "Budgets", "budgets", footer=4, palette=False),
    Action("budgets.filter", "f", "Filter", "Keep the rows that contain a text, as / does", "Budgets", "budgets", palette=False),
    Action("playbook.next-cycle", "N", "Next cycle", "Close the running cycle and open the next one on the next constraint",
           "Playbook", "playbook", footer=4),
    Action("levers.promote", "p", "Opportunity", "Make the selected lever an opportunity of the portfolio",
           "Budgets", "levers", footer=4),
    Action("traces.order", "o", "Sort all", "Sort the whole list by its next column", "Traces", "traces", footer=4),
    Action("traces.turn", "i", "Turn round", "Turn the order of the whole list round", "Traces", "traces"),
    Action("traces.failed", "f", "Failed", "Only traces that failed; again for all", "Traces", "traces", footer=4),
    Action("traces.search", "t", "Search", "Find a text in every span of the window; esc stops it", "Traces", "traces", footer=4),
    Action("traces.group", "b", "Group by", "Group the traces by the next attribute", "Traces", "traces", footer=4),
    Action("traces.attribute", "B", "Group by any", "Group the traces by any attribute of their spans, typed", "Traces", "traces"),
    Action("traces.mark", "m", "Compare", "Mark a trace; on another one, show both side by side", "Traces", "traces", footer=4),
    Action("traces.next", "n", "Next page", "The next 200 traces of the list", "Traces", "traces", footer=4),
    Action("traces.before", "p", "Page before", "The 200 traces before", "Traces", "traces"),
    Action("drill.connect", "c", "Connect", "What is connected, and how to connect what is missing", "Work", "drill"),
    Action("drill.ask", "i", "Ask", "Ask people what no source says, in an interview", "Work", "drill"),
    Action("rows.open", "enter", "Open", "What is known of the selected row; a trace as a tree", "Traces", "rows", footer=2, palette=False),
    Action("trace.open", "enter", "Open", "What is known of the selected span", "Traces", "trace", footer=2, palette=False),
    Action("trace.reveal", "r", "What was said", "Show prompt and completion, if they are kept; noted in .aether/audit.jsonl",
           "Traces", "trace", footer=4),
    Action("trace.replay", "p", "Replay", "Send the selected call (or all of the trace) to a model again; the cost is shown first",
           "Traces", "trace", footer=4),
    Action("replay.open", "enter", "Open", "The words of the answer beside the recorded ones", "Traces", "replay", footer=2,
           palette=False),
    Action("app.sync", "s", "Sync", "Pull the sources into the cache; again to stop it", "Work", footer=6),
    Action("app.load", "L", "Load files", "Type files or folders to read into the cache, with the options of aether-tui load", "Work"),
    Action("app.export-all", "E", "Export all", "Write the whole engagement as Markdown into exports/", "Work"),
    Action("app.palette", "colon,ctrl+p", "Commands", "Find any action by name", "Console", footer=8, palette=False),
    Action("app.help", "question_mark,f1", "Help", "What can be done on this screen", "Console", footer=9),
    Action("app.room", "R", "Room mode", "Hide other people's answers, money and clients; again to show them", "Console"),
    Action("app.theme", "f2", "Dark or light", "Switch between the dark and the light theme", "Console"),
    Action("app.suspend-process", "ctrl+z", "Suspend", "Put the console aside, into the shell; fg brings it back", "Console"),
    Action("app.quit", "q", "Quit", "Leave; everything is saved already", "Console", footer=10),
)  # fmt: skip

GROUPS = tuple(dict.fromkeys(action.group for action in ACTIONS))

BY_ID: dict[str, Action] = {action.id: action for action in ACTIONS}

_SHOWN = {
    "escape": "esc", "left_square_bracket": "[", "right_square_bracket": "]", "left_curly_bracket": "{",
    "right_curly_bracket": "}", "slash": "/", "less_than_sign": "<", "greater_than_sign": ">", "enter": "↵", "colon": ":",
    "question_mark": "?", "down": "↓", "up": "↑", "pagedown": "pgdn", "pageup": "pgup", "full_stop": ".", "comma": ",",
    "1,2,3,4,5,6,7,8,9,0": "1–9,0", "plus": "+", "minus": "-", "delete": "del", "backspace": "⌫",
    "apostrophe": "'",
}  # fmt: skip
_TYPED = {shown: name for name, shown in _SHOWN.items() if len(shown) == 1}


def shown(keys: str, separator: str = " ") -> str:
    """Keys as people read them: `down,j` → `↓ j`, `g h` → `g h`."""
    if keys in _SHOWN:
        return _SHOWN[keys]
    return separator.join(" ".join(_SHOWN.get(key, key) for key in keys_.split()) for keys_ in keys.split(","))


@dataclass(slots=True)
class Keymap:
    """The keys in force: the defaults, with the user's own over them by action id."""

    user: Mapping[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(init=False)
    problems: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        typed = {
            id_: ",".join(_normal(key) for key in keys.split(",") if key.strip()) for id_, keys in self.user.items()
        }
        self.keys = {action.id: typed.get(action.id) or action.keys for action in ACTIONS}
        self.problems = (*_unknown(typed), *_clashes(self.keys), *_unreachable(self.keys))

    def find(self, keys: str, scopes: frozenset[Where]) -> Action | None:
        """The action of a key (`x`) or of two in sequence (`g h`) where these scopes are in force."""
        return next((a for a in ACTIONS if a.where in scopes and keys in self.keys[a.id].split(",")), None)

    def following(self, first: str) -> list[tuple[str, Action]]:
        """The second keys of the sequences that begin with `first`, and where they lead."""
        pairs = ((key.partition(" "), action) for action in ACTIONS for key in self.keys[action.id].split(","))
        return [(second, action) for (begin, _, second), action in pairs if second and begin == first]


def markdown() -> str:
    """`docs/keys.md`: every action with its keys, grouped."""
    lines = [
        "# Keys",
        "",
        "Change any of them in `aether.toml`: `[console.keys]` maps an id to keys, separated by commas.",
        "",
    ]
    for group in GROUPS:
        lines += [f"## {group}", "", "| keys | action | what it does | id |", "|---|---|---|---|"]
        lines += [
            f"| {' '.join(f'`{key}`' for key in _key_list(action))} | {action.title} | {action.help} | `{action.id}` |"
            for action in ACTIONS
            if action.group == group
        ]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _key_list(action: Action) -> Iterable[str]:
    if action.keys in _SHOWN:
        return [_SHOWN[action.keys]]
    return [shown(key) for key in action.keys.split(",")]


def _normal(key: str) -> str:
    return " ".join(_TYPED.get(part, part) for part in key.split())


def _unknown(typed: Mapping[str, str]) -> Iterable[str]:
    for id_ in typed:
        if id_ in _FIXED:
            yield f"{id_} keeps its digits"
        if id_ not in BY_ID:
            near = difflib.get_close_matches(id_, BY_ID, 1)
            yield f"no action {id_!r}" + (f", did you mean {near[0]!r}?" if near else "")


def _clashes(keys: Mapping[str, str]) -> Iterable[str]:
    """Two actions on one key, where one would hide the other."""
    taken: dict[str, list[Action]] = {}
    for id_, text in keys.items():
        for key in text.split(","):
            taken.setdefault(key, []).append(BY_ID[id_])
    for key, actions in taken.items():
        for number, first in enumerate(actions):
            for second in actions[number + 1 :]:
                if _meet(first.where, second.where):
                    yield f"{shown(key)!r} is both {first.id} and {second.id}"


def _meet(one: Where, other: Where) -> bool:
    """Whether two scopes are ever in force together."""
    if "sitting" in {one, other}:
        return {one, other} <= {"sitting", "app"}
    own = {one, other} - _SHARED
    return len(own) < 2 or ("report" in own and not own & _WITHOUT_REPORT)


def _unreachable(keys: Mapping[str, str]) -> Iterable[str]:
    prefixes = keys["app.prefix"].split(",")
    for id_, text in keys.items():
        for key in text.split(","):
            parts = key.split()
            if len(parts) > 2 or (len(parts) == 2 and parts[0] not in prefixes):
                yield f"{shown(key)!r} of {id_} cannot be reached: only {shown(','.join(prefixes))!r} starts a sequence"


if __name__ == "__main__":
    print(markdown(), end="")

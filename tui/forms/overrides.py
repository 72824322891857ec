"""Other values of ladder and size for some groups: whom an entry is for, and what is other there (EX-407, EX-1620)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.widgets import Input, Label, Static

from tui.forms.base import Box, Buttons
from tui.forms.entries import EntriesForm
from tui.forms.layers import Inside, LayersForm
from tui.lines import Lines
from tui.settings_values import brief, hint_of, problem_of, shown, value_of
from tui.text import line, lines

__all__ = ["OverridesForm"]

_GRID: Final = "grid_strategy."
_KEY: Final = f"{_GRID}overrides"
_SETS: Final = ("levels", "pyramid_specific_levels")
_OF_SETS: Final = {*_SETS, "dca_count", "dca_gap_percent", "tp_percent", "max_pyramids_per_group"}
_MATCH: Final = {"venue": "any venue", "symbol": "any pair, e.g. BTC/USDT", "timeframe": "any timeframe, e.g. 15m"}
_BUTTONS: Final = (
    ("F2", "add", "Add a value"),
    ("F3", "remove", "Remove it"),
    ("F4", "new", "New entry"),
    ("F5", "drop", "Drop the entry"),
    ("F8", "layers", "Its layers"),
    ("PgUp/PgDn", "other(1)", "Entry"),
    ("^S", "keep", "Into the draft"),
    ("Esc", "leave", "Leave"),
)


class _Entry:
    """One override as it is being written."""

    def __init__(self, entry: Mapping[str, Any] | None = None) -> None:
        given = dict(entry or {})
        match = given.pop("match", {})
        self.match = {name: str(match.get(name) or "") for name in _MATCH}
        self.settings = [[str(name), shown(value)] for name, value in given.items()] or [["", ""]]

    def take_layers(self, edits: Mapping[str, Any]) -> None:
        """Take other layers; None is "as all the others"."""
        named = {name.removeprefix(_GRID): value for name, value in edits.items()}
        others = [each for each in self.settings if each[0] and each[0] not in named]
        self.settings = others + [[name, shown(value)] for name, value in named.items() if value is not None]
        self.settings = self.settings or [["", ""]]

    @property
    def title(self) -> str:
        """Return whom it is for, in a word or two."""
        return " ".join(filter(None, self.match.values())) or "nobody yet"


class OverridesForm(EntriesForm[_Entry]):
    """All entries, one at a time; ends with the edit of the draft that they come to."""

    DEFAULT_CSS = """
    OverridesForm .box { max-width: 110; }
    OverridesForm Horizontal { height: 1; }
    OverridesForm #entry { height: auto; }
    OverridesForm Label { width: 12; }
    OverridesForm Input { width: 30; }
    OverridesForm .said { width: 1fr; color: $text-muted; padding: 0 1; }
    OverridesForm .said.-wrong { color: $error; }
    OverridesForm #wrong { text-wrap: wrap; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "add", "Add a value"),
        Binding("f3", "remove", "Remove it"),
        Binding("f4", "new", "New entry"),
        Binding("f8", "layers", "Its layers"),
    ]

    def __init__(
        self,
        entries: Sequence[Mapping[str, Any]],
        keys: Sequence[Mapping[str, Any]],
        *,
        symbol: str = "",
        pyramids: int = 1,
    ) -> None:
        """``symbol`` is that of a sample where an entry is for all, ``pyramids`` how many a group has without an entry."""
        super().__init__([_Entry(each) for each in entries])
        self._symbol = symbol
        self._pyramids = pyramids
        self._keys = {str(each["key"]).partition(".")[2]: each for each in keys}

    def compose(self) -> ComposeResult:
        """Lay out the entries and the one in front."""
        with Box():
            yield Static(
                Content("Other values for some groups: most parts matched wins, the later one on a tie"),
                classes="title",
            )
            yield Lines(id="entries")
            yield Container(id="entry")
            yield Lines(id="wrong")
            yield Buttons(_BUTTONS)

    def on_mount(self) -> None:
        """Begin with the first entry."""
        self.rebuild()

    def fresh(self) -> _Entry:
        """Return an entry for nobody yet."""
        return _Entry()

    def title_of(self, entry: _Entry) -> str:
        """Return whom it is for."""
        return entry.title

    # --- the entry in front ----------------------------------------------------------------------------------------------

    @work(exclusive=True, group="rows")
    async def rebuild(self, name: str = "venue") -> None:
        """Lay the entry in front out anew and go to one of its fields."""
        holder = self.query_one("#entry", Container)
        await holder.remove_children()
        await holder.mount_all(list(self._rows()))
        self.draw_entries()
        for each in holder.query(Input):
            if each.name == name:
                each.focus()
        self.later()

    def _rows(self) -> Iterator[Horizontal]:
        for name, hint in _MATCH.items():
            field = Input(self.entry.match[name], name=name, placeholder=hint, compact=True)
            yield Horizontal(Label(name), field, Label("", classes="said"))
        known = SuggestFromList(sorted(self._keys), case_sensitive=False)
        for place, (key, text) in enumerate(self.entry.settings):
            written = Input(text, name=f"{place}.value", placeholder="value", compact=True)
            if key in _SETS and text and not problem_of(self._keys[key], text):
                said = brief(key, value_of(self._keys[key], text))
                written = Input(f"{said}: F8", name="layers", disabled=True, compact=True)
            yield Horizontal(
                Label("value" if place else "values"),
                Input(key, name=f"{place}.key", placeholder="key", suggester=known, compact=True),
                written,
                Label("", classes="said", id=f"said-{place}", markup=False),
            )

    def _row(self) -> int:
        name = self.focused.name if isinstance(self.focused, Input) and self.focused.name else ""
        place = name.partition(".")[0]
        return int(place) if place.isdecimal() else len(self.entry.settings) - 1

    # --- keys ----------------------------------------------------------------------------------------------------------

    def action_add(self) -> None:
        """Put another value into the entry."""
        place = self._row() + 1
        self.entry.settings.insert(place, ["", ""])
        self.rebuild(f"{place}.key")

    def action_remove(self) -> None:
        """Take a value out of the entry."""
        place = self._row()
        del self.entry.settings[place]
        self.entry.settings = self.entry.settings or [["", ""]]
        self.rebuild(f"{max(0, place - 1)}.key")

    def action_layers(self) -> None:
        """Write the layers of this entry row by row, the ladder of a signal that it is for beside them."""
        wrong = next((problem for entry in self.entries for problem in self._problems(entry) if problem), "")
        if wrong:
            self.seat.say(f"{wrong} [WrongType]", "warn")
            return
        self._write_layers()

    @work(exclusive=True, group="layers")
    async def _write_layers(self) -> None:
        at, entry = self.at, self.entry
        place = len(self._written(self.entries[:at]))

        def draft(edits: Mapping[str, Any]) -> dict[str, Any]:
            tried = _Entry({"match": entry.match, **dict(self._values(entry))})
            tried.take_layers(edits)
            return {_KEY: self._written([*self.entries[:at], tried, *self.entries[at + 1 :]]) or None}

        values = self._values(entry)
        wanted = {"max_pyramids_per_group": self._pyramids} | {name: values[name] for name in _OF_SETS & values.keys()}
        sample = {name: entry.match[name] for name in ("venue", "timeframe") if entry.match[name]}
        symbol = entry.match["symbol"] or self._symbol
        form = LayersForm(wanted, symbol, inside=Inside(f"{_KEY}[{place}].", draft, sample))
        edits = await self.app.push_screen_wait(form)
        if edits is not None:
            entry.take_layers(edits)
            self.rebuild()

    def action_keep(self) -> None:
        """End with the edit; what a key does not take stays on the form."""
        problems = [problem for entry in self.entries for problem in self._problems(entry) if problem]
        if problems:
            self.seat.say(f"{problems[0]} [WrongType]", "warn")
            return
        self.finish(self.edits())

    # --- what it comes to ----------------------------------------------------------------------------------------------

    def edits(self) -> dict[str, Any]:
        """Return the edit of the draft; entries for nobody without a value are none."""
        return {_KEY: self._written(self.entries) or None}

    def _written(self, entries: Sequence[_Entry]) -> list[dict[str, Any]]:
        found = []
        for entry in entries:
            values = self._values(entry)
            match = {name: text.strip() for name, text in entry.match.items() if text.strip()}
            if values or match:
                found.append({"match": match, **values})
        return found

    def _values(self, entry: _Entry) -> dict[str, Any]:
        return {key: value_of(self._keys[key], text) for key, text in entry.settings if key in self._keys}

    def _problems(self, entry: _Entry) -> list[str]:
        """Return what is wrong with each value of an entry, empty texts where nothing is."""
        found = []
        for key, text in entry.settings:
            if not key and not text:
                found.append("")
            elif key in _SETS and not text:
                found.append(f"{key}: F8 writes them")
            elif key not in self._keys:
                found.append(f"there is no key {key or text}")
            else:
                problem = problem_of(self._keys[key], text)
                found.append(f"{key} {problem}" if problem else "")
        return found

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        """Take what is typed, say what the key takes, and have it looked at soon."""
        event.stop()
        name = event.input.name or ""
        place, _, column = name.partition(".")
        if name in _MATCH:
            self.entry.match[name] = event.value
            self.draw_entries()
        elif place.isdecimal():
            self.entry.settings[int(place)][column == "value"] = event.value.strip()
        self._hint()
        self.later()

    def _hint(self) -> None:
        for place, problem in enumerate(self._problems(self.entry)):
            label = self.query_one(f"#said-{place}", Label)
            key = self._keys.get(self.entry.settings[place][0])
            label.set_class(bool(problem), "-wrong")
            label.update(Content(problem or (hint_of(key) if key is not None else "")))

    async def looked(self) -> None:
        """Ask the daemon what it thinks of the entries."""
        if any(any(self._problems(entry)) for entry in self.entries):
            return
        found = await self.look(self.edits())
        if found is None:
            return
        said = [
            line((f"✖ {each['path'].removeprefix('grid_strategy.')}: {each['message']}", "alarm"))
            for each in found["errors"]
        ]
        self.query_one("#wrong", Lines).put(
            lines(*said) if said else line(("✓ these can be put into the draft", "gain"))
        )

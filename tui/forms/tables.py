"""A list or a table of tables: one entry at a time, a field a key, checked as it is typed (EX-1620).

The daemon names the keys of an entry, what they take and what they are for; this lays them out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.widgets import Input, Label, Static

from tui.forms.base import Box, Buttons
from tui.forms.entries import EntriesForm
from tui.lines import Lines
from tui.settings_values import choices_of, problem_of, shown, takes, value_of
from tui.text import line, lines

__all__ = ["BUTTONS", "TablesForm"]

_NAME: Final = "its name"
"""Stands for the name of an entry of a table, which is no key of it."""
_WHERE: Final = re.compile(r"\[(\d+)\]|\.([^.\[]+)")
_FEWEST: Final = 4
"""Fields that are seen at once on the lowest screen."""
BUTTONS: Final = (
    ("F2", "new", "New"),
    ("F4", "copy", "Copy"),
    ("F5", "drop", "Remove"),
    ("PgUp/PgDn", "other(1)", "Next"),
    ("^S", "keep", "Into the draft"),
    ("Esc", "leave", "Leave"),
)


class _Field(Input):
    """The text of one key; Space goes through the words that it takes."""

    def __init__(self, text: str, name: str, words: Sequence[str], hint: str) -> None:
        known = SuggestFromList(words) if words else None
        super().__init__(text, name=name, placeholder=hint, suggester=known, compact=True)
        self._words = tuple(words)

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "space" and self._words:
            event.stop()
            event.prevent_default()
            place = self._words.index(self.value) + 1 if self.value in self._words else 0
            self.value = self._words[place % len(self._words)]
            return
        await super()._on_key(event)


class TablesForm(EntriesForm[dict[str, str]]):
    """All entries of a key; ends with the edit of the draft that they come to.

    ``row`` is the key as the settings show it, with ``inside``: the keys of an entry. ``at`` is the entry in front.
    """

    DEFAULT_CSS = """
    TablesForm .box { max-width: 124; }
    TablesForm Horizontal { height: 1; }
    TablesForm #entry { height: auto; overflow-y: auto; }
    TablesForm Label { width: 18; }
    TablesForm Input { width: 26; }
    TablesForm.-broad Input { width: 40; }
    TablesForm .said { width: 1fr; color: $text-muted; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    TablesForm .said.-wrong { color: $error; }
    TablesForm #about { text-wrap: wrap; height: 3; }
    TablesForm.-broad #about { margin-top: 1; height: 2; }
    TablesForm #wrong { text-wrap: wrap; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "new", "New"),
        Binding("f4", "copy", "Copy"),
    ]
    around: ClassVar[int] = 14
    """Lines of the form beside the fields, on a narrow screen."""
    buttons: ClassVar[Sequence[tuple[str, str, str]]] = BUTTONS

    def __init__(self, row: Mapping[str, Any], wanted: Any, at: int = 0) -> None:
        super().__init__([_texts(each, name) for name, each in _pairs(wanted)], at)
        self._row = row
        self._named = str(row["type"]).startswith("table")
        self._keys = {str(each["key"]): each for each in row["inside"] if not each["secret"]}
        self._errors: Sequence[Mapping[str, Any]] = ()
        self._laid: dict[str, tuple[_Field, Label]] = {}

    def compose(self) -> ComposeResult:
        """Lay out the entries and the one in front."""
        with Box():
            yield Static(Content(str(self._row["key"])), classes="title")
            yield Lines(id="entries")
            yield Vertical(id="entry")
            yield from self.more()
            yield Lines(id="about")
            yield Lines(id="wrong")
            yield Buttons(self.buttons)

    def fresh(self) -> dict[str, str]:
        """Return an entry of nothing but defaults; entries are texts by key, without what is not written."""
        return {}

    def title_of(self, entry: dict[str, str]) -> str:
        """Return its name."""
        return entry.get(self.name_key) or "new"

    def more(self) -> ComposeResult:
        """Yield what stands between the fields and what is said of them."""
        yield from ()

    def on_mount(self) -> None:
        """Begin with the entry in front."""
        self.rebuild()

    def on_resize(self) -> None:
        """Leave room for what is said of the fields and for the buttons: they stay where they are when fields scroll."""
        super().on_resize()
        self.query_one("#entry").styles.max_height = max(_FEWEST, self.size.height - self.around)

    # --- the entry in front ----------------------------------------------------------------------------------------------

    @property
    def name_key(self) -> str:
        """Return the key whose text names an entry."""
        return _NAME if self._named else "name" if "name" in self._keys else next(iter(self._keys))

    def keys(self, entry: Mapping[str, str]) -> dict[str, Mapping[str, Any]]:
        """Return the keys that an entry is about: those of its venue, and those that are written all the same."""
        venue = entry.get("venue") or str(self._keys.get("venue", {}).get("default", ""))
        named = {_NAME: _NAMED} if self._named else {}
        return named | {
            name: key for name, key in self._keys.items() if not key["only"] or venue in key["only"] or entry.get(name)
        }

    @work(exclusive=True, group="rows")
    async def rebuild(self, name: str = "") -> None:
        """Lay the entry in front out anew and go to one of its fields, the first when none is named."""
        holder = self.query_one("#entry", Vertical)
        await holder.remove_children()
        await holder.mount_all(list(self._rows()))
        self.draw_entries()
        field, _ = self._laid.get(name) or next(iter(self._laid.values()))
        field.focus()
        self.later()

    def _rows(self) -> Iterator[Horizontal]:
        self._laid = {}
        for name, key in self.keys(self.entry).items():
            mark = "*" if key["required"] else " "
            hint = (
                "required" if key["required"] else shown(key["default"]) if key["default"] not in ([], {}) else "none"
            )
            field = _Field(self.entry.get(name, ""), name, choices_of(key), hint)
            said = Label(takes(key), classes="said", markup=False)
            self._laid[name] = (field, said)
            yield Horizontal(Label(f"{mark}{name}", markup=False), field, said)

    # --- keys ----------------------------------------------------------------------------------------------------------

    def action_copy(self) -> None:
        """Begin another entry with what this one has, but for its name."""
        self.begin({name: text for name, text in self.entry.items() if name != self.name_key})

    def action_keep(self) -> None:
        """End with the edit; what a key does not take stays on the form."""
        if problem := self.problem():
            self.seat.say(f"{problem} [WrongType]", "warn")
            return
        self.finish(self.edits())

    def problem(self) -> str:
        """Return the first thing that a key does not take, empty when there is none."""
        for entry in self.entries:
            for name, problem in self._problems(entry).items():
                return f"{entry.get(self.name_key) or 'new'}: {name} {problem}"
        return ""

    # --- what it comes to ----------------------------------------------------------------------------------------------

    def edits(self) -> dict[str, Any]:
        """Return the edit of the draft; an entry without a text is none, and no entry is "back to the default"."""
        written = [each for each in self.entries if any(each.values())]
        found = [
            {name: value_of(key, entry[name]) for name, key in self._keys.items() if entry.get(name)}
            for entry in written
        ]
        if self._named:
            return {str(self._row["key"]): dict(zip((each[_NAME] for each in written), found, strict=True)) or None}
        return {str(self._row["key"]): found or None}

    def _problems(self, entry: Mapping[str, str]) -> dict[str, str]:
        """Return what is wrong with an entry by key; nothing of one that nobody has begun."""
        if not any(entry.values()):
            return {}
        found = {}
        for name, key in self.keys(entry).items():
            text = entry.get(name, "")
            problem = problem_of(key, text) if text else "is required" if key["required"] else ""
            if problem:
                found[name] = problem
        names = [each.get(_NAME) for each in self.entries]
        if self._named and names.count(entry.get(_NAME)) > 1:
            found.setdefault(_NAME, "is another entry's too")
        return found

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        """Take what is typed, say what is wrong with it, and have it looked at soon."""
        event.stop()
        name = str(event.input.name)
        if self.entry.get(name, "") == event.value.strip():
            return
        self.entry[name] = event.value.strip()
        if name == self.name_key:
            self.draw_entries()
        if name == "venue" and not self._problems(self.entry).get(name):
            self.rebuild(name)
            return
        self._draw()
        self.later()

    @on(events.DescendantFocus)
    def gone_to(self) -> None:
        """Say what the key is for."""
        self._draw_about()

    async def looked(self) -> None:
        """Ask the daemon what it thinks of the entries."""
        self._errors = ()
        if not any(self._problems(each) for each in self.entries):
            found = await self.look(self.edits())
            if found is not None:
                self._errors = [each for each in found["errors"] if str(each["path"]).startswith(str(self._row["key"]))]
        self._draw()

    # --- drawing -------------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        said = self._problems(self.entry)
        elsewhere = []
        for error in self._errors:
            place, name = self._where(str(error["path"]))
            if place == self.at and name in self.keys(self.entry):
                said.setdefault(name, str(error["message"]))
            else:
                elsewhere.append(error)
        for name, (field, label) in self._laid.items():
            field.set_class(name in said, "-wrong")
            label.set_class(name in said, "-wrong")
            label.update(Content(said.get(name) or takes(self._keys.get(name, _NAMED))))
        self._draw_outcome(bool(said), elsewhere)
        self._draw_about()

    def _draw_outcome(self, wrong: bool, elsewhere: Sequence[Mapping[str, Any]]) -> None:
        found = [line((f"✖ {each['path']}: {each['message']}", "alarm")) for each in elsewhere]
        for place, entry in enumerate(self.entries):
            if place != self.at and (problems := self._problems(entry)):
                name, problem = next(iter(problems.items()))
                found.append(line((f"✖ {entry.get(self.name_key) or 'new'}: {name} {problem}", "alarm")))
        if not found and not wrong:
            found = [line(("✓ these can be put into the draft", "gain"))]
        self.query_one("#wrong", Lines).put(lines(*found))

    def _draw_about(self) -> None:
        focused = self.focused
        key = self.keys(self.entry).get(str(focused.name)) if isinstance(focused, _Field) else None
        words = "  Space chooses." if key is not None and choices_of(key) else ""
        said = f"{key['meaning']}{words}" if key is not None else str(self._row["meaning"])
        self.query_one("#about", Lines).put(Content(said))

    def _where(self, path: str) -> tuple[int, str]:
        """Return the entry and the key that a mistake is about; -1 where it is about none of them."""
        parts = _WHERE.findall(path.removeprefix(str(self._row["key"])))
        if not parts:
            return -1, ""
        number, name = parts[0]
        names = [each.get(_NAME) for each in self.entries]
        written = [place for place, each in enumerate(self.entries) if any(each.values())]
        if number:
            place = written[int(number)] if int(number) < len(written) else -1
        else:
            place = names.index(name) if name in names else -1
        return place, parts[1][1] if len(parts) > 1 else self.name_key


_NAMED: Final[Mapping[str, Any]] = {
    "key": _NAME,
    "type": "text",
    "default": None,
    "required": True,
    "only": [],
    "meaning": "What the entry is for or about: each has its own.",
}


def _pairs(wanted: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the entries of a list or a table, with their names in the table."""
    if isinstance(wanted, Mapping):
        yield from wanted.items()
    else:
        yield from (("", each) for each in wanted or ())


def _texts(entry: Mapping[str, Any], name: str) -> dict[str, str]:
    texts = {str(key): shown(value) for key, value in entry.items()}
    return {_NAME: name} | texts if name else texts

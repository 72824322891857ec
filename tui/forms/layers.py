"""The layers of a ladder: one row a layer, checked by the daemon while they are typed, the live ladder beside (EX-1620)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final, NamedTuple

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Label, Static

from tui import cells
from tui.forms.base import Box, Buttons
from tui.forms.layer_sets import COLUMNS, SHORTHAND, LayerSets, Mode, is_number
from tui.forms.typed import TypedForm
from tui.ladder import ladder_lines
from tui.lines import Lines
from tui.text import clickable, line, lines

__all__ = ["Inside", "LayersForm"]

_GRID: Final = "grid_strategy."
_PLACE: Final = re.compile(r"\[(\d+)\]")
_BUTTONS: Final = (
    ("F2", "add", "Add"),
    ("F3", "remove", "Remove"),
    ("F4", "move(-1)", "Up"),
    ("F5", "move(1)", "Down"),
    ("F8", "other_mode", "Shorthand"),
    ("PgUp/PgDn", "other_set(1)", "Set"),
    ("F9", "other_side", "Long/short"),
    ("^S", "keep", "Into the draft"),
    ("Esc", "leave", "Leave"),
)


class Inside(NamedTuple):
    """Where layers stand that are part of an override: it is looked at whole, and the sample is one that it is for."""

    begins: str
    """Where the daemon names what is wrong with them."""
    draft: Callable[[Mapping[str, Any]], dict[str, Any]]
    """Returns the edit of the draft that edits of layers come to there."""
    sample: Mapping[str, str]
    """Venue and timeframe of the sample signal."""


class LayersForm(TypedForm):
    """Every set of layers; ends with the edits of the draft that all of them come to, or of an override they are inside."""

    DEFAULT_CSS = """
    LayersForm #body { layout: vertical; height: auto; }
    LayersForm.-broad #body { layout: horizontal; }
    LayersForm #left { width: 1fr; height: auto; }
    LayersForm.-broad #left { width: 58; }
    LayersForm #right { width: 1fr; height: auto; }
    LayersForm.-broad #right { padding-left: 2; }
    LayersForm Horizontal { height: 1; }
    LayersForm #rows { height: auto; }
    LayersForm Label { width: 16; }
    LayersForm .place { width: 4; color: $text-muted; }
    LayersForm .column { width: 15; color: $text-muted; padding: 0 1; }
    LayersForm .said { width: 1fr; color: $error; padding: 0 1; }
    LayersForm #wrong { text-wrap: wrap; margin-top: 1; }
    LayersForm #ladder { text-wrap: nowrap; }
    LayersForm #ladder.-old { text-opacity: 40%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "add", "Add"),
        Binding("f3", "remove", "Remove"),
        Binding("f4", "move(-1)", "Up"),
        Binding("f5", "move(1)", "Down"),
        Binding("f8", "other_mode", "Layers, shorthand, default"),
        Binding("f9", "other_side", "Long or short"),
        Binding("pagedown", "other_set(1)", "Next set"),
        Binding("pageup", "other_set(-1)", "The set before"),
        Binding("up", "row(-1)", "Row above", show=False),
        Binding("down,enter", "row(1)", "Row below", show=False),
    ]

    def __init__(self, wanted: Mapping[str, Any], symbol: str, pyramid: int = 0, inside: Inside | None = None) -> None:
        super().__init__()
        self._inside = inside or Inside(_GRID, dict, {})
        self.sets = LayerSets(wanted)
        self.pyramid = min(pyramid, self.sets.pyramids - 1)
        self._symbol = symbol
        self._side = "long"
        self._found: Mapping[str, Any] | None = None

    def compose(self) -> ComposeResult:
        """Lay out the sets, the rows, the ladder."""
        with Box():
            yield Static(Content("Layers of a pyramid"), classes="title")
            yield Lines(id="sets")
            with Container(id="body"):
                with Vertical(id="left"):
                    yield Container(id="rows")
                    yield Lines(id="wrong")
                with Vertical(id="right"):
                    with Horizontal():
                        yield Label("sample signal")
                        yield Input(self._symbol, name="symbol", compact=True)
                        yield Input("", name="size", placeholder="size, quote", compact=True)
                    yield Lines(id="ladder")
            yield Buttons(_BUTTONS)

    def on_mount(self) -> None:
        """Begin at the first layer."""
        self._rebuild(0)

    # --- the rows ------------------------------------------------------------------------------------------------------

    @work(exclusive=True, group="rows")
    async def _rebuild(self, place: int, column: int = 0) -> None:
        """Lay the rows of the set out anew and go to one."""
        holder = self.query_one("#rows", Container)
        await holder.remove_children()
        await holder.mount_all(list(self._rows()))
        self._draw_sets()
        cells = [each for each in holder.query(Input) if each.name and each.name.endswith(f".{column}")]
        if cells:
            cells[min(place, len(cells) - 1)].focus()
        self.later()

    def _rows(self) -> Iterator[Horizontal]:
        if not self.pyramid and self.sets.mode is Mode.SHORTHAND:
            for place, (name, text) in enumerate(zip(SHORTHAND, self.sets.shorthand, strict=True)):
                yield Horizontal(
                    Label(name.replace("_", " ")),
                    Input(text, name=f"{place}.0", compact=True),
                    Label("", classes="said", markup=False),
                )
            return
        rows = self.sets.rows(self.pyramid)
        if not rows:
            yield Horizontal(Static(Content(self._nothing())))
            return
        heads = (
            Label(each.replace("_percent", " %").replace("weight", "capital"), classes="column") for each in COLUMNS
        )
        yield Horizontal(Label("", classes="place"), *heads)
        for place, row in enumerate(rows):
            fields = (Input(text, name=f"{place}.{column}", compact=True) for column, text in enumerate(row))
            yield Horizontal(Label(f"L{place}", classes="place"), *fields, Label("", classes="said", markup=False))

    def _nothing(self) -> str:
        if self.pyramid:
            return f"Pyramid {self.pyramid} has the common layers. F2 gives it its own, beginning with those."
        if self._inside.begins != _GRID:
            return "The layers of all the others, as the ladder shows them. F2 writes them out; F8 takes the shorthand."
        return "The default layers, as the ladder shows them. F2 writes them out; F8 takes the shorthand."

    def _draw_sets(self) -> None:
        chips = []
        for pyramid in range(self.sets.pyramids):
            title = f" pyramid {pyramid}{'' if pyramid in self.sets.sets else ' (common)'} " if pyramid else " common "
            chips.append(clickable(title, "badge" if pyramid == self.pyramid else "dim", f"screen.set({pyramid})"))
        modes = [
            clickable(f" {mode.value} ", "badge" if self.sets.mode is mode else "dim", f"screen.mode('{mode.value}')")
            for mode in Mode
        ]
        rows = [Content(" ").join(chips)]
        if not self.pyramid:
            rows.append(line(("written as ", "dim"), Content(" ").join(modes)))
        self.query_one("#sets", Lines).put(lines(*rows, line("")))

    def _place(self) -> tuple[int, int]:
        """Return row and column of the cell with the cursor."""
        name = self.focused.name if isinstance(self.focused, Input) and self.focused.name else ""
        place, _, column = name.partition(".")
        return (int(place), int(column)) if place.isdecimal() and column.isdecimal() else (0, 0)

    # --- keys ----------------------------------------------------------------------------------------------------------

    def action_add(self) -> None:
        """Put a layer beneath this one; write a set out that was not."""
        if not self.sets.rows(self.pyramid):
            self._write_out()
            return
        place, column = self._place()
        self._rebuild(self.sets.add(self.pyramid, place), column)

    def _write_out(self) -> None:
        known = (self._found or {}).get("layers") or {}
        levels = known.get(str(self.pyramid)) or known.get("0")
        if levels:
            self.sets.take(self.pyramid, levels)
        else:
            self.sets.add(self.pyramid, 0)
        if not self.pyramid:
            self.sets.mode = Mode.LAYERS
        self._rebuild(0)

    def action_remove(self) -> None:
        """Take this layer away."""
        place, column = self._place()
        self.sets.remove(self.pyramid, place)
        self._rebuild(max(0, place - 1), column)

    def action_move(self, by: int) -> None:
        """Let this layer change places with its neighbour."""
        place, column = self._place()
        self._rebuild(self.sets.move(self.pyramid, place, by), column)

    def action_row(self, by: int) -> None:
        """Go to the same column of another row."""
        if isinstance(self.focused, Input) and self.focused.name in ("symbol", "size"):
            self.focus_next(Input) if by > 0 else self.focus_previous(Input)
            return
        place, column = self._place()
        found = [each for each in self.query("#rows Input").results(Input) if each.name == f"{place + by}.{column}"]
        if found:
            found[0].focus()

    def action_set(self, pyramid: int) -> None:
        """Show the layers of another pyramid."""
        self.pyramid = pyramid
        self._rebuild(0)

    def action_other_set(self, by: int) -> None:
        """Show the next set, or the one before."""
        self.action_set((self.pyramid + by) % self.sets.pyramids)

    def action_mode(self, name: str) -> None:
        """Write the common set in another way; what was written layer by layer is kept until this form is left."""
        mode = Mode(name)
        if mode is Mode.LAYERS and not self.sets.sets.get(0):
            self._write_out()
            return
        self.sets.mode = mode
        self._rebuild(0)

    def action_other_mode(self) -> None:
        """Write the common set in the next way."""
        if not self.pyramid:
            modes = list(Mode)
            self.action_mode(modes[(modes.index(self.sets.mode) + 1) % len(modes)].value)

    def action_other_side(self) -> None:
        """Show the ladder of the other side."""
        self._side = "short" if self._side == "long" else "long"
        self.later()

    def action_keep(self) -> None:
        """End with the edits; what is no number stays on the form."""
        if problem := self.sets.unreadable():
            self.seat.say(f"{problem} [WrongType]", "warn")
            return
        edits = self.sets.edits()
        self.finish(edits, self._inside.draft(edits), self._inside.begins)

    # --- what it comes to ----------------------------------------------------------------------------------------------

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        """Take what is typed, and have it looked at soon."""
        event.stop()
        name = event.input.name or ""
        place, _, column = name.partition(".")
        if place.isdecimal():
            event.input.set_class(not is_number(event.value), "-wrong")
            if not self.pyramid and self.sets.mode is Mode.SHORTHAND:
                self.sets.shorthand[int(place)] = event.value
            else:
                self.sets.sets[self.pyramid][int(place)][int(column)] = event.value
        self.later()

    async def looked(self) -> None:
        """Ask the daemon what it thinks of the layers, and for the ladder of the sample."""
        if problem := self.sets.unreadable():
            self.query_one("#wrong", Lines).put(line((f"✖ {problem}", "alarm")))
            return
        given = {str(each.name): each.value.strip() for each in self.query("#right Input").results(Input)}
        sample: dict[str, Any] = {"symbol": given["symbol"], "side": self._side, "pyramid": self.pyramid}
        sample |= self._inside.sample
        if is_number(given["size"]):
            sample["size"] = given["size"]
        edits = self._inside.draft(self.sets.edits())
        found = await self.look(edits, **sample)
        if found is None and given["symbol"]:  # the sample is refused: layers can be looked at without it
            found = await self.look(edits)
        if found is not None:
            self._found = {**(self._found or {}), **{key: value for key, value in found.items() if value}}
            self._draw(found)

    def _draw(self, found: Mapping[str, Any]) -> None:
        own = f"pyramid_specific_levels[{self.pyramid}]" if self.pyramid else "levels"
        beginning = f"{self._inside.begins}{own}"
        wrong = [self._said(str(each["path"]), str(each["message"]), beginning) for each in found["errors"]]
        marked = {place for place, _ in wrong}
        for number, label in enumerate(self.query("#rows .said").results(Label)):
            label.update(Content("✖" if number in marked else ""))
        good = line(("✓ these can be put into the draft", "gain"))
        self.query_one("#wrong", Lines).put(lines(*(text for _, text in wrong)) if wrong else good)
        shown = self.query_one("#ladder", Lines)
        shown.set_class(bool(found["errors"]), "-old")
        if found["errors"]:
            return
        shown.put(lines(*self._ladder(found)))

    def _said(self, path: str, message: str, beginning: str) -> tuple[int, Content]:
        """Return the row that a mistake is about, -1 for none of this set, and what is said of it."""
        inside = path.removeprefix(beginning) if path.startswith(beginning) else ""
        place = _PLACE.match(inside)
        if place is None:
            return -1, line((f"✖ {path.removeprefix(_GRID)}: {message}", "alarm"))
        column = inside.rpartition(".")[2].removesuffix("_percent").replace("weight", "capital")
        return int(place[1]), line((f"✖ L{place[1]} {column} {message}", "alarm"))

    def _ladder(self, found: Mapping[str, Any]) -> Iterator[Content]:
        each = next(iter(found["ladders"]), None)
        if each is None:
            yield line(("no ladder: there is no price of this market yet", "dim"))
            return
        sample = each["sample"]
        at = cells.price(sample["entry_price"]).text
        yield line((f"{sample['symbol']} {sample['side']}", "strong"), f" at {at}, pyramid {self.pyramid}")
        yield from ladder_lines(each["before"], each["after"])

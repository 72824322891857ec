"""Message injection: an actor, a type that it takes, its fields, a preview, the answer and what came of it (EX-260)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, VerticalScroll
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.widgets import Input, Label

from tui import cells
from tui.lines import Lines
from tui.panels.base import Panel, PanelKey
from tui.panels.inject_fields import SIGNAL, Draft, Written, field_hint, problem_of, written
from tui.state import State
from tui.text import line, lines

__all__ = ["InjectPanel"]

_GATEWAY: Final = "/trading/gateway"
_SIGNAL_TYPE: Final = "InjectSignal"
_FILLED_IN: Final = frozenset({"user", "venue"})
_HIDDEN: Final = frozenset({"source"})
_NAME: Final = 16
_EVENTS: Final = 8
_KEPT: Final = 50


class InjectPanel(Panel):
    """The form at the left, what it comes to at the right."""

    ident: ClassVar[str] = "inject"
    key: ClassVar[str] = "i"
    title: ClassVar[str] = "Send message"
    tab: ClassVar[bool] = False
    topics: ClassVar[tuple[str, ...]] = ("messages", "actors")
    keys: ClassVar[tuple[PanelKey, ...]] = (
        PanelKey("ctrl+s", "send-draft", "Send", target=False),
        PanelKey("f9", "check-draft", "Check signal", target=False),
        PanelKey("f2", "new-draft", "Begin anew", target=False),
        PanelKey("pageup", "earlier-draft", "Sent before", target=False),
        PanelKey("pagedown", "later-draft", "Sent after", target=False),
    )
    DEFAULT_CSS = """
    InjectPanel #inject-body { height: 1fr; layout: vertical; }
    InjectPanel #form { height: 1fr; padding: 0 1; }
    InjectPanel #outcome { height: 6; padding: 0 1; background: $surface; }
    InjectPanel.-roomy #outcome { height: 1fr; }
    InjectPanel.-broad #inject-body { layout: horizontal; }
    InjectPanel.-broad #form { width: 3fr; height: 100%; }
    InjectPanel.-broad #outcome { width: 2fr; height: 100%; }
    InjectPanel Horizontal { height: 1; }
    InjectPanel Label { width: 17; color: $text-muted; }
    InjectPanel Label.-wrong { color: $error; }
    InjectPanel Label.hint { width: 1fr; padding-left: 1; }
    InjectPanel Input { width: 26; height: 1; border: none; padding: 0 1; background: $surface; }
    InjectPanel #to, InjectPanel #type { width: 34; background: $panel; }
    InjectPanel.-broad #to, InjectPanel.-broad #type { width: 44; }
    InjectPanel Input:focus { border: none; background: $cursor; }
    InjectPanel #purpose { height: auto; width: 100%; }
    InjectPanel.-roomy #purpose { margin: 1 0; }
    InjectPanel #fields { height: auto; }
    InjectPanel #written { text-wrap: wrap; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.answer: tuple[Content, ...] = ()
        self._sent_heard: int | None = None
        self._shown: tuple[str, str] = ("", "")
        self._paths: tuple[str, ...] = ()
        self._names: tuple[str, ...] = ()
        self.sent: list[Written] = []
        """What was sent from here, the oldest first."""
        self._recalled = 0
        """How far back the one on the form is, 0 for one that is new."""
        self._texts: Mapping[str, str] = {}

    def compose(self) -> ComposeResult:
        """Lay out the form and what it comes to."""
        with Container(id="inject-body"):
            with VerticalScroll(id="form", can_focus=False):
                with Horizontal():
                    yield Label("to")
                    yield Input(SIGNAL, id="to", compact=True)
                    yield Label("", classes="hint", id="to-hint")
                with Horizontal():
                    yield Label("type")
                    yield Input(_SIGNAL_TYPE, id="type", compact=True)
                yield Label("", id="purpose")
                yield Container(id="fields")
            with VerticalScroll(id="outcome", can_focus=False):
                yield Lines(id="written")

    # --- what is meant -------------------------------------------------------------------------------------------------

    @property
    def to(self) -> str:
        """Return the actor's path, or ``signal``."""
        return self.query_one("#to", Input).value.strip()

    @property
    def is_signal(self) -> bool:
        """Tell whether an operator's signal is written rather than a message."""
        return self.to == SIGNAL

    @property
    def type_name(self) -> str:
        """Return the name of the message type."""
        return self.query_one("#type", Input).value.strip()

    def message(self) -> Mapping[str, Any] | None:
        """Return the type that is meant, None when the actor takes none of that name."""
        rows = self.seat.state.rows("messages", "messages")
        return next((each for each in rows if each["name"] == self.type_name), None)

    def fields(self) -> list[dict[str, Any]]:
        """Return the fields to be written; of a signal those that the daemon does not know by itself."""
        found = self.message()
        fields = [dict(each) for each in (found["fields"] if found is not None else ())]
        if not self.is_signal:
            return fields
        for each in fields:
            each["required"] = each["required"] and each["name"] not in _FILLED_IN
        return [each for each in fields if each["name"] not in _HIDDEN]

    def texts(self) -> dict[str, str]:
        """Return what is typed, by field."""
        return {str(each.name): each.value for each in self.query("#fields Input").results(Input)}

    def draft(self) -> Draft:
        """Return the message as it is written now."""
        found = written(self.type_name, self.fields(), self.texts(), tagged=not self.is_signal)
        if self.message() is None:
            found.problems["type"] = f"{self.to} takes no {self.type_name or 'message'}"
        return found

    def begin(self, path: str) -> None:
        """Begin a message to an actor."""
        self.query_one("#to", Input).value = path
        self.query_one("#type", Input).value = _SIGNAL_TYPE if path == SIGNAL else ""
        self.answer, self._sent_heard, self._shown, self._recalled = (), None, ("", ""), 0
        self.draw(self.seat.state)
        self.query_one("#type" if path != SIGNAL else "#to", Input).focus()

    def remember(self) -> None:
        """Keep what is written as sent; the same again is kept once."""
        this = Written(self.to, self.type_name, self.texts())
        self.sent = [*(each for each in self.sent if each != this), this][-_KEPT:]
        self._recalled = 1

    def recall(self, by: int) -> bool:
        """Write what was sent ``by`` messages before, after for a negative one; return whether there is one."""
        back = self._recalled + by
        if not 1 <= back <= len(self.sent):
            return False
        found = self.sent[-back]
        self._recalled, self._texts, self._shown = back, found.texts, ("", "")
        self.query_one("#to", Input).value = found.to
        self.query_one("#type", Input).value = found.type_name
        self.draw(self.seat.state)
        return True

    def took(self, answer: Sequence[Content]) -> None:
        """Show an answer, and from now on what happens."""
        self.answer = tuple(answer)
        self._sent_heard = self.seat.state.heard
        self.draw(self.seat.state)

    # --- drawing -------------------------------------------------------------------------------------------------------

    def draw(self, state: State) -> None:
        """Offer what there is, and show what the form comes to."""
        paths = (SIGNAL, *(str(row["path"]) for row in state.rows("actors", "actors")))
        state.focus("sent_to", _GATEWAY if self.is_signal else self.to if self.to in paths else "")
        names = tuple(str(each["name"]) for each in state.rows("messages", "messages"))
        if paths != self._paths:
            self._paths = paths
            self.query_one("#to", Input).suggester = SuggestFromList(paths, case_sensitive=False)
        if names != self._names:
            self._names = names
            self.query_one("#type", Input).suggester = SuggestFromList(names, case_sensitive=False)
        self._say(names)
        if self.message() is not None and self._shown != (self.to, self.type_name):
            self._shown = (self.to, self.type_name)
            self._rebuild()
        self._preview(state)

    def _say(self, names: Sequence[str]) -> None:
        found = self.message()
        answer = f" Answered with {found['answer']}." if found is not None and found["answer"] else ""
        takes = f"It takes {', '.join(names)}." if names else "It takes nothing from outside."
        said = f"{found['purpose']}{answer}" if found is not None else takes if self.to in self._paths else ""
        self.query_one("#purpose", Label).update(Content(said))
        known = "→ completes" if self.to in self._paths else "no actor lives there"
        self.query_one("#to-hint", Label).update(known)

    @work(exclusive=True, group="fields")
    async def _rebuild(self) -> None:
        """Lay the fields of another type out."""
        holder = self.query_one("#fields", Container)
        await holder.remove_children()
        texts, self._texts = self._texts, {}
        rows = [
            _FieldRow(each, self._known(str(each["name"])), texts.get(str(each["name"]), "")) for each in self.fields()
        ]
        await holder.mount_all(rows)
        self._preview(self.seat.state)

    def _known(self, name: str) -> list[str]:
        """Return values of a field that the screen knows: symbols, timeframes, accounts, groups, paths."""
        state = self.seat.state
        if name == "path":
            return list(self._paths[1:])
        rows = [*state.rows("groups", "groups"), *state.rows("log", "events")]
        found = dict.fromkeys(str(row[name]) for row in rows if row.get(name))
        return sorted(found)

    def _preview(self, state: State) -> None:
        draft = self.draft()
        where = "/v1/signal" if self.is_signal else f"to {self.to}"
        found = [
            line(("PREVIEW  ", "title"), (where, "dim")),
            *map(Content, json.dumps(draft.body, indent=1).splitlines()),
        ]
        if draft.problems:
            found.append(line((f"{len(draft.problems)} to mend: ", "warn"), ", ".join(sorted(draft.problems))))
        else:
            found.append(line(("ready: Ctrl+S sends", "gain"), (", F9 only checks" if self.is_signal else "", "dim")))
        if self.answer:
            found += [line(""), line(("ANSWER", "title")), *self.answer]
        found += self._since(state)
        if self.sent:
            found += [line(""), line(("SENT  ", "title"), ("PgUp and PgDn write one again", "dim"))]
        for back, each in enumerate(reversed(self.sent[-_EVENTS:]), 1):
            mark = "▸ " if back == self._recalled else "  "
            given = " ".join(f"{name}={text}" for name, text in each.texts.items() if text)
            found.append(line((mark, "accent"), f"{each.type_name} ", (f"to {each.to} {given}", "dim")))
        self.query_one("#written", Lines).put(lines(*found))

    def _since(self, state: State) -> Iterator[Content]:
        """Yield what happened since the message was sent."""
        if self._sent_heard is None:
            return
        yield line("")
        yield line(("WHAT HAPPENED SINCE", "title"))
        came = min(state.heard - self._sent_heard, len(state.events))
        items = [each for each in list(state.events)[len(state.events) - came :] if each.get("severity") != "debug"]
        for each in items[:_EVENTS]:
            yield line((f"{cells.clock_time(each.get('at'))} ", "dim"), str(each.get("text", "")))
        if not items:
            yield line(("nothing yet", "dim"))

    # --- keys ----------------------------------------------------------------------------------------------------------

    def focus_main(self) -> None:
        """Begin at the first field."""
        self.query_one("#to", Input).focus()

    def back(self) -> bool:
        """Leave the field, so that keys are keys again; then leave the panel."""
        if isinstance(self.app.focused, Input):
            self.app.set_focus(None)
            return True
        self.seat.open_panel("actors")
        return True

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        """Draw what it comes to now."""
        event.stop()
        if event.input.id in ("to", "type"):
            self.seat.state.stir("messages")
            self.draw(self.seat.state)
        else:
            self._preview(self.seat.state)

    @on(Input.Submitted)
    def entered(self, event: Input.Submitted) -> None:
        """Go to the next field."""
        event.stop()
        self.screen.focus_next("InjectPanel Input")

    def key_down(self) -> None:
        """Go to the next field."""
        self.screen.focus_next("InjectPanel Input")

    def key_up(self) -> None:
        """Go to the field before."""
        self.screen.focus_previous("InjectPanel Input")


class _FieldRow(Horizontal):
    """One field: name, text, what it takes or what is wrong with it."""

    def __init__(self, field: Mapping[str, Any], known: Sequence[str], text: str) -> None:
        super().__init__()
        self._text = text
        self._field = field
        self._known = known

    def compose(self) -> ComposeResult:
        """Lay out name, text, hint."""
        field = self._field
        mark = "*" if field["required"] else " "
        yield Label(f"{mark}{field['name']}"[:_NAME], markup=False)
        choices = list(field["choices"]) or list(self._known)
        yield Input(
            self._text,
            name=str(field["name"]),
            compact=True,
            suggester=SuggestFromList(choices, case_sensitive=False) if choices else None,
        )
        yield Label(field_hint(field), classes="hint", markup=False)

    @on(Input.Changed)
    def check(self, event: Input.Changed) -> None:
        """Say what is wrong while it is typed; the panel hears of it as well."""
        hint = self.query(Label).last()
        problem = problem_of(self._field, event.value.strip())
        hint.set_class(bool(problem), "-wrong")
        hint.update(Content(problem or field_hint(self._field)))

"""An account's credentials: typed unseen, tried before they are kept, never shown again (EX-1312, EX-1503)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Label, Static

from tui.connection import TEST_S, outcome_of, steps_of
from tui.forms.base import Box, Buttons, Form
from tui.lines import Lines
from tui.seat import Sent
from tui.settings_values import kept
from tui.text import line, lines

__all__ = ["CredentialsForm"]

_FROM: Final = {"vault": "in the vault", "shut": "in a vault that does not open", "": "not set"}


class CredentialsForm(Form):
    """One write-only field a secret, its mask in it; what is typed leaves it for the vault or for a test alone.

    ``edits`` are those of a form this one is over: a test takes the account as it is written there. ``masks`` are those of
    what was handed to the vault.
    """

    DEFAULT_CSS = """
    CredentialsForm .box { max-width: 100; }
    CredentialsForm Label { width: 16; }
    CredentialsForm .from { width: 1fr; color: $text-muted; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    CredentialsForm Input { width: 26; }
    CredentialsForm Horizontal { height: 1; }
    CredentialsForm #steps { margin-top: 1; text-wrap: wrap; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "test", "Test"),
        Binding("up", "app.focus_previous", "Before", show=False),
        Binding("down", "app.focus_next", "Next", show=False),
    ]

    def __init__(
        self,
        account: str,
        about: str,
        secrets: Sequence[Mapping[str, Any]],
        *,
        drafted: bool,
        edits: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.masks: dict[str, str] = {}
        self._account = account
        self._about = about
        self._secrets = tuple(secrets)
        self._drafted = drafted
        self._edits = edits or {}

    def compose(self) -> ComposeResult:
        """Lay out a field a secret, and what a test comes to."""
        with Box():
            yield Static(Content(f"{self._account}: {self._about}"), classes="title")
            for each in self._secrets:
                given = each["source"] == "environment"
                with Horizontal():
                    yield Label(str(each["field"]).replace("_", " "))
                    yield Input(
                        name=str(each["field"]),
                        password=True,
                        placeholder=str(each["masked"]),
                        disabled=given,
                        compact=True,
                    )
                    said = f"set by {each['variable']}" if given else _FROM.get(str(each["source"]), "")
                    yield Label(said, classes="from", markup=False)
            if not self._secrets:
                yield Static(Content("It needs none here, or you are not to see them: credentials are for admins."))
            yield Buttons(
                (("^T", "test", "Test connection"), ("^S", "keep", "Keep what is typed"), ("Esc", "leave", "Leave"))
            )
            yield Lines(id="steps")

    def on_mount(self) -> None:
        """Begin at the first field."""
        for field in self.query(Input):
            if not field.disabled:
                field.focus()
                break

    def _typed(self) -> dict[str, str]:
        return {str(each.name): each.value for each in self.query(Input) if each.value}

    @on(Input.Submitted)
    def entered(self, event: Input.Submitted) -> None:
        """Go to the next field."""
        event.stop()
        self.focus_next(Input)

    def action_test(self) -> None:
        """Try the account with what is typed; what is not typed is taken as it is kept."""
        self._test()

    @work(exclusive=True, group="test")
    async def _test(self) -> None:
        typed = self._typed()
        what = "what is typed" if typed else "what is kept"
        self.query_one("#steps", Lines).put(line((f"testing with {what} …", "dim")))
        body: dict[str, Any] = {"account": self._account, "draft": self._drafted}
        if self._edits:
            body["edits"] = self._edits
        path = "/v1/venues/test"
        if typed:
            path, body["credentials"] = "/v1/venues/test-credentials", typed
        found = await self.seat.send(Sent(path, body, outcome_of, timeout_s=TEST_S))
        shown = steps_of(found) if found is not None else [line(("refused: the line below the form says why", "alarm"))]
        self.query_one("#steps", Lines).put(lines(*shown))

    def action_keep(self) -> None:
        """Hand what is typed to the vault."""
        self._keep()

    @work(exclusive=True, group="keep")
    async def _keep(self) -> None:
        typed = self._typed()
        if not typed:
            self.seat.say("nothing is typed: what is kept stays", "warn")
            return
        for field, value in typed.items():
            body = {"holder": self._account, "field": field, "value": value}
            done = await self.seat.send(Sent("/v1/secrets/set", body, partial(kept, field), timeout_s=90.0))
            if done is None:
                return
            box = next(each for each in self.query(Input) if each.name == field)
            box.value, box.placeholder = "", str(done["masked"])
            self.masks[field] = str(done["masked"])
        self.seat.state.stir("secrets", "config", "console")

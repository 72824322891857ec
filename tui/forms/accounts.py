"""The accounts: where each trades, what it logs in with, whether that works; tried before they are in force (EX-1620)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.commands.draft import edit
from tui.connection import TEST_S, outcome_of, steps_of
from tui.forms.credentials import CredentialsForm
from tui.forms.tables import BUTTONS, TablesForm
from tui.lines import Lines
from tui.seat import Sent
from tui.settings_values import wanted_of
from tui.text import clickable, line, lines

__all__ = ["AccountsForm"]

_UNSET: Final = "(not set)"


class AccountsForm(TablesForm):
    """Every account of the draft; credentials go to the vault and never through here."""

    DEFAULT_CSS = """
    AccountsForm #secrets { text-wrap: wrap; }
    AccountsForm.-broad #secrets { margin-top: 1; }
    AccountsForm #steps { text-wrap: wrap; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f8", "credentials", "Credentials"),
        Binding("ctrl+t", "test", "Test connection"),
    ]
    around: ClassVar[int] = 16
    buttons: ClassVar[Sequence[tuple[str, str, str]]] = (
        *BUTTONS[:-2],
        ("F8", "credentials", "Credentials"),
        ("^T", "test", "Test connection"),
        *BUTTONS[-2:],
    )

    def __init__(self, row: Mapping[str, Any], wanted: Any, at: int = 0) -> None:
        super().__init__(row, wanted, at)
        self._typed: dict[tuple[str, str], str] = {}
        """Masks of what was typed since the daemon was last asked, by account and field."""

    def more(self) -> ComposeResult:
        """Yield the masks of what the account logs in with, and what a test came to."""
        yield Lines(id="secrets")
        yield Lines(id="steps")

    def draw_entries(self) -> None:
        """Draw the accounts, and what the one in front logs in with."""
        super().draw_entries()
        self.query_one("#steps", Lines).display = False
        self._draw_secrets()

    @property
    def account(self) -> str:
        """Return the name of the account in front."""
        return self.entry.get("name", "")

    def _secrets(self) -> Iterator[Mapping[str, Any]]:
        """Yield what the account in front logs in with: what is kept or asked for, then what its venue has besides."""
        kept = [each for each in self.seat.state.rows("secrets", "secrets") if each["holder"] == self.account]
        for each in kept:
            yield {**each, "masked": self._typed.get((self.account, each["field"]), each["masked"])}
        if self.seat.state.get("secrets") is None:
            return  # they are for admins, and this is none
        named = {each["field"] for each in kept}
        for key in self._row["inside"]:
            if key["secret"] and key["key"] not in named and self.entry.get("venue", "") in key["only"]:
                mask = self._typed.get((self.account, key["key"]), _UNSET)
                yield {"field": key["key"], "masked": mask, "source": "", "variable": ""}

    def _draw_secrets(self) -> None:
        found = list(self._secrets())
        pieces = [line((f"{each['field']} ", "dim"), f"{each['masked']}") for each in found]
        said = line("   ").join(pieces) if pieces else line(("it needs none, or they are not for you to see", "dim"))
        types = clickable("   F8 types them", "accent", "screen.credentials") if pieces else line("")
        self.query_one("#secrets", Lines).put(lines(line(("logs in with   ", "dim"), said, types)))

    # --- keys ----------------------------------------------------------------------------------------------------------

    def action_credentials(self) -> None:
        """Type what the account logs in with; the account is drafted first, so that the vault knows whose it is."""
        self._type_secrets()

    @work(exclusive=True, group="credentials")
    async def _type_secrets(self) -> None:
        if not self.account:
            self.seat.say("name the account first: what it logs in with is kept under its name", "warn")
            return
        if not self._is_drafted() and not await self._draft():
            return
        secrets = tuple(self._secrets())
        form = CredentialsForm(
            self.account, self.entry.get("venue", "paper"), secrets, drafted=True, edits=self.edits()
        )
        await self.app.push_screen_wait(form)
        self._typed |= {(self.account, field): mask for field, mask in form.masks.items()}
        self._draw_secrets()

    def _is_drafted(self) -> bool:
        config = self.seat.state.get("config") or {}
        known = wanted_of(config).get("accounts") or ()
        return any(each["name"] == self.account for each in known)

    async def _draft(self) -> bool:
        """Put the accounts into the draft as they are written; return whether they are right."""
        if self.problem():
            self.seat.say(f"{self.problem()} [WrongType]", "warn")
            return False
        return await edit(self.seat, self.edits(), f"{self.account} is in the draft")

    def action_test(self) -> None:
        """Try the account as it is written here, with what the vault keeps."""
        self._test()

    @work(exclusive=True, group="test")
    async def _test(self) -> None:
        steps = self.query_one("#steps", Lines)
        steps.display = True
        steps.put(line((f"testing {self.account} as it is written here …", "dim")))
        body = {"account": self.account, "draft": True, "edits": self.edits()}
        found = await self.seat.send(Sent("/v1/venues/test", body, outcome_of, timeout_s=TEST_S))
        steps.put(lines(*steps_of(found)) if found is not None else line(("refused: the line below says why", "alarm")))
        steps.scroll_visible(animate=False)

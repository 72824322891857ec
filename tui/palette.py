"""Textual's command palette over the cockpit's one table of commands, and over the panels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.commands import COMMANDS

if TYPE_CHECKING:
    from tui.app import Cockpit

__all__ = ["Palette"]


class Palette(Provider):
    """Offers each panel and each command; one that needs an argument opens the command line with its name."""

    async def discover(self) -> Hits:
        """Offer everything."""
        for text, hint, run in self._offers():
            yield DiscoveryHit(text, run, help=hint)

    async def search(self, query: str) -> Hits:
        """Offer what matches."""
        matcher = self.matcher(query)
        for text, hint, run in self._offers():
            score = max(matcher.match(text), matcher.match(hint) * 0.5)
            if score > 0:
                yield Hit(score, matcher.highlight(text), run, help=hint)

    def _offers(self) -> Iterator[tuple[str, str, Callable[[], Any]]]:
        cockpit = cast("Cockpit", self.app)
        for panel in cockpit.panels:
            yield panel.title, f"open the panel ({panel.key})", partial(cockpit.open_panel, panel.ident)
        for command in COMMANDS:
            needs = any(argument.required for argument in command.arguments)
            run = (
                partial(cockpit.open_command_line, f"{command.name} ")
                if needs
                else partial(cockpit.run_text, command.name)
            )
            yield command.name, command.help, run

"""The cockpit of who started the daemon with it (``bulkhead up``): leaving it ends both, so leaving asks first."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from textual import work
from textual.binding import Binding, BindingType

from tui.app import Cockpit
from tui.options import Options
from tui.seat import Question

__all__ = ["OwnedCockpit"]

_LOOK_S: Final = 0.5
_STOP: Final = Question(
    "Stop bulkhead?",
    (
        ("stops", "everything that was started here: the daemon, its venues, this screen"),
        ("stays", "open groups and orders, in the journal: they go on at the next start"),
    ),
    note="A daemon of its own goes on without a screen: bulkhead up --detach, then bulkhead cockpit.",
)


class OwnedCockpit(Cockpit):
    """``alive`` tells whether the daemon still runs: without it there is nothing left to show."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "quit", "Stop bulkhead")]

    def __init__(self, options: Options, alive: Callable[[], bool]) -> None:
        super().__init__(options)
        self._alive = alive

    async def on_mount(self) -> None:
        """Say how it ends, and look whether the daemon is still there."""
        await super().on_mount()
        self.say("this screen started bulkhead: q stops both", "dim")
        self.set_interval(_LOOK_S, self._look)

    def _look(self) -> None:
        if not self._alive():
            self.exit()

    async def action_quit(self) -> None:
        """Ask, then stop everything."""
        if len(self.screen_stack) == 1:
            self._leave()

    @work(group="commands")
    async def _leave(self) -> None:
        if await self.confirm(_STOP):
            self.exit()

"""A form that the daemon looks at while it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual import work

from tui.forms.base import Form

if TYPE_CHECKING:
    from textual.timer import Timer

__all__ = ["TypedForm"]

_PAUSE_S: Final = 0.2


class TypedForm(Form):
    """Asks the daemon what it thinks a moment after the last key, not at each."""

    def __init__(self) -> None:
        super().__init__()
        self._pause: Timer | None = None

    def later(self) -> None:
        """Have what is typed looked at soon."""
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(_PAUSE_S, self._look)

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        await self.looked()

    async def looked(self) -> None:
        """Ask the daemon, and draw what it says."""
        raise NotImplementedError

"""What a cockpit that fails leaves on the terminal, in a service's log, or with whoever is sent it."""

from __future__ import annotations

import traceback
from collections.abc import Callable

from rich.text import Text
from textual.app import App

__all__ = ["LastWords"]


class LastWords(App[None]):
    """Says where it failed, and shows no variable: Textual prints them all, a secret that was being typed too (EX-1508)."""

    hide: Callable[[str], str] = staticmethod(str)
    """Takes out of a text what it must not show."""

    def _fatal_error(self) -> None:
        self.bell()
        self._exit_renderables.append(Text(self.hide(traceback.format_exc().rstrip())))
        self._close_messages_no_wait()

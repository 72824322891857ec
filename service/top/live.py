"""Keep the picture fresh, hear keys, and go on when the daemon restarts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from rich.console import Console, RenderableType
from rich.live import Live

from protocol.errors import BulkheadError
from service.api.client import DaemonNotRunning
from service.top.frame import KEYS, frame, waiting_frame
from service.top.keys import Keys

__all__ = ["REFRESH_S", "Asker", "View", "run_top"]

REFRESH_S: Final = 0.5
"""Seconds between two pictures."""


class Asker(Protocol):
    """What the view asks; ``service.api.client.Client`` is one."""

    def get(self, path: str, **query: Any) -> Any:
        """Return an answer of the daemon."""
        ...

    def post(self, path: str, body: Any = None) -> Any:
        """Tell the daemon to do something."""
        ...


class View:
    """What is on the screen: the newest answer of the daemon, and the question that waits for a key."""

    def __init__(self, client: Asker) -> None:
        self._client = client
        self._data: dict[str, Any] | None = None
        self._problem = "asking the daemon ..."
        self._confirming = False
        self._said = ""

    def refresh(self) -> None:
        """Ask the daemon; while it does not answer the last picture stays, with the problem on it."""
        try:
            self._data = self._client.get("/v1/overview")
            self._problem = ""
        except DaemonNotRunning:
            self._problem = "no daemon answers, trying again"
        except BulkheadError as error:
            self._problem = str(error)

    def picture(self, width: int, height: int) -> RenderableType:
        """Return what to draw."""
        if self._data is None:
            return waiting_frame(self._problem)
        return frame(self._data, width, height, hint=self._hint(), problem=self._problem)

    def press(self, key: str) -> bool:
        """Act on a key; return whether the view is to be left."""
        if self._confirming:
            self._confirming = False
            if key.lower() == "y":
                self._switch()
            return False
        self._said = ""
        if key.lower() == "p" and self._data is not None:
            self._confirming = True
        return key.lower() == "q"

    def _hint(self) -> str:
        if self._confirming:
            return " stop new entries? y/n" if self._runs() else " allow new entries again? y/n"
        return f"{KEYS}   {self._said}"

    def _runs(self) -> bool:
        return self._data is not None and self._data["status"]["engine"]["status"] == "running"

    def _switch(self) -> None:
        address, said = ("/v1/pause", "entries stopped") if self._runs() else ("/v1/resume", "entries allowed")
        try:
            self._client.post(address)
            self._said = said
        except BulkheadError as error:
            self._said = str(error)


def run_top(client: Asker, *, alive: Callable[[], bool] = lambda: True) -> None:
    """Show the view until q, Ctrl-C or until ``alive`` says that there is nothing left to show."""
    console, view = Console(), View(client)
    with Keys() as keys, Live(console=console, screen=True, auto_refresh=False) as live:
        while alive():
            view.refresh()
            live.update(view.picture(*console.size), refresh=True)
            key = keys.read(REFRESH_S)
            if key and view.press(key):
                return

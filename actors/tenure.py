"""Keeps this process's leases renewed, and ends the system when they are lost: another process trades by then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio

from protocol.errors import BulkheadError
from protocol.messages import Message
from runtime.actor import Actor, handles
from runtime.journal import JournalUnavailable

__all__ = ["LeaseKeeper", "LeaseLost"]


class LeaseLost(BulkheadError):
    """This process may not act any more: its lease ran out, or another process has it."""


class _Renew(Message, frozen=True, tag=True):
    """It is time to renew."""


class _Renewed(Message, frozen=True, tag=True):
    held: bool
    unreachable: str = ""


class LeaseKeeper(Actor):
    """Renews three times in the life of a lease. ``renew`` blocks and says whether all are held; ``left_s`` how long yet."""

    def __init__(self, renew: Callable[[], bool], left_s: Callable[[], float], ttl_s: float, holder: str) -> None:
        self._renew = renew
        self._left_s = left_s
        self._every_s = ttl_s / 3
        self._holder = holder
        self._trouble = ""

    def started(self) -> None:
        """Renew at once: a restart may have taken long."""
        self.ref.tell(_Renew())

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        return f"{self._holder} for {self._left_s():.0f} s{', ' + self._trouble if self._trouble else ''}"

    @handles
    def renew(self, msg: _Renew) -> None:  # noqa: ARG002 - the type is the message
        """Ask the server, on a thread of its own."""
        self.context.pipe(self._ask(), lambda found: found, real=True)

    async def _ask(self) -> _Renewed:
        try:
            return _Renewed(await anyio.to_thread.run_sync(self._renew, abandon_on_cancel=True))
        except JournalUnavailable as error:
            return _Renewed(held=True, unreachable=str(error))

    @handles
    def renewed(self, msg: _Renewed) -> Any:
        """Go on while the tenure lasts; end everything when it does not."""
        self._trouble = f"not renewed: {msg.unreachable}" if msg.unreachable else ""
        if not msg.held:
            self._end("another process has taken over")
        elif self._left_s() <= 0:
            self._end(f"it ran out before it could be renewed: {msg.unreachable or 'this process slept'}")
        else:
            self.timers.after(min(self._every_s, max(0.05, self._left_s() / 3)), _Renew())

    def _end(self, why: str) -> None:
        self.context.system.fail(LeaseLost(f"{self._holder} holds its lease no more: {why}"))

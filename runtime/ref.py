"""A reference to an actor: stable over its restarts, safe to keep, to compare and to use from any thread."""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeVar

from protocol.messages import Request
from runtime.envelope import Envelope
from runtime.errors import MailboxFull
from runtime.lifecycle import LifeState
from runtime.mailbox import PLAIN, Put

if TYPE_CHECKING:
    from runtime.cell import Cell

__all__ = ["ActorRef", "refuse"]

R = TypeVar("R")
_RUNNING = LifeState.RUNNING


class ActorRef:
    """Reaches one actor. ``tell`` never blocks; ``ask`` awaits the typed answer."""

    __slots__ = ("cell", "path")

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.path: str = cell.path

    def tell(self, message: Any) -> None:
        """Put a message into the actor's mailbox.

        A message that cannot be taken (mailbox full, actor gone, no handler) ends in the dead letters with its reason;
        nothing is raised here.
        """
        cell = self.cell
        system = cell.system
        if get_ident() != system.thread_id:
            system.tell_from_thread(self, message)
            return
        system.last_id = message_id = system.last_id + 1
        current = system.current
        if current is None:
            # No message caused it, but an actor may have told it all the same: while it started.
            cell.accept(Envelope(message, system.current_path, message_id, message_id, 0, system.now()))
        else:
            # Told by a handler: it waits since the handler's actor was served, which spares asking the clock each time.
            envelope = Envelope(
                message, system.current_path, message_id, current.correlation_id, current.message_id, system.served_at
            )
            if cell.state is _RUNNING and not cell.edge:
                # The plainest of all ways, which ``accept`` would take too: a waiting line that has room.
                mailbox = cell.mailbox
                data = mailbox.data
                if data and type(message) in PLAIN and not mailbox.control and len(data) < mailbox.capacity:
                    data.append(envelope)
                    return
            cell.accept(envelope)

    async def ask(self, request: Request[R], timeout_s: float = 5.0) -> R:
        """Tell a request and await its answer.

        Raises AskTimeout (the outcome is unknown), ActorStopped, ActorCrashed, MailboxFull, Unhandled, or whatever
        error the handler answered with. Time is counted on the injected clock.
        """
        answer: R = await self.cell.system.asks.ask(self.cell, request, timeout_s)
        return answer

    async def offer(self, message: Any) -> None:
        """Tell a message and wait while the mailbox is over its capacity (back-pressure for producers outside actors)."""
        await self.cell.room()
        self.tell(message)

    @property
    def alive(self) -> bool:
        """Whether the actor has not ended for good."""
        return self.cell.alive

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ActorRef) and other.path == self.path

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        return f"<ref {self.path}>"


def refuse(envelope: Envelope, outcome: Put, path: str) -> None:
    """Answer the asker of a message that a full mailbox did not take."""
    if envelope.reply is not None and outcome is Put.REJECTED:
        envelope.reply(None, MailboxFull(f"{path}: the mailbox is full"))

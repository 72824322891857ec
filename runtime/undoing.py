"""What follows when the journal could not keep a batch: for nobody has it happened.

Who had events in it is rebuilt from the journal. What those said meanwhile, and what others said because of it, may still
wait in mailboxes: told to somebody who was down, or not come to yet. It is withdrawn, or an order would be sent that its
group knows nothing of. What began outside (a causal chain that has no event in the batch) stays.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from runtime.envelope import Envelope
from runtime.journal import JournalError
from runtime.lifecycle import NEWS, LifeState

if TYPE_CHECKING:
    from runtime.cell import Cell

__all__ = ["Undoing"]


class Undoing:
    """Undoes one lost batch, whose first event was recorded after the message id ``since``, by ``writers``."""

    def __init__(self, since: int, writers: Collection[str], chains: Collection[int], error: JournalError) -> None:
        self._since = since
        self._writers = writers
        self._chains = chains
        self._error = error

    def withdraw(self, cell: Cell, *, rebuilds: bool) -> bool:
        """Bury what waits for an actor although it never happened; return whether there was any.

        One that ``rebuilds`` itself also loses what others said in the same causal chains: it may be true or not, and its
        next life asks again. From everybody else only the writers' own words are taken back.
        """
        gone = cell.mailbox.withdraw(lambda envelope: self.is_undone(envelope, rebuilds))
        for envelope in gone:
            self._bury(cell, envelope)
        return bool(gone)

    def cuts_off(self, cell: Cell, *, rebuilds: bool) -> bool:
        """Bury the message that an actor is at work on beside the pump, if it never happened; return whether it was so."""
        envelope = cell.handling
        if envelope is None or not self.is_undone(envelope, rebuilds):
            return False
        cell.handling = None  # the end of this life must not give it back
        self._bury(cell, envelope)
        return True

    def _bury(self, cell: Cell, envelope: Envelope) -> None:
        reply, envelope.reply = envelope.reply, None
        cell.bury(envelope, "the journal could not keep what it came from", repr(self._error))
        if reply is not None:
            reply(None, self._error)

    def is_undone(self, envelope: Envelope | None, rebuilds: bool) -> bool:
        """Whether a message has never been told, as far as the journal knows."""
        if envelope is None or envelope.message_id <= self._since or isinstance(envelope.message, NEWS):
            return False
        if envelope.sender in self._writers:
            return True
        return rebuilds and envelope.correlation_id in self._chains

    def forget(self, cell: Cell) -> None:
        """Have one that lives on forget what is in no journal; who fails at it crashes."""
        if cell.actor is not None and cell.state is LifeState.RUNNING:
            cell.in_chain(None, cell.actor.rolled_back)

"""What operators ask of the pool's queue: let one entry in, over the limit too, or remove it (EX-925 to EX-927)."""

from __future__ import annotations

from actors.pool_preview import PreviewingPool
from protocol.pool import ForceAdd, PromoteQueued, RemoveQueued
from rules.pool import Action, ByOperator, Command
from runtime.actor import Do, handles

__all__ = ["OperatedPool"]


class OperatedPool(PreviewingPool):
    """A pool that operators steer; each request is answered with what it came to."""

    @handles
    def promote(self, msg: PromoteQueued) -> Do:
        """Let one entry in out of turn (EX-925)."""
        return self._did(ByOperator(Action.PROMOTE, msg.queue_id, msg.request_id))

    @handles
    def force_add(self, msg: ForceAdd) -> Do:
        """Let one entry in over the limit (EX-926)."""
        return self._did(ByOperator(Action.FORCE_ADD, msg.queue_id, msg.request_id))

    @handles
    def remove(self, msg: RemoveQueued) -> Do:
        """Delete one entry (EX-927)."""
        return self._did(ByOperator(Action.REMOVE, msg.queue_id, msg.request_id))

    def _did(self, *commands: Command) -> Do:
        raise NotImplementedError

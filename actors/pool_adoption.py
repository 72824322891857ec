"""What the pool does about positions that were opened by hand: it gives them a slot and has their groups started."""

from __future__ import annotations

from protocol.pool import AdmitAdopted
from rules.pool.adopting import Adopt
from runtime.actor import Do, handles
from runtime.durable import DurableActor

__all__ = ["AdoptingPool"]


class AdoptingPool(DurableActor):
    """A pool that admits adopted positions; how a command is carried out is the pool's own affair."""

    @handles
    def adopt(self, msg: AdmitAdopted) -> Do:
        """Give the position a slot, or say why it gets none."""
        return self._did(Adopt(msg.opening, msg.force))

    def _did(self, command: Adopt) -> Do:
        raise NotImplementedError

"""Orders that wait until their venue can be reached (EX-106): what would leave, and whether it may leave now."""

from __future__ import annotations

from typing import Final

from protocol.messages import Message
from protocol.orders import SubmitOrder
from protocol.venue import VenueHealth, VenueStatus

__all__ = ["EXITS_WAIT_S", "NOT_SENT", "SEND_AGAIN_S", "Hold", "LetHeld"]

NOT_SENT: Final = frozenset(
    {
        *("AuthFailed", "PermissionDenied", "RateLimited", "VenueCapabilityMissing", "VenueDown"),
        *("FeedStale", "Maintenance", "MarketMute", "VenueFailing"),
    }
)
"""Errors that prove that an order did not get as far as the venue's books: it may leave later under the same client id."""

EXITS_WAIT_S: Final = 10.0
"""How long orders that add no risk wait for the first comparison after a connect; entries wait until it is done."""

SEND_AGAIN_S: Final = 2.0
"""Wait before an order leaves again that a venue which counts as up did not take."""


class LetHeld(Message, frozen=True, tag=True):
    """Orders that wait for the venue may leave; ``exits`` also before the books were compared. A desk tells it itself."""

    exits: bool


class Hold:
    """What one desk holds back. ``unsent`` are wishes that no journal knows yet, ``sent`` are orders already decided on.

    Nothing of it is durable: after a crash the groups tell their wishes again, and the venue proves that the decided ones
    are absent.
    """

    def __init__(self) -> None:
        self.unsent: dict[str, tuple[SubmitOrder, int]] = {}
        self.sent: dict[str, bool] = {}
        """Client ids, and whether the order adds risk."""
        self._up: bool | None = None
        self._compared = True
        self._exits = True

    def __len__(self) -> int:
        return len(self.unsent) + len(self.sent)

    @property
    def up(self) -> bool:
        """Whether the venue can be reached, as far as anybody has said."""
        return self._up is not False

    def hears(self, health: VenueHealth) -> bool:
        """Take how the connection stands; return whether it has just come up: the books are then to be compared first."""
        up = health.status is VenueStatus.UP
        came = up and not self._up
        if came or not up:
            self._compared = self._exits = False
        self._up = up
        return came

    def compared(self) -> bool:
        """Take that the books were compared; return whether it was the first time since the connection came up."""
        first = self.up and not self._compared
        self._compared = self._exits = self._compared or self.up
        return first

    def let_exits(self) -> None:
        """Let what adds no risk go without a comparison: it has been waited for long enough."""
        self._exits = self._exits or self.up

    def may_leave(self, *, adds_risk: bool) -> bool:
        """Whether an order may leave now."""
        return self.up and (self._compared if adds_risk else self._exits)

    def drop(self, client_order_id: str) -> tuple[SubmitOrder, int] | None:
        """Forget an order that nobody wants any more; return the wish, when it was only one."""
        self.sent.pop(client_order_id, None)
        return self.unsent.pop(client_order_id, None)

    def take_sent(self) -> list[str]:
        """Take out the decided orders that may leave now: what adds no risk first."""
        ready = [key for key, risky in self.sent.items() if self.may_leave(adds_risk=risky)]
        return sorted(ready, key=lambda key: self.sent.pop(key))

    def take_unsent(self) -> list[tuple[SubmitOrder, int]]:
        """Take out the wishes that may leave now: what adds no risk first."""
        ready = [key for key, (wish, _) in self.unsent.items() if self.may_leave(adds_risk=wish.adds_risk)]
        return sorted((self.unsent.pop(key) for key in ready), key=lambda each: each[0].adds_risk)

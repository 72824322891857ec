"""Both sides of one perpetual: a venue nets them, so that the exit of one may not reduce what it sees."""

from __future__ import annotations

from msgspec.structs import replace

from protocol.groups import GroupChanged, GroupState
from protocol.orders import SubmitOrder
from protocol.values import Side

__all__ = ["Sides"]


class Sides:
    """Which groups of one account hold a perpetual, and on which side, as they last said."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._held: dict[str, dict[str, Side]] = {}

    def concerns(self, fact: object) -> bool:
        """Whether this is said by a group of a perpetual of this account."""
        return type(fact) is GroupChanged and ":" in fact.symbol and fact.account == self._account

    def take(self, fact: GroupChanged) -> None:
        """Take how a group stands."""
        held = self._held.setdefault(fact.symbol, {})
        if fact.state is GroupState.CLOSED or fact.open_qty <= 0:
            held.pop(fact.group_id, None)
        else:
            held[fact.group_id] = fact.side

    def fitting(self, wish: SubmitOrder) -> SubmitOrder:
        """Return an order as the venue can take it.

        A reduce-only exit is refused, or cut short, where another group holds the other side: the venue knows only the
        difference of the two, and neither could ever be closed. What a group sells is what it holds, by its own books.
        """
        request = wish.request
        if not request.reduce_only:
            return wish
        others = {side for group, side in self._held.get(request.symbol, {}).items() if group != wish.group_id}
        mine = Side.LONG if request.side is Side.LONG.exit else Side.SHORT
        if all(side is mine for side in others):
            return wish
        return replace(wish, request=replace(request, reduce_only=False))

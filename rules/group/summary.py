"""Say where a group stands: built after every step of every group, so one walk over the legs and no more."""

from __future__ import annotations

from decimal import Decimal

from protocol.groups import EntryState, GroupChanged, LegState
from rules.group.failing import NOTHING_TO_REDUCE
from rules.group.view import GroupView, LegView
from rules.precision import quotient

__all__ = ["summary"]

_ZERO = Decimal(0)


def summary(view: GroupView, at: int, path: str = "") -> GroupChanged:
    """Return where the group stands, for the pool, the risk engine and the screens; ``path`` is the group's actor."""
    placed = dca = 0
    all_sent = all_filled = all(pyramid.anchored for pyramid in view.pyramids)
    any_wanted = False
    open_qty = cost = realized = locked = _ZERO
    for leg in view.legs.values():
        held = leg.open_qty
        realized += leg.realized
        if held > 0:
            open_qty += held
            cost += leg.cost
        entry = leg.entry
        if entry is EntryState.BLOCKED:
            continue
        placed += 1
        dca += leg.layer > 0
        if leg.state is LegState.PENDING:
            all_sent = False
        if entry is EntryState.CANCELLED:
            continue
        any_wanted = True
        if entry is not EntryState.DONE:
            all_filled = False
        if entry is EntryState.WORKING:
            locked += _bound(view, leg)
    return GroupChanged(
        group_id=view.group_id,
        key=view.key,
        user=view.user,
        scope=view.scope,
        venue=view.venue,
        account=view.account,
        symbol=view.symbol,
        timeframe=view.timeframe,
        side=view.side,
        state=view.state,
        reason=view.reason,
        received=len(view.pyramids),
        placed_legs=placed,
        placed_dca_legs=dca,
        all_layers_sent=all_sent,
        all_layers_filled=all_filled and any_wanted,
        open_qty=open_qty,
        avg_entry=quotient(cost, open_qty) if open_qty > 0 else None,
        base_entry_price=view.base_entry_price,
        realized_quote=realized,
        fees=view.fees,
        first_fill_at=view.first_fill_at,
        path=path,
        quote=view.instrument.quote,
        strategy=view.strategy,
        rules=view.instrument.rules,
        max_pyramids=view.config.max_pyramids_per_group,
        locked_quote=locked,
        frozen=bool(view.frozen),
        nothing_to_reduce=any(close.code == NOTHING_TO_REDUCE for close in view.closes),
        opened_at=view.opened_at,
        at=at,
    )


def _bound(view: GroupView, leg: LegView) -> Decimal:
    """Return what the unfilled part of a working entry binds, in quote currency."""
    order = view.orders.get(leg.entry_order)
    if order is None:
        return leg.qty * leg.price
    return order.rest * (order.request.price or leg.price)

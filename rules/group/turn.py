"""One turn of a group: what was decided so far, and the state that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from protocol.groups import (
    CancelWanted,
    CloseReason,
    GroupAlert,
    GroupState,
    GroupStateChanged,
    OrderWanted,
    Severity,
)
from protocol.market import PriceTick
from protocol.messages import Event
from protocol.orders import OrderRequest, Purpose
from protocol.values import MarketType, OrderSide, OrderType
from rules import client_ids
from rules.group.evolve import evolve
from rules.group.states import Cause, check_transition
from rules.group.view import GroupView, LegView, OrderView
from rules.precision import check_order
from rules.slippage import worth_enough

__all__ = ["Turn"]


class Turn:
    """Collects the events of one decision and evolves the state as it goes.

    ``tick`` is the newest price the actor has, None when it has none. ``at`` is the time of the decision (ns).
    """

    __slots__ = ("at", "events", "tick", "view")

    def __init__(self, view: GroupView, at: int, tick: PriceTick | None) -> None:
        self.view = view
        self.at = at
        self.tick = tick
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        """Record a decision and apply it."""
        self.view = evolve(self.view, event)
        self.events.append(event)

    def alert(self, code: str, severity: Severity, text: str, *, leg_id: str = "", pinned: bool = False) -> None:
        """Tell the operators something."""
        self.emit(
            GroupAlert(
                group_id=self.view.group_id,
                code=code,
                severity=severity,
                text=text[:4096],
                leg_id=leg_id,
                pinned=pinned,
                at=self.at,
            )
        )

    def change_state(self, new: GroupState, cause: Cause, reason: CloseReason | None = None) -> None:
        """Move the group by the table of EX-803; raise ``IllegalTransition`` for any other move."""
        old = self.view.state
        check_transition(cause, old, new)
        self.emit(
            GroupStateChanged(group_id=self.view.group_id, old=old, new=new, cause=cause, reason=reason, at=self.at)
        )

    def executable(self, side: OrderSide) -> Decimal | None:
        """Return the price a market order of this side would trade at now, None without a tick (EX-720)."""
        if self.tick is None:
            return None
        return self.tick.ask if side is OrderSide.BUY else self.tick.bid

    def blocks_close(self, qty: Decimal) -> str | None:
        """Return why a market close of this quantity cannot be sent, judged at the last known price, or None."""
        view = self.view
        price = self.executable(view.side.exit)
        if price is None or (self.tick is not None and self.tick.at < view.last_fill_at):
            # A fill tells a newer price than an old tick does.
            price = view.last_fill_price or price
        if price is None:
            return check_order(Decimal(1), qty, view.instrument.rules, enforce_min_notional=False)
        return check_order(price, qty, view.instrument.rules, enforce_min_notional=view.config.enforce_min_notional)

    def want_cancel(self, order: OrderView) -> None:
        """Ask for the end of an order, once."""
        if order.cancel_wanted or order.settled:
            return
        self.emit(
            CancelWanted(
                group_id=self.view.group_id,
                client_order_id=order.request.client_order_id,
                purpose=order.purpose,
                leg_id=order.leg_id,
                at=self.at,
            )
        )

    def want_entry(self, leg: LegView, order_type: OrderType, price: Decimal | None) -> None:
        """Ask for the next attempt of a leg's entry."""
        expected = self.executable(self.view.side.entry) if order_type is not OrderType.LIMIT else None
        qty = leg.qty - (self.view.entry_filled(leg) if leg.entry_attempt else 0)
        request = OrderRequest(
            client_order_id=self._client_id(leg.pyramid, leg.layer, Purpose.ENTRY, leg.entry_attempt + 1),
            symbol=self.view.symbol,
            side=self.view.side.entry,
            type=order_type,
            qty=qty,
            price=self._cap(price, self.view.side.entry, qty) if order_type is OrderType.IOC else price,
        )
        self._want(request, leg, Purpose.ENTRY, leg.entry_attempt + 1, expected)

    def want_target(self, leg: LegView, qty: Decimal, price: Decimal) -> None:
        """Ask for the next target order of a leg."""
        request = OrderRequest(
            client_order_id=self._client_id(leg.pyramid, leg.layer, Purpose.TP, leg.target_attempt + 1),
            symbol=self.view.symbol,
            side=self.view.side.exit,
            type=OrderType.LIMIT,
            qty=qty,
            price=price,
            reduce_only=self._reduce_only,
        )
        self._want(request, leg, Purpose.TP, leg.target_attempt + 1, None)

    def _want(
        self, request: OrderRequest, leg: LegView, purpose: Purpose, attempt: int, expected: Decimal | None
    ) -> None:
        self.emit(
            OrderWanted(
                group_id=self.view.group_id,
                request=request,
                purpose=purpose,
                scope=f"leg:{leg.leg_id}",
                leg_id=leg.leg_id,
                attempt=attempt,
                adds_risk=purpose is Purpose.ENTRY,
                expected_price=expected,
                at=self.at,
            )
        )

    def want_close(
        self,
        number: int,
        scope: str,
        reason: CloseReason,
        allocation: Mapping[str, Decimal],
        *,
        cap: Decimal | None = None,
    ) -> None:
        """Ask for a market close of what ``allocation`` sums to; ``cap`` makes it an immediate-or-cancel limit."""
        view = self.view
        kind, _, name = scope.partition(":")
        attempt = view.close_orders + 1
        pyramid = int(name) if kind == "pyramid" else 0
        qty = sum(allocation.values(), Decimal(0))
        request = OrderRequest(
            client_order_id=self._client_id(pyramid, 0, Purpose.CLOSE, attempt),
            symbol=view.symbol,
            side=view.side.exit,
            type=OrderType.MARKET if cap is None else OrderType.IOC,
            qty=qty,
            price=self._cap(cap, view.side.exit, qty),
            reduce_only=self._reduce_only,
        )
        self.emit(
            OrderWanted(
                group_id=view.group_id,
                request=request,
                purpose=Purpose.CLOSE,
                scope=scope,
                leg_id=name if kind == "leg" else "",
                attempt=attempt,
                adds_risk=False,
                expected_price=self.executable(view.side.exit),
                reason=reason,
                close=number,
                allocation=dict(allocation),
                at=self.at,
            )
        )

    def _cap(self, cap: Decimal | None, side: OrderSide, qty: Decimal) -> Decimal | None:
        if cap is None or not self.view.config.enforce_min_notional:
            return cap
        return worth_enough(cap, side, qty, self.view.instrument.rules)

    @property
    def _reduce_only(self) -> bool:
        return self.view.instrument.market_type is MarketType.PERP

    def _client_id(self, pyramid: int, layer: int, purpose: Purpose, attempt: int) -> str:
        return client_ids.derive(
            self.view.tag, self.view.group_id, pyramid=pyramid, layer=layer, purpose=purpose, attempt=attempt
        )

"""What OANDA can do beyond the contract: brackets on the entry, trailing stops, amending, financing, account state."""

from __future__ import annotations

from abc import abstractmethod
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from protocol.accounts import AccountState
from protocol.errors import ValidationError
from protocol.orders import OrderReport, OrderRequest, OrderState
from protocol.rates import SwapRates
from protocol.values import OrderSide
from rules.broker.brackets import BracketOrder, bracket
from venues.access import Access, Tools
from venues.contract import Venue
from venues.errors import OrderNotFound, VenueDown, VenueError
from venues.facets import MarketFacts
from venues.oanda.bodies import child_id, on_fill, text_of, trailing_body
from venues.oanda.connection import Connection, read
from venues.oanda.week import SESSION, is_open
from venues.oanda.words import Market, decimal_of, tick_of, venue_symbol_of

__all__ = ["Abilities"]


class Abilities(Venue):
    """The optional abilities of ``venues.facets`` that OANDA has."""

    _access: Access
    _tools: Tools

    @property
    @abstractmethod
    def connection(self) -> Connection:
        """What exists while connected; raises VenueDown otherwise."""

    # --- brackets ------------------------------------------------------------------------------------------------------

    async def place_bracket(
        self, entry: OrderRequest, *, stop: Decimal, target: Decimal | None = None
    ) -> tuple[OrderReport, ...]:
        """Place an entry that carries its stop and target (PF-232); one on the wrong side is refused here (PF-233).

        The reports: the entry, then stop and target, which exist as soon as the entry has traded (before: ``intended``).
        """
        try:
            orders = bracket(
                entry.side,
                entry.qty,
                reference=await self._reference(entry),
                stop=stop,
                target=target,
                tick=self._market(entry.symbol).tick,
                client_id=entry.client_order_id,
            )
        except ValidationError as error:
            return (self._word(entry.client_order_id, entry.symbol, OrderState.REJECTED, error.message, error.code),)
        desk = self.connection.desk
        parent = await desk.place(entry, on_fill(orders))
        return (parent, *[self._child(each, parent) for each in orders if each.parent is not None])

    def _child(self, order: BracketOrder, parent: OrderReport) -> OrderReport:
        key = child_id(order)
        known = self.connection.ledger.orders.get(key)
        if known is not None:
            return replace(known.report(), symbol=parent.symbol)
        refused = parent.state in (OrderState.REJECTED, OrderState.CANCELLED) and not parent.filled_qty
        state = OrderState.REJECTED if refused else OrderState.INTENDED
        return self._word(key, parent.symbol, state, parent.reason if refused else "")

    async def _reference(self, entry: OrderRequest) -> Decimal:
        if entry.price is not None or entry.stop_price is not None:
            price = entry.price if entry.price is not None else entry.stop_price
            assert price is not None
            return price
        here = self.connection
        answer = await here.line.ask(here.line.calls.pricing([venue_symbol_of(entry.symbol)]))
        tick = read(self.name, lambda: tick_of(answer["prices"][0]))
        if tick is None:
            raise VenueDown(self.name, f"{entry.symbol} has no price")
        price = tick.ask if entry.side is OrderSide.BUY else tick.bid
        assert isinstance(price, Decimal)
        return price

    async def trail(self, entry_id: str, client_order_id: str, distance: Decimal) -> OrderReport:
        """Have a stop follow the price of what an entry has opened, ``distance`` quote currency behind it.

        ``client_order_id`` names the stop. Raises OrderNotFound when the entry has opened nothing that is known.
        """
        known = self.connection.ledger.orders.get(entry_id)
        if known is None or not known.trade_ids:
            raise OrderNotFound(self.name, f"{entry_id} has opened nothing that could be trailed")
        least = self._market(known.symbol).min_trailing
        if least is not None and distance < least:
            reason = f"a trailing stop must be at least {least} away"
            return self._word(client_order_id, known.symbol, OrderState.REJECTED, reason, "PrecisionRejected")
        body = trailing_body(client_order_id, known.trade_ids[-1], distance)
        report = await self.connection.desk.create(client_order_id, known.symbol, body)
        return replace(report, symbol=known.symbol)

    async def amend(
        self, client_order_id: str, symbol: str, *, price: Decimal | None = None, qty: Decimal | None = None
    ) -> OrderReport:
        """Replace a pending order by one with another price or quantity and the same client id."""
        here = self.connection
        answer = await here.line.ask(here.line.calls.order(client_order_id))
        body = read(self.name, lambda: _amended(answer["order"], price, qty))
        return await here.desk.replace(client_order_id, symbol, body)

    def _word(self, key: str, symbol: str, state: OrderState, reason: str = "", code: str = "") -> OrderReport:
        return OrderReport(
            client_order_id=key, symbol=symbol, state=state, reason=reason, code=code, at=self._tools.now()
        )

    def _market(self, symbol: str) -> Market:
        found = self.connection.markets.get(symbol)
        if found is None:
            raise VenueError(self.name, f"the account has no market {symbol}")
        return found

    # --- what is known -------------------------------------------------------------------------------------------------

    def is_open(self, symbol: str, at: int) -> bool:  # noqa: ARG002 - all of them keep the FX week
        """Whether FX trades at an instant."""
        return is_open(at)

    async def market_facts(self, symbol: str) -> MarketFacts:
        """Return leverage, least distance of a trailing stop, and hours of a market."""
        market = self._market(symbol)
        leverage = None if not market.margin_rate else Decimal(1) / market.margin_rate
        return MarketFacts(leverage, market.min_trailing, SESSION)

    async def swap_rates(self, pair: str) -> SwapRates:
        """Return the financing of a pair, as the account's list of markets tells it."""
        await self.connection.refresh_markets()
        market = self._market(pair)
        if market.long_rate is None or market.short_rate is None:
            raise VenueError(self.name, f"the venue does not tell the financing of {pair}")
        return SwapRates(pair, market.long_rate, market.short_rate, self._tools.now())

    async def account_state(self) -> AccountState:
        """Return worth and margin; the margin that must be kept is the one that leads to a closeout."""
        said = await self.connection.account()
        found: AccountState = read(self.name, lambda: self._state(said))
        return found

    def _state(self, said: dict[str, Any]) -> AccountState:
        return AccountState(
            account=self._access.account,
            currency=str(said["currency"]),
            net_liquidation=decimal_of(said["NAV"]),
            cash=decimal_of(said["balance"]),
            available_funds=decimal_of(said["marginAvailable"]),
            maintenance_margin=decimal_of(said["marginCloseoutMarginUsed"]) / 2,
            at=self._tools.now(),
        )


def _amended(order: dict[str, Any], price: Decimal | None, qty: Decimal | None) -> dict[str, Any]:
    """Return a pending order with another price or quantity; the venue hands its client id on by itself."""
    kept = ("type", "instrument", "units", "price", "timeInForce", "positionFill", "triggerCondition")
    body = {name: order[name] for name in kept if name in order}
    body |= {name: order[name] for name in ("stopLossOnFill", "takeProfitOnFill") if name in order}
    if body.get("positionFill", "").startswith("POSITION_"):
        body["positionFill"] = body["positionFill"].removeprefix("POSITION_")
    if price is not None:
        body["price"] = text_of(price)
    if qty is not None:
        body["units"] = text_of(qty if decimal_of(order["units"]) > 0 else -qty)
    return body

"""Decide the fills of one command: orders meet prices, on a copy of the account, until nothing more trades.

A ``Draft`` collects the events of one command. It sees the account as it will be after the events it already holds; an
order is touched by at most one fill of a draft, so orders need no copy.
"""

from __future__ import annotations

from decimal import Decimal

from protocol.messages import Event
from protocol.paper import (
    PaperOrderAccepted,
    PaperOrderArrived,
    PaperOrderCancelled,
    PaperOrderFilled,
    PaperOrderTriggered,
)
from protocol.values import MarketType, OrderSide, OrderType
from venues.paper.account import Account
from venues.paper.book import PaperOrder, SymbolBook
from venues.paper.checks import fee_reserve_rate
from venues.paper.config import PaperConfig
from venues.paper.numbers import ZERO, ceil_money, ceil_to, floor_money, floor_to, hashed, round_money
from venues.paper.prices import slipped, spread_around, touch, within_limit

__all__ = ["Draft"]


class Draft:
    """Events being decided for one symbol at one instant."""

    def __init__(self, config: PaperConfig, book: SymbolBook, account: Account, trades: int, at: int) -> None:
        self.events: list[Event] = []
        self._config = config
        self._book = book
        self._account = account.copy()
        self._trades = trades
        self._at = at

    # --- what meets what ------------------------------------------------------------------------------------------

    def segment(self, price_from: Decimal, price_to: Decimal) -> None:
        """Match resting orders along a monotone move, in the order in which the price reaches them.

        A limit order fills at its limit; a move of no length is a jump, and what it jumped over fills at the price
        jumped to. A stop meets its stop price, or the jump's.
        """
        low, high = min(price_from, price_to), max(price_from, price_to)
        jump = low == high
        reached = []
        for order in self._resting():
            price = order.trigger
            if order.waits_below and price >= low:
                reached.append((max(price_from - price, ZERO), -price, order.number, order))
            elif not order.waits_below and price <= high:
                reached.append((max(price - price_from, ZERO), price, order.number, order))
        for distance, _, _, order in sorted(reached, key=lambda row: row[:3]):
            beyond = jump or not distance
            if order.request.type is OrderType.STOP:
                met = price_from if beyond else order.trigger
                self._trigger(order, spread_around(self._config, self._book, met, order.request.side))
            elif jump:
                self._fill(order, within_limit(self._book, order, price_from), maker=True)
            else:
                self._fill(order, order.trigger, maker=True)

    def quote(self, bid: Decimal, ask: Decimal) -> None:
        """Match resting orders against a quote: buys meet the ask, sells the bid; limit orders fill at their limit."""
        reached = []
        for order in self._resting():
            buys = order.request.side is OrderSide.BUY
            met, price = (ask if buys else bid), order.trigger
            if order.waits_below and met <= price:
                reached.append((0, -price, order.number, order, met))
            elif not order.waits_below and met >= price:
                reached.append((1, price, order.number, order, met))
        for _, _, _, order, met in sorted(reached, key=lambda row: row[:3]):
            if order.request.type is OrderType.STOP:
                self._trigger(order, met)
            else:
                self._fill(order, order.trigger, maker=True)

    def due(self) -> None:
        """Let market orders that wait for liquidity go on, and orders on their way arrive, oldest first."""
        urgent = self._book.urgent()
        for order in urgent:
            if order.arrived:
                self._take(order)
        self.arrivals()

    def arrivals(self) -> None:
        """Let the orders arrive that were on their way until now, oldest first."""
        for order in self._book.urgent():
            if not order.arrived and order.active_at <= self._at:
                self.events.append(PaperOrderArrived(order.request.client_order_id, self._at))
                self.arrive(order)

    def arrive(self, order: PaperOrder) -> None:
        """Match an order that reaches the book now as a taker; what does not trade rests, or is cancelled (IOC)."""
        request = order.request
        met = touch(self._config, self._book, request.side)
        if met is None:
            return
        if request.type is OrderType.MARKET:
            self._take(order)
        elif request.type is OrderType.STOP:
            # bars trigger stops by their price, quotes by the side that a taker meets
            seen = met if self._book.bid is not None or self._book.last is None else self._book.last
            if seen >= order.trigger if request.side is OrderSide.BUY else seen <= order.trigger:
                self._trigger(order, met)
        else:
            marketable = met <= order.trigger if request.side is OrderSide.BUY else met >= order.trigger
            met = within_limit(self._book, order, met)
            rest = self._fill(order, met, maker=False) if marketable else order.rest
            if request.type is OrderType.IOC and rest:
                self.cancel(order, "immediate-or-cancel: not filled at once")

    def cancel(self, order: PaperOrder, reason: str) -> None:
        """Cancel what is left of an order."""
        self.events.append(PaperOrderCancelled(order.request.client_order_id, reason, self._at))

    def accept(self, event: PaperOrderAccepted, number: int) -> None:
        """Accept a new order and, unless it is on its way, match it at once."""
        self.events.append(event)
        self._account.lock(event.lock_currency, event.locked)
        order = PaperOrder.accepted(event, number)
        if order.arrived:
            self.arrive(order)

    # --- how much at which price ----------------------------------------------------------------------------------

    def _resting(self) -> list[PaperOrder]:
        return [order for order in self._book.orders.values() if order.arrived and not order.is_market]

    def _trigger(self, order: PaperOrder, met: Decimal) -> None:
        self.events.append(PaperOrderTriggered(order.request.client_order_id, self._at))
        self._take(order, met)

    def _take(self, order: PaperOrder, met: Decimal | None = None) -> None:
        """Fill a market order at ``met`` (default: the touch) plus slippage; cut to what a spot account can pay."""
        side = order.request.side
        met = touch(self._config, self._book, side) if met is None else met
        if met is None:
            return
        price = slipped(self._config, self._book, met, side)
        payable = self._payable(order, price)
        if payable:
            self._fill(order, price, maker=False, at_most=payable)
        if payable < order.rest:
            self.cancel(order, "InsufficientFunds: the price moved beyond what the account can pay")

    def _payable(self, order: PaperOrder, price: Decimal) -> Decimal:
        """Return how much of a market order's rest the account can pay for, in whole steps."""
        if order.market_type is MarketType.PERP or order.request.side is OrderSide.SELL:
            return order.rest
        step = self._book.instrument.rules.step_size
        rate = fee_reserve_rate(self._config, self._book.instrument)
        funds = self._account.free(order.quote) + order.locked

        def too_dear(qty: Decimal) -> bool:
            return qty * price + ceil_money(qty * price * rate) > funds

        if not too_dear(order.rest):
            return order.rest
        qty = floor_to(funds / (price * (1 + rate)), step)
        if too_dear(qty):
            qty -= step  # the fee's rounding asked for the last 1e-12
        return max(qty, ZERO)

    def _available(self, order: PaperOrder, wanted: Decimal) -> Decimal:
        """Return how much of ``wanted`` trades now: the seeded share, then the liquidity left at this price."""
        rules, config = self._book.instrument.rules, self._config
        qty = wanted
        if config.smallest_share < 1:
            draw = Decimal(hashed(config.seed, order.request.client_order_id, order.filled)) / 2**64
            share = config.smallest_share + (1 - config.smallest_share) * draw
            qty = min(ceil_to(wanted * share, rules.step_size), wanted)
            if wanted - qty < max(rules.min_qty, rules.step_size):
                qty = wanted
        if self._book.liquidity is not None:
            qty = min(qty, floor_to(self._book.liquidity, rules.step_size))
        return qty

    def _fill(self, order: PaperOrder, price: Decimal, *, maker: bool, at_most: Decimal | None = None) -> Decimal:
        """Trade what is available at ``price``; return what is left of the order, 0 when it was cancelled here."""
        wanted = order.rest if at_most is None else at_most
        reducing = order.request.reduce_only and order.market_type is MarketType.PERP
        if reducing:
            wanted = min(wanted, self._reducible(order))
        qty = self._available(order, wanted)
        if qty > 0:
            self._trade(order, qty, price, maker=maker)
        if reducing and not self._reducible(order) and qty < order.rest:
            self.cancel(order, "ReduceOnly: the position is closed")
            return ZERO
        return order.rest - qty

    def _reducible(self, order: PaperOrder) -> Decimal:
        held = self._account.position(order.request.symbol)
        return max(-held if order.request.side is OrderSide.BUY else held, ZERO)

    def _trade(self, order: PaperOrder, qty: Decimal, price: Decimal, *, maker: bool) -> None:
        fee, fee_currency = self._fee(order, qty, price, maker=maker)
        self._trades += 1
        event = PaperOrderFilled(
            client_order_id=order.request.client_order_id,
            trade_id=f"t{self._trades}",
            symbol=order.request.symbol,
            side=order.request.side,
            qty=qty,
            price=price,
            fee=fee,
            fee_currency=fee_currency,
            maker=maker,
            still_locked=self._still_locked(order, qty, price, fee if fee_currency == order.lock_currency else ZERO),
            at=self._at,
        )
        self._account.lock(order.lock_currency, event.still_locked - order.locked)
        self._account.fill(order.base, order.quote, order.market_type, event)
        if self._book.liquidity is not None:
            self._book.liquidity -= qty
        self.events.append(event)

    def _fee(self, order: PaperOrder, qty: Decimal, price: Decimal, *, maker: bool) -> tuple[Decimal, str]:
        """Return the fee, half-even to 12 places; a spot buy's never exceeds what its lock still covers."""
        instrument = self._book.instrument
        rate = instrument.maker_fee if maker else instrument.taker_fee
        spot_buy = order.market_type is MarketType.SPOT and order.request.side is OrderSide.BUY
        if spot_buy and self._config.fee_in_base:
            return round_money(qty * rate), order.base
        fee = round_money(qty * price * rate)
        if spot_buy and not order.is_market and order.request.price is not None:
            # rounding half up many times could ask 1e-12 more than was set aside for the fees
            rest_cost = (order.rest - qty) * order.request.price
            fee = min(fee, max(floor_money(order.locked - qty * price - rest_cost), ZERO))
        return fee, order.quote

    @staticmethod
    def _still_locked(order: PaperOrder, qty: Decimal, price: Decimal, fee: Decimal) -> Decimal:
        """Return what stays set aside: the same share of the lock as of the quantity, and no more than is left of it."""
        rest = order.rest - qty
        if not rest or not order.locked:
            return ZERO
        share = ceil_money(order.locked * rest / order.rest)
        if order.market_type is MarketType.PERP:
            return min(share, order.locked)
        if order.request.side is OrderSide.SELL:
            return order.locked - qty
        return max(min(share, order.locked - qty * price - fee), ZERO)

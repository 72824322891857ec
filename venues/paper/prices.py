"""What a taker pays: the touch, the spread around a bar's price, and slippage; all rounded to a tick against the taker."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache

from protocol.values import OrderSide
from venues.paper.book import PaperOrder, SymbolBook
from venues.paper.config import PaperConfig
from venues.paper.numbers import EXACT, ceil_to, floor_to

__all__ = ["beyond_spread", "quoted_around", "slipped", "spread_around", "touch", "within_limit"]

_BPS = Decimal(10_000)
_ONE = Decimal(1)


def _worse(price: Decimal, side: OrderSide, bps: Decimal, tick: Decimal) -> Decimal:
    """Move a price against the taker by ``bps`` and on to a tick; a sell never falls below one tick."""
    up, down = _factors(bps)
    if side is OrderSide.BUY:
        return ceil_to(price * up, tick)
    return max(floor_to(price * down, tick), tick)


@lru_cache(maxsize=64)
def _factors(bps: Decimal) -> tuple[Decimal, Decimal]:
    """Return what a price is multiplied with on its way up and down. Computed exactly, whatever the caller's context."""
    part = EXACT.divide(bps, _BPS)
    return EXACT.add(_ONE, part), EXACT.subtract(_ONE, part)


def spread_around(config: PaperConfig, book: SymbolBook, price: Decimal, side: OrderSide) -> Decimal:
    """Return the side of the book that a taker meets when trades happen at ``price``."""
    return _worse(price, side, config.half_spread_bps, book.instrument.rules.tick_size)


def quoted_around(config: PaperConfig, book: SymbolBook, price: Decimal) -> tuple[Decimal, Decimal]:
    """Return both sides of the book, bid and ask, while trades happen at ``price``: ``spread_around``, at half its price."""
    up, down = _factors(config.half_spread_bps)
    tick = book.instrument.rules.tick_size
    bid = (price * down / tick).to_integral_value(ROUND_FLOOR) * tick
    return max(bid, tick), (price * up / tick).to_integral_value(ROUND_CEILING) * tick


def beyond_spread(config: PaperConfig, book: SymbolBook, low: Decimal, high: Decimal) -> tuple[Decimal, Decimal]:
    """Return prices that no side of the book leaves while trades happen from ``low`` to ``high``."""
    up, down = _factors(config.half_spread_bps)
    tick = book.instrument.rules.tick_size
    return low * down - tick, high * up + tick


def touch(config: PaperConfig, book: SymbolBook, side: OrderSide) -> Decimal | None:
    """Return the price a taker meets now (ask for buys, bid for sells), None before the first price."""
    quoted = book.ask if side is OrderSide.BUY else book.bid
    if quoted is not None:
        return quoted
    return None if book.last is None else spread_around(config, book, book.last, side)


def slipped(config: PaperConfig, book: SymbolBook, price: Decimal, side: OrderSide) -> Decimal:
    """Return what a market order gets that meets ``price``."""
    return _worse(price, side, config.slippage_bps, book.instrument.rules.tick_size)


def within_limit(book: SymbolBook, order: PaperOrder, price: Decimal) -> Decimal:
    """Return what a limit order pays when the market is at ``price``: that, on a tick, but nothing beyond its limit.

    Recorded prices and mid prices need not be on a tick; trades are.
    """
    tick = book.instrument.rules.tick_size
    if order.request.side is OrderSide.BUY:
        return min(ceil_to(price, tick), order.trigger)
    return max(floor_to(price, tick), order.trigger)

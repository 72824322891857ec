"""Why the paper exchange refuses an order, and what an accepted one locks."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from protocol.instruments import Instrument
from protocol.orders import OrderRequest
from protocol.values import MarketType, OrderSide, OrderType
from venues.paper.account import Account
from venues.paper.book import SymbolBook
from venues.paper.config import PaperConfig
from venues.paper.numbers import ZERO, ceil_money
from venues.paper.prices import slipped, touch

__all__ = ["Lock", "Refusal", "fee_reserve_rate", "lock_for", "refusal"]


class Refusal(NamedTuple):
    """The rule an order broke, and a sentence."""

    code: str
    reason: str


class Lock(NamedTuple):
    """What an order sets aside."""

    currency: str
    amount: Decimal


def fee_reserve_rate(config: PaperConfig, instrument: Instrument) -> Decimal:
    """Return the largest fee rate that can be taken from the quote currency of a buy; never below zero."""
    if config.fee_in_base and instrument.market_type is MarketType.SPOT:
        return ZERO
    return max(instrument.maker_fee, instrument.taker_fee, ZERO)


def _expected_price(config: PaperConfig, book: SymbolBook, request: OrderRequest) -> Decimal | None:
    if request.type is OrderType.MARKET:
        met = touch(config, book, request.side)
        return None if met is None else slipped(config, book, met, request.side)
    if request.type is OrderType.STOP:
        return request.stop_price
    return request.price


def lock_for(config: PaperConfig, book: SymbolBook, account: Account, request: OrderRequest) -> Lock:
    """Return what the order sets aside; call only when ``refusal`` found an expected price.

    Spot: the base of a sell; the quote of a buy with the larger of both fees. Perpetual: margin and fee of the part
    that opens or extends a position; nothing for reduce-only, so that an exit is never refused for lack of money.
    """
    instrument = book.instrument
    price = _expected_price(config, book, request)
    assert price is not None
    rate = fee_reserve_rate(config, instrument)
    if instrument.market_type is MarketType.PERP:
        opening = ZERO if request.reduce_only else request.qty - _closable(account, request)
        notional = max(opening, ZERO) * price
        return Lock(instrument.quote, ceil_money(notional / account.leverage) + ceil_money(notional * rate))
    if request.side is OrderSide.SELL:
        return Lock(instrument.base, request.qty)
    notional = request.qty * price
    return Lock(instrument.quote, notional + ceil_money(notional * rate))


def _closable(account: Account, request: OrderRequest) -> Decimal:
    """Return how much of the order's symbol it could close, in base units."""
    held = account.position(request.symbol)
    against = held < 0 if request.side is OrderSide.BUY else held > 0
    return abs(held) if against else ZERO


def refusal(config: PaperConfig, book: SymbolBook | None, account: Account, request: OrderRequest) -> Refusal | None:
    """Return why the order is refused, None when it is accepted; the first broken rule in the order below."""
    if book is None:
        return Refusal("UnknownSymbol", f"{request.symbol} is not traded here")
    price = _expected_price(config, book, request)
    takes_now = request.type in (OrderType.MARKET, OrderType.IOC)
    if price is None or (takes_now and book.last is None):
        return Refusal("NoMarketPrice", f"{request.symbol} has no price yet")
    return (
        _format(book.instrument, request)
        or _reduce_only(book.instrument, account, request)
        or _size(book.instrument, request, price)
        or _funds(config, book, account, request)
    )


def _format(instrument: Instrument, request: OrderRequest) -> Refusal | None:
    rules = instrument.rules
    if request.type is OrderType.STOP and request.price is not None:
        return Refusal("Unsupported", "a stop order becomes a market order and has no limit price")
    for name, price in (("price", request.price), ("stop price", request.stop_price)):
        if price is not None and price % rules.tick_size:
            return Refusal("TickSize", f"{name} {price} is not a multiple of the tick {rules.tick_size}")
    if request.qty % rules.step_size:
        return Refusal("StepSize", f"quantity {request.qty} is not a multiple of the step {rules.step_size}")
    return None


def _reduce_only(instrument: Instrument, account: Account, request: OrderRequest) -> Refusal | None:
    if not request.reduce_only:
        return None
    if instrument.market_type is MarketType.SPOT:
        buys = request.side is OrderSide.BUY
        return Refusal("ReduceOnly", "a spot buy cannot reduce a position") if buys else None
    if not _closable(account, request):
        return Refusal("ReduceOnly", "there is no position that this order would reduce")
    return None


def _size(instrument: Instrument, request: OrderRequest, price: Decimal) -> Refusal | None:
    rules = instrument.rules
    if request.qty < rules.min_qty:
        return Refusal("MinQty", f"quantity {request.qty} is below the minimum {rules.min_qty}")
    exempt = request.reduce_only and instrument.market_type is MarketType.PERP
    if not exempt and request.qty * price < rules.min_notional:
        return Refusal("MinNotional", f"notional {request.qty * price} is below the minimum {rules.min_notional}")
    return None


def _funds(config: PaperConfig, book: SymbolBook, account: Account, request: OrderRequest) -> Refusal | None:
    lock = lock_for(config, book, account, request)
    free = account.free(lock.currency)
    if lock.amount > 0 and lock.amount > free:
        return Refusal("InsufficientFunds", f"{lock.amount} {lock.currency} needed, {free} free")
    return None

"""Small builders for paper exchange tests."""

from __future__ import annotations

from decimal import Decimal

from protocol.instruments import Instrument, PrecisionRules
from protocol.market import Bar, PriceTick
from protocol.orders import Balance, OrderRequest
from protocol.values import MarketType, OrderSide, OrderType
from venues.paper import PaperConfig, PaperEngine
from venues.paper.drive import applied

D = Decimal
SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
MINUTE = 60 * 10**9


def instrument(symbol=SPOT, *, maker="0.001", taker="0.002", min_notional="5", min_qty="0.001"):
    rules = PrecisionRules(D("0.01"), D("0.001"), D(min_qty), D(min_notional))
    return Instrument(
        venue="paper",
        symbol=symbol,
        venue_symbol=symbol.replace("/", ""),
        base="BTC",
        quote="USDT",
        market_type=MarketType.PERP if ":" in symbol else MarketType.SPOT,
        rules=rules,
        maker_fee=D(maker),
        taker_fee=D(taker),
    )


def engine(*instruments, usdt="10000", btc="0", opened=True, **settings):
    balances = (Balance("USDT", D(usdt)), Balance("BTC", D(btc)))
    made = PaperEngine(PaperConfig(balances=balances, **settings), instruments or (instrument(), instrument(PERP)))
    if opened:
        applied(made, made.open_account(0))
    return made


def order(client_id, side, type_, qty, price=None, *, stop=None, symbol=SPOT, reduce_only=False):
    return OrderRequest(
        client_order_id=client_id,
        symbol=symbol,
        side=OrderSide(side),
        type=OrderType(type_),
        qty=D(qty),
        price=None if price is None else D(price),
        stop_price=None if stop is None else D(stop),
        reduce_only=reduce_only,
    )


def bar(open_, high, low, close, *, at=MINUTE, symbol=SPOT, volume="100"):
    return Bar(symbol, at, 60, D(open_), D(high), D(low), D(close), D(volume))


def tick(bid, ask, *, at=MINUTE, symbol=SPOT):
    return PriceTick(symbol, at, D(bid), D(ask), D(bid))


def place(made, request, at=0):
    return applied(made, made.place(request, at))


def free(made, currency):
    return next((b.free for b in made.balances() if b.currency == currency), D(0))

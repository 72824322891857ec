"""The shapes of OKX v5: what its REST answers and streams say of the hall's orders, fills, quotes and balances.

Field names and the spelling of values follow recorded payloads. Sizes of perpetuals are contracts, fees are negative.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from protocol.instruments import Instrument, PrecisionRules
from protocol.market import PriceTick
from protocol.orders import FillReport, OrderState, Position
from protocol.values import MarketType, OrderType
from tests.servers.venues.hall import Hall, Order
from tests.servers.venues.words import ANONYMOUS, ms, plain

__all__ = ["AGAIN", "ANONYMOUS", "balances", "candle", "client_id", "fill_row", "instrument_row", "ms", "okx_markets",
           "order_row", "plain", "position_row", "refused", "size", "ticker", "type_of"]  # fmt: skip

AGAIN: Final = "/again/"
"""What stands between a client id and a number in the hall's id of an order that used the id of a final one anew."""

_REFUSED: Final = {
    "TickSize": ("51000", "Parameter px error"),
    "StepSize": ("51121", "Order quantity must be a multiple of the lot size."),
    "MinQty": ("51020", "Your order should meet or exceed the minimum order amount."),
    "InsufficientFunds": ("51008", "Order failed. Insufficient USDT balance in account"),
    "UnknownSymbol": ("51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist."),
    "NoMarketPrice": ("51006", "Order price is not within the price limit"),
    "MarketHalted": ("51022", "Contract suspended"),
    "ReduceOnly": ("51169", "Order failed because you don't have any positions in this direction to reduce or close."),
    "Duplicate": ("51016", "Client order ID already exists."),
    "NotCancelled": (
        "51400",
        "Order cancellation failed as the order has been filled, canceled or does not exist.",
    ),
    "Late": ("51149", "Order timed out. Please try again."),
    "PosSide": ("51000", "Parameter posSide error"),
}


def okx_markets(*bases: str) -> tuple[Instrument, ...]:
    """Return a spot market and a USDT perpetual (0.01 base units a contract) of each base, with rules as OKX's."""
    found = []
    for base in bases or ("BTC", "ETH", "SYNC"):
        for kind, symbol, name, step, least, contract, maker, taker in (
            (MarketType.SPOT, "{}/USDT", "{}-USDT", "0.00000001", "0.00001", "1", "0.0008", "0.001"),
            (MarketType.PERP, "{}/USDT:USDT", "{}-USDT-SWAP", "0.0001", "0.0001", "0.01", "0.0002", "0.0005"),
        ):
            found.append(
                Instrument(
                    venue="okx",
                    symbol=symbol.format(base),
                    venue_symbol=name.format(base),
                    base=base,
                    quote="USDT",
                    market_type=kind,
                    rules=PrecisionRules(Decimal("0.1"), Decimal(step), Decimal(least), Decimal(0)),
                    contract_size=Decimal(contract),
                    maker_fee=Decimal(maker),
                    taker_fee=Decimal(taker),
                )
            )
    return tuple(found)


def type_of(symbol: str) -> str:
    """Return ``SPOT`` or ``SWAP``."""
    return "SWAP" if ":" in symbol else "SPOT"


def size(market: Instrument, qty: Decimal) -> str:
    """Return base units as the venue counts them."""
    return plain(qty / market.contract_size)


def client_id(key: str) -> str:
    """Return what the client called an order, from the hall's id."""
    return "" if key.startswith(ANONYMOUS) else key.partition(AGAIN)[0]


def refused(code: str) -> tuple[str, str]:
    """Return how OKX says that an order is refused."""
    return _REFUSED.get(code, ("51000", f"Parameter {code} error"))


_STATES: Final = {
    OrderState.OPEN: "live",
    OrderState.PARTIALLY_FILLED: "partially_filled",
    OrderState.FILLED: "filled",
    OrderState.CANCELLED: "canceled",
}
_KINDS: Final = {OrderType.MARKET: "market", OrderType.LIMIT: "limit", OrderType.IOC: "ioc"}


def order_row(hall: Hall, order: Order, fill: FillReport | None = None) -> dict[str, Any]:
    """Return an order as lists and streams show it; ``fill`` is what it tells of, none when it tells of no trade."""
    request, market = order.request, hall.instruments()[order.request.symbol]
    kind = type_of(request.symbol)
    row = {
        "accFillSz": size(market, order.filled), "algoClOrdId": "", "algoId": "", "attachAlgoClOrdId": "",
        "attachAlgoOrds": [], "avgPx": plain(order.average) if order.filled else "", "cTime": ms(order.created_at),
        "cancelSource": "1" if order.state is OrderState.CANCELLED else "", "cancelSourceReason": "",
        "category": "normal", "ccy": "", "clOrdId": client_id(request.client_order_id),
        "fee": plain(-sum((each.fee for each in order.fills), Decimal(0))),
        "feeCcy": order.fills[0].fee_currency if order.fills else market.quote,
        "fillPx": "", "fillSz": "0", "fillTime": "", "tradeId": "", "instId": market.venue_symbol, "instType": kind,
        "isTpLimit": "false", "lever": "" if kind == "SPOT" else "3.0", "linkedAlgoOrd": {"algoId": ""},
        "ordId": str(order.number), "ordType": _KINDS[request.type], "pnl": "0",
        "posSide": "" if kind == "SPOT" else "net", "px": plain(request.price) if request.price is not None else "",
        "pxType": "", "pxUsd": "", "pxVol": "", "quickMgnType": "", "rebate": "0", "rebateCcy": market.quote,
        "reduceOnly": "true" if request.reduce_only else "false", "side": request.side.value, "slOrdPx": "",
        "slTriggerPx": "", "slTriggerPxType": "", "source": "", "state": _STATES[order.state], "stpId": "",
        "stpMode": "cancel_maker", "sz": size(market, request.qty), "tag": "",
        "tdMode": "cash" if kind == "SPOT" else "cross", "tgtCcy": "base_ccy" if kind == "SPOT" else "",
        "tpOrdPx": "", "tpTriggerPx": "", "tpTriggerPxType": "", "uTime": ms(order.updated_at),
    }  # fmt: skip
    if fill is None:
        return row
    return row | {
        "fillPx": plain(fill.price), "fillSz": size(market, fill.qty), "fillTime": ms(fill.at),
        "tradeId": str(hall.trade_number(fill)), "fillFee": plain(-fill.fee), "fillFeeCcy": fill.fee_currency,
        "execType": "M" if fill.maker else "T", "fillPnl": "0", "fillNotionalUsd": plain(fill.qty * fill.price),
        "amendResult": "", "code": "0", "msg": "", "reqId": "",
    }  # fmt: skip


def fill_row(hall: Hall, fill: FillReport) -> dict[str, Any]:
    """Return a fill as ``trade/fills`` lists it."""
    market = hall.instruments()[fill.symbol]
    number = hall.trade_number(fill)
    return {
        "instType": type_of(fill.symbol), "instId": market.venue_symbol, "tradeId": str(number),
        "ordId": str(hall.number_of(fill)), "clOrdId": client_id(fill.client_order_id), "billId": str(number * 10),
        "subType": "1", "tag": "", "fillPx": plain(fill.price), "fillSz": size(market, fill.qty), "fillIdxPx": "",
        "fillPnl": "0", "fillPxVol": "", "fillPxUsd": "", "fillMarkVol": "", "fillFwdPx": "", "fillMarkPx": "",
        "side": fill.side.value, "posSide": "net", "execType": "M" if fill.maker else "T",
        "feeCcy": fill.fee_currency, "fee": plain(-fill.fee), "ts": ms(fill.at), "fillTime": ms(fill.at),
        "feeRate": "-0.001",
    }  # fmt: skip


def position_row(hall: Hall, position: Position) -> dict[str, Any]:
    """Return an open position in net mode: ``pos`` is signed and counts contracts."""
    market, entry = hall.instruments()[position.symbol], hall.entry_price(position.symbol)
    quote, now = hall.quote(position.symbol), ms(hall.now())
    mark = plain(quote.last if quote else entry)
    return {
        "instId": market.venue_symbol, "instType": "SWAP", "mgnMode": "cross", "posId": "12345", "posSide": "net",
        "pos": size(market, position.qty), "availPos": size(market, position.qty), "posCcy": "", "ccy": "USDT",
        "avgPx": plain(entry), "bePx": plain(entry), "last": mark, "markPx": mark, "idxPx": mark, "liqPx": "",
        "lever": "3", "imr": "0", "mmr": "0", "margin": "", "mgnRatio": "", "upl": "0", "uplRatio": "0", "adl": "1",
        "notionalUsd": plain(abs(position.qty) * entry), "interest": "0", "tradeId": "1", "realizedPnl": "0",
        "pnl": "0", "fee": "0", "fundingFee": "0", "liqPenalty": "0", "optVal": "", "uTime": now, "cTime": now,
    }  # fmt: skip


def balances(hall: Hall, level: str) -> dict[str, Any]:
    """Return the trading account; ``availEq`` is told only above the simple (spot) account level ``1``."""
    now = ms(hall.now())
    details = []
    for each in hall.balances():
        whole, free, locked = plain(each.free + each.locked), plain(each.free), plain(each.locked)
        details.append(
            {
                "ccy": each.currency, "eq": whole, "cashBal": whole, "availBal": free,
                "availEq": "" if level == "1" else free, "frozenBal": locked, "ordFrozen": locked, "uTime": now,
                "disEq": "0", "eqUsd": whole, "fixedBal": "0", "imr": "", "isoEq": "0", "isoLiab": "", "isoUpl": "0",
                "liab": "", "interest": "", "mgnRatio": "", "mmr": "", "notionalLever": "", "upl": "0", "uplLiab": "",
                "spotInUseAmt": "", "stgyEq": "0", "twap": "0", "maxLoan": "", "rewardBal": "0",
            }
        )  # fmt: skip
    return {
        "adjEq": "", "borrowFroz": "", "details": details, "imr": "", "isoEq": "0", "mgnRatio": "", "mmr": "",
        "notionalUsd": "", "ordFroz": "", "totalEq": "0", "uTime": now, "upl": "",
    }  # fmt: skip


def instrument_row(market: Instrument) -> dict[str, Any]:
    """Return a market as ``public/instruments`` lists it."""
    rules, swap = market.rules, market.market_type is MarketType.PERP
    pair = f"{market.base}-{market.quote}"
    return {
        "alias": "", "baseCcy": "" if swap else market.base, "category": "1", "ctMult": "1" if swap else "",
        "ctType": "linear" if swap else "", "ctVal": plain(market.contract_size) if swap else "",
        "ctValCcy": market.base if swap else "", "expTime": "", "instFamily": pair if swap else "",
        "instId": market.venue_symbol, "instType": type_of(market.symbol), "lever": "100" if swap else "10",
        "listTime": "1548133413000", "lotSz": size(market, rules.step_size), "minSz": size(market, rules.min_qty),
        "maxLmtSz": "100000000", "maxMktSz": "12000", "maxLmtAmt": "20000000", "maxMktAmt": "1000000", "optType": "",
        "quoteCcy": "" if swap else market.quote, "ruleType": "normal", "settleCcy": market.quote if swap else "",
        "state": "live", "stk": "", "tickSz": plain(rules.tick_size), "uly": pair if swap else "",
    }  # fmt: skip


def ticker(market: Instrument, tick: PriceTick) -> dict[str, Any]:
    """Return a quote."""
    last = plain(tick.last)
    return {
        "instType": type_of(market.symbol), "instId": market.venue_symbol, "last": last, "lastSz": "0.1",
        "askPx": plain(tick.ask), "askSz": "11", "bidPx": plain(tick.bid), "bidSz": "5", "open24h": last,
        "high24h": last, "low24h": last, "volCcy24h": "2222", "vol24h": "2222", "sodUtc0": last, "sodUtc8": last,
        "ts": ms(tick.at),
    }  # fmt: skip


def candle(bar: Any, now: int) -> list[str]:
    """Return a candle; the last field says whether it is finished."""
    done = bar.at + bar.duration_s * 1_000_000_000 <= now
    prices = [plain(each) for each in (bar.open, bar.high, bar.low, bar.close)]
    volume = plain(bar.volume)
    return [ms(bar.at), *prices, volume, volume, volume, "1" if done else "0"]

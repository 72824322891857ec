"""The payloads of Binance's trading interfaces, spot and USD-margined futures, from what the hall knows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from protocol.instruments import Instrument
from protocol.orders import FillReport, OrderState
from protocol.values import OrderSide, OrderType
from tests.servers.venues.hall import Hall, Order

__all__ = ["REFUSALS", "account", "event", "exchange_info", "fills", "futures_account", "order", "positions", "trade"]

MS: Final = 1_000_000

REFUSALS: Final = {
    "TickSize": (-1013, "Filter failure: PRICE_FILTER", -4014, "Price not increased by tick size."),
    "StepSize": (-1013, "Filter failure: LOT_SIZE", -1111, "Precision is over the maximum defined for this asset."),
    "MinQty": (-1013, "Filter failure: LOT_SIZE", -4003, "Quantity less than or equal to zero."),
    "MinNotional": (-1013, "Filter failure: NOTIONAL", -4164, "Order's notional must be no smaller than 5."),
    "InsufficientFunds": (-2010, "Account has insufficient balance for requested action.", -2019,
                          "Margin is insufficient."),
    "ReduceOnly": (-2010, "This action is disabled on this account.", -2022, "ReduceOnly Order is rejected."),
    "MarketHalted": (-1013, "Market is closed.", -4087, "ReduceOnly order permit."),
}  # fmt: skip
"""The hall's code -> code and text on spot, code and text on futures."""

_TYPES: Final = {
    OrderType.LIMIT: "LIMIT",
    OrderType.IOC: "LIMIT",
    OrderType.MARKET: "MARKET",
    OrderType.STOP: "STOP_LOSS",
}


def text(value: Decimal, places: int = 8) -> str:
    """Return a number as Binance writes it."""
    return f"{value:.{places}f}"


def status(each: Order) -> str:
    """Return Binance's word for an order's state: the rest of an immediate order expires."""
    if each.state is OrderState.CANCELLED and each.request.type in (OrderType.IOC, OrderType.MARKET):
        return "EXPIRED"
    return {
        OrderState.OPEN: "NEW",
        OrderState.PARTIALLY_FILLED: "PARTIALLY_FILLED",
        OrderState.FILLED: "FILLED",
        OrderState.CANCELLED: "CANCELED",
    }.get(each.state, "REJECTED")


def _common(each: Order, name: str) -> dict[str, Any]:
    ask = each.request
    return {
        "symbol": name, "orderId": each.number, "clientOrderId": ask.client_order_id,
        "price": text(ask.price or Decimal(0)), "origQty": text(ask.qty), "executedQty": text(each.filled),
        "status": status(each), "timeInForce": "IOC" if ask.type is OrderType.IOC else "GTC",
        "type": _TYPES[ask.type], "side": ask.side.value.upper(), "stopPrice": text(ask.stop_price or Decimal(0)),
    }  # fmt: skip


def order(each: Order, name: str, *, perp: bool) -> dict[str, Any]:
    """Return an order as questions are answered."""
    if perp:
        kind = "STOP_MARKET" if each.request.type is OrderType.STOP else _TYPES[each.request.type]
        return _common(each, name) | {
            "avgPrice": text(each.average), "cumQuote": text(each.cost), "reduceOnly": each.request.reduce_only,
            "positionSide": "BOTH", "closePosition": False, "workingType": "CONTRACT_PRICE", "priceProtect": False,
            "type": kind, "origType": kind, "time": each.created_at // MS, "updateTime": each.updated_at // MS,
        }  # fmt: skip
    return _common(each, name) | {
        "orderListId": -1, "cummulativeQuoteQty": text(each.cost), "icebergQty": "0.00000000",
        "time": each.created_at // MS, "updateTime": each.updated_at // MS, "isWorking": True,
        "workingTime": each.created_at // MS, "origQuoteOrderQty": "0.00000000", "selfTradePreventionMode": "EXPIRE_MAKER",
    }  # fmt: skip


def fills(hall: Hall, each: Order) -> dict[str, Any]:
    """Return what a FULL answer to a new spot order adds."""
    return {
        "transactTime": each.updated_at // MS,
        "fills": [
            {"price": text(fill.price), "qty": text(fill.qty), "commission": text(fill.fee),
             "commissionAsset": fill.fee_currency, "tradeId": hall.trade_number(fill)}
            for fill in each.fills
        ],
    }  # fmt: skip


def trade(hall: Hall, fill: FillReport, name: str, *, perp: bool) -> dict[str, Any]:
    """Return a fill as history is told."""
    buyer = fill.side is OrderSide.BUY
    common = {
        "symbol": name, "id": hall.trade_number(fill), "orderId": hall.number_of(fill), "price": text(fill.price),
        "qty": text(fill.qty), "quoteQty": text(fill.qty * fill.price), "commission": text(fill.fee),
        "commissionAsset": fill.fee_currency, "time": fill.at // MS,
    }  # fmt: skip
    if perp:
        return common | {"buyer": buyer, "maker": fill.maker, "side": fill.side.value.upper(), "positionSide": "BOTH",
                         "realizedPnl": "0", "marginAsset": fill.fee_currency}  # fmt: skip
    return common | {"orderListId": -1, "isBuyer": buyer, "isMaker": fill.maker, "isBestMatch": True}


def account(hall: Hall) -> dict[str, Any]:
    """Return ``/api/v3/account``."""
    return {
        "makerCommission": 10, "takerCommission": 10, "canTrade": True, "canWithdraw": False, "canDeposit": True,
        "accountType": "SPOT", "updateTime": hall.now() // MS, "permissions": ["SPOT"], "uid": 354937868,
        "balances": [{"asset": each.currency, "free": text(each.free), "locked": text(each.locked)}
                     for each in hall.balances()],
    }  # fmt: skip


def futures_account(hall: Hall) -> dict[str, Any]:
    """Return ``/fapi/v3/account``."""
    assets = [
        {
            "asset": each.currency, "walletBalance": text(each.free + each.locked), "unrealizedProfit": "0.00000000",
            "marginBalance": text(each.free + each.locked), "maintMargin": "0.00000000",
            "initialMargin": text(each.locked), "positionInitialMargin": "0.00000000",
            "openOrderInitialMargin": text(each.locked), "crossWalletBalance": text(each.free + each.locked),
            "crossUnPnl": "0.00000000", "availableBalance": text(each.free), "maxWithdrawAmount": text(each.free),
            "updateTime": hall.now() // MS,
        }
        for each in hall.balances()
    ]  # fmt: skip
    total = sum((each.free + each.locked for each in hall.balances()), Decimal(0))
    return {"totalInitialMargin": "0.00000000", "totalMaintMargin": "0.00000000", "totalWalletBalance": text(total),
            "totalMarginBalance": text(total), "availableBalance": text(total), "assets": assets,
            "positions": []}  # fmt: skip


def positions(hall: Hall) -> list[dict[str, Any]]:
    """Return ``/fapi/v3/positionRisk``."""
    markets = hall.instruments()
    found = []
    for each in hall.positions():
        entry, quote = hall.entry_price(each.symbol), hall.quote(each.symbol)
        mark = quote.last if quote is not None else entry
        found.append({
            "symbol": markets[each.symbol].venue_symbol, "positionSide": "BOTH", "positionAmt": f"{each.qty:f}",
            "entryPrice": text(entry), "breakEvenPrice": text(entry), "markPrice": text(mark),
            "unRealizedProfit": text((mark - entry) * each.qty), "liquidationPrice": "0", "isolatedMargin": "0",
            "notional": text(each.qty * mark), "marginAsset": "USDT", "isolatedWallet": "0",
            "initialMargin": text(abs(each.qty) * mark), "maintMargin": text(abs(each.qty) * mark / 250),
            "positionInitialMargin": text(abs(each.qty) * mark), "openOrderInitialMargin": "0", "adl": 2,
            "bidNotional": "0", "askNotional": "0", "updateTime": hall.now() // MS,
        })  # fmt: skip
    return found


def event(hall: Hall, each: Order, name: str, fill: FillReport | None, *, perp: bool) -> dict[str, Any]:
    """Return ``executionReport`` (spot) or ``ORDER_TRADE_UPDATE`` (futures) of an order, after a fill or otherwise."""
    at = (fill.at if fill is not None else each.updated_at) // MS
    kind = "TRADE" if fill is not None else {"NEW": "NEW", "EXPIRED": "EXPIRED"}.get(status(each), "CANCELED")
    common = _common(each, name)
    body: dict[str, Any] = {
        "s": name, "c": each.request.client_order_id, "S": common["side"], "o": common["type"],
        "f": common["timeInForce"], "q": common["origQty"], "p": common["price"], "x": kind, "X": common["status"],
        "i": each.number, "l": text(fill.qty if fill else Decimal(0)), "z": common["executedQty"],
        "L": text(fill.price if fill else Decimal(0)), "n": text(fill.fee) if fill else "0",
        "N": fill.fee_currency if fill else None, "T": at,
        "t": hall.trade_number(fill) if fill else (0 if perp else -1), "m": bool(fill and fill.maker),
    }  # fmt: skip
    if perp:
        body |= {"ap": text(each.average), "sp": common["stopPrice"], "b": "0", "a": "0", "R": each.request.reduce_only,
                 "wt": "CONTRACT_PRICE", "ot": common["type"], "ps": "BOTH", "cp": False, "rp": "0", "pP": False,
                 "si": 0, "ss": 0, "V": "EXPIRE_MAKER", "pm": "NONE", "gtd": 0}  # fmt: skip
        if fill is None:
            del body["N"], body["n"]
        return {"e": "ORDER_TRADE_UPDATE", "T": at, "E": hall.now() // MS, "o": body}
    cancelled = kind == "CANCELED"
    body |= {"e": "executionReport", "E": hall.now() // MS, "P": common["stopPrice"], "F": "0.00000000", "g": -1,
             "C": body["c"] if cancelled else "", "r": "NONE", "I": 8641984, "w": kind == "NEW", "M": False,
             "O": each.created_at // MS, "Z": text(each.cost), "Y": text(fill.qty * fill.price if fill else Decimal(0)),
             "Q": "0.00000000", "W": each.created_at // MS, "V": "EXPIRE_MAKER"}  # fmt: skip
    if cancelled:
        body["c"] = f"cancel{each.number}"  # Binance names the cancel here, and the order in "C"
    return body


def exchange_info(markets: dict[str, Instrument], now_ms: int, *, perp: bool) -> dict[str, Any]:
    """Return ``exchangeInfo`` of some markets."""
    return {
        "timezone": "UTC", "serverTime": now_ms, "exchangeFilters": [],
        "rateLimits": [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1,
                        "limit": 2400 if perp else 6000}],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [_listing(each, perp=perp) for each in markets.values()],
    }  # fmt: skip


def _listing(each: Instrument, *, perp: bool) -> dict[str, Any]:
    rules = each.rules
    tick, step = text(rules.tick_size), text(rules.step_size)
    least, notional = text(rules.min_qty), text(rules.min_notional)
    filters: list[dict[str, Any]] = [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": least, "maxQty": "9000.00000000", "stepSize": step},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": "120.00000000", "stepSize": "0.00000000"},
    ]
    common = {"symbol": each.venue_symbol, "status": "TRADING", "baseAsset": each.base, "quoteAsset": each.quote}
    if perp:
        filters.append({"filterType": "MIN_NOTIONAL", "notional": notional})
        return common | {
            "pair": each.venue_symbol, "contractType": "PERPETUAL", "deliveryDate": 4133404800000,
            "onboardDate": 1569398400000, "maintMarginPercent": "2.5000", "requiredMarginPercent": "5.0000",
            "marginAsset": each.quote, "pricePrecision": 2, "quantityPrecision": 3, "baseAssetPrecision": 8,
            "quotePrecision": 8, "underlyingType": "COIN", "underlyingSubType": ["PoW"], "filters": filters,
            "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"],
            "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
        }  # fmt: skip
    filters.append({"filterType": "NOTIONAL", "minNotional": notional, "applyMinToMarket": True,
                    "maxNotional": "9000000.00000000", "applyMaxToMarket": False, "avgPriceMins": 5})  # fmt: skip
    return common | {
        "baseAssetPrecision": 8, "quotePrecision": 8, "quoteAssetPrecision": 8, "icebergAllowed": True,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT"], "ocoAllowed": True,
        "isSpotTradingAllowed": True, "isMarginTradingAllowed": True, "permissions": [], "filters": filters,
        "permissionSets": [["SPOT", "MARGIN"]], "cancelReplaceAllowed": True, "amendAllowed": True,
    }  # fmt: skip

"""The shapes of Bybit v5: what its REST answers and streams say of the hall's orders, fills, quotes and balances.

Field names and the spelling of values follow recorded payloads (orders, executions, positions, wallet, instruments).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from protocol.instruments import Instrument, PrecisionRules
from protocol.market import PriceTick
from protocol.orders import FillReport, OrderState, Position
from protocol.values import MarketType, OrderType
from tests.servers.venues.hall import Hall, Order
from tests.servers.venues.words import ANONYMOUS, MS, ms, plain

__all__ = [
    "ANONYMOUS",
    "SPOT_MARKETS",
    "bybit_markets",
    "category_of",
    "execution",
    "linear_row",
    "ms",
    "number_of",
    "order_id",
    "order_row",
    "plain",
    "position_row",
    "refused",
    "spot_row",
    "ticker",
    "wallet",
]  # fmt: skip

SPOT_MARKETS: Final = ("BTC", "ETH", "SYNC")

_REFUSED: Final = {
    "spot": {
        "TickSize": (170134, "Order price has too many decimals."),
        "StepSize": (170137, "Order quantity has too many decimals."),
        "MinQty": (170136, "Order quantity exceeded lower limit."),
        "MinNotional": (170140, "Order value exceeded lower limit."),
        "InsufficientFunds": (170131, "Insufficient balance."),
        "UnknownSymbol": (170121, "Invalid symbol."),
        "NoMarketPrice": (170149, "Create order failed."),
        "MarketHalted": (170151, "This trading pair is not available for trading"),
        "Duplicate": (170141, "Duplicate clientOrderId."),
        "NotFound": (170213, "Order does not exist."),
        "Cancelled": (170142, "Order has been canceled."),
        "Filled": (170139, "Order has been filled."),
    },
    "linear": {
        "TickSize": (10001, "params error: price invalid"),
        "StepSize": (10001, "Qty invalid"),
        "MinQty": (10001, "The number of contracts exceeds minimum limit allowed"),
        "MinNotional": (110094, "Order does not meet minimum order value 5USDT"),
        "InsufficientFunds": (110007, "ab not enough for new order"),
        "UnknownSymbol": (10001, "params error: symbol invalid NOSUCHUSDT"),
        "NoMarketPrice": (110003, "Order price exceeds the allowable range."),
        "MarketHalted": (110066, "Trading is currently not allowed"),
        "ReduceOnly": (110017, "current position is zero, cannot fix reduce-only order qty"),
        "Duplicate": (110072, "OrderLinkedID is duplicate"),
        "NotFound": (110001, "order not exists or too late to cancel"),
        "Cancelled": (110010, "The order has been cancelled"),
        "Filled": (110008, "The order has been completed or cancelled."),
    },
}


def bybit_markets(*bases: str) -> tuple[Instrument, ...]:
    """Return a spot market and a USDT perpetual of each base, with rules as Bybit's."""
    found = []
    for base in bases or SPOT_MARKETS:
        for kind, ending, tick, step, least, worth, maker, taker in (
            (MarketType.SPOT, "", "0.01", "0.000001", "0.000048", "5", "0.001", "0.001"),
            (MarketType.PERP, ":USDT", "0.1", "0.001", "0.001", "5", "0.0002", "0.00055"),
        ):
            rules = PrecisionRules(Decimal(tick), Decimal(step), Decimal(least), Decimal(worth))
            found.append(
                Instrument(
                    venue="bybit",
                    symbol=f"{base}/USDT{ending}",
                    venue_symbol=f"{base}USDT",
                    base=base,
                    quote="USDT",
                    market_type=kind,
                    rules=rules,
                    maker_fee=Decimal(maker),
                    taker_fee=Decimal(taker),
                )
            )
    return tuple(found)


def category_of(symbol: str) -> str:
    """Return ``spot`` or ``linear``."""
    return "linear" if ":" in symbol else "spot"


def venue_symbol(symbol: str) -> str:
    """Return Bybit's name of a market; both families use the same."""
    return symbol.partition(":")[0].replace("/", "")


def order_id(symbol: str, number: int) -> str:
    """Return the venue's own id: digits on spot, a UUID on perpetuals."""
    return str(number) if category_of(symbol) == "spot" else str(UUID(int=number))


def number_of(text: str) -> int:
    """Return the hall's number of a venue id, 0 for what cannot be one."""
    try:
        return UUID(text).int if "-" in text else int(text)
    except ValueError:
        return 0


def refused(category: str, code: str) -> tuple[int, str]:
    """Return how Bybit says that an order is refused."""
    table = _REFUSED[category]
    return table.get(code, (10001, f"params error: {code}"))


def _status(order: Order) -> str:
    match order.state:
        case OrderState.FILLED:
            return "Filled"
        case OrderState.CANCELLED:
            spot = category_of(order.request.symbol) == "spot"
            return "PartiallyFilledCanceled" if spot and order.filled else "Cancelled"
        case OrderState.PARTIALLY_FILLED:
            return "PartiallyFilled"
    return "Untriggered" if order.request.stop_price and not order.triggered else "New"


def order_row(order: Order) -> dict[str, Any]:
    """Return an order as lists and streams show it."""
    request = order.request
    spot = category_of(request.symbol) == "spot"
    limit = request.type in (OrderType.LIMIT, OrderType.IOC)
    key = "" if request.client_order_id.startswith(ANONYMOUS) else request.client_order_id
    row = {
        "symbol": venue_symbol(request.symbol),
        "orderId": order_id(request.symbol, order.number), "orderLinkId": key, "blockTradeId": "",
        "side": request.side.value.capitalize(), "positionIdx": 0, "orderStatus": _status(order),
        "cancelType": "CancelByUser" if order.state is OrderState.CANCELLED else "UNKNOWN",
        "rejectReason": "EC_NoError", "timeInForce": "GTC" if request.type is OrderType.LIMIT else "IOC",
        "isLeverage": "0" if spot else "", "price": plain(request.price) if request.price is not None else "0",
        "qty": plain(request.qty), "avgPrice": plain(order.average) if order.filled else "",
        "leavesQty": "0" if order.state.final else plain(order.rest), "leavesValue": "0",
        "cumExecQty": plain(order.filled), "cumExecValue": plain(order.cost),
        "cumExecFee": plain(sum((each.fee for each in order.fills), Decimal(0))),
        "orderType": "Limit" if limit else "Market", "stopOrderType": "Stop" if request.stop_price else "",
        "orderIv": "", "marketUnit": "baseCoin" if spot and not limit else "",
        "triggerPrice": plain(request.stop_price) if request.stop_price else "0", "takeProfit": "0", "stopLoss": "0",
        "tpTriggerBy": "", "slTriggerBy": "", "triggerDirection": 0, "triggerBy": "", "lastPriceOnCreated": "",
        "reduceOnly": request.reduce_only, "closeOnTrigger": False, "placeType": "", "smpType": "None", "smpGroup": 0,
        "smpOrderId": "", "tpLimitPrice": "0", "slLimitPrice": "0",
        "createdTime": ms(order.created_at), "updatedTime": ms(order.updated_at),
    }  # fmt: skip
    return row if spot else row | {"tpslMode": "UNKNOWN", "createType": "CreateByUser"}


def execution(hall: Hall, fill: FillReport) -> dict[str, Any]:
    """Return a fill as lists and streams show it."""
    order = hall.orders[fill.client_order_id]
    number = hall.trade_number(fill)
    spot = category_of(fill.symbol) == "spot"
    key = "" if fill.client_order_id.startswith(ANONYMOUS) else fill.client_order_id
    value = fill.qty * fill.price
    row = {
        "symbol": venue_symbol(fill.symbol),
        "orderId": order_id(fill.symbol, order.number), "orderLinkId": key, "side": fill.side.value.capitalize(),
        "orderPrice": plain(order.request.price or fill.price), "orderQty": plain(order.request.qty),
        "leavesQty": plain(order.rest), "stopOrderType": "" if spot else "UNKNOWN",
        "orderType": "Market" if order.request.type is OrderType.MARKET else "Limit",
        "execFee": plain(fill.fee), "execId": str(number) if spot else str(UUID(int=number)),
        "execPrice": plain(fill.price), "execQty": plain(fill.qty), "execType": "Trade", "execValue": plain(value),
        "execTime": ms(fill.at), "feeCurrency": fill.fee_currency, "isMaker": fill.maker, "feeRate": "0.001",
        "tradeIv": "", "markIv": "", "markPrice": "", "indexPrice": "", "underlyingPrice": "", "blockTradeId": "",
        "closedSize": "", "seq": number, "isLeverage": "0", "marketUnit": "",
    }  # fmt: skip
    return row if spot else row | {"createType": "CreateByUser"}


def position_row(hall: Hall, position: Position) -> dict[str, Any]:
    """Return an open perpetual position."""
    entry = hall.entry_price(position.symbol)
    quote = hall.quote(position.symbol)
    size = abs(position.qty)
    return {
        "symbol": venue_symbol(position.symbol), "positionIdx": 0, "riskId": 1,
        "riskLimitValue": "2000000", "side": "Buy" if position.qty > 0 else "Sell", "size": plain(size),
        "avgPrice": plain(entry), "entryPrice": plain(entry), "positionValue": plain(size * entry), "tradeMode": 0,
        "positionStatus": "Normal", "autoAddMargin": 0, "leverage": "10", "positionBalance": "0",
        "markPrice": plain(quote.last if quote else entry), "liqPrice": "", "bustPrice": "", "positionMM": "0",
        "positionIM": "0", "tpslMode": "Full", "takeProfit": "", "stopLoss": "", "trailingStop": "0",
        "unrealisedPnl": "0", "curRealisedPnl": "0", "cumRealisedPnl": "0", "seq": 1, "isReduceOnly": False,
        "createdTime": ms(hall.now()), "updatedTime": ms(hall.now()),
    }  # fmt: skip


def wallet(hall: Hall) -> dict[str, Any]:
    """Return the unified account: what spot orders lock is ``locked``, what perpetuals bind is initial margin."""
    perps = bool(hall.positions()) or any(":" in each.request.symbol for each in hall.open_orders())
    coins = [
        {
            "coin": each.currency, "equity": plain(each.free + each.locked), "usdValue": "",
            "walletBalance": plain(each.free + each.locked), "locked": "0" if perps else plain(each.locked),
            "totalOrderIM": "0", "totalPositionIM": plain(each.locked) if perps else "0", "totalPositionMM": "0",
            "availableToWithdraw": "", "availableToBorrow": "", "borrowAmount": "0", "accruedInterest": "0",
            "unrealisedPnl": "0", "cumRealisedPnl": "0", "bonus": "0", "spotBorrow": "0",
            "collateralSwitch": True, "marginCollateral": True,
        }
        for each in hall.balances()
    ]  # fmt: skip
    usdt = next((each for each in hall.balances() if each.currency == "USDT"), None)
    worth = plain(usdt.free + usdt.locked) if usdt else "0"
    return {
        "accountType": "UNIFIED", "totalEquity": worth, "totalWalletBalance": worth, "totalMarginBalance": worth,
        "totalAvailableBalance": plain(usdt.free) if usdt else "0", "accountIMRate": "0", "accountMMRate": "0",
        "accountLTV": "0", "totalPerpUPL": "0", "totalMaintenanceMargin": "0",
        "totalInitialMargin": plain(usdt.locked) if usdt else "0", "coin": coins,
    }  # fmt: skip


def spot_row(market: Instrument) -> dict[str, Any]:
    """Return a spot market as ``instruments-info`` lists it."""
    rules = market.rules
    return {
        "symbol": market.venue_symbol, "baseCoin": market.base, "quoteCoin": market.quote, "innovation": "0",
        "status": "Trading", "marginTrading": "utaOnly", "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": plain(rules.step_size), "quotePrecision": "0.0000001",
            "minOrderQty": plain(rules.min_qty), "maxOrderQty": "83", "minOrderAmt": plain(rules.min_notional),
            "maxOrderAmt": "8000000", "maxLimitOrderQty": "83", "maxMarketOrderQty": "41.5",
        },
        "priceFilter": {"tickSize": plain(rules.tick_size)},
        "riskParameters": {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"},
    }  # fmt: skip


def linear_row(market: Instrument) -> dict[str, Any]:
    """Return a USDT perpetual as ``instruments-info`` lists it."""
    rules = market.rules
    return {
        "symbol": market.venue_symbol, "contractType": "LinearPerpetual", "status": "Trading", "baseCoin": market.base,
        "quoteCoin": market.quote, "launchTime": "1585526400000", "deliveryTime": "0", "deliveryFeeRate": "",
        "priceScale": "2", "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": plain(rules.tick_size)},
        "lotSizeFilter": {
            "maxOrderQty": "1190.000", "minOrderQty": plain(rules.min_qty), "qtyStep": plain(rules.step_size),
            "postOnlyMaxOrderQty": "1190.000", "maxMktOrderQty": "500.000",
            "minNotionalValue": plain(rules.min_notional),
        },
        "unifiedMarginTrade": True, "fundingInterval": 480, "settleCoin": "USDT", "copyTrading": "both",
        "upperFundingRate": "0.005", "lowerFundingRate": "-0.005", "isPreListing": False,
    }  # fmt: skip


def ticker(market: Instrument, tick: PriceTick) -> dict[str, Any]:
    """Return a quote as the REST ticker shows it; the spot STREAM of tickers lacks bid and ask."""
    row = {
        "symbol": market.venue_symbol, "bid1Price": plain(tick.bid), "bid1Size": "1.5", "ask1Price": plain(tick.ask),
        "ask1Size": "1.5", "lastPrice": plain(tick.last), "prevPrice24h": plain(tick.last), "price24hPcnt": "0",
        "highPrice24h": plain(tick.last), "lowPrice24h": plain(tick.last), "turnover24h": "1000000", "volume24h": "100",
    }  # fmt: skip
    if market.market_type is MarketType.PERP:
        hour = 3_600_000
        due = (tick.at // MS // (8 * hour) + 1) * 8 * hour
        row |= {
            "markPrice": plain(tick.last), "indexPrice": plain(tick.last), "openInterest": "53417.6",
            "openInterestValue": plain(Decimal("53417.6") * tick.last), "fundingRate": "0.0001",
            "nextFundingTime": str(due), "fundingIntervalHour": "8",
        }  # fmt: skip
    return row


def rows(orders: Iterable[Order]) -> list[dict[str, Any]]:
    """Return orders, newest first."""
    return [order_row(each) for each in sorted(orders, key=lambda each: -each.number)]

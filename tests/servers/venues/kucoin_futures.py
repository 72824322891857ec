"""KuCoin's futures interface: contracts, orders in contracts, fills, positions, margin, candles."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from protocol.instruments import Instrument
from protocol.market import PriceTick
from protocol.orders import FillReport, OrderState
from protocol.values import MarketType, OrderType
from tests.servers.venues.hall import NS, Hall, Order
from tests.servers.venues.kucoin_wire import Desk, KucoinRefusal, Route, hexed, text
from tests.servers.venues.two_desks import marked_positions, money_in, quoted_market

__all__ = ["FuturesDesk"]

MAX_BARS: Final = 200
MAX_PAGE: Final = 1000


class FuturesDesk(Desk):
    """The futures side of the hall. ``margin_mode``: what the account is set to, orders must say the same."""

    DUPLICATE = KucoinRefusal("300018", "clientOid duplicated")
    MISSING = KucoinRefusal("100001", "error.getOrder.orderNotExist")
    REFUSED: Final = {
        "InsufficientFunds": ("300003", "Account available balance insufficient"),
        "TickSize": ("100001", "Invalid price, it must be a multiple of the tick size."),
        "StepSize": ("100001", "Quantity parameter must be a multiple of the lot size."),
        "MinQty": ("100001", "Quantity parameter cannot be less than the minimum."),
        "MinNotional": ("100001", "The order value is below the minimum."),
        "ReduceOnly": ("300009", "No open positions to close."),
        "NoMarketPrice": ("300012", "The contract has no price."),
    }

    def __init__(self, hall: Hall) -> None:
        super().__init__(hall)
        self.margin_mode = "ISOLATED"

    def markets(self) -> list[Instrument]:
        return [each for each in self.hall.instruments().values() if each.market_type is MarketType.PERP]

    def routes(self) -> Iterable[Route]:
        """Return what it answers."""
        return (
            ("GET", "/api/v1/contracts/active", self._contracts, False),
            ("GET", "/api/v1/allTickers", self._tickers, False),
            ("GET", "/api/v1/ticker", self._one_ticker, False),
            ("GET", "/api/v1/kline/query", self._candles, False),
            ("GET", "/api/v1/funding-rate/{symbol}/current", self._funding, False),
            ("GET", "/api/ua/v1/market/open-interest", self._interest, False),
            ("POST", "/api/v1/orders", self._place, True),
            ("GET", "/api/v1/orders", self._list, True),
            (
                "GET",
                "/api/v1/orders/byClientOid",
                lambda asked: self.order(self.by_client_id(asked["clientOid"])),
                True,
            ),
            ("GET", "/api/v1/orders/{orderId}", lambda asked: self.order(self.by_id(asked["orderId"])), True),
            ("DELETE", "/api/v1/orders/client-order/{clientOid}", self._cancel_by_client_id, True),
            ("DELETE", "/api/v1/orders/{orderId}", lambda asked: self._cancel(self.by_id(asked["orderId"])), True),
            ("GET", "/api/v1/fills", self._fills, True),
            ("GET", "/api/v1/positions", self._positions, True),
            ("GET", "/api/v1/account-overview", self._account, True),
            ("GET", "/api/v2/position/getMarginMode", self._mode, True),
        )

    def _mode(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"symbol": asked["symbol"], "marginMode": self.margin_mode}

    # --- the market ----------------------------------------------------------------------------------------------------

    def _contracts(self, _: dict[str, Any]) -> list[dict[str, Any]]:
        found = []
        for each in self.markets():
            tick = self.hall.quote(each.symbol)
            price = float(tick.last) if tick else None
            found.append({
                "symbol": each.venue_symbol, "rootSymbol": each.quote, "type": "FFWCSX", "firstOpenDate": 1591086000000,
                "expireDate": None, "settleDate": None, "baseCurrency": "XBT" if each.base == "BTC" else each.base,
                "quoteCurrency": each.quote, "settleCurrency": each.quote, "maxOrderQty": 1000000000, "maxPrice": 1000000.0,
                "lotSize": int(each.rules.step_size / each.contract_size), "tickSize": float(each.rules.tick_size),
                "indexPriceTickSize": 0.01, "multiplier": float(each.contract_size), "initialMargin": 0.01,
                "maintainMargin": 0.005, "makerFeeRate": float(each.maker_fee), "takerFeeRate": float(each.taker_fee),
                "takerFixFee": 0.0, "makerFixFee": 0.0, "isDeleverage": True, "isQuanto": True, "isInverse": False,
                "markMethod": "FairPrice", "fairMethod": "FundingRate", "status": "Open", "fundingFeeRate": 0.0001,
                "predictedFundingFeeRate": 0.0001, "fundingRateGranularity": 28800000, "openInterest": "8724443",
                "turnoverOf24h": 341156641.03, "volumeOf24h": 74833.54, "markPrice": price, "indexPrice": price,
                "lastTradePrice": price, "nextFundingRateTime": 25481884, "maxLeverage": 100,
            })  # fmt: skip
        return found

    def _one_ticker(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        market = self.market(asked["symbol"])
        tick = self.hall.quote(market.symbol)
        return None if tick is None else _ticker(market.venue_symbol, tick)

    def _tickers(self, _: dict[str, Any]) -> list[dict[str, Any]]:
        return [_ticker(each.venue_symbol, tick) for each in self.markets() if (tick := self.hall.quote(each.symbol))]

    def _candles(self, asked: dict[str, Any]) -> list[list[Any]]:
        market, minutes = self.market(asked["symbol"]), int(asked["granularity"])
        now = self.hall.now() // 1_000_000
        since, until = int(asked.get("from") or now - MAX_BARS * minutes * 60_000), int(asked.get("to") or now)
        rows = self.hall.candles(market.symbol, minutes * 60, since * 1_000_000, MAX_BARS)
        return [
            [bar.at // 1_000_000, float(bar.open), float(bar.high), float(bar.low), float(bar.close), float(bar.volume)]
            for bar in rows
            if bar.at // 1_000_000 < until
        ]

    def _funding(self, asked: dict[str, Any]) -> dict[str, Any]:
        now = self.hall.now() // 1_000_000
        period = 28_800_000
        return {"symbol": f".{asked['symbol']}FPI8H", "granularity": period, "timePoint": now // period * period,
                "value": 0.0001, "dailyInterestRate": 3.0e-4, "fundingRateCap": 0.00375, "fundingRateFloor": -0.00375,
                "period": 1, "fundingTime": (now // period + 1) * period}  # fmt: skip

    def _interest(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        names = asked.get("symbol", "").split(",")
        return [{"symbol": each, "openInterest": "8053960", "ts": self.hall.now() // 1_000_000} for each in names]

    # --- orders ----------------------------------------------------------------------------------------------------------

    def _place(self, asked: dict[str, Any]) -> dict[str, Any]:
        instrument = self.market(asked["symbol"])
        if asked.get("marginMode", "ISOLATED") != self.margin_mode:
            raise KucoinRefusal(
                "330005", "The order's margin mode does not match the selected one. Please switch and try again."
            )
        if not isinstance(asked["size"], int) or asked["size"] < 1:
            raise KucoinRefusal("100001", "Quantity parameter must be a positive whole number of contracts.")
        order = self.place(asked, asked["size"] * instrument.contract_size, instrument)
        return {"orderId": hexed(order.number), "clientOid": asked["clientOid"]}

    def _cancel_by_client_id(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.market(asked["symbol"])
        self._cancel(self.by_client_id(asked["clientOid"]))
        return {"clientOid": asked["clientOid"]}

    def _cancel(self, order: Order) -> dict[str, Any]:
        if order.state.final:
            raise KucoinRefusal("100004", "Order is in not cancelable state")
        self.hall.cancel(order)
        return {"cancelledOrderIds": [hexed(order.number)]}

    def _list(self, asked: dict[str, Any]) -> dict[str, Any]:
        wanted = {"active": False, "done": True}.get(asked.get("status", "active"))
        symbols = {
            each.symbol for each in self.markets() if asked.get("symbol", each.venue_symbol) == each.venue_symbol
        }
        since = int(asked.get("startAt") or 0)
        rows = [
            self.order(each)
            for each in reversed(self.orders())
            if each.state.final is wanted and each.request.symbol in symbols and each.created_at // 1_000_000 >= since
        ]
        return _page(rows, asked)

    def _fills(self, asked: dict[str, Any]) -> dict[str, Any]:
        return _page([self.fill(each) for each in self.fills(asked)], asked)

    def order(self, order: Order) -> dict[str, Any]:
        """Return an order as its queries show it."""
        asked, market = order.request, self.hall.instruments()[order.request.symbol]
        return {
            "id": hexed(order.number), "symbol": market.venue_symbol,
            "type": "market" if asked.type is OrderType.MARKET else "limit", "side": asked.side.value,
            "price": None if asked.price is None else text(asked.price), "size": int(asked.qty / market.contract_size),
            "value": text(asked.qty * (asked.price or 0)), "dealValue": text(order.cost),
            "dealSize": int(order.filled / market.contract_size), "stp": "", "stop": "", "stopPriceType": "",
            "stopTriggered": False, "stopPrice": None, "timeInForce": "IOC" if asked.type is OrderType.IOC else "GTC",
            "postOnly": False, "hidden": False, "iceberg": False, "leverage": "1", "forceHold": False, "closeOrder": False,
            "visibleSize": None, "clientOid": self.client_id(asked.client_order_id), "remark": None, "tags": None,
            "isActive": not order.state.final, "cancelExist": order.state is OrderState.CANCELLED,
            "createdAt": order.created_at // 1_000_000, "updatedAt": order.updated_at // 1_000_000,
            "endAt": order.updated_at // 1_000_000 if order.state.final else None, "orderTime": order.created_at,
            "settleCurrency": market.quote, "marginMode": self.margin_mode, "avgDealPrice": text(order.average),
            "status": "done" if order.state.final else "open", "filledValue": text(order.cost),
            "filledSize": int(order.filled / market.contract_size), "reduceOnly": asked.reduce_only,
        }  # fmt: skip

    def fill(self, fill: FillReport) -> dict[str, Any]:
        """Return a fill as history shows it: no client id."""
        market = self.hall.instruments()[fill.symbol]
        return {
            "symbol": market.venue_symbol, "tradeId": str(self.hall.trade_number(fill)),
            "orderId": hexed(self.hall.number_of(fill)), "side": fill.side.value,
            "liquidity": "maker" if fill.maker else "taker", "forceTaker": False, "price": text(fill.price),
            "size": int(fill.qty / market.contract_size), "value": text(fill.qty * fill.price), "openFeePay": text(fill.fee),
            "closeFeePay": "0", "stop": "", "feeRate": text(market.taker_fee), "fixFee": "0",
            "feeCurrency": fill.fee_currency, "tradeTime": fill.at, "subTradeType": None, "marginMode": self.margin_mode,
            "settleCurrency": market.quote, "displayType": "limit", "fee": text(fill.fee), "orderType": "limit",
            "tradeType": "trade", "createdAt": fill.at // 1_000_000,
        }  # fmt: skip

    # --- the account -------------------------------------------------------------------------------------------------------

    def _positions(self, _: dict[str, Any]) -> list[dict[str, Any]]:
        found = []
        for each, market, price in marked_positions(self.hall):
            found.append({
                "id": hexed(1), "symbol": market.venue_symbol, "crossMode": self.margin_mode == "CROSS",
                "marginMode": self.margin_mode, "positionSide": "BOTH", "currentQty": int(each.qty / market.contract_size),
                "avgEntryPrice": float(self.hall.entry_price(each.symbol)), "markPrice": float(price), "isOpen": True,
                "currentTimestamp": self.hall.now() // 1_000_000, "realLeverage": 1.0, "unrealisedPnl": 0.0,
                "liquidationPrice": 0.0, "settleCurrency": market.quote, "isInverse": False, "maintMarginReq": 0.005,
                "posInit": 0.0, "posMaint": 0.0, "posMargin": 0.0, "maintMargin": 0.0, "markValue": float(price * each.qty),
            })  # fmt: skip
        return found

    def _account(self, asked: dict[str, Any]) -> dict[str, Any]:
        currency = asked.get("currency", "XBT")
        free, locked = money_in(self.hall, currency)
        return {"accountEquity": float(free + locked), "unrealisedPNL": 0, "marginBalance": float(free + locked),
                "positionMargin": 0, "orderMargin": float(locked), "frozenFunds": 0, "availableBalance": float(free),
                "currency": currency, "riskRatio": 0}  # fmt: skip

    # --- streams -----------------------------------------------------------------------------------------------------------

    def quote_frames(self, tick: PriceTick) -> list[dict[str, Any]]:
        """Return what is told of a quote."""
        instrument = quoted_market(self.hall, tick, MarketType.PERP)
        if instrument is None:
            return []
        name = instrument.venue_symbol
        first = {"symbol": name, "bestBidSize": 795, "bestBidPrice": text(tick.bid), "bestAskPrice": text(tick.ask),
                 "bestAskSize": 284, "ts": tick.at}  # fmt: skip
        return [
            {"type": "message", "topic": f"/contractMarket/tickerV2:{name}", "subject": "tickerV2", "data": first},
            {
                "type": "message",
                "topic": f"/contractMarket/ticker:{name}",
                "subject": "ticker",
                "data": _ticker(name, tick),
            },
        ]

    def order_frames(self, order: Order) -> list[dict[str, Any]]:
        """Return what is told of an order that changed; a part that trades is told by its fill."""
        kind = {OrderState.OPEN: "open", OrderState.FILLED: "filled", OrderState.CANCELLED: "canceled"}.get(order.state)
        return [] if kind is None else [_private(self._change(order, kind))]

    def fill_frames(self, fill: FillReport) -> list[dict[str, Any]]:
        """Return what is told of a fill: price, size and id, but not what it cost."""
        order, market = self.hall.orders[fill.client_order_id], self.hall.instruments()[fill.symbol]
        change = self._change(order, "match") | {
            "matchPrice": text(fill.price), "matchSize": text(fill.qty / market.contract_size), "tradeType": "trade",
            "feeType": "makerFee" if fill.maker else "takerFee", "tradeId": str(self.hall.trade_number(fill)),
            "liquidity": "maker" if fill.maker else "taker", "ts": fill.at,
        }  # fmt: skip
        return [_private(change)]

    def _change(self, order: Order, kind: str) -> dict[str, Any]:
        asked, market = order.request, self.hall.instruments()[order.request.symbol]
        size = market.contract_size
        cancelled = order.rest if order.state is OrderState.CANCELLED else Decimal(0)
        return {
            "symbol": market.venue_symbol, "orderType": "market" if asked.type is OrderType.MARKET else "limit",
            "side": asked.side.value, "orderId": hexed(order.number), "type": kind, "marginMode": self.margin_mode,
            "orderTime": str(order.created_at), "size": text(asked.qty / size), "filledSize": text(order.filled / size),
            "canceledSize": text(cancelled / size), "price": text(asked.price or Decimal(0)),
            "clientOid": self.client_id(asked.client_order_id), "positionSide": "BOTH",
            "remainSize": text(Decimal(0) if order.state.final else order.rest / size),
            "status": {"open": "open", "match": "match"}.get(kind, "done"), "ts": order.updated_at,
        }  # fmt: skip

    def balance_frames(self) -> list[dict[str, Any]]:
        """Return what is told of money."""
        return [
            {"private": True, "type": "message", "topic": "/contractAccount/wallet", "subject": "walletBalance.change",
             "channelType": "private",
             "data": {"currency": each.currency, "holdBalance": text(each.locked), "availableBalance": text(each.free),
                      "walletBalance": text(each.free + each.locked), "equity": text(each.free + each.locked),
                      "timestamp": str(self.hall.now() // 1_000_000)}}
            for each in self.hall.balances()
        ]  # fmt: skip


def _page(rows: list[dict[str, Any]], asked: dict[str, Any]) -> dict[str, Any]:
    size, number = min(int(asked.get("pageSize") or 50), MAX_PAGE), int(asked.get("currentPage") or 1)
    pages = -(-len(rows) // size)
    return {"currentPage": number, "pageSize": size, "totalNum": len(rows), "totalPage": pages,
            "items": rows[(number - 1) * size : number * size]}  # fmt: skip


def _ticker(name: str, tick: PriceTick) -> dict[str, Any]:
    return {"symbol": name, "sequence": tick.at // NS, "side": "buy", "size": 35, "price": text(tick.last),
            "bestBidPrice": text(tick.bid), "bestBidSize": 795, "bestAskPrice": text(tick.ask), "bestAskSize": 284,
            "tradeId": "1785", "ts": tick.at}  # fmt: skip


def _private(change: dict[str, Any]) -> dict[str, Any]:
    return {"private": True, "type": "message", "topic": "/contractMarket/tradeOrders", "subject": "symbolOrderChange",
            "channelType": "private", "userId": "633559791e1cbc0001f319bc", "data": change}  # fmt: skip

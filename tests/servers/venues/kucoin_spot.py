"""KuCoin's spot interface: symbols, HF orders, fills, accounts, candles."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from protocol.instruments import Instrument
from protocol.market import PriceTick
from protocol.orders import FillReport, OrderState
from protocol.values import MarketType, OrderType
from tests.servers.venues.hall import NS, Order
from tests.servers.venues.kucoin_wire import Desk, KucoinRefusal, Route, hexed, text
from tests.servers.venues.two_desks import quoted_market

__all__ = ["SpotDesk"]

SECONDS: Final = {"1min": 60, "5min": 300, "15min": 900, "1hour": 3600, "4hour": 14_400, "1day": 86_400}
MAX_FILLS: Final = 100
WEEK_MS: Final = 7 * 86_400_000


class SpotDesk(Desk):
    """The spot side of the hall."""

    DUPLICATE = KucoinRefusal("102411", "clientOid duplicated")
    MISSING = KucoinRefusal("400100", "order not exist.")
    REFUSED: Final = {
        "InsufficientFunds": ("200004", "Balance insufficient!"),
        "TickSize": ("400100", "Price increment invalid."),
        "StepSize": ("600100", "Order size increment invalid."),
        "MinQty": ("400100", "Order size below the minimum requirement."),
        "MinNotional": ("600101", "The order funds should more then 0.1 USDT."),
        "NoMarketPrice": ("400600", "validation.createOrder.symbolNotAvailable"),
    }

    def markets(self) -> list[Instrument]:
        return [each for each in self.hall.instruments().values() if each.market_type is MarketType.SPOT]

    def routes(self) -> Iterable[Route]:
        """Return what it answers."""
        orders, by_client = "/api/v1/hf/orders", "/api/v1/hf/orders/client-order/{clientOid}"
        return (
            ("GET", "/api/{version}/symbols", self._symbols, False),
            ("GET", "/api/{version}/currencies", lambda _: [], False),
            ("GET", "/api/v1/market/allTickers", self._tickers, False),
            ("GET", "/api/v1/market/orderbook/level1", self._level1, False),
            ("GET", "/api/v1/market/candles", self._candles, False),
            ("GET", "/api/v1/hf/accounts/opened", lambda _: True, True),
            ("GET", "/api/ua/v1/account/mode", lambda _: {"selfAccountMode": "CLASSIC"}, True),
            ("GET", "/api/v3/margin/symbols", lambda _: {"timestamp": 0, "items": []}, True),
            ("GET", "/api/v1/isolated/symbols", lambda _: [], True),
            ("GET", "/api/v1/accounts", self._accounts, True),
            ("POST", orders, self._place_async, True),
            ("POST", f"{orders}/sync", self._place_sync, True),
            ("GET", f"{orders}/active/symbols", self._active_symbols, True),
            ("GET", f"{orders}/active", self._active, True),
            ("GET", f"{orders}/done", self._done, True),
            ("GET", by_client, lambda asked: self.order(self.by_client_id(asked["clientOid"])), True),
            ("GET", f"{orders}/{{orderId}}", lambda asked: self.order(self.by_id(asked["orderId"])), True),
            ("DELETE", by_client, self._cancel_by_client_id, True),
            ("DELETE", f"{orders}/{{orderId}}", self._cancel_by_id, True),
            ("GET", "/api/v1/hf/fills", self._fills, True),
        )  # fmt: skip

    # --- the market ----------------------------------------------------------------------------------------------------

    def _symbols(self, _: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {
                "symbol": each.venue_symbol, "name": each.venue_symbol, "baseCurrency": each.base,
                "quoteCurrency": each.quote, "feeCurrency": each.quote, "market": "USDS",
                "baseMinSize": text(each.rules.min_qty), "quoteMinSize": text(each.rules.min_notional),
                "baseMaxSize": "10000000000", "quoteMaxSize": "99999999999",
                "baseIncrement": text(each.rules.step_size), "quoteIncrement": "0.000001",
                "priceIncrement": text(each.rules.tick_size), "priceLimitRate": "0.1",
                "minFunds": text(each.rules.min_notional), "isMarginEnabled": False, "enableTrading": True,
                "feeCategory": 1, "makerFeeCoefficient": "1.00", "takerFeeCoefficient": "1.00", "st": False,
            }
            for each in self.markets()
        ]  # fmt: skip

    def _tickers(self, _: dict[str, Any]) -> dict[str, Any]:
        found = []
        for each in self.markets():
            tick = self.hall.quote(each.symbol)
            sides = {} if tick is None else {"buy": text(tick.bid), "sell": text(tick.ask), "last": text(tick.last)}
            fees = {"takerFeeRate": text(each.taker_fee), "makerFeeRate": text(each.maker_fee)}
            names = {"symbol": each.venue_symbol, "symbolName": each.venue_symbol}
            found.append({**names, **fees, "takerCoefficient": "1", "makerCoefficient": "1", **sides})
        return {"time": self.hall.now() // 1_000_000, "ticker": found}

    def _level1(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        tick = self.hall.quote(self.market(asked["symbol"]).symbol)
        return None if tick is None else _ticker(tick)

    def _candles(self, asked: dict[str, Any]) -> list[list[str]]:
        seconds, market = SECONDS[asked["type"]], self.market(asked["symbol"])
        now = self.hall.now() // NS
        since, until = int(asked.get("startAt") or now - 100 * seconds), int(asked.get("endAt") or now)
        rows = self.hall.candles(market.symbol, seconds, since * NS, 1500)
        found = [
            [str(bar.at // NS), text(bar.open), text(bar.close), text(bar.high), text(bar.low), text(bar.volume), "1"]
            for bar in rows
            if bar.at // NS < until
        ]
        return found[::-1]

    # --- orders ----------------------------------------------------------------------------------------------------------

    def _place(self, asked: dict[str, Any]) -> Order:
        instrument = self.market(asked["symbol"])
        if "funds" in asked:
            raise KucoinRefusal("400100", "a test server buys base quantities only")
        return self.place(asked, Decimal(asked["size"]), instrument)

    def _place_async(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"orderId": hexed(self._place(asked).number), "clientOid": asked["clientOid"]}

    def _place_sync(self, asked: dict[str, Any]) -> dict[str, Any]:
        order = self._place(asked)
        return {
            "orderId": hexed(order.number), "clientOid": asked["clientOid"], "orderTime": order.created_at // 1_000_000,
            "originSize": text(order.request.qty), "dealSize": text(order.filled), "remainSize": text(_rest(order)),
            "canceledSize": text(_cancelled(order)), "status": "done" if order.state.final else "open",
            "matchTime": order.updated_at // 1_000_000,
        }  # fmt: skip

    def _cancel_by_client_id(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"clientOid": asked["clientOid"], **self._cancel(self.by_client_id(asked["clientOid"]))}

    def _cancel_by_id(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._cancel(self.by_id(asked["orderId"]))

    def _cancel(self, order: Order) -> dict[str, Any]:
        if order.state.final:
            raise KucoinRefusal("400100", "order_not_exist_or_not_allow_to_cancel")
        self.hall.cancel(order)
        return {"orderId": hexed(order.number)}

    def _active_symbols(self, _: dict[str, Any]) -> dict[str, Any]:
        symbols = {self._name(each) for each in self.orders() if not each.state.final}
        return {"symbolSize": len(symbols), "symbols": sorted(symbols)}

    def _active(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        symbol = self.market(asked["symbol"]).symbol
        return [self.order(each) for each in self.orders() if not each.state.final and each.request.symbol == symbol]

    def _done(self, asked: dict[str, Any]) -> dict[str, Any]:
        symbol, last = self.market(asked["symbol"]).symbol, int(asked.get("lastId") or 2**63)
        since = int(asked.get("startAt") or 0)
        done = [each for each in self.orders() if each.state.final and each.request.symbol == symbol]
        rows = [each for each in reversed(done) if each.number < last and each.created_at // 1_000_000 >= since]
        rows = rows[: int(asked.get("limit") or 20)]
        return {"lastId": rows[-1].number if rows else 0, "items": [self.order(each) for each in rows]}

    def _fills(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.market(asked["symbol"])
        if asked.get("startAt") and asked.get("endAt") and int(asked["endAt"]) - int(asked["startAt"]) > WEEK_MS:
            raise KucoinRefusal("400100", "The time range should be within 7 days.")
        last = int(asked.get("lastId") or 2**63)
        rows = [each for each in self.fills(asked) if self.hall.trade_number(each) < last]
        rows = rows[: min(int(asked.get("limit") or 20), MAX_FILLS)]
        return {"items": [self.fill(each) for each in rows], "lastId": self.hall.trade_number(rows[-1]) if rows else 0}

    def _accounts(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        kind = asked.get("type", "trade_hf")
        if kind not in ("trade", "trade_hf"):
            return []
        return [
            {"id": hexed(number), "currency": each.currency, "type": kind, "balance": text(each.free + each.locked),
             "available": text(each.free), "holds": text(each.locked)}
            for number, each in enumerate(self.hall.balances(), 1)
        ]  # fmt: skip

    def _name(self, order: Order) -> str:
        return self.hall.instruments()[order.request.symbol].venue_symbol

    def order(self, order: Order) -> dict[str, Any]:
        """Return an order as its queries show it."""
        asked = order.request
        return {
            "id": hexed(order.number), "clientOid": self.client_id(asked.client_order_id), "symbol": self._name(order),
            "opType": "DEAL", "type": "market" if asked.type is OrderType.MARKET else "limit", "side": asked.side.value,
            "price": text(asked.price or Decimal(0)), "size": text(asked.qty), "funds": "0",
            "dealSize": text(order.filled), "dealFunds": text(order.cost), "remainSize": text(_rest(order)),
            "remainFunds": "0", "cancelledSize": text(_cancelled(order)), "cancelledFunds": "0",
            "fee": text(sum((each.fee for each in order.fills), Decimal(0))), "feeCurrency": "USDT", "stp": None,
            "timeInForce": "IOC" if asked.type is OrderType.IOC else "GTC", "postOnly": False, "hidden": False,
            "iceberg": False, "visibleSize": "0", "cancelAfter": 0, "channel": "API", "remark": None, "tags": None,
            "cancelExist": order.state is OrderState.CANCELLED, "tradeType": "TRADE", "tax": "0",
            "inOrderBook": not order.state.final, "active": not order.state.final,
            "createdAt": order.created_at // 1_000_000, "lastUpdatedAt": order.updated_at // 1_000_000,
        }  # fmt: skip

    def fill(self, fill: FillReport) -> dict[str, Any]:
        """Return a fill as history shows it: no client id."""
        return {
            "id": self.hall.trade_number(fill), "symbol": self.hall.instruments()[fill.symbol].venue_symbol,
            "tradeId": str(self.hall.trade_number(fill)), "orderId": hexed(self.hall.number_of(fill)),
            "counterOrderId": hexed(1), "side": fill.side.value, "liquidity": "maker" if fill.maker else "taker",
            "forceTaker": False, "price": text(fill.price), "size": text(fill.qty), "funds": text(fill.price * fill.qty),
            "fee": text(fill.fee), "feeRate": "0.001", "feeCurrency": fill.fee_currency, "stop": "", "tradeType": "TRADE",
            "taxRate": "0", "tax": "0", "type": "limit", "createdAt": fill.at // 1_000_000,
        }  # fmt: skip

    # --- streams -----------------------------------------------------------------------------------------------------------

    def quote_frames(self, tick: PriceTick) -> list[dict[str, Any]]:
        """Return what is told of a quote."""
        instrument = quoted_market(self.hall, tick, MarketType.SPOT)
        if instrument is None:
            return []
        name, at = instrument.venue_symbol, tick.at // 1_000_000
        level1 = {"asks": [text(tick.ask), "2.07"], "bids": [text(tick.bid), "6.04"], "timestamp": at}
        return [
            {"type": "message", "topic": f"/market/ticker:{name}", "subject": "trade.ticker", "data": _ticker(tick)},
            {"type": "message", "topic": f"/spotMarket/level1:{name}", "subject": "level1", "data": level1},
        ]

    def order_frames(self, order: Order) -> list[dict[str, Any]]:
        """Return what is told of an order that changed; a part that trades is told by its fill."""
        kinds = {OrderState.OPEN: "open", OrderState.FILLED: "filled", OrderState.CANCELLED: "canceled"}
        kind = kinds.get(order.state)
        return [] if kind is None else [_private(self._change(order, kind))]

    def fill_frames(self, fill: FillReport) -> list[dict[str, Any]]:
        """Return what is told of a fill: price, size and id, but not what it cost."""
        order = self.hall.orders[fill.client_order_id]
        change = self._change(order, "match") | {
            "matchPrice": text(fill.price), "matchSize": text(fill.qty), "feeType": "makerFee" if fill.maker else "takerFee",
            "tradeId": str(self.hall.trade_number(fill)), "liquidity": "maker" if fill.maker else "taker", "ts": fill.at,
        }  # fmt: skip
        return [_private(change)]

    def _change(self, order: Order, kind: str) -> dict[str, Any]:
        asked = order.request
        return {
            "symbol": self._name(order), "orderType": "market" if asked.type is OrderType.MARKET else "limit",
            "side": asked.side.value, "orderId": hexed(order.number), "type": kind,
            "orderTime": order.created_at // 1_000_000, "size": text(asked.qty), "filledSize": text(order.filled),
            "canceledSize": text(_cancelled(order)), "price": text(asked.price or Decimal(0)),
            "clientOid": self.client_id(asked.client_order_id), "remainSize": text(_rest(order)),
            "status": {"open": "open", "match": "match"}.get(kind, "done"), "ts": order.updated_at,
        }  # fmt: skip

    def balance_frames(self) -> list[dict[str, Any]]:
        """Return what is told of money."""
        return [
            {"private": True, "type": "message", "topic": "/account/balance", "subject": "account.balance",
             "channelType": "private",
             "data": {"total": text(each.free + each.locked), "available": text(each.free), "currency": each.currency,
                      "hold": text(each.locked), "relationEvent": "trade_hf.hold", "availableChange": "0", "holdChange": "0",
                      "time": str(self.hall.now() // 1_000_000)}}
            for each in self.hall.balances()
        ]  # fmt: skip


def _private(change: dict[str, Any]) -> dict[str, Any]:
    return {"private": True, "type": "message", "topic": "/spotMarket/tradeOrders", "subject": "orderChange",
            "channelType": "private", "userId": "633559791e1cbc0001f319bc", "data": change}  # fmt: skip


def _ticker(tick: PriceTick) -> dict[str, Any]:
    return {"bestAsk": text(tick.ask), "bestAskSize": "258.46", "bestBid": text(tick.bid), "bestBidSize": "68.59",
            "price": text(tick.last), "sequence": str(tick.at), "size": "8.943", "time": tick.at // 1_000_000}  # fmt: skip


def _rest(order: Order) -> Decimal:
    return Decimal(0) if order.state.final else order.rest


def _cancelled(order: Order) -> Decimal:
    return order.rest if order.state is OrderState.CANCELLED else Decimal(0)

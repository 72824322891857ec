"""Gate's spot interface: pairs, orders, trades, accounts, candles."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal
from typing import Any, Final

from protocol.instruments import Instrument
from protocol.market import PriceTick
from protocol.orders import FillReport, OrderRequest, OrderState
from protocol.values import MarketType, OrderSide, OrderType
from tests.servers.venues.gate_wire import Desk, GateRefusal, Route, millis, text
from tests.servers.venues.hall import NS, Order

__all__ = ["SECONDS", "SpotDesk"]

SECONDS: Final = {"1m": 60, "5m": 300, "15m": 900, "1h": 3600, "4h": 14_400, "1d": 86_400}
MONTH_S: Final = 30 * 86_400


class SpotDesk(Desk):
    """The spot side of the hall."""

    UNKNOWN_MARKET = GateRefusal("INVALID_CURRENCY_PAIR", "Invalid currency pair")
    REFUSED: Final = {
        "InsufficientFunds": ("BALANCE_NOT_ENOUGH", "Not enough balance"),
        "TickSize": ("INVALID_PRECISION", "Invalid price precision"),
        "StepSize": ("INVALID_PRECISION", "Invalid amount precision"),
        "MinQty": ("AMOUNT_TOO_LITTLE", "Order amount is below the minimum"),
        "MinNotional": ("INVALID_PARAM_VALUE", "Your order size is too small. The minimum is 3 USDT"),
    }

    def markets(self) -> list[Instrument]:
        return [each for each in self.hall.instruments().values() if each.market_type is MarketType.SPOT]

    def routes(self) -> Iterable[Route]:
        """Return what it answers, below ``/api/v4``."""
        return (
            ("GET", "/spot/currency_pairs", self._pairs, False),
            ("GET", "/margin/currency_pairs", lambda _: [], False),
            ("GET", "/spot/currencies", lambda _: [], False),
            ("GET", "/spot/tickers", self._tickers, False),
            ("GET", "/spot/candlesticks", self._candles, False),
            ("GET", "/account/detail", lambda _: {"user_id": 10406147, "key": {"mode": 1}, "tier": 0}, True),
            ("GET", "/spot/accounts", self._accounts, True),
            ("POST", "/spot/orders", lambda asked: self.order(self._place(asked)), True),
            ("GET", "/spot/orders", self._list, True),
            ("GET", "/spot/open_orders", self._open, True),
            ("GET", "/spot/orders/{order_id}", lambda asked: self.order(self.find(asked["order_id"])), True),
            ("DELETE", "/spot/orders/{order_id}", self._cancel, True),
            ("PATCH", "/spot/orders/{order_id}", self._amend, True),
            ("GET", "/spot/my_trades", self._trades, True),
        )

    # --- the market ----------------------------------------------------------------------------------------------------

    def _pairs(self, _: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {
                "id": each.venue_symbol, "base": each.base, "base_name": each.base, "quote": each.quote,
                "quote_name": each.quote, "fee": text(each.taker_fee * 100), "min_base_amount": text(each.rules.min_qty),
                "min_quote_amount": text(each.rules.min_notional), "max_quote_amount": "5000000",
                "amount_precision": -int(each.rules.step_size.normalize().as_tuple().exponent),
                "precision": -int(each.rules.tick_size.normalize().as_tuple().exponent),
                "trade_status": "tradable", "sell_start": 0, "buy_start": 0, "type": "normal",
            }
            for each in self.markets()
        ]  # fmt: skip

    def _tickers(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        found = []
        for each in self.markets():
            tick = self.hall.quote(each.symbol)
            if tick is not None and asked.get("currency_pair") in (None, each.venue_symbol):
                found.append(_ticker(each.venue_symbol, tick))
        return found

    def _candles(self, asked: dict[str, Any]) -> list[list[str]]:
        market, length = self.market(asked["currency_pair"]), SECONDS[asked["interval"]]
        rows, until = int(asked.get("limit") or 1000), int(asked.get("to") or 2**40)
        since = int(asked.get("from") or self.hall.now() // NS - rows * length)
        now = self.hall.now() // NS
        return [
            [str(bar.at // NS), "1", text(bar.close), text(bar.high), text(bar.low), text(bar.open), text(bar.volume),
             "true" if bar.at // NS + length <= now else "false"]
            for bar in self.hall.candles(market.symbol, length, since * NS, rows)
            if bar.at // NS <= until
        ]  # fmt: skip

    # --- orders ----------------------------------------------------------------------------------------------------------

    def _place(self, asked: dict[str, Any]) -> Order:
        instrument = self.market(asked["currency_pair"])
        side, amount = OrderSide(asked["side"]), Decimal(asked["amount"])
        market, ioc = asked.get("type") == "market", asked.get("time_in_force") == "ioc"
        if market and not ioc:
            raise GateRefusal("INVALID_PARAM_VALUE", "time_in_force of a market order must be ioc or fok")
        if market and side is OrderSide.BUY:
            # A market buy says how much quote currency is to be spent.
            tick = self.hall.quote(instrument.symbol)
            amount = (amount / (tick.ask if tick else Decimal(1))).quantize(instrument.rules.step_size, ROUND_DOWN)
        kind = OrderType.MARKET if market else OrderType.IOC if ioc else OrderType.LIMIT
        return self.place(
            OrderRequest(
                client_order_id=asked.get("text", "apiv4"), symbol=instrument.symbol, side=side, type=kind, qty=amount,
                price=None if market else Decimal(asked["price"]),
            )
        )  # fmt: skip

    def _cancel(self, asked: dict[str, Any]) -> dict[str, Any]:
        order = self.find(asked["order_id"])
        if order.state.final:
            label = "ORDER_CANCELLED" if order.state is OrderState.CANCELLED else "ORDER_CLOSED"
            raise GateRefusal(label, "Order already cancelled or closed")
        return self.order(self.hall.cancel(order))

    def _amend(self, asked: dict[str, Any]) -> dict[str, Any]:
        price, qty = (Decimal(asked[name]) if asked.get(name) else None for name in ("price", "amount"))
        return self.order(self.amend(self.find(asked["order_id"]), price, qty))

    def _open(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        size, page = int(asked.get("limit") or 100), int(asked.get("page") or 1)
        found: dict[str, list[dict[str, Any]]] = {}
        for each in self.orders():
            if not each.state.final:
                found.setdefault(self._name(each), []).append(self.order(each))
        first = (page - 1) * size
        return [
            {"currency_pair": name, "total": len(rows), "orders": rows[first : first + size]}
            for name, rows in found.items()
            if rows[first:]
        ]

    def _list(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        symbol, finished = self.market(asked["currency_pair"]).symbol, asked["status"] == "finished"
        since = int(asked.get("from") or 0)
        rows = [
            self.order(each)
            for each in reversed(self.orders())
            if each.state.final is finished and each.request.symbol == symbol and each.updated_at // NS >= since
        ]
        size, page = int(asked.get("limit") or 100), int(asked.get("page") or 1)
        return rows[(page - 1) * size : page * size]

    def _trades(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        if asked.get("from") and asked.get("to") and int(asked["to"]) - int(asked["from"]) > MONTH_S:
            raise GateRefusal("INVALID_PARAM_VALUE", "invalid time range: at most 30 days")
        rows = [self.trade(each) for each in self.fills(asked, asked.get("currency_pair"))]
        size, page = int(asked.get("limit") or 100), int(asked.get("page") or 1)
        return rows[(page - 1) * size : page * size]

    def _accounts(self, _: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"currency": each.currency, "available": text(each.free), "locked": text(each.locked), "update_id": 1}
                for each in self.hall.balances()]  # fmt: skip

    def _name(self, order: Order) -> str:
        return self.hall.instruments()[order.request.symbol].venue_symbol

    def order(self, order: Order) -> dict[str, Any]:
        """Return an order as its queries show it."""
        asked = order.request
        status = {OrderState.FILLED: "closed", OrderState.CANCELLED: "cancelled"}.get(order.state, "open")
        return {
            "id": str(order.number), "text": self.text_of(order), "amend_text": "-",
            "create_time": str(order.created_at // NS), "update_time": str(order.updated_at // NS),
            "create_time_ms": order.created_at // 1_000_000, "update_time_ms": order.updated_at // 1_000_000,
            "status": status, "currency_pair": self._name(order), "type": asked.type.value if asked.type is OrderType.MARKET
            else "limit", "account": "spot", "side": asked.side.value, "amount": text(asked.qty),
            "price": text(asked.price or Decimal(0)), "time_in_force": "gtc" if asked.type is OrderType.LIMIT else "ioc",
            "iceberg": "0", "left": text(order.rest), "filled_amount": text(order.filled), "fill_price": text(order.cost),
            "filled_total": text(order.cost), "avg_deal_price": text(order.average),
            "fee": text(sum((each.fee for each in order.fills), Decimal(0))), "fee_currency": self._fee_currency(order),
            "point_fee": "0", "gt_fee": "0", "gt_discount": False, "rebated_fee": "0", "rebated_fee_currency": "USDT",
            "finish_as": self.finish_as(order),
        }  # fmt: skip

    def _fee_currency(self, order: Order) -> str:
        return order.fills[0].fee_currency if order.fills else self.hall.instruments()[order.request.symbol].base

    def trade(self, fill: FillReport) -> dict[str, Any]:
        """Return a fill as history and streams show it."""
        order = self.hall.orders[fill.client_order_id]
        return {
            "id": str(self.hall.trade_number(fill)), "create_time": str(fill.at // NS), "create_time_ms": millis(fill.at),
            "currency_pair": self._name(order), "side": fill.side.value, "role": "maker" if fill.maker else "taker",
            "amount": text(fill.qty), "price": text(fill.price), "order_id": str(order.number), "fee": text(fill.fee),
            "fee_currency": fill.fee_currency, "point_fee": "0", "gt_fee": "0", "amend_text": "-", "sequence_id": "588018",
            "text": self.text_of(order),
        }  # fmt: skip

    # --- streams -----------------------------------------------------------------------------------------------------------

    def quotes(self, tick: PriceTick) -> list[tuple[str, str, Any]]:
        """Return what is told of a quote: channel, market, result."""
        instrument = self.hall.instruments().get(tick.symbol)
        if instrument is None or instrument.market_type is not MarketType.SPOT:
            return []
        name = instrument.venue_symbol
        book = {"t": tick.at // 1_000_000, "u": tick.at // 1000, "s": name, "b": text(tick.bid), "B": "0.0134",
                "a": text(tick.ask), "A": "0.0353"}  # fmt: skip
        return [("spot.book_ticker", name, book), ("spot.tickers", name, _ticker(name, tick))]

    def told(self, fact: Order | FillReport) -> list[tuple[str, str, Any]]:
        """Return what is told of an order or a fill: channel, market, result."""
        if isinstance(fact, FillReport):
            trade = self.trade(fact) | {"user_id": 10406147}
            return [("spot.usertrades", trade["currency_pair"], [trade])]
        event = "finish" if fact.state.final else "update" if fact.filled else "put"
        order = self.order(fact) | {"event": event, "user": 10406147}
        del order["status"]
        return [("spot.orders", self._name(fact), [order]), ("spot.balances", "", self._balances())]

    def _balances(self) -> list[dict[str, Any]]:
        now = self.hall.now()
        return [
            {"timestamp": str(now // NS), "timestamp_ms": str(now // 1_000_000), "user": "10406147",
             "currency": each.currency, "change": "0", "total": text(each.free + each.locked), "available": text(each.free),
             "freeze": text(each.locked), "freeze_change": "0", "change_type": "order-create"}
            for each in self.hall.balances()
        ]  # fmt: skip


def _ticker(name: str, tick: PriceTick) -> dict[str, Any]:
    return {"currency_pair": name, "last": text(tick.last), "lowest_ask": text(tick.ask), "highest_bid": text(tick.bid),
            "lowest_size": "1", "highest_size": "1", "change_percentage": "-4.0", "base_volume": "5182.5",
            "quote_volume": "227267634.9", "high_24h": text(tick.last), "low_24h": text(tick.last)}  # fmt: skip

"""Gate's USDT-settled perpetuals: contracts, orders in signed contracts, trades, positions, margin, candles."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from protocol.instruments import Instrument
from protocol.market import PriceTick
from protocol.orders import FillReport, OrderRequest
from protocol.values import MarketType, OrderSide, OrderType
from tests.servers.venues.gate_spot import SECONDS
from tests.servers.venues.gate_wire import Desk, GateRefusal, Route, seconds, text
from tests.servers.venues.hall import NS, Order
from tests.servers.venues.two_desks import marked_positions, money_in, quoted_market

__all__ = ["USER", "FuturesDesk"]

USER: Final = 10406147


class FuturesDesk(Desk):
    """The futures side of the hall."""

    UNKNOWN_MARKET = GateRefusal("CONTRACT_NOT_FOUND", "contract not found")
    REFUSED: Final = {
        "InsufficientFunds": ("INSUFFICIENT_AVAILABLE", "insufficient available balance"),
        "TickSize": ("INVALID_PARAM_VALUE", "invalid argument: price precision"),
        "StepSize": ("INVALID_PARAM_VALUE", "invalid argument: size"),
        "MinQty": ("SIZE_TOO_SMALL", "size too small"),
        "ReduceOnly": ("POSITION_EMPTY", "position is empty"),
    }

    def markets(self) -> list[Instrument]:
        return [each for each in self.hall.instruments().values() if each.market_type is MarketType.PERP]

    def routes(self) -> Iterable[Route]:
        """Return what it answers, below ``/api/v4/futures/usdt``."""
        return (
            ("GET", "/contracts", lambda _: [self._contract(each) for each in self.markets()], False),
            ("GET", "/contracts/{contract}", lambda asked: self._contract(self.market(asked["contract"])), False),
            ("GET", "/tickers", self._tickers, False),
            ("GET", "/candlesticks", self._candles, False),
            ("GET", "/contract_stats", self._stats, False),
            ("GET", "/accounts", self._account, True),
            ("GET", "/positions", self._positions, True),
            ("POST", "/orders", lambda asked: self.order(self._place(asked)), True),
            ("GET", "/orders", self._list, True),
            ("GET", "/orders/{order_id}", lambda asked: self.order(self.find(asked["order_id"])), True),
            ("DELETE", "/orders/{order_id}", self._cancel, True),
            ("PUT", "/orders/{order_id}", self._amend, True),
            ("GET", "/my_trades", self._trades, True),
            ("GET", "/my_trades_timerange", self._trades, True),
        )

    # --- the market ----------------------------------------------------------------------------------------------------

    def _contract(self, each: Instrument) -> dict[str, Any]:
        tick = self.hall.quote(each.symbol)
        price = text(tick.last) if tick else "0"
        now = self.hall.now() // NS
        return {
            "name": each.venue_symbol, "type": "direct", "quanto_multiplier": text(each.contract_size),
            "ref_discount_rate": "0", "order_price_deviate": "0.5", "maintenance_rate": "0.005", "mark_type": "index",
            "last_price": price, "mark_price": price, "index_price": price, "funding_rate_indicative": "0.0001",
            "mark_price_round": "0.01", "funding_offset": 0, "in_delisting": False, "risk_limit_base": "1000000",
            "interest_rate": "0.0003", "order_price_round": text(each.rules.tick_size),
            "order_size_min": int(each.rules.min_qty / each.contract_size) or 1, "enable_decimal": False,
            "ref_rebate_rate": "0.2", "funding_interval": 28800, "risk_limit_step": "1000000", "leverage_min": "1",
            "leverage_max": "100", "risk_limit_max": "8000000", "maker_fee_rate": text(each.maker_fee),
            "taker_fee_rate": text(each.taker_fee), "funding_rate": "0.0001", "order_size_max": 1000000000,
            "funding_next_apply": (now // 28800 + 1) * 28800, "trade_size": 28530850594, "position_size": 5223816,
            "orders_limit": 50, "trade_id": 10851092, "orderbook_id": 2129638396, "status": "trading",
        }  # fmt: skip

    def _tickers(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        found = []
        for each in self.markets():
            tick = self.hall.quote(each.symbol)
            if tick is not None and asked.get("contract") in (None, each.venue_symbol):
                found.append(_ticker(each.venue_symbol, tick))
        return found

    def _candles(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        market, length = self.market(asked["contract"]), SECONDS[asked["interval"]]
        rows, until = int(asked.get("limit") or 1999), int(asked.get("to") or 2**40)
        since = int(asked.get("from") or self.hall.now() // NS - rows * length)
        return [
            {"t": bar.at // NS, "v": int(bar.volume), "c": text(bar.close), "h": text(bar.high), "l": text(bar.low),
             "o": text(bar.open), "sum": "1"}
            for bar in self.hall.candles(market.symbol, length, since * NS, rows)
            if bar.at // NS <= until
        ]  # fmt: skip

    def _stats(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        self.market(asked["contract"])
        return [{"time": self.hall.now() // NS, "open_interest": 5223816, "open_interest_usd": 31342896.0,
                 "mark_price": 60000.0, "lsr_taker": 1, "lsr_account": 1}]  # fmt: skip

    # --- orders ----------------------------------------------------------------------------------------------------------

    def _place(self, asked: dict[str, Any]) -> Order:
        instrument, size = self.market(asked["contract"]), Decimal(str(asked["size"]))
        if size != size.to_integral_value():
            raise GateRefusal("INVALID_PARAM_VALUE", "invalid argument: size")
        market, ioc = Decimal(str(asked["price"])) == 0, asked.get("tif") == "ioc"
        if market and not ioc:
            raise GateRefusal("INVALID_PARAM_VALUE", "invalid argument: tif of a market order")
        kind = OrderType.MARKET if market else OrderType.IOC if ioc else OrderType.LIMIT
        return self.place(
            OrderRequest(
                client_order_id=asked.get("text", "api"),
                symbol=instrument.symbol,
                side=OrderSide.BUY if size > 0 else OrderSide.SELL,
                type=kind,
                qty=abs(size) * instrument.contract_size,
                price=None if market else Decimal(str(asked["price"])),
                reduce_only=bool(asked.get("reduce_only", False)),
            )
        )

    def _cancel(self, asked: dict[str, Any]) -> dict[str, Any]:
        order = self.find(asked["order_id"])
        if order.state.final:
            raise GateRefusal("ORDER_FINISHED", "order is finished")
        return self.order(self.hall.cancel(order))

    def _amend(self, asked: dict[str, Any]) -> dict[str, Any]:
        order = self.find(asked["order_id"])
        size = self.hall.instruments()[order.request.symbol].contract_size
        qty = abs(Decimal(str(asked["size"]))) * size if asked.get("size") else None
        price = Decimal(asked["price"]) if asked.get("price") else None
        return self.order(self.amend(order, price, qty))

    def _list(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        finished = asked["status"] == "finished"
        rows = [
            self.order(each)
            for each in reversed(self.orders())
            if each.state.final is finished and asked.get("contract") in (None, self._name(each))
        ]
        size, first = int(asked.get("limit") or 100), int(asked.get("offset") or 0)
        return rows[first : first + size]

    def _trades(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        rows = [self.trade(each) for each in self.fills(asked, asked.get("contract"))]
        size, first = int(asked.get("limit") or 100), int(asked.get("offset") or 0)
        return rows[first : first + size]

    def _name(self, order: Order) -> str:
        return self.hall.instruments()[order.request.symbol].venue_symbol

    def order(self, order: Order) -> dict[str, Any]:
        """Return an order as its queries show it."""
        asked, market = order.request, self.hall.instruments()[order.request.symbol]
        sign = 1 if asked.side is OrderSide.BUY else -1
        found = {
            "id": order.number, "id_string": str(order.number), "user": USER, "contract": market.venue_symbol,
            "mkfr": text(market.maker_fee), "tkfr": text(market.taker_fee),
            "tif": "gtc" if asked.type is OrderType.LIMIT else "ioc", "is_reduce_only": asked.reduce_only,
            "create_time": seconds(order.created_at), "update_time": seconds(order.updated_at),
            "price": text(asked.price or Decimal(0)), "size": text(sign * asked.qty / market.contract_size), "refr": "0",
            "left": text(sign * order.rest / market.contract_size), "text": self.text_of(order), "amend_text": "-",
            "fill_price": text(order.average), "status": "finished" if order.state.final else "open", "is_liq": False,
            "refu": 0, "is_close": False, "iceberg": 0, "stp_act": "-", "stp_id": 0,
        }  # fmt: skip
        if order.state.final:
            found |= {"finish_as": self.finish_as(order), "finish_time": seconds(order.updated_at)}
        return found

    def trade(self, fill: FillReport) -> dict[str, Any]:
        """Return a fill as history shows it."""
        order, market = self.hall.orders[fill.client_order_id], self.hall.instruments()[fill.symbol]
        sign = 1 if fill.side is OrderSide.BUY else -1
        return {
            "trade_id": str(self.hall.trade_number(fill)), "create_time": seconds(fill.at), "contract": market.venue_symbol,
            "order_id": str(order.number), "size": text(sign * fill.qty / market.contract_size), "price": text(fill.price),
            "role": "maker" if fill.maker else "taker", "text": self.text_of(order), "fee": text(fill.fee), "point_fee": "0",
            "close_size": "0",
        }  # fmt: skip

    # --- the account -------------------------------------------------------------------------------------------------------

    def _account(self, _: dict[str, Any]) -> dict[str, Any]:
        free, locked = money_in(self.hall, "USDT")
        return {"order_margin": text(locked), "point": "0", "bonus": "0", "unrealised_pnl": "0",
                "total": text(free + locked), "available": text(free), "in_dual_mode": False, "currency": "USDT",
                "position_margin": "0", "user": USER}  # fmt: skip

    def _positions(self, _: dict[str, Any]) -> list[dict[str, Any]]:
        found = []
        for each, market, price in marked_positions(self.hall):
            found.append({
                "value": text(abs(each.qty) * price), "leverage": "0", "mode": "single", "contract": market.venue_symbol,
                "entry_price": text(self.hall.entry_price(each.symbol)), "mark_price": text(price), "realised_pnl": "0",
                "size": text(each.qty / market.contract_size), "cross_leverage_limit": "0", "maintenance_rate": "0.004",
                "unrealised_pnl": "0", "user": USER, "leverage_max": "100", "risk_limit": "1000000", "margin": "0",
                "liq_price": "0", "update_time": self.hall.now() // NS, "update_id": 1, "initial_margin": "0",
                "maintenance_margin": "0", "open_time": self.hall.now() // NS,
            })  # fmt: skip
        return found

    # --- streams -----------------------------------------------------------------------------------------------------------

    def quotes(self, tick: PriceTick) -> list[tuple[str, str, Any]]:
        """Return what is told of a quote: channel, market, result."""
        instrument = quoted_market(self.hall, tick, MarketType.PERP)
        if instrument is None:
            return []
        name = instrument.venue_symbol
        book = {"t": tick.at // 1_000_000, "u": tick.at // 1000, "s": name, "b": text(tick.bid), "B": 37000,
                "a": text(tick.ask), "A": 47061}  # fmt: skip
        return [("futures.book_ticker", name, book), ("futures.tickers", name, [_ticker(name, tick)])]

    def told(self, fact: Order | FillReport) -> list[tuple[str, str, Any]]:
        """Return what is told of an order or a fill: channel, market, result."""
        if isinstance(fact, FillReport):
            trade = self.trade(fact)
            trade |= {"id": trade.pop("trade_id"), "create_time": fact.at // NS, "create_time_ms": fact.at // 1_000_000,
                      "size": int(trade["size"]), "fee": float(fact.fee), "point_fee": 0}  # fmt: skip
            return [("futures.usertrades", trade["contract"], [trade])]
        order = self.order(fact)
        for name in ("size", "left"):
            order[name] = int(order[name])
        order |= {"price": float(order["price"]), "fill_price": float(order["fill_price"]), "user": str(USER),
                  "create_time": fact.created_at // NS, "create_time_ms": fact.created_at // 1_000_000,
                  "mkfr": float(order["mkfr"]), "tkfr": float(order["tkfr"]), "refr": 0}  # fmt: skip
        if fact.state.final:
            order |= {"finish_time": fact.updated_at // NS, "finish_time_ms": fact.updated_at // 1_000_000}
        else:
            order["finish_as"] = "_new"
        balance = float(sum((each.free + each.locked for each in self.hall.balances()), Decimal(0)))
        money = [{"balance": balance, "change": 0, "text": "", "time": fact.updated_at // NS, "currency": "usdt",
                  "time_ms": fact.updated_at // 1_000_000, "type": "fee", "user": str(USER)}]  # fmt: skip
        return [("futures.orders", order["contract"], [order]), ("futures.balances", "", money)]


def _ticker(name: str, tick: PriceTick) -> dict[str, Any]:
    return {"contract": name, "last": text(tick.last), "change_percentage": "0.77", "funding_rate": "0.0001",
            "funding_rate_indicative": "0.0001", "mark_price": text(tick.last), "index_price": text(tick.last),
            "total_size": "73648", "volume_24h": "745487577", "volume_24h_quote": "1665006", "volume_24h_settle": "178",
            "volume_24h_base": "5526", "quanto_base_rate": "", "low_24h": text(tick.last), "high_24h": text(tick.last),
            "lowest_ask": text(tick.ask), "highest_bid": text(tick.bid)}  # fmt: skip

"""What a v20 server does with orders: taken, refused, filled, cancelled, with the stops and targets that ride on them."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from aiohttp import web

from protocol.market import PriceTick
from protocol.orders import FillReport, OrderRequest, OrderState
from protocol.values import OrderSide, OrderType
from tests.servers.venues.hall import Hall, Order
from tests.servers.venues.oanda_log import Log, Record

__all__ = ["Orders"]

REASONS = {
    "TickSize": "PRICE_PRECISION_EXCEEDED",
    "StepSize": "UNITS_PRECISION_EXCEEDED",
    "MinQty": "UNITS_MIMIMUM_NOT_MET",
    "MinNotional": "UNITS_MIMIMUM_NOT_MET",
    "UnknownSymbol": "INSTRUMENT_UNKNOWN",
    "NoMarketPrice": "INSTRUMENT_PRICE_UNKNOWN",
    "InsufficientFunds": "INSUFFICIENT_MARGIN",
    "ReduceOnly": "CLOSEOUT_POSITION_DOESNT_EXIST",
    "MarketHalted": "MARKET_HALTED",
}
FILLING = {"INSUFFICIENT_MARGIN", "MARKET_HALTED", "INSTRUMENT_PRICE_UNKNOWN"}
"""What a market order is cancelled for after it was made; all else is refused before."""


class Orders:
    """What is mixed into the server. ``later`` is what follows from a fill once the hall is done with it."""

    hall: Hall
    log: Log
    records: dict[str, Record]
    later: list[Callable[[], None]]
    held: dict[str, Decimal]
    max_units: Decimal
    symbol: Callable[[str], str]
    name: Callable[[str], str]
    halted = False
    reissues = True

    # --- what happens --------------------------------------------------------------------------------------------------

    def has_changed(self, order: Order) -> None:
        record = self.records.get(order.request.client_order_id)
        if record is None:
            return
        if order.state is OrderState.OPEN and not record.id:
            self.log.created(record, "ON_FILL" if record.parent else "CLIENT_ORDER")
        elif (
            order.state is OrderState.PARTIALLY_FILLED
            and record.kind == "LIMIT"
            and self.reissues
            and not record.parent
        ):
            old, record.units = (
                record.id,
                record.units.copy_sign(record.units) - order.fills[-1].qty.copy_sign(record.units),
            )
            self.log.created(record, "REPLACEMENT", replacesOrderID=old)
        elif order.state is OrderState.FILLED:
            record.state = "FILLED"
        elif order.state is OrderState.CANCELLED and record.state == "PENDING" and not record.silent:
            self.log.cancelled(record, record.cancel_reason)

    def was_filled(self, fill: FillReport) -> None:
        record = self.records.get(fill.client_order_id)
        if record is None:
            return
        held = self.held.get(fill.symbol, Decimal(0))
        signed = fill.qty if fill.side is OrderSide.BUY else -fill.qty
        closing = min(abs(held), fill.qty) if held * signed < 0 else Decimal(0)
        self.held[fill.symbol] = held + signed
        if not record.id:
            self.log.created(record)
        entry = self.log.filled(record, fill, self.name(fill.symbol), fill.qty - closing)
        if "tradeOpened" in entry:
            self.later.append(lambda: self._dependents(record, fill, entry))
        if record.parent:
            self.later.append(lambda: self._unlink(record))

    def do_later(self) -> None:
        while self.later:
            self.later.pop(0)()

    def _dependents(self, record: Record, fill: FillReport, entry: dict[str, Any]) -> None:
        """Make the stop and the target that an entry asked for."""
        leaves = OrderSide.SELL if fill.side is OrderSide.BUY else OrderSide.BUY
        for name, kind in (("stopLossOnFill", "STOP_LOSS"), ("takeProfitOnFill", "TAKE_PROFIT")):
            if (wanted := record.body.get(name)) is None:
                continue
            body = {"tradeID": entry["id"], "orderFillTransactionID": entry["id"]} | wanted
            price = Decimal(wanted["price"])
            self._rest_of_trade(Record("", body, kind, -fill.qty), fill.symbol, leaves, fill.qty, price)

    def _rest_of_trade(self, made: Record, symbol: str, side: OrderSide, qty: Decimal, price: Decimal) -> None:
        made.parent = str(made.body["tradeID"])
        made.key = self._key(made.client_id)
        self.records[made.key] = made
        stops = made.kind == "STOP_LOSS"
        self.hall.place(
            OrderRequest(
                client_order_id=made.key,
                symbol=symbol,
                side=side,
                type=OrderType.STOP if stops else OrderType.LIMIT,
                qty=qty,
                price=None if stops else price,
                stop_price=price if stops else None,
                reduce_only=True,
            )
        )

    def _unlink(self, record: Record) -> None:
        """End the other orders of a trade that was closed by one of them."""
        for each in list(self.records.values()):
            if each.parent == record.parent and each is not record and each.state == "PENDING":
                each.cancel_reason = "LINKED_TRADE_CLOSED"
                if each.kind == "TRAILING_STOP_LOSS":
                    self.log.cancelled(each, each.cancel_reason)
                elif (order := self.hall.find(each.key)) is not None:
                    self.hall.cancel(order)

    def trail(self, tick: PriceTick) -> None:
        for each in list(self.records.values()):
            if (
                each.kind != "TRAILING_STOP_LOSS"
                or each.state != "PENDING"
                or each.instrument != self.name(tick.symbol)
            ):
                continue
            distance, long = Decimal(each.body["distance"]), each.units < 0
            met = tick.bid if long else tick.ask
            best = each.best if each.best is not None else met
            each.best = max(best, met) if long else min(best, met)
            if abs(each.best - met) >= distance:
                each.state = "FILLED"
                side = OrderSide.SELL if long else OrderSide.BUY
                self.later.append(lambda each=each, side=side: self._trigger(each, tick.symbol, side))

    def _trigger(self, record: Record, symbol: str, side: OrderSide) -> None:
        self.hall.place(
            OrderRequest(
                client_order_id=record.key,
                symbol=symbol,
                side=side,
                type=OrderType.MARKET,
                qty=abs(record.units),
                reduce_only=True,
            )
        )

    # --- orders --------------------------------------------------------------------------------------------------------

    def _key(self, client_id: str) -> str:
        wanted = client_id or f"anonymous{len(self.records)}"
        return wanted if wanted not in self.records else f"{wanted}x{len(self.records)}"

    async def create(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.text())["order"]
            units = Decimal(str(body.get("units", "0")))
        except (ValueError, KeyError, InvalidOperation):
            return web.json_response({"errorMessage": "Invalid JSON, ParseErrorCode: 3"}, status=400)
        record = Record("", body, str(body["type"]), units)
        record.key = self._key(record.client_id)
        before = len(self.log.entries)
        if record.kind == "TRAILING_STOP_LOSS":
            reason = self._take_trailing(record)
        else:
            reason = self._broken(record) or self._take(record)
        self.do_later()
        return self._answer(before, reason, record)

    def _broken(self, record: Record) -> str:
        """Return what the venue refuses before it looks at money."""
        instrument = self.hall.instruments().get(self.symbol(record.instrument))
        if instrument is None:
            return "INSTRUMENT_UNKNOWN"
        if record.client_id and any(
            each.client_id == record.client_id and each.state == "PENDING" for each in self.records.values()
        ):
            return "CLIENT_ORDER_ID_ALREADY_EXISTS"
        if record.units % instrument.rules.step_size:
            return "UNITS_PRECISION_EXCEEDED"
        if abs(record.units) < instrument.rules.min_qty:
            return "UNITS_MIMIMUM_NOT_MET"
        if abs(record.units) > self.max_units:
            return "UNITS_LIMIT_EXCEEDED"
        for name in ("price", "priceBound"):
            if name in record.body and Decimal(record.body[name]) % instrument.rules.tick_size:
                return f"{'PRICE' if name == 'price' else 'PRICE_BOUND'}_PRECISION_EXCEEDED"
        if self.halted and record.kind != "MARKET":
            return "MARKET_HALTED"
        return ""

    def _take(self, record: Record) -> str:
        """Give an order to the hall; return why it was refused."""
        body = record.body
        if self.halted:
            self.log.created(record)
            self.log.cancelled(record, "MARKET_HALTED")
            return ""
        bound = body.get("priceBound")
        kind = {
            "MARKET": OrderType.IOC if bound else OrderType.MARKET,
            "LIMIT": OrderType.LIMIT,
            "STOP": OrderType.STOP,
        }
        price = bound if record.kind == "MARKET" else body.get("price")
        self.records[record.key] = record
        record.cancel_reason = "BOUNDS_VIOLATION" if record.kind == "MARKET" else "CLIENT_REQUEST"
        order = self.hall.place(
            OrderRequest(
                client_order_id=record.key,
                symbol=self.symbol(record.instrument),
                side=OrderSide.BUY if record.units > 0 else OrderSide.SELL,
                type=kind[record.kind],
                qty=abs(record.units),
                price=Decimal(price) if price and record.kind != "STOP" else None,
                stop_price=Decimal(price) if price and record.kind == "STOP" else None,
                reduce_only=body.get("positionFill") == "REDUCE_ONLY",
            )
        )
        if order.state is OrderState.REJECTED:
            reason = REASONS.get(order.code, order.code)
            record.state = "CANCELLED"
            if record.kind == "MARKET" and reason in FILLING:
                self.log.created(record)
                self.log.cancelled(record, reason)
                return ""
            return reason
        if record.kind == "MARKET" and not order.state.final:
            record.silent = bool(order.filled)
            self.hall.cancel(order)
            record.state = "FILLED" if order.filled else "CANCELLED"
        return ""

    def _take_trailing(self, record: Record) -> str:
        trade = str(record.body.get("tradeID"))
        opened = next((each for each in self.log.entries if each["id"] == trade and "tradeOpened" in each), None)
        if opened is None:
            return "TRADE_DOESNT_EXIST"
        record.parent = trade
        record.body["instrument"] = opened["instrument"]
        record.units = -Decimal(opened["tradeOpened"]["units"])
        self.records[record.key] = record
        self.log.created(record)
        return ""

    def _answer(self, before: int, reason: str, record: Record) -> web.Response:
        if reason:
            entry = self.log.rejected(record, reason)
            said = {"orderRejectTransaction": entry, "errorCode": reason, "errorMessage": reason.replace("_", " ")}
            status = 404 if reason in ("INSTRUMENT_UNKNOWN", "TRADE_DOESNT_EXIST") else 400
            return web.json_response(said | self._ids(before), status=status)
        said = {}
        for entry in self.log.entries[before:]:
            if entry["type"] == f"{record.kind}_ORDER" and "replacesOrderID" not in entry:
                said["orderCreateTransaction"] = entry
            elif entry.get("orderID") in (record.id, *record.old_ids):
                said["orderFillTransaction" if entry["type"] == "ORDER_FILL" else "orderCancelTransaction"] = entry
            elif "replacesOrderID" in entry:
                said["orderReissueTransaction"] = entry
        return web.json_response(said | self._ids(before), status=201)

    def _ids(self, before: int) -> dict[str, Any]:
        related = [each["id"] for each in self.log.entries[before:]]
        return {"relatedTransactionIDs": related, "lastTransactionID": self.log.last}

    async def cancel(self, request: web.Request) -> web.Response:
        record, before = self.find(request.match_info["name"]), len(self.log.entries)
        if record is None or record.state != "PENDING":
            name = request.match_info["name"]
            entry = self.log.add("ORDER_CANCEL_REJECT", orderID=name, rejectReason="ORDER_DOESNT_EXIST")
            said = {"orderCancelRejectTransaction": entry, "errorCode": "ORDER_DOESNT_EXIST"}
            said |= {"errorMessage": "The Order specified does not exist"}
            return web.json_response(said | self._ids(before), status=404)
        if record.kind == "TRAILING_STOP_LOSS":
            self.log.cancelled(record, "CLIENT_REQUEST")
        elif (order := self.hall.find(record.key)) is not None:
            self.hall.cancel(order)
        return web.json_response({"orderCancelTransaction": self.log.entries[before]} | self._ids(before))

    async def replace(self, request: web.Request) -> web.Response:
        record, before = self.find(request.match_info["name"]), len(self.log.entries)
        body = json.loads(await request.text())["order"]
        if record is None or record.state != "PENDING":
            said = {"errorCode": "ORDER_DOESNT_EXIST", "errorMessage": "The Order specified does not exist"}
            return web.json_response(said, status=404)
        old, order = record.id, self.hall.find(record.key)
        assert order is not None
        record.silent = True
        self.hall.cancel(order)
        self.log.cancelled(record, "CLIENT_REQUEST_REPLACED", replacedByOrderID=str(len(self.log.entries) + 2))
        fresh = Record(
            "", body | {"clientExtensions": record.body.get("clientExtensions", {})}, body["type"], record.units
        )
        fresh.units, fresh.key = Decimal(body["units"]), self._key(record.client_id)
        fresh.body["replacesOrderID"] = old
        reason = self._broken(fresh) or self._take(fresh)
        said = {
            "orderCancelTransaction": self.log.entries[before],
            "orderCreateTransaction": self.log.entries[before + 1],
        }
        assert not reason, reason
        return web.json_response(said | self._ids(before), status=201)

    def find(self, name: str) -> Record | None:
        """Return an order by its number, or a pending one by ``@`` and its client id."""
        for each in reversed(self.records.values()):
            if name.startswith("@"):
                if each.client_id == name[1:] and each.state == "PENDING":
                    return each
            elif name == each.id or name in each.old_ids:
                return each
        return None

"""The questions that a v20 server answers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from aiohttp import web

from protocol.instruments import Instrument
from protocol.market import PriceTick
from protocol.orders import Position
from tests.servers.venues.hall import NS, Hall
from tests.servers.venues.oanda_log import ACCOUNT, Log, Record, rfc3339, text
from venues.oanda.words import instant_of

__all__ = ["GRANULARITIES", "Reads"]

GRANULARITIES = {"M1": 60, "M5": 300, "M15": 900, "H1": 3_600, "H4": 14_400, "D": 86_400}


class Reads:
    """What is mixed into the server; ``financing`` are the yearly rates of long and short positions."""

    hall: Hall
    log: Log
    records: dict[str, Record]
    find: Callable[[str], Record | None]
    halted: bool
    max_units: Decimal
    financing: tuple[str, str] | None = ("-0.0215", "0.0047")
    margin_rate = Decimal("0.05")

    # --- names ---------------------------------------------------------------------------------------------------------

    def symbol(self, name: str) -> str:
        base, _, quote = name.partition("_")
        return f"{base}/{quote}:{quote}"

    def name(self, symbol: str) -> str:
        return symbol.partition(":")[0].replace("/", "_", 1)

    # --- the account ---------------------------------------------------------------------------------------------------

    async def summary(self, _: web.Request) -> web.Response:
        balance = self.hall.balances()[0]
        cash = balance.free + balance.locked
        floating = sum((self._floating(each) for each in self.hall.positions()), Decimal(0))
        account = {
            "id": ACCOUNT,
            "alias": "bench",
            "currency": balance.currency,
            "createdTime": self.log.entries[0]["time"],
            "createdByUserID": 1435156,
            "hedgingEnabled": False,
            "balance": text(cash),
            "NAV": text(cash + floating),
            "unrealizedPL": text(floating),
            "marginUsed": text(balance.locked),
            "marginAvailable": text(max(Decimal(0), balance.free + floating)),
            "marginRate": text(self.margin_rate),
            "marginCloseoutMarginUsed": text(balance.locked),
            "marginCloseoutNAV": text(cash + floating),
            "openPositionCount": len(self.hall.positions()),
            "pendingOrderCount": len(self._pending()),
            "lastTransactionID": self.log.last,
        }
        return web.json_response({"account": account, "lastTransactionID": self.log.last})

    def _floating(self, position: Position) -> Decimal:
        tick = self.hall.quote(position.symbol)
        if tick is None:
            return Decimal(0)
        price = tick.bid if position.qty > 0 else tick.ask
        return position.qty * (price - self.hall.entry_price(position.symbol))

    async def instruments(self, _: web.Request) -> web.Response:
        found = [self._instrument(each) for each in self.hall.instruments().values()]
        return web.json_response({"instruments": found, "lastTransactionID": self.log.last})

    def _instrument(self, market: Instrument) -> dict[str, Any]:
        digits = -int(market.rules.tick_size.adjusted())
        said = {
            "name": self.name(market.symbol),
            "type": "CURRENCY",
            "displayName": market.symbol,
            "pipLocation": 1 - digits,
            "displayPrecision": digits,
            "tradeUnitsPrecision": max(0, -int(market.rules.step_size.adjusted())),
            "minimumTradeSize": text(market.rules.min_qty),
            "maximumTrailingStopDistance": "1.00000",
            "minimumTrailingStopDistance": text(market.rules.tick_size * 50),
            "maximumPositionSize": "0",
            "maximumOrderUnits": text(self.max_units),
            "marginRate": text(self.margin_rate),
        }
        if self.financing is not None:
            long, short = self.financing
            said["financing"] = {"longRate": long, "shortRate": short, "financingDaysOfWeek": []}
        return said

    async def open_positions(self, _: web.Request) -> web.Response:
        found = []
        for each in self.hall.positions():
            held = {"units": text(each.qty), "averagePrice": text(self.hall.entry_price(each.symbol)), "pl": "0"}
            flat = {"units": "0", "pl": "0"}
            long, short = (held, flat) if each.qty > 0 else (flat, held)
            found.append({"instrument": self.name(each.symbol), "long": long, "short": short, "pl": "0"})
        return web.json_response({"positions": found, "lastTransactionID": self.log.last})

    async def open_trades(self, _: web.Request) -> web.Response:
        opened = [each for each in self.log.entries if "tradeOpened" in each]
        found = [{"id": each["id"], "instrument": each["instrument"], "state": "OPEN"} for each in opened]
        return web.json_response({"trades": found, "lastTransactionID": self.log.last})

    # --- orders --------------------------------------------------------------------------------------------------------

    def _pending(self) -> list[Record]:
        return [each for each in self.records.values() if each.state == "PENDING" and each.id]

    async def pending_orders(self, _: web.Request) -> web.Response:
        found = [self._order(each) for each in self._pending()]
        return web.json_response({"orders": found, "lastTransactionID": self.log.last})

    def _order(self, record: Record) -> dict[str, Any]:
        fields = {key: value for key, value in record.body.items() if key not in ("instrument", "units")}
        said = fields | {"id": record.id, "type": record.kind, "state": record.state, "createTime": rfc3339(record.at)}
        if not record.parent:
            said |= {"instrument": record.instrument, "units": text(record.units)}
        if record.fill_id:
            said |= {"fillingTransactionID": record.fill_id}
        return said

    async def order_details(self, request: web.Request) -> web.Response:
        record = self.find(request.match_info["name"])
        if record is None or not record.id:
            said = {"errorCode": "NO_SUCH_ORDER", "errorMessage": "The order ID specified does not exist"}
            return web.json_response(said | {"lastTransactionID": self.log.last}, status=404)
        return web.json_response({"order": self._order(record), "lastTransactionID": self.log.last})

    # --- prices --------------------------------------------------------------------------------------------------------

    def price(self, tick: PriceTick) -> dict[str, Any]:
        return {
            "instrument": self.name(tick.symbol),
            "time": rfc3339(tick.at),
            "status": "non-tradeable" if self.halted else "tradeable",
            "tradeable": not self.halted,
            "bids": [{"price": text(tick.bid), "liquidity": 10_000_000}],
            "asks": [{"price": text(tick.ask), "liquidity": 10_000_000}],
            "closeoutBid": text(tick.bid),
            "closeoutAsk": text(tick.ask),
        }

    async def pricing(self, request: web.Request) -> web.Response:
        ticks = [self.hall.quote(self.symbol(name)) for name in request.query["instruments"].split(",")]
        found = [self.price(each) for each in ticks if each is not None]
        return web.json_response({"time": rfc3339(self.hall.now()), "prices": found})

    async def candles(self, request: web.Request) -> web.Response:
        query, name = request.query, request.match_info["name"]
        seconds, now = GRANULARITIES[query["granularity"]], self.hall.now()
        if int(query["count"]) > 5_000:
            said = {"errorMessage": "Maximum value for 'count' exceeded"}
            return web.json_response(said, status=400)
        since = instant_of(query["from"])
        spread = {"M": Decimal(0), "B": Decimal("-0.1"), "A": Decimal("0.1")}[query["price"]]
        side = {"M": "mid", "B": "bid", "A": "ask"}[query["price"]]
        found = []
        for each in self.hall.candles(self.symbol(name), seconds, since, int(query["count"])):
            prices = {"o": each.open, "h": each.high, "l": each.low, "c": each.close}
            found.append(
                {
                    "time": rfc3339(each.at),
                    "volume": int(each.volume),
                    "complete": each.at + seconds * NS <= now,
                    side: {key: text(value + spread) for key, value in prices.items()},
                }
            )
        return web.json_response({"instrument": name, "granularity": query["granularity"], "candles": found})

    # --- the log -------------------------------------------------------------------------------------------------------

    async def transactions(self, request: web.Request) -> web.Response:
        size, since = int(request.query.get("pageSize", 100)), request.query.get("from", "")
        kinds = request.query.get("type", "")
        numbers = [int(each["id"]) for each in self.log.entries if each["time"] >= since]
        first = [numbers[0]] if numbers else []
        base = f"https://api-fxpractice.oanda.com/v3/accounts/{ACCOUNT}/transactions/idrange"
        pages = []
        for start in first and range(first[0], len(self.log.entries) + 1, size):
            end = min(start + size - 1, len(self.log.entries))
            pages.append(f"{base}?from={start}&to={end}" + (f"&type={kinds}" if kinds else ""))
        said = {"from": since, "to": rfc3339(self.hall.now()), "pageSize": size, "count": len(numbers), "pages": pages}
        return web.json_response(said | {"lastTransactionID": self.log.last})

    async def transactions_since(self, request: web.Request) -> web.Response:
        return self._transactions(self.log.entries[int(request.query["id"]) :][:1_000])

    async def transactions_between(self, request: web.Request) -> web.Response:
        first, last = int(request.query["from"]), int(request.query["to"])
        kinds = request.query.get("type", "")
        found = [each for each in self.log.entries[first - 1 : last] if kinds in ("", each["type"])]
        return self._transactions(found)

    async def transaction(self, request: web.Request) -> web.Response:
        entry = self.log.entries[int(request.match_info["number"]) - 1]
        return web.json_response({"transaction": entry, "lastTransactionID": self.log.last})

    def _transactions(self, found: list[dict[str, Any]]) -> web.Response:
        return web.json_response({"transactions": found, "lastTransactionID": self.log.last})

"""What the TWS gateway answers to questions: account, positions, orders of the day, contracts, quotes, chains, history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from protocol.market import PriceTick
from tests.servers.venues.hall import NS
from tests.servers.venues.tws_words import Listed, contract_details

if TYPE_CHECKING:
    from tests.servers.venues.tws import Connection, TwsVenue

__all__ = ["Answers"]

DURATIONS = {"S": 1, "D": 86_400, "W": 7 * 86_400}
BARS = {"1 min": 60, "5 mins": 300, "15 mins": 900, "1 hour": 3600, "4 hours": 14_400, "1 day": 86_400}
Answer = Callable[["Connection", Sequence[str]], None]


class Answers:
    """``table``: message number -> what answers it. ``option_quotes`` says which options are quoted at once."""

    def __init__(self, venue: TwsVenue) -> None:
        self.venue = venue
        self.mute_options: set[int] = set()
        """Contracts whose quotes never come."""
        self.bare_options: set[int] = set()
        """Options that are quoted, but whose Greeks never come."""
        self.delta = 0.5
        """That of every call."""
        self.closed_at = ""
        """The last close, while the market is closed and nothing else is told of it."""
        self.read_only = False
        """Whether the gateway's API may only look: lists of orders are refused and never end."""
        self.refuse_data = 0
        """An error code that requests for quotes are refused with."""
        self.summary = {"NetLiquidation": "250000.50", "TotalCashValue": "200000.25", "AvailableFunds": "180000.00",
                        "MaintMarginReq": "20000.00", "DayTradesRemaining": "2"}  # fmt: skip
        self.table: dict[int, Answer] = {
            1: self._quotes, 2: self._no_quotes, 7: self._executions, 9: self._contracts, 5: self._open_orders,
            16: self._open_orders, 20: self._history, 49: self._time, 61: self._positions, 62: self._summary,
            76: self._account, 78: self._chain, 99: self._completed,
        }  # fmt: skip

    def local_time(self) -> str:
        """Return the gateway's clock as its greeting tells it."""
        at = datetime.fromtimestamp(self.venue.hall.now() // NS + self.venue.zone_s, UTC)
        return f"{at:%Y%m%d %H:%M:%S} Eastern Standard Time"

    def _time(self, to: Connection, fields: Sequence[str]) -> None:
        to.reply([49, 1, self.venue.hall.now() // NS])

    # --- orders of the day -----------------------------------------------------------------------------------------------

    def _open_orders(self, to: Connection, fields: Sequence[str]) -> None:
        if self.read_only:
            to.error(
                -1, 321, "Error validating request.-'bN' : cause - The API interface is currently in Read-Only mode."
            )
            return
        for live in self.venue.orders.of_today():
            mine = int(fields[0]) == 16 or live.ticket.client_id == to.client_id
            if not live.done and mine:
                for message in self.venue.orders.messages(live):
                    to.reply(message)
        to.reply([53, 1])

    def _completed(self, to: Connection, fields: Sequence[str]) -> None:
        for live in self.venue.orders.of_today():
            if live.done:
                to.reply(self.venue.orders.completed(live))
        to.reply([102])

    def _executions(self, to: Connection, fields: Sequence[str]) -> None:
        request = int(fields[2])
        for live in self.venue.orders.of_today():
            for number, contract, told in live.fills:
                for message in self.venue.orders.trade_messages(live, request, number, contract, told):
                    to.reply(message)
        to.reply([55, 1, request])

    # --- the account -------------------------------------------------------------------------------------------------------

    def _positions(self, to: Connection, fields: Sequence[str]) -> None:
        hall = self.venue.hall
        held = {each.symbol: each.qty for each in hall.positions()}
        coins = {each.currency: each.free + each.locked for each in hall.balances()}
        for contract in self.venue.contracts.values():
            size = Decimal(contract.multiplier or 1)
            spot = contract.kind in ("STK", "CRYPTO")
            qty = coins.get(contract.symbol, Decimal(0)) if spot else held.get(contract.market, Decimal(0)) / size
            if contract.market and qty:
                average = hall.entry_price(contract.market)
                to.reply([61, 3, self.venue.account, *contract.words(), qty, average])
        to.reply([62, 1])

    def _account(self, to: Connection, fields: Sequence[str]) -> None:
        request = int(fields[2])
        coins = {each.symbol for each in self.venue.contracts.values() if each.kind in ("STK", "CRYPTO")}
        for each in self.venue.hall.balances():
            if each.currency not in coins:
                to.reply(
                    [73, 1, request, self.venue.account, "", "CashBalance", each.free + each.locked, each.currency]
                )
        to.reply([73, 1, request, self.venue.account, "", "CashBalance", "0.00", "BASE"])
        to.reply([74, 1, request])

    def _summary(self, to: Connection, fields: Sequence[str]) -> None:
        request = int(fields[2])
        for tag, value in self.summary.items():
            to.reply([63, 1, request, self.venue.account, tag, value, "" if tag.startswith("Day") else "USD"])
        to.reply([64, 1, request])

    # --- contracts ---------------------------------------------------------------------------------------------------------

    def _contracts(self, to: Connection, fields: Sequence[str]) -> None:
        request, (con_id, symbol, kind, expiry, strike, right, _, _, _, currency) = int(fields[2]), fields[3:13]
        found = [
            each
            for each in self.venue.contracts.values()
            if (int(con_id) in (0, each.con_id))
            and symbol in ("", each.symbol)
            and kind in ("", each.kind)
            and each.expiry.startswith(expiry)
            and (not float(strike) or float(strike) == float(each.strike))
            and right in ("", each.right)
            and currency in ("", each.currency)
        ]
        for each in found:
            to.reply(contract_details(request, each))
        if found:
            to.reply([52, 1, request])
        else:
            to.error(request, 200, "No security definition has been found for the request")

    def _chain(self, to: Connection, fields: Sequence[str]) -> None:
        request, symbol, under = int(fields[1]), fields[2], fields[5]
        options = [each for each in self.venue.contracts.values() if each.kind == "OPT" and each.symbol == symbol]
        expiries = sorted({each.expiry for each in options})
        strikes = sorted({each.strike for each in options}, key=Decimal)
        for exchange in ("CBOE", "SMART") if options else ():
            head = [75, request, exchange, under, symbol, 100]
            to.reply([*head, len(expiries), *expiries, len(strikes), *strikes])
        to.reply([76, request])

    # --- prices ------------------------------------------------------------------------------------------------------------

    def _quotes(self, to: Connection, fields: Sequence[str]) -> None:
        request, contract = int(fields[2]), self.venue.contracts.get(int(fields[3] or 0))
        snapshot = fields[17] == "1"
        if contract is None:
            to.error(request, 200, "No security definition has been found for the request")
            return
        if self.refuse_data:
            to.error(request, self.refuse_data, "Requested market data is not subscribed.")
            return
        if contract.kind == "OPT":
            if contract.con_id not in self.mute_options:
                self._option(to, request, contract)
        else:
            if self.closed_at:
                to.reply([1, 6, request, 9, self.closed_at, 0, 0])
                return
            if not snapshot:
                to.tickers[request] = contract
            if (tick := self.venue.hall.quote(contract.market)) is not None:
                _quote(to.reply, request, tick, self.venue.hall.now())
        if snapshot:
            to.reply([57, 1, request])

    def _no_quotes(self, to: Connection, fields: Sequence[str]) -> None:
        to.tickers.pop(int(fields[2]), None)

    def hear(self, fact: Any) -> None:
        """Tell quotes to those who follow the market."""
        if isinstance(fact, PriceTick):
            for connection in tuple(self.venue.connections):
                for request, contract in tuple(connection.tickers.items()):
                    if contract.market == fact.symbol:
                        _quote(connection.tell, request, fact, self.venue.hall.now())

    def _option(self, to: Connection, request: int, each: Listed) -> None:
        strike = float(each.strike)
        to.reply([1, 6, request, 1, f"{strike / 100:.2f}", 10, 1])
        to.reply([1, 6, request, 2, f"{strike / 100 + 0.05:.2f}", 12, 1])
        sign = 1 if each.right == "C" else -1
        if each.con_id not in self.bare_options:
            to.reply([21, request, 13, 0, 0.2, self.delta * sign, strike / 100, 0, 0.03, 0.1, -0.02, 450.5])
        to.reply([2, 6, request, 27 if each.right == "C" else 28, 1000 + int(strike)])
        to.reply([2, 6, request, 8, 77])

    # --- history -----------------------------------------------------------------------------------------------------------

    def _history(self, to: Connection, fields: Sequence[str]) -> None:
        request, contract = int(fields[1]), self.venue.contracts[int(fields[2])]
        end, size, duration = fields[15], BARS[fields[16]], fields[17]
        if contract.con_id in self.mute_options:
            to.error(
                request, 162, "Historical Market Data Service error message:API historical data query pacing violation"
            )
            return
        count, unit = duration.split()
        last = int(datetime.strptime(end, "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC).timestamp())
        first = last - int(count) * DURATIONS[unit]
        bars = [
            each for each in self.venue.hall.candles(contract.market, size, first * NS, 5000) if each.at < last * NS
        ]
        rows = [
            [each.at // NS, each.open, each.high, each.low, each.close, each.volume, each.close, 1] for each in bars
        ]
        to.reply([17, request, "", "", len(rows), *(word for row in rows for word in row)])


def _quote(say: Callable[[list[Any]], None], request: int, tick: PriceTick, now: int) -> None:
    """Tell a quote; the protocol gives it no time, an old one is told as frozen."""
    say([58, 1, request, 2 if tick.at < now - 60 * NS else 1])
    say([1, 6, request, 1, tick.bid, 5, 1])
    say([1, 6, request, 2, tick.ask, 5, 1])
    say([1, 6, request, 4, tick.last, 5, 1])

"""What the account holds and is worth, asked anew each time: what the broker pushes is minutes old."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any, Final

from protocol.accounts import AccountState
from protocol.orders import Balance, Position
from protocol.values import MarketType
from rules.broker.pacing import Kind
from venues.errors import NetworkTimeout
from venues.ibkr.book import Book
from venues.ibkr.contracts import Contracts
from venues.ibkr.line import Line

__all__ = ["Account"]

_NETTED: Final = frozenset({"CASH", "FUT"})
_TAGS: Final = "NetLiquidation,TotalCashValue,AvailableFunds,MaintMarginReq,DayTradesRemaining"
_DAY_TRADES: Final = 3
"""Day trades that a small account may make within five days (FINRA 4210)."""


class Account:
    """One account of a connection."""

    def __init__(self, name: str, venue: str, market: MarketType, line: Line, book: Book, contracts: Contracts) -> None:
        self._name = name
        self._venue = venue
        self._market = market
        self._line = line
        self._book = book
        self._contracts = contracts

    async def balances(self) -> tuple[Balance, ...]:
        """Return cash by currency, and holdings on a spot account; what open orders would take is locked.

        The broker tells no locks by order: a buy locks its price, a sell what it sells. With margin less may be free than 0.
        """
        totals = await self._cash()
        if self._market is MarketType.SPOT:
            for held in await self._held():
                found = self._contracts.heard(held.contract)
                if held.contract.secType not in _NETTED and found is not None:
                    totals[found.instrument(self._venue).base] += self._exact(held) * found.size
        locked = self._book.locked() if self._market is MarketType.SPOT else {}
        return tuple(
            Balance(currency, total - locked.get(currency, Decimal(0)), locked.get(currency, Decimal(0)))
            for currency, total in sorted(totals.items())
            if total
        )

    async def positions(self) -> tuple[Position, ...]:
        """Return the netted positions in pairs and futures; shares, coins and options are balances."""
        if self._market is MarketType.SPOT:
            return ()
        found = [(held, self._contracts.heard(held.contract)) for held in await self._held()]
        return tuple(
            Position(known.name, self._exact(held) * known.size)
            for held, known in found
            if known is not None and held.contract.secType in _NETTED and held.position
        )

    async def state(self, now: int) -> AccountState:
        """Return worth and margin."""
        client = self._line.gateway.client
        number = self._line.number()
        ask = self._line.gateway.request
        try:
            await self._line.ask(
                Kind.ORDER, lambda: ask(number, lambda: client.reqAccountSummary(number, "All", _TAGS))
            )
        finally:
            await self._line.tell(lambda: client.cancelAccountSummary(number))  # the broker allows two at a time
        told = {
            tag: (value.value, value.currency)
            for (account, tag, _), value in self._line.gateway.wrapper.acctSummary.items()
            if account == self._line.account
        }
        if "NetLiquidation" not in told:
            raise NetworkTimeout(self._venue, "the gateway told no net liquidation value")
        left = int(Decimal(told.get("DayTradesRemaining", ("-1", ""))[0]))
        return AccountState(
            account=self._name,
            currency=told["NetLiquidation"][1],
            net_liquidation=Decimal(told["NetLiquidation"][0]),
            cash=Decimal(told["TotalCashValue"][0]),
            available_funds=Decimal(told["AvailableFunds"][0]),
            maintenance_margin=Decimal(told["MaintMarginReq"][0]),
            day_trades=None if left < 0 else max(_DAY_TRADES - left, 0),
            at=now,
        )

    async def held_qty(self, con_id: int) -> Decimal:
        """Return what is held of a contract, in the broker's units."""
        return next((self._exact(each) for each in await self._held() if each.contract.conId == con_id), Decimal(0))

    async def _cash(self) -> defaultdict[str, Decimal]:
        client = self._line.gateway.client
        number = self._line.number()
        account, ask = self._line.account, self._line.gateway.request
        values = self._line.gateway.wrapper.accountValues
        values.clear()  # a currency that is gone is not told any more
        send = lambda: client.reqAccountUpdatesMulti(number, account, "", True)  # noqa: E731 - sent in its turn
        try:
            await self._line.ask(Kind.ORDER, lambda: ask(number, send), alone="account", whole=True)
        finally:
            await self._line.tell(lambda: client.cancelAccountUpdatesMulti(number))
        cash: defaultdict[str, Decimal] = defaultdict(Decimal)
        for (_, tag, currency, _), value in values.items():
            if tag == "CashBalance" and currency != "BASE":
                cash[currency] = Decimal(value.value)
        return cash

    async def _held(self) -> list[Any]:
        held: list[Any] = await self._line.ask(
            Kind.ORDER, self._line.gateway.reqPositionsAsync, alone="positions", whole=True
        )
        return [each for each in held if each.account == self._line.account]

    def _exact(self, held: Any) -> Decimal:
        return Decimal(self._line.gateway.wrapper.held_as_written[held.contract.conId])

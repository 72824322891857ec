"""Option chains: which there are, and quotes, Greeks and open interest of one, asked at the broker's pace (DK-67)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import partial
from typing import Any, Final

from ib_async.contract import Contract

from protocol.market import PriceTick
from protocol.options import OptionChain, OptionContract, Right
from rules.broker.pacing import Kind
from venues.errors import NetworkTimeout, VenueError
from venues.ibkr.contracts import Contracts, Found
from venues.ibkr.described import contract_of, found_all
from venues.ibkr.errors import UnknownContract
from venues.ibkr.gateway import exact
from venues.ibkr.line import Line
from venues.ibkr.lines import Lines
from venues.ibkr.symbols import Wanted, expiry_words

__all__ = ["AT_A_TIME", "QUOTE_S", "Chains"]

AT_A_TIME: Final = 40
"""Contracts whose quotes are asked for at the same time: an account has about a hundred such lines."""

QUOTE_S: Final = 8.0
"""How long the quotes of one batch are waited for."""

_OPEN_INTEREST: Final = "101"


class Chains:
    """The option chains of one connection. A chain whose connection ends fails with VenueDown: it is asked for again."""

    def __init__(self, venue: str, line: Line, contracts: Contracts, now: Callable[[], int]) -> None:
        self._venue = venue
        self._line = line
        self._contracts = contracts
        self._now = now
        self._lines = Lines()

    async def expirations(self, underlying: Found) -> tuple[str, ...]:
        """Return the expirations of an underlying as ISO dates, nearest first."""
        told = await self._line.ask(
            Kind.DATA,
            lambda: self._line.gateway.reqSecDefOptParamsAsync(
                underlying.symbol, "", underlying.kind, underlying.con_id
            ),
        )
        found = {expiry for each in told for expiry in each.expirations}
        return tuple(expiry_words(each) for each in sorted(found))

    async def chain(
        self,
        underlying: Found,
        expiration: str,
        *,
        strikes: int,
        right: Right | None,
        price_of: Callable[[Found], Awaitable[tuple[PriceTick | None, Decimal | None]]],
    ) -> OptionChain:
        """Return the strikes around the price with what the broker tells of each; the whole of it, or an error."""
        listed = await self.expirations(underlying)
        if expiration not in listed:
            raise UnknownContract(self._venue, f"{underlying.symbol} has no options that expire on {expiration}")
        async with self._lines.held([underlying.con_id]):
            tick, near = await price_of(underlying)
        wanted = _around(await self._contracts_of(underlying, expiration, right), near, strikes)
        quoted: list[OptionContract] = []
        for start in range(0, len(wanted), AT_A_TIME):
            quoted += await self._batch(wanted[start : start + AT_A_TIME])
        return OptionChain(
            underlying=underlying.name,
            underlying_price=None if tick is None else tick.last,
            expirations=listed,
            contracts=tuple(quoted),
            complete=all(each.mid is not None for each in quoted),
            at=self._now(),
        )

    async def quotes(self, wanted: Sequence[Found]) -> tuple[OptionContract, ...]:
        """Return single options with fresh quotes and Greeks; NetworkTimeout when none of them is quoted in time."""
        other = next((each.name for each in wanted if each.kind not in ("OPT", "FOP")), None)
        if other is not None:
            raise UnknownContract(self._venue, f"{other} is no option")
        return tuple(await self._batch(wanted))

    async def _contracts_of(self, underlying: Found, expiration: str, right: Right | None) -> list[Found]:
        """Return all contracts of an expiration: one request without a strike names them all."""
        expiry, side = expiry_words(expiration), "" if right is None else right.value
        asked = Contract(
            secType="OPT",
            symbol=underlying.symbol,
            lastTradeDateOrContractMonth=expiry,
            right=side,
            exchange="SMART",
            currency=underlying.currency,
        )
        details = await self._line.ask(Kind.DATA, lambda: self._line.gateway.reqContractDetailsAsync(asked))
        found = [each for each in found_all(details) if each.expiry == expiry]
        await self._contracts.keep(
            (Wanted("OPT", each.symbol, each.currency, "SMART", expiry, each.strike, each.right), each)
            for each in found
        )
        return found

    async def _batch(self, wanted: Sequence[Found]) -> list[OptionContract]:
        tickers: list[tuple[Found, Any]] = []
        async with self._lines.held(each.con_id for each in wanted):
            try:
                for found in wanted:
                    ticker = await self._line.ask(Kind.DATA, partial(self._subscribe, found))
                    tickers.append((found, ticker))
                await self._quoted([ticker for _, ticker in tickers])
                return [_option(found, ticker) for found, ticker in tickers]
            finally:
                with suppress(VenueError):
                    for found, _ in tickers:
                        await self._line.ask(Kind.DATA, partial(self._unsubscribe, found))

    async def _subscribe(self, found: Found) -> Any:
        self._line.gateway.forget_quote(contract_of(found))
        return self._line.gateway.reqMktData(contract_of(found), _OPEN_INTEREST, False, False)

    async def _unsubscribe(self, found: Found) -> None:
        self._line.gateway.cancelMktData(contract_of(found))

    async def _quoted(self, tickers: Sequence[Any]) -> None:
        """Wait until every contract has its quote and Greeks; what does not come in time stays out."""
        changed = asyncio.Event()

        def wake(_: Any) -> None:
            changed.set()

        for ticker in tickers:
            ticker.updateEvent += wake
        over = asyncio.create_task(self._line.over())
        over.add_done_callback(lambda _: changed.set())
        try:
            async with asyncio.timeout(QUOTE_S):
                while not all(map(_complete, tickers)):
                    self._line.check()
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            if not any(map(_complete, tickers)):
                raise NetworkTimeout(self._venue, f"no quote of {len(tickers)} options within {QUOTE_S:g} s") from None
        finally:
            over.cancel()


def _around(found: Sequence[Found], price: Decimal | None, strikes: int) -> list[Found]:
    """Return the contracts of the ``strikes`` strikes nearest to the price, by strike; the middle ones without a price."""
    listed = sorted({each.strike for each in found})
    middle = price if price is not None else (listed[len(listed) // 2] if listed else Decimal(0))
    near = set(sorted(listed, key=lambda strike: (abs(strike - middle), strike))[:strikes])
    return sorted((each for each in found if each.strike in near), key=lambda each: (each.strike, each.right))


def _complete(ticker: Any) -> bool:
    return exact(ticker.bid) is not None and exact(ticker.ask) is not None and ticker.modelGreeks is not None


def _option(found: Found, ticker: Any) -> OptionContract:
    bid, ask = _price(ticker.bid), _price(ticker.ask)
    greeks = ticker.modelGreeks
    interest = ticker.callOpenInterest if found.right == "C" else ticker.putOpenInterest
    return OptionContract(
        symbol=found.name,
        underlying=f"{found.symbol}/{found.currency}",
        strike=found.strike,
        expiration=expiry_words(found.expiry),
        right=Right(found.right),
        bid=bid or Decimal(0),
        ask=ask or Decimal(0),
        mid=None if bid is None or ask is None else (bid + ask) / 2,
        delta=_number(greeks and greeks.delta),
        gamma=_number(greeks and greeks.gamma),
        theta=_number(greeks and greeks.theta),
        vega=_number(greeks and greeks.vega),
        implied_vol=_number(greeks and greeks.impliedVol),
        open_interest=int(exact(interest) or 0),
        volume=int(exact(ticker.volume) or 0),
        multiplier=int(found.multiplier),
    )


def _price(number: float) -> Decimal | None:
    price = exact(number)
    return price if price is not None and price >= 0 else None


def _number(number: float | None) -> float | None:
    return None if number is None or exact(number) is None else float(number)

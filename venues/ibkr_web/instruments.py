"""Contracts by name and by number, as the Web API tells them; what is found goes to both transports' cache (PF-235)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from protocol.values import MarketType
from venues.access import Access
from venues.errors import VenueError
from venues.ibkr.contracts import Contracts, Found
from venues.ibkr.errors import UnknownContract
from venues.ibkr.symbols import Wanted, read_symbol
from venues.ibkr_web.wire import Wire

__all__ = ["Instruments"]

_FUTURES: Final = "trsrv/futures"


class Instruments:
    """The contracts of one account. ``asked`` are those that somebody named, by number."""

    def __init__(self, access: Access, wire: Wire, contracts: Contracts) -> None:
        self._access = access
        self._wire = wire
        self._contracts = contracts
        self.asked: dict[int, Found] = {}

    async def find(self, symbol: str) -> Found:
        """Return a market's contract; raises UnknownContract."""
        wanted = read_symbol(symbol, self._access.market, self._access.venue)
        found = await self._contracts.find(wanted, self._lookup)
        self.asked[found.con_id] = found
        return found

    def known(self, con_id: int) -> Found | None:
        """Return a contract that was looked up before."""
        return self._contracts.by_id.get(con_id)

    async def learn(self, con_ids: Iterable[int]) -> None:
        """Look up contracts that only their numbers are known of: what somebody else holds or trades."""
        for con_id in dict.fromkeys(con_ids):
            if con_id not in self._contracts.by_id and (found := await self._described(con_id)) is not None:
                self._contracts.by_id[con_id] = found

    # --- looking up ----------------------------------------------------------------------------------------------------

    async def _lookup(self, wanted: Wanted) -> list[Found]:
        by_kind = {
            "STK": self._shares,
            "CASH": self._pairs,
            "FUT": self._futures,
            "OPT": self._options,
            "CRYPTO": self._coins,
        }
        found = [await self._described(each, wanted.exchange) for each in await by_kind[wanted.kind](wanted)]
        return [each for each in found if each is not None]

    async def _shares(self, wanted: Wanted) -> list[int]:
        told = await self._wire.ask("trsrv/stocks", {"symbols": wanted.symbol})
        listed = [each for name in told.get(wanted.symbol, ()) for each in name["contracts"]]
        # A name is listed in many places: of those in the United States there is one.
        return [int(each["conid"]) for each in listed if bool(each.get("isUS")) is (wanted.currency == "USD")]

    async def _pairs(self, wanted: Wanted) -> list[int]:
        name = f"{wanted.symbol}.{wanted.currency}"
        told = await self._wire.ask("iserver/currency/pairs", {"currency": wanted.symbol})
        return [int(each["conid"]) for each in told.get(wanted.symbol, ()) if each["symbol"] == name]

    async def _futures(self, wanted: Wanted) -> list[int]:
        told = await self._wire.ask(_FUTURES, {"symbols": wanted.symbol})
        return [
            int(each["conid"])
            for each in told.get(wanted.symbol, ())
            if wanted.expiry in (str(each["expirationDate"]), str(each.get("ltd", "")))
        ]

    async def _options(self, wanted: Wanted) -> list[int]:
        month = f"{datetime.strptime(wanted.expiry, '%Y%m%d').replace(tzinfo=UTC):%b%y}".upper()
        found: list[int] = []
        for each in await self._searched(wanted.symbol, "OPT"):
            asked = {
                "conid": str(each), "sectype": "OPT", "month": month, "strike": format(wanted.strike, "f"),
                "right": wanted.right,
            }  # fmt: skip
            told = await self._wire.ask("iserver/secdef/info", asked)
            found += [int(one["conid"]) for one in told if str(one["maturityDate"]) == wanted.expiry]
        return found

    async def _coins(self, wanted: Wanted) -> list[int]:
        return await self._searched(wanted.symbol, "CRYPTO")

    async def _searched(self, symbol: str, kind: str) -> list[int]:
        """Return the contracts of a name that have a section of a kind."""
        told = await self._wire.ask("iserver/secdef/search", {"symbol": symbol})
        return [
            int(each["conid"])
            for each in (told if isinstance(told, list) else ())
            if each.get("symbol") == symbol and any(one.get("secType") == kind for one in each.get("sections") or ())
        ]

    async def _described(self, con_id: int, exchange: str = "") -> Found | None:
        """Return a contract and its rules, None where the broker has no such number."""
        try:
            told = await self._wire.ask(f"iserver/contract/{con_id}/info-and-rules", {"isBuy": "true"})
        except VenueError as error:
            if type(error) is VenueError:
                return None
            raise
        if not told or "con_id" not in told:
            return None
        return _found(told, exchange)

    # --- what is told --------------------------------------------------------------------------------------------------

    def listed(self) -> list[Found]:
        """Return the contracts of the account's family that were asked for."""
        market = self._access.market
        told = [each for each in self.asked.values() if each.instrument(self._access.venue).market_type is market]
        return told if market in (MarketType.SPOT, MarketType.PERP) else []

    def unknown(self, symbol: str) -> UnknownContract:
        """Return the error for a symbol that means nothing here."""
        return UnknownContract(self._access.venue, f"{symbol!r} is no market of this account")


def _found(told: dict[str, Any], exchange: str) -> Found:
    """Return a contract as ``info-and-rules`` describes it.

    Shares, options and futures go by the whole; where parts are allowed the rules say how many places they may have. The
    broker tells no least quantity here.
    """
    kind, rules = str(told["instrument_type"]), told.get("rules") or {}
    places = int(rules.get("fraqInt") or 0) if kind == "CRYPTO" else 0
    step = Decimal(1).scaleb(-places)
    valid = str(told.get("valid_exchanges") or "").split(",")
    where = exchange if exchange in valid else str(told.get("exchange") or "")
    return Found(
        con_id=int(told["con_id"]),
        kind=kind,
        symbol=str(told["symbol"]),
        currency=str(told["currency"]),
        exchange=where,
        local=str(told.get("local_symbol") or ""),
        expiry=str(told.get("maturity_date") or ""),
        strike=Decimal(str(told.get("strike") or 0)),
        right=str(told.get("right") or "")[:1],
        multiplier=Decimal(str(told.get("multiplier") or 1)),
        tick=_tick(rules),
        min_size=step,
        increment=step,
    )


def _tick(rules: dict[str, Any]) -> Decimal:
    """Return the coarsest increment of the price: the finer ones hold only below some price."""
    bands = [Decimal(str(each["increment"])) for each in rules.get("incrementRules") or ()]
    told = [each for each in (*bands, Decimal(str(rules.get("increment") or 0))) if each > 0]
    return max(told, default=Decimal("0.01"))

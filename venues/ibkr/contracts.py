"""Contracts by their numeric ids: cache first, then the broker; only what matches exactly is kept (PF-235)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from protocol.instruments import Instrument, PrecisionRules
from protocol.values import MarketType
from venues.ibkr.errors import UnknownContract
from venues.ibkr.notes import write_whole
from venues.ibkr.symbols import Wanted, symbol_of

__all__ = ["Contracts", "Found", "FoundMany", "Lookup", "matches"]

Lookup = Callable[[Wanted], Awaitable[list["Found"]]]
"""Asks the broker what it has of a name."""

_SPOT: Final = frozenset({"STK", "CRYPTO", "OPT", "FOP"})
_FEES: Final = {
    "STK": Decimal("0.0005"),
    "CRYPTO": Decimal("0.0018"),
    "CASH": Decimal("0.00002"),
    "FUT": Decimal("0.00002"),
}
"""Rough fractions of notional: this broker charges by share, contract or tier. What a trade cost is told with its fill."""


class Found(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A contract that the broker knows, and the rules of its orders; sizes in the broker's units (contracts)."""

    con_id: int
    kind: str
    symbol: str
    currency: str
    exchange: str
    local: str
    expiry: str
    strike: Decimal
    right: str
    multiplier: Decimal
    tick: Decimal
    min_size: Decimal
    increment: Decimal

    @property
    def name(self) -> str:
        """Return our symbol."""
        return symbol_of(self.kind, self.symbol, self.currency, self.expiry, self.strike, self.right)

    @property
    def size(self) -> Decimal:
        """Return base units a unit of the broker's: the multiplier of futures and options, else 1."""
        return self.multiplier if self.kind in ("FUT", "OPT", "FOP") else Decimal(1)

    def instrument(self, venue: str) -> Instrument:
        """Return the market as the engine knows markets: sizes in base units."""
        fee = _FEES.get(self.kind, Decimal("0.001"))
        return Instrument(
            venue=venue,
            symbol=self.name,
            venue_symbol=self.local or self.symbol,
            base=self.name.partition("/")[0] if self.kind not in ("OPT", "FOP") else self.name,
            quote=self.currency,
            market_type=MarketType.SPOT if self.kind in _SPOT else MarketType.PERP,
            rules=PrecisionRules(self.tick, self.increment * self.size, self.min_size * self.size, Decimal(0)),
            contract_size=self.size,
            maker_fee=fee,
            taker_fee=fee,
        )


FoundMany = dict[str, Found]


class Contracts:
    """All contracts that were looked up, by what was wanted; kept in a file of the folder."""

    def __init__(self, venue: str, folder: str) -> None:
        self._venue = venue
        self._file = Path(folder) / "contracts.json" if folder else None
        self._known: FoundMany = {}
        self.by_id: dict[int, Found] = {}
        self._writing = asyncio.Lock()

    def load(self, today: str) -> None:
        """Read the cache, without what has expired before ``today`` (YYYYMMDD); a file that cannot be read is no cache."""
        if self._file is None or not self._file.exists():
            return
        try:
            known = msgspec.json.decode(self._file.read_bytes(), type=FoundMany)
        except (msgspec.DecodeError, ValueError):
            return
        for key, found in known.items():
            if not found.expiry or found.expiry >= today:
                self._keep(key, found)

    def _keep(self, key: str, found: Found) -> None:
        self._known[key] = self.by_id[found.con_id] = found

    def cached(self, wanted: Wanted) -> Found | None:
        """Return a contract that was looked up before."""
        return self._known.get(wanted.key)

    async def find(self, wanted: Wanted, lookup: Lookup) -> Found:
        """Return the one contract that is wanted; raises UnknownContract when there is none, or more than one."""
        if (known := self._known.get(wanted.key)) is not None:
            return known
        matching = [each for each in await lookup(wanted) if matches(each, wanted)]
        if len({each.con_id for each in matching}) != 1:
            word = "several contracts are" if matching else "no contract is"
            raise UnknownContract(
                self._venue, f"{word} {wanted.symbol} in {wanted.currency} at {wanted.exchange or 'any'}"
            )
        await self.keep([(wanted, matching[0])])
        return matching[0]

    async def keep(self, pairs: Iterable[tuple[Wanted, Found]]) -> None:
        """Take contracts into the cache, those that are what was wanted and no others; write the file."""
        for wanted, found in pairs:
            if matches(found, wanted):
                self._keep(wanted.key, found)
        if self._file is not None:
            async with self._writing:  # two threads must not write one file
                await asyncio.to_thread(write_whole, self._file, json.dumps(msgspec.to_builtins(self._known), indent=1))

    def heard(self, contract: Any) -> Found | None:
        """Return what we know of a contract in a message, by its id."""
        return self.by_id.get(int(contract.conId))


def matches(found: Found, wanted: Wanted) -> bool:
    """Say whether symbol, currency and exchange are what was asked for (and kind, expiry, strike and right)."""
    return (
        (found.kind, found.symbol, found.currency) == (wanted.kind, wanted.symbol, wanted.currency)
        and wanted.exchange in ("", found.exchange)
        and found.expiry.startswith(wanted.expiry)
        and wanted.strike in (0, found.strike)
        and wanted.right in ("", found.right)
    )

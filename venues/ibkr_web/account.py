"""What the account holds and is worth, asked for anew each time."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from protocol.accounts import AccountState
from protocol.orders import Balance, Position
from protocol.values import MarketType
from venues.access import Access
from venues.errors import VenueDown
from venues.ibkr_web.book import Book, Row, exact
from venues.ibkr_web.instruments import Instruments
from venues.ibkr_web.session import Session
from venues.ibkr_web.wire import Wire

__all__ = ["Account"]

_NETTED: Final = frozenset({"CASH", "FUT"})
_PAGE: Final = 100
_PAGES: Final = 50
_BASE: Final = "BASE"


class Account:
    """One account of a connection."""

    def __init__(self, access: Access, wire: Wire, session: Session, book: Book, instruments: Instruments) -> None:
        self._access = access
        self._wire = wire
        self._session = session
        self._book = book
        self._instruments = instruments

    async def open(self) -> None:
        """Ask for the list of accounts: the broker wants that once before it tells of any."""
        await self._wire.ask("portfolio/accounts")

    @property
    def _path(self) -> str:
        return f"portfolio/{self._session.account}"

    async def balances(self) -> tuple[Balance, ...]:
        """Return cash by currency, and holdings on a spot account; what open orders would take is locked there."""
        told = await self._wire.ask(f"{self._path}/ledger")
        if not isinstance(told, dict):
            raise VenueDown(self._access.venue, "a ledger that is none")
        totals = {
            str(currency): exact(row.get("cashbalance")) or Decimal(0)
            for currency, row in told.items()
            if currency != _BASE
        }
        locked: dict[str, Decimal] = {}
        if self._access.market is MarketType.SPOT:
            for row in await self._held():
                found = self._instruments.known(self._book.con_id(row))
                if found is not None and found.kind not in _NETTED:
                    base = found.instrument(self._access.venue).base
                    totals[base] = totals.get(base, Decimal(0)) + (exact(row["position"]) or Decimal(0)) * found.size
            locked = self._book.locked()
        return tuple(
            Balance(currency, total - locked.get(currency, Decimal(0)), locked.get(currency, Decimal(0)))
            for currency, total in sorted(totals.items())
            if total
        )

    async def positions(self) -> tuple[Position, ...]:
        """Return the netted positions in pairs and futures; shares, coins and options are balances."""
        if self._access.market is MarketType.SPOT:
            return ()
        found = [(row, self._instruments.known(self._book.con_id(row))) for row in await self._held()]
        return tuple(
            Position(contract.name, qty * contract.size)
            for row, contract in found
            if contract is not None and contract.kind in _NETTED and (qty := exact(row["position"]) or Decimal(0))
        )

    async def held_qty(self, con_id: int) -> Decimal:
        """Return what is held of a contract, in the broker's units."""
        rows = await self._held()
        return next(
            (exact(row["position"]) or Decimal(0) for row in rows if self._book.con_id(row) == con_id), Decimal(0)
        )

    async def state(self, now: int) -> AccountState:
        """Return worth and margin."""
        told = await self._wire.ask(f"{self._path}/summary")
        worth = told.get("netliquidation") or {}
        if not worth.get("currency"):
            raise VenueDown(self._access.venue, "the broker told no net liquidation value")
        return AccountState(
            account=self._access.account,
            currency=str(worth["currency"]),
            net_liquidation=_amount(told, "netliquidation"),
            cash=_amount(told, "totalcashvalue"),
            available_funds=_amount(told, "availablefunds"),
            maintenance_margin=_amount(told, "maintmarginreq"),
            at=now,
        )

    async def _held(self) -> list[Row]:
        """Return all positions, past the broker's cache; contracts that were not known are looked up."""
        await self._wire.ask(f"{self._path}/positions/invalidate", method="POST")
        held: list[Row] = []
        for page in range(_PAGES):
            rows = await self._wire.ask(f"{self._path}/positions/{page}")
            if not isinstance(rows, list):
                raise VenueDown(self._access.venue, "a list of positions that is none")
            held += rows
            if len(rows) < _PAGE:
                break
        await self._instruments.learn(self._book.con_id(row) for row in held)
        return held


def _amount(told: dict[str, Any], name: str) -> Decimal:
    return exact((told.get(name) or {}).get("amount")) or Decimal(0)

"""What some venues can do beyond the contract: an adapter that can has these methods, ``isinstance`` tells.

Every method may raise any ``VenueError``; units as in the contract.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple, Protocol, runtime_checkable

from protocol.accounts import AccountState
from protocol.options import OptionChain, OptionContract, Right
from protocol.orders import OrderReport, OrderRequest
from protocol.rates import FundingRate, OpenInterest, SwapRates
from protocol.values import OrderSide

__all__ = [
    "Amends",
    "Combo",
    "ComboLeg",
    "HasAccountState",
    "HasChains",
    "HasFunding",
    "HasHours",
    "HasMarketFacts",
    "HasSwapRates",
    "HasTrades",
    "KeyRights",
    "MarketFacts",
    "PublicTrade",
    "TakesBrackets",
    "TakesCombos",
    "TellsKeyRights",
]


class MarketFacts(NamedTuple):
    """What an audit prints of a market beyond its ``Instrument``; None: the venue does not say."""

    max_leverage: Decimal | None = None
    min_stop_distance: Decimal | None = None
    """In quote currency, between the market and a stop."""
    session: str = ""
    """Hours in words; empty: round the clock."""


@runtime_checkable
class HasMarketFacts(Protocol):
    """Tells limits of single markets."""

    async def market_facts(self, symbol: str) -> MarketFacts:
        """Return what is known of a market."""
        ...


class KeyRights(NamedTuple):
    """What the venue says that a key may do; None: it does not say."""

    trade: bool | None = None
    withdraw: bool | None = None


@runtime_checkable
class TellsKeyRights(Protocol):
    """Says what the key that it was opened with may do."""

    async def key_rights(self) -> KeyRights:
        """Return the key's rights; those of the account behind it are not meant."""
        ...


@runtime_checkable
class HasHours(Protocol):
    """Trades markets that close: their silence is no fault then."""

    def is_open(self, symbol: str, at: int) -> bool:
        """Whether a market trades at an instant, as far as is known without asking."""
        ...


@runtime_checkable
class HasAccountState(Protocol):
    """Tells worth and margin of the account."""

    async def account_state(self) -> AccountState:
        """Return worth and margin now."""
        ...


@runtime_checkable
class HasFunding(Protocol):
    """Trades perpetuals."""

    async def funding_rate(self, symbol: str) -> FundingRate:
        """Return the next funding of a perpetual."""
        ...

    async def open_interest(self, symbol: str) -> OpenInterest:
        """Return how much of a perpetual is held."""
        ...


class PublicTrade(NamedTuple):
    """One trade of a market, whoever made it: ``side`` is the taker's, ``qty`` base units, ``at`` the venue's instant."""

    trade_id: str
    side: OrderSide
    qty: Decimal
    price: Decimal
    at: int


@runtime_checkable
class HasTrades(Protocol):
    """Tells what a market has traded."""

    async def recent_trades(self, symbol: str, limit: int = 100) -> tuple[PublicTrade, ...]:
        """Return the newest trades of a market, oldest first."""
        ...


@runtime_checkable
class HasSwapRates(Protocol):
    """Finances FX positions overnight."""

    async def swap_rates(self, pair: str) -> SwapRates:
        """Return the financing of a pair."""
        ...


@runtime_checkable
class HasChains(Protocol):
    """Trades options."""

    async def expirations(self, underlying: str) -> tuple[str, ...]:
        """Return the expiration dates (ISO) that are listed, nearest first."""
        ...

    async def chain(
        self, underlying: str, expiration: str, *, strikes: int = 40, right: Right | None = None
    ) -> OptionChain:
        """Return up to ``strikes`` strikes around the price with quotes and greeks; NetworkTimeout when it stays out."""
        ...

    async def option_quotes(self, symbols: Sequence[str]) -> tuple[OptionContract, ...]:
        """Return single contracts with fresh quotes and greeks; one whose quote stays out is told without."""
        ...


class ComboLeg(NamedTuple):
    """One leg of a combination: ``ratio`` contracts a unit, positive bought, negative sold."""

    symbol: str
    ratio: int


class Combo(NamedTuple):
    """A multi-leg order with one net price: positive paid (debit), negative received (credit)."""

    client_order_id: str
    legs: Sequence[ComboLeg]
    qty: int
    net_price: Decimal


@runtime_checkable
class TakesCombos(Protocol):
    """Takes multi-leg orders; legs are never sent one by one (DK-51)."""

    async def place_combo(self, combo: Combo) -> OrderReport:
        """Place a combination at one net price, at most once for its id."""
        ...


@runtime_checkable
class TakesBrackets(Protocol):
    """Takes an entry with stop and target as one request (PF-232, PF-233)."""

    async def place_bracket(
        self, entry: OrderRequest, *, stop: Decimal, target: Decimal | None = None
    ) -> tuple[OrderReport, ...]:
        """Place parent, stop and target as one; refuse a stop or target on the wrong side of the reference price."""
        ...


@runtime_checkable
class Amends(Protocol):
    """Changes a resting order in place."""

    async def amend(
        self, client_order_id: str, symbol: str, *, price: Decimal | None = None, qty: Decimal | None = None
    ) -> OrderReport:
        """Change price or quantity; return how the order stands."""
        ...

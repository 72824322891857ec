"""The adapters of accounts that trade outside the house."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from service.config import Config
from service.config.market import Account, VenueKind
from service.config.market import MarketSource as Kind
from service.markets import Market
from venues.contract import Venue
from venues.practice.adapter import PracticeVenue

__all__ = ["outside_market", "outside_venues"]


def outside_venues(config: Config, now: Callable[[], int]) -> dict[str, Callable[[], Venue]]:
    """Return what makes the adapter of each account that does not trade on paper."""
    return {account.name: partial(_practice, account, now) for account in config.accounts if _is_outside(account)}


def _is_outside(account: Account) -> bool:
    return account.venue is not VenueKind.PAPER


def _practice(account: Account, now: Callable[[], int]) -> Venue:
    return PracticeVenue(account.url, account=account.name, name=account.exchange, now=now)


def outside_market(account: Account) -> Market | None:
    """Return what screens call the prices of an account that gets them from its venue; None for one on paper."""
    if not _is_outside(account):
        return None

    def no_source() -> None:
        raise AssertionError(f"{account.name} hears its prices from its venue")

    return Market(account.venue.value, Kind.AUTO, no_source, (), 0)  # type: ignore[arg-type] # never opened

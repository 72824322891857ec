"""The adapters of accounts that trade outside the house."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from random import SystemRandom

from protocol.errors import FeatureUnavailable
from service.config import Config
from service.config.environment import account_variable
from service.config.market import PRACTICE_URL, Account, VenueKind
from service.config.vault import vault_of
from service.config.venue_access import access_of, missing_credentials, on_testnet
from venues.access import Tools
from venues.contract import Venue
from venues.errors import AuthFailed, VenueError
from venues.known import make_venue
from venues.practice.adapter import PracticeVenue

__all__ = ["AdapterMissing", "SecretsNotDecryptable", "adapter_of", "is_outside", "outside_venues", "price_label"]


class SecretsNotDecryptable(VenueError):
    """The credentials are in a vault that does not open here: the account stays disabled (EX-1502)."""

    stops = True


class AdapterMissing(VenueError):
    """The library that speaks to the venue is not installed."""

    stops = True


def outside_venues(
    config: Config, now: Callable[[], int], current: Callable[[], Config] | None = None
) -> dict[str, Callable[[], Venue]]:
    """Return what makes the adapter of each account that does not trade on paper.

    ``current`` is the configuration at that moment: its credentials may be others than at the start.
    """
    held = current if current is not None else lambda: config
    return {each.name: partial(_adapter_now, held, each, now) for each in config.accounts if is_outside(each)}


def _adapter_now(current: Callable[[], Config], account: Account, now: Callable[[], int]) -> Venue:
    config = current()
    return adapter_of(config, next((each for each in config.accounts if each.name == account.name), account), now)


def is_outside(account: Account) -> bool:
    """Whether an account trades elsewhere, and hears its prices from there."""
    return account.venue is not VenueKind.PAPER


def price_label(config: Config, account: Account) -> str:
    """Return what screens call the prices that an account outside hears from its venue."""
    test = account.venue.is_known and on_testnet(config, account)
    return f"{account.venue.value}{' test network' if test else ''}"


def adapter_of(config: Config, account: Account, now: Callable[[], int]) -> Venue:
    """Return the adapter of an account outside, not connected.

    Raises AuthFailed where credentials are missing (nothing is tried without them), AdapterMissing without the venue's
    library, otherwise as ``make_venue``. Each is the trouble of this account alone: its session stops, the others go on.
    """
    if account.venue is VenueKind.PRACTICE:
        url = account.url or PRACTICE_URL
        return PracticeVenue(url, account=account.name, name=account.exchange, now=now)
    own = f"accounts[{config.accounts.index(account)}]."
    missing = [each.path.removeprefix(own) for each in missing_credentials(config) if each.path.startswith(own)]
    if missing:
        if trouble := vault_of(config).standing().trouble:
            raise SecretsNotDecryptable(account.venue.value, trouble)
        commands = ", ".join(f"bulkhead secrets set {account.name} {each}" for each in missing)
        variables = ", ".join(account_variable(account.name, each) for each in missing)
        raise AuthFailed(account.venue.value, f"no credentials: {commands} (or set {variables} and start again)")
    try:
        return make_venue(access_of(config, account), _tools(now))
    except FeatureUnavailable as error:
        raise AdapterMissing(account.venue.value, str(error)) from error


def _tools(now: Callable[[], int]) -> Tools:
    # Waits and chance of an adapter touch nothing that is replayed: what it hears is recorded, not what it does.
    return Tools(now=now, sleep=asyncio.sleep, random=SystemRandom().random)  # house: jitter between installations

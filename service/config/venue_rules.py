"""Rules for accounts at real venues: what the venue has, what belongs together, what would be unsafe (EX-1102, EX-1304)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from service.config.document import Config
from service.config.errors import Problems
from service.config.market import Account, VenueKind
from service.config.venue_access import access_of, market_type_of, on_testnet
from venues.access import Access
from venues.known import KNOWN

__all__ = ["check_venues"]

_PAPER_PORTS: Final = frozenset({4002, 7497})
_LIVE_PORTS: Final = frozenset({4001, 7496})
"""IBKR's own defaults, Gateway and TWS: paper and live differ by nothing else."""

_Fault = tuple[str, str, str, str]
"""Key, code, message, value."""


def check_venues(config: Config, problems: Problems) -> None:
    """Note what accounts at real venues cannot have, lack, or must not do."""
    seen: dict[tuple[object, ...], str] = {}
    for index, account in enumerate(config.accounts):
        if not account.venue.is_known:
            continue
        for key, code, message, value in _faults(config, account):
            problems.add(f"accounts[{index}].{key}", code, message, value=value)
        login = _login(access_of(config, account))
        if login and (other := seen.setdefault(login, account.name)) != account.name:
            message = f"account {other} logs in there with the same credentials: their positions would mix"
            problems.add(f"accounts[{index}].venue", "Duplicate", message, value=account.venue.value)


def _faults(config: Config, account: Account) -> Iterator[_Fault]:
    name = account.venue.value
    facts = KNOWN[name]
    if account.exchange != name:
        message = f"an account at {name} trades alerts for {name}: leave it out"
        yield "exchange", "InvalidEnum", message, account.exchange
    if on_testnet(config, account) and not facts.testnet:
        message = f"{facts.title} has no test network: set it to false for real money, or trade on paper"
        yield "testnet", "TestnetUnsupported", message, "true"
    if market_type_of(config, account) not in facts.markets:
        has = "futures" if facts.markets[0].value == "perp" else "spot"
        yield "market_type", "InvalidEnum", f"{facts.title} has only {has} here", str(account.market_type or "")
    if "account_id" in facts.credentials and not account.account_id:
        yield "account_id", "MissingValue", f"{facts.title} needs to be told which account", ""
    if "keys_dir" in facts.credentials and account.keys_dir is None and not account.url:
        yield "keys_dir", "MissingValue", f"{facts.title} needs the folder with its keys, or the url of a gateway", ""
    yield from _unsafe_addresses(account)
    if account.venue is VenueKind.IBKR:
        yield from _wrong_port(config, account)


def _unsafe_addresses(account: Account) -> Iterator[_Fault]:
    for key, text in (("url", account.url), ("stream_url", account.stream_url)):
        parts = urlsplit(text or "")
        if parts.scheme in ("http", "ws") and not _is_local(parts.hostname or ""):
            message = f"credentials would go there unencrypted: use {parts.scheme}s, or an address of this machine"
            yield key, "InsecureAddress", message, text or ""


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _wrong_port(config: Config, account: Account) -> Iterator[_Fault]:
    testnet, port = on_testnet(config, account), account.port or 0
    if testnet and port in _LIVE_PORTS:
        yield (
            "port",
            "RealMoney",
            "is where IBKR serves live accounts, and testnet is true: paper is 4002 or 7497",
            str(port),
        )
    if not testnet and port in _PAPER_PORTS:
        yield (
            "port",
            "RealMoney",
            "is where IBKR serves paper accounts: set testnet to true, or use 4001 or 7496",
            str(port),
        )


def _login(access: Access) -> tuple[object, ...]:
    """Return what tells one login from another, empty while there are no credentials."""
    who: tuple[object, ...] = (access.key or access.secret, access.account_id)
    if access.venue == VenueKind.IBKR:
        who = (access.host, access.port, access.account_id)
    elif access.venue == VenueKind.IBKR_WEB and not access.key:
        who = (access.url, access.account_id)
    elif not who[0]:
        return ()
    return (access.venue, access.market, access.testnet, *who)

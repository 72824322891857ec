"""How an account reaches its venue: its own keys, then those of ``exchange.<venue>``, then what the venue has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from protocol.errors import ValidationError
from protocol.secret import Secret
from protocol.values import MarketType
from service.config.catalogue import catalogue, value_at
from service.config.document import Config
from service.config.environment import ACCOUNT_SECRETS, account_variable
from service.config.exchange import VENUES, RateLimitMode
from service.config.exchange import MarketType as Family
from service.config.market import Account
from venues.access import Access
from venues.known import KNOWN

__all__ = [
    "access_of",
    "credential_of",
    "market_type_of",
    "missing_credentials",
    "on_testnet",
    "rate_mode_of",
    "secrets_of",
    "trades_real_money",
]

_KEYS: Final = {"key": "api_key", "secret": "api_secret", "passphrase": "passphrase"}
"""What an adapter calls a credential -> what the configuration calls it."""

_FAMILIES: Final = {Family.SPOT: MarketType.SPOT, Family.FUTURES: MarketType.PERP}
_GATEWAY_LIVE: Final = 4001
_GATEWAY_PAPER: Final = 4002


def on_testnet(config: Config, account: Account) -> bool:
    """Whether a real venue's account trades on its test network, practice or paper account (EX-1102)."""
    if account.testnet is not None:
        return account.testnet
    name = account.venue.value
    return config.exchange.access(name).testnet if name in VENUES else KNOWN[name].testnet


def trades_real_money(config: Config, account: Account) -> bool:
    """Whether orders of an account move real money."""
    return account.venue.is_known and not on_testnet(config, account)


def market_type_of(config: Config, account: Account) -> MarketType:
    """Return the family of markets that a real venue's account trades."""
    name = account.venue.value
    has = KNOWN[name].markets
    if account.market_type is not None:
        return _FAMILIES[account.market_type]
    if name in VENUES:
        return _FAMILIES[config.exchange.access(name).market_type]
    return has[0]


def rate_mode_of(config: Config, account: Account) -> RateLimitMode:
    """Return how much of the venue's published limits an account uses (EX-1105)."""
    if account.rate_limit_mode is not None:
        return account.rate_limit_mode
    known = account.exchange in VENUES
    return config.exchange.access(account.exchange).rate_limit_mode if known else RateLimitMode.VENUE


def credential_of(config: Config, account: Account, key: str) -> Secret | None:
    """Return an account's ``api_key``, ``api_secret`` or ``passphrase``: its own, else that of its exchange."""
    own: Secret | None = getattr(account, key)
    if own is not None or account.venue.value not in VENUES:
        return own
    found: Secret | None = getattr(config.exchange.access(account.venue.value), key)
    return found


def missing_credentials(config: Config) -> tuple[ValidationError, ...]:
    """Return what accounts at real venues lack to log in, with the variable that sets it (``MissingCredential``)."""
    return tuple(
        _missing(index, account, key)
        for index, account in enumerate(config.accounts)
        for key in (_needed(account) if account.venue.is_known else ())
        if credential_of(config, account, key) is None
    )


def _needed(account: Account) -> Iterator[str]:
    facts = KNOWN[account.venue.value]
    if facts.gateway and account.url:
        return iter(())
    return (_KEYS[each] for each in facts.credentials if each in _KEYS)


def _missing(index: int, account: Account, key: str) -> ValidationError:
    variable, title = account_variable(account.name, key), KNOWN[account.venue.value].title
    message = f"{title} asks for it: `bulkhead secrets set {account.name} {key}`, or set {variable} in the environment"
    return ValidationError(f"accounts[{index}].{key}", message, code="MissingCredential")


def secrets_of(config: Config) -> tuple[str, ...]:
    """Return every secret of a configuration as text that must be taken out of whatever is stored (EX-1508)."""
    of_accounts = (getattr(each, key) for each in config.accounts for key in ACCOUNT_SECRETS)
    others = (value_at(config, each) for each in catalogue().values() if each.is_secret)
    return tuple(dict.fromkeys(each.reveal() for each in (*of_accounts, *others) if each))


def access_of(config: Config, account: Account) -> Access:
    """Return what the adapter of a real venue's account is made with."""
    testnet = on_testnet(config, account)
    given = {each: credential_of(config, account, key) or Secret("") for each, key in _KEYS.items()}
    conservative = {RateLimitMode.VENUE: False, RateLimitMode.CONSERVATIVE: True, RateLimitMode.OFF: None}
    return Access(
        account=account.name,
        venue=account.venue.value,
        market=market_type_of(config, account),
        testnet=testnet,
        url=account.url or "",
        stream_url=account.stream_url or "",
        host=account.host,
        port=account.port or (_GATEWAY_PAPER if testnet else _GATEWAY_LIVE),
        client_id=account.client_id,
        account_id=account.account_id,
        conservative=conservative[rate_mode_of(config, account)],
        symbols=account.symbols or config.market.symbols,
        folder=str(config.app.data_dir / "venues" / account.name),
        keys_folder="" if account.keys_dir is None else str(config.app.data_dir / account.keys_dir),
        signature_key=account.signature_key or Secret(""),
        encryption_key=account.encryption_key or Secret(""),
        **given,
    )

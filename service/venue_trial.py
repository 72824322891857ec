"""Try an account as it is, or as it would be: beside a daemon that trades, whose own connection is not touched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from protocol.messages import Value
from service.advice import advice_of
from service.config import Config, Secret
from service.config.market import Account
from service.config.venue_access import on_testnet
from service.credentials import check_secret
from service.vault.names import checked_value, name_of
from service.venue_probe import Step, probe
from service.venues import adapter_of
from venues.contract import Venue

__all__ = ["TrialResult", "TrialStep", "maker_of", "markets_wanted", "tried", "with_credentials"]

_BESIDE: Final = 100
"""Added to the client id at IBKR's gateway: a running daemon's own stays connected."""


class TrialStep(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One step: ``code`` is empty where it went well; ``warns`` where something should be changed all the same."""

    name: str
    ms: float
    text: str
    code: str
    warns: bool


class TrialResult(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """How a test of an account went; ``ok`` with warnings too. ``advice`` is what to do about the step that failed."""

    account: str
    venue: str
    testnet: bool
    ok: bool
    steps: tuple[TrialStep, ...]
    advice: str = ""


def tried(
    config: Config, account: Account, now: Callable[[], int], tell: Callable[[Step], None] = lambda _: None
) -> TrialResult:
    """Try an account step by step on an event loop of its own; call it beside the one that trades. Places nothing."""
    steps = asyncio.run(probe(maker_of(config, account, now), now, markets_wanted(config, account), tell))
    failed = next((each for each in steps if each.code), None)
    return TrialResult(
        account=account.name,
        venue=account.venue.value,
        testnet=account.venue.is_known and on_testnet(config, account),
        ok=failed is None,
        steps=tuple(TrialStep(**each._asdict()) for each in steps),
        advice=advice_of(failed.code) if failed is not None else "",
    )


def maker_of(config: Config, account: Account, now: Callable[[], int]) -> Callable[[], Venue]:
    """Return what makes an adapter of an account that may be open beside the daemon's own."""
    beside = msgspec.structs.replace(account, client_id=(account.client_id + _BESIDE) % 1_000)
    changed = _with_account(config, beside)
    return lambda: adapter_of(changed, beside, now)


def markets_wanted(config: Config, account: Account) -> tuple[str, ...]:
    """Return the markets that an account trades."""
    return account.symbols or config.market.symbols


def with_credentials(config: Config, account: Account, given: Mapping[str, str]) -> tuple[Config, Account]:
    """Return both with credentials that are kept nowhere; raises as a vault does for a wrong name or value."""
    secrets = {}
    for field, value in given.items():
        name, text = name_of(account.name, field), checked_value(value)
        check_secret(name, text)
        secrets[name.field] = Secret(text)
    changed = msgspec.structs.replace(account, **secrets)
    return _with_account(config, changed), changed


def _with_account(config: Config, account: Account) -> Config:
    accounts = tuple(account if each.name == account.name else each for each in config.accounts)
    return msgspec.structs.replace(config, accounts=accounts)

"""What equity snapshots need of a configuration."""

from __future__ import annotations

from decimal import Decimal

from actors.equity import EquitySettings
from rules.quote_usd import USD_LIKE
from service.config import Config
from service.config.market import Account, VenueKind

__all__ = ["equity_settings"]


def equity_settings(config: Config) -> EquitySettings:
    """Return interval, scopes and where the curves begin (``performance.*``)."""
    return EquitySettings(
        interval_s=float(config.performance.snapshot_interval_sec),
        scopes={account.name: config.scope_of(account) for account in config.accounts},
        starting={account.name: _starting(config, account) for account in config.accounts},
    )


def _starting(config: Config, account: Account) -> Decimal | None:
    """Return what was set, else the dollars a paper account is given, else None: what the venue holds at the first mark."""
    if config.performance.starting_equity is not None:
        return config.performance.starting_equity
    if account.venue is not VenueKind.PAPER:
        return None  # balances are those of the exchange inside; another venue has its own, with or without real money
    dollars = [amount for currency, amount in account.balances.items() if currency in USD_LIKE]
    return sum(dollars, Decimal(0)) if dollars else None

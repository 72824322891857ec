"""What equity snapshots need of a configuration."""

from __future__ import annotations

from decimal import Decimal

from actors.equity import EquitySettings
from protocol.values import Scope
from rules.quote_usd import USD_LIKE
from service.config import Config
from service.config.market import Account

__all__ = ["equity_settings"]


def equity_settings(config: Config) -> EquitySettings:
    """Return interval, scopes and where the curves begin (``performance.*``)."""
    return EquitySettings(
        interval_s=float(config.performance.snapshot_interval_sec),
        scopes={account.name: config.scope_of(account) for account in config.accounts},
        starting={account.name: _starting(config, account) for account in config.accounts},
    )


def _starting(config: Config, account: Account) -> Decimal | None:
    """Return what was set, else the dollars of an account without real money, else None: its balances at the first mark."""
    if config.performance.starting_equity is not None:
        return config.performance.starting_equity
    dollars = [amount for currency, amount in account.balances.items() if currency in USD_LIKE]
    return sum(dollars, Decimal(0)) if config.scope_of(account) is not Scope.LIVE and dollars else None

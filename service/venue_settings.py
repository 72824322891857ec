"""What the actors of one account take from the configuration in force."""

from __future__ import annotations

from actors.precision import PrecisionSettings
from actors.session import SessionSettings
from actors.session_limit import RateMode
from service.config import Config
from service.config.exchange import VENUES
from service.config.market import Account

__all__ = ["precision_settings", "session_settings"]


def precision_settings(config: Config) -> PrecisionSettings:
    """Return how long an account's trading rules count as fresh (EX-507)."""
    return PrecisionSettings(config.precision.refresh_seconds)


def session_settings(config: Config, account: Account) -> SessionSettings:
    """Return how much of the venue's limits an account's session uses (EX-1105)."""
    if account.exchange not in VENUES:
        return SessionSettings()
    return SessionSettings(RateMode(config.exchange.access(account.exchange).rate_limit_mode.value))

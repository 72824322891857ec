"""What the actors of one account take from the configuration in force."""

from __future__ import annotations

from actors.precision import PrecisionSettings
from actors.session import SessionSettings
from actors.session_limit import RateMode
from service.config import Config
from service.config.market import Account
from service.config.venue_access import rate_mode_of

__all__ = ["precision_settings", "session_settings"]


def precision_settings(config: Config) -> PrecisionSettings:
    """Return how long an account's trading rules count as fresh (EX-507)."""
    return PrecisionSettings(config.precision.refresh_seconds)


def session_settings(config: Config, account: Account) -> SessionSettings:
    """Return how an account's session treats its venue: its limits (EX-1105), silence, maintenance."""
    mute_after_s = float(account.mute_after_s) if account.venue.is_known else 0.0
    return SessionSettings(RateMode(rate_mode_of(config, account).value), mute_after_s, account.maintenance)

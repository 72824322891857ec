"""What the actors of one account take from the configuration in force."""

from __future__ import annotations

from typing import Final

from actors.precision import PrecisionSettings
from actors.session import SessionSettings
from actors.session_limit import RateMode
from rules.broker.data_venue import STALE_AFTER_NS
from runtime.clock import NANOS
from service.config import Config
from service.config.market import Account
from service.config.venue_access import rate_mode_of

__all__ = ["precision_settings", "session_settings"]

_STALE_AFTER_S: Final = STALE_AFTER_NS / NANOS


def precision_settings(config: Config) -> PrecisionSettings:
    """Return how long an account's trading rules count as fresh (EX-507)."""
    return PrecisionSettings(config.precision.refresh_seconds)


def session_settings(config: Config, account: Account) -> SessionSettings:
    """Return how an account's session treats its venue: its limits (EX-1105), silence, maintenance."""
    mute_after_s = float(account.mute_after_s) if account.venue.is_known else 0.0
    if account.venue.is_known and any(each.data == account.name for each in config.accounts):
        # Others go by its prices: stale for them is stale for it (PF-231).
        mute_after_s = min(mute_after_s or _STALE_AFTER_S, _STALE_AFTER_S)
    return SessionSettings(RateMode(rate_mode_of(config, account).value), mute_after_s, account.maintenance)

"""The loss offset of an account as the configuration asks for it."""

from __future__ import annotations

import msgspec

from actors.offset import OffsetEngine
from rules.offset import OffsetSettings
from service.config import Config

__all__ = ["offset_engine", "offset_settings"]


def offset_settings(config: Config) -> OffsetSettings:
    """Return what the loss offset needs of a configuration (``risk_engine.*``)."""
    given = msgspec.to_builtins(config.risk_engine, builtin_types=())
    names = set(OffsetSettings.__struct_fields__)
    taken = {name: value for name, value in given.items() if name in names}
    reject = config.risk_engine.slippage_action.value == "reject"
    return msgspec.convert({**taken, "reject_slippage": reject}, OffsetSettings)


def offset_engine(config: Config, account: str, *, groups: str, feed: str) -> OffsetEngine:
    """Make the engine of an account."""
    return OffsetEngine(account=account, settings=offset_settings(config), groups=groups, feed=feed)

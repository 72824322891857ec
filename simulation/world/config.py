"""The configuration of a simulated house."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from service.config import Config, parse
from simulation.scenario import Scenario
from simulation.world.markets import VENUE

__all__ = ["ACCOUNT", "config_of", "config_text"]

ACCOUNT: Final = "sim"
"""The one account."""
_OF_THE_ACCOUNT: Final = "account."
_BALANCE: Final = 250_000
_RATE_PER_MINUTE: Final = 6_000


def config_of(scenario: Scenario, data_dir: Path) -> Config:
    """Return the configuration of a scenario; raise ``ConfigError`` for settings that do not fit together."""
    return parse(config_text(scenario, data_dir), {})


def config_text(scenario: Scenario, data_dir: Path) -> str:
    """Return it as it would stand in config.toml."""
    own = {name: value for name, value in scenario.settings.items() if not name.startswith(_OF_THE_ACCOUNT)}
    account = {name: value for name, value in scenario.settings.items() if name not in own}
    house: dict[str, Any] = {
        "app.data_dir": str(data_dir),
        "market.source": "synthetic",
        "market.symbols": [path.symbol for path in scenario.paths] or ["BTC/USDT"],
        "market.seed": scenario.seed % 2**63,
        "demo.signals": False,
        "signal.rate_limit_per_minute": _RATE_PER_MINUTE,
        "webhook.port": 0,
        **own,
    }
    one: dict[str, Any] = {
        "name": ACCOUNT,
        "exchange": VENUE,
        "balances": {"USDT": _BALANCE},
        **{name.removeprefix(_OF_THE_ACCOUNT): value for name, value in account.items()},
    }
    return f"{_lines(house)}\n[[accounts]]\n{_lines(one)}\n"


def _lines(values: Mapping[str, Any]) -> str:
    return "\n".join(f"{name} = {_toml(value)}" for name, value in values.items())


def _toml(value: Any) -> str:
    match value:
        case dict():
            pairs = (f"{_toml(name)} = {_toml(inner)}" for name, inner in value.items())
            return f"{{ {', '.join(pairs)} }}"
        case list() | tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case _:
            return msgspec.json.encode(value).decode()

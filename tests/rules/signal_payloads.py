"""Payloads that the tests of signal intake start from."""

from __future__ import annotations

import copy
from typing import Any

_FULL: dict[str, Any] = {
    "secret": "correct-horse-battery",
    "source": "tradingview",
    "timestamp": "2026-03-01T12:00:00Z",
    "tv": {
        "exchange": "BINANCE",
        "symbol": "BTCUSDT",
        "timeframe": "15",
        "action": "buy",
        "market_position": "long",
        "market_position_size": "2.5",
        "prev_market_position": "flat",
        "prev_market_position_size": "0",
        "entry_price": "65000.5",
        "close_price": 65001,
        "order_size": "0.02",
    },
    "strategy_info": {"trade_id": "12345", "alert_name": "BTC Long Entry", "alert_message": "DCA Entry 1"},
    "execution_intent": {
        "type": "signal",
        "side": "buy",
        "position_size_type": "base",
        "precision_mode": "auto",
    },
    "risk": {"stop_loss": "64000", "take_profit": None, "max_slippage_percent": 0.2},
}

MISSING = object()
"""Passed as a value: take the field out."""


def payload(**changes: Any) -> dict[str, Any]:
    """Return a valid payload with some paths changed; dots are written as two underscores (``tv__symbol``)."""
    made = copy.deepcopy(_FULL)
    for name, value in changes.items():
        change(made, name.replace("__", "."), value)
    return made


def change(made: dict[str, Any], path: str, value: Any) -> None:
    """Set one path of a payload, or take it out."""
    section, _, name = path.rpartition(".")
    fields = made[section] if section else made
    if value is MISSING:
        fields.pop(name, None)
    else:
        fields[name] = value

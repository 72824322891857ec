"""Range and filters of results: one choice for performance and history, asked of the daemon with both (EX-1719)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tui.state import State

__all__ = ["FILTERS", "RANGES", "TOPICS_OF_RESULTS", "filters_of", "narrow"]

RANGES: Final = ("today", "7d", "30d", "month", "year", "all", "custom")
"""Ranges by name."""

FILTERS: Final = {
    "scope": "live, paper or simulation",
    "account": "one account",
    "venue": "one exchange",
    "symbol": "one pair, as BTC/USDT",
    "timeframe": "15m, 1h, ...",
    "strategy": "one strategy",
    "side": "long or short",
    "reason": "why it was closed (history)",
    "text": "words in any order (history)",
}
"""Every filter and what it takes."""

TOPICS_OF_RESULTS: Final = ("figures", "days", "trades")


def filters_of(state: State) -> Mapping[str, str]:
    """Return range and filters as they are."""
    return state.narrowed("trades")


def narrow(state: State, changes: Mapping[str, str]) -> None:
    """Change range and filters; an empty value takes one away."""
    wanted = {**filters_of(state), **changes}
    for topic in TOPICS_OF_RESULTS:
        state.narrow(topic, wanted if topic == "trades" else {**wanted, "reason": "", "text": ""})

"""The layout of the cache: every key, its content and how long it stands (DK-251, RG-1201)."""

from __future__ import annotations

from typing import Final

__all__ = [
    "MAX_KEY",
    "NODES",
    "NODE_CHANNEL",
    "NODE_TTL_S",
    "QUOTE_TTL_S",
    "REGIME_CHANNEL",
    "REGIME_CORRELATION",
    "REGIME_CRYPTO",
    "REGIME_FX",
    "REGIME_HURST",
    "REGIME_MACRO",
    "REGIME_PRESSURE",
    "REGIME_TTL_S",
    "bot_state_key",
    "breaker_key",
    "chain_key",
    "node_groups_key",
    "node_key",
    "order_lock",
    "prompt_key",
    "quote_key",
]

MAX_KEY: Final = 512
"""Longest key, characters."""

QUOTE_TTL_S: Final = 120.0
REGIME_TTL_S: Final = 7 * 86_400.0
NODE_TTL_S: Final = 30.0
"""A node that has not been heard of for this long, three heartbeats, is gone."""

REGIME_MACRO: Final = "regime:macro:current"
REGIME_FX: Final = "regime:fx:current"
"""A map by pair."""
REGIME_CRYPTO: Final = "regime:crypto:current"
"""A map by symbol."""
REGIME_CORRELATION: Final = "regime:correlation"
REGIME_PRESSURE: Final = "regime:pressure"
REGIME_HURST: Final = "regime:hurst"
"""A map by symbol."""
REGIME_CHANNEL: Final = "regime.updates"

NODES: Final = "nodes"
"""A map of the names of all nodes that were ever heard of; which of them live is what ``node_key`` says."""
NODE_CHANNEL: Final = "nodes.updates"


def quote_key(account: str, symbol: str) -> str:
    """Return the key of an account's newest quote; 120 s.

    The account belongs to it: prices that were made up for one account must never be taken for another's.
    """
    return f"quotes:{account}:{symbol}"


def chain_key(underlying: str, expiry: str) -> str:
    """Return the key of a cached option chain; 120 s."""
    return f"chain:{underlying}:{expiry}"


def bot_state_key(bot: str) -> str:
    """Return the key of a bot's life-cycle state; stands for ever, rewritten at the start."""
    return f"bot:state:{bot}"


def breaker_key(scope: str, kind: str) -> str:
    """Return the key of a breaker's accumulators (``day``, ``week``, ``peak``, ``flags``); rebuilt from storage."""
    return f"circuit_breaker:{scope}:{kind}"


def prompt_key(prompt: str) -> str:
    """Return the key of an open prompt; as long as its approval may take."""
    return f"prompt:{prompt}"


def order_lock(bot: str) -> str:
    """Return the name of the lock under which a bot has one order action at a time (DK-159); 30 s, renewed."""
    return f"locks:order:{bot}"


def node_key(node: str) -> str:
    """Return the key of a node's presence; 30 s."""
    return f"node:{node}"


def node_groups_key(node: str) -> str:
    """Return the key of the map of a node's groups, by id; 30 s."""
    return f"node:{node}:groups"

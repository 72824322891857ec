"""Bus topics that files know which must not know each other."""

from __future__ import annotations

from typing import Final

__all__ = ["GROUPS", "pool_topic", "precision_topic"]

GROUPS: Final = "groups"
"""Bus topic on which every group says how it stands."""


def pool_topic(account: str) -> str:
    """Return the bus topic on which an account's pool says what it holds: identities (kept), continuations replaced."""
    return f"pool:{account}"


def precision_topic(account: str) -> str:
    """Return the bus topic of an account's trading rules (kept)."""
    return f"precision:{account}"

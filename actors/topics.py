"""Bus topics of an account that files know which must not know each other."""

from __future__ import annotations

__all__ = ["pool_topic", "precision_topic"]


def pool_topic(account: str) -> str:
    """Return the bus topic on which an account's pool says what it holds: identities (kept), continuations replaced."""
    return f"pool:{account}"


def precision_topic(account: str) -> str:
    """Return the bus topic of an account's trading rules (kept)."""
    return f"precision:{account}"

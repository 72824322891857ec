"""How brokers write a pair of currencies (PF-235)."""

from __future__ import annotations

from protocol.errors import ValidationError

__all__ = ["dotted_pair", "underscored_pair"]


def dotted_pair(pair: str) -> str:
    """Turn ``EUR_USD`` into ``EUR.USD``; raises ValidationError for anything that is no pair."""
    return ".".join(_parts(pair, "_"))


def underscored_pair(pair: str) -> str:
    """Turn ``EUR.USD`` into ``EUR_USD``; raises ValidationError for anything that is no pair."""
    return "_".join(_parts(pair, "."))


def _parts(pair: str, between: str) -> tuple[str, str]:
    base, _, quote = pair.partition(between)
    if not (base.isalpha() and quote.isalpha() and base.isupper() and quote.isupper()):
        raise ValidationError(
            "$.pair", f"no pair of currencies written with {between!r}", code="InvalidPair", value=pair
        )
    return base, quote

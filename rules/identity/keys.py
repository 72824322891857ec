"""The key of a position group (EX-301)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from protocol.values import Side
from rules.identity.errors import InvalidSide, InvalidUser
from rules.identity.symbols import canonical_symbol
from rules.identity.timeframes import canonical_timeframe
from rules.identity.venues import canonical_venue

__all__ = ["canonical_side", "group_key", "netted_with", "opposite_key"]

_SIDES: Final = {"long": Side.LONG, "short": Side.SHORT}
_OPPOSITE: Final = {"long": "short", "short": "long"}


def canonical_side(text: str) -> Side:
    """Return the side named long or short in any case; raise ``InvalidSide``."""
    side = _SIDES.get(text.strip().lower())
    if side is None:
        raise InvalidSide("a side is long or short", value=text)
    return side


def _check_user(user: str) -> None:
    if not user or user != user.strip() or "|" in user or not user.isprintable():
        raise InvalidUser("a user name is printable text without `|`", value=user)


def group_key(
    user: str,
    exchange: str,
    symbol: str,
    timeframe: str | int,
    side: str,
    *,
    venues: Collection[str] = (),
    markets: Mapping[str, str] | None = None,
) -> str:
    """Return ``user|venue|symbol|timeframe|side`` from any accepted spelling (EX-301); raise ``IdentityError``.

    ``venues`` and ``markets`` as in ``canonical_venue`` and ``canonical_symbol``.
    """
    _check_user(user)
    parts = (
        user,
        canonical_venue(exchange, venues),
        canonical_symbol(symbol, markets),
        canonical_timeframe(timeframe),
        canonical_side(side).value,
    )
    return "|".join(parts)


def opposite_key(key: str) -> str:
    """Return the key of the other side of the same identity; raise ``InvalidSide`` for what is no key."""
    stem, bar, side = key.rpartition("|")
    if not bar or side not in _OPPOSITE:
        raise InvalidSide("a key ends with its side", value=key)
    return f"{stem}|{_OPPOSITE[side]}"


def netted_with(key: str) -> tuple[str, str] | None:
    """Return how the keys begin and end that a venue nets with this one, None on a spot market.

    An account in one-way mode holds one side of a perpetual: the other side of the same user, venue and symbol is the same
    position, whatever the timeframe. Raise ``InvalidSide`` for what is no key.
    """
    stem, _, timeframe = opposite_key(key).rpartition("|")[0].rpartition("|")
    if ":" not in stem.rpartition("|")[2] or not timeframe:
        return None
    return f"{stem}|", f"|{_OPPOSITE[key.rpartition('|')[2]]}"

"""Which loser comes first, which winners pay (EX-1008, EX-1009)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, NamedTuple

from rules.offset.figures import LIVE_STATES, Candidate, closing_unit_usd, loss_percent, unrealized_usd

__all__ = ["Winner", "rank_losers", "rank_winners"]

_HUNDREDTH: Final = Decimal("0.01")
_NEVER: Final = 2**63


class Winner(NamedTuple):
    """A group whose profit may pay, and what closing all of it now brings, in USD after fees."""

    group: Candidate
    profit: Decimal


def rank_losers(groups: Iterable[Candidate]) -> list[Candidate]:
    """Order losers: lowest percent at 0.01, then largest USD loss, then earliest first fill, then id (EX-1008)."""
    return sorted(groups, key=_loser_key)


def _loser_key(group: Candidate) -> tuple[Decimal, Decimal, int, str]:
    percent = loss_percent(group) or Decimal(0)
    rounded = percent.quantize(_HUNDREDTH, ROUND_HALF_EVEN)
    return rounded, unrealized_usd(group) or Decimal(0), _first(group), group.group_id


def rank_winners(groups: Iterable[Candidate], loser: str) -> list[Winner]:
    """Return the groups that may pay for a loser: largest USD profit first, then earliest first fill, then id (EX-1009).

    A profit that the fees of closing would use up pays for nothing: closing such a winner would only cost.
    """
    found = []
    for group in groups:
        if group.state not in LIVE_STATES or group.blocked or group.skip_once or group.group_id == loser:
            continue
        unit = closing_unit_usd(group)
        if unit is not None and unit > 0:
            found.append(Winner(group, unit * group.open_qty))
    found.sort(key=lambda winner: (-winner.profit, _first(winner.group), winner.group.group_id))
    return found


def _first(group: Candidate) -> int:
    return _NEVER if group.first_fill_at is None else group.first_fill_at

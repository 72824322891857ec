"""Whether what was read of an option still holds: cached chains, quotes asked for again, a model's own IV.

DK-64, DK-66, DK-68.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from protocol.options import OptionContract
from protocol.values import Instant
from rules.options.quality import SLACK, delta_of, is_clean

__all__ = [
    "CACHED_NS",
    "MOST_DELTA_DRIFT",
    "MOST_IV_GAP",
    "MOST_ROUNDS",
    "START_GAP_S",
    "UNSTABLE_REASON",
    "Cached",
    "Requote",
    "RequoteAction",
    "cached",
    "iv_disagrees",
    "requote",
    "start_offsets_s",
]

CACHED_NS: Final = 120 * 1_000_000_000
"""From this age on a cached chain is fetched anew."""

START_GAP_S: Final = 2
"""Seconds between the first chain requests of two underlyings of a scan."""

MOST_DELTA_DRIFT: Final = 0.02
MOST_IV_GAP: Final = 0.02
MOST_ROUNDS: Final = 3

UNSTABLE_REASON: Final = "greeks_unstable"
"""Why a structure is rejected whose legs do not hold still."""


class Cached(StrEnum):
    """What a look into the cache found."""

    HIT = "hit"
    EXPIRED = "expired"
    MISS = "miss"


class RequoteAction(StrEnum):
    """``re_resolve``: choose strikes again on a fresh chain."""

    ACCEPT = "accept"
    RE_RESOLVE = "re_resolve"
    REJECT = "reject"


class Requote(NamedTuple):
    """What follows fresh quotes; ``diverged`` are the symbols of the legs that moved, in their order."""

    action: RequoteAction
    diverged: tuple[str, ...] = ()
    next_round: int | None = None
    reason: str | None = None


def cached(at: Instant | None, now: Instant) -> Cached:
    """Say whether a chain cached at ``at`` may be used, None: there is none. A chain of the far future may not."""
    if at is None:
        return Cached.MISS
    return Cached.HIT if abs(now - at) < CACHED_NS else Cached.EXPIRED


def start_offsets_s(underlyings: Iterable[str]) -> dict[str, int]:
    """Return how many seconds into a scan each underlying asks for its chain, in the order of the universe."""
    return {name: START_GAP_S * place for place, name in enumerate(dict.fromkeys(underlyings))}


def requote(chosen: Sequence[OptionContract], fresh: Mapping[str, OptionContract], round_number: int) -> Requote:
    """Compare the chosen legs with fresh quotes by symbol, in round 1, 2 or 3 (DK-64).

    A leg moved when a delta is missing or more than 0.02 away, and when its fresh quote is no longer clean: no leg may
    be of such a contract (DK-62). Raises ValueError below round 1 or without legs.
    """
    if round_number < 1 or not chosen:
        raise ValueError(f"nothing to compare in round {round_number} with {len(chosen)} legs")
    diverged = tuple(leg.symbol for leg in chosen if not _holds(leg, fresh.get(leg.symbol)))
    if not diverged:
        return Requote(RequoteAction.ACCEPT)
    if round_number >= MOST_ROUNDS:
        return Requote(RequoteAction.REJECT, diverged, reason=UNSTABLE_REASON)
    return Requote(RequoteAction.RE_RESOLVE, diverged, next_round=round_number + 1)


def iv_disagrees(brokers: float | None, own: float | None) -> bool:
    """Whether the broker's and our own implied volatility (fractions) differ by more than 0.02 (DK-66).

    One that is missing does not disagree: completeness counts it (DK-128).
    """
    if brokers is None or own is None or not (math.isfinite(brokers) and math.isfinite(own)):
        return False
    return abs(brokers - own) > MOST_IV_GAP + SLACK


def _holds(leg: OptionContract, fresh: OptionContract | None) -> bool:
    if fresh is None or not is_clean(fresh):
        return False
    before, after = delta_of(leg), delta_of(fresh)
    return before is not None and after is not None and abs(after - before) <= MOST_DELTA_DRIFT + SLACK

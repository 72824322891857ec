"""What a chain keeper answers: chains with their verdict, and chosen legs with theirs."""

from __future__ import annotations

from collections.abc import Mapping

from protocol.chains import ChainReply, ExpiryStanding, LegsReply, LegStanding, RequoteLegs
from protocol.options import OptionChain, OptionContract
from rules.options.fresh import requote
from rules.options.quality import ChainQuality, ExpiryQuality
from rules.options.spread import FLAGGED_ABOVE, spread_quality, structure_spread_quality

__all__ = ["chain_reply", "legs_reply", "no_chain", "no_quotes"]


def chain_reply(
    underlying: str, chain: OptionChain, quality: ChainQuality, *, fetches: int, at: int, cached: bool = False
) -> ChainReply:
    """Return a chain with what it is worth; the code of an invalid one is its fault."""
    fault = quality.fault.value if quality.fault is not None else ""
    return ChainReply(
        underlying=underlying,
        code=fault,
        reason=_words(quality),
        fault=fault,
        chain=chain,
        expiries=tuple(map(_standing, quality.expiries)),
        cached=cached,
        fetches=fetches,
        at=at,
    )


def no_chain(underlying: str, code: str, reason: str, *, fetches: int, at: int) -> ChainReply:
    """Return that nothing came."""
    return ChainReply(underlying=underlying, code=code, reason=reason[:4_000], fetches=fetches, at=at)


def _standing(quality: ExpiryQuality) -> ExpiryStanding:
    fields = quality._asdict() | {"fault": quality.fault.value if quality.fault is not None else ""}
    return ExpiryStanding(**fields)


def _words(quality: ChainQuality) -> str:
    """Return why a chain is invalid, with the numbers of its target expiry."""
    if quality.fault is None:
        return ""
    if not quality.expiries:
        return quality.fault.value.replace("_", " ")
    first = quality.expiries[0]
    return (
        f"{first.expiration}: of {first.contracts} contracts {first.missing_greeks} have no Greeks and "
        f"{first.missing_quotes} no quotes, {first.clean} are clean"
    )


def legs_reply(asked: RequoteLegs, fresh: Mapping[str, OptionContract], at: int) -> LegsReply:
    """Return what fresh quotes say of the chosen legs (DK-64), and how wide each and the whole are (DK-65)."""
    verdict = requote(asked.legs, fresh, asked.round)
    found = [fresh[each.symbol] for each in asked.legs if each.symbol in fresh]
    return LegsReply(
        underlying=asked.underlying,
        code=verdict.reason or "",
        reason=f"moved: {', '.join(verdict.diverged)}" if verdict.diverged else "",
        action=verdict.action.value,
        next_round=verdict.next_round,
        diverged=verdict.diverged,
        fresh=tuple(found),
        legs=tuple(_leg(each.symbol, fresh.get(each.symbol)) for each in asked.legs),
        spread_quality=structure_spread_quality(found) if len(found) == len(asked.legs) else None,
        at=at,
    )


def _leg(symbol: str, fresh: OptionContract | None) -> LegStanding:
    quality = None if fresh is None else spread_quality(fresh)
    return LegStanding(symbol, quality, quality is None or quality > FLAGGED_ABOVE)


def no_quotes(asked: RequoteLegs, code: str, reason: str, at: int) -> LegsReply:
    """Return that there are no fresh quotes."""
    return LegsReply(underlying=asked.underlying, code=code, reason=reason[:4_000], at=at)

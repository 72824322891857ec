"""One fetch of a chain through a session: which expirations there are, then the contracts of the nearest to the range."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple, TypeAlias

from actors.chains_jobs import Wanted
from actors.session_calls import CALL_TIMEOUT_S
from actors.session_questions import CHAIN_TIMEOUT_S
from protocol.chains import FetchChain, ListExpirations
from protocol.options import OptionChain, OptionContract
from rules.options.expiry import in_order, session_date
from rules.options.quality import ChainFault, ChainQuality, judge_chain
from runtime.errors import ActorError, AskTimeout
from venues.errors import NetworkTimeout, RateLimited, VenueDown, VenueError

__all__ = ["MOST_EXPIRIES", "Trouble", "fetch", "judged", "trouble_of"]

MOST_EXPIRIES: Final = 3
"""Expiries of a range that are fetched: candidates are made of no more (DK-122)."""

_GRACE_S: Final = 5.0
"""The session gives up first, with the venue's own word."""

_Ask: TypeAlias = Callable[[Any, float], Awaitable[Any]]


class Trouble(NamedTuple):
    """Why a fetch brought nothing; ``again``: the next may, so it counts as an invalid chain."""

    code: str
    text: str
    again: bool


async def fetch(ask: _Ask, wanted: Wanted, now: Callable[[], int]) -> OptionChain:
    """Return the contracts of up to three expiries in range, in the order of DK-60; raises what the session answers.

    When none of those listed is in range the chain has no contracts and tells all that are listed. A later expiry that
    stays out leaves the chain without its contracts; without the first there is no chain.
    """
    listed = (await ask(ListExpirations(wanted.underlying), CALL_TIMEOUT_S + _GRACE_S)).dates
    near = in_order(listed, wanted.days, session_date(now()))[:MOST_EXPIRIES]
    parts: list[OptionChain] = []
    for expiration in near:
        question = FetchChain(wanted.underlying, expiration, wanted.strikes)
        try:
            parts.append((await ask(question, CHAIN_TIMEOUT_S + _GRACE_S)).chain)
        except VenueDown:
            raise
        except VenueError:
            if not parts:
                raise
    return _merged(wanted.underlying, near or listed, parts, now())


def _merged(underlying: str, expirations: tuple[str, ...], parts: list[OptionChain], now: int) -> OptionChain:
    contracts: dict[str, OptionContract] = {}
    for part in parts:
        for each in part.contracts:
            contracts.setdefault(each.symbol, each)
    return OptionChain(
        underlying=underlying,
        underlying_price=next((each.underlying_price for each in parts if each.underlying_price is not None), None),
        expirations=expirations,
        contracts=tuple(contracts.values()),
        complete=all(each.complete for each in parts) and len(parts) == min(len(expirations), MOST_EXPIRIES),
        at=min((each.at for each in parts), default=now),
    )


def judged(chain: OptionChain, wanted: Wanted, now: int) -> ChainQuality:
    """Say what a fetched chain is worth now (DK-60); one of which nothing was fetched has no expiry in range."""
    today = session_date(now)
    if not chain.contracts and chain.expirations and not in_order(chain.expirations, wanted.days, today):
        return ChainQuality(ChainFault.NO_EXPIRY_IN_RANGE)
    return judge_chain(chain, wanted.days, today=today, now=now)


def trouble_of(error: Exception) -> Trouble:
    """Say what an error of a fetch means; one that nobody foresaw is raised."""
    text = str(error) or type(error).__name__
    match error:
        case AskTimeout() | NetworkTimeout():
            return Trouble("NetworkTimeout", text, again=True)
        case RateLimited():
            return Trouble(error.code, text, again=True)
        case VenueDown() | ActorError():
            return Trouble("VenueUnavailable", text, again=False)
        case VenueError():
            return Trouble(error.code, text, again=False)
    raise error

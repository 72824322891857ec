"""Option chains between those who need one, the *chain keeper* of an account, and its session (DK-53, DK-60 to DK-69).

A bot, or the API, asks the keeper ``AskChain`` and, when strikes are chosen, ``RequoteLegs``. The keeper asks the session,
which asks the venue and decides nothing: ``ListExpirations``, ``FetchChain``, ``FetchQuotes``.

Answers say with ``code`` why there is nothing to trade on: empty is good; ``chain_incomplete`` (DK-63), ``greeks_unstable``
(DK-64), ``VenueUnavailable`` (DK-55), or the venue's own refusal.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar

from msgspec import Meta

from protocol.messages import Message, Request, Value
from protocol.options import OptionChain, OptionContract
from protocol.values import Instant, Name, Text

__all__ = [
    "AskChain",
    "ChainFetched",
    "ChainReply",
    "Expirations",
    "ExpiryStanding",
    "FetchChain",
    "FetchQuotes",
    "LegStanding",
    "LegsReply",
    "ListExpirations",
    "QuotesFetched",
    "RequoteLegs",
]

_Days = Annotated[int, Meta(ge=0, le=3650)]
_Strikes = Annotated[int, Meta(ge=1, le=500)]
_Round = Annotated[int, Meta(ge=1, le=3)]
_Legs = Annotated[tuple[OptionContract, ...], Meta(min_length=1, max_length=8)]


class ExpiryStanding(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """What one expiry is worth; ``fault`` empty: good. All but the first two are numbers of contracts."""

    expiration: str
    fault: str = ""
    contracts: int
    missing_greeks: int
    missing_quotes: int
    crossed: int
    clean: int


class ChainReply(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """What came of a request for a chain.

    Code empty: the chain is valid, candidates may be made of the expiries without a fault (in the order of DK-60, the
    first is the target). Else ``fault`` is what is wrong with the newest chain that came, which is shown and not traded on.
    ``fetches`` counts how often the venue was asked, ``retry_at`` says when it is again (None: not by itself).
    """

    OVERFLOW: ClassVar[str] = "keep"

    underlying: Name
    code: str = ""
    reason: Text = ""
    fault: str = ""
    chain: OptionChain | None = None
    expiries: tuple[ExpiryStanding, ...] = ()
    cached: bool = False
    fetches: int = 0
    retry_at: Instant | None = None
    at: Instant


class AskChain(Request[ChainReply], frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Ask for the chain of an underlying whose expiries lie in a range of days; ``strikes`` around the price, an expiry.

    Requests of one ``scan`` start 2 s apart in the order in which they come: ask in the order of the universe (DK-68).
    ``look``: answer after one fetch whatever it is worth; otherwise an invalid chain is fetched three times more, and
    the answer may take eight minutes and a fetch (DK-63).
    """

    underlying: Name
    least_dte: _Days
    most_dte: _Days
    strikes: _Strikes = 40
    scan: str = ""
    look: bool = False


class LegStanding(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """How wide a leg's market is for its price (a fraction, None: cannot be told); ``flagged``: a human is to look."""

    symbol: Name
    spread_quality: Decimal | None
    flagged: bool


class LegsReply(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """What fresh quotes say of the chosen legs.

    ``action``: ``accept``, ``re_resolve`` (choose strikes again on a chain that is asked for anew, then requote in
    ``next_round``) or ``reject`` with code ``greeks_unstable``; empty when there are no quotes, ``code`` says why.
    ``diverged`` are the legs that moved, ``fresh`` what came of all, ``spread_quality`` that of the structure (DK-65).
    """

    OVERFLOW: ClassVar[str] = "keep"

    underlying: Name
    code: str = ""
    reason: Text = ""
    action: str = ""
    next_round: int | None = None
    diverged: tuple[Name, ...] = ()
    fresh: tuple[OptionContract, ...] = ()
    legs: tuple[LegStanding, ...] = ()
    spread_quality: Decimal | None = None
    at: Instant


class RequoteLegs(Request[LegsReply], frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Ask whether the chosen legs still are what the chain said: fresh quotes and Greeks of them alone (DK-64)."""

    underlying: Name
    legs: _Legs
    round: _Round = 1


# --- keeper and session ------------------------------------------------------------------------------------------------


class Expirations(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The expirations that are listed, ISO dates, nearest first."""

    OVERFLOW: ClassVar[str] = "keep"

    underlying: Name
    dates: tuple[str, ...]


class ListExpirations(Request[Expirations], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Ask a session which expirations an underlying has; answered with the venue's error when there is one."""

    underlying: Name


class ChainFetched(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The contracts of one expiration as the venue told them."""

    OVERFLOW: ClassVar[str] = "keep"

    chain: OptionChain


class FetchChain(Request[ChainFetched], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Ask a session for the contracts of one expiration; answered with the venue's error when there is one."""

    underlying: Name
    expiration: str
    strikes: _Strikes


class QuotesFetched(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Single contracts as the venue quotes them now; one that it did not quote is told without."""

    OVERFLOW: ClassVar[str] = "keep"

    contracts: tuple[OptionContract, ...]


class FetchQuotes(Request[QuotesFetched], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Ask a session for fresh quotes and Greeks of single contracts; answered with the venue's error when there is one."""

    symbols: tuple[Name, ...]

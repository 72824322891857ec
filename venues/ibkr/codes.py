"""The broker's message codes: what each means for us, as a table (message codes of the TWS API).

An error about an order that is not in the table proves nothing: the order is then unknown until it is looked up.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from venues.errors import InsufficientFunds, OrderRejected, RateLimited, VenueDown, VenueError
from venues.ibkr.errors import ClientIdTaken, CompetingSession, NoData, NotSubscribed, UnknownContract

__all__ = ["CODES", "Code", "Meaning", "error_of", "funds", "meaning_of", "refusal_code"]


class Meaning(StrEnum):
    """What a code does to whatever it speaks of."""

    INFORMATION = "information"
    """Nothing is wrong; an order it speaks of lives on."""
    RETRY = "retry"
    """Not now: the same request may be made again."""
    FATAL = "fatal"
    """The request was refused and nothing came of it."""
    CANCELLED = "cancelled"
    """The order it speaks of is cancelled."""
    NOT_CANCELLED = "not cancelled"
    """A cancel was refused; the order stands as it stood."""
    LINK_LOST = "link lost"
    """The gateway has lost the broker; orders at the exchange live on."""
    LINK_BACK = "link back"
    LINK_BACK_DATA_LOST = "link back, data lost"
    """The same, and every subscription must be made anew."""
    DATA_LOST = "data lost"
    DATA_BACK = "data back"
    SESSION_TAKEN = "session taken"


class Code(NamedTuple):
    """A meaning, and what an operator can do about it."""

    meaning: Meaning
    advice: str = ""


_LOGIN: Final = "the same user is logged in elsewhere: log out there, or give this gateway a user of its own"
_INFORMATION: Final = (
    105, 131, 165, 329, 399, 404, 492, 2100, 2101, 2102, 2105, 2106, 2107, 2108, 2109, 2119, 2137, 2157, 2158, 2161, 2168,
    2169, 10090, 10167, 10311, 10349,
)  # fmt: skip
_REFUSED: Final = (
    103, 106, 107, 109, 110, 111, 113, 116, 125, 126, 132, 133, 140, 141, 144, 145, 147, 148, 151, 152, 154, 156, 200, 201,
    203, 320, 321, 322, 325, 328, 336, 355, 361, 362, 387, 388, 389, 390, 392, 434, 435, 436, 437, 442, 463, 10268, 10318,
)  # fmt: skip
"""Those that say of an order of ours (never changed once sent) that it was not taken. In doubt a code is left out."""

CODES: Final[dict[int, Code]] = {
    **dict.fromkeys(_INFORMATION, Code(Meaning.INFORMATION)),
    **dict.fromkeys(_REFUSED, Code(Meaning.FATAL)),
    100: Code(Meaning.RETRY, "more than 50 messages a second: is another program using this gateway?"),
    135: Code(Meaning.NOT_CANCELLED),
    136: Code(Meaning.NOT_CANCELLED),
    161: Code(Meaning.NOT_CANCELLED),
    162: Code(Meaning.RETRY),
    202: Code(Meaning.CANCELLED),
    326: Code(Meaning.FATAL, "another program uses this client id: give each account its own"),
    354: Code(Meaning.FATAL, "subscribe to this market's data in the broker's account management"),
    366: Code(Meaning.RETRY),
    420: Code(Meaning.RETRY),
    502: Code(Meaning.LINK_LOST, "is the gateway running, and is its socket port open to this machine?"),
    504: Code(Meaning.LINK_LOST, "the gateway is not connected: log in there"),
    1100: Code(Meaning.LINK_LOST, "the gateway lost the broker: nightly reset, network, or " + _LOGIN),
    1101: Code(Meaning.LINK_BACK_DATA_LOST),
    1102: Code(Meaning.LINK_BACK),
    1300: Code(Meaning.LINK_LOST, "the gateway's socket port was changed: configure the new one"),
    2103: Code(Meaning.DATA_LOST),
    2104: Code(Meaning.DATA_BACK),
    2110: Code(Meaning.LINK_LOST, "the gateway is reconnecting to the broker"),
    10089: Code(Meaning.FATAL, "subscribe to this market's data in the broker's account management"),
    10147: Code(Meaning.NOT_CANCELLED),
    10148: Code(Meaning.NOT_CANCELLED),
    10168: Code(Meaning.FATAL, "subscribe to this market's data in the broker's account management"),
    10197: Code(Meaning.SESSION_TAKEN, _LOGIN),
}

_UNPAID: Final = frozenset({354, 10089, 10168})
_PRECISION: Final = frozenset({110, 140, 355, 388, 10318})
_FUNDS: Final = ("margin", "insufficient", "available funds", "equity with loan", "buying power", "settled cash")
_LINK: Final = frozenset({Meaning.LINK_LOST, Meaning.SESSION_TAKEN})
_PACING_S: Final = 15.0


def meaning_of(code: int) -> Meaning | None:
    """Return what a code means; None when nobody has written it down."""
    return CODES[code].meaning if code in CODES else None


def funds(text: str) -> bool:
    """Whether a refusal (201) is for lack of money or margin."""
    return any(word in text.lower() for word in _FUNDS)


def refusal_code(code: int, text: str) -> str:
    """Return the typed error of a refused order, as reports carry it."""
    if code in _PRECISION:
        return "PrecisionRejected"
    if code == 100:
        return "RateLimited"
    if code == 154:
        return "MarketHalted"
    if code == 200:
        return "UnknownContract"
    return "InsufficientFunds" if code == 201 and funds(text) else "OrderRejected"


def error_of(venue: str, code: int, text: str) -> VenueError:
    """Return the typed error of a request that the broker answered with a code."""
    known = CODES.get(code)
    words = f"{text} (code {code})" + (f"; {known.advice}" if known is not None and known.advice else "")
    if code == 100:
        return RateLimited(venue, words, retry_after_s=1.0)
    if code == 420 or (code == 162 and "pacing" in text.lower()):
        return RateLimited(venue, words, retry_after_s=_PACING_S)
    if code == 162 and "no data" in text.lower():
        return NoData(venue, words)
    if code == 200:
        return UnknownContract(venue, words)
    if code in _UNPAID:
        return NotSubscribed(venue, words)
    if code == 326:
        return ClientIdTaken(venue, words)
    if code == 201 and funds(text):
        return InsufficientFunds(venue, words)
    return _by_meaning(venue, None if known is None else known.meaning, words)


def _by_meaning(venue: str, meaning: Meaning | None, words: str) -> VenueError:
    if meaning is Meaning.SESSION_TAKEN:
        return CompetingSession(venue, words)
    if meaning in _LINK or meaning is Meaning.RETRY:
        return VenueDown(venue, words)
    if meaning in (Meaning.FATAL, Meaning.NOT_CANCELLED):
        return OrderRejected(venue, words)
    return VenueError(venue, words)

"""What entries with a stop and a target can come to."""

from __future__ import annotations

from typing import Final

from service.advice.area import Area, Word

__all__ = ["BRACKETS"]

BRACKETS: Final = Area(
    "Entries with stop and target",
    "An answer of `bulkhead send /venues/ACCOUNT/brackets` carries one of these; the last two are incidents.",
    (
        Word(
            ("CapabilityMissing",),
            "use an account at OANDA or Interactive Brokers: the venue does not take entry, stop and target as one",
        ),
        Word(("DuplicateBracket",), "give the new bracket a name of its own: each is used once"),
        Word(("TooLate",), "look at the price, then send it again under a new name: nothing was sent"),
        Word(
            ("UNPROTECTED_POSITION",),
            "look at the account: the position had no working stop; it is closed at the market as soon as that can be sent",
        ),
        Word(
            ("BRACKET_OVERSHOT",),
            "look at the account: more was closed than opened; put the position right by hand",
        ),
    ),
)

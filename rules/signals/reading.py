"""Read one payload value: text, words of a list, numbers, identity parts.

Each reader takes a value that is present (trimmed when it is text) and returns its canonical form or raises ``Refused``
with the code of EX-209. Readers take anything a JSON reader can return and no input makes them slow or large.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Final

from rules.identity import IdentityError, canonical_symbol, canonical_timeframe, canonical_venue
from rules.notation import iso_ms
from rules.signals.numbers import exact
from rules.signals.times import parse_timestamp

__all__ = [
    "Clean",
    "Reader",
    "Refused",
    "free_text",
    "is_absent",
    "is_placeholder",
    "number",
    "secret_text",
    "symbol_text",
    "time_text",
    "timeframe_text",
    "venue_text",
    "word",
]

Clean = str | Decimal | None
"""A canonical value; None is absent."""

Reader = Callable[[object], Clean]

_ABSENT: Final = frozenset({"", "null", "none", "nan", "na", "n/a"})
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)


class Refused(Exception):
    """One value is refused with this code; turned into a ``Problem`` by whoever knows the path."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def is_absent(value: object) -> bool:
    """Whether a value counts as not given (EX-203)."""
    return value is None or (isinstance(value, str) and value.strip().lower() in _ABSENT)


def is_placeholder(value: object) -> bool:
    """Whether a value still holds a ``{{placeholder}}`` that nobody filled in (EX-204)."""
    # Not by a pattern: it would look for an end behind each of ten thousand beginnings.
    return isinstance(value, str) and "}}" in value.partition("{{")[2]


# --- text -------------------------------------------------------------------------------------------------------------


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Refused("WrongType", "must be text")
    return value


def _encodable(text: str) -> str:
    """Refuse half a surrogate pair: JSON can carry it, no file, screen or hash can."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Refused("WrongType", "must be Unicode text") from None
    return text


def free_text(most: int) -> Reader:
    """Return a reader of text of up to ``most`` characters that also keeps whole numbers, as text (EX-205)."""

    def read(value: object) -> str:
        if isinstance(value, int) and not isinstance(value, bool):
            # A number this large is longer than any text we take; writing it out first could be slow or refused.
            value = str(value) if value.bit_length() < 8 * most else "9" * (most + 1)
        text = _encodable(_text(value))
        if len(text) > most:
            raise Refused("TooLong", f"must have at most {most} characters")
        return text

    return read


def secret_text(value: object) -> None:
    """Check the bounds of a secret; its value goes nowhere."""
    text = _encodable(_text(value))
    if len(text) > 256:
        raise Refused("TooLong", "must have at most 256 characters")
    if len(text) < 16:
        raise Refused("OutOfRange", "must have at least 16 characters")


def word(words: type[StrEnum] | tuple[str, ...]) -> Reader:
    """Return a reader of one of these words in any case."""
    known = tuple(str(each) for each in words)

    def read(value: object) -> str:
        text = _text(value).lower()
        if text not in known:
            raise Refused("InvalidEnum", f"must be one of {', '.join(known)}")
        return text

    return read


# --- numbers and times ------------------------------------------------------------------------------------------------


def _decimal(value: object) -> Decimal | None:
    """Return any notation of a number; None when it is infinite or beyond what a Decimal can hold."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Refused("WrongType", "must be a number")
    if isinstance(value, int):
        return Decimal(value) if value.bit_length() < 64 else None
    text = repr(value) if isinstance(value, float) else value
    if isinstance(value, str) and not _NUMBER.fullmatch(text) and not _INFINITE.fullmatch(text):
        raise Refused("WrongType", "must be a number")
    try:
        return Decimal(text)
    except ArithmeticError:
        return None


def number(*, above: int | None = None, most: int | None = None, drop_sign: bool = False) -> Reader:
    """Return a reader of numbers above ``above`` (None: zero or more), up to ``most``, with the sign dropped or not."""

    def read(value: object) -> Decimal:
        given = _decimal(value)
        found = None if given is None else exact(given)
        if found is None:
            raise Refused("OutOfRange", "must be a finite number below 10^18 with at most 30 decimal places")
        if drop_sign:
            found = found.copy_abs()
        if found < 0 or (above is not None and found <= above) or (most is not None and found > most):
            low = "0 or more" if above is None else f"above {above}"
            raise Refused("OutOfRange", f"must be {low}" + ("" if most is None else f" and at most {most}"))
        return found

    return read


def time_text(value: object) -> str:
    """Read the moment an alert fired (EX-207)."""
    instant = parse_timestamp(value)
    if instant is None:
        raise Refused("InvalidTimestamp", "must be ISO 8601 date and time, or Unix seconds or milliseconds")
    return iso_ms(instant)


# --- identity parts ---------------------------------------------------------------------------------------------------


def venue_text(venues: Collection[str]) -> Reader:
    """Return a reader of venue names; ``venues`` are names beyond the aliases of EX-302."""
    return lambda value: _identity(lambda: canonical_venue(_text(value), venues))


def symbol_text(markets: Mapping[str, str] | None) -> Reader:
    """Return a reader of symbols of one venue; ``markets`` as in ``canonical_symbol``."""
    return lambda value: _identity(lambda: canonical_symbol(_text(value), markets))


def timeframe_text(value: object) -> str:
    """Read a chart interval: text, or a whole number of minutes (EX-304)."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Refused("WrongType", "must be text or a whole number")
    return _identity(lambda: canonical_timeframe(value))


def _identity(read: Callable[[], str]) -> str:
    try:
        return read()
    except IdentityError as error:
        raise Refused(error.code, error.message) from None

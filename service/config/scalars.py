"""Read single values. Nothing is guessed: text is no number and no truth value; only decimals may be text (EX-1303)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, Final

from protocol.groups import TpMode
from protocol.values import check_decimal
from service.config.errors import Problems
from service.config.keys import Key, Refusal, Secret, Speed
from service.config.risk_engine import TimerStart

__all__ = ["MAX_TEXT", "REFUSED", "Refused", "read_scalar", "type_name"]

MAX_TEXT: Final = 4096
"""Longest text of the configuration, in characters."""


class Refused(Enum):
    """The one value that stands for a value that was refused."""

    REFUSED = "refused"


REFUSED: Final = Refused.REFUSED


def read_scalar(hint: Any, key: Key, raw: Any, path: str, problems: Problems) -> Any:
    """Read ``raw`` as ``hint`` within the bounds of ``key``; note a mistake and return ``REFUSED`` otherwise."""
    is_enum = isinstance(hint, type) and issubclass(hint, StrEnum)
    got = _enum(hint, raw) if is_enum else _READERS[hint](raw)
    if not isinstance(got, Refusal):
        refusal = key.refusal(got) if not isinstance(got, str) or got != "max" or hint is not Speed else None
        if refusal is None:
            return got
        got = refusal
    problems.add(path, got.code, got.message, value="" if hint is Secret or got.code == "SecretInFile" else raw)
    return REFUSED


def type_name(hint: Any) -> str:
    """Return what the type of a value is called in the documentation."""
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return "one of " + ", ".join(word.value for word in hint)
    return _NAMES[hint]


def _wrong(expected: str) -> Refusal:
    return Refusal("WrongType", f"must be {expected}")


def _bool(raw: Any) -> bool | Refusal:
    return raw if isinstance(raw, bool) else _wrong("true or false")


def _int(raw: Any) -> int | Refusal:
    return raw if isinstance(raw, int) and not isinstance(raw, bool) else _wrong("a whole number")


def _decimal(raw: Any) -> Decimal | Refusal:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str | Decimal):
        return _wrong("a number")
    try:
        value = Decimal(repr(raw) if isinstance(raw, float) else raw)
    except InvalidOperation:
        return _wrong("a number")
    try:
        check_decimal("it", value)
    except ValueError as error:
        return Refusal("OutOfRange", str(error).removeprefix("`it` "))
    return value


def _speed(raw: Any) -> Decimal | str | Refusal:
    if raw == "max":
        return "max"
    got = _decimal(raw)
    return _wrong('a number or "max"') if isinstance(got, Refusal) and got.code == "WrongType" else got


def _text(raw: Any) -> str | Refusal:
    if not isinstance(raw, str):
        return _wrong("text")
    if "\0" in raw or len(raw) > MAX_TEXT:
        return Refusal("OutOfRange", f"must have at most {MAX_TEXT} characters and no NUL")
    return raw


def _path(raw: Any) -> Path | Refusal:
    got = _text(raw)
    if isinstance(got, Refusal):
        return got
    return Path(got).expanduser() if got else Refusal("OutOfRange", "must not be empty")


def _secret(raw: Any) -> Secret | Refusal:
    # The environment hands over a Secret; anything else was written into the file.
    if isinstance(raw, Secret):
        return raw
    return Refusal(
        "SecretInFile", "is a secret and must not stand in a file: remove it here and set it in the environment"
    )


def _enum(of: type[StrEnum], raw: Any) -> StrEnum | Refusal:
    if not isinstance(raw, str):
        return _wrong("text")
    try:
        return of(_OLDER_WORDS.get((of, raw), raw))
    except ValueError:
        return Refusal("InvalidEnum", f"must be {type_name(of)}")


_OLDER_WORDS: Final[dict[tuple[type[StrEnum], str], str]] = {
    (TpMode, "leg"): "per_leg",
    (TimerStart, "after_5_pyramids"): "after_pyramids_received",
}
"""Words of earlier versions that still mean something (EX-1305)."""

_READERS: Final[dict[Any, Callable[[Any], Any]]] = {
    bool: _bool,
    int: _int,
    Decimal: _decimal,
    Speed: _speed,
    str: _text,
    Path: _path,
    Secret: _secret,
}
_NAMES: Final[dict[Any, str]] = {
    bool: "true or false",
    int: "whole number",
    Decimal: "number",
    Speed: 'number or "max"',
    str: "text",
    Path: "path",
    Secret: "secret",
}

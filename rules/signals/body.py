"""From the bytes of a request to plain values; the body is judged by itself, never by its content type (EX-201)."""

from __future__ import annotations

import codecs
import json
from decimal import Decimal
from typing import Any, Final

from protocol.errors import ValidationError

__all__ = ["MalformedJson", "parse_body"]

_LONGEST_INT: Final = 4_000
"""Most digits of a whole number that is kept as one; Python itself refuses a little above."""


class MalformedJson(ValidationError):
    """The body is no JSON document that can be read in exactly one way."""

    def __init__(self, message: str) -> None:
        super().__init__("", message, code="MalformedJson")


def _float(text: str) -> Decimal | float:
    try:
        return Decimal(text)
    except ArithmeticError:
        return float(text)


def _int(text: str) -> int | Decimal | float:
    return int(text) if len(text) <= _LONGEST_INT else _float(text)


def _constant(name: str) -> object:
    raise MalformedJson(f"{name} is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        # Which of two prices counts would depend on the reader.
        raise MalformedJson("an object names one field twice")
    return made


def parse_body(body: bytes) -> object:
    """Return the JSON value of a body, numbers exact; raise ``MalformedJson`` and nothing else.

    Refused besides bad syntax: an empty body, a byte order mark, other encodings than UTF-8, bare ``NaN`` and
    ``Infinity``, a field named twice, nesting deeper than the interpreter's stack. The message never quotes the body.
    """
    if body.startswith(codecs.BOM_UTF8):
        raise MalformedJson("the body begins with a byte order mark")
    try:
        text = body.decode("utf-8")
        value: object = json.loads(
            text, object_pairs_hook=_object, parse_float=_float, parse_int=_int, parse_constant=_constant
        )
    except UnicodeDecodeError as error:
        raise MalformedJson(f"the body is not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise MalformedJson(f"line {error.lineno} column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise MalformedJson("the body is nested too deep") from None
    return value

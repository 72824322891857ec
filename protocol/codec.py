"""Encode messages as JSON (edges) and MessagePack (inside); decode with errors that name the field path.

Raises ``ValidationError`` for anything malformed: not JSON, unknown type or field, wrong type, NaN, negative quantity,
a number of 400 digits, too deep, too long. Nothing else escapes a decode.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec

from protocol.errors import ValidationError
from protocol.messages import message_types
from protocol.values import check_decimal

__all__ = [
    "MAX_MESSAGE_BYTES",
    "convert",
    "decode_json",
    "decode_msgpack",
    "decode_named",
    "encode_json",
    "encode_msgpack",
]

MAX_MESSAGE_BYTES: Final = 1_048_576
"""Largest encoded message that is decoded at all."""

T = TypeVar("T")

encode_msgpack: Final = msgspec.msgpack.Encoder(decimal_format="string").encode
encode_json: Final = msgspec.json.Encoder(decimal_format="string").encode

_PATH = re.compile(r" - at `(?P<path>[^`]*)`$")
_FIELD = re.compile(r"`(?P<field>[A-Za-z_][A-Za-z0-9_]*)`")
_decoders: dict[tuple[str, Any], Any] = {}


def _as_validation_error(error: Exception) -> ValidationError:
    """Turn any error of a decode into the one shape, with the most exact path that can be told."""
    text = str(error)
    path = "$"
    if found := _PATH.search(text):
        path, text = found["path"], text[: found.start()]
    named = _FIELD.search(text)
    from_ours = isinstance(error.__cause__, ValueError | TypeError)
    if named and (from_ours or "missing required field" in text or "unknown field" in text):
        path = f"{path}.{named['field']}"
    code = "UnknownField" if "unknown field" in text else "MissingField" if "missing required" in text else "Invalid"
    return ValidationError(path, text, code=code)


def _near(name: str, known: Iterable[str]) -> str:
    """Return a hint at the names that were probably meant; empty when none is near."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f"; did you mean {', '.join(near)}?" if near else ""


def _with_hint(error: ValidationError, of: Any) -> ValidationError:
    """Add the nearest field names to an unknown field of the outermost struct."""
    parent, _, field = error.path.rpartition(".")
    if error.code != "UnknownField" or parent != "$":
        return error
    hint = _near(field, getattr(of, "__struct_encode_fields__", ()))
    return ValidationError(error.path, error.message + hint, code=error.code)


def _check_numbers(value: Any, path: str) -> None:
    """Refuse a NaN, infinite or absurd Decimal anywhere in a message, whether or not its own type looks."""
    if isinstance(value, Decimal):
        try:
            check_decimal(path.rpartition(".")[2], value)
        except ValueError as error:
            raise ValidationError(path, str(error), value=str(value)) from error
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            _check_numbers(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value):
            _check_numbers(each, f"{path}[{index}]")
    elif isinstance(value, dict):
        for each in value.values():
            _check_numbers(each, f"{path}[...]")


def _decoder(kind: str, of: Any) -> Any:
    try:
        return _decoders[kind, of]
    except KeyError:
        made = (msgspec.json.Decoder if kind == "json" else msgspec.msgpack.Decoder)(of)
        _decoders[kind, of] = made
        return made


def _decode(kind: str, data: bytes | str, of: type[T]) -> T:
    if len(data) > MAX_MESSAGE_BYTES:
        raise ValidationError("$", f"a message has at most {MAX_MESSAGE_BYTES} bytes", code="TooLong")
    try:
        result: T = _decoder(kind, of).decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError, OverflowError, ArithmeticError) as error:
        raise _with_hint(_as_validation_error(error), of) from error
    return result


def decode_json(data: bytes | str, of: type[T]) -> T:
    """Decode one JSON document as ``of``; raise ``ValidationError``.

    What is JSON comes from outside, so every Decimal in it is held to the bounds of ``check_decimal``, also in types that
    are built unchecked on the hot path: one of a thousand million places that is journalled stops whoever adds it up.
    """
    result = _decode("json", data, of)
    _check_numbers(result, "$")
    return result


def decode_msgpack(data: bytes, of: type[T]) -> T:
    """Decode one MessagePack document as ``of``; raise ``ValidationError``."""
    return _decode("msgpack", data, of)


def convert(value: Any, of: type[T]) -> T:
    """Turn plain data (dicts, lists, text, numbers) into ``of``; raise ``ValidationError``."""
    try:
        return msgspec.convert(value, of)
    except (msgspec.ValidationError, ValueError, RecursionError, OverflowError, ArithmeticError) as error:
        raise _as_validation_error(error) from error


class _Named(msgspec.Struct):
    type: str


def decode_named(data: bytes | str) -> Any:
    """Decode a JSON message whose type is named by its ``type`` field; raise ``ValidationError``.

    An unknown name is answered with the nearest ones.
    """
    name = decode_json(data, _Named).type
    types = message_types()
    if name not in types:
        hint = _near(name, types)
        raise ValidationError("$.type", f"unknown message type {name!r}{hint}", code="UnknownType", value=name)
    return decode_json(data, types[name])

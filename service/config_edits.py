"""What an edit of the draft may be, and what it makes of a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from protocol.configuration import Mistake
from protocol.errors import ValidationError
from service.config.sources import Sources

__all__ = ["mistake_of", "over", "refused_edits"]

_ALONE: Final = (
    *("UnknownKey", "WrongType", "OutOfRange", "InvalidEnum", "MissingValue"),
    *("UnknownTimezone", "SecretInFile"),
)
"""Mistakes of one key. Keys are judged against each other when all edits are made: here only each for itself."""


def refused_edits(sources: Sources, values: Mapping[str, Any]) -> list[Mistake]:
    """Return why keys cannot have these values, or cannot be set in a document at all."""
    beaten = sources.beaten
    found = [
        Mistake("SetByEnvironment", name, f"is set by {beaten[name]}, which beats every document: change it there")
        for name in values
        if name in beaten
    ]
    given = {name: value for name, value in values.items() if value is not None}
    _, errors = sources.effective(given)
    return [*found, *(mistake_of(error) for error in errors if error.code in _ALONE and _of(error.path, given))]


def over(document: Mapping[str, Any], edits: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with some keys changed; None takes a key back to its default."""
    return {name: value for name, value in {**document, **edits}.items() if value is not None}


def _of(path: str, given: Mapping[str, Any]) -> bool:
    return any(path == name or path.startswith((f"{name}.", f"{name}[")) for name in given)


def mistake_of(error: ValidationError) -> Mistake:
    """Return an error in the shape of an answer."""
    shape = error.as_dict()
    return Mistake(shape["code"], shape["path"], shape["message"], shape["value"])

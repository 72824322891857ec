"""Answers that cannot be read: what they raise while they are taken apart, and what that means."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from venues.contract import Venue
from venues.errors import NetworkTimeout

__all__ = ["UNREADABLE", "understood"]

P = ParamSpec("P")
V = TypeVar("V", bound=Venue)
T = TypeVar("T")

UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError, ArithmeticError)
"""How a word of the venue that is not what it should be shows."""


def understood(
    method: Callable[Concatenate[V, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[V, P], Coroutine[Any, Any, T]]:
    """Have a call of the contract say ``NetworkTimeout`` when the venue's answer makes no sense: the outcome is unknown."""

    @wraps(method)
    async def asked(venue: V, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await method(venue, *args, **kwargs)
        except UNREADABLE as error:
            raise NetworkTimeout(venue.name, f"an answer that cannot be read ({type(error).__name__})") from error

    return asked

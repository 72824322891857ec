"""Which of two signals arrived first, by the ids that the gateway gives them in the order of their arrival."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["came_before"]

_GIVEN: Final = re.compile(r"s(\d{8,})(?:-.+)?")
"""``s00000012``; an account beside the first is handed ``s00000012-<account>``."""


def came_before(one: str, other: str) -> bool:
    """Tell whether a signal arrived before another; False when an id is not of the gateway's making.

    By id and not by time: a clock that was set back must not make an exit look older than what it is to close.
    """
    earlier, later = _GIVEN.fullmatch(one), _GIVEN.fullmatch(other)
    return earlier is not None and later is not None and int(earlier[1]) < int(later[1])

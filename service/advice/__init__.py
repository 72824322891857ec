"""What to do about each code that a person can meet: one book, read by the command line and printed as a reference page.

Lives here: codes, the words beside them, the page made of them. What must not live here: the checks that produce the codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from service.advice.area import Area, Word
from service.advice.operations import BACKUP, JOURNAL, OPERATORS, START
from service.advice.settings import SETTINGS
from service.advice.signals import WEBHOOK
from service.advice.trading import EDITING, LOSS_OFFSET, ORDERS, POOL, VENUES

__all__ = ["ADVICE", "AREAS", "Area", "Word", "advice_of"]

AREAS: Final = (WEBHOOK, POOL, ORDERS, EDITING, LOSS_OFFSET, VENUES, SETTINGS, START, OPERATORS, JOURNAL, BACKUP)
"""The book in the order it is read: a signal's way through the house first, then the house itself."""


def _by_code() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for area in AREAS:
        for word in area.words:
            for code in word.codes:
                found.setdefault(code, word.advice)
    return MappingProxyType(found)


ADVICE: Final = _by_code()
"""Code -> what to do; where two areas speak of one code, what the first of them says."""


def advice_of(code: str) -> str:
    """Return what to do about a code, empty when the book does not know it."""
    return ADVICE.get(code, "")

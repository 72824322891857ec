"""The areas of advice in the order they are read, and every code with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from service.advice.access import ACCESS
from service.advice.brackets import BRACKETS
from service.advice.operations import BACKUP, CACHE, JOURNAL, OPERATORS, START
from service.advice.perps import PERPS
from service.advice.phone import PHONE
from service.advice.secrets import SECRETS
from service.advice.settings import SETTINGS
from service.advice.signals import WEBHOOK
from service.advice.trading import EDITING, LOSS_OFFSET, ORDERS, POOL, VENUES

__all__ = ["ADVICE", "AREAS", "advice_of"]

AREAS: Final = (
    WEBHOOK,
    POOL,
    ORDERS,
    EDITING,
    LOSS_OFFSET,
    VENUES,
    BRACKETS,
    PERPS,
    SETTINGS,
    START,
    OPERATORS,
    ACCESS,
    PHONE,
    SECRETS,
    JOURNAL,
    BACKUP,
    CACHE,
)
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
